"""A refund until it is proved: every status, by itself; then against the emulator, whose ledger counts."""
from decimal import Decimal

import pytest

import alipay_mapi as mapi
from alipay_mapi.emulator.faults import ANSWER_FAULTS
from alipay_mapi.errors import (AlipayError, ConfigurationError, GatewayError, InvalidRequest, OrderNotFound,
                                OutcomeUnknown, ResponseSignatureInvalid, TransportError)
from alipay_mapi.fallback import refunding
from alipay_mapi.fallback.refunding import ACCEPTED, ASKED, DENIED, DONE, GAVE_UP, READY, REFUSED, UNKNOWN, Refund
from alipay_mapi.trade_state import TradeState

from fallback_setup import (Asked, Desk, PLAIN, START, Shop, accepted, answer, order, refund_note, refusal)

REFUND = Refund("R1", "4.00", "20260301120000", "", START)
PAID = TradeState(order()).apply(answer())[0]
NOTHING = TradeState(order())
SENT = OutcomeUnknown("no usable answer came")


def looked(status, state=PAID, before="0.00", message=None, **fields):
    return refunding.looked(REFUND._replace(status=status, before=before), state, message or answer(**fields))


def sent(message):
    return refunding.sent(REFUND._replace(status=READY, before="0.00"), message)


#: A gateway's own word about the refund.
NEVER_GOT_IT = GatewayError("AMS never got this refund", code="REFUND_NOT_EXIST")


# --- by itself: looking -----------------------------------------------------------------------------------------------

def test_first_what_was_given_back_before_is_written_down_and_then_it_is_sent():
    assert looked(ASKED, to_buyer_fee="3.00")[5:] == (READY, "3.00", 0, "")
    assert looked(ASKED)[5:7] == (READY, "0"), "an answer without to_buyer_fee: nothing was given back"


@pytest.mark.parametrize("state, word", [
    (NOTHING, "unknown"), (NOTHING.apply(answer(status="WAIT_BUYER_PAY"))[0], "waiting"),
    (NOTHING.apply(answer(status="TRADE_CLOSED"))[0], "closed")])
def test_an_order_that_is_not_paid_is_not_refunded(state, word):
    after = looked(ASKED, state)
    assert after.status == REFUSED and word in after.error


@pytest.mark.parametrize("status", [UNKNOWN, ACCEPTED])
def test_a_refund_is_proved_when_more_was_given_back_than_before(status):
    assert looked(status, before="3.00", to_buyer_fee="31.40").status == DONE
    assert looked(status, before="3.00", to_buyer_fee="3.00").status == {UNKNOWN: READY, ACCEPTED: ACCEPTED}[status]
    whole = PAID.apply(answer(to_buyer_fee="71.00"))[0]
    assert looked(status, whole, before="71.00", to_buyer_fee="71.00").status == DONE


@pytest.mark.parametrize("status", [ASKED, UNKNOWN, ACCEPTED])
@pytest.mark.parametrize("message", [TransportError("x"), refusal(), ResponseSignatureInvalid("x"),
                                     answer(to_buyer_fee="lots"), answer(to_buyer_fee="1e3")])
def test_no_answer_and_an_unreadable_one_move_nothing(status, message):
    after = looked(status, message=message)
    assert after.status == status and after.error and after.before == "0.00"


# --- by itself: sending -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("message, status", [
    (ACCEPTED, ACCEPTED), (GatewayError("x", code="REPEATED_REFUNDMENT_REQUEST"), ACCEPTED),
    (GatewayError("x", code="DUPLICATE_OUT_RETURN_NO"), ACCEPTED), (SENT, UNKNOWN),
    (TransportError("not sent", kind="connect", sent=False), READY),
    (GatewayError("x", code="RETURN_AMOUNT_EXCEED"), DENIED), (GatewayError("x", code="TRADE_HAS_CLOSE"), DENIED),
    (GatewayError("x", code=""), DENIED), (InvalidRequest("x"), REFUSED), (ConfigurationError("x"), REFUSED),
    # A bug between us and the gateway proves nothing: it may have been sent.
    (AlipayError("asking failed inside"), UNKNOWN), (ResponseSignatureInvalid("x"), UNKNOWN),
])
def test_what_an_answer_to_the_request_means(message, status):
    after = sent(message)
    assert after.status == status
    assert bool(after.error) == (status != ACCEPTED)
    assert after[:5] == REFUND[:5], "what is repeated is the same to the letter"


