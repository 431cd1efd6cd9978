"""The control API: every call of its own list, and what it refuses."""
import configparser
import inspect
import json
import warnings
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alipay_mapi as mapi
from alipay_mapi.emulator import Emulator, control, merchants
from alipay_mapi.emulator.control_table import AMS_CALLS
from alipay_mapi.emulator.notifier import Answered
from alipay_mapi.merchant import Merchant
from ams_setup import AMS_KEYS

NOON = datetime(2026, 11, 18, 12, 0, 0, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def emulator():
    with Emulator(seed=1, frozen=True, start=NOON, notify_url="https://shop.example.com/notify",
                  sender=lambda delivery: Answered(200, "success")) as one:
        one.place("A1")
        one.pay("A1")
        one.deliver()
        one.place("A2", service="create_direct_pay_by_user")
        yield one


def call(emulator, method, path, arguments=None, query=b""):
    """(status, the JSON answer)."""
    body = b"" if arguments is None else json.dumps(arguments).encode("utf-8")
    reply = control.handle(emulator, method, path, query, body)
    assert reply.content_type == "application/json"
    return reply.status, json.loads(reply.body.decode("utf-8"))


def refused(emulator, method, path, arguments=None, query=b""):
    status, told = call(emulator, method, path, arguments, query)
    assert set(told) == {"error"} and set(told["error"]) == {"class", "code", "message", "parameter"}
    return status, told["error"]


def order_string(emulator):
    return mapi.build_order_string(emulator.shop("rsa"), {
        "out_trade_no": "P1", "subject": "Tea", "currency": "USD", "total_fee": "1.00",
        "seller_id": emulator.merchant("rsa").partner})


#: (method, path of the list) → (path, arguments, a check of the answer)
WORKS = {
    ("GET", "/"): ("/", None, lambda told: len(told["emulator"]["calls"]) > 30),
    ("GET", "/now"): ("/now", None, lambda told: told["clock"] == {
        "now": "2026-11-18 12:00:00", "speed": 0.0, "frozen": True, "next_due": "2026-11-19 00:00:00",
        "gateway_url": "https://mapi.emulator.test/gateway.do"}),
    ("POST", "/advance"): ("/advance", {"seconds": 1.5}, lambda told: told == {"deliveries": []}),
    ("POST", "/freeze"): ("/freeze", None, lambda told: told == {"now": "2026-11-18 12:00:00"}),
    ("POST", "/resume"): ("/resume", {"speed": 2}, lambda told: told["now"] == "2026-11-18 12:00:00"),
    ("POST", "/set_time"): ("/set_time", {"moment": "2026-12-24 18:00:00"},
                            lambda told: told == {"now": "2026-12-24 18:00:00"}),
    ("GET", "/merchants"): ("/merchants", None, lambda told: told["merchants"][0] == {
        "partner": "2088000000000101", "name": "md5", "sign_type": "MD5"}),
    ("GET", "/merchants/{merchant}"): ("/merchants/md5", None,
                                       lambda told: told["merchant"]["settings"]["closed"] == []),
    ("PUT", "/settings/{merchant}"): ("/settings/2088000000000101", {"closed": ["close_trade"], "balance": "5.00"},
                                      lambda told: told["merchant"]["settings"]["balance"] == "5.00"),
    ("GET", "/trades"): ("/trades", {"limit": "1", "offset": "1"},
                         lambda told: [row["out_trade_no"] for row in told["trades"]] == ["A1"]),
    ("POST", "/trades"): ("/trades", {"out_trade_no": "A9", "total_fee": "12.30", "currency": "EUR"},
                          lambda told: (told["trade"]["total_fee"], told["trade"]["currency"]) == ("12.30", "EUR")),
    ("GET", "/trades/{out_trade_no}"): (
        "/trades/A1", None,
        lambda told: told["trade"]["notifications"][0]["deliveries"][0]["acknowledged"] is True),
    ("GET", "/trades/{out_trade_no}/return_url"): ("/trades/A1/return_url", None,
                                                   lambda told: told == {"return_url": None}),
    ("POST", "/trades/{out_trade_no}/log_in"): (
        "/trades/A2/log_in", {"buyer": "buyer2@example.com"},
        lambda told: told["trade"]["trade_status"] == "WAIT_BUYER_PAY"),
    ("POST", "/trades/{out_trade_no}/pay"): (
        "/trades/A2/pay", {"lose": True}, lambda told: told["trade"]["trade_status"] == "TRADE_SUCCESS"),
    ("POST", "/trades/{out_trade_no}/pay_later"): (
        "/trades/A2/pay_later", {"seconds": 60}, lambda told: told["trade"]["trade_status"] == "WAIT_BUYER_PAY"),
    ("POST", "/trades/{out_trade_no}/close"): (
        "/trades/A3/close", None, lambda told: told["trade"]["trade_status"] == "TRADE_CLOSED"),
    ("POST", "/trades/{out_trade_no}/refund"): (
        "/trades/A1/refund", {"amount": "2.50", "out_return_no": "R1"},
        lambda told: told["refund"]["amount"] == "2.50"),
    ("POST", "/trades/{out_trade_no}/resend"): ("/trades/A1/resend", None, lambda told: len(told["notify_id"]) == 34),
    ("GET", "/refunds"): ("/refunds", {"out_trade_no": "A1"}, lambda told: told == {"refunds": []}),
    ("GET", "/notifications"): ("/notifications", {"limit": "5"}, lambda told: len(told["notifications"]) == 1),
    ("POST", "/notifications/{notify_id}/resend"): (None, None, lambda told: told == {"resent": True}),
    ("POST", "/deliver"): ("/deliver", None, lambda told: told == {"deliveries": []}),
    ("GET", "/faults"): ("/faults", None, lambda told: told == {"faults": {"armed": [], "rates": {}}}),
    ("POST", "/faults"): ("/faults", {"name": "slow", "times": 2, "seconds": 0.5, "done": False},
                          lambda told: (told["fault"]["name"], told["fault"]["times"], told["fault"]["done"]) == (
                              "slow", 2, False)),
    ("PUT", "/faults"): ("/faults", {"rates": {"lost": 0.5}}, lambda told: told == {"rates": {"lost": 0.5}}),
    ("DELETE", "/faults"): ("/faults", None, lambda told: told == {"faults": None}),
    ("POST", "/app"): ("/app", order_string, lambda told: told["result"].startswith("resultStatus={9000}")),
    ("POST", "/visit"): ("/visit", lambda emulator: mapi.build_request(emulator.shop(), "create_forex_trade", {
        "out_trade_no": "V1", "subject": "Tea", "currency": "USD", "total_fee": "1.00"}).url,
        lambda told: told["trade"]["out_trade_no"] == "V1"),
    ("GET", "/requests"): ("/requests", {"limit": "3"}, lambda told: told == {"requests": []}),
    ("POST", "/reset"): ("/reset", None, lambda told: told == {"reset": None}),
    ("POST", "/record/start"): ("/record/start", None,
                                lambda told: told["recording"] == {"recording": True, "events": 0}),
    ("POST", "/record/stop"): ("/record/stop", None,
                               lambda told: told["recording"] == {"recording": False, "events": 0}),
}
#: Calls that answer with no JSON, or take none: they have their own tests below. Those of AMS: in test_control_ams.
ELSEWHERE = {("POST", "/trades/{out_trade_no}/confirm"), ("GET", "/merchants/{merchant}/ini"), ("GET", "/record"),
             ("POST", "/replay")} | {(row.verb, row.path) for row in AMS_CALLS}


def listed():
    with Emulator() as emulator:
        calls = call(emulator, "GET", "/")[1]["emulator"]["calls"]
    assert all(one["path"].startswith("/_emulator/") for one in calls)
    return {(one["method"], one["path"][len("/_emulator"):]): one for one in calls}


def test_every_call_of_the_list_is_tried_here():
    assert set(listed()) == set(WORKS) | ELSEWHERE


@pytest.mark.parametrize("method, path", sorted(WORKS), ids=" ".join)
def test_every_call_of_the_list_works(emulator, method, path):
    where, arguments, check = WORKS[method, path]
    emulator.place("A3")
    emulator.log_in("A3")
    where = where or "/notifications/{}/resend".format(emulator.list_notifications()[0]["notify_id"])
    if callable(arguments):
        arguments = {"order_string" if path == "/app" else "url": arguments(emulator)}
    if path == "/trades" and method == "GET":
        emulator.place("A4")
        arguments = dict(arguments, offset="3")
    query = b""
    if method == "GET" and arguments:
        query, arguments = "&".join("{}={}".format(*pair) for pair in arguments.items()).encode(), None
    status, told = call(emulator, method, where, arguments, query)
    assert status == 200 and check(told), told


def test_the_list_names_every_fault_every_buyer_and_every_argument(emulator):
    told = call(emulator, "GET", "/")[1]["emulator"]
    assert {"lost", "reset", "re-cut"} < set(told["faults"])
    assert [buyer["buyer_email"] for buyer in told["buyers"]][0] == "buyer1@example.com"
    pay = listed()["POST", "/trades/{out_trade_no}/pay"]
    assert [(one["name"], one["in"], one["type"], one["required"]) for one in pay["arguments"]] == [
        ("out_trade_no", "path", "text", True), ("partner", "body", "text", False), ("buyer", "body", "text", False),
        ("lose", "body", "boolean", False)]


def test_every_call_that_is_a_method_takes_exactly_its_arguments():
    """One table for both ways in: a method that changes must change its row."""
    for row in control.CALLS:
        if row.method.startswith("_") or row.more:
            continue
        named = inspect.signature(getattr(Emulator, row.method)).parameters
        assert set(named) - {"self"} == set(row.in_path + row.required + row.optional), row.method


def test_what_is_done_here_is_done_to_the_emulator(emulator):
    call(emulator, "POST", "/trades/A2/pay", {"buyer": "buyer2@example.com"})
    assert emulator.trade("A2")["buyer_email"] == "buyer2@example.com"
    call(emulator, "POST", "/advance", {"seconds": 90})
    assert emulator.clock.now() == NOON + timedelta(seconds=90)
    call(emulator, "PUT", "/faults", {"rates": {"lost": 1}})
    assert emulator.faults.rates == {"lost": 1}
    call(emulator, "POST", "/reset")
    assert emulator.list_trades() == []


@pytest.mark.parametrize("name", ["md5", "rsa", "dsa"])
def test_a_section_of_shop_ini_makes_a_shop_that_the_gateway_knows(emulator, name):
    reply = control.handle(emulator, "GET", "/merchants/{}/ini".format(name))
    assert (reply.status, reply.content_type) == (200, "text/plain")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(reply.body.decode("ascii"))
    assert all("\n" not in value for value in parser[name].values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mapi.WeakKeyWarning)
        shop = Merchant(**dict(parser[name]))
    assert (shop.gateway, shop.seller_email) == (emulator.gateway_url, name + "@shop.example.com")
    url = mapi.build_request(shop, "create_forex_trade", {
        "out_trade_no": "K1", "subject": "Tea", "currency": "USD", "total_fee": "1.00"}).url
    assert emulator.visit(url)["out_trade_no"] == "K1"


def test_plain_http_to_another_machine_is_allowed_in_so_many_words(emulator):
    for url, told in (("http://192.0.2.1:8642", True), ("http://127.0.0.1:8642", False), ("https://x.test", False)):
        emulator.base_url = url
        assert (b"allow_http = true" in control.handle(emulator, "GET", "/merchants/md5/ini").body) is told


# --- refusals ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method, path, arguments, parameter", [
    ("POST", "/trades", {}, "out_trade_no"),
    ("POST", "/trades", {"out_trade_no": "B1", "total_fee": 10.00}, "total_fee"),
    ("POST", "/trades", {"out_trade_no": "B1", "total_fee": 10}, "total_fee"),
    ("POST", "/trades", {"out_trade_no": 5}, "out_trade_no"),
    ("POST", "/trades", {"out_trade_no": "B1", "totalfee": "10.00"}, "totalfee"),
    ("POST", "/trades", {"out_trade_no": "B1", "service": "single_trade_query"}, "service"),
    ("POST", "/trades", {"out_trade_no": "B1", "service": ["x"]}, "service"),
    ("POST", "/trades", {"out_trade_no": "B1", "merchant": "nobody"}, "merchant"),
    ("POST", "/trades", {"out_trade_no": "B1", "total_fee": "-1"}, "total_fee"),
    ("POST", "/trades", {"out_trade_no": "B1", "subject": "\ud800"}, "subject"),
    ("POST", "/trades/A1/refund", {"amount": 2.5}, "amount"),
    ("POST", "/trades/A1/pay", {"lose": "yes"}, "lose"),
    ("POST", "/trades/A1/pay", {"lose": 1}, "lose"),
    ("POST", "/trades/A1/pay", {"out_trade_no": "A2"}, "out_trade_no"),
    ("POST", "/trades/A2/pay", {"buyer": "nobody@example.com"}, "buyer"),
    ("POST", "/trades/A2/pay_later", {}, "seconds"),
    ("POST", "/advance", {"seconds": -1}, "seconds"),
    ("POST", "/advance", {"seconds": "60"}, "seconds"),
    ("POST", "/advance", {"seconds": True}, "seconds"),
    ("POST", "/advance", {"seconds": 1e300}, "seconds"),
    ("POST", "/resume", {"speed": 0}, "speed"),
    ("POST", "/set_time", {"moment": "tomorrow"}, None),
    ("POST", "/faults", {"name": "gremlins"}, "name"),
    ("POST", "/faults", {"name": "slow", "times": 0}, "times"),
    ("POST", "/faults", {"name": "slow", "times": 1.5}, "times"),
    ("PUT", "/faults", {"rates": {"lost": 2}}, "lost"),
    ("PUT", "/faults", {"rates": ["lost"]}, "rates"),
    ("PUT", "/settings/md5", {"colour": "red"}, "colour"),
    ("PUT", "/settings/md5", {"closed": "close_trade"}, "closed"),
    ("PUT", "/settings/md5", {"sellers": ["\ud800"]}, "sellers"),
    ("POST", "/visit", {"url": "https://mapi.emulator.test/gateway.do?service=notify_verify"}, "url"),
    ("POST", "/visit", {"url": "https://mapi.emulator.test/gateway.do?service=create_forex_trade"}, None),
    ("POST", "/freeze", {"now": True}, "now"),
])
def test_an_argument_that_cannot_be_is_refused_by_name(emulator, method, path, arguments, parameter):
    before = emulator.list_trades()
    status, error = refused(emulator, method, path, arguments)
    assert status == 409 if path == "/visit" and parameter is None else status == 400, error
    if parameter is not None:
        assert error["parameter"] == parameter and parameter in error["message"]
    assert emulator.list_trades() == before


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b"{", b"\xff", b'{"seconds": NaN}', b'{"seconds": Infinity}',
                                  b'{"seconds": 1, "seconds": 2}', b"[" * 100000, b"seconds=1",
                                  b'{"seconds": 1' + b"0" * 400 + b"}", b'{"seconds": 1e400}'])
