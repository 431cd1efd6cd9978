"""``AmsClient`` with cards: what is sent, what is believed, and a number that shows nowhere, whatever fails.

The number is the canary: after every failing path it is looked for in the error, in what the error came from, in every
variable of its traceback, in the log and in a pickle.
"""
import logging
import pickle
import re
import traceback

import pytest

from alipay_mapi.errors import (AlipayError, ConfigurationError, GatewayError, InvalidRequest, MissingKey,
                                OutcomeUnknown, TransportError)
from alipay_mapi.migration.ams import Account, card
from alipay_mapi.migration.ams.card_results import card_result
from alipay_mapi.migration.ams.card_secret import CardNumber, SecurityCode
from migration_samples import pem, result
from scripted_ams import Answer, client, says

NUMBER, CODE = "4111111111111111", "7379"
CONTENT = {"productCode": "CASHIER_PAYMENT", "paymentRequestId": "A1", "paymentNotifyUrl": "https://m.example/n",
           "paymentAmount": {"currency": "USD", "value": "1100"},
           "order": {"referenceOrderId": "A1", "orderDescription": "tea",
                     "orderAmount": {"currency": "USD", "value": "1100"}}}


def raw():
    return dict(CONTENT, **card.raw_card(CardNumber(NUMBER), pci_qualified=True, expiry_month="12", expiry_year="29",
                                         cvv=SecurityCode(CODE)))


def pay(**content):
    return says("payments/pay", dict({"result": result()}, **content))


class Quoting(TransportError):
    """A transport of somebody else, which puts into its error all that it has."""

    def __init__(self, call, **facts):
        super().__init__("could not send {!r} to {}".format(call.body, call.url), body=call.body.decode("utf-8"),
                         **facts)


class Quotes:
    """Raises what ``make`` makes of the call."""

    def __init__(self, make):
        self.make, self.calls = make, []

    def send(self, call):
        self.calls.append(call)
        try:
            raise ValueError(call.body.decode("utf-8"))
        except ValueError as cause:
            raise self.make(call) from cause


def shown(error):
    """Everything that a person or an error collector could see of it."""
    whole = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    whole += "{} {!r} {} {}".format(error, error, getattr(error, "facts", ""), vars(error))
    trace = error.__traceback__
    while trace is not None:
        # The frames of the test itself hold the number; ours may not.
        if "alipay_mapi" in trace.tb_frame.f_code.co_filename and "tests" not in trace.tb_frame.f_code.co_filename:
            whole += repr(trace.tb_frame.f_locals)
        trace = trace.tb_next
    # Of addresses, which any four digits may stand in as well, nothing.
    return re.sub("0x[0-9a-f]+", "", whole) + repr(pickle.dumps(error))


def told(made, caplog, expected, content=None):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(expected) as caught:
        made.pay(raw() if content is None else content)
    error = caught.value
    assert type(error) is expected and error.__cause__ is None and error.__context__ is None
    for secret in (NUMBER, NUMBER[:8], NUMBER[-8:], CODE):
        assert secret not in shown(error), "in the error"
        assert secret not in caplog.text and not any(secret in repr(what_was_logged(record))
                                                     for record in caplog.records)
    return error


def what_was_logged(record):
    """All of a record but its times and numbers of processes and threads, in which any four digits may stand."""
    clocks = {"created", "msecs", "relativeCreated", "thread", "process"}
    return {name: value for name, value in vars(record).items() if name not in clocks}


def test_the_number_is_in_the_signed_body_and_the_caller_keeps_the_object():
    made, script, _ = client(pay(paymentId="P1", paymentResultInfo={"cardBrand": "VISA", "cvvResultRaw": "M"}))
    content = raw()
    reply = made.pay(content)
    assert b'"cardNo":"4111111111111111","expiryMonth":"12","expiryYear":"29","cvv":"7379"' in script.calls[0].body
    assert b'"paymentFactor":{"isAuthorization":"true"}' in script.calls[0].body
    assert isinstance(content["paymentMethod"]["paymentMethodMetaData"]["cardNo"], CardNumber)
    assert reply.outcome[:2] == ("yes", "authorized") and card_result(reply.answer).cvv.word == "matches"
    assert NUMBER not in repr(reply) + repr(content) + repr(script.calls)


