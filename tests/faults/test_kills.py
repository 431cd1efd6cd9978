"""Workers killed with ``kill -9``: every order has exactly the effects that the gateway's books imply, once.

How it is done is in ``kill_control.py``, what must hold in ``kill_rules.py``. The long version is
``benchmarks/faults.py``. ALIPAY_MAPI_KILLS: how many times as many runs as below are made; by itself all of them in the
phase of CI that has the servers, and a tenth elsewhere.
"""
import json
import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import alipay_mapi
import kill_rules
import servers

HERE = Path(__file__).resolve().parent
ALL = "servers" in os.environ.get("ALIPAY_MAPI_EXPECT", "").split()
TIMES = float(os.environ.get("ALIPAY_MAPI_KILLS") or (1 if ALL else 0.1))
#: Processes that make runs at once. They wait for each other's workers most of the time, for a server even more.
JOBS = {"sqlite": 2, "postgresql": 3}

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kill -9 and fork as Linux has them")


@pytest.fixture
def kills(tmp_path):
    """Runs ``kill_runs.py`` with these arguments; its reports, without that of the undisturbed run."""
    def run(*arguments, store="sqlite", jobs=None):
        out, jobs = tmp_path / "reports", jobs or JOBS[store]
        command = [sys.executable, str(HERE / "kill_runs.py"), "--store", store, "--jobs", jobs, "--out", out]
        if store == "postgresql":
            server = servers.postgresql()
            command += [part for _ in range(jobs) for part in ("--url", server.database())]
        package = str(Path(alipay_mapi.__file__).resolve().parent.parent)
        done = subprocess.run([str(part) for part in command + list(arguments)], timeout=280, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(tmp_path),
                              env=dict(os.environ, PYTHONPATH=package, PYTHONDONTWRITEBYTECODE="1"))
        assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-3000:]
        reports = [json.loads(line) for line in out.read_text().splitlines()]
        undisturbed = [report for report in reports if report["item"] == "probe"]
        return [report for report in reports if report["item"] != "probe"], undisturbed
    return run


def nothing_wrong(reports, what):
    """No rule was broken, and somebody was killed in each run. Prints what there was."""
    faults = [(report["item"], fault) for report in reports for fault in report["faults"]]
    assert not faults, (len(faults), faults[:5])
    missed = [report["item"] for report in reports if not report["kills"]]
    assert not missed, missed
    total = Counter()
    for report in reports:
        total.update({name: report[name] for name in ("kills", "orders", "effects", "repeats")})
    print("{}: {} runs, {} kills, {} orders, {} effects, {} handed over again, 0 lost, 0 doubled".format(
        what, len(reports), total["kills"], total["orders"], total["effects"], total["repeats"]))
    return total


def test_T91_nothing_is_lost_or_doubled_when_a_worker_on_sqlite_is_killed_at_random_moments(kills):
    runs = math.ceil(100 * TIMES)
    reports, _ = kills("--runs", runs, "--orders", 30)
    assert len(reports) == runs
    total = nothing_wrong(reports, "SQLite, random moments")
    assert total["kills"] >= 1.25 * runs


def test_nor_when_one_of_four_workers_on_postgresql_is(kills):
    runs = math.ceil(30 * TIMES)
    reports, _ = kills("--runs", runs, "--orders", 24, "--workers", 4, store="postgresql")
    assert len(reports) == runs
    total = nothing_wrong(reports, "PostgreSQL, four workers, random moments")
    assert total["kills"] >= 1.25 * runs


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_T91_nor_at_any_point_before_or_after_a_call_of_the_store_the_gateway_or_the_handler(kills, store):
    reports, (undisturbed,) = kills("--do", "kill", "--variant", "handler", *([] if TIMES >= 1 else ["--some", 40]),
                                    store=store)
    assert undisturbed["faults"] == [] and undisturbed["repeats"] == 0
    points = {tuple(point) for point in undisturbed["points"] if point[1] != "sql"}
    killed = {tuple(report["item"]) for report in reports}
    assert killed == points if TIMES >= 1 else len(killed & points) == 40
    names = {point[3].replace("effects_done", "effect_done") for point in points}
    assert names >= {when + call for when in ("before ", "after ") for call in (
        "watch", "claim", "settle", "apply", "take_in", "effects", "effect_done", "handler", "send", "slots")}
    total = nothing_wrong(reports, store + ", every point")
    # Killed after the handler has returned and before that is recorded, its effect comes again, with its key.
    again = sum(report["item"][3] == "after handler" for report in reports)
    assert total["repeats"] >= again and (again or TIMES < 1)
    assert not any(report["repeats"] for report in reports if report["item"][3] in ("before effects", "after claim"))


