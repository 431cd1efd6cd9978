"""The tables: made once by whoever comes first, compared with this version, brought up to it."""
import pytest

from alipay_mapi.errors import SchemaError, StoreError
from alipay_mapi.fallback.deciding import OPEN
from alipay_mapi.fallback.stores import sqlite_schema
from alipay_mapi.fallback.stores.contract import SCHEMA

from stores_under_test import OWN, Place, at_once, becomes, claim, numbers, reason, watched


@pytest.fixture(params=OWN[1:])
def fresh(request, tmp_path):
    """A place where there is no store yet."""
    place = Place(request.param, tmp_path, new=True)
    yield place
    place.close()


def upgrades(place):
    """The table of upgrades that this kind of store uses."""
    if place.kind == "sqlite":
        return sqlite_schema.UPGRADES
    from alipay_mapi.fallback.stores import sql_versions
    return sql_versions.UPGRADES


class Older:
    """A made-up schema 0, which has no mapi_moments; and what leads from it to this version's, which bears being broken
    off."""

    def __init__(self, place, monkeypatch, breaks=0):
        self.calls, self.breaks, self.place = 0, breaks, place
        monkeypatch.setitem(upgrades(place), "0", (str(SCHEMA), self.upgrade))
        store = place.open()
        store.watch([watched("A1")])
        place.execute(store, "DROP TABLE mapi_moments", "UPDATE mapi_meta SET value = '0' WHERE name = 'schema'")
        store.close()

    def upgrade(self, db, *kind):
        self.calls += 1
        run = db.exec_driver_sql if kind else db.execute
        name, real = ("VARCHAR(60)", "DOUBLE PRECISION") if kind else ("TEXT", "REAL")
        run("CREATE TABLE IF NOT EXISTS mapi_moments (name {} PRIMARY KEY, moment {} NOT NULL)".format(name, real))
        if self.calls <= self.breaks:
            raise KeyError("the power went")
        run("INSERT INTO mapi_moments VALUES ('clock', 0)")


@pytest.mark.parametrize("found, cure", [("99", "update alipay-mapi"), ("0", "migrate"), ("?", "migrate")])
def test_a_store_of_another_version_is_refused(fresh, found, cure):
    store = fresh.open()
    fresh.execute(store, "UPDATE mapi_meta SET value = '{}' WHERE name = 'schema'".format(found))
    for migrate in (False, True):
        with pytest.raises(SchemaError, match=cure):
            fresh.open(migrate=migrate)


def test_an_older_store_is_refused_until_it_is_migrated_and_keeps_its_orders(fresh, monkeypatch):
    older = Older(fresh, monkeypatch)
    with pytest.raises(SchemaError, match="migrate"):
        fresh.open()
    assert older.calls == 0
    assert numbers(claim(fresh.open(migrate=True))) == ["A1"] and older.calls == 1
    assert fresh.open().counts()["watched"] == 1


def test_migrating_a_current_store_does_nothing(fresh, monkeypatch):
    store = fresh.open()
    store.watch([watched("A1")])
    before = fresh.dump(store)
    monkeypatch.setitem(upgrades(fresh), "0", (str(SCHEMA), None))
    assert fresh.dump(fresh.open(migrate=True)) == before


def test_an_upgrade_that_was_broken_off_is_begun_again(fresh, monkeypatch):
    older = Older(fresh, monkeypatch, breaks=1)
    with pytest.raises(KeyError):
        fresh.open(migrate=True)
    assert fresh.execute(fresh.stores[0] if fresh.kind != "sqlite" else opened_by_hand(fresh),
                         "SELECT value FROM mapi_meta WHERE name = 'schema'") == [("0",)]
    with pytest.raises(SchemaError):
        fresh.open()
    assert numbers(claim(fresh.open(migrate=True))) == ["A1"] and older.calls == 2