def test_a_body_that_is_no_object_is_refused(emulator, body):
    reply = control.handle(emulator, "POST", "/advance", b"", body)
    assert reply.status == 400 and json.loads(reply.body.decode())["error"]["class"] == "InvalidRequest"
    assert emulator.clock.now() == NOON


@pytest.mark.parametrize("query", [b"limit=x", b"limit=-1", b"limit=1.5", b"limit=9999999", b"limit=1&limit=2",
                                   b"size=1", b"limit=%ff", b"limit=\xff", b"limit="])
def test_a_query_that_cannot_be_is_refused(emulator, query):
    assert refused(emulator, "GET", "/trades", None, query)[0] == 400


def test_arguments_in_the_query_of_a_post_are_refused_rather_than_lost(emulator):
    assert refused(emulator, "POST", "/advance", {"seconds": 1}, b"seconds=5")[1]["parameter"] == "query"


@pytest.mark.parametrize("method, path", [
    ("GET", "/nothing"), ("GET", "/trades/B1"), ("POST", "/trades/B1/pay"), ("GET", "/merchants/nobody"),
    ("GET", "/merchants/2088000000009999/ini"), ("PUT", "/settings/nobody"), ("POST", "/notifications/x/resend"),
    ("POST", "/trades/A2/resend"), ("GET", "/trades/B1/return_url"), ("GET", "//"),
])
def test_what_is_not_there_is_a_404(emulator, method, path):
    assert refused(emulator, method, path)[0] == 404


