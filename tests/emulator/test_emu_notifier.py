"""Notifications: what is in them, when they are sent, and how often."""
import hashlib
import json
import os
import subprocess
import sys
import threading
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from core_setup import KEYS, MD5, NOTIFY, Address, at, client, form, gateway

from alipay_mapi import verify_notify
from alipay_mapi.emulator import Emulator, Refused
from alipay_mapi.emulator.notifier import Answered

FAIL = (200, "fail")
GAPS = (120, 600, 600, 3600, 7200, 21600, 54000)


def paid(emulator, number="A1", **params):
    emulator.place(number, **params)
    return emulator.pay(number)


def state(emulator, number="A1"):
    return emulator.list_notifications(number)[0]["state"]


def md5_sign(params, key, codec="utf-8"):
    text = "&".join("{}={}".format(name, params[name]) for name in sorted(params)
                    if name not in ("sign", "sign_type") and params[name])
    return hashlib.md5((text + key).encode(codec)).hexdigest()


# --- what is in them ----------------------------------------------------------------------------------------------

def test_a_cross_border_payment_is_notified_in_the_ten_fields_that_were_captured(fixtures):
    with open(str(fixtures / "notifications" / "forex-notify-md5-2018.json"), encoding="utf-8") as file:
        captured = form(json.load(file)["raw"].encode("ascii"))
    address = Address()
    with gateway(address) as emulator:
        row = paid(emulator, total_fee="8.00")
        emulator.deliver()
        sent = address.forms()[0]
        assert len(sent) == 10 and set(sent) == set(captured)
        assert sent == dict(
            currency="USD", notify_type="trade_status_sync", out_trade_no="A1", sign_type="MD5", total_fee="8.00",
            trade_no=row["trade_no"], trade_status="TRADE_FINISHED", notify_time=at(), notify_id=sent["notify_id"],
            sign=md5_sign(sent, emulator.merchant("md5").shop_keys()["md5_key"]))
        assert len(sent["notify_id"]) == 34


def test_a_mainland_payment_is_notified_in_the_fields_that_were_captured(fixtures):
    with open(str(fixtures / "notifications" / "alipay-sandbox-direct-notify.json"), encoding="utf-8") as file:
        captured = form(json.load(file)["raw"].encode("ascii"))
    address = Address()
    with gateway(address) as emulator:
        paid(emulator, service="create_direct_pay_by_user", payment_type="1")
        emulator.deliver()
        assert set(address.forms()[0]) == set(captured)
        assert address.forms()[0]["trade_status"] == "TRADE_SUCCESS"


