"""The state machine of orders and trades: what an order may become, and when.

An order is what the shop's URL asked for. A trade exists from the moment at which the buyer logs in at the cashier; a
query before that says TRADE_NOT_EXIST. Cross-border trades are TRADE_FINISHED when paid and stay so when refunded;
mainland ones are TRADE_SUCCESS, TRADE_FINISHED three months later, and TRADE_CLOSED when fully refunded.

Source: "trade_status", create_forex_trade, create_direct_pay_by_user; what no page says is marked as ours.
"""
import random
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Callable, Dict, List, Optional

from ..errors import InvalidRequest, show
from ..times import GMT8, parse_time
from .clock import Clock
from .ledger import Ledger
from .merchants import BUYERS, Buyer
from .money import order_amounts
from .refused import refuse

#: The status of an order that nobody has logged in for: there is no trade yet.
NO_TRADE = "NO_TRADE"
#: What an order is: cross-border, mainland, or mainland with escrow.
FOREX, MAINLAND, ESCROW = "forex", "mainland", "escrow"
#: The statuses in which the buyer has paid.
PAID = ("TRADE_SUCCESS", "TRADE_FINISHED", "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS")

#: TRADE_SUCCESS to TRADE_FINISHED ("three months"), and the escrow's ten days from shipment to the end.
FINISH_AFTER = timedelta(days=90)
CONFIRM_AFTER = timedelta(days=10)

_PERIOD = re.compile(r"([0-9]+)([mhd])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days"}
_AGAIN = (("total_fee", "TRADE_TOTALFEE_NOT_MATCH"), ("rmb_fee", "TRADE_TOTALFEE_NOT_MATCH"),
          ("currency", "TRADE_TOTALFEE_NOT_MATCH"), ("price", "TRADE_PRICE_NOT_MATCH"),
          ("quantity", "TRADE_QUANTITY_NOT_MATCH"), ("seller_id", "TRADE_SELLER_NOT_MATCH"),
          ("buyer_id", "TRADE_BUYER_NOT_MATCH"))


