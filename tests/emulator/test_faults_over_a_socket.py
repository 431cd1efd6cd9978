"""Every fault of an answer, by name and by seed, over a real socket: what a shop's client raises, and what was done."""
import pytest
from core_setup import KEYS

from alipay_mapi import Client, GatewayError, OutcomeUnknown, TransportError, client, errors
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.faults import ANSWER_FAULTS
from alipay_mapi.transport import RequestsTransport

pytest.importorskip("werkzeug", reason="the extra emulator")

REFUND = {"out_trade_no": "A1", "out_return_no": "R1", "return_amount": "1.00", "currency": "USD",
          "gmt_return": "2026-11-18 12:00:00"}
#: What a query raises.
OF_A_QUERY = {
    "slow": TransportError, "reset": TransportError, "half-answer": TransportError, "http-500": TransportError,
    "html-200": TransportError, "redirect": TransportError, "system-error": GatewayError,
    "trade-not-exist": GatewayError, "unsigned-paid": errors.ResponseSignatureMissing,
    "answer-tampered": errors.ResponseSignatureInvalid, "answer-forged": errors.ResponseSignatureInvalid,
    "answer-wrong-charset": errors.CharsetError,
}
#: What a refund can meet: its outcome is unknown, whatever it was. The others are about signed answers, or queries.
OF_A_WRITE = ("slow", "reset", "half-answer", "http-500", "html-200", "redirect", "system-error")


@pytest.fixture(params=["by name", "by seed"])
def armed(request, monkeypatch):
    """``armed(fault)``: (emulator, client) at a live server."""
    from alipay_mapi.emulator.server import Server
    monkeypatch.setattr(client, "_pause", lambda attempt, hosts: 0.0)
    open_ones = []

    def arm(fault):
        by_seed = {fault: 1.0} if request.param == "by seed" else {}
        emulator = Emulator(seed=1, keys=KEYS, rates=by_seed)
        transport = RequestsTransport(read=0.2, total=0.4)
        server = Server(emulator).start()
        open_ones.extend([server.stop, transport.close, emulator.close])
        emulator.place("A1")
        emulator.pay("A1")
        if not by_seed:
            emulator.fail(fault, times=9)
        return emulator, Client(emulator.shop(), transport=transport)
    yield arm
    for close in open_ones:
        close()


def test_every_fault_of_an_answer_is_tried_here():
    assert set(OF_A_QUERY) == set(ANSWER_FAULTS)


@pytest.mark.parametrize("fault", sorted(OF_A_QUERY))
def test_a_query_raises_the_right_class(armed, fault):
    emulator, shop = armed(fault)
    with pytest.raises(OF_A_QUERY[fault]) as caught:
        shop.single_trade_query(out_trade_no="A1")
    assert type(caught.value) is OF_A_QUERY[fault]
    assert emulator.requests()[-1].fault == fault
    emulator.clear_faults()
    assert shop.single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"


@pytest.mark.parametrize("fault", OF_A_WRITE)
def test_a_refund_was_done_and_nobody_can_know(armed, fault):
    emulator, shop = armed(fault)
    with pytest.raises(OutcomeUnknown):
        shop.forex_refund(**REFUND)
    assert [row["out_return_no"] for row in emulator.list_refunds()] == ["R1"]
