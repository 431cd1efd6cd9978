"""``forex_refund``: give back all or part of a cross-border payment.

Alipay signs nothing in the answer, and ``is_success=T`` means accepted, not refunded: the notification settles it, or
a signed query. After an unknown outcome repeat with the same ``out_return_no``; a new one may refund twice. Leave at
least 3 seconds between two refunds.
"""
from typing import Dict, Optional

from .json_fields import split_fund_info_back
from .rules import build, builder, forex_order_no, settlement_currency
from .table import REQUIRED, Amount, Extra, Json, Moment, Service

SERVICE = Service(
    name="forex_refund", answer="xml", source="forex_refund", writes=True, signed_answer=False,
    required=("out_return_no", "out_trade_no", "currency", "gmt_return"),
    optional=("return_amount", "return_rmb_amount", "reason", "notify_url", "is_sync", "product_code",
              "split_fund_info"),
    exactly_one=(("return_amount", "return_rmb_amount"),),
    longest={"reason": 100},
    json_fields={"split_fund_info": split_fund_info_back},
    checks=(settlement_currency, forex_order_no),
)


@builder(SERVICE)
def forex_refund(
        *, out_return_no: str = REQUIRED, out_trade_no: str = REQUIRED, currency: str = REQUIRED,
        gmt_return: Moment = REQUIRED,
        return_amount: Optional[Amount] = None, return_rmb_amount: Optional[Amount] = None,
        reason: Optional[str] = None, notify_url: Optional[str] = None, is_sync: Optional[str] = None,
        product_code: Optional[str] = None, split_fund_info: Optional[Json] = None,
        extra: Extra = None) -> Dict[str, str]:
    """The params of a refund: names to text.

    ``out_return_no``: your id of this refund, the key that keeps it from happening twice. ``out_trade_no``: the
    payment. ``currency``: that of the payment, never CNY, also with ``return_rmb_amount`` (for a payment priced in
    ``rmb_fee``). ``gmt_return``: an aware datetime, 14 digits or ``yyyy-MM-dd HH:mm:ss`` in GMT+8; sent as 14 digits.
    ``is_sync``: ``"Y"`` does it within the call, without a notification. ``product_code``: that of the payment.
    AlipayHK requires ``reason`` and ``is_sync``.

    Raises :class:`InvalidRequest`. Source: forex_refund.

    >>> forex_refund(out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="1.00",
    ...              gmt_return="2015-03-20 12:00:00")["gmt_return"]
    '20150320120000'
    """
    return build(SERVICE, locals())
