"""For a shop's tests: Alipay's gateway in the test's own process.

With pytest nothing has to be imported: the plugin brings ``mapi_gateway``, ``mapi_shop`` and ``mapi_notify``. For
unittest see :mod:`alipay_mapi.testing.unittest`. Both are :class:`TestGateway`, which can be used alone.

Names are loaded when they are first used: pytest imports this package in every project that has it installed.
"""
from typing import TYPE_CHECKING

from ..lazy import load_at_first_use

if TYPE_CHECKING:
    from .factory import BROKEN, KINDS, SignedMessage, notification
    from .gateway import ALIPAY_HOSTS, START, TestGateway

_HOME = {"BROKEN": "factory", "KINDS": "factory", "SignedMessage": "factory", "notification": "factory",
         "ALIPAY_HOSTS": "gateway", "START": "gateway", "TestGateway": "gateway"}

__all__ = ["ALIPAY_HOSTS", "BROKEN", "KINDS", "START", "SignedMessage", "TestGateway", "notification"]

load_at_first_use(__name__, _HOME)
