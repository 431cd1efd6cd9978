"""payments/refund and inquiryRefund, and the books that they share with MAPI."""
import pytest

from alipay_mapi.emulator.refused import Refused
from alipay_mapi.errors import InvalidRequest
from ams_setup import SANDBOX, Shop, ams, iso, result


@pytest.fixture
def shop():
    with ams() as emulator:
        shop = Shop(emulator)
        shop.place()
        emulator.pay("P1")
        emulator.deliver()
        yield shop


def refund(shop, value="400", number="R1", payment="P1", currency="USD", **more):
    return shop.refund(refundRequestId=number, paymentId=shop.emulator.payment(payment)["payment_id"],
                       refundAmount={"currency": currency, "value": value}, **more)


def moves(shop, payment="P1"):
    return [(one["transactionRequestId"], one["transactionStatus"], one["transactionAmount"]["value"])
            for one in shop.inquiryPayment(paymentRequestId=payment).said["transactions"]]


def test_a_refund_is_done_at_once_and_told_by_both_inquiries(shop):
    got = refund(shop)
    assert result(got) == ("S", "SUCCESS") and got.said["refundTime"] == iso()
    assert got.said["refundAmount"] == {"currency": "USD", "value": "400"}
    for ids in (dict(refundRequestId="R1"), dict(refundId=got.said["refundId"]),
                dict(refundRequestId="other", refundId=got.said["refundId"])):
        asked = shop.inquiryRefund(**ids)
        assert result(asked) == ("S", "SUCCESS")
        assert (asked.said["refundStatus"], asked.said["refundRequestId"]) == ("SUCCESS", "R1")
    assert moves(shop) == [("R1", "SUCCESS", "400")] and shop.status() == "SUCCESS"


def test_refunds_go_up_to_the_amount_and_not_beyond(shop):
    assert refund(shop, "400").code == refund(shop, "600", "R2").code == "SUCCESS"
    assert result(refund(shop, "1", "R3")) == ("F", "REFUND_AMOUNT_EXCEED")
    assert shop.status() == "SUCCESS"       # wholly refunded: told by its transactions alone
    assert moves(shop) == [("R1", "SUCCESS", "400"), ("R2", "SUCCESS", "600"), ("R3", "FAIL", "1")]


def test_the_same_refund_again_is_the_same_result_and_moves_nothing(shop):
    first = refund(shop)
    shop.emulator.advance(3600)
    assert refund(shop).said == first.said and refund(shop, refundReason="another").said == first.said
    assert result(refund(shop, "401")) == ("F", "REPEAT_REQ_INCONSISTENT")
    assert shop.emulator.payment("P1")["refunded"] == 400
    refused = refund(shop, "601", "R2")
    assert refused.code == "REFUND_AMOUNT_EXCEED" and refund(shop, "601", "R2").said == refused.said
    asked = shop.inquiryRefund(refundRequestId="R2")
    assert (result(asked), asked.said["refundStatus"]) == (("S", "SUCCESS"), "FAIL")


def test_a_refund_id_that_belongs_to_another_payment_is_inconsistent(shop):
    refund(shop)
    shop.place("P2")
    shop.emulator.pay("P2")
    assert refund(shop, payment="P2").code == "REPEAT_REQ_INCONSISTENT"


@pytest.mark.parametrize("how", ["asked", "set"])
def test_an_asynchronous_refund_takes_a_minute(shop, how):
    if how == "set":
        shop.emulator.ams_settings("md5", async_refund=True)
    more = {"isAsyncRefund": "true"} if how == "asked" else {}
    got = refund(shop, **more)
    assert result(got) == ("U", "REFUND_IN_PROCESS") and "refundTime" not in got.said
    assert shop.inquiryRefund(refundRequestId="R1").said["refundStatus"] == "PROCESSING"
    assert refund(shop, "601", "R2").code == "REFUND_AMOUNT_EXCEED"     # reserved already
    shop.emulator.advance(60)
    assert shop.inquiryRefund(refundRequestId="R1").said["refundStatus"] == "SUCCESS"
    assert result(refund(shop, **more)) == ("S", "SUCCESS")


