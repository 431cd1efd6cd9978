"""``backends/ams_client.py``: what is sent, what is believed, what is repeated, and what is told when nobody knows.

The transport is a script; AMS's part is signed by the openssl command.
"""
import pytest

from alipay_mapi.errors import (ConfigurationError, GatewayError, InvalidRequest, MissingKey, OrderMismatch,
                                OutcomeUnknown, ResponseSignatureInvalid, ResponseSignatureMissing, TransportError)
from alipay_mapi.migration.ams import Account
from alipay_mapi.migration.backends import AmsClient
from alipay_mapi.migration.errors import NotDecided, NotTranslatable
from alipay_mapi.transport import RequestsTransport
import loopback
from loopback import Loopback
from migration_samples import account, answer_headers, dumped, pem, result
from scripted_ams import Answer, client, says
from translating import WEB, ams, openapi

USD = {"currency": "USD", "value": "550"}
BROKEN = TransportError("broken", kind="broken", sent=True)
NOT_SENT = TransportError("dns", kind="dns", sent=False)


def inquiry(**content):
    return says("payments/inquiryPayment", dict({"result": result(), "paymentRequestId": "A1"}, **content))


def refund(made):
    return made.refund(refund_request_id="R1", payment_id="P1", refund_amount=USD, refund_reason="late",
                       refund_notify_url="https://m.example/n")


def test_a_signed_request_goes_to_the_domain_and_its_answer_is_classified():
    made, script, _ = client(inquiry(paymentStatus="SUCCESS"))
    reply = made.inquiry_payment(payment_request_id="A1")
    call, = script.calls
    assert (reply.outcome.state, reply.outcome.verdict, reply.answer.signed) == ("paid", "yes", True)
    assert call.url == "https://open-sea-global.alipay.com/ams/api/v1/payments/inquiryPayment"
    assert (call.method, call.body) == ("POST", b'{"paymentRequestId":"A1"}')
    assert call.headers["request-time"] == "1778558400000" and call.headers["client-id"] == "CLIENT001"


def test_a_refund_as_the_page_has_it():
    made, script, _ = client(says("payments/refund", {"result": result(), "refundRequestId": "R1", "refundId": "RF1"}))
    assert refund(made).outcome.state == "refunded"
    assert script.calls[0].body == (
        b'{"refundRequestId":"R1","paymentId":"P1","refundAmount":{"currency":"USD","value":"550"},'
        b'"refundReason":"late","refundNotifyUrl":"https://m.example/n"}')


@pytest.mark.parametrize("answer", [
    BROKEN, ValueError("https://secret.example/?sign=x"), Answer(502, b"x", {}), Answer(200, b"<html>", {}),
    Answer(200, b"", {}), Answer(200, None, {}), Answer(200, b"{}", None),
    says("payments/refund", {"result": result("U", "UNKNOWN_EXCEPTION")}),
    says("payments/refund", {"result": result("U", "REQUEST_TRAFFIC_EXCEED_LIMIT")}),
    says("payments/refund", {"result": result("X", "NEW")}),
    says("payments/refund", {"result": result("S", "PROCESS_FAIL")}),
    says("payments/refund", {"result": result()}, headers={}),
    says("payments/refund", {"result": result("F", "INVALID_SIGNATURE")}, headers={}),
    says("payments/inquiryRefund", {"result": result()}),
    says("payments/refund", {"result": result(), "refundRequestId": "R2"}),
    says("payments/refund", b"[]"), says("payments/refund", {"result": result()}, headers={"x": 1})])
def test_a_write_without_a_usable_answer_is_an_unknown_outcome_and_is_sent_once(answer):
    made, script, slept = client(answer)
    with pytest.raises(OutcomeUnknown) as caught:
        refund(made)
    error = caught.value
    assert (error.refundRequestId, error.paymentId, error.service) == ("R1", "P1", "payments/refund")
    assert len(script.calls) == 1 and not slept
    assert "secret" not in str(error) and error.__context__ is None and "same ids" in str(error)


def test_a_write_that_was_not_sent_changed_nothing():
    made, script, _ = client(NOT_SENT)
    with pytest.raises(TransportError):
        refund(made)
    assert len(script.calls) == 1


@pytest.mark.parametrize("code, step", [("REFUND_AMOUNT_EXCEED", "stop"), ("SYSTEM_ERROR", "new"),
                                        ("REPEAT_REQ_INCONSISTENT", "query"), ("ORDER_NOT_EXIST", "query")])
