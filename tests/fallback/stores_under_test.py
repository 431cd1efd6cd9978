"""What the tests of the stores share: places where a store is kept, orders, changes, threads.

Every store keeps one contract: the one in memory, an SQLite file, SQLAlchemy and Django on SQLite, PostgreSQL and
MariaDB. The clock is the test's, but where it says "the database's own". Servers are real ones, see servers.py.
"""
import os
import shutil
import sys
import threading
import uuid
from contextlib import contextmanager

import pytest

import alipay_mapi as mapi
from alipay_mapi.errors import AlipayError, StoreError
from alipay_mapi.fallback.deciding import OPEN, Decision
from alipay_mapi.fallback.facts import from_text
from alipay_mapi.fallback.rows import Watched
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.trade_state import Effect, TradeState

import django_setup
import servers

START = 1700000000.0
SERVERS = ["postgresql", "mariadb"]
#: Those that make their tables themselves; Django's migrations make the others', whose names are a little longer.
OWN = ["memory", "sqlite", "sqlalchemy-sqlite"] + SERVERS
DJANGO = ["django-sqlite", "django-postgresql", "django-mariadb"]
KINDS = OWN + DJANGO
#: Those that several machines share.
SHARED = SERVERS + DJANGO[1:]
_databases = {}
TABLES = ["mapi_meta", "mapi_orders", "mapi_effects", "mapi_moments"]


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Place:
    """Where a kind of store is kept; ``open`` connects once more, as another process would.

    ``new``: a database of its own on the server; else one that several tests use, one after the other.
    """

    def __init__(self, kind, folder, new=False):
        self.kind, self.clock, self.stores, self.engine, self.aliases = kind, Clock(), [], None, []
        self.django, self.server = kind in DJANGO, kind.replace("django-", "")
        if self.django:
            django_setup.configure()
        if kind == "memory":
            self.where = ":memory:"
        elif kind == "sqlite":
            self.where = os.path.join(str(folder), "store-{}.db".format(uuid.uuid4().hex))
        elif kind == "sqlalchemy-sqlite":
            pytest.importorskip("sqlalchemy")
            self.where = "sqlite:///" + os.path.join(str(folder), "store-{}.db".format(uuid.uuid4().hex))
        elif kind == "django-sqlite":
            self.where = os.path.join(str(folder), "store-{}.db".format(uuid.uuid4().hex))
            shutil.copy(_template(), self.where)
        else:
            self.where = self._new() if new else self._emptied(_databases)

    def _new(self):
        self.where = getattr(servers, self.server)().database()
        if self.django:
            django_setup.migrate(self.alias())
        return self.where

    def _emptied(self, databases):
        if self.kind not in databases:
            databases[self.kind] = self._new()
        else:
            self.where = databases[self.kind]
            if not self.django:
                self.open().close()     # it may have no tables yet
            self.execute(None, *["DELETE FROM mapi_evidence"] * self.django)
            self.execute(None, "DROP TABLE IF EXISTS shipped", "DELETE FROM mapi_effects", "DELETE FROM mapi_orders",
                         "DELETE FROM mapi_moments WHERE name <> 'clock'", "UPDATE mapi_moments SET moment = 0")
        return databases[self.kind]

    def alias(self, **options):
        """A new alias of Django's, and so a connection of its own, for the same database."""
        self.aliases.append("a" + uuid.uuid4().hex)
        make = django_setup.sqlite if self.kind == "django-sqlite" else django_setup.server
        django_setup.add(self.aliases[-1], make(self.where, **options))
        return self.aliases[-1]

    def open(self, clock=True, **more):
        clock = self.clock if clock is True else clock
        if self.django:
            from alipay_mapi.contrib.django.store.django_store import DjangoStore
            store = DjangoStore(self.alias(**more), clock)
            self.stores.append(store)
            return store
        if self.kind in ("memory", "sqlite"):
            if self.kind == "memory" and self.stores:
                return self.stores[0]   # it has one connection, and threads share it
            store = SQLiteStore(self.where, **dict({} if clock is None else {"clock": clock}, **more))
        else:
            from alipay_mapi.fallback.stores.sql import SQLAlchemyStore
            store = SQLAlchemyStore(self.where, clock=clock, **more)
        self.stores.append(store)
        return store

    def execute(self, store, *statements):
        """By hand, past the store: what the last statement selects."""
        found = []
        if self.kind in ("memory", "sqlite"):
            for statement in statements:
                found = store._db.execute(statement).fetchall()
            return found
        if self.django:
            return self._execute(statements)
        import sqlalchemy
        if self.engine is None:
            self.engine = sqlalchemy.create_engine(self.where, pool_pre_ping=True)
        with self.engine.begin() as db:
            for statement in statements:
                result = db.exec_driver_sql(statement)
                found = [tuple(row) for row in result] if result.returns_rows else []
        return found

    def _execute(self, statements):
        """By Django, with a connection that no store has."""
        from django.db import connections, transaction
        if self.engine is None:
            self.engine = self.alias()
        with transaction.atomic(self.engine), connections[self.engine].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.replace("mapi_", "alipay_mapi_"))
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def transaction(self):
        """Somebody else's, on a server: a function that runs a statement in it."""
        if self.django:
            from django.db import connections, transaction
            alias = self.alias()
            with transaction.atomic(alias):
                yield lambda statement: by_hand(connections[alias], statement)
            return
        import sqlalchemy
        engine = sqlalchemy.create_engine(self.where, isolation_level="READ COMMITTED")
        with engine.begin() as db:
            yield lambda statement: db.exec_driver_sql(statement)
        engine.dispose()

    def skips(self, store):
        """Can rows that others hold be skipped? Skips the test where an older Django cannot say so."""
        if not self.django:
            assert store._kind.skips and store._kind.tables
            return
        from django.db import connections
        if not connections[store._using].features.has_select_for_update_skip_locked:
            pytest.skip("this Django does not say SKIP LOCKED to {}".format(self.server))

    def dump(self, store):
        """Every row of every table."""
        return {table: sorted(self.execute(store, "SELECT * FROM " + table), key=repr)
                for table in TABLES[self.django:]}

    def close(self):
        for store in self.stores:
            store.close()
        for alias in self.aliases:
            django_setup.remove(alias)
        if self.engine is not None and not self.django:
            self.engine.dispose()


