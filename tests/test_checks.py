"""After the signature: for us, about this order, over this amount."""
from collections import OrderedDict
from decimal import Decimal

import pytest

from alipay_mapi.checks import check_amount, check_party, find_order
from alipay_mapi.errors import (AmountMismatch, CurrencyMismatch, InvalidRequest, MissingParameter, OrderMismatch,
                                OrderNotFound, PartyMismatch)
from alipay_mapi.order import Order
from genuine import DIRECT, FOREX, PARTNER, STRANGER, changed, shop

USD = Order("A1", total_fee="8.00", currency="USD")
YUAN = Order("A1", total_fee="8.00")
RMB = Order("A1", rmb_fee="50.00", currency="USD")


@pytest.mark.parametrize("field,value", [
    ("seller_id", STRANGER), ("seller_id", PARTNER[:-1]), ("seller_id", "0" + PARTNER), ("partner", STRANGER),
])
@pytest.mark.parametrize("sign_type", ["MD5", "RSA"])
def test_T40_another_merchant_s_message_is_refused_whatever_the_sign_type(sign_type, field, value):
    ours = shop(sign_type, seller_email="shop@example.com")
    with pytest.raises(PartyMismatch) as refused:
        check_party(ours, changed(DIRECT, **{field: value}))
    assert refused.value.parameter == field
    assert check_party(ours, DIRECT)


@pytest.mark.parametrize("field,value", [
    ("seller_email", "thief@example.com"), ("seller_email", "shop@example.com.evil.example"),
    ("seller_email", "13800138000"), ("seller_id", "thief@example.com"), ("seller_id", PARTNER + " "),
])
def test_T40_where_no_number_names_the_seller_his_account_decides(field, value):
    """Hostile: an account that is not ours. Genuine twin: ours; or any, beside our number: people change accounts."""
    ours = shop("MD5", seller_email="shop@example.com")
    bare = changed(DIRECT, "seller_id", "seller_email")
    with pytest.raises(PartyMismatch) as refused:
        check_party(ours, changed(bare, **{field: value}))
    assert refused.value.parameter == field
    assert check_party(ours, changed(bare, seller_email="shop@example.com"))
    assert check_party(ours, changed(bare, partner=PARTNER, **{field: value}))


def test_T40_any_one_of_the_numbers_is_enough_to_refuse():
    with pytest.raises(PartyMismatch):
        check_party(shop("RSA"), {"partner": PARTNER, "seller_id": STRANGER})
    with pytest.raises(PartyMismatch):
        check_party(shop("RSA"), {"partner": STRANGER, "seller_id": PARTNER})
    assert check_party(shop("RSA"), {"partner": PARTNER, "seller_id": PARTNER})


@pytest.mark.parametrize("sign_type", ["RSA", "DSA"])
@pytest.mark.parametrize("seller", [{"seller_id": PARTNER}, {"partner": PARTNER}, {"seller_email": "shop@example.com"}])
def test_T41_a_seller_that_could_have_been_added_to_a_posted_message_proves_nothing_under_the_shared_key(sign_type,
                                                                                                       seller):
    """Hostile: another merchant's order number "A1&seller_id=2088…", cut in two. Genuine: with what he cannot add."""
    ours = shop(sign_type, seller_email="shop@example.com")
    assert not check_party(ours, changed(FOREX, **seller), posted=True)
    proved = check_party(ours, changed(FOREX, buyer_id="2088000000000001", **seller), posted=True)
    assert proved is ("partner" not in seller)      # no genuine notification names the partner
    assert check_party(shop("RSA2"), changed(FOREX, **seller), posted=True)


def test_T40_the_seller_may_be_another_account_than_the_partner_when_the_merchant_says_so():
    ours = shop("RSA", seller_id=STRANGER)
    assert check_party(ours, {"seller_id": STRANGER, "partner": PARTNER})
    with pytest.raises(PartyMismatch):
        check_party(ours, {"seller_id": PARTNER})


def test_T40_an_account_name_is_not_case_sensitive():
    assert check_party(shop("RSA", seller_email="Shop@Example.com"), {"seller_email": "shop@example.COM"})


@pytest.mark.parametrize("sign_type,sufficient", [("MD5", True), ("RSA2", True), ("RSA", False), ("DSA", False)])
def test_T41_a_message_without_a_seller_is_proved_by_a_key_that_is_the_merchant_s_own(sign_type, sufficient):
    assert check_party(shop(sign_type), FOREX) is sufficient
    assert check_party(shop(sign_type), changed(FOREX, seller_id=PARTNER))


@pytest.mark.parametrize("email", ["sho***@example.com", "thi***@example.com"])
def test_T41_a_masked_account_says_nothing(email):
    assert not check_party(shop("RSA", seller_email="shop@example.com"), {"seller_email": email})


def test_T41_an_account_that_cannot_be_compared_says_nothing():
    assert not check_party(shop("RSA"), {"seller_email": "anybody@example.com"})


