"""What an amount of AMS is in CNY, for the buyers' limits and the merchant's balance, and in a settlement currency.

Rates are ours and stand still, as in ``emulator.money``.
"""
from decimal import Decimal
from typing import Any, Dict

from ...migration.ams.amounts import DECIMALS
from ..money import RATES, rounded
from .members import Amount

#: CNY for one unit, of the currencies that MAPI does not know.
_MORE = {"CNY": "1", "BDT": "0.060000", "BRL": "1.300000", "CLP": "0.007500", "IDR": "0.000440", "MXN": "0.390000",
         "PEN": "1.900000", "PKR": "0.025000", "PLN": "1.800000", "VND": "0.000280"}
#: AMS keeps so much of a payment; a cancel gives it back, a refund does not. Ours.
FEE = Decimal("0.025")


def rate(currency: str) -> Decimal:
    """CNY for one unit."""
    return Decimal(RATES.get(currency) or _MORE[currency])


def cny(amount: Amount) -> Decimal:
    """To the cent."""
    return rounded(Decimal(amount.value).scaleb(-DECIMALS[amount.currency]) * rate(amount.currency), 2)


def settled(amount: Amount, currency: str) -> Dict[str, Any]:
    """``grossSettlementAmount`` and ``settlementQuote`` of a payment that is settled in another currency."""
    price = rounded(rate(amount.currency) / rate(currency), 8)
    value = rounded(Decimal(amount.value).scaleb(DECIMALS[currency] - DECIMALS[amount.currency]) * price, 0)
    return {"grossSettlementAmount": {"currency": currency, "value": str(max(int(value), 1))},
            "settlementQuote": {"quotePrice": "{:f}".format(price),
                                "quoteCurrencyPair": "{}/{}".format(amount.currency, currency)}}


def fee_of(amount: Amount) -> int:
    """In the smallest unit."""
    return int(rounded(amount.value * FEE, 0))
