"""The store's clock, whatever it does, and the rate that processes share."""
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from stores_under_test import Clock, START, at_once, claim, kinds, numbers, watched, with_effects


def test_slots_are_one_rate_for_everybody(store, place):
    other = place.open()
    assert store.slots("shop", 5, 10.0, 1.0) == (5, 0.0)
    free, first = other.slots("shop", 3, 10.0, 1.0)
    assert free == 3 and first == pytest.approx(0.5, abs=1e-5)
    free, first = store.slots("shop", 100, 10.0, 1.0)       # no further than a second ahead
    assert free == 3 and first == pytest.approx(0.8, abs=1e-5)
    free, first = store.slots("shop", 1, 10.0, 1.0)
    assert free == 0 and 0 < first <= 0.2
    assert store.slots("other", 1, 10.0, 1.0) == (1, 0.0)
    place.clock.now += 10
    assert store.slots("shop", 1, 10.0, 1.0) == (1, 0.0)


def test_threads_never_get_the_same_slot(place):
    stores, got = [place.open(), place.open()], []
    assert at_once(*[lambda store=store: [got.append(store.slots("s", 2, 1.0, 1000)) for _ in range(10)] and None
                     for store in stores]) == [None, None]
    assert sorted(round(first) for _, first in got) == list(range(0, 40, 2))


def test_a_clock_that_goes_back_a_day_keeps_every_interval_and_stalls_nothing(store, place):
    place.clock.now += 86400
    store.watch([watched("A1"), watched("A2", 120, 3600)])
    asked, = claim(store, lease=30)
    with_effects(store, "paid", number="A3")
    store.effects("w", 1, 60)
    store.slots("s", 1, 0.001, 1.0)
    place.clock.now = START
    assert numbers(claim(store)) == ["A3"]      # A1 was asked just now, A2 is not due, whatever the clock says
    row = store.get("shop", "A2")
    assert (row.due_at, row.watched_at, row.deadline) == (START + 120, START, START + 3600)
    assert store.effects("w", 1, 60) == [] and store.slots("s", 1, 1.0, 1.0) == (1, 0.0)
    place.clock.now += 60
    assert numbers(claim(store)) == ["A1", "A3"] and kinds(store.effects("w", 1, 60)) == [("A3", "paid")]
    place.clock.now += 60
    assert "A2" in numbers(claim(store))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(st.sampled_from([0, 1, 20, 61, 3600, 86400, -1, -61, -3600, -86400]), max_size=30))
def test_whatever_the_clock_does_nobody_is_asked_twice_in_an_interval(tmp_path, walk):
    """Between two questions the clock, going forward, has passed at least the interval."""
    clock = Clock()
    with SQLiteStore(":memory:", clock=clock) as store:
        store.watch([watched("A1")])
        since = None        # how far the clock has gone forward since the last question
        for step in walk:
            clock.now += step
            since = None if since is None else since + max(step, 0)
            if claim(store, lease=10):
                assert since is None or since >= 60
                since = 0
        clock.now += 61
        store.now() and claim(store)
        clock.now += 61     # asked within two intervals of a clock that runs on
        assert store.get("shop", "A1").asked_at >= clock.now - 122
