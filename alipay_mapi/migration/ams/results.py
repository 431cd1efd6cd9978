"""What a result of AMS says: yes, no or unknown, by (operation, status, code), never by the bare code.

``resultStatus`` decides, the code refines, an unknown code falls back to the status, an unknown status is unknown, and
so is a known code under a status that it never has. An inquiry's result speaks about the inquiry alone; what it is
about stands in ``paymentStatus``, ``refundStatus`` or ``registrationResult``. ``SYSTEM_ERROR`` is final here, unlike
on MAPI. Source: the error tables of the calls' pages; irs, iri and nrs for registrations; section 1.8 of this project's
notes on the targets.
"""
from collections.abc import Mapping
from typing import Dict, Optional, Tuple

from ..outcome import NO, UNKNOWN, YES, Outcome, outcome

_WAIT, _QUERY, _BACK_OFF, _ORDER, _WINDOW, _REFUSED, _SET_UP = (
    "wait", "query", "back-off", "order", "window", "refused", "set-up")

#: group → (the status its codes come with, the codes)
GROUPS = {
    "done": ("S", "SUCCESS"),
    _WAIT: ("U", "PAYMENT_IN_PROCESS REFUND_IN_PROCESS CAPTURE_IN_PROCESS"),
    _QUERY: ("U", "UNKNOWN_EXCEPTION"),
    _BACK_OFF: ("U", "REQUEST_TRAFFIC_EXCEED_LIMIT"),
    "not-visible": ("F", "ORDER_NOT_EXIST RECORD_NOT_FOUND"),
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
#: ``registrationStatus`` → (state, next): the first two of the pages irs and nrs, the others of the marketplaces'.
_REGISTRATION_STATUS = {
    "COMPLETED": ("registered", "done"), "PENDING": ("registration_pending", "wait"),
    "SUCCESSFUL": ("registered", "done"), "SUCCESS": ("registered", "done"),
    "PROCESSING": ("registration_pending", "wait"), "FAILED": ("refused", "fix")}
#: Of registrations alone. The pages do not say under which status the second one comes.
_REPEATED, _UNDER_REVIEW = "REPEAT_REGISTRATION", "REGISTRATION_UNDER_REVIEW"
#: inquiry → (the member that speaks about what was asked, its words)
_INQUIRIES = {"inquiryPayment": ("paymentStatus", _PAYMENT_STATUS), "inquiryRefund": ("refundStatus", _REFUND_STATUS)}

_ABOUT_REGISTRATION = ("inquiryRegistrationStatus", "inquiryRegistrationInfo")

OPERATIONS = frozenset(_STATES) | frozenset(_INQUIRIES) | frozenset(_ABOUT_REGISTRATION)


def classify(operation: str, answer: Mapping, signed: Optional[bool] = None, authorization: bool = False,
             hosted: bool = False) -> Outcome:
    """``operation``: the end of the call's path, such as "pay" or "inquiryRefund"; ``answer``: an AmsAnswer, or a
    mapping of its shape. ``signed``: default what the answer says of itself, and True for a plain mapping.
    ``authorization``: the payment was made with ``paymentFactor.isAuthorization``: S reserves money and moves none.
    ``hosted``: AMS's own page asks for the card; ``pay`` then never answers S, and one that does is not believed.

    Never raises: whatever cannot be read is unknown.

    >>> classify("pay", {"result": {"resultStatus": "U", "resultCode": "UNKNOWN_EXCEPTION"}}).verdict
    'unknown'
    """
    result = answer.get("result")
    status, code = _word(result, "resultStatus"), _word(result, "resultCode")
    if signed is None:
        signed = getattr(answer, "signed", True)
    if operation in _INQUIRIES or operation in _ABOUT_REGISTRATION:
        return _inquiry(operation, answer, status, code, signed, authorization)
    if operation not in _STATES or not signed:
        # An unsigned refusal is shown and proves nothing; a code of set-up says whom to call.
        group = CODES.get(code, (None, None))[0]
        return outcome("unknown", "fix" if group == _SET_UP else "query", code)
    if operation == "pay" and hosted and status == "S":
        return outcome("unknown", "query", code)
    return _write(operation, answer, status, code, authorization)


def registration_state(message: Mapping) -> Tuple[str, str]:
    """(state, next) of a registration, in the answer to ``inquiryRegistrationStatus`` or in a notification:
    "registered", "refused", "registration_pending" or "unknown". Completed, and every wallet refused: "refused".

    >>> registration_state({"registrationResult": {"registrationStatus": "PENDING"}})
    ('registration_pending', 'wait')
    """
    found = _REGISTRATION_STATUS.get(registration_status(message) or "", ("unknown", "query"))
    wallets = wallet_statuses(message)
    if found[0] != "registered" or not wallets or "APPROVED" in wallets.values():
        return found
    refused = all(word == "REJECTED" for word in wallets.values())
    return ("refused", "fix") if refused else ("registration_pending", "wait")


def registration_status(message: Mapping) -> Optional[str]:
    """The raw word: ``registrationResult.registrationStatus``; marketplaces' has no object around it."""
    inside = message.get("registrationResult")
    for value in (_word(inside, "registrationStatus"), message.get("registrationStatus"), inside):
        if isinstance(value, str):
            return value
    return None


def wallet_statuses(message: Mapping) -> Dict[str, Optional[str]]:
    """``pspName`` → the raw word of each wallet, such as ``APPROVED`` or ``REJECTED``."""
    listed = message.get("pspRegistrationResultList")
    return {_word(one, "pspName") or str(number): _word(one.get("registrationResult"), "registrationStatus")
            for number, one in enumerate(listed if isinstance(listed, (list, tuple)) else ())
            if isinstance(one, Mapping)}


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
        if operation == "registration" and code == _UNDER_REVIEW:
            return outcome(running, "wait", code)
        return outcome("unknown", "back-off" if group == _BACK_OFF else "query", code)
    if code == "REPEAT_REQ_INCONSISTENT":
        return outcome("conflict", "query", code)    # what was sent first under this id may be alive
    if operation == "registration" and code in (_REPEATED, _UNDER_REVIEW):
        return outcome(no, "query", code)            # another request is there already: ask how it stands
    if group == "not-visible":
        return outcome("not_found", "query", code, NO)
    if operation == "pay" and code in _CLOSED_CODES:
        return outcome("closed", "new", code, NO)
    if operation == "cancel" and code in _CLOSED_CODES:
        return outcome("closed", "done", code, YES)     # what was wanted
    if code == "CANCEL_WINDOW_EXCEED":
        return outcome(no, "refund", code)
    return outcome(no, _AFTER.get(group or "", "new" if operation == "pay" else "stop"), code)


def _inquiry(operation, answer, status, code, signed, authorization):
    if not signed or status != "S":
        if signed and status == "F" and CODES.get(code, ("",))[0] == "not-visible":
            # Final only when the call that makes it is known not to have arrived.
            return outcome("not_found", "query", code, UNKNOWN)
        group, usual = CODES.get(code, (None, None))
        step = "fix" if group == _SET_UP and status == "F" else "back-off" if group == _BACK_OFF else "query"
        return outcome("unknown", step, code)
    if operation in _ABOUT_REGISTRATION:
        return _registered(operation, answer, code)
    member, words = _INQUIRIES[operation]
    word = answer.get(member)
    if not isinstance(word, str) or word not in words:
        return outcome("unknown", "query", code)
    state, step = words[word]
    if state == "paid" and authorization:
        state = "authorized"
    return outcome(state, step, code, NO if state == "closed" else None)


def _registered(operation, answer, code):
    if operation == "inquiryRegistrationInfo":
        # Whoever is not registered (yet) gets an answer without it.
        known = isinstance(answer.get("merchantInfo"), Mapping) and bool(answer["merchantInfo"])
        return outcome("registered", "done", code) if known else outcome("unknown", "query", code)
    state, step = registration_state(answer)
    return outcome(state, step, code)


def _word(result, name):
    value = result.get(name) if isinstance(result, Mapping) else None
    return value if isinstance(value, str) else None
