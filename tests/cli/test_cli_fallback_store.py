"""``fallback status``, ``refund``, ``retry``, ``migrate`` and ``prune``."""
import sqlite3
import time
from contextlib import closing

import pytest
from cli_samples import load
from fallback_shop import HANDLER, effects, write_ini, write_orders

from alipay_mapi import Client, Order
from alipay_mapi.fallback import Fallback, open_store, refunding
from alipay_mapi.fallback.deciding import Decision
from alipay_mapi.testing import TestGateway

DAY = 86400.0
CONFIG = ("--config", "shop.ini")
RUN = ("fallback", "run", "--config", "shop.ini", "--handler", "test_cli_handler_of_a_shop:settle")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A1 is paid, A2 waits for its buyer."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "test_cli_handler_of_a_shop.py").write_text(HANDLER)
    with TestGateway() as gateway:
        write_ini(tmp_path, gateway.settings("md5"))
        gateway.place("A1", total_fee="8.00", currency="USD")
        gateway.pay("A1", lose=True)
        gateway.place("A2", total_fee="8.00", currency="USD")
        gateway.log_in("A2")
        yield gateway
    import sys
    sys.modules.pop("test_cli_handler_of_a_shop", None)


@pytest.fixture
def watched(run, shop, tmp_path):
    assert run("fallback", "watch", write_orders(tmp_path, "A1", "A2"), *CONFIG).code == 0
    return shop


def store_at(seconds_ago=0.0):
    return closing(open_store("orders.db", clock=lambda: time.time() - seconds_ago))


# --- status -----------------------------------------------------------------------------------------------------------

def test_status_counts_by_shop_and_outcome_and_needs_no_key(run, watched):
    run(*RUN)
    ran = run("fallback", "status", "--store", "orders.db")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split() for line in ran.out.splitlines()] == [
        ["store", "orders.db"], ["orders", "2"], ["due", "now", "0"], ["effects", "0", "to", "carry", "out"],
        ["for", "a", "person", "0"], [], ["shop", "open", "paid"], ["md5", "1", "1"]]


def test_status_of_an_empty_store(run, tmp_path):
    with store_at():
        pass
    told = load(run("fallback", "status", "--store", "orders.db", "--json"))
    assert (told["watched"], told["shops"], told["due"], told["effects"]) == (0, {}, 0, 0)


def test_status_tells_backlog_age_effects_and_last_errors(run, watched, tmp_path):
    with store_at(3 * 3600) as store:
        Fallback(store, {"md5": Client(watched.shop())}).watch("md5", Order("A0", total_fee="8.00", currency="USD"),
                                                               timeout="1d", first_in=0)
    run("fallback", "run", "--config", "shop.ini", "--handler", "test_cli_handler_of_a_shop:refuse", "--limit", "3")
    watched.fail("answer-forged", times=10)
    with store_at(-120) as store:
        Fallback(store, {"md5": Client(watched.shop(), sleep=lambda _: None)}).run()
    ran = run("fallback", "status", *CONFIG)
    assert "1 to carry out, 1 of them failed before" in ran.out
    assert "effects whose handler failed" in ran.out and "ValueError" in ran.out and "buyer@" not in ran.out
    assert "last errors" in ran.out and "ResponseSignatureInvalid" in ran.out
    told = load(run("fallback", "status", "--json", *CONFIG))
    assert told["failing"][0]["out_trade_no"] == "A1"
    assert told["errors"][0]["error"].startswith("ResponseSignatureInvalid")


def test_status_says_how_late_the_oldest_is(run, tmp_path):
    write_orders(tmp_path, "A1", made_at="2025-01-01T00:00:00Z")
    run("fallback", "watch", "orders.csv", "--store", "orders.db")
    ran = run("fallback", "status", "--store", "orders.db")
    line, = [line for line in ran.out.splitlines() if line.startswith("due now")]
    assert line.split(None, 2)[2].startswith("1, the oldest since ") and line.endswith(" days: is cron running?")
    assert load(run("fallback", "status", "--store", "orders.db", "--json"))["late"] is True


