"""Where an order lives: chosen once, stored before anything is sent, and never changed by a rule."""
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi.backend import Backend, backends_of
from alipay_mapi.errors import (AlipayError, ConfigurationError, GatewayError, InvalidRequest, OutcomeUnknown,
                                StoreError, TransportError, WatchConflict)
from alipay_mapi.fallback import Fallback
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.migration.errors import NotTranslatable, UnknownHome
from alipay_mapi.migration.router import Homes, Router, StoreHomes, rule_of, share
from alipay_mapi.order import Order
from gateways_under_test import PAY, USD, OnAms, OnMapi, content_of

SERVICE = "create_forex_trade"
PATIENCE = 30.0


class Gateway(Backend):
    """Takes what it is told to, and remembers what came. ``raises``: what its ``query`` raises."""

    def __init__(self, name, raises=None, cannot=()):
        self.name, self.account, self.raises, self.cannot, self.came = name, name, raises, cannot, []

    def refusals(self, service, params):
        return ["{}: cannot".format(one) for one in self.cannot if one in params]

    def payment_content(self, service, params):
        if self.refusals(service, params):
            raise NotTranslatable("cannot")
        return params

    def pay(self, service, params):
        self.payment_content(service, params)
        self.came.append(("pay", params["out_trade_no"]))
        return self.name

    def query(self, order):
        self.came.append(("query", order.out_trade_no))
        if self.raises is not None:
            raise self.raises
        return self.name

    def send_refund(self, order, out_return_no, amount, gmt_return, reason=""):
        self.came.append(("refund", order.out_trade_no, out_return_no, amount, gmt_return, reason))

    def query_refund(self, order, out_return_no):
        self.came.append(("query refund", order.out_trade_no, out_return_no))
        return self.name


class Shop:
    """Both gateways over one store. ``moves(rule)``: the same shop with another rule."""

    def __init__(self, path=":memory:", **gateways):
        self.gateways = gateways or {"mapi": Gateway("mapi"), "ams": Gateway("ams")}
        self.store = SQLiteStore(str(path))
        self.fallback = Fallback(self.store, {"shop": self.gateways})
        self.homes = StoreHomes(self.fallback, "shop")

    def moves(self, new_orders="mapi", **more):
        return Router(self.gateways, self.homes, new_orders, **more)

    def came(self):
        return {name: [one[:2] for one in gateway.came] for name, gateway in self.gateways.items()}

    def close(self):
        self.store.close()


@pytest.fixture
def shop():
    made = Shop()
    yield made
    made.close()


def order(number="A1", price="8.00"):
    return Order(number, total_fee=price, currency="USD")


def pay(router, number="A1", price="8.00", **params):
    return router.pay(order(number, price), SERVICE, dict(PAY, out_trade_no=number, total_fee=price, **params))


# --- an order stays where it was made ---------------------------------------------------------------------------------

def test_a_new_order_goes_where_the_rule_says_and_stays_there_whatever_it_says_later(shop):
    assert pay(shop.moves("ams")) == "ams"
    for rule in ("mapi", {"ams": 0}, lambda order, service: "mapi"):
        router = shop.moves(rule)
        assert pay(router) == "ams" and router.home_of("A1") == "ams" and router.query(order()) == "ams"
        router.refund(order(), "R1", "1.00", "20260512120000", "late")
        assert router.query_refund(order(), "R1") == "ams"
    assert shop.gateways["mapi"].came == []
    assert shop.gateways["ams"].came[3] == ("refund", "A1", "R1", "1.00", "20260512120000", "late")


def test_a_shop_goes_back_and_what_it_made_there_is_still_served_there(shop):
    before, after = shop.moves("ams"), shop.moves("mapi")
    pay(before, "A1")
    assert pay(after, "A2") == "mapi"
    assert [after.query(order(number)) for number in ("A1", "A2")] == ["ams", "mapi"]
    assert shop.came() == {"ams": [("pay", "A1"), ("query", "A1")], "mapi": [("pay", "A2"), ("query", "A2")]}


