"""Writing many rows at once: by one statement where the database reads JSON as a table, else one after the other."""
import json
import re
from typing import Any, Dict, Iterable, Mapping, Optional, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from .sql_schema import Kind

#: Column → its type in (PostgreSQL, MySQL); the others are text.
_TYPES = {name: types for names, types in (
    ("id order_id", ("bigint", "BIGINT")), ("attempts", ("integer", "INT")),
    ("watched_at deadline due_at asked_at lease_until made_at given_at done_at moment", ("double precision", "DOUBLE")),
    ("facts refunds", ("text", "MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))) for name in names.split()}
_TEXT = ("text", "VARCHAR(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")


def insert_new(db, kind: Kind, table, rows: Sequence[Dict[str, Any]]) -> None:
    """Insert rows, in this order; one whose unique key is there already is left out."""
    if not rows:
        return
    if kind.name == "postgresql" and kind.tables:
        db.execute(*_from_json(table, rows))
        return
    if kind.name == "postgresql":
        statement: Any = postgresql.insert(table).on_conflict_do_nothing()
    elif kind.name == "mysql":
        # Not INSERT IGNORE, which also cuts what is too long.
        first = list(table.primary_key.columns)[0].name
        statement = mysql.insert(table).on_duplicate_key_update({first: table.c[first]})
    else:
        statement = sa.insert(table).prefix_with("OR IGNORE")
    db.execute(statement, list(rows))


def _from_json(table, rows):
    """One statement for PostgreSQL, whose drivers insert one row after the other. Ids follow the order of the rows."""
    names = list(rows[0])
    types = [name + " " + _TYPES.get(name, _TEXT)[0] for name in names]
    text = ("INSERT INTO {0} ({1}) SELECT {1} FROM json_to_recordset(CAST(:rows AS json)) AS v ({2}, place integer) "
            "ORDER BY place ON CONFLICT DO NOTHING".format(table.name, ", ".join(names), ", ".join(types)))
    return sa.text(text), {"rows": json.dumps([dict(row, place=place) for place, row in enumerate(rows)])}


def update_rows(db, kind: Kind, table: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]],
                assignments: Sequence[str] = (), condition: str = "",
                values: Optional[Mapping[str, Any]] = None) -> int:
    """Update rows by ``id``. ``columns``: those that get a value of each row's own; what begins with an underscore is
    only there to be read. ``assignments``, ``condition``: more SQL, in which ``o`` is the table, ``v`` a row's values
    and ``:name`` one of ``values``. Returns how many were updated."""
    rows, values = list(rows), values or {}
    if not rows:
        return 0
    names = ("id",) + tuple(columns)
    sets = ["{0} = v.{0}".format(name) for name in columns if not name.startswith("_")]
    sets += assignments
    where = " AND " + condition if condition else ""
    if not kind.tables:
        text = "UPDATE {} SET {} WHERE id = v.id{}".format(table, ", ".join(sets), where)
        text = sa.text(re.sub(r"\bv\.(\w+)", r":v_\1", re.sub(r"\bo\.", "", text)))
        return sum(db.execute(text, dict(values, **{"v_" + name: row[name] for name in names})).rowcount
                   for row in rows)
    place = 0 if kind.name == "postgresql" else 1
    types = [(name, _TYPES.get(name, _TEXT)[place]) for name in names]
    # A value that is None is left out: databases differ in what JSON's null is.
    given = [{name: row[name] for name in names if row[name] is not None} for row in rows]
    if kind.name == "postgresql":
        text = "UPDATE {} AS o SET {} FROM json_to_recordset(CAST(:rows AS json)) AS v ({}) WHERE o.id = v.id{}".format(
            table, ", ".join(sets), ", ".join(map(" ".join, types)), where)
    else:
        # In this order and by this index, or it could look at, and wait for, rows that others have.
        paths = ", ".join("{0} {1} PATH '$.{0}'".format(*one) for one in types)
        text = ("UPDATE JSON_TABLE(:rows, '$[*]' COLUMNS ({})) v STRAIGHT_JOIN {} o FORCE INDEX (PRIMARY) "
                "ON o.id = v.id SET {} WHERE 1 = 1{}".format(paths, table, ", ".join(["o." + one for one in sets]),
                                                             where))
    return db.execute(sa.text(text), dict(values, rows=json.dumps(given))).rowcount
