"""How much a notify view costs, and what a flood of forged notifications does to it: under gunicorn, ratios in one run.

    python benchmarks/notify_load.py [--rounds 7] [--requests 300] [--flood 30] [--frameworks django flask]
                                     [--handler] [--no-evidence] [--wal] [--log INFO] [--profile django]

Needs ``pip install gunicorn django flask`` (gunicorn is nobody's dependency but this benchmark's).

Load: two sync workers, 16 connections, genuine MD5 and RSA2 notifications in turn, each for an order of its own that is
watched; the state is stored durably before the answer. Beside it a bare view of the same framework, with the same
middleware, which keeps the raw body by one INSERT into a file of the same making (``synchronous=FULL``) and checks
nothing. Both log what the frameworks log where nobody has said otherwise: warnings alone. They alternate in random
order; the ratio is the median of the ratios round by round. ``--handler`` has each effect carried out as well, in a
transaction of the shop's.

Flood: forged notifications from a second process, as many as the machine gives, beside ten genuine ones per second. A
missed bar is printed as MISSED.
"""
import argparse
import json
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import bars

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, os.pardir)
CONNECTIONS, WORKERS, RATE = 16, 2, 10
WARM = 32


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=300, help="per contestant and round")
    parser.add_argument("--flood", type=float, default=30, metavar="SECONDS", help="0 for none")
    parser.add_argument("--frameworks", nargs="*", default=["django", "flask"])
    parser.add_argument("--handler", action="store_true", help="carry out each effect, too")
    parser.add_argument("--no-evidence", action="store_true", help="Django: no row about each notification")
    parser.add_argument("--wal", action="store_true", help="Django: a file that is written ahead, as Flask's store is; "
                                                           "Django itself makes none")
    parser.add_argument("--log", default="WARNING", metavar="LEVEL", help="INFO: a line about each into a file, too")
    parser.add_argument("--profile", metavar="SHOP", help="one shop in this process under cProfile, and no bars")
    parser.add_argument("--json", action="store_true", help="one line of JSON with the bars at the end")
    options = parser.parse_args(argv)
    os.environ.update(NOTIFY_HANDLER="1" if options.handler else "0", NOTIFY_WAL="1" if options.wal else "0",
                      NOTIFY_EVIDENCE="0" if options.no_evidence else "1", NOTIFY_LOG=options.log)
    if options.profile:
        return profiled(options.profile, options.requests)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for framework in options.frameworks:
            load(framework, options, folder, rows)
        os.environ["NOTIFY_LOG"] = "INFO"   # lines are counted
        for framework in options.frameworks if options.flood else []:
            flooded(framework, options.flood, os.path.join(folder, "flood-" + framework), rows)
    bars.show([row + (True,) for row in rows], options.json)
    return 0


# --- a shop under gunicorn --------------------------------------------------------------------------------------------

class Shop:
    """``count``: so many orders are watched. ``gateway``: a socket that counts who comes; nobody should."""

    def __init__(self, name, folder, count):
        os.makedirs(folder)
        self.path, self._log = os.path.join(folder, "shop.db"), os.path.join(folder, "shop.log")
        self._gateway, self._socket = listening(), listening()
        self.port = self._socket.getsockname()[1]
        environment = dict(
            os.environ, NOTIFY_SHOP=name, NOTIFY_FOLDER=folder, NOTIFY_COUNT=str(count),
            NOTIFY_GATEWAY="http://127.0.0.1:{}/gateway.do".format(self._gateway.getsockname()[1]))
        subprocess.run([sys.executable, os.path.join(HERE, "notify_shops.py")], env=environment, check=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--chdir", HERE, "--workers", str(WORKERS), "--worker-class", "sync",
             "--bind", "fd://{}".format(self._socket.fileno()), "--timeout", "120", "--no-control-socket",
             "--log-level", "warning", "notify_shops:serve()"],
            env=environment, pass_fds=[self._socket.fileno()])

    def ask(self, *what):
        """What a client of its own process found; the shop's port is its first argument."""
        out = subprocess.run(self.command(*what), stdout=subprocess.PIPE, check=True)
        return json.loads(out.stdout.decode("ascii"))

    def command(self, what, *values):
        return [sys.executable, os.path.join(HERE, "notify_client.py"), what, str(self.port)] + [
            str(value) for value in values]

    def outgoing(self):
        """How many connections the gateway was sent."""
        count = 0
        self._gateway.settimeout(0.1)
        while True:
            try:
                self._gateway.accept()[0].close()
            except OSError:
                return count
            count += 1

    def log_lines(self):
        with open(self._log, encoding="utf-8") as log:
            return sum(1 for _ in log)

    def rows(self):
        """Table → how many rows."""
        db = sqlite3.connect(self.path)
        names = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: db.execute('SELECT count(*) FROM "{}"'.format(name)).fetchone()[0] for name in names}
        db.close()
        return found

    def paid(self):
        """How many orders are known to be paid."""
        db = sqlite3.connect(self.path)
        table, = [name for name in ("alipay_mapi_orders", "mapi_orders") if name in self.rows()]
        count = db.execute("SELECT count(*) FROM {} WHERE outcome = 'paid'".format(table)).fetchone()[0]
        db.close()
        return count

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._gateway.close()
            self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def listening():
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    found.listen(1024)
    return found


