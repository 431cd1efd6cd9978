"""A shop's side of the fallback for its tests: clocks, clients without a gateway, and one with the emulator behind it.

Answers are made by hand or by the emulator, never by the fallback.
"""
import threading
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import alipay_mapi as mapi
from alipay_mapi import messages
from alipay_mapi.errors import GatewayError
from alipay_mapi.fallback import Fallback, Schedule
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.notification import Notification
from alipay_mapi.response import Response
from alipay_mapi.services import forex_refund
from alipay_mapi.testing import TestGateway

START = 1750000000.0
BEIJING = timezone(timedelta(hours=8))
PARTNER = "2088000000000101"
TRADE_NO = "2026030122001004000000000001"
#: No surprises in numbers that a test writes down.
PLAIN = Schedule(jitter=0.0)


class Clock:
    def __init__(self, now=START):
        self.now = now

    def __call__(self):
        return self.now


def order(number="A1", **price):
    return mapi.Order(number, **(price or {"total_fee": "10.00", "currency": "USD"}))


def answer(number="A1", status="TRADE_FINISHED", total_fee="71.00",
           passed=(messages.SIGN, messages.PARTY, messages.ORDER), **fields):
    """A query answer that was verified; ``total_fee`` is in CNY."""
    given = dict({"out_trade_no": number, "trade_no": TRADE_NO, "trade_status": status, "total_fee": total_fee,
                  "seller_id": PARTNER}, **fields)
    return Response({name: value for name, value in given.items() if value is not None}, passed, {}, True, None,
                    "single_trade_query", "trade")


def note(number="A1", status="TRADE_FINISHED", notify_id="n1", kind="trade", passed=(messages.SIGN, messages.PARTY),
         **fields):
    """A verified notification."""
    given = {"notify_type": "trade_status_sync", "notify_id": notify_id, "out_trade_no": number, "trade_no": TRADE_NO,
             "trade_status": status, "total_fee": "10.00", "currency": "USD", "notify_time": "2026-03-01 12:00:00"}
    given.update(fields)
    return Notification({name: value for name, value in given.items() if value is not None}, kind, passed, {})


def refund_note(number="A1", out_return_no="R1", status="REFUND_SUCCESS", notify_id="r1"):
    return note(number, None, notify_id, "refund", out_return_no=out_return_no, refund_status=status,
                return_amount="4.00", total_fee=None, trade_no=None)


def refusal(code="TRADE_NOT_EXIST"):
    return GatewayError("the gateway said no: " + code, code=code, service="single_trade_query")


class Asked:
    """A client without a gateway. ``answers``: a function of (number) to an answer, or to an exception to raise.
    ``refunds``: the same of the refund's arguments. ``log``: (moment by ``clock``, number) of every query;
    ``refund_log``: (moment, arguments)."""

    def __init__(self, answers=lambda number: answer(number), clock=lambda: 0.0, partner=PARTNER, refunds=None):
        self.shop, self.answers, self.clock, self.refunds = SimpleNamespace(partner=partner), answers, clock, refunds
        self.log, self.refund_log, self.lock = [], [], threading.Lock()

    def single_trade_query(self, out_trade_no):
        with self.lock:
            self.log.append((self.clock(), out_trade_no))
        return raised(self.answers(out_trade_no))

    def forex_refund(self, **arguments):
        forex_refund(**arguments)       # what a real client refuses before it sends anything
        with self.lock:
            self.refund_log.append((self.clock(), arguments))
        return raised(self.refunds(arguments))


def raised(what):
    if isinstance(what, BaseException):
        raise what
    return what


def accepted(arguments=None):
    """What forex_refund answers when it takes a refund: unsigned."""
    return Response({}, (), {}, True, None, "forex_refund", None)


class Desk:
    """A store in memory, or at ``path``, with a clock of its own, and a Fallback whose effects end up in ``done``."""

    def __init__(self, client=None, path=":memory:", schedule=PLAIN, handler=True, **more):
        self.clock = Clock()
        self.store = SQLiteStore(str(path), clock=self.clock)
        self.client = client or Asked(clock=self.clock)
        if isinstance(self.client, Asked):
            self.client.clock = self.clock
        self.done, self.lock = [], threading.Lock()
        given = dict({"schedule": schedule, "per_second": None, "refunds_apart": None}, **more)
        self.fallback = Fallback(self.store, {"shop": self.client}, self.carry_out if handler is True else handler,
                                 **given)

    def carry_out(self, effect):
        with self.lock:
            self.done.append(effect)

    def watch(self, *numbers, **more):
        first_in = more.pop("first_in", 0)
        timeout = more.pop("timeout", "12h")
        return self.fallback.watch_many(
            self.fallback.watched("shop", order(number, **more), timeout, first_in) for number in numbers or ("A1",))

    def run(self, later=0.0, workers=0, **more):
        self.clock.now += later
        return self.fallback.run(workers=workers, **more)

    def row(self, number="A1"):
        return self.store.get("shop", number)

    def effects(self):
        """(kind, detail, number) of what was carried out."""
        return [(one.kind, one.detail, one.out_trade_no) for one in self.done]

    def close(self):
        self.store.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Shop:
    """The same with the emulator behind the client, and one clock for both. ``gateway``: an open TestGateway."""

    def __init__(self, gateway, schedule=PLAIN, path=":memory:", retries=0, **more):
        self.gateway, self.emulator = gateway, gateway.emulator
        self.store = SQLiteStore(str(path), clock=lambda: self.emulator.clock.now().timestamp())
        self.client = mapi.Client(gateway.shop(), retries=retries, sleep=lambda seconds: None)
        self.done = []
        given = dict({"per_second": None, "refunds_apart": None}, **more)
        self.fallback = Fallback(self.store, {"shop": self.client}, self.done.append, schedule=schedule, **given)

    def order(self, number="A1", paid=True, timeout="12h", rmb_fee=None):
        price = {"rmb_fee": rmb_fee} if rmb_fee else {"total_fee": "10.00"}
        self.fallback.watch("shop", mapi.Order(number, currency="USD", **price), timeout=timeout, first_in=0)
        self.gateway.place(number, currency="USD", timeout_rule=timeout, **price)
        if paid:
            self.gateway.pay(number, lose=True)

    def run(self, later=0.0, workers=0):
        self.gateway.advance(later)
        return self.fallback.run(workers=workers)

    def row(self, number="A1"):
        return self.store.get("shop", number)

    def effects(self):
        return [(one.kind, one.detail, one.out_trade_no) for one in self.done]

    def close(self):
        self.client.close()
        self.store.close()


def gateway(**settings):
    return TestGateway(**dict({"start": datetime(2026, 3, 1, 12, tzinfo=BEIJING)}, **settings))


def dump(store):
    """Everything that a store in memory or in a file holds."""
    return list(store._db.iterdump())


def by_hand(store, statement, *values):
    """A change of the tables that no store makes."""
    store._db.execute(statement, values)
