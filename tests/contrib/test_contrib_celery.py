"""The tick as a task: what Celery is told about it, what it returns, when it ends. Real workers: tests/recipes."""
import json
import logging
import os
import sys
import threading
import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")     # Celery's own, on old Pythons
    celery = pytest.importorskip("celery", minversion="4.4")
    from celery.signals import worker_shutting_down

from alipay_mapi.contrib.celery import beat_schedule, effects_task, fallback_task, once_per_process
from alipay_mapi.errors import ConfigurationError, StoreError
from alipay_mapi.fallback import Carried, Tally

TALLY = Tally(3, {"paid": 2, "open": 1}, {"TransportError": 1}, 2, 0, "done", 0.123456)


class Ran:
    """A fallback that says what it was asked to do. ``until_stopped``: its run ends when it is told to."""

    def __init__(self, tally=TALLY, until_stopped=False):
        self.tally, self.until_stopped, self.calls, self.began = tally, until_stopped, [], threading.Event()

    def run(self, **arguments):
        stop = arguments.pop("stop")
        self.calls.append(arguments)
        self.began.set()
        if self.until_stopped:
            assert stop.wait(10)
        return self.tally._replace(ended="stopped") if stop.is_set() else self.tally

    def carry_out(self, seconds):
        self.calls.append(seconds)
        return Carried(2, 1)


@pytest.fixture
def app():
    one = celery.Celery("shop", broker="memory://", set_as_current=False)
    yield one
    one.close()


def test_a_tick_is_one_run_with_its_limits_and_returns_its_numbers(app):
    ran = Ran()
    tick = fallback_task(app, lambda: ran, deadline=20.0, limit=500, workers=4)
    assert tick.name == "alipay_mapi.fallback" and app.tasks["alipay_mapi.fallback"] is not None
    returned = tick()
    assert ran.calls == [{"deadline": 20.0, "limit": 500, "workers": 4}]
    assert returned == {"asked": 3, "outcomes": {"paid": 2, "open": 1}, "errors": {"TransportError": 1}, "effects": 2,
                        "failed_effects": 0, "ended": "done", "seconds": 0.123}
    assert json.loads(json.dumps(returned)) == returned and type(returned) is dict


def test_celery_keeps_no_result_and_neither_repeats_a_tick_nor_keeps_an_old_one(app):
    tick = fallback_task(app, Ran)
    assert tick.ignore_result is True and tick.acks_late is False and tick.max_retries == 0
    assert (tick.expires, tick.soft_time_limit, tick.time_limit) == (300.0, 110.0, 170.0)
    assert not getattr(tick, "autoretry_for", ())


def test_the_shops_own_options_win(app):
    tick = fallback_task(app, Ran, name="shop.tick", deadline=10.0, rate_limit="10/m", soft_time_limit=55,
                         acks_late=True)
    assert (tick.name, tick.rate_limit, tick.soft_time_limit, tick.acks_late) == ("shop.tick", "10/m", 55, True)


@pytest.mark.parametrize("arguments, named", [
    ({"deadline": 0}, "deadline"), ({"deadline": float("nan")}, "deadline"),
    ({"deadline": 50.0, "soft_time_limit": 60}, "soft_time_limit")])
def test_a_tick_that_celery_would_break_off_is_refused(app, arguments, named):
    with pytest.raises(ConfigurationError, match=named):
        fallback_task(app, Ran, **arguments)


def test_without_an_app_it_is_a_shared_task(app):
    ran = Ran()
    tick = fallback_task(None, lambda: ran, name="shop.shared")
    assert tick.name == "shop.shared"
    assert "shop.shared" in app.tasks
    app.tasks["shop.shared"]()
    assert len(ran.calls) == 1


def test_an_error_comes_through_for_celery_to_log(app):
    class Broken(Ran):
        def run(self, **arguments):
            raise StoreError("the store could not be used (gone)")

    with pytest.raises(StoreError):
        fallback_task(app, Broken)()


@pytest.mark.parametrize("change, told", [
    ({}, []), ({"ended": "stopped"}, []),
    ({"ended": "gateway down"}, ["alipay_mapi.fallback: gateway down; 0 effects failed and come again"]),
    ({"failed_effects": 2}, ["alipay_mapi.fallback: done; 2 effects failed and come again"])])
