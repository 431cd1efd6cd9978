"""``fallback watch``: files and stdin into a store, without a key; what is bad is told by line."""
import sqlite3
import time
from contextlib import closing

import pytest
from cli_samples import load
from fallback_shop import write_orders

from alipay_mapi.fallback import open_store

STORE = ("--store", "orders.db")
GOOD = b"out_trade_no,total_fee,currency\nA1,8.00,USD\nA2,8.00,USD\n"


def rows():
    store = open_store("orders.db")
    try:
        return {(row.shop, row.out_trade_no): row for row in store.rows()}
    finally:
        store.close()


def numbers():
    return sorted(number for _, number in rows())


def test_a_file_is_watched_without_any_key_and_its_store_is_made(run, tmp_path):
    ran = run("fallback", "watch", write_orders(tmp_path, "A1", "A2"), *STORE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == ["watched     2", "known       0", "bad lines   0"]
    assert sorted(rows()) == [("default", "A1"), ("default", "A2")]


def test_the_same_file_again_changes_nothing(run, tmp_path):
    write_orders(tmp_path, "A1", "A2")
    run("fallback", "watch", "orders.csv", *STORE)
    before = rows()
    told = load(run("fallback", "watch", "orders.csv", "--json", *STORE))
    assert (told["new"], told["known"], told["bad"]) == (0, 2, 0)
    assert rows() == before


@pytest.mark.parametrize("file", [[], ["-"]], ids=["nothing", "dash"])
@pytest.mark.parametrize("strict", [[], ["--strict"]], ids=["", "strict"])
def test_orders_can_come_from_stdin(run, file, strict):
    assert run("fallback", "watch", *file, *strict, *STORE, stdin=GOOD).code == 0
    assert numbers() == ["A1", "A2"]
    assert run("fallback", "watch", *file, *strict, *STORE, stdin=b'{"out_trade_no": "A3", "total_fee": "8"}').code == 0
    assert numbers() == ["A1", "A2", "A3"]


def test_bad_lines_are_told_and_the_others_are_watched(run):
    ran = run("fallback", "watch", *STORE, stdin=GOOD + b"A3,8.001,USD\nA4,8.00,USD\nA1,9.00,USD\n")
    assert ran.code == 2
    assert "line 4: total_fee: an amount is plain digits" in ran.err
    assert "line 6: out_trade_no: watched already, with another price" in ran.err
    assert "InvalidRequest: 2 lines are bad; the others are watched" in ran.err
    assert numbers() == ["A1", "A2", "A4"]


def test_strict_watches_nothing_if_one_line_is_bad(run, tmp_path):
    (tmp_path / "orders.csv").write_bytes(GOOD + b"A3,8.001,USD\n")
    ran = run("fallback", "watch", "orders.csv", "--strict", *STORE)
    assert ran.code == 2 and "line 4" in ran.err and "1 line is bad; nothing is watched" in ran.err
    assert numbers() == []
    (tmp_path / "orders.csv").write_bytes(GOOD)
    assert run("fallback", "watch", "orders.csv", "--strict", *STORE).code == 0
    assert numbers() == ["A1", "A2"]


@pytest.mark.parametrize("strict", [[], ["--strict"]], ids=["", "strict"])
def test_of_many_bad_lines_the_first_are_told_and_all_are_counted(run, strict):
    bad = b"out_trade_no,total_fee\n" + b"A1,x\n" * 30
    ran = run("fallback", "watch", *strict, *STORE, stdin=bad)
    assert ran.code == 2 and ran.err.count("\nline ") == 19 and "line 21:" in ran.err and "line 22:" not in ran.err
    assert "30 lines are bad, the first 20 are told" in ran.err
    told = load(run("fallback", "watch", "--json", *strict, *STORE, stdin=bad))
    assert told["bad"] == 30 and len(told["bad_lines"]) == 20 and told["bad_lines"][0]["line"] == 2


def test_a_header_that_is_no_header_is_refused(run, tmp_path):
    ran = run("fallback", "watch", *STORE, stdin=b"A1,8.00,USD\n")
    assert ran.code == 2 and "header" in ran.err and "out_trade_no, total_fee" in ran.err


def test_gbk_can_be_said(run):
    data = '{"out_trade_no": "A1", "total_fee": "8.00"}\n{"out_trade_no": "茶", "total_fee": "8"}\n'.encode("gbk")
    assert "not UTF-8 text" in run("fallback", "watch", *STORE, stdin=data).err
    assert "not UTF-8 text" not in run("fallback", "watch", "--charset", "GBK", *STORE, stdin=data).err


@pytest.mark.parametrize("extra, words", [
    (["--charset", "latin-1"], "--charset"), (["--timeout", "12y"], "timeout"), (["no-such-file.csv"],
    "no-such-file.csv"),
    (["--format", "xml"], "--format"), (["a", "b"], "too many"), (["."], "cannot read ."),
])
def test_what_cannot_be_used_is_2_and_makes_no_store(run, tmp_path, extra, words):
    ran = run("fallback", "watch", *(extra + list(STORE)))
    assert ran.code == 2 and words in ran.err
    assert not (tmp_path / "orders.db").exists()


def test_a_time_for_all_is_given_as_in_the_payment_request(run, tmp_path):
    run("fallback", "watch", write_orders(tmp_path, "A1"), "--timeout", "30m", *STORE)
    row, = rows().values()
    assert 1795 < row.deadline - row.watched_at <= 1800


@pytest.mark.parametrize("timeout, words", [("3600", "give the unit"), ("99d", "longer than any payment request"),
                                            ("12y", "1m to 15d")])
def test_a_time_that_no_payment_request_could_say_is_refused_with_what_is_taken(run, tmp_path, timeout, words):
    ran = run("fallback", "watch", write_orders(tmp_path, "A1"), "--timeout", timeout, *STORE)
    assert ran.code == 2 and words in ran.err and "15d" in ran.err
    ran = run("fallback", "watch", write_orders(tmp_path, "A1", timeout=timeout), *STORE)
    assert ran.code == 2 and "line 2: timeout: " in ran.err and words in ran.err


def test_a_moment_can_be_the_time_for_all(run, tmp_path):
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600 + 7200))
    assert run("fallback", "watch", write_orders(tmp_path, "A1"), "--timeout", moment, *STORE).code == 0
    row, = rows().values()
    assert 7190 < row.deadline - row.watched_at <= 7201


