"""When an order is asked about next: pure arithmetic on UTC seconds, so that every clock can be tried.

After a grace time in which the notification usually comes, then at growing intervals, until the order's own deadline
plus a margin; then it has expired, and is asked about a few times more, days later: Alipay counts ``timeout_rule`` from
the buyer's login, so an old payment page can still be paid. A moment is always computed from the store's clock and from
what is stored, never from how long a process has run. Source: "When to query" (no interval is published; these are
ours); create_forex_trade.
"""
import hashlib
from typing import NamedTuple, Optional

from ..errors import ConfigurationError

_DAY = 24 * 3600.0
#: Days after its deadline on which an expired order is asked about.
_LATE = (1, 3, 7)


class Schedule(NamedTuple):
    """All in seconds. ``grace``: from the watch to the first question. ``first``: the first interval, which then grows
    by ``factor`` up to ``longest``. ``margin``: how long after an order's deadline it is asked about once more.
    ``jitter``: the share by which an interval is stretched, so that orders made together are not asked about together.
    ``gives_up``: how long an order is asked about in vain, after its deadline and margin, before a person must look.
    """

    grace: float = 60.0
    first: float = 60.0
    factor: float = 2.0
    longest: float = 3600.0
    margin: float = 600.0
    jitter: float = 0.1
    gives_up: float = 24 * 3600.0

    def check(self) -> "Schedule":
        """Itself. Raises ConfigurationError for a schedule that would storm or never end."""
        for name, value in self._asdict().items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ConfigurationError("{}: a number of seconds (factor and jitter: a number)".format(name))
        for name in ("first", "longest", "margin", "gives_up"):
            if not getattr(self, name) >= 1:
                raise ConfigurationError("{}: at least 1 second".format(name))
        if not (self.grace >= 0 and 1 <= self.factor <= 10 and 0 <= self.jitter <= 1 and self.longest >= self.first):
            raise ConfigurationError("a schedule has grace >= 0, factor 1 to 10, jitter 0 to 1, longest >= first")
        return self

    def begins(self, key: str, now: float) -> float:
        """When an order that is watched from ``now`` on is first asked about."""
        return now + self.grace + self._stretch(key, 0, self.first) - self.first

    def after(self, key: str, attempts: int, now: float, deadline: float) -> Optional[float]:
        """When to ask again after the ``attempts``-th question, asked ``now``; None when there is nothing more to ask.

        ``deadline``: when the order can no longer be paid. The last question comes ``margin`` after it, or a first
        interval after the one before.
        """
        last = deadline + self.margin
        if now >= last:
            return None
        return min(now + self._stretch(key, attempts, self.interval(attempts)), max(last, now + self.first))

    def interval(self, attempts: int) -> float:
        """The interval after the ``attempts``-th question, without jitter."""
        steps = min(max(attempts - 1, 0), 64)
        return min(self.first * self.factor ** steps, self.longest)

    def late(self, key: str, now: float, deadline: float) -> Optional[float]:
        """When to ask about an order that has expired; None: not again."""
        for days in _LATE:
            moment = self._stretch(key, 0, 0.1 * days * _DAY) + deadline + self.margin + 0.9 * days * _DAY
            if moment > now:
                return moment
        return None

    def retry(self, key: str, attempts: int, now: float, deadline: float, since: Optional[float] = None,
              patience: float = 1.0) -> Optional[float]:
        """When to ask again after a question that was not answered; None: give up, and tell a person.

        ``since``: when the first of the questions was asked that were not answered, one after the other; None: at the
        deadline at the latest. ``patience``: so many times longer than usual."""
        begun = deadline + self.margin
        if since is not None:
            begun = max(begun, since)
        if now >= begun + self.gives_up * patience:
            return None
        return now + self._stretch(key, attempts, self.interval(attempts))

    def unheard(self, key: str, attempts: int, now: float) -> float:
        """When to ask again if nothing more is heard of the ``attempts``-th question, which is asked ``now``: written
        down before it is asked, so that a worker that dies with it does not make it come twice in one interval."""
        return now + self._stretch(key, attempts, self.interval(attempts))

    def _stretch(self, key, attempts, interval):
        # From the order's own key, not from a random source: the same order, the same moments.
        digest = hashlib.sha256("{}:{}".format(key, attempts).encode("utf-8", "surrogatepass")).digest()
        return interval * (1 + self.jitter * int.from_bytes(digest[:4], "big") / 2 ** 32)
