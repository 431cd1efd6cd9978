"""``emulator``: what it prints and writes, what it refuses, and how it ends."""
import functools
import itertools
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from urllib.request import ProxyHandler, build_opener

import pytest
from cli_samples import load

from alipay_mapi.cli import emulator as command
from alipay_mapi.cli import exits
from alipay_mapi.emulator import merchants

try:
    import jinja2
    import segno
    import werkzeug
    INSTALLED = bool(jinja2 and segno and werkzeug)
except ImportError:
    INSTALLED = False

needs_extra = pytest.mark.skipif(not INSTALLED, reason="the extra emulator is not installed")
_PAIR = functools.lru_cache(None)(lambda sign_type, which, make=merchants.new_pair: make(sign_type))


@pytest.fixture
def up(monkeypatch):
    """``up(function)``: what is called while the emulator runs; then it ends as by Ctrl-C. No key is made twice."""
    count = itertools.count()       # two neighbours are the shop's and the gateway's, and never the same
    monkeypatch.setattr(merchants, "new_pair", lambda sign_type: _PAIR(sign_type, next(count) % 2))

    def during(function):
        @contextmanager
        def until_told():
            yield function
        monkeypatch.setattr(command, "_until_told", until_told)
    during(lambda: None)
    return during


def fetched(url, data=None):
    return build_opener(ProxyHandler({})).open(url, data, timeout=10).read().decode("utf-8")


@needs_extra
def test_it_says_where_everything_is_and_what_to_try_next(run, up):
    ran = run("emulator", "--port", "0")
    assert ran.code == 0
    for told in ("/gateway.do", "/_emulator/", "shop.ini: sections md5, rsa, rsa2, dsa", "in memory",
                 "alipay-mapi url create_forex_trade ", "alipay-mapi query --out-trade-no A1 --config shop.ini "
                 "--merchant md5", "curl -X POST http://127.0.0.1:", "Ctrl-C"):
        assert told in ran.out, told
    assert "making the test merchants' keys" in ran.err and ran.err.endswith("stopped\n")
    assert "other machines" not in ran.out


@needs_extra
def test_what_it_prints_to_try_next_works_word_for_word(run, up, capsys):
    """In the order printed, by the command line and by curl's equivalent; the URL is opened, and nobody pays it yet."""
    seen = []

    def during():
        out = capsys.readouterr().out
        for line in [line for line in out.splitlines() if line.startswith(("   alipay-mapi ", "   curl "))]:
            words = shlex.split(line)
            if words[0] == "curl":
                data = words[words.index("-d") + 1] if "-d" in words else ""
                told = fetched([word for word in words if word.startswith("http:")][0], data.encode("ascii"))
                seen.append(json.loads(told)["trade"]["trade_status"])
            else:
                ran = run(*words[1:])
                if words[1] == "url":
                    fetched(ran.out.strip())
                    ran = None
                seen.append("a page" if ran is None else (ran.code, "TRADE_FINISHED" in ran.out,
                                                          "TRADE_NOT_EXIST" in ran.err))
    up(during)
    assert run("emulator", "--port", "0").code == 0
    assert seen == ["a page", (exits.REFUSED, False, True), "NO_TRADE", "TRADE_FINISHED", (0, True, False)]


@needs_extra
def test_json_is_printed_as_soon_as_it_answers(run, up, capsys):
    seen = []

    def during():
        out = capsys.readouterr().out
        told = json.loads(out)
        seen.append((out, json.loads(fetched(told["control"] + "now"))["clock"]))
    up(during)
    ran = run("emulator", "--port", "0", "--json", "--frozen", "--seed", "7", "--fault", "lost=0.25")
    told = load(type(ran)(0, seen[0][0], ""))
    assert (ran.code, ran.out) == (0, "")
    assert told["gateway"] == told["url"] + "/gateway.do" == seen[0][1]["gateway_url"]
    assert seen[0][1]["frozen"] is True
    assert (told["seed"], told["faults"], told["ini"], told["open_to_others"]) == (7, {"lost": 0.25}, "shop.ini", False)
    assert [one["name"] for one in told["merchants"]] == ["md5", "rsa", "rsa2", "dsa"]


