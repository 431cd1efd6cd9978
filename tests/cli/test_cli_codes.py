"""``codes``: the catalogue, in English with a Chinese gloss."""
import pytest
from cli_samples import load

from alipay_mapi.error_codes import CODES


def test_one_code_is_explained_in_both_languages(run):
    ran = run("codes", "ILLEGAL_SIGN")
    assert ran.code == 0
    assert "签名不正确" in ran.out and "wrong key" in ran.out


def test_all_codes_are_listed(run):
    ran = run("codes", "--json")
    assert {row["code"] for row in load(ran)["codes"]} == set(CODES)
    assert set(load(ran)["codes"][0]) == {"code", "meaning", "fault", "retry", "gloss_zh"}


def test_a_search_finds_by_name_meaning_or_gloss(run):
    for text in ("ILLEGAL_SIGN", "pre-sign", "签名不正确"):
        assert "ILLEGAL_SIGN" in [row["code"] for row in load(run("codes", "--search", text, "--json"))["codes"]]


def test_a_search_without_a_hit_is_no_error(run):
    ran = run("codes", "--search", "no such thing")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("0 of ")


def test_a_search_as_json_says_nothing_on_stderr(run):
    ran = run("codes", "--search", "no such thing", "--json")
    assert (ran.code, ran.err, load(ran)["codes"]) == (0, "", [])


def test_an_unknown_code_is_explained_as_unknown(run):
    ran = run("codes", "BRAND_NEW_CODE", "--json")
    assert ran.code == 0
    assert load(ran)["known"] is False and load(ran)["retry"] == "query"
    told = run("codes", "BRAND_NEW_CODE").out
    assert "no page" in told and "fault" not in told


def test_a_code_of_a_family_is_explained(run):
    ran = run("codes", "ROYALTY_BRAND_NEW")
    assert ran.code == 0 and "whose fault" in ran.out


@pytest.mark.parametrize("code, meant", [
    ("illegal_sign", "ILLEGAL_SIGN"), ("ILEGAL_SIGN", "ILLEGAL_SIGN"), ("Trade_Not_Exist", "TRADE_NOT_EXIST"),
    ("SYSTEM_EROR", "SYSTEM_ERROR"),
])
def test_a_misspelt_code_is_not_explained_as_alipays_fault(run, code, meant):
    ran = run("codes", code)
    assert (ran.code, ran.out) == (2, "")
    assert "(meant {}?)".format(meant) in ran.err


@pytest.mark.parametrize("code", ["", " ", "no code", "BRAND_NEW\x1b[31m", "A" * 65, "签名不正确", "ROYALTY_ x"])
def test_what_is_no_code_is_a_usage_error(run, code):
    ran = run("codes", code)
    assert (ran.code, ran.out) == (2, "")
    assert "\x1b" not in ran.err and "--search" in ran.err


def test_a_code_and_a_search_do_not_go_together(run):
    assert run("codes", "A", "--search", "B").code == 2


def test_every_word_for_a_repetition_has_its_sentence():
    from alipay_mapi.cli.codes import RETRY
    from alipay_mapi.error_codes import RETRIES
    assert set(RETRY) == set(RETRIES)
