"""A shop's fallback at work, on the machine whose power is going to fail; run as a process of its own.

What it does follows from the seed. After each call of the store has returned, it appends to the record what it may rely
on from now on, and a digest of all that the store then holds: that is the acknowledgement.
"""
import hashlib
import json
import os
import random
import sqlite3
import sys
from contextlib import closing

SHOP = "shop"


def connection_of(store):
    """The one place that knows where an SQLiteStore keeps its connection."""
    return store._db


def digest(path):
    """Of every row of every table, read past the store."""
    with closing(sqlite3.connect(path)) as db:
        tables = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
        rows = [(name, db.execute("SELECT * FROM {} ORDER BY 1".format(name)).fetchall()) for name in tables]
    return hashlib.sha256(repr(rows).encode("utf-8")).hexdigest()[:16]


class Worker:
    def __init__(self, path, record, name, seed, pragmas):
        from alipay_mapi.fallback.stores.sqlite import SQLiteStore
        self.name, self.pragmas, self.rng = name, pragmas, random.Random(seed)
        self.path, self.record, self.now, self.made = path, os.open(record, os.O_WRONLY | os.O_APPEND), 1700000000.0, 0
        self.make = lambda: SQLiteStore(path, clock=lambda: self.now)
        self.claimed, self.store, self.numbers = [], None, []
        self.open()

    def open(self):
        if self.store is not None:
            self.store.close()
            self.acknowledge("close")
        self.store = self.make()
        for pragma in self.pragmas:
            connection_of(self.store).execute("PRAGMA " + pragma).fetchall()
        self.acknowledge("open")

    def acknowledge(self, call, **known):
        import power_cut_disk
        text = json.dumps(dict(known, call=call, state=digest(self.path)))
        os.write(self.record, power_cut_disk.acknowledgement(text.encode("ascii")))

    # --- the calls ------------------------------------------------------------------------------------------------

    def watch(self):
        numbers = ["{}{:05}".format(self.name, self.made + index) for index in range(self.rng.randint(1, 6))]
        self.made += len(numbers)
        self.numbers += numbers
        self.store.watch([entry(number, self.rng.choice([-5.0, 0.0, 30.0]), 3600) for number in numbers])
        self.acknowledge("watch", orders=numbers)

    def extend(self):
        if self.numbers:
            self.store.extend(entry(self.rng.choice(self.numbers), 0.0, 7200))
            self.acknowledge("extend")

    def claim(self):
        self.claimed += self.store.claim(self.name, self.rng.randint(1, 6), 60, lambda row: row.asked_at + 60)
        self.acknowledge("claim")

    def settle(self):
        rows, self.claimed = self.claimed, []
        changes, kinds = [], []
        for row in rows:
            kind = self.rng.choice(["paid", "paid", "closed", None])
            changes.append((row, becomes(kind, row.asked_at + 90)))
            kinds.append((row.out_trade_no, kind))
        settled = self.store.settle(changes)
        self.acknowledge("settle", effects=[pair for pair, done in zip(kinds, settled) if pair[1] and done is not None])

    def notified(self):
        if self.numbers:
            number, kind = self.rng.choice(self.numbers), self.rng.choice(["paid", "refunded"])
            self.store.apply(SHOP, number, becomes(kind, None))
            self.acknowledge("apply", effects=[(number, kind)])

    def taken_in(self):
        """As Outbox does it with ``within``."""
        if self.numbers:
            number, kind = self.rng.choice(self.numbers), self.rng.choice(["paid", "refunded"])
            taken = self.store.take_in(SHOP, number, becomes(kind, None), self.name, 60, of_paid)
            self.acknowledge("take_in", effects=[(number, kind)],
                             done=[(taken.pending.out_trade_no, taken.pending.kind)] if taken.done else [])

    def refund(self):
        import alipay_mapi as mapi
        from alipay_mapi.fallback import Fallback
        if self.numbers:
            shop = mapi.Merchant("2088123412341234", "MD5", md5_key="0123456789abcdef0123456789abcdef")
            number = self.rng.choice(self.numbers)
            which = "{}-R{}".format(number, self.rng.randint(1, 3))
            Fallback(self.store, {SHOP: mapi.Client(shop)}).refund(SHOP, number, which, "1.00")
            self.acknowledge("refund", refunds=[(number, which)])

    def reopen(self):
        if self.numbers:
            self.store.reopen(SHOP, self.rng.choice(self.numbers))
            self.acknowledge("reopen")

    def prune(self):
        """Only by A, who is never beside another: what went while the power failed is his own doing."""
        if self.name == "A" and self.numbers:
            self.acknowledge("before prune", going=self.numbers)
            gone = self.store.prune(900.0, self.rng.randint(1, 2))
            left = {row.out_trade_no for row in every_row(self.store)}
            assert len(self.numbers) - len(left) == gone
            self.acknowledge("prune", gone=[number for number in self.numbers if number not in left])
            self.numbers = [number for number in self.numbers if number in left]

    def release(self):
        rows, self.claimed = self.claimed, []
        self.store.release(rows)
        self.acknowledge("release")

    def carry_out(self):
        """As Outbox does it: with a handler several are recorded together; within the transaction each by itself."""
        pending, returned = self.store.effects(self.name, self.rng.randint(1, 6), 60), []
        self.acknowledge("effects")
        for at, one in enumerate(pending):
            chance = self.rng.random()
            if at and chance < 0.1:
                self.store.release_effects(pending[at:])
                self.acknowledge("release_effects")
                break
            if chance < 0.25:
                self.store.effect_failed(one, "HandlerFailed: the warehouse did not answer", 30)
                self.acknowledge("effect_failed")
            elif one.kind != "paid":
                returned.append(one)
            elif self.store.effect_done(one, within=in_the_same_transaction):
                self.acknowledge("effect_done", done=[(one.out_trade_no, one.kind)])
        if returned:
            self.store.effects_done(returned)
            self.acknowledge("effects_done", done=[(one.out_trade_no, one.kind) for one in returned])

    def slots(self):
        self.store.slots("partner", 2, 5.0, 60.0)
        self.acknowledge("slots")

    def work(self, calls):
        choices = [self.watch, self.claim, self.settle, self.settle, self.notified, self.taken_in, self.carry_out,
                   self.carry_out, self.release, self.slots, self.refund, self.reopen, self.prune,
                   self.extend]
        for index in range(calls):
            self.now += self.rng.choice([0.1, 1.0, 20.0])
            self.open() if index in (40, 80) else self.rng.choice(choices)()


