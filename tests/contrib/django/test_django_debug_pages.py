"""Nothing that is secret or a buyer's is on a debug page, in an error mail or in a log, whatever fails."""
import logging
from urllib.parse import quote_plus

import pytest
from django.core import mail
from django.test.utils import override_settings
from django.utils.log import AdminEmailHandler

import django
import django_shop
import genuine
from django_shop import NOTIFY, RETURN, logged, merchant, shop, values, watch
from migration_samples import dumped, notification_headers, pem, result

pytestmark = pytest.mark.usefixtures("database")
MAIL, PHONE, NAME = "canary.buyer@mail.example", "13912345678", "Canary Buyerson"
MESSAGE = dict(genuine.DIRECT, out_trade_no="M1", buyer_email=MAIL, buyer_id="2088999988887777",
               receive_phone=PHONE, receive_name=NAME)
SIGNED = genuine.signed(MESSAGE)
BODY = genuine.form(SIGNED)
BACK = genuine.signed(dict(genuine.RETURN, out_trade_no="M1", buyer_email=MAIL, buyer_id="2088999988887777",
                           receive_phone=PHONE, receive_name=NAME))
QUERY = "?" + genuine.form(BACK).decode("ascii")
PRIVATE_KEY = genuine.key_file("rsa2048", "private")
AMS_KEY = pem("merchant-private")
CANARIES = [MAIL, quote_plus(MAIL), PHONE, NAME, quote_plus(NAME), "2088999988887777", genuine.MD5_KEY,
            SIGNED["sign"], BACK["sign"], "".join(PRIVATE_KEY.splitlines()[1:3]), PRIVATE_KEY.splitlines()[3],
            AMS_KEY.splitlines()[4], "canary-agent"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
              "django.contrib.auth.middleware.AuthenticationMiddleware",
              "django.contrib.messages.middleware.MessageMiddleware"]
RSA2 = {"partner": genuine.PARTNER, "sign_type": "RSA2", "private_key": PRIVATE_KEY,
        "alipay_public_key": genuine.key_file("rsa2048-other")}
TWO = {"shop": merchant(), "rsa": RSA2}
AMS = {"shop": {"client_id": "CLIENT001", "private_key": AMS_KEY, "alipay_public_key": pem("platform-public"),
                "agent_token": "canary-agent"}}


def found_in(text):
    return [canary for canary in CANARIES if canary in text]


def notify():
    return django_shop.call("POST", NOTIFY, BODY, genuine.FORM + "utf-8")


def come_back():
    return django_shop.call("GET", RETURN + QUERY)


@pytest.fixture(params=[True, False], ids=["debug", "mailed"])
def told(request):
    """DEBUG, or error mails with the whole debug page; all that anybody is told meanwhile, in one list."""
    admins = ["admin@shop.example"] if django.VERSION >= (6, 0) else [("admin", "admin@shop.example")]
    backend = "django.core.mail.backends.locmem.EmailBackend"
    mails = {"MAILERS": {"default": {"BACKEND": backend}}} if django.VERSION >= (6, 1) else {"EMAIL_BACKEND": backend}
    handler = AdminEmailHandler(include_html=True)
    logger = logging.getLogger("django.request")
    texts = []
    mail.outbox = []
    with override_settings(DEBUG=request.param, ADMINS=admins, **mails), logged() as lines:
        logger.addHandler(handler)
        try:
            yield texts
        finally:
            logger.removeHandler(handler)
    texts += lines
    for message in mail.outbox:
        texts += [message.subject, message.body] + [content for content, _ in message.alternatives]
    whole = "\n".join(texts)
    around = [whole[max(0, whole.index(canary) - 200):whole.index(canary) + 40] for canary in found_in(whole)]
    assert not around, around[0]


def test_the_canaries_would_be_found():
    assert found_in(BODY.decode("ascii")) and found_in(QUERY) and found_in(repr(merchant()))
    assert found_in("\n".join(PRIVATE_KEY.splitlines())) != []


