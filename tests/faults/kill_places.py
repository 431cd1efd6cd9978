"""Where the store of a run is, how it is read past the library, and the clock that all of a run's processes share."""
import mmap
import os
import sqlite3
import struct

START = 1700000000.0
#: An effect's table of the shop, in the store's own database. Nothing in it is unique, so nothing is merged.
TABLE = ("CREATE TABLE shop_effects (effect_key VARCHAR(200), number VARCHAR(64), kind VARCHAR(20), "
         "detail VARCHAR(400), id BIGINT, worker INTEGER)")


class Clock:
    """The same for every process that is forked from here."""

    def __init__(self):
        self._shared = mmap.mmap(-1, 8)
        self.move(START)

    def __call__(self):
        return struct.unpack_from("d", self._shared)[0]

    def move(self, seconds):
        struct.pack_into("d", self._shared, 0, self() + seconds)

    def reset(self):
        struct.pack_into("d", self._shared, 0, START)


class Sqlite:
    """Where the store of a run is, and how it is read past the library."""

    name = "sqlite"

    def __init__(self, folder):
        self._path = os.path.join(folder, "store.db")

    def new(self, within):
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self._path + suffix):
                os.unlink(self._path + suffix)
        if within:
            self.read(TABLE)
        return self._path

    def read(self, statement, values=()):
        db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        try:
            return db.execute(statement, values).fetchall()
        finally:
            db.close()

    def holds(self, key):
        """What the store holds of an effect: "nothing", that it is "pending", or that it is "done"."""
        return _state_of(self.read("SELECT done_at FROM mapi_effects WHERE effect_key = ?", (key,)))


class Postgresql:
    """``url``: of an empty database that nobody else uses."""

    name = "postgresql"

    def __init__(self, url):
        self._url, self._connection = url, None

    def new(self, within):
        self.read("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public" + (";" + TABLE if within else ""))
        return self._url

    def read(self, statement):
        import psycopg2
        connection = psycopg2.connect(self._url.replace("+psycopg2", ""))
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


    def holds(self, key):
        import psycopg2
        if self._connection is None:
            self._connection = psycopg2.connect(self._url.replace("+psycopg2", ""))
            self._connection.autocommit = True
        cursor = self._connection.cursor()
        cursor.execute("SELECT done_at FROM mapi_effects WHERE effect_key = %s", (key,))
        return _state_of(cursor.fetchall())


def _state_of(rows):
    return "nothing" if not rows else "pending" if rows[0][0] is None else "done"
