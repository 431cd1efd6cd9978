"""The app SDK's result: signed as it came, quotes and order kept, and never proof of payment."""
import hashlib
import json
import time

import pytest

from alipay_mapi.app_result import RESULT_STATUS, verify_app_result
from alipay_mapi.errors import (AlipayError, AmbiguousContent, BodyTooLarge, CharsetError, DuplicateParameter,
                                InvalidRequest, MalformedParameter, MalformedSignature, NotConfirmed, PartyMismatch,
                                SignatureInvalid, SignatureMissing, SignTypeMismatch, TooManyParameters,
                                MissingParameter, UnexpectedParameter, UnsupportedSignType)
from alipay_mapi.merchant import Merchant
from alipay_mapi.order import Order
from alipay_mapi.trade_state import TradeState
from genuine import FILES, KEYS, PARTNER, STRANGER, app_result, key_file, openssl, shop

SAMPLES = sorted((KEYS.parent / "app_results").glob("*.json"))
#: The merchant's order string as it came back, and what the SDK puts behind it.
PAIRS = [
    ("partner", PARTNER), ("seller_id", PARTNER), ("out_trade_no", "A1"), ("subject", "茶 Tea, 100 g"),
    ("body", "a+b & c=d; 100%"), ("total_fee", "8.00"), ("notify_url", "http%3A%2F%2Fshop.example%2Fnotify"),
    ("service", "mobile.securitypay.pay"), ("_input_charset", "utf-8"), ("payment_type", "1"), ("it_b_pay", "30m"),
    ("forex_biz", "FP"), ("success", "true"),
]


def put(*changes, **more):
    """PAIRS with values replaced (None: left out), or added at the end."""
    new = dict(changes, **more)
    pairs = [(name, new.pop(name, value)) for name, value in PAIRS] + list(new.items())
    return [(name, value) for name, value in pairs if value is not None]


def bare(text):
    return text[text.index("result={") + 8:-1]


# --- results that Alipay signed ---------------------------------------------------------------------------------

@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_a_recorded_result_gets_its_verdict(path):
    sample = json.loads(path.read_text("utf-8"))
    merchant, text = Merchant(**sample["merchant"]), sample["raw"]
    if sample["expect"] != "valid":
        with pytest.raises(AlipayError) as refused:
            verify_app_result(merchant, text)
        assert type(refused.value).__name__ == sample["expect"]
        return
    for given in (text, text.encode("utf-8"), text.replace('"', '\\"'), text.replace("+", " "), " \n" + text + "\r\n"):
        app = verify_app_result(merchant, given)
        assert {name: app[name] for name in sample["fields"]} == sample["fields"]
        assert app.signed and app.success and app.passed == {"sign", "party"}
        assert (app.result_status, app.memo) == (sample.get("result_status"), sample.get("memo"))
    with pytest.raises(SignatureInvalid):
        verify_app_result(merchant, text.replace('total_fee="', 'total_fee="9'))
    with pytest.raises(PartyMismatch):
        verify_app_result(Merchant(STRANGER, "RSA", alipay_public_key=sample["merchant"]["alipay_public_key"]), text)


def test_there_are_recorded_results():
    assert len(SAMPLES) == 6


# --- what it is --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sign_type", ["RSA", "RSA2", "DSA", "MD5"])
def test_a_genuine_result_is_read_whole_or_bare(sign_type):
    text = app_result(PAIRS, sign_type, memo="处理成功")
    app = verify_app_result(shop(sign_type), text)
    assert dict(app) == dict(PAIRS)
    assert (app.result_status, app.memo, app.success, app.signed) == ("9000", "处理成功", True, True)
    part = verify_app_result(shop(sign_type), bare(text))
    assert dict(part) == dict(PAIRS) and part.result_status is part.memo is None


