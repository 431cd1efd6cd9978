"""Key text as people have it → a key that is known to be the right one.

Taken: PEM, bare base64 as the merchant console shows it, or DER; PKCS#1, PKCS#8 or SubjectPublicKeyInfo; with a
byte-order mark, CRLF or blanks. Refused with the cause and the cure: a certificate, a passphrase, a path, two keys,
half a key, the other half of the pair, another algorithm, a key that can be forged.

Source of the forms: "Preparing keys" (ac/gr/globalgs): PKCS#8 for Java, PKCS#1 for PHP, .NET and C.
"""
import base64
import binascii
import re
from typing import Union

from . import crypto, der
from .errors import InvalidRequest, KeyEncrypted, KeyFormatError, KeyMismatch, MissingKey, WeakKey

KeyText = Union[str, bytes]

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
# White space, also what comes along when a key is copied from a web page: no-break, zero-width, ideographic, BOM.
_BLANKS = re.compile(rb"\s|\xc2\xa0|\xe2\x80[\x8b-\x8d]|\xe3\x80\x80|\xef\xbb\xbf")
_DSA_SIZES = {"p": (1024, 2048, 3072), "q": (160, 224, 256)}
#: Bytes. A private RSA key of 16384 bits has 9.5 KB of DER and 13 KB of PEM; a longer one would keep the libraries
#: busy for minutes before its size could be judged.
_LONGEST_DER, _LONGEST_TEXT = 12 * 1024, 64 * 1024
_CONVERT = "openssl pkey -in key.pem -out plain.pem"


class SecretValue:
    """Holds something that must not be shown: no repr, no pickle; copies are the object itself."""

    __slots__ = ()

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise InvalidRequest("{} is not pickled: it holds a key or a sign; make it again where it is needed".format(
            type(self).__name__))


class Key(SecretValue):
    """A checked RSA or DSA key. ``kind``: "RSA" or "DSA"; ``private``; ``bits``; ``numbers``: the public numbers."""

    __slots__ = ("kind", "private", "bits", "numbers", "_der", "_native")

    def __init__(self, kind, private, data):
        self.kind, self.private, self._der, self._native = kind, private, data, {}
        self.numbers = crypto.backend().numbers(self.native(), kind)
        self.bits = self.numbers[0].bit_length()

    def __repr__(self):
        return "<{} {} key, {} bits>".format(self.kind, "private" if self.private else "public", self.bits)

    def native(self):
        """The library's own key object; the key text is read once, whatever the number of calls."""
        module = crypto.backend()
        if module.NAME not in self._native:
            read = module.private_key if self.private else module.public_key
            self._native[module.NAME] = read(self._der, self.kind)
        return self._native[module.NAME]

    def export(self, form: str) -> bytes:
        """DER in ``form``: "SPKI", the public half; of a private key "PKCS#8" and (RSA) "PKCS#1", the secret itself;
        of a public RSA key "PKCS#1", the same half in the older form.

        Raises InvalidRequest for any other.
        """
        from .crypto import pycryptodome
        try:
            return pycryptodome.export(self._der, self.kind, form)
        except ValueError:
            pass
        raise InvalidRequest("form: SPKI; PKCS#8 of a private key; PKCS#1 of an RSA key", parameter="form")


class MD5Key(SecretValue):
    """The merchant's MD5 key: the secret text behind the pre-sign string. Made by :func:`load_md5_key`."""

    __slots__ = ("secret",)

    def __init__(self, secret):
        self.secret = secret

    def __repr__(self):
        return "<MD5 key>"


def load_private_key(text: KeyText, kind: str = "RSA", parameter: str = "private_key") -> Key:
    """Key text → the merchant's private key of ``kind`` ("RSA" or "DSA").

    Raises KeyFormatError, KeyEncrypted, KeyMismatch, WeakKey; ``parameter`` is the name used in messages.
    """
    return _load(text, kind, True, parameter)


def load_public_key(text: KeyText, kind: str = "RSA", parameter: str = "alipay_public_key") -> Key:
    """Key text → a public key of ``kind``. Raises as :func:`load_private_key`."""
    return _load(text, kind, False, parameter)


def load_md5_key(text: KeyText) -> MD5Key:
    """The 32 letters and digits from the merchant console. Raises MissingKey, WeakKey, KeyMismatch, KeyFormatError.

    A public key is refused in any of its forms: whoever knows it could sign (CVE-2017-11424 and its kin).
    """
    whole = _bytes(text, "md5_key")
    data = whole.strip()
    if not data:
        raise MissingKey("md5_key is empty; copy the 32 letters and digits from the merchant console")
    if b"-----" in data or der.whole(whole) or _base64_key(data) is not None:
        raise KeyMismatch("md5_key holds an RSA or DSA key; the MD5 key is 32 letters and digits, and a public key "
                          "in its place would let anyone sign")
    if not re.fullmatch(rb"[!-~]{1,64}", data):
        raise KeyFormatError("md5_key holds blanks, characters outside ASCII, or more than 64 characters; it is "
                             "32 letters and digits")
    if len(data) < 32:
        raise WeakKey("md5_key has fewer than 32 characters: cut while copying, or a placeholder")
    return MD5Key(data)


def _load(text, kind, private, parameter):
    data = _der(_bytes(text, parameter), parameter)
    form = der.form(data)
    _check_form(form, kind, private, parameter)
    if len(data) > _LONGEST_DER:
        raise KeyFormatError("{} is longer than a key of 16384 bits; nobody uses more".format(parameter))
    key = _read(kind, private, data)
    if key is None:
        raise _damaged(parameter)
    _check_strength(key, parameter)
    if not _sound(key):
        raise _damaged(parameter)
    return key


