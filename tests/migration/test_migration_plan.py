"""When MAPI can be switched off, by orders that are given one by one."""
from alipay_mapi.migration.plan import DAY, OPEN, OVER, PAID, REFUND_WINDOW, UNDECIDED, Known, Plan
from alipay_mapi.times import parse_time

NOW = parse_time("2026-11-22 12:00:00").timestamp()
LATER = NOW + 8 * DAY


def order(state, settled_by=NOW - 5 * DAY, paid_by=NOW - 5 * DAY, gateway="mapi", **more):
    return Known("shop", gateway, "A1", state, settled_by, paid_by, **more)


def planned(*orders, **settings):
    plan = Plan(NOW, **settings)
    return plan, plan.take_all(orders)


def test_an_open_order_needs_mapi_until_it_is_settled_and_then_for_its_refund():
    plan, (needed,) = planned(order(OPEN, LATER, LATER), refund_window=90 * DAY)
    assert (needed.settle_until, needed.refund_until) == (LATER, LATER + 90 * DAY)
    assert (plan.settled, plan.switch_off) == (LATER, LATER + 90 * DAY)
    assert plan.ends == {"2026-11": [1, 0], "2027-02": [0, 1]}


def test_a_paid_order_needs_it_until_its_window_ends():
    plan, (needed,) = planned(order(PAID), order(PAID, paid_by=NOW - 100 * DAY), refund_window=90 * DAY, by_day=True)
    assert (needed.settle_until, needed.refund_until) == (None, NOW + 85 * DAY)
    assert plan.ends == {"2027-02-15": [0, 1]}
    count = plan.counts["shop", "mapi"]
    assert (count.orders, count.open, count.refundable, count.over) == (2, 0, 1, 1)


def test_twelve_months_are_taken_for_the_window_by_default():
    plan, _ = planned(order(PAID, paid_by=NOW))
    assert plan.switch_off == NOW + REFUND_WINDOW == NOW + 366 * DAY


def test_an_order_that_nobody_has_decided_is_taken_as_paid_and_told():
    plan, (needed,) = planned(order(UNDECIDED, why="gave up"), refund_window=90 * DAY)
    assert needed.refund_until == NOW + 85 * DAY and (plan.persons, needed.why) == (1, "gave up")


def test_a_refund_under_way_is_told_whatever_its_window():
    plan, (needed,) = planned(order(PAID, refunds=2), refund_window=DAY)
    assert needed.refund_until is None and plan.refunds == 2 and plan.switch_off is None


def test_orders_that_are_over_and_those_of_other_gateways_do_not_keep_mapi():
    plan, needed = planned(order(OVER), order(OPEN, LATER, LATER, "ams"), order(PAID, gateway="openapi", why="x"))
    assert needed == [] and (plan.switch_off, plan.settled, plan.persons, plan.ends) == (None, None, 0, {})
    assert plan.counts["shop", "ams"].open == 1 and plan.counts["shop", "openapi"].persons == 1


def test_an_open_order_whose_time_is_over_is_settled_by_the_next_run():
    _, (needed,) = planned(order(OPEN))
    assert needed.settle_until == NOW


def test_what_a_person_must_look_at_is_listed_although_its_window_is_over():
    plan, (needed,) = planned(order(UNDECIDED, paid_by=NOW - 100 * DAY, why="gave up"), refund_window=90 * DAY)
    assert (needed.refund_until, needed.why, plan.persons) == (None, "gave up", 1)
