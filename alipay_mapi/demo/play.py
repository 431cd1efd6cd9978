"""The day: buyers, the attacker, cron and the clock, one after the other, until nothing is open any more.

No socket, no thread, no clock of the machine: the emulated gateway's clock stands still between two events and is
moved from one to the next; a question of the fallback takes four seconds of it.
"""
import heapq
import random
from datetime import datetime
from typing import Any, Callable, Dict, Iterator, List, NamedTuple
from urllib.parse import urlsplit

from ..emulator import BUYERS, Emulator, Refused
from ..order import Order
from ..fallback import open_store
from ..times import GMT8
from . import plan as plans
from .attacks import INVENTED, Loot, Victim, attack, invented
from .cron import EVERY, Cron
from .plan import ACCOUNTS, APP, HOUR, LONG_TIMEOUT, OLD_PRICE, PAYING, TIMEOUT, Plan
from .shop import Shop
from .wire import Played, Wire

#: When the shop opens: a busy day.
START = datetime(2026, 11, 11, 8, 0, 0, tzinfo=GMT8)
#: The last notification has been repeated for the last time then.
END = 76 * HOUR
#: The gateway's bad hour: nothing that it answers can be used.
BAD_FROM, BAD_TO = 5 * HOUR, 6 * HOUR

_POOR = "poor@example.com"
_SIGN_LENGTH = {"MD5": 16, "RSA": 128, "RSA2": 256}

#: How far it is: ``done`` of ``total`` events; ``what`` the shop is at.
Progress = NamedTuple("Progress", [("done", int), ("total", int), ("what", str)])


