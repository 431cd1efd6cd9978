"""Moves to AMS for the tests: one that is as it should be, and whatever shop is to be tried."""
import shutil
import sqlite3
from contextlib import closing

from alipay_mapi.demo.migrating import audit, numbers
from alipay_mapi.demo.migrating.play import Move
from alipay_mapi.demo.migrating.running import PROGRAM

#: With so many orders of this seed each of the kills happens.
SEED, ORDERS = 1, 24
_KEYS = {}


def move_of(program=PROGRAM):
    """A move to AMS that has not begun."""
    return Move(SEED, ORDERS, program, _KEYS)


class Honest:
    """A move to AMS that is over and was as it should be; its files may be altered on a copy."""

    def __init__(self, move, folder):
        self.move, self._folder = move, folder
        self.steps = list(move.run())
        self.sides = audit.sides(move.books, move.store, move.gateway.ledger)
        self.differences = audit.compare(self.sides, move.strays)
        self.numbers = numbers.numbers(move, self.sides, self.differences)

    def with_books(self, change):
        return self._compared(self._altered(self.move.books, change), self.move.store)

    def with_store(self, change):
        return self._compared(self.move.books, self._altered(self.move.store, change))

    def _compared(self, books, store):
        move = self.move
        return audit.compare(audit.sides(books, store, move.gateway.ledger), move.strays)

    def _altered(self, path, change):
        copy = str(self._folder / "altered.db")
        shutil.copy(path, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as db:
            assert db.execute(change).rowcount > 0
        return copy
