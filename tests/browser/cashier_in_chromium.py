"""The cashier in a real browser, by clicking and by the keyboard alone; the state is then read from the ledger.

Run by its name: ``python -m pytest -q tests/browser/cashier_in_chromium.py``. Needs selenium, Chromium and its driver
(``ALIPAY_MAPI_CHROMIUM`` and ``ALIPAY_MAPI_CHROMEDRIVER`` say where, if not in ``/usr/bin``). Screenshots of every
page, wide and narrow, light and dark, are left in ``build/screenshots/``.
"""
import http.server
import os
import socketserver
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

import alipay_mapi as mapi
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.server import Server

SHOTS = Path(__file__).resolve().parent.parent.parent / "build" / "screenshots"
CHROMIUM = os.environ.get("ALIPAY_MAPI_CHROMIUM", "/usr/bin/chromium")
CHROMEDRIVER = os.environ.get("ALIPAY_MAPI_CHROMEDRIVER", "/usr/bin/chromedriver")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")
WIDE, NARROW = (1280, 900), (390, 844)


# --- a shop, a gateway, browsers ----------------------------------------------------------------------------------

class Shop(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A shop of three addresses that uses the library's public surface: buy, notify, return."""

    daemon_threads = True

    def __init__(self, merchant):
        super().__init__(("127.0.0.1", 0), _Pages)
        self.merchant, self.notified = merchant, []
        self.url = "http://127.0.0.1:{}".format(self.server_port)

    def link(self, number, **more):
        """What the buyer clicks on."""
        given = {"total_fee": "12.30", "currency": "USD", "subject": "Green tea, 绿茶 500 g",
                 "return_url": self.url + "/return"}
        given.update(more)
        return mapi.build_request(self.merchant, "create_forex_trade", mapi.services.create_forex_trade(
            out_trade_no=number, notify_url=self.url + "/notify",
            **{name: value for name, value in given.items() if value is not None})).url


class _Pages(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        note = mapi.verify_notify(self.server.merchant, body, self.headers["Content-Type"])
        self.server.notified.append(note["out_trade_no"])
        self._say(b"success", "text/plain")

    def do_GET(self):
        query = urlsplit(self.path).query
        text = "favicon"
        if query:
            text = mapi.verify_return(self.server.merchant, query)["trade_status"]
        self._say("<!DOCTYPE html><title>Shop</title><p id='shop'>{}</p>".format(text).encode("ascii"), "text/html")

    def _say(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def place():
    with Emulator(seed=7) as emulator, Server(emulator) as server:
        shop = Shop(emulator.shop("md5"))
        thread = threading.Thread(target=shop.serve_forever, daemon=True)
        thread.start()
        yield emulator, server, shop
        shop.shutdown()
        shop.server_close()
        thread.join()


@pytest.fixture(scope="module")
def emulator(place):
    return place[0]


@pytest.fixture(scope="module")
def server(place):
    return place[1]


@pytest.fixture(scope="module")
def shop(place):
    return place[2]


def start_browser(folder):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS + ("--user-data-dir={}".format(folder), "--window-size={},{}".format(*WIDE)):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = start_browser(tmp_path_factory.mktemp("first"))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    driver = start_browser(tmp_path_factory.mktemp("second"))
    yield driver
    driver.quit()


def by_id(driver, name):
    return driver.find_element(By.ID, name)


def shoot(driver, name):
    """The whole page, wide and narrow, light and dark; nothing may be wider than the window."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for width, height in (WIDE, NARROW):
        for scheme in ("light", "dark"):
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                "features": [{"name": "prefers-color-scheme", "value": scheme},
                             {"name": "prefers-reduced-motion", "value": "reduce"}]})
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
            whole = driver.execute_script("return [document.documentElement.scrollWidth, "
                                          "document.documentElement.scrollHeight]")
            assert whole[0] <= width, "{} is {} pixels wide".format(name, whole[0])
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": max(height, whole[1]), "deviceScaleFactor": 1, "mobile": width < 500})
            driver.save_screenshot(str(SHOTS / "{}-{}-{}.png".format(
                name, "wide" if width > 500 else "narrow", scheme)))
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def until(driver, condition, what):
    return WebDriverWait(driver, 15, poll_frequency=0.1).until(lambda _: condition(), what)


def shows(driver, name, text):
    """The element with this id says ``text``, once the page is there."""
    wait = WebDriverWait(driver, 15, 0.1, [NoSuchElementException, StaleElementReferenceException])
    return wait.until(lambda _: text in by_id(driver, name).text, "{} says {}".format(name, text))


def at_shop(driver):
    return until(driver, lambda: [one.text for one in driver.find_elements(By.ID, "shop")], "back at the shop")[0]


def notified(shop, number):
    return number in shop.notified


# --- by clicking --------------------------------------------------------------------------------------------------

def test_paying_leads_back_to_the_shop_which_is_notified(emulator, shop, browser):
    browser.get(shop.link("PAY-1", body="First flush, spring harvest"))
    shows(browser, "verdict", "VALID")
    shows(browser, "presign", "total_fee=12.30")
    assert "绿茶" in by_id(browser, "subject").text
    shoot(browser, "cashier")
    by_id(browser, "pay").click()
    assert at_shop(browser) == "TRADE_FINISHED"
    assert emulator.trade("PAY-1")["trade_status"] == "TRADE_FINISHED"
    until(browser, lambda: notified(shop, "PAY-1"), "the notification")


def test_a_result_without_a_return_url(emulator, shop, browser):
    browser.get(shop.link("RESULT-1", return_url=None))
    by_id(browser, "pay").click()
    shows(browser, "trade_status", "TRADE_FINISHED")
    shows(browser, "done", "Paid at")
    shoot(browser, "result-paid")
    assert emulator.trade("RESULT-1")["trade_status"] == "TRADE_FINISHED"


def test_logging_in_and_closing(emulator, shop, browser):
    browser.get(shop.link("CLOSE-1"))
    by_id(browser, "login").click()
    shows(browser, "trade_status", "WAIT_BUYER_PAY")
    assert emulator.trade("CLOSE-1")["trade_status"] == "WAIT_BUYER_PAY"
    shoot(browser, "cashier-logged-in")
    by_id(browser, "close").click()
    shows(browser, "trade_status", "TRADE_CLOSED")
    shoot(browser, "result-closed")
    assert emulator.trade("CLOSE-1")["trade_status"] == "TRADE_CLOSED"


def test_losing_the_notification(emulator, shop, browser):
    browser.get(shop.link("LOSE-1"))
    by_id(browser, "lose").click()
    assert at_shop(browser) == "TRADE_FINISHED"
    emulator.advance(3600)
    assert emulator.trade("LOSE-1")["trade_status"] == "TRADE_FINISHED"
    assert not notified(shop, "LOSE-1")
    assert [row["state"] for row in emulator.list_notifications("LOSE-1")] == ["lost"]


def test_paying_later(emulator, shop, browser):
    browser.get(shop.link("LATER-1"))
    Select(by_id(browser, "delay")).select_by_visible_text("in 10 minutes")
    by_id(browser, "later").click()
    shows(browser, "plan", "pays by himself")
    shoot(browser, "cashier-later")
    assert emulator.trade("LATER-1")["trade_status"] == "WAIT_BUYER_PAY"
    emulator.advance(601)
    assert emulator.trade("LATER-1")["trade_status"] == "TRADE_FINISHED"
    until(browser, lambda: notified(shop, "LATER-1"), "the notification")


def test_a_second_browser_pays_by_the_qr_code(emulator, shop, browser, second):
    browser.get(shop.link("QR-1"))
    address = by_id(browser, "second").get_attribute("href")
    assert browser.find_elements(By.CSS_SELECTOR, ".qrcode svg path")
    by_id(browser, "wait").click()
    shoot(browser, "waiting")
    second.get(address)
    shoot(second, "second-browser")
    by_id(second, "pay").click()
    shows(second, "done", "Paid at")
    shoot(second, "second-browser-paid")
    assert emulator.trade("QR-1")["trade_status"] == "TRADE_FINISHED"
    assert at_shop(browser) == "TRADE_FINISHED"     # by itself


def test_a_refused_signature(emulator, shop, browser):
    address = shop.link("BAD-1")
    sign = address.split("sign=")[1][:32]
    browser.get(address.replace("total_fee=12.30", "total_fee=0.01"))
    shows(browser, "error", "ILLEGAL_SIGN")
    shows(browser, "verdict", "INVALID")
    assert sign not in browser.page_source
    assert emulator.list_trades()[0]["out_trade_no"] != "BAD-1"
    shoot(browser, "refused-unknown")


def test_a_refused_signature_whose_mistake_is_a_usual_one(emulator, shop, browser):
    # A parameter that was added after signing.
    browser.get(shop.link("BAD-2") + "&sendFormat=normal")
    shows(browser, "error", "ILLEGAL_SIGN")
    assert by_id(browser, "diagnosis").get_attribute("data-name") == "left-out:sendFormat"
    assert browser.find_elements(By.CSS_SELECTOR, "#differs ins")
    shoot(browser, "refused-sign")


def test_a_refused_value(emulator, shop, browser):
    browser.get(shop.link("BAD-3", timeout_rule="4h"))
    shows(browser, "error", "ILLEGAL_TIMEOUT_RULE")
    assert by_id(browser, "verdict").text == "VALID"
    shoot(browser, "refused-value")


def test_a_buyer_without_money(emulator, shop, browser):
    browser.get(shop.link("POOR-1"))
    browser.find_element(By.XPATH, "//label[contains(., 'poor@example.com')]").click()
    by_id(browser, "pay").click()
    shows(browser, "error", "BUYER_BALANCE_NOT_ENOUGH")
    shoot(browser, "cashier-refused")
    assert emulator.trade("POOR-1")["trade_status"] in ("NO_TRADE", "WAIT_BUYER_PAY")
    assert emulator.list_notifications("POOR-1") == []


# --- by the keyboard alone ----------------------------------------------------------------------------------------

def focused(driver):
    return driver.switch_to.active_element


def press(driver, *keys):
    webdriver.ActionChains(driver).send_keys(*keys).perform()


def tab_back(driver):
    webdriver.ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()


def test_the_main_button_has_the_focus_and_enter_pays(emulator, shop, browser):
    browser.get(shop.link("KEY-1"))
    assert focused(browser).get_attribute("id") == "pay"
    press(browser, Keys.ENTER)
    assert at_shop(browser) == "TRADE_FINISHED"
    assert emulator.trade("KEY-1")["trade_status"] == "TRADE_FINISHED"


def test_another_buyer_is_chosen_and_everything_reached_by_the_keyboard(emulator, shop, browser):
    browser.get(shop.link("KEY-2"))
    tab_back(browser)     # back to the buyers
    assert focused(browser).get_attribute("name") == "buyer"
    press(browser, Keys.ARROW_DOWN)
    order = []
    for _ in range(9):
        press(browser, Keys.TAB)
        one = focused(browser)
        order.append(one.get_attribute("id"))
        outline = browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", one)
        assert outline != "none", "no visible focus on " + one.tag_name
    assert order[:6] == ["pay", "login", "close", "lose", "later", "delay"] and "wait" in order
    shoot(browser, "keyboard-focus")
    for _ in range(len(order) - 1):
        tab_back(browser)
    assert focused(browser).get_attribute("id") == "pay"
    press(browser, Keys.SPACE)
    assert at_shop(browser) == "TRADE_FINISHED"
    assert emulator.trade("KEY-2")["buyer_email"] == "buyer2@example.com"


# --- the pages behind ---------------------------------------------------------------------------------------------

def test_the_overview_opens_orders_requests_and_notifications(emulator, server, shop, browser):
    emulator.refund("PAY-1", "2.30")
    browser.get(server.url + "/")
    shoot(browser, "overview")
    by_id(browser, "find").send_keys("PAY-1", Keys.ENTER)
    shows(browser, "order", "PAY-1")
    shoot(browser, "order")
    browser.find_element(By.CSS_SELECTOR, "section[aria-labelledby=notifications] tbody a").click()
    assert by_id(browser, "state").text
    before = shop.notified.count("PAY-1")
    by_id(browser, "again").click()
    until(browser, lambda: shop.notified.count("PAY-1") > before, "sent again")
    browser.refresh()
    shoot(browser, "notification")
    browser.get(server.url + "/requests/1")
    shows(browser, "verdict", "VALID")
    shoot(browser, "request")
    browser.get(server.url + "/nothing")
    assert "There is nothing here" in browser.page_source
    shoot(browser, "not-found")


def test_text_that_wants_to_be_a_script_is_text(emulator, server, shop, browser):
    hostile = "<script>document.title='owned'</script><img src=x>"
    browser.get(shop.link("X-1", subject=hostile))
    assert by_id(browser, "subject").text == hostile
    assert browser.title != "owned" and not browser.find_elements(By.TAG_NAME, "script")
    browser.get(server.url + "/")
    assert browser.title != "owned" and not browser.find_elements(By.TAG_NAME, "img")


def test_the_browser_had_nothing_to_complain_of(browser):
    complaints = [entry["message"] for entry in browser.get_log("browser")
                  if "status of 404" not in entry["message"] and "status of 409" not in entry["message"]]
    assert complaints == []


def contrast(one, other):
    """As the Web Content Accessibility Guidelines count it."""
    def luminance(colour):
        parts = [part / 255.0 for part in colour]
        red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    first, second = sorted([luminance(one), luminance(other)], reverse=True)
    return (first + 0.05) / (second + 0.05)


COLOURS = """
const seen = new Map();
const rgb = text => text.match(/[0-9.]+/g).map(Number);
for (const one of document.querySelectorAll('body *')) {
  if (![...one.childNodes].some(n => n.nodeType == 3 && n.data.trim()) || one.closest('svg')) continue;
  if (!one.offsetParent || one.matches('.unseen, .skip, title, option')) continue;
  let behind = one, back = [0, 0, 0, 0];
  while (behind && (back.length > 3 && back[3] == 0)) {
    back = rgb(getComputedStyle(behind).backgroundColor); behind = behind.parentElement; }
  const key = [getComputedStyle(one).color, back.join()].join(' on ');
  seen.set(key, [rgb(getComputedStyle(one).color).slice(0, 3), back.slice(0, 3),
                 one.tagName + '.' + one.className + ': ' + one.textContent.trim().slice(0, 30)]);
}
return [...seen.values()];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_a_contrast_of_four_and_a_half_to_one(server, shop, browser, scheme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme},
                     {"name": "prefers-reduced-motion", "value": "reduce"}]})
    for address in (server.url + "/", shop.link("C-" + scheme), shop.link("C-9") + "&sendFormat=normal",
                    server.url + "/trades/1", server.url + "/notifications/1", server.url + "/requests/1",
                    server.url + "/cashier/2"):
        browser.get(address)
        found = browser.execute_script(COLOURS)
        assert len(found) > 5
        for text, back, where in found:
            assert contrast(text, back) >= 4.5, where
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
