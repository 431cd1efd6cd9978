"""An order's price as text and back, for a store's column."""
from ..errors import AlipayError, show
from ..order import Order


def to_text(order: Order) -> str:
    """``total_fee|rmb_fee|currency``, each as written or empty."""
    return "|".join("" if value is None else str(value) for value in (order.total_fee, order.rmb_fee, order.currency))


def from_text(out_trade_no: str, text: str) -> Order:
    """The inverse. Raises AlipayError for text that no order wrote."""
    parts = [part or None for part in text.split("|")]
    if len(parts) != 3:
        raise AlipayError("the stored price of an order cannot be read; was the row changed by hand?",
                          out_trade_no=show(out_trade_no))
    return Order(out_trade_no, total_fee=parts[0], rmb_fee=parts[1], currency=parts[2])
