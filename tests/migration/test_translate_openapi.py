"""``translate/openapi_pay.py`` and ``openapi_order.py``: sections 3.1 to 3.3 for OpenAPI, by hand."""
import json

import pytest

from translating import BARCODE, CNY, WEB, noted, one, openapi, refused

HOME = {"home": "openapi"}


@pytest.mark.parametrize("service, method, product", [
    ("create_direct_pay_by_user", "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    ("alipay.wap.create.direct.pay.by.user", "alipay.trade.wap.pay", "QUICK_WAP_PAY"),
    ("mobile.securitypay.pay", "alipay.trade.app.pay", "QUICK_MSECURITY_PAY"),
    ("alipay.acquire.precreate", "alipay.trade.precreate", "FACE_TO_FACE_PAYMENT"),
    ("create_forex_trade", "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    ("create_forex_trade_wap", "alipay.trade.wap.pay", "QUICK_WAP_PAY")])
def test_the_service_chooses_method_and_product(service, method, product):
    found = openapi(service, CNY, {"quit_url": "https://m.example/q"})
    assert found.steps[0].name == method
    wanted = {"out_trade_no": "A1", "subject": "tea", "total_amount": "8.00", "product_code": product}
    if method == "alipay.trade.wap.pay":
        wanted["quit_url"] = "https://m.example/q"
    assert one(found) == wanted


def test_a_page_payment_whole():
    found = openapi("create_direct_pay_by_user", CNY, notify_url="https://m.example/n",
                    return_url="https://m.example/r",
                    payment_type="1", partner="2088101122136241", seller_id="2088101122136241", it_b_pay="30m",
                    body="100 g", store_id="S1", terminal_id="T1", refer_url="https://m.example", qr_pay_mode="2")
    assert one(found) == {
        "out_trade_no": "A1", "subject": "tea", "total_amount": "8.00", "product_code": "FAST_INSTANT_TRADE_PAY",
        "body": "100 g", "timeout_express": "30m", "store_id": "S1", "terminal_id": "T1",
        "request_from_url": "https://m.example", "qr_pay_mode": "2"}
    assert found.steps[0].common == {"notify_url": "https://m.example/n", "return_url": "https://m.example/r"}


def test_a_barcode_payment():
    found = openapi("alipay.acquire.overseas.spot.pay", BARCODE, currency="CNY", identity_code_type="barcode",
                    extend_info=json.dumps({"store_id": "S1", "terminal_id": "T1"}))
    assert one(found) == {
        "out_trade_no": "A1", "subject": "tea", "total_amount": "11.00", "product_code": "FACE_TO_FACE_PAYMENT",
        "scene": "bar_code", "auth_code": "288888888888888888", "store_id": "S1", "terminal_id": "T1"}


def test_an_order_in_yuan_goes_there_only_if_it_may_be_settled_in_yuan():
    params = dict(WEB, rmb_fee="66.60")
    del params["total_fee"]
    assert refused(openapi("create_forex_trade", params)) == ["currency"]
    assert one(openapi("create_forex_trade", params, {"settles_in_cny": True}))["total_amount"] == "66.60"
    assert refused(openapi("create_forex_trade", WEB, {"settles_in_cny": True})) == ["currency"]


@pytest.mark.parametrize("changes, content", [
    ({"it_b_pay": "1c"}, {"timeout_express": "1c"}), ({"timeout_rule": "15d"}, {"timeout_express": "15d"}),
    ({"it_b_pay": "2026-05-13 01:02:03"}, {"time_expire": "2026-05-13 01:02:03"}),
    ({"order_gmt_create": "2026-05-12 11:59:00", "order_valid_time": "600"}, {"time_expire": "2026-05-12 12:09:00"})])
def test_the_end_of_an_unpaid_order(changes, content):
    found = one(openapi("create_direct_pay_by_user", CNY, **changes))
    assert {name: found[name] for name in found if name in ("timeout_express", "time_expire")} == content


@pytest.mark.parametrize("changes, parameter", [
    ({"currency": "USD"}, "currency"), ({"total_fee": "8.001"}, "total_fee"), ({"total_fee": "0"}, "total_fee"),
    ({"total_fee": "-8"}, "total_fee"), ({"total_fee": None}, "total_fee"), ({"rmb_fee": "8"}, "total_fee"),
    ({"payment_inst": "ALIPAYHK"}, "payment_inst"), ({"secondary_merchant_id": "SEC_1"}, "secondary_merchant_id"),
    ({"extend_params": '{"secondary_merchant_name":"x"}'}, "secondary_merchant_name"),
    ({"extend_params": '{"hb_fq_num":"3"}'}, "extend_params.hb_fq_num"), ({"store_name": "Main St"}, "store_name"),
    ({"royalty_parameters": "x", "royalty_type": "10"}, "royalty_parameters"),
    ({"split_fund_info": "[]"}, "split_fund_info"),
    ({"trade_information": "{}"}, "trade_information"), ({"it_b_pay": "20d"}, "it_b_pay"),
    ({"it_b_pay": "2026-05-12 11:00:00"}, "it_b_pay"), ({"seller_id": "2088101122136999"}, "seller_id"),
    ({"seller_email": "shop@example.com"}, "seller_email"), ({"extra_common_param": "x"}, "extra_common_param"),
    ({"product_code": "FOREX_GENERAL_WITHHOLDING"}, "product_code"), ({"payment_type": "47"}, "payment_type"),
    ({"out_trade_no": "A" * 65}, "out_trade_no"), ({"subject": "x" * 257}, "subject"), ({"subject": None}, "subject")])
def test_what_a_domestic_contract_does_not_have_is_refused(changes, parameter):
    assert parameter in refused(openapi("create_direct_pay_by_user", CNY, partner="2088101122136241", **changes))


def test_the_wap_page_wants_an_address_for_those_who_give_up():
    service = "alipay.wap.create.direct.pay.by.user"
    assert refused(openapi(service, CNY)) == ["quit_url"]
    assert one(openapi(service, CNY, show_url="https://m.example/item"))["quit_url"] == "https://m.example/item"


def test_a_mapper_gives_the_business_params():
    found = openapi("create_direct_pay_by_user", CNY, {"map_trade_information": lambda told: {"mc": told["a"]}},
                    trade_information='{"a":"1"}', store_name="x", body="x" * 129,
                    return_url="m.alipay.com")
    assert refused(found) == ["store_name"]
    found = openapi("create_direct_pay_by_user", CNY, {"map_trade_information": lambda told: {"mc": told["a"]},
                                                       "ignore": {"store_name"}},
                    trade_information='{"a":"1"}', store_name="x", body="x" * 129, return_url="m.alipay.com")
    assert one(found)["business_params"] == {"mc": "1"} and "body" not in one(found)
    assert noted(found) == ["store_name", "body"] and found.steps[0].common == {}


@pytest.mark.parametrize("service, params, method, content", [
    ("single_trade_query", {"out_trade_no": "A1"}, "alipay.trade.query", {"out_trade_no": "A1"}),
    ("alipay.acquire.query", {"trade_no": "T1"}, "alipay.trade.query", {"trade_no": "T1"}),
    ("alipay.acquire.overseas.query", {"partner_trans_id": "A1"}, "alipay.trade.query", {"out_trade_no": "A1"}),
    ("alipay.acquire.refund.query", {"out_trade_no": "A1", "out_return_no": "R1"}, "alipay.trade.fastpay.refund.query",
     {"out_trade_no": "A1", "out_request_no": "R1"}),
    ("alipay.acquire.refund.query", {"out_trade_no": "A1"}, "alipay.trade.fastpay.refund.query",
     {"out_trade_no": "A1", "out_request_no": "A1"}),
    ("alipay.acquire.cancel", {"out_trade_no": "A1"}, "alipay.trade.cancel", {"out_trade_no": "A1"}),
    ("close_trade", {"out_order_no": "A1"}, "alipay.trade.close", {"out_trade_no": "A1"})])
def test_what_happens_to_an_order_afterwards(service, params, method, content):
    found = openapi(service, params, HOME)
    assert [(step.name, step.content) for step in found.steps] == [(method, content)]


@pytest.mark.parametrize("service, params, amount", [
    ("forex_refund", {"out_return_no": "R1", "out_trade_no": "A1", "return_rmb_amount": "5.5", "currency": "USD",
                      "reason": "late", "gmt_return": "20260512130000", "is_sync": "N",
                      "notify_url": "https://m.example/n"}, "5.50"),
    ("alipay.acquire.overseas.spot.refund", {"partner_refund_id": "R1", "partner_trans_id": "A1",
                                             "refund_amount": "5.50",
                                             "currency": "CNY", "refund_reason": "late"}, "5.50"),
    ("alipay.acquire.refund", {"out_request_no": "R1", "out_trade_no": "A1", "refund_amount": "5",
                               "refund_reason": "late"}, "5.00")])
def test_a_refund_is_in_yuan(service, params, amount):
    found = openapi(service, params, HOME)
    assert found.steps[0].name == "alipay.trade.refund" and one(found) == {
        "out_trade_no": "A1", "out_request_no": "R1", "refund_amount": amount, "refund_reason": "late"}
    if "gmt_return" in params:
        assert noted(found) == ["gmt_return", "is_sync", "notify_url"]


@pytest.mark.parametrize("changes, context, parameter", [
    ({"currency": "USD"}, HOME, "currency"), ({"out_return_no": None}, HOME, "out_return_no"),
    ({"return_amount": None}, HOME, "return_amount"), ({"return_rmb_amount": "1"}, HOME, "return_amount"),
    ({"return_amount": "0.00"}, HOME, "return_amount"), ({}, {"home": "openapi", "order_currency": "USD"}, "currency"),
    ({"split_fund_info": "[]"}, HOME, "split_fund_info"), ({"out_trade_no": None}, HOME, "out_trade_no"),
    ({"trade_no": "T1", "out_trade_no": None}, {}, "trade_no")])
def test_a_refund_that_is_not_is_refused(changes, context, parameter):
    params = {"out_return_no": "R1", "out_trade_no": "A1", "return_amount": "5.50", "currency": "CNY"}
    assert parameter in refused(openapi("forex_refund", params, context, **changes))


def test_a_number_of_another_gateway_is_left_out_of_a_query():
    found = openapi("single_trade_query", {"trade_no": "T1", "out_trade_no": "A1"})
    assert one(found) == {"out_trade_no": "A1"} and noted(found) == ["trade_no"]
    assert refused(openapi("single_trade_query", {})) == ["out_trade_no"]
    assert refused(openapi("close_trade", {"out_trade_no": "A1", "trade_role": "B"}, HOME)) == ["trade_role"]
    assert refused(openapi("alipay.acquire.refund.query", {"trade_no": "T1"}, HOME)) == ["out_return_no"]
