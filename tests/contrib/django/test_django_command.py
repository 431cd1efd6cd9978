"""``manage.py alipay_mapi``: the package's commands with the project's settings, its arguments and its exit codes."""
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, ManagementUtility, call_command
from django.db import connections

import django_shop
import genuine
from alipay_mapi import cli
from alipay_mapi.contrib.django import signals
from alipay_mapi.contrib.django.management.commands.alipay_mapi import split
from alipay_mapi.contrib.django.testing import DjangoGateway
from django_shop import HANDED, heard, merchant, outcome, shop, values, watch

pytestmark = pytest.mark.usefixtures("database")
TWO = {"shop": merchant(), "hk": merchant(partner=genuine.STRANGER)}


@pytest.fixture(autouse=True)
def usual_shop(database, monkeypatch):
    for name in list(os.environ):
        if name.startswith("ALIPAY_MAPI_"):
            monkeypatch.delenv(name)
    with shop():
        yield


def manage(*argv):
    """The exit code of ``manage.py alipay_mapi …``."""
    with pytest.raises(SystemExit) as ended:
        ManagementUtility(["manage.py", "alipay_mapi"] + list(argv)).execute()
    return ended.value.code or 0


def ini(tmp_path, **changes):
    path = tmp_path / "shop.ini"
    path.write_text("[shop]\n" + "".join("{} = {}\n".format(*pair) for pair in merchant(**changes).items()), "ascii")
    return str(path)


@pytest.mark.parametrize("argv", [
    ["doctor"], ["config", "check"], ["codes", "ILLEGAL_SIGN"], ["codes", "NO_SUCH"], ["query"], ["nonsense"],
    ["fallback"], ["--help"], ["--version"], [], ["query", "--out-trade-no", "x", "--gateway", "http://127.0.0.1:9/"],
    ["url", "create_forex_trade", "out_trade_no=A1"], ["verify", "notify", "no-such-file"]])
def test_each_exit_code_is_the_one_of_the_command_alone(argv, tmp_path, capsys):
    placed = argv + ["--config", ini(tmp_path)] if argv and argv[0] not in ("--help", "--version", "codes") else argv
    alone = cli.main(placed)
    capsys.readouterr()
    assert manage(*argv) == alone
    assert "Traceback" not in capsys.readouterr().err


def test_a_run_asks_settles_and_sends_its_signal(capsys):
    with DjangoGateway() as mapi, heard(signals.run_finished) as told:
        watch()
        mapi.place("A1", total_fee="8.00", currency="USD")
        mapi.pay("A1", lose=True)
        mapi.advance(120)
        assert manage("fallback", "run", "--deadline", "50s", "--quiet") == 0
        assert outcome() == "paid" and HANDED == ["shop:paid::A1"]
    assert [arguments["tally"].outcomes for _, arguments in told] == [{"paid": 1}]


def test_work_that_remains_has_its_exit_code():
    with DjangoGateway() as mapi:
        watch("A1")
        watch("A2")
        mapi.advance(120)
        assert manage("fallback", "run", "--limit", "1") == 3


def test_a_query_is_asked_with_the_settings_of_the_project(capsys):
    with DjangoGateway() as mapi:
        mapi.place("A1", total_fee="8.00", currency="USD")
        mapi.pay("A1")
        assert manage("query", "--out-trade-no", "A1", "--json") == 0
    assert "TRADE_FINISHED" in capsys.readouterr().out


def test_the_merchant_is_chosen_as_in_an_ini_file(capsys):
    with shop(values(MERCHANTS=TWO, DEFAULT_MERCHANT="hk")):
        manage("config", "show", "--json")
        assert genuine.STRANGER in capsys.readouterr().out
        manage("config", "show", "--json", "--merchant", "shop")
        shown = capsys.readouterr().out
    assert genuine.PARTNER in shown and genuine.MD5_KEY not in shown


def test_a_flag_and_an_ini_file_win_over_the_settings(tmp_path, capsys):
    assert manage("config", "show", "--json", "--partner", genuine.STRANGER) == 0
    assert genuine.STRANGER in capsys.readouterr().out
    assert manage("config", "show", "--json", "--config", ini(tmp_path, partner=genuine.STRANGER)) == 0
    assert genuine.STRANGER in capsys.readouterr().out


@pytest.mark.parametrize("given", [{"COLOUR": "red"}, None, {}, values(HANDLER="no.such.function"),
                                   values(MERCHANTS=TWO), values(FALLBACK={"grace": "x"})])
def test_settings_that_cannot_work_have_the_exit_code_of_a_configuration(given, capsys):
    with shop(given or {}) if given is not None else shop({"MERCHANTS": 1}):
        assert manage("fallback", "run") == 78
        assert "ALIPAY_MAPI" in capsys.readouterr().err
        assert manage("fallback", "run", "--json") == 78
        assert json.loads(capsys.readouterr().out)["error"]["exit"] == 78
        assert manage("codes", "ILLEGAL_SIGN") == 0
        assert manage("--help") == 0


