"""The Django store's connection: threads, processes, connections that broke meanwhile, how durable a write is."""
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest
from django.db import connections, transaction

import django_setup
from alipay_mapi.contrib.django.store import connection as ours
from alipay_mapi.contrib.django.store.django_store import DjangoStore
from stores_under_test import (Clock, START, at_once, becomes, claim, kill, numbers, reason, watched,
                               with_effects)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SERVERS = ["django-postgresql", "django-mariadb"]
WORKER = """
import sys
import django_setup
django_setup.configure()
import json
kind, where = json.loads(sys.argv[1])
django_setup.add("here", getattr(django_setup, kind)(where))
from alipay_mapi.contrib.django.store.django_store import DjangoStore
store = DjangoStore("here")
print("ready", flush=True)
sys.stdin.readline()
while True:
    rows = store.claim("w", 7, 600, lambda row: row.asked_at + 600)
    for row in rows:
        print(row.out_trade_no)
    if not rows:
        break
store.close()
"""


def test_two_threads_with_one_store_claim_each_order_once(store):
    names = ["A{:03}".format(i) for i in range(100)]
    store.watch([watched(name) for name in names])
    got = [[], []]

    def drain(at):
        while True:
            rows = claim(store, 7)
            if not rows:
                return
            got[at] += numbers(rows)
    assert at_once(lambda: drain(0), lambda: drain(1)) == [None, None]
    got[0] += numbers(claim(store, 500))        # what the other had locked
    assert sorted(got[0] + got[1]) == names


def test_two_processes_claim_each_order_once(place):
    store = place.open(clock=None)
    names = ["A{:03}".format(i) for i in range(100)]
    store.watch([watched(name) for name in names])
    path = os.pathsep.join([ROOT, os.path.join(ROOT, "tests")] + [part for part in sys.path if part])
    kind = "sqlite" if place.server == "sqlite" else "server"
    with ExitStack() as ends:
        workers = [ends.enter_context(subprocess.Popen(
            [sys.executable, "-c", WORKER, json.dumps([kind, place.where])], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, universal_newlines=True, env=dict(os.environ, PYTHONPATH=path))) for _ in range(2)]
        for worker in workers:
            ends.callback(worker.kill)
        assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 2
        for worker in workers:
            worker.stdin.write("\n")
            worker.stdin.flush()
        told = [worker.communicate(timeout=60)[0].split() for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0]
    assert sorted(told[0] + told[1] + numbers(claim(store, 500))) == names


@pytest.mark.parametrize("place", SERVERS, indirect=True)
def test_a_connection_that_broke_while_nobody_used_it_is_replaced_before_anything_is_asked(store, alias, place,
                                                                                          monkeypatch):
    store.watch([watched("A1")])
    kill(place)
    now = time.monotonic()
    monkeypatch.setattr(ours.time, "monotonic", lambda: now + 3600)
    assert numbers(claim(store)) == ["A1"]


@pytest.mark.parametrize("place", SERVERS, indirect=True)
def test_a_connection_of_the_shops_that_broke_is_replaced_as_well(store, alias, place):
    connections[alias].ensure_connection()
    kill(place)
    assert store.watch([watched("A1")]) == 1


def test_a_store_closes_the_connection_that_it_opened_and_no_other(store, alias):
    db = connections[alias]
    store.now(), store.close()
    assert store.counts()["watched"] == 0 and db.connection is not None
    store.close()
    assert db.connection is None
    db.ensure_connection()
    store.counts(), store.close()
    assert db.connection is not None and store.counts()["due"] == 0


def test_a_store_in_memory_is_the_tests_own_and_stays(tmp_path):
    django_setup.add("memory", django_setup.sqlite(":memory:"))
    try:
        django_setup.migrate("memory")
        with DjangoStore("memory", Clock()) as store:
            store.watch([watched("A1")])
        assert numbers(DjangoStore("memory", Clock()).rows()) == ["A1"]
    finally:
        connections["memory"].connection.close()
        django_setup.remove("memory")


# --- SQLite -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
@pytest.mark.parametrize("theirs, during", [("OFF", 2), ("NORMAL", 2), ("FULL", 2), ("EXTRA", 3)])
def test_a_write_is_on_the_disk_when_it_is_told_of_and_the_shops_choice_stays_for_its_own(place, store, alias, theirs,
                                                                                         during):
    """What ``PRAGMA synchronous`` says inside the store's transaction, and after it."""
    db = connections[alias]

    def synchronous():
        with db.cursor() as cursor:
            return cursor.execute("PRAGMA synchronous").fetchone()[0]
    with db.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = " + theirs)
    before = synchronous()
    with_effects(store, "paid")
    seen = []
    for pending in store.effects("w", 1, 60):
        store.effect_done(pending, lambda db, effect: seen.append(synchronous()))
    with pytest.raises(KeyError):
        store.apply("shop", "A1", lambda row: {}["a bug"])
    assert seen == [during] and synchronous() == before
    with transaction.atomic(alias):
        store.watch([watched("A2")])
        assert synchronous() == before


