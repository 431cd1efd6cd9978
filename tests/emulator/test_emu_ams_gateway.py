"""The edge of AMS: what a request must be before anything in it counts, and how answers are signed."""
import base64
import json
from urllib.parse import quote, unquote

import pytest

from alipay_mapi import keys
from alipay_mapi.emulator.ams import messages
from alipay_mapi.emulator.ams.clients import IDENTITIES
from alipay_mapi.emulator.ams.codes import CODES
from alipay_mapi.emulator.ams.incoming import incoming, read_signature
from alipay_mapi.emulator.refused import Refused
from ams_setup import (AMS_KEYS, FOLDER, MERCHANT, PATHS, PRODUCTION, SANDBOX, Shop, ams, header, pem, result, sign,
                       text_to_sign)
from openssl_command import accepts

ASK = "payments/inquiryPayment"
REQUESTS = json.loads((FOLDER / "ams_requests.json").read_text(encoding="utf-8"))
NOBODY = {"paymentRequestId": "nobody"}


@pytest.fixture
def shop():
    with ams() as emulator:
        yield Shop(emulator)


@pytest.mark.parametrize("sample", REQUESTS, ids=[one["id"] for one in REQUESTS])
def test_the_text_and_the_signature_of_recorded_requests_are_found_again(sample):
    """The samples were checked with openssl, ``cryptography`` and the official SDK."""
    text = messages.signed_text(sample["path"], sample["client_id"], sample["request_time"],
                                sample["body"].encode("utf-8"))
    assert text == base64.b64decode(sample["content_to_sign_b64"])
    found = read_signature(sample["headers"]["Signature"])
    assert found.raw == base64.b64decode(sample["signature_b64"])
    assert unquote(messages.signature(keys.load_private_key(pem("merchant-private")), text)) == sample["signature_b64"]


def test_an_answer_is_signed_over_the_request_s_path_by_the_clock_in_gmt_8(shop, tmp_path):
    """openssl is the judge."""
    got = shop.place(signed=False)
    assert got.status == 200 and got.headers["response-time"] == "2026-03-01T12:00:00+08:00"
    assert got.headers["client-id"] == PRODUCTION
    start, value = got.headers["signature"].split("signature=")
    assert start == "algorithm=RSA256,keyVersion=1," and not set("+/=") & set(value)
    text = text_to_sign("/ams/api/v1/payments/pay", PRODUCTION, got.headers["response-time"], got.outcome.reply.body)
    assert accepts("sha256", FOLDER / "TEST-ONLY-ams-platform-public.pem", text, base64.b64decode(unquote(value)),
                   tmp_path)


def test_a_query_behind_the_path_belongs_to_what_is_signed(shop):
    target = "/ams/api/v1/payments/inquiryPayment?agent=1"
    assert shop.send(ASK, NOBODY, target=target).code == "ORDER_NOT_EXIST"
    moved = header(sign(text_to_sign("/ams/api/v1/" + ASK, PRODUCTION, "1754980200123", b"{}")))
    assert shop.send(ASK, body=b"{}", target=target, Signature=moved).code == "INVALID_SIGNATURE"


@pytest.mark.parametrize("changed, code", [
    (dict(method="GET"), "METHOD_NOT_SUPPORTED"),
    (dict(method="PUT"), "METHOD_NOT_SUPPORTED"),
    (dict(Content_Type="application/x-www-form-urlencoded"), "MEDIA_TYPE_NOT_ACCEPTABLE"),
    (dict(Content_Type="application/json; charset=GBK"), "MEDIA_TYPE_NOT_ACCEPTABLE"),
    (dict(Content_Type=None), "MEDIA_TYPE_NOT_ACCEPTABLE"),
    (dict(client_id=None), "INVALID_CLIENT"),
    (dict(client_id="5Y00000000000000"), "INVALID_CLIENT"),
    (dict(client_id="2088000000000101"), "INVALID_CLIENT"),
    (dict(client_id="5Y88000000000101, 5Y88000000000101"), "INVALID_CLIENT"),
    (dict(Signature=None), "INVALID_SIGNATURE"),
    (dict(request_time=None), "INVALID_SIGNATURE"),
    (dict(request_time="1754980200124"), "INVALID_SIGNATURE"),
    (dict(Signature="algorithm=RSA256,keyVersion=1,signature="), "INVALID_SIGNATURE"),
    (dict(Signature="algorithm=RSA256,keyVersion=1,signature=%%%"), "INVALID_SIGNATURE"),
    (dict(Signature="algorithm=RSA256,keyVersion=1"), "INVALID_SIGNATURE"),
    (dict(Signature="nonsense"), "INVALID_SIGNATURE"),
    (dict(target="/ams/api/v1/payments/nothing"), "NO_INTERFACE_DEF"),
    (dict(target="/ams/api/v2/payments/pay"), "NO_INTERFACE_DEF"),
    (dict(target="/ams/api/v1/payments/pay/"), "NO_INTERFACE_DEF"),
    (dict(target="/ams/api/v1/customs/declare"), "NO_INTERFACE_DEF"),
])
def test_what_is_refused_before_the_signature_has_fitted_is_answered_unsigned(shop, changed, code):
    got = shop.send(ASK, NOBODY, **changed)
    assert (got.status, result(got), got.headers) == (200, ("F", code), {})
    assert got.outcome.why and got.outcome.status == "F"


