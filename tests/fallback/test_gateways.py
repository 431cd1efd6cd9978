"""Orders on two gateways in one store: each is asked about where it was made, refunded there, and settled by that
gateway's word alone. Both gateways are real back ends over a script, see ``gateways_under_test``.
"""
import json

import pytest

from alipay_mapi import Order
from alipay_mapi.errors import ConfigurationError, InvalidRequest, NotConfirmed, OutcomeUnknown, WatchConflict
from alipay_mapi.fallback import Fallback, refunding
from alipay_mapi.fallback.runner import GATEWAY_DOWN
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.migration.reading import refund_facts, trade_facts
from alipay_mapi.migration.shadow import ShadowBackend
from alipay_mapi.response import Response
from fallback_setup import PLAIN, Clock, note, refund_note
from gateways_under_test import OnAms, OnMapi, content_of, time_out
from migration_samples import dumped, notification_headers, result

SERVICE, PATH = "create_forex_trade", "/alipay/notify/shop/"


def order(number="A1"):
    return Order(number, total_fee="8.00", currency="USD")


class Desk:
    """A shop on both gateways; ``done``: (kind, detail, number) of what was carried out."""

    def __init__(self, **more):
        self.clock, self.mapi, self.ams, self.done = Clock(), OnMapi(), OnAms(), []
        self.store = SQLiteStore(":memory:", clock=self.clock)
        self.backends = {"mapi": self.mapi.backend(), "ams": self.ams.backend()}
        self.fallback = Fallback(self.store, {"shop": self.backends}, self.carry_out, **dict(
            {"schedule": PLAIN, "per_second": None, "refunds_apart": None}, **more))

    def carry_out(self, effect):
        self.done.append((effect.kind, effect.detail, effect.out_trade_no))

    def watch(self, number="A1", gateway="ams"):
        self.fallback.watch("shop", order(number), first_in=0, gateway=gateway)

    def run(self, later=0.0, workers=0, **more):
        self.clock.now += later
        return self.fallback.run(workers=workers, **more)

    def row(self, number="A1"):
        return self.store.get("shop", number)

    def refund(self, number="A1"):
        """The only refund of an order, as it stands."""
        one, = refunding.from_text(self.row(number).refunds)
        return one

    def asked(self, stage):
        return [call for call in stage.calls if call != "pay"]

    def close(self):
        self.store.close()


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.close()


# --- each where it was made -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("workers", [0, 4])
def test_a_run_asks_each_order_of_its_own_gateway(desk, workers):
    for number in ("A1", "A3"):
        desk.watch(number, "mapi")
    for number in ("A2", "A4"):
        desk.watch(number, "ams")
    desk.mapi.are_at({"A1": "paid", "A3": "waiting"})
    desk.ams.are_at({"A2": "paid", "A4": "closed"})
    tally = desk.run(workers=workers)
    assert sorted(map(desk.mapi.number_of, desk.mapi.sent)) == ["A1", "A3"]
    assert sorted(map(desk.ams.number_of, desk.ams.sent)) == ["A2", "A4"]
    assert sorted(desk.done) == [("closed", "", "A4"), ("paid", "", "A1"), ("paid", "", "A2")]
    assert (tally.asked, tally.outcomes, tally.errors) == (4, {"paid": 2, "open": 1, "closed": 1}, {})


def test_the_same_number_watched_again_on_another_gateway_is_refused(desk):
    desk.watch("A1", "ams")
    with pytest.raises(WatchConflict):
        desk.watch("A1", "mapi")
    assert desk.row().gateway == "ams"


@pytest.mark.parametrize("gateway", ["openapi", "paypal", "", None])
def test_a_gateway_that_the_shop_has_no_client_for_takes_no_order(desk, gateway):
    if gateway is None:
        assert desk.fallback.watched("shop", order(), gateway="ams").gateway == "ams"
        return
    with pytest.raises(ConfigurationError, match="gateway"):
        desk.watch("A1", gateway)
    assert desk.row() is None


def test_an_order_whose_client_was_taken_away_is_not_asked_about_elsewhere(desk):
    desk.watch("A1", "ams")
    alone = Fallback(desk.store, {"shop": desk.mapi.backend()}, schedule=PLAIN)
    tally = alone.run(workers=0)
    assert desk.mapi.calls == [] and tally.errors == {"ConfigurationError": 1}
    assert desk.row().outcome == "open" and "ams" in desk.row().last_error
    desk.run(later=86400)
    assert desk.done == [("paid", "", "A1")]


