"""The page and the Prometheus file: every number is the store's, and nothing in them can be more than text."""
import os
import re
import stat
from dataclasses import replace
from html.parser import HTMLParser

import pytest

import alipay_mapi as mapi
from alipay_mapi.cli import main
from alipay_mapi.fallback import Watched, refunding, standing as standings
from alipay_mapi.fallback.deciding import NOT_THERE, Decision
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
    assert found.persons == [("hongkong", "M0", "AmountMismatch"), ("hongkong", "M1", "AmountMismatch"),
                             ("hongkong", "G0", "gave up: TransportError: no answer & none to come")]
    assert found.for_a_person == 3 and found.refunds == []
    assert found.counts["outcomes"] == {"paid": 3, "needs_a_person": 2, "gave_up": 1, "open": 6}
    assert found.shops == {"hongkong": found.counts["outcomes"]}


def test_a_large_store_is_looked_at_a_page_at_a_time(store, monkeypatch):
    monkeypatch.setattr(standings, "_PAGE", 7)
    watch(store, *["A{:03d}".format(number) for number in range(98)])
    found = standing(store)
    assert found.shops == {"hongkong": {"open": 98}} and sum(count for _, count in found.ages) == 98
    assert [row.out_trade_no for row in found.oldest] == ["A{:03d}".format(number) for number in range(20)]


def test_of_many_orders_for_a_person_all_are_counted_and_the_last_are_named(store, monkeypatch):
    monkeypatch.setattr(standings, "_PAGE", 7)
    watch(store, *["A{:03d}".format(number) for number in range(150)])
    settle(store, "gave_up", 150, error="TransportError: x")
    found = standing(store)
    assert (found.for_a_person, len(found.persons), found.persons[0].out_trade_no) == (150, 100, "A050")
    assert "These are the last 100." in render(found)


# --- what needs a person ----------------------------------------------------------------------------------------------

def change_of(store, number, change):
    store.apply("hongkong", number, change)


def with_effect(detail, outcome="paid"):
    def change(row):
        state = from_text(row.order, row.facts)
        effect = Effect("needs_a_person", row.out_trade_no, detail)
        return Decision(replace(state, done=state.done | {effect}), outcome, None, (effect,))
    return change


def with_refunds(*refunds):
    def change(row):
        return Decision(None, "paid", None, refunds=refunding.to_text(tuple(
            refunding.Refund(number, "2.00", "20260301120000", "", 0.0, status, "0", 1, error)
            for number, status, error in refunds)))
    return change


@pytest.mark.parametrize("outcome", ["paid", "open", "expired"])
def test_an_order_whose_effect_asked_for_a_person_is_told_after_it_was_handed_over(store, outcome):
    watch(store, "A1", "A2")
    change_of(store, "A1", with_effect("paid twice, in two trades", outcome))
    pending, = store.effects("w", 10, 300)
    store.effect_done(pending)
    found = standing(store)
    assert found.persons == [("hongkong", "A1", "paid twice, in two trades")] and found.for_a_person == 1
    assert found.counts["effects"] == 0
    assert "A person should look" in render(found) and "1 order needs a person." in render(found)


@pytest.mark.parametrize("status, error, why", [
    ("refused", "GatewayError REFUNDMENT_VALID_DATE_EXCEED", "refund R1: GatewayError REFUNDMENT_VALID_DATE_EXCEED"),
    ("gave up", "gave up, still unknown; the query does not show it",
     "refund R1: gave up, still unknown; the query does not show it"),
    ("refused", "", "refund R1: refused"),
])
def test_a_refund_that_was_refused_or_given_up_needs_a_person(store, status, error, why):
    watch(store, "A1")
    change_of(store, "A1", with_refunds(("R1", status, error), ("R2", "done", "")))
    found = standing(store)
    assert found.persons == [("hongkong", "A1", why)]
    assert found.refunds == [("hongkong", "A1", "R1", "2.00", status, error)]
    assert found.refund_counts == {status: 1, "done": 1}
    page = Reader(render(found))
    assert ["A1 · hongkong", "R1", "2.00", status, error] in page.tables[2]


def test_the_effect_of_that_refund_is_not_told_twice(store):
    watch(store, "A1", "A2")
    change_of(store, "A1", with_effect("refund R1: GatewayError X"))
    change_of(store, "A1", with_refunds(("R1", "refused", "GatewayError X")))
    change_of(store, "A2", with_effect("refund R2 ended as REFUND_FAIL"))
    change_of(store, "A2", with_refunds(("R2", "refused", "")))
    assert [one.why for one in standing(store).persons] == ["refund R1: GatewayError X",
                                                            "refund R2 ended as REFUND_FAIL"]


