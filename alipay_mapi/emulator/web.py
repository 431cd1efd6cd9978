"""The emulator as a WSGI app: the gateway, the cashier, the pages for people, and the way in for the control API.
What is AMS's is in ``ams_web``.

Other web pages may not use it through a browser: what changes something is refused when it comes from another origin,
or under a host name that is not the emulator's own (DNS rebinding). There are no cookies.
"""
import re
import time
from collections import deque
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Optional

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request

from ..errors import AlipayError
from ..merchant import is_loopback
from . import cashier, pages
from .ams_web import CALLS, AmsRoutes, to
from .emulator import Emulator
from .front import respond
from .incoming import Incoming
from .refused import Refused
from .reply import PLAIN, Reply

#: No message of the protocol is larger.
MAX_BODY = 1024 * 1024
#: A recording that is played back through the control API.
MAX_CONTROL = 64 * 1024 * 1024
#: How many requests are kept as they came, and up to which size.
KEPT, SMALL = 1000, 16 * 1024
#: What a page may load and do: its own style sheet, the QR code inside it, forms that lead back to a shop.
SECURITY = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action http: https:; "
                                "base-uri 'none'; frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_PAGES = Map([
    Rule("/", endpoint="home", methods=["GET"]),
    Rule("/trades/<int:number>", endpoint="trade", methods=["GET"]),
    Rule("/requests", endpoint="requests", methods=["GET"]),
    Rule("/notifications", endpoint="notifications", methods=["GET"]),
    Rule("/requests/<int:number>", endpoint="request", methods=["GET"]),
    Rule("/notifications/<int:number>", endpoint="notification", methods=["GET", "POST"]),
    Rule("/cashier/<int:number>", endpoint="cashier", methods=["GET", "POST"]),
    Rule("/cashier/<int:number>/qr", endpoint="second_browser", methods=["GET", "POST"]),
    Rule("/ams/cashier/<int:number>", endpoint="ams_buyer", methods=["GET", "POST"], defaults={"page": "wallet"}),
    Rule("/ams/card/<int:number>", endpoint="ams_buyer", methods=["GET", "POST"], defaults={"page": "card"}),
    Rule("/ams/3ds/<int:number>", endpoint="ams_buyer", methods=["GET", "POST"], defaults={"page": "3ds"}),
    Rule("/ams/payments", endpoint="ams_payments", methods=["GET"]),
    Rule("/ams/payments/<int:number>", endpoint="ams_payment", methods=["GET"]),
    Rule("/ams/requests", endpoint="ams_requests", methods=["GET"]),
    Rule("/ams/requests/<int:number>", endpoint="ams_request", methods=["GET"]),
    Rule("/static/style.css", endpoint="style", methods=["GET"]),
])
#: What can be looked for: table, column, page.
_FOUND_BY = (("trades", "out_trade_no", "/trades"), ("trades", "trade_no", "/trades"),
             ("ams_payments", "payment_request_id", "/ams/payments"), ("ams_payments", "payment_id", "/ams/payments"))
_NUMBER = re.compile("[0-9]{1,12}", re.ASCII)
_REASONS = {200: "OK", 302: "Found", 303: "See Other", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
            405: "Method Not Allowed", 409: "Conflict", 413: "Payload Too Large", 500: "Internal Server Error"}


