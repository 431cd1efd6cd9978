"""Every error code of the table is got by a request, or an act of the buyer, that deserves it; no fault is armed.

What nothing can deserve is in ``EXCUSED``, with the reason. The two together are the table, code for code.
"""
import hashlib
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import deserved_batch
import pytest
from signed_by_hand import BUYER, MD5, OTHER, STRANGER, Read, code_of, presign, send, sign

from alipay_mapi import error_codes
from alipay_mapi.emulator import Emulator, Refused
from alipay_mapi.emulator.handlers import forex_files
from alipay_mapi.emulator.incoming import Incoming
from alipay_mapi.emulator.notifier import Answered
from alipay_mapi.error_code_table import FAMILIES, FILE_FAILURES

NOON = datetime(2026, 11, 18, 12, 0, 0, tzinfo=timezone(timedelta(hours=8)))
ONLINE = "alipay.overseas.secmerchant.online.maintain"
WAP = "alipay.wap.create.direct.pay.by.user"


# --- requests: what would be taken, and how it is spoilt ----------------------------------------------------------

def of(service, **usual):
    """→ a function of what is spoilt → a function of an emulator → the code."""
    def spoilt(**params):
        def request(emulator):
            return code_of(send(emulator, service, **dict(usual, **params)))
        return request
    return spoilt


forex = of("create_forex_trade", out_trade_no="A1", subject="Tea", currency="USD", total_fee="10.00")
wap = of("create_forex_trade_wap", out_trade_no="A1", subject="Tea", currency="USD", total_fee="10.00")
direct = of("create_direct_pay_by_user", out_trade_no="A1", subject="Tea", total_fee="10.00", payment_type="1",
            seller_id=MD5)
one_step = of(WAP, out_trade_no="A1", subject="Tea", total_fee="10.00", payment_type="1", seller_id=MD5)
query = of("single_trade_query", out_trade_no="A1")
back = of("forex_refund", out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="10.00",
          gmt_return="20261118120000", is_sync="Y")
close = of("close_trade", out_order_no="A1")
register = of(ONLINE, timestamp="2026-11-18 12:00:00", secondary_merchant_name="Tea", secondary_merchant_id="tea_1",
              secondary_merchant_industry="5499", register_country="CN", register_address="Hangzhou",
              site_infos='[{"site_type":"WEB","site_url":"https://tea.example.com/"}]')
records = of("forex_compare_file", start_date="20261117", end_date="20261117")
settlements = of("forex_liquidation_file", start_date="20261117", end_date="20261117")


def then(*steps):
    """Each step in turn; the last one's code."""
    def run(emulator):
        code = ""
        for step in steps:
            code = step(emulator)
        return code
    return run


def with_setting(last, **settings):
    return then(lambda emulator: emulator.settings("md5", **settings), last)


def paid(emulator):
    emulator.place("A1")
    emulator.pay("A1")


def waiting(emulator):
    emulator.place("A1")
    emulator.log_in("A1")


def later(**span):
    return lambda emulator: emulator.clock.move(timedelta(**span).total_seconds())


def act(name, *args, **params):
    """What the buyer does at the cashier."""
    def do(emulator):
        try:
            getattr(emulator, name)(*args, **params)
        except Refused as refusal:
            return refusal.code
        return ""
    return do


def in_the_app(partner=None, spoil=None, text=None, buyer=None, **params):
    """An order string, quoted and signed by hand, in the app."""
    def pay(emulator):
        merchant = emulator.merchant("rsa")
        fields = dict({"partner": partner or merchant.partner, "seller_id": merchant.partner, "subject": "Tea",
                       "service": "mobile.securitypay.pay", "payment_type": "1", "_input_charset": "utf-8",
                       "out_trade_no": "A1", "total_fee": "10.00"}, **params)
        pairs = "&".join('{}="{}"'.format(*pair) for pair in fields.items())
        made = spoil or quote(sign("RSA", merchant.shop_keys(), pairs.encode("utf-8")), "")
        result = emulator.pay_in_app(text or '{}&sign="{}"&sign_type="RSA"'.format(pairs, made), buyer)
        return result.partition("memo={")[2].partition("}")[0]
    return pay


