"""docs/flask.md: its files are written as they stand into one folder, and run there; what is yours on the page, the
shop's database, is put in front."""
import inspect
import os
import re
import shlex
import subprocess
import sys

import flask
import pytest
from flask_desk import MERCHANT, Desk, note

import alipay_mapi.contrib.flask as extension
from alipay_mapi import Order
from alipay_mapi.contrib.web.configured import FALLBACK_NAMES, NAMES

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MINUTE = "* * * * * "
DATABASE = """
import os, sqlite3
from contextlib import closing, contextmanager

@contextmanager
def database():
    with closing(sqlite3.connect(os.path.join({folder!r}, "shop.db"), timeout=30)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, state TEXT, price TEXT)")
        db.execute("CREATE TABLE IF NOT EXISTS settled (key TEXT PRIMARY KEY)")
        db.execute("INSERT OR IGNORE INTO orders VALUES ('A1', 'open', '8.00'), ('A2', 'open', '8.00')")
        yield db

def state_of(number):
    with database() as db:
        return db.execute("SELECT state FROM orders WHERE number = ?", (number,)).fetchone()[0]
"""


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "flask.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def blocks(page):
    """(what stands behind the three backquotes, text), in the page's order."""
    return _BLOCK.findall(page)


@pytest.fixture
def shop(blocks, tmp_path):
    """The page's files in a folder: {name: text}, and the folder."""
    files = {head.partition(" ")[2]: text for head, text in blocks if head.endswith(".py")}
    (tmp_path / "shop_database.py").write_text(DATABASE.format(folder=str(tmp_path)), encoding="utf-8")
    for name, text in files.items():
        imported = "" if name in ("shop.py", "settings.py") else "from shop_database import database, state_of\n\n"
        (tmp_path / name).write_text(imported + text.replace("/srv/shop", str(tmp_path)), encoding="utf-8")
    return tmp_path


