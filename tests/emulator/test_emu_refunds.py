"""Refunds: asked for once, never beyond the rest, now or as soon as the balance allows."""
import threading
from decimal import Decimal

import pytest
from core_setup import MD5, Address, at, client, gateway
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi import GatewayError
from alipay_mapi.emulator import Refused
from alipay_mapi.emulator.money import order_amounts, refund_amounts
from alipay_mapi.errors import InvalidRequest


@pytest.fixture
def emulator():
    with gateway() as made:
        yield made


def paid(emulator, number="A1", **params):
    emulator.place(number, **params)
    return emulator.pay(number)


def ask(emulator, number="R1", order="A1", **params):
    """The code of the no, or ""."""
    given = dict(out_return_no=number, out_trade_no=order, currency="USD", gmt_return="20260301120000")
    given.update(params if {"return_amount", "return_rmb_amount"} & set(params) else dict(params, return_amount="1.00"))
    try:
        client(emulator).forex_refund(**given)
    except GatewayError as err:
        return err.code
    return ""


def test_an_asynchronous_refund_is_accepted_done_later_and_notified():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator)
        emulator.deliver()
        assert ask(emulator, return_amount="4.00", notify_url="https://shop.test/refunds") == ""
        assert emulator.ledger.get("refunds", out_return_no="R1")["refund_status"] == "REFUND_PROCESSING"
        emulator.deliver()
        last = address.forms()[-1]
        assert address.got[-1].url == "https://shop.test/refunds"
        assert (last["out_return_no"], last["refund_status"], last["return_amount"], last["currency"]) == (
            "R1", "REFUND_SUCCESS", "4.00", "USD")
        assert set(last) == {"notify_type", "notify_time", "notify_id", "sign", "sign_type", "out_trade_no",
                             "out_return_no", "refund_status", "currency", "return_amount"}
        assert emulator.trade("A1")["to_buyer_fee"] == "28.40"


def test_a_synchronous_refund_is_done_within_the_call_and_not_notified():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator)
        assert ask(emulator, is_sync="Y") == ""
        assert emulator.ledger.get("refunds", out_return_no="R1")["refund_status"] == "REFUND_SUCCESS"
        emulator.deliver()
        assert address.statuses() == ["TRADE_FINISHED"]


def test_the_same_number_again_is_a_repeated_request(emulator):
    paid(emulator)
    assert ask(emulator) == ""
    emulator.advance(3)
    assert ask(emulator) == "REPEATED_REFUNDMENT_REQUEST"
    emulator.advance(3)
    assert ask(emulator, is_sync="Y") == "REPEATED_REFUNDMENT_REQUEST"
    assert emulator.trade("A1")["refunded"] == "1.00"


def test_a_synchronous_refund_may_be_asked_for_again_with_the_same_content_and_moves_nothing(emulator):
    """After an unknown outcome the same out_return_no is to be sent again; a new one would risk a second refund."""
    paid(emulator)
    emulator.fail("half-answer", service="forex_refund")
    assert ask(emulator, is_sync="Y", return_amount="4.00") == "" and emulator.trade("A1")["to_buyer_fee"] == "28.40"
    emulator.advance(3)
    assert ask(emulator, is_sync="Y", return_amount="4.00", gmt_return="20260301120003", reason="Again") == ""
    emulator.advance(3)
    assert ask(emulator, is_sync="Y", return_amount="5.00") == "REPEATED_REFUNDMENT_REQUEST"
    emulator.advance(3)
    assert ask(emulator, return_amount="4.00") == "REPEATED_REFUNDMENT_REQUEST"
    assert emulator.trade("A1")["to_buyer_fee"] == "28.40" and emulator.ledger.count("refunds") == 1


def test_requests_of_one_partner_are_three_seconds_apart(emulator):
    paid(emulator)
    assert ask(emulator, "R1") == ""
    emulator.advance(2.999)
    assert ask(emulator, "R2") == "ILLEGAL_ARGUMENT"
    emulator.advance(0.001)     # one that came too early does not count
    assert ask(emulator, "R2") == ""
    emulator.advance(3)
    emulator.clock.move(-60)    # a clock that goes back is nobody's fault
    assert ask(emulator, "R3") == ""


@pytest.mark.parametrize("code, params", [
    ("PURCHASE_TRADE_NOT_EXIST", {"order": "A9"}), ("PURCHASE_TRADE_NOT_EXIST", {"order": "UNPAID"}),
    ("CURRENCY_NOT_SAME", {"currency": "EUR"}), ("RETURN_AMOUNT_EXCEED", {"return_amount": "10.01"}),
    ("RETURN_AMOUNT_EXCEED", {"return_rmb_amount": "71.01"})])
def test_what_does_not_fit_the_payment_is_refused(emulator, code, params):
    paid(emulator)
    emulator.place("UNPAID")
    emulator.log_in("UNPAID")
    assert ask(emulator, **params) == code
    assert emulator.ledger.count("refunds") == 0


