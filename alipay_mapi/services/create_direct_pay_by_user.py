"""``create_direct_pay_by_user``: a mainland order in CNY, paid in the browser."""
from decimal import Decimal
from typing import Dict, Optional

from .rules import build, builder, wrong
from .table import REQUIRED, Amount, Extra, Moment, Service


def _bank(params):
    if params.get("paymethod") == "bankPay" and "defaultbank" not in params:
        raise wrong("defaultbank", "is required with paymethod=bankPay: give the bank's code")


SERVICE = Service(
    name="create_direct_pay_by_user", answer="page", source="create_direct_pay_by_user", writes=True,
    required=("out_trade_no", "subject", "payment_type"),
    optional=("seller_id", "seller_account_name", "seller_email", "total_fee", "price", "quantity", "notify_url",
              "return_url", "error_notify_url", "buyer_id", "buyer_account_name", "buyer_email", "body", "show_url",
              "paymethod", "enable_paymethod", "defaultbank", "need_ctu_check", "anti_phishing_key",
              "exter_invoke_ip", "extra_common_param", "extend_param", "it_b_pay", "default_login", "product_type",
              "sign_id_ext", "sign_name_ext", "need_buyer_realnamed", "item_orders_info", "goods_type",
              "hb_fq_param", "token", "qr_pay_mode", "qrcode_width", "royalty_type", "royalty_parameters"),
    exactly_one=(("total_fee", "price"),),
    at_least_one=(("seller_id", "seller_account_name", "seller_email"),),
    together=(("price", "quantity"), ("royalty_type", "royalty_parameters")),
    needs=(("anti_phishing_key", "exter_invoke_ip"), ("qrcode_width", "qr_pay_mode")),
    longest={"subject": 256, "body": 1000, "extra_common_param": 100, "token": 40, "exter_invoke_ip": 15},
    wide=("subject",),
    highest=Decimal("100000000.00"),
    checks=(_bank,),
)


@builder(SERVICE)
def create_direct_pay_by_user(
        *, out_trade_no: str = REQUIRED, subject: str = REQUIRED, payment_type: str = "1",
        seller_id: Optional[str] = None,
        seller_account_name: Optional[str] = None, seller_email: Optional[str] = None,
        total_fee: Optional[Amount] = None, price: Optional[Amount] = None, quantity: Optional[int] = None,
        notify_url: Optional[str] = None, return_url: Optional[str] = None, error_notify_url: Optional[str] = None,
        buyer_id: Optional[str] = None, buyer_account_name: Optional[str] = None, buyer_email: Optional[str] = None,
        body: Optional[str] = None, show_url: Optional[str] = None, paymethod: Optional[str] = None,
        enable_paymethod: Optional[str] = None, defaultbank: Optional[str] = None,
        need_ctu_check: Optional[str] = None, anti_phishing_key: Optional[str] = None,
        exter_invoke_ip: Optional[str] = None, extra_common_param: Optional[str] = None,
        extend_param: Optional[str] = None, it_b_pay: Optional[Moment] = None, default_login: Optional[str] = None,
        product_type: Optional[str] = None, sign_id_ext: Optional[str] = None, sign_name_ext: Optional[str] = None,
        need_buyer_realnamed: Optional[str] = None, item_orders_info: Optional[str] = None,
        goods_type: Optional[str] = None, hb_fq_param: Optional[str] = None, token: Optional[str] = None,
        qr_pay_mode: Optional[str] = None, qrcode_width: Optional[int] = None, royalty_type: Optional[str] = None,
        royalty_parameters: Optional[str] = None, extra: Extra = None) -> Dict[str, str]:
    """The params of a mainland web order: names to text.

    Either ``total_fee`` or ``price`` and ``quantity``, in CNY, 0.01 to 100000000.00. At least one of ``seller_id``,
    ``seller_account_name``, ``seller_email``; Alipay goes by the first of them. ``payment_type``: 1 purchase,
    4 donation, 47 e-voucher. ``subject``: 256 bytes, 128 Chinese characters. ``anti_phishing_key`` comes from
    ``query_timestamp`` and goes with the buyer's ``exter_invoke_ip``. ``extra_common_param`` comes back in the
    notification and the return.

    Raises :class:`InvalidRequest`. Source: create_direct_pay_by_user.

    >>> create_direct_pay_by_user(out_trade_no="A1", subject="Tea", seller_id="2088101122136241", price="0.01",
    ...                           quantity=1)["payment_type"]
    '1'
    """
    return build(SERVICE, locals())
