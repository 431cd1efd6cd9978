"""What an answer of OpenAPI says: yes, no or unknown, by (method, code, sub_code).

``10000`` says that the call was carried out, not that anybody paid. ``ACQ.SYSTEM_ERROR`` stands in a node that looks
like a failure and means that nobody knows. Source: the public error codes; the pages of the single methods.
"""
from collections.abc import Mapping
from typing import Dict, Tuple

from ..outcome import NO, UNKNOWN, YES, Outcome, outcome

#: method → (state of success, state of failure); a query has its own words
_METHODS: Dict[str, Tuple[str, str]] = {
    "alipay.trade.pay": ("paid", "failed"),
    "alipay.trade.query": ("unknown", "unknown"),
    "alipay.trade.refund": ("refunded", "refund_failed"),
    "alipay.trade.fastpay.refund.query": ("unknown", "unknown"),
    "alipay.trade.close": ("closed", "cancel_refused"),
    "alipay.trade.cancel": ("closed", "cancel_refused"),
    "alipay.trade.precreate": ("pending", "failed"),
}
_ENDS = ("alipay.trade.close", "alipay.trade.cancel")
_QUERIES = ("alipay.trade.query", "alipay.trade.fastpay.refund.query")
_TRADE_STATUS = {"WAIT_BUYER_PAY": ("pending", "wait"), "TRADE_SUCCESS": ("paid", "done"),
                 "TRADE_FINISHED": ("paid", "done"), "TRADE_CLOSED": ("closed", "new")}
_SET_UP = ("20001", "40001", "40002", "40006")


def classify(method: str, answer: Mapping) -> Outcome:
    """``answer``: the verified node of the method. Never raises: whatever cannot be read is unknown.

    >>> classify("alipay.trade.pay", {"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}).verdict
    'unknown'
    """
    code, sub_code = answer.get("code"), answer.get("sub_code")
    word = sub_code or code
    if method not in _METHODS:
        return outcome("unknown", "query", word)
    if code == "10000":
        return _carried_out(method, answer, word)
    if code == "10003" and method == "alipay.trade.pay":
        return outcome("pending", "wait", word)
    if code in _SET_UP:
        return _refused(method, "fix", word)
    if code == "40004" and isinstance(sub_code, str) and sub_code:
        return _business(method, sub_code)
    return outcome("unknown", "query", word)


def _carried_out(method, answer, word):
    if method == "alipay.trade.query":
        found = _TRADE_STATUS.get(str(answer.get("trade_status")))
        if found is None:
            return outcome("unknown", "query", word)
        return outcome(found[0], found[1], word, NO if found[0] == "closed" else None)
    if method == "alipay.trade.refund":
        # N: this call moved no money, usually because it repeats one that did.
        done = answer.get("fund_change") == "Y"
        return outcome("refunded" if done else "refund_unconfirmed", "done" if done else "query", word)
    if method == "alipay.trade.fastpay.refund.query":
        status = answer.get("refund_status")
        if status == "REFUND_SUCCESS" or status is None and answer.get("refund_amount"):
            return outcome("refunded", "done", word)
        if status is None:
            return outcome("not_refunded", "query", word, NO)      # repeat it with the same number
        return outcome("unknown", "query", word)
    if method == "alipay.trade.cancel" and answer.get("retry_flag") != "N":
        return outcome("unknown", "query", word)
    state = _METHODS[method][0]
    return outcome(state, "wait" if state == "pending" else "done", word, YES if state == "closed" else None)


def _business(method, sub_code):
    if sub_code == "ACQ.SYSTEM_ERROR" or sub_code.startswith(("aop.", "isp.")):
        return outcome("unknown", "query", sub_code)
    if sub_code == "ACQ.TRADE_NOT_EXIST":
        # No trade before the buyer scans or logs in: not final for a query.
        return outcome("not_found", "query", sub_code, UNKNOWN if method in _QUERIES else NO)
    if method in _QUERIES:
        return outcome("unknown", "query", sub_code)
    if sub_code == "ACQ.CONTEXT_INCONSISTENT":
        return outcome("conflict", "query", sub_code)
    if sub_code == "ACQ.TRADE_HAS_SUCCESS" and method == "alipay.trade.pay":
        return outcome("unknown", "query", sub_code)    # paid already, says one word: confirm it
    if sub_code == "ACQ.TRADE_HAS_CLOSE":
        if method in _ENDS:
            return outcome("closed", "done", sub_code, YES)
        if method == "alipay.trade.pay":
            return outcome("closed", "new", sub_code, NO)
    if sub_code.startswith("isv.") or sub_code in ("ACQ.INVALID_PARAMETER", "ACQ.ACCESS_FORBIDDEN"):
        return _refused(method, "fix", sub_code)
    return _refused(method, "new" if method == "alipay.trade.pay" else "stop", sub_code)


def _refused(method, step, word):
    # A query that was refused says nothing about the trade: its state of failure is "unknown".
    return outcome(_METHODS[method][1], step, word)
