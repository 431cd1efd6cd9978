"""A checked message of AMS, or the verified fields of OpenAPI's → a Notification or a Response in MAPI's words.

Those two are what ``TradeState`` takes, so that the fallback, Django and Flask serve every gateway unchanged. An order
priced in CNY with ``rmb_fee`` becomes a Response, whose amounts are CNY; any other a Notification,
whose amount is in the
order's currency. Order, amount and currency are compared here, as ``verify_notify`` does.
"""
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

from ... import messages, status
from ...checks import OrderSource, check_amount, find_order
from ...errors import (AmountMismatch, CurrencyMismatch, GatewayError, InvalidRequest, MissingParameter, UnknownStatus,
                       UntrustedMessage, show)
from ...notification import REFUND, TRADE, Notification
from ...order import Order
from ...response import Response
from ...trade_state import FAILED
from ..ams import notifications, results
from ..ams.amounts import from_ams
from ..ams.answers import AmsAnswer
from ..ams.notifications import AmsNotification
from ..errors import NotDecided
from . import statuses, transactions
from .codes import to_mapi
from .moments import gmt8_text

_CHECKED = (messages.SIGN, messages.PARTY)


class Refund(NamedTuple):
    """A refund in the list of an inquiry. ``refund_status``: MAPI's word, None while in process."""

    out_return_no: str
    refund_status: Optional[str]
    amount: Decimal


def trade_facts(message: Union[AmsNotification, AmsAnswer], order: OrderSource, service: str,
                strict: bool = True) -> Union[Notification, Response]:
    """What AMS says about a payment. ``message``: a notification, or the signed answer to ``inquiryPayment``.
    ``order``: the shop's, or a function from its number to it. ``service``: the MAPI service the order belongs to.
    ``strict``: False hands out another amount than the order's as well, without ``amount`` among ``passed``, for
    TradeState, which calls a person.

    Raises NotDecided (nobody knows yet), GatewayError with MAPI's ``code`` (``TRADE_NOT_EXIST`` …), UntrustedMessage
    and its kinds (unsigned, another order, amount or currency), MissingParameter, MalformedParameter, UnknownStatus.
    """
    if isinstance(message, AmsNotification):
        if message.kind not in (notifications.PAYMENT, notifications.PAYMENT_PENDING):
            raise InvalidRequest("message: a notification about a payment, not one of the kind {}".format(message.kind),
                                 parameter="message")
        native = _notified_status(message)
    elif isinstance(message, AmsAnswer):
        native = _answered_status(message, service)
    else:
        raise InvalidRequest("message: a verified AmsNotification or AmsAnswer", parameter="message")
    paid = from_ams(message.get("paymentAmount"))
    if native == "SUCCESS" and _reserved_only(message, Decimal(paid["amount"])):
        native = "PENDING"
    fields = {
        "out_trade_no": _needed(message, "paymentRequestId"), "trade_no": _needed(message, "paymentId"),
        "total_fee": paid["amount"], "currency": paid["currency"],
        "gmt_create": gmt8_text(message.text("paymentCreateTime"), "paymentCreateTime"),
        "gmt_payment": gmt8_text(message.text("paymentTime"), "paymentTime"),
        "buyer_id": message.text("pspCustomerInfo", "pspCustomerId"),
        "notify_time": gmt8_text(message.time, "Request-Time"),
    }
    back = transactions.succeeded(message, "REFUND")
    if back:
        fields["to_buyer_fee"] = str(back)
    refunded = "" if not back else "wholly" if back >= Decimal(paid["amount"]) else "partly"
    if isinstance(message, AmsNotification):
        fields["notify_id"] = message.key
    return _message(fields, "ams", native, refunded, order, service, strict)


