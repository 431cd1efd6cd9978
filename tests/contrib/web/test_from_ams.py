"""AMS's notifications at the address of MAPI's: verified by that account alone, stored as the same facts, answered in
AMS's words. Its part is signed by the openssl command.
"""
import json
import logging

import pytest

from alipay_mapi import Client, Order
from alipay_mapi.backend import MapiBackend
from alipay_mapi.contrib.web.callbacks import Callbacks
from alipay_mapi.contrib.web.seldom import Seldom
from alipay_mapi.contrib.web.taking import IntoShop, IntoStore
from alipay_mapi.errors import StoreError
from alipay_mapi.fallback import Fallback, Schedule, refunding
from alipay_mapi.fallback.stores.sqlite import SQLiteStore
from alipay_mapi.form_body import MAX_BYTES
from alipay_mapi.migration.ams import AmsNotification
from alipay_mapi.migration.backends import AmsBackend, AmsClient
from alipay_mapi.migration.shadow import ShadowBackend
from alipay_mapi.notification import Notification
from alipay_mapi.response import Response
from genuine import FOREX, FORM, changed, message, shop
from migration_samples import (FOLDER, account, dumped, notification_headers, openssl_sign, pem, result, sign_header,
                               signed_content)
from web_setup import PRICE, Clock, Gateway, Told, raises, was_sent

PATH = "/alipay/notify/shop/"
JSON = "application/json; charset=UTF-8"
TAKEN = {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}
NOT_TAKEN = {"result": {"resultCode": "PROCESS_FAIL", "resultStatus": "F", "resultMessage": "not taken"}}
CANNOT_TELL = {"result": {"resultCode": "UNKNOWN_EXCEPTION", "resultStatus": "U",
                          "resultMessage": "the signature could not be verified"}}
USD = {"currency": "USD", "value": "800"}


def payment(**changes):
    return dict({"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
                 "paymentAmount": USD, "paymentTime": "2026-05-12T12:13:01+08:00"}, **changes)


def refund(**changes):
    return dict({"notifyType": "REFUND_RESULT", "result": result(), "refundStatus": "SUCCESS", "refundRequestId": "R1",
                 "refundId": "RF1", "refundAmount": {"currency": "USD", "value": "320"},
                 "refundTime": "2026-05-12T12:13:01+08:00"}, **changes)


CAPTURE = {"notifyType": "CAPTURE_RESULT", "result": result(), "captureRequestId": "C1", "captureId": "CI1",
           "paymentId": "P1", "captureAmount": USD}
AUTHORIZATION = {"authorizationNotifyType": "AUTHCODE_CREATED", "authClientId": "X", "authCode": "canary-code",
                 "authState": "S"}
REGISTRATION = {"registrationRequestId": "REG1", "referenceMerchantId": "M1",
                "registrationResult": {"registrationStatus": "COMPLETED"}}


