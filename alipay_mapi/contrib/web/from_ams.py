"""AMS's notifications, beside MAPI's at the same address: told apart by shape, verified by that account alone (see
``migration.receiving``).
"""
from typing import Any, Callable, Mapping, Optional, Tuple

from ... import form_body
from ...backend import Backend
from ...errors import ConfigurationError, InvalidMessage, OrderNotFound, UnsupportedContentType, show
from ...migration import json_text, receiving
from ...migration.ams import AmsNotification, notifications
from ...migration.arrival import gateway_of

#: () → (path and query of the request as it was called, its headers)
Called = Callable[[], Tuple[str, Mapping[str, str]]]

#: Bytes of a refused message that are looked into; a genuine one has fewer.
_LONGEST = 16 * 1024


def is_json(content_type: Optional[str]) -> bool:
    """AMS's messages are; those of the others are forms."""
    return content_type is not None and content_type.partition(";")[0].strip(" \t").lower() == "application/json"


def verified(backend: Optional[Backend], called: Called, body: bytes, prefix: str = "") -> AmsNotification:
    """The message. ``prefix``: what a proxy takes off our public path. Raises as ``gateway_of`` and
    ``verify_notification``, and UnsupportedContentType where the shop has no account there."""
    account: Any = backend
    if not hasattr(account, "notification"):
        raise UnsupportedContentType("JSON, as AMS sends it, and this merchant has no account at AMS")
    form_body.check_size(body)
    target, headers = called()
    gateway_of(headers, body)   # JSON without a signature is nobody's
    return receiving.verified(account, prefix + target, headers, body)


def claimed(body: bytes) -> Mapping[str, str]:
    """The ids that a refused message of AMS's shape claims to be about, in MAPI's names; nothing of it is believed."""
    try:
        content = json_text.parse(body) if len(body) <= _LONGEST else {}
    except InvalidMessage:
        return {}
    said = {"out_trade_no": content.get("paymentRequestId"), "trade_no": content.get("paymentId")}
    return {name: value for name, value in said.items() if isinstance(value, str)}


def must_be_known(message: AmsNotification, takes_others: bool) -> None:
    """Raises for a message that is about no order and that nobody takes."""
    if message.kind == notifications.REFUND and not takes_others:
        raise OrderNotFound("no order here has a refund of this number", out_return_no=show(
            message.text("refundRequestId") or ""))
    if not takes_others:
        raise ConfigurationError("NOTIFIED: a notification of AMS of the kind {} came, and no function takes it".format(
            message.kind))
