"""A stored row, and what comes: an answer, a notification, the shop's own word."""
import pytest
from hypothesis import given, settings, strategies as st

from alipay_mapi.errors import AlipayError, NotConfirmed, OrderMismatch, TransportError
from alipay_mapi.fallback import facts, refunding
from alipay_mapi.fallback.changes import Findings, by_findings, by_notification, by_wish, sooner
from alipay_mapi.fallback.rows import Row, changed
from alipay_mapi.notification import Notification
from alipay_mapi.trade_state import TradeState

from fallback_setup import PLAIN, START, TRADE_NO, answer, note, order, refund_note, refusal

REFUND = refunding.Refund("R1", "4.00", "20260301120000", "", START)
PAID = facts.to_text(TradeState(order()).apply(answer())[0])


def row(**given):
    return Row(1, "shop", "A1", "10.00||USD", "", "", "open", START, START + 43200, START + 30, START, 1, "",
               "", "mapi")._replace(**given)


def kinds(decision):
    return [(effect.kind, effect.detail) for effect in decision.effects]


def told(stored, *messages, now=START + 10):
    """The row after these notifications, and all that was to be carried out."""
    effects = []
    for message in messages:
        decision = by_notification(stored, message, now, PLAIN)
        effects += kinds(decision)
        stored = changed(stored, decision, False)
    return stored, effects


# --- notifications ----------------------------------------------------------------------------------------------------

def test_a_notification_settles_and_clears_the_last_error():
    stored, effects = told(row(last_error="TransportError: no answer"), note())
    assert (stored.outcome, stored.due_at, stored.last_error, effects) == ("paid", None, "", [("paid", "")])


def test_the_same_news_of_another_gateway_call_a_person_once():
    stored, effects = told(row(gateway="ams"), note(), note(notify_id="n2"))
    assert effects == [("needs_a_person", "mapi says TRADE_FINISHED of this number, and the order lives on ams")]
    assert (stored.outcome, stored.due_at) == ("open", START + 30)


def test_one_that_settles_nothing_puts_off_nothing():
    stored, effects = told(row(last_error="x"), note(status="WAIT_BUYER_PAY"))
    assert (stored.outcome, stored.due_at, stored.last_error, effects) == ("open", START + 30, "x", [])


@pytest.mark.parametrize("first, second", [
    (note(), note(notify_id="n2")), (note(), note(notify_time="2026-03-02 12:00:00")), (note(), answer()),
    (answer(), note())])
def test_the_same_news_twice_have_one_effect_whoever_brings_them(first, second):
    stored, effects = row(), []
    for message in (first, second):
        decision = by_notification(stored, message, START, PLAIN) if "notify_id" in message else by_findings(
            stored, 1, Findings(message), START, PLAIN)
        effects += kinds(decision)
        stored = changed(stored, decision, True)
    assert (stored.outcome, effects) == ("paid", [("paid", "")])


@pytest.mark.parametrize("outcome", ["expired", "gave_up"])
def test_somebody_who_comes_to_the_cashier_after_the_order_was_given_up_is_asked_about_again(outcome):
    """The time to pay begins with the login, so it may end after the order's own deadline."""
    settled = row(outcome=outcome, due_at=None, attempts=9, asked_at=START - 9999)
    stored, effects = told(settled, note(status="WAIT_BUYER_PAY"))
    assert (stored.outcome, stored.due_at, effects) == ("open", START + 10, [])
    again = stored._replace(outcome=outcome, due_at=None)
    assert told(again, note(status="WAIT_BUYER_PAY"))[0].due_at is None, "a repetition is no news"


@pytest.mark.parametrize("outcome", ["open", "expired", "gave_up"])
def test_a_claim_that_cannot_be_compared_is_asked_about_as_soon_as_the_interval_allows(outcome):
    """Priced in CNY, so the notification's amount says nothing: only the query settles it, whatever was decided."""
    waits = row(price="|71.00|USD", outcome=outcome, due_at=START + 3600 if outcome == "open" else None, attempts=3)
    stored, effects = told(waits, note())
    assert (stored.outcome, stored.due_at, effects) == ("open", START + 60, [])
    stored = told(waits._replace(asked_at=START - 600), note())[0]
    assert stored.due_at == START + 10
    settled = by_findings(stored, 4, Findings(answer(total_fee="71.00")), START + 11, PLAIN)
    assert (settled.outcome, kinds(settled)) == ("paid", [("paid", "")])


@pytest.mark.parametrize("outcome", ["expired", "gave_up"])
def test_a_payment_after_the_order_was_given_up_is_recorded(outcome):
    stored, effects = told(row(outcome=outcome, due_at=None, last_error="why"), note())
    assert (stored.outcome, stored.due_at, stored.last_error, effects) == ("paid", None, "", [("paid", "")])


@pytest.mark.parametrize("late", [note(status="WAIT_BUYER_PAY", notify_id="n0"), note(notify_id="n9"),
                                  note(status="TRADE_SUCCESS", notify_id="n8")])
def test_late_news_after_the_payment_change_nothing_for_the_shop(late):
    stored, effects = told(row(), note(), late)
    assert (stored.outcome, stored.due_at, effects) == ("paid", None, [("paid", "")])


