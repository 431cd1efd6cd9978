"""Two gateways side by side: the shop gets the primary's word, whatever happens beside it."""
import logging
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.backend import Backend
from alipay_mapi.errors import (AmountMismatch, ConfigurationError, GatewayError, InvalidRequest, OutcomeUnknown,
                                TransportError)
from alipay_mapi.migration.shadow import Compared, ShadowBackend, said
from alipay_mapi.notification import Notification
from alipay_mapi.response import Response
from gateways_under_test import PAY, USD, YUAN, OnAms, OnMapi, time_out

PATIENCE = 30.0
SERVICE = "create_forex_trade"
REFUND = ("R1", "3.20", "20260512120000", "broken")


def fact(state="TRADE_FINISHED", **fields):
    return Response(dict({"out_trade_no": "A1", "trade_no": "T1", "trade_status": state, "total_fee": "8.00",
                          "currency": "USD"}, **fields), ("sign",), {}, True, None, SERVICE, "trade")


class Says(Backend):
    """``answer``: what every method gives, or raises."""

    def __init__(self, answer=None, name="mapi"):
        self.name, self.account, self.answer, self.came, self.closed = name, name, answer, [], 0
        self.lock = threading.Lock()

    def _come(self, what):
        with self.lock:
            self.came.append(what)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def pay(self, service, params):
        return self._come("pay")

    def payment_content(self, service, params):
        return self._come("payment content") if isinstance(self.answer, BaseException) else params

    def query(self, order):
        return self._come("query")

    def send_refund(self, order, out_return_no, amount, gmt_return, reason=""):
        self._come("refund")

    def refund_content(self, order, out_return_no, amount, reason=""):
        return {"out_return_no": out_return_no}

    def query_refund(self, order, out_return_no):
        return self._come("query refund")

    def refusals(self, service, params):
        return ["no"]

    def close(self):
        self.closed += 1


def at_once(work):
    work()


def beside(primary, other, **more):
    """(the shadow, what it reported)."""
    told = []
    return ShadowBackend(primary, other, more.pop("report", told.append), **dict({"beside": at_once}, **more)), told


# --- the shop never hears of it ---------------------------------------------------------------------------------------

WRONG = [GatewayError("no", code="X"), TransportError("down"), OutcomeUnknown("?"), AmountMismatch("wrong"),
         ValueError("canary"), KeyError("canary"), RecursionError("canary"), None, 5, "paid", {}, object()]


@pytest.mark.parametrize("answer", WRONG, ids=repr)
def test_whatever_the_other_does_the_primarys_answer_comes(answer):
    shadow, told = beside(Says(fact()), Says(answer, "ams"))
    assert shadow.query(USD)["trade_no"] == shadow.query_refund(USD, "R1")["trade_no"] == "T1"
    shadow.send_refund(USD, *REFUND)
    assert shadow.pay(SERVICE, PAY) == fact()


@pytest.mark.parametrize("error", [GatewayError("no", code="X"), TransportError("down"), OutcomeUnknown("?"),
                                   InvalidRequest("x"), ValueError("the primary's own")])
def test_what_the_primary_raises_comes_too(error):
    other = Says(fact(), "ams")
    shadow, told = beside(Says(error), other)
    for call in (lambda: shadow.query(USD), lambda: shadow.query_refund(USD, "R1"),
                 lambda: shadow.send_refund(USD, *REFUND), lambda: shadow.pay(SERVICE, PAY)):
        with pytest.raises(type(error)) as caught:
            call()
        assert caught.value is error
    assert "refund" not in other.came and "pay" not in other.came


def explode(*_):
    raise ZeroDivisionError("canary")


@pytest.mark.parametrize("broken", [
    {"report": explode}, {"beside": explode}, {"draw": explode}, {"draw": lambda: None}],
    ids=["report", "beside", "draw", "no number"])
def test_what_the_shop_gave_for_the_comparison_may_raise(broken, caplog):
    shadow, _ = beside(Says(fact()), Says(fact("WAIT_BUYER_PAY"), "ams"), **broken)
    for _ in range(10):
        assert shadow.query(USD)["trade_no"] == "T1"
        shadow.send_refund(USD, *REFUND)
        shadow.pay(SERVICE, PAY)
    assert "canary" not in caplog.text and "ZeroDivisionError" in caplog.text or "draw" in broken


