"""The app's SDK: an order string is checked as it stands, paid, and answered with a signed result."""
import base64
from urllib.parse import quote

import pytest
from core_setup import MD5, RSA, Address, gateway
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signed_by_hand import check, sign

from alipay_mapi import build_order_string, services, verify_app_result
from alipay_mapi.emulator import BUYERS
from alipay_mapi.emulator.app_sdk import split
from alipay_mapi.emulator.refused import Refused


@pytest.fixture(scope="module")
def emulator():
    with gateway() as made:
        yield made


def order(number="A1", **params):
    """In the order of the official demo, which does not sort."""
    given = dict(partner=RSA, seller_id=RSA, out_trade_no=number, subject="Tea & more", body="茶", total_fee="10.00",
                 notify_url="https%3A%2F%2Fshop.test%2Fnotify", service="mobile.securitypay.pay", payment_type="1",
                 _input_charset="utf-8", it_b_pay="30m")
    given.update(params)
    return {name: value for name, value in given.items() if value is not None}


def written(emulator, params, merchant="rsa"):
    text = "&".join('{}="{}"'.format(name, value) for name, value in params.items())
    made = sign(emulator.merchant(merchant).sign_type, emulator.merchant(merchant).shop_keys(), text.encode("utf-8"))
    return text, text + '&sign="{}"&sign_type="{}"'.format(quote(made, ""), emulator.merchant(merchant).sign_type)


def memo(result):
    assert result.startswith("resultStatus={4000};memo={") and result.endswith("};result={}")
    return result[len("resultStatus={4000};memo={"):-len("};result={}")]


def test_the_result_is_the_order_string_as_it_was_with_success_and_alipays_sign():
    address = Address()
    with gateway(address) as emulator:
        text, order_string = written(emulator, order())
        result = emulator.pay_in_app(order_string)
        start = "resultStatus={9000};memo={};result={" + text + '&success="true"&sign_type="RSA"&sign="'
        assert result.startswith(start) and result.endswith('"}')
        check("RSA", emulator.merchant("rsa").shop_keys(), (text + '&success="true"').encode("utf-8"),
              result[len(start):-2])
        base64.b64decode(result[len(start):-2], validate=True)
        assert verify_app_result(emulator.shop("rsa"), result)["out_trade_no"] == "A1"
        assert emulator.trade("A1")["trade_status"] == "TRADE_SUCCESS"
        emulator.deliver()
        assert address.forms()[0]["body"] == "茶" and address.got[0].url == "https://shop.test/notify"


def test_a_cross_border_order_is_finished_and_notified_in_the_rich_form():
    address = Address()
    with gateway(address) as emulator:
        made = build_order_string(emulator.shop("rsa"), services.mobile_securitypay_pay(
            seller_id=RSA, out_trade_no="A1", subject="Tea", total_fee="10.00", currency="USD",
            trade_information={"business_type": "5", "other_business_type": "Tea", "total_quantity": 1}))
        assert emulator.pay_in_app(made).startswith("resultStatus={9000}")
        emulator.deliver()
        note = address.forms()[0]
        assert note["trade_status"] == "TRADE_FINISHED" and note["currency"] == "USD" and note["seller_id"] == RSA
        assert note["subject"] == "Tea" and note["buyer_id"] == BUYERS[0].buyer_id and "gmt_payment" in note


def test_the_sign_may_stand_in_the_middle(emulator):
    text, order_string = written(emulator, order("M1"))
    first, _, rest = text.partition("&")
    tail = order_string[len(text) + 1:]
    assert emulator.pay_in_app(first + "&" + tail + "&" + rest).startswith("resultStatus={9000}")


@pytest.mark.parametrize("code, change", [
    ("ALIN10129", {"partner": "2088999999999999"}), ("ALIN10129", {"partner": None}),
    ("ALIN38173", {"service": "mobile.security.pay"}), ("ALIN38173", {"total_fee": "1e3"}),
    ("ALIN38173", {"subject": None}), ("ALIN38173", {"total_fee": None}),
    ("ALIN38173", {"it_b_pay": "soon"})])
def test_what_the_app_is_told_of_a_bad_order(emulator, code, change):
    assert memo(emulator.pay_in_app(written(emulator, order("B1", **change))[1])) == code


def test_a_sign_that_does_not_fit_is_refused(emulator):
    _, order_string = written(emulator, order("S1"))
    for spoilt in (order_string.replace("10.00", "0.01"), order_string.replace('"RSA"', '"MD5"'),
                   order_string.replace('sign="', 'sign="x'), order_string.partition("&sign=")[0],
                   order_string.replace(RSA, MD5)):
        assert memo(emulator.pay_in_app(spoilt)) == "ALIN10070"


def test_the_same_order_again(emulator):
    for _ in range(2):
        result = emulator.pay_in_app(written(emulator, order("T1"))[1], BUYERS[2].buyer_id)
        assert memo(result) == "BUYER_BALANCE_NOT_ENOUGH"
    assert memo(emulator.pay_in_app(written(emulator, order("T1", total_fee="9.00"))[1])) == "ALIN42282"
    emulator.place("T2", merchant="rsa", service="mobile.securitypay.pay", total_fee="10.00")
    emulator.log_in("T2", buyer=BUYERS[1].buyer_id)
    assert memo(emulator.pay_in_app(written(emulator, order("T2"))[1])) == "ALIN10023"      # somebody else's order


@pytest.mark.parametrize("text", ["", "x", 'a="1"&a="2"', 'a="1"&', '&a="1"', 'a=1', "\ud800", 'ä="1"'])
def test_what_is_no_order_string_cannot_be_parsed(emulator, text):
    with pytest.raises(Refused) as caught:
        split(text)
    assert caught.value.code == "ALIN38173"
    assert memo(emulator.pay_in_app(text)) == "ALIN38173"


def test_quotes_inside_of_json_end_nothing():
    params, signed, made, sign_type = split('a="{"b":"1","c":"2"}"&d="x&y"&sign="q%2B"&sign_type="RSA"')
    assert params == {"a": '{"b":"1","c":"2"}', "d": "x&y"} and (made, sign_type) == ("q+", "RSA")
    assert signed == 'a="{"b":"1","c":"2"}"&d="x&y"'


@settings(max_examples=settings.default.max_examples * 2 // 3, suppress_health_check=list(HealthCheck))
@given(text=st.one_of(st.text(max_size=80), st.text('ab="&{}1', max_size=40)))
def test_whatever_the_app_hands_over_is_answered(emulator, text):
    framed = 'partner="{}"&_input_charset="utf-8"&x="{}"&sign="aaaa"&sign_type="RSA"'.format(RSA, text)
    for order_string in (text, framed):
        assert emulator.pay_in_app(order_string).startswith("resultStatus={4000}")
