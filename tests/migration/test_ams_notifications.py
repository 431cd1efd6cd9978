"""``ams/notifications.py``: the four notifications and the registration's, and what is answered to them."""
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.errors import (AlipayError, BodyTooLarge, InvalidRequest, MissingParameter, PartyMismatch,
                                SignatureInvalid, SignatureMissing, StoreError)
from alipay_mapi.migration.ams import Account, notifications, verify_answer, verify_notification
from migration_samples import account, answer_headers, dumped, ids, notification_headers, pem, result, row, rows

NOTIFICATIONS = rows("ams_notifications")
#: id → (kind, verdict)
KINDS = {"ams-ntf-01": ("payment", "yes"), "ams-ntf-02": ("payment", "no"), "ams-ntf-04": ("payment", "yes"),
         "ams-ntf-05": ("refund", "yes"), "ams-ntf-07": ("capture", "yes"), "ams-ntf-08": ("authorization", "unknown")}
PATH = "/notify/alipay"
AMOUNT = {"currency": "USD", "value": "1100"}


def checked(sample, **changes):
    sample = dict(sample, **changes)
    return verify_notification(account(sample["configured_client_id"]), sample["request_target"], sample["headers"],
                               sample["body"].encode("utf-8"))


def sent(content, path=PATH):
    body = dumped(content)
    return verify_notification(account(), path, notification_headers(path, body), body)


@pytest.mark.parametrize("sample", [one for one in NOTIFICATIONS if one["expect"] == "accept"],
                         ids=lambda one: one["id"])
def test_a_genuine_notification_is_handed_out_with_its_kind(sample):
    notification = checked(sample)
    assert (notification.kind, notification.verdict) == KINDS[sample["id"]]
    assert notification.time == "1754980300456"


@pytest.mark.parametrize("sample", [one for one in NOTIFICATIONS if one["expect"] == "reject"],
                         ids=lambda one: one["id"])
def test_a_forged_notification_is_refused(sample):
    with pytest.raises(SignatureInvalid):
        checked(sample)


def test_every_sample_was_seen():
    assert ids(one for one in NOTIFICATIONS if one["expect"] == "accept") == sorted(KINDS)


@pytest.mark.parametrize("sample", [one for one in NOTIFICATIONS if one["ack"]], ids=lambda one: one["id"])
def test_the_ack_is_the_documented_one(sample):
    ack = notifications.ack_taken()
    assert (ack.status, ack.headers, json.loads(ack.body.decode())) == (
        sample["ack"]["status"], sample["ack"]["headers"], sample["ack"]["body"])


def test_behind_a_proxy_the_public_path_is_what_was_signed():
    sample = row("ams_notifications", "ams-ntf-04")
    with pytest.raises(SignatureInvalid, match="public path"):
        checked(sample, request_target="/notify/alipay")


def test_a_notification_for_another_client_id_is_refused():
    with pytest.raises(PartyMismatch):
        checked(row("ams_notifications", "ams-ntf-01"), configured_client_id="CLIENT002")


def test_an_unsigned_notification_is_refused_even_when_it_is_a_failure():
    with pytest.raises(SignatureMissing):
        verify_notification(account(), PATH, {"Client-Id": "CLIENT001"}, dumped({"result": result("F", "X")}))


def test_an_answer_is_no_notification():
    """The path differs, and so does the header that holds the time."""
    body = dumped({"result": result(), "notifyType": "PAYMENT_RESULT"})
    with pytest.raises(MissingParameter, match="request-time"):
        verify_notification(account(), PATH, answer_headers(PATH, body), body)
    with pytest.raises(MissingParameter, match="response-time"):
        verify_answer(account(), PATH, notification_headers(PATH, body), body)


def test_a_pending_payment_is_not_paid_although_its_result_is_s():
    notification = sent({"notifyType": "PAYMENT_PENDING", "result": result(), "paymentRequestId": "A1",
                         "paymentId": "P1", "paymentAmount": AMOUNT})
    assert (notification.kind, notification.verdict) == ("payment_pending", "unknown")


