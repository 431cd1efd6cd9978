"""RSA and DSA with pycryptodome, the core dependency; also key generation and export."""
import hashlib
import hmac

from Crypto.Hash import SHA1, SHA256
from Crypto.Math.Numbers import Integer
from Crypto.PublicKey import DSA, RSA
from Crypto.Signature import DSS, pkcs1_15
from Crypto.Util.asn1 import DerSequence

NAME = "pycryptodome"

_HASHES = {"SHA1": SHA1, "SHA256": SHA256}
_MODULES = {"RSA": RSA, "DSA": DSA}

#: hash → the function, and the DER of DigestInfo up to the digest itself (RFC 8017, 9.2, note 1).
_DIGEST_INFO = {
    "SHA1": (hashlib.sha1, bytes.fromhex("3021300906052b0e03021a05000414")),
    "SHA256": (hashlib.sha256, bytes.fromhex("3031300d060960864801650304020105000420")),
}

class _PublicRSA:
    """The public numbers as the library's fast integers, turned into them once and not at every check."""

    __slots__ = ("n", "e", "length")

    def __init__(self, key):
        n = int(key.n)
        self.n, self.e, self.length = Integer(n), Integer(int(key.e)), (n.bit_length() + 7) // 8


def private_key(der, kind):
    """DER of a private key → the library's key. Raises ValueError, IndexError or TypeError for damaged ones."""
    key = _MODULES[kind].import_key(der)
    if not key.has_private():
        raise ValueError("not private")
    return key


def public_key(der, kind):
    return public_half(_MODULES[kind].import_key(der))


def public_half(key):
    """Of a private key, the key that :func:`verify` takes."""
    return _PublicRSA(key) if isinstance(key, RSA.RsaKey) else key.publickey()


def numbers(key, kind):
    """The public numbers: (n, e) for RSA, (p, q, g, y) for DSA."""
    if kind == "RSA":
        return int(key.n), int(key.e)
    return int(key.p), int(key.q), int(key.g), int(key.y)


def sign(key, kind, hash_name, data):
    digest = _HASHES[hash_name].new(data)
    if kind == "RSA":
        return pkcs1_15.new(key).sign(digest)
    return _dss(key).sign(digest)


def verify(key, kind, hash_name, data, signature):
    """True only for the one right encoding.

    RSA compares with the single encoding of RFC 8017, 8.2.2, built here: the library's own check also takes a
    DigestInfo without its NULL (Wycheproof, "MissingNull"). Only public numbers are used.
    """
    if kind == "RSA":
        if len(signature) != key.length:
            return False
        number = Integer.from_bytes(signature)
        if number >= key.n:
            return False
        new, head = _DIGEST_INFO[hash_name]
        tail = head + new(data).digest()
        wanted = b"\x00\x01" + b"\xff" * (key.length - len(tail) - 3) + b"\x00" + tail
        return hmac.compare_digest(pow(number, key.e, key.n).to_bytes(key.length), wanted)
    try:
        _dss(key).verify(_HASHES[hash_name].new(data), signature)
    except (ValueError, IndexError, TypeError):
        return False
    return True


def _dss(key):
    """DSA in DER, with a nonce made from key and message (RFC 6979), so no random generator can give the key away.

    The library's "fips-186-3" refuses a p of 1024 bits with a q of 224, which OpenSSL 3 makes of "dsaparam 1024".
    """
    return DSS.new(key, "deterministic-rfc6979", encoding="der")


def generate(kind, bits):
    """A new key pair as PKCS#8 DER."""
    if kind == "RSA":
        return RSA.generate(bits).export_key("DER", pkcs=8)
    return DSA.generate(bits).export_key("DER", pkcs8=True)


def export(der, kind, form):
    """DER of any key → DER in ``form``: ``PKCS#1`` (RSA), ``PKCS#8`` (private) or ``SPKI`` (the public half).

    Raises ValueError for a form that this key does not have.
    """
    key = _MODULES[kind].import_key(der)
    if form == "SPKI":
        return key.publickey().export_key("DER")
    if form == "PKCS#8" and key.has_private():
        return key.export_key("DER", pkcs=8) if kind == "RSA" else key.export_key("DER", pkcs8=True)
    if form == "PKCS#1" and kind == "RSA":
        return key.export_key("DER", pkcs=1) if key.has_private() else DerSequence([key.n, key.e]).encode()
    raise ValueError(form)
