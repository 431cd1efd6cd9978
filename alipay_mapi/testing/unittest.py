"""For unittest, and for Django's TestCase: ``GatewayTestCase`` beside or in place of the usual base class.

Or ``with gateway() as mapi:`` inside of a single test.
"""
import unittest
from typing import Any, Dict

from .gateway import TestGateway


def gateway(**settings: Any) -> TestGateway:
    """An installed gateway for a ``with`` block; ``settings`` as of :class:`TestGateway`.

    >>> with gateway(merchant="md5") as mapi:
    ...     mapi.shop().sign_type
    'MD5'
    """
    return TestGateway(**settings)


class GatewayTestCase(unittest.TestCase):
    """Each test has a gateway of its own in ``self.mapi``, installed. ``mapi_settings``: as of :class:`TestGateway`.

    ``class CheckoutTest(GatewayTestCase, django.test.TestCase)`` works too. A ``setUp`` of yours calls
    ``super().setUp()`` first.
    """

    mapi_settings: Dict[str, Any] = {}
    mapi: TestGateway

    def setUp(self) -> None:
        super().setUp()
        self.mapi = TestGateway(**self.mapi_settings)
        self.addCleanup(self.mapi.close)
        self.mapi.__enter__()
