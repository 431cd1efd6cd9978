"""How fast one run of the query fallback is: beside a bare ``Session.send`` loop, and with two workers beside one.

    python benchmarks/fallback_run.py [--rounds 5] [--orders 1000] [--store postgresql+psycopg2://…] [--json]

The gateway is a process of its own that answers each signed query after 50 ms with a signed answer made beforehand.
The run claims, asks, checks, settles and hands over each effect, in an SQLite file that is synchronised at every
commit; the bare loop sends requests that were prepared beforehand over one session and reads the answers. Both use 32
threads, in turn and in random order; a ratio is the median of the ratios round by round. With ``--store`` (an empty
database of PostgreSQL) one worker process is compared with two. A missed bar is printed as MISSED.
"""
import argparse
import asyncio
import hashlib
import multiprocessing
import os
import queue
import random
import re
import socket
import statistics
import sys
import tempfile
import threading
import time

import bars

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir))

PARTNER, KEY = "2088123412341234", "0123456789abcdef0123456789abcdef"      # made up for tests
LATENCY, THREADS = 0.05, 32
ANSWER = ('<?xml version="1.0" encoding="utf-8"?>\n<alipay><is_success>T</is_success><request>'
          '<param name="sign_type">MD5</param><param name="_input_charset">utf-8</param>'
          '<param name="service">single_trade_query</param><param name="partner">{partner}</param>'
          '<param name="out_trade_no">{number}</param></request><response><trade>{fields}</trade></response>'
          '<sign>{sign}</sign><sign_type>MD5</sign_type></alipay>')


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--store", help="URL of an empty PostgreSQL database: one worker process beside two")
    parser.add_argument("--profile", action="store_true", help="one run under cProfile, and no bars")
    parser.add_argument("--json", action="store_true", help="one line of JSON with the bars at the end")
    options = parser.parse_args(argv)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(256)
    url = "http://127.0.0.1:{}/gateway.do".format(listening.getsockname()[1])
    gateway = multiprocessing.get_context("fork").Process(target=serve, args=(listening, options.orders), daemon=True)
    gateway.start()
    listening.close()
    rows = []
    try:
        if options.profile:
            return profiled(url, options.orders)
        one_run(options, url, rows)
        if options.store:
            two_workers(options, url, rows)
    finally:
        gateway.terminate()
    bars.show(rows, options.json)
    return 0


# --- the gateway ------------------------------------------------------------------------------------------------------

def answer_to(number):
    """The bytes of a signed answer, signed with hashlib alone."""
    fields = {"buyer_email": "buyer@example.com", "buyer_id": "2088000000000001", "discount": "0.00",
              "flag_trade_locked": "0", "gmt_create": "2026-11-22 10:00:00", "gmt_payment": "2026-11-22 10:00:30",
              "gmt_last_modified_time": "2026-11-22 10:00:30", "is_total_fee_adjust": "F", "operator_role": "B",
              "out_trade_no": number, "payment_type": "1", "price": "50.00", "quantity": "1",
              "seller_email": "shop@example.com", "seller_id": PARTNER, "subject": "Green tea",
              "to_buyer_fee": "0.00", "to_seller_fee": "50.00", "total_fee": "50.00",
              "trade_no": "2026112200001000000000" + number.rjust(6, "0"), "trade_status": "TRADE_FINISHED",
              "use_coupon": "F"}
    text = "&".join("{}={}".format(name, fields[name]) for name in sorted(fields)) + KEY
    return ANSWER.format(partner=PARTNER, number=number, sign=hashlib.md5(text.encode()).hexdigest(), fields="".join(
        "<{0}>{1}</{0}>".format(*one) for one in fields.items())).encode()


