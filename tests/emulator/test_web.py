"""The WSGI app through Werkzeug's own client: gateway, cashier, pages, and who may use them."""
import hashlib
import io
import re
import sys
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.front import respond
from alipay_mapi.emulator.incoming import Incoming
from alipay_mapi.emulator.notifier import Answered
from alipay_mapi.emulator.reply import Reply

pytest.importorskip("werkzeug")
pytest.importorskip("jinja2")
pytest.importorskip("segno")

from werkzeug.test import Client, create_environ
from werkzeug.wrappers import Response

from alipay_mapi.emulator import web

MD5, POOR, LIMITED = "2088000000000101", "2088000000000903", "2088000000000904"
SHOP = "https://shop.example.com"


class Setup:
    def __init__(self, **options):
        self.sent = []
        self.emulator = Emulator(seed=1, frozen=True, base_url="http://localhost", sender=self.send)
        self.app = web.App(self.emulator, **options)
        self.browser = Client(self.app, Response)

    def send(self, delivery):
        self.sent.append(delivery)
        return Answered(200, "success")

    @property
    def key(self):
        return self.emulator.merchant("md5").shop_keys()["md5_key"]

    def order(self, number="A1", **more):
        """A path that brings an order; signed here, by hashlib."""
        params = {"service": "create_forex_trade", "partner": MD5, "_input_charset": "utf-8", "subject": "Green tea",
                  "out_trade_no": number, "total_fee": "10.00", "currency": "USD", "notify_url": SHOP + "/notify"}
        params.update(more)
        return "/gateway.do?" + signed(params, self.key)

    def place(self, number="A1", **more):
        answer = self.browser.get(self.order(number, **more))
        assert answer.status_code == 302
        return urlsplit(answer.headers["Location"]).path

    def press(self, path, action, **more):
        return self.browser.post(path, data=dict(more, action=action))

    def status(self, number="A1"):
        return self.emulator.trade(number)["trade_status"]


def signed(params, key, text=None):
    text = text or "&".join("{}={}".format(name, params[name]) for name in sorted(params) if params[name])
    sign = hashlib.md5((text + key).encode("utf-8")).hexdigest()
    return "&".join(name + "=" + quote(value, safe="") for name, value in params.items()) + "&sign=" + sign \
        + "&sign_type=MD5"


def text_of(answer):
    return answer.get_data(as_text=True)


def by_id(answer, name):
    """The text of the element with this id."""
    found = re.search('id="{}"[^>]*>([^<]*)<'.format(name), text_of(answer).replace("<wbr>", ""))
    return found.group(1) if found else None


@pytest.fixture
def setup():
    made = Setup()
    with made.emulator:
        yield made


# --- the gateway --------------------------------------------------------------------------------------------------

def test_a_signed_order_sends_the_browser_to_the_cashier(setup):
    answer = setup.browser.get(setup.order())
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://localhost/cashier/1")


def test_a_post_is_read_as_it_came(setup):
    body = signed({"service": "create_forex_trade", "partner": MD5, "_input_charset": "utf-8", "subject": "茶",
                   "out_trade_no": "A1", "total_fee": "10.00", "currency": "USD", "notify_url": SHOP}, setup.key)
    answer = setup.browser.post("/gateway.do?_input_charset=utf-8", data=body.encode("ascii"),
                                content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 302
    assert setup.emulator.trade("A1")["params"]["subject"] == "茶"


def test_a_server_gets_xml(setup):
    query = signed({"service": "single_trade_query", "partner": MD5, "_input_charset": "utf-8",
                    "out_trade_no": "A9"}, setup.key)
    answer = setup.browser.get("/gateway.do?" + query)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/xml"
    assert "<error>TRADE_NOT_EXIST</error>" in text_of(answer)
    assert "Content-Security-Policy" not in answer.headers


def test_a_query_with_bytes_beyond_ascii_is_answered(setup):
    environ = create_environ("/gateway.do", "http://localhost")
    environ["QUERY_STRING"] = "service=close_trade&subject=\xe8\x8c\xb6"
    seen = []
    body = b"".join(setup.app(environ, lambda status, headers: seen.append(status)))
    assert seen == ["200 OK"] and b"ILLEGAL_PARTNER" in body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
def test_the_gateway_takes_get_and_post_alone(setup, method):
    answer = setup.browser.open("/gateway.do", method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


def test_a_body_beyond_a_mebibyte_is_not_read(setup):
    answer = setup.browser.post("/gateway.do", data=b"a=" + b"b" * 1024 * 1024)
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "٣"])
def test_a_length_that_is_none_is_refused(setup, length):
    environ = create_environ("/gateway.do", "http://localhost", method="POST", data=b"a=b")
    environ["CONTENT_LENGTH"] = length
    seen = []
    list(setup.app(environ, lambda status, headers: seen.append(status[:3])))
    assert seen == ["413"]


