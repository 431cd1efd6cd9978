"""Requests and answers of the gateway without our code: percent-encoding, hashlib, pycryptodome and lxml."""
import base64
import hashlib
from urllib.parse import quote

from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey import DSA, RSA
from Crypto.Signature import DSS, pkcs1_15
from lxml import etree

from alipay_mapi.emulator.incoming import Incoming

#: The test merchants' numbers; nobody's elsewhere.
MD5, OTHER, BUYER, STRANGER = "2088000000000101", "2088000000000102", "2088000000000901", "2088999999999999"

_HASH = {"RSA": SHA1, "RSA2": SHA256}


def presign(params):
    return "&".join("{}={}".format(name, params[name]) for name in sorted(params)
                    if params[name] != "" and name not in ("sign", "sign_type"))


def sign(sign_type, keys, data):
    """``keys``: the shop's, as ``TestMerchant.shop_keys`` has them."""
    if sign_type == "MD5":
        return hashlib.md5(data + keys["md5_key"].encode("ascii")).hexdigest()
    if sign_type == "DSA":
        made = DSS.new(DSA.import_key(keys["private_key"]), "fips-186-3", encoding="der").sign(SHA1.new(data))
    else:
        made = pkcs1_15.new(RSA.import_key(keys["private_key"])).sign(_HASH[sign_type].new(data))
    return base64.b64encode(made).decode("ascii")


def check(sign_type, keys, data, text):
    """AssertionError (or the library's ValueError) unless ``text`` is the gateway's sign of ``data``."""
    if sign_type == "MD5":
        assert text == hashlib.md5(data + keys["md5_key"].encode("ascii")).hexdigest()
    elif sign_type == "DSA":
        DSS.new(DSA.import_key(keys["alipay_public_key"]), "fips-186-3", encoding="der").verify(
            SHA1.new(data), base64.b64decode(text))
    else:
        pkcs1_15.new(RSA.import_key(keys["alipay_public_key"])).verify(_HASH[sign_type].new(data),
                                                                       base64.b64decode(text))


def send(emulator, service, *, as_="md5", charset="utf-8", remote="127.0.0.1", referer="", spoil="", **params):
    """One signed request → the outcome. ``spoil``: replaces the sign. A parameter that is None is not sent, and the
    common ones may be given, too."""
    merchant = emulator.merchant(as_)
    sent = {"service": service, "partner": merchant.partner, "sign_type": merchant.sign_type}
    if charset is not None:
        sent["_input_charset"] = charset
    sent.update(params)
    sent = {name: value for name, value in sent.items() if value is not None}
    codec = charset if charset in ("utf-8", "gbk") else "gbk"
    if "sign" not in params:
        sent["sign"] = spoil or sign(merchant.sign_type, merchant.shop_keys(), presign(sent).encode(codec))
    query = "&".join(quote(name, "") + "=" + quote(value, "", encoding=codec) for name, value in sent.items())
    return emulator.answer(Incoming("GET", query.encode("ascii"), remote=remote, referer=referer))


class Read:
    """An XML answer: ``is_success``, ``error``, ``elements`` (of the one container), ``sign``, ``sign_type``."""

    def __init__(self, body):
        root = etree.fromstring(body)
        self.charset = root.getroottree().docinfo.encoding
        assert root.tag == "alipay"
        self.is_success, self.error = root.findtext("is_success"), root.findtext("error")
        self.sign, self.sign_type = root.findtext("sign"), root.findtext("sign_type")
        self.echo = {param.get("name"): param.text for param in root.findall("request/param")}
        response = root.find("response")
        self.container = None if response is None else response[0].tag
        self.elements = {} if response is None else {child.tag: child.text or "" for child in response[0]}


def code_of(outcome):
    """The code that a client, or the page in a browser, shows; "" for a yes."""
    if outcome.is_page or outcome.reply is None:
        return outcome.error or ""
    if outcome.reply.content_type == "text/plain":
        text = outcome.reply.body.decode("utf-8", "replace")
        return text.partition("File download failed:")[2]
    read = Read(outcome.reply.body)
    return read.error or read.elements.get("error", "") or read.elements.get("detail_error_code", "")
