"""Properties of requests, answers, amounts and merchants; numbered as in the test plan."""
import base64
import binascii
import hashlib
import pickle
import string
from decimal import Decimal
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from alipay_mapi.amounts import format_amount, parse_amount
from alipay_mapi.errors import AlipayError, ConfigurationError, InvalidRequest, MalformedParameter
from alipay_mapi.fields import FIELDS, NAMES
from alipay_mapi.merchant import Merchant
from alipay_mapi.request import build_request
from alipay_mapi.response import Response, parse_response
from answers import (ASKED, MD5_KEY, PARTNER, TRADE, answer, key_numbers, md5_shop, md5_sign, padded, presign, rsa_shop)
from signing_fixtures import bare, der, pem

CHARSETS = ["utf-8", "GBK", "gb2312", "GB18030"]
#: What every charset of the list can write, and what only some can.
SHARED = "abcXYZ 0189&=?#%+/\\<>'\t\r\n.,;:-_~{}[]()茶叶支付宝测试中文（）"
WIDE = SHARED + "\U0001f375\U00020000éßñ€\u200b"

own_names = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=9).map(lambda text: "x" + text)
values = st.text(SHARED, max_size=20)
params = st.dictionaries(own_names, values, max_size=5)


def cuttable(text):
    """The re-cut rule, written a second time."""
    return any(part.partition("=")[0] in NAMES and "=" in part for part in text.split("&")[1:])


def buildable(given_params):
    return not any(cuttable(value) for value in given_params.values())


@lru_cache(maxsize=None)
def shop_for(sign_type, charset):
    if sign_type == "MD5":
        return md5_shop(input_charset=charset)
    kind = "dsa1024" if sign_type == "DSA" else "rsa2048"
    return Merchant(partner=PARTNER, sign_type=sign_type, private_key=pem(kind + "-private"), input_charset=charset)


def fits(sign_type, data, sign):
    """Does the sign fit? hashlib, and arithmetic with the public numbers of the key file."""
    if sign_type == "MD5":
        return hashlib.md5(data + MD5_KEY.encode("ascii")).hexdigest() == sign
    raw = base64.b64decode(sign, validate=True)
    if sign_type == "DSA":
        return dsa_fits(data, raw)
    modulus, exponent = key_numbers("rsa2048-public")
    return pow(int.from_bytes(raw, "big"), exponent, modulus).to_bytes(256, "big") == padded(
        data, {"RSA": "sha1", "RSA2": "sha256"}[sign_type], 256)


def dsa_fits(data, raw):
    """FIPS 186-4, 4.7, with SHA-1."""
    p, q, g, y = key_numbers("dsa1024-public")
    assert raw[0] == 0x30 and raw[2] == 0x02
    r = int.from_bytes(raw[4:4 + raw[3]], "big")
    s = int.from_bytes(raw[6 + raw[3]:], "big")
    z, w = int.from_bytes(hashlib.sha1(data).digest(), "big"), pow(s, q - 2, q)
    return pow(g, z * w % q, p) * pow(y, r * w % q, p) % p % q == r


@given(params, st.sampled_from(["MD5", "RSA", "RSA2", "DSA"]), st.sampled_from(CHARSETS), st.text(WIDE, max_size=9))
def test_property_1_what_we_sign_verifies_from_the_url_alone(given_params, sign_type, charset, wide):
    codec = charset.lower()
    given_params = dict(given_params, wide=wide.encode(codec, "ignore").decode(codec))
    assume(buildable(given_params))
    url = build_request(shop_for(sign_type, charset), "x", given_params).url
    sent = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, encoding=codec, errors="strict"))
    sign, named = sent.pop("sign"), sent.pop("sign_type")
    assert sent == dict({name: value for name, value in given_params.items() if value}, service="x", partner=PARTNER,
                        _input_charset=charset)
    assert named == sign_type
    assert fits(sign_type, presign(sent).encode(codec), sign)
    assert not fits(sign_type, presign(dict(sent, a="1")).encode(codec), sign)


