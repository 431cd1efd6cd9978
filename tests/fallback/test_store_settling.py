"""Settling claims and applying notifications: the new state and its effects, in one transaction."""
import sqlite3

import pytest

from alipay_mapi.errors import AlipayError, OrderNotFound
from alipay_mapi.fallback.deciding import OPEN
from alipay_mapi.fallback.facts import from_text
from alipay_mapi.trade_state import Effect

from stores_under_test import (START, at_once, becomes, claim, kinds, numbers, order, unreadable, watched)


def test_a_settled_order_has_its_facts_outcome_and_effects_and_no_claim(store, place):
    store.watch([watched("A1"), watched("A2")])
    rows = claim(store)
    decisions = store.settle([(rows[0], becomes("paid", "paid", fact="2026")),
                              (rows[1], becomes(OPEN, due_at=START + 500, error="TransportError: no answer"))])
    assert [decision.outcome for decision in decisions] == ["paid", OPEN]
    paid, waiting = store.get("shop", "A1"), store.get("shop", "A2")
    assert (paid.outcome, paid.due_at, paid.lease, paid.last_error) == ("paid", None, "", "")
    assert from_text(paid.order, paid.facts).paid_trades == {"2026"}
    assert (waiting.outcome, waiting.due_at, waiting.last_error) == (OPEN, START + 500, "TransportError: no answer")
    pending, = store.effects("w", 10, 60)
    assert (pending.key, pending.effect, pending.order, pending.attempts) == (
        "shop:paid::A1", Effect("paid", "A1"), order("A1"), 1)
    place.clock.now += 500
    assert numbers(claim(store)) == ["A2"]


def test_a_change_that_cannot_be_made_is_told_per_row_and_the_others_are_written(store, place):
    """One order whose facts nobody can read keeps nobody else waiting, and is not asked about again at once."""
    store.watch([watched("A1"), watched("A2"), watched("A3")])
    rows = claim(store)
    first, error, third = store.settle([(rows[0], becomes("paid", "paid")), (rows[1], unreadable),
                                        (rows[2], becomes("closed", "closed"))])
    assert (first.outcome, third.outcome) == ("paid", "closed")
    assert type(error) is AlipayError and str(error) == "the stored facts cannot be read"
    assert store.get("shop", "A2") == rows[1]._replace(
        due_at=START + 60, lease="", last_error="AlipayError: the stored facts cannot be read")
    assert store.counts()["outcomes"] == {"paid": 1, "closed": 1, OPEN: 1}
    assert sorted(kinds(store.effects("w", 10, 60))) == [("A1", "paid"), ("A3", "closed")]
    place.clock.now += 60
    assert numbers(claim(store)) == ["A2"]


def test_a_change_that_cannot_be_made_leaves_anothers_claim_alone(store, place):
    store.watch([watched("A1")])
    lost, = claim(store)
    place.clock.now += 60
    mine, = claim(store)
    assert isinstance(store.settle([(lost, unreadable)])[0], AlipayError)
    row = store.get("shop", "A1")
    assert (row.lease, row.due_at) == (mine.lease, START + 120) and "cannot be read" in row.last_error


@pytest.mark.parametrize("bug", [KeyError("a bug"), UnicodeDecodeError("ascii", b"x", 0, 1, "a bug"),
                                 sqlite3.OperationalError("database is locked"), KeyboardInterrupt()])
def test_any_other_error_of_a_change_comes_through_and_nothing_of_the_call_is_written(store, place, bug):
    """Also one of a class that the database raises itself: it is not taken for the database's."""
    store.watch([watched("A1"), watched("A2")])
    rows = claim(store)
    before = place.dump(store)

    def fails(row):
        raise bug
    for call in (lambda: store.settle([(rows[0], becomes("paid", "paid")), (rows[1], fails)]),
                 lambda: store.apply("shop", "A1", fails),
                 lambda: store.apply("shop", "A2", fails)):
        with pytest.raises(type(bug)) as caught:
            call()
        assert caught.value is bug
    assert place.dump(store) == before
    store.settle([(rows[0], becomes("paid", "paid"))])      # and the store is as usable as before
    assert store.get("shop", "A1").outcome == "paid"


