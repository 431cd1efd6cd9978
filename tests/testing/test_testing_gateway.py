"""TestGateway: who is led to it, where notifications go, and what it hands on to the emulator."""
import hashlib
import inspect
import re
import sys
import warnings
from urllib.parse import urlencode
from wsgiref.validate import validator

import pytest
import requests

import alipay_mapi as mapi
from alipay_mapi import testing
from alipay_mapi.emulator import Emulator, Refused
from alipay_mapi.testing import ALIPAY_HOSTS, START, TestGateway

NOTIFY = "https://shop.example.com/alipay/notify?lang=de"


@pytest.fixture
def gateway():
    with TestGateway() as gateway:
        yield gateway


def adapter_of(url):
    with requests.Session() as session:
        return type(session.get_adapter(url)).__name__


# --- install and uninstall -------------------------------------------------------------------------------------

@pytest.mark.parametrize("host", [
    "intlmapi.alipay.com", "globalmapi.alipay.com", "mapi.alipay.com", "mapi.alipaydev.com",
    "api-sea-global.alipayplus.com", "openapi.alipaydev.com", "mapi.alipay.net", "notify.alipay.com"])
def test_every_gateway_that_shops_have_in_their_settings_is_led_here(gateway, host):
    assert host in ALIPAY_HOSTS
    assert adapter_of("https://{}/gateway.do".format(host)) == "Adapter"
    assert adapter_of("http://{}:80/gateway.do".format(host.upper())) == "Adapter"
    assert adapter_of("https://{}./gateway.do".format(host)) == "Adapter"       # the same name


@pytest.mark.parametrize("url", ["https://example.com/", "https://mapi.alipay.com.example.com/", "http://127.0.0.1:1/"])
def test_everybody_else_goes_where_they_went(gateway, url):
    assert adapter_of(url) == "HTTPAdapter"


def test_an_exception_leaves_nothing_behind():
    before = requests.Session.get_adapter
    with pytest.raises(KeyError):
        with TestGateway():
            raise KeyError
    assert requests.Session.get_adapter is before


def test_the_inner_gateway_answers_and_then_the_outer_one_again():
    url = mapi.GATEWAY_INTL + "?service=single_trade_query"
    before = requests.Session.get_adapter
    with TestGateway() as outer:
        with TestGateway() as inner:
            requests.get(url)
            assert (len(outer.requests()), len(inner.requests())) == (0, 1)
        requests.get(url)
        assert len(outer.requests()) == 1
    assert requests.Session.get_adapter is before


def test_gateways_may_end_in_any_order():
    before = requests.Session.get_adapter
    first, second = TestGateway().install(), TestGateway().install()
    first.close()
    assert adapter_of(mapi.GATEWAY_INTL) == "Adapter"
    second.close()
    assert requests.Session.get_adapter is before


def test_installing_twice_needs_uninstalling_twice():
    gateway = TestGateway().install().install()
    gateway.uninstall()
    assert adapter_of(mapi.GATEWAY_INTL) == "Adapter"
    gateway.uninstall()
    assert adapter_of(mapi.GATEWAY_INTL) == "HTTPAdapter"
    gateway.uninstall()
    gateway.close()


def test_an_emulator_of_ones_own_is_used_and_stays_open():
    with Emulator(seed=5) as emulator:
        with TestGateway(emulator) as gateway:
            gateway.place("A1")
        assert emulator.trade("A1")["trade_status"] == "NO_TRADE"
        with pytest.raises(mapi.InvalidRequest, match="frozen, seed"):
            TestGateway(emulator, seed=1, frozen=True)


# --- a shop that knows nothing of this library ------------------------------------------------------------------

class OldShop:
    """As shops were written in 2012: requests, hashlib, and the production gateway in the settings."""

    def __init__(self, partner, key):
        self.partner, self.key = partner, key

    def signed(self, **params):
        params = dict(params, partner=self.partner, _input_charset="utf-8")
        text = "&".join("{}={}".format(name, params[name]) for name in sorted(params))
        params.update(sign=hashlib.md5((text + self.key).encode("utf-8")).hexdigest(), sign_type="MD5")
        return params

    def pay_url(self, number):
        return "https://mapi.alipay.com/gateway.do?" + urlencode(self.signed(
            service="create_forex_trade", out_trade_no=number, subject="Tea", currency="USD", total_fee="8.00"))

    def is_paid(self, number):
        answer = requests.get("https://mapi.alipay.com/gateway.do", timeout=5, params=self.signed(
            service="single_trade_query", out_trade_no=number))
        return re.search("<trade_status>(.*?)<", answer.text).group(1) in ("TRADE_SUCCESS", "TRADE_FINISHED")


