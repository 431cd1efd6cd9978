"""Watching orders: what is stored, what is refused, what a second time changes."""
import pytest

import alipay_mapi as mapi
from alipay_mapi.errors import InvalidRequest, OrderNotFound, WatchConflict
from alipay_mapi.fallback.deciding import OPEN
from alipay_mapi.fallback.rows import Watched

from stores_under_test import START, at_once, becomes, claim, order, watched


def test_a_watched_order_is_stored_as_it_was_given(store):
    assert store.watch([watched("A1", 60, 43200)]) == 1
    row = store.get("shop", "A1")
    assert (row.order, row.outcome, row.attempts, row.lease, row.facts) == (order("A1"), OPEN, 0, "", "")
    assert (row.watched_at, row.due_at, row.deadline) == (START, START + 60, START + 43200)
    assert store.get("shop", "A2") is None and store.get("other", "A1") is None


def test_watching_again_changes_nothing_however_the_price_is_written(store, place):
    store.watch([watched("A1", 60)])
    place.clock.now += 30
    again = Watched("shop", mapi.Order("A1", total_fee="10", currency="USD"), 60, 9999)
    assert store.watch([again, watched("A2"), watched("A2")]) == 1
    assert store.get("shop", "A1").due_at == START + 60


def test_another_price_is_a_conflict_and_nothing_of_the_call_is_added(store):
    store.watch([watched("A1")])
    with pytest.raises(WatchConflict):
        store.watch([watched("A0"), Watched("shop", order("A1", "10.01"), 0, 60)])
    with pytest.raises(WatchConflict):
        store.watch([watched("B1"), Watched("shop", order("B1", "0.01"), 0, 60)])
    assert store.get("shop", "A0") is None and store.get("shop", "B1") is None
    assert store.watch([Watched("other", order("A1", "10.01"), 0, 60)]) == 1


def test_numbers_compare_byte_for_byte(store):
    assert store.watch([watched("a1"), watched("A1"), watched("A1.")]) == 3
    assert store.get("shop", "A1 ") is None and store.get("SHOP", "A1") is None
    with pytest.raises(OrderNotFound):
        store.apply("shop", "A1 ", becomes("paid"))


@pytest.mark.parametrize("number", ["A" * 65, "A1 ", " A1", "Ä1", "A\0", "A\ud800", "A\n"])
def test_a_number_that_alipay_would_not_take_is_refused(store, number):
    with pytest.raises(InvalidRequest):
        store.watch([watched(number)])


@pytest.mark.parametrize("shop", ["", "a:b", "a b", "x" * 41, "\u0661", None])
def test_a_shop_name_that_would_make_keys_ambiguous_is_refused(store, shop):
    with pytest.raises(InvalidRequest):
        store.watch([watched("A1", shop=shop)])


def test_two_that_watch_the_same_orders_at_once_both_succeed(place):
    stores = [place.open(), place.open()]
    entries = [watched("A{}".format(i)) for i in range(200)]
    results = at_once(lambda: stores[0].watch(entries), lambda: stores[1].watch(list(reversed(entries))))
    assert all(isinstance(result, int) for result in results), results
    assert stores[0].counts()["outcomes"] == {OPEN: 200}


def test_two_that_watch_an_order_on_two_gateways_at_once_agree_on_one(place):
    stores = [place.open(), place.open()]
    results = at_once(*[lambda store=store, gateway=gateway: store.watch([watched("A1", gateway=gateway)])
                        for store, gateway in zip(stores, ("mapi", "ams"))])
    assert sorted(type(result).__name__ for result in results) == ["WatchConflict", "int"], results
    assert stores[0].get("shop", "A1").gateway == ("mapi", "ams")[results.index(1)]


# --- where an order lives ---------------------------------------------------------------------------------------------

