"""A worker of the shop: a real ``Fallback`` at work, in a process that may be killed at any moment.

Every call of the store, of the gateway and of the shop's handler has a point before and one after it, and each point a
number: ``main`` counts those of the thread that writes, ``asks`` those of the threads that ask the gateway, ``sql`` the
statements that the store sends (inside its transactions, that is). At one of them the worker can kill or stop itself.
"""
import faulthandler
import os
import signal
import threading
import time

import kill_bugs
from kill_world import Line

KILL, HOLD = "kill", "hold"
SHOP = "shop"
#: What a worker does, in this order.
TASKS = ("watch", "post", "wishes", "run")
#: Seconds that a worker may live at all.
LIFE = 90
#: Methods of a store that have no points: after one that only reads nothing is different.
NO_POINTS = ("now", "get", "rows", "due", "reopen", "prune", "close")


class Points:
    """``at``: (kind, number, action), or None."""

    def __init__(self, at):
        self._at = tuple(at) if at else None
        self._lock = threading.Lock()
        self.labels = {"main": [], "asks": [], "sql": []}

    def reach(self, kind, label):
        with self._lock:
            self.labels[kind].append(label)
            here = self._at is not None and self._at[:2] == (kind, len(self.labels[kind]))
        if here:
            os.kill(os.getpid(), signal.SIGKILL if self._at[2] == KILL else signal.SIGSTOP)


def numbered(store, points, recorded):
    """The store with a point before and after every call. ``recorded``: called with the keys of the effects that are
    recorded as done, once they are."""
    from alipay_mapi.fallback import Store

    def call(name):
        method = getattr(store, name)

        def between(self, *args, **named):
            points.reach("main", "before " + name)
            result = method(*args, **named)
            points.reach("main", "after " + name)
            if name in ("effect_done", "effects_done"):
                recorded([one.key for one in (args[0] if name == "effects_done" else args[:1])])
            return result
        return between

    def plain(name):
        return lambda self, *args: getattr(store, name)(*args)
    calls = [name for name in vars(Store) if not name.startswith("_")]
    return type("Numbered", (Store,), {name: plain(name) if name in NO_POINTS else call(name) for name in calls})()


class Wire:
    """The transport: over a socket to the process of the gateway, one for each thread."""

    def __init__(self, path, points, worker, clock):
        self._path, self._points, self._worker, self._here = path, points, worker, threading.local()
        self._clock = clock or time.time

    def send(self, call):
        from alipay_mapi.transport import Answer
        if not hasattr(self._here, "line"):
            self._here.line = Line(self._path)
        self._points.reach("asks", "before send")
        # When it was sent: what a killed worker has sent may be read when the clock has gone on.
        found = self._here.line.ask(op="send", method=call.method, url=call.url, now=self._clock(),
                                    body=(call.body or b"").decode("latin-1"), worker=self._worker)
        self._points.reach("asks", "after send")
        return Answer(found["status"], found["content_type"], found["body"].encode("latin-1"))


