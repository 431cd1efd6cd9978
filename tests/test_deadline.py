"""One deadline for a whole exchange: the clock that the sockets of ``transport`` are given. See test_transport.py for
the same over real sockets."""
import socket
import threading

import pytest

from alipay_mapi import deadline


def test_what_is_left_shrinks_and_is_never_more_than_asked_for(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(deadline.time, "monotonic", lambda: now[0])
    exchange = deadline.Exchange()
    exchange.begin(15)
    assert exchange.left() == 15 and exchange.left(10) == 10
    now[0] += 12
    assert exchange.left(10) == 3
    now[0] += 3
    with pytest.raises(socket.timeout):
        exchange.left(10)


def test_a_new_exchange_forgets_the_last_one(monkeypatch):
    exchange = deadline.Exchange()
    exchange.begin(1)
    exchange.sent, exchange.query = True, "?a=1"
    exchange.begin(1)
    assert exchange.sent is None and exchange.query == ""


def test_each_thread_has_its_own_deadline():
    exchange, seen = deadline.Exchange(), []
    exchange.begin(1000)

    def other():
        exchange.begin(5)
        seen.append(exchange.left())
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen[0] <= 5 < 900 < exchange.left()
