"""``alipay-mapi demo --migrate``: its numbers, its kills, and what it says."""
import ast
import json
import os
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from alipay_mapi.demo.migrating import kills, plan, play
from alipay_mapi.demo.migrating.running import Dead, ShopProcess
from alipay_mapi.errors import AlipayError
from moving import ORDERS, SEED


def another_process(checkout, folder, hash_seed):
    return subprocess.Popen(
        [sys.executable, "-m", "alipay_mapi", "demo", "--migrate", "--json", "--orders", str(ORDERS),
         "--seed", str(SEED), "--report", str(folder / "report{}.html".format(hash_seed))],
        cwd=str(checkout), stdout=subprocess.PIPE, env=dict(os.environ, PYTHONHASHSEED=hash_seed))


def test_the_same_seed_gives_the_same_numbers_in_two_processes(checkout, tmp_path, honest):
    """All of them, and the kills: the shop's process and the world speak in turns, so each kill has one place."""
    pytest.importorskip("jinja2")
    started = [another_process(checkout, tmp_path, hash_seed) for hash_seed in ("1", "2")]
    one, two = [json.loads(process.communicate()[0].decode("utf-8").splitlines()[-1]) for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert set(one) == {"schema", "command", "ok", "seed", "numbers", "report", "seconds"} and one["ok"] is True
    assert one["numbers"] == two["numbers"]
    left = one["numbers"].pop("plan")
    assert one["numbers"] == json.loads(json.dumps(honest.numbers))
    assert sum(row["orders"] for row in left["counts"]) == one["numbers"]["compared"]
    assert left["settled"] is None and left["switch_off"].startswith("2027-11-")


def test_another_seed_is_another_move():
    assert plan.plans(1, 60) == plan.plans(1, 60) != plan.plans(2, 60)
    assert kills.kills(1) == kills.kills(1)


def test_with_two_hundred_orders_there_is_some_of_everything():
    found = plan.plans(1, 200)
    assert len(found) == 200 == len({one.number for one in found})
    assert {one.story for one in found} == set(plan.STORIES)
    assert {one.attack for one in found} == set(plan.ATTACKS) | {""}
    assert {one.act for one in found} == set(range(len(plan.ACTS)))
    assert sum(one.stray for one in found) == 4 and sum(one.split for one in found) >= 20
    assert [one for one in found if one.act == plan.ONE_PERCENT and plan.falls_to_ams(one.number, 1) and not one.split]


def test_the_books_equal_both_ledgers(honest):
    assert honest.differences == [] and honest.sides.left == []
    assert honest.numbers["compared"] + honest.numbers["refused"] == ORDERS


def test_new_orders_go_where_the_act_says(honest):
    acts = honest.numbers["acts"]
    assert [row["share"] for row in acts] == [0, 1, 25, 50, 0, 100, 100]
    for row in acts:
        assert row["mapi"] + row["ams"] + row["refused"] == row["orders"]
        assert row["share"] or not row["ams"]
    assert acts[plan.ONE_PERCENT]["ams"] == 1 and acts[plan.KILLED]["ams"] >= 1
    assert acts[5]["mapi"] == acts[5]["exactly"] and acts[6]["mapi"] == 0 and acts[6]["refused"] == 1


def test_orders_made_on_ams_stay_there_when_the_share_is_0_again(honest):
    made = next(row for row in honest.numbers["kills"] if row["kill"] == kills.ORDER_MADE)
    number = made["out_trade_no"]
    assert made["home"] == "ams" and number in honest.sides.ledgers["ams"]
    assert number not in honest.sides.ledgers["mapi"]


def test_orders_are_paid_and_refunded_on_both_gateways(honest):
    found = honest.numbers
    for gateway in ("mapi", "ams"):
        assert sum(row[gateway] for row in found["outcomes"]) == sum(
            home == gateway for home in honest.sides.homes.values())
        assert sum(row[gateway] for row in found["outcomes"] if row["outcome"] != "never paid") == sum(
            row[gateway] for row in found["learned"]) == sum(
                row["orders"] for row in found["amounts"] if row["gateway"] == gateway) > 0
    for row in found["refunds"]:
        assert row["asked"] == row["done"] == row["in_ledger"] > 0
    assert found["refunds"][0]["later_act"] > 0


def test_every_kill_happens_and_nothing_is_done_twice(honest):
    found = honest.numbers
    assert {row["kill"] for row in found["kills"]} == {kill.name for kill in kills.kills(SEED)}
    assert found["not_killed"] == [] and found["starts"] == len(found["kills"]) + 1
    assert {row["while"] for row in found["kills"]} >= {"nothing", "sell", "notify"}
    effects = found["effects"]
    assert effects["again"] >= 1 and effects["done_twice"] == effects["left"] == effects["due"] == 0


def test_an_order_that_was_stored_and_never_sent_is_closed_by_the_fallback(honest):
    number = next(row["out_trade_no"] for row in honest.numbers["kills"] if row["kill"] == kills.ORDER_UNSENT)
    assert honest.sides.homes[number] == "ams" and number not in honest.sides.ledgers["ams"]
    assert honest.sides.books[number].facts.closed


def test_nothing_that_an_attacker_posts_is_believed(honest):
    for row in honest.numbers["attacks"]:
        assert "believed" not in row["became"], row
        assert "nothing new" not in row["became"] or row["attack"].endswith("replayed")
        assert sum(row["became"].values()) == row["count"]


def test_a_namesake_on_the_other_gateway_is_told_to_a_person(honest):
    strays = honest.numbers["strays"]
    assert {row["home"] for row in strays} == {"mapi", "ams"} and all(row["told"] for row in strays)
    for row in strays:
        assert not honest.sides.books[row["out_trade_no"]].facts.paid


def test_the_shadow_is_counted(honest):
    shadow = honest.numbers["shadow"]
    assert shadow["compared"] == shadow["equal"] + shadow["different"] + shadow["not_comparable"] > 0
    assert sum(row["count"] for row in shadow["by"]) == shadow["different"] + shadow["not_comparable"]
    assert "pay" not in {row["call"] for row in shadow["by"] if row["fields"] != "AMS cannot make it"}


def test_the_sums_of_the_messages_are_those_of_their_parts(honest):
    for row in honest.numbers["messages"]:
        assert row["believed"] + row["nothing_new"] + row["refused"] == row["messages"]
        assert row["refused"] == sum(one["count"] for one in honest.numbers["refusals"] if (
            one["gateway"], one["channel"]) == (row["gateway"], row["channel"]))
    assert {(row["gateway"], row["channel"]) for row in honest.numbers["messages"]} >= {
        (gateway, channel) for gateway in ("mapi", "ams") for channel in ("notification", "query", "refund")}


def test_the_comparison_shares_no_code_with_the_shop(checkout):
    tree = ast.parse((checkout / "alipay_mapi" / "demo" / "migrating" / "audit.py").read_text(encoding="utf-8"))
    taken = [(node.level, node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [one for one in taken if one[0]] == [(2, "audit")]
    assert {module for level, module in taken if not level} <= {"collections", "decimal", "typing"}


# --- the shop's process -----------------------------------------------------------------------------------------------

def process(tmp_path, *program):
    return ShopProcess(str(tmp_path), lambda: 0.0, lambda call: {}, lambda point, url: False,
                       (sys.executable, "-c") + program)


def test_a_process_that_ends_by_itself_is_no_kill(tmp_path):
    shop = process(tmp_path, "raise SystemExit('no settings')")
    with pytest.raises(AlipayError, match="ended by itself: no settings"):
        shop.start()
    with pytest.raises(Dead):
        shop.ask("cron")


def test_a_killed_process_is_really_gone(tmp_path):
    shop = process(tmp_path, "print('{\"done\": {}}', flush=True); import time; time.sleep(60)")
    shop.start()
    pid = shop._process.pid
    shop.kill()
    assert not shop.is_up
    if os.name == "posix":
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


# --- the command ------------------------------------------------------------------------------------------------------

class Again:
    """The move that is over, once more for the command."""

    def __init__(self, honest):
        self._honest = honest

    def __getattr__(self, name):
        return getattr(self._honest.move, name)

    def run(self):
        return iter(self._honest.steps)

    def close(self):
        pass


@pytest.fixture
def over(monkeypatch, honest):
    pytest.importorskip("jinja2")
    monkeypatch.setattr(play, "Move", lambda seed, orders: Again(honest))
    return honest


def test_it_says_what_happened(command, over):
    code, out, err = command("--migrate", "--orders", ORDERS)
    words = " ".join(out.split())
    assert code == 0 and err.splitlines()[-1] == "100 %  done"
    assert "the shop's books are what the two ledgers say: {} orders compared, no difference".format(
        over.numbers["compared"]) in words
    assert "effects {}, handed over {} times, none done twice, none left".format(
        over.numbers["effects"]["recorded"], over.numbers["effects"]["handed_over"]) in words
    for row in over.numbers["acts"]:
        assert row["act"] in out
    for row in over.numbers["kills"]:
        assert row["kill"] in out
    assert "can be refunded until 2027-11-" in words
    assert os.path.join("alipay-mapi-demo", "migration.html") in out.splitlines()[-2]


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.names, self.rows = set(), set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
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


def test_the_report_holds_the_numbers_and_loads_nothing(command, over, tmp_path):
    assert command("--migrate", "--orders", ORDERS, "--report", tmp_path / "page.html")[0] == 0
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not page.names & {"src", "href", "srcset", "onclick", "onload"}
    assert "http" + "://" not in text and "https" + "://" not in text and "@import" not in text
    assert "The shop's books equal both ledgers" in text and "prefers-color-scheme: dark" in text
    for row in over.numbers["acts"]:
        assert [row["act"], "{} %".format(row["share"])] + [str(row[name]) for name in (
            "orders", "mapi", "exactly", "ams", "refused")] in page.rows
    for row in over.numbers["kills"]:
        assert any(cells[:3] == [row["at"], row["while"], row["kill"]] for cells in page.rows), row
    numbers = [cells[0] for cells in page.rows if len(cells) == 9 and cells[-1] == "✓ yes"]
    assert numbers == list(over.sides.books)


def test_books_that_differ_make_it_fail(command, over, monkeypatch):
    """The exit code, the words, the JSON and the report all say so."""
    from alipay_mapi.demo.migrating import audit
    honest = audit.sides
    number = next(number for number, booked in over.sides.books.items() if booked.facts.paid)

    def sides(*arguments):
        found = honest(*arguments)
        found.books[number] = found.books[number]._replace(goods=2)
        return found
    monkeypatch.setattr(audit, "sides", sides)
    code, out, _ = command("--migrate")
    assert code == 1 and "DIFFERENT" in out and number in out and "equal  " not in out
    with open(os.path.join("alipay-mapi-demo", "migration.html"), encoding="utf-8") as file:
        assert "The books differ from the ledgers in 1 place<" in file.read()
    code, out, _ = command("--migrate", "--json")
    told = json.loads(out.splitlines()[-1])
    assert code == 1 and told["ok"] is False
    assert told["numbers"]["differences"] == [
        {"out_trade_no": number, "what": "goods sent", "books": "2", "ledger": "1"}]


def test_one_order_is_a_move_too(command):
    pytest.importorskip("jinja2")
    code, out, _ = command("--migrate", "--orders", "1")
    assert code == 0 and "1 orders compared" in " ".join(out.split())
