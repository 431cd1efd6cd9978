"""Right DER, spelled wrongly in every way that a lenient reader has been caught taking: shortened, padded, re-tagged,
nested, with other lengths. The categories are those of Wycheproof's RSA and DSA files, which stop at the modern sizes.
"""

SEQUENCE, INTEGER, BIT_STRING, OCTETS, NULL, OID = 0x30, 0x02, 0x03, 0x04, 0x05, 0x06


def tlv(tag, content):
    """One DER element."""
    return bytes([tag]) + _length(len(content)) + content


def integer(number):
    """DER INTEGER, negative ones too."""
    size = 1
    while not -(1 << (8 * size - 1)) <= number < 1 << (8 * size - 1):
        size += 1
    return tlv(INTEGER, number.to_bytes(size, "big", signed=True))


def dsa_signature(r, s):
    return tlv(SEQUENCE, integer(r) + integer(s))


def rsa_public_key(n, e):
    """SubjectPublicKeyInfo."""
    algorithm = tlv(SEQUENCE, tlv(OID, bytes.fromhex("2a864886f70d010101")) + tlv(NULL, b""))
    return tlv(SEQUENCE, algorithm + tlv(BIT_STRING, b"\0" + tlv(SEQUENCE, integer(n) + integer(e))))


def dsa_public_key(p, q, g, y):
    """SubjectPublicKeyInfo."""
    group = tlv(SEQUENCE, integer(p) + integer(q) + integer(g))
    algorithm = tlv(SEQUENCE, tlv(OID, bytes.fromhex("2a8648ce380401")) + group)
    return tlv(SEQUENCE, algorithm + tlv(BIT_STRING, b"\0" + integer(y)))


def respellings(tree):
    """Every wrong spelling of ``tree``, none twice, as (category, bytes).

    ``tree``: (tag, bytes) or (tag, [trees]).
    """
    genuine = encode(tree)
    seen = {genuine}
    for path in _paths(tree):
        for category, spelled in _changes(_at(tree, path)):
            found = _replaced(tree, path, spelled)
            if found not in seen:
                seen.add(found)
                yield category, found


def _changes(element):
    tag, content = element[0], _content(element)
    size, whole = len(content), encode(element)
    for other in (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x30, 0x31, 0xff, tag ^ 0x20, tag | 0x80):
        if other != tag:
            yield "tag", tlv(other, content)
    for width in (1, 2, 3, 4, 5, 8, 9):
        if width > 1 or size < 0x80:
            yield "length in too many bytes", bytes([tag, 0x80 | width]) + size.to_bytes(width, "big") + content
    for wrong in (size + 1, size - 1, size + 2, 0, 0x7f):
        yield "wrong length", bytes([tag]) + _length(max(wrong, 0)) + content
    for header in ("81ff", "82ffff", "847fffffff", "84ffffffff", "88ffffffffffffffff", "8501000000{:02x}",
                   "89010000000000000000{:02x}", "ff", "80"):
        yield "impossible length", bytes([tag]) + bytes.fromhex(header.format(size & 0xff)) + content
    for end in (b"\0\0", b"", b"\0\1", b"\5\0"):
        yield "indefinite length", bytes([tag, 0x80]) + content + end
    for junk in (b"\0", b"\0\0", b"\5\0", b"\x05\x81\x00", b"\1\1\0", b"junk"):
        yield "bytes behind, inside", tlv(tag, content + junk)
        yield "bytes before, inside", tlv(tag, junk + content)
        yield "bytes behind, outside", whole + junk
        yield "bytes before, outside", junk + whole
    yield "missing", b""
    yield "twice", whole + whole
    yield "empty", tlv(tag, b"")
    yield "NULL instead", tlv(NULL, b"")
    yield "header alone", bytes([tag])
    for wrapper in (SEQUENCE, 0x31, OCTETS, 0xa0):
        yield "wrapped", tlv(wrapper, whole)
    yield "in pieces", tlv(tag | 0x20, tlv(tag, content[:size // 2]) + tlv(tag, content[size // 2:]))
    for part in (content[:-1], content[1:], content[:size // 2]):
        yield "cut, with the length of the rest", tlv(tag, part)
        yield "cut, with the whole length", bytes([tag]) + _length(size) + part
    if content:
        for position, bit in ((0, 1), (0, 0x80), (-1, 1), (-1, 0x80), (size // 2, 0x10)):
            changed = bytearray(content)
            changed[position] ^= bit
            yield "bit", tlv(tag, bytes(changed))
        yield "zeros", tlv(tag, bytes(size))
        yield "ones", tlv(tag, b"\xff" * size)


def _length(size):
    if size < 0x80:
        return bytes([size])
    width = (size.bit_length() + 7) // 8
    return bytes([0x80 | width]) + size.to_bytes(width, "big")


def _content(tree):
    return tree[1] if isinstance(tree[1], bytes) else b"".join(encode(child) for child in tree[1])


def encode(tree):
    return tlv(tree[0], _content(tree))


def _paths(tree):
    yield ()
    if not isinstance(tree[1], bytes):
        for number, child in enumerate(tree[1]):
            for path in _paths(child):
                yield (number,) + path


def _at(tree, path):
    return _at(tree[1][path[0]], path[1:]) if path else tree


def _replaced(tree, path, spelled):
    if not path:
        return spelled
    children = [encode(child) for child in tree[1]]
    children[path[0]] = _replaced(tree[1][path[0]], path[1:], spelled)
    return tlv(tree[0], b"".join(children))
