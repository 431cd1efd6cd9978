"""The shop that moves, in a process of its own: whatever it must still know after a kill is in its folder.

``settings.json`` is the owner's: the accounts, and where new orders go. ``store.db`` is the fallback's, in which each
order's gateway stands, ``books.db`` the shop's own.
"""
import json
import os
from datetime import datetime
from decimal import Decimal
from typing import Any, Callable, Dict, List, Mapping

import alipay_mapi as mapi
from alipay_mapi.backend import AMS, MAPI, Backend, MapiBackend
from alipay_mapi.contrib.web.callbacks import Callbacks
from alipay_mapi.contrib.web.taking import IntoStore
from alipay_mapi.fallback import Decision, Fallback, Row
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.merchant_settings import merchant_of
from alipay_mapi.migration.backends import AmsBackend, AmsClient
from alipay_mapi.migration.errors import NotTranslatable
from alipay_mapi.migration.router import Router, StoreHomes
from alipay_mapi.migration.settings import account_of
from alipay_mapi.migration.shadow import Compared, ShadowBackend
from alipay_mapi.times import GMT8

from .books import Books

SHOP = "shop"
#: Where Alipay finds it; a name that belongs to nobody. AMS signs the path.
NOTIFY_PATH = "/alipay/notify/" + SHOP
ADDRESS = "https://shop.example"
#: Files of the folder.
SETTINGS, STORE, BOOKS = "settings.json", "store.db", "books.db"

_BUILD: Dict[str, Callable[..., Dict[str, str]]] = {
    "create_forex_trade": mapi.services.create_forex_trade,
    "create_forex_trade_wap": mapi.services.create_forex_trade_wap,
}


