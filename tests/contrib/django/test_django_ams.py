"""The same views with a gateway more: what AMS signs beside the body reaches its check, and its ack is AMS's."""
import json

import pytest
from django.test.utils import override_settings

import django_shop
import genuine
from alipay_mapi import Order
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django import asking_now, signals
from alipay_mapi.contrib.django.store.models import Evidence, Trade
from alipay_mapi.errors import OrderNotFound
from django_shop import HANDED, NOTIFY, heard, outcome, post, shop, values
from gateways_under_test import OnAms, content_of
from migration_samples import dumped, notification_headers, pem, result

pytestmark = pytest.mark.usefixtures("database")
AMS = {"shop": {"client_id": "CLIENT001", "private_key": pem("merchant-private"),
                "alipay_public_key": pem("platform-public")}}
TAKEN = {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}
PAYMENT = {"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
           "paymentAmount": {"currency": "USD", "value": "800"}}


def usd(number="A1"):
    return Order(number, total_fee="8.00", currency="USD")


@pytest.fixture
def stage():
    """A shop whose new orders go to AMS; and AMS."""
    with shop(values(AMS=AMS, NEW_ORDERS="ams", RETURN_TO="order")):
        stage = OnAms()
        mapi.configured().backends("shop")["ams"].client._transport = stage
        yield stage


def notify(content, path=NOTIFY, signed=None, **more):
    body = dumped(content)
    headers = {"HTTP_" + name.upper().replace("-", "_"): value
               for name, value in notification_headers(signed or path, body).items()}
    return post(body, path, "application/json; charset=UTF-8", **dict(headers, **more))


def told(response):
    return response.status_code, json.loads(response.content.decode("utf-8"))


def test_a_notification_of_ams_is_taken_with_the_same_facts_and_its_own_ack(stage):
    mapi.fallback().watch("shop", usd(), gateway="ams")
    with heard(signals.notify_verified) as said:
        for _ in range(2):
            response = notify(PAYMENT)
            assert told(response) == (200, TAKEN)
            assert response["Content-Type"] == "application/json" and response["Cache-Control"] == "no-store"
    assert outcome() == "paid" and HANDED == ["shop:paid::A1"]
    assert [arguments["notification"]["trade_status"] for _, arguments in said] == ["TRADE_FINISHED"] * 2
    row = Evidence.objects.get()
    assert (row.verdict, row.out_trade_no, row.trade_no, bytes(row.body)) == ("accepted", "A1", "P1", dumped(PAYMENT))


def test_an_order_in_yuan_and_a_refund_are_kept_as_evidence_too(stage):
    mapi.fallback().watch("shop", Order("A1", rmb_fee="50.00", currency="USD"), gateway="ams")
    paid = dict(PAYMENT, paymentAmount={"currency": "CNY", "value": "5000"})
    assert told(notify(paid)) == (200, TAKEN)
    mapi.fallback().refund("shop", "A1", "R1", "20.00")
    row = Trade.objects.get()
    Trade.objects.update(refunds=row.refunds.replace('"asked"', '"accepted"'))      # a run has sent it
    refund = {"notifyType": "REFUND_RESULT", "result": result(), "refundStatus": "SUCCESS", "refundRequestId": "R1",
              "refundId": "RF1", "refundAmount": {"currency": "CNY", "value": "2000"}}
    assert told(notify(refund)) == (200, TAKEN)
    assert HANDED == ["shop:paid::A1", "shop:refunded:R1:A1"]
    assert [row.out_trade_no for row in Evidence.objects.order_by("id")] == ["A1", "A1"]


@pytest.mark.parametrize("given, status", [({"AMS": AMS}, 200), ({}, 400)])
def test_a_buyer_whom_ams_sends_back_says_nothing_and_is_told_that_it_is_being_checked(given, status):
    with shop(values(RETURN_TO=None, **given)):
        response = django_shop.call("GET", django_shop.RETURN)
        assert response.status == status
        assert (b"checking your payment" in response.body) is (status == 200)


def test_what_is_about_no_order_is_kept_and_handed_to_the_shop():
    booked = []
    capture = {"notifyType": "CAPTURE_RESULT", "result": result(), "captureRequestId": "C1", "captureId": "CI1",
               "paymentId": "P1", "captureAmount": {"currency": "USD", "value": "800"}}
    with shop(values(AMS=AMS, NOTIFIED=lambda name, note: booked.append(note.kind))):
        assert told(notify(capture)) == (200, TAKEN)
        assert booked == ["capture"] and Evidence.objects.get().verdict == "accepted"


@pytest.mark.parametrize("path, signed, status", [
    (NOTIFY, NOTIFY, 200), (NOTIFY + "shop/", NOTIFY + "shop/", 200),
    (NOTIFY + "?a=1&b=%2F", NOTIFY + "?a=1&b=%2F", 200),
    (NOTIFY + "shop/", NOTIFY, 400), (NOTIFY + "?a=1", NOTIFY, 400), (NOTIFY, NOTIFY + "?a=1", 400)])