@pytest.mark.parametrize("status", ["asked", "ready", "unknown", "accepted", "denied"])
def test_a_refund_that_is_under_way_is_told_and_needs_nobody(store, status):
    watch(store, "A1")
    change_of(store, "A1", with_effect("refund R1: an earlier try was refused"))
    change_of(store, "A1", with_refunds(("R1", status, "")))
    found = standing(store)
    assert found.persons == [] and [one.status for one in found.refunds] == [status]
    assert "Nothing needs a person" in render(found)


def test_an_order_that_is_asked_about_again_needs_nobody_until_it_is_given_up_again(store):
    watch(store, "A1")
    change_of(store, "A1", with_effect("gave up: TransportError: x", "gave_up"))
    assert [one.why for one in standing(store).persons] == ["gave up: no usable answer"]
    store.reopen()
    assert standing(store).persons == []


def test_refunds_that_cannot_be_read_are_told_as_such(store):
    watch(store, "A1")
    store._db.execute("UPDATE mapi_orders SET refunds='{broken'")
    (_, _, why), = standing(store).persons
    assert "refunds of an order cannot be read" in why


def test_the_first_no_such_trade_is_no_error(store):
    watch(store, "A1", "A2")
    settle(store, "open", 1, error=NOT_THERE)
    settle(store, "open", 1, error="GatewayError: ILLEGAL_SIGN")
    found = standing(store)
    assert found.counts["errors"] == [("hongkong", "A2", "GatewayError: ILLEGAL_SIGN")]
    assert [row[:2] for row in Reader(render(found)).tables[1][1:]] == [["A2 · hongkong", "GatewayError: ILLEGAL_SIGN"]]


def test_the_last_errors_come_first_and_are_twenty(store, clock, monkeypatch):
    monkeypatch.setattr(standings, "_PAGE", 7)
    for number in range(30):
        clock.now += 1
        watch(store, "A{:02d}".format(number))
        settle(store, "paid", 1, error="E{}".format(number))
    assert [error for _, _, error in standing(store).counts["errors"]] == ["E{}".format(n) for n in range(29, 9, -1)]


@pytest.mark.parametrize("late, verdict", [(3600, "Nothing needs a person"), (3601, "Nobody asks")])
def test_orders_that_nobody_asks_about_are_not_green(store, clock, late, verdict):
    watch(store, "A1", "A2")
    clock.now += late
    page = render(standing(store))
    assert verdict in page
    assert ("2 orders are due, the oldest since 60 min: is cron running?" in page) is (late > 3600)
    assert ('class="verdict warn"' in page) is (late > 3600)


def test_both_are_said_and_the_person_comes_first(store, clock):
    watch(store, "A1", "A2")
    change_of(store, "A1", with_effect("AmountMismatch"))
    clock.now += 3 * DAY
    page = render(standing(store))
    assert 'class="verdict bad"' in page
    assert "1 order needs a person. 1 order is due, the oldest since 3 d: is cron running?</p>" in page


def test_facts_that_cannot_be_read_are_told_as_such(store):
    watch(store, "M0")
    settle(store, "needs_a_person", 1)
    store._db.execute("UPDATE mapi_orders SET facts='{broken'")
    (_, _, why), = standing(store).persons
    assert "cannot be read" in why


def test_the_page_shows_the_numbers_of_the_store(filled):
    page = Reader(render(standing(filled)))
    outcomes, persons, failing, errors, ages, oldest = page.tables
    assert {row[0]: row[1] for row in outcomes[1:]} == {"paid": "3", "open": "6", "needs a person": "2", "gave up": "1"}
    assert persons[1:] == [["M0 · hongkong", "AmountMismatch"], ["M1 · hongkong", "AmountMismatch"],
                           ["G0 · hongkong", "gave up: TransportError: no answer & none to come"]]
    assert [row[1:] for row in failing[1:]] == [["paid", "1", "ValueError: <script>alert(1)</script>"]]
    assert errors[1:] == [["G0 · hongkong", "TransportError: no answer & none to come"]]
    assert [row[:2] for row in ages[1:]] == [["up to 15 minutes", "2"], ["up to 1 hour", "1"], ["up to 6 hours", "1"],
                                             ["up to 1 day", "1"], ["longer", "1"]]
    assert [row[:2] for row in oldest[1:3]] == [["O0 · hongkong", "30 h"], ["O1 · hongkong", "8 h"]]