def environment(shop, checkout):
    path = os.pathsep.join([str(shop), str(checkout)])
    return dict(os.environ, PYTHONPATH=path, LC_ALL="C.UTF-8", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", FLASK_APP="shop.py")


def python(shop, checkout, code):
    """What the code prints, in the shop's folder."""
    done = subprocess.run([sys.executable, "-c", code], cwd=str(shop), env=environment(shop, checkout), timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode().split()


def test_every_block_is_known_to_these_tests(blocks):
    assert [head for head, _ in blocks] == [
        "sh install", "python shop.py", "python settings.py", "python shop_orders.py", "python", "html",
        "python several.py", "crontab", "python tasks.py", "python own_table.py", "python listening.py",
        "python test_shop.py"]


def test_the_quick_start_is_twelve_lines(blocks):
    text = dict(blocks)["python shop.py"]
    assert len([line for line in text.splitlines() if line]) <= 12


def test_the_tests_of_the_page_pass_against_the_shop_of_the_page(shop, checkout):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "alipay_mapi.testing.plugin", "-p", "no:cacheprovider", "-W",
         "error", "-W", "ignore::DeprecationWarning", "test_shop.py"], cwd=str(shop), timeout=120,
        env=environment(shop, checkout), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and b"2 passed" in done.stdout, done.stdout.decode("utf-8", "replace")


def with_keys(shop):
    """In the page's settings, a merchant whose keys are here."""
    text = (shop / "settings.py").read_text(encoding="utf-8")
    (shop / "settings.py").write_text(
        text + "ALIPAY_MAPI_MERCHANTS = {!r}\n".format({"shop": dict(MERCHANT)}), encoding="utf-8")


def test_the_lines_about_payments_work_in_the_shop(shop, checkout, blocks):
    with_keys(shop)
    (text,) = [text for head, text in blocks if head == "python"]
    said = python(shop, checkout, "from shop import alipay, app\nfrom alipay_mapi import Order\n"
                  "with app.app_context():\n    {}    print(payment.params['out_trade_no'])".format(
                      text.replace("\n", "\n    ").rstrip(" ")))
    assert said == ["A2"]


def test_the_template_line_is_a_form(blocks):
    with Desk() as desk, desk.app.test_request_context("/"):
        payment = desk.alipay.payment(Order("A1", total_fee="8.00", currency="USD"), subject="Tea")
        page = flask.render_template_string(dict(blocks)["html"], payment=payment, csp_nonce="n1")
    assert '<script nonce="n1">' in page and payment.sign in page


def test_crons_line_runs_the_fallback_of_the_shop(shop, checkout, blocks):
    with_keys(shop)
    line = dict(blocks)["crontab"].strip().replace("/srv/shop", str(shop))
    assert line.startswith(_MINUTE) and "%" not in line
    bin_folder = shop / "venv" / "bin"
    bin_folder.mkdir(parents=True)
    for name, text in (("flask", "exec {} -m flask \"$@\"".format(shlex.quote(sys.executable))),
                       ("flock", "shift 2; exec \"$@\"")):
        (bin_folder / name).write_text("#!/bin/sh\n{}\n".format(text))
        (bin_folder / name).chmod(0o755)
    settings = environment(shop, checkout)
    settings["PATH"] = str(bin_folder) + os.pathsep + settings["PATH"]
    del settings["FLASK_APP"]
    python(shop, checkout, "from tasks import make_fallback; print(make_fallback().status()['watched'])")
    done = subprocess.run(["/bin/sh", "-c", line[len(_MINUTE):]], cwd="/", env=settings, timeout=120)
    assert done.returncode == 0
    assert (shop / "fallback.log").read_text() == ""


def test_what_a_task_makes_works_without_a_context(shop, checkout):
    with_keys(shop)
    assert python(shop, checkout, "from tasks import make_fallback as make; print(make() is make(), "
                  "make().status()['watched'], make().run().ended)") == ["True", "0", "done"]


def test_the_shop_with_its_own_table_books_what_is_proved(shop):
    scope = {}
    exec(compile((shop / "shop_database.py").read_text(), "shop_database.py", "exec"), scope)
    own = dict(scope)
    text = (shop / "own_table.py").read_text(encoding="utf-8").partition("\n\n")[2]
    exec(compile(text, "own_table.py", "exec"), own)
    with Desk(STORE=None, HANDLER=None, ORDER=own["find"], NOTIFIED=own["book"]) as desk:
        assert desk.post(note(total_fee="0.01")) == (400, "fail") and scope["state_of"]("A1") == "open"
        assert desk.post(note()) == desk.post(note()) == (200, "success") and scope["state_of"]("A1") == "paid"
        assert desk.post(note("A3")) == (400, "fail")


def test_several_merchants_are_a_configuration_that_can_work(blocks, tmp_path):
    for name in ("eu", "us"):
        (tmp_path / (name + ".txt")).write_text(MERCHANT["md5_key"])
    scope = {}
    exec(dict(blocks)["python several.py"].replace("/etc/shop", str(tmp_path)), scope)
    settings = {name[len("ALIPAY_MAPI_"):]: value for name, value in scope.items() if name.startswith("ALIPAY_MAPI_")}
    with Desk(**settings) as desk:
        desk.watch()
        assert desk.post(note(), path="/alipay/notify/eu/") == (200, "success")


def test_those_who_listen_are_told(blocks, desk, caplog):
    if not hasattr(extension.trade_settled, "receivers"):
        pytest.skip("Flask without blinker")
    scope = {}
    exec(dict(blocks)["python listening.py"], scope)
    try:
        desk.watch()
        with caplog.at_level("INFO"):
            desk.app.logger.setLevel("INFO")
            desk.post(note())
            desk.post(b"junk")
    finally:
        extension.trade_settled.disconnect(scope["settled"])
        extension.notify_rejected.disconnect(scope["rejected"])
    messages = [record.getMessage() for record in caplog.records]
    assert "A1 is paid" in messages and "refused: MalformedParameter" in messages


def test_every_setting_and_signal_and_method_is_on_the_page(page):
    rows = re.findall(r"^\| `ALIPAY_MAPI_([A-Z_]+)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(NAMES + ("URL_PREFIX",))
    assert [name for name in FALLBACK_NAMES if "`{}`".format(name) not in page] == []
    signals = re.findall(r"^\| `([a-z_]+)` \| ", page, re.MULTILINE)
    assert sorted(signals) == sorted(name for name in extension.__all__ if name != "AlipayMapi")
    methods = [name for name, _ in inspect.getmembers(extension.AlipayMapi, inspect.isfunction) if name[0] != "_"]
    assert [name for name in methods if name not in page] == []


def test_the_extra_of_the_first_line_exists(blocks, checkout):
    assert dict(blocks)["sh install"].strip() == "pip install 'alipay-mapi[flask]'"
    assert re.search(r"^flask =\n +flask>=0\.12", (checkout / "setup.cfg").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_link_leads_to_a_file(page, checkout):
    for link in re.findall(r"\]\(([^)#]+)\)", page):
        assert (checkout / "docs" / link).exists(), link
