"""Wycheproof's invalid categories, rebuilt for the sizes it leaves out and MAPI lives on: RSA with SHA-1, RSA of 1024
bits, DSA of 1024 bits with SHA-1.

Blocks are padded by hand and raised to the private exponent, so each forgery here is one that only the owner of the key
could make: what refuses it is the reading alone. Each is refused by both back ends and by the ``openssl`` command.
"""
import collections
import hashlib

import pytest

import backends
import respell
import signing_fixtures
from alipay_mapi import keys
from openssl_command import accepted
from respell import NULL, OCTETS, OID, SEQUENCE

backend = backends.backend

DATA = b"_input_charset=utf-8&out_trade_no=1&partner=2088000000000001&total_fee=0.01"
OIDS = {"md5": "2a864886f70d0205", "sha1": "2b0e03021a", "sha224": "608648016503040204",
        "sha256": "608648016503040201", "sha384": "608648016503040202", "sha512": "608648016503040203",
        "sha3_256": "608648016503040208"}

#: (key, hash) → forgeries of the RSA sign
RSA = {("rsa1024", "SHA1"): 525, ("rsa1024", "SHA256"): 509, ("rsa2048", "SHA1"): 57}
DSA = 394


def private_numbers(name):
    """The integers of a private key, read by hand: (n, e, d, p, q) of RSA, (p, q, g, x) of DSA."""
    def elements(data):
        found = []
        while data:
            width = data[1] & 0x7f if data[1] & 0x80 else 0
            size = int.from_bytes(data[2:2 + width], "big") if width else data[1]
            found.append((data[0], data[2 + width:2 + width + size]))
            data = data[2 + width + size:]
        return found

    def integers(data):
        return [int.from_bytes(content, "big") for tag, content in elements(data) if tag == respell.INTEGER]

    _, (_, algorithm), (_, inner) = elements(elements(signing_fixtures.der(name))[0][1])[:3]
    if name.startswith("rsa"):
        return integers(elements(inner)[0][1])[1:6]
    return integers(elements(algorithm)[1][1]) + integers(inner)


def digest_info(hash_name, digest=None):
    digest = hashlib.new(hash_name, DATA).digest() if digest is None else digest
    return SEQUENCE, [(SEQUENCE, [(OID, bytes.fromhex(OIDS[hash_name])), (NULL, b"")]), (OCTETS, digest)]


def padded(size, tail, start=b"\0\1", fill=b"\xff", stop=b"\0"):
    return start + fill * (size - len(start) - len(stop) - len(tail)) + stop + tail


