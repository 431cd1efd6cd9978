"""One logged message and a target → what becomes of it there, field by field, in words and values that may be shown."""
from datetime import datetime
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from ...errors import MalformedParameter, show
from ...times import parse_time
from ..translate import Context, Translation, translate
from ..translate.ams_pay import SERVICES
from ..translate.openapi_pay import METHODS
from . import notices, showing
from .finding import CALL, NOTIFICATION, Message

#: A verdict. NOTED: it moves, and something is different there.
MOVES, NOTED, CANNOT = "moves", "noted", "cannot"
_NEW = frozenset(SERVICES) | frozenset(METHODS)
_NAMES = {"ams": "AMS", "openapi": "OpenAPI", "mapi": "MAPI"}
#: What every request has there of its own: who calls, and the proof.
_OWN = {
    "ams": {"service": "the address of the call", "partner": "the header client-id: another number, given there",
            "sign": "the header Signature, with a key made for it; no key of MAPI has a meaning there",
            "sign_type": "none: RSA256 alone", "_input_charset": "none: UTF-8 always",
            "timestamp": "the header request-time", "terminal_timestamp": "the header request-time"},
    "openapi": {"service": "method", "partner": "app_id: another number, given there",
                "sign": "sign, by OpenAPI's rule, with a key uploaded there", "sign_type": "sign_type: RSA2",
                "_input_charset": "charset", "timestamp": "timestamp", "terminal_timestamp": "timestamp"},
}
#: A call that nothing there needs.
_FALL_AWAY = {"notify_verify": "it falls away: there the signature of the notification is the proof"}
_CHECKED = "not carried over: the call itself says it there, or nothing there asks for it"
_SELLER = "checked against partner, and not carried over: the seller is the account there"
_PURCHASE = "checked, and not carried over: the call is always a purchase there"
_CODE = "checked, and not carried over: the code itself says it there"
_CHECKED_SO = {"seller_id": _SELLER, "alipay_seller_id": _SELLER, "payment_type": _PURCHASE, "forex_biz": _PURCHASE,
               "identity_code_type": _CODE, "dynamic_id_type": _CODE}
_RETURN = {"ams": "AMS signs nothing on the way back: ask inquiryPayment, or wait for the notification",
           "openapi": "no proof of payment there either: ask alipay.trade.query, or wait for the notification"}


class Wanted(NamedTuple):
    """What a log does not say; see ``translate.Context``. ``home``: None: the orders of logged queries and refunds are
    taken as made on the target."""

    now: datetime
    home: Optional[str] = None
    ignore: FrozenSet[str] = frozenset()
    clamp_expiry: bool = False
    os_type: Optional[str] = None


class Field(NamedTuple):
    """``value``: as it may be shown; None for what the message does not have and its translation wants. ``to``: (number
    of the request, path in it, the value there). ``notes``: what is different. ``refusals``: (reason, remedy)."""

    name: str
    value: Optional[str]
    to: Tuple[Tuple[Optional[int], str, Any], ...] = ()
    notes: Tuple[str, ...] = ()
    refusals: Tuple[Tuple[str, str], ...] = ()


class Explained(NamedTuple):
    """``verdict``: MOVES, NOTED or CANNOT; "" for what is no call. ``calls``: what is asked there, in this order.
    ``requests``: their contents, as they may be shown; empty when it cannot move. ``notes``: about the whole."""

    target: str
    verdict: str
    calls: Tuple[str, ...]
    fields: Tuple[Field, ...]
    requests: Tuple[Dict[str, Any], ...] = ()
    notes: Tuple[str, ...] = ()


def explain(message: Message, target: str, wanted: Wanted) -> Explained:
    """``target``: "ams" or "openapi". Raises InvalidRequest for a ``wanted`` that is none."""
    if message.kind == CALL:
        if message.service in _FALL_AWAY:
            return Explained(target, NOTED, (), (), (), (_FALL_AWAY[message.service],))
        context = _context(message, target, wanted)
        return _explained(message, translate(message.service, message.params, target, context), wanted)
    names = sorted(message.params)
    if message.kind == NOTIFICATION:
        is_refund = "refund_status" in message.params
        return Explained(target, "", (), tuple(Field(name, showing.shown(name, message.params[name]), (), (
            notices.place_of(name, target, is_refund),)) for name in names), (), (
                "answered with " + getattr(notices.ACK, target),))
    fields = tuple(Field(name, showing.shown(name, message.params[name])) for name in names)
    return Explained(target, "", (), fields, (), (_RETURN[target],))


