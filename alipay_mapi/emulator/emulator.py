"""The whole gateway in one object: what a test, the web server and the control API work with.

Everything that can be done over HTTP can be done here by a call, and the other way round. Times of the machine are
nobody's business: ``clock`` is the only one.
"""
import threading
from collections import deque
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Union

from .. import charsets
from ..errors import InvalidRequest, MalformedParameter, show
from ..merchant import Merchant
from ..times import parse_time
from . import answer_faults, xml_writer
from .ams.handlers import AMS_HANDLERS
from .ams.notices import AMS_EVENTS
from .ams.side import AmsSide
from .buyer_calls import BuyerCalls, check_seconds
from .clock import Clock
from .faults import Fault, Faults
from .gateway import Gateway
from .handlers import HANDLERS
from .incoming import Incoming, asked, read
from .ledger import Ledger
from .merchants import TestMerchant, TestMerchants
from .notifier import EVENTS, Notifier, Sender
from .observed import Calls, reported, tell
from .refunds import Refunds
from .reply import XML, Outcome, Reply
from .trades import Trades, text

#: Where an emulator without a socket is thought to be (names under .test belong to nobody).
NOWHERE = "https://mapi.emulator.test"

#: What an answer is about; a drawn fault depends on it and not on the order of requests.
_NUMBERS = ("out_return_no", "out_trade_no", "out_order_no", "trade_no", "notify_id", "batch_no",
            "secondary_merchant_id")


class LoggedRequest(NamedTuple):
    """One request to the gateway, for people. ``fault``: what it met, or ""."""

    number: int
    at: str
    outcome: Outcome
    fault: str


class Emulator(BuyerCalls):
    """An Alipay gateway. ``state``: a file that keeps the ledger and the keys (default: memory).

    ``seed``: makes trade numbers, notify_ids, MD5 keys and drawn faults repeatable. ``notify_url``: for orders that
    name none. ``frozen``: the clock stands still; ``start``: where it begins (aware). ``rates``: fault → share of the
    messages. ``sender``: how notifications travel (default: HTTP). ``base_url``: what the gateway's URLs begin with.
    ``keys``: a dict that key pairs are taken from and put into, so that emulators share them.

    ``observers``: functions of (kind, data). "request": ``incoming`` and ``outcome``, after a request was answered;
    "call": ``name`` and ``arguments`` of a method that changes something, before it does. "ams": as "request", of AMS.
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
        self.ams = AmsSide(self.ledger, self.clock, self.trades, self.merchants, self.notifier, self.faults,
                           lambda: self.base_url, seed, keys)
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
        params = asked(incoming)
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
        self.ams.forget()
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
        check_seconds(seconds)
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
        if service and not any(service in names for names in (HANDLERS, EVENTS, AMS_HANDLERS, AMS_EVENTS)):
            raise InvalidRequest("service: {} is neither a service of the emulator, nor a call of AMS, nor what a "
                                 "notification is about ({})".format(show(service), ", ".join(EVENTS + AMS_EVENTS)),
                                 parameter="service")
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


def _post(delivery):
    from .sender import post
    return post(delivery)
