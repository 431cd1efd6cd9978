"""``payments/capture``: takes what an authorization has reserved. Source: capture."""
from .. import written
from ..gateway import Call, Said
from ..messages import iso


def capture(call: Call) -> Said:
    """Done, CAPTURE_IN_PROCESS, or the reason why not. Raises Refused."""
    members = call.members
    number, payment_id = members.need("captureRequestId"), members.need("paymentId")
    amount, last = members.amount("captureAmount"), members.flag("isLastCapture")
    row = call.gateway.captures.ask(call.client, number, payment_id, amount, last)
    told = {"captureRequestId": row["capture_request_id"], "captureId": row["capture_id"],
            "paymentId": row["payment_id"], "captureAmount": written.amount(row)}
    if row["capture_status"] == "SUCCESS":
        told["captureTime"] = iso(row["done_at"])
    return row["result_code"], told
