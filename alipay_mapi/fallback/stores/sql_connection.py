"""The SQLAlchemy store's connection: engine, transactions that are run again after a deadlock, the database's clock."""
import os
import threading
import time
from typing import Any, Callable, Optional

import sqlalchemy as sa

from ...errors import ConfigurationError
from .callers import unwrapped
from .contract import Store, check_schema, store_error
from .moments import CLOCK_STEP, MEND
from .sql_errors import problem_of
from .sql_schema import kind_of, meta, moments
from .sql_versions import prepare
from .sqlite_schema import make_durable

#: How often a transaction that lost a deadlock is run again.
AGAIN = 4
#: No statement waits for another's locks longer than ten seconds.
_MYSQL = "SET innodb_lock_wait_timeout = 10, lock_wait_timeout = 10"     # the second one's are of tables
_WAITS = {"postgresql": "SET lock_timeout = '10s'", "mysql": _MYSQL, "mariadb": _MYSQL}


class SQLConnection(Store):
    """See ``sql.SQLAlchemyStore``."""

    def __init__(self, where: Any, clock: Optional[Callable[[], float]] = None, migrate: bool = False):
        self._own = isinstance(where, (str, sa.engine.URL))
        self._test_clock, self._pid, self._forked = clock, os.getpid(), threading.Lock()
        engine = engine_of(where) if self._own else where
        self._sqlite = engine.dialect.name == "sqlite"
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT" if self._sqlite else "READ COMMITTED")
        problem = ""
        try:
            try:
                self._kind = self._transact(kind_of)
            except (TypeError, ValueError) as err:      # an option that the driver does not know
                problem = type(err).__name__
            if problem:
                raise unusable(problem)
            self._connected(lambda db: prepare(db, self._kind, migrate, lambda: self._begun(db)))
        except BaseException:
            self.close()
            raise

    # --- transactions ---------------------------------------------------------------------------------------------

    def _transact(self, work, times=AGAIN, begin="BEGIN IMMEDIATE"):
        """What ``work(connection)`` returns, once it is written; or everything is undone. A transaction that the
        database undid for a deadlock or a serialization failure is run again."""
        def transaction(db):
            with self._begun(db, begin):
                return work(db)
        return unwrapped(lambda: self._connected(transaction, times))

    def _read(self, work):
        """The same for work that only reads: on SQLite it waits for no writer."""
        return self._transact(work, begin="BEGIN")

    def _connected(self, work, times=AGAIN):
        self._after_a_fork()
        for left in reversed(range(times)):
            try:
                with self._engine.connect() as db:
                    return work(db)
            except sa.exc.SQLAlchemyError as err:
                reason = problem_of(err)
            if reason != "deadlock" or not left:
                break
            time.sleep(0.01 * (times - left))
        raise store_error("locked" if reason == "deadlock" else reason)

    def _begun(self, db, begin="BEGIN IMMEDIATE"):
        transaction = db.begin()
        if self._sqlite:
            db.exec_driver_sql(begin)   # the driver begins nothing by itself in AUTOCOMMIT
        return transaction

    def _after_a_fork(self):
        if self._own and self._pid != os.getpid():
            with self._forked:
                if self._pid != os.getpid():
                    self._engine.pool = self._engine.pool.recreate()    # the parent's connections stay the parent's
                    self._pid = os.getpid()

    def close(self) -> None:
        if self._own:
            self._engine.dispose()

    # --- the clock ------------------------------------------------------------------------------------------------

    def _now(self, db):
        if self._test_clock is not None:
            return self._test_clock()
        return float(db.exec_driver_sql(self._kind.clock).scalar()) if self._kind.clock else time.time()

    def _tick(self, db):
        """The clock; when it has gone back, what was written in the future is mended first. Every taking of work comes
        by here, so a process that is older than the tables by now takes none."""
        now = self._now(db)
        clock = sa.select(moments.c.moment).where(moments.c.name == "clock")
        version = sa.select(meta.c.value).where(meta.c.name == "schema").scalar_subquery()
        found = db.execute(sa.select(moments.c.moment, version).where(moments.c.name == "clock")).fetchone()
        seen, schema = found or (now, None)
        check_schema(schema, "the database")
        if now < seen:
            # Under the lock of its row, as others see the same.
            if now < db.execute(clock.with_for_update()).scalar():
                for statement in MEND:
                    db.execute(sa.text(statement), {"now": now})
        elif now > seen + CLOCK_STEP:
            db.execute(sa.update(moments).where(moments.c.name == "clock", moments.c.moment < now - CLOCK_STEP)
                       .values(moment=now))
        return now

    def now(self) -> float:
        return self._connected(self._now)


def engine_of(url: Any) -> Any:
    """An Engine for the store's URL. Raises ConfigurationError; its text never holds the URL."""
    problem = ""
    try:
        engine = sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except (sa.exc.SQLAlchemyError, ValueError, TypeError) as err:
        problem = type(err).__name__    # its text may show the URL, and so a password
    except ImportError as err:
        problem = "no module {}".format(err.name)
    if problem:
        raise unusable(problem)
    wait = _WAITS.get(engine.dialect.name)

    @sa.event.listens_for(engine, "connect")
    def connected(connection, _):
        if engine.dialect.name == "sqlite":
            make_durable(connection, 10.0)
        elif wait:
            cursor = connection.cursor()
            cursor.execute(wait)
            cursor.close()
            connection.commit()
    return engine


def unusable(problem: str) -> ConfigurationError:
    return ConfigurationError("the store's URL cannot be used ({}); it is like postgresql+psycopg2://user@host/name, "
                              "and its driver must be installed".format(problem))
