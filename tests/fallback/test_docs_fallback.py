"""docs/fallback.md is true: its files are run as they stand, and its tables are the program's own."""
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing

import pytest

import alipay_mapi as mapi
from alipay_mapi import trade_state
from alipay_mapi.cli import exits, main
from alipay_mapi.fallback import Schedule, open_store
from alipay_mapi.fallback.outbox import LEASE
from alipay_mapi.fallback.runner import REFUNDS_APART
from alipay_mapi.testing import TestGateway

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "fallback.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def files(page):
    return {info.partition(" ")[2]: text for info, text in _BLOCK.findall(page) if " " in info}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("ALIPAY_MAPI_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(str(tmp_path))
    return tmp_path


def rows(page, head):
    """The rows of the table whose head begins so, as lists of cells."""
    text = page[page.index("| " + head):].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text[2:]]


def test_no_block_is_left_that_nothing_runs(page):
    assert [info for info, _ in _BLOCK.findall(page)] == [
        "python payments.py", "ini shop.ini", "sh watch.sh", "sh effect.sh", "json", "text crontab"]


# --- the files --------------------------------------------------------------------------------------------------------

SETTINGS = """\
ALIPAY = {!r}
BOOKS = {{}}


def book(key, kind, number, detail):
    BOOKS.setdefault(key, (kind, number, detail))
"""


def test_the_python_of_the_page_is_a_shop_that_loses_nothing(files, folder, monkeypatch):
    with TestGateway() as gateway:
        (folder / "settings.py").write_text(SETTINGS.format(gateway.settings("md5")))
        (folder / "payments.py").write_text(files["payments.py"])
        monkeypatch.syspath_prepend(str(folder))
        payments, settings = importlib.import_module("payments"), importlib.import_module("settings")
        try:
            for number in ("A1", "A2"):
                gateway.visit(payments.payment_url(number, "8.00"))
            gateway.deliver_to(function=payments.notified)
            gateway.pay("A1")
            gateway.pay("A2", lose=True)
            assert [one["acknowledged"] for one in gateway.deliver()] == [True]
            assert settings.BOOKS == {"shop:paid::A1": ("paid", "A1", "")}
            payments.every_minute()     # nothing is due in the first minute
            assert "shop:paid::A2" not in settings.BOOKS
            payments.fallback.ask_soon("shop", "A2")
            payments.every_minute()
            assert settings.BOOKS["shop:paid::A2"] == ("paid", "A2", "")
            assert payments.notified(b"rubbish", "text/plain") == "fail"
        finally:
            payments.fallback.store.close()
            payments.client.close()
            for name in ("payments", "settings"):
                del sys.modules[name]


