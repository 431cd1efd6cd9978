"""XML answers written with string formatting and signed without the package: hashlib, and RSA by ``pow``."""
import base64
import hashlib
from functools import lru_cache
from xml.sax.saxutils import escape

from alipay_mapi.merchant import Merchant
from signing_fixtures import der, pem

PARTNER = "2088101122136241"
MD5_KEY = "test0only0md5key0test0only0md5k1"
ASKED = {"service": "single_trade_query", "out_trade_no": "A1"}

TRADE = {
    "buyer_email": "for***@alitest.com", "buyer_id": "2088622942481446", "discount": "0.00",
    "gmt_create": "2020-01-16 17:56:12", "gmt_payment": "2020-01-16 17:56:13", "out_trade_no": "A1",
    "payment_type": "100", "price": "73.82", "quantity": "1", "seller_id": PARTNER, "subject": "Tea",
    "to_buyer_fee": "0.00", "total_fee": "73.82", "trade_no": "2020011622001381441000075584",
    "trade_status": "TRADE_FINISHED",
}

_DIGEST_INFO = {"sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
                "sha256": bytes.fromhex("3031300d060960864801650304020105000420")}


def md5_shop(**changes):
    return Merchant(**dict(dict(partner=PARTNER, sign_type="MD5", md5_key=MD5_KEY), **changes))


def rsa_shop(sign_type="RSA2", **changes):
    """Our key is rsa2048, Alipay's is rsa2048-other."""
    return Merchant(**dict(dict(partner=PARTNER, sign_type=sign_type, private_key=pem("rsa2048-private"),
                                alipay_public_key=pem("rsa2048-other-public")), **changes))


def presign(elements):
    """The rule of "Signed XML answers", written down a second time."""
    return "&".join("{}={}".format(name, elements[name]) for name in sorted(elements) if elements[name] != "")


def md5_sign(text, charset="utf-8", key=MD5_KEY):
    return hashlib.md5(text.encode(charset) + key.encode("ascii")).hexdigest()


def rsa_sign(text, charset="utf-8", hash_name="sha256", key="rsa2048-other-private"):
    modulus, _, private = [number for number in _integers(der(key)) if number][:3]  # behind the version numbers, 0
    size = (modulus.bit_length() + 7) // 8
    number = pow(int.from_bytes(padded(text.encode(charset), hash_name, size), "big"), private, modulus)
    return base64.b64encode(number.to_bytes(size, "big")).decode("ascii")


def padded(data, hash_name, size):
    """EMSA-PKCS1-v1_5 (RFC 8017, 9.2)."""
    info = _DIGEST_INFO[hash_name] + hashlib.new(hash_name, data).digest()
    return b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info


def answer(elements=TRADE, sign=None, sign_type="MD5", container="trade", before="", inside="", after="", prolog=None,
           charset="utf-8"):
    """The bytes of an answer. ``before``, ``inside``, ``after``: raw XML behind <alipay>, <trade>, </response>."""
    sign = md5_sign(presign(elements), charset) if sign is None else sign
    leaves = "".join("<{0}>{1}</{0}>".format(name, escape(value)) for name, value in elements.items())
    prolog = '<?xml version="1.0" encoding="{}"?>\n'.format(charset) if prolog is None else prolog
    text = ("{prolog}<alipay>{before}<is_success>T</is_success><request><param name=\"service\">single_trade_query"
            "</param></request><response><{container}>{inside}{leaves}</{container}></response>{after}"
            "<sign>{sign}</sign><sign_type>{sign_type}</sign_type></alipay>").format(
                prolog=prolog, before=before, container=container, inside=inside, leaves=leaves, after=after,
                sign=sign, sign_type=sign_type)
    return text.encode(charset)


@lru_cache(maxsize=None)
def _integers(data):
    """Every INTEGER of a DER structure, in order, also inside OCTET STRINGs and BIT STRINGs."""
    found, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at:at + size], "big"), at + size
        value, at = data[at:at + length], at + length
        if tag == 0x02:
            found.append(int.from_bytes(value, "big"))
        elif tag in (0x30, 0x04):
            found += _integers(value)
        elif tag == 0x03:
            found += _integers(value[1:])
    return tuple(found)


def key_numbers(name):
    """The integers of a key file: RSA public (n, e); DSA public (p, q, g, y)."""
    return _integers(der(name))
