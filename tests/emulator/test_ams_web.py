"""AMS through the WSGI app and over a socket: what is signed is what was sent, and who may press buttons."""
import json
import socket

import pytest

from alipay_mapi.emulator import Emulator

pytest.importorskip("werkzeug")
pytest.importorskip("jinja2")
pytest.importorskip("segno")

import requests
from werkzeug.test import Client, create_environ
from werkzeug.wrappers import Response

from alipay_mapi.emulator.server import Server
from alipay_mapi.emulator.web import App
from ams_setup import (AMS_KEYS, PATHS, PRODUCTION, SANDBOX, Acknowledging, Shop, ams, checks, header, sign,
                       text_to_sign)

TIME = "1754980200123"


class Setup:
    def __init__(self, **options):
        self.address = Acknowledging()
        self.emulator = ams(self.address, base_url="http://localhost")
        self.app = App(self.emulator, **options)
        self.browser = Client(self.app, Response)
        self.shop = Shop(self.emulator)

    def send(self, call, content, client_id=PRODUCTION, target=None, **more):
        """Werkzeug's answer to one signed request."""
        target = target or PATHS[client_id] + call
        body = json.dumps(content).encode("utf-8") if not isinstance(content, bytes) else content
        return self.browser.open(more.pop("path", target), method=more.pop("method", "POST"), data=body,
                                 headers=headers_of(target, body, client_id), **more)

    def pay(self, number="P1", **more):
        """The path of the buyer's page."""
        answer = self.send("payments/pay", self.shop.order(number, **more))
        assert answer.status_code == 200, answer.data
        return json.loads(answer.data.decode("utf-8"))["normalUrl"].replace("http://localhost", "")

    def status(self, number="P1"):
        return self.emulator.payment(number)["payment_status"]


def headers_of(target, body, client_id=PRODUCTION):
    return {"Content-Type": "application/json; charset=UTF-8", "client-id": client_id, "request-time": TIME,
            "Signature": header(sign(text_to_sign(target, client_id, TIME, body)))}


def named(answer):
    return {name.lower(): value for name, value in answer.headers.items()}


@pytest.fixture
def setup():
    made = Setup()
    with made.emulator:
        yield made


# --- calls ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("client_id", [PRODUCTION, SANDBOX])
def test_a_signed_call_is_answered_with_a_signature(setup, client_id):
    answer = setup.send("payments/pay", setup.shop.order(), client_id)
    told = json.loads(answer.data.decode("utf-8"))
    assert (answer.status_code, told["result"]["resultCode"]) == (200, "PAYMENT_IN_PROCESS")
    assert told["normalUrl"] == "http://localhost/ams/cashier/1"
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert checks(named(answer), PATHS[client_id] + "payments/pay", answer.data, "response-time")
    assert "Content-Security-Policy" not in answer.headers and "Set-Cookie" not in answer.headers


def test_the_answers_headers_are_spelled_in_lower_case(setup):
    """The official SDKs look for no other spelling."""
    target, body = PATHS[PRODUCTION] + "payments/pay", json.dumps(setup.shop.order()).encode()
    environ = create_environ(target, "http://localhost", method="POST", data=body, headers=headers_of(target, body))
    seen = []
    list(setup.app(environ, lambda status, headers: seen.extend(headers)))
    assert {"client-id", "response-time", "signature"} < {name for name, _ in seen}


def test_the_query_is_signed_too(setup):
    target = PATHS[PRODUCTION] + "payments/pay?shop=1"
    assert b"PAYMENT_IN_PROCESS" in setup.send("", setup.shop.order(), target=target, path=target).data
    other = setup.send("", setup.shop.order(), target=target, path=target.replace("shop=1", "shop=2"))
    assert b"INVALID_SIGNATURE" in other.data


@pytest.mark.parametrize("uri", [None, "/ams/api/v1/payments/pay?a=%2F",
                                 "http://localhost/ams/api/v1/payments/pay?a=%2F"])
