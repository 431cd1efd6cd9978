"""The Django store's effects: handing them out, and recording what became of them."""
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from django.db import Error, connections
from django.db.models import Exists, OuterRef

from ....errors import StoreError
from ....fallback.deciding import Decision
from ....fallback.rows import Pending, plain, possible
from ....fallback.stores.callers import call, left_open
from ....fallback.stores.contract import Change, Taken, at_work, new_lease
from .connection import AGAIN
from .models import Effect
from .orders import DjangoOrders
from .problems import has_ended
from .statements import by_index, execute, parts, update_each

_GIVE = ("UPDATE alipay_mapi_effects SET lease = %s, given_at = %s, due_at = %s, attempts = %s "
         "WHERE id = %s AND due_at <= %s")
_RELEASE = ("UPDATE alipay_mapi_effects SET lease = '', given_at = %s, due_at = %s, attempts = %s "
            "WHERE id = %s AND lease = %s AND due_at IS NOT NULL")
_DONE = {"due_at": None, "lease": "", "last_error": ""}


#: Of one order the first effect that is not done, if it is due, and what may follow: two rows at most.
_FIRST = ("SELECT id, effect_key, kind, detail, attempts, due_at FROM alipay_mapi_effects WHERE order_id = %s "
          "AND due_at IS NOT NULL ORDER BY id LIMIT 2")
_UNDONE = ("SELECT 1 FROM alipay_mapi_effects e JOIN alipay_mapi_orders o ON o.id = e.order_id WHERE o.shop = %s "
           "AND o.out_trade_no = %s AND e.due_at IS NOT NULL LIMIT 1")
_DONE_AT_WORK = ("UPDATE alipay_mapi_effects SET due_at = NULL, lease = '', last_error = '', done_at = %s "
                 "WHERE id = %s AND lease = %s AND due_at IS NOT NULL")


