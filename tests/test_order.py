"""What the shop knows of its order: one price, exact."""
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from alipay_mapi.errors import InvalidRequest
from alipay_mapi.order import Order


def test_amounts_become_decimals():
    assert Order("A1", total_fee="8.00", currency="USD").total_fee == Decimal("8.00")
    assert Order("A1", total_fee=Decimal("8.1"), currency="USD").total_fee == Decimal("8.10")
    assert Order("A1", rmb_fee="50").rmb_fee == Decimal(50)
    assert Order("A1", total_fee="100", currency="JPY").total_fee == Decimal(100)


def test_an_order_has_exactly_one_price():
    for prices in ({}, {"total_fee": "8.00", "rmb_fee": "50.00"}):
        with pytest.raises(InvalidRequest) as refused:
            Order("A1", **prices)
        assert refused.value.parameter == "total_fee"


@pytest.mark.parametrize("amount", [0.1, 8.0, True, "8,00", "1e1", "NaN", "Infinity", Decimal("NaN"),
                                    Decimal("Infinity"),
                                    "-1", Decimal("-1"), "0", "0.00", 0, "8.001", Decimal("8.001"), "８.00", "8_0",
                                    " 8",
                                    "", b"8.00", ["8.00"], "9" * 13])
def test_an_amount_that_is_not_exact_decimal_text_more_than_zero_is_refused(amount):
    for name in ("total_fee", "rmb_fee"):
        with pytest.raises(InvalidRequest) as refused:
            Order("A1", **{name: amount})
        assert refused.value.parameter == name


def test_a_currency_without_decimals_takes_none():
    with pytest.raises(InvalidRequest) as refused:
        Order("A1", total_fee="100.50", currency="JPY")
    assert refused.value.parameter == "total_fee"


@pytest.mark.parametrize("currency", ["usd", "US", "USDD", "ÄÖÜ", "U$D", "", 840, b"USD"])
def test_a_currency_is_three_capital_letters(currency):
    with pytest.raises(InvalidRequest) as refused:
        Order("A1", total_fee="8.00", currency=currency)
    assert refused.value.parameter == "currency"


@pytest.mark.parametrize("number", ["", None, 1, b"A1"])
def test_the_number_is_text(number):
    with pytest.raises(InvalidRequest) as refused:
        Order(number, total_fee="8.00")
    assert refused.value.parameter == "out_trade_no"


def test_an_order_is_frozen_and_compares_by_value():
    order = Order("A1", total_fee="8.00", currency="USD")
    with pytest.raises(FrozenInstanceError):
        order.total_fee = Decimal(1)
    assert order == Order("A1", Decimal("8"), "USD")
    assert len({order, Order("A1", "8.0", "USD")}) == 1
