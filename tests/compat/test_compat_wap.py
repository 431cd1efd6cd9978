"""``WapAlipay``: XML that is written and read as such, over https, with its own rule of signing."""
import hashlib
import warnings
from xml.etree import ElementTree

import pytest
from old_package import EMAIL, KEY, PID, Script, form, params_of, sign_of, silence

from alipay_mapi import errors
from alipay_mapi.compat.lxneng import MissingParameter, ParameterValueError, TokenAuthorizationError, WapAlipay

pytestmark = pytest.mark.filterwarnings("ignore::alipay_mapi.compat.CompatWarning")

ORDER = {"out_trade_no": "A1", "subject": "龙井茶", "total_fee": "0.01", "seller_account_name": EMAIL,
         "call_back_url": "https://shop.example.com/back"}
NOTIFIED = ("<notify><out_trade_no>A1</out_trade_no><subject>50%20 &amp; more</subject><total_fee>0.01</total_fee>"
            "<trade_status>TRADE_FINISHED</trade_status><notify_id>6a40ac71fcf17d99b5</notify_id></notify>")


class Gateway(Script):
    """Answers a token request as the WAP gateway does, signed; ``changes`` before that, ``after`` behind it."""

    def __init__(self, changes=(), after=()):
        super().__init__(b"")
        self.changes, self.after = dict(changes), dict(after)

    def send(self, call):
        self.calls.append(call)
        self.answers = [b""]
        asked = self.asked()
        fields = dict({"partner": PID, "req_id": asked["req_id"], "sec_id": "MD5", "v": "2.0",
                       "service": "alipay.wap.trade.create.direct",
                       "res_data": '<?xml version="1.0" encoding="utf-8"?><direct_trade_create_res><request_token>'
                                   "20100830e8085e3e</request_token></direct_trade_create_res>"}, **self.changes)
        fields = dict(fields, sign=sign_of(fields, left_out=("sign",)))
        self.answers = [form(**dict(fields, **self.after))]
        self.calls.pop()
        return super().send(call)


def wap(transport=None):
    return WapAlipay(PID, KEY, EMAIL, transport=transport)


def notification(data=NOTIFIED, **changes):
    fields = dict({"service": "alipay.wap.trade.create.direct", "v": "1.0", "sec_id": "MD5", "notify_data": data},
                  **changes)
    text = "&".join("{}={}".format(name, fields[name]) for name in ("service", "v", "sec_id", "notify_data"))
    return dict(fields, sign=hashlib.md5((text + KEY).encode("utf-8")).hexdigest())


def test_a_published_vector_of_the_second_step():
    """From another library's suite: its PID and its key of zeros, and no _input_charset."""
    shop = WapAlipay("1000000000000000", "1" + "0" * 31, EMAIL)
    del shop.default_params["_input_charset"]
    sent = params_of(shop.create_direct_pay_by_user_url(token="token_test"))
    assert sent["sign"] == "3efe60d4a9b7960ba599da6764c959df" and "sign_type" not in sent


def test_text_stays_text():
    sent = params_of(wap().create_direct_pay_token_url(
        **dict(ORDER, subject="</subject><total_fee>0.00</total_fee>", call_back_url="https://e.com/?a=1&b=2")))
    leaves = [(leaf.tag, leaf.text) for leaf in ElementTree.fromstring(sent["req_data"])]
    assert len(leaves) == 5 and ("subject", "</subject><total_fee>0.00</total_fee>") in leaves
    assert ("call_back_url", "https://e.com/?a=1&b=2") in leaves


@pytest.mark.parametrize("field, value", [("sub><x", "1"), ("Subject", "1"), ("subject", "a\x00b"), ("subject", b"x"),
                                          ("total_fee", 0.1 + 0.2)])
def test_what_is_no_element_is_refused(field, value):
    with pytest.raises(ParameterValueError):
        wap().create_direct_pay_token_url(**dict(ORDER, **{field: value}))


def test_two_requests_have_two_ids():
    ids = [params_of(wap().create_direct_pay_token_url(**ORDER))["req_id"] for _ in range(2)]
    assert ids[0] != ids[1] and all(len(one) == 32 for one in ids)