def test_a_chunked_body_is_read_to_its_end(setup):
    environ = create_environ("/gateway.do", "http://localhost", method="POST")
    environ.pop("CONTENT_LENGTH", None)
    environ.update({"wsgi.input": io.BytesIO(b"service=nothing"), "wsgi.input_terminated": True})
    assert b"ILLEGAL_SERVICE" in b"".join(setup.app(environ, lambda status, headers: None))


def test_the_callers_address_and_referer_reach_the_gateway(setup):
    setup.emulator.settings("md5", referers=[SHOP])
    assert by_id(setup.browser.get(setup.order()), "error") == "ILLEGAL_REQUEST_REFERER"
    assert setup.browser.get(setup.order(), headers={"Referer": SHOP + "/buy"}).status_code == 302
    setup.emulator.settings("md5", allowed_ips=["10.0.0.1"])
    refused = setup.browser.get(setup.order(), environ_base={"REMOTE_ADDR": "10.0.0.2"}, headers={"Referer": SHOP})
    assert by_id(refused, "error") == "ILLEGAL_CLIENT_IP"


def query_with(setup, fault, **environ):
    setup.emulator.fail(fault, **({"seconds": 0} if fault == "slow" else {}))
    path = "/gateway.do?" + signed({"service": "single_trade_query", "partner": MD5, "out_trade_no": "A9",
                                    "_input_charset": "utf-8"}, setup.key)
    return setup.browser.get(path, environ_overrides=environ)


def test_a_broken_connection_is_the_servers_work(setup):
    class Broken(Exception):
        pass

    def misbehave(reply):
        raise Broken(reply.fault)

    for fault in ("slow", "reset", "half-answer"):
        with pytest.raises(Broken, match=fault):
            query_with(setup, fault, **{"alipay_mapi.misbehave": misbehave})


def test_without_such_a_server_half_of_the_body_is_left_out(setup):
    environ = create_environ(
        "/gateway.do?" + signed({"service": "single_trade_query", "partner": MD5, "out_trade_no": "A9"}, setup.key))
    setup.emulator.fail("half-answer")
    seen = {}
    body = b"".join(setup.app(environ, lambda status, headers: seen.update(headers)))
    assert 0 < len(body) < int(seen["Content-Length"])
    assert query_with(setup, "slow").status_code == 200


# --- the cashier --------------------------------------------------------------------------------------------------

def test_the_cashier_shows_the_order_and_that_its_sign_is_valid(setup):
    page = setup.browser.get(setup.place(return_url=SHOP + "/back"))
    assert page.status_code == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert by_id(page, "verdict") == "VALID"
    assert by_id(page, "amount").split() == ["10.00", "USD"]
    assert by_id(page, "presign") == (
        "_input_charset=utf-8&amp;currency=USD&amp;notify_url=https://shop.example.com/notify&amp;out_trade_no=A1&amp;"
        "partner=2088000000000101&amp;return_url=https://shop.example.com/back&amp;service=create_forex_trade&amp;"
        "subject=Green tea&amp;total_fee=10.00")
    for action in ("pay", "login", "close", "lose", "later"):
        assert 'name="action" value="{}"'.format(action) in text_of(page)
    assert "<svg" in text_of(page) and "http://localhost/cashier/1/qr" in text_of(page)
    assert "<script" not in text_of(page)


def test_paying_sends_the_browser_back_with_a_sign_that_fits(setup):
    path = setup.place(return_url=SHOP + "/back?shop=1")
    answer = setup.press(path, "pay")
    assert answer.status_code == 303 and answer.headers["Location"].startswith(SHOP + "/back?shop=1&")
    found = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    found.pop("shop")
    sign, _ = found.pop("sign"), found.pop("sign_type")
    text = "&".join("{}={}".format(name, found[name]) for name in sorted(found))
    assert sign == hashlib.md5((text + setup.key).encode("utf-8")).hexdigest()
    assert (found["out_trade_no"], found["trade_status"], setup.status()) == ("A1", "TRADE_FINISHED", "TRADE_FINISHED")


