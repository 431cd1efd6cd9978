"""A refund until it is proved: what is kept of it, and what follows from each answer; pure.

``forex_refund`` answers unsigned, so its yes proves nothing. What proves a refund is its own notification, or a signed
query in which ``to_buyer_fee`` is more than it was before the refund was sent. So the amount before is written down
first, one refund of an order is under way at a time, and whatever is repeated is repeated with the same
``out_return_no`` and the same content, which is what keeps Alipay from refunding twice.

=========  ===========================================================================================================
status     what is done next
=========  ===========================================================================================================
asked      query: is the order paid, and how much was given back before?
ready      send it
unknown    no usable answer came: query, and if nothing has moved it is ready again
accepted   query until it is seen
done       proved; the effect ``refunded``
denied     the gateway said no, unsigned: a signed query looks once before that is believed
refused    the no is believed, or the order is not paid; the effect ``needs_a_person``
gave up    not seen for a day; the effect ``needs_a_person``
=========  ===========================================================================================================

Source: forex_refund; "Refunds" of the practice pages.
"""
import json
from decimal import Decimal
from typing import Any, List, NamedTuple, Optional, Tuple

from ..amounts import parse_amount
from ..backend import refund_request
from ..errors import AlipayError, ConfigurationError, GatewayError, InvalidRequest, TransportError, show
from ..notification import REFUND, Notification
from ..order import Order
from ..response import Response
from ..services.forex_refund import forex_refund
from ..status import REFUND_SUCCESS
from ..trade_state import NEEDS_A_PERSON, PAID, REFUNDED, Effect, TradeState
from .refund_limit import too_much
from .schedule import Schedule

ASKED, READY, UNKNOWN, ACCEPTED, DENIED, DONE, REFUSED, GAVE_UP = (
    "asked", "ready", "unknown", "accepted", "denied", "done", "refused", "gave up")
OPEN = (ASKED, READY, UNKNOWN, ACCEPTED, DENIED)
#: Those in which the next thing is a signed query; in READY it is the request itself.
LOOKS = (ASKED, UNKNOWN, ACCEPTED, DENIED)
#: Sending it so often begins its day anew; a refund that is sent and never answered ends all the same.
_SENT_AGAIN = 24

#: The gateway has this ``out_return_no`` already.
_REPEATED = ("REPEATED_REFUNDMENT_REQUEST", "DUPLICATE_OUT_RETURN_NO")


class Refund(NamedTuple):
    """``amount``: as sent. ``gmt_return``: 14 digits, GMT+8; kept, so that a repetition is the same to the letter.
    ``since``: UTC seconds, when it was asked for, became ready, or was sent last. ``before``: CNY given back before it,
    "" when not known yet. ``tries``: how often it was worked on."""

    out_return_no: str
    amount: str
    gmt_return: str
    reason: str
    since: float
    status: str = ASKED
    before: str = ""
    tries: int = 0
    error: str = ""


def to_text(refunds: Tuple[Refund, ...]) -> str:
    """JSON in ASCII, for a store's column; "" for none."""
    return json.dumps([list(refund) for refund in refunds], separators=(",", ":")) if refunds else ""


def from_text(text: str) -> Tuple[Refund, ...]:
    """The inverse. Raises AlipayError for text that nobody here wrote."""
    if not text:
        return ()
    try:
        found = tuple(Refund(*values) for values in json.loads(text))
    except (ValueError, TypeError, RecursionError):
        found = ()
    if not found or not all(isinstance(refund.since, (int, float)) and isinstance(refund.tries, int)
                            for refund in found):
        raise AlipayError("the stored refunds of an order cannot be read; was the row changed by hand?")
    return found


def current(refunds: Tuple[Refund, ...]) -> Optional[Refund]:
    """The one that is worked on; the next waits for it."""
    return next((refund for refund in refunds if refund.status in OPEN), None)


def wished(order: Order, refunds: Tuple[Refund, ...], refund: Refund) -> Tuple[Refund, ...]:
    """The refunds with a new one. The same one again changes nothing while it is worked on or done; one that was
    refused or given up is tried once more, under its number. The same number for another is InvalidRequest.

    Raises InvalidRequest for what ``forex_refund`` does not take.
    """
    for at, known in enumerate(refunds):
        if known.out_return_no == refund.out_return_no:
            if (parse_amount(known.amount), known.reason) == (parse_amount(refund.amount), refund.reason):
                if known.status not in (REFUSED, GAVE_UP):
                    return refunds
                _check_limit(order, refunds, refund)
                # Looked for first: it may have been carried out after all. Sent again it is the same to the letter.
                again = known._replace(status=UNKNOWN if known.before else ASKED, since=refund.since, tries=0, error="")
                return refunds[:at] + (again,) + refunds[at + 1:]
            raise InvalidRequest("out_return_no: {} is another refund of this order already; use a new one".format(
                show(refund.out_return_no)), parameter="out_return_no")
    forex_refund(**refund_request(order, refund.out_return_no, refund.amount, refund.gmt_return, refund.reason))
    _check_limit(order, refunds, refund)
    return refunds + (refund,)


def _check_limit(order, refunds, refund):
    others = [known for known in refunds if known.out_return_no != refund.out_return_no]
    problem = too_much(order, others, refund.amount)
    if problem:
        raise InvalidRequest(problem, parameter="amount")


