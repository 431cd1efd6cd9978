"""Every store keeps the one contract: memory, an SQLite file, SQLAlchemy on SQLite, PostgreSQL and MariaDB.

The clock is the test's, but where it says "the database's own". Servers are real ones, see servers.py.
"""
import os
import sqlite3
import threading
import time
import uuid

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import alipay_mapi as mapi
from alipay_mapi.errors import InvalidRequest, OrderNotFound, SchemaError, StoreError, WatchConflict
from alipay_mapi.fallback.deciding import FINAL, GAVE_UP, OPEN, Decision
from alipay_mapi.fallback.facts import from_text
from alipay_mapi.fallback.rows import Watched, effect_key
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.trade_state import Effect, TradeState

import servers

START = 1700000000.0
KINDS = ["memory", "sqlite", "sqlalchemy-sqlite", "postgresql", "mariadb"]


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Place:
    """Where a kind of store is kept; ``open`` connects once more, as another process would."""

    def __init__(self, kind, folder):
        self.kind, self.clock, self.stores = kind, Clock(), []
        if kind == "memory":
            self.where = ":memory:"
        elif kind == "sqlite":
            self.where = os.path.join(str(folder), "store-{}.db".format(uuid.uuid4().hex))
        elif kind == "sqlalchemy-sqlite":
            pytest.importorskip("sqlalchemy")
            self.where = "sqlite:///" + os.path.join(str(folder), "store-{}.db".format(uuid.uuid4().hex))
        else:
            self.where = getattr(servers, kind)().database()

    def open(self, clock=True, **more):
        clock = self.clock if clock is True else clock
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
        """By hand, past the store."""
        if self.kind in ("memory", "sqlite"):
            for statement in statements:
                store._db.execute(statement)
        else:
            import sqlalchemy
            with sqlalchemy.create_engine(self.where).begin() as db:
                for statement in statements:
                    db.exec_driver_sql(statement)

    def close(self):
        for store in self.stores:
            store.close()


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    place = Place(request.param, tmp_path)
    yield place
    place.close()


@pytest.fixture
def store(place):
    return place.open()


def order(number, fee="10.00"):
    return mapi.Order(number, total_fee=fee, currency="USD")


def watched(number, first_in=0, closes_in=3600, shop="shop"):
    return Watched(shop, order(number), first_in, closes_in)


def in_a_minute(row):
    return row.asked_at + 60


def becomes(outcome, *kinds, due_at=None, fact=None, error=""):
    """A change: this outcome, with effects of these kinds that the state has not had."""
    def change(row):
        state = from_text(row.order, row.facts)
        new = tuple(Effect(kind, row.out_trade_no) for kind in kinds)
        new = tuple(effect for effect in new if effect not in state.done)
        return Decision(TradeState(state.order, paid_trades=state.paid_trades | ({fact} if fact else set()),
                                   done=state.done | set(new)), outcome, due_at, new, error)
    return change


def claim(store, limit=10, worker="w", lease=60, again=in_a_minute, shops=None):
    return store.claim(worker, limit, lease, again, shops)


def numbers(rows):
    return [row.out_trade_no for row in rows]


# --- watching ---------------------------------------------------------------------------------------------------------

def test_a_watched_order_is_stored_as_it_was_given(store):
    assert store.watch([watched("A1", 60, 43200)]) == 1
    row = store.get("shop", "A1")
    assert (row.order, row.outcome, row.attempts, row.lease, row.facts) == (order("A1"), OPEN, 0, "", "")
    assert (row.watched_at, row.due_at, row.deadline) == (START, START + 60, START + 43200)
    assert store.get("shop", "A2") is None and store.get("other", "A1") is None


def test_watching_again_changes_nothing_however_the_price_is_written(store, place):
    store.watch([watched("A1", 60)])
    place.clock.now += 30
    again = Watched("shop", mapi.Order("A1", total_fee="10", currency="USD"), 60, 9999)
    assert store.watch([again, watched("A2"), watched("A2")]) == 1
    assert store.get("shop", "A1").due_at == START + 60


def test_another_price_is_a_conflict_and_nothing_of_the_call_is_added(store):
    store.watch([watched("A1")])
    with pytest.raises(WatchConflict):
        store.watch([watched("A0"), Watched("shop", order("A1", "10.01"), 0, 60)])
    with pytest.raises(WatchConflict):
        store.watch([watched("B1"), Watched("shop", order("B1", "0.01"), 0, 60)])
    assert store.get("shop", "A0") is None and store.get("shop", "B1") is None
    assert store.watch([Watched("other", order("A1", "10.01"), 0, 60)]) == 1


def test_numbers_compare_byte_for_byte(store):
    assert store.watch([watched("a1"), watched("A1"), watched("A1.")]) == 3
    assert store.get("shop", "A1 ") is None and store.get("SHOP", "A1") is None
    with pytest.raises(OrderNotFound):
        store.apply("shop", "A1 ", becomes("paid"))


@pytest.mark.parametrize("number", ["A" * 65, "A1 ", " A1", "Ä1", "A\0", "A\ud800", "A\n"])
def test_a_number_that_alipay_would_not_take_is_refused(store, number):
    with pytest.raises(InvalidRequest):
        store.watch([watched(number)])