def test_the_store_and_the_fallback_agree_on_the_home(shop):
    pay(shop.moves("ams"))
    assert shop.store.get("shop", "A1").gateway == "ams"
    shop.fallback.watch("shop", order("A2"), gateway="mapi")
    assert shop.moves("ams").home_of("A2") == "mapi" and pay(shop.moves("ams"), "A2") == "mapi"


def test_the_same_number_with_another_price_is_refused_wherever_it_lives(shop):
    pay(shop.moves("ams"))
    for rule in ("ams", "mapi"):
        with pytest.raises(WatchConflict):
            pay(shop.moves(rule), price="9.00")
        with pytest.raises(WatchConflict):
            shop.homes.remember(order(price="9.00"), rule)
    assert shop.came()["ams"] == [("pay", "A1")] and shop.gateways["mapi"].came == []


def test_who_was_slower_hears_where_the_order_lives(shop):
    assert shop.homes.remember(order(), "mapi", "30m") == "mapi"
    assert shop.homes.remember(order(), "ams", "2h") == "mapi"
    assert shop.homes.home_of("A1") == "mapi" and shop.homes.home_of("A2") is None


def test_two_processes_that_choose_differently_at_once_make_one_order(tmp_path):
    """Both have seen that the order is new before either stores it; the store decides, and both go there."""
    gate, shops = threading.Barrier(2), []

    class AtOnce(StoreHomes):
        def home_of(self, out_trade_no):
            found = super().home_of(out_trade_no)
            if found is None:
                gate.wait(PATIENCE)
            return found

    results = {}

    def run(rule):
        one = Shop(tmp_path / "orders.db")
        shops.append(one)
        try:
            results[rule] = pay(Router(one.gateways, AtOnce(one.fallback, "shop"), rule))
        finally:
            one.close()
    Shop(tmp_path / "orders.db").close()
    threads = [threading.Thread(target=run, args=(rule,)) for rule in ("mapi", "ams")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert sorted(results) == ["ams", "mapi"] and len(set(results.values())) == 1
    home = results["ams"]
    assert sorted(sum((one.gateways[home].came for one in shops), [])) == [("pay", "A1")] * 2
    assert not [one for one in shops for name, gateway in one.gateways.items() if name != home and gateway.came]


# --- what is stored, and when -----------------------------------------------------------------------------------------

def test_the_home_is_stored_before_anything_is_sent():
    """A transport that looks into the store when it is called; its answer is lost, and the order is still known."""
    stage, seen = OnAms(), []

    def look(call):
        seen.append((content_of(call)["paymentRequestId"], shop.store.get("shop", "A1").gateway))
        raise OutcomeUnknown("lost")
    stage.says["pay"] = look
    shop = Shop(mapi=OnMapi().backend(), ams=stage.backend())
    try:
        with pytest.raises(OutcomeUnknown):
            shop.moves("ams").pay(USD, SERVICE, PAY)
        assert seen == [("A1", "ams")]
        stage.is_at("not_there")
        with pytest.raises(GatewayError, match="ORDER_NOT_EXIST"):
            shop.moves("mapi").query(USD)
        assert stage.calls == ["pay", "query"]
    finally:
        shop.close()


def test_a_store_that_cannot_be_written_makes_no_payment(shop):
    class Broken(Homes):
        def home_of(self, out_trade_no):
            return None

        def remember(self, order, gateway, timeout=None):
            raise StoreError("full")
    with pytest.raises(StoreError):
        pay(Router(shop.gateways, Broken(), "ams"))
    assert shop.came() == {"mapi": [], "ams": []}


@pytest.mark.parametrize("otherwise", ["mapi", None])
def test_what_cannot_be_made_is_neither_stored_nor_sent(otherwise):
    shop = Shop(mapi=Gateway("mapi", cannot=["rate"]), ams=Gateway("ams", cannot=["rate"]))
    try:
        with pytest.raises(InvalidRequest):
            pay(shop.moves("ams", otherwise=otherwise), rate="1")
        assert shop.store.get("shop", "A1") is None and shop.came() == {"mapi": [], "ams": []}
    finally:
        shop.close()


def test_how_long_an_order_can_be_paid_is_stored_with_it(shop):
    router = shop.moves("ams")
    router.place(order("A1"), SERVICE, dict(PAY), "2h")
    router.place(order("A2"), SERVICE, dict(PAY, out_trade_no="A2"))
    lasts = [shop.store.get("shop", number).deadline - shop.store.now() for number in ("A1", "A2")]
    assert 7190 < lasts[0] <= 7200 and 43190 < lasts[1] <= 43200


def test_an_order_and_its_params_are_about_one_number(shop):
    with pytest.raises(InvalidRequest, match="out_trade_no"):
        shop.moves().pay(order("A2"), SERVICE, PAY)
    with pytest.raises(InvalidRequest, match="out_trade_no"):
        shop.moves().pay(order("A2"), SERVICE, {"partner_trans_id": "A1"})
    assert shop.store.get("shop", "A2") is None and shop.came() == {"mapi": [], "ams": []}


# --- nobody knows where it was made -----------------------------------------------------------------------------------

def test_a_write_to_an_order_of_unknown_origin_is_refused(shop):
    router = shop.moves("ams")
    for call in (lambda: router.refund(order(), "R1", "1.00", "20260512120000"),
                 lambda: router.query_refund(order(), "R1"), lambda: router.backend_for("A1")):
        with pytest.raises(UnknownHome) as caught:
            call()
        assert isinstance(caught.value, InvalidRequest) and caught.value.out_trade_no == "A1"
    assert shop.came() == {"mapi": [], "ams": []}


NO_SUCH = GatewayError("no", code="TRADE_NOT_EXIST")


@pytest.mark.parametrize("first, second, result", [
    (None, None, "mapi"), (NO_SUCH, None, "ams"), (TransportError("down"), None, "ams"),
    (GatewayError("no", code="ILLEGAL_SIGN"), None, "ams"), (NO_SUCH, NO_SUCH, "TRADE_NOT_EXIST"),
    (TransportError("down"), NO_SUCH, TransportError), (NO_SUCH, TransportError("down"), TransportError),
    (GatewayError("no", code="SYSTEM_ERROR"), NO_SUCH, "SYSTEM_ERROR")])
def test_a_read_of_an_unknown_order_asks_one_gateway_after_the_other(first, second, result):
    """Only when all of them say that there is none is there none."""
    shop = Shop(mapi=Gateway("mapi", first), ams=Gateway("ams", second))
    try:
        if result in ("mapi", "ams"):
            assert shop.moves().query(order()) == result
        else:
            with pytest.raises(AlipayError) as caught:
                shop.moves().query(order())
            assert getattr(caught.value, "code", None) == result or type(caught.value) is result
        assert len(sum(shop.came().values(), [])) == (1 if result == "mapi" else 2)
        assert shop.store.get("shop", "A1") is None, "a read places nothing"
    finally:
        shop.close()


def test_a_read_of_a_known_order_asks_its_home_alone():
    shop = Shop(mapi=Gateway("mapi"), ams=Gateway("ams", NO_SUCH))
    try:
        pay(shop.moves("ams"))
        with pytest.raises(GatewayError):
            shop.moves().query(order())
        assert shop.gateways["mapi"].came == []
    finally:
        shop.close()


@pytest.mark.parametrize("home", ["openapi", "paypal", ""])
def test_a_home_without_a_client_is_a_mistake_of_the_configuration(shop, home):
    class Own(Homes):
        """A shop's own table."""

        def home_of(self, out_trade_no):
            return home

        def remember(self, order, gateway, timeout=None):
            return home
    router = Router(shop.gateways, Own())
    for call in (lambda: pay(router), lambda: router.query(order()),
                 lambda: router.refund(order(), "R1", "1.00", "20260512120000")):
        with pytest.raises(ConfigurationError):
            call()
    assert shop.came() == {"mapi": [], "ams": []}


def test_an_order_whose_gateway_has_lost_its_client_is_not_made_elsewhere(tmp_path):
    both = Shop(tmp_path / "orders.db")
    pay(both.moves("ams"))
    both.close()
    alone = Shop(tmp_path / "orders.db", mapi=Gateway("mapi"))
    for call in (lambda: pay(alone.moves()), lambda: alone.moves().refund(order(), "R1", "1.00", "20260512120000")):
        with pytest.raises(ConfigurationError, match="ams"):
            call()
    assert alone.came() == {"mapi": []}
    alone.close()


# --- where new orders go ----------------------------------------------------------------------------------------------

NUMBERS = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=64)


