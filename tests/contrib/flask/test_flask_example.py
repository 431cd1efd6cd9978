"""``examples/flask_shop`` on every Flask, against the gateway in this process. In a browser it is driven by
``tests/browser/flask_shop_in_chromium.py``."""
import importlib.util
import re
import sys
from urllib.parse import urlsplit

import pytest

from alipay_mapi.emulator.shop_ini import section
from alipay_mapi.testing import TestGateway


@pytest.fixture
def gateway():
    with TestGateway() as one:
        yield one


@pytest.fixture
def shop(gateway, tmp_path, monkeypatch, checkout):
    (tmp_path / "shop.ini").write_text(section(gateway.emulator, "md5"))
    monkeypatch.setenv("SHOP_FOLDER", str(tmp_path))
    path = str(checkout / "examples" / "flask_shop" / "shop.py")
    spec = importlib.util.spec_from_file_location("flask_example", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "flask_example", module)      # Flask looks there for the folder of templates
    spec.loader.exec_module(module)
    gateway.deliver_to(app=module.app)
    yield module
    module.alipay.forget(module.app)


def place(answer):
    """The path that it leads to; old versions of Werkzeug put scheme and host in front."""
    return urlsplit(answer.headers["Location"]).path


class Buyer:
    def __init__(self, shop, gateway):
        self.client, self.gateway = shop.app.test_client(), gateway
        self.page = place(self.client.post("/orders"))
        self.number = self.page.split("/")[2]

    def state(self):
        text = self.client.get(self.page).data.decode("utf-8")
        return re.search('id="state">([^<]*)<', text).group(1)

    def goes_to_alipay(self):
        self.gateway.visit(self.client.post(self.page + "pay").headers["Location"])

    def comes_back(self):
        answer = self.client.get(self.gateway.return_url(self.number))
        assert (answer.status_code, place(answer)) == (303, self.page)


@pytest.fixture
def buyer(shop, gateway):
    return Buyer(shop, gateway)


def test_the_first_page_has_a_price(shop):
    assert "12.30 USD" in shop.app.test_client().get("/").data.decode("utf-8")


def test_an_order_is_paid_when_it_is_proved_and_never_before(buyer, gateway):
    assert buyer.state() == "Not paid yet"
    buyer.goes_to_alipay()
    assert buyer.state() == "We are checking"
    gateway.pay(buyer.number)
    buyer.comes_back()
    assert buyer.state() == "We are checking"
    assert [one["text"] for one in gateway.deliver()] == ["success"]
    assert buyer.state() == "Paid"
    assert place(buyer.client.post(buyer.page + "pay")) == buyer.page


def test_a_lost_notification_is_found_by_a_run(buyer, gateway, shop):
    buyer.goes_to_alipay()
    gateway.pay(buyer.number, lose=True)
    buyer.comes_back()
    with shop.app.app_context():
        assert shop.alipay.fallback().run(workers=0).ended == "done"
    assert buyer.state() == "Paid"
    with shop.database() as db:
        assert db.execute("SELECT count(*) FROM settled").fetchone()[0] == 1


def test_a_refund_is_told_and_a_repeated_effect_does_nothing(buyer, gateway, shop):
    buyer.goes_to_alipay()
    gateway.pay(buyer.number)
    gateway.deliver()
    with shop.app.app_context():
        fallback = shop.alipay.fallback()
        fallback.refund("shop", buyer.number, "R1", "12.30")
        fallback.run(workers=0)
    gateway.deliver()
    gateway.advance(600)
    with shop.app.app_context():
        shop.alipay.fallback().retry("shop", buyer.number)
        shop.alipay.fallback().run(workers=0)
    assert buyer.state() == "Refunded"
    with shop.database() as db:
        keys = [row["key"] for row in db.execute("SELECT key FROM settled ORDER BY key")]
    number = buyer.number       # the whole refund also closes the trade
    assert keys == ["shop:paid::" + number, "shop:refunded::" + number, "shop:refunded:R1:" + number]


def test_an_order_that_there_is_not_is_not_found(shop):
    assert shop.app.test_client().get("/orders/none/").status_code == 404
    assert shop.app.test_client().post("/orders/none/pay").status_code == 404


def test_the_example_is_small_and_holds_no_key(checkout):
    folder = checkout / "examples" / "flask_shop"
    text = (folder / "shop.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert not re.search(r"[0-9a-z]{32}|BEGIN", text)
    assert {"shop.ini", "*.db"} <= set((folder / ".gitignore").read_text().splitlines())
