"""The body of an HTTP/1.1 request, read from its connection: of a stated length, or in chunks.

Not Werkzeug's reader: when a client goes in the middle of a chunk, that one lets Python read beyond its buffer. A body
whose end could be seen in two ways is refused, so that its rest is never taken for a request. Source: RFC 9112, 6, 7.
"""
import re
from typing import Any, BinaryIO

#: The longest body that is read; a recording that is played back is the longest there is.
LONGEST = 64 * 1024 * 1024

_LENGTH = re.compile("[0-9]{1,15}", re.ASCII)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE = 8192
#: Lines after the last chunk; they say nothing that the emulator wants to know.
_TRAILERS = 100


class Unreadable(Exception):
    """Answer with ``status`` and close the connection; of a 400 and a 413 the rest is not worth reading."""

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


def read(headers: Any, stream: BinaryIO) -> bytes:
    """All of it. ``headers``: of the request, with ``get_all``. Raises Unreadable; ConnectionError when it is cut."""
    lengths = {value.strip() for value in headers.get_all("Content-Length") or []}
    codings = [value.strip().lower() for value in headers.get_all("Transfer-Encoding") or []]
    if codings:
        if codings != ["chunked"] or lengths:
            raise Unreadable(400)
        return _in_chunks(stream)
    if not lengths:
        return b""
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        raise Unreadable(400)
    if int(length) > LONGEST:
        raise Unreadable(413)
    return _exactly(stream, int(length))


def _in_chunks(stream) -> bytes:
    parts, size = [], 0
    while True:
        found = _CHUNK.fullmatch(_line(stream))
        if found is None:
            raise Unreadable(400)
        length = int(found.group(1), 16)
        if not length:
            break
        size += length
        if size > LONGEST:
            raise Unreadable(413)
        parts.append(_exactly(stream, length))
        if _line(stream) not in (b"\r\n", b"\n"):
            raise Unreadable(400)
    for _ in range(_TRAILERS):
        if _line(stream) in (b"\r\n", b"\n"):
            return b"".join(parts)
    raise Unreadable(400)


def _exactly(stream, length) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise ConnectionError
    return data


def _line(stream) -> bytes:
    line = stream.readline(_LINE)
    if not line:
        raise ConnectionError
    return line
