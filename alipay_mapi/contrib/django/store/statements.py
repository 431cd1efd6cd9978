"""What Django's ORM cannot say on every version and database: many rows at once, rows that may be there, an index."""
import re
from functools import lru_cache
from typing import Any, Iterator, List, Optional, Sequence, Tuple

#: Rows of one statement; and values, which SQLite before 3.32 takes in one.
PART, VALUES = 500, 999

_INSERT = {"sqlite": "INSERT OR IGNORE INTO {0} ({1}) VALUES {2}",
           "postgresql": "INSERT INTO {0} ({1}) VALUES {2} ON CONFLICT DO NOTHING",
           # Not INSERT IGNORE, which also cuts what is too long.
           "mysql": "INSERT INTO {0} ({1}) VALUES {2} ON DUPLICATE KEY UPDATE {3} = {3}"}
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_NAME = re.compile(r":([a-z]+)")


def named(statement: str) -> Tuple[str, List[str]]:
    """A statement of another store's, for these tables: with %s in the place of names, and the names."""
    statement = statement.replace("mapi_", "alipay_mapi_")
    return _NAME.sub("%s", statement), _NAME.findall(statement)


def execute(db: Any, statement: str, values: Optional[Sequence[Any]] = None) -> List[Tuple]:
    """One statement with a Django connection: the rows that it selects."""
    if not _alone(db):
        with db.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    with db.wrap_database_errors:
        return db.connection.execute(_question_marks(statement), values or ()).fetchall()


@lru_cache(maxsize=256)
def _question_marks(statement):
    """As SQLite itself takes it. No statement of ours has a % of its own."""
    return statement.replace("%s", "?")


def _alone(db):
    """Does nobody look at statements? Inside a transaction on SQLite, what Django puts around a cursor takes as long as
    the statement, so there it is left out."""
    return db.vendor == "sqlite" and db.in_atomic_block and not (db.queries_logged or getattr(
        db, "execute_wrappers", None))


def update_each(db: Any, statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """The statement once for each row of values; how many rows of the table that were."""
    if not rows:
        return 0
    if len(rows) == 1 and _alone(db):
        with db.wrap_database_errors:
            return db.connection.execute(_question_marks(statement), rows[0]).rowcount
    with db.cursor() as cursor:
        cursor.executemany(statement, _storable(db, rows))
        return cursor.rowcount


def insert_new(db: Any, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, in this order; one whose unique key is there already is left out."""
    for part in parts(db, _storable(db, rows), len(columns)):
        execute(db, _insert(db.vendor, table, tuple(columns), len(part)), [value for row in part for value in row])


@lru_cache(maxsize=64)
def _insert(vendor, table, columns, count):
    marks = "({})".format(", ".join(["%s"] * len(columns)))
    return _INSERT[vendor].format(table, ", ".join(columns), ", ".join([marks] * count), columns[0])


def parts(db: Any, rows: Sequence[Any], width: int = 1) -> Iterator[Sequence[Any]]:
    """Rows of so many values, no more at a time than the database takes."""
    most = min(PART, VALUES // width) if db.vendor == "sqlite" else PART
    for at in range(0, len(rows), most):
        yield rows[at:at + most]


def by_index(db: Any, queryset: Any, index: str) -> List[Tuple]:
    """The rows of a queryset (``values_list``) by this index. MySQL locks every row that it looks at, and SQLite would
    sort all of a shop's orders at every claim: so they must not choose another plan."""
    statement, values = queryset.query.get_compiler(using=db.alias).as_sql()
    table = db.ops.quote_name(queryset.model._meta.db_table)
    hint = {"mysql": " FORCE INDEX ({})", "sqlite": " INDEXED BY {}"}.get(db.vendor)
    if hint is not None and not (index == "PRIMARY" and db.vendor == "sqlite"):
        name = index if index == "PRIMARY" else db.ops.quote_name(index)
        statement = statement.replace(" FROM " + table, " FROM " + table + hint.format(name), 1)
    return execute(db, statement, values)


def _storable(db, rows):
    """MySQL's older charset, which Django spoke by itself until 5.2, has no characters beyond U+FFFF. Such a character
    in a text for people is written U+FFFD; where it counts, in numbers and facts, there is none."""
    if db.vendor != "mysql" or db.get_connection_params().get("charset") == "utf8mb4":
        return rows
    return [[_BEYOND.sub("\ufffd", value) if isinstance(value, str) else value for value in row] for row in rows]
