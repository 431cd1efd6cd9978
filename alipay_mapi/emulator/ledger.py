"""What the emulated gateway remembers: merchants, orders and their trades, refunds, notifications, sub-merchants.

One SQLite database, in memory or in a file (``--state``), through one connection behind one lock. Every change is a
transaction, and a file is written with ``synchronous=FULL``, so that what the gateway has answered survives
``kill -9``. Knows no rules: those are in ``trades`` and ``refunds``.
"""
import json
import os
import sqlite3
import threading
import weakref
from contextlib import contextmanager
from typing import Any, ContextManager, Dict, Iterator, List, Optional

from ..errors import ConfigurationError, InvalidRequest, show
from .ams.tables import AMS_ROWS, AMS_TABLES

#: 2 has the tables of AMS; a file of 1 gets them when it is opened.
SCHEMA, _FORMER = "2", "1"
_FOREIGN = "is no emulator's ledger"
#: Seconds to wait for another process that is just closing the file.
_PATIENCE = 2.0

#: Table to columns; whatever else a row has stands in ``data``, as JSON.
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE merchants (id INTEGER PRIMARY KEY, partner TEXT UNIQUE NOT NULL, data TEXT NOT NULL)",
    "CREATE TABLE trades (id INTEGER PRIMARY KEY, partner TEXT NOT NULL, out_trade_no TEXT NOT NULL, "
    "trade_no TEXT UNIQUE, trade_status TEXT NOT NULL, due_at TEXT, changed_at TEXT NOT NULL, data TEXT NOT NULL, "
    "UNIQUE (partner, out_trade_no))",
    "CREATE INDEX trades_order ON trades (out_trade_no)",
    "CREATE INDEX trades_due ON trades (due_at) WHERE due_at IS NOT NULL",
    "CREATE TABLE refunds (id INTEGER PRIMARY KEY, partner TEXT NOT NULL, out_return_no TEXT NOT NULL, "
    "out_trade_no TEXT NOT NULL, refund_status TEXT NOT NULL, due_at TEXT, data TEXT NOT NULL, "
    "UNIQUE (partner, out_return_no))",
    "CREATE INDEX refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX refunds_trade ON refunds (partner, out_trade_no)",
    "CREATE TABLE plans (id INTEGER PRIMARY KEY, partner TEXT NOT NULL, out_trade_no TEXT NOT NULL, due_at TEXT, "
    "data TEXT NOT NULL)",
    "CREATE INDEX plans_due ON plans (due_at) WHERE due_at IS NOT NULL",
    "CREATE TABLE notifications (id INTEGER PRIMARY KEY, notify_id TEXT UNIQUE NOT NULL, partner TEXT NOT NULL, "
    "out_trade_no TEXT NOT NULL, state TEXT NOT NULL, next_at TEXT, data TEXT NOT NULL)",
    "CREATE INDEX notifications_due ON notifications (next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX notifications_sending ON notifications (id) WHERE state='sending'",
    "CREATE INDEX notifications_trade ON notifications (partner, out_trade_no)",
    "CREATE TABLE deliveries (id INTEGER PRIMARY KEY, notification INTEGER NOT NULL, at TEXT NOT NULL, "
    "data TEXT NOT NULL)",
    "CREATE INDEX deliveries_notification ON deliveries (notification)",
    "CREATE TABLE secmerchants (id INTEGER PRIMARY KEY, partner TEXT NOT NULL, secondary_merchant_id TEXT NOT NULL, "
    "store_id TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (partner, secondary_merchant_id, store_id))",
    "CREATE TABLE batches (id INTEGER PRIMARY KEY, partner TEXT NOT NULL, batch_no TEXT NOT NULL, kind TEXT NOT NULL, "
    "data TEXT NOT NULL, UNIQUE (partner, kind, batch_no))",
)
_FORMER_ROWS = ("trades", "plans", "refunds", "notifications", "deliveries", "secmerchants", "batches")
_ROWS = _FORMER_ROWS + AMS_ROWS