@pytest.mark.parametrize("shop", ["", "a:b", "a b", "x" * 41, "\u0661", None])
def test_a_shop_name_that_would_make_keys_ambiguous_is_refused(store, shop):
    with pytest.raises(InvalidRequest):
        store.watch([watched("A1", shop=shop)])


def test_two_that_watch_the_same_orders_at_once_both_succeed(place):
    stores = [place.open(), place.open()]
    entries = [watched("A{}".format(i)) for i in range(200)]
    results = at_once(lambda: stores[0].watch(entries), lambda: stores[1].watch(list(reversed(entries))))
    assert all(isinstance(result, int) for result in results), results
    assert stores[0].counts()["outcomes"] == {OPEN: 200}


# --- claiming ---------------------------------------------------------------------------------------------------------

def test_due_orders_are_claimed_oldest_first_and_no_others(store):
    store.watch([watched("A1", -10), watched("A2", -30), watched("A3", 5), watched("A4", -20)])
    assert numbers(store.due(10)) == ["A2", "A4", "A1"]
    assert numbers(claim(store, 2)) == ["A2", "A4"]
    assert numbers(claim(store)) == ["A1"]
    assert claim(store) == [] and store.due(10) == []


def test_a_claim_is_for_the_shops_that_were_asked_for(store):
    store.watch([watched("A1"), watched("B1", shop="b")])
    assert claim(store, shops=[]) == [] and claim(store, shops=["c"]) == []
    assert numbers(claim(store, shops=["b", "c"])) == ["B1"]


def test_a_claimed_row_says_since_when_it_was_due_and_counts_the_question(store, place):
    store.watch([watched("A1", 10)])
    place.clock.now += 15
    row, = claim(store, worker="w1")
    assert (row.due_at, row.asked_at, row.attempts) == (START + 10, START + 15, 1) and row.lease.startswith("w1#")
    assert store.get("shop", "A1") == row._replace(due_at=START + 75)


def test_a_claim_that_nobody_ends_is_free_after_its_lease_and_its_interval(store, place):
    store.watch([watched("A1")])
    first, = claim(store, lease=30)
    place.clock.now += 59
    assert claim(store) == []       # the interval is longer
    place.clock.now += 1
    second, = claim(store, lease=90)
    assert second.attempts == 2 and second.lease != first.lease
    place.clock.now += 89
    assert claim(store) == []       # the lease is longer
    place.clock.now += 1
    assert len(claim(store)) == 1


def test_released_orders_are_due_as_they_were_and_were_not_asked_about(store):
    store.watch([watched("A1", -10), watched("A2", -20)])
    store.release(claim(store))
    assert [(row.out_trade_no, row.due_at, row.attempts, row.lease) for row in store.due(10)] == [
        ("A2", START - 20, 0, ""), ("A1", START - 10, 0, "")]
    assert numbers(claim(store)) == ["A2", "A1"]


def test_releasing_a_lost_claim_changes_nothing(store, place):
    store.watch([watched("A1")])
    lost = claim(store)
    place.clock.now += 60
    mine, = claim(store)
    store.release(lost)
    assert store.get("shop", "A1").lease == mine.lease and claim(store) == []


def test_two_connections_claim_disjoint_rows(place):
    stores = [place.open(), place.open()]
    stores[0].watch([watched("A{:03}".format(i)) for i in range(120)])
    got = [[], []]

    def drain(at):
        while True:
            rows = claim(stores[at], 7, worker="w{}".format(at))
            if not rows:
                return
            got[at] += numbers(rows)
    assert at_once(lambda: drain(0), lambda: drain(1)) == [None, None]
    # Rows that one has locked are invisible to the other where they can be skipped; nobody waits, nothing is lost.
    got[0] += numbers(claim(stores[0], 500))
    assert sorted(got[0] + got[1]) == ["A{:03}".format(i) for i in range(120)]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_rows_that_another_transaction_holds_are_skipped_and_not_waited_for(kind, tmp_path):
    import sqlalchemy
    place = Place(kind, tmp_path)
    store = place.open()
    assert store._kind.skips and store._kind.tables
    store.watch([watched("A1", -2), watched("A2", -1)])
    with sqlalchemy.create_engine(place.where, isolation_level="READ COMMITTED").begin() as db:
        db.exec_driver_sql("SELECT id FROM mapi_orders WHERE shop = 'shop' AND out_trade_no = 'A1' FOR UPDATE").fetchall()
        assert numbers(claim(store)) == ["A2"]
    assert numbers(claim(store)) == ["A1"]
    place.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_claim_locks_no_more_rows_than_it_takes(kind, tmp_path):
    """While one claims, in the middle of its transaction, another claims the rest."""
    place = Place(kind, tmp_path)
    store, other, got = place.open(), place.open(), []
    store.watch([watched("A{:03}".format(i)) for i in range(100)])

    def meanwhile(row):
        got.extend(numbers(claim(other, 100)))
        return in_a_minute(row)
    assert numbers(claim(store, 1, again=meanwhile)) == ["A000"]
    assert sorted(got) == ["A{:03}".format(i) for i in range(1, 100)]
    place.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_an_old_server_without_skip_locked_and_json_tables_keeps_the_contract(kind, tmp_path):
    place = Place(kind, tmp_path)
    stores = [place.open(), place.open()]
    for store in stores:
        store._kind = store._kind._replace(skips=False, tables=False)
    stores[0].watch([watched("A{:02}".format(i)) for i in range(40)])
    got = at_once(lambda: claim(stores[0], 20), lambda: claim(stores[1], 20))
    assert sorted(numbers(got[0]) + numbers(got[1])) == ["A{:02}".format(i) for i in range(40)]
    assert [d.outcome for d in stores[0].settle([(row, becomes("paid", "paid")) for row in got[0]])] == ["paid"] * 20
    stores[1].release(got[1])
    assert stores[0].counts()["outcomes"] == {"paid": 20, OPEN: 20} and stores[0].counts()["due"] == 20
    assert len(stores[0].effects("w", 50, 60)) == 20
    place.close()


