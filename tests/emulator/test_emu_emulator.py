"""The one object: a shop's whole way through it, time, observers, and the ledger after a restart."""
import json
import logging
from datetime import datetime, timedelta, timezone

import pytest
from core_setup import MD5, NOTIFY, START, Address, at, client, form, gateway

from alipay_mapi import Order, build_request, services, verify_notify
from alipay_mapi.emulator import BUYERS, Emulator, Refused
from alipay_mapi.emulator.notifier import Answered
from alipay_mapi.errors import AlipayError, InvalidRequest


def test_a_shops_whole_way_through_it():
    address = Address()
    with gateway(address) as emulator:
        shop = emulator.shop("md5")
        request = build_request(shop, "create_forex_trade", services.create_forex_trade(
            out_trade_no="A1", subject="Tea", currency="USD", total_fee="12.30", return_url="https://shop.test/back"))
        assert emulator.visit(request.url)["trade_status"] == "NO_TRADE"
        emulator.pay("A1")
        emulator.deliver()
        note = verify_notify(shop, address.got[0].body, address.got[0].content_type,
                             order=Order("A1", total_fee="12.30", currency="USD"))
        assert note.is_paid
        back = form(emulator.return_url("A1").partition("?")[2].encode("ascii"))
        assert set(back) == {"out_trade_no", "total_fee", "trade_status", "trade_no", "currency", "sign", "sign_type"}
        assert client(emulator).single_trade_query(out_trade_no="A1")["total_fee"] == "87.33"
        assert [logged.outcome.service for logged in emulator.requests()] == [
            "create_forex_trade", "single_trade_query"]


def test_a_browser_that_is_refused_is_told_why():
    with gateway() as emulator:
        request = build_request(emulator.shop("md5"), "create_forex_trade", services.create_forex_trade(
            out_trade_no="A1", subject="Tea", currency="USD", total_fee="1.00"))
        with pytest.raises(Refused) as caught:
            emulator.visit(request.url.replace("total_fee=1.00", "total_fee=0.01"))
        assert caught.value.code == "ILLEGAL_SIGN"
        query = build_request(emulator.shop("md5"), "single_trade_query", {"out_trade_no": "A1"})
        emulator.visit(request.url)
        emulator.pay("A1")
        with pytest.raises(InvalidRequest, match="servers"):
            emulator.visit(query.url)


def test_time_passes_event_by_event():
    """What becomes due on the way happens at its own moment, in order."""
    address = Address((500, ""))
    with gateway(address) as emulator:
        emulator.place("A1", timeout_rule="5m")
        emulator.pay_later("A1", 60)
        emulator.place("A2", timeout_rule="5m")
        emulator.log_in("A2")
        done = emulator.advance(3600)
        assert [(row["out_trade_no"], row["at"]) for row in done] == [("A1", at(seconds=60)), ("A1", at(seconds=180))]
        assert emulator.trade("A2")["gmt_close"] == at(minutes=5)
        assert emulator.clock.now() == START + timedelta(hours=1) and emulator.next_due() is None


@pytest.mark.parametrize("seconds", [-1, "1", None, True, float("nan"), float("inf"), 1e300])
def test_only_time_that_can_pass_passes(seconds):
    with gateway() as emulator:
        for call in (emulator.advance, lambda given: emulator.pay_later("A1", given)):
            with pytest.raises(InvalidRequest, match="seconds"):
                call(seconds)


def test_the_clock_can_be_set_by_a_text_or_an_aware_time():
    with gateway() as emulator:
        assert emulator.set_time("2026-05-01 00:00:00").isoformat() == "2026-05-01T00:00:00+08:00"
        assert emulator.set_time(datetime(2026, 6, 1, tzinfo=timezone.utc)).isoformat() == "2026-06-01T08:00:00+08:00"
        for wrong in (datetime(2026, 1, 1), "tomorrow", 5, None):
            with pytest.raises(InvalidRequest, match="moment"):
                emulator.set_time(wrong)
        assert emulator.resume(1000) and emulator.clock.speed == 1000
        assert emulator.freeze() and emulator.clock.speed == 0


def test_observers_are_told_of_each_call_once_and_of_each_request():
    told = []

    def shop(delivery):
        if not emulator.list_refunds():
            emulator.refund("A1", "1.00", out_return_no="R1")       # a call within a call
        client(emulator).single_trade_query(out_trade_no="A1")
        return Address()(delivery)

    with gateway(shop) as emulator:
        emulator.observers.append(lambda kind, data: told.append((kind, data)))
        emulator.settings("md5", balance="100.00")
        emulator.place("A1", subject="Green tea")
        emulator.log_in("A1", buyer=BUYERS[0].buyer_email)
        emulator.pay("A1", lose=False)
        emulator.deliver()
        emulator.set_time(datetime(2026, 6, 1, tzinfo=timezone.utc))
        emulator.set_rates({"lost": 0.5})
        with pytest.raises(Refused):
            emulator.pay("A1")
        assert [(data["name"], data["arguments"]) for kind, data in told if kind == "call"] == [
            ("settings", {"merchant": "md5", "balance": "100.00"}),
            ("place", {"out_trade_no": "A1", "subject": "Green tea"}),
            ("log_in", {"out_trade_no": "A1", "buyer": BUYERS[0].buyer_email}),
            ("pay", {"out_trade_no": "A1", "lose": False}),
            ("deliver", {}), ("set_time", {"moment": "2026-06-01 08:00:00"}), ("set_rates", {"rates": {"lost": 0.5}}),
            ("pay", {"out_trade_no": "A1"})]
        json.dumps([data for kind, data in told if kind == "call"])
        requests = [data for kind, data in told if kind == "request"]
        assert [data["outcome"].service for data in requests] == ["single_trade_query"] * 2
        assert requests[0]["incoming"].body


