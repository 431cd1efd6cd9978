"""Many at once: eight deliveries, and a delivery beside a run of the fallback; one transition, one effect.

``MAPI_RACE_ROUNDS`` multiplies the rounds.
"""
import os
import sqlite3
import threading

import pytest

from alipay_mapi import Client, Order
from alipay_mapi.contrib.web.callbacks import Callbacks
from alipay_mapi.contrib.web.taking import IntoShop, IntoStore
from alipay_mapi.fallback import Fallback, Schedule
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from genuine import FOREX, FORM, PARTNER, RETURN, answer, changed, form, message, shop, signed
from web_setup import PRICE, Clock, Gateway, at_once

ROUNDS = max(2, int(8 * float(os.environ.get("MAPI_RACE_ROUNDS", "1"))))
#: What single_trade_query answers; amounts are CNY there.
PAID = {"out_trade_no": "A1", "trade_no": FOREX["trade_no"], "trade_status": "TRADE_FINISHED", "total_fee": "57.00",
        "seller_id": PARTNER, "buyer_id": "2088000000000001", "subject": "Tea"}


class Worker:
    """A process of the shop: a connection of its own to the file that all share."""

    def __init__(self, path, done, within, clock):
        self.gateway = Gateway(answer(PAID))
        self.client = Client(shop("MD5"), self.gateway, retries=0, sleep=lambda seconds: None)
        self.store = SQLiteStore(str(path), clock=clock)
        self.fallback = Fallback(self.store, {"shop": self.client}, None if within else done.append,
                                 within=self.book if within else None, schedule=Schedule(jitter=0.0),
                                 per_second=None)
        self.callbacks = Callbacks({"shop": self.client}, IntoStore(lambda: self.fallback))

    @staticmethod
    def book(connection, effect):
        connection.execute("INSERT INTO shop_orders VALUES (?, ?)", (effect.out_trade_no, effect.kind))

    def deliver(self, body):
        return self.callbacks.notify("shop", "POST", FORM + "utf-8", len(body), lambda size: body)


class Workers:
    def __init__(self, path, count, within=False):
        self.clock, self.done, self.path = Clock(), [], path
        self.all = [Worker(path, self.done, within, self.clock) for _ in range(count)]
        if within:
            self.sql("CREATE TABLE shop_orders (number TEXT, kind TEXT)")

    def sql(self, statement):
        connection = sqlite3.connect(str(self.path), timeout=20)
        try:
            with connection:
                return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.all:
            worker.store.close()


def delivery(worker, body):
    return lambda: worker.deliver(body)


@pytest.mark.parametrize("within", [False, True], ids=["handler", "within"])
def test_T50_eight_deliveries_and_a_return_at_once_have_one_effect_and_all_are_answered_success(tmp_path, within):
    """Hostile: all at once, each with another notify_time and notify_id. Genuine: every one says success."""
    with Workers(tmp_path / "orders.db", 8, within) as workers:
        for turn in range(ROUNDS):
            number = "A{}".format(turn)
            workers.all[0].fallback.watch("shop", Order(number, **PRICE))
            query = form(signed(changed(RETURN, out_trade_no=number)))
            buyer, *answers = at_once([lambda query=query: workers.all[0].callbacks.returned("shop", query)] + [
                delivery(worker, message(changed(
                    FOREX, out_trade_no=number, notify_id="{:034d}".format(at),
                    notify_time="2018-04-11 18:12:0%d" % at))) for at, worker in enumerate(workers.all)])
            assert buyer.out_trade_no == number
            assert {(each.status, each.body) for each in answers} == {(200, "success")}
        workers.all[0].fallback.carry_out()     # what one had claimed while the other answered
        wanted = sorted(("A{}".format(turn), "paid") for turn in range(ROUNDS))
        found = sorted(workers.sql("SELECT number, kind FROM shop_orders")) if within else sorted(
            (effect.out_trade_no, effect.kind) for effect in workers.done)
        assert found == wanted


@pytest.mark.parametrize("within", [False, True], ids=["handler", "within"])
def test_T98_and_T50_deliveries_beside_a_run_of_the_fallback_have_one_effect(tmp_path, within):
    """Hostile: the query's answer comes while the notification is taken in. Genuine: success, and the run settles."""
    with Workers(tmp_path / "orders.db", 4, within) as workers:
        body = message(FOREX)
        workers.all[0].fallback.watch("shop", Order("A1", **PRICE), first_in=0)

        # The deliveries begin while the question is under way.
        gateway, asked = workers.all[0].gateway, threading.Event()
        send = gateway.send

        def sends(call):
            asked.set()
            return send(call)
        gateway.send = sends

        def run():
            return workers.all[0].fallback.run(workers=1)

        def late(work):
            return lambda: asked.wait(20) and work()
        tally, *answers = at_once([run] + [late(delivery(worker, body)) for worker in workers.all[1:]])
        assert tally.asked == 1 and {each.body for each in answers} == {"success"}
        workers.all[0].fallback.carry_out()
        found = workers.sql("SELECT number, kind FROM shop_orders") if within else [
            (effect.out_trade_no, effect.kind) for effect in workers.done]
        assert found == [("A1", "paid")]
        assert workers.all[0].store.get("shop", "A1").outcome == "paid"


def test_T50_a_shop_with_its_own_table_books_once_where_its_function_is_one_transaction(tmp_path):
    """Hostile: eight at once. Genuine: all are answered success. The function is written as the documentation says."""
    path = str(tmp_path / "shop.db")

    def connect():
        return sqlite3.connect(path, timeout=20, isolation_level=None)
    first = connect()
    first.execute("CREATE TABLE orders (number TEXT PRIMARY KEY, paid INTEGER)")
    first.execute("CREATE TABLE parcels (number TEXT)")
    first.execute("INSERT INTO orders VALUES ('A1', 0)")
    first.close()

    def notified(name, note):
        connection = connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            if note.is_paid and connection.execute(
                    "UPDATE orders SET paid = 1 WHERE number = ? AND paid = 0", (note["out_trade_no"],)).rowcount:
                connection.execute("INSERT INTO parcels VALUES (?)", (note["out_trade_no"],))
            connection.execute("COMMIT")
        finally:
            connection.close()
    client = Client(shop("MD5"), Gateway())
    callbacks = Callbacks({"shop": client}, IntoShop(lambda name, number: Order(number, **PRICE), notified))
    body = message(FOREX)
    answers = at_once([lambda: callbacks.notify("shop", "POST", FORM, len(body), lambda size: body)] * 8)
    assert {each.body for each in answers} == {"success"}
    last = connect()
    assert last.execute("SELECT number FROM parcels").fetchall() == [("A1",)]
    last.close()


def test_an_effect_that_another_worker_has_in_hand_is_still_answered_success(tmp_path):
    """The state is stored, and whoever has claimed the effect carries it out or loses it to the next run."""
    with Workers(tmp_path / "orders.db", 2) as workers:
        first, second = workers.all
        first.fallback.watch("shop", Order("A1", **PRICE))
        inside = []

        def slow(effect):
            inside.append(second.deliver(message(FOREX)).body)
            workers.done.append(effect)
        first.fallback._handler = slow
        assert first.deliver(message(FOREX)).body == "success"
        assert inside == ["success"] and len(workers.done) == 1
