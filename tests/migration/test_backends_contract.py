"""One contract for all back ends (``alipay_mapi.backend.Backend``): whatever the gateway speaks, the same question has
the same answer. A new gateway joins in ``gateways_under_test``.
"""
import logging

import pytest

from alipay_mapi import status
from alipay_mapi.backend import GATEWAYS, Backend, MapiBackend, PaymentPage, backends_of
from alipay_mapi.errors import (AlipayError, ConfigurationError, GatewayError, InvalidRequest,
                                OrderMismatch, OutcomeUnknown, ResponseSignatureInvalid, TransportError)
from alipay_mapi.fallback import refunding
from alipay_mapi.migration.backends import AmsBackend
from alipay_mapi.migration.errors import NotDecided, NotTranslatable
from alipay_mapi.notification import Notification
from alipay_mapi.order import Order
from alipay_mapi.response import Response
from alipay_mapi.trade_state import TradeState
from gateways_under_test import (KINDS, NOW, PAY, SECRETS, USD, YUAN, OnAms, OnMapi, content_of, time_out)

#: A refund of USD 3.20, or of CNY 20.00.
REFUND = ("R1", "3.20", "20260512120000", "broken")
NO_TRADE = ("TRADE_NOT_EXIST", "TRADE_IS_NOT_EXIST", "PURCHASE_TRADE_NOT_EXIST")


@pytest.fixture(params=sorted(KINDS))
def stage(request):
    return KINDS[request.param]()


@pytest.fixture
def backend(stage, caplog):
    """The back end; whatever happens, no secret is told."""
    caplog.set_level(logging.DEBUG)
    made = stage.backend()
    yield made
    assert clean(repr(made) + caplog.text + repr(vars(made)))


def clean(text):
    return not [secret for secret in SECRETS if secret in text]


def refused(call, *arguments):
    """The error that a call raises, which tells no secret, nor whatever lay beneath it."""
    with pytest.raises(AlipayError) as caught:
        call(*arguments)
    error = caught.value
    assert clean(str(error) + repr(error) + repr(vars(error))) and "https://" not in str(error)
    context = error.__context__
    assert context is None or isinstance(context, AlipayError) and clean(str(context) + repr(vars(context)))
    return error


def state_of(fact, order):
    assert isinstance(fact, (Response, Notification)) and fact["out_trade_no"] == order.out_trade_no
    return TradeState(order).apply(fact)


# --- who it is --------------------------------------------------------------------------------------------------------

def test_it_says_which_gateway_it_is_and_whom_that_knows_the_shop_as(stage, backend):
    assert isinstance(backend, Backend) and backend.name == stage.name and backend.name in GATEWAYS
    assert backend.account and isinstance(backend.account, str)
    assert backend.spaces_refunds is (stage.name == "mapi")
    backend.close()


# --- query ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("order", [USD, YUAN], ids=["in dollars", "in yuan"])
@pytest.mark.parametrize("state, expected, effects", [
    ("paid", "paid", ["paid"]), ("waiting", "waiting", []), ("closed", "closed", ["closed"]),
    ("partly_refunded", "paid", ["paid"]), ("wholly_refunded", "refunded", ["refunded"])])
def test_a_query_ends_in_the_same_state_of_the_order(stage, backend, state, expected, effects, order):
    stage.is_at(state, order)
    after, news = state_of(backend.query(order), order)
    assert (after.status, [effect.kind for effect in news]) == (expected, effects)
    assert stage.calls == ["query"]


def test_how_much_went_back_is_told_in_the_answer(stage, backend):
    for state, back in (("paid", False), ("partly_refunded", True), ("wholly_refunded", True)):
        stage.is_at(state)
        assert bool(backend.query(USD).to_buyer_fee) is back


def test_an_order_that_is_not_there_has_mapis_word_on_every_gateway(stage, backend):
    stage.is_at("not_there")
    error = refused(backend.query, USD)
    assert type(error) is GatewayError and error.code == "TRADE_NOT_EXIST"
    assert stage.calls == ["query"]


