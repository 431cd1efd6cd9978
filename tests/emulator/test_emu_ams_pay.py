"""payments/pay, inquiryPayment and cancel: wallets and stores."""
import pytest

from alipay_mapi.emulator.merchants import BUYERS
from alipay_mapi.emulator.refused import Refused
from alipay_mapi.errors import InvalidRequest
from ams_setup import NOTIFY, PRODUCTION, SANDBOX, Shop, ams, iso, result

CODE = {"inStorePaymentScenario": "PaymentCode"}


@pytest.fixture
def shop():
    with ams() as emulator:
        yield Shop(emulator)


def in_store(shop, code, number="P1", value="1000"):
    return shop.place(number, value, productCode="IN_STORE_PAYMENT", paymentFactor=CODE,
                      paymentMethod={"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": code})


# --- the cashier ------------------------------------------------------------------------------------------------------

def test_a_wallet_s_payment_exists_at_once_and_waits_for_the_buyer_with_an_address(shop):
    got = shop.place()
    row = shop.emulator.payment("P1")
    assert result(got) == ("U", "PAYMENT_IN_PROCESS")
    assert got.said["normalUrl"] == "https://mapi.emulator.test/ams/cashier/{}".format(row["id"])
    assert got.said["redirectActionForm"]["redirectUrl"] == got.said["normalUrl"]
    assert len(got.said["paymentId"]) == 34 and got.said["paymentId"].startswith("20260301")
    assert got.said["paymentAmount"] == {"currency": "USD", "value": "1000"}
    assert got.said["paymentCreateTime"] == "2026-03-01T12:00:00+08:00" and "paymentTime" not in got.said
    asked = shop.inquiryPayment(paymentRequestId="P1")
    assert result(asked) == ("S", "SUCCESS")
    assert (asked.said["paymentStatus"], asked.said["paymentResultCode"]) == ("PROCESSING", "PAYMENT_IN_PROCESS")


def test_a_paid_payment_is_a_success_with_its_time_and_its_buyer(shop):
    shop.place()
    shop.emulator.advance(60)
    assert shop.emulator.pay("P1", buyer="buyer2@example.com")["payment_status"] == "SUCCESS"
    said = shop.inquiryPayment(paymentRequestId="P1").said
    assert (said["paymentStatus"], said["paymentResultCode"]) == ("SUCCESS", "SUCCESS")
    assert said["paymentTime"] == "2026-03-01T12:01:00+08:00" and "transactions" not in said
    assert said["pspCustomerInfo"]["pspCustomerId"] == BUYERS[1].buyer_id
    assert said["pspCustomerInfo"]["pspName"] == "ALIPAYCN"


def test_the_payment_id_wins_over_the_request_id(shop):
    first, second = shop.place("P1").said["paymentId"], shop.place("P2").said["paymentId"]
    assert shop.inquiryPayment(paymentRequestId="P1", paymentId=second).said["paymentRequestId"] == "P2"
    assert shop.inquiryPayment(paymentId=first).said["paymentRequestId"] == "P1"
    assert shop.inquiryPayment(paymentRequestId="P1", paymentId="1").code == "ORDER_NOT_EXIST"
    assert shop.inquiryPayment().code == "PARAM_ILLEGAL"


def test_a_payment_is_known_to_its_own_client_alone(shop):
    shop.place()
    sandbox = Shop(shop.emulator, SANDBOX)
    number = shop.emulator.payment("P1")["payment_id"]
    assert sandbox.inquiryPayment(paymentRequestId="P1").code == "ORDER_NOT_EXIST"
    assert sandbox.inquiryPayment(paymentId=number).code == sandbox.cancel(paymentId=number).code == "ORDER_NOT_EXIST"
    assert sandbox.place().said["paymentId"] != number
    with pytest.raises(InvalidRequest, match="client_id"):
        shop.emulator.pay("P1")
    assert shop.emulator.pay("P1", partner=SANDBOX)["client_id"] == SANDBOX
    assert shop.status() == "PROCESSING" and sandbox.status() == "SUCCESS"


def test_an_unpaid_payment_fails_after_14_minutes(shop):
    shop.place()
    shop.emulator.advance(14 * 60 - 1)
    assert shop.status() == "PROCESSING"
    shop.emulator.advance(1)
    said = shop.inquiryPayment(paymentRequestId="P1").said
    assert (said["paymentStatus"], said["paymentResultCode"]) == ("FAIL", "ORDER_IS_CLOSED")
    with pytest.raises(Refused, match="ORDER_IS_CLOSED"):
        shop.emulator.pay("P1")


