"""Waiting for the lock of an SQLite file that another process writes.

SQLite's own wait looks again after 1, 2, 5, 10, 15 milliseconds and more. A transaction of the stores takes half of
one, so a second process would sleep for several times as long as the first one works.
"""
import time
from typing import Any, Callable, Optional

#: Seconds from one look to the next: at first, and at most; each pause is twice the one before. Longer at most than a
#: few transactions, so that many who wait do not take the time of the one who works.
FIRST, LONGEST = 0.0002, 0.025


def patiently(begin: Callable[[], Any], seconds: float, is_locked: Callable[[Exception], bool]) -> Any:
    """What ``begin()`` returns, which takes the lock or raises at once. For ``seconds`` it is called again while
    ``is_locked`` of what it raises; then that is raised, as is anything else."""
    until: Optional[float] = None
    pause = FIRST
    while True:
        try:
            return begin()
        except Exception as err:
            if not is_locked(err):
                raise
            now = time.monotonic()
            until = now + seconds if until is None else until
            if now >= until:
                raise
        time.sleep(min(pause, until - now))
        pause = min(pause * 2, LONGEST)
