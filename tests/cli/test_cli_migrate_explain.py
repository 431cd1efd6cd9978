"""``migrate explain``: a log goes in, what it would be on another gateway comes out; no secret and no buyer with it."""
import json
import re
from urllib.parse import urlencode

import pytest
from cli_samples import MD5_KEY, NOTE, PARTNER, load, signed

from alipay_mapi.cli import exits, migrate_explain

WHO = {"partner": PARTNER, "_input_charset": "utf-8", "sign": "c0ffee", "sign_type": "MD5"}
PAY = dict(WHO, service="create_forex_trade", out_trade_no="A1", subject="Oolong tea", currency="USD",
           total_fee="11.00", timeout_rule="5m")
QUERY = dict(WHO, service="single_trade_query", out_trade_no="A1")


def url(params, **changes):
    return b"https://intlmapi.alipay.com/gateway.do?" + urlencode(dict(params, **changes)).encode("ascii") + b"\n"


@pytest.fixture
def log(tmp_path):
    def write(*lines):
        (tmp_path / "mapi.log").write_bytes(b"".join(lines))
        return "mapi.log"
    return write


def test_a_query_moves_as_it_is(run, log):
    ran = run("migrate", "explain", log(url(QUERY)))
    assert ran.code == exits.DONE and ran.err == ""
    assert "moves      to AMS: payments/inquiryPayment" in ran.out
    assert re.search(r"out_trade_no +A1 -> paymentRequestId", ran.out)
    assert re.search(r'"paymentRequestId": "A1"', ran.out)


def test_what_cannot_move_is_told_with_its_remedy_in_options(run, log):
    ran = run("migrate", "explain", log(url(PAY, timeout_rule="12h", supplier="x")))
    assert ran.code == exits.WORK_REMAINS
    assert "allow it to be cut with --clamp-expiry" in ran.out and "allow it with --ignore supplier" in ran.out
    assert "Context(" not in ran.out and "cannot     1 of 1 call cannot move as it is" in ran.out
    ran = run("migrate", "explain", "mapi.log", "--clamp-expiry", "--ignore", "supplier")
    assert ran.code == exits.DONE and "dropped, as --ignore says" in ran.out


def test_both_targets_are_told_and_one_is_enough(run, log):
    ran = run("migrate", "explain", log(url(PAY)), "--to", "both")
    assert ran.code == exits.DONE
    assert "to AMS: payments/pay" in ran.out and "cannot     move to OpenAPI as it is" in ran.out
    assert run("migrate", "explain", "mapi.log", "--to", "openapi").code == exits.WORK_REMAINS


def test_stdin_is_read_and_alike_messages_are_one_unless_each_is_wanted(run):
    lines = url(PAY) + url(PAY, out_trade_no="A2")
    assert "1  create_forex_trade: 2 messages, the first in line 1" in run("migrate", "explain", stdin=lines).out
    assert "2  create_forex_trade: 1 message, in line 2" in run("migrate", "explain", "-", "--each", stdin=lines).out


def test_the_home_and_the_moment_of_the_requests_can_be_told(run, log):
    ended = url(PAY, timeout_rule="2020-01-01 12:05:00")
    assert run("migrate", "explain", log(ended)).code == exits.WORK_REMAINS
    assert run("migrate", "explain", "mapi.log", "--now", "2020-01-01 12:00:00").code == exits.DONE
    refund = url(WHO, service="forex_refund", out_trade_no="A1", out_return_no="R1", return_amount="1.00",
                 currency="USD", gmt_return="20260101120000")
    ran = run("migrate", "explain", log(refund), "--home", "mapi")
    assert ran.code == exits.WORK_REMAINS and "the order lives on mapi" in ran.out
    ran = run("migrate", "explain", "mapi.log")
    assert ran.code == exits.DONE and "1. payments/inquiryPayment" in ran.out and "2. payments/refund" in ran.out


def test_a_notification_is_verified_when_a_merchant_is_given(run, log, ini):
    good, bad = signed(NOTE), signed(NOTE, "another key that has 32 letters!")
    ran = run("migrate", "explain", log(good + b"\n" + bad + b"\n"), "--config", ini)
    assert ran.code == exits.DONE
    assert "verified   1" in ran.out and "refused    1: SignatureInvalid" in ran.out
    assert "verified" not in run("migrate", "explain", "mapi.log").out
    shape, = load(run("migrate", "explain", "mapi.log", "--config", ini, "--json"))["shapes"]
    assert shape["verified"] == {"verified": 1, "SignatureInvalid": 1}


def test_the_json_is_one_object_that_says_the_same(run, log):
    ran = run("migrate", "explain", log(url(PAY), url(PAY, split_fund_info="[]"), b"nothing\n",
                                        b"partner=1&sign=2&sign=3\n"), "--json")
    found = load(ran)
    assert ran.code == exits.WORK_REMAINS and ran.err == ""
    assert (found["lines"], found["messages"], found["calls"], found["cannot_move"], found["without_a_message"]) == (
        4, 2, 2, 1, 1)
    assert [(one["messages"], one["line"]) for one in found["damaged"]] == [(1, 4)]
    assert found["services"] == [
        {"service": "create_forex_trade", "target": "ams", "moves": 0, "noted": 1, "cannot": 1}]
    assert found["reasons"][0]["parameter"] == "split_fund_info"
    first = found["shapes"][0]["targets"]["ams"]
    amount = next(one for one in first["fields"] if one["name"] == "total_fee")
    assert amount["to"][0] == {"request": 0, "path": "order.orderAmount.value", "value": "1100"}
    assert first["requests"][0]["content"]["paymentAmount"] == {"currency": "USD", "value": "1100"}
    assert found["shapes"][1]["targets"]["ams"]["requests"] == []


