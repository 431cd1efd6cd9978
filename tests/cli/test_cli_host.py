"""The commands inside another program, with its settings in place of an ini file: Django's ``manage.py``, ``flask``."""
import os
import sqlite3
from urllib.parse import parse_qsl, urlsplit

import pytest
from cli_samples import MD5_KEY, NOTE, PARTNER, Ran, load, md5_sign, signed

from alipay_mapi import Client, Merchant, Order
from alipay_mapi.cli import exits, main
from alipay_mapi.cli.host import Host, as_text
from alipay_mapi.errors import ConfigurationError
from alipay_mapi.fallback import Fallback, Tally, open_store
from alipay_mapi.keys import load_md5_key
from alipay_mapi.testing import TestGateway

MD5 = {"partner": PARTNER, "sign_type": "MD5", "md5_key": MD5_KEY}
OTHER = {"partner": "2088101122136777", "sign_type": "MD5", "md5_key": "another0only0md5key0another00123"}
PLACE, PROG = 'ALIPAY_MAPI["MERCHANTS"]', "manage.py alipay_mapi"


class Program:
    """A program with settings: its store stays open, its handler keeps what it was given."""

    def __init__(self, folder, merchants, **more):
        self.path, self.opened, self.done, self.tallies = folder / "own.db", [], [], []
        given = dict({"store": self.open, "store_name": "Django's database", "handler": self.done.append,
                      "finished": self.tallies.append, "default": next(iter(merchants)),
                      "fallback": {"grace": 0, "jitter": 0, "per_second": None}}, **more)
        self.host = Host(PROG, PLACE, merchants, **given)

    def open(self):
        if not self.opened:
            self.opened.append(open_store(str(self.path)))
        return self.opened[0]

    def watch(self, *numbers, **more):
        shop, price = more.get("shop", "shop"), more.get("price", "8.00")
        clients = {name: Client(Merchant(**values)) for name, values in self.host.merchants.items()}
        for number in numbers:
            Fallback(self.open(), clients).watch(shop, Order(number, total_fee=price, currency="USD"), first_in=0)

    def close(self):
        for store in self.opened:
            store.close()


@pytest.fixture
def ran(capsys):
    def call(host, *argv):
        code = main([str(arg) for arg in argv], host=host)
        return Ran(code, *capsys.readouterr())
    return call


@pytest.fixture
def gateway():
    with TestGateway() as gateway:
        yield gateway


@pytest.fixture
def program(tmp_path, gateway):
    """One merchant, called shop, at the emulated gateway; A1 is paid there, A2 waits, A3 nobody has come for."""
    program = Program(tmp_path, {"shop": gateway.settings("md5")})
    for number in ("A1", "A2"):
        gateway.place(number, total_fee="8.00", currency="USD")
    gateway.pay("A1", lose=True)
    gateway.log_in("A2")
    yield program
    program.close()


# --- merchants --------------------------------------------------------------------------------------------------------

def test_config_show_says_where_the_settings_stand_and_hides_keys(ran):
    shown = ran(Host(PROG, PLACE, {"shop": MD5}, "shop"), "config", "show", "--json")
    settings = load(shown)["settings"]
    assert shown.code == 0 and MD5_KEY not in shown.out + shown.err
    assert settings["partner"] == {"value": PARTNER, "source": "settings", "where": PLACE + "['shop']"}
    assert settings["md5_key"]["source"] == "settings" and settings["md5_key"]["value"] == "********"
    assert settings["gateway"]["source"] == "default"


def test_config_check_and_doctor_look_at_the_programs_merchant(ran):
    host = Host(PROG, PLACE, {"shop": dict(MD5, input_charset=None, allow_http=True)}, "shop")
    assert load(ran(host, "config", "check", "--json"))["partner"] == PARTNER
    findings = load(ran(host, "doctor", "--json"))["findings"]
    assert {"sign_type", "input_charset", "allow_http"} <= {row["id"] for row in findings}
    broken = ran(Host(PROG, PLACE, {"shop": dict(MD5, partner="x", md5_key=None)}, "shop"), "doctor", "--json")
    problems = [row["text"] for row in load(broken)["findings"] if row["level"] == "problem"]
    assert broken.code == exits.CONFIGURATION and any("partner" in text for text in problems) and any("md5_key" in text
                                                                                     for text in problems)


