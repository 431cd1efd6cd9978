"""One run: what ends it, what it leaves behind, and that nobody's fault keeps the others waiting."""
import threading
import time

import pytest

from alipay_mapi.errors import ConfigurationError, StoreError, TransportError
from alipay_mapi.fallback import Fallback, runner
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from fallback_setup import Asked, Desk, PLAIN, accepted, answer, by_hand, note, refusal

PATIENCE = 10.0     # seconds; nothing here takes them


def numbers(count, letter="A"):
    return [letter + str(at) for at in range(count)]


class Gate:
    """A client's answers that wait until the test opens the gate."""

    def __init__(self):
        self.open, self.lock, self.inside = threading.Event(), threading.Lock(), 0

    def __call__(self, number):
        with self.lock:
            self.inside += 1
        assert self.open.wait(PATIENCE)
        return answer(number)


def soon(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.005)


def running(desk, **more):
    """A run in a thread of its own, and where its Tally will be."""
    result = []
    thread = threading.Thread(target=lambda: result.append(desk.fallback.run(**more)))
    thread.start()
    return thread, result


# --- what ends it -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("workers", [0, 1, 3, 16])
def test_it_ends_when_nothing_is_due_and_tells_what_it_did(workers):
    answers = {"A0": refusal(), "A1": answer("A1"), "A2": TransportError("x"), "A3": answer("A3", "TRADE_CLOSED"),
               "A4": answer("A4", "WAIT_BUYER_PAY"), "A5": answer("A5")}
    with Desk(Asked(answers.get)) as desk:
        desk.watch(*numbers(6))
        seen = []
        tally = desk.run(workers=workers, progress=lambda *what: seen.append((what[0].out_trade_no, what[1].outcome)))
        assert tally[:3] == (6, {"open": 3, "paid": 2, "closed": 1}, {"TransportError": 1})
        assert tally[3:6] == (3, 0, "done")
        assert dict(seen) == {"A0": "open", "A1": "paid", "A2": "open", "A3": "closed", "A4": "open", "A5": "paid"}
        again = desk.run(workers=workers)
        assert again[:6] == (0, {}, {}, 0, 0, "done") and len(desk.client.log) == 6


@pytest.mark.parametrize("workers", [0, 4])
def test_a_limit_is_never_exceeded_and_the_oldest_come_first(workers):
    with Desk() as desk:
        for at, number in enumerate(reversed(numbers(30))):
            desk.watch(number, first_in=at / 100)
        desk.clock.now += 1
        assert desk.run(workers=workers, limit=7)[:1] == (7,) and len(desk.client.log) == 7
        assert {number for _, number in desk.client.log} == set(numbers(30)[-7:])
        assert desk.run(workers=workers, limit=7).ended == "limit" and desk.fallback.status()["leased"] == 0
        assert desk.run(workers=workers, limit=0).asked == 0
        assert desk.run(workers=workers, limit=999).ended == "done" and len(desk.client.log) == 30


def test_at_its_deadline_nothing_is_begun_and_the_rest_is_given_back():
    gate = Gate()
    with Desk(Asked(gate)) as desk:
        desk.watch(*numbers(30))
        thread, result = running(desk, workers=3, deadline=0.3)
        soon(lambda: gate.inside == 3)
        time.sleep(0.5)
        gate.open.set()
        thread.join(PATIENCE)
        assert result[0].ended == "deadline" and result[0].asked == 3 == len(desk.client.log)
        assert desk.fallback.status()["leased"] == 0 and desk.fallback.status()["due"] == 27
        assert [desk.row(number).attempts for number in numbers(30)].count(0) == 27
        assert desk.run(deadline=0.0, workers=2).ended == "deadline" and len(desk.client.log) == 3


def test_orders_that_wait_for_their_turn_are_given_back_at_the_deadline():
    with Desk(per_second=1.0) as desk:
        desk.watch(*numbers(12))
        tally = desk.run(workers=12, deadline=0.4)
        assert tally.ended == "deadline" and tally.asked <= 1 and tally.seconds < 3
        assert desk.fallback.status()["leased"] == 0