def test_status_of_orders_that_are_due_for_a_while_blames_nobody(run, watched):
    told = run("fallback", "status", "--store", "orders.db").out
    assert "the oldest since" in told and "cron" not in told


def test_status_lists_who_needs_a_person_after_the_handler_was_told_and_the_refunds(run, shop, tmp_path):
    """A1 was paid twice as dear as the shop thinks; a refund of A2 is refused, since the merchant has no money."""
    shop.place("M1", service="create_direct_pay_by_user", total_fee="9.00")
    shop.pay("M1", lose=True)
    (tmp_path / "cny.csv").write_text("out_trade_no,total_fee,currency\nM1,8.00,\nA1,8.00,USD\n")
    run("fallback", "watch", "cny.csv", *CONFIG)
    run(*RUN)
    run(*REFUND + ("--yes",))
    told = load(run("fallback", "status", "--json", *CONFIG))
    assert told["refunds"] == [{"shop": "md5", "out_trade_no": "A1", "out_return_no": "R1", "amount": "2.00",
                                "status": "asked", "error": ""}]
    shop.change(balance="0.00")
    for later in (0, 1, 2, 3):
        with store_at(-4000 * later) as store:
            Fallback(store, {"md5": Client(shop.shop())}, lambda effect: None, refunds_apart=None).run(workers=0)
    told = load(run("fallback", "status", "--json", *CONFIG))
    assert told["effects"] == 0 and told["for_a_person"] == 2 and told["refund_counts"] == {"refused": 1}
    assert [one["out_trade_no"] for one in told["needs_a_person"]] == ["M1", "A1"]
    assert told["needs_a_person"][0]["why"] == "AmountMismatch"
    assert told["needs_a_person"][1]["why"].startswith("refund R1: GatewayError ")
    text = run("fallback", "status", *CONFIG).out
    assert "a person must look" in text and "refunds that are not done" in text
    assert ["md5", "M1", "AmountMismatch"] in [line.split() for line in text.splitlines()]
    assert ["for", "a", "person", "2"] in [line.split() for line in text.splitlines()]


def test_status_lists_twenty_and_says_how_many_more(run, watched):
    numbers = ["G{:03d}".format(number) for number in range(120)]
    with store_at() as store:
        fallback = Fallback(store, {"md5": Client(watched.shop())})
        for number in numbers:
            fallback.watch("md5", Order(number, total_fee="8.00", currency="USD"), first_in=9999)
            store.apply("md5", number, lambda row: Decision(None, "gave_up", None, (), "TransportError: x"))
    ran = run("fallback", "status", *CONFIG)
    assert ran.out.count("gave up: TransportError: x") == 20
    assert "100 more; --json tells the last hundred" in ran.out
    told = load(run("fallback", "status", "--json", *CONFIG))
    assert told["for_a_person"] == 120 and [one["out_trade_no"] for one in told["needs_a_person"]] == numbers[20:]


def test_no_such_trade_yet_is_no_error_of_status(run, shop, tmp_path):
    run("fallback", "watch", write_orders(tmp_path, "A9", made_at="2025-01-01T00:00:00Z"), *CONFIG)
    run(*RUN)
    ran = run("fallback", "status", *CONFIG)
    assert "last errors" not in ran.out and "TRADE_NOT_EXIST" not in ran.out
    assert load(run("fallback", "status", "--json", *CONFIG))["errors"] == []


# --- refund -----------------------------------------------------------------------------------------------------------

REFUND = ("fallback", "refund", "--out-trade-no", "A1", "--out-return-no", "R1", "--amount", "2.00", *CONFIG)


def test_a_refund_is_written_down_and_the_runs_send_it_once(run, watched, tmp_path):
    run(*RUN)
    ran = run(*REFUND + ("--yes",))
    assert ran.code == 0 and ran.out.startswith("written    refund R1 of order A1: 2.00 USD")
    assert watched.refunds() == []
    assert run(*REFUND + ("--yes",)).code == 0      # the same again changes nothing
    run(*RUN)
    run(*RUN)
    refund, = watched.refunds()
    assert (refund["out_return_no"], str(refund["amount"])) == ("R1", "2.00")


