"""Effects: handed out in their order per order, one at a time, until they are reported done."""
import threading

import pytest

from alipay_mapi.errors import StoreError
from alipay_mapi.fallback.deciding import OPEN, Decision
from alipay_mapi.fallback.facts import from_text
from alipay_mapi.fallback.rows import effect_key
from alipay_mapi.trade_state import Effect, TradeState

from stores_under_test import START, at_once, by_hand, committed, kinds, order, watched, with_effects


def test_effects_of_an_order_come_one_at_a_time_in_their_order(store, place):
    with_effects(store, "paid", "refunded", "needs_a_person")
    with_effects(store, "closed", number="A2")
    first = store.effects("w", 10, 60)
    assert kinds(first) == [("A1", "paid"), ("A2", "closed")]
    assert store.effects("other", 10, 60) == []
    assert store.effect_done(first[0]) and not store.effect_done(first[0])
    second, = store.effects("w", 10, 60)
    assert second.kind == "refunded"
    store.effect_failed(second, "ValueError: no", 30)
    assert store.effects("w", 10, 60) == []     # the third waits for the second
    place.clock.now += 30
    second, = store.effects("w", 10, 60)
    assert (second.kind, second.attempts) == ("refunded", 2)
    store.effect_done(second)
    assert kinds(store.effects("w", 10, 60)) == [("A1", "needs_a_person")]


def test_an_effect_comes_again_with_its_key_when_its_worker_is_gone(store, place):
    with_effects(store, "paid")
    first, = store.effects("w", 10, 60)
    place.clock.now += 59
    assert store.effects("w", 10, 60) == []
    place.clock.now += 1
    second, = store.effects("w", 10, 60)
    assert (second.key, second.attempts) == (first.key, 2)
    store.effect_failed(first, "too late to say so", 9999)      # the new claim is not his
    assert store.effect_done(first)         # he has carried it out, and it is not to be done once more
    assert not store.effect_done(second) and store.counts()["effects"] == 0


def test_effects_that_were_not_begun_are_handed_out_again_at_once(store):
    with_effects(store, "paid")
    store.release_effects(store.effects("w", 10, 60))
    again, = store.effects("w", 10, 60)
    assert again.attempts == 1


def test_the_effects_of_one_order_can_be_asked_for(store):
    with_effects(store, "paid")
    with_effects(store, "closed", number="A2")
    assert kinds(store.effects("w", 10, 60, only=("shop", "A2"))) == [("A2", "closed")]
    assert store.effects("w", 10, 60, only=("other", "A1")) == []


def test_the_effects_of_some_shops_can_be_asked_for(store):
    with_effects(store, "paid")
    assert store.effects("w", 10, 60, shops=["other"]) == [] and store.effects("w", 10, 60, shops=[]) == []
    assert kinds(store.effects("w", 10, 60, shops=["other", "shop"])) == [("A1", "paid")]


def test_an_effect_is_kept_once_under_its_key_even_if_the_state_forgot_it(store):
    store.watch([watched("A1")])
    again = Decision(TradeState(order("A1")), "paid", None, (Effect("paid", "A1"),))
    store.apply("shop", "A1", lambda row: again)
    store.apply("shop", "A1", lambda row: again)
    assert store.counts()["effects"] == 1


@pytest.mark.parametrize("detail", ["gave up: " + "x" * 300, "退款 " * 60, "\0\ud800\n" * 50, "%:" * 100])
def test_a_long_or_odd_detail_has_a_short_key_and_is_stored(store, detail):
    effect, other = Effect("needs_a_person", "A1", detail), Effect("needs_a_person", "A1", detail + "!")
    store.watch([watched("A1")])
    store.apply("shop", "A1", lambda row: Decision(TradeState(row.order, done=frozenset([effect, other])), OPEN, START,
                                                   (effect, other), detail))
    assert store.counts()["effects"] == 2 and len(effect_key("shop", effect)) <= 180
    assert from_text(order("A1"), store.get("shop", "A1").facts).done == {effect, other}
    assert store.effects("w", 1, 60)[0].key == effect_key("shop", effect)