# --- lines that could end it all --------------------------------------------------------------------------------------

def test_a_number_that_no_computer_can_hold_is_a_bad_line(run):
    data = b'{"out_trade_no":"A0","total_fee":"8.00"}\n{"out_trade_no":"A1","total_fee":1e99999999999999999999}\n' \
           b'{"out_trade_no":"A2","total_fee":"8","timeout":1e99999999999999999999}\n{"out_trade_no":"A3","total_fee":"8"}'
    ran = run("fallback", "watch", *STORE, stdin=data)
    assert ran.code == 2 and "line 2: not one JSON object" in ran.err and "line 3: not one JSON object" in ran.err
    assert numbers() == ["A0", "A3"]


@pytest.mark.parametrize("strict", [[], ["--strict"]], ids=["", "strict"])
@pytest.mark.parametrize("price", ["x", "abc||", "||USD"])
def test_a_stored_price_that_cannot_be_read_costs_one_line(run, price, strict):
    run("fallback", "watch", *STORE, stdin=GOOD)
    with closing(sqlite3.connect("orders.db")) as db:
        db.execute("UPDATE mapi_orders SET price=? WHERE out_trade_no='A1'", (price,))
        db.commit()
    data = b"out_trade_no,total_fee,currency\nB1,8.00,USD\nA1,8.00,USD\nA2,8.00,USD\nB2,8.00,USD\n"
    ran = run("fallback", "watch", *STORE, *strict, stdin=data)
    assert ran.code == 2 and "line 3: out_trade_no: watched already, and " in ran.err and "1 line is bad" in ran.err
    assert numbers() == (["A1", "A2"] if strict else ["A1", "A2", "B1", "B2"])


# --- whose order ------------------------------------------------------------------------------------------------------

def several(tmp_path, *names):
    (tmp_path / "shop.ini").write_text("".join("[{}]\npartner = 2088\n".format(name) for name in names)
                                       + "[fallback]\nstore = orders.db\n")
    return "--config", "shop.ini"


def shops_of(run, *arguments, **options):
    ran = run("fallback", "watch", *arguments, stdin=options.get("stdin", GOOD))
    return ran.code, sorted({shop for shop, _ in rows()}) if ran.code == 0 else ran.err


def test_the_shop_is_the_only_section_of_the_ini(run, tmp_path):
    assert shops_of(run, *several(tmp_path, "hongkong")) == (0, ["hongkong"])


def test_or_the_one_called_default(run, tmp_path):
    assert shops_of(run, *several(tmp_path, "hongkong", "default")) == (0, ["default"])


def test_or_the_one_that_is_named(run, tmp_path):
    config = several(tmp_path, "hongkong", "tokyo")
    assert shops_of(run, "--shop", "tokyo", *config) == (0, ["tokyo"])
    assert shops_of(run, "--merchant", "hongkong", *config) == (0, ["hongkong", "tokyo"])


def test_of_several_each_line_names_its_own(run, tmp_path):
    config = several(tmp_path, "hongkong", "tokyo")
    code, told = shops_of(run, *config)
    assert code == 2 and "line 2: shop: the line names none" in told
    data = b"out_trade_no,total_fee,shop\nA1,8.00,tokyo\nA2,8.00,hongkong\n"
    assert shops_of(run, *config, stdin=data) == (0, ["hongkong", "tokyo"])


def test_a_shop_that_the_ini_does_not_have_is_refused_since_nobody_would_ask(run, tmp_path):
    config = several(tmp_path, "hongkong")
    for extra in (["--shop", "hongkng"], ["--merchant", "hongkng"], ["--shop", "fallback"]):
        ran = run("fallback", "watch", *extra, *config, stdin=GOOD)
        assert ran.code == 78 and "it has hongkong" in ran.err


@pytest.mark.parametrize("strict", [[], ["--strict"]], ids=["", "strict"])
def test_a_line_whose_shop_the_ini_does_not_have_is_a_bad_line(run, tmp_path, strict):
    config = several(tmp_path, "hongkong", "tokyo")
    data = b"out_trade_no,total_fee,shop\nA1,8.00,tokyo\nA2,8.00,hongkng\nA3,8.00,fallback\n"
    ran = run("fallback", "watch", *config, *strict, stdin=data)
    assert ran.code == 2 and "line 3: shop: hongkng is none of those that there are (hongkong, tokyo)" in ran.err
    assert "line 4: shop: fallback is none" in ran.err
    assert numbers() == ([] if strict else ["A1"])


def test_without_an_ini_any_shop_may_be_named(run):
    assert run("fallback", "watch", *STORE, stdin=b'{"out_trade_no": "A1", "total_fee": "8", "shop": "x"}').code == 0


def test_the_schedule_is_that_of_the_ini(run, tmp_path):
    config = several(tmp_path, "hongkong")
    (tmp_path / "shop.ini").write_text((tmp_path / "shop.ini").read_text() + "grace = 1h\njitter = 0\n")
    run("fallback", "watch", *config, stdin=GOOD)
    assert {round(row.due_at - row.watched_at) for row in rows().values()} == {3600}
