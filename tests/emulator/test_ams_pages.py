"""The pages of AMS through Werkzeug's own client: wallet, card, 3-D Secure, the lists, and what none of them shows."""
import re
from urllib.parse import urlsplit

import pytest

pytest.importorskip("werkzeug")
pytest.importorskip("jinja2")
pytest.importorskip("segno")

from werkzeug.test import Client
from werkzeug.wrappers import Response

from alipay_mapi.emulator.ams import cards
from alipay_mapi.emulator.web import App
from ams_setup import MERCHANT, NOTIFY, PLATFORM, Acknowledging, Shop, ams

BACK = "https://shop.example.com/orders/P1?lang=de"
CARD = {"paymentMethodType": "CARD"}
HOSTILE = "<script>alert(1)</script>'><img src=x onerror=alert(1)>{{ 7*7 }}"


class Setup:
    def __init__(self):
        self.address = Acknowledging()
        self.emulator = ams(self.address, base_url="http://localhost")
        self.browser = Client(App(self.emulator), Response)
        self.shop = Shop(self.emulator)

    def place(self, number="P1", **more):
        """The path that the shop's buyer is sent to."""
        got = self.shop.place(number, **more)
        assert got.code == "PAYMENT_IN_PROCESS", got.said
        return urlsplit(got.said["normalUrl"]).path

    def press(self, path, action, **more):
        return self.browser.post(path, data=dict(more, action=action))

    def row(self, number="P1"):
        return self.emulator.payment(number)

    def status(self, number="P1"):
        return self.row(number)["payment_status"]


def text_of(answer):
    return answer.get_data(as_text=True)


def by_id(answer, name):
    """The text of the element with this id."""
    found = re.search('id="{}"[^>]*>([^<]*)<'.format(name), text_of(answer))
    return found.group(1) if found else None


def goes_to(answer):
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["Location"])
    return parts.path if parts.netloc in ("", "localhost") else answer.headers["Location"]


@pytest.fixture
def setup():
    made = Setup()
    with made.emulator:
        yield made


# --- the wallet -------------------------------------------------------------------------------------------------------

def test_the_wallet_shows_the_payment_and_its_buttons(setup):
    path = setup.place(value="1230", paymentRedirectUrl=BACK)
    page = setup.browser.get(path)
    assert path == "/ams/cashier/1" and page.status_code == 200
    assert by_id(page, "amount") == "12.30 USD" and by_id(page, "subject") == "Tea"
    assert by_id(page, "payment_status") == "PROCESSING"
    assert re.findall('<button[^>]*value="([a-z]*)"', text_of(page)) == ["pay", "close", "pend", "lose", "later",
                                                                         "refuse"]


@pytest.mark.parametrize("currency, value, told", [("JPY", "1230", "1230 JPY"), ("KRW", "5", "5 KRW"),
                                                   ("EUR", "5", "0.05 EUR")])
def test_an_amount_is_written_as_people_write_it(setup, currency, value, told):
    assert by_id(setup.browser.get(setup.place(value=value, currency=currency)), "amount") == told


def test_paying_leads_back_to_the_shop_which_gets_nothing_added(setup):
    path = setup.place(paymentRedirectUrl=BACK)
    assert goes_to(setup.press(path, "pay", buyer="buyer2@example.com")) == BACK
    assert setup.status() == "SUCCESS" and setup.row()["buyer_id"].endswith("902")
    setup.emulator.deliver()
    assert [one["notifyType"] for one in setup.address.contents()] == ["PAYMENT_RESULT"]


def test_without_an_address_of_the_shop_the_page_shows_the_result(setup):
    path = setup.place()
    assert goes_to(setup.press(path, "pay")) == path
    page = setup.browser.get(path)
    assert by_id(page, "payment_status") == "SUCCESS" and by_id(page, "done").startswith("Paid at")
    assert 'value="pay"' not in text_of(page) and "Back to" not in text_of(page)