class Desk:
    """A shop with both gateways at one address. ``backend``: its AMS, or None. ``own``: with its own table."""

    def __init__(self, own=False, notified=None, backend=True, prefix="", evidence=None, seldom=None, order=None,
                 **more):
        self.gateway, self.ams, self.clock, self.done, self.booked = Gateway(), Gateway(), Clock(), [], []
        self.client = Client(shop("MD5"), self.gateway, retries=0, sleep=lambda seconds: None)
        here = AmsBackend(AmsClient(account(), self.ams, retries=0)) if backend is True else backend
        backends = {"mapi": MapiBackend(self.client), "ams": here} if here else {"mapi": MapiBackend(self.client)}
        self.store = SQLiteStore(":memory:", clock=self.clock)
        self.fallback = Fallback(self.store, {"shop": backends}, self.carry_out, schedule=Schedule(jitter=0.0),
                                 per_second=None, refunds_apart=None)
        self.orders = {"A1": Order("A1", **PRICE)}
        taking = IntoShop(lambda name, number: self.orders.get(number), notified or self.book) if own else \
            IntoStore(lambda: self.fallback, order, notified)
        self.callbacks = Callbacks({"shop": self.client}, taking, evidence, seldom,
                                   backends={"shop": backends} if here else None, prefix=prefix, **more)

    def carry_out(self, effect):
        self.done.append((effect.kind, effect.detail, effect.out_trade_no))

    def book(self, name, note):
        self.booked.append((name, note))

    def watch(self, number="A1", gateway="ams", **price):
        self.fallback.watch("shop", Order(number, **(price or PRICE)), gateway=gateway)

    def post(self, content, headers=None, path=PATH, called=PATH, content_type=JSON, shop="shop", length=None,
             read=None):
        """What AMS's server does. ``path``: for which it signs; ``called``: at which it arrives here."""
        body = content if isinstance(content, bytes) else dumped(content)
        headers = notification_headers(path, body) if headers is None else headers
        whole = dict(headers, **{"Content-Type": content_type or ""})
        answer = self.callbacks.notify(shop, "POST", content_type, str(len(body)) if length is None else length,
                                       read or (lambda size: body[:size]), "192.0.2.7", lambda: (called, whole))
        assert self.gateway.calls == [] and self.ams.calls == [], "nobody is asked"
        return answer

    def close(self):
        self.store.close()


@pytest.fixture
def make():
    made = []

    def call(*arguments, **settings):
        made.append(Desk(*arguments, **settings))
        return made[-1]
    yield call
    for desk in made:
        desk.close()


@pytest.fixture
def desk(make):
    one = make()
    one.watch()
    return one


def says(answer):
    assert answer.content_type == "application/json"
    return answer.status, json.loads(answer.body), answer.verdict


# --- genuine ----------------------------------------------------------------------------------------------------------

def test_a_payment_is_stored_carried_out_and_taken_in_amss_words(desk):
    for _ in range(3):
        assert says(desk.post(payment())) == (200, TAKEN, "accepted")
    assert desk.done == [("paid", "", "A1")] and desk.store.get("shop", "A1").outcome == "paid"


@pytest.mark.parametrize("content, outcome, effects", [
    (payment(notifyType="PAYMENT_PENDING"), "open", []),
    (payment(result=result("F", "ORDER_IS_CLOSED"), paymentTime=None), "closed", ["closed"]),
    (payment(result=result("F", "USER_BALANCE_NOT_ENOUGH"), paymentTime=None), "closed", ["closed"])])
def test_what_is_no_payment_pays_nothing(desk, content, outcome, effects):
    """A pending one has the result S."""
    content = {name: value for name, value in content.items() if value is not None}
    assert says(desk.post(content)) == (200, TAKEN, "accepted")
    assert desk.store.get("shop", "A1").outcome == outcome and [kind for kind, _, _ in desk.done] == effects


def test_an_order_priced_in_yuan_is_paid_in_yuan(desk):
    desk.watch("A2", rmb_fee="50.00", currency="USD")
    answer = desk.post(payment(paymentRequestId="A2", paymentAmount={"currency": "CNY", "value": "5000"}))
    assert says(answer) == (200, TAKEN, "accepted") and isinstance(answer.notification, Response)
    assert desk.done == [("paid", "", "A2")]


def test_another_amount_is_genuine_news_and_calls_a_person(desk):
    """As of MAPI's: stored for a person, and answered with success, as sending it again would not help."""
    for wrong in ({"currency": "USD", "value": "799"}, {"currency": "EUR", "value": "800"}):
        assert says(desk.post(payment(paymentAmount=wrong))) == (200, TAKEN, "accepted")
    assert desk.store.get("shop", "A1").outcome == "needs_a_person"
    assert {kind for kind, _, _ in desk.done} == {"needs_a_person"}