@pytest.mark.parametrize("status, verdict", [("SUCCESS", "yes"), ("FAIL", "no"), ("NEW", "unknown"), (1, "unknown")])
def test_a_refund_is_told_by_its_status_and_not_by_its_result(status, verdict):
    notification = sent({"notifyType": "REFUND_RESULT", "result": result(), "refundStatus": status,
                         "refundRequestId": "R1", "refundId": "RF1", "refundAmount": AMOUNT})
    assert notification.verdict == verdict


@pytest.mark.parametrize("content, kind, verdict", [
    ({"authorizationNotifyType": "TOKEN_CANCELED", "accessToken": "T1"}, "authorization", "unknown"),
    ({"authClientId": "AC1", "accessToken": "T1", "accessTokenExpiryTime": "x"}, "authorization", "unknown"),
    ({"registrationRequestId": "REG1", "registrationResult": "FAILED"}, "registration", "no"),
    ({"notifyType": "REGISTRATION_RESULT", "registrationResult": "SUCCESSFUL"}, "registration", "yes"),
    ({"registrationRequestId": "REG1", "registrationResult": "PROCESSING"}, "registration", "unknown"),
    ({"registrationRequestId": "REG1", "registrationResult": {"registrationStatus": "COMPLETED"}}, "registration",
     "yes"),
    ({"referenceMerchantId": "M1", "registrationResult": {"registrationStatus": "PENDING"}}, "registration", "unknown"),
    ({"referenceMerchantId": "M1", "pspRegistrationResultList": []}, "registration", "unknown"),
    ({"notifyType": "REGISTRATION_RESULT", "registrationStatus": "FAILED"}, "registration", "no"),
    ({"registrationRequestId": "REG1", "registrationResult": {"registrationStatus": "COMPLETED"},
      "pspRegistrationResultList": [{"pspName": "AlipayCN", "registrationResult": {"registrationStatus": "REJECTED"}}]},
     "registration", "no"),
    ({"authorizationNotifyType": "TOKEN_CREATED", "accessToken": "T1", "result": result()}, "authorization", "unknown"),
    ({"notifyType": "UPDATE_AMOUNT_RESULT", "result": result()}, "other", "unknown"),
    ({"notifyType": "SOMETHING_NEW"}, "other", "unknown"), ({"notifyType": 1}, "other", "unknown"),
    ({"notifyType": ["PAYMENT_RESULT"]}, "other", "unknown"), ({}, "other", "unknown"),
    ({"notifyType": "CAPTURE_RESULT", "result": result("F", "X"), "captureRequestId": "C1", "captureId": "CP1",
      "paymentId": "P1", "captureAmount": AMOUNT}, "capture", "no"),
    ({"notifyType": "PAYMENT_RESULT", "result": result("U", "X"), "paymentRequestId": "A1", "paymentId": "P1",
      "paymentAmount": AMOUNT}, "payment", "unknown")])
def test_what_a_notification_is_about_is_told_by_its_shape(content, kind, verdict):
    notification = sent(content)
    assert (notification.kind, notification.verdict) == (kind, verdict)


@pytest.mark.parametrize("left_out", ["result", "paymentRequestId", "paymentId", "paymentAmount"])
def test_a_payment_notification_without_what_it_must_have_is_refused(left_out):
    content = {"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
               "paymentAmount": AMOUNT}
    del content[left_out]
    with pytest.raises(MissingParameter, match=left_out):
        sent(content)


@pytest.mark.parametrize("content, left_out", [
    ({"notifyType": "REFUND_RESULT", "refundStatus": "SUCCESS", "refundRequestId": "R1", "refundId": "RF1",
      "refundAmount": AMOUNT}, "refundStatus refundRequestId refundId refundAmount"),
    ({"notifyType": "CAPTURE_RESULT", "result": result(), "captureRequestId": "C1", "captureId": "CP1",
      "paymentId": "P1", "captureAmount": AMOUNT}, "result captureRequestId captureId paymentId captureAmount"),
    ({"notifyType": "PAYMENT_PENDING", "paymentRequestId": "A1", "paymentId": "P1"}, "paymentRequestId paymentId")])
