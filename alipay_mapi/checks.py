"""After the signature: is it for us, about this order, over this amount? ``message``: any mapping of signed text.

Shared by every message, so that a notification, a return and a query answer cannot differ in what they let through.
Source: "What to check after the signature" (ac/web/async, step by step).
"""
import re
from typing import Callable, Dict, Optional, Union

from . import messages
from .amounts import parse_amount
from .errors import (AmountMismatch, CurrencyMismatch, InvalidRequest, MalformedParameter, MissingParameter,
                     OrderMismatch, OrderNotFound, PartyMismatch, show)
from .merchant import Merchant
from .order import Order

#: The shop's own knowledge: the order, or a way to find it (None: no such order).
OrderSource = Union[Order, Callable[[str], Optional[Order]]]

#: A PID. The same field may hold an account instead: an e-mail address or a phone number.
_NUMBER = re.compile(r"[0-9]{12,32}", re.ASCII)
#: In every message that names the seller, and sorted before the first text that a merchant writes (out_trade_no).
_NOT_ADDED = ("buyer_id", "gmt_create")

NO_ORDER = "no order= was given, so neither the order nor its amount was compared"
NO_PARTY = ("no seller is named, and Alipay signs for every merchant with this one RSA key: it may be about a trade "
            "of somebody else's shop")


def check_party(shop: Merchant, message, posted: bool = False) -> bool:
    """Is the message for this merchant? True: proved; False: the message does not say. Raises PartyMismatch.

    The seller's number decides; an account (e-mail or phone, which buyers and sellers change) only where no number is
    there. ``posted``: a notification or a return, which anybody may have taken apart and posted again. Under the key
    that all merchants share, a merchant could have had ``A1&seller_id=2088…`` signed as an order number of his own and
    cut it in two; so a seller counts only beside a field that such text cannot add, because it sorts before every text
    that a merchant writes, and that every genuine message with a seller has.
    """
    seller, partner = message.get("seller_id"), message.get("partner")
    numbers = [(name, theirs, ours) for name, theirs, ours in (
        ("partner", partner, shop.partner), ("seller_id", seller, shop.seller_id))
        if theirs is not None and _NUMBER.fullmatch(theirs)]
    for name, theirs, ours in numbers:
        if theirs != ours:
            raise _another(name)
    named = bool(numbers)
    if not named:
        for name, theirs in (("seller_id", seller), ("seller_email", message.get("seller_email"))):
            # Masked (for***@…), it says nothing.
            if theirs is not None and shop.seller_email is not None and "*" not in theirs:
                if theirs.lower() != shop.seller_email.lower():
                    raise _another(name)
                named = True
    if posted and shop.key_is_shared:
        named = named and (seller is not None or "seller_email" in message) and any(
            name in message for name in _NOT_ADDED)
    return named or not shop.key_is_shared


def _another(name):
    return PartyMismatch("{}: names another merchant; not ours, although the sign fits. Do not act on it, and find out "
                         "who sent it".format(name), parameter=name)


def find_order(message, order: OrderSource) -> Order:
    """The shop's order for this message. Raises OrderNotFound, OrderMismatch, MissingParameter, InvalidRequest."""
    number = message.get("out_trade_no")
    if number is None:
        raise MissingParameter("out_trade_no: absent, so it cannot be compared with an order",
                               parameter="out_trade_no")
    found = order if isinstance(order, Order) else order(number) if callable(order) else order
    if found is None:
        raise OrderNotFound("no such order here (yet); answer fail, so that Alipay sends it again",
                            out_trade_no=show(number))
    if not isinstance(found, Order):
        raise InvalidRequest("order: give a mapi.Order, or a function from out_trade_no to one, not {}".format(
            type(found).__name__), parameter="order")
    # Character for character: no case folding, no trimming, no width folding.
    if found.out_trade_no != number:
        raise OrderMismatch("the message is about another order than the one given", out_trade_no=show(number))
    return found


def check_amount(message, order: Order, in_cny: bool = False) -> Dict[str, str]:
    """Compare the message's amount with the order's price, exactly, as decimals.

    ``in_cny``: the message is a query answer, whose amounts are CNY whatever the order's currency. Returns what could
    not be compared: check name → reason (empty when the amount was compared). Raises AmountMismatch (also for no
    amount at all), CurrencyMismatch, and MissingParameter when a foreign price comes without its currency.
    """
    domestic = order.total_fee is not None and order.currency in (None, "CNY")
    if in_cny:
        if not domestic and order.rmb_fee is None:
            _some_amount(message)
            return {messages.AMOUNT: "a query answers in CNY, and this order is priced in {}".format(order.currency)}
        _same_amount(message, order.rmb_fee if order.rmb_fee is not None else order.total_fee)
        return {}
    currency = message.get("currency")
    if order.rmb_fee is not None:
        if order.currency is not None and currency is not None and currency != order.currency:
            raise CurrencyMismatch("currency: {} in the message, {} in the order".format(
                show(currency, 8), order.currency))
        return {messages.AMOUNT: "the order is priced in CNY and the message shows Alipay's conversion; "
                                 "single_trade_query answers in CNY and settles it"}
    if currency is None and not domestic:
        raise MissingParameter("currency: absent, and the order is priced in {}".format(order.currency),
                               parameter="currency")
    if currency is not None and currency != (order.currency or "CNY"):
        raise CurrencyMismatch("currency: {} in the message, {} in the order".format(
            show(currency, 8), order.currency or "none (yuan)"))
    _same_amount(message, order.total_fee)
    return {}


def _some_amount(message) -> None:
    try:
        paid = parse_amount(message.get("total_fee")) > 0
    except MalformedParameter:
        paid = False
    if not paid:
        raise AmountMismatch("total_fee: the answer names no amount; do not fulfil it", parameter="total_fee")


def _same_amount(message, price) -> None:
    text = message.get("total_fee")
    if text is None:
        raise AmountMismatch("total_fee: absent, and the order's price is {}; do not fulfil it".format(price),
                             parameter="total_fee")
    try:
        fits = parse_amount(text) == price
    except MalformedParameter:
        fits = False
    if not fits:
        raise AmountMismatch("total_fee: {} in the message, {} in the order; do not fulfil it".format(
            show(text, 24), price), parameter="total_fee")