def looked(refund: Refund, state: TradeState, answer: Any) -> Refund:
    """The refund after a query. ``state``: with the answer's facts. ``answer``: a verified message about the payment,
    or an error. (One about this refund has ended it already: see ``told``.)"""
    if _was_never_sent(answer):
        # The gateway's own word, about this refund: it is sent again, under its number, or the no is believed.
        after = {UNKNOWN: READY, DENIED: REFUSED}.get(refund.status, refund.status)
        return refund._replace(status=after, error="" if after == READY else refund.error or _named(answer))
    about_payment = isinstance(answer, (Response, Notification))
    given_back = _given_back(answer) if about_payment else None
    if given_back is None:
        problem = "to_buyer_fee of the answer cannot be read" if about_payment else _named(answer)
        return refund if refund.status == DENIED else refund._replace(error=problem)
    if refund.status == ASKED:
        if state.status != PAID:
            return refund._replace(status=REFUSED, error="the order is {}, not paid".format(state.status or "unknown"))
        return refund._replace(status=READY, before=str(given_back), error="")
    if _moved(refund, state.order, given_back) or state.status == REFUNDED:
        return refund._replace(status=DONE, error="")
    if refund.status == DENIED:
        return refund._replace(status=REFUSED)
    return refund._replace(status=READY, error="") if refund.status == UNKNOWN else refund


def _moved(refund, order, given_back):
    """Was this refund given back? An order in CNY is refunded in the currency of the answer, so the amounts compare."""
    more = given_back - parse_amount(refund.before)
    return more >= parse_amount(refund.amount) if order.rmb_fee is not None else more > 0


def _was_never_sent(answer):
    return isinstance(answer, GatewayError) and answer.code == "REFUND_NOT_EXIST"


def sent(refund: Refund, answer: Any) -> Refund:
    """The refund after it was sent. ``answer``: ACCEPTED, or the error that came in its place."""
    if answer == ACCEPTED or isinstance(answer, GatewayError) and answer.code in _REPEATED:
        return refund._replace(status=ACCEPTED, error="")
    if isinstance(answer, TransportError):      # not sent: nothing was changed
        return refund._replace(error=_named(answer))
    if isinstance(answer, GatewayError):
        # Ours is the same at every repetition, so a number that is known with other content is somebody else's.
        taken = getattr(answer, "signed", False) is True and answer.code == "CONTEXT_INCONSISTENT"
        return refund._replace(status=REFUSED if taken else DENIED, error=_named(answer))
    if isinstance(answer, (InvalidRequest, ConfigurationError)):    # not sent either
        return refund._replace(status=REFUSED, error=_named(answer))
    return refund._replace(status=UNKNOWN, error=_named(answer))    # OutcomeUnknown, or a bug on the way


def begun(refund: Refund, now: float) -> Refund:
    """The refund with the time in which it is to be seen, counted from when it was sent: however long nobody worked on
    it before."""
    if refund.status in (UNKNOWN, ACCEPTED, DENIED) and refund.tries <= _SENT_AGAIN:
        return refund._replace(since=now)
    return refund


def told(refunds: Tuple[Refund, ...], state: TradeState) -> Tuple[Refund, ...]:
    """The refunds after a notification: ``state`` knows how some of them ended, and has said so in effects."""
    ended = {number for number, _ in state.refunds}
    return tuple(refund if refund.status not in OPEN or refund.out_return_no not in ended else refund._replace(
        status=DONE if (refund.out_return_no, REFUND_SUCCESS) in state.refunds else REFUSED, error="")
        for refund in refunds)


def contradicts(refunds: Tuple[Refund, ...], message: Any) -> str:
    """What is wrong with a message about a refund, in the currency of the order's price, beside what was asked for
    under its number; "" for nothing."""
    if not isinstance(message, Notification) or message.kind != REFUND:
        return ""
    known = next((refund for refund in refunds if refund.out_return_no == message["out_return_no"]), None)
    if known is None or message["refund_status"] != REFUND_SUCCESS:
        return ""
    if known.status == ASKED:
        return "refund {} was never sent, and is told to be done".format(show(known.out_return_no))
    if parse_amount(message.get("return_amount", "")) != parse_amount(known.amount):
        return "refund {} is told with another amount than was asked for".format(show(known.out_return_no))
    return ""


def concluded(state: TradeState, before: Refund, after: Refund) -> Tuple[TradeState, List[Effect]]:
    """The state and the effects once a refund is over; a notification that says the same later has none."""
    if before.status not in OPEN or after.status in OPEN:
        return state, []
    if after.status == DONE:
        state, effects = state.refund_proved(after.out_return_no)
        return state, list(effects)
    why = "refund {}: {}".format(show(after.out_return_no), after.error or after.status)
    return state, [Effect(NEEDS_A_PERSON, state.order.out_trade_no, why)]


def aged(refund: Refund, now: float, schedule: Schedule) -> Refund:
    """One that nobody has seen for too long is a person's."""
    if refund.status in OPEN and now >= refund.since + schedule.margin + schedule.gives_up:
        return refund._replace(status=GAVE_UP, error="gave up, still {}; {}".format(
            refund.status, refund.error or "the query does not show it"))
    return refund


def due_of(refund: Refund, key: str, now: float, schedule: Schedule) -> float:
    """When to work on it next: at once when nothing has to be waited for."""
    if refund.status == READY and not refund.error:
        return now
    return schedule.unheard(key, max(refund.tries, 1), now)


def _given_back(answer) -> Optional[Decimal]:
    try:
        return answer.to_buyer_fee or Decimal(0)
    except AlipayError:
        return None


def _named(error):
    code = getattr(error, "code", None)
    return type(error).__name__ + (" " + show(code) if code else "")
