"""``single_trade_query``: a trade as it stands, signed, in CNY.

Only the fields that apply are there. Source: single_trade_query; the shapes of captured answers.
"""
from decimal import Decimal
from typing import Dict

from ..gateway import Call
from ..messages_out import seller_of
from ..refused import refuse
from ..reply import Reply
from ..trades import ESCROW, FOREX, NO_TRADE


def single_trade_query(call: Call) -> Reply:
    """The signed answer. Raises Refused: ILLEGAL_ARGUMENT (no id), TRADE_NOT_EXIST (nobody has logged in yet)."""
    params = call.checked()
    trade = call.gateway.trades.find(call.partner, params.get("out_trade_no"), params.get("trade_no"))
    if trade is None:
        raise refuse("TRADE_NOT_EXIST", "no such order of this merchant", "out_trade_no")
    if trade["trade_status"] == NO_TRADE:
        raise refuse("TRADE_NOT_EXIST", "the order is here, but no buyer has logged in for it yet", "out_trade_no")
    return call.xml("trade", fields_of(call, trade))


def fields_of(call: Call, trade) -> Dict[str, str]:
    """The elements of ``<trade>``."""
    asked, cny = trade["params"], trade["cny"]
    fields = {
        "trade_no": trade["trade_no"], "out_trade_no": trade["out_trade_no"], "trade_status": trade["trade_status"],
        "subject": asked.get("subject", ""), "body": asked.get("body", ""),
        "total_fee": cny, "price": cny, "quantity": "1", "discount": "0.00",
        "buyer_id": trade["buyer_id"], "buyer_email": trade["buyer_email"],
        "seller_id": seller_of(trade),
        "seller_email": call.merchant.seller_email,
        "gmt_create": trade["gmt_create"], "gmt_last_modified_time": trade["changed_at"],
        "gmt_payment": trade.get("gmt_payment"), "gmt_close": trade.get("gmt_close"),
        "gmt_send_goods": trade.get("gmt_send_goods"),
        "payment_type": "100" if trade["kind"] == FOREX else asked.get("payment_type", "1"),
        "is_total_fee_adjust": "F", "use_coupon": "F", "flag_trade_locked": "0", "operator_role": "B",
        "to_buyer_fee": trade["to_buyer_fee"], "to_seller_fee": _to_seller(trade),
        "additional_trade_status": trade.get("additional_trade_status"),
    }
    if "price" in asked:
        fields.update(price=asked["price"], quantity=asked["quantity"])
    if trade["trade_status"] == "WAIT_BUYER_PAY":
        fields.update(time_out=trade["due_at"], time_out_type="closeTrade")
    elif trade["trade_status"] == "TRADE_SUCCESS":
        fields.update(time_out=trade["due_at"], time_out_type="finishFPAction")
    if trade["kind"] == ESCROW:
        fields.update(logistics_fee=asked.get("logistics_fee"), logistics_status=(
            "WAIT_RECEIVER_CONFIRM_GOODS" if trade["trade_status"] == "WAIT_BUYER_CONFIRM_GOODS" else None))
    if trade["trade_status"] == "WAIT_BUYER_CONFIRM_GOODS":
        fields.update(time_out=trade["due_at"], time_out_type="autoFinishTradeAction")
    if trade.get("gmt_refund"):
        whole = Decimal(trade["to_buyer_fee"]) >= Decimal(cny)
        # With milliseconds, as since 2016.
        fields.update(gmt_refund=trade["gmt_refund"] + ".000", refund_status="REFUND_SUCCESS",
                      refund_fee=trade["to_buyer_fee"], refund_flow_type="3" if whole else "1")
    return fields


def _to_seller(trade):
    """Paid to the seller so far, which a refund does not reduce; escrow pays when the buyer has confirmed."""
    arrived = trade.get("gmt_payment") and (trade["kind"] != ESCROW or trade["trade_status"] == "TRADE_FINISHED")
    return trade["cny"] if arrived else "0.00"
