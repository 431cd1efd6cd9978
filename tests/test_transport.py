"""One exchange with the gateway: whatever the other side does, an answer or one of our errors, in time.

The gateway of these tests is ``loopback``: real sockets on this machine, faults on command, limits of a fraction of a
second. Each fault stands beside the genuine answer that must pass.
"""
import gzip
import inspect
import logging
import os
import pickle
import socket
import threading
import time
import traceback
import tracemalloc
import zlib

import pytest
import requests
import responses
from loopback import Loopback, drips, hangs, http, make_certificates, resets, says

from alipay_mapi import deadline
from alipay_mapi.errors import ConfigurationError, TransportError
from alipay_mapi.transport import CAP, Answer, Call, RequestsTransport

SECRET = "sign=c2VjcmV0LXNpZ24&buyer_email=buyer%40example.com"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(params=["urllib3", "requests"])
def make(request, monkeypatch):
    """A transport with short limits, closed after the test; both ways that a request may take."""
    if request.param == "requests":
        monkeypatch.setattr(deadline, "is_replaced", lambda: True)

    def make(**arguments):
        settings = dict(connect=2, read=2, total=3, pool=4)
        settings.update(arguments)
        transport = RequestsTransport(**settings)
        request.addfinalizer(transport.close)
        return transport
    return make


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def fault_of(transport, url, **call):
    """The TransportError that a call ends in; it must not hold the URL's query anywhere a traceback would show."""
    with pytest.raises(TransportError) as caught:
        transport.send(Call("GET", url + "?" + SECRET, **call))
    fault = caught.value
    assert fault.__context__ is None and fault.__cause__ is None
    text = "".join(traceback.format_exception(type(fault), fault, fault.__traceback__)) + repr(fault.__dict__)
    assert "c2VjcmV0" not in text and "example.com" not in text and "gateway.do" not in text
    assert fault.host in str(fault)
    assert pickle.loads(pickle.dumps(fault)).facts == fault.facts
    return fault


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# --- the genuine exchange ---------------------------------------------------------------------------------------

def test_a_get_and_a_post_arrive_as_given_and_their_answers_come_back(make):
    with Loopback(says(http(b"true", Content_Type="text/plain")), says(http(b"<alipay/>"))) as gateway:
        transport = make()
        first = transport.send(Call("GET", gateway.url + "?notify_id=a%2Fb%252F&x=1"))
        second = transport.send(Call("POST", gateway.url + "?_input_charset=GBK", b"subject=%B2%E8",
                                     {"Content-Type": "application/x-www-form-urlencoded; charset=GBK"}))
    assert first == Answer(200, "text/plain", b"true") and second == Answer(200, "", b"<alipay/>")
    get, post = gateway.requests
    assert (get.method, get.target, get.body) == ("GET", "/gateway.do?notify_id=a%2Fb%252F&x=1", b"")
    assert (post.method, post.target, post.body) == ("POST", "/gateway.do?_input_charset=GBK", b"subject=%B2%E8")
    assert post.headers["content-type"] == "application/x-www-form-urlencoded; charset=GBK"
    assert post.headers["content-length"] == "14" and get.headers["accept-encoding"] == "identity"
    assert gateway.connections == 1, "the connection is kept and used again"


def test_a_connection_that_the_gateway_closed_meanwhile_is_replaced_before_anything_is_sent(make):
    with Loopback(says(http(b"true"), then_close=True)) as gateway:
        transport = make()
        for _ in range(3):
            assert transport.send(Call("GET", gateway.url)).body == b"true"
            _until(lambda: _idle_is_closed(transport))
    assert len(gateway.requests) == gateway.connections == 3


def _idle_is_closed(transport):
    from urllib3.util.connection import is_connection_dropped
    pools = transport._session.get_adapter("http://").poolmanager.pools
    waiting = [conn for key in list(pools.keys()) for conn in pools[key].pool.queue if conn is not None]
    return all(is_connection_dropped(conn) for conn in waiting)


def _until(true):
    end = time.monotonic() + 2
    while not true() and time.monotonic() < end:
        threading.Event().wait(0.002)