def test_a_no_is_believed_only_when_a_signed_query_shows_that_nothing_has_moved():
    """Errors are unsigned. Hostile: a no, and the money went back. Genuine: a no, and it did not."""
    denied = sent(GatewayError("x", code="RETURN_AMOUNT_EXCEED"))._replace(before="0.00")
    no = refunding.looked(denied, PAID, answer(to_buyer_fee="0.00"))
    assert (no.status, no.error) == (REFUSED, "GatewayError RETURN_AMOUNT_EXCEED")
    assert refunding.looked(denied, PAID, answer(to_buyer_fee="7.00")).status == DONE
    for nothing in (TransportError("x"), answer(to_buyer_fee="lots")):
        assert refunding.looked(denied, PAID, nothing) == denied, "what was refused stays told"


@pytest.mark.parametrize("status, after", [(UNKNOWN, READY), (DENIED, REFUSED), (ACCEPTED, ACCEPTED)])
def test_a_gateway_that_never_got_a_refund_is_sent_it_again_under_its_number_or_its_no_is_believed(status, after):
    waits = REFUND._replace(status=status, before="0.00", error="GatewayError RETURN_AMOUNT_EXCEED")
    found = refunding.looked(waits, PAID, NEVER_GOT_IT)
    assert found[:5] == REFUND[:5] and found.status == after
    assert found.error == ("" if after == READY else "GatewayError RETURN_AMOUNT_EXCEED")


def test_an_order_in_cny_is_refunded_in_cny_so_a_cent_does_not_prove_a_hundred():
    cny = order(rmb_fee="500.00")
    state = TradeState(cny, answered=frozenset(["T1"]))
    waits = REFUND._replace(status=ACCEPTED, amount="100.00", before="3.00")
    for given_back, status in (("3.01", ACCEPTED), ("102.99", ACCEPTED), ("103.00", DONE), ("203.00", DONE)):
        assert refunding.looked(waits, state, answer(to_buyer_fee=given_back)).status == status


@pytest.mark.parametrize("status, before, again", [
    (REFUSED, "", ASKED), (REFUSED, "1.00", UNKNOWN), (GAVE_UP, "1.00", UNKNOWN)])
def test_a_refund_that_was_refused_or_given_up_is_tried_again_under_its_number(status, before, again):
    """Else people take a new number, and both may be carried out."""
    over = REFUND._replace(status=status, before=before, tries=9, error="x")
    first, = refunding.wished(order(), (over,), REFUND._replace(gmt_return="20260302120000", since=START + 9))
    assert first == REFUND._replace(status=again, before=before, since=START + 9)


def test_a_refund_has_its_day_from_when_it_was_sent_however_long_nobody_worked_on_it():
    sent_late = REFUND._replace(status=ACCEPTED, tries=1)
    assert refunding.begun(sent_late, START + 99).since == START + 99
    assert refunding.begun(sent_late._replace(status=READY), START + 99).since == START, "not sent"
    assert refunding.begun(sent_late._replace(tries=25), START + 99).since == START, "and it ends some day"


def test_a_refund_that_nobody_has_seen_for_too_long_is_given_up_with_what_was_known():
    unknown = REFUND._replace(status=UNKNOWN, error="OutcomeUnknown")
    last = START + PLAIN.margin + PLAIN.gives_up
    assert refunding.aged(unknown, last - 1, PLAIN) == unknown
    after = refunding.aged(unknown, last, PLAIN)
    assert after.status == GAVE_UP and "unknown" in after.error and "OutcomeUnknown" in after.error
    done = REFUND._replace(status=DONE)
    assert refunding.aged(done, last, PLAIN) == done


