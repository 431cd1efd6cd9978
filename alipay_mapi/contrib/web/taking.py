"""Where a verified notification goes: into the fallback's store, or to the shop that keeps its orders itself."""
from typing import Any, Callable, Optional

from ... import status
from ...backend import AMS, MAPI
from ...checks import find_order
from ...errors import AlipayError, ConfigurationError, NotConfirmed, OrderNotFound, StoreError, show
from ...fallback import Fallback
from ...fallback.outbox import must_have_run
from ...notification import REFUND, TRADE, Notification
from ...order import Order
from ...response import Response

#: (shop, out_trade_no) → the shop's order, None when there is none.
OrderOf = Callable[[str, str], Optional[Order]]
#: (shop, verified message); when it returns, the shop's state is durable.
Notified = Callable[[str, Any], Any]
#: Called when a message is taken in, in the transaction that stores what it says. Is it the first that says so?
Keep = Callable[[bool], Any]

#: Seconds: Alipay repeats a notification for 25 hours; what says that it is older is a replay.
_REPEATED_FOR = 2 * 86400.0


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

    def order_of(self, shop: str, out_trade_no: str) -> Optional[Order]:
        """The order that an AMS message is compared with. Raises StoreError."""
        row = self._fallback().store.get(shop, out_trade_no)
        if row is not None:
            return row.order
        return None if self._order is None else self._order(shop, out_trade_no)

    def order_of_refund(self, shop: str, out_return_no: str) -> Optional[Order]:
        """The order that a refund was asked for here, by the refund's number alone. Raises StoreError."""
        row = self._fallback().store.order_of_refund(shop, out_return_no, AMS)
        return None if row is None else row.order

    def take(self, shop: str, note: Any, keep: Keep = lambda first: None, gateway: str = MAPI) -> Any:
        """The store's Decision, once its effects are carried out. ``note``: a verified message of ``gateway``. Raises
        OrderNotFound, StoreError, EffectFailed, and what the shop's functions raise."""
        # A gateway's own message is here as it came where nobody knows of which order it speaks.
        if not isinstance(note, (Notification, Response)) or getattr(note, "kind", TRADE) not in (TRADE, REFUND):
            if self._notified is None:
                raise ConfigurationError("NOTIFIED: a notification of type {} came, and no function takes it".format(
                    note.kind))
            must_have_run(self._notified(shop, note))
            keep(False)
            return None
        number = note.get("out_trade_no", "")
        # All that waits for this order is carried out: it may be here again because the handler failed.
        decision, carried = self._stored(shop, number, note, keep, gateway)
        if carried.failed:
            raise EffectFailed("the shop's handler failed; the order's state is stored, and its effect is handed over "
                               "again by the next notification or run", out_trade_no=show(number))
        return decision

    def _stored(self, shop, number, note, keep, gateway):
        try:
            return self._taken_in(shop, note, keep, gateway)
        except OrderNotFound:
            order = self._order
            if order is None or self._is_old(note):
                raise
        self._fallback().watch(shop, find_order(note, lambda number: order(shop, number)), gateway=gateway)
        return self._taken_in(shop, note, keep, gateway)

    def _taken_in(self, shop, note, keep, gateway):
        return self._fallback().take_in(shop, note, gateway, lambda decision: keep(bool(decision.effects)))

    def _is_old(self, note):
        """Then its order may have been settled and pruned long ago, and would be settled once more."""
        moment = getattr(note, "notify_time", None)
        return moment is not None and self._fallback().store.now() - moment.timestamp() > _REPEATED_FOR

    def takes_others(self) -> bool:
        """Does anybody take what names no order?"""
        return self._notified is not None

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

    def order_of(self, shop: str, out_trade_no: str) -> Optional[Order]:
        """The order that an AMS message is compared with."""
        return self._order(shop, out_trade_no)

    def order_of_refund(self, shop: str, out_return_no: str) -> None:
        """None: the shop alone knows, and gets the message as it came."""

    def take(self, shop: str, note: Any, keep: Keep = lambda first: None, gateway: str = MAPI) -> None:
        """Raises what the shop's function raises."""
        if (isinstance(note, Notification) and note.kind == TRADE and note.get("trade_status") in status.PAID
                and not note.is_paid):
            raise NotConfirmed("paid, and the amount cannot be compared with a price in rmb_fee: ask "
                               "single_trade_query, or let the fallback's store keep such orders",
                               out_trade_no=show(note["out_trade_no"]))
        must_have_run(self._notified(shop, note))
        keep(False)

    def takes_others(self) -> bool:
        """Does anybody take what names no order?"""
        return True

    def came_back(self, shop: str, out_trade_no: str) -> None:
        """Nothing is kept here."""