def test_when_the_shops_handler_raises(told):
    with shop(values(MERCHANTS=TWO, DEFAULT_MERCHANT="shop", HANDLER=django_shop.fail, AMS=AMS)):
        watch("M1", None)
        answer = notify()
    assert (answer.status, answer.body) == (500, b"fail")


def test_when_the_function_raises_that_books(told):
    with django_shop.without_store(django_shop.own_table(MERCHANTS=TWO, DEFAULT_MERCHANT="shop",
                                                         NOTIFIED=django_shop.fail)):
        answer = notify()
    assert (answer.status, answer.body) == (500, b"fail")


def notify_from_ams():
    """With a buyer, a card's token and a signature."""
    body = dumped({"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "M1", "paymentId": "P1",
                   "paymentAmount": {"currency": "CNY", "value": "800"}, "pspCustomerInfo": {"displayCustomerId": MAIL},
                   "paymentResultInfo": {"cardToken": NAME}})
    headers = notification_headers(NOTIFY, body)
    CANARIES.append(headers["Signature"][-60:])
    return django_shop.call("POST", NOTIFY, body, "application/json", headers)


@pytest.mark.parametrize("what", [notify, come_back, notify_from_ams])
def test_when_a_middleware_raises_afterwards(told, what):
    with shop(values(MERCHANTS=TWO, DEFAULT_MERCHANT="shop", AMS=AMS), MIDDLEWARE=MIDDLEWARE + [
            "django_shop.ReadsTheQuery", "django_shop.FailsAfterwards"]):
        watch("M1", None)
        answer = what()
    assert answer.status == 500 and b"success" not in answer.body
    page = answer.body.decode("utf-8")
    from django.conf import settings
    assert ("LookupError" in page) == settings.DEBUG
    # Ours with the whole page, and Django's own.
    assert settings.DEBUG or sorted(len(message.alternatives) for message in mail.outbox) == [0, 1]
    told.append(page)


@pytest.mark.parametrize("what", [notify, come_back])
@pytest.mark.parametrize("wrong", [{"COLOUR": "red"}, {"HANDLER": "no.such"}, {"FALLBACK": {"grace": "x"}},
                                   {"MERCHANTS": {"shop": merchant(sign_type="RSA2", private_key=PRIVATE_KEY[:400])}},
                                   {"MERCHANTS": {"shop": merchant(), "other": dict(RSA2, private_key="x")}},
                                   {"AMS": {"shop": dict(AMS["shop"], private_key=AMS_KEY[:700])}},
                                   {"AMS": {"nobody": AMS["shop"]}}, {"AMS": AMS["shop"]}])
def test_when_the_settings_are_wrong(told, what, wrong):
    with shop(values(**dict({"MERCHANTS": TWO, "DEFAULT_MERCHANT": "shop"}, **wrong))):
        answer = what()
    assert answer.status in (200, 400, 500, 503)
    told.append(answer.body.decode("utf-8"))


def test_when_the_shops_own_return_page_raises(told, monkeypatch):
    from alipay_mapi.contrib.django import views
    monkeypatch.setattr(views.ReturnView, "returned", django_shop.fail)
    with shop(values(MERCHANTS=TWO, DEFAULT_MERCHANT="shop")):
        answer = come_back()
    assert answer.status == 500
    told.append(answer.body.decode("utf-8"))


