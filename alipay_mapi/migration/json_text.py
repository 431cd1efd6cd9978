"""JSON bytes → one object, read strictly; and an object → the bytes that are signed and sent.

A signature is over bytes, a decision is over values; so what two readers could read in two ways is refused: a member
twice, NaN, text that is no UTF-8, lone surrogates. Numbers are kept as the text they were, since AMS writes amounts as
text and a float would round.
"""
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import BodyTooLarge, CharsetError, DuplicateParameter, InvalidRequest, show
from .errors import NotJSON

#: Bytes; as in ``transport``.
MAX_BYTES = 1 << 20
#: Objects and arrays inside one another; the deepest AMS message has six.
MAX_DEPTH = 32

_HALF = re.compile("[\ud800-\udfff]")
# A string that does not end is one match as well: else the search would begin again at each of its quotes.
_STRING = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|\Z)', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def parse(raw: bytes) -> Mapping:
    """Bytes → a read-only mapping (objects: read-only mappings, arrays: tuples, numbers: text).

    Raises BodyTooLarge, CharsetError, DuplicateParameter, NotJSON.

    >>> parse(b'{"value": 1.10}')["value"]
    '1.10'
    """
    if len(raw) > MAX_BYTES:
        raise BodyTooLarge("{} bytes; no message of this protocol is larger than {}".format(len(raw), MAX_BYTES))
    problem = None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
        problem = CharsetError("the body is not UTF-8, in which AMS writes everything")
    if problem is not None:
        raise problem
    if _depth(text) > MAX_DEPTH:
        raise NotJSON("deeper than any message of this protocol")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except (NotJSON, DuplicateParameter):
        raise
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, Mapping):
        raise NotJSON("the body is not one JSON object: cut short, an error page, or something else")
    return value


def dump(value: Any) -> bytes:
    """Values → compact UTF-8 bytes: sign these, send these. Raises InvalidRequest for text that UTF-8 cannot hold."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
    except (UnicodeEncodeError, ValueError, TypeError):
        pass
    raise InvalidRequest("the request holds something that JSON in UTF-8 cannot: half of a surrogate pair, NaN, or a "
                         "type that is not text, a list or a mapping")


def _object(pairs):
    found = {}
    for name, value in pairs:
        if name in found:
            raise DuplicateParameter("a member stands twice in one object", parameter=show(name))
        if not _is_text(name) or isinstance(value, str) and not _is_text(value):
            raise NotJSON("half of a surrogate pair: not text")
        found[name] = _frozen(value)
    return MappingProxyType(found)


def _frozen(value):
    if isinstance(value, list):
        if any(isinstance(item, str) and not _is_text(item) for item in value):
            raise NotJSON("half of a surrogate pair: not text")
        return tuple(_frozen(item) for item in value)
    return value


def _is_text(text):
    return _HALF.search(text) is None


def _no_constant(word):
    raise NotJSON("NaN and Infinity are not JSON")


def _depth(text):
    """How deep brackets stand in one another, those inside strings not counted."""
    deepest = now = 0
    for char in _BRACKET.findall(_STRING.sub("", text)):
        now += 1 if char in "{[" else -1
        deepest = max(deepest, now)
    return deepest
