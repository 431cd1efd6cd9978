"""The 17 tests of PyPI's ``alipay`` 0.7.4, by their inputs, against ``compat.lxneng``; the signs checked with hashlib.

The published ``pid`` and ``key`` are those words; here they are a well-formed PID and key, and the mail address is an
example's. Three of the published tests ask Alipay's own servers; here a script answers.
``run_published_alipay_074.py`` runs the published file itself.
"""
import hashlib
import json
from xml.etree import ElementTree

import pytest
from old_package import EMAIL, KEY, PID, Script, form, params_of, refusal, sign_of

from alipay_mapi.compat import CompatWarning
from alipay_mapi.compat.lxneng import Alipay, WapAlipay
from alipay_mapi.compat.lxneng.exceptions import MissingParameter, ParameterValueError, TokenAuthorizationError

pytestmark = pytest.mark.filterwarnings("ignore::alipay_mapi.compat.CompatWarning")

PRICED = {"out_trade_no": "1", "subject": "test", "price": "0.01", "quantity": 1}
SENT_BY_POST = dict(PRICED, logistics_type="POST", logistics_fee="0", logistics_payment="SELLER_PAY")
LINE = {"account": "buyer@example.com", "name": "姓名", "fee": "0.01", "note": "test"}
GOODS = json.dumps({"goods_info": {"id": "123456", "name": "测试", "price": "0.01"}, "need_address": "F",
                    "trade_type": "1"}, ensure_ascii=False)
BY_WAP = {"out_trade_no": "1", "subject": "测试", "total_fee": "0.01", "seller_account_name": EMAIL,
          "call_back_url": "http://mydomain.com/alipay/callback"}

URLS = [
    ("create_direct_pay_by_user_url", PRICED, "create_direct_pay_by_user"),
    ("create_direct_pay_by_user_url", dict(PRICED, subject="测试"), "create_direct_pay_by_user"),
    ("create_partner_trade_by_buyer_url", SENT_BY_POST, "create_partner_trade_by_buyer"),
    ("create_batch_trans_notify_url", {"batch_list": (LINE, LINE), "account_name": "test_name", "batch_no": "test_no",
                                       "notify_url": "www.test.com"}, "batch_trans_notify"),
    ("trade_create_by_buyer_url", SENT_BY_POST, "trade_create_by_buyer"),
    ("create_forex_trade_url", SENT_BY_POST, "create_forex_trade"),
    ("create_forex_trade_wap_url", SENT_BY_POST, "create_forex_trade_wap"),
    ("send_goods_confirm_by_platform", {"trade_no": 1, "logistics_name": "XXXX", "transport_type": "EXPRESS",
                                        "invoice_no": "AAAAA"}, "send_goods_confirm_by_platform"),
    ("add_alipay_qrcode_url", {"biz_data": GOODS, "biz_type": "10"}, "alipay.mobile.qrcode.manage"),
]


@pytest.fixture
def alipay():
    return Alipay(pid=PID, key=KEY, seller_email=EMAIL)


@pytest.fixture
def wap():
    return WapAlipay(pid=PID, key=KEY, seller_email=EMAIL)


@pytest.mark.parametrize("name, params, service", URLS)
def test_a_url_names_its_service_carries_what_was_given_and_is_signed(alipay, name, params, service):
    sent = params_of(getattr(alipay, name)(**params))
    assert sent["service"] == service and service in getattr(alipay, name)(**params)
    assert sent["sign"] == sign_of(sent) and sent["sign_type"] == "MD5" and sent["partner"] == PID
    for field, value in params.items():
        if field not in ("batch_list", "notify_url"):
            assert sent[field] == str(value)


def test_a_url_without_a_subject_is_a_missing_parameter(alipay):
    with pytest.raises(MissingParameter):
        alipay.create_direct_pay_by_user_url(out_trade_no="1", price="0.01", quantity=1)


