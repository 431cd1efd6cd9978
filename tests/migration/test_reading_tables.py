"""``reading/statuses.py``, ``codes.py``, ``moments.py``, ``redirect.py``: the tables 3.5 to 3.7, by hand."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.errors import AlipayError, MalformedParameter, UnknownStatus, UntrustedMessage
from alipay_mapi.migration import reading
from alipay_mapi.migration.reading import moments, statuses

ONLINE, STORE = "create_forex_trade", "alipay.acquire.overseas.spot.pay"


@pytest.mark.parametrize("back_end, native, service, more, neutral, word", [
    ("ams", "PROCESSING", ONLINE, {}, "pending", "WAIT_BUYER_PAY"),
    ("ams", "PENDING", ONLINE, {}, "pending", "WAIT_BUYER_PAY"),
    ("ams", "SUCCESS", ONLINE, {}, "paid", "TRADE_FINISHED"), ("ams", "SUCCESS", STORE, {}, "paid", "TRADE_SUCCESS"),
    ("ams", "SUCCESS", "create_forex_trade_wap", {}, "paid", "TRADE_FINISHED"),
    ("ams", "SUCCESS", "mobile.securitypay.pay", {}, "paid", "TRADE_FINISHED"),
    ("ams", "SUCCESS", "mobile.securitypay.pay", {"domestic": True}, "paid", "TRADE_SUCCESS"),
    ("ams", "SUCCESS", "create_forex_trade", {"domestic": True}, "paid", "TRADE_FINISHED"),
    ("ams", "FAIL", ONLINE, {}, "closed", "TRADE_CLOSED"), ("ams", "CANCELLED", ONLINE, {}, "closed", "TRADE_CLOSED"),
    ("ams", "CANCELLED", ONLINE, {"paid": True}, "cancelled", "TRADE_CLOSED"),
    ("ams", "SUCCESS", ONLINE, {"refunded": "wholly"}, "refunded", "TRADE_CLOSED"),
    ("ams", "SUCCESS", ONLINE, {"refunded": "partly"}, "partly_refunded", "TRADE_FINISHED"),
    ("ams", "SUCCESS", STORE, {"refunded": "partly"}, "partly_refunded", "TRADE_SUCCESS"),
    ("openapi", "WAIT_BUYER_PAY", ONLINE, {}, "pending", "WAIT_BUYER_PAY"),
    ("openapi", "TRADE_SUCCESS", ONLINE, {}, "paid", "TRADE_FINISHED"),
    ("openapi", "TRADE_SUCCESS", "create_direct_pay_by_user", {}, "paid", "TRADE_SUCCESS"),
    ("openapi", "TRADE_FINISHED", "create_direct_pay_by_user", {}, "finished", "TRADE_FINISHED"),
    ("openapi", "TRADE_CLOSED", ONLINE, {}, "closed", "TRADE_CLOSED")])
def test_a_status_becomes_mapis_by_the_service_of_the_order(back_end, native, service, more, neutral, word):
    assert reading.payment_status(back_end, native, service, **more) == (neutral, word, native)


@pytest.mark.parametrize("native", ["NEW", "", None, "success"])
def test_an_unknown_status_is_for_a_person(native):
    for back_end in ("ams", "openapi"):
        with pytest.raises(UnknownStatus):
            reading.payment_status(back_end, native, ONLINE)
    with pytest.raises(UnknownStatus):
        statuses.refund_status(native)
    with pytest.raises(UnknownStatus):
        reading.mapi_trade_status(native or "", ONLINE)


@pytest.mark.parametrize("native, word", [
    ("SUCCESS", "REFUND_SUCCESS"), ("FAIL", "REFUND_FAIL"), ("PROCESSING", None), ("CANCELLED", "REFUND_FAIL"),
    ("PENDING", None)])
def test_a_refunds_status(native, word):
    assert statuses.refund_status(native) == word


@pytest.mark.parametrize("back_end, status, code, neutral, mapi", [
    ("ams", "F", "ORDER_NOT_EXIST", "order not found", "TRADE_NOT_EXIST"),
    ("ams", "F", "INVALID_SIGNATURE", "our signature refused", "ILLEGAL_SIGN"),
    ("ams", "F", "KEY_NOT_FOUND", "our signature refused", "ILLEGAL_SIGN"),
    ("ams", "F", "INVALID_CLIENT", "identity", "ILLEGAL_PARTNER"),
    ("ams", "F", "ACCESS_DENIED", "no contract or permission", "ILLEGAL_PARTNER_EXTERFACE"),
    ("ams", "F", "INVALID_CONTRACT", "no contract or permission", "ILLEGAL_PARTNER_EXTERFACE"),
    ("ams", "F", "NO_INTERFACE_DEF", "no such call", "ILLEGAL_SERVICE"),
    ("ams", "F", "PARAM_ILLEGAL", "bad parameter", "ILLEGAL_ARGUMENT"),
    ("ams", "F", "CURRENCY_NOT_SUPPORT", "currency", "ILLEGAL_CURRENCY"),
    ("ams", "F", "REFUND_AMOUNT_EXCEED", "refund too much", "RETURN_AMOUNT_EXCEED"),
    ("ams", "F", "REFUND_WINDOW_EXCEED", "refund too late", "REFUNDMENT_VALID_DATE_EXCEED"),
    ("ams", "F", "MERCHANT_BALANCE_NOT_ENOUGH", "refund balance", "MERCHANT_BALANCE_NOT_ENOUGH"),
    ("ams", "F", "ORDER_IS_CLOSED", "order closed", "TRADE_HAS_CLOSE"),
    ("ams", "F", "ORDER_IS_CANCELED", "order closed", "TRADE_HAS_CLOSE"),
    ("ams", "F", "REPEAT_REQ_INCONSISTENT", "same id, other content", "CONTEXT_INCONSISTENT"),
    ("ams", "F", "MERCHANT_NOT_REGISTERED", "secondary merchant", "AMS.MERCHANT_NOT_REGISTERED"),
    ("ams", "U", "UNKNOWN_EXCEPTION", "outcome unknown", "SYSTEM_ERROR"),
    ("ams", "U", "REQUEST_TRAFFIC_EXCEED_LIMIT", "outcome unknown", "SYSTEM_ERROR"),
    ("ams", "U", "A_NEW_ONE", "outcome unknown", "SYSTEM_ERROR"),
    ("ams", "F", "SYSTEM_ERROR", None, "AMS.SYSTEM_ERROR"), ("ams", "F", "RISK_REJECT", None, "AMS.RISK_REJECT"),
    ("ams", "F", "UNKNOWN_EXCEPTION", None, "AMS.UNKNOWN_EXCEPTION"),
    ("openapi", None, "ACQ.TRADE_NOT_EXIST", "order not found", "TRADE_NOT_EXIST"),
    ("openapi", None, "isv.invalid-signature", "our signature refused", "ILLEGAL_SIGN"),
    ("openapi", None, "isv.invalid-signature-type", "our signature refused", "ILLEGAL_SIGN"),
    ("openapi", None, "isv.invalid-app-id", "identity", "ILLEGAL_PARTNER"),
    ("openapi", None, "isv.insufficient-isv-permissions", "no contract or permission", "ILLEGAL_PARTNER_EXTERFACE"),
    ("openapi", None, "ACQ.ACCESS_FORBIDDEN", "no contract or permission", "ILLEGAL_PARTNER_EXTERFACE"),
    ("openapi", None, "isv.invalid-method", "no such call", "ILLEGAL_SERVICE"),
    ("openapi", None, "isv.missing-timestamp", "bad parameter", "ILLEGAL_ARGUMENT"),
    ("openapi", None, "isv.invalid-format", "bad parameter", "ILLEGAL_ARGUMENT"),
    ("openapi", None, "ACQ.INVALID_PARAMETER", "bad parameter", "ILLEGAL_ARGUMENT"),
    ("openapi", None, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "refund too much", "RETURN_AMOUNT_EXCEED"),
    ("openapi", None, "ACQ.REASON_TRADE_REFUND_FEE_ERR", "refund too much", "RETURN_AMOUNT_EXCEED"),
    ("openapi", None, "ACQ.TRADE_HAS_FINISHED", "refund too late", "REFUNDMENT_VALID_DATE_EXCEED"),
    ("openapi", None, "ACQ.SELLER_BALANCE_NOT_ENOUGH", "refund balance", "MERCHANT_BALANCE_NOT_ENOUGH"),
    ("openapi", None, "ACQ.TRADE_HAS_CLOSE", "order closed", "TRADE_HAS_CLOSE"),
    ("openapi", None, "ACQ.CONTEXT_INCONSISTENT", "same id, other content", "CONTEXT_INCONSISTENT"),
    ("openapi", None, "20000", "outcome unknown", "SYSTEM_ERROR"),
    ("openapi", None, "ACQ.SYSTEM_ERROR", "outcome unknown", "SYSTEM_ERROR"),
    ("openapi", None, "ACQ.NEW", None, "OPENAPI.ACQ.NEW"), ("openapi", None, None, None, "OPENAPI.None"),
    ("mapi", None, "CURRENCY_NOT_SAME", "currency", "ILLEGAL_CURRENCY"),
    ("mapi", None, "SYSTEM_EXCEPTION", "outcome unknown", "SYSTEM_ERROR")])
def test_a_code_is_read_by_gateway_status_and_code(back_end, status, code, neutral, mapi):
    assert reading.neutral_of(back_end, code, status) == neutral
    assert reading.to_mapi(back_end, code, status) == mapi


@pytest.mark.parametrize("service, word", [
    ("single_trade_query", "TRADE_NOT_EXIST"), ("forex_refund", "PURCHASE_TRADE_NOT_EXIST"),
    ("alipay.acquire.overseas.query", "TRANS_NOT_FOUND")])
def test_a_missing_order_has_another_name_for_each_service(service, word):
    assert reading.to_mapi("ams", "ORDER_NOT_EXIST", "F", service) == word


@pytest.mark.parametrize("text, told", [
    ("2020-05-13T01:12:52-07:00", "2020-05-13 16:12:52"), ("2026-05-12T12:13:01+08:00", "2026-05-12 12:13:01"),
    ("2026-05-12T04:13:01Z", "2026-05-12 12:13:01"), ("2026-05-12T04:13:01.999+0000", "2026-05-12 12:13:01"),
    ("1685599933871", "2023-06-01 14:12:13"), (None, None)])
def test_a_time_of_any_offset_becomes_gmt_8(text, told):
    assert moments.gmt8_text(text, "paymentTime") == told


@pytest.mark.parametrize("text", ["", "2026-05-12", "2026-05-12T12:13:01", "2026-13-12T12:13:01Z",
                                  "2026-05-12T12:13:01+25:00",
                                  "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "168559993387", 1,
                                  "１685599933871"])
def test_a_time_that_says_no_moment_is_refused(text):
    with pytest.raises(MalformedParameter, match="paymentTime"):
        moments.gmt8_text(text, "paymentTime")


DIGITS = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})"


@settings(max_examples=settings.default.max_examples // 3)
@given(st.text(max_size=40) | st.from_regex(DIGITS, fullmatch=True))
def test_any_time_is_a_moment_or_one_of_our_errors(text):
    try:
        assert len(moments.gmt8_text(text, "t")) == 19
    except AlipayError:
        pass


@pytest.mark.parametrize("query", ["", "paymentId=1&result=S", None, {"resultStatus": "S"}])
def test_a_redirect_from_ams_is_never_a_proof(query):
    with pytest.raises(UntrustedMessage, match="inquiryPayment"):
        reading.refuse_redirect(query)