def test_a_shop_with_requests_alone_and_the_production_gateway_is_served(gateway):
    settings = gateway.settings()
    shop = OldShop(settings["partner"], settings["md5_key"])
    assert gateway.visit(shop.pay_url("A1"))["out_trade_no"] == "A1"
    gateway.log_in("A1")
    assert shop.is_paid("A1") is False
    gateway.pay("A1")
    assert shop.is_paid("A1") is True


def test_settings_are_what_a_merchant_can_be_made_of(gateway):
    again = mapi.Merchant(**gateway.settings())
    assert again.partner == gateway.shop().partner == "2088000000000101"
    assert again.gateway == gateway.url == "https://mapi.emulator.test/gateway.do"


def test_the_merchant_can_be_chosen_for_all_or_for_once():
    with TestGateway(merchant="rsa") as gateway:
        assert (gateway.shop().sign_type, gateway.shop("md5").sign_type) == ("RSA", "MD5")
        assert gateway.shop(gateway=mapi.GATEWAY_SANDBOX).gateway == mapi.GATEWAY_SANDBOX
        assert gateway.place("A1")["partner"] == gateway.shop().partner
        assert sorted(gateway.settings()) == ["alipay_public_key", "gateway", "partner", "private_key", "seller_email",
                                              "sign_type"]


def test_two_gateways_have_the_same_key_pairs_and_none_is_made_twice():
    with TestGateway(merchant="rsa") as one, TestGateway(merchant="rsa", seed=2) as other:
        assert one.settings() == other.settings()


def test_the_md5_key_follows_the_seed():
    with TestGateway(seed=1) as one, TestGateway(seed=1) as same, TestGateway(seed=2) as other:
        assert one.settings() == same.settings() != other.settings()


# --- notifications ----------------------------------------------------------------------------------------------

def paid(gateway, **params):
    gateway.place("A1", **params)
    gateway.pay("A1")


def test_a_wsgi_application_gets_the_raw_post_at_the_notify_url(gateway):
    seen = []

    def application(environ, start_response):
        seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_HOST"],
                     environ["wsgi.url_scheme"], environ["CONTENT_TYPE"]))
        mapi.verify_notify(gateway.shop(), environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])),
                           environ["CONTENT_TYPE"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"success"]

    gateway.deliver_to(app=validator(application))
    paid(gateway, notify_url=NOTIFY)
    done, = gateway.deliver()
    assert (done["status"], done["text"], done["acknowledged"]) == (200, "success", True)
    assert seen == [("POST", "/alipay/notify", "lang=de", "shop.example.com", "https",
                     "application/x-www-form-urlencoded; text/html; charset=utf-8")]
    assert gateway.deliver() == []


def test_an_application_that_writes_and_closes_is_served_as_by_any_server(gateway):
    closed = []

    class Body(list):
        def close(self):
            closed.append(True)

    def application(environ, start_response):
        start_response("200 OK", [])(b"suc")
        return Body([b"ce", b"ss"])

    gateway.deliver_to(app=application)
    paid(gateway, notify_url=NOTIFY)
    assert (gateway.deliver()[0]["text"], closed) == ("success", [True])


def test_what_is_no_application_is_told(gateway):
    gateway.deliver_to(app=lambda environ, start_response: [b"success"])
    paid(gateway, notify_url=NOTIFY)
    with pytest.raises(mapi.InvalidRequest, match="without calling start_response"):
        gateway.deliver()


def test_an_application_that_fails_after_it_began_is_let_fail(gateway):
    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"suc")
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            start_response("500 Oops", [], sys.exc_info())
        return []

    gateway.deliver_to(app=application)
    paid(gateway, notify_url=NOTIFY)
    with pytest.raises(ZeroDivisionError):
        gateway.deliver()