def test_an_order_that_ams_does_not_know_expires_as_on_mapi(desk):
    desk.watch()
    desk.ams.is_at("not_there")
    desk.run(later=100)
    assert desk.row().outcome == "open"
    for _ in range(60):
        desk.run(later=3600)
    assert desk.row().outcome == "expired" and desk.done == [("closed", "", "A1")]


def test_a_refusal_that_ams_has_not_signed_expires_no_order(desk):
    """Hostile: an unsigned no in MAPI's own word for an order that is not there."""
    desk.watch()
    desk.ams.says["query"] = desk.ams.unsigned("inquiryPayment", result("F", "TRADE_NOT_EXIST"))
    for _ in range(60):
        desk.run(later=3600)
    assert desk.row().outcome == "gave_up" and [kind for kind, _, _ in desk.done] == ["needs_a_person"]
    desk.ams.is_at("paid")
    desk.fallback.retry("shop", "A1")
    desk.run()
    assert desk.done[1:] == [("paid", "", "A1")]


def test_another_amount_calls_a_person_at_once_and_pays_nothing(desk):
    desk.watch()
    desk.ams.is_at("wrong_amount")
    desk.run()
    assert desk.done == [("needs_a_person", "AmountMismatch", "A1")] and desk.row().outcome == "needs_a_person"


def test_a_dry_run_sends_nothing_and_asks_the_right_one(desk):
    desk.watch("A1", "mapi")
    desk.watch("A2", "ams")
    desk.mapi.is_at("paid", order("A1"))
    desk.ams.are_at({"A2": "paid"})
    assert [(row.out_trade_no, decision.outcome) for row, decision in desk.fallback.dry_run()] == [
        ("A1", "paid"), ("A2", "paid")]
    assert desk.row().outcome == "open" and desk.done == []


def test_a_shadow_is_asked_beside_and_settles_nothing(desk):
    told = []
    shadow = ShadowBackend(desk.backends["mapi"], desk.backends["ams"], told.append, beside=lambda work: work())
    fallback = Fallback(desk.store, {"shop": {"mapi": shadow}}, desk.carry_out, schedule=PLAIN)
    desk.watch("A1", "mapi")
    desk.mapi.is_at("waiting")
    fallback.run(workers=0)
    assert desk.row().outcome == "open" and desk.done == []
    assert told[0].differences[0] == ("state", "WAIT_BUYER_PAY", "paid")


# --- one of them is down ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("workers", [0, 3])
def test_a_gateway_that_is_down_holds_up_none_of_the_others_orders(desk, workers):
    """The old gateway is dead, its orders are the oldest, and those of the new one are all settled."""
    for at in range(30):
        desk.watch("OLD{}".format(at), "mapi")
    desk.clock.now += 1
    for at in range(10):
        desk.watch("NEW{}".format(at), "ams")
    desk.clock.now += 1
    desk.mapi.says["query"] = time_out(False)
    desk.ams.are_at({"NEW{}".format(at): "paid" for at in range(10)})
    tally = desk.run(workers=workers)
    assert sorted(number for _, _, number in desk.done) == sorted("NEW{}".format(at) for at in range(10))
    assert tally.ended == GATEWAY_DOWN and tally.outcomes["paid"] == 10
    asked = len({desk.mapi.number_of(call) for call in desk.mapi.sent})
    assert 5 <= asked < 30
    # Nobody holds what was not asked about: it is due as it was, and the next run asks.
    assert len(desk.store.due(100)) == 30 - asked
    desk.mapi.are_at({"OLD{}".format(at): "paid" for at in range(30)})
    assert desk.run(workers=workers).outcomes == {"paid": 30 - asked}


def test_both_down_end_the_run_early(desk):
    for at in range(40):
        desk.watch("A{}".format(at), "mapi" if at % 2 else "ams")
    desk.mapi.says["query"] = desk.ams.says["query"] = time_out(True)
    tally = desk.run()
    assert tally.ended == GATEWAY_DOWN and tally.asked < 40
    assert len(desk.store.due(100)) == 40 - tally.asked


