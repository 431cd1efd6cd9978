"""Faults by name and by share: what a client sees of each, and that the genuine twin is accepted."""
import pytest
from core_setup import MD5, NOTIFY, Address, at, client, form, gateway

from alipay_mapi import GatewayError, InvalidMessage, OutcomeUnknown, TransportError, errors, verify_notify
from alipay_mapi.emulator import Refused, broken
from alipay_mapi.emulator.faults import ANSWER_FAULTS, NOTIFICATION_FAULTS, Faults
from alipay_mapi.errors import InvalidRequest

#: way → what verify_notify raises. Every shop that checks the sign is safe from all of them.
REFUSED_NOTIFICATIONS = {
    "forged": errors.SignatureInvalid,
    "stale-key": errors.SignatureInvalid,
    "tampered": errors.SignatureInvalid,
    "re-cut": errors.AmbiguousContent,
    "unsigned": errors.SignatureMissing,
    "wrong-charset": errors.SignatureInvalid,
    "other-sign-type": errors.SignTypeMismatch,
}
#: fault of an answer → what a query raises, and its code.
REFUSED_ANSWERS = {
    "http-500": (TransportError, None),
    "html-200": (TransportError, None),
    "redirect": (TransportError, None),
    "system-error": (GatewayError, "SYSTEM_ERROR"),
    "trade-not-exist": (GatewayError, "TRADE_NOT_EXIST"),
    "unsigned-paid": (errors.ResponseSignatureMissing, None),
    "answer-tampered": (errors.ResponseSignatureInvalid, None),
    "answer-forged": (errors.ResponseSignatureInvalid, None),
}
#: What the connection does is seen over a socket only (test_server): here, what the server is told to do.
OF_THE_CONNECTION = ("slow", "reset", "half-answer")
#: When a notification comes, and how often.
OF_THE_TIME = ("lost", "late", "twice", "out-of-order")


def paid(emulator, number="A1", **params):
    emulator.place(number, **params)
    return emulator.pay(number)


def test_every_fault_is_in_one_of_these_tables():
    assert set(NOTIFICATION_FAULTS) == set(REFUSED_NOTIFICATIONS) | set(OF_THE_TIME)
    assert set(ANSWER_FAULTS) == set(REFUSED_ANSWERS) | set(OF_THE_CONNECTION) | {"answer-wrong-charset"}


# --- notifications ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("merchant", ["md5", "rsa", "rsa2"])
@pytest.mark.parametrize("service", ["create_forex_trade", "create_direct_pay_by_user"])
@pytest.mark.parametrize("way", sorted(REFUSED_NOTIFICATIONS))
def test_a_broken_notification_is_refused_and_its_genuine_repetition_accepted(way, service, merchant):
    address = Address((200, "fail"))
    with gateway(address) as emulator:
        emulator.fail(way)
        paid(emulator, service=service, merchant=merchant)
        shop = emulator.shop(merchant)
        emulator.deliver()
        first = address.got[0]
        with pytest.raises(errors.AlipayError) as caught:
            verify_notify(shop, first.body, first.content_type)
        assert type(caught.value) is REFUSED_NOTIFICATIONS[way] and first.fault == way
        assert emulator.list_notifications("A1")[0]["fault"] == way
        emulator.advance(120)
        genuine = address.got[1]
        note = verify_notify(shop, genuine.body, genuine.content_type, confirm=lambda notify_id: True)
        assert note["out_trade_no"] == "A1" and note["notify_id"] == form(genuine.body)["notify_id"]


@pytest.mark.parametrize("way", sorted(set(REFUSED_NOTIFICATIONS) - {"unsigned"}))
def test_a_gbk_shop_refuses_them_too(way):
    address = Address()
    with gateway(address) as emulator:
        emulator.fail(way)
        row = emulator.trades.place(MD5, "create_direct_pay_by_user", {
            "out_trade_no": "A1", "subject": "茶", "total_fee": "1.00", "_input_charset": "gbk"})
        emulator.trades.pay(row)
        emulator.deliver()
        with pytest.raises(InvalidMessage) as caught:
            verify_notify(emulator.shop("md5", "gbk"), address.got[0].body, address.got[0].content_type)
        assert type(caught.value) is REFUSED_NOTIFICATIONS[way]


def test_the_former_key_of_the_gateway_is_one_key_and_not_the_forgers():
    with gateway() as emulator:
        one = emulator.merchant("rsa2")
        assert one.former.signing_key is one.former.signing_key
        bodies = {broken.notification(one, {"notify_id": "1"}, "utf-8", way) for way in ("forged", "stale-key", "")}
        assert len(bodies) == 3
        with pytest.raises(InvalidRequest, match="way"):
            broken.notification(one, {"notify_id": "1"}, "utf-8", "burnt")


def test_a_lost_one_is_never_sent():
    address = Address()
    with gateway(address) as emulator:
        emulator.fail("lost")
        paid(emulator)
        emulator.advance(5 * 86400)
        assert address.got == []


