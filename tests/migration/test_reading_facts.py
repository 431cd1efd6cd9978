"""``reading/facts.py``: a checked message of AMS becomes what TradeState takes, or is refused by name."""
from datetime import datetime
from decimal import Decimal

import pytest

from alipay_mapi.errors import (AmountMismatch, CurrencyMismatch, GatewayError, InvalidRequest, MalformedParameter,
                                MissingParameter, OrderMismatch, OrderNotFound, UnknownStatus, UntrustedMessage)
from alipay_mapi.migration.ams import verify_answer, verify_notification
from alipay_mapi.migration.errors import NotDecided
from alipay_mapi.migration.reading import openapi_trade_facts, refund_facts, refunds_in, trade_facts
from alipay_mapi.notification import Notification
from alipay_mapi.order import Order
from alipay_mapi.response import Response
from alipay_mapi.times import GMT8
from alipay_mapi.trade_state import Effect, TradeState
from migration_samples import INQUIRY, account, answer_headers, dumped, notification_headers, result, row

SERVICE = "create_forex_trade"
ORDER = Order("ORDER0001", total_fee="11.00", currency="USD")
IN_YUAN = Order("ORDER0001", rmb_fee="66.60", currency="USD")
PATH = "/notify/alipay"
DOLLARS, YUAN = {"currency": "USD", "value": "1100"}, {"currency": "CNY", "value": "6660"}
PAID = {"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "ORDER0001", "paymentId": "P1",
        "paymentAmount": DOLLARS, "paymentTime": "2026-05-11T21:13:01-07:00"}


def told(**changes):
    content = {name: value for name, value in dict(PAID, **changes).items() if value is not None}
    body = dumped(content)
    return verify_notification(account(), PATH, notification_headers(PATH, body), body)


def answered(status="SUCCESS", **changes):
    content = dict({"result": result(), "paymentStatus": status, "paymentRequestId": "ORDER0001", "paymentId": "P1",
                    "paymentAmount": DOLLARS}, **changes)
    body = dumped({name: value for name, value in content.items() if value is not None})
    return verify_answer(account(), INQUIRY, answer_headers(INQUIRY, body), body)


def refund(amount, status="SUCCESS", number="R1"):
    return {"transactionType": "REFUND", "transactionRequestId": number, "transactionStatus": status,
            "transactionAmount": {"currency": "USD", "value": amount}}


def effects(*facts, **settings):
    state, found = TradeState(settings.get("order", ORDER)), []
    for fact in facts:
        state, new = state.apply(fact)
        found += [(effect.kind, effect.detail) for effect in new]
    return state.status, found


@pytest.mark.parametrize("changes", [{"paymentAmount": {"currency": "USD", "value": "1101"}},
                                     {"paymentAmount": {"currency": "EUR", "value": "1100"}}])
def test_another_amount_is_refused_or_handed_out_without_its_check(changes):
    with pytest.raises((AmountMismatch, CurrencyMismatch)):
        trade_facts(told(**changes), ORDER, SERVICE)
    fact = trade_facts(told(**changes), ORDER, SERVICE, strict=False)
    assert "amount" not in fact.passed and fact.unchecked["amount"] and not fact.is_paid
    assert effects(fact)[0] == "needs_a_person"
    assert trade_facts(told(), ORDER, SERVICE, strict=False).is_paid


def test_another_amount_in_yuan_is_told_in_the_same_way():
    yuan = told(paymentAmount={"currency": "CNY", "value": "6661"})
    fact = trade_facts(yuan, IN_YUAN, SERVICE, strict=False)
    assert isinstance(fact, Response) and "amount" not in fact.passed
    assert effects(fact, order=IN_YUAN)[0] == "needs_a_person"
    with pytest.raises(CurrencyMismatch):
        trade_facts(told(), IN_YUAN, SERVICE)


@pytest.mark.parametrize("value", ["6660", "1100"])     # the first is the order's price, in the wrong currency
def test_an_order_in_yuan_that_is_told_in_another_currency_is_a_persons(value):
    fact = trade_facts(told(paymentAmount={"currency": "USD", "value": value}), IN_YUAN, SERVICE, strict=False)
    assert "amount" not in fact.passed and "total_fee" not in fact
    status, found = effects(fact, order=IN_YUAN)
    assert (status, [kind for kind, _ in found]) == ("needs_a_person", ["needs_a_person"])


