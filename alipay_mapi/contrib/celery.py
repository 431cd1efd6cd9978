"""The query fallback as a task of Celery (4.4 to 5.x, extra ``celery``): a tick that runs it once.

All state is in the store, so the tick itself holds none: one that is lost costs nothing, one that comes twice is
harmless, and a worker that dies costs the orders in its hand one interval. Nothing is retried here; the next tick is
the retry. How to set it up is in ``docs/workers.md``.
"""
import functools
import logging
import mmap
import os
import threading
from typing import Any, Callable, Dict, Optional

from ..errors import ConfigurationError
from ..fallback import Fallback
from ..fallback.runner import GATEWAY_DOWN

TICK, EFFECTS = "alipay_mapi.fallback", "alipay_mapi.effects"

#: Seconds between a run's deadline and Celery's soft and hard limits: time for what is in hand at the deadline.
_SOFT, _HARD = 60.0, 120.0
#: The shortest of them that is accepted: a query and a refund of 15 seconds each, and the last effects.
_IN_HAND = 45.0
#: A tick older than this is dropped, so that a worker that was away finds a few and not a day of them. Not less: it is
#: reckoned with the clocks of two machines.
_EXPIRES = 300.0
#: No result to keep, no second delivery, no retry: the next tick is all of these.
_HARMLESS = {"ignore_result": True, "acks_late": False, "max_retries": 0, "expires": _EXPIRES}
#: Seconds between two looks at whether the worker is shutting down.
_LOOK = 0.2

_LOG = logging.getLogger("alipay_mapi.contrib.celery")


def fallback_task(app: Any, make_fallback: Callable[[], Fallback], *, name: str = TICK, deadline: float = 50.0,
                  limit: Optional[int] = None, workers: int = 16, **options: Any) -> Any:
    """Register the tick → the task. Call it where the other tasks are: in a module that the worker imports.

    ``app``: the Celery app; None for ``shared_task``. ``make_fallback``: called once in each worker process, when its
    first tick comes, so connections are never carried over a fork. ``deadline``, ``limit``, ``workers``: as
    ``Fallback.run``. ``options``: of the task; its queue is given to ``beat_schedule``.

    The task returns the run's Tally as a plain dict, without an order number, which Celery writes into the worker's
    log. It raises what ``make_fallback`` and ``Fallback.run`` raise. When the worker is told to shut down (SIGTERM to
    its main process) the run finishes what is in hand and releases the rest. Raises ConfigurationError.
    """
    if not deadline > 0:
        raise ConfigurationError("deadline: seconds, more than 0")
    if not options.get("soft_time_limit", deadline + _SOFT) >= deadline + _IN_HAND:
        raise ConfigurationError("soft_time_limit: at least {:g} seconds more than deadline, for what is in hand "
                                 "then".format(_IN_HAND))
    settings = dict(soft_time_limit=deadline + _SOFT, time_limit=deadline + _HARD, **_HARMLESS)
    settings.update(options)
    register, fallback, ending = _registering(app), once_per_process(make_fallback), _Ending()

    @register(bind=True, name=name, **settings)
    def tick(task):
        with ending.told() as stop:
            tally = fallback().run(limit=limit, deadline=deadline, workers=workers, stop=stop)
        if tally.ended == GATEWAY_DOWN or tally.failed_effects:
            _LOG.warning("%s: %s; %d effects failed and come again", name, tally.ended, tally.failed_effects)
        return plain(tally)
    return tick


def effects_task(app: Any, make_fallback: Callable[[], Fallback], *, name: str = EFFECTS, seconds: float = 20.0,
                 **options: Any) -> Any:
    """Register a task that hands pending effects to the handler at once, for so many seconds → the task.

    For a shop whose handler is too slow for the answer to a notification: ``fallback.notified(shop, note,
    carry_out=False)``, then ``task.delay()``. It takes no arguments, so the broker learns nothing; when it is lost, the
    next tick does its work.
    """
    settings = dict(soft_time_limit=seconds + _SOFT, time_limit=seconds + _HARD, **_HARMLESS)
    settings.update(options)
    register, fallback = _registering(app), once_per_process(make_fallback)

    @register(bind=True, name=name, **settings)
    def effects(task):
        return dict(fallback().carry_out(seconds)._asdict())
    return effects


def beat_schedule(every: float = 60.0, name: str = TICK, **options: Any) -> Dict[str, Dict[str, Any]]:
    """The entry for ``app.conf.beat_schedule``: the tick every so many seconds. ``options``: as of ``apply_async``.

    >>> beat_schedule(every=30.0, queue="payments")["alipay_mapi.fallback"]["options"]
    {'expires': 300.0, 'queue': 'payments'}
    """
    if not every >= 1:
        raise ConfigurationError("every: at least 1 second")
    return {name: {"task": name, "schedule": float(every),
                   "options": dict({"expires": max(_EXPIRES, float(every))}, **options)}}


def once_per_process(make: Callable[[], Fallback]) -> Callable[[], Fallback]:
    """What ``make`` returns, made when it is first asked for in a process. Give both tasks the same, and they share.

    >>> one = once_per_process(lambda: object())        # your make_fallback
    >>> one() is one(), once_per_process(one) is one
    (True, True)
    """
    return make if isinstance(make, _Once) else _Once(make)


def plain(tally: Any) -> Dict[str, Any]:
    """A Tally as numbers and names that JSON takes."""
    return dict(tally._asdict(), outcomes=dict(tally.outcomes), errors=dict(tally.errors),
                seconds=round(tally.seconds, 3))


# --- parts --------------------------------------------------------------------------------------------------------

class _Once:
    def __init__(self, make):
        self._make, self._made, self._lock = make, None, threading.Lock()

    def __call__(self):
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = os.getpid(), self._make()
            return self._made[1]


class _Ending:
    """Is the worker shutting down? Its main process is told by a signal, the processes that run tasks are not; so the
    main one writes it into a byte of memory that they share since the fork."""

    def __init__(self):
        from celery.signals import worker_shutting_down
        self._byte = byte = mmap.mmap(-1, 1)

        def tell(**_):
            # In a signal handler: no lock may be taken here.
            byte[0] = 1
        # No method: to some versions of Celery those of two objects are the same, and the second is not connected.
        worker_shutting_down.connect(tell, weak=False)

    def told(self):
        return _Told(self._byte)


class _Told:
    """A context with an Event that is set when the byte is."""

    def __init__(self, byte):
        self._byte, self._stop, self._over = byte, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._look, name="alipay_mapi ending", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self._stop

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._byte[0]:
            if self._over.wait(_LOOK):
                return
        self._stop.set()


def _registering(app):
    problem = ""
    try:
        import celery
    except ImportError as err:
        problem = "no module {}".format(err.name)
    if problem:
        raise ConfigurationError("this needs Celery 4.4 or later ({}): pip install 'alipay-mapi[celery]'".format(
            problem))
    # Not "shared", which would put it into every app of the process.
    return celery.shared_task if app is None else functools.partial(app.task, shared=False)
