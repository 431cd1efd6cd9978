"""AMS's part of the WSGI app: its calls, its three pages for buyers, and its pages for people."""
from collections import deque
from typing import Any, Callable, Deque, Dict, Optional, Tuple
from urllib.parse import quote, urlsplit

from ..errors import AlipayError
from . import ams_cashier, ams_pages, pages
from .ams.incoming import incoming
from .emulator import Emulator
from .refused import Refused
from .reply import PLAIN, Reply

#: Every path that begins so is a call, known or not.
CALLS = ("/ams/api/", "/ams/sandbox/api/")
#: What AMS reads of a request, as WSGI names it.
_HEADERS = {"HTTP_CLIENT_ID": "client-id", "HTTP_REQUEST_TIME": "request-time", "HTTP_SIGNATURE": "signature",
            "HTTP_AGENT_TOKEN": "agent-token", "CONTENT_TYPE": "content-type"}
_KEPT = 1000


class AmsRoutes:
    """Methods of ``App``. Those that answer a page get Werkzeug's request, and the number in the address."""

    emulator: Emulator
    _row: Callable[[str, int], Dict[str, Any]]

    def __init__(self) -> None:
        self._ams_received: Deque[Tuple[Any, str]] = deque(maxlen=_KEPT)

    def _ams_call(self, environ, body: bytes) -> Reply:
        headers = [(name, environ[key]) for key, name in _HEADERS.items() if environ.get(key)]
        return self.emulator.ams_answer(incoming(environ["REQUEST_METHOD"], raw_target(environ), headers, body,
                                                 environ.get("REMOTE_ADDR") or "127.0.0.1")).reply

    def _observe_ams(self, outcome, received) -> None:
        """Keep what the signature was over; of the body its length alone, for it may hold a card's number."""
        self._ams_received.append((outcome, "{} {}\n{}.{}.(the body: {} bytes, as they were sent)".format(
            received.method, received.target, outcome.client_id, received.named.get("request-time", ""),
            len(received.body))))

    # --- for buyers -----------------------------------------------------------------------------------------------

    def _ams_buyer(self, request, number: int, page: str) -> Reply:
        row = self._row("ams_payments", number)
        here = ams_cashier.page_of(row)
        if request.method == "GET":
            if here != page:
                return to(ams_pages.PATHS[here].format(number))
            return ams_pages.buyers_page(self.emulator, row, page)
        form = {name: request.form[name] for name in request.form}
        try:
            action = ams_cashier.act(self.emulator, row, page, form)
        except Refused as err:
            return ams_pages.buyers_page(self.emulator, self._row("ams_payments", number), page, err, form=form)
        except AlipayError as err:
            return ams_pages.buyers_page(self.emulator, row, page, problem=str(err), form=form)
        row = self._row("ams_payments", number)
        if row["page"] == "3ds" and row["payment_status"] == "PROCESSING" and page != "3ds":
            return to(ams_pages.PATHS["3ds"].format(number))
        back = None if action in ams_cashier.STAYING else self._ams_back(row)
        return to(back or ams_pages.PATHS[page].format(number))

    def _ams_back(self, row) -> Optional[str]:
        """Where the shop wants the browser, when a browser can go there."""
        back = self.emulator.back_to_shop(row) or ""
        return back if pages.host_of(back) else None

    # --- for people -----------------------------------------------------------------------------------------------

    def _ams_payments(self, request) -> Reply:
        return ams_pages.payments(self.emulator, request.args.get("page", 1, type=int))

    def _ams_payment(self, request, number: int) -> Reply:
        return ams_pages.payment(self.emulator, self._row("ams_payments", number))

    def _ams_requests(self, request) -> Reply:
        return ams_pages.requests(self.emulator, request.args.get("page", 1, type=int))

    def _ams_request(self, request, number: int) -> Reply:
        for logged in self.emulator.ams_requests():
            if logged.number == number:
                signed = [text for outcome, text in list(self._ams_received) if outcome is logged.outcome]
                return ams_pages.request(self.emulator, logged, signed[0] if signed else "")
        return pages.problem(self.emulator, 404)


def raw_target(environ: Dict[str, Any]) -> str:
    """Path and query as they were sent: the signature is over them. ``PATH_INFO`` alone is decoded already."""
    target, query = environ.get("REQUEST_URI") or environ.get("RAW_URI") or "", environ.get("QUERY_STRING", "")
    if target.startswith(("http://", "https://")):      # a request to a proxy
        parts = urlsplit(target)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    if not target.startswith("/"):
        target = quote(environ.get("PATH_INFO") or "/", safe="/:@!$&'()*+,;=~", encoding="latin-1")
    return target + ("?" + query if query and "?" not in target else "")    # some name the path alone


def to(address: str) -> Reply:
    """The browser goes on."""
    return Reply(303, PLAIN, b"", (("Location", address),))
