"""SQLite's errors at every statement of every method; files that are locked, deleted, damaged, full or read-only."""
import os
import sqlite3

import pytest

from alipay_mapi.errors import StoreError
from alipay_mapi.fallback.deciding import OPEN
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from stores_under_test import METHODS, TAKING_IN, Place, Prepared, claim, numbers, reason, watched, with_effects

#: What SQLite says (its result code), and what it means.
ERRORS = [("database is locked", "locked"), ("database table is locked", "locked"),        # BUSY, LOCKED
          ("database or disk is full", "full"), ("disk I/O error", "disk"),                # FULL, IOERR
          ("attempt to write a readonly database", "readonly"),                            # READONLY
          ("database disk image is malformed", "corrupt"), ("file is not a database", "corrupt"),  # CORRUPT, NOTADB
          ("unable to open database file", "gone"), ("no such column: o.refunds", "schema")]       # CANTOPEN, ERROR
CLASSES = {"database disk image is malformed": sqlite3.DatabaseError, "file is not a database": sqlite3.DatabaseError}


class Failing:
    """A connection whose n-th statement fails, counted from when it was ``armed``, and fails again when it is tried
    again."""

    def __init__(self, db):
        self._db, self.left, self.error, self.failed = db, None, None, None

    def armed(self, number, text):
        self.left, self.error, self.failed = number, CLASSES.get(text, sqlite3.OperationalError)(text), None

    def _count(self, statement):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.failed = statement
            if self.failed == statement:
                raise self.error

    def execute(self, *args):
        if args[0] != "ROLLBACK":
            self._count(args[0])
        return self._db.execute(*args)

    def executemany(self, *args):
        self._count(args[0])
        return self._db.executemany(*args)

    def __getattr__(self, name):
        return getattr(self._db, name)


@pytest.fixture
def prepared(tmp_path):
    place = Place("sqlite", tmp_path)
    yield Prepared(place, timeout=0.01)
    place.close()


@pytest.mark.parametrize("name", METHODS[1:] + TAKING_IN)
def test_an_error_at_any_statement_is_typed_leaves_nothing_by_half_and_the_next_call_goes_on(prepared, name):
    store, call, place = prepared.store, prepared.calls[name], prepared.place
    store._db = db = Failing(store._db)
    db.armed(None, "")
    before, number, failed = place.dump(store), 0, 0
    while True:
        number += 1
        for text, kind in ERRORS:
            db.armed(number, text)
            try:
                call()
            except sqlite3.Error as error:      # in the handler: that is the shop's own code
                assert (name, number) in (("effect_done within", 3), ("take_in within", 8)) and error is db.error
            except StoreError as error:
                assert error.reason == kind and error.__cause__ is None and error.__context__ is None
            else:
                break       # there is no statement of that number any more
            failed += 1
            db.armed(None, "")
            assert place.dump(store) == before and not db.in_transaction, (number, text)
        else:
            continue
        break
    db.armed(None, "")
    assert failed == (number - 1) * len(ERRORS) and number >= 4     # BEGIN, something, COMMIT
    assert (place.dump(store) == before) == (name in prepared.READS)


@pytest.mark.parametrize("name", METHODS[1:] + TAKING_IN)
def test_while_another_process_writes_readers_read_and_writers_say_locked(prepared, name):
    place = prepared.place
    other = sqlite3.connect(place.where, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE mapi_orders SET last_error = 'half'")
    before = place.dump(prepared.store)
    if name in prepared.READS:
        prepared.calls[name]()
    else:
        assert reason(prepared.calls[name]) == "locked"
        assert place.dump(prepared.store) == before
    other.execute("ROLLBACK")
    other.close()
    prepared.calls[name]()
    assert (place.dump(prepared.store) == before) == (name in prepared.READS)


@pytest.mark.parametrize("name", METHODS[7:] + TAKING_IN)
def test_a_read_only_database_says_so(prepared, name):
    before = prepared.place.dump(prepared.store)
    prepared.store._db.execute("PRAGMA query_only=ON")
    assert reason(prepared.calls[name]) == "readonly"
    prepared.store._db.execute("PRAGMA query_only=OFF")
    assert prepared.place.dump(prepared.store) == before
    prepared.calls[name]()


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="permissions stop everybody but root")
def test_a_file_that_may_not_be_written_says_so(tmp_path):
    path = str(tmp_path / "s.db")
    SQLiteStore(path).close()
    os.chmod(path, 0o444)
    os.chmod(str(tmp_path), 0o555)
    try:
        with pytest.raises(StoreError) as caught, SQLiteStore(path) as store:
            store.watch([watched("A1")])
        assert caught.value.reason in ("readonly", "gone")
    finally:
        os.chmod(str(tmp_path), 0o755)


