"""Rows as values: what is checked before it is stored, how a decision changes a row, keys and texts for databases."""
import pytest
from hypothesis import given, strategies as st

import alipay_mapi as mapi
from alipay_mapi.errors import AlipayError, InvalidRequest, WatchConflict
from alipay_mapi.fallback import prices
from alipay_mapi.fallback.deciding import OPEN, Decision
from alipay_mapi.fallback.rows import (ROW, Pending, Row, Watched, changed, checked, effect_key, failed, may_name,
                                       plain, possible, row_of, same_or_conflict)
from alipay_mapi.trade_state import Effect, TradeState

ORDER = mapi.Order("A1", total_fee="10.00", currency="USD")
STORED = Row(7, "shop", "A1", "10.00||USD", '{"waiting":["1"]}', "[1]", OPEN, 100.0, 200.0, 150.0, 120.0, 3, "before",
             "w#1", "ams")


def test_a_row_from_a_sequence_is_a_row():
    row = row_of(list(STORED))
    assert row == STORED and type(row) is Row and row.lease == "w#1" and ROW.split(", ") == list(Row._fields)
    assert (row.key, row.order) == ("shop:A1", ORDER)
    pending = Pending(1, "shop:paid::A1", "shop", "A1", "10.00||USD", "paid", "x", 1, "w#1")
    assert (pending.order, pending.effect) == (ORDER, Effect("paid", "A1", "x"))


@pytest.mark.parametrize("price", [dict(total_fee="10.00", currency="USD"), dict(total_fee="8"), dict(rmb_fee="0.01",
                                                                                                     currency="EUR")])
def test_a_price_is_read_back_as_it_was(price):
    order = mapi.Order("A1", **price)
    assert prices.from_text("A1", prices.to_text(order)) == order


@pytest.mark.parametrize("text", ["", "1", "1|2", "1||USD|", "x||USD", "|", "||USD", "1|2|USD", "-1||USD"])
def test_a_price_that_no_order_wrote_is_our_error(text):
    with pytest.raises(AlipayError):
        prices.from_text("A1", text)


def test_the_same_price_however_it_is_written_is_no_conflict():
    same_or_conflict("A1", ("10.00||USD", "ams"), ("10||USD", "ams"))
    for other in ("10.01||USD", "10.00||EUR", "|10.00|USD", "10.00||"):
        with pytest.raises(WatchConflict) as caught:
            same_or_conflict("A1", ("10.00||USD", "mapi"), (other, "mapi"))
        assert caught.value.out_trade_no == "A1" and "10.0" not in str(caught.value)


def test_another_gateway_is_a_conflict_that_says_where_the_order_lives():
    """Whatever the price is, and even one that cannot be read."""
    for price in ("10.00||USD", "9||USD", "x"):
        with pytest.raises(WatchConflict, match="A1: it lives on mapi already.* use a new out_trade_no for ams, or "
                                                "leave it there") as caught:
            same_or_conflict("A1", ("10.00||USD", "mapi"), (price, "ams"))
        assert caught.value.out_trade_no == "A1"
    with pytest.raises(WatchConflict) as caught:
        same_or_conflict("A1", ("10.00||USD", "\x1b[2J" * 90), ("10.00||USD", "ams"))
    assert str(caught.value).isprintable() and len(str(caught.value)) < 200


@pytest.mark.parametrize("first_in, closes_in", [(float("nan"), 1), (1, float("nan")), (float("inf"), 1), (1, 1e11)])
def test_moments_that_are_none_are_refused(first_in, closes_in):
    with pytest.raises(InvalidRequest):
        checked([Watched("shop", ORDER, first_in, closes_in)])


def test_entries_are_checked_and_written_plainly():
    assert checked(iter([Watched("my.shop-1", ORDER, -5, 10), Watched("s", ORDER, 0, 1, "openapi")])) == [
        ("my.shop-1", "A1", "10.00||USD", -5.0, 10.0, "mapi"), ("s", "A1", "10.00||USD", 0.0, 1.0, "openapi")]
    with pytest.raises(InvalidRequest):
        checked([Watched("shop", "A1", 0, 0)])