def test_a_signed_no_is_a_no(code, step):
    made, _, _ = client(says("payments/refund", {"result": result("F", code)}))
    with pytest.raises(GatewayError) as caught:
        refund(made)
    assert (caught.value.code, caught.value.service, caught.value.next) == (code, "payments/refund", step)


def test_what_is_in_process_is_handed_out_with_what_to_do():
    made, _, _ = client(says("payments/refund", {"result": result("U", "REFUND_IN_PROCESS")}))
    assert refund(made).outcome[:3] == ("unknown", "refund_pending", "wait")
    made, _, _ = client(says("payments/pay", {"result": result("U", "PAYMENT_IN_PROCESS"),
                                              "normalUrl": "https://c.example"}))
    content = ams("create_forex_trade", WEB).steps[0].content
    reply = made.pay(content)
    assert reply.outcome[:3] == ("unknown", "pending", "wait") and reply.answer["normalUrl"] == "https://c.example"
    assert made.pay(dict(content)).outcome.state == "pending"


def test_an_authorization_is_no_payment():
    made, _, _ = client(says("payments/pay", {"result": result()}))
    content = dict(ams("create_forex_trade", WEB).steps[0].content, paymentFactor={"isAuthorization": "true"})
    assert made.pay(content).outcome.state == "authorized"


@pytest.mark.parametrize("name", ["productCode", "paymentRequestId", "order", "paymentAmount", "paymentMethod"])
def test_a_payment_without_what_it_needs_is_not_sent(name):
    made, script, _ = client(BROKEN)
    content = dict(ams("create_forex_trade", WEB).steps[0].content)
    del content[name]
    with pytest.raises(InvalidRequest, match=name):
        made.pay(content)
    assert script.calls == []


def test_a_read_is_repeated_after_a_fault_and_gives_up_at_last():
    made, script, slept = client(BROKEN, NOT_SENT, inquiry(paymentStatus="PROCESSING"))
    assert made.inquiry_payment(payment_request_id="A1").outcome.state == "pending"
    assert len(script.calls) == 3 and slept == [0.2, 0.4]
    made, script, slept = client(BROKEN)
    with pytest.raises(TransportError):
        made.inquiry_payment(payment_request_id="A1")
    assert len(script.calls) == 3
    made, script, _ = client(BROKEN, budget=0.1)
    with pytest.raises(TransportError):
        made.inquiry_payment(payment_request_id="A1")
    assert len(script.calls) == 1


@pytest.mark.parametrize("answer, error", [
    (inquiry(result=result("F", "ORDER_NOT_EXIST")), GatewayError),
    (inquiry(result=result("F", "INVALID_CLIENT")), GatewayError),
    (inquiry(result=result("U", "UNKNOWN_EXCEPTION")), NotDecided), (inquiry(result=result("X", "Y")), NotDecided),
    (says("payments/inquiryPayment", {"result": result("F", "INVALID_SIGNATURE")}, headers={}), GatewayError),
    (says("payments/inquiryPayment", {"result": result()}, headers={}), ResponseSignatureMissing),
    (says("payments/pay", {"result": result()}), ResponseSignatureInvalid),
    (inquiry(paymentRequestId="A2"), OrderMismatch)])
def test_a_read_says_what_is_wrong_and_asks_once(answer, error):
    made, script, _ = client(answer)
    with pytest.raises(error) as caught:
        made.inquiry_payment(payment_request_id="A1")
    assert type(caught.value) is error and len(script.calls) == 1
    if error is GatewayError and caught.value.code == "INVALID_SIGNATURE":
        assert caught.value.signed is False


def test_another_http_status_is_no_answer_even_when_it_is_signed():
    genuine = inquiry(paymentStatus="SUCCESS")()
    made, script, _ = client(genuine._replace(status=500), genuine)
    assert made.inquiry_payment(payment_request_id="A1").outcome.state == "paid"
    assert len(script.calls) == 2


def test_a_step_that_still_lacks_something_is_not_sent():
    refund_params = {"out_return_no": "R1", "out_trade_no": "A1", "return_amount": "5.50", "currency": "USD"}
    translation = ams("forex_refund", refund_params, {"home": "ams"})
    made, script, _ = client(BROKEN)
    with pytest.raises(InvalidRequest, match="paymentId"):
        made.carry_out(translation._replace(steps=translation.steps[1:]))
    assert script.calls == []