@pytest.mark.parametrize("kind", KINDS[2:])
def test_the_lease_and_the_schedule_are_by_the_databases_own_clock(kind, tmp_path, monkeypatch):
    """A host whose clock is a day ahead gets nothing; the lease ends when the database says so."""
    place = Place(kind, tmp_path)
    store = place.open(clock=None)
    store.watch([watched("A1"), watched("A2", 3600)])
    if kind != "sqlalchemy-sqlite":     # that one runs on the host
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 86400)
    assert abs(store.get("shop", "A1").watched_at - store.now()) < 60
    first, = claim(store, lease=0.5, again=lambda row: row.asked_at)
    until, second = time.monotonic() + 30, []
    while not second and time.monotonic() < until:
        second = claim(store, lease=60)
    assert numbers(second) == ["A1"] and 0.5 <= second[0].asked_at - first.asked_at < 30
    place.close()


# --- settling ---------------------------------------------------------------------------------------------------------

def test_a_settled_order_has_its_facts_outcome_and_effects_and_no_claim(store, place):
    store.watch([watched("A1"), watched("A2")])
    rows = claim(store)
    decisions = store.settle([(rows[0], becomes("paid", "paid", fact="2026")),
                              (rows[1], becomes(OPEN, due_at=START + 500, error="TransportError: no answer"))])
    assert [decision.outcome for decision in decisions] == ["paid", OPEN]
    paid, waiting = store.get("shop", "A1"), store.get("shop", "A2")
    assert (paid.outcome, paid.due_at, paid.lease, paid.last_error) == ("paid", None, "", "")
    assert from_text(paid.order, paid.facts).paid_trades == {"2026"}
    assert (waiting.outcome, waiting.due_at, waiting.last_error) == (OPEN, START + 500, "TransportError: no answer")
    pending, = store.effects("w", 10, 60)
    assert (pending.key, pending.effect, pending.order, pending.attempts) == (
        "shop:paid::A1", Effect("paid", "A1"), order("A1"), 1)
    place.clock.now += 500
    assert numbers(claim(store)) == ["A2"]


def test_when_a_change_raises_nothing_of_the_call_is_written(store):
    store.watch([watched("A1"), watched("A2")])
    rows = claim(store)

    def fails(row):
        raise InvalidRequest("these facts cannot be read")
    with pytest.raises(InvalidRequest):
        store.settle([(rows[0], becomes("paid", "paid")), (rows[1], fails)])
    with pytest.raises(InvalidRequest):
        store.apply("shop", "A1", fails)
    assert store.get("shop", "A1") == rows[0]._replace(due_at=START + 60)
    assert store.effects("w", 10, 60) == []
    store.settle([(rows[0], becomes("paid", "paid"))])      # and the store is as usable as before
    assert store.get("shop", "A1").outcome == "paid"


def test_a_lost_claim_adds_its_facts_and_leaves_the_new_claim_alone(store, place):
    store.watch([watched("A1")])
    lost, = claim(store, worker="slow")
    place.clock.now += 60
    mine, = claim(store, worker="fast")
    store.settle([(lost, becomes(OPEN, due_at=START + 61, fact="2026"))])
    row = store.get("shop", "A1")
    assert row.lease == mine.lease and row.due_at == START + 120 and "2026" in row.facts
    place.clock.now += 59
    assert claim(store) == []
    store.settle([(mine, becomes("paid", "paid"))])
    assert store.get("shop", "A1").outcome == "paid"


def test_a_lost_claim_may_settle_the_order_and_the_second_answer_has_no_second_effect(store, place):
    store.watch([watched("A1")])
    lost, = claim(store)
    place.clock.now += 60
    mine, = claim(store)
    store.settle([(lost, becomes("paid", "paid"))])
    row = store.get("shop", "A1")
    assert row.due_at is None and row.lease == mine.lease
    store.settle([(mine, becomes("paid", "paid"))])
    row = store.get("shop", "A1")
    assert (row.due_at, row.lease) == (None, "") and store.counts()["effects"] == 1


