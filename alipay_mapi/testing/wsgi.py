"""One request to a WSGI application, without a socket: the emulator's own pages, or the shop of a test."""
import io
import sys
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import unquote_to_bytes, urlsplit

from ..errors import InvalidRequest

#: What every WSGI server hands to an application.
Application = Callable[[Dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_PORTS = {"http": "80", "https": "443"}


class Answer(NamedTuple):
    """``headers``: (name, value) pairs, as the application gave them."""

    status: int
    reason: str
    headers: List[Tuple[str, str]]
    body: bytes


def call(app: Application, method: str, url: str, body: bytes = b"", headers: Optional[Mapping[str, str]] = None,
         remote: str = "127.0.0.1") -> Answer:
    """The application's whole answer. Whatever the application raises comes out as it is. Raises InvalidRequest.

    ``url``: complete; its fragment is not sent. ``headers``: names to text.
    """
    started: List[Tuple[str, List[Tuple[str, str]]]] = []
    written: List[bytes] = []

    def start_response(status, names, exc_info=None):
        if exc_info is not None and written:
            raise exc_info[1].with_traceback(exc_info[2])
        started[:] = [(status, list(names))]
        return written.append

    parts = app(_environ(method, url, body, headers or {}, remote), start_response)
    try:
        written.extend(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    if not started:
        raise InvalidRequest("app: the application answered without calling start_response; give a WSGI application",
                             parameter="app")
    status, names = started[0]
    code, _, reason = status.partition(" ")
    return Answer(int(code), reason, names, b"".join(written))


def _environ(method, url, body, headers, remote):
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    environ = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "QUERY_STRING": parts.query, "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "SERVER_NAME": parts.hostname or "localhost", "SERVER_PORT": str(parts.port or _PORTS.get(scheme, "80")),
        "HTTP_HOST": parts.netloc.rpartition("@")[2], "REMOTE_ADDR": remote, "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0), "wsgi.url_scheme": scheme, "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr,
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key not in ("CONTENT_LENGTH", "HOST"):
            environ["HTTP_" + key] = value
    return environ