def test_a_close_after_the_payment_is_a_refund():
    stored, effects = told(row(), note(), note(status="TRADE_CLOSED", notify_id="n2"))
    assert (stored.outcome, effects) == ("refunded", [("paid", ""), ("refunded", "")])


def test_a_notification_with_a_wrong_amount_is_for_a_person_and_a_right_one_still_settles():
    stored, effects = told(row(), note(total_fee="9.00"))
    assert (stored.outcome, stored.due_at, effects) == ("needs_a_person", None, [("needs_a_person", "AmountMismatch")])
    stored, effects = told(stored, note(notify_id="n2", trade_no=TRADE_NO[:-1] + "2"))
    assert (stored.outcome, effects) == ("paid", [("paid", "")])


def test_one_about_another_order_or_for_nobody_raises_and_so_changes_nothing():
    with pytest.raises(OrderMismatch):
        by_notification(row(), note("A2"), START, PLAIN)
    with pytest.raises(NotConfirmed):
        by_notification(row(), note(passed=("sign",)), START, PLAIN)


# --- news that prove nothing ------------------------------------------------------------------------------------------

def test_news_that_prove_nothing_bring_the_question_forward_and_never_within_an_interval():
    assert sooner(row(due_at=START + 3600), START + 10, PLAIN).due_at == START + 60
    assert sooner(row(due_at=START + 3600, attempts=0), START + 10, PLAIN).due_at == START + 10
    assert sooner(row(due_at=START + 20), START + 10, PLAIN).due_at == START + 20, "and never puts it off"
    for outcome in ("expired", "gave_up"):
        decision = sooner(row(due_at=None, outcome=outcome, last_error="why"), START + 100, PLAIN)
        assert (decision.due_at, decision.outcome, decision.error) == (START + 100, outcome, "why")
    for outcome in ("paid", "closed", "refunded", "needs_a_person"):
        assert sooner(row(due_at=None, outcome=outcome), START + 100, PLAIN).due_at is None


# --- answers ----------------------------------------------------------------------------------------------------------

def test_an_answer_that_comes_after_a_notification_has_settled_the_order_opens_nothing():
    stored = told(row(lease="w#1"), note())[0]
    for found in (TransportError("x"), refusal(), answer(status="WAIT_BUYER_PAY"), answer()):
        decision = by_findings(stored, 2, Findings(found), START + 99999, PLAIN)
        assert (decision.outcome, decision.due_at, decision.effects) == ("paid", None, ())


def test_the_last_error_of_an_order_that_was_given_up_stays_visible():
    gave_up = row(outcome="gave_up", due_at=START, last_error="TransportError: first")
    decision = by_findings(gave_up, 50, Findings(TransportError("then")), START + 999999, PLAIN)
    assert (decision.outcome, decision.due_at, decision.error) == ("gave_up", None, "TransportError: then")


BROKEN = [
    {"facts": "{"}, {"facts": "[]"}, {"facts": "5"}, {"facts": '{"paid_trades":5}'}, {"facts": '{"paid_trades":[[1]]}'},
    {"facts": '{"paid_trades":[5, "x"]}'}, {"facts": '{"seen":[["n1"]]}'}, {"facts": '{"done":[["paid", 5]]}'},
    {"facts": '{"done":[["paid"]]}'}, {"facts": '{"newer":[]}'}, {"price": "x"}, {"price": "||"},
    {"price": "10.00|5.00|USD"}, {"refunds": "x"}, {"refunds": '[["R1"]]'},
    {"refunds": '[["R1","4.00","20260301120000","","since","asked","",0,""]]'},
]
#: What an answer alone stumbles over.
BROKEN_FOR_AN_ANSWER = BROKEN + [
    {"refunds": '[["R1","4.00","20260301120000","",5,"accepted","lots",0,""]]'}]


def given_up_in_the_end(broken, findings):
    stored = row(lease="w#1", **broken)
    soon = by_findings(stored, 3, findings, START, PLAIN)
    assert (soon.outcome, soon.due_at, soon.effects) == ("open", START + 240, ())
    assert soon.error and "TransportError: x" not in soon.error
    kept = changed(stored, soon, True)
    assert (kept.facts, kept.refunds, kept.price) == (stored.facts, stored.refunds, stored.price)
    assert kept.last_error == soon.error
    late = by_findings(stored, 98, findings, stored.deadline + 600, PLAIN)
    assert late.outcome == "open", "one question in vain after a pause gives nothing up"
    end = by_findings(changed(stored, late, True), 99, findings, stored.deadline + 600 + 86400, PLAIN)
    assert (end.outcome, end.due_at, kinds(end)) == ("gave_up", None, [("needs_a_person", "gave up: " + end.error)])
    assert changed(stored, end, True).facts == stored.facts


