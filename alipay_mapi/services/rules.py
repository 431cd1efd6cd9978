"""The checks that all builders share: a row and the arguments of a call → the params, or InvalidRequest.

What a value must look like comes from ``fields``; this module adds what depends on the service or on another
parameter. Every refusal names the parameter (of a group, the one that is missing), the rule and the cure. Values are
never shown: a subject or an address may be a buyer's.
"""
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from typing import Any, Callable, Dict, Iterable, TypeVar

from ..amounts import decimals_of, format_amount, parse_amount
from ..errors import InvalidRequest, show
from ..fields import AMOUNT, FIELDS, IN_CURRENCY
from ..times import DATE8, DIGITS14, format_time
from .table import REQUIRED, Service

F = TypeVar("F", bound=Callable[..., Any])

_LOWEST = Decimal("0.01")
_RESERVED = ("service", "partner", "_input_charset", "sign", "sign_type")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}", re.ASCII)
_UNLISTED = re.compile("[^\"\x00-\x1f\x7f]{1,8000}")
_WHOLE = ("quantity", "order_valid_time", "order_create", "qr_pay_mode", "qrcode_width")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
_FOREX_ORDER_NO = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def wrong(parameter: str, message: str) -> InvalidRequest:
    """The error to raise: ``message`` says the rule and the cure."""
    return InvalidRequest("{}: {}".format(parameter, message), parameter=parameter)


def builder(row: Service) -> Callable[[F], F]:
    """For a function that is a service's builder: an argument that it does not have is InvalidRequest, by name."""
    def decorate(function: F) -> F:
        known = signature(function).parameters

        @wraps(function)
        def checked(*positional, **arguments):
            if positional:
                raise wrong("params", "give the parameters of {} by name".format(row.name))
            for name in arguments:
                if name not in known:
                    near = get_close_matches(name, known, 1)
                    raise wrong(show(name), "is not a parameter of {}{}; one that its page does not list goes into "
                                            "extra={{…}}".format(row.name, ", did you mean {}?".format(near[0])
                                                                 if near else ""))
            return function(**arguments)
        return checked  # type: ignore[return-value]
    return decorate


def build(row: Service, arguments: Dict[str, Any]) -> Dict[str, str]:
    """The params of one call: wire name → text, without ``service``, ``partner`` and ``sign``.

    ``arguments``: the builder's own, ``extra`` among them. None and "" are left out: an empty value is neither
    signed nor sent (*Creating the Pre-sign String*). Raises :class:`InvalidRequest`.
    """
    given = {name: value for name, value in arguments.items()
             if name != "extra" and value is not None and value is not REQUIRED
             and not (isinstance(value, str) and value == "")}
    _presence(row, given)
    params = {name: _text(row, name, value) for name, value in given.items() if name not in row.json_fields}
    params.update(row.fixed)
    for name in params:
        if name in FIELDS and FIELDS[name].kind == AMOUNT:
            _bounds(row, name, params)
    for check in row.checks:
        check(params)
    for name, to_text in row.json_fields.items():
        if name in given:
            params[name] = matching(name, to_text(given[name], params))
    params.update(_extra(row, arguments.get("extra")))
    return params


def _presence(row, given):
    for name in row.required:
        if name not in given:
            raise wrong(name, "is required by {}; give it".format(row.name))
    for group in row.exactly_one:
        present = [name for name in group if name in given]
        if len(present) != 1:
            raise wrong(present[1] if present else group[0], "give exactly one of {}; {}".format(
                _listed(group), "now there are {}".format(_listed(present)) if present else "now there is none"))
    for group in row.at_least_one:
        if not any(name in given for name in group):
            raise wrong(group[0], "give at least one of {}".format(_listed(group)))
    for group in row.together:
        missing = [name for name in group if name not in given]
        if missing and len(missing) < len(group):
            raise wrong(missing[0], "{} belong together: give all of them, or none".format(_listed(group)))
    for name, other in row.needs:
        if name in given and other not in given:
            raise wrong(other, "is required with {}: give both, or neither".format(name))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


# --- single values ----------------------------------------------------------------------------------------------

