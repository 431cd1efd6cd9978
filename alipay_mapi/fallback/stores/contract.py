"""What a store of watched orders promises; ``sqlite`` and ``sql`` keep it, one suite of tests holds them to it.

A store keeps rows and moves them; it decides nothing. What is to become of a row is given to it as a function of the
row as it stands, which it calls inside the transaction that writes the result: so a notification and a query answer
that come at once are applied one after the other, to the same state. Such a function must be pure: a transaction that
the database undid (a deadlock) is run again.

* A due row goes to exactly one worker, until its lease ends by the store's own clock.
* A claim moves the row's next moment on by an interval *before* it is asked about. So a worker that is killed, or
  that answers too late, costs its orders one interval, and no order is asked about twice in one.
* The new state and its effects are written in one transaction. An effect's key is unique.
* Effects are handed out in their order per order, one at a time, until they are reported done.
* When the store's clock has gone back, every interval and lease keeps its length from now on.
"""
import binascii
import os
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from ...errors import SchemaError
from ..deciding import Decision
from ..rows import Pending, Row, Watched

SCHEMA = 1

#: How far the stored reading of the clock may lag, so that not every claim writes it.
CLOCK_STEP = 5.0


#: The row as it is → what is to become of it; called inside the transaction, perhaps more than once.
Change = Callable[[Row], Decision]
#: A claimed row → when to ask again if nothing more is heard of this claim.
Again = Callable[[Row], float]


class Store:
    """The contract. Every method may raise StoreError; then nothing was changed. Safe to use from many threads."""

    def now(self) -> float:
        """The store's clock."""
        raise NotImplementedError

    def watch(self, entries: Iterable[Watched]) -> int:
        """Add orders, some thousands at a time at most. Watching the same order again changes nothing. Returns how
        many are new. Raises WatchConflict, InvalidRequest; then none of this call is added."""
        raise NotImplementedError

    def claim(self, worker: str, limit: int, lease: float, again: Again,
              shops: Optional[Sequence[str]] = None) -> List[Row]:
        """Up to ``limit`` due orders, oldest first, for this worker alone, until ``lease`` seconds have passed.

        Each is due again at ``again(row)`` and not before its lease ends, unless it is settled or released."""
        raise NotImplementedError

    def settle(self, changes: Sequence[Tuple[Row, Change]]) -> List[Optional[Decision]]:
        """Write what became of claimed orders, all in one transaction, and end the claims. A row whose claim has
        passed to another worker keeps that claim; the new facts count all the same. None for a row that is gone."""
        raise NotImplementedError

    def apply(self, shop: str, out_trade_no: str, change: Change) -> Decision:
        """The same for news that nobody asked for: a notification. Ends no claim. Raises OrderNotFound."""
        raise NotImplementedError

    def release(self, rows: Sequence[Row]) -> None:
        """End claims of orders that were *not* asked about: they are due as they were."""
        raise NotImplementedError

    def effects(self, worker: str, limit: int, lease: float, only: Optional[Tuple[str, str]] = None) -> List[Pending]:
        """Effects to carry out, for this worker alone, until ``lease`` seconds have passed: of each order only the
        first that is not done. ``only``: those of (shop, out_trade_no)."""
        raise NotImplementedError

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        """The effect was carried out. False when it was recorded as done before.

        ``within``: carries it out here, with the database's connection, in the transaction that records it, so that
        both are kept or neither. It is called only while this claim holds (else False), and must neither commit nor
        roll back. What it raises comes through, and the effect is still to do."""
        raise NotImplementedError

    def effect_failed(self, pending: Pending, error: str, again_in: float) -> None:
        """The handler raised: hand it out again after so many seconds."""
        raise NotImplementedError

    def release_effects(self, pending: Sequence[Pending]) -> None:
        """These were not begun: hand them out again."""
        raise NotImplementedError

    def slots(self, name: str, count: int, per_second: float, ahead: float) -> Tuple[int, float]:
        """Reserve up to ``count`` moments of a rate shared by every process, none of them further than ``ahead``
        seconds away. Returns how many were free, and how many seconds until the first of them (or until there may be
        some). They follow one another at ``1 / per_second``."""
        raise NotImplementedError

    def get(self, shop: str, out_trade_no: str) -> Optional[Row]:
        raise NotImplementedError

    def rows(self, after: int = 0, limit: int = 500, outcomes: Optional[Sequence[str]] = None) -> List[Row]:
        """Rows by id, from the one after ``after``: for reports, a page at a time."""
        raise NotImplementedError

    def due(self, limit: int, shops: Optional[Sequence[str]] = None) -> List[Row]:
        """What ``claim`` would take, left as it is: for a dry run."""
        raise NotImplementedError

    def counts(self) -> Dict[str, Any]:
        """``outcomes``: outcome → rows; ``due``: rows due now; ``oldest_due``: seconds that the oldest is late;
        ``effects``: not yet done; ``errors``: the last ones, as (shop, out_trade_no, error)."""
        raise NotImplementedError

    def reopen(self, shop: Optional[str] = None, out_trade_no: Optional[str] = None) -> int:
        """Ask again now about what was given up (of one shop), or about one order. How many."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def new_lease(worker: str) -> str:
    """A text that no other claim has."""
    return "{}#{}".format(worker[:60], binascii.hexlify(os.urandom(6)).decode("ascii"))


#: The clock went back to :now. What was written "in the future" keeps its length from now on. The columns that others
#: are computed from come last: MySQL assigns from left to right.
MEND = (
    "UPDATE mapi_orders SET due_at = CASE WHEN due_at > asked_at THEN due_at - asked_at + :now "
    "WHEN due_at IS NOT NULL THEN :now END, "
    "lease_until = CASE WHEN lease_until > asked_at THEN lease_until - asked_at + :now ELSE lease_until END, "
    "asked_at = :now WHERE asked_at > :now",
    "UPDATE mapi_orders SET deadline = deadline - watched_at + :now, watched_at = :now WHERE watched_at > :now",
    "UPDATE mapi_effects SET due_at = CASE WHEN due_at > given_at THEN due_at - given_at + :now "
    "WHEN due_at IS NOT NULL THEN :now END, given_at = :now WHERE given_at > :now",
    "UPDATE mapi_moments SET moment = :now WHERE moment > :now",
)


def check_schema(found: Optional[str], where: str) -> None:
    """Raises SchemaError unless ``found`` is this version's."""
    if found == str(SCHEMA):
        return
    cure = "update alipay-mapi" if found is not None and found.isdigit() and int(found) > SCHEMA else \
        "run alipay-mapi fallback migrate"
    raise SchemaError("{}: the store has schema {}, this version needs {}; {}".format(
        where, found or "?", SCHEMA, cure), reason="schema")
