"""How fast the fallback's SQLite store is, and how much memory it takes: ratios in one run.

    python benchmarks/fallback_stores.py [--orders 100000] [--batch 500] [--rounds 5] [--few 10000] [--many 1000000]
                                         [--only speed|memory]

Speed: claim and record so many orders in batches, effect rows included, against one UPDATE over them all, in files of
the same making (WAL, synchronous=FULL), in turn; the ratio is that of the best rounds, since the rest of the machine
can make them only longer. What an answer means (``decide``) is worked out beforehand and told apart. "By hand" is a
loop of the same statements in the same transactions, with every value ready: no store that keeps the contract beats it.
Memory: the peak (VmHWM, so on Linux) of a fresh process that watches so many orders from a generator, claims and
settles a batch, reads every row by pages and counts, for many orders and for few. A missed bar is printed as MISSED.
"""
import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time

import bars

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir))

SHARE = 5000        # orders that are watched in one transaction
NOW = 1700000000.0
TRADE = "2026112200100429141777631706"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=100000)
    parser.add_argument("--batch", type=int, default=500, help="orders per claim and per settlement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--few", type=int, default=10000)
    parser.add_argument("--many", type=int, default=1000000)
    parser.add_argument("--folder", help="where the files are made (default: the system's own for such)")
    parser.add_argument("--json", action="store_true", help="one line of JSON with the bars at the end")
    parser.add_argument("--only", choices=("speed", "memory"), help="one of the two")
    parser.add_argument("--child", nargs=2, metavar=("PATH", "ORDERS"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        return child(options.child[0], int(options.child[1]), options.batch)
    rows = []
    if options.only != "memory":
        speed(options, rows)
    if options.only != "speed":
        memory(options, rows)
    bars.show([row + (True,) for row in rows], options.json)
    return 0


class Watch:
    """Wall and CPU seconds of a block, added up."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def __enter__(self):
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_):
        self.wall += time.perf_counter() - self._wall
        self.cpu += time.process_time() - self._cpu


# --- speed ------------------------------------------------------------------------------------------------------------

def speed(options, rows):
    contestants = {"one UPDATE": one_update, "by hand": by_hand, "store": store_loop}
    times = {name: [] for name in contestants}
    for _ in range(options.rounds):
        for name, work in contestants.items():
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                clock, store = watched(os.path.join(folder, "orders.db"), options.orders)
                clock.now += 100
                store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                times[name].append(work(store, clock, options))
                store.close()
    best = {name: tuple(min(getattr(watch, which) for watch in found) for which in ("wall", "cpu"))
            for name, found in times.items()}
    print("{} orders in batches of {}, best of {}, seconds (CPU): {}".format(
        options.orders, options.batch, options.rounds, ", ".join(
            "{} {:.2f} ({:.2f})".format(name, *best[name]) for name in best)))
    print("beside it, in the store's rounds: deciding {:.2f} s".format(min(watch.deciding for watch in times["store"])))
    for at, unit in enumerate(("wall time", "CPU")):
        print("by hand / one UPDATE, {}: {:.2f}".format(unit, best["by hand"][at] / best["one UPDATE"][at]))
    rows.append(("claim and record / one UPDATE, wall time", best["store"][0] / best["one UPDATE"][0], 10))
    rows.append(("claim and record / one UPDATE, CPU", best["store"][1] / best["one UPDATE"][1], 10))


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


def watched(path, count):
    from alipay_mapi.fallback.stores import open_store
    clock = Clock()
    store = open_store(path, clock=clock)
    orders = entries(count)
    while store.watch(list(itertools.islice(orders, SHARE))):
        pass
    return clock, store


def entries(count):
    import alipay_mapi as mapi
    from alipay_mapi.fallback.rows import Watched
    for number in range(count):
        yield Watched("shop", mapi.Order("A{:07d}".format(number), total_fee="10.00", currency="USD"), 60, 43200)


def one_update(store, clock, options):
    """Every order asked about and settled, by one statement."""
    watch, row = Watch(), store.get("shop", "A0000000")
    facts = written(decided(row, clock.now))
    with watch:
        store._db.execute("UPDATE mapi_orders SET facts=?, outcome='paid', due_at=NULL, asked_at=?, "
                          "attempts=attempts+1", (facts, clock.now))
    return watch


def store_loop(store, clock, options):
    watch, deciding = Watch(), Watch()
    while True:
        with watch:
            claimed = store.claim("w", options.batch, 60, in_a_minute)
        if not claimed:
            break
        with deciding:
            decisions = {row.id: decided(row, clock.now) for row in claimed}
        with watch:
            store.settle([(row, lambda stored: decisions[stored.id]) for row in claimed])
    counts = store.counts()
    if counts["outcomes"] != {"paid": options.orders} or counts["effects"] != options.orders:
        raise SystemExit(counts)
    watch.deciding = deciding.wall
    return watch


def by_hand(store, clock, options):
    """The same statements, and nothing else."""
    db, now, watch = store._db, clock.now, Watch()
    columns = ("id, shop, out_trade_no, price, facts, refunds, outcome, watched_at, deadline, due_at, asked_at, "
               "attempts, last_error, lease, gateway")
    facts = written(decided(store.get("shop", "A0000000"), now))
    while True:
        with watch:
            db.execute("BEGIN IMMEDIATE")
            rows = db.execute("SELECT " + columns + " FROM mapi_orders WHERE due_at <= ? AND lease_until <= ? "
                              "ORDER BY due_at, id LIMIT ?", (now, now, options.batch)).fetchall()
            db.executemany("UPDATE mapi_orders SET lease=?, lease_until=?, asked_at=?, attempts=?, due_at=? WHERE id=?",
                           [("w#1", now + 60, now, 1, now + 60, row[0]) for row in rows])
            db.execute("COMMIT")
            if not rows:
                return watch
        ids = [row[0] for row in rows]
        settled = [(facts, "", "paid", None, "", number) for number in ids]
        made = [(row[0], "shop:paid::" + row[2], "paid", "", now, now, now) for row in rows]
        with watch:
            db.execute("BEGIN IMMEDIATE")
            db.execute("SELECT {} FROM mapi_orders WHERE id IN ({})".format(columns, ",".join("?" * len(ids))),
                       ids).fetchall()
            db.executemany("UPDATE mapi_orders SET facts=?, refunds=?, outcome=?, due_at=?, last_error=?, lease='', "
                           "lease_until=0 WHERE id=?", settled)
            db.executemany("INSERT OR IGNORE INTO mapi_effects (order_id, effect_key, kind, detail, made_at, given_at, "
                           "due_at) VALUES (?, ?, ?, ?, ?, ?, ?)", made)
            db.execute("COMMIT")


def in_a_minute(row):
    return row.asked_at + 60


def decided(row, now):
    """The decision for an order that a query shows as paid."""
    from alipay_mapi import messages
    from alipay_mapi.fallback.deciding import decide
    from alipay_mapi.fallback.facts import from_text
    from alipay_mapi.fallback.schedule import Schedule
    from alipay_mapi.response import Response
    answer = Response({"out_trade_no": row.out_trade_no, "trade_no": TRADE, "total_fee": "71.00",
                       "trade_status": "TRADE_FINISHED"}, (messages.SIGN, messages.PARTY, messages.ORDER), {}, True,
                      None, "single_trade_query", "trade")
    return decide(from_text(row.order, row.facts), answer, row.key, row.attempts, now, row.deadline, Schedule())


def written(decision):
    from alipay_mapi.fallback.facts import to_text
    return to_text(decision.state)


# --- memory -----------------------------------------------------------------------------------------------------------

def memory(options, rows):
    peaks = {}
    for count in (options.few, options.many):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            done = subprocess.run([sys.executable, os.path.abspath(__file__), "--batch", str(options.batch), "--child",
                                   os.path.join(folder, "orders.db"), str(count)], stdout=subprocess.PIPE, check=True)
        peaks[count], seconds = done.stdout.decode("ascii").split()
        print("{} orders watched: peak {:.1f} MB; counts() then takes {} s".format(
            count, float(peaks[count]), seconds))
    rows.append(("peak memory, {} orders / {}".format(options.many, options.few),
                 float(peaks[options.many]) / float(peaks[options.few]), 1.2))


def child(path, count, batch):
    """Watch, one claim and settlement, every page, the counts; prints the peak in MB, and the seconds of counts()."""
    clock, store = watched(path, count)
    clock.now += 100
    claimed = store.claim("w", batch, 60, in_a_minute)
    store.settle([(row, lambda stored: decided(stored, clock.now)) for row in claimed])
    page, seen = store.rows(), 0
    while page:
        seen += len(page)
        page = store.rows(after=page[-1].id)
    started = time.perf_counter()
    counts = store.counts()
    took = time.perf_counter() - started
    if (seen, counts["watched"], counts["outcomes"]["paid"]) != (count, count, min(batch, count)):
        raise SystemExit(counts)
    store.close()
    print("{:.3f} {:.3f}".format(peak(), took))
    return 0


def peak():
    """MB, of this process alone: ru_maxrss begins at the peak of whoever started it."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024.0


if __name__ == "__main__":
    sys.exit(main())
