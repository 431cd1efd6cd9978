"""Whatever a stranger posts and whatever a shop passes: a verdict, a URL or one of our errors."""
import warnings

from hypothesis import given
from hypothesis import strategies as st
from old_package import EMAIL, KEY, PID, Script, notification, params_of, sign_of

from alipay_mapi.compat import comparing
from alipay_mapi.compat.lxneng import Alipay, AlipayException, WapAlipay

# The last field of a call that Python itself refuses is self: of the published classes too.
TEXT = st.text(st.characters(), max_size=40)
NAMES = st.sampled_from(["sign", "sign_type", "notify_id", "notify_data", "sec_id", "service", "v", "is_success",
                         "seller_id", "seller_email", "subject", "_input_charset", "this", "", "a&b"]) | TEXT
FIELDS = st.dictionaries(NAMES, TEXT | st.lists(TEXT, max_size=2) | st.none() | st.integers(), max_size=6)
VALUES = st.one_of(TEXT, st.none(), st.integers(), st.floats(), st.booleans(), st.binary(max_size=5), st.lists(TEXT),
                   st.decimals())


def quietly(call, **kw):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(**kw)


@given(fields=FIELDS)
def test_what_a_stranger_posts_is_false(fields):
    for shop in (Alipay(PID, KEY, EMAIL, transport=Script(b"true")),
                 WapAlipay(PID, KEY, EMAIL, transport=Script(b"true"))):
        assert quietly(shop.verify_notify, **fields) is False


@given(name=st.sampled_from(sorted(set(notification()) - {"sign", "sign_type"})), text=TEXT)
def test_a_changed_field_is_false(name, text):
    fields = notification()
    if text != fields[name]:
        shop = Alipay(PID, KEY, EMAIL, transport=Script(b"true"))
        assert quietly(shop.verify_notify, **dict(fields, **{name: text})) is False


@given(params=st.dictionaries(st.sampled_from(["subject", "body", "total_fee", "out_trade_no", "notify_url", "x"]),
                              VALUES))
def test_a_call_gives_a_url_whose_sign_fits_or_an_error_of_ours(params):
    shop = Alipay(PID, KEY, EMAIL)
    try:
        url = quietly(shop.create_direct_pay_by_user_url, **params)
    except AlipayException:
        return
    sent = params_of(url)
    assert sent["sign"] == sign_of(sent) and all(value != "" for value in sent.values())


@given(old=TEXT, new=TEXT)
def test_two_texts_can_always_be_compared(old, new):
    for compare in (comparing.of_urls, comparing.of_xml, comparing.of_values):
        found = compare(old, new)
        assert old != new or found == []
        assert all("\n" not in part for one in found for part in one)
