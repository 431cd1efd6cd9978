"""One gateway, as one shop sees it, in the words that all gateways share; and MAPI as the first of them.

The fallback, the router and the web views know a gateway by these methods alone, so they serve every gateway unchanged:
whatever it speaks, its answers come out of here as the verified messages that ``TradeState`` takes.
"""
import html
from typing import Any, Dict, List, Mapping, Union
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from . import services
from .amounts import format_amount
from .client import Client
from .errors import ConfigurationError, InvalidRequest, show
from .keys import SecretValue
from .notification import Notification
from .order import Order
from .request import SignedRequest, build_request
from .response import Response

MAPI, AMS, OPENAPI = "mapi", "ams", "openapi"
#: Where an order may live; stored with it.
GATEWAYS = (MAPI, AMS, OPENAPI)

#: Answered with one of these, an order that has no trade (yet).
NO_TRADE = ("TRADE_NOT_EXIST", "TRADE_IS_NOT_EXIST")

#: What is compared of a payment and of a refund.
PAYMENT_CONTENT = ("out_trade_no", "subject", "total_fee", "rmb_fee", "currency", "notify_url", "return_url")
REFUND_CONTENT = ("out_return_no", "out_trade_no", "return_amount", "return_rmb_amount", "currency", "reason")

#: In a refund that is only compared, and not sent.
_SOME_DAY = "20000101000000"

#: A verified message about an order or a refund.
Fact = Union[Response, Notification]


class PaymentPage(SecretValue):
    """Where the buyer pays, as a gateway has answered it: redirect him to ``url``, or show ``form()``. ``gateway``:
    whose page it is. Whoever has the URL can open it, so it is in no repr."""

    __slots__ = ("gateway", "out_trade_no", "url")

    def __init__(self, gateway: str, out_trade_no: str, url: str):
        self.gateway, self.out_trade_no, self.url = gateway, out_trade_no, url

    def __repr__(self):
        return "<PaymentPage {} {}>".format(self.gateway, show(self.out_trade_no))

    def form(self, submit: str = "Pay with Alipay") -> str:
        """An HTML form that submits itself, as ``SignedRequest.form``. Every value is escaped."""
        parts = urlsplit(self.url)
        inputs = "".join('<input type="hidden" name="{}" value="{}">'.format(html.escape(name), html.escape(value))
                         for name, value in parse_qsl(parts.query, keep_blank_values=True))
        return ('<form id="alipaysubmit" action="{}" method="get">{}<button>{}</button></form>'
                '<script>document.getElementById("alipaysubmit").submit()</script>').format(
            html.escape(urlunsplit(parts._replace(query=""))), inputs, html.escape(submit))


class Backend:
    """The contract. ``name``: one of ``GATEWAYS``. ``account``: whom the gateway knows this shop as; queries are paced
    per account. ``spaces_refunds``: must 3 seconds lie between two refunds?

    A method raises what ``Client`` raises: GatewayError for a no, with MAPI's ``code`` for what MAPI has a word for
    (``TRADE_NOT_EXIST``: there is no such order, yet), TransportError, InvalidMessage, and OutcomeUnknown for a write.
    """

    name = ""
    account = ""
    spaces_refunds = False

    def close(self) -> None:
        """Close idle connections, if there are any."""

    def refusals(self, service: str, params: Mapping[str, str]) -> List[str]:
        """Why this payment cannot be made here, for people; [] when it can. Sends nothing."""
        raise NotImplementedError

    def payment_content(self, service: str, params: Mapping[str, str]) -> Mapping[str, str]:
        """What ``pay`` would ask for, in MAPI's names, for a comparison; sends nothing. Raises InvalidRequest."""
        raise NotImplementedError

    def pay(self, service: str, params: Mapping[str, str]) -> Union[SignedRequest, PaymentPage]:
        """Make a payment from a MAPI call that a buyer's browser opens: where he goes. The same number again is the
        same payment. Raises InvalidRequest for a service without a page, such as a barcode's."""
        raise NotImplementedError

    def query(self, order: Order) -> Fact:
        """What became of a payment; about this order, and another price is for ``TradeState`` to find."""
        raise NotImplementedError

    def send_refund(self, order: Order, out_return_no: str, amount: str, gmt_return: str, reason: str = "") -> None:
        """Ask for a refund, in the currency of the order's price. Returning means accepted, and proves nothing.
        ``gmt_return``: 14 digits, GMT+8. The same arguments again are the same refund. GatewayError says no."""
        raise NotImplementedError

    def refund_content(self, order: Order, out_return_no: str, amount: str, reason: str = "") -> Mapping[str, str]:
        """What ``send_refund`` would ask for, in MAPI's names; sends nothing. Raises InvalidRequest."""
        raise NotImplementedError

    def query_refund(self, order: Order, out_return_no: str) -> Fact:
        """What became of a refund: a message about it, or about its payment, in which ``to_buyer_fee`` tells. Raises
        GatewayError with code ``REFUND_NOT_EXIST`` where the gateway says that it never got it."""
        raise NotImplementedError