class DjangoEffects(DjangoOrders):
    """See ``django_store.DjangoStore``."""

    def take_in(self, shop: str, out_trade_no: str, change: Change, worker: Optional[str] = None, lease: float = 0.0,
                within: Optional[Callable[[Any, Pending], None]] = None,
                beside: Optional[Callable[[Decision], Any]] = None) -> Taken:
        vendor = connections[self._using].vendor
        # On a server a handler does not hold the order's row as well; what an older snapshot of MySQL's hides is not
        # passed over.
        carries_out, hands_out = within if vendor == "sqlite" else None, worker if vendor != "mysql" else None

        def work(db):
            now = self._now(db) if hands_out is None else self._tick(db)
            row, decision = self._applied(db, now, shop, out_trade_no, change)
            if beside is not None:
                call(beside, decision)
            if hands_out is None:
                return Taken(decision)
            return self._first(db, now, row, decision, hands_out, lease, carries_out)
        # The shop's code is not called twice behind its back.
        taken = self._transact(work, AGAIN if carries_out is None else 1)
        if worker is None or hands_out is not None:
            return taken
        found = self.effects(worker, 1, lease, (shop, out_trade_no))
        return taken._replace(pending=found[0] if found else None)

    def _first(self, db, now, row, decision, worker, lease, within):
        # Whoever makes effects of this order holds its row, so none is missing here.
        found = execute(db, _FIRST, (row.id,))
        mine, more = new_lease(worker), len(found) > 1
        if not found or found[0][-1] > now:
            return Taken(decision, more=False)
        number, key, kind, detail, attempts, _ = found[0]
        if update_each(db, _GIVE, [(mine if within is None else at_work(mine), now, now + lease, attempts + 1, number,
                                    now)]) != 1:
            return Taken(decision, more=False)      # another worker was faster
        pending = Pending(number, key, row.shop, row.out_trade_no, row.price, kind, detail, attempts + 1, mine)
        if within is not None:
            left_open(_carried_out(db, within, pending) and self._done_at_work(db, pending))
        return Taken(decision, pending, within is not None, more)

    def _done_at_work(self, db, pending):
        return update_each(db, _DONE_AT_WORK, [(self._now(db), pending.id, at_work(pending.lease))]) == 1

    def effects(self, worker: str, limit: int, lease: float, only: Optional[Tuple[str, str]] = None,
                shops: Optional[Sequence[str]] = None) -> List[Pending]:
        def work(db):
            now, mine = self._tick(db), new_lease(worker)
            found = by_index(db, self._locked(db, self._ready(now, limit, only, shops)), "alipay_mapi_effects_due")
            # The condition again, for a database whose locks do not reach.
            done = update_each(db, _GIVE, [(mine, now, now + lease, one[-1] + 1, one[0], now) for one in found])
            if done != len(found):
                raise StoreError("another worker was faster; run again", reason="locked")
            orders: Dict[int, Tuple[str, str, str]] = {}
            for part in parts(db, sorted({one[1] for one in found})):
                orders.update((values[0], values[1:]) for values in self._trades().filter(id__in=part).values_list(
                    "id", "shop", "out_trade_no", "price"))
            return [Pending(number, key, *orders[order], kind=kind, detail=detail, attempts=attempts + 1, lease=mine)
                    for number, order, key, kind, detail, attempts in found]
        if only is not None and possible(*only) and not self._read(lambda db: execute(db, _UNDONE, only)):
            return []       # looked at without waiting for writers
        nothing = limit <= 0 or only is not None and not possible(*only) or shops is not None and not len(shops)
        return [] if nothing else self._transact(work)

    def _ready(self, now, limit, only, shops):
        """Of each order the first effect that is not done, if it is due."""
        before = self._effects().filter(trade_id=OuterRef("trade_id"), id__lt=OuterRef("id"), due_at__isnull=False)
        ready = self._effects().filter(due_at__lte=now).annotate(waits=Exists(before)).filter(waits=False)
        if only is not None:
            ready = ready.filter(trade_id__in=self._trades().filter(shop=only[0], out_trade_no=only[1]).values("id"))
        if shops is not None:
            theirs = self._trades().filter(id=OuterRef("trade_id"), shop__in=list(shops))
            ready = ready.annotate(ours=Exists(theirs)).filter(ours=True)
        return ready.order_by("due_at", "id").values_list("id", "trade_id", "effect_key", "kind", "detail",
                                                          "attempts")[:limit]

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        def work(db):
            mine = self._effects().filter(id=pending.id, effect_key=pending.key, due_at__isnull=False)
            if within is None:
                return mine.update(done_at=self._now(db), **_DONE) == 1
            if mine.filter(lease=pending.lease).update(lease=at_work(pending.lease)) != 1:
                return False
            left_open(_carried_out(db, within, pending) and self._done_at_work(db, pending))
            return True
        # The shop's code is not called twice behind its back.
        return self._transact(work, AGAIN if within is None else 1)

    def effects_done(self, pending: Sequence[Pending]) -> None:
        def work(db):
            now, ids = self._now(db), sorted((one.id, one.key) for one in pending)
            for part in parts(db, ids, 4):
                # Locked in the order of ids, as everywhere. With their keys, as the number of an effect that was pruned
                # may be another's by now.
                found = self._effects().filter(id__in=[one[0] for one in part], effect_key__in=[one[1] for one in part])
                if db.features.has_select_for_update and len(part) > 1:
                    by_index(db, found.order_by("id").select_for_update().values_list("id"), "PRIMARY")
                found.filter(due_at__isnull=False).update(done_at=now, **_DONE)
        if pending:
            self._transact(work)

    def effect_failed(self, pending: Pending, error: str, again_in: float) -> None:
        def work(db):
            now = self._now(db)
            update_each(db, "UPDATE alipay_mapi_effects SET lease = '', given_at = %s, due_at = %s, last_error = %s "
                            "WHERE id = %s AND lease IN (%s, %s) AND due_at IS NOT NULL",
                        [(now, now + again_in, plain(error, 400), pending.id, pending.lease, at_work(pending.lease))])
        self._transact(work)

    def release_effects(self, pending: Sequence[Pending]) -> None:
        def work(db):
            now = self._now(db)
            update_each(db, _RELEASE, [(now, now, one.attempts - 1, one.id, one.lease) for one in sorted(pending)])
        if pending:
            self._transact(work)

    def _effects(self):
        return Effect.objects.using(self._using)


def _carried_out(db, within, pending):
    """The shop's code, behind a savepoint. That is gone when the transaction has ended; and it cannot be let go when
    the database will only undo it, since the shop's code went on after an error. Is all well?"""
    begun = db.savepoint()
    call(within, db, pending)
    if not db.in_atomic_block or db.needs_rollback:
        return False
    try:
        db.savepoint_commit(begun)
    except Error as err:
        if not has_ended(err):
            raise
        return False
    return True