@pytest.mark.parametrize("workers", [1, 8])
def test_when_it_is_told_to_stop_what_is_in_hand_is_finished_and_the_rest_given_back(workers):
    gate, stop = Gate(), threading.Event()
    with Desk(Asked(gate)) as desk:
        desk.watch(*numbers(50))
        thread, result = running(desk, workers=workers, stop=stop)
        soon(lambda: gate.inside == workers)
        stop.set()
        time.sleep(0.3)
        gate.open.set()
        thread.join(PATIENCE)
        assert result[0].ended == "stopped" and result[0].asked == workers
        assert [desk.row(number).outcome for number in numbers(50)].count("paid") == workers
        assert desk.fallback.status()["leased"] == 0 and desk.fallback.status()["due"] == 50 - workers
        # Their effects are recorded, and carried out by the next run.
        assert len(desk.done) + desk.fallback.status()["effects"] == workers
        assert desk.run(workers=workers).ended == "done" and len(desk.done) == 50


def test_one_that_is_stopped_before_it_began_asks_nothing():
    stop = threading.Event()
    stop.set()
    with Desk() as desk:
        desk.watch()
        assert desk.run(workers=2, stop=stop)[0] == 0 and desk.run(workers=0, stop=stop).ended == "stopped"
        assert desk.client.log == [] and desk.row().lease == ""


# --- the gateway is down ----------------------------------------------------------------------------------------------

DOWN = [TransportError("x", kind=kind, sent=kind not in ("dns", "connect", "proxy", "tls"))
        for kind in ("dns", "connect", "proxy", "tls", "timeout", "broken", "status", "redirect", "short", "empty")]


@pytest.mark.parametrize("error", DOWN, ids=lambda error: error.kind)
def test_T97_when_the_gateway_is_down_the_run_ends_early_and_the_rest_stays_due(error):
    """Hostile: no connection for anybody. Genuine: the next run, when it is back, settles all of them."""
    with Desk(Asked(lambda number: error)) as desk:
        desk.watch(*numbers(100))
        tally = desk.run(workers=8)
        assert tally.ended == "gateway down" and 8 <= tally.asked <= 40
        assert tally.outcomes == {"open": tally.asked} and tally.errors == {"TransportError": tally.asked}
        assert desk.fallback.status()["due"] == 100 - tally.asked and desk.done == []
        desk.client.answers = lambda number: answer(number)
        assert desk.run(7300, workers=8).ended == "done" and len(desk.done) == 100


@pytest.mark.parametrize("count", [1, 3])
def test_it_is_noticed_with_fewer_orders_than_workers(count):
    with Desk(Asked(lambda number: DOWN[0])) as desk:
        desk.watch(*numbers(count))
        assert desk.run(workers=16)[5:6] == ("gateway down",) and len(desk.client.log) == count


def test_a_gateway_that_answers_some_is_not_down_and_a_run_without_questions_neither():
    with Desk(Asked(lambda number: DOWN[0] if int(number[1:]) % 4 else answer(number))) as desk:
        desk.watch(*numbers(60))
        assert desk.run(workers=4).ended == "done" and len(desk.done) == 15
        assert desk.run(workers=4)[0] == 0 and desk.run(workers=4).ended == "done"


def test_a_no_of_the_gateway_is_an_answer():
    with Desk(Asked(lambda number: refusal("ILLEGAL_SIGN"))) as desk:
        desk.watch(*numbers(60))
        assert desk.run(workers=4)[:6] == (60, {"open": 60}, {"GatewayError": 60}, 0, 0, "done")


# --- poison -----------------------------------------------------------------------------------------------------------

def poisoned(number):
    return int(number[1:]) % 10 == 0


def raises(number):
    if poisoned(number):
        raise RuntimeError("canary@mail.test")
    return answer(number)


POISON = {
    "facts that cannot be read": (
        "UPDATE mapi_orders SET facts='{\"newer\":[]}' WHERE out_trade_no LIKE '%0'", None, None),
    "a price that cannot be read": ("UPDATE mapi_orders SET price='?' WHERE out_trade_no LIKE '%0'", None, None),
    "refunds that cannot be read": ("UPDATE mapi_orders SET refunds='[[1]]' WHERE out_trade_no LIKE '%0'", None, None),
    "a client that raises": (None, raises, None),
    "a client that ends its thread": (None, lambda number: SystemExit(1) if poisoned(number) else answer(number), None),
    "no answer": (None, lambda number: TransportError("x") if poisoned(number) else answer(number), None),
    "a handler that raises": (None, None, lambda effect: poisoned(effect.out_trade_no)),
}


