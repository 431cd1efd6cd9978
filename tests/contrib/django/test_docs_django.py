"""docs/django.md: its files are written as they stand into one project, and run there; what is yours on the page, the
order table and the other parts of a project, is put in front."""
import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from alipay_mapi.contrib.django import checks, signals
from alipay_mapi.contrib.web.configured import FALLBACK_NAMES, NAMES

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MINUTE = "* * * * * "

FRONT = {
    "shop/settings.py": '''
import os
SECRET_KEY = "of a test"
DEBUG = True
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "shop"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
              "django.middleware.csrf.CsrfViewMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.abspath("shop.db")}}
''',
    "shop/urls.py": '''
try:
    from django.urls import include, re_path
except ImportError:
    from django.conf.urls import include, url as re_path
from shop import views
urlpatterns = [re_path("^orders/(?P<out_trade_no>[A-Z0-9]+)/$", views.order, name="order"),
               re_path("^orders/(?P<number>[A-Z0-9]+)/pay/$", views.pay, name="pay")]
''',
    "shop/models.py": '''
from django.db import models

class Order(models.Model):
    number = models.CharField(max_length=64, unique=True)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    state = models.CharField(max_length=20, default="new")
''',
    "shop/views.py": '''
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST
from shop.models import Order

def order(request, out_trade_no):
    return HttpResponse(Order.objects.get(number=out_trade_no).state)

''',
    "shop/returning.py": "from shop.urls import re_path\n",
    "shop/paying.py": "from alipay_mapi import Order as AlipayOrder\n",
    "shop/several.py": "from shop.settings import ALIPAY_MAPI\n",
    "shop/own_table.py": "from shop.quick import *\n",
    # RSA keys take a second in every process; what the page says does not depend on them.
    "shop/quick.py": """
from shop.settings import *
ALIPAY_MAPI["MERCHANTS"] = {"shop": {"partner": "2088101122136241", "sign_type": "MD5",
                                     "md5_key": "0123456789abcdef0123456789abcdef"}}
""",
    "shop/receivers.py": "import logging\nlog = logging.getLogger('shop')\n",
}


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "django.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def blocks(page):
    """(what stands behind the three backquotes, text), in the page's order."""
    return _BLOCK.findall(page)


class Project:
    """The page's files in a folder."""

    def __init__(self, folder, blocks, checkout):
        self.folder, self.checkout = folder, checkout
        files = {head.partition(" ")[2]: text for head, text in blocks}
        files["shop/__init__.py"] = files["shop/migrations/__init__.py"] = ""
        for name in set(FRONT) | set(name for name in files if name.startswith("shop/")):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = FRONT.get(name, "").lstrip() + files.get(name, "")
            path.write_text(text.replace("/etc/shop/", str(folder) + "/").replace("/srv/shop", str(folder)),
                            encoding="utf-8")
        keys = checkout / "fixtures" / "keys"
        shutil.copy(str(keys / "TEST-ONLY-rsa2048-private.pem"), str(folder / "alipay.pem"))
        shutil.copy(str(keys / "TEST-ONLY-rsa2048-other-public.pem"), str(folder / "alipay.pem.pub"))
        for name in ("eu.txt", "us.txt"):
            (folder / name).write_text("0123456789abcdef0123456789abcdef", encoding="ascii")
        (folder / "manage.py").write_text(
            "import sys\nfrom django.core.management import execute_from_command_line\n"
            "execute_from_command_line(sys.argv)\n", encoding="ascii")

    def run(self, *command, **environment):
        """(exit code, what it said)."""
        path = os.pathsep.join([str(self.folder), str(self.checkout)])
        done = subprocess.run(command, cwd=str(self.folder), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120, env=dict(
                                  os.environ, **dict({"PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "shop.settings",
                                                      "LC_ALL": "C.UTF-8"}, **environment)))
        return done.returncode, done.stdout.decode("utf-8")

    def python(self, code, **environment):
        """What the code prints, with the project set up."""
        status, said = self.run(sys.executable, "-c", "import django\ndjango.setup()\n" + code, **environment)
        assert status == 0, said
        return said.split()


@pytest.fixture(scope="module")
def project(blocks, checkout, tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("project"), blocks, checkout)
    made.python("""
from django.core.management import call_command
from shop.models import Order
call_command("makemigrations", "shop", verbosity=0)
call_command("migrate", verbosity=0)
Order.objects.create(number="A1", price="8.00")
""")
    return made


def test_every_block_is_known_to_these_tests(blocks):
    assert [head for head, _ in blocks] == ["sh install"] + ["python shop/" + name for name in (
        "settings.py", "urls.py", "payments.py", "views.py")] + [
        "sh manage", "python shop/returning.py", "python shop/paying.py", "html shop/templates/pay.html",
        "python shop/several.py", "crontab", "python shop/tasks.py", "python shop/receivers.py",
        "python shop/own_table.py", "python shop/booking.py", "python shop/tests.py"]


