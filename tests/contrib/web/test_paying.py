"""The params of a payment: nothing that the order or the configuration says can be said again by the shop."""
from decimal import Decimal

import pytest

from alipay_mapi import Order
from alipay_mapi.contrib.web.paying import MOBILE, payment_params
from alipay_mapi.errors import InvalidRequest

USD = Order("A1", total_fee="8.00", currency="USD")
YUAN = Order("A1", total_fee="8.00")
NOTIFY = "https://shop.example/n"


def params(order=USD, service="create_forex_trade", timeout=None, return_url=None, **fields):
    return payment_params(order, service, NOTIFY, return_url, timeout, dict({"subject": "Tea"}, **fields), "2088")


def test_the_order_the_configuration_and_the_shop_each_say_their_part():
    assert params(timeout="30m", return_url="https://shop.example/r", body="Green tea") == {
        "out_trade_no": "A1", "total_fee": "8.00", "currency": "USD", "notify_url": NOTIFY,
        "return_url": "https://shop.example/r", "timeout_rule": "30m", "subject": "Tea", "body": "Green tea",
        "product_code": "NEW_OVERSEAS_SELLER"}


@pytest.mark.parametrize("name", ["out_trade_no", "notify_url", "return_url", "total_fee", "currency", "timeout_rule"])
def test_what_is_said_already_cannot_be_said_again(name):
    with pytest.raises(InvalidRequest, match="{}: comes from the order".format(name)) as caught:
        payment_params(USD, "create_forex_trade", NOTIFY, None, None, {"subject": "Tea", name: "x"})
    assert caught.value.parameter == name


def test_a_mainland_order_says_its_seller_and_no_currency():
    for order in (YUAN, Order("A1", total_fee="8.00", currency="CNY")):
        found = params(order, "create_direct_pay_by_user", "30m")
        assert found["seller_id"] == "2088" and "currency" not in found and found["it_b_pay"] == "30m"


def test_a_foreign_order_is_no_mainland_order():
    with pytest.raises(InvalidRequest, match="currency"):
        params(service="create_direct_pay_by_user")


def test_an_app_payment_has_no_return():
    assert "return_url" not in params(service=MOBILE, return_url="https://shop.example/r", body="Tea")


def test_a_service_that_nobody_pays_with_is_refused():
    for service in ("forex_refund", "no such\r\nthing", None, 5, ["create_forex_trade"]):
        with pytest.raises(InvalidRequest) as caught:
            params(service=service)
        assert caught.value.parameter == "service" and str(caught.value).isprintable()


def test_the_price_is_what_the_order_says_to_the_last_digit():
    assert params(Order("A1", total_fee=Decimal("1234.50"), currency="USD"))["total_fee"] == "1234.50"
    assert params(Order("A1", total_fee="800", currency="JPY"))["total_fee"] == "800"
