"""``/gateway.do``: which check comes first, and that no bytes can break it."""
from urllib.parse import quote

import pytest
from core_setup import MD5, at, gateway
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signed_by_hand import Read, code_of, presign, send, sign

from alipay_mapi.emulator.incoming import Incoming
from alipay_mapi.emulator.reply import Outcome
from alipay_mapi.services import SERVICES


@pytest.fixture(scope="module")
def emulator():
    with gateway() as made:
        made.place("A1")
        made.pay("A1")
        yield made


def ask(emulator, query, body=b"", method="GET"):
    return emulator.answer(Incoming(method, query, body))


def signed(emulator, charset="utf-8", **params):
    params = dict(dict(service="single_trade_query", partner=MD5, sign_type="MD5", out_trade_no="A1"), **params)
    if charset is not None:
        params["_input_charset"] = charset
    key = emulator.merchant("md5").shop_keys()
    params["sign"] = sign("MD5", key, presign(params).encode(charset or "gbk"))
    return params


def encoded(params, charset="utf-8"):
    parts = [quote(name, "") + "=" + quote(value, "", encoding=charset) for name, value in params.items()]
    return "&".join(parts).encode("ascii")


def test_the_first_thing_that_is_wrong_is_the_one_that_is_told(emulator):
    """Service, partner, entitled, charset, sign_type, sign, and only then the business."""
    wrong = [("ILLEGAL_SERVICE", "service", "no_such"), ("ILLEGAL_PARTNER", "partner", "2088999999999999"),
             ("ILLEGAL_CHARSET", "_input_charset", "utf-16"), ("ILLEGAL_SIGN_TYPE", "sign_type", "md5"),
             ("ILLEGAL_SIGN", "sign", "0" * 32), ("ILLEGAL_ARGUMENT", "out_trade_no", "")]
    for first in range(len(wrong)):
        params = signed(emulator, **({"out_trade_no": ""} if first == len(wrong) - 1 else {}))
        for _, name, value in wrong[first:]:
            if first < len(wrong) - 1:
                params[name] = value
        assert code_of(ask(emulator, encoded(params))) == wrong[first][0]


def test_the_right_key_for_another_sign_type_is_no_key(emulator):
    outcome = send(emulator, "single_trade_query", sign_type="RSA", out_trade_no="A1")
    assert code_of(outcome) == "ILLEGAL_SECURITY_PROFILE"


@pytest.mark.parametrize("name", ["sign", "sign_type"])
def test_the_sign_and_its_type_are_required(emulator, name):
    params = signed(emulator)
    del params[name]
    assert code_of(ask(emulator, encoded(params))) == "ILLEGAL_ARGUMENT"


def test_query_and_body_are_one_set_of_parameters(emulator):
    params = signed(emulator)
    split = [{name: params[name] for name in params if (name in ("_input_charset", "partner")) is in_url}
             for in_url in (True, False)]
    outcome = ask(emulator, encoded(split[0]), encoded(split[1]), "POST")
    assert outcome.error is None and Read(outcome.reply.body).elements["out_trade_no"] == "A1"
    outcome = ask(emulator, encoded(params), encoded({"_input_charset": "utf-8"}), "POST")      # twice the same
    assert outcome.error is None
    outcome = ask(emulator, encoded(params), encoded({"out_trade_no": "A2"}), "POST")
    assert (outcome.error, outcome.parameter) == ("ILLEGAL_ARGUMENT", "out_trade_no")
    assert ask(emulator, encoded(params) + b"&out_trade_no=A1").error == "ILLEGAL_ARGUMENT"


def test_urls_that_were_glued_together_badly_are_read_all_the_same(emulator):
    query = encoded(signed(emulator))
    for glued in (b"&" + query, query + b"&", query.replace(b"&", b"&&")):
        assert ask(emulator, glued).error is None


def test_a_body_whose_charset_is_not_in_the_url_is_read_as_gbk(emulator):
    """ASCII is the same in both; everything else ends as a sign that does not fit."""
    assert ask(emulator, b"", encoded(signed(emulator)), "POST").error is None
    params = signed(emulator, subject="茶叶")
    assert ask(emulator, b"", encoded(params), "POST").error == "ILLEGAL_SIGN"
    for url in (b"_input_charset=utf-8", b"_input_charset=utf%2D8"):
        assert ask(emulator, url, encoded(params), "POST").error is None


@pytest.mark.parametrize("charset", ["utf-8", "gbk", None])
def test_the_sign_is_over_the_bytes_of_the_requests_charset(emulator, charset):
    params = signed(emulator, charset, note="茶叶")
    outcome = ask(emulator, encoded(params, charset or "gbk"))
    assert outcome.error is None and outcome.presign == presign(params).encode(charset or "gbk")


