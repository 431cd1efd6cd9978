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
* A method that raises StoreError has changed nothing; only after ``gone``, when the connection broke at the very end,
  everything may have been written. Every call may be repeated then.
"""
import binascii
import os
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from ...errors import AlipayError, OrderNotFound, SchemaError, StoreError, show
from ..deciding import Decision
from ..rows import Pending, Row, Watched, plain

SCHEMA = 2

#: The row as it is → what is to become of it; called inside the transaction, perhaps more than once.
Change = Callable[[Row], Decision]
#: A claimed row → when to ask again if nothing more is heard of this claim.
Again = Callable[[Row], float]
#: What became of a row: a Decision, the error that its Change raised, or None for a row that is gone.
Settled = Union[Decision, AlipayError, None]


class Failing(NamedTuple):
    """An effect whose handler raised last time."""

    shop: str
    out_trade_no: str
    kind: str
    attempts: int
    error: str


class Taken(NamedTuple):
    """What ``take_in`` did. ``pending``: the effect that was handed out. ``done``: it was carried out, too. ``more``:
    the order may have others to carry out after it."""

    decision: Decision
    pending: Optional[Pending] = None
    done: bool = False
    more: bool = True


class Store:
    """The contract. Every method may raise StoreError; then nothing was changed. Safe to use from many threads."""

    def now(self) -> float:
        """The store's clock."""
        raise NotImplementedError

    def watch(self, entries: Iterable[Watched]) -> int:
        """Add orders, some thousands at a time at most. Watching the same order again changes nothing. Returns how
        many are new. Raises WatchConflict (for another price, or another gateway), InvalidRequest; then none of this
        call is added."""
        raise NotImplementedError

    def extend(self, entry: Watched) -> bool:
        """The order gets a new payment URL: it can be paid until the later of both deadlines, and one that had expired
        or was given up is open again, and due at the entry's first moment. False when nothing had to be changed. Raises
        as ``watch``."""
        raise NotImplementedError

    def claim(self, worker: str, limit: int, lease: float, again: Again,
              shops: Optional[Sequence[str]] = None) -> List[Row]:
        """Up to ``limit`` due orders, oldest first, for this worker alone, until ``lease`` seconds have passed.

        Each is due again at ``again(row)`` and not before its lease ends, unless it is settled or released."""
        raise NotImplementedError

    def settle(self, changes: Sequence[Tuple[Row, Change]]) -> List[Settled]:
        """Write what became of claimed orders, all in one transaction, and end the claims. A row whose claim has
        passed to another worker keeps that claim; the new facts count all the same. None for a row that is gone.

        A Change that raises an AlipayError keeps nobody else waiting: the error stands in the place of its Decision
        and in the row's ``last_error``, the claim ends, the rest of the row is as it was. Whatever else a Change raises
        comes through, and nothing is written."""
        raise NotImplementedError

    def apply(self, shop: str, out_trade_no: str, change: Change) -> Decision:
        """The same for news that nobody asked for: a notification. Ends no claim; while there is one, the order's next
        moment stays the one that the claim has set. Raises OrderNotFound, and what ``change`` raises."""
        raise NotImplementedError

    def take_in(self, shop: str, out_trade_no: str, change: Change, worker: Optional[str] = None, lease: float = 0.0,
                within: Optional[Callable[[Any, Pending], None]] = None,
                beside: Optional[Callable[[Decision], Any]] = None) -> Taken:
        """``apply``, and for ``worker`` (None: nobody) the order's first effect that is not done, if it is due, handed
        out as by ``effects``; where the store can, in the transaction that writes the state: this one cannot.

        ``within``: carries that effect out in the same transaction, and may be left uncalled; as of ``effect_done``,
        but that all of it is undone, the state with it, when the handler raises or ends the transaction. ``beside``:
        is given the decision, in the transaction where the database is Django's, else after it."""
        decision = self.apply(shop, out_trade_no, change)
        if beside is not None:
            beside(decision)
        found = [] if worker is None else self.effects(worker, 1, lease, (shop, out_trade_no))
        return Taken(decision, found[0] if found else None)

    def release(self, rows: Sequence[Row]) -> None:
        """End claims of orders that were *not* asked about: they are due as they were."""
        raise NotImplementedError

    def effects(self, worker: str, limit: int, lease: float, only: Optional[Tuple[str, str]] = None,
                shops: Optional[Sequence[str]] = None) -> List[Pending]:
        """Effects to carry out, for this worker alone, until ``lease`` seconds have passed: of each order only the
        first that is not done. ``only``: those of (shop, out_trade_no). ``shops``: those of these shops."""
        raise NotImplementedError

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        """The effect was carried out. False when it was recorded as done before.

        ``within``: carries it out here, with the database's connection, in the transaction that records it, so that
        both are kept or neither. It is called only while this claim holds (else False), and must neither commit nor
        roll back; where it did so all the same, or the database did (a deadlock that it swallowed), the effect is not
        recorded as done: StoreError. What it raises comes through, and the effect is still to do."""
        raise NotImplementedError

    def effects_done(self, pending: Sequence[Pending]) -> None:
        """These were carried out, all in one transaction; what was recorded as done before stays as it is."""
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
        """The order's row, None when it is not watched."""
        raise NotImplementedError

    def order_of_refund(self, shop: str, out_return_no: str, gateway: Optional[str] = None) -> Optional[Row]:
        """The one order that a refund of this number was asked for: for a notification that does not name the order, as
        AMS's of refunds. ``gateway``: among the orders that live there; None: among all.

        None when no order has it, and when two do: Alipay has carried out one of the two, and nobody here can say
        which, so the message may be taken for neither; both are asked about all the same. A row whose refunds cannot
        be read has none."""
        raise NotImplementedError

    def rows(self, after: int = 0, limit: int = 500, outcomes: Optional[Sequence[str]] = None) -> List[Row]:
        """Rows by id, from the one after ``after``: for reports, a page at a time."""
        raise NotImplementedError

    def due(self, limit: int, shops: Optional[Sequence[str]] = None) -> List[Row]:
        """What ``claim`` would take, left as it is: for a dry run."""
        raise NotImplementedError

    def counts(self) -> Dict[str, Any]:
        """How the store stands, in numbers and short lists (the latest 20 of each, the newest first).

        ``watched``: orders; ``outcomes``: outcome → orders; ``due``: orders due now; ``oldest_due``: seconds that the
        oldest is late; ``leased``: orders that somebody asks about now; ``effects``: those not yet done;
        ``oldest_effect``: seconds since the oldest of them was made; ``failures``: how many of them have failed;
        ``failing``: those, as Failing; ``gave_up``: (shop, out_trade_no, error) of orders given up; ``errors``: the
        same of any order whose last question was not answered.
        """
        raise NotImplementedError

    def reopen(self, shop: Optional[str] = None, out_trade_no: Optional[str] = None) -> int:
        """Ask again now about what was given up (of one shop), or about one order. How many."""
        raise NotImplementedError

    def prune(self, settled_before: float, limit: int) -> int:
        """Delete up to ``limit`` settled orders, the first watched first, and their effects. How many.

        Only what nobody needs: not open, not due ever again, not claimed, every effect done; and for ``settled_before``
        seconds, by the store's clock, neither asked about nor an effect recorded as done. A notification that comes
        later than that finds no order."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the connections back; leaving a ``with`` block does it too."""
        raise NotImplementedError

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def at_work(lease: str) -> str:
    """The claim of an effect while its handler runs in the store's transaction: written before it is called, and
    looked for when it has returned, so that a transaction that was ended in between is noticed."""
    return lease + "!"


def new_lease(worker: str) -> str:
    """A text that no other claim has."""
    return "{}#{}".format(plain(worker, 60), binascii.hexlify(os.urandom(6)).decode("ascii"))


def store_error(reason: str) -> StoreError:
    """For an error of the database, by its kind. Its own text may quote values, so it is neither told nor chained."""
    if reason == "schema":
        return SchemaError("the store's tables are not what this version needs; run alipay-mapi fallback migrate",
                           reason=reason)
    return StoreError("the store could not be used ({}); nothing was changed by half, run again".format(reason),
                      reason=reason)


def not_watched(out_trade_no: str) -> OrderNotFound:
    return OrderNotFound("this order is not watched; watch it when its payment URL is made",
                         out_trade_no=show(out_trade_no))


def check_schema(found: Optional[str], where: str) -> None:
    """Raises SchemaError unless ``found`` is this version's."""
    if found == str(SCHEMA):
        return
    cure = "update alipay-mapi" if found is not None and found.isdigit() and int(found) > SCHEMA else \
        "run alipay-mapi fallback migrate"
    raise SchemaError("{}: the store has schema {}, this version needs {}; {}".format(
        where, show(found or "?"), SCHEMA, cure), reason="schema")
