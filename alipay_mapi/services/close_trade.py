"""``close_trade``: close a mainland order that was not paid. Alipay signs nothing in the answer."""
from typing import Dict, Optional

from .rules import build, builder
from .table import Extra, Service

SERVICE = Service(
    name="close_trade", answer="xml", source="close_trade", writes=True, signed_answer=False,
    optional=("trade_no", "out_order_no", "trade_role", "ip"), at_least_one=(("trade_no", "out_order_no"),),
)


@builder(SERVICE)
def close_trade(*, trade_no: Optional[str] = None, out_order_no: Optional[str] = None,
                trade_role: Optional[str] = None, ip: Optional[str] = None, extra: Extra = None) -> Dict[str, str]:
    """The params that close an unpaid order: at least one of ``trade_no`` and ``out_order_no``.

    ``out_order_no`` is your order number; this service alone does not call it ``out_trade_no``. ``trade_role``: B
    (buyer) or S (seller). Raises :class:`InvalidRequest`. Source: close_trade.

    >>> close_trade(out_order_no="A1")
    {'out_order_no': 'A1'}
    """
    return build(SERVICE, locals())
