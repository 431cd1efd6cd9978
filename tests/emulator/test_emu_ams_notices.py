"""Notifications of AMS: what they say, how they are signed, when they are sent again, and how they go wrong."""
import base64
import json
from urllib.parse import unquote, urlsplit

import pytest

from alipay_mapi.emulator.ams.notices import AMS_EVENTS
from alipay_mapi.emulator.faults import NOTIFICATION_FAULTS
from ams_setup import ACK, FOLDER, NOTIFY, PLATFORM, PRODUCTION, SANDBOX, Acknowledging, Shop, ams, checks, iso
from ams_setup import text_to_sign
from openssl_command import accepts

NOW = str(1772337600 * 1000)    # 2026-03-01 12:00 in GMT+8


def headers(delivery):
    return {name.lower(): value for name, value in delivery.headers}


def genuine(delivery, target="/ams/notify?shop=1"):
    return "signature" in headers(delivery) and checks(headers(delivery), target, delivery.body, "request-time")


def paid(address, number="P1", client_id=PRODUCTION, **more):
    emulator = ams(address)
    shop = Shop(emulator, client_id)
    shop.place(number, **more)
    emulator.pay(number)
    return emulator, shop


def test_a_payment_s_result_is_signed_over_the_path_and_query_of_the_shop_s_address(tmp_path):
    address = Acknowledging()
    emulator, shop = paid(address)
    [sent] = emulator.deliver()
    [delivery] = address.got
    assert delivery.url == NOTIFY and delivery.content_type == "application/json; charset=UTF-8"
    assert [name for name, _ in delivery.headers] == ["Client-Id", "Request-Time", "Signature"]
    assert headers(delivery)["request-time"] == NOW and headers(delivery)["client-id"] == PRODUCTION
    text = text_to_sign("/ams/notify?shop=1", PRODUCTION, NOW, delivery.body)
    value = headers(delivery)["signature"].partition("signature=")[2]
    assert accepts("sha256", FOLDER / "TEST-ONLY-ams-platform-public.pem", text,
                   base64.b64decode(unquote(value)), tmp_path)
    said = json.loads(delivery.body.decode("utf-8"))
    assert (said["notifyType"], said["result"]["resultStatus"]) == ("PAYMENT_RESULT", "S")
    assert said["paymentId"] == emulator.payment("P1")["payment_id"] and said["paymentTime"] == iso()
    assert said["paymentAmount"] == {"currency": "USD", "value": "1000"} and said["paymentCreateTime"] == iso()
    assert sent["acknowledged"] and emulator.list_notifications()[0]["state"] == "acknowledged"
    emulator.close()


@pytest.mark.parametrize("url, target", [
    ("https://shop.test", "/"), ("https://shop.test/a%20b?c=%2F&d", "/a%20b?c=%2F&d"),
    ("http://shop.test:8080/n#x", "/n")])
def test_the_signed_path_is_the_address_as_it_is_called(url, target):
    address = Acknowledging()
    emulator, _ = paid(address, paymentNotifyUrl=url)
    with emulator:
        emulator.deliver()
        assert genuine(address.got[0], target)


def test_the_request_s_address_wins_over_the_dashboard_s():
    address = Acknowledging()
    with ams(address, notify_url="") as emulator:
        shop = Shop(emulator)
        for number, url, setting in (("P1", None, ""), ("P2", None, "https://shop.test/dashboard"),
                                     ("P3", "https://shop.test/own", "https://shop.test/dashboard")):
            emulator.ams_settings("md5", notify_url=setting)
            content = shop.order(number)
            content["paymentNotifyUrl"] = url
            shop.send("payments/pay", {name: value for name, value in content.items() if value})
            emulator.pay(number)
        emulator.deliver()
        assert [delivery.url for delivery in address.got] == ["https://shop.test/dashboard", "https://shop.test/own"]


@pytest.mark.parametrize("answer, taken", [
    ((200, ACK), True), ((200, '{"result": {"resultStatus": "S"}, "more": "1"}'), True), ((200, "success "), False),
    ((200, '{"result":{"resultStatus":"F"}}'), False), ((200, '{"result":{"resultStatus":"U"}}'), False),
    ((500, ACK), False), ((201, ACK), False), ((302, ACK), False), ((200, "[]"), False), ((200, ""), False),
    ((200, '{"result":"S"}'), False), ((200, "null"), False), ((200, "[" * 4000), False)])
def test_only_status_200_with_a_result_of_s_acknowledges(answer, taken):
    address = Acknowledging(answer)
    emulator, _ = paid(address)
    with emulator:
        assert emulator.deliver()[0]["acknowledged"] is taken
        assert emulator.list_notifications()[0]["state"] == ("acknowledged" if taken else "queued")


