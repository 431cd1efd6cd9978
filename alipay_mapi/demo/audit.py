"""The shop's books against the gateway's ledger, order by order."""
from decimal import Decimal
from typing import Any, Dict, List, Mapping, NamedTuple

from .shop import Record

#: What one side says of an order. ``amount`` and ``refunded``: in the currency that it is priced in.
Facts = NamedTuple("Facts", [("paid", bool), ("amount", Decimal), ("refunded", Decimal), ("closed", bool)])
#: One thing that the two sides say differently.
Difference = NamedTuple("Difference", [("out_trade_no", str), ("what", str), ("books", str), ("ledger", str)])


def of_books(record: Record) -> Facts:
    """What the shop believes. ``amount``: its price, if paid."""
    return Facts(record.is_paid, price_of(record) if record.is_paid else Decimal(0), record.refunded,
                 record.state.status == "closed")


def price_of(record: Record) -> Decimal:
    """In the currency that the order is priced in: CNY for ``rmb_fee``."""
    order = record.order
    return Decimal(order.total_fee if order.total_fee is not None else order.rmb_fee or 0)


def of_ledger(row: Mapping[str, Any]) -> Facts:
    """What the gateway has. Never there: nothing is paid."""
    in_cny = "rmb_fee" in row["params"]
    paid = bool(row.get("gmt_payment"))
    return Facts(paid, Decimal(row["cny"] if in_cny else row["total_fee"]) if paid else Decimal(0),
                 Decimal(row["refunded_cny"] if in_cny else row["refunded"]),
                 row["trade_status"] == "TRADE_CLOSED" and not paid)


def compare(books: Mapping[str, Record], rows: List[Dict[str, Any]]) -> List[Difference]:
    """Every difference; none is the demo's success. Goods go out once for each payment: not at all, and not twice."""
    nothing = Facts(False, Decimal(0), Decimal(0), False)
    ledger = {row["out_trade_no"]: of_ledger(row) for row in rows}
    found = [Difference(number, "order", "not there", "there") for number in sorted(set(ledger) - set(books))]
    for number, record in books.items():
        ours, theirs = of_books(record), ledger.get(number, nothing)
        for what in Facts._fields:
            if getattr(ours, what) != getattr(theirs, what):
                found.append(Difference(number, what, _word(getattr(ours, what)), _word(getattr(theirs, what))))
        # What was given back whole before the shop knew of the payment is rightly not sent.
        if record.fulfilled != theirs.paid and (record.fulfilled or theirs.refunded != theirs.amount):
            found.append(Difference(number, "goods sent", str(record.fulfilled), str(int(theirs.paid))))
    return found


def _word(value):
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "{:f}".format(value)
