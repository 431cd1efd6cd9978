"""``trade_status`` and ``refund_status``: what each value says about money.

Source: "trade_status" and notification pages. Online cross-border trades go straight to ``TRADE_FINISHED`` (paid);
mainland ones to ``TRADE_SUCCESS`` (paid, refundable) and months later to ``TRADE_FINISHED``. Both mean paid, and
the second is not a second payment. ``TRADE_CLOSED`` alone does not say whether money ever moved.
"""

WAIT_BUYER_PAY = "WAIT_BUYER_PAY"
TRADE_SUCCESS = "TRADE_SUCCESS"
TRADE_FINISHED = "TRADE_FINISHED"
TRADE_CLOSED = "TRADE_CLOSED"

#: Paid: the money is with the seller, or will be.
PAID = frozenset([TRADE_SUCCESS, TRADE_FINISHED])
#: Not paid yet; something will follow.
WAITING = frozenset([WAIT_BUYER_PAY])
#: Over: unpaid and timed out, or fully refunded.
CLOSED = frozenset([TRADE_CLOSED])
#: What this library decides by itself; the words of escrow and other products are for a person.
KNOWN = PAID | WAITING | CLOSED

REFUND_SUCCESS = "REFUND_SUCCESS"
REFUND_FAIL = "REFUND_FAIL"

#: How far along a trade is; a state never goes back to a lower rank.
RANK = {WAIT_BUYER_PAY: 1, TRADE_SUCCESS: 2, TRADE_FINISHED: 3, TRADE_CLOSED: 4}
