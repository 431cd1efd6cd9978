"""The store for one machine: an SQLite file, WAL, ``synchronous=FULL``: what was committed survives a power cut.

Processes may overlap as they like; writers wait for each other for up to ten seconds, then StoreError. A connection is
not carried into a forked process: the child opens its own.
"""
from typing import Any, Dict, Optional, Tuple

from ...trade_state import PAID
from ..deciding import GAVE_UP, OPEN
from ..rows import may_name
from .contract import Failing
from .moments import reserve
from .sqlite_effects import SQLiteEffects

_PRUNED = ("SELECT o.id FROM mapi_orders o WHERE o.due_at IS NULL AND o.outcome <> ? AND o.lease_until <= ? "
           "AND o.asked_at <= ? AND NOT EXISTS (SELECT 1 FROM mapi_effects e WHERE e.order_id = o.id "
           "AND (e.due_at IS NOT NULL OR e.done_at > ?)) ORDER BY o.id LIMIT ?")
_NOT_PAID = "SELECT outcome, count(*) FROM mapi_orders WHERE outcome <> 'paid' GROUP BY outcome"
_GAVE_UP = ("SELECT shop, out_trade_no, last_error FROM mapi_orders INDEXED BY mapi_orders_due "
            "WHERE outcome <> 'paid' AND outcome = ? ORDER BY id DESC LIMIT 20")


class SQLiteStore(SQLiteEffects):
    """``path``: the file; or ``:memory:``, the store in memory, which ends with its process and is the same in all
    else. ``clock``: seconds since 1970 in UTC (for tests). ``timeout``: seconds to wait for other writers. ``migrate``:
    bring an older store up to this version. Raises StoreError, SchemaError.

    >>> with SQLiteStore(":memory:") as store:
    ...     store.counts()["due"]
    0
    """

    def slots(self, name: str, count: int, per_second: float, ahead: float) -> Tuple[int, float]:
        def work(db):
            now = self._tick(db)
            found = db.execute("SELECT moment FROM mapi_moments WHERE name=?", ("rate " + name,)).fetchone()
            free, first, taken = reserve(found[0] if found else now, now, count, per_second, ahead)
            if free:
                db.execute("INSERT OR REPLACE INTO mapi_moments VALUES (?, ?)", ("rate " + name, taken))
            return free, first
        return self._transact(work)

    def counts(self) -> Dict[str, Any]:
        now = self._clock()

        def work(db):
            def one(statement, *values):
                return db.execute("SELECT " + statement, values).fetchone()[0]

            # By indexes that hold what they count, and no row is read.
            outcomes = dict(db.execute(_NOT_PAID).fetchall())
            paid = one("count(*) FROM mapi_orders") - sum(outcomes.values())
            if paid:
                outcomes[PAID] = paid
            oldest = one("min(due_at) FROM mapi_orders WHERE due_at IS NOT NULL")
            made = one("min(made_at) FROM mapi_effects WHERE due_at IS NOT NULL")
            return {
                "watched": sum(outcomes.values()), "outcomes": outcomes,
                "due": one("count(*) FROM mapi_orders WHERE due_at <= ?", now),
                "oldest_due": 0.0 if oldest is None else max(0.0, now - oldest),
                "leased": one("count(*) FROM mapi_orders WHERE lease_until > ?", now),
                "effects": one("count(*) FROM mapi_effects WHERE due_at IS NOT NULL"),
                "oldest_effect": 0.0 if made is None else max(0.0, now - made),
                "failures": one("count(*) FROM mapi_effects WHERE last_error <> ''"),
                "failing": [Failing._make(row) for row in db.execute(
                    "SELECT o.shop, o.out_trade_no, e.kind, e.attempts, e.last_error FROM mapi_effects e "
                    "JOIN mapi_orders o ON o.id = e.order_id WHERE e.last_error <> '' "
                    "ORDER BY e.given_at DESC, e.id DESC LIMIT 20")],
                "gave_up": db.execute(_GAVE_UP, (GAVE_UP,)).fetchall() if GAVE_UP in outcomes else [],
                "errors": db.execute("SELECT shop, out_trade_no, last_error FROM mapi_orders WHERE last_error <> '' "
                                     "ORDER BY asked_at DESC, id DESC LIMIT 20").fetchall(),
            }
        return self._read(work)

    def reopen(self, shop: Optional[str] = None, out_trade_no: Optional[str] = None) -> int:
        if not may_name(shop, out_trade_no):
            return 0
        where, values = "", [OPEN, self._clock()]
        for name, value in (("shop", shop), ("out_trade_no", out_trade_no)):
            if value is not None:
                where, values = where + " AND {}=?".format(name), values + [value]
        if out_trade_no is None:
            where, values = where + " AND outcome=?", values + [GAVE_UP]
        return self._transact(lambda db: db.execute(
            "UPDATE mapi_orders SET outcome=?, due_at=? WHERE 1=1" + where, values).rowcount)

    def prune(self, settled_before: float, limit: int) -> int:
        def work(db):
            now = self._tick(db)
            before = now - settled_before
            gone = db.execute(_PRUNED, (OPEN, now, before, before, limit)).fetchall()
            db.executemany("DELETE FROM mapi_effects WHERE order_id=?", gone)
            db.executemany("DELETE FROM mapi_orders WHERE id=?", gone)
            return len(gone)
        return self._transact(work)
