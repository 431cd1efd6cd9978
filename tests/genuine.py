"""Messages as Alipay would make them, made without the package: hashlib, the openssl command, urllib.

The pairs that are signed and the bytes that are sent are given apart, so that an attack can differ in one of them only.
Keys are the test keys of ``fixtures/keys``; those with "other" in their name play Alipay.
"""
import base64
import hashlib
import subprocess
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote_plus

from alipay_mapi.merchant import Merchant

KEYS = Path(__file__).resolve().parent.parent / "fixtures" / "keys"
PARTNER, STRANGER = "2088101122136241", "2088101122136999"
MD5_KEY = "760bdzec6y9goq7ctyx96ezkz78287de"
FORM = "application/x-www-form-urlencoded; text/html; charset="
FILES = {"RSA": "rsa1024-other", "RSA2": "rsa2048-other", "DSA": "dsa1024-other"}
HASHES = {"RSA": "sha1", "RSA2": "sha256", "DSA": "sha1"}
SIGN_TYPES = ("MD5", "RSA", "RSA2", "DSA")

#: The ten fields of a cross-border notification are these and the sign.
FOREX = {
    "currency": "USD", "notify_id": "9938e4a7a8c50aa92aede16c8ffb9cam3i", "notify_time": "2018-04-11 18:12:28",
    "notify_type": "trade_status_sync", "out_trade_no": "A1", "total_fee": "8.00",
    "trade_no": "2018041121001003790200210315", "trade_status": "TRADE_FINISHED",
}
#: A mainland notification, which names its seller.
DIRECT = {
    "body": "Green tea, 100 g", "buyer_email": "buyer@example.com", "buyer_id": "2088000000000001",
    "discount": "0.00", "gmt_create": "2017-03-05 18:06:49", "gmt_payment": "2017-03-05 18:17:17",
    "is_total_fee_adjust": "N", "notify_id": "39863b44e9bf2e9877a57ef5451a717mhe",
    "notify_time": "2017-03-05 18:21:11", "notify_type": "trade_status_sync", "out_trade_no": "A1",
    "payment_type": "1", "price": "8.00", "quantity": "1", "seller_email": "shop@example.com", "seller_id": PARTNER,
    "subject": "Tea", "total_fee": "8.00", "trade_no": "2017030521001004840200342628",
    "trade_status": "TRADE_SUCCESS", "use_coupon": "N",
}
REFUND = {
    "currency": "USD", "notify_id": "aa38e4a7a8c50aa92aede16c8ffb9cam3i", "notify_time": "2018-04-12 18:12:28",
    "notify_type": "trade_status_sync", "out_return_no": "R1", "out_trade_no": "A1", "refund_status": "REFUND_SUCCESS",
    "return_amount": "3.00", "seller_id": PARTNER,
}
#: create_direct_pay_by_user's return.
RETURN = {
    "body": "Green tea, 100 g", "buyer_email": "buyer@example.com", "buyer_id": "2088000000000001",
    "exterface": "create_direct_pay_by_user", "is_success": "T", "notify_id": "RqPnCoPT3K9%2Fvwbh3InW%2B9DRu6",
    "notify_time": "2017-03-05 18:17:20", "notify_type": "trade_status_sync", "out_trade_no": "A1",
    "payment_type": "1", "seller_email": "shop@example.com", "seller_id": PARTNER, "subject": "Tea",
    "total_fee": "8.00", "trade_no": "2017030521001004840200342628", "trade_status": "TRADE_SUCCESS",
}


def to_bytes(text, charset="utf-8"):
    return text if isinstance(text, bytes) else text.encode(charset)


def presign(params, charset="utf-8"):
    """Names sorted as bytes, empty values and the sign left out, nothing encoded."""
    pairs = sorted((to_bytes(name, charset), to_bytes(value, charset)) for name, value in params.items())
    return b"&".join(name + b"=" + value for name, value in pairs if value and name not in (b"sign", b"sign_type"))


def sign(text, sign_type="MD5", key=None):
    """``key``: an MD5 key's text, or the name of a key file; Alipay's by default."""
    if sign_type == "MD5":
        return hashlib.md5(text + (MD5_KEY if key is None else key).encode("ascii")).hexdigest()
    return openssl(text, HASHES[sign_type], key or FILES[sign_type])


@lru_cache(maxsize=None)
def openssl(text, hash_name, key):
    """base64 of what ``openssl dgst -sign`` makes."""
    path = str(KEYS / "TEST-ONLY-{}-private.pem".format(key))
    done = subprocess.run(["openssl", "dgst", "-" + hash_name, "-sign", path], input=text, stdout=subprocess.PIPE,
                          check=True)
    return base64.b64encode(done.stdout).decode("ascii")


def form(params, charset="utf-8"):
    """``application/x-www-form-urlencoded``, every byte that is not plain percent-encoded."""
    pairs = params.items() if hasattr(params, "items") else params
    return b"&".join(quote_plus(to_bytes(name, charset)).encode("ascii") + b"="
                     + quote_plus(to_bytes(value, charset)).encode("ascii") for name, value in pairs)


def signed(params, sign_type="MD5", charset="utf-8", key=None):
    """``params`` and the sign of them."""
    whole = dict(params)
    whole.update(sign=sign(presign(params, charset), sign_type, key), sign_type=sign_type)
    return whole


def message(params, sign_type="MD5", charset="utf-8", key=None):
    """A genuine form-shaped message, as bytes."""
    return form(signed(params, sign_type, charset, key), charset)


def answer(fields, sign_type="MD5"):
    """A genuine single_trade_query answer, as bytes."""
    body = "".join("<{0}>{1}</{0}>".format(name, fields[name]) for name in sorted(fields))
    return ('<?xml version="1.0" encoding="utf-8"?><alipay><is_success>T</is_success><response><trade>{}</trade>'
            "</response><sign>{}</sign><sign_type>{}</sign_type></alipay>").format(
        body, sign(presign(fields), sign_type), sign_type).encode("utf-8")


def app_result(pairs, sign_type="RSA", charset="utf-8", status="9000", memo=""):
    """What the app SDK hands out, whole, as text."""
    text = "&".join('{}="{}"'.format(name, value) for name, value in pairs)
    return 'resultStatus={{{}}};memo={{{}}};result={{{}&sign_type="{}"&sign="{}"}}'.format(
        status, memo, text, sign_type, sign(text.encode(charset), sign_type))


@lru_cache(maxsize=None)
def key_file(name, half="public"):
    return (KEYS / "TEST-ONLY-{}-{}.pem".format(name, half)).read_text("ascii")


@lru_cache(maxsize=None)
def shop(sign_type="MD5", **settings):
    """A merchant that can check what the functions above make. With RSA its account is known."""
    if sign_type == "MD5":
        settings.setdefault("md5_key", MD5_KEY)
    else:
        settings.setdefault("alipay_public_key", key_file(FILES[sign_type]))
    return Merchant(PARTNER, sign_type, **settings)


def changed(params, *without, **changes):
    """A copy with some names left out and some values changed."""
    return dict({name: value for name, value in params.items() if name not in without}, **changes)