@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
def test_the_shops_journal_mode_is_left_as_it_is(place, store):
    store.watch([watched("A1")])
    assert place.execute(store, "PRAGMA journal_mode") == [("delete",)]


@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
@pytest.mark.parametrize("theirs, ours", [("delete", "persist"), ("truncate", "persist"), ("wal", "wal"),
                                          ("memory", "memory")])
def test_a_rollback_journal_is_kept_on_the_connection_that_commits(place, store, alias, theirs, ours):
    """SQLite's default deletes it, and a power cut may bring it back: tests/faults/test_power_cut.py."""
    db, seen = connections[alias], []

    def mode():
        with db.cursor() as cursor:
            return cursor.execute("PRAGMA journal_mode").fetchone()[0]
    db.close()      # a new one, that the store has not seen
    with db.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = " + theirs)
    assert mode() == theirs
    with_effects(store, "paid")
    for pending in store.effects("w", 1, 60):
        store.effect_done(pending, lambda db, effect: seen.append(mode()))
    assert seen == [ours] == [mode()]
    with_effects(store, "closed")       # and nothing is wrong afterwards
    assert store.counts()["watched"] > 0


@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_writers_wait_for_each_other_and_never_fail_halfway(place, mode):
    """A transaction that reads first and then writes would fail at once while another one writes."""
    first = place.open()
    with connections[first._using].cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = " + mode)
    stores = [first, place.open(), place.open()]
    first.watch([watched("A{:02}".format(i)) for i in range(15)])

    def works(store, at):
        for number in range(at, 15, 3):
            name = "A{:02}".format(number)
            store.apply("shop", name, becomes("paid", "paid"))
            store.slots("s", 1, 10.0, 1000)
            for pending in store.effects("w", 5, 60, only=("shop", name)):
                store.effect_done(pending)
    assert at_once(*[lambda store=store, at=at: works(store, at) for at, store in enumerate(stores)]) == [None] * 3
    counts = first.counts()
    assert (counts["outcomes"], counts["effects"]) == ({"paid": 15}, 0)


@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
def test_a_reader_waits_for_no_writer_in_wal(place, store):
    with connections[store._using].cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = wal")
    store.watch([watched("A1")])
    other = place.open()
    with transaction.atomic(other._using):
        other.watch([watched("A2")])
        assert numbers(store.rows()) == numbers(store.due(5)) == ["A1"] and store.counts()["watched"] == 1
        assert store.get("shop", "A1").due_at == START


@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
def test_a_writer_that_waits_too_long_is_told_that_it_is_locked(place, store):
    other = place.open(timeout=0.05)
    with transaction.atomic(store._using):
        store.watch([watched("A1")])
        assert reason(lambda: other.watch([watched("A2")])) == "locked"
        assert _wait_of(other) == 50
    assert other.watch([watched("A2")]) == 1 and _wait_of(other) == 50


@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
def test_a_writer_waits_for_another_one_as_long_as_the_shop_has_set_and_leaves_that_as_it_was(place, store):
    other, done = place.open(timeout=7), []

    def waits():
        other.watch([watched("A2")])
        done.append(_wait_of(other))
        other.close()
    with transaction.atomic(store._using):
        store.watch([watched("A1")])
        assert _wait_of(store) == _wait_of(place.open())      # this one is joined, and not changed
        thread = threading.Thread(target=waits)
        thread.start()
        time.sleep(0.1)
        assert not done
    thread.join()
    assert done == [7000] and sorted(numbers(store.rows())) == ["A1", "A2"]


@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
def test_a_transaction_that_fails_leaves_the_wait_as_it_was(place):
    store = place.open(timeout=7)
    store.watch([watched("A1")])
    with pytest.raises(ZeroDivisionError):
        store.apply("shop", "A1", lambda row: 1 / 0)
    assert _wait_of(store) == 7000


def _wait_of(store):
    """Milliseconds for which SQLite itself waits for a lock."""
    with connections[store._using].cursor() as cursor:
        return cursor.execute("PRAGMA busy_timeout").fetchone()[0]


# --- servers ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("place", SERVERS, indirect=True)
def test_a_transaction_of_the_stores_is_read_committed_whatever_the_shops_is(place):
    """Else an effect could be handed out before the one that comes before it is seen."""
    import psycopg2.extensions
    level = (psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ if place.server == "postgresql"
             else "repeatable read")
    store, other = place.open(isolation_level=level), place.open()
    store.watch([watched("A1")])
    row, = claim(store)

    def meanwhile(stored):
        other.watch([watched("A2")])
        assert numbers(store.rows()) == ["A1", "A2"], "what is committed meanwhile is seen"
        return becomes("paid")(stored)
    assert store.settle([(row, meanwhile)])[0].outcome == "paid"