def test_a_late_one_is_sent_hours_later():
    address = Address()
    with gateway(address) as emulator:
        emulator.fail("late")
        paid(emulator)
        emulator.advance(3 * 3600 - 1)
        assert address.got == []
        assert [row["at"] for row in emulator.advance(1)] == [at(hours=3)]
        emulator.fail("late", seconds=30)
        paid(emulator, "A2")
        assert emulator.advance(29) == [] and len(emulator.advance(1)) == 1


@pytest.mark.parametrize("answers", [[], [(200, "success"), (500, "")], [(500, ""), (200, "success")]])
def test_one_that_is_sent_twice_is_the_same_both_times_and_one_success_is_enough(answers):
    address = Address(*answers)
    with gateway(address) as emulator:
        emulator.fail("twice")
        paid(emulator)
        emulator.advance(86400)
        assert len(address.got) == 2 and address.got[0].body == address.got[1].body


def test_one_that_is_out_of_order_comes_after_the_next_of_its_trade():
    address = Address()
    with gateway(address) as emulator:
        emulator.fail("out-of-order")
        paid(emulator)
        assert emulator.advance(600) == []
        emulator.refund("A1", "1.00", notify_url=NOTIFY)
        emulator.advance(1)
        assert address.statuses() == ["REFUND_SUCCESS", "TRADE_FINISHED"]
        emulator.advance(86400)
        assert len(address.got) == 2


def test_one_that_is_out_of_order_waits_an_hour_when_nothing_follows():
    with gateway() as emulator:
        emulator.fail("out-of-order")
        paid(emulator)
        assert [row["at"] for row in emulator.advance(86400)] == [at(hours=1)]


def test_one_that_was_out_of_order_and_refused_keeps_to_the_schedule():
    address = Address((500, ""))
    with gateway(address) as emulator:
        emulator.fail("out-of-order", seconds=10)
        paid(emulator)
        emulator.advance(10)
        emulator.refund("A1", "1.00", notify_url=NOTIFY)
        assert [row["at"] for row in emulator.advance(86400)] == [at(seconds=10), at(seconds=130)]


def test_a_fault_meets_so_many_messages_of_so_much():
    with gateway() as emulator:
        emulator.fail("lost", times=2, service="refunded")
        for number in ("A1", "A2", "A3"):
            paid(emulator, number)
            emulator.refund(number, "1.00", notify_url=NOTIFY)
        emulator.deliver()
        assert [(row["out_trade_no"], row["event"]) for row in reversed(emulator.list_notifications())
                if row["state"] == "lost"] == [("A1", "refunded"), ("A2", "refunded")]
        assert emulator.faults.armed() == []


# --- answers ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("merchant", ["md5", "rsa2"])
@pytest.mark.parametrize("name", sorted(REFUSED_ANSWERS))
def test_a_bad_answer_is_the_right_class_of_error_and_the_next_one_is_believed(name, merchant):
    expected, code = REFUSED_ANSWERS[name]
    with gateway() as emulator:
        paid(emulator, merchant=merchant)
        ask = client(emulator, merchant)
        emulator.fail(name)
        with pytest.raises(errors.AlipayError) as caught:
            ask.single_trade_query(out_trade_no="A1")
        assert type(caught.value) is expected and getattr(caught.value, "code", None) == code
        assert ask.single_trade_query(out_trade_no="A1")["trade_status"] == "TRADE_FINISHED"
        assert [logged.fault for logged in emulator.requests()] == [name, ""]


@pytest.mark.parametrize("charset, expected", [
    ("utf-8", errors.CharsetError), ("gbk", errors.ResponseSignatureInvalid)])
def test_an_answer_in_another_charset_is_refused(charset, expected):
    with gateway() as emulator:
        row = emulator.trades.place(MD5, "create_direct_pay_by_user", {
            "out_trade_no": "A1", "subject": "茶🍵", "total_fee": "1.00", "_input_charset": charset})
        emulator.trades.pay(row)
        ask = client(emulator, input_charset=charset)
        emulator.fail("answer-wrong-charset")
        with pytest.raises(expected):
            ask.single_trade_query(out_trade_no="A1")
        assert ask.single_trade_query(out_trade_no="A1")["subject"] == "茶🍵"


@pytest.mark.parametrize("name", OF_THE_CONNECTION)
def test_what_the_connection_does_is_left_to_the_server(name):
    with gateway() as emulator:
        paid(emulator)
        emulator.fail(name)
        ask = client(emulator)
        ask.single_trade_query(out_trade_no="A1")
        reply = ask._transport.replies[0]
        assert reply.fault == name and b"TRADE_FINISHED" in reply.body
        assert reply.seconds == (30 if name == "slow" else 0)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("name", ["http-500", "html-200", "redirect", "system-error"])
def test_a_write_whose_answer_is_bad_has_an_unknown_outcome_whether_it_was_done_or_not(name, done):
    with gateway() as emulator:
        paid(emulator)
        emulator.fail(name, done=done)
        with pytest.raises(OutcomeUnknown):
            client(emulator).forex_refund(out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="1.00",
                                          gmt_return="20260301120000")
        assert emulator.ledger.count("refunds") == int(done)
        assert (emulator.requests()[-1].outcome.error is None) is done


