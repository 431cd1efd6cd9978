"""Claiming: a due row goes to exactly one worker, until its lease ends."""
import time

import pytest

from alipay_mapi.fallback.deciding import OPEN

from stores_under_test import (KINDS, SERVERS, SHARED, START, Place, at_once, becomes, claim, in_a_minute, numbers,
                               watched)


def test_due_orders_are_claimed_oldest_first_and_no_others(store):
    store.watch([watched("A1", -10), watched("A2", -30), watched("A3", 5), watched("A4", -20)])
    assert numbers(store.due(10)) == ["A2", "A4", "A1"]
    assert numbers(claim(store, 2)) == ["A2", "A4"]
    assert numbers(claim(store)) == ["A1"]
    assert claim(store) == [] and store.due(10) == []


def test_a_claim_is_for_the_shops_that_were_asked_for(store):
    store.watch([watched("A1"), watched("B1", shop="b")])
    assert claim(store, shops=[]) == [] and claim(store, shops=["c"]) == []
    assert numbers(claim(store, shops=["b", "c"])) == ["B1"]


def test_a_claimed_row_says_since_when_it_was_due_and_counts_the_question(store, place):
    store.watch([watched("A1", 10)])
    place.clock.now += 15
    row, = claim(store, worker="w1")
    assert (row.due_at, row.asked_at, row.attempts) == (START + 10, START + 15, 1) and row.lease.startswith("w1#")
    assert store.get("shop", "A1") == row._replace(due_at=START + 75)


def test_a_claim_that_nobody_ends_is_free_after_its_lease_and_its_interval(store, place):
    store.watch([watched("A1")])
    first, = claim(store, lease=30)
    place.clock.now += 59
    assert claim(store) == []       # the interval is longer
    place.clock.now += 1
    second, = claim(store, lease=90)
    assert second.attempts == 2 and second.lease != first.lease
    place.clock.now += 89
    assert claim(store) == []       # the lease is longer
    place.clock.now += 1
    assert len(claim(store)) == 1


def test_released_orders_are_due_as_they_were_and_were_not_asked_about(store):
    store.watch([watched("A1", -10), watched("A2", -20)])
    store.release(claim(store))
    assert [(row.out_trade_no, row.due_at, row.attempts, row.lease) for row in store.due(10)] == [
        ("A2", START - 20, 0, ""), ("A1", START - 10, 0, "")]
    assert numbers(claim(store)) == ["A2", "A1"]


def test_releasing_a_lost_claim_changes_nothing(store, place):
    store.watch([watched("A1")])
    lost = claim(store)
    place.clock.now += 60
    mine, = claim(store)
    store.release(lost)
    assert store.get("shop", "A1").lease == mine.lease and claim(store) == []


def test_two_connections_claim_disjoint_rows(place):
    stores = [place.open(), place.open()]
    stores[0].watch([watched("A{:03}".format(i)) for i in range(120)])
    got = [[], []]

    def drain(at):
        while True:
            rows = claim(stores[at], 7, worker="w{}".format(at))
            if not rows:
                return
            got[at] += numbers(rows)
    assert at_once(lambda: drain(0), lambda: drain(1)) == [None, None]
    # Rows that one has locked are invisible to the other where they can be skipped; nobody waits, nothing is lost.
    got[0] += numbers(claim(stores[0], 500))
    assert sorted(got[0] + got[1]) == ["A{:03}".format(i) for i in range(120)]


@pytest.mark.parametrize("kind", SHARED)
def test_rows_that_another_transaction_holds_are_skipped_and_not_waited_for(kind, tmp_path):
    place = Place(kind, tmp_path)
    store = place.open()
    place.skips(store)
    store.watch([watched("A1", -2), watched("A2", -1)])
    with place.transaction() as run:
        run("UPDATE mapi_orders SET last_error = 'x' WHERE shop = 'shop' AND out_trade_no = 'A1'")
        assert numbers(claim(store)) == ["A2"]
    assert numbers(claim(store)) == ["A1"]
    place.close()


@pytest.mark.parametrize("kind", SHARED)
def test_a_claim_locks_no_more_rows_than_it_takes(kind, tmp_path):
    """While one claims, in the middle of its transaction, another claims the rest."""
    place = Place(kind, tmp_path)
    store, other, got = place.open(), place.open(), []
    place.skips(store)
    store.watch([watched("A{:03}".format(i)) for i in range(100)])

    def meanwhile(row):
        got.extend(numbers(claim(other, 100)))
        return in_a_minute(row)
    assert numbers(claim(store, 1, again=meanwhile)) == ["A000"]
    assert sorted(got) == ["A{:03}".format(i) for i in range(1, 100)]
    place.close()


@pytest.mark.parametrize("kind", SERVERS)
def test_an_old_server_without_skip_locked_and_json_tables_keeps_the_contract(kind, tmp_path):
    place = Place(kind, tmp_path)
    stores = [place.open(), place.open()]
    for store in stores:
        store._kind = store._kind._replace(skips=False, tables=False)
    stores[0].watch([watched("A{:02}".format(i)) for i in range(40)])
    got = at_once(lambda: claim(stores[0], 20), lambda: claim(stores[1], 20))
    assert sorted(numbers(got[0]) + numbers(got[1])) == ["A{:02}".format(i) for i in range(40)]
    assert [d.outcome for d in stores[0].settle([(row, becomes("paid", "paid")) for row in got[0]])] == ["paid"] * 20
    stores[1].release(got[1])
    assert stores[0].counts()["outcomes"] == {"paid": 20, OPEN: 20} and stores[0].counts()["due"] == 20
    assert len(stores[0].effects("w", 50, 60)) == 20
    place.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("memory", "sqlite")])
def test_the_lease_and_the_schedule_are_by_the_databases_own_clock(kind, tmp_path, monkeypatch):
    """A host whose clock is a day ahead gets nothing; the lease ends when the database says so."""
    place = Place(kind, tmp_path)
    store = place.open(clock=None)
    store.watch([watched("A1"), watched("A2", 3600)])
    if not kind.endswith("-sqlite"):    # those run on the host
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 86400)
    assert abs(store.get("shop", "A1").watched_at - store.now()) < 60
    first, = claim(store, lease=0.5, again=lambda row: row.asked_at)
    until, second = time.monotonic() + 30, []
    while not second and time.monotonic() < until:
        second = claim(store, lease=60)
    assert numbers(second) == ["A1"] and 0.5 <= second[0].asked_at - first.asked_at < 30
    place.close()