def no_text(emulator):
    """A subject that is no UTF-8, with the sign that its bytes deserve."""
    data = (b"_input_charset=utf-8&currency=USD&out_trade_no=A1&partner=" + MD5.encode() +
            b"&service=create_forex_trade&subject=\xff\xfe&total_fee=10.00")
    made = hashlib.md5(data + emulator.merchant("md5").shop_keys()["md5_key"].encode()).hexdigest().encode()
    return code_of(emulator.answer(Incoming("GET", data.replace(b"\xff\xfe", b"%FF%FE") + b"&sign_type=MD5&sign="
                                            + made)))


def anti_phishing(spoil="", wait=0):
    def pay(emulator):
        key = Read(send(emulator, "query_timestamp", sign=None, sign_type=None).reply.body).elements["encrypt_key"]
        emulator.clock.move(wait)
        return direct(anti_phishing_key=key + spoil, exter_invoke_ip="203.0.113.7")(emulator)
    return pay


def result_code(emulator):
    register()(emulator)
    found = send(emulator, ONLINE, timestamp="2026-11-18 12:00:00", secondary_merchant_name="Tea",
                 secondary_merchant_id="tea_1", secondary_merchant_industry="5411", register_country="CN",
                 register_address="Hangzhou", site_infos='[{"site_type":"WEB","site_url":"https://tea.example.com/"}]')
    return Read(found.reply.body).elements["result_code"]


