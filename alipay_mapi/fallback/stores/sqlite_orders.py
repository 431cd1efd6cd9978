"""The SQLite store's orders: watching, claiming, settling."""
from operator import itemgetter
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ..deciding import Decision
from ..rows import ROW, Row, Watched, changed, checked, possible, row_of, same_or_conflict
from .callers import call, effects_of, settle_all
from .contract import Again, Change, Settled, new_lease, not_watched
from .moments import EXTEND
from .refund_search import BY_REFUND, may_be, only, pattern
from .sqlite_file import SQLiteFile

#: An ended claim is nobody's. Named values, or ? in this order: now.
_CURRENT = "SELECT {} FROM mapi_orders WHERE ".format(
    ROW.replace("lease", "CASE WHEN lease_until > ? THEN lease ELSE '' END"))
#: The columns that a settlement writes; and for a row whose claim ends, those of the claim.
_WRITE = "UPDATE mapi_orders SET facts=?, refunds=?, outcome=?, due_at=?, last_error=?{} WHERE id=?"
_WRITE_HELD, _WRITE_FREED = _WRITE.format(""), _WRITE.format(", lease='', lease_until=0")
_ONE = _CURRENT + "shop=? AND out_trade_no=?"
_EFFECT = ("INSERT OR IGNORE INTO mapi_effects (order_id, effect_key, kind, detail, made_at, given_at, due_at) "
           "VALUES (?, ?, ?, ?, ?, ?, ?)")
_written = itemgetter(*map(Row._fields.index, "facts refunds outcome due_at last_error id".split()))
_id, _attempts = itemgetter(Row._fields.index("id")), itemgetter(Row._fields.index("attempts"))
_PART = 500


