"""Every service that the library can build is answered, and the answer is what the ledger holds.

The library makes the request and reads the answer; the same bytes are read again with lxml, and their sign is made
again with hashlib or pycryptodome.
"""
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import pytest
from signed_by_hand import BUYER, MD5, OTHER, Read, check, code_of, presign, send

import alipay_mapi as mapi
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.handlers import HANDLERS
from alipay_mapi.emulator.incoming import Incoming
from alipay_mapi.emulator.notifier import Answered
from alipay_mapi.services import BUILDERS, SERVICES
from alipay_mapi.transport import Answer

GMT8 = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 18, 12, 0, 0, tzinfo=GMT8)      # a Wednesday
SUBJECT = "龙井绿茶 <500g> & 杯"
SIGN_TYPES = ("md5", "rsa", "rsa2", "dsa")


@pytest.fixture(scope="module")
def kept():
    """One emulator for all tests: its merchants' keys take seconds to make."""
    with Emulator(seed=3, frozen=True, start=NOON, sender=lambda delivery: Answered(200, "fail")) as emulator:
        yield emulator


@pytest.fixture
def emulator(kept):
    kept.reset()
    kept.clock.set(NOON)
    return kept


class InProcess:
    """A transport that keeps the last answer's bytes."""

    def __init__(self, emulator):
        self.emulator, self.body, self.charset = emulator, b"", None

    def send(self, call):
        outcome = self.emulator.answer(Incoming(call.method, urlsplit(call.url).query.encode("ascii"),
                                                call.body or b""))
        self.body = outcome.reply.body
        return Answer(outcome.reply.status, outcome.reply.content_type, self.body)


def client(emulator, name="md5", charset="utf-8"):
    transport = InProcess(emulator)
    return mapi.Client(emulator.shop(name, charset), transport), transport


def check_signed(emulator, name, body, charset):
    """The sign of an XML answer, made or checked without our code."""
    merchant, read = emulator.merchant(name), Read(body)
    assert read.is_success == "T" and read.sign_type == merchant.sign_type
    codec = {"utf-8": "utf-8", "gbk": "gbk", None: "gbk"}[charset]
    assert read.charset.lower() == codec
    check(merchant.sign_type, merchant.shop_keys(), presign(read.elements).encode(codec), read.sign)
    return read


def ordered(emulator, shop, number="A1", service="create_forex_trade", **params):
    given = dict(out_trade_no=number, subject="Tea", total_fee="10.00")
    if "forex" in service:
        given["currency"] = "USD"
    given.update(params)
    request = mapi.build_request(shop, service, BUILDERS[service](**given))
    return emulator.visit(request.url), request


# --- the table ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_service_of_the_library_has_a_handler_of_its_kind(service):
    assert HANDLERS[service][1] == SERVICES[service].answer


# --- orders -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("charset", ["utf-8", "gbk", None])
@pytest.mark.parametrize("name", SIGN_TYPES)
def test_a_query_answers_what_the_ledger_holds_signed_and_in_the_charset_of_the_request(emulator, name, charset):
    shop = emulator.shop(name, charset)
    order, _ = ordered(emulator, shop, subject=SUBJECT, body="第二行")
    assert order["params"]["subject"] == SUBJECT and order["partner"] == shop.partner
    emulator.pay("A1")
    asking, transport = client(emulator, name, charset)
    answer = asking.single_trade_query(out_trade_no="A1")
    row = emulator.trade("A1")
    assert answer.signed and answer["subject"] == SUBJECT and answer["body"] == "第二行"
    assert (answer["trade_status"], answer["total_fee"], answer["buyer_id"]) == ("TRADE_FINISHED", "71.00", BUYER)
    assert (answer["trade_no"], answer["gmt_payment"]) == (row["trade_no"], "2026-11-18 12:00:00")
    assert row["total_fee"] == "10.00" and row["cny"] == "71.00"
    read = check_signed(emulator, name, transport.body, charset)
    assert read.container == "trade" and read.elements == dict(answer)
    assert read.echo["out_trade_no"] == "A1" and "sign" not in read.echo


@pytest.mark.parametrize("service", ["create_forex_trade", "create_forex_trade_wap", "create_direct_pay_by_user"])
def test_a_page_service_places_the_order_that_its_url_or_its_form_asks_for(emulator, service):
    shop = emulator.shop("md5")
    own = {} if "forex" in service else {"seller_id": shop.partner, "extra_common_param": "基地=7"}
    order, request = ordered(emulator, shop, service=service, subject=SUBJECT, **own)
    assert order["trade_status"] == "NO_TRADE" and order["service"] == service
    assert (order["currency"], order["cny"]) == (("USD", "71.00") if "forex" in service else (None, "10.00"))
    again = emulator.visit(request.action, request.body)       # the same order as a posted form
    assert again["id"] == order["id"] and again["params"] == order["params"]
    assert {name: value for name, value in request.params.items() if name not in ("sign", "sign_type")} \
        == order["params"]