def test_a_signature_of_another_key_algorithm_or_digest_is_refused(shop):
    text = text_to_sign("/ams/api/v1/" + ASK, PRODUCTION, "1754980200123", b"{}")
    from Crypto.Hash import SHA1
    from Crypto.PublicKey import RSA
    from Crypto.Signature import pkcs1_15
    weak = base64.b64encode(pkcs1_15.new(RSA.import_key(MERCHANT[0])).sign(SHA1.new(text))).decode()
    for signature in (header(sign(text, AMS_KEYS["ams-gateway:production"][0])), header(weak),
                      header(sign(text)).replace("RSA256", "RSA"), header(sign(text)).replace("RSA256", "SHA1withRSA"),
                      header(sign(text)) + ",algorithm=RSA256"):
        assert shop.send(ASK, body=b"{}", Signature=signature).code == "INVALID_SIGNATURE"


def test_the_header_is_read_with_blanks_after_its_commas_and_in_any_letter_case(shop):
    text = text_to_sign("/ams/api/v1/" + ASK, PRODUCTION, "1754980200123", b'{"paymentId":"1"}')
    blanks = header(sign(text)).replace(",", ", ")
    assert shop.send(ASK, body=b'{"paymentId":"1"}', Signature=blanks).code == "ORDER_NOT_EXIST"
    pairs = [("CONTENT-TYPE", "Application/JSON"), ("Client-Id", PRODUCTION), ("Request-Time", "1754980200123"),
             ("signature", blanks)]
    assert shop.emulator.ams_answer(incoming("POST", "/ams/api/v1/" + ASK, pairs, b'{"paymentId":"1"}')).code == \
        "ORDER_NOT_EXIST"


def test_base64_that_was_not_percent_encoded_loses_its_plus_signs(shop):
    """As with Java's URLDecoder, which AMS is written against."""
    for number in range(200):
        body = json.dumps({"paymentId": str(number)}).encode()
        plain = sign(text_to_sign("/ams/api/v1/" + ASK, PRODUCTION, "1754980200123", body))
        got = shop.send(ASK, body=body, Signature="algorithm=RSA256,keyVersion=1,signature=" + plain)
        assert got.code == ("INVALID_SIGNATURE" if "+" in plain else "ORDER_NOT_EXIST")
        if "+" in plain:
            assert "percent-encoded" in got.outcome.why
            break
    assert "+" in plain
    with pytest.raises(Refused):
        read_signature("algorithm=RSA256,signature=" + quote("no base64"))


def test_the_key_version_may_be_left_out_and_an_unknown_one_is_not_found(shop):
    text = text_to_sign("/ams/api/v1/" + ASK, PRODUCTION, "1754980200123", b'{"paymentId":"1"}')
    without = header(sign(text)).replace("keyVersion=1,", "")
    assert shop.send(ASK, body=b'{"paymentId":"1"}', Signature=without).code == "ORDER_NOT_EXIST"
    for version in ("2", "one", "0"):
        got = shop.send(ASK, body=b'{"paymentId":"1"}', Signature=header(sign(text), version))
        assert (result(got), got.headers) == (("F", "KEY_NOT_FOUND"), {})


@pytest.mark.parametrize("time", ["1754980200123", "2026-05-12T12:12:14+08:00", "2026-05-12T04:12:14Z",
                                  "2026-05-11T21:12:14-07:00", "2026-05-12T12:12:14.123+0800"])
def test_request_time_comes_in_both_forms(shop, time):
    assert shop.send(ASK, NOBODY, time=time).code == "ORDER_NOT_EXIST"


@pytest.mark.parametrize("time", ["yesterday", "2026-05-12 12:12:14", "2026-05-12T12:12:14", "175498020012", "0",
                                  "2026-13-12T12:12:14Z"])
def test_a_request_time_of_another_form_is_a_signed_refusal(shop, time):
    got = shop.send(ASK, NOBODY, time=time)
    assert result(got) == ("F", "PARAM_ILLEGAL") and got.headers["signature"]


def test_each_side_knows_its_own_client_ids_alone():
    """The sandbox's id on the production path, and the reverse; in-store products have one path for both."""
    with ams() as emulator:
        production, sandbox = Shop(emulator), Shop(emulator, SANDBOX)
        assert sandbox.send(ASK, NOBODY).code == production.send(ASK, NOBODY).code == "ORDER_NOT_EXIST"
        for one, other in ((production, SANDBOX), (sandbox, PRODUCTION)):
            got = one.send(ASK, NOBODY, target=PATHS[other] + ASK)
            assert (result(got), got.headers) == (("F", "INVALID_CLIENT"), {})
        for one in ("md5", SANDBOX):
            emulator.ams_settings(one, sandbox=True, in_store=True)
        assert sandbox.send(ASK, NOBODY, target=PATHS[PRODUCTION] + ASK).code == "ORDER_NOT_EXIST"
        assert production.send(ASK, NOBODY, target=PATHS[SANDBOX] + ASK).code == "INVALID_CLIENT"


