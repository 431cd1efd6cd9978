"""The table of fields: values that recorded requests carry keep their rules, and near misses do not."""
import json
import re
from pathlib import Path

import pytest

from alipay_mapi import amounts, signing
from alipay_mapi.fields import AMOUNT, FIELDS, IN_CURRENCY, JSON, NAMES, TEXT

ROOT = Path(__file__).resolve().parent.parent
RECORDED = json.loads((ROOT / "fixtures" / "requests" / "urls.json").read_text(encoding="utf-8"))["vectors"]
ANSWERS = json.loads((ROOT / "fixtures" / "xml" / "index.json").read_text(encoding="utf-8"))["answers"]


def test_the_values_of_recorded_requests_keep_the_rules():
    """Other people's requests, accepted by Alipay or signed in their tests."""
    broken = [(row["id"], name) for row in RECORDED if "breaks" not in row for name, value in row["params"].items()
              if name in FIELDS and not FIELDS[name].match(value)]
    assert broken == []


def test_every_element_of_recorded_query_answers_is_a_name_of_the_protocol():
    """So that none of them can hide behind an & in a signed text."""
    names = {name for row in ANSWERS if row.get("container") == "trade" for name in row["elements"]}
    assert len(names) > 20 and names - NAMES == set()


@pytest.mark.parametrize("name", ["sign", "sign_type", "service", "partner", "_input_charset", "total_fee", "rmb_fee",
                                  "trade_no", "trade_status", "out_trade_no", "notify_id", "seller_id", "currency",
                                  "refund_status", "is_success", "notify_type", "gmt_payment"])
def test_T16_the_names_that_matter_are_behind_the_cut_rule(name):
    """Hostile: the name behind an &. The genuine twin is a shop's own pair."""
    assert name in NAMES and signing.find_cut("x&" + name + "=1") == name
    assert signing.find_cut("x&my_" + name + "=1") is None and signing.find_cut("uid=5&ref=home") is None


def test_a_rule_says_what_it_wants_and_shows_in_repr():
    for name, field in FIELDS.items():
        assert field.name == name and field.rule and name in repr(field)


def test_no_rule_takes_an_empty_value_a_nul_or_a_lone_surrogate_in_an_id():
    for field in FIELDS.values():
        assert not field.match("") and not field.match("\x00") and not field.match("a\x00")
        if field.kind not in (TEXT, JSON):
            assert not field.match("\ud800") and not field.match("１") and not field.match("1\n")


def test_free_text_has_no_quotation_mark_and_no_control_characters():
    for field in FIELDS.values():
        if field.kind == TEXT:
            assert field.match("Tea, 茶 & 'cake'\r\n\t<1>")
            assert not any(field.match("a" + bad) for bad in '"\x00\x08\x0b\x1b\x7f')


def test_lengths_are_counted_in_characters():
    assert FIELDS["subject"].match("茶" * 256) and not FIELDS["subject"].match("茶" * 257)
    assert FIELDS["out_trade_no"].match("a" * 64) and not FIELDS["out_trade_no"].match("a" * 65)
    assert FIELDS["notify_url"].match("https://" + "a" * 192) and not FIELDS["notify_url"].match("https://" + "a" * 193)


def test_every_amount_in_the_currency_is_an_amount():
    for name in IN_CURRENCY:
        assert FIELDS[name].kind == AMOUNT
    for field in FIELDS.values():
        if field.kind == AMOUNT:
            for text in ("0.01", "12", "100000000.00"):
                assert field.match(text) and str(amounts.parse_amount(text)) == text
            assert not any(field.match(text) for text in ("1.001", "-1", "1e1", "", "01", "１"))


@pytest.mark.parametrize("name, good, bad", [
    ("timestamp", ["2026-01-31 23:59:59", "1540549333201"], ["2026-01-31", "2026-13-01 00:00:00",
                                                             "2026-01-31 24:00:00"]),
    ("gmt_return", ["20150320120000", "2015-03-20 12:00:00"], ["20150320", "20151320120000"]),
    ("it_b_pay", ["30m", "15d", "1c", "2026-01-31 23:59:59"], ["1.5h", "0m", "m", "30"]),
    ("notify_id", ["RqPnCoPT3K9%2Fvwbh3I%2BFioE", "a+b/c=", "0" * 256], ["a&b", "a b", "a#b", "a?b", "0" * 257]),
    ("return_url", ["http://63a62ee5.ngrok.io", "https://a/?b=c&d=e#f"],
     ["https://", "//a", "https://a b", "https://ü"]),
    ("partner", ["2088101122136241"], ["2088a", "", "2088 "]),
    ("sign_type", ["MD5", "RSA", "RSA2", "DSA"], ["md5", "RSA3", "NONE"]),
    ("service", ["alipay.overseas.secmerchant.online.maintain", "notify_verify"], [".a", "1a", "a b", "a&b"]),
])
def test_single_rules(name, good, bad):
    assert [text for text in good if not FIELDS[name].match(text)] == []
    assert [text for text in bad if FIELDS[name].match(text)] == []


def test_patterns_do_not_backtrack_into_a_stall():
    for field in FIELDS.values():
        for text in ("a" * 50000 + "\x00", " " * 50000, "9" * 50000 + "x", "https://" + "a/" * 25000 + " "):
            assert not field.match(text) or field.name == "detail_data"    # a batch of 1,000 is long


def test_names_are_plain_words():
    assert [name for name in NAMES if not re.fullmatch("[a-z_][a-zA-Z_]*", name)] == []
