"""The Django store inside the shop's own transactions, and the shop's writes inside the store's."""
import pytest
from django.db import Error, IntegrityError, connections, transaction

from alipay_mapi.errors import WatchConflict
from alipay_mapi.fallback.rows import Watched
from stores_under_test import START, at_once, becomes, by_hand, numbers, order, reason, watched, with_effects

PAID = becomes("paid", "paid", fact="1")


def sold(shop):
    return sorted(shop.values_list("number", flat=True))


# --- inside the shop's transaction ----------------------------------------------------------------------------------

def test_an_order_watched_beside_the_shops_own_row_is_kept_with_it(store, alias, shop):
    with transaction.atomic(alias):
        shop.create(number="A1")
        assert store.watch([watched("A1")]) == 1
    assert sold(shop) == ["A1"] and store.get("shop", "A1").due_at == START


def test_an_order_watched_beside_the_shops_own_row_is_undone_with_it(store, alias, shop):
    with pytest.raises(KeyError):
        with transaction.atomic(alias):
            shop.create(number="A1")
            store.watch([watched("A1")])
            assert store.get("shop", "A1").due_at == START
            raise KeyError("the shop's own code")
    assert sold(shop) == [] and store.get("shop", "A1") is None and store.watch([watched("A1")]) == 1


def test_what_the_store_refuses_is_undone_alone_and_the_shops_transaction_goes_on(store, alias, shop):
    store.watch([watched("A1")])
    with transaction.atomic(alias):
        shop.create(number="A2")
        with pytest.raises(WatchConflict):
            store.watch([watched("A0"), Watched("shop", order("A1", "10.01"), 0, 60)])
        with pytest.raises(KeyError):
            store.apply("shop", "A1", lambda row: {}["a bug"])
        store.watch([watched("A2")])
    assert sold(shop) == ["A2"] and numbers(store.rows()) == ["A1", "A2"]


def test_an_error_of_the_database_inside_the_shops_transaction_leaves_it_usable(store, alias, shop, place):
    with transaction.atomic(alias):
        shop.create(number="A1")
        place.execute(None, "SELECT 1")
        before, connections[alias].create_cursor = connections[alias].create_cursor, None
        connections[alias].create_cursor = lambda *name: Refusing(before(*name))
        try:
            assert reason(lambda: store.watch([watched("A1")])) == "schema"
        finally:
            del connections[alias].create_cursor
        assert store.watch([watched("A2")]) == 1
    assert sold(shop) == ["A1"] and numbers(store.rows()) == ["A2"]


class Refusing:
    """A cursor of a database without the store's tables."""

    def __init__(self, cursor):
        self._cursor = cursor

    def execute(self, statement, *values):
        return self._cursor.execute(statement.replace("alipay_mapi_moments", "no_such_table"), *values)

    def __getattr__(self, name):
        return getattr(self._cursor, name)


def test_a_transaction_that_the_shop_has_broken_is_told_and_nothing_is_written(store, alias, shop):
    with transaction.atomic(alias):
        try:
            with transaction.atomic(alias, savepoint=False):
                raise KeyError("the shop's own code")
        except KeyError:
            pass
        assert reason(lambda: store.watch([watched("A1")])) == "TransactionManagementError"
    assert store.get("shop", "A1") is None


# Django 1.11 has no transactions by hand on SQLite.
@pytest.mark.parametrize("place", ["django-postgresql", "django-mariadb"], indirect=True)
def test_a_shop_that_commits_by_hand_decides_what_is_kept(store, alias, shop):
    transaction.set_autocommit(False, alias)
    try:
        store.watch([watched("A1")])
        transaction.rollback(alias)
        store.watch([watched("A2")])
        transaction.commit(alias)
    finally:
        transaction.rollback(alias)
        transaction.set_autocommit(True, alias)
    assert numbers(store.rows()) == ["A2"]


def test_every_read_works_inside_a_transaction(store, alias):
    store.watch([watched("A1")])
    with transaction.atomic(alias):
        assert numbers(store.due(5)) == numbers(store.rows()) == ["A1"] and store.counts()["due"] == 1
        assert store.now() == START and store.get("shop", "A1").attempts == 0


def test_closing_leaves_a_transaction_of_the_shop_alone(store, alias, shop):
    store.watch([watched("A1")])
    with transaction.atomic(alias):
        shop.create(number="A1")
        store.close()
        shop.create(number="A2")
    assert sold(shop) == ["A1", "A2"]


# --- the shop's writes inside the store's transaction -----------------------------------------------------------------

def pending_of(store):
    with_effects(store, "paid")
    return store.effects("w", 1, 60)[0]


def test_what_the_shop_writes_by_its_models_is_kept_with_the_record(store, alias, shop):
    pending = pending_of(store)

    def ship(db, effect):
        assert db is connections[alias] and db.in_atomic_block
        shop.create(number=effect.out_trade_no)
    assert store.effect_done(pending, ship) and not store.effect_done(pending, ship)
    assert sold(shop) == ["A1"] and store.counts()["effects"] == 0