def openapi_trade_facts(fields: Mapping, order: OrderSource, service: str) -> Union[Notification, Response]:
    """The same for OpenAPI. ``fields``: of a notification, or the node of ``alipay.trade.query``, verified by the
    caller, for our ``app_id``: amounts are yuan, times GMT+8."""
    said = {
        "out_trade_no": fields.get("out_trade_no"), "trade_no": fields.get("trade_no"),
        "total_fee": fields.get("total_amount"), "currency": "CNY", "gmt_create": fields.get("gmt_create"),
        "gmt_payment": fields.get("gmt_payment") or fields.get("send_pay_date"),
        "buyer_id": fields.get("buyer_id") or fields.get("buyer_user_id") or fields.get("buyer_open_id"),
        "notify_time": fields.get("notify_time"), "notify_id": fields.get("notify_id"),
        "to_buyer_fee": fields.get("refund_fee"), "gmt_refund": fields.get("gmt_refund"),
    }
    for name in ("out_trade_no", "trade_no", "total_fee"):
        if not isinstance(said[name], str) or not said[name]:
            raise MissingParameter("{}: absent".format(name), parameter=name)
    return _message(said, "openapi", fields.get("trade_status"), "", order, service)


def refund_facts(message: Union[AmsNotification, AmsAnswer], order: Order) -> Notification:
    """What AMS says about a refund: its notification, or the signed answer to ``inquiryRefund``. ``order``: the one it
    belongs to; AMS does not name it, so look it up by ``refundRequestId``, which is MAPI's ``out_return_no``.

    Raises NotDecided while it is in process, and as :func:`trade_facts`.
    """
    if isinstance(message, AmsAnswer):
        found = results.classify("inquiryRefund", message)
        if found.state not in ("refunded", "refund_failed"):
            raise _no_fact(found, message, "alipay.acquire.refund.query")
    elif not isinstance(message, AmsNotification) or message.kind != notifications.REFUND:
        raise InvalidRequest("message: a verified refund notification, or the answer to inquiryRefund",
                             parameter="message")
    if not isinstance(order, Order):
        raise InvalidRequest("order: the mapi.Order of the refund", parameter="order")
    word = statuses.refund_status(message.text("refundStatus"))
    if word is None:
        raise NotDecided("the refund is in process; ask inquiryRefund again", code="PROCESSING")
    amount = from_ams(message.get("refundAmount"), "refundAmount")
    priced_in = "CNY" if order.rmb_fee is not None else order.currency or "CNY"
    if amount["currency"] != priced_in:
        raise CurrencyMismatch("refundAmount: in {}, and the order is priced in {}".format(
            amount["currency"], priced_in), parameter="refundAmount")
    number, refund_id = _needed(message, "refundRequestId"), message.text("refundId") or ""
    fields = _present({
        "notify_type": "trade_status_sync", "notify_time": gmt8_text(message.time, "Request-Time"),
        "out_trade_no": order.out_trade_no,
        "out_return_no": number, "refund_status": word, "return_amount": amount["amount"],
        "currency": amount["currency"], "gmt_refund": gmt8_text(message.text("refundTime"), "refundTime")})
    if word == status.REFUND_FAIL:
        fields["error_code"] = to_mapi("ams", message.result_code, message.result_status, "forex_refund")
    asked = isinstance(message, AmsAnswer)
    fields["notify_id"] = _key("REFUND_INQUIRY" if asked else "REFUND_RESULT", refund_id or number, word,
                               _digest(fields) if asked else "")
    return Notification(fields, REFUND, _CHECKED + (messages.ORDER,),
                        {messages.AMOUNT: "a refund notification is about a part of the amount"})


def refunds_in(message: Mapping) -> Tuple[Refund, ...]:
    """The refunds that an inquiry lists in ``transactions``. Raises MalformedParameter, UnknownStatus."""
    return tuple(Refund(number, statuses.refund_status(word), amount)
                 for number, word, amount in transactions.listed(message, "REFUND"))


def _notified_status(message):
    if message.kind == notifications.PAYMENT_PENDING:
        return "PENDING"        # its result is S, and the payment is not final
    native = statuses.OF_RESULT.get(message.result_status or "")
    if native is None:
        raise UnknownStatus("resultStatus: {!r} is not one this library decides; show it to a person".format(
            show(message.result_status)))
    return native


