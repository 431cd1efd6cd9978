"""The view of ``notify_url``, through Django's own handler: raw bytes in, ``success`` or ``fail`` out."""
import django
import pytest
from django.core.signals import got_request_exception
from django.db import connections, transaction
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.utils.decorators import method_decorator

import django_shop
import genuine
from alipay_mapi.contrib.django import signals, views
from alipay_mapi.contrib.django.store.models import Evidence
from alipay_mapi.contrib.web.seldom import Seldom
from django_shop import HANDED, NOTIFIED, NOTIFY, heard, merchant, outcome, post, shop, values, watch

pytestmark = pytest.mark.usefixtures("database")
PAID = genuine.message(genuine.FOREX)
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
              "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
              "django.contrib.messages.middleware.MessageMiddleware"]


@pytest.fixture(autouse=True)
def usual_shop(database):
    with shop():
        watch()
        yield


def answered(response):
    return response.status_code, response.content


def test_T33_a_notification_is_taken_in_behind_csrf_checks():
    response = post(PAID)
    assert answered(response) == (200, b"success")
    assert response["Content-Type"] == "text/plain" and response["Cache-Control"] == "no-store"
    assert outcome() == "paid" and HANDED == ["shop:paid::A1"]


def test_the_same_notification_again_is_answered_the_same_and_handed_over_once():
    assert [answered(post(PAID)) for _ in range(3)] == [(200, b"success")] * 3
    assert HANDED == ["shop:paid::A1"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_any_other_method_is_refused_and_told_which_is_right(method):
    response = Client(enforce_csrf_checks=True).generic(method, NOTIFY, PAID, genuine.FORM + "utf-8")
    assert response.status_code == 405 and response["Allow"] == "POST"
    assert outcome() == "open"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded",
                                          "application/x-www-form-urlencoded; charset=gbk",
                                          "application/x-www-form-urlencoded; text/html; charset=gbk"])
def test_a_notification_in_gbk_is_read_whatever_django_would_make_of_it(content_type):
    """Django 5.0 and later answer 400 as soon as request.POST is touched; before, it was mojibake."""
    watch("M1", None)
    with shop(values(MERCHANTS={"shop": merchant(input_charset="GBK")})), heard(signals.notify_verified) as told:
        body = genuine.message(dict(genuine.DIRECT, out_trade_no="M1", subject="测试绿茶"), charset="gbk")
        assert answered(post(body, content_type=content_type)) == (200, b"success")
    assert outcome("M1") == "paid"
    assert [arguments["notification"]["subject"] for _, arguments in told] == ["测试绿茶"]


@pytest.mark.parametrize("body, status", [
    (genuine.message(genuine.changed(genuine.FOREX, trade_status="TRADE_SUCCESS"), key="0" * 32), 400),
    (PAID + b"&trade_status=TRADE_SUCCESS", 400), (b"", 400), (b"junk", 400), (b"%", 400), (b"\xff" * 100, 400),
    (genuine.message(dict(genuine.FOREX, out_trade_no="A2")), 400),
    (genuine.message(dict(genuine.FOREX, currency="EUR")), 200),
    (b"a=" + b"b" * 1100000, 413),
])
def test_what_cannot_be_believed_settles_nothing(body, status):
    """A wrong currency is genuine news all the same: it is stored, for a person."""
    response = post(body)
    assert response.status_code == status
    assert response.content == (b"success" if status == 200 else b"fail")
    assert outcome() in ("open", "needs_a_person")
    assert "paid" not in "".join(HANDED)


def test_a_forged_one_does_not_spoil_the_genuine_one_after_it():
    assert post(PAID.replace(b"8.00", b"9.00")).status_code == 400
    assert answered(post(PAID)) == (200, b"success")


def test_other_content_types_are_refused():
    assert post(PAID, content_type="application/json").status_code == 415
    assert post(PAID, content_type="multipart/form-data; boundary=x").status_code == 415


def test_each_merchant_has_an_address_of_his_own():
    other = merchant(partner=genuine.STRANGER, md5_key="another-key-another-key-another1")
    with shop(values(MERCHANTS={"shop": merchant(), "hk": other}, DEFAULT_MERCHANT="shop")):
        watch("A1", name="hk")
        assert answered(post(PAID, NOTIFY + "hk/")) == (400, b"fail")
        assert answered(post(PAID, NOTIFY + "nobody/")) == (404, b"fail")
        theirs = genuine.message(genuine.FOREX, key="another-key-another-key-another1")
        assert answered(post(theirs, NOTIFY + "hk/")) == (200, b"success")
        assert answered(post(theirs, NOTIFY)) == (400, b"fail")
        assert HANDED == ["hk:paid::A1"]
        assert answered(post(PAID, NOTIFY + "shop/")) == (200, b"success")