def test_a_refund_finds_its_order_by_the_refunds_number(desk):
    desk.post(payment())
    desk.fallback.refund("shop", "A1", "R1", "3.20")
    was_sent(desk.store)
    assert says(desk.post(refund())) == (200, TAKEN, "accepted")
    one, = refunding.from_text(desk.store.get("shop", "A1").refunds)
    assert one.status == refunding.DONE and desk.done[1:] == [("refunded", "R1", "A1")]
    desk.post(refund())
    assert len(desk.done) == 2


def test_a_refund_that_failed_calls_a_person_although_its_result_is_S(desk):
    desk.post(payment())
    desk.fallback.refund("shop", "A1", "R1", "3.20")
    assert says(desk.post(refund(refundStatus="FAIL"))) == (200, TAKEN, "accepted")
    assert desk.done[1:] == [("needs_a_person", "refund R1 ended as REFUND_FAIL", "A1")]


def test_a_refund_of_an_order_on_mapi_with_the_same_number_is_not_meant(make):
    one = make()
    one.watch("A1", "mapi")
    one.fallback.notified("shop", FACT, carry_out=False)
    one.fallback.refund("shop", "A1", "R1", "3.20")
    assert says(one.post(refund())) == (400, NOT_TAKEN, "OrderNotFound")
    assert refunding.from_text(one.store.get("shop", "A1").refunds)[0].status == refunding.ASKED


FACT = Notification({"notify_type": "trade_status_sync", "notify_id": "n1", "out_trade_no": "A1", "trade_no": "T1",
                     "trade_status": "TRADE_FINISHED", "total_fee": "8.00", "currency": "USD"}, "trade",
                    ("sign", "party"), {})


@pytest.mark.parametrize("content, kind", [
    (CAPTURE, "capture"), (AUTHORIZATION, "authorization"), (REGISTRATION, "registration"), (refund(), "refund"),
    ({"notifyType": "SOMETHING_NEW"}, "other")])
def test_what_is_about_no_order_here_goes_to_the_shops_function(make, content, kind):
    booked = []
    one = make(notified=lambda name, note: booked.append((name, note)))
    assert says(one.post(content)) == (200, TAKEN, "accepted")
    ((name, note),) = booked
    assert name == "shop" and isinstance(note, AmsNotification) and note.kind == kind
    assert one.store.rows() == []


@pytest.mark.parametrize("content, verdict, status", [
    (CAPTURE, "ConfigurationError", 500), (REGISTRATION, "ConfigurationError", 500), (refund(), "OrderNotFound", 400)])
def test_without_such_a_function_it_is_not_taken_and_comes_again(make, content, verdict, status):
    assert says(make().post(content)) == (status, NOT_TAKEN, verdict)


@pytest.mark.parametrize("notified", [raises(ZeroDivisionError("canary")), raises(StoreError("full"))])
def test_what_the_shops_function_raises_is_a_no_and_tells_nothing(make, notified):
    status, told, verdict = says(make(notified=notified).post(CAPTURE))
    assert status in (500, 503) and told == NOT_TAKEN


def test_an_order_that_was_made_before_this_library_came_is_watched_where_it_lives(make):
    one = make(order=lambda name, number: Order(number, **PRICE) if number == "A9" else None)
    one.clock.now = 1754980300.0 + 3 * 86400
    assert says(one.post(payment(paymentRequestId="A9")))[0] == 400, "it may have been settled and pruned"
    one.clock.now = 1754980300.0
    assert says(one.post(payment(paymentRequestId="A9"))) == (200, TAKEN, "accepted")
    assert one.store.get("shop", "A9").gateway == "ams" and one.done == [("paid", "", "A9")]
    assert says(one.post(payment(paymentRequestId="A10"))) == (400, NOT_TAKEN, "OrderNotFound")


def test_a_payment_of_an_order_that_lives_on_mapi_calls_a_person(make):
    one = make()
    one.watch("A1", "mapi")
    for _ in range(2):
        assert says(one.post(payment())) == (200, TAKEN, "accepted")
    (told,) = one.done
    assert told[0] == "needs_a_person" and "ams" in told[1] and "mapi" in told[1]
    assert one.store.get("shop", "A1").outcome == "open"


