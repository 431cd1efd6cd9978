"""The recorded samples of the migration, the account they belong to, and AMS's part played by the openssl command."""
import base64
import json
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from alipay_mapi.migration.ams import Account
from openssl_command import openssl

FOLDER = Path(__file__).resolve().parent.parent.parent / "fixtures" / "migration"
PLATFORM = FOLDER / "TEST-ONLY-ams-platform-private.pem"
PAY = "/ams/api/v1/payments/pay"
INQUIRY = "/ams/api/v1/payments/inquiryPayment"
TIME = "2026-05-12T12:12:14+08:00"


def rows(name):
    return json.loads((FOLDER / (name + ".json")).read_text(encoding="utf-8"))


def row(name, number):
    return next(one for one in rows(name) if one["id"] == number)


def ids(samples):
    return [one["id"] for one in samples]


def pem(name):
    return (FOLDER / "TEST-ONLY-ams-{}.pem".format(name)).read_text(encoding="ascii")


@lru_cache(maxsize=None)
def account(client_id="CLIENT001", **settings):
    settings.setdefault("private_key", pem("merchant-private"))
    settings.setdefault("alipay_public_key", pem("platform-public"))
    return Account(client_id, **settings)


def signed_content(path, time, body, client_id="CLIENT001", method="POST"):
    """By hand, not by the code under test."""
    return (method + " " + path + "\n" + client_id + "." + time + ".").encode("utf-8") + body


@lru_cache(maxsize=None)
def openssl_sign(content, key=PLATFORM, digest="sha256"):
    return openssl("dgst", "-" + digest, "-sign", key, stdin=content)


def sign_header(raw, algorithm="RSA256", version="1"):
    return "algorithm={},keyVersion={},signature={}".format(
        algorithm, version, quote(base64.b64encode(raw).decode("ascii"), safe=""))


def answer_headers(path, body, time=TIME, client_id="CLIENT001", **signing):
    raw = openssl_sign(signed_content(path, time, body, client_id), **signing)
    return {"client-id": client_id, "response-time": time, "signature": sign_header(raw)}


def notification_headers(path, body, time="1754980300456", client_id="CLIENT001", **signing):
    raw = openssl_sign(signed_content(path, time, body, client_id), **signing)
    return {"Client-Id": client_id, "Request-Time": time, "Signature": sign_header(raw)}


def dumped(value):
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def result(status="S", code="SUCCESS"):
    return {"resultStatus": status, "resultCode": code, "resultMessage": ""}
