"""The command as a whole: exit codes, no traceback, no secret, in any command."""
import json
import os
import subprocess
import sys
from contextlib import closing

import pytest
from cli_samples import MD5_KEY, NOTE, PARTNER, TRADE, answer_xml, load, signed

import alipay_mapi
from alipay_mapi import cli
from alipay_mapi.cli import build_parser, main, options

CANARY = "S3CRETcanary0S3CRETcanary0S3CRET"


def leaves(parser=None, path=()):
    """Every command without commands below it: (words, parser)."""
    parser = parser or build_parser()
    below = [action for action in parser._actions if action.__class__.__name__ == "_SubParsersAction"]
    if not below:
        return [(path, parser)]
    return [leaf for action in below for name, sub in action.choices.items() for leaf in leaves(sub, path + (name,))]


LEAVES = leaves()

#: A call of every command that works, given ``--config`` of an MD5 merchant and a gateway in memory.
CALLS = {
    # these two take no settings of a merchant, and refuse them before they start
    ("demo",): ["--orders", "3"], ("emulator",): ["--port", "0"],
    ("tour",): [], ("doctor",): ["--online"], ("config", "show"): [], ("config", "check"): [],
    ("config", "example"): [],
    ("url",): ["create_forex_trade", "out_trade_no=A1", "subject=Tea", "currency=USD", "total_fee=1.00"],
    ("order-string",): ["out_trade_no=A1", "subject=Tea", "total_fee=1.00"],
    ("verify", "notify"): ["--order", "A1,8.00,USD"], ("verify", "return"): [], ("verify", "app"): [],
    ("verify", "response"): [], ("query",): ["--out-trade-no", "A1"],
    ("refund",): ["--out-trade-no", "A1", "--out-return-no", "R1", "--currency", "USD", "--return-amount", "1.00",
                  "--yes"],
    ("fallback", "run"): ["--store", "orders.db"], ("fallback", "status"): ["--store", "orders.db"],
    ("fallback", "watch"): ["orders.csv", "--store", "orders.db"], ("fallback", "retry"): ["--store", "orders.db"],
    ("fallback", "refund"): ["--out-trade-no", "A1", "--out-return-no", "R1", "--amount", "1.00", "--yes", "--store",
                             "orders.db"],
    ("fallback", "migrate"): ["--store", "orders.db"], ("fallback", "prune"): ["--older", "90d", "--store",
    "orders.db"],
    ("fallback", "report"): ["--store", "orders.db"],
    ("migrate", "explain"): [], ("migrate", "plan"): ["--store", "orders.db", "--list"],
    ("notify-verify",): ["abc"], ("codes",): ["SYSTEM_ERROR"], ("keys", "new"): ["new.pem"],
    ("keys", "show"): ["shop.pem"], ("keys", "convert"): ["shop.pem", "out.pem"],
}


def test_every_command_has_a_call():
    assert {words for words, _ in LEAVES} == set(CALLS)


@pytest.fixture
def shop(tmp_path, fixtures):
    """An ini whose keys hold canaries: an MD5 key, and a private key of which lines are known. One order is watched by
    each merchant, and not due yet."""
    from alipay_mapi.fallback import Watched, open_store
    with closing(open_store(str(tmp_path / "orders.db"))) as store:
        store.watch(Watched(name, alipay_mapi.Order("A1", total_fee="8.00", currency="USD"), 3600.0, 43200.0)
                    for name in ("md5", "rsa"))
    (tmp_path / "orders.csv").write_text("out_trade_no,total_fee,currency\nA1,8.00,USD\n")
    pem = (fixtures / "keys" / "TEST-ONLY-rsa2048-private.pem").read_text()
    (tmp_path / "shop.pem").write_text(pem)
    (tmp_path / "shop.ini").write_text(
        "[md5]\npartner = {0}\nsign_type = MD5\nmd5_key = {1}\n[rsa]\npartner = {0}\nsign_type = RSA2\n"
        "private_key_file = shop.pem\nmd5_key = {1}\n".format(PARTNER, CANARY))
    lines = [line for line in pem.splitlines() if len(line) == 64]
    return [CANARY] + lines


