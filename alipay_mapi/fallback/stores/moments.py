"""A store's clock: what is done when it goes back, a later deadline, and a rate that several processes share."""
from typing import Tuple

#: How far the stored reading of the clock may lag, so that not every claim writes it.
CLOCK_STEP = 5.0

#: The database's own clock, as a select. In MySQL not UNIX_TIMESTAMP(SYSDATE(6)): that reads local time, and an hour of
#: it comes twice a year.
CLOCKS = {"postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
          "mysql": "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1e6"}

#: The clock went back to :now. What was written "in the future" keeps its length from now on. The columns that others
#: are computed from come last: MySQL assigns from left to right.
MEND = (
    "UPDATE mapi_orders SET due_at = CASE WHEN due_at > asked_at THEN due_at - asked_at + :now "
    "WHEN due_at IS NOT NULL THEN :now END, "
    "lease_until = CASE WHEN lease_until > asked_at THEN lease_until - asked_at + :now ELSE lease_until END, "
    "asked_at = :now WHERE asked_at > :now",
    "UPDATE mapi_orders SET deadline = deadline - watched_at + :now, watched_at = :now WHERE watched_at > :now",
    "UPDATE mapi_effects SET due_at = CASE WHEN due_at > given_at THEN due_at - given_at + :now "
    "WHEN due_at IS NOT NULL THEN :now END, given_at = :now WHERE given_at > :now",
    "UPDATE mapi_effects SET made_at = :now WHERE made_at > :now",
    "UPDATE mapi_effects SET done_at = :now WHERE done_at > :now",
    "UPDATE mapi_moments SET moment = :now WHERE moment > :now",
)

#: An order gets until :last, and is due at :first if it was over for want of time.
EXTEND = ("UPDATE mapi_orders SET due_at = CASE WHEN outcome IN ('expired', 'gave_up') THEN :first ELSE due_at END, "
          "last_error = CASE WHEN outcome IN ('expired', 'gave_up') THEN '' ELSE last_error END, "
          "outcome = CASE WHEN outcome IN ('expired', 'gave_up') THEN 'open' ELSE outcome END, deadline = :last "
          "WHERE shop = :shop AND out_trade_no = :number AND deadline < :last")


def reserve(taken: float, now: float, count: int, per_second: float, ahead: float) -> Tuple[int, float, float]:
    """Up to ``count`` moments of a rate of which those before ``taken`` are gone, none further than ``ahead`` seconds.

    How many are free, seconds until the first (or until there may be some), and the next value of ``taken``.

    >>> reserve(0.0, 1000.0, 3, 2.0, 10.0)
    (3, 0.0, 1001.5)
    >>> reserve(1010.5, 1000.0, 3, 2.0, 10.0)
    (0, 0.5, 1010.5)
    """
    first = max(taken, now)
    free = max(0, min(count, int((now + ahead - first) * per_second) + 1)) if first <= now + ahead else 0
    return free, first - now if free else first - now - ahead, first + free / per_second
