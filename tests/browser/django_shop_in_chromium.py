"""``examples/django_shop`` end to end: a real browser, a real emulator, ``manage.py runserver``, and cron's command.

Run by its name: ``python -m pytest -q tests/browser/django_shop_in_chromium.py``. Needs Django, selenium, Chromium and
its driver, see ``cashier_in_chromium``.
"""
import sqlite3
from contextlib import closing

import pytest
from cashier_in_chromium import SHOTS
from selenium.webdriver.common.by import By
from shops_in_chromium import (CHECKOUT, PAID, Buyer, Emulation, Program, by_id, command, free_port, shoot, shows,
                               start_browser)

MANAGE = str(CHECKOUT / "examples" / "django_shop" / "manage.py")


@pytest.fixture(scope="module")
def emulation(tmp_path_factory):
    one = Emulation(tmp_path_factory.mktemp("emulator"))
    yield one
    one.end()


class Shop:
    """The example under Django's own server. ``folder``: where it writes."""

    def __init__(self, emulation, folder):
        port = free_port()
        self.url, self.folder = "http://127.0.0.1:{}".format(port), folder
        self.environment = {"SHOP_INI": emulation.ini, "SHOP_URL": self.url, "SHOP_FOLDER": str(folder),
                            "DJANGO_SUPERUSER_PASSWORD": "test-only"}
        self.manage("migrate", "--verbosity", "0")
        self.program = Program([MANAGE, "runserver", "--noreload", str(port)], folder, folder / "shop.log",
                               **self.environment)
        assert self.program.answers(self.url + "/") == 200

    def manage(self, *arguments):
        """A command of manage.py → what it said."""
        code, said = command((MANAGE,) + arguments, self.folder, **self.environment)
        assert code == 0, said
        return said

    def state(self, number):
        return self.one("SELECT state FROM shop_order WHERE number = ?", number)

    def outcome(self, number):
        """What the fallback's store knows."""
        return self.one("SELECT outcome FROM alipay_mapi_orders WHERE out_trade_no = ?", number)

    def one(self, query, *values):
        with closing(sqlite3.connect(str(self.folder / "shop.db"))) as db:
            return db.execute(query, values).fetchone()[0]


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
    buyer = Buyer(browser, shop.url, "django-shop")
    number = buyer.orders()
    assert shop.state(number) == "new"
    emulation.late(8)
    buyer.goes_to_alipay()
    buyer.pays()
    assert shop.state(number) == "checking" and shop.outcome(number) == "open"
    buyer.sees_paid()
    assert (shop.state(number), shop.outcome(number)) == ("paid", "paid")
    assert emulation.notifications(number) == ["acknowledged"]
    assert buyer.complaints() == []


def test_a_notification_that_is_lost_is_made_good_by_the_fallback(emulation, shop, browser):
    buyer = Buyer(browser, shop.url, "django-shop")
    number = buyer.orders()
    buyer.goes_to_alipay()
    buyer.pays("lose")
    assert shop.state(number) == "checking" and emulation.notifications(number) == ["lost"]
    said = shop.manage("alipay_mapi", "fallback", "run", "--deadline", "50s")
    assert "1 paid" in said, said
    buyer.sees_paid()
    assert shop.state(number) == "paid"
    assert "asked 0;" in shop.manage("alipay_mapi", "fallback", "run", "--deadline", "50s")


def test_a_return_that_somebody_made_up_proves_nothing(shop, browser):
    buyer = Buyer(browser, shop.url, "django-shop")
    number = buyer.orders()
    browser.get(shop.url + "/alipay/return/?out_trade_no={}&trade_status=TRADE_FINISHED&sign=0&sign_type=MD5".format(
        number))
    assert browser.find_elements(By.CSS_SELECTOR, "[lang^=zh]")
    shoot(browser, "django-shop-not-believed")
    browser.get(shop.url + "/orders/{}/".format(number))
    shows(browser, "state", "Not paid yet")
    assert PAID not in by_id(browser, "state").text and shop.state(number) == "new"


def test_the_admin_shows_what_alipay_has_said(emulation, shop, browser):
    shop.manage("createsuperuser", "--noinput", "--username", "boss", "--email", "boss@example.com")
    browser.get(shop.url + "/admin/alipay_mapi_store/trade/")
    by_id(browser, "id_username").send_keys("boss")
    by_id(browser, "id_password").send_keys("test-only")
    browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    shows(browser, "result_list", "paid")
    shoot(browser, "django-shop-admin")
    browser.get(shop.url + "/admin/alipay_mapi_store/evidence/")
    shows(browser, "result_list", "accepted")
    browser.find_element(By.CSS_SELECTOR, "#result_list tbody a").click()
    shows(browser, "content", "TRADE_FINISHED")
    assert "buyer@example.com" not in browser.page_source
    browser.save_screenshot(str(SHOTS / "django-shop-evidence-1280.png"))   # narrower, Django's own pages overflow


def test_the_servers_log_holds_no_key(emulation, shop):
    with open(emulation.ini) as file:
        keys = [line.split("=", 1)[1].strip() for line in file if line.startswith(("md5_key", "private_key"))]
    assert len(keys) >= 2
    assert not any(key in shop.program.said() for key in keys)