@pytest.mark.parametrize("name, digest", [("rsa", "-sha1"), ("rsa2", "-sha256"), ("dsa", "-sha1")])
def test_openssl_finds_the_gateways_sign_good(tmp_path, name, digest):
    import base64
    address = Address()
    with gateway(address) as emulator:
        paid(emulator, merchant=name, subject="茶")
        emulator.deliver()
        sent = address.forms()[0]
        paths = [str(tmp_path / part) for part in ("key", "sign", "text")]
        text = "&".join("{}={}".format(field, sent[field]) for field in sorted(sent)
                        if field not in ("sign", "sign_type"))
        for path, content in zip(paths, (emulator.merchant(name).shop_keys()["alipay_public_key"].encode("ascii"),
                                         base64.b64decode(sent["sign"]), text.encode("utf-8"))):
            with open(path, "wb") as file:
                file.write(content)
        done = subprocess.run(["openssl", "dgst", digest, "-verify", paths[0], "-signature", paths[1], paths[2]],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert b"Verified OK" in done.stdout


def test_a_gbk_shop_is_notified_in_gbk():
    address = Address()
    with gateway(address) as emulator:
        row = emulator.trades.place(MD5, "create_direct_pay_by_user", {
            "out_trade_no": "A1", "subject": "茶", "total_fee": "1.00", "_input_charset": "GBK"})
        emulator.trades.pay(row)
        emulator.deliver()
        assert address.got[0].content_type == "application/x-www-form-urlencoded; text/html; charset=GBK"
        sent = form(address.got[0].body, "gbk")
        assert sent["subject"] == "茶"
        assert sent["sign"] == md5_sign(sent, emulator.merchant("md5").shop_keys()["md5_key"], "gbk")


def test_the_seller_is_the_orders_seller_only_if_it_is_a_number_of_alipay():
    address = Address()
    with gateway(address) as emulator:
        for number, seller in (("A1", "13800000000"), ("A2", "2088000000000555"), ("A3", "shop@example.com")):
            row = emulator.trades.place(MD5, "mobile.securitypay.pay", {
                "out_trade_no": number, "subject": "Tea", "total_fee": "1.00", "seller_id": seller})
            emulator.trades.pay(row)
        emulator.deliver()
        assert [one["seller_id"] for one in address.forms()] == [MD5, "2088000000000555", MD5]


# --- when, and how often ------------------------------------------------------------------------------------------

def test_what_is_not_acknowledged_is_sent_eight_times_within_24_hours_and_22_minutes():
    address = Address(*[FAIL] * 20)
    with gateway(address) as emulator:
        paid(emulator)
        done = emulator.advance(3 * 86400)
        moments = [row["at"] for row in done]
        assert moments == [at(seconds=sum(GAPS[:turn])) for turn in range(8)]
        assert moments[-1] == at(hours=24, minutes=22)
        assert state(emulator) == "given up" and emulator.notifier.next_due() is None
        forms = address.forms()
        assert len({one["notify_id"] for one in forms}) == 1
        assert [one["notify_time"] for one in forms] == moments and len({one["sign"] for one in forms}) == 8


def test_the_gaps_can_be_those_of_the_mainland_pages():
    with gateway(Address(*[FAIL] * 9)) as emulator:
        emulator.notifier.schedule = tuple(timedelta(minutes=gap) for gap in (4, 10))
        paid(emulator)
        assert [row["at"] for row in emulator.advance(86400)] == [at(), at(minutes=4), at(minutes=14)]
        assert state(emulator) == "given up"


@pytest.mark.parametrize("answer, acknowledged", [
    ((200, "success"), True), ((200, " Success\r\n"), True), ((200, "SUCCESS"), True), ((200, "successful"), False),
    ((200, "<b>success</b>"), False), ((200, ""), False), ((200, "\ufeffsuccess"), False), ((201, "success"), False),
    ((302, "success"), False), ((500, "success"), False), ((0, "no answer: ConnectTimeout"), False)])
def test_only_a_200_with_the_word_success_ends_it(answer, acknowledged):
    with gateway(Address(answer)) as emulator:
        paid(emulator)
        assert emulator.deliver()[0]["acknowledged"] is acknowledged
        assert state(emulator) == ("acknowledged" if acknowledged else "queued")


def test_a_payment_is_notified_exactly_once_when_it_is_acknowledged():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator)
        emulator.advance(30 * 86400)
        assert len(address.got) == 1


def test_the_end_of_the_refund_window_is_notified_once():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator, service="create_direct_pay_by_user", payment_type="1")
        emulator.advance(400 * 86400)
        assert address.statuses() == ["TRADE_SUCCESS", "TRADE_FINISHED"]
        first, second = address.forms()
        assert first["notify_id"] != second["notify_id"] and second["gmt_close"] == at(days=90)


def test_the_closing_of_an_unpaid_trade_is_notified_only_if_the_merchant_has_it_so():
    address = Address()
    with gateway(address) as emulator:
        for number in ("A1", "A2"):
            emulator.place(number, service="create_direct_pay_by_user", payment_type="1")
            emulator.log_in(number)
            emulator.close_trade(number)
            emulator.settings("md5", notify_closed=True)
        emulator.deliver()
        assert [one["out_trade_no"] for one in address.forms()] == ["A2"]


def test_an_order_without_an_address_is_not_notified_and_its_own_address_wins():
    address = Address()
    with gateway(address, notify_url="") as emulator:
        paid(emulator, "A1")
        paid(emulator, "A2", notify_url="https://shop.test/own")
        emulator.deliver()
        assert [one.url for one in address.got] == ["https://shop.test/own"]


def test_notifications_are_sent_in_the_order_in_which_they_became_due():
    address = Address()
    with gateway(address) as emulator:
        for number in ("A3", "A1", "A2"):
            paid(emulator, number)
        emulator.deliver()
        assert [one["out_trade_no"] for one in address.forms()] == ["A3", "A1", "A2"]


def test_pay_but_lose_the_notification():
    address = Address()
    with gateway(address) as emulator:
        emulator.place("A1")
        emulator.pay("A1", lose=True)
        emulator.advance(5 * 86400)
        assert address.got == [] and state(emulator) == "lost"
        assert emulator.resend(emulator.list_notifications("A1")[0]["notify_id"])
        emulator.deliver()
        assert len(address.got) == 1 and state(emulator) == "acknowledged"


def test_one_can_be_sent_again_whatever_became_of_it():
    address = Address(*[FAIL] * 8)
    with gateway(address) as emulator:
        paid(emulator)
        emulator.advance(2 * 86400)
        notify_id = emulator.list_notifications("A1")[0]["notify_id"]
        assert emulator.resend(notify_id) and emulator.resend("nobody's") is False
        emulator.deliver()
        assert len(address.got) == 9 and state(emulator) == "acknowledged"


