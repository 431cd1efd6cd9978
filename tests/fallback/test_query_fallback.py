"""The object that a shop uses."""
import sqlite3
import threading

import pytest

import alipay_mapi as mapi
from alipay_mapi.errors import (AlipayError, ConfigurationError, InvalidRequest, NotConfirmed, OrderNotFound,
                                SchemaError, StoreError, TransportError, WatchConflict)
from alipay_mapi.fallback import Fallback, Schedule, open_store
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from fallback_setup import Asked, Desk, START, accepted, answer, by_hand, dump, note, order, refund_note, refusal


@pytest.fixture
def desk():
    with Desk() as desk:
        yield desk


# --- watching ---------------------------------------------------------------------------------------------------------

def test_an_order_is_watched_once_and_first_asked_about_after_the_grace_time(desk):
    assert desk.fallback.watch("shop", order(), timeout="30m") is True
    assert (desk.row().due_at, desk.row().deadline) == (START + 60, START + 1800)
    desk.clock.now += 30
    assert desk.fallback.watch("shop", order(), timeout="10m") is False
    assert (desk.row().due_at, desk.row().deadline) == (START + 60, START + 1800), "never an earlier deadline"
    assert desk.fallback.watch("shop", order(), timeout="15d") is False
    assert (desk.row().due_at, desk.row().deadline) == (START + 60, START + 30 + 15 * 86400)
    assert desk.fallback.watch("shop", order("A2"), first_in=5) and desk.row("A2").due_at == START + 35
    assert desk.row("A2").deadline == START + 30 + 43200


def test_another_price_for_the_same_number_is_a_conflict(desk):
    desk.fallback.watch("shop", order())
    for other in (order(total_fee="10.01", currency="USD"), order(total_fee="10.00", currency="EUR"),
                  order(rmb_fee="10.00")):
        with pytest.raises(WatchConflict):
            desk.fallback.watch("shop", other)
    assert desk.row().price == "10.00||USD"


@pytest.mark.parametrize("arguments, error", [
    (("other", order()), ConfigurationError), ((None, order()), ConfigurationError), ((5, order()), ConfigurationError),
    (("shop", "A1"), InvalidRequest), (("shop", None), InvalidRequest),
    (("shop", order(), "soon"), InvalidRequest), (("shop", order(), True), InvalidRequest),
    (("shop", order(), None, float("nan")), InvalidRequest), (("shop", order(), None, "5"), InvalidRequest),
    (("shop", order("x" * 65)), InvalidRequest), (("shop", order("A\n1")), InvalidRequest),
])
def test_what_cannot_be_watched_is_refused_with_one_of_our_errors(desk, arguments, error):
    shop, what, timeout, first_in = arguments + (None,) * (4 - len(arguments))
    with pytest.raises(error):
        desk.fallback.watch(shop, what, timeout=timeout, first_in=first_in)
    assert desk.fallback.status()["watched"] == 0


def test_many_are_watched_in_parts_and_a_refused_part_keeps_what_came_before(desk, monkeypatch):
    monkeypatch.setattr("alipay_mapi.fallback.query_fallback._SHARES", 10)
    orders = [order("A{}".format(at)) for at in range(35)]
    orders[24] = order("A3", total_fee="9.00", currency="USD")
    entries = [desk.fallback.watched("shop", one) for one in orders]
    with pytest.raises(WatchConflict):
        desk.fallback.watch_many(iter(entries))
    assert desk.fallback.status()["watched"] == 20
    del entries[24]
    assert desk.fallback.watch_many(iter(entries)) == 14, "and giving all of it again is harmless"
    assert desk.fallback.watch_many([]) == 0


@pytest.mark.parametrize("settings", [{"per_second": 0}, {"per_second": float("nan")}, {"per_second": 1e9},
                                      {"refunds_apart": 1}, {"schedule": Schedule(first=0)}])