def test_T51_a_result_is_not_proof_of_payment():
    app = verify_app_result(shop("RSA"), app_result(PAIRS))
    assert not hasattr(app, "is_paid")
    assert "never proof" in app.unchecked["order"] and "never proof" in app.unchecked["amount"]
    with pytest.raises(InvalidRequest, match="prove nothing"):
        TradeState(Order("A1", total_fee="8.00")).apply(app)


def test_success_is_what_was_signed():
    assert not verify_app_result(shop("RSA"), app_result(put(success="false"))).success
    assert not verify_app_result(shop("RSA"), app_result(put(success=None))).success
    assert verify_app_result(shop("RSA"), app_result(PAIRS, status="4000")).result_status == "4000"


@pytest.mark.parametrize("status", sorted(set(RESULT_STATUS) - {"9000"}))
def test_a_result_that_reports_no_payment_is_unsigned_and_empty(status):
    app = verify_app_result(shop("RSA"), "resultStatus={%s};memo={cancelled};result={}" % status)
    assert (app.result_status, app.memo, app.signed, app.success) == (status, "cancelled", False, False)
    assert dict(app) == {} and app.passed == frozenset()
    assert set(app.unchecked) == {"sign", "party", "order", "amount"}


@pytest.mark.parametrize("text", [
    "resultStatus={9000};memo={};result={}", "resultStatus={};memo={};result={}", "resultStatus={9000};memo={}", "",
    "{}",
    "resultStatus={6001}", 'resultStatus={9000};memo={};result={success="true"}', '{"resultStatus": "9000"}', "success",
    'resultStatus={6001};memo={};result={success="true"}',
])
def test_T06_a_payment_that_is_not_signed_is_refused(text):
    with pytest.raises(SignatureMissing):
        verify_app_result(shop("RSA"), text)


def test_memo_is_split_from_the_result_at_the_first_place():
    text = app_result(put(subject="x};result={y"), memo="m")
    assert verify_app_result(shop("RSA"), text).memo == "m"
    assert verify_app_result(shop("RSA"), text)["subject"] == "x};result={y"


def test_the_text_before_sign_type_is_signed_as_it_came():
    text = app_result(PAIRS)
    for altered in (text.replace("%3A%2F%2F", "://"), text.replace("utf-8", "UTF-8"), text.replace("Tea,", "Tea, "),
                    text.replace('&total_fee="8.00"', ""), text.replace("a+b", "a b")):
        assert altered != text
        with pytest.raises(SignatureInvalid):
            verify_app_result(shop("RSA"), altered)
    swapped = [PAIRS[1], PAIRS[0]] + PAIRS[2:]
    assert verify_app_result(shop("RSA"), app_result(swapped)) == dict(PAIRS)
    with pytest.raises(SignatureInvalid):
        verify_app_result(shop("RSA"), app_result(swapped).split("result={")[0] + "result={" + "&".join(
            '{}="{}"'.format(*pair) for pair in PAIRS) + "&sign_type" + app_result(swapped).split("&sign_type")[1])


# --- rows --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("damaged,error", [
    (lambda text: text.replace('sign_type="RSA"', 'sign_type="RSA2"'), SignTypeMismatch),
    (lambda text: text.replace('sign_type="RSA"', 'sign_type="MD5"'), SignTypeMismatch),
    (lambda text: text.replace('sign_type="RSA"', 'sign_type="rsa"'), UnsupportedSignType),
    (lambda text: text.replace('sign_type="RSA"', 'sign_type=""'), UnsupportedSignType),
    (lambda text: text.replace('&sign_type="RSA"', ""), SignatureMissing),
    (lambda text: text.replace('&sign="', '&Sign="'), SignatureMissing),
    (lambda text: text.replace('&sign="', '&sign="!'), MalformedSignature),
    (lambda text: text.replace('&sign="', '&sign="签'), MalformedSignature),
    (lambda text: text.replace("=\"}", "\"}"), MalformedSignature),
    (lambda text: text.replace("=\"}", "=\"&x=\"1\"}"), SignatureMissing),
])
def test_T05_T06_T07_T08_the_sign_and_its_type_are_as_strict_as_in_a_form(damaged, error):
    text = app_result(PAIRS)
    assert damaged(text) != text
    with pytest.raises(error):
        verify_app_result(shop("RSA"), damaged(text))
    assert verify_app_result(shop("RSA"), text)


