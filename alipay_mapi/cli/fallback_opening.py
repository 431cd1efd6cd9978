"""Whether a store can be opened, before it is: what is wrong with its URL, its file or its database, and the cure.

Nothing is made here. A path or a database that was mistaken must not look like a store in which there is nothing to do,
and no message shows more of a URL than ``fallback_url.shown`` does.
"""
import os
import re
import socket
import sqlite3
from pathlib import Path
from typing import Any, Optional, Tuple

from ..errors import ConfigurationError, SchemaError, StoreError, show
from .fallback_url import MEMORY, path_of, shown

_SQLITE = b"SQLite format 3\0"
_MAKES = "alipay-mapi fallback watch makes"
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}

#: SQLSTATE, or MySQL's number; and where a driver has none while it connects (psycopg2), words of its text.
_NO_LOGIN = ("28P01", "28000", 1044, 1045, 1698)
_NO_LOGIN_TEXT = re.compile(r"authentication failed|no pg_hba\.conf entry|role \".*\" does not exist")
_NO_DATABASE = ("3D000", 1049)
_NO_DATABASE_TEXT = re.compile(r"database \".*\" does not exist")


def look(url: str, create: bool) -> None:
    """Raises ConfigurationError, or StoreError, for a store that cannot be opened. ``create``: it may be new."""
    if MEMORY.fullmatch(url):
        raise ConfigurationError("store: one in memory ends with each command; give a file (sqlite:///orders.db) or a "
                                 "database")
    if url.lower().startswith("postgres://"):
        raise ConfigurationError("store: postgres:// is no name that SQLAlchemy knows; write postgresql+psycopg2://")
    if "://" not in url and ("@" in url or re.match(r"[\w+.-]{2,}:", url)):
        raise ConfigurationError("store: it looks like a URL, and is none; a database is like "
                                 "postgresql+psycopg2://user@host/name, a file like sqlite:///orders.db")
    path = path_of(url)
    if path is not None:
        _look_at_file(path, create)
    elif "://" in url:
        _look_at_database(url, create)


def explained(url: str, error: StoreError) -> StoreError:
    """The error of a store that could not be opened all the same, with its path and the permission that it lacks."""
    path = path_of(url)
    if path is None or isinstance(error, SchemaError):
        return error
    folder, why = os.path.dirname(os.path.abspath(path)), str(error)
    if os.path.exists(path) and not os.access(path, os.W_OK):
        why = "this user (uid {}) may not write it".format(_uid())
    elif not os.access(folder, os.W_OK | os.X_OK):
        why = "this user (uid {}) may not write in the folder {}, where SQLite keeps its -wal file".format(
            _uid(), show(folder, 200))
    return StoreError("store: {}: {}".format(show(path, 200), why), reason=error.reason)


# --- a file -----------------------------------------------------------------------------------------------------------

def _look_at_file(path: str, create: bool) -> None:
    shown_path, folder = show(path, 200), os.path.dirname(os.path.abspath(path))
    head, problem = _head(path)
    if problem is FileNotFoundError and os.path.isdir(folder):
        if create:
            return
        raise ConfigurationError("store: there is no file {}; is the path right? {} it".format(shown_path, _MAKES))
    if problem in (FileNotFoundError, NotADirectoryError):
        raise ConfigurationError("store: there is no folder {}; is the path right?".format(show(folder, 200)))
    if problem is IsADirectoryError:
        raise ConfigurationError("store: {} is a folder; name a file in it".format(shown_path))
    if problem is not None:
        raise StoreError("store: {}: this user (uid {}) may not read it, or not enter a folder above it".format(
            shown_path, _uid()), reason="gone")
    if head and head != _SQLITE:
        raise ConfigurationError("store: {} is no SQLite database; is the path right?".format(shown_path))
    if not create and not _has_tables(path):
        raise ConfigurationError("store: {} is an SQLite file, and no orders are kept in it; is the path right? {} the "
                                 "tables".format(shown_path, _MAKES))


def _head(path) -> Tuple[bytes, Optional[type]]:
    try:
        with open(path, "rb") as file:
            return file.read(len(_SQLITE)), None
    except OSError as err:
        return b"", type(err)


def _has_tables(path) -> bool:
    """True as well where it cannot be told (locked, damaged): opening the store says what it is."""
    try:
        # rw: not made if it goes away just now; reading alone changes nothing in it.
        db = sqlite3.connect(Path(os.path.abspath(path)).as_uri() + "?mode=rw", uri=True)
        try:
            return db.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name LIKE 'mapi!_%' ESCAPE '!' "
                              "LIMIT 1").fetchone() is not None
        finally:
            db.close()
    except sqlite3.Error:
        return True


def _uid():
    return os.geteuid() if hasattr(os, "geteuid") else "?"


# --- a database -------------------------------------------------------------------------------------------------------

def _look_at_database(url: str, create: bool) -> None:
    try:
        from ..fallback.stores.sql_connection import engine_of
    except ImportError:
        return      # opening the store says what to install
    engine = engine_of(url)
    problem: Any = None
    try:
        if engine.dialect.name == "sqlite":
            if engine.url.database:
                _look_at_file(engine.url.database, create)
            return
        with engine.connect() as db:
            empty = not create and not engine.dialect.has_table(db, "mapi_meta")
    except (ConfigurationError, StoreError):
        raise
    except Exception as err:    # SQLAlchemy's, the driver's own, or of an option that it does not know
        problem = _refusal(getattr(err, "orig", None) or err, engine.url, shown(url))
    finally:
        engine.dispose()
    if problem is not None:
        raise problem
    if empty:
        raise ConfigurationError("store: {} has no tables of alipay-mapi; is it the right database? {} them".format(
            shown(url), _MAKES))


def _refusal(error, url, name) -> Any:
    """The error in our words; None where opening the store may say more."""
    found = re.fullmatch(r"[^:]+://(?:[^@]*@)?([^/]+)/(.+)", name)
    host, database = found.groups() if found else ("the server", "that database")
    codes = [getattr(error, "pgcode", None), getattr(error, "sqlstate", None)] + list(getattr(error, "args", ()))[:1]
    codes = [code.get("C") if isinstance(code, dict) else code for code in codes]      # pg8000
    text = str(error)
    if any(code in _NO_LOGIN for code in codes if isinstance(code, (str, int))) or _NO_LOGIN_TEXT.search(text):
        return ConfigurationError("store: {} refuses the login to {}; look at the user, the password and what the "
                                  "server lets in ({})".format(host, database, name))
    if any(code in _NO_DATABASE for code in codes if isinstance(code, (str, int))) or _NO_DATABASE_TEXT.search(text):
        return ConfigurationError("store: {} has no database {}; make it, or mend its name ({})".format(
            host, database, name))
    if isinstance(error, (TypeError, ValueError)):
        return None
    problem = _unreachable(url)
    if problem:
        return StoreError("store: {} is not reached ({}); does the database run, and is its port open? ({})".format(
            host, problem, name), reason="gone")
    return None


def _unreachable(url) -> str:
    """Why no connection comes about, "" if one does or nobody can tell."""
    port = url.port or _PORTS.get(url.get_backend_name())
    if not url.host or port is None:
        return ""
    try:
        socket.create_connection((url.host, port), 3.0).close()
    except OSError as err:
        return err.strerror or "no answer"
    return ""
