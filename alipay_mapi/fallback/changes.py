"""What becomes of a stored row: by an answer, by a notification, by the shop's own word. Pure; a store calls these.

Query answers and notifications end in the same ``TradeState``, and in the same decision.
"""
from dataclasses import replace
from typing import Any, NamedTuple, Optional, Tuple

from ..backend import MAPI, Fact
from ..errors import InvalidRequest, OrderMismatch, show
from ..status import REFUND_SUCCESS
from ..trade_state import NEEDS_A_PERSON, QUERY, Effect
from . import refunding
from .deciding import EXPIRED, FINAL, GAVE_UP, OPEN, Decision, decide, unreadable
from .facts import from_text
from .rows import Row
from .schedule import Schedule


class Findings(NamedTuple):
    """What came back for one claimed row; None for what was not asked. ``query``: a verified message, or the
    AlipayError in its place. ``refund``: ``refunding.ACCEPTED``, or the AlipayError. ``about``: the ``out_return_no``
    that was worked on, "" for none; by the time it is settled, another may be the current one."""

    query: Any = None
    refund: Any = None
    about: str = ""


def by_findings(stored: Row, attempts: int, found: Findings, now: float, schedule: Schedule) -> Decision:
    """The decision after ``attempts`` questions. ``stored``: the row as it is now, perhaps changed since the claim.

    What is stored and cannot be read is kept, and treated like an order whose question is never answered."""
    try:
        return _by_findings(stored, attempts, found, now, schedule)
    except Exception as err:    # of a row that was changed by hand, say; whatever it is, the others go on
        error = err
    return unreadable(stored, attempts, now, schedule, error)


def _by_findings(stored, attempts, found, now, schedule):
    state = from_text(stored.order, stored.facts)
    problem = _contradiction(stored, found.query)
    if problem:
        found = found._replace(query=OrderMismatch(problem))
        decision = _told_to_a_person(stored, state, problem)
    elif found.query is not None:
        decision = decide(state, found.query, stored.key, attempts, now, stored.deadline, schedule, stored.outcome,
                          stored.last_error)
    else:
        decision = Decision(state, stored.outcome, _still(stored, attempts, now, schedule), (), stored.last_error)
    decision = _without_query(decision, stored, now, schedule)
    return _with_refund(decision, stored, found, now, schedule) if stored.refunds else decision


def by_notification(stored: Row, note: Fact, now: float, schedule: Schedule, gateway: str = MAPI) -> Decision:
    """The decision after a verified notification of ``gateway``; it never puts off a question. Raises as
    ``TradeState.apply``."""
    before = from_text(stored.order, stored.facts)
    state, effects = before.apply(note)
    if gateway != stored.gateway:
        return _of_another_gateway(stored, before, note, gateway)
    problem = _contradiction(stored, note)
    if problem:
        return _told_to_a_person(stored, before, problem)
    decision, reached = Decision(state, stored.outcome, stored.due_at, effects, stored.last_error), state.status
    if reached in FINAL:
        decision = Decision(state, reached, None, effects)
    elif stored.outcome in FINAL and state != before:
        # Expired or given up too early: somebody has come to the cashier after all.
        decision = decision._replace(outcome=OPEN, due_at=_soonest(stored, now, schedule))
    decision = _without_query(decision, stored, now, schedule)
    if not stored.refunds:
        return decision
    refunds = refunding.told(refunding.from_text(stored.refunds), state)
    due = decision.due_at if refunding.current(refunds) is None else stored.due_at
    return decision._replace(refunds=refunding.to_text(refunds), due_at=due)


def _of_another_gateway(stored, state, note, gateway):
    """A genuine message about a number that this order has as well. It cannot settle this order, and money may have
    moved twice."""
    why = "{} says {} of this number, and the order lives on {}".format(
        gateway, show(note.get("trade_status") or note.get("refund_status") or "something", 32), stored.gateway)
    return _told_to_a_person(stored, state, why)


def _contradiction(stored, message):
    """MAPI's refunds are told in the currency of settlement, so their amounts do not compare."""
    return "" if stored.gateway == MAPI or not stored.refunds else refunding.contradicts(
        refunding.from_text(stored.refunds), message)