#: Code → what deserves it.
DESERVED = {
    # any service
    "ILLEGAL_SERVICE": of("no_such_service")(),
    "ILLEGAL_PARTNER": query(partner=STRANGER),
    "ILLEGAL_SIGN": query(spoil="0" * 32),
    "ILLEGAL_SIGN_TYPE": query(sign_type="md5"),
    "ILLEGAL_SECURITY_PROFILE": query(sign_type="RSA"),
    "ILLEGAL_CHARSET": query(_input_charset="big5"),
    "ILLEGAL_ENCODING": no_text,
    "INVALID_CHARACTER_SET": wap(charset="gbk"),
    "ILLEGAL_ARGUMENT": query(out_trade_no=None),
    "INVALID_PARAMETER": forex(subject=None),
    "ILLEGAL_PARTNER_EXTERFACE": with_setting(query(), not_contracted=["single_trade_query"]),
    "ILLEGAL_EXTERFACE": with_setting(query(), misconfigured=["single_trade_query"]),
    "EXTERFACE_IS_CLOSED": with_setting(query(), closed=["single_trade_query"]),
    "HAS_NO_PRIVILEGE": with_setting(query(), no_privilege=["single_trade_query"]),
    "ILLEGAL_CLIENT_IP": with_setting(query(remote="203.0.113.7"), allowed_ips=["203.0.113.8"]),
    "ILLEGAL_REQUEST_REFERER": with_setting(forex(referer="https://evil.example.com/"),
                                            referers=["https://shop.example.com/"]),
    # cross-border orders
    "ILLEGAL_CURRENCY": forex(currency="XAU"),
    "ILLEGAL_TIMEOUT_RULE": forex(timeout_rule="7m"),
    "SUBJECT_HAS_FORBIDDENWORD": with_setting(forex(subject="fake Tea"), forbidden_words=["fake"]),
    "BODY_HAS_FORBIDDENWORD": with_setting(forex(body="fake"), forbidden_words=["fake"]),
    "SELLER_ENABLE_STATUS_FORBID": with_setting(forex(), seller_forbidden=True),
    "TRADE_TOTALFEE_NOT_MATCH": then(forex(), forex(total_fee="9.00")),
    "TRADE_NOT_ALLOWED_PAY": then(forex(), act("pay", "A1"), forex()),
    "TRADE_HAS_CLOSE": then(waiting, close(), forex()),
    "SESSION_TIMEOUT": then(forex(order_gmt_create="2026-11-18 12:00:00", order_valid_time="600"), later(seconds=601),
                            act("log_in", "A1")),
    "BUYER_BALANCE_NOT_ENOUGH": then(forex(), act("pay", "A1", buyer="poor@example.com")),
    "BEYOND_PAY_RESTRICTION": then(forex(total_fee="100.00"), act("pay", "A1", buyer="limited@example.com")),
    # mainland orders
    "PARAMTER_IS_NULL": direct(out_trade_no=None),
    "SUBJECT_MUST_NOT_BE_NULL": direct(subject=""),
    "ILLEGAL_LENGTH": direct(subject="茶" * 129),
    "REGEXP_MATCH_FAIL": direct(notify_url="shop.example.com/notify"),
    "ILLEGAL_MONEY_FORMAT": direct(total_fee=None, price="1,50", quantity="1"),
    "ILLEGAL_INTEGER_FORMAT": direct(total_fee=None, price="1.50", quantity="1.5"),
    "ILLEGAL_NUMBER_FORMAT": direct(qr_pay_mode="4", qrcode_width="wide"),
    "ILLEGAL_DATA_FORMAT": direct(extend_param="isv"),
    "ILLEGAL_FEE_PARAM": direct(price="10.00", quantity="1"),
    "ILLEGAL_PAYMENT_TYPE": direct(payment_type="2"),
    "ILLEGAL_EXTRA_COMMON_PARAM": direct(extra_common_param="x" * 101),
    "ILLEGAL_OUTTIME_ARGUMENT": direct(it_b_pay="16d"),
    "SELF_TIMEOUT_NOT_SUPPORT": with_setting(direct(it_b_pay="1d"), own_timeouts=False),
    "DEFAULT_BANK_INVALID": direct(paymethod="bankPay"),
    "EBANK_CERDIT_GW_RULE_NOT_OPEN": direct(paymethod="motoPay"),
    "PRODUCT_NOT_ALLOWED": direct(product_type="CHANNEL_FAST_PAY"),
    "ILLEGAL_EXTER_INVOKE_IP": direct(exter_invoke_ip="1.2.3"),
    "ILLEGAL_ANTI_PHISHING_KEY": anti_phishing(spoil="0"),
    "ANTI_PHISHING_KEY_TIMEOUT": anti_phishing(wait=301),
    "ILLEGAL_USER": direct(seller_id="2088"),
    "SELLER_NOT_EXIST": direct(seller_id=STRANGER),
    "SELLER_NOT_IN_SPECIFIED_SELLERS": direct(seller_id=OTHER),
    "BUYER_NOT_EXIST": direct(buyer_email="nobody@example.com"),
    "BUYER_SELLER_EQUAL": direct(buyer_id=MD5),
    "BUYER_EMAIL_ID_MUST_NULL": direct(buyer_id=BUYER, token="2" * 40),
    "TRADE_SELLER_NOT_MATCH": then(direct(), with_setting(direct(seller_id=OTHER), sellers=[OTHER])),
    "TRADE_PRICE_NOT_MATCH": then(direct(total_fee=None, price="2.00", quantity="2"),
                                  direct(total_fee=None, price="3.00", quantity="2")),
    "TRADE_QUANTITY_NOT_MATCH": then(direct(total_fee=None, price="2.00", quantity="2"),
                                     direct(total_fee=None, price="2.00", quantity="3")),
    "TRADE_BUYER_NOT_MATCH": then(direct(buyer_id=BUYER), act("log_in", "A1", buyer="buyer2@example.com")),
    # families
    "ROYALTY_TYPE_ERROR": direct(royalty_type="11", royalty_parameters="rsa@shop.example.com^1.00^part"),
    "ROYALTY_FORAMT_ERROR": direct(royalty_type="10", royalty_parameters="rsa@shop.example.com^10.01^part"),
    "ROYALTY_LENGTH_ERROR": direct(royalty_type="10", royalty_parameters="rsa@shop.example.com^1.00^" + "x" * 1000),
    "ROYALTY_RECEIVE_EMAIL_NOT_EXIST": direct(royalty_type="10", royalty_parameters="nobody@example.com^1.00^part"),
    "NEED_CTU_CHECK_PARAMETER_ERROR": direct(need_ctu_check="yes"),
    # in the app
    "ALIN10129": in_the_app(partner=STRANGER),
    "ALIN10070": in_the_app(spoil="AAAA"),
    "ALIN38173": in_the_app(text="partner=2088000000000102"),
    "ALIN42282": then(in_the_app(buyer="poor@example.com"), in_the_app(total_fee="9.00")),
    "ALIN10023": then(in_the_app(buyer="poor@example.com"), act("log_in", "A1", buyer="buyer2@example.com"),
                      in_the_app(buyer="buyer1@example.com")),
    # queries, closing, refunds
    "TRADE_NOT_EXIST": then(forex(), query()),
    "TRADE_STATUS_NOT_AVAILD": then(paid, close()),
    "PURCHASE_TRADE_NOT_EXIST": back(),
    "RETURN_AMOUNT_EXCEED": then(paid, back(return_amount="10.01")),
    "CURRENCY_NOT_SAME": then(paid, back(currency="EUR")),
    "REPEATED_REFUNDMENT_REQUEST": then(paid, back(is_sync="N", return_amount="1.00"), later(seconds=3),
                                        back(is_sync="N", return_amount="1.00")),
    "REFUNDMENT_VALID_DATE_EXCEED": then(paid, later(days=181), back()),
    "MERCHANT_BALANCE_NOT_ENOUGH": with_setting(then(paid, back()), balance="70.99"),
    # secondary merchants
    "MCC_CAN_NOT_MODIFY": then(register(), register(secondary_merchant_industry="5411")),
    "FAIL": result_code,
}

