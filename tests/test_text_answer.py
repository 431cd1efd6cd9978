"""The text of file services: records, an empty file, or the sentence that says why there is none."""
import pytest

from alipay_mapi.errors import CharsetError, GatewayError, TransportError
from alipay_mapi.merchant import Merchant
from alipay_mapi.text_answer import TextAnswer, no_answer, parse_text

SHOP = Merchant(partner="2088101122136241", sign_type="MD5", md5_key="TESTONLYtext0key0TESTONLYtext012")


def test_the_rate_file_of_the_page_is_one_record_a_line():
    answer = parse_text(SHOP, b"20160504|100030|CHF|6.829600|\r\n20160504|100030|USD|6.490000|\n\n")
    assert answer.lines == ("20160504|100030|CHF|6.829600|", "20160504|100030|USD|6.490000|")
    assert not answer.is_empty


@pytest.mark.parametrize("body", [b"No balance account data in the period", b"No balance amount data in the period",
                                  b"File download failed:No balance account data in the period"])
def test_no_balance_data_is_an_empty_file_and_no_error(body):
    assert parse_text(SHOP, body) == TextAnswer("", ())
    assert parse_text(SHOP, body).is_empty


@pytest.mark.parametrize("body", [b"File download failed:Over 10 days to Date period", b"Illegal Date period!"])
def test_any_other_sentence_is_a_no_with_the_sentence_as_its_code(body):
    with pytest.raises(GatewayError) as caught:
        parse_text(SHOP, body, service="forex_compare_file")
    assert caught.value.code in body.decode("ascii")
    assert caught.value.service == "forex_compare_file"


def test_text_without_a_record_is_no_answer_of_the_gateway():
    for body in (b"502 Bad Gateway", b"", b"\n"):
        with pytest.raises(TransportError):
            parse_text(SHOP, body)


def test_remarks_are_read_in_the_charset_of_the_header_and_never_replaced():
    line = "A1|8.00|USD|20160504100030||P|0.10|P|退款"
    assert parse_text(SHOP, line.encode("utf-8")).lines == (line,)
    assert parse_text(SHOP, line.encode("gbk"), "text/plain; charset=GBK").lines == (line,)
    with pytest.raises(CharsetError):
        parse_text(SHOP, b"A1|8.00|USD|\xff\xff\xff")


def test_a_remark_may_hold_a_line_separator_that_ends_no_record():
    assert len(parse_text(SHOP, "A1|8.00|USD|a\u2028b\x85c".encode("utf-8")).lines) == 1


def test_the_rows_do_not_print():
    assert "8.00" not in repr(parse_text(SHOP, b"A1|8.00|USD|"))


def test_what_is_no_answer_may_have_been_sent():
    assert no_answer("an error page").sent is True