def test_what_is_checked_is_the_target_as_it_was_sent(setup, uri):
    """A server may tell it, wholly or from the path on, or not at all."""
    target, body = PATHS[PRODUCTION] + "payments/pay?a=%2F", json.dumps(setup.shop.order()).encode()
    environ = create_environ(target, "http://localhost", method="POST", data=body, headers=headers_of(target, body))
    environ.pop("REQUEST_URI", None), environ.pop("RAW_URI", None)
    if uri is not None:
        environ["REQUEST_URI"] = uri
    answered = json.loads(b"".join(setup.app(environ, lambda *_: None)).decode())
    assert answered["result"]["resultCode"] == "PAYMENT_IN_PROCESS"


@pytest.mark.parametrize("method, path, code", [
    ("GET", "/ams/api/v1/payments/pay", "METHOD_NOT_SUPPORTED"), ("PUT", "/ams/api/v1/payments/pay",
                                                                   "METHOD_NOT_SUPPORTED"),
    ("POST", "/ams/api/v1/payments/none", "NO_INTERFACE_DEF"), ("POST", "/ams/api/", "NO_INTERFACE_DEF"),
    ("GET", "/ams/sandbox/api/v9/x", "NO_INTERFACE_DEF"), ("POST", "/ams/api/v1/%70ayments/pay", "NO_INTERFACE_DEF"),
    ("POST", "/ams/api/v1/payments/pay", "MEDIA_TYPE_NOT_ACCEPTABLE")])
def test_whatever_begins_like_a_call_is_answered_by_ams(setup, method, path, code):
    answer = setup.browser.open(path, method=method, data=b"{}")
    assert answer.status_code == 200 and json.loads(answer.data.decode("utf-8"))["result"]["resultCode"] == code
    assert "signature" not in named(answer)


def test_a_call_may_come_from_any_host_and_origin(setup):
    """They are signed; the guard against other websites is for what is not."""
    answer = setup.send("payments/pay", setup.shop.order(), environ_overrides={
        "HTTP_HOST": "ams.lab.example.com", "HTTP_ORIGIN": "http://elsewhere.example.com"})
    assert b"PAYMENT_IN_PROCESS" in answer.data


def test_a_body_beyond_a_mebibyte_is_not_read(setup):
    assert setup.send("payments/pay", b"{" + b" " * 1024 * 1024).status_code == 413
    assert setup.emulator.ams_requests() == []


@pytest.mark.parametrize("fault, status, kind", [("http-500", 500, "text/html"), ("html-200", 200, "text/html"),
                                                 ("redirect", 302, "text/html")])
def test_a_fault_that_is_no_answer(setup, fault, status, kind):
    setup.emulator.fail(fault, service="payments/pay")
    answer = setup.send("payments/pay", setup.shop.order())
    assert answer.status_code == status and answer.headers["Content-Type"].startswith(kind)
    assert "signature" not in named(answer) and setup.status() == "PROCESSING"


@pytest.fixture(scope="module")
def server():
    with Emulator(seed=1, keys=dict(AMS_KEYS), sender=Acknowledging()) as emulator, Server(emulator) as one:
        yield one


def over_a_socket(server, number, **more):
    target = PATHS[PRODUCTION] + "payments/pay"
    body = json.dumps(Shop(server.emulator).order(number)).encode()
    with requests.Session() as session:
        session.trust_env = False
        return session.post(server.url + target, data=body, headers=headers_of(target, body), **more)


def test_over_a_socket_it_is_the_same(server):
    answer = over_a_socket(server, "S1", timeout=10)
    assert answer.json()["normalUrl"].startswith(server.url + "/ams/cashier/")
    assert checks(named(answer), PATHS[PRODUCTION] + "payments/pay", answer.content, "response-time")


