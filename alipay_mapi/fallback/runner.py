"""One run of the query fallback: claim what is due, ask, settle, carry out the effects; then stop.

Built for cron: two runs at once share the work, a run that is killed is continued by the next one, and the run itself
ends by its limit, its deadline, a signal, or when nothing is due. The threads only ask; every write is made by the
caller's thread, in batches.
"""
import os
import queue
import socket
import threading
import time
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..backend import NO_TRADE, Backend
from ..errors import AlipayError, TransportError
from .asking import ask, sends
from .changes import Findings, by_findings, put_off
from .deciding import Decision
from .outbox import Outbox
from .rows import Row
from .schedule import Schedule
from .stores.contract import Store

#: Seconds that a claim outlives its questions (a query and a refund, each with the client's budget of 15), and how far
#: ahead of it a moment is reserved.
LEASE, AHEAD = 60.0, 15.0
#: How long after its turn a question (or a refund) may still begin: were more let through, a gateway that answers again
#: after a pause would get at once what it should have got during it.
LATE, LATE_REFUND = 1.0, 0.4
#: Between two refunds of one partner; Alipay asks for 3. Source: forex_refund.
REFUNDS_APART = 3.5
_BATCH = 100
#: So many questions in a row without a connection: the gateway is down, and the run ends.
_DOWN = 5
#: Seconds between two settlements that a slow handler may take; how often a stop is looked for meanwhile.
_SLICE, _POLL = 5.0, 0.1
#: Answers of so many seconds are settled together: a transaction costs as much as some ten orders in it.
_GATHER = 0.02
_REFUND = "refund "
#: For people alone.
_HOST = socket.gethostname()[:40]

DONE, LIMIT, DEADLINE, STOPPED, GATEWAY_DOWN = "done", "limit", "deadline", "stopped", "gateway down"


class Tally(NamedTuple):
    """What a run did. ``ended``: ``done`` (nothing is due any more), ``limit``, ``deadline``, ``stopped`` or ``gateway
    down``. ``outcomes``: outcome → answers that led to it; ``errors``: class → how often
    there was no usable answer; ``effects`` and
    ``failed_effects``: carried out, and to be handed over again."""

    asked: int
    outcomes: Dict[str, int]
    errors: Dict[str, int]
    effects: int
    failed_effects: int
    ended: str
    seconds: float


