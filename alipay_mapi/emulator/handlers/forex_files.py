"""``forex_rate_file``, ``forex_compare_file``, ``forex_liquidation_file``: plain text, a record a line, no header.

A gateway error is XML; what is wrong with the dates is said in a sentence, as plain text. The limit of 100 rate files
a day is not kept: no page says what is answered beyond it. Source: forex_rate_file, forex_compare_file,
forex_liquidation_file; "SFTP/website files" for the settlement day.
"""
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import List, Tuple

from ... import charsets
from ...amounts import decimals_of
from ...times import GMT8, parse_time
from ..gateway import Call
from ..money import RATES, rounded
from ..refused import refuse
from ..reply import PLAIN, Reply
from ..trades import FOREX

#: Rates are published between 9 and 11 o'clock; the page's sample is of this moment.
PUBLISHED = time(10, 0, 30)
#: When the money of a day is paid out: the next day, of Friday to Sunday on Monday (the hour is ours).
SETTLED = time(15, 0, 0)
#: The service charge of a payment; ours. Refunds bear none.
CHARGE = Decimal("0.03")
#: "Over limit balance amount record"; the number is ours.
MOST_RECORDS = 20000

_DAY = re.compile("[0-9]{8}", re.ASCII)


def forex_rate_file(call: Call) -> Reply:
    """The rates of today, or of yesterday before they are published: ``date|time|currency|CNY for one unit|``."""
    call.checked()
    now = call.gateway.clock.now()
    day = now.date() if now.time() >= PUBLISHED else now.date() - timedelta(days=1)
    return _text(call, ["{}|{}|{}|{}|".format(_digits(day), PUBLISHED.strftime("%H%M%S"), currency, rate)
                        for currency, rate in sorted(RATES.items())])


def forex_compare_file(call: Call) -> Reply:
    """The payments and refunds of the days asked for."""
    return _file(call, 0, "No balance account data in the period")


def forex_liquidation_file(call: Call) -> Reply:
    """The payments and refunds that were settled on the days asked for."""
    return _file(call, 1, "No balance amount data in the period")


def _file(call, which, nothing):
    """``which`` of the two moments of a record counts: 0 when it was booked, 1 when it is settled."""
    failure = _wrong_dates(call)
    if failure:
        return _failed(failure)
    first, last = _date(call.params["start_date"]), _date(call.params["end_date"])
    call.gateway.refunds.settle()
    found = [record for record in _records(call) if first <= record[which].date() <= last]
    if not found:
        return _failed(nothing)
    if len(found) > MOST_RECORDS:
        return _failed("Over limit balance amount record")
    now = call.gateway.clock.now()
    return _text(call, [_line(record, now) for record in sorted(found, key=lambda record: record[:3])])


def _wrong_dates(call):
    for name in ("start_date", "end_date"):
        if not call.params.get(name):
            raise refuse("ILLEGAL_ARGUMENT", "is required", name)
    texts = [call.params["start_date"], call.params["end_date"]]
    if not all(_DAY.fullmatch(text) for text in texts):
        return "Date format incorrect YYYYMMDD"
    first, last = _date(texts[0]), _date(texts[1])
    if first is None or last is None:
        return "Illegal Date period!"
    if last < first:
        return "Finish date ahead of begin date"
    if last >= call.gateway.clock.now().date():
        return "Finish date not ahead of today"
    if (last - first).days > 10:
        return "Over 10 days to Date period"
    return None


def settled_at(booked: datetime) -> datetime:
    """When a payment or a refund is settled.

    >>> settled_at(datetime(2026, 11, 20, 23, 0, tzinfo=GMT8)).strftime("%A %H:%M")
    'Monday 15:00'
    """
    day = booked.date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime.combine(day, SETTLED).replace(tzinfo=GMT8)


def _records(call) -> List[Tuple]:
    """(booked, settled, id, amount, currency, P or R, charge, remarks) of this partner's cross-border business."""
    ledger, records, titles = call.gateway.ledger, [], {}
    for trade in ledger.rows("trades", partner=call.partner):
        if trade["kind"] == FOREX and trade.get("gmt_payment"):
            titles[trade["out_trade_no"]] = trade["currency"]
            amount, booked = Decimal(trade["total_fee"]), parse_time(trade["gmt_payment"])
            records.append((booked, settled_at(booked), trade["out_trade_no"], amount, trade["currency"], "P",
                            amount * CHARGE, ""))
    for refund in ledger.rows("refunds", partner=call.partner, refund_status="REFUND_SUCCESS"):
        if refund["out_trade_no"] in titles:
            booked = parse_time(refund["done_at"])
            records.append((booked, settled_at(booked), refund["out_return_no"], Decimal(refund["amount"]),
                            titles[refund["out_trade_no"]], "R", Decimal(0), refund["params"].get("reason", "")))
    return records


def _line(record, now):
    booked, settled, number, amount, currency, kind, charge, remarks = record
    places, done = decimals_of(currency), settled <= now
    return "|".join((
        number, str(rounded(amount, places)), currency, booked.strftime("%Y%m%d%H%M%S"),
        settled.strftime("%Y%m%d%H%M%S") if done else "", kind, str(rounded(charge, places)), "L" if done else "P",
        re.sub(r"[|\r\n]", " ", remarks)))


def _date(text):
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


def _digits(day: date) -> str:
    return day.strftime("%Y%m%d")


def _failed(sentence):
    return Reply(200, PLAIN, b"File download failed:" + sentence.encode("ascii"))


def _text(call, lines):
    body = "".join(line + "\n" for line in lines)
    return Reply(200, PLAIN, body.encode(charsets.reading_codec(call.charset), "replace"))
