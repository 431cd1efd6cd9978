"""How arguments are read: no secret among them, no abbreviation, nothing of a value in a message."""
import pytest

from alipay_mapi.cli import options
from alipay_mapi.errors import InvalidRequest


@pytest.mark.parametrize("argv", [
    ["--md5-key", "S3CRET", "url", "x"], ["url", "x", "--md5-key=S3CRET"], ["query", "--private-key", "S3CRET"],
    ["query", "--alipay-public-key=S3CRET"], ["codes", "--secret=S3CRET"], ["codes", "--secret", "S3CRET", "S3CRET"],
    ["url", "x", "S3CRET"], ["url", "x", "--md5-key-fil=S3CRET"], ["url", "x", "--md5-ke", "S3CRET"],
])
def test_T84_a_secret_given_as_a_flag_is_refused_and_not_repeated(run, argv):
    ran = run(*argv)
    assert ran.code == 2
    assert "S3CRET" not in ran.out + ran.err


def test_the_refusal_of_a_secret_flag_says_where_it_may_stand(run):
    ran = run("query", "--md5-key=x")
    assert "--md5-key-file" in ran.err and "ALIPAY_MAPI_MD5_KEY" in ran.err


def test_common_options_may_stand_before_or_after_the_command(run):
    before, after = run("--json", "codes", "SYSTEM_ERROR"), run("codes", "SYSTEM_ERROR", "--json")
    assert before.out == after.out
    assert before.out.startswith("{")


def test_options_are_not_abbreviated(run):
    assert run("codes", "--sear", "refund").code == 2


def test_an_unknown_command_is_a_usage_error(run):
    ran = run("pay")
    assert ran.code == 2
    assert "invalid choice" in ran.err and ran.out == ""


@pytest.mark.parametrize("argv", [[], ["keys"], ["verify"], ["config"]])
def test_without_a_command_the_help_is_shown_on_stderr(run, argv):
    ran = run(*argv)
    assert ran.code == 2 and ran.out == ""
    assert ran.err.startswith("examples:")


@pytest.mark.parametrize("argument", ["subject", "=x"])
def test_a_parameter_that_is_no_pair_is_refused(argument):
    with pytest.raises(InvalidRequest, match="name=value"):
        options.pairs([argument])


def test_a_parameter_given_twice_is_refused():
    with pytest.raises(InvalidRequest, match="twice"):
        options.pairs(["a=1", "a=2"])


def test_only_the_first_equals_sign_parts_name_and_value():
    assert options.pairs(["return_url=https://x.example/?a=b"]) == {"return_url": "https://x.example/?a=b"}


def test_text_that_python_took_for_ascii_is_read_as_utf8():
    assert options.text("茶") == "茶"


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(InvalidRequest, match="UTF-8"):
        options.text("\udcff\udcfe")
