"""Form bytes to names and values: decoded once, each name once, everything else refused."""
import re
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi import form_body
from alipay_mapi.errors import BodyTooLarge, DuplicateParameter, MalformedParameter, TooManyParameters
from alipay_mapi.form_body import parse


def test_names_and_values_come_out_decoded_once_and_in_order():
    assert list(parse(b"b=2&a=1%2B1+2&%5fc=%25%32%46").items()) == [(b"b", b"2"), (b"a", b"1+1 2"), (b"_c", b"%2F")]


def test_an_empty_value_is_kept_for_the_caller_to_judge():
    assert parse(b"a=&b=1") == {b"a": b"", b"b": b"1"}


def test_a_value_may_hold_an_equals_sign_and_an_encoded_ampersand():
    assert parse(b"a=x=y&b=1%262") == {b"a": b"x=y", b"b": b"1&2"}


def test_bytes_that_are_no_text_pass_through():
    """Which charset they are in is judged later, and the sign is over the bytes."""
    assert parse(b"a=%B2%E2\xca\xd4") == {b"a": b"\xb2\xe2\xca\xd4"}


@pytest.mark.parametrize("raw", [
    b"a=1&a=2", b"a=1&a=1", b"a=&a=1", b"a=1&a=", b"%61=1&a=2", b"a=1&b=2&%61=3", b"a+b=1&a%20b=2",
    b"sign=x&a=1&s%69gn=y",
])
def test_T20_a_name_that_stands_twice_is_refused_even_when_equal_encoded_or_empty(raw):
    with pytest.raises(DuplicateParameter) as refused:
        parse(raw)
    assert refused.value.parameter in ("a", "a b", "sign")
    assert parse(raw.rpartition(b"&")[0])


def test_T20_names_that_differ_in_case_alone_are_two_names():
    assert parse(b"a=1&A=2") == {b"a": b"1", b"A": b"2"}


@pytest.mark.parametrize("raw,pairs", [
    (b"a[]=1&a[]x=2", {b"a[]": b"1", b"a[]x": b"2"}),
    (b"a=1;b=2", {b"a": b"1;b=2"}),
    (b"a%5B%5D=1", {b"a[]": b"1"}),
])
def test_T21_brackets_and_semicolons_are_ordinary_characters(raw, pairs):
    assert parse(raw) == pairs


@pytest.mark.parametrize("raw", [
    b"a=%00", b"a=1\x00", b"a%00b=1", b"\x00=1",
    b"a%0d=1", b"a%0Ab=1", b"a\n=1", b"a%26b=1", b"a%3Db=1", b"a%7f=1", b"a%1b=1",
    b"=1", b"%=1", b"subject", b"subject=1&body", b"sign=x&total_fee", b"a", b"a=1&", b"&a=1", b"a=1&&b=2",
    b"a=1&b", b"n" * 129 + b"=1",
    b"a=%", b"a=%4", b"a=%zz", b"a=%4&b=1", b"a=%u4e2d", b"%e=1", b"a=1%+2", b"",
])
def test_T22_a_nul_anywhere_and_a_name_that_cannot_be_one_are_refused(raw):
    with pytest.raises(MalformedParameter):
        parse(raw)


def test_T22_line_breaks_in_a_value_are_text():
    assert parse(b"body=one%0D%0Atwo%0Athree%09%0b") == {b"body": b"one\r\ntwo\nthree\t\x0b"}


@pytest.mark.parametrize("raw,value", [
    (b"+", b" "), (b"%20", b" "), (b"%2B", b"+"), (b"%2b", b"+"), (b"%252F", b"%2F"), (b"%2F", b"/"),
    (b"%25252F", b"%252F"), (b"1+%2B+%252B", b"1 + %2B"),
])
def test_T27_a_value_is_decoded_exactly_once(raw, value):
    assert parse(b"v=" + raw) == {b"v": value}


def test_T31_more_bytes_than_the_cap_are_refused_and_the_cap_itself_is_not():
    with pytest.raises(BodyTooLarge):
        parse(b"a=" + b"x" * (1024 * 1024 - 1))
    assert len(parse(b"a=" + b"x" * (1024 * 1024 - 2))[b"a"]) == 1024 * 1024 - 2


def test_T31_more_names_than_the_cap_are_refused_and_the_cap_itself_is_not():
    names = [b"n%d=1" % number for number in range(201)]
    with pytest.raises(TooManyParameters):
        parse(b"&".join(names))
    assert len(parse(b"&".join(names[:200]))) == 200


def test_T31_a_batch_of_a_thousand_refunds_fits():
    rows = "#".join("2017030521001004840200342628^1.00^SUCCESS$fee@example.com^2088000000000001^0.01^SUCCESS"
                    for _ in range(1000)).encode("ascii")
    assert parse(b"result_details=" + rows.replace(b"^", b"%5E").replace(b"#", b"%23"))[b"result_details"] == rows


def test_the_size_is_judged_before_anything_else():
    with pytest.raises(BodyTooLarge):
        form_body.check_size("x" * (1024 * 1024 + 1))
    with pytest.raises(BodyTooLarge):
        parse(b"\x00&%" * (1024 * 1024))


def test_what_is_legal_reads_as_in_the_standard_library():
    raw = b"a=1&b=%E6%B5%8B+%2B&c=x%3Dy=z&d="
    assert [(name.decode("latin-1"), value.decode("latin-1")) for name, value in parse(raw).items()] == \
        parse_qsl(raw.decode("ascii"), keep_blank_values=True, encoding="latin-1")


BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@given(st.lists(st.sampled_from([b"%", b"4", b"a", b"F", b"g", b"\\", b"x", b"N{", b"u", b"\xe6", b" ", b"0", b"\n",
                                 b'"']), max_size=14).map(b"".join))
def test_T27_percent_escapes_are_read_as_by_the_standard_library_and_broken_ones_refused(text):
    """Genuine: every legal text, backslashes and bytes above 127 included. Hostile: a % without two hex digits."""
    if BROKEN.search(text):
        with pytest.raises(MalformedParameter):
            parse(b"subject=" + text)
    elif b"%00" not in text:
        assert parse(b"subject=" + text) == {b"subject": unquote_to_bytes(text)}
