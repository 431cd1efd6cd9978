"""The asynchronous notification, from raw bytes to a verdict.

Each row of the threat table has a hostile message and its genuine twin. What belongs to a view and not to bytes (T-30
the merge of query and body, T-32 the method, T-33 exemptions and GET) is tested there once there is one; here stands
what bytes and a content type can show of it.
"""
import base64
import hashlib
import json
from decimal import Decimal

import pytest

from alipay_mapi.errors import (AlipayError, AmbiguousContent, AmountMismatch, BodyTooLarge, CharsetError,
                                CurrencyMismatch, DuplicateParameter, InvalidRequest, MalformedParameter,
                                MalformedSignature, MissingKey, MissingParameter, NotConfirmed, NotifyNotGenuine,
                                OrderMismatch, OrderNotFound, PartyMismatch, SignatureInvalid, SignatureMissing,
                                SignTypeMismatch, TooManyParameters, UnexpectedParameter, UnknownStatus,
                                UnsupportedContentType, UnsupportedSignType)
from alipay_mapi.merchant import Merchant
from alipay_mapi.notification import REPLY_SUCCESS, Notification, verify_notify
from alipay_mapi.order import Order
from genuine import (DIRECT, FILES, FORM, FOREX, KEYS, MD5_KEY, PARTNER, REFUND, RETURN, SIGN_TYPES, STRANGER, changed,
                     form, key_file, message, openssl, presign, shop, sign, signed)

USD = Order("A1", total_fee="8.00", currency="USD")
YUAN = Order("A1", total_fee="8.00")
SAMPLES = sorted((KEYS.parent / "notifications").glob("*.json"))


def never(*args):
    """For order= and confirm= of messages that must not get that far."""
    raise LookupError("called")


def refuse(error, merchant, body, content_type=None):
    """Refused, and neither the shop's database nor the gateway was asked."""
    with pytest.raises(error) as refused:
        verify_notify(merchant, body, content_type, order=never, confirm=never)
    return refused.value


# --- messages that Alipay signed --------------------------------------------------------------------------------

@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_a_recorded_notification_gets_its_verdict(path):
    sample = json.loads(path.read_text("utf-8"))
    merchant, body = Merchant(**sample["merchant"]), sample["raw"].encode("ascii")
    if sample["expect"] != "valid":
        assert type(refuse(AlipayError, merchant, body)).__name__ == sample["expect"]
        return
    order = Order(**sample["order"]) if "order" in sample else None
    note = verify_notify(merchant, body, FORM + "utf-8", order)
    assert note.kind == sample["kind"]
    assert note.is_paid is (order is not None)
    assert {name: note[name] for name in sample["fields"]} == sample["fields"]
    assert not {"sign", "sign_type"} & set(note)
    for broken in (body.replace(b"0", b"1", 1), body + b"&x=1", body.replace(b"notify_id", b"notify_if")):
        refuse((SignatureInvalid, MalformedSignature), merchant, broken)


def test_there_are_recorded_notifications():
    assert len(SAMPLES) == 12


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
def test_a_genuine_notification_of_every_sign_type_is_paid(sign_type):
    note = verify_notify(shop(sign_type), message(DIRECT, sign_type), FORM + "utf-8", YUAN)
    assert note.is_paid and note.kind == "trade" and not note.is_refund and not note.is_closed
    assert note.passed == {"sign", "party", "order", "amount"}
    assert set(note.unchecked) == {"confirmed"}
    assert dict(note) == DIRECT
    assert note.total_fee == Decimal("8.00")


def test_it_is_paid_only_when_order_and_amount_were_compared():
    note = verify_notify(shop(), message(FOREX))
    assert note.trade_status == "TRADE_FINISHED" and not note.is_paid
    assert "order=" in note.unchecked["order"] and "order=" in note.unchecked["amount"]
    assert verify_notify(shop(), message(FOREX), order=USD).is_paid
    assert verify_notify(shop(), message(FOREX), order={"A1": USD}.get).is_paid


@pytest.mark.parametrize("missing", ["sign", "party", "order", "amount"])
def test_it_is_paid_only_when_each_of_the_four_checks_passed(missing):
    checks = ["sign", "party", "order", "amount"]
    assert Notification(FOREX, "trade", checks, {}).is_paid
    assert not Notification(FOREX, "refund", checks, {}).is_paid
    assert not Notification(FOREX, "trade", [check for check in checks if check != missing] + ["confirmed"], {}).is_paid


def test_an_order_priced_in_cny_is_not_paid_by_a_notification():
    note = verify_notify(shop(), message(FOREX), order=Order("A1", rmb_fee="50.00"))
    assert not note.is_paid and "order" in note.passed and "single_trade_query" in note.unchecked["amount"]


def test_a_closed_trade_is_closed_and_not_paid():
    note = verify_notify(shop(), message(changed(FOREX, trade_status="TRADE_CLOSED")), order=USD)
    assert note.is_closed and not note.is_paid


def test_a_refund_notification_is_about_a_refund():
    note = verify_notify(shop(), message(REFUND), order=USD)
    assert note.is_refund and not note.is_paid and note.kind == "refund"
    assert note.return_amount == Decimal("3.00")
    assert "order" in note.passed and "part" in note.unchecked["amount"]


def test_a_refund_notification_never_counts_as_a_payment():
    note = verify_notify(shop(), message(changed(FOREX, out_return_no="R1", refund_status="REFUND_SUCCESS")), order=USD)
    assert note.is_refund and not note.is_paid


def test_a_batch_notification_is_not_about_one_order():
    batch = {"notify_type": "batch_refund_notify", "notify_id": "b1", "notify_time": "2017-03-05 18:21:11",
             "batch_no": "20170305001", "success_num": "1", "result_details": "2017^8.00^SUCCESS"}
    note = verify_notify(shop(), message(batch), order=never)
    assert note.kind == "batch_refund" and not note.is_paid
    assert "not about one order" in note.unchecked["order"] and note.unchecked["order"] == note.unchecked["amount"]


