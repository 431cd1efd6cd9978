"""What happened, as numbers: plain dictionaries and lists, the same for the same seed, for ``--json`` and the report.

Sums add up: the outcomes are the orders, and the ways in which the shop learned of payments are the paid orders.
"""
from collections import Counter, OrderedDict
from decimal import Decimal
from typing import Any, Dict, List

from ..emulator.broken import WAYS
from ..times import parse_time
from .audit import Difference, of_books, price_of
from .play import Day
from .settling import settling
from .shop import ACCEPTED

#: How long from the payment until the shop knew: name → seconds at most.
AGES = (("at once", 60), ("within an hour", 3600), ("within a day", 86400), ("later", None))
OUTCOMES = ("paid", "refunded in part", "refunded in full", "closed by the buyer", "timed out", "never came")
#: Errors that are an answer's no, or no answer; every other one means that a message was not believed.
NO_ANSWERS = ("GatewayError", "OutcomeUnknown", "TransportError")
CHANNELS = ("notification", "query", "refund", "return", "app")


def numbers(day: Day, differences: List[Difference]) -> Dict[str, Any]:
    """Of a day that is over. Amounts are text, counts are numbers."""
    ledger = {row["out_trade_no"]: row for row in day.rows()}
    books = day.shop.books
    outcomes = Counter(_outcome(ledger.get(number)) for number in books)
    paid = [number for number in books if ledger.get(number, {}).get("gmt_payment")]
    refunds = day.gateway.ledger.rows("refunds")
    return {
        "orders": len(books),
        "outcomes": [{"outcome": name, "orders": outcomes[name]} for name in OUTCOMES],
        "learned": _learned(books, ledger, paid),
        "amounts": _amounts(ledger),
        "refunds": {"asked": sum(len(record.refunds) for record in books.values()),
                    "proved": sum(refund.status == "done" for record in books.values()
                                  for refund in record.refunds.values()),
                    "in_ledger": sum(row["refund_status"] == "REFUND_SUCCESS" for row in refunds)},
        "messages": [_messages(day.shop.log, channel) for channel in CHANNELS],
        "refusals": _refusals(day.shop.log),
        "faults": _notification_faults(day, books) + _played(day, "answer"),
        "attacks": _played(day, "attack"),
        "buyers_refused": day.refused_buyers,
        "for_a_person": sum(len(record.concerns) for record in books.values()),
        "fallback": settling(day, ledger),
        "services": [{"service": service, "orders": count} for service, count in sorted(
            Counter(record.service for record in books.values()).items())],
        "sign_types": [{"sign_type": name, "orders": count} for name, count in sorted(Counter(
            day.shop.accounts[record.account].sign_type for record in books.values()).items())],
        "compared": len(set(books) | set(ledger)),
        "differences": [dict(difference._asdict()) for difference in differences],
    }


def order_list(day: Day, differences: List[Difference]) -> List[Dict[str, str]]:
    """Every order, as both sides have it; for the report."""
    ledger = {row["out_trade_no"]: row for row in day.rows()}
    differing = {difference.out_trade_no for difference in differences}
    found = []
    for number, record in day.shop.books.items():
        row, ours = ledger.get(number), of_books(record)
        order = record.order
        found.append({
            "number": number, "account": record.account, "service": record.service,
            "price": "{:f} {}".format(price_of(record), "CNY" if order.rmb_fee else order.currency or "CNY"),
            "ledger": _outcome(row), "books": _word(record, ours), "refunded": "{:f}".format(ours.refunded),
            "known": record.known_by, "equal": "no" if number in differing else "yes"})
    return found


def _word(record, facts):
    if record.concerns:
        return "for a person"
    if facts.paid:
        return "paid" if not facts.refunded else \
            "refunded in full" if facts.refunded == facts.amount else "refunded in part"
    return "closed" if facts.closed else "not paid"