@pytest.mark.parametrize("workers", [0, 8])
@pytest.mark.parametrize("name", sorted(POISON))
def test_T95_poison_orders_hold_up_nobody_and_are_given_up_visibly(name, workers):
    """Hostile: every tenth order always fails. Genuine: the other nine tenths, in at most 1.1 times the questions."""
    statement, answers, fails = POISON[name]
    count = 300
    with Desk(Asked(answers or (lambda number: answer(number))), handler=None) as desk:
        done = []

        def handler(effect):
            if fails is not None and fails(effect):
                raise ValueError("canary@mail.test")
            done.append(effect.out_trade_no)
        fallback = Fallback(desk.store, {"shop": desk.client}, handler, schedule=PLAIN, per_second=None)
        desk.watch(*numbers(count), timeout="30m")
        if statement:
            by_hand(desk.store, statement)
        assert fallback.run(workers=workers).ended == "done"
        good = [number for number in numbers(count) if not poisoned(number)]
        assert sorted(number for number in done if not poisoned(number)) == sorted(good)
        assert len([number for _, number in desk.client.log if not poisoned(number)]) == len(good)
        assert len(desk.client.log) <= count * 1.1
        asked = len(desk.client.log)
        days = 7 if name == "no answer" else 1      # without a connection nothing is said of the order
        for _ in range(28 * days + 12):
            desk.clock.now += 3700
            fallback.run(workers=workers)
        bad = [number for number in numbers(count) if poisoned(number)]
        if fails is not None:
            assert desk.fallback.status()["failures"] == len(bad) and len(done) == len(good)
            assert desk.fallback.status()["failing"][0].error.startswith("ValueError: test_runner.py")
        else:
            assert {desk.row(number).outcome for number in bad} == {"gave_up"}
            assert all(desk.row(number).last_error and desk.row(number).due_at is None for number in bad)
            assert len(desk.fallback.status()["gave_up"]) == 20
            # Half an hour to pay, ten minutes and a day: at growing intervals that is some 30 questions.
            assert len(desk.client.log) - asked <= (28 * days + 7) * len(bad)
            assert sorted(number for number in done if poisoned(number)) == sorted(bad), "a person is told, once each"
        text = "\n".join(desk.store._db.iterdump())
        assert "canary" not in text


# --- slow handlers and claims -----------------------------------------------------------------------------------------

def test_a_question_that_could_outlive_its_claim_is_left_to_others(monkeypatch):
    """One worker and a slow gateway: what it cannot begin in the first half of its claim it gives back."""
    with Desk() as desk:
        desk.watch(*numbers(8))
        began = {}
        clock = [1000.0]

        class Time:
            @staticmethod
            def monotonic():
                return clock[0]

            @staticmethod
            def sleep(seconds):
                clock[0] += seconds
        monkeypatch.setattr(runner, "time", Time)
        claim = desk.store.claim

        def claims(*arguments):
            rows = claim(*arguments)
            began.update({row.out_trade_no: clock[0] for row in rows})
            return rows
        monkeypatch.setattr(desk.store, "claim", claims)
        ages = []

        def slow(number):
            ages.append(clock[0] - began[number])
            clock[0] += 40
            return answer(number)
        desk.client.answers = slow
        assert desk.run(workers=1).asked == 8
        assert max(ages) <= runner.LEASE / 2 and len(desk.done) == 8


def test_a_handler_that_takes_longer_than_a_claim_costs_a_question_and_nothing_else(tmp_path):
    """While the handler is at work the claims of this run end, and another run asks; nothing is done twice."""
    clock_of = []
    with Desk(path=tmp_path / "store.db", handler=None) as desk:
        store = SQLiteStore(str(tmp_path / "store.db"), clock=desk.clock)
        done, other_done, other = [], [], []

        def slow(effect):
            if not clock_of:
                clock_of.append(1)
                desk.clock.now += 200
                other.append(second.run(workers=2))
            done.append(effect.key)
        first = Fallback(desk.store, {"shop": desk.client}, slow, schedule=PLAIN, per_second=None)
        second = Fallback(store, {"shop": desk.client}, lambda effect: other_done.append(effect.key), schedule=PLAIN,
                          per_second=None)
        desk.watch(*numbers(12))
        first.run(workers=1)
        first.run(workers=1)
        store.close()
        assert len(done + other_done) == 12 == len(set(done + other_done))
        assert {desk.row(number).outcome for number in numbers(12)} == {"paid"}
        for number in numbers(12):
            assert len([1 for _, one in desk.client.log if one == number]) <= 2


