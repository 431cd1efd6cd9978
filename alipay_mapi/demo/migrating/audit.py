"""The shop's books against both gateways' ledgers, order by order. It reads the files and the rows itself:
nothing of the shop's own code has a part in it, nor has what the shop believes of itself.
"""
import sqlite3
from collections import OrderedDict
from decimal import Decimal
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from ..audit import Difference

#: What one side says of an order. ``amount``, ``refunded``: in the currency of its price. ``closed``: over, never paid.
Facts = NamedTuple("Facts", [("paid", bool), ("amount", Decimal), ("currency", str), ("refunded", Decimal),
                             ("closed", bool)])
#: What the books have of an order. ``goods``: how often they were sent. ``persons``: what people were told.
Booked = NamedTuple("Booked", [("facts", Facts), ("price", Decimal), ("goods", int), ("persons", List[str])])
#: What a gateway has of an order. ``refunds``: out_return_no → amount.
Entry = NamedTuple("Entry", [("facts", Facts), ("refunds", Dict[str, Decimal])])

_NOTHING = Decimal(0)
_LEFT = ("SELECT out_trade_no FROM mapi_orders o WHERE due_at IS NOT NULL OR EXISTS (SELECT 1 FROM mapi_effects e "
         "WHERE e.order_id = o.id AND e.due_at IS NOT NULL) ORDER BY id")


class Sides(NamedTuple):
    """``books``: number → Booked. ``asked``: out_return_no → (number, amount, done). ``homes``: number → gateway, as
    the fallback's store has it. ``ledgers``: gateway → number → Entry. ``effects``: keys in the books; ``handed_over``:
    how often the handler came to its end. ``left``: orders that are asked about, or have something to carry out."""

    books: Dict[str, Booked]
    asked: Dict[str, Tuple[str, Decimal, bool]]
    homes: Dict[str, str]
    ledgers: Dict[str, Dict[str, Entry]]
    effects: int
    handed_over: int
    left: List[str]


def sides(books: str, store: str, ledger: Any) -> Sides:
    """``books``, ``store``: paths of files that nobody has open. ``ledger``: the emulator's."""
    asked = {number: (order, Decimal(amount), bool(done)) for number, order, amount, done in _rows(
        books, "SELECT out_return_no, number, amount, done FROM refunds")}
    return Sides(_books(books, asked), asked, dict(_rows(store, "SELECT out_trade_no, gateway FROM mapi_orders")),
                 {"mapi": _mapi(ledger), "ams": _ams(ledger)}, _rows(books, "SELECT count(*) FROM effects")[0][0],
                 _rows(books, "SELECT count(*) FROM handed_over")[0][0],
                 [row[0] for row in _rows(store, _LEFT)])


def compare(found: Sides, strays: Sequence[str] = ()) -> List[Difference]:
    """Every difference; none is the demo's success. ``strays``: orders of which the world itself has made a namesake on
    the other gateway: there a person must have been told, and of no other order."""
    differences = [Difference(number, "settled", "no", "yes") for number in found.left]
    for number in sorted(set(found.books) | set(found.homes) | set(found.ledgers["mapi"]) | set(found.ledgers["ams"])):
        differences += _order(number, found, number in strays)
    for out_return_no in sorted(found.asked):
        number, amount, done = found.asked[out_return_no]
        home = found.ledgers[found.homes.get(number, "mapi")].get(number)
        theirs = home.refunds.get(out_return_no) if home is not None else None
        if not done or theirs != amount:
            differences.append(Difference(number, "refund " + out_return_no, "{:f}{}".format(
                amount, "" if done else ", asked for"), "none" if theirs is None else "{:f}".format(theirs)))
    return differences


