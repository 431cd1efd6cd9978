"""Every usual mistake, made by hand with hashlib (or the shop's key), is recognised; and no key is ever told."""
import base64
import hashlib
import hmac
from urllib.parse import quote, quote_plus

import pytest

from alipay_mapi import algorithms
from alipay_mapi.emulator import Emulator, diagnosis
from alipay_mapi.keys import load_md5_key

KEY = "abcdefghijklmnopqrstuvwxyz012345"
OTHER = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
#: As sent: out of order, with an empty one and text that encodings change.
SENT = [("service", "create_forex_trade"), ("partner", "2088000000000101"), ("_input_charset", "utf-8"),
        ("subject", "绿 茶"), ("out_trade_no", "A1"), ("total_fee", "10.00"), ("currency", "USD"), ("body", ""),
        ("notify_url", "https://shop.example.com/n?a=1&b=2")]
#: What is to be signed, written down.
RIGHT = ("_input_charset=utf-8&currency=USD&notify_url=https://shop.example.com/n?a=1&b=2&out_trade_no=A1"
         "&partner=2088000000000101&service=create_forex_trade&subject=绿 茶&total_fee=10.00")
#: The same with sign_type among them.
WITH_TYPE = RIGHT.replace("&subject", "&sign_type=MD5&subject")


def md5(text, key=KEY, charset="utf-8"):
    return hashlib.md5(text.encode(charset) + key.encode("ascii")).hexdigest()


def diagnose(sign, sent=None, expected=RIGHT, sign_type="MD5", keys=None, others=None, charset="utf-8"):
    pairs = [(name.encode(charset), value.encode(charset)) for name, value in sent or SENT]
    pairs += [(b"sign", sign.encode("latin-1")), (b"sign_type", sign_type.encode("ascii"))]
    return diagnosis.diagnose(pairs, sign_type, keys or [load_md5_key(KEY)], expected.encode(charset), others)


ENCODED = "&".join("{}={}".format(*pair) for pair in [
    ("_input_charset", "utf-8"), ("currency", "USD"), ("notify_url", quote_plus("https://shop.example.com/n?a=1&b=2")),
    ("out_trade_no", "A1"), ("partner", "2088000000000101"), ("service", "create_forex_trade"),
    ("subject", quote_plus("绿 茶")), ("total_fee", "10.00")])
UNSORTED = "&".join("{}={}".format(*pair) for pair in SENT if pair[1])

#: name → text that was signed (the key follows).
TEXTS = [
    ("sign_type-signed", WITH_TYPE),
    ("sign_type-signed", RIGHT + "&sign_type=MD5"),
    ("empty-signed", RIGHT.replace("&currency", "&body=&currency")),
    ("sign_type-and-empty-signed", WITH_TYPE.replace("&currency", "&body=&currency")),
    ("unsorted", UNSORTED),
    ("encoded-before-signing", ENCODED),
    ("encoded-before-signing", ENCODED.replace("%E7%BB%BF+", "%E7%BB%BF%20")),
    ("encoded-before-signing", ENCODED.replace("%3A%2F%2F", "%3a%2f%2f").replace("%2Fn%3Fa%3D1%26b%3D2",
     "%2fn%3fa%3d1%26b%3d2").replace("%E7%BB%BF", "%e7%bb%bf").replace("%E8%8C%B6", "%e8%8c%b6")),
    ("encoded-before-signing:notify_url", RIGHT.replace(
        "https://shop.example.com/n?a=1&b=2", quote("https://shop.example.com/n?a=1&b=2", safe=""))),
    ("plus-became-blank:subject", RIGHT.replace("绿 茶", "绿+茶")),
    ("html-escaped:notify_url", RIGHT.replace("a=1&b=2", "a=1&amp;b=2")),
    ("quoted", "&".join('{}="{}"'.format(*pair) for pair in SENT if pair[1])),
    ("line-break-at-end", RIGHT + "\n"),
    ("left-out:_input_charset", RIGHT.replace("_input_charset=utf-8&", "")),
    ("left-out:notify_url", RIGHT.replace("notify_url=https://shop.example.com/n?a=1&b=2&", "")),
    ("left-out:total_fee", RIGHT.replace("&total_fee=10.00", "")),
    ("number-rewritten:total_fee", RIGHT.replace("10.00", "10.0")),
    ("number-rewritten:total_fee", RIGHT.replace("10.00", "10")),
    ("changed:_input_charset", RIGHT.replace("utf-8", "UTF-8")),
    ("added:payment_type", RIGHT.replace("&service", "&payment_type=1&service")),
    ("signed-with-question-marks:subject", RIGHT.replace("绿 茶", "? ?")),
]


