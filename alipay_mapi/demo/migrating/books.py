"""The books of the shop that moves: an SQLite file of its own, written by the handler of effects.

Each effect has a key, and the key is in the same transaction as what follows from it: whatever comes again, after a
kill say, is known. Which gateway an order lives on stands in the fallback's store alone.
"""
import sqlite3
from contextlib import contextmanager
from decimal import Decimal
from typing import Callable, Iterator, List, Optional, Tuple

from ...fallback import Pending
from ...order import Order

_TABLES = (
    "CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, currency TEXT NOT NULL, price TEXT NOT NULL, "
    "placed_at REAL NOT NULL, paid INTEGER NOT NULL DEFAULT 0, closed INTEGER NOT NULL DEFAULT 0, "
    "goods INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS refunds (out_return_no TEXT PRIMARY KEY, number TEXT NOT NULL, amount TEXT NOT NULL, "
    "done INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS persons (number TEXT NOT NULL, why TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS effects (effect_key TEXT PRIMARY KEY, number TEXT NOT NULL, kind TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS handed_over (effect_key TEXT NOT NULL)",
)


class Books:
    """``path``: the file. ``reach``: called at the points at which the process may be killed."""

    def __init__(self, path: str, reach: Callable[[str], None]):
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._reach = reach
        self._db.execute("PRAGMA synchronous=OFF")      # see Shop; a real one has FULL
        for statement in _TABLES:
            self._db.execute(statement)

    def close(self) -> None:
        self._db.close()

    def place(self, order: Order, now: float) -> None:
        """A new order; one that is known stays as it is."""
        currency, price = ("CNY", order.rmb_fee) if order.rmb_fee is not None else (order.currency, order.total_fee)
        self._db.execute("INSERT OR IGNORE INTO orders (number, currency, price, placed_at) VALUES (?, ?, ?, ?)",
                         (order.out_trade_no, currency, str(price), now))

    def drop(self, number: str) -> None:
        """An order that no gateway makes, and that the buyer was told so about."""
        self._db.execute("DELETE FROM orders WHERE number=?", (number,))

    def is_paid(self, number: str) -> bool:
        return bool(self._one("SELECT paid FROM orders WHERE number=?", number))

    def wish(self, number: str, out_return_no: str, amount: Decimal) -> None:
        """A refund that the shop asks for; the same number again is the same one."""
        self._db.execute("INSERT OR IGNORE INTO refunds (out_return_no, number, amount) VALUES (?, ?, ?)",
                         (out_return_no, number, "{:f}".format(amount)))

    def unsent(self) -> List[Tuple[str, str, str]]:
        """What is not given back yet: (number, out_return_no, amount). A shop that starts asks for these again: it
        may have been killed between its books and the fallback's store."""
        return self._db.execute("SELECT number, out_return_no, amount FROM refunds WHERE done=0").fetchall()

    def carry_out(self, effect: Pending) -> None:
        """The fallback's handler. It is called at least once for each key."""
        with self._transaction():
            self._db.execute("INSERT INTO handed_over VALUES (?)", (effect.key,))
            if self.is_new(effect):
                self._reach("in the books")
                self._book(effect)
        self._reach("booked " + effect.kind)

    def is_new(self, effect: Pending) -> bool:
        """Write the key down. False: it was there."""
        return self._db.execute("INSERT OR IGNORE INTO effects VALUES (?, ?, ?)", (
            effect.key, effect.out_trade_no, effect.kind)).rowcount == 1

    def _book(self, effect):
        number = effect.out_trade_no
        if effect.kind == "paid":
            self._db.execute("UPDATE orders SET paid=1, goods=goods+1 WHERE number=?", (number,))
        elif effect.kind == "closed":
            self._db.execute("UPDATE orders SET closed=1 WHERE number=?", (number,))
        elif effect.kind == "refunded":     # it was paid, or the money could not have gone back
            self._db.execute("UPDATE orders SET paid=1 WHERE number=?", (number,))
            self._db.execute("UPDATE refunds SET done=1 WHERE number=? AND ? IN (out_return_no, '')",
                             (number, effect.detail))
        else:
            self._db.execute("INSERT INTO persons VALUES (?, ?)", (number, effect.detail))

    def _one(self, statement, *values) -> Optional[object]:
        found = self._db.execute(statement, values).fetchone()
        return None if found is None else found[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
