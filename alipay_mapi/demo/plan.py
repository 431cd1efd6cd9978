"""What every buyer will do, and what goes wrong on the way: decided by the seed before anything happens.

Dealt like cards, not thrown like dice: of every kind there is some, even with few orders.
"""
import random
from decimal import Decimal
from typing import Any, Dict, List, NamedTuple, Sequence

WEB, WAP, DIRECT, APP = ("create_forex_trade", "create_forex_trade_wap", "create_direct_pay_by_user",
                         "mobile.securitypay.pay")

#: The shop's accounts: name → (test merchant, charset).
ACCOUNTS = {"md5": ("md5", "utf-8"), "md5-gbk": ("md5", "gbk"), "rsa": ("rsa", "utf-8"), "rsa-gbk": ("rsa", "gbk"),
            "rsa2": ("rsa2", "utf-8"), "rsa2-gbk": ("rsa2", "gbk")}

#: (account, service, currency or None for a mainland order, what it is priced in)
_KINDS = (
    ("md5", WEB, "USD", "total_fee"), ("md5", WEB, "EUR", "total_fee"), ("md5-gbk", WEB, "HKD", "total_fee"),
    ("md5", WAP, "JPY", "total_fee"), ("md5", WEB, "USD", "rmb_fee"), ("md5", DIRECT, None, "total_fee"),
    ("md5-gbk", DIRECT, None, "total_fee"),
    ("rsa", WEB, "USD", "total_fee"), ("rsa-gbk", WEB, "GBP", "total_fee"), ("rsa", WAP, "HKD", "total_fee"),
    ("rsa", WEB, "EUR", "rmb_fee"), ("rsa", APP, "USD", "total_fee"), ("rsa", APP, None, "total_fee"),
    ("rsa-gbk", DIRECT, None, "total_fee"),
    ("rsa2", WEB, "AUD", "total_fee"), ("rsa2-gbk", WEB, "USD", "total_fee"), ("rsa2", WAP, "JPY", "total_fee"),
    ("rsa2", WEB, "HKD", "rmb_fee"), ("rsa2", APP, "EUR", "total_fee"), ("rsa2-gbk", APP, None, "total_fee"),
    ("rsa2", DIRECT, None, "total_fee"),
)

_MAINLAND = [kind for kind in _KINDS if kind[1] == DIRECT]

#: What the buyer does, and how often of 26.
STORIES = {
    "pays": 14, "pays hours later": 3, "closes": 2, "never comes": 2, "never pays": 2, "comes too late": 1,
    "has no money": 1, "pays an old price": 1,
}
PAYING = ("pays", "pays hours later")
#: The shop's page still has yesterday's price, and the buyer pays it: nobody but a person can say what now.
OLD_PRICE = "pays an old price"

#: What becomes of a payment's notification, and how often of 38.
_NOTIFICATIONS = {"": 17, "lost": 8, "twice": 2, "late": 2, "out-of-order": 2, "forged": 1, "tampered": 1, "re-cut": 1,
                  "stale-key": 1, "unsigned": 1, "wrong-charset": 1, "other-sign-type": 1}
#: Of the other notifications (refunds): shares.
RATES = {"lost": 0.08, "late": 0.05, "twice": 0.08, "forged": 0.05, "tampered": 0.05}

#: What is given back of a paid order, and how often of 20.
_REFUNDS = {"": 11, "a part": 2, "all": 2, "two parts": 1, "a part, asked twice": 1, "a part, at the console": 2,
            "all, at the console": 1}

#: An attacker's posts, and how often of 11. See ``attacks``.
_ATTACKS = {"invented payment": 2, "payment without a sign": 1, "signed order posted back": 1,
            "return posted as a notification": 1, "public key as an MD5 key": 1, "parameter added": 1, "replayed": 1,
            "return for another amount": 1, "not a form": 1, "two megabytes": 1}

#: What the shop says of how long an order can be paid: to the gateway, and to its fallback.
TIMEOUT, LONG_TIMEOUT = "1h", "12h"

_TEAS = ("Longjing tea, 250 g", "Keemun black tea, 100 g", "Jasmine pearls", "龙井茶 250 克", "祁门红茶 100 克",
         "茉莉龙珠", "Pu'er cake, 357 g", "普洱茶饼 357 克")
