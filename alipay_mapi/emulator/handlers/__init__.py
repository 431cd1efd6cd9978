"""One handler per service page: a signed request's parameters → an answer, an order, or Refused."""
from typing import Dict, Tuple

from ..gateway import Handler
from .close_trade import close_trade
from .create_forex_trade import create_forex_trade
from .forex_refund import forex_refund
from .notify_verify import notify_verify
from .query_timestamp import query_timestamp
from .single_trade_query import single_trade_query

#: Service name → (handler, what answers: "page", "xml", "text" or "sdk").
HANDLERS: Dict[str, Tuple[Handler, str]] = {
    "create_forex_trade": (create_forex_trade, "page"),
    "create_forex_trade_wap": (create_forex_trade, "page"),
    "forex_refund": (forex_refund, "xml"),
    "single_trade_query": (single_trade_query, "xml"),
    "notify_verify": (notify_verify, "text"),
    "close_trade": (close_trade, "xml"),
    "query_timestamp": (query_timestamp, "xml"),
}
