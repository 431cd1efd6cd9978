"""Notifications for ``notify_load.py``, signed by hashlib and Crypto alone, and what an outsider makes up."""
import base64
import hashlib
import os
import random
from urllib.parse import quote_plus

from notify_shops import KEYS, MD5_KEY, MERCHANTS, PARTNER, number

FIELDS = {
    "body": "绿茶 100 g", "buyer_email": "buyer@example.com", "buyer_id": "2088000000000001", "discount": "0.00",
    "gmt_create": "2026-11-22 18:06:49", "gmt_payment": "2026-11-22 18:17:17", "is_total_fee_adjust": "N",
    "notify_time": "2026-11-22 18:21:11", "notify_type": "trade_status_sync", "payment_type": "1", "price": "8.00",
    "quantity": "1", "seller_email": "shop@example.com", "seller_id": PARTNER, "subject": "Tea", "total_fee": "8.00",
    "trade_status": "TRADE_SUCCESS", "use_coupon": "N"}
CONTENT_TYPE = "application/x-www-form-urlencoded; text/html; charset=utf-8"


def genuine(first, count):
    """(merchant, body) of so many notifications; MD5 and RSA2 take turns."""
    return [(MERCHANTS[at % 2], _form(_signed(MERCHANTS[at % 2], _fields(at)))) for at in range(first, first + count)]


def forged(count, seed=1):
    """(merchant, body) of what nobody signed, about orders that exist: six kinds, in no order."""
    chance, found = random.Random(seed), []
    kinds = (_other_key, _tampered, _unsigned, _recut, _junk, _nobody)
    for at in range(count):
        found.append(chance.choice(kinds)(chance, at))
    return found


def _fields(at):
    return dict(FIELDS, out_trade_no=number(at), trade_no="2026112221001004{:012d}".format(at),
                notify_id="{:034d}".format(at))


def _presign(fields):
    return "&".join("{}={}".format(name, fields[name]) for name in sorted(fields)).encode("utf-8")


def _signed(merchant, fields):
    if merchant == "md5":
        return dict(fields, sign=hashlib.md5(_presign(fields) + MD5_KEY.encode()).hexdigest(), sign_type="MD5")
    return dict(fields, sign=_rsa2(_presign(fields)), sign_type="RSA2")


def _rsa2(data, _made=[]):     # noqa: B006  the key is read once
    from Crypto.Hash import SHA256
    from Crypto.PublicKey import RSA
    from Crypto.Signature import pkcs1_15
    if not _made:
        with open(os.path.join(KEYS, "TEST-ONLY-rsa2048-other-private.pem")) as file:
            text = file.read()      # above the key it says that it is a test's
        _made.append(pkcs1_15.new(RSA.import_key(text[text.index("-----BEGIN"):])))
    return base64.b64encode(_made[0].sign(SHA256.new(data))).decode()


def _form(fields):
    return "&".join("{}={}".format(name, quote_plus(value)) for name, value in fields.items()).encode("ascii")


def _other_key(chance, at):
    fields = dict(_fields(at), sign_type="MD5")
    return "md5", _form(dict(fields, sign="{:032x}".format(chance.getrandbits(128))))


def _tampered(chance, at):
    fields = _signed("md5", dict(_fields(at), total_fee="0.01"))
    return "md5", _form(dict(fields, total_fee="8.00", trade_no=str(chance.getrandbits(64))))


def _unsigned(chance, at):
    return "rsa2", _form(dict(_fields(at), notify_id="{:034x}".format(chance.getrandbits(128))))


def _recut(chance, at):
    return "rsa2", _form(dict(_fields(at), subject="Tea&total_fee=8.00", sign_type="RSA2",
                              sign=base64.b64encode(chance.getrandbits(2040).to_bytes(256, "big")).decode()))


def _junk(chance, at):
    return "md5", bytes(chance.getrandbits(8) for _ in range(200))


def _nobody(chance, at):
    return "nobody", _form(_fields(at))
