"""Finding the order of a refund by the refund's number, which stands in the text of the order's refunds.

The database narrows: by the index of the rows that have refunds, and by LIKE. What it finds is then read, and counts if
a refund of it has this number, byte for byte.
"""
import json
from typing import Any, Iterable, Optional

from ...errors import AlipayError
from ...fields import FIELDS
from .. import refunding
from ..rows import ROW, Row, possible, row_of

#: In the words of the partial index; and a pattern that begins with a character, for MySQL, whose index has the first.
BY_REFUND = ("SELECT {} FROM mapi_orders WHERE shop = :shop AND refunds <> '' AND refunds LIKE :pattern ESCAPE '!'"
             .format(ROW))


def may_be(shop: str, out_return_no: str) -> bool:
    """Could this refund be in a store?"""
    return possible(shop, "any") and isinstance(out_return_no, str) and bool(
        FIELDS["out_return_no"].match(out_return_no))


def pattern(out_return_no: str) -> str:
    """For LIKE: the number as ``refunding.to_text`` writes it, first in its list.

    >>> print(pattern("R_1"))
    [%["R!_1",%
    """
    text = json.dumps(out_return_no)
    for special in "!%_":
        text = text.replace(special, "!" + special)
    return "[%[{},%".format(text)


def only(found: Iterable[Iterable[Any]], out_return_no: str, gateway: Optional[str]) -> Optional[Row]:
    """The one row with this refund. None for none, and for two."""
    rows = [row for row in map(row_of, found) if gateway in (None, row.gateway) and _has(row, out_return_no)]
    return rows[0] if len(rows) == 1 else None


def _has(row, out_return_no):
    try:
        return any(refund.out_return_no == out_return_no for refund in refunding.from_text(row.refunds))
    except AlipayError:
        return False
