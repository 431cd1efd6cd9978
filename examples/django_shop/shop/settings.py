"""Everything above ALIPAY_MAPI is what startproject writes, without what this shop does not need."""
import configparser
import os

BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.environ.get("SHOP_FOLDER", BASE_DIR)    # for what the shop writes

SECRET_KEY = "TEST-ONLY: an example on this machine; a real shop has its own, and not in its code"
DEBUG = True        # for the same reason
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "alipay_mapi.contrib.django",
    "alipay_mapi.contrib.django.store",
    "shop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": os.path.join(FOLDER, "shop.db"),
    "OPTIONS": {"timeout": 20},
}}


def test_merchant():
    """The emulator's merchant: its keys are test keys, worth nothing elsewhere. A real shop has
    {"partner": …, "sign_type": "RSA2", "private_key_file": …, "alipay_public_key_file": …} here."""
    path = os.environ.get("SHOP_INI", os.path.join(FOLDER, "shop.ini"))
    ini = configparser.ConfigParser(interpolation=None)
    if not ini.read(path):
        raise SystemExit("there is no {}: start alipay-mapi emulator in this folder first".format(path))
    return dict(ini["rsa2"])


ALIPAY_MAPI = {
    "MERCHANTS": {"shop": test_merchant()},
    "SITE_URL": os.environ.get("SHOP_URL", "http://127.0.0.1:8000"),
    "RETURN_TO": "order",
    "WITHIN": "shop.payments.settle",
}
