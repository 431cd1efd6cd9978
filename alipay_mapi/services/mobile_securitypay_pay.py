"""``mobile.securitypay.pay``: an order string that the shop's app hands to Alipay's SDK.

Two shapes: cross-border (``currency`` given) and mainland (no ``currency``). Nothing is sent to the gateway by the
shop; pass the params to ``build_order_string``.
"""
from typing import Dict, Optional

from .json_fields import split_fund_info as _split_fund_info
from .json_fields import trade_information as _trade_information
from .rules import at_most, build, builder, settlement_currency, wrong
from .table import REQUIRED, Amount, Extra, Json, Moment, Service

_CROSS_BORDER = ("rmb_fee", "forex_biz", "product_code", "split_fund_info", "trade_information", "payment_inst",
                 "secondary_merchant_id")


def _shape(params):
    if "currency" in params:
        at_most("body", params.get("body", ""), 400)
        if params["forex_biz"] != "FP":
            raise wrong("forex_biz", "is always FP")
    for name in ("subject", "body"):
        if any(word in params.get(name, "") for word in ("out_trade_no", "total_fee", "seller_id")):
            raise wrong(name, "must not hold the name of another parameter (out_trade_no, total_fee, seller_id): "
                              "Alipay's risk control blocks such an order")


SERVICE = Service(
    name="mobile.securitypay.pay", answer="sdk", source="mobile_securitypay_pay", writes=True,
    required=("seller_id", "out_trade_no", "subject"),
    optional=("total_fee", "rmb_fee", "currency", "body", "notify_url", "return_url", "it_b_pay", "forex_biz",
              "product_code", "appenv", "app_id", "extern_token", "auth_token", "refer_url", "show_url", "rn_check",
              "goods_type", "promo_params", "hb_fq_param", "secondary_merchant_id", "secondary_merchant_name",
              "secondary_merchant_industry", "split_fund_info", "trade_information", "payment_inst"),
    fixed={"payment_type": "1"},
    exactly_one=(("total_fee", "rmb_fee"),),
    together=(("secondary_merchant_id", "secondary_merchant_name", "secondary_merchant_industry"),),
    needs=tuple((name, "currency") for name in _CROSS_BORDER),
    longest={"subject": 256, "body": 512, "secondary_merchant_name": 64}, wide=("subject",),
    json_fields={"split_fund_info": _split_fund_info, "trade_information": _trade_information},
    checks=(settlement_currency, _shape),
)


@builder(SERVICE)
def mobile_securitypay_pay(
        *, seller_id: str = REQUIRED, out_trade_no: str = REQUIRED, subject: str = REQUIRED,
        total_fee: Optional[Amount] = None,
        rmb_fee: Optional[Amount] = None, currency: Optional[str] = None, body: Optional[str] = None,
        notify_url: Optional[str] = None, return_url: Optional[str] = None, it_b_pay: Optional[Moment] = None,
        forex_biz: Optional[str] = None, product_code: Optional[str] = None, appenv: Optional[str] = None,
        app_id: Optional[str] = None, extern_token: Optional[str] = None, auth_token: Optional[str] = None,
        refer_url: Optional[str] = None, show_url: Optional[str] = None, rn_check: Optional[str] = None,
        goods_type: Optional[str] = None, promo_params: Optional[str] = None, hb_fq_param: Optional[str] = None,
        secondary_merchant_id: Optional[str] = None, secondary_merchant_name: Optional[str] = None,
        secondary_merchant_industry: Optional[str] = None, split_fund_info: Optional[Json] = None,
        trade_information: Optional[Json] = None, payment_inst: Optional[str] = None,
        extra: Extra = None) -> Dict[str, str]:
    """The params of an in-app order: names to text, ``payment_type`` 1 included.

    With ``currency`` the order is cross-border: ``forex_biz`` FP and ``product_code`` NEW_WAP_OVERSEAS_SELLER are
    filled in, and exactly one of ``total_fee`` (in ``currency``) and ``rmb_fee`` is given. Without it the order is a
    mainland one in CNY and takes ``total_fee``. ``seller_id``: the partner id, or the login e-mail or mobile.
    ``it_b_pay``: 1m to 15d, 1c (end of the day) or an aware datetime. ``subject``: 256 bytes, 128 Chinese characters.

    Raises :class:`InvalidRequest`. Source: mobile_securitypay_pay.

    >>> mobile_securitypay_pay(seller_id="2088101122136241", out_trade_no="A1", subject="Tea", total_fee="1.00",
    ...                        currency="USD")["product_code"]
    'NEW_WAP_OVERSEAS_SELLER'
    """
    given = dict(locals())
    if currency:
        given.update(forex_biz=forex_biz or "FP", product_code=product_code or "NEW_WAP_OVERSEAS_SELLER")
    return build(SERVICE, given)
