"""``translate/ams_order.py`` and ``ams_registration.py``: sections 3.3 and 3.4 for AMS, by hand."""
import json

import pytest

from alipay_mapi.errors import InvalidRequest
from alipay_mapi.migration.errors import NotTranslatable
from translating import ams, noted, one, refused

HOME = {"home": "ams"}
KNOWN = {"home": "ams", "payment_id": "P1", "order_currency": "USD"}
REFUND = {"out_return_no": "R1", "out_trade_no": "A1", "return_amount": "5.50", "currency": "USD"}


@pytest.mark.parametrize("service, params, home, content", [
    ("single_trade_query", {"out_trade_no": "A1"}, None, {"paymentRequestId": "A1"}),
    ("single_trade_query", {"trade_no": "P1"}, "ams", {"paymentId": "P1"}),
    ("single_trade_query", {"trade_no": "P1", "out_trade_no": "A1"}, None, {"paymentRequestId": "A1"}),
    ("alipay.acquire.overseas.query", {"partner_trans_id": "A1", "alipay_trans_id": "P1"}, "ams",
     {"paymentId": "P1", "paymentRequestId": "A1"}),
    ("alipay.acquire.query", {"out_trade_no": "A1"}, "ams", {"paymentRequestId": "A1"})])
def test_a_query_becomes_an_inquiry(service, params, home, content):
    found = ams(service, params, {"home": home})
    assert [(step.name, step.content) for step in found.steps] == [("payments/inquiryPayment", content)]


def test_a_trade_number_of_nobody_knows_whom_is_not_asked_about():
    assert refused(ams("single_trade_query", {"trade_no": "P1"})) == ["trade_no"]
    assert noted(ams("single_trade_query", {"trade_no": "P1", "out_trade_no": "A1"})) == ["trade_no"]
    assert refused(ams("single_trade_query", {})) == ["out_trade_no"]


def test_a_refund_of_a_known_payment_is_one_request():
    found = ams("forex_refund", REFUND, KNOWN, reason="changed mind", notify_url="https://m.example/rn",
                gmt_return="20260512130000", is_sync="N", product_code="NEW_OVERSEAS_SELLER")
    assert [step.name for step in found.steps] == ["payments/refund"]
    assert one(found) == {"refundRequestId": "R1", "paymentId": "P1", "refundReason": "changed mind",
                          "refundAmount": {"currency": "USD", "value": "550"},
                          "refundNotifyUrl": "https://m.example/rn"}
    assert noted(found) == ["product_code", "gmt_return", "is_sync"]


@pytest.mark.parametrize("context", [HOME, {"home": "ams", "payment_id": "P1"},
                                     {"home": "ams", "order_currency": "USD"}])
def test_what_the_caller_does_not_know_is_asked_first(context):
    found = ams("forex_refund", REFUND, context)
    assert [step.name for step in found.steps] == ["payments/inquiryPayment", "payments/refund"]
    second = found.follow(0, {"paymentId": "P9", "paymentAmount": {"currency": "USD", "value": "1100"}})
    assert second.content["paymentId"] == "P9" and second.needs == ()
    assert "paymentId" not in found.steps[1].content, "the translation itself is not changed"


@pytest.mark.parametrize("answer, error", [
    ({"paymentId": "P9", "paymentAmount": {"currency": "CNY"}}, NotTranslatable),
    ({"paymentId": "P9"}, NotTranslatable),
    ({"paymentAmount": {"currency": "USD"}}, InvalidRequest),
    ({"paymentAmount": {"currency": "USD"}, "paymentId": ""}, InvalidRequest), ({}, NotTranslatable)])
def test_an_inquiry_that_says_something_else_stops_the_refund(answer, error):
    with pytest.raises(error):
        ams("forex_refund", REFUND, HOME).follow(0, answer)