def test_a_url_is_signed_with_its_key(ran):
    host = Host(PROG, PLACE, {"shop": MD5}, "shop")
    answer = load(ran(host, "url", "single_trade_query", "out_trade_no=A1", "--json"))
    query = dict(parse_qsl(urlsplit(answer["url"]).query))
    sign = query.pop("sign")
    assert query.pop("sign_type") == "MD5" and query["partner"] == PARTNER and sign == md5_sign(query)


def test_a_message_is_checked_with_its_key(ran, tmp_path):
    (tmp_path / "body.bin").write_bytes(signed(NOTE))
    host = Host(PROG, PLACE, {"shop": MD5, "other": OTHER}, "shop")
    assert ran(host, "verify", "notify", tmp_path / "body.bin").code == 0
    assert ran(host, "verify", "notify", tmp_path / "body.bin", "--merchant", "other").code == 4


def test_query_asks_the_gateway_of_the_settings(ran, program):
    answer = ran(program.host._replace(default="shop"), "query", "--out-trade-no", "A1", "--json")
    assert answer.code == 0 and load(answer)["fields"]["trade_status"] == "TRADE_FINISHED"


def test_a_flag_wins_over_the_environment_which_wins_over_the_settings(ran, monkeypatch):
    host = Host(PROG, PLACE, {"shop": dict(MD5, seller_email="settings@example.com")}, "shop")

    def source(*argv):
        found = load(ran(host, "config", "show", "--json", *argv))["settings"]
        return found["gateway"]["source"], found["partner"]["source"]
    assert source() == ("default", "settings")
    monkeypatch.setenv("ALIPAY_MAPI_GATEWAY", "mainland")
    monkeypatch.setenv("ALIPAY_MAPI_PARTNER", "2088101122136000")
    assert source() == ("environment", "environment")
    assert source("--gateway", "hk") == ("flag", "environment")


def test_an_ini_that_is_named_by_flag_counts_and_one_of_the_environment_does_not(ran, ini, monkeypatch, tmp_path):
    """The program has settings; what stands in the shell for another purpose shall not replace them."""
    host = Host(PROG, PLACE, {"shop": OTHER}, "shop")
    monkeypatch.setenv("ALIPAY_MAPI_CONFIG", ini)
    assert load(ran(host, "config", "check", "--json"))["partner"] == OTHER["partner"]
    assert load(ran(host, "config", "check", "--json", "--config", ini))["partner"] == PARTNER


def test_of_several_merchants_the_default_is_meant_and_each_can_be_named(ran, monkeypatch):
    both = {"a": MD5, "b": OTHER}
    host = Host(PROG, PLACE, both, "b")
    assert load(ran(host, "config", "check", "--json"))["partner"] == OTHER["partner"]
    assert load(ran(host, "config", "check", "--json", "--merchant", "a"))["partner"] == PARTNER
    monkeypatch.setenv("ALIPAY_MAPI_MERCHANT", "a")
    assert load(ran(host, "config", "check", "--json"))["partner"] == PARTNER
    monkeypatch.delenv("ALIPAY_MAPI_MERCHANT")
    for argv in ((Host(PROG, PLACE, both), "config", "check"), (host, "config", "check", "--merchant", "nobody")):
        refused = ran(*argv)
        assert refused.code == exits.CONFIGURATION and PLACE in refused.err and "a, b" in refused.err


def test_key_files_are_paths_of_any_kind(ran, tmp_path):
    (tmp_path / "md5").write_text(MD5_KEY)
    for path in (str(tmp_path / "md5"), tmp_path / "md5", os.fsencode(str(tmp_path / "md5")), [str(tmp_path / "md5")],
                 (tmp_path / "md5",)):
        host = Host(PROG, PLACE, {"shop": {"partner": PARTNER, "sign_type": "MD5", "md5_key_file": path}}, "shop")
        assert ran(host, "config", "check").code == 0
    for path in (5, [5], {"a": 1}):
        host = Host(PROG, PLACE, {"shop": {"partner": PARTNER, "sign_type": "MD5", "md5_key_file": path}}, "shop")
        refused = ran(host, "config", "check")
        assert refused.code == exits.CONFIGURATION and "md5_key_file: the path of a file" in refused.err


