"""What happens to an order afterwards → AMS: query, refund, refund query, cancel, close.

AMS names a payment in a refund by its own ``paymentId`` alone; when the caller does not know it, an inquiry comes
first, and the refund is filled from its answer.
"""
from typing import Any, Dict

from . import order_numbers
from .result import Check, Step

_TAKE = (("paymentId", ("paymentId",)),)


def query(draft):
    """``single_trade_query`` and its in-store relatives → ``payments/inquiryPayment``."""
    draft.check_home(writes=False)
    body = _payment(draft)
    return draft.finish(lambda: [Step("payments/inquiryPayment", body)])


def refund(draft):
    """``forex_refund`` and its relatives → (``payments/inquiryPayment`` →) ``payments/refund``."""
    draft.check_home(writes=True)
    draft.split()
    context = draft.context
    named = _payment(draft)
    number = draft.need("out_return_no", "partner_refund_id", "out_request_no", to="refundRequestId")
    if len(number) > 64:
        draft.refuse("out_return_no", "longer than the 64 characters it may have there", "shorten it")
    parameter, amount, currency = _refunded(draft)
    if draft.take("product_code") is not None:
        draft.note("product_code", "has no place in a refund there")
    body: Dict[str, Any] = {"refundRequestId": number}
    body["refundAmount"] = draft.amount(parameter, amount, currency) if currency else {}
    draft.put(body, "refundReason", "reason", "refund_reason", "refund_reson", longest=256)
    draft.put(body, "refundNotifyUrl", "notify_url", longest=2048)
    if draft.take("gmt_return") is not None:
        draft.note("gmt_return", "has no place there: keep it in your own records")
    if draft.take("is_sync", "sync_flag") == "N":
        draft.note("is_sync", "the answer may be final at once there")
    if context.order_currency is not None and currency and currency != context.order_currency:
        draft.refuse("currency", "the order is priced in {}, and the refund is in {}".format(
            context.order_currency, currency), "refund in the order's currency")
    payment_id = context.payment_id or named.get("paymentId")
    if payment_id is not None and context.order_currency is not None:
        return draft.finish(lambda: [Step("payments/refund", dict(body, paymentId=payment_id))])
    inquiry = Step("payments/inquiryPayment", named, take=_TAKE, checks=(Check(
        ("paymentAmount", "currency"), (currency,), "the order is priced in another currency than the refund"),))
    return draft.finish(lambda: [inquiry, Step("payments/refund", body, needs=("paymentId",))])


def refund_query(draft):
    """``alipay.acquire.refund.query`` → ``payments/inquiryRefund``. The order's number is not needed there."""
    draft.check_home(writes=False)
    number = draft.need("out_return_no", "out_request_no", "partner_refund_id", to="refundRequestId")
    draft.take("out_trade_no", "partner_trans_id")
    draft.take("trade_no", "alipay_trans_id")
    return draft.finish(lambda: [Step("payments/inquiryRefund", {"refundRequestId": number})])


def cancel(draft):
    """``alipay.acquire.cancel`` and its older names → ``payments/cancel``."""
    draft.check_home(writes=True)
    body = _payment(draft)
    draft.note("out_trade_no", "a paid order is refunded by it until 00:15 (GMT+8) of the next day, on most methods")
    return draft.finish(lambda: [Step("payments/cancel", body)])


def close(draft):
    """``close_trade`` → ``payments/cancel``, and only while an inquiry says unpaid."""
    draft.check_home(writes=True)
    if draft.take("trade_role") == "B":
        draft.refuse("trade_role", "the buyer closes nothing there", "leave it out")
    body = _payment(draft)
    unpaid = Check(("paymentStatus",), ("PROCESSING", "PENDING"), "the payment is not waiting for the buyer")
    draft.note("out_trade_no", "a buyer who pays between the inquiry and the cancel gets the money back")
    return draft.finish(lambda: [Step("payments/inquiryPayment", dict(body), checks=(unpaid,)),
                                 Step("payments/cancel", dict(body))])


def _payment(draft):
    return order_numbers.taken(draft, "paymentId", "paymentRequestId")


def _refunded(draft):
    """(parameter, amount, currency) of a refund; an empty currency and a refusal when they cannot be told."""
    currency = draft.take("currency", "trans_currency", to="refundAmount.currency" if "return_rmb_amount" not in draft
                          else ())
    rmb = draft.take("return_rmb_amount", to=("refundAmount.value", "refundAmount.currency"))
    names = [name for name in ("return_amount", "refund_amount") if name in draft]
    amount = draft.take("return_amount", "refund_amount", to="refundAmount.value")
    if (rmb is None) == (amount is None):
        draft.refuse("return_amount", "a refund has exactly one amount", "give return_amount, or return_rmb_amount")
        return "return_amount", "", ""
    if rmb is not None:
        return "return_rmb_amount", rmb, "CNY"
    currency = currency or draft.context.order_currency
    if currency is None:
        draft.refuse("currency", "nobody knows in which currency the refund is", "give Context(order_currency=…)")
        return names[0], amount, ""
    return names[0], amount, currency
