"""One entry for the notifications of any gateway. AMS's part is signed by the openssl command, MAPI's with hashlib."""
import hashlib
import json
from urllib.parse import urlencode

import pytest

from alipay_mapi import Client, Merchant, Order, TradeState
from alipay_mapi.backend import MapiBackend
from alipay_mapi.errors import (AmountMismatch, BodyTooLarge, InvalidMessage, InvalidRequest, MissingParameter,
                                OrderNotFound, SignatureInvalid, UnsupportedContentType, UntrustedMessage)
from alipay_mapi.form_body import MAX_BYTES
from alipay_mapi.migration.backends import AmsBackend, AmsClient
from alipay_mapi.migration.receiving import receive, refusal
from migration_samples import account, dumped, notification_headers, result

KEY, PATH = "0123456789abcdef0123456789abcdef", "/alipay/notify/"
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"Content-Type": "application/json; charset=UTF-8"}
ORDERS = {"A1": Order("A1", total_fee="8.00", currency="USD")}
FIELDS = {"notify_type": "trade_status_sync", "notify_id": "n1", "notify_time": "2026-05-12 12:13:05",
          "out_trade_no": "A1", "trade_no": "T1", "trade_status": "TRADE_FINISHED", "total_fee": "8.00",
          "currency": "USD", "sign_type": "MD5"}
PAID = {"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
        "paymentAmount": {"currency": "USD", "value": "800"}, "paymentTime": "2026-05-12T12:13:01+08:00"}
REFUNDED = {"notifyType": "REFUND_RESULT", "result": result(), "refundStatus": "SUCCESS", "refundRequestId": "R1",
            "refundId": "RF1", "refundAmount": {"currency": "USD", "value": "320"},
            "refundTime": "2026-05-12T12:13:01+08:00"}


def backends(*names):
    shop = Merchant("2088101122136241", "MD5", md5_key=KEY)
    both = {"mapi": MapiBackend(Client(shop)), "ams": AmsBackend(AmsClient(account()))}
    return {name: both[name] for name in names or both}


def form(**changes):
    fields = dict(FIELDS, **changes)
    text = "&".join("{}={}".format(name, fields[name]) for name in sorted(fields) if name != "sign_type")
    return urlencode(dict(fields, sign=hashlib.md5((text + KEY).encode("utf-8")).hexdigest())).encode("ascii")


def of_ams(content, path=PATH):
    body = dumped(content)
    return dict(notification_headers(path, body), **JSON), body


def take(headers, body, target=PATH, **given):
    return receive(given.pop("gateways", None) or backends(), headers, body, target, ORDERS.get, **given)


def test_both_gateways_end_in_the_same_state_and_are_acknowledged_in_their_own_words():
    old, new = take(FORM, form()), take(*of_ams(PAID))
    assert (old.gateway, new.gateway) == ("mapi", "ams")
    for received in (old, new):
        state, effects = TradeState(ORDERS["A1"]).apply(received.message)
        assert state.status == "paid" and [effect.key for effect in effects] == ["paid::A1"]
    assert old.ack.body == b"success" and old.ack.status == 200
    assert json.loads(new.ack.body.decode("ascii"))["result"]["resultStatus"] == "S"


def test_a_refund_of_ams_is_told_to_the_order_that_it_was_asked_for():
    known = take(*of_ams(REFUNDED), order_of_refund={"R1": ORDERS["A1"]}.get).message
    assert (known["out_trade_no"], known["out_return_no"], known["refund_status"]) == ("A1", "R1", "REFUND_SUCCESS")
    unknown = take(*of_ams(REFUNDED)).message
    assert unknown.kind == "refund" and unknown.text("refundRequestId") == "R1", "as it came, for the shop"


@pytest.mark.parametrize("gateways, request_, error", [
    (("mapi",), of_ams, UnsupportedContentType), (("ams",), lambda content: (FORM, form()), UnsupportedContentType),
    (("mapi", "ams"), lambda content: (FORM, b"app_id=1&sign=x&sign_type=RSA2"), UnsupportedContentType)])
def test_a_gateway_that_the_shop_has_no_account_at_is_refused(gateways, request_, error):
    with pytest.raises(error):
        take(*request_(PAID), gateways=backends(*gateways))


def test_no_message_is_tried_with_the_keys_of_another_gateway():
    headers, body = of_ams(PAID)
    with pytest.raises(InvalidMessage):
        take(FORM, body)            # AMS's bytes as a form
    with pytest.raises(InvalidMessage):
        take(dict(headers, **{"Content-Type": "application/json"}), form())


@pytest.mark.parametrize("change, error", [
    (lambda headers, body: (headers, body.replace(b"800", b"801")), SignatureInvalid),
    (lambda headers, body: (dict(headers, **{"Client-Id": "CLIENT002"}), body), UntrustedMessage),
    (lambda headers, body: ({"Content-Type": "application/json"}, body), MissingParameter),
    (lambda headers, body: (headers, body + b" " * MAX_BYTES), BodyTooLarge),
    (lambda headers, body: (headers, body.decode("utf-8")), InvalidRequest),
])
def test_what_is_not_proved_is_refused(change, error):
    headers, body = change(*of_ams(PAID))
    with pytest.raises(error):
        take(headers, body)


def test_the_address_is_part_of_what_ams_signs():
    headers, body = of_ams(PAID)
    with pytest.raises(SignatureInvalid):
        take(headers, body, target="/elsewhere/")


def test_another_amount_and_an_unknown_order_are_refused():
    with pytest.raises(AmountMismatch):
        take(*of_ams(dict(PAID, paymentAmount={"currency": "USD", "value": "1"})))
    with pytest.raises(OrderNotFound):
        take(*of_ams(dict(PAID, paymentRequestId="A9")))
    with pytest.raises(OrderNotFound):
        take(FORM, form(out_trade_no="A9"))


@pytest.mark.parametrize("headers, body", [
    (FORM, b"fail"), ({}, b"fail"), ([("Content-Type", "text/html"), ("content-type", "a")], b"fail")])
def test_a_refusal_of_a_form_is_the_word_fail(headers, body):
    assert refusal(headers).body == body and refusal(headers).headers["Content-Type"] == "text/plain"


def test_a_refusal_of_json_is_amss():
    assert json.loads(refusal(JSON).body.decode("ascii"))["result"]["resultStatus"] == "F"