#: Sentences in place of a file → the dates that deserve them.
FILES = {
    "Date format incorrect YYYYMMDD": records(start_date="2026-11-17"),
    "Illegal Date period!": records(start_date="20260230"),
    "Finish date ahead of begin date": records(start_date="20261117", end_date="20261116"),
    "Finish date not ahead of today": records(end_date="20261118"),
    "Over 10 days to Date period": records(start_date="20261106", end_date="20261117"),
    "No balance account data in the period": records(),
    "No balance amount data in the period": settlements(),
    "Over limit balance amount record": then(paid, later(days=1), records(start_date="20261118", end_date="20261118")),
}
FILES_EXCUSED = {"System exception": "a fault of Alipay's",
                 "Internet connected exception ,please try later": "a fault of Alipay's network"}

#: Codes of batches and escrow that no request deserves, and these:
EXCUSED = dict({code: reason for codes, reason in (
    ("ILLEGAL_DYN_MD5_KEY ILLEGAL_ENCRYPT", "no service here has dynamic keys or encrypted requests"),
    ("ILLEGAL_AGENT", "no service here takes an agent"),
    ("ILLEGAL_DIGEST_TYPE ILLEGAL_DIGEST ILLEGAL_FILE_FORMAT", "no service here takes an upload"),
    ("ILLEGAL_TARGET_SERVICE ILLEGAL_ACCESS_SWITCH_SYSTEM ILLEGAL_SWITCH_SYSTEM", "routing between Alipay's systems"),
    ("SYSTEM_ERROR SYSTEM_EXCEPTION QUERY_FAILED FAIL_CREATE_CASHIER_PAY_ORDER", "only a fault of Alipay's causes it"),
    ("PAY_CHECK_FAIL TAOBAO_ANTI_PHISHING_CHECK_FAIL", "Alipay's risk control, which the emulator has none of"),
    ("DIRECT_PAY_WITHOUT_CERT_CLOSE", "the buyer's certificate; the test buyers have none, and need none"),
    ("NOT_SUPPORT_GATEWAY", "the merchant's bank gateway is set up wrongly at Alipay; there is no such set-up here"),
    ("TRADE_NOT_FOUND", "looked up by trade_no inside the cashier; a payment request names out_trade_no"),
    ("REQUIRED_DATE ILLEGAL_DATE_FORMAT ILLEGAL_DATE_TOO_LONG START_DATE_AFTER_NOW START_DATE_AFTER_END_DATE "
     "START_DATE_OUT_OF_RANGE ILLEGAL_PAGE_NO ILLEGAL_PAGE_SIZE ILLEGAL_ACCOUNT_LOG_ID ACCOUNT_NOT_EXIST "
     "TOO_MANY_QUERY ACCESS_ACCOUNT_DENIED SYSTEM_BUSY", "account.page.query, which is not spoken"),
    ("0000 0001 0002 0003 0004 0005 0006 0007 0008 0009", "WAP v1 (rest.htm), which is not spoken"),
    ("UNKNOW FAILED TRANS_NOT_FOUND NOT_FOUND", "in-store payments and their refunds, which are not spoken"),
    ("ACCESS_FORBIDDEN AGREEMENT_NOT_EXIST", "a user's agreement with the merchant, of which the emulator keeps none"),
    ("ALIN43877 ALIN43911", "the page lists them without a meaning"),
    ("TRADE_IS_NOT_EXIST", "a mock's spelling of TRADE_NOT_EXIST"),
    ("REPEATED_REFUND_MENT_REQUEST_TO_ONE_TRADE", "the older name of REPEATED_REFUNDMENT_REQUEST"),
) for code in codes.split()}, **deserved_batch.EXCUSED)

