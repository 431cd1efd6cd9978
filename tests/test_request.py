"""The URL builder, against requests that others signed, ``hashlib`` and Python's own reader of forms and of HTML."""
import base64
import hashlib
import json
from decimal import Decimal
from enum import Enum, IntEnum
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from alipay_mapi import algorithms, keys, services
from alipay_mapi.errors import InvalidRequest, MissingKey, UnsafeValue
from alipay_mapi.merchant import GATEWAY_HK, Merchant, WeakKeyWarning
from alipay_mapi.presign import presign_string, quoted_string
from alipay_mapi.request import build_order_string, build_request
from answers import MD5_KEY, PARTNER, key_numbers, md5_shop, padded, rsa_shop
from signing_fixtures import pem

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "requests"
_URLS = json.loads((FOLDER / "urls.json").read_text(encoding="utf-8"))["vectors"]
URLS = [row for row in _URLS if "breaks" not in row]
UNRULY = [row for row in _URLS if "breaks" in row]
ORDER_STRINGS = {row["id"]: row for row in
                 json.loads((FOLDER / "order_strings.json").read_text(encoding="utf-8"))["vectors"]}
ORDER = {"out_trade_no": "A1", "subject": "Tea", "total_fee": "12.30", "currency": "USD"}


def shop_of(row):
    """The merchant who signed a recorded request; published keys are of the old size."""
    given = dict(partner=row["partner"], sign_type=row["sign_type"], input_charset=row["input_charset"])
    if row["sign_type"] == "MD5":
        return Merchant(md5_key=row["key"], **given)
    with pytest.warns(WeakKeyWarning):
        return Merchant(private_key=row.get("key") or row["private_key"], **given)


