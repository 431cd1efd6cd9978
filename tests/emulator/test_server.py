"""The emulator on a real socket: keep-alive, faults, many clients, an end that is one, a state that survives."""
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest

pytest.importorskip("werkzeug")
pytest.importorskip("jinja2")
pytest.importorskip("segno")

import alipay_mapi as mapi
from alipay_mapi import Client, ConfigurationError, OutcomeUnknown, TransportError, client
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator import server as server_module
from alipay_mapi.emulator.notifier import Answered
from alipay_mapi.emulator.server import Server
from alipay_mapi.transport import RequestsTransport

REFUND = {"out_trade_no": "A1", "out_return_no": "R1", "return_amount": "1.00", "currency": "USD",
          "gmt_return": "2026-11-18 12:00:00"}


@pytest.fixture
def emulator():
    with Emulator(seed=1) as one:
        one.place("A1")
        one.pay("A1")
        yield one


@pytest.fixture
def server(emulator):
    with Server(emulator) as one:
        yield one


@pytest.fixture
def shop(emulator, server, monkeypatch):
    monkeypatch.setattr(client, "_pause", lambda attempt, hosts: 0.0)
    transport = RequestsTransport(read=2.0)
    yield Client(emulator.shop(), transport=transport)
    transport.close()


def query_path(emulator, out_trade_no="A1"):
    url = mapi.build_request(emulator.shop(), "single_trade_query", {"out_trade_no": out_trade_no}).url
    return url[len(emulator.base_url):]