def test_a_call_that_went_well_is_logged_without_the_card(caplog):
    caplog.set_level(logging.DEBUG)
    made, _, _ = client(pay())
    made.pay(raw())
    record, = [one for one in caplog.records if one.name == "alipay_mapi"]
    assert record.getMessage() == "payments/pay paymentRequestId=A1 verdict=yes:authorized seconds=0.000"
    assert NUMBER not in repr(what_was_logged(record)) and CODE not in repr(what_was_logged(record))


@pytest.mark.parametrize("make, expected", [
    (lambda call: Quoting(call, kind="dns", sent=False), TransportError),
    (lambda call: Quoting(call, kind=call.body.decode("utf-8"), sent=False), TransportError),
    (lambda call: Quoting(call, kind="broken", sent=True), OutcomeUnknown),
    (lambda call: Quoting(call, kind=call.body.decode("utf-8"), sent=True), OutcomeUnknown),
    (lambda call: Quoting(call), OutcomeUnknown), (lambda call: Quoting(call, kind=CODE, sent=True), OutcomeUnknown),
    (lambda call: TransportError("cut: " + call.body.decode("utf-8").partition(NUMBER[7:])[0], sent=False),
     TransportError),
    (lambda call: ValueError(call.body), OutcomeUnknown),
    (lambda call: OSError(22, call.body.decode()), OutcomeUnknown),
    (lambda call: ConfigurationError("cannot send {}".format(call.body)), ConfigurationError),
    (lambda call: InvalidRequest("too long: {}".format(call.body), parameter=call.body.decode()), InvalidRequest)])
def test_a_transport_that_quotes_the_body_is_not_repeated(make, expected, caplog):
    made, _, _ = client(BaseException())
    made._transport = transport = Quotes(make)
    error = told(made, caplog, expected)
    assert len(transport.calls) == 1 and NUMBER.encode() in transport.calls[0].body
    assert "cardNo" not in str(error) and "1111" not in str(error), "nor what is left of it when somebody cuts it"
    if expected is OutcomeUnknown:
        assert error.paymentRequestId == "A1" and error.service == "payments/pay"
    if expected is TransportError:
        assert error.sent is False and error.kind in ("dns", "other")


@pytest.mark.parametrize("answer, expected", [
    (Answer(502, NUMBER.encode(), {}), OutcomeUnknown), (Answer(200, NUMBER.encode(), {}), OutcomeUnknown),
    (Answer(200, NUMBER, {}), OutcomeUnknown), (Answer(200, b"{}", None), OutcomeUnknown),
    (pay(paymentRequestId=NUMBER), OutcomeUnknown), (pay(result=result("U", "UNKNOWN_EXCEPTION")), OutcomeUnknown),
    (pay(result=result("U", NUMBER)), OutcomeUnknown), (pay(result=result("X", NUMBER)), OutcomeUnknown),
    (pay(result=result("F", NUMBER)), GatewayError), (pay(result=result("F", "CARD_" + NUMBER)), GatewayError),
    (pay(result=result("F", "CVV " + CODE)), GatewayError), (pay(result=result("F", "RISK_REJECT")), GatewayError),
    (says("payments/pay", {"result": result("F", NUMBER)}, headers={}), OutcomeUnknown),
    (says("payments/pay", {"result": result()}, headers={"signature": NUMBER}), OutcomeUnknown),
    (says("payments/pay", ('{"%s":1,"%s":1}' % (NUMBER, NUMBER)).encode()), OutcomeUnknown),
    (says("payments/refund", {"result": result()}), OutcomeUnknown)])
def test_an_answer_that_quotes_the_number_is_not_repeated(answer, expected, caplog):
    made, _, _ = client(answer)
    error = told(made, caplog, expected)
    assert error.service == "payments/pay"
    if expected is GatewayError and error.code is not None:
        assert error.code == "RISK_REJECT" and error.next == "new"


@pytest.mark.parametrize("settings, expected", [
    (dict(private_key=pem("merchant-private")), MissingKey),
    (dict(alipay_public_key=pem("platform-public")), MissingKey)])
def test_without_a_key_the_number_goes_nowhere(settings, expected, caplog):
    made, script, _ = client(BaseException(), account=Account("CLIENT001", **settings))
    error = told(made, caplog, expected)
    assert script.calls == [] and "this account was made without it" in str(error)


def test_a_body_that_cannot_be_sent_is_refused_without_the_number(caplog):
    made, script, _ = client(BaseException())
    told(made, caplog, InvalidRequest, dict(raw(), appId=object()))
    told(made, caplog, InvalidRequest, dict(raw(), appId="\ud800"))
    assert script.calls == []


