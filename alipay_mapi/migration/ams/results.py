"""What a result of AMS says: yes, no or unknown, by (operation, status, code), never by the bare code.

``resultStatus`` decides, the code refines, an unknown code falls back to the status, an unknown status is unknown, and
so is a known code under a status that it never has. An inquiry's result speaks about the inquiry alone; what it is
about stands in ``paymentStatus`` or ``refundStatus``. ``SYSTEM_ERROR`` is final here, unlike on MAPI.
Source: the error tables of the calls' pages; section 1.8 of this project's notes on the targets.
"""
from collections.abc import Mapping
from typing import Optional

from ..outcome import NO, UNKNOWN, YES, Outcome, outcome

_WAIT, _QUERY, _BACK_OFF, _ORDER, _WINDOW, _REFUSED, _SET_UP = (
    "wait", "query", "back-off", "order", "window", "refused", "set-up")

#: group → (the status its codes come with, the codes)
GROUPS = {
    "done": ("S", "SUCCESS"),
    _WAIT: ("U", "PAYMENT_IN_PROCESS REFUND_IN_PROCESS CAPTURE_IN_PROCESS"),
    _QUERY: ("U", "UNKNOWN_EXCEPTION"),
    _BACK_OFF: ("U", "REQUEST_TRAFFIC_EXCEED_LIMIT"),
    "not-visible": ("F", "ORDER_NOT_EXIST"),
    _ORDER: ("F", "ORDER_IS_CLOSED ORDER_IS_CANCELED ORDER_STATUS_INVALID EXPIRED_CODE AUTH_CANCELLED AUTH_EXPIRED "
                  "AUTH_NOT_FOUND"),
    _WINDOW: ("F", "REFUND_AMOUNT_EXCEED REFUND_WINDOW_EXCEED MULTIPLE_REFUNDS_NOT_SUPPORTED CANCEL_WINDOW_EXCEED "
                   "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT MULTI_CAPTURE_NOT_SUPPORTED MERCHANT_BALANCE_NOT_ENOUGH "
                   "USER_BALANCE_NOT_ENOUGH"),
    _REFUSED: ("F", "PROCESS_FAIL SYSTEM_ERROR RISK_REJECT FRAUD_REJECT NO_PAY_OPTIONS REPEAT_REQ_INCONSISTENT"),
    _SET_UP: ("F", "INVALID_SIGNATURE SIGNATURE_INVALID KEY_NOT_FOUND INVALID_CLIENT ACCESS_DENIED NO_INTERFACE_DEF "
                   "METHOD_NOT_SUPPORTED MEDIA_TYPE_NOT_ACCEPTABLE PARAM_ILLEGAL CURRENCY_NOT_SUPPORT INVALID_CONTRACT "
                   "MERCHANT_NOT_REGISTERED"),
}
#: code → (group, the status it comes with)
CODES = {code: (group, status) for group, (status, codes) in GROUPS.items() for code in codes.split()}

#: What to do after a final no, by group.
_AFTER = {_ORDER: "new", _WINDOW: "stop", _REFUSED: "new", _SET_UP: "fix", "not-visible": "query"}

#: operation → (state after S, state after F, state while in process)
_STATES = {
    "pay": ("paid", "failed", "pending"),
    "refund": ("refunded", "refund_failed", "refund_pending"),
    "capture": ("captured", "capture_failed", "capture_pending"),
    "cancel": ("closed", "cancel_refused", "unknown"),
    "registration": ("registered", "refused", "registration_pending"),
    "declare": ("declared", "refused", "unknown"),
}
_CLOSED_CODES = ("ORDER_IS_CLOSED", "ORDER_IS_CANCELED")
_PAYMENT_STATUS = {"SUCCESS": ("paid", "done"), "PROCESSING": ("pending", "wait"), "PENDING": ("pending", "wait"),
                   "FAIL": ("failed", "new"), "CANCELLED": ("closed", "new")}
