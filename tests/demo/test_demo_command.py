"""``alipay-mapi demo``: what it prints where, its exit code, and the report that it leaves behind."""
import io
import json
import re
import sys
from html.parser import HTMLParser

import pytest

from alipay_mapi.cli import demo
from alipay_mapi.cli.output import Output
from alipay_mapi.demo import play

pytest.importorskip("jinja2")


class Page(HTMLParser):
    """Tags, attributes and the text of the cells, row by row."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.rows = set(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag == "table":
            self.rows.append([])

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """One run of the command in a log: code, stdout, stderr and the report's text."""
    from alipay_mapi.cli import main
    folder, screens = tmp_path_factory.mktemp("demo"), (io.StringIO(), io.StringIO())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(str(folder))
        patch.setattr(sys, "stdout", screens[0])
        patch.setattr(sys, "stderr", screens[1])
        code = main(["demo", "--orders", "40", "--seed", "3"])
    report = (folder / "alipay-mapi-demo" / "report.html").read_text(encoding="utf-8")
    return code, screens[0].getvalue(), screens[1].getvalue(), report


def test_it_ends_with_the_verdict_and_the_report(ran):
    code, out, _, _ = ran
    assert code == 0
    assert "equal      the shop's books are what the gateway's ledger says: 40 orders compared" in out
    assert "alipay-mapi-demo/report.html" in out.splitlines()[-2].replace("\\", "/")
    assert re.fullmatch(r"seconds +[0-9.]+", out.splitlines()[-1])


def test_it_says_what_the_fallback_did(ran, short):
    found, out = short.numbers["fallback"], " ".join(ran[1].split())
    assert "lost {0} notifications of payments; the fallback found {0} of these payments".format(found["lost"]) in out
    assert "effects {}, handed over {} times, none done twice, none left".format(
        found["effects"]["recorded"], found["effects"]["handed_over"]) in out
    assert "usable answer: 0 orders settled" in out and "killed one worker, in the middle of DEMO" in out


def test_a_log_has_a_line_for_every_tenth(ran):
    lines = ran[2].splitlines()
    assert [line.split(" %")[0].strip() for line in lines] == [str(10 * tenth) for tenth in range(1, 11)]


def test_the_report_loads_nothing_and_runs_nothing(ran):
    page = Page(ran[3])
    assert page.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"} == set()
    assert not [name for name, _ in page.attributes if name in ("src", "href", "xlink:href", "srcset")
                or name.startswith("on")]
    for word in ("http://", "https://", "url(", "@import", "javascript:"):
        assert word not in ran[3]


def test_the_report_holds_the_numbers(ran, short):
    rows, found = Page(ran[3]).rows, short.numbers
    for row in found["outcomes"]:
        assert [row["outcome"], str(row["orders"]), "{:.1f} %".format(100 * row["orders"] / 40)] in rows
    for row in found["learned"]:
        assert [row["age"], str(row["by_notification"]), str(row["by_query"])] in rows
    for row in found["refusals"]:
        assert any(cells[:2] == [row["class"], str(row["count"])] for cells in rows), row
    for row in found["faults"] + found["attacks"]:
        assert any(cells[:2] == [row["fault"], str(row["count"])] for cells in rows), row
    for row in found["amounts"]:
        assert [row["currency"], str(row["orders"]), row["paid"]] in [
            [cell.replace(",", "") for cell in cells[:3]] for cells in rows], row
    assert "The shop's books equal the gateway's ledger" in ran[3]


def test_the_report_holds_what_the_fallback_did(ran, short):
    rows, found = Page(ran[3]).rows, short.numbers["fallback"]
    ends = {"paid": "paid", "closed": "closed, never paid", "expired": "expired, nobody came",
            "needs_a_person": "given to a person"}
    for row in found["outcomes"]:
        if row["outcome"] in ends:
            assert [ends[row["outcome"]], str(row["by_notification"]), str(row["by_fallback"]),
                    str(row["orders"])] in rows
    for run in found["sequence"]:
        assert [run["at"], str(run["asked"]), str(run["settled"]), str(run["left"])] in [cells[:4] for cells in rows]
    for row in found["open_for"]:
        assert [row["open"], str(row["paid_by_notification"]), str(row["paid_by_fallback"]), str(row["over"])] in rows
    for one in found["for_a_person"]:
        assert [one["out_trade_no"], one["price"], one["paid"], one["why"]] in rows
    for one in found["last_errors"]:
        assert [one["at"], one["out_trade_no"], one["error"]] in rows
    assert "none was done twice, none was left" in ran[3]


