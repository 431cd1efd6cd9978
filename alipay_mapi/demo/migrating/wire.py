"""The line between the shop and both gateways: calls with dealt faults one way, notifications the other way."""
import random
from collections import Counter, OrderedDict
from datetime import timedelta
from typing import Any, Callable, Dict, Iterator, List, Tuple
from urllib.parse import parse_qs, urlsplit

from ...emulator import Emulator
from ...emulator.ams.incoming import incoming
from ...emulator.faults import ANSWER_FAULTS
from ...emulator.incoming import Incoming
from ...emulator.notifier import Answered, Delivery
from ..wire import KINDS, pack
from .link import packed, unpacked
from .running import Dead

_BROKEN = ("slow", "reset", "half-answer", "http-500", "html-200", "redirect")
_AMS = _BROKEN + ("answer-unsigned", "answer-sha1", "answer-md5", "answer-tampered", "answer-forged",
                  "answer-other-client", "answer-re-pathed", "UNKNOWN_EXCEPTION", "REQUEST_TRAFFIC_EXCEED_LIMIT")
# TRADE_NOT_EXIST of an order that is there: nobody can tell it from a true one when the order's time is over.
_MAPI = tuple(sorted(set(ANSWER_FAULTS) - {"trade-not-exist"}))
_MAPI_REFUND = ("system-error",) + _BROKEN
#: Call → its faults, among so many answers that are as they should be.
_DEALT: Dict[str, Tuple[Tuple[str, ...], int]] = {
    "single_trade_query": (_MAPI, 30), "forex_refund": (_MAPI_REFUND, 13), "payments/inquiryPayment": (_AMS, 35),
    "payments/inquiryRefund": (_AMS, 35), "payments/refund": (_AMS, 20), "payments/pay": (_AMS, 40)}
#: Seconds that one exchange takes; between two refunds of one partner lie three.
EXCHANGE = 4
_WRITES = ("forex_refund", "payments/refund", "payments/pay")


class Wire:
    """``faults``: (gateway, message, fault) → how often. ``genuine``: gateway → its last unbroken delivery.

    ``calm``: nothing goes wrong any more. ``notified``: called with a notification's answer by the shop."""

    def __init__(self, seed: int, notified: Callable[[Delivery, Dict[str, Any]], Any]):
        self._packs: Dict[str, Iterator[str]] = {call: pack(seed, "migrate " + call, faults + ("",) * clean)
                                                 for call, (faults, clean) in _DEALT.items()}
        self._done = random.Random("demo-migrate-done:{}".format(seed))
        self._notified = notified
        self.calm = False
        self.faults: Dict[Tuple[str, str, str], int] = Counter()
        self.genuine: Dict[str, List[Delivery]] = OrderedDict((("mapi", []), ("ams", [])))
        self.emulator: Any = None
        self.post: Any = None

    def join(self, emulator: Emulator, post: Callable[..., Dict[str, Any]]) -> None:
        """``post``: (target, headers, body, content_type) → what the shop says. Raises Dead."""
        self.emulator, self.post = emulator, post

    def send(self, call: Dict[str, Any]) -> Dict[str, Any]:
        """One exchange with the gateway whose address it is."""
        parts, body = urlsplit(call["url"]), unpacked(call["body"])
        of_ams = parts.path.startswith("/ams/")
        if of_ams:
            name = parts.path.partition("/v1/")[2]
        else:
            query = parts.query.encode("ascii")
            name = parse_qs((body or query).decode("ascii"))["service"][0]
        dealt = self._deal("ams" if of_ams else "mapi", name)
        if of_ams:
            reply = self.emulator.ams_answer(incoming(call["method"], parts.path, call["headers"], body)).reply
        else:
            reply = self.emulator.answer(Incoming(call["method"], query, body)).reply
        # Nothing that is due meanwhile reaches the shop before it is through: it is one process, and busy.
        self.emulator.clock.set(self.emulator.clock.now() + timedelta(seconds=EXCHANGE))
        return {"dealt": dealt, "fault": KINDS[reply.fault] if reply.fault else "", "status": reply.status,
                "content_type": reply.content_type, "body": packed(reply.body), "headers": [
                    list(pair) for pair in reply.headers]}

    def _deal(self, gateway, name):
        fault = "" if self.calm or name not in self._packs else next(self._packs[name])
        if fault:
            self.faults[gateway, name, fault] += 1
            # Whether the work behind a broken answer was done is what the shop cannot know.
            self.emulator.fail(fault, service=name, done=name not in _WRITES or self._done.random() < 0.6)
        return bool(fault)

    def deliver(self, delivery: Delivery) -> Answered:
        """The emulator's sender: a POST to the shop, if it is there."""
        gateway = "ams" if delivery.headers else "mapi"
        try:
            told = self.post(_target(delivery.url), [list(pair) for pair in delivery.headers], delivery.body,
                             delivery.content_type)
        except Dead:
            return Answered(0, "no answer: the connection was reset")
        self._notified(delivery, told)
        if delivery.fault:
            self.faults[gateway, "notification", delivery.fault] += 1
        else:
            self.genuine[gateway].append(delivery)
        return Answered(told["status"], told["text"])


def _target(url):
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")
