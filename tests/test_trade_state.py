"""What is known of one order: facts in any order and any number, effects once."""
import itertools
from dataclasses import FrozenInstanceError

import pytest

from alipay_mapi.errors import InvalidRequest, NotConfirmed, OrderMismatch
from alipay_mapi.notification import Notification, verify_notify
from alipay_mapi.order import Order
from alipay_mapi.response import parse_response
from alipay_mapi.trade_state import Effect, TradeState
from genuine import DIRECT, FOREX, REFUND, answer, changed, message, shop

USD = Order("A1", total_fee="8.00", currency="USD")
YUAN = Order("A1", total_fee="8.00")
RMB = Order("A1", rmb_fee="50.00", currency="USD")
ASKED = {"service": "single_trade_query", "out_trade_no": "A1"}


def heard(base=FOREX, *without, **changes):
    return verify_notify(shop(), message(changed(base, *without, **changes)))


def queried(status, **more):
    fields = dict({"out_trade_no": "A1", "trade_no": FOREX["trade_no"], "trade_status": status, "total_fee": "50.00",
                   "seller_id": DIRECT["seller_id"]}, **more)
    return parse_response(shop(), answer(fields), asked=ASKED)


def run(order, *messages):
    """(last state, every effect as kind or kind:detail, in the order handed out)."""
    state, kinds = TradeState(order), []
    for one in messages:
        state, effects = state.apply(one)
        kinds += [effect.kind + (":" + effect.detail if effect.detail else "") for effect in effects]
    return state, kinds


WAITING = heard(trade_status="WAIT_BUYER_PAY", notify_id="n1")
SUCCESS = heard(trade_status="TRADE_SUCCESS", notify_id="n2")
FINISHED = heard(trade_status="TRADE_FINISHED", notify_id="n3")
CLOSED = heard(trade_status="TRADE_CLOSED", notify_id="n4")
REFUNDED = heard(REFUND, notify_id="n5")


def test_a_payment_is_one_effect():
    state, effects = TradeState(USD).apply(FINISHED)
    assert effects == (Effect("paid", "A1"),)
    assert (state.status, state.rank) == ("paid", 3)
    assert state.paid_trades == {FOREX["trade_no"]}


def test_no_news_no_status():
    assert (TradeState(USD).status, TradeState(USD).rank) == (None, 0)


def test_waiting_has_no_effect():
    assert run(USD, WAITING)[1] == []
    assert (run(USD, WAITING)[0].status, run(USD, WAITING)[0].rank) == ("waiting", 1)


def test_a_trade_that_was_never_paid_is_closed():
    state, effects = run(USD, WAITING, CLOSED)
    assert (state.status, state.rank, effects) == ("closed", 4, ["closed"])


def test_T45_an_unknown_status_needs_a_person_and_settles_nothing():
    state, effects = run(USD, heard(trade_status="TRADE_PENDING"))
    assert (state.status, effects) == (None, ["needs_a_person:trade_status TRADE_PENDING"])
    assert run(USD, heard(trade_status="TRADE_PENDING"), SUCCESS)[1][1:] == ["paid"]


def test_T46_a_second_delivery_changes_nothing():
    later = heard(trade_status="TRADE_FINISHED", notify_id="n3", notify_time="2018-04-11 19:12:28")
    once, _ = run(USD, FINISHED)
    again, effects = once.apply(later)
    assert again == once and effects == ()
    assert run(USD, FINISHED, FINISHED, later, FINISHED)[1] == ["paid"]


def test_T47_the_same_id_with_other_content_is_flagged_and_not_taken_for_a_repetition():
    state, effects = run(USD, WAITING, heard(trade_status="TRADE_FINISHED", notify_id="n1"))
    assert effects == ["paid", "needs_a_person:notify_id repeated with other content"]
    assert state.status == "paid"
    assert run(USD, WAITING, heard(trade_status="TRADE_FINISHED", notify_id="n9"))[1] == ["paid"]