def test_a_token_is_fetched_over_https_and_used():
    gateway = Gateway()
    url = wap(gateway).create_direct_pay_by_user_url(**ORDER)
    assert "20100830e8085e3e" in params_of(url)["req_data"]
    assert gateway.calls[0].method == "POST" and gateway.calls[0].url.startswith("https://wappaygw.alipay.com/")
    asked = gateway.asked()
    assert asked["sign"] == sign_of(asked, left_out=("sign",))


@pytest.mark.parametrize("changes, after, error", [
    ({}, {"sign": "0" * 32}, errors.ResponseSignatureInvalid), ({}, {"sign": ""}, errors.ResponseSignatureInvalid),
    ({}, {"res_data": "<a><request_token>x</request_token></a>"}, errors.ResponseSignatureInvalid),
    ({"req_id": "another"}, {}, errors.OrderMismatch), ({"partner": "2088000000000009"}, {}, errors.OrderMismatch),
    ({"res_data": "<a></a>"}, {}, errors.XMLMalformed), ({"res_data": "<a>"}, {}, errors.XMLMalformed),
    ({"res_data": "<!DOCTYPE a><a></a>"}, {}, errors.XMLForbidden), ({"res_data": ""}, {}, errors.TransportError),
    ({"res_error": "<err><code>0005</code></err>"}, {}, TokenAuthorizationError),
    ({"res_error": "?"}, {}, TokenAuthorizationError),
])
def test_an_answer_without_a_good_token_is_an_error_of_ours(changes, after, error):
    with pytest.raises(error):
        wap(Gateway(changes, after)).create_direct_pay_by_user_url(**ORDER)


def test_silence_and_junk_are_transport_errors():
    for answer in (silence(), b"\xff\xfe", b"<html>busy</html>"):
        with pytest.raises(errors.TransportError):
            wap(Script(answer)).create_direct_pay_by_user_url(**ORDER)


def test_a_token_request_without_its_fields_is_a_missing_parameter():
    with pytest.raises(MissingParameter, match="seller_account_name"):
        wap(Script(b"")).create_direct_pay_by_user_url(out_trade_no="A1", subject="t", total_fee="1", call_back_url="x")


def test_a_notification_is_read_once():
    """Percent signs inside it are text."""
    script = Script(b"true")
    assert wap(script).verify_notify(**notification()) is True
    assert script.asked()["notify_id"] == "6a40ac71fcf17d99b5"
    assert wap().get_sign_method(notify_data="x")(notification()) == notification()["sign"]


@pytest.mark.parametrize("fields", [
    dict(notification(), notify_data=NOTIFIED.replace("0.01", "9.99")), dict(notification(), sign=""),
    dict(notification(), sec_id="0001"), {"notify_data": NOTIFIED, "sign": "x"},
    notification(v="1.0&sec_id=MD5"), notification(data="<notify>"), notification(data="<!DOCTYPE a><notify></notify>"),
    notification(data="<notify><notify_id>1</notify_id><notify_id>2</notify_id></notify>"),
    notification(data="<notify><a><b/></a></notify>"),
    notification(data="<notify>" + "x" * 70000 + "</notify>"), notification(data="<notify><a>&e;</a></notify>"),
])
def test_a_message_that_is_not_alipays_is_false_and_nobody_is_asked(fields):
    script = Script(b"true")
    assert wap(script).verify_notify(**fields) is False and script.calls == []


def test_a_notification_without_its_id_is_false():
    assert wap(Script(b"true")).verify_notify(**notification(data="<notify><a>1</a></notify>")) is False
    assert wap(Script(b"true")).check_notify_remotely(notify_data="<notify>") is False


def test_the_browsers_return_passes_on_its_sign_with_a_warning():
    fields = {"out_trade_no": "A1", "request_token": "requestToken", "result": "success", "trade_no": "2013"}
    fields = dict(fields, sign=sign_of(fields), sign_type="MD5")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert wap(Script(b"false")).verify_notify(**fields) is True
    assert "no proof of payment" in str(caught[0].message)
    assert wap().verify_notify(**dict(fields, result="failure")) is False


def test_a_signed_request_posted_back_is_no_return():
    """The buyer has seen it: ours is signed with the same key."""
    sent = params_of(wap().create_direct_pay_by_user_url(token="t"))
    assert wap(Script(b"true")).verify_notify(**dict(sent, sign_type="MD5")) is False
