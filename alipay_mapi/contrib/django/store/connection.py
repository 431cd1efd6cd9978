"""The Django store's connection: Django's own of this thread, its transactions, the database's clock.

Inside the caller's ``atomic`` block the store joins it, behind a savepoint: what it writes is kept or undone with the
block, and a deadlock, which undoes the block, is the caller's to run again. Elsewhere every call is a transaction of
its own, which a deadlock begins again; a connection that was found broken is closed, so that the next call makes a
new one.
"""
import os
import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, List, Optional

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections, transaction
from django.db.utils import ConnectionDoesNotExist

from ....errors import ConfigurationError, StoreError, show
from ....fallback.stores.callers import unwrapped
from ....fallback.stores.contract import Store
from ....fallback.stores.moments import CLOCK_STEP, CLOCKS, MEND
from ....fallback.stores.sqlite_wait import patiently
from .models import Moment
from .problems import problem_of, store_error
from .statements import execute, insert_new, named

#: How often a transaction that lost a deadlock is run again.
AGAIN = 4
#: Bytes of a journal that stay on the disk, of whatever transaction.
LONGEST_JOURNAL = 1 << 20
#: Seconds after which a connection that nobody used may be gone, and is tried first.
IDLE = 5.0

# Before Django 5.1 a transaction on SQLite begins without a lock, and one that reads before it writes fails at once
# where another one writes. A write that changes nothing takes the lock, and waits for it.
_LOCK = "UPDATE alipay_mapi_moments SET moment = moment WHERE name = ''"
_BEGIN = {"sqlite": "", "mysql": "",
          "postgresql": "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '10s'"}
_MEND = [named(text) for text in MEND]


