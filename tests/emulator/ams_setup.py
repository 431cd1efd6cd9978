"""A shop of AMS that signs and checks by hand: pycryptodome and the openssl command, none of our own signing."""
import base64
import json
from collections import namedtuple
from pathlib import Path
from urllib.parse import quote, unquote

from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

from alipay_mapi.emulator.ams.clients import IDENTITIES
from alipay_mapi.emulator.ams.incoming import incoming
from core_setup import START, Address, gateway

FOLDER = Path(__file__).resolve().parent.parent.parent / "fixtures" / "migration"
ACK = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'
PRODUCTION, SANDBOX = "5Y88000000000101", "SANDBOX_5Y88000000000101"
PATHS = {PRODUCTION: "/ams/api/v1/", SANDBOX: "/ams/sandbox/api/v1/"}
NOTIFY = "https://shop.test/ams/notify?shop=1"


def pem(name):
    text = (FOLDER / "TEST-ONLY-ams-{}.pem".format(name)).read_text(encoding="ascii")
    return text[text.index("-----BEGIN"):]


MERCHANT, PLATFORM = [(pem(name + "-private"), pem(name + "-public")) for name in ("merchant", "platform")]
_SIGNERS = {text: RSA.import_key(text) for pair in (MERCHANT, PLATFORM) for text in pair}
#: Every client has the recorded test keys, so that none are made.
AMS_KEYS = {"ams-gateway:sandbox": PLATFORM, "ams-gateway:production": PLATFORM}
AMS_KEYS.update({"ams-shop:" + client_id: MERCHANT for client_id in IDENTITIES})

Got = namedtuple("Got", "status headers said code outcome")


def ams(address=None, **settings):
    """An emulator whose clock stands still, and a shop's address that acknowledges as AMS wants it."""
    settings.setdefault("keys", AMS_KEYS)
    settings.setdefault("notify_url", NOTIFY)
    return gateway(Acknowledging() if address is None else address, **settings)


class Acknowledging(Address):
    """Like Address, in AMS's words."""

    def __call__(self, delivery):
        answered = super().__call__(delivery)
        return answered._replace(text=ACK) if answered.text == "success" else answered

    def contents(self):
        return [json.loads(delivery.body.decode("utf-8")) for delivery in self.got]


def text_to_sign(target, client_id, time, body):
    return "POST {}\n{}.{}.".format(target, client_id, time).encode("utf-8") + body


def sign(text, key=MERCHANT[0]):
    return base64.b64encode(pkcs1_15.new(_SIGNERS[key]).sign(SHA256.new(text))).decode("ascii")


def header(signature, version="1"):
    return "algorithm=RSA256,keyVersion={},signature={}".format(version, quote(signature, safe=""))


def checks(headers, target, body, time_header, key=PLATFORM[1]):
    """Does the signature fit? ``headers``: names in lower case."""
    algorithm, version, value = [part.partition("=")[2] for part in headers["signature"].split(",")]
    assert (algorithm, version) == ("RSA256", "1")
    text = text_to_sign(target, headers["client-id"], headers[time_header], body)
    try:
        pkcs1_15.new(_SIGNERS[key]).verify(SHA256.new(text), base64.b64decode(unquote(value), validate=True))
        return True
    except ValueError:
        return False


class Shop:
    """One client; ``send`` gives the answer, whose signature is checked whenever it has one."""

    def __init__(self, emulator, client_id=PRODUCTION):
        self.emulator, self.client_id = emulator, client_id

    def send(self, call, content=None, *, method="POST", target=None, body=None, time="1754980200123", signed=True,
             **headers):
        target = target or PATHS[self.client_id] + call
        body = json.dumps(content, ensure_ascii=False).encode("utf-8") if body is None else body
        given = {"Content-Type": "application/json; charset=UTF-8", "client-id": self.client_id, "request-time": time,
                 "Signature": header(sign(text_to_sign(target, self.client_id, time, body)))}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        outcome = self.emulator.ams_answer(incoming(
            method, target, {name: value for name, value in given.items() if value is not None}, body))
        reply = outcome.reply
        named = dict(reply.headers)
        if signed and "signature" in named:
            assert checks(named, target, reply.body, "response-time") and named["client-id"] == self.client_id
        said = json.loads(reply.body.decode("utf-8")) if reply.content_type.startswith("application/json") else None
        return Got(reply.status, named, said, said["result"]["resultCode"] if said else None, outcome)

    def __getattr__(self, name):
        """``shop.inquiryPayment(paymentId=…)``."""
        call = ("merchants/" if "egistration" in name else "payments/") + name
        return lambda **content: self.send(call, content)

    def order(self, number="P1", value="1000", currency="USD", **more):
        """A wallet's cashier payment."""
        amount = {"currency": currency, "value": value}
        content = {"productCode": "CASHIER_PAYMENT", "paymentRequestId": number, "paymentAmount": amount,
                   "order": {"orderAmount": amount, "orderDescription": "Tea", "referenceOrderId": number},
                   "paymentMethod": {"paymentMethodType": "ALIPAY_CN"}, "paymentNotifyUrl": NOTIFY}
        content.update(more)
        return content

    def place(self, number="P1", *args, signed=True, **more):
        """The pay call's answer."""
        return self.send("payments/pay", self.order(number, *args, **more), signed=signed)

    def status(self, number="P1"):
        return self.inquiryPayment(paymentRequestId=number).said["paymentStatus"]


def result(got):
    return got.said["result"]["resultStatus"], got.code


def iso(**later):
    from datetime import timedelta
    return (START + timedelta(**later)).isoformat()
