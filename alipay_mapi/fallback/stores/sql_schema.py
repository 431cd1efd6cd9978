"""The tables of the SQLAlchemy store, and what its databases can do."""
import re
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from .moments import CLOCKS

_metadata = sa.MetaData()
_TIME = sa.Float(53)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# MySQL's TEXT ends at 64 kB. Facts are ASCII.
_LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql").with_variant(mysql.MEDIUMTEXT(), "mariadb")
# Compared by code point; blanks at the end, which MySQL ignores, are refused before they come here.
_MYSQL = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB",
          "mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_bin", "mariadb_engine": "InnoDB"}


def _index(name, *columns, where):
    """MySQL has no partial indexes: there it holds every row."""
    return sa.Index(name, *columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def _few(column, name, moment, whole=""):
    """The rows with something in a column; in MySQL by whether there is, as its index holds every row."""
    partial = "CREATE INDEX {} ON %(table)s ({}) WHERE {} <> ''".format(name, moment, column)
    every = "CREATE INDEX {} ON %(table)s ({}{}(1))".format(name, whole, column)
    return ((sa.DDL(partial), ("postgresql", "sqlite")), (sa.DDL(every), ("mysql", "mariadb")))


meta = sa.Table("mapi_meta", _metadata, sa.Column("name", sa.String(40), primary_key=True),
                sa.Column("value", sa.String(200), nullable=False), **_MYSQL)
orders = sa.Table(
    "mapi_orders", _metadata,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("shop", sa.String(40), nullable=False),
    sa.Column("out_trade_no", sa.String(64), nullable=False),
    sa.Column("price", sa.String(60), nullable=False),
    sa.Column("facts", _LONG, nullable=False),
    sa.Column("refunds", _LONG, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("watched_at", _TIME, nullable=False),
    sa.Column("deadline", _TIME, nullable=False),
    sa.Column("due_at", _TIME),
    sa.Column("asked_at", _TIME, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.String(400), nullable=False),
    sa.Column("lease", sa.String(80), nullable=False),
    sa.Column("lease_until", _TIME, nullable=False),
    sa.Column("gateway", sa.String(10), nullable=False, server_default="mapi"),
    sa.UniqueConstraint("shop", "out_trade_no", name="mapi_orders_number"),
    _index("mapi_orders_due", "due_at", "id", where="due_at IS NOT NULL"),
    # Counts, reports and what was given up, without a look at every row.
    sa.Index("mapi_orders_outcome", "outcome", "id"), **_MYSQL)
effects = sa.Table(
    "mapi_effects", _metadata,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("order_id", _NUMBER, sa.ForeignKey(orders.c.id), nullable=False),
    sa.Column("effect_key", sa.String(190), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("detail", sa.Text(), nullable=False),
    sa.Column("made_at", _TIME, nullable=False),
    sa.Column("given_at", _TIME, nullable=False),
    sa.Column("due_at", _TIME),
    sa.Column("done_at", _TIME),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease", sa.String(80), nullable=False),
    sa.Column("last_error", sa.String(400), nullable=False),
    # A key names its order, so it is unique in the store; and the index finds the other effects of an order.
    sa.UniqueConstraint("order_id", "effect_key", name="mapi_effects_key"),
    _index("mapi_effects_due", "due_at", "id", where="due_at IS NOT NULL"), **_MYSQL)
moments = sa.Table("mapi_moments", _metadata, sa.Column("name", sa.String(60), primary_key=True),
                   sa.Column("moment", _TIME, nullable=False), **_MYSQL)
for _table, _index_of in ((orders, ("last_error", "mapi_orders_error", "asked_at")),
                          (effects, ("last_error", "mapi_effects_error", "given_at")),
                          (orders, ("refunds", "mapi_orders_refunds", "shop", "shop, "))):
    for _statement, _dialects in _few(*_index_of):
        sa.event.listen(_table, "after_create", _statement.execute_if(dialect=_dialects))
TABLES = tuple(_metadata.sorted_tables)
create_all, drop_all = _metadata.create_all, _metadata.drop_all


class Kind(NamedTuple):
    """``name``: postgresql, mysql (MariaDB too) or sqlite. ``skips``: has SKIP LOCKED. ``tables``: can read a JSON
    text as a table, so that one statement updates many rows. ``clock``: its own, as a select."""

    name: str
    skips: bool
    tables: bool
    clock: str


def kind_of(connection) -> Kind:
    """From the server's own word: SQLAlchemy writes SKIP LOCKED for every MySQL, whether it has it or not."""
    name = connection.dialect.name
    if name == "postgresql":
        number = int(connection.exec_driver_sql("SHOW server_version_num").scalar())
        return Kind(name, number >= 90500, number >= 90400, CLOCKS[name])
    if name in ("mysql", "mariadb"):
        words = str(connection.exec_driver_sql("SELECT version()").scalar())
        found = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)", words)
        version = tuple(int(part) for part in found.groups()) if found else (0, 0)
        modern = version >= ((10, 6) if "maria" in words.lower() else (8, 0))
        return Kind("mysql", modern, modern, CLOCKS["mysql"])
    return Kind(name, False, False, "")