def test_a_notification_ends_an_open_refund_and_success_wins():
    state = NOTHING.apply(refund_note(status="REFUND_FAIL"))[0]
    assert refunding.told((REFUND,), state)[0].status == REFUSED
    both = state.apply(refund_note(notify_id="r2"))[0]
    assert refunding.told((REFUND,), both)[0].status == DONE
    assert refunding.told((REFUND._replace(status=GAVE_UP),), both)[0].status == GAVE_UP
    assert refunding.told((REFUND._replace(out_return_no="R2"),), both)[0].status == ASKED


# --- by itself: asking for one ----------------------------------------------------------------------------------------

def test_the_same_refund_again_changes_nothing_and_the_same_number_for_another_is_refused():
    """Genuine: 4.00 asked for twice. Hostile: the same number with another amount or another reason."""
    once = refunding.wished(order(), (), REFUND)
    assert once == (REFUND,)
    assert refunding.wished(order(), once, REFUND._replace(gmt_return="20260302120000", since=START + 9)) == once
    assert refunding.wished(order(), once, REFUND._replace(amount="4")) == once
    for other in (REFUND._replace(amount="5.00"), REFUND._replace(reason="again")):
        with pytest.raises(InvalidRequest, match="out_return_no"):
            refunding.wished(order(), once, other)
    assert len(refunding.wished(order(), once, REFUND._replace(out_return_no="R2"))) == 2


@pytest.mark.parametrize("wrong", [{"out_return_no": ""}, {"out_return_no": 5},
                                   {"reason": "x" * 101}, {"amount": "0.001"}])
def test_what_the_gateway_would_refuse_is_refused_before_it_is_written_down(wrong):
    with pytest.raises(InvalidRequest):
        refunding.wished(order(), (), REFUND._replace(**wrong))


@pytest.mark.parametrize("refunds", [
    (), (REFUND,), (REFUND, REFUND._replace(out_return_no="R2", reason="茶\n\"", tries=3))])
def test_refunds_are_the_same_after_they_were_stored(refunds):
    text = refunding.to_text(refunds)
    assert refunding.from_text(text) == refunds and text.isprintable() and text == text.encode("ascii").decode("ascii")


@pytest.mark.parametrize("text", ["x", "[]", "{}", "5", "[5]", "[[]]", "null", '[["R1"]]', '["R1"]'])
def test_text_that_is_no_refunds_is_an_error_of_ours(text):
    with pytest.raises(AlipayError, match="refunds"):
        refunding.from_text(text)


# --- through the fallback, with a client that answers as it is told ---------------------------------------------------

class Alipay:
    """What moves when a refund is sent: ``hears`` says of each request (what is answered, is it carried out)."""

    def __init__(self, hears):
        self.hears, self.given, self.asked = list(hears), {}, []
        self.client = Asked(lambda number: answer(number, to_buyer_fee=str(sum(self.given.values(), Decimal(0)))),
                            refunds=self.refund)

    def refund(self, arguments):
        self.asked.append(arguments)
        what, done = self.hears.pop(0) if len(self.hears) > 1 else self.hears[0]
        if done:    # the same number is never carried out twice
            self.given.setdefault(arguments["out_return_no"], Decimal(arguments["return_amount"]))
        return what() if callable(what) else what


def until_quiet(desk, rounds=12, later=7300):
    for _ in range(rounds):
        desk.run(later)


