"""The SQLAlchemy store's effects: handing them out, and recording what became of them."""
from typing import Any, Callable, List, Optional, Sequence, Tuple

import sqlalchemy as sa

from ..rows import Pending, plain, possible
from .callers import call, left_open
from .contract import at_work, new_lease
from .sql_connection import AGAIN
from .sql_orders import SQLOrders, by_index
from .sql_schema import effects, orders


class SQLEffects(SQLOrders):
    """See ``sql.SQLAlchemyStore``."""

    def effects(self, worker: str, limit: int, lease: float, only: Optional[Tuple[str, str]] = None,
                shops: Optional[Sequence[str]] = None) -> List[Pending]:
        def work(db):
            now, mine, before = self._tick(db), new_lease(worker), effects.alias("b")
            ready = sa.select(effects.c.id).where(effects.c.due_at <= now, ~sa.exists(sa.select(before.c.id).where(
                before.c.order_id == effects.c.order_id, before.c.id < effects.c.id, before.c.due_at.isnot(None))))
            if only is not None:
                ready = ready.where(effects.c.order_id.in_(sa.select(orders.c.id).where(
                    orders.c.shop == only[0], orders.c.out_trade_no == only[1])))
            if shops is not None:
                ready = ready.where(sa.exists(sa.select(orders.c.id).where(
                    orders.c.id == effects.c.order_id, orders.c.shop.in_(list(shops)))))
            ids = [row[0] for row in db.execute(self._locked(
                by_index(ready, effects, "mapi_effects_due").order_by(effects.c.due_at, effects.c.id).limit(limit)))]
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
        return self._transact(work) if only is None or possible(*only) else []

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        def work(db):
            def one(lease=None):
                mine = sa.update(effects).where(effects.c.id == pending.id, effects.c.effect_key == pending.key,
                                                effects.c.due_at.isnot(None))
                return mine if lease is None else mine.where(effects.c.lease == lease)

            done = {"done_at": self._now(db), "due_at": None, "lease": "", "last_error": ""}
            if within is None:
                return db.execute(one().values(**done)).rowcount == 1
            mark = at_work(pending.lease)
            if db.execute(one(pending.lease).values(lease=mark)).rowcount != 1:
                return False
            begun = db.get_transaction()
            call(within, db, pending)
            left_open(begun is None or begun.is_active and db.get_transaction() is begun)
            left_open(db.execute(one(mark).values(**done)).rowcount == 1)
            return True
        # The shop's code is not called twice behind its back.
        return self._transact(work, AGAIN if within is None else 1)

    def effects_done(self, pending: Sequence[Pending]) -> None:
        def work(db):
            # Locked in the order of ids, as everywhere.
            ids, keys = sorted(one.id for one in pending), [one.key for one in pending]
            db.execute(by_index(sa.select(effects.c.id).where(effects.c.id.in_(ids)), effects, "PRIMARY")
                       .order_by(effects.c.id).with_for_update())
            # With their keys, as the number of an effect that was pruned may be another's by now.
            db.execute(sa.update(effects).where(effects.c.id.in_(ids), effects.c.effect_key.in_(keys),
                                                effects.c.due_at.isnot(None)).values(
                done_at=self._now(db), due_at=None, lease="", last_error=""))
        if pending:
            self._transact(work)

    def effect_failed(self, pending: Pending, error: str, again_in: float) -> None:
        def work(db):
            now = self._now(db)
            db.execute(_held(pending, at_work(pending.lease)).values(lease="", given_at=now, due_at=now + again_in,
                                             last_error=plain(error, 400)))
        self._transact(work)

    def release_effects(self, pending: Sequence[Pending]) -> None:
        def work(db):
            now = self._now(db)
            for one in sorted(pending):
                db.execute(_held(one).values(lease="", given_at=now, due_at=now, attempts=effects.c.attempts - 1))
        if pending:
            self._transact(work)


def _held(pending, *marks):
    return sa.update(effects).where(effects.c.id == pending.id, effects.c.lease.in_((pending.lease,) + marks),
                                    effects.c.due_at.isnot(None))