def _reserved_only(message, price):
    """Is the money of a card reserved, and not all of it taken (yet)? Its success says so in the same word. An inquiry
    tells: it names the end of the authorization, and each capture."""
    if "authExpiryTime" not in message and not (isinstance(message, AmsNotification)
                                                and "paymentResultInfo" in message):
        return False
    return price > transactions.succeeded(message, "CAPTURE")


def _answered_status(message, service):
    found = results.classify("inquiryPayment", message)
    if found.verdict == "unknown" and found.state != "pending":
        raise _no_fact(found, message, service)
    return message.text("paymentStatus")


def _no_fact(found, message, service):
    """The error for an inquiry that says nothing about what was asked."""
    if not message.signed:
        return UntrustedMessage("the answer is not signed ({}); it says nothing about the order".format(
            show(message.result_code)), native_code=show(message.result_code))
    native = show(message.result_code or "")
    code = to_mapi("ams", message.result_code, message.result_status, service)
    if found.state == "not_found":
        return GatewayError("there is no such order (yet)", code=code, native_code=native, service=service)
    if message.result_status == "F" and found.next == "fix":
        return GatewayError("AMS refused the question: {}".format(native), code=code, native_code=native,
                            service=service)
    if found.state == "refund_pending":
        return NotDecided("the refund is in process; ask again", code="PROCESSING", native_code=native,
                          service=service)
    return NotDecided("AMS cannot say: {}; ask again".format(native), code="SYSTEM_ERROR", native_code=native,
                      service=service)


def _message(said: Dict[str, Any], back_end, native, refunded, source, service, strict=True):
    """MAPI's fields, compared with the order, as the message that TradeState takes for it."""
    order = find_order(said, source)
    domestic = order.rmb_fee is None and order.currency in (None, "CNY")
    fields = _present(said)
    told = statuses.payment_status(back_end, native, service, "gmt_payment" in fields, refunded, domestic)
    fields["trade_status"] = told.trade_status
    if told.native == FAILED:
        fields["native_status"] = told.native
    if told.neutral == statuses.CANCELLED and "to_buyer_fee" not in fields:
        fields["to_buyer_fee"] = fields["total_fee"]    # a paid one that was cancelled went back whole
    if order.rmb_fee is not None:
        if fields.pop("currency") != "CNY":
            if strict:
                raise CurrencyMismatch("paymentAmount: the order is priced in CNY, and the message is not",
                                       parameter="paymentAmount")
            del fields["total_fee"]     # an amount of something else: for TradeState there is none, which is a mismatch
        passed, unchecked = _compared(fields, order, strict, in_cny=True)
        return Response(fields, passed, unchecked, True, None, service, "trade")
    if domestic and order.currency is None and fields["currency"] == "CNY":
        del fields["currency"]
    passed, unchecked = _compared(fields, order, strict)
    fields["notify_type"] = "trade_status_sync"
    if "notify_id" not in fields:
        # An answer is no repetition of a notification, nor of an answer that said less; its content names it.
        fields["notify_id"] = _key("INQUIRY", fields["trade_no"], told.native, _digest(fields))
    return Notification(fields, TRADE, passed, unchecked)


def _compared(fields, order, strict, in_cny=False):
    """(what was passed, what was not checked)."""
    try:
        check_amount(fields, order, in_cny)
        return _CHECKED + (messages.ORDER, messages.AMOUNT), {}
    except (AmountMismatch, CurrencyMismatch) as err:
        if strict:
            raise
        return _CHECKED + (messages.ORDER,), {messages.AMOUNT: str(err)}


def _digest(fields):
    said = "\0".join(name + "\0" + fields[name] for name in sorted(fields) if name != "notify_time")
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _key(*parts):
    """In the place of ``notify_id``: the same for the same news."""
    return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in parts if part)


def _present(fields):
    return {name: value for name, value in fields.items() if value is not None}


def _needed(message, name):
    value = message.text(name)
    if not value:
        raise MissingParameter("{}: absent, and without it nobody knows what this is about".format(name),
                               parameter=name)
    return value
