"""A gateway for a shop's tests: an emulator, and all ``requests`` sessions of the process led to it.

The shop's own settings may name Alipay's real hosts: while the gateway is installed, none of them is reached.
"""
import time
from datetime import datetime
from inspect import signature
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional
from urllib.parse import urlsplit

from .. import merchant as _merchant
from ..errors import InvalidRequest, show
from ..migration.ams.domains import DOMAINS, OLD_DOMAINS
from ..times import GMT8
from . import delivery
from .ams_shop import AmsShop
from .extra import missing
from .keys import shared_keys

if TYPE_CHECKING:
    from ..client import Client
    from ..emulator import Emulator
    from ..emulator.clock import Clock
    from ..emulator.faults import Fault
    from ..emulator.emulator import LoggedRequest
    from ..merchant import Merchant
    from .factory import SignedMessage
    from .patch import Patch
    from .wsgi import Application

#: Where a test's clock begins, and stands still.
START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=GMT8)
#: Alipay's hosts, old and new, that a shop may have in its settings.
ALIPAY_HOSTS = frozenset([urlsplit(url).hostname for url in (
    _merchant.GATEWAY_INTL, _merchant.GATEWAY_INSTORE, _merchant.GATEWAY_MAINLAND, _merchant.GATEWAY_SANDBOX,
    _merchant.GATEWAY_HK, *DOMAINS.values(), *OLD_DOMAINS.values())] + [
        "openapi.alipaydev.com", "mapi.alipay.net", "www.alipay.com", "notify.alipay.com"])
#: Seconds that ``deliver`` waits for the live server's thread to end a notification.
_PATIENCE = 10.0