@pytest.mark.parametrize("method, path, allow", [
    ("POST", "/now", "GET"), ("GET", "/advance", "POST"), ("PATCH", "/faults", "DELETE, GET, POST, PUT"),
    ("DELETE", "/trades", "GET, POST"), ("GET", "/trades/A1/pay", "POST"),
])
def test_another_method_is_a_405_that_says_which(emulator, method, path, allow):
    reply = control.handle(emulator, method, path)
    assert reply.status == 405 and ("Allow", allow) in reply.headers


@pytest.mark.parametrize("method, path, arguments, code", [
    ("POST", "/trades/A1/pay", {}, "TRADE_NOT_ALLOWED_PAY"),
    ("POST", "/trades/A2/close", {}, "TRADE_NOT_EXIST"),
    ("POST", "/trades/A1/refund", {"amount": "11.00"}, "RETURN_AMOUNT_EXCEED"),
    ("POST", "/trades", {"out_trade_no": "A2", "total_fee": "11.00", "service": "create_direct_pay_by_user"},
     "TRADE_TOTALFEE_NOT_MATCH"),
    ("POST", "/trades/A2/pay", {"buyer": "poor@example.com"}, "BUYER_BALANCE_NOT_ENOUGH"),
])
def test_what_the_gateways_rules_forbid_is_a_409_with_the_code(emulator, method, path, arguments, code):
    status, error = refused(emulator, method, path, arguments)
    assert (status, error["class"], error["code"]) == (409, "Refused", code)


