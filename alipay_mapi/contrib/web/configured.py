"""What a web shop configures, in one mapping, and what is made of it: clients, store, fallback, callbacks.

Django hands over ``settings.ALIPAY_MAPI``, Flask every ``ALIPAY_MAPI_…`` without its prefix. Everything is made when it
is first used, and kept; a value that cannot work is a ConfigurationError that begins with its name.
"""
from typing import Any, Callable, Mapping, Optional
from urllib.parse import quote, urlsplit

from ...errors import ConfigurationError, InvalidRequest, show
from ...fallback import Fallback, Schedule, Store, open_store
from ...order import Order
from ...request import build_order_string, build_request
from .callbacks import Callbacks, Evidence
from .gateways import Back, Gateways
from .given import NAMES
from .paying import MOBILE, payment_params
from .taking import IntoShop, IntoStore

__all__ = ["FALLBACK_NAMES", "NAMES", "Configured"]

#: What the fallback may be told: the schedule, and what a run is told.
FALLBACK_NAMES = Schedule._fields + ("per_second", "refunds_apart", "workers", "deadline", "limit")
#: Those that None switches off.
_OR_NONE = ("per_second", "refunds_apart", "deadline", "limit")


class Configured(Gateways):
    """``values``: the mapping. ``title``: how the framework calls it, for messages: ``ALIPAY_MAPI[{!r}]`` in Django.
    ``open_own``: opens the framework's own store, for ``STORE = "django"``. ``around``: the shop's functions → the same
    in a transaction. Raises ConfigurationError for a name that is none of ``NAMES``."""

    def __init__(self, values: Mapping[str, Any], title: str = "{}", open_own: Optional[Callable[[], Store]] = None,
                 evidence: Optional[Evidence] = None, around: Optional[Callable[[Callable], Callable]] = None):
        super().__init__(values, title)
        self._open_own, self._keep, self._around = open_own, evidence, around

    # --- orders ---------------------------------------------------------------------------------------------------

    @property
    def has_store(self) -> bool:
        """Are orders watched here, or does the shop keep them itself?"""
        return self._open_own is not None or self.get("STORE") is not None

    def opens(self, url: Any) -> bool:
        """Is this the framework's own store?"""
        return self._open_own is not None and url in (None, "django")

    def store(self) -> Store:
        """Raises ConfigurationError, StoreError, SchemaError."""
        return self._once("store", self._open)

    def _open(self):
        url = self.get("STORE")
        if self._open_own is not None and self.opens(url):
            return self._open_own()
        if url is None:
            raise self.wrong("STORE", "not set; give a URL such as sqlite:///orders.db, or take notifications "
                                      "yourself with ORDER and NOTIFIED")
        try:
            return open_store(url)
        except ConfigurationError as err:
            problem = str(err)      # it holds no URL
        raise self.wrong("STORE", problem)

    def fallback(self) -> Fallback:
        """The query fallback over all merchants. Raises ConfigurationError, StoreError, SchemaError."""
        if "fallback" in self._made:
            return self._made["fallback"]
        handler, within = self.function("HANDLER"), self.function("WITHIN")
        return self._once("fallback", lambda: self._fallback(handler, within))

    def _fallback(self, handler, within):
        given = self.fallback_settings
        more = {name: given[name] for name in ("per_second", "refunds_apart") if name in given}
        schedule = Schedule()._replace(**{name: given[name] for name in Schedule._fields if name in given})
        store, clients = self.store(), {name: self.backends(name) if name in self.accounts else self.client(name)
                                        for name in self.names}
        if handler is not None and within is not None:
            raise self.wrong("WITHIN", "HANDLER is set too; keep one of them")
        try:
            return Fallback(store, clients, handler, within=within, schedule=schedule, **more)
        except ConfigurationError as err:
            problem = str(err)
        raise self.wrong("FALLBACK", problem)

    @property
    def fallback_settings(self) -> Mapping[str, Any]:
        """Numbers of seconds, queries and threads. Raises ConfigurationError."""
        given = self.get("FALLBACK", {})
        if not isinstance(given, Mapping):
            raise self.wrong("FALLBACK", "a dict")
        for name, value in given.items():
            if name not in FALLBACK_NAMES:
                raise self.wrong("FALLBACK", "{} is none of {}".format(show(name), ", ".join(FALLBACK_NAMES)))
            if isinstance(value, bool) or not (isinstance(value, (int, float)) or value is None and name in _OR_NONE):
                raise self.wrong("FALLBACK", "{}: a number (of seconds, where it is a time)".format(name))
        return given

    def callbacks(self) -> Callbacks:
        """Raises ConfigurationError."""
        if "callbacks" in self._made:
            return self._made["callbacks"]
        order, notified = self.function("ORDER"), self.function("NOTIFIED")
        return self._once("callbacks", lambda: self._callbacks(order, notified))

    def _callbacks(self, order, notified):
        if notified is not None and self._around is not None:
            notified = self._around(notified)
        if self.has_store:
            if order is not None and notified is not None and not (self.get("HANDLER") or self.get("WITHIN")):
                raise self.wrong("NOTIFIED", "with a store it takes what is not about one order; give HANDLER or "
                                             "WITHIN, which is told what was paid, or leave the store out")
            taking: Any = IntoStore(self.fallback, order, notified)
        elif order is None or notified is None:
            raise self.wrong("NOTIFIED", "without a store, give ORDER (which order is it?) and NOTIFIED (book it)")
        else:
            taking = IntoShop(order, notified)
        prefix = urlsplit(self.site_url).path.rstrip("/") if self.accounts else ""
        return Callbacks(self.clients, taking, self._keep if self.get("EVIDENCE", True) else None,
                         backends={name: self.backends(name) for name in self.accounts}, prefix=prefix)

    # --- payments -------------------------------------------------------------------------------------------------

    def payment(self, order: Order, *, notify_url: str, return_url: Optional[str] = None, shop: Optional[str] = None,
                service: str = "create_forex_trade", timeout: Optional[str] = None, back: Optional[Back] = None,
                **fields: Any) -> Any:
        """A payment of an order, which is watched from now on: a ``SignedRequest``, or AMS's ``PaymentPage`` where the
        order goes there; both have ``url`` and ``form()``. ``fields``: what the service takes beside the
        order's number and price, such as ``subject``. ``timeout``: how long it can be paid, such as ``30m``. ``back``:
        where the view of ``return_url`` sends the buyer on; None where that address is the shop's own. Raises
        InvalidRequest, WatchConflict, StoreError, ConfigurationError, and for AMS what its back end raises."""
        if service == MOBILE:
            raise InvalidRequest("service: {} is paid in an app; use app_payment".format(MOBILE), parameter="service")
        name, params = self._paid_for(order, shop, service, notify_url, return_url, timeout, fields)
        if name in self.accounts:
            return self._routed(name, order, service, params, timeout, back)
        request = build_request(self.merchant(name), service, params)
        self._watch(name, order, timeout)
        return request

    def app_payment(self, order: Order, *, notify_url: str, shop: Optional[str] = None, timeout: Optional[str] = None,
                    **fields: Any) -> str:
        """The same for an app: the order string of ``mobile.securitypay.pay``. Always on MAPI: the app's SDK takes no
        other."""
        name, params = self._paid_for(order, shop, MOBILE, notify_url, None, timeout, fields)
        text = build_order_string(self.merchant(name), params)
        self._watch(name, order, timeout)
        return text

    def _paid_for(self, order, shop, service, notify_url, return_url, timeout, fields):
        name = self.default if shop is None else shop
        return name, payment_params(order, service, notify_url, return_url, timeout, fields,
                                    self.merchant(name).seller_id)

    def _watch(self, name, order, timeout):
        # After it was signed, before it is sent: an order that is not watched is not sent.
        if self.has_store:
            self.fallback().watch(name, order, timeout=timeout)

    # --- addresses ------------------------------------------------------------------------------------------------

    def absolute(self, path: str) -> str:
        """A path of this site as Alipay must be told it. Raises ConfigurationError."""
        return self.site_url.rstrip("/") + path

    @property
    def site_url(self) -> str:
        """Scheme and host by which Alipay and buyers reach this site. Raises ConfigurationError."""
        url = self.get("SITE_URL")
        if not isinstance(url, str) or not _is_address(url):
            raise self.wrong("SITE_URL", "the site's address with its scheme, such as https://shop.example: Alipay is "
                                         "told it as notify_url and return_url")
        return url

    def return_to(self, out_trade_no: str) -> Optional[str]:
        """Where a buyer goes who is back; None when nothing is configured. Raises ConfigurationError."""
        where = self.get("RETURN_TO")
        if where is None:
            return None
        if not isinstance(where, str):
            raise self.wrong("RETURN_TO", "a path or URL, with {out_trade_no} where the order's number goes")
        if urlsplit(where).scheme not in ("", "http", "https") or where.startswith("//"):
            raise self.wrong("RETURN_TO", "a path of this site, or an http(s) address")
        if out_trade_no in (".", ".."):
            return None     # a browser would leave the path
        return where.replace("{out_trade_no}", quote(out_trade_no, safe=""))


def _is_address(url):
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return bool(whole and "@" not in parts.netloc and not parts.query and not parts.fragment and url.isprintable()
                and " " not in url)
