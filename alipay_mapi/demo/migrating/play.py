"""The days of the move: buyers, the attacker, cron, the owner and the clock, one after the other, until all is settled.

No socket, no thread, no clock of the machine: the emulated gateways' clock stands still between two events and is moved
from one to the next. The shop's process is a real one, and so is its end.
"""
import heapq
import json
import os
import random
import shutil
import tempfile
from collections import Counter, OrderedDict
from datetime import datetime
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from ...emulator import Emulator
from ...emulator.notifier import Delivery
from ...times import GMT8
from ..plan import HOUR
from ..play import Progress
from . import plan as plans
from .kills import BETWEEN, ORDER_MADE, Killer, kills
from .link import packed
from .plan import ACTS, BACK, KILLED, begins
from .running import PROGRAM, Dead, ShopProcess
from .scenes import MERCHANT, Scenes
from .shop import ADDRESS, BOOKS, NOTIFY_PATH, SETTINGS, STORE
from .wire import Wire

#: When it begins.
START = datetime(2026, 11, 9, 8, 0, 0, tzinfo=GMT8)
#: How often cron runs the fallback (in the last days once an hour); how long the shop is down after a kill.
EVERY, DOWN = 600, 120
#: And in the end, for what has expired: it is asked about for the last time a week after its deadline.
SELDOM = 6 * HOUR
#: From the last new order on: the latest payment, its refund, and a notification that is repeated for a day.
AFTER = 48 * HOUR


