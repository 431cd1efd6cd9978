"""The old calls over several gateways: a payment goes where the router says, a query to the order's own gateway.

What the old caller gets keeps its shape: the address of a payment page, and XML about a trade.
"""
from typing import Any, Mapping

from ...errors import InvalidRequest, OrderNotFound, show
from ...order import Order
from .. import answers

#: Those whose price a store can keep; escrow stays on MAPI by itself.
SERVICES = ("create_forex_trade", "create_forex_trade_wap", "create_direct_pay_by_user")
_TIMEOUTS = ("timeout_rule", "it_b_pay")


def address_of(router: Any, service: str, params: Mapping[str, Any]) -> str:
    """Where the buyer pays; from now on the order's gateway is stored. Raises InvalidRequest, and as ``Router.pay``."""
    texts = {name: str(value) for name, value in params.items() if value is not None and value != ""}
    if "total_fee" not in texts and "rmb_fee" not in texts:
        raise InvalidRequest("total_fee: with a router an order has one price: give it, not price and quantity",
                             parameter="total_fee")
    order = Order(texts.get("out_trade_no", ""), total_fee=texts.get("total_fee"), rmb_fee=texts.get("rmb_fee"),
                  currency=texts.get("currency"))
    timeout = next((texts[name] for name in _TIMEOUTS if name in texts), None)
    return str(router.pay(order, service, texts, timeout).url)


def trade_of(router: Any, out_trade_no: str) -> str:
    """What became of it, in the XML of ``single_trade_query``; amounts are in the currency that ``currency`` names, or
    CNY. Raises OrderNotFound for an order that the router does not know, and as ``Router.query``."""
    order = router.order_of(out_trade_no)
    if order is None:
        raise OrderNotFound("the router does not know this order; ask the gateway that made it",
                            out_trade_no=show(out_trade_no))
    return answers.yes(router.query(order), "trade")
