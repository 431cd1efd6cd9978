"""What is answered to a notification, over genuine and hostile ones, in both modes: orders watched in a store, and a
shop with its own table. Messages are made by hashlib and openssl, see ``genuine``.
"""
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi import Order
from alipay_mapi.contrib.web import taking
from alipay_mapi.contrib.web.callbacks import Callbacks
from alipay_mapi.contrib.web.taking import IntoStore
from alipay_mapi.errors import (BodyTooLarge, GatewayError, OrderMismatch, OutcomeUnknown, StoreError, TransportError)
from alipay_mapi.form_body import MAX_BYTES
from alipay_mapi.times import GMT8, format_time
from genuine import (DIRECT, FOREX, FORM, PARTNER, REFUND, RETURN, SIGN_TYPES, STRANGER, changed, form, message,
                     signed)
from web_setup import START, OwnTableDesk, StoreDesk, Told, raises

MODES = [StoreDesk, OwnTableDesk]
GENUINE = message(FOREX)


@pytest.fixture(autouse=True)
def recorded_messages_are_not_too_old(monkeypatch):
    monkeypatch.setattr(taking, "_REPEATED_FOR", 1e12)


@pytest.fixture(params=MODES)
def desk(request):
    with request.param() as desk:
        desk.watch()
        yield desk


def facts(answer):
    return answer.status, answer.body, answer.verdict


# --- genuine ----------------------------------------------------------------------------------------------------------

def test_a_genuine_notification_is_answered_success_and_carried_out(desk):
    answer = desk.post(GENUINE)
    assert facts(answer) == (200, "success", "accepted")
    assert (answer.shop, answer.notification["out_trade_no"], answer.told) == ("shop", "A1", True)
    assert answer.error is None and answer.failure is None
    assert len(desk.done) == 1 and desk.gateway.calls == []


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
@pytest.mark.parametrize("mode", MODES)
def test_every_algorithm_is_taken_where_the_seller_is_named(sign_type, mode):
    with mode(sign_type) as desk:
        desk.watch("A1", total_fee="8.00")
        assert facts(desk.post(message(DIRECT, sign_type))) == (200, "success", "accepted")
        assert len(desk.done) == 1 and desk.gateway.calls == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("content_type", [FORM + "gbk", FORM + "GBK", "application/x-www-form-urlencoded", "", None])
def test_a_body_in_gbk_is_taken_however_it_is_declared(mode, content_type):
    """The bytes are checked, and only then read as text: a framework that decodes them first can never do this."""
    body = message(changed(DIRECT, subject="绿茶一百克", body="龙井"), charset="gbk")
    with mode(input_charset="gbk") as desk:
        desk.watch("A1", total_fee="8.00")
        answer = desk.post(body, content_type)
        assert facts(answer) == (200, "success", "accepted")
        assert answer.notification["subject"] == "绿茶一百克"


def test_a_refund_notification_is_taken():
    with StoreDesk() as desk:
        desk.watch()
        assert desk.post(GENUINE).status == 200
        answer = desk.post(message(REFUND))
        assert facts(answer) == (200, "success", "accepted") and answer.notification.is_refund
        assert answer.decision is not None


def test_a_repeated_notification_is_answered_success_again_and_has_one_effect():
    with StoreDesk() as desk:
        desk.watch()
        assert [desk.post(GENUINE).body for _ in range(8)] == ["success"] * 8
        assert desk.done == [("paid", "A1")]


def test_a_repetition_reaches_a_shop_with_its_own_table_every_time():
    """It cannot be known here that the first one was booked; its function does nothing the second time."""
    with OwnTableDesk() as desk:
        assert [desk.post(GENUINE).body for _ in range(3)] == ["success"] * 3
        assert desk.done == [("TRADE_FINISHED", "A1")] * 3


def test_a_notify_id_that_was_seen_with_other_content_is_counted_and_shown_to_a_person():
    """Alipay repeats a message whole; this is news, and odd."""
    with StoreDesk() as desk:
        desk.watch()
        first = desk.post(desk.note(trade_status="WAIT_BUYER_PAY"))
        second = desk.post(desk.note(trade_status="TRADE_FINISHED"))
        assert (first.body, second.body) == ("success", "success")
        assert desk.done == [("paid", "A1"), ("needs_a_person", "A1")]


