import doctest
import io
import json
import os
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alipay_mapi import error_code_table, error_codes
from alipay_mapi.error_codes import CODES, FAULTS, RETRIES, ErrorCode, describe, file_failure

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures", "error_codes")


def read(name):
    with io.open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


def no_doubles(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


PAGES = json.loads(read("pages.json"), object_pairs_hook=no_doubles)
EMPTY = PAGES["file_failures"]["empty_file"]
FAILURES = PAGES["file_failures"]["failures"]
PREFIX = PAGES["file_failures"]["prefix"]


# --- the table against the pages --------------------------------------------------------------------------------

def test_the_catalogue_has_exactly_the_codes_of_the_pages():
    assert sorted(CODES) == sorted(PAGES["codes"])


def test_there_are_195_codes_on_the_pages_in_the_fixture_and_in_the_table():
    assert len(CODES) == len(PAGES["codes"]) == PAGES["count"] == 195
    assert sum(len(rows) for _, _, rows in error_code_table.GROUPS) == 195      # no row hides another


def test_the_count_made_by_hand_is_the_same():
    rows = re.findall(r"^\| (?:global|domestic) .* \| (\d+) \|$", read("README.md"), re.M)
    assert len(rows) == 20
    assert sum(map(int, rows)) == 195


def test_every_code_of_the_fixture_names_its_sections():
    for code, sections in PAGES["codes"].items():
        assert sections, code
        assert all(re.match(r"(global|domestic) (\d|appendix )", section) for section in sections), code


def test_the_families_are_those_of_the_pages():
    assert sorted(row[0] + "*" for row in error_code_table.FAMILIES) == sorted(PAGES["families"])
    assert len(PAGES["families"]) == 2


def test_no_family_covers_a_code_that_a_page_spells_out():
    for prefix, _, _, _, _ in error_code_table.FAMILIES:
        assert not [code for code in CODES if code.startswith(prefix)]


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_row_has_a_sentence_a_gloss_a_fault_and_a_retry(code):
    row = CODES[code]
    assert row.code == code and describe(code) is row
    assert re.match(r"[A-Z].*[^. ]\.$", row.meaning) and "\n" not in row.meaning
    assert re.search("[\u4e00-\u9fff]{2}", row.gloss_zh)
    assert row.fault in FAULTS and row.retry in RETRIES


def test_every_fault_and_every_retry_is_used():
    assert {row.fault for row in CODES.values()} == set(FAULTS)
    assert {row.retry for row in CODES.values()} == set(RETRIES)


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        CODES["ILLEGAL_SIGN"] = None
    with pytest.raises(AttributeError):
        CODES["ILLEGAL_SIGN"].retry = "later"


# --- what the pages say about single codes ----------------------------------------------------------------------

@pytest.mark.parametrize("code", ["SYSTEM_ERROR", "SYSTEM_EXCEPTION", "UNKNOW", "0000"])
def test_after_an_unknown_outcome_the_cure_is_a_query(code):
    """global 3.12, 3.20, 6.1: query, never a second payment with a new id."""
    assert (describe(code).fault, describe(code).retry) == ("alipay", "query")


@pytest.mark.parametrize("code", ["TRADE_NOT_EXIST", "TRADE_IS_NOT_EXIST", "TRANS_NOT_FOUND"])
def test_a_trade_that_does_not_exist_yet_is_waited_for(code):
    """global 3.5, 6.1; domestic 3.1: no trade exists before the buyer has logged in."""
    assert describe(code).retry == "wait"


def test_a_refund_asked_for_twice_is_done():
    """global 6.3: treat as "already asked"."""
    assert describe("REPEATED_REFUNDMENT_REQUEST").retry == "done"
    assert describe("REPEATED_REFUND_MENT_REQUEST_TO_ONE_TRADE").retry == "done"


@pytest.mark.parametrize("code", [
    "ILLEGAL_SIGN", "INVALID_PARAMETER", "ILLEGAL_ARGUMENT", "ILLEGAL_PARTNER", "ILLEGAL_EXTERFACE",
    "ILLEGAL_PARTNER_EXTERFACE", "ILLEGAL_SIGN_TYPE", "HAS_NO_PRIVILEGE",
])
def test_configuration_is_fixed_not_repeated(code):
    """global 3.12: fix configuration, not retryable."""
    assert describe(code).fault in ("request", "merchant")
    assert describe(code).retry == "no"


@pytest.mark.parametrize("code", [
    "TRADE_BUYER_NOT_MATCH", "TRADE_HAS_CLOSE", "BUYER_BALANCE_NOT_ENOUGH", "BEYOND_PAY_RESTRICTION",
])
def test_what_is_final_for_an_order_is_not_repeated(code):
    """global 3.12: final for this order, new order id or other means."""
    assert describe(code).fault in ("buyer", "trade")
    assert describe(code).retry == "no"


def test_trade_not_exist_of_the_query_is_not_trade_not_exists_of_the_refund():
    """domestic appendix, note."""
    assert describe("TRADE_NOT_EXIST").retry == "wait"
    assert describe("TRADE_NOT_EXISTS").retry == "no"


@pytest.mark.parametrize("code", ["ROYALTY_FORMAT_ERROR", "NEED_CTU_CHECK_PARAMETER_ERROR"])
def test_a_code_of_a_family_is_known_by_its_prefix(code):
    row = describe(code)
    assert row.code == code
    assert (row.fault, row.retry) == ("request", "no")
    assert "unknown" not in row.meaning


def test_royaltyer_is_not_of_the_royalty_family():
    assert describe("ROYALTYER_NOT_SIGN_PROTOCOL").fault == "merchant"


# --- anything else ----------------------------------------------------------------------------------------------

class Rude:
    """Whatever one does with it, it raises."""

    def _raise(self, *args):
        raise RuntimeError("no")

    __str__ = __repr__ = __hash__ = __eq__ = __bool__ = __len__ = __iter__ = __getitem__ = _raise


class RudeText(str):
    def _raise(self, *args):
        raise RuntimeError("no")

    __str__ = __repr__ = __hash__ = __eq__ = __getitem__ = startswith = _raise


ODD = [None, "", b"ILLEGAL_SIGN", b"\xff" * 100, bytearray(b"\xb2\xe2"), 0, 10 ** 6000, float("nan"), [], {}, object,
       Rude(), RudeText("NEW_CODE"), "x" * 2 ** 20, "ROYALTY_" + "x" * 2 ** 20, "illegal_sign",
       "ILLEGAL_SIGN\r\nforged", "\ud800", "\x00\u202e\u2028", "系统错误", "ROYALTY_\n"]


def check(row):
    assert isinstance(row, ErrorCode)
    assert len(row.code) <= 800                     # 64 characters of at most 10 when escaped, and the mark of the cut
    assert row.code.isprintable()
    assert row.fault in FAULTS and row.retry in RETRIES


@pytest.mark.parametrize("code", ODD, ids=range(len(ODD)))
def test_an_odd_code_is_described_and_never_raises(code):
    check(describe(code))


@pytest.mark.parametrize("code", ["BRAND_NEW", None, b"ILLEGAL_SIGN", "illegal_sign", " ILLEGAL_SIGN", 1])
def test_an_unknown_code_says_so_and_asks_for_a_query(code):
    row = describe(code)
    assert row.meaning.startswith("unknown to this library")
    assert (row.fault, row.retry) == ("alipay", "query")


def test_an_unknown_code_cannot_forge_a_log_line():
    assert describe("A\r\nB").code == "A\\r\\nB"
    assert describe("ROYALTY_\n").code == "ROYALTY_\\n"
    assert describe("x" * 2 ** 20).code == "x" * 64 + "…"
    assert describe(b"A\nB").code == "A\\nB"
    assert describe(b"\xff").code == "\\xff"


def test_text_of_a_subclass_as_xml_libraries_give_it_is_looked_up():
    assert describe(RudeText("ILLEGAL_SIGN")) is CODES["ILLEGAL_SIGN"]


ANYTHING = st.one_of(
    st.text(), st.binary(), st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.text()),
    st.text(st.characters(whitelist_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=80),
    st.builds("{}{}".format, st.sampled_from(sorted(CODES) + ["ROYALTY_", "NEED_CTU_CHECK_"]), st.text(max_size=5)),
)


@given(ANYTHING)
@example("\ud800" * 100)
def test_whatever_the_code_describe_never_raises(code):
    check(describe(code))


@given(st.one_of(st.text(), st.binary()))
@example(b"\xff" * 300)
@example(PREFIX)
@example(PREFIX + "\ud800")
def test_whatever_the_body_file_failure_never_raises(body):
    failure = file_failure(body)
    assert failure is None or failure.fault in FAULTS and failure.retry in RETRIES


# --- downloads --------------------------------------------------------------------------------------------------

def test_the_download_failures_are_the_ten_texts_of_the_page():
    assert [row[0] for row in error_code_table.FILE_FAILURES if row[1]] == EMPTY
    assert [row[0] for row in error_code_table.FILE_FAILURES if not row[1]] == FAILURES
    assert (len(EMPTY), len(FAILURES)) == (2, 8)


@pytest.mark.parametrize("text", EMPTY + FAILURES)
@pytest.mark.parametrize("shape", [
    "{}", "{}\r\n", PREFIX + "{}", PREFIX + " {}.", "\ufeff" + PREFIX + "{}", "  {}  ",
])
def test_a_download_failure_is_read_in_any_shape(text, shape):
    for body in (shape.format(text), shape.format(text).upper(), shape.format(text).lower(),
                 shape.format(text).encode("utf-8"), bytearray(shape.format(text).encode("utf-8"))):
        failure = file_failure(body)
        assert failure.text == text
        assert failure.empty is (text in EMPTY)
        assert failure.fault in FAULTS and failure.retry in RETRIES
        assert re.match(r"[A-Z].*\.$", failure.meaning)
        assert re.search("[\u4e00-\u9fff]{2}", failure.gloss_zh)


def test_a_failure_that_no_page_lists_is_still_a_failure_and_is_cut():
    failure = file_failure(PREFIX + "Moon in the wrong phase\r\n" + "x" * 10 ** 6)
    assert failure.text.startswith(PREFIX + "Moon in the wrong phase\\r\\n") and failure.text.endswith("…")
    assert (failure.empty, failure.fault, failure.retry) == (False, "alipay", "later")


@pytest.mark.parametrize("body", [
    "", b"", "\n", "A1|10.00|USD|20200101120000||P|0.30|P|\n",
    "A1|10.00|USD|20200101120000||P|0.30|P|System exception\n",
    "20160504|100030|CHF|6.829600|\n", "System exception|10.00|USD|20200101120000||P|0.30|P|\n",
    "System exception\n" + "\n" * 300, "System", "<html>System exception</html>",
])
def test_what_is_not_a_failure_text_is_a_file(body):
    assert file_failure(body) is None


def test_the_examples_in_the_docstrings_run():
    failed, tried = doctest.testmod(error_codes)
    assert tried >= 6 and failed == 0
