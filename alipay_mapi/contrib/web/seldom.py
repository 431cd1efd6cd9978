"""At most so often: what a flood of junk may write into a log or a table."""
import threading
import time
from typing import Callable, Optional


class Seldom:
    """Lets ``burst`` through at once, then ``per_second``; safe to use from many threads.

    >>> now = [0.0]
    >>> seldom = Seldom(per_second=1.0, burst=2, clock=lambda: now[0])
    >>> [seldom.passes() for _ in range(4)]
    [0, 0, None, None]
    >>> now[0] = 1.5
    >>> seldom.passes()
    2
    """

    def __init__(self, per_second: float = 1.0, burst: int = 20, clock: Callable[[], float] = time.monotonic):
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._room, self._at, self._left_out = float(burst), clock(), 0
        self._lock = threading.Lock()

    def passes(self) -> Optional[int]:
        """How many were left out since the last that passed; None: this one is left out too."""
        with self._lock:
            now = self._clock()
            self._room = min(float(self._burst), self._room + max(0.0, now - self._at) * self._per_second)
            self._at = now
            if self._room < 1:
                self._left_out += 1
                return None
            left_out, self._left_out, self._room = self._left_out, 0, self._room - 1
            return left_out
