"""For a shop's tests: Alipay's gateway in the test's own process.

With pytest nothing has to be imported: the plugin brings ``mapi_gateway``, ``mapi_shop`` and ``mapi_notify``. For
unittest see :mod:`alipay_mapi.testing.unittest`. Both are :class:`TestGateway`, which can be used alone.

Names are loaded when they are first used: pytest imports this package in every project that has it installed.
"""
import importlib
import sys
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .factory import BROKEN, KINDS, SignedMessage, notification
    from .gateway import ALIPAY_HOSTS, START, TestGateway

_HOME = {"BROKEN": "factory", "KINDS": "factory", "SignedMessage": "factory", "notification": "factory",
         "ALIPAY_HOSTS": "gateway", "START": "gateway", "TestGateway": "gateway"}

__all__ = ["ALIPAY_HOSTS", "BROKEN", "KINDS", "START", "SignedMessage", "TestGateway", "notification"]


class _Package(types.ModuleType):
    """A module that loads a name from its home: what PEP 562 does from Python 3.7 on."""

    def __getattr__(self, name):
        if name not in _HOME:
            raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))
        value = getattr(importlib.import_module("{}.{}".format(__name__, _HOME[name])), name)
        setattr(self, name, value)
        return value

    def __dir__(self):
        return sorted(set(__all__) | set(self.__dict__))


sys.modules[__name__].__class__ = _Package