def test_a_notify_id_that_was_seen_does_not_make_a_wrong_amount_right(desk):
    assert desk.post(GENUINE).status == 200
    paid, answer = desk.done[0], desk.post(desk.note(total_fee="0.01"))
    assert desk.done.count(paid) == 1
    if isinstance(desk, OwnTableDesk):
        assert facts(answer) == (400, "fail", "AmountMismatch")
    else:
        assert set(desk.done) == {("paid", "A1"), ("needs_a_person", "A1")}


# --- hostile ----------------------------------------------------------------------------------------------------------

HOSTILE = {
    "somebody's own key": (message(FOREX, key="0" * 32), "SignatureInvalid"),
    "no sign": (form(FOREX), "SignatureMissing"),
    "another algorithm": (form(dict(signed(FOREX), sign_type="RSA2")), "SignTypeMismatch"),
    "no algorithm": (form(dict(signed(FOREX), sign_type="NONE")), "UnsupportedSignType"),
    "a sign of another shape": (form(dict(signed(FOREX), sign="beef")), "MalformedSignature"),
    "one byte changed": (GENUINE.replace(b"8.00", b"8.01"), "SignatureInvalid"),
    "a parameter twice": (GENUINE + b"&out_trade_no=A2", "DuplicateParameter"),
    "201 parameters": (b"&".join(b"a%d=1" % at for at in range(201)), "TooManyParameters"),
    "nothing": (b"", "MalformedParameter"),
    "bytes": (b"\xff\xfe\x00\x01", "MalformedParameter"),
    "a broken escape": (GENUINE + b"&body=%zz", "MalformedParameter"),
    "the browser's return": (message(RETURN), "UnexpectedParameter"),
    "an unknown order": (message(changed(FOREX, out_trade_no="B1")), "OrderNotFound"),
    "another merchant": (message(changed(FOREX, seller_id=STRANGER)), "PartyMismatch"),
    "no status": (message(changed(FOREX, "trade_status")), "MissingParameter"),
}


@pytest.mark.parametrize("body, verdict", HOSTILE.values(), ids=list(HOSTILE))
def test_T52_what_cannot_be_believed_is_refused_and_the_genuine_one_after_it_is_taken(desk, body, verdict):
    """Hostile: answered fail, nothing carried out, nobody asked. Genuine: the message that follows."""
    answer = desk.post(body)
    assert facts(answer) == (400, "fail", verdict)
    assert (answer.shop, answer.notification, answer.failure, type(answer.error).__name__) == (
        "shop", None, None, verdict)
    assert desk.done == [] and desk.gateway.calls == []
    assert desk.post(GENUINE).body == "success" and len(desk.done) == 1


ODD = [({"total_fee": "0.01"}, "AmountMismatch"), ({"total_fee": "8"}, None),
       ({"total_fee": "8.00 "}, "AmountMismatch"), ({"total_fee": "eight"}, "AmountMismatch"),
       ({"total_fee": ""}, "AmountMismatch"),
       ({"currency": "JPY", "total_fee": "8"}, "CurrencyMismatch"), ({"currency": "CNY"}, "CurrencyMismatch")]


@pytest.mark.parametrize("fields, verdict", ODD)
def test_a_wrong_amount_is_refused_by_a_shop_with_its_own_table(fields, verdict):
    with OwnTableDesk() as desk:
        answer = desk.post(desk.note(**fields))
        assert facts(answer) == ((400, "fail", verdict) if verdict else (200, "success", "accepted"))
        assert len(desk.done) == (0 if verdict else 1)
        assert desk.post(GENUINE).status == 200


@pytest.mark.parametrize("fields, verdict", ODD)
def test_a_wrong_amount_is_stored_and_told_to_a_person_where_the_order_is_watched(fields, verdict):
    """Alipay has signed it, so it is a fact: sending it again would not change it. It is not paid."""
    with StoreDesk() as desk:
        desk.watch()
        assert facts(desk.post(desk.note(notify_id="1" * 34, **fields))) == (200, "success", "accepted")
        assert desk.done == [("needs_a_person" if verdict else "paid", "A1")]
        assert desk.post(GENUINE).status == 200 and desk.done[-1] == ("paid", "A1")


