"""Effects on their way to the shop's handler: at least once, in order, with a key that never changes."""
import json
import sqlite3
import threading

import pytest

from alipay_mapi.errors import ConfigurationError, StoreError
from alipay_mapi.fallback import Fallback, outbox
from alipay_mapi.fallback.outbox import Outbox, pause_of

from fallback_setup import Desk, answer, by_hand, note, refund_note


@pytest.fixture
def desk():
    with Desk(handler=None) as desk:
        yield desk


def with_effects(desk, *numbers):
    desk.watch(*numbers)
    for number in numbers:
        desk.fallback.notified("shop", note(number))


def keys(pending):
    return [one.key for one in pending]


def raises(error):
    def work(*_):
        raise error
    return work


class Handler:
    """Fails ``times`` times for each of ``numbers``, then works."""

    def __init__(self, times=0, *numbers, error=None):
        self.left, self.got = {number: times for number in numbers}, []
        self.error = error or ValueError("canary@mail.test")

    def __call__(self, *arguments):
        effect = arguments[-1]
        self.got.append(effect)
        if self.left.get(effect.out_trade_no, 0) > 0:
            self.left[effect.out_trade_no] -= 1
            raise self.error


def test_without_a_handler_effects_wait_for_one(desk):
    with_effects(desk, "A1")
    assert Outbox(desk.store, "w").carry_out() == (0, 0)
    handler = Handler()
    assert Outbox(desk.store, "w", handler).carry_out() == (1, 0)
    assert handler.got[0].key == "shop:paid::A1" and handler.got[0].order.out_trade_no == "A1"
    assert Outbox(desk.store, "w", handler).carry_out() == (0, 0), "and only once"


def test_a_handler_and_one_within_the_transaction_are_not_both_given(desk):
    with pytest.raises(ConfigurationError):
        Outbox(desk.store, "w", print, lambda db, effect: None)
    with pytest.raises(ConfigurationError):
        Fallback(desk.store, {}, print, within=lambda db, effect: None)


def test_a_handler_that_raises_is_called_again_later_and_later_with_the_same_key_and_its_error_is_kept(desk):
    """Genuine: it works the third time. Hostile: what it says may be a buyer's."""
    with_effects(desk, "A1", "A2")
    handler = Handler(2, "A1")
    box = Outbox(desk.store, "w", handler)
    assert box.carry_out() == (1, 1)
    failing = desk.store.counts()["failing"][0]
    assert failing.attempts == 1 and failing.error.startswith("ValueError: test_outbox.py:")
    assert "canary" not in str(desk.store.counts())
    desk.clock.now += 29
    assert box.carry_out() == (0, 0)
    desk.clock.now += 1
    assert box.carry_out() == (0, 1)
    desk.clock.now += 59
    assert box.carry_out() == (0, 0)
    desk.clock.now += 1
    assert box.carry_out() == (1, 0)
    assert keys(one for one in handler.got if one.out_trade_no == "A1") == ["shop:paid::A1"] * 3
    assert [one.attempts for one in handler.got if one.out_trade_no == "A1"] == [1, 2, 3]
    assert desk.store.counts()["effects"] == 0 and desk.store.counts()["failing"] == []


def test_the_pause_grows_to_an_hour():
    assert [pause_of(attempts) for attempts in (0, 1, 2, 3, 8, 100)] == [30, 30, 60, 120, 3600, 3600]


def test_the_second_effect_of_an_order_waits_for_the_first_and_other_orders_do_not(desk):
    with_effects(desk, "A1", "A2")
    desk.fallback.notified("shop", refund_note("A1"))
    desk.fallback.notified("shop", refund_note("A2", notify_id="r2"))
    handler = Handler(1, "A1")
    box = Outbox(desk.store, "w", handler)
    box.carry_out()
    assert [(one.out_trade_no, one.kind) for one in handler.got] == [("A1", "paid"), ("A2", "paid"), ("A2", "refunded")]
    desk.clock.now += 30
    box.carry_out()
    assert [(one.out_trade_no, one.kind) for one in handler.got[3:]] == [("A1", "paid"), ("A1", "refunded")]


