"""AMS in one object: its clients, its gateway, what becomes of payments, and its log. ``Emulator`` has one."""
import threading
from collections import deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional

from ..clock import Clock
from ..faults import Fault, Faults
from ..ledger import Ledger
from ..merchants import TestMerchants
from ..notifier import Notifier
from ..refused import Refused
from ..trades import Trades, text
from . import answer_faults, fault_names
from .captures import Captures
from .clients import Clients
from .gateway import AmsGateway, AmsOutcome, without_cards
from .handlers import AMS_HANDLERS
from .incoming import AmsIncoming, read_body
from .notices import Notices
from .payments import Payments
from .refunds import Refunds
from .registrations import Registrations

#: What an answer is about; a drawn fault depends on it and not on the order of requests.
_NUMBERS = ("refundRequestId", "captureRequestId", "registrationRequestId", "paymentRequestId", "paymentId", "refundId",
            "referenceMerchantId")


class LoggedCall(NamedTuple):
    """One request to AMS, for people. ``fault``: what it met, or ""."""

    number: int
    at: str
    outcome: AmsOutcome
    fault: str


class AmsSide:
    """``clients``, ``payments``, ``captures``, ``refunds``, ``registrations``, ``gateway``, ``notices``.

    ``base_url``: a function that tells where the emulator is. ``shared``: as of ``Clients``.
    """

    def __init__(self, ledger: Ledger, clock: Clock, trades: Trades, merchants: TestMerchants, notifier: Notifier,
                 faults: Faults, base_url: Callable[[], str], seed: Optional[int] = None,
                 shared: Optional[Dict[str, Any]] = None):
        self.clock, self.faults = clock, faults
        self.clients = Clients(ledger, shared)
        self.payments = Payments(trades, seed)
        self.refunds = Refunds(self.payments, merchants)
        self.registrations = Registrations(self.payments)
        notices = Notices(ledger, clock, self.clients, notifier, self._token_of)
        self.payments.listeners.append(notices.on_payment)      # before the capture that follows
        self.captures = Captures(self.payments)
        self.gateway: AmsGateway = AmsGateway(ledger, clock, self.clients, self.payments, self.captures, self.refunds,
                                  self.registrations, AMS_HANDLERS, base_url)
        self.captures.listeners.append(notices.on_capture)
        self.refunds.listeners.append(notices.on_refund)
        self.registrations.listeners.append(notices.on_registration)
        notifier.writers["ams"] = notices
        self._log: Deque[LoggedCall] = deque(maxlen=1000)
        self._numbers, self._lock = 0, threading.Lock()

    def _token_of(self, payment):
        return self.gateway.token_of(payment)

    def answer(self, incoming: AmsIncoming) -> AmsOutcome:
        """What becomes of one request, faults included; it is logged."""
        fault = self._fault_for(incoming) if self.faults.waiting else None
        if fault is None or fault.done and fault_names.may_be_done(fault.name):
            outcome = self.gateway.answer(incoming)
        else:
            outcome = self._kept_away(incoming)
        if fault is not None:
            outcome = self._faulty(fault, outcome)
        with self._lock:
            self._numbers += 1
            self._log.append(LoggedCall(self._numbers, text(self.clock.now()), outcome, fault.name if fault else ""))
        return outcome

    def _faulty(self, fault: Fault, outcome: AmsOutcome) -> AmsOutcome:
        client = self.clients.get(outcome.client_id) if outcome.signature_fits else None
        if fault_names.is_code(fault.name):
            return self.gateway.said(outcome._replace(code=fault.name, why="the fault {}".format(fault.name)), client,
                                     {})
        return outcome._replace(reply=answer_faults.apply(fault, outcome, client, self.gateway))

    def _kept_away(self, incoming) -> AmsOutcome:
        """The request never reached the ledger; nobody has looked at its signature."""
        call, _ = self.gateway.called(incoming.target)
        client = self.clients.get(incoming.named.get("client-id", ""))
        outcome = AmsOutcome(call=call, client_id=client.client_id if client else "", target=incoming.target,
                             code="UNKNOWN_EXCEPTION", why="a fault kept the request from the ledger",
                             signature_fits=True if client else None, content=_content(incoming))
        return self.gateway.said(outcome, client, {})

    def _fault_for(self, incoming) -> Optional[Fault]:
        call, _ = self.gateway.called(incoming.target)
        client_id = incoming.named.get("client-id", "")
        if not call or self.clients.get(client_id) is None:
            return None
        content = _content(incoming)
        about = [content[name] for name in _NUMBERS if isinstance(content.get(name), str)]
        return self.faults.for_answer(call, client_id, about[0] if about else "")

    def requests(self) -> List[LoggedCall]:
        """The last thousand requests, oldest first."""
        with self._lock:
            return list(self._log)

    def forget(self) -> None:
        """The log, and nothing else."""
        with self._lock:
            self._log.clear()


def _content(incoming) -> Dict[str, Any]:
    try:
        return without_cards(read_body(incoming.body, False))
    except Refused:
        return {}
