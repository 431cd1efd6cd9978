"""Payments with the settings of the project: signed, watched, shown as a form."""
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.template import Context, Engine
from django.test.utils import override_settings

import django_shop
import genuine
from alipay_mapi import ConfigurationError, InvalidRequest, Order, WatchConflict
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django import process
from alipay_mapi.contrib.django.store.models import Trade
from django_shop import merchant, shop, values

pytestmark = pytest.mark.usefixtures("database")
ORDER = Order("P1", total_fee="8.00", currency="USD")
PRIVATE_KEY = genuine.key_file("rsa2048", "private")


def query(payment):
    return {name: value for name, (value,) in parse_qs(urlsplit(payment.url).query).items()}


def test_a_payment_names_this_sites_views_and_is_watched():
    with shop(values(SITE_URL="https://shop.example/")):
        asked = query(mapi.payment(ORDER, subject="Tea", timeout="30m"))
        row = mapi.fallback().store.get("shop", "P1")
    assert asked["notify_url"] == "https://shop.example/alipay/notify/shop/"
    assert asked["return_url"] == "https://shop.example/alipay/return/shop/"
    assert (asked["total_fee"], asked["currency"], asked["timeout_rule"]) == ("8.00", "USD", "30m")
    assert row.order == ORDER and row.deadline - row.watched_at == pytest.approx(1800, abs=1)


def test_the_addresses_stay_right_when_another_merchant_becomes_the_default():
    two = {"shop": merchant(), "hk": merchant(partner=genuine.STRANGER)}
    with shop(values(MERCHANTS=two, DEFAULT_MERCHANT="hk")):
        assert query(mapi.payment(ORDER, subject="Tea"))["notify_url"].endswith("/alipay/notify/hk/")
        assert query(mapi.payment(Order("P2", total_fee="1.00", currency="USD"), subject="Tea", shop="shop"))[
            "notify_url"].endswith("/alipay/notify/shop/")
        assert sorted(Trade.objects.values_list("shop", "out_trade_no")) == [("hk", "P1"), ("shop", "P2")]


def test_it_is_watched_in_the_callers_transaction():
    with shop():
        with pytest.raises(ZeroDivisionError):
            with transaction.atomic():
                mapi.payment(ORDER, subject="Tea")
                assert Trade.objects.count() == 1
                raise ZeroDivisionError
        assert Trade.objects.count() == 0


def test_another_price_for_the_same_number_is_refused():
    with shop():
        mapi.payment(ORDER, subject="Tea")
        mapi.payment(ORDER, subject="Tea")
        with pytest.raises(WatchConflict):
            mapi.payment(Order("P1", total_fee="9.00", currency="USD"), subject="Tea")


def test_what_cannot_be_signed_is_not_watched():
    with shop():
        with pytest.raises(InvalidRequest):
            mapi.payment(ORDER, subject="")
        with pytest.raises(InvalidRequest):
            mapi.payment(ORDER, subject="Tea", service="single_trade_query")
        assert Trade.objects.count() == 0


def test_an_app_gets_an_order_string():
    rsa = {"partner": genuine.PARTNER, "sign_type": "RSA", "private_key": PRIVATE_KEY,
           "alipay_public_key": genuine.key_file("rsa1024-other")}
    with shop(values(MERCHANTS={"shop": rsa})):
        text = mapi.app_payment(Order("P1", total_fee="8.00"), subject="Tea", body="Green tea",
                                seller_id="shop@example.com")
        assert 'notify_url="https%3A%2F%2Fshop.example%2Falipay%2Fnotify%2Fshop%2F"' in text or \
            'notify_url="https://shop.example/alipay/notify/shop/"' in text
        assert Trade.objects.get().out_trade_no == "P1"


def test_a_project_without_the_urls_is_told_the_cure_or_gives_its_own():
    with shop(ROOT_URLCONF="no_urls_under_test"):
        with pytest.raises(ConfigurationError, match="include"):
            mapi.payment(ORDER, subject="Tea")
        asked = query(mapi.payment(ORDER, subject="Tea", notify_url="https://shop.example/own/"))
    assert asked["notify_url"] == "https://shop.example/own/" and "return_url" not in asked