def test_a_status_that_nobody_knows_is_told_to_a_person():
    with StoreDesk() as desk:
        desk.watch()
        assert desk.post(desk.note(trade_status="TRADE_PONDERED")).body == "success"
        assert desk.done == [("needs_a_person", "A1")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "post", "", "POST\r\n"])
def test_T32_another_method_is_answered_405_and_nothing_is_read(desk, method):
    """Hostile: a GET with a genuine message. Genuine: the POST."""
    answer = desk.post(GENUINE, method=method, read=raises(AssertionError("read")))
    assert facts(answer) == (405, "fail", "UnreadableMessage") and answer.told is False
    assert desk.done == [] and desk.post(GENUINE).status == 200


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "x"])
def test_another_content_type_is_answered_415(desk, content_type):
    assert facts(desk.post(GENUINE, content_type)) == (415, "fail", "UnsupportedContentType")
    assert desk.done == []


@pytest.mark.parametrize("length", [MAX_BYTES + 1, str(MAX_BYTES + 1), "9" * 400])
def test_T31_a_body_that_says_it_is_too_large_is_not_read(desk, length):
    """Hostile: a Content-Length beyond a megabyte. Genuine: none at all."""
    answer = desk.post(GENUINE, length=length, read=raises(AssertionError("read")))
    assert facts(answer) == (413, "fail", "BodyTooLarge")
    assert desk.post(GENUINE, length="").status == 200


def test_a_body_that_is_larger_than_it_says_is_read_to_the_limit_and_no_further(desk):
    asked = []

    def read(size):
        asked.append(size)
        return b"a" * size
    assert facts(desk.post(b"", length="20", read=read)) == (413, "fail", "BodyTooLarge")
    assert asked == [MAX_BYTES + 1]


def test_a_body_of_the_largest_size_is_read(desk):
    assert desk.post(b"a=" + b"b" * (MAX_BYTES - 2)).verdict == "SignatureMissing"


@pytest.mark.parametrize("length", ["-1", "²", "٣٣٣٣٣٣٣٣", "abc", "1e9", "0x10", " 12", b"12", 12, -5, 1.5])
def test_a_content_length_that_is_no_number_says_nothing(desk, length):
    expected = 413 if length == "٣٣٣٣٣٣٣٣" else 200
    assert desk.post(GENUINE, length=length).status == expected


@pytest.mark.parametrize("error", [ConnectionResetError("peer of 10.1.2.3"), OSError("broken"), ValueError("limit"),
                                   RuntimeError("buyer@example.com")])
def test_a_connection_that_breaks_while_reading_is_answered_400(desk, error):
    answer = desk.post(b"", read=raises(error))
    assert facts(answer) == (400, "fail", "UnreadableMessage")
    assert str(error) not in str(answer.error) and type(error).__name__ in str(answer.error)
    assert answer.error.__context__ is None
    assert desk.post(GENUINE).status == 200


@pytest.mark.parametrize("what", [None, "text", {"out_trade_no": "A1"}, 5])
def test_what_is_no_bytes_is_answered_400(desk, what):
    assert facts(desk.post(b"", read=lambda size: what)) == (400, "fail", "UnreadableMessage")


def test_a_body_that_somebody_has_read_before_says_so(desk):
    assert "before you did" in str(desk.post(b"").error)


@pytest.mark.parametrize("name", ["nobody", "", "../shop", "SHOP", "shop\r\n", "x" * 5000])
def test_an_unknown_merchant_is_answered_404_and_the_body_is_not_read(desk, name):
    answer = desk.post(GENUINE, name=name, read=raises(AssertionError("read")))
    assert facts(answer) == (404, "fail", "ConfigurationError") and answer.shop == ""
    assert name == "" or name not in str(answer)


def test_a_shop_that_cannot_check_is_answered_500():
    """Its own fault, and Alipay sends again until the key is there."""
    with StoreDesk("RSA2", alipay_public_key=None) as desk:
        desk.watch()
        assert facts(desk.post(message(FOREX, "RSA2"))) == (500, "fail", "MissingKey")