def test_when_a_page_of_the_shop_raises_that_has_made_a_payment(told, monkeypatch):
    import urls_under_test
    from alipay_mapi import Order
    from alipay_mapi.contrib import django as mapi

    def pay(request, out_trade_no):
        made, client = mapi.configured(), mapi.client()
        payment = mapi.payment(Order(out_trade_no, total_fee="8.00", currency="USD"), subject="Tea")
        raise LookupError("with {} {} {} at hand".format(len(payment.params), bool(made), bool(client)))
    monkeypatch.setattr(urls_under_test, "order", pay)
    from django.urls import clear_url_caches
    pattern = urls_under_test.url(r"^orders/(?P<out_trade_no>[^/]+)/$", pay)
    monkeypatch.setattr(urls_under_test, "urlpatterns", [pattern] + urls_under_test.urlpatterns)
    clear_url_caches()
    with shop(values(MERCHANTS=TWO, DEFAULT_MERCHANT="shop", AMS=AMS)):
        answer = django_shop.call("GET", "/orders/P1/")
    clear_url_caches()
    assert answer.status == 500
    told.append(answer.body.decode("utf-8"))


def test_when_there_is_no_such_merchant(told):
    with shop(values(MERCHANTS=TWO, DEFAULT_MERCHANT="shop")):
        answers = [django_shop.call("GET", RETURN + "nobody/" + QUERY),
                   django_shop.call("POST", NOTIFY + "nobody/", BODY, genuine.FORM + "utf-8"),
                   django_shop.call("POST", RETURN + QUERY, BODY, genuine.FORM + "utf-8")]
    assert [answer.status for answer in answers] == [404, 404, 405]
    told += [answer.body.decode("utf-8") for answer in answers]


def test_when_all_is_well(told):
    with shop(values(MERCHANTS=TWO, DEFAULT_MERCHANT="shop", AMS=AMS)):
        watch("M1", None)
        assert notify().body == b"success"
        assert notify_from_ams().status == 200
        assert come_back().status == 200
        assert django_shop.call("POST", NOTIFY, BODY.replace(b"8.00", b"9.00"), genuine.FORM + "utf-8").status == 400
        assert django_shop.call("POST", NOTIFY + "rsa/", BODY, genuine.FORM + "utf-8").status == 400
        assert django_shop.call("GET", RETURN + QUERY.replace("8.00", "9.00")).status == 400


# --- a view of the shop's own, while a setting is wrong -------------------------------------------------------------

DATABASE = "postgresql://shop:canary-password@db.internal/shop?zz=1"


@pytest.mark.parametrize("given", [
    dict(values(MERCHANTS=TWO), DEFAULT_MERCHNAT="shop"),
    values(MERCHANTS=TWO),
    values(MERCHANTS=dict(TWO, **{"my shop": merchant()}), DEFAULT_MERCHANT="shop"),
    values(MERCHANTS=dict(TWO, third="x"), DEFAULT_MERCHANT="shop"),
    values(MERCHANTS=[merchant()]),
    [values()],
    values(STORE=DATABASE),
    values(MERCHANTS={"shop": dict(RSA2, private_key=PRIVATE_KEY.replace("A", "B", 3))}),
    values(AMS={"shop": dict(AMS["shop"], private_key=AMS_KEY.replace("A", "B", 3))}, NEW_ORDERS="ams"),
    values(AMS={"shop": dict(AMS["shop"], colour="red")}, NEW_ORDERS="ams"), values(AMS={"nobody": AMS["shop"]}),
], ids=["misspelt", "no default", "bad name", "no dict", "a list", "no settings", "store", "broken key", "broken ams",
        "misspelt ams", "nobody's ams"])
def test_no_key_is_on_the_debug_page_of_a_view_that_pays_with_wrong_settings(given):
    import html
    import sys
    from django.test import RequestFactory
    from django.views.debug import technical_500_response
    from alipay_mapi import AlipayError, Order
    from alipay_mapi.contrib.django import payment
    with override_settings(ALIPAY_MAPI=given, DEBUG=True):
        try:
            payment(Order("P1", total_fee="8.00", currency="USD"), subject="Tea")
        except AlipayError:
            kind, error, trace = sys.exc_info()
            # Without this test's own frame, which has the keys as its argument.
            page = technical_500_response(RequestFactory().get("/"), kind, error, trace.tb_next).content.decode("utf-8")
    text = html.unescape(page)
    assert "Traceback" in text and found_in(text) == [] and "canary-password" not in text
