"""AMS in a real browser: our own client makes a payment, the buyer pays in the wallet or by card with 3-D Secure, and
comes back to a shop that asks AMS and believes nothing else.

Run by its name: ``python -m pytest -q tests/browser/ams_cashier_in_chromium.py``. Needs what ``cashier_in_chromium``
needs. Screenshots, wide and narrow, light and dark, are left in ``build/screenshots/``.
"""
import http.server
import json
import socketserver
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from cashier_in_chromium import COLOURS, by_id, contrast, focused, press, shoot, start_browser, until
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from shops_in_chromium import shows

from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.server import Server
from alipay_mapi.migration.ams import card, verify_notification
from alipay_mapi.migration.backends.ams_client import AmsClient

ACK = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'


class Shop(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Two addresses: AMS notifies one, buyers come back to the other, where the shop asks AMS."""

    daemon_threads = True

    def __init__(self, account):
        super().__init__(("127.0.0.1", 0), _Pages)
        self.account, self.client, self.notified = account, AmsClient(account), []
        self.url = "http://127.0.0.1:{}".format(self.server_port)

    def sends(self, number, **more):
        """A new payment: where its buyer is sent."""
        amount = {"currency": "USD", "value": "1230"}
        content = {"productCode": "CASHIER_PAYMENT", "paymentRequestId": number, "paymentAmount": amount,
                   "order": {"orderAmount": amount, "orderDescription": "Green tea, 绿茶 500 g",
                             "referenceOrderId": "ORDER-" + number},
                   "paymentMethod": {"paymentMethodType": "ALIPAY_CN"}, "paymentNotifyUrl": self.url + "/notify",
                   "paymentRedirectUrl": "{}/back?order={}".format(self.url, number)}
        content.update(more)
        made = self.client.pay({name: value for name, value in content.items() if value is not None})
        assert made.outcome.state == "pending"
        return made.answer["normalUrl"]

    def kinds(self, number):
        return [kind for found, kind in self.notified if found == number]


class _Pages(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        note = verify_notification(self.server.account, self.path, dict(self.headers.items()), body)
        number = json.loads(body.decode("utf-8")).get("paymentRequestId")   # a capture is about a paymentId
        self.server.notified.append((number, note.kind))
        self._say(ACK, "application/json")

    def do_GET(self):
        query, text = parse_qs(urlsplit(self.path).query), "favicon"
        if "order" in query:
            text = self.server.client.inquiry_payment(
                payment_request_id=query["order"][0], authorization=query["order"][0].startswith("C")).outcome.state
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
        shop = Shop(emulator.ams_account("md5"))
        thread = threading.Thread(target=shop.serve_forever, daemon=True)
        thread.start()
        yield emulator, server, shop
        shop.shutdown()
        shop.server_close()
        shop.client.close()
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


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = start_browser(tmp_path_factory.mktemp("ams"))
    yield driver
    driver.quit()


def at_shop(driver):
    """What the shop says, once the browser is back there. By a script: the page may just be changing."""
    def said():
        try:
            return driver.execute_script("var one = document.getElementById('shop'); return one && one.textContent")
        except WebDriverException:
            return None
    return until(driver, said, "back at the shop")


def choose(driver, words):
    driver.find_element(By.XPATH, "//label[contains(., '{}')]".format(words)).click()


CARD = card.hosted_page()


# --- the wallet -------------------------------------------------------------------------------------------------------

def test_paying_in_the_wallet_leads_back_to_the_shop_which_is_notified(shop, browser):
    browser.get(shop.sends("W-1"))
    shows(browser, "amount", "12.30 USD")
    assert "绿茶" in by_id(browser, "subject").text
    shoot(browser, "ams-wallet")
    by_id(browser, "pay").click()
    assert at_shop(browser) == "paid"
    until(browser, lambda: shop.kinds("W-1") == ["payment"], "the notification")


def test_the_bank_takes_its_time_and_then_says_yes(emulator, shop, browser):
    address = shop.sends("W-2")
    browser.get(address)
    by_id(browser, "pend").click()
    assert at_shop(browser) == "pending"
    browser.get(address)
    shows(browser, "payment_status", "PENDING")
    shoot(browser, "ams-wallet-pending")
    by_id(browser, "pay").click()
    assert at_shop(browser) == "paid"
    until(browser, lambda: len(shop.kinds("W-2")) == 2, "both notifications")


def test_a_refusal_leads_back_without_money(emulator, shop, browser):
    address = shop.sends("W-3")
    browser.get(address)
    Select(by_id(browser, "code")).select_by_visible_text("USER_AMOUNT_EXCEED_LIMIT")
    by_id(browser, "refuse").click()
    assert at_shop(browser) == "failed"
    browser.get(address)
    shows(browser, "result_code", "USER_AMOUNT_EXCEED_LIMIT")
    shoot(browser, "ams-wallet-refused")
    assert emulator.payment("W-3")["payment_status"] == "FAIL"


def test_a_buyer_without_money(emulator, shop, browser):
    browser.get(shop.sends("W-4"))
    choose(browser, "poor@example.com")
    by_id(browser, "pay").click()
    shows(browser, "error", "USER_BALANCE_NOT_ENOUGH")
    shoot(browser, "ams-wallet-no-money")
    assert emulator.payment("W-4")["payment_status"] == "PROCESSING"


def test_paying_later_and_a_result_without_a_way_back(emulator, shop, browser):
    browser.get(shop.sends("W-5", paymentRedirectUrl=None))
    Select(by_id(browser, "delay")).select_by_visible_text("in 1 minute")
    by_id(browser, "later").click()
    shows(browser, "plan", "pays by himself")
    shoot(browser, "ams-wallet-later")
    emulator.advance(61)
    browser.refresh()
    shows(browser, "done", "Paid at")
    shoot(browser, "ams-wallet-paid")


def test_the_main_button_has_the_focus_and_enter_pays(shop, browser):
    browser.get(shop.sends("W-6"))
    until(browser, lambda: focused(browser).get_attribute("id") == "pay", "the focus")
    press(browser, Keys.ENTER)
    assert at_shop(browser) == "paid"


# --- by card ----------------------------------------------------------------------------------------------------------

def test_a_card_pays_with_3ds(emulator, shop, browser):
    browser.get(shop.sends("C-1", **CARD))
    shows(browser, "order", "Pay by card")
    shoot(browser, "ams-card")
    assert not browser.find_elements(By.CSS_SELECTOR, "input:not([type=radio])")
    choose(browser, "4444")
    by_id(browser, "authorize").click()
    shows(browser, "order", "3-D Secure")
    assert "/ams/3ds/" in browser.current_url
    shoot(browser, "ams-3ds")
    by_id(browser, "passed").click()
    assert at_shop(browser) == "authorized"     # whether it is captured, the transactions say
    until(browser, lambda: shop.kinds("C-1") == ["payment"] and (None, "capture") in shop.notified, "notifications")
    payment = emulator.payment("C-1")
    assert payment["payment_status"] == "SUCCESS" and payment["captured"] == 1230


def test_a_card_whose_owner_fails_does_not_pay(emulator, shop, browser):
    browser.get(shop.sends("C-2", **CARD))
    choose(browser, "4444")
    by_id(browser, "authorize").click()
    shows(browser, "order", "3-D Secure")
    by_id(browser, "failed").click()
    assert at_shop(browser) == "failed"
    assert emulator.payment("C-2")["payment_status"] == "FAIL"


def test_an_authorization_is_captured_by_the_shop(emulator, server, shop, browser):
    address = shop.sends("C-3", **card.hosted_page(capture_mode="MANUAL"))
    browser.get(address)
    assert by_id(browser, "authorize").text == "Authorize 12.30 USD"
    by_id(browser, "authorize").click()
    at_shop(browser)
    browser.get(address)
    shows(browser, "done", "Authorized at")
    shoot(browser, "ams-card-authorized")
    shop.client.capture(capture_request_id="K-1", payment_id=emulator.payment("C-3")["payment_id"],
                        capture_amount={"currency": "USD", "value": "1000"})
    browser.get("{}/ams/payments/{}".format(server.url, emulator.payment("C-3")["id"]))
    assert "Captured in part" in browser.find_element(By.TAG_NAME, "main").text
    shoot(browser, "ams-payment-captured")


# --- the pages behind -------------------------------------------------------------------------------------------------

def test_the_overview_opens_payments_requests_and_notifications(emulator, server, shop, browser):
    emulator.refund("W-1", "2.30")
    emulator.place("MAPI-1")
    browser.get(server.url + "/")
    shoot(browser, "ams-overview")
    by_id(browser, "find").send_keys("W-1", Keys.ENTER)
    shows(browser, "payment", "W-1")
    shoot(browser, "ams-payment")
    browser.find_element(By.CSS_SELECTOR, "section[aria-labelledby=notifications] tbody tr:last-child a").click()
    shows(browser, "notification", "PAYMENT_RESULT")
    before = len(shop.kinds("W-1"))
    by_id(browser, "again").click()
    until(browser, lambda: len(shop.kinds("W-1")) > before, "sent again")
    browser.refresh()
    shoot(browser, "ams-notification")
    browser.get(server.url + "/ams/requests/1")
    shows(browser, "verdict", "VALID")
    shoot(browser, "ams-request")


def test_a_request_that_was_refused(emulator, server, shop, browser):
    import requests
    requests.post(server.url + "/ams/api/v1/payments/pay", data=b"{}", timeout=10, headers={
        "Content-Type": "application/json; charset=UTF-8", "client-id": shop.account.client_id,
        "request-time": "1754980200123", "Signature": "algorithm=RSA256,keyVersion=1,signature=AAAA"})
    browser.get("{}/ams/requests/{}".format(server.url, emulator.ams_requests()[-1].number))
    shows(browser, "error", "INVALID_SIGNATURE")
    shows(browser, "verdict", "INVALID")
    shoot(browser, "ams-request-refused")
    browser.get(server.url + "/ams/requests")
    shoot(browser, "ams-requests")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_a_contrast_of_four_and_a_half_to_one(emulator, server, shop, browser, scheme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme},
                     {"name": "prefers-reduced-motion", "value": "reduce"}]})
    pages = [shop.sends("X-" + scheme), shop.sends("Y-" + scheme, **CARD)]
    pages += [server.url + path for path in ("/", "/ams/payments/1", "/ams/payments/3", "/ams/cashier/3",
                                             "/ams/requests", "/ams/requests/1", "/notifications/1")]
    for address in pages:
        browser.get(address)
        found = browser.execute_script(COLOURS)
        assert len(found) > 5
        for text, back, where in found:
            assert contrast(text, back) >= 4.5, where
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_browser_had_nothing_to_complain_of(browser):
    complaints = [entry["message"] for entry in browser.get_log("browser") if "status of 409" not in entry["message"]
                  and "favicon" not in entry["message"]]
    assert complaints == []