# --- RSA: whose message is it? ----------------------------------------------------------------------------------------

RSA = message(FOREX, "RSA")     # names no seller, and Alipay's key is the same for every merchant


@pytest.fixture(params=MODES)
def rsa(request):
    with request.param("RSA") as desk:
        desk.watch()
        yield desk


def test_T41_without_a_seller_the_gateway_is_asked_once(rsa):
    """Genuine: it says true. Hostile, below: it says false."""
    assert facts(rsa.post(RSA)) == (200, "success", "accepted")
    asked, = rsa.gateway.calls
    assert "service=notify_verify&partner={}&notify_id={}".format(PARTNER, FOREX["notify_id"]) in asked.url
    assert len(rsa.done) == 1


@pytest.mark.parametrize("body, verdict", [
    (message(FOREX, "RSA", key="rsa1024"), "SignatureInvalid"),
    (form(FOREX), "SignatureMissing"),
    (message(changed(FOREX, out_trade_no="B1"), "RSA"), "OrderNotFound"),
    (message(changed(FOREX, notify_id="9938e4a7 x"), "RSA"), "MalformedParameter"),
], ids=["forged", "unsigned", "an unknown order", "an odd notify_id"])
def test_T53_the_gateway_is_not_asked_about_what_does_not_stand_by_itself(rsa, body, verdict):
    """Hostile: no sign that fits, or a stranger's order under the key that all merchants share. Genuine: one question.
    """
    assert facts(rsa.post(body)) == (400, "fail", verdict)
    assert rsa.gateway.calls == [] and rsa.done == []
    assert rsa.post(RSA).status == 200 and len(rsa.gateway.calls) == 1


def test_what_the_gateway_does_not_confirm_is_refused(rsa):
    rsa.gateway.answer = b"false"
    assert facts(rsa.post(RSA)) == (400, "fail", "NotifyNotGenuine")
    assert rsa.done == []
    rsa.gateway.answer = b"true"
    assert rsa.post(RSA).status == 200


def test_a_gateway_that_is_not_reached_is_answered_503(rsa):
    rsa.gateway.answer = TransportError("no route")
    assert facts(rsa.post(RSA)) == (503, "fail", "TransportError")
    assert rsa.done == []
    rsa.gateway.answer = b"true"
    assert rsa.post(RSA).status == 200


def test_a_gateway_that_answers_with_a_page_is_answered_503(rsa):
    rsa.gateway.answer = b"<html>busy</html>"
    assert (rsa.post(RSA).status, rsa.done) == (503, [])


@pytest.mark.parametrize("answer", [b"false", TransportError("no route")])
def test_an_order_whose_notification_was_not_confirmed_is_asked_about_soon(answer):
    with StoreDesk("RSA") as desk:
        desk.watch()
        usual = desk.row().due_at
        desk.gateway.answer = answer
        assert desk.post(RSA).body == "fail"
        assert desk.row().due_at < usual


def test_an_order_that_only_the_shop_knows_is_asked_about_and_then_taken():
    with StoreDesk("RSA", order=lambda name, number: Order(number, total_fee="8.00", currency="USD")) as desk:
        assert desk.post(RSA).status == 200 and len(desk.gateway.calls) == 1
        assert desk.done == [("paid", "A1")]


# --- the shop's own code, and the store -------------------------------------------------------------------------------

SECRET = "buyer@example.com 13800138000"


def test_a_handler_that_raises_is_answered_500_and_the_next_delivery_carries_it_out():
    works = []

    def handler(effect):
        if not works:
            raise ValueError(SECRET)
        works.append(effect.kind)
    with StoreDesk(handler=handler) as desk:
        desk.watch()
        answer = desk.post(GENUINE)
        assert facts(answer) == (500, "fail", "EffectFailed") and answer.notification is None
        assert SECRET not in str(answer)
        assert desk.row().outcome == "paid" and desk.store.counts()["effects"] == 1     # the state is stored
        works.append("works now")
        desk.clock.now += 240       # when Alipay sends again
        assert facts(desk.post(GENUINE)) == (200, "success", "accepted")
        assert works[1:] == ["paid"] and desk.store.counts()["effects"] == 0


