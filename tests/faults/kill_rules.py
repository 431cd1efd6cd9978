"""What must hold of a run, from three accounts that know nothing of each other: the recorder's, the gateway's books,
and the store's own tables, read past the library.

The recorder's account is a list of what it was told, in order: ``{"said": "effect", "worker": 3, "key": …,
"order": …, "kind": …, "detail": …, "id": …, "stored": …}`` by a worker's handler (``stored``: what the store held of it
then), ``{"said": "recorded", "worker": 3, "keys": […]}`` by a worker whose store has recorded effects as done,
``{"said": "end", "worker": 3, "killed": true}`` by the one who saw the worker end.
"""
from collections import Counter, defaultdict


def faults_of(plan, record, truth, rows, effects, within, interval):
    """Texts, each beginning with the rule. ``rows``: (out_trade_no, outcome) and ``effects``: (out_trade_no, key, done)
    of the store. ``within``: the effects' table in the same database, or None where a handler told the recorder.
    ``interval``: seconds between two questions about an order, or None where they are not looked at."""
    faults = []
    if within is None:
        done = [one for one in record if one["said"] == "effect"]
        faults += _repeats(record) + _written_first(record)
    else:
        done = within
        faults += ["once: {} has {} rows in the shop's table".format(key, times)
                   for key, times in sorted(Counter(one["key"] for one in within).items()) if times > 1]
    faults += _exactly(done, truth["effects"])
    faults += _keys(done)
    faults += _in_order(done, plan)
    faults += _refunds(plan, truth)
    faults += _stored(rows, effects, truth["effects"])
    if interval is not None:
        faults += _asked(plan, truth["asked"], interval)
    return faults


def repeats_of(record):
    """How many effects were handed over again."""
    keys = [one["key"] for one in record if one["said"] == "effect"]
    return len(keys) - len(set(keys))


def _exactly(done, expected):
    found = {(one["order"], one["kind"], one["detail"]) for one in done}
    wanted = {(order, kind, detail) for order, effects in expected.items() for kind, detail in effects}
    return (["lost: {} {} {}".format(*one) for one in sorted(wanted - found)]
            + ["invented: {} {} {}".format(*one) for one in sorted(found - wanted)])


def _keys(done):
    keys, effects = defaultdict(set), defaultdict(set)
    for one in done:
        effect = one["order"], one["kind"], one["detail"]
        keys[effect].add(one["key"])
        effects[one["key"]].add(effect)
    return (["key: {} has {}".format(effect, sorted(found)) for effect, found in sorted(keys.items()) if len(found) > 1]
            + ["key: {} is that of {}".format(key, sorted(found)) for key, found in sorted(effects.items())
               if len(found) > 1])


def _repeats(record):
    """An effect may come again only where its worker was killed before it was recorded as done: so the worker of each
    earlier time had been killed by then, and had not said that it was recorded."""
    faults, recorded, killed = [], set(), {}
    for at, one in enumerate(record):
        if one["said"] == "recorded":
            recorded.update((one["worker"], key) for key in one["keys"])
        elif one["said"] == "end" and one["killed"]:
            killed[one["worker"]] = at
    workers = defaultdict(list)
    for at, one in enumerate(record):
        if one["said"] == "effect":
            for worker in workers[one["key"]]:
                if (worker, one["key"]) in recorded or killed.get(worker, at) >= at:
                    faults.append("doubled: {} by worker {} and again by {}".format(one["key"], worker, one["worker"]))
            workers[one["key"]].append(one["worker"])
    return faults


def _written_first(record):
    """State and effect are in the store before the effect is made, and it is not recorded as done before it is."""
    return ["{}: the store holds {} of {} when worker {} makes it".format(
        "early" if one["stored"] == "nothing" else "late", one["stored"], one["key"], one["worker"])
            for one in record if one["said"] == "effect" and one["stored"] != "pending"]


def _in_order(done, plan):
    """Per order, none comes before an earlier one is through; the first refund comes before the second."""
    faults, latest = [], {}
    for one in done:
        if one["id"] < latest.get(one["order"], 0):
            faults.append("order: {} after a later one".format(one["key"]))
        latest[one["order"]] = max(one["id"], latest.get(one["order"], 0))
    for one in plan:
        told = list(dict.fromkeys((effect["kind"], effect["detail"]) for effect in done
                                  if effect["order"] == one["number"] and effect["detail"] or effect["kind"] == "paid"
                                  and effect["order"] == one["number"]))
        wanted = [("paid", "")] + [("refunded", number) for number, _ in one["refunds"]]
        if one["refunds"] and told != [effect for effect in wanted if effect in told]:
            faults.append("order: {} has {}".format(one["number"], told))
    return faults


def _refunds(plan, truth):
    faults = []
    for one in plan:
        wanted = [(number, float(amount), "REFUND_SUCCESS") for number, amount in one["refunds"]]
        given = [(number, float(amount), status)
                 for number, amount, status in truth["refunds"].get(one["number"], [])]
        if sorted(given) != sorted(wanted):
            faults.append("refund: {} has {} in the gateway's books, not {}".format(one["number"], given, wanted))
    contents = {}
    for service, content, _, _ in truth["asked"]:
        if service == "forex_refund":
            first = contents.setdefault(content["out_return_no"], content)
            if first != content:
                faults.append("refund: {} was asked for again with another content".format(content["out_return_no"]))
    return faults


def _asked(plan, asked, interval):
    """At most one question per order and interval; refunds have questions of their own."""
    faults, before = [], {}
    refunded = {one["number"] for one in plan if one["refunds"]}
    for service, content, now, worker in asked:
        number = content.get("out_trade_no")
        if service != "single_trade_query" or number in refunded:
            continue
        if number in before and now - before[number][0] < interval:
            faults.append("asked: {} twice in {:.0f} s, by worker {} and by worker {}".format(
                number, now - before[number][0], before[number][1], worker))
        before[number] = now, worker
    return faults


def _stored(rows, effects, expected):
    outcomes = dict(rows)
    faults = ["store: {} is not there".format(number) for number in expected if number not in outcomes]
    faults += ["store: {} is still open".format(number) for number, outcome in rows if outcome == "open"]
    faults += ["store: {} is recorded, and not done".format(key) for _, key, done in effects if done is None]
    faults += ["store: {} stands there {} times".format(key, times)
               for key, times in Counter(key for _, key, _ in effects).items() if times > 1]
    return faults