def test_the_id_of_a_browsers_return_is_never_sent():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator, service="create_direct_pay_by_user", payment_type="1", return_url="https://shop.test/back")
        emulator.deliver()
        emulator.return_url("A1")
        returned = [row for row in emulator.list_notifications() if row["event"] == "return"][0]
        assert emulator.resend(returned["notify_id"]) is False
        emulator.advance(86400)
        assert len(address.got) == 1


# --- a sender that calls back, fails, or is killed ----------------------------------------------------------------

def test_the_shop_may_ask_the_gateway_and_refund_while_it_is_being_notified():
    seen = []

    def shop(delivery):
        note = verify_notify(emulator.shop("rsa"), delivery.body, delivery.content_type,
                             confirm=client(emulator, "rsa").notify_verify)
        seen.append((note.get("refund_status") or note["trade_status"], emulator.deliver()))
        if not note.is_refund:
            emulator.refund("A1", "1.00", notify_url=NOTIFY)
        return Answered(200, "success")

    with gateway(shop) as emulator:
        paid(emulator, merchant="rsa")
        emulator.deliver()
        assert seen == [("TRADE_FINISHED", []), ("REFUND_SUCCESS", [])]
        assert [row["state"] for row in emulator.list_notifications()] == ["acknowledged"] * 2


def test_delivering_from_within_a_delivery_sends_nothing_twice():
    got = []

    def shop(delivery):
        got.append(delivery.out_trade_no)
        emulator.deliver()
        return Answered(200, "success")

    with gateway(shop) as emulator:
        for number in ("A1", "A2", "A3"):
            paid(emulator, number)
        emulator.deliver()
        assert got == ["A1", "A2", "A3"]