@pytest.mark.parametrize("broken", BROKEN_FOR_AN_ANSWER, ids=str)
def test_T95_a_row_that_cannot_be_read_is_kept_put_off_and_given_up_in_the_end(broken):
    """Hostile: text that nobody here wrote. Genuine: the same row, readable, settles by the same answer."""
    given_up_in_the_end(broken, Findings(answer(total_fee="71.00"), about="R1"))
    assert by_findings(row(lease="w#1"), 3, Findings(answer()), START, PLAIN).outcome == "paid"


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_it_is_when_there_is_no_answer_either(broken):
    given_up_in_the_end(broken, Findings(TransportError("x"), about="R1"))


def test_a_paid_order_whose_refunds_cannot_be_read_stays_paid():
    stored = row(facts=PAID, outcome="paid", refunds="x")
    late = by_findings(stored, 98, Findings(TransportError("x")), stored.deadline + 600, PLAIN)
    end = by_findings(changed(stored, late, True), 99, Findings(TransportError("x")), stored.deadline + 600 + 86400,
                      PLAIN)
    assert (end.outcome, end.due_at) == ("paid", None) and kinds(end)[0][0] == "needs_a_person"


def test_a_notification_for_a_row_that_cannot_be_read_raises_one_of_our_errors():
    for broken in BROKEN[:-1]:
        with pytest.raises(AlipayError):
            by_notification(row(**broken), note(), START, PLAIN)


# --- refunds ----------------------------------------------------------------------------------------------------------

def test_a_wish_is_worked_on_at_once_and_a_repeated_one_puts_off_nothing():
    paid = row(facts=PAID, outcome="paid", due_at=None)
    decision = by_wish(paid, REFUND, START + 5)
    assert (decision.due_at, decision.outcome, decision.effects) == (START + 5, "paid", ())
    stored = changed(paid, decision, False)._replace(due_at=START + 500)
    assert by_wish(stored, REFUND._replace(since=START + 9), START + 9).due_at == START + 500


def test_while_somebody_asks_about_the_order_a_wish_leaves_his_claim_alone():
    claimed = row(facts=PAID, outcome="paid", due_at=START + 60, lease="w#1")
    stored = changed(claimed, by_wish(claimed, REFUND, START + 5), False)
    assert (stored.lease, stored.due_at) == ("w#1", START + 60)
    after = by_findings(stored, 2, Findings(answer(to_buyer_fee="1.00")), START + 6, PLAIN)
    refund = refunding.from_text(after.refunds)[0]
    assert (refund.status, refund.before, after.due_at) == ("asked", "", START + 6), "his answer is older than the wish"


def test_a_refund_keeps_a_settled_order_due_and_nothing_else_does():
    accepted = REFUND._replace(status="accepted", before="0.00")
    stored = row(facts=PAID, outcome="paid", refunds=refunding.to_text((accepted,)))
    seen = by_findings(stored, 2, Findings(answer(to_buyer_fee="28.40"), about="R1"), START + 5, PLAIN)
    assert (seen.due_at, kinds(seen)) == (None, [("refunded", "R1")])
    unseen = by_findings(stored, 2, Findings(answer(to_buyer_fee="0.00"), about="R1"), START + 5, PLAIN)
    assert (unseen.due_at, unseen.effects) == (START + 65, ())
    error = by_findings(stored, 2, Findings(TransportError("x"), about="R1"), START + 5, PLAIN)
    assert (error.due_at, error.outcome) == (START + 65, "paid")
    assert refunding.from_text(error.refunds)[0].error == "TransportError"


# --- in any order -----------------------------------------------------------------------------------------------------

NOTES = [note(), note(status="WAIT_BUYER_PAY", notify_id="n2"), note(status="TRADE_CLOSED", notify_id="n3"),
         refund_note(), note(notify_id="n4", total_fee="9.00")]
NEWS = NOTES + [answer(), answer(status="WAIT_BUYER_PAY"), refusal(), TransportError("x"), answer("A2")]


@settings(max_examples=300, deadline=None)
@given(st.permutations(NEWS), st.integers(0, 3))
def test_the_order_in_which_news_come_makes_no_difference_and_no_effect_twice(news, repeated):
    """4.1, 18: notification x query x refund in any order, some twice: one state, each effect once."""
    stored, effects = row(), []
    for message in list(news) + list(news[:repeated]):
        decision = by_notification(stored, message, START + 5, PLAIN) if isinstance(message, Notification) \
            else by_findings(stored, 1, Findings(message), START + 5, PLAIN)
        effects += kinds(decision)
        stored = changed(stored, decision, True)
    assert stored.outcome == "refunded" and stored.due_at is None
    assert len(effects) == len(set(effects))
    # The answer about another order is a person's while the order is open, and nobody's once it is settled.
    assert set(effects) - {("paid", ""), ("closed", ""), ("needs_a_person", "OrderMismatch")} == {
        ("refunded", ""), ("refunded", "R1"), ("needs_a_person", "AmountMismatch")}
    in_row, _ = told(row(), *NOTES)
    both = changed(in_row, by_findings(in_row, 1, Findings(answer()), START + 5, PLAIN), True)
    both = changed(both, by_findings(both, 1, Findings(answer(status="WAIT_BUYER_PAY")), START + 5, PLAIN), True)
    one, other = facts.from_text(order(), stored.facts), facts.from_text(order(), both.facts)
    assert one == other