class App(AmsRoutes):
    """A WSGI app over one emulator. ``any_host``: answer under whatever name it is called by."""

    def __init__(self, emulator: Emulator, any_host: bool = False):
        super().__init__()
        self.emulator, self.any_host = emulator, any_host
        self._received: deque = deque(maxlen=KEPT)
        emulator.observers.append(self._observe)

    def __call__(self, environ: Dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO") or "/"
        if path == "/gateway.do":
            reply = self._gateway(environ)
        elif path.startswith(CALLS):
            reply = self._ams(environ)
        elif path.startswith("/_emulator/"):
            reply = self._control(environ, path[len("/_emulator"):])
        else:
            reply = self._page(environ)
        return _send(reply, environ, start_response)

    def _observe(self, kind, data):
        """Keep the bytes of requests for a while: what is wrong with a sign can only be told from them."""
        if kind == "request" and len(data["incoming"].query) + len(data["incoming"].body) <= SMALL:
            self._received.append((data["outcome"], data["incoming"]))
        elif kind == "ams":
            self._observe_ams(data["outcome"], data["incoming"])

    def _incoming(self, outcome) -> Optional[Incoming]:
        for known, incoming in list(self._received):
            if known is outcome:
                return incoming
        return None

    def _gateway(self, environ) -> Reply:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "POST"):
            return Reply(405, PLAIN, b"GET or POST", (("Allow", "GET, POST"),))
        body = _body(environ)
        if body is None:
            return Reply(413, PLAIN, b"too large")
        return respond(self.emulator, Incoming(
            method, environ.get("QUERY_STRING", "").encode("latin-1"), body,
            environ.get("REMOTE_ADDR") or "127.0.0.1", environ.get("HTTP_REFERER", "")))

    def _ams(self, environ) -> Reply:
        body = _body(environ)
        return Reply(413, PLAIN, b"too large") if body is None else self._ams_call(environ, body)

    def _control(self, environ, path) -> Reply:
        from . import control
        if not self._trusted(environ):
            return Reply(403, PLAIN, b"refused: another host name, or another web page")
        body = _body(environ, MAX_CONTROL)
        if body is None:
            return Reply(413, PLAIN, b"too large")
        return control.handle(self.emulator, environ["REQUEST_METHOD"], path,
                              environ.get("QUERY_STRING", "").encode("latin-1"), body)

    def _trusted(self, environ) -> bool:
        """Is this our own page, a program of this machine, or a person at the address bar?"""
        host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
        if origin is not None and origin.partition("://")[2] != host:
            return False
        name = pages.host_name("//" + host)
        return self.any_host or name == pages.host_name(self.emulator.base_url) or is_loopback(name)

    # --- pages ----------------------------------------------------------------------------------------------------

    def _page(self, environ) -> Reply:
        try:
            method = environ["REQUEST_METHOD"]
            path = (environ.get("PATH_INFO") or "/").encode("latin-1").decode("utf-8", "replace")
            endpoint, values = _PAGES.bind("emulator").match(path, method)     # whatever the Host header says
            if method == "POST":
                if not self._trusted(environ):
                    return pages.problem(self.emulator, 403)
                length = _length(environ)
                if length is None or length > MAX_BODY:
                    return pages.problem(self.emulator, 413)
            return getattr(self, "_" + endpoint)(Request(environ), **values)
        except MethodNotAllowed:
            return pages.problem(self.emulator, 405)._replace(headers=(("Allow", "GET"),))
        except NotFound:
            return pages.problem(self.emulator, 404)
        except HTTPException as err:    # a redirect to a tidier address is none of ours
            return pages.problem(self.emulator, err.code if err.code and err.code >= 400 else 404)

    def _home(self, request) -> Reply:
        wanted = request.args.get("find", "").strip()
        if wanted:
            for table, column, path in _FOUND_BY:
                found = self.emulator.ledger.one(table, **{column: wanted})
                if found:
                    return to("{}/{}".format(path, found["id"]))
        return pages.home(self.emulator, wanted, request.args.get("page", 1, type=int))

    def _requests(self, request) -> Reply:
        return pages.requests(self.emulator, request.args.get("page", 1, type=int))

    def _notifications(self, request) -> Reply:
        return pages.notifications(self.emulator, request.args.get("page", 1, type=int))

    def _trade(self, request, number) -> Reply:
        return pages.trade(self.emulator, self._row("trades", number))

    def _request(self, request, number) -> Reply:
        for logged in self.emulator.requests():
            if logged.number == number:
                return pages.request(self.emulator, logged, self._incoming(logged.outcome))
        raise NotFound

    def _notification(self, request, number) -> Reply:
        row = self._row("notifications", number)
        if request.method == "GET":
            return pages.notification(self.emulator, row)
        self.emulator.resend(row["notify_id"])
        return to("/notifications/{}".format(number))

    def _cashier(self, request, number) -> Reply:
        row = self._row("trades", number)
        if request.method == "GET":
            if "wait" in request.args:
                return self._waiting(row)
            return pages.cashier(self.emulator, row)
        return self._act(request, row, pages.cashier, "/cashier/{}".format(number), True)

    def _waiting(self, row):
        """The first browser, while the buyer pays in a second one."""
        if pages.is_open(row):
            return pages.waiting(self.emulator, row)
        return to(row.get("gmt_payment") and self._back(row) or "/cashier/{}".format(row["id"]))

    def _second_browser(self, request, number) -> Reply:
        row = self._row("trades", number)
        if request.method == "GET":
            return pages.second_browser(self.emulator, row)
        return self._act(request, row, pages.second_browser, "/cashier/{}/qr".format(number), False)

    def _act(self, request, row, page, again, returns) -> Reply:
        try:
            action = cashier.act(self.emulator, row, request.form)
        except Refused as err:
            return page(self.emulator, self._row("trades", row["id"]), err, buyer=request.form.get("buyer", ""))
        except AlipayError as err:
            return page(self.emulator, row, problem=str(err))
        back = self._back(row) if returns and action in cashier.RETURNING else None
        return to(back or again)

    def _back(self, row) -> Optional[str]:
        """The signed return, when a browser can go there."""
        if not pages.host_of(row["params"].get("return_url", "")):
            return None
        return self.emulator.return_url(row["out_trade_no"], partner=row["partner"])

    def _row(self, table, number):
        self.emulator.settle()
        row = self.emulator.ledger.one(table, id=number) if number < 2 ** 63 else None
        if row is None:
            raise NotFound
        return row

    def _style(self, request) -> Reply:
        path = Path(__file__).resolve().parent / "static" / "style.css"
        return Reply(200, "text/css; charset=utf-8", path.read_bytes(), (("Cache-Control", "max-age=60"),))


def _length(environ) -> Optional[int]:
    length = environ.get("CONTENT_LENGTH") or "0"
    return int(length) if _NUMBER.fullmatch(length) else None


def _body(environ, most=MAX_BODY) -> Optional[bytes]:
    """The body's bytes, or None when there are too many of them."""
    if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
        body = environ["wsgi.input"].read(most + 1)
        return body if len(body) <= most else None
    length = _length(environ)
    if not length:
        return b"" if length == 0 else None
    return environ["wsgi.input"].read(length) if length <= most else None


def _send(reply: Reply, environ, start_response) -> Iterable[bytes]:
    body = reply.body
    headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(body)))] + list(reply.headers)
    if reply.content_type.startswith("text/html"):
        headers += [pair for pair in SECURITY if pair[0] not in dict(reply.headers)]
    if reply.fault:
        misbehave = environ.get("alipay_mapi.misbehave")
        if misbehave is not None:
            misbehave(reply)
        if reply.fault == "slow":
            time.sleep(reply.seconds)
        else:
            body = body[:len(body) // 2]
    start_response("{} {}".format(reply.status, _REASONS.get(reply.status, "Status")), headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
