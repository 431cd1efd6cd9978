"""Escrow: the buyer's money waits until the goods have arrived."""
import hashlib
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

import deserved_batch as make
import pytest
from lxml import etree

import alipay_mapi as mapi
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.front import respond
from alipay_mapi.emulator.notifier import Answered

NOON = datetime(2026, 11, 18, 12, 0, 0, tzinfo=timezone(timedelta(hours=8)))
#: Made once: key pairs take seconds.
KEYS = {}


@pytest.fixture
def sent():
    return []


@pytest.fixture
def emulator(sent):
    with Emulator(seed=3, frozen=True, start=NOON, keys=KEYS, notify_url="https://shop.example.com/notify",
                  sender=lambda delivery: sent.append(delivery) or Answered(200, "success")) as one:
        yield one


@pytest.fixture
def shipped(emulator):
    make.order(emulator)
    make.ship(emulator, emulator.pay("E1")["trade_no"])
    return emulator.trade("E1")


def statuses(sent):
    return [dict(parse_qsl(one.body.decode("ascii")))["trade_status"] for one in sent]


def test_an_order_is_paid_shipped_and_confirmed_and_each_step_is_told(emulator, sent):
    assert make.order(emulator).trade["trade_status"] == "NO_TRADE"
    trade_no = emulator.pay("E1")["trade_no"]
    assert emulator.trade("E1")["trade_status"] == "WAIT_SELLER_SEND_GOODS"
    emulator.deliver()
    assert make.ship(emulator, trade_no).error is None
    assert emulator.trade("E1")["gmt_send_goods"] == "2026-11-18 12:00:00"
    emulator.deliver()
    emulator.confirm_goods("E1")
    emulator.deliver()
    assert statuses(sent) == ["WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_FINISHED"]
    key = emulator.merchant("md5").shop_keys()["md5_key"]
    for one in sent:
        fields = dict(parse_qsl(one.body.decode("ascii"), strict_parsing=True))
        text = "&".join("{}={}".format(name, fields[name]) for name in sorted(fields)
                        if name not in ("sign", "sign_type"))
        assert fields["sign"] == hashlib.md5((text + key).encode("utf-8")).hexdigest()
        told = mapi.verify_notify(emulator.shop(), one.body, one.content_type,
                                  order=mapi.Order("E1", total_fee="10.00"))
        assert told.kind == "trade"


def test_a_buyer_who_says_nothing_has_confirmed_after_ten_days(emulator, shipped):
    emulator.advance(10 * 86400 - 1)
    assert emulator.trade("E1")["trade_status"] == "WAIT_BUYER_CONFIRM_GOODS"
    emulator.advance(1)
    assert emulator.trade("E1")["trade_status"] == "TRADE_FINISHED"


def test_the_answer_to_a_shipment_is_signed(emulator):
    make.order(emulator)
    trade_no = emulator.pay("E1")["trade_no"]
    root = etree.fromstring(make.ship(emulator, trade_no).reply.body)
    trade = {child.tag: child.text for child in root.find("response/tradeBase")}
    assert root.findtext("is_success") == "T"
    assert (trade["trade_no"], trade["out_trade_no"], trade["trade_status"]) == (
        trade_no, "E1", "WAIT_BUYER_CONFIRM_GOODS")
    text = "&".join("{}={}".format(name, trade[name]) for name in sorted(trade))
    key = emulator.merchant("md5").shop_keys()["md5_key"]
    assert root.findtext("sign") == hashlib.md5((text + key).encode("utf-8")).hexdigest()


@pytest.mark.parametrize("params, total", [
    ({}, "10.00"),
    ({"price": "3.33", "quantity": "3"}, "9.99"),
    ({"logistics_fee": "2.50", "logistics_payment": "BUYER_PAY"}, "12.50"),
    ({"logistics_fee": "2.50", "logistics_payment": "SELLER_PAY"}, "10.00"),
    ({"logistics_fee": "2.50", "logistics_payment": "BUYER_PAY_AFTER_RECEIVE"}, "10.00"),
    ({"discount": "-1.50"}, "8.50"),
    ({"discount": "0"}, "10.00"),
    ({"price": "1", "logistics_fee": "1", "logistics_payment": "BUYER_PAY", "discount": "-0.01"}, "1.99"),
])
def test_the_buyer_pays_the_price_the_freight_and_less_the_discount(emulator, params, total):
    assert make.order(emulator, **params).error is None
    assert emulator.pay("E1")["total_fee"] == total


