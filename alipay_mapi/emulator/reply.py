"""What the gateway gives back: bytes for a server, or a page for a browser."""
from typing import Any, Dict, NamedTuple, Optional, Tuple

from ..errors import show

#: The content types of Alipay's answers.
XML, PLAIN, HTML = "text/xml", "text/plain", "text/html"


class Reply(NamedTuple):
    """One HTTP answer. ``fault``: what the connection does while it is sent ("", "slow", "reset" or "half-answer"),
    and ``seconds`` how long a slow one takes."""

    status: int = 200
    content_type: str = XML
    body: bytes = b""
    headers: Tuple[Tuple[str, str], ...] = ()
    fault: str = ""
    seconds: float = 0.0

    def __repr__(self):     # no body: it may hold a sign
        return "<Reply {} {} of {} bytes>".format(self.status, self.content_type, len(self.body))


class Outcome(NamedTuple):
    """What became of one request to the gateway, before it is written down as bytes.

    ``error``: the code, or None. ``why``: for people. ``reply``: the answer of a server service. ``trade``: the order
    that a page service or the app has placed; its answer is a page. ``params``, ``presign``, ``sign_fits`` (None: not
    looked at): what was read, for the cashier and the log.
    """

    service: str = ""
    partner: str = ""
    error: Optional[str] = None
    why: str = ""
    parameter: str = ""
    reply: Optional[Reply] = None
    trade: Optional[Dict[str, Any]] = None
    params: Dict[str, str] = {}
    presign: bytes = b""
    sign_fits: Optional[bool] = None
    is_page: bool = False

    def __repr__(self):
        return "<Outcome of {}: {}>".format(show(self.service), self.error or "done")