@pytest.mark.parametrize("name, arguments", [
    ("settings", ("md5",)), ("place", ("B1",)), ("pay_in_app", ("x",)), ("log_in", ("A1",)), ("pay", ("A1",)),
    ("pay_later", ("A1", 5)), ("close_trade", ("A1",)), ("refund", ("A1",)), ("reset", ()), ("deliver", ()),
    ("advance", (1,)), ("fail", ("lost",)), ("set_rates", ({},)), ("clear_faults", ()), ("resend", ("x",)),
    ("freeze", ()), ("resume", ()), ("set_time", (at(),))])
def test_every_call_that_changes_something_is_told(name, arguments):
    told = []
    with gateway() as emulator:
        emulator.place("A1")
        emulator.observers.append(lambda kind, data: told.append(data["name"]))
        try:
            getattr(emulator, name)(*arguments)
        except AlipayError:
            pass
        assert told == [name]


def test_the_ledger_is_the_same_after_a_restart(tmp_path):
    path = str(tmp_path / "ledger")
    with gateway(Address((500, "")), state=path) as emulator:
        emulator.settings("md5", balance="0.00")
        emulator.place("A1")
        emulator.pay("A1")
        emulator.place("A2")
        emulator.pay_later("A2", 600)
        emulator.refunds.ask(MD5, {"out_return_no": "R1", "out_trade_no": "A1", "currency": "USD",
                                   "return_amount": "1.00", "notify_url": NOTIFY})
        emulator.deliver()
        keys = emulator.merchant("md5").shop_keys()
        before = {table: emulator.ledger.rows(table) for table in ("trades", "refunds", "notifications", "deliveries",
                                                                   "plans", "merchants")}
    address = Address()
    with gateway(address, state=path, seed=99) as emulator:
        assert {table: emulator.ledger.rows(table) for table in before} == before
        assert emulator.merchant("md5").shop_keys() == keys and emulator.merchant("md5").setting("balance") == "0.00"
        emulator.settings("md5", balance=None)
        emulator.advance(6 * 3600)
        assert sorted(address.statuses()) == ["REFUND_SUCCESS", "TRADE_FINISHED", "TRADE_FINISHED"]


def test_reset_forgets_everything_but_the_merchants_and_the_time():
    with gateway() as emulator:
        emulator.settings("md5", own_timeouts=False)
        keys = emulator.merchant("md5").shop_keys()
        emulator.place("A1")
        emulator.pay_later("A1", 5)
        emulator.fail("lost")
        emulator.advance(1)
        client(emulator).single_trade_query(out_trade_no="A1")
        emulator.reset()
        assert emulator.list_trades() == emulator.list_notifications() == emulator.requests() == []
        assert not emulator.faults.waiting and emulator.next_due() is None
        assert emulator.merchant("md5").shop_keys() == keys and emulator.clock.now() == START + timedelta(seconds=1)
        emulator.place("A1")
        assert emulator.pay("A1")["trade_status"] == "TRADE_FINISHED"


@pytest.mark.parametrize("call, parameter", [
    (lambda e: e.merchant("nobody"), "merchant"), (lambda e: e.settings("md5", colour="red"), "colour"),
    (lambda e: e.settings("md5", balance="a lot"), "balance"), (lambda e: e.settings("md5", balance=5), "balance"),
    (lambda e: e.settings("md5", closed="all"), "closed"), (lambda e: e.settings("md5", closed=[1]), "closed"),
    (lambda e: e.settings("md5", own_timeouts="no"), "own_timeouts"), (lambda e: e.pay("A9"), "out_trade_no"),
    (lambda e: e.pay("A1", buyer="nobody"), "buyer"), (lambda e: e.place("A 1"), "out_trade_no"),
    (lambda e: e.place("A2", total_fee="1.001"), "total_fee"), (lambda e: e.place("A2", service="x"), "service"),
    (lambda e: e.place("A2", service="forex_refund"), "service")])
def test_a_call_that_cannot_be_is_refused_and_names_what_is_wrong(call, parameter):
    with gateway() as emulator:
        emulator.place("A1")
        with pytest.raises(InvalidRequest) as caught:
            call(emulator)
        assert caught.value.parameter == parameter


