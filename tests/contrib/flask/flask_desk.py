"""A shop on Flask for these tests. Messages come from ``genuine``, which makes them without the package."""
import logging
import threading

from flask import Flask

from alipay_mapi import Order
from alipay_mapi.contrib.flask import AlipayMapi
from alipay_mapi.transport import Answer
from genuine import FOREX, FORM, MD5_KEY, PARTNER, changed, message

#: What no page, log or repr may show.
CANARIES = (MD5_KEY, "canary.buyer@example.com", "13800138000")
MERCHANT = {"partner": PARTNER, "sign_type": "MD5", "md5_key": MD5_KEY}
SITE = "https://shop.example"
PATIENCE = 60.0


class Gateway:
    """A transport that counts, and says that a trade does not exist."""

    def __init__(self, body=b"<alipay><is_success>F</is_success><error>TRADE_NOT_EXIST</error></alipay>"):
        self.body, self.calls, self._lock = body, [], threading.Lock()

    def send(self, call):
        with self._lock:
            self.calls.append(call)
        return Answer(200, "text/xml", self.body)


class Desk:
    """``app``: with the extension ``alipay``; ``done``: what the handler carried out, as (kind, number). ``settings``:
    of the extension, without their prefix; None leaves one out."""

    def __init__(self, url_prefix="/alipay", app=None, before=None, **settings):
        self.done, self.gateway, self._lock = [], Gateway(), threading.Lock()
        self.app = app or Flask("shop_under_test")
        usual = {"MERCHANTS": {"shop": dict(MERCHANT)}, "SITE_URL": SITE, "STORE": "memory:", "HANDLER": self.carry_out}
        for name, value in dict(usual, **settings).items():
            if value is not None:
                self.app.config["ALIPAY_MAPI_" + name] = value
        if before is not None:
            before(self.app)
        self.alipay = AlipayMapi()
        self.alipay.init_app(self.app, url_prefix)

    def carry_out(self, effect):
        with self._lock:
            self.done.append((effect.kind, effect.out_trade_no))

    def inside(self, call):
        """Its result, in the app's context; no call leaves this machine."""
        with self.app.app_context():
            if self.app.config.get("ALIPAY_MAPI_STORE") is not None:
                for gateways in self.alipay.fallback().backends.values():
                    gateways["mapi"].client._transport = self.gateway
            return call()

    def watch(self, *numbers, **price):
        price = price or {"total_fee": "8.00", "currency": "USD"}
        shop = next(iter(self.app.config["ALIPAY_MAPI_MERCHANTS"]))
        self.inside(lambda: [self.alipay.fallback().watch(shop, Order(number, **price))
                             for number in numbers or ["A1"]])

    def post(self, body, content_type=FORM + "utf-8", path="/alipay/notify/", **more):
        """What Alipay's server does → (status, text)."""
        answer = self.app.test_client().post(path, data=body, content_type=content_type, **more)
        of_ams = content_type == "application/json"
        assert answer.headers["Content-Type"] == (content_type if of_ams else "text/plain; charset=utf-8")
        return answer.status_code, answer.data.decode("ascii")

    def returns(self, query, path="/alipay/return/"):
        """What the buyer's browser does."""
        return self.app.test_client().get(path + "?" + query.decode("ascii"))

    def state(self):
        """What the extension keeps for the app."""
        return self.app.extensions["alipay_mapi"]

    def row(self, number="A1", shop="shop"):
        return self.inside(lambda: self.alipay.fallback().store.get(shop, number))

    def close(self):
        self.alipay.forget(self.app)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def note(number="A1", key=None, charset="utf-8", **fields):
    """A genuine notification's body; one of somebody else with another ``key``."""
    return message(changed(FOREX, out_trade_no=number, **fields), "MD5", charset, key)


class Told(logging.Handler):
    """All that is logged by anybody, at every level, with ``with``."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines, self._root = [], logging.getLogger()

    def emit(self, record):
        self.lines.append(self.format(record))

    @property
    def text(self):
        return "\n".join(self.lines)

    def __enter__(self):
        self._before = self._root.level
        self._root.addHandler(self)
        self._root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_):
        self._root.removeHandler(self)
        self._root.setLevel(self._before)


def at_once(works):
    """Every function in a thread of its own, all begun together → what they gave back."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(at, work):
        gate.wait(PATIENCE)
        results[at] = work()
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return results