def test_a_shop_without_a_store_watches_nothing():
    with django_shop.without_store():
        assert query(mapi.payment(ORDER, subject="Tea"))["out_trade_no"] == "P1"
        with pytest.raises(ConfigurationError, match="STORE"):
            mapi.fallback()
    assert Trade.objects.count() == 0


def test_a_store_of_another_kind_is_opened_by_its_url_and_closed_with_the_settings(tmp_path):
    with shop(values(STORE="sqlite:///" + str(tmp_path / "orders.db"))):
        mapi.payment(ORDER, subject="Tea")
        assert mapi.fallback().store.get("shop", "P1") is not None
    assert Trade.objects.count() == 0


def test_a_setting_that_changes_makes_everything_anew():
    with shop():
        first = mapi.configured()
        assert mapi.configured() is first
        with shop(values(SITE_URL="https://other.example")):
            assert mapi.configured() is not first
            assert mapi.configured().site_url == "https://other.example"
        assert mapi.configured().site_url == "https://shop.example"


def test_a_forked_process_makes_its_own(monkeypatch):
    with shop():
        first = mapi.configured()
        monkeypatch.setattr(process.os, "getpid", lambda: -1)
        assert mapi.configured() is not first


def test_it_can_be_imported_before_django_has_its_settings():
    """And says, when it is used, what Django says to everything that comes too early."""
    code = ("from alipay_mapi.contrib.django import payment, fallback, client, configured\n"
            "from alipay_mapi.contrib import django as mapi\n"
            "assert set(mapi.__all__) <= set(dir(mapi))\n"
            "try:\n    configured()\n"
            "except Exception as err:\n    print(type(err).__name__)\n")
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode("ascii").strip() in (ImproperlyConfigured.__name__, "AppRegistryNotReady")


# --- the template tag -------------------------------------------------------------------------------------------------

def rendered(text, **given):
    engine = Engine(libraries={"alipay_mapi": "alipay_mapi.contrib.django.templatetags.alipay_mapi"})
    return engine.from_string("{% load alipay_mapi %}" + text).render(Context(given))


def test_the_tag_shows_a_form_that_submits_itself_with_every_value_escaped():
    with shop():
        payment = mapi.payment(ORDER, subject="<script>alert('1')</script> & tea")
    text = rendered("{% alipay_payment_form payment %}", payment=payment)
    assert text == payment.form()
    assert text.startswith("<form") and "&lt;script&gt;alert(&#x27;1&#x27;)" in text and text.count("<script>") == 1


def test_the_tag_takes_the_buttons_text_and_a_nonce():
    with shop():
        payment = mapi.payment(ORDER, subject="<script>")
    text = rendered("{% alipay_payment_form payment submit=word nonce=nonce %}", payment=payment, word='支付"宝',
                    nonce='a"b')
    assert "<button>支付&quot;宝</button>" in text
    assert '<script nonce="a&quot;b">' in text and "<script>" not in text


def test_the_tag_refuses_anything_else():
    with pytest.raises(InvalidRequest, match="alipay_payment_form"):
        rendered("{% alipay_payment_form payment %}", payment="https://mapi.example")


def test_the_tag_is_found_in_a_project_that_has_the_app_installed():
    from django.template import engines
    with shop():
        payment = mapi.payment(ORDER, subject="Tea")
        text = engines["django"].from_string("{% load alipay_mapi %}{% alipay_payment_form p %}").render({"p": payment})
    assert text == payment.form()


def test_the_settings_are_hidden_on_djangos_pages():
    from django.views import debug
    with override_settings(ALIPAY_MAPI=values()):
        hidden = getattr(debug, "get_safe_settings", None)
        hidden = hidden or debug.get_default_exception_reporter_filter().get_safe_settings
        assert genuine.MD5_KEY not in repr(hidden())