def test_a_paid_notification_in_mapis_words():
    sample = row("ams_notifications", "ams-ntf-01")
    message = verify_notification(account(), sample["request_target"], sample["headers"],
                                  sample["body"].encode("utf-8"))
    fact = trade_facts(message, ORDER, SERVICE)
    assert dict(fact) == {
        "out_trade_no": "ORDER0001", "trade_no": "2026051219401080010018800000000", "trade_status": "TRADE_FINISHED",
        "total_fee": "11.00", "currency": "USD", "gmt_create": "2026-05-12 12:12:14",
        "gmt_payment": "2026-05-12 12:13:01",
        "buyer_id": "2088000000000000", "notify_time": "2025-08-12 14:31:40", "notify_type": "trade_status_sync",
        "notify_id": "PAYMENT_RESULT:2026051219401080010018800000000:S"}
    assert isinstance(fact, Notification) and fact.is_paid and fact.kind == "trade"
    assert fact.passed == {"sign", "party", "order", "amount"}
    assert fact.gmt_payment == datetime(2026, 5, 12, 12, 13, 1, tzinfo=GMT8) and fact.total_fee == Decimal("11.00")


@pytest.mark.parametrize("message, status, kinds", [
    (told, "paid", ["paid"]), (lambda: told(result=result("F", "ORDER_IS_CLOSED"), paymentTime=None), "closed",
                               ["closed"]),
    (lambda: told(notifyType="PAYMENT_PENDING", paymentTime=None), "waiting", []),
    (lambda: told(result=result("U", "X"), paymentTime=None), "waiting", []), (answered, "paid", ["paid"]),
    (lambda: answered("PROCESSING"), "waiting", []), (lambda: answered("PENDING"), "waiting", []),
    (lambda: answered("FAIL"), "closed", ["closed"]), (lambda: answered("CANCELLED"), "closed", ["closed"]),
    (lambda: answered("CANCELLED", paymentTime="2026-05-12T12:00:00+08:00"), "refunded", ["refunded"]),
    (lambda: answered(transactions=[refund("1100")]), "refunded", ["refunded"]),
    (lambda: answered(transactions=[refund("500"), refund("600", number="R2")]), "refunded", ["refunded"]),
    (lambda: answered(transactions=[refund("500")]), "paid", ["paid"]),
    (lambda: answered(transactions=[refund("1100", "FAIL"), refund("1100", "PROCESSING")]), "paid", ["paid"])])
def test_trade_state_takes_it_and_does_what_the_table_says(message, status, kinds):
    found, new = effects(trade_facts(message(), ORDER, SERVICE))
    assert (found, [kind for kind, _ in new]) == (status, kinds)


def test_news_in_any_order_again_and_from_both_sources_has_its_effect_once():
    news = [trade_facts(message, ORDER, SERVICE) for message in (
        answered("PROCESSING"), told(), told(), answered(), answered(pspCustomerInfo={"pspCustomerId": "2088"}),
        answered(transactions=[refund("500")]))]
    assert effects(*news) == ("paid", [("paid", "")]) == effects(*news[::-1])


@pytest.mark.parametrize("changes, word, back", [
    ({"status": "CANCELLED", "paymentTime": "2026-05-12T12:00:00+08:00"}, "TRADE_CLOSED", "11.00"),
    ({"status": "CANCELLED"}, "TRADE_CLOSED", None), ({"status": "FAIL"}, "TRADE_CLOSED", None),
    ({"transactions": [refund("1100")]}, "TRADE_CLOSED", "11.00"),
    ({"transactions": [refund("1099")]}, "TRADE_FINISHED", "10.99"),
    ({"transactions": [refund("1100", "FAIL")]}, "TRADE_FINISHED", None)])
def test_what_went_back_is_told_as_mapi_tells_it(changes, word, back):
    """A paid one that was cancelled went back whole, and only a whole refund closes."""
    fact = trade_facts(answered(**changes), ORDER, SERVICE)
    assert (fact["trade_status"], fact.get("to_buyer_fee")) == (word, back)


def test_a_late_success_of_a_cancelled_payment_is_no_second_payment():
    cancelled = trade_facts(answered("CANCELLED"), ORDER, SERVICE)
    status, new = effects(cancelled, trade_facts(told(), ORDER, SERVICE))
    assert status == "refunded" and ("paid", "") not in new


def test_an_order_priced_in_yuan_is_settled_by_either_source():
    for message in (told(paymentAmount=YUAN), answered(paymentAmount=YUAN)):
        fact = trade_facts(message, IN_YUAN, SERVICE)
        assert isinstance(fact, Response) and "currency" not in fact and fact.total_fee == Decimal("66.60")
        assert effects(fact, order=IN_YUAN) == ("paid", [("paid", "")])
    with pytest.raises(CurrencyMismatch):
        trade_facts(told(), IN_YUAN, SERVICE)
    with pytest.raises(AmountMismatch):
        trade_facts(told(paymentAmount={"currency": "CNY", "value": "6661"}), IN_YUAN, SERVICE)


