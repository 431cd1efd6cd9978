"""AMS in a shop's tests: its domains are led to the emulator, and notifications carry their signature."""
import json
import socket
from urllib.parse import urlsplit

import pytest
import requests

from alipay_mapi.errors import GatewayError, OutcomeUnknown
from alipay_mapi.migration.ams import verify_notification
from alipay_mapi.migration.ams.domains import DOMAINS, OLD_DOMAINS
from alipay_mapi.migration.backends.ams_client import AmsClient
from alipay_mapi.testing import ALIPAY_HOSTS, TestGateway

ACK = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'


def order(number="P1", **more):
    amount = {"currency": "USD", "value": "800"}
    return dict({"productCode": "CASHIER_PAYMENT", "paymentRequestId": number, "paymentAmount": amount,
                 "order": {"orderAmount": amount, "orderDescription": "Tea", "referenceOrderId": number},
                 "paymentMethod": {"paymentMethodType": "ALIPAY_CN"},
                 "paymentNotifyUrl": "https://shop.example.com/ams/notify?shop=1"}, **more)


@pytest.fixture
def gateway(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with TestGateway() as gateway:
        yield gateway


@pytest.mark.parametrize("domain", sorted(DOMAINS.values()) + sorted(OLD_DOMAINS.values()))
def test_every_domain_of_ams_is_led_here(gateway, domain):
    assert urlsplit(domain).hostname in ALIPAY_HOSTS
    answer = requests.post(domain + "/ams/api/v1/payments/pay", data=b"{}", headers={
        "Content-Type": "application/json"})
    assert answer.json()["result"]["resultCode"] == "INVALID_CLIENT"


@pytest.mark.parametrize("sandbox", [False, True])
def test_a_payment_from_the_call_to_the_notification(gateway, sandbox):
    account, said = gateway.ams_account(sandbox=sandbox), []

    def shop(environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        headers = {name: environ["HTTP_" + name.upper().replace("-", "_")] for name in (
            "client-id", "request-time", "signature")}
        note = verify_notification(account, environ["PATH_INFO"] + "?" + environ["QUERY_STRING"], headers, body)
        said.append((note.kind, json.loads(body.decode("utf-8"))["paymentRequestId"]))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [ACK]

    gateway.deliver_to(app=shop)
    client = gateway.ams_client(sandbox=sandbox)
    made = client.pay(order())
    assert made.outcome.state == "pending" and made.answer["normalUrl"].startswith(gateway.emulator.base_url)
    gateway.pay("P1")
    assert [one["acknowledged"] for one in gateway.deliver()] == [True] and said == [("payment", "P1")]
    assert client.inquiry_payment(payment_request_id="P1").outcome.state == "paid"
    assert gateway.payment("P1")["payment_status"] == "SUCCESS"
    gateway.refund("P1", "3.00")
    assert gateway.payment("P1")["refunded"] == 300


@pytest.mark.parametrize("domain", [DOMAINS["europe"], DOMAINS["asia"]])
def test_the_shops_own_settings_may_name_the_real_domain(gateway, domain):
    account = gateway.ams_account("rsa2", domain=domain)
    client = AmsClient(account, retries=0)
    assert client.pay(order()).outcome.state == "pending"
    assert gateway.payment("P1")["client_id"] == account.client_id
    with pytest.raises(GatewayError, match="ORDER_NOT_EXIST"):
        client.inquiry_payment(payment_request_id="P2")
    client.close()


@pytest.mark.parametrize("fault", ["slow", "reset", "half-answer", "http-500", "html-200", "redirect",
                                   "answer-unsigned", "answer-tampered"])
@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_leaves_a_payment_or_none(gateway, fault, done):
    client = gateway.ams_client()
    gateway.fail(fault, service="payments/pay", done=done)
    with pytest.raises(OutcomeUnknown):
        client.pay(order())
    assert gateway.emulator.ledger.count("ams_payments") == done
    assert client.pay(order()).outcome.state == "pending"


def test_a_shop_with_settings_of_its_own_gets_text(gateway):
    settings = gateway.ams_settings("rsa", sandbox=True)
    assert set(settings) == {"client_id", "private_key", "alipay_public_key", "key_version", "domain"}
    assert settings["client_id"] == "SANDBOX_5Y88000000000102" and "BEGIN PRIVATE KEY" in settings["private_key"]
    assert settings["domain"] == gateway.emulator.base_url


def test_the_buyers_pages_are_at_the_emulators_own_address_alone(gateway):
    pytest.importorskip("werkzeug")
    pytest.importorskip("jinja2")
    made = gateway.ams_client().pay(order())
    assert "Your wallet" in requests.get(made.answer["normalUrl"]).text
    assert requests.get(DOMAINS["asia"] + "/ams/cashier/1").status_code == 404


def test_the_keys_of_two_gateways_are_made_once(gateway):
    with TestGateway() as other:
        assert other.ams_settings() == gateway.ams_settings()