# --- one room, given back once ----------------------------------------------------------------------------------------

def run_and_raise(work):
    work()
    raise RuntimeError("after it ran")


def run_twice(work):
    work()
    work()


def raise_and_run_later(work):
    LATER.append(work)
    raise RuntimeError("queued, and then this")


LATER = []


@pytest.mark.parametrize("way", [at_once, run_and_raise, run_twice, explode, raise_and_run_later])
def test_the_room_is_given_back_exactly_once_whatever_beside_does(way):
    """A bug that was: given back twice, the semaphore raised into the shop; or the bound grew."""
    del LATER[:]
    other = Says(fact("WAIT_BUYER_PAY"), "ams")
    shadow, told = beside(Says(fact()), other, beside=way)
    for _ in range(12):
        assert shadow.query(USD)["trade_no"] == "T1"
    for work in LATER:
        work()
    free = 0
    while shadow._room.acquire(blocking=False):
        free += 1
    assert free == 4


def test_a_slow_other_piles_up_no_threads():
    """Four at most; the fifth question is not asked beside, and nobody waits."""
    gate, begun = threading.Event(), threading.Semaphore(0)
    other = Says(fact(), "ams")

    def slow(order):
        begun.release()
        gate.wait(PATIENCE)
        return fact()
    other.query = slow
    done = threading.Semaphore(0)
    shadow = ShadowBackend(Says(fact()), other, lambda compared: done.release())
    before = threading.active_count()
    for _ in range(50):
        assert shadow.query(USD)["trade_no"] == "T1"
    for _ in range(4):
        assert begun.acquire(timeout=PATIENCE)
    assert threading.active_count() <= before + 4 and not begun.acquire(blocking=False)
    gate.set()
    for _ in range(4):
        assert done.acquire(timeout=PATIENCE)
    assert shadow.query(USD)["trade_no"] == "T1"


@given(st.floats(0, 1), st.integers(0, 2 ** 32))
@settings(max_examples=30)
def test_so_many_of_the_calls_are_compared(share, seed):
    other, drawn, again = Says(fact(), "ams"), random.Random(seed), random.Random(seed)
    shadow, told = beside(Says(fact()), other, share=share, draw=drawn.random)
    for _ in range(50):
        shadow.query(USD)
    assert len(other.came) == len(told) == sum(again.random() < share for _ in range(50))


def test_none_and_all():
    for share, count in ((0, 0), (1, 3)):
        shadow, told = beside(Says(fact()), Says(fact(), "ams"), share=share)
        shadow.query(USD)
        shadow.pay(SERVICE, PAY)
        shadow.send_refund(USD, *REFUND)
        assert len(told) == count