REQUESTS = [pytest.param(code, deserve, id=code + where)
            for table, where in ((DESERVED, ""), (deserved_batch.DESERVED, " in a batch or escrow"))
            for code, deserve in sorted(table.items())]


@pytest.fixture(scope="module")
def keys():
    return {}


@pytest.fixture
def emulator(keys):
    with Emulator(seed=7, frozen=True, start=NOON, sender=lambda delivery: Answered(500, ""), keys=keys) as made:
        yield made


def test_the_deserved_and_the_excused_codes_are_the_table():
    deserved = set(DESERVED) | set(deserved_batch.DESERVED)
    families = {code for code in deserved if code.startswith(tuple(row[0] for row in FAMILIES))}
    assert not deserved & set(EXCUSED)
    assert (deserved - families) | set(EXCUSED) == set(error_codes.CODES)
    for prefix, *_ in FAMILIES:
        assert any(code.startswith(prefix) for code in families)
    assert not set(FILES) & set(FILES_EXCUSED)
    assert set(FILES) | set(FILES_EXCUSED) == {row[0] for row in FILE_FAILURES}


@pytest.mark.parametrize("code, deserve", REQUESTS)
def test_the_code_comes_from_a_request_that_deserves_it(emulator, code, deserve):
    assert deserve(emulator) == code
    assert not emulator.faults.waiting


@pytest.mark.parametrize("sentence", sorted(FILES))
def test_the_sentence_comes_from_dates_that_deserve_it(emulator, monkeypatch, sentence):
    if sentence.startswith("Over limit"):
        monkeypatch.setattr(forex_files, "MOST_RECORDS", 0)      # 20000 payments would take a minute
    assert FILES[sentence](emulator) == sentence
    assert error_codes.file_failure("File download failed:" + sentence).text == sentence


@pytest.mark.parametrize("name, request_of", [
    ("forex", forex), ("wap", wap), ("direct", direct), ("one step", one_step), ("register", register)])
def test_what_is_spoilt_above_would_be_taken_as_it_is(emulator, name, request_of):
    assert request_of()(emulator) == ""


