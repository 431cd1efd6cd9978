"""Calls to the gateway: what is asked, what is believed, what is repeated, and what is told when nobody knows.

The transport is a script of answers and faults, or ``loopback`` where sockets matter. Answers are signed here with
``hashlib`` alone (MD5: sorted names, joined, the key behind them), never with the library.
"""
import hashlib
import logging
import socket
import time
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from loopback import Loopback, hangs, http, resets, says

import alipay_mapi as mapi
from alipay_mapi.client import TextAnswer
from alipay_mapi.transport import Answer, RequestsTransport

KEY = "test0key0only0for0tests0abcdefgh"
PARTNER = "2088000000000001"
GATEWAY = "https://gateway.test/gateway.do"


def merchant(gateway=GATEWAY, **more):
    return mapi.Merchant(partner=PARTNER, sign_type="MD5", md5_key=KEY, gateway=gateway, **more)


def refusal(code):
    return ('<?xml version="1.0" encoding="GBK"?>\n<alipay><is_success>F</is_success><error>%s</error></alipay>'
            % code).encode()


def signed(container="trade", **elements):
    text = "&".join("{}={}".format(name, elements[name]) for name in sorted(elements))
    sign = hashlib.md5((text + KEY).encode("utf-8")).hexdigest()
    inner = "".join("<{0}>{1}</{0}>".format(name, value) for name, value in elements.items())
    return ('<?xml version="1.0" encoding="utf-8"?><alipay><is_success>T</is_success><response><{0}>{1}</{0}>'
            '</response><sign>{2}</sign><sign_type>MD5</sign_type></alipay>').format(container, inner, sign).encode()


ACCEPTED = b'<?xml version="1.0" encoding="GBK"?>\n<alipay>\n    <is_success>T</is_success>\n</alipay>'
HTML = b"<html><body>Service busy</body></html>"


def paid(out_trade_no="A1", **more):
    elements = dict(out_trade_no=out_trade_no, trade_no="2020011622001381441000075584", trade_status="TRADE_FINISHED",
                    total_fee="73.82", seller_id=PARTNER, buyer_email="b***@example.com")
    elements.update(more)
    return signed(**elements)


class Script:
    """A transport that gives the next of its answers (bytes, Answer or an exception), the last one for ever."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []

    def send(self, call):
        self.calls.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(200, "text/xml", answer)

    def hosts(self):
        return [urlsplit(call.url).hostname for call in self.calls]


class Clock:
    """Time that moves only when somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def client(*answers, **settings):
    """(Client, its script, its clock)."""
    script, clock = Script(*answers), Clock()
    shop = settings.pop("shop", None) or merchant(settings.pop("gateway", GATEWAY))
    return mapi.Client(shop, script, sleep=clock.sleep, clock=lambda: clock.now, **settings), script, clock


def lost(sent=True, kind="timeout"):
    return mapi.TransportError("gateway.test: no complete answer in time", kind=kind, host="gateway.test", sent=sent)


REFUND = dict(out_return_no="R1", out_trade_no="A1", return_amount="1.00", currency="USD", gmt_return="20200102030405")
MAINTAIN = dict(timestamp="2020-01-02 03:04:05", secondary_merchant_name="Tea", secondary_merchant_id="tea_1",
                secondary_merchant_industry="5812", register_country="JP", register_address="1 Street",
                site_infos='[{"site_type":"WEB","site_url":"https://tea.example/"}]')
STATUS = dict(timestamp="2020-01-02 03:04:05", secondary_merchant_id="tea_1", payment_method="ONLINE_PAYMENT")


# --- reads ------------------------------------------------------------------------------------------------------

