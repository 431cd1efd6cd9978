"""Throw-away PostgreSQL, MariaDB and Redis servers, started from the system's own binaries, on free ports.

A server that is not installed skips its tests, with the reason; it fails them where ``ALIPAY_MAPI_EXPECT`` names
``servers``, as in .ci/run's phase of that name, and where CI is set and the package that speaks to it is installed:
README's command and most cells of tox are made without the extra ``sql``. Every server is new, and all of it is removed
at the end.
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
from importlib.util import find_spec

import pytest

_started = {}


class Server:
    """``stop`` and ``start``: for tests that take the server away; its port stays. ``user``: whom it runs as where the
    tests are root, which the databases refuse to be; None: as the tests."""

    def __init__(self, user=None):
        self.folder = tempfile.mkdtemp(prefix="mapi-db-", dir="/tmp")    # a socket's path may have 107 characters
        self.user, self.process, self.port = user if os.getuid() == 0 else None, None, None
        self.data, self.log = os.path.join(self.folder, "data"), os.path.join(self.folder, "log")
        # MariaDB removes another one's tables under work from a TMPDIR that they share.
        self.environment = dict(os.environ, TMPDIR=os.path.join(self.folder, "tmp"))
        os.mkdir(self.environment["TMPDIR"])
        for folder in (self.folder, self.environment["TMPDIR"]):
            os.chmod(folder, 0o755)
            if self.user:
                shutil.chown(folder, self.user)

    def prepare(self):
        """What comes before the first start."""

    def run(self, *command):
        done = subprocess.run(self._as_user(command), cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        if done.returncode:
            raise RuntimeError("{}: {}".format(command[0], done.stdout.decode("utf-8", "replace")[-2000:]))

    def _as_user(self, command):
        command = [str(part) for part in command]
        if self.user is None:
            return command
        group = str(pwd.getpwnam(self.user).pw_gid)
        return ["setpriv", "--reuid", self.user, "--regid", group, "--clear-groups", "--"] + command

    def start(self):
        """Returns when it answers."""
        until, port, error = time.monotonic() + 60, self.port, None
        while True:
            # After a kill, what is left of the old one may keep the new one from starting for a moment; and another
            # process may have taken the port meanwhile.
            if self.process is None or self.process.poll() is not None:
                self.port = port or _free_port()
                with open(self.log, "ab") as log:
                    self.process = subprocess.Popen(self._as_user(self.command()), cwd=self.folder,
                                                    env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                                    stderr=log)
            try:
                return self.connect().close()
            except Exception as err:
                error = err
            if time.monotonic() > until:
                with open(self.log, "rb") as log:
                    told = log.read()[-3000:].decode("utf-8", "replace")
                raise RuntimeError("{} does not answer: {!r}\nits log:\n{}".format(type(self).__name__, error, told))
            time.sleep(0.2)

    def stop(self, kill=False):
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(timeout=60)
            self.process = None

    def remove(self):
        self.stop(kill=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class Database(Server):
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


class PostgreSQL(Database):
    def __init__(self, binaries):
        super().__init__("postgres")
        self.binaries = binaries

    def prepare(self):
        self.run(os.path.join(self.binaries, "initdb"), "-D", self.data, "-U", "shop", "-A", "trust", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")

    def command(self):
        return [os.path.join(self.binaries, "postgres"), "-D", self.data, "-p", self.port, "-h", "127.0.0.1", "-k",
                self.folder, "-c", "max_connections=60", "-c", "shared_buffers=32MB",
                "-c", "fsync=off"]      # the machine is not what is tested

    def connect(self):
        import psycopg2
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="shop", dbname="postgres",
                                      connect_timeout=5)
        connection.autocommit = True
        return connection

    def url(self, name):
        return "postgresql+psycopg2://shop@127.0.0.1:{}/{}".format(self.port, name)


class MariaDB(Database):
    def __init__(self, daemon):
        super().__init__("mysql")
        self.daemon = daemon

    def prepare(self):
        self.run(shutil.which("mariadb-install-db") or "mariadb-install-db", "--no-defaults",
                 "--datadir=" + self.data, "--auth-root-authentication-method=normal", "--skip-test-db")

    def command(self):
        return [self.daemon, "--no-defaults", "--datadir=" + self.data, "--port={}".format(self.port),
                "--bind-address=127.0.0.1", "--socket=" + os.path.join(self.folder, "s"),
                "--pid-file=" + os.path.join(self.folder, "pid"), "--innodb-buffer-pool-size=64M",
                "--innodb-log-file-size=16M", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=2",
                "--skip-name-resolve"]

    def connect(self):
        import pymysql
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True, connect_timeout=5)

    def url(self, name):
        return "mysql+pymysql://root@127.0.0.1:{}/{}?charset=utf8mb4".format(self.port, name)


class Redis(Server):
    """Nothing of it is kept: it ends with the tests."""

    def __init__(self, daemon):
        super().__init__()
        self.daemon = daemon

    def command(self):
        return [self.daemon, "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder, "--save", "",
                "--appendonly", "no"]

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        connection.sendall(b"PING\r\n")
        answer = connection.recv(100)
        if answer != b"+PONG\r\n":
            connection.close()
            raise RuntimeError("PING was answered with {!r}".format(answer))
        return connection

    def url(self, number=0):
        """One of its 16 databases."""
        return "redis://127.0.0.1:{}/{}".format(self.port, number)


def postgresql():
    """The server, started once; skips, or fails in CI, where there is none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[-2]))
    found = found[-1] if found else os.path.dirname(shutil.which("initdb") or "")
    return _once("PostgreSQL", found, ("sqlalchemy", "psycopg2"), PostgreSQL)


def mariadb():
    """The same."""
    daemon = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    return _once("MariaDB", daemon, ("sqlalchemy", "pymysql"), MariaDB)


def redis():
    """The same; nothing is in it when the first test asks for it."""
    return _once("Redis", shutil.which("redis-server"), ("redis",), Redis)


def _once(name, binary, modules, make):
    if name not in _started:
        _started[name] = _missing(name, binary, modules) or _up(make, binary)
    found = _started[name]
    if isinstance(found, Exception):
        raise RuntimeError("{} was not started".format(name)) from found
    if isinstance(found, str):
        if _must_run(modules):
            pytest.fail(found)
        pytest.skip(found)
    return found


def _up(make, binary):
    """A server that answers, or the error, which is the same for every test that asks."""
    server = None
    try:
        server = make(binary)
        atexit.register(server.remove)
        server.prepare()
        server.start()
    except Exception as error:
        if server is not None:
            server.stop(kill=True)
        return error
    return server


def _must_run(modules):
    if "servers" in os.environ.get("ALIPAY_MAPI_EXPECT", "").split():
        return True
    return os.environ.get("CI") in ("true", "1") and find_spec(modules[0]) is not None


def _missing(name, binary, modules):
    for module in modules:
        if find_spec(module) is None:
            return "{} is not tested: no module {}".format(name, module)
    return "" if binary else "{} is not tested: the server is not installed".format(name)


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