@pytest.mark.parametrize("spoilt, code", [
    (direct(it_b_pay="1.5h"), "ILLEGAL_OUTTIME_ARGUMENT"),
    (direct(total_fee=None), "ILLEGAL_FEE_PARAM"),
    (direct(total_fee="0.00"), "ILLEGAL_FEE_PARAM"),
    (direct(total_fee="1e2"), "ILLEGAL_FEE_PARAM"),
    (direct(payment_type=None), "ILLEGAL_PAYMENT_TYPE"),
    (direct(seller_id=None), "ILLEGAL_ARGUMENT"),
    (direct(seller_id=None, seller_email="rsa@shop.example.com"), "SELLER_NOT_IN_SPECIFIED_SELLERS"),
    (direct(seller_id=None, seller_email="md5@shop.example.com"), ""),
    (direct(seller_email="nobody@example.com"), ""),                       # seller_id wins
    (with_setting(direct(seller_id=STRANGER), sellers=[STRANGER]), ""),
    (direct(buyer_email="md5@shop.example.com"), "BUYER_SELLER_EQUAL"),
    (direct(paymethod="bankPay", defaultbank="ICBC-DEBIT"), ""),
    (direct(paymethod="bankPay", defaultbank="icbc"), "DEFAULT_BANK_INVALID"),
    (direct(paymethod="cash"), "ILLEGAL_ARGUMENT"),
    (direct(enable_paymethod="directPay^bankPay"), ""),
    (direct(enable_paymethod="directPay;bankPay"), "REGEXP_MATCH_FAIL"),
    (direct(anti_phishing_key="2026-11-18T12.00.00-0000000000000000"), "ILLEGAL_EXTER_INVOKE_IP"),
    (direct(royalty_type="10", royalty_parameters="rsa@shop.example.com^1.00^part|2088000000000103^9.00^rest"), ""),
    (direct(royalty_type="10", royalty_parameters="rsa@shop.example.com^1,00^part"), "ROYALTY_FORAMT_ERROR"),
    (with_setting(direct(subject="fake Tea"), forbidden_words=["fake"]), "SUBJECT_HAS_FORBIDDENWORD"),
    (one_step(charset="gbk"), "INVALID_CHARACTER_SET"),
    (one_step(charset=None), "INVALID_CHARACTER_SET"),
    (one_step(total_fee=None, price="1.00", quantity="1"), "PARAMTER_IS_NULL"),
    (wap(charset="UTF-8"), ""),
    (then(forex(), forex()), ""),
    (then(forex(), forex(rmb_fee="71.00", total_fee=None)), "TRADE_TOTALFEE_NOT_MATCH"),
    (forex(order_gmt_create="2026-11-18 11:00:00", order_valid_time="3650"), "INVALID_PARAMETER"),
    (with_setting(forex(timeout_rule="7m"), timeout_rules=["7m"]), ""),
    (then(direct(buyer_id=BUYER), direct(buyer_id="2088000000000902")), "TRADE_BUYER_NOT_MATCH"),
    (then(paid, back(return_amount="1.00"), back(out_return_no="R2", return_amount="1.00")), "ILLEGAL_ARGUMENT"),
    (then(paid, back(), later(seconds=3), back()), ""),                   # after an unknown outcome, in sync
    (register(timestamp="2026-11-18 11:29:59"), "ILLEGAL_ARGUMENT"),
    (register(register_country="China"), "INVALID_PARAMETER"),
    (register(site_infos="[]"), "INVALID_PARAMETER"),
    (records(start_date=None), "ILLEGAL_ARGUMENT"),
    (records(start_date="20261107", end_date="20261117"), "No balance account data in the period"),
])
def test_a_code_lies_where_its_page_draws_the_line(emulator, spoilt, code):
    assert spoilt(emulator) == code


def test_the_signs_made_by_hand_are_those_of_the_published_example():
    """A notification of Alipay's sandbox; the key of that account is public (``docs/library.md``)."""
    fields = ("currency=USD&notify_id=9938e4a7a8c50aa92aede16c8ffb9cam3i&notify_time=2018-04-11 18:12:28"
              "&notify_type=trade_status_sync&out_trade_no=test_4.048027216282577&total_fee=8.00"
              "&trade_no=2018041121001003790200210315&trade_status=TRADE_FINISHED")
    params = dict(pair.split("=", 1) for pair in reversed(fields.split("&")))
    assert presign(params) == fields
    assert sign("MD5", {"md5_key": "myiudoop3mcv9pgo47i76udxe5uwo41w"}, fields.encode("ascii")) \
        == "4bfdcd902ff6f5536c392ce81f479533"