class SQLiteOrders(SQLiteFile):
    """See ``sqlite.SQLiteStore``."""

    def watch(self, entries: Iterable[Watched]) -> int:
        rows = checked(entries)

        def work(db):
            now, before = self._tick(db), db.total_changes
            db.executemany(
                "INSERT OR IGNORE INTO mapi_orders (shop, out_trade_no, price, watched_at, deadline, due_at, asked_at, "
                "gateway) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [
                    (shop, number, price, now, now + closes_in, now + first_in, now, gateway)
                    for shop, number, price, first_in, closes_in, gateway in rows])
            new = db.total_changes - before
            if new < len(rows):
                _compare(db, rows)
            return new
        return self._transact(work)

    def extend(self, entry: Watched) -> bool:
        row, = checked([entry])
        shop, number, _, first_in, closes_in, _ = row

        def work(db):
            now = self._tick(db)
            _compare(db, [row])
            return db.execute(EXTEND, {"first": now + first_in, "last": now + closes_in, "shop": shop,
                                       "number": number}).rowcount == 1
        return self._transact(work)

    def claim(self, worker: str, limit: int, lease: float, again: Again,
              shops: Optional[Sequence[str]] = None) -> List[Row]:
        def work(db):
            now, mine = self._tick(db), new_lease(worker)
            where, values = due_rows(now, limit, shops)
            until = now + lease
            claimed = list(map(row_of, db.execute(
                "SELECT id, shop, out_trade_no, price, facts, refunds, outcome, watched_at, deadline, due_at, ?, "
                "attempts + 1, last_error, ?, gateway " + where, [now, mine] + values)))
            moments = call(lambda: [max(again(row), until) for row in claimed])
            db.executemany(
                "UPDATE mapi_orders SET lease=?, lease_until=?, asked_at=?, attempts=?, due_at=? WHERE id=?",
                [(mine, until, now, attempts, moment, number) for attempts, moment, number in zip(
                    map(_attempts, claimed), moments, map(_id, claimed))])
            return claimed
        return self._transact(work)

    def settle(self, changes: Sequence[Tuple[Row, Change]]) -> List[Settled]:
        def work(db):
            now = self._clock()
            settled, written, made = settle_all(changes, _current(db, [row.id for row, _ in changes], now), now)
            _write(db, written, made)
            return settled
        return self._transact(work)

    def apply(self, shop: str, out_trade_no: str, change: Change) -> Decision:
        return self._transact(lambda db: self._applied(db, self._clock(), shop, out_trade_no, change)[1])

    def _applied(self, db, now, shop, out_trade_no, change):
        """The row as it was, and the decision, which is written."""
        found = possible(shop, out_trade_no) and db.execute(_ONE, (now, shop, out_trade_no)).fetchone()
        if not found:
            raise not_watched(out_trade_no)
        row = row_of(found)
        decision = call(change, row)
        written = changed(row, decision, False)
        db.execute(_WRITE_HELD if written.lease else _WRITE_FREED, _written(written))
        for effect in effects_of(row, decision, now):
            db.execute(_EFFECT, effect)
        return row, decision

    def release(self, rows: Sequence[Row]) -> None:
        if rows:
            self._transact(lambda db: db.executemany(
                "UPDATE mapi_orders SET lease='', lease_until=0, attempts=?, due_at=? WHERE id=? AND lease=?",
                [(row.attempts - 1, row.due_at, row.id, row.lease) for row in rows]))

    # --- reading --------------------------------------------------------------------------------------------------

    def due(self, limit: int, shops: Optional[Sequence[str]] = None) -> List[Row]:
        where, values = due_rows(self._clock(), limit, shops)
        return self._read(lambda db: list(map(row_of, db.execute("SELECT " + ROW + where, values))))

    def get(self, shop: str, out_trade_no: str) -> Optional[Row]:
        found = possible(shop, out_trade_no) and self._read(lambda db: db.execute(
            "SELECT {} FROM mapi_orders WHERE shop=? AND out_trade_no=?".format(ROW), (shop, out_trade_no)).fetchone())
        return row_of(found) if found else None

    def order_of_refund(self, shop: str, out_return_no: str, gateway: Optional[str] = None) -> Optional[Row]:
        if not may_be(shop, out_return_no):
            return None
        return self._read(lambda db: only(db.execute(
            BY_REFUND, {"shop": shop, "pattern": pattern(out_return_no)}), out_return_no, gateway))

    def rows(self, after: int = 0, limit: int = 500, outcomes: Optional[Sequence[str]] = None) -> List[Row]:
        where, values = among("outcome", outcomes)
        return self._read(lambda db: list(map(row_of, db.execute(
            "SELECT {} FROM mapi_orders WHERE id > ?{} ORDER BY id LIMIT ?".format(ROW, where),
            [after] + values + [limit]))))


def among(column: str, values: Optional[Sequence[str]]) -> Tuple[str, List[str]]:
    """A condition, and what it takes; none for None."""
    if values is None:
        return "", []
    return " AND {} IN ({})".format(column, ",".join("?" * len(values))), list(values)


def due_rows(now: float, limit: int, shops: Optional[Sequence[str]]) -> Tuple[str, List]:
    """What follows the columns of a SELECT of due rows, and what it takes."""
    # + : not by the index of (shop, number), which would sort all of a shop's orders at every claim.
    where, values = among("+shop", shops)
    return (" FROM mapi_orders WHERE due_at <= ? AND lease_until <= ?{} ORDER BY due_at, id LIMIT ?".format(where),
            [now, now] + values + [limit])


def _compare(db, rows):
    for shop, number, price, _, _, gateway in rows:
        found = db.execute("SELECT price, gateway FROM mapi_orders WHERE shop=? AND out_trade_no=?",
                           (shop, number)).fetchone()
        if found is not None:
            same_or_conflict(number, found, (price, gateway))


def _current(db, ids, now):
    found: Dict[int, Row] = {}
    for at in range(0, len(ids), _PART):
        part = ids[at:at + _PART]
        marks = ",".join("?" * len(part))
        rows = list(map(row_of, db.execute("{}id IN ({})".format(_CURRENT, marks), [now] + part)))
        found.update(zip(map(_id, rows), rows))
    return found


def _write(db, rows, made):
    db.executemany(_WRITE_FREED, [_written(row) for row in rows if not row.lease])
    db.executemany(_WRITE_HELD, [_written(row) for row in rows if row.lease])
    db.executemany(_EFFECT, made)
