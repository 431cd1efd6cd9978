"""The same gateway for unittest, and for frameworks whose TestCase is one."""
import unittest

import requests

import alipay_mapi as mapi
from alipay_mapi.testing.unittest import GatewayTestCase, gateway


class FrameworkTestCase(unittest.TestCase):
    """Stands in for Django's: its setUp does things too, and it is called before ours."""

    def setUp(self):
        super().setUp()
        self.database = "ready"


def run(*cases):
    result = unittest.TestResult()
    unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in cases]).run(result)
    return result


def test_each_test_has_a_gateway_of_its_own():
    seen = []

    class Checkout(GatewayTestCase):
        def test_first(self):
            self.mapi.place("A1")
            seen.append(self.mapi.client().shop.sign_type)

        def test_second(self):
            self.assertEqual(self.mapi.requests(), [])
            self.mapi.place("A1", total_fee="9.00")

    before = requests.Session.get_adapter
    result = run(Checkout)
    assert (result.testsRun, result.errors, result.failures, seen) == (2, [], [], ["MD5"])
    assert requests.Session.get_adapter is before


def test_it_stands_beside_a_frameworks_test_case_and_takes_settings():
    seen = []

    class Checkout(GatewayTestCase, FrameworkTestCase):
        mapi_settings = {"merchant": "rsa", "seed": 7}

        def setUp(self):
            super().setUp()
            self.mapi.place("A1")

        def test_it(self):
            seen.append((self.database, self.mapi.shop().sign_type, self.mapi.pay("A1")["trade_status"]))

    assert run(Checkout).wasSuccessful()
    assert seen == [("ready", "RSA", "TRADE_FINISHED")]


def test_a_failing_test_and_a_failing_set_up_leave_nothing_behind():
    class Fails(GatewayTestCase):
        def test_it(self):
            self.fail("on purpose")

    class FailsEarly(GatewayTestCase):
        def setUp(self):
            super().setUp()
            raise OSError

        def test_it(self):
            """Never reached."""

    before = requests.Session.get_adapter
    result = run(Fails, FailsEarly)
    assert (len(result.failures), len(result.errors)) == (1, 1)
    assert requests.Session.get_adapter is before


def test_a_with_block_inside_of_one_test():
    with gateway(merchant="md5") as here:
        here.place("A1")
        here.pay("A1")
        assert mapi.Client(here.shop()).single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"
