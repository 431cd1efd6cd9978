"""Registrations of secondary merchants: PROCESSING, then COMPLETED or REJECTED. (On the wire: PENDING, then COMPLETED
with what the wallet said, APPROVED or REJECTED.)

How one ends is the client's setting ``registration``: approved or rejected after a minute, or reviewed by hand.
Source: registration, irs, iri, nrs.
"""
from datetime import timedelta
from typing import Any, Dict, List, Optional

from ..refused import refuse
from ..trades import text
from .payments import Listener, Payments

DELAY = timedelta(minutes=1)
PROCESSING, COMPLETED, REJECTED = "PROCESSING", "COMPLETED", "REJECTED"


class Registrations:
    """``listeners``: functions of (event, row); event is ``registration``."""

    def __init__(self, payments: Payments):
        self.payments, self.ledger = payments, payments.ledger
        self.listeners: List[Listener] = []
        payments.trades.due["ams_registrations"] = self._decide

    def ask(self, client: Any, registration_request_id: str, reference_merchant_id: str,
            content: Dict[str, Any]) -> Dict[str, Any]:
        """The registration's row. Raises Refused: REPEAT_REQ_INCONSISTENT, REPEAT_REGISTRATION,
        REGISTRATION_UNDER_REVIEW."""
        with self.payments.acting() as now:
            known = self.ledger.one("ams_registrations", client_id=client.client_id,
                                    registration_request_id=registration_request_id)
            if known is not None:
                if known["content"] != content:
                    raise refuse("REPEAT_REQ_INCONSISTENT", "this registrationRequestId was sent with other content",
                                 "registrationRequestId")
                return known
            for one in self.ledger.rows("ams_registrations", client_id=client.client_id,
                                        reference_merchant_id=reference_merchant_id):
                if one["registration_status"] == COMPLETED:
                    raise refuse("REPEAT_REGISTRATION", "this merchant is registered", "referenceMerchantId")
                if one["registration_status"] == PROCESSING:
                    raise refuse("REGISTRATION_UNDER_REVIEW", "this merchant is under review", "referenceMerchantId")
            ends = client.setting("registration")
            return self.ledger.add("ams_registrations", {
                "content": content, "asked_at": text(now), "ends": ends, "reason": ""}, client_id=client.client_id,
                registration_request_id=registration_request_id, reference_merchant_id=reference_merchant_id,
                registration_status=PROCESSING, due_at=None if ends == "review" else text(now + DELAY))

    def needed(self, client_id: str, registration_request_id: Optional[str],
               reference_merchant_id: Optional[str]) -> Dict[str, Any]:
        """The registration with this id, or the newest of this merchant. Raises Refused: RECORD_NOT_FOUND."""
        self.payments.trades.settle()
        where: Dict[str, Any] = {"client_id": client_id}
        if registration_request_id is not None:
            where["registration_request_id"] = registration_request_id
        if reference_merchant_id is not None:
            where["reference_merchant_id"] = reference_merchant_id
        found = self.ledger.rows("ams_registrations", limit=1, newest=True, **where)
        if not found:
            raise refuse("RECORD_NOT_FOUND", "this client has registered no such merchant",
                         "registrationRequestId" if registration_request_id is not None else "referenceMerchantId")
        return found[0]

    def review(self, client_id: str, registration_request_id: str, approved: bool, reason: str) -> Dict[str, Any]:
        """Somebody at AMS decides. Raises Refused."""
        with self.payments.acting() as now:
            row = self.needed(client_id, registration_request_id, None)
            if row["registration_status"] != PROCESSING:
                raise refuse("ORDER_STATUS_INVALID", "the registration is {}".format(row["registration_status"]),
                             "registrationRequestId")
            return self._over(row, approved, reason, text(now))

    def is_registered(self, client_id: str, reference_merchant_id: Optional[str]) -> bool:
        """Is this merchant's registration complete?"""
        return any(row["registration_status"] == COMPLETED for row in self.ledger.rows(
            "ams_registrations", client_id=client_id, reference_merchant_id=reference_merchant_id or ""))

    def _decide(self, row, moment):
        self._over(row, row["ends"] == "approve", "" if row["ends"] == "approve" else "setting registration", moment)

    def _over(self, row, approved, reason, at):
        row = self.ledger.change("ams_registrations", row, registration_status=COMPLETED if approved else REJECTED,
                                 reason=reason, done_at=at, due_at=None)
        for listener in self.listeners:
            listener("registration", row)
        return row
