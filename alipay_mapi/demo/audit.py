"""The shop's books against the gateway's ledger, order by order."""
from decimal import Decimal
from typing import Any, Dict, List, Mapping, NamedTuple

from .books import Record

#: What one side says of an order. ``amount`` and ``refunded``: in the currency that it is priced in. ``closed``: over,
#: and never paid.
Facts = NamedTuple("Facts", [("paid", bool), ("amount", Decimal), ("refunded", Decimal), ("closed", bool)])
#: One thing that the two sides say differently.
Difference = NamedTuple("Difference", [("out_trade_no", str), ("what", str), ("books", str), ("ledger", str)])

#: An order that nobody came to the cashier for: when the day is over, it cannot be paid any more.
_NEVER_THERE = Facts(False, Decimal(0), Decimal(0), True)


def of_books(record: Record) -> Facts:
    """What the shop believes. ``amount``: its price, if paid."""
    return Facts(record.is_paid, price_of(record) if record.is_paid else Decimal(0), record.refunded, record.is_closed)


def price_of(record: Record) -> Decimal:
    """In the currency that the order is priced in: CNY for ``rmb_fee``."""
    order = record.order
    return Decimal(order.total_fee if order.total_fee is not None else order.rmb_fee or 0)


def of_ledger(row: Mapping[str, Any]) -> Facts:
    """What the gateway has."""
    if row["trade_status"] == "NO_TRADE":
        return _NEVER_THERE
    in_cny = "rmb_fee" in row["params"]
    paid = bool(row.get("gmt_payment"))
    return Facts(paid, Decimal(row["cny"] if in_cny else row["total_fee"]) if paid else Decimal(0),
                 Decimal(row["refunded_cny"] if in_cny else row["refunded"]),
                 row["trade_status"] == "TRADE_CLOSED" and not paid)


def compare(books: Mapping[str, Record], rows: List[Dict[str, Any]]) -> List[Difference]:
    """Every difference; none is the demo's success. Goods go out once for each payment: not at all, and not twice."""
    ledger = {row["out_trade_no"]: of_ledger(row) for row in rows}
    found = [Difference(number, "order", "not there", "there") for number in sorted(set(ledger) - set(books))]
    for number, record in books.items():
        theirs = ledger.get(number, _NEVER_THERE)
        found += _given_to_a_person(number, record, theirs) if record.concerns else _settled(number, record, theirs)
        found += [Difference(number, "effect " + key.split(":")[1], "carried out {} times".format(times), "once")
                  for key, times in record.booked.items() if times != 1]
    return found


def _settled(number, record, theirs):
    ours = of_books(record)
    for what in Facts._fields:
        if getattr(ours, what) != getattr(theirs, what):
            yield Difference(number, what, _word(getattr(ours, what)), _word(getattr(theirs, what)))
    # What was given back whole before the shop knew of the payment is rightly not sent.
    if record.fulfilled != theirs.paid and (record.fulfilled or theirs.refunded != theirs.amount):
        yield Difference(number, "goods sent", str(record.fulfilled), str(int(theirs.paid)))


def _given_to_a_person(number, record, theirs):
    """Rightly, if another amount was paid than the order's; then nothing is booked, and nothing sent."""
    if not theirs.paid or theirs.amount == price_of(record):
        yield Difference(number, "for a person", record.concerns[0], "nothing is wrong")
    if record.is_paid or record.fulfilled or record.is_closed:
        yield Difference(number, "for a person", "settled all the same", "paid with another amount")


def _word(value):
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "{:f}".format(value)
