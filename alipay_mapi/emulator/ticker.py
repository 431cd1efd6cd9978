"""The thread that lets time pass: whatever the emulator's clock has made due is settled and sent."""
import logging
import sqlite3
import threading
from typing import TYPE_CHECKING, Optional

from ..times import parse_time

if TYPE_CHECKING:
    from .emulator import Emulator

#: Seconds between two looks at the ledger: at most, and after something was done.
LONGEST, SHORTEST = 0.1, 0.002

_LOG = logging.getLogger("alipay_mapi.emulator")


class Ticker:
    """``start()`` and ``stop()``. What goes wrong with one notification is logged, and the next one follows."""

    def __init__(self, emulator: "Emulator"):
        self._emulator = emulator
        self._stopping = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="alipay_mapi ticker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> bool:
        """True when the thread has ended; a notification under way is not waited for longer than ``timeout``."""
        self._stopping.set()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self):
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                pause = self._pause()
                if not pause:
                    pause = SHORTEST
                    if getattr(self._emulator.notifier.sender, "exclusive", False):
                        pause = LONGEST     # a recording is being played back: it says itself what is sent when
                    else:
                        self._emulator.deliver()
            except sqlite3.ProgrammingError:
                if self._stopping.wait(LONGEST):    # the ledger was closed
                    return
                pause = LONGEST
            except Exception as err:    # of a sender, or of a row that a newer version wrote
                _LOG.warning("a notification could not be sent: %s", type(err).__name__)
                pause = LONGEST

    def _pause(self) -> float:
        """Seconds of the machine until something is due, 0 when it is, at most LONGEST."""
        due = self._emulator.next_due()
        if due is None:
            return LONGEST
        clock = self._emulator.clock
        left = (parse_time(due) - clock.now()).total_seconds()
        if left <= 0:
            return 0.0
        speed = clock.speed
        return min(LONGEST, max(SHORTEST, left / speed)) if speed else LONGEST
