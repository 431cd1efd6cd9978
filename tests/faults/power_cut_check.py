"""What must hold of a store after a power cut, given what was acknowledged before it."""
import json
import os
import random
import shutil
import sqlite3
from contextlib import closing

from alipay_mapi.errors import AlipayError
from alipay_mapi.fallback.facts import from_text
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

import power_cut_disk
from power_cut_worker import digest

STORE = "store.db"


class Known:
    """What the acknowledgements so far say: ``states``: the digest after each."""

    def __init__(self):
        self.states, self.orders, self.effects, self.done = [], set(), set(), set()

    def add(self, text):
        said = json.loads(text.decode("ascii"))
        self.states.append(said["state"])
        self.orders.update(said.get("orders", ()))
        self.effects.update(map(tuple, said.get("effects", ())))
        self.done.update(map(tuple, said.get("done", ())))


class Report:
    """``faults``: texts. ``cuts``, ``acknowledged`` (transitions, summed over the cuts), ``lost`` (of these), ``begun``:
    cuts after which a transaction was there that had not been acknowledged yet; the rest is the disk's tally."""

    def __init__(self):
        self.faults, self.cuts, self.acknowledged, self.lost, self.begun, self.broken = [], 0, 0, 0, 0, 0
        self.tally = {}

    def __repr__(self):
        return "{} cuts, {} acknowledged, {} lost, {} unreadable, {} begun, {}; {} faults: {}".format(
            self.cuts, self.acknowledged, self.lost, self.broken, self.begun, self.tally, len(self.faults),
            self.faults[:5])


def moments(raw, count, rng):
    """``count`` numbers of records to cut after: a third each right after an acknowledgement, while a sync is under way,
    and anywhere."""
    kinds = [kind for kind, _, _, _, _ in power_cut_disk.records(raw)]
    chosen = set()
    for wanted in ("A", "B", "".join(set(kinds))):
        found = [index for index, kind in enumerate(kinds) if kind in wanted and index not in chosen]
        chosen.update(rng.sample(found, min(len(found), -(-count // 3))))
    return sorted(chosen)


def cut_often(raw, count, seed, folder, start=(), known=None, one_process=True, ignored=()):
    """Cut the power at ``count`` moments of the record, and look at what is left each time: a Report."""
    rng, report = random.Random(seed), Report()
    disk, known = power_cut_disk.Disk(start, ignored), known or Known()
    states = known.states + [json.loads(data.decode("ascii"))["state"]
                             for kind, _, _, _, data in power_cut_disk.records(raw) if kind == "A"]
    cuts = set(moments(raw, count, rng))
    for index, record in enumerate(power_cut_disk.records(raw)):
        disk.play(*record)
        if record[0] == "A":
            known.add(record[4])
        if index in cuts:
            image, tally = disk.after_a_cut(rng)
            report.cuts += 1
            for name, number in tally.items():
                report.tally[name] = report.tally.get(name, 0) + number
            _look(image, folder, known, states if one_process else None, report, "after record {}".format(index))
    return report


def write(image, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name, content in image.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


def _look(image, folder, known, states, report, where):
    write(image, folder)
    path, faults = os.path.join(folder, STORE), []
    try:
        with closing(SQLiteStore(path)) as store:
            state = digest(path)
            rows = _all_rows(store)
        with closing(sqlite3.connect(path)) as db:
            sound = db.execute("PRAGMA integrity_check").fetchall()
            effects = db.execute("SELECT o.out_trade_no, e.kind, e.done_at IS NOT NULL FROM mapi_effects e "
                                 "JOIN mapi_orders o ON o.id = e.order_id").fetchall()
            made = db.execute("SELECT count(*) FROM sqlite_master WHERE name='ledger'").fetchone()[0]
            ledger = db.execute("SELECT out_trade_no FROM ledger").fetchall() if made else []
    except (AlipayError, sqlite3.DatabaseError) as err:
        report.broken += 1
        report.faults.append("{}: {}".format(where, err))
        return
    if sound != [("ok",)]:
        faults.append("not sound: {}".format(sound[0][0]))
    faults += _halves(rows, effects, [number for number, in ledger])
    faults += _missing(known, rows, effects)
    if states is not None:
        faults += _which_state(state, known, states, report)
    report.faults += ["{}: {}".format(where, fault) for fault in faults]


def _all_rows(store):
    rows = store.rows()
    while rows and len(rows) % 500 == 0:
        more = store.rows(after=rows[-1].id)
        if not more:
            break
        rows += more
    return rows


def _halves(rows, effects, ledger):
    """A row and its effects are written together; so are an effect that is done and what was done in its transaction."""
    for row in rows:
        has = {kind for number, kind, _ in effects if number == row.out_trade_no}
        if {effect.kind for effect in from_text(row.order, row.facts).done} != has:
            yield "half a transaction: {} and its effects".format(row.out_trade_no)
    if sorted(ledger) != sorted(number for number, kind, done in effects if done and kind == "paid"):
        yield "half a transaction: the ledger and the effects that are done"


def _missing(known, rows, effects):
    for name, acknowledged, found in (
            ("orders", known.orders, {row.out_trade_no for row in rows}),
            ("transitions", known.effects, {(number, kind) for number, kind, _ in effects}),
            ("effects carried out", known.done, {(number, kind) for number, kind, done in effects if done})):
        lost = acknowledged - found
        if lost:
            yield "{} acknowledged {} are lost, {} one of them".format(len(lost), name, min(lost))


def _which_state(state, known, states, report):
    """All of the store is as one transaction left it: the last acknowledged one, or the one after it."""
    last = len(known.states) - 1
    changes = [index for index in range(last + 1) if index == 0 or states[index] != states[index - 1]]
    report.acknowledged += len(changes)
    if state in states[max(last, 0):last + 2]:
        report.begun += last < 0 or state != states[last]
        return
    earlier = [index for index in range(last) if states[index] == state]
    if not earlier:
        if last >= 0:
            yield "the store is in a state that no transaction left"
        return
    lost = sum(index > earlier[-1] for index in changes)
    report.lost += lost
    yield "{} acknowledged transitions are lost".format(lost)