def test_settings_that_cannot_work_are_refused(desk, settings):
    with pytest.raises(ConfigurationError):
        Fallback(desk.store, {"shop": desk.client}, **settings)


# --- what comes in ----------------------------------------------------------------------------------------------------

def test_a_notification_is_stored_and_its_effect_carried_out_before_success_is_answered(desk):
    desk.watch()
    decision = desk.fallback.notified("shop", note())
    assert decision.outcome == "paid" and desk.effects() == [("paid", "", "A1")]
    assert desk.fallback.notified("shop", note()).effects == () and len(desk.done) == 1
    assert desk.run().asked == 0, "nobody asks about it any more"


def test_it_may_be_carried_out_later(desk):
    desk.watch()
    desk.fallback.notified("shop", note(), carry_out=False)
    assert desk.done == [] and desk.fallback.status()["effects"] == 1
    assert desk.fallback.carry_out() == (1, 0) and desk.effects() == [("paid", "", "A1")]
    assert desk.fallback.carry_out() == (0, 0)


def test_a_notification_carries_out_only_its_own_order(desk):
    desk.watch("A1", "A2")
    desk.fallback.notified("shop", note(), carry_out=False)
    desk.fallback.notified("shop", note("A2"))
    assert desk.effects() == [("paid", "", "A2")]


def test_what_a_handler_raises_is_kept_for_the_next_run_and_does_not_reach_the_gateway():
    fails = [True]

    def handler(effect):
        if fails[0]:
            raise ValueError("canary@mail.test")
    with Desk(handler=handler) as desk:
        desk.watch()
        assert desk.fallback.notified("shop", note()).outcome == "paid"
        assert "canary" not in str(dump(desk.store)) and "ValueError" in str(dump(desk.store))
        assert desk.run().failed_effects == 0, "not before its pause is over"
        fails[0] = False
        assert desk.run(30).effects == 1


def test_T44_an_unknown_order_is_not_found_and_may_be_watched_a_moment_later(desk):
    """Hostile: a number that nearly fits. Genuine: the same notification once the order is there."""
    desk.watch("A1")
    for number in ("A2", "a1", "A1 ", "Ａ1", ""):
        with pytest.raises(OrderNotFound):
            desk.fallback.notified("shop", note(number))
    with pytest.raises(OrderNotFound):
        desk.fallback.notified("other", note())
    desk.watch("A2")
    assert desk.fallback.notified("shop", note("A2")).outcome == "paid"


def test_one_that_does_not_say_for_whom_it_is_brings_the_question_forward_and_settles_nothing(desk):
    desk.watch(first_in=3600)
    with pytest.raises(NotConfirmed):
        desk.fallback.notified("shop", note(passed=("sign",)))
    assert desk.row().due_at == START and desk.row().facts == ""
    desk.run()
    assert desk.effects() == [("paid", "", "A1")] and len(desk.client.log) == 1


@pytest.mark.parametrize("proves_nothing", [{"out_trade_no": "A1"}, "A1", None, mapi.AlipayError("x")], ids=str)
def test_what_is_no_notification_changes_nothing(desk, proves_nothing):
    desk.watch()
    before = dump(desk.store)
    with pytest.raises(AlipayError):
        desk.fallback.notified("shop", proves_nothing)
    assert dump(desk.store) == before


def test_a_buyer_who_is_back_has_his_order_asked_about_once_in_an_interval(desk):
    desk.client.answers = lambda number: answer(number, "WAIT_BUYER_PAY")
    desk.watch(first_in=3600)
    for _ in range(5):
        desk.fallback.ask_soon("shop", "A1")
        desk.run(1)
    assert len(desk.client.log) == 1
    desk.fallback.ask_soon("shop", "A1")
    assert desk.run(60).asked == 1
    with pytest.raises(OrderNotFound):
        desk.fallback.ask_soon("shop", "A2")


