"""The warning that an old call gives where it no longer does what it did."""
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import Iterator, List

_PACKAGE = __name__.rpartition(".")[0]
#: Which thread listens. ``warnings.catch_warnings`` would change what every other thread hears.
_LISTENING = threading.local()


class CompatWarning(UserWarning):
    """An old call did something wrong or unsafe; now it does the right thing, and there is a better call.

    Shown once for each place that calls, by Python's own rules, and in production too (a DeprecationWarning is not):
    what a shop gets has changed. Silence it with ``warnings.simplefilter("ignore", CompatWarning)``.
    """


def warn(call: str, change: str, instead: str) -> None:
    """Warn at the line that called into this package. ``change``: what was done, and what happens now. ``instead``:
    the call to move to. No text may hold a value: warnings end in logs."""
    text = "{}: {}. Instead: {}".format(call, change, instead)
    heard = getattr(_LISTENING, "heard", None)
    if heard is not None:
        heard.append(text)
    else:
        warnings.warn(text, CompatWarning, stacklevel=_depth())


@contextmanager
def listening() -> Iterator[List[str]]:
    """Inside, this thread's warnings go into the list and nowhere else."""
    before, heard = getattr(_LISTENING, "heard", None), []  # type: ignore[var-annotated]
    _LISTENING.heard = heard
    try:
        yield heard
    finally:
        _LISTENING.heard = before


def _depth():
    """How far up the shop's own line is, as ``warn`` sees it."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _ours(frame.f_globals.get("__name__", "")):
        depth, frame = depth + 1, frame.f_back
    return depth


def _ours(module):
    return module == _PACKAGE or module.startswith(_PACKAGE + ".")
