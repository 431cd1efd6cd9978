"""The view of ``return_url``: the buyer is back, and nothing is proved."""
import re

import pytest
from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings

import django_shop
import genuine
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django import views
from alipay_mapi.contrib.django.store.models import Trade
from django_shop import RETURN, merchant, outcome, shop, values, watch

pytestmark = pytest.mark.usefixtures("database")
BACK = genuine.changed(genuine.FOREX, "notify_id", "notify_time", "notify_type")
QUERY = "?" + genuine.message(BACK).decode("ascii")


@pytest.fixture(autouse=True)
def usual_shop(database):
    with shop():
        watch()
        yield


def get(query=QUERY, path=RETURN):
    return Client().get(path + query)


def text_of(response):
    return re.sub("<[^>]*>", " ", response.content.decode("utf-8"))


def test_a_genuine_return_shows_that_the_payment_is_being_checked_and_never_that_it_is_paid():
    response = get()
    assert response.status_code == 200
    assert "We are checking your payment" in text_of(response) and "正在确认您的付款" in text_of(response)
    assert "A1" in text_of(response)
    assert "paid" not in response.content.decode("utf-8").lower() and "已付款" not in text_of(response)
    assert "付款成功" not in text_of(response) and "支付成功" not in text_of(response)
    assert outcome() == "open"


def test_neither_page_is_kept_or_told_to_another_site():
    for response in (get(), get("?junk=1")):
        assert response["Cache-Control"] == "no-store" and response["Referrer-Policy"] == "no-referrer"


def test_the_order_is_asked_about_soon():
    before = Trade.objects.get().due_at
    get()
    after = Trade.objects.get().due_at
    assert after < before - 30
    get("?" + genuine.message(BACK).decode("ascii").replace("8.00", "9.00"))
    assert Trade.objects.get().due_at == after


@pytest.mark.parametrize("where, there", [
    ("/orders/{out_trade_no}/", "/orders/A1/"), ("order", "/orders/A1/"), ("https://shop.example/o?n={out_trade_no}",
                                                                           "https://shop.example/o?n=A1"),
    ("/thanks/", "/thanks/"), ("admin:index", "/admin/")])
def test_the_buyer_is_sent_on_so_that_no_sign_stays_in_the_address_bar(where, there):
    with shop(values(RETURN_TO=where)):
        response = get()
        assert (response.status_code, response["Location"]) == (302, there)
        assert response["Cache-Control"] == "no-store" and response["Referrer-Policy"] == "no-referrer"
        assert b"sign" not in response.content


def test_a_name_that_leads_nowhere_shows_the_page_and_is_logged():
    with shop(values(RETURN_TO="nowhere")), django_shop.logged() as lines:
        assert get().status_code == 200
    assert any("RETURN_TO" in line for line in lines)


@pytest.mark.parametrize("query", ["", "?", "?junk=1", QUERY.replace("8.00", "9.00"), QUERY[:-3], "?" + "a" * 9000,
                                   QUERY + "&total_fee=8.00", "?%ff=%", "?a=\xff"])
def test_what_cannot_be_believed_is_a_400_that_says_what_to_do(query):
    with shop(values(RETURN_TO="/orders/{out_trade_no}/")):
        response = get(query)
        assert response.status_code == 400
        assert "could not be checked" in text_of(response) and "Please do not pay again" in text_of(response)
        assert "请勿重复付款" in text_of(response)


def test_another_merchants_return_is_not_believed():
    other = merchant(partner=genuine.STRANGER, md5_key="another-key-another-key-another1")
    with shop(values(MERCHANTS={"shop": merchant(), "hk": other}, DEFAULT_MERCHANT="shop")):
        assert get(path=RETURN + "hk/").status_code == 400
        assert get(path=RETURN + "shop/").status_code == 200
        assert get(path=RETURN + "nobody/").status_code == 404


def test_other_methods_are_refused():
    assert Client(enforce_csrf_checks=True).post(RETURN + QUERY, {"a": "b"}).status_code == 405
    assert Client().head(RETURN + QUERY).status_code == 200


def test_an_order_that_is_not_watched_is_no_trouble():
    assert get("?" + genuine.message(dict(BACK, out_trade_no="A9")).decode("ascii")).status_code == 200


def test_parameters_of_the_shops_own_are_named():
    view = views.ReturnView.as_view(own=("campaign",))
    from django.test import RequestFactory
    assert view(RequestFactory().get(RETURN + QUERY + "&campaign=spring")).status_code == 200
    assert get(QUERY + "&campaign=spring").status_code == 400


def test_a_shop_overrides_what_is_shown():
    class Own(views.ReturnView):
        def returned(self, request, returned):
            return HttpResponse("{} {} {}".format(returned.shop, returned.out_trade_no, returned.verdict))
    from django.test import RequestFactory
    request = RequestFactory().get(RETURN + QUERY)
    assert Own.as_view()(request).content == b"shop A1 accepted"
    assert request.META["QUERY_STRING"] == "" and not request.GET and "sign" not in repr(request)


def test_a_shop_overrides_the_templates():
    templates = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [
        ("django.template.loaders.locmem.Loader", {"alipay_mapi/returned.html": "own {{ out_trade_no }}"})]}}]
    with override_settings(TEMPLATES=templates):
        assert get().content == b"own A1"
        assert "could not be checked" in text_of(get("?a=b"))


def test_a_project_without_templates_has_the_pages_all_the_same():
    with override_settings(TEMPLATES=[]):
        assert "We are checking your payment" in text_of(get())


def test_the_number_is_escaped():
    number = "A<b>1"
    body = genuine.message(dict(BACK, out_trade_no=number)).decode("ascii")
    assert b"<b>1" not in get("?" + body).content


def test_a_shop_without_a_store_has_the_page_too():
    with django_shop.without_store(django_shop.own_table(RETURN_TO="order")):
        assert get()["Location"] == "/orders/A1/"


def test_a_server_that_keeps_the_address_elsewhere_is_scrubbed_too():
    from django.test import RequestFactory
    request = RequestFactory().get(RETURN + QUERY, REQUEST_URI=RETURN + QUERY, RAW_URI=RETURN + QUERY)
    views.ReturnView.as_view()(request)
    assert request.META["REQUEST_URI"] == request.META["RAW_URI"] == RETURN


def test_the_configured_client_is_the_one_of_the_settings():
    assert mapi.client().shop.partner == mapi.client("shop").shop.partner == genuine.PARTNER
