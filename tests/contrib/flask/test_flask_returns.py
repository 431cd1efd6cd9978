"""The return view: it proves nothing, keeps nothing private in an address, and never says "paid"."""
import pytest
from flask_desk import Desk, Told

from genuine import MD5_KEY, RETURN, changed, message

#: As a cross-border return is: no seller and no notify_id, unlike the mainland's.
BACK = message(changed(RETURN, buyer_email="canary.buyer@example.com"))


def private(answer):
    return answer.headers["Cache-Control"] == "no-store" and answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_buyer_who_is_back_sees_that_it_is_checked_and_the_order_is_asked_about_soon(desk):
    desk.watch()
    before = desk.row().due_at
    answer = desk.returns(BACK)
    page = answer.data.decode("utf-8")
    assert answer.status_code == 200 and private(answer)
    assert "We are checking" in page and "正在确认" in page and "A1" in page
    for word in ("sign", "canary", "2088", " paid!", "支付成功"):
        assert word not in page
    assert "script" not in page and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert desk.row().due_at < before and desk.row().outcome == "open" and desk.done == []


@pytest.mark.parametrize("where, location", [
    ("/orders/{out_trade_no}", "/orders/A1"), ("https://www.shop.example/o?n={out_trade_no}",
                                               "https://www.shop.example/o?n=A1")])
def test_a_path_or_an_address_is_where_the_buyer_goes(where, location):
    with Desk(RETURN_TO=where) as desk:
        answer = desk.returns(BACK)
    assert answer.status_code == 303 and private(answer)
    assert answer.headers["Location"].replace("http://localhost", "") == location


def test_an_endpoint_is_where_the_buyer_goes():
    with Desk(RETURN_TO="order") as desk:
        desk.app.add_url_rule("/o/<out_trade_no>/", "order", lambda out_trade_no: "")
        answer = desk.returns(message(changed(RETURN, out_trade_no="A-1_x")))
    assert answer.headers["Location"].replace("http://localhost", "") == "/o/A-1_x/"
    with Desk(RETURN_TO="orders") as desk:
        desk.app.add_url_rule("/orders/", "orders", lambda: "")
        answer = desk.returns(BACK)
    assert answer.headers["Location"].replace("http://localhost", "") == "/orders/?out_trade_no=A1"


@pytest.mark.parametrize("where", ["no_such_endpoint", "static", 5])
def test_where_the_configuration_is_wrong_the_buyer_still_sees_that_it_is_checked(where):
    with Told() as told, Desk(RETURN_TO=where) as desk:
        answer = desk.returns(BACK)
    assert answer.status_code == 200 and "We are checking" in answer.data.decode("utf-8")
    assert "ALIPAY_MAPI_RETURN_TO" in told.text


@pytest.mark.parametrize("query", [
    b"", b"out_trade_no=A1&is_success=T", message(RETURN, key="a key of somebody else, 32 signs"),
    BACK.replace(b"8.00", b"9.00"), b"out_trade_no=%3Cscript%3E&sign=x"])
def test_what_cannot_be_believed_gets_a_page_that_says_what_to_do(query):
    with Desk(RETURN_TO="/orders/{out_trade_no}") as desk:
        desk.watch()
        before = desk.row()
        answer = desk.returns(query)
        assert desk.row() == before
    page = answer.data.decode("utf-8")
    assert answer.status_code == 400 and private(answer)
    assert "Open your order" in page and "script>" not in page and "A1" not in page


def test_an_unknown_merchant_is_not_found(desk):
    assert desk.returns(BACK, "/alipay/return/other/").status_code == 404


def test_a_configuration_that_cannot_work_gets_a_page_all_the_same():
    with Told() as told, Desk(MERCHANTS={"shop": {"partner": "2088101122136241", "sign_type": "MD5"}}) as desk:
        answer = desk.returns(BACK)
    assert answer.status_code == 503 and "Traceback" not in told.text and "md5_key" in told.text


def test_a_return_that_nothing_is_watched_for_is_a_return(desk):
    assert desk.returns(BACK).status_code == 200


def test_a_return_is_answered_to_a_get_alone(desk):
    answer = desk.app.test_client().post("/alipay/return/", data=b"x=1")
    assert answer.status_code == 405


def test_nothing_of_the_address_is_left_for_what_runs_after_the_view(desk):
    import flask
    seen = []

    def look(response):
        request = flask.request
        seen.extend([request.url, request.full_path, request.query_string, dict(request.args), dict(request.values),
                     {name: value for name, value in request.environ.items() if isinstance(value, str)}])
        return response
    desk.app.before_request(lambda: [flask.request.args, flask.request.url, flask.request.full_path] and None)
    desk.app.after_request(look)
    desk.app.test_client().get("/alipay/return/?" + BACK.decode("ascii"), environ_overrides={
        "RAW_URI": "/alipay/return/?" + BACK.decode("ascii"), "REQUEST_URI": "/alipay/return/?x=canary"})
    assert len(seen) == 6
    assert "canary" not in repr(seen) and "sign=" not in repr(seen) and MD5_KEY not in repr(seen)
