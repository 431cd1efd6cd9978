"""Answers of AMS that go wrong: by name, by result code, by share; with the work done, or not."""
import base64
from urllib.parse import unquote

import pytest

from alipay_mapi.emulator.ams.codes import CODES
from alipay_mapi.emulator.ams.fault_names import AMS_ANSWER_FAULTS
from alipay_mapi.errors import GatewayError, InvalidRequest
from ams_setup import FOLDER, PLATFORM, PRODUCTION, Shop, ams, checks, result, text_to_sign
from core_setup import client
from openssl_command import accepts

PAY, ASK = "payments/pay", "payments/inquiryPayment"
WAYS = sorted(name for name in AMS_ANSWER_FAULTS if name not in CODES)
DONE = ("UNKNOWN_EXCEPTION", "PAYMENT_IN_PROCESS", "REFUND_IN_PROCESS", "CAPTURE_IN_PROCESS")


@pytest.fixture
def shop():
    with ams() as emulator:
        yield Shop(emulator)


def failed(shop, name, call=PAY, **more):
    shop.emulator.fail(name, service=call, **more)
    return shop.place(signed=False) if call == PAY else shop.send(call, {"paymentRequestId": "P1"}, signed=False)


def ordered(shop):
    return [row["payment_request_id"] for row in shop.emulator.list_payments()]


def fits(got, key=PLATFORM[1], call=PAY):
    return checks(got.headers, "/ams/api/v1/" + call, got.outcome.reply.body, "response-time", key)


@pytest.mark.parametrize("code", sorted(set(CODES) - {"SUCCESS"}))
def test_every_result_code_is_answered_on_demand_signed_and_with_its_status(shop, code):
    got = failed(shop, code)
    assert result(got) == (CODES[code][0], code) and fits(got)
    assert ordered(shop) == (["P1"] if code in DONE else [])
    assert set(got.said) == {"result"} and shop.emulator.ams_requests()[-1].fault == code
    assert shop.place().code == "PAYMENT_IN_PROCESS"        # once


@pytest.mark.parametrize("name", sorted(set(WAYS) | {"UNKNOWN_EXCEPTION"}))
def test_with_done_false_the_request_never_reaches_the_ledger(shop, name):
    failed(shop, name, done=False)
    assert ordered(shop) == []
    failed(shop, name)
    assert ordered(shop) == ["P1"]


def test_unknown_exception_after_a_refund_is_settled_by_the_same_id(shop):
    shop.place()
    shop.emulator.pay("P1")
    number = shop.emulator.payment("P1")["payment_id"]
    content = {"refundRequestId": "R1", "paymentId": number, "refundAmount": {"currency": "USD", "value": "600"}}
    shop.emulator.fail("UNKNOWN_EXCEPTION", service="payments/refund")
    assert result(shop.refund(**content)) == ("U", "UNKNOWN_EXCEPTION")
    assert shop.inquiryRefund(refundRequestId="R1").said["refundStatus"] == "SUCCESS"
    assert result(shop.refund(**content)) == ("S", "SUCCESS") and shop.emulator.payment("P1")["refunded"] == 600


def test_an_order_may_not_be_visible_for_a_while(shop):
    shop.place()
    shop.emulator.fail("ORDER_NOT_EXIST", service=ASK, seconds=10)
    assert shop.inquiryPayment(paymentRequestId="P1").code == "ORDER_NOT_EXIST"
    shop.emulator.advance(11)
    assert shop.status() == "PROCESSING"


def test_connections_and_pages_go_wrong_as_they_do_for_mapi(shop):
    for name in ("slow", "reset", "half-answer"):
        reply = failed(shop, name, seconds=5 if name == "slow" else None).outcome.reply
        assert reply.fault == name and reply.body
    assert failed(shop, "http-500").status == 500 and failed(shop, "redirect").status == 302
    page = failed(shop, "html-200")
    assert page.status == 200 and page.outcome.reply.content_type == "text/html" and page.headers == {}


