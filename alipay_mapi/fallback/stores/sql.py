"""The store for several machines: PostgreSQL, MySQL or MariaDB (and SQLite) through SQLAlchemy 1.4 to 2.x.

Isolation: READ COMMITTED, and every row that is changed is locked first, in the order of ids; on SQLite, BEGIN
IMMEDIATE. Where the database can skip rows that others hold (PostgreSQL 9.5, MySQL 8.0, MariaDB 10.6) workers do not
wait for each other to claim; elsewhere they do. The clock is the database's.
"""
from typing import Any, Dict, Optional, Tuple

import sqlalchemy as sa

from ..deciding import GAVE_UP, OPEN
from ..rows import may_name
from .contract import Failing
from .moments import reserve
from .sql_effects import SQLEffects
from .sql_orders import by_index
from .sql_schema import effects, moments, orders
from .sql_write import insert_new

_COUNT = sa.func.count()


class SQLAlchemyStore(SQLEffects):
    """``where``: a URL of SQLAlchemy, or an Engine that is already there. ``clock``: in place of the database's (for
    tests). ``migrate``: bring an older store up to this version. Raises StoreError, SchemaError, ConfigurationError."""

    def slots(self, name: str, count: int, per_second: float, ahead: float) -> Tuple[int, float]:
        name = "rate " + name

        def work(db):
            now, one = self._tick(db), moments.c.name == name
            taken = db.execute(sa.select(moments.c.moment).where(one).with_for_update()).scalar()
            if taken is None:
                insert_new(db, self._kind, moments, [{"name": name, "moment": 0.0}])
                taken = db.execute(sa.select(moments.c.moment).where(one).with_for_update()).scalar()
            free, first, taken = reserve(taken, now, count, per_second, ahead)
            if free:
                db.execute(sa.update(moments).where(one).values(moment=taken))
            return free, first
        return self._transact(work)

    def counts(self) -> Dict[str, Any]:
        o, e = orders.c, effects.c
        undone = [by_index(sa.select(what).where(e.due_at.isnot(None)), effects, "mapi_effects_due")
                  for what in (_COUNT, sa.func.min(e.made_at))]
        latest = sa.select(o.shop, o.out_trade_no, o.last_error).limit(20)
        failing = sa.select(o.shop, o.out_trade_no, e.kind, e.attempts, e.last_error).where(
            e.last_error != "", e.order_id == o.id).order_by(e.given_at.desc(), e.id.desc()).limit(20)

        def work(db):
            def one(select):
                return db.execute(select).scalar()

            now = self._now(db)
            oldest, made = one(sa.select(sa.func.min(o.due_at)).where(o.due_at.isnot(None))), one(undone[1])
            outcomes = {row[0]: row[1] for row in db.execute(sa.select(o.outcome, _COUNT).group_by(o.outcome))}
            return {
                "watched": sum(outcomes.values()), "outcomes": outcomes,
                "due": one(sa.select(_COUNT).where(o.due_at <= now)),
                "oldest_due": 0.0 if oldest is None else max(0.0, now - oldest),
                "leased": one(sa.select(_COUNT).where(o.lease_until > now)),
                "effects": one(undone[0]),
                "oldest_effect": 0.0 if made is None else max(0.0, now - made),
                "failures": one(sa.select(_COUNT).where(e.last_error != "")),
                "failing": [Failing._make(row) for row in db.execute(failing)],
                "gave_up": list(map(tuple, db.execute(latest.where(o.outcome == GAVE_UP).order_by(o.id.desc())))),
                "errors": list(map(tuple, db.execute(latest.where(o.last_error != "").order_by(
                    o.asked_at.desc(), o.id.desc())))),
            }
        return self._read(work)

    def reopen(self, shop: Optional[str] = None, out_trade_no: Optional[str] = None) -> int:
        if not may_name(shop, out_trade_no):
            return 0
        which = sa.update(orders)
        if shop is not None:
            which = which.where(orders.c.shop == shop)
        which = which.where(orders.c.outcome == GAVE_UP if out_trade_no is None
                            else orders.c.out_trade_no == out_trade_no)
        return self._transact(lambda db: db.execute(which.values(outcome=OPEN, due_at=self._now(db))).rowcount)

    def prune(self, settled_before: float, limit: int) -> int:
        def work(db):
            now = self._tick(db)
            # First without a lock, as most databases lock what they look at; then those few, and looked at again.
            ids = _ids(db, _pruned(now, settled_before).order_by(orders.c.id).limit(limit))
            ids = _ids(db, self._locked(by_index(_pruned(now, settled_before).where(orders.c.id.in_(ids)).order_by(
                orders.c.id), orders, "PRIMARY")))
            db.execute(sa.delete(effects).where(effects.c.order_id.in_(ids)))
            return db.execute(sa.delete(orders).where(orders.c.id.in_(ids))).rowcount if ids else 0
        return self._transact(work)


def _pruned(now, settled_before):
    o, e = orders.c, effects.c
    needed = sa.exists(sa.select(e.id).where(e.order_id == o.id, sa.or_(e.due_at.isnot(None),
                                                                        e.done_at > now - settled_before)))
    return sa.select(o.id).where(o.due_at.is_(None), o.outcome != OPEN, o.lease_until <= now,
                                 o.asked_at <= now - settled_before, ~needed)


def _ids(db, select):
    return [row[0] for row in db.execute(select)]
