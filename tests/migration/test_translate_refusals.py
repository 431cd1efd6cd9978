"""What no translation lets through (section 3.10), which services have none (3.1), and how a refusal reads."""
import pickle
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.errors import AlipayError, InvalidRequest
from alipay_mapi.fields import NAMES
from alipay_mapi.migration.errors import NotTranslatable
from alipay_mapi.migration.translate import Context, translate
from alipay_mapi.migration.translate.calls import CALLS
from translating import CNY, NOW, WEB, ams, noted, one, openapi, refused

REFUND = {"out_return_no": "R1", "out_trade_no": "A1", "return_amount": "5.50", "currency": "USD"}
WRITES = [("forex_refund", REFUND), ("alipay.acquire.cancel", {"out_trade_no": "A1"}),
          ("close_trade", {"out_trade_no": "A1"})]


@pytest.mark.parametrize("service, params", WRITES)
@pytest.mark.parametrize("home", [None, "mapi", "openapi"])
def test_a_write_to_an_order_of_another_or_an_unknown_home_is_refused(service, params, home):
    assert "home" in refused(ams(service, params, {"home": home}))


@pytest.mark.parametrize("home, goes", [(None, True), ("ams", True), ("mapi", False), ("openapi", False)])
def test_a_read_may_ask_where_the_home_is_not_known(home, goes):
    for service, params in (("single_trade_query", {"out_trade_no": "A1"}),
                            ("alipay.acquire.refund.query", {"out_trade_no": "A1", "out_return_no": "R1"})):
        assert refused(ams(service, params, {"home": home})) == ([] if goes else ["home"])


@pytest.mark.parametrize("home, goes", [(None, True), ("ams", True), ("mapi", False)])
def test_a_number_that_lives_elsewhere_is_not_used_again(home, goes):
    assert refused(ams("create_forex_trade", WEB, {"home": home})) == ([] if goes else ["out_trade_no"])


@pytest.mark.parametrize("service, for_ams, for_openapi", [
    ("create_direct_pay_by_user", "domestic", None), ("alipay.wap.create.direct.pay.by.user", "domestic", None),
    ("alipay.overseas.secmerchant.online.maintain", None, "secondary"),
    ("alipay.overseas.secmerchant.offline.maintain", "stores", "secondary"),
    ("alipay.overseas.secmerchant.maintain.queryStatus", None, "secondary"),
    ("alipay.acquire.customs", "customs/declare", "alipay.trade.customs.declare"),
    ("forex_rate_file", "inquireExchangeRate", "no rates"), ("forex_compare_file", "reports", "reports"),
    ("forex_liquidation_file", "reports", "reports"), ("notify_verify", "not needed", "not needed"),
    ("refund_fastpay_by_platform_pwd", "password", "password"), ("create_partner_trade_by_buyer", "escrow", "escrow"),
    ("send_goods_confirm_by_platform", "escrow", "escrow"), ("a_service_of_nobody", "no service", "no service")])
def test_a_service_without_an_equal_says_why_and_what_to_do(service, for_ams, for_openapi):
    for word, found in ((for_ams, ams(service, {})), (for_openapi, openapi(service, {}))):
        if word is not None:
            refusal, = found.refusals
            assert refusal.parameter == "service" and word in str(refusal) and refusal.remedy


@pytest.mark.parametrize("amount, currency", [
    ("10.50", "JPY"), ("11.001", "USD"), ("0", "USD"), ("-1", "USD"), ("1.00", "CHF"), ("1.00", "MOP"), ("1e2", "USD"),
    ("15000.50", "IDR")])
def test_an_amount_that_is_not_exact_or_in_no_currency_of_theirs_is_refused(amount, currency):
    assert "total_fee" in refused(ams("create_forex_trade", WEB, total_fee=amount, currency=currency))


def test_a_settlement_currency_outside_of_the_table_is_refused():
    assert refused(ams("create_forex_trade", WEB, total_fee=None, rmb_fee="8.00", currency="CHF")) == ["currency"]


@pytest.mark.parametrize("changes, parameter", [
    ({"total_fee": None}, "total_fee"), ({"rmb_fee": "8"}, "total_fee"), ({"currency": None}, "currency"),
    ({"out_trade_no": None}, "out_trade_no"), ({"subject": None}, "subject"),
    ({"out_trade_no": "A" * 65}, "out_trade_no"),
    ({"subject": "x" * 257}, "subject"), ({"payment_inst": "WECHAT"}, "payment_inst"),
    ({"split_fund_info": "[]"}, "split_fund_info"),
    ({"trade_information": "{"}, "trade_information"),
    ({"notify_url": "https://m.example/" + "x" * 2048}, "notify_url"),
    ({"return_url": "https://m.example/" + "x" * 2048}, "return_url"), ({"subject": "\ud800"}, "subject"),
    ({"seller_id": "2088101122136999"}, "seller_id"), ({"partner_trans_id": "A2"}, "partner_trans_id"),
    ({"extend_info": '{"store_id":"S2"}', "store_id": "S1"}, "store_id"), ({"extend_info": "[]"}, "extend_info"),
    ({"extend_info": '{"sys_service_provider_id":"2088"}'}, "extend_info.sys_service_provider_id")])