def test_a_refund_in_yuan_of_an_order_priced_in_yuan():
    content = one(ams("forex_refund", REFUND, {"home": "ams", "payment_id": "P1", "order_currency": "CNY"},
                      return_amount=None, return_rmb_amount="5.5"))
    assert content["refundAmount"] == {"currency": "CNY", "value": "550"}
    assert ams("forex_refund", REFUND, HOME, return_amount=None,
               return_rmb_amount="5.5").steps[0].checks[0].allowed == ("CNY",)


@pytest.mark.parametrize("changes, context, parameter", [
    ({"return_amount": None, "return_rmb_amount": "5"}, KNOWN, "currency"), ({"currency": "EUR"}, KNOWN, "currency"),
    ({"return_rmb_amount": "5"}, KNOWN, "return_amount"), ({"return_amount": None}, KNOWN, "return_amount"),
    ({"return_amount": "0"}, KNOWN, "return_amount"), ({"return_amount": "5.555"}, KNOWN, "return_amount"),
    ({"currency": "CHF"}, HOME, "return_amount"), ({"currency": None}, HOME, "currency"),
    ({"out_return_no": None}, KNOWN, "out_return_no"), ({"out_return_no": "R" * 65}, KNOWN, "out_return_no"),
    ({"reason": "x" * 257}, KNOWN, "reason"), ({"split_fund_info": "[]"}, KNOWN, "split_fund_info"),
    ({"out_trade_no": None}, KNOWN, "out_trade_no"), ({"surprise": "1"}, KNOWN, "surprise")])
def test_a_refund_that_cannot_be_exact_is_refused(changes, context, parameter):
    assert parameter in refused(ams("forex_refund", REFUND, context, **changes))


@pytest.mark.parametrize("service, params", [
    ("alipay.acquire.overseas.spot.refund", {"partner_trans_id": "A1", "alipay_trans_id": "P1",
                                             "partner_refund_id": "R1",
                                             "refund_amount": "5.50", "currency": "USD", "refund_reson": "late"}),
    ("alipay.acquire.refund", {"out_trade_no": "A1", "out_request_no": "R1", "refund_amount": "5.50",
                               "trans_currency": "USD", "refund_reason": "late"}),
    ("alipay.acquire.refund", {"trade_no": "P1", "out_request_no": "R1", "refund_amount": "5.50",
                               "refund_reason": "late"})])
def test_the_refunds_at_the_counter(service, params):
    assert one(ams(service, params, KNOWN)) == {
        "refundRequestId": "R1", "paymentId": "P1", "refundReason": "late",
        "refundAmount": {"currency": "USD", "value": "550"}}


@pytest.mark.parametrize("params", [{"out_return_no": "R1", "out_trade_no": "A1"}, {"out_request_no": "R1"}])
def test_a_refund_query(params):
    found = ams("alipay.acquire.refund.query", params)
    assert [(step.name, step.content) for step in found.steps] == [("payments/inquiryRefund",
                                                                    {"refundRequestId": "R1"})]
    assert refused(ams("alipay.acquire.refund.query", {"out_trade_no": "A1"})) == ["out_return_no"]


@pytest.mark.parametrize("service, params", [
    ("alipay.acquire.cancel", {"out_trade_no": "A1", "timestamp": "2026-05-12 12:00:00"}),
    ("alipay.acquire.overseas.spot.cancel", {"partner_trans_id": "A1"}),
    ("alipay.acquire.overseas.spot.reverse", {"partner_trans_id": "A1"})])
def test_a_cancel(service, params):
    found = ams(service, params, HOME)
    assert [(step.name, step.content) for step in found.steps] == [("payments/cancel", {"paymentRequestId": "A1"})]


