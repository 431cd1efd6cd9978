"""The emulator's clock: the machine's own, unless a test freezes it, moves it or makes it run faster.

Times are aware and in GMT+8, as Alipay's are. Nothing in the emulator asks another clock, so that a test can be a day
later in no time.
"""
import threading
import time
from datetime import datetime, timedelta
from typing import Optional

from ..errors import InvalidRequest
from ..times import GMT8


#: As far as the clock goes: beyond it, three months later is no date any more.
_FIRST, _LAST = datetime(1970, 1, 2, tzinfo=GMT8), datetime(9000, 1, 1, tzinfo=GMT8)


class Clock:
    """``now()``; ``freeze()``, ``resume(speed)``, ``move(seconds)``, ``set(moment)``. Safe to share between threads.

    ``start``: an aware datetime to begin at (default: now). ``frozen``: begin standing still. Raises InvalidRequest for
    a naive time, or one before 1970 or after 9000.
    """

    def __init__(self, start: Optional[datetime] = None, frozen: bool = False):
        self._lock = threading.Lock()
        self._base = _aware(start) if start is not None else datetime.now(GMT8)
        self._speed, self._since = 0.0 if frozen else 1.0, time.monotonic()

    def now(self) -> datetime:
        with self._lock:
            return self._now()

    def _now(self):
        if not self._speed:
            return self._base
        return self._base + timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    def freeze(self) -> datetime:
        """Stand still from now on."""
        return self._restart(0.0)

    def resume(self, speed: float = 1.0) -> datetime:
        """Run again, ``speed`` times as fast as the machine's clock."""
        if isinstance(speed, bool) or not isinstance(speed, (int, float)) or not 0 < speed <= 1000000:
            raise InvalidRequest("speed: more than 0 and at most 1000000", parameter="speed")
        return self._restart(float(speed))

    def move(self, seconds: float) -> datetime:
        """Go forward (or, with a negative number, back) by so many seconds."""
        with self._lock:
            self._base, self._since = _later(self._now(), seconds), time.monotonic()
            return self._base

    def set(self, moment: datetime) -> datetime:
        """Go to ``moment`` (aware)."""
        with self._lock:
            self._base, self._since = _aware(moment), time.monotonic()
            return self._base

    @property
    def speed(self) -> float:
        """0 when frozen."""
        return self._speed

    def _restart(self, speed):
        with self._lock:
            self._base, self._since, self._speed = self._now(), time.monotonic(), speed
            return self._base


def _aware(moment):
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise InvalidRequest("moment: the clock takes an aware datetime, such as datetime.now(timezone.utc)",
                             parameter="moment")
    if not _FIRST <= moment <= _LAST:
        raise InvalidRequest("moment: from 1970 to 9000", parameter="moment")
    return moment.astimezone(GMT8)


def _later(moment, seconds):
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise InvalidRequest("seconds: a number", parameter="seconds")
    try:
        moved = moment + timedelta(seconds=seconds)
        if _FIRST <= moved <= _LAST:
            return moved
    except (OverflowError, ValueError):     # inf, nan
        pass
    raise InvalidRequest("seconds: the clock goes from 1970 to 9000", parameter="seconds")