def test_one_that_answers_again_is_not_down(desk):
    for at in range(12):
        desk.watch("A{:02}".format(at), "mapi")
    answers = [time_out(False)] * 8 + [None] * 50      # each question is asked twice: four orders are not reached

    def answer(call):
        fault = answers.pop(0)
        if fault is not None:
            raise fault
        return desk.mapi.paid(order(desk.mapi.number_of(call)))(call)
    desk.mapi.says["query"] = answer
    tally = desk.run()
    assert tally.ended == "done" and tally.outcomes == {"open": 4, "paid": 8}


# --- pacing -----------------------------------------------------------------------------------------------------------

class Paced(SQLiteStore):
    """Counts whose moments are reserved."""

    def __init__(self, clock):
        super().__init__(":memory:", clock=clock)
        self.reserved = []

    def slots(self, name, count, per_second, ahead):
        self.reserved.append((name, count, round(per_second, 3)))
        return super().slots(name, count, per_second, ahead)


def test_queries_are_paced_per_account_and_only_mapis_refunds_lie_three_seconds_apart():
    desk = Desk()
    desk.store.close()
    desk.store = Paced(desk.clock)
    desk.fallback = Fallback(desk.store, {"shop": desk.backends}, desk.carry_out, schedule=PLAIN, per_second=1000.0)
    try:
        for number, gateway in (("A1", "mapi"), ("A2", "ams")):
            desk.watch(number, gateway)
        desk.mapi.are_at({"A1": "paid"})
        desk.ams.are_at({"A2": "paid"})
        desk.run()
        partner, client = desk.backends["mapi"].account, desk.backends["ams"].account
        assert sorted(desk.store.reserved) == sorted([(partner, 1, 1000.0), (client, 1, 1000.0)])
        for stage, number, again in ((desk.mapi, "A1", "R2"), (desk.ams, "A2", "R1")):
            stage.refunds("accepted")
            desk.fallback.refund("shop", number, again, "1.00")
        del desk.store.reserved[:]
        desk.run()
        assert desk.mapi.calls.count("refund") == desk.ams.calls.count("refund") == 1
        slow = [(name, count) for name, count, rate in desk.store.reserved if rate < 1]
        assert [count for _, count in slow] == [1] and partner in slow[0][0] and slow[0][0] != partner
        assert {name for name, _, rate in desk.store.reserved if rate == 1000.0} == {partner, client}
    finally:
        desk.close()


# --- a refund on AMS, from the wish to its end ------------------------------------------------------------------------

@pytest.fixture
def paid(desk):
    """A1 is paid on AMS, and its refund is wished."""
    desk.watch()
    desk.run()
    desk.fallback.refund("shop", "A1", "R1", "3.20", reason="late")
    assert desk.done == [("paid", "", "A1")] and desk.refund().status == refunding.ASKED
    del desk.ams.calls[:], desk.ams.sent[:], desk.done[:]
    return desk


def test_a_refund_is_looked_for_sent_inquired_and_done(paid):
    paid.ams.refunds("running")
    paid.run()
    assert paid.ams.calls == ["query", "query", "refund"], "what was before; its paymentId; the refund"
    assert paid.refund().status == refunding.ACCEPTED and paid.done == []
    assert content_of(paid.ams.sent[2]) == {
        "refundRequestId": "R1", "paymentId": "P1", "refundAmount": {"currency": "USD", "value": "320"},
        "refundReason": "late"}
    paid.ams.shows_refund("running")
    paid.run(later=600)
    assert paid.refund().status == refunding.ACCEPTED and paid.ams.calls[3:] == ["refund query"] and paid.done == []
    paid.ams.shows_refund("done")
    paid.run(later=3600)
    assert paid.refund().status == refunding.DONE and paid.done == [("refunded", "R1", "A1")]
    assert paid.ams.calls.count("refund") == 1 and paid.row().due_at is None
    paid.run(later=86400)
    assert len(paid.done) == 1 and paid.ams.calls.count("refund") == 1


def test_a_refund_that_fails_later_calls_a_person_once(paid):
    paid.ams.refunds("running")
    paid.run()
    paid.ams.shows_refund("failed")
    for _ in range(3):
        paid.run(later=3600)
    assert paid.refund().status == refunding.REFUSED
    assert paid.done == [("needs_a_person", "refund R1 ended as REFUND_FAIL", "A1")]
    assert paid.ams.calls.count("refund") == 1