def test_a_return_is_told_to_prove_nothing(run, log):
    ran = run("migrate", "explain", log(b"/back?is_success=T&out_trade_no=A1&sign=00&sign_type=MD5\n"))
    assert ran.code == exits.DONE and "AMS signs nothing on the way back" in ran.out


@pytest.mark.parametrize("argv, word", [
    (["missing.log"], "cannot read missing.log"), (["."], "cannot read"), (["mapi.log"], "no message of MAPI"),
    (["mapi.log", "--now", "soon"], "--now"), (["mapi.log", "--to", "paypal"], "--to"), (["a", "b"], "too many")])
def test_a_wrong_use_is_told(run, log, argv, word):
    log(b"worker started\n")
    ran = run("migrate", "explain", *argv)
    assert ran.code == exits.USAGE and word in ran.err


def test_a_line_that_never_ends_is_cut_and_the_next_is_read(run, log, monkeypatch):
    monkeypatch.setattr(migrate_explain, "LONGEST", 1000)
    found = load(run("migrate", "explain", log(b"x" * 5000 + b"\n", url(QUERY)), "--json"))
    assert (found["lines"], found["messages"], found["shapes"][0]["line"]) == (2, 1, 2)


def test_bytes_of_any_kind_are_no_crash(run, log):
    ran = run("migrate", "explain", log(bytes(range(256)) * 50, b"\n", url(QUERY), b"\xff\xfe\x00s\x00e\x00r\x00v\x00"))
    assert ran.code == exits.DONE


#: Each of them is in the log, and must be nowhere else.
CANARIES = ["CanarySign", "canary.buyer", "13800138111", "2088999988887777", "CanaryQuery", "CanaryLogin",
            "CanaryNotifyId", "CanaryAccount", "288888881234567890", "CanaryToken", "CanaryOwn", "CanaryAddress",
            "CanaryName", "CanarySession", "203.0.113.77", "4111111111111111", MD5_KEY]


def _secrets():
    pay = dict(PAY, sign="CanarySign", return_url="https://CanaryLogin:x@shop.example/r?s=CanaryQuery",
               notify_url="https://shop.example/n?token=CanaryQuery", show_url="https://shop.example/#CanarySession",
               body="for canary.buyer@example.com, 13800138111", split_fund_info='[{"transIn":"CanaryAccount"}]',
               extern_token="CanaryToken", my_own="CanaryOwn", exter_invoke_ip="203.0.113.77", key=MD5_KEY)
    store = dict(WHO, service="alipay.acquire.overseas.spot.pay", partner_trans_id="S1", trans_name="tea",
                 currency="USD", trans_amount="3.00", buyer_identity_code="288888881234567890", sign="CanarySign",
                 memo="4111111111111111", extend_info='{"store_id":"ST1","no_page_lists":"CanaryOwn"}')
    secondary = dict(WHO, service="alipay.overseas.secmerchant.online.maintain", secondary_merchant_id="M1",
                     secondary_merchant_name="Tea House", secondary_merchant_industry="5411", register_country="CN",
                     register_address="CanaryAddress", contact_no="13800138111", representative_name="CanaryName",
                     site_infos='[{"site_type":"WEB","site_url":"https://CanaryLogin@shop.example/?CanaryQuery"}]')
    note = {"notify_type": "trade_status_sync", "notify_id": "nid012CanaryNotifyId",
            "out_trade_no": "A1", "sign": "CanarySign", "sign_type": "MD5", "trade_status": "TRADE_FINISHED",
            "buyer_email": "canary.buyer@example.com", "buyer_id": "2088999988887777",
            "receive_address": "CanaryAddress", "receive_name": "CanaryName",
            "receive_mobile": "13800138111"}
    return [url(pay), url(store), url(secondary), urlencode(note).encode() + b"\n",
            json.dumps({"params": pay, "password": "CanaryOwn"}).encode() + b"\n",
            b'partner="1"&service="mobile.securitypay.pay"&sign="CanarySign"&extern_token="CanaryToken"&x="CanaryOwn"\n',
            b"/back?is_success=T&notify_id=nid012CanaryNotifyId&sign=CanarySign&buyer_email=canary.buyer%40example.com\n",
            b"partner=1&service=x&sign=CanarySign&broken=CanaryOwn%2\n", b"user CanaryOwn logged in\n"]


@pytest.mark.parametrize("options", [[], ["--json"], ["--to", "both", "--each"], ["--to", "both", "--json", "--each"],
                                     ["-vv", "--debug"], ["--to", "both", "--ignore", "my_own", "--ignore", "key",
                                                          "--ignore", "show_url", "--clamp-expiry", "--json"]])
def test_no_secret_and_no_buyer_comes_out(run, log, ini, options):
    ran = run("migrate", "explain", log(*_secrets()), "--config", ini, *options)
    assert ran.code == exits.WORK_REMAINS
    assert [canary for canary in CANARIES if canary.lower() in (ran.out + ran.err).lower()] == []
    assert "Tea House" in ran.out or "Oolong" in ran.out
