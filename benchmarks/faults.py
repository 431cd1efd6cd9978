"""How often is an effect lost or doubled when workers are killed with kill -9? The long version of tests/faults.

    python benchmarks/faults.py [--do random|kill|hold] [--runs 2000] [--store sqlite|postgresql] [--workers 1]
                                [--orders 60] [--seed 1] [--times 20] [--jobs 2] [--out FILE]

``random``: so many runs, each with other orders, in which workers are killed at random moments until all is done.
``kill``: at every point before and after a call of the store, the gateway and the handler, and at every statement of
the store's transactions, ``--times`` over. ``hold``: stopped there, passed by another worker, then let go. What must
hold is in tests/faults/kill_rules.py. PostgreSQL: a server is started from the system's own binaries, or give --url.

Every run is a line in FILE (default build/faults-….jsonl); where it is there already, only what is missing is done. The
sums, with the bounds that so many runs without a fault leave (95 %), are printed and written to FILE.json.
"""
import argparse
import json
import os
import platform
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.join(HERE, os.pardir)
if os.environ.get("ALIPAY_MAPI_PACKAGE") is None:       # else: that of PYTHONPATH, to try an installed one
    sys.path.insert(0, CHECKOUT)
sys.path.insert(0, os.path.join(CHECKOUT, "tests", "faults"))
sys.path.insert(0, os.path.join(CHECKOUT, "tests"))

import kill_runs    # noqa: E402

#: Runs between two looks at what there is.
SHARE = 50


def bound(cases):
    """The greatest probability with which ``cases`` of them without a fault are not yet a surprise (5 %)."""
    return 1 - 0.05 ** (1 / cases) if cases else 1.0


def sums(path):
    total = dict.fromkeys(("runs", "kills", "workers", "orders", "effects", "repeats", "asked", "within", "missed",
                           "seconds", "with_faults", "lost", "doubled", "other"), 0)
    found = []
    for report in kill_runs.read(path):
        if report["item"] == "probe":
            continue
        if not report["kills"] and not report["faults"]:
            total["missed"] += 1    # no kill hit: no run
            continue
        total["runs"] += 1
        for name in ("kills", "workers", "orders", "effects", "repeats", "asked", "within", "seconds"):
            total[name] += report[name]
        total["with_faults"] += bool(report["faults"])
        for fault in report["faults"]:
            rule = fault.partition(":")[0]
            total["doubled" if rule == "once" else rule if rule in ("lost", "doubled") else "other"] += 1
            found.append([report["item"], fault])
    total["seconds"] = round(total["seconds"], 1)
    total["faults"] = found[:50]
    if not found:
        total["bound_per_run"], total["bound_per_order"] = bound(total["runs"]), bound(total["orders"])
    return total


def table(total, given):
    rows = [("store", "{}, {} worker{} at once".format(given.store, given.workers, "s" * (given.workers > 1))
             if given.do == "random" else given.store),
            ("killed", {"random": "at random moments", "kill": "at every point", "hold": "stopped at every point, and "
                        "passed by another worker"}[given.do]),
            ("runs", "{runs} ({within} of them with effects in the store's own transaction)".format(**total)),
            ("workers started, and killed" if given.do != "hold" else "workers started, and stopped",
             "{workers}, {kills}".format(**total)),
            ("orders, effects", "{orders}, {effects}".format(**total)),
            ("handed over again, with their key", "{repeats}".format(**total)),
            ("lost", "{lost}".format(**total)), ("doubled", "{doubled}".format(**total)),
            ("other rules broken", "{other}".format(**total))]
    if "bound_per_run" in total:
        rows.append(("95 % bound", "{bound_per_order:.1e} per order, {bound_per_run:.1e} per run".format(**total)))
    return "\n".join("{:34} {}".format(*row) for row in rows)


def databases(given):
    if given.store == "sqlite" or given.url:
        return
    import servers
    server = servers.postgresql()
    given.url = [server.database() for _ in range(given.jobs)]


def points_of(given):
    """Every point, ``given.times`` over; each item has the time in it, so that it is done once."""
    return [point + [time] for time in range(given.times) for point in kill_runs.items_of(given)]


def main():
    one = kill_runs.parser()
    one.description, one.formatter_class = __doc__, argparse.RawDescriptionHelpFormatter
    one.set_defaults(runs=2000, out=None, sql=None)
    next(action for action in one._actions if action.dest == "out").required = False
    one.add_argument("--times", type=int, default=20, help="kill, hold: every point so often")
    given = one.parse_args()
    if given.sql is None:
        given.sql = given.do == "kill"
    given.out = os.path.abspath(given.out or os.path.join(CHECKOUT, "build", "faults-{}-{}-{}.jsonl".format(
        given.do, given.store, given.workers)))
    os.makedirs(os.path.dirname(given.out), exist_ok=True)
    kill_runs.ends_cleanly()
    databases(given)
    kill_runs.warm_up(given.store)
    items = list(range(given.seed, given.seed + given.runs)) if given.do == "random" else points_of(given)
    known = {json.dumps(report["item"]) for report in kill_runs.read(given.out)} if os.path.exists(given.out) else ()
    left = [item for item in items if json.dumps(item) not in known]
    while left:
        kill_runs.carry_out(given, left[:SHARE], given.out)
        left = left[SHARE:]
        total = sums(given.out)
        print("{}  {} to go; {} runs, {} kills, {} with a fault".format(
            time.strftime("%H:%M:%S"), len(left), total["runs"], total["kills"], total["with_faults"]), flush=True)
        write(total, given)
    total = sums(given.out)
    write(total, given)
    print(table(total, given))
    return 1 if total["with_faults"] else 0


def write(total, given):
    about = {"do": given.do, "store": given.store, "workers": given.workers, "orders": given.orders,
             "seed": given.seed, "jobs": given.jobs, "python": platform.python_version(), "machine": platform.machine(),
             "cpus": os.cpu_count()}
    with open(given.out + ".json", "w") as file:
        json.dump(dict(total, about=about), file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    sys.exit(main())
