"""One entry point for the notifications of any gateway: whose it is by its shape, verified with that gateway's keys
alone, and handed out as the fact that ``TradeState`` takes.

The views of Django and Flask do this by themselves. A shop without them calls ``receive`` with the raw request, stores
what it says, and answers ``Received.ack``; for an error, ``refusal(headers)``.
"""
from typing import Any, Callable, Mapping, NamedTuple, Optional

from .. import form_body
from ..backend import AMS, MAPI, Backend
from ..errors import InvalidMessage, InvalidRequest, PartyMismatch, UnsupportedContentType, UntrustedMessage
from ..notification import REPLY_SUCCESS, verify_notify
from ..order import Order
from .ams import AmsNotification, notifications
from .ams.headers import Headers, lower
from .ams.notifications import Ack, ack_not_taken, ack_taken
from .arrival import gateway_of
from .backends.ams import SERVICE
from .reading.facts import refund_facts, trade_facts

OrderOf = Callable[[str], Optional[Order]]
#: About a payment, with an order to compare it with.
_PAYMENTS = (notifications.PAYMENT, notifications.PAYMENT_PENDING)


class Received(NamedTuple):
    """``gateway``: whose it is. ``message``: a verified Notification or Response, for ``TradeState.apply`` and
    ``Fallback.notified(…, gateway=…)``; an ``AmsNotification`` as it came where it is about neither a payment nor a
    refund whose order is known. ``ack``: what to answer once the state is durable."""

    gateway: str
    message: Any
    ack: Ack


def receive(backends: Mapping[str, Backend], headers: Headers, body: bytes, target: str, order: OrderOf, *,
            order_of_refund: OrderOf = lambda out_return_no: None,
            confirm: Optional[Callable[[str], bool]] = None) -> Received:
    """Check a notification of any gateway that the shop has, or raise.

    ``backends``: by name, as of ``Router``. ``headers``: of the request, in any letter case; ``body``: its raw bytes;
    ``target``: path and query of your public address, which AMS signs. ``order``: from an order's number to the shop's
    order; ``order_of_refund``: the same from a refund's number, as AMS's refund notifications name no order.
    ``confirm``: for MAPI, as of ``verify_notify``.

    Raises UnsupportedContentType for a gateway that the shop has no account at, InvalidMessage and its kinds, and
    whatever ``order`` raises: then answer ``refusal(headers)``, and it comes again.
    """
    if not isinstance(body, (bytes, bytearray)):
        raise InvalidRequest("body: the raw bytes of the POST, not {}: what a framework has decoded can no longer be "
                             "verified".format(type(body).__name__), parameter="body")
    form_body.check_size(body)
    gateway = gateway_of(headers, body)
    backend: Any = backends.get(gateway)
    if backend is None or gateway not in (MAPI, AMS):
        raise UnsupportedContentType("a notification of {}, and this shop has no account there".format(gateway))
    if gateway == AMS:
        return Received(AMS, fact_of(verified(backend, target, headers, body), order, order_of_refund), ack_taken())
    content_type = lower(headers).get("content-type")
    backend = getattr(backend, "primary", backend)      # of a ShadowBackend
    return Received(MAPI, verify_notify(backend.client.shop, body, content_type, order, confirm), _plain(REPLY_SUCCESS))


def refusal(headers: Headers) -> Ack:
    """What to answer for a message that was not taken: the gateway sends it again."""
    kind = ""
    try:
        kind = lower(headers).get("content-type", "")
    except (InvalidMessage, InvalidRequest):    # a header twice, or no text
        pass
    return ack_not_taken() if kind.lower().startswith("application/json") else _plain("fail")


def verified(backend: Any, target: str, headers: Headers, body: bytes) -> AmsNotification:
    """A message of AMS. Raises as ``verify_notification``."""
    try:
        return backend.notification(target, headers, body)
    except PartyMismatch as err:
        problem = str(err)
    # Said before its signature was looked at: anybody may have written it.
    raise UntrustedMessage(problem)


def fact_of(message: AmsNotification, order_of: OrderOf, order_of_refund: OrderOf, strict: bool = True) -> Any:
    """What is taken in: the fact about a payment or a refund; the message itself where it is about neither, or about a
    refund of which the shop alone knows the order. ``strict``: False where ``TradeState`` compares the amount. Raises
    OrderNotFound, and as ``trade_facts``."""
    if message.kind in _PAYMENTS:
        return trade_facts(message, order_of, SERVICE, strict)
    if message.kind == notifications.REFUND:
        order = order_of_refund(message.text("refundRequestId") or "")
        return message if order is None else refund_facts(message, order)
    return message


def _plain(body: str) -> Ack:
    return Ack(200, {"Content-Type": "text/plain"}, body.encode("ascii"))
