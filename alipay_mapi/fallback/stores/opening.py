"""From a URL to a store: what ``--store`` takes."""
import os
import re
from typing import Any, Callable, Optional

from ...errors import ConfigurationError
from .contract import Store
from .sqlite import SQLiteStore

_MEMORY = ("memory:", ":memory:", "sqlite://", "sqlite:///:memory:")
_FILES = (".db", ".sqlite", ".sqlite3")
_OTHERS = re.compile(r"[a-z][a-z0-9_]*(\+[a-z0-9_]+)?://", re.ASCII | re.IGNORECASE)


def open_store(url: Any, *, clock: Optional[Callable[[], float]] = None, migrate: bool = False) -> Store:
    """The store that ``url`` names; it is made when it is not there.

    ==================================================  ============================================================
    ``memory:`` (or ``:memory:``)                       an SQLite store in memory: it ends with the process
    ``sqlite:///orders.db``, ``orders.db``              an SQLite file; ``sqlite:////var/lib/orders.db`` from the root
    ``postgresql+psycopg2://user:password@host/name``   any other database of SQLAlchemy (extra ``sql``)
    ==================================================  ============================================================

    A bare path ends in ``.db``, ``.sqlite`` or ``.sqlite3``. ``clock``: UTC seconds, in place of the store's own (for
    tests). ``migrate``: bring an older store up to this version. Raises ConfigurationError, StoreError, SchemaError;
    no message holds the URL, which may hold a password.

    >>> with open_store("memory:") as store:
    ...     store.counts()["watched"]
    0
    """
    try:
        text = os.fspath(url)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise _unknown()
    scheme = text[:9].lower()
    if text.lower() in _MEMORY:
        path: Optional[str] = ":memory:"
    elif scheme == "sqlite://":
        path = _path_of(text[9:])
    elif "://" in text:
        path = None
    elif text.endswith(_FILES):
        path = text
    else:
        raise _unknown()
    if path is not None:
        return SQLiteStore(path, migrate=migrate) if clock is None else SQLiteStore(path, clock, migrate=migrate)
    if _OTHERS.match(text) is None:
        raise _unknown()
    return _sqlalchemy()(text, clock=clock, migrate=migrate)


def _path_of(rest):
    """What follows ``sqlite://``: a slash, then the path."""
    if not rest.startswith("/") or len(rest) < 2 or "?" in rest:
        raise ConfigurationError("the store's URL: sqlite:/// is followed by a path, and by nothing else; "
                                 "sqlite:///orders.db, or sqlite:////var/lib/orders.db from the root")
    return rest[1:]


def _unknown():
    # Without the text: it may be a URL with a password and a slip.
    return ConfigurationError("the store is given as memory:, as sqlite:///orders.db, as a path that ends in .db, "
                              ".sqlite or .sqlite3, or as a URL of SQLAlchemy such as "
                              "postgresql+psycopg2://user@host/name")


def _sqlalchemy():
    # Raised outside the except block: SQLAlchemy's own errors are of no use to who has not got it.
    problem = ""
    try:
        import sqlalchemy
        if tuple(int(part) for part in re.findall(r"\d+", sqlalchemy.__version__)[:2]) < (1, 4):
            problem = "SQLAlchemy is too old"
    except ImportError as err:
        problem = "no module {}".format(err.name)
    if problem:
        raise ConfigurationError("a store of this kind needs SQLAlchemy 1.4 or later ({}): "
                                 "pip install 'alipay-mapi[sql]'".format(problem))
    from .sql import SQLAlchemyStore
    return SQLAlchemyStore
