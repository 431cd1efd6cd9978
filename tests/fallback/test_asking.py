"""The question about a claimed order: one, and whatever happens to it is a finding."""
import pytest

import alipay_mapi as mapi
from alipay_mapi.backend import backends_of
from alipay_mapi.errors import AlipayError
from alipay_mapi.fallback import refunding
from alipay_mapi.fallback.asking import ask, sends
from alipay_mapi.fallback.rows import Row

from fallback_setup import Asked, START, accepted, answer, refusal

REFUND = refunding.Refund("R1", "4.00", "20260301120000", "", START)


def row(refunds="", price="10.00||USD", number="A1"):
    return Row(1, "shop", number, price, "", refunds, "open", START, START + 43200, START, START, 1, "", "w#1", "mapi")


def of(client):
    return backends_of("shop", client)


def with_refund(**changes):
    return row(refunding.to_text((REFUND._replace(**changes),)))


def test_an_order_is_queried_by_its_own_number():
    client = Asked()
    found = ask(of(client), row())
    assert found.query["trade_status"] == "TRADE_FINISHED" and found.refund is None and found.about == ""
    assert [number for _, number in client.log] == ["A1"]


@pytest.mark.parametrize("status, query, refund", [
    ("asked", 1, 0), ("ready", 0, 1), ("unknown", 1, 0), ("accepted", 1, 0), ("done", 1, 0), ("refused", 1, 0),
    ("gave_up", 1, 0)])
def test_a_refund_is_looked_for_or_sent_and_never_both_in_one_turn(status, query, refund):
    client = Asked(refunds=accepted)
    found = ask(of(client), with_refund(status=status, before="0.00"))
    assert (len(client.log), len(client.refund_log)) == (query, refund)
    assert sends(with_refund(status=status)) is (refund == 1)
    assert found.about == ("R1" if status in refunding.OPEN else "")


def test_a_refund_is_sent_as_it_was_written_down():
    client = Asked(refunds=accepted)
    ask(of(client), with_refund(status="ready", before="0.00", reason="broken"))
    assert client.refund_log[0][1] == {
        "out_return_no": "R1", "out_trade_no": "A1", "currency": "USD", "gmt_return": "20260301120000",
        "reason": "broken", "is_sync": "Y", "return_amount": "4.00"}
    ask(of(client), with_refund(status="ready")._replace(price="|71.00|USD"))
    assert client.refund_log[1][1]["return_rmb_amount"] == "4.00" and "return_amount" not in client.refund_log[1][1]


def test_the_first_open_refund_is_worked_on():
    both = row(refunding.to_text((REFUND._replace(status="done"), REFUND._replace(out_return_no="R2", status="ready"),
                                  REFUND._replace(out_return_no="R3"))))
    client = Asked(refunds=accepted)
    assert ask(of(client), both).about == "R2" and client.refund_log[0][1]["out_return_no"] == "R2"


def test_the_gateway_that_made_the_order_is_asked_and_no_other():
    client = Asked()
    found = ask(of(client), row()._replace(gateway="ams"))
    assert type(found.query) is mapi.ConfigurationError and "ams" in str(found.query) and not client.log


class Odd(BaseException):
    pass


@pytest.mark.parametrize("raised", [refusal(), ValueError("canary@mail.test"), KeyError("canary"), RecursionError(),
                                    SystemExit("canary"), Odd("canary")],
                         ids=lambda raised: type(raised).__name__)
def test_whatever_a_client_raises_is_a_finding_and_only_our_own_text_is_kept(raised):
    query = ask(of(Asked(lambda number: raised)), row()).query
    refund = ask(of(Asked(refunds=lambda arguments: raised)), with_refund(status="ready")).refund
    for error in (query, refund):
        assert isinstance(error, AlipayError) and "canary" not in str(error)
        assert error is raised or type(raised).__name__ in str(error)
        assert error is raised or (error.__context__ is None and error.__cause__ is None)


@pytest.mark.parametrize("broken", [
    row("not json"), row("[]"), row("{}"), row("[[1]]"), row('[["R1"]]'), row("5"), row("[5]"), row("\x00"),
    with_refund(status="ready")._replace(price="no price"), with_refund(status="ready")._replace(price=""),
    with_refund(status="ready", amount="lots"), with_refund(status="ready", gmt_return="never"),
    with_refund(status="ready", amount=None), with_refund(status="ready")._replace(price="10.00||CNY"),
], ids=str)
def test_what_cannot_be_read_is_a_finding_and_sends_nothing(broken):
    client = Asked(refunds=accepted)
    found = ask(of(client), broken)
    assert isinstance(found.query or found.refund, AlipayError) and not client.refund_log
    assert sends(broken) in (True, False)


def test_an_answer_that_is_no_answer_is_handed_on_for_the_decision():
    waits = ask(of(Asked(lambda number: answer(number, "WAIT_BUYER_PAY"))), row()).query
    assert waits["trade_status"] == "WAIT_BUYER_PAY"
    assert isinstance(ask(of(Asked(lambda number: mapi.TransportError("x"))), row()).query, mapi.TransportError)
