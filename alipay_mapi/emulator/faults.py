"""What goes wrong, by name: for the next messages, or for a share of all of them, chosen by a seed.

A share is drawn from the seed and the message's own numbers, never from a counter that threads race for: the same seed
picks the same orders whatever the order of events.
"""
import random
import threading
from typing import Dict, List, Mapping, NamedTuple, Optional

from ..errors import InvalidRequest, show
from .broken import WAYS

#: Faults of an answer: name → what the client sees.
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
#: Faults of a notification.
NOTIFICATION_FAULTS = dict({
    "lost": "never sent",
    "late": "sent hours later",
    "twice": "sent twice",
    "out-of-order": "sent after the next one of the same trade",
}, **{name: WAYS[name] for name in WAYS})

#: How late is late; how long a held-back one waits when nothing follows; how slow is slow.
_SECONDS = {"late": 3 * 3600.0, "out-of-order": 3600.0, "slow": 30.0}


class Fault(NamedTuple):
    """``times``: how many messages it meets (of a broken notification: how many sends). ``service``: only this one.
    ``seconds``: of late, out-of-order and slow. ``done``: an answer's fault comes after the work is done (otherwise
    the request never reached the ledger)."""

    name: str
    times: int = 1
    service: str = ""
    seconds: float = 0.0
    done: bool = True


class Faults:
    """``rates``: fault → share from 0 to 1 of the messages that it meets, drawn from ``seed``."""

    def __init__(self, seed: Optional[int] = None, rates: Optional[Mapping[str, float]] = None):
        self._lock = threading.Lock()
        self._seed = random.SystemRandom().random() if seed is None else seed
        self._armed: List[Fault] = []
        self._counts: Dict[str, int] = {}
        self.rates: Dict[str, float] = {}
        self.set_rates(rates or {})

    def set_rates(self, rates: Mapping[str, float]) -> None:
        """New shares. Raises InvalidRequest for an unknown name or a share that is none."""
        for name, share in rates.items():
            _known(name)
            if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
                raise InvalidRequest("{}: a share from 0 to 1".format(name), parameter=name)
        self.rates = dict(rates)

    def arm(self, name: str, times: int = 1, service: str = "", seconds: Optional[float] = None,
            done: bool = True) -> Fault:
        """The next ``times`` messages (of ``service``, if named) meet this fault. Raises InvalidRequest."""
        _known(name)
        if isinstance(times, bool) or not isinstance(times, int) or times < 1:
            raise InvalidRequest("times: how many messages, at least 1", parameter="times")
        fault = Fault(name, times, service, _SECONDS.get(name, 0.0) if seconds is None else float(seconds), done)
        with self._lock:
            self._armed.append(fault)
        return fault

    @property
    def waiting(self) -> bool:
        """Can anything go wrong at all?"""
        return bool(self._armed or self.rates)

    def armed(self) -> List[Fault]:
        """What still waits for its messages."""
        with self._lock:
            return list(self._armed)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._armed, self.rates, self._counts = [], {}, {}

    def for_notification(self, partner: str, out_trade_no: str, event: str) -> Optional[Fault]:
        """The fault of a new notification, or None."""
        return self._take(NOTIFICATION_FAULTS, event, "{}:{}:{}".format(partner, out_trade_no, event))

    def for_answer(self, service: str, partner: str, about: str) -> Optional[Fault]:
        """The fault of an answer, or None. ``about``: the order's number."""
        key = "{}:{}:{}".format(service, partner, about)
        with self._lock:
            count = self._counts[key] = self._counts.get(key, 0) + 1 if self.rates else 0
        return self._take(ANSWER_FAULTS, service, "{}:{}".format(key, count))

    def _take(self, names, service, key):
        with self._lock:
            for at, fault in enumerate(self._armed):
                if fault.name in names and fault.service in ("", service) and fits(fault.name, service):
                    left = fault.times - 1
                    self._armed[at:at + 1] = [fault._replace(times=left)] if left else []
                    return fault._replace(times=1)
        for name in sorted(self.rates):
            if name in names and fits(name, service) \
                    and random.Random("{}:{}:{}".format(self._seed, name, key)).random() < self.rates[name]:
                return Fault(name, seconds=_SECONDS.get(name, 0.0))
        return None


def fits(name: str, service: str) -> bool:
    """Two faults are about queries alone."""
    return name not in ("trade-not-exist", "unsigned-paid") or service == "single_trade_query"


def _known(name):
    if name not in ANSWER_FAULTS and name not in NOTIFICATION_FAULTS:
        raise InvalidRequest("{}: no fault has this name; there are {}".format(
            show(name), ", ".join(sorted(ANSWER_FAULTS) + sorted(NOTIFICATION_FAULTS))), parameter="name")
