"""The store in the shop's own database, on Django's own connection: SQLite, PostgreSQL, MySQL or MariaDB."""
from typing import Any, Dict, Optional, Tuple

from django.db.models import Count, Exists, Min, OuterRef, Q

from ....fallback.deciding import GAVE_UP, OPEN
from ....fallback.rows import may_name
from ....fallback.stores.contract import Failing
from ....fallback.stores.moments import reserve
from .effects import DjangoEffects
from .models import Moment
from .statements import by_index, execute, insert_new, parts

_LATEST = 20


class DjangoStore(DjangoEffects):
    """``using``: which of ``settings.DATABASES``. ``clock``: UTC seconds, in place of the database's own (the host's
    on SQLite; for tests). Raises ConfigurationError; connects to nothing until it is asked something.

    Inside an ``atomic`` block every method is a part of it: an order that is watched beside the shop's own row is kept
    or undone with it. ``effect_done(…, within=…)`` calls with Django's connection, and what the shop's code writes
    there, by models or by cursor, is kept with the record or not at all.
    """

    def slots(self, name: str, count: int, per_second: float, ahead: float) -> Tuple[int, float]:
        name = "rate " + name

        def work(db):
            now, one = self._tick(db), Moment.objects.using(self._using).filter(name=name)
            taken = one.select_for_update().values_list("moment", flat=True)
            if not taken:
                insert_new(db, "alipay_mapi_moments", ("name", "moment"), [(name, 0.0)])
                taken = taken.all()
            free, first, after = reserve(taken[0], now, count, per_second, ahead)
            if free:
                one.update(moment=after)
            return free, first
        return self._transact(work)

    def counts(self) -> Dict[str, Any]:
        orders, effects = self._trades(), self._effects()
        failing = effects.filter(last_error__gt="").order_by("-given_at", "-id").values_list(
            "trade__shop", "trade__out_trade_no", "kind", "attempts", "last_error")[:_LATEST]
        latest = orders.values_list("shop", "out_trade_no", "last_error")

        def work(db):
            now = self._now(db)
            outcomes = dict(orders.values_list("outcome").annotate(orders=Count("id")).order_by())
            oldest = orders.filter(due_at__isnull=False).aggregate(oldest=Min("due_at"))["oldest"]
            undone = effects.filter(due_at__isnull=False).aggregate(effects=Count("id"), oldest=Min("made_at"))
            made = undone["oldest"]
            return {
                "watched": sum(outcomes.values()), "outcomes": outcomes,
                "due": orders.filter(due_at__lte=now).count(),
                "oldest_due": 0.0 if oldest is None else max(0.0, now - oldest),
                "leased": orders.filter(lease_until__gt=now).count(),
                "effects": undone["effects"],
                "oldest_effect": 0.0 if made is None else max(0.0, now - made),
                "failures": effects.filter(last_error__gt="").count(),
                "failing": [Failing._make(row) for row in failing.all()],
                "gave_up": list(latest.filter(outcome=GAVE_UP).order_by("-id")[:_LATEST]),
                "errors": list(latest.filter(last_error__gt="").order_by("-asked_at", "-id")[:_LATEST]),
            }
        return self._read(work, at_once=True)

    def reopen(self, shop: Optional[str] = None, out_trade_no: Optional[str] = None) -> int:
        if not may_name(shop, out_trade_no):
            return 0
        which = self._trades() if shop is None else self._trades().filter(shop=shop)
        which = which.filter(outcome=GAVE_UP) if out_trade_no is None else which.filter(out_trade_no=out_trade_no)
        return self._transact(lambda db: which.update(outcome=OPEN, due_at=self._now(db)))

    def prune(self, settled_before: float, limit: int) -> int:
        def work(db):
            now = self._tick(db)
            settled = self._pruned(now, settled_before).order_by("id").values_list("id", flat=True)
            # First without a lock, as most databases lock what they look at; then those few, and looked at again.
            ids = [number for part in parts(db, list(settled[:limit]), 2)
                   for number, in by_index(db, self._locked(db, settled.filter(id__in=part)), "PRIMARY")]
            for part in parts(db, ids):
                marks = ", ".join(["%s"] * len(part))
                execute(db, "DELETE FROM alipay_mapi_evidence WHERE EXISTS (SELECT 1 FROM alipay_mapi_orders o WHERE "
                            "o.shop = alipay_mapi_evidence.shop AND o.out_trade_no = alipay_mapi_evidence.out_trade_no "
                            "AND o.id IN ({}))".format(marks), part)
                execute(db, "DELETE FROM alipay_mapi_effects WHERE order_id IN ({})".format(marks), part)
                execute(db, "DELETE FROM alipay_mapi_orders WHERE id IN ({})".format(marks), part)
            return len(ids)
        return self._transact(work)

    def _pruned(self, now, settled_before):
        """What nobody needs any more."""
        needed = self._effects().filter(Q(due_at__isnull=False) | Q(done_at__gt=now - settled_before),
                                        trade_id=OuterRef("id"))
        return self._trades().filter(due_at__isnull=True, lease_until__lte=now, asked_at__lte=now - settled_before)\
            .exclude(outcome=OPEN).annotate(needed=Exists(needed)).filter(needed=False)