def test_the_tables_are_djangos_to_make(capsys):
    assert manage("fallback", "migrate") == 0
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET app = 'away' WHERE app = 'alipay_mapi_store'")
    try:
        assert manage("fallback", "migrate") == 78
        assert "manage.py migrate" in capsys.readouterr().err
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET app = 'alipay_mapi_store' WHERE app = 'away'")


def test_a_store_that_is_named_is_another_one(tmp_path, capsys):
    url = "sqlite:///" + str(tmp_path / "other.db")
    (tmp_path / "orders.csv").write_text("out_trade_no,total_fee,currency\nB1,8.00,USD\n", "ascii")
    assert manage("fallback", "watch", str(tmp_path / "orders.csv"), "--store", url) == 0
    assert manage("fallback", "status", "--json", "--store", url) == 0
    assert '"watched": 1' in capsys.readouterr().out
    assert manage("fallback", "status", "--json") == 0
    assert '"watched": 0' in capsys.readouterr().out


def test_help_is_the_packages_own(capsys):
    with pytest.raises(SystemExit):
        ManagementUtility(["manage.py", "alipay_mapi", "fallback", "run", "--help"]).execute()
    shown = capsys.readouterr().out
    assert "usage: manage.py alipay_mapi fallback run" in shown and "--deadline" in shown
    ManagementUtility(["manage.py", "help", "alipay_mapi"]).execute()
    assert "exit codes:" in capsys.readouterr().out


# --- call_command -----------------------------------------------------------------------------------------------------

def test_call_command_takes_the_same_arguments_and_its_own_streams():
    out, err = io.StringIO(), io.StringIO()
    call_command("alipay_mapi", "fallback", "status", "--json", stdout=out, stderr=err)
    assert json.loads(out.getvalue())["watched"] == 0
    with pytest.raises(CommandError, match="exit code 2") as raised:
        call_command("alipay_mapi", "query", stdout=out, stderr=err, no_color=True, verbosity=2, traceback=True)
    assert raised.value.returncode == 2
    assert "--out-trade-no" in err.getvalue()


# --- Django's own options ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("given, argv", [
    (["--settings=a.b", "doctor"], ["doctor"]), (["--settings", "a.b", "doctor"], ["doctor"]),
    (["doctor", "--settings=a.b", "--json"], ["doctor", "--json"]), (["--pythonpath", "x", "doctor"], ["doctor"]),
    (["-v", "1", "doctor"], ["doctor"]), (["-v", "2", "doctor"], ["-v", "doctor"]),
    (["--verbosity=3", "doctor"], ["-v", "-v", "doctor"]), (["--verbosity", "0", "doctor"], ["doctor"]),
    (["-v", "doctor"], ["-v", "doctor"]), (["--skip-checks", "--force-color", "doctor"], ["doctor"]),
    (["doctor", "-v"], ["doctor", "-v"]), (["--json", "--no-color", "doctor"], ["--json", "--no-color", "doctor"]),
    (["doctor", "--settings"], ["doctor"]), (["--settings"], []), ([], [])])
def test_djangos_options_are_taken_from_the_front(given, argv):
    assert split(given).argv == argv


def test_traceback_and_no_color_are_understood():
    assert split(["--traceback", "--no-color", "doctor"])[1:] == (True, False)
    assert split(["doctor"])[1:] == (False, True)


def test_it_is_a_command_of_a_real_manage_py(tmp_path):
    """Settings by ``--settings``, checks not run, the exit code out of the process."""
    (tmp_path / "live_settings.py").write_text(
        "SECRET_KEY = 'x'\nINSTALLED_APPS = ['alipay_mapi.contrib.django']\n"
        "ALIPAY_MAPI = {'MERCHANTS': {'shop': {'partner': '2088', 'sign_type': 'MD5', 'md5_key': 'k'}}}\n", "ascii")
    environ = dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmp_path), str(Path(__file__).resolve().parents[3])]))
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    codes = [subprocess.run([sys.executable, "-m", "django", "alipay_mapi"] + argv, env=environ, cwd=str(tmp_path),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode
             for argv in (["--settings=live_settings", "codes", "ILLEGAL_SIGN"],
                          ["doctor", "--settings=live_settings"])]
    assert codes == [0, 78]


def test_the_shops_handler_that_fails_leaves_work():
    with shop(values(HANDLER=django_shop.fail)), DjangoGateway() as mapi:
        watch()
        mapi.place("A1", total_fee="8.00", currency="USD")
        mapi.pay("A1", lose=True)
        mapi.advance(120)
        assert manage("fallback", "run") == 3