def test_without_a_return_url_the_cashier_shows_the_result(setup):
    path = setup.place()
    answer = setup.press(path, "pay")
    assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (303, path)
    page = setup.browser.get(path)
    assert by_id(page, "trade_status") == "TRADE_FINISHED" and 'value="pay"' not in text_of(page)
    assert "Paid at" in by_id(page, "done")


@pytest.mark.parametrize("return_url", ["javascript:alert(1)", "m.alipay.com", "http://[::1", "https://?x"])
def test_a_return_url_that_no_browser_may_follow_is_not_followed(setup, return_url):
    trade = setup.emulator.place("A1")
    setup.emulator.ledger.change("trades", trade, params=dict(trade["params"], return_url=return_url))
    answer = setup.press("/cashier/1", "pay")
    assert urlsplit(answer.headers["Location"]).path == "/cashier/1"


def test_the_first_button_of_the_form_pays_so_that_enter_does(setup):
    page = text_of(setup.browser.get(setup.place()))
    assert re.findall('<button[^>]*value="([a-z]*)"', page)[0] == "pay" and "autofocus" in page


def test_the_buyer_of_an_escrow_trade_says_that_the_goods_are_here(setup):
    order = {"service": "create_partner_trade_by_buyer", "partner": MD5, "_input_charset": "utf-8", "subject": "Tea",
             "out_trade_no": "E1", "price": "10.00", "quantity": "1", "payment_type": "1", "seller_id": MD5,
             "logistics_type": "EXPRESS", "logistics_fee": "0.00", "logistics_payment": "SELLER_PAY"}
    answer = setup.browser.get("/gateway.do?" + signed(order, setup.key))
    assert answer.status_code == 302, by_id(answer, "error")
    path = urlsplit(answer.headers["Location"]).path
    setup.press(path, "pay")
    assert setup.status("E1") == "WAIT_SELLER_SEND_GOODS"
    assert by_id(setup.press(path, "confirm"), "error") == "TRADE_STATUS_NOT_AVAILD"
    setup.emulator.trades.ship(setup.emulator.trade("E1"), "SF")
    assert 'value="confirm"' in text_of(setup.browser.get(path))
    assert setup.press(path, "confirm").status_code == 303
    assert setup.status("E1") == "TRADE_FINISHED"


def test_logging_in_is_a_step_of_its_own(setup):
    path = setup.place()
    assert setup.press(path, "login", buyer="buyer2@example.com").status_code == 303
    trade = setup.emulator.trade("A1")
    assert (trade["trade_status"], trade["buyer_email"]) == ("WAIT_BUYER_PAY", "buyer2@example.com")
    page = text_of(setup.browser.get(path))
    assert "Logged in as" in page and 'type="radio"' not in page and 'value="login"' not in page
    setup.press(path, "pay")
    assert setup.emulator.trade("A1")["buyer_email"] == "buyer2@example.com"


def test_close_closes_also_before_the_login(setup):
    path = setup.place()
    assert setup.press(path, "close").status_code == 303
    assert setup.status() == "TRADE_CLOSED"
    assert "Nothing was paid" in text_of(setup.browser.get(path))


def test_pay_but_lose_the_notification(setup):
    path = setup.place(return_url=SHOP)
    assert setup.press(path, "lose").headers["Location"].startswith(SHOP + "?")
    setup.emulator.deliver()
    assert setup.status() == "TRADE_FINISHED" and setup.sent == []
    assert "Its notification was lost" in text_of(setup.browser.get(path))


def test_pay_later_pays_by_itself_at_that_time(setup):
    path = setup.place(return_url=SHOP)
    assert urlsplit(setup.press(path, "later", delay="600").headers["Location"]).path == path
    assert by_id(setup.browser.get(path), "plan").startswith("The buyer has gone")
    setup.emulator.advance(599)
    assert setup.status() == "WAIT_BUYER_PAY"
    setup.emulator.advance(1)
    assert setup.status() == "TRADE_FINISHED" and len(setup.sent) == 1