def test_an_order_lives_where_it_was_watched_and_every_row_says_so(store, place):
    assert store.watch([watched("A1"), watched("A2", gateway="ams"), watched("A3", gateway="openapi")]) == 3
    homes = {"A1": "mapi", "A2": "ams", "A3": "openapi"}
    assert {number: store.get("shop", number).gateway for number in homes} == homes
    for rows in (store.rows(), store.due(9), claim(store)):
        assert {row.out_trade_no: row.gateway for row in rows} == homes
    seen = {}

    def noted(row):
        seen[row.out_trade_no] = row.gateway
        return becomes("paid", "paid")(row)
    store.settle([(row, noted) for row in store.rows()])
    assert seen == homes
    seen.clear()
    for number in homes:
        store.apply("shop", number, noted)
    assert seen == homes == {row.out_trade_no: row.gateway for row in store.rows()}


def test_watching_an_order_again_where_it_lives_changes_nothing(store):
    store.watch([watched("A1", 60, gateway="ams")])
    before = store.get("shop", "A1")
    assert store.watch([watched("A1", gateway="ams"), watched("A1", gateway="ams")]) == 0
    assert store.get("shop", "A1") == before


def test_an_order_never_moves_to_another_gateway_and_nothing_of_the_call_is_added(store):
    store.watch([watched("A1"), watched("A2", gateway="ams")])
    before = store.rows()
    for moved in (watched("A1", gateway="ams"), watched("A2"), watched("A2", gateway="openapi")):
        with pytest.raises(WatchConflict, match="it lives on "):
            store.watch([watched("A0"), moved])
        with pytest.raises(WatchConflict, match="it lives on "):
            store.extend(moved._replace(closes_in=99999))
    with pytest.raises(WatchConflict, match="it lives on ams already"):
        store.watch([watched("B1", gateway="ams"), watched("B1")])
    assert store.rows() == before
    assert store.watch([watched("A1", shop="other", gateway="ams")]) == 1, "another shop's is another order"
    assert store.extend(watched("A2", closes_in=9999, gateway="ams")) is True


@pytest.mark.parametrize("gateway", ["", "MAPI", "alipay", "a" * 11, None, 5])
def test_a_gateway_that_there_is_not_is_refused(store, gateway):
    for work in (lambda entry: store.watch([watched("A0"), entry]), store.extend):
        with pytest.raises(InvalidRequest, match="gateway: one of mapi, ams, openapi"):
            work(watched("A1", gateway=gateway))
    assert store.rows() == []


def test_an_order_that_is_open_again_lives_where_it_lived(store):
    store.watch([watched("A1", gateway="ams")])
    store.apply("shop", "A1", becomes("gave_up", due_at=None))
    assert store.extend(watched("A1", closes_in=9999, gateway="ams")) is True and store.reopen("shop", "A1") == 1
    row, = claim(store)
    store.release([row])
    assert store.get("shop", "A1").gateway == "ams"


# --- a new payment URL ------------------------------------------------------------------------------------------------

def test_a_new_payment_url_moves_the_deadline_on_and_never_back(store, place):
    store.watch([watched("A1", closes_in=1800)])
    assert store.extend(watched("A1", first_in=60, closes_in=3600)) is True
    row = store.get("shop", "A1")
    assert (row.deadline, row.due_at, row.outcome) == (START + 3600, START, "open")
    assert store.extend(watched("A1", first_in=60, closes_in=600)) is False
    assert store.get("shop", "A1") == row


@pytest.mark.parametrize("outcome, opens", [("expired", True), ("gave_up", True), ("open", False), ("paid", False),
                                            ("needs_a_person", False)])
def test_what_was_over_for_want_of_time_is_open_again(store, place, outcome, opens):
    store.watch([watched("A1", closes_in=1800)])
    store.apply("shop", "A1", becomes(outcome, due_at=None, error="x"))
    assert store.extend(watched("A1", first_in=60, closes_in=3600)) is True
    row = store.get("shop", "A1")
    assert (row.outcome, row.due_at, row.last_error) == (("open", START + 60, "") if opens else (outcome, None, "x"))


def test_an_order_of_another_price_or_that_is_not_there_gets_no_later_deadline(store, place):
    store.watch([watched("A1")])
    with pytest.raises(WatchConflict):
        store.extend(Watched("shop", order("A1", "11.00"), 0, 99999))
    assert store.extend(watched("A2", closes_in=99999)) is False and store.get("shop", "A2") is None