def test_T47_content_is_not_compared_as_joined_text():
    """Two messages whose joined text is the same are still two messages."""
    one = heard(a="1&b=2", notify_id="n1")
    two = heard(a="1", b="2", notify_id="n1")
    assert "needs_a_person:notify_id repeated with other content" in run(USD, one, two)[1]


@pytest.mark.parametrize("order", list(itertools.permutations([WAITING, SUCCESS, FINISHED])), ids=range(6))
def test_T48_late_news_never_moves_a_payment_back(order):
    state, effects = run(USD, *order)
    assert (state.status, state.rank, effects) == ("paid", 3, ["paid"])


def test_T48_a_close_after_the_payment_is_a_refund_and_never_called_unpaid():
    state, effects = run(USD, SUCCESS, CLOSED)
    assert (state.status, state.rank, effects) == ("refunded", 4, ["paid", "refunded"])
    assert run(USD, CLOSED, SUCCESS)[0] == state


@pytest.mark.parametrize("evidence", [{"gmt_payment": "2017-03-05 18:17:17"}, {"refund_status": "REFUND_SUCCESS"},
                                      {"to_buyer_fee": "8.00"}, {"gmt_refund": "2017-03-06 18:17:17.001"}])
def test_T48_a_close_that_shows_that_money_moved_is_a_refund(evidence):
    state, effects = run(USD, heard(trade_status="TRADE_CLOSED", **evidence))
    assert (state.status, effects) == ("refunded", ["refunded"])


@pytest.mark.parametrize("evidence", [{"to_buyer_fee": "0.00"}, {"to_buyer_fee": "much"},
                                      {"gmt_close": "2017-03-05 18:17:17"},
                                      {"refund_status": "REFUND_CLOSED"}])
def test_T48_a_close_that_does_not_is_not(evidence):
    assert run(USD, heard(trade_status="TRADE_CLOSED", **evidence))[1] == ["closed"]


def test_T48_rank_never_falls_when_a_second_trade_is_paid_after_the_first_was_closed():
    closed, _ = run(USD, CLOSED)
    state, effects = closed.apply(heard(trade_no="T2", notify_id="n7"))
    assert state.rank >= closed.rank and state.status == "paid" and effects == (Effect("paid", "A1"),)


def test_T49_a_second_paid_trade_is_flagged_and_fulfilled_once():
    state, effects = run(USD, FINISHED, heard(trade_no="T2", notify_id="n7"))
    assert effects == ["paid", "needs_a_person:paid twice, in two trades"]
    assert state.paid_trades == {FOREX["trade_no"], "T2"} and state.status == "paid"
    assert run(USD, heard(trade_no="T2", notify_id="n7"), FINISHED)[0] == state
    assert run(USD, SUCCESS, FINISHED)[1] == ["paid"]     # the same trade, further on


def test_T49_one_of_two_payments_refunded_is_still_paid():
    state, effects = run(USD, SUCCESS, heard(trade_no="T2", notify_id="n7"), CLOSED)
    assert state.status == "paid" and effects.count("paid") == 1 and "closed" not in effects


def test_T50_notification_and_query_at_once_are_one_payment():
    told, asked = FINISHED, queried("TRADE_FINISHED")
    both, effects = run(USD, told, asked)
    assert effects == ["paid"] and run(USD, asked, told) == (both, ["paid"])


def test_T50_two_workers_find_the_same_key():
    """The unique index on it is what makes one of them win."""
    effects = [TradeState(USD).apply(one)[1][0] for one in (FINISHED, SUCCESS, queried("TRADE_FINISHED"))]
    assert len({effect.key for effect in effects}) == 1


def test_effect_keys_are_different_for_different_effects():
    effects = [Effect(*parts) for parts in [
        ("paid", "A1"), ("closed", "A1"), ("refunded", "A1"), ("refunded", "A1", "R1"), ("refunded", "R1"),
        ("refunded", "b:c", "a"), ("refunded", "c", "a:b"), ("refunded", "a:b:c"), ("refunded", "", "a:b:c"),
        ("refunded", "b%3Ac", "a"), ("refunded", "c", "a%3Ab")]]
    assert len({effect.key for effect in effects}) == len(effects)