@pytest.mark.parametrize("form", [{"action": "later", "delay": "7"}, {"action": "steal"},
                                  {"action": "pay", "buyer": "2088"}, {}, {"action": "later"}])
def test_a_form_that_is_none_of_ours_changes_nothing(setup, form):
    answer = setup.browser.post(setup.place(), data=form)
    assert answer.status_code == 400 and setup.status() == "NO_TRADE"
    assert 'role="alert"' in text_of(answer)


@pytest.mark.parametrize("buyer, code, after", [(POOR, "BUYER_BALANCE_NOT_ENOUGH", "NO_TRADE"),
                                                (LIMITED, "BEYOND_PAY_RESTRICTION", "NO_TRADE")])
def test_a_buyer_who_cannot_pay_is_told_so(setup, buyer, code, after):
    answer = setup.press(setup.place(total_fee="20.00"), "pay", buyer=buyer)
    assert answer.status_code == 409 and by_id(answer, "error") == code
    assert 'value="{}" checked'.format(buyer) in text_of(answer)
    assert setup.status() in (after, "WAIT_BUYER_PAY")
    assert setup.emulator.list_notifications() == []


def test_paying_twice_is_refused_and_the_state_shown(setup):
    path = setup.place()
    setup.press(path, "pay")
    answer = setup.press(path, "pay")
    assert by_id(answer, "error") == "TRADE_NOT_ALLOWED_PAY" and by_id(answer, "trade_status") == "TRADE_FINISHED"


def test_the_buyer_whom_the_order_names_is_chosen(setup):
    setup.emulator.place("A1")
    trade = setup.emulator.trade("A1")
    setup.emulator.ledger.change("trades", trade, params=dict(trade["params"], buyer_id="2088000000000902"))
    assert re.search('value="2088000000000902" checked', text_of(setup.browser.get("/cashier/1")))


def test_an_order_placed_by_a_call_has_no_sign_to_show(setup):
    setup.emulator.place("A1")
    page = setup.browser.get("/cashier/1")
    assert by_id(page, "verdict") is None and "placed by a call" in text_of(page)


def test_a_paid_order_leads_back_to_the_shop_by_a_button(setup):
    path = setup.place(return_url=SHOP + "/back")
    setup.press(path, "pay")
    assert "Back to shop.example.com" in text_of(setup.browser.get(path))
    before = len(setup.emulator.list_notifications())
    assert setup.press(path, "return").headers["Location"].startswith(SHOP + "/back?")
    assert len(setup.emulator.list_notifications()) == before


# --- the second browser -------------------------------------------------------------------------------------------

def test_a_second_browser_pays_and_the_first_one_goes_back(setup):
    path = setup.place(return_url=SHOP + "/back")
    first = setup.browser.get(path + "?wait=1")
    assert first.status_code == 200 and 'http-equiv="refresh"' in text_of(first)
    second = Client(setup.app, Response)
    assert by_id(second.get(path + "/qr"), "trade_status") == "NO_TRADE"
    assert urlsplit(second.post(path + "/qr", data={"action": "pay"}).headers["Location"]).path == path + "/qr"
    assert "Paid at" in by_id(second.get(path + "/qr"), "done")
    first = setup.browser.get(path + "?wait=1")
    assert first.status_code == 303 and first.headers["Location"].startswith(SHOP + "/back?")


def test_without_a_return_url_the_first_browser_sees_the_result(setup):
    path = setup.place()
    setup.press(path + "/qr", "pay")
    answer = setup.browser.get(path + "?wait=1")
    assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (303, path)


def test_a_second_browser_is_told_what_is_refused(setup):
    answer = setup.press(setup.place() + "/qr", "pay", buyer=POOR)
    assert by_id(answer, "error") == "BUYER_BALANCE_NOT_ENOUGH"


def test_waiting_for_an_order_that_is_closed_ends(setup):
    path = setup.place()
    setup.press(path, "close")
    assert setup.browser.get(path + "?wait=1").status_code == 303


# --- refused orders -----------------------------------------------------------------------------------------------

