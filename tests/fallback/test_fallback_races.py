"""Many at once: the same notification and a query, runs in threads and in processes; one transition, one effect.

``MAPI_RACE_ROUNDS`` multiplies the rounds.
"""
import json
import multiprocessing
import os
import threading
import time

import pytest

from alipay_mapi.fallback import Fallback
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from fallback_setup import Asked, Clock, PLAIN, answer, note, order, refund_note

TIMES = float(os.environ.get("MAPI_RACE_ROUNDS", "1"))
PATIENCE = 60.0


def rounds(count):
    return max(2, int(count * TIMES))


class Shops:
    """One store for all threads in memory, a connection for each of them to a file; one clock, one list of effects."""

    def __init__(self, kind, folder, count, threads):
        self.clock, self.done, self.lock = Clock(), [], threading.Lock()
        path = ":memory:" if kind == "memory" else str(folder / "store.db")
        self.client = Asked(lambda number: answer(number))
        stores = [SQLiteStore(path, clock=self.clock)]
        if kind != "memory":
            stores += [SQLiteStore(path, clock=self.clock) for _ in range(threads - 1)]
        self.stores = stores
        self.fallbacks = [Fallback(stores[at % len(stores)], {"shop": self.client}, self.carry_out, schedule=PLAIN,
                                   per_second=None) for at in range(threads)]
        self.fallbacks[0].watch_many(self.fallbacks[0].watched("shop", order("A{}".format(at)), "12h", at)
                                     for at in range(count))

    def carry_out(self, effect):
        with self.lock:
            self.done.append(effect.key)

    def close(self):
        for store in self.stores:
            store.close()


def at_once(threads, work):
    """``work(at)`` in so many threads → what they raised."""
    errors = []

    def run(at):
        try:
            work(at)
        except BaseException as err:
            errors.append(err)
    started = [threading.Thread(target=run, args=(at,)) for at in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return errors


# --- threads ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, threads, count", [
    ("memory", 8, 1000), ("memory", 32, 100), ("file", 8, 40), ("file", 32, 4)])
def test_T50_and_T98_the_same_notification_at_once_and_a_query_in_between_have_one_effect(
        kind, threads, count, tmp_path):
    """In every round one order comes due while all but one of the threads bring its notification, each with another
    notify_time. Hostile: all at once. Genuine: every caller succeeds, so that each answers success."""
    count = rounds(count)
    shops = Shops(kind, tmp_path, count, threads)
    barrier = threading.Barrier(threads)

    def work(at):
        fallback = shops.fallbacks[at]
        for turn in range(count):
            if barrier.wait(PATIENCE) == 0:
                shops.clock.now += 1
            if at == turn % threads:
                fallback.run(workers=0, limit=1)
            else:
                sent_at = "2026-03-01 12:00:0{}".format(at % 10)
                decision = fallback.notified("shop", note("A{}".format(turn), notify_time=sent_at))
                assert decision.outcome == "paid" and decision.due_at is None
    assert at_once(threads, work) == []
    shops.fallbacks[0].run(workers=0)
    rows = shops.stores[0].rows(limit=count + 1)
    shops.close()
    assert sorted(shops.done) == sorted("shop:paid::A{}".format(at) for at in range(count))
    assert {row.outcome for row in rows} == {"paid"} and {row.due_at for row in rows} == {None}
    for row in rows:
        assert len(json.loads(row.facts)["seen"]) == 1, "one notify_id, with one content"


@pytest.mark.parametrize("kind, threads, count", [("memory", 8, 100), ("file", 8, 12)])
def test_T50_different_news_at_once_all_count(kind, threads, count, tmp_path):
    """Hostile: a payment, a refund and a close in one moment. Genuine: the state that they have one by one."""
    count = rounds(count)
    shops = Shops(kind, tmp_path, count, threads)
    barrier = threading.Barrier(threads)
    news = [note, refund_note, lambda number: note(number, "WAIT_BUYER_PAY", "n0"),
            lambda number: note(number, "TRADE_CLOSED", "n9")]

    def work(at):
        for turn in range(count):
            barrier.wait(PATIENCE)
            shops.fallbacks[at].notified("shop", news[at % len(news)]("A{}".format(turn)))
    assert at_once(threads, work) == []
    shops.fallbacks[0].carry_out()
    rows = shops.stores[0].rows(limit=count + 1)
    shops.close()
    assert {row.outcome for row in rows} == {"refunded"}
    facts = [json.loads(row.facts) for row in rows]
    assert all([one for one, _ in kept.pop("seen")] == ["n0", "n1", "n9", "r1"] and kept.pop("done") for kept in facts)
    assert all(kept == facts[0] for kept in facts)
    assert len(shops.done) == len(set(shops.done))
    for at in range(count):
        mine = [key.split(":")[1:3] for key in shops.done if key.endswith(":A{}".format(at))]
        assert ["refunded", ""] in mine and ["refunded", "R1"] in mine


