"""The text that a store keeps of an order's state: canonical, ASCII, and read back as it was."""
import json

import pytest
from hypothesis import given, strategies as st

import alipay_mapi as mapi
from alipay_mapi.errors import AlipayError
from alipay_mapi.fallback.facts import from_text, to_text
from alipay_mapi.trade_state import Effect, TradeState

ORDER = mapi.Order("A1", total_fee="10.00", currency="USD")
TEXTS = st.frozensets(st.text(max_size=8), max_size=3)
PAIRS = st.frozensets(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=3)
STATES = st.builds(
    lambda done, **sets: TradeState(ORDER, done=frozenset(Effect(kind, "A1", detail) for kind, detail in done), **sets),
    done=PAIRS, waiting=TEXTS, paid_trades=TEXTS, finished_trades=TEXTS, closed_trades=TEXTS, claims=TEXTS,
    answered=TEXTS, mismatched=TEXTS, concerns=TEXTS, refunds=PAIRS, seen=PAIRS)


@given(STATES)
def test_a_state_is_read_back_as_it_was(state):
    again = from_text(ORDER, to_text(state))
    assert again == state and again.done == state.done      # == does not compare done


@given(STATES)
def test_the_text_is_ascii_json_with_sorted_lists_and_says_nothing_of_what_is_not_known(state):
    text = to_text(state)
    text.encode("ascii")
    if not text:
        assert state == TradeState(ORDER) and not state.done
        return
    kept = json.loads(text)
    assert all(values and values == sorted(values) for values in kept.values())
    assert json.dumps(kept, separators=(",", ":")) == text


@given(TEXTS)
def test_equal_states_are_equal_texts_however_they_came_about(texts):
    one = TradeState(ORDER, waiting=frozenset(sorted(texts)), seen=frozenset((text, "x") for text in sorted(texts)))
    other = TradeState(ORDER, waiting=frozenset(sorted(texts, reverse=True)),
                       seen=frozenset((text, "x") for text in sorted(texts, reverse=True)))
    assert to_text(one) == to_text(other)


@pytest.mark.parametrize("state, text", [
    (TradeState(ORDER), ""),
    (TradeState(ORDER, paid_trades=frozenset(["2026"])), '{"paid_trades":["2026"]}'),
    (TradeState(ORDER, paid_trades=frozenset(["2026", "2025"]), done=frozenset([Effect("paid", "A1")])),
     '{"paid_trades":["2025","2026"],"done":[["paid",""]]}'),
    (TradeState(ORDER, refunds=frozenset([("R1", "REFUND_SUCCESS")]), concerns=frozenset(["é\""])),
     '{"concerns":["\\u00e9\\""],"refunds":[["R1","REFUND_SUCCESS"]]}'),
])
def test_what_is_stored_today_must_be_read_tomorrow(state, text):
    """These texts stand in databases."""
    assert to_text(state) == text and from_text(ORDER, text) == state


@pytest.mark.parametrize("text", ["{", "[]", "1", "null", '"paid"', '{"unheard_of":["1"]}', '{"paid_trades":1}',
                                  '{"done":[["paid"]]}', '{"done":["paid"]}', '{"paid_trades":[["a"],{}]}', "\ud800",
                                  '{"done":[["a","b","c"]]}', "[" * 100000])
def test_text_that_no_state_wrote_is_refused_with_our_error(text):
    with pytest.raises(AlipayError, match="cannot be read"):
        from_text(ORDER, text)
