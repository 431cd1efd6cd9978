"""Many runs, in several processes; what they found as JSON, a line for each.

    python kill_runs.py --do random|kill|hold [--store sqlite] [--runs N] [--workers N] [--orders N] [--url URL …] …

It is a program of its own, so that no thread, connection or warning filter of a test is forked with it.
"""
import argparse
import contextlib
import gc
import json
import os
import random
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import kill_bugs
import kill_plan
from kill_control import Control
from kill_places import Postgresql, Sqlite
from kill_world import fork

#: A run in which no kill hit counts for nothing, and is made again, at most so often.
AGAIN = 6
IN_MEMORY = "/dev/shm"


def warm_up(store):
    """Do once what workers do, before they are forked: what it imports and compiles they have then. No thread is left
    and no connection."""
    import alipay_mapi as mapi
    from alipay_mapi.emulator import Emulator
    from alipay_mapi.emulator.incoming import Incoming
    from alipay_mapi.fallback import Fallback, open_store
    from alipay_mapi.transport import Answer
    stores = ["memory:"]
    if store == "postgresql":
        import psycopg2.extras     # noqa: F401
        import sqlalchemy.dialects.postgresql.psycopg2  # noqa: F401
        stores.append("sqlite+pysqlite://")
    with Emulator(seed=1, frozen=True) as emulator:
        class Direct:
            def send(self, call):
                reply = emulator.answer(Incoming(call.method, call.url.partition("?")[2].encode("ascii"),
                                                 call.body or b"")).reply
                return Answer(reply.status, reply.content_type, reply.body)
        shop = emulator.shop("md5")
        emulator.place("W1", total_fee="10.00")
        emulator.pay("W1")
        for url in stores:
            with contextlib.closing(open_store(url)) as one:
                fallback = Fallback(one, {"md5": mapi.Client(shop, transport=Direct())}, print_nothing,
                                    refunds_apart=None)
                fallback.watch("md5", mapi.Order("W1", total_fee="10.00", currency="USD"), first_in=0.0)
                fallback.refund("md5", "W1", "W1-R", "1.00")
                fallback.run(workers=0)
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()


def print_nothing(_):
    pass


def ends_cleanly():
    """SIGTERM as an exception, so that files and processes are cleared away."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Job:
    """One of the processes that make runs. ``out``: the file that takes the lines."""

    def __init__(self, given, number, out):
        self.given, self.number, self.out = given, number, out
        self.folder = tempfile.mkdtemp(prefix="kills-", dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None)

    def work(self, items):
        ends_cleanly()
        place = Sqlite(self.folder) if self.given.store == "sqlite" else Postgresql(self.given.url[self.number])
        try:
            control = Control(place, self.folder)
            for item in items:
                self.say(dict(self.one(control, item), item=item))
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def say(self, report):
        os.write(self.out, json.dumps(report).encode("ascii") + b"\n")

    def one(self, control, item):
        given = self.given
        options = {"bug": given.bug}
        if given.own_clock:
            options.update(own_clock=True)
        if given.do == "random":
            if given.variant != "mixed":
                options["within"] = given.variant == "within"
            for again in range(AGAIN):
                report = control.at_random("{}{}".format(item, "abcdef"[again] if again else ""), given.orders,
                                           given.workers, **options)
                if report["kills"] or report["faults"]:
                    break
            return report
        # Without threads the points have the same numbers in every run.
        options.update(threads=0, within=given.variant == "within", sql_points=given.sql)
        if item == "probe":
            report, points = control.undisturbed(kill_plan.small(given.store), **options)
            return dict(report, points=points)
        report = control.at_point(kill_plan.small(given.store), item, given.do, **options)
        for _ in range(2):
            if report["kills"]:
                break
            report = control.at_point(kill_plan.small(given.store), item, given.do, **options)
        return report


def carry_out(given, items, path):
    """Share the items among ``given.jobs`` processes; their lines are appended to ``path``."""
    items = list(items)
    out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        jobs = [fork(Job(given, number, out).work, items[number::given.jobs]) for number in range(given.jobs)]
        failed = [status for status in (os.waitpid(pid, 0)[1] for pid in jobs) if status]
    except BaseException:
        for pid in jobs:
            os.kill(pid, signal.SIGTERM)
        raise
    finally:
        os.close(out)
    if failed:
        raise SystemExit("a process of the harness failed; its error is above")


def read(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def parser():
    one = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    one.add_argument("--do", choices=("random", "kill", "hold"), default="random")
    one.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    one.add_argument("--url", action="append", default=[], help="of an empty PostgreSQL database, one for each job")
    one.add_argument("--runs", type=int, default=100)
    one.add_argument("--workers", type=int, default=1, help="at once")
    one.add_argument("--orders", type=int, default=60, help="of each run")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--jobs", type=int, default=2)
    one.add_argument("--bug", choices=("",) + kill_bugs.EVERY, default="")
    one.add_argument("--variant", choices=("mixed", "handler", "within"), default="mixed")
    one.add_argument("--own-clock", action="store_true", help="the database's own, and short leases")
    one.add_argument("--sql", action="store_true", help="kill: at every statement too")
    one.add_argument("--at", action="append", help="kill, hold: only the points of this name, such as 'before handler'")
    one.add_argument("--some", type=int, help="kill, hold: so many of the points, drawn by the seed")
    one.add_argument("--out", required=True, help="the file of lines; it is added to")
    return one


def items_of(given):
    """What is to be done, one by one: seeds, or points, for which an undisturbed run is made."""
    if given.do == "random":
        return list(range(given.seed, given.seed + given.runs))
    carry_out(given, ["probe"], given.out)
    points = read(given.out)[-1]["points"]
    points = [point for point in points if (point[1] != "sql" or given.do == "kill")
              and (given.at is None or point[3] in given.at)]
    if given.some is not None and given.some < len(points):
        points = random.Random(given.seed).sample(points, given.some)
    return points


def main(args=None):
    given = parser().parse_args(args)
    ends_cleanly()
    warm_up(given.store)
    carry_out(given, items_of(given), given.out)


if __name__ == "__main__":
    main()
