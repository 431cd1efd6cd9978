"""The page and the Prometheus file: every number is the store's, and nothing in them can be more than text."""
import os
import re
from html.parser import HTMLParser

import pytest

import alipay_mapi as mapi
from alipay_mapi.cli import main
from alipay_mapi.fallback import Watched, standing as standings
from alipay_mapi.fallback.deciding import Decision
from alipay_mapi.fallback.facts import from_text
from alipay_mapi.fallback.report import render
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.fallback.standing import standing
from alipay_mapi.trade_state import Effect

DAY = 86400.0


class Clock:
    now = 1700000000.0      # 2023-11-14 22:13:20 UTC

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock, tmp_path):
    store = SQLiteStore(str(tmp_path / "orders.db"), clock=clock)
    yield store
    store.close()


def watch(store, *numbers):
    store.watch([Watched("hongkong", mapi.Order(number, total_fee="8.00", currency="USD"), 0, DAY)
                 for number in numbers])


def settle(store, outcome, count, error="", effect=None, **facts):
    """Claim so many due orders, and write this outcome to them."""
    def change(row):
        state = from_text(row.order, row.facts)
        for name, value in facts.items():
            state = state._add(name, value)
        effects = (Effect(effect, row.out_trade_no, ""),) if effect else ()
        return Decision(state, outcome, store.now() + 60 if outcome == "open" else None, effects, error)
    rows = store.claim("w", count, 60, lambda row: row.asked_at + 60)
    assert len(rows) == count
    store.settle([(row, change) for row in rows])


@pytest.fixture
def filled(store, clock):
    """Twelve orders: 3 paid (one effect done, one failed, one pending), 2 for a person, 1 given up, 6 open."""
    watch(store, *["P{}".format(number) for number in range(3)])
    settle(store, "paid", 3, effect="paid")
    done, failed, _ = store.effects("w", 3, 300)
    store.effect_done(done)
    store.effect_failed(failed, "ValueError: <script>alert(1)</script>", 30.0)
    watch(store, "M0", "M1")
    settle(store, "needs_a_person", 2, concerns="AmountMismatch")
    watch(store, "G0")
    settle(store, "gave_up", 1, error="TransportError: no answer & none to come")
    for age, number in ((30 * 3600, "O0"), (8 * 3600, "O1"), (2 * 3600, "O2"), (1800, "O3"), (60, "O4"), (0, "O5")):
        clock.now = Clock.now + 40 * 3600 - age
        watch(store, number)
    return store


class Reader(HTMLParser):
    """Tags that are open, and the tables as rows of text."""

    VOID = ("meta", "br")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tables, self.tags, self.cell = [], [], set(), None
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and ("td" in self.open or "th" in self.open):
            self.tables[-1][-1][-1] += data


def test_the_standing_counts_ages_and_names_what_is_open_longest(filled):
    found = standing(filled)
    assert found.at == Clock.now + 40 * 3600
    assert found.ages == [("15 minutes", 2), ("1 hour", 1), ("6 hours", 1), ("1 day", 1), ("longer", 1)]
    assert [row.out_trade_no for row in found.oldest] == ["O0", "O1", "O2", "O3", "O4", "O5"]
    assert found.persons == [("hongkong", "M0", "AmountMismatch"), ("hongkong", "M1", "AmountMismatch")]
    assert found.counts["outcomes"] == {"paid": 3, "needs_a_person": 2, "gave_up": 1, "open": 6}


def test_a_large_store_is_looked_at_a_page_at_a_time_and_only_so_far(store, monkeypatch):
    monkeypatch.setattr(standings, "_PAGE", 7)
    watch(store, *["A{:03d}".format(number) for number in range(100)])
    assert standing(store).looked_at == 100 and sum(count for _, count in standing(store).ages) == 100
    assert [row.out_trade_no for row in standing(store).oldest] == ["A{:03d}".format(number) for number in range(20)]
    assert standing(store, most=30).looked_at == 30


def test_facts_that_cannot_be_read_are_told_as_such(store):
    watch(store, "M0")
    settle(store, "needs_a_person", 1)
    store._db.execute("UPDATE mapi_orders SET facts='{broken'")
    (_, _, why), = standing(store).persons
    assert "cannot be read" in why