def _template():
    """An SQLite file that Django has migrated, made once."""
    if "django-sqlite" not in _databases:
        path = _databases["django-sqlite"] = os.path.join(django_setup.folder(), "template.db")
        django_setup.add("template", django_setup.sqlite(path))
        django_setup.migrate("template")
        django_setup.remove("template")
    return _databases["django-sqlite"]


def order(number, fee="10.00"):
    return mapi.Order(number, total_fee=fee, currency="USD")


def watched(number, first_in=0, closes_in=3600, shop="shop", gateway="mapi"):
    return Watched(shop, order(number), first_in, closes_in, gateway)


def in_a_minute(row):
    return row.asked_at + 60


def becomes(outcome, *kinds, due_at=None, fact=None, error="", refunds=None):
    """A change: this outcome, with effects of these kinds that the state has not had."""
    def change(row):
        state = from_text(row.order, row.facts)
        new = tuple(Effect(kind, row.out_trade_no) for kind in kinds)
        new = tuple(effect for effect in new if effect not in state.done)
        return Decision(TradeState(state.order, paid_trades=state.paid_trades | ({fact} if fact else set()),
                                   done=state.done | set(new)), outcome, due_at, new, error, refunds)
    return change


def unreadable(row):
    """A change that cannot be made."""
    raise AlipayError("the stored facts cannot be read")


def claim(store, limit=10, worker="w", lease=60, again=in_a_minute, shops=None):
    return store.claim(worker, limit, lease, again, shops)


def numbers(rows):
    return [row.out_trade_no for row in rows]


def with_effects(store, *kinds, number="A1"):
    store.watch([watched(number)])
    for kind in kinds:
        store.apply("shop", number, becomes(OPEN, kind, due_at=START))


def kinds(pendings):
    return [(pending.out_trade_no, pending.kind) for pending in pendings]


def at_once(*works):
    """Run them in threads that start together; what each returned, or raised."""
    barrier, results = threading.Barrier(len(works)), [None] * len(works)

    def run(at):
        barrier.wait(20)
        try:
            results[at] = works[at]()
        except BaseException as error:
            results[at] = error
        finally:
            if "django.db" in sys.modules:
                sys.modules["django.db"].connections.close_all()     # this thread's
    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    return results