def test_an_error_of_applied_news_comes_through_and_changes_nothing(store, place):
    store.watch([watched("A1")])
    before = place.dump(store)
    with pytest.raises(AlipayError, match="cannot be read"):
        store.apply("shop", "A1", unreadable)
    assert place.dump(store) == before


def test_news_may_move_the_next_question_up_or_off_while_nobody_asks(store, place):
    store.watch([watched("A1", 600)])
    for due_at in (START + 5, START + 900, START + 1):
        store.apply("shop", "A1", becomes(OPEN, due_at=due_at))
        assert store.get("shop", "A1").due_at == due_at
    place.clock.now += 1
    assert numbers(claim(store)) == ["A1"]


def test_while_somebody_asks_his_claim_says_when_the_next_question_is(store, place):
    store.watch([watched("A1")])
    claim(store, lease=30)
    for due_at in (START + 1, START + 900):
        store.apply("shop", "A1", becomes(OPEN, due_at=due_at))
        assert store.get("shop", "A1").due_at == START + 60
    # His lease has ended, he is gone: his claim says nothing any more.
    place.clock.now += 30
    store.apply("shop", "A1", becomes(OPEN, due_at=START + 31))
    row = store.get("shop", "A1")
    assert (row.due_at, row.lease) == (START + 31, "")
    place.clock.now += 1
    assert numbers(claim(store)) == ["A1"]


def test_an_answer_that_comes_after_its_lease_ended_counts_if_nobody_has_taken_over(store, place):
    store.watch([watched("A1")])
    late, = claim(store, lease=30)
    place.clock.now += 40
    store.settle([(late, becomes(OPEN, due_at=START + 300))])
    row = store.get("shop", "A1")
    assert (row.due_at, row.lease) == (START + 300, "")


REFUNDS = '[["R1","3.00","20260101000000","",1.0,"asked","",0,""]]'


def test_refunds_are_kept_until_a_decision_says_otherwise(store, place):
    """None leaves them as they were; the empty text takes them away."""
    def refunds(text):
        return becomes(OPEN, due_at=START + 9, refunds=text)
    store.watch([watched("A1"), watched("A2")])
    assert store.get("shop", "A1").refunds == ""
    store.apply("shop", "A1", refunds(REFUNDS))
    store.apply("shop", "A1", refunds(None))
    rows = claim(store)
    assert sorted((row.out_trade_no, row.refunds) for row in rows) == [("A1", REFUNDS), ("A2", "")] or (
        [(row.out_trade_no, row.refunds) for row in rows] == [("A2", "")])
    place.clock.now += 10
    rows += claim(store)
    seen = {}
    store.settle([(row, lambda row: seen.update({row.out_trade_no: row.refunds}) or refunds(None)(row))
                  for row in rows])
    assert seen == {"A1": REFUNDS, "A2": ""}
    assert [store.get("shop", number).refunds for number in ("A1", "A2")] == [REFUNDS, ""]
    long = REFUNDS * 3000       # more than MySQL's TEXT holds
    store.apply("shop", "A2", refunds(long))
    store.settle([(row, refunds("")) for row in rows if row.out_trade_no == "A1"])
    assert [store.get("shop", number).refunds for number in ("A1", "A2")] == ["", long]


@pytest.mark.parametrize("number", ["A" * 65, "A\0", "A\ud800", "", None, 7, "Ä1"])
def test_a_number_that_no_store_takes_is_an_order_that_is_not_watched(store, number):
    assert store.get("shop", number) is None and store.get(number, "A1") is None
    assert store.effects("w", 1, 60, only=("shop", number)) == []
    assert number is None or store.reopen("shop", number) == store.reopen(number) == 0
    with pytest.raises(OrderNotFound):
        store.apply("shop", number, becomes("paid"))