def test_a_yes_without_a_signature(shop):
    shop.place()
    got = failed(shop, "answer-unsigned", ASK)
    assert result(got) == ("S", "SUCCESS") and got.headers == {}


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_signature_over_a_weaker_digest_under_the_same_label(shop, digest, tmp_path):
    """openssl says that it is one: a client that lets the signature choose would believe it."""
    got = failed(shop, "answer-" + digest)
    assert got.headers["signature"].startswith("algorithm=RSA256,") and not fits(got)
    text = text_to_sign("/ams/api/v1/payments/pay", PRODUCTION, got.headers["response-time"], got.outcome.reply.body)
    raw = base64.b64decode(unquote(got.headers["signature"].partition("signature=")[2]))
    assert accepts(digest, FOLDER / "TEST-ONLY-ams-platform-public.pem", text, raw, tmp_path)


def test_a_signature_for_another_client_path_or_key_and_an_altered_answer(shop):
    other = failed(shop, "answer-other-client")
    assert other.headers["client-id"] != PRODUCTION and fits(other)
    moved = failed(shop, "answer-re-pathed")
    assert moved.headers["client-id"] == PRODUCTION and not fits(moved) and fits(moved, call=ASK)
    forged = failed(shop, "answer-forged")
    assert len(forged.headers) == 3 and not fits(forged)
    altered = failed(shop, "answer-tampered")
    assert altered.said["paymentAmount"]["value"] == "1" and not fits(altered)
    refused = failed(shop, "answer-tampered", "payments/inquiryRefund")
    assert refused.said["result"]["resultStatus"] == "S" and refused.code == "PARAM_ILLEGAL"


def test_every_way_that_is_listed_changes_what_arrives(shop):
    usual = failed(shop, "slow").outcome.reply._replace(fault="", seconds=0.0)
    for name in WAYS:
        assert failed(shop, name).outcome.reply != usual, name


def test_a_fault_is_for_its_own_gateway(shop):
    """MAPI's query does not meet AMS's faults, nor the reverse; what both know meets whichever comes first."""
    emulator = shop.emulator
    shop.place()
    emulator.place("M1")
    emulator.log_in("M1")
    for name in ("trade-not-exist", "answer-md5"):
        emulator.fail(name)
    assert "trade_status" in ask_mapi(emulator, "answer-md5")
    shop.send(ASK, {"paymentRequestId": "P1"}, signed=False)
    assert emulator.faults.armed() == [] and shop.status() == "PROCESSING"


def ask_mapi(emulator, left):
    """The second answer of MAPI's query: the first one meets its own fault, and leaves the other."""
    asking = client(emulator)
    with pytest.raises(GatewayError, match="TRADE_NOT_EXIST"):
        asking.single_trade_query(out_trade_no="M1")
    assert [fault.name for fault in emulator.faults.armed()] == [left]
    return asking.single_trade_query(out_trade_no="M1")


def test_an_unknown_client_or_call_meets_no_fault(shop):
    shop.emulator.fail("answer-unsigned")
    assert shop.send("payments/nothing", {}).code == "NO_INTERFACE_DEF"
    assert shop.send(ASK, {}, client_id="5Y00000000000000").code == "INVALID_CLIENT"
    assert len(shop.emulator.faults.armed()) == 1


def test_shares_meet_the_same_payments_whatever_the_order_of_events():
    def met(numbers):
        with ams(rates={"UNKNOWN_EXCEPTION": 0.3, "http-500": 0.2}) as emulator:
            for number in numbers:
                Shop(emulator).place(number)
            return {one.outcome.content["paymentRequestId"]: one.fault for one in emulator.ams_requests()}

    numbers = ["P{}".format(number) for number in range(40)]
    first, second = met(numbers), met(list(reversed(numbers)))
    assert first == second and {"", "UNKNOWN_EXCEPTION", "http-500"} == set(first.values())


def test_only_names_that_there_are_can_be_armed(shop):
    for name, service in (("answer-sha9", ""), ("SUCCESS", ""), ("UNKNOWN_EXCEPTION", "payments/nothing")):
        with pytest.raises(InvalidRequest):
            shop.emulator.fail(name, service=service)
    with pytest.raises(InvalidRequest, match="add up"):
        shop.emulator.set_rates({"UNKNOWN_EXCEPTION": 0.6, "RISK_REJECT": 0.6})
