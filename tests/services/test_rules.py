"""Wrong calls: each is refused with an InvalidRequest that names the parameter; its twin at the bound is accepted."""
import string
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi.errors import InvalidRequest
from alipay_mapi.services import BUILDERS

SITE = [{"site_type": "WEB", "site_url": "https://shop.example/"}]
MERCHANT = {"timestamp": "2012-12-21 17:11:16", "secondary_merchant_name": "Tea House Ltd",
            "secondary_merchant_id": "shop_1", "secondary_merchant_industry": "5499", "register_country": "SG",
            "register_address": "1 Example Road"}

#: A genuine call of each service, to be spoilt in one place.
GENUINE = {
    "create_forex_trade": dict(out_trade_no="A1", subject="Tea", currency="USD", total_fee="12.30"),
    "create_forex_trade_wap": dict(out_trade_no="A1", subject="Tea", currency="USD", total_fee="12.30"),
    "mobile.securitypay.pay": dict(seller_id="2088101122136241", out_trade_no="A1", subject="Tea", total_fee="12.30"),
    "forex_refund": dict(out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="12.30",
                         gmt_return="20150320120000"),
    "single_trade_query": dict(out_trade_no="A1"),
    "notify_verify": dict(notify_id="70fec0c2730b27528665af4517c27b95"),
    "alipay.overseas.secmerchant.online.maintain": dict(MERCHANT, site_infos=SITE),
    "alipay.overseas.secmerchant.offline.maintain": dict(
        MERCHANT, store_id="S1", store_name="Tea", store_country="SG", store_address="2 Example Road",
        store_industry="5499"),
    "alipay.overseas.secmerchant.maintain.queryStatus": dict(
        timestamp="2012-12-21 17:11:16", secondary_merchant_id="shop_1", payment_method="INSTORE_PAYMENT"),
    "forex_rate_file": dict(),
    "forex_compare_file": dict(start_date="20120202", end_date="20120205"),
    "forex_liquidation_file": dict(start_date="20120202", end_date="20120205"),
    "create_direct_pay_by_user": dict(out_trade_no="A1", subject="Tea", seller_id="2088101122136241",
                                      total_fee="12.30"),
    "close_trade": dict(out_order_no="A1"),
    "query_timestamp": dict(),
}
WEB, WAP, APP, REFUND = "create_forex_trade", "create_forex_trade_wap", "mobile.securitypay.pay", "forex_refund"
QUERY, DIRECT, FILE, CLOSE = "single_trade_query", "create_direct_pay_by_user", "forex_compare_file", "close_trade"
ONLINE = "alipay.overseas.secmerchant.online.maintain"
OFFLINE = "alipay.overseas.secmerchant.offline.maintain"
STATUS = "alipay.overseas.secmerchant.maintain.queryStatus"
CNY = dict(total_fee=None)
SECOND = dict(secondary_merchant_id="s", secondary_merchant_name="n", secondary_merchant_industry="5499")
WINDOW = dict(order_gmt_create="2026-01-31 12:00:00")

