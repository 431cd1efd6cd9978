"""What is kept of messages: all that were accepted, once each; of junk, a fixed number."""
import hashlib

import pytest
from django.db import transaction

import genuine
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django import evidence
from alipay_mapi.contrib.django.store.models import Evidence, Trade
from alipay_mapi.contrib.django.testing import DjangoGateway
from alipay_mapi.contrib.web.answers import Answer
from django_shop import NOTIFY, fail, logged, outcome, post, shop, values, watch

pytestmark = pytest.mark.usefixtures("database")
PAID = genuine.message(genuine.FOREX)


@pytest.fixture(autouse=True)
def usual_shop(database):
    with shop():
        watch()
        yield


def test_an_accepted_message_is_kept_as_it_came():
    post(PAID)
    row = Evidence.objects.get()
    assert bytes(row.body) == PAID
    signed = sorted((name, value) for name, value in genuine.FOREX.items() if value)
    assert row.digest == hashlib.sha256("\0".join(one + "\0" + two for one, two in signed).encode("ascii")).hexdigest()
    assert (row.shop, row.verdict, row.out_trade_no, row.slot) == ("shop", "accepted", "A1", None)
    assert (row.trade_no, row.notify_id) == (genuine.FOREX["trade_no"], genuine.FOREX["notify_id"])


def test_the_same_again_is_kept_once_however_it_is_spelled_and_other_ones_too():
    for number in range(3):
        post(PAID)
        post(PAID + b"&nothing{}=".decode("ascii").format(number).encode("ascii"))
        post(PAID.replace(b"=8.00", b"=%38.00"))
    post(genuine.message(dict(genuine.FOREX, notify_time="2018-04-11 18:16:28")))
    assert Evidence.objects.count() == 2


def test_a_refused_message_is_kept_with_its_verdict_and_what_it_claims():
    post(PAID.replace(b"8.00", b"9.00"))
    row = Evidence.objects.get()
    assert (row.verdict, row.out_trade_no, row.slot) == ("SignatureInvalid", "A1", 0)


def test_a_long_one_is_cut_with_a_digest_of_the_whole():
    body = b"a=" + b"b" * 100000
    post(body)
    row = Evidence.objects.get()
    assert len(bytes(row.body)) == 16 * 1024 and row.digest == hashlib.sha256(body).hexdigest()


def test_refused_ones_take_turns_in_two_hundred_places():
    with transaction.atomic():      # each alone would be synchronised with the disk
        for number in range(2 * evidence.SLOTS + 3):
            evidence.keep("shop", str(number).encode("ascii"), Answer(400, "fail", "MalformedParameter", "shop"))
    kept = [bytes(row.body).decode("ascii") for row in Evidence.objects.order_by("received_at", "id")]
    assert kept == [str(number) for number in range(evidence.SLOTS + 3, 2 * evidence.SLOTS + 3)]


def test_a_flood_of_junk_asks_nobody_fills_nothing_and_spoils_nothing():
    with DjangoGateway() as gateway, logged() as lines:
        before = list(Trade.objects.values_list())
        for number in range(300):
            body = b"out_trade_no=A1&trade_status=TRADE_FINISHED&sign_type=MD5&sign=%032d" % number
            assert post(body if number % 3 else b"\xff" * number).status_code == 400
        assert gateway.requests() == []
        assert list(Trade.objects.values_list()) == before
        assert Evidence.objects.count() <= 30 and len(lines) <= 60
        gateway.place("A1", total_fee="8.00", currency="USD")
        gateway.pay("A1")
        watch("A1")
        assert post(gateway.notification("paid", out_trade_no="A1", total_fee="8.00",
                                         currency="USD").body).content == b"success"
    assert outcome() == "paid" and Evidence.objects.filter(verdict="accepted").count() == 1


def test_it_can_be_switched_off():
    with shop(values(EVIDENCE=False)):
        assert post(PAID).content == b"success"
    assert Evidence.objects.count() == 0


def test_a_table_that_is_gone_undoes_nothing(monkeypatch):
    monkeypatch.setattr(evidence, "keep", fail)
    with shop(), logged() as lines:
        mapi.configured()
        assert post(PAID).content == b"success"
    assert outcome() == "paid"
    assert any("evidence was not kept: ZeroDivisionError" in line for line in lines)


def test_an_unknown_merchants_message_is_not_kept():
    post(PAID, NOTIFY + "nobody/")
    assert Evidence.objects.count() == 0


def test_odd_numbers_fit_into_the_columns():
    post(genuine.form({"out_trade_no": "é" * 300, "notify_id": "x\r\n" * 90, "trade_no": "\U0001f600"}))
    row = Evidence.objects.get()
    assert max(len(row.out_trade_no), len(row.notify_id), len(row.trade_no)) <= 64 and "\n" not in row.notify_id


def test_what_was_kept_of_an_order_goes_with_it_when_it_is_pruned():
    """Hostile: a table that grows for ever. Genuine: what is kept of other orders, and of junk."""
    watch("A2")
    post(PAID)
    post(PAID.replace(b"8.00", b"9.00"))
    post(genuine.message(dict(genuine.FOREX, out_trade_no="A2", notify_id="n2")).replace(b"8.00", b"9.00"))
    store = mapi.fallback().store
    Trade.objects.filter(out_trade_no="A1").update(asked_at=0)
    Trade.objects.get(out_trade_no="A1").effects.update(due_at=None, done_at=0)
    assert store.prune(3600, 10) == 1
    assert [row.out_trade_no for row in Evidence.objects.all()] == ["A2"]
