"""The shop's end of the pipe: a line of JSON each way, in turns. It hears the time, and asks the gateways."""
import base64
import faulthandler
import json
from typing import Any, BinaryIO, Dict, Iterator, Tuple

from ...errors import TransportError
from ...transport import Answer, Call

#: Seconds that one order to the shop may take; then its process ends itself.
LIFE = 120


class Link:
    """``now``: UTC seconds, as of the last line that came. ``points``: what the world waits for in this order."""

    def __init__(self, reading: BinaryIO, writing: BinaryIO):
        self._reading, self._writing = reading, writing
        self.now = 0.0
        self.points: Tuple[str, ...] = ()

    def orders(self) -> Iterator[Dict[str, Any]]:
        """What the shop is to do, one after the other, until the pipe is closed."""
        while True:
            faulthandler.cancel_dump_traceback_later()
            told = self._hear()
            if not told:
                return
            faulthandler.dump_traceback_later(LIFE, exit=True)
            self.points = tuple(told.pop("points", ()))
            yield told

    def done(self, result: Dict[str, Any]) -> None:
        self._say({"done": result})

    def send(self, call: Call) -> Answer:
        """A transport: one exchange with a gateway. Raises TransportError."""
        headers: Any = call.headers or {}
        heard = self._ask({"call": {"method": call.method, "url": call.url, "headers": dict(headers), "body": packed(
            call.body or b"")}})
        if heard["fault"]:
            raise TransportError("the answer did not come whole", kind=heard["fault"], sent=True)
        return Answer(heard["status"], heard["content_type"], unpacked(heard["body"]),
                      headers=[(name, value) for name, value in heard["headers"]])

    def reach(self, label: str) -> None:
        """A point at which the process may be killed: it waits until the world lets it go on."""
        if label in self.points:
            self._ask({"point": label})

    def _ask(self, what):
        self._say(what)
        return self._hear()

    def _say(self, what):
        self._writing.write(json.dumps(what).encode("ascii") + b"\n")
        self._writing.flush()

    def _hear(self):
        line = self._reading.readline()
        if not line:
            return {}
        told = json.loads(line.decode("ascii"))
        self.now = told.pop("now", self.now)
        return told


def packed(body: bytes) -> str:
    """Bytes as text that JSON can hold."""
    return base64.b64encode(body).decode("ascii")


def unpacked(text: str) -> bytes:
    """The bytes again."""
    return base64.b64decode(text)
