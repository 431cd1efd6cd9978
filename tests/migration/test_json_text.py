"""``json_text.py``: what two readers could read in two ways is refused, and what is sent is what was signed."""
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.errors import AlipayError, BodyTooLarge, CharsetError, DuplicateParameter, InvalidRequest
from alipay_mapi.migration import json_text
from alipay_mapi.migration.errors import NotJSON


def nested(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize("raw, value", [
    (b"{}", {}), (b' {"a" : "b"}\r\n', {"a": "b"}),
    (b'{"a":1.10,"b":-0,"c":1E2}', {"a": "1.10", "b": "-0", "c": "1E2"}),
    (b'{"a":[1,[],{}]}', {"a": ("1", (), {})}), (b'{"a":true,"b":null}', {"a": True, "b": None}),
    (b'{"a":"\\u8336"}', {"a": "茶"}), (b'{"a":"\\ud83c\\udf75"}', {"a": "\U0001f375"}),
    (b'{"a":{"b":1},"c":{"b":2}}', {"a": {"b": "1"}, "c": {"b": "2"}}),
    (b'{"a":"' + b"{[" * 40 + b'"}', {"a": "{[" * 40}), (b'{"a":"\\"' + b"{" * 40 + b'"}', {"a": '"' + "{" * 40})])
def test_an_object_is_read_with_its_numbers_as_text(raw, value):
    assert json_text.parse(raw) == value


@pytest.mark.parametrize("raw, error", [
    (b'{"a":1,"a":1}', DuplicateParameter), (b'{"a":1,"\\u0061":2}', DuplicateParameter),
    (b'{"b":[{"a":1,"a":2}]}', DuplicateParameter),
    (b'{"a":NaN}', NotJSON), (b'{"a":[Infinity]}', NotJSON), (b'{"a":-Infinity}', NotJSON),
    (b'{"a":"\\ud800"}', NotJSON), (b'{"a":["\\udfff"]}', NotJSON), (b'{"\\ud800":1}', NotJSON),
    (b'{"a":"\xff"}', CharsetError), (b'{"a":"\xed\xa0\x80"}', CharsetError), ("{}".encode("utf-16"), CharsetError),
    (b"\xef\xbb\xbf{}", NotJSON), (b"", NotJSON), (b"null", NotJSON), (b"[]", NotJSON), (b'"{}"', NotJSON),
    (b"1", NotJSON),
    (b"{}{}", NotJSON), (b"{'a':1}", NotJSON), (b'{"a":1,}', NotJSON), (b'{"a":01}', NotJSON), (b'{"a":"\n"}', NotJSON),
    (b"<html>", NotJSON), (b'{"a":' * 100000, NotJSON)])
def test_anything_that_is_not_one_plain_object_is_refused(raw, error):
    with pytest.raises(error) as caught:
        json_text.parse(raw)
    assert type(caught.value) is error


def test_objects_may_stand_in_one_another_only_so_deep():
    value = json_text.parse(nested(json_text.MAX_DEPTH))
    for _ in range(json_text.MAX_DEPTH):
        value = value["a"]
    assert value == "1"
    for raw in (nested(json_text.MAX_DEPTH + 1), b'{"a":' + b"[" * 40 + b"]" * 40 + b"}"):
        with pytest.raises(NotJSON, match="deeper"):
            json_text.parse(raw)


def test_a_body_may_be_so_long_and_no_longer():
    raw = b'{"a":"' + b"x" * (json_text.MAX_BYTES - 8) + b'"}'
    assert len(json_text.parse(raw)["a"]) == json_text.MAX_BYTES - 8
    with pytest.raises(BodyTooLarge):
        json_text.parse(raw + b" ")


def test_what_was_verified_cannot_be_changed_afterwards():
    value = json_text.parse(b'{"a":{"b":1},"c":[{"d":2}]}')
    for place in (value, value["a"], value["c"][0]):
        with pytest.raises(TypeError):
            place["x"] = "y"
    assert isinstance(value["c"], tuple)


def test_an_error_shows_nothing_of_the_body():
    for raw in (b'{"secret":NaN}', b'{"a":"secret"', b'{"a":"secret\xff"}', b'{"a":"secret","a":"secret"}'):
        with pytest.raises(AlipayError) as caught:
            json_text.parse(raw)
        assert "secret" not in str(caught.value) and caught.value.__context__ is None


@pytest.mark.parametrize("value, raw", [
    ({"b": 1, "a": "茶"}, '{"b":1,"a":"茶"}'), ({"a": ["1", {"b": "/"}]}, '{"a":["1",{"b":"/"}]}'), ({}, "{}")])
def test_what_is_sent_is_compact_utf_8_in_the_order_given(value, raw):
    assert json_text.dump(value) == raw.encode("utf-8")


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": float("inf")}, {"a": "\ud800"}, {"a": b"x"}, {"a": {1}}])
def test_what_json_cannot_hold_is_not_sent(value):
    with pytest.raises(InvalidRequest) as caught:
        json_text.dump(value)
    assert caught.value.__context__ is None


@settings(max_examples=settings.default.max_examples // 3)
@given(st.recursive(st.none() | st.booleans() | st.text(st.characters(blacklist_categories=("Cs",)), max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.text(st.characters(blacklist_categories=("Cs",)), max_size=3), inner, max_size=3)))
def test_what_we_write_the_standard_library_and_we_read_alike(value):
    raw = json_text.dump({"value": value})
    assert json.loads(raw.decode("utf-8")) == {"value": value}
    assert _thawed(json_text.parse(raw)) == {"value": value}


@settings(max_examples=settings.default.max_examples // 3)
@given(st.binary(max_size=40) | st.text("{}[]\",:\\1Nae.", max_size=40).map(str.encode))
def test_any_bytes_are_an_object_or_one_of_our_errors(raw):
    try:
        json_text.parse(raw)
    except AlipayError:
        pass


def _thawed(value):
    if isinstance(value, tuple):
        return [_thawed(item) for item in value]
    return {name: _thawed(value[name]) for name in value} if hasattr(value, "keys") else value


@pytest.mark.parametrize("body", [b'{"' + b'\\"' * 300000, b'{"' + b'\\"' * 300000 + b"\\", b'{' + b'"' * 600001])
def test_a_string_that_does_not_end_is_read_in_the_time_of_its_length(body):
    """Hostile: each quote began the search anew, and 64 KB took a quarter of a minute."""
    with pytest.raises(NotJSON):
        json_text.parse(body)
