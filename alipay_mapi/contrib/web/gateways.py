"""The gateways of a web shop's merchants: MAPI, and AMS for those that have an account there; and where new orders go.
"""
from typing import Any, Callable, Mapping, Optional, Tuple
from urllib.parse import urljoin

from ...backend import AMS, MAPI, Backend, MapiBackend
from ...errors import ConfigurationError, show
from ...fallback import Fallback
from ...migration.ams import Account
from ...migration.backends import AmsBackend, AmsClient
from ...migration.router import Router, Rule, StoreHomes, rule_of
from ...migration.settings import account_of
from ...order import Order
from .given import Given

#: An order's number → where the view of ``return_url`` sends the buyer on, None for a page of its own.
Back = Callable[[str], Optional[str]]


class Gateways(Given):
    """What the settings say of them. Raises ConfigurationError and its kinds."""

    @property
    def accounts(self) -> Mapping[str, Mapping[str, Any]]:
        """The merchants' accounts at AMS as they were given, by the merchant's name. Raises ConfigurationError."""
        given = self.get("AMS", {})
        if not isinstance(given, Mapping):
            raise self.wrong("AMS", "a dict of merchants' names to their accounts there, each a dict with client_id "
                                    "and keys")
        for name, values in given.items():
            if name not in self.names:
                raise self.wrong("AMS", "{} is none of MERCHANTS; an account belongs to the merchant whose orders move "
                                        "there".format(show(str(name))))
            if not isinstance(values, Mapping):
                raise self.wrong("AMS", "{} is not a dict".format(name))
        return given

    def account(self, name: str) -> Account:
        """A merchant's account at AMS. Raises ConfigurationError and its kinds."""
        problem = None
        try:
            return account_of(self.accounts[name])
        except ConfigurationError as err:
            problem = err
        raise type(problem)("{}[{!r}]: {}".format(self.title.format("AMS"), name, problem))

    def gateways(self, name: str) -> Tuple[str, ...]:
        """The names of a merchant's gateways; MAPI is always among them. Raises ConfigurationError."""
        return (MAPI, AMS) if name in self.accounts else (MAPI,)

    def backends(self, name: str) -> Mapping[str, Backend]:
        """The gateways of a merchant, by name. Raises ConfigurationError and its kinds."""
        found = {MAPI: self._once("mapi " + name, lambda: MapiBackend(self.client(name)))}
        if AMS in self.gateways(name):
            found[AMS] = self._once("ams " + name, lambda: AmsBackend(AmsClient(self.account(name))))
        return found

    def fallback(self) -> Fallback:
        """Where the router keeps an order's home."""
        raise NotImplementedError

    def router(self, name: str) -> Router:
        """Where this merchant's new orders go, and which gateway an order lives on. Raises ConfigurationError,
        StoreError."""
        rule = self.rule(name)
        return self._once("router " + name, lambda: Router(self.backends(name), StoreHomes(self.fallback(), name),
                                                           rule))

    def rule(self, name: str) -> Rule:
        """``NEW_ORDERS``: a gateway's name, percents, or a function (its path as text has a dot). Raises
        ConfigurationError."""
        given = self.get("NEW_ORDERS", MAPI)
        if callable(given) or isinstance(given, str) and "." in given:
            given = self.function("NEW_ORDERS")     # as the framework calls the shop's functions
        problem, gateways = "", self.gateways(name)
        try:
            return rule_of(given, gateways)
        except ConfigurationError as err:
            problem = str(err).partition(": ")[2]
        raise self.wrong("NEW_ORDERS", problem)

    def _routed(self, name: str, order: Order, service: str, params: Mapping[str, str], timeout: Any,
                back: Optional[Back]) -> Any:
        """Where the buyer pays: on the gateway that this order lives on from now on."""
        gateway = self.router(name).place(order, service, params, timeout)
        if gateway == AMS and back is not None:
            where = back(order.out_trade_no)
            if where is not None:
                # AMS signs nothing on the buyer's way back, so our view could not tell him from anybody.
                params = dict(params, return_url=urljoin(params.get("return_url", ""), where))
        return self.backends(name)[gateway].pay(service, params)
