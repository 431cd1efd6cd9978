"""Orders from a file: what each line comes to, that a bad one costs no other, and that memory does not grow."""
import io
import json
import subprocess
import sys

import pytest
from fallback_setup import START, Clock
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi.errors import AlipayError, ConfigurationError, InvalidRequest
from alipay_mapi.fallback import Schedule, open_store, watch_file

PLAIN = Schedule(jitter=0.0)
#: START, as people write it: 1750000000 is 2025-06-15 15:06:40 in UTC.
START_UTC = "2025-06-15T15:06:40Z"


def read(data, **options):
    data = data.encode("utf-8") if isinstance(data, str) else data
    options.setdefault("shop", "shop")
    return list(watch_file.read_orders(io.BytesIO(data), Clock(), schedule=PLAIN, **options))


def only(data, **options):
    line, = read(data, **options)
    assert line.problem == ""
    return line.watched


def problem(data, **options):
    line, = read(data, **options)
    assert line.watched is None and line.problem
    return line.problem


def row(columns, values):
    return columns + "\n" + values + "\n"


@pytest.fixture
def store():
    store = open_store("memory:", clock=Clock())
    yield store
    store.close()


# --- what a line says -------------------------------------------------------------------------------------------------

def test_a_csv_line_is_an_order():
    watched = only(row("out_trade_no,total_fee,currency,timeout,shop", "A1,8.00,USD,30m,hongkong"))
    assert (watched.shop, watched.order.out_trade_no, str(watched.order.total_fee), watched.order.currency) == (
        "hongkong", "A1", "8.00", "USD")
    assert (watched.first_in, watched.closes_in) == (60.0, 1800.0)


def test_a_json_line_is_an_order():
    watched = only('{"out_trade_no": "A1", "rmb_fee": "8.00", "currency": "USD", "timeout": "1d", "shop": "tokyo"}')
    assert (watched.shop, str(watched.order.rmb_fee), watched.order.total_fee, watched.closes_in) == (
        "tokyo", "8.00", None, 86400.0)


@pytest.mark.parametrize("number, text", [("8.10", "8.10"), ("8", "8"), ('"8.00"', "8.00"), ("0.07", "0.07")])
def test_an_amount_in_json_is_exact_even_as_a_number(number, text):
    assert str(only('{"out_trade_no": "A1", "currency": "USD", "total_fee": %s}' % number).order.total_fee) == text


@pytest.mark.parametrize("gateway", ["mapi", "ams", "openapi"])
def test_a_line_may_say_where_its_order_lives_and_one_that_does_not_is_on_mapi(gateway):
    first, second = read(row("out_trade_no,total_fee,gateway", "A1,8.00," + gateway + "\nA2,8.00,"))
    assert (first.watched.gateway, second.watched.gateway) == (gateway, "mapi")
    first, second = read('{"out_trade_no": "A1", "total_fee": "8.00", "gateway": "%s"}\n'
                         '{"out_trade_no": "A2", "total_fee": "8.00", "gateway": null}' % gateway)
    assert (first.watched.gateway, second.watched.gateway) == (gateway, "mapi")
    assert only(row("out_trade_no,total_fee", "A1,8.00")).gateway == "mapi"


def test_without_a_currency_an_order_is_in_yuan():
    assert only(row("out_trade_no,total_fee", "A1,8.00")).order.currency is None


def test_what_the_line_does_not_say_is_said_for_all():
    watched = only(row("out_trade_no,total_fee,timeout,shop", "A1,8.00,,"), timeout="15d", shop="usual")
    assert (watched.shop, watched.closes_in) == ("usual", 15 * 86400.0)
    assert only(row("out_trade_no,total_fee", "A1,8.00")).closes_in == 12 * 3600.0


@pytest.mark.parametrize("made_at", [START_UTC, "2025-06-15 15:06:40Z", "2025-06-15T23:06:40+08:00", "1750000000",
                                     "2025-06-15T10:06:40.123456-05:00", "2025-06-15 23:06:40+08",
                                     "2025-06-15 23:06:40 +0800"])