def test_a_payment_that_is_over_leads_back_by_a_button(setup):
    path = setup.place(paymentRedirectUrl=BACK)
    setup.press(path, "pay")
    assert "Back to shop.example.com" in text_of(setup.browser.get(path))
    assert goes_to(setup.press(path, "return")) == BACK


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://[::1", "//evil.example.com", "shop://back"])
def test_an_address_that_no_browser_may_follow_is_not_followed(setup, address):
    path = setup.place()
    row = setup.row()
    setup.emulator.ledger.change("ams_payments", row, content=dict(row["content"], paymentRedirectUrl=address))
    assert goes_to(setup.press(path, "pay")) == path
    assert "evil" not in by_id(setup.browser.get(path), "done")
    assert 'value="return"' not in text_of(setup.browser.get(path))


@pytest.mark.parametrize("action, form, state, code", [
    ("close", {}, "FAIL", "ORDER_IS_CLOSED"), ("refuse", {"code": "RISK_REJECT"}, "FAIL", "RISK_REJECT"),
    ("refuse", {"code": "USER_AMOUNT_EXCEED_LIMIT"}, "FAIL", "USER_AMOUNT_EXCEED_LIMIT")])
def test_what_ends_without_money_leads_back_as_well(setup, action, form, state, code):
    path = setup.place(paymentRedirectUrl=BACK)
    assert goes_to(setup.press(path, action, **form)) == BACK
    assert (setup.status(), setup.row()["result_code"]) == (state, code)
    page = setup.browser.get(path)
    assert by_id(page, "result_code") == code and "Nothing was paid." in text_of(page)


def test_the_bank_takes_its_time_and_then_says_yes(setup):
    path = setup.place(paymentRedirectUrl=BACK)
    assert goes_to(setup.press(path, "pend")) == BACK
    page = setup.browser.get(path)
    assert setup.status() == "PENDING" and "The bank says yes" in text_of(page) and 'value="pend"' not in text_of(page)
    setup.press(path, "pay")
    setup.emulator.deliver()
    assert [one["notifyType"] for one in setup.address.contents()] == ["PAYMENT_PENDING", "PAYMENT_RESULT"]


def test_pay_but_lose_the_notification(setup):
    path = setup.place(paymentRedirectUrl=BACK)
    assert goes_to(setup.press(path, "lose")) == BACK
    setup.emulator.deliver()
    assert setup.status() == "SUCCESS" and setup.address.got == []
    assert "Its notification was lost" in text_of(setup.browser.get(path))


def test_pay_later_pays_by_itself_at_that_time(setup):
    path = setup.place(paymentRedirectUrl=BACK)
    assert goes_to(setup.press(path, "later", delay="60")) == path
    assert by_id(setup.browser.get(path), "plan").startswith("The buyer has gone")
    setup.emulator.advance(60)
    assert setup.status() == "SUCCESS"


def test_a_plan_that_comes_too_late_is_not_promised(setup):
    path = setup.place()
    setup.press(path, "later", delay="3600")
    assert by_id(setup.browser.get(path), "plan") is None
    setup.emulator.advance(3600)
    assert setup.status() == "FAIL"


def test_a_buyer_who_cannot_pay_is_told_so_and_stays_chosen(setup):
    answer = setup.press(setup.place(paymentRedirectUrl=BACK), "pay", buyer="2088000000000903")
    assert answer.status_code == 409 and by_id(answer, "error") == "USER_BALANCE_NOT_ENOUGH"
    assert 'value="2088000000000903" checked' in text_of(answer) and setup.status() == "PROCESSING"


def test_paying_twice_is_refused_and_the_state_shown(setup):
    path = setup.place()
    setup.press(path, "pay")
    answer = setup.press(path, "pay")
    assert answer.status_code == 409 and by_id(answer, "error") == "ORDER_STATUS_INVALID"
    assert by_id(answer, "payment_status") == "SUCCESS"


