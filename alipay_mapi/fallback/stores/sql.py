"""The store for several machines: PostgreSQL, MySQL or MariaDB (and SQLite) through SQLAlchemy 1.4 to 2.x.

Isolation: READ COMMITTED, and every row that is changed is locked first, in the order of ids; on SQLite, BEGIN
IMMEDIATE. Where the database can skip rows that others hold (PostgreSQL 9.5, MySQL 8.0, MariaDB 10.6) workers do not
wait for each other to claim; elsewhere they do. The clock is the database's.
"""
import os
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import sqlalchemy as sa

from ...errors import (AlipayError, ConfigurationError, OrderNotFound, SchemaError, StoreError, WatchConflict,
                       show)
from ..deciding import GAVE_UP, OPEN, Decision
from ..rows import Pending, Row, Watched, changed, checked, effect_key, plain, same_price
from .sql_schema import create_all, effects, kind_of, meta, moments, orders, problem_of
from .sql_write import insert_new, update_rows
from .sqlite_schema import make_durable
from .contract import CLOCK_STEP, MEND, SCHEMA, Again, Change, Store, check_schema, new_lease

_ROW = [orders.c[name] for name in Row._fields]
_BATCH = 500
_CLAIM = ("lease = :mine", "lease_until = :until", "asked_at = :now")
#: How often a transaction that lost a deadlock is run again.
_AGAIN = 4