@pytest.mark.parametrize("place", ["cardNo", "cvv", "both", "id", "token"])
def test_a_number_in_plain_text_is_refused_before_anything_is_sent(place, caplog):
    content = raw()
    metadata = content["paymentMethod"]["paymentMethodMetaData"]
    if place in ("cardNo", "both"):
        metadata["cardNo"] = NUMBER
    if place in ("cvv", "both"):
        metadata["cvv"] = CODE
    if place == "id":
        content["paymentRequestId"] = NUMBER
    if place == "token":
        content = dict(CONTENT, **card.hosted_page())
        content["paymentMethod"]["paymentMethodId"] = NUMBER
    made, script, _ = client(BaseException())
    caplog.set_level(logging.DEBUG)
    with pytest.raises(InvalidRequest) as caught:
        made.pay(content)
    assert NUMBER not in str(caught.value) + repr(caught.value.facts) + caplog.text and script.calls == []
    if place == "cardNo":
        assert "CardNumber" in str(caught.value) and "hosted_page" in str(caught.value)


@pytest.mark.parametrize("call", ["payments/pay", "payments/capture", "merchants/registration"])
def test_no_other_call_takes_a_number_in_plain_text_either(call):
    made, script, _ = client(BaseException())
    with pytest.raises(InvalidRequest, match="CardNumber"):
        made.call(call, {"a": [{"cardNo": NUMBER}]})
    assert script.calls == []


def test_a_payment_by_card_that_is_no_authorization_is_not_sent():
    made, script, _ = client(BaseException())
    content = dict(CONTENT, paymentMethod={"paymentMethodType": "CARD"})
    for send in (made.pay, lambda body: made.call("payments/pay", body)):
        with pytest.raises(InvalidRequest, match="isAuthorization"):
            send(content)
    assert script.calls == []


@pytest.mark.parametrize("code", ["SUCCESS", "A_NEW_ONE"])
def test_a_hosted_page_that_answers_s_is_not_believed_as_paid(code):
    """It answers only F or U: nobody has typed a card in yet."""
    made, _, _ = client(pay(result=result("S", code), paymentId="P1"))
    with pytest.raises(OutcomeUnknown) as caught:
        made.pay(dict(CONTENT, **card.hosted_page()))
    assert (caught.value.code, caught.value.paymentRequestId) == (code, "A1")


def test_a_hosted_page_answers_u_with_its_address_or_f():
    made, _, _ = client(pay(result=result("U", "PAYMENT_IN_PROCESS"), normalUrl="https://page.example/1"))
    reply = made.pay(dict(CONTENT, **card.hosted_page()))
    assert reply.outcome[:3] == ("unknown", "pending", "wait") and reply.answer["normalUrl"] == "https://page.example/1"
    assert card_result(reply.answer) is None
    made, _, _ = client(pay(result=result("F", "RISK_REJECT")))
    with pytest.raises(GatewayError):
        made.pay(dict(CONTENT, **card.hosted_page()))


def test_a_stored_card_answers_s_or_asks_for_3_d_secure():
    made, script, _ = client(pay())
    content = dict(CONTENT, **card.stored_card("TOKEN=="))
    assert made.pay(content).outcome.state == "authorized"
    assert b'"paymentMethod":{"paymentMethodType":"CARD","paymentMethodId":"TOKEN=="}' in script.calls[0].body
    made, _, _ = client(pay(result=result("U", "PAYMENT_IN_PROCESS"), normalUrl="https://3ds.example"))
    assert made.pay(content).outcome.next == "wait"


def test_an_inquiry_of_an_authorization_says_so():
    answer = says("payments/inquiryPayment", {"result": result(), "paymentStatus": "SUCCESS", "paymentRequestId": "A1"})
    made, _, _ = client(answer)
    assert made.inquiry_payment(payment_request_id="A1", authorization=True).outcome[:2] == ("yes", "authorized")
    assert made.inquiry_payment(payment_request_id="A1").outcome[:2] == ("yes", "paid")


def test_errors_without_a_card_keep_the_transports_own_words():
    made, _, _ = client(TransportError("no connection", kind="connect", sent=False, host="h.example"))
    with pytest.raises(TransportError, match="no connection") as caught:
        made.pay(dict(CONTENT, **card.hosted_page()))
    assert (caught.value.kind, caught.value.host) == ("connect", "h.example")
    assert isinstance(caught.value, AlipayError)