class TestGateway(AmsShop):
    """A context manager: installed inside of ``with``, closed after it.

    ``emulator``: one of your own; by default a new one in memory, with ``settings`` (as of ``Emulator``; seed 1 and a
    clock that stands still at :data:`START`, unless you say otherwise). ``merchant``: whose shop is tested: ``md5``,
    ``rsa``, ``rsa2`` or ``dsa``. ``live``: also start a server on a free port.

    >>> with TestGateway() as gateway:
    ...     trade = gateway.place("A1", total_fee="8.00", currency="USD")
    ...     gateway.pay("A1")["trade_status"]
    'TRADE_FINISHED'
    """

    __test__ = False    # not a test class

    def __init__(self, emulator: "Optional[Emulator]" = None, *, merchant: str = "md5", live: bool = False,
                 **settings: Any):
        from ..emulator import Emulator
        if emulator is not None and settings:
            raise InvalidRequest("{}: give settings to the Emulator itself, or no emulator".format(
                ", ".join(sorted(settings))), parameter="emulator")
        self._own = emulator is None
        self._careful = delivery.Careful(delivery.to_this_machine)
        if emulator is None:
            usual: Dict[str, Any] = {"seed": 1, "frozen": True, "keys": shared_keys(), "sender": self._careful}
            if settings.get("frozen", True):
                usual["start"] = START
            known = list(signature(Emulator).parameters)
            for name in settings:
                if name not in known:
                    raise InvalidRequest("{}: no setting of a test gateway; there are merchant, live, {}".format(
                        show(name), ", ".join(known)), parameter=show(name))
            emulator = Emulator(**dict(usual, **settings))
        self.emulator: "Emulator" = emulator
        self._merchant, self._start_live = merchant, live
        self._patches: List["Patch"] = []
        self._clients: List[Any] = []
        self._shops: Dict[Any, "Merchant"] = {}     # reading an RSA key takes a twentieth of a second
        self._adapter: Any = None
        self._server: Any = None
        self._before_live = emulator.base_url
        self._seen = 0      # the last delivery that deliver() has told of

    # --- where requests go ----------------------------------------------------------------------------------------

    def install(self) -> "TestGateway":
        """From now on every ``requests`` session of this process reaches the emulator at its own address and at
        Alipay's. May be called again; each call needs its own ``uninstall()``."""
        from .adapter import Adapter
        from .patch import Patch
        if self._adapter is None:
            self._adapter = Adapter(self.emulator)
        self._patches.append(Patch(self._serves, self._adapter))
        return self

    def uninstall(self) -> None:
        """Undo the last ``install()``."""
        if self._patches:
            self._patches.pop().end()

    def live(self) -> str:
        """Start a real server on a free port of this machine (needs the extra ``emulator``): its address. From then on
        notifications are sent by themselves, and requests to the emulator's own address use a socket. Raises
        ConfigurationError without the extra."""
        if self._server is None:
            absent = None
            try:
                from ..emulator.server import Server
            except ImportError as err:
                absent = err.name or ""
            if absent is not None:
                raise missing(absent, "a live server")
            self._server = Server(self.emulator).start()
        return self._server.url

    def close(self) -> None:
        """Uninstall, stop the live server, close connections and the emulator. For good."""
        while self._patches:
            self.uninstall()
        for client in self._clients:
            client.close()
        self._clients = []
        if self._server is not None:
            self._server.stop()
            self._server, self.emulator.base_url = None, self._before_live
        if self._own:
            self.emulator.close()

    def __enter__(self) -> "TestGateway":
        self.install()
        if self._start_live:
            started = False
            try:
                self.live()
                started = True
            finally:
                if not started:
                    self.close()
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _serves(self, url):
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")       # a name with a dot at its end is the same name
        return host in ALIPAY_HOSTS or (
            self._server is None and parts.netloc == urlsplit(self.emulator.base_url).netloc)

    # --- the shop -------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """What a shop sets as its gateway; Alipay's own URLs lead to the same place."""
        return self.emulator.gateway_url

    def shop(self, name: Optional[str] = None, *, input_charset: Optional[str] = "utf-8",
             gateway: Optional[str] = None) -> "Merchant":
        """The shop's Merchant. ``name``: another test merchant; ``gateway``: another address, such as a ``GATEWAY_``
        constant. Raises InvalidRequest."""
        asked = (name or self._merchant, input_charset, gateway or self.url)
        if asked not in self._shops:
            self._shops[asked] = self.emulator.shop(*asked)
        return self._shops[asked]

    def settings(self, name: Optional[str] = None) -> Dict[str, str]:
        """The same as text, for a shop with settings of its own: ``partner``, ``sign_type``, ``seller_email``,
        ``gateway``, and ``md5_key``, or ``private_key`` and ``alipay_public_key`` in PEM."""
        one = self.emulator.merchant(name or self._merchant)
        return dict(one.shop_keys(), partner=one.partner, sign_type=one.sign_type, seller_email=one.seller_email,
                    gateway=self.url)

    def client(self, name: Optional[str] = None) -> "Client":
        """A Client of the shop (see ``shop``). It does not wait between repetitions."""
        from ..client import Client
        client = Client(self.shop(name), sleep=lambda seconds: None)
        self._clients.append(client)
        return client

    def change(self, name: Optional[str] = None, **settings: Any) -> None:
        """Change a test merchant as in Alipay's console, say ``balance="0.00"``: see ``emulator.merchants.SETTINGS``.
        """
        self.emulator.settings(name or self._merchant, **settings)

    # --- the buyer ------------------------------------------------------------------------------------------------

    def place(self, out_trade_no: str, *, merchant: Optional[str] = None, service: str = "create_forex_trade",
              **params: Any) -> Dict[str, Any]:
        """An order, without a URL of the shop: for tests that begin later. See ``Emulator.place``."""
        return self.emulator.place(out_trade_no, merchant=merchant or self._merchant, service=service, **params)

    def visit(self, url: str, body: bytes = b"") -> Dict[str, Any]:
        """The buyer's browser goes to the shop's payment URL: the placed order. ``url``: of whatever gateway.
        Raises ``emulator.Refused`` with the gateway's code, and why."""
        return self.emulator.visit(url, body)

    def log_in(self, out_trade_no: str, *, buyer: Optional[str] = None,
               partner: Optional[str] = None) -> Dict[str, Any]:
        """The buyer logs in at the cashier; from now on a query knows the trade. Raises Refused."""
        return self.emulator.log_in(out_trade_no, partner=partner, buyer=buyer)

    def pay(self, out_trade_no: str, *, buyer: Optional[str] = None, lose: bool = False,
            partner: Optional[str] = None) -> Dict[str, Any]:
        """The buyer pays; the notification is due (or lost), and sent by ``deliver()``. Raises Refused."""
        return self.emulator.pay(out_trade_no, partner=partner, buyer=buyer, lose=lose)

    def pay_in_app(self, order_string: str, buyer: Optional[str] = None) -> str:
        """The app hands over the shop's order string and the buyer pays: the SDK's result text."""
        return self.emulator.pay_in_app(order_string, buyer)

    def return_url(self, out_trade_no: str, *, partner: Optional[str] = None) -> Optional[str]:
        """Where the buyer's browser is sent back to, signed; None when the order names no ``return_url``."""
        return self.emulator.return_url(out_trade_no, partner=partner)

    def close_trade(self, out_trade_no: str, *, partner: Optional[str] = None) -> Dict[str, Any]:
        """The unpaid trade is closed. Raises Refused."""
        return self.emulator.close_trade(out_trade_no, partner=partner)

    def refund(self, out_trade_no: str, amount: Optional[str] = None, *, out_return_no: Optional[str] = None,
               notify_url: str = "", partner: Optional[str] = None) -> Dict[str, Any]:
        """A refund from the merchant's console: all that is left, or ``amount``. Raises Refused."""
        return self.emulator.refund(out_trade_no, amount, out_return_no=out_return_no, partner=partner,
                                    notify_url=notify_url)

    # --- notifications --------------------------------------------------------------------------------------------

    def deliver_to(self, url: Optional[str] = None, *, app: "Optional[Application]" = None,
                   function: Optional[Callable[[bytes, str], Any]] = None, notify_url: Optional[str] = None) -> None:
        """Where notifications go from now on; exactly one of three.

        ``app``: a WSGI application, called in process at the path of the order's ``notify_url``. ``function``: of
        (body: bytes, content_type: str); it gives back what Alipay is answered: text or bytes, or (status, text).
        ``url``: an address for all of them. ``notify_url``: for orders that name none; for ``function`` and ``url``
        there always is one, for ``app`` such orders are not notified without it.
        """
        if sum(target is not None for target in (url, app, function)) != 1:
            raise InvalidRequest("deliver_to: give one of url=, app= and function=", parameter="target")
        if app is not None:
            send = delivery.to_app(app)
        elif function is not None:
            send = delivery.to_function(function)
        else:
            send = delivery.to_url(url or "")
        self._careful = delivery.Careful(send)
        self.emulator.notifier.sender = self._careful
        self.emulator.notifier.default_url = notify_url or url or (
            "https://shop.test/notify" if function is not None else "")

    def deliver(self) -> List[Dict[str, Any]]:
        """Send what is due, and give back the deliveries since the last call, each with ``out_trade_no``, ``event``,
        ``status``, ``text`` (the shop's answer), ``acknowledged`` and ``fault``. What the shop's application raises is
        raised here, after the rest is sent."""
        self.emulator.deliver()
        return self._delivered()

    def advance(self, seconds: float) -> List[Dict[str, Any]]:
        """Let so much time pass, with all that happens in it; otherwise as ``deliver()``."""
        self.emulator.advance(seconds)
        return self._delivered()

    def _delivered(self):
        self._wait_for_the_server()
        self._careful.raise_again()
        rows = [row for row in self.emulator.ledger.rows("deliveries") if row["id"] > self._seen]
        self._seen = max([row["id"] for row in rows], default=self._seen)
        return rows

    def _wait_for_the_server(self):
        from ..emulator.notifier import SENDING
        last = time.monotonic() + _PATIENCE
        while self._server is not None and time.monotonic() < last \
                and self.emulator.ledger.count("notifications", state=SENDING):
            time.sleep(0.005)

    def notification(self, kind: str = "paid", broken: str = "", *, merchant: Optional[str] = None,
                     input_charset: Optional[str] = "utf-8", **fields: Any) -> "SignedMessage":
        """A message as Alipay signs it, or broken in a named way; nothing is sent. See ``factory.notification``."""
        from .factory import notification
        return notification(self, kind, broken, merchant=merchant or self._merchant, input_charset=input_charset,
                            **fields)

    # --- what goes wrong, and what is known -----------------------------------------------------------------------

    def fail(self, name: str, times: int = 1, service: str = "", seconds: Optional[float] = None,
             done: bool = True) -> "Fault":
        """The next ``times`` answers (of ``service``) or notifications meet the fault ``name``: see
        ``emulator.faults``. ``done=False``: the request is lost before the gateway acts on it. Raises InvalidRequest.
        """
        return self.emulator.fail(name, times, service, seconds, done)

    @property
    def clock(self) -> "Clock":
        """``now()``, ``set(moment)``, ``move(seconds)``, ``freeze()``, ``resume(speed)``. To let things happen on the
        way, use ``advance``."""
        return self.emulator.clock

    def trade(self, out_trade_no: str, *, partner: Optional[str] = None) -> Dict[str, Any]:
        """The order as the gateway has it, with ``trade_status``. Raises InvalidRequest."""
        return self.emulator.trade(out_trade_no, partner=partner)

    def refunds(self, out_trade_no: Optional[str] = None) -> List[Dict[str, Any]]:
        """The refunds, oldest first."""
        return self.emulator.list_refunds(out_trade_no)

    def notifications(self, out_trade_no: Optional[str] = None) -> List[Dict[str, Any]]:
        """The notifications, newest first, with ``state`` and ``attempts``."""
        return self.emulator.list_notifications(out_trade_no)

    def requests(self) -> "List[LoggedRequest]":
        """What reached ``/gateway.do``, oldest first; ``outcome.params`` has the parameters, ``outcome.why`` says why
        one was refused."""
        return self.emulator.requests()

    def reset(self) -> None:
        """Forget orders, notifications, faults and requests; keep keys, clock and ``deliver_to``."""
        self.emulator.reset()
        self._careful.raised, self._seen = [], 0
