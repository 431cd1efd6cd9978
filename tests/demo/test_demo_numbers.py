"""The numbers of a demo: they add up, every kind of fault occurs, and the same seed gives the same ones."""
import json
import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest

from alipay_mapi.demo import plan, play
from alipay_mapi.emulator.faults import ANSWER_FAULTS, NOTIFICATION_FAULTS


def total(rows, name):
    return sum(row[name] for row in rows)


def another_process(checkout, folder, hash_seed):
    return subprocess.Popen(
        [sys.executable, "-m", "alipay_mapi", "demo", "--json", "--orders", "40", "--seed", "3",
         "--report", str(folder / "report.html")], cwd=str(checkout), stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONHASHSEED=hash_seed))


def test_the_same_seed_gives_the_same_numbers_in_two_processes(checkout, tmp_path, short):
    """With other keys, and with another order of everything that has none."""
    pytest.importorskip("jinja2")
    started = [another_process(checkout, tmp_path, hash_seed) for hash_seed in ("1", "2")]
    one, two = [json.loads(process.communicate()[0].decode("utf-8").splitlines()[-1]) for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert set(one) == {"schema", "command", "ok", "seed", "numbers", "report", "seconds"}
    one.pop("seconds"), two.pop("seconds")
    assert one == two
    assert one["numbers"] == json.loads(json.dumps(short.numbers))


def test_another_seed_gives_another_day():
    assert plan.plans(1, 40) == plan.plans(1, 40) != plan.plans(2, 40)


@pytest.mark.parametrize("ran", ["short", "whole"])
def test_every_sum_is_the_sum_of_its_parts(request, ran):
    ran = request.getfixturevalue(ran)
    found = ran.numbers
    outcomes = {row["outcome"]: row["orders"] for row in found["outcomes"]}
    assert sum(outcomes.values()) == found["orders"] == found["compared"] == len(ran.day.plans)
    paid = outcomes["paid"] + outcomes["refunded in part"] + outcomes["refunded in full"]
    assert total(found["learned"], "by_notification") + total(found["learned"], "by_query") == paid
    assert total(found["amounts"], "orders") == paid
    assert found["refunds"]["asked"] == found["refunds"]["proved"] == found["refunds"]["in_ledger"] > 0
    assert total(found["services"], "orders") == total(found["sign_types"], "orders") == found["orders"]
    for row in found["messages"]:
        assert row["believed"] + row["nothing_new"] + row["refused"] == row["messages"]
        assert row["refused"] == sum(refusal["count"] for refusal in found["refusals"]
                                     if refusal["channel"] == row["channel"])
    for row in found["attacks"] + [fault for fault in found["faults"] if fault["message"] == "answer"]:
        assert sum(row["became"].values()) == row["count"]
    assert found["differences"] == [] == ran.differences


def test_with_two_hundred_orders_everything_occurs(whole):
    found = whole.numbers
    assert {row["fault"] for row in found["faults"]} == set(ANSWER_FAULTS) | set(NOTIFICATION_FAULTS)
    assert {row["fault"] for row in found["attacks"]} == set(plan._ATTACKS)
    assert all(row["orders"] for row in found["outcomes"])
    assert {row["service"] for row in found["services"]} == {plan.WEB, plan.WAP, plan.DIRECT, plan.APP}
    assert {row["sign_type"] for row in found["sign_types"]} == {"MD5", "RSA", "RSA2"}
    assert {row["currency"] for row in found["amounts"]} >= {"USD", "EUR", "GBP", "HKD", "JPY", "AUD", "CNY"}
    assert {one.story for one in whole.day.plans} == set(plan.STORIES)
    assert {one.refund for one in whole.day.plans} == set(plan._REFUNDS)
    assert [row["age"] for row in found["learned"] if row["by_notification"] + row["by_query"]] == [
        "at once", "within an hour", "within a day"]


def test_a_refund_without_an_answer_is_settled_and_done_once(whole):
    assert any(row["class"] == "OutcomeUnknown" and row["channel"] == "refund" for row in whole.numbers["refusals"])
    done = [row["out_return_no"] for row in whole.day.gateway.ledger.rows("refunds")
            if row["refund_status"] == "REFUND_SUCCESS"]
    assert len(done) == len(set(done)) == whole.numbers["refunds"]["proved"]


@pytest.mark.parametrize("ran", ["short", "whole"])
def test_every_sum_of_the_fallback_is_the_sum_of_its_parts(request, ran):
    ran = request.getfixturevalue(ran)
    found, numbers = ran.numbers["fallback"], ran.numbers
    outcomes = {row["outcome"]: row for row in found["outcomes"]}
    assert total(found["outcomes"], "orders") == found["watched"] == numbers["orders"]
    assert all(row["orders"] == row["by_notification"] + row["by_fallback"] for row in outcomes.values())
    assert outcomes["open"]["orders"] == outcomes["gave_up"]["orders"] == 0
    paid = total(numbers["learned"], "by_notification") + total(numbers["learned"], "by_query")
    assert paid == sum(outcomes[name]["orders"] for name in ("paid", "refunded", "needs_a_person"))
    assert paid == total(found["open_for"], "paid_by_notification") + total(found["open_for"], "paid_by_fallback")
    assert paid + total(found["open_for"], "over") == numbers["orders"]
    assert total(found["sequence"], "asked") == found["runs"]["asked"] > 0
    assert total(found["sequence"], "settled") == total(found["outcomes"], "by_fallback")
    assert total(found["effects"]["kinds"], "effects") == found["effects"]["recorded"]
    again = found["effects"]["locked"] + (found["killed"] is not None)
    assert found["effects"]["handed_over"] == found["effects"]["recorded"] + again
    assert found["effects"]["done_twice"] == found["effects"]["left"] == 0


def test_every_payment_whose_notification_is_lost_is_found(whole):
    found = whole.numbers["fallback"]
    lost = [one for one in whole.day.plans if one.fault == "lost"]
    assert found["lost"] >= len(lost) >= 20 and found["found"] == found["lost"]
    assert {whole.day.shop.books[one.number].known_by for one in lost} == {"query"}
    assert 0 < found["found_after"]["half_within"] < 1200 < found["found_after"]["longest"] < 3 * 3600


def test_in_the_bad_hour_the_fallback_asks_and_settles_nothing(whole):
    found = whole.numbers["fallback"]["bad_hour"]
    assert found["asked"] >= 15 and found["settled"] == 0 and found["runs"] == 6
    begin = play.START + timedelta(hours=5)
    in_it = [record.settled_by for record in whole.day.shop.books.values()
             if begin <= record.settled_at < begin + timedelta(hours=1)]
    assert set(in_it) == {"notification"}
    assert whole.numbers["fallback"]["runs"]["gateway_down"] >= 2


def test_a_worker_is_killed_and_the_next_one_goes_on(whole):
    killed = whole.numbers["fallback"]["killed"]
    record = whole.day.shop.books[killed["out_trade_no"]]
    assert killed["in_hand"] >= 1 and record.fulfilled == 1 and set(record.booked.values()) == {1}
    assert [run.ended for run in whole.day.cron.runs].count("killed") == 1


def test_what_a_person_has_to_decide_was_paid_with_another_amount(whole):
    slips = {one.number: one for one in whole.day.plans if one.story == plan.OLD_PRICE}
    told = {row["out_trade_no"]: row for row in whole.numbers["fallback"]["for_a_person"]}
    assert set(told) == set(slips) and whole.numbers["for_a_person"] == len(slips) > 0
    for number, row in told.items():
        assert Decimal(row["price"]) - Decimal(row["paid"]) == slips[number].part > 0
        assert row["why"] == "AmountMismatch"


def test_no_attack_is_believed(whole):
    """A replayed notification is genuine: it is known already, or its notify_id is no more."""
    for row in whole.numbers["attacks"]:
        assert "believed" not in row["became"], row
        assert "nothing new" not in row["became"] or row["fault"] == "replayed"


def test_what_was_broken_on_the_way_is_refused(whole):
    wanted = {"forged": {"SignatureInvalid"}, "stale-key": {"SignatureInvalid"}, "tampered": {"SignatureInvalid"},
              "re-cut": {"AmbiguousContent"}, "unsigned": {"SignatureMissing"}, "lost": {"never arrived"},
              "other-sign-type": {"SignTypeMismatch"}, "unsigned-paid": {"ResponseSignatureMissing"},
              "answer-forged": {"ResponseSignatureInvalid"}, "answer-tampered": {"ResponseSignatureInvalid"}}
    found = {row["fault"]: set(row["became"]) for row in whole.numbers["faults"]}
    assert {name: found[name] for name in wanted} == wanted


def test_the_progress_never_goes_back_by_much_and_ends_at_the_end(short):
    """New events come up on the way, so the total grows; the last step is the whole."""
    shares = [step.done / step.total for step in short.steps]
    assert all(later > share - 0.2 for share, later in zip(shares, shares[1:]))
    assert shares[-1] == 1.0 and all(0 < share <= 1 for share in shares)