def test_path_and_query_are_a_part_of_what_is_signed(stage, path, signed, status):
    mapi.fallback().watch("shop", usd(), gateway="ams")
    assert notify(PAYMENT, path, signed).status_code == status
    assert outcome() == ("paid" if status == 200 else "open")


def test_behind_a_proxy_the_path_of_SITE_URL_is_what_ams_has_called():
    with shop(values(AMS=AMS, SITE_URL="https://shop.example/tea/")):
        mapi.fallback().watch("shop", usd(), gateway="ams")
        assert notify(PAYMENT, signed=NOTIFY).status_code == 400
        assert notify(PAYMENT, signed="/tea" + NOTIFY).status_code == 200


def test_under_a_script_name_the_whole_path_counts(stage):
    mapi.fallback().watch("shop", usd(), gateway="ams")
    with override_settings(FORCE_SCRIPT_NAME="/tea"):
        assert notify(PAYMENT, signed="/tea" + NOTIFY).status_code == 200


def test_what_is_not_signed_settles_nothing_and_is_answered_in_amss_words(stage):
    mapi.fallback().watch("shop", usd(), gateway="ams")
    for more in ({"HTTP_SIGNATURE": ""}, {"HTTP_CLIENT_ID": "CLIENT002"}, {"HTTP_REQUEST_TIME": "1"}):
        status, answer = told(notify(PAYMENT, **more))
        assert status == 400 and answer["result"]["resultStatus"] == "U"
    assert outcome() == "open" and HANDED == []
    assert {(row.out_trade_no, row.trade_no, row.verdict) for row in Evidence.objects.all()} == {
        ("A1", "P1", "MissingParameter"), ("A1", "P1", "UntrustedMessage"), ("A1", "P1", "SignatureInvalid")}


def test_json_to_a_merchant_without_an_account_is_refused():
    with shop():
        assert notify(PAYMENT).status_code == 415


def test_mapis_notifications_are_as_before(stage):
    mapi.fallback().watch("shop", usd())
    response = post(genuine.message(genuine.FOREX))
    assert (response.status_code, response.content, response["Content-Type"]) == (200, b"success", "text/plain")


def test_a_payment_goes_to_ams_and_comes_back_to_the_shops_page(stage):
    page = mapi.payment(usd(), subject="Tea")
    assert page.url.startswith("https://cashier.example/") and Trade.objects.get().gateway == "ams"
    sent = content_of(stage.sent[0])
    assert sent["paymentNotifyUrl"] == "https://shop.example" + NOTIFY + "shop/"
    assert sent["paymentRedirectUrl"] == "https://shop.example/orders/A1/"
    mapi.payment(usd("A2"), subject="Tea", return_url="https://m.shop.example/back")
    assert content_of(stage.sent[1])["paymentRedirectUrl"] == "https://m.shop.example/back"
    with shop(values(AMS=AMS)):
        assert mapi.payment(usd("A3"), subject="Tea").url.startswith("https://intlmapi.alipay.com/")


def test_a_person_asks_the_orders_own_gateway(stage):
    mapi.fallback().watch("shop", usd(), gateway="ams")
    stage.is_at("paid")
    assert asking_now.ask_now("shop", "A1").outcome == "paid" and stage.calls == ["query"]
    with pytest.raises(OrderNotFound):
        asking_now.ask_now("shop", "A2")


def test_the_command_runs_both(stage):
    mapi.fallback().watch("shop", usd(), gateway="ams", first_in=0)
    stage.is_at("paid")
    assert mapi.fallback().run(workers=0).outcomes == {"paid": 1}
    assert HANDED == ["shop:paid::A1"] and stage.calls == ["query"]
    from alipay_mapi.contrib.django.hosting import host_of_settings
    assert list(host_of_settings().ams) == ["shop"]


def test_a_rule_of_the_shops_own_decides():
    with shop(values(AMS=AMS, NEW_ORDERS="test_django_ams.dear", RETURN_TO="/thanks/")):
        stage = OnAms()
        mapi.configured().backends("shop")["ams"].client._transport = stage
        assert mapi.payment(usd(), subject="Tea").gateway == "ams"
        assert mapi.payment(Order("A2", total_fee="1.00", currency="USD"), subject="Tea").service
        assert content_of(stage.sent[0])["paymentRedirectUrl"] == "https://shop.example/thanks/"
    assert [row.gateway for row in Trade.objects.order_by("out_trade_no")] == ["ams", "mapi"]


def dear(order, service):
    return "ams" if order.total_fee > 5 else "mapi"


def test_nobody_is_called_when_ams_is_flooded_with_junk(stage):
    for at in range(200):
        assert notify(PAYMENT, HTTP_SIGNATURE="x{}".format(at)).status_code == 400
    assert stage.calls == [] and Evidence.objects.count() <= 40
    assert django_shop.call("POST", NOTIFY, b"x" * 1100000, "application/json").status == 413
