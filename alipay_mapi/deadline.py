"""One deadline for a whole exchange, name lookup and TLS included, under requests and urllib3.

``requests`` restarts its clock at every byte, so a peer that sends one byte a second is never cut. Here every read and
write of the socket is given what is left of one deadline. Works by subclassing urllib3's connection classes, 1.26 and
2.x alike (it comes with requests).
"""
import http.client
import io
import socket
import threading
import time
from typing import Any, List, Optional


class Exchange(threading.local):
    """The exchange that this thread is in: its deadline, the query that is kept from urllib3's log, and ``sent``
    (None: no connection was tried, False: none was made, True: bytes of the request may have left)."""

    deadline = 0.0
    query = ""
    sent: Optional[bool] = None

    def begin(self, seconds):
        self.deadline, self.query, self.sent = time.monotonic() + seconds, "", None

    def left(self, most: float = float("inf")) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("the time for the whole exchange is used up")
        return min(left, most)


def make_adapter(exchange, connect, read, pool):
    """A requests adapter whose sockets keep to one deadline and whose urllib3 never sees the query."""
    from requests.adapters import HTTPAdapter
    from urllib3 import connectionpool
    from urllib3.util import Retry
    never_again = Retry(0, read=False)

    def pool_class(base):
        timed = _timed(base.ConnectionCls, exchange, connect, read)
        return type("Timed" + base.__name__, (base,), {"ConnectionCls": timed})

    pools = {"http": pool_class(connectionpool.HTTPConnectionPool),
             "https": pool_class(connectionpool.HTTPSConnectionPool)}

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args, **kwargs):
            self._pools = {}
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *args, **kwargs):
            manager = super().proxy_manager_for(*args, **kwargs)
            manager.pool_classes_by_scheme = pools
            return manager

        def request_url(self, request, proxies):
            # urllib3 logs the URL, and puts it into exceptions; the query is added behind its back, in putrequest.
            target, mark, query = super().request_url(request, proxies).partition("?")
            exchange.query = mark + query
            return target

        def open(self, request, verify, timeout):
            """urllib3's answer, still to be read: ``send`` without what requests makes of it (cookies, redirects, its
            own Response), which costs as much again. For a request that goes through no proxy."""
            target = self.request_url(request, {})
            return self._pool_of(request, verify).urlopen(
                request.method, target, request.body, request.headers, never_again, redirect=False,
                assert_same_host=False, timeout=timeout, preload_content=False, decode_content=False)

        def _pool_of(self, request, verify):
            host = request.url.partition("?")[0]
            pool = self._pools.get(host)
            if pool is None or pool.pool is None:      # none yet, or closed
                if hasattr(self, "get_connection_with_tls_context"):    # requests 2.32
                    pool = self.get_connection_with_tls_context(request, verify, {}, None)
                else:
                    pool = self.get_connection(request.url, {})
                self.cert_verify(pool, request.url, verify, None)
                self._pools[host] = pool
            return pool

    return Adapter(pool_connections=8, pool_maxsize=pool, max_retries=0)


def is_replaced() -> bool:
    """Has somebody put something in the place of requests' own parts: a test, with ``responses`` or another mock?"""
    from requests import Session, adapters
    return any(getattr(part, "__module__", "") != home for part, home in (
        (Session.send, "requests.sessions"), (Session.get_adapter, "requests.sessions"),
        (adapters.HTTPAdapter.send, "requests.adapters")))


def _timed(base: Any, exchange, connect, read):
    """One of urllib3's connection classes (1.26 and 2.x), within the exchange's time."""

    class Timed(base):
        def _new_conn(self):
            exchange.sent = False
            return _open_socket(self._dns_host.strip("[]"), self.port, self.socket_options, exchange, connect, read)

        def connect(self):
            try:
                super().connect()
            finally:
                exchange.sent = False       # what a proxy was told is not our request

        def putrequest(self, method, url, *args, **kwargs):
            return super().putrequest(method, url + exchange.query, *args, **kwargs)

        def send(self, data):
            if self.sock is None:
                self.connect()
            self.sock.settimeout(exchange.left(read))
            exchange.sent = True
            return super().send(data)

        def response_class(self, sock, *args, **kwargs):
            response = http.client.HTTPResponse(sock, *args, **kwargs)
            response.fp = io.BufferedReader(_TimedReader(response.fp.detach(), sock, exchange, read))
            return response

    return Timed


class _TimedReader(io.RawIOBase):
    """A socket's raw reader that gives each read no more than what is left of the deadline."""

    def __init__(self, raw, sock, exchange, read):
        self._raw, self._sock, self._exchange, self._read = raw, sock, exchange, read

    def readable(self):
        return True

    def fileno(self):
        return self._raw.fileno()

    def readinto(self, buffer):
        self._sock.settimeout(self._exchange.left(self._read))
        return self._raw.readinto(buffer)

    def close(self):
        if not self.closed:
            super().close()
            self._raw.close()


def _open_socket(host, port, options, exchange, connect, read):
    """A connected socket. urllib3's own gives each address the whole time, and a name lookup for ever."""
    fault = None
    for family, kind, protocol, _, address in _look_up(host, port, exchange.left(read)):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(exchange.left(connect))
            sock.connect(address)
            sock.settimeout(exchange.left(connect))     # for the TLS handshake
            return sock
        except OSError as err:
            sock.close()
            fault = err
    raise fault or OSError("the name has no address")


def _look_up(host, port, seconds):
    found: List[Any] = []

    def look():
        try:
            found.append(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except Exception as err:        # handed to the waiting thread
            found.append(err)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    answer = found[0] if found else socket.gaierror("no answer in time")
    if isinstance(answer, Exception):
        raise answer
    return answer