def test_an_effect_whose_handler_failed_is_carried_out_by_the_run_too():
    fails = [True]

    def handler(effect):
        if fails:
            raise ValueError(SECRET)
        desk.record(effect.kind, effect.out_trade_no)
    with StoreDesk(handler=handler) as desk:
        desk.watch()
        assert desk.post(GENUINE).status == 500
        fails.clear()
        desk.clock.now += 60
        assert desk.fallback.carry_out().done == 1
        assert desk.done == [("paid", "A1")] and desk.post(GENUINE).body == "success"
        assert desk.done == [("paid", "A1")]


def test_within_the_stores_transaction_a_failure_is_answered_500_and_leaves_the_effect_to_do():
    fails = [True]

    def within(connection, effect):
        if fails:
            raise ValueError(SECRET)
        desk.record(effect.kind, effect.out_trade_no)
    with StoreDesk(handler=None, within=within) as desk:
        desk.watch()
        assert facts(desk.post(GENUINE)) == (500, "fail", "EffectFailed")
        fails.clear()
        desk.clock.now += 240
        assert desk.post(GENUINE).status == 200 and desk.done == [("paid", "A1")]


def test_a_shop_without_a_handler_is_answered_success_and_the_effect_waits():
    with StoreDesk(handler=None) as desk:
        desk.watch()
        assert desk.post(GENUINE).status == 200 and desk.store.counts()["effects"] == 1


def test_a_booking_function_that_raises_is_answered_500():
    with OwnTableDesk(notified=raises(ValueError(SECRET))) as desk:
        answer = desk.post(GENUINE)
        assert facts(answer) == (500, "fail", "ValueError")
        assert type(answer.failure) is ValueError and answer.error is None


def test_an_order_function_that_raises_is_answered_500(desk):
    with StoreDesk(order=raises(KeyError(SECRET))) as desk:
        assert facts(desk.post(GENUINE)) == (500, "fail", "KeyError") and desk.done == []


def test_a_booking_function_may_refuse_by_our_own_errors():
    with OwnTableDesk(notified=raises(StoreError("the database is away", reason="gone"))) as desk:
        assert facts(desk.post(GENUINE)) == (503, "fail", "StoreError")
    for error in (TransportError("no route"), OutcomeUnknown("sent"), GatewayError("no", code="X")):
        with OwnTableDesk(notified=raises(error)) as desk:      # it asks the gateway itself
            assert facts(desk.post(GENUINE)) == (503, "fail", type(error).__name__)
    with OwnTableDesk(notified=raises(OrderMismatch("another order"))) as desk:
        assert facts(desk.post(GENUINE)) == (400, "fail", "OrderMismatch")


def test_a_store_that_cannot_be_written_is_answered_503(monkeypatch):
    with StoreDesk() as desk:
        desk.watch()
        with monkeypatch.context() as patch:
            patch.setattr(desk.store, "take_in", raises(StoreError("the disk is full", reason="full")))
            assert facts(desk.post(GENUINE)) == (503, "fail", "StoreError") and desk.done == []
        assert desk.post(GENUINE).status == 200


def test_a_store_that_is_closed_is_answered_503():
    with StoreDesk() as desk:
        desk.watch()
        desk.store.close()
        assert facts(desk.post(GENUINE)) == (503, "fail", "StoreError")


def test_success_is_said_only_when_the_state_is_stored():
    with StoreDesk() as desk:
        desk.watch()
        order = []
        transact, done = desk.store._transact, desk.carry_out

        def stored(*arguments):
            found = transact(*arguments)
            order.append("stored")
            return found
        desk.store._transact = stored
        desk.callbacks = Callbacks({"shop": desk.client}, IntoStore(lambda: desk.fallback),
                                   lambda *_: order.append("evidence"))
        desk.carry_out = lambda effect: (order.append("carried out"), done(effect))
        desk.fallback._handler = desk.carry_out
        assert desk.post(GENUINE).body == "success"
        begin = order.index("evidence")
        assert order[begin - 1:begin + 3] == ["stored", "evidence", "carried out", "stored"]


# --- orders made before the library was there -------------------------------------------------------------------------