_SCALE = {"USD": 1, "EUR": 1, "GBP": 1, "AUD": 2, "HKD": 8, "JPY": 150, "CNY": 7}

HOUR = 3600

#: One order. ``at``: seconds after the beginning; ``acts_after``: seconds from the order to the payment (or to whatever
#: ends the story); ``fault``: of the payment's notification. ``refund``, ``attack``: see above, "" for none.
Plan = NamedTuple("Plan", [
    ("number", str), ("account", str), ("service", str), ("currency", Any), ("priced", str), ("amount", Decimal),
    ("subject", str), ("at", int), ("story", str), ("acts_after", int), ("comes_back", bool), ("fault", str),
    ("refund", str), ("part", Decimal), ("refund_after", int), ("attack", str), ("attack_after", int)])


def plans(seed: int, orders: int) -> List[Plan]:
    """One for each order, in the order in which they are placed over a day."""
    chosen = random.Random("demo:{}".format(seed))
    kinds = dealt(chosen, _KINDS, orders)
    stories = _dealt_by_count(chosen, STORIES, orders)
    faults = _dealt_by_count(chosen, _NOTIFICATIONS, orders)
    refunds = _dealt_by_count(chosen, _REFUNDS, orders)
    attacks = _dealt_by_count(chosen, _ATTACKS, max(12, orders // 6))
    victims = dict(zip(sorted(chosen.sample(range(orders), min(orders, len(attacks)))), attacks))
    gap = 24 * HOUR // orders
    found, paying = [], 0
    for at in range(orders):
        story = stories[at]
        if kinds[at][1] == APP and story not in PAYING + ("has no money",):
            story = "never comes"       # an app order reaches Alipay when it is paid, not before
        if story == OLD_PRICE:
            kinds[at] = chosen.choice(_MAINLAND)    # where notification and query both name what was paid
        pays = story in PAYING
        found.append(_plan(chosen, at, gap, kinds[at], story, faults[paying] if pays else "",
                           refunds[paying] if pays else "", victims.get(at, "")))
        paying += pays
    return found


def _plan(chosen, at, gap, kind, story, fault, refund, attack):
    account, service, currency, priced = kind
    paid_in = "CNY" if priced == "rmb_fee" or currency is None else currency
    cents = chosen.randrange(900, 20000) * _SCALE[paid_in]
    amount = Decimal(cents // 100) if paid_in == "JPY" else Decimal(cents) / 100
    part = (amount * chosen.randrange(10, 60) / 100).quantize(Decimal(1) if paid_in == "JPY" else Decimal("0.01"))
    after = {"pays": chosen.randrange(30, 900), "pays hours later": chosen.randrange(2 * HOUR, 10 * HOUR),
             "comes too late": 15 * HOUR}.get(story, chosen.randrange(60, 1800))
    refund_after = chosen.randrange(2 * HOUR, 30 * HOUR)
    if currency is None and refund:     # mainland payments are refunded at the console, or by batch
        refund = "all, at the console" if refund.startswith("all") else "a part, at the console"
    if priced == "rmb_fee":             # the console gives back in the order's currency, and this is priced in CNY
        refund = refund.replace(", at the console", "")
    if fault == "out-of-order" and currency is None:
        refund, refund_after = "a part, at the console", 600    # so that there is something to come before it
    return Plan("DEMO{:05d}".format(at + 1), account, service, currency, priced, amount, chosen.choice(_TEAS),
                at * gap + chosen.randrange(max(1, gap)), story, after, chosen.random() < 0.7, fault, refund, part,
                refund_after, attack, chosen.randrange(1200, 20 * HOUR))


def dealt(chosen: random.Random, cards: Sequence[Any], count: int) -> List[Any]:
    """``count`` of the cards: the whole pack, shuffled, as often as needed."""
    found: List[Any] = []
    while len(found) < count:
        pack = list(cards)
        chosen.shuffle(pack)
        found += pack
    return found[:count]


def _dealt_by_count(chosen, counts: Dict[str, int], count):
    return dealt(chosen, [name for name, times in counts.items() for _ in range(times)], count)
