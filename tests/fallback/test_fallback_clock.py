"""The whole fallback while the store's clock does what clocks do.

What a jump ahead does: the store cannot tell it from time that has passed. An order whose deadline it jumps over, and
which the gateway does not know yet, expires, and the shop is told *closed*; that is a decision about the order, not
about money. A payment that comes later is recorded and told as *paid* all the same, whether its notification brings it,
or the buyer's return (``ask_soon``), or ``retry``.
"""
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from alipay_mapi.fallback import refunding

from fallback_setup import Asked, Desk, START, Shop, answer, gateway, note, refusal

DAY, HOUR = 86400, 3600
JUMPS = [DAY, -DAY, HOUR, -HOUR]


@pytest.fixture
def shop():
    with gateway() as one:
        shop = Shop(one)
        yield shop
        shop.close()


def kinds(desk):
    return [kind for kind, _, _ in desk.effects()]


def test_T93_a_jump_past_the_deadline_expires_an_order_and_a_payment_that_is_notified_later_still_counts():
    """Hostile: the clock jumps a day ahead within the buyer's twelve hours, and back. Genuine: he pays after all."""
    with Desk(Asked(lambda number: refusal())) as desk:
        desk.watch()
        desk.run()
        desk.run(DAY)
        desk.run(61)
        assert desk.row().outcome == "expired" and kinds(desk) == ["closed"]
        desk.clock.now -= DAY
        desk.run(HOUR)
        assert desk.row().outcome == "expired" and len(desk.client.log) == 3
        desk.fallback.notified("shop", note())
        assert desk.row().outcome == "paid" and kinds(desk) == ["closed", "paid"]
        desk.run(DAY)
        assert kinds(desk) == ["closed", "paid"] and desk.row().due_at is None


@pytest.mark.parametrize("how", ["the buyer is back", "retry", "a notification that he is at the cashier"])
def test_one_whose_notification_is_lost_is_found_when_anybody_asks(how):
    with Desk(Asked(lambda number: refusal())) as desk:
        desk.watch()
        desk.run(DAY)
        desk.run(61)
        assert desk.row().outcome == "expired"
        desk.clock.now -= DAY
        desk.client.answers = lambda number: answer(number)
        if how == "the buyer is back":
            desk.fallback.ask_soon("shop", "A1")
        elif how == "retry":
            assert desk.fallback.retry("shop", "A1") == 1
        else:
            desk.fallback.notified("shop", note(status="WAIT_BUYER_PAY"))
        # Whatever was written in the future begins anew with the first run after the jump: two intervals at most.
        desk.run(61)
        desk.run(61)
        assert desk.row().outcome == "paid" and kinds(desk) == ["closed", "paid"]


def test_a_jump_past_every_limit_gives_nothing_up_by_itself_and_what_is_given_up_comes_back():
    """With a deadline and days gone by at once, a failed question is the first of its week; then a person is told."""
    from alipay_mapi.errors import TransportError
    with Desk(Asked(lambda number: TransportError("x"))) as desk:
        desk.watch()
        desk.run()
        desk.run(3 * DAY)
        assert desk.row().outcome == "open" and kinds(desk) == []
        desk.run(7 * DAY)
        assert desk.row().outcome == "gave_up" and desk.row().last_error and kinds(desk) == ["needs_a_person"]
        desk.clock.now -= 10 * DAY
        desk.client.answers = lambda number: answer(number)
        assert desk.fallback.retry() == 1
        desk.run()
        assert desk.row().outcome == "paid" and kinds(desk) == ["needs_a_person", "paid"]


@pytest.mark.parametrize("jump", JUMPS)
def test_T93_one_jump_neither_floods_nor_stalls(jump):
    """Hostile: a jump in the middle. Genuine: 20 orders before and after it."""
    with Desk(Asked(lambda number: answer(number, "WAIT_BUYER_PAY"))) as desk:
        desk.watch(*["A{}".format(at) for at in range(20)], timeout="15d")
        for _ in range(4):
            desk.run(130)
        before = len(desk.client.log)
        desk.clock.now += jump
        for _ in range(50):
            desk.run()
        assert len(desk.client.log) - before <= 20, "each at most once in the moment of the jump"
        desk.run(481)
        desk.run(481)
        assert {number for _, number in desk.client.log[before:]} == {"A{}".format(at) for at in range(20)}


