"""The query fallback of one shop or several: every order whose notification may be lost is asked about until it is
settled. What it promises is in ``docs/reliability.md``.
"""
import threading
import time
from datetime import datetime
from decimal import Decimal
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Tuple, Union

from ..amounts import format_amount
from ..backend import MAPI, Backend, Fact, backends_of
from ..client import Client
from ..errors import AlipayError, ConfigurationError, InvalidRequest, NotConfirmed, show
from ..notification import Notification
from ..order import Order
from ..response import Response
from ..times import DIGITS14, GMT8, format_time
from . import changes, refunding
from .asking import ask
from .deciding import Decision
from .outbox import Carried, Handler, Outbox, Within
from .rows import Row, Watched
from .runner import REFUNDS_APART, Run, Tally, worker_name
from .schedule import Schedule
from .stores.contract import Store
from .timeouts import seconds_of

_SHARES = 5000
_SCHEDULE = Schedule()


class Fallback:
    """Watch orders when their payment URL is made, tell it what is notified, run it from cron.

    ``store``: see ``open_store``. ``clients``: shop's name → Client; the names are stored with the orders, so they must
    not change. A shop whose orders live on several gateways gives a mapping in place of the Client, such as ``{"mapi":
    Client(…), "ams": AmsBackend(…)}``. ``handler``: carries out an effect (a ``Pending`` with ``kind``,
    ``out_trade_no``, ``order``, ``key``); it is called at least once per key, and again until it returns. ``within``:
    in its place, for a shop whose orders are in the store's own database: called with (connection, effect) in the
    transaction that records the effect as done, so exactly once. ``schedule``: see ``Schedule``. ``per_second``:
    queries per account, of all processes together; None for no limit. ``refunds_apart``: seconds between two refunds of
    one partner, where Alipay asks for 3; None for a test whose clock stands still. Safe to use from many threads.
    Raises ConfigurationError.

    >>> from alipay_mapi import Client, Merchant, Order
    >>> shop = Merchant("2088123412341234", "MD5", md5_key="0123456789abcdef0123456789abcdef")
    >>> from alipay_mapi.fallback import open_store
    >>> fallback = Fallback(open_store("memory:"), {"shop": Client(shop)})
    >>> fallback.watch("shop", Order("A1", total_fee="8.00", currency="USD"), timeout="12h")
    True
    """

    def __init__(self, store: Store, clients: Mapping[str, Union[Client, Backend, Mapping[str, Any]]],
                 handler: Optional[Handler] = None, *,
                 within: Optional[Within] = None, schedule: Schedule = _SCHEDULE, per_second: Optional[float] = 20.0,
                 refunds_apart: Optional[float] = REFUNDS_APART):
        if per_second is not None and not 0.001 <= per_second <= 10000:
            raise ConfigurationError("per_second: 0.001 to 10000 queries, or None for no limit")
        if refunds_apart is not None and not 3 <= refunds_apart <= 3600:
            raise ConfigurationError("refunds_apart: 3 to 3600 seconds, or None where nothing real is refunded")
        self.store, self.clients, self.schedule = store, dict(clients), schedule.check()
        self.backends = {name: backends_of(name, given) for name, given in self.clients.items()}
        self._per_second, self._refunds_apart, self._handler, self._within = per_second, refunds_apart, handler, within
        self._outbox()      # both is refused now

    # --- orders ---------------------------------------------------------------------------------------------------

    def watch(self, shop: str, order: Order, *, timeout: Any = None, first_in: Optional[float] = None,
              gateway: str = MAPI) -> bool:
        """Watch an order from now on: call it where the payment URL is made, before the buyer gets it.

        ``timeout``: as in the payment request (``timeout_rule``, ``it_b_pay``), or seconds; default 12 hours.
        ``first_in``: seconds to the first question; default ``schedule.grace``. ``gateway``: which one makes the
        order; all that comes later asks that one. An order that is watched already (then False) gets a later deadline
        with its new payment URL, and is open again if it had expired. Raises WatchConflict when it is watched with
        another price or on another gateway, InvalidRequest, StoreError.
        """
        entry = self.watched(shop, order, timeout, first_in, gateway)
        if self.store.watch([entry]) == 1:
            return True
        self.store.extend(entry)
        return False

    def watched(self, shop: str, order: Order, timeout: Any = None, first_in: Optional[float] = None,
                gateway: str = MAPI) -> Watched:
        """The entry for ``watch_many``. Raises ConfigurationError for an unknown shop, or a gateway that it has no
        client for, InvalidRequest."""
        self._known(shop, gateway)
        if not isinstance(order, Order):
            raise InvalidRequest("order: give a mapi.Order, with the number and the price", parameter="order")
        if first_in is not None and (isinstance(first_in, bool) or not isinstance(first_in, (int, float))):
            raise InvalidRequest("first_in: seconds until the first question", parameter="first_in")
        if first_in is None:
            first_in = self.schedule.begins("{}:{}".format(shop, order.out_trade_no), 0.0)
        return Watched(shop, order, first_in, seconds_of(timeout, self.store.now()), gateway)

    def watch_many(self, entries: Iterable[Watched]) -> int:
        """Watch many, in transactions of some thousands → how many are new; the others stay as they are. Raises as
        ``watch``; what came before the refused part is kept, and giving all of it again is harmless."""
        new, part = 0, []
        for entry in entries:
            part.append(entry)
            if len(part) == _SHARES:
                new, part = new + self.store.watch(part), []
        return new + (self.store.watch(part) if part else 0)

    # --- what comes in --------------------------------------------------------------------------------------------

    def notified(self, shop: str, note: Fact, carry_out: bool = True, gateway: str = MAPI) -> Decision:
        """Take in a verified notification; when this returns, its facts and effects are stored: answer ``success``.

        ``gateway``: whose it is; what another one than the order's own says of it settles nothing, and a person is
        told. ``carry_out``: hand the order's effects to the handler at once; what it raises is kept for the next run,
        and does not come through. Raises OrderNotFound (answer ``fail``: it may be watched a moment later),
        NotConfirmed for a notification that does not say for whom it is (the order is asked about soon), StoreError,
        and what ``TradeState.apply`` raises; then nothing is changed.
        """
        return self.take_in(shop, note, gateway, carry_out=carry_out)[0]

    def take_in(self, shop: str, note: Fact, gateway: str = MAPI, beside: Optional[Callable[[Decision], Any]] = None,
                carry_out: bool = True) -> Tuple[Decision, Carried]:
        """``notified``, and what was carried out of all that waits for this order. ``beside``: is given the decision,
        once it is stored; where the database is Django's, in the same transaction, which may be run again."""
        if not isinstance(note, Notification) and not (gateway != MAPI and isinstance(note, Response)):
            raise InvalidRequest("note: give what verify_notify hands out; a return proves nothing", parameter="note")
        number, now = note.get("out_trade_no", ""), self.store.now()
        try:
            box = self._outbox() if carry_out else Outbox(self.store, "")
            return box.take_in(shop, number, lambda row: changes.by_notification(
                row, note, now, self.schedule, gateway), beside)
        except NotConfirmed:
            self.ask_soon(shop, number)
            raise

    def ask_soon(self, shop: str, out_trade_no: str) -> None:
        """Ask about this order as soon as its interval allows: for a buyer who is back at the return page.
        Raises OrderNotFound, StoreError."""
        now = self.store.now()
        self.store.apply(shop, out_trade_no, lambda row: changes.sooner(row, now, self.schedule))

    def refund(self, shop: str, out_trade_no: str, out_return_no: str, amount: Union[str, Decimal], *,
               reason: str = "") -> None:
        """Give back ``amount`` of a watched cross-border order, in its own currency (CNY where it is priced in
        ``rmb_fee``). It is only written down here; runs send it, and repeat it with the same ``out_return_no`` until it
        is proved (effect ``refunded``, ``detail`` is the ``out_return_no``) or a person is needed.

        Asking for the same refund again changes nothing. Raises InvalidRequest, OrderNotFound, StoreError.
        """
        self._known(shop)
        other = self.store.order_of_refund(shop, out_return_no)
        if other is not None and other.out_trade_no != out_trade_no:
            raise InvalidRequest("out_return_no: {} is a refund of another order; use a new one".format(
                show(out_return_no)), parameter="out_return_no")
        now = self.store.now()
        moment = format_time(datetime.fromtimestamp(now, GMT8), "gmt_return", DIGITS14)
        wish = refunding.Refund(out_return_no, format_amount(amount, "amount"), moment, reason, now)
        self.store.apply(shop, out_trade_no, lambda row: changes.by_wish(row, wish, now))

    # --- cron -----------------------------------------------------------------------------------------------------

    def run(self, *, limit: Optional[int] = None, deadline: Optional[float] = None, workers: int = 16,
            stop: Optional[threading.Event] = None, progress: Optional[Callable[[Row, Any], None]] = None) -> Tally:
        """Ask about every due order, settle it and carry out the effects.

        ``limit``: at most so many orders. ``deadline``: begin nothing after so many seconds; what is in hand then may
        take a gateway call longer. ``workers``: threads; 0: none, one order after the other, for tests. ``stop``: set
        it to finish what is in hand and release the rest. ``progress``: see ``Run``. Raises StoreError; what was
        settled until then stays settled.
        """
        if not 0 <= workers <= 256:
            raise ConfigurationError("workers: 0 to 256 threads")
        return Run(self.store, self.backends, self._outbox(), self.schedule, worker_name(), workers, self._per_second,
                   stop or threading.Event(), progress, self._refunds_apart).go(limit, deadline)

    def dry_run(self, limit: int = 50) -> Iterable[Tuple[Row, Any]]:
        """Ask about what is due and yield each row with the Decision that would follow (or the AlipayError in its
        place); nothing is stored, no refund is sent."""
        pause = 0.0 if self._per_second is None else 1 / self._per_second
        for at, row in enumerate(self.store.due(limit, list(self.clients))):
            if at:
                time.sleep(pause)
            yield row, self._would(row._replace(refunds=""))

    def _would(self, row):
        try:
            return changes.by_findings(row, row.attempts + 1, ask(self.backends[row.shop], row), self.store.now(),
                                       self.schedule)
        except AlipayError as err:
            return err

    def carry_out(self, seconds: Optional[float] = None, only: Optional[Tuple[str, str]] = None) -> Carried:
        """Hand pending effects to the handler, without asking the gateway anything. ``only``: those of one order, by
        (shop, out_trade_no). Raises StoreError."""
        return self._outbox().carry_out(seconds, only)

    def retry(self, shop: Optional[str] = None, out_trade_no: Optional[str] = None) -> int:
        """Ask again now about what was given up (of one shop), or about one order, whatever became of it → how many.
        Raises StoreError."""
        return self.store.reopen(shop, out_trade_no)

    def status(self) -> Dict[str, Any]:
        """The store's counts; see ``Store.counts``. Raises StoreError."""
        return self.store.counts()

    # --- parts ----------------------------------------------------------------------------------------------------

    def _outbox(self):
        return Outbox(self.store, worker_name(), self._handler, self._within, list(self.clients))

    def _known(self, shop, gateway=None):
        backends = self.backends.get(shop) if isinstance(shop, str) else None
        if backends is None:
            raise ConfigurationError("shop: {} is none of those that this fallback has a client for ({})".format(
                show(shop), show(", ".join(sorted(self.clients)), 200)))
        if gateway is not None and gateway not in backends:
            raise ConfigurationError("gateway: {} is none of those that {} has a client for ({})".format(
                show(gateway), shop, ", ".join(backends)))
