"""``close_trade``: close a trade that nobody has paid. The answer is never signed."""
from ..gateway import Call
from ..refused import refuse
from ..reply import Reply


def close_trade(call: Call) -> Reply:
    """A bare T. Raises Refused: TRADE_NOT_EXIST, TRADE_STATUS_NOT_AVAILD (sic). Source: close_trade."""
    params = call.checked()
    trade = call.gateway.trades.find(call.partner, params.get("out_order_no"), params.get("trade_no"))
    if trade is None:
        raise refuse("TRADE_NOT_EXIST", "no such order of this merchant", "out_order_no")
    call.gateway.trades.close(trade)
    return call.success()
