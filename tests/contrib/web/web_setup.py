"""A web shop for the tests of what all frameworks share, and a gateway that is a list of calls. Messages come from
``genuine``, which makes them without the package.
"""
import logging
import threading

from alipay_mapi import Client, Order
from alipay_mapi.contrib.web.callbacks import LOG, Callbacks
from alipay_mapi.contrib.web.taking import IntoShop, IntoStore
from alipay_mapi.errors import OrderNotFound
from alipay_mapi.fallback import Decision, Fallback, Schedule, refunding
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.transport import Answer
from genuine import FOREX, FORM, changed, message, shop

START = 1750000000.0
PRICE = {"total_fee": "8.00", "currency": "USD"}
PATIENCE = 60.0


def was_sent(store, number="A1"):
    """The order's refunds, as after a run that has sent them."""
    def sent(row):
        refunds = tuple(refund._replace(status=refunding.ACCEPTED, before="0.00")
                        for refund in refunding.from_text(row.refunds))
        return Decision(None, row.outcome, row.due_at, refunds=refunding.to_text(refunds))
    store.apply("shop", number, sent)


class Clock:
    def __init__(self, now=START):
        self.now = now

    def __call__(self):
        return self.now


class Gateway:
    """A transport: ``answer`` is what every call gets, or what it raises."""

    def __init__(self, answer=b"true"):
        self.answer, self.calls, self._lock = answer, [], threading.Lock()

    def send(self, call):
        with self._lock:
            self.calls.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Answer(200, "text/html", self.answer)


class _Desk:
    def __init__(self, sign_type, settings):
        self.gateway, self.done, self.lock = Gateway(), [], threading.Lock()
        self.client = Client(shop(sign_type, **settings), self.gateway, retries=0, sleep=lambda seconds: None)
        self.sign_type = sign_type

    def post(self, body, content_type=FORM + "utf-8", *, name="shop", method="POST", length=None, read=None,
             remote="192.0.2.7"):
        """What Alipay's server does."""
        length = str(len(body)) if length is None else length
        return self.callbacks.notify(name, method, content_type, length, read or (lambda size: body[:size]), remote)

    def note(self, number="A1", key=None, **fields):
        """A genuine notification's body; one of somebody else with another ``key``."""
        return message(changed(FOREX, out_trade_no=number, **fields), self.sign_type, key=key)

    def record(self, *what):
        with self.lock:
            self.done.append(what)


class StoreDesk(_Desk):
    """Orders are watched in a store; what its handler carried out is in ``done``: (kind, number)."""

    def __init__(self, sign_type="MD5", path=":memory:", handler=True, within=None, order=None, notified=None,
                 evidence=None, seldom=None, **settings):
        super().__init__(sign_type, settings)
        self.clock = Clock()
        self.store = SQLiteStore(str(path), clock=self.clock)
        self.fallback = Fallback(self.store, {"shop": self.client}, self.carry_out if handler is True else handler,
                                 within=within, schedule=Schedule(jitter=0.0), per_second=None, refunds_apart=None)
        self.callbacks = Callbacks({"shop": self.client}, IntoStore(lambda: self.fallback, order, notified), evidence,
                                   seldom)

    def carry_out(self, effect):
        self.record(effect.kind, effect.out_trade_no)

    def watch(self, *numbers, **price):
        for number in numbers or ("A1",):
            self.fallback.watch("shop", Order(number, **(price or PRICE)))

    def row(self, number="A1"):
        return self.store.get("shop", number)

    def close(self):
        self.store.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class OwnTableDesk(_Desk):
    """The shop keeps its orders itself; what it booked is in ``done``: (trade_status, number)."""

    def __init__(self, sign_type="MD5", notified=None, evidence=None, seldom=None, **settings):
        super().__init__(sign_type, settings)
        self.orders = {"A1": Order("A1", **PRICE)}
        self.asked = []
        self.callbacks = Callbacks({"shop": self.client}, IntoShop(self.find, notified or self.book), evidence, seldom)

    def find(self, name, number):
        self.asked.append((name, number))
        return self.orders.get(number)

    def book(self, name, note):
        self.record(note["trade_status"], note["out_trade_no"])

    def watch(self, *numbers, **price):
        for number in numbers or ("A1",):
            self.orders[number] = Order(number, **(price or PRICE))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def raises(error):
    """A function that raises it, whatever it is given."""
    def call(*_):
        raise error
    return call


def knows_no_order(*_):
    raise OrderNotFound("no such order")


class Told(logging.Handler):
    """Every record of the logger, with ``with``."""

    def __init__(self, logger=LOG, level=logging.DEBUG):
        super().__init__(level)
        self.records, self._logger, self._before = [], logger, logger.level

    def emit(self, record):
        self.records.append(record)

    @property
    def lines(self):
        return [record.getMessage() for record in self.records]

    def __enter__(self):
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_):
        self._logger.removeHandler(self)
        self._logger.setLevel(self._before)


def at_once(works):
    """Every function in a thread of its own, all begun together → what they gave back; the first error is raised."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(at, work):
        try:
            gate.wait(PATIENCE)
            results[at] = (work(), None)
        except Exception as err:
            results[at] = (None, err)
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    for _, err in results:
        if err is not None:
            raise err
    return [result for result, _ in results]