def reason(work):
    with pytest.raises(StoreError) as caught:
        work()
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    return caught.value.reason


def by_hand(db, statement):
    """One statement with the connection that a store gives to a handler."""
    if hasattr(db, "vendor"):
        with db.cursor() as cursor:
            return cursor.execute(statement.replace("mapi_", "alipay_mapi_"))
    return db.exec_driver_sql(statement) if hasattr(db, "exec_driver_sql") else db.execute(statement)


def committed(db):
    """What a handler must not do."""
    if hasattr(db, "vendor"):
        by_hand(db, "COMMIT")
    elif hasattr(db, "commit"):
        db.commit()
    else:
        db.get_transaction().commit()


def kill(place):
    """End every other connection to this database."""
    import sqlalchemy
    engine = sqlalchemy.create_engine(place.where, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        if place.server == "postgresql":
            db.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                               "WHERE datname = current_database() AND pid <> pg_backend_pid()").fetchall()
        else:
            for row in db.exec_driver_sql("SELECT id FROM information_schema.processlist "
                                          "WHERE db = database() AND id <> connection_id()").fetchall():
                db.exec_driver_sql("KILL {}".format(row[0]))
    engine.dispose()


class Prepared:
    """A store with something of everything, and a call of every method that does something to it.

    A1 and A2 are claimed, A3 and A4 are due, E1 and E2 have an effect each that is handed out, E3 one that is not, P1
    is settled and a day old.
    """

    READS = ("now", "get", "order_of_refund", "rows", "due", "counts")

    def __init__(self, place, **more):
        self.place, self.store = place, place.open(**more)
        store = self.store
        store.watch([watched("P1")])
        store.settle([(row, becomes("paid")) for row in claim(store)])
        place.clock.now += 86400
        store.watch([watched(number) for number in ("A1", "A2")])
        self.rows = claim(store, lease=600)
        for number in ("E1", "E2"):
            with_effects(store, "paid", number=number)
        self.effects = store.effects("w", 10, 600)
        with_effects(store, "paid", number="E3")
        store.watch([watched(number) for number in ("A3", "A4")])
        rows, (first, second) = self.rows, self.effects
        self.calls = {
            "now": store.now,
            "get": lambda: store.get("shop", "A1"),
            "order_of_refund": lambda: store.order_of_refund("shop", "R1"),
            "rows": store.rows,
            "due": lambda: store.due(10),
            "counts": store.counts,
            "watch": lambda: store.watch([watched("N1"), watched("N2"), watched("A1")]),
            "claim": lambda: claim(store),
            "settle": lambda: store.settle([(rows[0], becomes("paid", "paid")), (rows[1], unreadable)]),
            "apply": lambda: store.apply("shop", "A1", becomes("paid", "paid", fact="1")),
            "take_in": lambda: store.take_in("shop", "A1", becomes("paid", "paid", fact="1"), "w", 60),
            "take_in within": lambda: store.take_in("shop", "A1", becomes("paid", "paid"), "w", 60, lambda db, pending:
                                                    by_hand(db, "UPDATE mapi_orders SET last_error = 'shipped' "
                                                                "WHERE out_trade_no = 'A1'")),
            "release": lambda: store.release(rows),
            "effects": lambda: store.effects("w", 10, 60),
            "effect_done": lambda: store.effect_done(first),
            "effect_done within": lambda: store.effect_done(first, lambda db, pending: by_hand(
                db, "UPDATE mapi_orders SET last_error = 'shipped' WHERE out_trade_no = 'E1'")),
            "effects_done": lambda: store.effects_done([first, second]),
            "effect_failed": lambda: store.effect_failed(first, "no", 30),
            "release_effects": lambda: store.release_effects([first, second]),
            "slots": lambda: store.slots("shop", 2, 1.0, 10),
            "reopen": lambda: store.reopen("shop", "P1"),
            "prune": lambda: store.prune(3600, 10),
        }


METHODS = ["now", "get", "order_of_refund", "rows", "due", "counts", "watch", "claim", "settle", "apply", "release",
           "effects", "effect_done", "effect_done within", "effects_done", "effect_failed", "release_effects", "slots",
           "reopen", "prune"]
#: Of a store that takes in and hands out in one transaction.
TAKING_IN = ["take_in", "take_in within"]
