"""``payments/cancel``: the whole payment; one that is paid goes back to the buyer, with its fee. Source: cancel."""
from ..gateway import Call, Said
from ..messages import iso
from .inquiry_payment import ids


def cancel(call: Call) -> Said:
    """The time of the cancel, the same for every repetition. Raises Refused: ORDER_NOT_EXIST, ORDER_IS_CLOSED,
    ORDER_STATUS_INVALID, CANCEL_WINDOW_EXCEED."""
    request_id, number = ids(call)
    payments = call.gateway.payments
    with payments.acting():
        row = payments.cancel(payments.needed(call.client.client_id, request_id, number))
    return "SUCCESS", {"paymentId": row["payment_id"], "paymentRequestId": row["payment_request_id"],
                       "cancelTime": iso(row["cancelled_at"])}
