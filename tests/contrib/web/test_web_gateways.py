"""A web shop with an account at AMS: what is set wrong is told by its setting's name, and where payments go."""
import pytest

from alipay_mapi import Order
from alipay_mapi.backend import PaymentPage
from alipay_mapi.contrib.web import faults
from alipay_mapi.contrib.web.configured import Configured
from alipay_mapi.contrib.web.faults import problems_of
from alipay_mapi.errors import ConfigurationError, InvalidRequest, TransportError, WatchConflict
from alipay_mapi.migration.errors import NotTranslatable
from alipay_mapi.request import SignedRequest
from gateways_under_test import OnAms, content_of
from genuine import MD5_KEY, PARTNER, STRANGER, key_file
from migration_samples import dumped, notification_headers, pem, result

MD5 = {"partner": PARTNER, "sign_type": "MD5", "md5_key": MD5_KEY}
ACCOUNT = {"client_id": "CLIENT001", "private_key": pem("merchant-private"),
           "alipay_public_key": pem("platform-public")}
SECRETS = (MD5_KEY, "BEGIN", "MII", "S3CRET") + tuple(pem("merchant-private").splitlines()[1:3])
NOTIFY, RETURN = "https://shop.example/alipay/notify/shop/", "https://shop.example/alipay/return/shop/"


def tea(number="A1"):
    return Order(number, total_fee="8.00", currency="USD")


def dear(order, service):
    """A rule of the shop's own."""
    return "ams" if order.total_fee > 5 else "mapi"


def back(number):
    return "/orders/{}/".format(number)


def values(**more):
    given = dict({"MERCHANTS": {"shop": MD5}, "SITE_URL": "https://shop.example", "STORE": "memory:", "HANDLER": dear,
                  "AMS": {"shop": ACCOUNT}, "NEW_ORDERS": "ams", "RETURN_TO": "/orders/{out_trade_no}/"}, **more)
    return {name: value for name, value in given.items() if value is not None}


class Desk:
    """``stage``: AMS."""

    def __init__(self, **more):
        self.configured, self.stage = Configured(values(**more)), OnAms()
        for name in self.configured.accounts:
            self.configured.backends(name)["ams"].client._transport = self.stage

    def pay(self, number="A1", **more):
        more.setdefault("back", back)
        return self.configured.payment(tea(number), notify_url=NOTIFY, return_url=RETURN, subject="Tea", **more)

    def row(self, number="A1", shop="shop"):
        return self.configured.store().get(shop, number)

    def sent(self):
        return content_of(self.stage.sent[-1])


@pytest.fixture
def make():
    made = []

    def call(**more):
        made.append(Desk(**more))
        return made[-1]
    yield call
    for desk in made:
        if "store" in desk.configured._made:
            desk.configured.store().close()


# --- mistakes ---------------------------------------------------------------------------------------------------------

def account(**changes):
    return {"shop": {name: value for name, value in dict(ACCOUNT, **changes).items() if value is not None}}


MISTAKES = [
    ("AMS", {"AMS": "S3CRET"}), ("AMS", {"AMS": [ACCOUNT]}), ("AMS", {"AMS": {"other": ACCOUNT}}),
    ("AMS", {"AMS": {5: ACCOUNT}}), ("AMS", {"AMS": {"shop": "S3CRET"}}), ("AMS", {"AMS": {"shop": None}}),
    ("AMS", {"AMS": account(client_id=None)}), ("AMS", {"AMS": account(client_id=PARTNER)}),
    ("AMS", {"AMS": account(private_key="S3CRET")}), ("AMS", {"AMS": account(private_key=pem("platform-public"))}),
    ("AMS", {"AMS": account(alipay_public_key=pem("merchant-public"))}), ("AMS", {"AMS": account(region="moon")}),
    ("AMS", {"AMS": account(domain="http://plain.example")}), ("AMS", {"AMS": account(colour="S3CRET")}),
    ("AMS", {"AMS": account(allow_http="perhaps")}), ("AMS", {"AMS": account(private_key_file="/no/such/file.pem")}),
    ("NEW_ORDERS", {"NEW_ORDERS": "openapi"}), ("NEW_ORDERS", {"NEW_ORDERS": {"ams": 101}}),
    ("NEW_ORDERS", {"NEW_ORDERS": {"ams": "S3CRET"}}), ("NEW_ORDERS", {"NEW_ORDERS": 5}),
    ("NEW_ORDERS", {"NEW_ORDERS": "no.such.function"}), ("NEW_ORDERS", {"NEW_ORDERS": "test_web_gateways.nothing"}),
    ("NEW_ORDERS", {"NEW_ORDERS": "ams", "AMS": None}), ("STORE", {"STORE": None})]