def test_bytes_that_are_no_text_are_told_after_the_sign(emulator):
    params = signed(emulator)
    data = presign(dict(params, zzz="?")).encode("ascii").replace(b"zzz=?", b"zzz=\xff")
    query = encoded(dict(params, sign=sign("MD5", emulator.merchant("md5").shop_keys(), data))) + b"&zzz=%FF"
    assert ask(emulator, query).error == "ILLEGAL_ENCODING"


@pytest.mark.parametrize("params, declared", [
    ({"partner": "2088999999999999"}, "utf-8"), ({"sign": "0" * 32}, "utf-8"), ({"_input_charset": "utf-16"}, "GBK"),
    ({"_input_charset": "GBK", "sign": "0" * 32}, "GBK")])
def test_an_error_is_unsigned_and_in_gbk_only_when_the_charset_could_not_be_told(emulator, params, declared):
    read = Read(ask(emulator, encoded(dict(signed(emulator), **params))).reply.body)
    assert (read.is_success, read.sign, read.sign_type) == ("F", None, None)
    assert read.charset.lower() == declared.lower()


def test_notify_verify_and_query_timestamp_may_be_unsigned_but_a_sign_must_fit(emulator):
    for service, more in (("notify_verify", {"notify_id": "abc"}), ("query_timestamp", {})):
        bare = encoded(dict(service=service, partner=MD5, **more))
        assert ask(emulator, bare).error is None
        assert ask(emulator, bare + b"&sign_type=MD5&sign=" + b"0" * 32).error == "ILLEGAL_SIGN"


@pytest.mark.parametrize("stamp, good", [
    (at(), True), (at(minutes=-30), True), (at(minutes=30), True), (at(minutes=-30, seconds=-1), False),
    ("1772337600000", True), ("1772339400000", True), ("1772339401000", False), ("9999999999999", False),
    ("-999999999999", False), ("1e12345678901", False), ("yesterday", False), ("2026-03-01", False)])
def test_a_timestamp_is_good_for_half_an_hour(emulator, stamp, good):
    assert (ask(emulator, encoded(signed(emulator, timestamp=stamp))).error is None) is good


def test_the_merchants_own_settings_come_before_the_charset():
    with gateway() as emulator:
        for setting, code in (("closed", "EXTERFACE_IS_CLOSED"), ("not_contracted", "ILLEGAL_PARTNER_EXTERFACE"),
                              ("misconfigured", "ILLEGAL_EXTERFACE"), ("no_privilege", "HAS_NO_PRIVILEGE")):
            emulator.settings("md5", **{setting: ["single_trade_query"]})
            assert code_of(send(emulator, "single_trade_query", out_trade_no="A1", charset="utf-16")) == code
            emulator.settings("md5", **{setting: []})


_TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40)
_VALUES = st.one_of(_TEXTS, st.sampled_from([
    "", "0", "-1", "1.00", "1e9", "99999999999999999999", "2026-03-01 12:00:00", "20260301", "Y", "N", "USD", "JPY",
    "A1", "2088000000000101", "{}", "[1]", "[" * 2000, '{"a":1}', "^^^", "1^2^3", "#", "|", "15d", "99999999999d"]))
_NAMES = sorted({name for row in SERVICES.values() for name in row.names} | {"timestamp", "price", "quantity"})


@pytest.fixture(scope="module")
def fuzzed():
    with gateway() as made:
        made.place("A1")
        made.pay("A1")
        yield made


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_asked_with_a_sign_that_fits_is_answered(fuzzed, data):
    """Never an exception: a reply, an order, or a code."""
    service = data.draw(st.sampled_from(sorted(fuzzed.gateway.handlers)))
    row = SERVICES.get(service)
    usual = list(row.required) if row is not None else []
    names = data.draw(st.lists(st.sampled_from(_NAMES), max_size=8, unique=True))
    params = {name: data.draw(_VALUES) for name in dict.fromkeys(usual + names)}
    params.update(row.fixed if row is not None else {})
    outcome = ask(fuzzed, encoded(signed(fuzzed, **dict(params, service=service))))
    assert isinstance(outcome, Outcome) and outcome.sign_fits is True
    assert outcome.error is not None or outcome.reply is not None or outcome.trade is not None


@given(query=st.binary(max_size=200), body=st.binary(max_size=200))
def test_whatever_bytes_come_are_answered(query, body):
    with gateway() as emulator:
        outcome = ask(emulator, query, body, "POST")
        assert outcome.error is not None and Read(outcome.reply.body).is_success == "F"