def test_threads_share_one_transport_and_each_gets_its_own_answer(make):
    def echo(exchange):
        exchange.write(http(exchange.seen.body))

    with Loopback(echo) as gateway:
        transport, got = make(), {}

        def work(name):
            for turn in range(5):
                body = "{}-{}".format(name, turn).encode()
                got[body] = transport.send(Call("POST", gateway.url, body)).body

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(got) == 20 and all(sent == received for sent, received in got.items())
    assert gateway.connections <= 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_worker_does_not_share_its_parents_connection(make, monkeypatch):
    with Loopback(says(http(b"true"))) as gateway:
        transport = make()
        transport.send(Call("GET", gateway.url))
        before = transport._session
        monkeypatch.setattr(os, "getpid", lambda: -1)
        transport.send(Call("GET", gateway.url))
        assert transport._session is not before
        before.close()
    assert gateway.connections == 2


def test_reprs_of_call_and_answer_show_no_parameter_and_no_body():
    assert repr(Call("POST", "https://x.example/gateway.do?" + SECRET, b"body")) == "<Call POST>"
    assert repr(Answer(200, "text/xml", b"buyer")) == "<Answer 200, 5 bytes>"


# --- T-60 … T-63, T-65, T-67, T-69 … T-71 -----------------------------------------------------------------------

def test_T60_a_refused_connection_and_an_unknown_name_were_surely_not_sent(make, monkeypatch):
    refused = fault_of(make(), "http://127.0.0.1:{}/gateway.do".format(free_port()))
    assert (refused.kind, refused.sent, refused.host) == ("connect", False, "127.0.0.1")

    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    fault = fault_of(make(), "https://gateway.invalid/gateway.do")
    assert (fault.kind, fault.sent, fault.host) == ("dns", False, "gateway.invalid")


def test_T60_a_name_lookup_that_hangs_is_cut(make, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: release.wait(5) and [])
    start = time.monotonic()
    fault = fault_of(make(total=0.2), "https://gateway.invalid/gateway.do")
    release.set()
    assert (fault.kind, fault.sent) == ("dns", False) and time.monotonic() - start < 2


def test_T60_every_address_of_a_name_is_tried(make, monkeypatch):
    with Loopback(says(http(b"true"))) as gateway:
        dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", free_port()))
        live = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", gateway.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [dead, live])
        assert make().send(Call("GET", "http://localhost/gateway.do")).body == b"true"


@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200 OK\r\n", http(b"", length=9), http(b"tru", length=4)])
def test_T61_a_gateway_that_hangs_is_cut_after_the_read_time(make, after):
    with Loopback(hangs(after)) as gateway:
        start = time.monotonic()
        fault = fault_of(make(read=0.2), gateway.url)
        assert time.monotonic() - start < 2
    assert (fault.kind, fault.sent) == ("timeout", True)


def test_T61_an_answer_just_within_the_read_time_passes(make):
    def late(exchange):
        exchange.wait(0.1)
        exchange.write(http(b"true"))

    with Loopback(late) as gateway:
        assert make(read=0.8).send(Call("GET", gateway.url)).body == b"true"


def test_T61_a_gateway_that_reads_nothing_cannot_hold_up_the_sending(make):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    start = time.monotonic()
    with listener:
        with pytest.raises(TransportError) as caught:
            make(read=0.2, total=0.4).send(Call("POST", "http://127.0.0.1:%d/" % listener.getsockname()[1],
                                                b"x" * 20000000))
    assert caught.value.sent is True and time.monotonic() - start < 1.8


def test_T61_nor_on_a_connection_that_was_used_before(make):
    def answers_and_reads_no_more(exchange):
        exchange.write(http(b"true"))
        exchange.stopped.wait(5)

    with Loopback(answers_and_reads_no_more) as gateway:
        transport = make(connect=3, read=0.2, total=4)
        assert transport.send(Call("GET", gateway.url)).body == b"true"
        start = time.monotonic()
        with pytest.raises(TransportError) as caught:
            transport.send(Call("POST", gateway.url, b"x" * 20000000))
        assert caught.value.sent is True and time.monotonic() - start < 1.8