# --- the store fails --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("workers", [0, 6])
@pytest.mark.parametrize("method", ["claim", "settle", "release", "effects", "effects_done", "now"])
@pytest.mark.parametrize("at", [1, 3])
def test_T96_a_store_that_fails_in_the_middle_ends_the_run_and_its_threads_and_loses_nothing(
        method, at, workers, monkeypatch):
    """Hostile: the store fails at its n-th call. Genuine: the next run settles every order, each effect once a key."""
    before = threading.active_count()
    with Desk() as desk:
        desk.watch(*numbers(40))
        real, calls = getattr(desk.store, method), []

        def fails(*arguments, **more):
            calls.append(1)
            if len(calls) == at:
                raise StoreError("the store could not be used (locked)", reason="locked")
            return real(*arguments, **more)
        with monkeypatch.context() as patch:
            patch.setattr(desk.store, method, fails)
            if method == "release":     # only a run that is stopped gives something back
                stop = threading.Event()
                desk.client.answers = lambda number: stop.set() or answer(number)
                try:
                    desk.run(workers=workers, stop=stop)
                except StoreError:
                    pass
                desk.client.answers = lambda number: answer(number)
            else:
                with pytest.raises(StoreError):
                    desk.run(workers=workers)
        soon(lambda: threading.active_count() <= before)
        desk.run(61, workers=workers)
        desk.run(301, workers=workers)
        assert {desk.row(number).outcome for number in numbers(40)} == {"paid"}
        assert {one.key for one in desk.done} == {"shop:paid::" + number for number in numbers(40)}
        assert len(desk.done) <= 40 + 40 * (method == "effects_done")
        for number in numbers(40):
            assert len([1 for _, one in desk.client.log if one == number]) <= 2


def test_threads_that_wait_for_their_turn_ask_nothing_after_the_run_has_failed(monkeypatch):
    before = threading.active_count()
    with Desk(per_second=2.0) as desk:
        desk.watch(*numbers(10))
        monkeypatch.setattr(desk.store, "settle", lambda changes: (_ for _ in ()).throw(StoreError("x", reason="full")))
        with pytest.raises(StoreError):
            desk.run(workers=10)
        asked = len(desk.client.log)
        soon(lambda: threading.active_count() <= before)
        assert len(desk.client.log) <= asked + 1 <= 3


def test_what_progress_raises_comes_through_and_what_was_settled_stays_settled():
    before = threading.active_count()
    with Desk() as desk:
        desk.watch(*numbers(20))

        def breaks(row, decision):
            raise ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            desk.run(workers=4, progress=breaks)
        soon(lambda: threading.active_count() <= before)
        desk.run(61, workers=4)
        assert len(desk.done) == 20


def test_a_row_that_is_deleted_while_it_is_asked_about_is_nobodys():
    with Desk() as desk:
        desk.watch(*numbers(3))

        def deletes(number):
            by_hand(desk.store, "DELETE FROM mapi_orders WHERE out_trade_no='A1'")
            return answer(number)
        desk.client.answers = deletes
        tally = desk.run()
        assert tally.asked in (2, 3) and desk.row("A1") is None and len(desk.done) == 2


@pytest.mark.parametrize("workers", [-1, 257])
def test_a_number_of_workers_that_is_none_is_refused(workers):
    with Desk() as desk:
        with pytest.raises(ConfigurationError):
            desk.fallback.run(workers=workers)


def test_a_shop_without_a_client_waits_for_a_run_that_has_one():
    with Desk() as desk:
        desk.watch("A1")
        other = Asked()
        fallback = Fallback(desk.store, {"other": other}, desk.carry_out, schedule=PLAIN)
        assert fallback.run(workers=2)[0] == 0 and other.log == []
        assert desk.run().asked == 1


def test_a_notification_while_the_order_is_asked_about_settles_it_and_the_answer_adds_nothing():
    with Desk() as desk:
        desk.watch()

        def meanwhile(number):
            desk.fallback.notified("shop", note())
            return TransportError("x")
        desk.client.answers = meanwhile
        desk.run()
        assert desk.effects() == [("paid", "", "A1")] and desk.row().outcome == "paid" and desk.row().due_at is None


def test_a_refund_that_is_wished_while_its_order_is_asked_about_is_sent():
    with Desk(Asked(refunds=accepted)) as desk:
        desk.watch()

        def meanwhile(number):
            desk.client.answers = lambda number: answer(number, to_buyer_fee="0.00")
            desk.fallback.refund("shop", number, "R1", "1.00")
            return answer(number)
        desk.client.answers = meanwhile
        desk.run()
        assert [arguments["out_return_no"] for _, arguments in desk.client.refund_log] == ["R1"]
