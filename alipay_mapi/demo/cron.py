"""The fallback's side of the day: its runs as cron starts them, and what breaks in the shop while they work."""
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from ..fallback import OPEN, Pending
from .plan import HOUR
from .shop import Shop

#: How often cron runs the fallback, in seconds, and how long one question of it takes.
EVERY, QUESTION = 600, 4
#: From here on a run is killed: the first that carries out a payment and has another order in hand.
KILLED_FROM = 9 * HOUR
#: Every so many effects the shop's own database is locked, and the effect has to come again.
LOCKED = 25

#: ``at``: seconds after the beginning. ``settled``: orders that it found the end of. ``left``: orders still open after
#: it. ``ended``: as its Tally says, or "killed".
FallbackRun = NamedTuple("FallbackRun", [("at", int), ("asked", int), ("settled", int), ("left", int), ("errors", int),
                                         ("effects", int), ("ended", str)])


class Killed(BaseException):
    """The worker is gone: no ``except Exception`` and no clearing up."""


class Cron:
    """``elapsed``: seconds since the shop opened; ``wait``: let some pass. ``shop`` is set before the first run.

    ``runs``: all of them. ``killed``: when a worker was killed, whose payment it was carrying out, and how many other
    orders it had in hand. ``locked``: how often the database was. ``errors``: (out_trade_no, error) as the store kept
    it → when it was first seen.
    """

    def __init__(self, elapsed: Callable[[], float], wait: Callable[[float], Any]):
        self._elapsed, self._wait = elapsed, wait
        self.shop: Any = None
        self.runs: List[FallbackRun] = []
        self.killed: Optional[Dict[str, Any]] = None
        self.locked = 0
        self.errors: Dict[tuple, int] = {}
        self._is_worker, self._asked = False, 0

    def join(self, shop: Shop) -> None:
        self.shop = shop

    def run(self) -> None:
        """One run; if it is killed, the next one is another process."""
        at, settled = int(self._elapsed()), self.shop.settled
        self._asked, self._is_worker = 0, True
        try:
            tally = self.shop.cron()
            ended, errors, effects = tally.ended, sum(tally.errors.values()), tally.effects
        except Killed:
            ended, errors, effects = "killed", 0, 0
            self.shop.start()
        self._is_worker = False
        status = self.shop.fallback.status()
        self.runs.append(FallbackRun(at, self._asked, self.shop.settled - settled, status["outcomes"].get(OPEN, 0),
                                     errors, effects, ended))
        for _, number, error in status["errors"]:
            self.errors.setdefault((number, error), at)

    def is_through(self) -> bool:
        """Nothing is asked about any more, and nothing is left to carry out."""
        return not self.shop.fallback.status()["effects"] and all(
            row.due_at is None for row in self.shop.store.rows(limit=len(self.shop.books)))

    def asked(self) -> None:
        """After each question. The clock goes on, and what is notified meanwhile comes in between."""
        self._asked += 1
        self._is_worker = False
        self._wait(QUESTION)
        self._is_worker = True

    def accident(self, moment: str, effect: Pending) -> None:
        """Breakdowns of the shop's own: its database is locked before anything is booked; and once the worker is killed
        when all is booked, before that is recorded. So the same effect comes again, with the same key."""
        if moment == "before" and self.shop.handed_over % LOCKED == 0:
            self.locked += 1
            raise RuntimeError("the shop's own database is locked")
        if moment == "after" and self._is_worker and self.killed is None and effect.kind == "paid":
            in_hand = self.shop.fallback.status()["leased"]
            if self._elapsed() >= (KILLED_FROM if in_hand else 2 * KILLED_FROM):
                self.killed = {"at": int(self._elapsed()), "out_trade_no": effect.out_trade_no, "in_hand": in_hand}
                raise Killed()