def test_only_the_orders_that_were_asked_for_are_carried_out(desk):
    with_effects(desk, "A1", "A2")
    handler = Handler()
    assert Outbox(desk.store, "w", handler).carry_out(only=("shop", "A2")) == (1, 0)
    assert [one.out_trade_no for one in handler.got] == ["A2"]
    assert Outbox(desk.store, "w", handler).carry_out(only=("other", "A1")) == (0, 0)


def test_when_it_is_stopped_what_was_not_begun_is_given_back_at_once(desk):
    with_effects(desk, "A1", "A2", "A3")
    stopped, handler = threading.Event(), Handler()

    def stops(effect):
        handler(effect)
        stopped.set()
    assert Outbox(desk.store, "w", stops).carry_out(stopped=stopped.is_set) == (1, 0)
    assert [one.out_trade_no for one in desk.store.effects("other", 9, 60)] == ["A2", "A3"]
    assert all(one.attempts == 1 for one in desk.store.effects("other", 9, 60))


class Ticking:
    """Stands in for ``time``: every look at it takes a second."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 1
        return self.now


def test_a_slow_handler_does_not_keep_effects_that_it_could_not_begin_within_its_claim(desk, monkeypatch):
    with_effects(desk, *["A{}".format(at) for at in range(40)])
    clock = Ticking()
    monkeypatch.setattr(outbox, "time", clock)
    begun = []

    def slow(effect):
        begun.append((clock.now, effect.out_trade_no))
        clock.now += 60
    assert Outbox(desk.store, "w", slow).carry_out() == (40, 0)
    assert len({number for _, number in begun}) == 40
    # Three in a claim of 300 seconds; nobody else could have had one that was begun.
    gaps = [after - before for (before, _), (after, _) in zip(begun, begun[1:])]
    assert max(gaps) < outbox.LEASE / 2


def test_the_time_that_it_is_given_ends_it_between_two_effects_and_one_is_always_begun(desk, monkeypatch):
    with_effects(desk, *["A{}".format(at) for at in range(10)])
    clock, handler = Ticking(), Handler()
    monkeypatch.setattr(outbox, "time", clock)
    done = Outbox(desk.store, "w", handler).carry_out(5)
    assert 1 <= done.done < 10
    assert len(desk.store.effects("other", 99, 60)) == 10 - done.done, "the rest is there at once"
    assert Outbox(desk.store, "w", handler).carry_out(0) == (0, 0)


def test_within_the_transaction_the_shops_write_and_the_record_are_kept_together_or_not_at_all(tmp_path):
    with Desk(path=tmp_path / "store.db", handler=None, within=None) as desk:
        by_hand(desk.store, "CREATE TABLE shipped (number TEXT)")
        with_effects(desk, "A1", "A2")
        fails = [True]

        def ship(db, effect):
            db.execute("INSERT INTO shipped VALUES (?)", (effect.out_trade_no,))
            if effect.out_trade_no == "A1" and fails.pop():
                fails.append(False)
                raise ValueError("canary")
        fails[:] = [False, True]
        box = Outbox(desk.store, "w", within=ship)
        assert box.carry_out() == (1, 1)
        assert desk.store._db.execute("SELECT number FROM shipped").fetchall() == [("A2",)]
        desk.clock.now += 30
        assert box.carry_out() == (1, 0)
        assert sorted(desk.store._db.execute("SELECT number FROM shipped").fetchall()) == [("A1",), ("A2",)]


def test_an_error_of_the_database_in_the_shops_statement_is_a_failed_handler(desk):
    with_effects(desk, "A1")
    box = Outbox(desk.store, "w", within=lambda db, effect: db.execute("INSERT INTO nowhere VALUES (1)"))
    assert box.carry_out() == (0, 1)
    assert desk.store.counts()["failing"][0].error.startswith(sqlite3.OperationalError.__name__)


def test_an_effect_whose_record_fails_comes_again_with_its_key(desk, monkeypatch):
    with_effects(desk, "A1")
    handler = Handler()
    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "effects_done", raises(StoreError("gone", reason="gone")))
        with pytest.raises(StoreError):
            Outbox(desk.store, "w", handler).carry_out()
    desk.clock.now += outbox.LEASE - 1
    assert Outbox(desk.store, "w2", handler).carry_out() == (0, 0)
    desk.clock.now += 1
    assert Outbox(desk.store, "w2", handler).carry_out() == (1, 0)
    assert keys(handler.got) == ["shop:paid::A1"] * 2


def test_what_quick_handlers_have_done_is_recorded_together_and_what_a_slow_one_has_done_at_once(desk, monkeypatch):
    with_effects(desk, *["A{}".format(number) for number in range(6)])
    recorded, real, clock = [], desk.store.effects_done, [0.0]
    monkeypatch.setattr(desk.store, "effects_done", lambda some: recorded.append(
        [one.out_trade_no for one in some]) or real(some))
    monkeypatch.setattr(outbox.time, "monotonic", lambda: clock[0])

    def handler(effect):
        clock[0] += 60.0 if effect.out_trade_no in ("A2", "A3") else 0.0
    assert Outbox(desk.store, "w", handler).carry_out() == (6, 0)
    assert recorded == [["A0", "A1", "A2"], ["A3"], ["A4", "A5"]]


def test_an_interrupted_handler_comes_through_and_its_effect_comes_again(desk):
    with_effects(desk, "A1")
    handler = Handler(1, "A1", error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        Outbox(desk.store, "w", handler).carry_out()
    desk.clock.now += outbox.LEASE
    assert Outbox(desk.store, "w", handler).carry_out() == (1, 0)


def test_a_handler_that_exits_has_failed_and_the_run_goes_on(desk):
    """Hostile: sys.exit in the shop's code would end cron's job with the shop's code, and without a word."""
    with_effects(desk, "A1", "A2")
    handler = Handler(1, "A1", error=SystemExit(0))
    assert Outbox(desk.store, "w", handler).carry_out() == (1, 1)
    assert desk.store.counts()["failing"][0].error.startswith("SystemExit: ")


