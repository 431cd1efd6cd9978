"""What happened on the way to AMS, as numbers: plain dictionaries and lists, the same for the same seed."""
from collections import Counter, OrderedDict
from decimal import Decimal
from typing import Any, Dict, List

from ..audit import Difference
from .audit import Entry, Sides
from .plan import ACTS, falls_to_ams
from .play import START, Move

GATEWAYS = ("mapi", "ams")
OUTCOMES = ("paid", "refunded in part", "refunded in full", "never paid")
ACCEPTED = ("accepted", "believed", "nothing new")
_CHANNELS = {"pay": "payment", "query": "query", "send_refund": "refund", "query_refund": "query of a refund"}
#: Errors that are an answer's no, or no answer; every other one means that a message was not believed.
NO_ANSWERS = ("GatewayError", "NotDecided", "OutcomeUnknown", "TransportError")


def numbers(move: Move, found: Sides, differences: List[Difference]) -> Dict[str, Any]:
    """Of a move that is over. ``found``: of ``audit.sides``. Amounts are text, counts are numbers."""
    return {
        "orders": len(found.books), "refused": len(move.refused), "acts": _acts(move, found),
        "outcomes": [dict({"outcome": name}, **{gateway: sum(
            outcome(found, number) == name for number in found.books if found.homes.get(number) == gateway)
            for gateway in GATEWAYS}) for name in OUTCOMES],
        "learned": [dict({"by": by}, **{gateway: sum(
            how == by and found.homes.get(number) == gateway for number, how in move.known.items())
            for gateway in GATEWAYS}) for by in ("notification", "query")],
        "amounts": _amounts(found),
        "refunds": [_refunds(move, found, gateway) for gateway in GATEWAYS],
        "messages": _messages(move), "refusals": _refusals(move),
        "faults": [{"gateway": gateway, "message": message, "fault": fault, "count": count}
                   for (gateway, message, fault), count in sorted(_faults(move).items())],
        "attacks": _attacks(move),
        "strays": [{"out_trade_no": number, "home": found.homes.get(number, ""), "told": any(
            "says" in why for why in found.books[number].persons)} for number in move.strays],
        "shadow": _shadow(move),
        "kills": [{"kill": one["kill"], "while": one["order"] or "nothing", "at": clock(one["at"]),
                   "out_trade_no": one.get("out_trade_no", ""),
                   "home": found.homes.get(one.get("out_trade_no", ""), "")}
                  for one in move.killer.done],
        "not_killed": [kill.name for kill in move.killer.waiting], "starts": move.shop.starts,
        "effects": _effects(move, found), "fallback": {"runs": move.runs, "asked": move.asked},
        "no_page": dict(sorted(move.no_page.items())), "buyers_refused": move.buyers_refused,
        "compared": len(set(found.books) | set(found.homes)),
        "differences": [dict(difference._asdict()) for difference in differences],
    }


def order_list(move: Move, found: Sides, differences: List[Difference]) -> List[Dict[str, str]]:
    """Every order, as both sides have it; for the report."""
    differing = {difference.out_trade_no for difference in differences}
    acts, rows = {plan.number: plan.act for plan in move.plans}, []
    for number, booked in found.books.items():
        facts = booked.facts
        rows.append({
            "number": number, "act": ACTS[acts[number]].name, "home": found.homes.get(number, ""),
            "price": "{:f} {}".format(booked.price, facts.currency), "ledger": outcome(found, number),
            "books": "paid" if facts.paid else "closed" if facts.closed else "open", "refunded": "{:f}".format(
                facts.refunded), "known": move.known.get(number, ""), "equal": "no" if number in differing else "yes"})
    return rows


def outcome(found: Sides, number: str) -> str:
    """One of OUTCOMES, by the ledger of the gateway that the order lives on."""
    entry = found.ledgers[found.homes.get(number, "mapi")].get(number)
    if entry is None or not entry.facts.paid:
        return "never paid"
    if not entry.facts.refunded:
        return "paid"
    return "refunded in full" if entry.facts.refunded == entry.facts.amount else "refunded in part"