def test_an_application_is_not_told_of_an_order_without_a_notify_url(gateway):
    gateway.deliver_to(app=lambda environ, start_response: [])
    paid(gateway)
    assert gateway.deliver() == []


@pytest.mark.parametrize("said, status, text, acknowledged", [
    ("success", 200, "success", True), (b"success", 200, "success", True), ("fail", 200, "fail", False),
    ((500, "oops"), 500, "oops", False), ((200, b"success"), 200, "success", True)])
def test_a_function_answers_with_text_bytes_or_a_status(gateway, said, status, text, acknowledged):
    gateway.deliver_to(function=lambda body, content_type: said)
    paid(gateway)
    done, = gateway.deliver()
    assert (done["status"], done["text"], done["acknowledged"]) == (status, text, acknowledged)


def test_a_function_that_answers_nothing_is_told_what_is_expected(gateway):
    gateway.deliver_to(function=lambda body, content_type: None)
    paid(gateway)
    with pytest.raises(mapi.InvalidRequest, match="text or bytes, or with"):
        gateway.deliver()


def test_what_the_shop_raises_comes_out_after_the_rest_is_sent(gateway):
    seen = []

    def shop(body, content_type):
        seen.append(body)
        if b"A1" in body:
            raise ZeroDivisionError
        return "success"

    gateway.deliver_to(function=shop)
    paid(gateway)
    gateway.place("A2")
    gateway.pay("A2")
    with pytest.raises(ZeroDivisionError):
        gateway.deliver()
    assert len(seen) == 2
    assert [row["text"] for row in gateway.deliver()] == ["the shop raised ZeroDivisionError", "success"]


def test_time_brings_the_repetitions(gateway):
    answers = iter(["fail", "fail", "success"])
    gateway.deliver_to(function=lambda body, content_type: next(answers))
    paid(gateway)
    assert [row["at"][11:] for row in gateway.advance(24 * 3600)] == ["12:00:00", "12:02:00", "12:12:00"]


def test_the_shop_can_ask_back_while_it_is_notified(gateway):
    client, said = gateway.client(), []

    def shop(body, content_type):
        note = mapi.verify_notify(gateway.shop(), body, content_type, confirm=client.notify_verify)
        said.append(client.single_trade_query(out_trade_no=note.out_trade_no).trade_status)
        return "success"

    gateway.deliver_to(function=shop)
    paid(gateway)
    assert gateway.deliver()[0]["acknowledged"] and said == ["TRADE_FINISHED"]


def test_nothing_is_sent_to_another_machine_unless_it_is_named(gateway):
    paid(gateway, notify_url=NOTIFY)
    done, = gateway.deliver()
    assert (done["status"], done["acknowledged"]) == (0, False) and "deliver_to()" in done["text"]


def test_exactly_one_target_is_named(gateway):
    for targets in ({}, {"url": "http://127.0.0.1:1/", "function": len}):
        with pytest.raises(mapi.InvalidRequest, match="one of url=, app= and function="):
            gateway.deliver_to(**targets)


# --- live -------------------------------------------------------------------------------------------------------

def test_the_live_server_is_reached_by_a_socket_and_notifies_by_itself():
    pytest.importorskip("werkzeug", reason="the extra emulator")
    bodies = []
    with TestGateway() as gateway:
        gateway.deliver_to(function=lambda body, content_type: bodies.append(body) or "success")
        address = gateway.live()
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", address) and gateway.live() == address
        assert gateway.url == gateway.shop().gateway == address + "/gateway.do"
        assert adapter_of(gateway.url) == "HTTPAdapter" and adapter_of(mapi.GATEWAY_INTL) == "Adapter"
        paid(gateway)
        assert [row["acknowledged"] for row in gateway.deliver()] == [True] and len(bodies) == 1
        assert gateway.client().single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"
        assert b"A1" in requests.get(address + "/").content


