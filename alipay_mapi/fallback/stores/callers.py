"""The caller's own code, called inside a store's transaction: changes of rows, moments of claims, handlers.

What it raises undoes the transaction and comes out as it is, never as an error of the database, whatever its class.
"""
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from ...errors import AlipayError, StoreError
from ..deciding import Decision, describe
from ..rows import Row, changed, effect_key, failed, plain
from .contract import Change, Settled

#: The columns of a new effect that have a value of their own.
MADE = ("order_id", "effect_key", "kind", "detail", "made_at", "given_at", "due_at")
Made = Tuple[int, str, str, str, float, float, float]


class Raised(Exception):
    """Carries what the caller's code raised past the store's own handlers."""

    def __init__(self, error: BaseException):
        super().__init__()
        self.error = error


def call(function: Callable, *args: Any) -> Any:
    """What the caller's ``function`` returns; what it raises, as Raised."""
    try:
        return function(*args)
    except BaseException as err:
        raise Raised(err) from err


def unwrapped(work: Callable[[], Any]) -> Any:
    """What ``work()`` returns; a Raised in it comes out as what it carries."""
    try:
        return work()
    except Raised as raised:
        error = raised.error
    raise error


def settle_all(changes: Sequence[Tuple[Row, Change]], current: Mapping[int, Row],
               now: float) -> Tuple[List[Settled], List[Row], List[Made]]:
    """Every change applied to its row in ``current`` → what became of each, the rows as they are to be written, and the
    effects that are new. The same row twice is changed twice."""
    settled: List[Settled] = []
    written: Dict[int, Row] = {}
    made: List[Made] = []
    for row, change in changes:
        number = row.id
        stored = written.get(number) or current.get(number)
        if stored is None:
            settled.append(None)
            continue
        ours = stored.lease == row.lease
        try:
            decision = change(stored)
        except AlipayError as err:
            settled.append(err)
            written[number] = failed(stored, describe(err), ours)
            continue
        except BaseException as err:
            raise Raised(err) from err
        settled.append(decision)
        written[number] = changed(stored, decision, ours)
        if decision.effects:
            made += effects_of(stored, decision, now)
    return settled, list(written.values()), made


def effects_of(row: Row, decision: Decision, now: float) -> List[Made]:
    """The new effects of a decision, as they are to be stored."""
    number, shop = row.id, row.shop
    return [(number, effect_key(shop, effect), effect.kind, plain(effect.detail), now, now, now)
            for effect in decision.effects]


def left_open(held: bool) -> None:
    """Raises StoreError unless the transaction that a handler was called in is ``held`` open."""
    if not held:
        raise StoreError("the handler ended the transaction that it was called in, or went on after an error of the "
                         "database had ended it; leave commit, rollback and such errors to the store",
                         reason="handler")