def test_nothing_secret_is_logged_or_raised(caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    with gateway(Address((500, ""))) as emulator:
        key = emulator.merchant("md5").shop_keys()["md5_key"]
        emulator.place("A1")
        emulator.pay("A1")
        emulator.deliver()
        client(emulator).single_trade_query(out_trade_no="A1")
        shown = caplog.text + repr(emulator) + repr(emulator.merchants) + str(emulator.requests())
        assert key not in shown and emulator.requests()[0].outcome.params["sign"] not in shown


def test_without_a_seed_everything_is_drawn_anew():
    with Emulator(frozen=True) as one, Emulator(frozen=True) as two:
        assert one.merchant("md5").shop_keys() != two.merchant("md5").shop_keys()
        first, second = [each.place("A1") and each.pay("A1")["trade_no"] for each in (one, two)]
        assert first != second


def test_a_browser_is_kept_from_what_is_answered_to_servers_before_it_happens():
    with Emulator(seed=5, frozen=True) as emulator:
        emulator.place("A1")
        emulator.pay("A1")
        shop = emulator.shop("md5")
        refund = build_request(shop, "forex_refund", services.forex_refund(
            out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="1.00",
            gmt_return="2026-01-01 00:00:00"))
        with pytest.raises(InvalidRequest):
            emulator.visit(refund.url)
        assert emulator.list_refunds() == []


def test_visiting_a_batch_page_gives_the_batch():
    with Emulator(seed=5, frozen=True) as emulator:
        emulator.place("A1", service="create_direct_pay_by_user", total_fee="5.00")
        trade_no = emulator.pay("A1")["trade_no"]
        today = emulator.clock.now()
        number = today.strftime("%Y%m%d") + "001"
        batch = emulator.visit(build_request(emulator.shop("md5"), "refund_fastpay_by_platform_pwd", {
            "seller_email": "md5@shop.example.com", "seller_user_id": "2088000000000101",
            "refund_date": today.strftime("%Y-%m-%d %H:%M:%S"), "batch_no": number, "batch_num": "1",
            "detail_data": trade_no + "^1.00^spoiled"}).url)
        assert batch["batch_no"] == number
        assert emulator.trade("A1")["to_buyer_fee"] == "1.00"


@pytest.mark.parametrize("address, where", [
    ("https://s.test/back", "https://s.test/back?out_trade_no="),
    ("https://s.test/back?x=1", "https://s.test/back?x=1&out_trade_no="),
    ("https://s.test/back?", "https://s.test/back?out_trade_no="),
    ("https://s.test/?x=1#top", "https://s.test/?x=1&out_trade_no=")])
def test_the_return_stands_behind_the_shops_own_query_and_before_a_fragment(address, where):
    with Emulator(seed=5, frozen=True) as emulator:
        emulator.place("A1", return_url=address)
        emulator.pay("A1")
        url = emulator.return_url("A1")
        assert url.startswith(where) and url.endswith("#top") == address.endswith("#top")


@pytest.mark.parametrize("call, parameter", [
    (lambda e: e.visit("http://[::1"), "url"), (lambda e: e.visit(None), "url"),
    (lambda e: e.trade("\ud800"), "out_trade_no"), (lambda e: e.trade(10 ** 30), "out_trade_no"),
    (lambda e: e.pay("A1", partner=["x"]), "partner"), (lambda e: e.set_rates(None), "rates"),
    (lambda e: e.pay_in_app(None), "order_string"),
    (lambda e: e.refund("A1", out_return_no="x" * 5000), "out_return_no"),
    (lambda e: e.refund("A1", notify_url="javascript:x"), "notify_url"),
    (lambda e: e.settings("md5", closed=["create_forex_trad"]), "closed"),
    (lambda e: e.fail("lost", service="payed"), "service")])
def test_a_call_that_cannot_be_meant_is_refused_by_name(call, parameter):
    with Emulator(seed=5, frozen=True) as emulator:
        emulator.place("A1")
        emulator.pay("A1")
        with pytest.raises(InvalidRequest) as caught:
            call(emulator)
        assert caught.value.parameter == parameter
        assert emulator.list_refunds() == []


def test_a_reset_in_the_middle_of_a_delivery_is_no_error():
    emulator = Emulator(seed=5, frozen=True, notify_url="https://s.test/n",
                        sender=lambda delivery: emulator.reset() or Answered(200, "success"))
    with emulator:
        emulator.place("A1")
        emulator.pay("A1")
        assert len(emulator.deliver()) == 1
        assert emulator.list_notifications() == [] and emulator.deliver() == []


def test_the_state_file_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "gateway.db"
    with Emulator(str(path)) as emulator:
        emulator.shop("md5")
    assert path.stat().st_mode & 0o077 == 0


def test_a_browsers_request_that_cannot_be_read_is_in_the_log_all_the_same():
    with Emulator(seed=5, frozen=True) as emulator:
        with pytest.raises(Refused):
            emulator.visit("https://mapi.emulator.test/gateway.do?a=1&a=2")
        assert [logged.outcome.error for logged in emulator.requests()] == ["ILLEGAL_ARGUMENT"]