def test_a_refused_sign_is_explained_and_shown_without_the_key(setup):
    params = {"service": "create_forex_trade", "partner": MD5, "_input_charset": "utf-8", "subject": "Tea",
              "out_trade_no": "A1", "total_fee": "10.00", "currency": "USD"}
    text = "_input_charset=utf-8&currency=USD&out_trade_no=A1&partner=2088000000000101&service=create_forex_trade" \
        "&sign_type=MD5&subject=Tea&total_fee=10.00"
    answer = setup.browser.get("/gateway.do?" + signed(params, setup.key, text))
    assert answer.status_code == 200 and by_id(answer, "error") == "ILLEGAL_SIGN"
    assert by_id(answer, "verdict") == "INVALID"
    page = text_of(answer)
    assert 'data-name="sign_type-signed"' in page and "<del>" in page
    assert setup.key not in page and "/requests/1" in page
    shown = text_of(setup.browser.get("/requests/1"))
    assert 'data-name="sign_type-signed"' in shown and setup.key not in shown


def test_a_refused_value_names_the_parameter_and_says_that_the_sign_is_right(setup):
    answer = setup.browser.get(setup.order(currency="XYZ"))
    assert by_id(answer, "error") == "ILLEGAL_CURRENCY" and by_id(answer, "verdict") == "VALID"
    assert "currency" in text_of(answer)


def test_without_the_extra_a_refused_order_still_says_its_code(setup, monkeypatch):
    monkeypatch.setitem(sys.modules, "alipay_mapi.emulator.pages", None)
    monkeypatch.delattr("alipay_mapi.emulator.pages")
    query = urlsplit(setup.order(currency="XYZ")).query.encode("ascii")
    reply = respond(setup.emulator, Incoming("GET", query))
    assert b'id="error">ILLEGAL_CURRENCY<' in reply.body


def test_the_charset_in_the_body_alone_is_recognised_on_the_page_of_the_request(setup):
    body = signed({"service": "create_forex_trade", "partner": MD5, "_input_charset": "utf-8", "subject": "绿茶",
                   "out_trade_no": "A1", "total_fee": "10.00", "currency": "USD"}, setup.key)
    answer = setup.browser.post("/gateway.do", data=body.encode("ascii"),
                                content_type="application/x-www-form-urlencoded")
    assert by_id(answer, "error") == "ILLEGAL_SIGN"
    assert 'data-name="charset-in-body"' in text_of(answer)
    assert 'data-name="charset-in-body"' in text_of(setup.browser.get("/requests/1"))


# --- lists and what they open ---------------------------------------------------------------------------------------

def everything(setup):
    """Paths of every kind of page, after one of everything has happened."""
    path = setup.place("A1", return_url=SHOP + "/back")
    setup.press(path, "pay")
    setup.emulator.deliver()
    setup.emulator.refund("A1", "1.00")
    setup.browser.get(setup.order("A2", currency="XYZ"))
    setup.place("A3")
    return ["/", "/requests", "/notifications", "/trades/1", "/requests/1", "/requests/2", "/notifications/1",
            "/cashier/1", "/cashier/2", "/cashier/2/qr", "/cashier/2?wait=1"]


def test_the_overview_lists_and_links_everything(setup):
    everything(setup)
    page = text_of(setup.browser.get("/"))
    for path in ("/trades/1", "/trades/2", "/requests/1", "/requests/2", "/requests/3", "/notifications/1",
                 "/cashier/1"):
        assert 'href="{}"'.format(path) in page
        assert setup.browser.get(path).status_code == 200
    assert "acknowledged" in page and "ILLEGAL_CURRENCY" in page


def test_an_empty_emulator_says_where_to_begin(setup):
    assert "http://localhost/gateway.do" in text_of(setup.browser.get("/"))


def test_an_order_is_found_by_either_number(setup):
    setup.press(setup.place("A.1_2"), "pay")
    trade_no = setup.emulator.trade("A.1_2")["trade_no"]
    for wanted in ("A.1_2", trade_no):
        answer = setup.browser.get("/", query_string={"find": wanted})
        assert urlsplit(answer.headers["Location"]).path == "/trades/1"
    assert "No order has the number" in text_of(setup.browser.get("/?find=A9"))


def test_many_orders_come_in_pages(setup):
    for number in range(30):
        setup.emulator.place("B{}".format(number))
    first, second = [re.findall(">(B[0-9]+)</a>", text_of(setup.browser.get("/?page={}".format(n)))) for n in (1, 2)]
    assert len(first) == 25 and len(second) == 5 and first[0] == "B29"
    for page in ("0", "-3", "x", "9" * 40):
        assert setup.browser.get("/?page=" + page).status_code == 200