def test_mapis_own_notifications_are_taken_beside_it_and_answered_in_its_words(make):
    one = make()
    one.watch("A1", "mapi")
    answer = one.post(message(FOREX), headers={}, content_type=FORM + "utf-8")
    assert (answer.status, answer.body, answer.content_type) == (200, "success", "text/plain")
    assert one.done == [("paid", "", "A1")]
    one.watch("A2", "ams")
    answer = one.post(message(changed(FOREX, out_trade_no="A2")), headers={}, content_type=FORM + "utf-8")
    assert answer.body == "success" and one.done[1][0] == "needs_a_person"


def test_a_shadow_with_ams_in_front_takes_them_too(make):
    real = AmsBackend(AmsClient(account(), Gateway(), retries=0))
    one = make(backend=ShadowBackend(real, MapiBackend(make().client)))
    one.watch()
    assert says(one.post(payment())) == (200, TAKEN, "accepted") and one.done == [("paid", "", "A1")]


# --- a shop with its own table ----------------------------------------------------------------------------------------

def test_a_shop_with_its_own_table_gets_the_same_facts(make):
    one = make(own=True)
    assert says(one.post(payment())) == (200, TAKEN, "accepted")
    assert says(one.post(refund())) == (200, TAKEN, "accepted")
    assert says(one.post(CAPTURE)) == (200, TAKEN, "accepted")
    paid, back, captured = [note for _, note in one.booked]
    assert isinstance(paid, Notification) and paid.is_paid and paid["out_trade_no"] == "A1"
    assert isinstance(back, AmsNotification) and back.kind == "refund", "the shop alone knows of which order"
    assert captured.kind == "capture"


@pytest.mark.parametrize("changes, verdict", [
    ({"paymentAmount": {"currency": "USD", "value": "799"}}, "AmountMismatch"),
    ({"paymentAmount": {"currency": "EUR", "value": "800"}}, "CurrencyMismatch"),
    ({"paymentRequestId": "A2"}, "OrderNotFound")])
def test_a_shop_with_its_own_table_books_no_other_amount_or_order(make, changes, verdict):
    one = make(own=True)
    assert says(one.post(payment(**changes))) == (400, NOT_TAKEN, verdict)
    assert one.booked == []


# --- hostile ----------------------------------------------------------------------------------------------------------

def other_key(body):
    return notification_headers(PATH, body, key=FOLDER / "TEST-ONLY-ams-merchant-private.pem")


BODY = dumped(payment())
GOOD = {"Client-Id": "CLIENT001", "Request-Time": "1754980300456"}


@pytest.mark.parametrize("headers", [
    lambda: {}, lambda: GOOD, lambda: dict(GOOD, Signature=""), lambda: dict(GOOD, Signature="x"),
    lambda: dict(GOOD, Signature=sign_header(b"x" * 256)), lambda: other_key(BODY),
    lambda: notification_headers(PATH, BODY, digest="sha1"), lambda: notification_headers(PATH, BODY, digest="md5"),
    lambda: dict(GOOD, Signature=sign_header(openssl_sign(signed_content(PATH, "1754980300456", BODY)),
                                             algorithm="RSA1")),
    lambda: dict(notification_headers(PATH, BODY), **{"Request-Time": "1754980300457"}),
    lambda: notification_headers(PATH, BODY, client_id="CLIENT002"),
    lambda: dict(notification_headers(PATH, BODY), **{"Client-Id": "CLIENT002"}),
    lambda: notification_headers("/alipay/notify/other/", BODY),
    lambda: notification_headers(PATH + "?a=1", BODY), lambda: notification_headers(PATH, BODY + b" "),
], ids=["none", "unsigned", "empty", "no signature", "noise", "another key", "sha1", "md5", "label", "time", "client",
        "client in the header", "other path", "query", "body"])