@pytest.mark.parametrize("way", ["handler", "within"])
def test_a_coroutine_or_a_generator_is_no_handler_as_nothing_of_it_runs(desk, way):
    """Hostile: async def and yield. Genuine: a plain function that returns anything else."""
    async def coroutine(*_):
        raise AssertionError("it is not run")

    def generator(*_):
        yield

    async def generates(*_):
        yield
    for number, function in enumerate((coroutine, generator, generates)):
        with_effects(desk, "A{}".format(number))
        assert Outbox(desk.store, "w", **{way: function}).carry_out() == (0, 1)
        assert "plain function" in desk.store.counts()["failing"][0].error
    desk.clock.now += 3600
    assert Outbox(desk.store, "w", **{way: lambda *_: "anything"}).carry_out() == (3, 0)


def test_a_failure_is_logged_with_its_place_and_without_its_text(desk, caplog):
    with_effects(desk, "A1")
    Outbox(desk.store, "w", Handler(1, "A1", error=KeyError("canary@mail.test"))).carry_out()
    (record,) = [one for one in caplog.records if one.name == "alipay_mapi.fallback"]
    assert "KeyError: test_outbox.py:" in record.getMessage() and "A1" in record.getMessage()
    assert "canary" not in caplog.text


def test_the_place_that_is_told_is_the_shops_own(desk):
    """Where a library raises, the line in the shop that called it says more."""
    with_effects(desk, "A1")
    Outbox(desk.store, "w", lambda effect: json.loads("{")).carry_out()
    assert desk.store.counts()["failing"][0].error.startswith("JSONDecodeError: test_outbox.py:")


def test_the_effects_of_other_shops_are_left_alone(desk):
    """Two lines of cron, a handler each: what one shop was paid is nothing to the other."""
    with_effects(desk, "A1")
    handler = Handler()
    assert Outbox(desk.store, "w", handler, shops=["other"]).carry_out() == (0, 0)
    assert Outbox(desk.store, "w", handler, shops=["other", "shop"]).carry_out() == (1, 0)


def test_a_handler_may_use_the_fallback_itself(desk):
    """A shop that refunds at once what it cannot ship."""
    def refunds(effect):
        if effect.kind == "paid":
            desk.fallback.refund("shop", effect.out_trade_no, "R1", "10.00")
    with_effects(desk, "A1")
    assert Outbox(desk.store, "w", refunds).carry_out() == (1, 0)
    assert "R1" in desk.row().refunds and desk.row().due_at == desk.clock.now
    assert answer()["out_trade_no"] == "A1"


# --- with the news ----------------------------------------------------------------------------------------------------

def booked(desk):
    return [number for number, in desk.store._db.execute("SELECT number FROM booked")]


