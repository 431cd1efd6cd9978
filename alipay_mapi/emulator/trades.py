"""The state machine of orders and trades: what an order may become, and when.

An order is what the shop's URL asked for. A trade exists from the moment at which the buyer logs in at the cashier; a
query before that says TRADE_NOT_EXIST. Cross-border trades are TRADE_FINISHED when paid and stay so when refunded;
mainland ones are TRADE_SUCCESS, TRADE_FINISHED three months later, and TRADE_CLOSED when fully refunded.

Source: "trade_status", create_forex_trade, create_direct_pay_by_user; what no page says is marked as ours.
"""
import itertools
import random
import re
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Callable, Dict, Iterator, List, Optional

from ..errors import InvalidRequest, show
from ..times import GMT8, parse_time
from .clock import Clock
from .ledger import Ledger
from .merchants import BUYERS, Buyer
from .money import order_amounts
from .refused import Refused, refuse

#: The status of an order that nobody has logged in for: there is no trade yet.
NO_TRADE = "NO_TRADE"
#: What an order is: cross-border, mainland, or mainland with escrow.
FOREX, MAINLAND, ESCROW = "forex", "mainland", "escrow"
#: The statuses in which the buyer has paid.
PAID = ("TRADE_SUCCESS", "TRADE_FINISHED", "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS")

#: TRADE_SUCCESS to TRADE_FINISHED ("three months"), and the escrow's ten days from shipment to the end.
FINISH_AFTER = timedelta(days=90)
CONFIRM_AFTER = timedelta(days=10)