@pytest.mark.parametrize("basic, status", [(False, "TRADE_SUCCESS"), (True, "TRADE_FINISHED")])
def test_a_mainland_order_is_paid_in_yuan_by_price_and_quantity(emulator, basic, status):
    emulator.settings("md5", basic_contract=basic)
    try:
        shop = emulator.shop("md5", "gbk")
        ordered(emulator, shop, service="create_direct_pay_by_user", total_fee=None, price="3.30", quantity=3,
                seller_email="md5@shop.example.com", subject=SUBJECT, it_b_pay="90m")
        emulator.pay("A1")
        asking, transport = client(emulator, "md5", "gbk")
        answer = asking.single_trade_query(out_trade_no="A1")
    finally:
        emulator.settings("md5", basic_contract=False)
    assert (answer["trade_status"], answer["total_fee"], answer["price"], answer["quantity"]) == (
        status, "9.90", "3.30", "3")
    check_signed(emulator, "md5", transport.body, "gbk")


def test_the_one_step_page_for_phones_places_a_mainland_order(emulator):
    outcome = send(emulator, "alipay.wap.create.direct.pay.by.user", out_trade_no="W1", subject=SUBJECT,
                   total_fee="8.00", seller_id=MD5, payment_type="1", app_pay="Y", show_url="https://shop.example.com/")
    assert outcome.error is None and outcome.is_page
    assert emulator.pay("W1")["trade_status"] == "TRADE_SUCCESS"
    assert emulator.trade("W1")["service"] == "alipay.wap.create.direct.pay.by.user"


def test_parameters_of_another_page_make_no_amount_and_no_end(emulator):
    """Signed extras such as ``currency`` on a mainland order were once read as a cross-border amount."""
    outcome = send(emulator, "create_direct_pay_by_user", out_trade_no="M1", subject="Tea", total_fee="8.00",
                   seller_id=MD5, payment_type="1", currency="CNY", order_gmt_create="2026-11-18 12:00:00")
    assert outcome.error is None and outcome.trade["kind"] == "mainland" and outcome.trade["cny"] == "8.00"
    outcome = send(emulator, "create_forex_trade_wap", out_trade_no="M2", subject="Tea", rmb_fee="7.10",
                   currency="USD", price="5.00", order_gmt_create="2026-11-18 12:00:00")
    assert outcome.error is None and outcome.trade["total_fee"] == "1.00" and outcome.trade["due_at"] is None


@pytest.mark.parametrize("name", ["rsa", "rsa2"])
def test_an_order_string_goes_through_the_app_and_its_result_is_signed(emulator, name):
    shop = emulator.shop(name)
    text = mapi.build_order_string(shop, mapi.services.mobile_securitypay_pay(
        seller_id=shop.partner, out_trade_no="P1", subject=SUBJECT, total_fee="1.00", currency="USD"))
    result = emulator.pay_in_app(text)
    app = mapi.verify_app_result(shop, result)
    assert app.result_status == "9000" and app.success and app["out_trade_no"] == "P1"
    assert app["subject"] == SUBJECT and emulator.trade("P1")["cny"] == "7.10"
    inside = result.partition("result={")[2][:-1]
    signed, _, tail = inside.partition("&sign_type=")
    merchant = emulator.merchant(name)
    check(merchant.sign_type, merchant.shop_keys(), signed.encode("utf-8"), tail.partition('&sign="')[2][:-1])
    request = mapi.build_request(shop, "mobile.securitypay.pay", mapi.services.mobile_securitypay_pay(
        seller_id=shop.partner, out_trade_no="P2", subject="Tea", total_fee="1.00"))
    params = {key: value for key, value in request.params.items() if key not in ("service", "partner", "sign")}
    assert code_of(send(emulator, "mobile.securitypay.pay", as_=name, **params)) == "ILLEGAL_SERVICE"


# --- answers that Alipay does not sign ----------------------------------------------------------------------------

