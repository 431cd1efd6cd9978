"""A ``TradeState`` as text and back: what a store keeps of an order.

JSON with sorted lists, so that equal states are equal texts. The order's price stands beside it, in the row.
"""
import json
from json.encoder import encode_basestring_ascii as _quoted

from ..errors import AlipayError
from ..order import Order
from ..trade_state import Effect, TradeState, begun

# By name, so that equal states are equal texts.
_SETS = ("answered", "claims", "closed_trades", "concerns", "failed_trades",
         "finished_trades", "mismatched", "paid_trades", "waiting")
_PAIRS = ("refunds", "seen")
_START = tuple((name, '"{}":['.format(name)) for name in _SETS)


def to_text(state: TradeState) -> str:
    """The state without its order; "" for one that knows nothing yet. ASCII, whatever a database does to the rest."""
    # Written by hand: json.dumps takes four times as long, and a store does this for every row.
    fields, parts = vars(state), []
    for name, start in _START:
        if fields[name]:
            parts.append(start + _texts(fields[name]) + "]")
    for name in _PAIRS:
        if fields[name]:
            parts.append('"' + name + '":[' + _pairs(fields[name]) + "]")
    if state.done:
        parts.append('"done":[' + _pairs([(effect.kind, effect.detail) for effect in state.done]) + "]")
    return "{" + ",".join(parts) + "}" if parts else ""


def _texts(texts):
    if len(texts) == 1:     # nearly always
        for text in texts:
            return _quoted(text)
    return ",".join(map(_quoted, sorted(texts)))


def _pairs(pairs):
    return ",".join(["[" + _quoted(one) + "," + _quoted(two) + "]"
                     for one, two in (sorted(pairs) if len(pairs) > 1 else pairs)])


def from_text(order: Order, text: str) -> TradeState:
    """The inverse. Raises AlipayError for text that no state wrote."""
    if not text:
        return begun(order)
    try:
        kept = json.loads(text)
        values = {name: frozenset(kept.pop(name, ())) for name in _SETS}
        values.update({name: frozenset(map(tuple, kept.pop(name, ()))) for name in _PAIRS})
        done = frozenset(Effect(kind, order.out_trade_no, detail) for kind, detail in kept.pop("done", ()))
        pairs = [pair for name in _PAIRS for pair in values[name]] + [(one.kind, one.detail) for one in done]
        texts = [fact for name in _SETS for fact in values[name]] + [text for one, two in pairs for text in (one, two)]
        if not kept and all(isinstance(text, str) for text in texts):
            return TradeState(order, done=done, **values)
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise AlipayError("the stored facts of an order cannot be read; was the row changed by hand, or by a "
                       "newer version?")
