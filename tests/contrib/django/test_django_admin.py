"""The admin: to look at, for whoever may; nobody adds, changes or deletes, and nothing secret is shown."""
import re
from urllib.parse import quote_plus

import django
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse


import genuine
from alipay_mapi import Order
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django.store import admin as store_admin
from alipay_mapi.contrib.django.store.models import Effect, Evidence, Trade
from alipay_mapi.contrib.django.testing import DjangoGateway
from django_shop import HANDED, outcome, post, shop, watch

pytestmark = pytest.mark.usefixtures("database")
VIEWS = django.VERSION >= (2, 1)
MAIL, PHONE, NAME = "canary.buyer@mail.example", "13912345678", "Canary Buyerson"
DIRECT = genuine.signed(dict(genuine.DIRECT, out_trade_no="M1", buyer_email=MAIL, receive_phone=PHONE,
                             receive_name=NAME, subject="<b>Tea</b>"))
CANARIES = [MAIL, quote_plus(MAIL), PHONE, NAME, genuine.MD5_KEY, DIRECT["sign"]]
MODELS = ["trade", "refund", "effect", "evidence"]


@pytest.fixture(autouse=True)
def usual_shop(database):
    with shop(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


def staff(*permissions):
    user = User.objects.create_user("staff" + str(len(permissions)), password="made for tests")
    user.is_staff = True
    user.save()
    for codename in permissions:
        user.user_permissions.add(*Permission.objects.filter(codename=codename))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root():
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "made for tests"))
    return client


@pytest.fixture
def filled():
    """A paid trade, a refund, an open trade, and what came in."""
    watch("M1", None)
    watch("A1")
    watch("A2")
    post(genuine.form(DIRECT))
    post(genuine.message(genuine.FOREX))
    post(genuine.form(dict(DIRECT, total_fee="9.00")))
    post(b"password=hunter2&sign=0123&out_trade_no=A1")
    post(b"no message at all")
    mapi.fallback().refund("shop", "A1", "R1", "3.00", reason="size")


def page(client, model, *arguments, **query):
    name = "changelist" if not arguments else "change"
    return client.get(reverse("admin:alipay_mapi_store_{}_{}".format(model, name), args=arguments), query)


def text_of(response):
    """What is read, whole: a long word may be broken for narrow pages."""
    assert response.status_code == 200
    return response.content.decode("utf-8").replace("<wbr>", "")


def test_long_words_can_be_broken_and_markup_stays_text():
    assert store_admin.breakable("0123456789ab" * 3) == "<wbr>".join(["0123456789ab"] * 3)
    assert store_admin.breakable("a <b>Tea</b> of 3").replace("<wbr>", "") == "a &lt;b&gt;Tea&lt;/b&gt; of 3"
    assert store_admin.breakable("") == ""


def every_page(client):
    for model in MODELS:
        yield text_of(page(client, model))
    for model, rows in (("trade", Trade), ("effect", Effect), ("evidence", Evidence)):
        for row in rows.objects.all():
            yield text_of(page(client, model, row.pk))
    yield text_of(page(client, "refund", Trade.objects.get(out_trade_no="A1").pk))


def test_every_page_is_shown_and_none_has_a_secret_or_a_buyer(root, filled):
    whole = "\n".join(every_page(root))
    assert [canary for canary in CANARIES if canary in whole] == []
    assert "hunter2" not in whole and "no message at all" not in whole
    for there in ("8.00 USD", "can***@mail.example", "139****5678", "C***", "SignatureInvalid", "paid", "R1: 3.00",
                  "&lt;b&gt;Tea&lt;/b&gt;", "(no field of Alipay: not shown)", "2017030521001004840200342628"):
        assert there in whole, there


def test_where_an_order_lives_is_shown(root, filled):
    row = Trade.objects.get(out_trade_no="A1")
    for shown, kind in ((page(root, "trade"), "td"), (page(root, "refund"), "td"), (page(root, "trade", row.pk), "div"),
                        (page(root, "refund", row.pk), "div")):
        assert re.search(r'<{}[^>]*(field-gateway|readonly)[^>]*>mapi<'.format(kind), text_of(shown)), kind
    Trade.objects.filter(pk=row.pk).update(gateway="openapi")
    assert text_of(page(root, "trade")).count(">openapi<") == 1