def test_an_expiry_of_the_shop_s_counts_from_any_offset(shop):
    assert shop.place(paymentExpiryTime="2026-02-28T20:05:00-08:00").code == "PAYMENT_IN_PROCESS"
    shop.emulator.advance(299)
    assert shop.status() == "PROCESSING"
    shop.emulator.advance(1)
    assert shop.status() == "FAIL"


@pytest.mark.parametrize("later, method, code", [
    (dict(minutes=10), "ALIPAY_CN", "PAYMENT_IN_PROCESS"), (dict(minutes=10, seconds=1), "ALIPAY_CN", "PARAM_ILLEGAL"),
    (dict(seconds=0), "ALIPAY_CN", "PARAM_ILLEGAL"), (dict(hours=48), "BANKTRANSFER_BNI", "PAYMENT_IN_PROCESS"),
    (dict(hours=48, seconds=1), "BANKTRANSFER_BNI", "PARAM_ILLEGAL")])
def test_an_expiry_is_ten_minutes_at_most_and_48_hours_for_a_bank_transfer(shop, later, method, code):
    assert shop.place(paymentExpiryTime=iso(**later), paymentMethod={"paymentMethodType": method}).code == code


def test_a_buyer_may_close_refuse_or_leave_a_payment_to_his_bank(shop):
    for number in ("P1", "P2", "P3"):
        shop.place(number)
    assert shop.emulator.close_trade("P1")["result_code"] == "ORDER_IS_CLOSED" and shop.status("P1") == "FAIL"
    shop.emulator.refuse_payment("P2", "RISK_REJECT")
    assert shop.inquiryPayment(paymentRequestId="P2").said["paymentResultCode"] == "RISK_REJECT"
    shop.emulator.pend_payment("P3")
    assert shop.status("P3") == "PENDING" and shop.place("P3").code == "PAYMENT_IN_PROCESS"
    shop.emulator.pay("P3")
    assert shop.status("P3") == "SUCCESS"
    with pytest.raises(InvalidRequest, match="code"):
        shop.emulator.refuse_payment("P3", "SUCCESS")


def test_a_buyer_who_cannot_pay_is_refused_at_the_cashier_and_another_may(shop):
    """1000 yuan; the limited buyer has 100 at once. 20 dollars are 142 yuan."""
    shop.place(value="2000")
    for buyer, code in (("poor@example.com", "USER_BALANCE_NOT_ENOUGH"),
                        ("limited@example.com", "USER_AMOUNT_EXCEED_LIMIT")):
        with pytest.raises(Refused) as caught:
            shop.emulator.pay("P1", buyer=buyer)
        assert caught.value.code == code and shop.status() == "PROCESSING"
    shop.place("P2", "1400")    # 99.40
    assert shop.emulator.pay("P2", buyer="limited@example.com")["payment_status"] == "SUCCESS"


def test_a_planned_payment_happens_at_its_moment_unless_the_payment_is_over(shop):
    shop.place("P1")
    shop.place("P2")
    shop.emulator.pay_later("P1", 120)
    shop.emulator.pay_later("P2", 15 * 60)
    shop.emulator.advance(3600)
    assert shop.inquiryPayment(paymentRequestId="P1").said["paymentTime"] == iso(minutes=2)
    assert shop.status("P2") == "FAIL"


# --- what a pay call must have ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("changes, parameter", [
    (dict(productCode=None), "productCode"), (dict(productCode="OTHER"), "productCode"),
    (dict(paymentRequestId=None), "paymentRequestId"), (dict(paymentRequestId="x" * 65), "paymentRequestId"),
    (dict(paymentRequestId=""), "paymentRequestId"), (dict(order=None), "order.orderAmount"),
    (dict(order="text"), "order.orderAmount"), (dict(paymentAmount=None), "paymentAmount"),
    (dict(paymentMethod=None), "paymentMethod.paymentMethodType"), (dict(paymentMethod=[]), "paymentMethod"),
    (dict(paymentRedirectUrl="https://shop.test/" + "x" * 2048), "paymentRedirectUrl"),
    (dict(paymentRedirectUrl="javascript:1"), "paymentRedirectUrl"),
    (dict(paymentNotifyUrl="shop.test"), "paymentNotifyUrl"), (dict(env={"terminalType": "TV"}), "env.terminalType"),
    (dict(paymentFactor={"isAuthorization": "yes"}), "paymentFactor.isAuthorization"),
    (dict(paymentFactor={"isAuthorization": "true"}), "paymentFactor.isAuthorization"),
    (dict(paymentFactor={"captureMode": "SOON"}), "paymentFactor.captureMode"),
    (dict(paymentExpiryTime="2026-03-01 12:05:00"), "paymentExpiryTime"),
    (dict(productCode="IN_STORE_PAYMENT"), "paymentFactor.inStorePaymentScenario"),
    (dict(productCode="IN_STORE_PAYMENT", paymentFactor=CODE), "paymentMethod.paymentMethodId"),
])
def test_a_wrong_member_is_named(shop, changes, parameter):
    content = shop.order()
    content.update(changes)
    got = shop.send("payments/pay", {name: value for name, value in content.items() if value is not None})
    assert result(got) == ("F", "PARAM_ILLEGAL") and got.outcome.parameter.startswith(parameter)
    assert shop.emulator.list_payments() == []