@pytest.mark.parametrize("name, text", TEXTS)
def test_a_text_put_together_in_another_way_is_recognised(name, text):
    found = diagnose(md5(text))
    assert found.name == name
    assert found.presign.decode("utf-8") == text


KEYED = [
    ("key-with-ampersand", md5(RIGHT + "&"), RIGHT + "&<the MD5 key>"),
    ("key-as-parameter", md5(RIGHT + "&key="), RIGHT + "&key=<the MD5 key>"),
    ("key-as-parameter", md5(RIGHT + "key="), RIGHT + "key=<the MD5 key>"),
    ("key-in-front", md5(KEY + RIGHT, ""), "<the MD5 key>" + RIGHT),
    ("key-on-both-sides", md5(KEY + RIGHT), "<the MD5 key>" + RIGHT + "<the MD5 key>"),
    ("no-key", md5(RIGHT, ""), RIGHT),
    ("blank-in-key", md5(RIGHT, KEY + "\n"), RIGHT + "<the MD5 key>\n"),
    ("blank-in-key", md5(RIGHT, KEY + "\r\n"), RIGHT + "<the MD5 key>\r\n"),
    ("blank-in-key", md5(RIGHT, KEY + " "), RIGHT + "<the MD5 key> "),
    ("blank-in-key", md5(RIGHT, " " + KEY), RIGHT + " <the MD5 key>"),
    ("upper-case-hex", md5(RIGHT).upper(), RIGHT),
    ("blanks-around-sign", " " + md5(RIGHT) + "\n", RIGHT),
    ("sign-encoded-twice", "%" + "%".join("{:02X}".format(ord(c)) for c in md5(RIGHT)), RIGHT),
    ("md5-in-base64", base64.b64encode(bytes.fromhex(md5(RIGHT))).decode("ascii"), RIGHT),
    ("wrong-hash", hashlib.sha1((RIGHT + KEY).encode("utf-8")).hexdigest(), RIGHT),
    ("wrong-hash", hashlib.sha256((RIGHT + KEY).encode("utf-8")).hexdigest(), RIGHT),
    ("hmac", hmac.new(KEY.encode("ascii"), RIGHT.encode("utf-8"), "md5").hexdigest(), RIGHT),
    ("hmac", hmac.new(KEY.encode("ascii"), RIGHT.encode("utf-8"), "sha256").hexdigest(), RIGHT),
    # two at once
    ("unsorted + encoded-before-signing", md5("&".join(
        "{}={}".format(name, quote_plus(value)) for name, value in SENT if value)), None),
    ("sign_type-signed + key-with-ampersand", md5(WITH_TYPE + "&"), WITH_TYPE + "&<the MD5 key>"),
    ("unsorted + upper-case-hex", md5(UNSORTED).upper(), UNSORTED),
    ("encoded-before-signing + key-in-front", md5(KEY + ENCODED, ""), "<the MD5 key>" + ENCODED),
]


@pytest.mark.parametrize("name, sign, text", KEYED)
def test_a_sign_made_or_written_in_another_way_is_recognised(name, sign, text):
    found = diagnose(sign)
    assert found.name == name and found.sentence
    if text is not None:
        assert found.presign.decode("utf-8") == text


@pytest.mark.parametrize("name, sent, text", [
    ("encoded-twice", [(name, quote(value, safe="")) for name, value in SENT], RIGHT),
    ("encoded-twice:notify_url", [(name, quote(value, safe="") if name == "notify_url" else value)
                                  for name, value in SENT], RIGHT),
    ("blanks-trimmed:extra", SENT + [("extra", "blank ")], RIGHT.replace("&notify", "&extra=blank&notify")),
    ("html-escaped-on-sending:notify_url", [(name, value.replace("&", "&amp;")) for name, value in SENT], RIGHT),
    ("sorted-without-case", SENT + [("sendFormat", "normal"), ("sendback", "1")],
     RIGHT.replace("&service", "&sendback=1&sendFormat=normal&service")),
])
def test_what_was_sent_in_another_way_than_it_was_signed_is_recognised(name, sent, text):
    assert diagnose(md5(text), sent, expected="&".join("{}={}".format(*pair) for pair in sorted(sent))).name == name


def test_a_text_signed_in_gbk_and_sent_in_utf_8_is_recognised():
    assert diagnose(md5(RIGHT, charset="gbk")).name == "signed-in-gbk:subject"


def test_a_text_signed_in_utf_8_and_sent_in_gbk_is_recognised():
    sent = [(name, "gbk" if name == "_input_charset" else value) for name, value in SENT]
    right = RIGHT.replace("utf-8", "gbk")
    assert diagnose(md5(right), sent, right, charset="gbk").name == "signed-in-utf-8:subject"


