"""``fallback run``, against a gateway in memory: what is asked, carried out, told, and the exit code."""
import json
import sys

import pytest
from cli_samples import load
from fallback_shop import HANDLER, SECTION, effects, write_ini, write_orders

from alipay_mapi.fallback import open_store
from alipay_mapi.testing import TestGateway

OLD = "2025-01-01T00:00:00Z"


@pytest.fixture
def shop(tmp_path):
    """A gateway, and an ini that leads to it."""
    with TestGateway() as gateway:
        write_ini(tmp_path, gateway.settings("md5"))
        (tmp_path / "test_cli_handler_of_a_shop.py").write_text(HANDLER)
        yield gateway
    sys.modules.pop("test_cli_handler_of_a_shop", None)
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))


@pytest.fixture
def watched(run, shop, tmp_path):
    """A1 is paid, A2 waits for its buyer, A3 nobody has come for; all are watched and due."""
    for number in ("A1", "A2"):
        shop.place(number, total_fee="8.00", currency="USD")
    shop.pay("A1", lose=True)
    shop.log_in("A2")
    assert run("fallback", "watch", write_orders(tmp_path, "A1", "A2", "A3"), "--config", "shop.ini").code == 0
    return shop


RUN = ("fallback", "run", "--config", "shop.ini")
HANDLED = ("--handler", "test_cli_handler_of_a_shop:settle")


def outcomes(path="orders.db"):
    store = open_store(path)
    try:
        return {row.out_trade_no: row.outcome for row in store.rows()}
    finally:
        store.close()


def test_what_is_paid_is_settled_and_its_effect_carried_out(run, watched, tmp_path):
    ran = run(*RUN + HANDLED)
    assert (ran.code, ran.out) == (0, "")
    assert effects(tmp_path) == ["md5:paid::A1"]
    assert outcomes() == {"A1": "paid", "A2": "open", "A3": "open"}
    assert ran.err.splitlines()[-1].startswith("asked 3 (2 open, 1 paid); 1 effect carried out; nothing else is due; ")
    assert ran.err.splitlines()[0] == "settled A1"      # the shop's own talk, not among the data


def test_a_second_run_finds_nothing_to_do_and_can_say_so_by_silence(run, watched, tmp_path):
    run(*RUN + HANDLED)
    ran = run(*RUN + HANDLED + ("--quiet",))
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert len(watched.requests()) == 3 and len(effects(tmp_path)) == 1
    assert run(*RUN + HANDLED).err.startswith("asked 0; 0 effects carried out; nothing else is due")


def test_a_quiet_run_that_did_something_says_so(run, watched):
    assert run(*RUN + HANDLED + ("--quiet",)).err.splitlines()[-1].startswith("asked 3")


def test_without_a_handler_effects_are_kept_and_the_run_says_how_many_wait(run, watched, tmp_path):
    ran = run(*RUN)
    assert ran.code == 3
    assert "1 effect waiting for --handler or --exec" in ran.err
    assert run(*RUN + ("--quiet",)).code == 3
    assert run(*RUN + HANDLED).code == 0
    assert effects(tmp_path) == ["md5:paid::A1"]


def test_a_handler_that_fails_leaves_work_and_its_words_are_not_told(run, watched):
    ran = run(*RUN + ("--handler", "test_cli_handler_of_a_shop:refuse"))
    assert ran.code == 3 and "1 effect failed, to be tried again" in ran.err
    status = run("fallback", "status", "--config", "shop.ini")
    assert "ValueError" in status.out and "buyer" not in ran.err + status.out


def test_json_has_the_whole_tally(run, watched):
    told = load(run(*RUN + HANDLED + ("--json",)))
    assert {name: told[name] for name in ("store", "shops", "asked", "outcomes", "errors", "effects", "failed_effects",
                                          "waiting_effects", "more_due", "ended", "needs_a_person", "dry_run")} == {
        "store": "orders.db", "shops": ["md5"], "asked": 3, "outcomes": {"paid": 1, "open": 2}, "errors": {},
        "effects": 1, "failed_effects": 0, "waiting_effects": 0, "more_due": False, "ended": "done",
        "needs_a_person": [], "dry_run": False}


