"""News taken in, and the first effect of the order handed out, or carried out, with them."""
import threading

import pytest

from alipay_mapi.errors import OrderNotFound, StoreError
from alipay_mapi.fallback.deciding import OPEN

from stores_under_test import START, at_once, becomes, by_hand, committed, kinds, unreadable, watched, with_effects

PAID = becomes("paid", "paid", fact="1")


#: The stores that carry out an effect in the transaction that writes the state; others leave it to effect_done.
AT_ONCE = ("memory", "sqlite", "django-sqlite")


def shipping(store, place):
    place.execute(store, "CREATE TABLE shipped (effect_key VARCHAR(200) PRIMARY KEY)")
    return lambda: [key for key, in place.execute(store, "SELECT effect_key FROM shipped")]


def ship(db, pending):
    by_hand(db, "INSERT INTO shipped VALUES ('{}')".format(pending.key))


def state(store):
    row = store.get("shop", "A1")
    return row.outcome, store.counts()["effects"]


def test_the_new_effect_is_handed_out_as_effects_would_and_to_nobody_else(store, place):
    store.watch([watched("A1")])
    taken = store.take_in("shop", "A1", PAID, "w", 60)
    assert (taken.decision.outcome, taken.done, state(store)) == ("paid", False, ("paid", 1))
    assert taken.pending[1:8] == ("shop:paid::A1", "shop", "A1", "10.00||USD", "paid", "", 1)
    assert store.effects("other", 10, 60) == []
    place.clock.now += 59
    assert store.effects("other", 10, 60) == []
    place.clock.now += 1
    again, = store.effects("other", 10, 60)
    assert (again.key, again.attempts) == (taken.pending.key, 2) and again.lease != taken.pending.lease
    assert store.effect_done(taken.pending) and store.counts()["effects"] == 0


def test_what_is_not_done_before_it_comes_first(store, place):
    with_effects(store, "closed")
    first = store.take_in("shop", "A1", PAID, "w", 60)
    assert first.pending.kind == "closed" and first.more
    assert store.take_in("shop", "A1", PAID, "w", 60).pending is None      # it is somebody's
    store.effect_failed(first.pending, "ValueError: no", 30)
    assert store.take_in("shop", "A1", PAID, "w", 60).pending is None      # and then not due yet
    place.clock.now += 30
    again = store.take_in("shop", "A1", PAID, "w", 60)
    assert (again.pending.key, again.pending.attempts) == (first.pending.key, 2)
    store.effect_done(again.pending)
    assert store.take_in("shop", "A1", PAID, "w", 60).pending.kind == "paid"


def test_to_nobody_nothing_is_handed_out(store):
    store.watch([watched("A1")])
    assert store.take_in("shop", "A1", PAID).pending is None and state(store) == ("paid", 1)
    assert kinds(store.effects("w", 10, 60)) == [("A1", "paid")]


def test_news_without_an_effect_hand_out_nothing(store):
    store.watch([watched("A1")])
    taken = store.take_in("shop", "A1", becomes(OPEN, due_at=START + 5), "w", 60)
    assert taken.pending is None and store.get("shop", "A1").due_at == START + 5


def test_what_the_change_raises_comes_through_and_nothing_is_written(store, place):
    store.watch([watched("A1")])
    before, told = place.dump(store), []
    with pytest.raises(OrderNotFound):
        store.take_in("shop", "A2", PAID, "w", 60, None, told.append)
    with pytest.raises(Exception, match="cannot be read"):
        store.take_in("shop", "A1", unreadable, "w", 60, None, told.append)
    assert place.dump(store) == before and told == []


def test_what_is_beside_is_told_the_decision_once(store):
    store.watch([watched("A1")])
    told = []
    taken = store.take_in("shop", "A1", PAID, "w", 60, None, told.append)
    assert told == [taken.decision]


def test_an_effect_is_carried_out_in_the_transaction_that_writes_the_state_or_left(store, place):
    shipped = shipping(store, place)
    with_effects(store, "closed")
    store.effect_done(store.effects("w", 1, 60)[0])
    taken = store.take_in("shop", "A1", PAID, "w", 60, ship)
    assert taken.done == (place.kind in AT_ONCE) and taken.pending.kind == "paid"
    if not taken.done:
        assert shipped() == [] and store.effect_done(taken.pending, within=ship)
    assert shipped() == ["shop:paid::A1"] and state(store) == ("paid", 0)
    assert store.take_in("shop", "A1", PAID, "w", 60, ship).pending is None


@pytest.mark.parametrize("place", AT_ONCE, indirect=True)
@pytest.mark.parametrize("ends", [False, True])
def test_a_handler_that_raises_there_undoes_all_of_it(store, place, ends):
    """Hostile: after it has committed by itself, too: then what is written stays, and the effect is still to do."""
    shipped = shipping(store, place)
    store.watch([watched("A1")])
    before = place.dump(store)

    def breaks(db, pending):
        ship(db, pending)
        if ends:
            committed(db)
        raise KeyError("the shop's own code")
    with pytest.raises((KeyError, StoreError)):
        store.take_in("shop", "A1", PAID, "w", 60, breaks)
    if ends:
        assert state(store)[1] == 1
    else:
        assert place.dump(store) == before and shipped() == []
        assert store.take_in("shop", "A1", PAID, "w", 60, ship).done and shipped() == ["shop:paid::A1"]


@pytest.mark.parametrize("place", AT_ONCE, indirect=True)
def test_a_handler_that_ends_the_transaction_there_is_told_and_its_effect_is_still_to_do(store, place):
    store.watch([watched("A1")])
    with pytest.raises(StoreError) as caught:
        store.take_in("shop", "A1", PAID, "w", 60, lambda db, pending: committed(db))
    assert caught.value.reason in ("handler", "undone") and state(store) == ("paid", 1)


def test_eight_at_once_hand_it_out_to_one(store):
    store.watch([watched("A1")])
    barrier = threading.Barrier(8)

    def one():
        barrier.wait(20)
        return store.take_in("shop", "A1", PAID, "w", 60).pending
    given = [pending for pending in at_once(*[one] * 8) if pending is not None]
    assert [pending.kind for pending in given] == ["paid"]