@pytest.mark.skipif(django.VERSION < (5, 1), reason="LoginRequiredMiddleware is there from Django 5.1 on")
def test_T33_the_login_middleware_lets_alipay_in():
    with override_settings(MIDDLEWARE=MIDDLEWARE + ["django.contrib.auth.middleware.LoginRequiredMiddleware"]):
        assert answered(post(PAID)) == (200, b"success")
        assert Client().get(django_shop.RETURN + "?x=1").status_code == 400
        assert Client().get("/orders/A1/").status_code == 302


# --- the body ---------------------------------------------------------------------------------------------------------

def test_who_looks_for_a_form_after_the_view_finds_none_and_harms_nothing():
    with override_settings(MIDDLEWARE=MIDDLEWARE + ["django_shop.ReadsFormsAfterwards"]):
        response = post(PAID, content_type="application/x-www-form-urlencoded; charset=GBK")
        assert answered(response) == (200, b"success")
        assert (response["X-Form"], response["X-Body"]) == ("0", "0")


def test_a_form_that_was_read_before_the_view_harms_nothing_in_utf8():
    with override_settings(MIDDLEWARE=MIDDLEWARE + ["django_shop.ReadsFormsBefore"]):
        assert answered(post(PAID)) == (200, b"success")


def test_a_stream_that_was_read_before_the_view_is_refused_with_its_reason():
    with override_settings(MIDDLEWARE=MIDDLEWARE + ["django_shop.ReadsTheStream"]), django_shop.logged() as lines:
        assert answered(post(PAID)) == (400, b"fail")
    assert any("RawPostDataException" in line for line in lines)


def test_a_limit_of_django_that_is_too_small_is_refused_with_its_reason():
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10), django_shop.logged() as lines:
        assert answered(post(PAID)) == (400, b"fail")
    assert any("RequestDataTooBig" in line for line in lines)


def test_a_connection_that_breaks_is_no_exception():
    class Broken:
        def read(self, *_):
            raise OSError("gone")
        readline = read
    request = RequestFactory().post(NOTIFY, PAID, content_type=genuine.FORM + "utf-8")
    request._stream = Broken()
    assert answered(views.NotifyView.as_view()(request)) == (400, b"fail")


# --- the shop's own code ----------------------------------------------------------------------------------------------

def test_a_handler_that_raises_is_answered_so_that_alipay_sends_again():
    with shop(values(HANDLER=django_shop.fail)):
        with heard(got_request_exception, signals.trade_settled) as told:
            response = django_shop.call("POST", NOTIFY, PAID, genuine.FORM + "utf-8")
        assert (response.status, response.body) == (500, b"fail")
        assert outcome() == "paid"
        assert [signal for signal, _ in told] == [got_request_exception]
    with shop(), heard(signals.trade_settled) as told:
        from alipay_mapi.contrib.django.store.models import Effect
        Effect.objects.update(due_at=0)     # in half a minute
        assert answered(post(PAID)) == (200, b"success")
        assert HANDED == ["shop:paid::A1"]
        assert [arguments["kind"] for _, arguments in told] == ["paid"]


def test_an_error_tracker_sees_the_shops_frames_and_none_of_ours():
    import sys
    seen = []

    def tracker(sender, request, **_):
        error = sys.exc_info()[1]
        while error is not None:
            trace = error.__traceback__
            while trace is not None:
                seen.append((type(error).__name__, trace.tb_frame.f_globals["__name__"], trace.tb_frame.f_code.co_name,
                             repr(trace.tb_frame.f_locals)))
                trace = trace.tb_next
            error = error.__cause__ or error.__context__
    got_request_exception.connect(tracker)
    try:
        with django_shop.without_store(django_shop.own_table(NOTIFIED=django_shop.fail)):
            assert django_shop.call("POST", NOTIFY, PAID, genuine.FORM + "utf-8").status == 500
    finally:
        got_request_exception.disconnect(tracker)
    assert [row[:3] for row in seen] == [
        ("ZeroDivisionError", "alipay_mapi.contrib.django.trackers", "tell_trackers"),
        ("ZeroDivisionError", "django_shop", "fail")]
    sign = genuine.sign(genuine.presign(genuine.FOREX))
    assert not [row for row in seen if sign in row[3] or genuine.MD5_KEY in row[3]]


