"""The help for a shop's tests: the gateway in process, in a TestCase and in a TransactionTestCase."""
import unittest
from urllib.parse import urlsplit

import pytest
from django.test import TestCase, TransactionTestCase
from django.test.utils import override_settings

import django_shop
from alipay_mapi import Order
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django import signals
from alipay_mapi.contrib.django.store.models import Trade
from alipay_mapi.contrib.django.testing import DjangoGateway, MapiGatewayMixin
from django_shop import HANDED, heard, merchant, shop, values

pytestmark = pytest.mark.usefixtures("database")


class _Checkout(MapiGatewayMixin):
    """A shop's own test, run in both kinds of test case."""

    def checkout(self, number):
        payment = mapi.payment(Order(number, total_fee="8.00", currency="USD"), subject="Tea")
        self.mapi.visit(payment.url)

    def test_paid_by_notification(self):
        with heard(signals.notify_verified, signals.trade_settled) as told:
            self.checkout("A1")
            self.mapi.pay("A1")
            delivery, = self.mapi.deliver()
        self.assertTrue(delivery["acknowledged"])
        self.assertEqual(Trade.objects.get().outcome, "paid")
        self.assertEqual(HANDED, ["shop:paid::A1"])
        self.assertEqual([signal for signal, _ in told], [signals.trade_settled, signals.notify_verified])

    def test_notification_lost_and_found_by_the_fallback(self):
        self.checkout("A2")
        self.mapi.pay("A2", lose=True)
        self.assertEqual(self.mapi.deliver(), [])
        self.assertEqual(Trade.objects.get().outcome, "open")
        with heard(signals.trade_settled) as told:
            self.assertEqual(self.mapi.run_fallback().outcomes, {"paid": 1})
        self.assertEqual([arguments["out_trade_no"] for _, arguments in told], ["A2"])

    def test_the_buyer_is_back(self):
        self.checkout("A3")
        self.mapi.pay("A3")
        back = urlsplit(self.mapi.return_url("A3"))
        response = self.client.get(back.path + "?" + back.query)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(Trade.objects.get().outcome, "open")

    def test_a_refund_is_sent_and_proved(self):
        self.checkout("A4")
        self.mapi.pay("A4")
        self.mapi.deliver()
        mapi.fallback().refund("shop", "A4", "R1", "3.00")
        for _ in range(3):
            self.mapi.run_fallback()
        self.assertIn("shop:refunded:R1:A4", HANDED)

    def test_what_the_shops_handler_raises_is_raised_in_the_test(self):
        with override_settings(ALIPAY_MAPI=dict(self._values(), HANDLER=django_shop.fail)):
            self.checkout("A5")
            self.mapi.pay("A5")
            with self.assertRaises(ZeroDivisionError):
                self.mapi.deliver()
            self.assertEqual(Trade.objects.get().outcome, "paid")

    def _values(self):
        from django.conf import settings
        return settings.ALIPAY_MAPI


class InATransaction(_Checkout, TestCase):
    __test__ = False    # run below, with the shop's settings around each


class Committed(_Checkout, TransactionTestCase):
    __test__ = False

    def _fixture_teardown(self):
        """Not a flush of every table: the database of these tests empties itself."""


def run(case):
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    for test in suite:
        with shop():
            Trade.objects.all().delete()
            result = unittest.TestResult()
            test(result)
            yield test, result


@pytest.mark.parametrize("case", [InATransaction, Committed])
def test_a_shops_tests_pass_in_both_kinds_of_test_case(case):
    for test, result in run(case):
        assert result.testsRun == 1 and result.failures + result.errors == [], str(test)


@pytest.mark.parametrize("kind", ["MD5", "RSA2"])
def test_every_merchant_of_the_project_is_one_of_the_gateways_with_his_sign_type(kind):
    with shop(values(MERCHANTS={"one": merchant(sign_type=kind), "two": merchant()}, DEFAULT_MERCHANT="one")):
        with DjangoGateway() as gateway:
            payment = mapi.payment(Order("A1", total_fee="8.00", currency="USD"), subject="测试")
            assert payment.params["sign_type"] == kind
            gateway.visit(payment.url)
            gateway.pay("A1")
            assert [row["text"] for row in gateway.deliver()] == ["success"]
            assert mapi.client("two").shop.sign_type == "MD5"
        assert mapi.client("two").shop.partner == merchant()["partner"]
        assert HANDED == ["one:paid::A1"]


def test_a_project_without_settings_gets_a_merchant():
    with override_settings():
        from django.conf import settings
        if hasattr(settings, "ALIPAY_MAPI"):
            del settings.ALIPAY_MAPI
        with DjangoGateway():
            payment = mapi.payment(Order("A1", total_fee="8.00", currency="USD"), subject="Tea")
            assert payment.params["notify_url"] == "https://testserver/alipay/notify/default/"


def test_a_shop_with_its_own_table_is_notified_too():
    with django_shop.without_store():
        with DjangoGateway() as gateway:
            gateway.visit(mapi.payment(Order("A1", total_fee="8.00", currency="USD"), subject="Tea").url)
            gateway.pay("A1")
            assert [row["acknowledged"] for row in gateway.deliver()] == [True]
        assert [number for _, number, _ in django_shop.NOTIFIED] == ["A1"]
