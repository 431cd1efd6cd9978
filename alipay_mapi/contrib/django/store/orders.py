"""The Django store's orders: watching, claiming, settling."""
from operator import itemgetter
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ....errors import StoreError
from ....fallback.deciding import OPEN, Decision
from ....fallback.rows import Row, Watched, changed, checked, possible, row_of, same_or_conflict
from ....fallback.stores.callers import MADE, call, effects_of, settle_all
from ....fallback.stores.contract import Again, Change, Settled, new_lease, not_watched
from ....fallback.stores.moments import EXTEND
from ....fallback.stores.refund_search import BY_REFUND, may_be, only, pattern
from .connection import DjangoConnection
from .models import Trade
from .statements import by_index, execute, insert_new, named, parts, update_each

_NEW = ("shop", "out_trade_no", "price", "watched_at", "deadline", "due_at", "asked_at", "outcome", "facts", "refunds",
        "attempts", "last_error", "lease", "lease_until", "gateway")
_BEGINS = (OPEN, "", "", 0, "", "", 0.0)
_CLAIM = ("UPDATE alipay_mapi_orders SET lease = %s, lease_until = %s, asked_at = %s, attempts = %s, due_at = %s "
          "WHERE id = %s AND lease_until <= %s")
#: What a settlement writes; and in a row whose claim ends, the claim.
_WRITE = ("UPDATE alipay_mapi_orders SET facts = %s, refunds = %s, outcome = %s, due_at = %s, last_error = %s{} "
          "WHERE id = %s")
_WRITE_HELD, _WRITE_FREED = _WRITE.format(""), _WRITE.format(", lease = '', lease_until = 0")
_written = itemgetter(*map(Row._fields.index, "facts refunds outcome due_at last_error id".split()))
_RELEASE = ("UPDATE alipay_mapi_orders SET lease = '', lease_until = 0, attempts = %s, due_at = %s "
            "WHERE id = %s AND lease = %s")
_EXTEND, _EXTENDED = named(EXTEND)
_BY_REFUND, _ = named(BY_REFUND)
_EFFECT = MADE + ("attempts", "lease", "last_error")


