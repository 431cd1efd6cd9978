"""The SQLite store's effects: handing them out, and recording what became of them."""
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ..rows import Pending, plain, possible
from .callers import call, left_open
from .contract import at_work, new_lease
from .sqlite_file import SQLiteFile

#: Of each order the first effect that is not done, if it is due.
PENDING = ("SELECT e.id, e.effect_key, o.shop, o.out_trade_no, o.price, e.kind, e.detail, e.attempts, e.lease "
           "FROM mapi_effects e JOIN mapi_orders o ON o.id = e.order_id WHERE e.due_at <= :now AND NOT EXISTS ("
           "SELECT 1 FROM mapi_effects b WHERE b.order_id = e.order_id AND b.id < e.id AND b.due_at IS NOT NULL){} "
           "ORDER BY e.due_at, e.id LIMIT :limit")
_DONE = ("UPDATE mapi_effects SET done_at=:now, due_at=NULL, lease='', last_error='' "
         "WHERE id=:id AND due_at IS NOT NULL{}")


class SQLiteEffects(SQLiteFile):
    """See ``sqlite.SQLiteStore``."""

    def effects(self, worker: str, limit: int, lease: float, only: Optional[Tuple[str, str]] = None,
                shops: Optional[Sequence[str]] = None) -> List[Pending]:
        def work(db):
            now, mine = self._tick(db), new_lease(worker)
            values: Dict[str, Any] = {"now": now, "limit": limit}
            where = ""
            if only is not None:
                where = " AND o.shop = :shop AND o.out_trade_no = :number"
                values.update(shop=only[0], number=only[1])
            if shops is not None:
                where += " AND o.shop IN ({})".format(",".join(":shop{}".format(at) for at in range(len(shops))))
                values.update({"shop{}".format(at): shop for at, shop in enumerate(shops)})
            found = [Pending._make(row) for row in db.execute(PENDING.format(where), values)]
            db.executemany("UPDATE mapi_effects SET lease=?, given_at=?, due_at=?, attempts=attempts+1 WHERE id=?",
                           [(mine, now, now + lease, pending.id) for pending in found])
            return [pending._replace(lease=mine, attempts=pending.attempts + 1) for pending in found]
        return self._transact(work) if only is None or possible(*only) else []

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        def work(db):
            values = {"now": self._clock(), "id": pending.id, "lease": pending.lease, "mark": at_work(pending.lease)}
            if within is None:
                return db.execute(_DONE.format(""), values).rowcount == 1
            if db.execute("UPDATE mapi_effects SET lease=:mark WHERE id=:id AND lease=:lease AND due_at IS NOT NULL",
                          values).rowcount != 1:
                return False
            call(within, db, pending)
            left_open(db.in_transaction and db.execute(_DONE.format(" AND lease=:mark"), values).rowcount == 1)
            return True
        return self._transact(work)

    def effects_done(self, pending: Sequence[Pending]) -> None:
        if pending:
            now = self._clock()
            self._transact(lambda db: db.executemany(_DONE.format(""), [{"now": now, "id": one.id} for one in pending]))

    def effect_failed(self, pending: Pending, error: str, again_in: float) -> None:
        def work(db):
            now = self._clock()
            db.execute("UPDATE mapi_effects SET lease='', given_at=?, due_at=?, last_error=? "
                       "WHERE id=? AND lease IN (?, ?) AND due_at IS NOT NULL",
                       (now, now + again_in, plain(error, 400), pending.id, pending.lease, at_work(pending.lease)))
        self._transact(work)

    def release_effects(self, pending: Sequence[Pending]) -> None:
        if pending:
            now = self._clock()
            self._transact(lambda db: db.executemany(
                "UPDATE mapi_effects SET lease='', given_at=?, due_at=?, attempts=? "
                "WHERE id=? AND lease=? AND due_at IS NOT NULL",
                [(now, now, one.attempts - 1, one.id, one.lease) for one in pending]))
