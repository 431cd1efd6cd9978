"""Every named fault of the emulator, while the fallback runs: nothing is settled by it, and in the end the shop knows
exactly what the ledger has."""
import pytest

import alipay_mapi as mapi
from alipay_mapi.emulator.faults import ANSWER_FAULTS, NOTIFICATION_FAULTS
from alipay_mapi.errors import InvalidMessage
from alipay_mapi.fallback import Schedule

from fallback_setup import Shop, dump

#: What the fallback must have recorded while the fault lasted.
ERRORS = {
    "slow": "TransportError", "reset": "TransportError", "half-answer": "TransportError", "http-500": "TransportError",
    "html-200": "TransportError", "redirect": "TransportError", "system-error": "GatewayError",
    "trade-not-exist": None,        # an answer like any other, as long as the order may still be paid
    "unsigned-paid": "ResponseSignatureMissing", "answer-tampered": "ResponseSignatureInvalid",
    "answer-forged": "ResponseSignatureInvalid", "answer-wrong-charset": ("CharsetError", "ResponseSignatureInvalid"),
}
SCHEDULE = Schedule(jitter=0.2)


@pytest.fixture
def shop(shared):
    shared.reset()
    shop = Shop(shared, schedule=SCHEDULE)
    yield shop
    shop.close()


def one_of_each(shop):
    """Paid, waiting (closed later by its time), not there; every notification is lost."""
    for number, paid in (("PAID1", True), ("PAID2", True), ("WAITS", False), ("NEVER", False)):
        shop.order(number, paid=paid, timeout="2h")
    shop.gateway.log_in("WAITS")


def in_the_end(shop):
    for _ in range(40):
        shop.run(1800)
    assert {number: shop.row(number).outcome for number in ("PAID1", "PAID2", "WAITS", "NEVER")} == {
        "PAID1": "paid", "PAID2": "paid", "WAITS": "closed", "NEVER": "expired"}
    assert shop.gateway.trade("PAID1")["trade_status"] == "TRADE_FINISHED"
    assert shop.gateway.trade("WAITS")["trade_status"] == "TRADE_CLOSED"
    assert sorted(shop.effects()) == [("closed", "", "NEVER"), ("closed", "", "WAITS"), ("paid", "", "PAID1"),
                                      ("paid", "", "PAID2")]
    assert not any(shop.row(number).last_error for number in ("PAID1", "NEVER"))
    assert shop.row("PAID1").due_at is None and shop.row("NEVER").due_at > shop.row("NEVER").deadline + 80000


def test_there_is_a_row_here_for_every_fault():
    assert set(ERRORS) == set(ANSWER_FAULTS)


@pytest.mark.parametrize("done", [True, False], ids=["after the work", "before it"])
@pytest.mark.parametrize("fault", sorted(ANSWER_FAULTS))
def test_T71_and_T78_a_fault_of_the_gateway_settles_nothing_and_when_it_is_gone_everything_is_as_in_the_ledger(
        shop, fault, done):
    """Hostile: every answer of the next hour meets the fault. Genuine: those after it."""
    one_of_each(shop)
    shop.gateway.fail(fault, times=10 ** 6, done=done)
    tally = shop.run(workers=4)
    assert set(tally.outcomes) == {"open"} and shop.effects() == []
    for _ in range(4):
        shop.run(700, workers=4)
    assert shop.effects() == []
    # A request that is lost before the gateway acts on it has no answer that could be altered.
    error = "GatewayError" if fault.startswith("answer-") and not done else ERRORS[fault]
    for number in ("PAID1", "PAID2"):
        row = shop.row(number)
        assert row.outcome == "open" and row.due_at is not None and row.attempts >= 3
        if error is None:
            assert row.last_error == ""
        else:
            assert row.last_error.partition(":")[0] in ([error] if isinstance(error, str) else error)
    shop.emulator.clear_faults()
    in_the_end(shop)


@pytest.mark.parametrize("fault", ["trade-not-exist", "system-error", "http-500", "unsigned-paid"])
def test_one_that_lasts_beyond_every_deadline_closes_no_paid_order_that_was_seen(shop, fault):
    """The answer that an order is not there proves nothing once it was seen: it is a person's in the end."""
    shop.order("A1", paid=False, timeout="2h")
    shop.gateway.log_in("A1")
    shop.run()
    assert "waiting" in shop.row("A1").facts
    shop.gateway.fail(fault, times=10 ** 6)
    shop.gateway.pay("A1", lose=True)
    for _ in range(180):    # a week, where there is no connection
        shop.run(3600)
    assert shop.row("A1").outcome == "gave_up" and shop.row("A1").last_error
    assert [kind for kind, _, _ in shop.effects()] == ["needs_a_person"]
    shop.emulator.clear_faults()
    assert shop.fallback.retry() == 1
    shop.run()
    assert [kind for kind, _, _ in shop.effects()] == ["needs_a_person", "paid"] and shop.row("A1").outcome == "paid"