def test_a_url_without_an_amount_is_a_parameter_value_error(alipay):
    with pytest.raises(ParameterValueError):
        alipay.create_direct_pay_by_user_url(out_trade_no="1", subject="test", quantity=1)


def test_without_a_seller_there_is_no_object():
    with pytest.raises(ParameterValueError):
        Alipay(pid=PID, key=KEY)


def test_the_token_url_of_wap_is_signed_with_its_sec_id(wap):
    url = wap.create_direct_pay_token_url(**BY_WAP)
    sent = params_of(url)
    assert "alipay.wap.trade.create.direct" in url and sent["sec_id"] == "MD5" and "sign_type" not in sent
    assert sent["sign"] == sign_of(sent, left_out=("sign",))
    root = ElementTree.fromstring(sent["req_data"])
    assert root.tag == wap.TOKEN_ROOT_NODE
    assert {leaf.tag: leaf.text for leaf in root} == BY_WAP


def test_wap_has_neither_of_the_escrow_trades(wap):
    for call in (wap.trade_create_by_buyer_url, wap.create_partner_trade_by_buyer_url):
        with pytest.raises(NotImplementedError):
            call()


def test_a_refused_token_is_a_token_authorization_error():
    error = "<err><code>0005</code><sub_code>0005</sub_code><msg>partner illegal</msg><detail>x</detail></err>"
    wap = WapAlipay(PID, KEY, EMAIL, transport=Script(form(res_error=error, partner=PID, sec_id="MD5", v="2.0")))
    with pytest.raises(TokenAuthorizationError) as caught:
        wap.create_direct_pay_by_user_url(**BY_WAP)
    assert "0005" in str(caught.value) and caught.value.code.startswith("0005")


WAP_NOTIFIED = (
    "<notify><payment_type>1</payment_type><subject>测试</subject><trade_no>2014080239826696</trade_no><buyer_email>"
    "b@example.com</buyer_email><gmt_create>2014-08-02 14:49:13</gmt_create>"
    "<notify_type>trade_status_sync</notify_type><quantity>1</quantity><out_trade_no>BD8Y9JQ2LT8MVXLMT34RTUWEMMBAXMIGBVQGF5CQNZHPYPQHSD4MEI56NQD2OLNV</out_trade_no>"
    "<seller_id>2088101122136241</seller_id><trade_status>TRADE_FINISHED</trade_status><total_fee>0.03</total_fee>"
    "<notify_id>6a40ac71fcf17d99b5274b0c6c8970ea7c</notify_id><use_coupon>N</use_coupon></notify>")


def wap_notification(**changes):
    fields = dict({"service": "alipay.wap.trade.create.direct", "v": "1.0", "sec_id": "MD5",
                   "notify_data": WAP_NOTIFIED}, **changes)
    text = "&".join("{}={}".format(name, fields[name]) for name in ("service", "v", "sec_id", "notify_data"))
    return dict(fields, sign=hashlib.md5((text + KEY).encode("utf-8")).hexdigest())


@pytest.mark.parametrize("word", ["true", "false"])
def test_a_wap_notification_with_a_good_sign_is_what_the_gateway_says(word):
    script = Script(word.encode("ascii"))
    wap = WapAlipay(PID, KEY, EMAIL, transport=script)
    assert wap.verify_notify(**wap_notification()) is (word == "true")
    assert script.asked()["notify_id"] == "6a40ac71fcf17d99b5274b0c6c8970ea7c"
    assert script.calls[0].url.startswith("https://mapi.alipay.com/gateway.do?service=notify_verify&")


def test_a_query_that_is_refused_is_text_with_the_word_for_it():
    alipay = Alipay(PID, KEY, EMAIL, transport=Script(refusal("ILLEGAL_PARTNER")))
    with pytest.warns(CompatWarning):
        assert "ILLEGAL_PARTNER" in alipay.single_trade_query(out_trade_no="2015102012")
