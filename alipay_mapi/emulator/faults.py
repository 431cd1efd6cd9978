"""What goes wrong, by name: for the next messages, or for a share of all of them, chosen by a seed.

A share is drawn from the seed and the message's own numbers, never from a counter that threads race for: the same seed
picks the same orders whatever the order of events.
"""
import random
import threading
from datetime import timedelta
from typing import Dict, List, Mapping, NamedTuple, Optional

from ..errors import InvalidRequest, show
from ..services import SERVICES
from ..times import GMT8
from .ams.fault_names import AMS_ANSWER_FAULTS
from .broken import WAYS
from .clock import Clock

#: Faults of MAPI's answers: name → what the client sees. Those of AMS are in ``ams.fault_names``.
ANSWER_FAULTS = {
    "slow": "the answer takes longer than a client waits",
    "reset": "the connection is reset in the middle of the body",
    "half-answer": "the body is shorter than its Content-Length says",
    "http-500": "status 500 with a page",
    "html-200": "status 200 with a maintenance page instead of XML",
    "redirect": "status 302 to another address",
    "system-error": "is_success F with SYSTEM_ERROR; what became of the request is not told",
    "trade-not-exist": "a query says TRADE_NOT_EXIST although the trade is there",
    "unsigned-paid": "a query says TRADE_FINISHED, without a sign",
    "answer-tampered": "the answer's amount or status was changed after it was signed",
    "answer-forged": "the answer is signed with a key that is not the gateway's",
    "answer-wrong-charset": "the answer's bytes are in another charset than it declares and was signed in",
}
#: Faults of a notification, of either gateway.
NOTIFICATION_FAULTS = dict({
    "lost": "never sent",
    "late": "sent hours later",
    "twice": "sent twice",
    "out-of-order": "sent after the next one of the same trade",
}, **{name: WAYS[name] for name in WAYS})

#: How late is late; how long a held-back one waits when nothing follows; how slow is slow.
_SECONDS = {"late": 3 * 3600.0, "out-of-order": 3600.0, "slow": 30.0}


class Fault(NamedTuple):
    """``times``: how many messages it meets; a broken notification is broken when it is first sent, and genuine when it
    is repeated. ``service``: only this one (of notifications: only this event, such as ``paid``). ``seconds``: of late,
    out-of-order and slow, how long. ``done``: an answer's fault comes after the work is done (otherwise the request
    never reached the ledger). ``until``: it meets every message until the clock shows this."""

    name: str
    times: int = 1
    service: str = ""
    seconds: float = 0.0
    done: bool = True
    until: str = ""


