"""``ams/signing.py`` and ``ams/requests.py``: what is signed, how the header is written, how strictly read."""
import base64
import hashlib
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.errors import (AlipayError, InvalidRequest, MalformedParameter, MalformedSignature, MissingKey,
                                SignTypeMismatch, UnsupportedSignType)
from alipay_mapi.migration.ams import Account, signing
from alipay_mapi.migration.ams.requests import build_request, epoch_milliseconds, sign_request
from migration_samples import FOLDER, account, ids, pem, row, rows, signed_content
from openssl_command import accepts

REQUESTS = rows("ams_requests")
PUBLIC = FOLDER / "TEST-ONLY-ams-merchant-public.pem"


@pytest.mark.parametrize("sample", REQUESTS, ids=ids(REQUESTS))
def test_a_recorded_request_is_signed_as_recorded(sample):
    """RSA PKCS#1 v1.5 is deterministic: every header must be the same text."""
    body = sample["body"].encode("utf-8")
    content = signing.content(sample["path"], sample["client_id"], sample["request_time"], body)
    assert content == base64.b64decode(sample["content_to_sign_b64"])
    assert hashlib.sha256(content).hexdigest() == sample["content_to_sign_sha256"]
    request = sign_request(account(sample["client_id"]), sample["path"], sample["request_time"], body)
    assert request.headers == sample["headers"]
    assert (request.body, request.path) == (body, sample["path"])


def test_openssl_accepts_what_we_sign(tmp_path):
    body = '{"orderDescription":"绿茶"}'.encode("utf-8")
    request = sign_request(account(), "/ams/api/v1/payments/pay?a=%2F", "1754980200123", body)
    value = unquote(request.headers["Signature"].rpartition("=")[2])
    content = signed_content("/ams/api/v1/payments/pay?a=%2F", "1754980200123", body)
    assert accepts("sha256", PUBLIC, content, base64.b64decode(value), tmp_path)
    assert not accepts("sha1", PUBLIC, content, base64.b64decode(value), tmp_path)


def test_the_signature_is_encoded_as_javas_url_encoder_does_it():
    """In base64 only + / = are touched."""
    request = build_request(account(), "payments/cancel", {"paymentRequestId": "A1"}, "1754980200123")
    value = request.headers["Signature"].partition("signature=")[2]
    assert set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%")
    assert not set("+/=") & set(value)


def test_a_request_is_compact_utf_8_and_its_bytes_are_the_signed_ones():
    request = build_request(account(), "payments/pay", {"a": "茶", "b": ["1"]}, "1754980200123")
    assert request.body == '{"a":"茶","b":["1"]}'.encode("utf-8")
    assert request.url == "https://open-sea-global.alipay.com/ams/api/v1/payments/pay"
    again = build_request(account(), "payments/pay", request.body, "1754980200123")
    assert again == request


def test_the_key_version_can_be_left_out_and_the_agent_token_is_sent():
    agent = account(key_version=None, agent_token="AGENT-1")
    headers = build_request(agent, "payments/cancel", {}, "1754980200123").headers
    assert headers["Signature"].startswith("algorithm=RSA256,signature=")
    assert headers["agent-token"] == "AGENT-1"


def test_a_sandbox_client_signs_the_sandbox_path():
    request = build_request(account("SANDBOX_5X00"), "payments/refund", {}, "1754980200123")
    assert request.path == "/ams/sandbox/api/v1/payments/refund"


def test_without_a_private_key_nothing_is_signed():
    with pytest.raises(MissingKey, match="private_key"):
        build_request(Account("CLIENT001"), "payments/cancel", {}, "1754980200123")


@pytest.mark.parametrize("content", [{"a": float("nan")}, {"a": b"bytes"}, {"a": "\ud800"}, {"a": object()}])
def test_what_json_cannot_hold_is_not_sent(content):
    with pytest.raises(InvalidRequest):
        build_request(account(), "payments/cancel", content, "1754980200123")


@pytest.mark.parametrize("time", ["", "now", "17549802001 23", "1\n2", '1754980200123.{"result":{}}', "１７"])
def test_a_time_that_could_be_the_beginning_of_the_body_is_refused(time):
    """The content joins time and body with a dot: a time that may hold a brace could be cut elsewhere."""
    with pytest.raises(MalformedParameter, match="time"):
        signing.content("/ams", "CLIENT001", time, b"{}")


@pytest.mark.parametrize("path, client_id", [
    ("ams", "C1"), ("/a b", "C1"), ("/a\nC1.2", "C1"), ("/茶", "C1"), ("/a", "C.1"), ("/a", ""), ("/a", "C1\n"),
    (None, "C1"), ("/a", None)])