def serve(listening, orders):
    """Answer every request for an order after LATENCY, over keep-alive."""
    pin(1)
    ready = {}
    for number in map(str, range(orders)):
        body = answer_to(number)
        ready[number] = ("HTTP/1.1 200 OK\r\nContent-Type: text/xml;charset=utf-8\r\nContent-Length: {}\r\n"
                         "\r\n".format(len(body))).encode() + body
    wanted, length = re.compile(rb"out_trade_no=(\d+)"), re.compile(rb"(?i)content-length: *(\d+)")

    class Connection(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport, self.got = transport, b""

        def data_received(self, data):
            self.got += data
            head, mark, body = self.got.partition(b"\r\n\r\n")
            announced = length.search(head)
            if mark and len(body) >= (int(announced.group(1)) if announced else 0):
                number, self.got = wanted.search(self.got).group(1).decode(), b""
                asyncio.get_event_loop().call_later(LATENCY, self.transport.write, ready[number])

    async def forever():
        await asyncio.get_event_loop().create_server(Connection, sock=listening)
        await asyncio.sleep(1e6)
    asyncio.run(forever())


def pin(which):
    """Stay on one core, and leave another to the other side."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[which % len(cores)]})


# --- one run beside a bare loop ---------------------------------------------------------------------------------------

def merchant(url):
    import alipay_mapi as mapi
    return mapi.Merchant(PARTNER, "MD5", md5_key=KEY, gateway=url)


def entries(fallback, orders):
    import alipay_mapi as mapi
    return [fallback.watched("shop", mapi.Order(str(number), total_fee="8.00", currency="USD"), "12h", first_in=-60)
            for number in range(orders)]


def a_fallback(store, url, handler):
    import alipay_mapi as mapi
    from alipay_mapi.fallback import Fallback
    return Fallback(store, {"shop": mapi.Client(merchant(url))}, handler, per_second=None)


def fallback_run(url, orders, folder):
    """(seconds, CPU seconds) of a run over orders that are all due and all paid."""
    from alipay_mapi.fallback import open_store
    path = os.path.join(folder, "{}.db".format(random.getrandbits(60)))
    store, effects = open_store("sqlite:///" + path), []
    fallback = a_fallback(store, url, effects.append)
    fallback.watch_many(entries(fallback, orders))
    started, used = time.perf_counter(), time.process_time()
    tally = fallback.run(workers=THREADS)
    took = time.perf_counter() - started, time.process_time() - used
    if tally.outcomes != {"paid": orders} or len(effects) != orders:
        raise SystemExit("{} {}".format(tally, len(effects)))
    store.close()
    return took


def bare_loop(url, orders):
    """(seconds, CPU seconds) of sending prepared requests and reading the answers."""
    import requests
    import alipay_mapi as mapi
    shop = merchant(url)
    waiting = queue.Queue()
    for number in range(orders):
        signed = mapi.build_request(shop, "single_trade_query", {"out_trade_no": str(number)})
        waiting.put(requests.Request("GET", signed.url).prepare())
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))

    def work():
        while True:
            try:
                request = waiting.get_nowait()
            except queue.Empty:
                return
            if session.send(request).status_code != 200:
                raise SystemExit("the bare loop got no answer")
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    started, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started, time.process_time() - used
    session.close()
    return took


def one_run(options, url, rows):
    pin(0)
    times = {"run": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds + 1):
            names = list(times)
            random.shuffle(names)
            for name in names:
                took = fallback_run(url, options.orders, folder) if name == "run" else bare_loop(url, options.orders)
                if number:      # the first round only warms up
                    times[name].append(took)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count()))
    limit = options.orders / THREADS * LATENCY
    for name in times:
        print("{:5s} {:.2f} s, {:.2f} s of CPU".format(name, *[statistics.median(one[at] for one in times[name])
                                                              for at in (0, 1)]))
    rows.append(("{} orders / latency limit of {:.2f} s".format(options.orders, limit),
                 statistics.median(one[0] for one in times["run"]) / limit, 1.15, True))
    rows.append(("CPU / that of a bare Session.send loop",
                 statistics.median(a[1] / b[1] for a, b in zip(times["run"], times["bare"])), 1.3, True))


def profiled(url, orders):
    import cProfile
    import pstats
    profiles, start = [], threading.Thread.run

    def run(self):
        profile = cProfile.Profile()
        profiles.append(profile)
        profile.runcall(start, self)
    with tempfile.TemporaryDirectory() as folder:
        fallback_run(url, orders, folder)
        threading.Thread.run = run
        main_thread = cProfile.Profile()
        main_thread.runcall(fallback_run, url, orders, folder)
        time.sleep(0.3)
    stats = pstats.Stats(main_thread)
    for profile in profiles:
        stats.add(profile)
    stats.sort_stats("tottime").print_stats(45)
    return 0


# --- two worker processes ---------------------------------------------------------------------------------------------

def two_workers(options, url, rows):
    rates = {1: [], 2: []}
    for _ in range(options.rounds):
        for workers in random.sample([1, 2], 2):
            rates[workers].append(options.orders / workers_run(options, url, workers))
    print("orders a second on PostgreSQL: {:.0f} with one worker process, {:.0f} with two".format(
        statistics.median(rates[1]), statistics.median(rates[2])))
    rows.append(("two worker processes / one, PostgreSQL",
                 statistics.median(b / a for a, b in zip(rates[1], rates[2])), 1.7, False))


def workers_run(options, url, count):
    """Seconds that so many processes need for all orders. Eight threads each: what limits is the answer's 50 ms."""
    from alipay_mapi.fallback import open_store
    store = open_store(options.store)
    store.prune(-1.0, 10 ** 7)
    fallback = a_fallback(store, url, lambda effect: None)
    fallback.watch_many(entries(fallback, options.orders))
    store.close()
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(count + 1)
    workers = [context.Process(target=worker, args=(options.store, url, gate)) for _ in range(count)]
    for one in workers:
        one.start()
    gate.wait()
    started = time.perf_counter()
    for one in workers:
        one.join()
    return time.perf_counter() - started


def worker(store_url, url, gate):
    from alipay_mapi.fallback import open_store
    fallback = a_fallback(open_store(store_url), url, lambda effect: None)
    gate.wait()
    fallback.run(workers=8)


if __name__ == "__main__":
    sys.exit(main())