def test_over_a_socket_the_target_may_be_whole(server):
    """As a proxy is asked."""
    target, body = PATHS[PRODUCTION] + "payments/pay?a=%41", b"{}"
    lines = ["POST {}{} HTTP/1.1".format(server.url, target), "Host: x", "Content-Length: 2", "Connection: close"]
    lines += ["{}: {}".format(*pair) for pair in headers_of(target, body).items()]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plug:
        plug.sendall("\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body)
        answered = b"".join(iter(lambda: plug.recv(65536), b""))
    assert b"PARAM_ILLEGAL" in answered and b"\r\nsignature: algorithm=RSA256," in answered


@pytest.mark.parametrize("fault", ["reset", "half-answer"])
def test_over_a_socket_a_connection_breaks_after_the_work_is_done(server, fault):
    server.emulator.fail(fault, service="payments/pay")
    try:
        answer = over_a_socket(server, "B-" + fault, timeout=10)
        whole = len(answer.content) == int(answer.headers["Content-Length"])    # old requests do not look
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        whole = False
    assert not whole
    assert server.emulator.payment("B-" + fault)["payment_status"] == "PROCESSING"


def test_over_a_socket_an_answer_is_too_slow_for_its_client(server):
    server.emulator.fail("slow", service="payments/pay", seconds=2)
    with pytest.raises(requests.ReadTimeout):
        over_a_socket(server, "SLOW", timeout=0.2)
    assert server.emulator.payment("SLOW")["payment_status"] == "PROCESSING"


# --- who may press the buttons ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("host, allowed", [("localhost:8642", True), ("127.0.0.1:8642", True),
                                           ("evil.example.com", False), ("", False)])
def test_the_buttons_are_pressed_under_the_emulators_own_name_alone(setup, host, allowed):
    environ = create_environ(setup.pay(), "http://localhost", method="POST", data={"action": "pay"})
    environ["HTTP_HOST"] = host
    seen = []
    list(setup.app(environ, lambda status, headers: seen.append(status[:3])))
    assert seen == ["303" if allowed else "403"]
    assert setup.status() == ("SUCCESS" if allowed else "PROCESSING")


@pytest.mark.parametrize("origin, allowed", [("http://localhost", True), ("http://evil.example.com", False),
                                             ("null", False)])
@pytest.mark.parametrize("any_host", [False, True])
def test_another_website_cannot_press_them(origin, allowed, any_host):
    setup = Setup(any_host=any_host)
    with setup.emulator:
        for method, number, form in (("ALIPAY_CN", "P1", {"action": "pay"}),
                                     ("CARD", "C1", {"action": "authorize", "card": "1111"})):
            path = setup.pay(number, paymentMethod={"paymentMethodType": method})
            answer = setup.browser.post(path, data=form, headers={"Origin": origin})
            assert (answer.status_code == 303) is allowed
            assert (setup.status(number) == "SUCCESS") is allowed


def test_a_form_beyond_a_mebibyte_is_not_read(setup):
    assert setup.browser.post(setup.pay(), data=b"a" * 1024 * 1025).status_code == 413


@pytest.mark.parametrize("path", ["/ams", "/ams/", "/ams/cashier/99", "/ams/card/99", "/ams/3ds/99", "/ams/payments/99",
                                  "/ams/requests/99", "/ams/cashier/x", "/ams/payments/" + "9" * 30,
                                  "/ams/requests/" + "9" * 30])
def test_what_is_not_there_is_said_kindly(setup, path):
    answer = setup.browser.get(path)
    assert answer.status_code == 404 and "There is nothing here" in answer.get_data(as_text=True)


@pytest.mark.parametrize("method, path", [("POST", "/ams/payments"), ("POST", "/ams/requests/1"),
                                          ("DELETE", "/ams/cashier/1"), ("PUT", "/ams/3ds/1")])
def test_a_wrong_method_is_said_so(setup, method, path):
    setup.pay()
    answer = setup.browser.open(path, method=method)
    assert answer.status_code == 405 and answer.headers["Allow"]