def test_the_others_likewise(content, left_out):
    assert sent(content).kind != "other"
    for name in left_out.split():
        with pytest.raises(MissingParameter, match=name):
            sent({member: value for member, value in content.items() if member != name})


def test_the_key_is_the_same_for_the_same_news_and_another_for_other_news():
    def key(sample_id):
        return checked(row("ams_notifications", sample_id)).key

    assert key("ams-ntf-01") == "PAYMENT_RESULT:2026051219401080010018800000000:S" == key("ams-ntf-04")
    assert key("ams-ntf-02") == "PAYMENT_RESULT:2026051219401080010018800000000:F"
    assert key("ams-ntf-05") == "REFUND_RESULT:RF1:SUCCESS" and key("ams-ntf-07") == "CAPTURE_RESULT:CP1:S"
    assert sent({"notifyType": "a:b", "paymentId": "c%3A"}).key == "a%3Ab:c%253A:"


def test_each_step_of_a_registration_is_news_of_its_own():
    """The wallets decide one after the other; with one key for all of them the later ones would pass for repeats."""
    def key(status, *wallets):
        return sent({"registrationRequestId": "REG1", "registrationResult": {"registrationStatus": status},
                     "pspRegistrationResultList": [{"pspName": name, "registrationResult": {"registrationStatus": word}}
                                                   for name, word in wallets]}).key

    assert key("PENDING") == "registration:REG1:PENDING"
    assert key("COMPLETED", ("B", "APPROVED"), ("A", "REJECTED")) == "registration:REG1:COMPLETED,A=REJECTED,B=APPROVED"
    keys = {key("COMPLETED"), key("PENDING"), key("COMPLETED", ("A", "APPROVED")), key("COMPLETED", ("A", "REJECTED"))}
    assert len(keys) == 4
    assert sent({"referenceMerchantId": "M1", "registrationResult": "FAILED"}).key == "registration:M1:FAILED"


@pytest.mark.parametrize("name", ["accessToken", "authCode"])
def test_the_key_of_an_authorization_does_not_hold_what_pays(name):
    def key(token):
        return sent({"authorizationNotifyType": "TOKEN_CREATED", name: token}).key

    assert key("SECRET1") == key("SECRET1") != key("SECRET2") and "SECRET" not in key("SECRET1")


@pytest.mark.parametrize("problem, code, status", [
    (None, "SUCCESS", "S"), (SignatureInvalid("x"), "UNKNOWN_EXCEPTION", "U"), (StoreError("x"), "PROCESS_FAIL", "F"),
    (ValueError("x"), "PROCESS_FAIL", "F")])
def test_each_problem_has_its_ack(problem, code, status):
    ack = notifications.ack_for(problem)
    told = json.loads(ack.body.decode())["result"]
    assert (ack.status, told["resultCode"], told["resultStatus"]) == (200, code, status)


def test_an_ack_can_be_signed_as_the_demo_of_2020_does_it():
    """With our private key, over our own path: checked here as if we were the other side."""
    ack = notifications.signed(notifications.ack_taken(), account(), PATH, "2026-05-12T12:12:14+08:00")
    other_side = Account("CLIENT001", alipay_public_key=pem("merchant-public"))
    assert verify_answer(other_side, PATH, ack.headers, ack.body).signed
    assert ack.headers["Content-Type"] == "application/json; charset=UTF-8"


def test_a_body_that_somebody_decoded_or_that_never_ends_is_refused():
    with pytest.raises(InvalidRequest, match="raw bytes"):
        verify_notification(account(), PATH, {}, "{}")
    body = b'{"a":"' + b"x" * (1 << 20) + b'"}'
    with pytest.raises(BodyTooLarge):
        verify_notification(account(), PATH, notification_headers(PATH, body), body)


@settings(max_examples=settings.default.max_examples // 5)
@given(st.dictionaries(st.sampled_from(["client-id", "request-time", "signature"]), st.text(max_size=60)),
       st.binary(max_size=80))
def test_no_notification_is_made_of_junk(headers, body):
    with pytest.raises(AlipayError):
        verify_notification(account(), PATH, headers, body)