def test_a_notify_type_of_a_later_day_is_handed_out_and_never_paid():
    note = verify_notify(shop(), message(changed(FOREX, notify_type="trade_status_async")), order=USD)
    assert note.kind == "other" and not note.is_paid and not note.is_closed


@pytest.mark.parametrize("notify_type,names", [
    ("trade_status_sync", ["out_trade_no", "trade_no", "trade_status"]),
    ("batch_refund_notify", ["batch_no", "result_details"]),
    ("batch_trans_notify", ["batch_no", "success_details"]),
])
def test_what_a_notify_type_must_have_is_named_when_it_is_missing(notify_type, names):
    whole = changed(FOREX, notify_type=notify_type, batch_no="b", result_details="r", success_details="s")
    verify_notify(shop(), message(whole))
    for name in names:
        for broken in (changed(whole, name), changed(whole, **{name: ""})):
            assert refuse(MissingParameter, shop(), message(broken)).parameter == name


def test_a_refund_must_say_how_it_ended():
    assert refuse(MissingParameter, shop(), message(changed(REFUND, "refund_status"))).parameter == "refund_status"


def test_nothing_else_is_required():
    least = {name: FOREX[name] for name in ("notify_type", "notify_id", "out_trade_no", "trade_no", "trade_status")}
    assert dict(verify_notify(shop(), message(least))) == least


def test_a_merchant_without_alipay_s_key_is_told_so():
    with pytest.raises(MissingKey, match="alipay_public_key"):
        verify_notify(Merchant(PARTNER, "RSA2"), message(DIRECT, "RSA2"))


def test_two_keys_of_alipay_count_while_they_change_over():
    both = Merchant(PARTNER, "RSA2", alipay_public_key=[key_file("rsa2048"), key_file(FILES["RSA2"])])
    assert verify_notify(both, message(DIRECT, "RSA2"), order=YUAN).is_paid
    refuse(SignatureInvalid, Merchant(PARTNER, "RSA2", alipay_public_key=[key_file("rsa2048")]),
           message(DIRECT, "RSA2"))


def test_the_reply_is_seven_letters():
    assert REPLY_SUCCESS == "success"


# --- T-01 to T-18: signature and algorithm ----------------------------------------------------------------------

def public_halves():
    pem = key_file(FILES["RSA2"])
    return [pem, "".join(pem.split("\n")[1:-2]), pem.strip(), "", "None", "null"]


@pytest.mark.parametrize("key", public_halves(), ids=["pem", "bare", "stripped", "nothing", "None", "null"])
def test_T01_md5_keyed_with_what_everybody_knows_is_refused_by_an_rsa_merchant(key):
    refuse(SignTypeMismatch, shop("RSA2"), message(DIRECT, "MD5", key=key))
    assert verify_notify(shop("RSA2"), message(DIRECT, "RSA2"), order=YUAN).is_paid


def test_T02_an_md5_key_that_is_still_configured_beside_rsa2_opens_nothing():
    both = shop("RSA2", md5_key=MD5_KEY)
    refuse(SignTypeMismatch, both, message(DIRECT, "MD5"))
    assert verify_notify(both, message(DIRECT, "RSA2"), order=YUAN).is_paid


def test_T02_the_other_way_round():
    both = shop("MD5", alipay_public_key=key_file(FILES["RSA2"]))
    refuse(SignTypeMismatch, both, message(DIRECT, "RSA2"))
    assert verify_notify(both, message(DIRECT, "MD5"), order=YUAN).is_paid


def test_T03_a_genuine_sha_1_signature_of_the_same_key_is_refused_by_an_rsa2_merchant():
    forged = changed(DIRECT, sign_type="RSA", sign=openssl(presign(DIRECT), "sha1", FILES["RSA2"]))
    refuse(SignTypeMismatch, shop("RSA2"), form(forged))
    as_rsa = Merchant(PARTNER, "RSA", alipay_public_key=key_file(FILES["RSA2"]))
    assert verify_notify(as_rsa, form(forged), order=YUAN).is_paid


@pytest.mark.parametrize("hash_name", ["sha1", "md5", "sha384", "sha512"])
def test_T04_another_hash_inside_a_signature_that_says_rsa2_is_refused(hash_name):
    forged = changed(DIRECT, sign_type="RSA2", sign=openssl(presign(DIRECT), hash_name, FILES["RSA2"]))
    refuse(SignatureInvalid, shop("RSA2"), form(forged))
    forged["sign"] = openssl(presign(DIRECT), "sha256", FILES["RSA2"])
    assert verify_notify(shop("RSA2"), form(forged), order=YUAN).is_paid


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
@pytest.mark.parametrize("named,error", [
    (None, UnsupportedSignType), ("", UnsupportedSignType), ("lower", UnsupportedSignType),
    ("RSA256", UnsupportedSignType), ("none", UnsupportedSignType), ("HMAC", UnsupportedSignType),
    ("pad", UnsupportedSignType), ("padr", UnsupportedSignType), ("ＲＳＡ", UnsupportedSignType),
    ("nul", MalformedParameter), ("other", SignTypeMismatch),
])
def test_T05_a_sign_type_that_is_not_exactly_the_configured_one_is_refused(sign_type, named, error):
    word = {"lower": sign_type.lower(), "pad": " " + sign_type, "padr": sign_type + "\n", "nul": sign_type + "\0",
            "other": "RSA" if sign_type != "RSA" else "RSA2"}.get(named, named)
    whole = signed(DIRECT, sign_type)
    assert verify_notify(shop(sign_type), form(whole), order=YUAN).is_paid
    whole = changed(whole, "sign_type") if word is None else changed(whole, sign_type=word)
    refuse(error, shop(sign_type), form(whole))


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
def test_T06_no_sign_an_empty_one_and_a_misspelled_one_are_missing(sign_type):
    whole = signed(DIRECT, sign_type)
    refuse(SignatureMissing, shop(sign_type), form(changed(whole, "sign")))
    refuse(SignatureMissing, shop(sign_type), form(changed(whole, sign="")))
    for name in ("Sign", "SIGN", "sign ", "signature"):
        refuse(SignatureMissing, shop(sign_type), form(changed(whole, "sign", **{name: whole["sign"]})))
    assert verify_notify(shop(sign_type), form(whole), order=YUAN).is_paid


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
@pytest.mark.parametrize("junk", ["签名", "é" * 32, b"\xff" * 32, "\u202e", "ａｂ", b"\xed\xa0\x80"])
def test_T07_a_sign_outside_ascii_is_malformed(sign_type, junk):
    refuse(MalformedSignature, shop(sign_type), form(changed(signed(DIRECT, sign_type), sign=junk)))
    assert verify_notify(shop(sign_type), message(DIRECT, sign_type), order=YUAN).is_paid


