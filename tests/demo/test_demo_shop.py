"""The demo's shop: written with public names alone, and it acts on nothing that is not proved."""
import ast
from decimal import Decimal

import pytest

import alipay_mapi as mapi
from alipay_mapi import fallback
from alipay_mapi.demo import audit, books, numbers, play, shop


OURS = ("shop.py", "books.py")


def tree_of(checkout, name):
    return ast.parse((checkout / "alipay_mapi" / "demo" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", OURS)
def test_the_shop_imports_the_public_package_and_the_standard_library_alone(checkout, name):
    for node in ast.walk(tree_of(checkout, name)):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert (node.level, node.module) == (1, "books")
        elif isinstance(node, ast.ImportFrom) and node.module == "alipay_mapi.fallback":
            assert {alias.name for alias in node.names} <= set(fallback.__all__)
        elif isinstance(node, ast.ImportFrom):
            assert node.module in ("collections", "datetime", "decimal", "typing")
        elif isinstance(node, ast.Import):
            assert [(alias.name, alias.asname) for alias in node.names] == [("alipay_mapi", "mapi")]


@pytest.mark.parametrize("name", OURS)
def test_the_shop_takes_public_names_from_the_package(checkout, name):
    used = {node.attr for node in ast.walk(tree_of(checkout, name)) if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name) and node.value.id == "mapi"}
    assert used and used <= set(mapi.__all__)


def test_goods_are_sent_once_for_each_payment_and_for_nothing_else(whole):
    for record in whole.day.shop.books.values():
        assert record.fulfilled <= 1
        assert not record.fulfilled or record.is_paid
        assert set(record.booked.values()) <= {1}


def test_returns_and_app_results_book_nothing(whole):
    """Each entry in the books names a notification or a query."""
    assert {record.known_by for record in whole.day.shop.books.values()} == {"", "notification", "query"}
    assert any(verdict.channel == "return" and verdict.verdict == "believed" for verdict in whole.day.shop.log)


def test_a_shop_that_believes_every_sign_fails_the_demo(monkeypatch):
    """The comparison is not an ornament."""
    monkeypatch.setattr("alipay_mapi.signing.check", lambda *arguments: None)
    day, found = differences(3, 60)
    assert [one for one in day.wire.played if one.what == "attack" and one.became == "believed"]
    assert found


def differences(seed, orders):
    """A day played for one test: the day, and where books and ledger differ."""
    day = play.Day(seed, orders)
    try:
        for _ in day.run():
            pass
        return day, audit.compare(day.shop.books, day.rows())
    finally:
        day.close()


def test_a_shop_without_its_fallback_fails_the_demo(monkeypatch):
    """Every payment that was never notified is missing, and so is every order that ended without a notification."""
    monkeypatch.setattr(shop.Shop, "cron", lambda self: fallback.Tally(0, {}, {}, 0, 0, "done", 0.0))
    day, found = differences(3, 40)
    lost = {plan.number for plan in day.plans if plan.fault == "lost" and not plan.refund}
    away = {plan.number for plan in day.plans if plan.story == "never comes"}
    assert lost and lost <= {one.out_trade_no for one in found if one.what == "paid"}
    assert away and away <= {one.out_trade_no for one in found if one.what == "closed"}


def test_a_shop_that_does_not_look_at_the_key_fails_the_demo(monkeypatch):
    """The killed worker's effect comes again; the goods are sent twice."""
    monkeypatch.setattr(shop.Shop, "is_booked", lambda self, record, key: False)
    day, found = differences(3, 40)
    number = day.cron.killed["out_trade_no"]
    assert day.shop.books[number].fulfilled == 2
    assert set(found) == {audit.Difference(number, "goods sent", "2", "1"),
                          audit.Difference(number, "effect paid", "carried out 2 times", "once")}


def test_a_shop_whose_handler_forgets_fails_the_demo(monkeypatch):
    """It says that an effect is done, and has booked nothing."""
    monkeypatch.setattr(books.Record, "book", lambda record, effect, now: None)
    assert {one.what for one in differences(3, 12)[1]} >= {"paid", "amount", "goods sent", "closed"}


def first(ran, wanted):
    return next(record for record in ran.day.shop.books.values() if wanted(record))


def is_refunded(record):
    return record.refunded and record.order.total_fee is not None


@pytest.mark.parametrize("what, wanted, spoil", [
    ("paid", lambda record: record.is_paid and not record.refunds, lambda record, patch: patch.setattr(
        record, "is_paid", False)),
    ("refunded", is_refunded, lambda record, patch: patch.setattr(
        next(iter(record.refunds.values())), "status", "asked")),
    ("refunded", is_refunded, lambda record, patch: patch.setattr(
        next(iter(record.refunds.values())), "amount", Decimal("0.01"))),
    ("closed", lambda record: record.is_closed, lambda record, patch: patch.setattr(record, "is_closed", False)),
    ("closed", lambda record: record.is_paid, lambda record, patch: patch.setattr(record, "is_closed", True)),
    ("for a person", lambda record: record.is_paid, lambda record, patch: patch.setattr(record, "concerns", ["so"])),
    ("for a person", lambda record: record.is_closed, lambda record, patch: patch.setattr(record, "concerns", ["so"])),
    ("for a person", lambda record: record.concerns, lambda record, patch: patch.setattr(record, "fulfilled", 1)),
    ("paid", lambda record: record.concerns, lambda record, patch: patch.setattr(record, "concerns", [])),
    ("effect paid", lambda record: record.fulfilled, lambda record, patch: patch.setattr(
        record, "booked", {"shop:paid::number": 2})),
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
    record = first(short, lambda record: record.is_closed and record.order.currency)
    asked = len(short.day.gateway.requests())
    assert short.day.shop.refund(record.order.out_trade_no, "NEVER", Decimal("1")) is False
    assert len(short.day.gateway.requests()) == asked and "NEVER" not in record.refunds


def test_a_refund_at_the_console_is_proved_before_it_is_booked(whole):
    """Some of their notifications are lost, and a mainland one names no refund: then the shop asks."""
    for plan in whole.day.plans:
        record = whole.day.shop.books[plan.number]
        assert not record.at_console
        if record.refunds and plan.refund.endswith("console"):
            assert [refund.status for refund in record.refunds.values()] == ["done"]
