"""When an order is asked about: the arithmetic by itself, then with every clock, then a backlog at the limit."""
import os
import threading
import time

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from alipay_mapi.errors import ConfigurationError
from alipay_mapi.fallback import Fallback, Schedule, runner
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from fallback_setup import Asked, Clock, Desk, PLAIN, START, answer, order, refusal

WALKS = int(os.environ.get("MAPI_CLOCK_WALKS", "1000"))
KEY = "shop:A1"


# --- by itself --------------------------------------------------------------------------------------------------------

def test_an_order_has_a_grace_time_and_then_growing_intervals_up_to_the_longest():
    schedule = Schedule(grace=90, first=60, factor=2, longest=600, jitter=0)
    assert schedule.begins(KEY, START) == START + 90
    assert [schedule.interval(attempts) for attempts in range(7)] == [60, 60, 120, 240, 480, 600, 600]
    assert schedule.interval(10 ** 9) == 600
    assert schedule.after(KEY, 3, START, START + 9999) == START + 240


def test_the_last_question_is_a_margin_after_the_deadline_and_then_there_is_none():
    schedule = Schedule(first=60, longest=3600, margin=600, jitter=0)
    assert schedule.after(KEY, 10, START, START + 100) == START + 700
    assert schedule.after(KEY, 1, START + 699, START + 100) == START + 759, "not two questions within a second"
    assert schedule.after(KEY, 1, START + 700, START + 100) is None
    assert schedule.after(KEY, 1, START + 86400, START + 100) is None


def test_an_unknown_outcome_is_asked_about_for_longer_and_then_given_up():
    schedule = Schedule(first=60, margin=600, gives_up=3600, jitter=0)
    assert schedule.retry(KEY, 1, START, START - 4199) == START + 60
    assert schedule.retry(KEY, 1, START, START - 4200) is None


def test_jitter_stretches_by_its_share_and_is_the_same_for_the_same_order():
    schedule = Schedule(jitter=0.5)
    moments = [schedule.after("shop:A{}".format(at), 2, START, START + 9999) - START for at in range(2000)]
    assert min(moments) >= 120 and max(moments) < 180
    assert len(set(moments)) > 1990 and 147 < sum(moments) / len(moments) < 153, "spread out evenly"
    assert moments == [schedule.after("shop:A{}".format(at), 2, START, START + 9999) - START for at in range(2000)]
    assert schedule.begins(KEY, START) >= START + schedule.grace
    # Written down once: another version, or another machine, must come to the same moment.
    assert round(schedule.unheard(KEY, 3, 0.0), 6) == round(Schedule(jitter=0.5).unheard(KEY, 3, 0.0), 6) > 240
    assert schedule.unheard(KEY + "\udcff", 3, 0.0) > 240


@given(attempts=st.integers(0, 10 ** 6), age=st.floats(-1e6, 1e6), jitter=st.floats(0, 1), key=st.text(max_size=9))
def test_a_next_moment_is_never_sooner_than_the_first_interval(attempts, age, jitter, key):
    schedule = Schedule(jitter=jitter)
    for due in (schedule.after(key, attempts, START, START + age), schedule.retry(key, attempts, START, START + age),
                schedule.unheard(key, attempts, START)):
        assert due is None or START + schedule.first <= due <= START + 2 * schedule.longest


@pytest.mark.parametrize("wrong", [
    {"first": 0}, {"first": 0.5}, {"longest": 30}, {"factor": 0.5}, {"factor": 11}, {"jitter": -0.1}, {"jitter": 1.1},
    {"grace": -1}, {"margin": 0}, {"gives_up": 0}, {"first": float("nan")}, {"grace": float("nan")},
    {"factor": float("nan")}, {"first": "60"}, {"grace": None}, {"jitter": True}])
def test_a_schedule_that_would_storm_or_never_end_is_refused(wrong):
    with pytest.raises(ConfigurationError):
        Schedule(**wrong).check()
    store = SQLiteStore(":memory:")
    with pytest.raises(ConfigurationError):
        Fallback(store, {}, schedule=Schedule(**wrong))
    store.close()
    assert Schedule().check() == Schedule()