def respellings(text):
    """One base64 signature, spelled in ways that lenient decoders take."""
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bare = text.rstrip("=")
    return {
        "no padding": bare, "more padding": text + "=", "text after": text + "AAAA",
        "junk inside": text[:9] + "!" + text[9:],
        "line break": text[:64] + "\n" + text[64:], "crlf at the end": text + "\r\n", "tab": text[:8] + "\t" + text[8:],
        "spare bits": bare[:-1] + last[last.index(bare[-1]) + 1] + "=" * (len(text) - len(bare)),
        "quoted": '"' + text + '"', "twice encoded": base64.b64encode(text.encode()).decode(), "hex": "00" * 128,
        "long": text * 40,
    }


@pytest.mark.parametrize("kind", sorted(respellings("AAA=")))
def test_T08_and_T09_another_spelling_of_the_same_signature_is_refused(kind):
    whole = signed(DIRECT, "RSA2")
    assert whole["sign"].endswith("==")     # 256 bytes: there are spare bits
    refuse((MalformedSignature, SignatureInvalid), shop("RSA2"),
           form(changed(whole, sign=respellings(whole["sign"])[kind])))
    assert verify_notify(shop("RSA2"), form(whole), order=YUAN).is_paid


def with_a_plus(sign_type):
    """A genuine message whose sign holds a plus sign."""
    for number in range(100):
        whole = signed(changed(DIRECT, subject="Tea {}".format(number)), sign_type)
        if "+" in whole["sign"]:
            return whole


@pytest.mark.parametrize("sign_type", ["RSA", "RSA2"])
def test_T10_a_plus_that_became_a_blank_is_mended_and_nothing_else(sign_type):
    whole = with_a_plus(sign_type)
    assert verify_notify(shop(sign_type), form(whole), order=YUAN).is_paid
    assert verify_notify(shop(sign_type), form(changed(whole, sign=whole["sign"].replace("+", " "))),
                         order=YUAN).is_paid
    for other in ("-", "_", "", "%2B", "\t", "  "):
        refuse((MalformedSignature, SignatureInvalid), shop(sign_type),
               form(changed(whole, sign=whole["sign"].replace("+", other))))


@pytest.mark.parametrize("mangle", [
    str.upper, lambda text: text[:31], lambda text: text + "0", lambda text: "0", lambda text: "0e" + "1" * 30,
    lambda text: text + " ", lambda text: " " + text, lambda text: text[:-1] + "g", lambda text: "0x" + text[2:],
    lambda text: base64.b64encode(bytes.fromhex(text)).decode(), lambda text: "٠" * 32,
], ids=["upper", "short", "long", "0", "0e", "blank after", "blank before", "not hex", "0x", "base64", "arabic"])
def test_T14_an_md5_sign_is_exactly_32_lower_case_hex_digits(mangle):
    whole = signed(FOREX)
    refuse((MalformedSignature, SignatureInvalid), shop(), form(changed(whole, sign=mangle(whole["sign"]))))
    assert verify_notify(shop(), form(whole), order=USD).is_paid


def magic():
    """A genuine message whose sign starts with a digit and an e, as loose comparison takes for a number."""
    for number in range(100000):
        params = changed(FOREX, memo=str(number))
        if sign(presign(params))[:2] in ("0e", "1e"):
            return params


def test_T14_a_digest_that_looks_like_a_number_is_compared_as_text():
    params = magic()
    for sent in ("0", "0e0", "0e" + "0" * 30, "1e" + "0" * 30):
        refuse((MalformedSignature, SignatureInvalid), shop(), form(changed(params, sign=sent, sign_type="MD5")))
    assert verify_notify(shop(), message(params), order=USD).is_paid


# --- T-16: the signed text, cut in another place ----------------------------------------------------------------

#: What a shop of another library signs when the buyer writes its texts. Ours refuses to build it.
OURS = {
    "_input_charset": "utf-8", "currency": "USD", "notify_url": "https://shop.example/notify", "out_trade_no": "A1",
    "partner": PARTNER, "return_url": "https://shop.example/back", "service": "create_forex_trade", "total_fee": "8.00",
    "body": "for you&currency=USD&notify_id=n1&notify_type=trade_status_sync&notify_url=",
    "subject": "Tea&total_fee=8.00&trade_no=2018&trade_status=TRADE_FINISHED&x=",
}
#: The same text, cut as the buyer likes it: service and the real fields are inside values.
REFLECTED = [
    ("_input_charset", "utf-8"), ("body", "for you"), ("currency", "USD"), ("notify_id", "n1"),
    ("notify_type", "trade_status_sync"), ("notify_url", "&currency=USD&notify_url=https://shop.example/notify"),
    ("out_trade_no", "A1"), ("partner", PARTNER),
    ("return_url", "https://shop.example/back&service=create_forex_trade&subject=Tea"), ("total_fee", "8.00"),
    ("trade_no", "2018"), ("trade_status", "TRADE_FINISHED"), ("x", "&total_fee=8.00"),
]
#: The gateway's return for a payment of 0.01, whose texts the buyer wrote.
CHEAP = changed(RETURN, out_trade_no="B7", total_fee="0.01",
                body="b&notify_id=n1&notify_type=trade_status_sync&out_trade_no=A1&pay=",
                subject="s&total_fee=8.00&trade_no=2018&trade_status=TRADE_SUCCESS&x=")