def test_an_order_that_was_expired_meanwhile_and_is_open_again_has_a_moment(store, place):
    store.watch([watched("A1")])
    lost, = claim(store)
    place.clock.now += 60
    mine, = claim(store)
    store.settle([(mine, becomes("expired"))])
    store.settle([(lost, becomes(OPEN, due_at=START + 400))])
    assert store.get("shop", "A1").due_at == START + 400


def test_the_same_order_twice_in_one_call_is_changed_twice(store):
    store.watch([watched("A1")])
    row, = claim(store)
    store.settle([(row, becomes(OPEN, fact="1", due_at=START + 9)), (row, becomes("paid", "paid", fact="2"))])
    row = store.get("shop", "A1")
    assert from_text(row.order, row.facts).paid_trades == {"1", "2"} and row.lease == ""


def test_a_row_that_was_deleted_by_hand_holds_up_nobody(store, place):
    store.watch([watched("A1"), watched("A2")])
    rows = claim(store)
    place.execute(store, "DELETE FROM mapi_orders WHERE out_trade_no = 'A1'")
    assert [d and d.outcome for d in store.settle([(row, becomes("paid", "paid")) for row in rows])] == [None, "paid"]


def test_a_notification_is_applied_without_ending_the_claim(store):
    store.watch([watched("A1")])
    row, = claim(store)
    assert store.apply("shop", "A1", becomes(OPEN, fact="1", due_at=START + 1)).outcome == OPEN
    stored = store.get("shop", "A1")
    assert stored.lease == row.lease and stored.due_at == START + 60
    seen = []
    store.settle([(row, lambda stored: seen.append(stored.facts) or becomes("paid", "paid", fact="2")(stored))])
    assert "1" in seen[-1]      # the answer is applied to what the notification left
    assert from_text(order("A1"), store.get("shop", "A1").facts).paid_trades == {"1", "2"}


def test_a_notification_for_an_order_that_is_not_watched_says_so(store):
    with pytest.raises(OrderNotFound):
        store.apply("shop", "A1", becomes("paid"))


def test_notification_and_answer_at_once_have_one_effect(place):
    stores = [place.open(), place.open()]
    names = ["A{:02}".format(i) for i in range(30)]
    stores[0].watch([watched(name) for name in names])
    rows = claim(stores[0], 30)

    def notified():
        for name in reversed(names):
            stores[1].apply("shop", name, becomes("paid", "paid", fact="n"))

    def answered():
        for at in range(0, 30, 5):
            stores[0].settle([(row, becomes("paid", "paid", fact="q")) for row in rows[at:at + 5]])
    assert at_once(notified, answered) == [None, None]
    assert stores[0].counts()["effects"] == 30
    for name in names:
        row = stores[0].get("shop", name)
        assert from_text(row.order, row.facts).paid_trades == {"n", "q"} and row.lease == ""


# --- effects ----------------------------------------------------------------------------------------------------------

def with_effects(store, *kinds, number="A1"):
    store.watch([watched(number)])
    for kind in kinds:
        store.apply("shop", number, becomes(OPEN, kind, due_at=START))


def kinds(pendings):
    return [(pending.out_trade_no, pending.kind) for pending in pendings]


def test_effects_of_an_order_come_one_at_a_time_in_their_order(store, place):
    with_effects(store, "paid", "refunded", "needs_a_person")
    with_effects(store, "closed", number="A2")
    first = store.effects("w", 10, 60)
    assert kinds(first) == [("A1", "paid"), ("A2", "closed")]
    assert store.effects("other", 10, 60) == []
    assert store.effect_done(first[0]) and not store.effect_done(first[0])
    second, = store.effects("w", 10, 60)
    assert second.kind == "refunded"
    store.effect_failed(second, "ValueError: no", 30)
    assert store.effects("w", 10, 60) == []     # the third waits for the second
    place.clock.now += 30
    second, = store.effects("w", 10, 60)
    assert (second.kind, second.attempts) == ("refunded", 2)
    store.effect_done(second)
    assert kinds(store.effects("w", 10, 60)) == [("A1", "needs_a_person")]


def test_an_effect_comes_again_with_its_key_when_its_worker_is_gone(store, place):
    with_effects(store, "paid")
    first, = store.effects("w", 10, 60)
    place.clock.now += 59
    assert store.effects("w", 10, 60) == []
    place.clock.now += 1
    second, = store.effects("w", 10, 60)
    assert (second.key, second.attempts) == (first.key, 2)
    store.effect_failed(first, "too late to say so", 9999)      # the new claim is not his
    assert store.effect_done(first)         # he has carried it out, and it is not to be done once more
    assert not store.effect_done(second) and store.counts()["effects"] == 0


def test_effects_that_were_not_begun_are_handed_out_again_at_once(store):
    with_effects(store, "paid")
    store.release_effects(store.effects("w", 10, 60))
    again, = store.effects("w", 10, 60)
    assert again.attempts == 1


def test_the_effects_of_one_order_can_be_asked_for(store):
    with_effects(store, "paid")
    with_effects(store, "closed", number="A2")
    assert kinds(store.effects("w", 10, 60, only=("shop", "A2"))) == [("A2", "closed")]
    assert store.effects("w", 10, 60, only=("other", "A1")) == []


