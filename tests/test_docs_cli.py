"""``docs/cli.md`` and ``docs/configuration.md`` are true: every block is run, every command and option is there.

A block `````console`` is typed into the command line, in a folder that holds the files of the blocks which have a
name behind their language. The gateway of the pages is in memory and answers as :func:`answer` says. A line of output
that is ``...``, or holds it, matches anything there.
"""
import doctest
import hashlib
import io
import os
import re
import shlex
import sys
from urllib.parse import parse_qsl

import pytest

from alipay_mapi import client, transport
from alipay_mapi import merchant_settings
from alipay_mapi.cli import build_parser, exits, main, options, settings

PAGES = ("cli.md", "configuration.md")
MD5_KEY = "TESTONLYdocs0key0TESTONLYdocs012"
_BLOCK = re.compile(r"^```([a-z][^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def page(checkout):
    return {name: (checkout / "docs" / name).read_text(encoding="utf-8") for name in PAGES}


def commands(block):
    """(command, wanted output) of a console block."""
    found = []
    for line in block.splitlines(True):
        if line.startswith("$ "):
            found.append([line[2:].strip(), ""])
        elif line.startswith("> "):
            found[-1][0] = found[-1][0].rstrip("\\") + line[2:].strip()
        else:
            found[-1][1] += line
    return found


def answer(self, call):
    """The gateway of these pages."""
    asked = dict(parse_qsl((call.body or b"").decode("ascii") or call.url.partition("?")[2]))
    if asked["service"] == "notify_verify":
        body = "true"
    elif asked["service"] == "forex_refund":
        body = "<alipay><is_success>T</is_success></alipay>"
    elif asked["out_trade_no"] != "A1":
        body = "<alipay><is_success>F</is_success><error>TRADE_NOT_EXIST</error></alipay>"
    else:
        trade = {"buyer_email": "forename@example.com", "out_trade_no": "A1", "total_fee": "87.45",
                 "trade_no": "2026112121001000000200000001", "trade_status": "TRADE_FINISHED"}
        text = "&".join("{}={}".format(name, trade[name]) for name in sorted(trade))
        body = "<alipay><is_success>T</is_success><response><trade>{}</trade></response><sign>{}</sign>" \
               "<sign_type>MD5</sign_type></alipay>".format(
                   "".join("<{0}>{1}</{0}>".format(*pair) for pair in trade.items()),
                   hashlib.md5((text + MD5_KEY).encode()).hexdigest())
    return transport.Answer(200, "text/xml", body.encode("ascii"))


class Screen(io.StringIO):
    encoding = "utf-8"


class Shell:
    """Just enough of one for the pages: ``NAME=value``, ``alipay-mapi …``, ``< file``, ``; echo $?``."""

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch

    def run(self, command):
        """What a terminal would show."""
        command, _, tell = command.partition(" ; ")
        words, stdin, environ = shlex.split(command), b"", {}
        if "<" in words:
            with open(words[words.index("<") + 1], "rb") as file:
                stdin = file.read()
            words = words[:words.index("<")]
        while re.match("[A-Z_]+=", words[0]):
            name, _, value = words.pop(0).partition("=")
            environ[name] = value
        assert words.pop(0) == "alipay-mapi", command
        screen = Screen()
        with self.monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
            patch.setattr(sys, "stdout", screen)
            patch.setattr(sys, "stderr", screen)
            code = main(words)
        assert tell in ("", "echo $?"), command
        return screen.getvalue() + ("{}\n".format(code) if tell else "")


@pytest.fixture
def shell(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("ALIPAY_MAPI_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(transport.RequestsTransport, "send", answer)
    monkeypatch.setattr(client, "_pause", lambda attempt, hosts: 0.0)
    return Shell(monkeypatch)


@pytest.mark.parametrize("name", PAGES)
def test_every_block_does_what_it_shows(page, shell, tmp_path, fixtures, name):
    if name != "cli.md":    # which makes its own
        for key, file in (("TEST-ONLY-rsa2048-private.pem", "shop.pem"),
                          ("TEST-ONLY-rsa2048-other-public.pem", "alipay.pem.pub")):
            (tmp_path / file).write_bytes((fixtures / "keys" / key).read_bytes())
            (tmp_path / file).chmod(0o600)
    checker, ran = doctest.OutputChecker(), 0
    for info, block in _BLOCK.findall(page[name]):
        if info == "console":
            for command, wanted in commands(block):
                shown = shell.run(command)
                assert checker.check_output(wanted, shown, doctest.ELLIPSIS), "{}\n{}".format(command, shown)
                ran += 1
        else:
            language, _, file = info.partition(" ")
            assert language in ("ini", "text") and file, "a block that nothing runs: {!r}".format(info)
            (tmp_path / file).write_text(block, encoding="utf-8")
            (tmp_path / file).chmod(0o600)
    assert ran > 4


def every_parser(parser=None, path=()):
    parser = parser or build_parser()
    found = [(path, parser)] if path else []
    for action in parser._actions:
        if action.__class__.__name__ == "_SubParsersAction":
            for name, below in action.choices.items():
                found += every_parser(below, path + (name,))
    return found


def spelled(action):
    """An option as the page writes it: ``--config FILE``; of a positional argument its name."""
    if not action.option_strings:
        return action.metavar or action.dest
    long = action.option_strings[-1]
    if action.nargs == 0:
        return long
    return "{} {}".format(long, action.metavar or "|".join(str(choice) for choice in action.choices))


def own_actions(parser):
    """Those that are this command's alone."""
    shared = {action.dest for parent in (options.common(), options.shop()) for action in parent._actions}
    return [action for action in parser._actions
            if action.dest not in shared | {"help"} and action.__class__.__name__ != "_SubParsersAction"]


def section(text, heading):
    """The text below a heading, up to the next one."""
    match = re.search(r"^#+ {}\n(.*?)(?=^#|\Z)".format(re.escape(heading)), text, re.DOTALL | re.MULTILINE)
    assert match, "docs/cli.md has no heading {}".format(heading)
    return match.group(1)


@pytest.mark.parametrize("path, parser", every_parser(), ids=[" ".join(path) for path, _ in every_parser()])
def test_every_command_and_every_option_is_documented(page, path, parser):
    if parser._subparsers is not None:
        return
    text = _BLOCK.sub("", section(page["cli.md"], "`{}`".format(" ".join(path))))
    listed = re.findall(r"^- `([^`]+)`", text, re.MULTILINE)
    assert listed == [spelled(action) for action in own_actions(parser)]


@pytest.mark.parametrize("heading, parent", [("Common options", options.common()), ("Which merchant", options.shop())])
def test_shared_options_are_documented_once(page, heading, parent):
    listed = re.findall(r"^- `([^`]+)`", section(page["cli.md"], heading), re.MULTILINE)
    assert listed == [spelled(action) for action in parent._actions]


def test_every_option_that_the_pages_name_exists(page):
    known = {option for _, parser in every_parser() for action in parser._actions for option in action.option_strings}
    known |= {"--version"} | set(options._SECRET_FLAGS)
    for name in PAGES:
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", page[name])) - known == set()


def test_the_exit_codes_are_those_of_the_program(page):
    rows = re.findall(r"^\| ([0-9]+) \| ([^|]+) \|", section(page["cli.md"], "Exit codes"), re.MULTILINE)
    assert {int(code): text.strip() for code, text in rows} == exits.MEANINGS


def test_every_setting_and_its_variable_are_documented(page):
    text = page["configuration.md"]
    for name in merchant_settings.NAMES:
        assert "`{}`".format(name) in text and "`{}{}`".format(settings.PREFIX, name.upper()) in text
    for name in merchant_settings.KEYS:
        assert "`{}_file`".format(name) in text
    for short, url in merchant_settings.GATEWAYS.items():
        assert "`{}`".format(short) in text and url in text
