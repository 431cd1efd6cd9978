"""What the shop's own code raised, for error trackers: by Django's signal, as if it had come through to Django.

They show each frame's variables. So only the shop's frames are left: ours hold the notification's body.
"""
from typing import Any, Iterator, List

from django.core.signals import got_request_exception
from django.http import HttpRequest

#: Packages between the view and the shop's function.
_OURS = ("alipay_mapi", "contextlib", "django")


def tell_trackers(sender: Any, request: HttpRequest, failure: BaseException) -> None:
    """``sys.exc_info()`` is the failure while receivers are called. Raises nothing."""
    for error in _chain(failure):
        error.__traceback__ = _theirs(error.__traceback__)
    try:
        raise failure
    except BaseException:   # noqa: B036 - it was caught before
        got_request_exception.send_robust(sender=sender, request=request)


def _chain(error: Any) -> Iterator[BaseException]:
    seen: List[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _theirs(trace):
    """A traceback from the first frame on that is not ours."""
    while trace is not None and _package(trace) in _OURS:
        trace = trace.tb_next
    return trace


def _package(trace):
    return str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
