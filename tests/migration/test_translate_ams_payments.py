"""``translate/ams_pay.py``: every row of section 3.2 for AMS, with expected values written by hand."""
import json

import pytest

from migration_samples import dumped
from translating import BARCODE, NOW, WEB, ams, noted, one, refused


def test_a_web_order_whole():
    found = ams("create_forex_trade", WEB, service="create_forex_trade", partner="2088101122136241", sign="x",
                sign_type="MD5", _input_charset="gbk", notify_url="https://m.example/n",
                return_url="https://m.example/r",
                refer_url="https://m.example", store_id="S1", store_name="Main St", terminal_id="T1", body="100 g",
                product_code="NEW_OVERSEAS_SELLER", timeout_rule="5m")
    assert [step.name for step in found.steps] == ["payments/pay"]
    assert one(found) == {
        "productCode": "CASHIER_PAYMENT", "paymentRequestId": "A1",
        "order": {"referenceOrderId": "A1", "orderDescription": "tea",
                  "orderAmount": {"currency": "USD", "value": "1100"},
                  "merchant": {"merchantUrl": "https://m.example",
                               "store": {"referenceStoreId": "S1", "storeName": "Main St"}},
                  "env": {"storeTerminalId": "T1"}, "goods": [{"goodsName": "100 g"}]},
        "paymentAmount": {"currency": "USD", "value": "1100"},
        "settlementStrategy": {"settlementCurrency": "USD"}, "paymentMethod": {"paymentMethodType": "ALIPAY_CN"},
        "paymentExpiryTime": "2026-05-12T12:05:00+08:00", "paymentNotifyUrl": "https://m.example/n",
        "paymentRedirectUrl": "https://m.example/r", "env": {"terminalType": "WEB"}}
    assert noted(found) == ["timeout_rule", "notify_url", "return_url"]


@pytest.mark.parametrize("service, product, extra, env", [
    ("create_forex_trade", "NEW_OVERSEAS_SELLER", {}, {"terminalType": "WEB"}),
    ("create_forex_trade_wap", "NEW_WAP_OVERSEAS_SELLER", {}, {"terminalType": "WAP"}),
    ("mobile.securitypay.pay", "NEW_WAP_OVERSEAS_SELLER",
     {"appenv": "system=android^version=3.0.1.2", "payment_type": "1", "forex_biz": "FP", "return_url": "m.alipay.com"},
     {"terminalType": "APP", "osType": "ANDROID"}),
    ("mobile.securitypay.pay", "NEW_WAP_OVERSEAS_SELLER", {"appenv": "system=iphone^version=4"},
     {"terminalType": "APP", "osType": "IOS"})])
def test_the_service_chooses_the_terminal(service, product, extra, env):
    body = one(ams(service, dict(WEB, product_code=product, **extra)))
    assert body["env"] == env and body["productCode"] == "CASHIER_PAYMENT" and "paymentRedirectUrl" not in body


def test_the_apps_system_can_be_told_and_must_be_told():
    assert one(ams("mobile.securitypay.pay", WEB, {"os_type": "ios"}))["env"]["osType"] == "IOS"
    assert refused(ams("mobile.securitypay.pay", WEB)) == ["osType"]
    assert refused(ams("mobile.securitypay.pay", WEB, {"os_type": "symbian"})) == ["osType"]


@pytest.mark.parametrize("service, product", [
    ("create_forex_trade", "NEW_WAP_OVERSEAS_SELLER"), ("create_forex_trade_wap", "NEW_OVERSEAS_SELLER"),
    ("create_forex_trade", "FAST_INSTANT_TRADE_PAY")])
def test_a_product_of_another_service_is_refused(service, product):
    assert refused(ams(service, WEB, product_code=product)) == ["product_code"]


def test_a_cny_price_keeps_its_settlement_currency():
    body = one(ams("create_forex_trade", WEB, total_fee=None, rmb_fee="66.6"))
    assert body["paymentAmount"] == body["order"]["orderAmount"] == {"currency": "CNY", "value": "6660"}
    assert body["settlementStrategy"] == {"settlementCurrency": "USD"}


@pytest.mark.parametrize("inst, method", [(None, "ALIPAY_CN"), ("ALIPAYCN", "ALIPAY_CN"), ("ALIPAYHK", "ALIPAY_HK")])
def test_the_wallet(inst, method):
    assert one(ams("create_forex_trade", WEB, payment_inst=inst))["paymentMethod"] == {"paymentMethodType": method}


def test_a_secondary_merchant():
    body = one(ams("create_forex_trade", WEB, secondary_merchant_id="SEC_1", secondary_merchant_name="Shop",
                   secondary_merchant_industry="5411"))
    assert body["order"]["merchant"] == {"referenceMerchantId": "SEC_1", "merchantName": "Shop", "merchantMCC": "5411"}


