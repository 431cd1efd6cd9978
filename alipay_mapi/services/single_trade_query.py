"""``single_trade_query``: what became of one order. The answer is signed, and settles whether it was paid."""
from typing import Dict, Optional

from .rules import build, builder
from .table import Extra, Service

SERVICE = Service(
    name="single_trade_query", answer="xml", source="single_trade_query",
    optional=("trade_no", "out_trade_no"), at_least_one=(("trade_no", "out_trade_no"),),
)


@builder(SERVICE)
def single_trade_query(*, trade_no: Optional[str] = None, out_trade_no: Optional[str] = None,
                       extra: Extra = None) -> Dict[str, str]:
    """The params of a query: at least one of ``trade_no`` (Alipay's, faster) and ``out_trade_no`` (yours).

    If both are given both are sent, and Alipay goes by ``trade_no``. Raises :class:`InvalidRequest`.
    Source: single_trade_query.

    >>> single_trade_query(out_trade_no="A1")
    {'out_trade_no': 'A1'}
    """
    return build(SERVICE, locals())
