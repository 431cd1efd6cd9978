"""What is written about a message: ids and verdicts, and nothing else, at any level and over the whole flow."""
import logging

import pytest

from genuine import DIRECT, FOREX, MD5_KEY, RETURN, STRANGER, changed, form, message, sign, signed, presign
from web_setup import OwnTableDesk, StoreDesk, Told, raises

CANARY = "canary"
#: Where a buyer is named, and what only the signed text may hold.
PRIVATE = {"buyer_email": "canary-mail@example.com", "buyer_id": "2088canary",
           "seller_email": "canary-shop@example.com",
           "subject": "canary tea", "body": "canary 13800138000", "extra_common_param": "canary-extra"}
PHONE = "13800138000"


def secrets_of(body):
    """The sign, as it is on the wire and decoded."""
    text = body.decode("latin-1").partition("sign=")[2].partition("&")[0]
    return [text, text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")]


def everything(told):
    """All that a handler could write: the message, its arguments, its extras, tracebacks."""
    return "\n".join("{} {} {} {}".format(record.getMessage(), record.args, record.__dict__.get("alipay_mapi"),
                                          record.exc_info) for record in told.records)


@pytest.mark.parametrize("mode", [StoreDesk, OwnTableDesk])
@pytest.mark.parametrize("sign_type", ["MD5", "RSA", "RSA2"])
def test_T100_the_whole_flow_tells_no_key_sign_address_or_buyer(mode, sign_type):
    """Hostile: canaries wherever something private stands, and every way of being refused. Genuine: the order's number
    and the verdict are told."""
    private = changed(DIRECT, total_fee="8.00", **PRIVATE)
    del private["seller_email"]
    bodies = [message(private, sign_type), message(dict(private, total_fee="9.00"), sign_type),
              message(dict(private, seller_id=STRANGER), sign_type),
              form(dict(signed(private, sign_type), sign="beef")), form(private),
              form(dict(private, out_trade_no="B9")), message(changed(FOREX, currency="CNY"), sign_type)]
    returns = [message(changed(RETURN, **PRIVATE), sign_type), form(changed(RETURN, **PRIVATE))]
    with Told(logging.getLogger()) as told:
        for notified in (None, raises(ValueError("canary in an exception " + PHONE))):
            more = {"handler": notified or True} if mode is StoreDesk else {"notified": notified}
            with mode(sign_type, evidence=raises(KeyError("canary")), **more) as desk:
                desk.watch("A1", total_fee="8.00")
                for answer in (b"true", b"false", b"<html>canary</html>", OSError("canary")):
                    desk.gateway.answer = answer
                    for body in bodies:
                        desk.post(body, read=None)
                        desk.post(body, content_type="application/canary")
                    for query in returns:
                        desk.callbacks.returned("shop", query)
                desk.post(b"", read=raises(OSError("canary")))
    text = everything(told)
    assert "out_trade_no=A1" in text and "verdict=accepted" in text and "SignatureMissing" in text
    for line in text.splitlines():
        # the content type is the sender's own claim, and is told as such
        assert CANARY not in line.replace("application/canary", "") and PHONE not in line
    for secret in [MD5_KEY, "BEGIN", "http", "gateway.do"] + [each for body in bodies[:3] for each in secrets_of(body)]:
        assert secret and secret not in text


@pytest.mark.parametrize("value", ["A1\r\nnotification verdict=accepted", "A1\x1b[31m", "A1\u2028x", "A1\x85x"])
def test_T102_line_breaks_of_outside_are_escaped(value):
    """Hostile: a number that begins a line of its own. Genuine: one record, one line."""
    with StoreDesk() as desk, Told() as told:
        desk.post(form(dict(FOREX, out_trade_no=value, notify_id=value, trade_status=value)), remote=value)
        desk.post(message(changed(FOREX, out_trade_no=value)))
        desk.post(form(FOREX), name="shop", content_type="text/x" + value)
        assert len(told.lines) == 3
        for line in told.lines:
            assert line.isprintable() and len(line.splitlines()) == 1


def test_long_values_are_cut():
    with StoreDesk() as desk, Told() as told:
        desk.post(form(dict(FOREX, out_trade_no="A" * 5000, notify_id="B" * 5000)), remote="C" * 5000)
        line, = told.lines
        assert "A" * 64 + "…" in line and "A" * 65 not in line and "C" * 65 not in line and len(line) < 700


def test_a_claim_with_blanks_cannot_pass_for_another_fact():
    with StoreDesk() as desk, Told() as told:
        desk.post(form(dict(FOREX, out_trade_no="A1 verdict=accepted status=200")))
        line, = told.lines
        assert "out_trade_no='A1 verdict=accepted status=200'" in line


def test_T101_a_line_says_what_a_person_needs():
    """Hostile: refused, with what it claims to be about. Genuine: taken, with the same names."""
    with StoreDesk() as desk, Told() as told:
        desk.watch()
        desk.post(message(FOREX))
        desk.post(form(FOREX))
        taken, refused = told.records
    assert taken.levelno == logging.INFO and refused.levelno == logging.WARNING
    assert taken.name == "alipay_mapi.contrib"
    assert dict(taken.alipay_mapi, seconds=0) == {
        "out_trade_no": "A1", "notify_id": FOREX["notify_id"], "trade_status": "TRADE_FINISHED", "verdict": "accepted",
        "status": 200, "shop": "shop", "remote": "192.0.2.7", "seconds": 0}
    assert refused.alipay_mapi["verdict"] == "SignatureMissing" and refused.alipay_mapi["status"] == 400
    assert "no sign" in refused.getMessage()


def test_what_the_shop_raised_is_told_by_its_place_and_as_an_error():
    with OwnTableDesk(notified=raises(ValueError("canary"))) as desk, Told() as told:
        desk.post(message(FOREX))
        record, = told.records
        assert record.levelno == logging.ERROR
        assert "verdict=ValueError status=500" in record.getMessage()
        assert "raised at web_setup.py:" in record.getMessage() and CANARY not in record.getMessage()


def test_a_failing_handler_is_an_error_too():
    with StoreDesk(handler=raises(ValueError("canary"))) as desk, Told() as told:
        desk.watch()
        desk.post(message(FOREX))
        assert [(record.levelno, record.alipay_mapi["verdict"]) for record in told.records] == [
            (logging.ERROR, "EffectFailed")]


def test_a_body_in_another_charset_is_told_as_ascii():
    with StoreDesk() as desk, Told() as told:
        body = form(dict(FOREX, out_trade_no="订单".encode("gbk")))
        desk.post(body)
        assert told.lines[0].isascii() if hasattr(str, "isascii") else told.lines[0].encode("ascii")


def test_signs_made_for_this_file_are_what_they_seem():
    body = message(FOREX)
    assert secrets_of(body)[0] == sign(presign(FOREX))