def test_an_effect_in_the_stores_own_transaction_is_there_once_wherever_the_worker_is_killed(kills):
    reports, (undisturbed,) = kills("--do", "kill", "--variant", "within", "--at", "before effect_done", "--at",
                                    "before within", "--at", "after within", "--at", "after effect_done", "--at",
                                    "before take_in", "--at", "after take_in")
    assert undisturbed["faults"] == [] and undisturbed["within"]
    names = [report["item"][3] for report in reports]
    # Some are carried out where their notification is taken in.
    assert names.count("before within") == names.count("after within") == undisturbed["effects"]
    assert names.count("after effect_done") < undisturbed["effects"] <= names.count(
        "after effect_done") + names.count("after take_in")
    nothing_wrong(reports, "SQLite, within the transaction")


def test_a_worker_that_stands_still_is_passed_by_and_nothing_is_done_twice(kills):
    """Stopped at a point, until another worker, whose own clock is an hour ahead, has done all that it finds."""
    reports, _ = kills("--do", "hold", "--variant", "handler", "--some", math.ceil(60 * TIMES))
    nothing_wrong(reports, "SQLite, stopped and passed by")
    assert sum(report["repeats"] for report in reports) == 0


def test_on_a_server_leases_end_by_its_clock_whatever_the_workers_clocks_say(kills):
    reports, _ = kills("--do", "hold", "--variant", "handler", "--own-clock", "--at", "before handler", "--some", 3,
                       store="postgresql")
    nothing_wrong(reports, "PostgreSQL, its own clock, workers an hour apart")
    assert sum(report["repeats"] for report in reports) == 0


# --- the harness itself: what it must find ----------------------------------------------------------------------------

def rules(reports):
    return {fault.partition(":")[0] for report in reports for fault in report["faults"]}


def test_the_harness_finds_an_effect_that_comes_before_its_state(kills):
    reports, _ = kills("--do", "kill", "--bug", "effect before state", "--variant", "handler", "--at", "before settle",
                       "--some", 5)
    assert len(reports) == 5 and all("early" in rules([report]) for report in reports)


def test_the_harness_finds_a_state_that_comes_before_its_effect(kills):
    reports, _ = kills("--do", "kill", "--bug", "state before effect", "--variant", "handler", "--at",
                       "before handler", "--some", 5)
    assert len(reports) == 5 and all({"late", "lost"} <= rules([report]) for report in reports)


@pytest.mark.parametrize("bug", ["no lease", "host clock"])
def test_the_harness_finds_leases_that_do_not_hold(kills, bug):
    reports, _ = kills("--do", "hold", "--bug", bug, "--variant", "handler", "--at", "before handler", "--some", 5)
    assert len(reports) == 5 and all("doubled" in rules([report]) for report in reports)


def test_the_harness_finds_a_lease_by_the_workers_clock_on_a_server_that_has_its_own(kills):
    reports, _ = kills("--do", "hold", "--bug", "host clock", "--variant", "handler", "--own-clock", "--at",
                       "before handler", "--some", 3, store="postgresql")
    assert len(reports) == 3 and all("doubled" in rules([report]) for report in reports)


# --- the rules themselves ---------------------------------------------------------------------------------------------

