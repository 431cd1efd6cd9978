"""``flask alipay-mapi …``: the command line with the app's settings, the same arguments and exit codes."""
import json
import os
import subprocess
import sys

import flask
import pytest
from flask_desk import MERCHANT, Desk, note

from alipay_mapi import cli
from genuine import MD5_KEY


def run(desk, *arguments):
    """The exit code. Through the group, as ``flask`` calls it, so that every argument has to pass it."""
    with pytest.raises(SystemExit) as ended:
        desk.app.cli.main(args=["alipay-mapi"] + list(arguments), prog_name="flask")
    return ended.value.code


@pytest.fixture
def host(desk):
    from alipay_mapi.contrib.flask.command import _host
    return _host(desk.app, desk.state())


COMMANDS = [
    ["--help"], ["--version"], [], ["--no-such"], ["no-such"], ["fallback"], ["fallback", "status"],
    ["fallback", "status", "--json"], ["fallback", "run", "--deadline", "50s", "--quiet"], ["fallback", "run", "-h"],
    ["fallback", "run", "--deadline", "never"], ["fallback", "run", "--merchant", "no-such"],
    ["fallback", "retry", "--out-trade-no", "A9"], ["config", "show"], ["config", "check"], ["-v", "config", "show"],
    ["url", "create_forex_trade", "out_trade_no=A7", "subject=Tea", "currency=USD", "total_fee=1.00",
     "notify_url=https://shop.example/n"], ["sign", "--presign", "a=1&b=2"], ["fallback", "watch", "--file", "no-such"]]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_arguments_and_exit_codes_are_the_commands_own(desk, host, capsys, arguments):
    desk.watch()
    expected = cli.main(list(arguments), host=host)
    theirs = capsys.readouterr()
    assert run(desk, *arguments) == expected
    ours = capsys.readouterr()
    assert (ours.out, ours.err) == (theirs.out, theirs.err)
    assert MD5_KEY not in ours.out + ours.err


def test_a_run_asks_with_the_apps_settings_and_hands_over_to_its_handler(desk, capsys):
    desk.watch("A1", "A2")
    seen = []
    fallback = desk.inside(desk.alipay.fallback)
    fallback.store._transact(lambda db: db.execute("UPDATE mapi_orders SET due_at = 0"))
    from alipay_mapi.cli import fallback_shops
    whole, fallback_shops.Client = fallback_shops.Client, lambda shop: seen.append(shop) or whole(shop, desk.gateway)
    try:
        code = run(desk, "fallback", "run", "--json")
    finally:
        fallback_shops.Client = whole
    told = json.loads(capsys.readouterr().out)
    assert code == 0 and told["shops"] == ["shop"] and len(desk.gateway.calls) == 2
    assert seen[0].partner == MERCHANT["partner"]


def test_an_effect_that_is_pending_is_carried_out_by_a_run(tmp_path):
    ready = []

    def handler(effect):
        if not ready:
            raise ZeroDivisionError
        ready.append((effect.kind, flask.current_app.name))
    with Desk(STORE=str(tmp_path / "orders.db"), HANDLER=handler) as desk:
        desk.watch()
        assert desk.post(note()) == (500, "fail")
        desk.inside(desk.alipay.fallback).store._transact(lambda db: db.execute("UPDATE mapi_effects SET due_at = 0"))
        ready.append("now")
        assert run(desk, "fallback", "run") == 0
    assert ready == ["now", ("paid", "shop_under_test")]


def test_the_store_stays_open_for_the_app(desk):
    desk.watch()
    assert run(desk, "fallback", "status") == 0
    assert desk.post(note()) == (200, "success")


@pytest.mark.parametrize("settings", [
    {"MERCHANTS": None}, {"MERCHANTS": {"a": dict(MERCHANT), "b": dict(MERCHANT)}, "DEFAULT_MERCHANT": "c"},
    {"HANDLER": "no.such.function"}, {"FALLBACK": {"no_such": 1}}])
def test_a_configuration_that_cannot_work_is_told_in_the_commands_own_way(settings, capsys):
    with Desk(**settings) as desk:
        assert run(desk, "fallback", "run") == 78
        told = capsys.readouterr().err
        assert "ALIPAY_MAPI_" in told and "Traceback" not in told
        assert run(desk, "--help") == 0
        assert run(desk, "fallback", "run", "--help") == 0


def test_a_shop_with_its_own_table_has_no_fallback(capsys):
    with Desk(STORE=None, HANDLER=None) as desk:
        assert run(desk, "fallback", "run") == 78
    assert "store" in capsys.readouterr().err


def test_two_apps_have_each_their_own_command(tmp_path, capsys):
    counts = []
    with Desk(STORE=str(tmp_path / "one.db")) as one, Desk(STORE=str(tmp_path / "two.db")) as two:
        one.watch("A1", "A2", "A3")
        two.watch("A1")
        for desk in (one, two):
            assert run(desk, "fallback", "status", "--json") == 0
            counts.append(json.loads(capsys.readouterr().out)["watched"])
    assert counts == [3, 1]


SHOP = """
import sys
from flask import Flask
from alipay_mapi.contrib.flask import AlipayMapi

app = Flask(__name__)
app.config.update(ALIPAY_MAPI_MERCHANTS={merchants!r}, ALIPAY_MAPI_SITE_URL="https://shop.example",
                  ALIPAY_MAPI_STORE="sqlite:///orders.db")
AlipayMapi(app, url_prefix="/alipay")
"""


@pytest.mark.parametrize("arguments, code, says", [
    (["fallback", "retry", "--out-trade-no", "A9"], 2, "not watched"),
    (["fallback", "status", "--json"], 0, '"watched": 0'), (["--no-such"], 2, ""), (["--help"], 0, "flask alipay-mapi"),
    (["fallback", "run", "--deadline", "50s", "--quiet"], 0, ""),
])
def test_the_real_flask_command_ends_with_the_same_code(tmp_path, checkout, arguments, code, says):
    (tmp_path / "shop_on_flask.py").write_text(SHOP.format(merchants={"shop": dict(MERCHANT)}))
    environment = dict(os.environ, FLASK_APP=str(tmp_path / "shop_on_flask.py"), LC_ALL="C.UTF-8",
                       PYTHONPATH=os.pathsep.join([str(tmp_path), str(checkout)]))
    done = subprocess.run([sys.executable, "-m", "flask", "alipay-mapi"] + arguments, cwd="/", env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    text = done.stdout.decode("utf-8")
    assert done.returncode == code, text
    assert says in text and "Traceback" not in text