def test_without_yes_nothing_is_written(run, watched):
    ran = run(*REFUND)
    assert ran.code == 2 and "nothing was written: a refund needs --yes" in ran.err
    assert ["out_return_no", "R1"] in [line.split() for line in ran.out.splitlines()]
    assert load(run(*REFUND + ("--json",)))["written"] is False
    with store_at() as store:
        assert store.get("md5", "A1").refunds == ""


@pytest.mark.parametrize("argv, code, words", [
    (["--out-trade-no", "A9"], 2, "--out-trade-no: A9 of the shop md5 is not watched"), (["--amount", "2.001"], 2,
    "--amount"),
    (["--amount", "0"], 2, ""),
    (["--amount", "8.01"], 2, "--amount: the order was for 8.00 USD, and not more"),
    (["--out-return-no", "R 1\n"], 2, "--out-return-no"),
    (["--merchant", "tokyo"], 78, "no section tokyo"), (["--store", "none.db"], 78, "none.db"),
])
def test_a_refund_that_cannot_be_is_refused(run, watched, argv, code, words):
    ran = run(*REFUND + ("--yes",) + tuple(argv))
    assert ran.code == code and words in ran.err
    with store_at() as store:
        assert store.get("md5", "A1").refunds == ""


@pytest.mark.parametrize("price, currency", [({"total_fee": "8.00"}, "USD"), ({"rmb_fee": "8.00"}, "CNY")])
def test_the_refunds_of_an_order_do_not_come_to_more_than_its_price(run, watched, price, currency):
    with store_at() as store:
        Fallback(store, {"md5": Client(watched.shop())}).watch("md5", Order("P1", currency="USD", **price))
    wish = ("fallback", "refund", "--out-trade-no", "P1", *CONFIG)
    for number, amount, code in (("R1", "8.01", 2), ("R1", "5.00", 0), ("R2", "3.01", 2), ("R2", "3.00", 0),
                                 ("R3", "0.01", 2), ("R1", "5.00", 0)):
        ran = run(*wish + ("--out-return-no", number, "--amount", amount, "--yes"))
        assert ran.code == code, (number, amount, ran.err)
        if code:
            assert "the order was for 8.00 " + currency in ran.err
        dry = run(*wish + ("--out-return-no", number, "--amount", amount))       # told before it is confirmed
        assert ("the order was for" in dry.err) is bool(code)
    with store_at() as store:
        assert [one.out_return_no for one in refunding.from_text(store.get("md5", "P1").refunds)] == ["R1", "R2"]


def test_a_refund_that_was_refused_leaves_room(run, watched):
    with store_at() as store:
        refused = refunding.Refund("R1", "8.00", "20260301120000", "", 0.0, refunding.REFUSED)
        store.apply("md5", "A1", lambda row: Decision(None, "paid", None, refunds=refunding.to_text((refused,))))
    assert run(*REFUND + ("--out-return-no", "R2", "--amount", "8.00", "--yes")).code == 0


def test_what_a_refund_needs_is_required(run, watched):
    for at in (2, 4, 6):
        ran = run(*REFUND[:at] + REFUND[at + 2:] + ("--yes",))
        assert ran.code == 2 and REFUND[at] in ran.err


# --- retry ------------------------------------------------------------------------------------------------------------

def give_up(watched):
    """A2 is asked about in vain until its time is over, and for more than a day after it."""
    watched.fail("answer-forged", times=1000)
    client = Client(watched.shop(), sleep=lambda _: None)
    for days in (0, 3, 5):
        with store_at(-days * DAY) as store:
            Fallback(store, {"md5": client}).run()
    with store_at() as store:
        assert store.get("md5", "A2").outcome == "gave_up"
    watched.reset()