def test_an_order_that_is_not_watched_is_watched_when_the_shop_knows_it():
    asked = []

    def order(name, number):
        asked.append((name, number))
        return Order(number, total_fee="8.00", currency="USD") if number == "A1" else None
    with StoreDesk(order=order) as desk:
        assert facts(desk.post(GENUINE)) == (200, "success", "accepted")
        assert desk.post(GENUINE).status == 200
        assert (asked, desk.done) == ([("shop", "A1")], [("paid", "A1")])
        assert facts(desk.post(desk.note("B1"))) == (400, "fail", "OrderNotFound")
        assert desk.row("B1") is None


def test_the_shops_price_counts_for_an_order_that_was_not_watched():
    with StoreDesk(order=lambda name, number: Order(number, total_fee="9.00", currency="USD")) as desk:
        assert desk.post(GENUINE).status == 200 and desk.done == [("needs_a_person", "A1")]


def test_an_order_function_that_finds_another_order_is_not_believed():
    with StoreDesk(order=lambda name, number: Order("Z9", total_fee="8.00", currency="USD")) as desk:
        assert facts(desk.post(GENUINE)) == (400, "fail", "OrderMismatch")
        assert desk.row("Z9") is None and desk.done == []


def test_a_replay_from_long_ago_does_not_bring_back_an_order_that_was_settled_and_pruned(monkeypatch):
    """Hostile: the order is settled, pruned, and its notification is posted again months later. Genuine: one of now."""
    monkeypatch.undo()
    now = format_time(datetime.fromtimestamp(START, GMT8))
    with StoreDesk(order=lambda name, number: Order(number, total_fee="8.00", currency="USD")) as desk:
        assert facts(desk.post(GENUINE)) == (400, "fail", "OrderNotFound") and desk.row("A1") is None
        assert facts(desk.post(message(dict(FOREX, notify_time=now)))) == (200, "success", "accepted")


@pytest.mark.parametrize("mode", MODES)
def test_what_alipay_has_signed_is_told_and_kept_also_in_a_flood_of_junk(mode):
    kept = []
    with mode(evidence=lambda *given: kept.append(given)) as desk, Told() as told:
        for number in range(100):
            desk.post("junk={}".format(number).encode("ascii"))
        assert facts(desk.post(desk.note("B1"))) == (400, "fail", "OrderNotFound")
        assert kept[-1][2].verdict == "OrderNotFound" and "OrderNotFound" in str(told.lines[-1])


def test_questions_about_messages_that_anybody_may_repeat_have_a_limit():
    """Hostile: one message that Alipay has signed with its common key, for somebody else, posted again and again."""
    with StoreDesk("RSA") as desk:
        desk.watch()
        desk.gateway.answer = b"false"
        for _ in range(200):
            assert desk.post(RSA).body == "fail"
        assert len(desk.gateway.calls) <= 65


@pytest.mark.parametrize("mode", MODES)
def test_a_coroutine_takes_nothing_in(mode):
    async def notified(name, note):
        raise AssertionError("it is not run")
    with mode(notified=notified) as desk:
        desk.watch()
        answer = desk.post(message(BATCH) if mode is StoreDesk else GENUINE)
        assert (answer.status, answer.body) == (500, "fail") and "plain function" in str(answer.error)


def test_an_order_in_cny_is_not_booked_by_a_notification_whose_amount_proves_nothing():
    """In a shop with its own table: nobody would ask, and success would be the last word."""
    with OwnTableDesk() as desk:
        desk.orders["A1"] = Order("A1", rmb_fee="50.00", currency="USD")
        answer = desk.post(GENUINE)
        assert facts(answer) == (400, "fail", "NotConfirmed") and "rmb_fee" in str(answer.error) and desk.done == []


# --- what is not about one order --------------------------------------------------------------------------------------

BATCH = {"notify_id": "70fec0c2730b27528665af4517c27b95", "notify_time": "2009-08-12 11:08:32",
         "notify_type": "batch_refund_notify", "batch_no": "20060702001", "success_num": "1",
         "result_details": "2010031906272929^80^SUCCESS"}


