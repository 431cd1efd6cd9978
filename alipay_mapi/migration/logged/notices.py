"""MAPI's notification, field by field: what the other gateways' notifications have in its place (section 3.8)."""
from typing import Dict, NamedTuple

AMS, OPENAPI = "ams", "openapi"
#: Where the other gateway has nothing of the kind.
NONE = "has no equal there"


class Place(NamedTuple):
    """What stands there in place of a field; :data:`NONE` where nothing does."""

    ams: str
    openapi: str


_SAME = "the same name"
_REFUND = "refunds have no notification of their own there: {} of the payment's"

#: Of a notification about a payment, and of every one.
FIELDS: Dict[str, Place] = {
    "notify_type": Place("notifyType: PAYMENT_RESULT; PAYMENT_PENDING is not final", _SAME),
    "notify_id": Place("none: make a key of notifyType, paymentId and the status (AmsNotification.key)", _SAME),
    "notify_time": Place("the header Request-Time", _SAME + ", GMT+8"),
    "sign": Place("the header Signature, over the path, the time and the raw body", _SAME + ", by OpenAPI's rule"),
    "sign_type": Place("none: RSA256 alone", _SAME + ": RSA2"),
    "_input_charset": Place("none: UTF-8 always", "charset"),
    "charset": Place("none: UTF-8 always", _SAME),
    "out_trade_no": Place("paymentRequestId", _SAME),
    "trade_no": Place("paymentId", _SAME),
    "trade_status": Place("result.resultStatus: S paid, F not paid", _SAME + "; TRADE_FINISHED: no refund any more"),
    "total_fee": Place("paymentAmount.value, in the smallest unit", "total_amount, in yuan"),
    "currency": Place("paymentAmount.currency", "none: yuan"),
    "gmt_create": Place("paymentCreateTime, any offset", _SAME + ", GMT+8"),
    "gmt_payment": Place("paymentTime, any offset; only when it is paid", _SAME + ", GMT+8"),
    "buyer_id": Place("pspCustomerInfo", "buyer_id, or buyer_open_id"),
    "buyer_email": Place("pspCustomerInfo", "buyer_logon_id, masked"),
    "seller_id": Place("none: it comes to the address of the client id", _SAME),
    "subject": Place(NONE + ": look the order up", _SAME),
    "body": Place(NONE + ": look the order up", _SAME),
}
#: Of a notification about a refund, over those above.
REFUND_FIELDS: Dict[str, Place] = {
    "notify_type": Place("notifyType: REFUND_RESULT", _REFUND.format("notify_type")),
    "notify_id": Place("none: make a key of notifyType, refundId and the status (AmsNotification.key)", _SAME),
    "out_trade_no": Place("none: look the order up by refundRequestId", _SAME),
    "out_return_no": Place("refundRequestId", _REFUND.format("out_biz_no")),
    "refund_status": Place("refundStatus: SUCCESS or FAIL; result alone does not decide",
                           _REFUND.format("trade_status and refund_fee")),
    "return_amount": Place("refundAmount.value, in the smallest unit", _REFUND.format("refund_fee")),
    "currency": Place("refundAmount.currency", "none: yuan"),
    "error_code": Place("result.resultCode", NONE + ": ask alipay.trade.fastpay.refund.query"),
    "gmt_refund": Place("refundTime, any offset", _REFUND.format("gmt_refund")),
}
#: What is answered.
ACK = Place("JSON whose result.resultStatus is S (ack_taken of migration.ams), in place of the word success",
            "the word success, as on MAPI")


def place_of(name: str, target: str, is_refund: bool) -> str:
    """What the notification of ``target`` has in place of the field ``name``.

    >>> place_of("trade_no", "ams", False), place_of("use_coupon", "openapi", False)
    ('paymentId', 'has no equal there')
    """
    found = (REFUND_FIELDS.get(name) if is_refund else None) or FIELDS.get(name)
    return NONE if found is None else found.ams if target == AMS else found.openapi
