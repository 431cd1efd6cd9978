"""When the shop's process is killed: half way, at moments that hurt, as each of them first comes up."""
import random
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

#: ``name``: for people. ``orders``: while the shop carries out one of these; () for between two. ``point``: where;
#: ``path``: in a call to it. ``turn``: at which of them that come by.
Kill = NamedTuple("Kill", [("name", str), ("orders", Tuple[str, ...]), ("point", str), ("path", str), ("turn", int)])

_PAY = "/payments/pay"
#: A new order of AMS whose page nobody has seen, in the first; whose home is stored and that AMS has not got, in the
#: second.
ORDER_MADE = "AMS has made the order, its answer is not read"
ORDER_UNSENT = "the order's home is stored, nothing is sent"
BETWEEN = "between two events"


def kills(seed: int) -> List[Kill]:
    """In the order in which they become possible; the last one is at the end of its act."""
    chosen = random.Random("demo-migrate-kills:{}".format(seed))
    found = [
        Kill(BETWEEN, (), "", "", 1),
        Kill("a notification, before the store's commit", ("notify",), "committing", "", chosen.randrange(1, 3)),
        Kill("in the middle of the books' transaction", ("notify", "cron"), "in the books", "", chosen.randrange(1, 3)),
        Kill("booked, and not yet recorded as done", ("notify", "cron"), "booked paid", "", 1),
        Kill("a refund is sent, its answer is not read", ("cron",), "answered", "refund", 1),
        Kill("a statement of the store, whichever", ("sell", "notify", "cron"), "in the store", "",
             chosen.randrange(20, 80)),
        Kill(ORDER_UNSENT, ("sell",), "called", _PAY, 1),
    ]
    chosen.shuffle(found)
    # The last one: the owner goes back to 0 percent, and then the buyer presses the button again.
    return found + [Kill(ORDER_MADE, ("sell",), "answered", _PAY, 1)]


class Killer:
    """``waiting``: what is still to come. ``done``: what has happened: the kill, what the shop was at, and when.

    ``order``: what the shop is at; ``now``: elapsed seconds."""

    def __init__(self, kills: Sequence[Kill]):
        self.waiting = list(kills)
        self.done: List[Dict[str, Any]] = []
        self.order, self.now = "", 0.0
        self._armed: Dict[str, int] = {}

    def arm(self, kill: Kill) -> None:
        """It happens at the first moment that is its own from now on."""
        self._armed[kill.name] = 0

    def points(self, order: str) -> List[str]:
        """At which of its own points the shop has to wait, while it is at ``order``."""
        return sorted({kill.point for kill in self.waiting if kill.name in self._armed and order in kill.orders})

    def falls(self, point: str, url: str) -> bool:
        """Is this the moment?"""
        for kill in self.waiting:
            if kill.name in self._armed and self.order in kill.orders and point == kill.point and kill.path in url:
                self._armed[kill.name] += 1
                if self._armed[kill.name] >= kill.turn:
                    self.happened(kill)
                    return True
        return False

    def happened(self, kill: Kill) -> None:
        self.waiting.remove(kill)
        self.done.append({"kill": kill.name, "order": self.order, "at": self.now})