# --- amounts ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("changes,concern", [({"total_fee": "0.01"}, "AmountMismatch"),
                                             ({"total_fee": "8e0"}, "AmountMismatch"),
                                             ({"currency": "EUR"}, "CurrencyMismatch")])
@pytest.mark.parametrize("word", ["WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"])
def test_T42_T43_amounts_are_compared_here_whatever_was_compared_before(word, changes, concern):
    state, effects = run(USD, heard(trade_status=word, **changes))
    assert (state.status, state.rank, effects) == ("needs_a_person", 0, ["needs_a_person:" + concern])
    assert run(USD, heard(trade_status=word, **changes), FINISHED)[1][1:] == ["paid"]


def test_T43_a_currency_that_is_missing_needs_a_person():
    assert run(USD, heard(FOREX, "currency"))[1] == ["needs_a_person:MissingParameter"]


def test_a_query_answer_in_cny_is_compared_with_a_price_in_cny():
    assert run(YUAN, queried("TRADE_SUCCESS", total_fee="8.00"))[1] == ["paid"]
    assert run(YUAN, queried("TRADE_SUCCESS", total_fee="8.01"))[1] == ["needs_a_person:AmountMismatch"]
    assert run(RMB, queried("TRADE_FINISHED"))[1] == ["paid"]
    assert run(RMB, queried("TRADE_FINISHED", total_fee="49.99"))[1] == ["needs_a_person:AmountMismatch"]


def test_a_signed_query_answer_settles_a_foreign_order():
    """Its amount is in CNY and cannot be compared; it is the answer about our own order, and the only one there is."""
    assert run(USD, queried("TRADE_FINISHED"))[1] == ["paid"]


def test_a_conversion_that_cannot_be_compared_asks_for_a_query():
    state, effects = run(RMB, FINISHED)
    assert (state.status, effects) == ("waiting", ["query"])
    state, effects = state.apply(queried("TRADE_FINISHED"))
    assert (state.status, [effect.kind for effect in effects]) == ("paid", ["paid"])
    assert run(RMB, queried("TRADE_FINISHED"), FINISHED) == (state, ["paid"])


def test_a_close_after_a_payment_that_could_not_be_compared_is_not_called_unpaid():
    assert run(RMB, FINISHED, CLOSED)[0].status == run(RMB, CLOSED, FINISHED)[0].status == "refunded"
    assert "closed" not in run(RMB, FINISHED, CLOSED)[1]


# --- refunds ----------------------------------------------------------------------------------------------------

def test_a_refund_is_one_effect_per_request():
    second = heard(REFUND, notify_id="n6", out_return_no="R2")
    state, effects = run(USD, FINISHED, REFUNDED, second, REFUNDED)
    assert effects == ["paid", "refunded:R1", "refunded:R2"]
    assert state.status == "paid"       # a partial refund leaves the trade as it was
    assert state.refunds == {("R1", "REFUND_SUCCESS"), ("R2", "REFUND_SUCCESS")}


def test_a_refund_that_is_heard_of_before_the_payment_is_kept():
    assert run(USD, REFUNDED, FINISHED)[0] == run(USD, FINISHED, REFUNDED)[0]


def test_a_refund_that_failed_needs_a_person():
    failed = heard(REFUND, refund_status="REFUND_FAIL", error_code="TRADE_HAS_CLOSE")
    assert run(USD, failed)[1] == ["needs_a_person:refund R1 ended as REFUND_FAIL"]


# --- what is taken ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("junk", [None, {}, dict(FOREX), b"", "paid", 1])
def test_only_verified_messages_are_taken(junk):
    with pytest.raises(InvalidRequest):
        TradeState(USD).apply(junk)


def test_another_order_s_message_is_refused():
    with pytest.raises(OrderMismatch):
        TradeState(USD).apply(heard(out_trade_no="A2"))


def test_T78_an_unsigned_answer_changes_nothing():
    for xml in (b"<alipay><is_success>T</is_success></alipay>",
                b"<alipay><is_success>F</is_success><error>TRADE_NOT_EXIST</error></alipay>"):
        unsigned = parse_response(shop(), xml)
        assert not unsigned.signed
        assert TradeState(USD).apply(unsigned) == (TradeState(USD), ())


