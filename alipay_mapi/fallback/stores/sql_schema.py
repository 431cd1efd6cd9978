"""The tables of the SQLAlchemy store, what its databases can do, and what their errors mean."""
import re
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from .sqlite_schema import problem_of as sqlite_problem

_metadata = sa.MetaData()
_TIME = sa.Float(53)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# MySQL's TEXT ends at 64 kB. Facts are ASCII.
_LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql").with_variant(mysql.MEDIUMTEXT(), "mariadb")
# Compared by code point; blanks at the end, which MySQL ignores, are refused before they come here.
_MYSQL = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB",
          "mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_bin", "mariadb_engine": "InnoDB"}
_OPEN = {"postgresql_where": sa.text("due_at IS NOT NULL"), "sqlite_where": sa.text("due_at IS NOT NULL")}

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
    sa.UniqueConstraint("shop", "out_trade_no", name="mapi_orders_number"),
    sa.Index("mapi_orders_due", "due_at", "id", **_OPEN), **_MYSQL)
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
    sa.Index("mapi_effects_due", "due_at", "id", **_OPEN), **_MYSQL)
moments = sa.Table("mapi_moments", _metadata, sa.Column("name", sa.String(60), primary_key=True),
                   sa.Column("moment", _TIME, nullable=False), **_MYSQL)
create_all = _metadata.create_all


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
        return Kind(name, number >= 90500, number >= 90400,
                    "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)")
    if name in ("mysql", "mariadb"):
        words = str(connection.exec_driver_sql("SELECT version()").scalar())
        found = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)", words)
        version = tuple(int(part) for part in found.groups()) if found else (0, 0)
        modern = version >= ((10, 6) if "maria" in words.lower() else (8, 0))
        # Not UNIX_TIMESTAMP(SYSDATE(6)): that reads local time, and an hour of it comes twice a year.
        return Kind("mysql", modern, modern, "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1e6")
    return Kind(name, False, False, "")


#: SQLSTATE, or MySQL's number → the kind of the problem.
_CODES = {
    "40001": "deadlock", "40P01": "deadlock", "55P03": "locked", "57014": "locked", "53100": "full", "53200": "full",
    "25006": "readonly", "42501": "readonly", "42P01": "schema", "42703": "schema", "XX001": "corrupt",
    "XX002": "corrupt", "57P01": "gone", "57P02": "gone", "57P03": "gone", "53300": "gone", "3D000": "gone",
    1205: "locked", 1213: "deadlock", 1020: "deadlock", 1021: "full", 1114: "full", 3: "full", 1041: "full",
    1290: "readonly", 1836: "readonly", 1792: "readonly", 1142: "readonly", 1146: "schema", 1054: "schema",
    1034: "corrupt", 1194: "corrupt", 1049: "gone", 1040: "gone", 1053: "gone", 1927: "gone", 2002: "gone",
    2003: "gone", 2006: "gone", 2013: "gone",
}


def problem_of(error: Exception) -> str:
    """One word for what went wrong."""
    driver = getattr(error, "orig", None)
    if driver is None:
        return "gone" if isinstance(error, sa.exc.TimeoutError) else type(error).__name__
    if type(driver).__module__.startswith("sqlite3"):
        return sqlite_problem(driver)
    codes = [getattr(driver, "pgcode", None), getattr(driver, "sqlstate", None)]
    codes += list(getattr(driver, "args", ()))[:1]
    for code in codes:
        if isinstance(code, dict):      # pg8000
            code = code.get("C")
        if isinstance(code, (str, int)) and code in _CODES:
            return _CODES[code]
    # A connection that cannot be made has no code in PostgreSQL.
    if getattr(error, "connection_invalidated", False) or isinstance(error, (sa.exc.OperationalError,
                                                                             sa.exc.InterfaceError)):
        return "gone"
    return type(driver).__name__
