"""The table of docs/reliability.md, "When the power is cut".

    python tests/faults/power_cut_table.py [ROW …] [--cuts 300] [--steps 900]

All rows, or some by their number; an "every" takes minutes. Linux and a C compiler are needed.
"""
import argparse
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir))

from power_cut_machine import Machine, compiled

ALL = 10 ** 9
#: what; pragmas; the syncs that the disk ignores; cuts (None: --cuts); seeds of the worker
ROWS = [
    ("FULL, as shipped", [], (), None, [1]),
    ("NORMAL", ["synchronous=NORMAL"], (), None, [1]),
    ("OFF", ["synchronous=OFF"], (), None, [1]),
    ("FULL, a disk that ignores syncs of files", [], ("files",), None, [1]),
    ("FULL, a disk that ignores syncs of folders", [], ("names",), None, [1]),
    ("not ahead, FULL, the journal kept, as Django's store has it", ["journal_mode=PERSIST"], (), None, [1]),
    ("not ahead, FULL, the journal deleted, SQLite's default", ["journal_mode=DELETE"], (), None, [1]),
    ("FULL, two processes at once, many checkpoints", ["wal_autocheckpoint=50"], (), 1500, None),
    ("FULL, a cut after every entry, seed 1", [], (), ALL, [1]),
    ("FULL, a cut after every entry, seed 2", [], (), ALL, [2]),
    ("FULL, a cut after every entry, seed 3", [], (), ALL, [3]),
    ("the same, seed 1, a checkpoint every 40 pages", ["wal_autocheckpoint=40"], (), ALL, [1]),
]


def row(library, steps, cuts, what, pragmas, ignored, count, seeds):
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="power-cut-") as folder:
        machine = Machine(library, folder)
        if seeds is None:
            machine.work(("A", 2, 30)).work(*[(name, seed, steps // 2) + tuple(pragmas)
                                              for name, seed in (("B", 3), ("C", 4))])
        else:
            machine.work(("A", seeds[0], steps) + tuple(pragmas))
        found = machine.report(count or cuts, seed=1, one_process=seeds is not None, ignored=ignored)
    faults = len({fault.partition(":")[0] for fault in found.faults})
    return (what, found.cuts, faults, found.acknowledged if seeds else "not counted", found.lost, found.broken,
            "{:,} / {:,}".format(found.dropped, found.torn), "{:.0f} s".format(time.monotonic() - started))


def main():
    one = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("rows", nargs="*", type=int, metavar="ROW", help="1 to {}".format(len(ROWS)))
    one.add_argument("--cuts", type=int, default=300)
    one.add_argument("--steps", type=int, default=900)
    given = one.parse_args()
    with tempfile.TemporaryDirectory(prefix="power-cut-") as folder:
        library, problem = compiled(folder)
        if problem:
            sys.exit(problem)
        print("| | cuts | cuts with a fault | acknowledged | lost | unreadable | writes dropped / torn | |")
        print("|---" * 8 + "|")
        for number in given.rows or range(1, len(ROWS) + 1):
            cells = row(library, given.steps, given.cuts, *ROWS[number - 1])
            print("| {} |".format(" | ".join("{:,}".format(cell) if isinstance(cell, int) else cell for cell in cells)),
                  flush=True)


if __name__ == "__main__":
    main()