def test_the_page_is_one_file_that_loads_and_runs_nothing(filled):
    text = render(standing(filled))
    page = Reader(text)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "form"}
    assert "url(" not in text and "@import" not in text and "<script" not in text
    assert "2023-11-16 14:13:20 UTC" in text and "A person should look" in text
    assert "3 orders need a person. 1 effect failed in the shop's handler. " in text


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
    assert (told["for_a_person"], told["late"], told["refunds"]) == (3, True, [])
    assert told["needs_a_person"][2] == {"shop": "hongkong", "out_trade_no": "G0",
                                         "why": "gave up: TransportError: no answer & none to come"}


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
    from alipay_mapi.fallback.prometheus import text_of
    watch(filled, "R0")
    change_of(filled, "R0", with_refunds(("R1", "refused", ""), ("R2", "accepted", "")))
    standing_ = standing(filled)
    found = metrics(text_of(standing_).decode("ascii"))
    prefix = "alipay_mapi_fallback_"
    assert found[prefix + 'orders{outcome="open"}'] == 6 and found[prefix + 'orders{outcome="expired"}'] == 0
    assert found[prefix + "effects_pending"] == 2 and found[prefix + "effects_failing"] == 1
    assert found[prefix + "orders_due"] == standing_.counts["due"] and prefix + "last_run_asked" not in found
    assert found[prefix + "oldest_due_seconds"] == standing_.counts["oldest_due"] == 30 * 3600
    assert found[prefix + "needs_a_person"] == 4
    assert [found[prefix + 'refunds{status="%s"}' % status] for status in ("refused", "accepted", "done")] == [1, 1, 0]
    found = metrics(text_of(standing_, Tally(
        7, {"paid": 7}, {"TransportError": 2}, 5, 1, "gateway down", 2.5)).decode("ascii"))
    assert found[prefix + "last_run_asked"] == 7 and found[prefix + "last_run_failed_effects"] == 1
    assert found[prefix + 'last_run_errors{error="TransportError"}'] == 2
    assert found[prefix + "last_run_gateway_down"] == 1
    assert found[prefix + "last_run_timestamp_seconds"] == standing_.at


def test_every_metric_is_in_the_docs(filled, checkout):
    pytest.importorskip("prometheus_client", reason="the extra prometheus is not installed")
    from alipay_mapi.fallback import Tally
    from alipay_mapi.fallback.prometheus import text_of
    text = text_of(standing(filled), Tally(7, {}, {"TransportError": 2}, 5, 1, "done", 2.5)).decode("ascii")
    names = set(re.findall(r"^# TYPE alipay_mapi_fallback_(\w+) gauge$", text, re.MULTILINE))
    page = (checkout / "docs" / "cli.md").read_text(encoding="utf-8")
    listed = re.search(r"^\| metric \|.*?\n\n", page, re.DOTALL | re.MULTILINE).group()
    assert set(re.findall(r"^\| `(\w+)", listed, re.MULTILINE)) == names and len(names) > 10


# --- the files --------------------------------------------------------------------------------------------------------

@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode_of(path):
    return stat.S_IMODE(os.stat(str(path)).st_mode)


def test_the_page_names_orders_and_is_its_owner_s_alone(filled, tmp_path, umask):
    url, page = "sqlite:///" + str(tmp_path / "orders.db"), tmp_path / "page.html"
    assert main(["fallback", "report", "--store", url, "--html", str(page)]) == 0
    assert mode_of(page) == 0o600
    page.chmod(0o640)       # for a web server, once
    assert main(["fallback", "report", "--store", url, "--html", str(page)]) == 0
    assert mode_of(page) == 0o640


def test_the_numbers_are_for_everybody(filled, tmp_path, umask):
    pytest.importorskip("prometheus_client", reason="the extra prometheus is not installed")
    from alipay_mapi.cli.fallback_report import prometheus
    prometheus(str(tmp_path / "alipay.prom"), standing(filled))
    assert mode_of(tmp_path / "alipay.prom") == 0o644
    assert sorted(name for name in os.listdir(str(tmp_path)) if "prom" in name) == ["alipay.prom"]


def test_a_link_that_somebody_laid_beside_the_file_is_not_followed(tmp_path, monkeypatch):
    from alipay_mapi.cli import fallback_report
    from alipay_mapi.errors import InvalidRequest
    monkeypatch.setattr(fallback_report.os, "urandom", lambda count: b"\0" * count)
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "page.html.000000000000.new").symlink_to(tmp_path / "precious")
    with pytest.raises(InvalidRequest):
        fallback_report.written(str(tmp_path / "page.html"), b"page", 0o600)
    assert (tmp_path / "precious").read_text() == "precious"
    assert sorted(os.listdir(str(tmp_path))) == ["page.html.000000000000.new", "precious"]


def test_without_the_extra_the_command_says_what_to_install(filled, tmp_path, capsys, monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "alipay_mapi.fallback.prometheus", raising=False)
    assert main(["fallback", "report", "--store", "sqlite:///" + str(tmp_path / "orders.db"), "--prometheus",
                 str(tmp_path / "x.prom")]) == 78
    assert "alipay-mapi[prometheus]" in capsys.readouterr().err