def test_a_lost_claim_adds_its_facts_and_leaves_the_new_claim_alone(store, place):
    store.watch([watched("A1")])
    lost, = claim(store, worker="slow")
    place.clock.now += 60
    mine, = claim(store, worker="fast")
    store.settle([(lost, becomes(OPEN, due_at=START + 61, fact="2026"))])
    row = store.get("shop", "A1")
    assert row.lease == mine.lease and row.due_at == START + 120 and "2026" in row.facts
    place.clock.now += 59
    assert claim(store) == []
    store.settle([(mine, becomes("paid", "paid"))])
    assert store.get("shop", "A1").outcome == "paid"


def test_a_lost_claim_may_settle_the_order_and_the_second_answer_has_no_second_effect(store, place):
    store.watch([watched("A1")])
    lost, = claim(store)
    place.clock.now += 60
    mine, = claim(store)
    store.settle([(lost, becomes("paid", "paid"))])
    row = store.get("shop", "A1")
    assert row.due_at is None and row.lease == mine.lease
    store.settle([(mine, becomes("paid", "paid"))])
    row = store.get("shop", "A1")
    assert (row.due_at, row.lease) == (None, "") and store.counts()["effects"] == 1


def test_an_order_that_was_expired_meanwhile_and_is_open_again_has_a_moment(store, place):
    store.watch([watched("A1")])
    lost, = claim(store)
    place.clock.now += 60
    mine, = claim(store)
    store.settle([(mine, becomes("expired"))])
    store.settle([(lost, becomes(OPEN, due_at=START + 400))])
    assert store.get("shop", "A1").due_at == START + 400


def test_the_same_order_twice_in_one_call_is_changed_twice(store):
    store.watch([watched("A1")])
    row, = claim(store)
    store.settle([(row, becomes(OPEN, fact="1", due_at=START + 9)), (row, becomes("paid", "paid", fact="2"))])
    row = store.get("shop", "A1")
    assert from_text(row.order, row.facts).paid_trades == {"1", "2"} and row.lease == ""


def test_a_row_that_was_deleted_by_hand_holds_up_nobody(store, place):
    store.watch([watched("A1"), watched("A2")])
    rows = claim(store)
    place.execute(store, "DELETE FROM mapi_orders WHERE out_trade_no = 'A1'")
    assert [d and d.outcome for d in store.settle([(row, becomes("paid", "paid")) for row in rows])] == [None, "paid"]


def test_a_notification_is_applied_without_ending_the_claim(store):
    store.watch([watched("A1")])
    row, = claim(store)
    assert store.apply("shop", "A1", becomes(OPEN, fact="1", due_at=START + 1)).outcome == OPEN
    stored = store.get("shop", "A1")
    assert stored.lease == row.lease and stored.due_at == START + 60
    seen = []
    store.settle([(row, lambda stored: seen.append(stored.facts) or becomes("paid", "paid", fact="2")(stored))])
    assert "1" in seen[-1]      # the answer is applied to what the notification left
    assert from_text(order("A1"), store.get("shop", "A1").facts).paid_trades == {"1", "2"}


def test_a_notification_for_an_order_that_is_not_watched_says_so(store):
    with pytest.raises(OrderNotFound):
        store.apply("shop", "A1", becomes("paid"))


def test_notification_and_answer_at_once_have_one_effect(place):
    stores = [place.open(), place.open()]
    names = ["A{:02}".format(i) for i in range(30)]
    stores[0].watch([watched(name) for name in names])
    rows = claim(stores[0], 30)

    def notified():
        for name in reversed(names):
            stores[1].apply("shop", name, becomes("paid", "paid", fact="n"))

    def answered():
        for at in range(0, 30, 5):
            stores[0].settle([(row, becomes("paid", "paid", fact="q")) for row in rows[at:at + 5]])
    assert at_once(notified, answered) == [None, None]
    assert stores[0].counts()["effects"] == 30
    for name in names:
        row = stores[0].get("shop", name)
        assert from_text(row.order, row.facts).paid_trades == {"n", "q"} and row.lease == ""