def _outcome(row) -> str:
    """One of OUTCOMES, by the gateway's ledger. An order that never reached it: nobody came."""
    if row is None or row["trade_status"] == "NO_TRADE":
        return "never came"
    if not row.get("gmt_payment"):
        return "timed out" if row.get("additional_trade_status") else "closed by the buyer"
    if not Decimal(row["refunded"]):
        return "paid"
    return "refunded in full" if Decimal(row["refunded"]) == Decimal(row["total_fee"]) else "refunded in part"


def _learned(books, ledger, paid):
    found: Dict[str, Counter] = OrderedDict((name, Counter()) for name, _ in AGES)
    for number in paid:
        record = books[number]
        if record.known_at is None:
            continue
        age = (record.known_at - parse_time(ledger[number]["gmt_payment"])).total_seconds()
        name = next(name for name, most in AGES if most is None or age < most)
        found[name][record.known_by] += 1
    return [{"age": name, "by_notification": count["notification"], "by_query": count["query"]}
            for name, count in found.items()]


def _amounts(ledger):
    found: Dict[str, Dict[str, Any]] = {}
    for number in sorted(ledger):
        row = ledger[number]
        if not row.get("gmt_payment"):
            continue
        one = found.setdefault(row["currency"] or "CNY", {"orders": 0, "paid": Decimal(0), "refunded": Decimal(0),
                                                          "cny": Decimal(0), "refunded_cny": Decimal(0)})
        one["orders"] += 1
        one["paid"] += Decimal(row["total_fee"])
        one["refunded"] += Decimal(row["refunded"])
        one["cny"] += Decimal(row["cny"])
        one["refunded_cny"] += Decimal(row["refunded_cny"])
    return [dict({name: value if name == "orders" else "{:f}".format(value) for name, value in one.items()},
                 currency=currency) for currency, one in sorted(found.items(), key=lambda pair: (
                     -pair[1]["cny"], pair[0]))]


def _messages(log, channel):
    mine = [verdict for verdict in log if verdict.channel == channel]
    believed = sum(verdict.verdict in ("believed", "accepted") for verdict in mine)
    repeated = sum(verdict.verdict == "nothing new" for verdict in mine)
    return {"channel": channel, "messages": len(mine), "believed": believed, "nothing_new": repeated,
            "refused": len(mine) - believed - repeated}


def _refusals(log):
    counts = Counter(verdict for verdict in log if verdict.verdict not in ACCEPTED)
    return [{"class": one.verdict, "cause": one.cause, "channel": one.channel, "count": count,
             "not_believed": one.verdict not in NO_ANSWERS}
            for one, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def _notification_faults(day, books):
    """Each fault, what the shop said to what came of it, and how it learned of the payment in the end."""
    found: Dict[str, Dict[str, Any]] = {}
    broken = Counter((played.name, played.became) for played in day.wire.played if played.what == "notification")
    for row in day.gateway.ledger.rows("notifications"):
        if not row["fault"]:
            continue
        one = found.setdefault(row["fault"], {"became": Counter(), "known": Counter(), "count": 0})
        one["count"] += 1
        if row["fault"] not in WAYS:
            one["became"].update(day.wire.said.get(row["notify_id"], ["never arrived"]))
        if row["event"] == "paid":
            one["known"][books[row["out_trade_no"]].known_by] += 1
    for (name, became), count in broken.items():
        found[name]["became"][became] += count
    return [{"message": "notification", "fault": name, "count": one["count"], "became": _sorted(one["became"]),
             "learned_by": _sorted(one["known"])} for name, one in sorted(found.items())]


def _played(day, what):
    found: Dict[str, Counter] = {}
    for played in day.wire.played:
        if played.what == what:
            found.setdefault(played.name, Counter())[played.became] += 1
    return [{"message": what, "fault": name, "count": sum(became.values()), "became": _sorted(became)}
            for name, became in sorted(found.items())]


def _sorted(counts):
    return OrderedDict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