@pytest.mark.parametrize("body", [
    b"", b"[]", b'"text"', b"{", b"{}{}", b'{"a":"b",}', b"{'a':'b'}", b'{"paymentId":"1","paymentId":"2"}',
    b'{"paymentId":"\xff"}', b'{"paymentId":"\\ud800"}', b'{"paymentId":NaN}', b'{"paymentId":1}',
    b'{"paymentId":"1","a":true}', b'{"paymentId":"1","a":null}', b'{"paymentId":"1","a":["x",2]}',
    b'{"paymentId":"1","a":{"b":1.5}}', b'{"a":' + b'[' * 40 + b']' * 40 + b'}', "{}".encode("utf-16"),
    b'{"\\ud800":"1"}', b'[' * 200000,
])
def test_a_body_that_is_not_one_json_object_of_texts_is_a_signed_refusal(shop, body):
    got = shop.send(ASK, body=body)
    assert result(got) == ("F", "PARAM_ILLEGAL") and got.headers["signature"]


def test_a_lenient_client_may_send_numbers_and_booleans(shop):
    shop.emulator.ams_settings("md5", strict_scalars=False)
    content = shop.order()
    content["paymentAmount"] = content["order"]["orderAmount"] = {"currency": "USD", "value": 1000}
    assert shop.send("payments/pay", content).code == "PAYMENT_IN_PROCESS"
    assert shop.inquiryPayment(paymentRequestId="P1").said["paymentAmount"]["value"] == "1000"
    assert shop.send(ASK, body=b'{"paymentId":null}').code == "PARAM_ILLEGAL"


def test_a_call_that_the_client_may_not_make_is_denied(shop):
    shop.emulator.ams_settings("md5", no_access=["payments/refund"])
    assert shop.refund().code == "ACCESS_DENIED" and shop.cancel(paymentId="1").code == "ORDER_NOT_EXIST"


def test_every_merchant_has_two_client_ids_and_an_account_that_fits():
    with ams(base_url="http://127.0.0.1:8642") as emulator:
        assert sorted(IDENTITIES) == sorted(
            start + "880000000001" + end for start in ("5Y", "SANDBOX_5Y") for end in ("01", "02", "03", "04"))
        for sandbox in (False, True):
            account = emulator.ams_account("rsa2", sandbox)
            assert account.sandbox == sandbox and account.domain == "http://127.0.0.1:8642" and account.allow_http
            assert account.client_id == ("SANDBOX_" if sandbox else "") + "5Y88000000000103"
            assert account.signing_key.numbers == keys.load_private_key(MERCHANT[0]).numbers


def test_sandbox_and_production_have_own_keys_of_2048_bits():
    made = {}
    with ams(keys=made) as emulator:
        first, second = emulator.ams_account("md5"), emulator.ams_account("md5", sandbox=True)
        numbers = {key.numbers for account in (first, second)
                   for key in (account.signing_key, account.checking_keys[0])}
        assert len(numbers) == 4 and {first.signing_key.bits, first.checking_keys[0].bits} == {2048}


@pytest.mark.parametrize("settings", [dict(colour="red"), dict(pci="yes"), dict(not_contracted="CARD"),
                                      dict(registration="maybe"), dict(no_access=["payments/nothing"]),
                                      dict(not_contracted=[1])])
def test_a_setting_that_there_is_not_is_refused(settings):
    from alipay_mapi.errors import InvalidRequest
    with ams() as emulator:
        with pytest.raises(InvalidRequest):
            emulator.ams_settings("md5", **settings)
        with pytest.raises(InvalidRequest):
            emulator.ams_account("nobody")


def test_every_code_of_the_specification_is_known_with_its_status():
    from alipay_mapi.migration.ams import results
    assert {code: status for code, (_, status) in results.CODES.items() if code != "SIGNATURE_INVALID"}.items() <= {
        code: status for code, (status, _) in CODES.items()}.items()


def test_the_log_has_no_card_number_and_no_signature(shop):
    content = shop.order(paymentMethod={"paymentMethodType": "CARD", "paymentMethodMetaData": {
        "cardNo": "4111111111111111", "cvv": "123", "expiryMonth": "12", "expiryYear": "30"}})
    assert shop.send("payments/pay", content).code == "ACCESS_DENIED"
    logged = shop.emulator.ams_requests()[-1]
    assert (logged.outcome.call, logged.outcome.code, logged.fault) == ("payments/pay", "ACCESS_DENIED", "")
    told = repr(logged) + json.dumps(logged.outcome.content)
    assert "4111" not in told and "123" not in logged.outcome.content["paymentMethod"]["paymentMethodMetaData"]
    assert "signature" not in told
