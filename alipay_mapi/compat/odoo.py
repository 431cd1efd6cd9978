"""The helper methods of Odoo's ``payment_alipay`` (11 to 16), to be mixed into the record that holds its settings.

The module was removed from Odoo; a shop that keeps a copy of it puts :class:`AlipayHelpers` before ``models.Model`` and
takes the methods of these names out. Read from the record are its own fields: ``alipay_merchant_partner_id``,
``alipay_md5_signature_key``, ``alipay_seller_email``, and ``environment`` (11, 12) or ``state`` (13 to 16).
What differs is in ``docs/compat.md``. Odoo's own things (fees, transactions, routes) are not here.
"""
from typing import Any, Mapping, Optional

from .. import presign, signing
from ..client import Client
from ..errors import InvalidMessage, InvalidRequest, NotifyNotGenuine, show
from ..merchant import GATEWAY_MAINLAND, GATEWAY_SANDBOX, Merchant
from . import decoded
from .values import sendable
from .warned import warn

#: Odoo's own name for the transaction; neither sent nor signed.
_NOT_SENT = ("reference",)
_BUILD = "build_request(shop, service, params).form(), which signs and escapes"


class AlipayHelpers:
    """Signing and addresses. Raises ConfigurationError for settings that cannot be a merchant."""

    alipay_merchant_partner_id: Any
    alipay_md5_signature_key: Any
    alipay_seller_email: Any = None

    def _build_sign(self, val: Mapping[str, Any]) -> str:
        """The MD5 sign of the values of a form (11 to 14). Raises InvalidRequest for what cannot be signed.

        To check a notification never compare with it: use :func:`verify_notification_signature`.
        """
        return self._alipay_compute_signature(val)

    def _alipay_compute_signature(self, data: Mapping[str, Any]) -> str:
        """The same, by its name in 15 and 16."""
        # Odoo's templates write False as no text at all.
        given = {name: None if value is False else value for name, value in data.items()
                 if name not in _NOT_SENT and name not in presign.UNSIGNED}
        texts = {name: str(value) for name, value in sendable(given, "_build_sign", _BUILD).items()}
        for name, value in texts.items():
            cut = signing.find_cut(value)
            if cut:
                raise InvalidRequest("{}: holds &{}=, which a pre-sign string cannot tell from that parameter".format(
                    show(name), cut), parameter=show(name))
        shop = merchant_of(self)
        return signing.sign(shop.sign_type, shop.md5_key, presign.presign_string(texts).encode("utf-8"))

    def _get_alipay_urls(self, environment: Optional[str] = None) -> str:
        """The gateway: of ``environment`` "prod" or any other (11 to 13), or of the record's own state (14)."""
        return _gateway(self, environment)

    def alipay_get_form_action_url(self) -> str:
        """Where the form goes (11 to 14)."""
        return _gateway(self)

    def _alipay_get_api_url(self) -> str:
        """The same, by its name in 15 and 16."""
        return _gateway(self)


def merchant_of(record: Any) -> Merchant:
    """The Merchant of a record's settings. Raises ConfigurationError."""
    return Merchant(record.alipay_merchant_partner_id or "", "MD5", md5_key=record.alipay_md5_signature_key or "",
                    seller_email=getattr(record, "alipay_seller_email", None) or None, gateway=_gateway(record))


def verify_notification_signature(notification_data: Mapping[str, Any], tx_sudo: Any) -> None:
    """As the controller's ``_verify_notification_signature`` (16): return without a word, or raise InvalidMessage.

    Turn that into werkzeug's Forbidden in the controller. Works for the return as well; a return is no proof.
    """
    params = decoded.plain({name: value for name, value in notification_data.items() if name not in _NOT_SENT})
    # A cross-border return says nowhere what it is: it is what lacks a notification's name.
    problem: Optional[InvalidMessage] = decoded.problem_of(
        merchant_of(_record(tx_sudo)), params, returned=decoded.is_return(params) or "notify_id" not in params)
    if problem is not None:
        raise problem


def verify_notification_origin(notification_data: Mapping[str, Any], tx_sudo: Any, transport: Any = None) -> None:
    """As the controller's ``_verify_notification_origin`` (16): ask the gateway about the ``notify_id``.

    Raises NotifyNotGenuine when it says no, InvalidRequest for what is no notify_id, and TransportError when nobody
    answers, which is no reason to acknowledge.
    """
    client = Client(merchant_of(_record(tx_sudo)), transport)
    try:
        genuine = client.notify_verify(notification_data.get("notify_id") or "")
    finally:
        if transport is None:
            client.close()
    if not genuine:
        raise NotifyNotGenuine("the gateway does not confirm this notify_id")


def _record(tx):
    for name in ("provider_id", "acquirer_id"):
        if hasattr(tx, name):
            return getattr(tx, name)
    raise InvalidRequest("tx_sudo: a payment.transaction, with provider_id or acquirer_id", parameter="tx_sudo")


def _gateway(record, environment=None) -> str:
    if environment is None:
        environment = getattr(record, "environment", None)
        if environment is None:
            environment = "prod" if getattr(record, "state", None) == "enabled" else "test"
    if environment == "prod":
        return GATEWAY_MAINLAND
    warn("_get_alipay_urls", "test orders went to openapi.alipaydev.com, which answers no more; they go to {}".format(
        GATEWAY_SANDBOX), "gateway=GATEWAY_SANDBOX of a Merchant, or the emulator")
    return GATEWAY_SANDBOX
