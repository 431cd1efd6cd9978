"""What the migration raises beside the classes of ``alipay_mapi.errors``, each below one of those.

::

    InvalidRequest
    ├── NotTranslatable     the call has no exact equal on the other gateway; ``refusals`` lists every reason
    └── UnknownHome         nobody knows on which gateway the order was made, and the call would change it
    UnreadableMessage
    └── NotJSON             the body is not one plain JSON object
    GatewayError
    └── NotDecided          the gateway has not decided yet, or cannot say: ask again with the same ids
"""
from ..errors import GatewayError, InvalidRequest, UnreadableMessage


class NotTranslatable(InvalidRequest):
    """The call has no exact equal there. ``refusals``: every reason; of the first also ``service``, ``back_end``,
    ``parameter``, ``reason`` and ``remedy``."""

    service = None
    back_end = None
    reason = None
    remedy = None
    refusals = ()


class UnknownHome(InvalidRequest):
    """Nobody knows on which gateway this order was made, and the call would change it."""


class NotJSON(UnreadableMessage):
    """Not one JSON object, or one that two readers could read in two ways."""


class NotDecided(GatewayError):
    """Neither yes nor no: the gateway is still at it, or cannot say. Ask again, with the same ids."""

    native_code = None
