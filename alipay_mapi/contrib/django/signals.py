"""Signals: sent after the commit, to every receiver; one that raises changes nothing, and is logged.

They are for what may be missed: a log, a metric, a cache. What must happen is done by the shop's HANDLER, WITHIN or
NOTIFIED, which is called again until it returns. A notification that comes twice is told twice.

========================  ======================================================================================
signal                    arguments
========================  ======================================================================================
``notify_verified``       ``shop``, ``notification``, ``decision`` (None where the shop keeps its orders itself)
``notify_rejected``       ``shop`` ("" when there is no such merchant), ``verdict``, ``status``, ``error``; seldom
                          enough that a flood of junk does no harm
``trade_settled``         ``shop``, ``out_trade_no``, ``kind`` (``paid``, ``closed``, ``needs_a_person``),
                          ``detail``, ``effect``: the shop's function has carried it out
``refund_settled``        the same; ``kind`` is ``refunded``, ``detail`` the ``out_return_no``
``run_finished``          ``tally``: of ``manage.py alipay_mapi fallback run``
========================  ======================================================================================
"""
import logging
from typing import Any, Callable

from django.db import transaction
from django.dispatch import Signal

from ...client import place_of

LOG = logging.getLogger("alipay_mapi.contrib")

notify_verified = Signal()
notify_rejected = Signal()
trade_settled = Signal()
refund_settled = Signal()
run_finished = Signal()

_NAMES = {id(notify_verified): "notify_verified", id(notify_rejected): "notify_rejected",
          id(trade_settled): "trade_settled", id(refund_settled): "refund_settled", id(run_finished): "run_finished"}


def send(signal: Signal, sender: Any, **values: Any) -> None:
    """To every receiver. Raises nothing."""
    for receiver, said in signal.send_robust(sender=sender, **values):
        if isinstance(said, Exception):
            LOG.error("a receiver of %s, %s, raised %s at %s", _NAMES.get(id(signal), "a signal"),
                      getattr(receiver, "__qualname__", type(receiver).__name__), type(said).__name__, place_of(said))


def after_commit(tell: Callable[[], None]) -> None:
    """Now, or when the transaction is committed that is open; never when it is rolled back. Raises nothing."""
    waits = True
    try:
        transaction.on_commit(tell)
        waits = False
    except Exception as err:    # no database, or none at the moment: then there is no transaction either
        LOG.debug("no transaction to wait for: %s", type(err).__name__)
    if waits:
        tell()
