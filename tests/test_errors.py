"""The error tree: one root, drawn as it is, picklable, and free of secrets."""
import inspect
import pickle
import re

import pytest

from alipay_mapi import errors
from alipay_mapi.app_result import verify_app_result
from alipay_mapi.errors import AlipayError, show
from alipay_mapi.merchant import Merchant
from alipay_mapi.notification import verify_notify
from alipay_mapi.order import Order
from alipay_mapi.synchronous_return import verify_return
from genuine import (DIRECT, FOREX, PARTNER, RETURN, SIGN_TYPES, STRANGER, app_result, changed, form, key_file, message,
                     shop, sign, signed, presign)

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
#: As the issue lists them.
PROMISED = """
    SignatureInvalid SignatureMissing SignTypeMismatch UnsupportedSignType MalformedSignature DuplicateParameter
    MalformedParameter CharsetError BodyTooLarge TooManyParameters UnexpectedParameter AmbiguousContent MissingParameter
    UnsupportedContentType PartyMismatch NotConfirmed NotifyNotGenuine AmountMismatch CurrencyMismatch OrderMismatch
    OrderNotFound UnknownStatus NotXML XMLMalformed XMLForbidden XMLLimit UnexpectedRoot ResponseSignatureMissing
    ResponseSignatureInvalid GatewayError TransportError OutcomeUnknown KeyFormatError KeyEncrypted KeyMismatch WeakKey
    MissingKey InvalidRequest UnsafeValue WatchConflict StoreError SchemaError
""".split()


def drawn():
    """The picture in the docstring → {class: parent}. A word after ── hangs on the one before it in its line."""
    parents, path = {}, []
    for line in errors.__doc__.split("::", 1)[1].split("Messages name")[0].splitlines():
        if not line.strip(" │"):
            continue
        depth = (len(line) - len(line.lstrip(" │├└─"))) // 4
        text = re.sub(r"\([A-Za-z]+\)", " ", line.strip(" │├└─"))
        text = re.split(r"  +(?=[a-z])", text)[0]        # what follows in small letters is a remark
        words = re.findall(r"──|[A-Za-z]+", text)
        del path[depth - 1:]
        parent, hang, last = path[-1] if path else None, False, None
        for word in words:
            if word == "──":
                hang = True
                continue
            if not (hang or word[0].isupper()) or not hasattr(errors, word):
                break
            parents[word] = last if hang else parent
            last, hang = word, False
        path.append(words[0])
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    picture = drawn()
    assert sorted(picture) == sorted(cls.__name__ for cls in CLASSES)
    for cls in CLASSES:
        parent = next((base.__name__ for base in cls.__bases__ if issubclass(base, AlipayError)), None)
        assert picture[cls.__name__] == parent, cls


def test_the_tree_names_the_built_in_classes_too():
    for name, built_in in re.findall(r"(\w+) \((\w+)\)", errors.__doc__):
        assert getattr(errors, name).__bases__[-1].__name__ == built_in


def test_every_promised_class_is_there_and_under_the_root():
    assert all(issubclass(getattr(errors, name), AlipayError) for name in PROMISED)
    assert all(issubclass(cls, AlipayError) for cls in CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_survives_pickling_with_its_facts(cls):
    error = cls("something is wrong; do that", parameter="total_fee", code="ILLEGAL_SIGN", service="x")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(error, protocol))
        assert type(copy) is cls and str(copy) == str(error) and copy.args == error.args
        assert copy.facts == error.facts and (copy.parameter, copy.code, copy.service) == ("total_fee",
                "ILLEGAL_SIGN", "x")
    bare = pickle.loads(pickle.dumps(cls()))
    assert type(bare) is cls and str(bare) == "" and bare.facts == {}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_says_what_it_means(cls):
    assert cls.__doc__ and len(cls.__doc__) > 10


@pytest.mark.parametrize("text", ["a\r\nb", "a\x1b[31mb", "a\u202eb", "a\x00b", "a\u2028b", "a\x85b", "\ud800",
                                  "x" * 1000])
def test_T102_text_from_outside_is_escaped_and_cut(text):
    assert show(text).isprintable() and len(show(text)) < 64 * 6 + 2
    assert show("订单 A1") == "订单 A1"


# --- no secret in any refusal -----------------------------------------------------------------------------------

MD5_KEY = "canarykeycanarykeycanarykey00001"
MAIL, PHONE, NAME = "canary.buyer@example.com", "13900001234", "canary name"
BUYER = {"buyer_email": MAIL, "buyer_id": "2088000000777777", "receive_mobile": PHONE, "receive_name": NAME}
PAYS = changed(dict(DIRECT, **BUYER), "seller_email")
USD, YUAN = Order("A1", total_fee="8.00", currency="USD"), Order("A1", total_fee="8.00")


def merchant(sign_type):
    if sign_type == "MD5":
        return Merchant(PARTNER, "MD5", md5_key=MD5_KEY)
    return Merchant(PARTNER, sign_type, alipay_public_key=shop(sign_type).alipay_public_key,
                    private_key=key_file("rsa2048", "private") if sign_type != "DSA" else None)


