"""What is shown of a logged value: no key, no sign, no buyer; a name that nobody lists is not shown at all."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi.migration.logged.showing import shown, shown_content, without_query


@pytest.mark.parametrize("name, value, wanted", [
    ("out_trade_no", "20260131123456789012", "20260131123456789012"), ("subject", "Oolong tea", "Oolong tea"),
    ("subject", "tea for me.me@example.com", "tea for me.***@example.com"),
    ("body", "call 13800138000 now", "call *** now"),
    ("reason", "+86 138 0013 8000", "***"), ("gmt_return", "20261122100000", "20261122100000"),
    ("it_b_pay", "2026-11-22 10:00:00", "2026-11-22 10:00:00"), ("timeout_rule", "12h", "12h"),
    ("sign", "00ff", "********"), ("sign_type", "MD5", "MD5"), ("extern_token", "x", "********"),
    ("buyer_identity_code", "288888888888888888", "********"), ("dynamic_id", "288888888888888888", "********"),
    ("identity_code_type", "barcode", "barcode"), ("card_no", "4111111111111111", "********"),
    ("buyer_email", "forename@example.com", "for***@example.com"), ("buyer_id", "2088102146225135", "208****5135"),
    ("receive_name", "Li Lei", "L***"), ("contact_no", "13800138000", "138****8000"),
    ("exter_invoke_ip", "203.0.113.7", "***"),
    ("split_fund_info", '[{"transIn":"x"}]', "(17 characters)"), ("notify_id", "0123456789abcdef", "012345***"),
    ("notify_url", "https://shop.example/n", "https://shop.example/n"),
    ("return_url", "https://shop.example/r?s=1&t=2", "https://shop.example/r?***"),
    ("return_url", "https://u:p@shop.example/r#frag", "https://***@shop.example/r#***"),
    ("subject", "https://shop.example/?k=v", "https://shop.example/?***"),
    ("my_field", "anything", "***"), ("subject", "", ""), ("subject", "a\x1b[31mb", "a\\x1b[31mb")])
def test_a_value_is_shown_so(name, value, wanted):
    assert shown(name, value) == wanted


def test_an_address_with_an_at_in_its_path_keeps_it():
    assert without_query("https://shop.example/a@b") == "https://shop.example/a@b"


def test_a_built_request_shows_what_its_parameters_may_show():
    params = {"notify_url": "https://s.example/n?k=S3CRET", "contact_no": "13800138000", "total_fee": "8.00",
              "extend_info": '{"store_id":"ST1"}', "x_own": "S3CRET-VALUE"}
    content = {"a": {"url": params["notify_url"], "list": [params["contact_no"]]}, "fee": "800", "store": "ST1",
               "left": "S3CRET-VALUE", "flag": True, "other": "https://s.example/?k=S3CRET"}
    came_from = {"a.url": "notify_url", "a.list.0": "contact_no", "fee": "total_fee", "store": "extend_info.store_id"}
    assert shown_content(content, came_from, params) == {
        "a": {"url": "https://s.example/n?***", "list": ["138****8000"]}, "fee": "800", "store": "ST1", "left": "***",
        "flag": True, "other": "https://s.example/?***"}


@given(st.text(max_size=20), st.text(max_size=200))
def test_any_text_is_shown_as_printable_text(name, value):
    assert shown(name, value).isprintable()


def test_what_was_taken_out_of_a_structure_is_shown_by_its_own_name():
    params, came_from = {"extend_info": '{"contact_no":"13800138000"}'}, {"who": "extend_info.contact_no"}
    assert shown_content({"who": "13800138000"}, came_from, params) == {"who": "138****8000"}
