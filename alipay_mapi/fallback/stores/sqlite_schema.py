"""The tables of the SQLite store, how an older one becomes a newer one, and what SQLite's errors mean."""
import sqlite3
import time
from typing import Any, Callable, Dict, Optional, Tuple

from .contract import SCHEMA, check_schema

#: What is due; and counts, reports and what was given up, without a look at every row. One index for both: most orders
#: leave it when they are paid, and each further one is a page more to write for every notification.
INDEX_DUE = ("CREATE INDEX mapi_orders_due ON mapi_orders (due_at, id, outcome) "
             "WHERE due_at IS NOT NULL OR outcome <> 'paid'")
TABLES = (
    "CREATE TABLE mapi_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # AUTOINCREMENT: a number that was pruned is never another order's.
    "CREATE TABLE mapi_orders (id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, "
    "out_trade_no TEXT NOT NULL, "
    "price TEXT NOT NULL, facts TEXT NOT NULL DEFAULT '', refunds TEXT NOT NULL DEFAULT '', "
    "outcome TEXT NOT NULL DEFAULT 'open', watched_at REAL NOT NULL, deadline REAL NOT NULL, due_at REAL, "
    "asked_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT NOT NULL DEFAULT '', "
    "lease TEXT NOT NULL DEFAULT '', lease_until REAL NOT NULL DEFAULT 0, gateway TEXT NOT NULL DEFAULT 'mapi', "
    "UNIQUE (shop, out_trade_no))",
    INDEX_DUE,
    "CREATE INDEX mapi_orders_error ON mapi_orders (asked_at) WHERE last_error <> ''",
    "CREATE INDEX mapi_orders_refunds ON mapi_orders (shop) WHERE refunds <> ''",
    "CREATE TABLE mapi_effects (id INTEGER PRIMARY KEY, "
    "order_id INTEGER NOT NULL REFERENCES mapi_orders (id), "
    "effect_key TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, made_at REAL NOT NULL, "
    "given_at REAL NOT NULL, due_at REAL, done_at REAL, attempts INTEGER NOT NULL DEFAULT 0, "
    "lease TEXT NOT NULL DEFAULT '', last_error TEXT NOT NULL DEFAULT '', UNIQUE (order_id, effect_key))",
    # Not done is: due_at has a value. A key names its order, so the constraint above makes it unique in the store, and
    # its index finds the other effects of an order.
    "CREATE INDEX mapi_effects_due ON mapi_effects (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX mapi_effects_error ON mapi_effects (given_at) WHERE last_error <> ''",
    "CREATE TABLE mapi_moments (name TEXT PRIMARY KEY, moment REAL NOT NULL)",
)


def _to_2(db: Any) -> None:
    """Orders live on a gateway; before, on MAPI. One index in place of two."""
    db.execute("ALTER TABLE mapi_orders ADD COLUMN gateway TEXT NOT NULL DEFAULT 'mapi'")
    db.execute("CREATE INDEX mapi_orders_refunds ON mapi_orders (shop) WHERE refunds <> ''")
    db.execute("DROP INDEX mapi_orders_due")
    db.execute("DROP INDEX mapi_orders_outcome")
    db.execute(INDEX_DUE)


#: Schema → (the next one, what leads there), called in the transaction that records it.
UPGRADES: Dict[str, Tuple[str, Callable[[Any], None]]] = {"1": ("2", _to_2)}

#: A part of SQLite's message → the kind of the problem. Python has no codes for them before 3.11.
_KINDS = (("locked", "locked"), ("busy", "locked"), ("full", "full"), ("readonly", "readonly"),
          ("disk i/o", "disk"), ("malformed", "corrupt"), ("not a database", "corrupt"), ("corrupt", "corrupt"),
          ("unable to open", "gone"), ("no such table", "schema"), ("no such column", "schema"), ("closed", "closed"))


def problem_of(error: sqlite3.Error) -> str:
    """One word for what went wrong."""
    text = str(error).lower()
    return next((kind for part, kind in _KINDS if part in text), type(error).__name__)


def is_current(db: Any) -> bool:
    """Are the tables there, in this version?"""
    return "mapi_meta" in _tables(db) and schema_of(db) == str(SCHEMA)


def prepare(db: Any, where: str, migrate: bool) -> None:
    """Make the tables, or compare their version, in the caller's transaction. Raises SchemaError."""
    tables = _tables(db)
    if not any(name.startswith("mapi_") for name in tables):
        for statement in TABLES:
            db.execute(statement)
        db.execute("INSERT INTO mapi_meta VALUES ('schema', ?)", (str(SCHEMA),))
        db.execute("INSERT INTO mapi_moments VALUES ('clock', 0)")
        return
    found = schema_of(db) if "mapi_meta" in tables else None
    while migrate and found in UPGRADES:
        found, upgrade = UPGRADES[found]
        upgrade(db)
        db.execute("UPDATE mapi_meta SET value=? WHERE name='schema'", (found,))
    check_schema(found, where)


def _tables(db):
    return {name for name, in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}


def schema_of(db: Any) -> Optional[str]:
    """The version that the tables say they have."""
    found = db.execute("SELECT value FROM mapi_meta WHERE name='schema'").fetchone()
    return found[0] if found else None


def make_durable(connection: Any, timeout: float) -> bool:
    """WAL and ``synchronous=FULL``: what is committed survives a power cut. Is it written ahead now? What is in memory
    is not."""
    connection.execute("PRAGMA busy_timeout={}".format(int(timeout * 1000))).fetchall()
    # Where several processes make the file at once, the switch to WAL does not wait by itself.
    until = time.monotonic() + timeout
    while True:
        try:
            (mode,), = connection.execute("PRAGMA journal_mode=WAL").fetchall()
            break
        except sqlite3.OperationalError as err:
            if "locked" not in str(err) or time.monotonic() > until:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA journal_size_limit=67108864").fetchall()
    return mode == "wal"