def test_a_status_that_nobody_knows_is_unknown_and_no_error():
    made, _, _ = client(inquiry(paymentStatus="NEW"))
    assert made.inquiry_payment(payment_id="P1").outcome.state == "unknown"


def test_cancel_and_the_refunds_inquiry():
    made, script, _ = client(says("payments/cancel", {"result": result(), "cancelTime": "2026-05-12T12:00:00+08:00"}))
    assert made.cancel(payment_request_id="A1").outcome[:2] == ("yes", "closed")
    made, script, _ = client(says("payments/inquiryRefund", {"result": result(), "refundStatus": "FAIL"}))
    assert made.inquiry_refund(refund_request_id="R1").outcome[:2] == ("no", "refund_failed")
    for call in (made.cancel, made.inquiry_payment, made.inquiry_refund):
        with pytest.raises(InvalidRequest, match="give one"):
            call()


def test_a_translated_refund_asks_first_and_is_filled():
    translation = ams("forex_refund", {"out_return_no": "R1", "out_trade_no": "A1", "return_amount": "5.50",
                                       "currency": "USD"},
                      {"home": "ams"})
    made, script, _ = client(inquiry(paymentStatus="SUCCESS", paymentId="P9",
                                     paymentAmount={"currency": "USD", "value": "1100"}),
                             says("payments/refund", {"result": result(), "refundRequestId": "R1", "paymentId": "P9"}))
    assert made.carry_out(translation).outcome.state == "refunded"
    assert [call.url.rpartition("/")[2] for call in script.calls] == ["inquiryPayment", "refund"]
    assert b'"paymentId":"P9"' in script.calls[1].body
    made, script, _ = client(inquiry(paymentId="P9", paymentAmount={"currency": "CNY", "value": "1100"}))
    with pytest.raises(NotTranslatable):
        made.carry_out(translation)
    assert len(script.calls) == 1, "the refund was not sent"


def test_a_translation_with_refusals_or_for_another_gateway_is_not_sent():
    made, script, _ = client(BROKEN)
    with pytest.raises(NotTranslatable):
        made.carry_out(ams("create_forex_trade", WEB, total_fee="0"))
    with pytest.raises(InvalidRequest, match="openapi"):
        made.carry_out(openapi("single_trade_query", {"out_trade_no": "A1"}))
    with pytest.raises(InvalidRequest, match="no call of AMS"):
        made.call("payments/new", {})
    assert script.calls == []


def test_without_the_key_that_checks_nothing_is_sent():
    made, script, _ = client(BROKEN, account=Account("CLIENT001", private_key=pem("merchant-private")))
    with pytest.raises(MissingKey):
        refund(made)
    assert script.calls == []


def test_a_refused_setting_of_the_transport_is_passed_on():
    made, _, _ = client(ConfigurationError("plain http is only for this machine"))
    with pytest.raises(ConfigurationError):
        refund(made)


def test_a_sandbox_client_asks_the_sandbox():
    body = dumped({"result": result(), "paymentStatus": "SUCCESS"})
    path = "/ams/sandbox/api/v1/payments/inquiryPayment"
    made, script, _ = client(Answer(200, body, answer_headers(path, body, client_id="SANDBOX_1")),
                             account=account("SANDBOX_1"))
    assert made.inquiry_payment(payment_id="P1").outcome.state == "paid"
    assert script.calls[0].url.endswith(path)


def test_the_same_over_a_socket_as_the_signature_stands_in_the_headers():
    """Genuine: an answer that openssl has signed. Hostile: the same with one byte changed on the way."""
    body = dumped({"result": result(), "paymentRequestId": "A1", "paymentStatus": "SUCCESS"})
    signed = {name.replace("-", "_"): value for name, value in
              answer_headers("/ams/api/v1/payments/inquiryPayment", body).items()}
    altered = body.replace(b"SUCCESS", b"SUCCESs")
    answers = [loopback.says(loopback.http(text, **signed)) for text in (body, altered)]
    with Loopback(*answers) as server:
        domain = server.url[:-len("/gateway.do")]
        made = AmsClient(account(domain=domain, allow_http=True), RequestsTransport(allow_http=True), retries=0)
        assert made.inquiry_payment(payment_request_id="A1").outcome.state == "paid"
        assert server.requests[0].target == "/ams/api/v1/payments/inquiryPayment"
        with pytest.raises(ResponseSignatureInvalid):
            made.inquiry_payment(payment_request_id="A1")