@pytest.mark.parametrize("name", ["half-answer", "slow", "reset"])
def test_when_nothing_was_done_there_is_still_something_to_send_half_of(name):
    with gateway() as emulator:
        paid(emulator)
        emulator.fail(name, done=False)
        ask = client(emulator)
        with pytest.raises(GatewayError):
            ask.single_trade_query(out_trade_no="A1")
        assert b"SYSTEM_ERROR" in ask._transport.replies[0].body and ask._transport.replies[0].fault == name


def test_trade_not_exist_for_a_while():
    with gateway() as emulator:
        paid(emulator)
        emulator.fail("trade-not-exist", seconds=60)
        for _ in range(3):
            with pytest.raises(GatewayError, match="TRADE_NOT_EXIST"):
                client(emulator).single_trade_query(out_trade_no="A1")
        emulator.advance(59)
        assert [fault.name for fault in emulator.faults.armed()] == ["trade-not-exist"]
        with pytest.raises(GatewayError, match="TRADE_NOT_EXIST"):
            client(emulator).single_trade_query(out_trade_no="A1")
        emulator.advance(1)
        assert emulator.faults.armed() == []
        assert client(emulator).single_trade_query(out_trade_no="A1")["trade_status"] == "TRADE_FINISHED"


def test_a_fault_waits_for_an_answer_that_it_can_spoil():
    """An answer without a sign cannot be forged, and only a query can say that there is no trade."""
    with gateway() as emulator:
        paid(emulator)
        for name in ("answer-forged", "answer-tampered", "trade-not-exist", "unsigned-paid"):
            emulator.fail(name)
        ask = client(emulator)
        ask.forex_refund(out_return_no="R1", out_trade_no="A1", currency="USD", return_amount="1.00",
                         gmt_return="20260301120000")
        ask.notify_verify("abc")
        assert len(emulator.faults.armed()) == 4
        with pytest.raises(errors.ResponseSignatureInvalid):
            ask.single_trade_query(out_trade_no="A1")
        assert len(emulator.faults.armed()) == 3


def test_a_fault_of_an_answer_never_meets_a_page():
    with gateway() as emulator:
        emulator.fail("http-500")
        emulator.place("A1")
        with pytest.raises(Refused):
            emulator.visit("https://x.test/gateway.do?service=create_forex_trade&partner=" + MD5)
        assert len(emulator.faults.armed()) == 1
        emulator.clear_faults()
        assert emulator.faults.armed() == [] and not emulator.faults.waiting


# --- shares -------------------------------------------------------------------------------------------------------

def drawn(faults, orders):
    found = {number: faults.for_notification("1", number, "paid") for number in orders}
    return {number: fault.name for number, fault in found.items() if fault is not None}


def test_the_same_seed_picks_the_same_messages_whatever_their_order():
    orders, rates = ["A{}".format(number) for number in range(2000)], {"lost": 0.1, "twice": 0.05, "forged": 0.02}
    first = drawn(Faults(7, rates), orders)
    assert first == drawn(Faults(7, rates), reversed(orders)) != drawn(Faults(8, rates), orders)
    counts = {name: list(first.values()).count(name) for name in rates}
    assert 160 < counts["lost"] < 240 and 70 < counts["twice"] < 130 and 20 < counts["forged"] < 60


def test_a_repeated_question_is_drawn_anew():
    faults = Faults(7, {"http-500": 0.5})
    met = [faults.for_answer("single_trade_query", "1", "A1") is not None for _ in range(200)]
    assert 60 < sum(met) < 140
    again = Faults(7, {"http-500": 0.5})
    assert met == [again.for_answer("single_trade_query", "1", "A1") is not None for _ in range(200)]


def test_shares_of_one_and_of_nothing():
    assert set(drawn(Faults(7, {"lost": 1}), ["A1", "A2"]).values()) == {"lost"}
    assert drawn(Faults(7, {"lost": 0, "http-500": 1}), ["A1", "A2"]) == {}


@pytest.mark.parametrize("call, parameter", [
    (lambda faults: faults.arm("burnt"), "name"), (lambda faults: faults.arm("lost", times=0), "times"),
    (lambda faults: faults.arm("lost", times=True), "times"),
    (lambda faults: faults.arm("late", seconds="x"), "seconds"),
    (lambda faults: faults.arm("late", seconds=float("nan")), "seconds"),
    (lambda faults: faults.arm("slow", done=1), "done"),
    (lambda faults: faults.arm("slow", service=None), "service"),
    (lambda faults: faults.set_rates({"burnt": 0.1}), "name"),
    (lambda faults: faults.set_rates({"lost": 1.1}), "lost"),
    (lambda faults: faults.set_rates({"lost": True}), "lost"),
    (lambda faults: faults.set_rates({"lost": "1"}), "lost"),
    (lambda faults: faults.set_rates({"lost": 0.9, "twice": 0.9}), "rates")])
def test_a_fault_that_is_none_is_refused(call, parameter):
    faults = Faults(1)
    with pytest.raises(InvalidRequest) as caught:
        call(faults)
    assert caught.value.parameter == parameter and not faults.waiting
