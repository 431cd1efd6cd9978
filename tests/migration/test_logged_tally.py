"""A log as a whole: shapes, verdicts, reasons; and one message field by field."""
from urllib.parse import urlencode

import pytest

from alipay_mapi.errors import SignatureInvalid
from alipay_mapi.migration.logged import CANNOT, MOVES, NOTED, Tally, Wanted, explain, messages_in, tally
from alipay_mapi.migration.logged.notices import FIELDS, NONE, REFUND_FIELDS, place_of
from alipay_mapi.times import parse_time

NOW = parse_time("2026-05-12 12:00:00")
WHO = {"partner": "2088101122136241", "_input_charset": "utf-8", "sign": "00", "sign_type": "MD5"}
PAY = dict(WHO, service="create_forex_trade", out_trade_no="A1", subject="tea", currency="USD", total_fee="11.00",
           timeout_rule="5m")
QUERY = dict(WHO, service="single_trade_query", out_trade_no="A1")
REFUND = dict(WHO, service="forex_refund", out_trade_no="A1", out_return_no="R1", return_amount="1.00", currency="USD",
              gmt_return="20260512120000")
NOTICE = {"notify_type": "trade_status_sync", "notify_id": "n1", "out_trade_no": "A1", "trade_status": "TRADE_FINISHED",
          "sign": "00", "sign_type": "MD5"}


def line(params, **changes):
    return urlencode(dict(params, **changes)).encode("ascii")


def told(params, target="ams", wanted=None, **changes):
    message, = messages_in(line(params, **changes))[0]
    return explain(message, target, wanted or Wanted(NOW))


def field(explained, name):
    found, = [one for one in explained.fields if one.name == name]
    return found


def tallied(*lines, **settings):
    found = Tally(settings.pop("targets", ("ams",)), Wanted(NOW), **settings)
    for one in lines:
        found.take(one)
    return found


def test_a_payment_is_told_field_by_field():
    found = told(PAY)
    assert (found.verdict, found.calls) == (NOTED, ("payments/pay",))
    assert field(found, "out_trade_no").to == ((0, "paymentRequestId", None), (0, "order.referenceOrderId", None))
    assert field(found, "total_fee").to == ((0, "order.orderAmount.value", "1100"), (0, "paymentAmount.value", "1100"))
    assert field(found, "timeout_rule").to == ((0, "paymentExpiryTime", "2026-05-12T12:05:00+08:00"),)
    assert field(found, "partner").notes == ("the header client-id: another number, given there",)
    assert field(found, "sign").value == "********"
    assert found.requests[0]["content"]["paymentAmount"] == {"currency": "USD", "value": "1100"}


def test_a_refused_field_stands_first_with_its_reason_and_remedy():
    found = told(PAY, split_fund_info="[]")
    assert found.verdict == CANNOT and found.requests == ()
    assert found.fields[0].name == "split_fund_info"
    assert found.fields[0].refusals == (("splitting an order's money has no equal there",
                                         "settle with the others outside of the payment"),)


def test_what_the_translation_misses_is_a_field_without_a_value():
    found = told(dict(WHO, service="alipay.wap.create.direct.pay.by.user", out_trade_no="A1", subject="tea",
                      total_fee="8"), "openapi")
    assert (field(found, "quit_url").value, len(field(found, "quit_url").refusals)) == (None, 1)


def test_an_order_that_is_asked_about_is_taken_as_made_there_and_that_is_said():
    found = told(REFUND)
    assert found.calls == ("payments/inquiryPayment", "payments/refund") and "stays on MAPI" in found.notes[-1]
    assert field(found, "return_amount").to == ((1, "refundAmount.value", "100"),)
    assert found.requests[1]["content"]["paymentId"] == "(from the answer before)"
    assert told(QUERY).verdict == MOVES


def test_a_home_of_mapi_keeps_the_order_there_and_lets_new_ones_go():
    wanted = Wanted(NOW, home="mapi")
    assert told(REFUND, wanted=wanted).verdict == CANNOT
    assert told(PAY, wanted=wanted).verdict == NOTED


def test_the_context_of_the_command_is_heeded():
    assert told(PAY, timeout_rule="12h").verdict == CANNOT
    assert told(PAY, wanted=Wanted(NOW, clamp_expiry=True), timeout_rule="12h").verdict == NOTED
    assert told(PAY, wanted=Wanted(NOW, ignore=frozenset(["supplier"])), supplier="x").verdict == NOTED
    app = dict(PAY, service="mobile.securitypay.pay")
    assert told(app).verdict == CANNOT and told(app, wanted=Wanted(NOW, os_type="IOS")).verdict == NOTED


def test_an_end_that_counts_from_the_order_is_not_past_because_the_log_is_old():
    found = told(PAY, timeout_rule="", order_gmt_create="2020-01-01 10:00:00", order_valid_time="300")
    assert field(found, "order_valid_time").to == ((0, "paymentExpiryTime", "2020-01-01T10:05:00+08:00"),)