def entry(number, first_in, closes_in):
    import alipay_mapi as mapi
    from alipay_mapi.fallback.rows import Watched
    return Watched(SHOP, mapi.Order(number, total_fee="10.00", currency="USD"), first_in, closes_in)


def becomes(kind, due_at):
    """A change: the order is settled by this effect, or, by None, goes on waiting."""
    def change(row):
        from alipay_mapi.fallback.deciding import OPEN, Decision
        from alipay_mapi.fallback.facts import from_text
        from alipay_mapi.trade_state import Effect, TradeState
        state = from_text(row.order, row.facts)
        effects = () if kind is None else (Effect(kind, row.out_trade_no),)
        new = tuple(effect for effect in effects if effect not in state.done)
        state = TradeState(state.order, paid_trades=state.paid_trades | frozenset(["T1"] if kind == "paid" else []),
                           done=state.done | frozenset(new))
        return Decision(state, kind or OPEN, None if kind else due_at, new)
    return change


def every_row(store):
    rows, page = [], store.rows()
    while page:
        rows += page
        page = store.rows(after=page[-1].id)
    return rows


def in_the_same_transaction(db, pending):
    db.execute("CREATE TABLE IF NOT EXISTS ledger (out_trade_no TEXT NOT NULL)")
    db.execute("INSERT INTO ledger VALUES (?)", (pending.out_trade_no,))


def of_paid(db, pending):
    if pending.kind == "paid":
        in_the_same_transaction(db, pending)


def main(path, record, name, seed, calls, *pragmas):
    worker = Worker(path, record, name, int(seed), pragmas)
    worker.work(int(calls))
    os._exit(0)     # the power fails: nothing is closed


if __name__ == "__main__":
    main(*sys.argv[1:])
