"""A shop on Flask (0.12 to 3.1): one extension with notify and return views, signals, and ``flask alipay-mapi …``.

How it is used is in ``docs/flask.md``.
"""
from .extension import AlipayMapi
from .signals import notify_rejected, notify_verified, refund_settled, run_finished, trade_settled

__all__ = ["AlipayMapi", "notify_verified", "notify_rejected", "trade_settled", "refund_settled", "run_finished"]