@pytest.mark.parametrize("hears", [
    [(accepted, True)],
    [(SENT, True), (accepted, True)],
    [(SENT, False), (accepted, True)],
    [(SENT, False), (SENT, False), (GatewayError("x", code="REPEATED_REFUNDMENT_REQUEST"), True)],
    [(TransportError("x", sent=False), False), (accepted, True)],
    [(RuntimeError("a bug"), True), (accepted, True)],
    [(RuntimeError("a bug"), False), (accepted, True)],
], ids=["accepted", "unknown and done", "unknown and lost", "lost twice, then repeated", "not sent", "a bug after it",
        "a bug before it"])
def test_T72_whatever_is_answered_a_refund_is_done_once_and_only_repeated_as_it_was(hears):
    """Hostile: time-outs before and after it was carried out. Genuine: the same number ends as done, once."""
    alipay = Alipay(hears)
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        desk.fallback.refund("shop", "A1", "R1", "4.00", reason="broken")
        until_quiet(desk)
        assert alipay.given == {"R1": Decimal("4.00")}
        assert desk.effects() == [("paid", "", "A1"), ("refunded", "R1", "A1")]
        assert all(arguments == alipay.asked[0] for arguments in alipay.asked)
        assert refunding.from_text(desk.row().refunds)[0].status == DONE and desk.row().due_at is None
        asked = len(alipay.client.log)
        until_quiet(desk)
        assert len(alipay.client.log) == asked, "and nobody asks any more"


def test_between_an_unknown_outcome_and_its_repetition_there_is_a_query_and_an_interval():
    alipay = Alipay([(SENT, False), (accepted, True)])
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        desk.run()
        assert len(alipay.asked) == 1 and refunding.from_text(desk.row().refunds)[0].status == UNKNOWN
        desk.run(30)
        assert len(alipay.asked) == 1
        queries = len(alipay.client.log)
        desk.run(120)
        assert len(alipay.client.log) > queries and len(alipay.asked) == 2


@pytest.mark.parametrize("code", ["RETURN_AMOUNT_EXCEED", "MERCHANT_BALANCE_NOT_ENOUGH", "REFUNDMENT_VALID_DATE_EXCEED",
                                  "ILLEGAL_PARTNER", ""])
def test_a_refused_refund_is_for_a_person_and_never_sent_again(code):
    alipay = Alipay([(GatewayError("no", code=code), False)])
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        until_quiet(desk)
        assert len(alipay.asked) == 1 and alipay.given == {}
        kinds = desk.effects()
        assert kinds[0] == ("paid", "", "A1") and len(kinds) == 2
        assert kinds[1][0] == "needs_a_person" and kinds[1][1].startswith("refund R1: GatewayError")
        desk.fallback.refund("shop", "A1", "R1", "4.00")        # asked for again, it is tried once more
        until_quiet(desk)
        assert len(alipay.asked) == 2 and len({str(one) for one in alipay.asked}) == 1, "the same to the letter"


def test_several_refunds_of_one_order_follow_one_another_each_with_its_own_amount_before():
    alipay = Alipay([(SENT, True), (accepted, True), (SENT, False), (accepted, True)])
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        for number in ("R1", "R2", "R3"):
            desk.fallback.refund("shop", "A1", number, "2.00")
        before = []
        for _ in range(20):
            desk.run(3700)
            under_way = [one.status for one in refunding.from_text(desk.row().refunds)]
            assert sum(status in (READY, UNKNOWN, ACCEPTED) for status in under_way) <= 1
            before.append(len(alipay.given))
        assert alipay.given == {number: Decimal("2.00") for number in ("R1", "R2", "R3")}
        assert [one[1] for one in desk.effects()] == ["", "R1", "R2", "R3"]
        assert [one.status for one in refunding.from_text(desk.row().refunds)] == [DONE] * 3
        assert [Decimal(one.before) for one in refunding.from_text(desk.row().refunds)] == [0, 2, 4]


@pytest.mark.parametrize("moment", ["before it is sent", "while its outcome is unknown", "after it was accepted",
                                    "at the end"])