def _text(row, name, value):
    if name in _TIMES:
        value = _TIMES[name](name, value)
    elif name in FIELDS and FIELDS[name].kind == AMOUNT:
        value = format_amount(value, name)
    elif name in _WHOLE and type(value) is int and abs(value) < 10 ** 18:
        value = str(value)
    text = matching(name, value)
    if name in row.longest:
        at_most(name, text, row.longest[name], wide=name in row.wide)
    if name in ("timeout_rule", "it_b_pay") and text[-1] in _MINUTES:
        if int(text[:-1]) * _MINUTES[text[-1]] > 15 * 24 * 60:
            raise wrong(name, "at most 15 days, such as 30m, 12h or 15d")
    return text


def matching(name: str, value: Any) -> str:
    """``value`` if it is text and keeps the rule of its field; else raises :class:`InvalidRequest`."""
    if not isinstance(value, str):
        raise wrong(name, "give text, not {}".format(type(value).__name__))
    if name in FIELDS:
        if not FIELDS[name].match(value):
            raise wrong(name, "must be {} (this value has {} characters)".format(FIELDS[name].rule, len(value)))
    elif not _UNLISTED.fullmatch(value):
        raise wrong(name, "must be text without the quotation mark \" and control characters")
    return value


def at_most(name: str, text: str, longest: int, wide: bool = False) -> None:
    """Refuses text that is longer than this service's page allows. ``wide``: a non-ASCII character counts two."""
    length = sum(1 if ord(c) < 128 else 2 for c in text) if wide else len(text)
    if length > longest:
        raise wrong(name, "at most {} {} here, and this value has {}; shorten it".format(
            longest, "bytes (a Chinese character is two)" if wide else "characters", length))


def _bounds(row, name, params):
    currency = params.get("currency") if name in IN_CURRENCY else "CNY"
    places = decimals_of(currency)
    if len(params[name].partition(".")[2]) > places:
        raise wrong(name, "an amount in {} has {} decimals, such as {}; nothing is rounded for you".format(
            show(currency), places or "no", "12.30" if places else "1230"))
    if not _LOWEST <= parse_amount(params[name]) <= row.highest:
        raise wrong(name, "must be from {} to {}".format(_LOWEST, row.highest))


def _day(name, value):
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat().replace("-", "")
    return format_time(value, name, DATE8)


def _fourteen_digits(name, value):
    # The English page has yyyy-MM-dd HH:mm:ss, the Chinese one 14 digits; String(14) fits only the latter.
    if isinstance(value, str) and len(value) == 19:
        return re.sub("[-: ]", "", format_time(value, name))
    return format_time(value, name, DIGITS14)


def _timestamp(name, value):
    # Epoch milliseconds are not on the page, but real traffic has them.
    return value if isinstance(value, str) and re.fullmatch("[0-9]{13}", value) else format_time(value, name)


def _period_or_time(name, value):
    return value if isinstance(value, str) and " " not in value else format_time(value, name)


_TIMES = {
    "order_gmt_create": lambda name, value: format_time(value, name),
    "gmt_return": _fourteen_digits, "timestamp": _timestamp, "it_b_pay": _period_or_time,
    "start_date": _day, "end_date": _day,
}


# --- what several pages ask -------------------------------------------------------------------------------------

def settlement_currency(params: Dict[str, str]) -> None:
    """``currency`` is that of the contract and stays foreign even when the price is in CNY (*create_forex_trade*)."""
    if params.get("currency") == "CNY":
        raise wrong("currency", "never CNY: give the settlement currency of your contract, such as USD, also with "
                                "rmb_fee or return_rmb_amount")


def forex_order_no(params: Dict[str, str]) -> None:
    """The page allows letters, digits and ``_``; genuine requests also have ``.`` and ``-`` and are accepted."""
    if not _FOREX_ORDER_NO.fullmatch(params["out_trade_no"]):
        raise wrong("out_trade_no", "1 to 64 letters, digits, _ . or -")


def _extra(row, extra):
    if extra is None:
        return {}
    if not isinstance(extra, Mapping):
        raise wrong("extra", "give a mapping of parameter names to text")
    params = {}
    for name, value in extra.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise wrong("extra", "{} is no parameter name: letters, digits, _ and .".format(show(name)))
        if name in _RESERVED:
            raise wrong(name, "comes from the Merchant and build_request; leave it out of extra")
        if name in row.fixed:
            raise wrong(name, "is always {} here; leave it out of extra".format(row.fixed[name]))
        if name in row.names:
            raise wrong(name, "use the argument {}=, extra is for parameters that the page does not list".format(name))
        params[name] = _text(row, name, value)
    return params
