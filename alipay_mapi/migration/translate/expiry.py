"""When an unpaid order ends: MAPI's rules → a moment (AMS), or OpenAPI's own words.

``timeout_rule`` and ``it_b_pay`` count from the buyer's login on MAPI; AMS wants a moment, which can only count from
now.
"""
import re
from datetime import timedelta
from typing import Any, Dict, Optional

from ...errors import MalformedParameter
from ...times import format_time, parse_time

#: The parameters that say it.
NAMES = ("timeout_rule", "it_b_pay", "order_gmt_create", "order_valid_time")
_RULE = re.compile(r"([1-9][0-9]{0,5})([mhd])", re.ASCII)
_SECONDS = {"m": 60, "h": 3600, "d": 86400}
_LONGEST = 15 * 86400
_SMALLEST = 60


def payment_expiry_time(draft) -> Optional[str]:
    """Take every parameter about the end → ``paymentExpiryTime`` in ISO 8601, or None when none was given."""
    name, rule, moment = _taken(draft)
    if name is None:
        return None
    _goes(draft, name, "paymentExpiryTime")
    now = draft.context.today
    if moment is None:
        if rule == "1c":
            moment = now.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        else:
            seconds = _seconds(draft, name, rule)
            if seconds is None:
                return None
            moment = now + timedelta(seconds=seconds)
            draft.note(name, "counts from the buyer's login on MAPI, and from now there")
    if moment <= now:
        draft.refuse(name, "the order's end is past", "make a new order")
        return None
    latest = now + timedelta(seconds=draft.context.longest_expiry)
    if moment > latest:
        if not draft.context.clamp_expiry:
            draft.refuse(name, "longer than the {} s that AMS takes".format(draft.context.longest_expiry),
                         "shorten it, or allow it to be cut with Context(clamp_expiry=True)")
            return None
        draft.note(name, "cut to {} s".format(draft.context.longest_expiry))
        moment = latest
    return moment.isoformat()


def put_openapi(draft, content: Dict[str, Any]) -> None:
    """The same → ``timeout_express`` or ``time_expire``."""
    name, rule, moment = _taken(draft)
    if name is None:
        return
    _goes(draft, name, "timeout_express" if moment is None else "time_expire")
    if moment is not None:
        if moment <= draft.context.today:
            draft.refuse(name, "the order's end is past", "make a new order")
        content["time_expire"] = format_time(moment)
    elif rule == "1c" or _seconds(draft, name, rule) is not None:
        content["timeout_express"] = rule


def _goes(draft, name, place):
    for one in ("order_gmt_create", name) if name == "order_valid_time" else (name,):
        draft.goes(one, place)


def _taken(draft):
    """(name, rule, None) or (name, None, moment); (None, None, None) when nothing says it. An absolute end wins."""
    created, valid = draft.take("order_gmt_create"), draft.take("order_valid_time")
    name = "timeout_rule" if "timeout_rule" in draft else "it_b_pay"
    rule = draft.take("timeout_rule", "it_b_pay")
    if created is not None or valid is not None:
        moment = _moment(created)
        if moment is None or valid is None or re.fullmatch(r"[1-9][0-9]{0,6}", valid, re.ASCII) is None:
            draft.refuse("order_valid_time", "needs order_gmt_create beside it, a time and a number of seconds",
                         "give both, or timeout_rule")
            return None, None, None
        return "order_valid_time", None, moment + timedelta(seconds=int(valid))
    if rule is None:
        return None, None, None
    moment = _moment(rule)
    return (name, None, moment) if moment is not None else (name, rule, None)


def _moment(text):
    try:
        return parse_time(text) if text is not None else None
    except MalformedParameter:
        return None


def _seconds(draft, name, rule):
    found = _RULE.fullmatch(rule)
    seconds = int(found.group(1)) * _SECONDS[found.group(2)] if found else 0
    if not _SMALLEST <= seconds <= _LONGEST:
        draft.refuse(name, "not a period from 1m to 15d", "write it as 30m, 12h or 3d")
        return None
    return seconds