def test_a_query_is_posted_signed_and_its_answer_checked_against_the_question():
    api, script, _ = client(paid())
    answer = api.single_trade_query(out_trade_no="A1")
    assert answer.trade_status == "TRADE_FINISHED" and answer.signed and "order" in answer.passed
    call, = script.calls
    sent = dict(parse_qsl(call.body.decode("ascii"), strict_parsing=True))
    sign = sent.pop("sign")
    text = "&".join("{}={}".format(name, sent[name]) for name in sorted(sent) if name != "sign_type")
    assert sign == hashlib.md5((text + KEY).encode()).hexdigest()
    assert sent == {"service": "single_trade_query", "partner": PARTNER, "_input_charset": "utf-8",
                    "out_trade_no": "A1", "sign_type": "MD5"}
    assert (call.method, call.url) == ("POST", GATEWAY + "?_input_charset=utf-8")
    assert call.headers == {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def test_a_merchant_that_sends_no_charset_names_none_in_the_header():
    api, script, _ = client(paid(), shop=merchant(input_charset=None))
    api.single_trade_query(trade_no="2020011622001381441000075584")
    assert script.calls[0].url == GATEWAY
    assert script.calls[0].headers == {"Content-Type": "application/x-www-form-urlencoded"}


def test_an_order_that_alipay_does_not_know_is_a_gateway_error_with_its_code():
    api, script, _ = client(refusal("TRADE_NOT_EXIST"))
    with pytest.raises(mapi.GatewayError) as caught:
        api.single_trade_query(out_trade_no="A1")
    assert (caught.value.code, caught.value.service) == ("TRADE_NOT_EXIST", "single_trade_query")
    assert len(script.calls) == 1


@pytest.mark.parametrize("answer, error", [
    (paid("A2"), mapi.OrderMismatch), (paid(seller_id="2088000000000002"), mapi.PartyMismatch),
    (paid().replace(b"73.82", b"73.83"), mapi.ResponseSignatureInvalid), (ACCEPTED, mapi.ResponseSignatureMissing),
])
def test_an_answer_to_a_query_that_is_not_trusted_is_raised_and_not_asked_for_again(answer, error):
    api, script, _ = client(answer)
    with pytest.raises(error):
        api.single_trade_query(out_trade_no="A1")
    assert len(script.calls) == 1


@pytest.mark.parametrize("fault", [lost(), lost(sent=False), Answer(502, "text/html", HTML), HTML, b"{}", b"<alipay>",
                                   Answer(429, "", b"slow down"), RuntimeError("not of this library")])
def test_T71_a_read_is_repeated_after_a_transport_fault_with_growing_pauses(fault):
    api, script, clock = client(fault, fault, paid())
    assert api.single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"
    assert len(script.calls) == 3
    first, second = clock.slept
    assert 0 < first < second < 1
    assert len({call.body for call in script.calls}) == 1


@pytest.mark.parametrize("fault", [lost(), Answer(503, "text/html", HTML), HTML, b"{}", b"<alipay>"])
def test_T71_a_read_that_never_gets_an_answer_is_a_transport_error(fault):
    api, script, _ = client(fault)
    with pytest.raises(mapi.TransportError):
        api.single_trade_query(out_trade_no="A1")
    assert len(script.calls) == 3


def test_T71_an_unsigned_no_is_a_no_of_the_gateway_and_never_a_response():
    api, _, _ = client(refusal("TRADE_HAS_CLOSE"))
    with pytest.raises(mapi.GatewayError):
        api.single_trade_query(out_trade_no="A1")


def test_T61_all_repetitions_share_one_budget():
    clock = Clock()

    class Slow(Script):
        def send(self, call):
            clock.now += min(call.timeout, 10)
            return super().send(call)

    script = Slow(lost())
    api = mapi.Client(merchant(), script, retries=9, budget=15, sleep=clock.sleep, clock=lambda: clock.now)
    with pytest.raises(mapi.TransportError):
        api.single_trade_query(out_trade_no="A1")
    assert clock.now - 100 <= 15.01 and len(script.calls) == 2
    assert script.calls[0].timeout == 15 and script.calls[1].timeout < 5


def test_no_repetition_when_none_is_wanted():
    api, script, clock = client(lost(), paid(), retries=0)
    with pytest.raises(mapi.TransportError):
        api.single_trade_query(out_trade_no="A1")
    assert len(script.calls) == 1 and clock.slept == []


def test_in_store_reads_fail_over_to_the_second_host_at_once():
    api, script, clock = client(lost(), signed("alipay", secondary_merchant_id="tea_1", status="FAILED"),
                                gateway=mapi.GATEWAY_INSTORE, retries=0)
    assert api.secmerchant_query_status(**STATUS)["status"] == "FAILED"
    assert script.hosts() == ["globalmapi.alipay.com", "intlmapi.alipay.com"] and clock.slept == []
    assert script.calls[1].url == "https://intlmapi.alipay.com/gateway.do?_input_charset=utf-8"


def test_other_gateways_have_no_second_host():
    api, script, _ = client(lost(), gateway=mapi.GATEWAY_INTL)
    with pytest.raises(mapi.TransportError):
        api.single_trade_query(out_trade_no="A1")
    assert set(script.hosts()) == {"intlmapi.alipay.com"}


# --- writes -----------------------------------------------------------------------------------------------------

def test_a_refund_that_is_accepted_is_not_yet_a_refund():
    api, script, _ = client(ACCEPTED)
    answer = api.forex_refund(**REFUND)
    assert answer.is_success and not answer.signed and len(script.calls) == 1
    assert dict(parse_qsl(script.calls[0].body.decode()))["out_return_no"] == "R1"


@pytest.mark.parametrize("fault", [
    lost(), lost(kind="broken"), Answer(500, "text/xml", ACCEPTED), Answer(302, "", b"moved"), HTML, b"true", b"",
    b"<alipay><is_success>T</is_success>", ACCEPTED.replace(b"T<", b"X<"), refusal("SYSTEM_ERROR"),
    refusal("SYSTEM_EXCEPTION"), refusal(""), refusal("A_CODE_OF_NEXT_YEAR"), RuntimeError("not of this library"),
    OSError("broken pipe"), ACCEPTED.replace(b"<alipay>", b"<!DOCTYPE alipay><alipay>"),
    ACCEPTED.replace(b"<alipay>", b"<alipay><response><x><a>1</a></x></response>"),
])
def test_T72_a_refund_without_a_usable_answer_is_outcome_unknown_and_is_not_repeated(fault):
    api, script, clock = client(fault, ACCEPTED)
    with pytest.raises(mapi.OutcomeUnknown) as caught:
        api.forex_refund(**REFUND)
    unknown = caught.value
    assert len(script.calls) == 1 and clock.slept == []
    assert (unknown.service, unknown.out_trade_no, unknown.out_return_no) == ("forex_refund", "A1", "R1")
    assert unknown.facts["code"] in (None, "", "SYSTEM_ERROR", "SYSTEM_EXCEPTION", "A_CODE_OF_NEXT_YEAR")
    assert "Query before repeating" in str(unknown) and "same out_return_no" in str(unknown)
    assert unknown.__context__ is None


@pytest.mark.parametrize("code", ["PURCHASE_TRADE_NOT_EXIST", "REPEATED_REFUNDMENT_REQUEST", "RETURN_AMOUNT_EXCEED",
                                  "ILLEGAL_SIGN"])
def test_T72_a_definite_no_to_a_refund_is_a_gateway_error(code):
    api, _, _ = client(refusal(code))
    with pytest.raises(mapi.GatewayError) as caught:
        api.forex_refund(**REFUND)
    assert caught.value.code == code


def test_T72_a_refund_that_surely_never_left_is_a_transport_error_and_still_not_repeated():
    api, script, _ = client(lost(sent=False, kind="connect"), ACCEPTED)
    with pytest.raises(mapi.TransportError):
        api.forex_refund(**REFUND)
    assert len(script.calls) == 1


@pytest.mark.parametrize("fault", [hangs(), resets(), resets(http(ACCEPTED)[:40]),
                                   says(http(ACCEPTED, length=500), then_close=True)])
def test_T72_a_time_out_after_a_refund_was_sent_over_a_socket(fault):
    with Loopback(fault, says(http(ACCEPTED))) as gateway:
        transport = RequestsTransport(read=0.2, total=2)
        api = mapi.Client(merchant(gateway.url), transport)
        with pytest.raises(mapi.OutcomeUnknown):
            api.forex_refund(**REFUND)
        assert len(gateway.requests) == 1
        assert api.forex_refund(**REFUND).is_success
        api.close()
    assert gateway.requests[0].body == gateway.requests[1].body, "the same out_return_no"


def test_T60_a_refund_to_a_gateway_that_refuses_connections_was_not_sent():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    api = mapi.Client(merchant("http://127.0.0.1:{}/gateway.do".format(port)))
    with pytest.raises(mapi.TransportError) as caught:
        api.forex_refund(**REFUND)
    assert caught.value.sent is False
    api.close()


def test_in_store_writes_never_go_to_the_second_host():
    answer = signed("alipay", result_code="SUCCESS")
    for sent, error in ((False, mapi.TransportError), (True, mapi.OutcomeUnknown)):
        api, script, _ = client(lost(sent=sent), answer, gateway=mapi.GATEWAY_INSTORE)
        with pytest.raises(error) as caught:
            api.secmerchant_online_maintain(**MAINTAIN)
        assert script.hosts() == ["globalmapi.alipay.com"]
    assert caught.value.secondary_merchant_id == "tea_1"


class Handing:
    """A transport that hands out what it is given."""

    def __init__(self, answer):
        self.answer = answer

    def send(self, call):
        return self.answer


@pytest.mark.parametrize("answer", [None, {}, "<alipay/>", Answer(200, "text/xml", "<alipay/>"),
                                    Answer("200", "text/xml", b"<alipay/>")])
def test_T72_whatever_a_transport_hands_out_for_a_refund_is_an_outcome_unknown_and_nothing_else(answer):
    api = mapi.Client(merchant(), transport=Handing(answer), sleep=lambda seconds: None)
    with pytest.raises(mapi.OutcomeUnknown):
        api.forex_refund(**REFUND)
    with pytest.raises(mapi.TransportError):
        api.single_trade_query(out_trade_no="A1")
    accepted = Answer(200, "text/xml", b"<alipay><is_success>T</is_success></alipay>")
    assert mapi.Client(merchant(), transport=Handing(accepted)).forex_refund(**REFUND).is_success


def test_a_fault_of_ones_own_transport_names_its_class_and_its_line_and_not_its_text():
    class Broken:
        def send(self, call):
            raise KeyError(call.url)
    with pytest.raises(mapi.OutcomeUnknown) as caught:
        mapi.Client(merchant(), transport=Broken()).forex_refund(**REFUND)
    with pytest.raises(mapi.TransportError) as caught:
        mapi.Client(merchant(), transport=Broken(), retries=0).single_trade_query(out_trade_no="A1")
    assert "KeyError (at test_client.py:" in str(caught.value) and "gateway.do" not in str(caught.value)


def test_the_library_writes_no_log_line_that_nobody_asked_for():
    """Without a handler of the program's own, logging would print every warning to standard error."""
    import logging
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("alipay_mapi").handlers)


