"""Where a test's notifications go: a WSGI application, a function, one address, or their own address on this machine.

Nothing goes to another machine unless the test names it.
"""
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import urlsplit

from ..errors import InvalidRequest
from ..merchant import is_loopback
from . import wsgi

if TYPE_CHECKING:
    from ..emulator.notifier import Delivery, Sender


def to_app(app: wsgi.Application) -> "Sender":
    """A WSGI application gets the POST at the path of the notify_url."""
    def send(delivery):
        answer = wsgi.call(app, "POST", delivery.url, delivery.body, dict(
            delivery.headers, **{"Content-Type": delivery.content_type}))
        return _answered(answer.status, answer.body)
    return send


def to_function(function: Callable[[bytes, str], Any]) -> "Sender":
    """``function(body, content_type)`` answers with text or bytes, or with (status, text or bytes)."""
    def send(delivery):
        said = function(delivery.body, delivery.content_type)
        status, body = said if isinstance(said, tuple) and len(said) == 2 else (200, said)
        if not isinstance(status, int) or not isinstance(body, (str, bytes)):
            raise InvalidRequest("function: answers Alipay with text or bytes, or with (status, text), not {}".format(
                type(said).__name__), parameter="function")
        return _answered(status, body)
    return send


def to_url(url: str) -> "Sender":
    """All of them go to ``url``, by HTTP, whatever notify_url the order names."""
    def send(delivery):
        from ..emulator.sender import post
        return post(delivery._replace(url=url))
    return send


def to_this_machine(delivery: "Delivery") -> Any:
    """By HTTP to the notify_url, if that is on this machine."""
    if is_loopback(urlsplit(delivery.url).hostname or ""):
        from ..emulator.sender import post
        return post(delivery)
    return _answered(0, "not sent: a test sends to this machine alone; say where with deliver_to()")


class Careful:
    """A sender that never raises into the emulator: what the shop raised waits in ``raised`` for the test."""

    def __init__(self, send: "Sender"):
        self.send, self.raised = send, []   # type: ignore[var-annotated]

    def __call__(self, delivery: "Delivery") -> Any:
        try:
            return self.send(delivery)
        except Exception as err:    # the shop's own: a server would have answered 500
            self.raised.append(err)
            return _answered(500, "the shop raised " + type(err).__name__)

    def raise_again(self) -> None:
        """Raise the first of them, and forget all."""
        if self.raised:
            first, self.raised = self.raised[0], []
            raise first


def _answered(status, body):
    from ..emulator.notifier import Answered
    return Answered(status, body if isinstance(body, str) else body.decode("utf-8", "replace"))