PLAN = [{"number": "A", "price": {"total_fee": "10.00"}, "refunds": [("A-R1", "4.00")]}]
TRUTH = {"effects": {"A": [("paid", ""), ("refunded", "A-R1")]}, "refunds": {"A": [("A-R1", "4.00", "REFUND_SUCCESS")]},
         "asked": []}


def effect(worker, kind, detail="", key=None, id=1):
    return {"said": "effect", "worker": worker, "key": key or kind + detail, "order": "A", "kind": kind,
            "detail": detail, "id": id, "stored": "pending"}


def end(worker, killed):
    return {"said": "end", "worker": worker, "killed": killed}


def recorded(worker, *keys):
    return {"said": "recorded", "worker": worker, "keys": keys}


PAID, REFUNDED = effect(1, "paid"), effect(1, "refunded", "A-R1", id=2)
STORE = [("A", "refunded")], [("A", "paid", 5.0), ("A", "refundedA-R1", 6.0)]


def found(record, truth=TRUTH, store=STORE, within=None):
    return {fault.partition(":")[0] for fault in kill_rules.faults_of(PLAN, record, truth, store[0], store[1], within,
                                                                      60.0)}


@pytest.mark.parametrize("record", [
    [PAID, REFUNDED, end(1, False)],
    [PAID, REFUNDED, recorded(1, "paid", "refundedA-R1"), end(1, True)],
    [PAID, REFUNDED, end(1, True), effect(2, "refunded", "A-R1", id=2), end(2, False)],
    [PAID, end(1, True), effect(2, "paid"), end(2, True), effect(3, "paid"),
     effect(3, "refunded", "A-R1", id=2)],
])
def test_the_rules_hold_of(record):
    assert found(record) == set()


@pytest.mark.parametrize("rule, record", [
    ("lost", [PAID]),
    ("invented", [PAID, REFUNDED, effect(1, "closed")]),
    ("key", [PAID, end(1, True), effect(2, "paid", key="other"), REFUNDED]),
    ("doubled", [PAID, REFUNDED, effect(1, "refunded", "A-R1", id=2)]),
    ("doubled", [PAID, end(1, False), effect(2, "paid"), REFUNDED]),
    ("doubled", [PAID, effect(2, "paid"), end(1, True), REFUNDED]),
    ("doubled", [PAID, recorded(1, "paid"), end(1, True), effect(2, "paid"), REFUNDED]),
    ("early", [dict(PAID, stored="nothing"), REFUNDED]),
    ("late", [PAID, dict(REFUNDED, stored="done")]),
    ("order", [REFUNDED, PAID]),
])
def test_the_rules_find(rule, record):
    assert rule in found(record)


def test_the_rules_find_what_the_books_and_the_store_do_not_bear_out():
    record = [PAID, REFUNDED]
    twice = dict(TRUTH, refunds={"A": [("A-R1", "4.00", "REFUND_SUCCESS"), ("A-R2", "4.00", "REFUND_SUCCESS")]})
    assert found(record, twice) == {"refund"}
    other = [("forex_refund", {"out_return_no": "A-R1", "return_amount": amount}, 0.0, 1) for amount in ("4.00", "5")]
    assert found(record, dict(TRUTH, asked=other)) == {"refund"}
    assert found(record, store=([("A", "open")], STORE[1])) == {"store"}
    assert found(record, store=(STORE[0], [("A", "paid", None)])) == {"store"}
    assert found(record, store=([], [])) == {"store"}
    assert found([], within=[PAID, PAID, REFUNDED]) == {"once"}


def test_the_rules_find_an_order_that_is_asked_about_twice_in_an_interval():
    plan = [dict(PLAN[0], refunds=[])]
    truth = {"effects": {"A": [("paid", "")]}, "refunds": {}}
    for seconds, faults in ((59.0, 1), (60.0, 0)):
        asked = [("single_trade_query", {"out_trade_no": "A"}, at, 1) for at in (0.0, seconds)]
        assert len(kill_rules.faults_of(plan, [PAID], dict(truth, asked=asked), [("A", "paid")], [("A", "paid", 5.0)],
                                        None, 60.0)) == faults
