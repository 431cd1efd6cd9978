"""Faults that a fallback can have, planted in a worker: the harness must find each. The package is left as it is."""
from alipay_mapi.fallback import Pending
from alipay_mapi.fallback.outbox import Outbox
from alipay_mapi.fallback.rows import effect_key
from alipay_mapi.fallback.stores.contract import Taken

EVERY = ("effect before state", "state before effect", "no lease", "host clock")


def effect_before_state(fallback, handle):
    """Act, then mark: what follows from an answer is done, and only then is the state written."""
    store = fallback.store
    settle, apply = store.settle, store.apply

    def act(row, change):
        for effect in change(row).effects:
            handle(Pending(0, effect_key(row.shop, effect), row.shop, row.out_trade_no, row.price, effect.kind,
                           effect.detail, 1, ""))

    def mark(row):
        made = [None]
        while made:     # an order's effects are given out one at a time
            made = store.effects("marks", 50, 60.0, (row.shop, row.out_trade_no))
            for pending in made:
                store.effect_done(pending)

    def settle_late(changes):
        for row, change in changes:
            act(store.get(row.shop, row.out_trade_no), change)
        decisions = settle(changes)
        for row, _ in changes:
            mark(row)
        return decisions

    def apply_late(shop, out_trade_no, change):
        row = store.get(shop, out_trade_no)
        act(row, change)
        decision = apply(shop, out_trade_no, change)
        mark(row)
        return decision
    store.settle, store.apply = settle_late, apply_late
    store.take_in = lambda shop, out_trade_no, change, *_, **__: Taken(apply_late(shop, out_trade_no, change))


def state_before_effect(fallback, handle):
    """Mark, then act."""
    def one(self, effect):
        self._store.effect_done(effect)
        handle(effect)
        return True
    Outbox._one = one


def no_lease(fallback, handle):
    """Whatever is due is taken, whether somebody has it or not."""
    store = fallback.store
    claim, effects, take_in = store.claim, store.effects, store.take_in
    store.claim = lambda worker, limit, lease, again, shops=None: claim(worker, limit, 0.0, lambda row: 0.0, shops)
    store.effects = lambda worker, limit, lease, only=None, shops=None: effects(worker, limit, 0.0, only, shops)
    store.take_in = lambda shop, number, change, worker=None, lease=0.0, *more: take_in(shop, number, change, worker,
                                                                                        0.0, *more)


def host_clock(clock, skew):
    """A lease that ends by the clock of whoever looks at it."""
    return lambda: clock() + skew


PLANTS = {"effect before state": effect_before_state, "state before effect": state_before_effect,
          "no lease": no_lease}