def test_an_order_made_earlier_has_less_time_left(made_at):
    data = row("out_trade_no,total_fee,timeout,made_at", "A1,8.00,12h," + made_at).encode("ascii")
    line, = watch_file.read_orders(io.BytesIO(data), Clock(START + 3600), shop="shop", schedule=PLAIN)
    assert (line.watched.first_in, line.watched.closes_in) == (60 - 3600.0, 11 * 3600.0)


def test_a_moment_as_timeout_is_a_moment_whenever_the_order_was_made():
    """GMT+8, as Alipay writes it: one hour after START."""
    data = row("out_trade_no,total_fee,timeout,made_at", "A1,8.00,2025-06-16 00:06:40," + START_UTC).encode("ascii")
    line, = watch_file.read_orders(io.BytesIO(data), Clock(START + 600), shop="shop", schedule=PLAIN)
    assert line.watched.closes_in == 3000.0


def test_a_number_as_timeout_in_json_is_seconds():
    assert only('{"out_trade_no": "A1", "total_fee": "8.00", "timeout": 90}').closes_in == 90.0
    assert only('{"out_trade_no": "A1", "total_fee": "8.00", "timeout": 0.5}').closes_in == 0.5


def test_the_first_question_follows_the_schedule_of_the_order_s_own_key():
    schedule = Schedule(grace=10, jitter=1.0)
    file = io.BytesIO(b"out_trade_no,total_fee\nA1,8.00\n")
    line, = watch_file.read_orders(file, Clock(), shop="s", schedule=schedule)
    assert line.watched.first_in == pytest.approx(schedule.begins("s:A1", START) - START)


# --- how a file is written --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("data", [
    "out_trade_no,total_fee\nA1,8.00\n", "out_trade_no,total_fee\r\nA1,8.00\r\n", "out_trade_no,total_fee\nA1,8.00",
    "\ufeffout_trade_no,total_fee\nA1,8.00\n", "out_trade_no;total_fee\nA1;8.00\n", "out_trade_no\ttotal_fee\nA1\t8.00",
    '"out_trade_no","total_fee"\n"A1","8.00"\n', "\n\nout_trade_no , total_fee\n\n A1 , 8.00 \n,\n\n",
    '\ufeff{"total_fee": "8.00", "out_trade_no": "A1"}\n',
    '\n {"out_trade_no": "A1", "total_fee": "8.00", "shop": null}',
])
def test_a_file_can_be_written_in_these_ways(data):
    assert only(data).order.out_trade_no == "A1"


def test_the_form_can_be_said():
    assert only('{"out_trade_no": "A1", "total_fee": "8.00"}', form="jsonl").order.out_trade_no == "A1"
    with pytest.raises(InvalidRequest, match="header"):
        read('{"out_trade_no": "A1", "total_fee": "8.00"}', form="csv")
    assert "JSON object" in problem("A1,8.00", form="jsonl")


def test_gbk_is_read_when_it_is_said():
    data = '{"out_trade_no": "A1", "total_fee": "8.00"}\n{"out_trade_no": "茶", "total_fee": "8.00"}\n'.encode("gbk")
    for charset in ("gbk", "GB2312", "gb18030"):
        good, bad = read(data, charset=charset)
        assert good.watched is not None and "ASCII" in bad.problem      # as text, but no number that Alipay takes
    good, bad = read(data)
    assert good.watched is not None and "not UTF-8 text" in bad.problem
    with pytest.raises(ConfigurationError):
        read(data, charset="latin-1")


def test_an_empty_file_has_no_orders():
    assert read("") == read("\n\n") == read("out_trade_no,total_fee\n") == []


