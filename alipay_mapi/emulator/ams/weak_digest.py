"""A signature over MD5, for the fault ``answer-md5`` alone: no library is asked for one, so it is made by its numbers.

(The official Python SDK lets a signature choose its own digest, and believes it.)
"""
import base64
import hashlib

#: DigestInfo of MD5 up to the digest itself (RFC 8017, 9.2, note 1).
_HEAD = bytes.fromhex("3020300c06082a864886f70d020505000410")


def md5_with_rsa(key, text: bytes) -> str:
    """Base64 of RSASSA-PKCS1-v1_5 with MD5. ``key``: a private RSA Key."""
    _, modulus, _, private = _integers(key.export("PKCS#1"), 4)
    length = (modulus.bit_length() + 7) // 8
    tail = _HEAD + hashlib.md5(text).digest()
    block = b"\x00\x01" + b"\xff" * (length - len(tail) - 3) + b"\x00" + tail
    return base64.b64encode(pow(int.from_bytes(block, "big"), private, modulus).to_bytes(length, "big")).decode("ascii")


def _integers(encoded, count):
    """The first numbers of a DER SEQUENCE of INTEGERs."""
    start, _ = _content(encoded, 0)
    found = []
    for _ in range(count):
        start, length = _content(encoded, start)
        found.append(int.from_bytes(encoded[start:start + length], "big"))
        start += length
    return found


def _content(encoded, at):
    """(where an element's content begins, how long it is)."""
    length = encoded[at + 1]
    if length < 128:
        return at + 2, length
    size = length - 128
    return at + 2 + size, int.from_bytes(encoded[at + 2:at + 2 + size], "big")