@pytest.mark.parametrize("name", SIGN_TYPES)
def test_a_refund_and_a_close_are_accepted_without_a_sign(emulator, name):
    shop = emulator.shop(name)
    asking, transport = client(emulator, name)
    ordered(emulator, shop, "A1")
    ordered(emulator, shop, "A2")
    emulator.pay("A1")
    emulator.log_in("A2")
    answer = asking.forex_refund(out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="4.00",
                                 gmt_return=NOON, is_sync="Y")
    read = Read(transport.body)
    assert (answer.is_success, answer.signed, read.is_success, read.sign, read.container) == (
        True, False, "T", None, None)
    assert [(row["out_return_no"], row["amount"], row["cny"], row["refund_status"])
            for row in emulator.list_refunds("A1")] == [("R1", "4.00", "28.40", "REFUND_SUCCESS")]
    answer = asking.single_trade_query(out_trade_no="A1")
    assert (answer["refund_fee"], answer["to_buyer_fee"], answer["gmt_refund"]) == (
        "28.40", "28.40", "2026-11-18 12:00:00.000")
    assert not asking.call("close_trade", BUILDERS["close_trade"](out_order_no="A2")).signed
    assert Read(transport.body).sign is None and emulator.trade("A2")["trade_status"] == "TRADE_CLOSED"


@pytest.mark.parametrize("charset, declared", [("utf-8", "utf-8"), ("gbk", "gbk"), (None, "GBK")])
def test_a_no_is_unsigned_and_declares_the_charset_of_the_request(emulator, charset, declared):
    asking, transport = client(emulator, "md5", charset)
    with pytest.raises(mapi.GatewayError) as caught:
        asking.single_trade_query(out_trade_no="NONE")
    assert caught.value.code == "TRADE_NOT_EXIST"
    read = Read(transport.body)
    assert (read.is_success, read.error, read.sign, read.charset) == ("F", "TRADE_NOT_EXIST", None, declared)


def test_a_notification_is_confirmed_in_plain_words(emulator):
    asking, transport = client(emulator)
    ordered(emulator, asking.shop, notify_url="https://shop.example.com/notify")
    emulator.pay("A1")
    notify_id = emulator.deliver()[0]["notify_id"]
    assert asking.notify_verify(notify_id) is True and transport.body == b"true"
    assert asking.notify_verify("0" * 34) is False and transport.body == b"false"
    assert client(emulator, "rsa")[0].notify_verify(notify_id) is False        # another partner's
    assert send(emulator, "notify_verify", notify_id="").reply.body == b"invalid"
    assert send(emulator, "notify_verify", notify_id=notify_id, sign=None, sign_type=None).reply.body == b"true"
    spoilt = send(emulator, "notify_verify", notify_id=notify_id, spoil="0" * 32)
    assert Read(spoilt.reply.body).error == "ILLEGAL_SIGN"


@pytest.mark.parametrize("name", SIGN_TYPES)
def test_a_timestamp_is_handed_out_signed_also_to_who_asks_unsigned(emulator, name):
    asking, transport = client(emulator, name)
    answer = asking.call("query_timestamp", {})
    assert answer.signed and answer.container == "timestamp"
    check_signed(emulator, name, transport.body, "utf-8")
    unsigned = send(emulator, "query_timestamp", as_=name, sign=None, sign_type=None)
    assert check_signed(emulator, name, unsigned.reply.body, "utf-8").elements == dict(answer)
    shop = emulator.shop(name)
    order, _ = ordered(emulator, shop, service="create_direct_pay_by_user", seller_id=shop.partner,
                       anti_phishing_key=answer["encrypt_key"], exter_invoke_ip="203.0.113.7")
    assert order["trade_status"] == "NO_TRADE"


# --- secondary merchants ------------------------------------------------------------------------------------------

def registration(**changes):
    return dict({"timestamp": NOON, "secondary_merchant_name": "茶叶店", "secondary_merchant_id": "tea_1",
                 "secondary_merchant_industry": "5499", "register_country": "CN",
                 "register_address": "杭州"}, **changes)


