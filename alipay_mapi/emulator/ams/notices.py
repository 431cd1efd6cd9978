"""What AMS tells a shop's address: who is notified of what, and how it is written, signed and acknowledged.

The address in the request wins over the dashboard's. A payment in a store that fails is not notified, nor is a cancel.
Source: paymentrn_online, notify_refund, notify_capture, nrs.
"""
import json
from typing import Any, Dict, Tuple
from urllib.parse import urlsplit

from ..clock import Clock
from ..ledger import Ledger
from . import broken, written
from .clients import Clients
from .codes import result
from .handlers.inquiry_registration_status import status_of
from .handlers.registration import ADDRESSES
from .messages import iso, milliseconds

PAYMENT, PENDING, REFUND, CAPTURE, REGISTRATION = (
    "PAYMENT_RESULT", "PAYMENT_PENDING", "REFUND_RESULT", "CAPTURE_RESULT", "REGISTRATION_STATUS")
#: What a notification of AMS can be about. The last one has no ``notifyType`` on the wire.
AMS_EVENTS = (PAYMENT, PENDING, REFUND, CAPTURE, REGISTRATION)


class Notices:
    """Listens to what becomes of payments and the rest, and queues notifications with ``notifier``, which sends them.

    ``token_of``: payment → its card's token, or None.
    """

    def __init__(self, ledger: Ledger, clock: Clock, clients: Clients, notifier: Any, token_of: Any):
        self.ledger, self.clock, self.clients, self.notifier = ledger, clock, clients, notifier
        self._token_of = token_of

    # --- making ---------------------------------------------------------------------------------------------------

    def on_payment(self, event: str, row: Dict[str, Any]) -> None:
        """A listener of Payments."""
        if event == "failed" and row["product"] == "IN_STORE_PAYMENT":
            return
        content = {"notifyType": PENDING if event == "pending" else PAYMENT,
                   "result": result("SUCCESS" if event == "pending" else row["result_code"])}
        content.update(written.order(row), **written.paid(row, self._token_of(row)))
        self._queue(row, content["notifyType"], content)

    def on_refund(self, event: str, row: Dict[str, Any]) -> None:
        """A listener of Refunds. The result is S even when the refund has failed: ``refundStatus`` tells."""
        content = {"notifyType": REFUND, "result": result("SUCCESS"), "refundStatus": row["refund_status"],
                   "refundRequestId": row["refund_request_id"], "refundId": row["refund_id"],
                   "refundAmount": written.amount(row)}
        if row.get("done_at"):
            content["refundTime"] = iso(row["done_at"])
        self._queue(row, REFUND, content, row["notify_url"])

    def on_capture(self, event: str, row: Dict[str, Any]) -> None:
        """A listener of Captures."""
        self._queue(row, CAPTURE, {
            "notifyType": CAPTURE, "result": result(row["result_code"]), "captureRequestId": row["capture_request_id"],
            "captureId": row["capture_id"], "paymentId": row["payment_id"], "captureAmount": written.amount(row),
            "captureTime": iso(row["done_at"])})

    def on_registration(self, event: str, row: Dict[str, Any]) -> None:
        """A listener of Registrations."""
        content = dict({"registrationRequestId": row["registration_request_id"],
                        "referenceMerchantId": row["reference_merchant_id"]}, **status_of(row))
        url = [row["content"][name] for name in ADDRESSES if name in row["content"]]
        self.notifier.queue(row["client_id"], row["registration_request_id"], REGISTRATION, content,
                            url[0] if url else self._usual(row["client_id"]), None, gateway="ams")

    def _queue(self, row, event, content, url=""):
        payment = row if "payment_status" in row else self.ledger.get("ams_payments", payment_id=row["payment_id"])
        if not url and event != REFUND:
            url = payment["content"].get("paymentNotifyUrl", "")
        self.notifier.queue(row["client_id"], row["payment_request_id"], event, content,
                            url or self._usual(row["client_id"]), None, gateway="ams")

    def _usual(self, client_id):
        return self.clients.of(client_id).setting("notify_url") or self.notifier.default_url

    # --- for the notifier -----------------------------------------------------------------------------------------

    def written(self, row: Dict[str, Any], way: str) -> Tuple[bytes, str, Tuple[Tuple[str, str], ...]]:
        """(body, Content-Type, further headers) of one send, signed for its moment; ``way``: how it is broken."""
        parts = urlsplit(row["url"])
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        notice = broken.notice(self.clients.of(row["partner"]), target, row["fields"], milliseconds(self.clock.now()),
                               way)
        return notice.body, notice.content_type, notice.headers

    @staticmethod
    def acknowledged(status: int, text: str) -> bool:
        """Status 200 and a JSON body whose ``resultStatus`` is S."""
        try:
            said = json.loads(text)
            return status == 200 and said["result"]["resultStatus"] == "S"
        except (ValueError, LookupError, TypeError, RecursionError):
            return False

    def repeats(self, row: Dict[str, Any]) -> bool:
        """The sandbox sends once."""
        return not self.clients.of(row["partner"]).sandbox