# --- with every clock -------------------------------------------------------------------------------------------------

STEPS = st.lists(st.sampled_from([0, 0, 1, 7, 31, 61, 61, 130, 900, 3600, -3600, 86400, -86400]), max_size=8)


def walk(steps, answers):
    """Run after every step of the clock; → per order, since its last question, the seconds that the clock has gone
    forward, for every question; and how long the longest wait of an open order was."""
    with Desk(Asked(answers), schedule=Schedule(jitter=0.3), handler=None) as desk:
        desk.watch("A1", "A2", timeout="15d")
        since, gaps = {}, []
        for step in steps:
            desk.clock.now += step
            since = {number: forward + max(step, 0) for number, forward in since.items()}
            before = len(desk.client.log)
            desk.run()
            for _, number in desk.client.log[before:]:
                gaps.append(since.get(number, 1e9))
                since[number] = 0
        asked = len(desk.client.log)
        desk.clock.now += 1
        desk.run()
        # Two of its own longest intervals later, by a clock that runs on, every open order has been asked again.
        for _ in range(2):
            desk.run(Schedule().longest * 1.3 + 1)
        again = {number for _, number in desk.client.log[asked:]}
        return gaps, again


@settings(max_examples=WALKS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, errors=st.booleans())
@example(steps=[61, -86400, 61, 86400, 61, -3600, 0, 0], errors=False)
@example(steps=[86400, -86400] * 6, errors=True)
def test_T93_whatever_the_clock_does_an_order_is_asked_at_most_once_in_an_interval_and_never_forgotten(steps, errors):
    """Hostile: jumps of a day and an hour both ways, a clock that stands still. Genuine: one that runs on."""
    gaps, again = walk(steps, lambda number: refusal("SYSTEM_BUSY") if errors else answer(number, "WAIT_BUYER_PAY"))
    assert all(gap >= Schedule().first for gap in gaps)
    assert again == {"A1", "A2"}


def test_T93_a_clock_that_stands_still_asks_once_and_one_that_jumps_a_day_ahead_once_more():
    with Desk(Asked(lambda number: answer(number, "WAIT_BUYER_PAY"))) as desk:
        desk.watch(timeout="15d")
        for _ in range(50):
            desk.run()
        assert len(desk.client.log) == 1
        desk.clock.now += 86400
        for _ in range(50):
            desk.run()
        assert len(desk.client.log) == 2
        desk.clock.now -= 86400
        for _ in range(50):
            desk.run()
        assert len(desk.client.log) == 2
        assert desk.run(121).asked == 1, "and not a day later"


# --- a backlog --------------------------------------------------------------------------------------------------------

class Simulated:
    """Stands in for ``time`` and ``threading`` in the runner: who waits moves the clock."""

    def __init__(self, clock):
        self.clock, self.Thread = clock, threading.Thread
        self.get_ident, self.Event = threading.get_ident, lambda: Waiting(clock)

    def monotonic(self):
        return self.clock.now


class Waiting:
    def __init__(self, clock):
        self.clock, self.on = clock, False

    def wait(self, seconds):
        if not self.on:
            self.clock.now += seconds
        return self.on

    def is_set(self):
        return self.on

    def set(self):
        self.on = True


@pytest.fixture
def simulated(monkeypatch):
    clock = Clock()
    stand_in = Simulated(clock)
    monkeypatch.setattr(runner, "time", stand_in)
    monkeypatch.setattr(runner, "threading", stand_in)
    return clock