#: The same text, cut into a notification that order A1 was paid in full.
DEAR = [
    ("body", "b"), ("notify_id", "n1"), ("notify_type", "trade_status_sync"), ("out_trade_no", "A1"),
    ("pay", "&buyer_email=buyer@example.com&buyer_id=2088000000000001&exterface=create_direct_pay_by_user&is_success=T"
            "&notify_id=RqPnCoPT3K9%2Fvwbh3InW%2B9DRu6&notify_time=2017-03-05 18:17:20&notify_type=trade_status_sync"
            "&out_trade_no=B7&payment_type=1"),
    ("seller_email", "shop@example.com"), ("seller_id", PARTNER), ("subject", "s"), ("total_fee", "8.00"),
    ("trade_no", "2018"), ("trade_status", "TRADE_SUCCESS"),
    ("x", "&total_fee=0.01&trade_no=2017030521001004840200342628&trade_status=TRADE_SUCCESS"),
]
PADDING = [("e{}".format(number), "") for number in range(9)]


def with_sign_of(params, pairs, sign_type="MD5"):
    """``pairs`` under the genuine sign of ``params``; both make the same signed text, or the attack is none."""
    assert "&".join(name + "=" + value for name, value in pairs).encode("utf-8") == presign(params)
    assert [name for name, _ in pairs] == sorted(name for name, _ in pairs)
    return form(pairs + [("sign", sign(presign(params), sign_type)), ("sign_type", sign_type)])


def test_T16_our_own_signed_url_is_not_a_notification():
    """One MD5 key serves both ways, so the sign fits; what it is shows that it is not one."""
    plain = changed(OURS, body="for you", subject="Tea")
    refuse(UnexpectedParameter, shop(), message(plain))
    posing = changed(plain, notify_id="n1", notify_type="trade_status_sync", trade_no="2018",
                     trade_status="TRADE_FINISHED")
    refuse(UnexpectedParameter, shop(), message(posing))
    assert verify_notify(shop(), message(changed(posing, "service", "return_url", "notify_url")), order=USD).is_paid


def test_T16_our_own_signed_url_re_cut_into_a_notification_is_refused():
    refuse(AmbiguousContent, shop(), with_sign_of(OURS, REFLECTED))


@pytest.mark.parametrize("count", [1, 5, 9])
def test_T16_empty_parameters_beside_a_re_cut_do_not_hide_it(count):
    """They are not signed, so an attacker can add as many as he likes; a count of & against names once missed it."""
    refuse(AmbiguousContent, shop(), with_sign_of(OURS, REFLECTED) + b"&" + form(PADDING[:count]))
    refuse(AmbiguousContent, shop("RSA"), with_sign_of(CHEAP, DEAR, "RSA") + b"&" + form(PADDING[:count]))


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
def test_T16_a_genuine_return_re_cut_into_a_notification_is_refused(sign_type):
    """Seller, sign and sign_type are all genuine; so would be an answer of notify_verify."""
    merchant = shop(sign_type)
    refuse(AmbiguousContent, merchant, with_sign_of(CHEAP, DEAR, sign_type))
    confirmed = []
    with pytest.raises(AmbiguousContent):
        verify_notify(merchant, with_sign_of(CHEAP, DEAR, sign_type), order=YUAN,
                      confirm=lambda notify_id: confirmed.append(notify_id) or True)
    assert confirmed == []


@pytest.mark.parametrize("sign_type", ["MD5", "RSA"])
def test_T16_a_genuine_return_posted_as_it_is_is_refused(sign_type):
    refuse(UnexpectedParameter, shop(sign_type), message(RETURN, sign_type))
    for mark in ("is_success", "exterface", "service"):
        assert refuse(UnexpectedParameter, shop(sign_type), message(changed(DIRECT, **{mark: "T"}),
                                                                    sign_type)).parameter == mark
    five = {name: FOREX[name] for name in ("currency", "out_trade_no", "total_fee", "trade_no", "trade_status")}
    refuse(AmbiguousContent, shop(sign_type), message(five, sign_type))


@pytest.mark.parametrize("absorbed", ["service", "is_success", "exterface", "out_trade_no", "total_fee", "seller_id",
                                      "notify_id", "trade_status", "partner", "sign_type", "sign", "body"])
@pytest.mark.parametrize("sign_type", ["MD5", "RSA"])
def test_T16_a_name_of_the_protocol_absorbed_into_any_value_is_refused(sign_type, absorbed):
    for holder in ("body", "extra_common_param", "subject", "a_name_nobody_knows"):
        hostile = changed(DIRECT, **{holder: "x&{}=y".format(absorbed)})
        error = refuse(AmbiguousContent, shop(sign_type), message(hostile, sign_type))
        assert error.parameter == holder
    assert verify_notify(shop(sign_type), message(changed(DIRECT, body="x &{} =y".format(absorbed)), sign_type),
                         order=YUAN).is_paid


@pytest.mark.parametrize("value", ["uid=5&ref=home", "a&b", "&", "&&=&", "a=1&b=2&c=3", "total_fee=0.01", "R&D",
                                   "&total_fee",
                                   "&Total_fee=1", "&xtotal_fee=1", "&total_feex=1"])
@pytest.mark.parametrize("sign_type", ["MD5", "RSA"])
def test_T16_a_shop_s_own_pair_in_its_own_parameter_stays_legal(sign_type, value):
    genuine = changed(DIRECT, extra_common_param=value)
    note = verify_notify(shop(sign_type), message(genuine, sign_type), order=YUAN)
    assert note.is_paid and note.extra_common_param == value