@pytest.mark.parametrize("elements, error", [
    (dict(result_code="UNKNOW"), mapi.OutcomeUnknown), (dict(result_code="UNKNOWN"), mapi.OutcomeUnknown),
    (dict(result_code="FAIL", detail_error_code="SYSTEM_ERROR"), mapi.OutcomeUnknown),
    (dict(result_code="FAIL", detail_error_code="INVALID_PARAMETER"), mapi.GatewayError),
    (dict(result_code="FAIL"), mapi.GatewayError),
])
def test_T72_the_second_level_of_an_answer_to_a_write_is_read_too(elements, error):
    api, _, _ = client(signed("alipay", **elements))
    with pytest.raises(error):
        api.secmerchant_online_maintain(**MAINTAIN)


def test_T72_a_write_whose_answer_is_signed_with_another_key_is_outcome_unknown():
    hostile = signed("alipay", result_code="SUCCESS").replace(b"SUCCESS", b"success")
    api, _, _ = client(hostile)
    with pytest.raises(mapi.OutcomeUnknown) as caught:
        api.secmerchant_online_maintain(**MAINTAIN)
    assert "ResponseSignatureInvalid" in str(caught.value)


def test_an_unlisted_service_counts_as_a_write():
    api, script, _ = client(lost())
    with pytest.raises(mapi.OutcomeUnknown):
        api.call("alipay.acquire.overseas.spot.pay", {"partner_trans_id": "P1"})
    assert len(script.calls) == 1
    api, _, _ = client(signed("alipay", result_code="SUCCESS", partner_trans_id="P1"))
    assert api.call("alipay.acquire.overseas.spot.pay", {"partner_trans_id": "P1"})["partner_trans_id"] == "P1"


