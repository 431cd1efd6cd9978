"""docs/workers.md, Celery: the page's files and commands, with a real worker, beat, broker and database."""
import signal

import pytest
import workers_page
from shop_at_work import eventually, must_have

NUMBERS = ["C{:03d}".format(number) for number in range(30)]
PAID = {(number, "paid"): 1 for number in NUMBERS}
TICK = "alipay_mapi.fallback"


@pytest.fixture
def packages():
    must_have("celery")


@pytest.fixture
def celery(packages, shop, database, redis):
    """The shop on Celery. Its orders are paid, and nobody has told it."""
    database.add(NUMBERS)
    shop.watch(database.store, NUMBERS)
    shop.save("shop_fallback.py")
    shop.save("shop_celery.py", **{"every=60.0": "every=1.0"})
    shop.install("celery", "celery")
    yield shop


def workers(shop, *names):
    """Workers that are ready."""
    started = [shop.start(workers_page.command("alipay-celery.service") + ["--hostname", name], log=name)
               for name in names]
    eventually("the workers are ready", lambda: all(" ready." in shop.read(name) for name in names) or any(
        process.poll() is not None for process in started))
    assert [process.poll() for process in started] == [None] * len(started), [shop.read(name) for name in names]
    return started


def worker(shop, name="one"):
    return workers(shop, name)[0]


def beat(shop):
    return shop.start(workers_page.command("alipay-celery-beat.service"), log="beat")


def by_hand(shop, line):
    """A command of the page's block."""
    assert shop.run(workers_page.file("tick").splitlines()[line].split()) == 0, shop.read("log")


def tick(shop, times=1):
    """The same message, from here."""
    import celery
    with celery.Celery("tests", broker=shop.environment["SHOP_BROKER"], set_as_current=False) as app:
        for _ in range(times):
            app.send_task(TICK)


def runs(shop, name="one"):
    return shop.read(name).count("succeeded in")


def end(shop, *processes):
    """As systemctl stop does it: all of them leave in order."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [shop.finish(process) for process in processes] == [0] * len(processes)


def test_beat_and_a_worker_find_every_order_whose_notification_was_lost(celery, database):
    """Each is asked about once and settled once, though a tick comes every second; the log names no order, no key."""
    working, ticking = worker(celery), beat(celery)
    eventually("all are paid", lambda: len(database.happened()) == len(NUMBERS))
    done = runs(celery)
    eventually("and it goes on", lambda: runs(celery) >= done + 1)
    end(celery, ticking, working)
    assert database.happened() == PAID
    assert celery.asked() == {number: 1 for number in NUMBERS}
    log = celery.read("one")
    assert "'outcomes': {'paid': 30}" in log and "Traceback" not in log
    assert not any(text in log for text in NUMBERS + [celery.environment["ALIPAY_MD5_KEY"]])


def test_ticks_that_are_lost_with_the_broker_cost_nothing(celery, database, redis):
    ticking = beat(celery)
    eventually("two ticks wait for a worker", lambda: redis.llen("celery") >= 2)
    celery.kill(ticking)
    redis.flushall()
    worker(celery)
    assert redis.llen("celery") == 0 and celery.asked() == {}
    by_hand(celery, 0)
    eventually("all are paid", lambda: len(database.happened()) == len(NUMBERS))
    assert database.happened() == PAID and celery.asked() == {number: 1 for number in NUMBERS}


def test_a_worker_that_is_killed_in_the_middle_costs_an_interval(celery, database):
    """What it had in hand is asked about once more by the next tick; no effect is lost, none happens twice."""
    working = worker(celery)
    tick(celery)
    eventually("some are asked about", lambda: len(celery.asked()) >= 5)
    celery.kill(working)
    before = celery.asked()
    assert len(before) < len(NUMBERS)
    database.let_pass(300)
    worker(celery, "two")
    tick(celery)
    eventually("all are paid", lambda: len(database.happened()) == len(NUMBERS))
    assert database.happened() == PAID
    again = celery.asked()
    assert set(again) == set(NUMBERS) and set(again.values()) <= {1, 2}


def test_two_workers_and_doubled_ticks_ask_about_each_order_once(celery, database):
    workers(celery, "one", "two")
    tick(celery, times=2)
    eventually("all are paid", lambda: len(database.happened()) == len(NUMBERS))
    eventually("every tick is through", lambda: runs(celery, "one") + runs(celery, "two") == 2)
    assert database.happened() == PAID and celery.asked() == {number: 1 for number in NUMBERS}


def test_effects_are_carried_out_at_once_when_they_are_asked_for(celery, database):
    """Somebody without a handler has asked the gateway; the worker does what follows, and asks nothing."""
    working = worker(celery)
    celery.ask(database.store)
    assert celery.asked() == {number: 1 for number in NUMBERS} and not database.happened()
    by_hand(celery, 1)
    eventually("all are paid", lambda: len(database.happened()) == len(NUMBERS))
    celery.kill(working)
    assert database.happened() == PAID and celery.asked() == {number: 1 for number in NUMBERS}


def test_a_worker_that_is_told_to_end_finishes_what_is_in_hand_and_releases_the_rest(celery, database):
    """At 20 questions a second the run has more than a second to go; nobody else's time is lost by its end."""
    working = worker(celery)
    tick(celery)
    eventually("some are asked about", lambda: len(celery.asked()) >= 5)
    end(celery, working)
    asked = celery.asked()
    assert 5 <= len(asked) < len(NUMBERS)
    assert "'ended': 'stopped'" in celery.read("one")
    paid = database.rows("SELECT out_trade_no FROM mapi_orders WHERE outcome = 'paid'")
    assert {number for number, in paid} == set(asked)
    assert database.rows("SELECT count(*) FROM mapi_orders WHERE lease <> ''") == [(0,)]
    counts = database.store.counts()
    assert counts["due"] == len(NUMBERS) - len(asked) and counts["effects"] == len(asked) - len(database.happened())