def test_what_somebody_should_look_at_is_a_warning(app, caplog, change, told):
    caplog.set_level(logging.INFO, "alipay_mapi")
    fallback_task(app, lambda: Ran(TALLY._replace(**change)))()
    assert [record.getMessage() for record in caplog.records if record.name.startswith("alipay_mapi")] == told


def test_a_run_is_told_when_the_worker_shuts_down(app):
    ran, returned = Ran(until_stopped=True), []
    tick = fallback_task(app, lambda: ran)
    thread = threading.Thread(target=lambda: returned.append(tick()))
    thread.start()
    assert ran.began.wait(10)
    worker_shutting_down.send(sender="a worker", sig="SIGTERM", how="Warm", exitcode=0)
    thread.join(10)
    assert [one["ended"] for one in returned] == ["stopped"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_processes_that_were_forked_before_the_shutdown_are_told_too(app):
    """The tick is registered, then the pool forks, then the main process alone gets the signal. In a process of its
    own, since only one without threads may fork."""
    import subprocess
    code = (
        "import os, sys, time, celery\n"
        "from celery.signals import worker_shutting_down\n"
        "from alipay_mapi.contrib.celery import fallback_task\n"
        "class Fallback:\n"
        "    def run(self, stop, **_):\n"
        "        os.write(1, b'began\\n')\n"
        "        sys.exit(0 if stop.wait(20) else 1)\n"
        "tick = fallback_task(celery.Celery('shop', broker='memory://'), Fallback)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    tick()\n"
        "sys.stdin.readline()\n"
        "worker_shutting_down.send(sender='main')\n"
        "sys.exit(os.waitpid(child, 0)[1])\n")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env=dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))) as process:
        try:
            assert process.stdout.readline() == b"began\n"
            process.stdin.write(b"shut down\n")
            process.stdin.close()
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def test_the_fallback_is_made_once_in_a_process_and_anew_after_a_fork(app, monkeypatch):
    made = []

    def make():
        made.append(Ran())
        return made[-1]

    shared = once_per_process(make)
    tick, effects = fallback_task(app, shared), effects_task(app, shared)
    assert made == []
    tick(), effects(), tick()
    assert len(made) == 1 and len(made[0].calls) == 3
    monkeypatch.setattr(os, "getpid", lambda: 1)
    tick()
    assert len(made) == 2 and len(made[1].calls) == 1


def test_a_fallback_that_cannot_be_made_is_tried_again_by_the_next_tick(app):
    ran, problems = Ran(), [StoreError("the store could not be used (gone)")]

    def make():
        if problems:
            raise problems.pop()
        return ran

    tick = fallback_task(app, make)
    with pytest.raises(StoreError):
        tick()
    assert tick()["ended"] == "done"


def test_effects_can_be_carried_out_at_once_by_a_task_of_their_own(app):
    ran = Ran()
    effects = effects_task(app, lambda: ran, seconds=5.0, rate_limit="10/m")
    assert effects() == {"done": 2, "failed": 1} and ran.calls == [5.0]
    assert (effects.name, effects.rate_limit, effects.max_retries) == ("alipay_mapi.effects", "10/m", 0)


def test_beat_is_given_an_interval_which_no_time_zone_moves():
    assert beat_schedule() == {"alipay_mapi.fallback": {"task": "alipay_mapi.fallback", "schedule": 60.0,
                                                        "options": {"expires": 300.0}}}
    assert beat_schedule(every=3600, name="shop.tick", queue="payments") == {"shop.tick": {
        "task": "shop.tick", "schedule": 3600.0, "options": {"expires": 3600.0, "queue": "payments"}}}
    with pytest.raises(ConfigurationError, match="every"):
        beat_schedule(every=0)


@pytest.mark.parametrize("task", [fallback_task, effects_task])
def test_without_celery_the_error_names_the_extra(monkeypatch, task):
    monkeypatch.setitem(sys.modules, "celery", None)
    with pytest.raises(ConfigurationError, match=r"alipay-mapi\[celery\]") as caught:
        task(None, Ran)
    assert caught.value.__context__ is None