def test_a_payment_that_ams_cannot_take_as_it_is_is_refused(changes, parameter):
    assert parameter in refused(ams("create_forex_trade", WEB, partner="2088101122136241", **changes))


@pytest.mark.parametrize("name", ["supplier", "auth_token", "app_pay", "qrcode_width", "sendFormat", "anything"])
def test_an_unknown_parameter_is_refused_unless_it_may_be_ignored(name):
    found = ams("create_forex_trade", dict(WEB, **{name: "x"}))
    assert refused(found) == [name] and "ignore" in found.refusals[0].remedy
    found = ams("create_forex_trade", dict(WEB, **{name: "x"}), {"ignore": {name}})
    assert not found.refusals and name in noted(found) and "x" not in str(one(found)).replace("'tea'", "").split()


def test_what_shares_the_money_cannot_be_ignored():
    assert refused(ams("create_forex_trade", WEB, {"ignore": {"split_fund_info"}}, split_fund_info="[]")) == [
        "split_fund_info"]


@pytest.mark.parametrize("changes, parameter", [
    ({"card_no": "4111111111111111"}, "card_no"), ({"creditCardNumber": "x"}, "creditCardNumber"),
    ({"cvv": "123"}, "cvv"),
    ({"subject": "4111 1111 1111 1111"}, "subject"), ({"body": "card 5500-0000-0000-0004!"}, "body")])
def test_card_numbers_are_refused_in_any_form_and_never_shown(changes, parameter):
    for translate_ in (ams, openapi):
        found = translate_("create_forex_trade", WEB, {"ignore": {parameter}}, **changes)
        assert parameter in refused(found)
        assert not any(value in repr(found) for value in changes.values() if len(value) > 3)


def test_numbers_that_are_no_cards_pass():
    params = dict(WEB, out_trade_no="4111111111111111", subject="order 4111111111111112 of 2026")
    assert one(ams("create_forex_trade", params))["paymentRequestId"] == "4111111111111111"


def test_every_reason_is_listed_and_each_names_service_back_end_parameter_reason_and_remedy():
    found = ams("create_forex_trade", WEB, total_fee="1.001", split_fund_info="[]", timeout_rule="1d")
    assert refused(found) == ["split_fund_info", "total_fee", "timeout_rule"]
    with pytest.raises(NotTranslatable) as caught:
        found.require()
    error = caught.value
    assert (error.service, error.back_end, error.parameter) == ("create_forex_trade", "ams", "split_fund_info")
    assert error.reason and error.remedy and "2 more" in str(error) and len(error.refusals) == 3
    again = pickle.loads(pickle.dumps(error))
    assert again.refusals == error.refusals and str(again) == str(error)
    with pytest.raises(NotTranslatable):
        found.follow(0, {})


@pytest.mark.parametrize("arguments", [
    ("single_trade_query", {"out_trade_no": "A1"}, "mapi", Context(now=NOW)), (1, {}, "ams", Context(now=NOW)),
    ("single_trade_query", [], "ams", Context(now=NOW)), ("single_trade_query", {}, "ams", None),
    ("single_trade_query", {"out_trade_no": 1}, "ams", Context(now=NOW)),
    ("single_trade_query", {b"out_trade_no": "A1"}, "ams", Context(now=NOW))])
def test_arguments_of_the_wrong_kind_are_the_callers_mistake(arguments):
    with pytest.raises(InvalidRequest):
        translate(*arguments)


@pytest.mark.parametrize("settings", [
    {"now": datetime(2026, 5, 12)}, {"now": "now"}, {"home": "AMS"}, {"ignore": "supplier"}, {"longest_expiry": 0},
    {"longest_expiry": True}])
def test_a_context_that_makes_no_sense_is_refused(settings):
    with pytest.raises(InvalidRequest):
        Context(**dict({"now": datetime.now(timezone.utc)}, **settings))


def test_params_are_not_changed_and_empty_values_are_as_good_as_none():
    params = dict(WEB, split_fund_info="", supplier="")
    before = dict(params)
    assert not ams("create_forex_trade", params).refusals and params == before
    assert not openapi("create_direct_pay_by_user", dict(CNY, supplier="")).refusals


@settings(max_examples=settings.default.max_examples // 3)
@given(st.sampled_from(sorted(CALLS)), st.sampled_from(["ams", "openapi"]), st.sampled_from([None, "ams", "openapi"]),
       st.dictionaries(st.sampled_from(sorted(NAMES)) | st.text(max_size=4), st.text(max_size=12), max_size=8))
def test_whatever_is_asked_there_are_steps_or_refusals_and_never_a_foreign_error(service, target, home, params):
    found = translate(service, params, target, Context(now=NOW, home=home))
    assert bool(found.steps) != bool(found.refusals)
    try:
        found.require()
    except AlipayError:
        assert found.refusals