@pytest.mark.parametrize("gateway", ["", "MAPI", "mapi ", "alipay", None, 5, ["mapi"], ("mapi",), {}])
def test_a_gateway_that_there_is_not_is_refused(gateway):
    with pytest.raises(InvalidRequest, match="gateway: one of mapi, ams, openapi") as caught:
        checked([Watched("shop", ORDER, 0, 60, gateway)])
    assert caught.value.parameter == "gateway"


def test_what_may_be_in_a_store():
    assert possible("shop", "A1") and may_name(None, None) and may_name("shop", None) and may_name(None, "A1")
    for shop, number in [("a b", "A1"), ("shop", "A" * 65), (None, "A1"), ("shop", None), ("shop", "\0"), (1, 2)]:
        assert not possible(shop, number)
    assert not may_name("a:b", None) and not may_name(None, "\ud800")


def decision(**more):
    state = TradeState(ORDER, paid_trades=frozenset(["2"]))
    return Decision(**dict({"state": state, "outcome": "paid", "due_at": None}, **more))


@pytest.mark.parametrize("ours, lease, due_at, expected", [
    (True, "w#1", 160.0, (160.0, "")), (True, "w#1", None, (None, "")), (True, "w#1", 140.0, (140.0, "")),
    (False, "w#1", 160.0, (150.0, "w#1")), (False, "w#1", 140.0, (150.0, "w#1")), (False, "w#1", None, (None, "w#1")),
    (False, "", 140.0, (140.0, "")), (False, "", 160.0, (160.0, "")), (False, "", None, (None, ""))])
def test_the_next_moment_is_the_decisions_unless_somebody_else_asks(ours, lease, due_at, expected):
    row = changed(STORED._replace(lease=lease), decision(due_at=due_at), ours)
    assert (row.due_at, row.lease) == expected
    assert row._replace(due_at=None, lease="") == STORED._replace(
        due_at=None, lease="", facts='{"paid_trades":["2"]}', outcome="paid", last_error="")


def test_a_settled_row_that_somebody_else_asks_about_is_open_again_when_news_say_so():
    assert changed(STORED._replace(due_at=None), decision(due_at=140.0), False).due_at == 140.0


def test_refunds_change_when_the_decision_has_some():
    assert changed(STORED, decision(), True).refunds == "[1]"
    assert changed(STORED, decision(refunds=""), True).refunds == ""
    assert changed(STORED, decision(refunds="[2]"), True).refunds == "[2]"


def test_a_row_without_a_decision_keeps_all_but_its_claim():
    assert failed(STORED, "no", True) == STORED._replace(last_error="no", lease="")
    assert failed(STORED, "no\0" + "x" * 500, False)._replace(last_error="") == STORED._replace(last_error="")
    assert len(failed(STORED, "\0" * 500, False).last_error) <= 400


ODD = st.text(alphabet=st.sampled_from("aB1:%. é款\0\n\ud800"), max_size=12)


@given(kind=ODD, detail=ODD, number=ODD)
def test_the_short_way_to_a_key_is_the_effects_own_key(kind, detail, number):
    effect = Effect(kind, number, detail)
    assert effect_key("shop", effect) == plain("shop:" + effect.key)


@given(st.sets(st.tuples(ODD, ODD), min_size=2))
def test_different_effects_have_different_keys(pairs):
    keys = {effect_key("shop", Effect(kind, "A1", detail)) for kind, detail in pairs}
    assert len(keys) == len({plain(Effect(kind, "A1", detail).key) for kind, detail in pairs})


def test_a_long_key_is_cut_and_still_its_own():
    one, other = (effect_key("shop", Effect("needs_a_person", "A1", "x" * 300 + end)) for end in "ab")
    assert one != other and len(one) == len(other) == 140 + 1 + 32 and one.startswith("shop:needs_a_person:xxx")
    short = Effect("paid", "A" * 64, "y" * 90)
    assert effect_key("s" * 10, short) == "s" * 10 + ":" + short.key


@given(st.text())
def test_plain_text_is_taken_by_every_database(text):
    for limit in (5, 400, 4000):
        written = plain(text, limit)
        assert len(written) <= limit and "\0" not in written
        written.encode("utf-8")     # no half of a surrogate pair
    if text.isprintable() and len(text) <= 400:
        assert plain(text, 400) == text
