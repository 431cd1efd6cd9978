"""``payments/refund``: a part or the whole of a paid payment, named by AMS's ``paymentId``. Source: refund_online."""
from .. import written
from ..gateway import Call, Said
from ..messages import iso


def refund(call: Call) -> Said:
    """Done, REFUND_IN_PROCESS, or the reason why not. Raises Refused."""
    members = call.members
    number, payment_id = members.need("refundRequestId"), members.need("paymentId")
    amount = members.amount("refundAmount")
    members.text("refundReason", 256)
    members.text("captureId")
    row = call.gateway.refunds.ask(call.client, number, payment_id, amount, members.flag("isAsyncRefund"),
                                   members.address("refundNotifyUrl") or "")
    told = {"refundRequestId": row["refund_request_id"], "refundId": row["refund_id"], "paymentId": row["payment_id"],
            "refundAmount": written.amount(row)}
    if row["refund_status"] == "SUCCESS":
        told["refundTime"] = iso(row["done_at"])
    return row["result_code"], told