def test_an_effect_is_kept_once_under_its_key_even_if_the_state_forgot_it(store):
    store.watch([watched("A1")])
    again = Decision(TradeState(order("A1")), "paid", None, (Effect("paid", "A1"),))
    store.apply("shop", "A1", lambda row: again)
    store.apply("shop", "A1", lambda row: again)
    assert store.counts()["effects"] == 1


@pytest.mark.parametrize("detail", ["gave up: " + "x" * 300, "退款 " * 60, "\0\ud800\n" * 50, "%:" * 100])
def test_a_long_or_odd_detail_has_a_short_key_and_is_stored(store, detail):
    effect, other = Effect("needs_a_person", "A1", detail), Effect("needs_a_person", "A1", detail + "!")
    store.watch([watched("A1")])
    store.apply("shop", "A1", lambda row: Decision(TradeState(row.order, done=frozenset([effect, other])), OPEN, START,
                                                   (effect, other), detail))
    assert store.counts()["effects"] == 2 and len(effect_key("shop", effect)) <= 180
    assert from_text(order("A1"), store.get("shop", "A1").facts).done == {effect, other}
    assert store.effects("w", 1, 60)[0].key == effect_key("shop", effect)


def test_an_effect_within_the_transaction_is_kept_with_its_record_or_not_at_all(store, place):
    place.execute(store, "CREATE TABLE shipped (effect_key VARCHAR(200) PRIMARY KEY)")
    with_effects(store, "paid", "refunded")

    def ship(db, pending):
        statement = "INSERT INTO shipped VALUES ('{}')".format(pending.key)
        db.exec_driver_sql(statement) if hasattr(db, "exec_driver_sql") else db.execute(statement)

    def breaks(db, pending):
        ship(db, pending)
        raise KeyError("the shop's own code")
    first, = store.effects("w", 10, 60)
    with pytest.raises(KeyError):
        store.effect_done(first, within=breaks)
    assert shipped(store, place) == [] and store.counts()["effects"] == 2
    assert store.effect_done(first, within=ship)
    assert not store.effect_done(first, within=breaks)      # and the handler is not called again
    assert shipped(store, place) == ["shop:paid::A1"] and store.counts()["effects"] == 1


def test_a_lost_lease_does_not_carry_out_an_effect_within_the_transaction(store, place):
    with_effects(store, "paid")
    lost, = store.effects("w", 10, 60)
    place.clock.now += 60
    mine, = store.effects("w", 10, 60)
    called = []
    assert not store.effect_done(lost, within=lambda db, pending: called.append(1))
    assert store.effect_done(mine, within=lambda db, pending: called.append(2)) and called == [2]


def test_an_error_of_the_database_in_the_shops_own_statement_is_the_shops(store, place):
    with_effects(store, "paid")
    pending, = store.effects("w", 10, 60)

    def wrong(db, pending):
        statement = "INSERT INTO no_such_table VALUES (1)"
        db.exec_driver_sql(statement) if hasattr(db, "exec_driver_sql") else db.execute(statement)
    with pytest.raises(Exception) as caught:
        store.effect_done(pending, within=wrong)
    assert not isinstance(caught.value, StoreError)
    assert store.effect_done(pending)


def test_a_handler_that_commits_by_itself_is_told(store):
    with_effects(store, "paid")
    pending, = store.effects("w", 10, 60)
    with pytest.raises(StoreError) as caught:
        store.effect_done(pending, within=lambda db, pending: db.commit() if hasattr(db, "commit")
                          else db.get_transaction().commit())
    assert caught.value.reason == "handler"


def test_two_workers_carry_out_each_effect_once_and_in_order(place):
    stores = [place.open(), place.open()]
    for number in range(12):
        with_effects(stores[0], "paid", "refunded", number="A{:02}".format(number))
    carried, lock = [], threading.Lock()

    def work(store):
        while True:
            found = store.effects("w", 3, 60)
            if not found and not store.counts()["effects"]:
                return
            for pending in found:
                with lock:
                    carried.append(pending.key)
                store.effect_done(pending)
    assert at_once(lambda: work(stores[0]), lambda: work(stores[1])) == [None, None]
    assert len(carried) == len(set(carried)) == 24
    for number in range(12):
        assert (carried.index("shop:paid::A{:02}".format(number))
                < carried.index("shop:refunded::A{:02}".format(number)))


# --- the shared rate, reports -----------------------------------------------------------------------------------------

def test_slots_are_one_rate_for_everybody(store, place):
    other = place.open()
    assert store.slots("shop", 5, 10.0, 1.0) == (5, 0.0)
    free, first = other.slots("shop", 3, 10.0, 1.0)
    assert free == 3 and first == pytest.approx(0.5, abs=1e-5)
    free, first = store.slots("shop", 100, 10.0, 1.0)       # no further than a second ahead
    assert free == 3 and first == pytest.approx(0.8, abs=1e-5)
    free, first = store.slots("shop", 1, 10.0, 1.0)
    assert free == 0 and 0 < first <= 0.2
    assert store.slots("other", 1, 10.0, 1.0) == (1, 0.0)
    place.clock.now += 10
    assert store.slots("shop", 1, 10.0, 1.0) == (1, 0.0)


