"""The migration: the same for every Django, what it adds for each database, and what is said before it has run."""
import io
import sqlite3

import django
import pytest
from django.core.management import call_command
from django.db import connections, transaction

import django_setup
from alipay_mapi.contrib.django.store import models
from alipay_mapi.contrib.django.store.django_store import DjangoStore
from alipay_mapi.contrib.django.store.problems import store_error
from alipay_mapi.errors import ConfigurationError, SchemaError, WatchConflict
from alipay_mapi.fallback.rows import Row
import schema_one
from stores_under_test import START, becomes, claim, reason, watched, with_effects


def printed(*command, **options):
    out = io.StringIO()
    call_command(*command, stdout=out, no_color=True, **options)
    return out.getvalue()


def test_this_django_finds_nothing_that_the_migration_leaves_out():
    assert "No changes detected" in printed("makemigrations", "alipay_mapi_store", check=True, dry_run=True)


def test_who_applies_sql_by_hand_is_shown_all_of_it(place):
    shown = printed("sqlmigrate", "alipay_mapi_store", "0001", database=place.alias())
    for table in ("orders", "effects", "moments", "evidence"):
        assert ("CREATE TABLE" in shown and "alipay_mapi_" + table in shown)
        assert ("alipay_mapi_{} ENGINE=InnoDB, CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin".format(table)
                in shown) == (place.server == "mariadb")
    assert shown.count("last_error > ''") == (0 if place.server == "mariadb" else 2)
    assert shown.count("last_error(1)") == (2 if place.server == "mariadb" else 0)


def test_who_applies_the_second_by_hand_is_shown_the_column_with_its_default(place):
    shown = printed("sqlmigrate", "alipay_mapi_store", "0002", database=place.alias())
    assert "ADD COLUMN gateway varchar(10) DEFAULT 'mapi' NOT NULL" in shown
    assert shown.count("ALTER TABLE") == 1 and "new__" not in shown, "the table is not copied"
    assert ("ADD INDEX alipay_mapi_orders_refunds (shop, refunds(1))" in shown) == (place.server == "mariadb")
    assert ("ON alipay_mapi_orders (shop) WHERE refunds <> ''" in shown) == (place.server != "mariadb")


@pytest.fixture
def first(place):
    """An alias of a database in which 0001 alone has run, with the rows of a store of that time."""
    alias = place.alias()
    call_command("migrate", "alipay_mapi_store", "0001", database=alias, verbosity=0)
    with transaction.atomic(alias), connections[alias].cursor() as cursor:
        cursor.execute("DELETE FROM alipay_mapi_moments")
        for table, rows in schema_one.ROWS.items():
            if table != "mapi_meta":
                cursor.executemany("INSERT INTO alipay_{} VALUES ({})".format(
                    table, ", ".join(["%s"] * len(rows[0]))), rows)
    yield alias
    django_setup.migrate(alias)


def kept(alias):
    """What is in the columns of the first migration, by the driver."""
    found = {}
    for table, rows in schema_one.ROWS.items():
        if table != "mapi_meta":
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT * FROM alipay_{} ORDER BY 1".format(table))
                found[table] = [tuple(row[:len(rows[0])]) for row in cursor.fetchall()]
    return found


def expected():
    return {table: sorted(rows) for table, rows in schema_one.ROWS.items() if table != "mapi_meta"}


def columns_and_indexes(alias):
    with connections[alias].cursor() as cursor:
        found = connections[alias].introspection.get_constraints(cursor, "alipay_mapi_orders")
        names = connections[alias].introspection.get_table_description(cursor, "alipay_mapi_orders")
        return [column.name for column in names], sorted(
            (name, tuple(one["columns"] or ())) for name, one in found.items() if one["index"])


def test_the_rows_of_an_older_version_are_kept_byte_for_byte_and_live_on_mapi(place, first):
    assert kept(first) == expected(), "as they were written"
    with pytest.raises(SchemaError, match="manage.py migrate"):
        place.open().get("shop", "A1")
    with pytest.raises(SchemaError, match="manage.py migrate"):
        place.open().watch([watched("B1")])
    django_setup.migrate(first)
    assert kept(first) == expected()
    place.clock.now, store = schema_one.T, place.open()
    assert store.rows() == [Row(*(row[:14] + ("mapi",))) for row in schema_one.ORDERS]
    assert store.order_of_refund("shop", "R1").out_trade_no == "A2"
    assert [pending.key for pending in store.effects("w", 9, 60)] == ["shop:paid::a2"]
    place.clock.now += 31
    assert [row.key for row in claim(store)] == ["shop:A1"]
    with pytest.raises(WatchConflict, match="it lives on mapi already"):
        store.watch([watched("A1", gateway="ams")])


def test_a_process_of_the_version_before_goes_on_while_the_new_one_is_rolled_out(place, first):
    """Its INSERT names no gateway."""
    django_setup.migrate(first)
    place.execute(None, "INSERT INTO mapi_orders (id, shop, out_trade_no, price, facts, refunds, outcome, watched_at, "
                        "deadline, asked_at, attempts, last_error, lease, lease_until) "
                        "VALUES (77, 'shop', 'B1', '8||', '', '', 'open', 0, 0, 0, 0, '', '', 0)")
    assert place.open().get("shop", "B1").gateway == "mapi"


def test_the_second_can_be_taken_back_with_the_rows_and_indexes_of_the_first_and_made_again(place, first):
    before = columns_and_indexes(first)
    django_setup.migrate(first)
    after = columns_and_indexes(first)
    assert after[0] == before[0] + ["gateway"]
    assert [name for name, _ in set(after[1]) - set(before[1])] == ["alipay_mapi_orders_refunds"]
    call_command("migrate", "alipay_mapi_store", "0001", database=first, verbosity=0)
    assert columns_and_indexes(first) == before and kept(first) == expected()
    django_setup.migrate(first)
    assert columns_and_indexes(first) == after and kept(first) == expected()