def test_T01_md5_keyed_with_the_public_key_is_refused():
    signed = "&".join('{}="{}"'.format(*pair) for pair in PAIRS)
    for key in ("", "None", key_file(FILES["RSA"])):
        digest = hashlib.md5((signed + key).encode("utf-8")).hexdigest()
        with pytest.raises(SignTypeMismatch):
            verify_app_result(shop("RSA"), '{}&sign_type="MD5"&sign="{}"'.format(signed, digest))


def test_T04_another_hash_inside_the_signature_is_refused():
    signed = "&".join('{}="{}"'.format(*pair) for pair in PAIRS)
    for hash_name, fits in (("sha1", True), ("sha256", False), ("md5", False)):
        text = '{}&sign_type="RSA"&sign="{}"'.format(signed, openssl(signed.encode("utf-8"), hash_name, FILES["RSA"]))
        if fits:
            assert verify_app_result(shop("RSA"), text)
        else:
            with pytest.raises(SignatureInvalid):
                verify_app_result(shop("RSA"), text)


def test_T10_the_two_kinds_of_damage_that_apps_do_are_mended():
    text = next(text for text in (app_result(put(subject=str(n))) for n in range(99)) if "+" in text.split("sign=")[1])
    head, tail = text.rsplit("&sign=", 1)
    assert verify_app_result(shop("RSA"), head + "&sign=" + tail.replace("+", " "))
    assert verify_app_result(shop("RSA"), text.replace('"', '\\"'))
    with pytest.raises((SignatureInvalid, SignatureMissing)):
        verify_app_result(shop("RSA"), text.replace('"', '\\"', 3))


def test_T16_a_result_of_another_service_is_not_one_of_ours():
    for service, error in ((None, MissingParameter), ("", MissingParameter),
                           ("create_forex_trade", UnexpectedParameter),
                           ("mobile.securitypay.pay2", UnexpectedParameter)):
        with pytest.raises(error):
            verify_app_result(shop("RSA"), app_result(put(service=service)))


@pytest.mark.parametrize("name,value,error", [
    ("subject", "x&total_fee=0.01", AmbiguousContent),
    ("subject", 'x" y', AmbiguousContent),
    ("subject", 'x"&total_fee="0.01', DuplicateParameter),
    ("subject", 'x"&total fee="0.01', AmbiguousContent),
    ("sign_type", "RSA", DuplicateParameter),
    ("sign", "AAAA", DuplicateParameter),
])
def test_T16_T20_a_value_that_reads_in_two_ways_is_refused_even_when_signed(name, value, error):
    with pytest.raises(error) as refused:
        verify_app_result(shop("RSA"), app_result(put((name, value))))
    assert refused.value.parameter in ("subject", "total_fee", "sign", "sign_type")
    assert verify_app_result(shop("RSA"), app_result(put(subject="R&D total_fee=0.01 & more")))


def test_json_keeps_its_quotation_marks():
    text = '{"business_type":"4","goods_info":"pencil^2|eraser^5"}'
    assert verify_app_result(shop("RSA"), app_result(put(trade_information=text)))["trade_information"] == text


@pytest.mark.parametrize("pairs,error", [
    (put(subject="a\0b"), MalformedParameter), ([("a b", "1")] + PAIRS, MalformedParameter),
    ([("", "1")] + PAIRS, MalformedParameter), ([("é", "1")] + PAIRS, MalformedParameter),
    (PAIRS + [("n%d" % n, "1") for n in range(200)], TooManyParameters),
])
def test_T22_T31_what_is_no_parameter_is_refused_even_when_signed(pairs, error):
    with pytest.raises(error):
        verify_app_result(shop("RSA"), app_result(pairs))