def test_the_window_is_open_for_180_days(emulator):
    paid(emulator)
    emulator.advance(180 * 86400)
    assert ask(emulator, "R1") == ""
    emulator.advance(3)
    assert ask(emulator, "R2") == "REFUNDMENT_VALID_DATE_EXCEED"


def test_parts_may_not_add_up_to_more_than_the_payment(emulator):
    paid(emulator)
    for number, amount, code in (("R1", "6.00", ""), ("R2", "4.01", "RETURN_AMOUNT_EXCEED"), ("R3", "4.00", ""),
                                 ("R4", "0.01", "RETURN_AMOUNT_EXCEED")):
        assert ask(emulator, number, return_amount=amount) == code
        emulator.advance(3)
    assert emulator.trade("A1")["to_buyer_fee"] == "71.00"


def test_without_the_money_a_synchronous_refund_is_refused_and_may_be_tried_again(emulator):
    paid(emulator)
    emulator.settings("md5", balance="7.09")
    assert ask(emulator, is_sync="Y") == "MERCHANT_BALANCE_NOT_ENOUGH"
    emulator.settings("md5", balance="7.10")
    emulator.advance(3)
    assert ask(emulator, is_sync="Y") == ""
    assert emulator.merchant("md5").setting("balance") == "0.00"


def test_without_the_money_an_asynchronous_refund_is_tried_every_six_hours():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator)
        emulator.settings("md5", balance="0.00")
        assert ask(emulator) == ""
        emulator.advance(5 * 3600)
        assert emulator.ledger.get("refunds", out_return_no="R1")["due_at"] == at(hours=6)
        emulator.settings("md5", balance="100.00")
        emulator.advance(3599)
        assert address.statuses() == ["TRADE_FINISHED"]
        emulator.advance(1)
        assert address.statuses() == ["TRADE_FINISHED", "REFUND_SUCCESS"]
        assert emulator.ledger.get("refunds", out_return_no="R1")["done_at"] == at(hours=6)


def test_after_180_days_without_the_money_it_has_failed_and_the_amount_is_free_again():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator)
        emulator.settings("md5", balance="0.00")
        assert ask(emulator) == ""
        emulator.advance(180 * 86400 - 1)
        assert emulator.ledger.get("refunds", out_return_no="R1")["refund_status"] == "REFUND_PROCESSING"
        emulator.advance(1)
        assert address.statuses() == ["TRADE_FINISHED", "REFUND_FAIL"]
        assert address.forms()[-1]["error_code"] == "MERCHANT_BALANCE_NOT_ENOUGH"
        row = emulator.trade("A1")
        assert Decimal(row["refunded"]) == 0 and row["to_buyer_fee"] == "0.00" and "refund_status" not in row


def test_a_refund_address_set_at_alipay_wins():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator)
        emulator.settings("md5", refund_notify_url="https://shop.test/set-at-alipay")
        ask(emulator, notify_url="https://shop.test/refunds")
        emulator.deliver()
        assert address.got[-1].url == "https://shop.test/set-at-alipay"


def test_an_order_priced_in_yuan_is_refunded_in_yuan(emulator):
    row = paid(emulator, total_fee=None, rmb_fee="100.00")
    assert (row["total_fee"], row["cny"]) == ("14.08", "100.00")
    assert ask(emulator, "R1", return_rmb_amount="33.33", is_sync="Y") == ""
    emulator.advance(3)
    assert ask(emulator, "R2", return_rmb_amount="66.67", is_sync="Y") == ""
    assert [row["amount"] for row in emulator.list_refunds()] == ["4.69", "9.39"]   # 14.08 in all
    assert emulator.trade("A1")["to_buyer_fee"] == "100.00"


def test_yen_have_no_decimals(emulator):
    row = paid(emulator, total_fee=None, rmb_fee="10.00", currency="JPY")
    assert row["total_fee"] == "213"    # 212.77
    with pytest.raises(InvalidRequest, match="amount"):
        emulator.refund("A1", "1.50")
    assert ask(emulator, "R1", currency="JPY", return_rmb_amount="0.01", is_sync="Y") == ""     # less than a yen
    assert emulator.refund("A1")["amount"] == "213"
    assert emulator.trade("A1")["to_buyer_fee"] == "10.00"


@pytest.mark.parametrize("amount", ["abc", "1e3", "-1.00", "1.001", "NaN", ""])
def test_an_amount_from_the_console_is_an_amount(emulator, amount):
    paid(emulator)
    with pytest.raises(InvalidRequest, match="amount"):
        emulator.refund("A1", amount)


def test_the_console_gives_back_what_is_left(emulator):
    paid(emulator)
    assert emulator.refund("A1", "4.00")["refund_status"] == "REFUND_SUCCESS"
    assert emulator.refund("A1")["amount"] == "6.00"
    with pytest.raises(Refused) as caught:
        emulator.refund("A1")
    assert caught.value.code == "RETURN_AMOUNT_EXCEED"
    emulator.place("M1", service="create_direct_pay_by_user", payment_type="1")
    emulator.pay("M1")
    emulator.advance(90 * 86400)
    with pytest.raises(Refused) as caught:
        emulator.refund("M1")
    assert caught.value.code == "TRADE_HAS_FINISHED"