def test_a_notification_of_the_refund_at_any_moment_makes_one_effect(moment):
    alipay = Alipay([(SENT if moment == "while its outcome is unknown" else accepted, True)])
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        if moment != "before it is sent":
            desk.run()
        if moment == "at the end":
            until_quiet(desk)
        desk.fallback.notified("shop", refund_note())
        desk.fallback.notified("shop", refund_note(notify_id="r2"))
        until_quiet(desk)
        assert desk.effects() == [("paid", "", "A1"), ("refunded", "R1", "A1")]
        assert refunding.from_text(desk.row().refunds)[0].status == DONE and desk.row().due_at is None
        assert len(alipay.asked) == (0 if moment == "before it is sent" else 1)


def test_a_failed_refund_that_is_notified_is_for_a_person_and_the_next_one_goes_on():
    alipay = Alipay([(SENT, False), (accepted, True)])
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        desk.fallback.refund("shop", "A1", "R2", "1.00")
        desk.run()
        desk.fallback.notified("shop", refund_note(status="REFUND_FAIL"))
        until_quiet(desk)
        assert desk.effects()[1:] == [("needs_a_person", "refund R1 ended as REFUND_FAIL", "A1"),
                                      ("refunded", "R2", "A1")]
        assert [arguments["out_return_no"] for arguments in alipay.asked] == ["R1", "R2"]


def test_an_answer_from_before_a_refund_was_current_is_not_its_amount_before():
    """While R1 is asked about, its notification comes; the answer does not show R1's money yet. Were it R2's amount
    before, R1's money would prove R2."""
    alipay = Alipay([(accepted, True)])
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        desk.fallback.refund("shop", "A1", "R2", "1.00")
        desk.run()
        assert refunding.from_text(desk.row().refunds)[0].status == ACCEPTED
        stale = answer(to_buyer_fee="0.00")
        real = alipay.client.answers

        def meanwhile(number):
            alipay.client.answers = real
            desk.fallback.notified("shop", refund_note())
            return stale
        alipay.client.answers = meanwhile
        alipay.hears = [(SENT, False), (accepted, True)]        # R2 is lost at first
        desk.run(120)
        assert [one.before for one in refunding.from_text(desk.row().refunds)][1] in ("", "4.00")
        until_quiet(desk)
        assert alipay.given == {"R1": Decimal("4.00"), "R2": Decimal("1.00")}
        assert desk.effects() == [("paid", "", "A1"), ("refunded", "R1", "A1"), ("refunded", "R2", "A1")]


def test_a_refund_of_an_unpaid_an_expired_and_an_unknown_order():
    answers = {"A1": lambda: answer("A1", "WAIT_BUYER_PAY"), "A2": lambda: refusal(),
               "A3": lambda: answer("A3", "TRADE_CLOSED")}
    client = Asked(lambda number: answers[number](), refunds=accepted)
    with Desk(client) as desk:
        desk.watch("A1", "A2", "A3")
        for number in ("A1", "A2", "A3"):
            desk.fallback.refund("shop", number, "R" + number, "1.00")
        with pytest.raises(OrderNotFound):
            desk.fallback.refund("shop", "A4", "R4", "1.00")
        until_quiet(desk, rounds=40)
        assert client.refund_log == [], "nothing was paid, so nothing was sent"
        told = {number: [kind for kind, _, about in desk.effects() if about == number] for number in answers}
        assert told["A1"][0] == "needs_a_person" and told["A3"].count("needs_a_person") == 1
        assert told["A2"].count("closed") == 1 and told["A2"].count("needs_a_person") == 1
        assert desk.row("A2").outcome == "expired"


def test_a_refund_that_is_never_seen_is_given_up_after_a_day_and_holds_up_nothing():
    alipay = Alipay([(accepted, False)])
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        until_quiet(desk, rounds=20)
        assert refunding.from_text(desk.row().refunds)[0].status == GAVE_UP and desk.row().due_at is None
        assert desk.effects()[-1][:2] == ("needs_a_person",
                                          "refund R1: gave up, still accepted; the query does not show it")
        assert len(alipay.asked) == 1