def blocks(size, hash_name):
    """Every wrong block, as (category, bytes)."""
    genuine = respell.encode(digest_info(hash_name))
    digest = genuine[-hashlib.new(hash_name).digest_size:]
    for category, tail in respell.respellings(digest_info(hash_name)):
        if len(tail) <= size - 11:
            yield "ASN.1: " + category, padded(size, tail)
    for other in sorted(OIDS):
        if other != hash_name:
            if len(respell.encode(digest_info(other))) <= size - 11:
                yield "another hash", padded(size, respell.encode(digest_info(other)))
            yield "another hash by name, this one's digest", padded(size, respell.encode(digest_info(other, digest)))
    yield "no NULL", padded(size, respell.encode((SEQUENCE, [(SEQUENCE, [digest_info(hash_name)[1][0][1][0]]),
                                                              (OCTETS, digest)])))
    yield "no DigestInfo", padded(size, digest)
    yield "no padding", bytes(size - len(genuine)) + genuine
    yield "no padding", bytes(size - len(digest)) + digest
    yield "nothing but padding", padded(size, b"")
    for first in (1, 2, 0x7f, 0x80, 0xff):
        yield "first byte", padded(size, genuine, start=bytes([first, 1]))
    for kind in (0, 2, 3, 0x11, 0x80, 0x81, 0xff):
        yield "block type", padded(size, genuine, start=bytes([0, kind]))
    yield "block type", padded(size, genuine, start=b"\1", fill=b"\xff")
    for stop in (b"\1", b"\xff", b"\x80", b"", b"\0\0", b"\0\xff\0"):
        yield "separator", padded(size, genuine, stop=stop)
    for fill in (b"\0", b"\1", b"\xfe", b"\x7f"):
        yield "fill", padded(size, genuine, fill=fill)
    right = padded(size, genuine)
    for position in range(2, size - len(genuine) - 1, max(1, size // 48)):
        for value in (0, 0xfe):
            yield "one byte of the fill", right[:position] + bytes([value]) + right[position + 1:]
    for short in range(0, 9):
        head = b"\0\1" + b"\xff" * short + b"\0" + genuine
        yield "short padding, zeros behind", head + bytes(size - len(head))
        yield "short padding, junk behind", head + b"\xaa" * (size - len(head))
    for behind in (1, 2, 8, 20):
        yield "bytes behind the digest", padded(size - behind, genuine) + bytes(behind)
    for bit in range(8):
        yield "bit of the digest", right[:-1] + bytes([right[-1] ^ 1 << bit])


def one_a_category(rows):
    """The first of each, for what would take too long."""
    return sorted({category: (category, found) for category, found in reversed(rows)}.values())


def rsa_forgeries(name, hash_name):
    n, e, d, p, q = private_numbers(name + "-private")
    size = (n.bit_length() + 7) // 8
    inverse = pow(q, p - 2, p)

    def raised(block):
        """block ** d mod n, by the Chinese remainders."""
        number = int.from_bytes(block, "big") % n
        over = pow(number, d % (q - 1), q)
        return over + (pow(number, d % (p - 1), p) - over) * inverse % p * q

    right = raised(padded(size, respell.encode(digest_info(hash_name))))
    wrong = list(blocks(size, hash_name))
    if size > 128:
        wrong = one_a_category(wrong)
    found = [(category, raised(block).to_bytes(size, "big")) for category, block in wrong]
    genuine = right.to_bytes(size, "big")
    for number in (0, 1, 2, n - 1, n - right, n - 2):
        found.append(("number", number.to_bytes(size, "big")))
    for number in (n, n + 1, right + n, right + 2 * n, (1 << 8 * size) - 1):
        found.append(("not below the modulus", number.to_bytes(max(size, (number.bit_length() + 7) // 8), "big")))
    for spelled in (b"", b"\0", genuine[1:], genuine[:-1], b"\0" + genuine, genuine + b"\0", genuine[::-1],
                    genuine * 2, genuine[:size // 2], bytes(size - 1)):
        found.append(("length", spelled))
    return genuine, found


def dsa_forgeries(name):
    """A right signature (made here, nonce and all) and every wrong spelling and number."""
    p, q, g, x = private_numbers(name + "-private")
    nonce = 0x7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d
    z = int.from_bytes(hashlib.sha1(DATA).digest(), "big")
    r = pow(g, nonce, p) % q
    s = pow(nonce, q - 2, q) * (z + x * r) % q
    genuine = respell.dsa_signature(r, s)
    found = list(respell.respellings((SEQUENCE, [(respell.INTEGER, respell.integer(r)[2:]),
                                                 (respell.INTEGER, respell.integer(s)[2:])])))
    special = [0, 1, -1, q - 1, q, q + 1, p, p - 1, 1 << 159, (1 << 160) - 1, 1 << 160, -q, 1 << 1024]
    for left in special:
        found += [("numbers", respell.dsa_signature(left, right)) for right in special[:9]]
        found += [("number for r", respell.dsa_signature(left, s)), ("number for s", respell.dsa_signature(r, left))]
    for left, right in ((r + q, s), (r, s + q), (r - q, s), (r, s - q), (-r, s), (r, -s), (q - r, s), (r, q - s),
                        (r + 1, s), (r, s + 1), (s, r), (r, r), (s, s), (r + 2 * q, s), (r + (1 << 160), s),
                        (r, s + (1 << 160)), (r * q, s), (r, s * q), (pow(g, nonce, p), s)):
        found.append(("numbers moved", respell.dsa_signature(left, right)))
    for width in (20, 21, 32):
        found.append(("raw r and s", r.to_bytes(width, "big") + s.to_bytes(width, "big")))
    found += [("length", b""), ("length", genuine[:-1]), ("length", genuine * 2), ("length", genuine[1:])]
    return genuine, found


_made = {}


def forged(name, hash_name):
    """Made once, not once a back end."""
    if (name, hash_name) not in _made:
        rsa = name.startswith("rsa")
        _made[name, hash_name] = rsa_forgeries(name, hash_name.lower()) if rsa else dsa_forgeries(name)
    return _made[name, hash_name]


def refused(backend, name, hash_name):
    """How many forgeries there are, all of them refused, and the genuine one taken."""
    genuine, found = forged(name, hash_name)
    kind = "RSA" if name.startswith("rsa") else "DSA"
    key = keys.load_public_key(signing_fixtures.pem(name + "-public"), kind).native()
    assert backend.verify(key, kind, hash_name, DATA, genuine)
    taken = collections.Counter(category for category, signature in found
                                if backend.verify(key, kind, hash_name, DATA, signature))
    assert not taken
    return len(found)


@pytest.mark.parametrize("name, hash_name", sorted(RSA))
def test_T11_rsa_blocks_that_only_the_owner_could_forge_are_refused(backend, name, hash_name):
    assert refused(backend, name, hash_name) == RSA[name, hash_name]


def test_T13_dsa_1024_respelled_is_refused(backend):
    assert refused(backend, "dsa1024", "SHA1") == DSA


def test_the_mirror_is_as_long_as_promised():
    assert sum(RSA.values()) + DSA == 1485


@pytest.mark.parametrize("name, hash_name", sorted(RSA) + [("dsa1024", "SHA1")])
def test_openssl_refuses_the_same(tmp_path, name, hash_name):
    """One shell for the first of each category; the genuine one goes last and is accepted.

    An RSA sign longer than the modulus is left out: the command reads no more bytes than the modulus has.
    """
    genuine, found = forged(name, hash_name)
    found = one_a_category([(category, signature) for category, signature in found
                            if name.startswith("dsa") or len(signature) <= len(genuine)])
    public = signing_fixtures.key_file(name + "-public")
    verdicts = accepted(hash_name, public, DATA, [signature for _, signature in found] + [genuine], tmp_path)
    assert [category for (category, _), taken in zip(found, verdicts) if taken] == []
    assert verdicts[-1]
