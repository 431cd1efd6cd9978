"""Alipay's clock: GMT+8, always, written without a zone.

A fixed offset and not the zone Asia/Shanghai, which had summer time in 1986-91. Times handed out are aware; naive
ones are refused, since a server's local time is the usual cause of requests that are eight hours late.
"""
import re
from datetime import datetime, timedelta, timezone
from typing import Union

from .errors import InvalidRequest, MalformedParameter

GMT8 = timezone(timedelta(hours=8))

_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?", re.ASCII)
_TIME14 = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})()", re.ASCII)


def parse_time(text: str) -> datetime:
    """``yyyy-MM-dd HH:mm:ss``, optionally with a fraction (``gmt_refund``), or 14 digits → aware, at +08:00.

    >>> parse_time("2017-01-14 17:03:56.744").isoformat()
    '2017-01-14T17:03:56.744000+08:00'
    """
    match = (_TIME.fullmatch(text) or _TIME14.fullmatch(text)) if isinstance(text, str) else None
    if match:
        fraction = match.group(7) or ""
        try:
            year, month, day, hour, minute, second = [int(part) for part in match.groups()[:6]]
            return datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, "0")), GMT8)
        except ValueError:
            match = None
    raise MalformedParameter("the time is not in the form yyyy-MM-dd HH:mm:ss")


def format_time(moment: Union[str, datetime], parameter: str = "timestamp", form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """An aware ``datetime`` → text in GMT+8; text that is in ``form`` already is kept. Raises InvalidRequest."""
    if isinstance(moment, str):
        try:
            well_formed = datetime.strptime(moment, form).strftime(form) == moment
        except ValueError:
            well_formed = False
        if well_formed:
            return moment
        raise InvalidRequest("{}: the time must look like {} (GMT+8)".format(
            parameter, datetime(2026, 1, 31, 23, 59, 59).strftime(form)), parameter=parameter)
    if not isinstance(moment, datetime):
        raise InvalidRequest("{}: give an aware datetime, or text".format(parameter), parameter=parameter)
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidRequest("{}: the datetime has no time zone; Alipay's clock is GMT+8, so a naive local time "
                             "would be wrong by hours. Use datetime.now(timezone.utc)".format(parameter),
                             parameter=parameter)
    try:
        return moment.astimezone(GMT8).strftime(form)
    except (OverflowError, ValueError):
        pass
    raise InvalidRequest("{}: the time is at the very end of the calendar".format(parameter), parameter=parameter)


#: The 14-digit form of ``gmt_return`` and the in-store services.
DIGITS14 = "%Y%m%d%H%M%S"
#: The form of ``start_date`` and ``end_date``.
DATE8 = "%Y%m%d"