def test_a_path_or_client_id_of_another_form_is_refused(path, client_id):
    with pytest.raises(MalformedParameter):
        signing.content(path, client_id, "1754980200123", b"{}")


def test_only_post_and_only_bytes():
    with pytest.raises(MalformedParameter, match="POST"):
        signing.content("/a", "C1", "1754980200123", b"{}", method="GET")
    with pytest.raises(InvalidRequest, match="raw bytes"):
        signing.content("/a", "C1", "1754980200123", "{}")


GOOD = row("ams_requests", "ams-req-07")["headers"]["Signature"]
VALUE = GOOD.partition("signature=")[2]


@pytest.mark.parametrize("text", [
    GOOD, "algorithm=RSA256, keyVersion=1, signature=" + VALUE, "signature=" + VALUE + ",algorithm=RSA256",
    "algorithm=RSA256,keyVersion=12,signature=" + VALUE,
    "algorithm=RSA256,keyVersion=1,signature=" + unquote(VALUE)])
def test_the_spellings_of_the_documentation_are_read_alike(text):
    assert signing.read_header(text).raw == base64.b64decode(unquote(VALUE))


@pytest.mark.parametrize("text, error", [
    ("", MalformedSignature), (None, MalformedSignature), ("algorithm=RSA256", MalformedSignature),
    (VALUE, MalformedSignature), (GOOD + ",", MalformedSignature), (GOOD + "," + GOOD, MalformedSignature),
    (GOOD + ",more=1", MalformedSignature), (GOOD + "x" * 9000, MalformedSignature),
    ("algorithm=RSA256,keyVersion=x,signature=" + VALUE, MalformedSignature),
    ("algorithm=RSA256,keyVersion=,signature=" + VALUE, MalformedSignature),
    ("algorithm=RSA256,signature=%%%", MalformedSignature), ("algorithm=RSA256,signature=", MalformedSignature),
    ("algorithm=RSA256,signature=" + VALUE[:-3], MalformedSignature),
    ("algorithm=RSA256,signature=" + VALUE.replace("%2F", "%20", 1), MalformedSignature),
    ("algorithm=RSA256,signature=abc%0A", MalformedSignature),
    ("algorithm=RSA256,signature=%C3%A9", MalformedSignature),
    ("keyVersion=1,signature=" + VALUE, UnsupportedSignType),
    ("algorithm=RSA512,keyVersion=1,signature=" + VALUE, SignTypeMismatch),
    ("algorithm=rsa256,keyVersion=1,signature=" + VALUE, SignTypeMismatch),
    ("algorithm=RSA256withSHA1,signature=" + VALUE, SignTypeMismatch)])
def test_a_header_of_another_form_is_refused(text, error):
    with pytest.raises(error):
        signing.read_header(text)


@settings(max_examples=settings.default.max_examples // 3)
@given(st.text(max_size=200) | st.builds("algorithm=RSA256,signature={}".format, st.text(max_size=50)))
def test_any_header_gives_a_signature_or_one_of_our_errors(text):
    try:
        signing.read_header(text)
    except AlipayError:
        pass


@pytest.mark.parametrize("moment, text", [
    (datetime(2023, 6, 1, 6, 13, 53, 871999, timezone.utc), "1685600033871"),
    (datetime(2023, 6, 1, 14, 13, 53, 871000, timezone(timedelta(hours=8))), "1685600033871"),
    (datetime(1970, 1, 1, tzinfo=timezone.utc), "0")])
def test_request_time_is_epoch_milliseconds(moment, text):
    assert epoch_milliseconds(moment) == text


def test_a_naive_clock_is_refused():
    with pytest.raises(InvalidRequest, match="aware"):
        epoch_milliseconds(datetime(2023, 6, 1))


def test_neither_requests_nor_accounts_show_keys_or_bodies():
    request = build_request(account(agent_token="AGENT-1"), "payments/cancel", {"x": "buyer"}, "1754980200123")
    shown = repr(request) + repr(account(agent_token="AGENT-1"))
    assert "buyer" not in shown and "AGENT-1" not in shown and pem("merchant-private")[120:150] not in shown


@pytest.mark.parametrize("sample", rows("published"), ids=lambda one: one["id"])
def test_a_published_signature_is_read_whole_and_fits_no_key_of_ours(sample):
    """The vendor prints them without the key: their form is all that can be learned."""
    raw = base64.b64decode(unquote(sample["signature"]))
    for text in ("algorithm=RSA256,keyVersion=1,signature=", "algorithm=RSA256, keyVersion=1, signature="):
        found = signing.read_header(text + sample["signature"])
        assert found.raw == raw and len(raw) == 256
        signed = signed_content("/ams/api/v1/payments/pay", "0", b"{}")
        assert not signing.fits(account().checking_keys, signed, found)
