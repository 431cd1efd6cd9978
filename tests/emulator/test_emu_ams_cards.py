"""Cards: the hosted page, tokens, raw numbers, 3-D Secure; authorizations and their captures."""
import pytest

from alipay_mapi.emulator.ams.cards import CARDS
from alipay_mapi.emulator.refused import Refused
from alipay_mapi.errors import InvalidRequest
from ams_setup import SANDBOX, Shop, ams, iso, result

AUTHORIZE, MANUAL = {"isAuthorization": "true"}, {"isAuthorization": "true", "captureMode": "MANUAL"}
PAYS, ASKS, POOR, RISKY, FRAUD = [card.number for card in CARDS]
CARD = {"paymentMethodType": "CARD"}


@pytest.fixture
def shop():
    with ams() as emulator:
        yield Shop(emulator)


def by_card(shop, number="P1", token=None, raw=None, factor=AUTHORIZE, value="1000"):
    method = dict(CARD)
    if token is not None:
        method["paymentMethodId"] = token
    if raw is not None:
        method["paymentMethodMetaData"] = raw
    return shop.place(number, value, paymentMethod=method, paymentFactor=factor)


def capture(shop, value="1000", number="C1", payment="P1", currency="USD", **more):
    return shop.capture(captureRequestId=number, paymentId=shop.emulator.payment(payment)["payment_id"],
                        captureAmount={"currency": currency, "value": value}, **more)


def moves(shop, payment="P1"):
    return [(one["transactionType"], one["transactionStatus"], one["transactionAmount"]["value"])
            for one in shop.inquiryPayment(paymentRequestId=payment).said.get("transactions", ())]


# --- how a card comes -------------------------------------------------------------------------------------------------

def test_a_card_without_a_token_is_entered_at_the_hosted_page(shop):
    got = by_card(shop)
    assert result(got) == ("U", "PAYMENT_IN_PROCESS")
    assert got.said["normalUrl"] == "https://mapi.emulator.test/ams/card/1"
    row = shop.emulator.authorize("P1", PAYS)
    assert row["payment_status"] == "SUCCESS" and row["page"] == ""
    said = shop.inquiryPayment(paymentRequestId="P1").said
    assert said["cardInfo"]["cardNo"] == "*" * 12 + "1111" and said["cardInfo"]["cardBrand"] == "VISA"
    assert said["authExpiryTime"] == iso(days=7) and said["cardInfo"] == said["paymentResultInfo"]


def test_the_token_of_a_paid_card_pays_the_next_time_without_a_page(shop):
    by_card(shop)
    assert "cardInfo" not in shop.inquiryPayment(paymentRequestId="P1").said
    shop.emulator.authorize("P1")
    token = shop.inquiryPayment(paymentRequestId="P1").said["cardInfo"]["cardToken"]
    got = by_card(shop, "P2", token)
    assert result(got) == ("S", "SUCCESS") and got.said["authExpiryTime"] and "normalUrl" not in got.said
    assert shop.emulator.store_card(PAYS) == token != shop.emulator.store_card(PAYS, sandbox=True)
    assert by_card(Shop(shop.emulator, SANDBOX), "P3", token).code == "PARAM_ILLEGAL"    # of another client
    assert by_card(shop, "P3", token[:-1]).code == "PARAM_ILLEGAL"


@pytest.mark.parametrize("card, code", [(PAYS, "SUCCESS"), (POOR, "USER_BALANCE_NOT_ENOUGH"), (RISKY, "RISK_REJECT")])
def test_a_stored_card_is_decided_at_once(shop, card, code):
    got = by_card(shop, token=shop.emulator.store_card(card))
    assert got.code == code and "cardToken" not in got.said["paymentResultInfo"] or code == "SUCCESS"
    assert shop.status() == ("SUCCESS" if code == "SUCCESS" else "FAIL")
    assert by_card(shop, token=shop.emulator.store_card(card)).code == code


@pytest.mark.parametrize("card, passed, status, code", [
    (ASKS, True, "SUCCESS", "SUCCESS"), (ASKS, False, "FAIL", "PROCESS_FAIL"), (FRAUD, True, "FAIL", "FRAUD_REJECT")])
def test_three_d_secure_sends_the_buyer_to_his_bank(shop, card, passed, status, code):
    got = by_card(shop, token=shop.emulator.store_card(card))
    assert result(got) == ("U", "PAYMENT_IN_PROCESS")
    assert got.said["normalUrl"] == "https://mapi.emulator.test/ams/3ds/1"
    with pytest.raises(Refused):
        shop.emulator.authorize("P1", PAYS)     # a card is given already
    assert shop.emulator.challenge("P1", passed)["payment_status"] == status
    assert shop.inquiryPayment(paymentRequestId="P1").said["paymentResultCode"] == code
    with pytest.raises(Refused):
        shop.emulator.challenge("P1", passed)