SITES = [{"site_type": "WEB", "site_url": "https://tea.example.com/"}]
STORE = {"store_id": "S1", "store_name": "一号店", "store_country": "CN", "store_address": "杭州",
         "store_industry": "5499"}


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.parametrize("name", SIGN_TYPES)
def test_a_secondary_merchant_is_registered_updated_and_asked_about(emulator, name, charset):
    asking, transport = client(emulator, name, charset)
    assert asking.secmerchant_online_maintain(site_infos=SITES, **registration()).result_code == "SUCCESS"
    assert check_signed(emulator, name, transport.body, charset).container == "alipay"
    asking.secmerchant_offline_maintain(**dict(registration(), **STORE))
    asking.secmerchant_online_maintain(site_infos=SITES, **registration(register_address="上海"))
    rows = emulator.ledger.rows("secmerchants", partner=asking.shop.partner)
    assert [(row["secondary_merchant_id"], row["store_id"], row["register_address"]) for row in rows] == [
        ("tea_1", "", "上海"), ("tea_1", "S1", "杭州")]
    online = asking.secmerchant_query_status(timestamp=NOON, secondary_merchant_id="tea_1",
                                             payment_method="ONLINE_PAYMENT")
    assert online["status"] == "SUCCESS" and "store_id" not in online
    check_signed(emulator, name, transport.body, charset)
    store = asking.secmerchant_query_status(timestamp=NOON, secondary_merchant_id="tea_1", store_id="S1",
                                            payment_method="INSTORE_PAYMENT")
    assert (store["store_id"], store["payment_method"]) == ("S1", "INSTORE_PAYMENT")


def test_the_industry_of_a_secondary_merchant_never_changes(emulator):
    asking, transport = client(emulator)
    asking.secmerchant_online_maintain(site_infos=SITES, **registration())
    with pytest.raises(mapi.GatewayError) as caught:
        asking.secmerchant_online_maintain(site_infos=SITES, **registration(secondary_merchant_industry="5411"))
    assert caught.value.code == "MCC_CAN_NOT_MODIFY"
    read = check_signed(emulator, "md5", transport.body, "utf-8")
    assert read.elements == {"result_code": "FAIL", "error": "MCC_CAN_NOT_MODIFY"}
    assert [row["secondary_merchant_industry"] for row in emulator.ledger.rows("secmerchants")] == ["5499"]


def test_a_registration_with_a_forbidden_word_has_failed(emulator):
    emulator.settings("md5", forbidden_words=["茶"])
    try:
        asking, _ = client(emulator)
        asking.secmerchant_online_maintain(site_infos=SITES, **registration())
        answer = asking.secmerchant_query_status(timestamp=NOON, secondary_merchant_id="tea_1",
                                                 payment_method="ONLINE_PAYMENT")
    finally:
        emulator.settings("md5", forbidden_words=[])
    assert answer["status"] == "FAILED" and answer["reject_reason"]


def test_an_order_must_name_a_registered_secondary_merchant_as_it_was_registered(emulator):
    asking, _ = client(emulator)
    names = {"secondary_merchant_id": "tea_1", "secondary_merchant_name": "茶叶店",
             "secondary_merchant_industry": "5499"}
    assert ordered(emulator, asking.shop, "B0", **dict(names, secondary_merchant_name="别的店"))
    asking.secmerchant_online_maintain(site_infos=SITES, **registration())
    assert ordered(emulator, asking.shop, "B1", **names)
    for wrong in ("secondary_merchant_name", "secondary_merchant_industry"):
        with pytest.raises(mapi.AlipayError) as caught:
            ordered(emulator, asking.shop, "B2", **dict(names, **{wrong: "5411"}))
        assert caught.value.code == "INVALID_PARAMETER" and caught.value.parameter == wrong


# --- files --------------------------------------------------------------------------------------------------------

def test_the_rates_of_a_day_are_there_from_half_past_ten_in_the_sample_s_minute(emulator):
    asking, transport = client(emulator, charset="gbk")
    emulator.clock.set(NOON.replace(hour=10, minute=0, second=29))
    assert "20261117|100030|USD|7.100000|" in asking.call("forex_rate_file", {}).lines
    emulator.clock.set(NOON.replace(hour=10, minute=0, second=30))
    answer = asking.call("forex_rate_file", {})
    assert answer.lines[0] == "20261118|100030|AUD|4.700000|" and len(answer.lines) == 19
    assert transport.body.startswith(b"20261118|100030|AUD|4.700000|\n") and b"sign" not in transport.body