@pytest.mark.parametrize("name", ["notify_type", "notify_id"])
def test_T16_a_signed_message_that_does_not_say_it_is_a_notification_is_none(name):
    refuse(AmbiguousContent, shop(), message(changed(FOREX, name)))
    refuse(AmbiguousContent, shop(), message(changed(FOREX, **{name: ""})))


# --- T-20 to T-33: parameters and bytes -------------------------------------------------------------------------

@pytest.mark.parametrize("extra", [b"&total_fee=0.01", b"&total_fee=8.00", b"&total_fee=", b"&total%5ffee=0.01",
                                   b"&sign=x", b"&sign_type=MD5", b"&sign_type="])
def test_T20_a_name_twice_is_refused_in_a_genuine_message(extra):
    body = message(FOREX)
    refuse(DuplicateParameter, shop(), body + extra)
    refuse(DuplicateParameter, shop(), extra[1:] + b"&" + body)
    assert verify_notify(shop(), body, order=USD).is_paid


@pytest.mark.parametrize("extra", [b"&total_fee[]=0.01", b"&total_fee%5B%5D=0.01", b"&a=1;total_fee=0.01",
                                   b"&TOTAL_FEE=1"])
def test_T21_brackets_and_semicolons_are_an_unsigned_extra(extra):
    refuse(SignatureInvalid, shop(), message(FOREX) + extra)
    assert verify_notify(shop(), message(changed(FOREX, **{"x[]": "1;y=2"})), order=USD)["x[]"] == "1;y=2"


@pytest.mark.parametrize("params", [changed(FOREX, subject="a\0b"), changed(FOREX, **{"a\0b": "1"}),
                                    changed(FOREX, **{"a\nb": "1"}), changed(FOREX, **{"a&b": "1"}),
                                    changed(FOREX, **{"a=b": "1"}), changed(FOREX, **{"a\r": "1"})])
def test_T22_a_nul_and_a_name_with_a_separator_are_refused_even_when_signed(params):
    refuse(MalformedParameter, shop(), message(params))


def test_T22_line_breaks_in_a_text_are_legitimate():
    note = verify_notify(shop(), message(changed(FOREX, body="one\r\ntwo\nthree=3\tfour")), order=USD)
    assert note.is_paid and note.body == "one\r\ntwo\nthree=3\tfour"


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\xc0\xaf", b"\xe6\xb5", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"],
                         ids=["invalid", "over-long", "cut", "surrogate", "five bytes"])
def test_T23_signed_bytes_that_are_not_utf_8_are_refused_and_never_replaced(raw):
    for content_type in (None, FORM + "utf-8"):
        refuse(CharsetError, shop(), message(changed(FOREX, subject=raw)), content_type)
    refuse(CharsetError, shop(), message({**FOREX, raw: "v"}))      # in a name as well
    assert verify_notify(shop(), message(changed(FOREX, subject="测试\U0001f375")),
                         order=USD).subject == "测试\U0001f375"


@pytest.mark.parametrize("header", [FORM + "gbk", FORM + "GBK", FORM + '"GBK"', FORM + "gb2312", FORM + "gb18030",
                                    "application/x-www-form-urlencoded;charset=GBK", None])
@pytest.mark.parametrize("configured", ["gbk", "GBK", "gb2312", "gb18030", None])
def test_T24_a_gbk_merchant_s_notification_is_read(header, configured):
    genuine = changed(DIRECT, subject="测试订单", body="茶叶 100 克")
    note = verify_notify(shop(input_charset=configured), message(genuine, charset="gbk"), header, YUAN)
    assert note.is_paid and (note.subject, note.body) == ("测试订单", "茶叶 100 克")


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
@pytest.mark.parametrize("charset", ["utf-8", "gbk", "gb2312", "gb18030"])
def test_T24_every_sign_type_in_every_charset(charset, sign_type):
    """Asked in one charset, answered in another: what the header says is believed if the sign fits the bytes."""
    genuine = changed(DIRECT, subject="测试订单")
    for configured in ("utf-8", charset):
        note = verify_notify(shop(sign_type, input_charset=configured), message(genuine, sign_type, charset),
                             FORM + charset, YUAN)
        assert note.is_paid and note.subject == "测试订单"


def test_T24_the_message_may_name_its_charset_itself():
    genuine = changed(FOREX, _input_charset="gbk", subject="测试订单")
    assert verify_notify(shop(), message(genuine, charset="gbk"), order=USD).subject == "测试订单"
    refuse(CharsetError, shop(), message(changed(genuine, "_input_charset"), charset="gbk"))


def test_T24_a_gbk_notification_that_a_framework_decoded_cannot_be_verified():
    body = message(changed(FOREX, subject="测试订单"), charset="gbk")
    lossy = body.replace(form({"": "测试订单"}, "gbk")[1:], "\ufffd".encode("utf-8") * 4)
    assert lossy != body
    refuse(SignatureInvalid, shop(input_charset="gbk"), lossy, FORM + "gbk")


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "UTF-7", "utf-32", "latin-1", "rot13", "base64", "idna",
                                     "cp037",
                                     "unicode_escape", "", "x" * 5000, "\u202e", "utf-8\x00"])
def test_T25_a_charset_outside_the_list_is_ignored_and_never_used(charset):
    genuine = changed(FOREX, subject="测试 +AGE-")
    note = verify_notify(shop(), message(genuine), FORM + charset, USD)
    assert note.is_paid and note.subject == "测试 +AGE-"
    refuse(CharsetError, shop(), message(changed(FOREX, subject="测\uffff".encode("utf-16-le"))), FORM + charset)


@pytest.mark.parametrize("header,configured", [(FORM + "gbk", "utf-8"), (FORM + "utf-8", "gbk"), (None, "gbk"),
                                               (None, "utf-8")])
def test_T26_utf_8_that_would_read_as_gbk_is_utf_8(header, configured):
    genuine = changed(FOREX, subject="测试")
    assert presign(genuine) == presign(changed(FOREX, subject="娴嬭瘯"), "gbk")     # the sign fits either way
    assert verify_notify(shop(input_charset=configured), message(genuine), header, USD).subject == "测试"