def test_a_notification_shows_its_deliveries_and_is_sent_again(setup):
    everything(setup)
    page = setup.browser.get("/notifications/1")
    assert by_id(page, "state") == "acknowledged" and ">200<" in text_of(page)
    assert setup.browser.post("/notifications/1").status_code == 303
    before = len(setup.sent)
    setup.emulator.deliver()
    assert before < len(setup.sent) and setup.sent[-1].notify_id in [one.notify_id for one in setup.sent[:-1]]


def test_a_request_shows_what_was_answered_with_the_sign_cut_short(setup):
    setup.press(setup.place("A1"), "pay")
    answer = setup.browser.get("/gateway.do?" + signed(
        {"service": "single_trade_query", "partner": MD5, "_input_charset": "utf-8", "out_trade_no": "A1"}, setup.key))
    sign = re.search("<sign>(.*)</sign>", text_of(answer)).group(1)
    page = text_of(setup.browser.get("/requests/2"))
    assert "TRADE_FINISHED" in page and sign not in page and sign[:8] in page


def test_the_request_of_a_refused_order_shows_no_xml_that_was_never_sent(setup):
    setup.browser.get(setup.order(currency="XYZ"))
    assert "What it answered" not in text_of(setup.browser.get("/requests/1"))


def test_no_page_shows_a_key_or_a_whole_sign(setup):
    for path in everything(setup):
        page = text_of(setup.browser.get(path))
        assert setup.key not in page
        assert not re.search("(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-z])", page), path


HOSTILE = "<script>alert(1)</script>'><img src=x onerror=alert(1)>{{ 7*7 }}"


def test_text_from_outside_is_escaped_on_every_page(setup):
    path = setup.place("A1", subject=HOSTILE, body=HOSTILE, return_url=SHOP)
    number = setup.emulator.trade("A1")["id"]
    setup.press(path, "pay")
    setup.emulator.deliver()
    refused = setup.browser.get(setup.order("A2", subject=HOSTILE, currency="<b>"))
    pages = [refused] + [setup.browser.get(one) for one in (
        "/", "/trades/{}".format(number), "/requests/1", "/requests/2", "/notifications/1", path, path + "/qr",
        "/?find=" + quote(HOSTILE))]
    hostile_name = "/gateway.do?service=create_forex_trade&partner={}&{}=1".format(MD5, quote(HOSTILE, safe=""))
    pages.append(setup.browser.get(hostile_name))
    for page in pages:
        assert "<script" not in text_of(page) and "<img" not in text_of(page) and "<b>" not in text_of(page)
    assert all("&lt;script&gt;" in text_of(pages[at]) for at in (0, 1, 2, 6)) and "{{ 7*7 }}" in text_of(pages[1])


def test_every_page_forbids_what_it_does_not_need(setup):
    for path in everything(setup) + ["/nothing"]:
        headers = setup.browser.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert headers["X-Frame-Options"] == "DENY" and headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in headers


def test_pages_are_whole_and_need_nothing_from_elsewhere(setup):
    for path in everything(setup) + ["/nothing"]:
        page = text_of(setup.browser.get(path))
        assert page.lstrip().startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
        assert re.findall('<link rel="stylesheet" href="([^"]*)"', page) == ["/static/style.css"]
        assert " style=" not in page and "<script" not in page
        ids = re.findall(' id="([^"]*)"', page)
        assert len(ids) == len(set(ids)), path
        assert not re.search('src="http', page)


def test_the_style_sheet_is_there_and_knows_the_dark(setup):
    answer = setup.browser.get("/static/style.css")
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in text_of(answer) and "url(" not in text_of(answer)


# --- who may ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/nothing", "/trades/99", "/trades/x", "/requests/99", "/notifications/99",
                                  "/cashier/99", "/cashier/99/qr", "/static/../web.py", "/static/x.css",
                                  "/trades/" + "9" * 30, "/gateway.do/x"])
def test_what_is_not_there_is_said_kindly(setup, path):
    answer = setup.browser.get(path)
    assert answer.status_code == 404 and "There is nothing here" in text_of(answer)


@pytest.mark.parametrize("method, path", [("POST", "/"), ("POST", "/trades/1"), ("DELETE", "/cashier/1"),
                                          ("PUT", "/notifications/1")])
