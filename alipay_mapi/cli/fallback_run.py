"""``fallback run``: one run, built for cron. It ends by itself; SIGTERM and SIGINT end it after the order in hand."""
import signal
import sys
import threading
import warnings
import _thread
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional, Tuple

from ..errors import AlipayError, TransportError, show
from ..fallback import Fallback, Tally
from ..fallback.runner import DEADLINE, GATEWAY_DOWN, LIMIT
from ..fallback.standing import several, standing
from . import exits, fallback_handler, fallback_report, fallback_shops
from .fallback_settings import Told, rate, seconds, whole
from .fallback_seen import Seen, listed
from .output import Output

_MOST = 10 ** 9
#: So many findings are told one by one.
_LISTED = 20
_ENDS = {LIMIT: "the limit is reached", DEADLINE: "the time is over"}


def run_run(args: Any, out: Output) -> int:
    if args.quiet:
        warnings.simplefilter("ignore")     # of a weak key, every minute
    told = Told(args)
    clients = fallback_shops.clients(args, told)
    handler, within = fallback_handler.carrying_out(told)
    limit: Optional[int] = told.get("limit", whole(1, _MOST), None)
    deadline: Optional[float] = told.get("deadline", seconds, None)
    workers, per_second = told.get("workers", whole(1, 256), 16), told.get("per_second", rate, 20.0)
    schedule = told.schedule
    try:
        with told.store() as store:
            fallback = Fallback(store, clients, handler, within=within, schedule=schedule, per_second=per_second)
            out.data(store=told.name, shops=sorted(clients), dry_run=args.dry_run)
            if args.dry_run:
                return _dry(fallback, limit or 50, out)
            with Seen(store, limit, out) as seen, _stopped() as (stop, signals):
                tally = fallback.run(limit=limit, deadline=deadline, workers=workers, stop=stop, progress=seen)
            if told.host is not None and told.host.finished is not None:
                told.host.finished(tally)
            if args.prometheus is not None:
                fallback_report.prometheus(args.prometheus, standing(store), tally)
            handled = handler is not None or within is not None
            return _conclude(args, store, list(clients), handled, tally, seen, signals, out)
    finally:
        for gateways in clients.values():
            for gateway in gateways.values():
                gateway.close()


@contextmanager
def _stopped() -> Iterator[Tuple[threading.Event, List[int]]]:
    """(what ends the run, the signals that came)."""
    stop = threading.Event()
    signals: List[int] = []
    before: List[Any] = []

    def on_signal(number, _):
        signals.append(number)
        # Not here: the thread that was interrupted may hold the event's lock.
        _thread.start_new_thread(stop.set, ())

    if threading.current_thread() is threading.main_thread():
        before = [(number, signal.signal(number, on_signal)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield stop, signals
    finally:
        for number, handler in before:
            signal.signal(number, handler)


# --- when it is over --------------------------------------------------------------------------------------------------

def _conclude(args, store, shops, handled, tally: Tally, seen, signals, out) -> int:
    waiting, due = store.counts()["effects"], bool(store.due(1, shops))
    alone = due or fallback_shops.named(args)
    strangers = [] if alone else sorted({row.shop for row in store.due(_LISTED)} - set(shops))
    out.data(ended=tally.ended, seconds=round(tally.seconds, 1), asked=tally.asked, outcomes=tally.outcomes,
             errors=seen.errors, effects=tally.effects, failed_effects=tally.failed_effects, waiting_effects=waiting,
             more_due=due, unknown_shops=strangers, needs_a_person=seen.persons, unsettled=seen.unsettled)
    if not out.as_json:
        _tell(seen, strangers, out)
        line = _line(tally, seen, signals, due, waiting, handled)
        if not args.quiet or tally.asked or tally.effects or waiting or signals or tally.ended == GATEWAY_DOWN:
            out.talk(line)
        if sys.stdout.isatty():
            out.table(("outcome", "orders"), sorted(tally.outcomes.items()), "   ")
    _judge(tally.asked, sum(tally.errors.values()) - seen.denied, seen, tally.ended == GATEWAY_DOWN)
    if signal.SIGINT in signals:
        return exits.INTERRUPTED
    return exits.WORK_REMAINS if due or waiting or strangers else exits.DONE


def _judge(asked, unanswered, seen, down=False) -> None:
    """Raises what the run ends with when the shop's own configuration, or the gateway, let no question be answered."""
    told = "{} of {} had no usable answer; those orders are asked about again".format(
        unanswered, several(asked, "question"))
    if seen.wrong is not None:
        cls, problem = seen.wrong
        raise cls("{}; {}".format(problem, told))
    if down or asked and unanswered >= asked:
        raise TransportError("the gateway: {}. The last one: {}".format(told, seen.last_error or "no connection"))


def _tell(seen, strangers, out):
    for word, rows, name in (("needs a person", seen.persons, "detail"), ("not settled", seen.unsettled, "error")):
        for row in rows[:_LISTED]:
            out.talk("{}: order {} of {}: {}".format(word, show(row["out_trade_no"]), row["shop"], row[name]))
        if len(rows) > _LISTED:
            out.talk("{}: {} more; --json lists all".format(word, len(rows) - _LISTED))
    for shop in strangers:
        out.talk("warning: orders of the shop {} are due, and the ini file has no such section; nobody asks about "
                 "them".format(show(shop)))


def _line(tally, seen, signals, due, waiting, handled) -> str:
    parts = ["asked {}{}".format(tally.asked, " ({})".format(listed(tally.outcomes)) if tally.outcomes else "")]
    if seen.errors:
        parts.append("no usable answer: {} (the last: {})".format(listed(seen.errors), seen.last_error))
    parts.append("{} carried out".format(several(tally.effects, "effect")))
    if tally.failed_effects:
        parts.append("{} failed, to be tried again".format(several(tally.failed_effects, "effect")))
    if waiting and not handled:
        parts.append("{} waiting for --handler or --exec".format(several(waiting, "effect")))
    elif waiting > tally.failed_effects:
        parts.append("{} waiting".format(several(waiting - tally.failed_effects, "effect")))
    if signals:
        parts.append("stopped by {}, what was not asked about is released".format(
            "SIGINT" if signal.SIGINT in signals else "SIGTERM"))
    elif due and tally.ended in _ENDS:
        parts.append(_ENDS[tally.ended])
    parts.append("more is due" if due else "nothing else is due")
    return "{}; {:.1f} s".format("; ".join(parts), tally.seconds)


# --- a dry run --------------------------------------------------------------------------------------------------------

def _dry(fallback, limit, out) -> int:
    rows, found, seen = [], [], Seen(None, None, out)
    for row, decision in fallback.dry_run(limit):
        seen(row, decision)
        failed = isinstance(decision, AlipayError)
        error = "{}: {}".format(type(decision).__name__, decision) if failed else decision.error
        outcome = "" if failed else decision.outcome
        effects = [] if failed else [effect.kind for effect in decision.effects]
        rows.append((row.shop, row.out_trade_no, row.outcome, outcome, ", ".join(effects), error))
        found.append({"shop": row.shop, "out_trade_no": row.out_trade_no, "outcome": row.outcome, "would_be": outcome,
                      "effects": effects, "error": error})
    out.data(would=found)
    out.table(("shop", "order", "is", "would be", "effects", "error"), rows)
    if not out.as_json:
        out.talk("asked {}; this was a dry run: nothing is written, no refund is sent, no effect carried out".format(
            len(rows)))
    _judge(len(rows), sum(seen.errors.values()), seen)
    return exits.DONE