def test_a_limit_leaves_work(run, watched, tmp_path):
    ran = run(*RUN + HANDLED + ("--limit", "1"))
    assert ran.code == 3
    assert "the limit is reached; more is due" in ran.err
    assert [request.outcome.params["out_trade_no"] for request in watched.requests()] == ["A1"]
    assert run(*RUN + HANDLED + ("--limit", "2")).code == 0     # reached, and nothing is left


def test_a_deadline_of_nothing_begins_nothing(run, watched):
    ran = run(*RUN + ("--deadline", "0s"))
    assert ran.code == 3 and "the time is over; more is due" in ran.err
    assert watched.requests() == []


def test_a_dry_run_asks_and_writes_nothing(run, watched, tmp_path):
    before = (tmp_path / "orders.db").read_bytes()
    ran = run(*RUN + HANDLED + ("--dry-run",))
    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines()[1:]] == [
        ["md5", "A1", "open", "paid", "paid"], ["md5", "A2", "open", "open"], ["md5", "A3", "open", "open"]]
    assert "nothing is written" in ran.err
    assert (tmp_path / "orders.db").read_bytes() == before and effects(tmp_path) == []
    told = load(run(*RUN + ("--dry-run", "--json", "--limit", "1")))
    assert told["would"] == [{"shop": "md5", "out_trade_no": "A1", "outcome": "open", "would_be": "paid",
                              "effects": ["paid"], "error": ""}]
    assert run(*RUN + HANDLED).code == 0 and effects(tmp_path) == ["md5:paid::A1"]


@pytest.mark.parametrize("extra", [(), ("--dry-run",)], ids=["run", "dry run"])
def test_a_gateway_that_is_down_is_5(run, watched, monkeypatch, extra):
    monkeypatch.setattr("alipay_mapi.client._pause", lambda attempt, hosts: 0.0)
    watched.fail("reset", times=1000)
    ran = run(*RUN + HANDLED + extra + ("--json",))
    assert ran.code == 5 and load(ran)["error"]["class"] == "TransportError"
    if not extra:
        assert load(ran)["ended"] == "gateway down" and outcomes()["A1"] == "open"


def test_a_shop_whose_every_question_is_refused_does_not_look_like_success(run, shop, tmp_path):
    settings = dict(shop.settings("md5"), md5_key="TESTONLYwrong0key0TESTONLYwrong0")
    write_ini(tmp_path, settings)
    run("fallback", "watch", write_orders(tmp_path, *"ABCDE"), "--config", "shop.ini")
    ran = run(*RUN + HANDLED)
    assert ran.code == 5 and "ILLEGAL_SIGN" in ran.err
    assert "5 of 5 questions had no usable answer; those orders are asked about again" in ran.err


@pytest.mark.parametrize("extra", [(), ("--dry-run",)], ids=["run", "dry run"])
@pytest.mark.parametrize("numbers", ["A", "AB"])
@pytest.mark.parametrize("wrong, code", [
    ({"md5_key": "TESTONLYwrong0key0TESTONLYwrong0"}, "ILLEGAL_SIGN"), ({"partner": "2088999999999999"}, "ILLEGAL_"),
    ({"partner": None}, "ILLEGAL_"),
], ids=["key", "partner", "sign type"])
def test_one_question_without_a_usable_answer_is_enough(run, shop, tmp_path, wrong, code, numbers, extra):
    settings = dict(shop.settings("md5"), **wrong)
    # None: a merchant whose contract says RSA2.
    write_ini(tmp_path, dict(settings, partner=settings["partner"] or shop.settings("rsa2")["partner"]))
    run("fallback", "watch", write_orders(tmp_path, *numbers), "--config", "shop.ini")
    ran = run(*RUN + HANDLED + extra)
    assert ran.code == 5 and code in ran.err, ran.err
    assert "{} of {} question".format(len(numbers), len(numbers)) in ran.err and "asked about again" in ran.err
    assert outcomes() == {number: "open" for number in numbers}


