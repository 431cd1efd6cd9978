"""The shop's HANDLER or WITHIN, and what Django is told of it: a signal once an effect is carried out and committed,
and what it raised, for the error trackers of the request in which it was called."""
import functools
import threading
from typing import Any, Callable, Optional

from ...fallback import Fallback
from ...fallback.outbox import must_have_run
from ...trade_state import REFUNDED
from .signals import after_commit, refund_settled, send, trade_settled

_RAISED = threading.local()


def handing_over(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function. The effect is its last argument."""
    @functools.wraps(function)
    def call(*args):
        try:
            must_have_run(function(*args))
        except Exception as err:
            _RAISED.error = err
            raise
        effect = args[-1]
        # A refund of the whole trade, made in Alipay's console, has no number of its own.
        signal = refund_settled if effect.kind == REFUNDED else trade_settled
        after_commit(lambda: send(signal, Fallback, shop=effect.shop, out_trade_no=effect.out_trade_no,
                                  kind=effect.kind, detail=effect.detail, effect=effect))
    return call


def take_raised() -> Optional[Exception]:
    """What the shop's function raised last in this thread, told once."""
    error = getattr(_RAISED, "error", None)
    _RAISED.error = None
    return error