def test_what_is_installed_is_an_extra_of_the_package(blocks, checkout):
    settings = configparser.ConfigParser()
    settings.read(str(checkout / "setup.cfg"), encoding="utf-8")
    (_, text), = [block for block in blocks if block[0] == "sh install"]
    assert text == "pip install 'alipay-mapi[django]'\n" and settings["options.extras_require"]["django"].strip()


def test_the_commands_of_the_quick_start_find_nothing_to_complain_of(blocks, project):
    (_, text), = [block for block in blocks if block[0] == "sh manage"]
    for line in text.splitlines():
        name, *arguments = shlex.split(line)
        code, said = project.run(sys.executable, *arguments)
        assert name == "python" and code == 0, said
    assert "no issues" in said


def test_the_tests_of_the_page_pass(project):
    code, said = project.run(sys.executable, "manage.py", "test", "shop.tests", "--settings=shop.quick")
    assert code == 0, said
    assert "Ran 2 tests" in said and "OK" in said


def test_the_line_of_the_crontab_runs_the_fallback(blocks, project):
    (_, text), = [block for block in blocks if block[0] == "crontab"]
    assert text.startswith(_MINUTE + "cd /srv/shop && flock -n fallback.lock venv/bin/python ")
    line = text[len(_MINUTE):].strip().replace("/srv/shop", str(project.folder))
    line = line.replace("venv/bin/python", shlex.quote(sys.executable))
    if shutil.which("flock") is None:
        line = line.replace("flock -n fallback.lock ", "")
    assert project.run("/bin/sh", "-c", line) == (0, "")
    assert (project.folder / "fallback.log").read_text(encoding="utf-8") == ""


def test_payments_the_form_and_what_workers_are_given(project):
    said = project.python("""
from django.template.loader import get_template
from shop.paying import *
from shop.tasks import make_fallback
assert url.startswith("https://intlmapi.alipay.com/gateway.do?") and "alipay%2Fnotify%2Fshop%2F" in url, url
assert 'service="mobile.securitypay.pay"' in text and make_fallback() is fallback()
assert fallback().store.get("shop", "A2").outcome == "open"
class Request: csp_nonce = "abc"
form = get_template("pay.html").render({"payment": payment(order, subject="Green tea"), "request": Request})
assert 'nonce="abc"' in form and 'name="out_trade_no" value="A2"' in form, form
print("done")
""")
    assert said == ["done"]


def test_a_subclass_of_the_return_view_and_receivers(project):
    assert project.python("""
from django.test import Client
from django.test.utils import override_settings
from alipay_mapi.contrib.django.testing import DjangoGateway
from shop import receivers, returning, urls
logged = []
receivers.log.info = receivers.log.warning = lambda *words: logged.append(words[1:])
with DjangoGateway() as mapi, override_settings(ROOT_URLCONF="both"):
    import sys, types
    sys.modules["both"] = types.SimpleNamespace(urlpatterns=returning.urlpatterns + urls.urlpatterns)
    browser = Client()
    mapi.visit(browser.post("/orders/A1/pay/")["Location"])
    mapi.pay("A1")
    assert browser.get(mapi.return_url("A1"))["Location"] == "/orders/A1/"
    assert browser.session["last_order"] == "A1"
    mapi.deliver()
    forged = mapi.notification("paid", broken="forged", out_trade_no="A1")
    assert browser.generic("POST", "/alipay/notify/shop/", forged.body, forged.content_type).status_code == 400
assert ("A1", "paid") in logged and ("SignatureInvalid",) in logged, logged
print("done")
""", DJANGO_SETTINGS_MODULE="shop.quick")[-1] == "done"


def test_several_merchants(project):
    said = project.python("""
import shop.several
from alipay_mapi.contrib.django import configured
print(configured().default, *sorted(configured().clients))
""")
    assert said == ["eu", "eu", "us"]


def test_a_shop_with_its_own_order_table(project):
    assert project.python("""
from django.core.management import call_command
from django.test import Client
from alipay_mapi.contrib.django.testing import DjangoGateway
from shop.models import Order
call_command("check", fail_level="ERROR", verbosity=0)
Order.objects.create(number="B1", price="8.00")
with DjangoGateway() as mapi:
    mapi.visit(Client().post("/orders/B1/pay/")["Location"])
    mapi.pay("B1")
    assert mapi.deliver()[0]["acknowledged"]
assert Order.objects.get(number="B1").state == "paid"
print("done")
""", DJANGO_SETTINGS_MODULE="shop.own_table")[-1] == "done"


def test_the_tables_of_the_page_are_whole(page):
    for name in NAMES:
        assert "| `{}` |".format(name) in page, name
    for name in FALLBACK_NAMES:
        assert "`{}`".format(name) in page, name
    for number in re.findall(r"^([EW]\d\d\d) ", checks.__doc__, re.MULTILINE):
        assert number + "`" in page, number
    for name in ("notify_verified", "notify_rejected", "trade_settled", "refund_settled", "run_finished"):
        assert hasattr(signals, name) and "| `{}` |".format(name) in page
