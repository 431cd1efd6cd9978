"""Messages for the tests of the command line, signed by one line of hashlib."""
import hashlib
import json
from collections import namedtuple
from urllib.parse import urlencode

PARTNER = "2088101122136241"
MD5_KEY = "TESTONLYcanary0md5key0canary0123"

Ran = namedtuple("Ran", "code out err")


def load(ran):
    """The one JSON object that a command printed."""
    value = json.loads(ran.out)
    if value.get("schema") != "alipay-mapi/1":
        raise ValueError("another schema: {}".format(value.get("schema")))
    return value


def md5_sign(params, key=MD5_KEY):
    """The sign of a message, by the page's rule in one line; params hold no empty value."""
    text = "&".join("{}={}".format(name, params[name]) for name in sorted(params))
    return hashlib.md5((text + key).encode("utf-8")).hexdigest()


def signed(params, key=MD5_KEY):
    """A form body as Alipay posts it."""
    return urlencode(dict(params, sign=md5_sign(params, key), sign_type="MD5")).encode("ascii")


NOTE = {
    "notify_type": "trade_status_sync", "notify_id": "abc123", "notify_time": "2018-04-11 18:12:28",
    "out_trade_no": "A1", "trade_no": "2018041121001003790200210315", "trade_status": "TRADE_FINISHED",
    "total_fee": "8.00", "currency": "USD", "buyer_email": "forename@example.com",
}

TRADE = {"out_trade_no": "A1", "trade_no": "2018041121001003790200210315", "trade_status": "TRADE_FINISHED",
         "total_fee": "52.10", "seller_id": PARTNER, "buyer_email": "forename@example.com"}


def answer_xml(elements, key=MD5_KEY):
    """A signed single_trade_query answer."""
    inside = "".join("<{0}>{1}</{0}>".format(name, value) for name, value in elements.items())
    return ('<?xml version="1.0" encoding="utf-8"?><alipay><is_success>T</is_success><response><trade>{}</trade>'
            "</response><sign>{}</sign><sign_type>MD5</sign_type></alipay>").format(
                inside, md5_sign(elements, key)).encode("utf-8")
