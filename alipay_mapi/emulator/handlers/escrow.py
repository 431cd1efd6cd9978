"""Escrow: the buyer's money waits at Alipay until the goods have arrived.

``create_partner_trade_by_buyer`` is escrow. In ``trade_create_by_buyer`` the buyer chooses between escrow and an
instant payment; the emulator's buyer chooses escrow. ``send_goods_confirm_by_platform`` is the seller's word that the
goods are on their way. Source: create_partner_trade_by_buyer, trade_create_by_buyer, send_goods_confirm_by_platform.
"""
from decimal import Decimal
from typing import Any, Dict

from ...amounts import parse_discount
from ...errors import MalformedParameter
from ..gateway import Call
from ..money import rounded
from ..refused import refuse
from ..reply import Reply
from ..trades import ESCROW, NO_TRADE
from .batches import required, well_formed
from .create_direct_pay_by_user import account_of
from .create_forex_trade import check_words

#: How goods travel, and who pays for it.
LOGISTICS = ("POST", "EXPRESS", "EMS", "DIRECT")
PAYMENTS = ("BUYER_PAY", "SELLER_PAY", "BUYER_PAY_AFTER_RECEIVE")

#: What makes an order's amount and its end elsewhere, and means nothing on these pages.
_FOREIGN = ("currency", "rmb_fee", "timeout_rule", "order_gmt_create", "order_valid_time")
_TIMEOUTS = ("t_s_send_1", "t_s_send_2", "t_b_rec_post", "it_b_pay")
_CHECKED = ("out_trade_no", "subject", "body", "notify_url", "return_url", "show_url", "it_b_pay",
            "extra_common_param", "receive_name", "receive_address", "receive_zip", "receive_phone", "receive_mobile")


def create_order(call: Call) -> Dict[str, Any]:
    """The placed order. Raises Refused with a code of the pay services."""
    required(call, "out_trade_no")
    required(call, "subject", "SUBJECT_MUST_NOT_BE_NULL")
    for name in _CHECKED:
        well_formed(call, name)
    if required(call, "payment_type") != "1":
        raise refuse("ILLEGAL_PAYMENT_TYPE", "1, a purchase", "payment_type")
    _check_parties(call)
    for name in _TIMEOUTS:
        if call.params.get(name) and not call.merchant.setting("own_timeouts"):
            raise refuse("SELF_TIMEOUT_NOT_SUPPORT", "this merchant may not set timeouts of its own", name)
    check_words(call, call.params)
    # Kept as total_fee, which an escrow request never has: freight and discount belong to what the buyer pays.
    order = call.order({"total_fee": str(_total(call))})
    return call.gateway.trades.place(call.partner, call.service, {
        name: value for name, value in order.items() if name not in _FOREIGN}, kind=ESCROW)


def _check_parties(call):
    seller = call.params.get("seller_id") or call.params.get("seller_account_name") or required(call, "seller_email")
    seller = account_of(call, seller)
    if seller is None:
        raise refuse("SELLER_NOT_EXIST", "no test merchant has this account, nor has the setting sellers", "seller_id")
    if seller != call.partner and seller not in call.merchant.setting("sellers"):
        raise refuse("SELLER_NOT_IN_SPECIFIED_SELLERS", "the seller is none of this merchant's", "seller_id")
    buyer = call.params.get("buyer_id") or call.params.get("buyer_email")
    if buyer and account_of(call, buyer) is None:
        raise refuse("BUYER_NOT_EXIST", "no test buyer has this account", "buyer_id")
    if buyer and account_of(call, buyer) == seller:
        raise refuse("BUYER_SELLER_EQUAL", "the buyer is the seller", "buyer_id")


def _total(call) -> Decimal:
    """price x quantity, the freight that the buyer pays, and the (negative) discount."""
    if call.params.get("total_fee"):
        raise refuse("ILLEGAL_FEE_PARAM", "an escrow order has price and quantity, not total_fee", "total_fee")
    for name in ("price", "quantity", "logistics_fee"):
        required(call, name)
        well_formed(call, name, "ILLEGAL_FEE_PARAM")
    for name, allowed in (("logistics_type", LOGISTICS), ("logistics_payment", PAYMENTS)):
        if required(call, name) not in allowed:
            raise refuse("ILLEGAL_ARGUMENT", "one of {}".format(", ".join(allowed)), name)
    total = Decimal(call.params["price"]) * int(call.params["quantity"])
    if call.params["logistics_payment"] == "BUYER_PAY":
        total += Decimal(call.params["logistics_fee"])
    try:
        discount = parse_discount(call.params.get("discount") or "0")
    except MalformedParameter:
        discount = Decimal(1)
    if discount > 0:
        raise refuse("ILLEGAL_FEE_PARAM", "zero or a negative amount, such as -1.50", "discount")
    total = rounded(total + discount, 2)
    if not Decimal("0.01") <= total <= 100000000:
        raise refuse("ILLEGAL_FEE_PARAM", "the order comes to {}; from 0.01 to 100000000.00".format(total), "price")
    return total


def send_goods(call: Call) -> Reply:
    """The signed answer with the trade (its form is ours). Raises Refused: ILLEGAL_ARGUMENT, TRADE_NOT_EXIST,
    TRADE_STATUS_NOT_AVAILD (sic). Source: send_goods_confirm_by_platform."""
    for name, longest in (("trade_no", 64), ("logistics_name", 64)):
        if len(required(call, name)) > longest:
            raise refuse("ILLEGAL_ARGUMENT", "at most {} characters".format(longest), name)
    if len(call.params.get("invoice_no", "")) > 32:
        raise refuse("ILLEGAL_ARGUMENT", "at most 32 characters", "invoice_no")
    kinds = [call.params[name] for name in ("transport_type", "create_transport_type") if call.params.get(name)]
    if len(kinds) != 1 or kinds[0] not in LOGISTICS:
        raise refuse("ILLEGAL_ARGUMENT", "either it or create_transport_type, one of {}".format(", ".join(LOGISTICS)),
                     "transport_type")
    if kinds[0] != "DIRECT":
        required(call, "invoice_no")
    trade = call.gateway.trades.find(call.partner, trade_no=call.params["trade_no"])
    if trade is None or trade["trade_status"] == NO_TRADE:
        raise refuse("TRADE_NOT_EXIST", "no such trade of this merchant", "trade_no")
    trade = call.gateway.trades.ship(trade, call.params["logistics_name"])
    return call.xml("tradeBase", {"trade_no": trade["trade_no"], "out_trade_no": trade["out_trade_no"],
                                  "trade_status": trade["trade_status"],
                                  "gmt_send_goods": trade["gmt_send_goods"], "last_modified_time": trade["changed_at"]})


#: Service → (handler, what answers).
ROWS = {
    "create_partner_trade_by_buyer": (create_order, "page"),
    "trade_create_by_buyer": (create_order, "page"),
    "send_goods_confirm_by_platform": (send_goods, "xml"),
}