@given(params, st.randoms(use_true_random=False))
def test_property_3_the_order_of_parameters_does_not_matter(given_params, random):
    assume(buildable(given_params))
    names = list(given_params)
    random.shuffle(names)
    one, two = [build_request(md5_shop(), "x", each) for each in (given_params,
                                                                  {name: given_params[name] for name in names})]
    assert one.sign == two.sign and one.presign == two.presign
    leaves = list(TRADE)
    random.shuffle(leaves)
    shuffled = {name: TRADE[name] for name in leaves}
    assert dict(parse_response(md5_shop(), answer(shuffled, md5_sign(presign(TRADE))))) == TRADE


@given(params, own_names, values.filter(bool))
def test_property_4_an_empty_parameter_does_not_matter_and_another_does(given_params, name, value):
    given_params.pop(name, None)
    more = dict(given_params, **{name: value})
    assume(buildable(more))
    plain = build_request(md5_shop(), "x", given_params)
    for nothing in ("", None):
        assert build_request(md5_shop(), "x", dict(given_params, **{name: nothing})).url == plain.url
    assert build_request(md5_shop(), "x", more).sign != plain.sign
    empty = answer(dict(TRADE, **{name: ""}), md5_sign(presign(TRADE)))
    assert dict(parse_response(md5_shop(), empty)) == TRADE


TOKENS = [b"<alipay>", b"</alipay>", b"<is_success>", b"T", b"F", b"</is_success>", b"<response>", b"</response>",
          b"<trade>", b"</trade>", b"<trade/>", b"<sign>", b"</sign>", b"<sign_type>", b"MD5", b"RSA2", b"</sign_type>",
          b"<error>", b"</error>", b"<error/>", b"&amp;", b"&lt;", b"&#65;", b"&#x10FFFF;", b"&#xD800;", b"&", b"<",
          b">", b"<!", b"<?", b"]]>", b"\x00",
          b"\xff", b"\xef\xbb\xbf", b"\xd6\xd0", "茶".encode("utf-8"), b"\x81\x30\x81\x30", b"\n", b" ", b"=", b'"',
          b"'", b'<?xml version="1.0" encoding="GBK"?>', b'<?xml version="1.0" encoding="utf-8"?>',
          b'<?xml encoding="x"?>',
          b"<request>", b"</request>", b'<param name="a">', b"</param>", b"<a:b xmlns:a='c'/>", b"<html>", b"{}",
          hashlib.md5(MD5_KEY.encode("ascii")).hexdigest().encode("ascii"), answer()]
junk = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(TOKENS), max_size=25).map(b"".join),
                 st.lists(st.sampled_from(TOKENS), max_size=12).map(
                     lambda parts: b"<alipay><is_success>T</is_success>" + b"".join(parts) + b"</alipay>"))


@lru_cache(maxsize=None)
def judges():
    return (md5_shop(), md5_shop(input_charset="gbk"), md5_shop(input_charset=None), rsa_shop(),
            rsa_shop(alipay_public_key=None))


@given(junk)
@example(b"<alipay><is_success>F</is_success><sign>" + b"\xe9" * 9 + b"</sign></alipay>")
@example(b'<?xml encoding="\xff"?><alipay/>')
def test_property_7_any_bytes_are_an_answer_or_one_of_our_errors(xml):
    for shop in judges():
        for asked in (None, ASKED, {"service": "forex_refund"}):
            try:
                response = parse_response(shop, xml, asked)
            except AlipayError:
                continue
            assert isinstance(response, Response)
            assert response.trade_status is None or response.signed


@given(st.integers(0, len(answer()) - 1), st.integers(0, 40),
       st.one_of(st.binary(max_size=12), st.sampled_from(TOKENS)))
def test_property_7_a_damaged_answer_is_refused_or_says_the_same(start, length, instead):
    xml = answer()
    try:
        response = parse_response(md5_shop(), xml[:start] + instead + xml[start + length:], ASKED)
    except AlipayError:
        return
    if response.is_success:
        assert dict(response) == TRADE and response.signed
    else:
        assert dict(response) == {}


