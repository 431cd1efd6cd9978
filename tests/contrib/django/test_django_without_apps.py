"""A project that has neither of the apps installed, nor a database: URLs and views work all the same."""
import os
import subprocess
import sys
from pathlib import Path

import genuine

PROJECT = '''
import sys
from django.conf import settings
settings.configure(SECRET_KEY="x", ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"], INSTALLED_APPS=[], DATABASES={},
                   MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
                   ALIPAY_MAPI={"MERCHANTS": {"shop": {"partner": PARTNER, "sign_type": "MD5", "md5_key": KEY}},
                                "SITE_URL": "https://shop.example", "ORDER": lambda shop, number: ORDERS.get(number),
                                "NOTIFIED": lambda shop, note: BOOKED.append(note["out_trade_no"])})
import django
django.setup()
import alipay_mapi
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django import checks, signals
from django.test import Client
try:
    from django.urls import include, re_path
except ImportError:
    from django.conf.urls import include, url as re_path
urlpatterns = [re_path("^alipay/", include("alipay_mapi.contrib.django.urls"))]
ORDERS = {"A1": alipay_mapi.Order("A1", total_fee="8.00", currency="USD")}
BOOKED, TOLD = [], []
def told(shop, **_): TOLD.append(shop)
signals.notify_verified.connect(told)
print(mapi.payment(ORDERS["A1"], subject="Tea").params["notify_url"])
client = Client(enforce_csrf_checks=True)
answer = client.generic("POST", "/alipay/notify/", BODY, "application/x-www-form-urlencoded; charset=GBK")
print(answer.status_code, answer.content.decode(), BOOKED, TOLD)
answer = client.get("/alipay/return/?" + QUERY)
print(answer.status_code, "We are checking" in answer.content.decode("utf-8"))
print([found.id for found in checks.check_settings() + checks.check_urls() + checks.check_database()])
'''


def test_it_works_with_nothing_installed():
    back = genuine.changed(genuine.FOREX, "notify_id", "notify_time", "notify_type")
    names = {"PARTNER": genuine.PARTNER, "KEY": genuine.MD5_KEY, "BODY": genuine.message(genuine.FOREX),
             "QUERY": genuine.message(back).decode("ascii")}
    code = "".join("{} = {!r}\n".format(*pair) for pair in names.items()) + PROJECT
    environ = dict(os.environ, PYTHONPATH=str(Path(__file__).resolve().parents[3]))
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.stdout.decode("utf-8").splitlines() == [
        "https://shop.example/alipay/notify/shop/", "200 success ['A1'] ['shop']", "200 True",
        "['alipay_mapi.W001']"], done.stderr.decode("utf-8")
