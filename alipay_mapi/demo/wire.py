"""The line between shop and gateway, in process: calls with dealt faults one way, notifications the other way."""
import random
from collections import OrderedDict
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence
from urllib.parse import parse_qs, urlsplit

from ..emulator import Emulator
from ..emulator.faults import ANSWER_FAULTS
from ..emulator.incoming import Incoming
from ..emulator.notifier import Answered, Delivery
from ..errors import TransportError
from ..transport import Answer, Call
from .plan import dealt
from .shop import Shop

#: How a fault of the connection looks to a transport.
KINDS = {"slow": "timeout", "reset": "broken", "half-answer": "short"}
_READS = tuple(sorted(ANSWER_FAULTS)) + ("",) * 28
_CONFIRMS = ("http-500", "reset", "slow", "system-error") + ("",) * 24
_WRITES = ("system-error", "half-answer", "reset", "slow", "http-500", "html-200", "redirect") + ("",) * 13
#: In the gateway's bad hour first nobody answers, then nothing that is answered can be used.
_DOWN, _BAD = ("slow", "slow", "reset", "http-500"), ("system-error", "slow", "http-500", "system-error")
_BAD_READS = ("unsigned-paid", "system-error", "unsigned-paid", "slow")
#: Seconds after which the gateway does not deny an order any more.
_SOON = 3000

#: A fault that was played: of an ``answer`` to a service or of a ``notification``, or an ``attack``. ``became``: what
#: the shop said, or "asked again" when the client repeated its question by itself.
Played = NamedTuple("Played", [("what", str), ("name", str), ("about", str), ("became", str)])


class Wire:
    """A transport for the shop's clients, and a sender for the gateway.

    ``state``: the gateway's: "down", "bad", or "" for as good as it gets. ``calm``: nothing goes wrong any more.
    ``played``: the faults so far. ``said``: notify_id → the shop's verdicts, one for each time that it was sent.
    ``genuine``: order → its first unbroken notification.
    """

    def __init__(self, seed: int, state: Callable[[], str]):
        self._packs = {"single_trade_query": pack(seed, "read", _READS), "notify_verify": pack(
            seed, "confirm", _CONFIRMS), "forex_refund": pack(seed, "write", _WRITES)}
        self._down = pack(seed, "down", _DOWN)
        self._bad = {"single_trade_query": pack(seed, "bad read", _BAD_READS), "notify_verify": pack(
            seed, "bad confirm", _BAD), "forex_refund": pack(seed, "bad write", _BAD)}
        self._done = random.Random("demo-done:{}".format(seed))
        self.state, self.calm = state, False
        self.played: List[Played] = []
        self.said: Dict[str, List[str]] = {}
        self.genuine: Dict[str, Delivery] = OrderedDict()
        self._waiting: List[tuple] = []
        self.emulator: Any = None
        self.shop: Any = None

    def join(self, emulator: Emulator, shop: Shop) -> None:
        self.emulator, self.shop = emulator, shop

    # --- the shop asks --------------------------------------------------------------------------------------------

    def send(self, call: Call) -> Answer:
        """One exchange with the emulated gateway. Raises TransportError, as the network's transport does."""
        self.settle(again=True)
        query, body = urlsplit(call.url).query.encode("ascii"), call.body or b""
        params = parse_qs((body or query).decode("ascii"))
        service = params["service"][0]
        name = self._fault_for(service, params)
        if name:
            # Whether the work behind a broken answer was done is what the shop cannot know.
            self.emulator.fail(name, service=service, done=service != "forex_refund" or self._done.random() < 0.6)
        reply = self.emulator.answer(Incoming(call.method, query, body)).reply
        if name and not (name.startswith("answer-") and b"<sign>" not in reply.body):   # nothing signed to alter
            self._waiting.append((name, service, len(self.shop.log)))
        if reply.fault:
            raise TransportError("the answer did not come whole", kind=KINDS[reply.fault], sent=True)
        return Answer(reply.status, reply.content_type, reply.body)

    def _fault_for(self, service, params):
        if self.calm:
            return ""
        state = self.state()
        name = next(self._down if state == "down" else (self._bad if state == "bad" else self._packs)[service])
        if name == "trade-not-exist":
            # When an order's time is over, and it comes twice in a row, nobody can tell it from a true one.
            placed = self.shop.books[params["out_trade_no"][0]].placed_at
            if (self.emulator.clock.now() - placed).total_seconds() > _SOON:
                return "system-error"
        return name

    def settle(self, again: bool = False) -> None:
        """Write down what became of the last faulty answers: the shop's next word, or another question."""
        left = []
        for name, service, at in self._waiting:
            if len(self.shop.log) > at:
                self.played.append(Played("answer", name, service, self.shop.log[at].verdict))
            elif again:
                self.played.append(Played("answer", name, service, "asked again"))
            else:
                left.append((name, service, at))
        self._waiting = left

    # --- the gateway notifies -------------------------------------------------------------------------------------

    def deliver(self, delivery: Delivery) -> Answered:
        """The sender of the emulator: a POST to the shop."""
        status, text = self.post(delivery.url, delivery.body, delivery.content_type)
        self.said.setdefault(delivery.notify_id, []).append(self.shop.log[-1].verdict)
        if delivery.fault:
            self.played.append(Played("notification", delivery.fault, delivery.out_trade_no,
                                      self.shop.log[-1].verdict))
        else:
            self.genuine.setdefault(delivery.out_trade_no, delivery)
        return Answered(status, text)

    def post(self, url: str, body: bytes, content_type: str) -> tuple:
        """Somebody posts to an address of the shop: (status, text)."""
        answer = self.shop.notify(urlsplit(url).path.rsplit("/", 1)[1], body, content_type)
        self.settle()
        return answer


def pack(seed: int, name: str, cards: Sequence[str]) -> Iterator[str]:
    """The cards, dealt for ever: the whole pack, shuffled, again and again."""
    chosen = random.Random("demo-{}:{}".format(name, seed))
    while True:
        for card in dealt(chosen, cards, len(cards)):
            yield card