@pytest.mark.parametrize("name, longest", [("orderDescription", 256), ("referenceOrderId", 64)])
def test_the_order_s_own_texts_have_their_lengths(shop, name, longest):
    content = shop.order()
    content["order"][name] = "茶" * longest
    assert shop.send("payments/pay", content).code == "PAYMENT_IN_PROCESS"
    content["order"][name] += "x"
    assert shop.send("payments/pay", dict(content, paymentRequestId="P2")).code == "PARAM_ILLEGAL"
    del content["order"][name]
    assert shop.send("payments/pay", dict(content, paymentRequestId="P2")).code == "PARAM_ILLEGAL"


@pytest.mark.parametrize("value, currency, method, code", [
    ("1", "USD", "ALIPAY_CN", "PAYMENT_IN_PROCESS"), ("9" * 16, "JPY", "ALIPAY_CN", "PAYMENT_IN_PROCESS"),
    ("0", "USD", "ALIPAY_CN", "PARAM_ILLEGAL"), ("-1", "USD", "ALIPAY_CN", "PARAM_ILLEGAL"),
    ("10.00", "USD", "ALIPAY_CN", "PARAM_ILLEGAL"), ("010", "USD", "ALIPAY_CN", "PARAM_ILLEGAL"),
    ("9" * 17, "USD", "ALIPAY_CN", "PARAM_ILLEGAL"), ("٣", "USD", "ALIPAY_CN", "PARAM_ILLEGAL"),
    ("100", "CHF", "ALIPAY_CN", "CURRENCY_NOT_SUPPORT"), ("100", "usd", "ALIPAY_CN", "CURRENCY_NOT_SUPPORT"),
    ("10000", "IDR", "DANA", "PAYMENT_IN_PROCESS"), ("10050", "IDR", "DANA", "PARAM_ILLEGAL"),
    ("150", "TWD", "JKOPAY", "PARAM_ILLEGAL"), ("200", "TWD", "JKOPAY", "PAYMENT_IN_PROCESS"),
    ("105", "HKD", "OCTOPUS", "PARAM_ILLEGAL"), ("110", "HKD", "OCTOPUS", "PAYMENT_IN_PROCESS")])
def test_amounts_are_whole_numbers_of_the_smallest_unit_in_a_currency_of_ams(shop, value, currency, method, code):
    assert shop.place(value=value, currency=currency, paymentMethod={"paymentMethodType": method}).code == code


def test_the_order_s_amount_is_the_payment_s(shop):
    content = shop.order()
    content["order"]["orderAmount"] = {"currency": "USD", "value": "999"}
    assert shop.send("payments/pay", content).code == "PARAM_ILLEGAL"


def test_contracts_decide_about_products_methods_and_secondary_merchants(shop):
    shop.emulator.ams_settings("md5", not_contracted=["ALIPAY_HK", "IN_STORE_PAYMENT"])
    assert shop.place(paymentMethod={"paymentMethodType": "ALIPAY_HK"}).code == "INVALID_CONTRACT"
    assert in_store(shop, shop.emulator.payment_code()).code == "INVALID_CONTRACT"
    assert shop.place().code == "PAYMENT_IN_PROCESS"
    shop.emulator.ams_settings("md5", registered_only=True)
    assert shop.place("P2").code == "MERCHANT_NOT_REGISTERED"
    assert shop.place("P3", productCode="AGREEMENT_PAYMENT").code == "MERCHANT_NOT_REGISTERED"
    shop.emulator.ams_settings("md5", registered_only=False)
    assert shop.place("P3", productCode="AGREEMENT_PAYMENT").code == "AUTH_NOT_FOUND"