@pytest.mark.parametrize("currency", [None, "CNY"])
def test_a_domestic_order(currency):
    order = Order("ORDER0001", total_fee="66.6", currency=currency)
    fact = trade_facts(answered(paymentAmount=YUAN), order, "create_direct_pay_by_user")
    assert fact["trade_status"] == "TRADE_SUCCESS" and effects(fact, order=order) == ("paid", [("paid", "")])


@pytest.mark.parametrize("changes, order, error", [
    ({}, Order("ORDER0002", total_fee="11.00", currency="USD"), OrderMismatch),
    ({}, lambda number: None, OrderNotFound),
    ({"paymentAmount": {"currency": "USD", "value": "1"}}, ORDER, AmountMismatch),
    ({"paymentAmount": {"currency": "EUR", "value": "1100"}}, ORDER, CurrencyMismatch),
    ({"paymentAmount": {"currency": "CHF", "value": "1100"}}, ORDER, MalformedParameter),
    ({"paymentAmount": "11.00"}, ORDER, MalformedParameter), ({"paymentTime": "yesterday"}, ORDER, MalformedParameter),
    ({"paymentId": ""}, ORDER, MissingParameter), ({"paymentRequestId": 1.5}, ORDER, OrderMismatch),
    ({"result": result("X", "Y")}, ORDER, UnknownStatus), ({"result": "S"}, ORDER, UnknownStatus),
    ({"transactions": "R1"}, ORDER, MalformedParameter)])
def test_a_notification_that_does_not_fit_the_order_is_refused(changes, order, error):
    with pytest.raises(error):
        trade_facts(told(**changes), order, SERVICE)


@pytest.mark.parametrize("changes, error, code", [
    ({"result": result("F", "ORDER_NOT_EXIST")}, GatewayError, "TRADE_NOT_EXIST"),
    ({"result": result("F", "INVALID_CLIENT")}, GatewayError, "ILLEGAL_PARTNER"),
    ({"result": result("U", "UNKNOWN_EXCEPTION")}, NotDecided, "SYSTEM_ERROR"),
    ({"result": result("F", "SYSTEM_ERROR")}, NotDecided, "SYSTEM_ERROR"),
    ({"result": result("X", "Y")}, NotDecided, "SYSTEM_ERROR"), ({"status": "NEW"}, NotDecided, "SYSTEM_ERROR")])
def test_an_inquiry_that_says_nothing_about_the_order_is_no_fact(changes, error, code):
    with pytest.raises(error) as caught:
        trade_facts(answered(**changes), ORDER, SERVICE)
    assert type(caught.value) is error and caught.value.code == code and caught.value.native_code


def test_an_unsigned_answer_is_no_fact():
    unsigned = verify_answer(account(), INQUIRY, {}, dumped({"result": result("F", "ORDER_NOT_EXIST")}))
    with pytest.raises(UntrustedMessage):
        trade_facts(unsigned, ORDER, SERVICE)
    with pytest.raises(UntrustedMessage):
        refund_facts(unsigned, ORDER)


def refund_told(**changes):
    content = dict({"notifyType": "REFUND_RESULT", "result": result(), "refundStatus": "SUCCESS",
                    "refundRequestId": "R1",
                    "refundId": "RF1", "refundAmount": {"currency": "USD", "value": "550"},
                    "refundTime": "2026-05-12T13:00:00+08:00"}, **changes)
    body = dumped(content)
    return verify_notification(account(), PATH, notification_headers(PATH, body), body)


def refund_answered(**changes):
    body = dumped(dict({"result": result(), "refundStatus": "SUCCESS", "refundRequestId": "R1", "refundId": "RF1",
                        "refundAmount": {"currency": "USD", "value": "550"}}, **changes))
    return verify_answer(account(), INQUIRY, answer_headers(INQUIRY, body), body)


def test_a_refund_in_mapis_words():
    fact = refund_facts(refund_told(), ORDER)
    assert dict(fact) == {
        "notify_type": "trade_status_sync", "notify_id": "REFUND_RESULT:RF1:REFUND_SUCCESS",
        "notify_time": "2025-08-12 14:31:40", "out_trade_no": "ORDER0001", "out_return_no": "R1",
        "refund_status": "REFUND_SUCCESS", "return_amount": "5.50", "currency": "USD",
        "gmt_refund": "2026-05-12 13:00:00"}
    assert fact.is_refund
    paid = trade_facts(told(), ORDER, SERVICE)
    assert effects(paid, fact, refund_facts(refund_told(), ORDER)) == ("paid", [("paid", ""), ("refunded", "R1")])