def test_one_usable_answer_is_enough_to_be_no_failure(run, watched):
    watched.fail("system-error", times=1)
    ran = run(*RUN + HANDLED + ("--workers", "1"))
    assert ran.code == 0 and "no usable answer: 1 GatewayError" in ran.err


@pytest.mark.parametrize("extra", [(), ("--dry-run",)], ids=["run", "dry run"])
def test_a_key_that_is_missing_is_78_and_named(run, shop, tmp_path, extra):
    """Two shops: one is fine, the other could not check a single answer."""
    write_ini(tmp_path, shop.settings("md5"), name="tokyo", more="")
    rsa = shop.settings("rsa2")
    (tmp_path / "shop.ini").write_text((tmp_path / "shop.ini").read_text() + "[hongkong]\n" + "".join(
        "{} = {}\n".format(name, rsa[name].replace("\n", "\n  ")) for name in (
            "partner", "sign_type", "private_key", "gateway")) + SECTION)
    for name in ("tokyo", "hongkong"):
        run("fallback", "watch", write_orders(tmp_path, "A1", "A2"), "--config", "shop.ini", "--shop", name)
    ran = run(*RUN + extra)
    assert ran.code == 78 and "MissingKey: shop hongkong: alipay_public_key: " in ran.err
    assert "2 of 4 questions had no usable answer" in ran.err


def test_an_order_that_still_waits_after_its_time_was_answered(run, shop, tmp_path):
    shop.place("A1", total_fee="8.00", currency="USD")
    shop.log_in("A1")
    run("fallback", "watch", write_orders(tmp_path, "A1", made_at=OLD), "--config", "shop.ini")
    ran = run(*RUN + HANDLED)
    assert ran.code == 0 and "no usable answer" not in ran.err and outcomes()["A1"] in ("open", "gave_up")


def test_a_no_to_a_refund_is_an_answer(run, shop, tmp_path):
    shop.place("A1", total_fee="8.00", currency="USD")
    shop.pay("A1", lose=True)
    run("fallback", "watch", write_orders(tmp_path, "A1"), "--config", "shop.ini")
    run(*RUN + HANDLED)
    run("fallback", "refund", "--out-trade-no", "A1", "--out-return-no", "R1", "--amount", "1.00", "--yes",
        "--config", "shop.ini")
    shop.change(balance="0.00")
    for _ in range(2):      # the question before it, and the refund itself
        ran = run(*RUN + HANDLED + ("--limit", "1"))
        assert ran.code in (0, 3), ran.err
    assert len(shop.requests()) == 3 and "no usable answer" not in ran.err


def test_what_needs_a_person_is_told_and_is_no_failure(run, shop, tmp_path):
    """A1 was paid twice as dear as the shop thinks, by a mainland order; A2 is fine."""
    for number, fee in (("A1", "9.00"), ("A2", "8.00")):
        shop.place(number, service="create_direct_pay_by_user", total_fee=fee)
        shop.pay(number, lose=True)
    (tmp_path / "cny.csv").write_text("out_trade_no,total_fee\nA1,8.00\nA2,8.00\n")
    run("fallback", "watch", "cny.csv", "--config", "shop.ini")
    ran = run(*RUN + HANDLED)
    assert ran.code == 0 and "needs a person: order A1 of md5: AmountMismatch" in ran.err
    assert sorted(effects(tmp_path)) == ["md5:needs_a_person:AmountMismatch:A1", "md5:paid::A2"]


def test_in_json_too(run, shop, tmp_path):
    shop.place("A1", service="create_direct_pay_by_user", total_fee="9.00")
    shop.pay("A1", lose=True)
    (tmp_path / "cny.csv").write_text("out_trade_no,total_fee\nA1,8.00\n")
    run("fallback", "watch", "cny.csv", "--config", "shop.ini")
    assert load(run(*RUN + HANDLED + ("--json",)))["needs_a_person"] == [
        {"shop": "md5", "out_trade_no": "A1", "detail": "AmountMismatch"}]


