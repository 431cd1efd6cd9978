"""The notify view, through Flask's own client: genuine, hostile and misled requests."""
import io

import flask
import pytest
from flask_desk import Desk, Told, at_once, note

from alipay_mapi import Order, verify_notify
from genuine import FOREX, FORM, form, signed

SUBJECT = "测试"


def own_table(**settings):
    """A shop without a store, whose only order is A1."""
    orders = {"A1": Order("A1", total_fee="8.00", currency="USD")}
    return Desk(STORE=None, HANDLER=None, ORDER=lambda shop, number: orders.get(number), **settings)


def test_a_genuine_notification_is_answered_success_and_carried_out(desk):
    desk.watch()
    assert desk.post(note()) == (200, "success")
    assert desk.done == [("paid", "A1")]
    assert desk.row().outcome == "paid"


def test_a_repetition_is_answered_success_again_and_has_one_effect(desk):
    desk.watch()
    assert [desk.post(note()) for _ in range(3)] == [(200, "success")] * 3
    assert desk.done == [("paid", "A1")]


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; "
                                          "charset=GBK", FORM + "gbk"])
def test_T24_a_notification_in_gbk_is_taken_however_it_is_declared(content_type):
    merchant = {"partner": "2088101122136241", "sign_type": "MD5", "input_charset": "GBK",
                "md5_key": "760bdzec6y9goq7ctyx96ezkz78287de"}
    with Desk(MERCHANTS={"shop": merchant}) as desk:
        desk.watch()
        body = note(charset="gbk", subject=SUBJECT)
        assert b"%B2%E2%CA%D4" in body
        assert desk.post(body, content_type) == (200, "success")
        assert desk.done == [("paid", "A1")]


def test_T24_utf_8_bytes_are_not_read_as_gbk():
    seen = []
    with own_table(NOTIFIED=lambda shop, found: seen.append(found["subject"])) as desk:
        assert desk.post(note(subject=SUBJECT)) == (200, "success")
    assert seen == [SUBJECT]


def test_a_forged_notification_is_refused_and_the_genuine_one_after_it_is_taken(desk):
    desk.watch()
    assert desk.post(note(key="a key of somebody else, 32 signs")) == (400, "fail")
    assert desk.row().outcome == "open" and desk.done == []
    assert desk.post(note()) == (200, "success")
    assert desk.done == [("paid", "A1")] and desk.gateway.calls == []


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch", "options"])
def test_T32_another_method_is_answered_405(desk, method):
    answer = getattr(desk.app.test_client(), method)("/alipay/notify/", data=note())
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.data == (b"" if method == "head" else b"fail")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path, status", [
    ("/alipay/notify/", 200), ("/alipay/notify", 200), ("/alipay/notify/shop/", 200), ("/alipay/notify/shop", 200),
    ("/alipay/notify/other/", 404)])
def test_the_path_names_the_merchant_and_needs_no_slash(desk, path, status):
    desk.watch()
    assert desk.post(note(), path=path)[0] == status


@pytest.mark.parametrize("content_type, status", [
    ("application/json", 415), ("multipart/form-data; boundary=x", 415), ("", 200)])
def test_T32_another_content_type_is_answered_415(desk, content_type, status):
    desk.watch()
    assert desk.post(note(), content_type)[0] == status


def test_T31_a_body_that_is_too_large_is_not_read(desk):
    class Counting(io.BytesIO):
        was_read = 0

        def read(self, size=-1):
            found = super().read(size)
            Counting.was_read += len(found)
            return found
    size = 3 << 20
    stream = Counting(b"x" * size)
    answer = desk.post(b"", environ_overrides={"wsgi.input": stream, "CONTENT_LENGTH": str(size)})
    assert answer == (413, "fail") and Counting.was_read == 0


def test_the_apps_own_limit_is_told_as_its_own(desk):
    desk.watch()
    desk.app.config["MAX_CONTENT_LENGTH"] = 100
    with Told() as told:
        assert desk.post(note()) in ((413, "fail"), (200, "success"))    # werkzeug 0.16 holds forms to it, not streams
    assert "Traceback" not in told.text


def test_a_chunked_body_is_read_where_the_server_marks_its_end(desk):
    desk.watch()
    body = note()
    environ = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert desk.post(b"", environ_overrides=environ) == (200, "success")