@pytest.mark.parametrize("form", [{}, {"action": "steal"}, {"action": "later", "delay": "7"}, {"action": "later"},
                                  {"action": "refuse", "code": "SUCCESS"}, {"action": "refuse"},
                                  {"action": "pay", "buyer": "nobody"}, {"action": "authorize", "card": "1111"},
                                  {"action": "passed"}])
def test_a_form_that_is_none_of_ours_changes_nothing(setup, form):
    answer = setup.browser.post(setup.place(), data=form)
    assert answer.status_code == 400 and setup.status() == "PROCESSING"
    assert 'role="alert"' in text_of(answer)


def test_a_code_in_a_store_leads_to_the_wallet(setup):
    got = setup.shop.place(productCode="IN_STORE_PAYMENT", paymentFactor={"inStorePaymentScenario": "OrderCode"})
    path = urlsplit(got.said["orderCodeForm"]["codeDetails"][0]["codeValue"]).path
    assert "Your wallet" in text_of(setup.browser.get(path))
    setup.press(path, "pay")
    assert setup.status() == "SUCCESS"


def test_a_code_that_is_confirmed_on_the_phone_knows_its_buyer(setup):
    setup.shop.place(productCode="IN_STORE_PAYMENT", paymentFactor={"inStorePaymentScenario": "PaymentCode"},
                     paymentMethod={"paymentMethodType": "ALIPAY_CN",
                                    "paymentMethodId": setup.emulator.payment_code("buyer2@example.com", "asks")})
    page = text_of(setup.browser.get("/ams/cashier/1"))
    assert "Logged in as <strong>buyer2@example.com</strong>" in page and 'type="radio"' not in page
    setup.press("/ams/cashier/1", "pay")
    assert setup.status() == "SUCCESS" and setup.row()["buyer_id"].endswith("902")


# --- cards ------------------------------------------------------------------------------------------------------------

def test_the_card_page_offers_the_test_cards_and_takes_no_other(setup):
    path = setup.place(paymentMethod=CARD)
    page = setup.browser.get(path)
    assert path == "/ams/card/1" and "Pay by card" in text_of(page)
    offered = re.findall('name="card" value="([0-9]{4})"', text_of(page))
    assert offered == [card.number[-4:] for card in cards.CARDS]
    assert "<input" not in re.sub('<input type="radio"[^>]*>', "", text_of(page))
    answer = setup.press(path, "authorize", card="4242424242424242")
    assert answer.status_code == 400 and setup.status() == "PROCESSING" and "4242424242424242" not in text_of(answer)


def test_a_card_that_pays_at_once_leads_back(setup):
    path = setup.place(paymentMethod=CARD, paymentRedirectUrl=BACK)
    assert goes_to(setup.press(path, "authorize", card="1111")) == BACK
    assert setup.status() == "SUCCESS"
    assert "VISA ending in 1111" in text_of(setup.browser.get(path))


@pytest.mark.parametrize("card, code", [("9995", "USER_BALANCE_NOT_ENOUGH"), ("0002", "RISK_REJECT")])
def test_a_card_that_is_refused_leads_back_too(setup, card, code):
    path = setup.place(paymentMethod=CARD, paymentRedirectUrl=BACK)
    assert goes_to(setup.press(path, "authorize", card=card)) == BACK
    assert (setup.status(), setup.row()["result_code"]) == ("FAIL", code)


@pytest.mark.parametrize("card, answer, state", [("4444", "passed", "SUCCESS"), ("4444", "failed", "FAIL"),
                                                 ("5100", "passed", "FAIL"), ("4444", "lose", "SUCCESS")])
def test_a_card_that_asks_goes_by_3ds(setup, card, answer, state):
    path = setup.place(paymentMethod=CARD, paymentRedirectUrl=BACK)
    asked = goes_to(setup.press(path, "authorize", card=card))
    assert asked == "/ams/3ds/1"
    page = text_of(setup.browser.get(asked))
    assert "MASTERCARD ending in " + card in page and "3-D Secure" in page
    assert goes_to(setup.browser.get(path)) == asked == goes_to(setup.browser.get("/ams/cashier/1"))
    assert goes_to(setup.press(asked, answer)) == BACK
    assert setup.status() == state
    setup.emulator.deliver()
    assert len(setup.address.got) == (answer != "lose")


