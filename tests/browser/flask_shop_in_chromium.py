"""``examples/flask_shop`` end to end: a real browser, a real emulator, a real server, and cron's command.

Run by its name: ``python -m pytest -q tests/browser/flask_shop_in_chromium.py``. Needs Flask, selenium, Chromium and
its driver, see ``cashier_in_chromium``.
"""
import sqlite3
from contextlib import closing

import pytest
from shops_in_chromium import (CHECKOUT, PAID, Buyer, Emulation, Program, by_id, command, free_port, shoot, shows,
                               start_browser)

SHOP = CHECKOUT / "examples" / "flask_shop"


@pytest.fixture(scope="module")
def emulation(tmp_path_factory):
    one = Emulation(tmp_path_factory.mktemp("emulator"))
    yield one
    one.end()


class Shop:
    """The example under Flask's own server. ``folder``: where it writes."""

    def __init__(self, emulation, folder):
        port = free_port()
        self.url, self.folder = "http://127.0.0.1:{}".format(port), folder
        self.environment = {"FLASK_APP": str(SHOP / "shop.py"), "SHOP_INI": emulation.ini, "SHOP_URL": self.url,
                            "SHOP_FOLDER": str(folder)}
        self.program = Program(["-m", "flask", "run", "--port", str(port)], folder, folder / "shop.log",
                               **self.environment)
        assert self.program.answers(self.url + "/") == 200

    def runs_the_fallback(self):
        """What cron does → (exit code, what it said)."""
        return command(["-m", "flask", "alipay-mapi", "fallback", "run", "--deadline", "50s"], self.folder,
                       **self.environment)

    def state(self, number):
        with closing(sqlite3.connect(str(self.folder / "shop.db"))) as db:
            return db.execute("SELECT state FROM orders WHERE number = ?", (number,)).fetchone()[0]

    def settled(self):
        with closing(sqlite3.connect(str(self.folder / "shop.db"))) as db:
            return db.execute("SELECT count(*) FROM settled").fetchone()[0]


@pytest.fixture(scope="module")
def shop(emulation, tmp_path_factory):
    one = Shop(emulation, tmp_path_factory.mktemp("shop"))
    yield one
    one.program.end()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = start_browser(tmp_path_factory.mktemp("browser"))
    yield driver
    driver.quit()


def test_an_order_is_being_checked_until_the_notification_proves_it(emulation, shop, browser):
    buyer = Buyer(browser, shop.url, "flask-shop")
    number = buyer.orders()
    assert shop.state(number) == "new"
    emulation.late(8)
    buyer.goes_to_alipay()
    buyer.pays()
    assert shop.state(number) == "checking"
    buyer.sees_paid()
    assert shop.state(number) == "paid" and emulation.notifications(number) == ["acknowledged"]
    assert buyer.complaints() == []


def test_a_notification_that_is_lost_is_made_good_by_the_fallback(emulation, shop, browser):
    before = shop.settled()
    buyer = Buyer(browser, shop.url, "flask-shop")
    number = buyer.orders()
    buyer.goes_to_alipay()
    buyer.pays("lose")
    assert shop.state(number) == "checking" and emulation.notifications(number) == ["lost"]
    code, said = shop.runs_the_fallback()
    assert code == 0 and "1 paid" in said, said
    buyer.sees_paid()
    assert shop.runs_the_fallback()[0] == 0
    assert shop.settled() == before + 1


def test_a_return_that_somebody_made_up_proves_nothing(shop, browser):
    buyer = Buyer(browser, shop.url, "flask-shop")
    number = buyer.orders()
    browser.get(shop.url + "/alipay/return/?out_trade_no={}&trade_status=TRADE_FINISHED&sign=0&sign_type=MD5".format(
        number))
    assert by_id(browser, "chinese").get_attribute("lang") == "zh"
    shoot(browser, "flask-shop-not-believed")
    browser.get(shop.url + "/orders/{}/".format(number))
    shows(browser, "state", "Not paid yet")
    assert PAID not in by_id(browser, "state").text and shop.state(number) == "new"


def test_the_servers_log_holds_no_key(emulation, shop):
    with open(emulation.ini) as file:
        keys = [line.split("=", 1)[1].strip() for line in file if line.startswith(("md5_key", "private_key"))]
    assert len(keys) >= 2
    assert not any(key in shop.program.said() for key in keys)
