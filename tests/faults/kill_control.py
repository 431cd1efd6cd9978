"""One run: start workers, kill them, start them again until all is done, and hold what came of it against the rules.

The store's clock stands still and is moved only while no worker lives, so no lease ends under one that is merely slow:
whatever comes twice then was given out twice. Where the database's own clock is used, leases are short and really end.
"""
import json
import os
import random
import shutil
import signal
import tempfile
import time

import kill_plan
import kill_rules
from kill_places import Clock
from kill_world import Gateway, Line, fork, listener, recorder, serve
from kill_worker import HOLD, KILL, TASKS, Worker

DAY = 86400.0
#: Longer than every lease of a worker (and than the first interval).
LEASES_END = 310.0
#: So many rounds; then what has not come is lost. Kills end with so many workers; then the clock goes faster, but not
#: by a day, after which a refund that nobody has seen is left to a person.
ROUNDS, KILLS_END, FASTER = 24, 18, 12
#: Seconds of a lease where the clock is real, and of the first interval.
SHORT_LEASE, SHORT_INTERVAL = 3.0, 1.3


class Setting:
    """What is the same for all workers of a run. ``place``: a Sqlite or Postgresql. ``threads``: that ask, per worker.
    ``within``: effects are written in the store's own transaction. ``own_clock``: the database's. ``sql_points``:
    number statements too."""

    def __init__(self, place, plan, clock, shop, within=False, threads=4, own_clock=False, bug="", sql_points=False):
        self.place, self.store, self.plan, self.shop, self.within = place, place.name, plan, shop, within
        self.threads, self.bug, self.sql_points = threads, bug, sql_points
        self.clock, self.lease = (None, SHORT_LEASE) if own_clock else (clock, None)
        self.url = self.gateway = self.recorder = ""


class Control:
    """Runs, one after the other. ``folder``: for its files. ``place``: see ``Setting``."""

    def __init__(self, place, folder):
        from alipay_mapi.emulator import Emulator
        self.place, self.folder, self.clock, self.keys = place, folder, Clock(), {}
        with Emulator(seed=1, frozen=True, keys=self.keys) as emulator:
            self.shop = emulator.shop("md5")
        self.lives = {}
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])

    def undisturbed(self, plan, **options):
        """A run in which nobody is killed, and its points: [(round, kind, number, label)]."""
        run = Run(self, plan, options)
        with run:
            report = run.until_done(lambda round: run.all_in_one())
        points = []
        for round, (_, labels) in enumerate(run.truth["points"]):
            for kind in sorted(labels):
                points += [(round, kind, number + 1, label) for number, label in enumerate(labels[kind])]
        return report, points

    def at_point(self, plan, point, action, **options):
        """A run that is killed (or stopped, and passed by another worker) at one point of the undisturbed one."""
        run, (where, kind, number) = Run(self, plan, options), point[:3]

        def one_round(round):
            if round != where:
                run.all_in_one()
            elif action == KILL:
                run.all_in_one(at=(kind, number, KILL))
            else:
                run.passed_by((kind, number, HOLD))
        with run:
            return run.until_done(one_round)

    def at_random(self, seed, orders, workers, **options):
        """A run in which workers are killed at random moments. ``workers``: at once."""
        rng = random.Random("kills {}".format(seed))
        options.setdefault("within", rng.random() < 0.25)
        options.setdefault("threads", rng.choice((1, 4, 16)))
        run = Run(self, kill_plan.drawn(seed, orders, options.get("own_clock", False)), options)
        together = workers > 1 or rng.random() < 0.5
        with run:
            return run.until_done(lambda round: run.random_round(rng, workers, together), rng)