@pytest.mark.parametrize("status", [500, 201, 204, 400, 404, 502])
def test_T62_status_500_with_true_is_not_accepted(make, status):
    with Loopback(says(http(b"true", status)), says(http(b"true"))) as gateway:
        transport = make()
        fault = fault_of(transport, gateway.url)
        assert (fault.kind, fault.status, fault.sent) == ("status", status, True)
        assert transport.send(Call("GET", gateway.url)).body == b"true"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_T63_a_redirect_is_not_followed(make, status):
    with Loopback(says(http(b"true"))) as other:
        moved = says(http(b"moved", status, Location=other.url))
        with Loopback(moved, says(http(b"true"))) as gateway:
            transport = make()
            fault = fault_of(transport, gateway.url)
            assert (fault.kind, fault.status, fault.sent) == ("redirect", status, True)
            assert transport.send(Call("GET", gateway.url)).body == b"true"
    assert other.requests == []


def test_T63_the_body_of_a_redirect_is_not_read_either(make):
    squeezed = gzip.compress(b"\0" * (8 * CAP))
    bomb = http(squeezed, 302, Location="/elsewhere", Content_Encoding="gzip")
    with Loopback(says(bomb)) as gateway:
        start = time.monotonic()
        assert fault_of(make(), gateway.url).kind == "redirect"
        assert time.monotonic() - start < 2


def test_T65_a_body_shorter_than_its_content_length_is_not_an_answer(make):
    with Loopback(says(http(b"true", length=5), then_close=True), says(http(b"true", length=4))) as gateway:
        transport = make()
        fault = fault_of(transport, gateway.url)
        assert (fault.kind, fault.sent) == ("short", True)
        assert transport.send(Call("GET", gateway.url)).body == b"true"


def test_T65_a_chunked_body_without_its_end_is_not_an_answer(make):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Loopback(says(head + b"4\r\ntrue\r\n", then_close=True),
                  says(head + b"2\r\ntr\r\n2\r\nue\r\n0\r\n\r\n")) as gateway:
        transport = make()
        assert fault_of(transport, gateway.url).sent is True
        assert transport.send(Call("GET", gateway.url)).body == b"true"


GENUINE = http(b"<alipay><is_success>T</is_success></alipay>", Content_Type="text/xml")


@pytest.mark.parametrize("place", range(0, len(GENUINE), 7))
def test_T65_a_reset_at_any_byte_is_a_fault_after_sending(make, place):
    with Loopback(resets(GENUINE[:place]), says(GENUINE)) as gateway:
        transport = make()
        assert fault_of(transport, gateway.url).sent is True
        assert transport.send(Call("GET", gateway.url)).body.endswith(b"</alipay>")


@pytest.mark.parametrize("raw", [
    b"\x00\xff\xfe", b"HTTP/1.1 ten\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 4, 9\r\n\r\ntrue",
    b"HTTP/1.1 200 OK\r\nContent-Length: four\r\n\r\ntrue", b"SSH-2.0-OpenSSH\r\n", b"\r\n" * 300,
    b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"HTTP/1.1 200 OK\r\n" + b"x" * 70000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\ntrue", b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\ntrue\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\ntrue",
])
def test_T65_an_answer_that_is_not_http_is_a_fault(make, raw):
    with Loopback(says(raw, then_close=True)) as gateway:
        assert fault_of(make(), gateway.url).sent is True


@pytest.mark.parametrize("length", [0, None, False])
def test_T65_an_empty_answer_is_a_fault(make, length):
    with Loopback(says(http(b"", length=length), then_close=True)) as gateway:
        assert fault_of(make(), gateway.url).kind == "empty"


def test_T67_an_https_gateway_with_a_trusted_certificate_answers(make, certificates):
    authority, leaves = certificates
    with Loopback(says(http(b"true")), tls=leaves["here"]) as gateway:
        transport = make(ca_bundle=authority)
        assert transport.send(Call("GET", gateway.url)).body == b"true"
        assert transport.send(Call("GET", gateway.url)).body == b"true"
    assert gateway.connections == 1