def test_a_close_asks_first_and_never_cancels_what_is_paid():
    found = ams("close_trade", {"out_order_no": "A1", "trade_role": "S"}, HOME)
    assert [step.name for step in found.steps] == ["payments/inquiryPayment", "payments/cancel"]
    for status in ("PROCESSING", "PENDING"):
        assert found.follow(0, {"paymentStatus": status}).content == {"paymentRequestId": "A1"}
    for status in ("SUCCESS", "FAIL", "CANCELLED", "NEW", None):
        with pytest.raises(NotTranslatable):
            found.follow(0, {"paymentStatus": status})
    assert refused(ams("close_trade", {"out_trade_no": "A1", "trade_role": "B"}, HOME)) == ["trade_role"]


MERCHANT = {"secondary_merchant_id": "SEC_1", "secondary_merchant_name": "Shop", "secondary_merchant_industry": "5411",
            "register_country": "US", "register_address": "1 Main St", "registration_no": "N1",
            "secondary_merchant_type": "ENTERPRISE", "contact_no": "555-0100", "timestamp": "2026-05-12 12:00:00",
            "site_infos": json.dumps([{"site_type": "WEB", "site_url": "https://m.example", "site_name": "m"},
                                      {"site_type": "WEB", "site_url": "https://n.example"}])}
FIRST = {"first_registration": True, "registration_request_id": "REG1", "legal_name": "Shop Ltd",
         "registration_type": "ENTERPRISE_REGISTRATION_NO"}


def test_the_first_registration_of_a_secondary_merchant():
    found = ams("alipay.overseas.secmerchant.online.maintain", MERCHANT, FIRST)
    assert found.steps[0].name == "merchants/registration"
    assert one(found) == {
        "registrationRequestId": "REG1", "productCodes": ["CASHIER_PAYMENT"],
        "merchantInfo": {
            "referenceMerchantId": "SEC_1", "merchantDisplayName": "Shop", "merchantMCC": "5411",
            "registrationDetail": {
                "legalName": "Shop Ltd", "registrationAddress": {"region": "US", "address1": "1 Main St"},
                "registrationNo": "N1", "registrationType": "ENTERPRISE_REGISTRATION_NO", "businessType": "ENTERPRISE",
                "contactInfo": {"contactNo": "555-0100"}},
            "websites": [{"name": "m", "url": "https://m.example"},
                         {"name": "https://n.example", "url": "https://n.example"}]}}


@pytest.mark.parametrize("context, changes, parameter", [
    ({"first_registration": False}, {}, "secondary_merchant_id"),
    ({"registration_request_id": None}, {}, "registrationRequestId"), ({"legal_name": None}, {}, "legalName"),
    ({"registration_type": None}, {}, "registrationType"), ({}, {"site_infos": '[{"site_type":"APP"}]'}, "site_infos"),
    ({}, {"site_infos": "{"}, "site_infos"), ({}, {"site_infos": '{"a":1}'}, "site_infos"),
    ({}, {"site_infos": "[1]"}, "site_infos"), ({}, {"site_infos": '[],"x":[]'}, "site_infos"),
    ({}, {"secondary_merchant_type": "CLUB"}, "secondary_merchant_type"),
    ({}, {"register_country": None}, "register_country"), ({}, {"shareholder_name": "x"}, "shareholder_name")])
def test_a_registration_that_is_an_update_or_not_whole_is_refused(context, changes, parameter):
    assert refused(ams("alipay.overseas.secmerchant.online.maintain", MERCHANT, dict(FIRST, **context),
                       **changes)) == [parameter]


def test_how_a_registration_stands():
    found = ams("alipay.overseas.secmerchant.maintain.queryStatus",
                {"secondary_merchant_id": "SEC_1", "payment_method": "ONLINE_PAYMENT"},
                {"registration_request_id": "REG1"})
    assert [(step.name, step.content) for step in found.steps] == [
        ("merchants/inquiryRegistrationStatus", {"referenceMerchantId": "SEC_1", "registrationRequestId": "REG1"})]
    assert refused(ams("alipay.overseas.secmerchant.maintain.queryStatus", {
        "secondary_merchant_id": "SEC_1", "payment_method": "INSTORE_PAYMENT"})) == ["payment_method"]
