"""Many at once on one SQLite file: deliveries beside deliveries, and beside a run of the fallback."""
import threading

import pytest
from django.db import connections

import genuine
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django.store.models import Effect, Evidence
from alipay_mapi.contrib.django.testing import DjangoGateway
from django_shop import HANDED, merchant, outcome, post, shop, values, watch

pytestmark = pytest.mark.usefixtures("database")
AT_ONCE, PATIENCE = 8, 60


def at_once(*calls):
    """What they return, begun at the same moment, each in a thread with a connection of its own."""
    ready, results, errors = threading.Barrier(len(calls)), [], []

    def run(call):
        try:
            ready.wait(PATIENCE)
            results.append(call())
        except Exception as err:
            errors.append(err)
        finally:
            connections.close_all()
    threads = [threading.Thread(target=run, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert errors == [] and not any(thread.is_alive() for thread in threads)
    return results


def test_eight_deliveries_at_once_are_one_effect():
    body = genuine.message(genuine.FOREX)
    with shop():
        watch()
        said = at_once(*[lambda: post(body).content] * AT_ONCE)
        assert said == [b"success"] * AT_ONCE
        assert HANDED == ["shop:paid::A1"] and outcome() == "paid"
        assert Effect.objects.filter(due_at=None).count() == Effect.objects.count() == 1
        assert Evidence.objects.count() == 1


def test_eight_deliveries_within_the_stores_transaction_are_one_row_of_the_shop():
    from django.contrib.auth.models import User

    def within(db, effect):
        User.objects.create_user(effect.out_trade_no)
    body = genuine.message(genuine.FOREX)
    with shop(values(HANDLER=None, WITHIN=within)):
        watch()
        assert set(at_once(*[lambda: post(body).content] * AT_ONCE)) <= {b"success", b"fail"}
        assert post(body).content == b"success"
    assert [user.username for user in User.objects.all()] == ["A1"]


def test_deliveries_beside_runs_of_the_fallback_are_one_effect_each():
    numbers = ["A{}".format(n) for n in range(6)]
    with shop(values(MERCHANTS={"shop": merchant()})), DjangoGateway() as gateway:
        client = mapi.client()
        assert client.shop.gateway == gateway.url
        for number in numbers:
            watch(number)
            gateway.place(number, total_fee="8.00", currency="USD")
            gateway.pay(number, lose=True)
        gateway.clock.move(120)
        bodies = [gateway.notification("paid", out_trade_no=number, total_fee="8.00", currency="USD",
                                       trade_no=gateway.trade(number)["trade_no"]).body for number in numbers]
        del HANDED[:]

        def deliver(body):
            return lambda: post(body).content

        def run():
            return mapi.fallback().run(workers=2).failed_effects
        said = at_once(*[deliver(body) for body in bodies] + [run, run])
        assert sorted(map(str, said)) == ["0", "0"] + ["b'success'"] * len(numbers)
        mapi.fallback().run(workers=0)
        assert sorted(HANDED) == sorted("shop:paid::" + number for number in numbers)
        assert {outcome(number) for number in numbers} == {"paid"}


def test_many_threads_make_one_configuration():
    with shop():
        made = at_once(*[mapi.configured] * AT_ONCE)
    assert len({id(one) for one in made}) == 1