def test_T67_a_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent(make, certificates):
    with Loopback(says(http(b"true")), tls=certificates[1]["here"]) as gateway:
        fault = fault_of(make(), gateway.url)
    assert (fault.kind, fault.sent, gateway.requests) == ("tls", False, [])


def test_T67_a_certificate_for_another_host_is_refused_before_anything_is_sent(make, certificates):
    authority, leaves = certificates
    with Loopback(says(http(b"true")), tls=leaves["elsewhere"]) as gateway:
        fault = fault_of(make(ca_bundle=authority), gateway.url)
    assert (fault.kind, fault.sent, gateway.requests) == ("tls", False, [])


@pytest.mark.parametrize("value", ["", "0", "false", "none"])
def test_T67_the_environment_cannot_switch_verification_off(make, certificates, monkeypatch, value):
    for name in ("CURL_CA_BUNDLE", "PYTHONHTTPSVERIFY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, value if name == "PYTHONHTTPSVERIFY" else "")
    with Loopback(says(http(b"true")), tls=certificates[1]["here"]) as gateway:
        assert fault_of(make(), gateway.url).kind == "tls"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", value or "/nowhere")
    with pytest.raises(ConfigurationError):
        make()


def test_T67_the_environments_ca_bundle_is_read_once_when_the_transport_is_made(make, certificates, monkeypatch):
    authority, leaves = certificates
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority)
    transport = make()
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with Loopback(says(http(b"true")), tls=leaves["here"]) as gateway:
        assert transport.send(Call("GET", gateway.url)).body == b"true"
        assert fault_of(make(), gateway.url).kind == "tls"


def test_T67_a_tls_handshake_that_hangs_is_cut(make, certificates):
    with Loopback(hangs()) as gateway:
        start = time.monotonic()
        fault = fault_of(make(connect=0.2), gateway.url.replace("http:", "https:"))
        assert time.monotonic() - start < 2
    assert fault.sent is False


@pytest.mark.parametrize("url", [
    "http://mapi.alipay.com/gateway.do", "http://notify.alipay.com/trade/notify_query.do", "http://10.0.0.1/",
    "http://127.0.0.1.example.com/", "http://localhost.example.com/", "http://[::2]/", "HTTP://mapi.alipay.com/",
    "ftp://localhost/", "file:///etc/passwd", "https://user:word@mapi.alipay.com/", "https://mapi.alipay.com@local/",
    "http://localhost\\@mapi.alipay.com/", "https:///gateway.do", "https://mapi.alipay.com/a b", "https://m\xe4pi/", "",
])
def test_T67_plain_http_to_another_machine_and_odd_urls_are_refused_before_connecting(make, monkeypatch, url):
    def no_socket(*args, **kwargs):
        raise AssertionError("a socket was opened")

    transport = make()
    monkeypatch.setattr(socket, "socket", no_socket)
    monkeypatch.setattr(socket, "getaddrinfo", no_socket)
    with pytest.raises(ConfigurationError):
        transport.send(Call("GET", url))


@responses.activate
def test_T67_plain_http_to_another_machine_needs_allow_http(make):
    responses.add(responses.GET, "http://gateway.test/gateway.do", body=b"true")
    assert make(allow_http=True).send(Call("GET", "http://gateway.test/gateway.do")).body == b"true"


def test_T69_a_proxy_is_taken_from_the_environment_once_and_never_for_this_machine(make, monkeypatch):
    with Loopback(says(http(b"from the proxy", 403), then_close=True)) as proxy:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:{}".format(proxy.port))
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:{}".format(proxy.port))
        monkeypatch.setenv("no_proxy", "direct.invalid")
        transport = make(allow_http=True)
        monkeypatch.delenv("https_proxy")
        fault = fault_of(transport, "https://gateway.invalid/gateway.do")
        assert (fault.kind, fault.sent) == ("proxy", False)
        assert [seen.method for seen in proxy.requests] == ["CONNECT"]
        with Loopback(says(http(b"true"))) as gateway:
            assert transport.send(Call("GET", gateway.url)).body == b"true"

        def unknown(*args, **kwargs):
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert fault_of(transport, "https://direct.invalid/").kind == "dns"
    assert len(proxy.requests) == 1