class Run:
    def __init__(self, control, plan, options):
        self.control, self.clock = control, control.clock
        self.setting = Setting(control.place, plan, control.clock, control.shop, **options)
        self.workers, self.kills, self.kill_at, self.problems = 0, 0, [], []
        self.real, self.too_slow = self.setting.lease is not None, False

    # --- the world around it --------------------------------------------------------------------------------------

    def __enter__(self):
        setting, control = self.setting, self.control
        self.folder = tempfile.mkdtemp(prefix="run-", dir=control.folder)
        setting.gateway, setting.recorder = (os.path.join(self.folder, name) for name in ("gateway", "recorder"))
        self.clock.reset()
        setting.url = control.place.new(setting.within)
        self.account = os.path.join(self.folder, "account")
        self._sockets = [listener(setting.gateway), listener(setting.recorder)]
        self._servers = [
            fork(lambda: serve(self._sockets[0], Gateway(1, setting.plan, control.keys).answer)),
            fork(lambda: serve(self._sockets[1], recorder(self.account, setting.place.holds)))]
        self.gateway, self.recorder = Line(setting.gateway), Line(setting.recorder)
        self.started = time.monotonic()
        return self

    def __exit__(self, *_):
        self.gateway.close()
        self.recorder.close()
        for one in self._sockets:
            one.close()
        for pid in self._servers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- rounds ---------------------------------------------------------------------------------------------------

    def until_done(self, one_round, rng=None):
        """Rounds until every effect that the books imply has come, and one more in which none may come."""
        rounds = 0
        while rounds < ROUNDS:
            killed = self.kills
            one_round(rounds)
            rounds += 1
            if rounds == 2:
                self.gateway.ask(op="buyers")
            if self._complete():
                break
            again_at_once = rng is not None and self.kills > killed and rng.random() < 0.5
            if not again_at_once:
                self._later(LEASES_END * (1 if rounds < FASTER else 10), self.kills > killed)
        killed = self.kills
        self._later(2 * DAY)
        one_round(rounds) if rng is None else self.all_in_one()
        if self.kills > killed:
            self._later(LEASES_END)
            self.all_in_one()
        self.truth = self.gateway.ask(op="truth")
        return self._report(rounds + 1)

    def all_in_one(self, at=None):
        """One worker does everything."""
        self._wait([self._start(TASKS, at)])

    def passed_by(self, at):
        """One worker stops at a point, another does all that it finds, and then the first goes on."""
        first = self._start(TASKS, at)
        if self._stops(first):
            stopped = time.monotonic()
            self._wait([self._start(TASKS, skew=3600.0)])
            # By a real clock its lease may have ended by now, on a machine that has much to do.
            self.too_slow = self.real and time.monotonic() - stopped > SHORT_LEASE - 1
            os.kill(first[1], signal.SIGCONT)
            self.kills += 1     # hits, here
        self._wait([first])

    def random_round(self, rng, workers, together):
        """``together``: the shop's front is a process of its own."""
        left = self.gateway.ask(op="left")
        if not together:
            started = [self._start(TASKS)]
        elif left["watch"]:
            started = [self._start(("watch",))]
        else:
            started = [self._start(("run",), skew=3600.0 * (at - 1)) for at in range(workers)]
            if left["post"] or left["wishes"]:
                started.append(self._start(("post", "wishes")))
        moments = []
        for _, pid, tasks, begun in started:
            likely = 0.85 if not self.kills else 0.45 if workers == 1 else 0.25
            if self.workers < KILLS_END and rng.random() < likely:
                moments.append((begun + rng.random() * 1.1 * self._life(tasks), pid))
        self._wait(started, sorted(moments))

    # --- processes ------------------------------------------------------------------------------------------------

    def _start(self, tasks, at=None, skew=0.0):
        self.workers += 1
        worker = Worker(self.setting, self.workers, tasks, at, skew)
        return self.workers, fork(self._begin, worker), tuple(tasks), time.monotonic()

    def _begin(self, worker):
        for one in self._sockets:
            one.close()
        errors = os.open(os.path.join(self.folder, "errors"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(errors, 2)
        worker.work()

    def _stops(self, started):
        """Wait for the worker to stop itself; False when it ended without."""
        info = os.waitid(os.P_PID, started[1], os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if info.si_code != os.CLD_STOPPED:
            return False
        os.waitpid(started[1], os.WUNTRACED)
        return True

    def _wait(self, started, moments=()):
        """Until all have ended. ``moments``: when to kill whom."""
        living, moments = {pid: (number, tasks, begun) for number, pid, tasks, begun in started}, list(moments)
        while living:
            while moments and moments[0][0] <= time.monotonic():
                _, pid = moments.pop(0)
                if pid in living:
                    os.kill(pid, signal.SIGKILL)
            for pid in list(living):
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    self._ended(status, *living.pop(pid))
            if living:
                pause = moments[0][0] - time.monotonic() if moments else 1.0
                signal.sigtimedwait([signal.SIGCHLD], max(min(pause, 1.0), 0.0))

    def _ended(self, status, number, tasks, begun):
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        self.recorder.ask(said="end", worker=number, killed=killed)
        if killed:
            self.kills += 1
            return
        if status:
            self.problems.append("worker: {} ended with status {}: {}".format(number, status, self._last_error()))
        lives = self.control.lives
        lived = time.monotonic() - begun
        lives[tasks] = 0.8 * lives[tasks] + 0.2 * lived if tasks in lives else lived

    def _life(self, tasks):
        return self.control.lives.get(tasks, 0.2)

    def _last_error(self):
        try:
            with open(os.path.join(self.folder, "errors")) as file:
                return file.read()[-4000:]
        except OSError:
            return "?"

    # --- what came of it ------------------------------------------------------------------------------------------

    def _later(self, seconds, leases_left=True):
        if self.real:
            time.sleep(SHORT_LEASE + 0.3 if leases_left else SHORT_INTERVAL)
        else:
            self.clock.move(seconds)

    def _complete(self):
        left = self.gateway.ask(op="left")
        if left["watch"] or left["buyers"] or left["post"] or left["wishes"]:
            return False
        wanted = sum(len(effects) for effects in self.gateway.ask(op="truth")["effects"].values())
        # The wishes are granted one after the other: what the books imply grows meanwhile.
        refunds = sum(len(one["refunds"]) for one in self.setting.plan)
        given = sum(len(one) for one in self.gateway.ask(op="truth")["refunds"].values())
        return given >= refunds and len({one["key"] for one in self._done()}) >= wanted

    def _done(self):
        if self.setting.within:
            return self._table()
        return [one for one in self._record() if one["said"] == "effect"]

    def _record(self):
        with open(self.account) as file:
            return [json.loads(line) for line in file]

    def _table(self):
        names = ("key", "order", "kind", "detail", "id", "worker")
        order = "ctid" if self.setting.store == "postgresql" else "rowid"
        return [dict(zip(names, row)) for row in self.setting.place.read(
            "SELECT effect_key, number, kind, detail, id, worker FROM shop_effects ORDER BY " + order)]

    def _report(self, rounds):
        setting, record = self.setting, self._record()
        rows = setting.place.read("SELECT out_trade_no, outcome FROM mapi_orders")
        effects = setting.place.read("SELECT o.out_trade_no, e.effect_key, e.done_at FROM mapi_effects e "
                                     "JOIN mapi_orders o ON o.id = e.order_id")
        within = self._table() if setting.within else None
        interval = None if self.real else 60.0
        faults = self.problems + kill_rules.faults_of(setting.plan, record, self.truth, rows, effects, within,
                                                      interval)
        if self.too_slow:
            self.kills, faults = 0, []      # no run
        return {"kills": self.kills, "workers": self.workers, "rounds": rounds, "orders": len(setting.plan),
                "effects": sum(len(one) for one in self.truth["effects"].values()),
                "repeats": kill_rules.repeats_of(record), "within": setting.within, "faults": faults,
                "asked": len(self.truth["asked"]), "seconds": round(time.monotonic() - self.started, 3)}
