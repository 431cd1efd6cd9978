"""The signature of AMS, in steps that can be printed: content → base64 → percent-encoded → header, and back.

``content`` is the same for requests, answers and notifications::

    POST <path and query>\\n<client id>.<time>.<body>

The algorithm is pinned: RSA256 is SHA-256 with RSA, PKCS#1 v1.5, and nothing a message says changes that. (The official
Python SDK lets the signature choose its digest, so that SHA-1 and MD5 pass there.)
Source: "Sign a request and verify the signature" (docs/ac/ams/digital_signature).
"""
import re
from typing import NamedTuple, Optional
from urllib.parse import unquote_to_bytes

from ... import algorithms
from ...errors import (InvalidRequest, MalformedParameter, MalformedSignature, SignTypeMismatch,
                       UnsupportedSignType, show)

ALGORITHM = "RSA256"
#: The same algorithm under the name that ``algorithms`` has for it.
_RSA256 = "RSA2"

_PATH = re.compile(r"/[!-~]*", re.ASCII)
# The time is opaque (epoch milliseconds or ISO 8601), but not free: content joins it to the body with a dot, and a time
# that could hold a brace or a quotation mark could take the beginning of the body for its own end.
_TIME = re.compile(r"[0-9][0-9TZ:.+-]{0,39}", re.ASCII)
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_KEY_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)
_LONGEST_HEADER = 8192
_MEMBERS = ("algorithm", "keyVersion", "signature")


class Signature(NamedTuple):
    """A ``Signature`` header, read. ``raw``: the signature's bytes; ``key_version``: its text, or None."""

    key_version: Optional[str]
    raw: bytes


def content(path: str, client_id: str, time: str, body: bytes, method: str = "POST") -> bytes:
    """What is signed. ``path``: with its query, without scheme and host; ``body``: exactly the bytes that are sent.

    Raises MalformedParameter for a path, client id or time that could be read as another part.

    >>> content("/ams/api/v1/payments/cancel", "C1", "1754980200123", b"{}")
    b'POST /ams/api/v1/payments/cancel\\nC1.1754980200123.{}'
    """
    for name, value, pattern in (("path", path, _PATH), ("client-id", client_id, _CLIENT_ID), ("time", time, _TIME)):
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise MalformedParameter("{}: not of the form that AMS uses".format(name), parameter=name)
    if method != "POST":
        raise MalformedParameter("method: AMS knows POST alone", parameter="method")
    if not isinstance(body, bytes):
        raise InvalidRequest("body: the raw bytes; text that was decoded and encoded again may differ",
                             parameter="body")
    return "{} {}\n{}.{}.".format(method, path, client_id, time).encode("ascii") + body


def sign(key, signed: bytes) -> str:
    """``signed``: from :func:`content` → base64, percent-encoded as Java's URLEncoder does it."""
    plain = algorithms.sign(_RSA256, key, signed)
    return plain.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def header(signature: str, key_version: Optional[str] = None) -> str:
    """The header's value, without blanks.

    >>> header("abc%3D", "1")
    'algorithm=RSA256,keyVersion=1,signature=abc%3D'
    """
    middle = "keyVersion={},".format(key_version) if key_version is not None else ""
    return "algorithm={},{}signature={}".format(ALGORITHM, middle, signature)


def read_header(text: str) -> Signature:
    """A header's value → its signature. With blanks after the commas or without, as both are in the documentation.

    Raises MalformedSignature, UnsupportedSignType (no algorithm), SignTypeMismatch (another one).
    """
    if not isinstance(text, str) or len(text) > _LONGEST_HEADER:
        raise MalformedSignature("Signature: longer than any, or not text")
    found = {}
    for part in text.split(","):
        name, equals, value = part.strip(" ").partition("=")
        if not equals or name not in _MEMBERS or name in found or not value:
            raise MalformedSignature("Signature: must be algorithm=…,keyVersion=…,signature=…, each once")
        found[name] = value
    if "algorithm" not in found:
        raise UnsupportedSignType("Signature: names no algorithm; {} is expected".format(ALGORITHM))
    if found["algorithm"] != ALGORITHM:
        raise SignTypeMismatch("Signature: names the algorithm {}, and only {} is accepted".format(
            show(found["algorithm"], 16), ALGORITHM))
    if "keyVersion" in found and _KEY_VERSION.fullmatch(found["keyVersion"]) is None:
        raise MalformedSignature("Signature: keyVersion is not a number")
    if "signature" not in found:
        raise MalformedSignature("Signature: holds no signature")
    return Signature(found.get("keyVersion"), _read_signature(found["signature"]))


def fits(keys, signed: bytes, signature: Signature) -> bool:
    """Was ``signed`` signed with one of ``keys``, by SHA-256 with RSA?"""
    return algorithms.verify(_RSA256, keys, signed, signature.raw)


def _read_signature(text):
    # unquote, not unquote_plus: base64 that came unencoded has its + here, and it is no blank.
    plain = unquote_to_bytes(text.encode("utf-8", "replace")).decode("latin-1")
    if " " in plain:
        raise MalformedSignature("Signature: a blank inside of base64; its + was decoded once too often on the way")
    return algorithms.read_sign(_RSA256, plain)
