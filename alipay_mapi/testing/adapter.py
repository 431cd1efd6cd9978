"""The emulator behind ``requests``, without a socket: what a session gets back looks as if it came off the network.

Faults of the connection look as requests and urllib3 make them of a real one, each in the place where it happens: a
slow answer before its headers, a reset or a short body while the body is read.
"""
import http.client
import io
from typing import Any, List, Optional
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ReadTimeoutError
from urllib3.util import Timeout

from ..emulator import Emulator
from ..emulator.ams.incoming import incoming
from ..emulator.front import respond
from ..emulator.incoming import Incoming
from ..emulator.reply import PLAIN, Reply
from . import wsgi
from .extra import missing

#: Where shops asked about a notify_id before ``notify_verify`` was a service of the gateway.
_OLD_NOTIFY_VERIFY = "/trade/notify_query.do"
#: What the calls of AMS begin with.
_AMS = ("/ams/api/", "/ams/sandbox/api/")


class Adapter(HTTPAdapter):
    """Answers every request out of ``emulator``. Pages other than ``/gateway.do`` and AMS's calls need the extra
    ``emulator``; they are at the emulator's own host alone, and raise ConfigurationError without the extra."""

    def __init__(self, emulator: Emulator):
        super().__init__()
        self.emulator = emulator
        self._app: Any = None

    def send(self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, verify: Any = True,
             cert: Any = None, proxies: Any = None) -> requests.Response:
        """A Response whose body can still be read raw. Raises requests' exceptions for faults of the connection."""
        reply = self._reply(request)
        if reply.fault == "slow" and _longer(reply.seconds, timeout):
            raise requests.ReadTimeout(ReadTimeoutError(
                urlsplit(request.url).netloc, "", "Read timed out."), request=request)  # type: ignore[arg-type]
        headers: Any = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
        headers += reply.headers
        raw = HTTPResponse(
            body=_body(reply, request.method), headers=headers, status=reply.status,
            version=11, reason=http.client.responses.get(reply.status, "Unknown"), preload_content=False,
            decode_content=False, request_method=request.method)
        return self.build_response(request, raw)

    def _reply(self, request) -> Reply:
        parts = urlsplit(request.url)
        body, query = _bytes_of(request.body), parts.query.encode("utf-8")
        if parts.path.endswith("/gateway.do") or parts.path == _OLD_NOTIFY_VERIFY:
            if request.method not in ("GET", "POST"):
                return Reply(405, PLAIN, b"GET or POST", (("Allow", "GET, POST"),))
            if parts.path == _OLD_NOTIFY_VERIFY:
                query = b"service=notify_verify&" + query
            return respond(self.emulator, Incoming(request.method, query, body,
                                                   referer=request.headers.get("Referer", "")))
        if parts.path.startswith(_AMS):
            target = parts.path + ("?" + parts.query if parts.query else "")
            return self.emulator.ams_answer(incoming(request.method, target, _texts(request.headers), body)).reply
        if parts.netloc != urlsplit(self.emulator.base_url).netloc:
            return Reply(404, PLAIN, b"in a test, only /gateway.do and the calls of AMS are answered at Alipay's hosts")
        answer = wsgi.call(self._pages(), request.method, request.url, body, request.headers)
        kept, content_type = [], ""
        for name, value in answer.headers:
            if name.lower() == "content-type":
                content_type = value
            elif name.lower() != "content-length":
                kept.append((name, value))
        return Reply(answer.status, content_type, answer.body, tuple(kept))

    def _pages(self) -> wsgi.Application:
        if self._app is None:
            absent = None
            try:
                from ..emulator.web import App
            except ImportError as err:
                absent = err.name or ""
            if absent is not None:
                raise missing(absent, "the cashier and the other pages")
            self._app = App(self.emulator)
        return self._app


def _texts(headers):
    """As a server reads them: a session may hold bytes."""
    return [tuple(one.decode("latin-1") if isinstance(one, bytes) else one for one in pair)
            for pair in headers.items()]


class _Breaks(io.RawIOBase):
    """The first half of a body, and then the connection is gone."""

    def __init__(self, body: bytes):
        super().__init__()
        self._left = io.BytesIO(body)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._left.readinto(buffer)
        if not size:
            raise ConnectionResetError(104, "Connection reset by peer")
        return size


def _body(reply, method) -> Any:
    if method == "HEAD":
        return io.BytesIO()
    half = reply.body[:len(reply.body) // 2]
    if reply.fault == "reset":
        return _Breaks(half)
    return io.BytesIO(half if reply.fault == "half-answer" else reply.body)


def _longer(seconds: float, timeout) -> bool:
    """Would a client with this timeout (requests' or urllib3's) have given up?"""
    read: Optional[Any] = timeout
    if isinstance(timeout, Timeout):
        counting = timeout.clone()
        counting.start_connect()
        read = counting.read_timeout
    elif isinstance(timeout, (tuple, list)):
        read = timeout[1]
    return isinstance(read, (int, float)) and seconds > read


def _bytes_of(body) -> bytes:
    """What requests would put on the wire."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    if hasattr(body, "read"):
        return _bytes_of(body.read())
    parts: List[bytes] = [_bytes_of(part) for part in body]
    return b"".join(parts)
