"""The state machine of refunds: asked for once per ``out_return_no``, carried out now or later, never beyond the rest.

Source: forex_refund; "Query fallback, timeouts, refunds"; refund_fastpay_by_platform_nopwd for mainland trades.
"""
from datetime import timedelta
from decimal import Decimal
from typing import Any, Callable, Dict, List, Optional

from ..amounts import decimals_of, format_amount
from ..errors import InvalidRequest
from ..times import parse_time
from .merchants import TestMerchants
from .money import refund_amounts
from .refused import refuse
from .trades import FOREX, PAID, Trades, text

#: From payment to the last day of a refund, by contract; ours.
WINDOW = timedelta(days=180)
#: An asynchronous refund that the balance does not cover is tried again every 6 hours, for 180 days.
RETRY, RETRIES_END = timedelta(hours=6), timedelta(days=180)
#: "at least 3 seconds between refund requests".
SPACING = timedelta(seconds=3)


class Refunds:
    """Refunds of one ledger.

    ``listeners``: functions of (event, refund's row), called inside the transaction; event is ``refunded`` or
    ``refund_failed``. ``delay``: how long an asynchronous refund takes (ours: no time at all).
    """

    def __init__(self, trades: Trades, merchants: TestMerchants):
        self.trades, self.merchants = trades, merchants
        self.ledger, self.clock = trades.ledger, trades.clock
        self.listeners: List[Callable[[str, Dict[str, Any]], None]] = []
        self.delay = timedelta(0)
        trades.due["refunds"] = self._carry_out

    def ask(self, partner: str, params: Dict[str, str]) -> Dict[str, Any]:
        """``forex_refund``: the refund's row, done (``is_sync=Y``) or to be done. Raises Refused.

        The same ``out_return_no`` again is a repeated request, and refused; but a synchronous refund that is asked for
        again with the same content, as it must be after an unknown outcome, is answered as before, and nothing moves.
        """
        with self.trades.acting() as now:
            known = self.ledger.one("refunds", partner=partner, out_return_no=params["out_return_no"])
            if known is not None:
                if known["sync"] and params.get("is_sync") == "Y" and _is_same(known["params"], params):
                    return known
                raise refuse("REPEATED_REFUNDMENT_REQUEST", "this out_return_no was used before", "out_return_no")
            trade = self.trades.find(partner, out_trade_no=params["out_trade_no"])
            if trade is None or not trade.get("gmt_payment"):
                raise refuse("PURCHASE_TRADE_NOT_EXIST", "this merchant has no payment for this out_trade_no",
                             "out_trade_no")
            if trade["trade_status"] not in PAID:
                raise refuse("TRADE_HAS_CLOSE", "the trade is {}".format(trade["trade_status"]), "trade_status")
            if params["currency"] != trade["currency"]:
                raise refuse("CURRENCY_NOT_SAME", "the payment is in another currency", "currency")
            if now - parse_time(trade["gmt_payment"]) > WINDOW:
                raise refuse("REFUNDMENT_VALID_DATE_EXCEED", "the refund window of 180 days is over", "out_trade_no")
            amount, cny = refund_amounts(trade, params)
            return self._add(trade, params, amount, cny, now, sync=params.get("is_sync") == "Y")

    def by_hand(self, trade: Dict[str, Any], out_return_no: str, amount: Optional[str],
                notify_url: str = "") -> Dict[str, Any]:
        """From the merchant's console: ``amount`` in the order's currency, or all that is left. Raises Refused."""
        with self.trades.acting():
            trade = self.ledger.get("trades", id=trade["id"])
            if amount is None:
                amount = str(Decimal(trade["total_fee"]) - Decimal(trade["refunded"]))
            params = {"out_return_no": out_return_no, "out_trade_no": trade["out_trade_no"],
                      "return_amount": _amount(amount, trade["currency"]), "currency": trade["currency"] or "",
                      "notify_url": notify_url}
            if trade["currency"]:
                refund = self.ask(trade["partner"], params)
                self.settle()
                return self.ledger.get("refunds", id=refund["id"])
            if trade["trade_status"] == "TRADE_FINISHED":
                raise refuse("TRADE_HAS_FINISHED", "the time for refunds is over", "trade_status")
            if trade["trade_status"] not in PAID:
                raise refuse("TRADE_STATUS_ERROR", "the trade is {}".format(trade["trade_status"]), "trade_status")
            return self.give_back(trade, out_return_no, Decimal(params["return_amount"]),
                                  dict(params, batch_no="console"))

    def give_back(self, trade: Dict[str, Any], out_return_no: str, amount: Decimal,
                  params: Dict[str, str]) -> Dict[str, Any]:
        """A mainland trade (batch refund): done at once, or Refused with a code of that service."""
        with self.trades.acting() as now:
            if self.ledger.one("refunds", partner=trade["partner"], out_return_no=out_return_no):
                raise refuse("REPEATED_REFUNDMENT_REQUEST", "this out_return_no was used before", "out_return_no")
            trade = self.ledger.get("trades", id=trade["id"])
            return self._add(trade, params, amount, amount, now, sync=True, out_return_no=out_return_no)

    def _add(self, trade, params, amount, cny, now, sync, out_return_no=None):
        partner = trade["partner"]
        if max(amount, cny) <= 0 or Decimal(trade["refunded"]) + amount > Decimal(trade["total_fee"]) \
                or Decimal(trade["refunded_cny"]) + cny > Decimal(trade["cny"]):
            raise refuse("RETURN_AMOUNT_EXCEED", "more than what is left of the payment", "return_amount")
        if sync and not self._covered(partner, cny):
            raise refuse("MERCHANT_BALANCE_NOT_ENOUGH", "the merchant's balance does not cover it", "return_amount")
        data = {"amount": str(amount), "cny": str(cny), "currency": trade["currency"], "params": params,
                "asked_at": text(now), "sync": sync}
        refund = self.ledger.add(
            "refunds", data, partner=partner, out_return_no=out_return_no or params["out_return_no"],
            out_trade_no=trade["out_trade_no"], refund_status="REFUND_PROCESSING", due_at=text(now + self.delay))
        # What is asked for is reserved at once, so that two refunds cannot both take the rest.
        self.ledger.change("trades", trade, refunded=str(Decimal(trade["refunded"]) + amount),
                           refunded_cny=str(Decimal(trade["refunded_cny"]) + cny))
        return self._carry_out(refund, text(now)) if sync else refund

    def check_spacing(self, partner: str) -> None:
        """Refused when the last refund request of this partner is less than 3 seconds ago (the code is ours). One that
        is refused for this does not count, so that a shop that asks every second gets through in the end."""
        name = "last_refund:" + partner
        with self.ledger.transaction():
            now, last = self.clock.now(), self.ledger.meta(name)
            if last is not None and timedelta(0) <= now - parse_time(last) < SPACING:
                raise refuse("ILLEGAL_ARGUMENT", "refund requests of one partner are at least 3 seconds apart")
            self.ledger.set_meta(name, now.strftime("%Y-%m-%d %H:%M:%S.%f"))

    def settle(self) -> None:
        """Carry out what the clock has made due, of trades and refunds."""
        self.trades.settle()

    def _covered(self, partner, cny):
        balance = self.merchants.of(partner).setting("balance")
        return balance is None or Decimal(balance) >= cny

    def _carry_out(self, refund, moment):
        """Pay the refund out, or keep it for six hours when the balance is short."""
        now, partner, cny = parse_time(moment), refund["partner"], Decimal(refund["cny"])
        trade = self.ledger.get("trades", partner=partner, out_trade_no=refund["out_trade_no"])
        if not self._covered(partner, cny):
            if now - parse_time(refund["asked_at"]) < RETRIES_END:
                return self.ledger.change("refunds", refund, due_at=text(now + RETRY))
            return self._given_up(refund, trade, cny)
        balance = self.merchants.of(partner).setting("balance")
        if balance is not None:
            self.merchants.change(partner, balance=str(Decimal(balance) - cny))
        refund = self.ledger.change("refunds", refund, refund_status="REFUND_SUCCESS", due_at=None, done_at=text(now))
        done = Decimal(trade["to_buyer_fee"]) + cny
        changes: Dict[str, Any] = {
            "gmt_refund": text(now), "refund_status": "REFUND_SUCCESS", "to_buyer_fee": str(done),
            "changed_at": text(now)}
        if trade["kind"] != FOREX and done >= Decimal(trade["cny"]):
            changes.update(trade_status="TRADE_CLOSED", gmt_close=text(now), due_at=None,
                           additional_trade_status="DAEMON_CONFIRM_CLOSE")
        self.ledger.change("trades", trade, **changes)
        self._tell("refunded", refund)
        return refund

    def _given_up(self, refund, trade, cny):
        refund = self.ledger.change("refunds", refund, refund_status="REFUND_FAIL", due_at=None,
                                    error_code="MERCHANT_BALANCE_NOT_ENOUGH")
        self.ledger.change("trades", trade, refunded=str(Decimal(trade["refunded"]) - Decimal(refund["amount"])),
                           refunded_cny=str(Decimal(trade["refunded_cny"]) - cny))
        self._tell("refund_failed", refund)
        return refund

    def _tell(self, event, refund):
        for listener in self.listeners:
            listener(event, refund)


def _is_same(known, params) -> bool:
    """The same order, amount and currency; the time and the reason may have been written anew."""
    return all(known.get(name) == params.get(name)
               for name in ("out_trade_no", "return_amount", "return_rmb_amount", "currency"))


def _amount(given, currency) -> str:
    """An amount from the console, in the currency's precision. Raises InvalidRequest."""
    amount = format_amount(given, "amount")
    if len(amount.partition(".")[2]) > decimals_of(currency):
        raise InvalidRequest("amount: {} has no decimals".format(currency), parameter="amount")
    return amount