@pytest.mark.parametrize("given", [{}, {"COLOUR": "red"}, None, {"MERCHANTS": {"shop": {"partner": "2088"}}},
                                   values(HANDLER="no.such.module"), values(MERCHANTS={"shop": merchant(md5_key="x")})])
def test_settings_that_cannot_work_are_answered_fail(given, monkeypatch):
    monkeypatch.setattr(views, "UNUSABLE", Seldom())     # other tests have used its room
    with override_settings(ALIPAY_MAPI=given), django_shop.logged() as lines:
        response = django_shop.call("POST", NOTIFY, PAID, genuine.FORM + "utf-8")
        assert (response.status, response.body) == (500, b"fail")
        assert django_shop.call("GET", django_shop.RETURN + "?a=b").status in (400, 503)
    assert any("ALIPAY_MAPI" in line for line in lines)


# --- signals ----------------------------------------------------------------------------------------------------------

def test_signals_are_sent_when_it_is_committed():
    on_disk = []

    def receiver(signal, **_):
        on_disk.append(django_shop.outcome_on_disk())
    with heard(signals.notify_verified, signals.trade_settled, signals.notify_rejected) as told:
        signals.notify_verified.connect(receiver)
        try:
            post(PAID)
        finally:
            signals.notify_verified.disconnect(receiver)
    assert [signal for signal, _ in told] == [signals.trade_settled, signals.notify_verified]
    assert on_disk == ["paid"]
    settled, verified = [arguments for _, arguments in told]
    assert (settled["shop"], settled["out_trade_no"], settled["kind"]) == ("shop", "A1", "paid")
    assert verified["notification"].is_paid is False and verified["decision"].outcome == "paid"


@pytest.mark.skipif(django.VERSION < (4, 1), reason="older ones do not know whose a transaction is")
def test_in_somebodys_transaction_nothing_is_taken_in():
    """Hostile: a middleware that begins one and rolls it back: success was said, and nothing would be stored."""
    with heard(signals.notify_verified, signals.trade_settled) as told:
        with transaction.atomic():
            assert answered(post(PAID)) == (503, b"fail")
    assert told == [] and outcome() == "open"
    assert answered(post(PAID)) == (200, b"success")


def test_a_receiver_that_raises_changes_nothing_and_is_logged():
    signals.notify_verified.connect(django_shop.fail)
    signals.trade_settled.connect(django_shop.fail)
    try:
        with django_shop.logged() as lines:
            assert answered(post(PAID)) == (200, b"success")
    finally:
        signals.notify_verified.disconnect(django_shop.fail)
        signals.trade_settled.disconnect(django_shop.fail)
    assert outcome() == "paid"
    assert len([line for line in lines if "a receiver of" in line and "ZeroDivisionError" in line]) == 2


def test_a_refund_is_told_by_a_signal_of_its_own():
    with heard(signals.trade_settled, signals.refund_settled) as told:
        post(PAID)
        post(genuine.message(genuine.changed(genuine.REFUND)))
    assert [(signal, arguments["kind"], arguments["detail"]) for signal, arguments in told] == [
        (signals.trade_settled, "paid", ""), (signals.refund_settled, "refunded", "R1")]


def test_what_is_refused_is_told_with_its_verdict():
    with heard(signals.notify_rejected) as told:
        post(PAID.replace(b"8.00", b"9.00"))
        post(PAID, NOTIFY + "nobody/")
        Client().get(NOTIFY)
    assert [(arguments["shop"], arguments["verdict"], arguments["status"]) for _, arguments in told] == [
        ("shop", "SignatureInvalid", 400), ("", "ConfigurationError", 404)]


# --- transactions -----------------------------------------------------------------------------------------------------

@pytest.fixture
def atomic_requests():
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = True
    connections.databases["default"]["ATOMIC_REQUESTS"] = True
    yield
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = False
    connections.databases["default"]["ATOMIC_REQUESTS"] = False


class Looks(views.NotifyView):
    """Looks at what is committed while the answer is on its way."""

    def dispatch(self, request, *args, **kwargs):
        response = super().dispatch(request, *args, **kwargs)
        response["X-Outcome"] = django_shop.outcome_on_disk()
        return response


class Tears(views.NotifyView):
    def dispatch(self, request, *args, **kwargs):
        super().dispatch(request, *args, **kwargs)
        raise LookupError("after the answer")


