"""The migration: the same for every Django, what it adds for each database, and what is said before it has run."""
import io

import pytest
from django.core.management import call_command
from django.db import connections

import django_setup
from alipay_mapi.contrib.django.store import models
from alipay_mapi.contrib.django.store.django_store import DjangoStore
from alipay_mapi.contrib.django.store.problems import store_error
from alipay_mapi.errors import ConfigurationError, SchemaError
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