def clock(elapsed: float) -> str:
    """Seconds after the beginning as day and time.

    >>> clock(30 * 3600)
    'day 2, 14:00'
    """
    minutes = START.hour * 60 + int(elapsed) // 60
    return "day {}, {:02d}:{:02d}".format(1 + minutes // 1440, minutes % 1440 // 60, minutes % 60)


def _acts(move, found):
    """``exactly``: of MAPI's orders those that fell to AMS, which cannot make them exactly."""
    rows = []
    for at, act in enumerate(ACTS):
        mine = [plan for plan in move.plans if plan.act == at]
        homes = Counter(found.homes.get(plan.number, "") for plan in mine)
        rows.append({"act": act.name, "share": act.share, "orders": len(mine), "mapi": homes["mapi"],
                     "ams": homes["ams"], "refused": sum(plan.number in move.refused for plan in mine),
                     "exactly": sum(plan.split and found.homes.get(plan.number) == "mapi"
                                    and falls_to_ams(plan.number, act.share) for plan in mine)})
    return rows


def _amounts(found):
    sums: Dict[tuple, Dict[str, Any]] = OrderedDict()
    for number in sorted(found.books):
        entry: Any = found.ledgers[found.homes.get(number, "mapi")].get(number)
        if isinstance(entry, Entry) and entry.facts.paid:
            one = sums.setdefault((entry.facts.currency, found.homes[number]), {
                "orders": 0, "paid": Decimal(0), "refunded": Decimal(0)})
            one["orders"] += 1
            one["paid"] += entry.facts.amount
            one["refunded"] += entry.facts.refunded
    return [{"currency": currency, "gateway": gateway, "orders": one["orders"], "paid": "{:f}".format(one["paid"]),
             "refunded": "{:f}".format(one["refunded"])} for (currency, gateway), one in sorted(sums.items())]


def _refunds(move, found, gateway):
    """``later_act``: asked for in another act than the order was made in, so with another share."""
    acts = {plan.number: plan.act for plan in move.plans}
    mine = {number: done for number, (order, _, done) in found.asked.items() if found.homes.get(order) == gateway}
    return {"gateway": gateway, "asked": len(mine), "done": sum(mine.values()),
            "in_ledger": sum(len(entry.refunds) for entry in found.ledgers[gateway].values()),
            "later_act": sum(move.refund_acts.get(number, 0) > acts[found.asked[number][0]] for number in mine)}


def _messages(move):
    found: Dict[tuple, Counter] = OrderedDict()
    for (gateway, channel, verdict), count in sorted(_all(move).items(), reverse=True):
        word = "nothing_new" if verdict == "nothing new" else "believed" if verdict in ACCEPTED else "refused"
        found.setdefault((gateway, channel), Counter())[word] += count
    return [{"gateway": gateway, "channel": channel, "messages": sum(count.values()), "believed": count["believed"],
             "nothing_new": count["nothing_new"], "refused": count["refused"]}
            for (gateway, channel), count in found.items()]


def _refusals(move):
    return [{"gateway": gateway, "channel": channel, "class": verdict, "count": count,
             "not_believed": verdict not in NO_ANSWERS}
            for (gateway, channel, verdict), count in sorted(_all(move).items(), key=lambda pair: (-pair[1], pair[0]))
            if verdict not in ACCEPTED]


def _all(move):
    """Notifications and returns, and the answers to what the shop asked. MAPI's payment is a URL for the buyer's
    browser, and no message."""
    found = Counter(move.verdicts)
    for (gateway, call, verdict), count in move.answers.items():
        if (gateway, call) != ("mapi", "pay"):
            found[gateway, _CHANNELS[call], verdict] += count
    return found


def _faults(move):
    found = Counter(move.wire.faults)
    for row in move.gateway.ledger.rows("notifications"):
        if row["fault"] in ("lost", "late", "twice", "out-of-order"):
            found["ams" if row.get("gateway") == "ams" else "mapi", "notification", row["fault"]] += 1
    return found


def _attacks(move):
    found: Dict[str, Counter] = {}
    for (name, became), count in sorted(move.attacked.items()):
        found.setdefault(name, Counter())[became] += count
    return [{"attack": name, "count": sum(became.values()), "became": OrderedDict(sorted(became.items()))}
            for name, became in sorted(found.items())]


def _shadow(move):
    """``by``: what differed. An order lives on one gateway, so the other has no answer to a query about it."""
    different = Counter((call, ", ".join(names)) for call, _, names, problem in move.compared if names)
    problems = Counter(call for call, _, _, problem in move.compared if problem)
    return {"compared": len(move.compared), "equal": len(move.compared) - sum(different.values()) - sum(
        problems.values()), "different": sum(different.values()), "not_comparable": sum(problems.values()),
        "by": [{"call": call, "fields": fields, "count": count} for (call, fields), count in sorted(different.items())]
        + [{"call": call, "fields": "AMS cannot make it", "count": count} for call, count in sorted(problems.items())]}


def _effects(move, found):
    return {"recorded": found.effects, "handed_over": found.handed_over, "again": found.handed_over - found.effects,
            "done_twice": sum(booked.goods > 1 for booked in found.books.values()), "left": move.left.get("effects", 0),
            "due": move.left.get("due", 0)}
