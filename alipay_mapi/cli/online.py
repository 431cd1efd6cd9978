"""What ``doctor --online`` asks the gateway: is it reached, and does its clock agree with ours."""
import time
from email.utils import parsedate_to_datetime
from typing import Any, Callable, List, Tuple
from urllib.parse import urlsplit

from ..errors import TransportError
from ..merchant import Merchant

#: Seconds of difference from which requests with a time in them may be refused.
TOLERATED = 60
#: Faults that still show that somebody at the gateway's address answers.
_ANSWERED = ("status", "redirect", "empty", "too-large")


def ask(shop: Merchant, transport: Any = None, now: Callable[[], float] = time.time) -> List[Tuple[str, str, str]]:
    """Rows of (id, level, text); nothing is signed. ``transport``: as for Client."""
    from ..transport import Call, RequestsTransport
    transport = transport or RequestsTransport(allow_http=shop.allow_http)
    try:
        date = transport.send(Call("GET", shop.gateway)).date
    except TransportError as err:
        if getattr(err, "kind", None) not in _ANSWERED:
            return [("gateway", "problem", "not reached: {}".format(err))]
        date = getattr(err, "date", "")
    rows = [("gateway", "ok", "{} answers".format(urlsplit(shop.gateway).hostname))]
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, IndexError):
        return rows + [("clock", "note", "not compared: the gateway did not say what time it has")]
    skew = int(round(now() - theirs))
    if abs(skew) > TOLERATED:
        return rows + [("clock", "problem", "this machine is {} seconds {} the gateway; set its clock (NTP)".format(
            abs(skew), "ahead of" if skew > 0 else "behind"))]
    return rows + [("clock", "ok", "within {} seconds of the gateway's".format(TOLERATED))]
