"""What the gateway remembers, in memory and in a file."""
import gc
import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.ledger import Ledger
from alipay_mapi.errors import ConfigurationError, InvalidRequest

TRADE = {"partner": "2088000000000101", "trade_status": "NO_TRADE", "changed_at": "2026-01-01 00:00:00"}


@pytest.fixture
def ledger():
    made = Ledger()
    yield made
    made.close()


def add(ledger, number, due_at=None, **data):
    return ledger.add("trades", data, out_trade_no=number, due_at=due_at, **TRADE)


def test_a_row_is_its_columns_and_whatever_else_was_given(ledger):
    row = add(ledger, "A1", subject="茶", nested={"a": [1]})
    assert row["subject"] == "茶" and row["nested"] == {"a": [1]} and row["out_trade_no"] == "A1"
    changed = ledger.change("trades", row, trade_status="WAIT_BUYER_PAY", subject="tea")
    assert changed == ledger.one("trades", out_trade_no="A1") == dict(row, trade_status="WAIT_BUYER_PAY", subject="tea")
    assert ledger.one("trades", out_trade_no="A2") is None
    with pytest.raises(InvalidRequest):
        ledger.get("trades", out_trade_no="A2")


def test_rows_come_in_the_order_in_which_they_were_made_or_the_newest_first(ledger):
    for number in ("A3", "A1", "A2"):
        add(ledger, number)
    assert [row["out_trade_no"] for row in ledger.rows("trades")] == ["A3", "A1", "A2"]
    assert [row["out_trade_no"] for row in ledger.rows("trades", newest=True, limit=1, offset=1)] == ["A1"]
    assert ledger.count("trades") == 3 and ledger.count("trades", out_trade_no="A1") == 1


def test_due_rows_come_earliest_first(ledger):
    for number, due in (("A1", "2026-01-03 00:00:00"), ("A2", "2026-01-01 00:00:00"), ("A3", None),
                        ("A4", "2026-01-02 00:00:00")):
        add(ledger, number, due)
    assert ledger.next_due("trades", "due_at") == "2026-01-01 00:00:00"
    assert [row["out_trade_no"] for row in ledger.due("trades", "due_at", "2026-01-02 00:00:00")] == ["A2", "A4"]
    assert [row["out_trade_no"] for row in ledger.due("trades", "due_at", "2027", limit=1)] == ["A2"]


def test_a_transaction_is_all_or_nothing_however_deep(ledger):
    with pytest.raises(RuntimeError):
        with ledger.transaction():
            add(ledger, "A1")
            with ledger.transaction():
                add(ledger, "A2")
            raise RuntimeError
    assert ledger.count("trades") == 0
    add(ledger, "A1")
    assert ledger.count("trades") == 1


def test_the_same_order_of_one_partner_cannot_be_there_twice(ledger):
    add(ledger, "A1")
    with pytest.raises(sqlite3.IntegrityError):
        add(ledger, "A1")
    assert ledger.count("trades") == 1


def test_a_commit_that_fails_leaves_the_ledger_usable(ledger, monkeypatch):
    real = ledger._db

    class Full:
        def execute(self, sql, *args):
            if sql == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return real.execute(sql, *args)

        def __getattr__(self, name):
            return getattr(real, name)

    monkeypatch.setattr(ledger, "_db", Full())
    with pytest.raises(sqlite3.OperationalError):
        add(ledger, "A1")
    monkeypatch.setattr(ledger, "_db", real)
    add(ledger, "A2")
    assert [row["out_trade_no"] for row in ledger.rows("trades")] == ["A2"]


def test_eight_threads_that_count_up_lose_nothing(ledger):
    row = add(ledger, "A1", count=0)

    def work():
        for _ in range(50):
            with ledger.transaction():
                ledger.change("trades", row, count=ledger.get("trades", id=row["id"])["count"] + 1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.get("trades", id=row["id"])["count"] == 400


def test_clear_keeps_the_merchants_and_their_keys(ledger):
    add(ledger, "A1")
    ledger.add("merchants", {"md5_key": "x"}, partner="1")
    ledger.set_meta("platform_private", "p")
    ledger.set_meta("last_refund:1", "t")
    ledger.clear()
    assert ledger.count("trades") == 0 and ledger.count("merchants") == 1
    assert ledger.meta("platform_private") == "p" and ledger.meta("last_refund:1") is None


def test_a_file_is_as_it_was_after_it_was_opened_again(tmp_path):
    first = Ledger(tmp_path / "ledger")     # a path is as good as its text
    row = add(first, "A1", subject="茶")
    first.close()
    again = Ledger(str(tmp_path / "ledger"))
    assert again.rows("trades") == [row]
    again.close()


def test_what_was_committed_survives_kill_9(tmp_path, checkout):
    path = str(tmp_path / "ledger")
    script = ("import os, signal, sys\nfrom alipay_mapi.emulator.ledger import Ledger\n"
              "ledger = Ledger(sys.argv[1])\nledger.set_meta('kept', 'yes')\n"
              "context = ledger.transaction()\ncontext.__enter__()\nledger.set_meta('half', 'done')\n"
              "os.kill(os.getpid(), signal.SIGKILL)\n")
    done = subprocess.run([sys.executable, "-c", script, path], cwd=str(checkout), timeout=60,
                          env=dict(os.environ, PYTHONPATH=str(checkout)))
    assert done.returncode == -9
    ledger = Ledger(path)
    assert ledger.meta("kept") == "yes" and ledger.meta("half") is None
    ledger.close()


def test_a_file_is_written_through_to_the_disk(tmp_path):
    ledger = Ledger(str(tmp_path / "ledger"))
    assert ledger._db.execute("PRAGMA synchronous").fetchone()[0] == 2      # FULL
    assert ledger._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    ledger.close()


def test_what_is_no_ledger_is_refused_and_left_alone(tmp_path):
    text, other, newer, empty = [str(tmp_path / name) for name in ("text", "other", "newer", "empty")]
    with open(text, "w") as file:
        file.write("This is a diary, and no database at all. " * 100)
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE diary (day TEXT)")
    database.close()
    ledger = Ledger(newer)
    ledger.set_meta("schema", "99")
    ledger.close()
    before = [read(text), read(other)]
    for path, why in ((text, "no emulator's ledger"), (other, "no emulator's ledger"), (newer, "another version.*99"),
                      (str(tmp_path), "cannot be opened"), (str(tmp_path / "no" / "where"), "cannot be opened"),
                      ("nul\0", "cannot be opened")):
        with pytest.raises(ConfigurationError, match=why):
            Ledger(path)
    assert before == [read(text), read(other)]
    open(empty, "w").close()
    Ledger(empty).close()       # a new file, whoever made it


def test_a_ledger_is_open_in_one_place_only(tmp_path, monkeypatch):
    monkeypatch.setattr("alipay_mapi.emulator.ledger._PATIENCE", 0.05)
    first = Ledger(str(tmp_path / "ledger"))
    with pytest.raises(ConfigurationError, match="in use"):
        Ledger(str(tmp_path / "ledger"))
    first.close()
    Ledger(str(tmp_path / "ledger")).close()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_an_emulator_that_is_let_go_leaves_no_connection_open():
    """Python 3.13 warns of an unclosed connection, and a shop's pytest may turn warnings into errors."""
    emulator = Emulator(seed=1)
    emulator.place("A1")
    database = emulator.ledger._db
    del emulator
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError):
        database.execute("SELECT 1")
