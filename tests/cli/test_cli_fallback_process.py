"""``fallback run`` as cron has it: real processes, signals while the gateway is slow, two runs at once."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from fallback_shop import SECTION, effects, write_ini, write_orders

from alipay_mapi.fallback import open_store
from alipay_mapi.testing import TestGateway

pytest.importorskip("werkzeug", reason="the extra emulator")

HANDLER = """\
def settle(effect):
    with open("effects.txt", "a") as file:
        file.write(effect.key + "\\n")
"""


@pytest.fixture
def shop(run, tmp_path):
    """A gateway on a socket, and twelve paid orders that are watched."""
    with TestGateway(live=True) as gateway:
        write_ini(tmp_path, gateway.settings("md5"), more=SECTION + "handler = shop:settle\nper_second = none\n")
        (tmp_path / "shop.py").write_text(HANDLER)
        numbers = ["A{:02}".format(number) for number in range(12)]
        for number in numbers:
            gateway.place(number, total_fee="8.00", currency="USD")
            gateway.pay(number, lose=True)
        assert run("fallback", "watch", write_orders(tmp_path, *numbers), "--config", "shop.ini").code == 0
        yield gateway


@pytest.fixture
def start(checkout, shop):
    """``start("--workers", "1")``: a run, as a process."""
    started = []

    def call(*options):
        process = subprocess.Popen([sys.executable, "-m", "alipay_mapi", "fallback", "run", "--config", "shop.ini",
                                    "--json"] + list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=dict(os.environ, PYTHONPATH=str(checkout)))
        started.append(process)
        return process
    yield call
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ended(process):
    """(exit code, what --json said)."""
    out, err = process.communicate(timeout=60)
    assert err == b"", err
    return process.returncode, json.loads(out.decode("utf-8"))


def asked(gateway):
    return [request.outcome.params["out_trade_no"] for request in gateway.requests()]


def wait_for(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("name, code", [("SIGTERM", 3), ("SIGINT", 130)])
def test_a_signal_lets_the_order_in_hand_be_settled_and_releases_the_rest(shop, start, tmp_path, name, code):
    shop.fail("slow", times=1, seconds=1.0)
    process = start("--workers", "1")
    wait_for(lambda: len(shop.requests()) == 1)     # the gateway has it, and answers in a second
    process.send_signal(getattr(signal, name))
    ran, told = ended(process)
    assert (ran, told["ended"], told["asked"], told["waiting_effects"]) == (code, "stopped", 1, 1)
    assert asked(shop) == ["A00"]
    store = open_store("orders.db")
    try:
        rows = {row.out_trade_no: (row.outcome, row.lease, row.attempts) for row in store.rows()}
        assert rows.pop("A00") == ("paid", "", 1)
        assert set(rows.values()) == {("open", "", 0)}
        assert len(store.due(100)) == 11
    finally:
        store.close()
    assert ended(start())[0] == 0       # the next run goes on where this one stopped
    assert sorted(effects(tmp_path)) == ["md5:paid::A{:02}".format(number) for number in range(12)]


def test_two_signals_are_no_worse_than_one(shop, start):
    shop.fail("slow", times=100, seconds=0.5)
    process = start("--workers", "1")
    wait_for(lambda: len(shop.requests()) == 1)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    code, told = ended(process)
    assert (code, told["asked"]) == (130, 1)


def test_two_runs_at_once_ask_each_order_once_and_carry_each_effect_out_once(shop, start, tmp_path):
    shop.fail("slow", times=100, seconds=0.2)
    told = [ended(process) for process in [start("--workers", "2"), start("--workers", "2")]]
    assert sorted(asked(shop)) == ["A{:02}".format(number) for number in range(12)]
    assert sum(one["asked"] for _, one in told) == 12 and {code for code, _ in told} <= {0, 3}
    assert sorted(effects(tmp_path)) == ["md5:paid::A{:02}".format(number) for number in range(12)]


def test_a_signal_does_not_reach_the_command_that_carries_out_an_effect(shop, start, tmp_path):
    """It has a session of its own: Ctrl-C at a terminal goes to the whole group of the run."""
    (tmp_path / "slow.py").write_text("import os, sys, time\nopen('begun', 'w').close()\ntime.sleep(1)\n"
                                      "open('effects.txt', 'a').write(sys.stdin.readline() and 'done\\n')\n")
    process = start("--limit", "1", "--exec", "'{}' slow.py".format(sys.executable))
    wait_for(lambda: (tmp_path / "begun").exists())
    process.send_signal(signal.SIGTERM)
    code, told = ended(process)
    assert (code, told["effects"]) == (3, 1) and effects(tmp_path) == ["done"]


def test_a_log_gets_one_line_and_a_quiet_run_without_work_none(shop, checkout, tmp_path):
    environ = dict(os.environ, PYTHONPATH=str(checkout))
    command = [sys.executable, "-m", "alipay_mapi", "fallback", "run", "--config", "shop.ini", "--quiet"]
    first, second = [subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, timeout=60)
                     for _ in range(2)]
    assert (first.returncode, first.stdout) == (0, b"")
    line, = first.stderr.decode("ascii").splitlines()
    assert line.startswith("asked 12 (12 paid); 12 effects carried out; nothing else is due; ")
    assert (second.returncode, second.stdout, second.stderr) == (0, b"", b"")


def test_a_file_is_watched_through_a_pipe_in_strict_mode_too(checkout, tmp_path):
    for number, extra in enumerate(([], ["--strict"])):
        ran = subprocess.run([sys.executable, "-m", "alipay_mapi", "fallback", "watch", "/dev/stdin", "--store", "p.db"]
                             + extra, input="out_trade_no,total_fee\nP{},1\n".format(number).encode("ascii"),
                             stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=str(checkout)), timeout=60)
        assert ran.returncode == 0 and b"watched     1" in ran.stdout
