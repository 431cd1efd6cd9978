"""Django for the tests, configured once, whoever asks first; and databases that are added while it runs."""
import atexit
import os
import shutil
import tempfile
from importlib.util import find_spec
from urllib.parse import urlsplit

import pytest

_folder = []
_ENGINES = {"postgresql+psycopg2": "postgresql", "mysql+pymysql": "mysql"}
_STORE = "alipay_mapi.contrib.django.store"


def configure():
    """Skips where Django is not installed, or fails where ``ALIPAY_MAPI_EXPECT`` names it."""
    if not installed():
        if "django" in os.environ.get("ALIPAY_MAPI_EXPECT", "").split():
            pytest.fail("no module django")
        pytest.skip("Django is not tested: no module django", allow_module_level=True)
    import django
    from django.conf import settings
    if settings.configured:
        return
    _folder.append(tempfile.mkdtemp(prefix="mapi-django-"))
    atexit.register(shutil.rmtree, _folder[0], ignore_errors=True)
    settings.configure(
        SECRET_KEY="made for tests", ALLOWED_HOSTS=["*"], ROOT_URLCONF="urls_under_test", USE_TZ=True,
        STATIC_URL="/static/", DATABASES={"default": sqlite(os.path.join(_folder[0], "default.db"))},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions",
                        "django.contrib.messages", "django.contrib.admin"] + _ours(),
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
                    "django.contrib.auth.middleware.AuthenticationMiddleware",
                    "django.contrib.messages.middleware.MessageMiddleware"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
            "context_processors": ["django.template.context_processors.request",
                                   "django.contrib.auth.context_processors.auth",
                                   "django.contrib.messages.context_processors.messages"]}}])
    django.setup()


def installed():
    """Python takes a folder of tests of that name for a package, too."""
    try:
        import django.conf
    except ImportError:
        return False
    return bool(django.conf)


def folder():
    """For files that last as long as the tests."""
    return _folder[0]


def _ours():
    """The app without tables is there when its ``apps`` is."""
    return ["alipay_mapi.contrib.django"] * (find_spec("alipay_mapi.contrib.django.apps") is not None) + [_STORE]


def sqlite(path, **options):
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": dict({"timeout": 20}, **options)}


def server(url, **options):
    """The database that a server of ``servers`` made, from its URL."""
    found = urlsplit(url)
    engine = _ENGINES[found.scheme]
    if engine == "mysql":
        _mysql_driver()
    return {"ENGINE": "django.db.backends." + engine, "NAME": found.path[1:], "USER": found.username,
            "HOST": found.hostname, "PORT": found.port, "OPTIONS": options}


def _mysql_driver():
    """PyMySQL in the place of mysqlclient, whose version Django asks for."""
    import pymysql
    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()


def add(alias, database):
    """A database under a new alias."""
    from django.db import connections
    connections.databases[alias] = dict({
        "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None,
        "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "OPTIONS": {},
        "TEST": {"CHARSET": None, "COLLATION": None, "MIGRATE": True, "MIRROR": None, "NAME": None}}, **database)


def remove(alias):
    """Close this thread's connection, and forget the alias."""
    from django.db import connections
    connections[alias].close()
    del connections[alias]
    del connections.databases[alias]


def migrate(alias):
    """The store's tables."""
    from django.core.management import call_command
    call_command("migrate", "alipay_mapi_store", database=alias, verbosity=0, interactive=False)
