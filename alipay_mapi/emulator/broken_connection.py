"""Faults that need the socket itself: "slow", "reset" and "half-answer"."""
import http.client
import socket
import struct
import time
from typing import Any, ClassVar, List, Tuple

from .reply import Reply


class Handled(BaseException):
    """Unwinds the application once the connection has misbehaved. No Exception: nothing may take it for a failure."""


class Misbehaving:
    """For a handler of connections: ``misbehave``, which the app finds as ``environ["alipay_mapi.misbehave"]``.

    The handler has ``connection``, ``rfile``, ``wfile``, ``timeout``, ``close_connection``, ``owner.stopping`` (an
    Event), and makes an answer with ``_head(status, headers, length)`` and ``_write(status, headers, body)``.
    """

    connection: socket.socket
    rfile: Any
    wfile: Any
    owner: Any = None
    timeout: ClassVar[Any] = None
    close_connection = True
    _head: Any
    _write: Any

    def misbehave(self, reply: Reply) -> None:
        """Carry out ``reply.fault``. Never returns: what was to be sent is sent."""
        if reply.fault == "slow":
            if self._wait(reply.seconds):
                self._write(*_as_wsgi(reply))
            else:
                self.close_connection = True
            raise Handled
        self.close_connection = True
        status, headers, body = _as_wsgi(reply)
        self.connection.sendall(self._head(status, headers, max(1, len(body))) + body[:len(body) // 2])
        if reply.fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # The files keep the socket open, and an orderly end of the thread would say FIN before the reset.
            self.wfile.close()
            self.rfile.close()
            self.connection.close()
        raise Handled

    def _wait(self, seconds):
        """True after so many seconds; False when the client has gone or the server stops before."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            if self._gone(min(left, 0.05)) or self.owner.stopping.is_set():
                return False

    def _gone(self, seconds):
        """Has the client closed the connection? Waits for ``seconds`` to find out."""
        self.connection.settimeout(seconds)
        try:
            if self.connection.recv(1, socket.MSG_PEEK) == b"":
                return True
            self.owner.stopping.wait(seconds)       # it has sent the next request already
        except socket.timeout:
            pass
        except OSError:
            return True
        finally:
            self.connection.settimeout(self.timeout)
        return False


def _as_wsgi(reply: Reply) -> Tuple[str, List[Tuple[str, str]], bytes]:
    status = "{} {}".format(reply.status, http.client.responses.get(reply.status, "Unknown"))
    return status, [("Content-Type", reply.content_type)] + list(reply.headers), reply.body