@pytest.mark.skipif(django.VERSION < (2, 2), reason="Django 2.0 and before copy no table on an SQLite since 3.26")
@pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)
def test_an_sqlite_that_takes_no_column_away_copies_the_table_and_its_indexes(place, first, monkeypatch):
    before = columns_and_indexes(first)
    django_setup.migrate(first)
    after = columns_and_indexes(first)
    with monkeypatch.context() as older:
        older.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
        call_command("migrate", "alipay_mapi_store", "0001", database=first, verbosity=0)
    assert columns_and_indexes(first) == before and kept(first) == expected()
    django_setup.migrate(first)
    assert columns_and_indexes(first) == after and kept(first) == expected()


def test_it_can_be_taken_back_and_made_again(place, tmp_path):
    alias = place.alias()
    call_command("migrate", "alipay_mapi_store", "zero", database=alias, verbosity=0)
    assert [name for name in connections[alias].introspection.table_names() if name.startswith("alipay_mapi")] == []
    django_setup.migrate(alias)
    assert place.open().watch([watched("A1")]) == 1


def test_numbers_that_differ_in_case_are_two_orders_whatever_the_server_folds_by_itself(store, place, alias):
    if place.server == "mariadb":
        folds = place.execute(None, "SELECT 'a' = 'A'")
        assert folds == [(1,)], "this server would fold them"
    assert store.watch([watched("a1"), watched("A1")]) == 2
    assert models.Trade.objects.using(alias).filter(out_trade_no="a1").count() == 1
    store.apply("shop", "a1", becomes("paid"))
    assert store.get("shop", "A1").outcome == "open"


@pytest.mark.parametrize("text, kept", [("退款", "退款"), ("\U0001f600", "\ufffd")])
def test_a_text_for_people_is_stored_also_where_the_connection_has_fewer_characters(place, text, kept):
    """Until Django 5.2 a connection to MySQL has no characters beyond U+FFFF unless the shop says so."""
    store = place.open(charset="utf8") if place.server == "mariadb" else place.open()
    store.watch([watched("A1"), watched("A2")])
    rows = claim(store)
    store.settle([(rows[0], becomes("paid", "paid", error=text)), (rows[1], becomes("paid", "paid"))])
    kept = kept if place.server == "mariadb" else text
    assert store.get("shop", rows[0].out_trade_no).last_error == kept
    assert store.counts()["outcomes"] == {"paid": 2}


def test_before_the_migration_has_run_every_method_says_what_to_do(tmp_path):
    django_setup.add("empty", django_setup.sqlite(tmp_path / "empty.db"))
    try:
        store = DjangoStore("empty", lambda: START)
        for work in (lambda: store.watch([watched("A1")]), lambda: store.get("shop", "A1"), store.counts,
                     lambda: store.slots("s", 1, 1.0, 1.0), lambda: store.effects("w", 1, 60)):
            with pytest.raises(SchemaError, match="manage.py migrate --database=empty") as caught:
                work()
            assert caught.value.__context__ is None and "alipay_mapi.contrib.django.store" in str(caught.value)
    finally:
        django_setup.remove("empty")
    assert "run manage.py migrate, with" in str(store_error("schema", "default"))


def test_tables_that_were_taken_away_are_a_schema_error(store, place):
    alias = place.alias()
    call_command("migrate", "alipay_mapi_store", "zero", database=alias, verbosity=0)
    try:
        assert reason(lambda: store.get("shop", "A1")) == "schema"
    finally:
        django_setup.migrate(alias)


@pytest.mark.parametrize("alias", ["none", "", "elsewhere"])
def test_a_database_that_is_not_there_or_of_another_kind_is_a_mistake_in_the_settings(alias):
    django_setup.add("elsewhere", {"ENGINE": "django.db.backends.dummy", "NAME": "canary-7d1f"})
    try:
        with pytest.raises(ConfigurationError, match="DATABASES") as caught:
            DjangoStore(alias)
        assert caught.value.__context__ is None and "canary" not in str(caught.value)
    finally:
        del connections.databases["elsewhere"]


def test_models_are_shown_by_their_numbers_alone(store, alias):
    with_effects(store, "paid")
    evidence = models.Evidence.objects.using(alias).create(
        received_at=START, shop="shop", verdict="accepted", out_trade_no="A1", notify_id="n1", digest="0" * 64,
        body=b"buyer_email=a%40b.example")
    refunds = models.Refund.objects.using(alias)
    assert [str(one) for one in models.Trade.objects.using(alias)] == ["shop:A1"]
    assert [str(one) for one in models.Effect.objects.using(alias)] == ["shop:paid::A1"]
    assert str(evidence) == "{} shop:A1".format(evidence.id) and "clock" in map(
        str, models.Moment.objects.using(alias))
    assert list(refunds.all()) == []
    store.apply("shop", "A1", becomes("paid", refunds="[1]"))
    assert [str(one) for one in refunds.all()] == ["shop:A1"]


def test_a_place_among_the_refused_messages_is_taken_once_and_accepted_ones_have_none(store, alias):
    from django.db import IntegrityError, transaction

    def received(**more):
        return models.Evidence.objects.using(alias).create(received_at=START, shop="shop", verdict="x", digest="",
                                                           **more)
    bodies = [received(slot=1, body=b"").pk, received(body=bytes(range(256))).pk, received().pk]
    with pytest.raises(IntegrityError):
        with transaction.atomic(alias):
            received(slot=1)
    found = models.Evidence.objects.using(alias).order_by("id")
    assert [one.pk for one in found] == bodies and bytes(found[1].body) == bytes(range(256))