@needs_extra
@pytest.mark.parametrize("merchant", ["md5", "rsa", "rsa2", "dsa"])
def test_the_commands_that_it_names_work_with_the_file_that_it_wrote(run, up, capsys, merchant):
    ran = []

    def during():
        capsys.readouterr()
        options = ["--config", "shop.ini", "--merchant", merchant]
        url = run("url", "create_forex_trade", "out_trade_no=A1", "subject=Tea", "currency=USD", "total_fee=12.30",
                  *options).out.strip()
        build_opener(ProxyHandler({})).open(url, timeout=10).close()
        ran.append(run("query", "--out-trade-no", "A1", *options))
        control = url.split("/gateway.do")[0] + "/_emulator/trades/A1/pay"
        fetched(control, b"")
        ran.append(run("query", "--out-trade-no", "A1", "--json", *options))
    up(during)
    assert run("emulator", "--port", "0").code == 0
    assert (ran[0].code, ran[1].code) == (7, 0)
    assert "TRADE_NOT_EXIST" in ran[0].err and "TRADE_FINISHED" in ran[1].out


@needs_extra
def test_a_section_that_somebody_added_is_not_lost(run, up, tmp_path):
    assert run("emulator", "--port", "0").code == 0
    written = (tmp_path / "shop.ini").read_text()
    (tmp_path / "shop.ini").write_text(written + "\n[mine]\npartner = 2088000000000999\n")
    refused = run("emulator", "--port", "0")
    assert refused.code == 78 and "--ini FILE" in refused.err
    assert "[mine]" in (tmp_path / "shop.ini").read_text()


@needs_extra
def test_the_ini_file_is_for_its_owner_alone_and_is_written_again_the_next_time(run, up, tmp_path):
    assert run("emulator", "--port", "0").code == 0
    first = (tmp_path / "shop.ini").read_text()
    assert first.startswith(command.MARK + "\n")
    assert stat.S_IMODE(os.stat("shop.ini").st_mode) == 0o600
    os.chmod("shop.ini", 0o644)
    assert run("emulator", "--port", "0").code == 0
    assert (tmp_path / "shop.ini").read_text() != first        # another MD5 key
    assert stat.S_IMODE(os.stat("shop.ini").st_mode) == 0o600
    assert os.listdir(str(tmp_path)) == ["shop.ini"]


@pytest.mark.parametrize("there", ["[default]\npartner = 2088000000000000\n", "", "# mine\n" + command.MARK])
def test_a_file_that_it_did_not_write_is_left_as_it_is(run, tmp_path, there):
    (tmp_path / "shop.ini").write_text(there)
    ran = run("emulator", "--port", "0")
    assert ran.code == 78 and "shop.ini is there already" in ran.err and "--ini FILE" in ran.err
    assert (tmp_path / "shop.ini").read_text() == there


@needs_extra
def test_another_file_may_be_named(run, up, tmp_path):
    (tmp_path / "shop.ini").write_text("[default]\n")
    ran = run("emulator", "--port", "0", "--ini", "my test.ini")
    assert ran.code == 0 and "--config 'my test.ini' --merchant md5" in ran.out
    assert (tmp_path / "my test.ini").read_text().startswith(command.MARK)


def test_a_folder_that_is_not_there_is_told(run):
    ran = run("emulator", "--ini", "no/shop.ini")
    assert ran.code == 78 and "no folder for no/shop.ini" in ran.err


def test_a_folder_is_no_file(run, tmp_path):
    (tmp_path / "shop.ini").mkdir()
    assert run("emulator").code == 78


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX")
def test_a_pipe_is_no_file_and_is_not_waited_for(run):
    os.mkfifo("shop.ini")
    assert run("emulator").code == 78


@needs_extra
def test_state_keeps_the_keys_and_the_orders(run, up, tmp_path):
    def order():
        url = (tmp_path / "shop.ini").read_text().split("gateway = ")[1].split("/gateway.do")[0]
        fetched(url + "/_emulator/trades", b'{"out_trade_no": "A1"}')
    up(order)
    assert run("emulator", "--port", "0", "--state", "gateway.db").code == 0
    keys = [line for line in (tmp_path / "shop.ini").read_text().splitlines() if "key = " in line]
    seen = []

    def look():
        url = (tmp_path / "shop.ini").read_text().split("gateway = ")[1].split("/gateway.do")[0]
        seen.append(json.loads(fetched(url + "/_emulator/trades/A1"))["trade"]["trade_status"])
    up(look)
    ran = run("emulator", "--port", "0", "--state", "gateway.db")
    assert ran.code == 0 and "making" not in ran.err and "what happened is in gateway.db" in ran.err
    assert [line for line in (tmp_path / "shop.ini").read_text().splitlines() if "key = " in line] == keys
    assert seen == ["NO_TRADE"]


@needs_extra
def test_an_address_that_others_reach_is_said_aloud(run, up):
    ran = run("emulator", "--port", "0", "--host", "0.0.0.0")
    assert ran.code == 0 and "--host 0.0.0.0: everybody who reaches this machine" in ran.out.replace("\n", " ")