class Worker:
    """``number``: no other process of the run has it. ``skew``: how far its own clock is off. The rest: see
    ``kill_control.Setting``."""

    def __init__(self, setting, number, tasks, at=None, skew=0.0):
        self.setting, self.number, self.tasks, self.skew = setting, number, tasks, skew
        self.points = Points(at)

    def work(self):
        faulthandler.dump_traceback_later(LIFE, exit=True)
        setting = self.setting
        self._adjust()
        self.record, self.gateway = Line(setting.recorder), Line(setting.gateway)
        self.store = numbered(self._open(), self.points, self._recorded)
        fallback = self._fallback()
        for task in TASKS:
            if task in self.tasks:
                getattr(self, "_" + task)(fallback)
        self.gateway.ask(op="points", worker=self.number, labels=self.points.labels)

    def _adjust(self):
        from alipay_mapi.fallback import outbox, runner
        if self.setting.lease is not None:
            runner.LEASE = outbox.LEASE = self.setting.lease
        if self.skew:
            # After the fork, in this process alone: its own clock is wrong.
            real, skew = time.time, self.skew
            time.time = lambda: real() + skew

    def _open(self):
        setting = self.setting
        clock = setting.clock
        if clock is not None and setting.bug == "host clock":
            clock = kill_bugs.host_clock(clock, self.skew)
        self.points.reach("main", "before open")
        if setting.store == "sqlite":
            from alipay_mapi.fallback.stores.sqlite import SQLiteStore
            store = SQLiteStore(setting.url, clock)
            if setting.sql_points:
                store._db.set_trace_callback(lambda text: self.points.reach("sql", text[:40]))
        else:
            import sqlalchemy
            from alipay_mapi.fallback.stores.sql import SQLAlchemyStore
            if clock is None and setting.bug == "host clock":
                clock = kill_bugs.host_clock(time.time, 0.0)
            store = SQLAlchemyStore(setting.url, clock)
            if setting.sql_points:
                for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
                    sqlalchemy.event.listen(store._engine, event, lambda *args, _event=event: self.points.reach(
                        "sql", _event + (" " + args[2][:40] if len(args) > 2 else "")))
        self.points.reach("main", "after open")
        return store

    def _fallback(self):
        import alipay_mapi as mapi
        from alipay_mapi.fallback import Fallback, Schedule
        setting = self.setting
        client = mapi.Client(setting.shop, transport=Wire(setting.gateway, self.points, self.number, setting.clock))
        how = {"within": self._within} if setting.within else {"handler": self._handle}
        schedule = Schedule() if setting.lease is None else Schedule(grace=0.0, first=1.0, longest=4.0, margin=1.0)
        fallback = Fallback(self.store, {SHOP: client}, schedule=schedule, per_second=None, **how)
        fallback._refunds_apart = 0.002      # 3.5 s between two refunds would be all that a run does
        if setting.bug in kill_bugs.PLANTS:
            kill_bugs.PLANTS[setting.bug](fallback, self._handle)
        return fallback

    # --- the shop's code ------------------------------------------------------------------------------------------

    def _handle(self, effect):
        self.points.reach("main", "before handler")
        self.record.ask(said="effect", worker=self.number, key=effect.key, order=effect.out_trade_no, kind=effect.kind,
                        detail=effect.detail, id=effect.id)
        self.points.reach("main", "after handler")

    def _recorded(self, keys):
        self.record.ask(said="recorded", worker=self.number, keys=keys)

    def _within(self, connection, effect):
        self.points.reach("main", "before within")
        values = {"key": effect.key, "number": effect.out_trade_no, "kind": effect.kind, "detail": effect.detail,
                  "id": effect.id, "worker": self.number}
        text = ("INSERT INTO shop_effects (effect_key, number, kind, detail, id, worker) "
                "VALUES (:key, :number, :kind, :detail, :id, :worker)")
        if self.setting.store == "sqlite":
            connection.execute(text, values)
        else:
            import sqlalchemy
            connection.execute(sqlalchemy.text(text), values)
        self.points.reach("main", "after within")

    # --- what it does, as often as it takes -----------------------------------------------------------------------

    def _watch(self, fallback):
        import alipay_mapi as mapi
        if not self.gateway.ask(op="left")["watch"]:
            return
        fallback.watch_many([fallback.watched(
            SHOP, mapi.Order(one["number"], currency="USD", **one["price"]), one["closes_in"], one["first_in"])
            for one in self.setting.plan])
        self.gateway.ask(op="watched")

    def _post(self, fallback):
        """The view behind notify_url. What is not acknowledged comes again."""
        import alipay_mapi as mapi
        for _ in range(2):
            for one in self.gateway.ask(op="mail"):
                note = mapi.verify_notify(self.setting.shop, one["body"].encode("latin-1"), one["content_type"])
                at_once = next(known for known in self.setting.plan if known["number"] == one["number"])["at_once"]
                fallback.notified(SHOP, note, at_once)
                self.gateway.ask(op="acknowledged", id=one["id"])

    def _wishes(self, fallback):
        left = self.gateway.ask(op="left")["wishes"]
        for one in self.setting.plan:
            for out_return_no, amount in one["refunds"]:
                if out_return_no in left:
                    fallback.refund(SHOP, one["number"], out_return_no, amount, reason="returned")
                    self.gateway.ask(op="wished", out_return_no=out_return_no)

    def _run(self, fallback):
        fallback.run(workers=self.setting.threads)
