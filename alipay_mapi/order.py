"""What the shop itself knows of an order: the side that a message is compared with."""
from dataclasses import dataclass
from decimal import Decimal
from typing import Optional, Union

from .amounts import decimals_of, format_amount
from .errors import InvalidRequest
from .fields import FIELDS


@dataclass(frozen=True)
class Order:
    """One order as the shop stored it, with exactly one price.

    ``out_trade_no``: the shop's number, compared byte for byte.
    ``total_fee`` with ``currency``: the price in the settlement currency (``currency=None``: a mainland order in
    yuan). ``rmb_fee``: a cross-border order priced in CNY, whose notification shows Alipay's conversion; only
    ``single_trade_query`` can compare that one. Amounts are ``Decimal`` or text, never float; in the object they are
    ``Decimal``. Raises :class:`InvalidRequest`.

    >>> Order("A1", total_fee="8.00", currency="USD").total_fee
    Decimal('8.00')
    """

    out_trade_no: str
    total_fee: Optional[Union[Decimal, str]] = None
    currency: Optional[str] = None
    rmb_fee: Optional[Union[Decimal, str]] = None

    def __post_init__(self):
        if not isinstance(self.out_trade_no, str) or not self.out_trade_no:
            raise InvalidRequest("out_trade_no: give the order's number as text", parameter="out_trade_no")
        if (self.total_fee is None) == (self.rmb_fee is None):
            raise InvalidRequest("an order has exactly one price: total_fee (with currency), or rmb_fee",
                                 parameter="total_fee")
        if self.currency is not None and (not isinstance(self.currency, str)
                                          or FIELDS["currency"].match(self.currency) is None):
            raise InvalidRequest("currency: three upper-case letters, such as USD", parameter="currency")
        for name in ("total_fee", "rmb_fee"):
            value = getattr(self, name)
            if value is None:
                continue
            amount = Decimal(format_amount(value, name))
            if amount <= 0:
                raise InvalidRequest("{}: an order's price is more than zero".format(name), parameter=name)
            if name == "total_fee" and not decimals_of(self.currency) and amount != amount.to_integral_value():
                raise InvalidRequest("total_fee: {} has no decimals".format(self.currency), parameter=name)
            object.__setattr__(self, name, amount)
