"""Answers checked: recorded ones, and ones that are signed here by hashlib and by ``pow``."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import alipay_mapi
from alipay_mapi.errors import (AmbiguousContent, CharsetError, DuplicateParameter, GatewayError, InvalidRequest,
                                MalformedParameter, MalformedSignature, MissingKey, OrderMismatch, PartyMismatch,
                                ResponseSignatureInvalid, ResponseSignatureMissing, SignTypeMismatch,
                                UnexpectedParameter, UnsupportedSignType)
from alipay_mapi.merchant import Merchant
from alipay_mapi.response import parse_response
from answers import (ASKED, MD5_KEY, PARTNER, TRADE, answer, md5_shop, md5_sign, presign, rsa_shop, rsa_sign)
from signing_fixtures import pem

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "xml"
ANSWERS = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))["answers"]
SIGNED = [row for row in ANSWERS if row.get("elements") and row["key_known"]]
UNPROVED = [row for row in ANSWERS if row.get("elements") and not row["key_known"]]


def named(rows):
    return [row["id"] for row in rows]


def recorded(row):
    return (FOLDER / row["file"]).read_bytes()


def shop_of(row, **changes):
    keys = {name: row[name] for name in ("md5_key", "alipay_public_key") if name in row}
    return Merchant(**dict(dict(keys, partner=row["partner"], sign_type=row["sign_type"]), **changes))


# --- recorded -----------------------------------------------------------------------------------------------------

def test_every_recorded_file_is_listed():
    assert sorted(row["file"] for row in ANSWERS) == sorted(path.name for path in FOLDER.glob("*.xml"))


@pytest.mark.parametrize("row", SIGNED, ids=named(SIGNED))
def test_a_recorded_answer_verifies(row):
    response = parse_response(shop_of(row), recorded(row), row["asked"])
    assert dict(response) == row["elements"]
    assert response.signed and response.is_success and response.error is None
    assert response.container == row["container"]
    assert presign(response) == row["presign"]


@pytest.mark.parametrize("row", SIGNED, ids=named(SIGNED))
def test_a_recorded_answer_is_refused_once_any_of_its_values_is_changed(row):
    xml = recorded(row)
    for name, value in row["elements"].items():
        whole = "<{0}>{1}</{0}>".format(name, value).encode("utf-8")
        assert xml.count(whole) == 1
        for forged in (whole.replace(b"</", b"1</"), whole.replace(b">", b"> ", 1), b""):
            with pytest.raises(ResponseSignatureInvalid):
                parse_response(shop_of(row), xml.replace(whole, forged))


@pytest.mark.parametrize("row", UNPROVED, ids=named(UNPROVED))
def test_a_recorded_answer_whose_key_is_unknown_has_the_shape_we_read(row):
    """Its sign cannot be checked; ours over the same elements is the only difference."""
    xml = recorded(row)
    with pytest.raises(ResponseSignatureInvalid):
        parse_response(md5_shop(), xml)
    start, end = xml.index(b"<sign>") + 6, xml.index(b"</sign>")
    ours = xml[:start] + md5_sign(presign(row["elements"])).encode("ascii") + xml[end:]
    seller = row["elements"].get("seller_id", PARTNER)
    assert dict(parse_response(md5_shop(partner=seller), ours)) == row["elements"]


@pytest.mark.parametrize("name", ["error-illegal-sign-gbk", "error-trade-not-exist", "xml-error-signed"])
def test_a_recorded_error_is_a_no_and_not_signed(name):
    row = [row for row in ANSWERS if row["id"] == name][0]
    for shop in (md5_shop(), rsa_shop(), rsa_shop(alipay_public_key=None)):
        response = parse_response(shop, recorded(row), ASKED)
        assert (response.is_success, response.signed, response.error) == (False, False, row["error"])
        assert dict(response) == {} and response.trade_status is None and "sign" in response.unchecked
        with pytest.raises(GatewayError) as caught:
            response.raise_for_error()
        assert caught.value.code == row["error"] and caught.value.service == "single_trade_query"


def test_a_recorded_acceptance_is_accepted_and_no_more():
    xml = (FOLDER / "refund-accepted.xml").read_bytes()
    response = parse_response(md5_shop(), xml, {"service": "forex_refund", "out_return_no": "R1"})
    assert response.is_success and not response.signed
    assert dict(response) == {} and response.trade_status is None and response.passed == frozenset()
    assert response.raise_for_error() is response


# --- T-78: no sign, another sign ----------------------------------------------------------------------------------

SIGN = "<sign>{}</sign>".format(md5_sign(presign(TRADE)))


@pytest.mark.parametrize("asked", [None, ASKED, {"service": "forex_refund"}, {"service": "not.listed"}])
@pytest.mark.parametrize("instead", ["", "<sign></sign>", "<sign/>", "<Sign>{}</Sign>".format("0" * 32)])
def test_T78_an_unsigned_paid_is_refused(asked, instead):
    """Hostile: everything but the sign, even for a service that may answer unsigned. The genuine twin has it."""
    xml = answer().decode("ascii")
    with pytest.raises(ResponseSignatureMissing):
        parse_response(md5_shop(), xml.replace(SIGN, instead).encode("ascii"), asked)
    assert parse_response(md5_shop(), xml.encode("ascii"), asked).signed


@pytest.mark.parametrize("service, allowed", [
    ("forex_refund", True), ("close_trade", True), (None, True),
    ("single_trade_query", False), ("query_timestamp", False), ("not.listed", False)])
def test_T78_a_bare_yes_is_taken_only_where_alipay_signs_nothing(service, allowed):
    """Hostile: a bare yes to a query. Genuine: to a refund, where it means accepted."""
    xml, asked = b"<alipay><is_success>T</is_success></alipay>", None if service is None else {"service": service}
    if allowed:
        assert not parse_response(md5_shop(), xml, asked).signed
    else:
        with pytest.raises(ResponseSignatureMissing):
            parse_response(md5_shop(), xml, asked)


def test_T78_a_sign_over_other_elements_is_refused():
    """Hostile: a genuine sign, over more, fewer or other elements. The genuine twin is over these."""
    for other in (dict(TRADE, trade_status="TRADE_CLOSED"), dict(TRADE, extra="1"),
                  {name: TRADE[name] for name in TRADE if name != "discount"}, {}):
        with pytest.raises(ResponseSignatureInvalid):
            parse_response(md5_shop(), answer(sign=md5_sign(presign(other))))
    with pytest.raises(ResponseSignatureInvalid):
        parse_response(md5_shop(), answer(sign=md5_sign(presign(TRADE), key=MD5_KEY[::-1])))
    assert parse_response(md5_shop(), answer()).signed


@pytest.mark.parametrize("sign_type, error", [
    ("RSA", SignTypeMismatch), ("RSA2", SignTypeMismatch), ("DSA", SignTypeMismatch), ("md5", UnsupportedSignType),
    ("", UnsupportedSignType), ("MD5 ", UnsupportedSignType), ("none", UnsupportedSignType)])
def test_T78_the_answer_does_not_choose_the_algorithm(sign_type, error):
    """Hostile: sign_type changed. The genuine twin names the configured one."""
    with pytest.raises(error):
        parse_response(md5_shop(), answer(sign_type=sign_type))
    with pytest.raises(UnsupportedSignType):
        parse_response(md5_shop(), answer().replace(b"<sign_type>MD5</sign_type>", b""))
    assert parse_response(md5_shop(), answer(sign_type="MD5")).signed


def test_T78_an_rsa_shop_does_not_take_md5_keyed_with_the_public_key():
    """Hostile: what whoever knows the public key could make. The genuine twin is signed by Alipay's private key."""
    text = presign(TRADE)
    for key in (pem("rsa2048-other-public"), ""):
        with pytest.raises(SignTypeMismatch):
            parse_response(rsa_shop(), answer(sign=md5_sign(text, key=key), sign_type="MD5"))
    assert parse_response(rsa_shop(), answer(sign=rsa_sign(text), sign_type="RSA2")).signed