#: service, what is changed, the parameter that is named (None: accepted).
ROWS = [
    # required
    (WEB, dict(out_trade_no=""), "out_trade_no"), (WEB, dict(subject=None), "subject"),
    (WEB, dict(currency=""), "currency"), (APP, dict(seller_id=""), "seller_id"),
    (REFUND, dict(out_return_no=None), "out_return_no"), (REFUND, dict(gmt_return=""), "gmt_return"),
    ("notify_verify", dict(notify_id=""), "notify_id"), (ONLINE, dict(site_infos=None), "site_infos"),
    (ONLINE, dict(timestamp=""), "timestamp"), (OFFLINE, dict(store_id=""), "store_id"),
    (FILE, dict(start_date=None), "start_date"), (DIRECT, dict(payment_type=""), "payment_type"),
    # exactly one, at least one
    (WEB, dict(rmb_fee="1"), "rmb_fee"), (WEB, CNY, "total_fee"), (WEB, dict(CNY, rmb_fee="1"), None),
    (WAP, dict(rmb_fee="1"), "rmb_fee"), (APP, CNY, "total_fee"),
    (REFUND, dict(return_rmb_amount="1"), "return_rmb_amount"), (REFUND, dict(return_amount=None), "return_amount"),
    (QUERY, dict(out_trade_no=None), "trade_no"), (QUERY, dict(trade_no="2020011622001381441000075584"), None),
    (CLOSE, dict(out_order_no=""), "trade_no"), (CLOSE, dict(trade_no="2015092421001004970000101184"), None),
    (DIRECT, dict(seller_id=None), "seller_id"), (DIRECT, dict(seller_id=None, seller_account_name="shop"), None),
    (DIRECT, dict(price="1", quantity=1), "price"), (DIRECT, dict(CNY, price="1", quantity=1), None),
    (DIRECT, dict(CNY, price="1"), "quantity"), (DIRECT, dict(quantity=1), "price"), (DIRECT, CNY, "total_fee"),
    # together
    (WEB, dict(WINDOW), "order_valid_time"), (WEB, dict(order_valid_time=61), "order_gmt_create"),
    (WEB, dict(WINDOW, order_valid_time=60), "order_valid_time"), (WEB, dict(WINDOW, order_valid_time=61), None),
    (WEB, dict(WINDOW, order_valid_time=2592000), None),
    (WEB, dict(WINDOW, order_valid_time=2592001), "order_valid_time"),
    (WEB, dict(WINDOW, order_valid_time=61.0), "order_valid_time"),
    (WEB, dict(WINDOW, order_valid_time=True), "order_valid_time"),
    (WEB, dict(SECOND), None), (WEB, dict(SECOND, secondary_merchant_name=None), "secondary_merchant_name"),
    (WAP, dict(secondary_merchant_id="s"), "secondary_merchant_name"), (APP, dict(SECOND), "currency"),
    (APP, dict(SECOND, currency="USD"), None), (WEB, dict(qrcode_width=100), "qr_pay_mode"),
    (WAP, dict(order_create=1500000000), "timeout_rule"),
    (WAP, dict(order_create=1500000000, timeout_rule="20m"), None),
    (WAP, dict(order_create=150000000, timeout_rule="20m"), "order_create"),
    (WAP, dict(order_create="15000000000", timeout_rule="20m"), "order_create"), (WAP, dict(timeout_rule="20m"), None),
    (DIRECT, dict(anti_phishing_key="k"), "exter_invoke_ip"), (DIRECT, dict(exter_invoke_ip="192.0.2.1"), None),
    (DIRECT, dict(paymethod="bankPay"), "defaultbank"), (DIRECT, dict(paymethod="directPay"), None),
    (DIRECT, dict(royalty_type="10"), "royalty_parameters"),
    # amounts
    (WEB, dict(total_fee="0.01"), None), (WEB, dict(total_fee="0.00"), "total_fee"),
    (WEB, dict(total_fee=0), "total_fee"),
    (WEB, dict(total_fee="1000000.00"), None), (WEB, dict(total_fee="1000000.01"), "total_fee"),
    (WEB, dict(total_fee=1.5), "total_fee"), (WEB, dict(total_fee=True), "total_fee"),
    (WEB, dict(total_fee="1.005"), "total_fee"), (WEB, dict(total_fee="1e2"), "total_fee"),
    (WEB, dict(total_fee="-1"), "total_fee"), (WEB, dict(total_fee=" 1"), "total_fee"),
    (WEB, dict(total_fee="\uff11"), "total_fee"), (WEB, dict(total_fee=Decimal("NaN")), "total_fee"),
    (WEB, dict(total_fee=["1"]), "total_fee"), (WEB, dict(CNY, rmb_fee="1000000.01"), "rmb_fee"),
    (WEB, dict(currency="JPY", total_fee="350"), None), (WEB, dict(currency="JPY", total_fee="350.00"), "total_fee"),
    (WEB, dict(currency="KRW", total_fee="0.5"), "total_fee"), (WEB, dict(CNY, currency="JPY", rmb_fee="0.50"), None),
    (REFUND, dict(return_amount="1000000.01"), "return_amount"), (REFUND, dict(return_amount="1000000"), None),
    (REFUND, dict(currency="KRW"), "return_amount"),
    (REFUND, dict(currency="KRW", return_amount=None, return_rmb_amount="0.50"), None),
    (DIRECT, dict(total_fee="100000000.00"), None), (DIRECT, dict(total_fee="100000000.01"), "total_fee"),
    (DIRECT, dict(CNY, price="0.00", quantity=1), "price"), (DIRECT, dict(CNY, price="1", quantity=0), "quantity"),
    (APP, dict(total_fee="1000000.01"), "total_fee"),
    # currency
    (WEB, dict(currency="CNY"), "currency"), (WEB, dict(CNY, currency="CNY", rmb_fee="1"), "currency"),
    (WAP, dict(currency="CNY"), "currency"), (REFUND, dict(currency="CNY"), "currency"),
    (APP, dict(currency="CNY"), "currency"), (WEB, dict(currency="usd"), "currency"),
    (WEB, dict(currency="USDT"), "currency"),
    # the two shapes of an in-app order
    (APP, dict(CNY, rmb_fee="1"), "currency"), (APP, dict(CNY, rmb_fee="1", currency="USD"), None),
    (APP, dict(forex_biz="FP"), "currency"), (APP, dict(currency="USD", forex_biz="FX"), "forex_biz"),
    (APP, dict(product_code="NEW_WAP_OVERSEAS_SELLER"), "currency"), (APP, dict(payment_inst="ALIPAYHK"), "currency"),
    (APP, dict(trade_information={"business_type": 3}), "currency"), (APP, dict(split_fund_info=[]), "currency"),
    (APP, dict(body="total_fee=1"), "body"), (APP, dict(subject="my seller_id"), "subject"),
    (APP, dict(body="fee"), None),
    # lengths, texts, urls
    (WEB, dict(subject="x" * 255), None), (WEB, dict(subject="x" * 256), "subject"),
    (WEB, dict(subject="\u8336" * 255), None), (WEB, dict(subject='5" cup'), "subject"),
    (WEB, dict(subject="a\x00b"), "subject"), (WEB, dict(subject=b"Tea"), "subject"), (WEB, dict(subject=7), "subject"),
    (WEB, dict(body="x" * 400), None), (WEB, dict(body="x" * 401), "body"), (WAP, dict(body="x" * 401), "body"),
    (APP, dict(subject="\u8336" * 128), None), (APP, dict(subject="\u8336" * 128 + "x"), "subject"),
    (APP, dict(body="x" * 512), None), (APP, dict(body="x" * 513), "body"),
    (APP, dict(currency="USD", body="x" * 400), None), (APP, dict(currency="USD", body="x" * 401), "body"),
    (DIRECT, dict(subject="x" * 256), None), (DIRECT, dict(subject="\u8336" * 129), "subject"),
    (DIRECT, dict(body="x" * 1000), None), (DIRECT, dict(body="x" * 1001), "body"),
    (DIRECT, dict(extra_common_param="x" * 100), None),
    (DIRECT, dict(extra_common_param="x" * 101), "extra_common_param"),
    (DIRECT, dict(token="x" * 41), "token"), (DIRECT, dict(token="x" * 40), None),
    (DIRECT, dict(exter_invoke_ip="2001:db8::1:2:3:4"), "exter_invoke_ip"),
    (REFUND, dict(reason="x" * 100), None), (REFUND, dict(reason="x" * 101), "reason"),
    (ONLINE, dict(secondary_merchant_name="x" * 64), None),
    (ONLINE, dict(secondary_merchant_name="x" * 65), "secondary_merchant_name"),
    (OFFLINE, dict(secondary_merchant_name="x" * 128), None),
    (OFFLINE, dict(secondary_merchant_name="x" * 129), "secondary_merchant_name"),
    (WEB, dict(SECOND, secondary_merchant_name="x" * 65), "secondary_merchant_name"),
    (WEB, dict(notify_url="https://shop.example/" + "x" * 179), None),
    (WEB, dict(notify_url="https://shop.example/" + "x" * 180), "notify_url"),
    (WEB, dict(return_url="/back"), "return_url"), (WEB, dict(refer_url="shop.example"), "refer_url"),
    # order numbers: the page has letters, digits and _; real traffic also . and -
    (WEB, dict(out_trade_no="a_B.9-" + "x" * 58), None), (WEB, dict(out_trade_no="x" * 65), "out_trade_no"),
    (WEB, dict(out_trade_no="a b"), "out_trade_no"), (WEB, dict(out_trade_no="a&b"), "out_trade_no"),
    (WEB, dict(out_trade_no="\u0661"), "out_trade_no"), (WEB, dict(out_trade_no="A1\n"), "out_trade_no"),
    (WAP, dict(out_trade_no="a/b"), "out_trade_no"), (REFUND, dict(out_trade_no="a/b"), "out_trade_no"),
    (QUERY, dict(out_trade_no="a/b"), None), (QUERY, dict(out_trade_no="x" * 65), "out_trade_no"),
    ("notify_verify", dict(notify_id="1&partner=2"), "notify_id"),
    # periods
    (WEB, dict(timeout_rule="15d"), None), (WEB, dict(timeout_rule="16d"), "timeout_rule"),
    (WEB, dict(timeout_rule="360h"), None), (WEB, dict(timeout_rule="361h"), "timeout_rule"),
    (WEB, dict(timeout_rule="21600m"), None), (WEB, dict(timeout_rule="21601m"), "timeout_rule"),
    (WEB, dict(timeout_rule="0m"), "timeout_rule"), (WEB, dict(timeout_rule="1.5h"), "timeout_rule"),
    (WEB, dict(timeout_rule="1c"), "timeout_rule"), (WEB, dict(timeout_rule=30), "timeout_rule"),
    (APP, dict(it_b_pay="1m"), None), (APP, dict(it_b_pay="1c"), None), (APP, dict(it_b_pay="1.5h"), "it_b_pay"),
    (APP, dict(it_b_pay="2c"), "it_b_pay"), (DIRECT, dict(it_b_pay="15d"), None),
    (DIRECT, dict(it_b_pay="16d"), "it_b_pay"), (APP, dict(it_b_pay="2026-01-31 12:00:00"), None),
    (APP, dict(it_b_pay="2026-02-31 12:00:00"), "it_b_pay"),
    # times
    (REFUND, dict(gmt_return="2015-03-20 12:00:00"), None),
    (REFUND, dict(gmt_return="2015-02-30 12:00:00"), "gmt_return"),
    (REFUND, dict(gmt_return="20150230120000"), "gmt_return"), (REFUND, dict(gmt_return="20150320"), "gmt_return"),
    (REFUND, dict(gmt_return=datetime(2015, 3, 20)), "gmt_return"),
    (REFUND, dict(gmt_return=datetime(2015, 3, 20, tzinfo=timezone.utc)), None),
    (REFUND, dict(gmt_return=20150320120000), "gmt_return"), (ONLINE, dict(timestamp="1540549333201"), None),
    (ONLINE, dict(timestamp="154054933320"), "timestamp"), (ONLINE, dict(timestamp="now"), "timestamp"),
    (WEB, dict(order_gmt_create="2026-01-31T12:00:00", order_valid_time=61), "order_gmt_create"),
    # small lists of words
    (REFUND, dict(is_sync="Y"), None), (REFUND, dict(is_sync="y"), "is_sync"), (REFUND, dict(is_sync=True), "is_sync"),
    (WAP, dict(app_pay="N"), None), (WAP, dict(app_pay="yes"), "app_pay"), (CLOSE, dict(trade_role="X"), "trade_role"),
    (WEB, dict(payment_inst="ALIPAY"), "payment_inst"),
    (STATUS, dict(payment_method="ONLINE"), "payment_method"), (STATUS, dict(store_id="S1"), None),
    (STATUS, dict(payment_method="ONLINE_PAYMENT", store_id="S1"), "store_id"),
    (ONLINE, dict(register_country="sg"), "register_country"),
    (ONLINE, dict(register_country="SGP"), "register_country"),
    (ONLINE, dict(secondary_merchant_industry="549"), "secondary_merchant_industry"),
    (ONLINE, dict(secondary_merchant_id="a-b"), "secondary_merchant_id"),
    (ONLINE, dict(secondary_merchant_type="PERSON"), "secondary_merchant_type"),
    (OFFLINE, dict(store_industry="4121"), "extend_params"),
    (OFFLINE, dict(store_industry="4121", extend_params=[{"operation_id": "1"}]), None),
    # files
    (FILE, dict(end_date="20120201"), "end_date"), (FILE, dict(end_date="20120202"), None),
    (FILE, dict(end_date="20120212"), None), (FILE, dict(end_date="20120213"), "end_date"),
    (FILE, dict(start_date="20120230"), "start_date"), (FILE, dict(start_date="2012-02-02"), "start_date"),
    (FILE, dict(today=date(2012, 2, 5)), "end_date"), (FILE, dict(today=date(2012, 2, 6)), None),
    (FILE, dict(today="20120206"), "today"), (FILE, dict(today=datetime(2012, 2, 6)), "today"),
    ("forex_liquidation_file", dict(end_date="20120213"), "end_date"),
    # extra
    (WEB, dict(extra={"total_fee": "1"}), "total_fee"), (WEB, dict(extra={"body": "x"}), "body"),
    (WEB, dict(extra={"partner": "2088"}), "partner"), (WEB, dict(extra={"sign": "x"}), "sign"),
    (WEB, dict(extra={"a&b": "x"}), "extra"), (WEB, dict(extra={7: "x"}), "extra"), (WEB, dict(extra="a=b"), "extra"),
    (WEB, dict(extra={"new": 1.0}), "new"), (WEB, dict(extra={"new": "a\x00"}), "new"),
    (WEB, dict(extra={"new": ""}), "new"),
    (WEB, dict(extra={"new": "x"}), None), (WEB, dict(extra={"show_url": "shop"}), "show_url"),
    (WEB, dict(extra={}), None),
    (APP, dict(extra={"payment_type": "4"}), "payment_type"),
]