@pytest.mark.parametrize("jump", JUMPS)
def test_an_effect_whose_handler_failed_comes_again_after_its_pause_whatever_the_clock_does(jump):
    fails = [True]

    def handler(effect):
        if fails[0]:
            raise ValueError("x")
        done.append(effect.key)
    done = []
    with Desk(handler=handler) as desk:
        desk.watch()
        desk.run()
        fails[0] = False
        desk.clock.now += jump
        desk.run(31)
        desk.run(31)
        assert done == ["shop:paid::A1"]
        desk.clock.now -= jump
        desk.run(99)
        assert done == ["shop:paid::A1"]


@pytest.mark.parametrize("jump", JUMPS)
def test_T92_a_claim_that_was_left_behind_is_free_after_its_length_whatever_the_clock_does(jump):
    """Hostile: its worker is gone, and the clock jumps. Genuine: lease and interval keep their length by the store."""
    with Desk() as desk:
        desk.watch()
        assert len(desk.store.claim("gone", 5, 60, lambda row: row.asked_at + 60)) == 1
        desk.clock.now += jump
        assert desk.run().asked == (1 if jump > 0 else 0)
        desk.run(60)
        assert desk.row().outcome == "paid" and len(desk.client.log) == 1


@pytest.mark.parametrize("jump", JUMPS)
def test_a_refund_that_is_under_way_is_done_once_whatever_the_clock_does(shop, jump):
    shop.order()
    shop.run()
    shop.fallback.refund("shop", "A1", "R1", "4.00")
    shop.gateway.fail("reset", service="forex_refund")
    shop.run()
    assert refunding.from_text(shop.row().refunds)[0].status == "unknown"
    shop.gateway.clock.move(jump)
    for _ in range(6):
        shop.run(4000)
    assert [(one["out_return_no"], one["amount"]) for one in shop.gateway.refunds()] == [("R1", "4.00")]
    told = [kind for kind, detail, _ in shop.effects()]
    assert told[0] == "paid" and len(told) == 2
    # A jump past the day in which a refund must be seen makes it a person's; the money moved once all the same.
    assert told[1] == "refunded" or jump == DAY and told[1] == "needs_a_person"


def test_T93_the_deadline_is_kept_from_the_watch_on_when_the_clock_is_set_back():
    """An order that is watched by a clock which is a day ahead, and then set right, keeps its twelve hours."""
    with Desk(Asked(lambda number: refusal())) as desk:
        desk.clock.now += DAY
        desk.watch()
        desk.run()
        desk.clock.now -= DAY
        desk.run(121)
        assert desk.row().outcome == "open" and desk.row().deadline == START + 121 + 12 * HOUR
        desk.run(12 * HOUR + 600)
        desk.run(61)
        assert desk.row().outcome == "expired"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from([0, 1, 61, 301, 3601] + JUMPS),
                          st.sampled_from(["run", "notify", "soon", "fail"])), max_size=12))
def test_whatever_the_clock_does_a_paid_order_is_told_once_and_never_reopened(steps):
    with Desk(Asked(lambda number: answer(number))) as desk:
        desk.watch()
        paid = False
        for step, what in steps:
            desk.clock.now += step
            if what == "run":
                desk.run()
            elif what == "notify":
                desk.fallback.notified("shop", note())
            elif what == "soon":
                desk.fallback.ask_soon("shop", "A1")
            else:
                desk.client.answers = lambda number: refusal("SYSTEM_BUSY")
            paid = paid or desk.row().outcome == "paid"
            assert not paid or desk.row().outcome == "paid" and desk.row().due_at is None
        desk.client.answers = lambda number: answer(number)
        for _ in range(3):
            desk.run(3 * HOUR)
        desk.fallback.retry()       # several days ahead, and it was given up
        desk.run()
        assert [kind for kind in kinds(desk) if kind != "needs_a_person"] == ["paid"]
