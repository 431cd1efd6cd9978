"""No refunds of an order come to more than its price; pure."""
from decimal import Decimal
from typing import Any, Iterable

from ..amounts import parse_amount
from ..order import Order

#: A refund that ended so moved no money; ``refunding.REFUSED``, which imports this module.
_REFUSED = "refused"


def too_much(order: Order, refunds: Iterable[Any], amount: str) -> str:
    """What is wrong with a refund of ``amount`` beside ``refunds``, the order's others; "" for nothing.

    ``amount``: as sent, in what the order is priced in. ``refunds``: see ``refunding.Refund``; one that was refused
    does not count, and one that was given up does, as it may have been carried out.

    >>> too_much(Order("A1", total_fee="8.00", currency="USD"), (), "9.00")
    'amount: the order was for 8.00 USD, and not more than that can be given back'
    """
    price = order.total_fee if order.rmb_fee is None else order.rmb_fee
    currency = order.currency if order.rmb_fee is None else "CNY"
    before = sum((parse_amount(refund.amount) for refund in refunds if refund.status != _REFUSED), Decimal(0))
    if before + parse_amount(amount) <= Decimal(price or 0):
        return ""
    return "amount: the order was for {} {}, {}and not more than that can be given back".format(
        price, currency or "CNY", "{} of it is given back or asked for already, ".format(before) if before else "")
