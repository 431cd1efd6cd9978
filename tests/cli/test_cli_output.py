"""The two faces and the JSON object; what is masked, and what never reaches a terminal."""
import io
import json
import re
import sys
from decimal import Decimal
from importlib.util import find_spec

import pytest

from alipay_mapi.cli import layout, main, masking
from alipay_mapi.cli.output import Output
from alipay_mapi.errors import TransportError

needs_rich = pytest.mark.skipif(find_spec("rich") is None, reason="the extra cli (rich) is not installed")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def at_terminal(monkeypatch):
    """``at_terminal()``: from here on stdout is a terminal. Not done at once, since pytest sets stdout anew."""
    monkeypatch.setenv("TERM", "xterm")

    def switch(columns=100):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "stdout", Terminal())
        return sys.stdout
    return switch


FACES = [pytest.param("rich", marks=needs_rich), "plain"]


@pytest.fixture(params=FACES)
def narrow(request, at_terminal, monkeypatch):
    """``narrow("codes", "X")``: what a terminal of 80 columns shows, with rich and without."""
    if request.param == "plain":
        monkeypatch.setenv("NO_COLOR", "1")

    def call(*argv, **options):
        terminal = at_terminal(options.get("columns", 80))
        error = Terminal()
        monkeypatch.setattr(sys, "stderr", error)
        main(list(argv))
        return re.sub("\x1b\\[[0-9;]*m", "", terminal.getvalue()), error.getvalue()
    return call


def too_wide(text, columns):
    return [line for line in text.splitlines() if layout.columns(line) > columns]


def test_a_long_value_stands_whole_on_a_line_of_its_own(narrow, fixtures):
    path = str(fixtures / "keys" / "TEST-ONLY-rsa2048-private.pem")
    key = json_of("keys", "show", path)
    out, _ = narrow("keys", "show", path)
    assert key["fingerprint"] in [line.strip() for line in out.splitlines()]
    assert key["public_key"] in out.splitlines()
    assert [line for line in too_wide(out, 80) if line != key["public_key"]] == []
    out, _ = narrow("doctor", "--partner", "2088101122136241", "--sign-type", "RSA2", "--private-key-file", path)
    assert key["fingerprint"] in [line.strip() for line in out.splitlines()] and too_wide(out, 80) == []


def json_of(*argv):
    plain, sys.stdout = sys.stdout, io.StringIO()
    try:
        main(list(argv) + ["--json"])
        return json.loads(sys.stdout.getvalue())
    finally:
        sys.stdout = plain


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_codes_stay_readable_at_a_narrow_terminal(narrow, columns):
    out, _ = narrow("codes", "--search", "refund", columns=columns)
    assert too_wide(out, columns) == []
    for row in json_of("codes", "--search", "refund")["codes"]:
        assert row["code"] in out
        for word in row["meaning"].split():
            assert word in out.split(), word


def test_rows_that_do_not_fit_are_listed_one_below_the_other(narrow):
    out, _ = narrow("config", "show", "--partner", "2088101122136241", columns=60)
    assert "gateway\n  value    intl (https://intlmapi.alipay.com/gateway.do)\n  source   default\n" in out


def test_the_tour_fits_a_narrow_terminal_except_what_was_signed(narrow):
    out, _ = narrow("tour")
    assert [line[:11].strip() for line in too_wide(out, 80)] == ["https://", "_input_c"]


def test_an_error_is_filled_to_the_terminal(narrow):
    _, error = narrow("codes", "")
    assert error.count("\n") == 2 and too_wide(error, 80) == []


def test_an_error_in_a_pipe_is_one_line(run):
    assert run("codes", "").err.count("\n") == 1


def test_a_stream_that_is_a_terminal_only_by_name_has_a_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert Output(plain=True).width == 100


@needs_rich
def test_a_person_at_a_terminal_gets_colour(at_terminal):
    terminal = at_terminal()
    assert main(["codes", "ILLEGAL_SIGN"]) == 0
    assert "\x1b[" in terminal.getvalue() and "签名不正确" in terminal.getvalue()


