"""The table of ``deciding``, row by row, and what late news change."""
from datetime import datetime

import pytest

import alipay_mapi as mapi
from alipay_mapi import messages
from alipay_mapi.errors import (AmountMismatch, GatewayError, OrderMismatch, OutcomeUnknown, PartyMismatch,
                                ResponseSignatureInvalid,
                                ResponseSignatureMissing, TransportError)
from alipay_mapi.fallback.deciding import EXPIRED, FINAL, GAVE_UP, NOT_THERE, OPEN, decide, describe
from alipay_mapi.times import GMT8
from alipay_mapi.trade_state import Effect, TradeState

from fallback_setup import PLAIN, START, TRADE_NO, answer, note, order, refusal

DEADLINE = START + 43200
LAST = DEADLINE + 600           # PLAIN.margin
DAY = 86400.0                   # PLAIN.gives_up
NEVER = LAST + DAY
NOTHING = TradeState(order())


def decided(message, state=NOTHING, attempts=1, now=START, outcome=OPEN, last_error=""):
    return decide(state, message, "shop:A1", attempts, now, DEADLINE, PLAIN, outcome, last_error)


def kinds(decision):
    return [(effect.kind, effect.detail) for effect in decision.effects]


# --- answers ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("status, outcome, due, effects", [
    ("TRADE_FINISHED", "paid", None, [("paid", "")]),
    ("TRADE_SUCCESS", "paid", None, [("paid", "")]),
    ("TRADE_CLOSED", "closed", None, [("closed", "")]),
    ("WAIT_BUYER_PAY", OPEN, START + 60, []),
    ("WAIT_SELLER_SEND_GOODS", OPEN, START + 60, [("needs_a_person", "trade_status WAIT_SELLER_SEND_GOODS")]),
])
def test_a_signed_answer_settles_or_the_order_waits(status, outcome, due, effects):
    decision = decided(answer(status=status))
    assert (decision.outcome, decision.due_at, kinds(decision), decision.error) == (outcome, due, effects, "")


def test_a_closed_trade_that_money_had_moved_in_is_refunded_and_not_never_paid():
    assert decided(answer(status="TRADE_CLOSED", to_buyer_fee="71.00")).outcome == "refunded"
    assert kinds(decided(answer(status="TRADE_CLOSED", gmt_payment="2026-03-01 12:00:00"))) == [("refunded", "")]


def test_the_cny_of_an_answer_is_not_compared_with_a_foreign_price_but_with_a_price_in_cny():
    """Genuine: 71.00 CNY for 10.00 USD. Hostile: 71.00 for a price of 99.00 CNY."""
    assert decided(answer(total_fee="71.00")).outcome == "paid"
    in_cny = TradeState(mapi.Order("A1", rmb_fee="99.00", currency="USD"))
    mainland = TradeState(mapi.Order("A1", total_fee="99.00"))
    for state in (in_cny, mainland):
        assert decided(answer(total_fee="99.00"), state).outcome == "paid"
        wrong = decided(answer(total_fee="71.00"), state)
        assert (wrong.outcome, wrong.due_at, kinds(wrong)) == (
            "needs_a_person", None, [("needs_a_person", "AmountMismatch")])


@pytest.mark.parametrize("amount", [None, "0.00", "1e3", "NaN", "７１.00", "71.000"])
def test_an_answer_without_a_proper_amount_is_for_a_person(amount):
    assert decided(answer(total_fee=amount)).outcome == "needs_a_person"


@pytest.mark.parametrize("message, name", [
    (answer("A2"), "OrderMismatch"), (OrderMismatch("x"), "OrderMismatch"), (PartyMismatch("x"), "PartyMismatch")])
def test_a_signed_answer_about_another_order_or_account_is_a_persons_and_settles_nothing(message, name):
    decision = decided(message)
    assert (decision.outcome, kinds(decision), decision.state) == (OPEN, [("needs_a_person", name)], NOTHING)
    assert decision.error.startswith(name + ": ") and decision.due_at == START + 60
    again = decided(message, decision.state, attempts=2)
    assert (again.outcome, again.effects) == (OPEN, ()), "he is told once"
    paid = decided(answer(), again.state)
    assert (paid.outcome, kinds(paid)) == ("paid", [("paid", "")])


def test_an_answer_that_does_not_say_for_whom_it_is_settles_nothing():
    decision = decided(answer(passed=(messages.SIGN,)))
    assert (decision.outcome, decision.effects, decision.due_at) == (OPEN, (), START + 60)
    assert decision.error.startswith("NotConfirmed: ")
    unsigned = decided(answer(passed=()))
    assert (unsigned.outcome, unsigned.effects, unsigned.state) == (OPEN, (), NOTHING)


