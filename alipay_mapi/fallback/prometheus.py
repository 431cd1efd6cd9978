"""How the store stands, and what the last run did, as a text file for Prometheus' node exporter (extra ``prometheus``).

A cron job has no port to scrape: the exporter's textfile collector reads this file from its folder instead. It is
written beside itself and moved into place, so that no half of it is ever read.
"""
from typing import Any, Dict, Optional

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from ..trade_state import CLOSED, NEEDS_A_PERSON, PAID, REFUNDED
from .deciding import EXPIRED, GAVE_UP, OPEN
from .runner import Tally

_OUTCOMES = (OPEN, PAID, CLOSED, REFUNDED, EXPIRED, NEEDS_A_PERSON, GAVE_UP)
_STORE = (("orders_due", "Orders that are due now.", "due"),
          ("oldest_due_seconds", "By how long the oldest due order is late.", "oldest_due"),
          ("orders_leased", "Orders that a worker asks about now.", "leased"),
          ("effects_pending", "Effects that the shop's handler has not carried out yet.", "effects"),
          ("oldest_effect_seconds", "Since when the oldest of them waits.", "oldest_effect"),
          ("effects_failing", "Effects whose handler failed at least once.", "failures"))
_RUN = (("last_run_asked", "Orders that the last run asked about.", "asked"),
        ("last_run_effects", "Effects that the last run carried out.", "effects"),
        ("last_run_failed_effects", "Effects whose handler failed in the last run.", "failed_effects"),
        ("last_run_seconds", "How long the last run took.", "seconds"))


def write(path: str, counts: Dict[str, Any], at: float, tally: Optional[Tally] = None) -> None:
    """Write the file. ``counts``: of ``Store.counts``; ``at``: the store's clock; ``tally``: of the run that has just
    ended, if there was one. Raises OSError."""
    registry = CollectorRegistry()

    def gauge(name, about, value, **labels):
        made = Gauge("alipay_mapi_fallback_" + name, about, list(labels), registry=registry)
        (made.labels(**labels) if labels else made).set(value)

    outcomes = Gauge("alipay_mapi_fallback_orders", "Watched orders, by outcome.", ["outcome"], registry=registry)
    for outcome in _OUTCOMES + tuple(sorted(set(counts["outcomes"]) - set(_OUTCOMES))):
        outcomes.labels(outcome=outcome).set(counts["outcomes"].get(outcome, 0))
    for name, about, key in _STORE:
        gauge(name, about, counts[key])
    if tally is not None:
        gauge("last_run_timestamp_seconds", "When the last run ended, by the store's clock.", at)
        for name, about, key in _RUN:
            gauge(name, about, getattr(tally, key))
        gauge("last_run_gateway_down", "1 when the last run ended because the gateway could not be reached.",
              int(tally.ended == "gateway down"))
        errors = Gauge("alipay_mapi_fallback_last_run_errors", "Questions without a usable answer in the last run.",
                       ["error"], registry=registry)
        for name, count in sorted(tally.errors.items()):
            errors.labels(error=name).set(count)
    write_to_textfile(path, registry)
