"""One HTTP exchange with the gateway. With ``deadline``, the only sockets of the library.

A transport has one method, ``send(call) -> answer``, and knows no keys, no services and no retries; those are
``client``'s. :class:`RequestsTransport` is the one for the network. Anything else with a ``send`` can stand in for it.

What it holds to, whatever the other side does:

* https only (plain http to this machine, or with ``allow_http``); certificates are always verified, and no argument
  or environment variable changes that; no redirect is followed; only status 200 with a body is an answer;
* connect 3 s, read 10 s, 15 s *in all*: ``requests`` restarts its clock at every byte, so each read of the socket is
  given what is left of one deadline;
* at most 1 MiB, also when compressed; a short body is a fault, not an answer;
* every fault is a TransportError with ``host``, ``kind`` and ``sent``: False when not a byte of the request had left
  this machine, True when the gateway may have it. No URL, query or text of the other side is in it.
"""
import http.client
import os
import re
import socket
import ssl
import threading
import zlib
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from . import deadline
from ._version import __version__
from .errors import AlipayError, ConfigurationError, TransportError
from .merchant import is_loopback

#: Longest answer that is read, in bytes, after decompression.
CAP = 1 << 20

_URL = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?][!-~]*)?")

_KINDS = {
    "dns": "the name could not be looked up",
    "connect": "no connection (refused, unreachable or too slow)",
    "proxy": "the proxy gave no way through",
    "tls": "no trusted TLS connection; look at the clock, at ca_bundle and at proxies in between (verification cannot "
           "be switched off)",
    "timeout": "no complete answer in time",
    "broken": "the connection broke before the answer was complete",
    "status": "not an answer but status {status}",
    "redirect": "a redirect (status {status}), which is never followed; is the gateway's URL right?",
    "too-large": "the answer is longer than 1 MiB",
    "short": "the answer is shorter than it says of itself",
    "empty": "the answer is empty",
    "encoding": "the answer is compressed in a way that was not asked for, or damaged",
    "other": "the request failed in the HTTP library ({cause})",
}


@dataclass(frozen=True)
class Call:
    """One request. ``url``: complete, encoded, ASCII. ``body``: bytes of a POST, or None. ``timeout``: seconds this
    exchange may take, when that is less than the transport's own total."""

    method: str
    url: str
    body: Optional[bytes] = None
    headers: Optional[Mapping[str, str]] = None
    timeout: Optional[float] = None

    def __repr__(self):
        return "<Call {}>".format(self.method)


@dataclass(frozen=True)
class Answer:
    """What came back: ``status``, ``content_type`` and ``date`` (those headers' text, "" without one), ``body``;
    ``headers``: all of them as pairs, in which AMS has its signature."""

    status: int
    content_type: str
    body: bytes
    date: str = ""
    headers: Sequence[Tuple[str, str]] = field(default=(), compare=False)

    def __repr__(self):
        return "<Answer {}, {} bytes>".format(self.status, len(self.body))


class RequestsTransport:
    """``requests`` with a pooled session. Safe to share between threads, and after a fork.

    ``connect``, ``read``, ``total``: seconds. ``pool``: idle connections kept per host. ``allow_http``: plain http to
    other machines too. ``ca_bundle``: path of a file (or folder) of CA certificates to trust in place of certifi's;
    default the environment's REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE. The environment, its proxies included, is read
    once, here. Raises ConfigurationError.
    """

    def __init__(self, connect: float = 3.0, read: float = 10.0, total: float = 15.0, pool: int = 32,
                 allow_http: bool = False, ca_bundle: Optional[str] = None):
        if not (connect > 0 and read > 0 and total > 0 and pool > 0):
            raise ConfigurationError("connect, read, total: seconds above 0; pool: at least 1")
        self._connect, self._read, self._total, self._pool = connect, read, total, pool
        self._allow_http = allow_http
        self._verify = _ca_bundle(ca_bundle)
        self._proxies = getproxies_environment()
        self._exchange = deadline.Exchange()
        self._lock = threading.Lock()
        self._open()

    def send(self, call: Call) -> Answer:
        """Carry out one exchange. Raises TransportError, or ConfigurationError before anything is sent."""
        host = self._check_url(call.url)
        proxies = self._proxies_for(host)
        exchange = self._exchange
        exchange.begin(min(self._total, self._total if call.timeout is None else call.timeout))
        try:
            return self._answer(call, host, proxies)
        except AlipayError:
            raise
        except Exception as err:
            # Not a narrow list: two libraries of many versions are below, and after a refund has left this machine
            # whatever they raise means "outcome unknown". Raised below, so that no __context__ holds the URL.
            sent = exchange.sent if exchange.sent is not None else not _before_sending(err)
            kind, cause = _kind(err, sent), type(err).__name__
        raise _fault(kind, host, sent, cause=cause)

    def close(self) -> None:
        """Close idle connections. The transport can still be used; it then opens new ones."""
        self._session.close()

    def _open(self):
        import requests

        class Session(requests.Session):
            def get_redirect_target(self, resp):
                return None     # requests reads a redirect's whole body, uncapped, even when it does not follow

        session = Session()
        session.trust_env = False
        adapter = deadline.make_adapter(self._exchange, self._connect, self._read, self._pool)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        # Ready first, and only then seen by other threads.
        self._session = session
        self._pid = os.getpid()

    def _session_here(self):
        # A connection shared with the parent process would hand one process the other's answers.
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._open()
        return self._session

    def _check_url(self, url):
        match = _URL.fullmatch(url)
        if not match:
            raise ConfigurationError("the gateway's URL is not a plain ASCII http(s) URL without a user name")
        host = match.group(2).strip("[]").lower()
        if match.group(1) == "http" and not self._allow_http and not is_loopback(host):
            raise ConfigurationError("{}: plain http is only for this machine; use https (or allow_http=True, for a "
                                     "test network)".format(host))
        return host

    def _proxies_for(self, host) -> Dict[str, str]:
        # Never for this machine: "plain http to loopback" would leave it by way of the proxy.
        if not self._proxies or is_loopback(host) or proxy_bypass_environment(host, self._proxies):
            return {}
        chosen = {name: proxy for name, proxy in self._proxies.items() if name in ("http", "https", "all")}
        if any("://" in proxy and not proxy.lower().startswith(("http://", "https://")) for proxy in chosen.values()):
            raise ConfigurationError("the environment names a proxy that is not http(s); set https_proxy to one that "
                                     "is, or no_proxy={}".format(host))
        return chosen

    def _answer(self, call, host, proxies):
        import requests
        from urllib3.util import Timeout
        request = requests.PreparedRequest()
        request.method, request.url, request.body = call.method, call.url, call.body
        headers: Any = {"User-Agent": "alipay-mapi/" + __version__, "Accept": "*/*", "Accept-Encoding": "identity"}
        headers.update(call.headers or {})
        if call.body is not None:
            headers["Content-Length"] = str(len(call.body))
        request.headers = headers
        timeout = Timeout(connect=self._connect, read=self._read, total=self._exchange.left())
        session = self._session_here()
        if proxies or deadline.is_replaced():
            request.headers = requests.structures.CaseInsensitiveDict(headers)
            response = session.send(request, stream=True, allow_redirects=False, verify=self._verify, cert=None,
                                    proxies=proxies, timeout=timeout)
            status, raw = response.status_code, response.raw
        else:
            response = raw = session.get_adapter(call.url).open(request, self._verify, timeout)
            status = raw.status
        try:
            headers = response.headers
            if status != 200:
                raise _fault("redirect" if 300 <= status < 400 else "status", host, True, status=status,
                             date=headers.get("Date", ""))
            body = _read_body(raw, headers, host)
        finally:
            response.close()
        return Answer(status, headers.get("Content-Type", ""), body, headers.get("Date", ""),
                      tuple(headers.items()))