def test_T69_a_proxy_that_hangs_is_cut_and_a_socks_proxy_is_refused(make, monkeypatch):
    with Loopback(hangs(b"HTTP/1.1 200")) as proxy:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:{}".format(proxy.port))
        fault = fault_of(make(read=0.2), "https://gateway.invalid/")
        assert fault.sent is False
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(ConfigurationError):
        make().send(Call("GET", "https://gateway.invalid/"))


@pytest.mark.parametrize("raw", [GENUINE, http(b"true" * 50), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 + b"1\r\nt\r\n" * 50])
def test_T70_a_slow_drip_is_cut_when_the_whole_time_is_over(make, raw):
    with Loopback(drips(raw, every=0.05)) as gateway:
        start = time.monotonic()
        fault = fault_of(make(read=0.25, total=0.3), gateway.url)
        assert time.monotonic() - start < 2
    assert (fault.kind, fault.sent) == ("timeout", True)


def test_T70_a_slow_drip_over_tls_is_cut_too(make, certificates):
    authority, leaves = certificates
    with Loopback(drips(GENUINE, every=0.05), tls=leaves["here"]) as gateway:
        start = time.monotonic()
        fault = fault_of(make(read=0.25, total=0.3, ca_bundle=authority), gateway.url)
        assert time.monotonic() - start < 2
    assert (fault.kind, fault.sent) == ("timeout", True)


def test_T70_a_drip_that_ends_in_time_passes_and_the_next_call_has_its_own_time(make):
    with Loopback(drips(http(b"true"), every=0.002)) as gateway:
        transport = make(read=0.5, total=1.5)
        assert [transport.send(Call("GET", gateway.url)).body for _ in range(3)] == [b"true"] * 3


def test_T70_a_call_may_ask_for_less_time_than_the_transport_has(make):
    with Loopback(hangs()) as gateway:
        start = time.monotonic()
        fault = fault_of(make(), gateway.url, timeout=0.2)
        assert time.monotonic() - start < 2
    assert (fault.kind, fault.sent) == ("timeout", True)


def test_T70_an_answer_over_1_MiB_is_refused_and_one_of_1_MiB_is_read(make):
    with Loopback(says(http(b"x" * (CAP + 1))), says(http(b"x" * CAP))) as gateway:
        transport = make()
        assert fault_of(transport, gateway.url).kind == "too-large"
        assert len(transport.send(Call("GET", gateway.url)).body) == CAP


def test_T70_an_endless_answer_is_refused_at_the_cap(make):
    def endless(exchange):
        exchange.write(http(length=False))
        while exchange.keep:
            exchange.write(b"x" * 65536)

    with Loopback(endless) as gateway:
        assert fault_of(make(), gateway.url).kind == "too-large"


@pytest.mark.parametrize("size, fits", [(CAP + 1, False), (8 * CAP, False), (CAP, True)])
def test_T70_a_compressed_answer_is_measured_after_decompression(make, size, fits):
    squeezed = gzip.compress(b"\0" * size)
    with Loopback(says(http(squeezed, Content_Encoding="gzip"))) as gateway:
        if fits:
            assert make().send(Call("GET", gateway.url)).body == b"\0" * size
        else:
            assert fault_of(make(), gateway.url).kind == "too-large"


def test_T70_a_compressed_answer_takes_no_more_memory_than_the_cap(make):
    squeezed = gzip.compress(b"\0" * (32 * CAP))
    with Loopback(says(http(squeezed, Content_Encoding="gzip"))) as gateway:
        transport = make()
        tracemalloc.start()
        try:
            assert fault_of(transport, gateway.url).kind == "too-large"
            assert tracemalloc.get_traced_memory()[1] < 8 * CAP
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("body", [b"true", gzip.compress(b"true")[:-1], gzip.compress(b"true") + b"x",
                                  zlib.compress(b"true")])
def test_T70_a_damaged_compressed_answer_is_refused(make, body):
    with Loopback(says(http(body, Content_Encoding="gzip"))) as gateway:
        assert fault_of(make(), gateway.url).kind == "encoding"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_T71_a_status_of_trouble_is_a_fault_that_names_it(make, status):
    with Loopback(says(http(b"<html>busy</html>", status)), says(http(b"true"))) as gateway:
        transport = make()
        fault = fault_of(transport, gateway.url)
        assert str(status) in str(fault) and "busy" not in str(fault)
        assert transport.send(Call("GET", gateway.url)).body == b"true"


