"""requests, answered in process: what a caller sees is what it would see of a real gateway."""
import io
import socket
import sys
from datetime import datetime, timezone

import pytest
import requests
from urllib3.util import Timeout

import alipay_mapi as mapi
from alipay_mapi.testing import TestGateway

WHEN = datetime(2026, 1, 1, 4, 0, tzinfo=timezone.utc)
QUERY = {"service": "query_timestamp", "partner": "2088000000000101"}


@pytest.fixture
def no_socket(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def gateway(no_socket):
    with TestGateway() as gateway:
        gateway.place("A1", total_fee="10.00", currency="USD")
        gateway.pay("A1")
        yield gateway


def test_a_session_gets_an_ordinary_response(gateway):
    answer = requests.get("https://mapi.alipay.com/gateway.do", params=QUERY)
    assert type(answer) is requests.Response
    assert (answer.status_code, answer.reason, answer.headers["Content-Type"]) == (200, "OK", "text/xml")
    assert answer.content.startswith(b"<?xml") and len(answer.content) == int(answer.headers["Content-Length"])
    assert answer.url.startswith("https://mapi.alipay.com/gateway.do?service=query_timestamp")


def test_the_body_can_be_read_raw(gateway):
    with requests.Session() as session:
        answer = session.get(gateway.url, params=QUERY, stream=True)
        assert answer.raw.read(6, decode_content=False) == b"<?xml "
        assert answer.raw.read(decode_content=False).endswith(b"</alipay>")


def test_the_librarys_own_transport_is_answered(gateway):
    assert gateway.client().single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"


@pytest.mark.parametrize("body", [
    "service=query_timestamp&partner=2088000000000101", b"service=query_timestamp&partner=2088000000000101", QUERY,
    io.BytesIO(b"service=query_timestamp&partner=2088000000000101"),
    iter([b"service=query_timestamp&", b"partner=2088000000000101"]),
], ids=["text", "bytes", "dict", "file", "generator"])
def test_a_body_of_any_kind_reaches_the_gateway(gateway, body):
    assert b"<is_success>T" in requests.post(gateway.url, data=body).content


def test_the_referer_is_seen(gateway):
    gateway.change(referers=["https://shop.example.com/"])
    url = mapi.build_request(gateway.shop(), "create_forex_trade", mapi.services.create_forex_trade(
        out_trade_no="B1", subject="Tea", currency="USD", total_fee="1.00")).url
    assert "ILLEGAL_REQUEST_REFERER" in requests.get(url, allow_redirects=False).text
    assert requests.get(url, allow_redirects=False,
                        headers={"Referer": "https://shop.example.com/buy"}).status_code == 302


def test_other_methods_than_get_and_post_are_refused(gateway):
    assert (requests.head(gateway.url).status_code, requests.put(gateway.url).status_code) == (405, 405)


def test_other_paths_of_alipays_hosts_are_not_there(gateway):
    answer = requests.get("https://mapi.alipay.com/home/")
    assert (answer.status_code, answer.text) == (
        404, "in a test, only /gateway.do and the calls of AMS are answered at Alipay's hosts")


def test_the_address_before_notify_verify_still_answers(gateway):
    known = gateway.notification("paid").params["notify_id"]
    address = "http://notify.alipay.com/trade/notify_query.do"
    assert requests.get(address, {"partner": "2088000000000101", "notify_id": known}).text == "true"
    assert requests.get(address, {"partner": "2088000000000101", "notify_id": "0" * 34}).text == "false"


def test_a_browser_like_session_comes_to_the_cashier_and_pays(gateway):
    pytest.importorskip("werkzeug", reason="the extra emulator")
    pytest.importorskip("jinja2", reason="the extra emulator")
    url = mapi.build_request(gateway.shop(), "create_forex_trade", mapi.services.create_forex_trade(
        out_trade_no="B1", subject="Tea", currency="USD", total_fee="1.00")).url
    page = requests.get(url)
    assert page.status_code == 200 and page.url.startswith("https://mapi.emulator.test/cashier/")
    assert page.headers["Content-Type"].startswith("text/html") and "B1" in page.text


@pytest.fixture
def without_the_extra(monkeypatch):
    """As on a machine where ``import werkzeug`` fails; modules that have it already are forgotten for the test."""
    for name in list(sys.modules):
        if name.split(".")[0] == "werkzeug" or name in ("alipay_mapi.emulator.web", "alipay_mapi.emulator.server"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "werkzeug", None)


def test_without_the_extra_its_name_is_told(gateway, without_the_extra):
    told = r"needs? werkzeug.*: pip install 'alipay-mapi\[emulator\]'"
    with pytest.raises(mapi.ConfigurationError, match=told):
        requests.get("https://mapi.emulator.test/")
    with pytest.raises(mapi.ConfigurationError, match=told):
        gateway.live()


def test_without_the_extra_a_refused_order_still_names_its_code(gateway, without_the_extra):
    answer = requests.get(gateway.url, params={"service": "single_trade_query", "partner": "2088000000000101"})
    assert b"<error>" in answer.content


# --- faults: as they look on a real connection -----------------------------------------------------------------

def seen_by(gateway, fault, **settings):
    """What a caller of requests meets: the exception's class, or the answer's status and whether it is whole."""
    gateway.fail(fault, **settings)
    url = mapi.build_request(gateway.shop(), "single_trade_query", {"out_trade_no": "A1"}).url
    try:
        answer = requests.get(url, timeout=(5, 0.2), allow_redirects=False)
    except requests.RequestException as err:
        return type(err).__name__
    return answer.status_code, answer.content[-9:] == b"</alipay>"


@pytest.fixture(scope="module")
def live_gateway():
    pytest.importorskip("werkzeug", reason="the extra emulator")
    with TestGateway(live=True) as gateway:
        gateway.place("A1", total_fee="10.00", currency="USD")
        gateway.pay("A1")
        yield gateway


FAULTS = [("slow", {"seconds": 1.0}), ("reset", {}), ("half-answer", {}), ("http-500", {}), ("html-200", {}),
          ("redirect", {}), ("system-error", {})]


@pytest.mark.parametrize("fault, settings", FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_looks_in_process_as_it_does_over_a_socket(live_gateway, fault, settings):
    with TestGateway() as gateway:
        gateway.place("A1", total_fee="10.00", currency="USD")
        gateway.pay("A1")
        in_process = seen_by(gateway, fault, **settings)
    assert in_process == seen_by(live_gateway, fault, **settings)


def test_a_slow_answer_is_a_read_timeout_at_once(gateway):
    assert seen_by(gateway, "slow", seconds=3600) == "ReadTimeout"


@pytest.mark.parametrize("timeout, in_time", [
    (None, True), (31, True), (29, False), ((1, 31), True), ((31, 29), False), ((1, None), True),
    (Timeout(connect=1, read=29), False), (Timeout(total=29), False), (Timeout(connect=1, read=31, total=60), True),
    (Timeout(connect=1, read=31, total=29), False),
])
def test_a_slow_answer_comes_to_those_who_wait_longer(gateway, timeout, in_time):
    gateway.fail("slow", seconds=30)
    url = mapi.build_request(gateway.shop(), "single_trade_query", {"out_trade_no": "A1"}).url
    if in_time:
        assert b"TRADE_FINISHED" in requests.get(url, timeout=timeout).content
    else:
        with pytest.raises(requests.ReadTimeout):
            requests.get(url, timeout=timeout)


def test_a_reset_breaks_while_the_body_is_read(gateway):
    gateway.fail("reset")
    url = mapi.build_request(gateway.shop(), "single_trade_query", {"out_trade_no": "A1"}).url
    answer = requests.get(url, stream=True)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="reset"):
        answer.content      # noqa: B018


@pytest.mark.parametrize("fault", ["slow", "reset", "half-answer", "http-500", "html-200"])
def test_our_client_calls_each_of_them_by_the_right_name(gateway, fault):
    gateway.fail(fault, times=3)
    client = gateway.client()
    expected = mapi.NotXML if fault == "html-200" else mapi.TransportError
    with pytest.raises((expected, mapi.TransportError)):
        client.single_trade_query(out_trade_no="A1")
    gateway.emulator.faults.clear()
    gateway.fail(fault)
    with pytest.raises(mapi.OutcomeUnknown):
        client.forex_refund(out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="1.00",
                            gmt_return=WHEN)
    assert [row["out_return_no"] for row in gateway.refunds("A1")] == ["R1"]
