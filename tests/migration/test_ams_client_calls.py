"""``AmsClient``: capture and the registrations of secondary merchants; and its one line a call in the log."""
import logging

import pytest

from alipay_mapi.errors import GatewayError, InvalidRequest, OrderMismatch, OutcomeUnknown, TransportError
from alipay_mapi.migration.ams import results
from alipay_mapi.migration.errors import NotDecided
from migration_samples import result
from scripted_ams import client, says

USD = {"currency": "USD", "value": "550"}
MERCHANT = {"referenceMerchantId": "M1", "merchantDisplayName": "Tea", "merchantMCC": "5411"}
REGISTRATION = {"registrationRequestId": "REG1", "productCodes": ["CASHIER_PAYMENT"], "merchantInfo": MERCHANT}
BROKEN = TransportError("broken", kind="broken", sent=True)


def capture(made, **changes):
    return made.capture(**dict(dict(capture_request_id="C1", payment_id="P1", capture_amount=USD), **changes))


def captured(status="S", code="SUCCESS", **content):
    return says("payments/capture", dict({"result": result(status, code)}, **content))


@pytest.mark.parametrize("last, sent", [(True, b',"isLastCapture":"true"'), (False, b',"isLastCapture":"false"'),
                                        (None, b"")])
def test_a_capture_as_the_page_has_it(last, sent):
    made, script, _ = client(captured(captureRequestId="C1", captureId="CP1", captureAmount=USD))
    assert capture(made, is_last_capture=last).outcome[:3] == ("yes", "captured", "done")
    assert script.calls[0].body == (b'{"captureRequestId":"C1","paymentId":"P1","captureAmount":{"currency":"USD",'
                                    b'"value":"550"}' + sent + b"}")
    assert script.calls[0].url.endswith("/ams/api/v1/payments/capture")


def test_a_capture_in_process_is_handed_out():
    made, _, _ = client(captured("U", "CAPTURE_IN_PROCESS"))
    assert capture(made).outcome[:3] == ("unknown", "capture_pending", "wait")


@pytest.mark.parametrize("answer", [BROKEN, captured("U", "UNKNOWN_EXCEPTION"), captured("S", "PROCESS_FAIL"),
                                    captured(captureRequestId="C2")])
def test_a_capture_that_may_have_been_carried_out_is_sent_once(answer):
    made, script, _ = client(answer)
    with pytest.raises(OutcomeUnknown) as caught:
        capture(made)
    assert (caught.value.captureRequestId, caught.value.paymentId, len(script.calls)) == ("C1", "P1", 1)


def test_a_capture_that_is_refused():
    made, _, _ = client(captured("F", "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT"))
    with pytest.raises(GatewayError) as caught:
        capture(made)
    assert (caught.value.code, caught.value.next) == ("CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT", "stop")


@pytest.mark.parametrize("changes, parameter", [
    ({"capture_request_id": ""}, "captureRequestId"), ({"capture_request_id": None}, "captureRequestId"),
    ({"payment_id": ""}, "paymentId"), ({"capture_amount": {}}, "captureAmount"),
    ({"is_last_capture": "true"}, "is_last_capture"), ({"is_last_capture": 1}, "is_last_capture")])
def test_a_capture_that_lacks_something_is_not_sent(changes, parameter):
    made, script, _ = client(BROKEN)
    with pytest.raises(InvalidRequest) as caught:
        capture(made, **changes)
    assert caught.value.parameter == parameter and script.calls == []


def test_a_registration_and_its_repetition():
    made, script, _ = client(says("merchants/registration", {"result": result()}),
                             says("merchants/registration", {"result": result("F", "REPEAT_REGISTRATION")}))
    assert made.registration(REGISTRATION).outcome[:2] == ("yes", "registered")
    assert script.calls[0].body == (
        b'{"registrationRequestId":"REG1","productCodes":["CASHIER_PAYMENT"],"merchantInfo":{"referenceMerchantId":"M1",'
        b'"merchantDisplayName":"Tea","merchantMCC":"5411"}}')
    with pytest.raises(GatewayError) as caught:
        made.registration(REGISTRATION)
    assert (caught.value.code, caught.value.next) == ("REPEAT_REGISTRATION", "query")


def test_a_registration_without_an_answer_is_unknown():
    made, script, _ = client(BROKEN)
    with pytest.raises(OutcomeUnknown) as caught:
        made.registration(REGISTRATION)
    assert caught.value.registrationRequestId == "REG1" and len(script.calls) == 1


@pytest.mark.parametrize("name", sorted(REGISTRATION))
def test_a_registration_that_lacks_something_is_not_sent(name):
    made, script, _ = client(BROKEN)
    with pytest.raises(InvalidRequest, match=name):
        made.registration({member: value for member, value in REGISTRATION.items() if member != name})
    assert script.calls == []


def test_a_store_is_registered_with_its_data():
    made, script, _ = client(says("merchants/registration", {"result": result()}))
    with pytest.raises(InvalidRequest, match="storeInfo"):
        made.registration(dict(REGISTRATION, productCodes=["IN_STORE_PAYMENT"]))
    assert script.calls == []
    made.registration(dict(REGISTRATION, productCodes=["IN_STORE_PAYMENT"], storeInfo={"referenceStoreId": "S1"}))
    assert len(script.calls) == 1


