"""``compat.lxneng`` over a router: the old calls in, the order's own gateway underneath."""
import warnings
from xml.etree import ElementTree

import pytest

from alipay_mapi import Client, GatewayError, Merchant, Order, OrderNotFound
from alipay_mapi.backend import AMS, Backend, MapiBackend, PaymentPage
from alipay_mapi.compat import CompatWarning
from alipay_mapi.compat.lxneng import Alipay, ParameterValueError
from alipay_mapi.fallback import Fallback, open_store
from alipay_mapi.migration.router import Router, StoreHomes
from alipay_mapi.response import Response

KEY = "0123456789abcdef0123456789abcdef"
FOREX = {"out_trade_no": "A1", "subject": "Tea", "total_fee": "8.00", "currency": "USD", "timeout_rule": "30m"}


class Elsewhere(Backend):
    """A second gateway: what it is asked, and what it says."""

    name, account = AMS, "CLIENT001"

    def __init__(self, fact=None):
        self.asked, self.fact = [], fact

    def refusals(self, service, params):
        return ["mainland"] if "currency" not in params else []

    def payment_content(self, service, params):
        return {}

    def pay(self, service, params):
        self.asked.append((service, dict(params)))
        return PaymentPage(AMS, params["out_trade_no"], "https://pay.example/cashier?id=1")

    def query(self, order):
        self.asked.append(order)
        if self.fact is None:
            raise GatewayError("none", code="TRADE_NOT_EXIST")
        return self.fact


@pytest.fixture
def shop():
    store = open_store("memory:")
    yield lambda rule, elsewhere: made(store, rule, elsewhere)
    store.close()


def made(store, rule, elsewhere):
    client = Client(Merchant("2088101122136241", "MD5", md5_key=KEY))
    gateways = {"mapi": MapiBackend(client), "ams": elsewhere}
    fallback = Fallback(store, {"shop": gateways})
    router = Router(gateways, StoreHomes(fallback, "shop"), rule)
    return Alipay(pid="2088101122136241", key=KEY, seller_email="shop@example.com", router=router), fallback


def test_an_old_call_goes_where_the_router_says_and_the_order_is_watched_there(shop):
    elsewhere = Elsewhere()
    alipay, fallback = shop("ams", elsewhere)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CompatWarning)
        assert alipay.create_forex_trade_url(**FOREX) == "https://pay.example/cashier?id=1"
    row = fallback.store.get("shop", "A1")
    assert (row.gateway, row.order, row.deadline - row.watched_at) == (
        "ams", Order("A1", total_fee="8.00", currency="USD"), 1800)
    service, params = elsewhere.asked[0]
    assert service == "create_forex_trade" and params["subject"] == "Tea" and "payment_type" not in params


def test_what_only_mapi_can_make_and_what_was_made_there_stays_there(shop):
    elsewhere = Elsewhere()
    alipay, fallback = shop("ams", elsewhere)
    url = alipay.create_direct_pay_by_user_url(out_trade_no="A2", subject="Tea", total_fee="9.90")
    assert "service=create_direct_pay_by_user" in url and fallback.store.get("shop", "A2").gateway == "mapi"
    assert elsewhere.asked == []
    with pytest.raises(ParameterValueError):
        alipay.create_direct_pay_by_user_url(out_trade_no="A3", subject="Tea", price="9.90", quantity="1")


def test_a_query_by_number_asks_the_gateway_that_made_the_order(shop):
    fact = Response({"out_trade_no": "A1", "trade_no": "P1", "trade_status": "TRADE_FINISHED", "total_fee": "8.00",
                     "currency": "USD"}, (), {}, True, None, "create_forex_trade", "trade")
    elsewhere = Elsewhere(fact)
    alipay, fallback = shop("mapi", elsewhere)
    fallback.watch("shop", Order("A1", total_fee="8.00", currency="USD"), gateway="ams")
    with pytest.warns(CompatWarning):
        text = alipay.single_trade_query(out_trade_no="A1")
    found = ElementTree.fromstring(text)
    assert found.findtext("is_success") == "T" and found.findtext("response/trade/trade_status") == "TRADE_FINISHED"
    elsewhere.fact = None
    with pytest.warns(CompatWarning):
        assert ElementTree.fromstring(alipay.single_trade_query(out_trade_no="A1")).findtext("error") == \
            "TRADE_NOT_EXIST"
    with pytest.warns(CompatWarning), pytest.raises(OrderNotFound):
        alipay.single_trade_query(out_trade_no="A9")