@pytest.mark.parametrize("number", ["A/1", "A/1/pay", "50%", "a?b#c", "../x"])
def test_an_order_number_may_be_whatever_the_gateway_allows(emulator, number):
    emulator.place(number, service="create_direct_pay_by_user")
    assert call(emulator, "GET", "/trades/" + number)[1]["trade"]["out_trade_no"] == number
    assert call(emulator, "POST", "/trades/{}/pay".format(number))[1]["trade"]["trade_status"] == "TRADE_SUCCESS"


def test_an_address_is_utf_8(emulator):
    status, error = refused(emulator, "GET", "/trades/订单".encode("utf-8").decode("latin-1"))     # as WSGI has it
    assert status == 404 and "订单" in error["message"]


def test_a_request_is_listed_without_its_sign(emulator):
    emulator.visit(mapi.build_request(emulator.shop(), "create_forex_trade", {
        "out_trade_no": "V1", "subject": "茶", "currency": "USD", "total_fee": "1.00"}).url)
    one, = call(emulator, "GET", "/requests")[1]["requests"]
    assert one["params"]["subject"] == "茶" and "sign" not in one["params"]
    assert one["sign_fits"] is True and one["error"] is None and "subject=茶" in one["presign"]


def test_recording_and_replaying_work_over_http_too(emulator):
    key = emulator.merchant("md5").shop_keys()["md5_key"]
    emulator.reset()
    call(emulator, "POST", "/record/start")
    call(emulator, "POST", "/trades", {"out_trade_no": "C1"})
    call(emulator, "POST", "/record/stop")
    reply = control.handle(emulator, "GET", "/record")
    assert reply.content_type == "application/x-ndjson" and len(reply.body.splitlines()) == 2
    assert key.encode() not in reply.body
    with Emulator(seed=1) as fresh:
        again = control.handle(fresh, "POST", "/replay", b"", reply.body)
        assert json.loads(again.body.decode())["replay"] == {
            "requests": 0, "calls": 1, "notifications": 0, "differences": []}
        assert fresh.trade("C1")["trade_status"] == "NO_TRADE"
        assert refused(fresh, "POST", "/replay", None)[0] == 400


