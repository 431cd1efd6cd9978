"""Payment and refund states of the three gateways, one row a neutral state (sections 3.5 and 3.6).

Shops on cross-border online services test ``TRADE_FINISHED``, those in stores and at home ``TRADE_SUCCESS``; there
``TRADE_FINISHED`` means that nothing can be refunded any more. So the paid word is chosen by the MAPI service that the
order belongs to, never taken over from another gateway.
"""
from typing import NamedTuple, Optional

from ... import status
from ...errors import UnknownStatus, show

PENDING, PAID, FINISHED, CLOSED, CANCELLED, REFUNDED, PARTLY_REFUNDED = (
    "pending", "paid", "finished", "closed", "cancelled", "refunded", "partly_refunded")

#: Services whose paid word is TRADE_FINISHED, while the trade may still be refunded.
ONLINE = ("create_forex_trade", "create_forex_trade_wap", "mobile.securitypay.pay")

_AMS = {"PROCESSING": PENDING, "PENDING": PENDING, "SUCCESS": PAID, "FAIL": CLOSED, "CANCELLED": CLOSED}
_OPENAPI = {"WAIT_BUYER_PAY": PENDING, "TRADE_SUCCESS": PAID, "TRADE_FINISHED": FINISHED, "TRADE_CLOSED": CLOSED}
# The last two stand in the list of an inquiry alone (the vendor's TransactionStatusType).
_REFUND_AMS = {"SUCCESS": status.REFUND_SUCCESS, "FAIL": status.REFUND_FAIL, "PROCESSING": None,
               "CANCELLED": status.REFUND_FAIL, "PENDING": None}
#: ``resultStatus`` of a refund in that list, where it has no ``transactionStatus``.
OF_RESULT = {"S": "SUCCESS", "F": "FAIL", "U": "PROCESSING"}


class Status(NamedTuple):
    """``neutral``: this library's word; ``trade_status``: MAPI's; ``native``: what the gateway said."""

    neutral: str
    trade_status: str
    native: str


def mapi_trade_status(neutral: str, service: str, domestic: bool = False) -> str:
    """A neutral state → MAPI's ``trade_status`` for an order of ``service``. ``domestic``: priced in yuan, without
    ``currency``; then ``mobile.securitypay.pay`` is a mainland service.

    >>> mapi_trade_status("paid", "create_forex_trade"), mapi_trade_status("paid", "alipay.acquire.precreate")
    ('TRADE_FINISHED', 'TRADE_SUCCESS')
    """
    if neutral in (PAID, PARTLY_REFUNDED):
        online = service in ONLINE and not (domestic and service == "mobile.securitypay.pay")
        return status.TRADE_FINISHED if online else status.TRADE_SUCCESS
    if neutral == FINISHED:
        return status.TRADE_FINISHED
    if neutral == PENDING:
        return status.WAIT_BUYER_PAY
    if neutral in (CLOSED, CANCELLED, REFUNDED):
        return status.TRADE_CLOSED
    raise UnknownStatus("{!r} is no state that this library knows".format(show(neutral)))


def payment_status(back_end: str, native: Optional[str], service: str, paid: bool = False, refunded: str = "",
                   domestic: bool = False) -> Status:
    """A gateway's word → :class:`Status`. ``back_end``: "ams" or "openapi". ``paid``: the message also says that money
    had moved (a time of payment). ``refunded``: "", "partly" or "wholly", from AMS's transactions.

    Raises UnknownStatus for a word that is not in the tables.
    """
    table = {"ams": _AMS, "openapi": _OPENAPI}[back_end]
    if native not in table:
        raise UnknownStatus("{}: {!r} is no payment status of {} that this library decides; show it to a person".format(
            "paymentStatus" if back_end == "ams" else "trade_status", show(native), back_end))
    neutral = table[native]
    if neutral == CLOSED and paid:
        neutral = CANCELLED
    if neutral == PAID and refunded:
        neutral = REFUNDED if refunded == "wholly" else PARTLY_REFUNDED
    return Status(neutral, mapi_trade_status(neutral, service, domestic), str(native))


def refund_status(native: Optional[str]) -> Optional[str]:
    """AMS's ``refundStatus`` → MAPI's, or None while it is in process. Raises UnknownStatus."""
    if not (native is None or isinstance(native, str)) or native not in _REFUND_AMS:
        raise UnknownStatus("refundStatus: {!r} is not one this library decides; show it to a person".format(
            show(native)))
    return _REFUND_AMS[native]