class Trades:
    """Orders and trades of one ledger.

    ``listeners``: functions of (event, row), called inside the transaction; event is ``waiting``, ``paid``,
    ``closed``, ``finished`` or ``shipped``. The notifier is one.
    """

    def __init__(self, ledger: Ledger, clock: Clock, seed: Optional[int] = None):
        self.ledger, self.clock = ledger, clock
        self.listeners: List[Callable[[str, Dict[str, Any]], None]] = []
        self._random = random.Random(seed)

    # --- orders ---------------------------------------------------------------------------------------------------

    def place(self, partner: str, service: str, params: Dict[str, str], kind: Optional[str] = None,
              basic: bool = False) -> Dict[str, Any]:
        """The buyer's browser (or the app) brings an order. The same order again is the same row.

        ``kind``: FOREX, MAINLAND (the default without a ``currency``) or ESCROW. ``basic``: TRADE_FINISHED at once.
        Raises Refused: a number that is used again with other content, or whose trade is over.
        """
        with self.ledger.transaction():
            self.settle()
            known = self.ledger.one("trades", partner=partner, out_trade_no=params["out_trade_no"])
            if known is None:
                return self._new_order(partner, service, params, kind, basic)
            if known["trade_status"] == "TRADE_CLOSED":
                raise refuse("TRADE_HAS_CLOSE", "the trade of this order is closed; use a new out_trade_no",
                             "out_trade_no")
            if known["trade_status"] not in (NO_TRADE, "WAIT_BUYER_PAY"):
                raise refuse("TRADE_NOT_ALLOWED_PAY", "the order is paid already", "out_trade_no")
            for name, code in _AGAIN:
                if known["params"].get(name) != params.get(name):
                    raise refuse(code, "the same out_trade_no was ordered before with another {}".format(name), name)
            return self.ledger.change("trades", known, params=params)

    def _new_order(self, partner, service, params, kind, basic):
        currency = params.get("currency")
        kind = kind or (FOREX if currency else MAINLAND)
        total, cny = order_amounts(params, currency)
        due = None
        if "order_gmt_create" in params:
            due = text(parse_time(params["order_gmt_create"]) + timedelta(seconds=int(params["order_valid_time"])))
        now = self.now()
        return self.ledger.add("trades", {
            "kind": kind, "service": service, "params": params, "currency": currency, "total_fee": total, "cny": cny,
            "refunded": "0", "refunded_cny": "0", "to_buyer_fee": "0.00", "ordered_at": now, "basic": basic,
        }, partner=partner, out_trade_no=params["out_trade_no"], trade_status=NO_TRADE, due_at=due, changed_at=now)

    def find(self, partner: str, out_trade_no: Optional[str] = None,
             trade_no: Optional[str] = None) -> Optional[Dict[str, Any]]:
        """The order as it is now, by Alipay's number (which wins) or the shop's; None when there is none."""
        self.settle()
        if trade_no:
            return self.ledger.one("trades", trade_no=trade_no, partner=partner)
        return self.ledger.one("trades", partner=partner, out_trade_no=out_trade_no)

    def only(self, out_trade_no: str, partner: Optional[str] = None) -> Dict[str, Any]:
        """The order with this number. Raises InvalidRequest: there is none, or two merchants have one."""
        self.settle()
        where = {"out_trade_no": out_trade_no}
        if partner is not None:
            where["partner"] = partner
        found = self.ledger.rows("trades", **where)
        if len(found) != 1:
            raise InvalidRequest("out_trade_no: {}".format(
                "no order {} has reached the gateway".format(show(out_trade_no)) if not found
                else "more than one merchant has an order {}; name the partner too".format(show(out_trade_no))),
                parameter="out_trade_no")
        return found[0]

    # --- what the buyer does --------------------------------------------------------------------------------------

    def log_in(self, row: Dict[str, Any], buyer: Buyer = BUYERS[0]) -> Dict[str, Any]:
        """The buyer logs in at the cashier: the trade exists from now on, and waits for the payment.

        Raises Refused: the order is for another buyer, somebody else has logged in, or its time is over.
        """
        with self.ledger.transaction():
            row = self._fresh(row)
            wanted = row["params"].get("buyer_id") or row["params"].get("buyer_email")
            if wanted and wanted not in (buyer.buyer_id, buyer.buyer_email):
                raise refuse("TRADE_BUYER_NOT_MATCH", "the order names another buyer", "buyer_id")
            if row["trade_status"] != NO_TRADE:
                if row.get("buyer_id") not in (None, buyer.buyer_id):
                    raise refuse("TRADE_BUYER_NOT_MATCH", "another buyer has logged in for this order", "buyer_id")
                return row
            now = self.clock.now()
            if row["due_at"] is not None and row["due_at"] <= text(now):
                raise refuse("SESSION_TIMEOUT", "the time for this order is over (order_valid_time)",
                             "order_valid_time")
            due = row["due_at"] or text(now + timeout_of(row["params"], now))
            row = self.ledger.change("trades", row, trade_status="WAIT_BUYER_PAY", trade_no=self._trade_no(now),
                                     gmt_create=text(now), due_at=due, changed_at=text(now),
                                     buyer_id=buyer.buyer_id, buyer_email=buyer.buyer_email)
            self._tell("waiting", row)
            return row

    def pay(self, row: Dict[str, Any], buyer: Buyer = BUYERS[0]) -> Dict[str, Any]:
        """The buyer pays (and logs in first, if he has not).

        Raises Refused: the trade is over or paid, or the buyer has not enough money.
        """
        with self.ledger.transaction():
            row = self._fresh(self.log_in(row, buyer))
            if row["trade_status"] == "TRADE_CLOSED":
                raise refuse("TRADE_HAS_CLOSE", "the trade is closed", "trade_status")
            if row["trade_status"] != "WAIT_BUYER_PAY":
                raise refuse("TRADE_NOT_ALLOWED_PAY", "the trade is {}".format(row["trade_status"]), "trade_status")
            if buyer.balance is not None and Decimal(buyer.balance) < Decimal(row["cny"]):
                raise refuse("BUYER_BALANCE_NOT_ENOUGH", "this buyer has not enough money", "total_fee")
            if buyer.limit is not None and Decimal(buyer.limit) < Decimal(row["cny"]):
                raise refuse("BEYOND_PAY_RESTRICTION", "the amount is over this buyer's limit", "total_fee")
            now = self.clock.now()
            status, due = "TRADE_FINISHED", None
            if row["kind"] == ESCROW:
                status = "WAIT_SELLER_SEND_GOODS"
            elif row["kind"] == MAINLAND and not row["basic"]:
                status, due = "TRADE_SUCCESS", text(now + FINISH_AFTER)
            row = self.ledger.change("trades", row, trade_status=status, gmt_payment=text(now), changed_at=text(now),
                                     due_at=due)
            self._tell("paid", row)
            return row

    # --- what the seller and the clock do -------------------------------------------------------------------------

    def close(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """An unpaid trade is closed, by the buyer or the seller. Raises Refused when there is none, or it is paid."""
        with self.ledger.transaction():
            row = self._fresh(row)
            if row["trade_status"] == NO_TRADE:
                raise refuse("TRADE_NOT_EXIST", "the buyer has not logged in, so there is no trade to close",
                             "trade_status")
            if row["trade_status"] != "WAIT_BUYER_PAY":
                raise refuse("TRADE_STATUS_NOT_AVAILD", "only a trade that waits for its payment can be closed",
                             "trade_status")
            return self._closed(row, self.now(), None)

    def ship(self, row: Dict[str, Any], logistics_name: str) -> Dict[str, Any]:
        """Escrow: the seller has sent the goods. Raises Refused from any other state."""
        with self.ledger.transaction():
            row = self._fresh(row)
            if row["trade_status"] != "WAIT_SELLER_SEND_GOODS":
                raise refuse("TRADE_STATUS_NOT_AVAILD", "only a paid escrow trade can be shipped", "trade_status")
            now = self.clock.now()
            row = self.ledger.change("trades", row, trade_status="WAIT_BUYER_CONFIRM_GOODS", gmt_send_goods=text(now),
                                     changed_at=text(now), due_at=text(now + CONFIRM_AFTER),
                                     logistics_name=logistics_name)
            self._tell("shipped", row)
            return row

    def confirm(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """Escrow: the buyer has the goods. Raises Refused from any other state."""
        with self.ledger.transaction():
            row = self._fresh(row)
            if row["trade_status"] != "WAIT_BUYER_CONFIRM_GOODS":
                raise refuse("TRADE_STATUS_NOT_AVAILD", "only a shipped escrow trade can be confirmed", "trade_status")
            return self._finished(row, self.now())

    def settle(self) -> None:
        """Carry out what the clock has made due: time-outs, TRADE_FINISHED."""
        now = self.now()
        first = self.ledger.next_due("trades", "due_at")
        if first is None or first > now:
            return
        with self.ledger.transaction():
            for row in self.ledger.due("trades", "due_at", now):
                if row["trade_status"] == "WAIT_BUYER_PAY":
                    self._closed(row, row["due_at"], "DAEMON_CONFIRM_CLOSE")
                elif row["trade_status"] in PAID:
                    self._finished(row, row["due_at"])
                else:   # nobody ever logged in: there is no trade that could be closed
                    self.ledger.change("trades", row, due_at=None, expired_at=row["due_at"])

    def now(self) -> str:
        """The clock's time as Alipay writes it."""
        return text(self.clock.now())

    def _closed(self, row, at, additional):
        row = self.ledger.change("trades", row, trade_status="TRADE_CLOSED", gmt_close=at, changed_at=at, due_at=None,
                                 additional_trade_status=additional)
        self._tell("closed", row)
        return row

    def _finished(self, row, at):
        row = self.ledger.change("trades", row, trade_status="TRADE_FINISHED", gmt_close=at, changed_at=at, due_at=None)
        self._tell("finished", row)
        return row

    def _fresh(self, row):
        self.settle()
        return self.ledger.one("trades", id=row["id"])

    def _tell(self, event, row):
        for listener in self.listeners:
            listener(event, row)

    def _trade_no(self, now):
        """28 digits, as since 2015: the day, and the rest as it comes."""
        while True:
            number = now.strftime("%Y%m%d") + "001004" + "".join(self._random.choice("0123456789") for _ in range(14))
            if self.ledger.one("trades", trade_no=number) is None:
                return number


def text(moment: datetime) -> str:
    """``yyyy-MM-dd HH:mm:ss`` in GMT+8: sorts as it reads."""
    return moment.astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def timeout_of(params: Dict[str, str], now: datetime) -> timedelta:
    """From login to payment: ``timeout_rule`` or ``it_b_pay``, by default 12 hours (mainland: 15 days).

    >>> timeout_of({"timeout_rule": "90m"}, None)
    datetime.timedelta(seconds=5400)
    """
    rule = params.get("timeout_rule") or params.get("it_b_pay")
    if not rule:
        return timedelta(hours=12) if "currency" in params else timedelta(days=15)
    if rule == "1c":
        return now.replace(hour=23, minute=59, second=59, microsecond=0) - now
    period = _PERIOD.fullmatch(rule)
    if period is None:
        return max(parse_time(rule) - now, timedelta(0))
    return timedelta(**{_UNIT[period.group(2)]: int(period.group(1))})
