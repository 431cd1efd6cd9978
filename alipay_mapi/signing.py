"""Where trust is decided: pre-sign string and algorithm together, the pinned ``sign_type``, and the re-cut rule.

Knows no roles: it takes the keys to sign with and the keys to check with; ``merchant`` fills them one way round, the
emulator the other.

**Pinned.** The receiver configures the algorithm; the one in a message is compared, never obeyed. Otherwise whoever
sends a message picks the weakest key that is still configured.

**Re-cut.** ``a=1&b=2`` is signed, and nothing is escaped: the same signed text can be one parameter or two. Whoever
writes a part of ``subject`` could take a signed URL apart in another place and post it as a notification. So a value
that holds ``&name=``, for any name of the protocol, is neither sent nor believed. Why that is enough: to change or
jump over a signed field, its ``&name=`` must end up inside a value; and every request has ``service``, which ends up
as a name or inside a value. It does not keep anybody from *adding* a field that the message had not, out of text that
another merchant had signed with the key that all merchants share; ``checks.check_party`` sees to that.
"""
import re
from typing import Iterable, Optional, Sequence, Tuple

from . import algorithms, fields
from .errors import SignatureInvalid, SignatureMissing, SignTypeMismatch, UnsupportedSignType, show

_CUT = re.compile(b"&([A-Za-z_][A-Za-z0-9_.]*)=")
_NAMES = frozenset(name.encode("ascii") for name in fields.NAMES)


def sign(sign_type: str, key, presign: bytes) -> str:
    """The ``sign`` of a pre-sign string. ``presign``: its bytes in the message's charset."""
    return algorithms.sign(sign_type, key, presign)


def check_sign_type(configured: str, named: Optional[str]) -> None:
    """Compare the message's ``sign_type`` with the configured one.

    Raises UnsupportedSignType (absent, unknown, another spelling) or SignTypeMismatch.
    """
    if named == configured:
        return
    if named not in algorithms.ALGORITHMS:
        raise UnsupportedSignType("the message names no sign_type of MAPI (MD5, RSA, RSA2, DSA) but {!r}; "
                                  "none is guessed".format(show(named or "", 16)))
    raise SignTypeMismatch("the message is signed with {}, this merchant is configured for {}; if Alipay's console "
                           "says {} too, change the merchant's sign_type".format(named, configured, named))


def check(sign_type: str, keys: Sequence, presign: bytes, named: Optional[str], sign_text: Optional[str]) -> None:
    """Raise unless ``sign_text`` fits ``presign`` under the configured ``sign_type`` and one of ``keys``.

    ``named``: the message's own ``sign_type``, compared and not obeyed. Raises SignatureMissing, SignTypeMismatch,
    UnsupportedSignType, MalformedSignature, SignatureInvalid.
    """
    if not sign_text:
        raise SignatureMissing("the message has no sign; Alipay signs every message of this kind")
    check_sign_type(sign_type, named)
    raw = algorithms.read_sign(sign_type, sign_text)
    if not algorithms.verify(sign_type, keys, presign, raw):
        raise SignatureInvalid(
            "the sign does not fit the message: it was altered, or signed with another key, or read through a "
            "framework that decoded it (pass the raw bytes)" + (
                "" if sign_type == "MD5" else "; or alipay_public_key is your own public key and not Alipay's"))


def find_cut(value: str) -> Optional[str]:
    """The protocol name behind an ``&`` in ``value``, or None.

    >>> find_cut("Tea&total_fee=0.01")
    'total_fee'
    >>> find_cut("uid=5&ref=home") is None
    True
    """
    return _cut(value.encode("utf-8", "surrogatepass")) if "&" in value else None


def find_cut_bytes(pairs: Iterable[Tuple[bytes, bytes]]) -> Optional[str]:
    """The same over received (name, value) pairs: the name of the parameter that holds a cut, or None."""
    for name, value in pairs:
        if b"&" in value and _cut(value):
            return name.decode("ascii", "replace")
    return None


def _cut(value):
    for name in _CUT.findall(value):
        if name in _NAMES:
            return name.decode("ascii")
    return None
