"""Signals, for who wants to know; nothing depends on them. Before Flask 2.3 they need blinker, and are silent without.

Each is sent by the app. What a receiver raises is logged, and changes nothing.
"""
import logging
from typing import Any

from flask import got_request_exception
from flask.signals import Namespace

from ...client import place_of

LOG = logging.getLogger("alipay_mapi.contrib.flask")

_signals = Namespace()
#: shop, notification, decision: a genuine notification was taken in, perhaps for the second time; its state is durable.
notify_verified = _signals.signal("alipay-mapi-notify-verified")
#: shop ("" for an unknown one), verdict, status, error (None when the shop's own code raised): one was refused. Of a
#: flood, a few.
notify_rejected = _signals.signal("alipay-mapi-notify-rejected")
#: shop, out_trade_no, kind, detail, effect: ``paid``, ``closed`` or ``needs_a_person`` was carried out by HANDLER or
#: WITHIN, and is recorded so; whoever found it out.
trade_settled = _signals.signal("alipay-mapi-trade-settled")
#: The same for ``refunded``; ``detail`` is the ``out_return_no``.
refund_settled = _signals.signal("alipay-mapi-refund-settled")
#: tally: ``flask alipay-mapi fallback run`` is over.
run_finished = _signals.signal("alipay-mapi-run-finished")


def tell(signal: Any, app: Any, **facts: Any) -> None:
    """Call every receiver."""
    if not getattr(signal, "receivers", None):      # nobody listens; or there is no blinker
        return
    for receiver in list(signal.receivers_for(app)):
        try:
            receiver(app, **facts)
        except Exception as err:    # the shop's own
            LOG.error("%s: a receiver raised %s at %s", signal.name, type(err).__name__, place_of(err))


def tell_failure(app: Any, err: BaseException) -> None:
    """The shop's own function has raised: error trackers are told as of any view, without the frames that hold the
    notification."""
    whole = err.__traceback__
    try:
        err.__traceback__ = whole.tb_next if whole is not None else None
        tell(got_request_exception, app, exception=err)
    finally:
        err.__traceback__ = whole
