"""``settings.ALIPAY_MAPI`` as a ``Configured``: one in each process, made when it is first used.

A test that overrides the setting (``override_settings``) gets a new one; a process that was forked makes its own.
"""
import os
import threading
from typing import Any, Callable, Dict, Optional

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connection, transaction
from django.urls import NoReverseMatch, reverse

from ...backend import Backend
from ...client import Client
from ...fallback import Fallback, Store
from ...fallback.outbox import must_have_run
from ..web.configured import Configured
from ..web.hidden import hidden
from ..web.seldom import Seldom
from .handing_over import handing_over

#: How settings are called in messages.
TITLE = "ALIPAY_MAPI[{!r}]"
STORE_APP = "alipay_mapi.contrib.django.store"

#: What a flood may write into the log while the settings cannot be used.
UNUSABLE = Seldom()

_MADE: Dict[str, Any] = {}
_LOCK = threading.Lock()


class DjangoConfigured(Configured):
    """The same, with Django's store, its transactions, its URL names and signals. Raises ConfigurationError."""

    def __init__(self, values: Any):
        opens = open_own()
        super().__init__(values, TITLE, opens, None if opens is None else _evidence(), _atomic)

    def function(self, name: str) -> Optional[Callable[..., Any]]:
        found = super().function(name)
        if found is None or name not in ("HANDLER", "WITHIN"):
            return found
        return self._once("handing over " + name, lambda: handing_over(found))

    def return_to(self, out_trade_no: str) -> Optional[str]:
        """Where a buyer goes who is back: ``RETURN_TO`` with a slash is a path or URL, any other the name of a URL
        that takes ``out_trade_no``, or nothing. Raises ConfigurationError."""
        where = self.get("RETURN_TO")
        if not isinstance(where, str) or "/" in where:
            return super().return_to(out_trade_no)
        for arguments in ({"out_trade_no": out_trade_no}, {}):
            try:
                return reverse(where, kwargs=arguments)
            except NoReverseMatch:
                pass
        raise self.wrong("RETURN_TO", "neither a path with a slash nor the name of a URL that takes out_trade_no")

    def use_store(self, store: Store) -> None:
        """This one, in place of what the settings say: for tests."""
        self._made["store"] = store

    def close(self) -> None:
        """Give back the connections to the gateway, and a store that is not Django's own."""
        for made in list(self._made.values()):
            if isinstance(made, (Client, Backend)) or isinstance(made, Store) and not self.opens(self.get("STORE")):
                made.close()


def configured() -> DjangoConfigured:
    """What ``settings.ALIPAY_MAPI`` makes: clients, store, fallback, callbacks. Raises ConfigurationError."""
    with _LOCK:
        if _MADE.get("process") != os.getpid():
            _MADE.update(process=os.getpid(), configured=DjangoConfigured(settings_hidden()))
        return _MADE["configured"]


def settings_hidden() -> Any:
    """``settings.ALIPAY_MAPI`` as it may stand in a frame: Django's debug page shows what frames hold."""
    return hidden(getattr(settings, "ALIPAY_MAPI", {}))


def client(name: Optional[str] = None) -> Client:
    """The gateway, as a merchant of the settings sees it; default: ``DEFAULT_MERCHANT``. Raises ConfigurationError."""
    return configured().client(name)


def fallback() -> Fallback:
    """The query fallback over all merchants of the settings. Raises ConfigurationError, StoreError."""
    return configured().fallback()


def forget(setting: str = "ALIPAY_MAPI", **_: Any) -> None:
    """Make it anew when it is next used: the setting has changed."""
    if setting in ("ALIPAY_MAPI", "INSTALLED_APPS"):
        with _LOCK:
            before = _MADE.get("configured") if _MADE.get("process") == os.getpid() else None
            _MADE.clear()
        if before is not None:
            before.close()


setting_changed.connect(forget, dispatch_uid="alipay_mapi.contrib.django.process")


def open_own() -> Optional[Callable[[], Store]]:
    """What opens Django's store; None where its app is not installed."""
    return _open_own if apps.is_installed(STORE_APP) else None


def _open_own():
    from .store.django_store import DjangoStore
    return DjangoStore()


def _evidence():
    from .evidence import keep
    return keep


def _atomic(function):
    """A function of the shop in one transaction; as it is in a project without a database."""
    def call(*args):
        if connection.settings_dict["ENGINE"] == "django.db.backends.dummy":
            return function(*args)
        with transaction.atomic():
            must_have_run(function(*args))
    return call
