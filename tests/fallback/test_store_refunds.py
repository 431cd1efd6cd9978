"""Which order a refund belongs to, by the refund's number alone: AMS's notification of a refund names no order."""
import re

import pytest

from alipay_mapi.fallback import refunding
from alipay_mapi.fallback.stores.refund_search import BY_REFUND, pattern

from stores_under_test import SERVERS, START, becomes, watched

ODD = ["R%1", "R_1", "R!1", "R'1", "[R1]", "R\\1", "R\\\\u0041", "R 1", "R,1", "{%s}", ":shop", "%", "_" * 64, "?",
       "%%"]


def asked(number, reason="", **more):
    return refunding.Refund(number, "1.00", "20260301120000", reason, START, **more)


def with_refunds(store, number, *refunds, shop="shop", gateway="mapi"):
    store.watch([watched(number, shop=shop, gateway=gateway)])
    text = refunds[0] if isinstance(refunds[0], str) else refunding.to_text(refunds)
    store.apply(shop, number, becomes("paid", refunds=text))


def found(store, number, **more):
    row = store.order_of_refund("shop", number, **more)
    return row and row.out_trade_no


def test_the_order_of_a_refund_is_found_by_each_of_its_refunds_whatever_became_of_them(store):
    store.watch([watched("A0")])
    with_refunds(store, "A1", asked("R1", status="done"), asked("R2", "茶 \"R9\"", status="refused"), asked("R3"))
    with_refunds(store, "A2", asked("R4"))
    assert [found(store, number) for number in ("R1", "R2", "R3", "R4")] == ["A1", "A1", "A1", "A2"]
    assert found(store, "R9") is None and found(store, "A1") is None
    assert store.order_of_refund("shop", "R4") == store.get("shop", "A2")


def test_only_the_shops_own_orders_are_looked_at(store):
    with_refunds(store, "A1", asked("R1"), shop="other")
    assert found(store, "R1") is None
    with_refunds(store, "A2", asked("R1"))
    assert found(store, "R1") == "A2" and store.order_of_refund("other", "R1").out_trade_no == "A1"


def test_a_number_that_two_orders_have_names_neither(store):
    """Alipay carried out one of the two; crediting the wrong one would be a refund that was never made."""
    with_refunds(store, "A1", asked("R1"))
    with_refunds(store, "A2", asked("R2"), asked("R1", status="refused"))
    assert found(store, "R1") is None and found(store, "R2") == "A2"


def test_the_same_number_on_two_gateways_is_two_refunds(store):
    with_refunds(store, "A1", asked("R1"))
    with_refunds(store, "A2", asked("R1"), gateway="ams")
    assert found(store, "R1") is None
    assert (found(store, "R1", gateway="mapi"), found(store, "R1", gateway="ams")) == ("A1", "A2")
    assert found(store, "R1", gateway="openapi") is None
    assert store.order_of_refund("shop", "R1", "ams").gateway == "ams"


@pytest.mark.parametrize("number", ODD)
def test_a_number_is_compared_character_by_character_whatever_it_means_to_a_database(store, number):
    with_refunds(store, "A1", asked(number))
    with_refunds(store, "A2", asked("R1"), asked("r" + "0" * 40), asked("R\\u0041"))
    assert found(store, number) == "A1"
    for other in ("R2", "R", "1", "r1", "%1", number[:63] + "1", "X" + number[:60]):
        assert found(store, other) is None, other


def test_a_part_of_another_text_is_no_number(store):
    with_refunds(store, "A1", asked("R1", reason='["R2",', error='["R3","'), asked("R10"))
    assert [found(store, number) for number in ("R2", "R3", "R", "1", "1.00", "done", "R10")] == [None] * 6 + ["A1"]


@pytest.mark.parametrize("shop, number", [("shop", "R\0"), ("shop", "\ud800"), ("shop", ""), ("shop", "R" * 65),
                                          ("shop", 'R"1'), ("shop", None), ("shop", 1), ("a:b", "R1"), (None, "R1")])
def test_what_cannot_be_a_refunds_number_is_no_refund(store, shop, number):
    with_refunds(store, "A1", asked("R1"))
    assert store.order_of_refund(shop, number) is None


def test_refunds_that_cannot_be_read_are_nobodys(store):
    with_refunds(store, "A1", '[["R1",changed by hand')
    assert found(store, "R1") is None
    with_refunds(store, "A2", asked("R1"))
    assert found(store, "R1") == "A2"


def test_what_the_database_is_asked_finds_every_refund_that_is_written():
    """``%`` and ``_`` stand for anything unless ``!`` is before them: LIKE, played by a regular expression."""
    for number in ODD + ["R1"]:
        like = re.sub(r"(?s)!(.)|(%)|(_)|([^!%_])", lambda part: re.escape(part.group(1) or part.group(4) or "") or (
            ".*" if part.group(2) else "."), pattern(number))
        for refunds in ([asked(number)], [asked("R0"), asked(number)]):
            assert re.fullmatch(like, refunding.to_text(tuple(refunds))), (number, like)
        assert not re.fullmatch(like, refunding.to_text((asked(number + "x"),)))


def test_the_index_of_the_rows_with_refunds_is_used(store, place):
    """A shop has a million orders, and a few refunds."""
    with_refunds(store, "A0", asked("R1"))
    store.watch([watched("A{}".format(number)) for number in range(1, 400)])
    statement = BY_REFUND.replace(":shop", "'shop'").replace(":pattern", "'{}'".format(pattern("R1")))
    if place.kind in SERVERS:
        statement = statement.replace("%", "%%")
    if place.server in SERVERS:
        place.execute(store, "ANALYZE {} mapi_orders".format("TABLE" * (place.server == "mariadb")))
    plan = place.execute(store, "EXPLAIN {}{}".format("QUERY PLAN " * (place.server not in SERVERS), statement))
    assert "mapi_orders_refunds" in repr(plan), plan
    if place.server == "mariadb":
        assert int(plan[0][8]) < 10, plan      # how many rows it means to look at