def test_a_buyer_who_is_back_after_the_order_expired_has_it_asked_about_again(desk):
    desk.client.answers = lambda number: refusal()
    desk.watch(timeout="30m")
    desk.run(1800 + 600)
    desk.run(61)
    assert desk.row().outcome == "expired"
    desk.client.answers = lambda number: answer(number)
    assert desk.run(3600).asked == 0
    desk.fallback.ask_soon("shop", "A1")
    desk.run()
    assert desk.row().outcome == "paid" and [one[0] for one in desk.effects()] == ["closed", "paid"]


def test_an_old_payment_page_that_is_paid_after_the_order_expired_is_found_days_later(desk):
    """Hostile: a 30 minutes order whose page is opened the next day (its time begins with the buyer's login), paid, and
    its notification is lost."""
    desk.client.answers = lambda number: refusal()
    desk.watch(timeout="30m")
    desk.run(1800 + 600)
    desk.run(61)
    assert desk.row().outcome == "expired"
    desk.client.answers = lambda number: answer(number)
    asked = sum(desk.run(6 * 3600).asked for _ in range(40))
    assert asked == 1 and desk.row().outcome == "paid"
    assert [one[0] for one in desk.effects()] == ["closed", "paid"] and desk.row().due_at is None


def test_a_second_payment_page_for_an_expired_order_opens_it_again(desk):
    """Hostile: the buyer comes back the next day, and the shop makes a new URL for the same order."""
    desk.client.answers = lambda number: refusal()
    desk.watch(timeout="30m")
    desk.run(1800 + 600)
    desk.run(61)
    assert desk.row().outcome == "expired"
    assert desk.fallback.watch("shop", order(), timeout="30m") is False
    row = desk.row()
    assert (row.outcome, row.deadline, row.due_at) == ("open", desk.clock.now + 1800, desk.clock.now + 60)
    desk.client.answers = lambda number: answer(number)
    desk.run(60)
    assert desk.row().outcome == "paid"


# --- looking without touching -----------------------------------------------------------------------------------------

def test_a_dry_run_tells_what_would_follow_and_writes_nothing(desk):
    desk.client.refunds = accepted
    desk.client.answers = {"A1": answer("A1"), "A2": refusal(), "A3": TransportError("x"), "A4": answer("A4")}.get
    desk.watch("A1", "A2", "A3", "A4")
    desk.fallback.refund("shop", "A4", "R1", "1.00")
    # The next thing would be to send it.
    by_hand(desk.store, "UPDATE mapi_orders SET refunds=replace(refunds, 'asked', 'ready')")
    desk.clock.now += 5
    before = dump(desk.store)
    found = list(desk.fallback.dry_run())
    assert [(row.out_trade_no, decision.outcome) for row, decision in found] == [
        ("A1", "paid"), ("A2", "open"), ("A3", "open"), ("A4", "paid")]
    assert dump(desk.store) == before and desk.done == [] and desk.client.refund_log == []
    assert len(list(desk.fallback.dry_run(limit=2))) == 2
    by_hand(desk.store, "UPDATE mapi_orders SET facts='{'")
    assert all(decision.error for _, decision in desk.fallback.dry_run(limit=1))


# --- asking again -----------------------------------------------------------------------------------------------------

def test_what_was_given_up_is_asked_about_again_and_what_expired_only_by_its_number():
    with Desk(Asked(lambda number: TransportError("down") if number == "A1" else refusal())) as desk:
        desk.watch("A1", "A2", timeout="30m")
        for _ in range(180):
            desk.run(3700)
        assert (desk.row("A1").outcome, desk.row("A2").outcome) == ("gave_up", "expired")
        assert desk.row("A1").last_error == "TransportError: down" and desk.fallback.status()["gave_up"]
        desk.client.answers = lambda number: answer(number)
        assert desk.run().asked == 0
        assert desk.fallback.retry("other") == 0 and desk.fallback.retry() == 1
        desk.run()
        assert (desk.row("A1").outcome, desk.row("A1").last_error, desk.row("A2").outcome) == ("paid", "", "expired")
        assert desk.fallback.retry("shop", "A2") == 1
        desk.run()
        assert desk.row("A2").outcome == "paid"
        assert [one[0] for one in desk.effects() if one[2] == "A1"] == ["needs_a_person", "paid"]


