"""What a shop configures: every mistake is told by its setting's name and shows no secret; nothing is made before it
is used, everything once; and what is made of it works.
"""
import sys
import threading

import pytest

import web_setup
from alipay_mapi import Order
from alipay_mapi.contrib.web.configured import FALLBACK_NAMES, NAMES, Configured
from alipay_mapi.errors import (ConfigurationError, InvalidRequest, KeyFormatError, KeyMismatch, MissingKey,
                                StoreError, WatchConflict, WeakKey)
from alipay_mapi.fallback import Schedule
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.merchant import GATEWAY_MAINLAND
from genuine import FOREX, FORM, MD5_KEY, PARTNER, key_file, message

MD5 = {"partner": PARTNER, "sign_type": "MD5", "md5_key": MD5_KEY}
RSA2 = {"partner": PARTNER, "sign_type": "RSA2", "private_key": key_file("rsa2048", "private"),
        "alipay_public_key": key_file("rsa2048-other")}
SECRETS = (MD5_KEY, "BEGIN", "MII", "S3CRET")
USD = Order("A1", total_fee="8.00", currency="USD")
NOTIFY = "https://shop.example/notify/"


def one(**more):
    return dict({"MERCHANTS": {"shop": MD5}, "STORE": "memory:"}, **more)


@pytest.fixture
def make():
    """Configured, whose store is closed at the end."""
    made = []

    def call(values, *more, **named):
        made.append(Configured(values, *more, **named))
        return made[-1]
    yield call
    for configured in made:
        if "store" in configured._made:
            configured.store().close()


def say(number, note=None):
    """The shop's function, of one argument and of two."""


def refused(values, use, title="{}", **more):
    with pytest.raises(ConfigurationError) as caught:
        use(Configured(values, title, **more))
    text = str(caught.value)
    assert not [secret for secret in SECRETS if secret in text] and "\n" not in text
    assert caught.value.__context__ is None or type(caught.value.__context__).__module__.startswith("alipay_mapi")
    return caught.value


# --- mistakes ---------------------------------------------------------------------------------------------------------

