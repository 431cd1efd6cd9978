"""Messages to a shop whose order named its charset in an odd way."""
import hashlib

import pytest
from core_setup import MD5, NOTIFY, Address, form, gateway
from signed_by_hand import presign, send, sign

from alipay_mapi.emulator.broken import WAYS

TEA = "茶"


def fits(emulator, body):
    got = form(body, encoding="gbk")
    data = presign(got).encode("gbk") + emulator.merchant("md5").shop_keys()["md5_key"].encode("ascii")
    return got["sign"] == hashlib.md5(data).hexdigest()


def test_an_order_with_an_empty_charset_is_notified_in_gbk_and_holds_up_no_other():
    address = Address()
    emulator = gateway(address)
    outcome = send(emulator, "create_forex_trade", charset=None, _input_charset="", out_trade_no="A1", subject=TEA,
                   currency="USD", total_fee="10.00", return_url=NOTIFY)
    assert outcome.error is None
    emulator.place("A2")
    for number in ("A1", "A2"):
        emulator.pay(number, partner=MD5)
    assert [one["out_trade_no"] for one in emulator.deliver()] == ["A1", "A2"]
    assert fits(emulator, address.got[0].body)
    assert address.got[0].content_type.endswith("charset=GBK")
    assert "&sign=" in emulator.return_url("A1")


@pytest.mark.parametrize("charset", ["", "big5"])
def test_an_app_order_with_a_charset_that_alipay_does_not_know_is_notified_in_gbk(charset):
    address = Address()
    emulator = gateway(address)
    order = {"service": "mobile.securitypay.pay", "partner": MD5, "_input_charset": charset, "out_trade_no": "A1",
             "subject": TEA, "body": TEA, "payment_type": "1", "seller_id": MD5, "total_fee": "10.00",
             "notify_url": NOTIFY}
    signed = "&".join('{}="{}"'.format(*pair) for pair in order.items())
    made = sign("MD5", emulator.merchant("md5").shop_keys(), signed.encode("gbk"))
    assert emulator.pay_in_app('{}&sign_type="MD5"&sign="{}"'.format(signed, made)).startswith("resultStatus={9000}")
    emulator.deliver()
    assert form(address.got[0].body, encoding="gbk")["subject"] == TEA and fits(emulator, address.got[0].body)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_such_an_order_can_be_notified_in_every_broken_way(way):
    address = Address()
    emulator = gateway(address)
    send(emulator, "create_forex_trade", charset=None, _input_charset="", out_trade_no="A1", subject=TEA,
         currency="USD", total_fee="10.00")
    emulator.fail(way)
    emulator.pay("A1")
    emulator.deliver()
    assert [one.fault for one in address.got] == [way]
