"""The same views with a gateway more: what AMS signs beside the body reaches its check, and its ack is AMS's."""
import json

import pytest
from flask import Flask
from flask_desk import CANARIES, Desk, note

from alipay_mapi import Order
from alipay_mapi.contrib.flask import signals
from gateways_under_test import OnAms, content_of
from genuine import FORM
from migration_samples import dumped, notification_headers, pem, result

AMS = {"shop": {"client_id": "CLIENT001", "private_key": pem("merchant-private"),
                "alipay_public_key": pem("platform-public")}}
NOTIFY = "/alipay/notify/"
TAKEN = {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}
PAYMENT = {"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
           "paymentAmount": {"currency": "USD", "value": "800"}}


def usd(number="A1"):
    return Order(number, total_fee="8.00", currency="USD")


class Shop(Desk):
    """Its new orders go to AMS, which is ``stage``."""

    def __init__(self, **settings):
        super().__init__(**dict({"AMS": AMS, "NEW_ORDERS": "ams", "RETURN_TO": "order"}, **settings))
        self.app.add_url_rule("/orders/<out_trade_no>", "order", lambda out_trade_no: "order")
        self.stage = OnAms()
        if self.app.config.get("ALIPAY_MAPI_AMS"):
            with self.app.app_context():
                self.alipay.configured().backends("shop")["ams"].client._transport = self.stage

    def within(self, call):
        with self.app.app_context():
            return call()

    def watch_there(self, number="A1"):
        self.within(lambda: self.alipay.fallback().watch("shop", usd(number), gateway="ams"))

    def notified(self, content=None, path=NOTIFY, signed=None, headers=None, **more):
        body = dumped(PAYMENT if content is None else content)
        whole = notification_headers(signed or path, body)
        whole.update(headers or {})
        answer = self.app.test_client().post(path, data=body, headers=whole, content_type="application/json", **more)
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status_code, json.loads(answer.data.decode("utf-8"))


@pytest.fixture
def shop():
    with Shop() as one:
        yield one


def test_a_notification_of_ams_is_taken_with_the_same_facts_and_its_own_ack(shop):
    shop.watch_there()
    assert [shop.notified() for _ in range(2)] == [(200, TAKEN)] * 2
    assert shop.done == [("paid", "A1")]
    assert shop.within(lambda: shop.alipay.fallback().store.get("shop", "A1")).outcome == "paid"


@pytest.mark.skipif(not hasattr(signals.notify_verified, "receivers"), reason="Flask without blinker")
def test_it_is_told_in_the_words_of_mapi(shop):
    shop.watch_there()
    told = []

    def hear(sender, **arguments):
        told.append(arguments["notification"]["trade_status"])
    with signals.notify_verified.connected_to(hear):
        assert shop.notified() == (200, TAKEN)
    assert told == ["TRADE_FINISHED"]


@pytest.mark.parametrize("path, signed, status", [
    (NOTIFY, NOTIFY, 200), (NOTIFY + "shop/", NOTIFY + "shop/", 200),
    (NOTIFY + "?a=1&b=%2F", NOTIFY + "?a=1&b=%2F", 200),
    (NOTIFY + "shop/", NOTIFY, 400), (NOTIFY + "?a=1", NOTIFY, 400), (NOTIFY, NOTIFY + "?a=1", 400)])
def test_path_and_query_are_a_part_of_what_is_signed(shop, path, signed, status):
    shop.watch_there()
    assert shop.notified(path=path, signed=signed)[0] == status
    assert shop.done == ([("paid", "A1")] if status == 200 else [])


def test_behind_a_proxy_the_path_of_SITE_URL_is_what_ams_has_called():
    with Shop(SITE_URL="https://shop.example/tea") as one:
        one.watch_there()
        assert one.notified(signed=NOTIFY)[0] == 400
        assert one.notified(signed="/tea" + NOTIFY) == (200, TAKEN)


def test_under_a_script_name_the_whole_path_counts(shop):
    shop.watch_there()
    assert shop.notified(signed="/tea" + NOTIFY, environ_overrides={"SCRIPT_NAME": "/tea"}) == (200, TAKEN)