def test_a_refund_needs_a_payment_that_is_paid(shop):
    assert shop.refund(refundRequestId="R1", paymentId="1", refundAmount={
        "currency": "USD", "value": "1"}).code == "ORDER_NOT_EXIST"
    shop.place("P2")
    assert refund(shop, payment="P2", number="R2").code == "ORDER_STATUS_INVALID"
    shop.emulator.close_trade("P2")
    assert refund(shop, payment="P2", number="R3").code == "ORDER_IS_CLOSED"
    assert refund(shop, currency="EUR").code == "PARAM_ILLEGAL"
    assert refund(shop, currency="CHF").code == "CURRENCY_NOT_SUPPORT"
    assert shop.inquiryRefund(refundRequestId="R9").code == "ORDER_NOT_EXIST"
    assert shop.inquiryRefund().code == "PARAM_ILLEGAL"


@pytest.mark.parametrize("missing", ["refundRequestId", "paymentId", "refundAmount"])
def test_a_refund_names_itself_and_the_payment_by_ams_s_id(shop, missing):
    content = {"refundRequestId": "R1", "paymentId": shop.emulator.payment("P1")["payment_id"],
               "paymentRequestId": "P1", "refundAmount": {"currency": "USD", "value": "1"}}
    del content[missing]
    got = shop.refund(**content)
    assert result(got) == ("F", "PARAM_ILLEGAL") and got.outcome.parameter == missing


@pytest.mark.parametrize("days, code", [(365, "SUCCESS"), (366, "REFUND_WINDOW_EXCEED")])
def test_the_window_for_refunds_is_a_year(shop, days, code):
    shop.emulator.advance(days * 86400)
    assert refund(shop).code == code


def test_a_client_may_have_one_refund_alone(shop):
    shop.emulator.ams_settings("md5", multi_refund=False)
    assert refund(shop).code == "SUCCESS" and refund(shop, "1", "R2").code == "MULTIPLE_REFUNDS_NOT_SUPPORTED"


def test_an_authorization_is_refunded_up_to_what_was_captured(shop):
    shop.place("P2", paymentMethod={"paymentMethodType": "CARD", "paymentMethodId": shop.emulator.store_card()},
               paymentFactor={"isAuthorization": "true", "captureMode": "MANUAL"})
    assert refund(shop, "1", "R1", "P2").code == "ORDER_STATUS_INVALID"
    shop.capture(captureRequestId="C1", paymentId=shop.emulator.payment("P2")["payment_id"],
                 captureAmount={"currency": "USD", "value": "300"})
    assert refund(shop, "301", "R2", "P2").code == "REFUND_AMOUNT_EXCEED"
    assert refund(shop, "300", "R3", "P2").code == "SUCCESS"


def test_the_balance_is_one_for_both_gateways(shop):
    """7.10 yuan a dollar: 4.00 are 28.40."""
    emulator = shop.emulator
    emulator.settings("md5", balance="60.00")
    assert refund(shop, "400").code == "SUCCESS"
    assert emulator.merchant("md5").setting("balance") == "31.60"
    assert result(refund(shop, "500", "R2")) == ("F", "MERCHANT_BALANCE_NOT_ENOUGH")
    emulator.place("M1", total_fee="10.00", currency="USD")
    emulator.pay("M1")
    emulator.refund("M1", "4.00")
    assert emulator.merchant("md5").setting("balance") == "3.20"
    assert refund(shop, "100", "R3").code == "MERCHANT_BALANCE_NOT_ENOUGH"


def test_an_asynchronous_refund_that_the_balance_does_not_cover_fails_and_says_so(shop):
    refund(shop, "400", isAsyncRefund="true", refundNotifyUrl="https://shop.test/refunds")
    shop.emulator.settings("md5", balance="1.00")
    shop.emulator.advance(60)
    address = shop.emulator.notifier.sender
    assert address.got[-1].url == "https://shop.test/refunds"
    said = address.contents()[-1]
    assert (said["notifyType"], said["refundStatus"], said["result"]["resultStatus"]) == ("REFUND_RESULT", "FAIL", "S")
    assert shop.emulator.payment("P1")["refunded"] == 0
    assert result(refund(shop, "400", isAsyncRefund="true")) == ("F", "MERCHANT_BALANCE_NOT_ENOUGH")


def test_a_refund_only_finds_a_payment_of_its_own_side(shop):
    assert refund(Shop(shop.emulator, SANDBOX)).code == "ORDER_NOT_EXIST"


def test_the_merchant_gives_money_back_by_hand(shop):
    assert shop.emulator.refund("P1", "4.00")["refund_request_id"] == "P1-R1"
    assert shop.emulator.refund("P1", out_return_no="mine")["amount"] == 600
    with pytest.raises(Refused, match="REFUND_AMOUNT_EXCEED"):
        shop.emulator.refund("P1", "0.01")
    with pytest.raises(InvalidRequest):
        shop.emulator.refund("P1", "0.001")