def _context(message, target, wanted):
    now, made = wanted.now, message.params.get("order_gmt_create")
    try:
        now = parse_time(made) if made else now     # when the order was made, an end that is past now was not
    except MalformedParameter:
        pass
    home = None if message.service in _NEW else wanted.home or target
    return Context(now=now, home=home, ignore=wanted.ignore, clamp_expiry=wanted.clamp_expiry, os_type=wanted.os_type)


def _explained(message: Message, found: Translation, wanted: Wanted) -> Explained:
    params, target = message.params, found.back_end
    if any(one.parameter == "service" for one in found.refusals):   # there is no such call, so no place for its fields
        why = tuple((one.reason, one.remedy) for one in found.refusals)
        return Explained(target, CANNOT, (), (Field("service", show(message.service), (), (), why),))
    fields, used = [], set()
    for name, value in params.items():
        of_it = [name] + [moved.parameter for moved in found.moved if moved.parameter.startswith(name + ".")]
        used.update(of_it)
        to = tuple((moved.step, moved.path, _there(found, moved, params)) for moved in found.moved
                   if moved.parameter in of_it)
        notes = [note.text for note in found.notes if note.parameter in of_it]
        refusals = [(one.reason, one.remedy) for one in found.refusals if _about(one.parameter, name)]
        if name in _OWN[target]:
            notes.insert(0, _OWN[target][name])
        elif not to and not notes and not refusals:
            notes.append(_CHECKED_SO.get(name, _CHECKED) if value else "empty: left out")
        fields.append(Field(show(name), showing.shown(name, value), to, tuple(notes), tuple(refusals)))
    wants: Dict[str, List[Tuple[str, str]]] = {}
    for one in found.refusals:
        if not any(_about(one.parameter, name) for name in params):
            wants.setdefault(show(one.parameter), []).append((one.reason, one.remedy))
    fields += [Field(name, None, (), (), tuple(reasons)) for name, reasons in wants.items()]
    notes = ["{}: {}".format(show(note.parameter), note.text) for note in found.notes if note.parameter not in used]
    if message.service not in _NEW and wanted.home is None and not found.refusals:
        notes.append("the order is taken as made on {0}; one that MAPI made stays on MAPI with its queries and "
                     "refunds".format(_NAMES[target]))
    fields.sort(key=lambda field: 0 if field.refusals else 2 if field.name in _OWN[target] else 1)
    verdict = CANNOT if found.refusals else NOTED if found.notes else MOVES
    return Explained(target, verdict, tuple(step.name for step in found.steps), tuple(fields),
                     tuple(_request(found, number, params) for number in range(len(found.steps))), tuple(notes))


def _about(parameter, name):
    return parameter == name or parameter.startswith(name + ".")


def _there(found, moved, params):
    """The value at a place, where it is another text than the parameter's; else None."""
    if moved.step is None:
        return None
    value = found.steps[moved.step].at(moved.path)
    if not isinstance(value, str) or value == params.get(moved.parameter):
        return None
    return _masked(found, moved.step, params, moved.path, value)


def _request(found, number, params):
    step = found.steps[number]
    request = {"call": step.name, "content": _masked(found, number, params, "", step.content)}
    for name in step.needs:
        request["content"][name] = "(from the answer before)"
    if step.common:
        request["common"] = _masked(found, number, params, "", step.common)
    return request


def _masked(found, number, params, at, value):
    came_from = {moved.path: moved.parameter for moved in found.moved if moved.step == number}
    return showing.shown_content(value, came_from, params, at)


def name_of(target: str) -> str:
    """The gateway's name for people."""
    return _NAMES[target]