FALLBACK, MERCHANTS, CALLBACKS = Configured.fallback, (lambda each: each.names), Configured.callbacks
MISTAKES = [
    ("COLOUR", {"COLOUR": "red"}, repr),
    ("MERCHANTS", {"MERCHANTS": None}, MERCHANTS),
    ("MERCHANTS", {"MERCHANTS": {}}, MERCHANTS),
    ("MERCHANTS", {"MERCHANTS": [MD5]}, MERCHANTS),
    ("MERCHANTS", {"MERCHANTS": "S3CRET"}, MERCHANTS),
    ("MERCHANTS", {"MERCHANTS": {"a b": MD5}}, MERCHANTS),
    ("MERCHANTS", {"MERCHANTS": {"": MD5}}, MERCHANTS),
    ("MERCHANTS", {"MERCHANTS": {5: MD5}}, MERCHANTS),
    ("MERCHANTS", {"MERCHANTS": {"a" * 41: MD5}}, MERCHANTS),
    ("MERCHANTS", {"MERCHANTS": {"shop": "S3CRET"}}, MERCHANTS),
    ("MERCHANTS", {}, lambda each: each.client("another")),
    ("MERCHANTS", {}, lambda each: each.client("x\r\ny")),
    ("DEFAULT_MERCHANT", {"DEFAULT_MERCHANT": "another"}, Configured.client),
    ("DEFAULT_MERCHANT", {"DEFAULT_MERCHANT": ["shop"]}, Configured.client),
    ("DEFAULT_MERCHANT", {"MERCHANTS": {"a": MD5, "b": MD5}}, Configured.client),
    ("STORE", {"STORE": None}, Configured.store),
    ("STORE", {"STORE": "postgres//shop:S3CRET@db/shop"}, Configured.store),
    ("STORE", {"STORE": 5}, Configured.store),
    ("STORE", {"STORE": "django"}, Configured.store),
    ("HANDLER", {"HANDLER": "no_such_module_of_a_shop.settle"}, FALLBACK),
    ("HANDLER", {"HANDLER": "settle"}, FALLBACK),
    ("HANDLER", {"HANDLER": 5}, FALLBACK),
    ("HANDLER", {"HANDLER": "os.no_such_function"}, FALLBACK),
    ("HANDLER", {"HANDLER": "os.sep"}, FALLBACK),
    ("HANDLER", {"HANDLER": ".relative.settle"}, FALLBACK),
    ("WITHIN", {"WITHIN": "os.no_such_function"}, FALLBACK),
    ("WITHIN", {"WITHIN": say, "HANDLER": say}, FALLBACK),
    ("ORDER", {"ORDER": "os.no_such_function"}, CALLBACKS),
    ("NOTIFIED", {"NOTIFIED": "os.no_such_function"}, CALLBACKS),
    ("NOTIFIED", {"STORE": None}, CALLBACKS),
    ("NOTIFIED", {"STORE": None, "ORDER": say}, CALLBACKS),
    ("FALLBACK", {"FALLBACK": 5}, FALLBACK),
    ("FALLBACK", {"FALLBACK": {"colour": 5}}, FALLBACK),
    ("FALLBACK", {"FALLBACK": {"grace": "60"}}, FALLBACK),
    ("FALLBACK", {"FALLBACK": {"grace": True}}, FALLBACK),
    ("FALLBACK", {"FALLBACK": {"grace": None}}, FALLBACK),
    ("FALLBACK", {"FALLBACK": {"first": 0}}, FALLBACK),
    ("FALLBACK", {"FALLBACK": {"factor": 99}}, FALLBACK),
    ("FALLBACK", {"FALLBACK": {"per_second": 0}}, FALLBACK),
    ("FALLBACK", {"FALLBACK": {"refunds_apart": 1}}, FALLBACK),
    ("RETURN_TO", {"RETURN_TO": 5}, lambda each: each.return_to("A1")),
] + [("SITE_URL", {"SITE_URL": url}, lambda each: each.site_url) for url in (
    None, 5, "", "shop.example", "//shop.example", "ftp://shop.example", "https://", "https://shop.example/?a=1",
    "https://shop.example/#a", "https://shop:S3CRET@shop.example", "https://[shop", "https://shop.example:port",
    "https://shop .example", "https://shop.example\r\n", "javascript:alert(1)")]


@pytest.mark.parametrize("name, values, use", MISTAKES, ids=["{}-{}".format(at, row[0]) for at, row in
                                                              enumerate(MISTAKES)])
def test_a_mistake_is_told_by_the_name_of_its_setting(name, values, use):
    assert str(refused(one(**values), use)).startswith(name + ": ")
    assert str(refused(one(**values), use, "ALIPAY_MAPI[{!r}]")).startswith("ALIPAY_MAPI['{}']: ".format(name))


@pytest.mark.parametrize("values", [None, "S3CRET", 5, ["MERCHANTS"], [("MERCHANTS", 1)]])
def test_settings_that_are_no_dict_are_refused(values):
    assert "a dict of settings" in str(refused(values, repr))
    assert str(refused(values, repr, "ALIPAY_MAPI[{!r}]")).startswith("ALIPAY_MAPI: ")


@pytest.mark.parametrize("kind, changes, begins", [
    (ConfigurationError, {"partner": None}, "partner: "), (ConfigurationError, {"partner": "shop"}, "partner: "),
    (MissingKey, {"md5_key": None}, "md5_key: "), (ConfigurationError, {"colour": "S3CRET"}, "colour: "),
    (WeakKey, {"md5_key": "S3CRET"}, "md5_key"), (KeyFormatError, {"private_key": "S3CRET"}, "private_key"),
    (ConfigurationError, {"md5_key_file": "/no/such"}, "md5_key: both"),
    (ConfigurationError, {"md5_key": None, "md5_key_file": "/no/such"}, "md5_key_file: cannot read /no/such"),
    (ConfigurationError, {"gateway": "http://S3CRET@x/"}, "gateway: "),
    (KeyMismatch, {"private_key": RSA2["private_key"], "alipay_public_key": key_file("rsa2048")}, "alipay_public_key")])