@pytest.mark.parametrize("words", sorted(CALLS), ids=" ".join)
@pytest.mark.parametrize("merchant", ["md5", "rsa"])
def test_T84_no_command_prints_a_key_whatever_happens(run, shop, gateway, words, merchant):
    answers = [b"true", answer_xml(TRADE, CANARY), b"<alipay><is_success>F</is_success><error>X</error></alipay>"]
    stdins = [signed(NOTE, CANARY), signed(NOTE), CANARY.encode(), b"<alipay>" + CANARY.encode()]
    extras = [["-vv", "--debug"], ["--json"], ["--sign-type", "DSA", "-vv", "--debug"]]
    for answer in answers if words in (("query",), ("refund",), ("notify-verify",)) else answers[:1]:
        gateway.answers(answer)
        for stdin in stdins if words[0] == "verify" else stdins[:1]:
            for extra in extras[:2] if words[0] == "keys" else extras:
                argv = list(words) + CALLS[words] + ["--config", "shop.ini", "--merchant", merchant] + extra
                ran = run(*argv, stdin=stdin)
                assert [secret for secret in shop if secret in ran.out + ran.err] == [], argv


@pytest.mark.parametrize("words", sorted(CALLS), ids=" ".join)
def test_json_is_exactly_one_object_whatever_happens(run, shop, gateway, words):
    for answer, options_ in ((b"true", []), (b"x", []), (b"true", ["--bogus"]), (b"true", ["--config", "none.ini"])):
        gateway.answers(answer)
        ran = run(*(list(words) + CALLS[words] + ["--config", "shop.ini", "--merchant", "md5", "--json"] + options_),
                  stdin=signed(NOTE, CANARY))
        told = load(ran)
        assert (ran.code == 0) == ("error" not in told) or words == ("doctor",)
        if "error" in told:
            assert told["error"]["exit"] == ran.code and told["error"]["class"] and told["error"]["message"]
            assert "code" in told["error"]


@pytest.mark.parametrize("words", sorted(CALLS), ids=" ".join)
def test_help_begins_with_examples_and_is_ascii(run, words):
    ran = run(*(list(words) + ["--help"]))
    assert ran.code == 0
    assert ran.out.startswith("examples:\n  alipay-mapi " + " ".join(words))
    ran.out.encode("ascii")