class SQLAlchemyStore(Store):
    """``where``: a URL of SQLAlchemy, or an Engine that is already there. ``clock``: in place of the database's (for
    tests). ``migrate``: bring an older store up to this version. Raises StoreError, SchemaError, ConfigurationError."""

    def __init__(self, where: Any, clock: Optional[Callable[[], float]] = None, migrate: bool = False):
        self._own = isinstance(where, (str, sa.engine.URL))
        self._test_clock, self._pid, self._forked = clock, os.getpid(), threading.Lock()
        engine = _engine(where) if self._own else where
        self._sqlite = engine.dialect.name == "sqlite"
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT" if self._sqlite else "READ COMMITTED")
        self._kind = self._transact(kind_of)
        self._transact(lambda db: self._prepare(db, migrate))

    def _prepare(self, db, migrate):
        if self._kind.name == "mysql":
            charset = db.exec_driver_sql("SELECT @@character_set_client").scalar()
            if charset != "utf8mb4":
                raise ConfigurationError("the store's connection uses {}; add ?charset=utf8mb4 to its URL".format(
                    charset))
        found = self._schema(db)
        if found is None:
            self._create(db)
        else:
            check_schema(found, "the database")     # there is no older schema to come from yet

    def _schema(self, db):
        if not sa.inspect(db).has_table(meta.name):
            return None
        return db.execute(sa.select(meta.c.value).where(meta.c.name == "schema")).scalar()

    def _create(self, db):
        # Several processes may start at once, and CREATE TABLE IF NOT EXISTS is no lock. The version comes last: where
        # the database commits after every table, a kill in between leaves what the next one completes.
        locked, free = {"postgresql": ("SELECT pg_advisory_xact_lock(2088101)", None),
                        "mysql": ("SELECT GET_LOCK('mapi_schema', 30)", "SELECT RELEASE_LOCK('mapi_schema')")}.get(
                            self._kind.name, (None, None))
        if locked:
            db.exec_driver_sql(locked)
        try:
            found = self._schema(db)
            if found is None:
                create_all(db)
                db.execute(sa.insert(meta).values(name="schema", value=str(SCHEMA)))
                db.execute(sa.insert(moments).values(name="clock", moment=0.0))
            else:
                check_schema(found, "the database")
        finally:
            if free:
                db.exec_driver_sql(free)

    # --- transactions ---------------------------------------------------------------------------------------------

    def _transact(self, work, times=_AGAIN):
        """What ``work(connection)`` returns, once it is written; or everything is undone. A transaction that the
        database undid for a deadlock or a serialization failure is run again."""
        self._after_a_fork()
        for left in reversed(range(times)):
            try:
                return self._in_transaction(work)
            except (sa.exc.SQLAlchemyError, UnicodeError) as err:
                reason = problem_of(err)
            if reason != "deadlock" or not left:
                break
            time.sleep(0.01 * (times - left))
        reason = "locked" if reason == "deadlock" else reason
        # Not chained: its text shows values.
        if reason == "schema":
            raise SchemaError("the store's tables are not what this version needs; run alipay-mapi fallback migrate",
                              reason=reason)
        raise StoreError("the store could not be used ({}); nothing was changed by half, run again".format(reason),
                         reason=reason)

    def _in_transaction(self, work):
        with self._engine.connect() as db, db.begin():
            if self._sqlite:
                db.exec_driver_sql("BEGIN IMMEDIATE")   # the driver begins nothing by itself in AUTOCOMMIT
            return work(db)

    def _after_a_fork(self):
        if self._own and self._pid != os.getpid():
            with self._forked:
                if self._pid != os.getpid():
                    self._engine.pool = self._engine.pool.recreate()    # the parent's connections stay the parent's
                    self._pid = os.getpid()

    def _now(self, db):
        if self._test_clock is not None:
            return self._test_clock()
        return float(db.exec_driver_sql(self._kind.clock).scalar()) if self._kind.clock else time.time()

    def _tick(self, db):
        """The clock; when it has gone back, what was written in the future is mended first."""
        now = self._now(db)
        clock = sa.select(moments.c.moment).where(moments.c.name == "clock")
        seen = db.execute(clock).scalar() or 0.0
        if now < seen:
            # Under the lock of its row, as others see the same.
            if now < db.execute(clock.with_for_update()).scalar():
                for statement in MEND:
                    db.execute(sa.text(statement), {"now": now})
        elif now > seen + CLOCK_STEP:
            db.execute(sa.update(moments).where(moments.c.name == "clock", moments.c.moment < now - CLOCK_STEP)
                       .values(moment=now))
        return now

    def now(self) -> float:
        return self._transact(self._now)

    def close(self) -> None:
        if self._own:
            self._engine.dispose()

    # --- orders ---------------------------------------------------------------------------------------------------

    def watch(self, entries: Iterable[Watched]) -> int:
        rows = checked(entries)

        def work(db):
            now, new = self._tick(db), 0
            for at in range(0, len(rows), _BATCH):
                new += self._watch(db, now, rows[at:at + _BATCH])
            return new
        return self._transact(work)

    def _watch(self, db, now, rows):
        known = self._compare(db, rows)
        missing = {}    # type: Dict[Tuple[str, str], Any]
        for shop, number, price, first_in, closes_in in rows:
            if (shop, number) not in known:
                missing.setdefault((shop, number), dict(
                    shop=shop, out_trade_no=number, price=price, facts="", refunds="", outcome=OPEN, watched_at=now,
                    deadline=now + closes_in, due_at=now + first_in, asked_at=now, attempts=0, last_error="", lease="",
                    lease_until=0.0))
        if missing:
            # By number, so that two who watch the same orders wait for each other in one order.
            insert_new(db, self._kind, orders, [missing[key] for key in sorted(missing)])
            self._compare(db, rows)     # somebody may have been faster, with another price
        return len(missing)

    @staticmethod
    def _compare(db, rows):
        prices = {}     # type: Dict[Tuple[str, str], str]
        for shop in {row[0] for row in rows}:
            numbers = [row[1] for row in rows if row[0] == shop]
            for number, price in db.execute(sa.select(orders.c.out_trade_no, orders.c.price).where(
                    orders.c.shop == shop, orders.c.out_trade_no.in_(numbers))):
                prices[shop, number] = price
        for shop, number, price, _, _ in rows:
            if (shop, number) in prices and not same_price(number, prices[shop, number], price):
                raise WatchConflict("{}: watched already, with another price; use a new out_trade_no".format(number),
                                    out_trade_no=number)
        return prices

    def claim(self, worker: str, limit: int, lease: float, again: Again,
              shops: Optional[Sequence[str]] = None) -> List[Row]:
        def work(db):
            now, mine = self._tick(db), new_lease(worker)
            found = db.execute(self._locked(_due(now, limit, shops))).fetchall()
            claimed = [row._replace(lease=mine, asked_at=now, attempts=row.attempts + 1)
                       for row in map(Row._make, found)]
            # The rows are locked. Where a lock does not reach (a cluster of equal servers), the condition does.
            done = update_rows(db, self._kind, "mapi_orders", ("attempts", "due_at"), [
                {"id": row.id, "attempts": row.attempts, "due_at": max(again(row), now + lease)} for row in claimed],
                _CLAIM, "o.lease_until <= :now", {"now": now, "mine": mine, "until": now + lease})
            if done != len(claimed):
                raise StoreError("another worker was faster; run again", reason="locked")
            return claimed
        return self._transact(work)

    def _locked(self, select):
        return select.with_for_update(skip_locked=self._kind.skips)

    def due(self, limit: int, shops: Optional[Sequence[str]] = None) -> List[Row]:
        return self._transact(lambda db: [Row(*row) for row in db.execute(_due(self._now(db), limit, shops))])

    def settle(self, changes: Sequence[Tuple[Row, Change]]) -> List[Optional[Decision]]:
        def work(db):
            now = self._now(db)
            current = self._current(db, sorted({row.id for row, _ in changes}))
            decisions, written, made = [], {}, []   # type: ignore[var-annotated]
            for row, change in changes:
                stored = current.get(row.id)
                if stored is None:
                    decisions.append(None)
                    continue
                decision = change(stored)
                decisions.append(decision)
                current[row.id] = written[row.id] = changed(stored, decision, stored.lease == row.lease)
                made += _effects(stored, decision, now)
            self._write(db, written.values(), made)
            return decisions
        return self._transact(work)

    def apply(self, shop: str, out_trade_no: str, change: Change) -> Decision:
        def work(db):
            found = db.execute(_one(shop, out_trade_no).with_for_update()).fetchone()
            row = Row(*found) if found else None
            if row is None or row.out_trade_no != out_trade_no:
                raise OrderNotFound("this order is not watched; watch it when its payment URL is made",
                                    out_trade_no=show(out_trade_no))
            decision = change(row)
            self._write(db, [changed(row, decision, False)], _effects(row, decision, self._now(db)))
            return decision
        return self._transact(work)

    @staticmethod
    def _current(db, ids):
        found = {}
        for at in range(0, len(ids), _BATCH):
            select = sa.select(*_ROW).where(orders.c.id.in_(ids[at:at + _BATCH])).order_by(orders.c.id)
            for row in db.execute(_by(select, orders, "PRIMARY").with_for_update()):
                found[row[0]] = Row(*row)
        return found

    def _write(self, db, rows, made):
        update_rows(db, self._kind, "mapi_orders", ("facts", "refunds", "outcome", "due_at", "last_error", "lease"), [
            {"id": row.id, "facts": row.facts, "refunds": row.refunds, "outcome": row.outcome, "due_at": row.due_at,
             "last_error": row.last_error, "lease": row.lease} for row in rows],
            ["lease_until = CASE WHEN v.lease = '' THEN 0 ELSE o.lease_until END"])
        insert_new(db, self._kind, effects, made)

    def release(self, rows: Sequence[Row]) -> None:
        if rows:
            self._transact(lambda db: update_rows(db, self._kind, "mapi_orders", ("attempts", "due_at", "_was"), [
                {"id": row.id, "attempts": row.attempts - 1, "due_at": row.due_at, "_was": row.lease}
                for row in sorted(rows)], ["lease = ''", "lease_until = 0"], "o.lease = v._was"))

    # --- effects --------------------------------------------------------------------------------------------------

    def effects(self, worker: str, limit: int, lease: float, only: Optional[Tuple[str, str]] = None) -> List[Pending]:
        def work(db):
            now, mine, before = self._tick(db), new_lease(worker), effects.alias("b")
            ready = sa.select(effects.c.id).where(effects.c.due_at <= now, ~sa.exists(sa.select(before.c.id).where(
                before.c.order_id == effects.c.order_id, before.c.id < effects.c.id, before.c.due_at.isnot(None))))
            if only is not None:
                ready = ready.where(effects.c.order_id.in_(sa.select(orders.c.id).where(
                    orders.c.shop == only[0], orders.c.out_trade_no == only[1])))
            ids = [row[0] for row in db.execute(self._locked(
                _by(ready, effects, "mapi_effects_due").order_by(effects.c.due_at, effects.c.id).limit(limit)))]
            if not ids:
                return []
            # The condition again, for a database whose locks do not reach.
            db.execute(sa.update(effects).where(effects.c.id.in_(ids), effects.c.due_at <= now).values(
                lease=mine, given_at=now, due_at=now + lease, attempts=effects.c.attempts + 1))
            e, o = effects.c, orders.c
            found = db.execute(sa.select(e.id, e.effect_key, o.shop, o.out_trade_no, o.price, e.kind, e.detail,
                                         e.attempts, e.lease).where(e.id.in_(ids), e.lease == mine, e.order_id == o.id))
            place = {number: at for at, number in enumerate(ids)}
            return sorted((Pending(*row) for row in found), key=lambda pending: place[pending.id])
        return self._transact(work)

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        raised = []     # what the shop's code raises is the shop's, even when it is an error of the database

        def work(db):
            mine = sa.update(effects).where(effects.c.id == pending.id, effects.c.due_at.isnot(None))
            if within is not None:
                mine = mine.where(effects.c.lease == pending.lease)
            done = db.execute(mine.values(done_at=self._now(db), due_at=None, lease="", last_error="")).rowcount == 1
            if done and within is not None:
                begun = db.get_transaction()
                try:
                    within(db, pending)
                except BaseException as err:
                    raised.append(err)
                    raise _Undo()
                if begun is not None and not (begun.is_active and db.get_transaction() is begun):
                    raise StoreError("the handler ended the transaction that it was called in; leave that to the store",
                                     reason="handler")
            return done
        try:
            # The shop's code is not called twice behind its back.
            return self._transact(work, _AGAIN if within is None else 1)
        except _Undo:
            pass
        raise raised[0]

    def effect_failed(self, pending: Pending, error: str, again_in: float) -> None:
        def work(db):
            now = self._now(db)
            db.execute(_held(pending).values(lease="", given_at=now, due_at=now + again_in,
                                             last_error=plain(error, 400)))
        self._transact(work)

    def release_effects(self, pending: Sequence[Pending]) -> None:
        def work(db):
            now = self._now(db)
            for one in sorted(pending):
                db.execute(_held(one).values(lease="", given_at=now, due_at=now, attempts=effects.c.attempts - 1))
        if pending:
            self._transact(work)

    # --- the rest -------------------------------------------------------------------------------------------------

    def slots(self, name: str, count: int, per_second: float, ahead: float) -> Tuple[int, float]:
        name = "rate " + name

        def work(db):
            now, one = self._tick(db), moments.c.name == name
            taken = db.execute(sa.select(moments.c.moment).where(one).with_for_update()).scalar()
            if taken is None:
                insert_new(db, self._kind, moments, [{"name": name, "moment": 0.0}])
                taken = db.execute(sa.select(moments.c.moment).where(one).with_for_update()).scalar()
            first = max(taken, now)
            free = max(0, min(count, int((now + ahead - first) * per_second) + 1 if first <= now + ahead else 0))
            if free:
                db.execute(sa.update(moments).where(one).values(moment=first + free / per_second))
            return free, first - now if free else first - now - ahead
        return self._transact(work)

    def get(self, shop: str, out_trade_no: str) -> Optional[Row]:
        found = self._transact(lambda db: db.execute(_one(shop, out_trade_no)).fetchone())
        row = Row(*found) if found else None
        return row if row is not None and row.out_trade_no == out_trade_no else None

    def rows(self, after: int = 0, limit: int = 500, outcomes: Optional[Sequence[str]] = None) -> List[Row]:
        select = sa.select(*_ROW).where(orders.c.id > after).order_by(orders.c.id).limit(limit)
        if outcomes is not None:
            select = select.where(orders.c.outcome.in_(list(outcomes)))
        return self._transact(lambda db: [Row(*row) for row in db.execute(select)])

    def counts(self) -> Dict[str, Any]:
        c = orders.c

        def work(db):
            now = self._now(db)
            oldest = db.execute(sa.select(sa.func.min(c.due_at)).where(c.due_at.isnot(None))).scalar()
            count = sa.func.count()
            return {
                "outcomes": {row[0]: row[1] for row in db.execute(sa.select(c.outcome, count).group_by(c.outcome))},
                "due": db.execute(sa.select(count).where(c.due_at <= now)).scalar(),
                "oldest_due": max(0.0, now - oldest) if oldest is not None else 0.0,
                "effects": db.execute(sa.select(count).where(effects.c.due_at.isnot(None))).scalar(),
                "errors": [tuple(row) for row in db.execute(
                    sa.select(c.shop, c.out_trade_no, c.last_error).where(c.last_error != "")
                    .order_by(c.asked_at.desc(), c.id.desc()).limit(20))],
            }
        return self._transact(work)

    def reopen(self, shop: Optional[str] = None, out_trade_no: Optional[str] = None) -> int:
        which = sa.update(orders)
        if shop is not None:
            which = which.where(orders.c.shop == shop)
        which = which.where(orders.c.outcome == GAVE_UP if out_trade_no is None
                            else orders.c.out_trade_no == out_trade_no)
        return self._transact(lambda db: db.execute(which.values(outcome=OPEN, due_at=self._now(db))).rowcount)