def test_nobody_adds_changes_or_deletes(root, filled):
    for model in MODELS:
        assert root.get(reverse("admin:alipay_mapi_store_{}_add".format(model))).status_code == 403
        row = {"trade": Trade, "refund": Trade, "effect": Effect, "evidence": Evidence}[model].objects.order_by("id")[0]
        if model == "refund":
            row = Trade.objects.get(out_trade_no="A1")
        before = str(type(row).objects.filter(pk=row.pk).values().get())
        change = reverse("admin:alipay_mapi_store_{}_change".format(model), args=[row.pk])
        assert root.post(change, {"shop": "x", "outcome": "paid"}).status_code == 403
        assert root.post(reverse("admin:alipay_mapi_store_{}_delete".format(model), args=[row.pk]),
                         {"post": "yes"}).status_code == 403
        assert str(type(row).objects.filter(pk=row.pk).values().get()) == before
        assert 'name="_save"' not in text_of(root.get(change))
        listed = reverse("admin:alipay_mapi_store_{}_changelist".format(model))
        root.post(listed, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
        assert type(row).objects.filter(pk=row.pk).exists()
        assert "delete_selected" not in text_of(root.get(listed))


def test_who_may_not_look_does_not():
    assert page(staff(), "trade").status_code == 403
    assert page(Client(), "trade").status_code == 302


@pytest.mark.skipif(not VIEWS, reason="the permission to view is there from Django 2.1 on")
def test_who_may_view_looks_and_does_not_ask(filled):
    client = staff("view_trade", "view_evidence")
    assert "ask_the_gateway_now" not in text_of(page(client, "trade"))
    text_of(page(client, "trade", Trade.objects.all()[0].pk))
    row = Trade.objects.get(out_trade_no="A2")
    with DjangoGateway() as gateway:
        ask(client, row)
        assert gateway.requests() == []
    assert not LogEntry.objects.exists()


def test_it_is_filtered_and_searched(root, filled):
    assert "M1" in text_of(page(root, "trade", outcome="paid")) and ">A2<" not in text_of(
        page(root, "trade", outcome="paid"))
    assert ">A2<" in text_of(page(root, "trade", shop="shop"))
    assert ">A2<" not in text_of(page(root, "trade", shop="other"))
    assert ">A2<" in text_of(page(root, "trade", q=" A2 ")) and ">A1<" not in text_of(page(root, "trade", q="A2"))
    assert ">A2<" not in text_of(page(root, "trade", q="A"))
    assert "SignatureInvalid" not in text_of(page(root, "evidence", verdict="accepted"))
    assert "SignatureInvalid" in text_of(page(root, "evidence", verdict="refused"))
    assert "M1" in text_of(page(root, "evidence", q="2017030521001004840200342628"))
    assert "shop:paid" in text_of(page(root, "effect", Effect.objects.all()[0].pk))
    assert ">M1<" in text_of(page(root, "effect", done="yes", q="M1"))
    assert ">M1<" not in text_of(page(root, "effect", done="no"))
    assert ">A1<" in text_of(page(root, "refund")) and ">A2<" not in text_of(page(root, "refund"))


def test_a_filter_does_without_settings(root, filled):
    with shop({"MERCHANTS": 1}):
        text_of(page(root, "trade"))


# --- ask the gateway now ----------------------------------------------------------------------------------------------

def ask(client, *rows):
    response = client.post(reverse("admin:alipay_mapi_store_trade_changelist"), {
        "action": "ask_the_gateway_now", "_selected_action": [row.pk for row in rows]}, follow=True)
    return re.findall(r'<li class="(\w+)">(.*?)</li>', text_of(response))


def test_the_gateway_is_asked_now_and_the_answer_settles(root):
    with DjangoGateway() as gateway:
        for number in ("A1", "A2", "A3"):
            watch(number)
        gateway.place("A1", total_fee="8.00", currency="USD")
        gateway.pay("A1", lose=True)
        gateway.place("A2", total_fee="8.00", currency="USD")
        gateway.log_in("A2")
        said = ask(root, *Trade.objects.order_by("-id"))
        assert sorted(said) == [("success", "A1: paid"), ("success", "A2: open"), (
            "warning", [text for _, text in said if text.startswith("A3")][0])]
        assert "TRADE_NOT_EXIST" in dict((text[:2], text) for _, text in said)["A3"]
        assert outcome("A1") == "paid" and outcome("A3") == "open" and HANDED == ["shop:paid::A1"]
    assert sorted(entry.object_repr for entry in LogEntry.objects.all()) == ["shop:A1", "shop:A2", "shop:A3"]
    assert any("Asked the gateway: paid" in entry.get_change_message() for entry in LogEntry.objects.all())


def test_errors_alone_never_settle_an_order_however_often_somebody_asks(root):
    with DjangoGateway() as gateway:
        watch("A3")
        gateway.advance(3 * 24 * 3600)
        for _ in range(3):
            ask(root, Trade.objects.get())
        assert outcome("A3") == "open" and HANDED == []


def test_asking_sends_no_refund(root):
    with DjangoGateway() as gateway:
        watch("A1")
        gateway.place("A1", total_fee="8.00", currency="USD")
        gateway.pay("A1")
        gateway.deliver()
        mapi.fallback().refund("shop", "A1", "R1", "3.00")
        ask(root, Trade.objects.get())
        before = Trade.objects.get().refunds
        Trade.objects.update(refunds=before.replace('"asked"', '"ready"'))     # a run would send it next
        ask(root, Trade.objects.get())
        assert '"ready"' in Trade.objects.get().refunds and gateway.refunds() == []
        Trade.objects.update(refunds=before)
        gateway.run_fallback()
        gateway.run_fallback()
        assert [row["out_return_no"] for row in gateway.refunds()] == ["R1"]


def test_twenty_are_asked_about_at_most(root):
    with DjangoGateway() as gateway:
        mapi.fallback().watch_many([mapi.fallback().watched("shop", Order("N{}".format(n), total_fee="8.00",
                                                                          currency="USD")) for n in range(21)])
        (level, text), = ask(root, *Trade.objects.all())
        assert level == "error" and "20" in text and gateway.requests() == []


def test_a_slow_gateway_does_not_hold_the_browser_for_ever(root, monkeypatch):
    monkeypatch.setattr(store_admin, "PATIENCE", -1.0)
    with DjangoGateway() as gateway:
        watch("A1")
        (level, text), = ask(root, Trade.objects.get())
        assert level == "warning" and "not asked" in text and gateway.requests() == []


def test_whoever_may_change_a_trade_may_ask():
    with DjangoGateway():
        watch("A1")
        client = staff(*(["change_trade", "view_trade"] if VIEWS else ["change_trade"]))
        assert "ask_the_gateway_now" in text_of(page(client, "trade"))
        (level, _), = ask(client, Trade.objects.get())
        assert level == "warning"


def test_an_order_of_a_shop_that_is_gone_is_a_message(root):
    watch("A1")
    Trade.objects.update(shop="gone")
    (level, text), = ask(root, Trade.objects.get())
    assert level == "warning" and "ConfigurationError" in text


def test_a_row_that_was_changed_by_hand_is_shown_all_the_same(root):
    watch("A1")
    Trade.objects.update(price="?", facts="{", refunds="x", outcome="strange")
    text_of(page(root, "trade"))
    text_of(page(root, "refund"))
    text_of(page(root, "trade", Trade.objects.get().pk))




@pytest.mark.parametrize("lookup", [
    "body__regex", "body__contains", "body", "body__gt", "body__isnull", "digest__startswith", "facts__contains",
    "last_error__contains", "lease"])
def test_what_a_page_masks_cannot_be_guessed_letter_by_letter(root, filled, lookup):
    for model in ("evidence", "trade"):
        assert page(root, model, **{lookup: "a"}).status_code == 400