# --- the order --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", ["A1 ", " A1", "a1", "Ａ1", "A1\n", "A1\u200b", "A01", "A"])
def test_T44_a_number_that_differs_in_blank_case_or_width_is_another_order(number):
    with pytest.raises(OrderMismatch):
        find_order({"out_trade_no": number}, USD)
    assert find_order({"out_trade_no": "A1"}, USD) is USD


def test_T44_a_look_up_that_folds_case_is_found_out():
    """MySQL's usual collation finds A1 for a1, and "A1 " as well."""
    with pytest.raises(OrderMismatch):
        find_order({"out_trade_no": "a1"}, lambda number: USD)
    assert find_order({"out_trade_no": "A1"}, lambda number: USD) is USD


def test_T44_an_unknown_order_is_refused_by_its_own_name():
    with pytest.raises(OrderNotFound, match="answer fail"):
        find_order({"out_trade_no": "A2"}, lambda number: None)


def test_the_look_up_gets_the_number_and_its_own_errors_pass_through():
    asked = []
    assert find_order({"out_trade_no": "A1"}, lambda number: asked.append(number) or USD) is USD
    assert asked == ["A1"]
    with pytest.raises(ZeroDivisionError):
        find_order({"out_trade_no": "A1"}, lambda number: 1 / 0)


@pytest.mark.parametrize("order", ["A1", {"out_trade_no": "A1"}, lambda number: "A1", 1])
def test_anything_but_an_order_is_the_caller_s_mistake(order):
    with pytest.raises(InvalidRequest):
        find_order({"out_trade_no": "A1"}, order)


def test_a_message_without_a_number_cannot_be_compared():
    with pytest.raises(MissingParameter) as refused:
        find_order({}, USD)
    assert refused.value.parameter == "out_trade_no"


# --- the amount -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", [
    "7.99", "8.01", "0.01", "80.0", "800", "8e0", "8E0", "0.8e1", "NaN", "nan", "Infinity", "８.００", "8.000",
    "8.00\n",
    " 8.00", "8.00 ", "+8.00", "-8.00", "8_0", "0_8.00", "8,00", "8.", ".8", "08.00", "0x8", "٨", "8.0.0", "--",
    "9" * 400,
])
def test_T42_another_amount_and_any_other_spelling_of_one_is_refused(text):
    with pytest.raises(AmountMismatch) as refused:
        check_amount(changed(FOREX, total_fee=text), USD)
    assert refused.value.parameter == "total_fee"


def test_T42_no_amount_at_all_is_refused():
    with pytest.raises(AmountMismatch):
        check_amount(changed(FOREX, "total_fee"), USD)


@pytest.mark.parametrize("text", ["8.00", "8.0", "8"])
def test_T42_the_same_amount_is_compared_as_a_decimal(text):
    assert check_amount(changed(FOREX, total_fee=text), USD) == {}


def test_T42_a_cent_of_a_large_amount_counts():
    large = Order("A1", total_fee=Decimal("999999999.99"), currency="USD")
    assert check_amount(changed(FOREX, total_fee="999999999.99"), large) == {}
    with pytest.raises(AmountMismatch):
        check_amount(changed(FOREX, total_fee="999999999.98"), large)


@pytest.mark.parametrize("currency", ["EUR", "usd", "USD ", "ＵＳＤ", "CNY", "JPY", "x" * 99])
def test_T43_another_currency_is_refused(currency):
    with pytest.raises(CurrencyMismatch):
        check_amount(changed(FOREX, currency=currency), USD)
    assert check_amount(FOREX, USD) == {}


def test_T43_a_foreign_price_needs_its_currency():
    with pytest.raises(MissingParameter) as refused:
        check_amount(changed(FOREX, "currency"), USD)
    assert refused.value.parameter == "currency"


def test_T43_a_mainland_order_is_in_yuan_with_or_without_the_word():
    assert check_amount(changed(DIRECT), YUAN) == check_amount(changed(DIRECT, currency="CNY"), YUAN) == {}
    assert check_amount(DIRECT, Order("A1", total_fee="8.00", currency="CNY")) == {}
    with pytest.raises(CurrencyMismatch):
        check_amount(FOREX, YUAN)


def test_an_order_priced_in_cny_cannot_be_compared_with_a_conversion_and_says_so():
    assert "single_trade_query" in check_amount(FOREX, RMB)["amount"]
    with pytest.raises(CurrencyMismatch):
        check_amount(changed(FOREX, currency="EUR"), RMB)


def test_a_query_answer_is_in_cny_and_compared_only_with_a_price_in_cny():
    answered = {"out_trade_no": "A1", "total_fee": "50.00"}
    assert check_amount(answered, RMB, in_cny=True) == {}
    assert check_amount(answered, Order("A1", total_fee="50.00"), in_cny=True) == {}
    for order in (Order("A1", rmb_fee="50.01"), Order("A1", total_fee="50.01")):
        with pytest.raises(AmountMismatch):
            check_amount(answered, order, in_cny=True)
    assert "CNY" in check_amount(answered, USD, in_cny=True)["amount"]


def test_any_mapping_will_do():
    assert check_amount(OrderedDict(FOREX), USD) == {}