class Run:
    """``backends``: shop → its gateways, by name. ``workers``: threads that ask; 0: the caller's own, one order after
    the other, so that nothing depends on the order of threads. ``per_second``: queries per account of all processes
    together, None: no limit. ``stop``: set it (in a signal handler) to finish what is in hand and release the rest.
    ``progress``: called with each row and its Decision, or the AlipayError that kept it from one. ``refunds_apart``:
    seconds between two refunds of one partner, None: somebody else sees to it."""

    def __init__(self, store: Store, backends: Mapping[str, Mapping[str, Backend]], outbox: Outbox, schedule: Schedule,
                 worker: str, workers: int, per_second: Optional[float], stop: threading.Event,
                 progress: Optional[Callable[[Row, Any], None]], refunds_apart: Optional[float] = REFUNDS_APART):
        self._store, self._backends, self._outbox, self._schedule = store, backends, outbox, schedule
        self._worker, self._workers, self._per_second = worker, workers, per_second
        self._stop, self._progress, self._refunds = stop, progress, 1 / refunds_apart if refunds_apart else None
        self._waiting: "queue.Queue[Optional[Tuple[float, float, Row]]]" = queue.Queue()
        self._answered: "queue.Queue[Tuple[Row, Optional[Findings]]]" = queue.Queue()
        self._out: Dict[int, Row] = {}      # claimed and not yet settled, by id
        self._ending = threading.Event()    # nothing is begun any more
        self._asked, self._effects, self._failed, self._reached = 0, 0, 0, 0
        self._gateways = {name for mine in backends.values() for name in mine}
        self._failures: Dict[str, int] = {}     # gateway → how many questions in a row did not reach it
        self._held: List[Row] = []      # claimed, of a gateway that is down, while others are asked on
        self._full: Dict[str, float] = {}       # account → until when its rate has no room
        self._outcomes: Dict[str, int] = {}
        self._errors: Dict[str, int] = {}

    def go(self, limit: Optional[int], deadline: Optional[float]) -> Tally:
        """Work until the end. Raises StoreError; what was settled until then stays settled."""
        started = time.monotonic()
        try:
            for _ in range(self._workers):
                threading.Thread(target=self._ask, daemon=True).start()
            ended = self._work(limit, None if deadline is None else started + deadline)
            self._finish(ended)
        finally:
            self._ending.set()
            self._take_back()
            for _ in range(self._workers):
                self._waiting.put(None)
        if self._asked and not self._reached or ended == DONE and self._down():
            ended = GATEWAY_DOWN
        return Tally(self._asked, self._outcomes, self._errors, self._effects, self._failed, ended,
                     time.monotonic() - started)

    def _work(self, limit, until):
        carried_out = False
        while True:
            ended = self._ends(limit, until)
            if ended:
                return ended
            idle = 0.0
            if len(self._out) <= 2 * self._workers:
                claimed, idle = self._claim(limit)
                if not carried_out:
                    # Behind the first questions, which are under way by now: a handler that hangs holds up nobody.
                    self._carry_out(until)
                    carried_out = True
                if not claimed and not self._out and not idle:
                    return DONE
            if self._out:
                self._settle()
                self._carry_out(until)
            else:
                self._stop.wait(idle)

    def _ends(self, limit, until):
        if self._stop.is_set():
            return STOPPED
        if self._gateways and self._down() == self._gateways:
            return GATEWAY_DOWN
        if until is not None and time.monotonic() >= until:
            return DEADLINE
        if limit is not None and self._asked >= limit and not self._out:
            return LIMIT
        return ""

    def _finish(self, ended):
        """The orders in hand are settled, the rest is left to others."""
        self._ending.set()
        left = self._take_back()
        self._store.release(left + self._held)
        for row in left:
            del self._out[row.id]
        while self._out:
            self._settle()
        if ended != DEADLINE:
            self._carry_out(time.monotonic() + _SLICE)

    def _take_back(self) -> List[Row]:
        """Claimed orders that no thread has taken yet."""
        rows = []   # type: List[Row]
        while True:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return rows
            if item is not None:
                rows.append(item[-1])

    def _carry_out(self, until):
        left = _SLICE if self._out else None
        if until is not None:
            left = min(until - time.monotonic(), left if left is not None else until)
        done, failed = self._outbox.carry_out(left, stopped=self._stop.is_set)
        self._effects, self._failed = self._effects + done, self._failed + failed

    # --- claiming -------------------------------------------------------------------------------------------------

    def _claim(self, limit):
        """Claim what there is room for → (how many, seconds to wait when the rate has no room)."""
        room = 2 * max(self._workers, 1)
        if limit is not None:
            room = min(room, limit - self._asked - len(self._out))
        if room <= 0:
            return 0, 0.0
        claimed = time.monotonic()
        shops = [shop for shop, mine in self._backends.items()
                 if all(self._full.get(backend.account, 0.0) <= claimed for backend in mine.values())]
        rows = self._store.claim(self._worker, room, LEASE, self._again, shops) if shops else []
        down = self._down()
        held = [row for row in rows if row.gateway in down]
        self._held += held
        groups: Dict[Tuple[str, Optional[float]], List[Row]] = {}
        for row in rows:
            if row.gateway in down:
                continue
            one = self._paced(self._backends[row.shop].get(row.gateway), row)
            groups.setdefault(one, []).append(row)
        taken = 0
        for (name, rate), mine in groups.items():
            free, first = (len(mine), 0.0) if rate is None else self._store.slots(name, len(mine), rate, AHEAD)
            turn, ends, late = time.monotonic() + first, claimed + LEASE / 2, LATE
            # Whose turn comes too late would outlive his claim. A question is left to whoever has room for it, and this
            # account's others with it; a refund waits for its turn, so that the questions behind it do not.
            if rate and name.startswith(_REFUND):
                late = LATE_REFUND
                self._put_off(mine[free:], max(0.0, first + free / rate - AHEAD) if free else first, rate)
            elif free < len(mine):
                self._store.release(mine[free:])
                self._full[name] = claimed + min(max(first, 0.05), 1.0)
            for at, row in enumerate(mine[:free]):
                self._out[row.id] = row
                moment = turn + at / rate if rate else turn
                self._waiting.put((moment, min(ends, moment + late) if rate else ends, row))
            taken += free
        taken += len(held)
        full = [until - claimed for until in self._full.values() if until > claimed]
        return taken, min(full) if full and not taken else 0.0

    def _down(self):
        """The gateways that cannot be reached: their orders wait for another run, and do not hold up the others."""
        return {name for name, count in self._failures.items() if count >= max(_DOWN, self._workers)}

    def _paced(self, backend, row):
        """(whose moments, how many a second; None for any number)."""
        if backend is None:     # nothing will be asked
            return "", None
        if backend.spaces_refunds and sends(row):
            return _REFUND + backend.account, self._refunds
        return backend.account, self._per_second

    def _put_off(self, rows, wait, rate):
        now = self._store.now()
        self._store.settle([(row, partial(put_off, now + wait + at / rate)) for at, row in enumerate(rows)])

    def _again(self, row):
        if row.refunds and sends(row):
            return self._schedule.unheard(row.key, 1, row.asked_at)
        return self._schedule.unheard(row.key, row.attempts, row.asked_at)

    # --- asking ---------------------------------------------------------------------------------------------------

    def _ask(self):
        while True:
            item = self._waiting.get()
            if item is None:
                return
            self._ask_about(*item)

    def _ask_about(self, moment, last, row):
        """Ask at its turn; not after it, nor when the claim could end before the answer is there."""
        pause = moment - time.monotonic()
        if (self._ending.wait(pause) if pause > 0 else self._ending.is_set()) or time.monotonic() > last:
            self._answered.put((row, None))
        else:
            self._answered.put((row, ask(self._backends[row.shop], row)))

    # --- settling -------------------------------------------------------------------------------------------------

    def _settle(self):
        """Take in what is answered. Returns soon even if nothing is, so that a stop or a deadline is noticed."""
        if not self._workers and not self._waiting.empty():
            item = self._waiting.get_nowait()
            if item is not None:
                self._ask_about(*item)
        done = []
        try:
            done.append(self._answered.get(timeout=_POLL))
            if self._workers and len(self._out) > 1:
                time.sleep(_GATHER)
            while len(done) < _BATCH:
                done.append(self._answered.get_nowait())
        except queue.Empty:
            if not done:
                return
        self._store.release([row for row, found in done if found is None])
        answered = [(row, found) for row, found in done if found is not None]
        now = self._store.now()
        decisions = self._store.settle([(row, self._change(row, found, now)) for row, found in answered])
        for (row, found), decision in zip(answered, decisions):
            self._count(row, found, decision)
        for row, _ in done:
            self._out.pop(row.id, None)

    def _change(self, asked, found, now):
        def change(stored: Row) -> Decision:
            return by_findings(stored, asked.attempts, found, now, self._schedule)
        return change

    def _count(self, row, found, decision):
        self._asked += 1
        for answer in found:
            if isinstance(answer, AlipayError) and getattr(answer, "code", None) not in NO_TRADE:
                name = type(answer).__name__
                self._errors[name] = self._errors.get(name, 0) + 1
        down = isinstance(found.query if found.query is not None else found.refund, TransportError)
        self._failures[row.gateway] = self._failures.get(row.gateway, 0) + 1 if down else 0
        self._reached += not down
        if isinstance(decision, Decision):
            self._outcomes[decision.outcome] = self._outcomes.get(decision.outcome, 0) + 1
        # None: the row was deleted meanwhile.
        if self._progress is not None and decision is not None:
            self._progress(row, decision)


def worker_name() -> str:
    """This process and thread, for people who look into the store; claims do not depend on it."""
    return "{}:{}:{}".format(_HOST, os.getpid(), threading.get_ident() % 100000)