def test_the_hosted_page_leads_to_the_bank_too_and_its_address_follows(shop):
    by_card(shop)
    assert shop.emulator.authorize("P1", ASKS)["page"] == "3ds"
    assert by_card(shop).said["normalUrl"].endswith("/ams/3ds/1") and shop.status() == "PROCESSING"
    assert shop.emulator.pay("P1")["payment_status"] == "SUCCESS"
    by_card(shop, "P2")
    with pytest.raises(Refused):
        shop.emulator.challenge("P2")
    by_card(shop, "P3", shop.emulator.store_card(FRAUD))
    assert shop.emulator.pay("P3")["result_code"] == "FRAUD_REJECT"     # the bank decides, not the buyer
    assert shop.emulator.pay("P2")["card"] == PAYS


def test_nobody_at_the_bank_s_page_is_a_failure_after_14_minutes(shop):
    by_card(shop, token=shop.emulator.store_card(ASKS))
    shop.emulator.advance(14 * 60)
    assert shop.inquiryPayment(paymentRequestId="P1").said["paymentResultCode"] == "ORDER_IS_CLOSED"


@pytest.mark.parametrize("raw, code", [
    (dict(cardNo=PAYS, expiryYear="30", expiryMonth="12", cvv="123"), "SUCCESS"),
    (dict(cardNo=PAYS, expiry="1230", cvv="1234"), "SUCCESS"), (dict(cardNo=PAYS, expiry="12/30"), "SUCCESS"),
    (dict(cardNo=PAYS, expiryYear="2026", expiryMonth="3", cvv="123"), "SUCCESS"),
    (dict(cardNo=PAYS, expiryYear="2026", expiryMonth="02"), "PARAM_ILLEGAL"),
    (dict(cardNo=PAYS, expiryYear="30", expiryMonth="13"), "PARAM_ILLEGAL"),
    (dict(cardNo=PAYS, expiryYear="30", expiryMonth="12", cvv="12"), "PARAM_ILLEGAL"),
    (dict(cardNo=PAYS), "PARAM_ILLEGAL"), (dict(cardNo=PAYS[:-1] + "2", expiry="1230"), "PARAM_ILLEGAL"),
    (dict(cardNo=ASKS, expiry="1230"), "PAYMENT_IN_PROCESS"), (dict(cardNo=POOR, expiry="1230"),
                                                              "USER_BALANCE_NOT_ENOUGH")])
def test_raw_numbers_are_for_merchants_who_may_hold_them_and_are_kept_nowhere(shop, raw, code):
    assert by_card(shop, raw=raw).code == "ACCESS_DENIED"
    shop.emulator.ams_settings("md5", pci=True)
    assert by_card(shop, raw=raw).code == code
    kept = repr([row["content"] for row in shop.emulator.list_payments()])
    assert "1230" not in kept and raw["cardNo"] not in kept and "cvv" not in kept


def test_a_card_without_isauthorization_is_paid_and_nothing_is_to_capture(shop):
    assert by_card(shop, token=shop.emulator.store_card(), factor={}).code == "SUCCESS"
    assert "authExpiryTime" not in shop.inquiryPayment(paymentRequestId="P1").said and moves(shop) == []
    assert capture(shop).code == "AUTH_NOT_FOUND"


def test_only_test_cards_and_only_cards_are_authorized(shop):
    shop.place()
    with pytest.raises(Refused):
        shop.emulator.authorize("P1", PAYS)
    with pytest.raises(InvalidRequest, match="test cards"):
        shop.emulator.authorize("P1", "4242424242424242")
    by_card(shop, "P2")
    with pytest.raises(Refused):
        shop.emulator.pay_later("P2", 1)


# --- captures ---------------------------------------------------------------------------------------------------------

def test_an_automatic_capture_follows_the_authorization_at_once(shop):
    by_card(shop, token=shop.emulator.store_card())
    assert moves(shop) == [("CAPTURE", "SUCCESS", "1000")]
    assert capture(shop, number="C2", value="1").code == "ORDER_STATUS_INVALID"
    sent = [one["event"] for one in shop.emulator.deliver()]
    assert sent == ["PAYMENT_RESULT", "CAPTURE_RESULT"]


