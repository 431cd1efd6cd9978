"""``demo --migrate``: a running shop moves from MAPI to AMS. The days are in ``alipay_mapi.demo.migrating``."""
from datetime import datetime
from typing import Any, Callable, Dict, List

from ..migration import plan
from ..times import GMT8, format_time
from . import exits
from .migrate_plan import known
from .output import Output

_SIDES = {"mapi": "MAPI", "ams": "AMS"}


def run(seed: int, orders: int, show: Callable[[Any], Any], out: Output) -> Any:
    """(numbers, order list) of a whole move. ``show``: shows its progress."""
    from ..demo.migrating import audit, numbers, play
    out.heading("alipay-mapi demo --migrate: {} orders, seed {}, a shop moves from MAPI to AMS beside both gateways, "
                "emulated, and its process is killed. No account, no network, no money.".format(orders, seed))
    move = play.Move(seed, orders)
    try:
        show(move.run())
        sides = audit.sides(move.books, move.store, move.gateway.ledger)
        differences = audit.compare(sides, move.strays)
        found = dict(numbers.numbers(move, sides, differences), plan=_plan(move))
        return found, numbers.order_list(move, sides, differences)
    finally:
        move.close()


def _plan(move) -> Dict[str, Any]:
    """What ``migrate plan`` says of the store that is left."""
    from ..fallback import open_store
    from ..fallback.schedule import Schedule
    now = move.gateway.clock.now().timestamp()
    with open_store("sqlite:///" + move.store, clock=lambda: now) as store:
        found = plan.Plan(now)
        found.take_all(known(row, Schedule(), now) for row in store.rows(limit=10 ** 6))
    return {"at": _day(now), "counts": [{
        "gateway": gateway, "orders": count.orders, "open": count.open, "refundable": count.refundable,
        "refund_until": _day(count.refund_until), "over": count.over, "persons": count.persons}
        for (_, gateway), count in sorted(found.counts.items(), reverse=True)],
        "settled": _day(found.settled), "switch_off": _day(found.switch_off)}


def _day(moment):
    return None if moment is None else str(format_time(datetime.fromtimestamp(moment, GMT8)))[:10]


def show(found: Dict[str, Any], out: Output) -> None:
    """The tables of a terminal."""
    out.line()
    out.heading("The acts: where new orders were made")
    out.table(("act", "orders", "on MAPI", "on AMS"), [
        (one["act"], one["orders"], _also(one["mapi"], one["exactly"], "AMS cannot make"), _also(
            one["ams"], one["refused"], "refused")) for one in found["acts"]], "   ")
    out.line()
    out.heading("What became of the orders, by the ledger of their gateway")
    out.table(("", "MAPI", "AMS"), [(one["outcome"], one["mapi"], one["ams"]) for one in found["outcomes"]] + [
        ("learned by " + one["by"], one["mapi"], one["ams"]) for one in found["learned"]] + _refunds(found), "   ")
    out.line()
    out.heading("Every message, checked")
    out.table(("of", "kind", "messages", "believed", "nothing new", "refused, or a no"), [
        (_SIDES[one["gateway"]], one["channel"], one["messages"], one["believed"], one["nothing_new"], one["refused"])
        for one in found["messages"]], "   ")
    out.line()
    out.heading("What was posted by somebody else, or of the wrong gateway")
    out.table(("times", "what", "the shop"), [
        (one["count"], one["attack"], ", ".join(one["became"])) for one in found["attacks"]] + _strays(found), "   ")
    out.line()
    out.heading("When the shop's process was killed (SIGKILL), and started again from its folder alone")
    out.table(("at", "while", "where"), [(one["at"], one["while"], one["kill"] + (
        ": the order is on {}".format(_SIDES[one["home"]]) if one["home"] else "")) for one in found["kills"]], "   ")
    out.line()
    _facts(found, out)


def _also(count, those, what):
    return "{} ({} {})".format(count, those, what) if those else str(count)


def _refunds(found):
    sides = {one["gateway"]: one for one in found["refunds"]}
    words = (("asked", "refunds asked for"), ("later_act", "in a later act than the order"), ("done", "refunds done"))
    return [(word, sides["mapi"][name], sides["ams"][name]) for name, word in words]


def _strays(found) -> List[tuple]:
    told = sum(one["told"] for one in found["strays"])
    if not found["strays"]:
        return []
    return [(len(found["strays"]), "genuine, with an order's number, of the gateway that it does not live on",
             "{} told to a person, nothing booked".format("each" if told == len(found["strays"]) else told))]


def _facts(found, out):
    shadow, effects, left = found["shadow"], found["effects"], found["plan"]
    mapi = next((one for one in left["counts"] if one["gateway"] == "mapi"), None)
    out.facts([
        ("shadow", "{} comparisons, {} differ, {} AMS cannot make".format(
            shadow["compared"], shadow["different"], shadow["not_comparable"])),
        ("faults", "{} on the line: notifications lost, late, twice or broken, answers that broke off or lied".format(
            sum(one["count"] for one in found["faults"]))),
        ("effects", "{}, handed over {} times, {} done twice, {} left".format(
            effects["recorded"], effects["handed_over"], effects["done_twice"] or "none", effects["left"] or "none")),
        ("fallback", "{} runs, {} questions".format(found["fallback"]["runs"], found["fallback"]["asked"])),
        ("plan", "MAPI: {} orders open, {} can be refunded until {}; then it can be switched off".format(
            mapi["open"], mapi["refundable"], mapi["refund_until"]) if mapi and mapi["refundable"] else
            "nothing needs MAPI any more" if left["switch_off"] is None else "MAPI until " + left["switch_off"]),
    ], "   ")


def verdict(found: Dict[str, Any], out: Output) -> int:
    """The last word, and the exit code."""
    out.line()
    differences = found["differences"]
    if differences:
        out.bad("DIFFERENT", "the shop's books are not what the two ledgers say, in {} places".format(len(differences)))
        out.table(tuple(differences[0]), [tuple(one.values()) for one in differences[:20]], "   ")
        return exits.INTERNAL
    out.good("equal", "the shop's books are what the two ledgers say: {} orders compared, no difference; each is on "
                      "one gateway, nothing is booked twice, nothing forged is booked".format(found["compared"]))
    return exits.DONE
