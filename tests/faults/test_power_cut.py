"""A power cut takes nothing from the SQLite store that it has acknowledged.

A worker writes; ``power_cut.c`` records what reaches the operating system, and in which order; ``power_cut_disk.py``
works out what a disk could hold after a cut at some moment; the store is opened on that, and compared with what had
been acknowledged by then. All follows from the seeds, but for the order in which two processes write.
"""
import itertools
import json
import os
import random
import sys

import pytest

import power_cut_check
import power_cut_disk
from alipay_mapi.fallback.stores.contract import Store
from power_cut_machine import STORE, Machine, compiled


def not_here(reason):
    reason = "power cuts are not tested: " + reason
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def recorder(tmp_path_factory):
    """The library to preload."""
    if not sys.platform.startswith("linux"):
        pytest.skip("power cuts are not tested: the recorder is for Linux")
    library, problem = compiled(str(tmp_path_factory.mktemp("recorder")))
    return library if library else not_here(problem)


@pytest.fixture
def machine(recorder, tmp_path):
    return Machine(recorder, tmp_path)


@pytest.fixture(scope="module")
def worked(recorder, tmp_path_factory):
    """One worker, the store as it is: WAL and synchronous=FULL."""
    return Machine(recorder, tmp_path_factory.mktemp("worked")).work(("A", 1, 900))


@pytest.fixture(scope="module")
def two_workers(recorder, tmp_path_factory):
    """Two at once, with a checkpoint by whoever has written the fiftieth page."""
    machine = Machine(recorder, tmp_path_factory.mktemp("two")).work(("A", 2, 30))
    return machine.work(("B", 3, 200, "wal_autocheckpoint=50"), ("C", 4, 200, "wal_autocheckpoint=50"))


@pytest.mark.parametrize("which", ["worked", "two_workers"])
def test_the_record_holds_everything_that_was_written(which, request):
    """Played back with nothing lost it gives the very files: no write went past the recorder."""
    machine, disk = request.getfixturevalue(which), power_cut_disk.Disk()
    for record in power_cut_disk.records(machine.raw):
        disk.play(*record)
    assert set(disk.latest()) == {STORE, STORE + "-wal"}
    assert disk.latest() == machine.files()


def test_nothing_acknowledged_is_lost_in_300_power_cuts(worked):
    report = worked.report(300, seed=1)
    assert report.faults == []
    assert report.cuts == 300 and report.lost == report.broken == 0
    # and there was something to lose
    assert report.acknowledged > 50000
    assert report.dropped > 200 and report.torn > 50 and report.names > 5
    assert 10 < report.begun < 200


def test_the_worker_does_everything_that_a_store_can_do(worked):
    said = [json.loads(record[4].decode("ascii")) for record in power_cut_disk.records(worked.raw) if record[0] == "A"]
    calls = {one["call"] for one in said}
    # All that the contract has and that writes.
    methods = {name for name in vars(Store) if not name.startswith("_")} - {
        "now", "get", "rows", "due", "counts", "order_of_refund"}
    assert calls == methods | {"open", "refund", "before prune"} and len(methods) > 12
    assert len({one["state"] for one in said}) > 600
    assert sum(len(one.get("effects", ())) for one in said) > 150 and sum("done" in one for one in said) > 100
    assert sum(len(one["done"]) > 1 for one in said if one["call"] == "effects_done") > 10
    assert sum(len(one.get("gone", ())) for one in said) > 20 and sum("refunds" in one for one in said) > 30
    # Checkpoints: the store's own file is written, after the few times at its beginning.
    kinds = [record[:3] for record in power_cut_disk.records(worked.raw)]
    store = next(number for kind, _, number in kinds if kind == "C")
    assert sum(kind == "B" and number == store for kind, _, number in kinds) >= 4


def test_nothing_is_lost_when_two_processes_write_at_once(two_workers):
    report = two_workers.report(60, seed=2, one_process=False)
    assert report.faults == [] and report.cuts == 60 and report.dropped > 20


def test_nothing_is_lost_when_the_power_fails_again(worked, recorder, tmp_path):
    """On what the first cut has left, the store is opened, goes on, and is cut again."""
    for seed in (1, 2, 3):
        known, rng = power_cut_check.Known(), random.Random(seed)
        first = list(itertools.islice(power_cut_check.cuts(worked.raw, 33, rng, known), 33))
        _, image, _ = first[-1]     # 30 are made while the store is
        folder = tmp_path / str(seed)
        folder.mkdir()
        machine = Machine(recorder, folder)
        power_cut_check.write(image, machine.folder)
        machine.work(("B", seed, 30))
        report = machine.report(40, seed, known=known, start=image)
        assert report.faults == [] and report.cuts == 40 and report.dropped > 10


KEPT = ("journal_mode=PERSIST", "journal_size_limit={}".format(1 << 14))


def test_a_rollback_journal_that_is_kept_loses_nothing_either(machine):
    """As Django's store has it, in a file that is not written ahead: contrib/django/store/connection.py. With a limit
    that many transactions pass."""
    report = machine.work(("A", 1, 300) + KEPT).report(150, seed=6)
    assert report.faults == [] and report.dropped > 50


# --- the harness itself: it finds what it is there to find -----------------------------------------------------------

def test_with_synchronous_off_acknowledged_transitions_are_lost_and_found_missing(machine):
    report = machine.work(("A", 1, 400, "synchronous=OFF")).report(60, seed=3)
    assert report.lost > 100 and report.broken > 0 and len(report.faults) > 20
    # also where the whole store cannot be compared, with two processes
    assert len(machine.report(60, seed=3, one_process=False).faults) > 10


def test_with_synchronous_normal_they_are_lost_and_nothing_else_breaks(machine):
    """As SQLite's manual has it: the last transactions go, whole ones, and the file is sound. So the disk of these
    tests is no worse than SQLite expects one to be."""
    report = machine.work(("A", 1, 400, "synchronous=NORMAL")).report(60, seed=4)
    assert report.lost > 100 and len(report.faults) > 20
    assert report.broken == 0
    assert [fault for fault in report.faults if "half" in fault or "no transaction" in fault] == []


def test_with_a_journal_that_is_deleted_the_last_transaction_is_lost(machine):
    """SQLite's default: the folder is not synced when the journal goes, and when it is back, it is played back."""
    report = machine.work(("A", 1, 300, "journal_mode=DELETE")).report(60, seed=7)
    assert report.lost > 10 and len(report.faults) > 10 and report.broken == 0


@pytest.mark.parametrize("ignored", ["files", "names"])
def test_a_disk_that_only_claims_to_sync_is_found(worked, ignored):
    report = worked.report(60, seed=5, ignored=(ignored,))
    assert len(report.faults) > 10
    assert report.lost > 100 or report.broken > 10