def all_said(found, answer="200 success"):
    if set(found["answers"]) != {answer}:
        raise SystemExit("not every answer was {}: {}".format(answer, found["answers"]))


# --- load -------------------------------------------------------------------------------------------------------------

def load(framework, options, folder, rows):
    names = [framework, framework + "-bare"]
    count = WARM + options.rounds * options.requests
    shops = {name: Shop(name, os.path.join(folder, name), count) for name in names}
    found = {name: [] for name in names}
    try:
        for name in names:
            all_said(shops[name].ask("all", 0, WARM, CONNECTIONS))
        for at in range(options.rounds):
            random.shuffle(names)
            for name in names:
                one = shops[name].ask("all", WARM + at * options.requests, options.requests, CONNECTIONS)
                all_said(one)
                found[name].append(one)
        if shops[framework].paid() != count or shops[framework].outgoing():
            raise SystemExit("not every order is paid, or the gateway was asked")
    finally:
        for shop in shops.values():
            shop.close()
    for name in sorted(names):
        print("{:12s} {:6.0f} notifications a second, p50 {:5.1f} ms, p99 {:6.1f} ms".format(
            name, *(statistics.median(each) for each in zip(*(
                (one["count"] / one["seconds"], one["p50"] * 1e3, one["p99"] * 1e3) for one in found[name])))))
    pairs = list(zip(found[framework], found[framework + "-bare"]))
    rows.append(("{}: a bare view that keeps the body / the notify view".format(framework),
                 statistics.median(one["seconds"] / bare["seconds"] for one, bare in pairs), 1.5))


# --- flood ------------------------------------------------------------------------------------------------------------

def flooded(framework, seconds, folder, rows):
    """Returns what ``test_notify_load.py`` looks at."""
    count = int(seconds * RATE)
    with Shop(framework, folder, WARM + count) as shop:
        all_said(shop.ask("all", 0, WARM, CONNECTIONS))
        before, lines = shop.rows(), shop.log_lines()
        flood = subprocess.Popen(shop.command("flood", seconds + 1, CONNECTIONS), stdout=subprocess.PIPE)
        time.sleep(0.5)
        genuine = shop.ask("steady", WARM, seconds, RATE)
        forged = json.loads(flood.communicate()[0].decode("ascii"))
        after = shop.rows()
        grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        result = {"genuine": genuine, "forged": forged, "grown": grown, "paid": shop.paid() - WARM,
                  "outgoing": shop.outgoing(), "lines": shop.log_lines() - lines - count}
    print("{}: {} forged notifications, {:.0f} a second, beside {} genuine ones: p50 {:.1f} ms, p99 {:.1f} ms, worst "
          "{:.1f} ms; answers {} and {}; rows {}; {} log lines about the forged".format(
              framework, forged["count"], forged["count"] / forged["seconds"], count, genuine["p50"] * 1e3,
              genuine["p99"] * 1e3, genuine["worst"] * 1e3, genuine["answers"], forged["answers"], grown,
              result["lines"]))
    lost = count - min(genuine["answers"].get("200 success", 0), result["paid"])
    believed = sum(many for said, many in forged["answers"].items() if not said.startswith(("400 fail", "404 fail")))
    rows.append(("{}, flood: genuine ones without success or state".format(framework), lost, 0))
    rows.append(("{}, flood: forged ones with another answer than 400, 404".format(framework), believed, 0))
    rows.append(("{}, flood: calls to the gateway".format(framework), result["outgoing"], 0))
    rows.append(("{}, flood: rows that the forged ones left".format(framework),
                 left(grown, count), 200))
    return result


def left(grown, count):
    """Rows that are not the genuine ones': an effect each, and evidence of each where it is kept."""
    return sum(grown.values()) - count * sum(1 for name in grown if name.endswith(("effects", "evidence", "booked")))


# --- profile ----------------------------------------------------------------------------------------------------------

def profiled(name, count):
    import cProfile
    import io
    import pstats
    import notify_messages
    import notify_shops
    messages = notify_messages.genuine(0, count + WARM)
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, NOTIFY_SHOP=name, NOTIFY_FOLDER=folder, NOTIFY_COUNT=str(count + WARM))
        subprocess.run([sys.executable, os.path.join(HERE, "notify_shops.py")], env=environment, check=True)
        app = notify_shops.made(name, folder)

        def ask(message):
            said = []
            body = app({"REQUEST_METHOD": "POST", "PATH_INFO": "/alipay/notify/{}/".format(message[0]),
                        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1", "SCRIPT_NAME": "",
                        "CONTENT_TYPE": notify_messages.CONTENT_TYPE, "CONTENT_LENGTH": str(len(message[1])),
                        "wsgi.input": io.BytesIO(message[1]), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
                        "REMOTE_ADDR": "127.0.0.1", "QUERY_STRING": ""}, lambda status, headers: said.append(status))
            if b"".join(body) != b"success":
                raise SystemExit(said)
            if hasattr(body, "close"):
                body.close()
        for message in messages[:WARM]:
            ask(message)
        profile, began = cProfile.Profile(), time.perf_counter()
        profile.enable()
        for message in messages[WARM:]:
            ask(message)
        profile.disable()
        print("{:.2f} ms each, under the profiler".format((time.perf_counter() - began) / count * 1e3))
        pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
    return 0


if __name__ == "__main__":
    sys.exit(main())
