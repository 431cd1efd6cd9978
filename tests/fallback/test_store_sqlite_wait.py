"""Waiting for the lock of an SQLite file: how long, how often, and for what."""
import sqlite3
import threading

import pytest

from alipay_mapi.fallback.stores import sqlite_wait
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.fallback.stores.sqlite_wait import patiently

from stores_under_test import becomes, numbers, reason, watched


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now, self.slept = 1000.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Locked(Exception):
    pass


@pytest.fixture
def time(monkeypatch):
    found = Time()
    monkeypatch.setattr(sqlite_wait, "time", found)
    return found


def after(looks, problem=Locked):
    """A beginning that works when it was tried so many times in vain."""
    left = [looks]

    def begin():
        if left[0]:
            left[0] -= 1
            raise problem("database is locked")
        return "begun"
    return begin


def test_what_is_free_is_taken_at_once(time):
    assert patiently(after(0), 10.0, lambda err: True) == "begun" and time.slept == []


def test_pauses_are_short_at_first_and_become_twice_as_long(time):
    assert patiently(after(9), 10.0, lambda err: isinstance(err, Locked)) == "begun"
    assert time.slept == [0.0002, 0.0004, 0.0008, 0.0016, 0.0032, 0.0064, 0.0128, 0.025, 0.025]


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05, 10.0])
def test_whoever_waits_too_long_is_told_and_not_later(time, seconds):
    with pytest.raises(Locked):
        patiently(after(10 ** 6), seconds, lambda err: True)
    assert sum(time.slept) == pytest.approx(seconds) and all(pause > 0 for pause in time.slept)


def test_anything_else_is_raised_at_once(time):
    with pytest.raises(ValueError):
        patiently(after(1, ValueError), 10.0, lambda err: isinstance(err, Locked))
    with pytest.raises(KeyboardInterrupt):
        patiently(after(1, KeyboardInterrupt), 10.0, lambda err: True)
    assert time.slept == []


# --- the store --------------------------------------------------------------------------------------------------------

class Busy:
    """A connection that says of one statement, so many times, that another process has the lock: as SQLite does while
    somebody mends a file after a crash, and then to readers as well."""

    def __init__(self, db, statement, times):
        self._db, self.statement, self.left = db, statement, times

    def execute(self, statement, *args):
        if statement == self.statement and self.left:
            self.left -= 1
            raise sqlite3.OperationalError("database is locked")
        return self._db.execute(statement, *args)

    def __getattr__(self, name):
        return getattr(self._db, name)


@pytest.mark.parametrize("statement", ["BEGIN", "SELECT 1 FROM sqlite_master LIMIT 1"])
def test_a_reader_waits_for_who_mends_the_file(tmp_path, statement):
    with SQLiteStore(str(tmp_path / "s.db")) as store:
        store.watch([watched("A1")])
        store._db = Busy(store._db, statement, 3)
        assert numbers(store.rows()) == ["A1"] and store._db.left == 0
        store._timeout, store._db.left = 0.0, 1
        assert reason(store.rows) == "locked" and not store._db.in_transaction
        assert numbers(store.rows()) == ["A1"]


def test_a_writer_waits_for_another_one_and_changes_nothing_twice(tmp_path):
    path, calls = str(tmp_path / "s.db"), []
    with SQLiteStore(path) as store:
        store.watch([watched("A1")])
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        released = threading.Timer(0.2, lambda: other.execute("ROLLBACK"))
        released.start()

        def change(row):
            calls.append(other.in_transaction)
            return becomes("paid")(row)
        assert store.apply("shop", "A1", change).outcome == "paid" and calls == [False]
        released.join()
        other.close()


def test_a_file_that_cannot_be_written_ahead_keeps_the_wait_of_sqlite():
    """There a COMMIT waits for readers, too."""
    with SQLiteStore(":memory:") as store:
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("memory",)
        assert store._db.execute("PRAGMA busy_timeout").fetchone() == (10000,)
