"""``ams/amounts.py``: exact or refused."""
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi.errors import InvalidRequest, MalformedParameter
from alipay_mapi.migration.ams import amounts
from migration_samples import rows

SAMPLES = rows("amounts")
#: From the page, by hand.
NONE = "CLP JPY KRW VND".split()
TWO = "AUD BDT BRL CAD CNY EUR GBP HKD IDR MXN MYR NZD PEN PHP PKR PLN SGD THB TWD USD".split()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one["id"])
def test_a_recorded_amount_is_converted_or_refused_as_recorded(sample):
    if sample["expect"] == "accept":
        assert amounts.to_ams(sample["mapi_decimal"], sample["currency"]) == {
            "currency": sample["currency"], "value": sample["minor"]}
    else:
        with pytest.raises(InvalidRequest) as caught:
            amounts.to_ams(sample["mapi_decimal"], sample["currency"], "total_fee")
        assert (caught.value.reason, caught.value.parameter) == (sample["error"], "total_fee")


def test_the_table_is_that_of_the_page():
    assert amounts.DECIMALS == dict([(name, 0) for name in NONE] + [(name, 2) for name in TWO])


@pytest.mark.parametrize("amount, currency, value", [
    ("10.50", "USD", "1050"), ("0.01", "USD", "1"), ("0.1", "USD", "10"), (Decimal("1E+2"), "JPY", "100"),
    (7, "KRW", "7"),
    (Decimal("8.0000"), "USD", "800"), ("007", "USD", "700"), ("99999999999999.99", "USD", "9999999999999999")])
def test_an_exact_amount_becomes_minor_units(amount, currency, value):
    assert amounts.to_ams(amount, currency)["value"] == value


@pytest.mark.parametrize("amount, currency, reason", [
    ("10.50", "JPY", "precision"), ("0.001", "USD", "precision"), ("0.00", "USD", "not positive"),
    ("-0.01", "USD", "not positive"), (0, "JPY", "not positive"), ("1", "usd", "currency"), ("1", "CHF", "currency"),
    ("1", "MOP", "currency"), ("1", None, "currency"), ("1", "KWD", "currency"), (1.5, "USD", "type"),
    (True, "USD", "type"), (None, "USD", "type"), ("1e3", "USD", "form"), ("NaN", "USD", "form"), ("", "USD", "form"),
    ("１", "USD", "form"), ("1_000", "USD", "form"), ("1,000", "USD", "form"), ("+1", "USD", "form"),
    (".5", "USD", "form"), (" 1", "USD", "form"), (Decimal("NaN"), "USD", "form"), (Decimal("1E+40"), "USD", "form"),
    (Decimal("Infinity"), "USD", "form"), (10 ** 30, "USD", "form"), ("999999999999999.99", "USD", "too large"),
    ("15000.50", "IDR", "step")])
def test_anything_else_is_refused_with_its_reason(amount, currency, reason):
    with pytest.raises(InvalidRequest) as caught:
        amounts.to_ams(amount, currency)
    assert caught.value.reason == reason and reason in amounts.REASONS


@pytest.mark.parametrize("amount, currency, wallet, fits", [
    ("100.00", "TWD", "JKOPAY", True), ("100.50", "TWD", "JKOPAY", False), ("100.50", "TWD", "ALIPAY_CN", True),
    ("10.10", "HKD", "OCTOPUS", True), ("10.15", "HKD", "octopus", False), ("10.15", "HKD", None, True),
    ("100.50", "IDR", "JKOPAY", False)])
def test_some_wallets_take_steps(amount, currency, wallet, fits):
    if fits:
        amounts.to_ams(amount, currency, wallet=wallet)
    else:
        with pytest.raises(InvalidRequest) as caught:
            amounts.to_ams(amount, currency, wallet=wallet)
        assert caught.value.reason == "step"


@pytest.mark.parametrize("given_, text", [
    ({"currency": "USD", "value": "1"}, "0.01"), ({"currency": "USD", "value": "10"}, "0.10"),
    ({"currency": "USD", "value": "1100"}, "11.00"), ({"currency": "JPY", "value": "1000"}, "1000"),
    ({"currency": "IDR", "value": "1500000"}, "15000.00")])
def test_what_ams_says_is_read_as_mapis_decimal(given_, text):
    assert amounts.from_ams(given_) == {"currency": given_["currency"], "amount": text}


@pytest.mark.parametrize("given_", [
    None, "1100", [], {}, {"currency": "USD"}, {"value": "1"}, {"currency": "CHF", "value": "1"},
    {"currency": "USD", "value": "0"}, {"currency": "USD", "value": "-1"}, {"currency": "USD", "value": "1.5"},
    {"currency": "USD", "value": 1}, {"currency": "USD", "value": "01"}, {"currency": "USD", "value": "1" * 17},
    {"currency": "USD", "value": "１"}, {"currency": ["USD"], "value": "1"}])
def test_what_is_no_amount_of_ams_is_refused(given_):
    with pytest.raises(MalformedParameter):
        amounts.from_ams(given_)


@given(st.sampled_from(NONE + TWO), st.integers(1, 10 ** 15 - 1))
def test_there_and_back_is_the_same_amount_to_the_last_unit(currency, units):
    text = amounts.from_ams({"currency": currency, "value": str(units)})["amount"]
    assert Decimal(text) == Decimal(units).scaleb(-2 if currency in TWO else 0)
    if currency == "IDR" and units % 100:
        return
    assert amounts.to_ams(text, currency) == {"currency": currency, "value": str(units)}


@given(st.sampled_from(NONE + TWO + ["CHF"]), st.decimals() | st.text(max_size=20) | st.integers() | st.floats())
def test_whatever_is_given_it_is_exact_or_refused(currency, amount):
    try:
        found = amounts.to_ams(amount, currency)
    except InvalidRequest:
        return
    assert Decimal(found["value"]) == Decimal(str(amount)).scaleb(2 if currency in TWO else 0)