@pytest.mark.parametrize("answer", ["unknown", time_out(True)], ids=["nobody knows", "time-out"])
def test_a_refund_that_never_arrived_is_sent_again_under_its_number(paid, answer):
    if answer == "unknown":
        paid.ams.refunds(answer)
    else:
        paid.ams.says["refund"] = answer
    paid.run()
    assert paid.refund().status == refunding.UNKNOWN and paid.ams.calls.count("refund") == 1
    paid.ams.shows_refund("never")
    paid.ams.refunds("accepted")
    paid.run(later=3600)
    sent = [content_of(call) for call, kind in zip(paid.ams.sent, paid.ams.calls) if kind == "refund"]
    assert len(sent) == 2 and sent[0] == sent[1], "to the letter"
    paid.ams.shows_refund("done")
    paid.run(later=3600)
    assert paid.done == [("refunded", "R1", "A1")]


@pytest.mark.parametrize("word, status, effect", [
    ("done", refunding.DONE, ("refunded", "R1", "A1")),
    ("never", refunding.REFUSED, ("needs_a_person", "refund R1: GatewayError RETURN_AMOUNT_EXCEED", "A1")),
    ("failed", refunding.REFUSED, ("needs_a_person", "refund R1 ended as REFUND_FAIL", "A1"))])
def test_a_no_is_looked_at_once_before_it_is_believed(paid, word, status, effect):
    paid.ams.refunds("failed")
    paid.ams.shows_refund("running")
    paid.run()
    assert paid.refund().status == refunding.DENIED and paid.done == []
    paid.run(later=3600)
    assert paid.refund().status == refunding.DENIED, "still in process: nobody knows yet"
    paid.ams.shows_refund(word)
    paid.run(later=3600)
    assert paid.refund().status == status and paid.done == [effect] and paid.ams.calls.count("refund") == 1


def test_an_unsigned_word_neither_sends_a_refund_again_nor_ends_it(paid):
    """Hostile: an unsigned REFUND_NOT_EXIST."""
    paid.ams.says["refund"] = time_out(True)
    paid.run()
    for code in ("REFUND_NOT_EXIST", "ORDER_NOT_EXIST"):
        paid.ams.says["refund query"] = paid.ams.unsigned("inquiryRefund", result("F", code))
        paid.run(later=3600)
        assert paid.refund().status == refunding.UNKNOWN and paid.ams.calls.count("refund") == 1


def test_a_refund_that_could_not_be_sent_waits_and_is_sent_later(paid):
    paid.ams.refunds("accepted")
    paid.run(limit=1)
    assert paid.refund().status == refunding.READY
    paid.ams.says["query"] = time_out(True)
    paid.run(later=60)
    assert paid.refund().status == refunding.READY and paid.ams.calls.count("refund") == 0
    paid.ams.is_at("paid")
    paid.run(later=3600)
    assert paid.refund().status == refunding.ACCEPTED and paid.ams.calls.count("refund") == 1


def test_a_refund_that_ams_tells_by_itself_is_done_at_once(paid):
    paid.ams.refunds("running")
    paid.run()
    fact = refund_facts(notified(refund_content()), order())
    paid.fallback.notified("shop", fact, gateway="ams")
    assert paid.refund().status == refunding.DONE and paid.done == [("refunded", "R1", "A1")]


@pytest.mark.parametrize("amount, sent", [("1", True), ("320", False)])
def test_a_refund_that_is_told_with_another_amount_or_before_it_was_sent_is_for_a_person(paid, amount, sent):
    """Hostile, or another shop's of the same account: nothing of ours was given back."""
    if sent:
        paid.ams.refunds("running")
        paid.run()
    before = paid.refund()
    told = refund_facts(notified(refund_content(refundAmount={"currency": "USD", "value": amount})), order())
    for _ in range(2):
        paid.fallback.notified("shop", told, gateway="ams")
    assert paid.refund() == before
    (kind, detail, number), = paid.done
    assert (kind, number) == ("needs_a_person", "A1") and "R1" in detail


def test_a_number_that_ams_knows_with_other_content_is_not_ours(paid):
    paid.ams.says["refund"] = paid.ams.answers("refund", result("F", "REPEAT_REQ_INCONSISTENT"))
    paid.run()
    assert paid.refund().status == refunding.REFUSED and [kind for kind, _, _ in paid.done] == ["needs_a_person"]


def test_a_refund_that_ams_has_said_to_have_failed_needs_a_new_number(paid):
    paid.ams.refunds("running")
    paid.run()
    paid.ams.shows_refund("failed")
    paid.run(later=3600)
    with pytest.raises(InvalidRequest):
        paid.fallback.refund("shop", "A1", "R1", "3.20", reason="late")
    paid.fallback.refund("shop", "A1", "R2", "3.20", reason="late")


