"""Payments with the shop's settings: signed, watched in the caller's transaction, with the URLs of this site."""
from typing import Any, Optional

from django.urls import NoReverseMatch, reverse

from ...errors import ConfigurationError
from ...order import Order
from .process import DjangoConfigured, configured


def payment(order: Order, *, shop: Optional[str] = None, service: str = "create_forex_trade",
            timeout: Optional[str] = None, notify_url: Optional[str] = None, return_url: Optional[str] = None,
            **fields: Any) -> Any:
    """A payment of an order, a ``SignedRequest`` or (where it goes to AMS) a ``PaymentPage``: redirect the buyer to its
    ``url``, or show its form by the template tag.

    ``fields``: what the service takes beside the order's number and price, such as ``subject``. ``shop``: the
    merchant's name; default ``DEFAULT_MERCHANT``. ``timeout``: how long it can be paid, such as ``30m``. ``notify_url``
    and ``return_url``: by default the views of this app at ``SITE_URL``, with the merchant's name in them, so that they
    stay right when another merchant becomes the default. Where orders are watched, this one is watched from now on: in
    the open transaction, if there is one. Raises InvalidRequest, WatchConflict, StoreError, ConfigurationError.
    """
    made, back = configured(), None
    shop = made.default if shop is None else shop
    if return_url is None and notify_url is None:
        return_url, back = _url(made, "return", shop), made.return_to
    return made.payment(order, shop=shop, service=service, timeout=timeout, return_url=return_url, back=back,
                        notify_url=_url(made, "notify", shop) if notify_url is None else notify_url, **fields)


def app_payment(order: Order, *, shop: Optional[str] = None, timeout: Optional[str] = None,
                notify_url: Optional[str] = None, **fields: Any) -> str:
    """The same for an app: the order string of ``mobile.securitypay.pay``, which the app hands to Alipay's SDK."""
    made = configured()
    shop = made.default if shop is None else shop
    return made.app_payment(order, shop=shop, timeout=timeout,
                            notify_url=_url(made, "notify", shop) if notify_url is None else notify_url, **fields)


def _url(made: DjangoConfigured, name: str, shop: str) -> str:
    path = ""
    try:
        path = reverse("alipay_mapi:" + name, kwargs={"merchant": shop})
    except NoReverseMatch:
        pass
    if not path:
        raise ConfigurationError("{}_url: the project's URLs have no alipay_mapi:{} for this merchant; include "
                                 "\"alipay_mapi.contrib.django.urls\" in them, or give notify_url".format(name, name))
    return made.absolute(path)