@pytest.mark.parametrize("value", ["a+b", "a b", "a%2Bb", "100%", "%2F", "a&b=c", "%252F", "+", " ", "%"])
def test_T27_a_value_is_decoded_exactly_once(value):
    genuine = changed(FOREX, subject=value)
    assert verify_notify(shop(), message(genuine), order=USD).subject == value
    with_blanks = message(genuine).replace(b"+", b"%20")
    assert verify_notify(shop(), with_blanks, order=USD).subject == value


def test_T27_a_body_that_somebody_decoded_before_does_not_verify():
    body = message(changed(FOREX, subject="a%2Bb"))
    refuse(SignatureInvalid, shop(), body.replace(b"%252B", b"%2B"))
    assert verify_notify(shop(), body, order=USD).subject == "a%2Bb"


def test_T28_empty_values_are_neither_signed_nor_handed_out():
    body = message(FOREX) + b"&body=&extra_common_param=&a="
    note = verify_notify(shop(), body, order=USD)
    assert note.is_paid and dict(note) == FOREX
    refuse(SignatureInvalid, shop(), message(FOREX) + b"&body=+")


def test_T29_signed_fields_that_nobody_knows_are_accepted_and_handed_out():
    note = verify_notify(shop(), message(changed(FOREX, out_channel_inst="ICBC", brand_new="1", A="2", _b="3")),
                         order=USD)
    assert note.is_paid and (note["out_channel_inst"], note["brand_new"], note["A"], note["_b"]) == ("ICBC", "1",
            "2", "3")
    refuse(SignatureInvalid, shop(), message(FOREX) + b"&brand_new=1")


@pytest.mark.parametrize("extra", [{"id": "1"}, {"controller": "pay", "action": "notify"}, {"_URL_": "x"}, {"m": "a"}])
def test_T30_the_shop_s_own_query_and_route_parameters_are_not_part_of_the_message(extra):
    refuse(SignatureInvalid, shop(), message(FOREX) + b"&" + form(extra))
    assert verify_notify(shop(), message(FOREX), order=USD).is_paid


def test_T31_a_huge_body_is_refused_before_anything_looks_at_it():
    genuine = message(FOREX)
    huge = genuine + b"&x=" + b"1" * (1024 * 1024)
    refuse(BodyTooLarge, shop(), huge)
    refuse(BodyTooLarge, shop(), huge, "multipart/form-data")       # size comes before the content type
    refuse(BodyTooLarge, shop(), b"\0" * (1024 * 1024 + 1))
    refuse(TooManyParameters, shop(), genuine + b"&a=" * 200000)
    refuse(MalformedSignature, shop("RSA2"), form(changed(signed(DIRECT, "RSA2"), sign="A" * 1000000)))
    large = changed(DIRECT, body="x" * 200000)
    assert verify_notify(shop(), message(large), order=YUAN).is_paid


@pytest.mark.parametrize("header", ["multipart/form-data; boundary=x", "application/json", "text/plain", "text/xml",
                                    "application/x-www-form-urlencoded2", "x-application/x-www-form-urlencoded",
                                    "text/html; application/x-www-form-urlencoded", "; charset=utf-8", "é\r\n",
                                    b"\xff"])
def test_T32_another_content_type_is_refused(header):
    refuse(UnsupportedContentType, shop(), message(FOREX), header)


@pytest.mark.parametrize("header", ["application/x-www-form-urlencoded", "APPLICATION/X-WWW-FORM-URLENCODED",
                                    "application/x-www-form-urlencoded; text/html; charset=utf-8",
                                    " application/x-www-form-urlencoded ;charset = UTF-8",
                                    b"application/x-www-form-urlencoded",
                                    "application/x-www-form-urlencoded; charset", None])
def test_T32_the_content_type_that_alipay_sends_is_taken(header):
    assert verify_notify(shop(), message(FOREX), header, USD).is_paid


@pytest.mark.parametrize("body", [
    b'{"out_trade_no": "A1"}', b"--x\r\nContent-Disposition: form-data; name=\"sign\"\r\n\r\nx\r\n--x--", b"<xml/>",
    b"",
    b"\xef\xbb\xbf", b"null", b"[]",
])
def test_T32_what_is_not_a_form_is_refused_without_a_content_type_too(body):
    refuse((MalformedParameter, SignatureMissing), shop(), body)


@pytest.mark.parametrize("body", ["out_trade_no=A1", {"out_trade_no": "A1"}, None, [("a", "b")], 1])
def test_only_raw_bytes_are_taken_and_the_error_says_how_to_get_them(body):
    with pytest.raises(InvalidRequest, match="request.body.*get_data"):
        verify_notify(shop(), body)
    assert verify_notify(shop(), bytearray(message(FOREX)), order=USD).is_paid


# --- T-40 to T-53: right signature, wrong thing -----------------------------------------------------------------

@pytest.mark.parametrize("sign_type", SIGN_TYPES)
def test_T40_a_genuine_notification_of_another_merchant_is_refused(sign_type):
    refuse(PartyMismatch, shop(sign_type), message(changed(DIRECT, seller_id=STRANGER), sign_type))
    ours = shop(sign_type, seller_email="shop@example.com")
    refuse(PartyMismatch, ours, message(changed(DIRECT, "seller_id", seller_email="thief@example.com"), sign_type))
    assert verify_notify(ours, message(DIRECT, sign_type), order=YUAN).is_paid
    # An account may have been renamed; the number has not.
    assert verify_notify(ours, message(changed(DIRECT, seller_email="13800138000"), sign_type), order=YUAN).is_paid