def test_a_batch_goes_to_the_function_that_takes_it():
    taken = []
    with StoreDesk(notified=lambda name, note: taken.append((name, note.kind, note["batch_no"]))) as desk:
        assert facts(desk.post(message(BATCH))) == (200, "success", "accepted")
        assert taken == [("shop", "batch_refund", "20060702001")]


def test_a_batch_that_nobody_takes_is_answered_500_and_says_what_to_set():
    with StoreDesk() as desk:
        answer = desk.post(message(BATCH))
        assert facts(answer) == (500, "fail", "ConfigurationError")
        assert str(answer.error).startswith("NOTIFIED: ")


# --- evidence ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", MODES)
def test_evidence_is_kept_of_what_was_accepted_and_of_what_was_refused(mode):
    kept = []
    with mode(evidence=lambda *given: kept.append(given)) as desk:
        desk.watch()
        first, second = desk.post(GENUINE), desk.post(b"junk=1")
        (name, body, taken, new), refused = kept
        assert (name, body, taken.status, taken.notification) == ("shop", GENUINE, 200, first.notification)
        assert new is (mode is StoreDesk) and refused == ("shop", b"junk=1", second, False)
        desk.post(GENUINE, name="nobody")
        desk.post(GENUINE, method="GET")
        assert len(kept) == 2


@pytest.mark.parametrize("mode", MODES)
def test_evidence_that_fails_undoes_nothing(mode):
    with mode(evidence=raises(ValueError(SECRET))) as desk, Told() as told:
        desk.watch()
        assert facts(desk.post(GENUINE)) == (200, "success", "accepted")
        assert facts(desk.post(b"junk=1")) == (400, "fail", "SignatureMissing")
        assert len(desk.done) == 1
        assert sum("evidence was not kept: ValueError at web_setup.py" in line for line in told.lines) == 2
        assert SECRET not in "".join(told.lines)


def test_a_log_that_fails_undoes_nothing(desk):
    class Broken(Told):
        def emit(self, record):
            raise OSError("the disk is full")
    with Broken():
        assert facts(desk.post(GENUINE)) == (200, "success", "accepted")
        assert facts(desk.post(b"junk=1")) == (400, "fail", "SignatureMissing")


def test_the_answers_are_those_that_the_protocol_knows(desk):
    bodies = {desk.post(body).body for body in (GENUINE, b"", b"x=1")}
    assert bodies == {"success", "fail"}


def test_whatever_a_framework_hands_over_nothing_is_raised(desk):
    for name in (None, 5, b"shop"):
        assert desk.post(GENUINE, name=name).status == 404
    for content_type in (5, b"application/x-www-form-urlencoded", ["x"]):
        assert desk.post(GENUINE, content_type).status in (200, 415)
    assert desk.post(GENUINE, remote=None).status == 200


def test_the_frameworks_limit_is_told_as_its_own():
    """An adapter that finds it out itself raises BodyTooLarge out of ``read``."""
    with StoreDesk() as desk:
        assert facts(desk.post(b"", read=raises(BodyTooLarge("the framework's own limit")))) == (
            413, "fail", "BodyTooLarge")




PARTS = st.sampled_from([GENUINE, RSA, form(FOREX), b"&sign=", b"%", b"&", b"=", b"out_trade_no=A1", b"\xb0\xa1",
                         b"\r\n"])


@given(st.lists(PARTS | st.binary(max_size=20), max_size=5).map(b"".join), st.sampled_from(MODES),
       st.sampled_from(["MD5", "RSA"]), st.none() | st.text(max_size=40), st.none() | st.text(max_size=10))
def test_whatever_bytes_come_nothing_is_raised_and_nothing_forged_is_taken(body, mode, sign_type, content_type, length):
    with mode(sign_type) as desk:
        desk.watch()
        answer = desk.post(body, content_type, length=length)
        assert answer.status in (200, 400, 413, 415) and answer.body == ("success" if answer.status == 200 else "fail")
        assert answer.status != 200 or body[body[:1] == b"?":] in (GENUINE, RSA)
        # What Alipay signed names the order in either place, and proves nothing there.
        assert desk.callbacks.returned("shop", body).out_trade_no == "" or body[body[:1] == b"?":] in (GENUINE, RSA)