def test_what_is_not_signed_settles_nothing_and_is_answered_in_amss_words(shop):
    shop.watch_there()
    for headers in ({"Signature": ""}, {"Client-Id": "CLIENT002"}, {"Request-Time": "1"}):
        status, answer = shop.notified(headers=headers)
        assert status == 400 and answer["result"]["resultStatus"] == "U"
    assert shop.done == [] and shop.stage.calls == []


def test_json_to_a_merchant_without_an_account_is_refused():
    with Shop(AMS=None, NEW_ORDERS=None) as one:
        assert one.notified()[0] == 415


def test_mapis_notifications_are_as_before(shop):
    shop.within(lambda: shop.alipay.fallback().watch("shop", usd()))
    assert shop.post(note(), FORM + "utf-8") == (200, "success") and shop.done == [("paid", "A1")]


def test_a_huge_body_is_refused(shop):
    answer = shop.app.test_client().post(NOTIFY, data=b"x" * 1100000, content_type="application/json")
    assert answer.status_code == 413


def test_a_payment_goes_to_ams_and_comes_back_to_the_shops_page(shop):
    page = shop.within(lambda: shop.alipay.payment(usd(), subject="Tea"))
    assert page.gateway == "ams" and page.url.startswith("https://cashier.example/")
    sent = content_of(shop.stage.sent[0])
    assert sent["paymentNotifyUrl"] == "https://shop.example/alipay/notify/"
    assert sent["paymentRedirectUrl"] == "https://shop.example/orders/A1", "of an endpoint's name"
    shop.within(lambda: shop.alipay.payment(usd("A2"), subject="Tea", return_url="https://m.shop.example/back"))
    assert content_of(shop.stage.sent[1])["paymentRedirectUrl"] == "https://m.shop.example/back"


def test_its_form_is_rendered_as_any_other(shop):
    def page():
        from flask import render_template_string
        payment = shop.alipay.payment(usd(), subject="Tea")
        return render_template_string("{{ alipay_payment_form(payment) }}", payment=payment)
    shop.app.add_url_rule("/pay", "pay", page)
    text = shop.app.test_client().get("/pay").data.decode("utf-8")
    assert 'action="https://cashier.example/p"' in text and 'name="a" value="1+1"' in text


def test_a_rule_of_the_shops_own_is_called_with_the_apps_context():
    app, seen = Flask("shop_with_a_rule"), []

    def dear(order, service):
        from flask import current_app
        seen.append(current_app.name)
        return "ams" if order.total_fee > 5 else "mapi"
    with Shop(app=app, NEW_ORDERS=dear) as one:
        assert one.within(lambda: one.alipay.payment(usd(), subject="Tea")).gateway == "ams"
        cheap = Order("A2", total_fee="1.00", currency="USD")
        assert "intlmapi" in one.within(lambda: one.alipay.payment(cheap, subject="Tea")).url
    assert seen == ["shop_with_a_rule"] * 2


def test_the_command_runs_both(shop):
    shop.within(lambda: shop.alipay.fallback().watch("shop", usd(), gateway="ams", first_in=0))
    shop.stage.is_at("paid")
    assert shop.within(lambda: shop.alipay.fallback().run(workers=0)).outcomes == {"paid": 1}
    assert shop.done == [("paid", "A1")]


def test_the_account_is_in_no_repr_of_the_configuration(shop):
    text = repr(shop.app.config) + repr(shop.state()) + repr(shop.within(shop.alipay.configured))
    assert pem("merchant-private").splitlines()[4] not in text and CANARIES[0] not in text
    assert "<hidden: shop>" in repr(shop.app.config["ALIPAY_MAPI_AMS"])


@pytest.mark.parametrize("ams, status", [(AMS, 200), (None, 400)])
def test_a_buyer_whom_ams_sends_back_says_nothing_and_is_told_that_it_is_being_checked(ams, status):
    shop = Shop(AMS=ams, RETURN_TO=None, NEW_ORDERS=None)
    try:
        response = shop.app.test_client().get("/alipay/return/")
        assert response.status_code == status
        assert (b"checking your payment" in response.data) is (status == 200)
    finally:
        shop.close()