def goes(rule, number):
    return rule(order(number), SERVICE)


@given(NUMBERS, st.floats(0, 100), st.floats(0, 100))
def test_the_same_number_falls_to_the_same_place_and_stays_when_its_share_grows(number, one, other):
    less, more = sorted((one, other))
    if goes(share({"ams": less}), number) == "ams":
        assert goes(share({"ams": less}), number) == goes(share({"ams": more}), number) == "ams"
    assert goes(share({"ams": 0}), number) == "mapi" and goes(share({"ams": 100}), number) == "ams"


@given(NUMBERS, st.floats(0, 60), st.floats(0, 40), st.floats(0, 40))
def test_of_two_shares_each_keeps_its_own_when_it_alone_grows(number, ams, one, other):
    less, more = sorted((one, other))
    if goes(share({"ams": ams, "openapi": less}), number) == "openapi":
        assert goes(share({"ams": ams, "openapi": more}), number) == "openapi"


def test_a_percent_is_about_a_percent():
    """By the numbers of the orders alone: no draw, so every process says the same."""
    for percent, least, most in ((1, 60, 140), (25, 2350, 2650), (99.5, 9925, 9975)):
        rule = share({"ams": percent})
        assert least <= sum(goes(rule, "2026-{}".format(at)) == "ams" for at in range(10000)) <= most