@pytest.mark.parametrize("sign_type, hash_name", [("RSA", "sha1"), ("RSA2", "sha256")])
def test_T78_rsa_answers_verify_and_their_forgeries_do_not(sign_type, hash_name):
    """Genuine: signed with Alipay's key. Hostile: our own key, the other hash, a changed amount."""
    shop, text = rsa_shop(sign_type), presign(TRADE)
    genuine = answer(sign=rsa_sign(text, hash_name=hash_name), sign_type=sign_type)
    assert dict(parse_response(shop, genuine, ASKED)) == TRADE
    other = {"sha1": "sha256", "sha256": "sha1"}[hash_name]
    for sign in (rsa_sign(text, hash_name=hash_name, key="rsa2048-private"), rsa_sign(text, hash_name=other)):
        with pytest.raises(ResponseSignatureInvalid):
            parse_response(shop, answer(sign=sign, sign_type=sign_type))
    with pytest.raises(ResponseSignatureInvalid):
        parse_response(shop, genuine.replace(b"<total_fee>73.82", b"<total_fee>73.83"))


@pytest.mark.parametrize("sign", ["abc", "0" * 31, "0" * 33, "é" * 32, " " + "0" * 32])
def test_T78_a_sign_that_is_none_is_malformed(sign):
    """Hostile; the genuine twin is 32 lower-case hex digits, and so is a wrong sign."""
    for text, error in ((sign, MalformedSignature), (md5_sign(presign(TRADE)).upper(), MalformedSignature),
                        ("0" * 32, ResponseSignatureInvalid)):
        with pytest.raises(error):
            parse_response(md5_shop(), answer(sign=text))
    assert parse_response(md5_shop(), answer()).signed


