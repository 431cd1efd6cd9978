"""Messages of MAPI are found in lines of any log, decoded once; what is none, or damaged, is told and never raised."""
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi.migration.logged import CALL, NOTIFICATION, RETURN, messages_in

QUERY = b"service=create_forex_trade&partner=2088101122136241&subject=a%2Bb%26c+d&out_trade_no=A1&sign=00&sign_type=MD5"
WANTED = {"service": "create_forex_trade", "partner": "2088101122136241", "subject": "a+b&c d", "out_trade_no": "A1",
          "sign": "00", "sign_type": "MD5"}
NOTICE = b"notify_type=trade_status_sync&notify_id=n1&out_trade_no=A1&trade_status=TRADE_FINISHED&sign=00&sign_type=MD5"
URL = b"https://intlmapi.alipay.com/gateway.do?" + QUERY
ORDER = (b'partner="2088101122136241"&subject="tea & cups"&out_trade_no="A1"&service="mobile.securitypay.pay"'
         b'&sign="a%2Bb"&sign_type="RSA"')


def params_of(line):
    found, damaged = messages_in(line)
    assert damaged == []
    return [message.params for message in found]


@pytest.mark.parametrize("line", [
    URL, QUERY, b"  " + QUERY + b"\r\n", b"\xef\xbb\xbf" + QUERY, URL + b"#top", URL + b",",
    b"(" + URL + b")", b"<" + URL + b">", b'[INFO] {"url": "' + URL + b'"}', b"[" + URL + b"]",
    b'203.0.113.7 - - [22/Nov/2026:10:00:01 +0000] "GET /gateway.do?' + QUERY + b' HTTP/1.1" 302 0 "-" "curl"',
    b"2026-11-22 10:00:00 INFO url=" + URL + b" status=302", b"POST body: " + QUERY,
    json.dumps({"msg": "redirect", "url": URL.decode()}).encode(),
    json.dumps([[{"deep": {"url": URL.decode()}}]]).encode(),
    b'2026-11-22 INFO {"request": {"body": "' + QUERY + b'"}}', b"'" + URL + b"'"], ids=str)
def test_a_call_is_found_wherever_it_stands_and_decoded_once(line):
    assert params_of(line) == [WANTED]


def test_percent_signs_are_decoded_once():
    assert params_of(QUERY.replace(b"a%2Bb", b"a%252Bb"))[0]["subject"] == "a%2Bb&c d"


def test_a_body_that_a_logger_has_decoded_is_taken_with_its_blanks():
    found, = params_of(b"service=create_forex_trade&partner=1&subject=Oolong tea&sign=00")
    assert found["subject"] == "Oolong tea"


def test_an_order_string_keeps_its_values_as_they_are():
    for line in (ORDER, b"2026-11-22 orderInfo: " + ORDER + b" sent", json.dumps({"order": ORDER.decode()}).encode()):
        found, = messages_in(line)[0]
        assert (found.kind, found.service, found.params["subject"]) == (CALL, "mobile.securitypay.pay", "tea & cups")


def test_parameters_that_json_has_one_by_one_are_not_decoded_again():
    line = json.dumps({"params": dict(WANTED, subject="100%25", number=5)}).encode()
    found, = messages_in(line)[0]
    assert (found.params["subject"], found.raw, "number" in found.params) == ("100%25", b"", False)


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_both_charsets_are_read(charset):
    raw = "乌龙茶".encode(charset)
    for spelled in (raw, b"".join(b"%%%02X" % byte for byte in raw)):
        found, = params_of(b"service=create_forex_trade&partner=1&sign=00&subject=" + spelled)
        assert found["subject"] == "乌龙茶"
    line = '{{"url": "/gateway.do?service=single_trade_query&partner=1&out_trade_no=乌"}}'.encode(charset)
    assert params_of(line.replace(b"{{", b"{").replace(b"}}", b"}"))[0]["out_trade_no"] == "乌"


@pytest.mark.parametrize("line, kind", [
    (NOTICE, NOTIFICATION), (b"service=single_trade_query&out_trade_no=1", CALL), (b"service=my.own&partner=1", CALL),
    (b"/back?is_success=T&out_trade_no=A1&sign=00&sign_type=MD5", RETURN),
    (b"/back?is_success=T&out_trade_no=A1&notify_id=1&notify_type=x&sign=00&sign_type=MD5", RETURN),
    (ORDER + b'&success="true"', RETURN)])
def test_the_kinds_are_told_apart(line, kind):
    found, = messages_in(line)[0]
    assert found.kind == kind


@pytest.mark.parametrize("line", [
    b"", b"\n", b"worker started", b"GET /?service=haircut HTTP/1.1", b"service=",
    b'{"service": "web", "level": "info"}', b"{", b"[" * 100000,
    b"app_id=2021&notify_id=1&notify_type=trade_status_sync&sign=00&sign_type=RSA2", b"signal=9&code=1",
    b'{"a":' * 5000 + b"1" + b"}" * 5000, b"design: sign=off", b"\x00\xff\xfe" * 50], ids=lambda line: str(line)[:40])
def test_what_is_no_message_is_none_and_not_damaged(line):
    assert messages_in(line) == ([], [])


@pytest.mark.parametrize("line, word", [
    (QUERY + b"&subject=", "twice"), (QUERY[:48] + b"%2", "two hex digits"), (QUERY + b"&x%00=1", "NUL"),
    (QUERY.replace(b"a%2Bb", b"%FF%FF"), "neither UTF-8 nor"), (b"&".join([QUERY] + [b"a%d=1" % n for n in range(300)]),
                                                                  "more than 200")])
def test_a_message_that_cannot_be_read_is_damaged(line, word):
    found, damaged = messages_in(line)
    assert found == [] and word in damaged[0]


def test_the_same_message_twice_in_a_line_is_one():
    assert len(messages_in(URL + b' "' + URL + b'"')[0]) == 1
    assert len(messages_in(URL + b' "' + NOTICE + b'"')[0]) == 2


@given(st.binary(max_size=300))
def test_any_bytes_give_lists(line):
    for text in (line, QUERY + line, line + b"&" + QUERY, b'{"u":"' + URL + line + b'"}', NOTICE + b"&x=" + line):
        found, damaged = messages_in(text)
        assert all(isinstance(value, str) for message in found for value in message.params.values())
        assert all(isinstance(why, str) for why in damaged)


def test_a_line_without_an_end_takes_no_time():
    """Each of these has made a pattern of this kind slow somewhere."""
    for part in (b"a", b'a="', b"sign=", b'sign="&', b"service=&", b"%", b"&", b'a="b"&', b"?sign", b"[", b"9"):
        messages_in(part * 30000 + b"sign=")
        messages_in(b'{"sign":' + part * 30000 + b"}")
