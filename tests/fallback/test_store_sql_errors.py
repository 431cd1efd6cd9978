"""The errors of PostgreSQL and MariaDB at every statement of every method: typed, and nothing is done by half.

The driver's own errors, raised in the driver's place. Real broken connections and servers are in test_store_connection.
"""
import importlib

import pytest

from alipay_mapi.errors import StoreError

from stores_under_test import METHODS, SHARED, Place, Prepared, reason

#: SQLSTATE of PostgreSQL, or a broken connection → what it means.
POSTGRESQL = [("55P03", "locked"), ("57014", "locked"), ("53100", "full"), ("25006", "readonly"), ("58030", "disk"),
              ("XX001", "corrupt"), ("57P01", "gone"), ("42703", "schema"),
              ("server closed the connection unexpectedly", "gone"), ("23514", "CheckViolation")]
#: The number of a MariaDB error.
MARIADB = [(1205, "locked"), (1021, "full"), (1114, "full"), (1290, "readonly"), (3, "disk"), (1034, "corrupt"),
           (1053, "gone"), (2013, "gone"), (1927, "gone"), (1054, "schema"), (4025, "OperationalError")]
ERRORS = {"postgresql": POSTGRESQL, "mariadb": MARIADB}
LOST = {"postgresql": ["40001", "40P01"], "mariadb": [1213, 1020]}


def error_of(place, code):
    """What the driver raises."""
    if place.server == "mariadb":
        import pymysql
        return pymysql.OperationalError(code, "buyer@example.com is in the text of error {}".format(code))
    driver = __import__("psycopg2")
    if place.django:
        from django.db.backends.postgresql.base import Database as driver      # it prefers psycopg
    if not code[0].isdigit() and len(code) > 5:
        return driver.OperationalError(code)
    known = importlib.import_module(driver.__name__ + ".errors").lookup(code)
    return type(known.__name__, (known,), {"pgcode": code})("buyer@example.com is in the text")


class Armed:
    """Makes the n-th statement of a store's connections fail, ``times`` times; a commit is one too."""

    def __init__(self, place, store):
        self.left, self.times = None, 0
        if place.django:
            from django.db import connections
            db = connections[store._using]
            cursor, commit = db.create_cursor, db._commit
            db.create_cursor = lambda *name: Cursor(cursor(*name), self._counted)
            db._commit = self._counted(commit, db.wrap_database_errors)
            return
        dialect = store._engine.dialect
        for name in ("do_execute", "do_executemany", "do_commit"):
            setattr(dialect, name, self._counted(getattr(dialect, name)))

    def set(self, number, error, times=1):
        self.number, self.left, self.error, self.times = number, number, error, times

    def _counted(self, work, wrapped=None):
        def call(*args, **options):
            if wrapped is not None:
                with wrapped:
                    return self._counted(work)(*args, **options)
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    self.times -= 1
                    self.left = self.number if self.times else None
                    raise self.error
            return work(*args, **options)
        return call


class Cursor:
    """A driver's cursor whose statements are counted."""

    def __init__(self, cursor, counted):
        self._cursor = cursor
        self.execute, self.executemany = counted(cursor.execute), counted(cursor.executemany)

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def __iter__(self):
        return iter(self._cursor)


@pytest.fixture(params=SHARED)
def prepared(request, tmp_path):
    place = Place(request.param, tmp_path)
    yield Prepared(place)
    place.close()


@pytest.mark.parametrize("name", METHODS[1:])
def test_an_error_at_any_statement_is_typed_leaves_nothing_by_half_and_the_next_call_goes_on(prepared, name):
    store, call, place = prepared.store, prepared.calls[name], prepared.place
    armed, before, number, at_all = Armed(place, store), place.dump(store), 0, False
    while not at_all:
        number += 1
        for code, kind in ERRORS[place.server]:
            armed.set(number, error_of(place, code))
            try:
                call()
                at_all = True       # there is no statement of that number any more
                break
            except StoreError as error:
                assert (error.reason, error.__cause__, error.__context__) == (kind, None, None)
                assert "buyer" not in repr(error) + str(vars(error))
            except Exception as error:      # in the handler: that is the shop's own code
                assert name == "effect_done within" and type(error).__module__ in ("sqlalchemy.exc", "django.db.utils")
            armed.left = None
            assert place.dump(store) == before, (number, code)
    assert number >= (2 if place.django and name in prepared.READS else 3)      # a SELECT alone is no transaction
    assert (place.dump(store) == before) == (name in prepared.READS)


@pytest.mark.parametrize("name", [name for name in METHODS[6:] if name != "effect_done within"])
def test_a_lost_deadlock_is_run_again_and_after_some_times_told(prepared, name):
    store, place = prepared.store, prepared.place
    armed, before = Armed(place, store), place.dump(store)
    for code in LOST[place.server]:
        armed.set(1, error_of(place, code), 99)
        assert reason(prepared.calls[name]) == "locked"
        assert place.dump(store) == before and armed.times == 95
    armed.set(2, error_of(place, LOST[place.server][0]))
    prepared.calls[name]()
    assert armed.times == 0 and place.dump(store) != before


def test_a_handler_within_the_transaction_is_not_called_twice_by_a_deadlock(prepared):
    store, place, called = prepared.store, prepared.place, []
    armed, before = Armed(place, store), place.dump(store)
    armed.set(2, error_of(place, LOST[place.server][0]))      # the commit, or what comes before it
    with pytest.raises(StoreError):
        store.effect_done(prepared.effects[0], lambda db, pending: called.append(1))
    assert len(called) <= 1 and place.dump(store) == before
    assert store.effect_done(prepared.effects[0], lambda db, pending: called.append(2))
