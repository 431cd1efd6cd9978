"""Where a verified notification goes: into the fallback's store, or to the shop that keeps its orders itself."""
from typing import Any, Callable, Optional

from ...checks import find_order
from ...errors import AlipayError, ConfigurationError, OrderNotFound, StoreError, show
from ...fallback import Fallback
from ...notification import REFUND, TRADE, Notification
from ...order import Order

#: (shop, out_trade_no) → the shop's order, None when there is none.
OrderOf = Callable[[str, str], Optional[Order]]
#: (shop, verified notification); when it returns, the shop's state is durable.
Notified = Callable[[str, Notification], Any]


class EffectFailed(AlipayError):
    """The state is stored, and what follows from it was not carried out yet."""


class IntoStore:
    """``fallback``: where orders are watched. ``order``: for an order that is not watched yet (made before this library
    was there). ``notified``: for what is not about one order: batches, and types that are not known here."""

    def __init__(self, fallback: Callable[[], Fallback], order: Optional[OrderOf] = None,
                 notified: Optional[Notified] = None):
        self._fallback, self._order, self._notified = fallback, order, notified

    def order_source(self, shop: str) -> None:
        """None: the store compares order and amount itself, with what was watched."""

    def expects(self, shop: str, out_trade_no: str) -> None:
        """Raises OrderNotFound for an order that is neither watched nor known to the shop: before the gateway is asked
        about a message that any merchant could have had signed."""
        if self._fallback().store.get(shop, out_trade_no) is None:
            if self._order is None or self._order(shop, out_trade_no) is None:
                raise OrderNotFound("no such order is watched here (yet)", out_trade_no=show(out_trade_no))

    def take(self, shop: str, note: Notification) -> Any:
        """The store's Decision, once its effects are carried out. Raises OrderNotFound, StoreError, EffectFailed, and
        what the shop's functions raise."""
        if note.kind not in (TRADE, REFUND):
            if self._notified is None:
                raise ConfigurationError("NOTIFIED: a notification of type {} came, and no function takes it".format(
                    note.kind))
            self._notified(shop, note)
            return None
        number = note.get("out_trade_no", "")
        decision = self._stored(shop, number, note)
        # All that waits for this order, not only what is new: it may be here again because the handler failed.
        if self._fallback().carry_out(only=(shop, number)).failed:
            raise EffectFailed("the shop's handler failed; the order's state is stored, and its effect is handed over "
                               "again by the next notification or run", out_trade_no=show(number))
        return decision

    def _stored(self, shop, number, note):
        try:
            return self._fallback().notified(shop, note, carry_out=False)
        except OrderNotFound:
            order = self._order
            if order is None:
                raise
        self._fallback().watch(shop, find_order(note, lambda number: order(shop, number)))
        return self._fallback().notified(shop, note, carry_out=False)

    def came_back(self, shop: str, out_trade_no: str) -> None:
        """The buyer is back, and waits: ask soon. What fails is left to cron."""
        try:
            self._fallback().ask_soon(shop, out_trade_no)
        except (OrderNotFound, StoreError):
            pass


class IntoShop:
    """A shop with its own order table. ``order``: what amounts are compared with. ``notified``: books it; it is called
    at every delivery, so it must be one transaction that does nothing the second time."""

    def __init__(self, order: OrderOf, notified: Notified):
        self._order, self._notified = order, notified

    def order_source(self, shop: str) -> Callable[[str], Optional[Order]]:
        return lambda number: self._order(shop, number)

    def expects(self, shop: str, out_trade_no: str) -> None:
        """Nothing: ``order_source`` says it."""

    def take(self, shop: str, note: Notification) -> None:
        """Raises what the shop's function raises."""
        self._notified(shop, note)

    def came_back(self, shop: str, out_trade_no: str) -> None:
        """Nothing is kept here."""