@pytest.mark.parametrize("header, words", [
    ("A1,8.00,USD", "'A1' is no column"), ("out_trade_no,fee", "'fee' is no column"), ("total_fee,currency",
    "out_trade_no"),
    ("out_trade_no,out_trade_no", "each column once"), ("total_fee|out_trade_no", "is no column"),
    ('"out_trade_no,total_fee', "quotation mark"), ("out_trade_no,total_fee,", "is no column"),
])
def test_a_header_that_cannot_be_used_is_refused_with_the_columns_that_can(header, words):
    with pytest.raises(InvalidRequest, match="header") as caught:
        read(header + "\nA1,8.00\n")
    assert words in str(caught.value)


def test_utf_16_is_recognised():
    with pytest.raises(InvalidRequest, match="UTF-16"):
        read("out_trade_no,total_fee\nA1,8.00\n".encode("utf-16"))


# --- bad lines --------------------------------------------------------------------------------------------------------

HEAD = "out_trade_no,total_fee,currency,timeout,made_at"


@pytest.mark.parametrize("line, words", [
    ("A1,8.001,USD,,", "two decimals"), ("A1,8.00,usd,,", "three upper-case letters"), ("A1,,USD,,",
    "exactly one price"),
    ("A1,0.00,USD,,", "more than zero"), ("A1,8.50,JPY,,", "no decimals"), (",8.00,USD,,", "out_trade_no"),
    ("A1,8.00,USD,12y,", "timeout"), ("A1,8.00,USD,90,", "timeout"), ("A1,8.00,USD,2026-02-30 00:00:00,",
    "no such day"),
    ("A1,8.00,USD,,2025-06-15 15:06:40", "with its zone"), ("A1,8.00,USD,,2025-02-30T15:06:40Z", "made_at"),
    ("A1,8.00,USD,,0001-01-01T00:00:00+23:00", "ten years ago"), ("A1,8.00,USD,,2025-06-15T15:06:40+99:99", "made_at"),
    ("A1,8.00,USD,,2025-06-15T16:06:40Z", "in the future"), ("A1,8.00,USD", "3 values, and 5 columns"),
    ("A1,8,00,USD,,", "6 values, and 5 columns"), ('"A1,8.00,USD,,', "quotation mark"), ('A"1"x,"8"1,USD,,',
    "quotation"),
    ("1.23457E+15,8.00,USD,,", "spreadsheet"), ("A" * 65 + ",8.00,USD,,", "out_trade_no"),
    ("A1\x00,8.00,USD,,", ""), ("Ä1,8.00,USD,,", "out_trade_no"), ("A" * 70000 + ",8.00,USD,,",
    "longer than 65536 bytes"),
])
def test_a_bad_line_is_told_by_number_and_costs_no_other(line, words):
    lines = read(HEAD + "\nA0,8.00,USD,,\n" + line + "\nA2,8.00,USD,,\n")
    assert [one.number for one in lines] == [2, 3, 4]
    assert words in lines[1].problem and lines[1].watched is None
    assert [lines[at].watched.order.out_trade_no for at in (0, 2)] == ["A0", "A2"]


@pytest.mark.parametrize("line, words", [
    ("[]", "JSON object"), ("{", "JSON object"), ("A1,8.00", "JSON object"), ('"x"', "JSON object"), ("{}",
    "says nothing"),
    ("[" * 30000, "JSON object"), ('{"out_trade_no": 5, "total_fee": "8"}', "as text"),
    ('{"out_trade_no": "A1", "total_fee": NaN}', "JSON object"),
    ('{"out_trade_no": "A1", "total_fee": true}', "total_fee"),
    ('{"out_trade_no": "A1", "total_fee": 1e999}', "total_fee"),
    ('{"out_trade_no": "A1", "total_fee": [1]}', "total_fee"),
    ('{"out_trade_no": "A1", "out_trade_no": "A2"}', "twice"),
    ('{"out_trade_no": "A1", "total": "8"}', "'total' is no name"),
    ('{"out_trade_no": "A1", "total_fee": "8", "shop": 5}', "shop"),
    ('{"out_trade_no": "A1", "total_fee": "8", "shop": ""}', "shop"),
    ('{"out_trade_no": "A1", "total_fee": "8", "gateway": "AMS"}', "gateway: one of mapi, ams, openapi"),
    ('{"out_trade_no": "A1", "total_fee": "8", "gateway": ""}', "gateway: one of mapi, ams, openapi"),
    ('{"out_trade_no": "A1", "total_fee": "8", "gateway": ["ams"]}', "gateway: one of mapi, ams, openapi"),
    ('{"out_trade_no": "A1", "total_fee": "8", "gateway": 5}', "gateway: one of mapi, ams, openapi"),
    ('{"out_trade_no": "A1", "total_fee": "8", "made_at": true}', "made_at"),
    ('{"out_trade_no": "A1", "total_fee": "8", "timeout": []}', "timeout"),
    ('{"out_trade_no": "A1", "total_fee": "8", "timeout": 1e400}', "timeout"),
    ('{"out_trade_no": "\\ud800", "total_fee": "8"}', "out_trade_no"),
])
def test_a_bad_line_of_json_is_told_by_number_and_costs_no_other(line, words):
    good = '{"out_trade_no": "A0", "total_fee": "8.00"}\n'
    lines = read(good + line + "\n" + good.replace("A0", "A2"))
    assert [(one.number, one.watched is None) for one in lines] == [(1, False), (2, True), (3, False)]
    assert words in lines[1].problem