def test_a_refund_that_waited_for_longer_than_a_day_is_sent_all_the_same():
    """Nobody ran for 26 hours; the day in which it must be seen begins when it is ready to be sent."""
    alipay = Alipay([(accepted, True)])
    with Desk(alipay.client) as desk:
        desk.watch()
        desk.run()
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        desk.run(26 * 3600)
        until_quiet(desk, rounds=20)
        assert refunding.from_text(desk.row().refunds)[0].status == DONE and len(alipay.asked) == 1
        assert [kind for kind, _, _ in desk.effects()] == ["paid", "refunded"]


def test_only_a_cross_border_order_of_a_known_shop_is_refunded_here():
    with Desk() as desk:
        desk.fallback.watch("shop", mapi.Order("A1", total_fee="8.00"))
        for wrong, error in (
                (("shop", "A1", "R1", "1.00"), InvalidRequest), (("other", "A1", "R1", "1.00"), ConfigurationError),
                (("shop", "A1", "R1", 1.0), InvalidRequest), (("shop", "A1", "R1", "1e1"), InvalidRequest)):
            with pytest.raises(error):
                desk.fallback.refund(*wrong)
        assert desk.row().refunds == ""


def test_a_refund_number_of_another_order_is_refused():
    """Alipay takes each number once; and AMS's notification names the refund alone."""
    with Desk() as desk:
        desk.watch("A1", "A2")
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        desk.fallback.refund("shop", "A1", "R1", "4.00")
        with pytest.raises(InvalidRequest) as refused:
            desk.fallback.refund("shop", "A2", "R1", "4.00")
        assert refused.value.parameter == "out_return_no" and not desk.row("A2").refunds


# --- against the emulator ---------------------------------------------------------------------------------------------

@pytest.fixture
def shop(shared):
    shared.reset()
    shop = Shop(shared)
    yield shop
    shop.close()


@pytest.mark.parametrize("done", [True, False], ids=["carried out", "lost on the way"])
@pytest.mark.parametrize("fault", sorted(ANSWER_FAULTS))
def test_under_every_fault_the_ledger_has_each_refund_exactly_once(shop, fault, done):
    """The first answer to the request, or the first two of the queries, meet the fault."""
    shop.order()
    shop.run()
    if fault in ("trade-not-exist", "unsigned-paid") or fault.startswith("answer-"):
        shop.gateway.fail(fault, times=2, service="single_trade_query", done=done)
    else:
        shop.gateway.fail(fault, service="forex_refund", done=done)
    shop.fallback.refund("shop", "A1", "R1", "4.00")
    shop.fallback.refund("shop", "A1", "R2", "1.00")
    for _ in range(16):
        shop.run(4000)
    assert [(one["out_return_no"], one["amount"]) for one in shop.gateway.refunds("A1")] == [
        ("R1", "4.00"), ("R2", "1.00")]
    assert Decimal(shop.gateway.trade("A1")["refunded"]) == Decimal("5.00")
    assert shop.effects() == [("paid", "", "A1"), ("refunded", "R1", "A1"), ("refunded", "R2", "A1")]
    assert shop.row().due_at is None and not shop.emulator.faults.armed()


def test_a_refund_in_cny_and_one_that_is_too_much(shop):
    shop.order(rmb_fee="71.00")
    shop.order("A2")
    shop.run()
    shop.fallback.refund("shop", "A1", "R1", "11.00")
    with pytest.raises(InvalidRequest, match="the order was for 10.00 USD"):
        shop.fallback.refund("shop", "A2", "R2", "10.01")
    for _ in range(6):
        shop.run(4000)
    assert [one["out_return_no"] for one in shop.gateway.refunds()] == ["R1"]
    assert sorted(shop.effects()) == [("paid", "", "A1"), ("paid", "", "A2"), ("refunded", "R1", "A1")]