@pytest.mark.parametrize("service, verdict", [("notify_verify", NOTED), ("forex_compare_file", CANNOT),
                                              ("of.somebody.else", CANNOT)])
def test_a_service_without_an_equal_has_no_places(service, verdict):
    found = told(WHO, service=service)
    assert (found.verdict, found.calls) == (verdict, ()) and len(found.fields) == (verdict == CANNOT)


def test_a_notification_has_the_other_gateways_fields_beside_its_own():
    found = told(NOTICE, buyer_email="forename@example.com", use_coupon="N")
    assert found.verdict == "" and field(found, "buyer_email").value == "for***@example.com"
    assert field(found, "trade_status").notes == ("result.resultStatus: S paid, F not paid",)
    assert field(found, "use_coupon").notes == (NONE,)
    refund = told(NOTICE, out_return_no="R1", refund_status="REFUND_SUCCESS")
    assert field(refund, "out_return_no").notes == ("refundRequestId",)


def test_the_table_of_notifications_is_that_of_the_mapping():
    """Section 3.8, written down here once more."""
    wanted = {"trade_status": "resultStatus", "total_fee": "paymentAmount", "currency": "paymentAmount",
              "gmt_payment": "paymentTime", "buyer_id": "pspCustomerInfo", "buyer_email": "pspCustomerInfo",
              "notify_time": "Request-Time", "notify_type": "PAYMENT_RESULT"}
    assert [name for name, word in wanted.items() if word not in place_of(name, "ams", False)] == []
    assert "total_amount" in place_of("total_fee", "openapi", False)
    assert "refundStatus" in place_of("refund_status", "ams", True) and set(REFUND_FIELDS) - set(FIELDS)


def test_alike_messages_are_one_shape_and_others_are_not():
    found = tallied(line(PAY), line(PAY, out_trade_no="A2", subject="cups"), line(PAY, timeout_rule="12h"),
                    line(dict(PAY, body="tea")), b"nothing")
    assert [(group.line, group.count, group.verdict) for group in found.groups.values()] == [
        (1, 2, NOTED), (3, 1, CANNOT), (4, 1, NOTED)]
    assert (found.lines, found.messages, found.without, found.stuck) == (5, 4, 1, 1)
    assert found.services == {("create_forex_trade", "ams"): {NOTED: 3, CANNOT: 1}}
    (key, count), = found.reasons.items()
    assert key[:2] == ("ams", "timeout_rule") and count == 1


def test_each_message_can_be_told():
    assert len(tallied(line(PAY), line(PAY), each=True).groups) == 2


def test_a_call_that_moves_to_one_of_two_targets_is_not_stuck():
    found = tallied(line(PAY), line(PAY, split_fund_info="[]"), targets=("ams", "openapi"))
    assert found.stuck == 1 and [group.verdict for group in found.groups.values()] == [NOTED, CANNOT]


def test_notifications_are_verified_only_when_somebody_can():
    def verify(raw):
        if b"A2" in raw:
            raise SignatureInvalid("no")
    lines = line(NOTICE), line(NOTICE, out_trade_no="A2"), line(NOTICE)
    group, = tallied(*lines, verify=verify).groups.values()
    assert group.verified == {"verified": 2, "SignatureInvalid": 1}
    group, = tallied(*lines).groups.values()
    assert group.verified == {}


def test_a_log_of_strange_names_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(tally, "MOST", 5)
    found = tallied(*[line(dict(PAY, **{"x%d" % number: "1"})) for number in range(20)]
                    + [line(WHO, service="s%d" % number) for number in range(20)]
                    + [line(PAY) + b"&x%d" % number for number in range(20)])
    assert len(found.groups) == 5 and found.untold == 35
    assert len(found.reasons) <= 6 and sum(found.reasons.values()) == 40
    assert len(found.services) <= 6 and sum(sum(one.values()) for one in found.services.values()) == 40
    assert sum(count for count, _ in found.damaged.values()) == 20


def test_no_secret_and_no_buyer_is_shown_of_a_built_request_either():
    shop = ('{"secondary_merchant_id":"M1","secondary_merchant_name":"Li 13800138000",'
            '"secondary_merchant_industry":"5812","store_id":"S1","store_name":"x"}')
    found = told(PAY, extend_info=shop, notify_url="https://shop.example/n?key=S3CRET",
                 subject="for forename@mail.test")
    content = found.requests[0]["content"]
    assert content["paymentNotifyUrl"] == "https://shop.example/n?***"
    assert content["order"]["orderDescription"] == "for for***@mail.test"
    assert content["order"]["merchant"]["merchantName"] == "Li ***"
    assert (0, "order.merchant.merchantName", "Li ***") in field(found, "extend_info").to


def test_what_came_back_with_the_buyer_is_masked_too():
    found = told(dict(is_success="T", sign="00ff", sign_type="MD5", out_trade_no="A1", notify_id="RqPnCoPT3K9",
                      buyer_email="forename@mail.test"))
    assert [field(found, name).value for name in ("sign", "notify_id", "buyer_email", "out_trade_no")] == [
        "********", "RqPnCo***", "for***@mail.test", "A1"]