def of_setting(text, name):
    return text.startswith(name + ":") or text.startswith(name + "[")


@pytest.mark.parametrize("name, wrong", MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_told_by_its_setting_and_shows_no_secret(name, wrong, monkeypatch):
    monkeypatch.setattr(faults, "pycrypto_is_there", lambda: False)
    told = [problem for problem in problems_of(values(**wrong)) if problem.id != "W001"]
    texts = [problem.text for problem in told if problem.level == "error"]
    assert texts and any(of_setting(text, name) or name == "STORE" and "STORE" in text for text in texts)
    assert len(texts) == len(set(texts)) and not [secret for secret in SECRETS if secret in repr(told)]
    if name != "STORE" and wrong.get("AMS", 1) is not None:
        configured = Configured(values(**wrong))
        with pytest.raises(ConfigurationError) as caught:
            configured.backends("shop"), configured.rule("shop")
        assert of_setting(str(caught.value), name) and caught.value.__context__ is None
        assert not [secret for secret in SECRETS if secret in str(caught.value)]


def test_what_works_has_no_problem_and_without_RETURN_TO_there_is_a_warning(monkeypatch):
    monkeypatch.setattr(faults, "pycrypto_is_there", lambda: False)
    for new_orders in (None, "ams", "mapi", {"ams": 1}, dear, "test_web_gateways.dear"):
        assert [problem.id for problem in problems_of(values(NEW_ORDERS=new_orders))] == ["W001"]
    assert [problem.id for problem in problems_of(values(RETURN_TO=None))] == ["W001", "W009"]
    assert [problem.id for problem in problems_of(values(AMS=None, NEW_ORDERS="mapi", RETURN_TO=None))] == ["W001"]


def test_a_shop_without_a_store_keeps_no_homes():
    configured = Configured(values(STORE=None, HANDLER=None, ORDER=dear, NOTIFIED=dear))
    with pytest.raises(ConfigurationError, match="STORE"):
        configured.payment(tea(), notify_url=NOTIFY, subject="Tea")
    assert [problem.text.partition(":")[0] for problem in problems_of(values(
        STORE=None, HANDLER=None, ORDER=dear, NOTIFIED=dear)) if problem.level == "error"] == ["AMS"]


# --- where a payment goes ---------------------------------------------------------------------------------------------

def test_a_payment_goes_to_ams_and_its_order_lives_there(make):
    desk = make()
    page = desk.pay(timeout="5m")
    assert isinstance(page, PaymentPage) and page.url.startswith("https://cashier.example/") and "<form" in page.form()
    assert desk.row().gateway == "ams" and desk.stage.calls == ["pay"]
    sent = desk.sent()
    assert (sent["paymentRequestId"], sent["paymentAmount"], sent["paymentNotifyUrl"]) == (
        "A1", {"currency": "USD", "value": "800"}, NOTIFY)
    assert desk.configured.router("shop") is desk.configured.router("shop")


@pytest.mark.parametrize("new_orders, dearer", [({"ams": 100}, "ams"), (dear, "ams"), ("test_web_gateways.dear", "ams"),
                                                ("mapi", "mapi"), ({"ams": 0}, "mapi"), (None, "mapi")])
def test_new_orders_go_where_the_setting_says(make, new_orders, dearer):
    desk = make(NEW_ORDERS=new_orders)
    payment = desk.pay()
    assert desk.row().gateway == dearer and isinstance(payment, PaymentPage if dearer == "ams" else SignedRequest)


def test_a_known_order_stays_when_the_setting_changes(make, tmp_path):
    store = "sqlite:///{}".format(tmp_path / "orders.db")
    make(STORE=store).pay()
    desk = make(STORE=store, NEW_ORDERS="mapi")
    assert isinstance(desk.pay(), PaymentPage) and isinstance(desk.pay("A2"), SignedRequest)
    assert [desk.row(number).gateway for number in ("A1", "A2")] == ["ams", "mapi"]


def test_an_order_at_ams_is_not_made_on_mapi_when_the_account_is_taken_out(make, tmp_path):
    store = "sqlite:///{}".format(tmp_path / "orders.db")
    make(STORE=store).pay()
    with pytest.raises(WatchConflict):
        make(STORE=store, AMS=None, NEW_ORDERS=None).pay()


def test_an_app_is_always_paid_on_mapi(make):
    desk = make(MERCHANTS={"shop": {"partner": PARTNER, "sign_type": "RSA2",
                                    "private_key": key_file("rsa2048", "private"),
                                    "alipay_public_key": key_file("rsa2048-other")}})
    text = desk.configured.app_payment(Order("A1", total_fee="8.00", currency="USD"), notify_url=NOTIFY, subject="Tea",
                                       body="Green tea", forex_biz="FP")
    assert "sign=" in text and desk.row().gateway == "mapi" and desk.stage.calls == []


def test_a_merchant_without_an_account_is_as_before(make):
    other = dict(MD5, partner=STRANGER)
    desk = make(MERCHANTS={"shop": MD5, "hk": other}, DEFAULT_MERCHANT="shop")
    assert isinstance(desk.pay(shop="hk"), SignedRequest) and desk.row(shop="hk").gateway == "mapi"
    assert isinstance(desk.pay(), PaymentPage) and list(desk.configured.backends("hk")) == ["mapi"]


def test_what_ams_cannot_make_goes_to_mapi(make):
    desk = make()
    split = [{"transIn": "2088101122136242", "amount": "1.00", "currency": "USD"}]
    assert isinstance(desk.pay(split_fund_info=split), SignedRequest) and desk.row().gateway == "mapi"


def test_what_cannot_be_made_at_all_is_not_watched(make):
    desk = make()
    for wrong in ({"subject": "\x00"}, {"colour": "red"}, {"service": "mobile.securitypay.pay"}):
        with pytest.raises((InvalidRequest, NotTranslatable)):
            desk.configured.payment(tea(), **dict({"subject": "Tea", "notify_url": NOTIFY}, **wrong))
    assert desk.row() is None and desk.stage.calls == []


def test_a_payment_that_was_not_sent_may_be_made_again_there(make):
    desk = make()
    answer = desk.stage.says["pay"]
    desk.stage.says["pay"] = TransportError("dns", kind="dns", sent=False)
    with pytest.raises(TransportError):
        desk.pay()
    assert desk.row().gateway == "ams"
    desk.stage.says["pay"] = answer
    assert desk.pay().url


# --- the way back -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("where, address", [
    ("/orders/{out_trade_no}/", "https://shop.example/orders/A1/"), ("https://m.shop.example/{out_trade_no}",
                                                                     "https://m.shop.example/A1"),
    ("thanks/", RETURN + "thanks/")])
