"""``Translation.moved`` says which parameter became what: for each one of a call, and nothing that is not there."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.migration.translate import Context, translate
from alipay_mapi.times import parse_time
from migration_samples import rows
from test_translate_and_read_back import orders
from translating import BARCODE, CNY, NOW, WEB, ams, openapi

#: Who calls: a part of every request there.
OWN = {"service", "partner", "sign", "sign_type", "_input_charset"}


def places(translation, step=0):
    found = {}
    for moved in translation.moved:
        if moved.step in (step, None):
            found.setdefault(moved.parameter, []).append(moved.path)
    return found


def test_a_payment_tells_where_each_word_went():
    found = ams("create_forex_trade", WEB, notify_url="https://m.example/n", return_url="https://m.example/r",
                body="tea", product_code="NEW_OVERSEAS_SELLER", secondary_merchant_id="S1", timeout_rule="5m",
                refer_url="https://m.example", payment_inst="ALIPAYHK")
    assert places(found) == {
        "out_trade_no": ["paymentRequestId", "order.referenceOrderId"], "subject": ["order.orderDescription"],
        "total_fee": ["order.orderAmount.value", "paymentAmount.value"],
        "currency": ["order.orderAmount.currency", "paymentAmount.currency", "settlementStrategy.settlementCurrency"],
        "notify_url": ["paymentNotifyUrl"], "return_url": ["paymentRedirectUrl"], "body": ["order.goods.0.goodsName"],
        "product_code": ["env.terminalType"], "secondary_merchant_id": ["order.merchant.referenceMerchantId"],
        "timeout_rule": ["paymentExpiryTime"], "refer_url": ["order.merchant.merchantUrl"],
        "payment_inst": ["paymentMethod.paymentMethodType"]}


def test_yuan_with_a_foreign_settlement_go_two_ways():
    found = places(ams("create_forex_trade", WEB, total_fee=None, rmb_fee="8.00"))
    assert found["rmb_fee"] == ["order.orderAmount.value", "paymentAmount.value", "order.orderAmount.currency",
                                "paymentAmount.currency"]
    assert found["currency"] == ["settlementStrategy.settlementCurrency"]


def test_a_payment_in_a_store_tells_what_came_from_inside_of_extend_info():
    found = places(ams("alipay.acquire.overseas.spot.pay", BARCODE, trans_currency="CNY",
                       extend_info='{"store_id":"ST1","secondary_merchant_name":"Tea House"}'))
    assert found["extend_info.store_id"] == ["order.merchant.store.referenceStoreId"]
    assert found["extend_info.secondary_merchant_name"] == ["order.merchant.merchantName"]
    assert found["trans_currency"] == ["order.orderAmount.currency", "paymentAmount.currency"]
    assert found["biz_product"] == ["productCode"]
    assert found["buyer_identity_code"] == ["paymentMethod.paymentMethodId"]
    assert found["partner_trans_id"] == ["paymentRequestId", "order.referenceOrderId"]


def test_a_refund_in_two_steps_tells_which_step():
    params = {"out_trade_no": "A1", "out_return_no": "R1", "return_amount": "1.00", "currency": "USD", "reason": "late"}
    found = ams("forex_refund", params, {"home": "ams"})
    assert places(found, 0) == {"out_trade_no": ["paymentRequestId"]}
    assert places(found, 1) == {"out_return_no": ["refundRequestId"], "return_amount": ["refundAmount.value"],
                                "currency": ["refundAmount.currency"], "reason": ["refundReason"]}


def test_openapi_has_its_own_names():
    found = openapi("create_direct_pay_by_user", CNY, it_b_pay="5m", body="tea", notify_url="https://m.example/n")
    assert places(found) == {"out_trade_no": ["out_trade_no"], "subject": ["subject"], "total_fee": ["total_amount"],
                             "it_b_pay": ["timeout_express"], "body": ["body"], "notify_url": ["notify_url"]}


def test_a_refused_call_tells_where_the_rest_would_go():
    found = ams("create_forex_trade", WEB, split_fund_info="[]")
    assert found.refusals and places(found)["subject"] == ["order.orderDescription"]
    assert {moved.step for moved in found.moved} == {None}
    assert "split_fund_info" not in places(found)
    found = openapi("create_direct_pay_by_user", CNY, it_b_pay="5m", supplier="x")
    assert found.refusals and places(found)["it_b_pay"] == ["timeout_express"]


def test_what_is_left_out_is_not_told_as_moved():
    found = ams("create_forex_trade", WEB, body="b" * 300)
    assert "body" not in places(found) and [note.parameter for note in found.notes].count("body") == 1


@pytest.mark.parametrize("target", ["ams", "openapi"])
@pytest.mark.parametrize("sample", rows("translations"), ids=lambda one: one["id"])
def test_every_recorded_parameter_went_somewhere_or_is_named(sample, target):
    """A call that can move: each parameter is in ``moved``, in the notes, or one of who calls."""
    found = translate(sample["mapi_service"], sample["mapi_params"], target, Context(
        now=parse_time("2026-05-12 12:00:00"), home=None if sample["mapi_service"].startswith("create_") else target))
    if found.refusals:
        return
    told = set(places(found, 0)) | set(places(found, 1)) | {note.parameter for note in found.notes}
    left = set(sample["mapi_params"]) - told - OWN
    # payment_type and product_code of a refund are checked and said by the call itself.
    assert left <= {"payment_type", "product_code", "out_trade_no"}, left


@settings(max_examples=settings.default.max_examples // 4)
@given(orders(), st.sampled_from(["ams", "openapi"]))
def test_every_place_that_is_told_is_there(params, target):
    found = translate("create_forex_trade", params, target, Context(now=NOW, settles_in_cny=True))
    for moved in found.moved:
        assert moved.parameter in params
        if moved.step is not None:
            assert found.steps[moved.step].at(moved.path) is not None
    if found.steps:
        unnamed = set(params) - {moved.parameter for moved in found.moved} - {note.parameter for note in found.notes}
        assert unnamed <= ({"currency", "payment_inst"} if target == "openapi" else set())
