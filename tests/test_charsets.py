"""A closed list of charsets; strict; UTF-8 where two readings are possible and the two sides do not agree on GBK."""
import pytest

from alipay_mapi import charsets
from alipay_mapi.charsets import codec_of, decode, known, reading_codec, writing_codec
from alipay_mapi.errors import CharsetError

NAMES = ["utf-8", "UTF-8", "utf8", "gbk", "GBK", "gb2312", "GB2312", "gb18030", "GB18030"]
FOREIGN = ["utf-16", "utf-7", "latin-1", "iso-8859-1", "ascii", "big5", "cp936", "shift_jis", "idna", "rot13", "base64",
           "unicode_escape", "punycode", "mbcs", "undefined", "", " gbk", "gbk\x00", "utf_8"]


@pytest.mark.parametrize("name", NAMES)
def test_the_four_charsets_are_known_in_any_case(name):
    assert known(name)
    assert "茶".encode(writing_codec(name)).decode(reading_codec(name)) == "茶"


@pytest.mark.parametrize("name", FOREIGN)
def test_T25_any_other_name_is_refused_and_never_becomes_a_codec(name):
    assert not known(name)
    with pytest.raises(CharsetError):
        reading_codec(name)
    with pytest.raises(CharsetError):
        writing_codec(name)


def test_no_charset_means_the_gateway_s_default():
    assert (writing_codec(None), reading_codec(None)) == ("gbk", "gb18030")
    assert not known(None)


@pytest.mark.parametrize("raw", [
    b"\xff", b"\xc0\xaf", b"\xe6\xb5", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok \x80", b"\xe0\x80\xaf",
], ids=["invalid", "over-long", "cut", "surrogate", "too high", "stray", "over-long 3"])
def test_T23_what_is_not_strict_utf_8_is_refused_where_utf_8_was_asked(raw):
    for declared in (None, "utf-8", "utf-16"):
        with pytest.raises(CharsetError):
            codec_of(raw, declared, "utf-8")
    assert codec_of("测\U0001f375".encode("utf-8"), None, "utf-8") == "utf-8"


@pytest.mark.parametrize("raw", [b"\xff\xff", b"\x81", b"\x80\x80", b"\xb2\xe2\xca"])
def test_T23_what_is_neither_is_refused_everywhere(raw):
    for configured in ("utf-8", "gbk", None):
        with pytest.raises(CharsetError):
            codec_of(raw, "gbk", configured)
        with pytest.raises(CharsetError):
            decode(raw, "gbk", configured)


@pytest.mark.parametrize("declared,configured", [
    ("gbk", "gbk"), ("GBK", "utf-8"), (None, "gbk"), ("gb2312", "gb2312"), ("utf-8", "gb18030"), (None, None),
    ("utf-16", "gbk"),
])
def test_T24_gbk_is_read_where_the_message_or_the_merchant_names_it(declared, configured):
    assert codec_of("测试订单".encode("gbk"), declared, configured) == "gb18030"


def test_T24_gbk_that_nobody_named_is_refused_with_the_cure():
    with pytest.raises(CharsetError, match="content_type.*input_charset"):
        codec_of("测试订单".encode("gbk"), None, "utf-8")


@pytest.mark.parametrize("declared,configured", [("gbk", "utf-8"), ("utf-8", "gbk"), (None, "gbk"), ("utf-8", "utf-8")])
def test_T26_of_two_possible_readings_utf_8_is_taken_unless_both_sides_say_gbk(declared, configured):
    raw = "测试".encode("utf-8")
    assert raw.decode("gbk") == "娴嬭瘯"      # it would have read as GBK as well
    assert codec_of(raw, declared, configured) == "utf-8"


def test_T26_gbk_bytes_that_read_as_utf_8_are_gbk_where_both_sides_say_so():
    raw = "模".encode("gbk")
    assert raw.decode("utf-8") == "ģ"
    assert codec_of(raw, "gbk", "gbk") == "gb18030"


def test_a_gbk_merchant_still_reads_utf_8_that_cannot_be_gbk():
    raw = "测试单".encode("utf-8")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("gb18030")
    assert codec_of(raw, "gbk", "gbk") == "utf-8"


def test_text_without_a_sign_of_its_own_is_read_in_either_charset():
    assert decode("测试".encode("utf-8")) == decode("测试".encode("gbk")) == "测试"


def test_nothing_is_ever_replaced():
    assert not [codec for row in charsets.CHARSETS.values() for codec in row
                if "\ufffd" in "测试".encode(codec).decode(codec)]