@pytest.mark.parametrize("given_, number, home", [
    ("mapi", "A1", "mapi"), ("ams", "A1", "ams"), ({}, "A1", "mapi"), ({"mapi": 100}, "A1", "mapi"),
    ({"ams": 100}, "A1", "ams"), ({"ams": 100.0, "mapi": 0}, "A1", "ams"), ({"mapi": 50, "ams": 50}, "A2", "mapi"),
    ({"mapi": 50, "ams": 50}, "A4", "ams"), ({"mapi": 33.3, "ams": 66.7}, "A4", "ams"), ({"ams": 8.84}, "A1", "mapi"),
    ({"ams": 8.85}, "A1", "ams")])      # the first 32 bits of SHA-256 put A1 at 8.843 percent, A2 at 78.2, A4 at 30.7
def test_a_rule_is_a_name_or_percents(shop, given_, number, home):
    assert pay(shop.moves(given_), number) == home


def test_three_shares_of_a_hundred_are_a_hundred():
    gateways = ("mapi", "ams", "openapi")
    rule_of({"mapi": 33.3, "ams": 33.3, "openapi": 33.4}, gateways)
    rule_of({"ams": 70.1, "openapi": 29.9}, ("ams", "openapi"))


@pytest.mark.parametrize("wrong", [
    "paypal", "", {"paypal": 1}, {"ams": 101}, {"ams": -1}, {"ams": True}, {"ams": "5"}, {"ams": None},
    {"ams": float("nan")}, {"ams": float("inf")}, {"ams": 60, "mapi": 60}, {5: 1}, 5, None, ["ams"]], ids=repr)