def _told_to_a_person(stored, state, why):
    """The decision that changes nothing else."""
    effect = Effect(NEEDS_A_PERSON, stored.out_trade_no, why)
    new = () if effect in state.done else (effect,)
    return Decision(replace(state, done=state.done | frozenset(new)), stored.outcome, stored.due_at, new,
                    stored.last_error)


def by_wish(stored: Row, refund: refunding.Refund, now: float) -> Decision:
    """The decision after the shop has asked for a refund: it is worked on at once. Raises InvalidRequest."""
    before = refunding.from_text(stored.refunds)
    state = from_text(stored.order, stored.facts)
    if any(number == refund.out_return_no and word != REFUND_SUCCESS for number, word in state.refunds):
        raise InvalidRequest("out_return_no: Alipay has said that this refund failed; give a new number",
                             parameter="out_return_no")
    after = refunding.wished(stored.order, before, refund)
    due = stored.due_at if after == before else now
    return Decision(state, stored.outcome, due, (), stored.last_error, refunding.to_text(after))


def sooner(stored: Row, now: float, schedule: Schedule) -> Decision:
    """The decision after news that prove nothing: ask as soon as the interval allows, if it is asked about at all."""
    due = stored.due_at
    if due is not None or stored.outcome in (OPEN, EXPIRED, GAVE_UP):
        due = _soonest(stored, now, schedule)
    return Decision(from_text(stored.order, stored.facts), stored.outcome, due, (), stored.last_error)


def put_off(due: float, stored: Row) -> Decision:
    """The decision about a row whose turn comes later: as it was, and due then."""
    return Decision(None, stored.outcome, due, (), stored.last_error)


def _soonest(stored, now, schedule):
    soonest = max(now, stored.asked_at + schedule.first) if stored.attempts else now
    return soonest if stored.due_at is None else min(soonest, stored.due_at)


def _still(stored, attempts, now, schedule):
    """When an order that was not asked about, but for a refund, is asked about next."""
    if stored.outcome in FINAL:
        return None
    return schedule.unheard(stored.key, attempts, now)


def _without_query(decision, stored, now, schedule):
    """The effect ``query`` is carried out here: it moves the next question up."""
    effects = tuple([effect for effect in decision.effects if effect.kind != QUERY])
    if len(effects) == len(decision.effects):
        return decision
    if decision.outcome in FINAL:
        return decision._replace(effects=effects)
    soonest = _soonest(stored, now, schedule)
    due = soonest if decision.due_at is None else min(soonest, decision.due_at)
    return decision._replace(effects=effects, due_at=due)


def _with_refund(decision: Decision, stored: Row, found: Findings, now: float, schedule: Schedule) -> Decision:
    refunds = refunding.told(refunding.from_text(stored.refunds), decision.state)
    before = refunding.current(refunds)
    if before is None:
        return decision._replace(refunds=refunding.to_text(refunds))
    after = before
    if found.about == before.out_return_no:     # else it came up meanwhile, and what was found is older than it
        after = before._replace(tries=before.tries + 1)
        if found.query is not None and before.status in refunding.LOOKS:
            after = refunding.looked(after, decision.state, found.query)
            if before.status == refunding.ASKED and after.status == refunding.READY:
                after = after._replace(since=now)       # an outage before it was ever sent does not count
        elif found.refund is not None and before.status == refunding.READY:
            after = refunding.begun(refunding.sent(after, found.refund), now)
    after = refunding.aged(after, now, schedule)
    state, effects = refunding.concluded(decision.state, before, after)
    refunds = tuple(after if refund is before else refund for refund in refunds)
    return decision._replace(state=state, effects=decision.effects + tuple(effects),
                             refunds=refunding.to_text(refunds),
                             due_at=_next(refunds, stored.key, now, schedule, decision.due_at))


def _next(refunds: Tuple[refunding.Refund, ...], key, now, schedule, otherwise: Optional[float]) -> Optional[float]:
    waiting = refunding.current(refunds)
    if waiting is None:
        return otherwise
    due = now if waiting.tries == 0 else refunding.due_of(waiting, key, now, schedule)
    return due if otherwise is None else min(due, otherwise)