def test_the_first_card_pays_and_the_notification_is_lost(setup):
    path = setup.place(paymentMethod=CARD, paymentRedirectUrl=BACK)
    assert goes_to(setup.press(path, "lose")) == BACK
    setup.emulator.deliver()
    assert setup.status() == "SUCCESS" and setup.address.got == [] and setup.row()["card"].endswith("1111")


def test_an_authorization_is_no_payment_and_says_until_when(setup):
    path = setup.place(paymentMethod=CARD, paymentFactor={"isAuthorization": "true", "captureMode": "MANUAL"})
    assert "Authorize 10.00 USD" in text_of(setup.browser.get(path))
    setup.press(path, "authorize", card="1111")
    page = text_of(setup.browser.get(path))
    assert "Authorized at" in page and "The shop captures it before" in page and ">Authorized<" in page
    payment_id = setup.row()["payment_id"]
    setup.shop.capture(captureRequestId="K1", paymentId=payment_id, captureAmount={"currency": "USD", "value": "400"})
    page = text_of(setup.browser.get("/ams/payments/1"))
    assert "Captured in part" in page and "4.00 USD" in page and "K1" in page


@pytest.mark.parametrize("path, action", [("/ams/3ds/1", "passed"), ("/ams/cashier/1", "pend")])
def test_a_button_of_another_page_is_refused_by_the_rules_of_ams(setup, path, action):
    setup.place(paymentMethod=CARD)
    assert goes_to(setup.browser.get(path)) == "/ams/card/1"
    before = setup.row()
    answer = setup.press(path, action)
    assert answer.status_code in (400, 409) or setup.row() != before
    assert setup.status() in ("PROCESSING", "PENDING")


# --- the lists --------------------------------------------------------------------------------------------------------

def everything(setup):
    """Paths of every kind of page, after one of everything has happened."""
    path = setup.place(paymentRedirectUrl=BACK)
    setup.press(path, "pay")
    setup.emulator.deliver()
    setup.emulator.refund("P1", "1.00")
    card = setup.place("C1", paymentMethod=CARD)
    setup.press(card, "authorize", card="4444")
    setup.place("P3")
    setup.press(setup.place("P4"), "refuse", code="RISK_REJECT")
    setup.shop.send("payments/pay", body=b"{}", signed=False)
    setup.shop.send("payments/pay", setup.shop.order("X"), client_id="nobody")
    setup.place("C2", paymentMethod=CARD)
    return ["/", "/ams/payments", "/ams/requests", "/ams/payments/1", "/ams/payments/2", "/ams/payments/4",
            "/ams/requests/1", "/ams/requests/5", "/ams/requests/6", "/notifications", "/notifications/1",
            "/ams/cashier/1", "/ams/3ds/2", "/ams/cashier/3", "/ams/cashier/4", "/ams/card/5"]


def test_the_overview_lists_and_links_everything(setup):
    paths = everything(setup)
    page = text_of(setup.browser.get("/"))
    for path in ("/ams/payments/1", "/ams/requests/1", "/notifications/1", "/ams/cashier/3"):
        assert 'href="{}"'.format(path) in page
    assert "5Y88000000000101" in page and "PAYMENT_RESULT" in page
    for path in paths:
        assert setup.browser.get(path).status_code == 200, path


def test_a_shop_that_does_not_use_ams_sees_nothing_of_it(setup):
    setup.emulator.place("A1")
    page = text_of(setup.browser.get("/"))
    assert "AMS payments" not in page and "AMS requests" not in page


def test_a_payment_is_found_by_either_number(setup):
    setup.place("P.1_2")
    for wanted in ("P.1_2", setup.row("P.1_2")["payment_id"]):
        assert goes_to(setup.browser.get("/", query_string={"find": wanted})) == "/ams/payments/1"


