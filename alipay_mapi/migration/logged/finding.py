"""The messages of MAPI in one line of any log: payment URLs, query strings, form bodies, order strings, in JSON too.

A line may hold anything. What is percent-encoded is decoded once; what is neither UTF-8 nor GBK, or was cut, is told as
damaged and not guessed at.
"""
import json
import re
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from ... import form_body
from ...errors import AlipayError
from ...fields import NAMES
from ..translate.calls import CALLS

CALL, NOTIFICATION, RETURN = "call", "notification", "return"
#: Lines are looked at up to so many bytes; no message of the protocol is longer.
LONGEST = form_body.MAX_BYTES

_TOKEN = re.compile(rb"[^\s\"'<>]+")
_FIRST = re.compile(rb"([A-Za-z_][A-Za-z0-9_.]{0,63})=")
_QUOTED = re.compile(rb'[A-Za-z_][A-Za-z0-9_.]{0,63}="[^"]*"(?:&[A-Za-z_][A-Za-z0-9_.]{0,63}="[^"]*")+')
_PAIR = re.compile(rb'([A-Za-z_][A-Za-z0-9_.]{0,63})="([^"]*)"')
#: One of these is in every message; most lines of a log are put aside by it.
_MARKS = (b"service", b"notify_id", b"notify_type", b"sign")
#: What looks like a message of MAPI and cannot be read is damaged; anything else is none.
_OURS = re.compile(rb"(?:^|[?&])(?:partner|notify_id|_input_charset)=")
_KNOWN = frozenset(name.encode("ascii") for name in NAMES)
_DEEPEST = 20


class Message(NamedTuple):
    """``kind``: CALL, NOTIFICATION (posted to notify_url) or RETURN (what a browser or the app's SDK brought back).
    ``service``: of a call, else "". ``params``: names to decoded text. ``raw``: the query or body as it was logged;
    empty where the log had the parameters one by one."""

    kind: str
    service: str
    params: Dict[str, str]
    raw: bytes


def messages_in(line: bytes) -> Tuple[List[Message], List[str]]:
    """The messages of a line, each once; and of those that cannot be read, why. Never raises.

    >>> found, damaged = messages_in(b'"GET /gateway.do?service=single_trade_query&partner=1&subject=a%2Bb HTTP/1.1"')
    >>> found[0].service, found[0].params["subject"], damaged
    ('single_trade_query', 'a+b', [])
    """
    found: Dict[Tuple, Message] = {}
    damaged: Dict[str, None] = {}
    if any(mark in line for mark in _MARKS):
        for pairs, raw in _pairs_in(line[:LONGEST], damaged):
            message = _message(pairs, raw, damaged)
            if message is not None:
                found.setdefault((message.kind, tuple(sorted(message.params.items()))), message)
    return list(found.values()), list(damaged)


def _pairs_in(line, damaged) -> Iterator[Tuple[Dict[bytes, bytes], bytes]]:
    value = _json_in(line)
    if value is None:
        yield from _pairs_of_text(line, damaged)
        return
    for one in _walk(value, _DEEPEST):
        if isinstance(one, dict):
            texts = {name: text for name, text in one.items() if isinstance(text, str)}
            yield {_bytes(name): _bytes(text) for name, text in texts.items()}, b""
        else:
            yield from _pairs_of_text(_bytes(one), damaged)


def _pairs_of_text(text, damaged):
    """(names → values, raw) of each query, form body or order string in a text."""
    if b'="' in text:
        for match in _QUOTED.finditer(text):
            yield dict(_PAIR.findall(match.group())), match.group()
    text = text.strip(b"\xef\xbb\xbf \t\r\n")
    first = _FIRST.match(text)
    if first and first.group(1) in _KNOWN and b"?" not in text.partition(b"&")[0] and b'="' not in text:
        tokens = [text]     # the whole of it; a logger may have decoded the blanks in it
    else:
        tokens = _TOKEN.findall(text)
    for token in tokens:
        raw = _query(token)
        if b"=" not in raw or not any(mark in raw for mark in _MARKS):
            continue
        try:
            yield form_body.parse(raw), raw
        except AlipayError as err:
            if _OURS.search(raw):
                damaged[str(err)] = None


def _query(token):
    """The part of a word that may be a query or a body: behind the ``?`` of an address, if there is one."""
    head, _, _ = token.partition(b"&")
    before, mark, _ = head.rpartition(b"?")
    if mark:
        token = token[len(before) + 1:].partition(b"#")[0]
    return token.lstrip(b"[({").rstrip(b"])},;").strip(b"&")


def _message(pairs, raw, damaged):
    """A Message, or None for pairs that are none of MAPI's."""
    params = None
    for codec in ("utf-8", "gb18030"):
        try:
            params = {name.decode("utf-8"): value.decode(codec) for name, value in pairs.items()}
            break
        except UnicodeDecodeError:
            pass
    if params is None:
        if b"partner" in pairs or b"notify_id" in pairs:
            damaged["the text is neither UTF-8 nor GB18030"] = None
        return None
    kind = _kind(params)
    return None if kind is None else Message(kind, params["service"] if kind == CALL else "", params, raw)


def _kind(params):
    service, signed = params.get("service"), "sign" in params
    if "is_success" in params or "success" in params:
        return RETURN if signed else None
    if service and (signed or "partner" in params or service in CALLS):
        return CALL
    if "app_id" in params or service:       # OpenAPI's, or somebody else's
        return None
    if "notify_id" in params and ("notify_type" in params or signed):
        return NOTIFICATION
    return None


def _json_in(line):
    """The JSON object or array that a line ends with, None when there is none."""
    opening = {b"}": b"{", b"]": b"["}.get(line.rstrip()[-1:])
    start = -1 if opening is None else line.find(opening)
    if start >= 0:
        for codec in ("utf-8", "gb18030"):
            try:
                return json.loads(line[start:].decode(codec), parse_int=_nothing, parse_float=_nothing)
            except (ValueError, RecursionError):
                pass
    return None


def _nothing(digits):
    """No number is looked at, and reading one of a million digits takes long."""


def _walk(value: Any, depth: int) -> Iterator[Any]:
    """Every text and every object in a JSON value."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, (dict, list)):
        if isinstance(value, dict):
            yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from _walk(one, depth - 1)


def _bytes(text):
    return text.encode("utf-8", "surrogatepass")
