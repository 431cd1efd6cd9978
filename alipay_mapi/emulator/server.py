"""The emulator on a socket: Werkzeug's development server with keep-alive, and connections that break on purpose.

An answer leaves in one write, so that no client waits for a delayed acknowledgement. Faults of a connection are carried
out by ``broken_connection``.
"""
import io
import logging
import socket
import socketserver
import threading
import time
from typing import Any, Dict, List, cast

from werkzeug.serving import WSGIRequestHandler, make_server

from .. import _version
from ..errors import ConfigurationError, show
from ..merchant import is_loopback
from . import request_body
from .broken_connection import Handled, Misbehaving
from .emulator import Emulator
from .listening import bound, reachable
from .ticker import Ticker
from .web import App

#: Seconds after which an idle connection is closed.
IDLE = 75.0

_LOG = logging.getLogger("alipay_mapi.emulator")
_EMPTY = (204, 304)


class Server:
    """An emulator at ``http://host:port``. ``port`` 0 takes a free one. ``any_host``: allow an address that other
    machines reach.

    ``start()`` makes the emulator's URLs begin with ``url``, and sends notifications when they are due. ``stop()``
    ends every thread within a second, idle connections included. Raises ConfigurationError: the port is taken, or
    the address is not this machine's.
    """

    def __init__(self, emulator: Emulator, host: str = "127.0.0.1", port: int = 0, any_host: bool = False):
        if not any_host and not is_loopback(host):
            raise ConfigurationError("host: {} can be reached from other machines, and anybody who does can read the "
                                     "test keys and pay orders; give 127.0.0.1, or any_host=True".format(show(host)),
                                     parameter="host")
        self.emulator, self.host = emulator, host
        self._lock = threading.Lock()
        self._connections: Dict[threading.Thread, socket.socket] = {}
        self._ticker = Ticker(emulator)
        self.stopping = threading.Event()
        self._loop = threading.Thread(target=self._accept, name="alipay_mapi server", daemon=True)
        listening = bound(host, port)
        try:
            self.port: int = listening.getsockname()[1]
            handler = type("Handler", (_Handler,), {"owner": self})
            self._server = cast(Any, make_server(host, self.port, App(emulator, any_host), threaded=True,
                                                 request_handler=handler, fd=listening.fileno()))
        finally:
            listening.close()       # Werkzeug has its own copy
        self._server.process_request = self._begin
        self._running = False

    @property
    def url(self) -> str:
        """``http://127.0.0.1:8642``: where a browser of this machine (or, beyond loopback, of another) finds it."""
        host = reachable(self.host)
        return "http://{}:{}".format("[{}]".format(host) if ":" in host else host, self.port)

    def start(self) -> "Server":
        """Answer requests from now on. Once only."""
        self.emulator.base_url = self.url
        self._running = True
        self._loop.start()
        self._ticker.start()
        return self

    def stop(self) -> None:
        """Close every connection and end every thread; the emulator and its ledger stay as they are."""
        deadline = time.monotonic() + 1.0
        self.stopping.set()
        if self._running:
            self._running = False
            self._server.shutdown()
            self._loop.join()
        self._server.server_close()
        with self._lock:
            open_ones = dict(self._connections)
        for connection in open_ones.values():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in open_ones:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._ticker.stop(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def _accept(self):
        socketserver.BaseServer.serve_forever(self._server, poll_interval=0.05)

    def _begin(self, connection, address):
        """A thread of its own for each connection, known here, so that it can be ended."""
        thread = threading.Thread(target=self._serve, args=(connection, address), name="alipay_mapi connection",
                                  daemon=True)
        with self._lock:
            self._connections[thread] = connection
        thread.start()

    def _serve(self, connection, address):
        try:
            self._server.finish_request(connection, address)
        except OSError:
            pass        # the client has gone
        finally:
            self._server.shutdown_request(connection)
            with self._lock:
                self._connections.pop(threading.current_thread(), None)


class _Handler(Misbehaving, WSGIRequestHandler):
    """HTTP/1.1 with keep-alive; Werkzeug's own (from 2.1 on) closes the connection after every answer."""

    owner: Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    disable_nagle_algorithm = True

    def handle(self):
        self.close_connection = True
        try:
            self.handle_one_request()
            while not self.close_connection and not self.owner.stopping.is_set():
                self.handle_one_request()
        except (OSError, ValueError):
            self.close_connection = True    # gone, idle for too long, or closed by a fault

    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
        elif len(self.raw_requestline) > 65536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
        elif self.parse_request():
            self.run_wsgi()

    def run_wsgi(self):
        self.environ = environ = self.make_environ()
        try:
            body = request_body.read(self.headers, self.rfile)
        except request_body.Unreadable as err:
            self.send_error(err.status)
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["alipay_mapi.misbehave"] = self.misbehave
        try:
            self._write(*self._asked(environ))
        except Handled:
            pass

    def _asked(self, environ):
        """(status line, headers, body) of the application's answer."""
        answer: List[Any] = []
        written: List[bytes] = []

        def start_response(status, headers, exc_info=None):
            answer[:] = [status, headers]
            return written.append

        try:
            parts = self.server.app(environ, start_response)
            try:
                written.extend(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        except Exception:
            _LOG.exception("the emulator failed; this is a fault of the emulator, not of the shop")
            return "500 Internal Server Error", [("Content-Type", "text/plain")], b"the emulator failed; see its log\n"
        return answer[0], answer[1], b"".join(written)

    def _write(self, status, headers, body):
        self.connection.sendall(self._head(status, headers, len(body)) + (b"" if self.command == "HEAD" else body))

    def _head(self, status, headers, length):
        lines = ["HTTP/1.1 " + status]
        names = set()
        for name, value in headers:
            names.add(name.lower())
            lines.append(name + ": " + value)
        if "content-length" not in names and int(status[:3]) not in _EMPTY:
            lines.append("Content-Length: {}".format(length))
        if "server" not in names:
            lines.append("Server: " + self.version_string())
        if "date" not in names:
            lines.append("Date: " + self.date_time_string())
        if self.close_connection:
            lines.append("Connection: close")
        elif self.request_version == "HTTP/1.0":
            lines.append("Connection: keep-alive")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    # --- what the log and the headers say -------------------------------------------------------------------------

    def version_string(self) -> str:
        return "alipay_mapi-emulator/" + _version.__version__

    def address_string(self) -> str:
        return self.client_address[0]

    def log(self, type: str, message: str, *args: Any) -> None:
        """Silent: ``/`` lists the requests."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Silent."""

    def log_error(self, format: str, *args: Any) -> None:
        """Silent."""
