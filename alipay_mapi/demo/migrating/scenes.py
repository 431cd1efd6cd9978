"""What people do: buyers, who may press a button twice; the shop's own people, who give back; the till of a branch; an
attacker. A part of ``play.Move``, whose clock sets each scene off.
"""
from typing import Any, Callable, Dict, List, Optional
from urllib.parse import urlsplit

from ...emulator import BUYERS, Emulator, Refused
from ..attacks import Victim
from ..plan import HOUR
from . import plan as plans
from .attacks import attack
from .kills import ORDER_UNSENT, Killer
from .plan import Plan
from .running import Dead
from .shop import ADDRESS, NOTIFY_PATH
from .wire import Wire

#: The test merchant that the shop is.
MERCHANT = "md5"
#: Seconds after which a buyer who got no page presses the button again.
AGAIN = 180
_POOR = "poor@example.com"


class Scenes:
    """Methods of ``Move``, which has what is declared here."""

    gateway: Emulator
    wire: Wire
    killer: Killer
    partner: str
    client_id: str
    act: int
    homes: Dict[str, str]
    refused: List[str]
    no_page: Dict[str, int]
    verdicts: Dict[tuple, int]
    attacked: Dict[tuple, int]
    strays: List[str]
    refund_acts: Dict[str, int]
    buyers_refused: int
    _later: Callable[..., None]
    _ask: Callable[..., Dict[str, Any]]
    _post: Callable[..., Dict[str, Any]]
    _chosen: Any

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        raise NotImplementedError

    # --- buyers -----------------------------------------------------------------------------------------------------

    def _sell(self, plan: Plan, tries: int) -> None:
        """``tries``: how often the buyer presses the button again, when no page has come."""
        timeout = plans.LONG_TIMEOUT if plan.story == "pays hours later" else plans.TIMEOUT
        before = len(self.killer.done)
        try:
            made = self._ask("sell", number=plan.number, service=plan.service, price=plans.price_of(plan),
                             subject=plan.subject, timeout=timeout, split=plans.split_of(plan))
        except Dead:
            killed = self.killer.done[-1]["kill"] if len(self.killer.done) > before else ""
            if killed:
                self.killer.done[-1]["out_trade_no"] = plan.number
            if killed == ORDER_UNSENT:      # this one has had enough, and nobody but the store knows of the order
                self.homes[plan.number] = ""
            elif tries:
                self._later(self.elapsed + AGAIN, self._sell, plan, tries - 1)
            return
        if made["error"]:
            self.no_page[made["error"]] += 1
            if made["error"] == "NotTranslatable":
                self.refused.append(plan.number)
            elif tries:
                self._later(self.elapsed + AGAIN // 3, self._sell, plan, tries - 1)
            return
        # By the address that the buyer was given, and not by what the shop thinks.
        self.homes[plan.number] = "ams" if urlsplit(made["url"]).path.startswith("/ams/") else "mapi"
        if self.homes[plan.number] == "mapi":
            self.gateway.visit(made["url"])
            if plan.story != "never comes":
                self._later(self.elapsed + plan.acts_after // 3, self._log_in, plan)
        if plan.story == "closes":
            self._later(self.elapsed + plan.acts_after, self._close, plan)
        elif plan.story not in ("never comes", "never pays"):
            self._later(self.elapsed + plan.acts_after, self._pay, plan)
        if plan.stray:
            self._later(self.elapsed + plan.acts_after, self._stray, plan)

    def _partner(self, plan) -> str:
        return self.partner if self.homes[plan.number] == "mapi" else self.client_id

    def _log_in(self, plan):
        self.gateway.log_in(plan.number, partner=self.partner, buyer=self._buyer(plan))

    def _close(self, plan):
        try:
            self.gateway.close_trade(plan.number, partner=self._partner(plan))
        except Refused:     # its page came at the second or third time only, and its time was over
            self.buyers_refused += 1

    def _pay(self, plan):
        if plan.fault:
            self.gateway.fail(plan.fault)
        try:
            self.gateway.pay(plan.number, partner=self._partner(plan), buyer=self._buyer(plan))
        except Refused:     # no money, or too late
            self.buyers_refused += 1
            if plan.fault:
                self.gateway.clear_faults()
                self.gateway.set_rates(plans.RATES)
            return
        if plan.refund:
            self._later(self.elapsed + plan.refund_after, self._give_back, plan, 1, 12)
        if self.homes[plan.number] == "mapi":
            self._later(self.elapsed + 5, self._come_back, plan)

    def _buyer(self, plan) -> str:
        return _POOR if plan.story == "has no money" else BUYERS[len(plan.subject) % 2].buyer_email

    def _come_back(self, plan):
        url = self.gateway.return_url(plan.number, partner=self.partner)
        if url is not None:
            try:
                self.verdicts["mapi", "return", self._ask("come_back", query=urlsplit(url).query)["verdict"]] += 1
            except Dead:
                pass

    def _stray(self, plan):
        """The till of a branch has a payment of this number, with the other gateway: genuine, and not this order."""
        address = ADDRESS + NOTIFY_PATH
        if self.homes[plan.number] == "mapi":
            paid_in = "CNY" if plan.priced == "rmb_fee" else plan.currency
            value = "{:.0f}".format(plan.amount if paid_in == "JPY" else plan.amount * 100)
            self.gateway.place_payment(plan.number, merchant=MERCHANT, paymentNotifyUrl=address,
                                       paymentAmount={"currency": paid_in, "value": value})
            partner = self.client_id
        else:
            self.gateway.place(plan.number, merchant=MERCHANT, notify_url=address, currency=plan.currency,
                               **{plan.priced: "{:f}".format(plan.amount)})
            partner = self.partner
            self.gateway.log_in(plan.number, partner=partner)
        self.gateway.set_rates({})      # one that is lost for ever is found in the reports of that gateway alone
        self.gateway.pay(plan.number, partner=partner)
        self.gateway.set_rates(plans.RATES)
        self.strays.append(plan.number)

    # --- refunds ----------------------------------------------------------------------------------------------------

    def _give_back(self, plan, turn, tries):
        """``turn``: the first or the second refund of an order; ``tries``: how often it is put off at most."""
        amount = plan.amount if plan.refund == "all" else plan.part if turn == 1 else plan.amount - plan.part
        number = "{}R{}".format(plan.number, turn)
        try:
            asked = self._ask("refund", number=plan.number, out_return_no=number, amount=str(amount))["asked"]
            if plan.refund == "a part, asked twice":
                self._ask("refund", number=plan.number, out_return_no=number, amount=str(amount))
        except Dead:
            asked = False
        if not asked:
            if tries:
                self._later(self.elapsed + HOUR, self._give_back, plan, turn, tries - 1)
            return
        self.refund_acts[number] = self.act
        if plan.refund == "two parts" and turn == 1:
            self._later(self.elapsed + HOUR, self._give_back, plan, 2, tries)

    # --- the attacker -----------------------------------------------------------------------------------------------

    def _attack(self, plan):
        public_key = self.gateway.ams_client(MERCHANT).shop_keys()["alipay_public_key"]
        victim = Victim(plan.number, "", str(plan.amount), plan.currency, public_key, 16)
        now = self.gateway.clock.now().strftime("%Y-%m-%dT%H:%M:%S+08:00")
        post, name = attack(plan.attack, victim, self.client_id, self.wire.genuine, now, self._chosen), plan.attack
        if post is None:
            name = "MAPI: invented payment"
            post = attack(name, victim, self.client_id, self.wire.genuine, now, self._chosen)
        told = self._posted(post)
        if told is not None:
            verdict = told["verdict"] if told["verdict"] != "accepted" else \
                "believed" if told["effects"] else "nothing new"
            self.attacked[name, verdict] += 1

    def _posted(self, post) -> Optional[Dict[str, Any]]:
        try:
            return self._post(NOTIFY_PATH, [list(pair) for pair in post.headers], post.body, post.content_type)
        except Dead:
            return None