@pytest.mark.parametrize("sign_type", ["RSA", "DSA"])
def test_T41_a_signature_of_the_shared_key_without_a_seller_is_not_confirmed(sign_type):
    with pytest.raises(NotConfirmed, match="notify_verify.*single_trade_query") as refused:
        verify_notify(shop(sign_type), message(FOREX, sign_type), order=never)
    assert type(refused.value) is NotConfirmed
    asked = []
    note = verify_notify(shop(sign_type), message(FOREX, sign_type), order=USD,
                         confirm=lambda notify_id: asked.append(notify_id) or True)
    assert note.is_paid and asked == [FOREX["notify_id"]]
    assert note.passed == {"sign", "party", "order", "amount", "confirmed"} and not note.unchecked


@pytest.mark.parametrize("verdict", [False, None, "true", 1, b"true", "false", object()])
@pytest.mark.parametrize("sign_type", ["MD5", "RSA"])
def test_T41_anything_but_true_does_not_confirm(sign_type, verdict):
    with pytest.raises(NotifyNotGenuine):
        verify_notify(shop(sign_type), message(FOREX, sign_type), order=USD, confirm=lambda notify_id: verdict)


def test_T41_the_confirmation_s_own_failure_passes_through():
    """A gateway that cannot be reached is no verdict: the view answers 5xx and Alipay sends again."""
    with pytest.raises(LookupError):
        verify_notify(shop("RSA"), message(FOREX, "RSA"), order=USD, confirm=never)


@pytest.mark.parametrize("notify_id", ["x&partner=1", "x y", "é", "x\r\ny", "x?y", "x#y", "a" * 257])
def test_T41_an_id_that_none_can_be_is_not_asked_about(notify_id):
    """It would go into a URL (T-66)."""
    with pytest.raises((MalformedParameter, AmbiguousContent)):
        verify_notify(shop("RSA"), message(changed(FOREX, notify_id=notify_id), "RSA"), order=USD, confirm=never)


def test_T42_another_amount_is_refused():
    for text in ("0.01", "8e0", "NaN", "８.00", "8.000", "8_0", "-8.00"):
        with pytest.raises(AmountMismatch):
            verify_notify(shop(), message(changed(FOREX, total_fee=text)), order=USD, confirm=never)
    with pytest.raises(AmountMismatch):
        verify_notify(shop(), message(changed(FOREX, "total_fee")), order=USD, confirm=never)
    assert verify_notify(shop(), message(changed(FOREX, total_fee="8.0")), order=USD).is_paid


def test_T43_another_currency_is_refused():
    with pytest.raises(CurrencyMismatch):
        verify_notify(shop(), message(changed(FOREX, currency="EUR")), order=USD, confirm=never)
    assert verify_notify(shop(), message(FOREX), order=USD).is_paid


@pytest.mark.parametrize("number", ["A2", "a1", "A1 ", "Ａ1"])
def test_T44_another_order_is_refused(number):
    body = message(changed(FOREX, out_trade_no=number))
    with pytest.raises(OrderMismatch):
        verify_notify(shop(), body, order=USD, confirm=never)
    with pytest.raises(OrderNotFound):
        verify_notify(shop(), body, order={"A1": USD}.get, confirm=never)
    assert verify_notify(shop(), message(FOREX), order={"A1": USD}.get).is_paid


@pytest.mark.parametrize("word", ["TRADE_PENDING", "WAIT_SELLER_SEND_GOODS", "TRADE_REFUNDED", "trade_finished",
                                  "TRADE_FINISHED ", "TRADE_FINISHED\n", "ＴRADE_FINISHED", "paid", "1",
                                  "TRADE_SUCCES"])
def test_T45_an_unknown_status_verifies_is_not_paid_and_is_for_a_person(word):
    note = verify_notify(shop(), message(changed(FOREX, trade_status=word)), order=USD)
    assert note.trade_status == word and not note.is_paid and not note.is_closed and "amount" in note.passed
    with pytest.raises(UnknownStatus) as refused:
        note.require_known()
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("word", ["WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"])
def test_T45_a_known_status_passes(word):
    note = verify_notify(shop(), message(changed(FOREX, trade_status=word)), order=USD)
    assert note.require_known() is note
    assert note.is_paid is (word in ("TRADE_SUCCESS", "TRADE_FINISHED"))


def test_T46_a_replay_gets_the_same_verdict_as_often_as_it_comes():
    """Replay safety is the state's work (test_trade_state.py); the verifier has no memory."""
    notes = [verify_notify(shop(), message(FOREX), order=USD) for _ in range(3)]
    assert notes[0] == notes[1] == notes[2] and all(note.is_paid for note in notes)


def test_T52_a_refused_message_leaves_nothing_behind():
    """The genuine one after it, with the same notify_id, is taken."""
    merchant, genuine = shop(), message(FOREX)
    for hostile in (genuine.replace(b"8.00", b"0.01"), genuine + b"&sign=x", message(changed(FOREX, total_fee="0.01"))):
        with pytest.raises(AlipayError):
            verify_notify(merchant, hostile, order=USD)
        assert verify_notify(merchant, genuine, order=USD).is_paid


@pytest.mark.parametrize("body", [
    b"", b"junk", form(FOREX), form(dict(FOREX, sign="0" * 32, sign_type="MD5")), message(FOREX, key="k" * 32),
    message(FOREX, "RSA2"), message(FOREX).replace(b"A1", b"A2"), message(FOREX) + b"&x=1",
    with_sign_of(OURS, REFLECTED), message(changed(OURS, body="b", subject="s")), message(RETURN),
    message(changed(DIRECT, seller_id=STRANGER)),
], ids=range(12))
def test_T53_junk_asks_neither_the_shop_s_database_nor_the_gateway(body):
    """Otherwise every anonymous POST would be an outbound request of ours."""
    refuse(AlipayError, shop(), body)
    with pytest.raises(LookupError):
        verify_notify(shop(), message(FOREX), order=never, confirm=never)


def test_T53_the_gateway_is_asked_last_of_all():
    steps = []

    def order(number):
        steps.append("order")
        return USD

    verify_notify(shop(), message(FOREX), order=order, confirm=lambda notify_id: steps.append("confirm") or True)
    assert steps == ["order", "confirm"]


