"""Arguments of the control API: a query or a JSON object → checked values, or a refusal that names the argument."""
import json
import re
from typing import Any, Dict
from urllib.parse import parse_qsl

from ..errors import InvalidRequest, show
from ..services import SERVICES
from .ams import clients
from .merchants import SETTINGS

#: Argument → what it is; every other one is text.
TYPES = {
    "seconds": "number", "speed": "number", "times": "integer", "limit": "integer", "offset": "integer",
    "lose": "boolean", "done": "boolean", "passed": "boolean", "approved": "boolean", "sandbox": "boolean",
    "rates": "object", "lines": "the file",
}
#: Members of AMS's pay call, as the page of ``payments/pay`` has them.
_PAY = ("productCode", "order", "paymentAmount", "paymentMethod", "paymentFactor", "paymentExpiryTime",
        "paymentNotifyUrl", "paymentRedirectUrl", "settlementStrategy", "env", "creditPayPlan", "merchantRegion")
_TEXT_ONLY = 'text, such as "{}": a number would be a float'
_HIGHEST = {"number": 10 ** 9, "integer": 10 ** 6}


def arguments(call: Any, query: bytes, body: bytes) -> Dict[str, Any]:
    """The arguments of a call (a row of ``control_table``) by name, less those in its path. Raises InvalidRequest."""
    if "lines" in call.required:
        _refuse_unknown(_query(query), {}, call)
        return {"lines": body}
    given = _query(query)
    if call.verb != "GET":
        if given:
            raise InvalidRequest("query: this call takes its arguments as a JSON object in the body", parameter="query")
        given = _object(body)
    kinds = {name: TYPES.get(name, "text") for name in call.required + call.optional}
    if call.more is not None:
        kinds.update(call.more(given))
    _refuse_unknown(given, kinds, call)
    for name in call.required:
        if name not in given:
            raise InvalidRequest("{}: is required".format(name), parameter=name)
    return {name: _checked(name, value, kinds[name], call.verb == "GET") for name, value in given.items()}


def _refuse_unknown(given, kinds, call):
    for name in given:
        if name in call.in_path or name not in kinds:
            raise InvalidRequest("{}: no argument of this call{}".format(
                show(name), "; it stands in the address" if name in call.in_path else "; it takes " + (
                    ", ".join(sorted(kinds)) or "none")), parameter=show(name))


def _query(query) -> Dict[str, Any]:
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        pairs = None
    if pairs is None:
        raise InvalidRequest("query: UTF-8, percent-encoded", parameter="query")
    return _once(pairs)


def _object(body) -> Dict[str, Any]:
    if not body.strip():
        return {}
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as err:
        found = err if isinstance(err, InvalidRequest) else None
    if isinstance(found, InvalidRequest):
        raise found
    if not isinstance(found, dict):
        raise InvalidRequest("body: one JSON object, in UTF-8", parameter="body")
    return found


def _once(pairs):
    found = {}
    for name, value in pairs:
        if name in found:
            raise InvalidRequest("{}: given twice".format(show(name)), parameter=show(name))
        found[name] = value
    return found


def _no_constant(name):
    raise ValueError(name)


def _checked(name, value, kind, from_query):
    if from_query and kind == "integer" and re.fullmatch("[0-9]{1,9}", value, re.ASCII):
        value = int(value)
    if from_query and kind == "boolean" and value in ("true", "false"):
        value = value == "true"
    if kind == "text or JSON" and isinstance(value, (dict, list)):
        return value
    if kind in ("number", "integer"):
        good = isinstance(value, (int,) if kind == "integer" else (int, float)) and not isinstance(value, bool) \
            and 0 <= value <= _HIGHEST[kind]
        wanted = "{} {} from 0 to {}".format("an" if kind == "integer" else "a", kind, _HIGHEST[kind])
    elif kind == "boolean":
        good, wanted = isinstance(value, bool), "true or false"
    elif kind == "object":
        good, wanted = isinstance(value, dict), "an object"
    elif kind == "any":
        good, wanted = True, ""
    else:
        good, wanted = isinstance(value, str), "text"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            wanted = _TEXT_ONLY.format("10.00")
    if not good:
        raise InvalidRequest("{}: give {}".format(name, wanted), parameter=name)
    if any("\ud800" <= c <= "\udfff" for c in json.dumps(value, ensure_ascii=False)):
        raise InvalidRequest("{}: half a character; give whole ones".format(name), parameter=name)
    return value


def of_service(given) -> Dict[str, str]:
    """The parameters of the service that places the order."""
    service = given.get("service", "create_forex_trade")
    pages = sorted(row.name for row in SERVICES.values() if row.answer in ("page", "sdk"))
    if service not in pages:
        raise InvalidRequest("service: one of {}".format(", ".join(pages)), parameter="service")
    row = SERVICES[service]
    return {name: "text or JSON" if name in row.json_fields else "text" for name in row.names
            if name not in row.fixed}


def of_merchants(given) -> Dict[str, str]:
    return {name: "any" for name in SETTINGS}


def of_payment(given) -> Dict[str, str]:
    """Members of the pay call's body."""
    return {name: "text or JSON" for name in _PAY}


def of_clients(given) -> Dict[str, str]:
    return {name: "any" for name in clients.SETTINGS}
