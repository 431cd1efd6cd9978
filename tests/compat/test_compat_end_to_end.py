"""A shop on ``compat.lxneng`` at the emulated gateway: what the published package gets wrong there comes out right.

``tests/peers/run_alipay_074.py`` does the same with the published package.
"""
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
import requests

from alipay_mapi.compat.lxneng import Alipay
from alipay_mapi.testing import TestGateway

pytestmark = pytest.mark.filterwarnings("ignore::alipay_mapi.compat.CompatWarning")

ORDERS = [
    ("create_direct_pay_by_user_url", {"subject": "龙井茶 & more", "total_fee": "10.00", "body": ""}, "TRADE_SUCCESS"),
    ("create_direct_pay_by_user_url", {"subject": "tea", "price": "3.33", "quantity": 3}, "TRADE_SUCCESS"),
    ("create_forex_trade_url", {"subject": "tea", "currency": "USD", "total_fee": "10.00"}, "TRADE_FINISHED"),
    ("create_forex_trade_wap_url", {"subject": "tea", "currency": "JPY", "total_fee": "1000"}, "TRADE_FINISHED"),
]


class Shop:
    """A notify page as the old package's README has it."""

    def __init__(self, alipay):
        self.alipay, self.seen = alipay, []

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode("ascii")
        fields = dict(parse_qsl(body, keep_blank_values=True))
        verdict = self.alipay.verify_notify(**fields)
        self.seen.append((verdict, fields))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"success" if verdict else b"fail"]


@pytest.fixture
def gateway():
    with TestGateway() as one:
        yield one


@pytest.fixture
def shop(gateway):
    settings = gateway.settings()
    shop = Shop(Alipay(settings["partner"], settings["md5_key"], settings["seller_email"]))
    gateway.deliver_to(app=shop)
    return shop


NOTIFY = {"notify_url": "https://shop.example.com/notify"}


@pytest.mark.parametrize("name, params, status", ORDERS)
def test_an_order_is_placed_paid_notified_and_queried(gateway, shop, name, params, status):
    gateway.visit(getattr(shop.alipay, name)(out_trade_no="A1", **dict(NOTIFY, **params)))
    gateway.pay("A1")
    gateway.deliver()
    (verdict, fields), = shop.seen
    assert verdict is True and fields["trade_status"] == status
    assert shop.alipay.verify_notify(**fields) is False, "acknowledged: the gateway knows it no more"
    answer = ElementTree.fromstring(shop.alipay.single_trade_query(out_trade_no="A1"))
    assert answer.findtext("is_success") == "T"
    assert answer.findtext("response/trade/trade_status") == status
    assert answer.findtext("response/trade/subject") == params["subject"]


def test_a_query_before_the_buyer_comes_is_a_refusal_in_the_xml(gateway, shop):
    answer = ElementTree.fromstring(shop.alipay.single_trade_query(out_trade_no="A1"))
    assert answer.findtext("error") == "TRADE_NOT_EXIST"


@pytest.mark.parametrize("way", ["forged", "tampered", "re-cut", "unsigned", "other-sign-type"])
def test_none_of_the_forgeries_passes(gateway, shop, way):
    gateway.visit(shop.alipay.create_direct_pay_by_user_url(out_trade_no="A1", subject="tea", total_fee="1.00",
                                                            **NOTIFY))
    gateway.fail(way)
    gateway.pay("A1")
    gateway.deliver()
    assert [verdict for verdict, _ in shop.seen] == [False]


def test_a_mainland_return_is_verified_percent_escapes_and_all(gateway, shop):
    gateway.visit(shop.alipay.create_direct_pay_by_user_url(out_trade_no="A1", subject="tea", total_fee="1.00",
                                                            return_url="https://shop.example.com/back"))
    gateway.pay("A1")
    fields = dict(parse_qsl(gateway.return_url("A1").partition("?")[2]))
    assert shop.alipay.verify_notify(**fields) is True
    assert shop.alipay.verify_notify(**dict(fields, total_fee="0.01")) is False


def test_batches_of_payments_and_refunds_are_carried_out(gateway, shop, monkeypatch):
    monkeypatch.setattr("alipay_mapi.compat.lxneng.gateway._now", lambda form: gateway.clock.now().strftime(form))
    rows = [{"account": "buyer1@example.com", "name": "张三", "fee": fee, "note": "wage"} for fee in ("0.10", "0.20")]
    seen = requests.get(shop.alipay.create_batch_trans_notify_url(
        account_name="某公司", batch_no="20260101001", batch_list=rows, **NOTIFY), timeout=5)
    assert "Batch 20260101001: 2 of 2 payments done." in seen.text
    gateway.visit(shop.alipay.create_direct_pay_by_user_url(out_trade_no="A1", subject="tea", total_fee="9.00",
                                                            **NOTIFY))
    trade_no = gateway.pay("A1")["trade_no"]
    items = [{"trade_no": trade_no, "fee": "4.00", "note": "broken"}]
    seen = requests.get(shop.alipay.refund_fastpay_by_platform_pwd(
        batch_no="20260101002", batch_list=items, **NOTIFY), timeout=5)
    assert "Batch 20260101002: 1 of 1 refunds done." in seen.text
    gateway.deliver()
    assert shop.seen and all(verdict for verdict, _ in shop.seen)
    assert {"batch_trans_notify", "batch_refund_notify"} <= {fields["notify_type"] for _, fields in shop.seen}
    assert gateway.trade("A1")["to_buyer_fee"] == "4.00"