def test_T97_a_backlog_of_10000_drains_oldest_first_at_the_limit_and_nobody_is_skipped(simulated):
    """Hostile: 10,000 are due at once. Genuine: each is asked, in the order of its moment."""
    client = Asked(lambda number: refusal(), clock=simulated)
    store = SQLiteStore(":memory:", clock=simulated)
    fallback = Fallback(store, {"shop": client}, per_second=5.0)
    numbers = ["A{}".format(at * 7919 % 10000) for at in range(10000)]      # not in the order of their ids
    fallback.watch_many(fallback.watched("shop", order(number), "15d", float(number[1:]) / 10) for number in numbers)
    simulated.now += 4 * 3600
    started = simulated.now
    tally = fallback.run(workers=0, stop=Waiting(simulated), limit=10000)
    store.close()
    moments = [moment - started for moment, _ in client.log]
    assert tally.asked == 10000 and [number for _, number in client.log] == ["A{}".format(at) for at in range(10000)]
    assert 1990 < moments[-1] < 2010, "10,000 at 5 a second take 2,000 seconds"
    for window in (1.0, 10.0, 60.0):
        assert fullest(moments, window) <= 5 * window * 1.1 + 1


def test_a_partner_whose_shops_are_two_has_one_limit_and_another_partner_his_own(simulated):
    first, second, other = (Asked(lambda number: refusal(), clock=simulated, partner=partner)
                            for partner in ("2088000000000101", "2088000000000101", "2088000000000102"))
    store = SQLiteStore(":memory:", clock=simulated)
    fallback = Fallback(store, {"one": first, "two": second, "three": other}, per_second=5.0)
    fallback.watch_many(fallback.watched(shop, order("A{}".format(at)), "15d", 0) for at in range(100)
                        for shop in ("one", "two", "three"))
    fallback.run(workers=0, stop=Waiting(simulated), limit=300)
    store.close()
    assert fullest([moment for moment, _ in first.log + second.log], 10) <= 56
    assert len(other.log) == 100 and fullest([moment for moment, _ in other.log], 10) <= 56


@pytest.mark.parametrize("slow", [[0], [5, 0.1], [0.1, 2.9, 4.2], [14, 0]], ids=str)
def test_refunds_of_one_partner_are_3_seconds_apart_however_slowly_they_are_answered(simulated, slow):
    def refund(arguments):
        simulated.now += slow[len(client.refund_log) % len(slow)]
        return refusal("REPEATED_REFUNDMENT_REQUEST")
    client = Asked(lambda number: answer(number, to_buyer_fee="0.00"), clock=simulated, refunds=refund)
    store = SQLiteStore(":memory:", clock=simulated)
    fallback = Fallback(store, {"shop": client}, schedule=PLAIN)
    for at in range(12):
        fallback.watch("shop", order("A{}".format(at)), first_in=9999)
        fallback.refund("shop", "A{}".format(at), "R{}".format(at), "1.00")
    fallback.run(workers=0, stop=Waiting(simulated), limit=24)
    for _ in range(3):
        fallback.run(workers=0, stop=Waiting(simulated), limit=12)
    store.close()
    moments = sorted(moment for moment, _ in client.refund_log)
    assert len(moments) == 12 and min(two - one for one, two in zip(moments, moments[1:])) >= 3.0


def test_a_gateway_that_was_slow_does_not_get_at_once_what_it_should_have_got_meanwhile(monkeypatch):
    """Nothing is answered for two seconds; turns that pass meanwhile are given back, and not all used afterwards."""
    monkeypatch.setattr(runner, "LATE", 0.2)
    opens = time.monotonic() + 2.0
    client = Asked(lambda number: time.sleep(max(0.0, opens - time.monotonic())) or refusal(), clock=time.monotonic)
    store = SQLiteStore(":memory:")
    fallback = Fallback(store, {"shop": client}, per_second=20.0)
    fallback.watch_many(fallback.watched("shop", order("A{}".format(at)), "15d", 0) for at in range(60))
    fallback.run(workers=8, deadline=3.0)
    counts = store.counts()
    store.close()
    after = [moment - opens for moment, _ in client.log if moment >= opens]
    assert 1 <= len([moment for moment in after if moment < 0.5]) <= 0.5 * 20 * 1.1 + 5
    assert counts["leased"] == 0