class DjangoOrders(DjangoConnection):
    """See ``django_store.DjangoStore``."""

    def watch(self, entries: Iterable[Watched]) -> int:
        rows = checked(entries)

        def work(db):
            now = self._tick(db)
            return sum(self._watch(db, now, part) for part in parts(db, rows))
        return self._transact(work)

    def _watch(self, db, now, rows):
        known = self._compare(db, rows)
        missing: Dict[Tuple[str, str], Tuple] = {}
        for shop, number, price, first_in, closes_in, gateway in rows:
            if (shop, number) not in known:
                first = missing.setdefault((shop, number), (shop, number, price, now, now + closes_in, now + first_in,
                                                            now) + _BEGINS + (gateway,))
                same_or_conflict(number, (first[2], first[-1]), (price, gateway))
        if missing:
            # In one order, so that two who watch the same orders do not wait for each other in a circle.
            insert_new(db, "alipay_mapi_orders", _NEW, [missing[key] for key in sorted(missing)])
            # Somebody may have been faster, with another price or gateway. Inside a block of the caller's, MySQL may
            # show an older state to a SELECT without a lock; those locks are held already.
            self._compare(db, rows, latest=db.vendor == "mysql")
        return len(missing)

    def _compare(self, db, rows, latest=False):
        """Price and gateway of those that are watched already. Raises WatchConflict."""
        seen: Dict[Tuple[str, str], Tuple[str, str]] = {}
        for shop in sorted({row[0] for row in rows}):
            for part in parts(db, [row[1] for row in rows if row[0] == shop], 2):
                found = self._trades().filter(shop=shop, out_trade_no__in=part)
                found = found.select_for_update() if latest else found
                seen.update(((shop, number), (price, gateway)) for number, price, gateway in found.values_list(
                    "out_trade_no", "price", "gateway"))
        for shop, number, price, _, _, gateway in rows:
            if (shop, number) in seen:
                same_or_conflict(number, seen[shop, number], (price, gateway))
        return seen

    def extend(self, entry: Watched) -> bool:
        row, = checked([entry])
        shop, number, _, first_in, closes_in, _ = row

        def work(db):
            now = self._tick(db)
            self._compare(db, [row])
            return update_each(db, _EXTEND, [tuple({
                "first": now + first_in, "last": now + closes_in, "shop": shop, "number": number}[name]
                for name in _EXTENDED)]) == 1
        return self._transact(work)

    def claim(self, worker: str, limit: int, lease: float, again: Again,
              shops: Optional[Sequence[str]] = None) -> List[Row]:
        def work(db):
            now, mine = self._tick(db), new_lease(worker)
            claimed = [row_of(values)._replace(lease=mine, asked_at=now, attempts=values[_ATTEMPTS] + 1)
                       for values in by_index(db, self._locked(db, self._due(now, limit, shops)),
                                              "alipay_mapi_orders_due")]
            until = now + lease
            moments = call(lambda: [max(again(row), until) for row in claimed])
            # The rows are locked. Where a lock does not reach (a cluster of equal servers), the condition does.
            done = update_each(db, _CLAIM, [(mine, until, now, row.attempts, moment, row.id, now)
                                            for row, moment in zip(claimed, moments)])
            if done != len(claimed):
                raise StoreError("another worker was faster; run again", reason="locked")
            return claimed
        return self._transact(work) if limit > 0 and (shops is None or len(shops)) else []

    def settle(self, changes: Sequence[Tuple[Row, Change]]) -> List[Settled]:
        def work(db):
            current = self._current(db, sorted({row.id for row, _ in changes}))
            settled, written, made = settle_all(changes, current, self._now(db))
            self._write(db, written, made)
            return settled
        return self._transact(work)

    def apply(self, shop: str, out_trade_no: str, change: Change) -> Decision:
        return self._transact(lambda db: self._applied(db, self._now(db), shop, out_trade_no, change)[1])

    def _applied(self, db, now, shop, out_trade_no, change):
        """The row as it was, and the decision, which is written."""
        # By hand: for one row, a queryset takes longer than all the rest.
        found = possible(shop, out_trade_no) and execute(
            db, _ONE_LOCKED if db.features.has_select_for_update else _ONE, (shop, out_trade_no))
        values = found[0] if found else None
        # A collation that a database administrator chose may fold what we do not.
        if values is None or values[_NUMBER] != out_trade_no or values[_SHOP] != shop:
            raise not_watched(out_trade_no)
        row = _as_of(now, values)
        decision = call(change, row)
        self._write(db, [changed(row, decision, False)], effects_of(row, decision, now))
        return row, decision

    def release(self, rows: Sequence[Row]) -> None:
        if rows:
            self._transact(lambda db: update_each(
                db, _RELEASE, [(row.attempts - 1, row.due_at, row.id, row.lease) for row in sorted(rows)]))

    def _current(self, db, ids):
        """The rows, locked in the order of ids."""
        now, found = self._now(db), {}  # type: float, Dict[int, Row]
        for part in parts(db, ids):
            select = self._trades().filter(id__in=part).order_by("id").select_for_update()
            for values in by_index(db, select.values_list(*_CURRENT), "PRIMARY"):
                found[values[0]] = _as_of(now, values)
        return found

    def _write(self, db, rows, made):
        update_each(db, _WRITE_FREED, [_written(row) for row in rows if not row.lease])
        update_each(db, _WRITE_HELD, [_written(row) for row in rows if row.lease])
        if made:
            insert_new(db, "alipay_mapi_effects", _EFFECT, [one + (0, "", "") for one in made])

    # --- reading --------------------------------------------------------------------------------------------------

    def due(self, limit: int, shops: Optional[Sequence[str]] = None) -> List[Row]:
        if limit <= 0 or shops is not None and not len(shops):
            return []
        return self._read(lambda db: list(map(row_of, by_index(db, self._due(self._now(db), limit, shops),
                                                               "alipay_mapi_orders_due"))))

    def get(self, shop: str, out_trade_no: str) -> Optional[Row]:
        if not possible(shop, out_trade_no):
            return None
        found = self._read(lambda db: list(self._trades().filter(
            shop=shop, out_trade_no=out_trade_no).values_list(*Row._fields)))
        row = row_of(found[0]) if found else None
        return row if row is not None and (row.shop, row.out_trade_no) == (shop, out_trade_no) else None

    def order_of_refund(self, shop: str, out_return_no: str, gateway: Optional[str] = None) -> Optional[Row]:
        if not may_be(shop, out_return_no):
            return None
        found = self._read(lambda db: execute(db, _BY_REFUND, (shop, pattern(out_return_no))))
        return only(found, out_return_no, gateway)

    def rows(self, after: int = 0, limit: int = 500, outcomes: Optional[Sequence[str]] = None) -> List[Row]:
        found = self._trades().filter(id__gt=after)
        if outcomes is not None:
            found = found.filter(outcome__in=list(outcomes))
        return self._read(lambda db: list(map(row_of, found.order_by("id").values_list(*Row._fields)[:limit])))

    # --- querysets ------------------------------------------------------------------------------------------------

    def _trades(self):
        return Trade.objects.using(self._using)

    def _due(self, now, limit, shops):
        found = self._trades().filter(due_at__lte=now, lease_until__lte=now).order_by("due_at", "id")
        if shops is not None:
            found = found.filter(shop__in=list(shops))
        return found.values_list(*Row._fields)[:limit]

    @staticmethod
    def _locked(db, queryset):
        """Where the database can skip rows that others hold, workers do not wait for each other."""
        return queryset.select_for_update(skip_locked=db.features.has_select_for_update_skip_locked)


_SHOP, _NUMBER, _ATTEMPTS = map(Row._fields.index, ("shop", "out_trade_no", "attempts"))
_CURRENT = Row._fields + ("lease_until",)
_ONE = "SELECT {} FROM alipay_mapi_orders WHERE shop = %s AND out_trade_no = %s".format(", ".join(_CURRENT))
_ONE_LOCKED = _ONE + " FOR UPDATE"


def _as_of(now, values):
    """The row as it is stored, in which an ended claim is nobody's."""
    row = row_of(values[:-1])
    return row if values[-1] > now else row._replace(lease="")
