"""The comparison at the end of the move is no ornament: a shop with one mistake, run by the same days, makes it red."""
import sys
from pathlib import Path

import pytest

from alipay_mapi.demo.migrating import audit, kills
from moving import ORDERS, move_of

BUGS = Path(__file__).with_name("migrate_bugs.py")


def moved(bug):
    """(what differs, the move) of a shop with this mistake."""
    move = move_of((sys.executable, str(BUGS), bug))
    try:
        for _ in move.run():
            pass
        sides = audit.sides(move.books, move.store, move.gateway.ledger)
        return audit.compare(sides, move.strays), move
    finally:
        move.close()


def what(differences):
    return {(difference.out_trade_no, difference.what) for difference in differences}


def test_a_refund_that_goes_to_the_other_gateway():
    found, _ = moved("refund_on_the_other_gateway")
    assert [one for one in found if one.what.startswith("refund ") and one.ledger == "none"]


def test_a_notification_of_the_other_gateway_that_is_believed():
    found, move = moved("message_of_the_other_gateway_believed")
    assert move.strays and {(number, "paid") for number in move.strays} <= what(found)
    assert {one.out_trade_no for one in found} == set(move.strays)


def test_an_effect_that_is_done_again_after_the_kill():
    found, move = moved("effect_done_again")
    assert "booked, and not yet recorded as done" in [one["kill"] for one in move.killer.done]
    assert [(one.what, one.books, one.ledger) for one in found] == [("goods sent", "2", "1")]


def test_an_order_that_is_made_again_elsewhere_after_the_kill():
    found, move = moved("order_made_again_elsewhere")
    number = next(one["out_trade_no"] for one in move.killer.done if one["kill"] == kills.ORDER_MADE)
    assert (number, "gateway") in what(found)
    assert {one.out_trade_no for one in found} == {number}


@pytest.mark.parametrize("change, wanted", [
    ("UPDATE orders SET paid=0 WHERE paid=1", {"paid", "amount"}),
    ("UPDATE orders SET closed=0 WHERE closed=1", {"closed"}),
    ("UPDATE orders SET currency='GBP'", {"currency"}),
    ("UPDATE orders SET price='0.01' WHERE paid=1", {"amount"}),
    ("UPDATE orders SET goods=2 WHERE goods=1", {"goods sent"}),
    ("UPDATE refunds SET done=0", {"refunded"}),
    ("UPDATE refunds SET amount='0.01'", {"refunded"}),
    ("DELETE FROM persons", {"for a person"}),
    ("INSERT INTO persons SELECT number, 'something' FROM orders", {"for a person"}),
    ("DELETE FROM orders", {"order"}),
])
def test_whatever_is_altered_in_the_books_is_found(honest, change, wanted):
    """Each kind of entry is held against the ledgers: one change to the books, on a copy."""
    found = honest.with_books(change)
    assert wanted <= {one.what for one in found}


def test_an_order_that_lives_elsewhere_by_the_store_is_found(honest):
    found = honest.with_store("UPDATE mapi_orders SET gateway = CASE gateway WHEN 'ams' THEN 'mapi' ELSE 'ams' END")
    assert len({one.out_trade_no for one in found if one.what == "gateway"}) > ORDERS // 2


def test_an_order_that_is_still_open_is_found(honest):
    assert ("settled", "no", "yes") in {one[1:] for one in honest.with_store("UPDATE mapi_orders SET due_at = 1")}
