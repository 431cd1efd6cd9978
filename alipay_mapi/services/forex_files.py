"""``forex_rate_file``, ``forex_compare_file``, ``forex_liquidation_file``: rates, transactions and settlements as text.

The rate file may be asked for 100 times a day.
"""
from datetime import date, datetime
from typing import Dict, Optional, Union

from .rules import build, builder, wrong
from .table import REQUIRED, Extra, Service

#: A day: a date, or 8 digits.
Day = Union[str, date]


def _span(params):
    first, last = _day(params["start_date"]), _day(params["end_date"])
    if last < first:
        raise wrong("end_date", "is before start_date")
    if (last - first).days > 10:
        raise wrong("end_date", "at most 10 days after start_date; ask for a shorter span and repeat")


def _day(text):
    return datetime.strptime(text, "%Y%m%d").date()


RATE_FILE = Service(name="forex_rate_file", answer="text", source="forex_rate_file")
COMPARE_FILE = Service(name="forex_compare_file", answer="text", source="forex_compare_file",
                       required=("start_date", "end_date"), checks=(_span,))
LIQUIDATION_FILE = Service(name="forex_liquidation_file", answer="text", source="forex_liquidation_file",
                           required=("start_date", "end_date"), checks=(_span,))


@builder(RATE_FILE)
def forex_rate_file(*, extra: Extra = None) -> Dict[str, str]:
    """The params of the rate file: none, unless ``extra`` has some. Source: forex_rate_file.

    >>> forex_rate_file()
    {}
    """
    return build(RATE_FILE, locals())


@builder(COMPARE_FILE)
def forex_compare_file(*, start_date: Day = REQUIRED, end_date: Day = REQUIRED, today: Optional[date] = None,
                       extra: Extra = None) -> Dict[str, str]:
    """The params of the transaction file: two dates, or texts ``yyyyMMdd``, at most 10 days apart.

    ``today``: the date in GMT+8, if you want the page's rule checked that ``end_date`` is before it; nothing here
    looks at a clock. Raises :class:`InvalidRequest`. Source: forex_compare_file.

    >>> forex_compare_file(start_date=date(2012, 2, 2), end_date="20120205")
    {'start_date': '20120202', 'end_date': '20120205'}
    """
    return _file(COMPARE_FILE, start_date, end_date, today, extra)


@builder(LIQUIDATION_FILE)
def forex_liquidation_file(*, start_date: Day = REQUIRED, end_date: Day = REQUIRED, today: Optional[date] = None,
                           extra: Extra = None) -> Dict[str, str]:
    """The params of the settlement file; arguments as :func:`forex_compare_file`. Source: forex_liquidation_file."""
    return _file(LIQUIDATION_FILE, start_date, end_date, today, extra)


def _file(row, start_date, end_date, today, extra):
    params = build(row, {"start_date": start_date, "end_date": end_date, "extra": extra})
    if today is not None and (isinstance(today, datetime) or not isinstance(today, date)):
        raise wrong("today", "give a date, today's in GMT+8")
    if today is not None and _day(params["end_date"]) >= today:
        raise wrong("end_date", "must be before today: a day's file is made after it is over")
    return params