@pytest.mark.parametrize("name", METHODS[1:] + TAKING_IN)
def test_a_damaged_file_says_so_at_every_method(tmp_path, name):
    place = Place("sqlite", tmp_path)
    prepared = Prepared(place)
    prepared.store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    pages = dict(prepared.store._db.execute("SELECT name, rootpage FROM sqlite_master"))
    size = prepared.store._db.execute("PRAGMA page_size").fetchone()[0]
    with open(place.where, "r+b") as file:
        for table, page in pages.items():
            if table not in ("mapi_meta", "mapi_moments") and "sqlite_autoindex_mapi_m" not in table:
                file.seek((page - 1) * size)
                file.write(b"\xff" * size)
    prepared.store._db.execute("PRAGMA shrink_memory").fetchall()
    store = place.open()
    prepared.store._db.close()
    prepared.store._db = store._db
    if name == "slots":     # these pages are sound
        assert prepared.calls[name]() == (2, 0.0)
    else:
        assert reason(prepared.calls[name]) == "corrupt"
    place.close()


def test_a_truncated_file_is_typed(tmp_path):
    path = str(tmp_path / "s.db")
    store = SQLiteStore(path)
    store.watch([watched("A{:04}".format(i)) for i in range(2000)])
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    store.close()
    os.truncate(path, os.path.getsize(path) // 2)
    with pytest.raises(StoreError) as caught, SQLiteStore(path) as store:
        store.rows(limit=5000)
    assert caught.value.reason in ("corrupt", "disk")


def test_a_locked_file_a_deleted_one_and_a_damaged_one_are_typed(tmp_path):
    path = str(tmp_path / "s.db")
    store = SQLiteStore(path, timeout=0.05)
    assert store.watch([watched("A1")]) == 1
    os.rename(path, path + "2")
    assert reason(lambda: store.watch([watched("A2")])) == "gone"
    assert reason(lambda: store.get("shop", "A1")) == "gone"
    os.rename(path + "2", path)
    assert store.get("shop", "A1").out_trade_no == "A1"
    for name in os.listdir(str(tmp_path)):
        os.rename(str(tmp_path / name), str(tmp_path / ("old-" + name)))
    SQLiteStore(path).close()       # another one in its place is not it
    assert reason(lambda: store.get("shop", "A1")) == "gone"
    store.close()
    (tmp_path / "damaged.db").write_bytes(b"no database " * 1000)
    assert reason(lambda: SQLiteStore(str(tmp_path / "damaged.db"))) == "corrupt"
    assert reason(lambda: SQLiteStore(str(tmp_path / "no" / "folder.db"))) == "gone"


def test_a_closed_store_says_so(tmp_path):
    store = SQLiteStore(str(tmp_path / "s.db"))
    store.close()
    store.close()
    assert reason(lambda: store.get("shop", "A1")) == "closed"


def test_a_full_disk_is_typed_and_nothing_is_done_by_half(tmp_path):
    path = str(tmp_path / "s.db")
    store = SQLiteStore(path)
    store.watch([watched("A1")])
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute("PRAGMA max_page_count={}".format(pages)).fetchall()
    assert reason(lambda: store.watch([watched("B{:04}".format(i)) for i in range(2000)])) == "full"
    store._db.execute("PRAGMA max_page_count=100000").fetchall()
    assert store.counts()["outcomes"] == {OPEN: 1}
    assert numbers(claim(store)) == ["A1"]
    store.close()


def test_readers_and_openers_do_not_wait_for_a_writer(tmp_path):
    path = str(tmp_path / "s.db")
    store = SQLiteStore(path)
    store.watch([watched("A1")])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    again = SQLiteStore(path, timeout=0.01)
    assert again.counts()["watched"] == 1 and numbers(again.due(5)) == ["A1"]
    other.execute("ROLLBACK")
    other.close()
    again.close()
    store.close()


def test_a_handler_that_rolled_back_and_began_anew_has_not_carried_out_its_effect(tmp_path):
    """Hostile: what it did before is undone, what it did after would be kept without the record. Genuine: one that
    leaves the transaction alone."""
    with SQLiteStore(str(tmp_path / "orders.db")) as store:
        with_effects(store, "paid")
        store._db.execute("CREATE TABLE shipped (effect_key TEXT)")
        pending, = store.effects("w", 10, 60)

        def wrong(db, pending):
            db.execute("ROLLBACK")
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO shipped VALUES ('x')")
        with pytest.raises(StoreError):
            store.effect_done(pending, within=wrong)
        assert store._db.execute("SELECT * FROM shipped").fetchall() == [] and store.counts()["effects"] == 1
        assert store.effect_done(pending, within=lambda db, pending: db.execute("INSERT INTO shipped VALUES ('y')"))
        assert store._db.execute("SELECT * FROM shipped").fetchall() == [("y",)]
