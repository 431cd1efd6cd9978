"""What follows from one answer, or from none: pure, the same for every store.

=====================  ==============================================================================================
what came              what follows
=====================  ==============================================================================================
signed answer          its facts are applied (``TradeState``): paid, closed, waiting, mismatch
TRADE_NOT_EXIST        nobody has logged in yet: wait; twice in a row after the order's deadline and margin: *expired*,
                       never paid. Twice, since errors are unsigned, and one that is wrong would release a paid order.
                       It is asked about a few times more, days later, as the buyer's time begins with his login
another error code     unknown: ask again, settle nothing
signed, yet for        another account or order than we asked about: a person is told, and it is asked about again
somebody else
no usable answer       unknown: time-out, unsigned, unverifiable, SYSTEM_ERROR; ask again, settle nothing. After a day
                       without one (a week without a connection), and after the deadline, a person is told: gave up
=====================  ==============================================================================================

Source: "Query fallback, timeouts, refunds"; single_trade_query.
"""
import re
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Optional, Tuple

from ..backend import NO_TRADE
from ..client import place_of
from ..errors import AlipayError, GatewayError, OrderMismatch, PartyMismatch, TransportError
from ..notification import Notification
from ..response import Response
from ..times import GMT8, format_time, parse_time
from ..trade_state import CLOSED, NEEDS_A_PERSON, PAID, REFUNDED, Effect, TradeState
from .schedule import Schedule

#: What is known of a watched order. Final: it is not asked about any more.
OPEN, EXPIRED, GAVE_UP = "open", "expired", "gave_up"
FINAL = (PAID, CLOSED, REFUNDED, NEEDS_A_PERSON, EXPIRED, GAVE_UP)

#: What is kept as the last error after the first such answer after the deadline.
NOT_THERE = "TRADE_NOT_EXIST: once more, to be sure"

#: How many times longer than usual an outage is borne: an unreachable gateway says nothing of the order.
_OUTAGE = 7
_WAITS = "the trade still waits after its deadline"
_SINCE = re.compile(r" \(in vain since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\)$", re.ASCII)


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
    """``answer``: a verified message, or the AlipayError that came in its place. ``attempts``: this one included.
    ``now``, ``deadline``: seconds, by the store's clock. ``outcome``: the stored one; what was settled while the
    question was under way is not opened again by an error. ``last_error``: the stored one."""
    if isinstance(answer, (Response, Notification)):
        return _applied(state, answer, key, attempts, now, deadline, schedule, last_error)
    if outcome == EXPIRED and state.status not in FINAL:
        return Decision(state, EXPIRED, schedule.late(key, now, deadline))
    if state.status in FINAL or outcome in FINAL:
        kept = describe(answer) if outcome == GAVE_UP else ""
        return Decision(state, state.status if state.status in FINAL else outcome, None, (), kept)
    code = getattr(answer, "code", None) if isinstance(answer, GatewayError) else None
    if code in NO_TRADE and not _any_news(state):
        due = schedule.after(key, attempts, now, deadline)
        if due is not None:
            return Decision(state, OPEN, due)
        if last_error != NOT_THERE:
            return Decision(state, OPEN, schedule.unheard(key, 1, now), (), NOT_THERE)
        effect = Effect(CLOSED, state.order.out_trade_no, "")
        new = () if effect in state.done else (effect,)
        return Decision(_done(state, new), EXPIRED, schedule.late(key, now, deadline), new)
    error = describe(answer)
    due, told = _in_vain(error, key, attempts, now, deadline, schedule, last_error,
                         _OUTAGE if isinstance(answer, TransportError) else 1)
    state, effects = _alarm(state, answer)
    if due is not None:
        return Decision(state, OPEN, due, effects, told)
    effect = Effect(NEEDS_A_PERSON, state.order.out_trade_no, "gave up: " + error)
    return Decision(_done(state, (effect,)), GAVE_UP, None, effects + (effect,), error)


def _alarm(state, answer):
    """The state and the effect of a signed answer that is not about our order, or not for us."""
    effect = Effect(NEEDS_A_PERSON, state.order.out_trade_no, type(answer).__name__)
    if not isinstance(answer, (OrderMismatch, PartyMismatch)) or effect in state.done:
        return state, ()
    return _done(state, (effect,)), (effect,)


def _applied(state, answer, key, attempts, now, deadline, schedule, last_error):
    try:
        state, effects = state.apply(answer)
    except AlipayError as err:
        return decide(state, err, key, attempts, now, deadline, schedule, OPEN, last_error)
    return settled(state, effects, key, attempts, now, deadline, schedule, last_error)


def settled(state: TradeState, effects: Tuple[Effect, ...], key: str, attempts: int, now: float, deadline: float,
            schedule: Schedule, last_error: str = "") -> Decision:
    """The decision for a state that facts were applied to, by whatever message."""
    if state.status in FINAL:
        return Decision(state, state.status, None, effects)
    due = schedule.after(key, attempts, now, deadline)
    if due is not None:
        return Decision(state, OPEN, due, effects)
    due, told = _in_vain(_WAITS, key, attempts, now, deadline, schedule, last_error)
    if due is not None:
        return Decision(state, OPEN, due, effects, told)
    effect = Effect(NEEDS_A_PERSON, state.order.out_trade_no, "gave up: " + _WAITS)
    return Decision(_done(state, (effect,)), GAVE_UP, None, effects + (effect,), effect.detail)


def _in_vain(error, key, attempts, now, deadline, schedule, last_error, patience=1):
    """(when to ask again after a question that settled nothing, the error to keep): (None, …) gives up."""
    if now < deadline + schedule.margin:
        return schedule.retry(key, attempts, now, deadline), error
    since = _unanswered_since(last_error, now)
    return schedule.retry(key, attempts, now, deadline, since, patience), _with_since(error, since)


def _unanswered_since(last_error: str, now: float) -> float:
    """When the first of the questions was asked, after the deadline, that settled nothing; it stands in the stored
    error."""
    found = _SINCE.search(last_error)
    try:
        return now if found is None else min(now, parse_time(found.group(1)).timestamp())
    except AlipayError:     # changed by hand
        return now


def _with_since(error: str, since: float) -> str:
    """The error for people, with the moment, in Beijing time."""
    return "{} (in vain since {})".format(error, format_time(datetime.fromtimestamp(since, GMT8), "since"))


def unreadable(stored, attempts: int, now: float, schedule: Schedule, problem: BaseException) -> Decision:
    """The decision about a row whose text cannot be read: asked about again, as it may be repaired; then given up."""
    error = describe(problem)
    due, told = _in_vain(error, stored.key, attempts, now, stored.deadline, schedule, stored.last_error)
    if due is not None:
        return Decision(None, stored.outcome, due, (), told)
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