@pytest.mark.parametrize("share", [-0.1, 1.1, True, "1", None, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ConfigurationError, match="share"):
        ShadowBackend(Says(), Says(), share=share)


# --- what is compared -------------------------------------------------------------------------------------------------

def differences(one, other):
    shadow, told = beside(Says(one), Says(other, "ams"))
    try:
        shadow.query(USD)
    except GatewayError:
        pass
    compared, = told
    assert (compared.call, compared.out_trade_no, compared.problem) == ("query", "A1", "")
    return compared.differences


@pytest.mark.parametrize("one, other", [
    (fact(), fact(trade_no="T2")), (fact(total_fee="8.00"), fact(total_fee="8.0")),
    (fact("TRADE_SUCCESS"), fact("TRADE_FINISHED")),
    (fact(total_fee="50.00", currency="CNY"), fact(total_fee="8.00")),      # MAPI answers in yuan
    (GatewayError("x", code="TRADE_NOT_EXIST"), GatewayError("y", code="TRADE_NOT_EXIST"))])
def test_what_is_the_same_is_no_difference(one, other):
    """Ids of a gateway's own, how an amount is written, and the word for paid."""
    assert differences(one, other) == []


@pytest.mark.parametrize("one, other, expected", [
    (fact(), fact("WAIT_BUYER_PAY"), [("state", "paid", "WAIT_BUYER_PAY")]),
    (fact("TRADE_CLOSED"), fact(), [("state", "closed", "paid")]),
    (fact(), fact(total_fee="9.00"), [("total_fee USD", "8.00", "9.00")]),
    (fact(total_fee="lots"), fact(), [("total_fee USD", "lots", "8.00")]),
    (fact(), fact(out_trade_no="A2"), [("out_trade_no", "A1", "A2")]),
    (GatewayError("x", code="TRADE_NOT_EXIST"), GatewayError("y", code="SYSTEM_ERROR"),
     [("error", "TRADE_NOT_EXIST", "SYSTEM_ERROR")]),
    (GatewayError("x", code="TRADE_NOT_EXIST"), fact(), [
        ("error", "TRADE_NOT_EXIST", ""), ("out_trade_no", "", "A1"), ("state", "", "paid")])])
def test_a_difference_is_named_with_both_sides(one, other, expected):
    assert differences(one, other) == expected


def test_a_refunds_word_and_amount_are_compared():
    def note(word, amount="3.20"):
        return Notification({"out_trade_no": "A1", "out_return_no": "R1", "refund_status": word, "currency": "USD",
                             "return_amount": amount, "notify_id": "n"}, "refund", ("sign",), {})
    assert said(note("REFUND_SUCCESS"), None) == {
        "out_trade_no": "A1", "state": "REFUND_SUCCESS", "return_amount USD": "3.20"}
    assert differences(note("REFUND_SUCCESS"), note("REFUND_FAIL", "3.21")) == [
        ("return_amount USD", "3.20", "3.21"), ("state", "REFUND_SUCCESS", "REFUND_FAIL")]
    assert said(None, None) == {"error": "no answer"} and said(None, TransportError("x")) == {"error": "TransportError"}


@pytest.mark.parametrize("states", [("paid", "paid"), ("waiting", "waiting"), ("closed", "closed"),
                                    ("not_there", "not_there"), ("wholly_refunded", "wholly_refunded"),
                                    ("partly_refunded", "partly_refunded")])
@pytest.mark.parametrize("order", [USD, YUAN], ids=["in dollars", "in yuan"])
def test_real_gateways_that_say_the_same_agree(states, order):
    one, other = OnMapi(), OnAms()
    one.is_at(states[0], order)
    other.is_at(states[1], order)
    shadow, told = beside(one.backend(), other.backend())
    try:
        shadow.query(order)
    except GatewayError:
        pass
    assert [compared.differences for compared in told] == [[]]


def test_real_gateways_that_do_not_agree_whether_money_went_back_are_told():
    for first, second, words in (("paid", "partly_refunded", ("paid", "partly refunded")),
                                 ("wholly_refunded", "paid", ("refunded", "paid"))):
        one, other = OnMapi(), OnAms()
        one.is_at(first)
        other.is_at(second)
        shadow, told = beside(one.backend(), other.backend())
        shadow.query(USD)
        assert told[0].differences == [("state",) + words]


def test_the_request_of_a_write_is_built_compared_and_not_sent():
    one, other = OnMapi(), OnAms()
    one.refunds("accepted")
    shadow, told = beside(one.backend(), other.backend())
    shadow.pay(SERVICE, PAY)
    shadow.send_refund(USD, *REFUND)
    assert told == [Compared("pay", "A1", []), Compared("refund", "A1", [])]
    assert other.calls == [] and one.calls == ["refund"]


def test_what_the_other_could_not_make_is_told_with_its_reason():
    other = OnAms()
    shadow, told = beside(OnMapi().backend(), other.backend())
    shadow.pay(SERVICE, dict(PAY, split_fund_info='[{"transIn":"2088101122136242","amount":"1.00","currency":"USD"}]'))
    (one,) = told
    assert one.differences == [] and "NotTranslatable" in one.problem and "split_fund_info" in one.problem
    shadow.pay(SERVICE, dict(PAY, total_fee="8.00", subject="x" * 256))
    assert other.calls == []


def test_contents_that_differ_are_named():
    class Other(Says):
        def payment_content(self, service, params):
            return dict(params, total_fee="9.00", notify_url="https://other.example/?t=canary", subject="Cake")

        def refund_content(self, *arguments):
            return {"out_return_no": "R1", "return_amount": "3.2"}

    class One(Says):
        def refund_content(self, *arguments):
            return {"out_return_no": "R1", "return_amount": "3.20"}
    shadow, told = beside(One(), Other(name="ams"))
    shadow.pay(SERVICE, PAY)
    shadow.send_refund(USD, *REFUND)
    assert [difference[0] for difference in told[0].differences] == ["notify_url", "subject", "total_fee"]
    assert told[0].differences[2] == ("total_fee", "8.00", "9.00") and told[1].differences == []


# --- what is told -----------------------------------------------------------------------------------------------------

def test_only_differences_are_logged_and_nothing_that_is_secret_or_a_buyers(caplog):
    caplog.set_level(logging.DEBUG)

    class Other(Says):
        def payment_content(self, service, params):
            return dict(params, total_fee="9.00", notify_url="https://other.example/?t=canary-url",
                        subject="canary-tea", return_url="https://canary-back.example/")
    shadow = ShadowBackend(Says(fact()), Other(fact("WAIT_BUYER_PAY", buyer_email="canary@mail.example"), "ams"),
                           beside=at_once)
    shadow.query(USD)
    shadow.pay(SERVICE, PAY)
    lines = [record.getMessage() for record in caplog.records if record.name == "alipay_mapi.migration.shadow"]
    assert lines == ["query A1: state paid / WAIT_BUYER_PAY",
                     "pay A1: notify_url, return_url, subject, total_fee 8.00 / 9.00"]
    assert "canary" not in caplog.text
    caplog.clear()
    ShadowBackend(Says(fact()), Says(fact(), "ams"), beside=at_once).query(USD)
    assert caplog.text == ""


def test_a_value_from_outside_writes_no_line_of_its_own(caplog):
    hostile = fact("WAIT\r\nforged line " + "x" * 500)
    ShadowBackend(Says(fact()), Says(hostile, "ams"), beside=at_once).query(USD)
    (record,) = caplog.records
    assert "\n" not in record.getMessage() and "\r" not in record.getMessage() and len(record.getMessage()) < 200


def test_no_secret_is_logged_by_real_gateways_that_fail(caplog):
    caplog.set_level(logging.DEBUG)
    other = OnAms()
    other.says["query"] = ValueError("https://gateway.example/?sign=canary")
    shadow = ShadowBackend(OnMapi().backend(), other.backend(), beside=at_once)
    shadow.primary.client._transport.is_at("paid")
    shadow.query(USD)
    other.says["query"] = time_out(True)
    shadow.query(USD)
    assert "canary" not in caplog.text and "error" in caplog.text


# --- it is a back end -------------------------------------------------------------------------------------------------

def test_it_is_the_primary_to_everybody_else():
    primary, other = Says(fact(), "ams"), Says(fact(), "mapi")
    primary.spaces_refunds = True
    primary.notification = lambda *given: given
    shadow, _ = beside(primary, other)
    assert (shadow.name, shadow.account, shadow.spaces_refunds) == ("ams", "ams", True)
    assert shadow.refusals(SERVICE, PAY) == ["no"] and shadow.payment_content(SERVICE, PAY) == PAY
    assert shadow.refund_content(USD, "R1", "1.00") == {"out_return_no": "R1"}
    assert shadow.notification("/n", {}, b"") == ("/n", {}, b"")
    shadow.close()
    assert (primary.closed, other.closed) == (1, 1)


@pytest.mark.parametrize("more, answer", [({"report": explode}, fact("WAIT_BUYER_PAY")), ({}, ValueError("canary"))])
def test_nothing_comes_out_of_the_thread_beside_but_a_line_of_the_log(more, answer, caplog):
    """What a thread raises goes to stderr, with its text."""
    raised = []

    def watched(work):
        try:
            work()
        except BaseException as err:
            raised.append(err)
    shadow, _ = beside(Says(fact()), Says(answer, "ams"), beside=watched, **more)
    shadow.query(USD)
    assert raised == [] and "query A1: the comparison failed: " in caplog.text and "canary" not in caplog.text