class Day:
    """One demo: ``shop``, ``gateway``, ``wire``, ``cron`` and ``plans`` to look into when :meth:`run` is through.

    ``status``: the fallback's, at the end."""

    def __init__(self, seed: int, orders: int):
        self.plans = plans.plans(seed, orders)
        self.wire = Wire(seed, self._gateways_state)
        self.status: Dict[str, Any] = {}
        self._store = open_store("memory:", clock=lambda: self.gateway.clock.now().timestamp())
        self.gateway = Emulator(seed=seed, frozen=True, start=START, rates=plans.RATES, sender=self.wire.deliver)
        self.gateway.settings("md5", notify_closed=True)
        accounts = {name: self.gateway.shop(merchant, charset) for name, (merchant, charset) in ACCOUNTS.items()}
        self.cron = Cron(lambda: self.elapsed, self.gateway.advance)
        self.shop = Shop(accounts, self.wire, self._store, self.gateway.clock.now, self.cron.accident, self.cron.asked)
        self.cron.join(self.shop)
        self.wire.join(self.gateway, self.shop)
        self.refused_buyers = 0
        self._order_strings: Dict[str, str] = {}
        self._loot = Loot(None, None, None)
        self._chosen = random.Random("demo-attacks:{}".format(seed))
        self._actions: List[tuple] = []
        self._planned = 0

    def close(self) -> None:
        self._store.close()
        self.gateway.close()

    def rows(self) -> List[Dict[str, Any]]:
        """The gateway's ledger: every order that reached it."""
        return self.gateway.ledger.rows("trades")

    def run(self) -> Iterator[Progress]:
        """Let it happen."""
        for plan in self.plans:
            self._later(plan.at, self._place, plan)
            if plan.attack:
                self._later(plan.at + plan.attack_after, self._attack, plan)
        for moment in range(EVERY, END, EVERY):
            self._later(moment, self.cron.run)
        done = 0
        while self._actions:
            at, _, action, arguments = heapq.heappop(self._actions)
            self._until(at)
            action(*arguments)
            done += 1
            yield Progress(done, self._planned + 1, "the day")
        self._until(END)
        self.wire.calm = True
        for _ in range(24 * HOUR // EVERY):
            if self.cron.is_through():
                break
            self.cron.run()
            self.gateway.advance(EVERY)
        self.wire.settle(again=True)
        self.status = self.shop.fallback.status()
        yield Progress(done + 1, done + 1, "done")

    # --- the clock ------------------------------------------------------------------------------------------------

    @property
    def elapsed(self) -> float:
        """Seconds since the shop opened."""
        return (self.gateway.clock.now() - START).total_seconds()

    def _until(self, at):
        self.gateway.advance(max(0.0, at - self.elapsed))

    def _gateways_state(self) -> str:
        if not BAD_FROM <= self.elapsed < BAD_TO:
            return ""
        return "down" if self.elapsed < (BAD_FROM + BAD_TO) / 2 else "bad"

    def _later(self, at: float, action: Callable[..., None], *arguments: Any) -> None:
        self._planned += 1
        heapq.heappush(self._actions, (at, self._planned, action, arguments))

    # --- buyers ---------------------------------------------------------------------------------------------------

    def _place(self, plan: Plan) -> None:
        order = Order(plan.number, currency=plan.currency, **{plan.priced: plan.amount})
        made = self.shop.sell(plan.account, plan.service, order, plan.subject,
                              LONG_TIMEOUT if plan.story == "pays hours later" else TIMEOUT,
                              plan.amount - plan.part if plan.story == OLD_PRICE else None)
        if plan.service == APP:
            self._order_strings[plan.number] = made
            if plan.story != "never comes":
                self._later(plan.at + plan.acts_after, self._pay_in_app, plan)
            return
        self.gateway.visit(made)
        self._loot = self._loot._replace(order_url=(plan.account, made))
        if plan.story != "never comes":
            self._later(plan.at + plan.acts_after // 3, self._log_in, plan)
        if plan.story == "closes":
            self._later(plan.at + plan.acts_after, self._close, plan)
        elif plan.story not in ("never comes", "never pays"):
            self._later(plan.at + plan.acts_after, self._pay, plan)

    def _log_in(self, plan):
        self.gateway.log_in(plan.number, partner=self._partner(plan), buyer=self._buyer(plan))

    def _close(self, plan):
        self.gateway.close_trade(plan.number, partner=self._partner(plan))

    def _pay(self, plan):
        if plan.fault:
            self.gateway.fail(plan.fault)
        try:
            self.gateway.pay(plan.number, partner=self._partner(plan))
        except Refused:     # no money, or too late
            self.refused_buyers += 1
            return
        self._give_back_later(plan)
        if plan.comes_back:
            self._later(self.elapsed + 5, self._come_back, plan)

    def _pay_in_app(self, plan):
        if plan.fault:
            self.gateway.fail(plan.fault)
        result = self.gateway.pay_in_app(self._order_strings[plan.number], self._buyer(plan))
        self.shop.app_says(plan.account, result)
        if plan.story in PAYING:
            self._give_back_later(plan)
        else:
            self.refused_buyers += 1

    def _come_back(self, plan):
        url = self.gateway.return_url(plan.number, partner=self._partner(plan))
        if url is not None:
            self.shop.come_back(plan.account, urlsplit(url).query)
            self._loot = self._loot._replace(return_url=(plan.account, url))

    def _buyer(self, plan) -> str:
        return _POOR if plan.story == "has no money" else BUYERS[len(plan.subject) % 2].buyer_email

    def _partner(self, plan) -> str:
        return self.shop.accounts[plan.account].partner

    # --- refunds --------------------------------------------------------------------------------------------------

    def _give_back_later(self, plan):
        if plan.refund:
            self._later(self.elapsed + plan.refund_after, self._give_back, plan, 1, 6)

    def _give_back(self, plan, turn, tries):
        """``turn``: the first or the second refund of an order; ``tries``: how often it is put off at most."""
        number = "{}R{}".format(plan.number, turn)
        amount = plan.amount if plan.refund.startswith("all") else plan.part
        if plan.refund.endswith("console"):
            self.shop.refunded_at_console(plan.number, number, amount)
            self.gateway.refund(plan.number, None if plan.refund.startswith("all") else str(amount),
                                out_return_no=number, partner=self._partner(plan),
                                notify_url=self.shop.address("notify", plan.account))
            self._later(self.elapsed + 6 * HOUR, self._look, plan, 6)
            return
        if turn == 2:
            amount = plan.amount - plan.part
        if not self.shop.refund(plan.number, number, amount):
            if tries:
                self._later(self.elapsed + HOUR, self._give_back, plan, turn, tries - 1)
        elif plan.refund == "two parts" and turn == 1:
            self._later(self.elapsed + HOUR, self._give_back, plan, 2, 6)
        elif plan.refund == "a part, asked twice":
            self.shop.refund(plan.number, number, amount)

    def _look(self, plan, tries):
        """Did the notification of what was given back at the console come?"""
        record = self.shop.books[plan.number]
        if record.at_console and not self.shop.look_at(record) and tries:
            self._later(self.elapsed + HOUR, self._look, plan, tries - 1)

    # --- the attacker ---------------------------------------------------------------------------------------------

    def _attack(self, plan):
        genuine = self.wire.genuine
        loot = self._loot._replace(delivery=genuine[next(reversed(genuine))] if genuine else None)
        victim = self._victim(plan)
        name = plan.attack
        post = attack(name, victim, loot, self._chosen)
        if post is None:
            name, post = INVENTED, invented(victim, self._chosen)
        if post.what == "notify":
            self.wire.post(self.shop.address("notify", post.account), post.body, post.content_type)
        else:
            self.shop.come_back(post.account, post.body.decode("ascii"))
        self.wire.played.append(Played("attack", name, victim.number, self.shop.log[-1].verdict))

    def _victim(self, plan) -> Victim:
        """The order of the plan; for what takes a public key, the newest order of an account that has one."""
        number: str = plan.number
        if plan.attack == "public key as an MD5 key":
            number = next((one for one in reversed(self.shop.books)
                           if self.shop.accounts[self.shop.books[one].account].sign_type != "MD5"), number)
        record = self.shop.books[number]
        sign_type = self.shop.accounts[record.account].sign_type
        key = self.gateway.merchant(ACCOUNTS[record.account][0]).shop_keys().get("alipay_public_key")
        order = record.order
        return Victim(number, record.account, str(order.total_fee or order.rmb_fee), order.currency, key or "",
                      _SIGN_LENGTH[sign_type])