def test_what_the_shop_writes_is_undone_with_the_record(store, shop):
    pending = pending_of(store)

    def ship(db, effect):
        shop.create(number="A1")
        raise IntegrityError("an error of a class that the database raises itself")
    with pytest.raises(IntegrityError, match="of a class"):
        store.effect_done(pending, ship)
    assert sold(shop) == [] and store.counts()["effects"] == 1
    assert store.effect_done(pending, lambda db, effect: shop.create(number="A1"))


def marks_for_rollback(alias, shop):
    transaction.set_rollback(True, alias)


def swallows_an_error_of_a_model(alias, shop):
    """Django marks the whole block to be undone."""
    for _ in range(2):
        try:
            shop.create(number="A1")
        except Error:
            pass


def closes_the_connection(alias, shop):
    connections[alias].close()


def commits(alias, shop):
    by_hand(connections[alias], "COMMIT")


def rolls_back(alias, shop):
    by_hand(connections[alias], "ROLLBACK")


@pytest.mark.parametrize("breaks", [marks_for_rollback, swallows_an_error_of_a_model, closes_the_connection, commits,
                                    rolls_back])
def test_a_handler_that_breaks_the_transaction_is_told_and_the_effect_is_still_to_do(store, alias, shop, breaks):
    pending = pending_of(store)
    assert reason(lambda: store.effect_done(pending, lambda db, effect: breaks(alias, shop))) == "handler"
    assert store.counts()["effects"] == 1 and sold(shop) == []
    store.effect_failed(pending, "told", 0)
    again, = store.effects("w", 1, 60)
    assert store.effect_done(again, lambda db, effect: shop.create(number="A1")) and sold(shop) == ["A1"]


def test_a_handler_may_guard_its_own_writes(store, alias, shop):
    def ship(db, effect):
        for _ in range(2):
            try:
                with transaction.atomic(alias):
                    shop.create(number="A1")
            except IntegrityError:
                pass
    assert store.effect_done(pending_of(store), ship) and sold(shop) == ["A1"]


def test_an_effect_within_is_carried_out_once_by_two_who_hold_it(store, place, shop):
    """The second had its claim copied: a process that was taken for dead and was not."""
    pending, other = pending_of(store), place.open()
    results = at_once(*[lambda one=one: one.effect_done(pending, lambda db, effect: by_hand(
        db, "INSERT INTO sales_sale VALUES ('A1')")) for one in (store, other)])
    assert sorted(map(str, results)) == ["False", "True"] and sold(shop) == ["A1"]


def test_what_a_handler_asks_for_on_commit_happens_when_the_record_is_kept(store, alias):
    pending, seen = pending_of(store), []

    def ship(db, effect):
        transaction.on_commit(lambda: seen.append(store.counts()["effects"]), using=alias)
    with pytest.raises(KeyError):
        store.effect_done(pending, lambda db, effect: ship(db, effect) or {}["a bug"])
    assert seen == []
    store.effect_done(pending, ship)
    assert seen == [0]


# --- a notification ---------------------------------------------------------------------------------------------------

#: On a server, a handler has a transaction of its own.
on_sqlite = pytest.mark.parametrize("place", ["django-sqlite"], indirect=True)


@pytest.fixture
def sqlite(alias):
    return connections[alias]


@on_sqlite
def test_state_evidence_and_effect_are_one_transaction_on_sqlite(sqlite, store, shop):
    store.watch([watched("A1")])
    statements = []
    sqlite.connection.set_trace_callback(lambda text: statements.append(text))
    taken = store.take_in("shop", "A1", PAID, "w", 60, lambda db, pending: shop.create(number="A1"),
                          lambda decision: shop.create(number="message"))
    sqlite.connection.set_trace_callback(None)
    assert taken.done and sold(shop) == ["A1", "message"] and store.counts()["effects"] == 0
    # Three savepoints: the shop's rows by the ORM, and the handler.
    assert [one for one in statements if one.startswith(("BEGIN", "COMMIT", "PRAGMA synchronous"))] == [
        "PRAGMA synchronous", "BEGIN", "COMMIT"]


@on_sqlite
@pytest.mark.parametrize("how", ["ended", "broken"])
def test_a_transaction_that_ended_without_a_word_is_told_and_success_is_not_said(sqlite, store, how):
    """Hostile: whoever keeps evidence swallows an error after which SQLite or Django undoes the transaction."""
    store.watch([watched("A1")])

    def swallowed(decision):
        if how == "ended":
            by_hand(sqlite, "ROLLBACK")
        else:
            sqlite.needs_rollback = True
    assert reason(lambda: store.take_in("shop", "A1", PAID, beside=swallowed)) in ("undone", "OperationalError")
    assert store.get("shop", "A1").outcome == "open" and store.counts()["effects"] == 0
    store.take_in("shop", "A1", PAID)
    assert store.get("shop", "A1").outcome == "paid"


@on_sqlite
def test_whoever_looks_at_djangos_statements_sees_the_stores(sqlite, store):
    store.watch([watched("A1")])
    before, sqlite.force_debug_cursor = sqlite.force_debug_cursor, True
    sqlite.queries_log.clear()
    try:
        store.take_in("shop", "A1", PAID)
    finally:
        sqlite.force_debug_cursor = before
    assert any("alipay_mapi_orders SET facts" in one["sql"] for one in sqlite.queries_log)
    sqlite.queries_log.clear()
