"""Amounts: exact decimal text, never float.

Rule ("Money rule", create_forex_trade and forex_refund pages): JPY and KRW have no decimals, every other currency at
most two; a wrong precision is an error and is never rounded. ``Decimal`` itself takes exponents, NaN, underscores
and full-width digits, so the ASCII grammar is checked before it.
"""
import re
from decimal import Decimal
from typing import Optional, Union

from .errors import InvalidRequest, MalformedParameter

#: Settlement currencies of cross-border MAPI, and how many decimals each has. CNY is for ``rmb_fee`` only.
DECIMALS = {
    "AUD": 2, "CAD": 2, "CHF": 2, "CNY": 2, "DKK": 2, "EUR": 2, "GBP": 2, "HKD": 2, "JPY": 0, "KRW": 0, "MOP": 2,
    "MYR": 2, "NOK": 2, "NZD": 2, "PHP": 2, "SEK": 2, "SGD": 2, "THB": 2, "TWD": 2, "USD": 2,
}

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?", re.ASCII)


def parse_amount(text: str) -> Decimal:
    """Wire text to ``Decimal``; a non-negative amount with at most two decimals.

    Raises :class:`MalformedParameter` for anything else: exponents, NaN, signs, full-width digits, three decimals.

    >>> parse_amount("0.10")
    Decimal('0.10')
    """
    if not isinstance(text, str) or _AMOUNT.fullmatch(text) is None:
        raise MalformedParameter("the amount is not a plain decimal with at most two places, such as 12.30")
    return Decimal(text)


def parse_discount(text: str) -> Decimal:
    """As :func:`parse_amount`, for ``discount``, which is zero or negative."""
    if isinstance(text, str) and text.startswith("-"):
        return parse_amount(text[1:]).copy_negate()  # "-" would round to the context's precision
    return parse_amount(text)


def decimals_of(currency: Optional[str]) -> int:
    """How many decimals an amount in ``currency`` may have (two when unknown or absent)."""
    return DECIMALS.get(currency or "CNY", 2)


def format_amount(value: Union[str, int, Decimal], parameter: str = "amount") -> str:
    """An amount as it goes on the wire. ``value``: ``Decimal``, ``int`` or text; text is kept as written.

    Raises :class:`InvalidRequest` naming ``parameter``. A float is refused: 0.1 + 0.2 is not 0.3.

    >>> from decimal import Decimal
    >>> format_amount(Decimal("350.4500"), "total_fee")
    '350.45'
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise InvalidRequest("{}: give the amount as Decimal or text, never as {}; a float is not exact".format(
            parameter, type(value).__name__), parameter=parameter)
    if isinstance(value, str):
        text = value
    elif isinstance(value, int):
        text = str(value) if -10 ** 12 < value < 10 ** 12 else ""
    else:
        text = _plain(value)
    if _AMOUNT.fullmatch(text) is None:
        raise InvalidRequest("{}: an amount is plain digits with at most two decimals, such as 12.30; "
                             "nothing is rounded for you".format(parameter), parameter=parameter)
    return text


def _plain(value):
    """Fixed-point text of a Decimal, without the zeros beyond the second decimal; "" when it has no such form."""
    if not value.is_finite() or abs(value.adjusted()) > 20 or len(value.as_tuple().digits) > 40:
        return ""
    text = "{:f}".format(value)
    whole, _, fraction = text.partition(".")
    while len(fraction) > 2 and fraction.endswith("0"):
        fraction = fraction[:-1]
    return whole + "." + fraction if fraction else whole
