"""Just enough DER to say what a key file holds, so that a refusal can name the cause; libraries do the reading.

Shapes (RFC 5208, 5280, 5958, 8017): every one is a single SEQUENCE, told apart by its first elements.
"""
from typing import List, NamedTuple, Optional, Tuple

_SEQUENCE, _INTEGER, _BIT_STRING, _OCTET_STRING, _OID = 0x30, 0x02, 0x03, 0x04, 0x06

_ALGORITHMS = {
    "2a864886f70d010101": "RSA",
    "2a864886f70d01010a": "RSA-PSS",
    "2a8648ce380401": "DSA",
    "2a8648ce3d0201": "EC",
    "2b6570": "Ed25519",
    "2b6571": "Ed448",
}

Form = NamedTuple("Form", [("kind", str), ("private", Optional[bool]), ("container", str)])


def whole(data: bytes) -> bool:
    """Is this exactly one DER SEQUENCE, nothing missing and nothing behind it?"""
    element = _element(data, 0, len(data))
    return element is not None and element[0] == _SEQUENCE and element[2] == len(data)


def form(data: bytes) -> Optional[Form]:
    """What kind of key ``data`` (one whole DER SEQUENCE) is; ``None`` for a shape that is none of them.

    ``container``: ``PKCS#1``, ``PKCS#8``, ``SPKI``, ``traditional``, ``certificate`` or ``encrypted``.
    """
    parts = _children(data)
    if parts is None:
        return None
    tags = [tag for tag, _, _ in parts]
    if tags[:3] == [_INTEGER, _SEQUENCE, _OCTET_STRING]:
        return Form(_algorithm(data, parts[1]), True, "PKCS#8")
    if tags == [_SEQUENCE, _BIT_STRING] and data[parts[1][1]:parts[1][1] + 1] == b"\0":  # no unused bits
        return Form(_algorithm(data, parts[0]), False, "SPKI")
    if tags == [_INTEGER, _INTEGER]:
        return Form("RSA", False, "PKCS#1")
    if tags[:9] == [_INTEGER] * 9:
        return Form("RSA", True, "PKCS#1")
    if tags == [_INTEGER] * 6:
        return Form("DSA", True, "traditional")
    if tags[:2] == [_INTEGER, _OCTET_STRING]:
        return Form("EC", True, "traditional")
    if tags == [_SEQUENCE, _OCTET_STRING]:
        return Form("", True, "encrypted")
    if tags == [_SEQUENCE, _SEQUENCE, _BIT_STRING]:
        return Form("", None, "certificate")
    return None


def _algorithm(data, part):
    _, start, end = part
    oid = _element(data, start, end)
    if oid is None or oid[0] != _OID:
        return ""
    name = _ALGORITHMS.get(data[oid[1]:oid[2]].hex(), "another algorithm")
    if name == "RSA" and data[oid[2]:end] not in (b"\x05\x00", b""):  # parameters: NULL, or left out
        return "another algorithm"
    return name


def _children(data):
    if not whole(data):
        return None
    _, offset, end = _element(data, 0, len(data))
    parts: List[Tuple[int, int, int]] = []
    while offset < end:
        element = _element(data, offset, end)
        if element is None or len(parts) > 16:
            return None
        parts.append(element)
        offset = element[2]
    return parts


def _element(data, offset, end):
    """(tag, start of content, end of content), or None when the header or the content is cut short."""
    if offset + 2 > end:
        return None
    tag, length, start = data[offset], data[offset + 1], offset + 2
    if length >= 0x80:
        size = length & 0x7f
        if not 1 <= size <= 4 or start + size > end:
            return None
        length, start = int.from_bytes(data[start:start + size], "big"), start + size
    return (tag, start, start + length) if start + length <= end else None