@pytest.mark.parametrize("words, parser", LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_every_option_says_what_it_is_for(words, parser):
    assert [action.dest for action in parser._actions if not action.help] == []


@pytest.mark.parametrize("words, parser", LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_the_examples_of_the_help_can_be_parsed(words, parser):
    import shlex
    for line in parser.examples:
        argv = shlex.split(line.partition(" < ")[0].partition(" > ")[0])
        args = cli._parse(argv[1:])
        assert argv[0] == "alipay-mapi" and args.parser.prog == " ".join(("alipay-mapi",) + words)


def test_the_help_says_which_exit_codes_no_command_gives(run):
    lines = run("--help").out.splitlines()
    assert [line.split()[0] for line in lines if line.split()[1:4] == ["kept", "for", "later:"]] == ["6"]


def test_T84_broken_settings_are_told_without_their_values(run, shop, tmp_path):
    """doctor and config show read on where others stop; what they say of it holds no value."""
    (tmp_path / "broken.ini").write_text(
        "[a]\npartner = {0}\nsign_type = {0}\nmd5_key = \"{0}\"\nmd5key = {0}\nprivate_key = {0} ; {0}\n"
        "alipay_public_key = {0}\ngateway = https://x.example/?{0}\nallow_http = {0}\n".format(CANARY[:20]))
    for words in (("doctor",), ("config", "show"), ("config", "check")):
        for extra in (["-vv", "--debug"], ["--json"]):
            ran = run(*(list(words) + ["--config", "broken.ini"] + extra))
            told = ran.out + ran.err
            if words == ("config", "show"):     # shows those that are no keys
                told = "\n".join(line for line in told.splitlines() if not any(
                    name in line for name in ("partner", "sign_type", "gateway", "allow_http", '"value"')))
            assert ran.code == 78 and CANARY[:20] not in told, words


def test_an_internal_error_names_its_class_and_nothing_else(run, monkeypatch):
    def broken(args, out):
        raise ZeroDivisionError("holds " + CANARY)
    monkeypatch.setattr(cli.codes, "run", broken)
    ran = run("codes")
    assert (ran.code, ran.out) == (1, "")
    assert "ZeroDivisionError" in ran.err and "Traceback" not in ran.err and CANARY not in ran.err


def test_debug_shows_where_but_not_what(run, monkeypatch):
    def broken(args, out):
        try:
            raise KeyError(args.command_secret)
        except KeyError as err:
            raise ZeroDivisionError(args.command_secret) from err
    monkeypatch.setattr(cli.codes, "run", broken)
    monkeypatch.setitem(options.DEFAULTS, "command_secret", CANARY)
    ran = run("codes", "--debug")
    assert ran.code == 1
    assert "ZeroDivisionError, raised here" in ran.err and "KeyError, raised here" in ran.err
    assert "in broken" in ran.err and CANARY not in ran.err


def test_debug_shows_where_our_own_errors_came_from(run):
    assert "raised here" in run("query", "--debug").err
    assert "raised here" not in run("query").err


def test_an_interrupt_is_130(run, monkeypatch):
    def interrupted(args, out):
        raise KeyboardInterrupt
    monkeypatch.setattr(cli.codes, "run", interrupted)
    ran = run("codes")
    assert ran.code == 130 and "Traceback" not in ran.err


def test_version_names_what_it_runs_on(run):
    ran = run("--version")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == [
        "alipay-mapi", "Python", "requests", "lxml", "libxml2", "pycryptodome", "cryptography", "rich",
        "Werkzeug", "Jinja2", "segno", "SQLAlchemy", "celery", "prometheus_client"]
    told = load(run("--version", "--json"))["versions"]
    assert told["alipay-mapi"] == alipay_mapi.__version__
    assert told["Python"] == "{}.{}.{}".format(*sys.version_info)


def test_the_log_is_left_as_it_was(run):
    import logging
    logger = logging.getLogger("alipay_mapi")
    before = logger.level, list(logger.handlers)
    run("codes", "-vv")
    assert (logger.level, logger.handlers) == before


def python(checkout, *argv, **options):
    """``python -m alipay_mapi`` in a process of its own."""
    environ = dict(os.environ, PYTHONPATH=str(checkout), **options.pop("environ", {}))
    return subprocess.run([sys.executable, "-m", "alipay_mapi"] + list(argv), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=environ, input=options.pop("stdin", b""))


def test_the_module_is_the_command(checkout, ini):
    ran = python(checkout, "verify", "notify", "--config", ini, "--order", "A1,8.00,USD", "--json", stdin=signed(NOTE))
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert json.loads(ran.stdout.decode("utf-8"))["is_paid"] is True


def test_the_exit_code_reaches_the_shell(checkout, ini):
    ran = python(checkout, "verify", "notify", "--config", ini, stdin=b"junk")
    assert ran.returncode == 4 and ran.stdout == b""
    assert b"Traceback" not in ran.stderr


def test_a_key_in_the_environment_is_enough(checkout):
    ran = python(checkout, "config", "check", environ={
        "ALIPAY_MAPI_PARTNER": PARTNER, "ALIPAY_MAPI_SIGN_TYPE": "MD5", "ALIPAY_MAPI_MD5_KEY": MD5_KEY})
    assert ran.returncode == 0, ran.stderr


def test_a_reader_that_goes_away_leaves_no_traceback(checkout):
    process = subprocess.Popen([sys.executable, "-m", "alipay_mapi", "codes"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=str(checkout)))
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert b"Traceback" not in error and b"BrokenPipe" not in error


def test_help_needs_no_heavy_library(checkout):
    code = ("import sys\nfrom alipay_mapi.cli import main\nmain(['codes', 'X', '--json'])\n"
            "print(sorted({name.split('.')[0] for name in sys.modules} & {'requests', 'lxml', 'Crypto', 'rich'}),"
            " file=sys.stderr)")
    ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=dict(os.environ, PYTHONPATH=str(checkout)))
    assert ran.stderr.decode().splitlines()[-1] == "[]"


def test_main_takes_its_arguments_from_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["alipay-mapi", "codes", "SYSTEM_ERROR"])
    assert main() == 0
    assert "SYSTEM_ERROR" in capsys.readouterr().out