@given(st.text(max_size=8), st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=5),
                                      st.booleans(), st.decimals(), st.lists(st.integers(), max_size=2)),
       st.sampled_from(sorted(FIELDS) + ["not_listed", "sign"]))
def test_property_7_any_value_is_signed_or_one_of_our_errors(name, value, known):
    for each in (name, known):
        try:
            request = build_request(md5_shop(), "x", {each: value})
        except InvalidRequest as error:
            assert error.parameter is not None
        else:
            assert request.url


@given(st.dictionaries(st.one_of(own_names, st.sampled_from(sorted(FIELDS))),
                       st.one_of(st.none(), values, st.integers()), max_size=4))
def test_property_8_no_verdict_changes_what_the_caller_passed(given_params):
    before, asked = dict(given_params), dict(given_params)
    try:
        build_request(md5_shop(), "x", given_params)
    except AlipayError:
        pass
    try:
        parse_response(md5_shop(), answer(), asked)
    except AlipayError:
        pass
    assert given_params == asked == before


xml_text = st.text(WIDE.replace("\r", "") + "\"]!", max_size=25)


@given(st.dictionaries(own_names, xml_text, max_size=6), st.sampled_from(CHARSETS),
       st.sampled_from(["trade", "alipay", "timestamp", "csv_result"]), st.booleans())
def test_property_12_an_answer_is_read_as_it_was_written(elements, charset, container, agreed):
    codec = charset.lower()
    elements = {name: value.encode(codec, "ignore").decode(codec) for name, value in elements.items()}
    assume(buildable(elements))
    xml = answer(elements, container=container, charset=charset)
    shop = md5_shop(input_charset=charset if agreed else "utf-8")
    # A few short GBK texts are UTF-8 as well, with the same bytes; then UTF-8 is preferred, unless the shop uses GBK.
    assume(agreed or xml.decode("utf-8", "replace") == xml.decode(codec) or "\ufffd" in xml.decode("utf-8", "replace"))
    response = parse_response(shop, xml)
    assert dict(response) == {name: value for name, value in elements.items() if value}
    assert response.signed and response.container == container


FORBIDDEN = [b"<!-- x -->", b"<!---->", b"<?x y?>", b"<?x?>", b"<!DOCTYPE alipay>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
             b"<![CDATA[x]]>", b"<![CDATA[]]>", b"<!ENTITY a 'b'>", b"&a;", b'<?xml version="1.0"?>']


@given(st.integers(0, len(answer())), st.sampled_from(FORBIDDEN))
def test_property_13_nothing_forbidden_passes_wherever_it_stands(at, forbidden):
    xml = answer()
    if xml[:at].strip() or not forbidden.startswith(b"<?xml "):
        with pytest.raises(AlipayError):
            parse_response(md5_shop(), xml[:at] + forbidden + xml[at:])


def test_property_14_every_beginning_and_every_end_of_an_answer_is_refused():
    xml = answer()
    for at in range(len(xml)):
        with pytest.raises(AlipayError):
            parse_response(md5_shop(), xml[:at], ASKED)
    for at in range(xml.index(b"<alipay>") + 1, len(xml)):
        with pytest.raises(AlipayError):
            parse_response(md5_shop(), xml[at:], ASKED)


@given(st.integers(0, len(answer())), st.integers(1, len(answer())))
def test_property_14_an_answer_with_a_piece_cut_out_is_refused_or_says_the_same(at, length):
    """The same, when the piece was outside of what is signed: a blank, the echo of the request."""
    xml = answer()
    try:
        response = parse_response(md5_shop(), xml[:at] + xml[at + length:], ASKED)
    except AlipayError:
        return
    assert dict(response) == TRADE and response.signed and response.is_success


def plain(text):
    """The grammar of an amount, without a pattern: no sign, no leading zero, one or two decimals or none."""
    whole, point, fraction = text.partition(".")
    digits = "0123456789"
    return (0 < len(whole) <= 12 and all(c in digits for c in whole) and (whole == "0" or whole[0] != "0")
            and (not point or 1 <= len(fraction) <= 2) and all(c in digits for c in fraction))


