"""``ams/answers.py``: what is believed of an answer, and what is refused."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.errors import (AlipayError, CharsetError, DuplicateParameter, InvalidRequest, MalformedParameter,
                                MalformedSignature, MissingKey, MissingParameter, OrderMismatch, PartyMismatch,
                                ResponseSignatureInvalid, ResponseSignatureMissing, SignTypeMismatch)
from alipay_mapi.migration.ams import Account, AmsAnswer, verify_answer
from alipay_mapi.migration.errors import NotJSON
from migration_samples import (INQUIRY, PAY, TIME, account, answer_headers, dumped, ids, openssl_sign, pem, result, row,
                               rows, sign_header, signed_content)

ANSWERS = rows("ams_answers")
#: What each refused sample is refused for.
ERRORS = {
    "ams-rsp-08": ResponseSignatureMissing, "ams-rsp-13": ResponseSignatureInvalid,
    "ams-rsp-14": ResponseSignatureInvalid, "ams-rsp-16": ResponseSignatureInvalid,
    "ams-rsp-17": ResponseSignatureInvalid, "ams-rsp-19": ResponseSignatureInvalid, "ams-rsp-20": SignTypeMismatch,
    "ams-rsp-22": MalformedSignature,
}
PAID = row("ams_answers", "ams-rsp-01")


def checked(sample, **changes):
    sample = dict(sample, **changes)
    body = sample["body"] if isinstance(sample["body"], bytes) else sample["body"].encode("utf-8")
    return verify_answer(account(sample["configured_client_id"]), sample["request_path"], sample["headers"], body)


@pytest.mark.parametrize("sample", [one for one in ANSWERS if one["expect"] == "accept"], ids=lambda one: one["id"])
def test_a_genuine_answer_is_handed_out(sample):
    answer = checked(sample)
    assert answer.signed and answer.result_status in ("S", "F", "U") and answer.time == TIME


@pytest.mark.parametrize("sample", [one for one in ANSWERS if one["expect"] == "reject"], ids=lambda one: one["id"])
def test_a_forged_answer_is_refused(sample):
    with pytest.raises(ERRORS[sample["id"]]):
        checked(sample)


@pytest.mark.parametrize("sample", [one for one in ANSWERS if one["expect"] == "accept-unsigned-error"],
                         ids=lambda one: one["id"])
def test_an_unsigned_refusal_is_shown_and_says_that_it_is_unsigned(sample):
    answer = checked(sample)
    assert not answer.signed and answer.result_status == "F" and answer.time is None


def test_every_kind_of_sample_was_there():
    assert {one["expect"] for one in ANSWERS} == {"accept", "reject", "accept-unsigned-error"}
    assert ids(one for one in ANSWERS if one["expect"] == "reject") == sorted(ERRORS)


@pytest.mark.parametrize("digest", ["sha1", "md5", "sha512", "sha384"])
def test_another_digest_under_the_right_label_is_refused(digest):
    """The official Python SDK lets the signature choose its own."""
    body = PAID["body"].encode("utf-8")
    headers = answer_headers(INQUIRY, body, digest=digest)
    with pytest.raises(ResponseSignatureInvalid):
        verify_answer(account(), INQUIRY, headers, body)
    assert verify_answer(account(), INQUIRY, answer_headers(INQUIRY, body), body).signed


def test_another_client_id_is_refused_though_its_signature_fits():
    body = PAID["body"].encode("utf-8")
    with pytest.raises(PartyMismatch):
        verify_answer(account("CLIENT002"), INQUIRY, answer_headers(INQUIRY, body), body)


@pytest.mark.parametrize("path", [PAY, "/ams/sandbox/api/v1/payments/inquiryPayment", INQUIRY + "?a=1", INQUIRY + "/"])
def test_an_answer_to_another_path_is_refused(path):
    with pytest.raises(ResponseSignatureInvalid):
        checked(PAID, request_path=path)


def test_another_method_was_signed():
    body = dumped({"result": result()})
    raw = openssl_sign(signed_content(INQUIRY, TIME, body, method="GET"))
    headers = {"client-id": "CLIENT001", "response-time": TIME, "signature": sign_header(raw)}
    with pytest.raises(ResponseSignatureInvalid):
        verify_answer(account(), INQUIRY, headers, body)


@pytest.mark.parametrize("missing, error", [
    ("client-id", MissingParameter), ("response-time", MissingParameter), ("signature", ResponseSignatureMissing)])
def test_each_header_is_needed(missing, error):
    headers = {name: value for name, value in PAID["headers"].items() if name != missing}
    with pytest.raises(error):
        checked(PAID, headers=headers)
    with pytest.raises(error):
        checked(PAID, headers=dict(PAID["headers"], **{missing: ""}))


def test_headers_may_be_pairs_and_of_any_letter_case_but_not_twice():
    pairs = [(name.upper(), " " + value) for name, value in PAID["headers"].items()]
    assert checked(PAID, headers=pairs).signed
    with pytest.raises(DuplicateParameter):
        checked(PAID, headers=pairs + [("Client-ID", "CLIENT001")])
    assert checked(PAID, headers=pairs + [("Set-Cookie", "a"), ("set-cookie", "b")]).signed
    with pytest.raises(InvalidRequest):
        checked(PAID, headers={b"client-id": b"CLIENT001"})


def test_several_keys_while_they_change_from_oldest_to_newest():
    old = pem("merchant-public")
    both = Account("CLIENT001", alipay_public_key=[old, pem("platform-public")])
    body = PAID["body"].encode("utf-8")
    assert verify_answer(both, INQUIRY, PAID["headers"], body).signed
    with pytest.raises(ResponseSignatureInvalid):
        verify_answer(Account("CLIENT001", alipay_public_key=[old]), INQUIRY, PAID["headers"], body)
    with pytest.raises(MissingKey):
        verify_answer(Account("CLIENT001"), INQUIRY, PAID["headers"], body)


@pytest.mark.parametrize("status", ["S", "X", "", None, 1, ["F"], "f"])
def test_an_unsigned_answer_that_is_no_refusal_is_not_believed(status):
    with pytest.raises(ResponseSignatureMissing):
        verify_answer(account(), PAY, {}, dumped({"result": {"resultStatus": status, "resultCode": "SUCCESS"}}))


@pytest.mark.parametrize("status", ["F", "U"])
def test_an_unsigned_refusal_cannot_bring_a_payment_with_it(status):
    answer = verify_answer(account(), PAY, {}, dumped({"result": result(status, "X"), "paymentStatus": "SUCCESS"}))
    assert not answer.signed


def test_an_answer_about_another_payment_is_refused():
    body = PAID["body"].encode("utf-8")

    def asked(**ids):
        return verify_answer(account(), INQUIRY, PAID["headers"], body, asked=ids)

    assert asked(paymentRequestId="ORDER0001").signed and asked().signed
    with pytest.raises(OrderMismatch):
        asked(paymentRequestId="ORDER0002")
    with pytest.raises(OrderMismatch):
        asked(paymentId="2020")
    assert asked(paymentId="20200513114010800100188770269589293", paymentRequestId="MINE").signed


@pytest.mark.parametrize("body, error", [
    (b"", NotJSON), (b"[]", NotJSON), (b'"S"', NotJSON), (b"<html>", NotJSON), (b"{", NotJSON), (b"{}x", NotJSON),
    (b'{"a":NaN}', NotJSON), (b"\xff{}", CharsetError), (b'{"a":1,"a":2}', DuplicateParameter),
    (b'{"result":{"resultStatus":"S","resultStatus":"F"}}', DuplicateParameter), (b'{"a":"\\ud800"}', NotJSON),
    (b"[" * 100000, NotJSON), (b'{"a":' * 40 + b"1" + b"}" * 40, NotJSON)])
def test_a_signed_body_that_can_be_read_in_two_ways_is_refused(body, error):
    with pytest.raises(error):
        verify_answer(account(), INQUIRY, answer_headers(INQUIRY, body), body)


def test_text_in_the_place_of_bytes_is_our_callers_mistake():
    with pytest.raises(InvalidRequest, match="raw bytes"):
        verify_answer(account(), INQUIRY, PAID["headers"], PAID["body"])


def test_an_answer_is_read_only_and_shows_no_buyer():
    body = dumped({"result": result(), "paymentRequestId": "A1", "list": [{"a": 1}], "n": "N",
                   "pspCustomerInfo": {"pspCustomerId": "2088000000000000"}}).replace(b'"N"', b"1.10")
    answer = verify_answer(account(), INQUIRY, answer_headers(INQUIRY, body), body)
    assert isinstance(answer, AmsAnswer) and answer["n"] == "1.10" and answer["list"][0]["a"] == "1"
    with pytest.raises(TypeError):
        answer["pspCustomerInfo"]["pspCustomerId"] = "x"
    with pytest.raises(TypeError):
        answer["result"] = {}
    assert repr(answer) == "<AmsAnswer S SUCCESS A1>"
    assert answer.text("pspCustomerInfo", "pspCustomerId") == "2088000000000000" and answer.text("list", "a") is None


BODY = PAID["body"].encode("utf-8")


@settings(max_examples=settings.default.max_examples // 5)
@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_and_the_signature_no_longer_fits(place, change):
    body = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1:]
    with pytest.raises(ResponseSignatureInvalid):
        verify_answer(account(), INQUIRY, PAID["headers"], body)


@settings(max_examples=settings.default.max_examples // 5)
@given(st.dictionaries(st.sampled_from(["client-id", "response-time", "signature", "x"]), st.text(max_size=60)),
       st.binary(max_size=80))
def test_whatever_comes_is_an_answer_or_one_of_our_errors(headers, body):
    try:
        answer = verify_answer(account(), INQUIRY, headers, body)
    except AlipayError:
        return
    assert not answer.signed and answer.result_status in ("F", "U")


def test_a_time_that_takes_the_beginning_of_the_body_is_refused_before_the_keys_are_asked():
    """The same bytes are signed, cut in another place."""
    body = b'{"a":"x.{\\"result\\":1}"}'
    headers = answer_headers(INQUIRY, body)
    cut = body.index(b".")
    headers["response-time"] += "." + body[:cut].decode("ascii")
    with pytest.raises(MalformedParameter):
        verify_answer(account(), INQUIRY, headers, body[cut + 1:])
