"""Batch refunds and batch payments: what is answered, what the ledger holds, and what the shop is told."""
import hashlib
import json
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import deserved_batch as make
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import alipay_mapi as mapi
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.front import respond
from alipay_mapi.emulator.notifier import Answered
from alipay_mapi.error_codes import CODES

NOON = datetime(2026, 11, 18, 12, 0, 0, tzinfo=timezone(timedelta(hours=8)))
#: Made once: key pairs take seconds.
KEYS = {}
REFUNDS, PAYMENT, BATCHES = ("https://shop.example.com/" + name for name in ("refunds", "pay", "batches"))
UNKNOWN = "2026010100100400000000000000"


class Shop:
    """An address that says ``success`` and keeps what it was sent."""

    def __init__(self):
        self.got = []

    def __call__(self, delivery):
        self.got.append(delivery)
        return Answered(200, "success")

    def fields(self, url):
        """The fields of everything that came to ``url``, in order."""
        return [dict(parse_qsl(one.body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
                for one in self.got if one.url == url]


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def emulator(shop):
    with Emulator(seed=3, frozen=True, start=NOON, keys=KEYS, sender=shop) as one:
        yield one


class Done(HTMLParser):
    """The text of the element with the id ``done`` or ``error``."""

    def __init__(self, reply):
        super().__init__()
        self.text, self.inside = {}, ""
        self.feed(reply.body.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.inside = dict(attrs).get("id", "")

    def handle_data(self, data):
        if self.inside in ("done", "error"):
            self.text.setdefault(self.inside, data.strip())


def is_signed(emulator, fields):
    text = "&".join("{}={}".format(name, fields[name]) for name in sorted(fields) if name not in ("sign", "sign_type"))
    key = emulator.merchant("md5").shop_keys()["md5_key"]
    return fields["sign"] == hashlib.md5((text + key).encode("utf-8")).hexdigest()


# --- batch refunds ----------------------------------------------------------------------------------------------

def test_each_item_has_its_own_fate_and_the_shop_is_told_at_two_addresses(emulator, shop):
    whole, part = [make.paid(emulator, number, notify_url=PAYMENT) for number in ("A1", "A2")]
    emulator.deliver()
    outcome = make.refund(emulator, make.item(whole, "10.00"), make.item(part, "0.30"), make.item(UNKNOWN, "5"),
                          notify_url=REFUNDS)
    root = etree.fromstring(outcome.reply.body)
    assert outcome.reply.content_type == "text/xml"
    assert [(child.tag, child.text) for child in root] == [("is_success", "T")]
    assert (emulator.trade("A1")["trade_status"], emulator.trade("A2")["trade_status"]) == (
        "TRADE_CLOSED", "TRADE_SUCCESS")
    assert [emulator.trade(one)["to_buyer_fee"] for one in ("A1", "A2")] == ["10.00", "0.30"]
    assert [(row["out_trade_no"], row["amount"], row["refund_status"]) for row in emulator.list_refunds()] == [
        ("A1", "10.00", "REFUND_SUCCESS"), ("A2", "0.30", "REFUND_SUCCESS")]
    shop.got.clear()
    emulator.deliver()
    told, = shop.fields(REFUNDS)
    assert is_signed(emulator, told)
    assert {name: told[name] for name in ("notify_type", "batch_no", "success_num", "result_details")} == {
        "notify_type": "batch_refund_notify", "batch_no": "20261118001", "success_num": "2",
        "result_details": "{}^10.00^SUCCESS#{}^0.30^SUCCESS#{}^5^TRADE_NOT_EXISTS".format(whole, part, UNKNOWN)}
    assert set(told) == {"notify_type", "batch_no", "success_num", "result_details", "notify_id", "notify_time", "sign",
                         "sign_type"}
    about = shop.fields(PAYMENT)
    assert all(is_signed(emulator, fields) for fields in about)
    assert [(fields["out_trade_no"], fields["trade_status"], fields["refund_status"]) for fields in about] == [
        ("A1", "TRADE_CLOSED", "REFUND_SUCCESS"), ("A2", "TRADE_SUCCESS", "REFUND_SUCCESS")]


def test_the_library_accepts_a_batch_refund_notification(emulator, shop):
    make.refund(emulator, make.item(make.paid(emulator)), notify_url=REFUNDS)
    emulator.deliver()
    sent, = shop.got
    told = mapi.verify_notify(emulator.shop(), sent.body, sent.content_type)
    assert (told.kind, told["batch_no"], told["success_num"]) == ("batch_refund", "20261118001", "1")


def test_parts_add_up_and_never_beyond_the_payment(emulator):
    trade_no = make.paid(emulator)
    codes = [make.item_code(emulator, make.item(trade_no, amount), batch_no="20261118" + serial)
             for serial, amount in (("001", "3.33"), ("002", "6.68"), ("003", "6.67"), ("004", "0.01"))]
    assert codes == ["SUCCESS", "REFUND_TRADE_FEE_ERROR", "SUCCESS", "TRADE_HAS_CLOSED"]
    assert emulator.trade("A1")["to_buyer_fee"] == "10.00"


def test_the_balance_pays_for_items_until_it_is_used_up(emulator, shop):
    first, second = make.paid(emulator, "A1"), make.paid(emulator, "A2")
    emulator.settings("md5", balance="10.50")
    make.refund(emulator, make.item(first, "10.00"), make.item(second, "0.51"), notify_url=REFUNDS)
    emulator.deliver()
    assert [row.split("^")[2] for row in shop.fields(REFUNDS)[0]["result_details"].split("#")] == [
        "SUCCESS", "TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH"]
    assert emulator.merchant("md5").setting("balance") == "0.50"


def test_with_password_the_browser_is_shown_a_page(emulator, shop):
    trade_no = make.paid(emulator)
    incoming = make.posted(emulator, make.PASSWORD, seller_email="md5@shop.example.com", batch_no="20261118abc",
                           batch_num="1", detail_data=make.item(trade_no), refund_date="2026-11-18 12:00:00",
                           notify_url=REFUNDS)
    reply = respond(emulator, incoming)
    assert (reply.status, reply.content_type) == (200, "text/html")
    assert Done(reply).text["done"] == "Batch 20261118abc: 1 of 1 refunds done."
    emulator.deliver()
    assert shop.fields(REFUNDS)[0]["success_num"] == "1"
    assert emulator.trade("A1")["to_buyer_fee"] == "1.00"


def test_with_password_a_refused_batch_is_a_page_with_the_code(emulator):
    reply = respond(emulator, make.posted(emulator, make.PASSWORD, seller_email="md5@shop.example.com",
                                          batch_no="20261118001", batch_num="0", detail_data="x",
                                          refund_date="2026-11-18 12:00:00"))
    assert reply.content_type.startswith("text/html")
    assert "BATCH_NUM_ERROR" in Done(reply).text["error"]


def test_a_refused_batch_leaves_nothing_behind_and_its_number_is_free(emulator):
    trade_no = make.paid(emulator)
    assert make.refund(emulator, make.item(trade_no), batch_num="2").error == "BATCH_NUM_NOT_EQUAL_TOTAL"
    assert emulator.list_refunds() == []
    assert emulator.trade("A1")["to_buyer_fee"] == "0.00"
    assert make.refund(emulator, make.item(trade_no)).error is None


def test_a_number_that_was_used_is_a_duplicate_on_the_next_day_too(emulator):
    trade_no = make.paid(emulator)
    assert make.refund(emulator, make.item(trade_no)).error is None
    emulator.advance(86400)
    assert make.refund(emulator, make.item(trade_no), batch_no="20261118001").error == "DUPLICATE_BATCH_NO"
    assert emulator.trade("A1")["to_buyer_fee"] == "1.00"


@pytest.mark.parametrize("params, code, parameter", [
    ({"seller_user_id": None}, "ILLEGAL_ARGUMENT", "seller_user_id"),
    ({"seller_user_id": "2088000000000101", "seller_email": "md5@shop.example.com"}, None, ""),
    ({"seller_user_id": None, "seller_email": "md5@shop.example.com"}, None, ""),
    ({"batch_no": None}, "ILLEGAL_ARGUMENT", "batch_no"),
    ({"batch_no": "20261118"}, "BATCH_NO_FORMAT_ERROR", "batch_no"),
    ({"batch_no": "20261118000"}, "BATCH_NO_FORMAT_ERROR", "batch_no"),
    ({"batch_no": "20261119001"}, "BATCH_NO_FORMAT_ERROR", "batch_no"),
    ({"batch_no": "20261118-01"}, "BATCH_NO_FORMAT_ERROR", "batch_no"),
    ({"batch_no": "20261118" + "z" * 24}, None, ""),
    ({"batch_no": "20261118" + "z" * 25}, "BATCH_NO_FORMAT_ERROR", "batch_no"),
    ({"batch_num": "01"}, "BATCH_NUM_ERROR", "batch_num"),
    ({"batch_num": "1001"}, "BATCH_NUM_EXCEED_LIMIT", "batch_num"),
    ({"refund_date": None}, "ILLEGAL_ARGUMENT", "refund_date"),
    ({"refund_date": "20261118120000"}, "REFUND_DATE_ERROR", "refund_date"),
    ({"refund_date": "2026-11-17 12:00:00"}, None, ""),
    ({"refund_date": "2026-11-17 11:59:59"}, "REFUND_DATE_ERROR", "refund_date"),
    ({"notify_url": "/refunds"}, "ILLEGAL_ARGUMENT", "notify_url"),
    ({"detail_data": None}, "ILLEGAL_ARGUMENT", "detail_data"),
    ({"detail_data": "A1^1.00^"}, "DETAIL_DATA_FORMAT_ERROR", "detail_data"),
    ({"detail_data": "A1^1e3^x"}, "DETAIL_DATA_FORMAT_ERROR", "detail_data"),
    ({"detail_data": "A1^1.00^x^y"}, "DETAIL_DATA_FORMAT_ERROR", "detail_data"),
    ({"detail_data": "A1^1.00^x$a^b^1.00"}, "DETAIL_DATA_FORMAT_ERROR", "detail_data"),
    ({"detail_data": "A1^1.00^x|a^b^c^d^1.00"}, "DETAIL_DATA_FORMAT_ERROR", "detail_data"),
    ({"detail_data": "A1^1.00^x$$-1^y"}, "DETAIL_DATA_FORMAT_ERROR", "detail_data"),
    ({"detail_data": "A1^1.00^" + "茶" * 85 + "x"}, None, ""),
    ({"detail_data": "A1^1.00^" + "茶" * 85 + "xy"}, "SINGLE_DETAIL_DATA_EXCEED_LIMIT", "detail_data"),
])
def test_a_batch_is_taken_whole_or_refused_whole(emulator, params, code, parameter):
    outcome = make.refund(emulator, make.item(make.paid(emulator)), **params)
    assert (outcome.error, outcome.parameter) == (code, parameter)


def test_a_thousand_items_are_one_batch(emulator, shop):
    items = [make.item("20260101{:020d}".format(number)) for number in range(1000)]
    assert make.refund(emulator, *items, notify_url=REFUNDS).error is None
    emulator.deliver()
    assert shop.fields(REFUNDS)[0]["success_num"] == "0"
    assert shop.fields(REFUNDS)[0]["result_details"].count("#") == 999
    assert make.refund(emulator, *(items + items[:1]), batch_no="20261118002").error == "BATCH_NUM_EXCEED_LIMIT"


def test_without_an_address_nobody_is_told(emulator, shop):
    make.refund(emulator, make.item(make.paid(emulator)))
    emulator.deliver()
    assert shop.got == []


def test_the_query_finds_a_batch_a_trade_and_a_trade_in_a_batch(emulator):
    first, second = make.paid(emulator, "A1"), make.paid(emulator, "A2")
    make.refund(emulator, make.item(first), make.item(second))
    make.refund(emulator, make.item(first, "99.00"), batch_no="20261118002")
    one, two, three = ["20261118001^" + first + "^1.00^SUCCESS", "20261118001^" + second + "^1.00^SUCCESS",
                       "20261118002^" + first + "^99.00^REFUND_TRADE_FEE_ERROR"]
    for asked, found in (({"batch_no": "20261118001"}, [one, two]), ({"trade_no": first}, [one, three]),
                         ({"batch_no": "20261118001", "trade_no": second}, [two])):
        reply = make.send(emulator, make.REFUND_QUERY, **asked).reply
        assert reply.content_type == "text/plain"
        assert reply.body.decode("ascii") == "is_success=T&result_details=" + "#".join(found)
    assert make.send(emulator, make.REFUND_QUERY).error == "ILLEGAL_ARGUMENT"


@settings(max_examples=settings.default.max_examples // 5)
@given(data=st.text(alphabet="01.^|$#A\u8336\U0001f375 ", max_size=40), number=st.integers(1, 3))
def test_whatever_the_detail_is_the_gateway_answers(data, number):
    with Emulator(seed=1, frozen=True, start=NOON) as emulator:
        for outcome in (make.refund(emulator, data, batch_num=str(number)),
                        make.pay(emulator, data, batch_num=str(number))):
            assert outcome.error is None or outcome.error in CODES


# --- batch payments ---------------------------------------------------------------------------------------------

def test_who_got_money_and_who_did_not_is_told_line_by_line(emulator, shop):
    emulator.settings("md5", balance="100.00")
    outcome = make.pay(emulator, make.line(serial="L1", amount="20.00"),
                       make.line("nobody@example.com", "李四", "1.00", serial="L2"),
                       make.line("2088000000000902", "李四", "0.50", "", serial="L3"),
                       batch_fee="21.50", notify_url=BATCHES)
    assert Done(outcome.reply).text["done"] == "Batch 20261118001: 2 of 3 payments done."
    assert emulator.merchant("md5").setting("balance") == "79.50"
    emulator.deliver()
    told, = shop.fields(BATCHES)
    assert is_signed(emulator, told)
    good, bad = told["success_details"].split("|"), told["fail_details"].split("|")
    assert [row.split("^")[:6] for row in good[:-1]] == [
        ["L1", "buyer1@example.com", "张三", "20.00", "S", ""], ["L3", "2088000000000902", "李四", "0.50", "S", ""]]
    assert [row.split("^")[:6] for row in bad[:-1]] == [
        ["L2", "nobody@example.com", "李四", "1.00", "F", "RECEIVE_USER_NOT_EXIST"]]
    assert (good[-1], bad[-1]) == ("", "")      # each row ends with a bar
    numbers = [row.split("^")[6] for row in good[:-1] + bad[:-1]]
    assert all(number.startswith("20261118") and number.isdigit() for number in numbers)
    assert len(set(numbers)) == 3
    assert {row.split("^")[7] for row in good[:-1] + bad[:-1]} == {"20261118120000"}
    assert (told["notify_type"], told["batch_no"], told["pay_user_id"], told["pay_user_name"],
            told["pay_account_no"]) == ("batch_trans_notify", "20261118001", "2088000000000101", "某公司",
                                        "20880000000001010156")


def test_the_fields_of_a_batch_payment_are_those_of_the_sample(emulator, shop, fixtures):
    sample = json.loads((fixtures / "notifications" / "derived-batch-trans-notify-md5.json").read_text("utf-8"))
    make.pay(emulator, make.line(serial="L1"), make.line("nobody@example.com", serial="L2"), batch_fee="2.00",
             notify_url=BATCHES)
    emulator.deliver()
    told = shop.fields(BATCHES)[0]
    assert sorted(told) == sorted(dict(parse_qsl(sample["raw"], strict_parsing=True)))
    for name in ("success_details", "fail_details"):
        assert told[name].count("^") == sample["fields"][name].count("^")
        assert told[name].count("|") == sample["fields"][name].count("|")


def test_the_library_accepts_a_batch_payment_notification(emulator, shop):
    make.pay(emulator, make.line(), notify_url=BATCHES)
    emulator.deliver()
    sent, = shop.got
    told = mapi.verify_notify(emulator.shop(), sent.body, sent.content_type)
    assert told.kind == "batch_trans"
    assert told.get("fail_details") is None


def test_a_gbk_batch_is_told_in_gbk(emulator, shop):
    params = {"email": "md5@shop.example.com", "account_name": "某公司", "pay_date": "20261118", "batch_num": "1",
              "batch_no": "20261118001", "detail_data": make.line(), "batch_fee": "1.00", "notify_url": BATCHES}
    assert make.send(emulator, make.PAY, charset="gbk", **params).error is None
    emulator.deliver()
    sent, = shop.got
    assert "charset=gbk" in sent.content_type
    assert dict(parse_qsl(sent.body.decode("ascii"), encoding="gbk"))["pay_user_name"] == "某公司"
    told = mapi.verify_notify(emulator.shop(input_charset="gbk"), sent.body, sent.content_type)
    assert told["success_details"].startswith("S1^buyer1@example.com^张三^1.00^S^^")


@pytest.mark.parametrize("lines, params, code", [
    ([make.line()], {"email": None}, "ILLEGAL_ARGUMENT"),
    ([make.line()], {"account_name": None}, "ILLEGAL_ARGUMENT"),
    ([make.line()], {"pay_date": "2026-11-18"}, "ILLEGAL_ARGUMENT"),
    ([make.line()], {"batch_no": "20261118" + "1" * 17}, "BATCH_NO_FORMAT_ERROR"),
    ([make.line()], {"batch_num": "0"}, "BATCH_NUM_ERROR"),
    ([make.line()], {"batch_num": "2"}, "BATCH_NUM_NOT_EQUAL_TOTAL"),
    ([make.line()], {"batch_fee": None}, "ILLEGAL_ARGUMENT"),
    ([make.line()], {"batch_fee": "1.0"}, None),
    ([make.line()], {"batch_fee": "1.000"}, "RECEIVE_MONEY_ERROR"),
    ([make.line() + "|"], {}, None),                # peers end the last line, too
    ([make.line() + "||"], {}, "BATCH_NUM_NOT_EQUAL_TOTAL"),
    ([make.line(), make.line()], {"batch_fee": "2.00"}, "ILLEGAL_ARGUMENT"),    # one serial twice
    ([make.line(amount="0.00")], {"batch_fee": "0.00"}, "RECEIVE_SINGLE_MONEY_ERROR"),
    ([make.line(note="茶" * 66 + "xx")], {}, None),
    ([make.line(note="茶" * 67)], {}, "RECEIVE_REASON_ERROR"),
])
def test_a_batch_payment_is_taken_whole_or_refused_whole(emulator, lines, params, code):
    assert make.pay(emulator, *lines, **params).error == code


def test_a_batch_payment_with_a_used_number_pays_nothing(emulator):
    emulator.settings("md5", balance="10.00")
    assert make.pay(emulator, make.line()).error is None
    assert make.pay(emulator, make.line(amount="2.00"), batch_fee="2.00").error == "DUPLICATE_BATCH_NO"
    assert emulator.merchant("md5").setting("balance") == "9.00"


# --- the codes --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", sorted(make.DESERVED))
def test_the_code_is_deserved_by_a_request(emulator, code):
    assert make.DESERVED[code](emulator) == code


def test_every_code_is_one_of_the_pages():
    assert set(make.DESERVED) | set(make.EXCUSED) <= set(CODES)
    assert not set(make.DESERVED) & set(make.EXCUSED)