def _read(kind, private, data):
    try:
        return Key(kind, private, data)
    except Exception:  # each library has its own, and none of them may carry key text out
        return None


def _sound(key):
    """Do the numbers belong together? A damaged private key signs wrongly, and a wrong RSA sign can give it away."""
    if key.kind == "DSA":
        p, q, g, y = key.numbers
        if not all(1 < number < p and pow(number, q, p) == 1 for number in (g, y)):
            return False
    if not key.private:
        return True
    module = crypto.backend()
    try:
        sign = module.sign(key.native(), key.kind, "SHA256", b"alipay_mapi")
        return module.verify(module.public_half(key.native()), key.kind, "SHA256", b"alipay_mapi", sign)
    except Exception:  # as above
        return False


def _bytes(text, parameter):
    if isinstance(text, str):
        text = text.encode("utf-8", "replace")
    if not isinstance(text, bytes):
        raise KeyFormatError("{}: give the key's text (str or bytes), not {}".format(parameter, type(text).__name__))
    if len(text) > _LONGEST_TEXT:
        raise KeyFormatError("{}: {} bytes; the longest key has a quarter of that".format(parameter, len(text)))
    return text[3:] if text.startswith(b"\xef\xbb\xbf") else text


def _der(data, parameter):
    """Any of the text forms → one whole DER SEQUENCE."""
    if der.whole(data):
        return data
    data = data.strip()
    if not data:
        raise KeyFormatError("{} is empty".format(parameter))
    if b"-----BEGIN" in data:
        several = data.count(b"-----BEGIN") > 1
        blocks = [] if several else _PEM.findall(data)
        if not blocks:
            raise KeyFormatError("{}: the file must hold one whole key, from BEGIN to END; it holds {}".format(
                parameter, "several, or a part of one" if several else "part of one, or a damaged one"))
        label, body = blocks[0]
        if b"ENCRYPTED" in label or b"ENCRYPTED" in body:
            raise _encrypted(parameter)
        if b"CERTIFICATE" in label:
            raise _certificate(parameter)
        if b"OPENSSH" in label:
            raise KeyFormatError("{} is in OpenSSH's own form; convert it: ssh-keygen -p -m PEM".format(parameter))
        data = body
    found = _base64_key(data)
    if found is not None:
        return found
    if data.startswith((b"/", b"./", b"~", b"C:\\")) or data.endswith((b".pem", b".key", b".der", b".txt")):
        raise KeyFormatError("{} looks like a path; read the file and pass what it holds".format(parameter))
    if b"\\n" in data or b"\\r" in data:
        raise KeyFormatError("{} holds the two characters \\n where a line should end; put real line ends "
                             "in their place".format(parameter))
    if data.startswith(b"<"):
        raise KeyFormatError("{} is HTML or XML: a saved web page, not the key".format(parameter))
    raise KeyFormatError("{} is not a key: neither PEM nor base64 nor DER of one, or cut short".format(parameter))


def _base64_key(data):
    """Bare base64 → DER, or None when it is not exactly one DER SEQUENCE in base64."""
    try:
        found = base64.b64decode(_BLANKS.sub(b"", data), validate=True)
    except binascii.Error:
        return None
    return found if der.whole(found) else None


def _check_form(form, kind, private, parameter):
    wanted = "{} {} key".format("private" if private else "public", kind)
    if form is None:
        raise KeyFormatError("{} is not a key of a known form; a {} is wanted".format(parameter, wanted))
    if form.container == "encrypted":
        raise _encrypted(parameter)
    if form.container == "certificate":
        raise _certificate(parameter)
    if form.private != private:
        raise KeyMismatch("{} is a {} key, and a {} is wanted{}".format(
            parameter, "private" if form.private else "public", wanted,
            "; take Alipay's public key from the console, and keep yours private" if form.private else ""))
    if form.kind != kind:
        raise KeyMismatch("{} is a key for {}, and this sign_type wants {}".format(
            parameter, form.kind or "another algorithm", kind))


def _check_strength(key, parameter):
    if key.bits < 1024:
        raise WeakKey("{} has {} bits; fewer than 1024 can be broken at home".format(parameter, key.bits))
    if key.bits > 16384:
        raise KeyFormatError("{} has {} bits; nobody uses more than 16384".format(parameter, key.bits))
    if key.kind == "DSA":
        if key.bits not in _DSA_SIZES["p"] or key.numbers[1].bit_length() not in _DSA_SIZES["q"]:
            raise KeyFormatError("{} is a DSA key of {} and {} bits; DSA has 1024, 2048 or 3072 and 160, 224 or 256 "
                                 "(FIPS 186)".format(parameter, key.bits, key.numbers[1].bit_length()))
        return
    modulus, exponent = key.numbers
    if exponent < 65537:
        raise WeakKey("{} has a public exponent below 65537, for which signatures have been forged; "
                      "make a new pair: alipay-mapi keys new".format(parameter))
    if modulus % 2 == 0 or exponent % 2 == 0:
        raise _damaged(parameter)


def _damaged(parameter):
    return KeyFormatError("{} is damaged: it has the outer form of a key, but its numbers do not fit. "
                          "Copy it again, whole".format(parameter))


def _encrypted(parameter):
    return KeyEncrypted("{} is protected by a passphrase; write it out without one: {}".format(parameter, _CONVERT))


def _certificate(parameter):
    return KeyFormatError("{} is a certificate, or a request for one; MAPI uses bare keys. Take the public key out of "
                          "it: openssl x509 (or req) -in cert.pem -pubkey -noout".format(parameter))