# --- not there yet ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", ["TRADE_NOT_EXIST", "TRADE_IS_NOT_EXIST"])
def test_an_order_that_nobody_has_logged_in_for_waits_until_its_deadline_and_is_then_expired_and_never_paid(code):
    early = decided(refusal(code))
    assert (early.outcome, early.due_at, early.effects, early.error) == (OPEN, START + 60, (), "")
    before = decided(refusal(code), attempts=20, now=LAST - 1)
    assert (before.outcome, before.due_at, before.effects) == (OPEN, LAST + 59, ())
    once = decided(refusal(code), now=LAST)
    assert (once.outcome, once.due_at, once.effects, once.error) == (OPEN, LAST + 60, (), NOT_THERE)
    late = decided(refusal(code), now=LAST + 60, last_error=NOT_THERE)
    assert (late.outcome, late.due_at, kinds(late), late.error) == (EXPIRED, LAST + DAY, [("closed", "")], "")
    assert not late.state.paid and late.state.status is None


def test_an_expired_order_is_asked_about_a_few_times_more_and_a_payment_found_then_counts():
    """timeout_rule begins with the buyer's login, so an old payment page can still be paid (create_forex_trade)."""
    state, now, asked = decided(refusal(), now=LAST, last_error=NOT_THERE).state, LAST, []
    for error in (refusal(), TransportError("x"), refusal(), refusal()):
        late = decided(error, state, now=now, outcome=EXPIRED)
        assert (late.outcome, late.effects, late.error) == (EXPIRED, (), "")
        asked.append(late.due_at)
        now = late.due_at or now
    assert asked == [LAST + DAY, LAST + 3 * DAY, LAST + 7 * DAY, None]
    found = decided(answer(), state, now=LAST + 3 * DAY, outcome=EXPIRED)
    assert (found.outcome, found.due_at, kinds(found)) == ("paid", None, [("paid", "")])


def test_the_deadline_is_the_orders_own():
    for deadline, outcome in ((START - 601, EXPIRED), (START - 599, OPEN), (START + 15 * 86400, OPEN)):
        assert decide(NOTHING, refusal(), "k", 9, START, deadline, PLAIN, OPEN, NOT_THERE).outcome == outcome


@pytest.mark.parametrize("before", ["", "TransportError: x", "GatewayError: single_trade_query: TRADE_NOT_EXIST"])
def test_one_unsigned_answer_expires_nothing_whatever_came_before_it(before):
    """Hostile: a paid order, an outage, and one wrong TRADE_NOT_EXIST. Genuine: the same answer twice in a row."""
    once = decided(refusal(), attempts=30, now=LAST + 5000, last_error=before)
    assert (once.outcome, once.effects, once.due_at) == (OPEN, (), LAST + 5060)
    between = decided(TransportError("x"), attempts=31, now=LAST + 5060, last_error=once.error)
    assert decided(refusal(), attempts=32, now=LAST + 9000, last_error=between.error).outcome == OPEN
    assert decided(refusal(), attempts=31, now=LAST + 5060, last_error=once.error).outcome == EXPIRED


@pytest.mark.parametrize("known", [
    note(status="WAIT_BUYER_PAY"), note(status="WAIT_SELLER_SEND_GOODS"),
    note(status="TRADE_FINISHED", total_fee="9.00"),
    note(kind="refund", status=None, out_return_no="R1", refund_status="REFUND_FAIL"),
])
def test_not_there_is_no_answer_about_a_trade_that_was_seen(known):
    """A trade that a notification has named cannot be gone: the order never expires by it."""
    state, _ = NOTHING.apply(known)
    late = decided(refusal(), state, now=LAST)
    assert late.outcome in (OPEN, "needs_a_person") and ("closed", "") not in kinds(late)
    assert decided(refusal(), state, now=NEVER, last_error=late.error).outcome in (GAVE_UP, "needs_a_person")


# --- no usable answer -------------------------------------------------------------------------------------------------

UNKNOWN = [
    TransportError("no complete answer in time", kind="timeout", sent=True), ResponseSignatureMissing("unsigned"),
    ResponseSignatureInvalid("does not fit"), OutcomeUnknown("may have arrived"),
    GatewayError("SYSTEM_ERROR", code="SYSTEM_ERROR"), GatewayError("ILLEGAL_SIGN", code="ILLEGAL_SIGN"),
    GatewayError("no code", code=""), GatewayError("x", code="trade_not_exist"), mapi.errors.NotXML("a page"),
    AmountMismatch("of whatever"), mapi.AlipayError("asking failed inside"),
]


