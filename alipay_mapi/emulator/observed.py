"""Telling observers what is done to the gateway: each call that changes something, once, before it is carried out.

What a call does in turn (``advance`` delivers, a shop that is being notified asks for a refund) is its own business and
not told again; requests to ``/gateway.do`` are told by themselves.
"""
import functools
import inspect
import threading
from datetime import datetime
from typing import Any, Callable, Dict, Iterable, Mapping, TypeVar, cast

from .trades import text

#: A function of (kind, data): see ``Emulator``.
Observer = Callable[[str, Dict[str, Any]], None]

_Method = TypeVar("_Method", bound=Callable[..., Any])


class Calls(threading.local):
    """How deep this thread is in calls that are told: the outermost one is."""

    depth = 0


def reported(method: _Method) -> _Method:
    """A method of something with ``observers`` and ``calls``: told to the observers before it is carried out."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def told(self, *args, **kwargs):
        if self.calls.depth == 0 and self.observers:
            tell(self.observers, "call", {"name": method.__name__, "arguments": _plain(
                signature.bind(self, *args, **kwargs).arguments)})
        self.calls.depth += 1
        try:
            return method(self, *args, **kwargs)
        finally:
            self.calls.depth -= 1

    return cast(_Method, told)


def tell(observers: Iterable[Observer], kind: str, data: Dict[str, Any]) -> None:
    """Tell all of them."""
    for observer in list(observers):
        observer(kind, data)


def _plain(arguments):
    """Arguments by name, as JSON can say them."""
    found: Dict[str, Any] = {}
    for name, value in arguments.items():
        if name in ("settings", "params"):      # what was given as **settings or **params
            found.update(value)
        elif name != "self":
            found[name] = text(value) if isinstance(value, datetime) and value.utcoffset() is not None else \
                dict(value) if isinstance(value, Mapping) else value
    return found