def query_of(url, charset="utf-8"):
    """Names to values, read by Python; a name that stands twice fails."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True, encoding=charset,
                      errors="strict")
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def md5(text, charset="utf-8"):
    return hashlib.md5(text.encode(charset) + MD5_KEY.encode("ascii")).hexdigest()


# --- recorded ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("row", URLS, ids=[row["id"] for row in URLS])
def test_a_recorded_request_is_made_again_exactly(row):
    request = build_request(shop_of(row), row["service"], row["params"])
    assert request.sign == row["sign"]
    assert request.presign == row.get("presign", request.presign)
    charset = row["input_charset"] or "utf-8"
    sent = query_of(request.url, charset)
    assert sent == dict(request.params)
    if "query" in row:
        assert sent == query_of("?" + row["query"], charset)
    assert sent["sign"] == row["sign"] and sent["sign_type"] == row["sign_type"]


@pytest.mark.parametrize("row", UNRULY, ids=[row["id"] for row in UNRULY])
def test_a_recorded_request_that_breaks_a_field_rule_is_compared_at_the_pre_sign_level(row):
    """And refused by build_request; the row says which rule."""
    sent = dict(row["params"], service=row["service"], partner=row["partner"], _input_charset=row["input_charset"])
    text = presign_string(sent)
    assert algorithms.sign("MD5", keys.load_md5_key(row["key"]), text.encode("utf-8")) == row["sign"]
    with pytest.raises(InvalidRequest) as caught:
        build_request(shop_of(row), row["service"], row["params"])
    assert caught.value.parameter in row["breaks"]


def test_a_recorded_order_string_is_made_again_exactly():
    row = ORDER_STRINGS["omnipay-legacy-app-order-string"]
    assert build_order_string(shop_of(row), row["params"]) == row["order_string"]
    request = build_request(shop_of(row), row["service"], row["params"])
    assert (request.presign, request.sign) == (row["presign"], row["sign"])


def test_a_recorded_order_string_in_another_order_has_the_sign_that_ours_would_have():
    """Made in the order of insertion, with a notify_url that is no URL: only the pre-sign level can be compared."""
    row = ORDER_STRINGS["chloerei-mobile-string"]
    pairs = [part.split("=", 1) for part in row["presign"].split("&")]
    assert quoted_string({name: value.strip('"') for name, value in pairs}) == row["presign"]
    key = keys.load_private_key(row["private_key"])
    assert algorithms.sign("RSA", key, row["presign"].encode("utf-8")) == row["sign"]


# --- what is sent --------------------------------------------------------------------------------------------------

def test_sent_are_exactly_the_given_params_and_the_five_common_ones():
    request = build_request(md5_shop(), "create_forex_trade", ORDER)
    common = {"service": "create_forex_trade", "partner": PARTNER, "_input_charset": "utf-8", "sign_type": "MD5"}
    presign = ("_input_charset=utf-8&currency=USD&out_trade_no=A1&partner=" + PARTNER +
               "&service=create_forex_trade&subject=Tea&total_fee=12.30")
    assert request.presign == presign
    assert request.sign == md5(presign)
    assert dict(request.params) == dict(ORDER, sign=md5(presign), **common)
    assert request.service == "create_forex_trade"


@pytest.mark.parametrize("service", ["create_forex_trade", "not.listed", "x", "alipay.acquire.customs"])
def test_any_service_is_signed_listed_or_not(service):
    request = build_request(md5_shop(), service, {"anything": "goes", "and_CAPITALS.too-1": "é"})
    assert request.params["service"] == service and request.params["anything"] == "goes"
    assert request.sign == md5(request.presign)


@pytest.mark.parametrize("spelling", ["utf-8", "UTF-8", "Utf8", None])
def test_the_charset_is_sent_as_the_merchant_spells_it(spelling):
    request = build_request(md5_shop(input_charset=spelling), "x", {"a": "1"})
    assert request.params.get("_input_charset") == spelling
    assert ("_input_charset" in request.url) == (spelling is not None)


def test_the_common_params_are_accepted_when_they_are_equal():
    given = dict(ORDER, service="create_forex_trade", partner=PARTNER, _input_charset="utf-8", sign_type="MD5")
    plain = build_request(md5_shop(), "create_forex_trade", ORDER)
    assert build_request(md5_shop(), "create_forex_trade", given).url == plain.url


@pytest.mark.parametrize("name, value", [
    ("service", "forex_refund"), ("partner", "2088000000000001"), ("_input_charset", "UTF-8"), ("sign_type", "RSA2"),
    ("sign", "0" * 32)])
def test_the_common_params_are_refused_when_they_differ(name, value):
    with pytest.raises(InvalidRequest) as caught:
        build_request(md5_shop(), "create_forex_trade", dict(ORDER, **{name: value}))
    assert caught.value.parameter == name and name in str(caught.value)


def test_a_charset_among_the_params_is_refused_where_the_merchant_sends_none():
    with pytest.raises(InvalidRequest):
        build_request(md5_shop(input_charset=None), "x", {"_input_charset": "utf-8"})


@pytest.mark.parametrize("nothing", [None, ""])
def test_T28_what_is_empty_is_neither_sent_nor_signed(nothing):
    """Genuine: the text without it. The hostile twin is the word null, or a blank, in its place."""
    request = build_request(md5_shop(), "x", {"a": "1", "body": nothing, "zzz": nothing})
    assert "body" not in request.params and "zzz" not in request.url
    assert request.sign == build_request(md5_shop(), "x", {"a": "1"}).sign
    for other in ("null", " "):
        assert build_request(md5_shop(), "x", {"a": "1", "body": other}).sign != request.sign


def test_values_are_signed_raw_and_encoded_once():
    values = {"subject": "50% off + 1 & more = fun/?#", "body": " a  b ", "extra": "%2F~*'()"}
    request = build_request(md5_shop(), "x", values)
    assert "subject=50% off + 1 & more = fun/?#" in request.presign and "&body= a  b &" in request.presign
    sent = query_of(request.url)
    assert {name: sent[name] for name in values} == values


@pytest.mark.parametrize("charset", ["gbk", "GBK", "gb2312", "gb18030"])
def test_T24_a_gbk_shop_signs_and_sends_gbk(charset):
    """Genuine: the bytes of the URL are GBK. Hostile: reading it as UTF-8 fails."""
    request = build_request(md5_shop(input_charset=charset), "x", {"subject": "支付宝"})
    assert "subject=%D6%A7%B8%B6%B1%A6" in request.url
    assert request.sign == md5(request.presign, "gbk")
    assert query_of(request.url, "gbk")["subject"] == "支付宝"
    with pytest.raises(UnicodeDecodeError):
        query_of(request.url, "utf-8")


def test_without_a_charset_the_gateway_reads_gbk_and_so_do_we():
    request = build_request(md5_shop(input_charset=None), "x", {"subject": "支付宝"})
    assert request.sign == md5(request.presign, "gbk") and "%D6%A7" in request.url


# --- values that are refused ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("value", [1.5, float("nan"), 12.0, True, False, ["a"], ("a",), {"a": 1}, {1}, b"bytes",
                                   object(), pytest.param(10 ** 5000, id="huge"), Decimal("NaN"), Decimal("1e-3"),
                                   Decimal("Infinity"), 1j])
@pytest.mark.parametrize("name", ["total_fee", "subject", "not_listed"])
def test_what_is_no_text_is_refused_by_name(name, value):
    with pytest.raises(InvalidRequest) as caught:
        build_request(md5_shop(), "x", {name: value})
    assert caught.value.parameter == name and name in str(caught.value)


def test_numbers_that_are_exact_are_taken():
    class Fruit(Enum):
        PEAR = "pear"

    class Text(str, Enum):
        PEAR = "pear"

    class Number(IntEnum):
        FOUR = 4

    given = {"total_fee": Decimal("12.30"), "quantity": 4, "big": 10 ** 27, "a": Text.PEAR, "b": Number.FOUR}
    sent = build_request(md5_shop(), "x", given).params
    assert (sent["total_fee"], sent["quantity"], sent["big"]) == ("12.30", "4", "1" + "0" * 27)
    assert (sent["a"], sent["b"]) == ("pear", "4")
    assert type(sent["a"]) is str
    named = build_request(md5_shop(), "x", {Text.PEAR: "1"})
    assert "pear=1" in named.presign and "pear=1" in named.url      # not "Text.PEAR", as it is printed
    with pytest.raises(InvalidRequest):
        build_request(md5_shop(), "x", {"a": Fruit.PEAR})


@pytest.mark.parametrize("name, value", [
    ("total_fee", "1e3"), ("total_fee", "12.345"), ("total_fee", "１２.30"), ("total_fee", "1_0"), ("total_fee", "-1"),
    ("total_fee", " 1"), ("total_fee", "01"), ("total_fee", "1."), ("total_fee", ".5"), ("total_fee", "1,50"),
    ("rmb_fee", "1.234"), ("return_amount", "NaN"), ("refund_amount", "+1"), ("price", "0x1"),
    ("currency", "usd"), ("currency", "USDT"), ("currency", "ＵＳＤ"),
    ("notify_url", "/some_url"), ("notify_url", "ftp://shop.example/"), ("notify_url", "https://shop.example/ü"),
    ("notify_url", "https://shop.example/" + "a" * 190), ("return_url", "https://shop.example/a b"),
    ("return_url", "javascript:alert(1)"), ("return_url", "https://shop.example/\n"),
    ("subject", "a" * 257), ("subject", "say \"hi\""), ("subject", "a\x00b"), ("subject", "a\x1bb"),
    ("body", "x" * 1001),
    ("out_trade_no", "A1 "), ("out_trade_no", "a" * 65), ("out_trade_no", "é"), ("out_trade_no", "A\n1"),
    ("gmt_return", "2026-01-01"), ("gmt_return", "20261301000000"), ("start_date", "2026-01-01"),
    ("it_b_pay", "1.5h"), ("timeout_rule", "12"), ("is_sync", "y"), ("quantity", "0"),
    ("secondary_merchant_industry", "58"), ("register_country", "Japan"), ("notify_id", "a&partner=1"),
    ("split_fund_info", "x"), ("payment_inst", "ALIPAY"),
])
def test_a_known_field_keeps_its_rule_in_every_service(name, value):
    for service in ("create_forex_trade", "not.listed"):
        with pytest.raises(InvalidRequest) as caught:
            build_request(md5_shop(), service, {name: value})
        assert caught.value.parameter == name and str(caught.value).startswith(name)


@pytest.mark.parametrize("value", ["a\x00", "\x00"])
def test_T22_nul_is_refused_in_any_value(value):
    """Hostile, in known and unknown fields; the genuine twin has a line break, which free text may have."""
    for name in ("subject", "not_listed", "split_fund_info"):
        with pytest.raises(InvalidRequest) as caught:
            build_request(md5_shop(), "x", {name: value})
        assert caught.value.parameter == name
    for name in ("body", "not_listed"):
        assert query_of(build_request(md5_shop(), "x", {name: "a\r\nb"}).url)[name] == "a\r\nb"


@pytest.mark.parametrize("name", ["a&total_fee", "a=b", "a b", "", "a\r\nb", "1a", "é", "a\x00", "a[]", "n" * 65, 1,
                                  None, b"a", ("a",)])
def test_T22_a_name_is_a_plain_word(name):
    """Hostile: a name that would end up as two. The genuine twin has dots, dashes and capitals."""
    with pytest.raises(UnsafeValue):
        build_request(md5_shop(), "x", {name: "1"})
    assert "a.B-c_1" in build_request(md5_shop(), "x", {"a.B-c_1": "1"}).params


@pytest.mark.parametrize("name", ["subject", "not_listed", "split_fund_info"])
@pytest.mark.parametrize("charset, value", [
    ("utf-8", "a\ud800b"), ("gbk", "a\udfffb"), ("gbk", "\U0001f375 tea"), ("gb2312", "\u9555\u20ac"),
    (None, "\U0001f375x"), ("gb18030", "\ud83c")])
def test_T23_text_that_the_charset_cannot_write_is_refused_by_name(name, charset, value):
    """Hostile: half a surrogate pair, an emoji in GBK. The genuine twin is written in UTF-8."""
    with pytest.raises(InvalidRequest) as caught:
        build_request(md5_shop(input_charset=charset), "x", {"subject": "tea", "zzz": "1", name: value})
    assert caught.value.parameter == name and name in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert query_of(build_request(md5_shop(), "x", {name: "\U0001f375 tea"}).url)[name] == "\U0001f375 tea"


@pytest.mark.parametrize("currency", ["JPY", "KRW"])
def test_yen_and_won_have_no_decimals(currency):
    for name in ("total_fee", "return_amount", "refund_amount", "trans_amount", "price"):
        for amount in ("100.0", "100.50", Decimal("100.5")):
            with pytest.raises(InvalidRequest) as caught:
                build_request(md5_shop(), "x", {"currency": currency, name: amount})
            assert caught.value.parameter == name
        assert build_request(md5_shop(), "x", {"currency": currency, name: "100"}).params[name] == "100"
    assert build_request(md5_shop(), "x", {"currency": currency, "rmb_fee": "100.50"}).params["rmb_fee"] == "100.50"
    assert build_request(md5_shop(), "x", {"currency": "USD", "total_fee": "100.50"})


def test_the_currency_of_the_price_decides_where_it_differs_from_the_settlement():
    assert build_request(md5_shop(), "x", {"currency": "JPY", "trans_currency": "CNY", "trans_amount": "1.50"})
    with pytest.raises(InvalidRequest):
        build_request(md5_shop(), "x", {"currency": "USD", "trans_currency": "JPY", "trans_amount": "1.50"})


@pytest.mark.parametrize("name", ["subject", "not_listed", "extra_common_param", "notify_url", "split_fund_info"])
@pytest.mark.parametrize("hostile", ["x&total_fee=0.01", "&service=y", "x&&sign=1", "x&trade_status=TRADE_SUCCESS&y",
                                     "x&_input_charset=gbk", "x&buyer_id=", "x&a=1&notify_id=2"])
def test_T16_a_request_that_could_be_cut_in_another_place_is_not_built(name, hostile):
    """Hostile: &F= for a name F of the protocol. The genuine twin has pairs of its own."""
    start = "https://shop.example/?" if name == "notify_url" else ""
    with pytest.raises(UnsafeValue) as caught:
        build_request(md5_shop(), "x", {name: start + hostile})
    assert caught.value.parameter == name and name in str(caught.value)
    for own in ("uid=5&ref=home", "a=1&b=2&c", "total_fee=0.01", "x& total_fee=1", "x&Total_fee=1", "x&total_fee"):
        if name != "notify_url" or " " not in own:
            assert build_request(md5_shop(), "x", {name: start + own}).params[name] == start + own


def test_T16_the_cut_is_found_whatever_else_is_empty():
    """Hostile: empty params beside it do not hide the &. The genuine twin has none."""
    empty = {"e{}".format(n): "" for n in range(5)}
    with pytest.raises(UnsafeValue):
        build_request(md5_shop(), "x", dict(empty, subject="a&body=b"))
    assert build_request(md5_shop(), "x", dict(empty, subject="a&b"))


@pytest.mark.parametrize("service", [None, "", 1, b"x", ["x"], "a b", "a&b", "é", "x" * 65])
def test_the_service_is_a_name(service):
    with pytest.raises(InvalidRequest) as caught:
        build_request(md5_shop(), service, {})
    assert caught.value.parameter == "service"


@pytest.mark.parametrize("params", [None, "a=1", [("a", "1")], 5])
def test_params_is_a_mapping(params):
    with pytest.raises(InvalidRequest):
        build_request(md5_shop(), "x", params)


# --- the object ----------------------------------------------------------------------------------------------------

def test_the_callers_dict_is_left_alone_and_the_params_are_read_only():
    given = {"a": 1, "body": None, "sign_type": "MD5"}
    before = dict(given)
    request = build_request(md5_shop(), "x", given)
    assert given == before
    with pytest.raises(TypeError):
        request.params["a"] = "2"
    given["a"] = 2
    assert request.params["a"] == "1"


def test_post_has_the_charset_in_the_action_and_everything_in_the_body():
    request = build_request(md5_shop(input_charset="GBK"), "x", {"subject": "支付宝"})
    assert request.action == "https://intlmapi.alipay.com/gateway.do?_input_charset=GBK"
    assert isinstance(request.body, bytes)
    assert query_of("?" + request.body.decode("ascii"), "gbk") == dict(request.params)
    assert request.params["_input_charset"] == "GBK"
    assert build_request(md5_shop(input_charset=None), "x", {}).action == "https://intlmapi.alipay.com/gateway.do"


def test_the_gateway_of_the_merchant_is_used():
    request = build_request(md5_shop(gateway=GATEWAY_HK), "x", {})
    assert request.url.startswith(GATEWAY_HK + "?") and request.action.startswith(GATEWAY_HK + "?")


def test_repr_shows_no_sign():
    request = build_request(md5_shop(), "x", dict(ORDER, out_trade_no="A1", buyer_email="b@example.com"))
    assert "A1" in repr(request) and request.sign not in repr(request) and "example" not in repr(request)


@pytest.mark.parametrize("sign_type, hash_name", [("RSA", "sha1"), ("RSA2", "sha256")])
def test_rsa_requests_carry_the_one_signature_there_is(sign_type, hash_name):
    """PKCS#1 v1.5, undone with ``pow`` and the public numbers."""
    request = build_request(rsa_shop(sign_type), "x", {"subject": "茶"})
    modulus, exponent = key_numbers("rsa2048-public")
    raw = int.from_bytes(base64.b64decode(request.sign), "big")
    assert pow(raw, exponent, modulus).to_bytes(256, "big") == padded(request.presign.encode("utf-8"), hash_name, 256)
    assert query_of(request.url)["sign"] == request.sign


