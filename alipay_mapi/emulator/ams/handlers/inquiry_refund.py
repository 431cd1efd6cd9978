"""``payments/inquiryRefund``: ``refundStatus`` speaks about the refund. Source: ir_online."""
from ...refused import refuse
from .. import written
from ..gateway import Call, Said
from ..members import illegal
from ..messages import iso


def inquiry_refund(call: Call) -> Said:
    """The refund as it stands. ``refundId`` wins. Raises Refused: ORDER_NOT_EXIST."""
    request_id, number = call.members.text("refundRequestId"), call.members.text("refundId")
    if request_id is None and number is None:
        raise illegal("refundRequestId", "give it, or the refundId")
    call.gateway.payments.trades.settle()
    where = {"refund_id": number} if number is not None else {"refund_request_id": request_id}
    row = call.gateway.ledger.one("ams_refunds", client_id=call.client.client_id, **where)
    if row is None:
        raise refuse("ORDER_NOT_EXIST", "this client has no such refund", "refundRequestId")
    told = {"refundStatus": row["refund_status"], "refundRequestId": row["refund_request_id"],
            "refundId": row["refund_id"], "refundAmount": written.amount(row)}
    if row.get("done_at"):
        told["refundTime"] = iso(row["done_at"])
    return "SUCCESS", told