def test_a_wrong_method_is_said_so(setup, method, path):
    answer = setup.browser.open(path, method=method)
    assert answer.status_code == 405 and answer.headers["Allow"]


def test_head_has_no_body(setup):
    answer = setup.browser.open("/", method="HEAD")
    assert answer.status_code == 200 and answer.data == b""


@pytest.mark.parametrize("host, allowed", [
    ("localhost:8642", True), ("127.0.0.1:8642", True), ("127.8.8.8", True), ("[::1]:8642", True),
    ("evil.example.com", False), ("localhost.evil.example.com", False), ("10.0.0.7", False), ("", False),
    ("[::1", False)])
def test_what_changes_something_is_done_under_the_emulators_own_name_alone(setup, host, allowed):
    path = setup.place()
    environ = create_environ(path, "http://localhost", method="POST", data={"action": "pay"})
    environ["HTTP_HOST"] = host
    seen = []
    list(setup.app(environ, lambda status, headers: seen.append(status[:3])))
    assert seen == ["303" if allowed else "403"]
    assert (setup.status() == "TRADE_FINISHED") is allowed


def test_any_host_lifts_the_check_of_the_name():
    setup = Setup(any_host=True)
    path = setup.place()
    environ = {"HTTP_HOST": "mapi.lab.example.com"}
    assert setup.browser.post(path, data={"action": "pay"}, environ_overrides=environ).status_code == 303


@pytest.mark.parametrize("origin, allowed", [("http://localhost", True), ("http://evil.example.com", False),
                                             ("null", False), ("http://localhost:81", False), ("http://[::1", False)])
@pytest.mark.parametrize("any_host", [False, True])
def test_another_website_cannot_press_the_buttons(origin, allowed, any_host):
    setup = Setup(any_host=any_host)
    path = setup.place()
    answer = setup.browser.post(path, data={"action": "pay"}, headers={"Origin": origin})
    assert (answer.status_code == 303) is allowed
    assert (setup.status() == "TRADE_FINISHED") is allowed


def test_the_control_api_gets_what_was_asked(setup, monkeypatch):
    asked = []

    def handle(*given):
        asked.append(given)
        return Reply(201, "application/json", b"{}")

    monkeypatch.setattr("alipay_mapi.emulator.control.handle", handle)
    answer = setup.browser.post("/_emulator/trades/A1/pay?partner=1&x=%41", data=b'{"buyer": 1}')
    assert (answer.status_code, answer.data, answer.headers["Content-Type"]) == (201, b"{}", "application/json")
    assert asked == [(setup.emulator, "POST", "/trades/A1/pay", b"partner=1&x=%41", b'{"buyer": 1}')]


def test_the_control_api_is_closed_to_other_websites(setup):
    for more in ({"environ_overrides": {"HTTP_HOST": "evil.example.com"}},
                 {"headers": {"Origin": "http://evil.example.com"}}):
        assert setup.browser.get("/_emulator/trades", **more).status_code == 403
        assert setup.browser.post("/_emulator/reset", **more).status_code == 403


def test_a_form_too_large_is_refused(setup):
    path = setup.place()
    answer = setup.browser.post(path, data={"action": "pay", "x": "y" * 1024 * 1024})
    assert answer.status_code == 413 and setup.status() == "NO_TRADE"


# --- what a person asks next --------------------------------------------------------------------------------------

def words(answer):
    """A page's text, without its tags."""
    return " ".join(re.sub("<[^>]*>", "", text_of(answer)).replace("&#39;", "'").split())


NOBODY = "None: the order names no notify_url, and the emulator has no --notify-url."


@pytest.mark.parametrize("default, named, said", [("", "", True), ("", SHOP, False), (SHOP, "", False)])
def test_an_order_without_an_address_says_why_nothing_is_notified(setup, default, named, said):
    setup.emulator.notifier.default_url = default
    setup.place("A1", notify_url=named)
    page = words(setup.browser.get("/trades/1"))
    assert (NOBODY in page) is said and ("None yet." in page) is not said


def test_the_id_of_a_return_is_no_notification_of_an_order_without_an_address(setup):
    order = setup.emulator.place("A1", service="create_direct_pay_by_user", return_url=SHOP)
    setup.press("/cashier/{}".format(order["id"]), "pay")
    page = words(setup.browser.get("/trades/{}".format(order["id"])))
    assert NOBODY in page and "returned" in page


