"""What ``doctor --online`` asks the gateway: is it reached, and does its clock agree with ours."""
import time
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Callable, List, Optional, Tuple
from urllib.parse import urlsplit

from ..errors import TransportError
from ..merchant import Merchant

#: Seconds of difference from which requests with a time in them may be refused.
TOLERATED = 60
#: Faults that still show that somebody at the gateway's address answers.
_ANSWERED = ("status", "redirect", "empty", "too-large")


def ask(shop: Merchant, transport: Any = None, date: Optional[Callable[[str], str]] = None,
        now: Callable[[], float] = time.time) -> List[Tuple[str, str, str]]:
    """Rows of (id, level, text); nothing is signed. ``transport``: as for Client. ``date``: URL → ``Date`` header."""
    from ..transport import Call, RequestsTransport
    transport = transport or RequestsTransport(allow_http=shop.allow_http)
    try:
        transport.send(Call("GET", shop.gateway))
    except TransportError as err:
        if getattr(err, "kind", None) not in _ANSWERED:
            return [("gateway", "problem", "not reached: {}".format(err))]
    rows = [("gateway", "ok", "{} answers".format(urlsplit(shop.gateway).hostname))]
    try:
        theirs = parsedate_to_datetime((date or _date)(shop.gateway)).timestamp()
    except (OSError, HTTPException, ValueError, TypeError, IndexError):
        return rows + [("clock", "note", "not compared: the gateway did not say what time it has")]
    skew = int(round(now() - theirs))
    if abs(skew) > TOLERATED:
        return rows + [("clock", "problem", "this machine is {} seconds {} the gateway; set its clock (NTP)".format(
            abs(skew), "ahead of" if skew > 0 else "behind"))]
    return rows + [("clock", "ok", "within {} seconds of the gateway's".format(TOLERATED))]


def _date(url):
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=5)
    try:
        connection.request("HEAD", parts.path or "/")
        return connection.getresponse().getheader("Date") or ""
    finally:
        connection.close()
