"""The refunds of one order, together, against its price."""
import pytest

from alipay_mapi import Order
from alipay_mapi.errors import AlipayError
from alipay_mapi.fallback.refund_limit import too_much
from alipay_mapi.fallback.refunding import ACCEPTED, ASKED, DENIED, DONE, GAVE_UP, READY, REFUSED, UNKNOWN, Refund

USD = Order("A1", total_fee="8.00", currency="USD")


def refund(amount, status=DONE, number="R1"):
    return Refund(number, amount, "20260301120000", "", 0.0, status)


@pytest.mark.parametrize("order", [USD, Order("A1", rmb_fee="8.00", currency="USD"), Order("A1", total_fee="8")])
@pytest.mark.parametrize("before, amount, fits", [
    ((), "8.00", True), ((), "8", True), ((), "0.01", True), ((), "8.01", False), ((), "800", False),
    (("3.00",), "5.00", True), (("3.00",), "5.01", False), (("3.00", "5.00"), "0.01", False),
])
def test_they_come_to_the_price_at_most(order, before, amount, fits):
    assert (too_much(order, [refund(one) for one in before], amount) == "") is fits


@pytest.mark.parametrize("status", [ASKED, READY, UNKNOWN, ACCEPTED, DENIED, DONE, GAVE_UP])
def test_one_that_is_under_way_or_may_have_been_carried_out_counts(status):
    assert too_much(USD, [refund("8.00", status)], "0.01")


def test_one_that_was_refused_does_not_count():
    assert too_much(USD, [refund("8.00", REFUSED)], "8.00") == ""


def test_the_price_and_what_was_before_are_told():
    assert too_much(USD, [refund("6.00"), refund("1.50", REFUSED)], "3.00") == (
        "amount: the order was for 8.00 USD, 6.00 of it is given back or asked for already, and not more than that can "
        "be given back")
    assert "8.00 CNY" in too_much(Order("A1", rmb_fee="8.00", currency="USD"), [], "9.00")
    assert "8 CNY" in too_much(Order("A1", total_fee="8"), [], "9.00")


def test_a_stored_amount_that_cannot_be_read_is_one_of_our_errors():
    with pytest.raises(AlipayError):
        too_much(USD, [refund("eight")], "1.00")
