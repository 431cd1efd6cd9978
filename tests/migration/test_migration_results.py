"""``ams/results.py``, ``openapi/results.py``, ``mapi_results.py``: yes, no or unknown."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.migration import mapi_results
from alipay_mapi.migration.ams import results
from alipay_mapi.migration.openapi import results as openapi_results
from alipay_mapi.migration.outcome import NEXT, NO, UNKNOWN, YES
from migration_samples import result, rows

SAMPLES = rows("results")
CLASSIFY = {"ams": results.classify, "openapi": openapi_results.classify, "mapi": mapi_results.classify}
#: The verdict of each state of the samples, about what was asked for.
VERDICTS = {"paid": YES, "refunded": YES, "failed": NO, "refund_failed": NO, "conflict": NO, "cancel_refused": NO,
            "pending": UNKNOWN, "unknown": UNKNOWN, "refund_pending": UNKNOWN, "refund_unconfirmed": UNKNOWN,
            "not_found": UNKNOWN}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one["id"])
def test_a_recorded_answer_means_what_was_recorded(sample):
    found = CLASSIFY[sample["target"]](sample["operation"], sample["response"])
    assert found.state == sample["expect_state"] and found.next in NEXT
    if found.state == "closed":
        cancelled = sample["operation"] in ("cancel", "alipay.trade.cancel")
        assert found.verdict == (YES if cancelled else NO)
    else:
        assert found.verdict == VERDICTS[found.state]


#: Section 1.8, by hand: code → (status, verdict of a refund, next).
CODES = [
    ("REFUND_IN_PROCESS", "U", UNKNOWN, "wait"), ("UNKNOWN_EXCEPTION", "U", UNKNOWN, "query"),
    ("REQUEST_TRAFFIC_EXCEED_LIMIT", "U", UNKNOWN, "back-off"), ("ANYTHING_NEW", "U", UNKNOWN, "query"),
    ("ORDER_NOT_EXIST", "F", NO, "query"), ("RECORD_NOT_FOUND", "F", NO, "query"),
    ("REPEAT_REQ_INCONSISTENT", "F", NO, "query"),
] + [(code, "F", NO, "new") for code in (
    "ORDER_IS_CLOSED ORDER_IS_CANCELED ORDER_STATUS_INVALID EXPIRED_CODE AUTH_CANCELLED AUTH_EXPIRED AUTH_NOT_FOUND "
    "PROCESS_FAIL SYSTEM_ERROR RISK_REJECT FRAUD_REJECT NO_PAY_OPTIONS").split()
] + [(code, "F", NO, "stop") for code in (
    "REFUND_AMOUNT_EXCEED REFUND_WINDOW_EXCEED MULTIPLE_REFUNDS_NOT_SUPPORTED CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT "
    "MULTI_CAPTURE_NOT_SUPPORTED MERCHANT_BALANCE_NOT_ENOUGH USER_BALANCE_NOT_ENOUGH USER_NOT_EXIST A_NEW_ONE").split()
] + [(code, "F", NO, "fix") for code in (
    "INVALID_SIGNATURE SIGNATURE_INVALID KEY_NOT_FOUND INVALID_CLIENT ACCESS_DENIED NO_INTERFACE_DEF "
    "METHOD_NOT_SUPPORTED MEDIA_TYPE_NOT_ACCEPTABLE PARAM_ILLEGAL CURRENCY_NOT_SUPPORT INVALID_CONTRACT "
    "MERCHANT_NOT_REGISTERED").split()]


@pytest.mark.parametrize("code, status, verdict, step", CODES)
def test_every_code_of_the_page_under_its_status(code, status, verdict, step):
    found = results.classify("refund", {"result": result(status, code)})
    assert (found.verdict, found.next, found.code) == (verdict, step, code)


@pytest.mark.parametrize("code", sorted(set(results.CODES) - {"SUCCESS"}))
@pytest.mark.parametrize("operation", ["pay", "refund", "capture", "cancel", "registration", "declare"])
def test_no_code_but_success_is_a_yes_under_a_status_it_never_has(operation, code):
    assert results.classify(operation, {"result": result("S", code)}).verdict == UNKNOWN


@pytest.mark.parametrize("operation, state", [
    ("pay", "paid"), ("refund", "refunded"), ("capture", "captured"), ("cancel", "closed"),
    ("registration", "registered"), ("declare", "declared")])
def test_s_is_a_yes_to_what_was_asked_and_an_unsigned_s_is_none(operation, state):
    answer = {"result": result()}
    assert (results.classify(operation, answer).state, results.classify(operation, answer).verdict) == (state, YES)
    for status in "SFU":
        assert results.classify(operation, {"result": result(status)}, signed=False).verdict == UNKNOWN
    assert results.classify(operation, {"result": result("S", "A_NEW_ONE")}).verdict == YES


def test_an_authorization_reserves_money_and_moves_none():
    assert results.classify("pay", {"result": result()}, authorization=True).state == "authorized"


def test_an_s_of_a_hosted_card_page_is_not_believed():
    for code in ("SUCCESS", "A_NEW_ONE"):
        found = results.classify("pay", {"result": result("S", code)}, authorization=True, hosted=True)
        assert (found.state, found.verdict, found.next) == ("unknown", UNKNOWN, "query")
    assert results.classify("pay", {"result": result("F", "RISK_REJECT")}, hosted=True).verdict == NO
    assert results.classify("refund", {"result": result()}, hosted=True).verdict == YES


@pytest.mark.parametrize("status, code, state, verdict, step", [
    ("S", "SUCCESS", "captured", YES, "done"), ("U", "CAPTURE_IN_PROCESS", "capture_pending", UNKNOWN, "wait"),
    ("U", "UNKNOWN_EXCEPTION", "unknown", UNKNOWN, "query"),
    ("U", "REQUEST_TRAFFIC_EXCEED_LIMIT", "unknown", UNKNOWN, "back-off"),
    ("F", "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT", "capture_failed", NO, "stop"),
    ("F", "MULTI_CAPTURE_NOT_SUPPORTED", "capture_failed", NO, "stop"),
    ("F", "A_NEW_ONE", "capture_failed", NO, "stop"),
    ("F", "AUTH_EXPIRED", "capture_failed", NO, "new"), ("F", "ORDER_NOT_EXIST", "not_found", NO, "query"),
    ("F", "REPEAT_REQ_INCONSISTENT", "conflict", NO, "query"),
    ("S", "CAPTURE_IN_PROCESS", "unknown", UNKNOWN, "query")])
def test_a_capture(status, code, state, verdict, step):
    found = results.classify("capture", {"result": result(status, code)})
    assert (found.state, found.verdict, found.next) == (state, verdict, step)


@pytest.mark.parametrize("status, code, state, verdict, step", [
    ("S", "SUCCESS", "registered", YES, "done"), ("F", "REPEAT_REGISTRATION", "refused", NO, "query"),
    ("F", "REGISTRATION_UNDER_REVIEW", "refused", NO, "query"),
    ("U", "REGISTRATION_UNDER_REVIEW", "registration_pending", UNKNOWN, "wait"),
    ("U", "UNKNOWN_EXCEPTION", "unknown", UNKNOWN, "query"), ("F", "PARAM_ILLEGAL", "refused", NO, "fix"),
    ("F", "A_NEW_ONE", "refused", NO, "stop"), ("F", "REPEAT_REQ_INCONSISTENT", "conflict", NO, "query")])
def test_a_registration(status, code, state, verdict, step):
    found = results.classify("registration", {"result": result(status, code)})
    assert (found.state, found.verdict, found.next) == (state, verdict, step)


def wallets(*words):
    return [{"pspName": str(number), "registrationResult": {"registrationStatus": word}}
            for number, word in enumerate(words)]


@pytest.mark.parametrize("word, listed, state, verdict", [
    ("COMPLETED", None, "registered", YES), ("COMPLETED", [], "registered", YES),
    ("COMPLETED", wallets("APPROVED"), "registered", YES),
    ("COMPLETED", wallets("REJECTED", "APPROVED"), "registered", YES),
    ("COMPLETED", wallets("REJECTED", "REJECTED"), "refused", NO),
    ("COMPLETED", wallets("REJECTED", "PENDING"), "registration_pending", UNKNOWN),
    ("COMPLETED", wallets(None), "registration_pending", UNKNOWN), ("COMPLETED", ["x"], "registered", YES),
    ("PENDING", wallets("APPROVED"), "registration_pending", UNKNOWN),
    ("PROCESSING", None, "registration_pending", UNKNOWN),
    ("SUCCESSFUL", None, "registered", YES), ("FAILED", wallets("APPROVED"), "refused", NO),
    ("NEW", None, "unknown", UNKNOWN), (None, None, "unknown", UNKNOWN), (["COMPLETED"], None, "unknown", UNKNOWN)])
def test_how_a_registration_stands(word, listed, state, verdict):
    for said in ({"registrationResult": {"registrationStatus": word}}, {"registrationStatus": word},
                 {"registrationResult": word}):
        answer = dict(said, result=result(), pspRegistrationResultList=listed)
        found = results.classify("inquiryRegistrationStatus", answer)
        assert (found.state, found.verdict) == (state, verdict)
        for refused in (dict(signed=False), dict(signed=True, answer=dict(answer, result=result("U", "X")))):
            assert results.classify("inquiryRegistrationStatus", refused.pop("answer", answer),
                                    **refused).verdict == UNKNOWN


@pytest.mark.parametrize("answer, state, verdict", [
    ({"merchantInfo": {"referenceMerchantId": "M1"}}, "registered", YES), ({}, "unknown", UNKNOWN),
    ({"merchantInfo": {}}, "unknown", UNKNOWN), ({"merchantInfo": "M1"}, "unknown", UNKNOWN)])
def test_whoever_is_not_registered_gets_no_information(answer, state, verdict):
    found = results.classify("inquiryRegistrationInfo", dict(answer, result=result()))
    assert (found.state, found.verdict) == (state, verdict)
    assert results.classify("inquiryRegistrationInfo", {"result": result("F", "RECORD_NOT_FOUND")})[:3] == (
        UNKNOWN, "not_found", "query")


def test_an_inquiry_about_an_authorization_finds_money_reserved():
    answer = {"result": result(), "paymentStatus": "SUCCESS"}
    assert results.classify("inquiryPayment", answer, authorization=True)[:2] == (YES, "authorized")
    failed = dict(answer, paymentStatus="FAIL")
    assert results.classify("inquiryPayment", failed, authorization=True)[:2] == (NO, "failed")


@pytest.mark.parametrize("extra, step", [({}, "query"), ({"normalUrl": "https://c.example"}, "wait"),
                                         ({"schemeUrl": "alipays://x"}, "wait"), ({"normalUrl": ""}, "query")])
def test_a_payment_in_process_without_an_address_is_to_be_asked_for(extra, step):
    found = results.classify("pay", dict({"result": result("U", "PAYMENT_IN_PROCESS")}, **extra))
    assert (found.state, found.verdict, found.next) == ("pending", UNKNOWN, step)


@pytest.mark.parametrize("operation, code, state, verdict, step", [
    ("cancel", "ORDER_IS_CLOSED", "closed", YES, "done"), ("cancel", "ORDER_IS_CANCELED", "closed", YES, "done"),
    ("cancel", "CANCEL_WINDOW_EXCEED", "cancel_refused", NO, "refund"),
    ("cancel", "ORDER_NOT_EXIST", "not_found", NO, "query"),
    ("pay", "ORDER_IS_CANCELED", "closed", NO, "new"), ("pay", "USER_BALANCE_NOT_ENOUGH", "failed", NO, "stop"),
    ("pay", "A_NEW_ONE", "failed", NO, "new"), ("pay", "INVALID_SIGNATURE", "failed", NO, "fix"),
    ("inquiryPayment", "SYSTEM_ERROR", "unknown", UNKNOWN, "query"),
    ("inquiryPayment", "INVALID_SIGNATURE", "unknown", UNKNOWN, "fix"),
    ("inquiryPayment", "ORDER_IS_CLOSED", "unknown", UNKNOWN, "query"),
    ("inquiryRefund", "ORDER_NOT_EXIST", "not_found", UNKNOWN, "query")])
def test_a_failure_depends_on_what_was_asked(operation, code, state, verdict, step):
    found = results.classify(operation, {"result": result("F", code)})
    assert (found.state, found.verdict, found.next) == (state, verdict, step)


@pytest.mark.parametrize("operation, member, word, state, verdict", [
    ("inquiryPayment", "paymentStatus", "CANCELLED", "closed", NO),
    ("inquiryPayment", "paymentStatus", "PROCESSING", "pending", UNKNOWN),
    ("inquiryPayment", "paymentStatus", ["SUCCESS"], "unknown", UNKNOWN),
    ("inquiryRefund", "refundStatus", "SUCCESS", "refunded", YES),
    ("inquiryRefund", "refundStatus", "PROCESSING", "refund_pending", UNKNOWN),
    ("inquiryRefund", "paymentStatus", "SUCCESS", "unknown", UNKNOWN)])
def test_an_inquiry_is_about_its_status_and_only_when_signed_and_s(operation, member, word, state, verdict):
    answer = {"result": result(), member: word}
    assert (results.classify(operation, answer).state, results.classify(operation, answer).verdict) == (state, verdict)
    for status in ("F", "U", "X"):
        assert results.classify(operation, dict(answer, result=result(status))).verdict == UNKNOWN
    assert results.classify(operation, answer, signed=False).verdict == UNKNOWN


def test_system_error_is_final_on_ams_and_nobody_knows_on_mapi_and_openapi():
    assert results.classify("refund", {"result": result("F", "SYSTEM_ERROR")}).verdict == NO
    assert mapi_results.classify("forex_refund", {"is_success": "F", "error": "SYSTEM_ERROR"}).verdict == UNKNOWN
    assert openapi_results.classify("alipay.trade.refund", {
        "code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}).verdict == UNKNOWN


@pytest.mark.parametrize("method, answer, state, verdict", [
    ("alipay.trade.pay", {"code": "40004", "sub_code": "ACQ.CONTEXT_INCONSISTENT"}, "conflict", NO),
    ("alipay.trade.pay", {"code": "40004", "sub_code": "ACQ.TRADE_HAS_SUCCESS"}, "unknown", UNKNOWN),
    ("alipay.trade.pay", {"code": "40004", "sub_code": "ACQ.TRADE_HAS_CLOSE"}, "closed", NO),
    ("alipay.trade.pay", {"code": "40001", "sub_code": "isv.missing-subject"}, "failed", NO),
    ("alipay.trade.query", {"code": "10000", "trade_status": "TRADE_FINISHED"}, "paid", YES),
    ("alipay.trade.query", {"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}, "not_found", UNKNOWN),
    ("alipay.trade.query", {"code": "40006"}, "unknown", UNKNOWN), ("alipay.trade.query", {}, "unknown", UNKNOWN),
    ("alipay.trade.refund", {"code": "40004", "sub_code": "ACQ.TRADE_HAS_FINISHED"}, "refund_failed", NO),
    ("alipay.trade.refund", {"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}, "not_found", NO),
    ("alipay.trade.fastpay.refund.query", {"code": "10000"}, "not_refunded", NO),
    ("alipay.trade.fastpay.refund.query", {"code": "10000", "refund_amount": "5.50"}, "refunded", YES),
    ("alipay.trade.fastpay.refund.query", {"code": "10000", "refund_status": "NEW"}, "unknown", UNKNOWN),
    ("alipay.trade.cancel", {"code": "10000", "retry_flag": "Y"}, "unknown", UNKNOWN),
    ("alipay.trade.cancel", {"code": "40004", "sub_code": "ACQ.TRADE_HAS_CLOSE"}, "closed", YES),
    ("alipay.trade.close", {"code": "10000"}, "closed", YES),
    ("alipay.trade.close", {"code": "20000"}, "unknown", UNKNOWN),
    ("alipay.trade.close", {"code": "40004", "sub_code": "ACQ.REASON_TRADE_STATUS_INVALID"}, "cancel_refused", NO),
    ("alipay.trade.precreate", {"code": "10000", "qr_code": "https://qr.example"}, "pending", UNKNOWN),
    ("alipay.trade.new", {"code": "10000"}, "unknown", UNKNOWN)])
def test_openapis_codes_by_method(method, answer, state, verdict):
    found = openapi_results.classify(method, answer)
    assert (found.state, found.verdict) == (state, verdict)


@pytest.mark.parametrize("operation, answer, state, verdict", [
    ("single_trade_query", {"is_success": "T", "trade_status": "TRADE_FINISHED"}, "paid", YES),
    ("single_trade_query", {"is_success": "T", "trade_status": "NEW"}, "unknown", UNKNOWN),
    ("single_trade_query", {"is_success": "F", "error": "ILLEGAL_SIGN"}, "unknown", UNKNOWN),
    ("alipay.acquire.overseas.query", {"is_success": "F", "error": "TRANS_NOT_FOUND"}, "not_found", UNKNOWN),
    ("forex_refund", {"is_success": "T"}, "refund_pending", UNKNOWN),
    ("forex_refund", {"is_success": "F", "error": "REPEATED_REFUNDMENT_REQUEST"}, "refund_unconfirmed", UNKNOWN),
    ("forex_refund", {"is_success": "F", "error": "RETURN_AMOUNT_EXCEED"}, "refund_failed", NO),
    ("forex_refund", {"is_success": "F", "error": "PURCHASE_TRADE_NOT_EXIST"}, "not_found", NO),
    ("forex_refund", {}, "unknown", UNKNOWN), ("forex_refund notify", {"refund_status": "REFUND_FAIL"}, "refund_failed",
                                               NO),
    ("alipay.acquire.refund.query", {"refund_result_code": "PROCESSING"}, "refund_pending", UNKNOWN),
    ("alipay.acquire.refund.query", {"refund_result_code": "CANCELED"}, "refund_failed", NO),
    ("close_trade", {"is_success": "T"}, "unknown", UNKNOWN)])
def test_mapis_answers_by_service(operation, answer, state, verdict):
    found = mapi_results.classify(operation, answer)
    assert (found.state, found.verdict) == (state, verdict)


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(sorted(results.CODES))
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2)
                        | st.dictionaries(st.text(max_size=3), inner, max_size=2))


@settings(max_examples=settings.default.max_examples // 3)
@given(st.sampled_from(sorted(results.OPERATIONS) + ["new"]),
       st.dictionaries(st.sampled_from(["paymentStatus", "refundStatus", "normalUrl", "result", "registrationResult",
                                         "pspRegistrationResultList", "registrationStatus", "merchantInfo"]), ANYTHING),
       st.fixed_dictionaries({"resultStatus": st.sampled_from("SFUX") | ANYTHING, "resultCode": ANYTHING}))
def test_whatever_ams_says_there_is_a_verdict(operation, answer, result_):
    for one in (answer, dict(answer, result=result_)):
        found = results.classify(operation, one)
        assert found.verdict in (YES, NO, UNKNOWN) and found.next in NEXT
        if found.verdict == YES and found.state != "closed":
            assert one["result"]["resultStatus"] == "S"


@settings(max_examples=settings.default.max_examples // 3)
@given(st.sampled_from(["alipay.trade.pay", "alipay.trade.query", "alipay.trade.refund", "alipay.trade.cancel",
                        "forex_refund", "single_trade_query", "alipay.acquire.refund.query"]),
       st.dictionaries(st.sampled_from(["code", "sub_code", "trade_status", "refund_status", "is_success", "error"]),
                       st.none() | st.text(max_size=8) | st.sampled_from(["10000", "40004", "T", "F"])))
def test_whatever_the_others_say_there_is_a_verdict(operation, answer):
    for classify in (openapi_results.classify, mapi_results.classify):
        assert classify(operation, answer).verdict in (YES, NO, UNKNOWN)