def together(shops, runs):
    tallies = []
    return tallies, at_once(runs, lambda at: tallies.append(shops.fallbacks[at].run(workers=4)))


@pytest.mark.parametrize("kind", ["memory", "file"])
@pytest.mark.parametrize("runs", [2, 8])
def test_T90_runs_that_overlap_in_threads_ask_each_order_once_and_hand_each_effect_out_once(kind, runs, tmp_path):
    """Hostile: they begin in the same moment. Genuine: together they do what one would."""
    shops = Shops(kind, tmp_path, 200, runs)
    for tick in range(2):
        shops.clock.now += 100
        tallies, errors = together(shops, runs)
        assert errors == []
        assert {tally.ended for tally in tallies} == {"done"}
        assert sum(tally.asked for tally in tallies) == [101, 99][tick]
    shops.fallbacks[0].run(workers=4)
    shops.close()
    asked = [number for _, number in shops.client.log]
    assert sorted(asked) == sorted("A{}".format(at) for at in range(200))
    assert sorted(shops.done) == sorted("shop:paid::A{}".format(at) for at in range(200))


# --- processes --------------------------------------------------------------------------------------------------------

def append(path, line):
    """One write, so that lines of different processes do not mix."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, (line + "\n").encode("ascii"))
    finally:
        os.close(handle)


class Writes(Asked):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def single_trade_query(self, out_trade_no):
        append(self.path, out_trade_no)
        time.sleep(0.001)
        return answer(out_trade_no) if int(out_trade_no[1:]) % 3 else answer(out_trade_no, "WAIT_BUYER_PAY")


def one_run(folder, start, notifies):
    while time.time() < start:
        time.sleep(0.001)
    store = SQLiteStore(os.path.join(folder, "store.db"))
    try:
        done = os.path.join(folder, "done")
        fallback = Fallback(store, {"shop": Writes(os.path.join(folder, "asked"))},
                            lambda effect: append(done, effect.key), schedule=PLAIN, per_second=None)
        for number in notifies:
            fallback.notified("shop", note(number))
        fallback.run(workers=2)
    finally:
        store.close()
    append(os.path.join(folder, "ended"), "ok")


def lines(folder, name):
    try:
        with open(os.path.join(folder, name)) as file:
            return file.read().split()
    except OSError:
        return []


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.parametrize("processes, count", [(2, 200), (8, 300), (32, 300)])
def test_T90_and_T50_runs_in_processes_that_overlap_share_the_orders(processes, count, tmp_path):
    """Hostile: 32 processes begin at once, and bring the same notifications. Genuine: each order is asked about once in
    its interval, each effect is handed out once, and every process ends well."""
    folder = str(tmp_path)
    with_notes = ["A{}".format(at) for at in range(0, 12, 3)]       # these would only wait
    store = SQLiteStore(os.path.join(folder, "store.db"))
    fallback = Fallback(store, {"shop": Asked()}, schedule=PLAIN)
    fallback.watch_many(fallback.watched("shop", order("A{}".format(at)), "12h", 0) for at in range(count))
    store.close()
    fork, start = multiprocessing.get_context("fork"), time.time() + 0.3
    started = [fork.Process(target=one_run, args=(folder, start, with_notes)) for _ in range(processes)]
    for process in started:
        process.start()
    for process in started:
        process.join(PATIENCE)
        assert process.exitcode == 0
    assert lines(folder, "ended") == ["ok"] * processes
    asked, done = lines(folder, "asked"), lines(folder, "done")
    assert len(asked) == len(set(asked)), "no order twice within an interval"
    numbers = ["A{}".format(at) for at in range(count)]
    assert set(numbers) - set(with_notes) <= set(asked)
    paid = {number for number in numbers if int(number[1:]) % 3} | set(with_notes)
    assert sorted(done) == sorted("shop:paid::" + number for number in paid)