def test_what_ams_has_not_signed_for_this_account_and_address_settles_nothing(desk, headers):
    answer = desk.post(BODY, headers())
    assert (answer.status, answer.notification, json.loads(answer.body)) == (400, None, CANNOT_TELL)
    assert desk.done == [] and desk.store.get("shop", "A1").outcome == "open"
    assert says(desk.post(BODY)) == (200, TAKEN, "accepted"), "and spoils nothing for the genuine one"


def test_no_message_is_tried_against_the_keys_of_the_other_gateway(make):
    """Hostile: JSON with a sign of MAPI's inside; a form with AMS's headers."""
    one = make()
    one.watch("A1", "mapi")
    assert says(one.post(message(FOREX), headers={}))[:2] == (400, CANNOT_TELL)
    forged = message(FOREX, key="k" * 32)
    answer = one.post(forged, content_type=FORM + "utf-8")      # as a form, with a signature of AMS's that fits
    assert (answer.status, answer.body) == (400, "fail") and one.done == []


@pytest.mark.parametrize("content_type", [JSON, "application/json", "APPLICATION/JSON ;x=y"])
def test_json_to_a_merchant_without_ams_is_refused_before_anything_is_looked_at(make, content_type):
    one = make(backend=None)
    assert says(one.post(payment(), content_type=content_type)) == (415, CANNOT_TELL, "UnsupportedContentType")


@pytest.mark.parametrize("content_type", ["text/json", "application/jsonp", "multipart/form-data; boundary=x",
                                          "application/json, x"])
def test_another_content_type_is_refused(desk, content_type):
    assert desk.post(BODY, content_type=content_type).status == 415 and desk.done == []


def test_an_unknown_merchant_is_told_nothing(desk):
    answer = desk.post(BODY, shop="nobody")
    assert (answer.status, answer.verdict, answer.shop) == (404, "ConfigurationError", "")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"{}" + b" " * 100, b'{"a":1,"a":2}', b"\xff" * 50,
                                  b'{"a":' * 5000, b'{"notifyType":"PAYMENT_RESULT"}', b'{"a":NaN}',
                                  b'{"paymentRequestId":"A1\\ud800"}'], ids=lambda body: repr(body[:20]))
def test_whatever_is_signed_is_a_verdict_and_never_an_exception(desk, body):
    """Signed, so that it is looked at."""
    answer = desk.post(body)
    assert answer.status in (400, 500) and answer.notification is None and desk.done == []
    assert json.loads(answer.body) in (CANNOT_TELL, NOT_TAKEN) and answer.failure is None


def test_a_huge_body_is_refused_by_its_length_and_by_its_size(desk):
    def never(size):
        raise AssertionError("nothing may be read")
    assert desk.post(b"x", length=str(MAX_BYTES + 1), read=never).status == 413
    big = b'{"a":"' + b"x" * MAX_BYTES + b'"}'
    for headers in (dict(GOOD, Signature="x"), {}):
        assert says(desk.post(big, headers, length="")) == (413, CANNOT_TELL, "BodyTooLarge")
    assert desk.done == []


def test_a_flood_of_junk_asks_nobody_stores_nothing_writes_little_and_displaces_no_news(make):
    clock, kept = Clock(0.0), []
    one = make(evidence=lambda *given: kept.append(given), seldom=Seldom(1.0, 20, clock))
    one.watch()
    before = list(one.store._db.iterdump())
    junk = [(BODY, {}), (BODY, dict(GOOD, Signature="x")), (b"{}", {}), (BODY, dict(GOOD, Signature=sign_header(b"x"))),
            (BODY, {"Client-Id": "OTHER", "Request-Time": "1", "Signature": sign_header(b"x" * 256)}),
            (b"\xff" * 50, dict(GOOD, Signature=sign_header(b"x" * 256)))]
    with Told() as told:
        for at in range(2000):
            clock.now = at / 1000
            body, headers = junk[at % len(junk)]
            assert one.post(body, headers).status == 400
        lines = len(told.lines)
        assert lines <= 25 and len(kept) == lines and list(one.store._db.iterdump()) == before
        # What AMS has signed has room of its own, whatever the junk claimed.
        assert one.post(payment(paymentRequestId="A7")).verdict == "OrderNotFound"
        assert len(told.lines) == lines + 1 and "OrderNotFound" in told.lines[-1]
    assert says(one.post(BODY)) == (200, TAKEN, "accepted") and one.done == [("paid", "", "A1")]


