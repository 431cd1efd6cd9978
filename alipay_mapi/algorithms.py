"""``sign_type`` → the algorithm: bytes to a sign's text, and a sign's text back to a verdict.

============  =====================================  ==========================================
sign_type     algorithm                              sign
============  =====================================  ==========================================
``MD5``       md5(pre-sign bytes + key bytes)        32 lower-case hex digits
``RSA``       SHA-1 with RSA, PKCS#1 v1.5            base64
``RSA2``      SHA-256 with RSA, PKCS#1 v1.5          base64
``DSA``       SHA-1 with DSA, DER                    base64; in old pages only, never seen on the wire
============  =====================================  ==========================================

Source: "Creating the Pre-sign String" and "Signing" (ac/website_hk/presign, ac/web/signing).
"""
import binascii
import hashlib
import hmac
import re

from . import crypto
from .errors import MalformedSignature

#: sign_type → (kind of key, hash)
ALGORITHMS = {"MD5": ("MD5", "MD5"), "RSA": ("RSA", "SHA1"), "RSA2": ("RSA", "SHA256"), "DSA": ("DSA", "SHA1")}

_HEX = re.compile(r"[0-9a-f]{32}", re.ASCII)
_LONGEST = 4096


def sign(sign_type: str, key, data: bytes) -> str:
    """``data``: the pre-sign string in the request's charset. ``key``: a Key or MD5Key of the fitting kind."""
    kind, hash_name = ALGORITHMS[sign_type]
    if kind == "MD5":
        return _md5(data + key.secret)
    raw = crypto.backend().sign(key.native(), kind, hash_name, data)
    return binascii.b2a_base64(raw, newline=False).decode("ascii")


def read_sign(sign_type: str, text: str) -> bytes:
    """A sign's text → its bytes, in the one spelling that the algorithm has. Raises MalformedSignature.

    Strict because a lenient decoder gives one signature many spellings: junk inside base64, no padding, spare bits,
    upper-case hex. One repair is made: a blank in base64 was a ``+`` before somebody decoded it once too often.
    """
    if sign_type == "MD5":
        if _HEX.fullmatch(text) is None:
            raise MalformedSignature("an MD5 sign is 32 lower-case hex digits")
        return text.encode("ascii")
    if len(text) <= _LONGEST:
        try:
            spelling = text.replace(" ", "+").encode("ascii")
            raw = binascii.a2b_base64(spelling)
            if raw and binascii.b2a_base64(raw, newline=False) == spelling:
                return raw
        except (binascii.Error, UnicodeEncodeError):
            pass
    raise MalformedSignature("the sign is not plain base64; it was damaged or altered on the way")


def verify(sign_type: str, keys, data: bytes, raw: bytes) -> bool:
    """Does ``raw`` (from :func:`read_sign`) fit ``data`` under one of ``keys``?"""
    kind, hash_name = ALGORITHMS[sign_type]
    if kind == "MD5":
        return any([hmac.compare_digest(_md5(data + key.secret).encode("ascii"), raw) for key in keys])
    module = crypto.backend()
    return any(module.verify(key.native(), kind, hash_name, data, raw) for key in keys)


def key_kind(sign_type: str) -> str:
    """"MD5", "RSA" or "DSA"."""
    return ALGORITHMS[sign_type][0]


def _plain_md5(data):
    return hashlib.md5(data).hexdigest()


def _flagged_md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _choose_md5():
    # A host in FIPS mode refuses plain md5; Python 3.9 and later can say that the protocol leaves no choice.
    try:
        hashlib.md5(b"", usedforsecurity=False)
    except TypeError:
        return _plain_md5
    return _flagged_md5


_md5 = _choose_md5()

