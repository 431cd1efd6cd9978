"""How long an order can be paid: from the words that the payment request used to seconds."""
from datetime import datetime, timedelta
from typing import Optional, Union

from ..errors import InvalidRequest
from ..fields import FIELDS
from ..times import GMT8, parse_time

#: create_forex_trade's own default.
DEFAULT_TIMEOUT = 12 * 3600.0

#: What a payment request can say at most: 15d in timeout_rule and it_b_pay, 30 days in order_valid_time.
LONGEST = 30 * 86400.0

_SECONDS = {"m": 60, "h": 3600, "d": 86400}


def seconds_of(timeout: Union[None, str, int, float, timedelta], now: float) -> float:
    """Seconds from ``now`` (UTC seconds) until an order can no longer be paid.

    ``timeout``: what was sent as ``timeout_rule`` or ``it_b_pay`` (``30m``, ``12h``, ``15d``, ``1c``, or a moment in
    GMT+8; 30 days at most), a number of seconds, a ``timedelta``, or None for 12 hours. Raises InvalidRequest.
    Source: "Timeouts" of create_forex_trade and mobile.securitypay.pay.

    >>> seconds_of("30m", 0.0), seconds_of("1970-01-01 09:00:00", 0.0), seconds_of("1c", 0.0)
    (1800.0, 3600.0, 57600.0)
    """
    if timeout is None:
        return DEFAULT_TIMEOUT
    if isinstance(timeout, timedelta):
        timeout = timeout.total_seconds()
    if isinstance(timeout, (int, float)) and not isinstance(timeout, bool):
        return _checked(timeout)
    if not isinstance(timeout, str) or FIELDS["it_b_pay"].match(timeout) is None:
        raise InvalidRequest("timeout: what the payment request said ({}), or a moment in GMT+8; {}".format(
            FIELDS["it_b_pay"].rule, "digits alone could be minutes or seconds, so give the unit"
            if isinstance(timeout, str) and timeout.isdigit() else "seconds are a number and not text"),
            parameter="timeout")
    if timeout == "1c":
        return _until(_midnight(now), now)
    if timeout[-1] in _SECONDS and timeout[:-1].isdigit():
        seconds = float(int(timeout[:-1]) * _SECONDS[timeout[-1]])
    else:
        seconds = _until(_moment(timeout), now)
    if seconds > LONGEST:
        raise InvalidRequest("timeout: longer than any payment request can say: 15d, and 30d in order_valid_time",
                             parameter="timeout")
    return seconds


def _checked(seconds):
    # false for NaN
    if not -1e9 < seconds < 1e9:
        raise InvalidRequest("timeout: seconds from now", parameter="timeout")
    return float(seconds)


def _until(moment: Optional[datetime], now):
    if moment is None:
        raise InvalidRequest("timeout: there is no such day", parameter="timeout")
    return moment.timestamp() - now


def _moment(text):
    try:
        return parse_time(text)
    except ValueError:
        return None


def _midnight(now):
    day = datetime.fromtimestamp(now, GMT8) + timedelta(days=1)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)