_REFUND_STATUS = {"SUCCESS": ("refunded", "done"), "PROCESSING": ("refund_pending", "wait"),
                  "FAIL": ("refund_failed", "stop")}
#: inquiry → (the member that speaks about what was asked, its words)
_INQUIRIES = {"inquiryPayment": ("paymentStatus", _PAYMENT_STATUS), "inquiryRefund": ("refundStatus", _REFUND_STATUS)}

OPERATIONS = frozenset(_STATES) | frozenset(_INQUIRIES)


def classify(operation: str, answer: Mapping, signed: Optional[bool] = None, authorization: bool = False) -> Outcome:
    """``operation``: the end of the call's path, such as "pay" or "inquiryRefund"; ``answer``: an AmsAnswer, or a
    mapping of its shape. ``signed``: default what the answer says of itself, and True for a plain mapping.
    ``authorization``: the payment was made with ``paymentFactor.isAuthorization``: S reserves money and moves none.

    Never raises: whatever cannot be read is unknown.

    >>> classify("pay", {"result": {"resultStatus": "U", "resultCode": "UNKNOWN_EXCEPTION"}}).verdict
    'unknown'
    """
    result = answer.get("result")
    status, code = _word(result, "resultStatus"), _word(result, "resultCode")
    if signed is None:
        signed = getattr(answer, "signed", True)
    if operation in _INQUIRIES:
        return _inquiry(operation, answer, status, code, signed)
    if operation not in _STATES or not signed:
        # An unsigned refusal is shown and proves nothing; a code of set-up says whom to call.
        group = CODES.get(code, (None, None))[0]
        return outcome("unknown", "fix" if group == _SET_UP else "query", code)
    return _write(operation, answer, status, code, authorization)


def _write(operation, answer, status, code, authorization):
    yes, no, running = _STATES[operation]
    group, usual = CODES.get(code, (None, status))
    if usual != status or status not in ("S", "F", "U"):
        return outcome("unknown", "query", code)
    if status == "S":
        state = "authorized" if operation == "pay" and authorization else yes
        return outcome(state, "done", code, YES)
    if status == "U":
        if group == _WAIT and running != "unknown":
            # A payment in process without any address for the buyer is inquired, and then cancelled.
            buyer_can_act = operation != "pay" or any(
                answer.get(name) for name in ("normalUrl", "schemeUrl", "applinkUrl", "redirectActionForm",
                                              "orderCodeForm", "paymentData"))
            return outcome(running, "wait" if buyer_can_act else "query", code)
        return outcome("unknown", "back-off" if group == _BACK_OFF else "query", code)
    if code == "REPEAT_REQ_INCONSISTENT":
        return outcome("conflict", "query", code)    # what was sent first under this id may be alive
    if group == "not-visible":
        return outcome("not_found", "query", code, NO)
    if operation == "pay" and code in _CLOSED_CODES:
        return outcome("closed", "new", code, NO)
    if operation == "cancel" and code in _CLOSED_CODES:
        return outcome("closed", "done", code, YES)     # what was wanted
    if code == "CANCEL_WINDOW_EXCEED":
        return outcome(no, "refund", code)
    return outcome(no, _AFTER.get(group or "", "new" if operation == "pay" else "stop"), code)


def _inquiry(operation, answer, status, code, signed):
    if not signed or status != "S":
        if signed and status == "F" and code == "ORDER_NOT_EXIST":
            # Final only when the pay call is known not to have arrived.
            return outcome("not_found", "query", code, UNKNOWN)
        group, usual = CODES.get(code, (None, None))
        step = "fix" if group == _SET_UP and status == "F" else "back-off" if group == _BACK_OFF else "query"
        return outcome("unknown", step, code)
    member, words = _INQUIRIES[operation]
    word = answer.get(member)
    if not isinstance(word, str) or word not in words:
        return outcome("unknown", "query", code)
    state, step = words[word]
    return outcome(state, step, code, NO if state == "closed" else None)


def _word(result, name):
    value = result.get(name) if isinstance(result, Mapping) else None
    return value if isinstance(value, str) else None
