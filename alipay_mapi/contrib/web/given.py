"""What a web shop has set, as it was given: the settings by name, its merchants, and its functions.

Everything that is made of it is made when it is first used, and kept; a value that cannot work is a ConfigurationError
that begins with its name.
"""
import importlib
import re
import threading
from typing import Any, Callable, Dict, Mapping, Optional

from ...client import Client, place_of
from ...errors import ConfigurationError, show
from ...merchant import Merchant
from ...merchant_settings import merchant_of

#: What may be set. In ``docs/django.md`` and ``docs/flask.md`` each has its line.
NAMES = ("MERCHANTS", "DEFAULT_MERCHANT", "SITE_URL", "RETURN_TO", "STORE", "HANDLER", "WITHIN", "ORDER", "NOTIFIED",
         "EVIDENCE", "FALLBACK", "AMS", "NEW_ORDERS")

_SHOP = re.compile("[A-Za-z0-9_.-]{1,40}", re.ASCII)


class Given:
    """``values``: the mapping. ``title``: how the framework calls it, for messages: ``ALIPAY_MAPI[{!r}]`` in Django.
    Raises ConfigurationError for a name that is none of ``NAMES``."""

    def __init__(self, values: Mapping[str, Any], title: str = "{}"):
        self.title = title
        if not isinstance(values, Mapping):
            raise ConfigurationError("{}: a dict of settings; there are {}".format(
                title.partition("[")[0] if "[" in title else "the settings", ", ".join(NAMES)))
        self._values = dict(values)
        self._lock = threading.RLock()
        self._made: Dict[str, Any] = {}
        for name in self._values:
            if name not in NAMES:
                raise self.wrong(name, "no setting of this; there are {}".format(", ".join(NAMES)))

    def __repr__(self):
        return "<Configured {}>".format(", ".join(sorted(self._values)))

    def wrong(self, name: str, text: str) -> ConfigurationError:
        return ConfigurationError("{}: {}".format(self.title.format(show(name)), text))

    def get(self, name: str, default: Any = None) -> Any:
        """A setting as it was given."""
        value = self._values.get(name)
        return default if value is None else value

    def _once(self, name, make):
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]

    # --- merchants ------------------------------------------------------------------------------------------------

    @property
    def names(self) -> Mapping[str, Mapping[str, Any]]:
        """The merchants as they were given, by name. Raises ConfigurationError."""
        given = self.get("MERCHANTS")
        if not isinstance(given, Mapping) or not given:
            raise self.wrong("MERCHANTS", "a dict of names to merchants, each a dict with partner, sign_type and keys")
        for name, values in given.items():
            if not isinstance(name, str) or _SHOP.fullmatch(name) is None:
                raise self.wrong("MERCHANTS", "a merchant's name is 1 to 40 letters, digits and _ . -, as orders are "
                                              "stored with it")
            if not isinstance(values, Mapping):
                raise self.wrong("MERCHANTS", "{} is not a dict".format(name))
        return given

    @property
    def default(self) -> str:
        """The merchant that is meant where none is named. Raises ConfigurationError."""
        names, chosen = self.names, self.get("DEFAULT_MERCHANT")
        if chosen is None and len(names) == 1:
            return next(iter(names))
        if chosen is None and "default" in names:
            return "default"
        if not isinstance(chosen, str) or chosen not in names:
            raise self.wrong("DEFAULT_MERCHANT", "one of {}".format(", ".join(sorted(names))))
        return chosen

    def merchant(self, name: Optional[str] = None) -> Merchant:
        """Raises ConfigurationError and its kinds."""
        return self.client(name).shop

    def client(self, name: Optional[str] = None) -> Client:
        """The gateway, as this merchant sees it. Raises ConfigurationError and its kinds."""
        name = self.default if name is None else name
        if name not in self.names:
            raise self.wrong("MERCHANTS", "there is no {}; there are {}".format(show(name), ", ".join(self.names)))
        return self._once("client " + name, lambda: Client(self._merchant(name)))

    def _merchant(self, name):
        problem = None
        try:
            return merchant_of(self.names[name])
        except ConfigurationError as err:
            problem = err
        raise type(problem)("{}[{!r}]: {}".format(self.title.format("MERCHANTS"), name, problem))

    @property
    def clients(self) -> Mapping[str, Client]:
        """Of all merchants. Raises ConfigurationError and its kinds."""
        return {name: self.client(name) for name in self.names}

    # --- the shop's functions -----------------------------------------------------------------------------------------

    def function(self, name: str) -> Optional[Callable[..., Any]]:
        """A setting that names a function of the shop: the function, or "package.module.function". Raises
        ConfigurationError."""
        value = self.get(name)
        if value is None or callable(value):
            return value
        # Not under the lock: what is imported may use this at its top, in another thread, under the lock of imports.
        if name not in self._made:
            self._made[name] = self._imported(name, value)
        return self._made[name]

    def _imported(self, name, value):
        module, _, attribute = value.rpartition(".") if isinstance(value, str) else ("", "", "")
        if not module:
            raise self.wrong(name, "a function, or its path as text, such as shop.payments.settle")
        problem = ""
        try:
            found = getattr(importlib.import_module(module), attribute, None)
        except ImportError as err:
            found, problem = None, "{} cannot be imported ({})".format(show(module),
                                                                       show(err.name or type(err).__name__))
        except Exception as err:    # whatever the shop's module raises at its top
            found, problem = None, "{} cannot be imported ({} at {})".format(show(module), type(err).__name__,
                                                                             place_of(err))
        if not callable(found):
            raise self.wrong(name, problem or "{} has no function {}".format(show(module), show(attribute)))
        return found
