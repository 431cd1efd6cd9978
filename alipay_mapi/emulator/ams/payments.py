"""The state machine of AMS's payments: PROCESSING, PENDING, then SUCCESS, FAIL or CANCELLED, and when.

A payment exists from the pay call on. A wallet's is paid, refused, or closed when its time is over; a card's is
authorized (``isAuthorization``) and captured, or paid at once. What was cancelled stays so.
Source: payment_cashier, paymentri_online, cancel, capture; what no page says is told in docs/emulator.md.
"""
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from ...errors import InvalidRequest, show
from ...times import GMT8, parse_time
from ..merchants import BUYERS, Buyer
from ..refused import refuse
from ..trades import Trades, text
from . import cards, ids, money
from .members import Amount

PROCESSING, PENDING, SUCCESS, FAIL, CANCELLED = "PROCESSING", "PENDING", "SUCCESS", "FAIL", "CANCELLED"
OPEN = (PROCESSING, PENDING)

#: From an authorization to the end of captures, and of a cancel.
AUTHORIZED_FOR = timedelta(days=7)
#: "until 00:15 (GMT+8) of the next day".
CANCEL_UNTIL = time(0, 15)

Listener = Callable[[str, Dict[str, Any]], None]


class Order(NamedTuple):
    """What a pay call asks for. ``page``: where the buyer goes: wallet, card, 3ds, or "" for nowhere. ``key``: what a
    repetition must have in common with it. ``content``: the body, without card numbers."""

    client_id: str
    partner: str
    payment_request_id: str
    amount: Amount
    method: str
    product: str
    scenario: str
    page: str
    expires: timedelta
    authorization: bool
    manual_capture: bool
    key: Dict[str, Any]
    content: Dict[str, Any]


