"""What happens on the way from MAPI to AMS: the acts, what every buyer does in them, and what goes wrong; decided by
the seed before anything happens, and dealt like cards, so that of every kind there is some.
"""
import random
from decimal import Decimal
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ...migration.router import share
from ...order import Order
from ..plan import HOUR, WAP, WEB, dealt

#: ``share``: percent of the new orders to AMS. ``weight``: of the orders. ``shadow``: is AMS asked beside MAPI?
#: ``otherwise``: where an order goes that AMS cannot make exactly.
Act = NamedTuple("Act", [("name", str), ("share", int), ("hours", int), ("weight", int), ("shadow", bool),
                         ("otherwise", Optional[str])])

ACTS = (
    Act("MAPI alone, AMS in the shadow", 0, 8, 16, True, "mapi"),
    Act("1 percent to AMS", 1, 8, 14, False, "mapi"),
    Act("25 percent", 25, 8, 16, False, "mapi"),
    Act("50 percent, and killed", 50, 8, 20, False, "mapi"),
    Act("the way back: 0 percent", 0, 6, 10, False, "mapi"),
    Act("100 percent", 100, 8, 18, False, "mapi"),
    Act("MAPI makes no new orders", 100, 4, 6, False, None),
)
ONE_PERCENT, KILLED, BACK = 1, 3, 4
_CERTAIN = (ONE_PERCENT, KILLED)

#: What the buyer does, and how often of 20. AMS's cashier closes after ten minutes, MAPI's after an hour or twelve.
STORIES = {"pays": 11, "pays after half an hour": 2, "pays hours later": 1, "closes": 2, "never comes": 1,
           "never pays": 1, "comes too late": 1, "has no money": 1}
PAYING = ("pays", "pays after half an hour", "pays hours later")
#: What becomes of a payment's notification, and how often of 30.
_NOTIFICATIONS = {"": 14, "lost": 6, "late": 2, "twice": 2, "forged": 1, "tampered": 1, "re-cut": 1, "stale-key": 1,
                  "unsigned": 1, "other-sign-type": 1}
#: Of the others (refunds, closed orders): shares.
RATES = {"lost": 0.10, "late": 0.05, "twice": 0.08, "forged": 0.05, "tampered": 0.05}
#: What is given back of a paid order, and how often of 12.
_REFUNDS = {"": 5, "a part": 2, "all": 2, "two parts": 2, "a part, asked twice": 1}
#: (service, currency, what it is priced in, is its money split?), of 16. AMS knows no split.
_KINDS = ([(WEB, "USD", "total_fee", False)] * 4 + [(WEB, "EUR", "total_fee", False)] * 3
          + [(WAP, "HKD", "total_fee", False)] * 3 + [(WAP, "JPY", "total_fee", False)] * 2
          + [(WEB, "USD", "rmb_fee", False)] * 2 + [(WEB, "USD", "total_fee", True)] * 2)
#: An attacker's posts; see ``attacks``.
ATTACKS = ("MAPI: invented payment", "AMS: invented payment", "AMS: without a signature", "AMS: replayed",
           "AMS: of another order", "AMS: of another client", "AMS: its public key as an MD5 key",
           "MAPI: genuine, as JSON", "MAPI: replayed")

TIMEOUT, LONG_TIMEOUT = "1h", "12h"
_TEAS = ("Longjing tea, 250 g", "Keemun black tea, 100 g", "茉莉龙珠", "Pu'er cake, 357 g", "祁门红茶 100 克")
_SCALE = {"USD": 1, "EUR": 1, "HKD": 8, "JPY": 150, "CNY": 7}
#: Whom a split order's money is shared with.
PARTNER = "2088000000000999"

#: One order. ``act``: number of the act it is made in. ``at``: seconds after the beginning. ``acts_after``: seconds
#: from the order to what ends the story. ``fault``: of the payment's notification. ``refund``, ``attack``: "" for none.
#: ``stray``: the till of a branch makes a payment with the same number, on the other gateway.
Plan = NamedTuple("Plan", [
    ("number", str), ("act", int), ("at", int), ("service", str), ("currency", str), ("priced", str),
    ("amount", Decimal), ("subject", str), ("split", bool), ("story", str), ("acts_after", int), ("fault", str),
    ("refund", str), ("part", Decimal), ("refund_after", int), ("attack", str), ("attack_after", int), ("stray", bool)])


def begins(act: int) -> int:
    """Seconds from the beginning to the act's; after the last one: to the end of selling."""
    return sum(one.hours for one in ACTS[:act]) * HOUR