def test_an_effect_within_the_transaction_is_kept_with_its_record_or_not_at_all(store, place):
    place.execute(store, "CREATE TABLE shipped (effect_key VARCHAR(200) PRIMARY KEY)")
    with_effects(store, "paid", "refunded")

    def shipped():
        return [key for key, in place.execute(store, "SELECT effect_key FROM shipped")]

    def ship(db, pending):
        by_hand(db, "INSERT INTO shipped VALUES ('{}')".format(pending.key))

    def breaks(db, pending):
        ship(db, pending)
        raise KeyError("the shop's own code")
    first, = store.effects("w", 10, 60)
    with pytest.raises(KeyError):
        store.effect_done(first, within=breaks)
    assert shipped() == [] and store.counts()["effects"] == 2
    assert store.effect_done(first, within=ship)
    assert not store.effect_done(first, within=breaks)      # and the handler is not called again
    assert shipped() == ["shop:paid::A1"] and store.counts()["effects"] == 1


def test_a_lost_lease_does_not_carry_out_an_effect_within_the_transaction(store, place):
    with_effects(store, "paid")
    lost, = store.effects("w", 10, 60)
    place.clock.now += 60
    mine, = store.effects("w", 10, 60)
    called = []
    assert not store.effect_done(lost, within=lambda db, pending: called.append(1))
    assert store.effect_done(mine, within=lambda db, pending: called.append(2)) and called == [2]


def test_an_error_of_the_database_in_the_shops_own_statement_is_the_shops(store, place):
    with_effects(store, "paid")
    pending, = store.effects("w", 10, 60)

    def wrong(db, pending):
        by_hand(db, "INSERT INTO no_such_table VALUES (1)")
    with pytest.raises(Exception) as caught:
        store.effect_done(pending, within=wrong)
    assert not isinstance(caught.value, StoreError)
    assert store.effect_done(pending)


def test_a_handler_that_commits_by_itself_is_told(store):
    with_effects(store, "paid")
    pending, = store.effects("w", 10, 60)
    with pytest.raises(StoreError) as caught:
        store.effect_done(pending, within=lambda db, pending: committed(db))
    assert caught.value.reason == "handler"


def test_an_effect_whose_handler_ended_the_transaction_and_then_failed_is_still_to_do(store, place):
    """Hostile: a handler that commits (executescript, or DDL on MySQL) and raises after it: its effect must not count
    as done. Genuine: after it was told, it comes again."""
    with_effects(store, "paid")
    pending, = store.effects("w", 10, 60)

    def wrong(db, pending):
        committed(db)
        raise KeyError("the shop's own code")
    with pytest.raises((KeyError, StoreError)):
        store.effect_done(pending, within=wrong)
    assert store.counts()["effects"] == 1
    store.effect_failed(pending, "KeyError: shop.py:3", 30)
    assert store.counts()["failures"] == 1
    place.clock.now += 61
    again, = store.effects("w", 10, 60)
    assert again.key == pending.key and store.effect_done(again, within=lambda db, pending: None)


def test_an_effect_is_not_done_when_the_handler_swallowed_an_error_that_ended_its_transaction(store, place):
    """Hostile: PostgreSQL, where any error ends the transaction. Genuine: the others, which go on after it."""
    place.execute(store, "CREATE TABLE shipped (effect_key VARCHAR(200) PRIMARY KEY)")
    with_effects(store, "paid")
    pending, = store.effects("w", 10, 60)

    def swallows(db, pending):
        by_hand(db, "INSERT INTO shipped VALUES ('x')")
        try:
            by_hand(db, "INSERT INTO shipped VALUES ('x')")
        except Exception:
            pass
    if "postgresql" in place.kind:
        with pytest.raises(StoreError):
            store.effect_done(pending, within=swallows)
    else:
        assert store.effect_done(pending, within=swallows)
    kept = len(place.execute(store, "SELECT * FROM shipped"))
    assert (kept, store.counts()["effects"]) == ((0, 1) if "postgresql" in place.kind else (1, 0)), "both or neither"


def test_two_workers_carry_out_each_effect_once_and_in_order(place):
    stores = [place.open(), place.open()]
    for number in range(12):
        with_effects(stores[0], "paid", "refunded", number="A{:02}".format(number))
    carried, lock = [], threading.Lock()

    def work(store):
        while True:
            found = store.effects("w", 3, 60)
            if not found and not store.counts()["effects"]:
                return
            for pending in found:
                with lock:
                    carried.append(pending.key)
                store.effect_done(pending)
    assert at_once(lambda: work(stores[0]), lambda: work(stores[1])) == [None, None]
    assert len(carried) == len(set(carried)) == 24
    for number in range(12):
        assert (carried.index("shop:paid::A{:02}".format(number))
                < carried.index("shop:refunded::A{:02}".format(number)))
