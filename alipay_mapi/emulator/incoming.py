"""What reached the gateway: bytes of a query and a body → parameters, and the text that must have been signed.

Query and body are merged before anything is signed. The charset to decode with stands in the URL; without it Alipay
takes GBK, so a POST that has ``_input_charset`` in its body alone decodes wrongly and ends as ILLEGAL_SIGN, here too.
Source: "HTTP", "Charsets" and "Creating the Pre-sign String".
"""
from typing import Dict, NamedTuple, Optional

from .. import charsets, form_body
from ..errors import InvalidMessage
from ..presign import UNSIGNED, presign_bytes, presign_string
from .refused import refuse


class Incoming(NamedTuple):
    """One HTTP request to ``/gateway.do``, undecoded. ``remote``: the caller's address."""

    method: str
    query: bytes = b""
    body: bytes = b""
    remote: str = "127.0.0.1"
    referer: str = ""


class Parameters(NamedTuple):
    """``params``: names to text, everything sent. ``presign``: the bytes that the sign must fit. ``charset``: the
    ``_input_charset`` as sent, or None. ``readable``: every byte was text in that charset."""

    params: Dict[str, str]
    presign: bytes
    charset: Optional[str]
    readable: bool


def read(incoming: Incoming) -> Parameters:
    """Merge, decode, and build the pre-sign string. Raises Refused for what is no set of parameters."""
    pairs = _merged(incoming)
    in_url = _charset_in(incoming.query)
    charset = pairs.get(b"_input_charset", b"").decode("latin-1") or None
    reads = charsets.reading_codec(in_url if charsets.known(in_url) else None)
    signs = charsets.reading_codec(charset if charsets.known(charset) else None)
    readable = True
    try:
        params = {name.decode(reads): value.decode(reads) for name, value in pairs.items()}
    except UnicodeDecodeError:
        readable = False
        params = {name.decode(reads, "replace"): value.decode(reads, "replace") for name, value in pairs.items()}
    if reads == signs:
        signed = presign_bytes([pair for pair in pairs.items() if pair[0].decode("latin-1") not in UNSIGNED])
    else:
        signed = presign_string(params).encode(signs, "replace")
    return Parameters(params, signed, charset, readable)


def _merged(incoming) -> Dict[bytes, bytes]:
    try:
        pairs = form_body.parse(incoming.query) if incoming.query else {}
        for name, value in (form_body.parse(incoming.body) if incoming.body else {}).items():
            if pairs.setdefault(name, value) != value:
                raise refuse("ILLEGAL_ARGUMENT", "a parameter stands in the URL and in the body, with two values",
                             name.decode("ascii", "replace"))
        return pairs
    except InvalidMessage as err:
        why, name = str(err), getattr(err, "parameter", "")
    raise refuse("ILLEGAL_ARGUMENT", why, name)


def _charset_in(query) -> Optional[str]:
    for part in query.split(b"&"):
        if part.startswith(b"_input_charset="):
            return part[len(b"_input_charset="):].decode("latin-1")
    return None
