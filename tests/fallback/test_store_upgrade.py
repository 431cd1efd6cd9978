"""A store that an older version made becomes this version's, and nothing that it held is lost or changed."""
import json
import sys

import pytest

from alipay_mapi.errors import SchemaError, WatchConflict
from alipay_mapi.fallback.rows import Row

import schema_one
from schema_one import ORDERS, ROWS, T
from stores_under_test import OWN, Place, at_once, becomes, claim, numbers, watched


@pytest.fixture(params=OWN[1:])
def old(request, tmp_path):
    """A place where an older version has made its store."""
    place = Place(request.param, tmp_path, new=True)
    schema_one.make(place)
    place.clock.now = T
    yield place
    place.close()


class ByHand:
    """A connection that the store has nothing to do with."""

    def __init__(self, place):
        if place.kind == "sqlite":
            import sqlite3
            self._db = sqlite3.connect(place.where)
            place.stores.append(self)

    def close(self):
        self._db.close()


def test_the_fixture_is_what_is_read_back(old):
    """So that the other tests compare with what is written out here, to the last digit."""
    found = schema_one.kept(old, ByHand(old))
    assert {table: [tuple(row) for row in rows] for table, rows in found.items()} == {
        table: sorted(rows) for table, rows in ROWS.items()}


def test_an_older_store_is_refused_with_the_command_that_upgrades_it_and_left_as_it_is(old):
    by_hand = ByHand(old)
    before = schema_one.shape(old, by_hand)
    with pytest.raises(SchemaError, match="has schema 1, this version needs 2; run alipay-mapi fallback migrate"):
        old.open()
    assert schema_one.shape(old, by_hand) == before and schema_one.kept(old, by_hand)["mapi_meta"] == [("schema", "1")]


def upgraded(place):
    store = place.open(migrate=True)
    found = schema_one.kept(place, store)
    assert found.pop("mapi_meta") == [("schema", "2")]
    assert found == {table: sorted(rows) for table, rows in ROWS.items() if table != "mapi_meta"}
    assert place.execute(store, "SELECT DISTINCT gateway FROM mapi_orders") == [("mapi",)]
    return store


def test_every_row_is_kept_byte_for_byte_and_lives_on_mapi(old):
    store = upgraded(old)
    assert store.rows() == [Row(*(row[:14] + ("mapi",))) for row in ORDERS]
    assert store.get("shop", "A2") == Row(*(ORDERS[1][:14] + ("mapi",)))


def test_the_upgraded_tables_are_those_that_this_version_makes(old, tmp_path):
    new = Place(old.kind, tmp_path, new=True)
    try:
        assert schema_one.shape(old, old.open(migrate=True)) == schema_one.shape(new, new.open())
    finally:
        new.close()


def test_an_upgraded_store_goes_on_where_it_was(old):
    store = upgraded(old)
    assert store.order_of_refund("shop", "R2").out_trade_no == "A2"
    assert claim(store) == [], "A1 is not due, and A2 is another's claim"
    assert [pending.key for pending in store.effects("w", 9, 60)] == ["shop:paid::a2"]
    held = store.get("shop", "A2")
    assert store.settle([(held, becomes("paid", due_at=None))])[0].outcome == "paid"
    assert store.get("shop", "A2").lease == "" and store.get("shop", "A2").gateway == "mapi"
    old.clock.now = T + 31
    assert [(row.key, row.attempts, row.gateway) for row in claim(store)] == [("shop:A1", 1, "mapi")]
    assert store.watch([watched("A1"), watched("B1", gateway="ams")]) == 1
    assert store.get("shop", "B1").id > 9 and store.get("shop", "B1").gateway == "ams"
    with pytest.raises(WatchConflict, match="it lives on mapi already"):
        store.watch([watched("A1", gateway="ams")])


# The servers' own sequences see to it, and SQLAlchemy's SQLite has none.
@pytest.mark.parametrize("old", ["sqlite"], indirect=True)
def test_a_number_that_was_pruned_before_is_never_another_orders(old):
    by_hand = ByHand(old)
    by_hand._db.execute("DELETE FROM mapi_orders WHERE id = 9")
    by_hand._db.commit()
    store = old.open(migrate=True)
    store.watch([watched("B1")])
    assert store.get("shop", "B1").id == 10


def upgrades(place):
    if place.kind == "sqlite":
        from alipay_mapi.fallback.stores import sqlite_schema as versions
    else:
        from alipay_mapi.fallback.stores import sql_versions as versions
    return versions.UPGRADES


def test_an_upgrade_that_was_broken_off_at_its_end_is_begun_again(old, monkeypatch):
    """MariaDB keeps the column and the index that the first one made, without the version."""
    after, real = upgrades(old)["1"]

    def breaks(*db):
        real(*db)
        raise KeyError("the power went")
    with monkeypatch.context() as broken:
        broken.setitem(upgrades(old), "1", (after, breaks))
        with pytest.raises(KeyError):
            old.open(migrate=True)
    by_hand = ByHand(old)
    assert ("gateway" in repr(schema_one.shape(old, by_hand))) == (old.kind == "mariadb")
    assert schema_one.kept(old, by_hand)["mapi_meta"] == [("schema", "1")]
    with pytest.raises(SchemaError, match="migrate"):
        old.open()
    upgraded(old)


def test_several_may_upgrade_at_once(old):
    assert at_once(*[lambda: old.open(migrate=True) and None] * 4) == [None] * 4
    upgraded(old)


@pytest.mark.parametrize("kind", ["mariadb"])
def test_an_upgrade_waits_for_whoever_reads_and_not_for_ever(kind, tmp_path, monkeypatch):
    """In MariaDB a transaction that has looked at the table holds up every change of it, for a day by itself."""
    old = Place(kind, tmp_path, new=True)
    schema_one.make(old)
    from alipay_mapi.errors import StoreError
    from alipay_mapi.fallback.stores import sql_connection
    monkeypatch.setitem(sql_connection._WAITS, "mysql", sql_connection._WAITS["mysql"].replace("10", "1"))
    with old.transaction() as run:
        run("SELECT count(*) FROM mapi_orders")
        with pytest.raises(StoreError) as caught:
            old.open(migrate=True)
        assert caught.value.reason == "locked"
    upgraded(old)
    old.close()


def test_the_command_upgrades_a_file_and_says_so(tmp_path, capsys, monkeypatch):
    from alipay_mapi.cli import main
    old = Place("sqlite", tmp_path)
    schema_one.make(old)
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["fallback", "status", "--store", old.where]) == 78
    assert "run alipay-mapi fallback migrate" in capsys.readouterr().err
    assert main(["fallback", "migrate", "--store", old.where, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["before"], told["after"]) == ("1", "2")
    assert main(["fallback", "migrate", "--store", old.where]) == 0
    assert "the store has schema 2" in capsys.readouterr().out
    assert numbers(upgraded(old).rows()) == [row[2] for row in ORDERS]
    old.close()