def test_another_settlement_currency_is_quoted_once_the_payment_is_paid(shop):
    """7.10 yuan a dollar, 0.91 a Hong Kong dollar: in emulator/money.py."""
    shop.place(settlementStrategy={"settlementCurrency": "HKD"})
    assert "settlementQuote" not in shop.inquiryPayment(paymentRequestId="P1").said
    shop.emulator.pay("P1")
    said = shop.inquiryPayment(paymentRequestId="P1").said
    assert said["settlementQuote"] == {"quoteCurrencyPair": "USD/HKD", "quotePrice": "7.80219780"}
    assert said["grossSettlementAmount"] == {"currency": "HKD", "value": "7802"}
    assert shop.place("P2", settlementStrategy={"settlementCurrency": "CHF"}).code == "CURRENCY_NOT_SUPPORT"


# --- idempotency ------------------------------------------------------------------------------------------------------

def test_the_same_pay_call_again_is_the_same_payment_and_once_final_the_same_result(shop):
    first = shop.place()
    assert shop.place().said == first.said
    shop.emulator.pay("P1")
    done = shop.place()
    assert result(done) == ("S", "SUCCESS") and done.said["paymentId"] == first.said["paymentId"]
    assert "normalUrl" not in done.said
    shop.emulator.advance(86400)
    assert shop.place().said == done.said
    shop.place("P2")
    shop.emulator.refuse_payment("P2", "FRAUD_REJECT")
    assert result(shop.place("P2")) == ("F", "FRAUD_REJECT")
    shop.place("P3")
    shop.cancel(paymentRequestId="P3")
    assert result(shop.place("P3")) == ("F", "ORDER_IS_CANCELED")
    assert len(shop.emulator.list_payments()) == 3


@pytest.mark.parametrize("changes", [
    dict(value="1001"), dict(currency="EUR"), dict(paymentMethod={"paymentMethodType": "ALIPAY_HK"}),
    dict(paymentMethod={"paymentMethodType": "ALIPAY_CN", "paymentMethodId": "x"})])
def test_the_same_id_with_other_content_is_inconsistent_whatever_the_state(shop, changes):
    shop.place()
    assert result(shop.place(**changes)) == ("F", "REPEAT_REQ_INCONSISTENT")
    shop.emulator.pay("P1")
    assert shop.place(**changes).code == "REPEAT_REQ_INCONSISTENT" and shop.place().code == "SUCCESS"


def test_what_may_differ_between_two_tries_does_not_make_them_inconsistent(shop):
    shop.place()
    assert shop.place(env={"terminalType": "WAP", "clientIp": "192.0.2.1"}, paymentNotifyUrl=NOTIFY + "2",
                      paymentExpiryTime=iso(minutes=5)).code == "PAYMENT_IN_PROCESS"


def test_an_id_whose_request_was_refused_for_its_form_is_still_free(shop):
    assert shop.place(value="0").code == "PARAM_ILLEGAL"
    assert shop.place().code == "PAYMENT_IN_PROCESS"


# --- stores -----------------------------------------------------------------------------------------------------------

def test_a_buyer_s_code_in_a_store_is_debited_at_once(shop):
    got = in_store(shop, shop.emulator.payment_code("buyer2@example.com"))
    assert result(got) == ("S", "SUCCESS") and got.said["paymentTime"] == iso()
    assert got.said["pspCustomerInfo"]["pspCustomerId"] == BUYERS[1].buyer_id
    assert in_store(shop, "281234567890123456", "P2").code == "SUCCESS"


@pytest.mark.parametrize("buyer, what, code", [
    ("poor@example.com", "pays", "USER_BALANCE_NOT_ENOUGH"),
    ("limited@example.com", "pays", "USER_AMOUNT_EXCEED_LIMIT"), (None, "expired", "EXPIRED_CODE")])
def test_a_code_that_cannot_be_debited_is_final(shop, buyer, what, code):
    shown = shop.emulator.payment_code(buyer, what)
    assert result(in_store(shop, shown, value="5000")) == ("F", code)
    assert result(in_store(shop, shown, value="5000")) == ("F", code)
    said = shop.inquiryPayment(paymentRequestId="P1").said
    assert (said["paymentStatus"], said["paymentResultCode"]) == ("FAIL", code)
    assert in_store(shop, "12345", "P2").code == "PARAM_ILLEGAL"


