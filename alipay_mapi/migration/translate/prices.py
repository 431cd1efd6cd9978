"""What an order costs: MAPI's ``currency``, ``total_fee``, ``rmb_fee``, ``trans_amount`` → one price, one settlement.

On MAPI ``currency`` is the settlement currency, and prices the order too unless ``rmb_fee`` or ``trans_currency`` says
otherwise.
"""
from typing import NamedTuple


class Price(NamedTuple):
    """``text``: the amount as MAPI had it, in ``currency``; ``settlement``: the currency the shop is paid in.
    ``currency_from``: the parameter that names the currency of the amount."""

    parameter: str
    text: str
    currency: str
    settlement: str
    currency_from: str


def taken(draft, domestic: bool = False):
    """Take the price out of ``draft`` → Price, or None with a refusal."""
    rmb = draft.take("rmb_fee")
    names = [name for name in ("total_fee", "trans_amount") if name in draft]
    total = draft.take("total_fee", "trans_amount")
    settlement, priced_in = draft.take("currency"), draft.take("trans_currency")
    _drop_unit_price(draft)
    if (rmb is None) == (total is None):
        draft.refuse("total_fee", "an order has exactly one price", "give total_fee, or rmb_fee")
        return None
    if settlement is None and not domestic:
        draft.refuse("currency", "absent: nobody knows in which currency the amount is", "give it")
        return None
    settlement = settlement or "CNY"
    if rmb is not None:
        return Price("rmb_fee", rmb, "CNY", settlement, "rmb_fee")
    return Price(names[0], total, priced_in or settlement, settlement, "trans_currency" if priced_in else "currency")


def _drop_unit_price(draft):
    given = [name for name in ("price", "quantity") if draft.take(name) is not None]
    if given:
        draft.note(given[0], "left out: the whole amount says it")