@pytest.mark.parametrize("service", sorted(GENUINE))
def test_the_genuine_call_is_accepted(service):
    assert BUILDERS[service](**GENUINE[service]) is not None


def test_there_is_a_genuine_call_of_every_service():
    assert set(GENUINE) == set(BUILDERS)


@pytest.mark.parametrize("service, change, parameter", [row for row in ROWS if row[2]], ids=lambda v: str(v)[:50])
def test_a_wrong_call_is_refused_and_the_parameter_is_named(service, change, parameter):
    with pytest.raises(InvalidRequest) as caught:
        BUILDERS[service](**dict(GENUINE[service], **change))
    assert caught.value.parameter == parameter
    assert str(caught.value).startswith(parameter + ": ")


@pytest.mark.parametrize("service, change", [row[:2] for row in ROWS if not row[2]], ids=lambda v: str(v)[:50])
def test_the_call_at_the_right_side_of_the_bound_is_accepted(service, change):
    assert BUILDERS[service](**dict(GENUINE[service], **change))


def test_a_refusal_does_not_show_the_value():
    with pytest.raises(InvalidRequest) as caught:
        BUILDERS[WEB](**dict(GENUINE[WEB], subject='Gift for Alice "A" Example'))
    assert "Alice" not in str(caught.value) and caught.value.__context__ is None


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=80), st.binary(max_size=20), st.decimals(),
    st.text(alphabet=string.digits + ".:- mhdc", max_size=20), st.datetimes(min_value=datetime(1990, 1, 1)),
    st.lists(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=9), st.one_of(st.integers(), st.text(max_size=9)), max_size=3))


