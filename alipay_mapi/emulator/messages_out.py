"""What the gateway says to a shop's addresses: the fields of notifications and returns, and their signed bytes.

Fields as captured: a cross-border web payment is notified in ten fields, without a seller; mainland and in-app
payments in the rich form. Source: "Fields of a forex payment notification", "Notifications" of both gateways.
"""
import re
from typing import Dict, Mapping, Optional
from urllib.parse import quote_plus

from .. import charsets, signing
from ..merchant import Merchant
from ..presign import presign_string
from .trades import ESCROW, FOREX

#: Alipay's own header, stray ``text/html`` included.
CONTENT_TYPE = "application/x-www-form-urlencoded; text/html; charset={}"


_PARTNER = re.compile("[0-9]{16}", re.ASCII)
#: What an escrow notification repeats of the order.
_ESCROW = ("logistics_type", "logistics_fee", "logistics_payment", "receive_name", "receive_address", "receive_zip",
           "receive_phone", "receive_mobile")


def trade_fields(trade, seller_email: str) -> Dict[str, str]:
    """The business fields of a ``trade_status_sync``; without notify_id, notify_time and sign."""
    asked = trade["params"]
    fields = {"notify_type": "trade_status_sync", "out_trade_no": trade["out_trade_no"],
              "trade_no": trade["trade_no"], "trade_status": trade["trade_status"], "total_fee": trade["total_fee"]}
    if trade["kind"] == FOREX:
        fields["currency"] = trade["currency"]
        if trade["service"] != "mobile.securitypay.pay":
            return fields
    fields.update({
        "subject": asked.get("subject", ""), "body": asked.get("body", "")[:400],
        "buyer_id": trade["buyer_id"], "buyer_email": trade["buyer_email"],
        "seller_id": seller_of(trade),
        "seller_email": seller_email, "gmt_create": trade["gmt_create"], "gmt_payment": trade.get("gmt_payment") or "",
        "gmt_close": trade.get("gmt_close") or "", "price": asked.get("price", trade["total_fee"]),
        "quantity": asked.get("quantity", "1"), "discount": "0.00", "payment_type": asked.get("payment_type", "1"),
        "is_total_fee_adjust": "N", "use_coupon": "N", "extra_common_param": asked.get("extra_common_param", ""),
        "refund_status": trade.get("refund_status") or "", "gmt_refund": trade.get("gmt_refund") or "",
    })
    if trade["trade_status"] == "TRADE_FINISHED":
        fields["gmt_close"] = fields["gmt_close"] or trade["gmt_payment"]
    if trade["kind"] == ESCROW:
        fields.update({name: asked.get(name, "") for name in _ESCROW})
        fields["gmt_send_goods"] = trade.get("gmt_send_goods") or ""
        fields["seller_actions"] = "SEND_GOODS" if trade["trade_status"] == "WAIT_SELLER_SEND_GOODS" else ""
    return fields


def seller_of(trade) -> str:
    """The seller's number: the order's ``seller_id`` when it is one (the app may send an e-mail or a mobile)."""
    wanted = trade["params"].get("seller_id", "")
    return wanted if _PARTNER.fullmatch(wanted) else trade["partner"]


def refund_fields(refund) -> Dict[str, str]:
    """The business fields of the notification that belongs to one ``out_return_no``."""
    return {"notify_type": "trade_status_sync", "out_trade_no": refund["out_trade_no"],
            "out_return_no": refund["out_return_no"], "refund_status": refund["refund_status"],
            "error_code": refund.get("error_code", ""), "currency": refund["currency"] or "",
            "return_amount": refund["amount"]}


def return_fields(trade, seller_email: str, notify_id: str, notify_time: str) -> Dict[str, str]:
    """What the browser brings back to ``return_url``. Cross-border: five fields; mainland: those of direct pay."""
    if trade["kind"] == FOREX:
        return {"out_trade_no": trade["out_trade_no"], "total_fee": trade["total_fee"],
                "trade_status": trade["trade_status"], "trade_no": trade["trade_no"], "currency": trade["currency"]}
    fields = trade_fields(trade, seller_email)
    names = ("body", "buyer_email", "buyer_id", "out_trade_no", "payment_type", "seller_email", "seller_id", "subject",
             "total_fee", "trade_no", "trade_status", "extra_common_param", "notify_type")
    found = {name: fields[name] for name in names}
    found.update(exterface=trade["service"], is_success="T", notify_id=notify_id, notify_time=notify_time)
    return found


def signed(signer: Merchant, fields: Mapping[str, str], charset: Optional[str]) -> Dict[str, str]:
    """``fields`` without empty ones, with ``sign`` and ``sign_type``."""
    params = {name: value for name, value in fields.items() if value}
    data = presign_string(params).encode(codec_of(charset))
    params["sign"] = signing.sign(signer.sign_type, signer.signing_key, data)
    params["sign_type"] = signer.sign_type
    return params


def encoded(params: Mapping[str, str], charset: Optional[str]) -> bytes:
    """As a form body or a query, in the request's charset (GBK without one)."""
    codec = codec_of(charset)
    return "&".join(quote_plus(name) + "=" + quote_plus(value.encode(codec)) for name, value in params.items()).encode(
        "ascii")


def content_type(charset: Optional[str]) -> str:
    """Alipay's header for a body in this charset."""
    return CONTENT_TYPE.format(charset if charsets.known(charset) else "GBK")


def codec_of(charset: Optional[str]) -> str:
    """The codec of a request's ``_input_charset``; GBK for one that was empty, or that only the app let through."""
    return charsets.reading_codec(charset if charsets.known(charset) else None)