def test_T28_an_empty_value_is_signed_here_and_not_handed_out():
    app = verify_app_result(shop("RSA"), app_result(put(body="")))
    assert "body" not in app
    with pytest.raises(SignatureInvalid):
        verify_app_result(shop("RSA"), app_result(put(body="")).replace('&body=""', ""))


def test_T23_half_of_a_surrogate_pair_is_no_text():
    with pytest.raises(CharsetError):
        verify_app_result(shop("RSA"), app_result(PAIRS).replace("茶", "\ud83c"))
    with pytest.raises(CharsetError):
        verify_app_result(shop("RSA"), b"\xff\xff")


@pytest.mark.parametrize("charset", ["gbk", "GBK", "gb2312", "gb18030"])
def test_T24_the_signed_bytes_are_in_the_charset_that_the_result_names(charset):
    text = app_result(put(_input_charset=charset), charset=charset)
    for given in (text, text.encode(charset), text.encode("utf-8")):
        assert verify_app_result(shop("RSA"), given)["subject"] == "茶 Tea, 100 g"
    text = app_result(put(_input_charset="gbk", subject="测试"), charset="gbk")
    assert verify_app_result(shop("RSA", input_charset="gbk"), text.encode("utf-8"))["subject"] == "测试"
    text = app_result(put(_input_charset=None), charset="gbk")
    assert verify_app_result(shop("RSA", input_charset="gbk"), text)["subject"] == "茶 Tea, 100 g"


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "rot13", "latin-1"])
def test_T25_a_charset_outside_the_list_is_ignored(charset):
    assert verify_app_result(shop("RSA"), app_result(put(_input_charset=charset)))["subject"] == "茶 Tea, 100 g"


@pytest.mark.parametrize("changes", [{"partner": STRANGER}, {"seller_id": STRANGER},
                                     {"partner": STRANGER, "seller_id": "shop@example.com"}])
def test_T40_another_merchant_s_result_is_refused(changes):
    ours = shop("RSA", seller_email="shop@example.com")
    with pytest.raises(PartyMismatch):
        verify_app_result(ours, app_result(put(**changes)))
    for seller in (PARTNER, "shop@example.com", "SHOP@example.com", "13800138000", None):
        assert "party" in verify_app_result(ours, app_result(put(seller_id=seller))).passed


def test_T41_a_result_that_names_nobody_is_not_confirmed():
    with pytest.raises(NotConfirmed):
        verify_app_result(shop("RSA"), app_result(put(partner=None, seller_id=None)))
    assert verify_app_result(shop("RSA"), app_result(put(partner=None)))


def test_T31_a_huge_text_is_refused_at_once():
    with pytest.raises(BodyTooLarge):
        verify_app_result(shop("RSA"), "x" * (1024 * 1024 + 1))


@pytest.mark.parametrize("text", [
    "resultStatus={9000};memo={" + "};result={" * 100000, "resultStatus={9000};memo={" + "};  " * 250000 + "}",
    '&sign_type="' * 80000, '"&a="' * 200000, "\\" * 1000000 + '"', " " * 1000000 + "x",
    "resultStatus={" + "9" * 1000000,
    '_input_charset="' * 60000 + '&sign_type="RSA"&sign="AAAA"',
])
def test_T31_no_text_within_the_cap_keeps_us_busy(text):
    """The first of these took hours with one regular expression for the whole text."""
    begun = time.process_time()
    with pytest.raises(AlipayError):
        verify_app_result(shop("RSA"), text)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("text", [None, 1, {"result": "x"}, ["x"]])
def test_anything_but_text_is_the_caller_s_mistake(text):
    with pytest.raises(InvalidRequest):
        verify_app_result(shop("RSA"), text)
