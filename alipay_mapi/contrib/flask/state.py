"""What the extension keeps for one app, in ``app.extensions["alipay_mapi"]``: made when it is first used, once in each
process, so that gunicorn may load the app before it forks."""
import functools
import logging
import os
import threading
from typing import Any, Callable, Dict, Optional, Tuple

from flask import current_app, has_request_context, request
from werkzeug.routing import BuildError

from ...backend import Backend
from ...client import Client
from ...errors import ConfigurationError, show
from ..web import faults
from ..web.configured import Configured
from ..web.hidden import hidden
from . import signals
from .telling import TellingStore

_LOG = logging.getLogger("alipay_mapi.contrib")

KEY, PREFIX, NAME = "alipay_mapi", "ALIPAY_MAPI_", "alipay_mapi"
#: Names of the extension's own; all others are ``contrib.web.configured.NAMES``.
_OWN = ("URL_PREFIX",)
#: What app.config shows on debug pages and in logs.
_SECRET = ("MERCHANTS", "STORE", "AMS")
_SQLITE, _FILES = "sqlite:///", (".db", ".sqlite", ".sqlite3")
#: The shop's functions.
_FUNCTIONS = ("HANDLER", "WITHIN", "ORDER", "NOTIFIED", "NEW_ORDERS")


def of_this_app() -> "State":
    """Raises ConfigurationError: the current app has no extension."""
    found = current_app.extensions.get(KEY)
    if found is None:
        raise ConfigurationError("this app has no AlipayMapi: call AlipayMapi(app), or init_app(app) of yours")
    return found


class State:
    """``app``: whose configuration counts."""

    def __init__(self, app: Any):
        self.app = app
        self._lock = threading.Lock()
        self._made: Optional[Tuple[int, "FlaskConfigured"]] = None

    def __repr__(self):
        return "<alipay_mapi of {}>".format(self.app.name)

    def hide(self) -> None:
        """Let ``repr(app.config)`` show no keys."""
        for name in _SECRET:
            if self.app.config.get(PREFIX + name) is not None:
                self.app.config[PREFIX + name] = hidden(self.app.config[PREFIX + name])

    def check(self) -> None:
        """Hide, and tell misspelt names now: what is set until the first use counts. Raises ConfigurationError."""
        self.hide()
        FlaskConfigured(self.app, self._values())

    @property
    def url_prefix(self) -> Optional[str]:
        return self.app.config.get(PREFIX + "URL_PREFIX")

    def configured(self) -> "FlaskConfigured":
        """Raises ConfigurationError."""
        made = self._made
        if made is not None and made[0] == os.getpid():
            return made[1]
        with self._lock:
            made = self._made
            if made is None or made[0] != os.getpid():
                self.hide()
                self._made = made = os.getpid(), FlaskConfigured(self.app, self._values())
                _tell_faults(made[1], self.app)
            return made[1]

    def forget(self) -> None:
        with self._lock:
            made, self._made = self._made, None
        if made is not None and made[0] == os.getpid():
            made[1].close()

    def _values(self) -> Dict[str, Any]:
        found = {name[len(PREFIX):]: value for name, value in self.app.config.items()
                 if isinstance(name, str) and name.startswith(PREFIX)}
        for name in _OWN:
            found.pop(name, None)
        if isinstance(found.get("STORE"), str):
            found["STORE"] = beside(self.app.root_path, found["STORE"])
        if found.get("EVIDENCE"):
            raise ConfigurationError("ALIPAY_MAPI_EVIDENCE: Flask has no table for it; keep what the signals "
                                     "notify_verified and notify_rejected tell, and leave it out")
        return found

    # --- addresses ------------------------------------------------------------------------------------------------

    def address(self, view: str, shop: Optional[str]) -> str:
        """The whole URL of a view for a merchant. Raises ConfigurationError."""
        configured = self.configured()
        # A merchant's own path, as soon as there are two: the default one may be another by the time it is notified.
        values = {} if len(configured.names) == 1 else {"merchant": shop or configured.default}
        try:
            return configured.absolute(self.path("{}.{}".format(NAME, view), values))
        except BuildError:
            pass
        raise ConfigurationError("the views are not there: call init_app(app, url_prefix=\"/alipay\"), or give "
                                 "notify_url and return_url")

    def path(self, endpoint: str, values: Dict[str, Any]) -> str:
        """A view's path, in a request or not. Raises BuildError."""
        root = request.script_root if has_request_context() else self.app.config.get("APPLICATION_ROOT")
        adapter = self.app.url_map.bind(self.app.config.get("SERVER_NAME") or "localhost", root or "/")
        return adapter.build(endpoint, values)

    def return_to(self, number: str) -> Optional[str]:
        """Where a buyer goes who is back; None when nothing is configured. Raises ConfigurationError."""
        where = self.configured().get("RETURN_TO")
        if not isinstance(where, str) or "/" in where:
            return self.configured().return_to(number)
        if where not in self.app.view_functions:
            raise self.configured().wrong("RETURN_TO", "{} is neither a path, nor a URL, nor an endpoint of this "
                                                       "app".format(show(where)))
        try:
            return self.path(where, {"out_trade_no": number})
        except BuildError:
            pass
        raise self.configured().wrong("RETURN_TO", "the endpoint {} needs more than out_trade_no".format(
            show(where)))


class FlaskConfigured(Configured):
    """The shop's functions are called with the app's context; signals are sent when effects are done."""

    def __init__(self, app: Any, values: Dict[str, Any]):
        super().__init__(values, "ALIPAY_MAPI_{}")
        self._app = app

    def function(self, name: str) -> Optional[Callable[..., Any]]:
        found = super().function(name)
        if found is None or name not in _FUNCTIONS:
            return found
        return self._once("called " + name, lambda: _with_context(self._app, found))

    def close(self) -> None:
        """The store, where one was opened, and idle connections to the gateway."""
        for made in list(self._made.values()):
            if isinstance(made, (TellingStore, Client, Backend)):
                made.close()

    def store(self) -> Any:
        return self._once("telling store", lambda: TellingStore(super(FlaskConfigured, self).store(), self._app))


def _tell_faults(configured, app):
    """Once in a process, into the log: what cannot work, and what is odd."""
    for one in faults.problems(configured, app.debug):
        level = logging.ERROR if one.level == faults.ERROR else logging.WARNING
        _LOG.log(level, "%s %s %s", one.id, one.text, one.hint)


def beside(folder: str, url: str) -> str:
    """The store's URL; a relative path of an SQLite file is in ``folder``, so that cron's run, which begins elsewhere,
    opens the same file.

    >>> beside("/srv/shop", "sqlite:///orders.db"), beside("/srv/shop", "sqlite:////var/lib/orders.db")
    ('sqlite:////srv/shop/orders.db', 'sqlite:////var/lib/orders.db')
    >>> beside("/srv/shop", "orders.db"), beside("/srv/shop", "memory:")
    ('/srv/shop/orders.db', 'memory:')
    """
    start = _SQLITE if url.lower().startswith(_SQLITE) else ""
    path = url[len(start):]
    if ":memory:" in path or not path or not (start or "://" not in url and url.endswith(_FILES)):
        return url
    return start + os.path.join(folder, os.path.expanduser(path))


def _with_context(app, function):
    """The shop's function in an app's context: the request's, or one of its own for each call, so that a session of a
    database does not outlive it. What it raises is told to error trackers, and raised."""
    @functools.wraps(function)
    def called(*arguments):
        if not has_request_context():
            with app.app_context():
                return function(*arguments)
        try:
            return function(*arguments)
        except Exception as err:
            signals.tell_failure(app, err)
            raise
    return called