def test_without_the_key_that_checks_answers_nothing_is_sent(monkeypatch):
    shop = merchant()
    script = Script(ACCEPTED)

    def missing(self):
        raise mapi.MissingKey("alipay_public_key: needed")

    monkeypatch.setattr(mapi.Merchant, "checking_keys", property(missing))
    with pytest.raises(mapi.MissingKey):
        mapi.Client(shop, script).forex_refund(**REFUND)
    assert script.calls == []


# --- notify_verify ----------------------------------------------------------------------------------------------

def verdict_of(*bodies, **settings):
    api, script, _ = client(*[body if isinstance(body, (Answer, Exception)) else Answer(200, "text/plain", body)
                              for body in bodies], **settings)
    return api, script


@pytest.mark.parametrize("body, verdict", [(b"true", True), (b"false", False), (b" true\r\n", True)])
def test_the_gateways_word_is_the_verdict(body, verdict):
    api, script = verdict_of(body)
    assert api.notify_verify("RqPnCoPT3K9abc") is verdict
    call, = script.calls
    assert (call.method, call.body) == ("GET", None)
    assert call.url == GATEWAY + "?service=notify_verify&partner=" + PARTNER + "&notify_id=RqPnCoPT3K9abc"


@pytest.mark.parametrize("status", [500, 204, 302, 404])
def test_T62_status_500_with_true_is_not_accepted(status):
    api, _ = verdict_of(Answer(status, "text/plain", b"true"))
    with pytest.raises(mapi.TransportError):
        api.notify_verify("abc")


