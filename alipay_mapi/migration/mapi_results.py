"""The same for MAPI: what an answer or a refund's notification says, in the words of ``outcome``.

Source: single_trade_query, forex_refund and its notification; the gateway's error codes (``error_codes``).
"""
from collections.abc import Mapping

from .. import error_codes
from .outcome import NO, UNKNOWN, Outcome, outcome

_QUERIES = ("single_trade_query", "alipay.acquire.query", "alipay.acquire.overseas.query")
_REFUNDS = ("forex_refund", "alipay.acquire.refund", "alipay.acquire.overseas.spot.refund")
_TRADE_STATUS = {"WAIT_BUYER_PAY": ("pending", "wait"), "TRADE_SUCCESS": ("paid", "done"),
                 "TRADE_FINISHED": ("paid", "done"), "TRADE_CLOSED": ("closed", "new")}
_REFUND_WORDS = {"REFUND_SUCCESS": ("refunded", "done"), "SUCCESS": ("refunded", "done"),
                 "PROCESSING": ("refund_pending", "wait"), "REFUND_FAIL": ("refund_failed", "stop"),
                 "FAILED": ("refund_failed", "stop"), "CANCELED": ("refund_failed", "stop")}
_NOT_FOUND = ("TRADE_NOT_EXIST", "TRADE_IS_NOT_EXIST", "PURCHASE_TRADE_NOT_EXIST", "TRANS_NOT_FOUND")
_REPEATED = ("REPEATED_REFUNDMENT_REQUEST", "REPEATED_REFUND_MENT_REQUEST_TO_ONE_TRADE")


def classify(operation: str, answer: Mapping) -> Outcome:
    """``operation``: the service, or "forex_refund notify"; ``answer``: its fields, with ``is_success`` and ``error``.

    Never raises: whatever cannot be read is unknown.

    >>> classify("single_trade_query", {"is_success": "F", "error": "TRADE_NOT_EXIST"}).state
    'not_found'
    """
    error = answer.get("error")
    if operation == "forex_refund notify" or operation == "alipay.acquire.refund.query" and not error:
        word = str(answer.get("refund_status") or answer.get("refund_result_code"))
        state, step = _REFUND_WORDS.get(word, ("unknown", "query"))
        return outcome(state, step, answer.get("error_code"))
    if operation in _QUERIES:
        if answer.get("is_success") != "T":
            found = error in _NOT_FOUND
            return outcome("not_found" if found else "unknown", "query", error, UNKNOWN)
        state, step = _TRADE_STATUS.get(str(answer.get("trade_status") or answer.get("alipay_trans_status")),
                                        ("unknown", "query"))
        return outcome(state, step, None, NO if state == "closed" else None)
    if operation in _REFUNDS:
        return _refund(answer, error)
    return outcome("unknown", "query", error)


def _refund(answer, error):
    if answer.get("is_success") == "T" and not error:
        # Unsigned, and with is_sync=N only "accepted".
        return outcome("refund_pending", "wait")
    if answer.get("is_success") != "F" or not isinstance(error, str):
        return outcome("unknown", "query", error)
    if error in _REPEATED:
        return outcome("refund_unconfirmed", "query", error)
    if error in _NOT_FOUND:
        return outcome("not_found", "query", error, NO)
    if error_codes.describe(error).retry == "query":
        return outcome("unknown", "query", error)
    return outcome("refund_failed", "stop", error)