def test_it_is_sent_again_after_2_10_10_minutes_1_2_6_and_15_hours_and_signed_anew():
    address = Acknowledging(*[(200, "no")] * 20)
    emulator, _ = paid(address)
    with emulator:
        sent = emulator.advance(30 * 3600)
        gaps = [120, 600, 600, 3600, 7200, 21600, 54000]
        times = [int(headers(delivery)["request-time"]) // 1000 for delivery in address.got]
        assert [later - earlier for earlier, later in zip(times, times[1:])] == gaps and len(sent) == 8
        assert all(genuine(delivery) for delivery in address.got) and len({one.body for one in address.got}) == 1
        assert emulator.list_notifications()[0]["state"] == "given up"


def test_the_sandbox_sends_once():
    address = Acknowledging((500, ""))
    emulator, _ = paid(address, client_id=SANDBOX)
    with emulator:
        assert len(emulator.advance(30 * 3600)) == 1
        assert emulator.list_notifications()[0]["state"] == "given up"
        emulator.resend(emulator.list_notifications()[0]["notify_id"])
        assert emulator.deliver()[0]["acknowledged"]


def test_a_closed_payment_is_notified_as_failed_but_not_in_a_store_and_a_cancel_not_at_all():
    address = Acknowledging()
    with ams(address) as emulator:
        shop = Shop(emulator)
        shop.place("P1")
        shop.place("P2", productCode="IN_STORE_PAYMENT", paymentFactor={"inStorePaymentScenario": "OrderCode"})
        shop.place("P3")
        shop.cancel(paymentRequestId="P3")
        emulator.advance(15 * 60)
        [said] = address.contents()
        assert (said["paymentRequestId"], said["result"]["resultCode"]) == ("P1", "ORDER_IS_CLOSED")
        assert said["result"]["resultStatus"] == "F" and "paymentTime" not in said


def test_a_pending_payment_is_told_as_such_with_a_result_of_s():
    address = Acknowledging()
    with ams(address) as emulator:
        Shop(emulator).place()
        emulator.pend_payment("P1")
        emulator.deliver()
        [said] = address.contents()
        assert (said["notifyType"], said["result"]["resultStatus"]) == ("PAYMENT_PENDING", "S")
        assert "paymentTime" not in said


def test_refunds_and_captures_are_notified_too():
    address = Acknowledging()
    with ams(address) as emulator:
        shop = Shop(emulator)
        shop.place(paymentMethod={"paymentMethodType": "CARD", "paymentMethodId": emulator.store_card()},
                   paymentFactor={"isAuthorization": "true"})
        number = emulator.payment("P1")["payment_id"]
        shop.refund(refundRequestId="R1", paymentId=number, refundAmount={"currency": "USD", "value": "400"})
        emulator.deliver()
        payment, capture, refund = address.contents()
        assert payment["paymentResultInfo"]["cardToken"] == emulator.store_card()
        assert (capture["notifyType"], capture["captureAmount"]["value"], capture["paymentId"]) == (
            "CAPTURE_RESULT", "1000", number)
        assert capture["captureTime"] == iso() and capture["result"]["resultStatus"] == "S"
        assert (refund["notifyType"], refund["refundStatus"], refund["refundRequestId"]) == (
            "REFUND_RESULT", "SUCCESS", "R1")
        assert refund["refundAmount"] == {"currency": "USD", "value": "400"} and refund["refundTime"] == iso()


@pytest.mark.parametrize("way", ["forged", "stale-key", "tampered", "re-cut", "unsigned", "wrong-charset",
                                 "other-sign-type"])
def test_a_broken_notification_does_not_verify_and_its_repetition_does(way):
    address = Acknowledging((200, "no"))
    emulator = ams(address)
    with emulator:
        emulator.fail(way, service="PAYMENT_RESULT")
        Shop(emulator).place()
        emulator.pay("P1")
        emulator.deliver()
        emulator.advance(120)
        broken, repeated = address.got
        assert broken.fault == way and genuine(repeated) and not repeated.fault
        if way == "re-cut":     # the signature fits, taken apart at another place
            assert genuine(broken) and not headers(broken)["request-time"].isdigit()
        elif way == "other-sign-type":
            assert "algorithm=SHA1withRSA" in headers(broken)["signature"]
        else:
            assert not genuine(broken)
        if way == "tampered":
            assert json.loads(broken.body.decode())["paymentAmount"]["value"] == "1"


def test_every_fault_of_a_notification_has_a_meaning_here():
    counts = {}
    for fault in NOTIFICATION_FAULTS:
        address = Acknowledging()
        with ams(address) as emulator:
            emulator.fail(fault)
            Shop(emulator).place()
            emulator.pay("P1")
            emulator.deliver()
            counts[fault] = len(address.got)
            later = emulator.advance(30 * 3600)
            assert len(later) == (1 if fault in ("late", "out-of-order") else 0)
            row = emulator.list_notifications()[0]
            assert row["fault"] == fault and row["gateway"] == "ams"
    assert counts == dict(dict.fromkeys(NOTIFICATION_FAULTS, 1), **{"lost": 0, "late": 0, "twice": 2,
                                                                   "out-of-order": 0})


def test_a_fault_may_be_for_one_event_alone():
    address = Acknowledging()
    with ams(address) as emulator:
        emulator.fail("lost", service="REFUND_RESULT")
        shop = Shop(emulator)
        shop.place()
        emulator.pay("P1")
        shop.refund(refundRequestId="R1", paymentId=emulator.payment("P1")["payment_id"],
                    refundAmount={"currency": "USD", "value": "400"})
        emulator.deliver()
        assert [one["notifyType"] for one in address.contents()] == ["PAYMENT_RESULT"]
        assert {row["event"] for row in emulator.list_notifications()} == {"PAYMENT_RESULT", "REFUND_RESULT"}
        assert set(AMS_EVENTS) > {"PAYMENT_RESULT", "REFUND_RESULT"}


def test_the_buyer_s_pay_but_lose_the_notification_works_for_ams_too():
    with ams() as emulator:
        Shop(emulator).place()
        emulator.pay("P1", lose=True)
        assert emulator.deliver() == [] and emulator.list_notifications()[0]["state"] == "lost"


def test_a_forged_key_is_nobody_s():
    """Neither AMS's nor the shop's."""
    address = Acknowledging()
    with ams(address) as emulator:
        emulator.fail("forged", service="PAYMENT_RESULT")
        Shop(emulator).place()
        emulator.pay("P1")
        emulator.deliver()
        [delivery] = address.got
        target = urlsplit(NOTIFY)
        assert not genuine(delivery, target.path) and not checks(headers(delivery), "/ams/notify?shop=1", delivery.body,
                                                                 "request-time", PLATFORM[0])