@pytest.fixture
def elsewhere(files, folder, checkout):
    """The page's folder of a shop in another language; ``alipay-mapi`` is this checkout's."""
    pytest.importorskip("werkzeug", reason="the extra emulator")
    for name in ("watch.sh", "effect.sh"):
        (folder / name).write_text(files[name])
        (folder / name).chmod(0o755)
    (folder / "bin").mkdir()
    (folder / "bin" / "alipay-mapi").write_text('#!/bin/sh\nexec "{}" -m alipay_mapi "$@"\n'.format(sys.executable))
    (folder / "bin" / "alipay-mapi").chmod(0o755)
    environ = dict(os.environ, PYTHONPATH=str(checkout), PATH=str(folder / "bin") + os.pathsep + os.environ["PATH"])

    def shell(command):
        return subprocess.run(["/bin/sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ,
                              timeout=60)
    with TestGateway(live=True) as gateway:
        settings = gateway.settings("md5")
        (folder / "md5.txt").write_text(settings["md5_key"])
        # Only whose shop it is and where the gateway is are the test's; and no minute is waited for.
        (folder / "shop.ini").write_text(
            files["shop.ini"].replace("2088101122136241", settings["partner"])
            .replace("[fallback]", "gateway = {}\n\n[fallback]\ngrace = 0\njitter = 0".format(settings["gateway"])))
        yield gateway, shell


def test_a_shop_in_any_language_watches_and_is_told(elsewhere, page, files, folder):
    gateway, shell = elsewhere
    assert shell("./watch.sh A1 8.00").returncode == 0
    gateway.place("A1", total_fee="8.00", currency="USD")
    gateway.pay("A1", lose=True)
    ran = shell("alipay-mapi fallback run --config shop.ini")
    assert ran.returncode == 0, ran.stderr
    shown = [text for info, text in _BLOCK.findall(page) if info == "json"]
    assert (folder / "effects.jsonl").read_text() == shown[0]
    assert json.loads(shown[0])["total_fee"] == "8.00"


@pytest.mark.skipif(shutil.which("flock") is None, reason="there is no flock on this machine")
def test_the_line_of_the_crontab_works_alone_and_beside_another(elsewhere, files, folder):
    gateway, shell = elsewhere
    words = files["crontab"].split(None, 5)
    assert words[:5] == ["*"] * 5
    command = words[5].strip().replace("/srv/shop", str(folder))
    shell("./watch.sh A1 8.00")
    gateway.place("A1", total_fee="8.00", currency="USD")
    gateway.pay("A1", lose=True)
    ran = shell(command)
    assert (ran.returncode, ran.stdout) == (0, b"") and ran.stderr.startswith(b"asked 1 (1 paid); 1 effect carried out")
    ran = shell(command)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    ran = shell("flock fallback.lock sh -c '{}'".format(command))       # somebody has the lock: this one goes away
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, b"", b"")


# --- the tables -------------------------------------------------------------------------------------------------------

def test_the_effects_are_those_of_the_library(page):
    kinds = {row[0].strip("`") for row in rows(page, "effect |")}
    assert kinds == {trade_state.PAID, trade_state.CLOSED, trade_state.REFUNDED, trade_state.NEEDS_A_PERSON}


def test_the_exit_codes_are_known(page):
    codes = [int(row[0]) for row in rows(page, "exit code |")]
    assert codes == [exits.DONE, exits.WORK_REMAINS, exits.UNREACHABLE, exits.BUSY, exits.CONFIGURATION,
                     exits.INTERRUPTED]


def test_the_schedule_has_these_numbers(page):
    told = {row[0].strip("`"): float(row[1].split()[0]) for row in rows(page, "setting | default |")}
    assert told == {name: float(value) for name, value in Schedule()._asdict().items()}
    assert "{:g} seconds lie between".format(REFUNDS_APART) in " ".join(page.split())


def test_an_order_that_nobody_pays_is_asked_about_as_often_as_the_page_says(page):
    schedule = Schedule(jitter=0.0)
    moments, now, deadline = [], schedule.begins("k", 0.0), 12 * 3600.0
    while now is not None:
        moments.append(now / 60)
        now = schedule.after("k", len(moments), now, deadline)
    assert moments[:7] == [1, 2, 4, 8, 16, 32, 64] and moments[7] - moments[6] == 60 and moments[-1] == 12 * 60 + 10
    assert "is asked about {} times".format(len(moments)) in " ".join(page.split())


def test_the_schedule_that_asks_sooner_asks_as_the_page_says(page):
    told = dict(re.findall(r"`(grace|first|factor|longest) = (\d+)`", page))
    schedule = Schedule(jitter=0.0, **{name: float(value) for name, value in told.items()})
    moments, now = [], schedule.begins("k", 0.0)
    while now is not None:
        moments.append(now)
        now = schedule.after("k", len(moments), now, 12 * 3600.0)
    assert len(told) == 4 and moments[:4] == [5, 15, 55, 215] and moments[5] - moments[4] == 300
    assert "after 5, 15 and 55 seconds and 3.6 minutes, then every 5 minutes" in " ".join(page.split())
    assert "which is {} questions".format(len(moments)) in " ".join(page.split())