def test_a_stream_that_gives_little_at_a_time_is_read_to_its_end(desk):
    class Little(io.RawIOBase):
        rest = note()

        def readable(self):
            return True

        def readinto(self, buffer):
            part, Little.rest = Little.rest[:min(7, len(buffer))], Little.rest[min(7, len(buffer)):]
            buffer[:len(part)] = part
            return len(part)
    desk.watch()
    environ = {"wsgi.input": Little(), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert desk.post(b"", environ_overrides=environ) == (200, "success")


@pytest.mark.parametrize("reads", ["form", "values"])
def test_a_body_that_the_shop_has_read_before_is_refused_and_says_so(reads):
    with Desk(before=lambda app: app.before_request(lambda: getattr(flask.request, reads).get("x"))) as desk:
        desk.watch()
        with Told() as told:
            assert desk.post(note()) == (400, "fail")
        assert "has read request.form" in told.text and "request.blueprint" in told.text


@pytest.mark.parametrize("reads", [
    lambda request: request.get_data(), lambda request: (request.get_data(), request.form)])
def test_a_body_that_was_read_with_get_data_is_still_there(reads):
    def look():
        reads(flask.request)
    with Desk(before=lambda app: app.before_request(look)) as desk:
        desk.watch()
        assert desk.post(note()) == (200, "success")


def test_a_shop_that_leaves_our_blueprint_alone_may_read_every_other_form():
    def look():
        if flask.request.blueprint != "alipay_mapi":
            flask.request.form.get("x")
    with Desk(before=lambda app: app.before_request(look)) as desk:
        desk.watch()
        assert desk.post(note()) == (200, "success")


# --- the shop's own code ----------------------------------------------------------------------------------------------

@pytest.fixture(params=["plain", "debug", "testing", "propagate"])
def mode(request):
    return {"plain": {}, "debug": {"DEBUG": True}, "testing": {"TESTING": True},
            "propagate": {"PROPAGATE_EXCEPTIONS": True}}[request.param]


def broken(*_):
    raise ZeroDivisionError("canary.buyer@example.com")


@pytest.mark.parametrize("settings", [{"HANDLER": broken}, {"HANDLER": None, "WITHIN": lambda db, effect: broken()}])
def test_a_handler_that_raises_is_answered_500_and_the_next_delivery_carries_it_out(tmp_path, mode, settings):
    with Desk(STORE=str(tmp_path / "orders.db"), before=lambda app: app.config.update(mode), **settings) as desk:
        desk.watch()
        with Told() as told:
            assert desk.post(note()) == (500, "fail")
        assert desk.row().outcome == "paid"
        assert "canary" not in told.text and "EffectFailed" in told.text


def test_an_effect_that_failed_comes_again(tmp_path):
    def once(effect):
        if not failed:
            failed.append(effect.key)
            raise ZeroDivisionError
        keys.append(effect.key)
    failed, keys = [], []
    with Desk(STORE=str(tmp_path / "orders.db"), HANDLER=once) as desk:
        desk.watch()
        assert desk.post(note()) == (500, "fail")
        store = desk.inside(lambda: desk.alipay.fallback().store)
        store._transact(lambda db: db.execute("UPDATE mapi_effects SET due_at = 0"))     # half a minute later
        assert desk.post(note()) == (200, "success")
    assert keys == failed


def test_a_booking_function_that_raises_is_answered_500(mode):
    with own_table(NOTIFIED=broken, before=lambda app: app.config.update(mode)) as desk:
        with Told() as told:
            assert desk.post(note()) == (500, "fail")
    assert "canary" not in told.text and "ZeroDivisionError" in told.text


@pytest.mark.parametrize("settings, name", [
    ({"MERCHANTS": None}, "ALIPAY_MAPI_MERCHANTS"), ({"MERCHANTS": {"shop": {"partner": "1"}}}, "sign_type"),
    ({"HANDLER": "no.such.module"}, "ALIPAY_MAPI_HANDLER"), ({"STORE": "sqlite:////no/folder/x.db"}, "StoreError"),
    ({"STORE": None, "HANDLER": None}, "ALIPAY_MAPI_NOTIFIED"), ({"FALLBACK": {"grace": -1}}, "ALIPAY_MAPI_FALLBACK")])
def test_a_configuration_that_cannot_work_is_answered_fail_and_told(mode, settings, name):
    with Told() as told, Desk(before=lambda app: app.config.update(mode), **settings) as desk:
        status, text = desk.post(note())
    assert status in (500, 503) and text == "fail"
    assert name in told.text and "Traceback" not in told.text


def test_a_shop_with_its_own_table_needs_no_store():
    booked = []
    with own_table(NOTIFIED=lambda shop, found: booked.append((shop, found["out_trade_no"], found.is_paid))) as desk:
        assert desk.post(note()) == (200, "success")
        assert desk.post(note("A2"))[0] == 400
        assert desk.post(note(total_fee="0.08"))[0] == 400
    assert booked == [("shop", "A1", True)]


def test_the_shops_functions_have_the_apps_context(tmp_path):
    seen = []
    with Desk(STORE=str(tmp_path / "orders.db"), HANDLER=lambda effect: seen.append(flask.current_app.name)) as desk:
        desk.watch()
        assert desk.post(note()) == (200, "success")
        desk.watch("A2")
        fallback = desk.inside(desk.alipay.fallback)
        fallback.notified("shop", verified(desk, "A2"))     # in no context at all
    assert seen == ["shop_under_test"] * 2


def verified(desk, number):
    return verify_notify(desk.inside(desk.alipay.client).shop, note(number), None,
                         Order(number, total_fee="8.00", currency="USD"))


# --- many at once -----------------------------------------------------------------------------------------------------

def test_T50_eight_deliveries_at_once_have_one_effect(desk):
    desk.watch()
    assert at_once([lambda: desk.post(note())] * 8).count((200, "success")) >= 1
    assert desk.post(note()) == (200, "success")
    assert desk.done == [("paid", "A1")]


def test_T50_deliveries_and_a_run_at_once_have_one_effect_per_order(desk):
    numbers = ["B{}".format(number) for number in range(8)]
    desk.watch(*numbers)
    fallback = desk.inside(desk.alipay.fallback)
    fallback.store._transact(lambda db: db.execute("UPDATE mapi_orders SET due_at = 0"))
    desk.gateway.body = b"<alipay><is_success>F</is_success><error>SYSTEM_ERROR</error></alipay>"
    works = [lambda number=number: desk.post(note(number, notify_id="n" * 33 + number[-1])) for number in numbers]
    results = at_once(works + [lambda: desk.inside(lambda: fallback.run(workers=2))])
    assert results[:-1] == [(200, "success")] * 8
    assert sorted(desk.done) == sorted(("paid", number) for number in numbers)


def test_T53_a_flood_of_junk_asks_nobody_stores_nothing_and_writes_little(desk):
    desk.watch()
    forged = note(key="a key of somebody else, 32 signs")
    with Told() as told:
        answers = [desk.post(body) for body in [forged, b"junk", b"", note("A9")] * 60]
        assert desk.post(note()) == (200, "success")
    assert {status for status, _ in answers} == {400}
    assert desk.gateway.calls == [] and desk.inside(desk.alipay.fallback).status()["watched"] == 1
    lines = [line for line in told.lines if line.startswith("notification ")]
    assert 1 < len(lines) < 60
    assert desk.done == [("paid", "A1")]


def test_two_apps_in_one_process_keep_apart(tmp_path):
    with Desk(STORE=str(tmp_path / "one.db")) as one, Desk(STORE=str(tmp_path / "two.db"), MERCHANTS={
            "eu": {"partner": "2088101122136241", "sign_type": "MD5", "md5_key": "00000000000000000000000000another"}},
            url_prefix="/pay") as two:
        one.watch()
        two.watch()
        assert one.post(note()) == (200, "success")
        assert two.post(note(), path="/pay/notify/") == (400, "fail")
        assert two.post(note(key="00000000000000000000000000another"), path="/pay/notify/eu/") == (200, "success")
        assert one.done == two.done == [("paid", "A1")]
        assert one.post(note(), path="/alipay/notify/eu/")[0] == 404
        assert (one.row().outcome, two.row(shop="eu").outcome) == ("paid", "paid")


def test_one_extension_object_serves_several_apps(tmp_path):
    with Desk(STORE=str(tmp_path / "one.db")) as one, Desk(STORE=str(tmp_path / "two.db")) as two:
        two.alipay = one.alipay
        one.watch("A1")
        two.watch("A2")
        assert one.row("A2") is None and two.row("A1") is None
        assert vars(one.alipay) == {}


def test_a_name_that_stands_twice_is_refused(desk):
    desk.watch()
    pairs = list(signed(FOREX).items())
    assert desk.post(form(pairs + [("total_fee", "8.00")]))[0] == 400