@pytest.mark.parametrize("name, value", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_is_off_when_the_environment_says_so(at_terminal, monkeypatch, name, value):
    terminal = at_terminal()
    monkeypatch.setenv(name, value)
    assert main(["codes", "ILLEGAL_SIGN"]) == 0
    assert "\x1b" not in terminal.getvalue() and "ILLEGAL_SIGN" in terminal.getvalue()


def test_json_is_plain_at_a_terminal(at_terminal):
    terminal = at_terminal()
    assert main(["codes", "ILLEGAL_SIGN", "--json"]) == 0
    assert json.loads(terminal.getvalue())["code"] == "ILLEGAL_SIGN"


def test_without_rich_a_terminal_gets_plain_text(at_terminal, monkeypatch):
    terminal = at_terminal()
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert main(["tour"]) == 0
    assert "73.82" in terminal.getvalue() and "\x1b" not in terminal.getvalue()


@needs_rich
def test_text_is_not_taken_for_markup(at_terminal):
    terminal = at_terminal()
    out = Output()
    out.table(("name", "value"), [("subject", "[red]tea[/red] :smile: \x1b[31m")])
    out.good("ok", "[bold]x[/bold]")
    assert "[red]tea[/red] :smile: \\x1b[31m" in terminal.getvalue()
    assert "[bold]x[/bold]" in terminal.getvalue()


@needs_rich
def test_a_url_is_printed_in_one_line_however_narrow_the_terminal(at_terminal):
    terminal = at_terminal()
    out = Output()
    out.line("https://x.example/?" + "a" * 500)
    assert terminal.getvalue().count("\n") == 1


def test_a_pipe_gets_aligned_text(capsys):
    Output().table(("code", "gloss"), [("A", "签名"), ("LONGER", "x")])
    assert capsys.readouterr().out == "code     gloss\nA        签名\nLONGER   x\n"


def test_chinese_characters_count_two_columns(capsys):
    Output().table(None, [("签名", "x"), ("abcd", "y")])
    assert capsys.readouterr().out == "签名   x\nabcd   y\n"


def test_json_has_truth_values_and_numbers_and_the_rest_as_text(capsys):
    out = Output(as_json=True)
    out.error(TransportError("x", sent=False, attempts=2, fee=Decimal("1.00"), code=None), 5, "x")
    out.finish()
    assert json.loads(capsys.readouterr().out)["error"] == {
        "class": "TransportError", "message": "x", "exit": 5, "code": None, "sent": False, "attempts": 2, "fee": "1.00"}


def test_json_amounts_stay_text_and_nothing_else_is_printed(capsys):
    out = Output(as_json=True)
    out.heading("x")
    out.good("x", "y")
    out.facts([("a", "b")])
    out.line("z")
    out.data(total_fee="1.00")
    out.finish()
    assert json.loads(capsys.readouterr().out) == {"schema": "alipay-mapi/1", "total_fee": "1.00"}


def test_a_stream_that_takes_itself_for_ascii_gets_utf8(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Output().line("subject=茶")
    sys.stdout.flush()
    assert raw.getvalue() == "subject=茶\n".encode("utf-8")


def test_json_for_an_ascii_stream_is_ascii(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["codes", "ILLEGAL_SIGN", "--json"]) == 0
    assert json.loads(raw.getvalue().decode("ascii"))["gloss_zh"] == "签名不正确"


@pytest.mark.parametrize("name", ["buyer_email", "buyer_id", "receive_mobile", "seller_email"])
def test_what_is_a_persons_is_masked(name):
    assert masking.shown(name, "13800138000") == "138****8000"
    assert masking.shown(name, "13800138000", show_buyer=True) == "13800138000"


def test_lists_of_accounts_are_hidden_whole():
    assert masking.shown("success_details", "0315006^a@b.example^name^1.00") == masking.HIDDEN


def test_what_is_not_a_persons_is_shown():
    assert masking.shown("trade_no", "2018041121001003790200210315") == "2018041121001003790200210315"


@pytest.mark.parametrize("text", ["a@b.example", "ab@b.example", "forename.surname@b.example", "+86-13800138000", "Li"])
def test_the_whole_of_it_is_never_shown(text):
    assert masking.mask(text) != text
    assert text.partition("@")[0] not in masking.mask(text).replace("***", "") or len(text.partition("@")[0]) == 1
