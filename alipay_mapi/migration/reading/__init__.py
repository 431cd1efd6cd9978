"""The way back: a checked message of another gateway → the facts that ``TradeState`` takes, in MAPI's words.

What has no equal in those words is refused by name; what the gateway has not decided is ``NotDecided``. Nothing a
browser brings back from AMS counts: see :func:`refuse_redirect`.
"""
from .codes import neutral_of, to_mapi
from .facts import openapi_trade_facts, refund_facts, refunds_in, trade_facts
from .redirect import refuse_redirect
from .statuses import Status, mapi_trade_status, payment_status

__all__ = ["trade_facts", "openapi_trade_facts", "refund_facts", "refunds_in", "refuse_redirect", "to_mapi",
           "neutral_of", "mapi_trade_status", "payment_status", "Status"]