def test_without_our_own_key_signing_raises_missing_key():
    with pytest.raises(MissingKey):
        build_request(rsa_shop(private_key=None), "x", {})


# --- form ----------------------------------------------------------------------------------------------------------

class Form(HTMLParser):
    """What a browser finds in the form."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.inputs = [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attrs = dict(attrs)
        if tag == "form":
            self.attrs = attrs
        if tag == "input":
            assert attrs["type"] == "hidden" and attrs["name"] not in self.inputs
            self.inputs[attrs["name"]] = attrs["value"]
        if tag == "button":
            assert "name" not in attrs


@pytest.mark.parametrize("value", ["it's", "<b>bold</b>", "a&copy=1&lt;x", "&amp;", "'><script>alert(1)</script>",
                                   "a > b", "`x`", "a\r\nb", "茶", "  two  "])
def test_a_form_sends_what_was_signed(value):
    request = build_request(md5_shop(), "create_forex_trade", dict(ORDER, extra=value))
    form = Form(request.form())
    assert form.inputs == dict(request.params)
    assert form.tags == ["form"] + ["input"] * len(request.params) + ["button", "script"]
    assert form.attrs["action"] == request.action and form.attrs["method"] == "post"
    assert form.attrs["accept-charset"] == "utf-8"


def test_a_form_escapes_quotes_of_both_kinds():
    text = build_request(md5_shop(), "x", {"split_fund_info": "[{'transIn':'2088','amount':\"1\"}]"}).form()
    assert "'transIn'" not in text and "&#x27;transIn&#x27;" in text and "&quot;1&quot;" in text


def test_a_form_can_be_sent_by_get_and_names_its_charset():
    request = build_request(md5_shop(input_charset="gb2312"), "x", {"subject": "茶"})
    form = Form(request.form("get", submit="付款 <now>"))
    assert form.attrs == {"id": "alipaysubmit", "action": "https://intlmapi.alipay.com/gateway.do", "method": "get",
                          "accept-charset": "gb2312"}
    assert "付款 &lt;now&gt;" in request.form("get", submit="付款 <now>")
    with pytest.raises(InvalidRequest):
        request.form("put")


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\n", "a\r\n\nb", "a\n\r\nb", "a\r\r\nb"])
def test_a_lone_line_break_is_refused_in_a_form_and_sent_in_a_url(value):
    """Every browser turns it into CR LF when it sends a form; the sign would no longer fit."""
    request = build_request(md5_shop(), "x", {"not_listed": value})
    with pytest.raises(InvalidRequest) as caught:
        request.form()
    assert caught.value.parameter == "not_listed"
    assert query_of(request.url)["not_listed"] == value


# --- mobile.securitypay.pay ----------------------------------------------------------------------------------------

APP = {"seller_id": PARTNER, "out_trade_no": "A1", "subject": "Tea", "total_fee": "0.01", "payment_type": "1",
       "notify_url": "https://shop.example/notify"}


def test_the_app_service_has_a_sign_and_a_presign_but_nothing_to_send():
    request = build_request(rsa_shop("RSA"), "mobile.securitypay.pay", APP)
    assert request.presign == (
        '_input_charset="utf-8"&notify_url="https://shop.example/notify"&out_trade_no="A1"&partner="{0}"'
        '&payment_type="1"&seller_id="{0}"&service="mobile.securitypay.pay"&subject="Tea"'
        '&total_fee="0.01"').format(PARTNER)
    assert request.sign
    for use in ("url", "body", "action"):
        with pytest.raises(InvalidRequest):
            getattr(request, use)
    for method in ("post", "get"):
        with pytest.raises(InvalidRequest):
            request.form(method)


def test_an_order_string_ends_in_the_percent_encoded_sign():
    request = build_request(rsa_shop("RSA"), "mobile.securitypay.pay", APP)
    text = build_order_string(rsa_shop("RSA"), APP)
    encoded = request.sign.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert text == request.presign + '&sign="' + encoded + '"&sign_type="RSA"'


def test_the_misspelled_name_warns_and_is_never_sent():
    for service, params in (("mobile.security.pay", APP), ("mobile.securitypay.pay",
                                                           dict(APP, service="mobile.security.pay"))):
        with pytest.warns(services.ServiceAlias):
            request = build_request(rsa_shop("RSA"), service, params)
        assert request.service == request.params["service"] == "mobile.securitypay.pay"
        assert "mobile.security.pay" not in request.presign
    with pytest.warns(services.ServiceAlias):
        assert "mobile.security.pay" not in build_order_string(rsa_shop("RSA"),
                                                               dict(APP, service="mobile.security.pay"))


@pytest.mark.parametrize("name", ["subject", "body", "not_listed", "it_b_pay"])
def test_no_quotation_mark_in_an_order_string(name):
    with pytest.raises(InvalidRequest) as caught:
        build_order_string(rsa_shop("RSA"), dict(APP, **{name: 'a"b'}))
    assert caught.value.parameter == name
    with pytest.raises(UnsafeValue):
        build_order_string(rsa_shop("RSA"), dict(APP, not_listed='a"&total_fee="0.01'))


def test_the_quotation_marks_of_json_stay_in_an_order_string():
    json_text = '{"business_type":"4","hotel_name":"x"}'
    assert 'trade_information="' + json_text + '"' in build_order_string(
        rsa_shop("RSA"), dict(APP, trade_information=json_text))
    with pytest.raises(UnsafeValue):
        build_order_string(rsa_shop("RSA"), dict(APP, trade_information='{"a":"b"&total_fee="0.01"}'))


def test_an_order_string_needs_rsa():
    for shop in (md5_shop(), rsa_shop("DSA", private_key=pem("dsa1024-private"), alipay_public_key=None)):
        with pytest.raises(InvalidRequest) as caught:
            build_order_string(shop, APP)
        assert caught.value.parameter == "sign_type"
    assert build_order_string(rsa_shop("RSA2"), APP).endswith('&sign_type="RSA2"')