def _read_body(raw, headers, host):
    parts, size = [], 0
    while True:
        part = raw.read(16384, decode_content=False)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > CAP:
            raise _fault("too-large", host, True)
    body, declared = b"".join(parts), headers.get("Content-Length")
    if declared is not None and "Transfer-Encoding" not in headers and size < int(declared):
        raise _fault("short", host, True)
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("gzip", "x-gzip") and body:
        unpacker = zlib.decompressobj(31)
        body = unpacker.decompress(body, CAP + 1)
        if len(body) > CAP:
            raise _fault("too-large", host, True)
        if not unpacker.eof or unpacker.unused_data:
            raise _fault("encoding", host, True)
    elif encoding not in ("", "identity", "gzip", "x-gzip"):
        raise _fault("encoding", host, True)
    if not body:
        raise _fault("empty", host, True)
    return body


def _fault(kind, host, sent, cause="", **facts):
    text = _KINDS[kind].format(cause=cause, **facts)
    return TransportError("{}: {}".format(host, text), kind=kind, host=host, sent=sent, **facts)


def _kind(err, sent):
    """Which row of ``_KINDS`` an exception of requests, urllib3, http.client or the socket is."""
    from requests.exceptions import ProxyError
    causes = tuple(_causes(err))

    def has(*classes):
        return any(isinstance(cause, classes) for cause in causes)

    if has(zlib.error):
        return "encoding"
    if sent:
        if any("IncompleteRead" in type(cause).__name__ for cause in causes):
            return "short"
        if has(socket.timeout) or any("Timeout" in type(cause).__name__ for cause in causes):
            return "timeout"
        return "broken" if has(OSError, http.client.HTTPException) else "other"
    if has(ProxyError):
        return "proxy"
    if has(socket.gaierror, UnicodeError):
        return "dns"
    if has(ssl.SSLError, ssl.CertificateError) or any(type(cause).__name__ == "SSLError" for cause in causes):
        return "tls"
    return "connect" if has(OSError) else "other"


def _before_sending(err):
    """For an exception from above our connections (a stand-in for requests, a refused URL): surely not sent?"""
    from requests import exceptions
    return isinstance(err, (exceptions.ConnectTimeout, exceptions.SSLError, exceptions.ProxyError, ValueError))


def _causes(err) -> Iterator[BaseException]:
    waiting: List[Any] = [err]
    seen: List[BaseException] = []
    while waiting and len(seen) < 20:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and not any(one is other for other in seen):
            seen.append(one)
            yield one
            waiting.extend((one.__cause__, one.__context__, getattr(one, "reason", None)) + tuple(one.args))


def _ca_bundle(path):
    for source, value in (("ca_bundle", path), ("REQUESTS_CA_BUNDLE", os.environ.get("REQUESTS_CA_BUNDLE")),
                          ("CURL_CA_BUNDLE", os.environ.get("CURL_CA_BUNDLE"))):
        if value is None or (not value and source != "ca_bundle"):
            continue
        if not isinstance(value, (str, os.PathLike)) or not os.path.exists(value):
            raise ConfigurationError("{}: no such file or folder; give the path of CA certificates in PEM".format(
                source))
        return os.fspath(value)
    return True
