"""Notifications that are not as Alipay makes them, each in one named way; for faults and for shops' tests.

Every way is something that an attacker can do, or that happens on the wire; the right answer to each is to refuse it.
"""
from typing import Dict, Mapping, Optional, Tuple

from ..errors import InvalidRequest, show
from ..presign import presign_string
from . import messages_out
from .merchants import TestMerchant

#: way → what is wrong.
WAYS = {
    "forged": "signed with a key that is not the gateway's",
    "stale-key": "signed with the key that the gateway had before",
    "tampered": "the amount was changed after it was signed",
    "re-cut": "the signed text was taken apart at another &: the sign fits, the fields do not",
    "unsigned": "the sign was taken away",
    "wrong-charset": "the text is in another charset than it was signed in, and than the header says",
    "other-sign-type": "it names another sign_type than the merchant's",
}


def notification(merchant: TestMerchant, fields: Mapping[str, str], charset: Optional[str],
                 way: str = "") -> Tuple[bytes, str]:
    """(body, Content-Type): genuine, or broken in one of :data:`WAYS`. Raises InvalidRequest for another way."""
    if way and way not in WAYS:
        raise InvalidRequest("way: {} is no way to break a notification; there are {}".format(
            show(way), ", ".join(sorted(WAYS))), parameter="way")
    return _BREAK[way](merchant, fields, charset)


def _genuine(merchant, fields, charset):
    return _written(messages_out.signed(merchant.signer, fields, charset), charset)


def _forged(merchant, fields, charset):
    return _written(messages_out.signed(merchant.forger, fields, charset), charset)


def _stale_key(merchant, fields, charset):
    return _written(messages_out.signed(merchant.former, fields, charset), charset)


def _tampered(merchant, fields, charset):
    params = messages_out.signed(merchant.signer, fields, charset)
    for name in ("total_fee", "return_amount", "trade_status", "result_details", "success_details", "notify_time"):
        if name in params:
            params[name] = "0.01" if params[name] != "0.01" and name in ("total_fee", "return_amount") \
                else params[name] + "1"
            break
    return _written(params, charset)


def _re_cut(merchant, fields, charset):
    params = messages_out.signed(merchant.signer, fields, charset)
    first, second = sorted(name for name in params if name not in ("sign", "sign_type"))[:2]
    params[first] += "&{}={}".format(second, params.pop(second))
    return _written(params, charset)


def _unsigned(merchant, fields, charset):
    params = messages_out.signed(merchant.signer, fields, charset)
    del params["sign"]
    return _written(params, charset)


def _wrong_charset(merchant, fields, charset):
    """Signed in the one, written in the other. Text outside of ASCII is put in where there is none."""
    fields = dict(fields)
    if all(ord(c) < 128 for c in presign_string(fields)):
        fields["body"] = fields.get("body", "") + "茶"
    other = "utf-8" if messages_out.codec_of(charset) != "utf-8" else "gbk"
    params = messages_out.signed(merchant.signer, fields, charset)
    return messages_out.encoded(params, other), messages_out.content_type(charset)


def _other_sign_type(merchant, fields, charset):
    params = messages_out.signed(merchant.signer, fields, charset)
    params["sign_type"] = "RSA" if params["sign_type"] == "RSA2" else "RSA2" if params["sign_type"] == "RSA" else (
        "RSA" if params["sign_type"] == "MD5" else "MD5")
    return _written(params, charset)


def _written(params: Dict[str, str], charset):
    return messages_out.encoded(params, charset), messages_out.content_type(charset)


_BREAK = {"": _genuine, "forged": _forged, "stale-key": _stale_key, "tampered": _tampered, "re-cut": _re_cut,
          "unsigned": _unsigned, "wrong-charset": _wrong_charset, "other-sign-type": _other_sign_type}