@responses.activate
def test_T62_status_500_with_true_is_not_accepted_from_requests_either():
    responses.add(responses.GET, GATEWAY, body=b"true", status=500)
    api = mapi.Client(merchant(), sleep=lambda seconds: None)
    with pytest.raises(mapi.TransportError):
        api.notify_verify("abc")
    assert len(responses.calls) == 3
    responses.replace(responses.GET, GATEWAY, body=b"true", status=200)
    assert api.notify_verify("abc") is True


def test_T63_a_redirect_is_not_followed():
    with Loopback(says(http(b"true"))) as other, \
            Loopback(says(http(b"", 302, Location=other.url)), says(http(b"true"))) as gateway:
        api = mapi.Client(merchant(gateway.url), retries=0)
        with pytest.raises(mapi.TransportError):
            api.notify_verify("abc")
        assert api.notify_verify("abc") is True
        api.close()
    assert other.requests == [] and len(gateway.requests) == 2


@pytest.mark.parametrize("body", [b"True", b"TRUE", b"<html>true", b"true1", b"truefalse", b"1", b"yes", b"{}",
                                  b"t r u e", b"\xef\xbb\xbftrue", b"true\x00", b"true<br>",
                                  b"<alipay><is_success>T</is_success></alipay>"])
def test_T64_only_the_bare_word_true_is_true(body):
    api, script = verdict_of(body)
    with pytest.raises(mapi.TransportError):
        api.notify_verify("abc")
    assert len(script.calls) == 3


@pytest.mark.parametrize("body, code", [(b"invalid", "invalid"), (b"ILLEGAL_SIGN", "ILLEGAL_SIGN"),
                                        (b"SYSTEM_EXCEPTION\n", "SYSTEM_EXCEPTION"),
                                        (refusal("ILLEGAL_PARTNER"), "ILLEGAL_PARTNER")])
def test_T64_any_other_word_of_the_gateway_is_a_gateway_error(body, code):
    api, _ = verdict_of(body)
    with pytest.raises(mapi.GatewayError) as caught:
        api.notify_verify("abc")
    assert (caught.value.code, caught.value.service) == (code, "notify_verify")


@pytest.mark.parametrize("hostile", [
    "abc&partner=2088000000000002", "abc?x=1", "abc#x", "abc def", "abc\r\nX: y", "a" * 257, "", "abc;partner=1",
    "\u8336", "abc\x00", None, b"abc", 5,
])
def test_T66_a_notify_id_with_another_partner_in_it_is_never_asked_about(hostile):
    api, script = verdict_of(b"true")
    with pytest.raises(mapi.InvalidRequest):
        api.notify_verify(hostile)
    assert script.calls == []
    assert api.notify_verify("abc") is True


