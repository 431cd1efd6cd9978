"""Cross-border amounts: what an order in a foreign currency is in CNY, and the rate file's rates.

A query answers in CNY whatever the order's currency; a notification shows the foreign amount. The rates are ours and
stand still, so that a test can write down what it expects.
"""
from decimal import ROUND_HALF_UP, Decimal
from typing import Dict, Optional, Tuple

from ..amounts import decimals_of

#: CNY for one unit of the currency.
RATES = {
    "USD": "7.100000", "EUR": "7.700000", "GBP": "9.000000", "HKD": "0.910000", "JPY": "0.047000", "AUD": "4.700000",
    "CAD": "5.200000", "SGD": "5.300000", "NZD": "4.300000", "CHF": "7.900000", "THB": "0.200000", "KRW": "0.005200",
    "SEK": "0.680000", "NOK": "0.660000", "DKK": "1.030000", "MYR": "1.500000", "PHP": "0.125000", "TWD": "0.225000",
    "MOP": "0.880000",
}


def order_amounts(params: Dict[str, str], currency: Optional[str]) -> Tuple[str, str]:
    """(amount in the order's currency, amount in CNY) of an order's parameters, as text."""
    if "total_fee" not in params and "price" in params:
        total = str(rounded(Decimal(params["price"]) * int(params["quantity"]), 2))
        return total, total
    if currency is None:
        return params["total_fee"], str(rounded(Decimal(params["total_fee"]), 2))
    rate = Decimal(RATES[currency])
    if "rmb_fee" in params:
        # At least the smallest unit: nothing is sold for nothing.
        places = decimals_of(currency)
        foreign = max(rounded(Decimal(params["rmb_fee"]) / rate, places), Decimal(1).scaleb(-places))
        return str(foreign), str(rounded(Decimal(params["rmb_fee"]), 2))
    return params["total_fee"], str(max(rounded(Decimal(params["total_fee"]) * rate, 2), Decimal("0.01")))


def refund_amounts(trade, params: Dict[str, str]) -> Tuple[Decimal, Decimal]:
    """(amount in the order's currency, amount in CNY) of a ``forex_refund``.

    The one that was asked for stands as it is; the other is converted, and is never more than what is left of it. The
    last part takes all that is left, whatever was rounded before.
    """
    total, cny = Decimal(trade["total_fee"]), Decimal(trade["cny"])
    left, left_cny = total - Decimal(trade["refunded"]), cny - Decimal(trade["refunded_cny"])
    if "return_amount" in params:
        amount = Decimal(params["return_amount"])
        return amount, left_cny if amount == left else min(rounded(amount * cny / total, 2), left_cny)
    part = Decimal(params["return_rmb_amount"])
    if part == left_cny:
        return left, part
    return min(rounded(part * total / cny, decimals_of(trade["currency"])), left), part


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up, to so many decimals."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