def test_many_faults_at_once_by_chance(shop):
    """Nearly half of all answers meet one of nine faults, drawn from a seed."""
    names = [name for name in sorted(ANSWER_FAULTS) if name not in ("slow", "trade-not-exist", "unsigned-paid")]
    for at in range(40):
        shop.order("A{}".format(at), paid=at % 4 != 3, timeout="12h")
    shop.emulator.set_rates({name: 0.05 for name in names})
    for _ in range(60):
        shop.run(3600, workers=4)
    for at in range(40):
        wanted = "paid" if at % 4 != 3 else "expired"
        assert shop.row("A{}".format(at)).outcome == wanted
    assert sorted(shop.effects()) == sorted(
        ("paid" if at % 4 != 3 else "closed", "", "A{}".format(at)) for at in range(40))


# --- notifications ----------------------------------------------------------------------------------------------------

class View:
    """The shop's notify_url, as docs/fallback.md has it."""

    def __init__(self, shop):
        self.shop, self.refused, self.taken = shop, [], 0

    def __call__(self, body, content_type):
        try:
            note = mapi.verify_notify(self.shop.client.shop, body, content_type)
            self.shop.fallback.notified("shop", note)
            self.taken += 1
        except InvalidMessage as err:
            self.refused.append(type(err).__name__)
            return 200, "fail"
        return 200, "success"


@pytest.mark.parametrize("fault", sorted(NOTIFICATION_FAULTS))
def test_a_fault_of_the_notification_settles_nothing_wrong_and_in_the_end_there_is_one_effect(shop, fault):
    """Hostile: the notification meets the fault. Genuine: its repetition, or the query in its place."""
    view = View(shop)
    shop.gateway.deliver_to(function=view)
    shop.gateway.fail(fault, service="paid")
    shop.order("A1", paid=False)
    shop.gateway.pay("A1")
    shop.gateway.deliver()
    broken = fault not in ("lost", "late", "twice", "out-of-order")
    assert bool(view.refused) == broken
    assert shop.effects() == ([("paid", "", "A1")] if fault == "twice" else []), "a broken one settles nothing"
    assert shop.row("A1").facts == "" or fault == "twice"
    for _ in range(4):
        shop.run(3700)
    assert shop.effects() == [("paid", "", "A1")] and shop.row("A1").outcome == "paid"
    assert view.taken == {"lost": 0, "twice": 2}.get(fault, 1)


@pytest.mark.parametrize("fault", sorted(NOTIFICATION_FAULTS))
def test_without_any_run_the_repetitions_alone_settle_what_was_not_lost(shop, fault):
    view = View(shop)
    shop.gateway.deliver_to(function=view)
    shop.gateway.fail(fault, times=3, service="paid")
    shop.order("A1", paid=False)
    shop.gateway.pay("A1")
    shop.gateway.advance(2 * 86400)
    assert shop.effects() == ([] if fault == "lost" else [("paid", "", "A1")])


def test_T52_a_refused_notification_leaves_nothing_behind(shop):
    """Hostile: forged, tampered, unsigned. Genuine: the same notify_id afterwards."""
    view = View(shop)
    shop.gateway.deliver_to(function=view)
    shop.order("A1", paid=False)
    before = dump(shop.store)
    for way in ("forged", "tampered", "unsigned", "re-cut", "stale-key", "wrong-charset", "other-sign-type"):
        message = shop.gateway.notification("paid", way, out_trade_no="A1", total_fee="10.00")
        assert view(message.body, message.content_type)[1] == "fail"
    assert dump(shop.store) == before
    message = shop.gateway.notification("paid", out_trade_no="A1", total_fee="10.00")
    assert view(message.body, message.content_type)[1] == "success"
    assert shop.effects() == [("paid", "", "A1")]


def test_an_order_in_cny_is_settled_by_the_query_that_its_notification_asks_for(shop):
    view = View(shop)
    shop.gateway.deliver_to(function=view)
    shop.order("A1", paid=False, rmb_fee="71.00")
    shop.run()
    shop.gateway.advance(600)
    shop.gateway.pay("A1")
    shop.gateway.deliver()
    assert view.taken == 1 and shop.effects() == [] and shop.row("A1").outcome == "open"
    shop.run()
    assert shop.effects() == [("paid", "", "A1")]


def test_a_notification_for_an_order_that_is_watched_a_moment_later_settles_it_then(shop):
    view = View(shop)
    shop.gateway.deliver_to(function=view)
    shop.gateway.place("A1")
    shop.gateway.pay("A1")
    shop.gateway.deliver()
    assert view.refused == ["OrderNotFound"]
    shop.fallback.watch("shop", mapi.Order("A1", total_fee="10.00", currency="USD"), first_in=99999)
    shop.gateway.advance(130)
    assert shop.effects() == [("paid", "", "A1")]
