"""No key, sign, e-mail or phone on Werkzeug's debug page, in a log of any level, or in what was raised."""
import flask
import pytest
from flask_desk import CANARIES, Desk, Told, note
from werkzeug.debug import DebuggedApplication

from alipay_mapi import Order
from genuine import RETURN, changed, message
from migration_samples import dumped, notification_headers, pem, result

TEA = Order("A1", total_fee="8.00", currency="USD")
PRIVATE = dict(buyer_email=CANARIES[1], buyer_id="2088000000000042", body="call " + CANARIES[2])
NOTE = note(**PRIVATE)
AMS_KEY = pem("merchant-private")
AMS = {"shop": {"client_id": "CLIENT001", "private_key": AMS_KEY, "alipay_public_key": pem("platform-public"),
                "agent_token": "canary-agent"}}
BACK = message(changed(RETURN, buyer_email=CANARIES[1], body="call " + CANARIES[2]))


def signs():
    return [body.decode("ascii").partition("sign=")[2][:32] for body in (NOTE, BACK)]


def clean(*texts):
    """Nothing private in any of them."""
    for text in texts:
        for word in CANARIES + ("canary.buyer%40example.com", "2088000000000042", AMS_KEY.splitlines()[4],
                                "canary-agent") + tuple(signs()):
            assert word not in text, word


@pytest.fixture
def desk(tmp_path):
    """A shop in debug mode, whose own code raises wherever it can."""
    def raises(*_):
        raise ZeroDivisionError("the shop's own")
    with Desk(STORE="sqlite:///{}".format(tmp_path / "orders.db"), HANDLER=raises, AMS=AMS, RETURN_TO="/orders/",
              before=lambda app: app.config.update(DEBUG=True, PROPAGATE_EXCEPTIONS=True)) as one:
        yield one


def debug_page(desk, path, **options):
    """What the developer sees, and what is logged meanwhile."""
    client = desk.app.test_client()
    client.application.wsgi_app = DebuggedApplication(desk.app.wsgi_app, evalex=True)
    with Told() as told:
        answer = client.open(path, **options)
    page = answer.data.decode("utf-8", "replace")
    answer.close()
    return answer.status_code, page, told.text


def test_T84_a_page_of_the_shop_that_fails_beside_a_payment(desk):
    def order():
        payment = desk.alipay.payment(TEA, subject="Tea", timeout="30m")
        client = desk.alipay.client()
        raise RuntimeError("{!r} {!r} {!r} {!r}".format(payment, client, flask.current_app.config, desk.alipay))
    desk.app.add_url_rule("/order", "order", order)
    status, page, told = debug_page(desk, "/order")
    assert status == 500 and "RuntimeError" in page and "Traceback" in page
    clean(page, told)


@pytest.mark.parametrize("wrong", [
    {"MERCHANTS": {"shop": {"partner": "2088101122136241", "sign_type": "RSA2", "private_key": CANARIES[0] * 9}}},
    {"STORE": "mysql+nothing://root:{}@db/x".format(CANARIES[0])}, {"SITE_URL": "//" + CANARIES[1]},
    {"AMS": {"shop": dict(AMS["shop"], private_key=AMS_KEY[:700])}, "NEW_ORDERS": "ams"}, {"AMS": {"no": AMS["shop"]}},
    {"AMS": {"shop": dict(AMS["shop"], colour="red")}, "NEW_ORDERS": "ams"}])
def test_T84_a_configuration_that_cannot_work(wrong):
    with Desk(before=lambda app: app.config.update(DEBUG=True), **wrong) as desk:
        desk.app.add_url_rule("/order", "order", lambda: desk.alipay.payment(TEA, subject="Tea").url)
        status, page, told = debug_page(desk, "/order")
    assert status == 500 and "Error" in page
    clean(page, told)


def test_T100_a_notification_whose_handler_raises(desk):
    desk.watch()
    status, page, told = debug_page(desk, "/alipay/notify/", method="POST", data=NOTE,
                                    content_type="application/x-www-form-urlencoded")
    assert (status, page) == (500, "fail")
    assert "EffectFailed" in told and "out_trade_no=A1" in told
    clean(told)


@pytest.mark.parametrize("path, options", [
    ("/alipay/notify/", {"method": "POST", "data": NOTE, "content_type": "application/x-www-form-urlencoded"}),
    ("/alipay/return/?" + BACK.decode("ascii"), {})])
def test_T100_what_the_shop_runs_after_the_view_and_fails(desk, path, options):
    def fail(response):
        request = flask.request
        raise RuntimeError("{!r} {!r} {!r} {!r} {!r}".format(request, request.args, request.form, request.get_data(),
                                                             request.environ.get("QUERY_STRING")))
    desk.watch()
    desk.app.after_request(fail)
    status, page, told = debug_page(desk, path, **options)
    assert status == 500 and "RuntimeError" in page
    clean(page, told)


def test_T100_the_page_that_the_buyer_is_sent_to_and_that_fails(desk):
    desk.app.config["ALIPAY_MAPI_RETURN_TO"] = "order"

    def order(out_trade_no):
        raise RuntimeError("of the shop")
    desk.app.add_url_rule("/o/<out_trade_no>", "order", order)
    answer = desk.app.test_client().get("/alipay/return/?" + BACK.decode("ascii"))
    clean(str(answer.headers), answer.data.decode("utf-8"))
    status, page, told = debug_page(desk, "/o/A1")
    assert status == 500
    clean(page, told)


def test_T100_a_notification_of_ams_leaves_neither_its_body_nor_its_signature_behind(desk):
    body = dumped({"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
                   "paymentAmount": {"currency": "USD", "value": "800"},
                   "pspCustomerInfo": {"displayCustomerId": CANARIES[1]}})
    headers = notification_headers("/alipay/notify/", body)

    def fail(response):
        request = flask.request
        raise RuntimeError("{!r} {!r} {!r} {!r}".format(request, request.get_data(), dict(request.headers),
                                                        response.get_data()))
    desk.watch()
    desk.app.after_request(fail)
    status, page, told = debug_page(desk, "/alipay/notify/", method="POST", data=body, headers=headers,
                                    content_type="application/json")
    assert status == 500 and "RuntimeError" in page and "out_trade_no=A1" in told
    clean(page, told)
    assert headers["Signature"][-60:] not in page + told


def test_T100_T102_every_level_of_the_log_over_genuine_and_hostile_messages(desk):
    desk.watch()
    forged = NOTE[:-40] + b"0" * 8 + NOTE[-32:]
    with Told() as told:
        for body in (NOTE, NOTE, forged, b"out_trade_no=A1%0d%0aforged+line&sign=x", b"\xff" * 50, b""):
            desk.post(body)
        for query in (BACK, BACK[:-3] + b"000", b""):
            desk.returns(query)
    assert len(told.lines) >= 6
    assert not any("\n" in line or "\r" in line for line in told.lines)
    clean(told.text)


def test_T101_a_refused_message_is_told_with_its_ids_and_its_sender(desk):
    with Told() as told:
        desk.post(NOTE[:-1], environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    (line,) = [line for line in told.lines if line.startswith("notification ")]
    for part in ("verdict=", "out_trade_no=A1", "notify_id=9938e4a7a8c50aa92aede16c8ffb9cam3i", "remote=192.0.2.7",
                 "seconds="):
        assert part in line
