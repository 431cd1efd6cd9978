"""How fast the emulator is: its start, and signed queries over keep-alive, as ratios; and both with 100,000 trades.

    python benchmarks/emulator.py [--rounds 7] [--seconds 1.0] [--trades 100000] [--json]

The trades of the full ledger were paid, notified and acknowledged. The start is measured in fresh interpreters after
the imports, up to the first answer through the WSGI app; its ratio is that of the fastest starts, since the rest of
the machine can make a few milliseconds only longer. For the queries one process serves three ports, pinned to one
core: the emulator, the emulator with many trades, and a bare WSGI app under the same handler class that answers the
same bytes. A client in a process of its own, pinned to another core, asks one after the other over one connection, in
turn and in random order; a ratio is the median of the ratios round by round. A missed bar is printed as MISSED.
"""
import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

import bars

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir))

START = """
import sys, time
from urllib.parse import urlsplit
import alipay_mapi as mapi
import alipay_mapi.request, alipay_mapi.services, alipay_mapi.crypto
from alipay_mapi.emulator import Emulator, web
from alipay_mapi.emulator import front, gateway, xml_writer
shop_of = Emulator(seed=1)
url = mapi.build_request(shop_of.shop(), "single_trade_query", {"out_trade_no": "T0"}).url
shop_of.close()
started = time.perf_counter()
with Emulator(sys.argv[1] or None, seed=1) as emulator:
    app = web.App(emulator)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/gateway.do", "QUERY_STRING": urlsplit(url).query,
               "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    body = b"".join(app(environ, lambda status, headers: None))
    took = time.perf_counter() - started
expected = b"<is_success>T" if sys.argv[1] else b"TRADE_NOT_EXIST"
if expected not in body:
    raise SystemExit(body)
print(took * 1000)
"""


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="per contestant and round")
    parser.add_argument("--trades", type=int, default=100000, help="how many are many")
    parser.add_argument("--json", action="store_true", help="one line of JSON with the bars at the end")
    parser.add_argument("--client", nargs=2, metavar=("PORT", "SECONDS"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.client:
        return client(int(options.client[0]), float(options.client[1]))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        empty, many = os.path.join(folder, "few.db"), os.path.join(folder, "many.db")
        for path, count in ((empty, 10), (many, options.trades)):
            filled(path, count)
        start(options, empty, many, rows)
        queries(options, many, rows)
    bars.show(rows, options.json)
    return 0


def filled(path, count):
    """A ledger with so many trades that were paid, notified and acknowledged: a real one, and copies of its rows."""
    from alipay_mapi.emulator import Emulator
    from alipay_mapi.emulator.notifier import Answered
    with Emulator(path, seed=1, notify_url="http://127.0.0.1:9/",
                  sender=lambda delivery: Answered(200, "success")) as emulator:
        emulator.place("T0")
        emulator.pay("T0")
        emulator.deliver()
        ledger = emulator.ledger
        trade, note, delivery = (ledger.rows(table)[0] for table in ("trades", "notifications", "deliveries"))
        with ledger.transaction():
            for number in range(1, count):
                order = "T{}".format(number)
                copied(ledger, "trades", trade, ("partner", "trade_status", "due_at", "changed_at"),
                       out_trade_no=order, trade_no="{:028d}".format(number))
                made = copied(ledger, "notifications", note, ("partner", "state", "next_at"),
                              out_trade_no=order, notify_id="{:034d}".format(number))
                copied(ledger, "deliveries", delivery, ("at",), notification=made["id"])


def copied(ledger, table, row, same, **columns):
    """One row more: the columns that are the ``same``, those given, and the whole of its data."""
    data = {name: value for name, value in row.items() if name not in same and name not in columns and name != "id"}
    return ledger.add(table, data, **dict({name: row[name] for name in same}, **columns))


def ratio(times, a, b):
    """Median of a/b, round by round."""
    return statistics.median(x / y for x, y in zip(times[a], times[b]))


def start(options, empty, many, rows):
    times = {"memory": [], "few": [], "many": []}
    for _ in range(options.rounds):
        for name, state in (("memory", ""), ("few", empty), ("many", many)):
            out = subprocess.run([sys.executable, "-c", START, state], stdout=subprocess.PIPE, check=True,
                                 env=dict(os.environ, PYTHONPATH=os.path.join(HERE, os.pardir)))
            times[name].append(float(out.stdout))
    print("start to first answer, ms: in memory {:.1f}, a file with 10 trades {:.1f}, with {} {:.1f}".format(
        *[statistics.median(times[name]) for name in ("memory", "few")] + [options.trades,
                                                                          statistics.median(times["many"])]))
    rows.append(("start to first answer in process, ms", statistics.median(times["memory"]), 150, True))
    rows.append(("the same from a file, {} trades / 10".format(options.trades),
                 min(times["many"]) / min(times["few"]), 1.3, True))


# --- queries ----------------------------------------------------------------------------------------------------------

def queries(options, many, rows):
    from alipay_mapi.emulator import Emulator
    from alipay_mapi.emulator.server import Server
    cores = pinned(0)
    with Emulator(seed=1) as few, Emulator(many, seed=1) as full:
        for number in range(100):
            few.place("T{}".format(number))
            few.pay("T{}".format(number))
        contestants = {"emulator": Server(few), "many": Server(full), "bare": Server(few)}
        body, type_ = asked(few)
        contestants["bare"]._server.app = bare(body, type_)
        rates, cpu = {name: [] for name in contestants}, {name: [] for name in contestants}
        for one in contestants.values():
            one.start()
        few.base_url = full.base_url = "https://mapi.emulator.test"
        try:
            names = list(contestants)
            for _ in range(options.rounds):
                random.shuffle(names)
                for name in names:
                    used = time.process_time()
                    count, seconds = run_client(contestants[name].port, options.seconds)
                    cpu[name].append((time.process_time() - used) / count * 1e6)
                    rates[name].append(count / seconds)
        finally:
            for one in contestants.values():
                one.stop()
    print("signed MD5 queries a second on one core ({}): {}".format(
        "client on another" if cores > 1 else "client on the same: no second core", ", ".join(
            "{} {:.0f} ({:.0f} us of CPU)".format(name, statistics.median(rates[name]), statistics.median(cpu[name]))
            for name in rates)))
    rows.append(("signed MD5 queries a second, one core, keep-alive", statistics.median(rates["emulator"]), 500, False))
    rows.append(("bare app under the same handler / emulator", ratio(rates, "bare", "emulator"), 3, True))
    rows.append(("100 trades / {} trades".format(options.trades), ratio(rates, "emulator", "many"), 1.3, True))


def asked(emulator):
    """What the gateway answers to a query: (body, content type)."""
    import alipay_mapi as mapi
    from alipay_mapi.emulator.incoming import Incoming
    url = mapi.build_request(emulator.shop(), "single_trade_query", {"out_trade_no": "T1"}).url
    reply = emulator.answer(Incoming("GET", urlsplit(url).query.encode("ascii"))).reply
    return reply.body, reply.content_type


def bare(body, content_type):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]
    return app


def pinned(which):
    """Stay on one core (and leave another to the client); how many there are."""
    if not hasattr(os, "sched_setaffinity"):
        return 1
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.environ["ALIPAY_MAPI_BENCH_CORE"] = str(cores[1 - which])
        os.sched_setaffinity(0, {cores[which]})
    return len(cores)


def run_client(port, seconds):
    out = subprocess.run([sys.executable, os.path.abspath(__file__), "--client", str(port), str(seconds)],
                         stdout=subprocess.PIPE, check=True)
    count, took = out.stdout.split()
    return int(count), float(took)


def client(port, seconds):
    """Ask for one order after the other; prints how often and how long."""
    if "ALIPAY_MAPI_BENCH_CORE" in os.environ:
        os.sched_setaffinity(0, {int(os.environ["ALIPAY_MAPI_BENCH_CORE"])})
    import alipay_mapi as mapi
    from alipay_mapi.emulator import Emulator
    with Emulator(seed=1) as keys:      # the same seed, the same MD5 key
        shop = keys.shop()
    requests = []
    for number in range(100):
        path = mapi.build_request(shop, "single_trade_query", {"out_trade_no": "T{}".format(number)}).url.split(
            "emulator.test")[1]
        requests.append("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUser-Agent: alipay-mapi/0\r\nAccept: */*\r\n"
                        "Accept-Encoding: identity\r\nConnection: keep-alive\r\n\r\n".format(path, port).encode())
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ask(connection, requests[:20])
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            ask(connection, requests)
            count += len(requests)
        print(count, time.perf_counter() - started)
    return 0


def ask(connection, requests):
    for request in requests:
        connection.sendall(request)
        answer = connection.recv(65536)
        while not answer.rstrip().endswith(b"</alipay>"):
            part = connection.recv(65536)
            if not part:
                raise SystemExit("the connection broke")
            answer += part
        if b"<is_success>T" not in answer:
            raise SystemExit(answer)


if __name__ == "__main__":
    sys.exit(main())
