"""Amounts: the grammar comes before ``Decimal``, which takes far more."""
from decimal import Decimal, localcontext

import pytest

from alipay_mapi.amounts import DECIMALS, decimals_of, format_amount, parse_amount, parse_discount
from alipay_mapi.errors import InvalidRequest, MalformedParameter

GOOD = ["0", "0.00", "0.1", "0.10", "1", "12.30", "100000000.00", "999999999999.99"]
BAD = ["", " ", "1 ", " 1", "1\n", "\n1", "01", "00", "1.", ".5", "1.234", "0.001", "-1", "+1", "-0", "1e3", "1E-2",
       "1_000", "1,000", "1,50", "NaN", "nan", "sNaN", "Infinity", "inf", "0x10", "１", "１２.３０", "1.５", "٣", "²",
       "1.2.3", "1\x00", "1.-1", "USD1", "9" * 13]


@pytest.mark.parametrize("text", GOOD)
def test_T42_a_plain_decimal_is_read_exactly(text):
    """Genuine; the hostile twins follow."""
    assert str(parse_amount(text)) == text
    assert format_amount(text) == text


@pytest.mark.parametrize("text", BAD)
def test_T42_what_decimal_would_take_and_alipay_never_sends_is_refused(text):
    """Hostile: exponents, NaN, underscores, full-width digits, three decimals; the genuine twin is 12.30."""
    with pytest.raises(MalformedParameter):
        parse_amount(text)
    with pytest.raises(MalformedParameter):
        parse_discount(text + "-" if text.startswith("-") else text)
    with pytest.raises(InvalidRequest) as caught:
        format_amount(text, "total_fee")
    assert caught.value.parameter == "total_fee" and str(caught.value).startswith("total_fee")


@pytest.mark.parametrize("value", [None, 1, 1.0, b"1", Decimal("1"), ["1"]])
def test_only_text_is_read(value):
    with pytest.raises(MalformedParameter):
        parse_amount(value)


@pytest.mark.parametrize("value, text", [
    (Decimal("350.4500"), "350.45"), (Decimal("350.40"), "350.40"), (Decimal("350.4"), "350.4"),
    (Decimal("350"), "350"),
    (Decimal("3.5E+2"), "350"), (Decimal("1E+8"), "100000000"), (Decimal("0.00"), "0.00"), (Decimal("0E-9"), "0.00"),
    (0, "0"), (12, "12"), (10 ** 11, "100000000000"), ("12.3", "12.3")])
def test_what_is_exact_is_written_plainly(value, text):
    assert format_amount(value) == text


@pytest.mark.parametrize("value", [
    0.1, 1.0, float("nan"), True, None, b"1", [1], 1j, -1, 10 ** 12, 10 ** 5000 // 7, Decimal("0.001"), Decimal("-1"),
    Decimal("-0"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-999999"),
    Decimal("1" * 50)],
    ids=lambda value: str(value)[:9] if not isinstance(value, int) or abs(value) < 10 ** 20 else "huge")
def test_what_is_not_exact_or_too_long_is_refused_and_never_rounded(value):
    with pytest.raises(InvalidRequest) as caught:
        format_amount(value, "rmb_fee")
    assert caught.value.parameter == "rmb_fee"


def test_a_discount_is_zero_or_negative():
    assert [parse_discount(text) for text in ("0.00", "-1.50", "-0")] == [Decimal("0.00"), Decimal("-1.50"), Decimal(0)]
    for text in ("--1", "-", "- 1", "-1e3", "-１"):
        with pytest.raises(MalformedParameter):
            parse_discount(text)


def test_the_callers_decimal_context_changes_nothing():
    with localcontext() as context:
        context.prec = 2
        assert parse_amount("12345.67") == Decimal("12345.67")
        assert str(parse_discount("-12345.67")) == "-12345.67"
        assert format_amount(Decimal("12345.6700")) == "12345.67"


def test_yen_and_won_have_no_decimals_and_all_others_two():
    assert {currency for currency in DECIMALS if decimals_of(currency) == 0} == {"JPY", "KRW"}
    assert [decimals_of(currency) for currency in ("USD", "CNY", None, "", "XXX")] == [2] * 5
