"""Which gateway an order lives on: decided once, when it is made; everything that comes later goes there.

New orders go where the rule says, so a shop can move one percent first, and go back: what was made on the new gateway
stays there. A write to an order of which nobody knows where it was made is refused; a read asks the gateways one after
the other.
"""
import hashlib
from typing import Any, Callable, Collection, Mapping, Optional, Union

from ..backend import GATEWAYS, MAPI, NO_TRADE, Backend, Fact
from ..errors import AlipayError, ConfigurationError, GatewayError, InvalidRequest, WatchConflict, show
from ..order import Order
from .errors import UnknownHome

#: (order, MAPI service) → the gateway of a new order.
Rule = Callable[[Order, str], str]


class Homes:
    """Where each order was made. The contract, for a shop that keeps it in its own order table."""

    def home_of(self, out_trade_no: str) -> Optional[str]:
        """The gateway's name, or None for an order that is not known."""
        raise NotImplementedError

    def order_of(self, out_trade_no: str) -> Optional[Order]:
        """The order with its price, for callers that know its number alone; None for one that is not known."""
        raise NotImplementedError

    def remember(self, order: Order, gateway: str, timeout: Any = None) -> str:
        """Store, durably, that a new order lives there → where it lives: another one, if somebody was faster.
        ``timeout``: as in the payment request."""
        raise NotImplementedError


class StoreHomes(Homes):
    """The fallback's store: an order is watched with its gateway. ``fallback``: a ``Fallback``."""

    def __init__(self, fallback: Any, shop: str):
        self._fallback, self._shop = fallback, shop

    def home_of(self, out_trade_no: str) -> Optional[str]:
        row = self._fallback.store.get(self._shop, out_trade_no)
        return None if row is None else row.gateway

    def order_of(self, out_trade_no: str) -> Optional[Order]:
        row = self._fallback.store.get(self._shop, out_trade_no)
        return None if row is None else row.order

    def remember(self, order: Order, gateway: str, timeout: Any = None) -> str:
        """Raises WatchConflict for a number that is watched with another price, StoreError."""
        try:
            self._fallback.watch(self._shop, order, timeout=timeout, gateway=gateway)
            return gateway
        except WatchConflict:
            home = self.home_of(order.out_trade_no)
            if home in (None, gateway):
                raise
        self._fallback.watch(self._shop, order, timeout=timeout, gateway=home)
        return str(home)