def test_many_payments_come_in_pages(setup):
    for number in range(103):
        setup.emulator.place_payment("B{}".format(number))
    first, second = [re.findall(">(B[0-9]+)</a>", text_of(setup.browser.get("/ams/payments?page={}".format(n))))
                     for n in (1, 2)]
    assert len(first) == 100 and second == ["B2", "B1", "B0"]
    assert "All AMS payments" in text_of(setup.browser.get("/"))
    for page in ("0", "-3", "x", "9" * 40):
        assert setup.browser.get("/ams/requests?page=" + page).status_code == 200


def test_a_payment_shows_its_history_and_what_belongs_to_it(setup):
    everything(setup)
    page = text_of(setup.browser.get("/ams/payments/1"))
    for words in ("The shop&#39;s pay call", "Paid", "Refund of 1.00 USD: SUCCESS", "acknowledged", "REFUND_RESULT",
                  '"paymentRequestId": "P1"'.replace('"', "&#34;"), "/ams/requests/1"):
        assert words in page, words
    assert "Failed: RISK_REJECT" in text_of(setup.browser.get("/ams/payments/4"))


def test_a_request_says_what_was_signed_and_why_it_was_refused(setup):
    everything(setup)
    page = setup.browser.get("/ams/requests/1")
    assert by_id(page, "verdict") == "VALID" and by_id(page, "code") == "PAYMENT_IN_PROCESS"
    assert by_id(page, "signed").startswith(
        "POST /ams/api/v1/payments/pay\n5Y88000000000101.1754980200123.(the body: ")
    assert by_id(setup.browser.get("/ams/requests/5"), "error") == "PARAM_ILLEGAL"
    stranger = setup.browser.get("/ams/requests/6")
    assert by_id(stranger, "verdict") == "NOT CHECKED" and by_id(stranger, "error") == "INVALID_CLIENT"
    setup.shop.place("P8", request_time="1754980200124")
    setup.shop.send("payments/pay", setup.shop.order("P8"), request_time="1754980200124")
    forged = setup.browser.get("/ams/requests/{}".format(len(setup.emulator.ams_requests())))
    assert by_id(forged, "verdict") == "INVALID" and by_id(forged, "error") == "INVALID_SIGNATURE"


def test_a_fault_is_told_beside_what_was_meant(setup):
    setup.emulator.fail("answer-unsigned", service="payments/pay")
    setup.shop.send("payments/pay", setup.shop.order(), signed=False)
    page = text_of(setup.browser.get("/ams/requests/1"))
    assert "the fault answer-unsigned came between" in page


def test_a_notification_shows_its_members_and_is_sent_again(setup):
    everything(setup)
    page = setup.browser.get("/notifications/1")
    assert by_id(page, "state") == "acknowledged" and 'href="/ams/payments/1"' in text_of(page)
    assert "paymentAmount" in text_of(page) and "5Y88000000000101" in text_of(page)
    before = len(setup.address.got)
    assert setup.browser.post("/notifications/1").status_code == 303
    setup.emulator.deliver()
    assert setup.address.got[0].notify_id in [one.notify_id for one in setup.address.got[before:]]


def test_a_registrations_notification_is_about_no_payment(setup):
    setup.shop.registration(registrationRequestId="G1", productCodes=["CASHIER_PAYMENT"], registrationNotifyURL=NOTIFY,
                            merchantInfo={"referenceMerchantId": "M1", "merchantDisplayName": "Tea shop",
                                          "merchantMCC": "5499", "registrationDetail": {
                                              "legalName": "Tea Ltd", "registrationNo": "1", "businessType":
                                              "ENTERPRISE", "registrationType": "ENTERPRISE_REGISTRATION_NO"}})
    setup.emulator.advance(60)
    page = text_of(setup.browser.get("/notifications/1"))
    assert "REGISTRATION_STATUS" in page and "G1" in page and 'href="/ams/payments' not in page


