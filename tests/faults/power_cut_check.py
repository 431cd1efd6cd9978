"""What must hold of a store after a power cut, given what was acknowledged before it."""
import json
import os
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing

from alipay_mapi.errors import AlipayError
from alipay_mapi.fallback import refunding
from alipay_mapi.fallback.facts import from_text
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

import power_cut_disk
from power_cut_worker import digest, every_row

STORE = "store.db"
#: What a cut has left is looked at here, where there is such a place: hundreds of stores a second.
IN_MEMORY = "/dev/shm"


class Known:
    """What the acknowledgements so far say: ``states``: the digest after each. ``going``: orders of which some are just
    being pruned; ``gone``: those that were."""

    def __init__(self):
        self.states, self.orders, self.effects, self.done, self.refunds = [], set(), set(), set(), set()
        self.going, self.gone = set(), set()

    def add(self, text):
        said = json.loads(text.decode("ascii"))
        self.states.append(said["state"])
        self.orders.update(said.get("orders", ()))
        self.effects.update(map(tuple, said.get("effects", ())))
        self.done.update(map(tuple, said.get("done", ())))
        self.refunds.update(map(tuple, said.get("refunds", ())))
        self.gone.update(said.get("gone", ()))
        if "going" in said or "gone" in said:
            self.going = set(said.get("going", ()))


class Report:
    """``faults``: texts. ``cuts``; ``acknowledged``: transitions, summed over the cuts; ``lost``: of these; ``broken``:
    stores that could not be read; ``begun``: those that had one transaction more than was acknowledged. ``pending``,
    ``dropped``, ``torn``, ``names``: see ``Disk.after_a_cut``."""

    def __init__(self):
        self.faults, self.cuts, self.acknowledged, self.lost, self.broken, self.begun = [], 0, 0, 0, 0, 0
        self.pending = self.dropped = self.torn = self.names = 0

    def __repr__(self):
        return ", ".join("{} {}".format(name, value if name != "faults" else "{}: {}".format(len(value), value[:5]))
                         for name, value in vars(self).items())


def moments(raw, count, rng):
    """``count`` numbers of records to cut after: the first 30, while the store is made; the rest a third each right
    after an acknowledgement, while a sync is under way, and anywhere."""
    kinds = [kind for kind, _, _, _, _ in power_cut_disk.records(raw)]
    chosen = set(range(min(30, count)))
    for wanted, until in (("A", (count + 60) // 3), ("B", (2 * count + 30) // 3), ("ABCEOTUW", count)):
        found = [index for index, kind in enumerate(kinds) if kind in wanted and index not in chosen]
        chosen.update(rng.sample(found, min(len(found), max(0, until - len(chosen)))))
    return chosen


def cuts(raw, count, rng, known, start=(), ignored=()):
    """The power is cut at ``count`` moments of the record, and comes back: the number of the record, the files that are
    left, and what was lost of them. ``known`` is carried on to that moment; ``start``, ``ignored``: see ``Disk``."""
    disk, chosen = power_cut_disk.Disk(start, ignored), moments(raw, count, rng)
    for index, record in enumerate(power_cut_disk.records(raw)):
        disk.play(*record)
        if record[0] == "A":
            known.add(record[4])
        if index in chosen:
            yield (index,) + disk.after_a_cut(rng)


def report(raw, count, seed, known=None, one_process=True, **disk):
    """Look at what is left each time: a Report. ``one_process``: then the whole store is compared with what it held
    after the last transaction."""
    found, known = Report(), known or Known()
    states = known.states + [json.loads(data.decode("ascii"))["state"]
                             for kind, _, _, _, data in power_cut_disk.records(raw) if kind == "A"]
    place = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="power-cut-", dir=place) as folder:
        for index, image, tally in cuts(raw, count, random.Random(seed), known, **disk):
            found.cuts += 1
            for name, number in tally.items():
                setattr(found, name, getattr(found, name) + number)
            here = os.path.join(folder, "cut")
            write(image, here)
            for fault in _faults(os.path.join(here, STORE), known, states if one_process else None, found):
                found.faults.append("cut after record {}: {}".format(index, fault))
    return found


def write(image, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name, content in image.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


def _faults(path, known, states, found):
    try:
        with closing(SQLiteStore(path)) as store, closing(sqlite3.connect(path)) as db:
            sound = [text for text, in db.execute("PRAGMA integrity_check")]
            if sound != ["ok"]:
                raise sqlite3.DatabaseError("not sound: " + sound[0])
            state, rows = digest(path), every_row(store)
            effects = db.execute("SELECT o.out_trade_no, e.kind, e.done_at IS NOT NULL FROM mapi_effects e "
                                 "JOIN mapi_orders o ON o.id = e.order_id").fetchall()
            orphans = db.execute("SELECT order_id FROM mapi_effects WHERE order_id NOT IN "
                                 "(SELECT id FROM mapi_orders)").fetchall()
            made = db.execute("SELECT 1 FROM sqlite_master WHERE name='ledger'").fetchall()
            ledger = [number for number, in db.execute("SELECT out_trade_no FROM ledger")] if made else []
    except (AlipayError, sqlite3.Error) as err:
        found.broken += 1
        return ["the store cannot be read: {}".format(err)]
    pruned = (known.gone | known.going) - {row.out_trade_no for row in rows}
    ledger = [number for number in ledger if number not in pruned]     # the shop's own table forgets nothing
    faults = list(_halves(rows, effects, orphans, ledger)) + list(_missing(known, pruned, rows, effects))
    return faults if states is None else faults + list(_which_state(state, known.states, states, found))


def _halves(rows, effects, orphans, ledger):
    """A row is written with its effects, and deleted with them; what is done in an effect's transaction is written with
    the record that it is done."""
    for row in rows:
        has = {kind for number, kind, _ in effects if number == row.out_trade_no}
        if {effect.kind for effect in from_text(row.order, row.facts).done} != has:
            yield "half a transaction: {} and its effects".format(row.out_trade_no)
    if orphans:
        yield "half a transaction: {} effects without their order".format(len(orphans))
    if sorted(ledger) != sorted(number for number, kind, done in effects if done and kind == "paid"):
        yield "half a transaction: the ledger and the effects that are done"


def _missing(known, pruned, rows, effects):
    for name, acknowledged, found in (
            ("orders", known.orders, {row.out_trade_no for row in rows}),
            ("transitions", known.effects, {(number, kind) for number, kind, _ in effects}),
            ("effects carried out", known.done, {(number, kind) for number, kind, done in effects if done}),
            ("refunds", known.refunds, {(row.out_trade_no, refund.out_return_no) for row in rows
                                        for refund in refunding.from_text(row.refunds)})):
        lost = {one for one in acknowledged if (one if isinstance(one, str) else one[0]) not in pruned} - found
        if lost:
            yield "{} acknowledged {} are lost, {} one of them".format(len(lost), name, min(lost))
    back = known.gone - pruned
    if back:
        yield "{} orders that were pruned are back".format(len(back))


def _which_state(state, known, states, found):
    """All of the store is as one transaction left it: the last acknowledged one, or the one after it."""
    last = len(known) - 1
    changes = [index for index in range(last + 1) if index == 0 or states[index] != states[index - 1]]
    found.acknowledged += len(changes)
    if state in states[max(last, 0):last + 2]:
        found.begun += last >= 0 and state != states[last]
    elif state not in states[:max(last, 0)]:
        yield "the store is in a state that no transaction left"
    else:
        before = max(index for index in range(last) if states[index] == state)
        lost = sum(index > before for index in changes)
        found.lost += lost
        yield "{} acknowledged transitions are lost".format(lost)