def test_a_rule_that_cannot_be_is_refused(shop, wrong):
    with pytest.raises(ConfigurationError, match="new_orders"):
        shop.moves(wrong)
    with pytest.raises(ConfigurationError, match="new_orders"):
        rule_of(wrong, shop.gateways)


def test_without_mapi_the_rest_has_to_go_somewhere():
    with pytest.raises(ConfigurationError, match="rest"):
        rule_of({"ams": 99}, ("ams",))
    assert goes(rule_of({"ams": 100}, ("ams",)), "A1") == "ams"


def test_a_rule_of_the_shops_own_sees_the_order_and_the_service(shop):
    def dear(order, service):
        assert service == SERVICE
        return "ams" if order.total_fee > 10 else "mapi"
    router = shop.moves(dear)
    assert [pay(router, "A1", "8.00"), pay(router, "A2", "80.00")] == ["mapi", "ams"]


@pytest.mark.parametrize("answer", ["paypal", None, 5, "openapi"])
def test_a_rule_that_names_no_gateway_of_this_shop_is_refused(shop, answer):
    with pytest.raises(ConfigurationError, match="the rule says"):
        pay(shop.moves(lambda order, service: answer))
    assert shop.store.get("shop", "A1") is None


def test_what_a_gateway_cannot_make_exactly_goes_elsewhere_or_is_told():
    shop = Shop(mapi=Gateway("mapi"), ams=Gateway("ams", cannot=["split_fund_info"]))
    try:
        assert pay(shop.moves("ams"), "A1", split_fund_info="[]") == "mapi"
        assert pay(shop.moves("ams"), "A2") == "ams"
        with pytest.raises(NotTranslatable):
            pay(shop.moves("ams", otherwise=None), "A3", split_fund_info="[]")
        with pytest.raises(ConfigurationError, match="otherwise"):
            shop.moves("ams", otherwise="openapi")
    finally:
        shop.close()


def test_the_real_back_ends_send_a_foreign_split_to_mapi():
    stage = OnAms()
    shop = Shop(**backends_of("shop", {"mapi": OnMapi().backend(), "ams": stage.backend()}))
    try:
        router = shop.moves("ams")
        page = router.pay(USD, SERVICE, PAY)
        assert page.gateway == "ams" and page.url.startswith("https://cashier.example/") and stage.calls == ["pay"]
        split = dict(PAY, out_trade_no="A2", split_fund_info='[{"transIn":"2088101122136242","amount":"1.00",'
                                                             '"currency":"USD"}]')
        page = router.pay(order("A2"), SERVICE, split)
        assert page.url.startswith("https://intlmapi.alipay.com/") and stage.calls == ["pay"]
        assert [router.home_of(number) for number in ("A1", "A2")] == ["ams", "mapi"]
    finally:
        shop.close()


@given(st.lists(st.tuples(st.sampled_from(["A1", "A2", "A3"]), st.sampled_from(["mapi", "ams", "share"]),
                          st.sampled_from(["pay", "query", "refund"])), max_size=20))
def test_no_order_ever_has_two_homes(story):
    """Property: whatever the rules were in between, all that was written to one order went to one gateway."""
    shop = Shop()
    try:
        for number, rule, what in story:
            router = shop.moves({"ams": 50} if rule == "share" else rule)
            try:
                if what == "pay":
                    pay(router, number)
                elif what == "query":
                    router.query(order(number))
                else:
                    router.refund(order(number), "R1", "1.00", "20260512120000")
            except UnknownHome:
                assert router.home_of(number) is None
        writes = {(number, name) for name, came in shop.came().items() for what, number in came if what != "query"}
        assert len({number for number, _ in writes}) == len(writes)
    finally:
        shop.close()


def test_the_rule_is_asked_about_new_orders_alone(shop):
    """A known order needs no rule, and nothing of it is tried on the gateway that the rule would name by now."""
    asked = []

    def rule(order, service):
        asked.append(order.out_trade_no)
        return "ams"
    for _ in range(3):
        assert pay(shop.moves(rule)) == "ams"
    assert asked == ["A1"]
