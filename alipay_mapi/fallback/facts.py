"""A ``TradeState`` as text and back: what a store keeps of an order.

JSON with sorted lists, so that equal states are equal texts. The order's price stands beside it, in the row.
"""
import json
from json.encoder import encode_basestring_ascii as _quoted

from ..errors import AlipayError
from ..order import Order
from ..trade_state import Effect, TradeState

# By name, so that equal states are equal texts.
_SETS = ("answered", "claims", "closed_trades", "concerns", "finished_trades", "mismatched", "paid_trades", "waiting")
_PAIRS = ("refunds", "seen")
_START = tuple((name, '"{}":['.format(name)) for name in _SETS)


def to_text(state: TradeState) -> str:
    """The state without its order; "" for one that knows nothing yet. ASCII, whatever a database does to the rest."""
    # Written by hand: json.dumps takes four times as long, and a store does this for every row.
    fields, parts = vars(state), []
    for name, start in _START:
        facts = fields[name]
        if facts:
            parts.append(start + ",".join(map(_quoted, sorted(facts) if len(facts) > 1 else facts)) + "]")
    for name in _PAIRS:
        if fields[name]:
            parts.append('"' + name + '":' + _pairs(fields[name]))
    if state.done:
        parts.append('"done":' + _pairs([(effect.kind, effect.detail) for effect in state.done]))
    return "{" + ",".join(parts) + "}" if parts else ""


def _pairs(pairs):
    return "[" + ",".join(["[" + _quoted(one) + "," + _quoted(two) + "]" for one, two in sorted(pairs)]) + "]"


def from_text(order: Order, text: str) -> TradeState:
    """The inverse. Raises AlipayError for text that no state wrote."""
    if not text:
        return TradeState(order)
    try:
        kept = json.loads(text)
        values = {name: frozenset(kept.pop(name, ())) for name in _SETS}
        values.update({name: frozenset(map(tuple, kept.pop(name, ()))) for name in _PAIRS})
        done = frozenset(Effect(kind, order.out_trade_no, detail) for kind, detail in kept.pop("done", ()))
        if not kept:
            return TradeState(order, done=done, **values)
    except (ValueError, TypeError, AttributeError):
        pass
    raise AlipayError("the stored facts of an order cannot be read; was the row changed by hand, or by a "
                       "newer version?")
