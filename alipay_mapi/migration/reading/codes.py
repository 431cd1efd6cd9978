"""Error codes of the three gateways, one row a neutral cause (section 3.7).

Looked up by (gateway, status, code), never by the bare code: ``SYSTEM_ERROR`` is "nobody knows" on MAPI and OpenAPI,
and a final no on AMS.
"""
import re
from typing import NamedTuple, Optional, Tuple

from ...errors import show

UNKNOWN_OUTCOME = "outcome unknown"


class Row(NamedTuple):
    """``mapi``: the first one is what is emitted. OpenAPI's may hold a ``*``."""

    neutral: str
    mapi: Tuple[str, ...]
    ams: Tuple[str, ...]
    openapi: Tuple[str, ...]


def _row(neutral, mapi, ams, openapi):
    return Row(neutral, tuple(mapi.split()), tuple(ams.split()), tuple(openapi.split()))


#: In the order in which they are looked through: what is narrow before what holds a ``*``.
ROWS = (
    _row("order not found", "TRADE_NOT_EXIST PURCHASE_TRADE_NOT_EXIST TRANS_NOT_FOUND", "ORDER_NOT_EXIST",
         "ACQ.TRADE_NOT_EXIST"),
    _row("our signature refused", "ILLEGAL_SIGN ILLEGAL_SIGN_TYPE", "INVALID_SIGNATURE SIGNATURE_INVALID KEY_NOT_FOUND",
         "isv.invalid-signature isv.invalid-signature-type"),
    _row("identity", "ILLEGAL_PARTNER", "INVALID_CLIENT", "isv.invalid-app-id"),
    _row("no contract or permission", "ILLEGAL_PARTNER_EXTERFACE ILLEGAL_EXTERFACE ILLEGAL_USER",
         "ACCESS_DENIED INVALID_CONTRACT", "ACQ.ACCESS_FORBIDDEN isv.insufficient-*-permissions"),
    _row("no such call", "ILLEGAL_SERVICE", "NO_INTERFACE_DEF", "isv.invalid-method"),
    _row("bad parameter", "ILLEGAL_ARGUMENT ILLEGAL_TIMEOUT_RULE INVALID_PARAMETER", "PARAM_ILLEGAL",
         "ACQ.INVALID_PARAMETER isv.missing-* isv.invalid-*"),
    _row("currency", "ILLEGAL_CURRENCY CURRENCY_NOT_SAME", "CURRENCY_NOT_SUPPORT", ""),
    _row("refund too much", "RETURN_AMOUNT_EXCEED", "REFUND_AMOUNT_EXCEED",
         "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL ACQ.REASON_TRADE_REFUND_FEE_ERR"),
    _row("refund too late", "REFUNDMENT_VALID_DATE_EXCEED", "REFUND_WINDOW_EXCEED", "ACQ.TRADE_HAS_FINISHED"),
    _row("refund balance", "MERCHANT_BALANCE_NOT_ENOUGH", "MERCHANT_BALANCE_NOT_ENOUGH",
         "ACQ.SELLER_BALANCE_NOT_ENOUGH"),
    _row("order closed", "TRADE_HAS_CLOSE", "ORDER_IS_CLOSED ORDER_IS_CANCELED", "ACQ.TRADE_HAS_CLOSE"),
    _row("same id, other content", "CONTEXT_INCONSISTENT", "REPEAT_REQ_INCONSISTENT", "ACQ.CONTEXT_INCONSISTENT"),
    _row("secondary merchant", "", "MERCHANT_NOT_REGISTERED", ""),
    _row(UNKNOWN_OUTCOME, "SYSTEM_ERROR SYSTEM_EXCEPTION", "UNKNOWN_EXCEPTION REQUEST_TRAFFIC_EXCEED_LIMIT",
         "20000 ACQ.SYSTEM_ERROR"),
)
#: What a missing order is called in the answer to a service that is not a query by ``out_trade_no``.
_NOT_FOUND = {"forex_refund": "PURCHASE_TRADE_NOT_EXIST", "alipay.acquire.overseas.query": "TRANS_NOT_FOUND"}


def neutral_of(back_end: str, code: Optional[str], status: Optional[str] = None) -> Optional[str]:
    """The neutral cause of a gateway's code, or None when the tables have none. ``back_end``: "mapi", "ams" or
    "openapi"; ``status``: AMS's ``resultStatus``.

    >>> neutral_of("mapi", "SYSTEM_ERROR"), neutral_of("ams", "SYSTEM_ERROR", "F")
    ('outcome unknown', None)
    """
    if back_end == "ams" and status == "U":
        return UNKNOWN_OUTCOME
    for row in ROWS:
        if any(_matches(pattern, code) for pattern in getattr(row, back_end)):
            unknown = row.neutral == UNKNOWN_OUTCOME
            return None if back_end == "ams" and unknown else row.neutral
    return None


def to_mapi(back_end: str, code: Optional[str], status: Optional[str] = None, service: str = "") -> str:
    """A gateway's code → MAPI's, for code that tests those. What has no equal keeps its own name behind the gateway's,
    such as ``AMS.RISK_REJECT``, which no code of MAPI is. ``service``: the MAPI service that asks.

    >>> to_mapi("ams", "REFUND_AMOUNT_EXCEED", "F"), to_mapi("ams", "SYSTEM_ERROR", "F")
    ('RETURN_AMOUNT_EXCEED', 'AMS.SYSTEM_ERROR')
    """
    neutral = neutral_of(back_end, code, status)
    if neutral == "order not found" and service in _NOT_FOUND:
        return _NOT_FOUND[service]
    for row in ROWS:
        if row.neutral == neutral and row.mapi:
            return row.mapi[0]
    return "{}.{}".format(back_end.upper(), show(code, 48))


def _matches(pattern, code):
    if not isinstance(code, str):
        return False
    if "*" not in pattern:
        return pattern == code
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".+"), code) is not None
