"""Two gateways over one ledger: an order belongs to the one that made it; files, restarts and recordings hold both."""
import sqlite3

import pytest

from alipay_mapi.emulator.ledger import Ledger
from alipay_mapi.emulator.recorder import recorder_of, replay
from alipay_mapi.errors import GatewayError, InvalidRequest
from ams_setup import ACK, AMS_KEYS, PRODUCTION, Acknowledging, Shop, ams
from core_setup import MD5, client


def test_each_gateway_finds_its_own_orders_alone():
    with ams() as emulator:
        shop = Shop(emulator)
        shop.place("P1")
        emulator.pay("P1")
        emulator.place("M1")
        emulator.pay("M1")
        for number in ("P1", emulator.payment("P1")["payment_id"]):
            with pytest.raises(GatewayError, match="TRADE_NOT_EXIST"):
                client(emulator).single_trade_query(out_trade_no=number)
        for ids in (dict(paymentRequestId="M1"), dict(paymentId=emulator.trade("M1")["trade_no"])):
            assert shop.inquiryPayment(**ids).code == shop.cancel(**ids).code == "ORDER_NOT_EXIST"
        with pytest.raises(GatewayError, match="PURCHASE_TRADE_NOT_EXIST"):
            client(emulator).forex_refund(out_return_no="R1", out_trade_no="P1", currency="USD", return_amount="1.00",
                                          gmt_return="2026-03-01 12:00:00", is_sync="Y")
        assert [row["out_trade_no"] for row in emulator.list_trades()] == ["M1"]
        assert [row["payment_request_id"] for row in emulator.list_payments()] == ["P1"]


def test_a_number_that_both_have_is_ambiguous_for_people_and_for_nobody_else():
    with ams() as emulator:
        Shop(emulator).place("A1")
        emulator.place("A1")
        for act in (emulator.pay, emulator.close_trade, emulator.refund):
            with pytest.raises(InvalidRequest, match="client id"):
                act("A1")
        with pytest.raises(InvalidRequest, match="client id"):
            emulator.pay_later("A1", 1)
        assert emulator.pay("A1", partner=MD5)["trade_status"] == "TRADE_FINISHED"
        assert Shop(emulator).status("A1") == "PROCESSING"
        assert emulator.pay("A1", partner=PRODUCTION)["payment_status"] == "SUCCESS"
        assert emulator.list_notifications()[0]["partner"] == PRODUCTION
        assert len(emulator.deliver()) == 2


def test_lost_is_only_the_notification_of_the_order_that_was_meant():
    with ams() as emulator:
        Shop(emulator).place("A1")
        emulator.place("A1")
        emulator.pay("A1", partner=MD5)
        emulator.pay("A1", partner=PRODUCTION, lose=True)
        assert [one["partner"] for one in emulator.deliver()] == [MD5]


def test_the_control_page_s_reset_forgets_payments_and_keeps_keys_and_settings():
    with ams() as emulator:
        shop = Shop(emulator)
        emulator.ams_settings("md5", pci=True)
        shop.place()
        emulator.reset()
        assert emulator.list_payments() == [] and emulator.ams_requests() == [] and emulator.next_due() is None
        assert emulator.ams_client("md5").setting("pci") and shop.place().code == "PAYMENT_IN_PROCESS"


def test_a_file_keeps_payments_keys_and_notifications_across_a_restart(tmp_path):
    state = str(tmp_path / "state.db")
    with ams(Acknowledging((0, "")), state=state) as emulator:
        shop = Shop(emulator)
        shop.place()
        emulator.pay("P1")
        emulator.deliver()
        number = emulator.payment("P1")["payment_id"]
    address = Acknowledging()
    with ams(address, state=state, keys={}) as emulator:      # the keys are the file's
        shop = Shop(emulator)
        assert shop.inquiryPayment(paymentRequestId="P1").said["paymentId"] == number
        emulator.advance(120)
        assert [one["paymentId"] for one in address.contents()] == [number]


def test_a_file_of_the_schema_before_ams_gets_its_tables(tmp_path):
    path = str(tmp_path / "old.db")
    Ledger(path).close()
    with sqlite3.connect(path) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'ams%' AND type='table'"
                                         ).fetchall():
            database.execute("DROP TABLE " + table)
        database.execute("UPDATE meta SET value='1' WHERE name='schema'")
    database.close()
    with ams(state=path) as emulator:
        assert emulator.ledger.meta("schema") == "2"
        assert Shop(emulator).place().code == "PAYMENT_IN_PROCESS"
        emulator.place("M1")
    Ledger(path).close()


def test_a_recording_of_both_gateways_is_played_back_with_the_same_results():
    with ams() as emulator:
        started = recorder_of(emulator).start()
        shop = Shop(emulator)
        shop.place("P1")
        shop.place("P2", "0")
        emulator.place("M1")
        emulator.pay("M1")
        emulator.advance(60)
        emulator.pay("P1")
        emulator.deliver()
        shop.refund(refundRequestId="R1", paymentId=emulator.payment("P1")["payment_id"],
                    refundAmount={"currency": "USD", "value": "400"})
        shop.inquiryPayment(paymentRequestId="P1")
        lines = recorder_of(emulator).lines()
        assert started["recording"]
    with ams() as again:
        told = replay(again, lines)
        assert (told.requests, told.differences) == (4, [])
        assert again.payment("P1")["refunded"] == 400 and told.notifications == 2
        with pytest.raises(InvalidRequest, match="orders already"):
            replay(again, lines)
    with ams(notify_url="https://elsewhere.test") as other:
        other.ams_settings("md5", not_contracted=["ALIPAY_CN"])
        assert [one.now for one in replay(other, lines).differences][0] == "INVALID_CONTRACT"
    with ams(keys={name: pair for name, pair in AMS_KEYS.items() if "shop" not in name}) as stranger:
        with pytest.raises(InvalidRequest, match="other keys"):
            replay(stranger, lines)


def test_an_ack_of_the_other_gateway_is_none():
    """``success`` means nothing to AMS, its JSON nothing to MAPI."""
    with ams(Acknowledging((200, " success"), (200, ACK))) as emulator:
        Shop(emulator).place()
        emulator.pay("P1")
        emulator.place("M1")
        emulator.pay("M1")
        assert [one["acknowledged"] for one in emulator.deliver()] == [False, False]