def connected(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def exchanged(server, data):
    """All that the server sends until it closes."""
    with connected(server) as connection:
        connection.sendall(data)
        answer = b""
        while True:
            part = connection.recv(65536)
            if not part:
                return answer
            answer += part


def ours():
    return [thread for thread in threading.enumerate() if thread.name.startswith("alipay_mapi")]


# --- HTTP -------------------------------------------------------------------------------------------------------------

def test_the_emulators_addresses_are_the_servers(emulator, server):
    assert server.url == "http://127.0.0.1:{}".format(server.port)
    assert emulator.gateway_url == server.url + "/gateway.do"


def test_a_client_asks_and_the_answer_verifies(shop):
    assert shop.single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"


def test_one_connection_carries_many_requests_with_and_without_a_body(emulator, server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    sockets = set()
    for method, path, body in (("GET", query_path(emulator), None), ("POST", "/_emulator/advance", b'{"seconds": 1}'),
                               ("POST", "/_emulator/nothing", b"not read by anybody"), ("HEAD", "/", None),
                               ("GET", query_path(emulator), None)):
        connection.request(method, path, body)
        answer = connection.getresponse()
        answer.read()
        sockets.add(connection.sock.getsockname())
        assert answer.version == 11 and answer.getheader("Connection") is None
        assert answer.getheader("Server").startswith("alipay_mapi-emulator/")
    assert len(sockets) == 1
    connection.close()


class Counted:
    """A connection that remembers what was written at once."""

    def __init__(self, connection, writes):
        self._connection, self._writes = connection, writes

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def sendall(self, data):
        self._writes.append(bytes(data))
        self._connection.sendall(data)


def test_head_and_body_leave_in_one_piece_without_delay(emulator, server, monkeypatch):
    """Two would meet delayed acknowledgement: 40 ms for each answer."""
    writes, finish = [], server._server.finish_request
    delays = []

    def counted(connection, address):
        finish(Counted(connection, writes), address)
        delays.append(connection.fileno() == -1 or connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(server._server, "finish_request", counted)
    with connected(server) as connection:
        for _ in range(3):
            connection.sendall("GET {} HTTP/1.1\r\nHost: x\r\n\r\n".format(query_path(emulator)).encode())
            while not connection.recv(65536).rstrip().endswith(b"</alipay>"):
                pass
    server.stop()
    assert [(one[:13], one.rstrip()[-9:]) for one in writes] == [(b"HTTP/1.1 200 ", b"</alipay>")] * 3
    assert all(delays)


def test_requests_that_come_together_are_answered_one_after_the_other(server):
    one = b"GET /_emulator/now HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    assert exchanged(server, one + b"\r\n" + one + b"Connection: close\r\n\r\n").count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("head, kept", [
    ("HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive", b"Connection: keep-alive"),
    ("HTTP/1.0\r\nHost: 127.0.0.1", b"Connection: close"),
    ("HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close", b"Connection: close"),
])
def test_the_client_says_whether_the_connection_is_kept(server, head, kept):
    with connected(server) as connection:
        connection.sendall("GET /_emulator/now {}\r\n\r\n".format(head).encode())
        assert kept in connection.recv(65536)


def test_a_body_in_chunks_is_read(server):
    answer = exchanged(server, b"POST /_emulator/advance HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
                               b"Connection: close\r\n\r\n9\r\n{\"seconds\r\n5\r\n\": 1}\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK") and b'"deliveries"' in answer


def test_a_client_that_waits_for_leave_gets_it(server):
    with connected(server) as connection:
        connection.sendall(b"POST /_emulator/advance HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 14\r\n"
                           b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b'{"seconds": 1}')
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("data, status", [
    (b"nonsense\r\n\r\n", b"400"),
    (b"GET / HTTP/9\r\n\r\n", b"400"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", b"400"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"400"),
    (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", b"414"),
], ids=["nonsense", "version", "negative", "huge", "chunk", "two lengths", "coding", "uri"])
def test_what_is_no_request_is_refused_and_the_connection_closed(server, data, status):
    answer = exchanged(server, data)
    assert answer.split(b" ")[1] == status or answer.startswith(b"<!DOCTYPE") and b"400" in answer


@pytest.mark.parametrize("cut", [b"Content-Length: 10\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\nffff\r\n{}"])
def test_a_client_that_goes_in_the_middle_of_its_body_harms_nobody(emulator, server, shop, cut):
    with connected(server) as connection:
        connection.sendall(b"POST /_emulator/reset HTTP/1.1\r\nHost: 127.0.0.1\r\n" + cut)
    assert shop.single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"
    assert emulator.trade("A1")["trade_status"] == "TRADE_FINISHED"


def test_a_failure_of_the_emulator_is_a_500_and_the_next_request_is_answered(emulator, server, monkeypatch, caplog):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    with monkeypatch.context() as patch:
        patch.setattr(emulator, "answer", lambda incoming: 1 // 0)
        connection.request("GET", query_path(emulator))
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (500, b"the emulator failed; see its log\n")
    assert "ZeroDivisionError" in caplog.text
    connection.request("GET", query_path(emulator))
    assert connection.getresponse().status == 200
    connection.close()


def test_sixty_four_clients_at_once_are_all_answered(emulator, server):
    path, wrong, together = query_path(emulator), [], threading.Barrier(64)

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            connection.connect()
            together.wait(30)
            for _ in range(3):
                connection.request("GET", path)
                body = connection.getresponse().read()
                if b"<is_success>T</is_success>" not in body or b"TRADE_FINISHED" not in body:
                    wrong.append(body)
        except Exception as err:
            wrong.append(err)
        finally:
            connection.close()

    clients = [threading.Thread(target=ask) for _ in range(64)]
    for one in clients:
        one.start()
    for one in clients:
        one.join(60)
    assert wrong == []


# --- faults -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, told", [("reset", "broke"), ("half-answer", "shorter")])
def test_a_broken_answer_to_a_query_is_a_transport_error(emulator, shop, name, told):
    emulator.fail(name, times=5)
    with pytest.raises(TransportError) as caught:
        shop.single_trade_query(out_trade_no="A1")
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["reset", "half-answer"])
@pytest.mark.parametrize("done", [True, False])
def test_a_broken_answer_to_a_refund_leaves_the_outcome_unknown(emulator, shop, name, done):
    emulator.fail(name, done=done)
    with pytest.raises(OutcomeUnknown):
        shop.forex_refund(**REFUND)
    assert [row["out_return_no"] for row in emulator.list_refunds()] == (["R1"] if done else [])


def test_an_answer_that_is_slower_than_the_client_waits_is_no_answer(emulator, server):
    transport = RequestsTransport(read=0.2, total=0.3)
    emulator.fail("slow", seconds=30)
    with pytest.raises(OutcomeUnknown):
        Client(emulator.shop(), transport=transport).forex_refund(**REFUND)
    transport.close()


def test_a_slow_answer_comes_in_the_end(emulator, shop):
    emulator.fail("slow", seconds=0.2)
    started = time.monotonic()
    assert shop.single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"
    assert time.monotonic() - started >= 0.2


def broken_answer(emulator, server, name):
    """(Content-Length, what came of the body, how it ended)."""
    emulator.fail(name)
    with connected(server) as connection:
        connection.sendall("GET {} HTTP/1.1\r\nHost: x\r\n\r\n".format(query_path(emulator)).encode())
        answer, end = b"", "closed"
        try:
            part = connection.recv(65536)
            while part:
                answer += part
                part = connection.recv(65536)
        except ConnectionResetError:
            end = "reset"
    head, _, body = answer.partition(b"\r\n\r\n")
    length = [int(line.split()[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")]
    return length, body, end


def test_half_an_answer_is_half_of_it_and_an_orderly_end(emulator, server):
    (length,), body, end = broken_answer(emulator, server, "half-answer")
    assert len(body) == length // 2 and end == "closed"


def test_a_reset_is_a_reset(emulator, server):
    _, body, end = broken_answer(emulator, server, "reset")
    assert end == "reset" and b"</alipay>" not in body


def test_no_fault_prints_anything(emulator, server, capfd):
    for name in ("reset", "half-answer"):
        broken_answer(emulator, server, name)
    emulator.fail("slow", seconds=30)
    with connected(server) as connection:
        connection.sendall("GET {} HTTP/1.1\r\nHost: x\r\n\r\n".format(query_path(emulator)).encode())
    server.stop()
    assert capfd.readouterr() == ("", "")


# --- the end ----------------------------------------------------------------------------------------------------------

def test_stop_ends_every_thread_idle_connections_and_slow_answers_included(emulator):
    server = Server(emulator).start()
    idle = [connected(server) for _ in range(5)]
    for connection in idle:
        connection.sendall(b"GET /_emulator/now HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    emulator.fail("slow", seconds=60)
    idle[0].sendall("GET {} HTTP/1.1\r\nHost: x\r\n\r\n".format(query_path(emulator)).encode())
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 1.5
    assert ours() == []
    for connection in idle:
        assert connection.recv(65536) == b""
        connection.close()
    with pytest.raises(OSError):
        connected(server)
    server.stop()       # a second time is no harm


def test_an_idle_connection_is_closed_after_a_while(emulator, monkeypatch):
    monkeypatch.setattr(server_module._Handler, "timeout", 0.1)
    with Server(emulator) as server, connected(server) as connection:
        connection.sendall(b"GET /_emulator/now HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert connection.recv(65536) == b""


def test_a_server_that_was_never_started_can_be_stopped(emulator):
    server = Server(emulator)
    server.stop()
    assert ours() == []


def test_a_port_that_is_taken_is_named_with_the_cure(emulator, server):
    with pytest.raises(ConfigurationError, match="port: {} is taken .* give another, or 0".format(server.port)):
        Server(emulator, port=server.port)
    assert len(ours()) == 2


def test_the_port_is_free_again_after_the_end(emulator):
    with Server(emulator) as one:
        port = one.port
    with Server(emulator, port=port) as one:
        assert one.port == port


@pytest.mark.parametrize("host, port, told", [
    ("0.0.0.0", 0, "host: 0.0.0.0 can be reached from other machines"),
    ("192.0.2.1", 0, "host: "),
    ("127.0.0.1", 70000, "port: a number from 0 to 65535"),
    ("127.0.0.1", "80", "port: a number"),
])
def test_addresses_that_cannot_be_meant_are_refused(emulator, host, port, told):
    with pytest.raises(ConfigurationError, match=told):
        Server(emulator, host, port)


def test_an_address_of_no_interface_is_refused(emulator):
    with pytest.raises(ConfigurationError, match="host: 192.0.2.1 is no address of this machine"):
        Server(emulator, "192.0.2.1", any_host=True)


def test_every_address_on_purpose_has_a_url_that_others_can_use(emulator):
    with Server(emulator, "0.0.0.0", any_host=True) as server:
        assert urlsplit(server.url).hostname not in ("0.0.0.0", None)


def test_ipv6_has_brackets(emulator):
    try:
        with Server(emulator, "::1") as server:
            assert server.url == "http://[::1]:{}".format(server.port)
            connection = http.client.HTTPConnection("::1", server.port, timeout=5)
            connection.request("GET", "/_emulator/now")
            assert connection.getresponse().status == 200
            connection.close()
    except ConfigurationError:
        pytest.skip("this machine has no IPv6")


# --- notifications ----------------------------------------------------------------------------------------------------

def with_sender(sender, **options):
    return Emulator(seed=1, notify_url="https://shop.example.com/notify", sender=sender, **options)


def test_notifications_are_sent_when_they_are_due_and_no_earlier():
    sent, came = [], threading.Semaphore(0)

    def sender(delivery):
        sent.append(delivery.out_trade_no)
        came.release()
        return Answered(200, "fail" if len(sent) == 1 else "success")

    with with_sender(sender, frozen=True) as emulator, Server(emulator):
        emulator.place("A1")
        emulator.pay("A1")
        assert came.acquire(timeout=10)         # at once; the next is due two minutes later
        until = time.monotonic() + 10
        while emulator.list_notifications()[0]["state"] != "queued" and time.monotonic() < until:
            pass
        assert not came.acquire(timeout=0.3)
        emulator.clock.move(121)
        assert came.acquire(timeout=10)
    assert sent == ["A1", "A1"]


def test_a_fast_clock_brings_the_repetitions_fast():
    came = threading.Semaphore(0)
    with with_sender(lambda delivery: came.release() or Answered(500, "")) as emulator, Server(emulator):
        emulator.place("A1")
        emulator.pay("A1")
        emulator.resume(1000000)
        assert all(came.acquire(timeout=10) for _ in range(8))


def test_the_thread_that_sends_survives_what_a_sender_raises():
    came = threading.Semaphore(0)

    def sender(delivery):
        came.release()
        raise RuntimeError(delivery.out_trade_no)

    with with_sender(sender) as emulator, Server(emulator):
        for number in ("A1", "A2"):
            emulator.place(number)
            emulator.pay(number)
            assert came.acquire(timeout=10)
        assert [thread.name for thread in ours() if "ticker" in thread.name] == ["alipay_mapi ticker"]


def test_a_recording_is_played_back_on_a_running_server_and_the_clock_sends_nothing_by_itself(server):
    came = threading.Event()

    def call(port, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request(method, path, body)
        answer = connection.getresponse().read()
        connection.close()
        return answer

    def shop(delivery):
        came.set()
        return Answered(200, "success")

    with with_sender(shop) as emulator, Server(emulator) as first:
        call(first.port, "POST", "/_emulator/record/start")
        call(first.port, "POST", "/_emulator/trades", b'{"out_trade_no": "A1"}')
        call(first.port, "GET", query_path(emulator))
        call(first.port, "POST", "/_emulator/trades/A1/pay")
        assert came.wait(10)
        until = time.monotonic() + 10
        while emulator.list_notifications()[0]["state"] != "acknowledged" and time.monotonic() < until:
            pass
        call(first.port, "GET", query_path(emulator))
        call(first.port, "POST", "/_emulator/record/stop")
        lines = call(first.port, "GET", "/_emulator/record")
    came.clear()
    with with_sender(shop) as emulator, Server(emulator) as second:
        told = json.loads(call(second.port, "POST", "/_emulator/replay", lines).decode())["replay"]
        assert (told["requests"], told["notifications"], told["differences"]) == (2, 1, [])
        assert emulator.list_notifications()[0]["state"] == "acknowledged"
    assert not came.is_set()


# --- state ------------------------------------------------------------------------------------------------------------

_SERVE = """
import sys, time
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator import server as server_module
from alipay_mapi.emulator.server import Server
with Emulator(sys.argv[1], seed=1) as emulator, Server(emulator) as server:
    sys.stdout.write(server.url + "\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


def started(state, checkout):
    process = subprocess.Popen([sys.executable, "-c", _SERVE, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               env=dict(os.environ, PYTHONPATH=str(checkout)))
    return process, urlsplit(process.stdout.readline().decode().strip())


def test_what_was_answered_survives_a_kill_in_the_middle_of_traffic(tmp_path, checkout):
    state = str(tmp_path / "gateway.db")
    process, url = started(state, checkout)
    answered, enough = [], threading.Event()

    def traffic(name):
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        try:
            for number in range(100000):
                order = "{}-{}".format(name, number)
                for path, body in (("", {"out_trade_no": order}), ("/{}/pay".format(order), {})):
                    connection.request("POST", "/_emulator/trades" + path, json.dumps(body))
                    status = json.loads(connection.getresponse().read().decode())["trade"]["trade_status"]
                    answered.append((order, status))
                if len(answered) > 60:
                    enough.set()
        except (OSError, http.client.HTTPException, ValueError):
            pass        # killed
        finally:
            connection.close()

    clients = [threading.Thread(target=traffic, args=("T{}".format(number),)) for number in range(4)]
    for one in clients:
        one.start()
    assert enough.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    for one in clients:
        one.join(30)
    process.communicate()
    with sqlite3.connect(state) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    process, url = started(state, checkout)
    try:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        lost = []
        for order, status in dict(answered).items():
            connection.request("GET", "/_emulator/trades/" + order)
            found = json.loads(connection.getresponse().read().decode())["trade"]["trade_status"]
            if found != status and status != "NO_TRADE":
                lost.append((order, status, found))
        connection.close()
        assert lost == [] and len(answered) > 60
    finally:
        process.communicate(b"")
    assert process.returncode == 0