def test_the_page_shows_the_numbers_of_the_store(filled):
    page = Reader(render(standing(filled)))
    outcomes, persons, failing, gave_up, errors, ages, oldest = page.tables
    assert {row[0]: row[1] for row in outcomes[1:]} == {"paid": "3", "open": "6", "needs a person": "2", "gave up": "1"}
    assert [row[0] for row in persons[1:]] == ["M0 · hongkong", "M1 · hongkong"]
    assert [row[1] for row in persons[1:]] == ["AmountMismatch", "AmountMismatch"]
    assert [row[1:] for row in failing[1:]] == [["paid", "1", "ValueError: <script>alert(1)</script>"]]
    assert gave_up[1:] == errors[1:] == [["G0 · hongkong", "TransportError: no answer & none to come"]]
    assert [row[:2] for row in ages[1:]] == [["up to 15 minutes", "2"], ["up to 1 hour", "1"], ["up to 6 hours", "1"],
                                             ["up to 1 day", "1"], ["longer", "1"]]
    assert [row[:2] for row in oldest[1:3]] == [["O0 · hongkong", "30 h"], ["O1 · hongkong", "8 h"]]


def test_the_page_is_one_file_that_loads_and_runs_nothing(filled):
    text = render(standing(filled))
    page = Reader(text)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "form"}
    assert "url(" not in text and "@import" not in text and "<script" not in text
    assert "2023-11-16 14:13:20 UTC" in text and "A person should look" in text


def test_an_empty_store_has_a_page_too(store):
    text = render(standing(store))
    Reader(text)
    assert "Nothing needs a person" in text and "0 orders watched" in text


def test_the_command_writes_the_page_whole_or_not_at_all(filled, tmp_path, capsys):
    url, page = "sqlite:///" + str(tmp_path / "orders.db"), tmp_path / "page.html"
    assert main(["fallback", "report", "--store", url, "--html", str(page)]) == 0
    assert Reader(page.read_text(encoding="utf-8")).tables
    assert capsys.readouterr().out.split() == ["report", str(page)]
    before = page.read_bytes()
    assert main(["fallback", "report", "--store", url, "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert page.read_bytes() == before and sorted(os.listdir(str(tmp_path)))[-1] == "page.html"


def test_the_command_tells_the_same_as_json(filled, tmp_path, capsys, monkeypatch):
    import json
    monkeypatch.chdir(tmp_path)
    assert main(["fallback", "report", "--store", "sqlite:///orders.db", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ages"] == {"15 minutes": 0, "1 hour": 0, "6 hours": 0, "1 day": 0, "longer": 6}    # by today's clock
    assert told["counts"]["outcomes"]["open"] == 6 and told["report"] == "alipay-mapi-fallback.html"
    assert told["counts"]["failing"][0]["kind"] == "paid"


# --- Prometheus -------------------------------------------------------------------------------------------------------

def metrics(text):
    """Name with labels → value; a parser of ten lines for the text format."""
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"(\w+(?:\{[^}]*\})?) ([0-9.e+-]+)", line)
        if match:
            found[match.group(1)] = float(match.group(2))
        else:
            assert line.startswith(("# HELP alipay_mapi_fallback_", "# TYPE alipay_mapi_fallback_"))
    return found


def test_the_prometheus_file_holds_the_stores_numbers_and_the_runs(filled, tmp_path):
    pytest.importorskip("prometheus_client", reason="the extra prometheus is not installed")
    from alipay_mapi.fallback import Tally
    from alipay_mapi.fallback.prometheus import write
    path = str(tmp_path / "alipay.prom")
    counts = filled.counts()
    write(path, counts, 1700000000.0)
    with open(path) as file:
        found = metrics(file.read())
    prefix = "alipay_mapi_fallback_"
    assert found[prefix + 'orders{outcome="open"}'] == 6 and found[prefix + 'orders{outcome="expired"}'] == 0
    assert found[prefix + "effects_pending"] == 2 and found[prefix + "effects_failing"] == 1
    assert found[prefix + "orders_due"] == counts["due"] and prefix + "last_run_asked" not in found
    write(path, counts, 1700000000.0, Tally(7, {"paid": 7}, {"TransportError": 2}, 5, 1, "gateway down", 2.5))
    with open(path) as file:
        found = metrics(file.read())
    assert found[prefix + "last_run_asked"] == 7 and found[prefix + "last_run_failed_effects"] == 1
    assert found[prefix + 'last_run_errors{error="TransportError"}'] == 2
    assert found[prefix + "last_run_gateway_down"] == 1
    assert found[prefix + "last_run_timestamp_seconds"] == 1700000000.0
    assert os.listdir(str(tmp_path)).count("alipay.prom") == 1


def test_without_the_extra_the_command_says_what_to_install(filled, tmp_path, capsys, monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "alipay_mapi.fallback.prometheus", raising=False)
    assert main(["fallback", "report", "--store", "sqlite:///" + str(tmp_path / "orders.db"), "--prometheus",
                 str(tmp_path / "x.prom")]) == 78
    assert "alipay-mapi[prometheus]" in capsys.readouterr().err