@pytest.mark.parametrize("state", ["unknown", "refused"])
def test_an_answer_that_settles_nothing_is_no_word_about_the_order(stage, backend, state):
    """Hostile: an unsigned refusal, which anybody could have sent. It is a no to the question, never to the order."""
    stage.is_at(state)
    error = refused(backend.query, USD)
    assert isinstance(error, GatewayError) and error.code and error.code not in NO_TRADE


def test_a_tampered_answer_is_not_believed(stage, backend):
    stage.is_at("tampered")
    assert type(refused(backend.query, USD)) is ResponseSignatureInvalid
    stage.is_at("paid")
    assert state_of(backend.query(USD), USD)[0].status == "paid"


def test_an_answer_about_another_order_is_refused(stage, backend):
    stage.is_at("other_order")
    assert type(refused(backend.query, USD)) is OrderMismatch


def test_another_amount_pays_nothing_and_calls_a_person(stage, backend):
    stage.is_at("wrong_amount", YUAN)
    fact = backend.query(YUAN)
    assert "amount" not in fact.passed and not getattr(fact, "is_paid", False)
    state, news = state_of(fact, YUAN)
    assert (state.status, [effect.kind for effect in news]) == ("needs_a_person", ["needs_a_person"])


@pytest.mark.parametrize("sent", [False, True], ids=["before it was sent", "after it was sent"])
def test_a_question_that_timed_out_may_be_repeated_and_changes_nothing(stage, backend, sent):
    stage.says["query"] = time_out(sent)
    assert isinstance(refused(backend.query, USD), TransportError)
    assert set(stage.calls) == {"query"} and len(stage.calls) <= 2


def test_a_transport_that_raises_anything_else_is_told_by_class_alone(stage, backend):
    stage.says["query"] = ValueError("https://gateway.example/?sign=" + SECRETS[0])
    assert isinstance(refused(backend.query, USD), TransportError)


# --- refund -----------------------------------------------------------------------------------------------------------

def written(stage):
    """How many refunds were sent."""
    return stage.calls.count("refund")


@pytest.mark.parametrize("order", [USD, YUAN], ids=["in dollars", "in yuan"])
@pytest.mark.parametrize("word", ["accepted", "running"])
def test_a_refund_that_is_taken_returns_and_proves_nothing(stage, backend, word, order):
    stage.is_at("paid", order)
    stage.refunds(word)
    assert backend.send_refund(order, *REFUND) is None
    assert written(stage) == 1


def test_a_refund_that_the_gateway_has_already_counts_as_accepted(stage, backend):
    stage.refunds("repeated")
    answer = refunding.ACCEPTED
    try:
        backend.send_refund(USD, *REFUND)
    except GatewayError as err:
        answer = err
    refund = refunding.Refund("R1", "3.20", "20260512120000", "", 0.0, refunding.READY, "0")
    assert refunding.sent(refund, answer).status == refunding.ACCEPTED and written(stage) == 1


@pytest.mark.parametrize("word, code", [("failed", "RETURN_AMOUNT_EXCEED"),
                                        ("no_order", "PURCHASE_TRADE_NOT_EXIST")])
def test_a_refund_that_is_refused_has_mapis_word(stage, backend, word, code):
    stage.refunds(word)
    error = refused(backend.send_refund, USD, *REFUND)
    assert type(error) is GatewayError and error.code == code and written(stage) <= 1


@pytest.mark.parametrize("answer", [time_out(True), OSError("https://x?sign=1"), "unknown", lambda call: None],
                         ids=["time-out", "foreign error", "nobody knows", "no answer"])
def test_a_refund_of_which_nobody_knows_is_an_unknown_outcome_and_is_never_repeated_by_itself(stage, backend, answer):
    if isinstance(answer, str):
        stage.refunds(answer)
    else:
        stage.says["refund"] = answer
    assert type(refused(backend.send_refund, USD, *REFUND)) is OutcomeUnknown
    assert written(stage) == 1


def test_a_refund_that_could_not_be_sent_changed_nothing(stage, backend):
    stage.says["refund"] = time_out(False)
    error = refused(backend.send_refund, USD, *REFUND)
    assert isinstance(error, TransportError) and error.sent is False and written(stage) == 1