class DjangoConnection(Store):
    """See ``django_store.DjangoStore``."""

    def __init__(self, using: str = "default", clock: Optional[Callable[[], float]] = None):
        self._using, self._test_clock = using, clock
        self._thread: Any = threading.local()
        self._abandoned: List[Any] = []
        vendor = ""
        try:
            vendor = connections[using].vendor
        except (ConnectionDoesNotExist, ImproperlyConfigured):
            pass    # its text may show settings
        if vendor not in _BEGIN:
            raise ConfigurationError("the Django store: DATABASES[{}] must be there, and be SQLite, PostgreSQL, MySQL "
                                     "or MariaDB, with its driver installed".format(show(using, 40)))

    # --- transactions ---------------------------------------------------------------------------------------------

    def _transact(self, work, times=AGAIN):
        """What ``work(connection)`` returns, once it is written; or everything is undone. A transaction of ours that
        the database undid for a deadlock or a serialization failure is run again."""
        def transact(db, joins):
            with self._begun(db, joins):
                return work(db)
        return unwrapped(lambda: self._guarded(transact, times))

    def _read(self, work, at_once=False):
        """The same for work that only reads. ``at_once``: all of it from one state of the store, where the database
        can."""
        def read(db, joins):
            if not joins and not at_once:
                return work(db)
            with transaction.atomic(using=self._using):
                return work(db)
        return self._guarded(read, 1)

    def _guarded(self, work, times):
        db, reason, joins = connections[self._using], "", True
        for left in reversed(range(times)):
            joins = db.in_atomic_block
            try:
                if not joins:
                    self._look_at(db)
                    joins = not db.get_autocommit()     # the caller commits by hand
                result = work(db, joins)
                self._thread.seen = (db.connection, os.getpid(), time.monotonic())
                return result
            except Error as err:
                reason = problem_of(err)
            if joins or reason != "deadlock" or not left:
                break
            time.sleep(0.01 * (times - left))
        if not joins and reason != "deadlock" and db.connection is not None and not db.is_usable():
            db.close()
        raise store_error("locked" if reason == "deadlock" else reason, self._using)

    @contextmanager
    def _begun(self, db, joins):
        lowered = None
        if not joins and db.vendor == "sqlite":
            # A shop may have lowered it: then a power cut undoes what was committed, and the gateway was told that its
            # notification has arrived. It cannot be changed within a transaction.
            with db.wrap_database_errors:
                self._keep_journal(db.connection)
                lowered, = db.connection.execute("PRAGMA synchronous").fetchone()
            if lowered < 2:
                execute(db, "PRAGMA synchronous = FULL")
        elif not joins and db.vendor == "mysql" and getattr(db, "isolation_level", None) != "read committed":
            execute(db, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED")   # the next one's
        try:
            with transaction.atomic(using=self._using):
                if db.vendor == "sqlite":
                    self._lock(db, joins)
                elif not joins and _BEGIN[db.vendor]:
                    execute(db, _BEGIN[db.vendor])
                yield
                if db.needs_rollback or db.vendor == "sqlite" and not db.connection.in_transaction:
                    # By a failure that somebody inside has swallowed. Django undoes without a word, or commits nothing.
                    raise StoreError("the transaction was undone by the database, or ended by the shop's code; nothing "
                                     "was changed, run again", reason="undone")
        finally:
            if lowered is not None and lowered < 2 and db.connection is not None:
                execute(db, "PRAGMA synchronous = {:d}".format(lowered))

    def _lock(self, db, joins):
        """Take the lock of an SQLite file. Where the transaction is ours, by a wait that looks more often than
        SQLite's, for as long as the shop has set."""
        if joins:
            execute(db, _LOCK)
            return
        (milliseconds,), = execute(db, "PRAGMA busy_timeout")
        execute(db, "PRAGMA busy_timeout = 0")
        try:
            patiently(lambda: execute(db, _LOCK), milliseconds / 1000, _is_locked)
        finally:
            execute(db, "PRAGMA busy_timeout = {:d}".format(milliseconds))

    def _keep_journal(self, raw):
        """Once per connection. A transaction on SQLite is committed when its journal is deleted, unless the file is
        written ahead; and nothing waits until the folder's entry is gone from the disk, so a power cut may bring the
        journal back, which undoes what was committed. With a journal that is kept, a write that is waited for commits.
        Source: SQLite, "PRAGMA synchronous" (EXTRA), "PRAGMA journal_mode"."""
        if getattr(self._thread, "keeps", None) is raw:
            return
        mode, = raw.execute("PRAGMA journal_mode").fetchone()
        if mode in ("delete", "truncate"):
            raw.execute("PRAGMA journal_mode = PERSIST").fetchone()
            raw.execute("PRAGMA journal_size_limit = {:d}".format(LONGEST_JOURNAL)).fetchone()
        self._thread.keeps = raw

    def _look_at(self, db):
        """Let go of a connection that is another process's, or that broke while nobody used it."""
        raw, pid, moment = getattr(self._thread, "seen", None) or (None, 0, 0.0)
        if db.connection is None:
            db.ensure_connection()
            self._thread.opened = db.connection
        elif db.connection is raw and pid != os.getpid():
            if not (db.vendor == "sqlite" and db.is_in_memory_db()):
                self._abandoned.append(db.connection)       # closing it here would end it for the parent
                db.connection = None
                db.ensure_connection()
        elif (db.connection is not raw or time.monotonic() - moment > IDLE) and not db.is_usable():
            db.close()
            db.ensure_connection()
            self._thread.opened = db.connection

    def close(self) -> None:
        """Close this thread's connection if the store has opened it, and nobody is in a transaction on it. The shop's
        own Django closes, at the end of a request, or keeps."""
        db, opened = connections[self._using], getattr(self._thread, "opened", None)
        if opened is not None and db.connection is opened and not db.in_atomic_block:
            db.close()
        self._thread.opened = self._thread.seen = self._thread.keeps = None

    # --- the clock ------------------------------------------------------------------------------------------------

    def _now(self, db):
        if self._test_clock is not None:
            return self._test_clock()
        return float(execute(db, CLOCKS[db.vendor])[0][0]) if db.vendor in CLOCKS else time.time()

    def _tick(self, db):
        """The clock; when it has gone back, what was written in the future is mended first."""
        now = self._now(db)
        clock = Moment.objects.using(self._using).filter(name="clock")
        seen = clock.values_list("moment", flat=True).first()
        if seen is None:
            insert_new(db, "alipay_mapi_moments", ("name", "moment"), [("clock", now)])
        elif now < seen:
            # Under the lock of its row, as others see the same.
            if now < clock.select_for_update().values_list("moment", flat=True).get():
                for statement, names in _MEND:
                    execute(db, statement, [now] * len(names))
        elif now > seen + CLOCK_STEP:
            clock.filter(moment__lt=now - CLOCK_STEP).update(moment=now)
        return now

    def now(self) -> float:
        if self._test_clock is None and connections[self._using].vendor not in CLOCKS:
            return time.time()
        return self._guarded(lambda db, _: self._now(db), 1)


def _is_locked(error):
    return isinstance(error, Error) and problem_of(error) == "locked"