def refusals(sign_type):
    """(verifier, its arguments) of a message for every refusal of this layer, each full of canaries."""
    key = MD5_KEY if sign_type == "MD5" else None
    base = changed(PAYS, "seller_id") if sign_type in ("RSA", "DSA") else PAYS

    def made(*without, **changes):
        return message(changed(base, *without, **changes), sign_type, key=key)

    good = signed(base, sign_type, key=key)
    raw = form(good)
    notify = [
        raw + b"&x=" + b"1" * 1024 * 1024, raw + b"&" + b"&".join(b"%d=" % n for n in range(200)), raw + b"&%",
        raw + b"&buyer_email=" + MAIL.encode(), raw + b"&" + MAIL.encode() + b"\x01=1", raw + b"&x=%00" + MAIL.encode(),
        form(changed(good, "sign")), form(changed(good, "sign_type")), form(dict(good, sign_type="MD4")),
        form(dict(good, sign_type="DSA" if sign_type != "DSA" else "RSA")), form(dict(good, sign=good["sign"] + "!")),
        form(dict(good, subject="altered")), made(service="x"), made(is_success="T"), made("notify_type"),
        made("notify_id"),
        made("trade_no"), made("out_trade_no"), made(body=MAIL + "&total_fee=" + PHONE),
        made(subject=b"\xff" + MAIL.encode()),
        made(seller_id=STRANGER), made(partner=STRANGER), made(), made(out_trade_no="A2"), made(total_fee="9.00"),
        made(total_fee=MAIL[:9]), made("total_fee"), made(currency="EUR"),
        made(notify_type=PAYS["notify_type"], notify_id="a b"),
        b"", MAIL.encode(), b"a=" + MAIL.encode() + b"&b", raw[:-1] + b"%",
    ]
    yes, no = {"confirm": lambda notify_id: True}, {"confirm": lambda notify_id: False}
    for body in notify:
        for options in ({}, dict(yes, order=YUAN), dict(yes, order=USD), dict(no, order=YUAN),
                        dict(yes, order=lambda number: None), dict(yes, order="A1")):
            yield verify_notify, (body, None), options
        yield verify_return, (body,), {"order": YUAN}
        yield verify_return, (body,), {"order": USD}
    yield verify_notify, (raw, "multipart/" + MAIL[:3]), {}
    yield verify_notify, ({"buyer_email": MAIL},), {}
    yield verify_notify, (raw.decode(),), {}
    yield verify_return, (MAIL + "测",), {}
    pairs = [("partner", PARTNER), ("buyer_email", MAIL), ("service", "mobile.securitypay.pay"),
             ("receive_mobile", PHONE)]
    whole = app_result(pairs, "RSA" if sign_type == "MD5" else sign_type)
    for text in (whole, whole.replace("sign=", "sign="[:-1]), whole.replace(PHONE, "1"), whole.replace('"&', '&'),
                 whole + MAIL, MAIL, whole.replace("mobile.s", "\ud800"), whole.encode("utf-8") + b"\xff\xff",
                 app_result(pairs + [("partner", MAIL)], "RSA"), app_result([("partner", STRANGER)] + pairs[1:], "RSA"),
                 app_result(pairs + [("subject", 'a"b' + MAIL)], "RSA"), app_result(pairs[:2], "RSA"), "x" * 1048577):
        yield verify_app_result, (text,), {}


def everything(error):
    """All text that a log, a debugger or an error page could get out of an exception."""
    texts, seen = [], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        texts += [str(error), repr(error), repr(error.args), repr(vars(error)), repr(getattr(error, "facts", ""))]
        texts.append(repr(getattr(error, "object", "")))       # UnicodeDecodeError keeps the bytes it read
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
def test_T84_T100_no_refusal_of_a_message_holds_a_key_a_sign_or_a_buyer(sign_type):
    ours = merchant(sign_type)
    key = MD5_KEY if sign_type == "MD5" else None
    base = changed(PAYS, "seller_id") if sign_type in ("RSA", "DSA") else PAYS
    private = "".join(key_file("rsa2048", "private").split("\n")[1:-2])
    secrets = [MD5_KEY, sign(presign(base), sign_type, key)[:24], MAIL, PHONE, NAME, BUYER["buyer_id"], private[:40],
               private[200:240]]
    met = set()
    for verify, given, options in refusals(sign_type):
        try:
            verify(ours, *given, **options)
        except AlipayError as error:
            met.add(type(error).__name__)
            text = everything(error)
            for secret in secrets:
                assert secret not in text, (verify, type(error), secret)
            assert str(error).isprintable()
            assert error.__context__ is None or isinstance(error.__context__, AlipayError)
    wanted = {"BodyTooLarge", "TooManyParameters", "MalformedParameter", "DuplicateParameter", "SignatureMissing",
              "UnsupportedSignType", "SignTypeMismatch", "MalformedSignature", "SignatureInvalid",
              "UnexpectedParameter",
              "AmbiguousContent", "MissingParameter", "CharsetError", "PartyMismatch", "OrderNotFound", "OrderMismatch",
              "AmountMismatch", "CurrencyMismatch", "NotifyNotGenuine", "UnsupportedContentType", "InvalidRequest"}
    wanted |= {"NotConfirmed"} if sign_type in ("RSA", "DSA") else set()
    assert wanted <= met, wanted - met


def test_T84_what_is_handed_out_shows_no_secret_either():
    ours = merchant("MD5")
    body = message(PAYS, "MD5", key=MD5_KEY)
    note = verify_notify(ours, body, order=YUAN)
    back = verify_return(ours, message(changed(dict(RETURN, **BUYER), "seller_email"), "MD5", key=MD5_KEY))
    app = verify_app_result(shop("RSA"), app_result([("partner", PARTNER), ("buyer_email", MAIL),
                                                     ("service", "mobile.securitypay.pay")]))
    secret = sign(presign(PAYS), "MD5", MD5_KEY)
    for value in (note, back, app):
        for text in (repr(value), str(value), "{}".format(value), "{!r}".format([value])):
            assert not [word for word in (MD5_KEY, secret, MAIL, PHONE, NAME) if word in text]
        pickled = pickle.dumps(value)
        assert pickle.loads(pickled) == value
        assert MD5_KEY.encode() not in pickled and secret.encode() not in pickled
    assert FOREX