def _order(number, found, is_stray):
    booked, home = found.books.get(number), found.homes.get(number)
    if booked is None or home is None:
        yield Difference(number, "order", "not there" if booked is None else "there", "not there" if home is None
                         else "watched")
        return
    other = "ams" if home == "mapi" else "mapi"
    entry, elsewhere = found.ledgers[home].get(number), found.ledgers[other].get(number)
    theirs = entry.facts if entry is not None else Facts(False, _NOTHING, booked.facts.currency, _NOTHING, True)
    for what in Facts._fields:
        ours, said = getattr(booked.facts, what), getattr(theirs, what)
        if ours != said:
            yield Difference(number, what, _word(ours), _word(said))
    # What was given back whole before the shop knew of the payment is rightly not sent.
    if booked.goods != theirs.paid and (booked.goods or theirs.refunded != theirs.amount):
        yield Difference(number, "goods sent", str(booked.goods), str(int(theirs.paid)))
    for out_return_no in sorted(entry.refunds if entry is not None else ()):
        if out_return_no not in found.asked:
            yield Difference(number, "refund " + out_return_no, "not asked for", "done")
    if elsewhere is not None and not is_stray:
        yield Difference(number, "gateway", home, "made on {} too".format(other))
    if elsewhere is not None and elsewhere.refunds:
        yield Difference(number, "gateway", home, "refunded on " + other)
    told = [why for why in booked.persons if is_stray and why.startswith(other + " says")]
    if is_stray and not told:
        yield Difference(number, "for a person", "nobody was told", "paid on {} too".format(other))
    for why in booked.persons:
        if why not in told:
            yield Difference(number, "for a person", why[:60], "nothing is wrong")


# --- what stands where ------------------------------------------------------------------------------------------------

def _rows(path, statement):
    db = sqlite3.connect(path)
    try:
        return db.execute(statement).fetchall()
    finally:
        db.close()


def _books(path, asked) -> Dict[str, Booked]:
    refunded: Dict[str, Decimal] = {}
    for number, amount, done in asked.values():
        refunded[number] = refunded.get(number, _NOTHING) + (amount if done else _NOTHING)
    persons: Dict[str, List[str]] = {}
    for number, why in _rows(path, "SELECT number, why FROM persons"):
        persons.setdefault(number, []).append(why)
    found: Dict[str, Booked] = OrderedDict()
    for number, currency, price, paid, closed, goods in _rows(
            path, "SELECT number, currency, price, paid, closed, goods FROM orders ORDER BY placed_at, number"):
        facts = Facts(bool(paid), Decimal(price) if paid else _NOTHING, currency, refunded.get(number, _NOTHING),
                      bool(closed))
        found[number] = Booked(facts, Decimal(price), goods, persons.get(number, []))
    return found


def _mapi(ledger) -> Dict[str, Entry]:
    refunds: Dict[str, Dict[str, Decimal]] = {}
    trades = {row["out_trade_no"]: row for row in ledger.rows("trades")}
    for row in ledger.rows("refunds"):
        if row["refund_status"] == "REFUND_SUCCESS":
            in_cny = "rmb_fee" in trades[row["out_trade_no"]]["params"]
            refunds.setdefault(row["out_trade_no"], {})[row["out_return_no"]] = Decimal(
                row["params"]["return_rmb_amount" if in_cny else "return_amount"])
    return {number: Entry(_trade(row, sum(refunds.get(number, {}).values(), _NOTHING)), refunds.get(number, {}))
            for number, row in trades.items()}


def _trade(row: Mapping[str, Any], refunded: Decimal) -> Facts:
    in_cny, paid = "rmb_fee" in row["params"], bool(row.get("gmt_payment"))
    amount = Decimal(row["cny"] if in_cny else row["total_fee"]) if paid else _NOTHING
    # NO_TRADE: nobody came to the cashier, and by now nobody can.
    closed = row["trade_status"] in ("NO_TRADE", "TRADE_CLOSED") and not paid
    return Facts(paid, amount, "CNY" if in_cny else row["currency"], refunded, closed)


def _ams(ledger) -> Dict[str, Entry]:
    refunds: Dict[str, Dict[str, Decimal]] = {}
    for row in ledger.rows("ams_refunds"):
        if row["refund_status"] == "SUCCESS":
            refunds.setdefault(row["payment_id"], {})[row["refund_request_id"]] = _decimal(row)
    found = {}
    for row in ledger.rows("ams_payments"):
        paid, given = row["payment_status"] == "SUCCESS", refunds.get(row["payment_id"], {})
        found[row["payment_request_id"]] = Entry(Facts(
            paid, _decimal(row) if paid else _NOTHING, row["currency"], sum(given.values(), _NOTHING),
            row["payment_status"] in ("FAIL", "CANCELLED")), given)
    return found


def _decimal(row):
    """AMS counts in the smallest unit, which the yen has not."""
    return Decimal(row["amount"]) if row["currency"] == "JPY" else Decimal(row["amount"]) / 100


def _word(value):
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
