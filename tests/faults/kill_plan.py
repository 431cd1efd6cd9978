"""The orders of one run: which of them are paid, closed, never begun, refunded; whose notification gets lost."""
import random

#: What becomes of an order, and how often, in a hundred.
KINDS = {"paid": 50, "closed": 12, "never": 12, "refunds": 10, "whole": 6, "cny": 6, "wrong": 4}

#: For the runs that try every point: one of each, and a notification that comes twice; and the least that still comes
#: by every call, for a store that takes its time.
SMALL = {"sqlite": (("paid", 0), ("paid", 2), ("closed", 0), ("never", 0), ("refunds", 0), ("whole", 1), ("wrong", 0)),
         "postgresql": (("paid", 2), ("never", 0), ("whole", 0))}

TIMEOUT = 6 * 3600.0


def small(store):
    return [_order("S{}".format(at), kind, notes=notes, closes_in=-3600.0 if kind == "never" else TIMEOUT)
            for at, (kind, notes) in enumerate(SMALL[store])]


def drawn(seed, count, soon=False):
    """``count`` orders that follow from ``seed``. ``soon``: none of them waits for minutes."""
    rng = random.Random("plan {}".format(seed))
    kinds = rng.choices(list(KINDS), list(KINDS.values()), k=count)
    plan = []
    for at, kind in enumerate(kinds):
        notes = rng.choice((0, 0, 1, 1, 2)) if kind not in ("closed", "never", "wrong") else 0
        plan.append(_order("R{}X{}".format(seed, at), kind, notes=notes,
                           late=kind in ("paid", "cny") and rng.random() < 0.15,
                           first_in=rng.choice((0.0, 0.0, 0.0, 1.0 if soon else 60.0)), at_once=rng.random() < 0.7,
                           closes_in=rng.choice((-3600.0, 2.0 if soon else 300.0)) if kind == "never" else TIMEOUT))
    return plan


def _order(number, kind, notes=0, late=False, first_in=0.0, at_once=True, closes_in=TIMEOUT):
    """``notes``: how often its notification comes. ``late``: the buyer pays only when the worker has asked once.
    ``at_once``: the process that takes the notification carries out its effects. Prices: the shop's, and the one that
    the gateway was told."""
    cny = kind in ("cny", "wrong")
    price = {"rmb_fee": "66.00"} if cny else {"total_fee": "10.00"}
    refunds = {"refunds": [("-R1", "4.00"), ("-R2", "1.50")], "whole": [("-R1", "10.00")]}.get(kind, [])
    return {"number": number, "kind": kind, "notes": notes, "late": late, "first_in": first_in, "at_once": at_once,
            "closes_in": closes_in, "asked_price": price, "price": {"rmb_fee": "77.00"} if kind == "wrong" else price,
            "refunds": [(number + suffix, amount) for suffix, amount in refunds]}