class Move(Scenes):
    """One demo. When :meth:`run` is through, look into ``plans``, ``gateway``, ``wire``, ``killer``, ``homes`` (number
    → gateway, as the buyers found it), ``known`` (number → what told the shop of the payment), ``refund_acts``
    (out_return_no → the act it was asked for in), ``left`` (what the shop has still to do) and the counts.

    ``program``: the shop that is run, and ``keys``: the emulator's, for tests."""

    def __init__(self, seed: int, orders: int, program: Sequence[str] = PROGRAM,
                 keys: Optional[Dict[str, Any]] = None):
        self.plans = plans.plans(seed, orders)
        self.killer = Killer(kills(seed))
        self.wire = Wire(seed, self._notified)
        self.folder = tempfile.mkdtemp(prefix="alipay-mapi-demo-")
        self.gateway = Emulator(seed=seed, frozen=True, start=START, rates=plans.RATES, sender=self.wire.deliver,
                                keys=keys)
        self.gateway.settings(MERCHANT, notify_closed=True)
        self.partner = self.gateway.merchant(MERCHANT).partner
        self.client_id = self.gateway.ams_client(MERCHANT).client_id
        self.gateway.ams_settings(MERCHANT, notify_url=ADDRESS + NOTIFY_PATH)
        self.shop = ShopProcess(self.folder, lambda: self.gateway.clock.now().timestamp(), self.wire.send,
                                self._is_killed, program)
        self.wire.join(self.gateway, self._post)
        self.homes: Dict[str, str] = OrderedDict()
        self.known: Dict[str, str] = {}
        self.refused: List[str] = []
        self.no_page: Dict[str, int] = Counter()
        self.verdicts: Dict[tuple, int] = Counter()
        self.answers: Dict[tuple, int] = Counter()
        self.attacked: Dict[tuple, int] = Counter()
        self.compared: List[List[Any]] = []
        self.strays: List[str] = []
        self.refund_acts: Dict[str, int] = {}
        self.left: Dict[str, Any] = {}
        self.buyers_refused, self.runs, self.asked, self.act = 0, 0, 0, 0
        self._chosen = random.Random("demo-migrate-attacks:{}".format(seed))
        self._actions: List[tuple] = []
        self._planned = 0
        self._went_back = False

    @property
    def store(self) -> str:
        """Path of the fallback's store."""
        return os.path.join(self.folder, STORE)

    @property
    def books(self) -> str:
        """Path of the shop's books."""
        return os.path.join(self.folder, BOOKS)

    def close(self) -> None:
        """End the shop's process, and remove its folder."""
        self.shop.close()
        self.gateway.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self) -> Iterator[Progress]:
        """Let it happen."""
        self._settings(0)
        self.shop.start()
        for number in range(1, len(ACTS)):
            self._later(begins(number), self._begin, number)
        for plan in self.plans:
            self._later(plan.at, self._sell, plan, 6)
            if plan.attack:
                self._later(plan.at + plan.attack_after, self._attack, plan)
        end = begins(len(ACTS)) + AFTER
        for moment in list(range(EVERY, end - AFTER * 3 // 4, EVERY)) + list(range(end - AFTER * 3 // 4, end, HOUR)):
            self._later(moment, self._cron)
        window = ACTS[KILLED].hours * HOUR
        *first, last = self.killer.waiting
        for turn, kill in enumerate(first):
            self._later(begins(KILLED) + window * turn // 10, self._arm, kill)
        # Over the last new order before the way back, which falls to AMS.
        self._later(max([plan.at for plan in self.plans if plan.act == KILLED] + [0]) - 1, self._arm, last)
        done = 0
        while self._actions:
            at, _, action, arguments = heapq.heappop(self._actions)
            self.gateway.advance(max(0.0, at - self.elapsed))
            action(*arguments)
            done += 1
            yield Progress(done, self._planned + 1, ACTS[self.act].name if self.elapsed < begins(len(ACTS)) else
                           "what is left")
        self.wire.calm = True
        self.gateway.set_rates({})
        for _ in range(10 * 24 * HOUR // SELDOM):
            self.left = self._ask("status")
            if not self.left["due"] and not self.left["effects"]:
                break
            self.gateway.advance(SELDOM)
            self._cron()
        self.shop.close()
        yield Progress(done + 1, done + 1, "done")

    # --- the clock, and the shop's process --------------------------------------------------------------------------

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return (self.gateway.clock.now() - START).total_seconds()

    def _later(self, at: float, action: Callable[..., Any], *arguments: Any) -> None:
        self._planned += 1
        heapq.heappush(self._actions, (at, self._planned, action, arguments))

    def _ask(self, order: str, **arguments: Any) -> Dict[str, Any]:
        """Raises Dead while the shop is down, and when it is killed over it."""
        outer, self.killer.order, self.killer.now = self.killer.order, order, self.elapsed
        try:
            told = self.shop.ask(order, self.killer.points(order), **arguments)
        finally:
            self.killer.order = outer
        for gateway, call, verdict in told.get("answers", ()):
            self.answers[gateway, call, verdict] += 1
        self.compared += told.get("compared", ())
        return told

    def _is_killed(self, point, url):
        if not self.killer.falls(point, url):
            return False
        if self.killer.done[-1]["kill"] == ORDER_MADE:
            self._later(self.elapsed + DOWN - 1, self._begin, BACK)
        self._later(self.elapsed + DOWN, self._start)
        return True

    def _arm(self, kill):
        if kill.name != BETWEEN:
            self.killer.arm(kill)
        elif not self.shop.is_up:
            self._later(self.elapsed + DOWN, self._arm, kill)
        else:
            self.killer.now = self.elapsed
            self.killer.happened(kill)
            self.shop.kill()
            self._later(self.elapsed + DOWN, self._start)

    def _start(self):
        if not self.shop.is_up:
            self.shop.start()

    # --- the owner --------------------------------------------------------------------------------------------------

    def _begin(self, act):
        """A new share: written into the settings, which a process reads when it starts."""
        if act == BACK and self._went_back:
            return      # he went back when the shop had broken down over a new order
        self._went_back = self._went_back or act == BACK
        self.act = act
        self._settings(act)
        if self.shop.is_up:
            self._ask("settings")

    def _settings(self, number):
        act, merchant = ACTS[number], self.gateway.merchant(MERCHANT)
        keys, ams = merchant.shop_keys(), self.gateway.ams_client(MERCHANT).shop_keys()
        given = {
            "mapi": dict(keys, partner=merchant.partner, sign_type=merchant.sign_type,
                         gateway=self.gateway.gateway_url),
            "ams": dict(ams, client_id=self.client_id, key_version="1", domain=self.gateway.base_url),
            "new_orders": {"ams": act.share}, "otherwise": act.otherwise, "shadow": act.shadow}
        path = os.path.join(self.folder, SETTINGS)
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(given, file)
        os.replace(path + ".new", path)

    # --- what the shop hears ----------------------------------------------------------------------------------------

    def _cron(self):
        try:
            told = self._ask("cron")
        except Dead:
            return
        self.runs += 1
        self.asked += told["asked"]
        for number, effects in told["settled"]:
            self._learned(number, effects, "query")

    def _post(self, target, headers, body, content_type):
        return self._ask("notify", target=target, headers=headers, body=packed(body), content_type=content_type)

    def _notified(self, delivery: Delivery, told: Dict[str, Any]) -> None:
        gateway = "ams" if delivery.headers else "mapi"
        verdict = told["verdict"] if told["verdict"] != "accepted" else "believed" if told["effects"] else "nothing new"
        self.verdicts[gateway, "notification", verdict] += 1
        self._learned(told["number"], told["effects"], "notification")

    def _learned(self, number, effects, by):
        if "paid" in effects or "refunded" in effects:
            self.known.setdefault(number, by)
