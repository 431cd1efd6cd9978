"""The whole gateway in one object: what a test, the web server and the control API work with.

Everything that can be done over HTTP can be done here by a call, and the other way round. Times of the machine are
nobody's business: ``clock`` is the only one.
"""
import threading
from collections import deque
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Union
from urllib.parse import urlsplit, urlunsplit

from .. import charsets
from ..errors import InvalidRequest, MalformedParameter, show
from ..fields import FIELDS
from ..merchant import Merchant
from ..services import BUILDERS
from ..times import parse_time
from . import answer_faults, app_sdk, messages_out, xml_writer
from .clock import Clock
from .faults import Fault, Faults
from .gateway import Gateway
from .handlers import HANDLERS
from .incoming import Incoming, read
from .ledger import Ledger
from .merchants import BUYERS, Buyer, TestMerchant, TestMerchants
from .notifier import EVENTS, Notifier, Sender
from .observed import Calls, reported, tell
from .refunds import Refunds
from .refused import Refused
from .reply import XML, Outcome, Reply
from .trades import Trades, text

#: Where an emulator without a socket is thought to be (names under .test belong to nobody).
NOWHERE = "https://mapi.emulator.test"

#: The services whose orders a test can place without a URL.
_PLACED = ("create_forex_trade", "create_forex_trade_wap", "create_direct_pay_by_user", "mobile.securitypay.pay")

#: What an answer is about; a drawn fault depends on it and not on the order of requests.
_NUMBERS = ("out_return_no", "out_trade_no", "out_order_no", "trade_no", "notify_id", "batch_no",
            "secondary_merchant_id")


class LoggedRequest(NamedTuple):
    """One request to the gateway, for people. ``fault``: what it met, or ""."""

    number: int
    at: str
    outcome: Outcome
    fault: str


