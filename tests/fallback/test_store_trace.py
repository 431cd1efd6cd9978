"""Every store does what the one in memory does, step by step."""
import pytest
from hypothesis import given, settings, strategies as st

from alipay_mapi.errors import OrderNotFound, WatchConflict
from alipay_mapi.fallback.deciding import GAVE_UP, OPEN
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from stores_under_test import Clock, Place, START, KINDS, becomes, claim, unreadable, watched


STEPS = st.lists(st.one_of(
    st.tuples(st.just("watch"), st.integers(0, 4), st.integers(-50, 50)),
    st.tuples(st.just("watch on ams"), st.integers(3, 5), st.integers(-50, 50)),
    st.tuples(st.just("claim"), st.integers(1, 3), st.sampled_from([5, 60, 200])),
    st.tuples(st.just("settle"), st.integers(0, 9), st.sampled_from([OPEN, "paid", "closed", GAVE_UP])),
    st.tuples(st.just("release"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("apply"), st.integers(0, 4), st.sampled_from([OPEN, "paid", "refunded"])),
    st.tuples(st.just("effects"), st.integers(1, 3), st.sampled_from([5, 60])),
    st.tuples(st.just("done"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("failed"), st.integers(0, 9), st.integers(0, 90)),
    st.tuples(st.just("slots"), st.integers(1, 5), st.sampled_from([1.0, 0.1])),
    st.tuples(st.just("refunds"), st.integers(0, 4), st.sampled_from(["", "[1]"])),
    st.tuples(st.just("unreadable"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("prune"), st.integers(1, 3), st.sampled_from([0, 100, 3000])),
    st.tuples(st.just("counts"), st.just(0), st.just(0)),
    st.tuples(st.just("reopen"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("clock"), st.sampled_from([1, 30, 90, 4000, -30, -90000]), st.just(0)),
), max_size=25)


def tried(store, entry):
    try:
        return store.watch([entry])
    except WatchConflict:
        return "conflict"


def trace(store, clock, shop, steps):
    """What an outsider sees of each step. Claims and effects are named by their place, as ids and leases differ."""
    claims, effects, seen = [], [], []
    for name, one, two in steps:
        number = "A{}".format(one)
        if name == "clock":
            clock.now += one
        elif name == "watch":
            seen.append(tried(store, watched(number, two, shop=shop)))
        elif name == "watch on ams":
            seen.append(tried(store, watched(number, two, shop=shop, gateway="ams")))
        elif name == "claim":
            rows = claim(store, one, lease=two, shops=[shop])
            claims += rows
            seen.append([(row.out_trade_no, row.due_at, row.asked_at, row.attempts) for row in rows])
        elif name == "settle" and claims:
            row = claims[one % len(claims)]
            due = clock.now + 70 if two == OPEN else None
            change = becomes(two, *[two] * (two != OPEN), due_at=due)
            seen.append([decision and decision.effects for decision in store.settle([(row, change)])])
        elif name == "release" and claims:
            store.release([claims[one % len(claims)]])
        elif name == "apply":
            try:
                seen.append(store.apply(shop, number, becomes(two, *[two] * (two != OPEN), fact="n", due_at=(
                    clock.now + 5 if two == OPEN else None))).effects)
            except OrderNotFound:
                seen.append("not found")
        elif name == "effects":
            found = [p for p in store.effects("w", one, two)]
            effects += found
            seen.append([(p.key.split(":", 1)[1], p.attempts) for p in found])
        elif name == "done" and effects:
            seen.append(store.effect_done(effects[one % len(effects)]))
        elif name == "failed" and effects:
            store.effect_failed(effects[one % len(effects)], "no", two)
        elif name == "slots":
            free, first = store.slots(shop, one, two, 20)
            seen.append((free, round(first, 3)))
        elif name == "refunds" and store.get(shop, number):
            store.apply(shop, number, becomes(OPEN, due_at=clock.now + 9, refunds=two))
        elif name == "unreadable" and claims:
            seen.append([type(error) for error in store.settle([(claims[one % len(claims)], unreadable)])])
        elif name == "prune":
            seen.append(store.prune(two, one))
        elif name == "counts":
            seen.append({key: round(value, 3) if isinstance(value, float) else value
                         for key, value in store.counts().items()})
        elif name == "reopen":
            seen.append(store.reopen(shop) if one == 5 else store.reopen(shop, number))
        seen.append([row[1:13] + (row.lease.split("#")[0], row.gateway) for row in store.rows()])
    return seen


@pytest.mark.parametrize("kind", KINDS[1:])
def test_every_store_does_what_the_one_in_memory_does(kind, tmp_path):
    place = Place(kind, tmp_path)
    store = place.open()

    @settings(max_examples=20 if kind in ("postgresql", "mariadb") else 60, deadline=None)
    @given(STEPS)
    def compare(steps):
        place.execute(store, "DELETE FROM mapi_effects", "DELETE FROM mapi_orders",
                      "DELETE FROM mapi_moments WHERE name <> 'clock'", "UPDATE mapi_moments SET moment = 0")
        place.clock.now, clock = START, Clock()
        with SQLiteStore(":memory:", clock=clock) as other:
            assert trace(store, place.clock, "shop", steps) == trace(other, clock, "shop", steps)
    compare()
    place.close()