@pytest.mark.parametrize("notify_id, first, second", [
    ("Rq%2Fvw%2F%2B9", "Rq%2Fvw%2F%2B9", "Rq%252Fvw%252F%252B9"), ("a+b%2F", "a%2Bb%2F", "a%2Bb%252F")])
def test_an_id_that_holds_escapes_is_asked_about_as_it_is_and_then_encoded_once_more(notify_id, first, second):
    api, script = verdict_of(b"false", b"true")
    assert api.notify_verify(notify_id) is True
    assert [call.url.partition("&notify_id=")[2] for call in script.calls] == [first, second]
    api, script = verdict_of(b"true")
    assert api.notify_verify(notify_id) is True and len(script.calls) == 1
    api, script = verdict_of(b"false")
    assert api.notify_verify(notify_id) is False and len(script.calls) == 2


@pytest.mark.parametrize("notify_id, asked", [("a+b/c=", "a%2Bb%2Fc%3D"), ("50%off", "50%25off"), ("ab", "ab")])
def test_other_ids_are_asked_about_once(notify_id, asked):
    api, script = verdict_of(b"false")
    assert api.notify_verify(notify_id) is False
    assert [call.url.partition("&notify_id=")[2] for call in script.calls] == [asked]


def test_a_spelling_reaches_the_wire_as_it_is():
    with Loopback(says(http(b"false"))) as gateway:
        api = mapi.Client(merchant(gateway.url))
        assert api.notify_verify("Rq%2Fvw%2f") is False
        api.close()
    assert [seen.target.partition("&notify_id=")[2] for seen in gateway.requests] == ["Rq%2Fvw%2f",
                                                                                       "Rq%252Fvw%252f"]


def test_T68_a_lying_true_does_not_cover_the_fields():
    api, script = verdict_of(b"true")
    fields = dict(notify_type="trade_status_sync", notify_id="abc", notify_time="2020-01-02 03:04:05",
                  out_trade_no="A1", trade_no="2020011622001381441000075584", trade_status="TRADE_FINISHED",
                  total_fee="1.00", currency="USD")

    def body(**changed):
        text = "&".join("{}={}".format(name, fields[name]) for name in sorted(fields))
        sign = hashlib.md5((text + KEY).encode()).hexdigest()
        pairs = dict(fields, sign=sign, sign_type="MD5", **changed)
        return "&".join("{}={}".format(*pair) for pair in pairs.items()).replace(" ", "+").encode()

    order = mapi.Order("A1", total_fee="1.00", currency="USD")
    with pytest.raises(mapi.SignatureInvalid):
        mapi.verify_notify(merchant(), body(total_fee="0.01"), order=order, confirm=api.notify_verify)
    assert script.calls == [], "the signature comes before any call of ours"
    assert mapi.verify_notify(merchant(), body(), order=order, confirm=api.notify_verify).is_paid
    assert len(script.calls) == 1


def test_T69_hosts_come_from_configuration_and_no_url_of_an_answer_is_fetched():
    api, script, _ = client(paid(body="http://evil.example/x", notify_url="http://evil.example/"))
    api.single_trade_query(out_trade_no="A1")
    api.single_trade_query(out_trade_no="A1")
    assert script.hosts() == ["gateway.test", "gateway.test"]


def test_T60_an_unreachable_gateway_leaves_a_notification_unconfirmed():
    api, _ = verdict_of(lost(sent=False, kind="connect"))
    with pytest.raises(mapi.TransportError):
        api.notify_verify("abc")


# --- call -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("service, cure", [
    ("create_forex_trade", "build_request(shop, service, params).url"),
    ("create_direct_pay_by_user", "build_request"),
    ("mobile.securitypay.pay", "build_order_string"), ("notify_verify", "Client.notify_verify")])
def test_services_that_no_server_asks_are_refused_with_the_way_to_go(service, cure):
    api, script, _ = client(ACCEPTED)
    with pytest.raises(mapi.InvalidRequest) as caught:
        api.call(service, {})
    assert cure in str(caught.value) and script.calls == []


