"""``migrate plan``: what the store says of the orders that only MAPI can still settle or refund."""
import pytest
from cli_samples import load

from alipay_mapi.cli import exits
from alipay_mapi.cli.migrate_plan import known
from alipay_mapi.fallback import open_store, refunding
from alipay_mapi.fallback.deciding import EXPIRED, GAVE_UP, OPEN, Decision
from alipay_mapi.fallback.rows import Row, Watched
from alipay_mapi.fallback.schedule import Schedule
from alipay_mapi.migration import plan
from alipay_mapi.order import Order
from alipay_mapi.trade_state import CLOSED, PAID

DAY = 86400.0
NOW = 1700000000.0
ROW = Row(1, "shop", "A1", "8.00||USD", "", "", OPEN, NOW - 3600, NOW, NOW, NOW - 60, 1, "", "", "mapi")


@pytest.fixture
def store(tmp_path):
    """The URL of a store: A1 is open, A2 paid, A3 never paid, A4 was given up; X1 lives on AMS."""
    url = str(tmp_path / "orders.db")
    with open_store(url) as store:
        store.watch([Watched("shop", Order(number, total_fee="8.00", currency="USD"), 60, 3600, gateway)
                     for number, gateway in (
                         ("A1", "mapi"), ("A2", "mapi"), ("A3", "mapi"), ("A4", "mapi"), ("X1", "ams"))])
        for number, outcome in (("A2", PAID), ("A3", CLOSED), ("A4", GAVE_UP), ("X1", PAID)):
            store.apply("shop", number, lambda row, outcome=outcome: Decision(None, outcome, None))
    return url


def test_the_orders_of_mapi_are_counted_beside_those_of_others(run, store):
    found = load(run("migrate", "plan", "--store", store, "--json"))
    told = {row["gateway"]: row for row in found["counts"]}
    assert {name: told["mapi"][name] for name in ("orders", "open", "refundable", "persons", "over")} == {
        "orders": 4, "open": 1, "refundable": 2, "persons": 1, "over": 1}
    assert told["ams"]["orders"] == told["ams"]["refundable"] == 1
    assert "orders" not in found and found["persons"] == 1 and found["switch_off"] > found["settled"] > found["at"]


def test_people_get_tables_and_a_conclusion(run, store):
    ran = run("migrate", "plan", "--store", store)
    assert ran.code == exits.DONE and ran.err == ""
    for words in ("366 days after the payment", "shop   MAPI   1", "shop   AMS", "refund windows",
                  "1 order of MAPI must be looked at", "switch off MAPI after 2", "settled    the last open order"):
        assert words in ran.out
    assert "A1" not in ran.out


def test_the_orders_are_named_on_demand(run, store):
    ran = run("migrate", "plan", "--store", store, "--list")
    assert "A1" in ran.out and "A2" in ran.out and "A3" not in ran.out and "X1" not in ran.out
    found = load(run("migrate", "plan", "--store", store, "--list", "--json"))
    assert [(one["out_trade_no"], one["settle_until"] is None, one["why"] != "") for one in found["orders"]] == [
        ("A1", False, False), ("A2", True, False), ("A4", True, True)]


def test_a_short_window_ends_soon_and_days_are_counted(run, store):
    found = load(run("migrate", "plan", "--store", store, "--refund-window", "0", "--by", "day", "--json"))
    assert [(one["open"], one["refundable"]) for one in found["ends"]] == [(1, 1)]
    assert len(found["ends"][0]["when"]) == 10 and found["refund_window"] == 0
    assert run("migrate", "plan", "--store", store, "--refund-window", "long").code == exits.USAGE


def test_an_empty_store_needs_no_mapi(run, tmp_path):
    url = str(tmp_path / "none.db")
    open_store(url).close()
    ran = run("migrate", "plan", "--store", url)
    assert ran.code == exits.DONE
    assert "MAPI now, if no new order is made there: nothing in this store needs it" in ran.out


def test_a_store_that_is_not_there_is_told(run):
    assert run("migrate", "plan", "--store", "lost.db").code == exits.CONFIGURATION
    assert run("migrate", "plan").code == exits.CONFIGURATION


def test_an_open_order_is_settled_by_its_last_late_question():
    """Which comes seven days and the margin after its deadline, and jitter later."""
    found = known(ROW, Schedule(), NOW)
    assert found.state == plan.OPEN and 0 <= found.settled_by - (NOW + 600 + 7 * DAY) <= 0.07 * DAY + 1
    assert found.paid_by == found.settled_by


@pytest.mark.parametrize("row, state", [
    (ROW._replace(outcome=EXPIRED), plan.OPEN), (ROW._replace(outcome=EXPIRED, due_at=None), plan.OVER),
    (ROW._replace(outcome=PAID, due_at=None), plan.PAID), (ROW._replace(outcome=CLOSED, due_at=None), plan.OVER),
    (ROW._replace(outcome=GAVE_UP, due_at=None), plan.UNDECIDED)])
def test_each_outcome_has_its_state(row, state):
    assert known(row, Schedule(), NOW + 30 * DAY).state == state


def test_a_paid_order_was_paid_now_at_the_latest():
    row = ROW._replace(outcome=PAID, due_at=None)
    assert known(row, Schedule(), NOW + DAY).paid_by == NOW + DAY
    assert known(row, Schedule(), NOW + 99 * DAY).paid_by < NOW + 9 * DAY


@pytest.mark.parametrize("amount, status, state, under_way", [
    ("8.00", refunding.DONE, plan.OVER, 0), ("7.99", refunding.DONE, plan.PAID, 0),
    ("8.00", refunding.ACCEPTED, plan.PAID, 1), ("8.00", refunding.REFUSED, plan.PAID, 0)])
def test_refunds_of_an_order_are_counted(amount, status, state, under_way):
    refunds = refunding.to_text((refunding.Refund("R1", amount, "20260101120000", "", NOW, status),))
    found = known(ROW._replace(outcome=PAID, due_at=None, refunds=refunds), Schedule(), NOW)
    assert (found.state, found.refunds) == (state, under_way)


def test_a_row_that_cannot_be_read_is_for_a_person():
    found = known(ROW._replace(outcome=PAID, refunds="{"), Schedule(), NOW)
    assert found.state == plan.PAID and "cannot be read" in found.why