def test_what_was_given_up_is_asked_about_again_and_was_told_until_then(run, watched):
    give_up(watched)
    ran = run("fallback", "status", *CONFIG)
    assert "a person must look" in ran.out and "gave up: ResponseSignatureInvalid" in ran.out
    ran = run("fallback", "retry", *CONFIG)
    assert (ran.code, ran.out) == (0, "asked again   2, by the next run\n")
    with store_at() as store:
        assert store.counts()["due"] == 2


def test_one_order_is_asked_about_again_whatever_became_of_it(run, watched):
    run(*RUN)
    requests = len(watched.requests())
    told = load(run("fallback", "retry", "--out-trade-no", "A1", "--merchant", "md5", "--json", *CONFIG))
    assert told["asked_again"] == 1
    run(*RUN)
    assert [one.outcome.params["out_trade_no"] for one in watched.requests()][requests:] == ["A1"]


def test_a_number_or_a_shop_that_is_not_there_is_told(run, watched):
    ran = run("fallback", "retry", "--out-trade-no", "A9", *CONFIG)
    assert ran.code == 2 and "A9 is not watched" in ran.err
    assert run("fallback", "retry", "--merchant", "tokyo", *CONFIG).code == 78
    assert run("fallback", "retry", *CONFIG).out == "asked again   0, by the next run\n"


# --- migrate, prune ---------------------------------------------------------------------------------------------------

def set_schema(value):
    with closing(sqlite3.connect("orders.db")) as db:
        db.execute("UPDATE mapi_meta SET value=? WHERE name='schema'", (value,))
        db.commit()


def test_migrate_says_that_there_is_nothing_to_do(run, watched):
    ran = run("fallback", "migrate", *CONFIG)
    assert ran.code == 0 and "nothing    to do: the store has schema 2" in ran.out
    told = load(run("fallback", "migrate", "--json", *CONFIG))
    assert (told["before"], told["after"]) == ("2", "2")


def test_migrate_says_from_what_to_what(run, watched, monkeypatch):
    from alipay_mapi.fallback.stores import sqlite_schema
    monkeypatch.setitem(sqlite_schema.UPGRADES, "0", ("2", lambda db: None))
    set_schema("0")
    ran = run("fallback", "run", *CONFIG)
    assert ran.code == 78 and "fallback migrate" in ran.err
    ran = run("fallback", "migrate", *CONFIG)
    assert ran.code == 0 and "migrated   from schema 0 to 2" in ran.out
    assert run(*RUN).code == 0


def test_a_store_of_a_later_version_is_left_alone(run, watched):
    set_schema("99")
    for command in ("run", "status", "migrate"):
        ran = run("fallback", command, *CONFIG)
        assert ran.code == 78 and "update alipay-mapi" in ran.err
    set_schema("2")


def test_prune_deletes_what_has_long_been_settled(run, shop, tmp_path):
    with store_at(100 * DAY) as store:
        old = Fallback(store, {"md5": Client(shop.shop())}, lambda effect: None)
        for number in ("A1", "A2"):
            old.watch("md5", Order(number, total_fee="8.00", currency="USD"), timeout="15d", first_in=0)
        old.run()       # A1 is settled, A2 is not
    assert load(run("fallback", "prune", "--older", "101d", "--json", *CONFIG))["deleted"] == 0
    ran = run("fallback", "prune", "--older", "90d", *CONFIG)
    assert (ran.code, ran.out) == (0, "deleted   1 order and its effects\n")
    with store_at() as store:
        assert [row.out_trade_no for row in store.rows()] == ["A2"]


def test_prune_needs_a_time_and_not_a_short_one(run, watched):
    assert run("fallback", "prune", *CONFIG).code == 2
    ran = run("fallback", "prune", "--older", "1d", *CONFIG)
    assert ran.code == 2 and "2d at least" in ran.err


def test_a_row_that_cannot_be_read_is_told_and_keeps_no_other_from_being_settled(run, watched, tmp_path):
    with closing(sqlite3.connect("orders.db")) as db:
        db.execute("UPDATE mapi_orders SET facts='{' WHERE out_trade_no='A2'")
        db.commit()
    ran = run(*RUN)
    assert "Traceback" not in ran.err and effects(tmp_path)[:1] == ["md5:paid::A1"]