class Ledger:
    """Rows as dictionaries: the columns, and what else was given, together.

    ``path``: a file, or ``:memory:``. Safe to share between threads. Raises ConfigurationError when the file is not a
    ledger of the emulator, or another emulator has it open for writing.
    """

    def __init__(self, path: str = ":memory:"):
        self._lock = threading.RLock()
        self._depth = 0
        problem, opened = "", None
        try:
            if path != ":memory:" and not os.path.exists(path):
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))      # keys will be in it
            opened = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None, timeout=_PATIENCE)
            opened.row_factory = sqlite3.Row
            self._db = opened
            problem = self._prepare("OFF" if path == ":memory:" else "FULL")
        except (sqlite3.Error, OSError, ValueError) as err:
            problem = "is in use by another emulator" if "locked" in str(err) else "cannot be opened" if isinstance(
                err, (sqlite3.OperationalError, OSError, ValueError)) else _FOREIGN
        if problem:
            if opened is not None:
                opened.close()
            raise ConfigurationError("state: {} {}; give another file".format(show(str(path), 200), problem))
        # A test that lets its emulator go without closing it is no leak; Python 3.13 warns of connections left open.
        weakref.finalize(self, self._db.close)

    def _prepare(self, synchronous) -> str:
        """What is wrong with the file, or "". Nothing is written into a file that is not ours."""
        tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        if tables and "meta" not in tables:
            return _FOREIGN
        found = self.meta("schema") if tables else SCHEMA
        if tables and not tables.issuperset(_FORMER_ROWS if found == _FORMER else _ROWS) and found in (SCHEMA, _FORMER):
            return _FOREIGN
        if found not in (SCHEMA, _FORMER):
            return _FOREIGN if found is None else "was made by another version of the emulator (schema {})".format(
                show(found, 16))
        # One process at a time: another one would send the same notifications a second time.
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=" + synchronous)
        with self.transaction():
            for statement in (() if tables else _TABLES) + (AMS_TABLES if not tables or found == _FORMER else ()):
                self._db.execute(statement)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('schema', ?)", (SCHEMA,))
        return ""

    def held(self) -> ContextManager[Any]:
        """The ledger for one thread alone, over several transactions."""
        return self._lock

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one thread at a time; may be nested."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._db.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._commit()
            finally:
                self._depth -= 1

    def _commit(self):
        try:
            self._db.execute("COMMIT")
        except BaseException:   # the disk is full, say: the next transaction must be able to begin
            self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file; what was committed is in it."""
        with self._lock:
            self._db.close()

    # --- rows -----------------------------------------------------------------------------------------------------

    def one(self, table: str, **where: Any) -> Optional[Dict[str, Any]]:
        """The first row where all of ``where`` hold (columns, not data), or None."""
        rows = self.rows(table, limit=1, **where)
        return rows[0] if rows else None

    def get(self, table: str, **where: Any) -> Dict[str, Any]:
        """As :meth:`one`, of a row that is there. Raises InvalidRequest when it is not."""
        row = self.one(table, **where)
        if row is None:
            raise InvalidRequest("{}: the ledger has no such row".format(table), parameter=table)
        return row

    def rows(self, table: str, limit: Optional[int] = None, newest: bool = False, offset: int = 0,
             **where: Any) -> List[Dict[str, Any]]:
        """Rows in the order in which they were made (``newest``: the other way round)."""
        sql = "SELECT * FROM {}{} ORDER BY id{}".format(table, _where(where), " DESC" if newest else "")
        if limit is not None:
            sql += " LIMIT {} OFFSET {}".format(int(limit), int(offset))
        with self._lock:
            return [_row(row) for row in self._db.execute(sql, tuple(where.values()))]

    def due(self, table: str, column: str, moment: str, limit: Optional[int] = None) -> List[Dict[str, Any]]:
        """Rows whose ``column`` (a time as text) is reached, earliest first."""
        with self._lock:
            return [_row(row) for row in self._db.execute(
                "SELECT * FROM {0} WHERE {1} IS NOT NULL AND {1} <= ? ORDER BY {1}, id{2}".format(
                    table, column, "" if limit is None else " LIMIT {}".format(int(limit))), (moment,))]

    def next_due(self, table: str, column: str) -> Optional[str]:
        """The earliest ``column``, or None."""
        with self._lock:
            return self._db.execute("SELECT MIN({0}) FROM {1} WHERE {0} IS NOT NULL".format(
                column, table)).fetchone()[0]

    def left_sending(self) -> List[Dict[str, Any]]:
        """Notifications that a process was sending when it was killed."""
        with self._lock:
            # A literal: SQLite takes no partial index for a value that it is told only later.
            return [_row(row) for row in self._db.execute(
                "SELECT * FROM notifications WHERE state='sending' ORDER BY id")]

    def count(self, table: str, **where: Any) -> int:
        with self._lock:
            return self._db.execute("SELECT COUNT(*) FROM {}{}".format(table, _where(where)),
                                    tuple(where.values())).fetchone()[0]

    def add(self, table: str, data: Optional[Dict[str, Any]] = None, **columns: Any) -> Dict[str, Any]:
        """A new row; ``data``: whatever it has beside its columns. sqlite3.IntegrityError when it exists."""
        with self.transaction():
            columns["data"] = _json(data or {})
            number = self._db.execute("INSERT INTO {} ({}) VALUES ({})".format(
                table, ", ".join(columns), ", ".join("?" * len(columns))), tuple(columns.values())).lastrowid
            return self._by_id(table, number)

    def change(self, table: str, row: Dict[str, Any], **changes: Any) -> Dict[str, Any]:
        """Change columns and data of ``row`` (by its id); returns the row as it is now.

        A row that a reset has taken away meanwhile stays away.
        """
        with self.transaction():
            stored = self._db.execute("SELECT * FROM {} WHERE id=?".format(table), (row["id"],)).fetchone()
            if stored is None:
                return dict(row, **changes)
            columns = set(stored.keys()) - {"data", "id"}
            data = json.loads(stored["data"])
            data.update({name: value for name, value in changes.items() if name not in columns})
            new = {name: value for name, value in changes.items() if name in columns}
            new["data"] = _json(data)
            self._db.execute("UPDATE {} SET {} WHERE id=?".format(
                table, ", ".join("{}=?".format(name) for name in new)), tuple(new.values()) + (row["id"],))
            return self._by_id(table, row["id"])

    def _by_id(self, table, number):
        return _row(self._db.execute("SELECT * FROM {} WHERE id=?".format(table), (number,)).fetchone())

    def meta(self, name: str) -> Optional[str]:
        """A single value by name, or None."""
        with self._lock:
            row = self._db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return row[0] if row else None

    def set_meta(self, name: str, value: str) -> None:
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def clear(self) -> None:
        """Forget everything but the merchants and their keys."""
        with self.transaction():
            for table in _ROWS:
                self._db.execute("DELETE FROM {}".format(table))
            self._db.execute("DELETE FROM meta WHERE name LIKE 'last_refund:%'")


def _where(where):
    return " WHERE " + " AND ".join("{}=?".format(name) for name in where) if where else ""


def _json(data):
    return json.dumps(data, ensure_ascii=False, sort_keys=True)


def _row(row):
    found = dict(row)
    data = json.loads(found.pop("data"))
    data.update(found)
    return data