def test_alipays_old_and_new_key_both_count_while_it_changes_them():
    text = presign(TRADE)
    keys = [pem("rsa2048-other-public"), pem("rsa1024-other-public")]
    for shop in (rsa_shop("RSA", alipay_public_key=keys), rsa_shop("RSA", alipay_public_key=keys[::-1])):
        for key in ("rsa2048-other-private", "rsa1024-other-private"):
            assert parse_response(shop, answer(sign=rsa_sign(text, hash_name="sha1", key=key), sign_type="RSA")).signed
        with pytest.raises(ResponseSignatureInvalid):
            sign = rsa_sign(text, hash_name="sha1", key="rsa1024-private")
            parse_response(shop, answer(sign=sign, sign_type="RSA"))


def test_without_alipays_key_nothing_signed_can_be_read_but_what_is_unsigned_can():
    shop = rsa_shop(alipay_public_key=None)
    with pytest.raises(MissingKey):
        parse_response(shop, answer(sign=rsa_sign(presign(TRADE)), sign_type="RSA2"))
    assert parse_response(shop, b"<alipay><is_success>F</is_success><error>X</error></alipay>").error == "X"


def test_a_signed_error_is_believed_when_it_fits():
    frame = ("<alipay><is_success>F</is_success><error>ILLEGAL_SIGN</error><sign>{}</sign><sign_type>MD5</sign_type>"
             "</alipay>")
    genuine = parse_response(md5_shop(), frame.format(md5_sign("error=ILLEGAL_SIGN")).encode("ascii"))
    forged = parse_response(md5_shop(), frame.format(md5_sign("error=OTHER")).encode("ascii"))
    assert (genuine.signed, forged.signed) == (True, False)
    assert genuine.error == forged.error == "ILLEGAL_SIGN"


# --- T-79: a genuine answer to another question --------------------------------------------------------------------

