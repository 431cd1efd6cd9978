"""How the store stands, and what the last run did, as text for Prometheus' node exporter (extra ``prometheus``).

A cron job has no port to scrape: the exporter's textfile collector reads a file from its folder instead.
"""
from typing import Optional

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from ..trade_state import CLOSED, NEEDS_A_PERSON, PAID, REFUNDED
from . import refunding
from .deciding import EXPIRED, GAVE_UP, OPEN
from .runner import Tally
from .standing import Standing

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


def text_of(found: Standing, tally: Optional[Tally] = None) -> bytes:
    """The file's content. ``tally``: of the run that has just ended, if there was one."""
    registry = CollectorRegistry()

    def gauge(name, about, value):
        Gauge("alipay_mapi_fallback_" + name, about, registry=registry).set(value)

    def gauges(name, about, label, values):
        made = Gauge("alipay_mapi_fallback_" + name, about, [label], registry=registry)
        for value, count in values:
            made.labels(**{label: value}).set(count)

    outcomes = found.counts["outcomes"]
    gauges("orders", "Watched orders, by outcome.", "outcome", [
        (name, outcomes.get(name, 0)) for name in _OUTCOMES + tuple(sorted(set(outcomes) - set(_OUTCOMES)))])
    for name, about, key in _STORE:
        gauge(name, about, found.counts[key])
    gauge("needs_a_person", "Orders that a person must look at, whatever their outcome.", found.for_a_person)
    statuses = refunding.OPEN + (refunding.DONE, refunding.REFUSED, refunding.GAVE_UP)
    gauges("refunds", "Refunds that were asked for, by status.", "status", [
        (name, found.refund_counts.get(name, 0)) for name in statuses])
    if tally is not None:
        gauge("last_run_timestamp_seconds", "When the last run ended, by the store's clock.", found.at)
        for name, about, key in _RUN:
            gauge(name, about, getattr(tally, key))
        gauge("last_run_gateway_down", "1 when the last run ended because the gateway could not be reached.",
              int(tally.ended == "gateway down"))
        gauges("last_run_errors", "Questions without a usable answer in the last run.", "error",
               sorted(tally.errors.items()))
    return generate_latest(registry)