_SURROGATE = re.compile("[\ud800-\udfff]")
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
        self._seed = seed
        #: What the clock sets off: table (with a column ``due_at``) → function of (row, its moment as text).
        self.due: Dict[str, Callable[[Dict[str, Any], str], Any]] = {"trades": self._time_over, "plans": self._planned}

    # --- orders ---------------------------------------------------------------------------------------------------

    def place(self, partner: str, service: str, params: Dict[str, str], kind: Optional[str] = None,
              basic: bool = False) -> Dict[str, Any]:
        """The buyer's browser (or the app) brings an order. The same order again is the same row.

        ``kind``: FOREX, MAINLAND (the default without a ``currency``) or ESCROW. ``basic``: TRADE_FINISHED at once.
        Raises Refused: a number that is used again with other content, or whose trade is over.
        """
        with self.acting():
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
            if known["trade_status"] != NO_TRADE:
                return self.ledger.change("trades", known, params=params)
            return self.ledger.change("trades", known, params=params, due_at=_valid_until(params), expired_at=None)

    def _new_order(self, partner, service, params, kind, basic):
        currency = params.get("currency")
        kind = kind or (FOREX if currency else MAINLAND)
        total, cny = order_amounts(params, currency)
        now = self.now()
        return self.ledger.add("trades", {
            "kind": kind, "service": service, "params": params, "currency": currency, "total_fee": total, "cny": cny,
            "refunded": "0", "refunded_cny": "0", "to_buyer_fee": "0.00", "ordered_at": now, "basic": basic,
        }, partner=partner, out_trade_no=params["out_trade_no"], trade_status=NO_TRADE,
            due_at=_valid_until(params), changed_at=now)

    def find(self, partner: str, out_trade_no: Optional[str] = None,
             trade_no: Optional[str] = None) -> Optional[Dict[str, Any]]:
        """The order as it is now, by Alipay's number (which wins) or the shop's; None when there is none."""
        self.settle()
        if trade_no:
            return self.ledger.one("trades", trade_no=trade_no, partner=partner)
        return self.ledger.one("trades", partner=partner, out_trade_no=out_trade_no)

    def only(self, out_trade_no: str, partner: Optional[str] = None) -> Dict[str, Any]:
        """The order with this number. Raises InvalidRequest: there is none, or two merchants have one."""
        for name, value in (("out_trade_no", out_trade_no), ("partner", partner or "")):
            if not isinstance(value, str) or _SURROGATE.search(value):
                raise InvalidRequest("{}: give it as text".format(name), parameter=name)
        self.settle()
        where: Dict[str, Any] = {"out_trade_no": out_trade_no}
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
        with self.acting() as now:
            row = self._fresh(row)
            asked = row["params"]
            wanted = asked.get("buyer_id") or asked.get("buyer_account_name") or asked.get("buyer_email")
            if wanted and wanted not in (buyer.buyer_id, buyer.buyer_email):
                raise refuse("TRADE_BUYER_NOT_MATCH", "the order names another buyer", "buyer_id")
            if row["trade_status"] != NO_TRADE:
                if row.get("buyer_id") not in (None, buyer.buyer_id):
                    raise refuse("TRADE_BUYER_NOT_MATCH", "another buyer has logged in for this order", "buyer_id")
                return row
            due = row.get("expired_at") or row["due_at"] or text(now + timeout_of(row["params"], now))
            if due <= text(now):
                name = "order_valid_time" if "order_valid_time" in row["params"] else "it_b_pay"
                raise refuse("SESSION_TIMEOUT", "the time for this order is over since {}".format(due), name)
            row = self.ledger.change("trades", row, trade_status="WAIT_BUYER_PAY", trade_no=self._trade_no(row, now),
                                     gmt_create=text(now), due_at=due, changed_at=text(now),
                                     buyer_id=buyer.buyer_id, buyer_email=buyer.buyer_email)
            self._tell("waiting", row)
            return row

    def pay(self, row: Dict[str, Any], buyer: Buyer = BUYERS[0]) -> Dict[str, Any]:
        """The buyer pays (and logs in first, if he has not).

        Raises Refused: the trade is over or paid, or the buyer has not enough money.
        """
        with self.acting() as now:
            return self._paid(self.log_in(row, buyer), buyer, text(now))

    def pay_later(self, row: Dict[str, Any], seconds: float, buyer: Buyer = BUYERS[0]) -> Dict[str, Any]:
        """The buyer logs in now and pays after so many seconds, unless the trade is over by then. Raises Refused."""
        with self.acting() as now:
            row = self.log_in(row, buyer)
            _check_payable(row, buyer)
            self.ledger.add("plans", {"buyer_id": buyer.buyer_id, "planned_at": text(now)}, partner=row["partner"],
                            out_trade_no=row["out_trade_no"], due_at=text(now + timedelta(seconds=seconds)))
            return row

    def _paid(self, row, buyer, at):
        _check_payable(row, buyer)
        status, due = "TRADE_FINISHED", None
        if row["kind"] == ESCROW:
            status = "WAIT_SELLER_SEND_GOODS"
        elif row["kind"] == MAINLAND and not row["basic"]:
            status, due = "TRADE_SUCCESS", text(parse_time(at) + FINISH_AFTER)
        row = self.ledger.change("trades", row, trade_status=status, gmt_payment=at, changed_at=at, due_at=due)
        self._tell("paid", row)
        return row

    # --- what the seller and the clock do -------------------------------------------------------------------------

    def close(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """An unpaid trade is closed, by the buyer or the seller. Raises Refused when there is none, or it is paid."""
        with self.acting() as now:
            row = self._fresh(row)
            if row["trade_status"] == NO_TRADE:
                raise refuse("TRADE_NOT_EXIST", "the buyer has not logged in, so there is no trade to close",
                             "trade_status")
            if row["trade_status"] != "WAIT_BUYER_PAY":
                raise refuse("TRADE_STATUS_NOT_AVAILD", "only a trade that waits for its payment can be closed",
                             "trade_status")
            return self._closed(row, text(now), None)

    def ship(self, row: Dict[str, Any], logistics_name: str) -> Dict[str, Any]:
        """Escrow: the seller has sent the goods. Raises Refused from any other state."""
        with self.acting() as now:
            row = self._fresh(row)
            if row["trade_status"] != "WAIT_SELLER_SEND_GOODS":
                raise refuse("TRADE_STATUS_NOT_AVAILD", "only a paid escrow trade can be shipped", "trade_status")
            row = self.ledger.change("trades", row, trade_status="WAIT_BUYER_CONFIRM_GOODS", gmt_send_goods=text(now),
                                     changed_at=text(now), due_at=text(now + CONFIRM_AFTER),
                                     logistics_name=logistics_name)
            self._tell("shipped", row)
            return row

    def confirm(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """Escrow: the buyer has the goods. Raises Refused from any other state."""
        with self.acting() as now:
            row = self._fresh(row)
            if row["trade_status"] != "WAIT_BUYER_CONFIRM_GOODS":
                raise refuse("TRADE_STATUS_NOT_AVAILD", "only a shipped escrow trade can be confirmed", "trade_status")
            return self._finished(row, text(now))

    def settle(self, now: Optional[str] = None) -> None:
        """Carry out what the clock has made due, in the order of its times: time-outs, TRADE_FINISHED, payments that
        were planned, refunds. Each happens at its own moment, however late it is carried out."""
        now = now or self.now()
        moment = self.next_due()
        if moment is None or moment > now:
            return
        with self.ledger.transaction():
            while moment is not None and moment <= now:
                for table, happens in self.due.items():     # at the same moment: in the order of the table
                    rows = self.ledger.due(table, "due_at", moment, limit=1)
                    if rows:
                        happens(rows[0], moment)
                        break
                moment = self.next_due()

    @contextmanager
    def acting(self) -> Iterator[datetime]:
        """A change by somebody, at one moment (which is handed out) and by one thread at a time. What the clock has
        made due comes first, and stays done when the change is refused."""
        with self.ledger.held():
            now = self.clock.now()
            self.settle(text(now))
            with self.ledger.transaction():
                yield now

    def next_due(self) -> Optional[str]:
        """When something happens next by itself, or None."""
        times = [self.ledger.next_due(table, "due_at") for table in self.due]
        return min([moment for moment in times if moment is not None], default=None)

    def _time_over(self, row, moment):
        if row["trade_status"] == "WAIT_BUYER_PAY":
            self._closed(row, moment, "DAEMON_CONFIRM_CLOSE")
        elif row["trade_status"] in PAID:
            self._finished(row, moment)
        else:   # nobody ever logged in: there is no trade that could be closed
            self.ledger.change("trades", row, due_at=None, expired_at=moment)

    def _planned(self, plan, moment):
        """The payment of :meth:`pay_later`; what is in its way stays with the plan."""
        row = self.ledger.get("trades", partner=plan["partner"], out_trade_no=plan["out_trade_no"])
        buyer = [one for one in BUYERS if one.buyer_id == plan["buyer_id"]][0]
        outcome = "paid"
        try:
            self._paid(row, buyer, moment)
        except Refused as err:
            outcome = err.code
        self.ledger.change("plans", plan, due_at=None, outcome=outcome)

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
        return self.ledger.get("trades", id=row["id"])

    def _tell(self, event, row):
        for listener in self.listeners:
            listener(event, row)

    def _trade_no(self, row, now):
        """28 digits, as since 2015: the day, and the rest drawn from the seed and the order, or from nothing."""
        for turn in itertools.count():
            drawn = random.SystemRandom() if self._seed is None else random.Random("trade:{}:{}:{}:{}".format(
                self._seed, row["partner"], row["out_trade_no"], turn))
            number = now.strftime("%Y%m%d") + "001004" + "".join(drawn.choice("0123456789") for _ in range(14))
            if self.ledger.one("trades", trade_no=number) is None:
                return number


def _check_payable(row, buyer):
    if row["trade_status"] == "TRADE_CLOSED":
        raise refuse("TRADE_HAS_CLOSE", "the trade is closed", "trade_status")
    if row["trade_status"] != "WAIT_BUYER_PAY":
        raise refuse("TRADE_NOT_ALLOWED_PAY", "the trade is {}".format(row["trade_status"]), "trade_status")
    if buyer.balance is not None and Decimal(buyer.balance) < Decimal(row["cny"]):
        raise refuse("BUYER_BALANCE_NOT_ENOUGH", "this buyer has not enough money", "total_fee")
    if buyer.limit is not None and Decimal(buyer.limit) < Decimal(row["cny"]):
        raise refuse("BEYOND_PAY_RESTRICTION", "the amount is over this buyer's limit", "total_fee")


def _valid_until(params) -> Optional[str]:
    """The end of an order that nobody has logged in for: only ``order_valid_time`` gives it one."""
    if "order_gmt_create" not in params or "order_valid_time" not in params:
        return None
    return text(parse_time(params["order_gmt_create"]) + timedelta(seconds=int(params["order_valid_time"])))


def text(moment: datetime) -> str:
    """``yyyy-MM-dd HH:mm:ss`` in GMT+8: sorts as it reads."""
    return moment.astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def timeout_of(params: Dict[str, str], now: datetime) -> timedelta:
    """From login to payment: ``timeout_rule`` or ``it_b_pay``, by default 12 hours (mainland: 15 days).

    >>> timeout_of({"timeout_rule": "90m"}, None).total_seconds()
    5400.0
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