def test_T79_the_genuine_answer_to_another_query_is_refused():
    """Hostile: another order's answer. The genuine twin is about the order that was asked for."""
    number = TRADE["trade_no"]
    for asked in ({"out_trade_no": "A2"}, {"trade_no": number[:-1]}, {"out_trade_no": "a1"}, {"out_trade_no": "A1 "},
                  {"trade_no": number, "out_trade_no": "A2"}, {"trade_no": "1", "out_trade_no": "A1"}):
        with pytest.raises(OrderMismatch):
            parse_response(md5_shop(), answer(), dict(asked, service="single_trade_query"))
    for asked in ({"out_trade_no": "A1"}, {"trade_no": number}, {"out_trade_no": "A1", "trade_no": number}):
        response = parse_response(md5_shop(), answer(), dict(asked, service="single_trade_query"))
        assert "order" in response.passed and "order" not in response.unchecked


@pytest.mark.parametrize("name", ["out_trade_no", "trade_no"])
def test_T79_a_query_answer_that_does_not_name_the_order_is_refused(name):
    """Hostile: about nobody knows what. The genuine twin names it."""
    elements = {key: value for key, value in TRADE.items() if key != name}
    asked = {"service": "single_trade_query", name: TRADE[name]}
    with pytest.raises(OrderMismatch):
        parse_response(md5_shop(), answer(elements), asked)
    with pytest.raises(OrderMismatch):
        parse_response(md5_shop(), answer(dict(elements, **{name: ""})), asked)
    assert parse_response(md5_shop(), answer(), asked)[name] == TRADE[name]


@pytest.mark.parametrize("name", ["secondary_merchant_id", "store_id", "partner_trans_id", "out_return_no"])
def test_T79_an_answer_about_another_id_than_asked_is_refused_whatever_the_service(name):
    """Hostile: the genuine answer to another question. The genuine twin repeats what was asked."""
    xml = answer({"result_code": "SUCCESS", name: "SHOP_B"}, container="alipay")
    asked = {"service": "alipay.overseas.secmerchant.maintain.queryStatus", name: "SHOP_A"}
    with pytest.raises(OrderMismatch):
        parse_response(md5_shop(), xml, asked)
    assert "order" in parse_response(md5_shop(), xml, dict(asked, **{name: "SHOP_B"})).passed


def test_asked_may_be_what_was_given_to_build_request_numbers_included():
    xml = answer(dict(TRADE, out_trade_no="1001"))
    assert "order" in parse_response(md5_shop(), xml, {"service": "single_trade_query", "out_trade_no": 1001}).passed
    with pytest.raises(InvalidRequest):
        parse_response(md5_shop(), xml, {"service": ["single_trade_query"]})


def test_T79_another_sellers_answer_is_refused():
    """Hostile: a genuine answer about another merchant's trade. The genuine twin is ours."""
    for elements in (dict(TRADE, seller_id="2088000000000001"), dict(TRADE, partner="2088000000000001")):
        with pytest.raises(PartyMismatch):
            parse_response(md5_shop(), answer(elements))
    with pytest.raises(PartyMismatch):
        parse_response(md5_shop(seller_email="shop@example.com"),
                       answer({k: v for k, v in dict(TRADE, seller_email="x@example.com").items() if k != "seller_id"}))
    assert "party" in parse_response(md5_shop(), answer()).passed


def test_T79_with_the_key_that_all_merchants_share_an_answer_without_seller_is_not_known_to_be_ours():
    """Hostile under RSA, where one key signs for every merchant. Genuine under RSA2, whose key is ours alone."""
    elements = {name: value for name, value in TRADE.items() if name != "seller_id"}
    text = presign(elements)
    shared = parse_response(rsa_shop("RSA"), answer(elements, rsa_sign(text, hash_name="sha1"), "RSA"))
    own = parse_response(rsa_shop("RSA2"), answer(elements, rsa_sign(text), "RSA2"))
    assert "party" in shared.unchecked and "party" not in shared.passed
    assert "party" in own.passed