# --- logs, stand-ins, construction ------------------------------------------------------------------------------

def test_T100_the_http_library_logs_no_query(make, caplog):
    caplog.set_level(logging.DEBUG)
    with Loopback(says(http(b"true"))) as gateway:
        make().send(Call("GET", gateway.url + "?" + SECRET))
        fault_of(make(), "http://127.0.0.1:{}/gateway.do".format(free_port()))
    assert gateway.requests[0].target == "/gateway.do?" + SECRET
    assert "urllib3" in {record.name.split(".")[0] for record in caplog.records}
    assert "c2VjcmV0" not in caplog.text and "example.com" not in caplog.text


@pytest.mark.parametrize("stand_in, sent", [
    (requests.ConnectTimeout("no"), False), (requests.exceptions.SSLError("no"), False),
    (requests.exceptions.ProxyError("no"), False), (requests.ReadTimeout("no"), True),
    (requests.ConnectionError("no"), True), (RuntimeError(SECRET), True),
])
def test_T72_a_fault_whose_time_is_unknown_counts_as_sent(make, stand_in, sent):
    with responses.RequestsMock() as mock:
        mock.add(responses.GET, "https://gateway.test/gateway.do", body=stand_in)
        fault = fault_of(make(), "https://gateway.test/gateway.do")
    assert fault.sent is sent


def test_an_answer_of_responses_is_read_like_one_of_the_network(make):
    with responses.RequestsMock() as mock:
        mock.add(responses.POST, "https://gateway.test/gateway.do", body=b"<alipay/>", content_type="text/xml")
        answer = make().send(Call("POST", "https://gateway.test/gateway.do", b"a=b"))
        assert answer == Answer(200, "text/xml", b"<alipay/>") and mock.calls[0].request.body == b"a=b"


def test_cookies_of_the_gateway_are_not_sent_back(make):
    with Loopback(says(http(b"true", Set_Cookie="ALIPAYJSESSIONID=abc; Path=/"))) as gateway:
        transport = make()
        transport.send(Call("GET", gateway.url))
        transport.send(Call("GET", gateway.url))
    assert "cookie" not in gateway.requests[1].headers


@pytest.mark.parametrize("wrong", [dict(connect=0), dict(read=-1), dict(total=0), dict(pool=0),
                                   dict(ca_bundle="/nowhere/at/all.pem"), dict(ca_bundle=""), dict(ca_bundle=False)])
def test_settings_that_cannot_work_are_refused_when_the_transport_is_made(wrong):
    with pytest.raises(ConfigurationError):
        RequestsTransport(**wrong)


def test_T61_the_limits_are_the_promised_ones():
    """Connect 3 s, read 10 s, 15 s in all, 1 MiB; the tests above use shorter ones through the same arguments."""
    given = {name: parameter.default for name, parameter in inspect.signature(RequestsTransport).parameters.items()}
    assert (given["connect"], given["read"], given["total"]) == (3.0, 10.0, 15.0)
    assert CAP == 1024 * 1024
    import alipay_mapi
    assert inspect.signature(alipay_mapi.Client).parameters["budget"].default == 15.0


def test_T61_a_connection_that_is_not_answered_is_given_the_connect_limit(monkeypatch):
    """Hostile: the address swallows every packet. Genuine twin: the limit that the socket was given."""
    limits = []

    class Silent(socket.socket):
        def connect(self, address):
            limits.append(self.gettimeout())
            raise socket.timeout("timed out")
    monkeypatch.setattr(deadline.socket, "socket", Silent)
    transport = RequestsTransport(connect=0.25, read=5, total=10, allow_http=True)
    with pytest.raises(TransportError) as caught:
        transport.send(Call("GET", "http://127.0.0.1:9/gateway.do"))
    assert caught.value.sent is False and caught.value.kind == "connect"
    assert limits and all(0 < limit <= 0.25 for limit in limits)