def test_a_key_that_is_loaded_already_is_taken(ran):
    host = Host(PROG, PLACE, {"shop": dict(MD5, md5_key=load_md5_key(MD5_KEY))}, "shop")
    assert ran(host, "config", "check").code == 0 and MD5_KEY not in ran(host, "config", "show").out


def test_help_and_errors_call_the_program_by_its_name(ran):
    helped = ran(Host(PROG, PLACE, {}), "--help")
    assert helped.code == 0 and "usage: manage.py alipay_mapi" in helped.out
    refused = ran(Host(PROG, PLACE, {}), "no-such-command")
    assert refused.code == 2 and "manage.py alipay_mapi" in refused.err


def test_without_merchants_what_needs_none_works(ran):
    host = Host(PROG, PLACE, {})
    assert ran(host, "codes", "ILLEGAL_SIGN").code == 0
    refused = ran(host, "config", "check")
    assert refused.code == exits.CONFIGURATION and "none" in refused.err


# --- the fallback -----------------------------------------------------------------------------------------------------

def test_a_run_settles_what_is_watched_by_the_programs_handler_and_tells_it(ran, program):
    program.watch("A1", "A2", "A3")
    run = ran(program.host, "fallback", "run", "--json")
    assert run.code == 0 and load(run)["store"] == "Django's database"
    assert [(effect.shop, effect.kind, effect.out_trade_no) for effect in program.done] == [("shop", "paid", "A1")]
    tally, = program.tallies
    assert isinstance(tally, Tally) and (tally.asked, tally.effects) == (3, 1)
    assert program.open().get("shop", "A1").outcome == "paid"       # it is not closed


def test_the_programs_within_is_used_in_the_stores_transaction(ran, program):
    def within(connection, effect):
        connection.execute("CREATE TABLE paid AS SELECT '{}' AS number".format(effect.out_trade_no))
    program.watch("A1")
    host = program.host._replace(handler=None, within=within)
    assert ran(host, "fallback", "run").code == 0
    other = sqlite3.connect(str(program.path))
    assert other.execute("SELECT number FROM paid").fetchall() == [("A1",)]
    other.close()


def test_a_dry_run_writes_nothing_and_tells_nobody(ran, program):
    program.watch("A1")
    assert ran(program.host, "fallback", "run", "--dry-run").code == 0
    assert program.done == [] and program.tallies == [] and program.open().get("shop", "A1").outcome == "open"


def test_the_runs_settings_are_the_programs_and_flags_win(ran, program):
    program.watch("A1", "A2", "A3")
    host = program.host._replace(fallback=dict(program.host.fallback, limit=1, workers=1, deadline=50))
    assert load(ran(host, "fallback", "run", "--json"))["asked"] == 1
    assert load(ran(host, "fallback", "run", "--json", "--limit", "2"))["asked"] == 2


@pytest.mark.parametrize("name, value", [("workers", 2.5), ("limit", 0), ("deadline", float("inf")), ("first", -1),
                                         ("factor", 99), ("grace", "soon")])
def test_a_setting_that_cannot_work_is_told_by_its_name(ran, program, name, value):
    refused = ran(program.host._replace(fallback={name: value}), "fallback", "run")
    assert refused.code == exits.CONFIGURATION and name in refused.err and "None" not in refused.err


def test_orders_of_a_file_are_watched_for_the_merchant_that_is_meant(ran, program, tmp_path):
    (tmp_path / "orders.csv").write_text("out_trade_no,total_fee,currency\nA1,8.00,USD\nA2,8.00,USD\n")
    assert ran(program.host, "fallback", "watch", tmp_path / "orders.csv").code == 0
    assert [row.shop for row in program.open().rows()] == ["shop", "shop"]
    both = program.host._replace(merchants={"a": MD5, "b": OTHER}, default="b")
    assert ran(both, "fallback", "watch", tmp_path / "orders.csv").code == 0
    assert ran(both, "fallback", "watch", tmp_path / "orders.csv", "--shop", "a").code == 0
    assert [row.shop for row in program.open().rows()] == ["shop"] * 2 + ["b"] * 2 + ["a"] * 2
    refused = ran(both, "fallback", "watch", tmp_path / "orders.csv", "--shop", "c")
    assert refused.code == exits.CONFIGURATION and PLACE in refused.err


