"""A shop that does what docs/workers.md says: its folder, its processes, and a gateway where its orders are paid while
the notifications are lost.
"""
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec

import pytest
import workers_page

from alipay_mapi import Client, Order
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.server import Server
from alipay_mapi.fallback import Fallback, open_store

_CHECKOUT = workers_page.PAGE.parent.parent
COMMANDS = ("flock", "systemd-analyze")
#: Beyond this a recipe does not work.
PATIENCE = 40.0


def must_have(*names):
    """Skip without one of these commands or packages; fail where everything has to be there: commands in CI, and
    packages where ``ALIPAY_MAPI_EXPECT`` names ``servers`` (see servers.py)."""
    expected = "servers" in os.environ.get("ALIPAY_MAPI_EXPECT", "").split()
    for name in names:
        if name in COMMANDS:
            found, must = shutil.which(name), expected or os.environ.get("CI") in ("true", "1")
        else:
            found, must = name in sys.modules or find_spec(name), expected
        if not found:
            (pytest.fail if must else pytest.skip)("not run: there is no {}".format(name))


def eventually(what, holds, limit=PATIENCE):
    """What ``holds()`` gives, as soon as it is true."""
    until = time.monotonic() + limit
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError("not within {:g} s: {}".format(limit, what))
        time.sleep(0.05)


class Shop:
    """``home``: the folder that is /srv/shop on the page. ``end()`` kills whatever it has started."""

    def __init__(self, home):
        self.home, self.processes, self.environment = str(home), [], {}
        self.emulator = Emulator(seed=4, notify_url="https://shop.example/notify", rates={"lost": 1.0})
        self.server = Server(self.emulator).start()
        self.merchant = self.emulator.shop()
        os.makedirs(self.path("venv", "bin"))
        self.environment.update(ALIPAY_PARTNER=self.merchant.partner, ALIPAY_GATEWAY=self.emulator.gateway_url,
                                ALIPAY_MD5_KEY=self.emulator.merchant("md5").shop_keys()["md5_key"])

    def end(self):
        for process in self.processes:
            self.kill(process)
        self.server.stop()
        self.emulator.close()

    # --- its folder -----------------------------------------------------------------------------------------------

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def write(self, name, text, mode=0o600):
        with open(os.open(self.path(name), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as one:
            one.write(text)

    def save(self, name, mode=0o600, **replaced):
        """Write a block of the page, with this in place of that."""
        text = workers_page.file(name).replace("/srv/shop", self.home)
        for old, new in replaced.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        self.write(name, text, mode)

    def install(self, name, module):
        """``venv/bin/NAME``, as pip would have made it."""
        self.write(os.path.join("venv", "bin", name), "#!/bin/sh\nexport PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={}\n"
                   "exec {} -m {} \"$@\"\n".format(_CHECKOUT, sys.executable, module), 0o755)

    def read(self, name):
        with open(self.path(name), "rb") as one:
            return one.read().decode("utf-8", "replace")

    # --- its processes --------------------------------------------------------------------------------------------

    def start(self, command, log="log"):
        """A process group of its own, in the shop's folder, with little more than what cron gives to a command.
        ``command``: as on the page, a list."""
        command = [part.replace("/srv/shop", self.home) for part in command]
        with open(self.path(log), "ab") as out:
            process = subprocess.Popen(command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       start_new_session=True, env=dict(
                                           self.environment, PATH="/usr/bin:/bin", HOME=self.home, SHELL="/bin/sh",
                                           LOGNAME="shop"))
        self.processes.append(process)
        return process

    def finish(self, process, limit=PATIENCE):
        """Its exit status."""
        try:
            return process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            raise AssertionError("still running: {}\n{}".format(process.args, self.read("log")[-3000:])) from None

    def run(self, command):
        return self.finish(self.start(command))

    @staticmethod
    def kill(process):
        """``kill -9`` of it and of all its children."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(timeout=PATIENCE)

    # --- its orders -----------------------------------------------------------------------------------------------

    def watch(self, store, numbers):
        """Orders that are paid, and nobody was told."""
        fallback = Fallback(store, {"shop": Client(self.merchant)})
        for number in numbers:
            self.emulator.place(number)
            self.emulator.pay(number)
        fallback.watch_many(fallback.watched("shop", Order(number, total_fee="10.00", currency="USD"), "12h", 0.0)
                            for number in numbers)
        assert {note["state"] for note in self.emulator.list_notifications()} == {"lost"}

    def ask(self, store):
        """A run without a handler, at any rate."""
        client = Client(self.merchant)
        assert Fallback(store, {"shop": client}, per_second=None).run().ended == "done"
        client.close()

    def asked(self):
        """Order → how often the gateway was asked about it."""
        return Counter(one.outcome.params["out_trade_no"] for one in self.emulator.requests()
                       if one.outcome.service == "single_trade_query")


class Database:
    """The shop's own, with the fallback's store in it. What happens to an order is written down by the database itself,
    line by line, so that nothing done twice could hide."""

    _TABLES = (
        "CREATE TABLE shop_orders (number text PRIMARY KEY, state text NOT NULL DEFAULT 'open')",
        "CREATE TABLE happened (number text, state text)",
        "CREATE FUNCTION note() RETURNS trigger AS $$ BEGIN INSERT INTO happened VALUES (NEW.number, NEW.state); "
        "RETURN NEW; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER noted AFTER UPDATE ON shop_orders FOR EACH ROW EXECUTE PROCEDURE note()",
    )

    def __init__(self, url):
        import sqlalchemy
        self.url, self._sa = url, sqlalchemy
        self._engine = sqlalchemy.create_engine(url)
        self.store = open_store(url)
        self.write(*self._TABLES)

    def close(self):
        self.store.close()
        self._engine.dispose()

    def write(self, *statements):
        with self._engine.begin() as db:
            for statement in statements:
                db.execute(self._sa.text(statement))

    def rows(self, query):
        with self._engine.connect() as db:
            return [tuple(row) for row in db.execute(self._sa.text(query))]

    def add(self, numbers):
        with self._engine.begin() as db:
            db.execute(self._sa.text("INSERT INTO shop_orders (number) VALUES (:number)"),
                       [{"number": number} for number in numbers])

    def happened(self):
        """(order, what became of it) → how often."""
        return Counter(self.rows("SELECT number, state FROM happened"))

    def let_pass(self, seconds):
        """Time passes, by the store's clock: all that is written down was that much earlier."""
        columns = {"mapi_orders": "watched_at deadline due_at asked_at lease_until",
                   "mapi_effects": "made_at given_at due_at done_at", "mapi_moments": "moment"}
        self.write(*["UPDATE {} SET {}".format(table, ", ".join("{0} = {0} - {1}".format(one, seconds)
                                                                for one in names.split()))
                     for table, names in columns.items()])
