"""What a store keeps, as values: rows, pending effects, and how a decision changes a row; the same for every store.

Prices and facts stay text until somebody asks: a store moves thousands of rows and reads the order of few.
"""
import hashlib
import re
from functools import partial
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Tuple

from ..backend import GATEWAYS, MAPI
from ..errors import InvalidRequest, WatchConflict, show
from ..fields import FIELDS
from ..order import Order
from ..trade_state import Effect
from . import prices
from .deciding import Decision
from .facts import to_text

_SHOP = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)


class Watched(NamedTuple):
    """An order to watch. ``first_in``: seconds from now to the first question; ``closes_in``: until it can no longer
    be paid. Both from the store's now, so that no other clock has a say; both may be negative. ``gateway``: where the
    order lives, one of ``backend.GATEWAYS``."""

    shop: str
    order: Order
    first_in: float
    closes_in: float
    gateway: str = MAPI


class Row(NamedTuple):
    """A watched order as it is stored. Times are UTC seconds by the store's clock.

    ``shop``: the merchant's name in the configuration. ``facts``: see ``facts``. ``refunds``: see ``refunding``.
    ``outcome``: see ``deciding``. ``deadline``: from when on it cannot be paid any more. ``due_at``: None when it is
    not asked about; in a row that was just claimed, since when it was due. ``asked_at``: when it was claimed last, or
    watched. ``lease``: the claim, a text that no other claim has; "" nobody's. ``gateway``: where the order lives, and
    is asked about; it never changes.
    """

    id: int
    shop: str
    out_trade_no: str
    price: str
    facts: str
    refunds: str
    outcome: str
    watched_at: float
    deadline: float
    due_at: Optional[float]
    asked_at: float
    attempts: int
    last_error: str
    lease: str
    gateway: str

    @property
    def key(self) -> str:
        return self.shop + ":" + self.out_trade_no

    @property
    def order(self) -> Order:
        return prices.from_text(self.out_trade_no, self.price)


class Pending(NamedTuple):
    """An effect that is to be carried out. ``key``: the same at every attempt, unique in the store."""

    id: int
    key: str
    shop: str
    out_trade_no: str
    price: str
    kind: str
    detail: str
    attempts: int
    lease: str

    @property
    def order(self) -> Order:
        return prices.from_text(self.out_trade_no, self.price)

    @property
    def effect(self) -> Effect:
        return Effect(self.kind, self.out_trade_no, self.detail)


#: The columns of Row, in its order; and a Row from a sequence of them (``Row._make`` takes three times as long).
ROW = ", ".join(Row._fields)
row_of: Callable[[Iterable[Any]], Row] = partial(tuple.__new__, Row)


def checked(entries: Iterable[Watched]) -> List[Tuple[str, str, str, float, float, str]]:
    """(shop, out_trade_no, price, first_in, closes_in, gateway) of each entry.

    Raises InvalidRequest for a number that Alipay would not take (a database could cut it, or fold two into one).
    """
    rows = []
    for shop, order, first_in, closes_in, gateway in entries:
        if not isinstance(shop, str) or _SHOP.fullmatch(shop) is None:
            raise InvalidRequest("shop: 1 to 40 letters, digits and _ . -, as in the configuration", parameter="shop")
        if not isinstance(order, Order) or not possible(shop, order.out_trade_no):
            raise InvalidRequest("out_trade_no: {}".format(FIELDS["out_trade_no"].rule), parameter="out_trade_no")
        # A comparison that is false for NaN.
        if not (abs(first_in) < 1e10 and abs(closes_in) < 1e10):
            raise InvalidRequest("first_in, closes_in: seconds from now", parameter="closes_in")
        if not isinstance(gateway, str) or gateway not in GATEWAYS:
            raise InvalidRequest("gateway: one of {}".format(", ".join(GATEWAYS)), parameter="gateway")
        rows.append((shop, order.out_trade_no, prices.to_text(order), float(first_in), float(closes_in), gateway))
    return rows


def possible(shop: str, out_trade_no: str) -> bool:
    """Could this order be in a store? A database is not asked for text that it may not take."""
    return (isinstance(shop, str) and _SHOP.fullmatch(shop) is not None
            and isinstance(out_trade_no, str) and FIELDS["out_trade_no"].match(out_trade_no) is not None)


def may_name(shop: Optional[str], out_trade_no: Optional[str]) -> bool:
    """The same, where None stands for any."""
    return possible("any" if shop is None else shop, "any" if out_trade_no is None else out_trade_no)


def same_or_conflict(out_trade_no: str, known: Tuple[str, str], wanted: Tuple[str, str]) -> None:
    """Raises WatchConflict unless both, (price as stored, gateway), are the same order, however a price is written."""
    if known == wanted:
        return
    if known[1] != wanted[1]:
        raise WatchConflict("{}: it lives on {} already, and an order never moves; use a new out_trade_no for {}, or "
                            "leave it there".format(out_trade_no, show(known[1], 20), wanted[1]),
                            out_trade_no=out_trade_no)
    if prices.from_text(out_trade_no, known[0]) != prices.from_text(out_trade_no, wanted[0]):
        raise WatchConflict("{}: watched already, with another price; use a new out_trade_no".format(out_trade_no),
                            out_trade_no=out_trade_no)


def changed(stored: Row, decision: Decision, ours: bool) -> Row:
    """The row as it is to be written. ``ours``: the write ends the claim that ``stored`` has.

    A row that somebody else is asking about keeps the moment that his claim has set, unless it is settled now.
    """
    due_at, error, refunds = decision.due_at, decision.error, decision.refunds
    (number, shop, out_trade_no, price, facts_before, refunds_before, _, watched_at, deadline, due_before, asked_at,
     attempts, _, lease, gateway) = stored
    if ours:
        lease = ""
    elif lease and due_at is not None and due_before is not None:
        due_at = due_before
    facts = facts_before if decision.state is None else to_text(decision.state)
    return row_of((number, shop, out_trade_no, price, facts,
                   refunds_before if refunds is None else refunds, decision.outcome, watched_at, deadline, due_at,
                   asked_at, attempts, plain(error, 400) if error else "", lease, gateway))


def failed(stored: Row, error: str, ours: bool) -> Row:
    """The row when no decision came about: as it is, with the error. ``ours``: the write ends its claim."""
    return stored._replace(last_error=plain(error, 400), lease="" if ours else stored.lease)


def effect_key(shop: str, effect: Effect) -> str:
    """The effect's own key with the shop's name; a long one is cut, with a digest of the whole."""
    key = "{}:{}:{}:{}".format(shop, effect.kind, effect.detail, effect.out_trade_no)
    if "%" in key or key.count(":") != 3:
        key = shop + ":" + effect.key       # else it is the same, and this takes three times as long
    key = plain(key)
    if len(key) > 180:
        key = "{}~{}".format(key[:140], hashlib.sha256(key.encode("utf-8")).hexdigest()[:32])
    return key


def plain(text: str, limit: int = 4000) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair, not too long."""
    if text.isprintable() and len(text) <= limit:
        return text
    return show(text, limit - 1)[:limit]
