"""The store for one machine: an SQLite file, WAL, ``synchronous=FULL``: what was committed survives a power cut.

Processes may overlap as they like; writers wait for each other for up to ten seconds, then StoreError. A connection is
not carried into a forked process: the child opens its own.
"""
import os
import sqlite3
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from ...errors import AlipayError, OrderNotFound, StoreError, WatchConflict, show
from ..deciding import GAVE_UP, OPEN, Decision
from ..rows import ROW, Pending, Row, Watched, changed, checked, effect_key, plain, same_price
from .sqlite_schema import TABLES, UPGRADES, make_durable, problem_of
from .contract import CLOCK_STEP, MEND, SCHEMA, Again, Change, Store, check_schema, new_lease

_PENDING = ("SELECT e.id, e.effect_key, o.shop, o.out_trade_no, o.price, e.kind, e.detail, e.attempts, e.lease "
            "FROM mapi_effects e JOIN mapi_orders o ON o.id = e.order_id WHERE e.due_at <= :now AND NOT EXISTS ("
            "SELECT 1 FROM mapi_effects b WHERE b.order_id = e.order_id AND b.id < e.id AND b.due_at IS NOT NULL)")


class SQLiteStore(Store):
    """``path``: the file, or ``:memory:`` for a store that ends with its process. ``clock``: seconds since 1970 in UTC
    (for tests). ``timeout``: seconds to wait for other writers. ``migrate``: bring an older store up to this version.
    Raises StoreError, SchemaError.

    >>> SQLiteStore(":memory:").counts()["due"]
    0
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.time, timeout: float = 10.0,
                 migrate: bool = False):
        self._path = path if path == ":memory:" else os.path.abspath(os.fspath(path))
        self._clock, self._timeout = clock, timeout
        self._abandoned: List[Any] = []
        self._open(migrate)

    def _open(self, migrate=False):
        self._lock, self._pid = threading.RLock(), os.getpid()
        self._db = None     # type: Any
        self._guarded(self._connect)
        self._file = self._identity()
        self._transact(lambda db: self._prepare(db, migrate))

    def _connect(self):
        self._db = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=self._timeout)
        make_durable(self._db, self._timeout)

    def _prepare(self, db, migrate):
        tables = {name for name, in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        if not any(name.startswith("mapi_") for name in tables):
            for statement in TABLES:
                db.execute(statement)
            db.execute("INSERT INTO mapi_meta VALUES ('schema', ?)", (str(SCHEMA),))
            return
        found = None
        if "mapi_meta" in tables:
            found = db.execute("SELECT value FROM mapi_meta WHERE name='schema'").fetchone()
        found = found[0] if found else None
        while migrate and found in UPGRADES:
            found, statements = UPGRADES[found]
            for statement in statements:
                db.execute(statement)
            db.execute("UPDATE mapi_meta SET value=? WHERE name='schema'", (found,))
        check_schema(found, show(self._path, 200))

    # --- transactions ---------------------------------------------------------------------------------------------

    def _transact(self, work):
        """What ``work(connection)`` returns, once it is written; or everything is undone."""
        if self._pid != os.getpid():
            self._abandon()
        with self._lock:
            return self._guarded(self._in_transaction, work)

    def _in_transaction(self, work):
        if self._identity() != self._file:
            raise sqlite3.OperationalError("unable to open database file")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._db)
            self._db.execute("COMMIT")
            return result
        finally:
            if self._db.in_transaction:
                self._undo()

    def _undo(self):
        try:
            self._db.execute("ROLLBACK")
        except sqlite3.Error:
            pass    # SQLite has rolled back by itself, and the first error says why

    def _read(self, statement, values=()):
        def work():
            if self._identity() != self._file:
                raise sqlite3.OperationalError("unable to open database file")
            return self._db.execute(statement, values).fetchall()
        if self._pid != os.getpid():
            self._abandon()
        with self._lock:
            return self._guarded(work)

    @staticmethod
    def _guarded(work, *args):
        """SQLite's errors as StoreError. Its text may quote values, so only the kind is told, and it is not chained."""
        try:
            return work(*args)
        except sqlite3.Error as err:
            reason = problem_of(err)
        raise StoreError("the store could not be used ({}); nothing was changed by half, run again".format(reason),
                         reason=reason)

    def _identity(self):
        """Which file the path names now: SQLite goes on writing to one that was deleted, and all of it is lost."""
        if self._path == ":memory:":
            return None
        try:
            found = os.stat(self._path)
        except OSError:
            return ()
        return found.st_dev, found.st_ino

    def _abandon(self):
        if self._path == ":memory:":
            raise StoreError("a store in memory does not reach a forked process", reason="gone")
        self._abandoned.append(self._db)    # closing it here would end the parent's locks
        self._open()

    def now(self) -> float:
        return self._clock()

    def _tick(self, db):
        """The clock; when it has gone back, what was written in the future is mended first."""
        now = self._clock()
        seen = db.execute("SELECT moment FROM mapi_moments WHERE name='clock'").fetchone()
        if seen is None:
            db.execute("INSERT INTO mapi_moments VALUES ('clock', ?)", (now,))
        elif now < seen[0]:
            for statement in MEND:
                db.execute(statement, {"now": now})
        elif now > seen[0] + CLOCK_STEP:
            db.execute("UPDATE mapi_moments SET moment=? WHERE name='clock'", (now,))
        return now

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # --- orders ---------------------------------------------------------------------------------------------------

    def watch(self, entries: Iterable[Watched]) -> int:
        rows = checked(entries)

        def work(db):
            now, before = self._tick(db), db.total_changes
            db.executemany(
                "INSERT OR IGNORE INTO mapi_orders (shop, out_trade_no, price, watched_at, deadline, due_at, asked_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)", [(shop, number, price, now, now + closes_in, now + first_in, now)
                                                 for shop, number, price, first_in, closes_in in rows])
            new = db.total_changes - before
            if new < len(rows):
                self._compare(db, rows)
            return new
        return self._transact(work)

    @staticmethod
    def _compare(db, rows):
        for shop, number, price, _, _ in rows:
            found = db.execute("SELECT price FROM mapi_orders WHERE shop=? AND out_trade_no=?", (shop, number))
            if not same_price(number, found.fetchone()[0], price):
                raise WatchConflict("{}: watched already, with another price; use a new out_trade_no".format(number),
                                    out_trade_no=number)

    def claim(self, worker: str, limit: int, lease: float, again: Again,
              shops: Optional[Sequence[str]] = None) -> List[Row]:
        def work(db):
            now, mine = self._tick(db), new_lease(worker)
            where, values = _due(now, limit, shops)
            claimed = [Row._make(row) for row in db.execute(
                "SELECT id, shop, out_trade_no, price, facts, refunds, outcome, watched_at, deadline, due_at, ?, attempts + 1, "
                "last_error, ? " + where, [now, mine] + values)]
            db.executemany("UPDATE mapi_orders SET lease=?, lease_until=?, asked_at=?, attempts=?, due_at=? WHERE id=?",
                           [(mine, now + lease, now, row.attempts, max(again(row), now + lease), row.id)
                            for row in claimed])
            return claimed
        return self._transact(work)

    def due(self, limit: int, shops: Optional[Sequence[str]] = None) -> List[Row]:
        where, values = _due(self._clock(), limit, shops)
        return [Row._make(row) for row in self._read("SELECT " + ROW + where, values)]

    def settle(self, changes: Sequence[Tuple[Row, Change]]) -> List[Optional[Decision]]:
        def work(db):
            current = self._current(db, [row.id for row, _ in changes])
            now, decisions, written, effects = self._clock(), [], [], []  # type: ignore[var-annotated]
            for row, change in changes:
                stored = current.get(row.id)
                if stored is None:
                    decisions.append(None)
                    continue
                decision = change(stored)
                decisions.append(decision)
                current[row.id] = new = changed(stored, decision, stored.lease == row.lease)
                written.append(_columns(new))
                effects += _effects(stored, decision, now)
            self._write(db, written, effects)
            return decisions
        return self._transact(work)

    def apply(self, shop: str, out_trade_no: str, change: Change) -> Decision:
        def work(db):
            found = db.execute("SELECT {} FROM mapi_orders WHERE shop=? AND out_trade_no=?".format(ROW),
                               (shop, out_trade_no)).fetchone()
            if found is None:
                raise OrderNotFound("this order is not watched; watch it when its payment URL is made",
                                    out_trade_no=show(out_trade_no))
            row = Row._make(found)
            decision = change(row)
            self._write(db, [_columns(changed(row, decision, False))], _effects(row, decision, self._clock()))
            return decision
        return self._transact(work)

    @staticmethod
    def _current(db, ids):
        found = {}
        for at in range(0, len(ids), 500):
            part = ids[at:at + 500]
            marks = ",".join("?" * len(part))
            for row in db.execute("SELECT {} FROM mapi_orders WHERE id IN ({})".format(ROW, marks), part):
                found[row[0]] = Row._make(row)
        return found

    @staticmethod
    def _write(db, rows, effects):
        db.executemany("UPDATE mapi_orders SET facts=?, refunds=?, outcome=?, due_at=?, last_error=?, lease=?, "
                       "lease_until=CASE WHEN lease=? THEN lease_until ELSE 0 END WHERE id=?", rows)
        db.executemany("INSERT OR IGNORE INTO mapi_effects (order_id, effect_key, kind, detail, made_at, given_at, "
                       "due_at) VALUES (?, ?, ?, ?, ?, ?, ?)", effects)

    def release(self, rows: Sequence[Row]) -> None:
        if rows:
            self._transact(lambda db: db.executemany(
                "UPDATE mapi_orders SET lease='', lease_until=0, attempts=?, due_at=? WHERE id=? AND lease=?",
                [(row.attempts - 1, row.due_at, row.id, row.lease) for row in rows]))

    # --- effects --------------------------------------------------------------------------------------------------

    def effects(self, worker: str, limit: int, lease: float, only: Optional[Tuple[str, str]] = None) -> List[Pending]:
        def work(db):
            now, mine = self._tick(db), new_lease(worker)
            values, where = {"now": now, "limit": limit}, ""  # type: Dict[str, Any], str
            if only is not None:
                where = " AND o.shop = :shop AND o.out_trade_no = :number"
                values.update(shop=only[0], number=only[1])
            found = [Pending._make(row) for row in db.execute(
                _PENDING + where + " ORDER BY e.due_at, e.id LIMIT :limit", values)]
            db.executemany("UPDATE mapi_effects SET lease=?, given_at=?, due_at=?, attempts=attempts+1 WHERE id=?",
                           [(mine, now, now + lease, pending.id) for pending in found])
            return [pending._replace(lease=mine, attempts=pending.attempts + 1) for pending in found]
        return self._transact(work)

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        raised = []     # what the shop's code raises is the shop's, even when it is an error of SQLite

        def work(db):
            ours = "" if within is None else " AND lease=:lease"
            done = db.execute("UPDATE mapi_effects SET done_at=:now, due_at=NULL, lease='', last_error='' "
                              "WHERE id=:id AND due_at IS NOT NULL" + ours,
                              {"now": self._clock(), "id": pending.id, "lease": pending.lease}).rowcount == 1
            if done and within is not None:
                try:
                    within(db, pending)
                except BaseException as err:
                    raised.append(err)
                    raise _Undo()
                if not db.in_transaction:
                    raise StoreError("the handler ended the transaction that it was called in; leave that to the store",
                                     reason="handler")
            return done
        try:
            return self._transact(work)
        except _Undo:
            pass
        raise raised[0]

    def effect_failed(self, pending: Pending, error: str, again_in: float) -> None:
        def work(db):
            now = self._clock()
            db.execute("UPDATE mapi_effects SET lease='', given_at=?, due_at=?, last_error=? "
                       "WHERE id=? AND lease=? AND due_at IS NOT NULL",
                       (now, now + again_in, plain(error, 400), pending.id, pending.lease))
        self._transact(work)

    def release_effects(self, pending: Sequence[Pending]) -> None:
        if pending:
            now = self._clock()
            self._transact(lambda db: db.executemany(
                "UPDATE mapi_effects SET lease='', given_at=?, due_at=?, attempts=? "
                "WHERE id=? AND lease=? AND due_at IS NOT NULL",
                [(now, now, one.attempts - 1, one.id, one.lease) for one in pending]))

    # --- the rest -------------------------------------------------------------------------------------------------

    def slots(self, name: str, count: int, per_second: float, ahead: float) -> Tuple[int, float]:
        def work(db):
            now = self._tick(db)
            found = db.execute("SELECT moment FROM mapi_moments WHERE name=?", ("rate " + name,)).fetchone()
            first = max(found[0], now) if found else now
            free = max(0, min(count, int((now + ahead - first) * per_second) + 1 if first <= now + ahead else 0))
            if free:
                db.execute("INSERT OR REPLACE INTO mapi_moments VALUES (?, ?)",
                           ("rate " + name, first + free / per_second))
            return free, first - now if free else first - now - ahead
        return self._transact(work)

    def get(self, shop: str, out_trade_no: str) -> Optional[Row]:
        found = self._read("SELECT {} FROM mapi_orders WHERE shop=? AND out_trade_no=?".format(ROW),
                           (shop, out_trade_no))
        return Row._make(found[0]) if found else None

    def rows(self, after: int = 0, limit: int = 500, outcomes: Optional[Sequence[str]] = None) -> List[Row]:
        where, values = _among("outcome", outcomes)
        return [Row._make(row) for row in self._read(
            "SELECT {} FROM mapi_orders WHERE id > ?{} ORDER BY id LIMIT ?".format(ROW, where),
            [after] + values + [limit])]

    def counts(self) -> Dict[str, Any]:
        now = self._clock()
        oldest = self._read("SELECT min(due_at) FROM mapi_orders WHERE due_at IS NOT NULL")[0][0]
        return {
            "outcomes": dict(self._read("SELECT outcome, count(*) FROM mapi_orders GROUP BY outcome")),
            "due": self._read("SELECT count(*) FROM mapi_orders WHERE due_at <= ?", (now,))[0][0],
            "oldest_due": max(0.0, now - oldest) if oldest is not None else 0.0,
            "effects": self._read("SELECT count(*) FROM mapi_effects WHERE due_at IS NOT NULL")[0][0],
            "errors": self._read("SELECT shop, out_trade_no, last_error FROM mapi_orders WHERE last_error <> '' "
                                 "ORDER BY asked_at DESC, id DESC LIMIT 20"),
        }

    def reopen(self, shop: Optional[str] = None, out_trade_no: Optional[str] = None) -> int:
        where, values = "", [OPEN, self._clock()]
        for name, value in (("shop", shop), ("out_trade_no", out_trade_no)):
            if value is not None:
                where, values = where + " AND {}=?".format(name), values + [value]
        if out_trade_no is None:
            where, values = where + " AND outcome=?", values + [GAVE_UP]
        return self._transact(lambda db: db.execute(
            "UPDATE mapi_orders SET outcome=?, due_at=? WHERE 1=1" + where, values).rowcount)


class _Undo(AlipayError):
    """Ends a transaction; never seen outside."""


def _among(column, values):
    if values is None:
        return "", []
    return " AND {} IN ({})".format(column, ",".join("?" * len(values))), list(values)


def _due(now, limit, shops):
    where, values = _among("shop", shops)
    return (" FROM mapi_orders WHERE due_at <= ? AND lease_until <= ?{} ORDER BY due_at, id LIMIT ?".format(where),
            [now, now] + values + [limit])


def _columns(row):
    return row.facts, row.refunds, row.outcome, row.due_at, row.last_error, row.lease, row.lease, row.id


def _effects(row, decision, now):
    return [(row.id, effect_key(row.shop, effect), effect.kind, plain(effect.detail), now, now, now)
            for effect in decision.effects]