@pytest.mark.parametrize("status, text, failed, told", [
    (0, "no answer: ConnectionError", "no answer: no connection (does the shop listen there?)",
     "no answer no connection (does the shop listen there?)"),
    (0, "connection refused", "no answer: connection refused", "no answer connection refused"),
    (500, "oops", "answered 500", "500 oops"), (200, "fine", "answered 200 without success", "200 fine")])
def test_a_failed_notification_says_why_and_when_the_next_try_is(setup, status, text, failed, told):
    setup.emulator.set_time("2024-03-01 12:00:00")
    setup.emulator.notifier.sender = lambda delivery: Answered(status, text)
    setup.press(setup.place("A1"), "pay")
    setup.emulator.deliver()
    for path in ("/", "/trades/1", "/notifications"):
        page = words(setup.browser.get(path))
        assert failed + "; next try at 2024-03-01 12:02:00 by the gateway's clock" in page, path
    page = setup.browser.get("/notifications/1")
    assert told in re.sub(" +", " ", re.sub("<[^>]*>", " ", text_of(page)))
    assert "2024-03-01 12:02:00 by the gateway's clock" in words(page) and "ConnectionError" not in text_of(page)


def test_what_is_acknowledged_has_no_next_try(setup):
    setup.press(setup.place("A1"), "pay")
    setup.emulator.deliver()
    assert "next try" not in words(setup.browser.get("/")) + words(setup.browser.get("/notifications/1"))


def links(setup, path, kind):
    """The rows that can be reached from here by clicking "All" and "Older"."""
    found = []
    while path:
        page = text_of(setup.browser.get(path))
        found += [int(number) for number in re.findall('href="/{}/([0-9]+)"'.format(kind), page)]
        older = re.findall('href="(/{0})">All {0}|href="(/{0}[^"]*)">Older'.format(kind), page)
        path = "".join(older[0]).replace("&amp;", "&") if older else ""
    return found


def test_every_request_in_the_log_can_be_reached_by_clicking(setup):
    for _ in range(1003):
        respond(setup.emulator, Incoming("GET", b"service=nothing"))
    page = setup.browser.get("/")
    assert "the newest 25 of 1000" in words(page)
    assert links(setup, "/", "requests") == list(range(1003, 978, -1)) + list(range(1003, 3, -1))
    assert "1 to 100 of 1000" in words(setup.browser.get("/requests"))
    assert "3 older ones can no longer be seen" in words(setup.browser.get("/requests?page=10"))
    assert 'href="/requests?page=1">Newer' in text_of(setup.browser.get("/requests?page=2"))


def test_every_notification_can_be_reached_by_clicking(setup):
    for number in range(130):
        setup.emulator.place("B{}".format(number), notify_url=SHOP)
        setup.emulator.pay("B{}".format(number))
    assert "the newest 25 of 130" in words(setup.browser.get("/"))
    assert links(setup, "/", "notifications") == list(range(130, 105, -1)) + list(range(130, 0, -1))


@pytest.mark.parametrize("kind", ["requests", "notifications"])
def test_a_list_that_is_whole_offers_no_more_of_it(setup, kind):
    everything(setup)
    assert "the newest" not in words(setup.browser.get("/"))
    for page in ("0", "-3", "x", "9", "9" * 40):
        answer = setup.browser.get("/{}?page={}".format(kind, page))
        assert answer.status_code == 200 and "Older" not in text_of(answer)


def test_the_history_names_each_amount_that_was_given_back(setup):
    setup.press(setup.place("A1"), "pay")
    setup.emulator.refund("A1", "1.00")
    setup.emulator.refund("A1", "2.50")
    page = words(setup.browser.get("/trades/1"))
    assert "Money was given back: 1.00 USD" in page and "Money was given back: 2.50 USD" in page


def test_the_cashier_says_what_the_second_buyer_and_a_phone_are_about(setup):
    path = setup.place("A1")
    page = words(setup.browser.get(path))
    assert "buyer2@example.com is like buyer1@example.com: there to try a second payer." in page
    alone = "a phone cannot reach this address unless the emulator was started with --host"
    assert alone in page and alone in words(setup.browser.get(path + "?wait=1"))
    setup.emulator.base_url = "http://192.0.2.7:8642"
    assert alone not in words(setup.browser.get(path))