def test_each_chart_is_told_in_words(ran, short):
    told = [value for name, value in Page(ran[3]).attributes if name == "aria-label"]
    assert ", ".join("{outcome}: {orders}".format(**row) for row in short.numbers["outcomes"]) in told
    assert "; ".join("{age}: {by_notification} by notification, {by_query} by query".format(**row)
                     for row in short.numbers["learned"]) in told
    fallback = short.numbers["fallback"]
    assert "; ".join("{open}: {paid_by_notification} paid by notification, {paid_by_fallback} paid by the fallback, "
                     "{over} never paid".format(**row) for row in fallback["open_for"]) in told
    hours = next(one for one in told if one.startswith("Questions by the hour: "))[23:].split(", ")
    assert sum(map(int, hours)) == fallback["runs"]["asked"]


def test_the_report_has_every_order(ran, short):
    rows = {cells[0]: cells for cells in Page(ran[3]).rows if len(cells) == 9 and cells[0].startswith("DEMO")}
    assert list(rows) == list(short.day.shop.books)
    assert {cells[-1] for cells in rows.values()} == {"✓ yes"}


def test_it_is_light_dark_and_printable(ran):
    assert "prefers-color-scheme: dark" in ran[3] and "@media print" in ran[3] and 'name="viewport"' in ran[3]


def test_the_readme_shows_what_it_prints(checkout, whole, capsys):
    """Word for word, for the seed and the number of orders that it has by itself."""
    screen = Output(plain=True)
    demo._print_fallback(whole.numbers["fallback"], screen)
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() in readme
    assert "{} orders compared, no difference".format(whole.numbers["compared"]) in readme


def test_json_is_the_last_line_and_the_only_one(command, short, tmp_path):
    code, out, err = command("--json", "--orders", "40", "--seed", "3", "--report", tmp_path / "new" / "page.html")
    assert code == 0 and err == "" and len(out.splitlines()) == 1
    told = json.loads(out)
    assert told["ok"] is True and told["schema"] == "alipay-mapi/1" and told["command"] == "demo"
    assert told["numbers"] == json.loads(json.dumps(short.numbers))
    assert (tmp_path / "new" / "page.html").exists() and not (tmp_path / "alipay-mapi-demo").exists()


def test_tampered_books_make_it_fail(command, monkeypatch):
    """One payment forgotten: the exit code, the words, the JSON and the report all say so."""
    honest = play.Day.run

    def run(day):
        for step in honest(day):
            yield step
        record = next(record for record in day.shop.books.values() if record.is_paid)
        record.is_paid = False

    monkeypatch.setattr(play.Day, "run", run)
    code, out, _ = command("--orders", "12")
    assert code == 1 and "DIFFERENT" in out and "equal  " not in out
    with io.open("alipay-mapi-demo/report.html", encoding="utf-8") as file:
        report = file.read()
    assert "The books differ from the ledger" in report and "bad-word" in report
    code, out, _ = command("--orders", "12", "--json")
    told = json.loads(out.splitlines()[-1])
    assert code == 1 and told["ok"] is False
    assert {"paid", "amount"} <= {row["what"] for row in told["numbers"]["differences"]}


@pytest.mark.parametrize("orders", [1, 2, 7])
def test_a_small_day_is_a_day(command, orders):
    code, out, _ = command("--orders", orders)
    assert code == 0 and "{} orders compared".format(orders) in out


@pytest.mark.parametrize("argv, code, word", [
    (["--orders", "0"], 2, "--orders"), (["--orders", "many"], 2, "--orders"), (["--orders", "5001"], 2, "5000"),
    (["--seed", "one"], 2, "--seed"), (["--seed", "٣"], 2, "--seed"), (["--report", "."], 78, "is a folder"),
])
def test_what_cannot_be_is_refused_before_the_day_begins(command, argv, code, word):
    found, out, err = command(*argv)
    assert (found, out) == (code, "") and word in err


def test_without_the_extra_it_says_what_to_install(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "alipay_mapi.demo.report", raising=False)
    monkeypatch.delattr("alipay_mapi.demo.report", raising=False)
    code, out, err = command()
    assert code == 78 and out == "" and "pip install 'alipay-mapi[emulator]'" in err


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_a_terminal_has_a_bar(command, monkeypatch):
    pytest.importorskip("rich")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    assert command("--orders", "5")[0] == 0
    assert "%" in screen.getvalue() and " 10 %  the day\n" not in screen.getvalue()


def test_a_terminal_without_colour_has_lines(command, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("NO_COLOR", "1")
    assert command("--orders", "5")[0] == 0
    assert screen.getvalue().splitlines()[-1] == "100 %  done"


def test_the_reports_labels_are_wrapped_for_narrow_screens(ran):
    report = ran[3]
    assert re.search(r'>within<tspan x="[0-9.]+" dy="1.15em">an hour</tspan></text>', report)
    assert "thead th.n { white-space: normal; }" in report