def test_an_order_that_nobody_came_for_expires_after_its_time(run, shop, tmp_path):
    run("fallback", "watch", write_orders(tmp_path, "A9", made_at=OLD), "--config", "shop.ini")
    assert run(*RUN + HANDLED).code == 0
    assert outcomes() == {"A9": "open"} and effects(tmp_path) == [], "said once, and unsigned"
    assert run("fallback", "retry", "--out-trade-no", "A9", "--merchant", "md5", "--config", "shop.ini").code == 0
    assert run(*RUN + HANDLED).code == 0
    assert outcomes() == {"A9": "expired"} and effects(tmp_path) == ["md5:closed::A9"]


def test_T84_a_run_tells_no_key_whatever_the_gateway_says(run, shop, tmp_path):
    key = "S3CRETcanary0S3CRETcanary0S3CRET"
    write_ini(tmp_path, dict(shop.settings("md5"), md5_key=key))
    for at, fault in enumerate(("html-200", "answer-forged", "http-500", "half-answer", "system-error", "")):
        if fault:
            shop.fail(fault, times=20)
        for extra in (["-vv", "--debug"], ["--json"], ["--dry-run", "-vv", "--debug"]):
            run("fallback", "watch", write_orders(tmp_path, "T{}".format(at)), "--config", "shop.ini")
            ran = run(*RUN + HANDLED + ("--per-second", "none") + tuple(extra))
            assert key not in ran.out + ran.err and "sign=" not in ran.out + ran.err
        shop.reset()
    assert key.encode("ascii") not in (tmp_path / "orders.db").read_bytes()


def test_a_run_can_write_its_numbers_for_prometheus(run, watched, tmp_path):
    pytest.importorskip("prometheus_client", reason="the extra prometheus")
    assert run(*RUN + HANDLED + ("--prometheus", "mapi.prom")).code == 0
    assert 'paid' in (tmp_path / "mapi.prom").read_text()


# --- a command --------------------------------------------------------------------------------------------------------

