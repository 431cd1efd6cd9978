"""The SQLAlchemy store's tables: made when they are not there, compared with this version, brought up to it."""
from typing import Any, Callable, ContextManager, Dict, Optional, Tuple

import sqlalchemy as sa

from ...errors import ConfigurationError
from .contract import SCHEMA, check_schema, store_error
from .sql_schema import TABLES, Kind, create_all, drop_all, meta, moments, orders


def _to_2(db: Any, kind: Kind) -> None:
    """Orders live on a gateway; before, on MAPI. In MySQL one statement, which is done or not."""
    if any(column["name"] == "gateway" for column in sa.inspect(db).get_columns(orders.name)):
        return
    add = "ALTER TABLE mapi_orders ADD COLUMN gateway VARCHAR(10) DEFAULT 'mapi' NOT NULL"
    if kind.name == "mysql":
        db.exec_driver_sql(add + ", ADD INDEX mapi_orders_refunds (shop, refunds(1))")
        return
    db.exec_driver_sql(add)
    db.exec_driver_sql("CREATE INDEX mapi_orders_refunds ON mapi_orders (shop) WHERE refunds <> ''")


#: Schema → (the next one, what leads there), called in the transaction that records it. MySQL commits after every
#: statement that changes a table, so what leads there must bear being broken off and called again.
UPGRADES: Dict[str, Tuple[str, Callable[[Any, Kind], None]]] = {"1": ("2", _to_2)}

#: One process at a time; CREATE TABLE IF NOT EXISTS is no lock. PostgreSQL's ends with the transaction; MySQL's with
#: the connection, so it is given back after the commit. On SQLite the transaction is the lock.
_LOCK = {"postgresql": "SELECT pg_advisory_xact_lock(2088101)",
         "mysql": "SELECT GET_LOCK(CONCAT('mapi_schema.', MD5(DATABASE())), 10)"}
_FREE = {"mysql": "SELECT RELEASE_LOCK(CONCAT('mapi_schema.', MD5(DATABASE())))"}


def prepare(db: Any, kind: Kind, migrate: bool, begun: Callable[[], ContextManager]) -> None:
    """Make the tables, or compare their version. ``begun``: begins a transaction. Raises SchemaError, StoreError,
    ConfigurationError."""
    with begun():
        _check_charset(db, kind)
        if _schema(db) == str(SCHEMA):
            return
    lock, free = _LOCK.get(kind.name), _FREE.get(kind.name)
    if lock and free:
        with begun():
            if db.exec_driver_sql(lock).scalar() != 1:
                raise store_error("locked")
    try:
        with begun():
            if lock and not free:
                db.exec_driver_sql(lock)
            _make_or_upgrade(db, kind, migrate)
    finally:
        if free and not db.invalidated:
            with begun():
                db.exec_driver_sql(free)


def _make_or_upgrade(db, kind, migrate):
    found = _schema(db)
    if found is None and _is_empty(db):
        # Where the database commits after every table, this may be what is left of a process that was killed.
        drop_all(db)
        create_all(db)
        db.execute(sa.insert(moments).values(name="clock", moment=0.0))
        db.execute(sa.insert(meta).values(name="schema", value=str(SCHEMA)))    # last: now it can be used
        return
    while migrate and found in UPGRADES:
        found, upgrade = UPGRADES[found]
        upgrade(db, kind)
        db.execute(sa.update(meta).where(meta.c.name == "schema").values(value=found))
    check_schema(found, "the database")


def _schema(db) -> Optional[str]:
    if not sa.inspect(db).has_table(meta.name):
        return None
    return db.execute(sa.select(meta.c.value).where(meta.c.name == "schema")).scalar()


def _is_empty(db):
    inspector = sa.inspect(db)
    return all(db.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).scalar() is None
               for table in TABLES if inspector.has_table(table.name))


def _check_charset(db, kind):
    if kind.name == "mysql":
        charset = db.exec_driver_sql("SELECT @@character_set_client").scalar()
        if charset != "utf8mb4":
            raise ConfigurationError("the store's connection uses {}; add ?charset=utf8mb4 to its URL".format(charset))
