"""The SQLAlchemy store's orders: watching, claiming, settling."""
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import sqlalchemy as sa

from ...errors import StoreError
from ..deciding import Decision
from ..rows import Row, Watched, changed, checked, possible, row_of, same_or_conflict
from .callers import MADE, call, effects_of, settle_all
from .contract import Again, Change, Settled, new_lease, not_watched
from .moments import EXTEND
from .refund_search import BY_REFUND, may_be, only, pattern
from .sql_connection import SQLConnection
from .sql_schema import effects, orders
from .sql_write import insert_new, update_rows

_ROW = [orders.c[name] for name in Row._fields]
_BATCH = 500
_EXTEND, _BY_REFUND = sa.text(EXTEND), sa.text(BY_REFUND)
_CLAIM = ("lease = :mine", "lease_until = :until", "asked_at = :now")
_WRITTEN = ("facts", "refunds", "outcome", "due_at", "last_error", "lease")
_FREED = ("lease_until = CASE WHEN v.lease = '' THEN 0 ELSE o.lease_until END",)


class SQLOrders(SQLConnection):
    """See ``sql.SQLAlchemyStore``."""

    def watch(self, entries: Iterable[Watched]) -> int:
        rows = checked(entries)

        def work(db):
            now = self._tick(db)
            return sum(self._watch(db, now, rows[at:at + _BATCH]) for at in range(0, len(rows), _BATCH))
        return self._transact(work)

    def _watch(self, db, now, rows):
        known = _compare(db, rows)
        missing: Dict[Tuple[str, str], Any] = {}
        for shop, number, price, first_in, closes_in, gateway in rows:
            if (shop, number) in known:
                continue
            first = missing.setdefault((shop, number), {
                "shop": shop, "out_trade_no": number, "price": price, "facts": "", "refunds": "", "outcome": "open",
                "watched_at": now, "deadline": now + closes_in, "due_at": now + first_in, "asked_at": now,
                "attempts": 0, "last_error": "", "lease": "", "lease_until": 0.0, "gateway": gateway})
            same_or_conflict(number, (first["price"], first["gateway"]), (price, gateway))
        if missing:
            # In one order, so that two who watch the same orders do not wait for each other in a circle.
            insert_new(db, self._kind, orders, [missing[key] for key in sorted(missing)])
            _compare(db, rows)      # somebody may have been faster, with another price or gateway
        return len(missing)

    def extend(self, entry: Watched) -> bool:
        row, = checked([entry])
        shop, number, _, first_in, closes_in, _ = row

        def work(db):
            now = self._tick(db)
            _compare(db, [row])
            return db.execute(_EXTEND, {"first": now + first_in, "last": now + closes_in, "shop": shop,
                                        "number": number}).rowcount == 1
        return self._transact(work)

    def claim(self, worker: str, limit: int, lease: float, again: Again,
              shops: Optional[Sequence[str]] = None) -> List[Row]:
        def work(db):
            now, mine = self._tick(db), new_lease(worker)
            found = db.execute(self._locked(_due(now, limit, shops))).fetchall()
            claimed = [row._replace(lease=mine, asked_at=now, attempts=row.attempts + 1)
                       for row in map(row_of, found)]
            moments = call(lambda: [max(again(row), now + lease) for row in claimed])
            # The rows are locked. Where a lock does not reach (a cluster of equal servers), the condition does.
            done = update_rows(db, self._kind, "mapi_orders", ("attempts", "due_at"), [
                {"id": row.id, "attempts": row.attempts, "due_at": moment} for row, moment in zip(claimed, moments)],
                _CLAIM, "o.lease_until <= :now", {"now": now, "mine": mine, "until": now + lease})
            if done != len(claimed):
                raise StoreError("another worker was faster; run again", reason="locked")
            return claimed
        return self._transact(work)

    def _locked(self, select):
        return select.with_for_update(skip_locked=self._kind.skips)

    def settle(self, changes: Sequence[Tuple[Row, Change]]) -> List[Settled]:
        def work(db):
            current = _locked_rows(db, sorted({row.id for row, _ in changes}), self._now(db))
            settled, written, made = settle_all(changes, current, self._now(db))
            self._write(db, written, made)
            return settled
        return self._transact(work)

    def apply(self, shop: str, out_trade_no: str, change: Change) -> Decision:
        def work(db):
            now = self._now(db)
            found = db.execute(_one(_current(now), shop, out_trade_no).with_for_update()).fetchone()
            if found is None or found[2] != out_trade_no:
                raise not_watched(out_trade_no)
            row = row_of(found)
            decision = call(change, row)
            self._write(db, [changed(row, decision, False)], effects_of(row, decision, now))
            return decision
        if not possible(shop, out_trade_no):
            raise not_watched(out_trade_no)
        return self._transact(work)

    def _write(self, db, rows, made):
        update_rows(db, self._kind, "mapi_orders", _WRITTEN, [row._asdict() for row in rows], _FREED)
        insert_new(db, self._kind, effects, [
            dict(zip(MADE, one), done_at=None, attempts=0, lease="", last_error="") for one in made])

    def release(self, rows: Sequence[Row]) -> None:
        if rows:
            self._transact(lambda db: update_rows(db, self._kind, "mapi_orders", ("attempts", "due_at", "_was"), [
                {"id": row.id, "attempts": row.attempts - 1, "due_at": row.due_at, "_was": row.lease}
                for row in sorted(rows)], ["lease = ''", "lease_until = 0"], "o.lease = v._was"))

    # --- reading --------------------------------------------------------------------------------------------------

    def due(self, limit: int, shops: Optional[Sequence[str]] = None) -> List[Row]:
        return self._read(lambda db: list(map(row_of, db.execute(_due(self._now(db), limit, shops)))))

    def get(self, shop: str, out_trade_no: str) -> Optional[Row]:
        if not possible(shop, out_trade_no):
            return None
        found = self._read(lambda db: db.execute(_one(sa.select(*_ROW), shop, out_trade_no)).fetchone())
        row = row_of(found) if found else None
        return row if row is not None and row.out_trade_no == out_trade_no else None

    def order_of_refund(self, shop: str, out_return_no: str, gateway: Optional[str] = None) -> Optional[Row]:
        if not may_be(shop, out_return_no):
            return None
        return self._read(lambda db: only(db.execute(
            _BY_REFUND, {"shop": shop, "pattern": pattern(out_return_no)}), out_return_no, gateway))

    def rows(self, after: int = 0, limit: int = 500, outcomes: Optional[Sequence[str]] = None) -> List[Row]:
        select = sa.select(*_ROW).where(orders.c.id > after).order_by(orders.c.id).limit(limit)
        if outcomes is not None:
            select = select.where(orders.c.outcome.in_(list(outcomes)))
        return self._read(lambda db: list(map(row_of, db.execute(select))))