class Router:
    """``backends``: the gateways by name. ``homes``: where orders live. ``new_orders``: a gateway's name, a mapping
    such as ``{"ams": 1}`` (percent; the rest goes to MAPI), or a rule. ``otherwise``: where a new order goes that its
    gateway cannot make exactly; None: then NotTranslatable comes through.

    >>> from alipay_mapi import Client, Merchant
    >>> from alipay_mapi.backend import MapiBackend
    >>> from alipay_mapi.fallback import Fallback, open_store
    >>> shop = Client(Merchant("2088123412341234", "MD5", md5_key="0123456789abcdef0123456789abcdef"))
    >>> fallback = Fallback(open_store("memory:"), {"shop": shop})
    >>> router = Router({"mapi": MapiBackend(shop)}, StoreHomes(fallback, "shop"))
    >>> order = Order("A1", total_fee="8.00", currency="USD")
    >>> page = router.pay(order, "create_forex_trade", {"out_trade_no": "A1", "subject": "Tea", "total_fee": "8.00",
    ...                                                 "currency": "USD"})
    >>> router.home_of("A1"), router.home_of("A2")
    ('mapi', None)
    """

    def __init__(self, backends: Mapping[str, Backend], homes: Homes,
                 new_orders: Union[str, Mapping[str, float], Rule] = MAPI, *, otherwise: Optional[str] = MAPI):
        self.backends, self._homes, self._otherwise = dict(backends), homes, otherwise
        self._rule = rule_of(new_orders, self.backends)
        if otherwise is not None and otherwise not in self.backends:
            raise ConfigurationError("otherwise: {} is none of the gateways ({})".format(
                show(otherwise), ", ".join(self.backends)))

    def home_of(self, out_trade_no: str) -> Optional[str]:
        """The gateway's name, or None for an order that is not known."""
        home = self._homes.home_of(out_trade_no)
        if home is not None and home not in GATEWAYS:
            raise ConfigurationError("homes: {} is none of {}".format(show(home), ", ".join(GATEWAYS)))
        return home

    def order_of(self, out_trade_no: str) -> Optional[Order]:
        """The order with its price, or None for one that is not known."""
        return self._homes.order_of(out_trade_no)

    def pay(self, order: Order, service: str, params: Mapping[str, str], timeout: Any = None) -> Any:
        """Where the buyer pays: a ``SignedRequest`` or a ``PaymentPage``. The order's home is stored before anything is
        sent. Raises as ``place``, and what the back end raises."""
        return self._backend(self.place(order, service, params, timeout)).pay(service, params)

    def place(self, order: Order, service: str, params: Mapping[str, str], timeout: Any = None) -> str:
        """The gateway of this payment, stored from now on; that of an order that is known stays, whatever the rule says
        by now. ``timeout``: as in ``params``, for the store. What its gateway would refuse unsent is not stored: raises
        InvalidRequest and its kinds, and what the store and the rule raise."""
        if order.out_trade_no not in (params.get("out_trade_no"), params.get("partner_trans_id")):
            raise InvalidRequest("out_trade_no: the order and the params are not about the same number",
                                 parameter="out_trade_no")
        home = self.home_of(order.out_trade_no)
        if home is None:
            home = self._chosen(order, service, params)
            self.backends[home].payment_content(service, params)
        return self._homes.remember(order, home, timeout)

    def query(self, order: Order) -> Fact:
        """What became of a payment. An order that is not known is looked for on each gateway, also when one of them
        cannot be reached; GatewayError with code ``TRADE_NOT_EXIST`` when all of them say that there is none."""
        home = self.home_of(order.out_trade_no)
        if home is not None:
            return self._backend(home).query(order)
        problem: Optional[AlipayError] = None
        for backend in self.backends.values():
            try:
                return backend.query(order)
            except AlipayError as err:
                if not isinstance(err, GatewayError) or getattr(err, "code", None) not in NO_TRADE:
                    problem = problem or err
        if problem is not None:
            raise problem
        raise GatewayError("no gateway has this order (yet)", code=NO_TRADE[0], service="single_trade_query",
                           out_trade_no=show(order.out_trade_no))

    def refund(self, order: Order, out_return_no: str, amount: str, gmt_return: str, reason: str = "") -> None:
        """As ``Backend.send_refund``, on the order's own gateway. Raises UnknownHome."""
        self.backend_for(order.out_trade_no).send_refund(order, out_return_no, amount, gmt_return, reason)

    def query_refund(self, order: Order, out_return_no: str) -> Fact:
        """As ``Backend.query_refund``, on the order's own gateway. Raises UnknownHome: elsewhere nobody knows it."""
        return self.backend_for(order.out_trade_no).query_refund(order, out_return_no)

    def backend_for(self, out_trade_no: str) -> Backend:
        """The gateway of a known order, for every call that changes it. Raises UnknownHome, ConfigurationError."""
        home = self.home_of(out_trade_no)
        if home is None:
            raise UnknownHome("nobody knows on which gateway this order was made; ask for it with query, and store its "
                              "home first", out_trade_no=show(out_trade_no))
        return self._backend(home)

    def _backend(self, home):
        if home not in self.backends:
            raise ConfigurationError("backends: an order lives on {}, and there is no client for it; keep one as long "
                                     "as its orders can be refunded".format(home))
        return self.backends[home]

    def _chosen(self, order, service, params):
        chosen = self._rule(order, service)
        if chosen not in self.backends:
            raise ConfigurationError("new_orders: the rule says {}, and the gateways are {}".format(
                show(str(chosen)), ", ".join(self.backends)))
        if self._otherwise not in (None, chosen) and self.backends[chosen].refusals(service, params):
            return self._otherwise
        return chosen


def rule_of(new_orders: Union[str, Mapping[str, float], Rule], gateways: Collection[str]) -> Rule:
    """The rule for new orders. ``gateways``: names. Raises ConfigurationError."""
    if callable(new_orders):
        return new_orders
    given = {new_orders: 100.0} if isinstance(new_orders, str) else new_orders
    if not isinstance(given, Mapping):
        raise ConfigurationError("new_orders: a gateway's name, a mapping of names to percent, or a function")
    total = 0.0
    for name, percent in given.items():
        if name not in gateways:
            raise ConfigurationError("new_orders: {} is none of the gateways ({})".format(
                show(str(name)), ", ".join(gateways)))
        if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 <= percent <= 100:
            raise ConfigurationError("new_orders: {}: 0 to 100 percent".format(name))
        total = round(total + percent, 9)   # 3 times 33.3 and 0.1 are 100
    if total > 100:
        raise ConfigurationError("new_orders: more than 100 percent")
    if total < 100 and MAPI not in gateways:
        raise ConfigurationError("new_orders: less than 100 percent, and the rest has no gateway")
    return share({name: float(percent) for name, percent in given.items()})


def share(percents: Mapping[str, float]) -> Rule:
    """Part of the orders to each gateway, chosen by their numbers; the rest to MAPI. The same number always falls to
    the same place, and when a share grows, what was in it stays in it.

    >>> rule = share({"ams": 25})
    >>> sum(rule(Order("A%d" % number, total_fee="1.00", currency="USD"), "") == "ams" for number in range(1000))
    240
    """
    def rule(order: Order, service: str) -> str:
        digest = hashlib.sha256(order.out_trade_no.encode("utf-8", "surrogatepass")).digest()
        place, border = int.from_bytes(digest[:4], "big") / 2.0 ** 32 * 100, 0.0
        for name in sorted(percents):
            if name != MAPI:
                border += percents[name]
                if place < border:
                    return name
        return MAPI
    return rule
