"""A power cut takes nothing from the SQLite store that it has acknowledged.

A worker writes; ``power_cut.c`` records what reaches the operating system, and in which order; ``power_cut_disk.py``
works out what a disk could hold after a cut at some moment; the store is opened on that, and compared with what had
been acknowledged by then. All follows from the seeds, but for the order in which two processes write.
"""
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import power_cut_check
import power_cut_disk

HERE = Path(__file__).resolve().parent
STORE = power_cut_check.STORE


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
    compiler = shutil.which(os.environ.get("CC") or "cc") or shutil.which("gcc")
    if compiler is None:
        not_here("there is no C compiler")
    library = str(tmp_path_factory.mktemp("recorder") / "power_cut.so")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, str(HERE / "power_cut.c"), "-ldl"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    if done.returncode:
        not_here("the C compiler fails: " + done.stdout.decode("utf-8", "replace")[-1000:])
    return library


class Machine:
    """A folder with a store, and the record of what workers do in it."""

    def __init__(self, recorder, folder):
        self.recorder, self.record = recorder, str(folder / "record")
        self.folder = os.path.realpath(str(folder / "disk"))
        os.mkdir(self.folder)

    def work(self, *workers):
        """``workers``: (name, seed, calls, pragma, …) of each; they run at once, until their power fails."""
        environment = dict(os.environ, POWER_CUT_FOLDER=self.folder, POWER_CUT_RECORD=self.record,
                           PYTHONPATH=str(HERE.parent.parent), PYTHONDONTWRITEBYTECODE="1",
                           LD_PRELOAD=" ".join(filter(None, [os.environ.get("LD_PRELOAD"), self.recorder])))
        running = [subprocess.Popen([sys.executable, str(HERE / "power_cut_worker.py"),
                                     os.path.join(self.folder, STORE), self.record] + [str(part) for part in worker],
                                    env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT) for worker in workers]
        said = []
        for process in running:
            try:
                said.append(process.communicate(timeout=120)[0])
            finally:
                process.kill()
        assert said == [b""] * len(workers) and [process.returncode for process in running] == [0] * len(workers)
        return self

    @property
    def raw(self):
        with open(self.record, "rb") as file:
            return file.read()

    def report(self, count, seed, **more):
        return power_cut_check.report(self.raw, count, seed, **more)

    def files(self):
        found = {}
        for name in os.listdir(self.folder):
            if not name.endswith(power_cut_disk.INDEX):
                with open(os.path.join(self.folder, name), "rb") as file:
                    found[name] = file.read()
        return found


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
    assert {one["call"] for one in said} == {"open", "close", "watch", "claim", "settle", "apply", "release", "effects",
                                             "effect_done", "effect_failed", "slots"}
    assert len({one["state"] for one in said}) > 600
    assert sum(len(one.get("effects", ())) for one in said) > 150 and sum("done" in one for one in said) > 100
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


@pytest.mark.parametrize("ignored", ["files", "names"])
def test_a_disk_that_only_claims_to_sync_is_found(worked, ignored):
    report = worked.report(60, seed=5, ignored=(ignored,))
    assert len(report.faults) > 10
    assert report.lost > 100 or report.broken > 10
