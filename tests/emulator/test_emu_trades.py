"""Orders and trades: what may become of them, and when."""
import re
import threading
from datetime import timedelta

import pytest
from core_setup import MD5, START, Address, at, client, gateway
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi import GatewayError
from alipay_mapi.emulator import BUYERS, Refused
from alipay_mapi.emulator.trades import timeout_of
from alipay_mapi.errors import InvalidRequest

POOR, LIMITED = BUYERS[2].buyer_id, BUYERS[3].buyer_id


@pytest.fixture
def emulator():
    with gateway() as made:
        yield made


def mainland(emulator, number, **params):
    return emulator.place(number, service="create_direct_pay_by_user", payment_type="1", **params)


def query(emulator, number):
    return client(emulator).single_trade_query(out_trade_no=number)


def refusal(function, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        function(*args, **kwargs)
    return caught.value.code


def test_a_trade_exists_from_the_moment_at_which_the_buyer_logs_in(emulator):
    placed = emulator.place("A1")
    assert placed["trade_status"] == "NO_TRADE" and placed["trade_no"] is None
    with pytest.raises(GatewayError) as caught:
        query(emulator, "A1")
    assert caught.value.code == "TRADE_NOT_EXIST"
    row = emulator.log_in("A1")
    assert re.fullmatch("20260301[0-9]{20}", row["trade_no"])
    assert query(emulator, "A1")["trade_status"] == "WAIT_BUYER_PAY"


def test_a_cross_border_trade_is_finished_when_paid_and_stays_so(emulator):
    emulator.place("A1")
    assert emulator.pay("A1")["trade_status"] == "TRADE_FINISHED"
    emulator.advance(400 * 86400)
    assert emulator.trade("A1")["trade_status"] == "TRADE_FINISHED"


def test_a_mainland_trade_is_finished_ninety_days_after_it_was_paid_to_the_second(emulator):
    mainland(emulator, "A1")
    assert emulator.pay("A1")["trade_status"] == "TRADE_SUCCESS"
    emulator.advance(90 * 86400 - 1)
    assert emulator.trade("A1")["trade_status"] == "TRADE_SUCCESS"
    emulator.advance(1)
    row = emulator.trade("A1")
    assert row["trade_status"] == "TRADE_FINISHED" and row["gmt_close"] == at(days=90)


def test_with_the_basic_contract_a_mainland_trade_is_finished_at_once(emulator):
    emulator.settings("md5", basic_contract=True)
    mainland(emulator, "A1")
    assert emulator.pay("A1")["trade_status"] == "TRADE_FINISHED"


@pytest.mark.parametrize("params, seconds", [
    ({}, 12 * 3600), ({"timeout_rule": "5m"}, 300), ({"timeout_rule": "15d"}, 15 * 86400),
    ({"order_gmt_create": "2026-03-01 11:59:00", "order_valid_time": "160", "timeout_rule": "5m"}, 100)])
def test_an_unpaid_trade_is_closed_when_its_time_is_over_and_not_a_second_before(emulator, params, seconds):
    emulator.place("A1", **params)
    emulator.log_in("A1")
    emulator.advance(seconds - 1)
    assert emulator.trade("A1")["trade_status"] == "WAIT_BUYER_PAY"
    emulator.place("A2")
    emulator.advance(1)
    row = emulator.trade("A1")
    assert row["trade_status"] == "TRADE_CLOSED" and row["additional_trade_status"] == "DAEMON_CONFIRM_CLOSE"
    assert row["gmt_close"] == at(seconds=seconds) and "gmt_payment" not in row
    assert refusal(emulator.pay, "A1") == "TRADE_HAS_CLOSE"


def test_the_last_second_is_good_for_paying(emulator):
    emulator.place("A1", timeout_rule="5m")
    emulator.log_in("A1")
    emulator.advance(299)
    assert emulator.pay("A1")["trade_status"] == "TRADE_FINISHED"
    emulator.advance(10)
    assert emulator.trade("A1")["trade_status"] == "TRADE_FINISHED"


def test_a_late_clock_closes_the_trade_at_its_own_moment(emulator):
    emulator.place("A1", timeout_rule="5m")
    emulator.log_in("A1")
    emulator.clock.move(86400)
    assert emulator.trade("A1")["gmt_close"] == at(minutes=5)


def test_an_order_whose_time_is_over_before_anybody_came_cannot_be_logged_in_for(emulator):
    emulator.place("A1", order_gmt_create="2026-03-01 12:00:00", order_valid_time="100")
    emulator.advance(99)
    emulator.place("A2", order_gmt_create="2026-03-01 12:00:00", order_valid_time="100")
    emulator.log_in("A2")
    emulator.advance(1)
    for _ in range(2):      # and not when it is tried again either
        assert refusal(emulator.log_in, "A1") == "SESSION_TIMEOUT"
        assert refusal(emulator.pay, "A1") == "SESSION_TIMEOUT"
        emulator.advance(5)
    assert emulator.trade("A1")["trade_status"] == "NO_TRADE"
    emulator.place("A1", order_gmt_create="2026-03-01 12:01:00", order_valid_time="100")     # with new time
    assert emulator.pay("A1")["trade_status"] == "TRADE_FINISHED"


@pytest.mark.parametrize("rule, seconds", [
    ("1c", 12 * 3600 - 1), ("90m", 5400), ("2h", 7200), ("1d", 86400), ("2026-03-01 12:00:30", 30),
    ("2026-03-01 11:00:00", 0)])
def test_it_b_pay_has_every_form_of_its_page(rule, seconds):
    assert timeout_of({"it_b_pay": rule}, START) == timedelta(seconds=seconds)


def test_an_it_b_pay_in_the_past_leaves_no_time_to_log_in(emulator):
    mainland(emulator, "A1", it_b_pay="2026-03-01 12:00:30")
    emulator.clock.move(30)
    assert refusal(emulator.pay, "A1") == "SESSION_TIMEOUT"


def test_mainland_orders_have_fifteen_days(emulator):
    mainland(emulator, "A1")
    assert emulator.log_in("A1")["due_at"] == at(days=15)


def test_only_a_waiting_trade_can_be_closed(emulator):
    emulator.place("A1")
    assert refusal(emulator.close_trade, "A1") == "TRADE_NOT_EXIST"
    emulator.log_in("A1")
    row = emulator.close_trade("A1")
    assert row["trade_status"] == "TRADE_CLOSED" and not row["additional_trade_status"]
    assert refusal(emulator.close_trade, "A1") == "TRADE_STATUS_NOT_AVAILD"
    emulator.place("A2")
    emulator.pay("A2")
    assert refusal(emulator.close_trade, "A2") == "TRADE_STATUS_NOT_AVAILD"


def test_the_same_order_again_is_the_same_order_and_another_content_is_refused(emulator):
    first = emulator.place("A1", total_fee="10.00")
    assert emulator.place("A1", total_fee="10.00", subject="Green tea")["id"] == first["id"]
    assert refusal(emulator.place, "A1", total_fee="11.00") == "TRADE_TOTALFEE_NOT_MATCH"
    assert refusal(emulator.place, "A1", total_fee="10.00", currency="EUR") == "TRADE_TOTALFEE_NOT_MATCH"
    emulator.pay("A1")
    assert refusal(emulator.place, "A1", total_fee="10.00") == "TRADE_NOT_ALLOWED_PAY"
    emulator.place("A2")
    emulator.log_in("A2")
    emulator.close_trade("A2")
    assert refusal(emulator.place, "A2") == "TRADE_HAS_CLOSE"


def test_one_order_has_one_buyer(emulator):
    emulator.place("A1")
    emulator.log_in("A1")
    assert refusal(emulator.pay, "A1", buyer=BUYERS[1].buyer_email) == "TRADE_BUYER_NOT_MATCH"
    assert emulator.pay("A1")["buyer_id"] == BUYERS[0].buyer_id
    assert refusal(emulator.pay, "A1") == "TRADE_NOT_ALLOWED_PAY"


def test_a_buyer_without_the_money_or_over_his_limit_is_refused_and_may_come_back(emulator):
    emulator.place("A1", total_fee="14.09")     # 100.039 CNY at 7.1
    assert refusal(emulator.pay, "A1", buyer=POOR) == "BUYER_BALANCE_NOT_ENOUGH"
    assert refusal(emulator.pay, "A1", buyer=LIMITED) == "BEYOND_PAY_RESTRICTION"
    assert emulator.pay("A1")["trade_status"] == "TRADE_FINISHED"


def test_two_merchants_may_use_the_same_number_and_then_the_partner_must_be_named(emulator):
    emulator.place("A1")
    emulator.place("A1", merchant="rsa")
    with pytest.raises(InvalidRequest, match="partner"):
        emulator.trade("A1")
    assert emulator.trade("A1", partner=MD5)["partner"] == MD5
    with pytest.raises(InvalidRequest, match="no order"):
        emulator.trade("A2")


def test_a_planned_payment_happens_at_its_second_by_itself(emulator):
    emulator.place("A1")
    assert emulator.pay_later("A1", 90)["trade_status"] == "WAIT_BUYER_PAY"
    assert emulator.next_due() == at(seconds=90)
    emulator.advance(89)
    assert emulator.trade("A1")["trade_status"] == "WAIT_BUYER_PAY"
    emulator.clock.move(3600)
    row = emulator.trade("A1")
    assert row["trade_status"] == "TRADE_FINISHED" and row["gmt_payment"] == at(seconds=90)
    assert emulator.next_due() == emulator.list_notifications("A1")[0]["next_at"]


def test_a_planned_payment_of_a_trade_that_was_closed_or_paid_meanwhile_is_dropped(emulator):
    for number in ("A1", "A2", "A3"):
        emulator.place(number, timeout_rule="5m")
        emulator.pay_later(number, 300)
    emulator.close_trade("A1")
    emulator.pay("A2")
    emulator.advance(301)
    assert [emulator.trade(number)["trade_status"] for number in ("A1", "A2", "A3")] == [
        "TRADE_CLOSED", "TRADE_FINISHED", "TRADE_CLOSED"]       # A3: its time was over in the same second
    assert [row["outcome"] for row in emulator.ledger.rows("plans")] == [
        "TRADE_HAS_CLOSE", "TRADE_NOT_ALLOWED_PAY", "TRADE_HAS_CLOSE"]
    assert len(emulator.list_notifications()) == 1


def test_a_planned_payment_survives_a_restart(tmp_path):
    path = str(tmp_path / "ledger")
    with gateway(state=path) as emulator:
        emulator.place("A1")
        emulator.pay_later("A1", 90)
    with gateway(state=path, start=START + timedelta(hours=1)) as emulator:
        assert emulator.trade("A1")["gmt_payment"] == at(seconds=90)


def test_of_a_close_and_a_payment_at_once_exactly_one_wins():
    address = Address()
    with gateway(address) as emulator:
        for number in range(20):
            name, barrier, won = "A{}".format(number), threading.Barrier(3), []
            emulator.place(name)
            emulator.log_in(name)

            def attempt(action, name=name, barrier=barrier, won=won):
                barrier.wait()
                try:
                    won.append(action(name)["trade_status"])
                except Refused:
                    pass

            threads = [threading.Thread(target=attempt, args=(action,))
                       for action in (emulator.pay, emulator.close_trade, emulator.pay)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert won == [emulator.trade(name)["trade_status"]]
        paid = sum(row["trade_status"] == "TRADE_FINISHED" for row in emulator.list_trades())
        assert len(emulator.deliver()) == paid


def test_a_clock_that_goes_back_undoes_nothing(emulator):
    emulator.place("A1", timeout_rule="5m")
    emulator.pay("A1")
    emulator.place("A2", timeout_rule="5m")
    emulator.log_in("A2")
    emulator.clock.move(-86400)
    emulator.deliver()
    assert emulator.trade("A1")["trade_status"] == "TRADE_FINISHED"
    assert emulator.pay("A2")["gmt_payment"] == at(days=-1)


def test_what_was_due_happens_even_when_the_call_that_found_it_is_refused(emulator):
    emulator.place("A1", timeout_rule="5m")
    emulator.log_in("A1")
    emulator.clock.move(300)
    assert refusal(emulator.trades.pay, emulator.ledger.get("trades", out_trade_no="A1")) == "TRADE_HAS_CLOSE"
    assert emulator.ledger.get("trades", out_trade_no="A1")["trade_status"] == "TRADE_CLOSED"


def test_the_same_seed_gives_the_same_trade_numbers_whatever_the_order_and_after_a_restart(tmp_path):
    def numbers(emulator, *orders):
        for number in orders:
            if not emulator.ledger.count("trades", out_trade_no=number):
                emulator.place(number)
                emulator.pay(number)
        return {number: (emulator.trade(number)["trade_no"], emulator.list_notifications(number)[0]["notify_id"])
                for number in ("A1", "A2")}

    with gateway() as one, gateway() as two, gateway(seed=2) as other:
        first = numbers(one, "A1", "A2")
        assert first == numbers(two, "A2", "A1") != numbers(other, "A1", "A2")
    path = str(tmp_path / "ledger")
    with gateway(state=path) as emulator:
        emulator.place("A1")
        emulator.pay("A1")
    with gateway(state=path) as emulator:
        assert numbers(emulator, "A2") == first


# --- what a query shows -------------------------------------------------------------------------------------------

def test_a_waiting_trade_shows_its_time_and_no_payment(emulator):
    emulator.place("A1")
    emulator.log_in("A1")
    found = query(emulator, "A1")
    assert found["time_out"] == at(hours=12) and found["time_out_type"] == "closeTrade"
    assert "gmt_payment" not in found and found["to_seller_fee"] == "0.00" and found["gmt_create"] == at()


def test_an_unpaid_trade_that_timed_out_was_closed_by_the_daemon_and_never_paid(emulator):
    emulator.place("A1")
    emulator.log_in("A1")
    emulator.advance(12 * 3600)
    found = query(emulator, "A1")
    assert (found["trade_status"], found["additional_trade_status"], found["to_seller_fee"]) == (
        "TRADE_CLOSED", "DAEMON_CONFIRM_CLOSE", "0.00")
    assert "gmt_payment" not in found and "time_out" not in found


def test_a_paid_mainland_trade_shows_when_it_will_be_finished(emulator):
    mainland(emulator, "A1", total_fee="10.00")
    emulator.pay("A1")
    found = query(emulator, "A1")
    assert (found["trade_status"], found["time_out_type"], found["time_out"], found["to_seller_fee"]) == (
        "TRADE_SUCCESS", "finishFPAction", at(days=90), "10.00")
    assert found["gmt_payment"] == at() and "refund_status" not in found


def test_a_partly_refunded_trade_keeps_its_status_and_shows_how_much(emulator):
    mainland(emulator, "A1", total_fee="10.00")
    emulator.pay("A1")
    emulator.refund("A1", "3.00")
    found = query(emulator, "A1")
    assert (found["trade_status"], found["refund_status"], found["to_buyer_fee"], found["refund_fee"],
            found["to_seller_fee"]) == ("TRADE_SUCCESS", "REFUND_SUCCESS", "3.00", "3.00", "10.00")
    assert found["gmt_refund"] == at() + ".000"


def test_a_fully_refunded_mainland_trade_is_closed_and_still_shows_its_payment(emulator):
    mainland(emulator, "A1", total_fee="10.00")
    emulator.pay("A1")
    emulator.advance(60)
    emulator.refund("A1")
    found = query(emulator, "A1")
    assert (found["trade_status"], found["additional_trade_status"], found["to_buyer_fee"], found["total_fee"]) == (
        "TRADE_CLOSED", "DAEMON_CONFIRM_CLOSE", "10.00", "10.00")
    assert found["gmt_payment"] == at() and found["gmt_close"] == at(minutes=1)
    assert found["gmt_refund"].startswith(found["gmt_close"]) and found["refund_flow_type"] == "3"


def test_a_fully_refunded_cross_border_trade_stays_finished(emulator):
    emulator.place("A1", total_fee="10.00")
    emulator.pay("A1")
    emulator.refund("A1")
    found = query(emulator, "A1")
    assert (found["trade_status"], found["to_buyer_fee"], found["total_fee"]) == ("TRADE_FINISHED", "71.00", "71.00")


def test_a_query_answers_in_yuan_and_by_alipays_number_first(emulator):
    emulator.place("A1", total_fee="10.00", currency="EUR")
    trade_no = emulator.pay("A1")["trade_no"]
    found = client(emulator).single_trade_query(trade_no=trade_no)
    assert (found["total_fee"], found["price"], found["payment_type"]) == ("77.00", "77.00", "100")
    assert found["is_total_fee_adjust"] == "F" and found["use_coupon"] == "F"


def test_an_escrow_trade_waits_for_the_goods_and_pays_the_seller_in_the_end(emulator):
    row = emulator.trades.place(MD5, "create_partner_trade_by_buyer", {
        "out_trade_no": "A1", "subject": "Tea", "total_fee": "10.00", "logistics_fee": "1.00"}, kind="escrow")
    assert emulator.pay("A1")["trade_status"] == "WAIT_SELLER_SEND_GOODS"
    assert query(emulator, "A1")["to_seller_fee"] == "0.00"
    emulator.trades.ship(row, "SF")
    found = query(emulator, "A1")
    assert (found["trade_status"], found["time_out_type"], found["time_out"], found["logistics_status"]) == (
        "WAIT_BUYER_CONFIRM_GOODS", "autoFinishTradeAction", at(days=10), "WAIT_RECEIVER_CONFIRM_GOODS")
    emulator.advance(10 * 86400)
    found = query(emulator, "A1")
    assert (found["trade_status"], found["to_seller_fee"]) == ("TRADE_FINISHED", "10.00")


def test_a_full_refund_closes_an_escrow_trade(emulator):
    emulator.trades.place(MD5, "create_partner_trade_by_buyer", {
        "out_trade_no": "A1", "subject": "Tea", "total_fee": "10.00"}, kind="escrow")
    emulator.pay("A1")
    emulator.refund("A1")
    assert emulator.trade("A1")["trade_status"] == "TRADE_CLOSED"


@settings(max_examples=settings.default.max_examples // 3)
@given(subject=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="&\0\"'"), min_size=1,
                       max_size=30))
def test_whatever_the_subject_the_answers_sign_fits(subject):
    """Control characters, carriage returns and character references included."""
    with gateway() as emulator:
        for charset in ("utf-8", "gbk"):
            row = emulator.trades.place(MD5, "create_forex_trade", {
                "out_trade_no": "A" + charset, "subject": subject, "total_fee": "1.00", "currency": "USD"})
            emulator.trades.pay(row)
            found = client(emulator, input_charset=charset).single_trade_query(out_trade_no="A" + charset)
            assert found.trade_status == "TRADE_FINISHED"
