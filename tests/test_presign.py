"""Names and values → the text that is signed. The expected texts stand in ``fixtures/signing``."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi import presign
from signing_fixtures import names, vectors

SORTED, QUOTED = vectors("presign"), vectors("order_string")
PARAMS = st.dictionaries(st.text("abz_AZ019", min_size=1, max_size=6), st.text(max_size=12), max_size=8)


def test_the_fixtures_are_all_there():
    assert (len(SORTED), len(QUOTED)) == (43, 2)


@pytest.mark.parametrize("row", SORTED, ids=names(SORTED))
def test_every_recorded_presign_string(row):
    assert presign.presign_string(row["params"]) == row["presign"]


@pytest.mark.parametrize("row", SORTED, ids=names(SORTED))
@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_received_bytes_give_the_same_in_any_charset(row, codec):
    """No charset is involved: the bytes are sorted and joined as they came."""
    pairs = [(name.encode("ascii"), value.encode(codec)) for name, value in row["params"].items()
             if name not in ("sign", "sign_type")]
    assert presign.presign_bytes(pairs) == row["presign"].encode(codec)


@pytest.mark.parametrize("row", QUOTED, ids=names(QUOTED))
def test_every_recorded_order_string(row):
    assert presign.quoted_string(dict(row["pairs"])) == row["presign"]


def test_the_order_string_keeps_the_order_it_is_given():
    params = {"service": "s", "_input_charset": "utf-8", "body": "", "sign": "x", "sign_type": "RSA", "a": "1"}
    assert presign.quoted_string(params) == 'service="s"&_input_charset="utf-8"&a="1"'


def test_values_are_raw_and_names_sort_by_ascii():
    params = {"b": "0", "a": "", "c": " x ", "_z": "1", "A": "100% &+=", "a1": "2", "aa": "é"}
    assert presign.presign_string(params) == "A=100% &+=&_z=1&a1=2&aa=é&b=0&c= x "


def test_nothing_gives_an_empty_text():
    assert presign.presign_string({}) == presign.presign_string({"sign": "x", "sign_type": "MD5"}) == ""
    assert presign.presign_bytes([]) == b"" and presign.quoted_string({}) == ""


@given(PARAMS, st.randoms(use_true_random=False))
def test_the_order_of_parameters_does_not_matter(params, random):
    """Property 3."""
    shuffled = list(params.items())
    random.shuffle(shuffled)
    assert presign.presign_string(dict(shuffled)) == presign.presign_string(params)
    encoded = [(name.encode("utf-8"), value.encode("utf-8", "surrogatepass")) for name, value in shuffled]
    assert presign.presign_bytes(encoded) == presign.presign_string(params).encode("utf-8", "surrogatepass")


@given(PARAMS, st.text("abz_AZ019", min_size=1, max_size=6), st.text(max_size=12))
def test_T28_an_empty_parameter_does_not_matter_and_any_other_does(params, name, value):
    """Property 4."""
    without = {key: text for key, text in params.items() if key != name}
    changed = presign.presign_string(dict(without, **{name: value})) != presign.presign_string(without)
    assert changed == (value != "")


@given(PARAMS)
def test_the_callers_dict_is_left_alone(params):
    """Property 8, for this layer."""
    before = dict(params)
    presign.presign_string(params)
    presign.quoted_string(params)
    assert params == before and list(params) == list(before)