# --- what no page does ------------------------------------------------------------------------------------------------

def test_no_page_but_the_card_page_has_a_cards_number_and_none_a_token(setup):
    paths = everything(setup)
    setup.emulator.ams_settings("md5", pci=True)
    setup.shop.place("R1", paymentMethod=dict(CARD, paymentMethodMetaData={
        "cardNo": "4111111111111111", "expiryYear": "2031", "expiryMonth": "11", "cvv": "987"}))
    token = setup.emulator.store_card("1111")
    setup.shop.place("R2", paymentMethod=dict(CARD, paymentMethodId=token))
    code = setup.emulator.payment_code()
    setup.shop.place("R3", productCode="IN_STORE_PAYMENT", paymentFactor={"inStorePaymentScenario": "PaymentCode"},
                     paymentMethod={"paymentMethodType": "ALIPAY_CN", "paymentMethodId": code})
    assert setup.status("R1") == setup.status("R2") == setup.status("R3") == "SUCCESS"
    setup.emulator.deliver()
    more = ["/ams/payments/{}".format(setup.row(number)["id"]) for number in ("R1", "R2", "R3")]
    more += ["/ams/requests/{}".format(one.number) for one in setup.emulator.ams_requests()[-3:]]
    more += ["/notifications/{}".format(one["id"]) for one in setup.emulator.list_notifications()]
    secret = [card.number for card in cards.CARDS] + [token, code, "2031"]
    secret += ["".join(key.split("-----")[2].split())[:40] for key in MERCHANT + PLATFORM]
    for path in paths + more:
        page = re.sub("[ \n]", "", text_of(setup.browser.get(path)))
        found = [one for one in secret if one in page and not (path.startswith("/ams/card/") and one.isdigit())]
        assert found == [], path


def test_text_from_outside_is_escaped_on_every_page(setup):
    amount = {"currency": "USD", "value": "1000"}
    path = setup.place(HOSTILE[:60], order={"orderAmount": amount, "orderDescription": HOSTILE,
                                            "referenceOrderId": HOSTILE[:60]}, paymentRedirectUrl="https://x.test/<b>")
    setup.press(path, "pay")
    setup.emulator.deliver()
    setup.shop.send("payments/pay", setup.shop.order(), target="/ams/api/v1/" + HOSTILE, signed=False)
    card = setup.place("C1", paymentMethod=CARD, order={"orderAmount": amount, "orderDescription": HOSTILE,
                                                        "referenceOrderId": "1"})
    pages = ["/", path, card, "/ams/payments", "/ams/payments/1", "/ams/requests", "/ams/requests/1", "/ams/requests/2",
             "/notifications/1"]
    for one in pages:
        page = text_of(setup.browser.get(one))
        assert "<script" not in page and "<img" not in page and "<b>" not in page, one
        assert ("&lt;script&gt;" in page) or one == "/ams/requests", one


def test_every_page_is_whole_and_forbids_what_it_does_not_need(setup):
    for path in everything(setup):
        answer = setup.browser.get(path)
        page = text_of(answer)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert answer.headers["X-Frame-Options"] == "DENY" and "Set-Cookie" not in answer.headers
        assert page.lstrip().startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
        assert re.findall('<link rel="stylesheet" href="([^"]*)"', page) == ["/static/style.css"]
        assert " style=" not in page and "<script" not in page and not re.search('src="http', page)
        ids = re.findall(' id="([^"]*)"', page)
        assert len(ids) == len(set(ids)), path
        labelled = re.findall('(?:aria-labelledby|for)="([^"]*)"', page)
        assert set(labelled) <= set(ids), path


def test_the_main_button_has_the_focus(setup):
    for path in (setup.place(), setup.place("C1", paymentMethod=CARD)):
        main = re.findall('<button class="main"[^>]*>', text_of(setup.browser.get(path)))
        assert len(main) == 1 and "autofocus" in main[0]