def test_a_second_refund_waits_for_the_first(paid):
    paid.fallback.refund("shop", "A1", "R2", "4.80")
    with pytest.raises(InvalidRequest):
        paid.fallback.refund("shop", "A1", "R3", "0.01")
    paid.ams.refunds("running")
    paid.run()
    paid.ams.shows_refund("done")
    paid.ams.says["refund"] = time_out(False)
    paid.run(later=3600)
    first, second = refunding.from_text(paid.row().refunds)
    assert first.status == refunding.DONE and second.status == refunding.READY and second.before == "3.20"


# --- what the other gateway says --------------------------------------------------------------------------------------

def notified(content):
    body = dumped(content)
    return OnAms().backend().notification(PATH, notification_headers(PATH, body), body)


def payment_content(**changes):
    return dict({"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
                 "paymentAmount": {"currency": "USD", "value": "800"}}, **changes)


def refund_content(**changes):
    return dict({"notifyType": "REFUND_RESULT", "result": result(), "refundStatus": "SUCCESS", "refundRequestId": "R1",
                 "refundId": "RF1", "refundAmount": {"currency": "USD", "value": "320"}}, **changes)


@pytest.mark.parametrize("home, gateway, news", [
    ("mapi", "ams", lambda: trade_facts(notified(payment_content()), order(), SERVICE)),
    ("mapi", "ams", lambda: refund_facts(notified(refund_content()), order())),
    ("ams", "mapi", lambda: note("A1", total_fee="8.00")), ("ams", "mapi", lambda: refund_note("A1")),
    ("ams", "mapi", lambda: note("A1", "TRADE_CLOSED"))])
def test_a_notification_of_the_other_gateway_settles_nothing_and_calls_a_person_once(desk, home, gateway, news):
    desk.watch("A1", home)
    before = desk.row()
    for _ in range(3):
        desk.fallback.notified("shop", news(), gateway=gateway)
    (one,) = desk.done
    assert one[0] == "needs_a_person" and gateway in one[1] and home in one[1] and one[2] == "A1"
    after = desk.row()
    assert (after.outcome, after.due_at, after.refunds) == (before.outcome, before.due_at, before.refunds)
    assert json.loads(after.facts or "{}").get("paid_trades", []) == []
    desk.mapi.is_at("paid")
    desk.run()
    assert desk.done[1:] == [("paid", "", "A1")], "its own gateway's word counts as ever"


def test_other_news_of_the_other_gateway_are_told_too(desk):
    desk.watch("A1", "ams")
    for status in ("WAIT_BUYER_PAY", "TRADE_FINISHED", "TRADE_FINISHED"):
        desk.fallback.notified("shop", note("A1", status, notify_id="n-" + status), gateway="mapi")
    assert [detail.split(" of ")[0] for _, detail, _ in desk.done] == [
        "mapi says WAIT_BUYER_PAY", "mapi says TRADE_FINISHED"]


def test_what_does_not_say_for_whom_it_is_calls_nobody(desk):
    """Hostile: any merchant's message under the key that all share."""
    desk.watch("A1", "ams")
    with pytest.raises(NotConfirmed):
        desk.fallback.notified("shop", note("A1", passed=("sign",)), gateway="mapi")
    assert desk.done == []


def test_news_of_an_order_in_yuan_come_as_an_answer_and_only_from_another_gateway(desk):
    yuan = Order("A1", rmb_fee="50.00", currency="USD")
    desk.fallback.watch("shop", yuan, gateway="ams")
    content = payment_content(paymentAmount={"currency": "CNY", "value": "5000"})
    fact = trade_facts(notified(content), yuan, SERVICE)
    assert isinstance(fact, Response)
    with pytest.raises(InvalidRequest):
        desk.fallback.notified("shop", fact)
    desk.fallback.notified("shop", fact, gateway="ams")
    assert desk.done == [("paid", "", "A1")]


def test_a_lost_answer_to_pay_is_settled_by_the_query(desk):
    desk.ams.says["pay"] = time_out(True)
    desk.watch()
    with pytest.raises(OutcomeUnknown):
        desk.backends["ams"].pay(SERVICE, {"out_trade_no": "A1", "subject": "Tea", "total_fee": "8.00",
                                           "currency": "USD"})
    desk.run()
    assert desk.done == [("paid", "", "A1")]