@pytest.mark.parametrize("params, code, parameter", [
    ({"out_trade_no": None}, "ILLEGAL_ARGUMENT", "out_trade_no"),
    ({"price": None}, "ILLEGAL_ARGUMENT", "price"),
    ({"price": "1.001"}, "ILLEGAL_FEE_PARAM", "price"),
    ({"price": "0.00"}, "ILLEGAL_FEE_PARAM", "price"),
    ({"quantity": "0"}, "ILLEGAL_FEE_PARAM", "quantity"),
    ({"discount": "1.00"}, "ILLEGAL_FEE_PARAM", "discount"),
    ({"discount": "-10.00"}, "ILLEGAL_FEE_PARAM", "price"),
    ({"logistics_type": "PIGEON"}, "ILLEGAL_ARGUMENT", "logistics_type"),
    ({"logistics_payment": None}, "ILLEGAL_ARGUMENT", "logistics_payment"),
    ({"logistics_fee": None}, "ILLEGAL_ARGUMENT", "logistics_fee"),
    ({"payment_type": None}, "ILLEGAL_ARGUMENT", "payment_type"),
    ({"seller_id": None}, "ILLEGAL_ARGUMENT", "seller_email"),
    ({"notify_url": "shop"}, "ILLEGAL_ARGUMENT", "notify_url"),
])
def test_an_order_is_refused_with_a_code(emulator, params, code, parameter):
    outcome = make.order(emulator, **params)
    assert (outcome.error, outcome.parameter) == (code, parameter)
    assert emulator.list_trades() == []


def test_what_belongs_to_cross_border_orders_means_nothing_here(emulator):
    assert make.order(emulator, currency="XXX", rmb_fee="99.00", timeout_rule="soon", order_gmt_create="now",
                      order_valid_time="x").error is None
    assert emulator.pay("E1")["total_fee"] == "10.00"


@pytest.mark.parametrize("params, code", [
    ({"trade_no": None}, "ILLEGAL_ARGUMENT"),
    ({"logistics_name": None}, "ILLEGAL_ARGUMENT"),
    ({"logistics_name": "x" * 65}, "ILLEGAL_ARGUMENT"),
    ({"invoice_no": "1" * 33}, "ILLEGAL_ARGUMENT"),
    ({"invoice_no": None}, "ILLEGAL_ARGUMENT"),
    ({"transport_type": None}, "ILLEGAL_ARGUMENT"),
    ({"transport_type": "PIGEON"}, "ILLEGAL_ARGUMENT"),
    ({"create_transport_type": "EMS"}, "ILLEGAL_ARGUMENT"),         # the one or the other
    ({"transport_type": None, "create_transport_type": "EMS"}, None),
    ({"transport_type": "DIRECT", "invoice_no": None}, None),
])
def test_a_shipment_is_refused_with_a_code(emulator, params, code):
    make.order(emulator)
    trade_no = emulator.pay("E1")["trade_no"]
    outcome = make.ship(emulator, **dict({"trade_no": trade_no}, **params))
    assert outcome.error == code
    assert emulator.trade("E1")["trade_status"] == (
        "WAIT_SELLER_SEND_GOODS" if code else "WAIT_BUYER_CONFIRM_GOODS")


def test_an_unpaid_an_instant_and_a_strangers_trade_cannot_be_shipped(emulator):
    make.order(emulator)
    unpaid = emulator.log_in("E1")["trade_no"]
    instant = make.paid(emulator, "A1")
    theirs = make.paid(emulator, "A2", merchant="rsa")
    assert [make.ship(emulator, number).error for number in (unpaid, instant, theirs)] == [
        "TRADE_STATUS_NOT_AVAILD", "TRADE_STATUS_NOT_AVAILD", "TRADE_NOT_EXIST"]


def test_an_escrow_trade_is_not_refunded_in_a_batch(emulator, shipped):
    assert make.item_code(emulator, make.item(shipped["trade_no"])) == "TRADE_PRODUCT_TYPE_NOT_ALLOW_REFUND"
    assert emulator.trade("E1")["to_buyer_fee"] == "0.00"


def test_the_same_order_again_is_the_same_and_another_amount_is_refused(emulator):
    first = make.order(emulator).trade
    assert make.order(emulator).trade["id"] == first["id"]
    assert make.order(emulator, price="10.01").error == "TRADE_TOTALFEE_NOT_MATCH"


@pytest.mark.parametrize("service", [make.ESCROW, make.BOTH])
def test_the_browser_is_sent_to_the_cashier(emulator, service):
    reply = respond(emulator, make.posted(
        emulator, service, out_trade_no="E1", subject="茶", payment_type="1", price="0.01", quantity="1",
        seller_email="md5@shop.example.com", logistics_type="POST", logistics_fee="0",
        logistics_payment="SELLER_PAY"))
    assert reply.status == 302
    assert dict(reply.headers)["Location"] == "{}/cashier/{}".format(emulator.base_url, emulator.trade("E1")["id"])
    assert emulator.trade("E1")["kind"] == "escrow"