def test_threads_keep_to_the_limit_by_the_real_clock(tmp_path):
    client = Asked(lambda number: refusal(), clock=time.monotonic)
    store = SQLiteStore(str(tmp_path / "store.db"))
    fallback = Fallback(store, {"shop": client}, per_second=60.0)
    fallback.watch_many(fallback.watched("shop", order("A{}".format(at)), "15d", 0) for at in range(120))
    other = SQLiteStore(str(tmp_path / "store.db"))
    second = Fallback(other, {"shop": client}, per_second=60.0)
    thread = threading.Thread(target=second.run, kwargs={"workers": 8, "limit": 60})
    thread.start()
    fallback.run(workers=8, limit=60)
    thread.join(20)
    store.close()
    other.close()
    moments = [moment for moment, _ in client.log]
    assert len(moments) == 120 == len({number for _, number in client.log})
    assert 1.8 < max(moments) - min(moments) < 8 and fullest(moments, 0.5) <= 60 * 0.5 * 1.1 + 8


def fullest(moments, window):
    """How many are in the fullest window of so many seconds."""
    moments, start, most = sorted(moments), 0, 0
    for at, moment in enumerate(moments):
        while moments[start] <= moment - window:
            start += 1
        most = max(most, at - start + 1)
    return most


def test_the_fullest_window_is_found():
    assert fullest([0, 0.5, 0.9, 3, 3.1], 1.0) == 3


def test_refunds_that_wait_for_their_turn_hold_up_no_questions():
    """Hostile: 60 refunds that are older than 30 questions. Genuine: the questions, meanwhile."""
    client = Asked(lambda number: answer(number, to_buyer_fee="0.00"), refunds=lambda arguments: refusal(
        "REPEATED_REFUNDMENT_REQUEST"))
    with Desk(client) as desk:
        fallback = Fallback(desk.store, {"shop": client}, schedule=PLAIN, per_second=None)
        for at in range(60):
            fallback.watch("shop", order("A{}".format(at)), first_in=99999)
            fallback.refund("shop", "A{}".format(at), "R{}".format(at), "1.00")
        fallback.run(workers=4, deadline=0.5)
        fallback.watch_many(fallback.watched("shop", order("B{}".format(at)), "15d", 0) for at in range(30))
        fallback.run(workers=4, deadline=1.5)
        assert len([1 for _, number in client.log if number.startswith("B")]) == 30
        assert 1 <= len(client.refund_log) <= 2


def test_one_run_sends_all_refunds_each_in_its_turn(simulated):
    client = Asked(lambda number: answer(number, to_buyer_fee="0.00"), clock=simulated,
                   refunds=lambda arguments: refusal("REPEATED_REFUNDMENT_REQUEST"))
    store = SQLiteStore(":memory:", clock=simulated)
    fallback = Fallback(store, {"shop": client}, schedule=PLAIN)
    for at in range(30):
        fallback.watch("shop", order("A{}".format(at)), first_in=99999)
        fallback.refund("shop", "A{}".format(at), "R{}".format(at), "1.00")
    assert fallback.run(workers=0, stop=Waiting(simulated)).ended == "done"
    store.close()
    moments = [moment for moment, _ in client.refund_log]
    assert len(moments) == 30 and min(two - one for one, two in zip(moments, moments[1:])) >= 3.0


def test_a_partner_at_his_limit_does_not_hold_up_another():
    busy, other = Asked(lambda number: refusal()), Asked(lambda number: refusal(), partner="2088000000000102")
    with Desk(busy) as desk:
        fallback = Fallback(desk.store, {"shop": busy, "other": other}, schedule=PLAIN, per_second=0.5)
        fallback.watch_many(fallback.watched("shop", order("A{}".format(at)), "15d", at / 1000) for at in range(100))
        fallback.watch("other", order("C1"), first_in=1)
        desk.clock.now += 5
        tally = fallback.run(workers=16, deadline=1.0)
    assert tally.ended == "deadline" and tally.seconds < 8 and len(other.log) == 1 and len(busy.log) <= 2