def test_the_checks_come_in_their_order():
    """Each message breaks one more rule than the one before it; the first rule in the order is the one reported."""
    big = 1024 * 1024
    wrong_amount = message(changed(FOREX, total_fee="9.00"))
    wrong_order = message(changed(FOREX, total_fee="9.00", out_trade_no="A2"))
    wrong_party = message(changed(FOREX, total_fee="9.00", out_trade_no="A2", seller_id=STRANGER))
    wrong_kind = message(changed(FOREX, "notify_type", total_fee="9.00", out_trade_no="A2", seller_id=STRANGER))
    wrong_sign = wrong_kind.replace(b"9.00", b"9.01")
    odd_sign = wrong_sign.replace(b"sign=", b"sign=X")
    odd_type = odd_sign.replace(b"sign_type=MD5", b"sign_type=RSA")
    twice = odd_type + b"&currency=USD"
    unreadable = twice + b"&x=%"
    steps = [(unreadable + b"x" * big, "text/plain", BodyTooLarge), (unreadable, "text/plain", UnsupportedContentType),
             (unreadable, None, MalformedParameter), (twice, None, DuplicateParameter),
             (odd_type, None, SignTypeMismatch), (odd_sign, None, MalformedSignature),
             (wrong_sign, None, SignatureInvalid), (wrong_kind, None, AmbiguousContent),
             (wrong_party, None, PartyMismatch), (wrong_order, None, OrderMismatch),
             (wrong_amount, None, AmountMismatch), (message(FOREX), None, LookupError)]
    for body, header, error in steps:
        with pytest.raises(error) as refused:
            verify_notify(shop(), body, header, USD, confirm=never)
        assert type(refused.value) is error


# --- the checks that other libraries were put to (threats, section 3) -------------------------------------------

GOOD = signed(DIRECT, "RSA2")
PEERS = {
    "1 genuine": (form(GOOD), None),
    "2 an empty parameter": (form(dict(GOOD, memo="")), None),
    "3 Chinese and emoji": (message(changed(DIRECT, subject="测试 \U0001f375"), "RSA2"), None),
    "5 special characters": (message(changed(DIRECT, subject="+ % & = ;"), "RSA2"), None),
    "9 amount changed": (form(dict(GOOD, total_fee="0.01")), SignatureInvalid),
    "9 field added": (form(dict(GOOD, x="1")), SignatureInvalid),
    "9 field removed": (form(changed(GOOD, "price")), SignatureInvalid),
    "10 no sign": (form(changed(GOOD, "sign")), SignatureMissing),
    "11 empty sign": (form(dict(GOOD, sign="")), SignatureMissing),
    "12 MD5 with the public key": (message(DIRECT, "MD5", key=key_file(FILES["RSA2"])), SignTypeMismatch),
    "13 unkeyed MD5": (message(DIRECT, "MD5", key=""), SignTypeMismatch),
    "16 md5WithRSA": (form(dict(GOOD, sign=openssl(presign(DIRECT), "md5", FILES["RSA2"]))), SignatureInvalid),
    "17 unknown sign_type": (form(dict(GOOD, sign_type="RSA3")), UnsupportedSignType),
    "20 url-safe base64": (form(dict(GOOD, sign="-_" + GOOD["sign"][2:])), MalformedSignature),
    "22 1 MB sign": (form(dict(GOOD, sign="A" * 1000000)), MalformedSignature),
    "25 a leading zero byte": (form(dict(GOOD, sign=base64.b64encode(
        b"\0" + base64.b64decode(GOOD["sign"])).decode())), SignatureInvalid),
    "25 cut by a byte": (form(dict(GOOD, sign=base64.b64encode(
        base64.b64decode(GOOD["sign"])[:-1]).decode())), SignatureInvalid),
}


@pytest.mark.parametrize("check", sorted(PEERS))
def test_a_check_that_other_libraries_fail(check):
    body, error = PEERS[check]
    if error is not None:
        refuse(error, shop("RSA2"), body)
    else:
        assert verify_notify(shop("RSA2"), body, order=YUAN).is_paid


def test_md5_of_the_text_alone_is_no_sign():
    text = presign(FOREX)
    for data in (text, text + b"&key=" + MD5_KEY.encode(), text + b"&" + MD5_KEY.encode(), MD5_KEY.encode() + text):
        refuse(SignatureInvalid, shop(), form(changed(FOREX, sign_type="MD5", sign=hashlib.md5(data).hexdigest())))


@pytest.mark.parametrize("added", ["seller_id", "partner"])
@pytest.mark.parametrize("sign_type", ["RSA", "DSA"])
def test_T41_a_seller_cut_out_of_another_merchants_order_number_is_not_confirmed(sign_type, added):
    """Hostile: a merchant orders at his own shop under the number "A1&seller_id=OURS"; Alipay signs that with the key
    that all merchants share, and he posts it cut in two, for our order A1. Genuine twin: the same, confirmed."""
    his = changed(FOREX, out_trade_no="A1&{}={}".format(added, PARTNER))
    recut = changed(FOREX, **{added: PARTNER})
    assert presign(his) == presign(recut)
    raw = form(changed(recut, sign=sign(presign(his), sign_type), sign_type=sign_type))
    with pytest.raises(NotConfirmed):
        verify_notify(shop(sign_type), raw, order=USD)
    with pytest.raises(NotifyNotGenuine):
        verify_notify(shop(sign_type), raw, order=USD, confirm=lambda notify_id: False)
    assert verify_notify(shop(sign_type), message(FOREX, sign_type), order=USD, confirm=lambda notify_id: True).is_paid


def test_confirm_must_be_a_function_and_an_empty_content_type_is_none():
    with pytest.raises(InvalidRequest):
        verify_notify(shop(), message(FOREX), order=USD, confirm=True)
    assert verify_notify(shop(), message(FOREX), content_type="", order=USD).is_paid