def test_a_second_server_is_notified_over_http():
    """The shop's own server, stood in for by the live emulator of another test: it answers 404, and was reached."""
    pytest.importorskip("werkzeug", reason="the extra emulator")
    with TestGateway(live=True) as shop, TestGateway() as gateway:
        for target in (None, shop.emulator.base_url + "/nowhere"):
            if target:
                gateway.deliver_to(url=target)
            gateway.reset()
            paid(gateway, notify_url=shop.emulator.base_url + "/notify")
            assert [(row["status"], row["acknowledged"]) for row in gateway.deliver()] == [(404, False)]


# --- what is handed on ------------------------------------------------------------------------------------------

def test_each_step_of_a_buyer_and_of_the_console_is_handed_on(gateway):
    client = gateway.client()
    url = mapi.build_request(gateway.shop(), "create_forex_trade", mapi.services.create_forex_trade(
        out_trade_no="A1", subject="Tea", currency="USD", total_fee="8.00", notify_url=NOTIFY,
        return_url="https://shop.example.com/back")).url
    assert gateway.visit(url)["trade_status"] == "NO_TRADE"
    assert gateway.log_in("A1", buyer="buyer2@example.com")["trade_status"] == "WAIT_BUYER_PAY"
    assert gateway.pay("A1", lose=True)["trade_status"] == "TRADE_FINISHED"
    assert gateway.return_url("A1").startswith("https://shop.example.com/back?")
    assert [row["state"] for row in gateway.notifications("A1")] == ["lost"]
    assert gateway.refund("A1", "3.00")["refund_status"] == "REFUND_SUCCESS"
    assert [row["amount"] for row in gateway.refunds("A1")] == ["3.00"]
    assert str(client.single_trade_query(out_trade_no="A1").to_buyer_fee) == "21.30"
    assert [one.outcome.service for one in gateway.requests()] == ["create_forex_trade", "single_trade_query"]
    gateway.place("A2")
    gateway.log_in("A2")
    assert gateway.close_trade("A2")["trade_status"] == "TRADE_CLOSED"
    assert gateway.trade("A2")["trade_status"] == "TRADE_CLOSED"
    gateway.change(balance="0.00")
    with pytest.raises(Refused, match="TRADE_HAS_CLOSE"):
        gateway.pay("A2")
    gateway.reset()
    assert gateway.notifications() == gateway.requests() == gateway.refunds() == []


def test_an_app_is_paid_in_too():
    with TestGateway(merchant="rsa") as gateway:
        shop = gateway.shop()
        order = mapi.build_order_string(shop, mapi.services.mobile_securitypay_pay(
            out_trade_no="A1", subject="Tea", body="Tea", total_fee="8.00", currency="USD", forex_biz="FP",
            seller_id=shop.partner, notify_url=NOTIFY))
        assert mapi.verify_app_result(shop, gateway.pay_in_app(order)).success


def test_the_clock_begins_at_a_fixed_moment_and_stands_still(gateway):
    assert gateway.clock.now() == START == gateway.clock.now()
    gateway.advance(90)
    assert gateway.clock.now().isoformat() == "2026-01-01T12:01:30+08:00"


def test_a_fault_is_armed_by_name(gateway):
    gateway.fail("system-error")
    paid(gateway)
    with pytest.raises(mapi.GatewayError) as caught:
        mapi.Client(gateway.shop(), retries=0).single_trade_query(out_trade_no="A1")
    assert caught.value.code == "SYSTEM_ERROR"


def test_the_public_names_are_there_and_no_others():
    assert set(testing.__all__) <= set(dir(testing))
    assert [name for name in testing.__all__ if getattr(testing, name, None) is None] == []
    with pytest.raises(AttributeError, match="has no attribute 'Gateway'"):
        testing.Gateway     # noqa: B018


def test_every_public_method_says_what_it_does():
    public = [one for name, one in inspect.getmembers(TestGateway) if not name.startswith("_")]
    assert len(public) > 25 and [one for one in public if not inspect.getdoc(one)] == []


def test_pytest_does_not_take_it_for_a_test_class():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert TestGateway.__test__ is False


def test_a_misspelt_setting_is_named_and_no_key_is_in_the_error():
    with pytest.raises(mapi.InvalidRequest) as caught:
        TestGateway(marchant="rsa")
    assert caught.value.parameter == "marchant" and "merchant, live" in str(caught.value)