@given(st.one_of(st.text("0123456789.", max_size=14), st.text("019.eE+-_ ,NaInf\n１２٣²", max_size=8),
                 st.text(max_size=5),
                 st.decimals(allow_nan=True).map(str), st.from_regex(r"[0-9]{1,13}\.[0-9]{0,3}", fullmatch=True)))
def test_property_15_an_amount_is_taken_if_and_only_if_it_is_plain(text):
    if plain(text):
        assert parse_amount(text) == Decimal(text) and format_amount(text) == text
    else:
        for function, error in ((parse_amount, MalformedParameter), (format_amount, InvalidRequest)):
            with pytest.raises(error):
                function(text)


@given(st.decimals(allow_nan=True, allow_infinity=True))
@example(Decimal("1.10"))
@example(Decimal("1.1000"))
@example(Decimal("5E+3"))
def test_property_15_a_decimal_is_written_exactly_or_refused(value):
    try:
        text = format_amount(value)
    except InvalidRequest:
        assert not (value.is_finite() and 0 < value < 10 ** 12 and value == value.quantize(Decimal("0.01")))
    else:
        assert plain(text) and Decimal(text) == value


FORMS = {"pem": pem, "bare": bare, "der": der, "bytes": lambda name: pem(name).encode("ascii")}


@given(st.sampled_from(["RSA", "RSA2", "DSA", "MD5"]), st.sampled_from(sorted(FORMS)), st.sampled_from(sorted(FORMS)),
       st.sampled_from([("private_key", "alipay_public_key"), ("private_key", "md5_key"),
                        ("alipay_public_key", "md5_key")]),
       st.text(string.ascii_letters + string.digits, min_size=32, max_size=32))
def test_property_22_any_two_keys_that_changed_places_are_refused(sign_type, one, two, swapped, md5_key):
    """Unswapped they are taken: test_merchant.py. A half that is not swapped is left out, as it may be."""
    kind = "dsa2048" if sign_type == "DSA" else "rsa2048"
    other = "dsa1024" if sign_type == "DSA" else "rsa2048-other"
    keys = {"private_key": FORMS[one](kind + "-private"), "alipay_public_key": FORMS[two](other + "-public"),
            "md5_key": md5_key}
    first, second = swapped
    given_keys = {first: keys[second], second: keys[first]}
    if sign_type == "MD5":
        given_keys.setdefault("md5_key", md5_key)
    with pytest.raises(ConfigurationError) as caught:
        Merchant(partner=PARTNER, sign_type=sign_type, **given_keys)
    assert md5_key not in str(caught.value)


@given(st.text(string.ascii_letters + string.digits, min_size=32, max_size=32),
       st.sampled_from(range(pickle.HIGHEST_PROTOCOL + 1)), st.sampled_from(["", "0" * 32, "zz"]))
def test_property_23_no_public_object_shows_a_secret(md5_key, protocol, forged):
    shop = md5_shop(md5_key=md5_key)
    request = build_request(shop, "x", {"out_trade_no": "A1"})
    signed = answer(sign=md5_sign(presign(TRADE), key=md5_key))
    objects = [shop, shop.signing_key, request, parse_response(shop, signed, request.params)]
    for xml in (answer(sign=forged), signed.replace(b"73.82", b"73.83")):
        with pytest.raises(AlipayError) as caught:
            parse_response(shop, xml)
        objects.append(caught.value)
    for each in objects:
        shown = repr(each) + str(each) + "{}".format(each) + "%r" % (each,) + repr(getattr(each, "facts", ""))
        try:
            shown += pickle.dumps(each, protocol).decode("latin-1")
        except (InvalidRequest, TypeError, pickle.PicklingError):
            assert not isinstance(each, AlipayError)
        assert md5_key not in shown and binascii.hexlify(md5_key.encode("ascii")).decode("ascii") not in shown
    assert request.sign not in repr(request) + str(request)
