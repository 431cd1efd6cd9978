"""``create_forex_trade``: a cross-border order paid in the browser of a computer.

The answer is an HTML page, so the URL goes to the buyer's browser; the result comes by notification, or by query.
"""
from typing import Dict, Optional

from .json_fields import split_fund_info as _split_fund_info
from .json_fields import trade_information as _trade_information
from .rules import build, builder, forex_order_no, settlement_currency, wrong
from .table import REQUIRED, Amount, Extra, Json, Moment, Service


def _window(params):
    seconds = int(params.get("order_valid_time", 2592000))
    if not 60 < seconds <= 2592000:
        raise wrong("order_valid_time", "more than 60 and at most 2592000 seconds (30 days), counted from "
                                        "order_gmt_create")


SERVICE = Service(
    name="create_forex_trade", answer="page", source="create_forex_trade", writes=True,
    required=("out_trade_no", "subject", "currency"),
    optional=("total_fee", "rmb_fee", "notify_url", "return_url", "body", "timeout_rule", "order_gmt_create",
              "order_valid_time", "auth_token", "supplier", "secondary_merchant_id", "secondary_merchant_name",
              "secondary_merchant_industry", "refer_url", "product_code", "split_fund_info", "trade_information",
              "qr_pay_mode", "qrcode_width", "payment_inst"),
    exactly_one=(("total_fee", "rmb_fee"),),
    together=(("order_gmt_create", "order_valid_time"),
              ("secondary_merchant_id", "secondary_merchant_name", "secondary_merchant_industry")),
    needs=(("qrcode_width", "qr_pay_mode"),),
    # The English page has 256 for the subject, the Chinese one 255: send what both take.
    longest={"subject": 255, "body": 400, "secondary_merchant_name": 64},
    json_fields={"split_fund_info": _split_fund_info, "trade_information": _trade_information},
    checks=(settlement_currency, forex_order_no, _window),
)


@builder(SERVICE)
def create_forex_trade(
        *, out_trade_no: str = REQUIRED, subject: str = REQUIRED, currency: str = REQUIRED,
        total_fee: Optional[Amount] = None,
        rmb_fee: Optional[Amount] = None, notify_url: Optional[str] = None, return_url: Optional[str] = None,
        body: Optional[str] = None, timeout_rule: Optional[str] = None, order_gmt_create: Optional[Moment] = None,
        order_valid_time: Optional[int] = None, auth_token: Optional[str] = None, supplier: Optional[str] = None,
        secondary_merchant_id: Optional[str] = None, secondary_merchant_name: Optional[str] = None,
        secondary_merchant_industry: Optional[str] = None, refer_url: Optional[str] = None,
        product_code: Optional[str] = "NEW_OVERSEAS_SELLER", split_fund_info: Optional[Json] = None,
        trade_information: Optional[Json] = None, qr_pay_mode: Optional[str] = None,
        qrcode_width: Optional[int] = None, payment_inst: Optional[str] = None, extra: Extra = None) -> Dict[str, str]:
    """The params of a cross-border web order: names to text, for ``build_request(shop, "create_forex_trade", …)``.

    Exactly one of ``total_fee`` (in ``currency``) and ``rmb_fee`` (in CNY), 0.01 to 1000000.00; JPY and KRW have no
    decimals. ``currency`` is the settlement currency of the contract, never CNY. ``order_valid_time``: seconds after
    ``order_gmt_create``, and wins over ``timeout_rule`` (5m 10m 15m 30m 1h 2h 3h 5h 10h 12h 1d 3d 7d 15d; others need
    to be configured at Alipay). The three ``secondary_merchant_*`` are for acquirers. ``product_code=None`` leaves it
    out (contracts from before it). ``qr_pay_mode``, ``qrcode_width``, ``payment_inst``: AlipayHK.

    Raises :class:`InvalidRequest`. Source: create_forex_trade.

    >>> params = create_forex_trade(out_trade_no="A1", subject="Tea", currency="USD", total_fee="12.30")
    >>> params["total_fee"], params["product_code"]
    ('12.30', 'NEW_OVERSEAS_SELLER')
    """
    return build(SERVICE, locals())
