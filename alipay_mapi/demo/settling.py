"""What the query fallback did in the demo, as numbers: which orders a notification settled and which it had to find,
how long they were open, and every run."""
from collections import Counter, OrderedDict
from typing import Any, Dict, List

from ..times import parse_time
from .audit import price_of
from .cron import EVERY
from .play import BAD_FROM, BAD_TO, START, Day

#: How long an order was open, from the payment URL to the day's end of its story: name → seconds at most.
OPEN_FOR = (("15 min", 900), ("1 h", 3600), ("2 h", 7200), ("6 h", 6 * 3600), ("12 h", 12 * 3600), ("longer", None))
#: Outcome as the fallback has it → for people.
ENDS = OrderedDict((("paid", "paid"), ("refunded", "paid, and given back whole"), ("closed", "closed, never paid"),
                    ("expired", "expired, nobody came"), ("needs_a_person", "given to a person"),
                    ("gave_up", "given up"), ("open", "still open")))


def settling(day: Day, ledger: Dict[str, Dict[str, Any]]) -> Dict[str, Any]:
    """Of a day that is over. ``ledger``: out_trade_no → the gateway's row."""
    books, cron = day.shop.books, day.cron
    lost = {row["out_trade_no"] for row in day.gateway.ledger.rows("notifications")
            if row["event"] == "paid" and row["fault"] == "lost"}
    found = sorted((record.known_at - parse_time(ledger[number]["gmt_payment"])).total_seconds()
                   for number, record in books.items()
                   if number in lost and record.known_at is not None and record.known_by == "query")
    effects = Counter(key.split(":")[1] for record in books.values() for key in record.booked)
    bad = [run for run in cron.runs if BAD_FROM <= run.at < BAD_TO]
    asked = [run for run in cron.runs if run.asked]
    return {
        "watched": day.status["watched"],
        "lost": len(lost),
        "found": len(found),
        "found_after": {"half_within": found[len(found) // 2] if found else 0, "longest": found[-1] if found else 0},
        "outcomes": [{"outcome": name, "orders": sum(one.values()), "by_notification": one["notification"],
                      "by_fallback": one["query"]} for name, one in _outcomes(books).items()],
        "open_for": _open_for(books),
        "for_a_person": [{"out_trade_no": number, "why": "; ".join(record.concerns),
                          "price": "{:f}".format(price_of(record)), "paid": ledger[number]["total_fee"]}
                         for number, record in books.items() if record.concerns],
        "effects": {"recorded": sum(effects.values()), "handed_over": day.shop.handed_over, "locked": cron.locked,
                    "done_twice": sum(times > 1 for record in books.values() for times in record.booked.values()),
                    "left": day.status["effects"],
                    "kinds": [{"kind": kind, "effects": count} for kind, count in sorted(effects.items())]},
        "runs": {"all": len(cron.runs), "asked": sum(run.asked for run in asked),
                 "gateway_down": sum(run.ended == "gateway down" for run in cron.runs), "every": EVERY},
        "bad_hour": {"from": _clock(BAD_FROM), "to": _clock(BAD_TO), "runs": len(bad),
                     "asked": sum(run.asked for run in bad), "settled": sum(run.settled for run in bad)},
        "killed": dict(cron.killed, at=_clock(cron.killed["at"])) if cron.killed else None,
        "sequence": [dict(run._asdict(), at=_clock(run.at), seconds=run.at) for run in asked],
        "last_errors": _last(cron.errors),
    }


def _outcomes(books):
    found: Dict[str, Counter] = OrderedDict((name, Counter()) for name in ENDS)
    for record in books.values():
        found[record.outcome][record.settled_by] += 1
    return found


def _open_for(books) -> List[Dict[str, Any]]:
    found: Dict[str, Counter] = OrderedDict((name, Counter()) for name, _ in OPEN_FOR)
    for record in books.values():
        if record.settled_at is None:
            continue
        age = (record.settled_at - record.placed_at).total_seconds()
        name = next(name for name, most in OPEN_FOR if most is None or age < most)
        found[name]["paid by " + record.settled_by if record.known_at is not None else "over"] += 1
    return [{"open": name, "paid_by_notification": count["paid by notification"],
             "paid_by_fallback": count["paid by query"], "over": count["over"]} for name, count in found.items()]


def _last(errors):
    """One of each kind, the last."""
    found = OrderedDict((error, (at, number)) for (number, error), at in errors.items())
    return [{"at": _clock(at), "out_trade_no": number, "error": error} for error, (at, number) in sorted(
        found.items(), key=lambda one: one[1], reverse=True)]


def _clock(elapsed: float) -> str:
    """Seconds after the beginning as day and time.

    >>> _clock(0), _clock(30 * 3600)
    ('day 1, 08:00', 'day 2, 14:00')
    """
    minutes = (START.hour * 60 + int(elapsed) // 60)
    return "day {}, {:02d}:{:02d}".format(1 + minutes // 1440, minutes % 1440 // 60, minutes % 60)