def test_without_asked_the_order_is_listed_as_unchecked():
    response = parse_response(md5_shop(), answer())
    assert set(response.unchecked) == {"order"} and response.passed == {"sign", "party"}


# --- T-16: another signed message, written down as an answer -------------------------------------------------------

@pytest.mark.parametrize("hostile, error", [
    (dict(TRADE, service="create_forex_trade"), UnexpectedParameter),
    (dict(TRADE, notify_id="abc"), UnexpectedParameter),
    (dict(TRADE, subject="x&service=create_forex_trade"), AmbiguousContent),
    (dict(TRADE, subject="x&uid=5&notify_id=39863b44e9bf2e9877a57ef5451a717mhe&y=1"), AmbiguousContent),
    (dict(TRADE, aaa="1&service=single_trade_query"), AmbiguousContent),
])
def test_T16_our_request_or_a_return_recut_into_an_answer_is_refused(hostile, error):
    """Hostile, although the sign fits. The genuine twin has & and = of its own."""
    with pytest.raises(error):
        parse_response(md5_shop(), answer(hostile))
    # An old order may be called anything: a notification about it is ambiguous, and this answer settles it.
    for subject in ("x&total_fee=0.01", "Tea&body=x", "Tom & Jerry",
                    "a=1&b=2", "https://mobilecodec.alipay.com/show.htm?code=bax&picSize=L", "&", "=&="):
        assert parse_response(md5_shop(), answer(dict(TRADE, subject=subject)))["subject"] == subject


# --- T-24, T-26, T-77: charsets ------------------------------------------------------------------------------------

CHINESE = dict(TRADE, subject="测试茶叶 支付宝")
EXTREME = dict(TRADE, subject="\U00020000茶é")


@pytest.mark.parametrize("charset", ["utf-8", "gbk", "gb18030", "gb2312"])
def test_T77_an_answer_is_read_in_the_charset_it_declares(charset):
    """Genuine in each charset of the list; the hostile twin has one character changed."""
    for configured in ("utf-8", charset):
        shop = md5_shop(input_charset=configured)
        genuine = answer(CHINESE, charset=charset)
        assert parse_response(shop, genuine)["subject"] == CHINESE["subject"]
        with pytest.raises(ResponseSignatureInvalid):
            parse_response(shop, genuine.replace("茶".encode(charset), "水".encode(charset)))


@pytest.mark.parametrize("declared, written", [("GBK", "utf-8"), ("gb2312", "utf-8"), ("utf-8", "gbk"),
                                               ("utf8", "gb18030"), (None, "gbk")])
def test_T77_another_charset_than_declared_is_taken_only_if_the_sign_fits(declared, written):
    """Genuine: declared one way, written another, seen at the sandbox. Hostile: the same with a changed amount."""
    prolog = "" if declared is None else '<?xml version="1.0" encoding="{}"?>'.format(declared)
    genuine = answer(CHINESE, charset=written, prolog=prolog)
    shop = md5_shop()
    assert parse_response(shop, genuine)["subject"] == CHINESE["subject"]
    with pytest.raises((CharsetError, ResponseSignatureInvalid)):
        parse_response(shop, genuine.replace(b"73.82", b"73.83"))


def test_T77_text_in_no_charset_is_refused():
    """Hostile: bytes of no charset, or of one that is not declared and not signed. The genuine twin is GB18030."""
    shop = md5_shop(input_charset="gbk")
    for damage in (b"\xff", b"\xd6", b"\xed\xa0\x80"):
        with pytest.raises(CharsetError):
            parse_response(shop, answer().replace(b"Tea", b"Tea" + damage))
    with pytest.raises(CharsetError):
        parse_response(md5_shop(), answer().replace(b"Tea", b"Tea\xd6\xd0"))
    assert parse_response(shop, answer(EXTREME, charset="gb18030"))["subject"] == EXTREME["subject"]


