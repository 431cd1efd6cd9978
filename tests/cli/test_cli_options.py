"""How arguments are read: no secret among them, no abbreviation, nothing of a value in a message."""
import pytest

from alipay_mapi.cli import options
from alipay_mapi.errors import InvalidRequest


@pytest.mark.parametrize("argv", [
    ["--md5-key", "S3CRET", "url", "x"], ["url", "x", "--md5-key=S3CRET"], ["query", "--private-key", "S3CRET"],
    ["query", "--alipay-public-key=S3CRET"], ["codes", "--secret=S3CRET"], ["codes", "--secret", "S3CRET", "S3CRET"],
    ["url", "x", "S3CRET"], ["--secret", "S3CRET", "codes"], ["verify", "--order", "S3CRET", "notify"],
    ["query", "S3CRET"], ["codes", "A", "S3CRET"], ["--partner", "S3CRET", "codes"],
    ["url", "single_trade_query", "out_trade_n=S3CRET"], ["url", "single_trade_query", "--extra", "S3CRET"],
    ["url", "x", "--md5-key-fil=S3CRET"], ["url", "x", "--md5-ke", "S3CRET"],
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


@pytest.mark.parametrize("argv, words", [
    (["pay"], ["pay: no command of alipay-mapi", "--help"]),
    (["docter"], ["(meant doctor?)", "see alipay-mapi --help"]),
    (["verify", "notfy"], ["(meant notify?)", "see alipay-mapi verify --help"]),
    (["--json", "--partner", "1", "kyes"], ["(meant keys?)"]),
])
def test_an_unknown_command_is_a_usage_error_that_names_the_nearest(run, argv, words):
    ran = run(*argv)
    assert ran.code == 2
    for word in words:
        assert word in ran.err + ran.out


@pytest.mark.parametrize("argv, words", [
    (["verify", "notify", "--ordr", "x"], ["unknown option --ordr (meant --order?)", "see alipay-mapi verify notify"]),
    (["query", "--out-tradeno=x"], ["(meant --out-trade-no?)"]),
    (["codes", "--partner", "1"], ["unknown option --partner", "see alipay-mapi codes --help"]),
    (["--partner", "1", "codes"], ["unknown option --partner", "see alipay-mapi codes --help"]),
    (["--out-trade-no", "A1", "query"], ["unknown option --out-trade-no; options of a command go behind it"]),
    (["verify", "--order", "A1,1.00", "notify"], ["options of a command go behind it"]),
])
def test_an_unknown_option_names_the_nearest_and_the_help(run, argv, words):
    ran = run(*argv)
    assert ran.code == 2
    for word in words:
        assert word in ran.err


def test_options_of_the_merchant_may_stand_before_the_command_too(run, ini):
    before = run("--partner", "2088101122136249", "--config", ini, "config", "show")
    assert before.code == 0 and "2088101122136249" in before.out
    assert before.out == run("config", "show", "--partner", "2088101122136249", "--config", ini).out
    assert run("--partner", "1", "config", "show", "--partner", "2").out.count(" 2 ") == 1


def test_options_of_the_merchant_are_not_in_the_help_of_the_whole(run):
    assert "--partner" not in run("--help").out and "--partner" in run("query", "--help").out


@pytest.mark.parametrize("argv", [["query", "A1"], ["refund", "A1"]])
def test_a_number_without_its_option_says_which_option(run, argv):
    ran = run(*argv)
    assert ran.code == 2 and "1 argument(s) too many" in ran.err
    assert "option" in ran.err if argv[0] == "refund" else "--out-trade-no" in ran.err


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