class _Undo(AlipayError):
    """Ends a transaction; never seen outside."""


def _engine(url):
    problem = ""
    try:
        engine = sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except sa.exc.SQLAlchemyError as err:
        problem = type(err).__name__    # its text may show the URL, and so a password
    except ImportError as err:
        problem = "no module {}".format(err.name)
    if problem:
        raise ConfigurationError("the store's URL cannot be used ({}); it is like "
                                 "postgresql+psycopg2://user@host/name, and its driver must be installed".format(problem))
    wait = {"postgresql": "SET lock_timeout = '10s'", "mysql": "SET innodb_lock_wait_timeout = 10",
            "mariadb": "SET innodb_lock_wait_timeout = 10"}.get(engine.dialect.name)

    @sa.event.listens_for(engine, "connect")
    def connected(connection, _):
        if engine.dialect.name == "sqlite":
            make_durable(connection, 10.0)
        elif wait:
            cursor = connection.cursor()
            cursor.execute(wait)
            cursor.close()
            connection.commit()
    return engine


def _due(now, limit, shops):
    select = sa.select(*_ROW).where(orders.c.due_at <= now, orders.c.lease_until <= now)
    if shops is not None:
        select = select.where(orders.c.shop.in_(list(shops)))
    return _by(select, orders, "mapi_orders_due").order_by(orders.c.due_at, orders.c.id).limit(limit)


def _by(select, table, index):
    """MySQL locks every row that it looks at: so it must not choose another plan."""
    for dialect in ("mysql", "mariadb"):
        select = select.with_hint(table, "FORCE INDEX ({})".format(index), dialect)
    return select


def _one(shop, out_trade_no):
    return sa.select(*_ROW).where(orders.c.shop == shop, orders.c.out_trade_no == out_trade_no)


def _held(pending):
    return sa.update(effects).where(effects.c.id == pending.id, effects.c.lease == pending.lease,
                                    effects.c.due_at.isnot(None))


def _effects(row, decision, now):
    return [{"order_id": row.id, "effect_key": effect_key(row.shop, effect), "kind": effect.kind,
             "detail": plain(effect.detail), "made_at": now, "given_at": now, "due_at": now, "done_at": None,
             "attempts": 0, "lease": "", "last_error": ""} for effect in decision.effects]