def test_four_threads_that_deliver_at_once_send_each_once():
    got = []

    def shop(delivery):
        got.append(delivery.out_trade_no)
        return Answered(200, "success")

    with gateway(shop) as emulator:
        for number in range(40):
            paid(emulator, "A{}".format(number))
        threads = [threading.Thread(target=emulator.deliver) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(got) == sorted("A{}".format(number) for number in range(40))
        assert emulator.ledger.count("notifications", state="acknowledged") == 40


@pytest.mark.parametrize("failure", [RuntimeError("the shop's own bug"), KeyboardInterrupt()])
def test_a_sender_that_raises_leaves_the_notification_to_be_sent_again(failure):
    address, failures = Address(), [failure]

    def sender(delivery):
        if failures:
            raise failures.pop()
        return address(delivery)

    with gateway(sender) as emulator:
        paid(emulator)
        with pytest.raises(type(failure)):
            emulator.deliver()
        assert state(emulator) == "queued"
        emulator.advance(119)
        assert address.got == []
        emulator.advance(1)
        assert len(address.got) == 1


def test_what_was_being_sent_when_the_process_died_is_sent_again(tmp_path):
    path, address = str(tmp_path / "ledger"), Address()
    with gateway(state=path) as emulator:
        paid(emulator)
        assert emulator.notifier._claim()["state"] == "sending"     # and here it is killed
    with gateway(address, state=path) as emulator:
        emulator.deliver()
        assert len(address.got) == 1 and state(emulator) == "acknowledged"


def test_a_gateway_that_is_killed_while_it_sends_has_lost_nothing(tmp_path, checkout):
    path, address = str(tmp_path / "ledger"), Address()
    script = ("import os, signal, sys\nfrom alipay_mapi.emulator import Emulator\n"
              "emulator = Emulator(sys.argv[1], notify_url='https://shop.test/notify', seed=1,\n"
              "                    sender=lambda delivery: os.kill(os.getpid(), signal.SIGKILL))\n"
              "emulator.place('A1')\nemulator.pay('A1')\nemulator.deliver()\n")
    done = subprocess.run([sys.executable, "-c", script, path], cwd=str(checkout), timeout=60,
                          env=dict(os.environ, PYTHONPATH=str(checkout)))
    assert done.returncode == -9
    with gateway(address, state=path, start=None, frozen=False) as emulator:
        emulator.deliver()
        assert address.statuses() == ["TRADE_FINISHED"] and state(emulator) == "acknowledged"
        assert emulator.list_notifications("A1")[0]["attempts"] == 2


def test_one_that_is_sent_again_by_hand_while_it_is_under_way_is_sent_again():
    got = []

    def shop(delivery):
        got.append(delivery.notify_id)
        if len(got) == 1:
            emulator.resend(delivery.notify_id)
        return Answered(200, "success")

    with gateway(shop) as emulator:
        paid(emulator)
        emulator.deliver()
        assert len(got) == 2 and state(emulator) == "acknowledged"


def test_a_reset_during_a_delivery_harms_nobody():
    def shop(delivery):
        emulator.reset()
        return Answered(200, "success")

    with gateway(shop) as emulator:
        paid(emulator)
        emulator.deliver()
        assert emulator.list_notifications() == []


def test_a_clock_that_goes_back_delays_and_repeats_nothing():
    address = Address(FAIL)
    with gateway(address) as emulator:
        paid(emulator)
        emulator.deliver()
        emulator.clock.move(-3600)
        assert emulator.deliver() == []
        emulator.advance(3600 + 120)
        assert len(address.got) == 2


# --- notify_verify ------------------------------------------------------------------------------------------------

def test_notify_verify_knows_an_id_for_a_minute_after_each_send():
    address = Address(FAIL, FAIL)
    with gateway(address) as emulator:
        paid(emulator)
        ask = client(emulator).notify_verify
        notify_id = emulator.list_notifications("A1")[0]["notify_id"]
        assert ask(notify_id) is False      # not sent yet
        emulator.deliver()
        emulator.clock.move(60)
        assert ask(notify_id) is True and client(emulator, "rsa").notify_verify(notify_id) is False
        emulator.clock.move(1)
        assert ask(notify_id) is False
        emulator.advance(59)
        assert ask(notify_id) is True       # sent again
        emulator.advance(600)
        assert ask(notify_id) is False      # acknowledged


def test_the_id_of_a_return_is_known_for_its_minute_and_keeps_its_percent_signs():
    with gateway() as emulator:
        paid(emulator, service="create_direct_pay_by_user", payment_type="1", return_url="https://shop.test/back?a=1")
        url = emulator.return_url("A1")
        assert url.startswith("https://shop.test/back?a=1&")
        notify_id = form(url.partition("?")[2].encode("ascii"))["notify_id"]
        assert "%2F" in notify_id and client(emulator).notify_verify(notify_id) is True
        emulator.clock.move(61)
        assert client(emulator).notify_verify(notify_id) is False
        assert form(emulator.return_url("A1").partition("?")[2].encode("ascii"))["notify_id"] != notify_id


def test_no_repr_shows_a_sign_or_a_buyer():
    address = Address()
    with gateway(address) as emulator:
        paid(emulator, service="create_direct_pay_by_user", payment_type="1")
        emulator.deliver()
        client(emulator).single_trade_query(out_trade_no="A1")
        sign = address.forms()[0]["sign"]
        secrets = [sign, "buyer1", emulator.merchant("md5").shop_keys()["md5_key"],
                   emulator.requests()[0].outcome.params["sign"]]
        shown = repr([address.got, emulator.requests(), emulator.merchant("md5"), emulator.merchant("md5").signer,
                      emulator.gateway, emulator, emulator.faults.armed(), emulator.requests()[0].outcome.reply])
        assert not [secret for secret in secrets if secret in shown]
        with pytest.raises(Refused) as caught:
            emulator.visit("https://x.test/gateway.do?service=create_forex_trade&partner={}&sign_type=MD5&sign={}".format(
                MD5, "0" * 32))
        assert "0" * 32 not in repr(caught.value)


def test_key_pairs_are_shared_and_what_a_ledger_has_of_its_own_wins(tmp_path):
    path = str(tmp_path / "ledger")
    with gateway(state=path, keys=None) as own, gateway() as one, gateway(seed=9) as two:
        assert one.merchant("rsa").shop_keys() == two.merchant("rsa").shop_keys() != own.merchant("rsa").shop_keys()
        assert one.merchant("md5").shop_keys() != two.merchant("md5").shop_keys()       # drawn from the seed
        kept = own.merchant("rsa").shop_keys()
    with gateway(state=path) as again:
        assert again.merchant("rsa").shop_keys() == kept
    assert "shop:2088000000000102" in KEYS


@pytest.mark.parametrize("asked", ["as it is", "encoded again"])
def test_a_returns_id_is_known_in_both_spellings_of_the_pages(asked):
    """The mainland demos put the once-decoded id into the URL, where %2F becomes a slash; the other encodes it."""
    with Emulator(seed=5, frozen=True) as emulator:
        emulator.place("A1", service="create_direct_pay_by_user", return_url="https://shop.example.com/back")
        emulator.pay("A1")
        decoded = dict(parse_qsl(urlsplit(emulator.return_url("A1")).query))["notify_id"]
        arrives = unquote(decoded) if asked == "as it is" else decoded
        partner = emulator.merchant("md5").partner
        assert emulator.notifier.confirms(partner, arrives)
        assert not emulator.notifier.confirms(partner, arrives + "x")
        emulator.advance(61)
        assert not emulator.notifier.confirms(partner, arrives)