@needs_extra
def test_a_port_that_is_taken_is_named(run, up):
    taken = []

    def during():
        import socket
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            one.listen(1)
            taken.append(one.getsockname()[1])
            taken.append(run("emulator", "--port", taken[0], "--ini", "other.ini"))
    up(during)
    assert run("emulator", "--port", "0").code == 0
    assert taken[1].code == 78 and "port: {} is taken".format(taken[0]) in taken[1].err
    assert not os.path.exists("other.ini")


@pytest.mark.parametrize("argv, told", [
    (["--fault", "gremlins=0.5"], "gremlins: no fault has this name"),
    (["--fault", "lost"], "name=value"),
    (["--fault", "lost=2"], "share from 0 to 1"),
    (["--fault", "lost=nan"], "share from 0 to 1"),
    (["--fault", "lost=often"], "share from 0 to 1"),
    (["--fault", "lost=0.1", "--fault", "lost=0.2"], "given twice"),
    (["--notify-url", "shop.example.com"], "--notify-url: an address"),
    (["--notify-url", "http://[::1"], "--notify-url: an address"),
    (["--seed", "x"], "invalid int"),
    (["now"], "everything has its option"),
])
def test_what_cannot_be_is_refused_before_anything_starts(run, argv, told):
    ran = run("emulator", *argv)
    assert ran.code == 2 and told in ran.err, ran.err
    assert not os.path.exists("shop.ini")


def test_without_the_extra_the_cure_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "werkzeug", None)
    ran = run("emulator")
    assert ran.code == 78 and "needs werkzeug" in ran.err and "pip install 'alipay-mapi[emulator]'" in ran.err


@needs_extra
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_0(run, up, checkout, tmp_path, number):
    assert run("emulator", "--port", "0", "--state", "gateway.db").code == 0       # with keys that were made before
    process = subprocess.Popen([sys.executable, "-m", "alipay_mapi", "emulator", "--port", "0", "--json",
                                "--state", "gateway.db"],
                               cwd=str(tmp_path), env=dict(os.environ, PYTHONPATH=str(checkout)),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = []
    while not lines or lines[-1] != b"}\n":
        lines.append(process.stdout.readline())
    told = json.loads(b"".join(lines).decode("utf-8"))
    assert json.loads(fetched(told["control"]))["emulator"]["calls"]
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and out == b""
    assert b"Traceback" not in err


@needs_extra
def test_accounts_at_ams_are_written_when_asked_for(run, up, tmp_path):
    """Beside the merchants, readable for the owner alone, and no merchants themselves."""
    from alipay_mapi.cli import ini
    from alipay_mapi.merchant_settings import NAMES
    ran = run("emulator", "--port", "0", "--ams")
    assert ran.code == 0 and "sections md5.ams, rsa.ams, rsa2.ams, dsa.ams" in ran.out
    assert stat.S_IMODE(os.stat("shop.ini").st_mode) == 0o600
    problems = []
    assert ini.merchants("shop.ini", problems) == ["md5", "rsa", "rsa2", "dsa"]
    assert ini.read("shop.ini", "md5", NAMES, problems)[0] == "md5" and problems == []
    assert run("config", "show", "--config", "shop.ini", "--merchant", "md5").code == 0
    again = run("emulator", "--port", "0")
    assert again.code == 0 and "--ams writes the accounts to shop.ini" in again.out
    with open("shop.ini") as file:
        assert ".ams]" not in file.read()


@needs_extra
def test_the_account_that_it_wrote_is_one_that_ams_knows(run, up):
    from alipay_mapi.cli import ini
    from alipay_mapi.migration import settings as migration_settings
    from alipay_mapi.migration.ams import Account
    from alipay_mapi.migration.backends.ams_client import AmsClient
    seen = []

    def during():
        problems = []
        for merchant in ("md5", "dsa"):
            values = ini.ams("shop.ini", merchant, migration_settings.NAMES, problems)
            client = AmsClient(Account(**values), retries=0)
            amount = {"currency": "USD", "value": "800"}
            made = client.pay({"productCode": "CASHIER_PAYMENT", "paymentRequestId": "P1", "paymentAmount": amount,
                               "order": {"orderAmount": amount, "orderDescription": "Tea", "referenceOrderId": "A1"},
                               "paymentMethod": {"paymentMethodType": "ALIPAY_CN"}})
            client.close()
            seen.append((made.outcome.state, values["client_id"], problems))
            fetched(made.answer["normalUrl"])
    up(during)
    assert run("emulator", "--port", "0", "--ams").code == 0
    assert seen == [("pending", "5Y88000000000101", []), ("pending", "5Y88000000000104", [])]