def test_T78_a_message_whose_sign_was_not_checked_changes_nothing():
    unsigned = Notification(dict(FOREX), "trade", ["party", "order", "amount", "confirmed"], {})
    assert TradeState(USD).apply(unsigned) == (TradeState(USD), ())


def test_T41_an_answer_that_does_not_say_whose_it_is_is_refused():
    fields = {"out_trade_no": "A1", "trade_no": "T", "trade_status": "TRADE_FINISHED", "total_fee": "50.00"}
    anonymous = parse_response(shop("RSA"), answer(fields, "RSA"), asked=ASKED)
    with pytest.raises(NotConfirmed):
        TradeState(USD).apply(anonymous)
    named = parse_response(shop("RSA"), answer(dict(fields, seller_id=DIRECT["seller_id"]), "RSA"), asked=ASKED)
    assert TradeState(USD).apply(named)[0].status == "paid"


def test_a_batch_notification_is_about_no_single_order():
    batch = verify_notify(shop(), message({"notify_type": "batch_refund_notify", "notify_id": "b", "batch_no": "1",
                                           "result_details": "x"}))
    assert TradeState(USD).apply(batch) == (TradeState(USD), ())


def test_a_state_is_frozen_and_apply_leaves_it_alone():
    state = TradeState(USD)
    state.apply(FINISHED)
    assert state == TradeState(USD) and state.paid_trades == frozenset()
    with pytest.raises(FrozenInstanceError):
        state.paid_trades = frozenset(["T"])


def test_what_a_state_remembers_of_a_message_holds_nobody_s_data():
    state, _ = run(YUAN, heard(DIRECT))
    for name in ("buyer_email", "buyer_id", "seller_email", "subject"):
        assert DIRECT[name] not in repr(state)


def test_T42_a_trade_with_a_wrong_amount_is_not_paid_by_an_answer_whose_amount_cannot_be_compared():
    """Hostile: the buyer pays an old URL of 1.00 for an order of 8.00; the query answers in CNY. Genuine: 8.00."""
    order = Order("A1", total_fee="8.00", currency="USD")
    wrong = heard(total_fee="1.00")
    for news in ([wrong, queried("TRADE_FINISHED")], [queried("TRADE_FINISHED"), wrong]):
        state = TradeState(order)
        for one in news:
            state, _ = state.apply(one)
        assert state.status == "needs_a_person" and "AmountMismatch" in state.concerns
    state, effects = TradeState(order).apply(wrong)
    assert [effect.kind for effect in state.apply(queried("TRADE_FINISHED"))[1]] == []
    right = heard()
    state, effects = TradeState(order).apply(right)
    assert state.status == "paid" and state.apply(queried("TRADE_FINISHED"))[0].status == "paid"


@pytest.mark.parametrize("amount", [None, "0.00", "abc"])
def test_T42_an_answer_that_names_no_amount_pays_nothing(amount):
    order = Order("A1", total_fee="8.00", currency="USD")
    state, effects = TradeState(order).apply(queried("TRADE_FINISHED", total_fee=amount or ""))
    assert state.status == "needs_a_person" and [effect.kind for effect in effects] == ["needs_a_person"]
    assert TradeState(order).apply(queried("TRADE_FINISHED"))[0].status == "paid"


def test_T48_a_cross_border_trade_that_was_refunded_whole_is_not_fulfilled_although_it_stays_finished():
    """Hostile to the shop: the first news is TRADE_FINISHED with all of it refunded. Genuine: nothing refunded."""
    order = Order("A1", total_fee="8.00", currency="USD")
    state, effects = TradeState(order).apply(queried("TRADE_FINISHED", to_buyer_fee="50.00",
                                                     refund_status="REFUND_SUCCESS"))
    assert state.status == "refunded" and [effect.kind for effect in effects] == ["refunded"]
    assert TradeState(order).apply(queried("TRADE_FINISHED", to_buyer_fee="0.00"))[0].status == "paid"