def test_a_failed_refund_needs_a_person_whatever_its_result_says():
    fact = refund_facts(refund_told(refundStatus="FAIL", result=result("S", "REFUND_WINDOW_EXCEED")), ORDER)
    assert fact["error_code"] == "REFUNDMENT_VALID_DATE_EXCEED"
    state, new = TradeState(ORDER).apply(fact)
    assert new == (Effect("needs_a_person", "ORDER0001", "refund R1 ended as REFUND_FAIL"),)


def test_a_refund_inquiry_is_the_same_news():
    assert refund_facts(refund_answered(), ORDER)["refund_status"] == "REFUND_SUCCESS"
    with pytest.raises(NotDecided):
        refund_facts(refund_answered(refundStatus="PROCESSING"), ORDER)
    with pytest.raises(NotDecided):
        refund_facts(refund_answered(result=result("U", "UNKNOWN_EXCEPTION")), ORDER)
    with pytest.raises(GatewayError):
        refund_facts(refund_answered(result=result("F", "ORDER_NOT_EXIST")), ORDER)


@pytest.mark.parametrize("changes, error", [
    ({"refundStatus": "NEW"}, UnknownStatus), ({"refundStatus": "PROCESSING"}, NotDecided),
    ({"refundAmount": {"currency": "EUR", "value": "1"}}, CurrencyMismatch),
    ({"refundAmount": None}, MalformedParameter),
    ({"refundRequestId": ""}, MissingParameter), ({"refundTime": "x"}, MalformedParameter)])
def test_a_refund_that_says_something_else_is_refused(changes, error):
    with pytest.raises(error):
        refund_facts(refund_told(**changes), ORDER)


@pytest.mark.parametrize("call", [
    lambda: trade_facts(refund_told(), ORDER, SERVICE), lambda: refund_facts(told(), ORDER),
    lambda: trade_facts({}, ORDER, SERVICE),
    lambda: refund_facts({}, ORDER), lambda: refund_facts(refund_told(), None)])
def test_a_message_of_another_kind_is_the_callers_mistake(call):
    with pytest.raises(InvalidRequest):
        call()


def test_the_refunds_of_an_inquiry():
    message = answered(transactions=[refund("500"), refund("600", "PROCESSING", "R2"), {"transactionType": "CAPTURE"}])
    assert [tuple(one) for one in refunds_in(message)] == [
        ("R1", "REFUND_SUCCESS", Decimal("5.00")), ("R2", None, Decimal("6.00"))]
    assert trade_facts(message, ORDER, SERVICE)["to_buyer_fee"] == "5.00"
    for status, word in (("S", "REFUND_SUCCESS"), ("F", "REFUND_FAIL"), ("U", None)):
        one = dict(refund("500"), transactionStatus=None, transactionResult=result(status, "X"))
        assert refunds_in(answered(transactions=[one]))[0].refund_status == word


@pytest.mark.parametrize("transactions, error", [
    ([1], MalformedParameter), ({"a": 1}, MalformedParameter), ([{"transactionType": "REFUND"}], MalformedParameter),
    ([dict(refund("5"), transactionAmount=None)], MalformedParameter), ([refund("5", "NEW")], UnknownStatus)])
def test_a_list_of_refunds_that_cannot_be_read_is_refused(transactions, error):
    with pytest.raises(error):
        refunds_in(answered(transactions=transactions))


@pytest.mark.parametrize("status, service, word, state", [
    ("TRADE_SUCCESS", "create_direct_pay_by_user", "TRADE_SUCCESS", "paid"),
    ("TRADE_FINISHED", "create_direct_pay_by_user", "TRADE_FINISHED", "paid"),
    ("TRADE_SUCCESS", "create_forex_trade", "TRADE_FINISHED", "paid"),
    ("WAIT_BUYER_PAY", "create_direct_pay_by_user", "WAIT_BUYER_PAY", "waiting"),
    ("TRADE_CLOSED", "create_direct_pay_by_user", "TRADE_CLOSED", "closed")])
def test_openapis_verified_fields(status, service, word, state):
    order = Order("A1", total_fee="8.00")
    fields = {"out_trade_no": "A1", "trade_no": "T1", "total_amount": "8.00", "trade_status": status,
              "buyer_open_id": "o1",
              "notify_id": "N1", "notify_time": "2026-05-12 12:00:00"}
    fact = openapi_trade_facts(fields, order, service)
    assert fact["trade_status"] == word and fact["buyer_id"] == "o1" and fact["notify_id"] == "N1"
    assert effects(fact, order=order)[0] == state
    refunded = openapi_trade_facts(dict(fields, trade_status="TRADE_CLOSED", gmt_payment="2026-05-12 11:00:00"), order,
                                   service)
    assert effects(refunded, order=order)[0] == "refunded"