class Payments:
    """Payments of one ledger. ``trades``: whose clock sets things off. ``listeners``: functions of (event, row), called
    inside the transaction; event is ``paid``, ``failed`` or ``pending``."""

    def __init__(self, trades: Trades, seed: Optional[int] = None):
        self.trades, self.ledger, self.clock = trades, trades.ledger, trades.clock
        self.acting = trades.acting
        self.listeners: List[Listener] = []
        self.seed = seed
        trades.due["ams_payments"] = self._time_over

    # --- finding --------------------------------------------------------------------------------------------------

    def find(self, client_id: str, payment_request_id: Optional[str] = None,
             payment_id: Optional[str] = None) -> Optional[Dict[str, Any]]:
        """The payment as it is now, by AMS's id (which wins) or the shop's; None when there is none."""
        self.trades.settle()
        if payment_id is not None:
            return self.ledger.one("ams_payments", payment_id=payment_id, client_id=client_id)
        return self.ledger.one("ams_payments", client_id=client_id, payment_request_id=payment_request_id)

    def needed(self, client_id: str, payment_request_id: Optional[str] = None,
               payment_id: Optional[str] = None) -> Dict[str, Any]:
        """As :meth:`find`. Raises Refused: ORDER_NOT_EXIST."""
        row = self.find(client_id, payment_request_id, payment_id)
        if row is None:
            raise refuse("ORDER_NOT_EXIST", "this client has no such payment",
                         "paymentId" if payment_id is not None else "paymentRequestId")
        return row

    def only(self, payment_request_id: str, client_id: Optional[str] = None) -> Dict[str, Any]:
        """The payment with this number, for what people do. Raises InvalidRequest: none, or two clients have one."""
        self.trades.settle()
        where: Dict[str, Any] = {"payment_request_id": payment_request_id}
        if client_id is not None:
            where["client_id"] = client_id
        found = self.ledger.rows("ams_payments", **where)
        if len(found) != 1:
            raise InvalidRequest("payment_request_id: {}".format(
                "no payment {} has reached AMS".format(show(payment_request_id)) if not found
                else "more than one client has a payment {}; name the client_id too".format(show(payment_request_id))),
                parameter="payment_request_id")
        return found[0]

    # --- making ---------------------------------------------------------------------------------------------------

    def make(self, order: Order) -> Dict[str, Any]:
        """A new payment, PROCESSING. Call it inside of ``acting``."""
        now = self.clock.now()
        number = ids.number(self.seed, "payment", order.client_id, order.payment_request_id, now,
                            lambda found: self.ledger.one("ams_payments", payment_id=found) is not None)
        expires = text(now + order.expires)
        return self.ledger.add("ams_payments", {
            "partner": order.partner, "amount": order.amount.value, "currency": order.amount.currency,
            "cny": str(money.cny(order.amount)), "method": order.method, "product": order.product,
            "scenario": order.scenario, "page": order.page, "authorization": order.authorization,
            "manual_capture": order.manual_capture, "key": order.key, "content": order.content,
            "created_at": text(now), "expires_at": expires, "result_code": "PAYMENT_IN_PROCESS", "captured": 0,
            "capturing": 0, "captures_over": False, "refunded": 0, "fee": 0,
        }, client_id=order.client_id, payment_request_id=order.payment_request_id, payment_id=number,
            payment_status=PROCESSING, due_at=expires, changed_at=text(now))

    # --- what the buyer does --------------------------------------------------------------------------------------

    def pay(self, row: Dict[str, Any], buyer: Buyer) -> Dict[str, Any]:
        """The buyer pays at the wallet. Raises Refused: it is over, or the buyer has not the money."""
        with self.acting() as now:
            row = self.open(row)
            self.check_buyer(row, buyer)
            return self.succeed(row, text(now), buyer)

    def pay_later(self, row: Dict[str, Any], seconds: float, buyer: Buyer) -> Dict[str, Any]:
        """The buyer pays after so many seconds, unless the payment is over by then. Raises Refused."""
        with self.acting() as now:
            row = self.open(row)
            if row["method"] == "CARD":
                raise refuse("ORDER_STATUS_INVALID", "a card is not paid with later", "paymentMethodType")
            self.check_buyer(row, buyer)
            due = text(now + timedelta(seconds=seconds))
            return self.ledger.change("ams_payments", row, planned_at=due, planned_buyer=buyer.buyer_id,
                                      due_at=min(due, row["expires_at"]))

    def authorize(self, row: Dict[str, Any], card: cards.Card) -> Dict[str, Any]:
        """The buyer gives a card: paid (or authorized), refused by the bank, or now at 3-D Secure (``page`` "3ds").
        Raises Refused when the payment is over or has been given a card."""
        with self.acting() as now:
            row = self.open(row)
            if row["method"] != "CARD":
                raise refuse("ORDER_STATUS_INVALID", "this payment is no card's", "paymentMethodType")
            if row["page"] == "3ds":
                raise refuse("ORDER_STATUS_INVALID", "a card is given already; the bank asks the buyer", "page")
            row = self.ledger.change("ams_payments", row, card=card.number, page="3ds" if card.challenge else "")
            return row if card.challenge else self._decided(row, card, text(now))

    def challenge(self, row: Dict[str, Any], passed: bool) -> Dict[str, Any]:
        """The buyer has passed 3-D Secure, or failed. Raises Refused when nobody has asked."""
        with self.acting() as now:
            row = self.open(row)
            if row["page"] != "3ds":
                raise refuse("ORDER_STATUS_INVALID", "the bank has not asked the buyer", "page")
            if not passed:
                return self.fail(row, "PROCESS_FAIL", text(now))
            return self._decided(row, cards.find_card(row["card"]), text(now))

    def refuse(self, row: Dict[str, Any], code: str) -> Dict[str, Any]:
        """The buyer refuses, or the wallet does: FAIL with ``code``. Raises Refused when it is over."""
        with self.acting() as now:
            return self.fail(self.open(row), code, text(now))

    def pend(self, row: Dict[str, Any], buyer: Buyer) -> Dict[str, Any]:
        """The buyer has done his part, and the bank takes its time: PENDING. Raises Refused."""
        with self.acting() as now:
            row = self.ledger.change("ams_payments", self.open(row), payment_status=PENDING, buyer_id=buyer.buyer_id,
                                     changed_at=text(now))
            self._tell("pending", row)
            return row

    # --- what becomes of it ---------------------------------------------------------------------------------------

    def open(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """The row as it is now. Raises Refused when it is no longer open."""
        row = self.ledger.get("ams_payments", id=row["id"])
        if row["payment_status"] in OPEN:
            return row
        raise refuse({CANCELLED: "ORDER_IS_CANCELED", FAIL: "ORDER_IS_CLOSED"}.get(
            row["payment_status"], "ORDER_STATUS_INVALID"), "the payment is {}".format(row["payment_status"]),
            "paymentStatus")

    @staticmethod
    def check_buyer(row, buyer: Buyer) -> None:
        """Raises Refused when this buyer cannot pay so much."""
        cny = money.cny(Amount(row["currency"], row["amount"]))
        if buyer.balance is not None and Decimal(buyer.balance) < cny:
            raise refuse("USER_BALANCE_NOT_ENOUGH", "this buyer has not enough money", "paymentAmount")
        if buyer.limit is not None and Decimal(buyer.limit) < cny:
            raise refuse("USER_AMOUNT_EXCEED_LIMIT", "the amount is over this buyer's limit", "paymentAmount")

    def succeed(self, row, at: str, buyer: Optional[Buyer] = None) -> Dict[str, Any]:
        """Paid, or authorized."""
        changes: Dict[str, Any] = {"fee": money.fee_of(Amount(row["currency"], row["amount"]))}
        if buyer is not None:
            changes["buyer_id"] = buyer.buyer_id
        if row["authorization"]:
            changes["auth_expires_at"] = changes["due_at"] = text(parse_time(at) + AUTHORIZED_FOR)
        else:
            changes["due_at"] = None
        row = self.ledger.change("ams_payments", row, payment_status=SUCCESS, result_code="SUCCESS", paid_at=at,
                                 changed_at=at, page="", **changes)
        self._tell("paid", row)
        return self.ledger.get("ams_payments", id=row["id"])

    def fail(self, row, code: str, at: str) -> Dict[str, Any]:
        row = self.ledger.change("ams_payments", row, payment_status=FAIL, result_code=code, changed_at=at, due_at=None)
        self._tell("failed", row)
        return row

    def cancel(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """The shop cancels; again is the same. Raises Refused: closed, too late, captured or refunded."""
        with self.acting() as now:
            row = self.ledger.get("ams_payments", id=row["id"])
            if row["payment_status"] == CANCELLED:
                return row
            if row["payment_status"] == FAIL:
                raise refuse("ORDER_IS_CLOSED", "the payment has failed", "paymentStatus")
            if row["refunded"]:
                raise refuse("ORDER_STATUS_INVALID", "a part of it was refunded; refund the rest", "refundAmount")
            if row["authorization"] and row["payment_status"] == SUCCESS:
                over = row["captured"] or row["capturing"] or text(now) > row["auth_expires_at"]
            else:
                over = now > _cancel_end(parse_time(row["created_at"]))
            if over:
                raise refuse("CANCEL_WINDOW_EXCEED", "captured, or its time to be cancelled is over; refund it",
                             "paymentId")
            return self._cancelled(row, text(now), "ORDER_IS_CANCELED")

    def _cancelled(self, row, at, code):
        return self.ledger.change("ams_payments", row, payment_status=CANCELLED, result_code=code, changed_at=at,
                                  cancelled_at=at, due_at=None, fee=0)

    def _decided(self, row, card, at):
        return self.succeed(row, at) if card.code == "SUCCESS" else self.fail(row, card.code, at)

    def _time_over(self, row, moment):
        if row["payment_status"] == SUCCESS:    # an authorization; what was not captured goes back to the buyer
            if row["captured"] or row["capturing"]:
                self.ledger.change("ams_payments", row, due_at=None, captures_over=True)
            else:
                self._cancelled(row, moment, "AUTH_EXPIRED")
            return
        if row.get("planned_at") and row["planned_at"] < row["expires_at"]:
            buyer = [one for one in BUYERS if one.buyer_id == row["planned_buyer"]][0]
            self.succeed(row, moment, buyer)
            return
        self.fail(row, "ORDER_IS_CLOSED", moment)

    def _tell(self, event, row):
        for listener in self.listeners:
            listener(event, row)


def _cancel_end(created: datetime) -> datetime:
    """00:15 of the next day, in GMT+8."""
    return datetime.combine(created.astimezone(GMT8).date() + timedelta(days=1), CANCEL_UNTIL).replace(tzinfo=GMT8)
