"""Captures of authorized card payments: once or in parts, within seven days, never more than was authorized.

Source: capture, notify_capture. The same ``captureRequestId`` again is the same result.
"""
from datetime import timedelta
from typing import Any, Dict, List

from ..refused import Refused, refuse
from ..trades import text
from . import ids
from .members import Amount, illegal
from .payments import CANCELLED, FAIL, SUCCESS, Listener, Payments

#: How long an asynchronous capture takes; ours.
DELAY = timedelta(minutes=1)


class Captures:
    """Captures of one ledger. ``listeners``: functions of (event, row); event is ``captured``."""

    def __init__(self, payments: Payments):
        self.payments, self.ledger = payments, payments.ledger
        self.listeners: List[Listener] = []
        payments.trades.due["ams_captures"] = self._carry_out
        payments.listeners.append(self._automatic)

    def ask(self, client: Any, capture_request_id: str, payment_id: str, amount: Amount,
            last: bool) -> Dict[str, Any]:
        """The capture's row: SUCCESS, PROCESSING, or FAIL with its code. Raises Refused: ORDER_NOT_EXIST,
        REPEAT_REQ_INCONSISTENT, PARAM_ILLEGAL."""
        with self.payments.acting() as now:
            payment = self.payments.needed(client.client_id, payment_id=payment_id)
            known = self.ledger.one("ams_captures", client_id=client.client_id, capture_request_id=capture_request_id)
            if known is not None:
                if (known["payment_id"], known["amount"], known["currency"]) != (payment_id, amount.value,
                                                                                 amount.currency):
                    raise refuse("REPEAT_REQ_INCONSISTENT", "this captureRequestId was sent with other content",
                                 "captureRequestId")
                return known
            if amount.currency != payment["currency"]:
                raise illegal("captureAmount.currency", "the payment is in another currency")
            problem = None
            try:
                self._check(client, payment, amount, text(now))
            except Refused as err:
                problem = err
            row = self._add(payment, capture_request_id, amount, last or not client.setting("multi_capture"), now,
                            problem)
            if problem is None and not client.setting("async_capture"):
                return self._carry_out(row, text(now))
            return row

    def _check(self, client, payment, amount, now):
        if not payment["authorization"]:
            raise refuse("AUTH_NOT_FOUND", "the payment is no authorization", "paymentId")
        if payment["payment_status"] == CANCELLED:
            expired = payment["result_code"] == "AUTH_EXPIRED"
            raise refuse("AUTH_EXPIRED" if expired else "AUTH_CANCELLED", "the authorization is over", "paymentId")
        if payment["payment_status"] != SUCCESS:
            raise refuse("ORDER_IS_CLOSED" if payment["payment_status"] == FAIL else "ORDER_STATUS_INVALID",
                         "the payment is {}".format(payment["payment_status"]), "paymentId")
        done = payment["captured"] + payment["capturing"]
        if done and not client.setting("multi_capture"):
            raise refuse("MULTI_CAPTURE_NOT_SUPPORTED", "one capture is all (setting multi_capture)", "paymentId")
        if payment["captures_over"]:
            expired = now >= payment["auth_expires_at"]
            raise refuse("AUTH_EXPIRED" if expired else "ORDER_STATUS_INVALID",
                         "seven days are over" if expired else "the last capture is done", "paymentId")
        if done + amount.value > payment["amount"]:
            raise refuse("CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT", "more than what is left of the authorization",
                         "captureAmount")

    def _add(self, payment, request_id, amount, last, now, problem=None):
        number = ids.number(self.payments.seed, "capture", payment["client_id"], request_id, now,
                            lambda found: self.ledger.one("ams_captures", capture_id=found) is not None)
        row = self.ledger.add("ams_captures", {
            "payment_request_id": payment["payment_request_id"], "amount": amount.value, "currency": amount.currency,
            "asked_at": text(now), "result_code": problem.code if problem else "CAPTURE_IN_PROCESS",
            "why": str(problem) if problem else ""},
            client_id=payment["client_id"], capture_request_id=request_id, capture_id=number,
            payment_id=payment["payment_id"], capture_status="FAIL" if problem else "PROCESSING",
            due_at=None if problem else text(now + DELAY))
        if problem is None:     # reserved at once, so that two captures cannot both take the rest
            self.ledger.change("ams_payments", payment, capturing=payment["capturing"] + amount.value,
                               captures_over=payment["captures_over"] or last)
        return row

    def _carry_out(self, row, moment):
        row = self.ledger.change("ams_captures", row, capture_status="SUCCESS", result_code="SUCCESS", due_at=None,
                                 done_at=moment)
        payment = self.ledger.get("ams_payments", payment_id=row["payment_id"])
        captured = payment["captured"] + row["amount"]
        over = captured >= payment["amount"] or payment["captures_over"]
        self.ledger.change("ams_payments", payment, captured=captured, capturing=payment["capturing"] - row["amount"],
                           captures_over=over, due_at=None if over else payment["due_at"])
        for listener in self.listeners:
            listener("captured", row)
        return row

    def _automatic(self, event, payment):
        """``captureMode`` AUTOMATIC: AMS captures by itself, at once."""
        if event == "paid" and payment["authorization"] and not payment["manual_capture"]:
            now = self.payments.clock.now()
            row = self._add(payment, payment["payment_id"], Amount(payment["currency"], payment["amount"]), True, now)
            self._carry_out(row, payment["paid_at"])