# --- the address ------------------------------------------------------------------------------------------------------

def test_behind_a_proxy_that_takes_a_prefix_off_the_public_path_is_what_counts(make):
    one = make(prefix="/shop")
    one.watch()
    assert says(one.post(BODY, path="/shop" + PATH, called=PATH)) == (200, TAKEN, "accepted")
    assert says(one.post(BODY, path=PATH, called=PATH))[:2] == (400, CANNOT_TELL)


def test_a_query_is_part_of_the_address(desk):
    assert says(desk.post(BODY, path=PATH + "?t=1", called=PATH + "?t=1")) == (200, TAKEN, "accepted")


# --- what is kept and told --------------------------------------------------------------------------------------------

def test_what_was_taken_is_kept_once_with_what_it_says(make):
    kept = []
    one = make(evidence=lambda *given: kept.append(given))
    one.watch()
    one.post(payment())
    one.post(payment())
    ((shop, body, answer, first), (_, _, _, again)) = kept
    assert (shop, body, first, again) == ("shop", BODY, True, False)
    assert answer.verdict == "accepted" and answer.notification["notify_id"] == "PAYMENT_RESULT:P1:S"
    one.post(payment(paymentRequestId="A8"))
    assert kept[2][2].verdict == "OrderNotFound" and kept[2][2].notification is None


def test_a_refused_one_is_told_with_the_ids_that_it_claims(make):
    one = make()
    with Told() as told:
        for body in (BODY, b'{"paymentRequestId": ["A1"]}', b'{"paymentRequestId": "A1 forged=1\\r\\nline"}', b"{"):
            one.post(body, {})
    assert "out_trade_no=A1 " in told.lines[0] and "verdict=MissingParameter" in told.lines[0]
    assert "A1" not in told.lines[1] and "out_trade_no='A1 forged=1" in told.lines[2]
    assert not [line for line in told.lines if "\n" in line or "\r" in line] and len(told.lines) == 4


def test_evidence_that_cannot_be_kept_undoes_nothing(make):
    one = make(evidence=raises(KeyError("canary")))
    one.watch()
    with Told() as told:
        assert says(one.post(BODY)) == (200, TAKEN, "accepted")
    assert any("evidence was not kept" in line for line in told.lines)


def test_nothing_secret_and_nothing_of_the_buyer_is_logged(make):
    """Hostile: canaries wherever something private stands, refused and taken."""
    private = payment(pspCustomerInfo={"pspCustomerId": "canary-buyer", "displayCustomerId": "canary@mail.example"},
                      paymentResultInfo={"cardToken": "canary-token", "lastFour": "4242canary"})
    booked = []
    one = make(notified=lambda name, note: booked.append(note))
    one.watch()
    body = dumped(private)
    signatures = [notification_headers(PATH, body)["Signature"][-60:]]
    with Told(logging.getLogger()) as told:
        for headers in (None, {}, dict(GOOD, Signature="x"), notification_headers(PATH, body, client_id="CLIENT002")):
            one.post(body, headers)
        for content in (CAPTURE, AUTHORIZATION, refund(), payment(paymentRequestId="A5")):
            one.post(content)
        one.post(private, content_type="application/json; x=y")
    text = "\n".join("{} {} {}".format(record.getMessage(), record.args, record.__dict__.get("alipay_mapi"))
                     for record in told.records)
    assert "out_trade_no=A1" in text and "verdict=accepted" in text and len(told.records) >= 8
    for secret in ["canary", "BEGIN", "http"] + signatures + [pem("merchant-private").splitlines()[2]]:
        assert secret not in text