def falls_to_ams(number: str, percent: int) -> bool:
    """By the router's share."""
    return share({"ams": float(percent)})(Order(number, total_fee="1.00", currency="USD"), "") == "ams"


def price_of(plan: Plan) -> Dict[str, str]:
    """As the shop's order has it."""
    return {plan.priced: "{:f}".format(plan.amount), "currency": plan.currency}


def split_of(plan: Plan) -> Optional[List[Mapping[str, str]]]:
    """``split_fund_info``, or None."""
    if not plan.split:
        return None
    return [{"transIn": PARTNER, "amount": "1.00", "currency": plan.currency, "desc": "commission"}]


def plans(seed: int, orders: int) -> List[Plan]:
    """One for each order, in the order in which they are made."""
    chosen = random.Random("demo-migrate:{}".format(seed))
    counts = _counts(orders)
    kinds, stories = dealt(chosen, _KINDS, orders), _dealt_by_count(chosen, STORIES, orders)
    faults, refunds = _dealt_by_count(chosen, _NOTIFICATIONS, orders), _dealt_by_count(chosen, _REFUNDS, orders)
    attacks = dealt(chosen, ATTACKS, max(9, orders // 8))
    victims = dict(zip(sorted(chosen.sample(range(orders), min(orders, len(attacks)))), attacks))
    found: List[Plan] = []
    for act in _CERTAIN:
        if counts[act]:
            kinds[sum(counts[:act]) + _certain(act, counts[act])] = _KINDS[0]
    if counts[-1] > 1:      # and one that only MAPI can make, when it makes none any more
        kinds[-1] = _KINDS[-1]
    paying, strays, at = 0, 0, 0
    for act, count in enumerate(counts):
        gap = ACTS[act].hours * HOUR // max(count, 1)
        numbers = _numbers(seed, at, act, count)
        for turn in range(count):
            pays = stories[at] in PAYING
            # Where nobody pays, a payment of that number is somebody else's.
            stray = stories[at] == "never pays" and strays < (2 if act < BACK else 4)
            strays += stray
            found.append(_plan(chosen, numbers[turn], act, begins(act) + turn * gap + chosen.randrange(1, max(gap, 2)),
                               kinds[at], stories[at], faults[paying] if pays else "",
                               refunds[paying] if pays and not kinds[at][3] else "", victims.get(at, ""), stray))
            paying += pays
            at += 1
    return found


def _counts(orders):
    """Of each act; the sum is ``orders``."""
    total, given, found = sum(act.weight for act in ACTS), 0, []
    weight = 0
    for act in ACTS:
        weight += act.weight
        upto = orders * weight // total
        found.append(upto - given)
        given = upto
    return found


def _certain(act, count):
    """Which order of the act falls to AMS for certain: of one percent of thirty there may be none, and over the last
    one before the way back the shop's process is killed."""
    return count // 2 if act == ONE_PERCENT else count - 1


def _numbers(seed, first, act, count):
    """A shop's numbers are not consecutive: where an order shall fall to AMS, its number is the next one that does."""
    found = ["M{}-{:07d}".format(seed, 1000 * (first + 1) + 7 * turn) for turn in range(count)]
    if act in _CERTAIN and count:
        found[_certain(act, count)] = next(number for number in (
            "M{}-{:07d}".format(seed, 1000000 * (4 + act) + step) for step in range(10 ** 6))
            if falls_to_ams(number, ACTS[act].share))
    return found


def _plan(chosen, number, act, at, kind, story, fault, refund, attack, stray):
    service, currency, priced, split = kind
    paid_in = "CNY" if priced == "rmb_fee" else currency
    cents = chosen.randrange(900, 20000) * _SCALE[paid_in]
    amount = Decimal(cents // 100) if paid_in == "JPY" else Decimal(cents) / 100
    part = (amount * chosen.randrange(10, 60) / 100).quantize(Decimal(1) if paid_in == "JPY" else Decimal("0.01"))
    after = {"pays": chosen.randrange(30, 480), "pays after half an hour": chosen.randrange(1800, 3000),
             "pays hours later": chosen.randrange(2 * HOUR, 10 * HOUR), "comes too late": 15 * HOUR}.get(
                 story, chosen.randrange(60, 500))
    return Plan(number, act, at, service, currency, priced, amount, chosen.choice(_TEAS), split, story, after, fault,
                refund, part, chosen.randrange(2 * HOUR, 30 * HOUR), attack, chosen.randrange(900, 10 * HOUR), stray)


def _dealt_by_count(chosen, counts: Mapping[str, int], count) -> List[Any]:
    return dealt(chosen, [name for name, times in counts.items() for _ in range(times)], count)