def test_a_charset_that_stands_in_the_body_alone_is_recognised():
    assert diagnose(md5(RIGHT), expected=RIGHT.replace("绿 茶", "缁� 鑼�")).name == "charset-in-body"


def test_another_merchants_key_is_recognised():
    found = diagnose(md5(RIGHT, OTHER), others={"second": ("MD5", [load_md5_key(OTHER)])})
    assert found.name == "other-merchant" and "second" in found.sentence


@pytest.mark.parametrize("sign", [md5(RIGHT, OTHER), "0" * 32, "x", "%", "é", "=" * 100, "A" * 5000, "\n"],
                         ids=lambda sign: ascii(sign[:8]))
def test_anything_else_is_unknown_and_the_expected_text_is_told(sign):
    found = diagnose(sign)
    assert (found.name, found.presign.decode("utf-8")) == ("unknown", RIGHT)


def test_no_sign_at_all_is_told_so():
    assert diagnose("").name == "no-sign"


def test_no_finding_holds_the_key():
    for sign in [md5(text) for _, text in TEXTS] + [sign for _, sign, _ in KEYED]:
        found = diagnose(sign)
        assert KEY not in found.sentence + found.name + found.presign.decode("utf-8", "replace")


def test_the_words_that_stand_for_text_and_key_may_be_in_a_message():
    sent = SENT + [("extra", "TEXT KEY")]
    right = RIGHT.replace("&notify", "&extra=TEXT KEY&notify")
    found = diagnose(md5(right + "&"), sent, right)
    assert found.name == "key-with-ampersand" and found.presign.decode("utf-8") == right + "&<the MD5 key>"


# --- with a key pair ----------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def pairs():
    with Emulator(seed=1) as emulator:
        yield {name: (emulator.shop(name).signing_key, emulator.merchant(name).signer.checking_keys)
               for name in ("rsa", "rsa2", "dsa")}


def signed(pairs, name, text, sign_type=None):
    return algorithms.sign(sign_type or name.upper(), pairs[name][0], text.encode("utf-8"))


@pytest.mark.parametrize("name", ["rsa", "rsa2", "dsa"])
def test_the_text_is_found_out_with_a_public_key_too(pairs, name):
    text = RIGHT.replace("&subject", "&sign_type={}&subject".format(name.upper()))
    for expected, wrong in (("sign_type-signed", text), ("unsorted", UNSORTED), ("encoded-before-signing", ENCODED),
                            ("left-out:currency", RIGHT.replace("currency=USD&", ""))):
        assert diagnose(signed(pairs, name, wrong), sign_type=name.upper(), keys=pairs[name][1]).name == expected


def test_the_other_hash_is_recognised(pairs):
    for name, other in (("rsa", "RSA2"), ("rsa2", "RSA")):
        found = diagnose(signed(pairs, name, RIGHT, other), sign_type=name.upper(), keys=pairs[name][1])
        assert found.name == "wrong-hash" and "sign_type " + other in found.sentence


@pytest.mark.parametrize("name, change", [
    ("blanks-around-sign", lambda sign: sign[:76] + "\n" + sign[76:] + "\n"),
    ("sign-encoded-twice", lambda sign: quote(sign, safe="")),
    ("url-safe-base64", lambda sign: sign.replace("+", "-").replace("/", "_")),
    ("no-padding", lambda sign: sign.rstrip("="))])
def test_a_damaged_spelling_of_base64_is_recognised(pairs, name, change):
    number = 0
    while True:     # a sign with both of the characters that matter; RSA signs are the same each time
        sent = SENT + [("extra", str(number))]
        right = RIGHT.replace("&notify", "&extra={}&notify".format(number))
        sign = signed(pairs, "rsa", right)
        if "+" in sign and "/" in sign:
            break
        number += 1
    assert diagnose(change(sign), sent, right, "RSA", pairs["rsa"][1]).name == name


def test_a_key_pair_of_another_merchant_is_recognised(pairs):
    found = diagnose(signed(pairs, "rsa2", RIGHT), sign_type="RSA", keys=pairs["rsa"][1],
                     others={"rsa2": ("RSA2", pairs["rsa2"][1])})
    assert found.name == "other-merchant" and "rsa2" in found.sentence


def test_a_key_pair_that_nobody_knows_is_unknown(pairs):
    found = diagnose(signed(pairs, "rsa2", RIGHT), sign_type="RSA", keys=pairs["rsa"][1])
    assert found.name == "unknown"


def test_two_hundred_parameters_take_no_long_time(pairs):
    sent = [("a{}".format(number), "v" * 20) for number in range(200)]
    assert diagnose("A" * 172, sent, "x", "RSA", pairs["rsa"][1]).name == "unknown"
