"""The shops of ``notify_load.py``, as gunicorn serves them: the notify view of each framework, and a bare view of it.

Environment: ``NOTIFY_SHOP`` (``django``, ``flask``, ``django-bare``, ``flask-bare``), ``NOTIFY_FOLDER`` (the shop's
own), ``NOTIFY_GATEWAY`` (asked by nobody, if all is well), ``NOTIFY_HANDLER`` (``1``: effects are carried out),
``NOTIFY_EVIDENCE`` (``0``: no row about each notification), ``NOTIFY_LOG`` (the log file's level; ``INFO``). Run as a
program, it makes the tables and watches the first ``NOTIFY_COUNT`` orders. The bare view keeps the raw body, in one
INSERT that is synchronised, and says ``success``.
"""
import logging
import os
import sqlite3
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir))

KEYS = os.path.join(HERE, os.pardir, "fixtures", "keys")
PARTNER, MD5_KEY = "2088123412341234", "0123456789abcdef0123456789abcdef"     # made up for tests
MERCHANTS = ("md5", "rsa2")
BARE = "CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB)"


def number(at):
    """The order of message ``at``."""
    return "A{:06d}".format(at)


def settings(name, folder):
    both = {"partner": PARTNER, "gateway": os.environ.get("NOTIFY_GATEWAY", "http://127.0.0.1:9/gateway.do"),
            "allow_http": True}
    found = {
        "MERCHANTS": {
            "md5": dict(both, sign_type="MD5", md5_key=MD5_KEY),
            "rsa2": dict(both, sign_type="RSA2",
                         private_key_file=os.path.join(KEYS, "TEST-ONLY-rsa2048-private.pem"),
                         alipay_public_key_file=os.path.join(KEYS, "TEST-ONLY-rsa2048-other-public.pem"))},
        "DEFAULT_MERCHANT": "md5", "SITE_URL": "http://127.0.0.1:8000"}
    if name == "flask":
        found["STORE"] = "sqlite:///" + os.path.join(folder, "shop.db")
    elif os.environ.get("NOTIFY_EVIDENCE") == "0":
        found["EVIDENCE"] = False
    if os.environ.get("NOTIFY_HANDLER") == "1":
        found["WITHIN"] = carried_out
    return found


def carried_out(db, effect):
    """As a shop that marks its own order: one row."""
    if not hasattr(db, "cursor") or isinstance(db, sqlite3.Connection):
        db.execute("INSERT INTO booked VALUES (?)", (effect.key,))
    else:
        with db.cursor() as cursor:
            cursor.execute("INSERT INTO booked VALUES (%s)", [effect.key])


# --- Django -----------------------------------------------------------------------------------------------------------

urlpatterns = []


def django_shop(name, folder):
    import django
    from django.conf import settings as django_settings
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.messages"]
    if name == "django":
        apps += ["alipay_mapi.contrib.django", "alipay_mapi.contrib.django.store"]
    # The middleware that startproject gives to every shop, for both views.
    django_settings.configure(
        SECRET_KEY="of this benchmark", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, INSTALLED_APPS=apps,
        MIDDLEWARE=["django.middleware.security.SecurityMiddleware",
                    "django.contrib.sessions.middleware.SessionMiddleware",
                    "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
                    "django.contrib.auth.middleware.AuthenticationMiddleware",
                    "django.contrib.messages.middleware.MessageMiddleware",
                    "django.middleware.clickjacking.XFrameOptionsMiddleware"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(folder, "shop.db"),
                               "OPTIONS": {"timeout": 20}, "CONN_MAX_AGE": 60}},
        LOGGING_CONFIG=None, ALIPAY_MAPI=settings(name, folder) if name == "django" else {})
    django.setup()
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, re_path
    if name == "django":
        urlpatterns[:] = [re_path("^alipay/", include("alipay_mapi.contrib.django.urls"))]
    else:
        urlpatterns[:] = [re_path("^alipay/notify/", django_bare())]
    return get_wsgi_application()


def django_bare():
    from django.db import connection
    from django.http import HttpResponse
    from django.views.decorators.csrf import csrf_exempt

    @csrf_exempt
    def keep(request, *_, **__):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO raw (body) VALUES (%s)", [request.body])
        return HttpResponse(b"success", content_type="text/plain")
    return keep


# --- Flask ------------------------------------------------------------------------------------------------------------

def flask_shop(name, folder):
    from flask import Flask
    app = Flask(__name__)
    if name == "flask":
        from alipay_mapi.contrib.flask import AlipayMapi
        app.config.update({"ALIPAY_MAPI_" + key: value for key, value in settings(name, folder).items()})
        AlipayMapi(app, url_prefix="/alipay")
    else:
        flask_bare(app, os.path.join(folder, "shop.db"))
    return app


def flask_bare(app, path):
    from flask import request
    opened = []

    @app.route("/alipay/notify/<shop>/", methods=["POST"])
    def keep(shop):
        if not opened:
            db = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA synchronous=FULL")
            opened.append(db)
        opened[0].execute("INSERT INTO raw (body) VALUES (?)", (request.get_data(),))
        return app.response_class("success", mimetype="text/plain")


# --- both -------------------------------------------------------------------------------------------------------------

def made(name, folder):
    return (django_shop if name.startswith("django") else flask_shop)(name, folder)


def fill(name, folder, count):
    """The tables, and the orders that are notified. Django's file is as Django makes it, with a rollback journal,
    unless ``NOTIFY_WAL`` is ``1``; Flask's is written ahead, as the fallback's own store is."""
    import alipay_mapi as mapi
    ahead = name.startswith("flask") or os.environ.get("NOTIFY_WAL") == "1"
    with_sqlite(os.path.join(folder, "shop.db"), "PRAGMA journal_mode=" + ("WAL" if ahead else "DELETE"),
                "CREATE TABLE booked (effect TEXT PRIMARY KEY)", *([BARE] if name.endswith("-bare") else []))
    app = made(name, folder)
    if name.endswith("-bare"):
        return
    if name == "django":
        from django.core.management import call_command
        from alipay_mapi.contrib.django import fallback
        call_command("migrate", verbosity=0)
        watching = fallback()
    else:
        with app.app_context():
            watching = app.extensions["alipay_mapi"].configured().fallback()
    watching.watch_many(watching.watched(MERCHANTS[at % 2], mapi.Order(number(at), total_fee="8.00"), first_in=3600)
                        for at in range(count))


def with_sqlite(path, *statements):
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement).fetchall()
    db.close()


def _of_the_environment():
    return os.environ["NOTIFY_SHOP"], os.environ["NOTIFY_FOLDER"]


def serve():
    """gunicorn's ``notify_shops:serve()``."""
    logging.basicConfig(
        level=os.environ.get("NOTIFY_LOG", "INFO"), filename=os.path.join(os.environ["NOTIFY_FOLDER"], "shop.log"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s")
    return made(*_of_the_environment())


if __name__ == "__main__":
    fill(*_of_the_environment(), count=int(os.environ["NOTIFY_COUNT"]))