def test_a_barcode_payment_at_the_counter():
    found = ams("alipay.acquire.overseas.spot.pay", BARCODE, trans_currency="CNY", identity_code_type="barcode",
                alipay_seller_id="2088101122136241", partner="2088101122136241", quantity="1", price="11.00",
                extend_info=json.dumps({"secondary_merchant_id": "SEC_1", "store_id": "S1", "store_name": "Main St",
                                        "terminal_id": "T1"}))
    assert one(found) == {
        "productCode": "IN_STORE_PAYMENT", "paymentRequestId": "A1",
        "order": {"referenceOrderId": "A1", "orderDescription": "tea",
                  "orderAmount": {"currency": "CNY", "value": "1100"},
                  "merchant": {"referenceMerchantId": "SEC_1",
                               "store": {"referenceStoreId": "S1", "storeName": "Main St"}},
                  "env": {"storeTerminalId": "T1"}},
        "paymentAmount": {"currency": "CNY", "value": "1100"}, "settlementStrategy": {"settlementCurrency": "USD"},
        "paymentMethod": {"paymentMethodType": "ALIPAY_CN", "paymentMethodId": "288888888888888888"},
        "paymentFactor": {"inStorePaymentScenario": "PaymentCode"}}
    assert noted(found) == ["price"]


@pytest.mark.parametrize("name", ["buyer_identity_code", "dynamic_id", "identity_code"])
def test_the_scanned_code_under_each_of_its_names(name):
    params = dict({key: value for key, value in BARCODE.items() if key != "buyer_identity_code"}, **{name: "28888"})
    body = one(ams("alipay.acquire.createandpay", params))
    assert body["paymentMethod"]["paymentMethodId"] == "28888"


def test_a_qr_code_at_the_counter():
    body = one(ams("alipay.acquire.precreate", WEB, product_code="OVERSEAS_MBARCODE_PAY", it_b_pay="9m",
                   timestamp="2026-05-12 12:00:00", terminal_timestamp="x"))
    assert body["paymentFactor"] == {"inStorePaymentScenario": "OrderCode"}
    assert body["paymentExpiryTime"] == "2026-05-12T12:09:00+08:00" and "env" not in body


@pytest.mark.parametrize("params, context, end", [
    ({"timeout_rule": "9m"}, {}, "12:09:00"), ({"it_b_pay": "5m"}, {}, "12:05:00"),
    ({"it_b_pay": "2026-05-12 12:03:04"}, {}, "12:03:04"),
    ({"order_gmt_create": "2026-05-12 11:59:00", "order_valid_time": "300"}, {}, "12:04:00"),
    ({"order_gmt_create": "2026-05-12 11:59:00", "order_valid_time": "300", "timeout_rule": "12h"}, {}, "12:04:00"),
    ({"timeout_rule": "12h"}, {"clamp_expiry": True}, "12:09:59"),
    ({"timeout_rule": "2h"}, {"longest_expiry": 7200}, "14:00:00"),
    ({"it_b_pay": "1c"}, {"longest_expiry": 86400}, None)])
def test_the_end_of_an_unpaid_order(params, context, end):
    wanted = "2026-05-12T{}+08:00".format(end) if end else "2026-05-13T00:00:00+08:00"
    assert one(ams("create_forex_trade", WEB, context, **params))["paymentExpiryTime"] == wanted


@pytest.mark.parametrize("params, parameter", [
    ({"timeout_rule": "10m"}, "timeout_rule"), ({"timeout_rule": "12h"}, "timeout_rule"),
    ({"it_b_pay": "1c"}, "it_b_pay"),
    ({"timeout_rule": "1.5h"}, "timeout_rule"), ({"timeout_rule": "16d"}, "timeout_rule"),
    ({"timeout_rule": "0m"}, "timeout_rule"), ({"it_b_pay": "2026-05-12 12:00:00"}, "it_b_pay"),
    ({"it_b_pay": "2026-05-12 11:00:00"}, "it_b_pay"), ({"order_valid_time": "300"}, "order_valid_time"),
    ({"order_gmt_create": "2026-05-12 11:59:00"}, "order_valid_time"),
    ({"order_gmt_create": "2026-05-12 11:00:00", "order_valid_time": "61"}, "order_valid_time"),
    ({"order_gmt_create": "today", "order_valid_time": "300"}, "order_valid_time")])
def test_an_end_that_ams_does_not_take_is_refused(params, parameter):
    assert refused(ams("create_forex_trade", WEB, **params)) == [parameter]


def test_a_clock_elsewhere_gives_the_same_end():
    from datetime import timedelta, timezone
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-7)))
    body = one(ams("create_forex_trade", WEB, {"now": elsewhere}, timeout_rule="5m"))
    assert body["paymentExpiryTime"] == "2026-05-12T12:05:00+08:00"


def test_without_an_end_the_different_defaults_are_noted():
    assert noted(ams("create_forex_trade", WEB)) == ["timeout_rule"]


def test_trade_information_needs_the_callers_mapper():
    text = dumped({"business_type": "4", "goods_info": "tea^2", "total_quantity": "2"}).decode()
    assert refused(ams("create_forex_trade", WEB, trade_information=text)) == ["trade_information"]
    mapper = {"map_trade_information": lambda found: {"goods": [{"goodsName": found["goods_info"].split("^")[0]}]}}
    found = ams("create_forex_trade", WEB, mapper, trade_information=text, body="100 g")
    assert one(found)["order"]["goods"] == [{"goodsName": "tea"}] and "body" in noted(found)
    greedy = {"map_trade_information": lambda found: {"orderAmount": {"currency": "USD", "value": "1"}}}
    assert refused(ams("create_forex_trade", WEB, greedy, trade_information=text)) == ["trade_information"]


def test_a_long_body_is_left_out_and_noted():
    found = ams("create_forex_trade", WEB, body="x" * 257)
    assert "goods" not in one(found)["order"] and "body" in noted(found)