def test_a_gateway_that_there_is_not_is_told_by_number_and_costs_no_other_line():
    lines = read("out_trade_no,total_fee,gateway\nA0,8.00,ams\nA1,8.00,alipay\nA2,8.00,mapi\n")
    assert [(one.number, one.watched is None) for one in lines] == [(2, False), (3, True), (4, False)]
    assert lines[1].problem == "gateway: one of mapi, ams, openapi"


def test_a_line_needs_a_shop():
    assert "shop" in problem(row("out_trade_no,total_fee", "A1,8.00"), shop=None)
    assert "shop" in problem(row("out_trade_no,total_fee", "A1,8.00"), shop="no such name")


def test_what_a_bad_line_holds_cannot_forge_another():
    for data in (row("out_trade_no,total_fee,currency", "A1,8.00,\x1b[2J"), '{"a\\nline 7: b": 1}'):
        assert problem(data).isprintable()


@given(st.binary(max_size=400), st.sampled_from([None, "csv", "jsonl"]), st.sampled_from(["utf-8", "gbk"]))
def test_any_bytes_are_lines_or_a_refused_header(data, form, charset):
    for start in (b"", b"out_trade_no,total_fee,timeout,made_at\n", b'{"out_trade_no": "A1", "made_at":'):
        try:
            file = io.BytesIO(start + data)
            lines = list(watch_file.read_orders(file, Clock(), shop="s", form=form, charset=charset))
        except AlipayError:
            continue
        assert all((line.watched is None) == bool(line.problem) for line in lines)


# --- into the store ---------------------------------------------------------------------------------------------------

def watch(store, data, check=False, **options):
    """(what came of it, {number: problem})."""
    bad = {}
    lines = watch_file.read_orders(io.BytesIO(data.encode("utf-8")), watch_file.clock_of(store), shop="shop", **options)
    work = watch_file.check_lines if check else watch_file.watch_lines
    return work(store, lines, lambda line: bad.__setitem__(line.number, line.problem)), bad


def numbers(store):
    return [one.out_trade_no for one in store.rows()]


def test_good_lines_are_watched_and_bad_ones_told(store):
    counts, bad = watch(store, "out_trade_no,total_fee\nA1,8.00\nA2,x\nA3,8.00\n")
    assert counts == (2, 0, 1) and list(bad) == [3] and numbers(store) == ["A1", "A3"]


def test_the_same_file_again_changes_nothing(store):
    data = "out_trade_no,total_fee\nA1,8.00\nA2,8\n"
    watch(store, data)
    before = store.rows()
    assert watch(store, data.replace("8.00", "8.0"))[0] == (0, 2, 0)
    assert store.rows() == before