def test_a_buyer_who_confirms_on_his_phone_leaves_the_payment_in_process_without_an_address(shop):
    got = in_store(shop, shop.emulator.payment_code("buyer2@example.com", "asks"))
    assert result(got) == ("U", "PAYMENT_IN_PROCESS") and not {"normalUrl", "orderCodeForm"} & set(got.said)
    assert shop.status() == "PROCESSING"
    assert shop.emulator.pay("P1")["buyer_id"] == BUYERS[1].buyer_id
    assert shop.status() == "SUCCESS"


def test_an_order_code_is_shown_to_the_buyer_and_a_store_waits_five_minutes(shop):
    got = shop.place(productCode="IN_STORE_PAYMENT", paymentFactor={"inStorePaymentScenario": "OrderCode"})
    form = got.said["orderCodeForm"]
    assert result(got) == ("U", "PAYMENT_IN_PROCESS") and "normalUrl" not in got.said
    assert form["codeDetails"][0]["codeValue"].endswith("/ams/cashier/1") and form["expireTime"] == iso(minutes=5)
    shop.emulator.advance(300)
    assert shop.status() == "FAIL"
    entry = shop.place("P2", productCode="IN_STORE_PAYMENT", paymentFactor={"inStorePaymentScenario": "EntryCode"})
    assert entry.said["normalUrl"].endswith("/ams/cashier/2")


# --- cancel -----------------------------------------------------------------------------------------------------------

def test_an_unpaid_payment_is_cancelled_and_stays_so(shop):
    shop.place()
    first = shop.cancel(paymentRequestId="P1")
    assert result(first) == ("S", "SUCCESS") and first.said["cancelTime"] == iso()
    shop.emulator.advance(60)
    assert shop.cancel(paymentId=first.said["paymentId"]).said == first.said
    assert shop.status() == "CANCELLED"
    with pytest.raises(Refused, match="ORDER_IS_CANCELED"):
        shop.emulator.pay("P1")
    shop.emulator.advance(86400)
    assert shop.status() == "CANCELLED"


def test_a_paid_payment_goes_back_whole_with_its_fee(shop):
    """2.5 % of 10.00; a refund keeps it."""
    shop.place()
    assert shop.emulator.pay("P1")["fee"] == 25
    assert shop.cancel(paymentRequestId="P1").code == "SUCCESS"
    row = shop.emulator.payment("P1")
    assert (row["payment_status"], row["fee"]) == ("CANCELLED", 0)
    assert shop.refund(refundRequestId="R1", paymentId=row["payment_id"], refundAmount={
        "currency": "USD", "value": "100"}).code == "ORDER_IS_CANCELED"


def test_a_success_notice_that_comes_after_the_cancel_does_not_bring_the_payment_back(shop):
    shop.emulator.fail("late", service="PAYMENT_RESULT", seconds=3600)
    shop.place()
    shop.emulator.pay("P1")
    assert shop.emulator.deliver() == [] and shop.cancel(paymentRequestId="P1").code == "SUCCESS"
    assert [one["event"] for one in shop.emulator.advance(3600)] == ["PAYMENT_RESULT"]
    said = shop.emulator.notifier.sender.contents()[0]
    assert said["result"]["resultStatus"] == "S" and shop.status() == "CANCELLED"


@pytest.mark.parametrize("later, code", [(12 * 3600 + 15 * 60, "SUCCESS"),
                                         (12 * 3600 + 15 * 60 + 1, "CANCEL_WINDOW_EXCEED")])
def test_a_cancel_is_possible_until_a_quarter_past_midnight_in_gmt_8(shop, later, code):
    """The clock begins at noon."""
    shop.place()
    shop.emulator.pay("P1")
    shop.emulator.advance(later)
    assert shop.cancel(paymentRequestId="P1").code == code


def test_what_is_closed_refunded_or_unknown_cannot_be_cancelled(shop):
    assert shop.cancel(paymentRequestId="P1").code == "ORDER_NOT_EXIST" and shop.cancel().code == "PARAM_ILLEGAL"
    shop.place()
    shop.emulator.close_trade("P1")
    assert result(shop.cancel(paymentRequestId="P1")) == ("F", "ORDER_IS_CLOSED")
    shop.place("P2")
    shop.emulator.pay("P2")
    shop.emulator.refund("P2", "1.00")
    assert shop.cancel(paymentRequestId="P2").code == "ORDER_STATUS_INVALID"


def test_the_same_seed_gives_the_same_numbers(shop):
    with ams() as other:
        assert Shop(other).place().said["paymentId"] == shop.place().said["paymentId"]
    with ams(seed=None) as other:
        assert Shop(other).place().said["paymentId"] != shop.emulator.payment("P1", client_id=PRODUCTION)["payment_id"]