@pytest.fixture
def booking(desk):
    """``take(handler)``: the payment of A1 is notified, and the handler books it in the store's database."""
    desk.watch("A1")
    desk.store._db.execute("CREATE TABLE booked (number TEXT)")

    def take(handler=None):
        def within(db, effect):
            db.execute("INSERT INTO booked VALUES (?)", (effect.out_trade_no,))
            if handler is not None:
                handler(db, effect)
        return Fallback(desk.store, {"shop": desk.client}, within=within).take_in("shop", note("A1"))
    return take


def test_state_and_effect_within_are_one_transaction(desk, booking):
    statements = []
    desk.store._db.set_trace_callback(lambda text: statements.append(text))
    decision, carried = booking()
    desk.store._db.set_trace_callback(None)
    assert (decision.outcome, carried, booked(desk)) == ("paid", (1, 0), ["A1"])
    assert [one for one in statements if one.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]
    assert booking()[1] == (0, 0) and booked(desk) == ["A1"]


@pytest.mark.parametrize("error", [ValueError("canary@mail.test"), SystemExit(1), StoreError("full", reason="full")])
def test_a_handler_that_raises_does_not_undo_the_state_and_is_called_once(desk, booking, error):
    handler = Handler(1, "A1", error=error)
    decision, carried = booking(handler)
    assert (decision.outcome, carried, booked(desk), len(handler.got)) == ("paid", (0, 1), [], 1)
    assert desk.row().outcome == "paid" and desk.store.counts()["failing"][0].attempts == 1
    assert "canary" not in desk.store.counts()["failing"][0].error
    assert booking(handler)[1] == (0, 0)        # not before its pause is over
    desk.clock.now += pause_of(1)
    assert booking(handler)[1] == (1, 0) and booked(desk) == ["A1"]
    assert keys(handler.got) == ["shop:paid::A1"] * 2


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("raises", [False, True])
def test_a_handler_that_ends_the_transaction_does_not_undo_the_state_either(desk, booking, statement, raises):
    def ends(db, effect):
        db.execute(statement)
        if raises:
            raise KeyError("the shop's own code")
    decision, carried = booking(ends)
    assert (decision.outcome, carried, desk.row().outcome) == ("paid", (0, 1), "paid")
    assert desk.store.counts()["failures"] == 1 and desk.store.counts()["effects"] == 1


def test_an_interrupt_within_comes_through_and_nothing_is_stored_by_half(desk, booking):
    with pytest.raises(KeyboardInterrupt):
        booking(Handler(1, "A1", error=KeyboardInterrupt()))
    assert (desk.row().outcome, booked(desk), desk.store.counts()["effects"]) == ("open", [], 0)
    assert booking()[1] == (1, 0)


def test_what_waits_before_and_after_the_first_effect_is_carried_out_too(desk, booking):
    with_effects(desk, "A1")
    desk.fallback.notified("shop", refund_note("A1"))
    decision, carried = booking()
    assert decision.effects == () and carried == (2, 0) and booked(desk) == ["A1", "A1"]


@pytest.mark.parametrize("way", ["handler", "within"])
def test_a_claim_that_fails_is_an_error_of_the_store_and_nothing_is_lost(desk, way, monkeypatch):
    desk.watch("A1")
    handler = Handler()
    fallback = Fallback(desk.store, {"shop": desk.client}, **{way: handler})
    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "_tick", raises(StoreError("full", reason="full")))
        with pytest.raises(StoreError):
            fallback.take_in("shop", note("A1"))
    assert desk.row().outcome == "open" and handler.got == []
    assert fallback.take_in("shop", note("A1"))[1] == (1, 0) and len(handler.got) == 1


def test_an_effect_that_comes_while_the_handler_works_is_carried_out_after_it(desk):
    """Whoever brings it finds the one before it taken, and leaves it."""
    desk.watch("A1")
    got = []

    def handler(effect):
        got.append(effect.kind)
        if effect.kind == "paid":
            assert Fallback(desk.store, {"shop": desk.client}, handler).take_in("shop", refund_note("A1"))[1] == (0, 0)
    assert Fallback(desk.store, {"shop": desk.client}, handler).take_in("shop", note("A1"))[1] == (2, 0)
    assert got == ["paid", "refunded"]
