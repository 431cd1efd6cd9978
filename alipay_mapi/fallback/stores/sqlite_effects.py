"""The SQLite store's effects: handing them out, and recording what became of them."""
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ..deciding import Decision
from ..rows import Pending, plain, possible
from .callers import call, left_open
from .contract import Change, Taken, at_work, new_lease
from .sqlite_orders import SQLiteOrders

#: Of each order the first effect that is not done, if it is due.
PENDING = ("SELECT e.id, e.effect_key, o.shop, o.out_trade_no, o.price, e.kind, e.detail, e.attempts, e.lease "
           "FROM mapi_effects e JOIN mapi_orders o ON o.id = e.order_id WHERE e.due_at <= :now AND NOT EXISTS ("
           "SELECT 1 FROM mapi_effects b WHERE b.order_id = e.order_id AND b.id < e.id AND b.due_at IS NOT NULL){} "
           "ORDER BY e.due_at, e.id LIMIT :limit")
#: The same of one order, and what may follow: two rows at most.
_FIRST = ("SELECT id, effect_key, kind, detail, attempts, due_at FROM mapi_effects WHERE order_id=? "
          "AND due_at IS NOT NULL ORDER BY id LIMIT 2")
_UNDONE = ("SELECT 1 FROM mapi_effects e JOIN mapi_orders o ON o.id = e.order_id WHERE o.shop=? AND o.out_trade_no=? "
           "AND e.due_at IS NOT NULL LIMIT 1")
#: With its key, as the number of an effect that was pruned may be another's by now.
_DONE = ("UPDATE mapi_effects SET done_at=:now, due_at=NULL, lease='', last_error='' "
         "WHERE id=:id AND effect_key=:key AND due_at IS NOT NULL")
_GIVE = "UPDATE mapi_effects SET lease=?, given_at=?, due_at=?, attempts=attempts+1 WHERE id=?"


class SQLiteEffects(SQLiteOrders):
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
            db.executemany(_GIVE, [(mine, now, now + lease, pending.id) for pending in found])
            return [pending._replace(lease=mine, attempts=pending.attempts + 1) for pending in found]
        if only is not None and (not possible(*only) or not self._read(
                lambda db: db.execute(_UNDONE, only).fetchone())):
            return []       # looked at without waiting for writers
        return self._transact(work)

    def take_in(self, shop: str, out_trade_no: str, change: Change, worker: Optional[str] = None, lease: float = 0.0,
                within: Optional[Callable[[Any, Pending], None]] = None,
                beside: Optional[Callable[[Decision], Any]] = None) -> Taken:
        def work(db):
            now = self._clock() if worker is None else self._tick(db)
            row, decision = self._applied(db, now, shop, out_trade_no, change)
            found = [] if worker is None else db.execute(_FIRST, (row.id,)).fetchall()
            if worker is None or not found or found[0][-1] > now:
                return Taken(decision, more=False)
            number, key, kind, detail, attempts, _ = found[0]
            mine, more = new_lease(worker), len(found) > 1
            pending = Pending(number, key, shop, out_trade_no, row.price, kind, detail, attempts + 1, mine)
            db.execute(_GIVE, (mine if within is None else at_work(mine), now, now + lease, number))
            if within is None:
                return Taken(decision, pending, False, more)
            call(within, db, pending)
            left_open(db.in_transaction and self._done_at_work(db, pending))
            return Taken(decision, pending, True, more)
        taken = self._transact(work)
        if beside is not None:
            beside(taken.decision)
        return taken

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        def work(db):
            if within is None:
                return db.execute(_DONE, {"now": self._clock(), "id": pending.id,
                                          "key": pending.key}).rowcount == 1
            if db.execute("UPDATE mapi_effects SET lease=? WHERE id=? AND lease=? AND due_at IS NOT NULL",
                          (at_work(pending.lease), pending.id, pending.lease)).rowcount != 1:
                return False
            call(within, db, pending)
            left_open(db.in_transaction and self._done_at_work(db, pending))
            return True
        return self._transact(work)

    def _done_at_work(self, db, pending):
        return db.execute(_DONE + " AND lease=:mark", {
            "now": self._clock(), "id": pending.id, "key": pending.key,
            "mark": at_work(pending.lease)}).rowcount == 1

    def effects_done(self, pending: Sequence[Pending]) -> None:
        if pending:
            now = self._clock()
            self._transact(lambda db: db.executemany(
                _DONE, [{"now": now, "id": one.id, "key": one.key} for one in pending]))

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
