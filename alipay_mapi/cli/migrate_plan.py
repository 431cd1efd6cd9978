"""``migrate plan``: which orders of the store MAPI alone can still settle or refund, and when it can be switched off.

Reads the store; no gateway is asked, and nothing is changed.
"""
from datetime import datetime
from decimal import Decimal
from typing import Any, Iterator, List

from ..amounts import parse_amount
from ..errors import AlipayError
from ..fallback import refunding
from ..fallback.deciding import EXPIRED, GAVE_UP
from ..fallback.deciding import OPEN as ROW_OPEN
from ..fallback.rows import Row
from ..fallback.schedule import Schedule
from ..fallback.standing import needs_a_person, several
from ..migration import plan
from ..times import GMT8, format_time
from ..trade_state import NEEDS_A_PERSON, PAID
from . import exits
from .fallback_settings import Told, seconds
from .output import Output

_PAGE = 1000
_NAMES = {plan.MAPI: "MAPI", "ams": "AMS", "openapi": "OpenAPI"}


def run(args: Any, out: Output) -> int:
    told = Told(args)
    window = plan.REFUND_WINDOW if args.refund_window is None else seconds(args.refund_window, "--refund-window")
    schedule = told.schedule
    listed: List[plan.Needed] = []
    with told.store() as store:
        now = store.now()
        found = plan.Plan(now, window, args.by == "day")
        for page in _pages(store):
            needed = found.take_all(known(row, schedule, now) for row in page)
            if args.list:
                listed += needed
    _as_data(told, found, listed if args.list else None, out)
    if not out.as_json:
        _show(told, found, listed, out)
    return exits.DONE


def _pages(store) -> Iterator[List[Row]]:
    last = 0
    while True:
        page = store.rows(last, _PAGE)
        yield page
        if len(page) < _PAGE:
            return
        last = page[-1].id


def known(row: Row, schedule: Schedule, now: float) -> plan.Known:
    """A row of the store as the plan wants it. An order counts as paid as late as it can have been: at its last late
    question, or now."""
    settled_by = row.deadline + schedule.margin
    while True:
        moment = schedule.late(row.key, settled_by, row.deadline)
        if moment is None:
            break
        settled_by = moment
    why = needs_a_person(row)
    if row.outcome == ROW_OPEN or row.outcome == EXPIRED and row.due_at is not None:
        state = plan.OPEN
    elif row.outcome == PAID:
        state = plan.PAID
    else:
        state = plan.UNDECIDED if row.outcome in (NEEDS_A_PERSON, GAVE_UP) else plan.OVER
    under_way = 0
    try:
        refunds = refunding.from_text(row.refunds)
        under_way = sum(one.status in refunding.OPEN for one in refunds)
        if state == plan.PAID and not under_way and _all_given_back(row, refunds):
            state = plan.OVER
    except AlipayError:
        pass        # needs_a_person has told it
    paid_by = settled_by if state == plan.OPEN else min(settled_by, now)
    return plan.Known(row.shop, row.gateway, row.out_trade_no, state, settled_by, paid_by, under_way, why)


def _all_given_back(row, refunds):
    done = sum((parse_amount(one.amount) for one in refunds if one.status == refunding.DONE), Decimal(0))
    order = row.order
    return bool(done) and done >= (order.total_fee if order.rmb_fee is None else order.rmb_fee)


# --- what is printed --------------------------------------------------------------------------------------------------

def _as_data(told, found, listed, out):
    out.data(store=told.name, at=_time(found.now), refund_window=found.refund_window,
             counts=[dict({"shop": shop, "gateway": gateway}, **_with_times(count))
                     for (shop, gateway), count in sorted(found.counts.items())],
             ends=[{"when": when, "open": opened, "refundable": refundable}
                   for when, (opened, refundable) in sorted(found.ends.items())],
             settled=_time(found.settled), switch_off=_time(found.switch_off), persons=found.persons,
             refunds_under_way=found.refunds)
    if listed is not None:
        out.data(orders=[_with_times(one) for one in listed])


def _with_times(values):
    return {name: _time(value) if name.endswith("_until") else value for name, value in values._asdict().items()}


def _show(told, found, listed, out):
    out.facts((("store", told.name), ("at", _time(found.now) + " (GMT+8)"),
               ("refund window", "{:g} days after the payment".format(round(found.refund_window / plan.DAY, 1)))))
    if found.counts:
        out.line()
        out.table(("shop", "on", "open", "until", "refundable", "until", "over"), [
            (shop, _NAMES.get(gateway, gateway), count.open, _date(count.settle_until), count.refundable,
             _date(count.refund_until), count.over)
            for (shop, gateway), count in sorted(found.counts.items())])
    if found.ends:
        out.line()
        out.heading("what MAPI alone can do ends")
        out.table(("when", "open orders", "refund windows"),
                  [(when, opened, refundable) for when, (opened, refundable) in sorted(found.ends.items())], "   ")
    if listed:
        out.line()
        out.heading("orders that need MAPI")
        out.table(("shop", "order", "settle by", "refund by", "now"), [
            (one.shop, one.out_trade_no, _date(one.settle_until), _date(one.refund_until), _now(one))
            for one in listed], "   ")
    out.line()
    _conclusion(found, out)


def _now(needed):
    under_way = [several(needed.refunds, "refund") + " under way"] if needed.refunds else []
    return "; ".join(under_way + [needed.why] * bool(needed.why))


def _conclusion(found, out):
    if found.settled is not None:
        out.note("settled", "the last open order of MAPI is settled by {}, if no new one is made there".format(
            _date(found.settled)))
    if found.persons:
        out.bad("first", "{} of MAPI must be looked at by a person: see alipay-mapi fallback status".format(
            several(found.persons, "order")))
    if found.refunds:
        out.bad("first", "{} on MAPI must end".format(several(found.refunds, "refund")))
    if found.switch_off is not None:
        out.note("switch off", "MAPI after {}: until then it alone can settle or refund what was made there".format(
            _date(found.switch_off)))
    elif not found.persons and not found.refunds:
        out.good("switch off", "MAPI now, if no new order is made there: nothing in this store needs it")


def _time(moment):
    return None if moment is None else format_time(datetime.fromtimestamp(moment, GMT8))


def _date(moment):
    return "" if moment is None else str(_time(moment))[:10]
