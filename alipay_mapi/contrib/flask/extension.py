"""The extension: what a shop calls. All state is in ``app.extensions["alipay_mapi"]``, see ``state``."""
from typing import Any, Optional

from ...client import Client
from ...errors import ConfigurationError
from ...fallback import Fallback
from ...order import Order
from ..web.configured import Configured
from .command import forwarding
from .form import payment_form
from .state import KEY, State, of_this_app
from .views import blueprint


class AlipayMapi:
    """``AlipayMapi(app, url_prefix="/alipay")``, or ``init_app`` later; one object may serve several apps.

    Every other method is about the current app. None is kept here.
    """

    def __init__(self, app: Any = None, url_prefix: Optional[str] = None, **options: Any):
        if app is not None:
            self.init_app(app, url_prefix, **options)

    def init_app(self, app: Any, url_prefix: Optional[str] = None, **options: Any) -> None:
        """Call it once the app's configuration is loaded. ``url_prefix``: where the notify and return views are, as
        ``ALIPAY_MAPI_URL_PREFIX``; without both there are none. ``options``: of ``app.register_blueprint``. Raises
        ConfigurationError for an ``ALIPAY_MAPI_`` name that there is not."""
        if KEY in app.extensions:
            raise ConfigurationError("init_app: this app has the extension already; call it once for each app")
        state = State(app)
        state.check()
        if url_prefix is None:
            url_prefix = state.url_prefix
        app.extensions[KEY] = state
        app.context_processor(lambda: {"alipay_payment_form": payment_form})
        app.cli.add_command(forwarding(app, state))
        if url_prefix is not None:
            app.register_blueprint(blueprint(), url_prefix=url_prefix, **options)

    def payment(self, order: Order, *, shop: Optional[str] = None, notify_url: Optional[str] = None,
                return_url: Optional[str] = None, **more: Any) -> Any:
        """A payment of an order (a ``SignedRequest``, or AMS's ``PaymentPage`` where it goes there), which is watched
        from now on: send the buyer to its ``url``, or render ``alipay_payment_form(payment)``.

        ``shop``: the merchant's name, where it is not the default one. ``notify_url``, ``return_url``: by default this
        app's views. ``more``: ``service`` (``create_forex_trade``), ``timeout`` (``"30m"``), and what the service takes
        beside the order's number and price, such as ``subject``. Raises InvalidRequest, WatchConflict, StoreError,
        ConfigurationError.
        """
        state = of_this_app()
        return state.configured().payment(order, notify_url=notify_url or state.address("notify", shop),
                                          return_url=return_url or state.address("returned", shop), shop=shop,
                                          back=None if return_url else state.return_to, **more)

    def app_payment(self, order: Order, *, shop: Optional[str] = None, notify_url: Optional[str] = None,
                    **more: Any) -> str:
        """The same for an app: the order string of ``mobile.securitypay.pay``. Raises as ``payment``."""
        state = of_this_app()
        return state.configured().app_payment(order, notify_url=notify_url or state.address("notify", shop), shop=shop,
                                              **more)

    def fallback(self) -> Fallback:
        """The query fallback over all merchants: ``watch``, ``refund``, ``run``. One for each process. Raises
        ConfigurationError, StoreError, SchemaError."""
        return of_this_app().configured().fallback()

    def client(self, name: Optional[str] = None) -> Client:
        """The gateway, as a merchant sees it; default the default one. Raises ConfigurationError and its kinds."""
        return of_this_app().configured().client(name)

    def configured(self) -> Configured:
        """Everything that was made of the configuration, for what is not here."""
        return of_this_app().configured()

    def forget(self, app: Any) -> None:
        """Close the store, and make everything anew from ``app.config`` when it is next used: for tests that change
        it."""
        app.extensions[KEY].forget()