@pytest.mark.parametrize("arguments", [
    ("R" * 65, "3.20", "20260512120000", ""), ("R1", "0.00", "20260512120000", ""),
    ("R1", "3.205", "20260512120000", ""), ("R1", "-1", "20260512120000", "")],
    ids=["number", "nothing", "inexact", "negative"])
def test_a_refund_that_cannot_be_written_is_not_sent(stage, backend, arguments):
    stage.refunds("accepted")
    assert isinstance(refused(backend.send_refund, USD, *arguments), InvalidRequest) and written(stage) == 0


@pytest.mark.parametrize("order", [USD, YUAN], ids=["in dollars", "in yuan"])
def test_a_refund_that_was_carried_out_is_told_by_what_went_back_or_by_its_own_word(stage, backend, order):
    stage.shows_refund("done", order)
    fact = backend.query_refund(order, "R1")
    state, _ = state_of(fact, order)
    assert ("R1", status.REFUND_SUCCESS) in state.refunds or fact.to_buyer_fee
    assert written(stage) == 0


@pytest.mark.parametrize("word", ["failed", "running", "never"])
def test_a_refund_that_was_not_carried_out_is_never_told_as_one(stage, backend, word):
    stage.shows_refund(word)
    try:
        fact = backend.query_refund(USD, "R1")
    except GatewayError as err:
        assert {"running": "PROCESSING", "never": "REFUND_NOT_EXIST"}[word] == err.code and clean(str(err))
        return
    state, _ = state_of(fact, USD)
    assert ("R1", status.REFUND_SUCCESS) not in state.refunds and not fact.to_buyer_fee


@pytest.mark.parametrize("sent", [False, True])
def test_a_question_about_a_refund_that_timed_out_changes_nothing(stage, backend, sent):
    stage.says["query"] = stage.says["refund query"] = time_out(sent)
    assert isinstance(refused(backend.query_refund, USD, "R1"), TransportError) and written(stage) == 0


# --- payment ----------------------------------------------------------------------------------------------------------

def test_a_payment_has_a_page_and_the_same_number_is_the_same_payment(stage, backend):
    assert backend.refusals("create_forex_trade", PAY) == []
    pages = [backend.pay("create_forex_trade", PAY) for _ in range(2)]
    for page in pages:
        assert page.url.startswith("https://") and "<form" in page.form() and clean(repr(page))
    numbers = [content_of(call)["paymentRequestId"] for call in stage.sent if stage.name == "ams"]
    assert numbers == ["A1", "A1"][:len(numbers)] and set(stage.calls) <= {"pay"}


@pytest.mark.parametrize("service", ["alipay.acquire.overseas.spot.pay", "single_trade_query", "mobile.securitypay.pay",
                                     "no.such", 5, None])
def test_what_no_browser_opens_is_no_payment(stage, backend, service):
    assert isinstance(refused(backend.pay, service, PAY), InvalidRequest)
    assert isinstance(refused(backend.payment_content, service, PAY), InvalidRequest) and stage.calls == []


@pytest.mark.parametrize("wrong", [{"total_fee": "eight"}, {"total_fee": "8.001"}, {"out_trade_no": "A" * 65}])
def test_a_payment_that_cannot_be_written_is_not_sent(stage, backend, wrong):
    params = dict(PAY, **wrong)
    for call in (backend.pay, backend.payment_content):
        assert isinstance(refused(call, "create_forex_trade", params), InvalidRequest)
    assert stage.calls == []


@pytest.mark.parametrize("params", [PAY, {name: value for name, value in dict(PAY, rmb_fee="50.00").items()
                                          if name != "total_fee"}], ids=["in dollars", "in yuan"])
def test_every_back_end_says_the_same_of_what_it_would_ask_for(stage, backend, params):
    assert dict(backend.payment_content("create_forex_trade", params)) == params and stage.calls == []


