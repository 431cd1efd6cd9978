"""How a store stands, for people: its counts, how old what is open is, and what a person should look at first."""
import heapq
from collections import deque
from typing import Any, Deque, Dict, List, NamedTuple, Tuple

from ..errors import AlipayError
from ..trade_state import NEEDS_A_PERSON
from . import refunding
from .deciding import GAVE_UP, NOT_THERE, OPEN
from .facts import from_text
from .rows import Row
from .stores.contract import Store

#: Since when an open order is watched: up to so many seconds, and its label.
AGES = ((900.0, "15 minutes"), (3600.0, "1 hour"), (6 * 3600.0, "6 hours"), (24 * 3600.0, "1 day"),
        (float("inf"), "longer"))
#: Orders that are due for so many seconds are late: a run every minute has them long before.
LATE = 3600.0
_PAGE, _OLDEST, _ERRORS, _LISTED = 1000, 20, 20, 100


class Person(NamedTuple):
    """An order that a person must look at."""

    shop: str
    out_trade_no: str
    why: str


class RefundOf(NamedTuple):
    """A refund that is not done: under way, refused or given up. ``amount``: as sent. ``status``: see ``refunding``."""

    shop: str
    out_trade_no: str
    out_return_no: str
    amount: str
    status: str
    error: str


class Standing(NamedTuple):
    """``at``: the store's clock, UTC seconds. ``counts``: see ``Store.counts``; in ``errors`` the gateway's first
    "no such trade" is none. ``shops``: shop → outcome → orders. ``ages``: (label, open orders) as in ``AGES``.
    ``oldest``: the open orders that are watched longest, oldest first. ``persons``: the last hundred orders that a
    person must look at, whether the shop's handler was told or not; ``for_a_person``: how many there are.
    ``refunds``: the last hundred; ``refund_counts``: status → how many, those that are done too."""

    at: float
    counts: Dict[str, Any]
    shops: Dict[str, Dict[str, int]]
    ages: List[Tuple[str, int]]
    oldest: List[Row]
    persons: List[Person]
    for_a_person: int
    refunds: List[RefundOf]
    refund_counts: Dict[str, int]

    @property
    def late(self) -> bool:
        """Is nobody asking?"""
        return bool(self.counts["due"]) and self.counts["oldest_due"] > LATE


def standing(store: Store) -> Standing:
    """Look at the whole store, a page at a time. Raises StoreError."""
    at, counts, ages, last, for_a_person = store.now(), store.counts(), [0] * len(AGES), 0, 0
    shops: Dict[str, Dict[str, int]] = {}
    persons: Deque[Person] = deque(maxlen=_LISTED)
    refunds: Deque[RefundOf] = deque(maxlen=_LISTED)
    refund_counts: Dict[str, int] = {}
    oldest: List[Row] = []
    errors: List[Tuple[float, int, Row]] = []
    while True:
        page = store.rows(last, _PAGE)
        for row in page:
            of_shop = shops.setdefault(row.shop, {})
            of_shop[row.outcome] = of_shop.get(row.outcome, 0) + 1
            if row.outcome == OPEN:
                age = at - row.watched_at
                ages[next(place for place, (limit, _) in enumerate(AGES) if age <= limit)] += 1
            why = needs_a_person(row)
            if why:
                for_a_person += 1
                persons.append(Person(row.shop, row.out_trade_no, why))
            for refund in _refunds(row)[0]:
                refund_counts[refund.status] = refund_counts.get(refund.status, 0) + 1
                if refund.status != refunding.DONE:
                    refunds.append(RefundOf(row.shop, row.out_trade_no, refund.out_return_no, refund.amount,
                                            refund.status, refund.error))
        oldest = heapq.nsmallest(_OLDEST, oldest + [row for row in page if row.outcome == OPEN],
                                 key=lambda row: (row.watched_at, row.id))
        errors = heapq.nlargest(_ERRORS, errors + [(row.asked_at, row.id, row) for row in page
                                                   if row.last_error and not row.last_error.startswith(NOT_THERE)])
        if len(page) < _PAGE:
            break
        last = page[-1].id
    counts["errors"] = [(row.shop, row.out_trade_no, row.last_error) for _, _, row in errors]
    return Standing(at, counts, shops, [(label, count) for (_, label), count in zip(AGES, ages)], oldest,
                    list(persons), for_a_person, list(refunds), refund_counts)


def needs_a_person(row: Row) -> str:
    """Why a person must look at this order; "" when nobody must. It stands in the row, so it is known as well after
    the shop's handler has taken the effect."""
    if row.outcome not in (NEEDS_A_PERSON, GAVE_UP) and not row.refunds and NEEDS_A_PERSON not in row.facts:
        return ""       # nearly always
    whys = []
    if row.outcome == GAVE_UP:
        whys.append("gave up: " + (row.last_error or "no usable answer").replace("gave up: ", ""))
    refunds, problem = _refunds(row)
    try:
        said = _said(row)
    except AlipayError as err:
        said, problem = [], str(err)
    whys += said
    for refund in refunds:
        if refund.status in (refunding.REFUSED, refunding.GAVE_UP) and (refund.error or not any(
                one.startswith("refund {} ended as ".format(refund.out_return_no)) for one in said)):
            whys.append("refund {}: {}".format(refund.out_return_no, refund.error or refund.status))
    return "; ".join(whys + [problem] * bool(problem))


def _said(row):
    """The details of the effects that asked for a person, but for those that the row's own columns tell as they are
    by now."""
    state = from_text(row.order, row.facts)
    said = {effect.detail for effect in state.done if effect.kind == NEEDS_A_PERSON}
    if row.outcome == NEEDS_A_PERSON:
        said |= state.concerns
    return sorted(detail for detail in said if not detail.startswith("gave up: ")
                  and not (detail.startswith("refund ") and ": " in detail))


def _refunds(row):
    """(the order's refunds, what is wrong with them or "")."""
    try:
        return refunding.from_text(row.refunds), ""
    except AlipayError as err:
        return (), str(err)


def for_people(seconds: float) -> str:
    """A length of time, roughly.

    >>> for_people(42), for_people(125), for_people(7300), for_people(200000)
    ('42 s', '2 min', '2 h', '2 d')
    """
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return "{:.0f} {}".format(seconds // unit, name)
    return "{:.0f} d".format(seconds // 86400)


def several(count: int, what: str) -> str:
    """How many, in words.

    >>> several(1, "order"), several(2, "order")
    ('1 order', '2 orders')
    """
    return "{} {}{}".format(count, what, "" if count == 1 else "s")
