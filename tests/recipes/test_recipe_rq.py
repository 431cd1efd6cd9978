"""docs/workers.md, RQ: the page's job, with a real scheduler, workers, broker and database."""
import os
import signal
import sys

import pytest
import workers_page
from shop_at_work import eventually, must_have

NUMBERS = ["Q{:03d}".format(number) for number in range(40)]
PAID = {(number, "paid"): 1 for number in NUMBERS}


@pytest.fixture
def packages():
    if sys.version_info < (3, 10):
        pytest.skip("RQ 3.0 needs Python 3.10")
    must_have("rq")


@pytest.fixture
def rq(packages, shop, database, redis):
    database.add(NUMBERS)
    shop.watch(database.store, NUMBERS)
    shop.environment["RQ_REDIS_URL"] = shop.environment["SHOP_BROKER"]
    shop.save("shop_fallback.py")
    shop.save("shop_rq.py", **{"interval=60": "interval=1"})
    shop.install("rq", "rq.cli")
    yield shop


def commands():
    """The scheduler, a worker, a tick by hand."""
    return [line.split() for line in workers_page.file("rq").splitlines()]


def jobs(shop):
    return shop.read("worker").count("Job OK")


def test_the_scheduler_and_a_worker_find_every_order_whose_notification_was_lost(rq, database):
    """Each is asked about once and settled once, though a tick comes every second; then both end when they are told."""
    scheduler, worker, _ = commands()
    both = [rq.start(scheduler, log="scheduler"), rq.start(worker, log="worker")]
    eventually("all are paid", lambda: len(database.happened()) == len(NUMBERS))
    done = jobs(rq)
    eventually("and it goes on", lambda: jobs(rq) >= done + 1)
    for process in both:
        process.send_signal(signal.SIGTERM)
    assert [rq.finish(process) for process in both] == [0, 0]
    assert database.happened() == PAID and rq.asked() == {number: 1 for number in NUMBERS}


def test_ticks_that_were_enqueued_again_and_again_are_harmless(rq, database):
    _, worker, tick = commands()
    assert [rq.run(tick) for _ in range(2)] == [0, 0], rq.read("log")
    both = [rq.start(worker + ["--burst"], log="worker") for _ in range(2)]
    assert [rq.finish(process) for process in both] == [0, 0]
    assert jobs(rq) == 2, rq.read("worker")
    assert database.happened() == PAID and rq.asked() == {number: 1 for number in NUMBERS}


def test_systemd_ends_a_run_and_not_the_orders_in_its_hand(rq, database):
    """It tells every process of the service: the worker waits for its job, and the job for what is in hand."""
    _, worker, tick = commands()
    assert rq.run(tick) == 0
    process = rq.start(worker, log="worker")
    eventually("some are asked about", lambda: len(rq.asked()) >= 3)
    (job,) = children(process)
    process.send_signal(signal.SIGTERM)
    os.kill(job, signal.SIGTERM)
    assert rq.finish(process) == 0
    assert jobs(rq) == 1 and 3 <= len(rq.asked()) < len(NUMBERS)
    assert database.rows("SELECT count(*) FROM mapi_orders WHERE lease <> ''") == [(0,)]


def children(process):
    with open("/proc/{0}/task/{0}/children".format(process.pid)) as file:
        return [int(number) for number in file.read().split()]