class Shop:
    """``link``: a transport, with ``now`` and ``reach``. Each method in ``ORDERS`` gives back what JSON can hold."""

    ORDERS = ("settings", "sell", "notify", "come_back", "refund", "cron", "status")

    def __init__(self, folder: str, link: Any):
        self._folder, self._link = folder, link
        #: What was said to each answer of a gateway: [gateway, call, verdict].
        self.answers: List[List[str]] = []
        #: Of the shadow: [call, number, names of what differs, problem].
        self.compared: List[List[Any]] = []
        self.books = Books(os.path.join(folder, BOOKS), link.reach)
        self.store = SQLiteStore(os.path.join(folder, STORE), lambda: link.now)
        # No public name: a real shop has no business inside of the store's transactions. Here it may be killed there.
        self.store._db.set_trace_callback(lambda text: link.reach(
            "committing" if text == "COMMIT" else "in the store"))
        # It is the process that is killed, and not the machine: what was written is the system's, synchronised or not.
        self.store._db.execute("PRAGMA synchronous=OFF")
        self.settings()
        for number, out_return_no, amount in self.books.unsent():
            self.fallback.refund(SHOP, number, out_return_no, amount)

    def close(self) -> None:
        self.store.close()
        self.books.close()

    def settings(self) -> None:
        """Read the owner's settings, as at every start."""
        with open(os.path.join(self._folder, SETTINGS), encoding="utf-8") as file:
            given = json.load(file)
        quick: Dict[str, Any] = {"sleep": lambda seconds: None, "clock": lambda: 0.0}
        client = mapi.Client(merchant_of(given[MAPI]), transport=self._link, **quick)
        ams = AmsBackend(AmsClient(account_of(given[AMS]), self._link, now=self._now, **quick), now=self._now)
        watched = [Listened(one, self.answers) for one in (MapiBackend(client), ams)]
        gateways: Dict[str, Backend] = {one.name: one for one in watched}
        if given["shadow"]:
            gateways[MAPI] = ShadowBackend(gateways[MAPI], ams, self._has_compared, beside=lambda work: work())
        self.fallback = Fallback(self.store, {SHOP: gateways}, self.books.carry_out, per_second=None,
                                 refunds_apart=None)
        self.router = Router(gateways, StoreHomes(self.fallback, SHOP), given["new_orders"],
                             otherwise=given["otherwise"])
        self._callbacks = Callbacks({SHOP: client}, IntoStore(lambda: self.fallback), backends={SHOP: gateways})

    def _now(self):
        return datetime.fromtimestamp(self._link.now, GMT8)

    def _has_compared(self, one: Compared) -> None:
        self.compared.append([one.call, one.out_trade_no, [name for name, _, _ in one.differences], one.problem])

    # --- what comes from the world ----------------------------------------------------------------------------------

    def sell(self, number: str, service: str, price: Mapping[str, str], subject: str, timeout: str,
             split: Any = None) -> Dict[str, Any]:
        """The buyer wants to pay; also once more, when the first time brought no page."""
        order = mapi.Order(number, **price)
        given = dict(price, out_trade_no=number, subject=subject, timeout_rule=timeout, split_fund_info=split,
                     notify_url=ADDRESS + NOTIFY_PATH, return_url=ADDRESS + "/back")
        params = _BUILD[service](**{name: value for name, value in given.items() if value is not None})
        self.books.place(order, self._link.now)
        try:
            page = self.router.pay(order, service, params, timeout)
        except NotTranslatable as err:
            self.books.drop(number)
            return {"url": "", "error": type(err).__name__}
        except mapi.AlipayError as err:
            return {"url": "", "error": type(err).__name__}
        return {"url": page.url, "error": ""}

    def notify(self, target: str, headers: List[List[str]], body: bytes, content_type: str) -> Dict[str, Any]:
        """A POST to the one address that both gateways have."""
        named = dict([("Content-Type", content_type)] + [(name, value) for name, value in headers])
        answer = self._callbacks.notify(SHOP, "POST", content_type, len(body), lambda count: body[:count],
                                        called=lambda: (target, named))
        effects = [effect.kind for effect in answer.decision.effects] if answer.decision is not None else []
        number = answer.notification.get("out_trade_no", "") if answer.notification is not None else ""
        return {"status": answer.status, "text": answer.body, "verdict": answer.verdict, "effects": effects,
                "number": number}

    def come_back(self, query: str) -> Dict[str, Any]:
        """The buyer's browser, from MAPI: a reason to ask soon. AMS signs nothing there."""
        return {"verdict": self._callbacks.returned(SHOP, query).verdict}

    def refund(self, number: str, out_return_no: str, amount: str) -> Dict[str, Any]:
        """Give back; the fallback sends it, to the gateway that the order lives on."""
        if not self.books.is_paid(number):
            return {"asked": False}
        self.books.wish(number, out_return_no, Decimal(amount))
        self.fallback.refund(SHOP, number, out_return_no, amount)
        return {"asked": True}

    def cron(self) -> Dict[str, Any]:
        """What cron does every ten minutes. One question after the other, so that the numbers are the seed's."""
        settled: List[List[Any]] = []

        def asked(row: Row, decision: Any) -> None:
            if isinstance(decision, Decision):
                settled.append([row.out_trade_no, [effect.kind for effect in decision.effects]])
        tally = self.fallback.run(workers=0, progress=asked)
        return {"asked": tally.asked, "settled": settled, "ended": tally.ended}

    def status(self) -> Dict[str, Any]:
        """What is left: orders that are asked about, effects that are not carried out."""
        rows = self.store.rows(limit=10 ** 6)
        return {"due": sum(row.due_at is not None for row in rows), "effects": self.fallback.status()["effects"]}


class Listened(Backend):
    """A gateway whose answers are counted."""

    def __init__(self, inner: Any, said: List[List[str]]):
        self._inner, self._said = inner, said
        self.name, self.account, self.spaces_refunds = inner.name, inner.account, inner.spaces_refunds

    def refusals(self, service: str, params: Mapping[str, str]) -> List[str]:
        return self._inner.refusals(service, params)

    def payment_content(self, service: str, params: Mapping[str, str]) -> Mapping[str, str]:
        return self._inner.payment_content(service, params)

    def refund_content(self, *arguments: Any) -> Mapping[str, str]:
        return self._inner.refund_content(*arguments)

    def notification(self, path: str, headers: Any, body: bytes) -> Any:
        return self._inner.notification(path, headers, body)

    def pay(self, service: str, params: Mapping[str, str]) -> Any:
        return self._told("pay", service, params)

    def query(self, order: mapi.Order) -> Any:
        return self._told("query", order)

    def send_refund(self, *arguments: Any) -> None:
        self._told("send_refund", *arguments)

    def query_refund(self, *arguments: Any) -> Any:
        return self._told("query_refund", *arguments)

    def _told(self, call, *arguments):
        verdict = "accepted"
        try:
            return getattr(self._inner, call)(*arguments)
        except mapi.AlipayError as err:
            verdict = type(err).__name__
            raise
        finally:
            self._said.append([self.name, call, verdict])