class Emulator:
    """An Alipay gateway. ``state``: a file that keeps the ledger and the keys (default: memory).

    ``seed``: makes trade numbers, notify_ids, MD5 keys and drawn faults repeatable. ``notify_url``: for orders that
    name none. ``frozen``: the clock stands still; ``start``: where it begins (aware). ``rates``: fault → share of the
    messages. ``sender``: how notifications travel (default: HTTP). ``base_url``: what the gateway's URLs begin with.
    ``keys``: a dict that key pairs are taken from and put into, so that emulators share them.

    ``observers``: functions of (kind, data). "request": ``incoming`` and ``outcome``, after a request was answered;
    "call": ``name`` and ``arguments`` of a method that changes something, before it does.
    """

    def __init__(self, state: Optional[str] = None, *, seed: Optional[int] = None, notify_url: str = "",
                 frozen: bool = False, start: Optional[datetime] = None, rates: Optional[Mapping[str, float]] = None,
                 sender: Optional[Sender] = None, base_url: str = NOWHERE, keys: Optional[Dict[str, Any]] = None):
        self.base_url = base_url
        self.observers: List[Callable[[str, Dict[str, Any]], None]] = []
        self.calls = Calls()
        self.clock = Clock(start, frozen)
        self.ledger = Ledger(state or ":memory:")
        self.merchants = TestMerchants(self.ledger, seed, keys)
        self.faults = Faults(seed, rates, self.clock)
        self.trades = Trades(self.ledger, self.clock, seed)
        self.refunds = Refunds(self.trades, self.merchants)
        self.notifier = Notifier(self.ledger, self.clock, self.merchants, self.faults, sender or _post, notify_url,
                                 seed)
        self.trades.listeners.append(self.notifier.on_trade)
        self.refunds.listeners.append(self.notifier.on_refund)
        self.gateway = Gateway(self.ledger, self.clock, self.merchants, self.trades, self.refunds, self.notifier,
                               HANDLERS)
        self._log: deque = deque(maxlen=1000)
        self._numbers = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the ledger; a file stays as it is."""
        self.ledger.close()

    def __enter__(self) -> "Emulator":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # --- the shop's side ------------------------------------------------------------------------------------------

    @property
    def gateway_url(self) -> str:
        """What a shop sets as its gateway."""
        return self.base_url + "/gateway.do"

    def shop(self, name: str = "md5", input_charset: Optional[str] = "utf-8",
             gateway: Optional[str] = None) -> Merchant:
        """A Merchant for a test merchant (``md5``, ``rsa``, ``rsa2``, ``dsa``, or a partner's number)."""
        return self.merchant(name).shop(gateway or self.gateway_url, input_charset, allow_http=True)

    def merchant(self, name: str) -> TestMerchant:
        """The test merchant with this name or number. Raises InvalidRequest."""
        found = self.merchants.named(name) or self.merchants.get(name)
        if found is None:
            raise InvalidRequest("merchant: one of {}".format(", ".join(
                "{} ({})".format(one, partner) for partner, one, _ in self.merchants.partners())),
                parameter="merchant")
        return found

    @reported
    def settings(self, merchant: str, **settings: Any) -> None:
        """Change a test merchant's settings, as in Alipay's console: see ``merchants.SETTINGS``."""
        for name in ("not_contracted", "closed", "misconfigured", "no_privilege"):
            for service in settings[name] if isinstance(settings.get(name), list) else ():
                if service not in HANDLERS:
                    raise InvalidRequest("{}: the emulator has no service {}".format(name, show(service)),
                                         parameter=name)
        self.merchants.change(self.merchant(merchant).partner, **settings)

    # --- the gateway ----------------------------------------------------------------------------------------------

    def answer(self, incoming: Incoming) -> Outcome:
        """What becomes of one request to ``/gateway.do``, faults included; it is logged."""
        fault = self._fault_for(incoming) if self.faults.waiting else None
        if fault is None or fault.done:
            outcome = self.gateway.answer(incoming)
        else:
            found = read(incoming)
            charset = found.charset if charsets.known(found.charset) else None
            outcome = Outcome(found.params.get("service", ""), found.params.get("partner", ""), "SYSTEM_ERROR",
                              "a fault kept the request from the ledger", params=found.params, presign=found.presign,
                              reply=Reply(200, XML, xml_writer.failure("SYSTEM_ERROR", charset)))
        if fault is not None and not outcome.is_page:
            outcome = outcome._replace(reply=answer_faults.apply(
                fault, outcome, self.merchants.get(outcome.partner)))
        with self._lock:
            self._numbers += 1
            self._log.append(LoggedRequest(self._numbers, text(self.clock.now()), outcome,
                                           fault.name if fault else ""))
        tell(self.observers, "request", {"incoming": incoming, "outcome": outcome})
        return outcome

    def _fault_for(self, incoming) -> Optional[Fault]:
        params = _params_of(incoming)
        service, partner = params.get("service", ""), params.get("partner", "")
        if service not in HANDLERS or HANDLERS[service][1] not in ("xml", "text") \
                or self.merchants.get(partner) is None:
            return None
        about = [params[name] for name in _NUMBERS if params.get(name)]
        return self.faults.for_answer(service, partner, about[0] if about else "")

    def requests(self) -> List[LoggedRequest]:
        """The last thousand requests, oldest first."""
        with self._lock:
            return list(self._log)

    # --- the buyer ------------------------------------------------------------------------------------------------

    def visit(self, url: str, body: bytes = b"") -> Dict[str, Any]:
        """The buyer's browser goes to a payment URL (or posts a form to it): the placed order, or of a batch page the
        batch. Raises Refused, and InvalidRequest for a service whose answers are for servers."""
        try:
            query = urlsplit(url).query.encode("ascii", "replace")
        except (ValueError, AttributeError, TypeError):
            raise InvalidRequest("url: no address that a browser could go to", parameter="url") from None
        incoming = Incoming("POST" if body else "GET", query, body)
        service = _params_of(incoming).get("service", "")
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
        _check_seconds(seconds)
        row = self.trades.only(out_trade_no, partner)
        if buyer is None and row.get("buyer_id"):
            buyer = row["buyer_id"]
        return self.trades.pay_later(row, seconds, find_buyer(buyer))

    @reported
    def close_trade(self, out_trade_no: str, *, partner: Optional[str] = None) -> Dict[str, Any]:
        """The buyer (or the seller) closes an unpaid trade. Raises Refused."""
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

    # --- the ledger -----------------------------------------------------------------------------------------------

    def trade(self, out_trade_no: str, *, partner: Optional[str] = None) -> Dict[str, Any]:
        """An order as it stands. Raises InvalidRequest when there is none."""
        return self.trades.only(out_trade_no, partner)

    def list_trades(self, limit: int = 100, offset: int = 0) -> List[Dict[str, Any]]:
        """The newest orders first."""
        self.settle()
        return self.ledger.rows("trades", limit=limit, offset=offset, newest=True)

    def list_refunds(self, out_trade_no: Optional[str] = None) -> List[Dict[str, Any]]:
        """The refunds, in the order in which they were asked for."""
        self.settle()
        where: Dict[str, Any] = {"out_trade_no": out_trade_no} if out_trade_no else {}
        return self.ledger.rows("refunds", **where)

    def list_notifications(self, out_trade_no: Optional[str] = None,
                           limit: Optional[int] = None) -> List[Dict[str, Any]]:
        """The notifications, newest first."""
        where: Dict[str, Any] = {"out_trade_no": out_trade_no} if out_trade_no else {}
        return self.ledger.rows("notifications", limit=limit, newest=True, **where)

    @reported
    def reset(self) -> None:
        """Forget orders, refunds, notifications, faults and requests; keep the merchants, their keys and the clock."""
        self.ledger.clear()
        self.faults.clear()
        with self._lock:
            self._log.clear()

    # --- time and notifications -----------------------------------------------------------------------------------

    def settle(self) -> None:
        """Carry out what the clock has made due: time-outs, payments and refunds."""
        self.trades.settle()

    @reported
    def deliver(self) -> List[Dict[str, Any]]:
        """Settle, send every notification that is due now, and return the deliveries (rows)."""
        self.settle()
        return self.notifier.deliver()

    def next_due(self) -> Optional[str]:
        """When something happens next by itself (as Alipay writes times), or None."""
        times = [self.trades.next_due(), self.notifier.next_due()]
        return min([moment for moment in times if moment is not None], default=None)

    @reported
    def advance(self, seconds: float) -> List[Dict[str, Any]]:
        """Let so much time pass: whatever becomes due happens at its moment, in order. Returns the deliveries."""
        _check_seconds(seconds)
        target = self.clock.now() + timedelta(seconds=seconds)
        done: List[Dict[str, Any]] = []
        while True:
            done += self.deliver()
            due = self.next_due()
            if due is None or parse_time(due) > target:
                break
            self.clock.set(max(parse_time(due), self.clock.now()))
        self.clock.set(max(target, self.clock.now()))
        return done

    @reported
    def fail(self, name: str, times: int = 1, service: str = "", seconds: Optional[float] = None,
             done: bool = True) -> Fault:
        """The next ``times`` messages meet this fault: see ``faults``."""
        if service and service not in HANDLERS and service not in EVENTS:
            raise InvalidRequest("service: {} is neither a service of the emulator nor what a notification is about "
                                 "({})".format(show(service), ", ".join(EVENTS)), parameter="service")
        return self.faults.arm(name, times, service, seconds, done)

    @reported
    def set_rates(self, rates: Mapping[str, float]) -> Dict[str, float]:
        """New shares of messages that go wrong: see ``faults``. Returns them."""
        self.faults.set_rates(rates)
        return self.faults.rates

    @reported
    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self.faults.clear()

    @reported
    def resend(self, notify_id: str) -> bool:
        """Send one notification again now, whatever became of it before. False for an unknown id."""
        return self.notifier.resend(notify_id)

    @reported
    def freeze(self) -> datetime:
        """The clock stands still from now on."""
        return self.clock.freeze()

    @reported
    def resume(self, speed: float = 1.0) -> datetime:
        """The clock runs again, ``speed`` times as fast as the machine's."""
        return self.clock.resume(speed)

    @reported
    def set_time(self, moment: Union[datetime, str]) -> datetime:
        """The clock goes to ``moment``: aware, or as Alipay writes times, in GMT+8. Raises InvalidRequest."""
        if isinstance(moment, datetime):
            return self.clock.set(moment)
        try:
            wanted = parse_time(moment)
        except MalformedParameter:
            wanted = None
        if wanted is None:
            raise InvalidRequest("moment: an aware datetime, or yyyy-MM-dd HH:mm:ss in GMT+8", parameter="moment")
        return self.clock.set(wanted)


def _params_of(incoming) -> Dict[str, str]:
    """What it asks, before it is answered; nothing when it cannot be read."""
    try:
        return read(incoming).params
    except Refused:
        return {}


def find_buyer(wanted: Optional[str]) -> Buyer:
    """A test buyer by number or e-mail; None is the first. Raises InvalidRequest."""
    for buyer in BUYERS:
        if wanted in (None, buyer.buyer_id, buyer.buyer_email):
            return buyer
    raise InvalidRequest("buyer: one of {}".format(", ".join(one.buyer_email for one in BUYERS)), parameter="buyer")


def _check_seconds(seconds):
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 10 ** 9:
        raise InvalidRequest("seconds: a number, 0 or more", parameter="seconds")


def _post(delivery):
    from .sender import post
    return post(delivery)