def test_with_atomic_requests_it_is_committed_before_it_is_answered(atomic_requests, monkeypatch):
    import urls_under_test
    from django.urls import clear_url_caches
    extra = [urls_under_test.url("^looks/$", Looks.as_view()), urls_under_test.url("^tears/$", Tears.as_view())]
    monkeypatch.setattr(urls_under_test, "urlpatterns", urls_under_test.urlpatterns + extra)
    clear_url_caches()
    watch("A3")
    assert post(PAID, "/looks/")["X-Outcome"] == "paid"
    response = django_shop.call("POST", "/tears/", genuine.message(dict(genuine.FOREX, out_trade_no="A3")),
                                genuine.FORM + "utf-8")
    assert response.status == 500
    assert outcome("A3") == "paid"
    clear_url_caches()


def test_a_response_middleware_that_fails_undoes_nothing(atomic_requests):
    with override_settings(MIDDLEWARE=MIDDLEWARE + ["django_shop.FailsAfterwards"]):
        response = django_shop.call("POST", NOTIFY, PAID, genuine.FORM + "utf-8")
    assert response.status == 500 and outcome() == "paid"


def test_every_database_is_exempt_from_atomic_requests():
    view = views.NotifyView.as_view()
    assert view._non_atomic_requests == set(connections)
    assert view.csrf_exempt is True and view.login_required is False


def test_a_subclass_with_a_decorator_keeps_the_exemptions():
    @method_decorator(lambda function: lambda *args, **kwargs: function(*args, **kwargs), name="dispatch")
    class Decorated(views.NotifyView):
        pass
    view = Decorated.as_view()
    assert view.csrf_exempt is True and "default" in view._non_atomic_requests


# --- a shop with a table of its own -----------------------------------------------------------------------------------

def test_a_shop_with_its_own_table_books_in_a_transaction_and_needs_none_of_ours():
    with django_shop.without_store():
        assert [answered(post(PAID)) for _ in range(2)] == [(200, b"success")] * 2
        assert NOTIFIED == [("shop", "A1", True)] * 2
        assert answered(post(genuine.message(dict(genuine.FOREX, total_fee="9.00")))) == (400, b"fail")
        assert answered(post(genuine.message(dict(genuine.FOREX, out_trade_no="A9")))) == (400, b"fail")
    assert Evidence.objects.count() == 0 and outcome() == "open"


def test_what_a_shop_has_booked_is_undone_when_it_raises():
    from django.contrib.auth.models import User

    def book(name, note):
        User.objects.create_user(note["out_trade_no"])
        raise ZeroDivisionError("booked by half")
    with django_shop.without_store(django_shop.own_table(NOTIFIED=book)):
        assert django_shop.call("POST", NOTIFY, PAID, genuine.FORM + "utf-8").status == 500
    assert User.objects.count() == 0


def test_the_handler_within_writes_in_the_transaction_that_records_the_effect():
    from django.contrib.auth.models import User

    def within(db, effect):
        assert connections["default"].in_atomic_block
        User.objects.create_user(effect.out_trade_no)
    with shop(values(HANDLER=None, WITHIN=within)), heard(signals.trade_settled) as told:
        assert [answered(post(PAID)) for _ in range(3)] == [(200, b"success")] * 3
    assert [user.username for user in User.objects.all()] == ["A1"]
    assert len(told) == 1


def test_a_missing_table_is_the_stores_trouble_and_says_the_cure():
    from django.db import connection
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE alipay_mapi_orders RENAME TO away")
    try:
        with django_shop.logged() as lines:
            assert answered(post(PAID)) == (503, b"fail")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO alipay_mapi_orders")
    assert any("manage.py migrate" in line for line in lines)


@pytest.mark.parametrize("given", [
    {"HANDLER": "django_shop.coroutine"}, {"HANDLER": None, "WITHIN": "django_shop.coroutine"},
    {"HANDLER": "django_shop.generator"}])
def test_a_coroutine_carries_nothing_out_and_is_not_taken_for_it(given):
    """Hostile: async def, as the newest Django's views may be. Nothing of it would run."""
    with shop(values(**given)):
        watch("C1")
        body = genuine.message(dict(genuine.FOREX, out_trade_no="C1"))
        answer = django_shop.call("POST", NOTIFY, body, genuine.FORM + "utf-8")
        assert (answer.status, answer.body) == (500, b"fail")
        from alipay_mapi.contrib.django.store.models import Effect
        assert Effect.objects.get(trade__out_trade_no="C1").done_at is None


def test_without_autocommit_nothing_is_taken_in():
    """Hostile: AUTOCOMMIT off, and nobody commits after the view."""
    transaction.set_autocommit(False)
    try:
        assert answered(post(PAID)) == (503, b"fail")
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert outcome() == "open"