def test_a_mistake_in_a_merchant_names_the_merchant_and_keeps_its_kind(kind, changes, begins):
    error = refused(one(MERCHANTS={"fine": MD5, "shop": dict(MD5, **changes)}), lambda each: each.client("shop"))
    assert type(error) is kind and str(error).startswith("MERCHANTS['shop']: " + begins)


def test_a_module_of_the_shop_that_raises_is_told_by_its_place(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text in (("shop_that_raises", "raise RuntimeError('S3CRET')"), ("shop_with_a_slip", "def x(:"),
                       ("shop_without_a_library", "import no_such_library")):
        (tmp_path / (name + ".py")).write_text(text + "\n")
        error = refused(one(HANDLER=name + ".settle"), FALLBACK)
        assert str(error).startswith("HANDLER: {} cannot be imported (".format(name))
    assert "no_such_library" in str(error)


# --- made when first used, and once -----------------------------------------------------------------------------------

def test_nothing_is_made_before_it_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(str(tmp_path))
    Configured({"MERCHANTS": {"shop": dict(MD5, md5_key=None, md5_key_file="/no/such")}, "STORE": "orders.db",
                "HANDLER": "no_such_module_of_a_shop.settle", "SITE_URL": "x"})
    assert list(tmp_path.iterdir()) == []


def test_everything_is_made_once_by_however_many_threads(make, tmp_path):
    """Hostile: sixteen ask at the same moment, and making takes a while. Genuine: all get the same."""
    opened = []

    def open_own():
        threading.Event().wait(0.3)
        opened.append(SQLiteStore(":memory:"))
        return opened[-1]
    configured = make({"MERCHANTS": {"shop": MD5, "other": RSA2}, "DEFAULT_MERCHANT": "shop"}, open_own=open_own)
    uses = [configured.store, configured.fallback, configured.callbacks, configured.client] * 4
    found = web_setup.at_once(uses)
    assert len(opened) == 1 and len({id(each) for each in found}) == 4
    assert configured.clients["shop"] is configured.client() is configured.client("shop")
    assert configured.fallback().store is configured.store() is opened[0]


def test_importing_the_shops_functions_holds_no_lock(make, tmp_path, monkeypatch):
    """Hostile: the module of HANDLER waits, at its top, for another thread that uses the configuration, as two threads
    that import one another's modules do. Genuine: both end."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shop_that_waits.py").write_text(
        "import threading, web_setup\nthread = threading.Thread(target=web_setup.used)\nthread.start()\n"
        "thread.join(20)\nended = not thread.is_alive()\ndef settle(effect): pass\n")
    configured = make(one(HANDLER="shop_that_waits.settle"))
    monkeypatch.setattr(web_setup, "used", lambda: (configured.client(), configured.store()), raising=False)
    configured.fallback()
    assert sys.modules.pop("shop_that_waits").ended


def test_a_failure_is_not_kept(make, tmp_path):
    path = tmp_path / "md5.key"
    configured = make(one(MERCHANTS={"shop": dict(MD5, md5_key=None, md5_key_file=str(path))}))
    with pytest.raises(ConfigurationError):
        configured.client()
    path.write_text(MD5_KEY)
    assert configured.client().shop.partner == PARTNER


def test_a_store_that_cannot_be_opened_is_a_store_error(make, tmp_path):
    (tmp_path / "orders.db").write_bytes(b"not a database, and long enough to be looked at" * 50)
    with pytest.raises(StoreError):
        make(one(STORE=str(tmp_path / "orders.db"))).fallback()


def test_the_settings_are_a_copy_and_repr_shows_names_alone(make):
    values = one(HANDLER=say)
    configured = make(values)
    values["COLOUR"] = "red"
    values.pop("MERCHANTS")
    assert configured.names
    assert repr(configured) == "<Configured HANDLER, MERCHANTS, STORE>"
    assert not [secret for secret in SECRETS if secret in repr(configured)]


def test_a_setting_that_is_none_is_as_if_it_were_not_there(make):
    configured = make(one(**{name: None for name in NAMES if name not in ("MERCHANTS", "STORE")}))
    assert configured.fallback() and configured.callbacks() and configured.return_to("A1") is None


# --- merchants --------------------------------------------------------------------------------------------------------

def test_the_default_merchant_is_the_only_one_or_the_one_so_called_or_the_chosen(make):
    assert make({"MERCHANTS": {"shop": MD5}}).default == "shop"
    assert make({"MERCHANTS": {"a": MD5, "default": MD5}}).default == "default"
    assert make({"MERCHANTS": {"a": MD5, "default": MD5}, "DEFAULT_MERCHANT": "a"}).default == "a"


def test_merchants_take_files_short_names_and_text(make, tmp_path):
    (tmp_path / "shop.pem").write_text(RSA2["private_key"])
    (tmp_path / "alipay.pem").write_text(RSA2["alipay_public_key"])
    shop = make({"MERCHANTS": {"shop": {
        "partner": PARTNER, "sign_type": "RSA2", "private_key_file": str(tmp_path / "shop.pem"),
        "alipay_public_key_file": str(tmp_path / "alipay.pem"), "gateway": "mainland", "input_charset": "gbk"}}}
    ).merchant("shop")
    assert (shop.gateway, shop.input_charset, shop.private_key.bits) == (GATEWAY_MAINLAND, "gbk", 2048)


# --- store, fallback, callbacks ---------------------------------------------------------------------------------------

def test_the_frameworks_own_store_is_opened_unless_another_is_named(make):
    own = SQLiteStore(":memory:")
    assert make({"MERCHANTS": {"shop": MD5}}, open_own=lambda: own).store() is own
    assert make({"MERCHANTS": {"shop": MD5}, "STORE": "django"}, open_own=lambda: own).store() is own
    other = make(one(), open_own=lambda: own).store()
    assert other is not own and isinstance(other, SQLiteStore)
    own.close()


def test_the_fallback_is_made_as_it_is_configured(make):
    configured = make(one(HANDLER="web_setup.at_once", FALLBACK={
        "grace": 5, "first": 30, "factor": 1.5, "jitter": 0, "per_second": None, "refunds_apart": None, "workers": 2,
        "deadline": 50, "limit": None}))
    fallback = configured.fallback()
    assert fallback.schedule == Schedule(grace=5, first=30, factor=1.5, jitter=0)
    assert fallback._handler is web_setup.at_once and fallback._per_second is None and list(fallback.clients) == [
        "shop"]


def test_every_name_of_the_fallback_is_a_setting_of_a_schedule_or_a_run():
    assert set(Schedule._fields) < set(FALLBACK_NAMES) and len(set(FALLBACK_NAMES)) == len(FALLBACK_NAMES)


def post(configured, body, name="shop"):
    return configured.callbacks().notify(name, "POST", FORM + "utf-8", len(body), lambda size: body)


def test_a_shop_with_a_store_is_notified_from_end_to_end(make):
    done = []
    configured = make(one(HANDLER=done.append))
    configured.payment(USD, notify_url=NOTIFY, subject="Tea")
    assert post(configured, message(FOREX)).body == "success"
    assert [(effect.shop, effect.kind, effect.out_trade_no) for effect in done] == [("shop", "paid", "A1")]


def test_a_shop_with_its_own_table_needs_no_store(make):
    done = []
    configured = make({"MERCHANTS": {"shop": MD5}, "ORDER": lambda shop, number: USD,
                       "NOTIFIED": lambda shop, note: done.append((shop, note.is_paid))})
    assert configured.has_store is False
    configured.payment(USD, notify_url=NOTIFY, subject="Tea")
    assert post(configured, message(FOREX)).body == "success" and done == [("shop", True)]


def test_the_shops_booking_function_runs_in_what_the_framework_puts_around_it(make):
    log = []

    def around(function):
        def call(*given):
            log.append("begin")
            result = function(*given)
            log.append("commit")
            return result
        return call
    configured = make({"MERCHANTS": {"shop": MD5}, "ORDER": lambda shop, number: USD,
                       "NOTIFIED": lambda shop, note: log.append("booked")}, around=around)
    assert post(configured, message(FOREX)).body == "success"
    assert log == ["begin", "booked", "commit"]


@pytest.mark.parametrize("setting, count", [(None, 1), (True, 1), (False, 0)])
def test_evidence_can_be_switched_off(make, setting, count):
    kept = []
    configured = make(one(EVIDENCE=setting), evidence=lambda *given: kept.append(given))
    configured.payment(USD, notify_url=NOTIFY, subject="Tea")
    post(configured, message(FOREX))
    assert len(kept) == count


def test_several_merchants_keep_their_orders_apart(make):
    configured = make(one(MERCHANTS={"a": MD5, "b": dict(MD5, partner="2088101122136777")}, DEFAULT_MERCHANT="a"))
    configured.payment(USD, notify_url=NOTIFY, subject="Tea")
    configured.payment(Order("A1", total_fee="9.00", currency="USD"), notify_url=NOTIFY, subject="Tea", shop="b")
    store = configured.store()
    assert [store.get(name, "A1").price.partition("|")[0] for name in ("a", "b")] == ["8.00", "9.00"]


# --- payments ---------------------------------------------------------------------------------------------------------

YUAN = {"MERCHANTS": {"shop": RSA2}, "STORE": "memory:"}
SERVICES = [("create_forex_trade", USD, "timeout_rule"), ("create_forex_trade_wap", USD, "timeout_rule"),
            ("create_direct_pay_by_user", Order("A1", total_fee="8.00"), "it_b_pay"),
            ("create_direct_pay_by_user", Order("A1", total_fee="8.00", currency="CNY"), "it_b_pay")]


@pytest.mark.parametrize("service, order, timeout", SERVICES)
def test_each_service_is_signed_and_watched_with_the_same_timeout(make, service, order, timeout):
    configured = make(YUAN)
    before = configured.store().now()
    request = configured.payment(order, notify_url=NOTIFY, return_url="https://shop.example/return/", service=service,
                                 timeout="30m", subject="Tea")
    params = dict(request.params)
    assert params["service"] == service and params["partner"] == PARTNER and params[timeout] == "30m"
    assert (params["out_trade_no"], params["total_fee"], params["notify_url"], params["return_url"]) == (
        "A1", "8.00", NOTIFY, "https://shop.example/return/")
    assert params.get("currency") == ("USD" if order is USD else None)
    assert params.get("seller_id") == (None if order is USD else PARTNER)
    row = configured.store().get("shop", "A1")
    assert 1800 <= row.deadline - before < 1860


def test_an_app_payment_is_signed_and_watched(make):
    configured = make(YUAN)
    before = configured.store().now()
    text = configured.app_payment(USD, notify_url=NOTIFY, timeout="30m", subject="Tea", body="Green tea")
    assert 'service="mobile.securitypay.pay"' in text and 'out_trade_no="A1"' in text and 'it_b_pay="30m"' in text
    assert 'seller_id="{}"'.format(PARTNER) in text and "return_url" not in text
    assert 1800 <= configured.store().get("shop", "A1").deadline - before < 1860


def test_another_seller_can_be_named(make):
    request = make(YUAN).payment(Order("A1", total_fee="8.00"), notify_url=NOTIFY, subject="Tea",
                                 service="create_direct_pay_by_user", seller_email="shop@example.com")
    assert "seller_id" not in request.params and request.params["seller_email"] == "shop@example.com"


def test_an_order_priced_in_yuan_abroad_is_paid_by_rmb_fee(make):
    request = make(YUAN).payment(Order("A1", rmb_fee="57.00", currency="USD"), notify_url=NOTIFY, subject="Tea")
    assert (request.params["rmb_fee"], request.params["currency"]) == ("57.00", "USD")
    assert "total_fee" not in request.params


@pytest.mark.parametrize("more", [
    {}, {"subject": ""}, {"subject": "Tea", "colour": "red"}, {"subject": "Tea", "timeout": "soon"},
    {"subject": "Tea", "out_trade_no": "B1"}, {"subject": "Tea", "total_fee": "1.00"},
    {"subject": "Tea", "currency": "JPY"}, {"subject": "Tea", "timeout_rule": "5m"},
    {"subject": "Tea", "service": "forex_refund"}, {"subject": "Tea", "service": ["x"]},
    {"subject": "Tea", "service": "mobile.securitypay.pay"}, {"subject": "Tea", "return_url": "x y"},
    {"subject": "Tea", "notify_url": "shop.example"}])
def test_a_payment_that_is_refused_is_not_watched(make, more):
    """It was never sent, so there is nothing to ask about."""
    configured = make(one())
    with pytest.raises(InvalidRequest):
        configured.payment(USD, **dict({"notify_url": NOTIFY}, **more))
    assert configured.store().get("shop", "A1") is None


@pytest.mark.parametrize("order", [None, "A1", {"out_trade_no": "A1"}])
def test_what_is_no_order_is_refused(make, order):
    for pay in (make(one()).payment, make(YUAN).app_payment):
        with pytest.raises(InvalidRequest, match="order: "):
            pay(order, notify_url=NOTIFY, subject="Tea")


def test_an_app_payment_that_is_refused_is_not_watched(make):
    configured = make(one())    # MD5, which this service does not take
    with pytest.raises(InvalidRequest):
        configured.app_payment(USD, notify_url=NOTIFY, subject="Tea", body="Tea")
    assert configured.store().get("shop", "A1") is None


def test_a_payment_that_cannot_be_signed_is_not_watched(make):
    configured = make({"MERCHANTS": {"shop": dict(RSA2, private_key=None)}, "STORE": "memory:"})
    for pay in (configured.payment, configured.app_payment):
        with pytest.raises(MissingKey):
            pay(USD, notify_url=NOTIFY, subject="Tea", **({} if pay == configured.payment else {"body": "Tea"}))
    assert configured.store().get("shop", "A1") is None


def test_a_payment_that_cannot_be_watched_is_not_handed_out(make):
    configured = make(one())
    assert configured.payment(USD, notify_url=NOTIFY, subject="Tea")
    assert configured.payment(USD, notify_url=NOTIFY, subject="Tea")      # the buyer begins again
    with pytest.raises(WatchConflict):
        configured.payment(Order("A1", total_fee="9.00", currency="USD"), notify_url=NOTIFY, subject="Tea")
    configured.store().close()
    with pytest.raises(StoreError):
        configured.payment(Order("A2", total_fee="9.00", currency="USD"), notify_url=NOTIFY, subject="Tea")


def test_a_payment_of_a_merchant_that_is_not_there_is_refused(make):
    with pytest.raises(ConfigurationError, match="MERCHANTS: there is no other"):
        make(one()).payment(USD, notify_url=NOTIFY, subject="Tea", shop="other")


# --- addresses --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("url, whole", [
    ("https://shop.example", "https://shop.example/notify/"), ("https://shop.example/", "https://shop.example/notify/"),
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000/notify/"), ("https://[::1]:8", "https://[::1]:8/notify/")])
def test_a_path_is_made_absolute(make, url, whole):
    assert make(one(SITE_URL=url)).absolute("/notify/") == whole


def test_where_the_buyer_goes_has_the_orders_number_encoded(make):
    configured = make(one(RETURN_TO="/orders/{out_trade_no}/?from=alipay&again={out_trade_no}"))
    assert configured.return_to("A1") == "/orders/A1/?from=alipay&again=A1"
    assert configured.return_to("../../x?y=z&#\r\n//evil") == (
        "/orders/{0}/?from=alipay&again={0}".format("..%2F..%2Fx%3Fy%3Dz%26%23%0D%0A%2F%2Fevil"))
    assert make(one(RETURN_TO="/thanks/{0}{")).return_to("A1") == "/thanks/{0}{"
