"""What the errors of databases' own drivers mean: of psycopg2, psycopg, pg8000, mysqlclient, PyMySQL, sqlite3."""
from .sqlite_schema import problem_of as sqlite_problem

#: SQLSTATE, or MySQL's number → the kind of the problem.
_CODES = {
    "40001": "deadlock", "40P01": "deadlock", "55P03": "locked", "57014": "locked", "53100": "full", "53200": "full",
    "25006": "readonly", "42501": "readonly", "42P01": "schema", "42703": "schema", "XX001": "corrupt",
    "XX002": "corrupt", "58030": "disk", "57P01": "gone", "57P02": "gone", "57P03": "gone", "53300": "gone",
    "3D000": "gone",
    1205: "locked", 1213: "deadlock", 1020: "deadlock", 1021: "full", 1114: "full", 1041: "full", 3: "disk",
    1026: "disk", 1290: "readonly", 1836: "readonly", 1792: "readonly", 1142: "readonly", 1146: "schema",
    1054: "schema", 1176: "schema", 1034: "corrupt", 1194: "corrupt", 1049: "gone", 1040: "gone", 1053: "gone",
    1927: "gone", 2002: "gone", 2003: "gone", 2006: "gone", 2013: "gone",
}


def problem_of_driver(driver: BaseException, operational: bool, broken: bool = False) -> str:
    """One word for what went wrong. ``operational``: is it of a class that has a server's and a connection's troubles?
    ``broken``: the connection is known to be."""
    if type(driver).__module__.startswith("sqlite3"):
        return sqlite_problem(driver)   # type: ignore[arg-type]
    codes = [getattr(driver, "pgcode", None), getattr(driver, "sqlstate", None)] + list(getattr(driver, "args", ()))[:1]
    codes = [code.get("C") if isinstance(code, dict) else code for code in codes]      # pg8000
    for code in codes:
        if isinstance(code, (str, int)) and code in _CODES:
            return _CODES[code]
    # A connection that cannot be made, or breaks, has no code in PostgreSQL, and one from 2000 on in MySQL.
    by_server = any(isinstance(code, int) and not 2000 <= code < 3000 or isinstance(code, str) and len(code) == 5
                    for code in codes)
    return "gone" if broken or operational and not by_server else type(driver).__name__
