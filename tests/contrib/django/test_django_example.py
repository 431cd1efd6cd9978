"""``examples/django_shop`` on every Django, against the gateway in its process. In a browser it is driven by
``tests/browser/django_shop_in_chromium.py``."""
import os
import subprocess
import sys

import pytest

#: Settings are for a whole process, so this is run in one of its own.
SCRIPT = """
import sys
import warnings
warnings.simplefilter("error", DeprecationWarning)
import django
warnings.simplefilter("default", DeprecationWarning)
django.setup()

from io import StringIO
from django.core.management import call_command
from django.test import Client
from alipay_mapi.contrib.django.testing import DjangoGateway
from shop.models import Order

call_command("check", fail_level="ERROR", stderr=StringIO())
call_command("makemigrations", check=True, dry_run=True, verbosity=0)
call_command("migrate", verbosity=0)
print("migrated")
browser = Client(enforce_csrf_checks=True, HTTP_HOST="localhost")

def post(path):
    browser.get("/")
    answer = browser.post(path, {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value})
    assert answer.status_code == 302, answer
    return answer["Location"]

def says(page, words):
    text = browser.get(page).content.decode("utf-8")
    assert '<dd id="state">{}<'.format(words) in text, text
    return text

def pay(lose):
    page = post("/orders/")
    number = page.split("/")[2]
    says(page, "Not paid yet")
    gateway.visit(post(page + "pay/"))
    gateway.pay(number, lose=lose)
    assert browser.get(gateway.return_url(number))["Location"] == page
    assert 'http-equiv="refresh" content="3"' in says(page, "We are checking")
    return page, number

with DjangoGateway() as gateway:
    gateway._client = Client(enforce_csrf_checks=True, HTTP_HOST="localhost")
    page, number = pay(lose=False)
    assert gateway.deliver()[0]["acknowledged"]
    assert "refresh" not in says(page, "Paid")
    assert post(page + "pay/") == page      # it cannot be paid twice
    print("notified")
    page, number = pay(lose=True)
    assert gateway.run_fallback().outcomes == {"paid": 1}
    says(page, "Paid")
    print("found")
    page = post("/orders/")
    gateway.visit(post(page + "pay/"))
    gateway.log_in(page.split("/")[2])
    gateway.advance(40 * 60)
    gateway.run_fallback()
    says(page, "Cancelled: nobody has paid in time")
    print("cancelled")
"""


def test_orders_are_paid_found_and_cancelled(checkout, tmp_path):
    ini = "[rsa2]\npartner = 2088101122136241\nsign_type = MD5\nmd5_key = 0123456789abcdef0123456789abcdef\n"
    (tmp_path / "shop.ini").write_text(ini, encoding="ascii")
    path = os.pathsep.join([str(checkout), str(checkout / "examples" / "django_shop")])
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=str(tmp_path), stdin=subprocess.DEVNULL, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(
                              os.environ, PYTHONPATH=path, SHOP_FOLDER=str(tmp_path), LC_ALL="C.UTF-8",
                              DJANGO_SETTINGS_MODULE="shop.settings"))
    assert done.returncode == 0, done.stderr.decode("utf-8")
    assert done.stdout.decode().split()[-4:] == ["migrated", "notified", "found", "cancelled"]


@pytest.mark.parametrize("name, most", [("settings.py", 80), ("views.py", 50), ("payments.py", 15)])
def test_it_stays_small(checkout, name, most):
    assert len((checkout / "examples" / "django_shop" / "shop" / name).read_text("utf-8").splitlines()) <= most


def test_the_readme_has_the_commands_that_the_example_understands(checkout):
    text = (checkout / "examples" / "django_shop" / "README.md").read_text("utf-8")
    for command in ("alipay-mapi emulator", "python manage.py migrate", "python manage.py runserver",
                    "manage.py alipay_mapi fallback run --deadline 50s --quiet"):
        assert command in text
