"""Refunds of AMS's payments: once per ``refundRequestId``, now or a minute later, never beyond what is left.

Source: refund_online, ir_online, notify_refund; idempotency: the same id again is the same result, also when it was no.
"""
from datetime import timedelta
from decimal import Decimal
from typing import Any, Dict, List

from ...times import parse_time
from ..merchants import TestMerchants
from ..refused import Refused, refuse
from ..trades import text
from . import ids, money
from .members import Amount, illegal
from .payments import CANCELLED, FAIL, SUCCESS, Listener, Payments

#: From payment to the last day of a refund; by payment method there, one number here.
WINDOW = timedelta(days=365)
#: How long an asynchronous refund takes; ours.
DELAY = timedelta(minutes=1)


class Refunds:
    """Refunds of one ledger; ``merchants``: for the balance, which MAPI's refunds take from too. ``listeners``:
    functions of (event, row); event is ``refunded`` or ``refund_failed``."""

    def __init__(self, payments: Payments, merchants: TestMerchants):
        self.payments, self.ledger, self.merchants = payments, payments.ledger, merchants
        self.listeners: List[Listener] = []
        payments.trades.due["ams_refunds"] = self._carry_out

    def ask(self, client: Any, refund_request_id: str, payment_id: str, amount: Amount, asynchronous: bool = False,
            notify_url: str = "") -> Dict[str, Any]:
        """The refund's row: SUCCESS, PROCESSING, or FAIL with its code. Raises Refused: ORDER_NOT_EXIST,
        REPEAT_REQ_INCONSISTENT, PARAM_ILLEGAL."""
        with self.payments.acting() as now:
            payment = self.payments.needed(client.client_id, payment_id=payment_id)
            known = self.ledger.one("ams_refunds", client_id=client.client_id, refund_request_id=refund_request_id)
            if known is not None:
                if (known["payment_id"], known["amount"], known["currency"]) != (payment_id, amount.value,
                                                                                 amount.currency):
                    raise refuse("REPEAT_REQ_INCONSISTENT", "this refundRequestId was sent with other content",
                                 "refundRequestId")
                return known
            if amount.currency != payment["currency"]:
                raise illegal("refundAmount.currency", "the payment is in another currency")
            later = asynchronous or client.setting("async_refund")
            problem = None
            try:
                self._check(client, payment, amount, now)
                if not later:
                    self._check_balance(payment, amount)
            except Refused as err:
                problem = err
            row = self._add(payment, refund_request_id, amount, now, notify_url, problem)
            return row if problem is not None or later else self._carry_out(row, text(now))

    def _check(self, client, payment, amount, now):
        status = payment["payment_status"]
        if status != SUCCESS:
            raise refuse({CANCELLED: "ORDER_IS_CANCELED", FAIL: "ORDER_IS_CLOSED"}.get(status, "ORDER_STATUS_INVALID"),
                         "the payment is {}".format(status), "paymentId")
        if now - parse_time(payment["paid_at"]) > WINDOW:
            raise refuse("REFUND_WINDOW_EXCEED", "its {} days for refunds are over".format(WINDOW.days), "paymentId")
        taken = payment["captured"] if payment["authorization"] else payment["amount"]
        if not taken:
            raise refuse("ORDER_STATUS_INVALID", "nothing is captured yet; cancel the authorization", "paymentId")
        if payment["refunded"] and not client.setting("multi_refund"):
            raise refuse("MULTIPLE_REFUNDS_NOT_SUPPORTED", "one refund is all (setting multi_refund)", "paymentId")
        if payment["refunded"] + amount.value > taken:
            raise refuse("REFUND_AMOUNT_EXCEED", "more than what is left of the payment", "refundAmount")

    def _check_balance(self, payment, amount):
        balance = self.merchants.of(payment["partner"]).setting("balance")
        if balance is not None and Decimal(balance) < money.cny(amount):
            raise refuse("MERCHANT_BALANCE_NOT_ENOUGH", "the merchant's balance does not cover it", "refundAmount")

    def _add(self, payment, request_id, amount, now, notify_url, problem):
        number = ids.number(self.payments.seed, "refund", payment["client_id"], request_id, now,
                            lambda found: self.ledger.one("ams_refunds", refund_id=found) is not None)
        row = self.ledger.add("ams_refunds", {
            "payment_request_id": payment["payment_request_id"], "amount": amount.value, "currency": amount.currency,
            "asked_at": text(now), "notify_url": notify_url,
            "result_code": problem.code if problem else "REFUND_IN_PROCESS", "why": str(problem) if problem else ""},
            client_id=payment["client_id"], refund_request_id=request_id, refund_id=number,
            payment_id=payment["payment_id"], refund_status="FAIL" if problem else "PROCESSING",
            due_at=None if problem else text(now + DELAY))
        if problem is None:     # reserved at once, so that two refunds cannot both take the rest
            self.ledger.change("ams_payments", payment, refunded=payment["refunded"] + amount.value)
        return row

    def _carry_out(self, row, moment):
        payment = self.ledger.get("ams_payments", payment_id=row["payment_id"])
        amount = Amount(row["currency"], row["amount"])
        try:
            self._check_balance(payment, amount)
        except Refused as err:
            self.ledger.change("ams_payments", payment, refunded=payment["refunded"] - row["amount"])
            return self._over(row, "refund_failed", refund_status="FAIL", result_code=err.code, why=str(err),
                              due_at=None)
        balance = self.merchants.of(payment["partner"]).setting("balance")
        if balance is not None:
            self.merchants.change(payment["partner"], balance=str(Decimal(balance) - money.cny(amount)))
        return self._over(row, "refunded", refund_status="SUCCESS", result_code="SUCCESS", due_at=None, done_at=moment)

    def _over(self, row, event, **changes):
        row = self.ledger.change("ams_refunds", row, **changes)
        for listener in self.listeners:
            listener(event, row)
        return row