RATES = b"20160504|100030|CHF|6.829600|\r\n20160504|100030|USD|6.516300|\r\n"


def test_a_rate_file_is_text_with_its_records():
    api, script, _ = client(Answer(200, "text/plain;charset=UTF-8", RATES))
    answer = api.call("forex_rate_file", {})
    assert isinstance(answer, TextAnswer) and answer.text == RATES.decode() and not answer.is_empty
    assert answer.lines == ("20160504|100030|CHF|6.829600|", "20160504|100030|USD|6.516300|")
    assert repr(answer) == "TextAnswer()"


@pytest.mark.parametrize("charset, declared", [("gbk", "text/plain; charset=GBK"), ("utf-8", "text/plain"),
                                               ("utf-8-sig", "")])
def test_a_file_is_decoded_strictly(charset, declared):
    row = "A1|1.00|USD|20200102030405||P|0.03|P|\u8336\u2028\u53f6"
    shop = merchant(input_charset="GBK") if charset == "gbk" else merchant()
    row = row.replace("\u2028", "") if charset == "gbk" else row
    api, _, _ = client(Answer(200, declared, row.encode(charset)), shop=shop)
    assert api.call("forex_compare_file", {"start_date": "20200102", "end_date": "20200102"}).lines == (row,)
    api, _, _ = client(Answer(200, "", b"A1|\xff\xff\xff|"))
    with pytest.raises(mapi.CharsetError):
        api.call("forex_rate_file", {})


@pytest.mark.parametrize("text", [b"File download failed:No balance account data in the period",
                                  b"File download failed: No balance amount data in the period"])
def test_no_data_in_the_period_is_an_empty_file(text):
    api, _, _ = client(Answer(200, "text/plain", text))
    answer = api.call("forex_liquidation_file", {"start_date": "20200102", "end_date": "20200102"})
    assert answer.is_empty and answer.lines == () and answer.text == ""


def test_a_failed_download_is_a_gateway_error_with_the_text_as_its_code():
    api, _, _ = client(Answer(200, "text/plain", b"File download failed:Over 10 days to Date period"))
    with pytest.raises(mapi.GatewayError) as caught:
        api.call("forex_compare_file", {"start_date": "20200102", "end_date": "20200202"})
    assert caught.value.code == "Over 10 days to Date period"


def test_an_xml_no_to_a_file_service_is_a_gateway_error():
    api, _, _ = client(refusal("ILLEGAL_SIGN"))
    with pytest.raises(mapi.GatewayError) as caught:
        api.call("forex_rate_file", {})
    assert caught.value.code == "ILLEGAL_SIGN"


@pytest.mark.parametrize("body", [HTML, b"upstream connect error", b"{}", b"true", b"\n \n"])
def test_T71_what_is_no_file_is_no_file(body):
    api, script, _ = client(Answer(200, "text/plain", body))
    with pytest.raises(mapi.TransportError):
        api.call("forex_rate_file", {})
    assert len(script.calls) == 3


def test_plain_http_to_another_machine_needs_allow_http_of_the_merchant():
    with responses.RequestsMock() as mock:
        mock.add(responses.GET, "http://gateway.test/gateway.do", body=b"true")
        api = mapi.Client(merchant("http://gateway.test/gateway.do", allow_http=True))
        assert api.notify_verify("abc") is True


# --- logs -------------------------------------------------------------------------------------------------------

def test_T100_debug_logs_of_whole_calls_hold_no_key_no_sign_no_query_and_no_buyer(caplog):
    caplog.set_level(logging.DEBUG)
    with Loopback(says(http(paid())), says(http(ACCEPTED)), says(http(b"true")), says(http(refusal("ILLEGAL_SIGN"))),
                  resets()) as gateway:
        api = mapi.Client(merchant(gateway.url), retries=0)
        api.single_trade_query(out_trade_no="A1")
        api.forex_refund(reason="buyer@example.com", **REFUND)
        api.notify_verify("abc")
        for _ in range(2):
            with pytest.raises((mapi.GatewayError, mapi.OutcomeUnknown)):
                api.forex_refund(**REFUND)
        api.close()
    signs = [dict(parse_qsl(seen.body.decode()))["sign"] for seen in gateway.requests if seen.body]
    assert len(signs) == 4 and "urllib3.connectionpool" in {record.name for record in caplog.records}
    for secret in signs + [KEY, "example.com", "service=notify", "notify_id=abc&", "partner=", PARTNER, "sign="]:
        assert secret not in caplog.text


