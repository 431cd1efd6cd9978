"""``detail_data`` of refunds and transfers: the lines of one batch, checked, and their exact sum.

Source: "refund_fastpay_by_platform_pwd" and "batch_trans_notify" of the mainland pages.
"""
from decimal import Decimal
from typing import Any, Iterable, List, Mapping, NamedTuple, Optional

from ...errors import show
from ..values import amount
from .exceptions import MissingParameter, ParameterValueError

#: Items of one batch, by both pages.
MOST = 1000
#: What parts lines and fields, and cannot be written any other way.
_PARTING = "^|#$"

Batch = NamedTuple("Batch", [("detail_data", str), ("number", int), ("total", Decimal)])


def refunds(items: Iterable[Optional[Mapping[str, Any]]], call: str, instead: str) -> Batch:
    """``trade_no^fee^note`` joined by ``#``. Items that are None are skipped, as ever. Raises ParameterValueError."""
    lines: List[str] = []
    total, seen = Decimal(0), set()
    for item in items:
        if item is None:
            continue
        trade_no, fee = _part(item, "trade_no"), _fee(item, call, instead)
        if trade_no in seen:
            raise ParameterValueError("trade_no: {} stands in the batch twice, which Alipay refuses".format(
                show(trade_no)), parameter="trade_no")
        seen.add(trade_no)
        total += Decimal(fee)
        lines.append("^".join((trade_no, fee, _part(item, "note"))))
    return _batch("#", lines, total)


def transfers(batch_no: str, items: Iterable[Mapping[str, Any]], call: str, instead: str) -> Batch:
    """``serial^account^name^fee^note`` joined by ``|``; the serial is the batch's number and the line's."""
    lines: List[str] = []
    total = Decimal(0)
    for number, item in enumerate(items, 1):
        fee = _fee(item, call, instead)
        total += Decimal(fee)
        lines.append("^".join(("{}{}".format(batch_no, number), _part(item, "account"), _part(item, "name"), fee,
                               _part(item, "note"))))
    return _batch("|", lines, total)


def _batch(parting, lines, total):
    if not 1 <= len(lines) <= MOST:
        raise ParameterValueError("batch_list: 1 to {} items, and it has {}".format(MOST, len(lines)),
                                  parameter="batch_list")
    return Batch(parting.join(lines), len(lines), total)


def _given(item, name):
    try:
        return item[name]
    except (KeyError, TypeError, IndexError):
        pass
    raise MissingParameter("{}: every item of batch_list has one".format(name), parameter=name)


def _part(item, name):
    value = _given(item, name)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text or any(c in _PARTING or c < " " for c in text):
        raise ParameterValueError("{}: text without the characters {} and line breaks, which part the fields and lines "
                                  "of a batch".format(name, " ".join(_PARTING)), parameter=name)
    return text


def _fee(item, call, instead):
    text = amount(_given(item, "fee"), "fee", call, instead)
    if Decimal(text) <= 0:
        raise ParameterValueError("fee: more than 0.00", parameter="fee")
    return text