def test_status_retry_refund_and_report_work_on_the_programs_store(ran, program, tmp_path):
    program.watch("A1", "A2")
    assert load(ran(program.host, "fallback", "status", "--json"))["watched"] == 2
    assert ran(program.host, "fallback", "retry", "--out-trade-no", "A1").code == 0
    refund = ran(program.host, "fallback", "refund", "--out-trade-no", "A1", "--out-return-no", "R1", "--amount",
                 "1.00", "--yes", "--json")
    assert refund.code == 0 and load(refund)["store"] == "Django's database" and load(refund)["written"] is True
    page = tmp_path / "report.html"
    assert ran(program.host, "fallback", "report", "--html", page).code == 0 and "A1" in page.read_text("utf-8")
    assert ran(program.host, "fallback", "prune", "--older", "90d").code == 0
    assert program.open().counts()["watched"] == 2      # open still


def test_a_store_that_is_named_otherwise_wins_and_is_nobody_elses(ran, program, tmp_path, monkeypatch):
    """The program's handler belongs to its own store: effects of another store's orders are not its."""
    program.watch("A1")
    open_store("other.db").close()
    monkeypatch.setenv("ALIPAY_MAPI_STORE", "other.db")
    assert load(ran(program.host, "fallback", "status", "--json"))["watched"] == 0
    monkeypatch.delenv("ALIPAY_MAPI_STORE")
    shown = ran(program.host, "fallback", "status", "--store", "other.db", "--json")
    assert load(shown)["watched"] == 0
    assert load(ran(program.host, "fallback", "status", "--json"))["watched"] == 1


def test_a_program_without_a_store_says_so(ran, program):
    refused = ran(program.host._replace(store=None), "fallback", "status")
    assert refused.code == exits.CONFIGURATION and "store: not set" in refused.err


def test_a_handler_that_fails_leaves_the_effect_for_the_next_run(ran, program):
    def fails(effect):
        raise ValueError("buyer@example.com 13800138000")
    program.watch("A1")
    first = ran(program.host._replace(handler=fails), "fallback", "run")
    assert "buyer@example.com" not in first.out + first.err and "1 effect failed" in first.err
    assert program.open().counts()["effects"] == 1


def test_the_programs_store_is_left_open_after_an_error_too(ran, program):
    program.watch("A1")
    assert ran(program.host, "fallback", "refund", "--out-trade-no", "B1", "--out-return-no", "R1", "--amount", "1.00",
               "--yes").code != 0
    assert program.open().counts()["watched"] == 1


def test_nothing_is_opened_for_commands_that_need_no_store(ran, tmp_path):
    program = Program(tmp_path, {"shop": MD5})
    for argv in (("config", "show"), ("doctor",), ("codes", "ILLEGAL_SIGN"), ("fallback", "run", "--help")):
        ran(program.host, *argv)
    assert program.opened == []


# --- settings as text -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, value, text", [
    ("allow_http", True, "true"), ("allow_http", False, "false"), ("partner", "2088", "2088"),
    ("partner", 2088, "2088"),
    ("input_charset", None, "none"), ("per_second", None, "none"), ("limit", None, None), ("seller_id", None, None),
    ("private_key_file", None, None), ("grace", 60.0, "60.0"), ("grace", 1 / 3, "0.333"), ("first", 1e3, "1000.0"),
    ("longest", 1e8, "100000000.0"), ("jitter", 1e-5, "0.00001"), ("factor", 4 / 3, "1.333333"), ("jitter", 0, "0"),
    ("md5_key_file", b"/etc/key", "/etc/key"), ("alipay_public_key", ["a", "b"], ["a", "b"])])
def test_a_setting_is_written_as_an_ini_would_have_it(name, value, text):
    assert as_text(name, value) == text


def test_a_path_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="private_key_file: the path of a file"):
        as_text("private_key_file", 5)