class MapiBackend(Backend):
    """MAPI by its ``Client``."""

    name = MAPI
    spaces_refunds = True

    def __init__(self, client: Client):
        self.client = client
        self.account = client.shop.partner

    def close(self) -> None:
        """Close the client's idle connections."""
        self.client.close()

    def refusals(self, service: str, params: Mapping[str, str]) -> List[str]:
        """None: whatever MAPI takes can be made here, and ``pay`` says what it does not take."""
        return []

    def payment_content(self, service: str, params: Mapping[str, str]) -> Mapping[str, str]:
        """As it stands in ``params``."""
        sent = self.pay(service, params).params
        return {name: sent[name] for name in PAYMENT_CONTENT if name in sent}

    def pay(self, service: str, params: Mapping[str, str]) -> SignedRequest:
        """Signed, and not sent: the buyer's browser takes it there."""
        check_is_page(service)
        return build_request(self.client.shop, service, params)

    def query(self, order: Order) -> Response:
        """By ``single_trade_query``: signed."""
        return self.client.single_trade_query(out_trade_no=order.out_trade_no)

    def send_refund(self, order: Order, out_return_no: str, amount: str, gmt_return: str, reason: str = "") -> None:
        """By ``forex_refund``, whose answer is unsigned."""
        self.client.forex_refund(**refund_request(order, out_return_no, amount, gmt_return, reason))

    def refund_content(self, order: Order, out_return_no: str, amount: str, reason: str = "") -> Mapping[str, str]:
        """As ``forex_refund`` is sent it."""
        sent = services.forex_refund(**refund_request(order, out_return_no, amount, _SOME_DAY, reason))
        return {name: sent[name] for name in REFUND_CONTENT if sent.get(name)}

    def query_refund(self, order: Order, out_return_no: str) -> Response:
        """By ``single_trade_query``: MAPI has no query for a single refund."""
        return self.query(order)


def check_is_page(service: str) -> None:
    """Raises InvalidRequest for a service that no buyer's browser opens."""
    row = services.lookup(services.canonical_name(service)) if isinstance(service, str) else None
    if row is None or row.answer != "page":
        raise InvalidRequest("service: {} has no page that a buyer's browser opens".format(show(str(service))),
                             parameter="service")


def refund_request(order: Order, out_return_no: str, amount: str, gmt_return: str, reason: str) -> Dict[str, Any]:
    """The arguments of ``forex_refund``; the same at every repetition."""
    name = "return_amount" if order.rmb_fee is None else "return_rmb_amount"
    return {"out_return_no": out_return_no, "out_trade_no": order.out_trade_no, "currency": order.currency,
            "gmt_return": gmt_return, "reason": reason or None, "is_sync": "Y", name: format_amount(amount, name)}


def backends_of(shop: str, given: Any) -> Mapping[str, Backend]:
    """The gateways of one shop, by name, that of new orders first. ``given``: a Client (MAPI alone), a Backend, or a
    mapping of names to either. Raises ConfigurationError."""
    if not isinstance(given, Mapping):
        given = {getattr(given, "name", MAPI) if isinstance(given, Backend) else MAPI: given}
    found = {}  # type: Dict[str, Backend]
    for name, one in given.items():
        if not isinstance(one, Backend):
            if not hasattr(one, "single_trade_query"):
                raise ConfigurationError("clients: {} is given a {}; give Client(merchant), or a mapping of gateways "
                                         "to back ends".format(show(shop), type(one).__name__))
            one = MapiBackend(one)
        if name not in GATEWAYS or one.name != name:
            raise ConfigurationError("clients: {}: {} is none of {}, or its back end is another one's".format(
                show(shop), show(name), ", ".join(GATEWAYS)))
        found[name] = one
    if not found:
        raise ConfigurationError("clients: {} has no gateway".format(show(shop)))
    return found
