"""What a store tells of itself: numbers, lists, pages; and what is given up can be asked about again."""
import pytest

from alipay_mapi.fallback.deciding import FINAL, GAVE_UP, OPEN
from alipay_mapi.fallback.stores import sqlite
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.fallback.stores.sqlite_effects import PENDING
from alipay_mapi.fallback.stores.sqlite_orders import due_rows

from stores_under_test import START, becomes, claim, numbers, watched


def test_counts_pages_and_reopening(store, place):
    store.watch([watched("A{}".format(i), -i) for i in range(5)])
    rows = claim(store, 3)
    store.settle([(rows[0], becomes("paid", "paid")), (rows[1], becomes(GAVE_UP, "needs_a_person", error="no answer"))])
    counts = store.counts()
    assert counts["outcomes"] == {OPEN: 3, "paid": 1, GAVE_UP: 1}
    assert (counts["due"], counts["oldest_due"], counts["effects"]) == (2, 1.0, 2)
    assert counts["errors"] == [("shop", rows[1].out_trade_no, "no answer")]
    page = store.rows(limit=2)
    assert page + store.rows(after=page[-1].id) == store.rows() and len(store.rows()) == 5
    assert numbers(store.rows(outcomes=FINAL)) == sorted([rows[0].out_trade_no, rows[1].out_trade_no])
    assert store.reopen(shop="other") == 0 and store.reopen() == 1
    assert store.get("shop", rows[1].out_trade_no).outcome == OPEN
    assert store.reopen("shop", rows[2].out_trade_no) == 1      # being asked about: nobody else asks meanwhile
    assert rows[2].out_trade_no not in numbers(claim(store))


def test_counts_tell_what_is_claimed_what_fails_and_what_was_given_up(store, place):
    empty = store.counts()
    assert empty == {"watched": 0, "outcomes": {}, "due": 0, "oldest_due": 0.0, "leased": 0, "effects": 0,
                     "oldest_effect": 0.0, "failures": 0, "failing": [], "gave_up": [], "errors": []}
    store.watch([watched("A{}".format(i)) for i in (0, 1, 2, 4)])
    store.watch([watched("A3", shop="b")])
    rows = {row.out_trade_no: row for row in claim(store, lease=90)}
    assert store.counts()["leased"] == 5 and store.counts()["due"] == 0
    store.settle([(rows["A1"], becomes("paid", "paid")),
                  (rows["A2"], becomes(GAVE_UP, "needs_a_person", error="TransportError: no answer")),
                  (rows["A3"], becomes(GAVE_UP, "needs_a_person", error="GatewayError: no"))])
    place.clock.now += 10
    pending = {one.out_trade_no: one for one in store.effects("w", 10, 60)}
    store.effect_failed(pending["A1"], "KeyError: 'stock'", 30)
    store.effect_failed(pending["A2"], "OSError: mail", 30)
    store.effect_done(pending["A3"])
    counts = store.counts()
    assert (counts["watched"], counts["leased"], counts["effects"], counts["failures"]) == (5, 2, 2, 2)
    assert counts["oldest_effect"] == pytest.approx(10, abs=1e-5)
    assert counts["failing"] == [("shop", "A2", "needs_a_person", 1, "OSError: mail"),
                                 ("shop", "A1", "paid", 1, "KeyError: 'stock'")]
    assert counts["failing"][0].error == "OSError: mail"
    assert counts["gave_up"] == [("b", "A3", "GatewayError: no"), ("shop", "A2", "TransportError: no answer")]
    place.clock.now += 90
    assert store.counts()["leased"] == 0
    again, = store.effects("w", 1, 60, only=("shop", "A1"))
    store.effect_done(again)
    assert (store.counts()["failures"], len(store.counts()["failing"])) == (1, 1)
    assert store.reopen("b") == 1 and [row[1] for row in store.counts()["gave_up"]] == ["A2"]


def test_lists_are_short_and_begin_with_the_newest(store):
    store.watch([watched("A{:02}".format(i)) for i in range(30)])
    store.settle([(row, becomes(GAVE_UP, "needs_a_person", error="no")) for row in claim(store, 30)])
    for pending in store.effects("w", 30, 60):
        store.effect_failed(pending, "no", 60)
    counts = store.counts()
    newest = ["A{:02}".format(i) for i in range(29, 9, -1)]
    assert [row[1] for row in counts["gave_up"]] == newest == [row[1] for row in counts["errors"]]
    assert [one.out_trade_no for one in counts["failing"]] == newest and counts["failures"] == 30


@pytest.mark.parametrize("statement, values, index", [
    ("SELECT id" + due_rows(START, 10, None)[0], [START, START, 10], "mapi_orders_due"),
    ("SELECT count(*) FROM mapi_orders", [], "COVERING INDEX"),
    ("SELECT id FROM mapi_orders WHERE last_error <> '' ORDER BY asked_at DESC, id DESC LIMIT 20", [],
     "mapi_orders_error"),
    ("SELECT count(*) FROM mapi_effects WHERE last_error <> ''", [], "mapi_effects_error"),
    ("SELECT min(made_at) FROM mapi_effects WHERE due_at IS NOT NULL", [], "mapi_effects_due"),
    ("SELECT min(due_at) FROM mapi_orders WHERE due_at IS NOT NULL", [], "mapi_orders_due"),
])
def test_an_index_serves_it_whatever_the_number_of_orders(statement, values, index):
    store = SQLiteStore(":memory:")
    plan = [row[3] for row in store._db.execute("EXPLAIN QUERY PLAN " + statement, values)]
    store.close()
    assert len(plan) == 1 and index in plan[0], plan


@pytest.mark.parametrize("statement, values, index", [
    (sqlite._NOT_PAID, [], "COVERING INDEX mapi_orders_due"), (sqlite._GAVE_UP, ["gave_up"], "mapi_orders_due")])
def test_orders_that_are_not_paid_are_counted_by_an_index_that_paid_ones_are_not_in(statement, values, index):
    store = SQLiteStore(":memory:")
    plan = [row[3] for row in store._db.execute("EXPLAIN QUERY PLAN " + statement, values)]
    store.close()
    assert index in plan[0], plan


def test_effects_are_found_by_an_index_whatever_their_number():
    store = SQLiteStore(":memory:")
    plan = " / ".join(row[3] for row in store._db.execute("EXPLAIN QUERY PLAN " + PENDING.format(""),
                                                          {"now": START, "limit": 5}))
    store.close()
    assert "mapi_effects_due" in plan and "SCAN" not in plan and "TEMP B-TREE" not in plan, plan
