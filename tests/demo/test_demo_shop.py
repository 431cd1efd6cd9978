"""The demo's shop: written with public names alone, and it acts on nothing that is not proved."""
import ast
from decimal import Decimal

import pytest

import alipay_mapi as mapi
from alipay_mapi.demo import audit, numbers, play


def test_the_shop_imports_the_public_package_and_the_standard_library_alone(checkout):
    tree = ast.parse((checkout / "alipay_mapi" / "demo" / "shop.py").read_text(encoding="utf-8"))
    ours = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module in ("collections", "datetime", "decimal", "typing")
        elif isinstance(node, ast.Import):
            ours += [(alias.name, alias.asname) for alias in node.names]
    assert ours == [("alipay_mapi", "mapi")]


def test_the_shop_takes_public_names_from_the_package(checkout):
    tree = ast.parse((checkout / "alipay_mapi" / "demo" / "shop.py").read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name) and node.value.id == "mapi"}
    assert used <= set(mapi.__all__) and {"verify_notify", "Client", "TradeState"} <= used


def test_goods_are_sent_once_for_each_payment_and_for_nothing_else(whole):
    for record in whole.day.shop.books.values():
        assert record.fulfilled <= 1
        assert not record.fulfilled or record.is_paid


def test_returns_and_app_results_book_nothing(whole):
    """Each entry in the books names a notification or a query."""
    assert {record.known_by for record in whole.day.shop.books.values()} == {"", "notification", "query"}
    assert any(verdict.channel == "return" and verdict.verdict == "believed" for verdict in whole.day.shop.log)


def test_nothing_is_left_for_a_person(whole):
    assert whole.day.shop.for_a_person == [] and whole.numbers["for_a_person"] == 0


def test_a_shop_that_believes_every_sign_fails_the_demo(monkeypatch):
    """The comparison is not an ornament."""
    monkeypatch.setattr("alipay_mapi.signing.check", lambda *arguments: None)
    day = play.Day(3, 60)
    try:
        for _ in day.run():
            pass
        assert [one for one in day.wire.played if one.what == "attack" and one.became == "believed"]
        assert audit.compare(day.shop.books, day.rows())
    finally:
        day.close()


def first(ran, wanted):
    return next(record for record in ran.day.shop.books.values() if wanted(record))


def is_refunded(record):
    return record.refunded and record.order.total_fee is not None


@pytest.mark.parametrize("what, wanted, spoil", [
    ("paid", lambda record: record.is_paid and not record.refunds, lambda record, patch: patch.setattr(
        record, "state", mapi.TradeState(record.order))),
    ("refunded", is_refunded, lambda record, patch: patch.setattr(
        next(iter(record.refunds.values())), "status", "asked")),
    ("refunded", is_refunded, lambda record, patch: patch.setattr(
        next(iter(record.refunds.values())), "amount", Decimal("0.01"))),
    ("closed", lambda record: record.state.status == "closed", lambda record, patch: patch.setattr(
        record, "state", mapi.TradeState(record.order))),
    ("goods sent", lambda record: record.fulfilled, lambda record, patch: patch.setattr(record, "fulfilled", 2)),
    ("goods sent", lambda record: record.fulfilled and not record.refunds, lambda record, patch: patch.setattr(
        record, "fulfilled", 0)),
    ("amount", lambda record: record.is_paid, lambda record, patch: patch.setattr(
        record, "order", mapi.Order(record.order.out_trade_no, "1.00"))),
])
def test_the_comparison_notices(short, monkeypatch, what, wanted, spoil):
    record = first(short, wanted)
    spoil(record, monkeypatch)
    found = audit.compare(short.day.shop.books, short.day.rows())
    assert {difference.out_trade_no for difference in found} == {record.order.out_trade_no}
    assert what in [difference.what for difference in found]
    listed = {one["number"]: one["equal"] for one in numbers.order_list(short.day, found)}
    assert [number for number in listed if listed[number] == "no"] == [record.order.out_trade_no]


def test_an_order_that_the_books_do_not_have_is_a_difference(short, monkeypatch):
    number = short.day.rows()[0]["out_trade_no"]
    monkeypatch.delitem(short.day.shop.books, number)
    assert audit.compare(short.day.shop.books, short.day.rows()) == [
        audit.Difference(number, "order", "not there", "there")]


def test_a_refund_waits_until_the_payment_is_known(short):
    """The shop gives nothing back for an order that is not proved to be paid."""
    record = first(short, lambda record: record.state.status == "closed" and record.order.currency)
    asked = len(short.day.gateway.requests())
    assert short.day.shop.refund(record.order.out_trade_no, "NEVER", Decimal("1"), at_once=True) is False
    sent = [one.outcome.service for one in short.day.gateway.requests()[asked:]]
    assert "forex_refund" not in sent and "NEVER" not in record.refunds