def test_asking_again_about_a_paid_order_has_no_second_effect(desk):
    desk.watch()
    desk.run()
    for answered in (answer(), TransportError("x"), refusal(), answer(status="WAIT_BUYER_PAY")):
        desk.client.answers = {"A1": answered}.get
        assert desk.fallback.retry("shop", "A1") == 1
        desk.run()
        assert desk.row().outcome == "paid" and desk.row().due_at is None
    assert desk.effects() == [("paid", "", "A1")]


# --- what a shop may rely on ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("work", [
    lambda f: f.watch("shop", order("A9")), lambda f: f.notified("shop", note()), lambda f: f.run(workers=0),
    lambda f: f.refund("shop", "A1", "R1", "1.00"), lambda f: f.status(), lambda f: f.retry(), lambda f: f.carry_out(),
    lambda f: f.ask_soon("shop", "A1"), lambda f: list(f.dry_run()), lambda f: f.run(workers=3)])
def test_T96_without_its_store_every_call_is_a_store_error(tmp_path, work):
    """Hostile: the file is closed. Genuine: the same call on an open one (every other test)."""
    store = SQLiteStore(str(tmp_path / "store.db"))
    fallback = Fallback(store, {"shop": Asked()}, print)
    fallback.watch("shop", order(), first_in=0)
    store.close()
    with pytest.raises(StoreError):
        work(fallback)


@pytest.mark.parametrize("found, cure", [("0", "fallback migrate"), ("99", "update alipay-mapi"),
                                         ("?", "fallback migrate")])
def test_T99_a_store_of_another_version_is_not_worked_with_and_nothing_in_it_is_changed(tmp_path, found, cure):
    """Hostile: made by another version. Genuine: this one's opens again, with its orders."""
    path = str(tmp_path / "store.db")
    for schema in (None, found):
        with Desk(path=path) as desk:
            desk.watch()
            assert desk.fallback.status()["watched"] == 1
            if schema:
                by_hand(desk.store, "UPDATE mapi_meta SET value=? WHERE name='schema'", schema)
                before = dump(desk.store)
    with pytest.raises(SchemaError, match=cure):
        open_store(path)
    with sqlite3.connect(path) as db:
        assert list(db.iterdump()) == before
    db.close()


def test_the_last_errors_of_orders_hold_no_private_text():
    """A transport's exception may quote a URL with a sign, an answer may quote the buyer."""
    from alipay_mapi import Client
    from answers import md5_shop

    class Leaks:
        def send(self, call):
            raise RuntimeError("POST {} sign=CANARY buyer=canary@mail.test".format(call.url))
    with Desk(Client(md5_shop(), Leaks(), sleep=lambda seconds: None)) as desk:
        desk.watch()
        desk.run()
        assert desk.row().last_error.startswith("TransportError: the transport raised RuntimeError")
        assert "canary" not in str(dump(desk.store)).lower()


def test_many_threads_may_share_one_fallback(desk):
    desk.watch(*["A{}".format(at) for at in range(40)])
    errors = []

    def work(at):
        try:
            for number in range(at, 40, 4):
                desk.fallback.watch("shop", order("B{}".format(number)))
                desk.fallback.notified("shop", note("A{}".format(number)))
                desk.fallback.notified("shop", refund_note("A{}".format(number)))
            desk.fallback.run(workers=2)
        except Exception as err:
            errors.append(err)
    threads = [threading.Thread(target=work, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert errors == [] and len(desk.done) == 80 == len({one.key for one in desk.done})
    for at in range(40):
        assert [kind for kind, _, number in desk.effects() if number == "A{}".format(at)] == ["paid", "refunded"]
