"""One HTTP request to AMS as it came, its ``Signature`` header, and its body: strict JSON, text for every scalar."""
import base64
import binascii
import json
import re
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Tuple, Union
from urllib.parse import unquote_plus

from ...errors import show
from ..refused import refuse

_VERSION = re.compile("[0-9]{1,9}", re.ASCII)
#: Objects and arrays inside one another.
_DEEPEST = 32
_HALF = re.compile("[\ud800-\udfff]")


class AmsIncoming(NamedTuple):
    """``target``: path and query as sent. ``headers``: pairs, in any letter case. ``remote``: the caller's address."""

    method: str
    target: str
    headers: Tuple[Tuple[str, str], ...] = ()
    body: bytes = b""
    remote: str = "127.0.0.1"

    def __repr__(self):     # no body: it may hold a buyer
        return "<AmsIncoming {} {}, {} bytes>".format(self.method, show(self.target.partition("?")[0]), len(self.body))

    @property
    def named(self) -> Dict[str, str]:
        """Names in lower case → values; of one that stands twice both, with a comma, as HTTP has it."""
        found: Dict[str, str] = {}
        for name, value in self.headers:
            name = name.lower()
            found[name] = found[name] + ", " + value.strip(" \t") if name in found else value.strip(" \t")
        return found


def incoming(method: str, target: str, headers: Union[Mapping[str, str], Iterable[Tuple[str, str]]] = (),
             body: bytes = b"", remote: str = "127.0.0.1") -> AmsIncoming:
    """From whatever a server or a test has: ``headers`` as a mapping or as pairs."""
    pairs: Any = headers.items() if isinstance(headers, Mapping) else headers
    return AmsIncoming(method, target, tuple((name, value) for name, value in pairs), body, remote)


class Signature(NamedTuple):
    """``version``: the ``keyVersion``, or None; ``raw``: the signature's bytes."""

    version: Optional[str]
    raw: bytes


def read_signature(text: str) -> Signature:
    """``algorithm=RSA256,keyVersion=1,signature=…``, with or without blanks after the commas. Raises Refused.

    Decoded as Java's URLDecoder does it: a ``+`` that was not percent-encoded is a blank, and the signature is lost.
    """
    found: Dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.strip(" \t").partition("=")
        if not equals or name in found:
            raise refuse("INVALID_SIGNATURE", "must be algorithm=RSA256,keyVersion=1,signature=…", "Signature")
        found[name] = value
    if found.get("algorithm") != "RSA256":
        raise refuse("INVALID_SIGNATURE", "the algorithm is always RSA256", "Signature")
    version = found.get("keyVersion")
    if version is not None and _VERSION.fullmatch(version) is None:
        raise refuse("KEY_NOT_FOUND", "keyVersion is a number", "Signature")
    plain = unquote_plus(found.get("signature", ""))
    raw = b""
    try:
        raw = base64.b64decode(plain.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        pass
    if not raw:
        raise refuse("INVALID_SIGNATURE", "the signature is no base64{}".format(
            ": a + that was not percent-encoded has become a blank" if " " in plain else ""), "Signature")
    return Signature(version, raw)


def read_body(body: bytes, strict_scalars: bool = True) -> Dict[str, Any]:
    """One JSON object. Raises Refused: PARAM_ILLEGAL, also for a member twice, and for a scalar that is no text."""
    why, found = "", None
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        why = "the body is not UTF-8"
    except (ValueError, RecursionError) as err:
        why = err.args[0] if isinstance(err, _Twice) else "the body is not JSON"
    if not why and not isinstance(found, dict):
        why = "the body is not one JSON object"
    if not why:
        why = _problem(found, "", 1, strict_scalars)
    if why:
        raise refuse("PARAM_ILLEGAL", why, "body")
    return _as_text(found)


class _Twice(ValueError):
    pass


def _once(pairs):
    found: Dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice("{} stands twice in one object".format(show(name)))
        found[name] = value
    return found


def _no_constant(word):
    raise ValueError(word)


def _problem(value, path, depth, strict) -> str:
    """What is wrong with this value or one inside it, or ""."""
    if depth > _DEEPEST:
        return "deeper than any message of AMS"
    if isinstance(value, dict):
        inside = [(name, one, path + "." + name if path else name) for name, one in value.items()]
        if any(_HALF.search(name) for name in value):
            return "half a character in a name"
    elif isinstance(value, list):
        inside = [("", one, "{}[{}]".format(path, at)) for at, one in enumerate(value)]
    elif isinstance(value, str):
        return "{}: half a character".format(show(path)) if _HALF.search(value) else ""
    else:
        return "{}: every value is text, so write \"{}\"".format(show(path), show(json.dumps(value), 20)) \
            if strict or value is None else ""
    for _, one, where in inside:
        problem = _problem(one, where, depth + 1, strict)
        if problem:
            return problem
    return ""


def _as_text(value):
    """What only a lenient client lets pass: ``true`` → ``"true"``, ``20`` → ``"20"``."""
    if isinstance(value, dict):
        return {name: _as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return value if isinstance(value, str) else json.dumps(value)
