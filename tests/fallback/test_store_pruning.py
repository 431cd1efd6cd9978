"""Pruning: old settled orders go, with their effects; nothing that is open, undone or in use ever does."""
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from alipay_mapi.errors import OrderNotFound
from alipay_mapi.fallback.deciding import GAVE_UP, OPEN
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from stores_under_test import START, Clock, becomes, claim, numbers, watched

DAY = 86400.0


def settle(store, *names):
    """Paid, and every effect done."""
    store.watch([watched(name) for name in names])
    store.settle([(row, becomes("paid", "paid")) for row in claim(store)])
    for pending in store.effects("w", 50, 60):
        store.effect_done(pending)


def test_old_settled_orders_go_with_their_effects_the_first_first(store, place):
    settle(store, "A1", "A2", "A3")
    assert store.prune(DAY, 10) == 0
    place.clock.now += DAY
    assert store.prune(DAY, 2) == 2
    assert numbers(store.rows()) == ["A3"]
    assert store.prune(DAY, 2) == 1 and store.prune(DAY, 2) == 0
    dump = place.dump(store)
    assert dump["mapi_orders"] == dump["mapi_effects"] == []
    with pytest.raises(OrderNotFound):
        store.apply("shop", "A1", becomes("paid"))
    assert store.watch([watched("A1")]) == 1


def test_what_is_open_undone_or_in_use_stays(store, place):
    store.watch([watched(name) for name in ("open", "undone", "second", "later", "claimed", "wanted", "gone")])
    rows = {row.out_trade_no: row for row in claim(store, lease=60)}
    store.settle([(rows[name], becomes("paid", *kinds)) for name, kinds in (
        ("undone", ["paid"]), ("second", ["paid", "refunded"]), ("later", ["paid"]), ("gone", ["paid"]),
        ("claimed", []))])
    store.settle([(rows["wanted"], becomes("paid", due_at=START + 9 * DAY))])       # its refund is looked after
    for pending in store.effects("w", 50, 60):
        if pending.out_trade_no in ("second", "gone"):
            store.effect_done(pending)
    place.clock.now += DAY
    later, = store.effects("w", 50, 60, only=("shop", "later"))
    store.effect_done(later)        # only now
    store.reopen("shop", "claimed")
    lost, = [row for row in claim(store, lease=3 * DAY) if row.out_trade_no == "claimed"]
    store.apply("shop", "claimed", becomes("paid"))      # settled by a notification, while somebody asks
    assert store.prune(DAY, 10) == 1
    assert sorted(numbers(store.rows())) == ["claimed", "later", "open", "second", "undone", "wanted"]
    place.clock.now += DAY
    assert store.prune(DAY, 10) == 1 and store.get("shop", "later") is None
    place.clock.now += 2 * DAY
    store.settle([(lost, becomes("paid"))])
    assert store.prune(DAY, 10) == 1 and store.get("shop", "claimed") is None
    assert sorted(numbers(store.rows())) == ["open", "second", "undone", "wanted"]


def test_given_up_orders_are_kept_as_long_as_others(store, place):
    store.watch([watched("A1")])
    store.settle([(row, becomes(GAVE_UP)) for row in claim(store)])
    place.clock.now += DAY
    assert store.reopen() == 1 and store.prune(DAY, 10) == 0
    store.settle([(row, becomes(GAVE_UP)) for row in claim(store)])
    assert store.prune(DAY, 10) == 0        # asked about just now
    place.clock.now += DAY
    assert store.prune(DAY, 10) == 1


def test_an_answer_that_comes_after_its_order_was_pruned_is_about_a_row_that_is_gone(store, place):
    store.watch([watched("A1")])
    late, = claim(store, lease=60)
    store.apply("shop", "A1", becomes("closed"))
    place.clock.now += DAY
    assert store.prune(DAY, 10) == 1
    assert store.settle([(late, becomes("paid", "paid"))]) == [None]


def test_an_effect_that_is_told_done_after_it_was_pruned_is_no_other_one(store, place):
    store.watch([watched("A1")])
    store.apply("shop", "A1", becomes("paid", "paid"))
    late, = store.effects("w", 1, 60)
    store.effect_done(late)
    place.clock.now += DAY
    assert store.prune(DAY, 10) == 1
    store.watch([watched("B1")])
    store.apply("shop", "B1", becomes("paid", "paid"))      # SQLite may give it the number that is free again
    store.effects_done([late])
    assert store.effect_done(late) is False
    assert [(one.out_trade_no, one.kind) for one in store.effects("w", 50, 60)] == [("B1", "paid")]


STEPS = st.lists(st.tuples(st.sampled_from(["watch", "claim", "settle", "open", "done", "failed", "news", "clock",
                                            "reopen"]), st.integers(0, 5)), max_size=40)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, age=st.sampled_from([0.0, 60.0, DAY]))
def test_whatever_happened_nothing_open_or_undone_is_deleted(steps, age):
    clock = Clock()
    store = SQLiteStore(":memory:", clock=clock)
    claims, effects, final = [], [], ["paid", "closed", "expired", GAVE_UP]
    for name, one in steps:
        number = "A{}".format(one)
        if name == "watch":
            store.watch([watched(number)])
        elif name == "claim":
            claims += claim(store, 2, lease=120)
        elif name in ("settle", "open") and claims:
            outcome = OPEN if name == "open" else final[one % 4]
            store.settle([(claims[one % len(claims)], becomes(outcome, "paid", due_at=(
                clock.now + 30 if name == "open" else None)))])
        elif name == "done":
            effects += store.effects("w", 2, 60)
            if effects:
                store.effect_done(effects[one % len(effects)])
        elif name == "failed" and effects:
            store.effect_failed(effects[one % len(effects)], "no", 5)
        elif name == "news" and store.get("shop", number):
            store.apply("shop", number, becomes(final[one % 4], "refunded"))
        elif name == "clock":
            clock.now += [1, 30, 100, 4000, DAY, -50][one]
        elif name == "reopen":
            store.reopen("shop", number)
    undone = {row[0] for row in store._db.execute("SELECT order_id FROM mapi_effects WHERE due_at IS NOT NULL")}
    before = store.rows()
    kept = {row.id for row in before if row.outcome == OPEN or row.due_at is not None or row.id in undone
            or row.asked_at > clock.now - age}
    store.prune(age, 3)
    left = {row.id for row in store.rows()}
    assert kept <= left and len(before) - len(left) <= 3
    orphans = store._db.execute("SELECT count(*) FROM mapi_effects WHERE order_id NOT IN (SELECT id FROM mapi_orders)")
    assert orphans.fetchone()[0] == 0
    store.close()
