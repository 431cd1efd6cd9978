"""``payments/inquiryPayment``: ``result`` speaks about the question, ``paymentStatus`` about the payment.

Source: paymentri_online.
"""
from .. import written
from ..codes import CODES
from ..gateway import Call, Said
from ..members import illegal


def inquiry_payment(call: Call) -> Said:
    """The payment as it stands. ``paymentId`` wins. Raises Refused: ORDER_NOT_EXIST."""
    gateway, (request_id, number) = call.gateway, ids(call)
    with gateway.ledger.held():     # the payment and its refunds as they stand at one moment
        return "SUCCESS", _told(gateway, call.client.client_id, request_id, number)


def _told(gateway, client_id, request_id, number):
    row = gateway.payments.needed(client_id, request_id, number)
    told = dict(written.order(row), paymentStatus=row["payment_status"], paymentResultCode=row["result_code"],
                paymentResultMessage=CODES[row["result_code"]][1])
    token = gateway.token_of(row)
    told.update(written.paid(row, token))
    if row.get("card"):
        told["cardInfo"] = written.card(row, token)
    where = {"client_id": row["client_id"], "payment_id": row["payment_id"]}
    moves = written.transactions(row, gateway.ledger.rows("ams_captures", **where),
                                 gateway.ledger.rows("ams_refunds", **where))
    if moves:
        told["transactions"] = moves
    return told


def ids(call: Call):
    """(paymentRequestId, paymentId), of which one at least is there. Raises Refused."""
    request_id, number = call.members.text("paymentRequestId"), call.members.text("paymentId")
    if request_id is None and number is None:
        raise illegal("paymentRequestId", "give it, or the paymentId")
    return request_id, number