def test_threads_never_get_the_same_slot(place):
    stores, got = [place.open(), place.open()], []
    assert at_once(*[lambda store=store: [got.append(store.slots("s", 2, 1.0, 1000)) for _ in range(10)] and None
                     for store in stores]) == [None, None]
    assert sorted(round(first) for _, first in got) == list(range(0, 40, 2))


def test_counts_pages_and_reopening(store, place):
    store.watch([watched("A{}".format(i), -i) for i in range(5)])
    rows = claim(store, 3)
    store.settle([(rows[0], becomes("paid", "paid")), (rows[1], becomes(GAVE_UP, "needs_a_person", error="no answer"))])
    counts = store.counts()
    assert counts["outcomes"] == {OPEN: 3, "paid": 1, GAVE_UP: 1}
    assert (counts["due"], counts["oldest_due"], counts["effects"]) == (2, 1.0, 2)
    assert counts["errors"] == [("shop", rows[1].out_trade_no, "no answer")]
    page = store.rows(limit=2)
    assert page + store.rows(after=page[-1].id) == store.rows() and len(store.rows()) == 5
    assert numbers(store.rows(outcomes=FINAL)) == sorted([rows[0].out_trade_no, rows[1].out_trade_no])
    assert store.reopen(shop="other") == 0 and store.reopen() == 1
    assert store.get("shop", rows[1].out_trade_no).outcome == OPEN
    assert store.reopen("shop", rows[2].out_trade_no) == 1      # being asked about: nobody else asks meanwhile
    assert rows[2].out_trade_no not in numbers(claim(store))


# --- the clock --------------------------------------------------------------------------------------------------------

def test_a_clock_that_goes_back_a_day_keeps_every_interval_and_stalls_nothing(store, place):
    place.clock.now += 86400
    store.watch([watched("A1"), watched("A2", 120, 3600)])
    asked, = claim(store, lease=30)
    with_effects(store, "paid", number="A3")
    store.effects("w", 1, 60)
    store.slots("s", 1, 0.001, 1.0)
    place.clock.now = START
    assert numbers(claim(store)) == ["A3"]      # A1 was asked just now, A2 is not due, whatever the clock says
    row = store.get("shop", "A2")
    assert (row.due_at, row.watched_at, row.deadline) == (START + 120, START, START + 3600)
    assert store.effects("w", 1, 60) == [] and store.slots("s", 1, 1.0, 1.0) == (1, 0.0)
    place.clock.now += 60
    assert numbers(claim(store)) == ["A1", "A3"] and kinds(store.effects("w", 1, 60)) == [("A3", "paid")]
    place.clock.now += 60
    assert "A2" in numbers(claim(store))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(st.sampled_from([0, 1, 20, 61, 3600, 86400, -1, -61, -3600, -86400]), max_size=30))
def test_whatever_the_clock_does_nobody_is_asked_twice_in_an_interval(tmp_path, walk):
    """Between two questions the clock, going forward, has passed at least the interval."""
    clock = Clock()
    store = SQLiteStore(":memory:", clock=clock)
    store.watch([watched("A1")])
    since = None        # how far the clock has gone forward since the last question
    for step in walk:
        clock.now += step
        since = None if since is None else since + max(step, 0)
        if claim(store, lease=10):
            assert since is None or since >= 60
            since = 0
    clock.now += 61
    store.now() and claim(store)
    clock.now += 61     # asked within two intervals of a clock that runs on
    assert store.get("shop", "A1").asked_at >= clock.now - 122


# --- the same trace everywhere ----------------------------------------------------------------------------------------

