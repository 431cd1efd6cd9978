"""Amounts of AMS: ``{"currency": "USD", "value": "1100"}``, a whole number of the smallest unit.

MAPI's decimals become that when it is exact, and are refused otherwise: nothing is rounded, no currency is guessed. The
table differs from ISO 4217 as others use it (IDR has two decimals here), which is why it is data with a date.
Source: "Currency codes" (docs/ac/ref/cc); the rules file of the vendor's Python SDK 1.7.1, dated 2026-09-01.
"""
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Dict, Optional, Union

from ...errors import InvalidRequest, MalformedParameter, show

#: The day the table below is from.
DATED = "2026-09-01"
#: Currency → decimals. Any other currency is refused.
DECIMALS = {
    "CLP": 0, "JPY": 0, "KRW": 0, "VND": 0,
    "AUD": 2, "BDT": 2, "BRL": 2, "CAD": 2, "CNY": 2, "EUR": 2, "GBP": 2, "HKD": 2, "IDR": 2, "MXN": 2, "MYR": 2,
    "NZD": 2, "PEN": 2, "PHP": 2, "PKR": 2, "PLN": 2, "SGD": 2, "THB": 2, "TWD": 2, "USD": 2,
}
#: Currency → what its value must be a multiple of, in the smallest unit.
STEPS = {"IDR": 100}
#: (currency, paymentMethodType) → the same, for one wallet.
WALLET_STEPS = {("TWD", "JKOPAY"): 100, ("HKD", "OCTOPUS"): 10}
#: Digits of a value.
LONGEST = 16

#: Why an amount is refused, in one word: the fact ``reason`` of the error.
REASONS = ("type", "form", "not positive", "precision", "currency", "too large", "step")

_PLAIN = re.compile(r"-?[0-9]{1,24}(\.[0-9]{1,12})?", re.ASCII)
_VALUE = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)


def to_ams(amount: Union[str, int, Decimal], currency: str, parameter: str = "amount",
           wallet: Optional[str] = None) -> Dict[str, str]:
    """A decimal amount → the object that AMS takes. Raises InvalidRequest with ``parameter`` and ``reason``.

    ``wallet``: the ``paymentMethodType``, for those that take steps.

    >>> to_ams("11.00", "USD"), to_ams("1000.00", "JPY")
    ({'currency': 'USD', 'value': '1100'}, {'currency': 'JPY', 'value': '1000'})
    """
    if not isinstance(currency, str) or currency not in DECIMALS:
        raise _refused(parameter, "currency", "{} is not among the currencies of AMS (table of {})".format(
            show(currency, 8), DATED))
    text = _text(amount, parameter)
    if text.startswith("-") or not text.strip("0."):
        raise _refused(parameter, "not positive", "an amount is more than zero")
    whole, _, fraction = text.partition(".")
    decimals = DECIMALS[currency]
    if fraction[decimals:].strip("0"):
        raise _refused(parameter, "precision", "{} has no minor unit".format(currency) if not decimals else
                       "{} has {} decimals, and nothing is rounded for you".format(currency, decimals))
    value = (whole + fraction[:decimals].ljust(decimals, "0")).lstrip("0")
    if len(value) > LONGEST:
        raise _refused(parameter, "too large", "a value has at most {} digits".format(LONGEST))
    _check_steps(value, currency, parameter, wallet)
    return {"currency": currency, "value": value}


def from_ams(amount: Any, parameter: str = "paymentAmount") -> Dict[str, str]:
    """AMS's object → ``{"currency": …, "amount": …}`` with MAPI's decimal text. Raises MalformedParameter.

    >>> from_ams({"currency": "USD", "value": "1100"})["amount"], from_ams({"currency": "JPY", "value": "5"})["amount"]
    ('11.00', '5')
    """
    currency = amount.get("currency") if isinstance(amount, Mapping) else None
    value = amount.get("value") if isinstance(amount, Mapping) else None
    if not isinstance(currency, str) or currency not in DECIMALS:
        raise MalformedParameter("{}: in a currency that is not among those of AMS (table of {})".format(
            parameter, DATED), parameter=parameter)
    if not isinstance(value, str) or _VALUE.fullmatch(value) is None:
        raise MalformedParameter("{}: its value is not 1 to {} digits above zero".format(parameter, LONGEST),
                                 parameter=parameter)
    decimals = DECIMALS[currency]
    if decimals:
        padded = value.rjust(decimals + 1, "0")
        value = padded[:-decimals] + "." + padded[-decimals:]
    return {"currency": currency, "amount": value}


def _text(amount, parameter):
    if isinstance(amount, bool) or not isinstance(amount, (str, int, Decimal)):
        raise _refused(parameter, "type", "give the amount as Decimal or text, never as {}; a float is not "
                       "exact".format(type(amount).__name__))
    if isinstance(amount, int):
        text = str(amount) if -10 ** 24 < amount < 10 ** 24 else ""
    elif isinstance(amount, Decimal):
        small = amount.is_finite() and abs(amount.adjusted()) < 30 and len(amount.as_tuple().digits) < 40
        text = "{:f}".format(amount) if small else ""
    else:
        text = amount
    if _PLAIN.fullmatch(text) is None:
        raise _refused(parameter, "form", "an amount is plain digits, such as 12.30")
    return text


def _check_steps(value, currency, parameter, wallet):
    step = STEPS.get(currency, 1)
    if wallet is not None:
        step = max(step, WALLET_STEPS.get((currency, wallet.upper()), 1))
    if int(value) % step:
        raise _refused(parameter, "step", "{}{} takes multiples of {} in its smallest unit".format(
            currency, " with " + show(wallet, 32) if wallet and step != STEPS.get(currency, 1) else "", step))


def _refused(parameter, reason, text):
    return InvalidRequest("{}: {}".format(parameter, text), parameter=parameter, reason=reason)
