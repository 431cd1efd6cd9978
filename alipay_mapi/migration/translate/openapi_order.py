"""What happens to an order afterwards → OpenAPI: query, refund, refund query, cancel, close."""
from . import order_numbers
from .openapi_pay import yuan
from .result import Step


def query(draft):
    """→ ``alipay.trade.query``."""
    draft.check_home(writes=False)
    content = _order(draft)
    return draft.finish(lambda: [Step("alipay.trade.query", content)])


def refund(draft):
    """→ ``alipay.trade.refund``, in CNY alone."""
    draft.check_home(writes=True)
    draft.split()
    content = _order(draft)
    content["out_request_no"] = draft.need("out_return_no", "partner_refund_id", "out_request_no", to="out_request_no")
    currency, rmb = draft.take("currency", "trans_currency"), draft.take("return_rmb_amount", to="refund_amount")
    amount = draft.take("return_amount", "refund_amount", to="refund_amount")
    if (rmb is None) == (amount is None):
        draft.refuse("return_amount", "a refund has exactly one amount", "give return_amount, or return_rmb_amount")
    elif rmb is not None:
        # currency is the settlement currency then, and never CNY.
        content["refund_amount"] = yuan(draft, "return_rmb_amount", rmb)
    elif currency not in (None, "CNY"):
        draft.refuse("currency", "{} on a trade in CNY".format(currency), "give return_rmb_amount")
    else:
        content["refund_amount"] = yuan(draft, "return_amount", amount or "")
    if draft.context.order_currency not in (None, "CNY"):
        draft.refuse("currency", "the order is priced in {}, and everything there is in CNY".format(
            draft.context.order_currency), "look where the order was made")
    if draft.take("product_code") is not None:
        draft.note("product_code", "has no place in a refund there")
    draft.put(content, "refund_reason", "reason", "refund_reason", "refund_reson", longest=256)
    if draft.take("gmt_return") is not None:
        draft.note("gmt_return", "has no place there: keep it in your own records")
    if draft.take("is_sync", "sync_flag") == "N":
        draft.note("is_sync", "the answer may be final at once there")
    if draft.take("notify_url") is not None:
        draft.note("notify_url", "a refund has none of its own there: the payment's address is called")
    return draft.finish(lambda: [Step("alipay.trade.refund", content)])


def refund_query(draft):
    """→ ``alipay.trade.fastpay.refund.query``."""
    draft.check_home(writes=False)
    content = _order(draft)
    # A whole refund that was made without a number goes by the order's.
    number = draft.take("out_return_no", "out_request_no", "partner_refund_id", to="out_request_no")
    number = number or content.get("out_trade_no")
    if number is None:
        draft.refuse("out_return_no", "absent, and it is needed there", "give it")
    content["out_request_no"] = number
    return draft.finish(lambda: [Step("alipay.trade.fastpay.refund.query", content)])


def cancel(draft):
    """→ ``alipay.trade.cancel``."""
    draft.check_home(writes=True)
    content = _order(draft)
    draft.note("out_trade_no", "meant for orders at the counter whose outcome is unknown; a paid one is refunded")
    return draft.finish(lambda: [Step("alipay.trade.cancel", content)])


def close(draft):
    """→ ``alipay.trade.close``: unpaid orders only."""
    draft.check_home(writes=True)
    if draft.take("trade_role") == "B":
        draft.refuse("trade_role", "the buyer closes nothing there", "leave it out")
    content = _order(draft)
    return draft.finish(lambda: [Step("alipay.trade.close", content)])


def _order(draft):
    return order_numbers.taken(draft, "trade_no", "out_trade_no")
