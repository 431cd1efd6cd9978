"""What buyers, and the merchant at the console, do to orders of either gateway: a part of ``Emulator``.

A number that both gateways have an order of is ambiguous: name the ``partner`` then, which of AMS is the client id.
"""
from typing import Any, Callable, Dict, Optional
from urllib.parse import urlsplit, urlunsplit

from ..errors import InvalidRequest
from ..fields import FIELDS
from ..services import BUILDERS
from . import app_sdk, messages_out
from .ams.calls import AmsCalls
from .gateway import Gateway
from .handlers import HANDLERS
from .incoming import Incoming, asked
from .ledger import Ledger
from .merchants import TestMerchant, TestMerchants, find_buyer
from .notifier import Notifier
from .observed import reported
from .refunds import Refunds
from .refused import Refused
from .reply import Outcome
from .trades import Trades, text

#: The services whose orders a test can place without a URL.
_PLACED = ("create_forex_trade", "create_forex_trade_wap", "create_direct_pay_by_user", "mobile.securitypay.pay")


class BuyerCalls(AmsCalls):
    """Methods of ``Emulator``, which has what is declared here. Where an order of AMS can be meant too, its
    paymentRequestId stands for ``out_trade_no``, and its client id for ``partner``."""

    ledger: Ledger
    merchants: TestMerchants
    trades: Trades
    refunds: Refunds
    notifier: Notifier
    gateway: Gateway
    clock: Any
    answer: Callable[[Incoming], Outcome]
    merchant: Callable[[str], TestMerchant]

    def visit(self, url: str, body: bytes = b"") -> Dict[str, Any]:
        """The buyer's browser goes to a payment URL (or posts a form to it): the placed order, or of a batch page the
        batch. Raises Refused, and InvalidRequest for a service whose answers are for servers."""
        try:
            query = urlsplit(url).query.encode("ascii", "replace")
        except (ValueError, AttributeError, TypeError):
            raise InvalidRequest("url: no address that a browser could go to", parameter="url") from None
        incoming = Incoming("POST" if body else "GET", query, body)
        service = asked(incoming).get("service", "")
        if service in HANDLERS and HANDLERS[service][1] in ("xml", "text"):
            raise InvalidRequest("url: {} is answered to servers; a browser has nothing to do there".format(service),
                                 parameter="url")
        outcome = self.answer(incoming)
        if outcome.error is not None:
            raise Refused(outcome.why, code=outcome.error, parameter=outcome.parameter)
        return outcome.trade or self.ledger.rows("batches", newest=True, partner=outcome.partner,
                                                 batch_no=outcome.params["batch_no"])[0]

    @reported
    def place(self, out_trade_no: str, *, merchant: str = "md5", service: str = "create_forex_trade",
              **params: Any) -> Dict[str, Any]:
        """An order without a signed URL: for tests that begin later. ``params``: as of the service's builder.

        Cross-border by default (``currency`` USD, ``total_fee`` 10.00, ``subject`` Tea).
        """
        one = self.merchant(merchant)
        if service not in _PLACED:
            raise InvalidRequest("service: one of {}; visit(url) takes every order".format(", ".join(_PLACED)),
                                 parameter="service")
        given: Dict[str, Any] = {"subject": "Tea"}
        if "forex" in service:
            given["currency"] = "USD"
        else:
            given["seller_id"] = one.partner
        if not {"total_fee", "rmb_fee", "price"} & set(params):
            given["total_fee"] = "10.00"
        given.update(params)
        checked = BUILDERS[service](out_trade_no=out_trade_no, **given)
        return self.trades.place(one.partner, service, dict(checked, _input_charset="utf-8"),
                                 basic=one.setting("basic_contract"))

    @reported
    def pay_in_app(self, order_string: str, buyer: Optional[str] = None) -> str:
        """The app hands an order string to Alipay's SDK, and the buyer pays: the SDK's result text."""
        if not isinstance(order_string, str):
            raise InvalidRequest("order_string: the text that build_order_string made", parameter="order_string")
        return app_sdk.pay(self.gateway, order_string, find_buyer(buyer))

    @reported
    def log_in(self, out_trade_no: str, *, partner: Optional[str] = None,
               buyer: Optional[str] = None) -> Dict[str, Any]:
        """The buyer logs in at the cashier: the trade exists from now on. ``buyer``: number or e-mail; default the
        first of ``BUYERS``. Raises Refused."""
        return self.trades.log_in(self.trades.only(out_trade_no, partner), find_buyer(buyer))

    @reported
    def pay(self, out_trade_no: str, *, partner: Optional[str] = None, buyer: Optional[str] = None,
            lose: bool = False) -> Dict[str, Any]:
        """The buyer pays. ``lose``: its notification is lost. Raises Refused."""
        with self.trades.acting():
            payment = self._ams_payment(out_trade_no, partner)
            if payment is not None:
                row = self._pay_ams(payment, buyer)
                if lose:
                    self.notifier.lose(row["client_id"], out_trade_no)
                return row
            row = self.trades.only(out_trade_no, partner)
            if buyer is None and row.get("buyer_id"):
                buyer = row["buyer_id"]
            row = self.trades.pay(row, find_buyer(buyer))
            if lose:
                self.notifier.lose(row["partner"], out_trade_no)
        return row

    @reported
    def pay_later(self, out_trade_no: str, seconds: float, *, partner: Optional[str] = None,
                  buyer: Optional[str] = None) -> Dict[str, Any]:
        """The buyer logs in now, and pays by himself after so many seconds of the gateway's clock; not if the trade is
        closed by then. Raises Refused."""
        check_seconds(seconds)
        payment = self._ams_payment(out_trade_no, partner)
        if payment is not None:
            return self.ams.payments.pay_later(payment, seconds, find_buyer(buyer))
        row = self.trades.only(out_trade_no, partner)
        if buyer is None and row.get("buyer_id"):
            buyer = row["buyer_id"]
        return self.trades.pay_later(row, seconds, find_buyer(buyer))

    @reported
    def close_trade(self, out_trade_no: str, *, partner: Optional[str] = None) -> Dict[str, Any]:
        """The buyer (or the seller) closes an unpaid trade. Raises Refused."""
        payment = self._ams_payment(out_trade_no, partner)
        if payment is not None:
            return self.ams.payments.refuse(payment, "ORDER_IS_CLOSED")
        return self.trades.close(self.trades.only(out_trade_no, partner))

    @reported
    def confirm_goods(self, out_trade_no: str, *, partner: Optional[str] = None) -> Dict[str, Any]:
        """Escrow: the buyer has the goods, and the seller gets the money. Raises Refused."""
        return self.trades.confirm(self.trades.only(out_trade_no, partner))

    @reported
    def refund(self, out_trade_no: str, amount: Optional[str] = None, *, out_return_no: Optional[str] = None,
               partner: Optional[str] = None, notify_url: str = "") -> Dict[str, Any]:
        """The merchant gives money back from the console: all that is left, or ``amount`` in the order's currency.
        A cross-border refund is notified to ``notify_url``. Raises Refused."""
        for name, value in (("out_return_no", out_return_no), ("notify_url", notify_url)):
            if value and not (isinstance(value, str) and FIELDS[name].match(value)):
                raise InvalidRequest("{}: must be {}".format(name, FIELDS[name].rule), parameter=name)
        with self.trades.acting():
            payment = self._ams_payment(out_trade_no, partner)
            if payment is not None:
                return self._refund_ams(payment, amount, out_return_no, notify_url)
            trade = self.trades.only(out_trade_no, partner)
            number = out_return_no or "{}-R{}".format(
                out_trade_no if len(out_trade_no) <= 58 else trade.get("trade_no"), self.ledger.count(
                    "refunds", partner=trade["partner"], out_trade_no=out_trade_no) + 1)
            return self.refunds.by_hand(trade, number, amount, notify_url)

    def return_url(self, out_trade_no: str, *, partner: Optional[str] = None) -> Optional[str]:
        """The signed address that the buyer's browser is sent back to; None when the order named none."""
        trade = self.trades.only(out_trade_no, partner)
        address = trade["params"].get("return_url")
        if not address or not trade.get("trade_no"):
            return None
        merchant, charset = self.merchants.of(trade["partner"]), trade["params"].get("_input_charset")
        notify_id = "" if trade["kind"] == "forex" else self.notifier.for_return(trade["partner"], out_trade_no)
        fields = messages_out.return_fields(trade, merchant.seller_email, notify_id, text(self.clock.now()))
        query = messages_out.encoded(messages_out.signed(merchant.signer, fields, charset), charset).decode("ascii")
        parts = urlsplit(address)       # behind the shop's own query, and before a fragment, which no server sees
        return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, query) if part)))


def check_seconds(seconds: Any) -> None:
    """Raises InvalidRequest for what is no number of seconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 10 ** 9:
        raise InvalidRequest("seconds: a number, 0 or more", parameter="seconds")