@pytest.mark.parametrize("changes, error", [
    ({"total_amount": "8.01"}, AmountMismatch), ({"total_amount": None}, MissingParameter),
    ({"trade_no": ""}, MissingParameter),
    ({"out_trade_no": "A2"}, OrderMismatch), ({"trade_status": "NEW"}, UnknownStatus)])
def test_openapis_fields_that_do_not_fit_are_refused(changes, error):
    fields = dict({"out_trade_no": "A1", "trade_no": "T1", "total_amount": "8.00", "trade_status": "TRADE_SUCCESS"},
                  **changes)
    with pytest.raises(error):
        openapi_trade_facts(fields, Order("A1", total_fee="8.00"), SERVICE)


def test_a_dollar_order_is_never_paid_by_yuan_of_openapi():
    fields = {"out_trade_no": "ORDER0001", "trade_no": "T1", "total_amount": "11.00", "trade_status": "TRADE_SUCCESS"}
    with pytest.raises(CurrencyMismatch):
        openapi_trade_facts(fields, ORDER, SERVICE)


def capture(amount, status="SUCCESS", number="C1"):
    return dict(refund(amount, status, number), transactionType="CAPTURE")


@pytest.mark.parametrize("captures, expected", [
    ((), "waiting"), ((capture("1100", "PROCESSING"),), "waiting"), ((capture("1100", "FAIL"),), "waiting"),
    ((capture("1000"),), "waiting"), ((capture("1100"),), "paid"),
    ((capture("1000"), capture("100", number="C2")), "paid"), ((refund("1100"),), "waiting")])
def test_the_money_of_a_card_is_paid_when_it_is_captured_and_not_when_it_is_reserved(captures, expected):
    answer = answered(authExpiryTime="2026-05-18T12:00:00+08:00", transactions=list(captures))
    assert effects(trade_facts(answer, ORDER, SERVICE))[0] == expected


def test_a_card_notification_cannot_tell_so_it_waits_for_the_inquiry():
    assert effects(trade_facts(told(paymentResultInfo={"cardBrand": "VISA"}), ORDER, SERVICE)) == ("waiting", [])
    assert effects(trade_facts(told(), ORDER, SERVICE))[0] == "paid"


def test_a_payment_that_failed_never_becomes_a_refund_and_one_told_both_ways_is_for_a_person():
    """Hostile, or late: only a cancellation gives money back."""
    failed = told(result=result("F", "ORDER_IS_CLOSED"), paymentTime=None)
    assert effects(trade_facts(failed, ORDER, SERVICE)) == ("closed", [("closed", "")])
    paid, failed = trade_facts(told(), ORDER, SERVICE), trade_facts(failed, ORDER, SERVICE)
    for order_of_news in ((paid, failed), (failed, paid)):
        status, found = effects(*order_of_news)
        assert status == "paid" and ("paid", "") in found and ("refunded", "") not in found
        assert ("needs_a_person", "told to be paid and to have failed, in one trade") in found


def test_a_refund_in_another_currency_is_refused_and_one_that_is_listed_twice_counts_once():
    with pytest.raises(MalformedParameter):
        trade_facts(answered(transactions=[dict(refund("9"), transactionAmount={"currency": "JPY", "value": "9"})]),
                    ORDER, SERVICE)
    twice = trade_facts(answered(transactions=[refund("600"), refund("600")]), ORDER, SERVICE)
    assert twice["to_buyer_fee"] == "6.00" and effects(twice)[0] == "paid"


def test_the_inquiry_of_a_refund_is_no_repetition_of_its_notification():
    content = {"refundStatus": "SUCCESS", "refundRequestId": "R1", "refundId": "RF1",
               "refundAmount": {"currency": "USD", "value": "320"}}
    body = dumped(dict(content, notifyType="REFUND_RESULT", result=result(), refundTime="2026-05-12T12:13:01+08:00"))
    note = verify_notification(account(), PATH, notification_headers(PATH, body), body)
    body = dumped(dict(content, result=result()))
    path = "/ams/api/v1/payments/inquiryRefund"
    asked = verify_answer(account(), path, answer_headers(path, body), body)
    _, found = effects(trade_facts(told(), ORDER, SERVICE), refund_facts(note, ORDER), refund_facts(asked, ORDER))
    assert found == [("paid", ""), ("refunded", "R1")]
