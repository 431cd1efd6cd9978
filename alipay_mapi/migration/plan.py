"""When the legacy gateway can be switched off: which orders it alone can still settle or refund, and until when. Pure.

An order stays for ever with the gateway that made it. So after the last new order MAPI is needed until that one can no
longer be paid, and then until nothing that was paid there can be refunded any more.

The refund window is in the contract (REFUNDMENT_VALID_DATE_EXCEED comes after it): usually 12 months after the payment
("Refundable period" of the refund pages); with the domestic advanced contract three months by default.
"""
from datetime import datetime
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ..times import GMT8

MAPI = "mapi"
DAY = 86400.0
#: 12 months, in a leap year too.
REFUND_WINDOW = 366 * DAY

#: What the store knows of an order. UNDECIDED: it needs a person, who may find that it was paid.
OPEN, PAID, UNDECIDED, OVER = "open", "paid", "undecided", "over"


class Known(NamedTuple):
    """An order. ``settled_by``: UTC seconds, when it is asked about for the last time. ``paid_by``: the latest moment
    at which it can have been paid, or could still be. ``refunds``: how many are under way. ``why``: why a person must
    look at it, or ""."""

    shop: str
    gateway: str
    out_trade_no: str
    state: str
    settled_by: float
    paid_by: float
    refunds: int = 0
    why: str = ""


class Needed(NamedTuple):
    """An order that only its gateway can settle or refund. ``settle_until``: None: it is settled. ``refund_until``:
    None: there is nothing to refund, or no longer. ``refunds`` and ``why`` as of Known."""

    shop: str
    gateway: str
    out_trade_no: str
    settle_until: Optional[float]
    refund_until: Optional[float]
    refunds: int
    why: str


class Count(NamedTuple):
    """The orders of a shop on one gateway. The moments are the last ones, None where there is none."""

    orders: int = 0
    open: int = 0
    settle_until: Optional[float] = None
    refundable: int = 0
    refund_until: Optional[float] = None
    refunds: int = 0
    persons: int = 0
    over: int = 0


class Plan:
    """Give it every order once, by :meth:`take`. ``now``: UTC seconds. ``refund_window``: seconds from the payment.
    ``by_day``: count by day, else by month, of Alipay's clock (GMT+8)."""

    def __init__(self, now: float, refund_window: float = REFUND_WINDOW, by_day: bool = False):
        self.now, self.refund_window = now, refund_window
        self._form = "%Y-%m-%d" if by_day else "%Y-%m"
        #: (shop, gateway) → Count
        self.counts: Dict[Tuple[str, str], Count] = {}
        #: day or month → MAPI's (open orders, refund windows) that end in it
        self.ends: Dict[str, List[int]] = {}
        #: UTC seconds: MAPI's orders are settled, and nothing of them can be refunded; None: now.
        self.settled: Optional[float] = None
        self.switch_off: Optional[float] = None
        #: MAPI's orders that a person must look at, and its refunds under way: nobody can tell when these are over.
        self.persons = self.refunds = 0

    def take(self, order: Known) -> Needed:
        """Count an order, and say what its gateway is needed for."""
        needed = self._needed(order)
        key = (order.shop, order.gateway)
        count = self.counts.get(key, Count())
        over = needed.settle_until is needed.refund_until is None and not needed.refunds and not needed.why
        self.counts[key] = Count(
            count.orders + 1, count.open + (order.state == OPEN), _later(count.settle_until, needed.settle_until),
            count.refundable + (needed.refund_until is not None and order.state != OPEN),
            _later(count.refund_until, needed.refund_until), count.refunds + needed.refunds,
            count.persons + bool(needed.why), count.over + over)
        if order.gateway == MAPI:
            self.settled = _later(self.settled, needed.settle_until)
            self.switch_off = _later(self.switch_off, _later(needed.settle_until, needed.refund_until))
            self.persons += bool(needed.why)
            self.refunds += needed.refunds
            for column, moment in ((0, needed.settle_until), (1, needed.refund_until)):
                if moment is not None:
                    self.ends.setdefault(self._text(moment), [0, 0])[column] += 1
        return needed

    def take_all(self, orders: Iterable[Known]) -> List[Needed]:
        """The same for many; those that MAPI is still needed for."""
        needed = [self.take(order) for order in orders]
        return [one for one in needed if one.gateway == MAPI and (
            one.settle_until is not None or one.refund_until is not None or one.refunds or one.why)]

    def _needed(self, order):
        refundable = order.state in (OPEN, PAID, UNDECIDED) and order.paid_by + self.refund_window > self.now
        return Needed(order.shop, order.gateway, order.out_trade_no,
                      max(order.settled_by, self.now) if order.state == OPEN else None,
                      order.paid_by + self.refund_window if refundable else None, order.refunds, order.why)

    def _text(self, moment):
        return datetime.fromtimestamp(moment, GMT8).strftime(self._form)


def _later(one: Optional[float], other: Optional[float]) -> Optional[float]:
    """The later of two moments, of which None is none.

    >>> _later(None, 5.0), _later(7.0, 5.0), _later(None, None)
    (5.0, 7.0, None)
    """
    return other if one is None else one if other is None else max(one, other)