SCRIPT = """\
import json, sys
effect = json.load(sys.stdin)
print("printed by the command")
with open("told.json", "a") as file:
    file.write(json.dumps(effect, sort_keys=True) + "\\n")
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""


def command(tmp_path, text=SCRIPT, *arguments):
    (tmp_path / "effect command.py").write_text(text)
    return " ".join(["'{}'".format(sys.executable), "'effect command.py'"] + list(arguments))


def test_a_command_gets_each_effect_as_json(run, watched, tmp_path):
    ran = run(*RUN + ("--exec", command(tmp_path), "--json"))
    assert ran.code == 0 and load(ran)["effects"] == 1
    assert json.loads((tmp_path / "told.json").read_text()) == {
        "schema": "alipay-mapi/1", "key": "md5:paid::A1", "kind": "paid", "shop": "md5", "out_trade_no": "A1",
        "detail": "", "attempt": 1, "currency": "USD", "total_fee": "8.00", "rmb_fee": None}


def test_a_command_that_ends_with_another_code_is_run_again_later(run, watched, tmp_path):
    ran = run(*RUN + ("--exec", command(tmp_path, SCRIPT, "7")))
    assert ran.code == 3 and "1 effect failed, to be tried again" in ran.err
    assert "exit code 7" in run("fallback", "status", "--config", "shop.ini").out


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(run, watched, tmp_path):
    slow = "import subprocess, sys\nsubprocess.call([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    ran = run(*RUN + ("--exec", command(tmp_path, slow), "--exec-timeout", "0.5"))
    assert ran.code == 3
    assert "did not end within 0.5 seconds" in run("fallback", "status", "--config", "shop.ini").out


def test_a_command_that_does_not_read_is_no_error(run, watched, tmp_path):
    assert run(*RUN + ("--exec", command(tmp_path, "pass"))).code == 0


def test_a_command_that_goes_away_meanwhile_is_an_effect_that_failed(run, watched, tmp_path, monkeypatch):
    from alipay_mapi.cli import fallback_handler
    monkeypatch.setattr(fallback_handler.shutil, "which", lambda name: name)
    assert run(*RUN + ("--exec", "/nowhere/command")).code == 3
    assert "cannot be run" in run("fallback", "status", "--config", "shop.ini").out


@pytest.mark.parametrize("extra, words", [
    (("--exec", "/nowhere/command"), "there is no command /nowhere/command"),
    (("--exec", "no-such-command x"), "there is no command no-such-command in /"),
    (("--exec", "./test_cli_broken_handler.py"), "test_cli_broken_handler.py is not executable: chmod +x it"),
    (("--exec", "../"), "is a folder"),
    (("--exec", "cat > effects.txt"), "exec: > is for a shell, and no shell runs this: put it into a script"),
    (("--exec", "sh -c 'cat' | cat"), "| is for a shell"), (("--exec", "true && true"), "&& is for a shell"),
    (("--exec", "true ; true"), "; is for a shell"), (("--exec", "cat < in"), "< is for a shell"),
    (("--handler", "test_cli_exiting_handler:f"), "SystemExit at test_cli_exiting_handler.py:2, while it is imported"),
    (("--exec", "'"), "quotation mark"), (("--exec", " "), "no command in it"),
    (("--exec", "true", "--exec-timeout", "10m"), "exec_timeout"),
    (("--exec", "true", "--exec-timeout", "0"), "exec_timeout"),
    (("--exec", "true", "--handler", "os:getcwd"), "not both"),
    (("--handler", "os.getcwd"), "MODULE:FUNCTION"), (("--handler", "os:no_such"), "has no no_such"),
    (("--handler", "no_such_module_here:f"), "there is no module no_such_module_here"),
    (("--handler", "test_cli_handler_of_a_shop:number"), "it is no function"),
    (("--handler", "test_cli_broken_handler:f"), "NameError at test_cli_broken_handler.py:1"),
])
def test_a_handler_that_cannot_work_is_told_before_anything_is_asked(run, watched, tmp_path, extra, words):
    (tmp_path / "test_cli_broken_handler.py").write_text("S3CRET\n")
    (tmp_path / "test_cli_exiting_handler.py").write_text("import sys\nsys.exit(0)\n")
    ran = run(*RUN + extra)
    assert ran.code == 78 and words in ran.err and "S3CRET" not in ran.err and "Traceback" not in ran.err
    assert watched.requests() == []


def test_quoted_words_of_a_shell_are_words(run, watched, tmp_path):
    assert run(*RUN + ("--exec", command(tmp_path, SCRIPT, "0", "'|'", "'a > b'", '";"'))).code == 0
    assert (tmp_path / "told.json").exists()


def test_a_command_of_the_ini_is_beside_it(run, watched, tmp_path, monkeypatch):
    (tmp_path / "effect.sh").write_text("#!/bin/sh\ncat > {}\n".format(tmp_path / "told.json"))
    write_ini(tmp_path, watched.settings("md5"), more=SECTION + "exec = ./effect.sh\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(str(tmp_path / "elsewhere"))
    ran = run("fallback", "run", "--config", "../shop.ini")
    assert ran.code == 78 and "{} is not executable: chmod +x it".format(tmp_path / "effect.sh") in ran.err
    (tmp_path / "effect.sh").chmod(0o755)
    assert run("fallback", "run", "--config", "../shop.ini").code == 0
    assert json.loads((tmp_path / "told.json").read_text())["key"] == "md5:paid::A1"
    ran = run("fallback", "run", "--config", "../shop.ini", "--exec", "./effect.sh")    # a flag: the working directory
    assert ran.code == 78 and "there is no command {}".format(tmp_path / "elsewhere" / "effect.sh") in ran.err


# --- a function that fails --------------------------------------------------------------------------------------------

FAILS = ("--handler", "test_cli_handler_of_a_shop:refuse")


@pytest.mark.parametrize("flags, told", [((), 0), (("-v",), 1), (("-vv",), 1), (("--debug",), 0)])
def test_each_failure_of_a_function_is_one_line_of_v(run, watched, tmp_path, flags, told):
    (tmp_path / "test_cli_handler_of_a_shop.py").write_text(
        "def refuse(effect):\n    raise ValueError('the buyer of ' + effect.out_trade_no)\n")
    ran = run(*RUN + FAILS + flags)
    lines = [line for line in ran.err.splitlines() if "ValueError: test_cli_handler_of_a_shop.py:2" in line]
    assert len(lines) == told and "buyer of A1" not in ran.err
    assert ("ValueError, raised here:" in ran.err) is (flags == ("--debug",))
    if flags == ("--debug",):   # the way there, and no value
        assert 'test_cli_handler_of_a_shop.py", line 2, in refuse' in ran.err


def test_what_a_function_returns_is_handed_on(tmp_path, monkeypatch, run, watched):
    """So that a coroutine is not taken for an effect that was carried out."""
    (tmp_path / "test_cli_handler_of_a_shop.py").write_text("async def settle(effect):\n    pass\n")
    assert run(*RUN + HANDLED).code == 3


# --- settings ---------------------------------------------------------------------------------------------------------

def test_the_section_of_the_ini_has_what_the_flags_have(run, watched, tmp_path):
    write_ini(tmp_path, watched.settings("md5"), more=SECTION + "handler = test_cli_handler_of_a_shop:settle\n"
              "limit = 1\nworkers = 2\nper_second = none\ndeadline = 50s\n")
    assert run(*RUN).code == 3
    assert len(watched.requests()) == 1
    assert run(*RUN + ("--limit", "10")).code == 0      # a flag wins
    assert effects(tmp_path) == ["md5:paid::A1"]


def test_a_flag_for_a_command_wins_over_the_section_s_function(run, watched, tmp_path):
    write_ini(tmp_path, watched.settings("md5"), more=SECTION + "handler = test_cli_handler_of_a_shop:settle\n")
    assert run(*RUN + ("--exec", command(tmp_path))).code == 0
    assert (tmp_path / "told.json").exists() and effects(tmp_path) == []


@pytest.mark.parametrize("line, words", [
    ("stor = x", "stor: no setting of the fallback (meant store?)"), ("workers = 0",
    "workers: a whole number, 1 to 256"),
    ("grace = soon", "grace: a number and s, m, h or d"), ("factor = 50", "factor 1 to 10"),
    ("per_second = 0", "per_second: 0.001 to 10000 queries per second, or none"), ("per_second = fast",
    "or none for no limit"), ("deadline = soon", "a plain number is seconds"),
    ("first = 0", "first: at least 1 second"), ("store = 'x.db'", "without quotes"),
])
def test_a_section_that_cannot_work_is_78(run, shop, tmp_path, line, words):
    write_ini(tmp_path, shop.settings("md5"), more="\n[fallback]\n{}\n".format(line))
    ran = run(*RUN + (() if line.startswith("store") else ("--store", "o.db")))
    assert ran.code == 78 and words in ran.err


@pytest.mark.parametrize("extra", [("--limit", "0"), ("--limit", "x"), ("--workers", "257"), ("--deadline", "1 h"),
                                   ("--per-second", "fast")])
def test_a_flag_that_cannot_be_read_is_2(run, shop, extra):
    assert run(*RUN + extra).code == 2


def test_the_store_is_a_flag_or_the_environment_or_the_section(run, watched, tmp_path, monkeypatch):
    monkeypatch.setenv("ALIPAY_MAPI_STORE", "other.db")
    assert "other.db" in run(*RUN).err
    assert "third.db" in run(*RUN + ("--store", "third.db")).err
    monkeypatch.setenv("ALIPAY_MAPI_STORE", "")
    assert run(*RUN + HANDLED).code == 0


def test_a_path_of_the_section_is_relative_to_the_ini(run, watched, tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(str(tmp_path / "below"))
    assert run("fallback", "status", "--config", "../shop.ini").code == 0


def test_no_store_at_all_names_the_three_places(run, ini):
    ran = run("fallback", "run", "--config", ini)
    assert ran.code == 78
    assert "--store" in ran.err and "ALIPAY_MAPI_STORE" in ran.err and "[fallback]" in ran.err


@pytest.mark.parametrize("command_", ["run", "status", "retry", "migrate"])
def test_a_file_that_is_not_there_is_refused_and_not_made(run, shop, tmp_path, command_):
    ran = run("fallback", command_, "--config", "shop.ini", "--store", "sqlite:///ordres.db")
    assert ran.code == 78 and "ordres.db" in ran.err and "fallback watch" in ran.err
    assert not (tmp_path / "ordres.db").exists()


@pytest.mark.parametrize("url", ["memory:", ":memory:", "sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_refused(run, shop, url):
    assert run(*RUN + ("--store", url)).code == 78


def test_the_password_of_a_store_is_never_shown(run, shop, tmp_path, monkeypatch):
    for url in ("postgresql+psycopg2://shop:S3CRET@127.0.0.1:1/shop", "mysql+pymysql://shop:S3CRET@127.0.0.1:1/shop",
                "nonsense+x://shop:S3CRET@h/d", "S3CRET", "postgresql://h/S3CRET?password=S3CRET@x",
                "postgresql+psycopg2://shop:S3CRET/@127.0.0.1:1/shop"):
        monkeypatch.setenv("ALIPAY_MAPI_STORE", url)
        for words in (("run",), ("status",), ("retry",), ("migrate",), ("prune", "--older", "90d"), ("watch",)):
            for extra in (["-vv", "--debug"], ["--json"]):
                ran = run("fallback", *words, "--config", "shop.ini", *extra)
                assert ran.code in (75, 78) and "S3CRET" not in ran.out + ran.err, (url, words)


def test_a_password_is_masked_where_the_store_is_shown():
    from alipay_mapi.cli.fallback_url import shown
    assert shown("postgresql+psycopg2://shop:S3CRET@db.example:5432/orders?x=1") == \
        "postgresql+psycopg2://shop:***@db.example:5432/orders"
    assert shown("postgresql://db.example/orders") == "postgresql://db.example/orders"
    assert shown("sqlite:////var/lib/orders.db") == "/var/lib/orders.db"
    for url in ("postgresql://u:a@S3CRET@h/d", "mysql://h/d?password=x@S3CRET", "mysql://u:/S3CRET@h", "S3CRET://"):
        assert "S3CRET" not in shown(url).replace("S3CRET://", "")


# --- shops ------------------------------------------------------------------------------------------------------------

def two_shops(gateway, tmp_path):
    both = "".join("[{}]\npartner = {partner}\nsign_type = MD5\nmd5_key = {md5_key}\ngateway = {gateway}\n".format(
        name, **gateway.settings("md5")) for name in ("hongkong", "tokyo"))
    (tmp_path / "shop.ini").write_text(both + SECTION)


def test_every_section_is_a_shop_and_fallback_is_none(run, shop, tmp_path):
    two_shops(shop, tmp_path)
    (tmp_path / "two.csv").write_text("out_trade_no,total_fee,currency,shop\nA1,8.00,USD,tokyo\nA2,8.00,USD,hongkong\n")
    assert run("fallback", "watch", "two.csv", "--config", "shop.ini").code == 0
    told = load(run(*RUN + ("--json",)))
    assert told["shops"] == ["hongkong", "tokyo"] and told["asked"] == 2
    assert run(*RUN + ("--merchant", "fallback")).code == 78
    assert run("config", "check", "--config", "shop.ini", "--merchant", "tokyo").code == 0


def test_one_merchant_is_asked_for_alone(run, shop, tmp_path, monkeypatch):
    two_shops(shop, tmp_path)
    (tmp_path / "two.csv").write_text("out_trade_no,total_fee,currency,shop\nA1,8.00,USD,tokyo\nA2,8.00,USD,hongkong\n")
    run("fallback", "watch", "two.csv", "--config", "shop.ini")
    told = load(run(*RUN + ("--merchant", "tokyo", "--json")))
    assert (told["shops"], told["asked"], told["unknown_shops"]) == (["tokyo"], 1, [])
    monkeypatch.setenv("ALIPAY_MAPI_MERCHANT", "tokyo")
    write_ini(tmp_path, shop.settings("md5"), name="tokyo")
    assert load(run(*RUN + ("--json",)))["unknown_shops"] == []


def test_orders_of_a_shop_without_a_section_are_told(run, watched, tmp_path):
    write_ini(tmp_path, watched.settings("md5"), name="renamed")
    ran = run(*RUN + HANDLED)
    assert ran.code == 3 and "orders of the shop md5 are due" in ran.err and watched.requests() == []


def test_a_setting_of_the_environment_is_not_given_to_several_shops(run, shop, tmp_path, monkeypatch):
    two_shops(shop, tmp_path)
    run("fallback", "watch", write_orders(tmp_path, "A1"), "--config", "shop.ini", "--shop", "tokyo")
    monkeypatch.setenv("ALIPAY_MAPI_MD5_KEY", "TESTONLYother0key0TESTONLYother0")
    ran = run(*RUN)
    assert ran.code == 78 and "ALIPAY_MAPI_MD5_KEY" in ran.err and "TESTONLY" not in ran.err
    monkeypatch.setenv("ALIPAY_MAPI_MD5_KEY", shop.settings("md5")["md5_key"])
    assert run(*RUN + ("--merchant", "tokyo")).code == 0


def test_the_environment_alone_is_a_shop_called_default(run, shop, tmp_path, monkeypatch):
    for name, value in shop.settings("md5").items():
        monkeypatch.setenv("ALIPAY_MAPI_" + name.upper(), value)
    monkeypatch.setenv("ALIPAY_MAPI_STORE", "orders.db")
    run("fallback", "watch", write_orders(tmp_path, "A1", made_at=OLD))
    assert load(run("fallback", "run", "--json"))["asked"] == 1


def test_a_section_whose_name_cannot_be_stored_is_refused(run, shop, tmp_path):
    write_ini(tmp_path, shop.settings("md5"), name="Tea & Co")
    (tmp_path / "orders.db").write_bytes(b"")
    ran = run(*RUN)
    assert ran.code == 78 and "letters, digits" in ran.err


def test_an_ini_without_a_merchant_is_refused(run, tmp_path):
    (tmp_path / "shop.ini").write_text("[fallback]\nstore = orders.db\n")
    (tmp_path / "orders.db").write_bytes(b"")
    ran = run(*RUN)
    assert ran.code == 78 and "no section of a merchant" in ran.err


# --- at a terminal ----------------------------------------------------------------------------------------------------

def test_at_a_terminal_there_is_a_bar_and_a_table(run, watched, monkeypatch):
    import io
    pytest.importorskip("rich", reason="the extra cli")

    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True
    from alipay_mapi.cli import main
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    seen = {}
    for no_color in ("", "1"):
        if no_color:
            monkeypatch.setenv("NO_COLOR", no_color)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", Terminal())
            patch.setattr(sys, "stderr", Terminal())
            assert main(list(RUN + HANDLED)) == 0
            seen[no_color] = sys.stdout.getvalue(), sys.stderr.getvalue()
    assert "3/3" in seen[""][1] and "paid" in seen[""][0]
    assert "/0" not in seen["1"][1] and "\x1b[" not in seen["1"][1] + seen["1"][0]


# --- a database -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_a_database_is_a_store_like_any_other(run, shop, tmp_path, monkeypatch, name):
    pytest.importorskip("sqlalchemy", reason="the extra sql")
    pytest.importorskip("psycopg2" if name == "postgresql" else "pymysql", reason="the driver of {}".format(name))
    import servers
    monkeypatch.setenv("ALIPAY_MAPI_STORE", getattr(servers, name)().database())
    shop.place("A1", total_fee="8.00", currency="USD")
    shop.pay("A1", lose=True)
    assert run("fallback", "watch", write_orders(tmp_path, "A1", "A2"), "--config", "shop.ini").code == 0
    told = load(run(*RUN + HANDLED + ("--json",)))
    assert (told["outcomes"], told["effects"]) == ({"paid": 1, "open": 1}, 1) and "***" in told["store"]
    assert load(run("fallback", "status", "--json"))["shops"] == {"md5": {"paid": 1, "open": 1}}
    ran = run("fallback", "migrate")
    assert ran.code == 0 and "nothing    to do" in ran.out
    assert run("fallback", "prune", "--older", "90d").code == run("fallback", "retry").code == 0