def test_a_manual_capture_comes_in_parts_up_to_the_authorized_amount(shop):
    by_card(shop, token=shop.emulator.store_card(), factor=MANUAL)
    assert moves(shop) == []
    first = capture(shop, "400")
    assert result(first) == ("S", "SUCCESS") and first.said["captureTime"] == iso()
    assert first.said["captureAmount"] == {"currency": "USD", "value": "400"}
    assert result(capture(shop, "601", "C2")) == ("F", "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT")
    assert capture(shop, "600", "C3").code == "SUCCESS"
    assert moves(shop) == [("CAPTURE", "SUCCESS", "400"), ("CAPTURE", "FAIL", "601"), ("CAPTURE", "SUCCESS", "600")]
    assert capture(shop, "1", "C4").code == "ORDER_STATUS_INVALID"


def test_the_last_capture_ends_the_authorization(shop):
    by_card(shop, token=shop.emulator.store_card(), factor=MANUAL)
    assert capture(shop, "400", isLastCapture="true").code == "SUCCESS"
    assert capture(shop, "100", "C2").code == "ORDER_STATUS_INVALID"


def test_a_client_may_have_one_capture_alone(shop):
    shop.emulator.ams_settings("md5", multi_capture=False)
    by_card(shop, token=shop.emulator.store_card(), factor=MANUAL)
    assert capture(shop, "400").code == "SUCCESS"
    assert capture(shop, "100", "C2").code == "MULTI_CAPTURE_NOT_SUPPORTED"


@pytest.mark.parametrize("later, code", [(7 * 86400 - 1, "SUCCESS"), (7 * 86400, "AUTH_EXPIRED")])
def test_an_authorization_is_good_for_seven_days(shop, later, code):
    by_card(shop, token=shop.emulator.store_card(), factor=MANUAL)
    shop.emulator.advance(later)
    assert capture(shop).code == code
    assert shop.status() == ("SUCCESS" if code == "SUCCESS" else "CANCELLED")


def test_what_was_captured_stays_when_the_seven_days_are_over(shop):
    by_card(shop, token=shop.emulator.store_card(), factor=MANUAL)
    capture(shop, "400")
    shop.emulator.advance(8 * 86400)
    assert shop.status() == "SUCCESS" and capture(shop, "1", "C2").code == "AUTH_EXPIRED"


def test_an_authorization_is_cancelled_within_seven_days_while_nothing_is_captured(shop):
    for number in ("P1", "P2", "P3"):
        by_card(shop, number, shop.emulator.store_card(), factor=MANUAL)
    capture(shop, "1", payment="P2")
    assert shop.cancel(paymentRequestId="P2").code == "CANCEL_WINDOW_EXCEED"
    shop.emulator.advance(6 * 86400)
    assert shop.cancel(paymentRequestId="P1").code == "SUCCESS"
    assert capture(shop, number="C2").code == "AUTH_CANCELLED"
    shop.emulator.advance(86400)
    assert shop.cancel(paymentRequestId="P3").code == "SUCCESS"     # it went back by itself


def test_the_same_capture_again_is_the_same_result(shop):
    by_card(shop, token=shop.emulator.store_card(), factor=MANUAL)
    first = capture(shop, "400")
    shop.emulator.advance(60)
    assert capture(shop, "400").said == first.said and capture(shop, "401").code == "REPEAT_REQ_INCONSISTENT"
    refused = capture(shop, "601", "C2")
    assert capture(shop, "601", "C2").said == refused.said and refused.code == "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT"
    assert len(moves(shop)) == 2


def test_a_capture_may_take_a_minute(shop):
    shop.emulator.ams_settings("md5", async_capture=True)
    by_card(shop, token=shop.emulator.store_card(), factor=MANUAL)
    shop.emulator.deliver()
    first = capture(shop, "400")
    assert result(first) == ("U", "CAPTURE_IN_PROCESS") and "captureTime" not in first.said
    assert capture(shop, "601", "C2").code == "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT"    # reserved already
    assert [one["event"] for one in shop.emulator.advance(60)] == ["CAPTURE_RESULT"]
    assert result(capture(shop, "400")) == ("S", "SUCCESS")
    assert moves(shop)[0] == ("CAPTURE", "SUCCESS", "400")


def test_a_capture_needs_an_authorization_in_its_currency(shop):
    assert shop.capture(captureRequestId="C1", paymentId="1", captureAmount={
        "currency": "USD", "value": "1"}).code == "ORDER_NOT_EXIST"
    by_card(shop, factor=MANUAL)
    assert capture(shop).code == "ORDER_STATUS_INVALID"
    shop.emulator.authorize("P1", POOR)
    assert capture(shop, number="C2").code == "ORDER_IS_CLOSED"
    assert capture(shop, number="C3", currency="EUR").code == "PARAM_ILLEGAL"
    assert shop.capture(captureRequestId="C4").code == "PARAM_ILLEGAL"