def by_index(select: Any, table: Any, index: str) -> Any:
    """MySQL locks every row that it looks at: so it must not choose another plan."""
    for dialect in ("mysql", "mariadb"):
        select = select.with_hint(table, "FORCE INDEX ({})".format(index), dialect)
    return select


def _due(now, limit, shops):
    select = sa.select(*_ROW).where(orders.c.due_at <= now, orders.c.lease_until <= now)
    if shops is not None:
        select = select.where(orders.c.shop.in_(list(shops)))
    return by_index(select, orders, "mapi_orders_due").order_by(orders.c.due_at, orders.c.id).limit(limit)


def _current(now):
    """Rows in which an ended claim is nobody's."""
    lease = sa.case((orders.c.lease_until > now, orders.c.lease), else_="").label("lease")
    return sa.select(*[lease if column is orders.c.lease else column for column in _ROW])


def _one(select, shop, out_trade_no):
    return select.where(orders.c.shop == shop, orders.c.out_trade_no == out_trade_no)


def _locked_rows(db, ids, now):
    found: Dict[int, Row] = {}
    for at in range(0, len(ids), _BATCH):
        select = _current(now).where(orders.c.id.in_(ids[at:at + _BATCH])).order_by(orders.c.id)
        found.update((row[0], row_of(row)) for row in db.execute(
            by_index(select, orders, "PRIMARY").with_for_update()))
    return found


def _compare(db, rows):
    """Price and gateway of those that are watched already. Raises WatchConflict."""
    known: Dict[Tuple[str, str], Tuple[str, str]] = {}
    for shop in {row[0] for row in rows}:
        numbers = [row[1] for row in rows if row[0] == shop]
        found = sa.select(orders.c.out_trade_no, orders.c.price, orders.c.gateway).where(
            orders.c.shop == shop, orders.c.out_trade_no.in_(numbers))
        known.update(((shop, number), (price, gateway)) for number, price, gateway in db.execute(found))
    for shop, number, price, _, _, gateway in rows:
        if (shop, number) in known:
            same_or_conflict(number, known[shop, number], (price, gateway))
    return known