@pytest.mark.parametrize("order, name", [(USD, "return_amount"), (YUAN, "return_rmb_amount")])
def test_every_back_end_says_the_same_of_the_refund_it_would_ask_for(stage, backend, order, name):
    assert dict(backend.refund_content(order, "R1", "3.20", "broken")) == {
        "out_return_no": "R1", "out_trade_no": "A1", name: "3.20", "currency": "USD", "reason": "broken"}
    assert "reason" not in backend.refund_content(order, "R1", "3.20") and stage.calls == []
    assert isinstance(refused(backend.refund_content, order, "R1", "0"), InvalidRequest)


# --- one more for each that has something of its own ------------------------------------------------------------------

@pytest.mark.parametrize("name", [name for name in KINDS if name.startswith("shadow")])
def test_no_write_ever_reaches_the_gateway_beside(name):
    stage = KINDS[name]()
    backend = stage.backend()
    stage.is_at("paid")
    stage.refunds("accepted")
    stage.shows_refund("done")
    backend.pay("create_forex_trade", PAY)
    backend.query(USD)
    backend.send_refund(USD, *REFUND)
    backend.query_refund(USD, "R1")
    assert set(stage.other.calls) <= {"query", "refund query"} and "query" in stage.other.calls
    assert [one.call for one in stage.compared] == ["pay", "query", "refund", "query_refund"]
    assert [one.differences for one in stage.compared if one.call in ("pay", "refund")] == [[], []]


def ams():
    stage = OnAms()
    return stage, stage.backend()


def test_ams_says_the_currency_and_another_one_calls_a_person():
    stage, backend = ams()
    stage.is_at("wrong_currency")
    assert state_of(backend.query(USD), USD)[0].status == "needs_a_person"
    stage.is_at("wrong_amount")
    assert state_of(backend.query(USD), USD)[0].status == "needs_a_person"
    stage.is_at("paid")
    assert backend.query(USD).is_paid
    stage.is_at("wrong_currency", YUAN)
    assert state_of(backend.query(YUAN), YUAN)[0].status == "needs_a_person"


@pytest.mark.parametrize("state", ["wrong_amount", "wrong_currency", "other_order", "tampered", "unknown", "refused"])
def test_ams_is_sent_no_refund_of_an_order_that_the_inquiry_does_not_show(state):
    stage, backend = ams()
    stage.refunds("accepted")
    stage.is_at(state)
    error = refused(backend.send_refund, USD, *REFUND)
    assert isinstance(error, TransportError) and error.sent is False and written(stage) == 0
    stage.says["query"] = time_out(True)
    error = refused(backend.send_refund, USD, *REFUND)
    assert isinstance(error, TransportError) and error.sent is False and written(stage) == 0


def test_ams_is_told_its_own_number_of_the_payment():
    stage, backend = ams()
    stage.refunds("accepted")
    backend.send_refund(USD, *REFUND)
    assert stage.calls == ["query", "refund"]
    assert content_of(stage.sent[1]) == {
        "refundRequestId": "R1", "paymentId": "P1", "refundAmount": {"currency": "USD", "value": "320"},
        "refundReason": "broken"}


@pytest.mark.parametrize("code", ["TRADE_NOT_EXIST", "ORDER_NOT_EXIST", "REFUND_NOT_EXIST"])
def test_a_code_that_ams_has_not_signed_is_never_one_that_somebody_acts_on(code):
    """Hostile: an unsigned no in the very words that expire an order, or send a refund again."""
    stage, backend = ams()
    stage.says["query"] = stage.unsigned("inquiryPayment", {"resultStatus": "F", "resultCode": code})
    stage.says["refund query"] = stage.unsigned("inquiryRefund", {"resultStatus": "F", "resultCode": code})
    for error in (refused(backend.query, USD), refused(backend.query_refund, USD, "R1")):
        assert error.code == "AMS." + code and error.signed is False


@pytest.mark.parametrize("call", [lambda backend: backend.query(USD), lambda backend: backend.query_refund(USD, "R1")])
def test_ams_cannot_borrow_a_word_of_mapis(call):
    stage, backend = ams()
    stage.says["query"] = stage.answers("inquiryPayment", {"resultStatus": "F", "resultCode": "TRADE_NOT_EXIST"})
    stage.says["refund query"] = stage.answers("inquiryRefund", {"resultStatus": "F", "resultCode": "TRADE_NOT_EXIST"})
    assert refused(call, backend).code == "AMS.TRADE_NOT_EXIST"


