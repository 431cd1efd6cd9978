"""Throw-away PostgreSQL and MariaDB servers, started from the system's own binaries, on sockets or free ports.

A server that is not installed skips its tests, with the reason; where CI is set it fails them. They run
on a copy of nothing: every database is new, and all of it is removed at the end.
"""
import atexit
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid

import pytest

_started = {}


class Server:
    """``database()``: a new one's URL. ``stop`` and ``start``: for tests that take the server away. ``user``: whom it runs
    as where the tests are root, which both refuse to be."""

    def __init__(self, user):
        self.folder = tempfile.mkdtemp(prefix="mapi-db-", dir="/tmp")
        self.user, self.process = user, None
        self.port = _free_port()
        os.chmod(self.folder, 0o755)
        if os.getuid() == 0:
            shutil.chown(self.folder, user)

    def run(self, *command):
        done = subprocess.run(self._as_user(command), cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        if done.returncode:
            raise RuntimeError("{}: {}".format(command[0], done.stdout.decode("utf-8", "replace")[-2000:]))

    def _as_user(self, command):
        command = [str(part) for part in command]
        return ["setpriv", "--reuid", self.user, "--regid", str(pwd.getpwnam(self.user).pw_gid), "--clear-groups", "--",
                ] + command if os.getuid() == 0 else command

    def start(self):
        until = time.monotonic() + 90
        while not self.answers():
            # After a kill, what is left of the old one may keep the new one from starting for a moment.
            if self.process is None or self.process.poll() is not None:
                with open(os.path.join(self.folder, "log"), "ab") as log:
                    self.process = subprocess.Popen(self._as_user(self.command()), cwd=self.folder,
                                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if time.monotonic() > until:
                with open(os.path.join(self.folder, "log"), "rb") as log:
                    raise RuntimeError("no server: " + log.read()[-2000:].decode("utf-8", "replace"))
            time.sleep(0.2)

    def answers(self):
        try:
            self.connect().close()
        except Exception:
            return False
        return True

    def stop(self, kill=False):
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(timeout=60)
            self.process = None

    def remove(self):
        self.stop(kill=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self):
        """A new, empty one: its URL."""
        name = "t" + uuid.uuid4().hex[:12]
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute("CREATE DATABASE " + name)
        finally:
            connection.close()
        return self.url(name)


class PostgreSQL(Server):
    def __init__(self, binaries):
        super().__init__("postgres")
        self.binaries, self.data = binaries, os.path.join(self.folder, "data")
        self.run(os.path.join(binaries, "initdb"), "-D", self.data, "-U", "shop", "-A", "trust", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")
        self.start()

    def command(self):
        return [os.path.join(self.binaries, "postgres"), "-D", self.data, "-p", self.port, "-h", "127.0.0.1", "-k",
                self.folder, "-c", "max_connections=60", "-c", "shared_buffers=32MB", "-c", "fsync=off"]      # the machine is not what is tested

    def connect(self):
        import psycopg2
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="shop", dbname="postgres",
                                      connect_timeout=5)
        connection.autocommit = True
        return connection

    def url(self, name):
        return "postgresql+psycopg2://shop@127.0.0.1:{}/{}".format(self.port, name)


class MariaDB(Server):
    def __init__(self, daemon):
        super().__init__("mysql")
        self.daemon, self.data = daemon, os.path.join(self.folder, "data")
        self.run(shutil.which("mariadb-install-db") or "mariadb-install-db", "--no-defaults",
                 "--datadir=" + self.data, "--auth-root-authentication-method=normal", "--skip-test-db")
        self.start()

    def command(self):
        return [self.daemon, "--no-defaults", "--datadir=" + self.data, "--port={}".format(self.port),
                "--bind-address=127.0.0.1", "--socket=" + os.path.join(self.folder, "s"),
                "--pid-file=" + os.path.join(self.folder, "pid"), "--innodb-buffer-pool-size=64M",
                "--innodb-log-file-size=16M", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve"]

    def connect(self):
        import pymysql
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True, connect_timeout=5)

    def url(self, name):
        return "mysql+pymysql://root@127.0.0.1:{}/{}?charset=utf8mb4".format(self.port, name)


def postgresql():
    """The server, started once; skips, or fails in CI, where there is none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[-2]))
    found = found[-1] if found else os.path.dirname(shutil.which("initdb") or "")
    return _once("PostgreSQL", found, "psycopg2", PostgreSQL)


def mariadb():
    """The same."""
    return _once("MariaDB", shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin"), "pymysql", MariaDB)


def _once(name, binary, driver, make):
    if name not in _started:
        _started[name] = reason = _missing(name, binary, driver)
        if not reason:
            _started[name] = make(binary)
            atexit.register(_started[name].remove)
    if isinstance(_started[name], str):
        if os.environ.get("CI"):
            pytest.fail(_started[name])
        pytest.skip(_started[name])
    return _started[name]


def _missing(name, binary, driver):
    for module in ("sqlalchemy", driver):
        try:
            __import__(module)
        except ImportError:
            return "{} is not tested: no module {}".format(name, module)
    return "" if binary else "{} is not tested: the server is not installed".format(name)


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