def test_a_handler_has_the_time_that_the_page_gives_it(page):
    assert "A handler has {:.0f} seconds: an effect is a worker's for {:.0f}".format(LEASE / 2, LEASE) in " ".join(
        page.split())


def test_the_tables_have_these_columns_and_no_other(page, folder):
    import sqlite3
    with closing(open_store("orders.db")):
        pass
    with closing(sqlite3.connect("orders.db")) as db:
        tables = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type='table' AND name LIKE 'mapi%'"
                                               )]
        columns = {name: [row[1] for row in db.execute("PRAGMA table_info({})".format(name))] for name in tables}
    told = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1].partition(":")[0]) for row in rows(page, "table |")}
    assert {name: sorted(listed) for name, listed in told.items()} == {
        name: sorted(listed) for name, listed in columns.items()}


def test_nothing_of_the_buyer_and_no_key_is_in_the_store(folder, capsys):
    """Paid, refunded, answered with rubbish: then the file's own bytes are looked at."""
    with TestGateway() as gateway:
        settings = gateway.settings("md5")
        (folder / "shop.ini").write_text("[shop]\n" + "".join("{} = {}\n".format(*pair) for pair in settings.items())
                                         + "[fallback]\nstore = orders.db\ngrace = 0\njitter = 0\n")
        (folder / "orders.csv").write_text("out_trade_no,total_fee,currency\nA1,8.00,USD\nA2,8.00,USD\n")
        for number in ("A1", "A2"):
            gateway.place(number, total_fee="8.00", currency="USD")
            gateway.pay(number, lose=True)
        asked = mapi.Client(gateway.shop()).single_trade_query(out_trade_no="A1")
        assert main(["fallback", "watch", "orders.csv", "--config", "shop.ini"]) == 0
        gateway.fail("html-200", times=1)
        main(["fallback", "run", "--config", "shop.ini"])
        main(["fallback", "refund", "--out-trade-no", "A1", "--out-return-no", "R1", "--amount", "1.00", "--yes",
              "--config", "shop.ini"])
        main(["fallback", "run", "--config", "shop.ini"])
    kept = (folder / "orders.db").read_bytes()
    secrets = [settings["md5_key"]] + [asked[name] for name in ("buyer_email", "buyer_id") if name in asked]
    assert len(secrets) > 1 and b"A1" in kept
    assert [secret for secret in secrets if secret.encode("ascii") in kept] == []


@pytest.mark.parametrize("name", ["fallback.md", "reliability.md", "workers.md", "performance.md"])
def test_every_link_of_the_fallback_s_pages_leads_to_a_file_and_a_heading(name, checkout):
    folder = checkout / "docs"
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", (folder / name).read_text(encoding="utf-8"))
    assert [link for link, _ in links if not (folder / (link or name)).is_file()] == []
    headings = {link: anchors((folder / (link or name)).read_text(encoding="utf-8")) for link, _ in links}
    assert [(link, anchor) for link, anchor in links if anchor and anchor not in headings[link]] == []


def anchors(text):
    """Of the page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("name", ["reliability.md", "workers.md"])
def test_every_test_and_command_that_the_pages_name_exists(name, checkout):
    text = (checkout / "docs" / name).read_text(encoding="utf-8")
    there = {path.name for top in ("tests", "benchmarks") for path in (checkout / top).glob("**/*.py")}
    named = set(re.findall(r"\b(test_\w+\.py)", text))
    assert sorted(named - there) == []
    for path in re.findall(r"\b((?:tests|benchmarks)/[\w/]+\.py)", text):
        assert (checkout / path).is_file(), path
    code = "".join((checkout / "tests" / part).read_text(encoding="utf-8") for part in (
        "fallback/test_schedule.py", "fallback/test_fallback_races.py", "faults/test_kills.py"))
    assert [one for one in re.findall(r"\b((?:ALIPAY_)?MAPI_[A-Z_]+)=\d", text) if one not in code] == []