class Faults:
    """``rates``: fault → share from 0 to 1 of the messages that it meets, drawn from ``seed``. One message meets one
    fault at most, so the shares of notifications, and those of answers, add up to 1 at most."""

    def __init__(self, seed: Optional[int] = None, rates: Optional[Mapping[str, float]] = None,
                 clock: Optional[Clock] = None):
        self._lock, self.clock = threading.Lock(), clock or Clock()
        self._seed = random.SystemRandom().random() if seed is None else seed
        self._armed: List[Fault] = []
        self._counts: Dict[str, int] = {}
        self.rates: Dict[str, float] = {}
        self.set_rates(rates or {})

    def set_rates(self, rates: Mapping[str, float]) -> None:
        """New shares. Raises InvalidRequest for an unknown name or a share that is none."""
        if not isinstance(rates, Mapping):
            raise InvalidRequest("rates: fault → share, as a dict", parameter="rates")
        for name, share in rates.items():
            _known(name)
            if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
                raise InvalidRequest("{}: a share from 0 to 1".format(name), parameter=name)
        for names in (ANSWER_FAULTS, AMS_ANSWER_FAULTS, NOTIFICATION_FAULTS):
            if sum(rates.get(name, 0) for name in names) > 1 + 1e-9:
                raise InvalidRequest("rates: one message meets one fault at most, so the shares of {} add up to 1 at "
                                     "most".format("notifications" if names is NOTIFICATION_FAULTS else "answers"),
                                     parameter="rates")
        self.rates = dict(rates)

    def arm(self, name: str, times: int = 1, service: str = "", seconds: Optional[float] = None,
            done: bool = True) -> Fault:
        """The next ``times`` messages (of ``service``, if named) meet this fault. Raises InvalidRequest.

        ``seconds``: how long a late, an out-of-order or a slow one takes; of every other fault, how long it lasts on
        the gateway's clock, whatever the number of messages.
        """
        _known(name)
        if isinstance(times, bool) or not isinstance(times, int) or times < 1:
            raise InvalidRequest("times: how many messages, at least 1", parameter="times")
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, (int, float))
                                    or not 0 <= seconds <= 10 ** 9):
            raise InvalidRequest("seconds: a number, 0 or more", parameter="seconds")
        if not isinstance(service, str) or not isinstance(done, bool):
            raise InvalidRequest("service: a name as text; done: true or false",
                                 parameter="done" if isinstance(service, str) else "service")
        fault = Fault(name, times, service, _SECONDS.get(name, 0.0) if seconds is None else float(seconds), done)
        if seconds and name not in _SECONDS:
            fault = fault._replace(until=self._now(seconds))
        with self._lock:
            self._armed.append(fault)
        return fault

    @property
    def waiting(self) -> bool:
        """Can anything go wrong at all?"""
        return bool(self._armed or self.rates)

    def armed(self) -> List[Fault]:
        """What still waits for its messages."""
        now = self._now()
        with self._lock:
            return [fault for fault in self._armed if not fault.until or now < fault.until]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._armed, self.rates, self._counts = [], {}, {}

    def for_notification(self, partner: str, out_trade_no: str, event: str, about: str = "") -> Optional[Fault]:
        """The fault of a new notification, or None. ``about``: what tells it from others of this order and event."""
        return self._take(NOTIFICATION_FAULTS, event, "{}:{}:{}:{}".format(partner, out_trade_no, event, about))

    def for_answer(self, service: str, partner: str, about: str) -> Optional[Fault]:
        """The fault of an answer, or None. ``service``: of MAPI, or a call of AMS, such as ``payments/pay``. ``about``:
        the order's number."""
        key = "{}:{}:{}".format(service, partner, about)
        count = 0
        with self._lock:
            if self.rates:
                count = self._counts[key] = self._counts.get(key, 0) + 1
        return self._take(AMS_ANSWER_FAULTS if "/" in service else ANSWER_FAULTS, service, "{}:{}".format(key, count))

    def _take(self, names, service, key):
        with self._lock:
            now = self._now()
            self._armed = [fault for fault in self._armed if not fault.until or now < fault.until]
            for at, fault in enumerate(self._armed):
                if fault.name in names and fault.service in ("", service) and fits(fault.name, service):
                    left = fault.times if fault.until else fault.times - 1
                    self._armed[at:at + 1] = [fault._replace(times=left)] if left else []
                    return fault._replace(times=1)
            rates = self.rates
        drawn, below = random.Random("{}:{}".format(self._seed, key)).random() if rates else 1.0, 0.0
        for name in sorted(rates):
            if name in names and fits(name, service):
                below += rates[name]
                if drawn < below:
                    return Fault(name, seconds=_SECONDS.get(name, 0.0))
        return None

    def _now(self, later=0.0):
        """With its fraction: half a second is a time too."""
        return (self.clock.now() + timedelta(seconds=later)).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S.%f")


def fits(name: str, service: str) -> bool:
    """Two faults are about queries alone, and three about answers that are signed when they say yes."""
    if name in ("trade-not-exist", "unsigned-paid"):
        return service == "single_trade_query"
    if not name.startswith("answer-") or "/" in service:
        return True
    row = SERVICES.get(service)     # some services are the emulator's alone; they sign
    return row is None or row.answer == "xml" and row.signed_answer


def _known(name):
    if name not in ANSWER_FAULTS and name not in NOTIFICATION_FAULTS and name not in AMS_ANSWER_FAULTS:
        more = sorted(set(AMS_ANSWER_FAULTS) - set(ANSWER_FAULTS))
        raise InvalidRequest("{}: no fault has this name; there are {}; of AMS {}".format(
            show(name), ", ".join(sorted(ANSWER_FAULTS) + sorted(NOTIFICATION_FAULTS)), ", ".join(more)),
            parameter="name")
