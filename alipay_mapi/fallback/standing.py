"""How a store stands, for people: its counts, how old what is open is, and what a person should look at first."""
from typing import Any, Dict, List, NamedTuple, Tuple

from ..errors import AlipayError
from ..trade_state import NEEDS_A_PERSON
from .deciding import OPEN
from .facts import from_text
from .rows import Row
from .stores.contract import Store

#: Since when an open order is watched: up to so many seconds, and its label.
AGES = ((900.0, "15 minutes"), (3600.0, "1 hour"), (6 * 3600.0, "6 hours"), (24 * 3600.0, "1 day"),
        (float("inf"), "longer"))
_PAGE, _OLDEST, _PERSONS = 1000, 20, 100


class Standing(NamedTuple):
    """``at``: the store's clock, UTC seconds. ``counts``: see ``Store.counts``. ``ages``: (label, open orders) as in
    ``AGES``. ``oldest``: the open orders that are watched longest, oldest first. ``looked_at``: open orders that were
    counted into ``ages``; fewer than there are in a very large store. ``persons``: (shop, out_trade_no, why) of orders
    that only a person can settle."""

    at: float
    counts: Dict[str, Any]
    ages: List[Tuple[str, int]]
    oldest: List[Row]
    looked_at: int
    persons: List[Tuple[str, str, str]]


def standing(store: Store, most: int = 100000) -> Standing:
    """Look at the whole store. ``most``: open orders to look at one by one, a page at a time. Raises StoreError."""
    at, ages, looked_at, last = store.now(), [0] * len(AGES), 0, 0
    oldest: List[Row] = []
    while looked_at < most:
        page = store.rows(last, min(_PAGE, most - looked_at), (OPEN,))
        if not page:
            break
        for row in page:
            age = at - row.watched_at
            ages[next(place for place, (limit, _) in enumerate(AGES) if age <= limit)] += 1
        oldest = sorted(oldest + page, key=lambda row: (row.watched_at, row.id))[:_OLDEST]
        looked_at, last = looked_at + len(page), page[-1].id
    return Standing(at, store.counts(), [(label, count) for (_, label), count in zip(AGES, ages)], oldest, looked_at,
                    [(row.shop, row.out_trade_no, _why(row)) for row in store.rows(0, _PERSONS, (NEEDS_A_PERSON,))])


def _why(row):
    try:
        return ", ".join(sorted(from_text(row.order, row.facts).concerns))
    except AlipayError as err:
        return str(err)


def for_people(seconds: float) -> str:
    """A length of time, roughly.

    >>> for_people(42), for_people(125), for_people(7300), for_people(200000)
    ('42 s', '2 min', '2 h', '2 d')
    """
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return "{:.0f} {}".format(seconds // unit, name)
    return "{:.0f} d".format(seconds // 86400)