def opened_by_hand(place):
    import sqlite3

    class Opened:
        _db = sqlite3.connect(place.where)
        close = _db.close
    place.stores.append(Opened)
    return Opened


def test_several_may_migrate_at_once_and_one_does_it(fresh, monkeypatch):
    older = Older(fresh, monkeypatch)
    assert at_once(*[lambda: fresh.open(migrate=True) and None] * 4) == [None] * 4
    assert older.calls == 1 and fresh.open().counts()["watched"] == 1


def test_several_may_make_the_store_at_once(fresh):
    assert at_once(*[lambda: fresh.open() and None] * 6) == [None] * 6
    assert fresh.open().counts()["due"] == 0


@pytest.mark.parametrize("found, cure", [("3", "update alipay-mapi"), ("1", "migrate")])
def test_a_process_that_runs_on_beside_another_version_takes_no_work(fresh, found, cure):
    store = fresh.open()
    store.watch([watched("A1"), watched("A2")])
    row, = claim(store, 1)
    fresh.execute(store, "UPDATE mapi_meta SET value = '{}' WHERE name = 'schema'".format(found))
    before = fresh.dump(store)
    for work in (lambda: claim(store), lambda: store.watch([watched("A3")]), lambda: store.effects("w", 1, 60),
                 lambda: store.slots("s", 1, 1.0, 1.0), lambda: store.prune(0.0, 1)):
        with pytest.raises(SchemaError, match=cure):
            work()
    assert fresh.dump(store) == before
    assert store.settle([(row, becomes("paid"))])[0].outcome == "paid"      # what was in hand is not lost


def test_a_missing_table_is_a_schema_error(fresh):
    store = fresh.open()
    fresh.execute(store, "DROP TABLE mapi_effects")
    assert reason(lambda: store.effects("w", 1, 60)) == "schema"


@pytest.mark.parametrize("kind", ["mariadb"])
def test_tables_that_a_killed_process_left_half_made_are_completed(kind, tmp_path):
    """MariaDB commits after every CREATE; the version is written last."""
    place = Place(kind, tmp_path, new=True)
    from alipay_mapi.fallback.stores.sql_schema import TABLES
    store = place.open()
    place.execute(store, "DROP TABLE mapi_effects", "DELETE FROM mapi_moments", "DELETE FROM mapi_meta",
                  "DROP INDEX mapi_orders_due ON mapi_orders")
    store.close()
    store = place.open()
    store.watch([watched("A1")])
    assert numbers(claim(store)) == ["A1"] and len(TABLES) == 4
    place.close()


def test_orders_without_a_version_are_never_taken_for_half_made_tables(fresh):
    store = fresh.open()
    store.watch([watched("A1")])
    fresh.execute(store, "DELETE FROM mapi_meta")
    for migrate in (False, True):
        with pytest.raises(SchemaError):
            fresh.open(migrate=migrate)
    assert fresh.execute(store, "SELECT outcome FROM mapi_orders") == [(OPEN,)]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_whoever_waits_too_long_for_the_one_who_makes_the_store_says_locked(kind, tmp_path, monkeypatch):
    place = Place(kind, tmp_path, new=True)
    import sqlalchemy
    from alipay_mapi.fallback.stores import sql_connection, sql_versions
    engine = sqlalchemy.create_engine(place.where)
    monkeypatch.setitem(sql_connection._WAITS, "postgresql", "SET lock_timeout = '50ms'")
    monkeypatch.setitem(sql_versions._LOCK, "mysql", sql_versions._LOCK["mysql"].replace("10)", "0)"))
    with engine.begin() as db:
        db.exec_driver_sql(sql_versions._LOCK["mysql" if kind == "mariadb" else kind])
        with pytest.raises(StoreError) as caught:
            place.open()
        assert caught.value.reason == "locked"
    with engine.begin() as db:
        if kind == "mariadb":
            db.exec_driver_sql(sql_versions._FREE["mysql"])
    engine.dispose()
    place.open()
    place.close()
