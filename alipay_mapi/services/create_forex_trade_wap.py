"""``create_forex_trade_wap``: a cross-border order paid in the browser of a phone.

Like ``create_forex_trade``, in UTF-8 only (the Merchant's ``input_charset``), and with ``app_pay``.
"""
from typing import Dict, Optional

from .json_fields import split_fund_info as _split_fund_info
from .json_fields import trade_information as _trade_information
from .rules import build, builder, forex_order_no, settlement_currency
from .table import REQUIRED, Amount, Extra, Json, Service

SERVICE = Service(
    name="create_forex_trade_wap", answer="page", source="create_forex_trade_wap", writes=True,
    required=("out_trade_no", "subject", "currency"),
    optional=("total_fee", "rmb_fee", "notify_url", "return_url", "body", "timeout_rule", "order_create", "app_pay",
              "merchant_url", "auth_token", "supplier", "secondary_merchant_id", "secondary_merchant_name",
              "secondary_merchant_industry", "refer_url", "product_code", "split_fund_info", "trade_information",
              "payment_inst"),
    exactly_one=(("total_fee", "rmb_fee"),),
    together=(("secondary_merchant_id", "secondary_merchant_name", "secondary_merchant_industry"),),
    needs=(("order_create", "timeout_rule"),),
    longest={"subject": 255, "body": 400, "secondary_merchant_name": 64},
    json_fields={"split_fund_info": _split_fund_info, "trade_information": _trade_information},
    checks=(settlement_currency, forex_order_no),
)


@builder(SERVICE)
def create_forex_trade_wap(
        *, out_trade_no: str = REQUIRED, subject: str = REQUIRED, currency: str = REQUIRED,
        total_fee: Optional[Amount] = None,
        rmb_fee: Optional[Amount] = None, notify_url: Optional[str] = None, return_url: Optional[str] = None,
        body: Optional[str] = None, timeout_rule: Optional[str] = None, order_create: Optional[int] = None,
        app_pay: Optional[str] = None, merchant_url: Optional[str] = None, auth_token: Optional[str] = None,
        supplier: Optional[str] = None, secondary_merchant_id: Optional[str] = None,
        secondary_merchant_name: Optional[str] = None, secondary_merchant_industry: Optional[str] = None,
        refer_url: Optional[str] = None, product_code: Optional[str] = "NEW_WAP_OVERSEAS_SELLER",
        split_fund_info: Optional[Json] = None, trade_information: Optional[Json] = None,
        payment_inst: Optional[str] = None, extra: Extra = None) -> Dict[str, str]:
    """The params of a cross-border order on a phone: names to text.

    As :func:`create_forex_trade`. ``app_pay``: ``"Y"`` tries to open the Alipay app first. ``order_create``: seconds
    since 1970, with ``timeout_rule`` (1m to 15d). ``merchant_url``: seen in old clients only.

    Raises :class:`InvalidRequest`. Source: create_forex_trade_wap.

    >>> create_forex_trade_wap(out_trade_no="A1", subject="Tea", currency="JPY", total_fee=350)["total_fee"]
    '350'
    """
    return build(SERVICE, locals())