def test_how_a_registration_stands():
    made, script, _ = client(says("merchants/inquiryRegistrationStatus", {
        "result": result(), "registrationResult": {"registrationStatus": "COMPLETED"}, "referenceMerchantId": "M1",
        "pspRegistrationResultList": [
            {"pspName": "AlipayCN", "registrationResult": {"registrationStatus": "APPROVED"}}]}))
    reply = made.inquiry_registration_status(reference_merchant_id="M1", reference_store_id="S1")
    assert reply.outcome[:2] == ("yes", "registered") and results.wallet_statuses(reply.answer) == {
        "AlipayCN": "APPROVED"}
    assert script.calls[0].body == b'{"referenceMerchantId":"M1","referenceStoreId":"S1"}'
    made.inquiry_registration_status(registration_request_id="REG1")
    assert script.calls[1].body == b'{"registrationRequestId":"REG1"}'
    with pytest.raises(OrderMismatch):
        made.inquiry_registration_status(reference_merchant_id="M2")
    with pytest.raises(InvalidRequest, match="give one"):
        made.inquiry_registration_status()


def test_a_registration_that_failed_is_an_answer_and_none_that_is_unknown_an_error():
    name = "merchants/inquiryRegistrationStatus"
    made, _, _ = client(says(name, {"result": result(), "registrationResult": {"registrationStatus": "FAILED"}}))
    assert made.inquiry_registration_status(reference_merchant_id="M1").outcome[:3] == ("no", "refused", "fix")
    made, _, _ = client(says(name, {"result": result("F", "RECORD_NOT_FOUND")}))
    with pytest.raises(GatewayError) as caught:
        made.inquiry_registration_status(reference_merchant_id="M1")
    assert (caught.value.code, caught.value.next) == ("RECORD_NOT_FOUND", "query")
    made, script, slept = client(BROKEN, says(name, {"result": result("U", "UNKNOWN_EXCEPTION")}))
    with pytest.raises(NotDecided):
        made.inquiry_registration_status(reference_merchant_id="M1")
    assert len(script.calls) == 2 and slept == [0.2], "a question may be repeated"


def test_what_ams_has_of_a_merchant():
    made, script, _ = client(says("merchants/inquiryRegistrationInfo", {
        "result": result(), "merchantInfo": {"referenceMerchantId": "M1"}, "productCodes": ["CASHIER_PAYMENT"]}))
    reply = made.inquiry_registration_info(reference_merchant_id="M1")
    assert reply.outcome.state == "registered" and reply.answer["merchantInfo"]["referenceMerchantId"] == "M1"
    made.inquiry_registration_info(reference_merchant_id="M1", reference_store_id="S1")
    assert [call.body for call in script.calls] == [b'{"referenceMerchantId":"M1"}',
                                                    b'{"referenceMerchantId":"M1","referenceStoreId":"S1"}']
    with pytest.raises(InvalidRequest, match="referenceMerchantId"):
        made.inquiry_registration_info(reference_merchant_id="")


INQUIRY = "payments/inquiryPayment"


@pytest.mark.parametrize("answer, level, verdict", [
    (says(INQUIRY, {"result": result(), "paymentStatus": "SUCCESS"}), "DEBUG", "yes:paid"),
    (says(INQUIRY, {"result": result(), "paymentStatus": "PROCESSING"}), "DEBUG", "unknown:pending"),
    (says(INQUIRY, {"result": result("F", "ORDER_NOT_EXIST")}), "INFO", "GatewayError:ORDER_NOT_EXIST"),
    (says(INQUIRY, {"result": result("F", "a\nforged line")}), "INFO", "GatewayError:a\\nforged line"),
    (says(INQUIRY, {"result": result("U", "UNKNOWN_EXCEPTION")}), "INFO", "NotDecided:UNKNOWN_EXCEPTION"),
    (says(INQUIRY, {"result": result()}, headers={}), "WARNING", "ResponseSignatureMissing"),
    (BROKEN, "WARNING", "TransportError:broken")])
def test_one_line_a_call_with_ids_and_verdict(answer, level, verdict, caplog):
    caplog.set_level(logging.DEBUG, logger="alipay_mapi")
    made, _, _ = client(answer, retries=0)
    try:
        made.inquiry_payment(payment_request_id="A1\nforged")
    except (GatewayError, TransportError, ValueError):
        pass
    record, = caplog.records
    assert (record.name, record.levelname) == ("alipay_mapi", level)
    assert record.getMessage() == (
        "payments/inquiryPayment paymentRequestId=A1\\nforged verdict={} seconds=0.000".format(verdict))


def test_an_unknown_outcome_is_a_warning_with_both_ids(caplog):
    caplog.set_level(logging.DEBUG, logger="alipay_mapi")
    made, _, _ = client(BROKEN)
    with pytest.raises(OutcomeUnknown):
        capture(made)
    record, = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == ("payments/capture paymentId=P1 captureRequestId=C1 verdict=OutcomeUnknown "
                                   "seconds=0.000")


def test_no_line_holds_a_body_a_signature_or_a_key(caplog):
    caplog.set_level(logging.DEBUG, logger="alipay_mapi")
    made, script, _ = client(captured())
    capture(made)
    signature = script.calls[0].headers["Signature"].rpartition("=")[2]
    assert "USD" not in caplog.text and "open-sea" not in caplog.text and signature[:20] not in caplog.text


def test_what_is_refused_before_it_is_sent_and_what_nobody_listens_to_is_not_logged(caplog):
    made, _, _ = client(captured())
    caplog.set_level(logging.DEBUG, logger="alipay_mapi")
    with pytest.raises(InvalidRequest):
        made.call("payments/new", {})
    assert caplog.records == []
    caplog.set_level(logging.ERROR, logger="alipay_mapi")
    capture(made)
    assert caplog.records == []
