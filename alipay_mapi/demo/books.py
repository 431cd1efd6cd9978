"""The books of the demo's shop: what it knows of each order, and how an effect gets in."""
from collections import Counter, OrderedDict
from datetime import datetime
from decimal import Decimal
from typing import Dict, List, Optional

import alipay_mapi as mapi
from alipay_mapi.fallback import OPEN, Pending


class Refund:
    """One refund of an order: ``asked`` (or made at the console), then ``done`` once proved."""

    def __init__(self, out_return_no: str, amount: Decimal, console: bool = False):
        self.out_return_no, self.amount, self.console, self.status = out_return_no, amount, console, "asked"


class Record:
    """One order in the books.

    ``is_paid``, ``is_closed``: booked. ``fulfilled``: how often the goods were sent. ``concerns``: what a person was
    told. ``booked``: effect's key → how often it was carried out. ``known_at``: when the shop learned of a payment.
    ``outcome``, ``settled_at``, ``settled_by``: what the fallback made of it, when, and by which message.
    """

    def __init__(self, account: str, service: str, order: mapi.Order, placed_at: datetime):
        self.account, self.service, self.order, self.placed_at = account, service, order, placed_at
        self.is_paid = self.is_closed = False
        self.fulfilled = 0
        self.refunds: Dict[str, Refund] = OrderedDict()
        self.concerns: List[str] = []
        self.booked: Dict[str, int] = Counter()
        self.known_at: Optional[datetime] = None
        self.outcome, self.settled_by = OPEN, ""
        self.settled_at: Optional[datetime] = None

    @property
    def known_by(self) -> str:
        """How the shop learned of the payment: notification, query, or not at all ("")."""
        return self.settled_by if self.known_at is not None else ""

    @property
    def at_console(self) -> List[Refund]:
        """What was given back at the console and is not proved yet."""
        return [refund for refund in self.refunds.values() if refund.console and refund.status == "asked"]

    @property
    def refunded(self) -> Decimal:
        """In the currency that the order is priced in."""
        return sum((refund.amount for refund in self.refunds.values() if refund.status == "done"), Decimal(0))

    def book(self, effect: Pending, now: datetime) -> None:
        """In a database the key, in a unique column, and all of this are one transaction."""
        self.booked[effect.key] += 1
        if effect.kind == "closed":
            self.is_closed = True
            return
        if self.known_at is None:
            self.known_at = now
        if effect.kind == "paid":
            self.is_paid = True
            self.fulfilled += 1
        elif effect.kind == "refunded":
            self.is_paid = True         # or the money could not have gone back
            for refund in self.refunds.values():
                if effect.detail in (refund.out_return_no, ""):     # "": Alipay closed the whole trade
                    refund.status = "done"
        else:
            self.concerns.append(effect.detail)