STEPS = st.lists(st.one_of(
    st.tuples(st.just("watch"), st.integers(0, 4), st.integers(-50, 50)),
    st.tuples(st.just("claim"), st.integers(1, 3), st.sampled_from([5, 60, 200])),
    st.tuples(st.just("settle"), st.integers(0, 9), st.sampled_from([OPEN, "paid", "closed", GAVE_UP])),
    st.tuples(st.just("release"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("apply"), st.integers(0, 4), st.sampled_from([OPEN, "paid", "refunded"])),
    st.tuples(st.just("effects"), st.integers(1, 3), st.sampled_from([5, 60])),
    st.tuples(st.just("done"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("failed"), st.integers(0, 9), st.integers(0, 90)),
    st.tuples(st.just("slots"), st.integers(1, 5), st.sampled_from([1.0, 0.1])),
    st.tuples(st.just("reopen"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("clock"), st.sampled_from([1, 30, 90, 4000, -30, -90000]), st.just(0)),
), max_size=25)


def trace(store, clock, shop, steps):
    """What an outsider sees of each step. Claims and effects are named by their place, as ids and leases differ."""
    claims, effects, seen = [], [], []
    for name, one, two in steps:
        number = "A{}".format(one)
        if name == "clock":
            clock.now += one
        elif name == "watch":
            seen.append(store.watch([watched(number, two, shop=shop)]))
        elif name == "claim":
            rows = claim(store, one, lease=two, shops=[shop])
            claims += rows
            seen.append([(row.out_trade_no, row.due_at, row.asked_at, row.attempts) for row in rows])
        elif name == "settle" and claims:
            row = claims[one % len(claims)]
            due = clock.now + 70 if two == OPEN else None
            seen.append([d.effects for d in store.settle([(row, becomes(two, *[two] * (two != OPEN), due_at=due))])])
        elif name == "release" and claims:
            store.release([claims[one % len(claims)]])
        elif name == "apply":
            try:
                seen.append(store.apply(shop, number, becomes(two, *[two] * (two != OPEN), fact="n", due_at=(
                    clock.now + 5 if two == OPEN else None))).effects)
            except OrderNotFound:
                seen.append("not found")
        elif name == "effects":
            found = [p for p in store.effects("w", one, two)]
            effects += found
            seen.append([(p.key.split(":", 1)[1], p.attempts) for p in found])
        elif name == "done" and effects:
            seen.append(store.effect_done(effects[one % len(effects)]))
        elif name == "failed" and effects:
            store.effect_failed(effects[one % len(effects)], "no", two)
        elif name == "slots":
            free, first = store.slots(shop, one, two, 20)
            seen.append((free, round(first, 3)))
        elif name == "reopen":
            seen.append(store.reopen(shop) if one == 5 else store.reopen(shop, number))
        seen.append([row[1:12] + (row.lease.split("#")[0],) for row in store.rows()])
    return seen


@pytest.mark.parametrize("kind", KINDS[1:])
def test_every_store_does_what_the_one_in_memory_does(kind, tmp_path):
    place = Place(kind, tmp_path)
    store = place.open()

    @settings(max_examples=20 if kind in ("postgresql", "mariadb") else 60, deadline=None)
    @given(STEPS)
    def compare(steps):
        place.execute(store, "DELETE FROM mapi_effects", "DELETE FROM mapi_orders",
                      "DELETE FROM mapi_moments WHERE name <> 'clock'", "UPDATE mapi_moments SET moment = 0")
        place.clock.now, clock = START, Clock()
        assert trace(store, place.clock, "shop", steps) == trace(SQLiteStore(":memory:", clock=clock), clock, "shop", steps)
    compare()
    place.close()


# --- schema and faults ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("found, cure", [("99", "update alipay-mapi"), ("0", "migrate"), ("?", "migrate")])
def test_a_store_of_another_version_is_refused(kind, found, cure, tmp_path):
    place = Place(kind, tmp_path)
    store = place.open()
    place.execute(store, "UPDATE mapi_meta SET value = '{}' WHERE name = 'schema'".format(found))
    for migrate in (False, True):
        with pytest.raises(SchemaError, match=cure):
            place.open(migrate=migrate)
    place.close()


@pytest.mark.parametrize("kind", KINDS[1:])
def test_several_may_make_the_store_at_once(kind, tmp_path):
    place = Place(kind, tmp_path)
    results = at_once(*[lambda: place.open() and None] * 6)
    assert results == [None] * 6
    assert place.open().counts()["due"] == 0
    place.close()


def test_a_missing_table_is_a_store_error(store, place):
    place.execute(store, "DROP TABLE mapi_effects")
    with pytest.raises(StoreError):
        store.effects("w", 1, 60)


def test_a_locked_file_a_deleted_one_and_a_damaged_one_are_typed(tmp_path):
    path = str(tmp_path / "s.db")
    store = SQLiteStore(path, timeout=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert reason(lambda: store.watch([watched("A1")])) == "locked"
    other.execute("ROLLBACK")
    assert store.watch([watched("A1")]) == 1
    other.close()
    os.rename(path, path + "2")
    assert reason(lambda: store.watch([watched("A2")])) == "gone"
    assert reason(lambda: store.get("shop", "A1")) == "gone"
    store.close()
    assert reason(lambda: store.get("shop", "A1")) == "gone"
    (tmp_path / "damaged.db").write_bytes(b"no database " * 1000)
    assert reason(lambda: SQLiteStore(str(tmp_path / "damaged.db"))) == "corrupt"
    assert reason(lambda: SQLiteStore(str(tmp_path / "no" / "folder.db"))) == "gone"


def test_a_full_disk_and_a_read_only_file_are_typed_and_nothing_is_done_by_half(tmp_path):
    path = str(tmp_path / "s.db")
    store = SQLiteStore(path)
    store.watch([watched("A1")])
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute("PRAGMA max_page_count={}".format(pages)).fetchall()
    assert reason(lambda: store.watch([watched("B{:04}".format(i)) for i in range(2000)])) == "full"
    store._db.execute("PRAGMA max_page_count=100000").fetchall()
    assert store.counts()["outcomes"] == {OPEN: 1}
    store._db.execute("PRAGMA query_only=ON")
    assert reason(lambda: store.watch([watched("A2")])) == "readonly"
    store._db.execute("PRAGMA query_only=OFF")
    assert numbers(claim(store)) == ["A1"]
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_forked_child_opens_its_own_connection(kind, tmp_path):
    place = Place(kind, tmp_path)
    store = place.open()
    store.watch([watched("A1"), watched("A2")])
    child = os.fork()
    if not child:
        try:
            os._exit(0 if len(claim(store, 1)) == 1 else 3)
        except BaseException:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 if hasattr(os, "waitstatus_to_exitcode") else \
        os.waitpid(child, 0)[1] == 0
    assert len(claim(store)) == 1
    place.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_connection_that_breaks_in_the_middle_is_a_store_error_and_the_next_call_works(kind, tmp_path):
    place = Place(kind, tmp_path)
    store = place.open()
    store.watch([watched("A1")])
    row, = claim(store)

    def cut(stored):
        kill(place)
        return becomes("paid", "paid")(stored)
    assert reason(lambda: store.settle([(row, cut)])) == "gone"
    assert store.get("shop", "A1") == row._replace(due_at=START + 60) and store.counts()["effects"] == 0
    store.settle([(row, becomes("paid", "paid"))])
    assert store.get("shop", "A1").outcome == "paid"
    place.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_that_is_gone_is_a_store_error_until_it_is_back(kind, tmp_path):
    place, server = Place(kind, tmp_path), getattr(servers, kind)()
    store = place.open()
    store.watch([watched("A1")])
    server.stop(kill=True)
    try:
        assert reason(lambda: claim(store)) == "gone"
        assert reason(place.open) == "gone"
    finally:
        server.start()
    assert numbers(claim(store)) == ["A1"]
    place.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_transaction_that_lost_a_deadlock_is_run_again(kind, tmp_path):
    """Another transaction takes two rows in the opposite order."""
    import sqlalchemy
    place = Place(kind, tmp_path)
    store = place.open()
    store.watch([watched("A1"), watched("A2")])
    rows, calls, held, asked = claim(store), [], threading.Event(), threading.Event()

    def other():
        lock = "UPDATE mapi_orders SET last_error = 'x' WHERE shop = 'shop' AND out_trade_no = '{}'"
        with sqlalchemy.create_engine(place.where, isolation_level="READ COMMITTED").begin() as db:
            db.exec_driver_sql(lock.format("A2"))
            held.set()
            asked.wait(20)
            db.exec_driver_sql(lock.format("A1"))

    def settle():
        held.wait(20)

        def work(db):
            found = store._current(db, [rows[0].id])
            calls.append(found[rows[0].id].out_trade_no)
            asked.set()
            return numbers(store._current(db, [rows[1].id]).values())
        return store._transact(work)
    results = at_once(other, settle)
    # One of the two was undone by the database: the other transaction (an error here), or ours (run again).
    assert results[1] == ["A2"] and (results[0] is None or "eadlock" in str(results[0]))
    assert len(calls) == (2 if results[0] is None else 1)
    place.close()


@pytest.mark.parametrize("url", ["nonsense", "postgresql+nodriver://user:secret@host/db", "sqlite:////no/such/folder/db"])
def test_a_url_that_cannot_be_used_is_told_without_its_password(url):
    pytest.importorskip("sqlalchemy")
    from alipay_mapi.fallback.stores.sql import SQLAlchemyStore
    with pytest.raises(mapi.AlipayError) as caught:
        SQLAlchemyStore(url)
    assert "secret" not in str(caught.value)


def test_claiming_uses_an_index_whatever_the_number_of_orders():
    store = SQLiteStore(":memory:")
    from alipay_mapi.fallback import sqlite
    where, values = sqlite._due(START, 10, None)
    plan = store._db.execute("EXPLAIN QUERY PLAN SELECT id" + where, values).fetchall()
    assert [row[3] for row in plan] == ["SEARCH mapi_orders USING INDEX mapi_orders_due (due_at<?)"] or (
        len(plan) == 1 and "USING INDEX mapi_orders_due" in plan[0][3])
    plan = store._db.execute("EXPLAIN QUERY PLAN " + sqlite._PENDING + " ORDER BY e.due_at, e.id LIMIT 5",
                             {"now": START}).fetchall()
    text = " / ".join(row[3] for row in plan)
    assert "mapi_effects_due" in text and "SCAN" not in text and "TEMP B-TREE" not in text, text


# --- what the tests share ---------------------------------------------------------------------------------------------

def at_once(*works):
    """Run them in threads that start together; what each returned, or raised."""
    barrier, results = threading.Barrier(len(works)), [None] * len(works)

    def run(at):
        barrier.wait(20)
        try:
            results[at] = works[at]()
        except BaseException as error:
            results[at] = error
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


def shipped(store, place):
    if place.kind in ("memory", "sqlite"):
        return [row[0] for row in store._db.execute("SELECT effect_key FROM shipped")]
    import sqlalchemy
    with sqlalchemy.create_engine(place.where).connect() as db:
        return [row[0] for row in db.exec_driver_sql("SELECT effect_key FROM shipped")]


def kill(place):
    """End every other connection to this database."""
    import sqlalchemy
    with sqlalchemy.create_engine(place.where, isolation_level="AUTOCOMMIT").connect() as db:
        if place.kind == "postgresql":
            db.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                               "WHERE datname = current_database() AND pid <> pg_backend_pid()").fetchall()
        else:
            for row in db.exec_driver_sql("SELECT id FROM information_schema.processlist "
                                          "WHERE db = database() AND id <> connection_id()").fetchall():
                db.exec_driver_sql("KILL {}".format(row[0]))