def test_from_ams_the_buyer_comes_back_to_the_shops_own_page(make, where, address):
    """AMS signs nothing on the way back, so our view could not tell him from anybody. The address is the one that a
    browser makes of it when our view sends it there."""
    desk = make(RETURN_TO=where)
    desk.pay(back=desk.configured.return_to)
    assert desk.sent()["paymentRedirectUrl"] == address


def test_an_address_of_the_shops_own_is_left_as_it_is(make):
    desk = make()
    for more in ({"back": None}, {"back": lambda number: None}):
        desk.pay(**more)
        assert desk.sent()["paymentRedirectUrl"] == RETURN
    assert make(NEW_ORDERS="mapi").pay().params["return_url"] == RETURN, "MAPI signs the way back to our view"


# --- notifications ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("site, signed", [("https://shop.example", "/alipay/notify/shop/"),
                                          ("https://shop.example/tea/", "/tea/alipay/notify/shop/")])
def test_a_notification_is_verified_for_the_public_address_and_refunds_are_found(make, site, signed):
    desk = make(SITE_URL=site, HANDLER=None)
    desk.pay()
    content = {"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
               "paymentAmount": {"currency": "USD", "value": "800"}}
    body = dumped(content)
    for path, status in (("/other/", 400), (signed, 200)):
        headers = dict(notification_headers(path, body), **{"Content-Type": "application/json"})
        answer = desk.configured.callbacks().notify("shop", "POST", "application/json", str(len(body)),
                                                    lambda size: body[:size], "",
                                                    lambda headers=headers: ("/alipay/notify/shop/", headers))
        assert answer.status == status
    assert desk.row().outcome == "paid"


def test_the_fallback_of_a_shop_asks_both(make):
    desk = make(HANDLER=None, FALLBACK={"grace": 0, "jitter": 0})
    desk.pay()
    assert set(desk.configured.fallback().backends["shop"]) == {"mapi", "ams"}
    desk.stage.is_at("paid")
    tally = desk.configured.fallback().run(workers=0)
    assert tally.outcomes == {"paid": 1} and desk.stage.calls == ["pay", "query"]