def test_a_payment_in_process_without_a_page_and_one_that_is_made_have_no_page():
    stage, backend = ams()
    stage.says["pay"] = stage.answers("pay", {"resultStatus": "U", "resultCode": "PAYMENT_IN_PROCESS"})
    assert isinstance(refused(backend.pay, "create_forex_trade", PAY), NotDecided)
    stage.says["pay"] = stage.answers("pay", {"resultStatus": "S", "resultCode": "SUCCESS"}, paymentRequestId="A1")
    assert refused(backend.pay, "create_forex_trade", PAY).code == "AMS.SUCCESS"
    stage.says["pay"] = stage.answers("pay", {"resultStatus": "F", "resultCode": "MERCHANT_NOT_REGISTERED"})
    assert type(refused(backend.pay, "create_forex_trade", PAY)) is GatewayError
    stage.says["pay"] = time_out(True)
    assert type(refused(backend.pay, "create_forex_trade", PAY)) is OutcomeUnknown
    assert stage.calls == ["pay"] * 4


def test_what_ams_cannot_take_exactly_is_refused_by_name_and_a_longer_expiry_is_cut():
    stage, backend = ams()
    sold = dict(PAY, split_fund_info="[]")
    assert any("split_fund_info" in reason for reason in backend.refusals("create_forex_trade", sold))
    assert isinstance(refused(backend.pay, "create_forex_trade", sold), NotTranslatable) and stage.calls == []
    backend.pay("create_forex_trade", dict(PAY, timeout_rule="12h"))
    assert content_of(stage.sent[0])["paymentExpiryTime"] == "2026-05-12T12:09:59+08:00"
    strict = AmsBackend(backend.client, lambda: NOW, clamp_expiry=False)
    assert strict.refusals("create_forex_trade", dict(PAY, timeout_rule="12h"))
    with pytest.raises(InvalidRequest, match="ignore"):
        AmsBackend(backend.client, ignore="body")


def test_the_page_of_ams_is_a_form_too_with_every_value_escaped():
    page = PaymentPage("ams", "A1", 'https://cashier.example/p?t=a%22b&x=<1>&e=')
    form = page.form('"Pay"')
    assert 'action="https://cashier.example/p"' in form and 'name="t" value="a&quot;b"' in form
    assert 'name="x" value="&lt;1&gt;"' in form and 'name="e" value=""' in form and "<button>&quot;Pay&quot;" in form
    assert repr(page) == "<PaymentPage ams A1>"


# --- the gateways of a shop -------------------------------------------------------------------------------------------

def test_a_client_alone_is_mapi_and_a_mapping_keeps_its_order():
    client, other = OnMapi().backend().client, OnAms().backend()
    alone = backends_of("shop", client)
    assert list(alone) == ["mapi"] and isinstance(alone["mapi"], MapiBackend)
    assert list(backends_of("shop", other)) == ["ams"]
    assert list(backends_of("shop", {"ams": other, "mapi": client})) == ["ams", "mapi"]


@pytest.mark.parametrize("given", [
    {}, {"mapi": object()}, object(), {"paypal": OnAms().backend()}, {"mapi": OnAms().backend()}, None,
    {"ams": OnMapi().backend()}, {5: OnMapi().backend()}], ids=repr)
def test_gateways_that_cannot_be_are_refused(given):
    with pytest.raises(ConfigurationError, match="clients"):
        backends_of("shop", given)


def test_a_mainland_order_has_no_cross_border_refund():
    stage = OnMapi()
    mainland, backend = Order("A1", total_fee="50.00"), stage.backend()
    assert isinstance(refused(backend.refund_content, mainland, "R1", "3.20"), InvalidRequest)
    assert isinstance(refused(backend.send_refund, mainland, *REFUND), InvalidRequest) and stage.calls == []
