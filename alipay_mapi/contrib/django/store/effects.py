"""The Django store's effects: handing them out, and recording what became of them."""
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from django.db import Error
from django.db.models import Exists, OuterRef

from ....errors import StoreError
from ....fallback.rows import Pending, plain, possible
from ....fallback.stores.callers import call, left_open
from ....fallback.stores.contract import at_work, new_lease
from .connection import AGAIN
from .models import Effect
from .orders import DjangoOrders
from .problems import has_ended
from .statements import by_index, parts, update_each

_GIVE = ("UPDATE alipay_mapi_effects SET lease = %s, given_at = %s, due_at = %s, attempts = %s "
         "WHERE id = %s AND due_at <= %s")
_RELEASE = ("UPDATE alipay_mapi_effects SET lease = '', given_at = %s, due_at = %s, attempts = %s "
            "WHERE id = %s AND lease = %s AND due_at IS NOT NULL")
_DONE = {"due_at": None, "lease": "", "last_error": ""}


class DjangoEffects(DjangoOrders):
    """See ``django_store.DjangoStore``."""

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
            mine = self._effects().filter(id=pending.id, due_at__isnull=False)
            done = dict(_DONE, done_at=self._now(db))
            if within is None:
                return mine.update(**done) == 1
            mark = at_work(pending.lease)
            if mine.filter(lease=pending.lease).update(lease=mark) != 1:
                return False
            left_open(_carried_out(db, within, pending) and mine.filter(lease=mark).update(**done) == 1)
            return True
        # The shop's code is not called twice behind its back.
        return self._transact(work, AGAIN if within is None else 1)

    def effects_done(self, pending: Sequence[Pending]) -> None:
        def work(db):
            now, ids = self._now(db), sorted(one.id for one in pending)
            for part in parts(db, ids, 2):
                # Locked in the order of ids, as everywhere.
                found = self._effects().filter(id__in=part)
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