def test_an_order_that_is_watched_with_another_price_is_a_bad_line_alone(store, monkeypatch):
    monkeypatch.setattr(watch_file, "_SHARE", 3)
    watch(store, "out_trade_no,total_fee\nA1,8.00\n")
    counts, bad = watch(store, "out_trade_no,total_fee\nB1,1\nA1,9.00\nB2,1\nB3,1\nB3,2\nB4,1\nB1,2\n")
    assert counts == (4, 0, 3) and sorted(bad) == [3, 6, 8] and "another price" in bad[3]
    assert numbers(store) == ["A1", "B1", "B2", "B3", "B4"]
    assert str(store.get("shop", "A1").order.total_fee) == "8.00"


def test_an_order_that_lives_on_another_gateway_is_a_bad_line_alone_and_stays_where_it_is(store, monkeypatch):
    monkeypatch.setattr(watch_file, "_SHARE", 3)
    watch(store, "out_trade_no,total_fee\nA1,8.00\n")
    data = "out_trade_no,total_fee,gateway\nB1,1,ams\nA1,8.00,ams\nB2,1,\nB1,1,ams\nB1,1,mapi\nA1,9.00,openapi\n"
    count, bad = watch(store, data, check=True)
    assert count == 3 and sorted(bad) == [3, 6, 7]
    counts, bad = watch(store, data)
    assert counts == (2, 1, 3) and sorted(bad) == [3, 6, 7]
    assert bad[3] == ("out_trade_no: watched already, on mapi, and an order never moves; use a new number for ams, or "
                      "leave it there")
    assert "on ams, and" in bad[6] and "on mapi, and" in bad[7]
    assert {one.out_trade_no: one.gateway for one in store.rows()} == {"A1": "mapi", "B1": "ams", "B2": "mapi"}


def test_the_same_number_of_two_shops_is_two_orders(store):
    assert watch(store, "out_trade_no,total_fee,shop\nA1,8.00,a\nA1,9.00,b\n")[0] == (2, 0, 0)


def test_a_check_finds_what_would_be_bad_and_watches_nothing(store, monkeypatch):
    monkeypatch.setattr(watch_file, "_SHARE", 3)
    watch(store, "out_trade_no,total_fee\nA1,8.00\n")
    count, bad = watch(store, "out_trade_no,total_fee\nB1,1\nA1,9.00\nB2,x\nB3,1\nB4,1\nB1,2\n", check=True)
    assert count == 3 and sorted(bad) == [3, 4, 7] and numbers(store) == ["A1"]
    assert watch(store, "out_trade_no,total_fee\nB1,1\nA1,8.0\n", check=True) == (0, {})


def test_the_clock_is_the_store_s_own(store):
    clock = watch_file.clock_of(store)
    assert 0 <= clock() - START < 60


#: Prints the process's peaks in kB. Not ru_maxrss, which begins at the peak of whoever started it.
LARGE = """
import sys
from alipay_mapi.fallback import watch_file

class File:
    def __init__(self, count):
        self.count = count
    def readline(self, size):
        self.count -= 1
        return b'{"out_trade_no": "ORDER%09d", "total_fee": "8.00"}\\n' % self.count if self.count >= 0 else b""

class Store:
    watched, kept = 0, []
    def watch(self, entries):
        self.watched += len(entries)
        if sys.argv[1] == "leaky":
            self.kept.extend(entries)
        return len(entries)

peaks = []
for count in (15000, 60000):      # both more than one share
    store = Store()
    assert watch_file.watch_lines(store, watch_file.read_orders(File(count), lambda: 0.0, shop="s")) == (count, 0, 0)
    with open("/proc/self/status") as status:
        peaks += [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
print(peaks)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a process's own peak is read as Linux tells it")
@pytest.mark.parametrize("store, grows", [("sound", False), ("leaky", True)])
def test_memory_does_not_grow_with_the_file_and_the_test_would_see_it(store, grows, checkout):
    ran = subprocess.run([sys.executable, "-c", LARGE, store], stdout=subprocess.PIPE, cwd=str(checkout))
    small, large = json.loads(ran.stdout.decode())
    assert (large > 1.1 * small) is grows, (small, large)
