"""``application/x-www-form-urlencoded`` bytes → names and values as bytes, decoded exactly once.

Bytes, because the signature is over bytes: a framework that decodes a GBK notification as UTF-8 has already destroyed
it. Decoded once, because a ``notify_id`` on a return keeps ``%2F`` in its value. Each name at most once, because two
readers of a repeated name see two different messages.
"""
import codecs
import re
from typing import Dict

from .errors import BodyTooLarge, DuplicateParameter, MalformedParameter, TooManyParameters, show
from .fields import NAMES

#: A refund batch of 1,000 rows passes 150 kB; everything else stays under 8 KiB.
MAX_BYTES = 1024 * 1024
MAX_PARAMETERS = 200

_NAME = re.compile(rb"[^\x00-\x1f\x7f&=]{1,128}")
_KNOWN = frozenset(name.encode("ascii") for name in NAMES)
_PERCENT = ord("%")
_read_escapes = codecs.getdecoder("unicode_escape")


def check_size(raw) -> None:
    """Raise BodyTooLarge before anything else looks at ``raw`` (bytes or text)."""
    if len(raw) > MAX_BYTES:
        raise BodyTooLarge("{} bytes; no message of this protocol is larger than {}".format(len(raw), MAX_BYTES))


def parse(raw: bytes) -> Dict[bytes, bytes]:
    """Names → values, in the order received, percent-decoded once (``+`` is a blank).

    Raises BodyTooLarge, TooManyParameters, MalformedParameter, DuplicateParameter.

    >>> parse(b"subject=a%2Bb+c&sign=x")
    {b'subject': b'a+b c', b'sign': b'x'}
    """
    check_size(raw)
    if raw.count(b"&") >= MAX_PARAMETERS:
        raise TooManyParameters("more than {} parameters; no message of this protocol has so many".format(
            MAX_PARAMETERS))
    if not raw:
        raise MalformedParameter("there is nothing in it; if a framework read the body before you did, take it before")
    if 0 in raw or b"%00" in raw:
        raise MalformedParameter("a NUL character; Alipay sends none")
    parts = [part.split(b"=", 1) for part in raw.replace(b"+", b" ").split(b"&")]
    try:
        return _usual(parts) or _one_by_one(parts)
    except UnicodeDecodeError:
        pass
    raise MalformedParameter("a % is not followed by two hex digits: cut short, or decoded by somebody before")


def _usual(parts):
    """The pairs where every name is one of the protocol's and stands once; else None."""
    try:
        pairs = dict(parts)
    except ValueError:      # a part without =
        return None
    if len(pairs) != len(parts) or not _KNOWN.issuperset(pairs):
        return None
    for name, value in pairs.items():
        if _PERCENT in value:
            pairs[name] = _unquote(value)
    return pairs


def _one_by_one(parts) -> Dict[bytes, bytes]:
    pairs = {}
    for part in [list(map(_unquote, part)) for part in parts]:
        if len(part) != 2 or _NAME.fullmatch(part[0]) is None:
            raise MalformedParameter("a part is not name=value, or its name holds &, = or a control character")
        name, value = part
        if name in pairs:
            raise DuplicateParameter("a parameter stands twice; Alipay sends each once", parameter=_shown(name))
        pairs[name] = value
    return pairs


def _unquote(text):
    """Percent-decode, strictly: UnicodeDecodeError when a % is not followed by two hex digits.

    By the codec that reads ``\\xNN`` in C, which refuses anything but two hex digits there; backslashes are doubled
    first, so it finds no other escape. A third of the time of urllib's, which lets a broken escape stand.
    """
    return _read_escapes(text.replace(b"\\", b"\\\\").replace(b"%", b"\\x"))[0].encode("latin-1")


def _shown(name):
    return show(name.decode("ascii", "backslashreplace"))