@given(st.data())
def test_whatever_is_passed_in_there_is_text_or_an_invalid_request(data):
    """No argument makes a builder raise anything else, and what it gives is text without NUL."""
    service = data.draw(st.sampled_from(sorted(BUILDERS)))
    arguments = dict(GENUINE[service])
    names = sorted(set(BUILDERS[service].__wrapped__.__kwdefaults__) | set(arguments))
    for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)):
        arguments[name] = data.draw(ANYTHING)
    before = dict(arguments)
    try:
        params = BUILDERS[service](**arguments)
    except InvalidRequest as error:
        assert error.parameter and str(error).startswith(error.parameter + ": ")
    else:
        assert all(isinstance(value, str) and value and "\x00" not in value for value in params.values())
    assert arguments.keys() == before.keys() and all(arguments[name] is before[name] for name in before)


@given(st.decimals(min_value="0.01", max_value="1000000", places=2), st.sampled_from(["USD", "EUR", "HKD"]))
def test_an_amount_in_the_range_keeps_its_value(amount, currency):
    params = BUILDERS[WEB](out_trade_no="A1", subject="Tea", currency=currency, total_fee=amount)
    assert Decimal(params["total_fee"]) == amount


def test_a_refusal_gives_the_rule_and_the_cure():
    for service, change, words in [
            (APP, dict(extra={"payment_type": "1"}), "is always 1 here; leave it out of extra"),
            (WEB, dict(extra={"body": "x"}), "use the argument body="),
            (WEB, dict(split_fund_info="[{"), "is not JSON"),
            (WEB, dict(rmb_fee="1"), "give exactly one of total_fee, rmb_fee; now there are total_fee, rmb_fee"),
            (WEB, dict(currency="JPY"), "an amount in JPY has no decimals, such as 1230"),
            (WEB, dict(subject="x" * 256), "at most 255 characters here, and this value has 256; shorten it")]:
        with pytest.raises(InvalidRequest) as caught:
            BUILDERS[service](**dict(GENUINE[service], **change))
        assert words in str(caught.value)
