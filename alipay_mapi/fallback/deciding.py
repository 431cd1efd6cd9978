"""What follows from one answer, or from none: pure, the same for every store.

=====================  ==============================================================================================
what came              what follows
=====================  ==============================================================================================
signed answer          its facts are applied (``TradeState``): paid, closed, waiting, mismatch
TRADE_NOT_EXIST        nobody has logged in yet: wait; twice in a row after the order's deadline and margin: *expired*,
                       never paid. Twice, since errors are unsigned, and one that is wrong would release a paid order
another error code     unknown: ask again, settle nothing
signed, yet for        another account or order than we asked about: a person is told, and it is asked about again
somebody else
no usable answer       unknown: time-out, unsigned, unverifiable, SYSTEM_ERROR; ask again, settle nothing
=====================  ==============================================================================================

Source: "Query fallback, timeouts, refunds"; single_trade_query.
"""
from dataclasses import replace
from typing import Any, NamedTuple, Optional, Tuple

from ..client import place_of
from ..errors import AlipayError, GatewayError, OrderMismatch, PartyMismatch
from ..response import Response
from ..trade_state import CLOSED, NEEDS_A_PERSON, PAID, REFUNDED, Effect, TradeState
from .schedule import Schedule

#: What is known of a watched order. Final: it is not asked about any more.
OPEN, EXPIRED, GAVE_UP = "open", "expired", "gave_up"
FINAL = (PAID, CLOSED, REFUNDED, NEEDS_A_PERSON, EXPIRED, GAVE_UP)

#: What is kept as the last error after the first such answer after the deadline.
NOT_THERE = "TRADE_NOT_EXIST: once more, to be sure"

#: Answered with one of these, an order that has no trade yet.
_NOT_THERE = ("TRADE_NOT_EXIST", "TRADE_IS_NOT_EXIST")


class Decision(NamedTuple):
    """``state``: with the new facts; None: the stored ones are kept as they are. ``outcome``: OPEN or one of FINAL.
    ``due_at``: when to ask next, None: not again. ``effects``: the new ones. ``error``: the last error for people, ""
    when there was an answer. ``refunds``: what is to be kept of them (see ``refunding``), None: as it was."""

    state: Any
    outcome: str
    due_at: Optional[float]
    effects: Tuple[Effect, ...] = ()
    error: str = ""
    refunds: Optional[str] = None


def decide(state: TradeState, answer, key: str, attempts: int, now: float, deadline: float,
           schedule: Schedule, outcome: str = OPEN, last_error: str = "") -> Decision:
    """``answer``: a verified Response, or the AlipayError that came in its place. ``attempts``: this one included.
    ``now``, ``deadline``: seconds, by the store's clock. ``outcome``: the stored one; what was settled while the
    question was under way is not opened again by an error. ``last_error``: the stored one."""
    if isinstance(answer, Response):
        return _applied(state, answer, key, attempts, now, deadline, schedule)
    if state.status in FINAL or outcome in FINAL:
        kept = describe(answer) if outcome == GAVE_UP else ""
        return Decision(state, state.status if state.status in FINAL else outcome, None, (), kept)
    code = getattr(answer, "code", None) if isinstance(answer, GatewayError) else None
    if code in _NOT_THERE and not _any_news(state):
        due = schedule.after(key, attempts, now, deadline)
        if due is not None:
            return Decision(state, OPEN, due)
        if last_error != NOT_THERE:
            return Decision(state, OPEN, schedule.unheard(key, 1, now), (), NOT_THERE)
        effect = Effect(CLOSED, state.order.out_trade_no, "")
        new = () if effect in state.done else (effect,)
        return Decision(_done(state, new), EXPIRED, None, new)
    due = schedule.retry(key, attempts, now, deadline)
    error = describe(answer)
    state, effects = _alarm(state, answer)
    if due is not None:
        return Decision(state, OPEN, due, effects, error)
    effect = Effect(NEEDS_A_PERSON, state.order.out_trade_no, "gave up: " + error)
    return Decision(_done(state, (effect,)), GAVE_UP, None, effects + (effect,), error)


def _alarm(state, answer):
    """The state and the effect of a signed answer that is not about our order, or not for us."""
    effect = Effect(NEEDS_A_PERSON, state.order.out_trade_no, type(answer).__name__)
    if not isinstance(answer, (OrderMismatch, PartyMismatch)) or effect in state.done:
        return state, ()
    return _done(state, (effect,)), (effect,)


def _applied(state, answer, key, attempts, now, deadline, schedule):
    try:
        state, effects = state.apply(answer)
    except AlipayError as err:
        return decide(state, err, key, attempts, now, deadline, schedule)
    return settled(state, effects, key, attempts, now, deadline, schedule)


def settled(state: TradeState, effects: Tuple[Effect, ...], key: str, attempts: int, now: float, deadline: float,
            schedule: Schedule) -> Decision:
    """The decision for a state that facts were applied to, by whatever message."""
    if state.status in FINAL:
        return Decision(state, state.status, None, effects)
    due = schedule.after(key, attempts, now, deadline)
    if due is None:
        due = schedule.retry(key, attempts, now, deadline)
    if due is not None:
        return Decision(state, OPEN, due, effects)
    effect = Effect(NEEDS_A_PERSON, state.order.out_trade_no, "gave up: the trade still waits after its deadline")
    return Decision(_done(state, (effect,)), GAVE_UP, None, effects + (effect,), effect.detail)


def unreadable(stored, attempts: int, now: float, schedule: Schedule, problem: BaseException) -> Decision:
    """The decision about a row whose text cannot be read: asked about again, as it may be repaired; then given up."""
    due = schedule.retry(stored.key, attempts, now, stored.deadline)
    error = describe(problem)
    if due is not None:
        return Decision(None, stored.outcome, due, (), error)
    outcome = stored.outcome if stored.outcome in FINAL else GAVE_UP
    return Decision(None, outcome, None, (Effect(NEEDS_A_PERSON, stored.out_trade_no, "gave up: " + error),), error)


def _any_news(state):
    return state != TradeState(state.order)


def _done(state, effects):
    return replace(state, done=state.done | frozenset(effects))


def describe(error: BaseException) -> str:
    """An error for people and for the store. Our messages hold no secret; of others only class and place are told."""
    told = str(error) if isinstance(error, AlipayError) else place_of(error)
    return "{}: {}".format(type(error).__name__, told)[:300]