def test_of_many_refunds_at_once_no_more_goes_through_than_was_paid():
    with gateway() as emulator:
        for service, number in (("create_forex_trade", "A1"), ("create_direct_pay_by_user", "M1")):
            emulator.place(number, service=service, total_fee="10.00")
            emulator.pay(number)
            stale = emulator.trade(number)
            barrier, done = threading.Barrier(8), []

            def attempt(turn, stale=stale, barrier=barrier, done=done):
                barrier.wait()
                try:
                    done.append(emulator.refunds.by_hand(stale, "{}R{}".format(stale["out_trade_no"], turn), "3.00"))
                except Refused as err:
                    assert err.code in ("RETURN_AMOUNT_EXCEED", "TRADE_STATUS_ERROR")

            threads = [threading.Thread(target=attempt, args=(turn,)) for turn in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(done) == 3 and Decimal(emulator.trade(number)["refunded"]) == 9


def test_a_refund_of_a_batch_looks_at_the_trade_as_it_is_now(emulator):
    emulator.place("M1", service="create_direct_pay_by_user", total_fee="10.00")
    stale = emulator.pay("M1")
    emulator.refunds.give_back(stale, "1", Decimal("6.00"), {"batch_no": "1"})
    for number, code in (("2", "RETURN_AMOUNT_EXCEED"), ("1", "REPEATED_REFUNDMENT_REQUEST")):
        with pytest.raises(Refused) as caught:
            emulator.refunds.give_back(stale, number, Decimal("6.00"), {"batch_no": number})
        assert caught.value.code == code


def test_parts_that_are_rounded_up_never_come_to_more_than_there_is(emulator):
    assert paid(emulator, total_fee=None, rmb_fee="0.10", currency="JPY")["total_fee"] == "2"
    for number in ("R1", "R2", "R3"):       # 0.6 yen each, rounded to 1
        assert ask(emulator, number, currency="JPY", return_rmb_amount="0.03", is_sync="Y") == ""
        emulator.advance(3)
    assert [row["amount"] for row in emulator.list_refunds()] == ["1", "1", "0"]
    assert emulator.trade("A1")["to_buyer_fee"] == "0.09"


def test_parts_in_foreign_money_never_come_to_more_yuan_than_there_is(emulator):
    assert paid(emulator, total_fee="3", currency="KRW")["cny"] == "0.02"       # 0.0156
    for number, cny in (("R1", "0.01"), ("R2", "0.01"), ("R3", "0.00")):
        assert ask(emulator, number, currency="KRW", return_amount="1", is_sync="Y") == ""
        emulator.advance(3)
        assert emulator.ledger.get("refunds", out_return_no=number)["cny"] == cny


@settings(max_examples=settings.default.max_examples // 3)
@given(st.data())
def test_the_parts_of_a_payment_add_up_in_both_currencies(data):
    """Whichever currency each part is asked for in, rounding neither makes nor loses money."""
    currency = data.draw(st.sampled_from(["USD", "JPY", "KRW", "GBP"]))
    places = 0 if currency in ("JPY", "KRW") else 2
    fee = data.draw(st.decimals("0.01", "200", places=2))
    total, cny = order_amounts({"rmb_fee": str(fee)}, currency)
    trade = {"total_fee": total, "cny": cny, "currency": currency, "refunded": "0", "refunded_cny": "0"}
    for _ in range(data.draw(st.integers(0, 6))):
        left = Decimal(cny) - Decimal(trade["refunded_cny"])
        left_foreign = Decimal(total) - Decimal(trade["refunded"])
        in_yuan = data.draw(st.booleans())
        most, smallest = (left, "0.01") if in_yuan else (left_foreign, "1" if places == 0 else "0.01")
        if most < Decimal(smallest):
            continue
        part = data.draw(st.decimals(smallest, most, places=2 if in_yuan else places))
        amount, yuan = refund_amounts(trade, {"return_rmb_amount" if in_yuan else "return_amount": str(part)})
        assert (yuan if in_yuan else amount) == part and amount >= 0 and yuan >= 0
        assert amount == amount.quantize(Decimal(1).scaleb(-places))
        trade["refunded"] = str(Decimal(trade["refunded"]) + amount)
        trade["refunded_cny"] = str(Decimal(trade["refunded_cny"]) + yuan)
        assert Decimal(trade["refunded"]) <= Decimal(total) and Decimal(trade["refunded_cny"]) <= Decimal(cny)
    left = Decimal(cny) - Decimal(trade["refunded_cny"])
    if left:
        amount, yuan = refund_amounts(trade, {"return_rmb_amount": str(left)})
        assert (Decimal(trade["refunded"]) + amount, Decimal(trade["refunded_cny"]) + yuan) == (
            Decimal(total), Decimal(cny))


def test_the_partner_is_part_of_a_refunds_number(emulator):
    paid(emulator)
    emulator.place("B1", merchant="rsa")
    emulator.pay("B1")
    emulator.refund("A1", "1.00", out_return_no="R1")
    assert emulator.refund("B1", "1.00", out_return_no="R1")["partner"] != MD5