def test_settings_that_can_be_listed_can_be_set(emulator):
    assert set(call(emulator, "GET", "/merchants/md5")[1]["merchant"]["settings"]) == set(merchants.SETTINGS)


_VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
                       | st.text(max_size=20) | st.sampled_from(["A1", "md5", "10.00", "2088000000000101", "USD"]),
                       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                           st.text(max_size=5), inner, max_size=3), max_leaves=4)
_NAMES = st.sampled_from(sorted({name for row in control.CALLS for name in row.required + row.optional}
                                | set(merchants.SETTINGS) | {"paymentAmount", "paymentMethod", "order", "subject",
                                                             "total_fee", "currency", "split_fund_info"}))
_PATHS = st.sampled_from([row.path.format(
    out_trade_no="A2", merchant="md5", notify_id="x", payment_request_id="P1", registration_request_id="G1")
    for row in control.CALLS])


@settings(max_examples=settings.default.max_examples * 4 // 3)
@given(method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "X"]), path=_PATHS | st.text(max_size=20),
       query=st.binary(max_size=20), body=st.binary(max_size=20) | st.dictionaries(_NAMES, _VALUES, max_size=4))
def test_whatever_comes_the_answer_is_an_answer(method, path, query, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode("ascii")
    with Emulator(seed=1, frozen=True, start=NOON, sender=lambda delivery: Answered(200, "success"),
                  keys=dict(AMS_KEYS)) as emulator:
        emulator.place("A2")
        emulator.place_payment("P1")
        for given_query in (query, b""):
            reply = control.handle(emulator, method, path, given_query, data)
            assert reply.status in (200, 400, 404, 405, 409)
            if reply.status != 200:
                assert set(json.loads(reply.body.decode("utf-8"))["error"]) == {"class", "code", "message", "parameter"}


def test_confirm_ends_an_escrow_trade_and_nothing_else(emulator):
    shop = emulator.shop("md5")
    emulator.visit(mapi.build_request(shop, "create_partner_trade_by_buyer", {
        "out_trade_no": "E1", "subject": "Tea", "payment_type": "1", "seller_id": shop.partner, "price": "3.00",
        "quantity": "1", "logistics_type": "EXPRESS", "logistics_fee": "0.00", "logistics_payment": "SELLER_PAY"}).url)
    emulator.pay("E1")
    assert refused(emulator, "POST", "/trades/E1/confirm")[1]["code"] == "TRADE_STATUS_NOT_AVAILD"
    emulator.trades.ship(emulator.trade("E1"), "SF")
    assert call(emulator, "POST", "/trades/E1/confirm")[1]["trade"]["trade_status"] == "TRADE_FINISHED"
