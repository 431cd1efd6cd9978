"""The SQLite store's connection: transactions, the clock, what happens when the file goes or the process forks."""
import os
import sqlite3
import threading
import time
import weakref
from typing import Any, Callable, List

from ...errors import StoreError, show
from .callers import unwrapped
from .contract import Store, check_schema, store_error
from .moments import CLOCK_STEP, MEND
from .sqlite_schema import is_current, make_durable, prepare, problem_of
from .sqlite_wait import patiently

_WRITE, _READ = "BEGIN IMMEDIATE", "BEGIN"
#: Takes the lock of a transaction that reads, which its BEGIN does not.
_LOOK = "SELECT 1 FROM sqlite_master LIMIT 1"


class SQLiteFile(Store):
    """See ``sqlite.SQLiteStore``."""

    def __init__(self, path: Any, clock: Callable[[], float] = time.time, timeout: float = 10.0,
                 migrate: bool = False):
        self._path = path if path == ":memory:" else os.path.abspath(os.fspath(path))
        self._clock, self._timeout = clock, timeout
        self._abandoned: List[Any] = []
        self._open(migrate)

    def _open(self, migrate=False):
        self._lock, self._pid = threading.RLock(), os.getpid()
        self._db: Any = None
        try:
            self._guarded(self._connect)
            self._file = self._identity()
            if not self._read(is_current):      # a reader waits for nobody
                self._transact(lambda db: prepare(db, show(self._path, 200), migrate))
        except BaseException:
            self.close()
            raise

    def _connect(self):
        self._db = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=self._timeout)
        # A store that is let go without being closed is no leak; Python 3.13 warns of connections left open.
        weakref.finalize(self, _let_go, self._db, os.getpid())
        if make_durable(self._db, self._timeout):
            # Nothing but a beginning waits then, and that has a wait of its own.
            self._db.execute("PRAGMA busy_timeout=0").fetchall()

    # --- transactions ---------------------------------------------------------------------------------------------

    def _transact(self, work, begin=_WRITE):
        """What ``work(connection)`` returns, once it is written; or everything is undone."""
        if self._pid != os.getpid():
            self._abandon()
        with self._lock:
            return unwrapped(lambda: self._guarded(self._in_transaction, work, begin))

    def _read(self, work):
        """The same for work that only reads, from one state of the store: it waits for no writer."""
        return self._transact(work, _READ)

    def _in_transaction(self, work, begin):
        if self._identity() != self._file:
            raise sqlite3.OperationalError("unable to open database file")
        patiently(lambda: self._begin(begin), self._timeout, _is_locked)
        try:
            result = work(self._db)
            self._db.execute("COMMIT")
            return result
        finally:
            if self._db.in_transaction:
                self._undo()

    def _begin(self, begin):
        self._db.execute(begin)
        if begin == _READ:
            try:
                self._db.execute(_LOOK).fetchone()
            except sqlite3.Error:
                self._undo()
                raise

    def _undo(self):
        try:
            self._db.execute("ROLLBACK")
        except sqlite3.Error:
            pass    # SQLite has rolled back by itself, and the first error says why

    @staticmethod
    def _guarded(work, *args):
        try:
            return work(*args)
        except sqlite3.Error as err:
            reason = problem_of(err)
        raise store_error(reason)

    def _identity(self):
        """Which file the path names now: SQLite goes on writing to one that was deleted, and all of it is lost."""
        if self._path == ":memory:":
            return None
        try:
            found = os.stat(self._path)
        except OSError:
            return ()
        return found.st_dev, found.st_ino

    def _abandon(self):
        if self._path == ":memory:":
            raise StoreError("a store in memory does not reach a forked process", reason="gone")
        self._abandoned.append(self._db)    # closing it here would end the parent's locks
        self._open()

    def close(self) -> None:
        if self._db is not None and self._pid == os.getpid():
            with self._lock:
                self._db.close()

    # --- the clock ------------------------------------------------------------------------------------------------

    def now(self) -> float:
        return self._clock()

    def _tick(self, db):
        """The clock; when it has gone back, what was written in the future is mended first. Every taking of work comes
        by here, so a process that is older than the tables by now takes none."""
        now = self._clock()
        found = db.execute("SELECT moment, value FROM mapi_moments, mapi_meta WHERE mapi_moments.name='clock' "
                           "AND mapi_meta.name='schema'").fetchone()
        seen, schema = found or (now, None)
        check_schema(schema, show(self._path, 200))
        if now < seen:
            for statement in MEND:
                db.execute(statement, {"now": now})
        elif now > seen + CLOCK_STEP:
            db.execute("UPDATE mapi_moments SET moment=? WHERE name='clock'", (now,))
        return now


def _let_go(db, pid):
    if pid == os.getpid():      # in a forked child, closing it would end the parent's locks
        db.close()


def _is_locked(error):
    return isinstance(error, sqlite3.Error) and problem_of(error) == "locked"