def lines(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "alipay_mapi"]


def test_T101_a_call_is_one_line_with_the_verdict_the_ids_and_the_duration(caplog):
    caplog.set_level(logging.DEBUG)
    client(lost(), paid())[0].single_trade_query(out_trade_no="A1")
    for answer, error in ((refusal("TRADE_NOT_EXIST"), mapi.GatewayError), (lost(), mapi.TransportError)):
        with pytest.raises(error):
            client(answer, retries=0)[0].single_trade_query(out_trade_no="A1")
    with pytest.raises(mapi.OutcomeUnknown):
        client(lost())[0].forex_refund(**REFUND)
    verdict_of(b"false")[0].notify_verify("abc")
    (level, first), *rest = lines(caplog)
    assert level == "DEBUG" and first.startswith("single_trade_query out_trade_no=A1 verdict=answered seconds=0.")
    assert rest == [
        ("INFO", "single_trade_query out_trade_no=A1 verdict=GatewayError:TRADE_NOT_EXIST seconds=0.000"),
        ("WARNING", "single_trade_query out_trade_no=A1 verdict=TransportError:timeout seconds=0.000"),
        ("WARNING", "forex_refund out_trade_no=A1 out_return_no=R1 verdict=OutcomeUnknown seconds=0.000"),
        ("DEBUG", "notify_verify notify_id=abc verdict=false seconds=0.000")]


def test_T102_line_breaks_in_what_is_logged_are_escaped(caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(mapi.GatewayError):
        client(refusal("BAD&#10;forged line"))[0].single_trade_query(out_trade_no="A1")
    assert len(lines(caplog)) == 1 and "\n" not in lines(caplog)[0][1]
    with pytest.raises(mapi.GatewayError):
        client(refusal("TRADE_NOT_EXIST"))[0].single_trade_query(out_trade_no="A1")
    assert "TRADE_NOT_EXIST" in lines(caplog)[1][1]


def test_a_client_makes_its_transport_at_the_first_call_and_only_once():
    with Loopback(says(http(b"true"))) as gateway:
        api = mapi.Client(merchant(gateway.url))
        assert api._transport is None
        start = time.monotonic()
        assert api.notify_verify("abc") and api.notify_verify("abc")
        assert time.monotonic() - start < 15
        api.close()
    assert gateway.connections == 1


@pytest.mark.parametrize("elements", [
    dict(result_code="UNKNOW", error="TRADE_NOT_EXIST"),
    dict(result_code="UNKNOW", detail_error_code="BUYER_BALANCE_NOT_ENOUGH"),
    dict(result_code="PROCESSING"), dict(result_code="ORDER_SUCCESS_PAY_INPROCESS")])
def test_T72_only_a_plain_fail_is_a_definite_no_to_a_write(elements):
    """Hostile: a word that may mean yes, with a reason beside it. Genuine twin: FAIL with a definite reason."""
    api, _, _ = client(signed("alipay", **elements))
    with pytest.raises(mapi.OutcomeUnknown):
        api.secmerchant_online_maintain(**MAINTAIN)
    api, _, _ = client(signed("alipay", result_code="FAIL", detail_error_code="INVALID_PARAMETER"))
    with pytest.raises(mapi.GatewayError):
        api.secmerchant_online_maintain(**MAINTAIN)


@pytest.mark.parametrize("error", [mapi.SignatureInvalid("x"), mapi.GatewayError("x", code="Y")])
def test_T72_an_error_of_ours_from_anothers_transport_is_an_outcome_unknown_too(error):
    class Raising:
        def send(self, call):
            raise error
    with pytest.raises(mapi.OutcomeUnknown):
        mapi.Client(merchant(), transport=Raising()).forex_refund(**REFUND)
    with pytest.raises(mapi.InvalidRequest):
        mapi.Client(merchant(), transport=Raising()).call([], {})
