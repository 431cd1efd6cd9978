"""Times of AMS → MAPI's text: ISO 8601 with any offset, or epoch milliseconds, → ``yyyy-MM-dd HH:mm:ss`` in GMT+8."""
import re
from datetime import datetime, timedelta, timezone
from typing import Optional

from ...errors import MalformedParameter
from ...times import GMT8

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?"
                  r"(Z|([+-])([0-9]{2}):?([0-9]{2}))", re.ASCII)
_EPOCH = re.compile(r"[0-9]{13}", re.ASCII)


def moment(text: Optional[str], parameter: str) -> Optional[datetime]:
    """Aware, at +08:00, whole seconds; None for None. Raises MalformedParameter.

    >>> moment("2020-05-13T01:12:52-07:00", "paymentTime").isoformat()
    '2020-05-13T16:12:52+08:00'
    """
    if text is None:
        return None
    found = _ISO.fullmatch(text) if isinstance(text, str) else None
    try:
        if found:
            offset = timedelta(0)
            if found.group(8):
                offset = timedelta(hours=int(found.group(9)), minutes=int(found.group(10)))
                offset = -offset if found.group(8) == "-" else offset
            year, month, day, hour, minute, second = [int(part) for part in found.groups()[:6]]
            return datetime(year, month, day, hour, minute, second, 0, timezone(offset)).astimezone(GMT8)
        if isinstance(text, str) and _EPOCH.fullmatch(text):
            return datetime(1970, 1, 1, tzinfo=GMT8) + timedelta(hours=8, seconds=int(text) // 1000)
    except (ValueError, OverflowError):
        pass
    raise MalformedParameter("{}: neither ISO 8601 with an offset nor epoch milliseconds".format(parameter),
                             parameter=parameter)


def gmt8_text(text: Optional[str], parameter: str) -> Optional[str]:
    """The same as MAPI writes it.

    >>> gmt8_text("1754980300456", "Request-Time")
    '2025-08-12 14:31:40'
    """
    found = moment(text, parameter)
    return None if found is None else found.replace(tzinfo=None).isoformat(" ")
