"""What batch refunds and batch payments have in common: a number of the day, a count, an address, and a last page.

A batch is taken whole or refused whole; what becomes of its items is told by a notification. The order of the checks
is ours. Source: refund_fastpay_by_platform_pwd and _nopwd, batch_trans_notify.
"""
import re
from html import escape
from typing import Dict, List

from ...amounts import parse_amount
from ...errors import MalformedParameter
from ...fields import FIELDS
from ..gateway import Call
from ..refused import refuse
from ..reply import HTML, Reply

#: The most items of one batch.
LIMIT = 1000

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p id="done">{text}</p></body></html>
"""


def required(call: Call, name: str, code: str = "ILLEGAL_ARGUMENT") -> str:
    """The value of a parameter that must be there. Raises Refused: absent or empty."""
    value = call.params.get(name)
    if not value:
        raise refuse(code, "absent", name)
    return value


def well_formed(call: Call, name: str, code: str = "ILLEGAL_ARGUMENT") -> str:
    """A parameter's value by the general rule of its field, "" when absent. Raises Refused."""
    value = call.params.get(name) or ""
    if value and not FIELDS[name].match(value):
        raise refuse(code, "must be {}".format(FIELDS[name].rule), name)
    return value


def is_amount(text: str) -> bool:
    """Plain digits with at most two decimals?"""
    try:
        parse_amount(text)
    except MalformedParameter:
        return False
    return True


def new_number(call: Call, kind: str, longest: int) -> str:
    """``batch_no``: today's date and a serial of 3 to ``longest`` letters or digits, which no batch of this kind had.

    A number that was used is a duplicate on any later day too. Raises Refused.
    """
    number = required(call, "batch_no")
    if call.gateway.ledger.one("batches", partner=call.partner, kind=kind, batch_no=number) is not None:
        raise refuse("DUPLICATE_BATCH_NO", "a batch with this number was taken before", "batch_no")
    today = call.gateway.clock.now().strftime("%Y%m%d")
    if not re.fullmatch("[0-9]{{8}}[0-9A-Za-z]{{3,{}}}".format(longest), number) or not number.startswith(today) \
            or number[8:] == "000":
        raise refuse("BATCH_NO_FORMAT_ERROR", "today's date ({}) and 3 to {} letters or digits, not 000".format(
            today, longest), "batch_no")
    return number


def counted(call: Call, separator: str, end: str = "") -> List[str]:
    """The items of ``detail_data``, as many as ``batch_num`` says. ``end``: what may stand behind the last.

    Raises Refused: the number is none, is over 1000, or is another.
    """
    number = required(call, "batch_num")
    if not re.fullmatch("[1-9][0-9]{0,8}", number):
        raise refuse("BATCH_NUM_ERROR", "a whole number from 1 to 1000", "batch_num")
    if int(number) > LIMIT:
        raise refuse("BATCH_NUM_EXCEED_LIMIT", "at most {} items in one batch".format(LIMIT), "batch_num")
    data = required(call, "detail_data")
    if end and data.endswith(end):
        data = data[:-len(end)]
    items = data.split(separator)
    if len(items) != int(number):
        raise refuse("BATCH_NUM_NOT_EQUAL_TOTAL", "detail_data has {} items".format(len(items)), "batch_num")
    return items


def tell(call: Call, number: str, event: str, fields: Dict[str, str]) -> None:
    """Queue the notification of a batch, for the request's ``notify_url`` (or the emulator's own)."""
    call.gateway.notifier.queue(call.partner, number, event, dict(fields, notify_type=event, batch_no=number),
                                call.params.get("notify_url") or call.gateway.notifier.default_url, call.charset)


def done_page(title: str, text: str) -> Reply:
    """What the merchant's browser shows in place of Alipay's page: the element with the id ``done`` says it."""
    return Reply(200, HTML, _PAGE.format(title=escape(title), text=escape(text)).encode("ascii", "xmlcharrefreplace"))
