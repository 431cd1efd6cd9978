"""The body of a request on its connection: where it ends, and what is not taken for one."""
import io
import socket
from email.message import Message

import pytest

from alipay_mapi.emulator.request_body import LONGEST, Unreadable, read

CHUNKED = ("Transfer-Encoding", "chunked")


def body_of(sent, *headers):
    """(body, what is left on the connection)."""
    given = Message()
    for name, value in headers:
        given[name] = value
    stream = io.BytesIO(sent)
    return read(given, stream), stream.read()


@pytest.mark.parametrize("sent, headers, body", [
    (b"", [], b""),
    (b"a=1", [("Content-Length", "3")], b"a=1"),
    (b"a=1", [("Content-Length", "3"), ("Content-Length", " 3")], b"a=1"),
    (b"0\r\n\r\n", [CHUNKED], b""),
    (b"2\r\na=\r\n1\r\n1\r\n0\r\n\r\n", [CHUNKED], b"a=1"),
    (b"A\r\n0123456789\r\n0\r\n\r\n", [("Transfer-Encoding", " Chunked")], b"0123456789"),
    (b"3 ; name=\"value\"\r\na=1\r\n000\r\nLater: header\r\nAnd: another\r\n\r\n", [CHUNKED], b"a=1"),
    (b"3\na=1\n0\n\n", [CHUNKED], b"a=1"),
])
def test_a_body_ends_where_the_request_says_and_the_next_request_is_left(sent, headers, body):
    assert body_of(sent + b"GET / HTTP/1.1", *headers) == (body, b"GET / HTTP/1.1")


@pytest.mark.parametrize("headers", [
    [("Content-Length", "3"), ("Content-Length", "30")], [("Content-Length", "3, 3")], [("Content-Length", "-3")],
    [("Content-Length", "+3")], [("Content-Length", "1_0")], [("Content-Length", "\u0663")],
    [("Content-Length", "3"), CHUNKED], [CHUNKED, CHUNKED], [("Transfer-Encoding", "gzip, chunked")],
    [("Transfer-Encoding", "identity")], [("Transfer-Encoding", "")],
])
def test_a_body_whose_end_could_be_seen_in_two_ways_is_refused(headers):
    with pytest.raises(Unreadable) as caught:
        body_of(b"3\r\na=1\r\n0\r\n\r\n", *headers)
    assert caught.value.status == 400


@pytest.mark.parametrize("sent", [
    b"-3\r\na=1\r\n", b"0x3\r\na=1\r\n", b"+3\r\na=1\r\n", b"1_0\r\n0123456789abcdef\r\n", b"\r\na=1\r\n", b"xyz\r\n",
    b"3\r\na=12\r\n0\r\n\r\n", b"f" * 16 + b"\r\n", b"3" + b" " * 9000 + b"\r\na=1\r\n",
    b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n", b"3\ra=1",
])
def test_a_damaged_chunk_is_refused(sent):
    with pytest.raises(Unreadable) as caught:
        body_of(sent, CHUNKED)
    assert caught.value.status == 400


@pytest.mark.parametrize("sent, header", [
    (b"", ("Content-Length", str(LONGEST + 1))), ("{:x}\r\n".format(LONGEST + 1).encode("ascii"), CHUNKED)])
def test_what_is_longer_than_any_body_is_refused_before_it_is_read(sent, header):
    with pytest.raises(Unreadable) as caught:
        body_of(sent, header)
    assert caught.value.status == 413


@pytest.mark.parametrize("sent, header", [
    (b"a=", ("Content-Length", "3")), (b"", CHUNKED), (b"3\r\na=", CHUNKED), (b"3\r\na=1", CHUNKED),
    (b"3\r\na=1\r\n", CHUNKED), (b"0\r\nA: b\r\n", CHUNKED)])
def test_a_body_that_is_cut_is_no_body(sent, header):
    with pytest.raises(ConnectionError):
        body_of(sent, header)


def test_a_client_that_goes_within_a_chunk_shows_the_server_nothing_but_its_own_bytes():
    """Werkzeug's reader handed out what stood in memory behind such a chunk, or ended the process."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"ffffff\r\na=1")
        theirs.shutdown(socket.SHUT_WR)
        given = Message()
        given["Transfer-Encoding"] = "chunked"
        with ours.makefile("rb") as stream, pytest.raises(ConnectionError):
            read(given, stream)