def test_T26_utf8_declared_as_gbk_is_not_read_as_wrong_chinese():
    """``测试`` in UTF-8 reads as GBK too, with the same bytes and so with a fitting sign. Its genuine twin is GBK."""
    elements = dict(TRADE, subject="测试")
    prolog = '<?xml version="1.0" encoding="GBK"?>'
    assert "测试".encode("utf-8").decode("gbk") == "娴嬭瘯"
    assert parse_response(md5_shop(), answer(elements, charset="utf-8", prolog=prolog))["subject"] == "测试"
    assert parse_response(md5_shop(input_charset="gbk"), answer(elements, charset="gbk"))["subject"] == "测试"


def test_T77_an_answer_signed_in_the_charset_of_the_request_is_taken():
    """Genuine: written in GBK, signed in the UTF-8 that was asked for. Hostile: signed in a third charset."""
    text = presign(CHINESE)
    assert parse_response(md5_shop(), answer(CHINESE, md5_sign(text, "utf-8"), charset="gbk")).signed
    with pytest.raises(ResponseSignatureInvalid):
        parse_response(md5_shop(), answer(CHINESE, md5_sign(text, "utf-16"), charset="gbk"))


# --- values --------------------------------------------------------------------------------------------------------

def test_T28_empty_elements_are_not_signed_and_not_handed_out():
    """Genuine: with empty elements. Hostile: a value put into one of them."""
    with_empty = dict(TRADE, body="", memo="")
    assert dict(parse_response(md5_shop(), answer(with_empty))) == TRADE
    with pytest.raises(ResponseSignatureInvalid):
        parse_response(md5_shop(), answer(with_empty).replace(b"<memo></memo>", b"<memo>x</memo>"))


def test_T29_signed_elements_that_nobody_knows_are_handed_out():
    """Genuine: a field that came after this library. Hostile: the same field, unsigned."""
    later = dict(TRADE, new_in_2031="x")
    assert parse_response(md5_shop(), answer(later))["new_in_2031"] == "x"
    with pytest.raises(ResponseSignatureInvalid):
        parse_response(md5_shop(), answer(later, md5_sign(presign(TRADE))))


def test_T18_optimised_python_refuses_the_hostile_answer_and_takes_the_genuine_one():
    """``python -O`` leaves out asserts: a check that is one would be gone."""
    code = ("import sys; from alipay_mapi.errors import AlipayError; from alipay_mapi.merchant import Merchant; "
            "from alipay_mapi.response import parse_response\n"
            "shop = Merchant(partner=sys.argv[1], sign_type='MD5', md5_key=sys.argv[2])\n"
            "for xml in sys.argv[3:]:\n"
            "    try:\n"
            "        print(parse_response(shop, xml.encode('ascii')).trade_status)\n"
            "    except AlipayError as error:\n"
            "        print(type(error).__name__)\n")
    genuine = answer().decode("ascii")
    hostile = [genuine.replace("73.82", "73.83"), genuine.replace(SIGN, ""),
               genuine.replace(PARTNER, "2088000000000001"),
               genuine.replace("<trade>", "<trade><sign>x</sign>")]
    environment = dict(os.environ, PYTHONPATH=str(Path(alipay_mapi.__file__).parent.parent))
    said = subprocess.check_output([sys.executable, "-O", "-c", code, PARTNER, MD5_KEY, genuine] + hostile,
                                   env=environment)
    assert said.decode("ascii").split() == ["TRADE_FINISHED", "ResponseSignatureInvalid", "ResponseSignatureMissing",
                                            "ResponseSignatureInvalid", "DuplicateParameter"]


@pytest.mark.parametrize("subject", ["a  b", " a ", "Tom & Jerry", "1 < 2 > 0", "say \"hi\"", "line\nbreak\ttab", "'",
                                     "]]>"])
def test_values_are_signed_unescaped_and_untrimmed(subject):
    elements = dict(TRADE, subject=subject)
    assert parse_response(md5_shop(), answer(elements))["subject"] == subject


