"""What is answered to Alipay, and to the buyer's browser: values, which a framework's view translates."""
from typing import Any, NamedTuple, Optional, Tuple, Type

from ...errors import (AlipayError, AmountMismatch, BodyTooLarge, CurrencyMismatch, GatewayError, InvalidMessage,
                       NotConfirmed, OrderMismatch, OrderNotFound, OutcomeUnknown, PartyMismatch, StoreError,
                       TransportError, UnknownStatus, UnsupportedContentType)
from ...migration.ams.notifications import ack_for, ack_not_taken
from ...notification import REPLY_SUCCESS
from ...synchronous_return import SynchronousReturn

#: Makes Alipay send again: after 4 minutes, 10, 10, 1 hour, 2, 6 and 15. Source: "Asynchronous notification".
REPLY_FAIL = "fail"
#: The verdict of what was taken in; and of a buyer whom AMS has sent back, which adds nothing to the address.
ACCEPTED, UNSAID = "accepted", "unsaid"
#: Refused although the sign holds.
SIGNED = (AmountMismatch, CurrencyMismatch, NotConfirmed, OrderMismatch, OrderNotFound, PartyMismatch, UnknownStatus)

#: Error → status; the first that fits. Alipay looks at the body alone, people and proxies at the status.
_STATUS: Tuple[Tuple[Tuple[Type[BaseException], ...], int], ...] = (
    ((BodyTooLarge,), 413), ((UnsupportedContentType,), 415), ((InvalidMessage,), 400),
    ((StoreError, GatewayError, TransportError, OutcomeUnknown), 503))


class Answer(NamedTuple):
    """``status``, ``body``, ``content_type``: of the HTTP answer. ``verdict``: ``accepted``, or the error's class.
    ``notification``: the verified message that was taken in, or None. ``decision``: what the fallback's store made of
    it, or None. ``error``: why it was refused; ``failure``: what the shop's own code raised. ``told``: was it logged,
    that is: may a listener be bothered with it (see ``seldom``)?"""

    status: int
    body: str
    verdict: str
    shop: str = ""
    notification: Any = None
    decision: Any = None
    error: Optional[AlipayError] = None
    failure: Optional[BaseException] = None
    told: bool = True
    content_type: str = "text/plain"


class Returned(NamedTuple):
    """A buyer who is back. Never proof of payment. ``out_trade_no``: "" when the message cannot be believed, and where
    nothing was said (``verdict`` is ``unsaid``)."""

    shop: str
    out_trade_no: str
    verdict: str
    message: Optional[SynchronousReturn] = None
    error: Optional[AlipayError] = None


def accepted(shop: str, note: Any, decision: Any) -> Answer:
    return Answer(200, REPLY_SUCCESS, ACCEPTED, shop, note, decision)


def for_ams(answer: Answer) -> Answer:
    """The same answer in AMS's words: its ack is JSON."""
    problem = answer.error if answer.error is not None else answer.failure
    ack = ack_not_taken() if isinstance(problem, SIGNED) else ack_for(problem)
    return answer._replace(body=ack.body.decode("ascii"), content_type="application/json")


def refused(shop: str, error: BaseException, status: int = 0) -> Answer:
    """``error``: ours, or whatever the shop's own code raised."""
    verdict = type(error).__name__
    if not isinstance(error, AlipayError):
        return Answer(500, REPLY_FAIL, verdict, shop, failure=error)
    found = status or next((code for kinds, code in _STATUS if isinstance(error, kinds)), 500)
    return Answer(found, REPLY_FAIL, verdict, shop, error=error)
