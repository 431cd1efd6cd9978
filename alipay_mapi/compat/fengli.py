"""The functions of fengli/alipay_python: ``from alipay_mapi.compat.fengli import *`` in place of ``alipay.alipay``.

Same names and arguments, over https and with real checks; what differs is in ``docs/compat.md``. Their settings were a
class with ``ALIPAY_…`` names in ``alipay/config.py``: :class:`settings` is that class, and :func:`configure` fills it
from a module or a Django settings object. It is state of this module, as it was of theirs.

>>> configure({"ALIPAY_PARTNER": "2088101122136241", "ALIPAY_KEY": "0123456789abcdefghij0123456789ab",
...            "ALIPAY_SELLER_EMAIL": "shop@example.com"})
>>> create_direct_pay_by_user("A1", "Tea", "Longjing, 50 g", "9.90").split("?")[0]
'https://mapi.alipay.com/gateway.do'
"""
from typing import Any, Dict, Mapping

from ..client import Client
from ..errors import ConfigurationError, GatewayError, InvalidMessage, InvalidRequest
from ..merchant import GATEWAY_MAINLAND, Merchant
from ..request import build_request
from . import decoded
from .values import sendable
from .warned import warn

__all__ = ["create_direct_pay_by_user", "create_partner_trade_by_buyer", "send_goods_confirm_by_platform",
           "notify_verify"]

_CHECK = "verify_notify(shop, request.body, …), which takes the raw bytes and compares the order and its amount"
_clients: Dict[Any, Client] = {}


class settings:
    """As in ``alipay/config.py``. Text, all of it."""

    ALIPAY_KEY = ""
    ALIPAY_INPUT_CHARSET = "utf-8"
    ALIPAY_PARTNER = ""
    ALIPAY_SELLER_EMAIL = ""
    ALIPAY_SIGN_TYPE = "MD5"
    ALIPAY_RETURN_URL = ""
    ALIPAY_NOTIFY_URL = ""
    ALIPAY_SHOW_URL = ""
    ALIPAY_TRANSPORT = "https"


_NAMES = tuple(name for name in vars(settings) if name.startswith("ALIPAY_"))


def configure(source: Any, transport: Any = None) -> None:
    """Take every ``ALIPAY_…`` name from a module, an object or a mapping; what it has not stays as it is.

    ``transport``: for tests, as of ``Client``. Raises ConfigurationError for what cannot be a merchant.
    """
    for name in _NAMES:
        if isinstance(source, Mapping):
            value = source.get(name)
        else:
            value = getattr(source, name, None)
        if value is not None:
            setattr(settings, name, value)
    _clients.clear()
    _clients[_wanted()] = Client(_merchant(), transport)


def create_direct_pay_by_user(tn: Any, subject: str, body: str, total_fee: Any) -> str:
    """The URL of a mainland web order. ``tn``: the shop's order number. Raises InvalidRequest, ConfigurationError."""
    return _url("create_direct_pay_by_user", dict(
        _addresses(), payment_type="1", out_trade_no=tn, subject=subject, body=body, total_fee=total_fee,
        paymethod="directPay"))


def create_partner_trade_by_buyer(tn: Any, subject: str, body: str, price: Any) -> str:
    """The URL of an escrow order: one piece, sent by post, without postage."""
    return _url("create_partner_trade_by_buyer", dict(
        _addresses(), payment_type="1", out_trade_no=tn, subject=subject, body=body, price=price, quantity=1,
        logistics_type="POST", logistics_fee="0.00", logistics_payment="BUYER_PAY"))


def send_goods_confirm_by_platform(tn: Any) -> str:
    """The URL that a server opens once goods are sent. ``tn``: Alipay's trade number, not the shop's."""
    return _url("send_goods_confirm_by_platform", dict(
        trade_no=tn, logistics_name="银河列车", transport_type="POST"))


def notify_verify(post: Mapping[str, Any]) -> bool:
    """Is this Alipay's, by its sign and by asking the gateway? ``post``: Django's ``request.POST`` or ``request.GET``.

    It says nothing about the order and its amount: compare them. Raises ConfigurationError, and TransportError when
    nobody answers.
    """
    client = _client()
    problem = _problem(client.shop, post)
    if problem is not None:
        if decoded.was_taken_before(client.shop, _single(post)):
            warn("notify_verify", "the sign alone was compared; this one is refused as {}".format(
                type(problem).__name__), _CHECK)
        return False
    if settings.ALIPAY_TRANSPORT != "https":
        warn("notify_verify", "with ALIPAY_TRANSPORT http anybody on the way could say true; https is asked", _CHECK)
    notify_id = _single(post).get("notify_id")
    if not notify_id:
        return False
    try:
        return client.notify_verify(notify_id)
    except (InvalidRequest, GatewayError):
        return False


def _problem(shop, post):
    try:
        return decoded.problem_of(shop, decoded.plain(post))
    except InvalidMessage as err:
        return err


def _single(post):
    try:
        return decoded.plain(post)
    except InvalidMessage:
        return {}


def _addresses():
    return {"seller_email": settings.ALIPAY_SELLER_EMAIL, "return_url": settings.ALIPAY_RETURN_URL or None,
            "notify_url": settings.ALIPAY_NOTIFY_URL or None, "show_url": settings.ALIPAY_SHOW_URL or None}


def _url(service, params):
    # Empty values were left out there as well: nothing to warn about.
    given = {name: value for name, value in params.items() if value is not None and value != ""}
    return build_request(_client().shop, service, sendable(
        given, service, "build_request(shop, {!r}, {{…}})".format(service))).url


def _wanted():
    return tuple(getattr(settings, name) for name in _NAMES)


def _client() -> Client:
    client = _clients.get(_wanted())
    if client is None:
        client = _clients[_wanted()] = Client(_merchant())
    return client


def _merchant() -> Merchant:
    if settings.ALIPAY_SIGN_TYPE != "MD5":
        raise ConfigurationError("ALIPAY_SIGN_TYPE: MD5 is all that these functions sign with (any other sent an empty "
                                 "sign, and took one for genuine); for RSA and RSA2 make a Merchant")
    return Merchant(settings.ALIPAY_PARTNER, "MD5", md5_key=settings.ALIPAY_KEY, gateway=GATEWAY_MAINLAND,
                    seller_email=settings.ALIPAY_SELLER_EMAIL or None, input_charset=settings.ALIPAY_INPUT_CHARSET)