@pytest.mark.parametrize("error", UNKNOWN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("state", [NOTHING, NOTHING.apply(answer(status="WAIT_BUYER_PAY"))[0]],
                         ids=["nothing", "waiting"])
def test_an_unknown_outcome_is_asked_again_settles_nothing_and_is_given_up_with_its_error(error, state):
    for now in (START, LAST, LAST + 3600, NEVER - 1):
        decision = decided(error, state, attempts=3, now=now)
        assert (decision.outcome, decision.due_at, decision.effects) == (OPEN, now + 240, ())
        said = "{}: {}".format(type(error).__name__, error)
        assert decision.state == state and decision.error.partition(" (in vain since ")[0] == said
    since = decided(error, state, attempts=39, now=LAST).error
    assert since.endswith("(in vain since {})".format(datetime.fromtimestamp(LAST, GMT8).strftime("%Y-%m-%d %H:%M:%S")))
    limit = LAST + (7 * DAY if isinstance(error, TransportError) else DAY)
    assert decided(error, state, attempts=40, now=limit - 1, last_error=since).outcome == OPEN
    end = decided(error, state, attempts=40, now=limit, last_error=since)
    assert (end.outcome, end.due_at, end.state) == (GAVE_UP, None, state)
    assert kinds(end) == [("needs_a_person", "gave up: " + end.error)] and type(error).__name__ in end.error


def test_one_question_in_vain_after_a_pause_gives_nothing_up():
    """Cron was off for days, and the gateway is not well in the first minute: Friday's orders are not given up."""
    late = LAST + 9 * DAY
    for error in UNKNOWN:
        for before in ("", "GatewayError: SYSTEM_ERROR", "x (in vain since 2099-01-01 00:00:00)",
                       "x (in vain since 2020-99-99 00:00:00)"):
            first = decided(error, attempts=3, now=late, last_error=before)
            assert (first.outcome, first.due_at) == (OPEN, late + 240)
            second = decided(error, attempts=4, now=late + DAY - 1, last_error=first.error)
            assert second.outcome == OPEN
        if not isinstance(error, TransportError):
            assert decided(error, attempts=5, now=late + DAY, last_error=second.error).outcome == GAVE_UP


def test_a_trade_that_still_waits_after_its_deadline_is_asked_for_a_day_and_then_a_persons():
    waiting = answer(status="WAIT_BUYER_PAY")
    first = decided(waiting, now=LAST)
    assert first.due_at == LAST + 60
    end = decided(waiting, now=LAST + DAY, last_error=first.error)
    assert (end.outcome, end.due_at) == (GAVE_UP, None) and "still waits" in end.error
    assert kinds(end) == [("needs_a_person", end.error)]


# --- late news --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("outcome", FINAL)
@pytest.mark.parametrize("error", UNKNOWN[:3] + [refusal()], ids=lambda error: type(error).__name__)
def test_an_error_never_opens_again_what_is_settled(outcome, error):
    decision = decided(error, outcome=outcome, now=START)
    late = LAST + DAY if outcome == EXPIRED else None
    assert (decision.outcome, decision.due_at, decision.effects) == (outcome, late, ())
    assert bool(decision.error) == (outcome == GAVE_UP), "what was given up shows its last error"


@pytest.mark.parametrize("status", ["TRADE_FINISHED", "TRADE_CLOSED"])
def test_an_error_never_opens_again_what_the_facts_have_settled(status):
    state, _ = NOTHING.apply(answer(status=status))
    for error in UNKNOWN + [refusal()]:
        decision = decided(error, state, now=NEVER)
        assert (decision.outcome, decision.due_at, decision.effects) == (state.status, None, ())


@pytest.mark.parametrize("outcome", [EXPIRED, GAVE_UP])
def test_a_payment_that_is_seen_after_the_order_was_given_up_counts(outcome):
    closed = Effect("closed", "A1", "")
    state = NOTHING._with("done", frozenset([closed])) if outcome == EXPIRED else NOTHING
    paid = decided(answer(), state, now=NEVER + 9, outcome=outcome)
    assert (paid.outcome, paid.due_at, kinds(paid)) == ("paid", None, [("paid", "")])
    waiting = decided(answer(status="WAIT_BUYER_PAY"), state, now=LAST + 9, outcome=outcome)
    assert (waiting.outcome, waiting.due_at) == (OPEN, LAST + 69), "somebody is at the cashier: asked again"


def test_never_paid_is_told_once_whether_it_expired_or_was_closed():
    expired = decided(refusal(), now=LAST, last_error=NOT_THERE)
    assert kinds(expired) == [("closed", "")]
    assert decided(refusal(), expired.state, now=NEVER, last_error=NOT_THERE).effects == ()
    assert decided(answer(status="TRADE_CLOSED"), expired.state, now=NEVER).effects == ()


def test_a_payment_in_a_second_trade_is_flagged_and_fulfilled_once():
    state = decided(answer()).state
    second = decided(answer(trade_no=TRADE_NO[:-1] + "2"), state)
    assert second.outcome == "paid" and kinds(second) == [("needs_a_person", "paid twice, in two trades")]


# --- errors for people ------------------------------------------------------------------------------------------------

def test_of_a_foreign_error_only_its_class_and_place_are_told():
    """Hostile: a key in the text. Genuine: our own message comes through."""
    try:
        raise ValueError("https://gateway/?sign=SECRET&buyer=canary@mail.test")
    except ValueError as err:
        told = describe(err)
    assert told.startswith("ValueError: test_deciding.py:") and "SECRET" not in told and "canary" not in told
    assert describe(TransportError("no answer in time")) == "TransportError: no answer in time"
    assert len(describe(TransportError("x" * 10000))) == 300
