"""What reached the gateway: bytes of a query and a body → parameters, and the text that must have been signed.

Query and body are merged before anything is signed. The charset to decode with stands in the URL; without it Alipay
takes GBK, so a POST that has ``_input_charset`` in its body alone decodes wrongly and ends as ILLEGAL_SIGN, here too.
Source: "HTTP", "Charsets" and "Creating the Pre-sign String".
"""
from typing import Dict, NamedTuple, Optional

from .. import charsets, form_body
from ..errors import InvalidMessage, show
from ..presign import UNSIGNED, presign_bytes, presign_string
from .refused import Refused, refuse


class Incoming(NamedTuple):
    """One HTTP request to ``/gateway.do``, undecoded. ``remote``: the caller's address."""

    method: str
    query: bytes = b""
    body: bytes = b""
    remote: str = "127.0.0.1"
    referer: str = ""

    def __repr__(self):     # no query and no body: they hold a sign, and a buyer
        return "<Incoming {} of {} and {} bytes>".format(self.method, len(self.query), len(self.body))


class Parameters(NamedTuple):
    """``params``: names to text, everything sent. ``presign``: the bytes that the sign must fit. ``charset``: the
    ``_input_charset`` as sent, or None. ``readable``: every byte was text in that charset."""

    params: Dict[str, str]
    presign: bytes
    charset: Optional[str]
    readable: bool

    def __repr__(self):
        return "<Parameters {}>".format(", ".join(show(name) for name in self.params))


def read(incoming: Incoming) -> Parameters:
    """Merge, decode, and build the pre-sign string. Raises Refused for what is no set of parameters."""
    query, body = _parsed(incoming.query), _parsed(incoming.body)
    pairs = _merged(query, body)
    in_url = query.get(b"_input_charset", b"").decode("latin-1") or None
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


def asked(incoming: Incoming) -> Dict[str, str]:
    """The parameters of a request that may not be readable; none when it is not."""
    try:
        return read(incoming).params
    except Refused:
        return {}


def _parsed(raw) -> Dict[bytes, bytes]:
    if not raw.strip(b"&"):
        return {}
    if raw.startswith(b"&") or raw.endswith(b"&") or b"&&" in raw:      # of clients that glue their URLs together
        raw = b"&".join(part for part in raw.split(b"&") if part)
    why = name = ""
    try:
        return form_body.parse(raw)
    except InvalidMessage as err:
        why, name = str(err), str(getattr(err, "parameter", "") or "")
    raise refuse("ILLEGAL_ARGUMENT", why, name)


def _merged(query, body) -> Dict[bytes, bytes]:
    """Both together; a name may stand in both, with one value."""
    pairs = dict(query)
    for name, value in body.items():
        if pairs.setdefault(name, value) != value:
            raise refuse("ILLEGAL_ARGUMENT", "a parameter stands in the URL and in the body, with two values",
                         show(name.decode("ascii", "replace")))
    return pairs