def test_the_transaction_file_has_what_the_ledger_has_and_the_settlement_file_what_was_paid_out(emulator):
    asking, transport = client(emulator)
    other = emulator.shop("rsa")
    ordered(emulator, asking.shop, "A1")
    ordered(emulator, asking.shop, "A2", currency="JPY", total_fee="1000")
    ordered(emulator, asking.shop, "A3")                                     # never paid
    ordered(emulator, other, "A4")                                           # another partner's
    ordered(emulator, asking.shop, "A5", service="create_direct_pay_by_user", seller_id=asking.shop.partner)
    for number in ("A1", "A4", "A5"):
        emulator.pay(number)
    emulator.clock.move(60)
    emulator.pay("A2")
    emulator.clock.move(3600)
    asking.forex_refund(out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="4.00", gmt_return=NOON,
                        reason="退|货", is_sync="Y")
    days = {"start_date": "20261118", "end_date": "20261118"}
    emulator.clock.set(NOON + timedelta(days=1))                             # Thursday noon: not settled yet
    assert asking.call("forex_compare_file", days).lines == (
        "A1|10.00|USD|20261118120000||P|0.30|P|", "A2|1000|JPY|20261118120100||P|30|P|",
        "R1|4.00|USD|20261118130100||R|0.00|P|退 货")
    emulator.clock.set(NOON + timedelta(days=2))
    assert asking.call("forex_liquidation_file", days).is_empty
    assert transport.body == b"File download failed:No balance amount data in the period"
    days = {"start_date": "20261119", "end_date": "20261119"}
    assert asking.call("forex_liquidation_file", days).lines == (
        "A1|10.00|USD|20261118120000|20261119150000|P|0.30|L|", "A2|1000|JPY|20261118120100|20261119150000|P|30|L|",
        "R1|4.00|USD|20261118130100|20261119150000|R|0.00|L|退 货")
    assert asking.call("forex_compare_file", days).is_empty


@pytest.mark.parametrize("paid, settled", [("20261120", "20261123"), ("20261122", "20261123"),
                                           ("20261123", "20261124")])
def test_the_money_of_a_week_end_is_paid_out_on_monday(emulator, paid, settled):
    asking, _ = client(emulator)
    emulator.clock.set(datetime.strptime(paid, "%Y%m%d").replace(tzinfo=GMT8, hour=9))
    ordered(emulator, asking.shop, "A1")
    emulator.pay("A1")
    emulator.clock.move(5 * 86400)
    line = asking.call("forex_compare_file", {"start_date": paid, "end_date": paid}).lines[0]
    assert line.split("|")[4] == settled + "150000"


# --- in which order the gateway looks -----------------------------------------------------------------------------

#: Two things wrong at once → the one that is reported. ``settings``: of the md5 merchant.
ORDER = [
    ("an unknown service before an unknown partner", {"service": "no_such"}, {"partner": "2088999999999999"}, {},
     "ILLEGAL_SERVICE"),
    ("an unknown partner before a wrong sign", {}, {"partner": "2088999999999999", "spoil": "0" * 32}, {},
     "ILLEGAL_PARTNER"),
    ("the contract before the charset", {}, {"_input_charset": "big5"}, {"not_contracted": ["single_trade_query"]},
     "ILLEGAL_PARTNER_EXTERFACE"),
    ("the charset before the sign_type", {}, {"_input_charset": "big5", "sign_type": "HMAC"}, {}, "ILLEGAL_CHARSET"),
    ("the sign_type before the sign", {}, {"sign_type": "HMAC", "spoil": "0" * 32}, {}, "ILLEGAL_SIGN_TYPE"),
    ("the sign before its arguments", {}, {"out_trade_no": None, "spoil": "0" * 32}, {}, "ILLEGAL_SIGN"),
    ("the sign before the timestamp", {}, {"timestamp": "2020-01-01 00:00:00", "spoil": "0" * 32}, {}, "ILLEGAL_SIGN"),
    ("the timestamp before the business", {}, {"timestamp": "2020-01-01 00:00:00"}, {}, "ILLEGAL_ARGUMENT"),
    ("the arguments before the business", {}, {"out_trade_no": None}, {}, "ILLEGAL_ARGUMENT"),
    ("the business last", {}, {}, {}, "TRADE_NOT_EXIST"),
]


@pytest.mark.parametrize("what, service, params, settings, code", ORDER, ids=[row[0] for row in ORDER])
def test_of_two_faults_the_gateway_reports(emulator, what, service, params, settings, code):
    if settings:
        emulator.settings("md5", **settings)
    try:
        given = dict({"out_trade_no": "NONE"}, **params)
        assert code_of(send(emulator, service.get("service", "single_trade_query"), **given)) == code
    finally:
        emulator.settings("md5", **{name: [] for name in settings})


def test_an_order_of_somebody_else_is_not_there(emulator):
    ordered(emulator, emulator.shop("md5"))
    emulator.pay("A1")
    with pytest.raises(mapi.GatewayError) as caught:
        client(emulator, "rsa")[0].single_trade_query(trade_no=emulator.trade("A1")["trade_no"])
    assert caught.value.code == "TRADE_NOT_EXIST" and emulator.merchant("rsa").partner == OTHER