def test_the_attributes_are_typed_and_none_where_absent():
    response = parse_response(md5_shop(), answer(), ASKED)
    assert str(response.total_fee) == "73.82" and str(response.to_buyer_fee) == "0.00"
    assert response.gmt_payment.isoformat() == "2020-01-16T17:56:13+08:00"
    assert response.trade_status == "TRADE_FINISHED" and response.result_code is None and response.refund_fee is None
    assert response.service == "single_trade_query" and not hasattr(response, "is_paid")
    strange = parse_response(md5_shop(), answer(dict(TRADE, total_fee="1e3")))
    with pytest.raises(MalformedParameter):
        _ = strange.total_fee


def test_it_is_a_read_only_mapping():
    response = parse_response(md5_shop(), answer())
    with pytest.raises(TypeError):
        response["total_fee"] = "0.01"
    for name in ("signed", "is_success", "error", "service", "container", "total_fee", "passed"):
        with pytest.raises(AttributeError):
            setattr(response, name, True)
    with pytest.raises(TypeError):
        response.unchecked["order"] = ""
    assert response.get("nothing") is None and response.get("nothing", 1) == 1 and "sign" not in response


def test_no_verdict_changes_what_the_caller_passed():
    asked, xml = dict(ASKED), bytearray(answer())
    parse_response(md5_shop(), xml, asked)
    assert asked == ASKED and xml == answer()


def test_repr_shows_no_buyer():
    shown = repr(parse_response(md5_shop(), answer(dict(TRADE, buyer_email="someone@example.com"))))
    assert "A1" in shown and "example" not in shown and TRADE["buyer_id"] not in shown


@pytest.mark.parametrize("elements, code", [
    ({"result_code": "FAIL", "detail_error_code": "TRADE_NOT_EXIST"}, "TRADE_NOT_EXIST"),
    ({"result_code": "FAILED", "error": "SYSTEM_ERROR"}, "SYSTEM_ERROR"), ({"result_code": "UNKNOW"}, "UNKNOW")])
def test_a_signed_no_of_the_business_raises_its_code(elements, code):
    response = parse_response(md5_shop(), answer(elements, container="alipay"), {"service": "alipay.acquire.query"})
    assert response.is_success and response.signed and response.result_code == elements["result_code"]
    with pytest.raises(GatewayError) as caught:
        response.raise_for_error()
    assert caught.value.code == code
    assert parse_response(md5_shop(), answer({"result_code": "SUCCESS"})).raise_for_error().signed


def test_an_error_from_outside_is_escaped_in_the_message():
    xml = "<alipay><is_success>F</is_success><error>X\nforged {}</error></alipay>".format("y" * 500).encode("ascii")
    with pytest.raises(GatewayError) as caught:
        parse_response(md5_shop(), xml).raise_for_error()
    assert "\n" not in str(caught.value) and len(caught.value.code) < 80


def test_an_error_without_a_code_is_still_a_no():
    response = parse_response(md5_shop(), b"<alipay><is_success>F</is_success></alipay>")
    assert response.error is None
    with pytest.raises(GatewayError):
        response.raise_for_error()


@pytest.mark.parametrize("xml", ["<alipay/>", None, 1, memoryview(b"<alipay/>"), [b"<alipay/>"]])
def test_only_raw_bytes_are_taken(xml):
    with pytest.raises(InvalidRequest):
        parse_response(md5_shop(), xml)


@pytest.mark.parametrize("asked", ["single_trade_query", ["A1"], 1])
def test_asked_is_a_mapping(asked):
    with pytest.raises(InvalidRequest):
        parse_response(md5_shop(), answer(), asked)


def test_an_element_named_like_a_key_of_ours_does_not_confuse():
    assert parse_response(md5_shop(), answer(dict(TRADE, passed="x", signed="F"))).signed
    with pytest.raises(DuplicateParameter):
        parse_response(md5_shop(), answer(dict(TRADE, sign="x")))
