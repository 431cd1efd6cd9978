"""``ams/card_secret.py``: a card number is sent and shown nowhere. The numbers are the card schemes' published test
ones."""
import copy
import json
import pickle

import pytest

from alipay_mapi.errors import (ConfigurationError, GatewayError, InvalidRequest, OutcomeUnknown,
                                ResponseSignatureInvalid, TransportError)
from alipay_mapi.migration.ams.card_secret import (CardNumber, SecurityCode, body_of, looks_like_a_number, secrets_in,
                                                   shows, without_secrets)
from alipay_mapi.migration.errors import NotDecided

NUMBER, CODE = "4111111111111111", "737"
SECRETS = (CardNumber(NUMBER), SecurityCode(CODE))


@pytest.mark.parametrize("secret, digits", [(CardNumber(NUMBER), NUMBER), (SecurityCode(CODE), CODE)])
def test_it_shows_in_nothing_that_python_prints(secret, digits):
    shown = [repr(secret), str(secret), "{}".format(secret), "%s %r" % (secret, secret), repr([secret]),
             repr({"a": secret}), ascii(secret)]
    assert not any(digits in text for text in shown) and not hasattr(secret, "__dict__")
    assert secret.reveal() == digits and copy.copy(secret) is secret and copy.deepcopy(secret) is secret
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(InvalidRequest) as caught:
            pickle.dumps(secret, protocol)
        assert digits not in str(caught.value)
    with pytest.raises(TypeError) as refused:
        json.dumps(secret)
    assert digits not in str(refused.value)


def test_blanks_and_hyphens_are_left_out_and_the_last_four_may_be_shown():
    assert CardNumber("4111 1111-1111 1111").reveal() == NUMBER and CardNumber("378282246310005").last_four == "0005"


@pytest.mark.parametrize("made, text", [
    (CardNumber, "41111111111"), (CardNumber, "4" * 20), (CardNumber, "4111a11111111111"),
    (CardNumber, 4111111111111111), (CardNumber, None), (CardNumber, ""), (CardNumber, "\uff14" + "\uff11" * 15),
    (CardNumber, NUMBER + "\n"),
    (SecurityCode, "12"), (SecurityCode, "12345"), (SecurityCode, 123)])
def test_what_is_none_is_refused_without_being_repeated(made, text):
    with pytest.raises(InvalidRequest) as caught:
        made(text)
    assert not text or str(text).strip() not in str(caught.value)


def test_the_body_holds_the_digits_in_their_places_and_nothing_else_changes():
    content = {"b": [{"cardNo": SECRETS[0]}, "x"], "a": {"cvv": SECRETS[1], "n": None, "é": True}}
    assert body_of(content) == ('{"b":[{"cardNo":"4111111111111111"},"x"],"a":{"cvv":"737","n":null,"é":true}}'
                                ).encode("utf-8")
    assert content["b"][0]["cardNo"] is SECRETS[0], "the caller's own is left alone"


def test_what_is_secret_in_a_body_is_found_at_any_depth():
    assert secrets_in({"a": [{"cardNo": SECRETS[0]}], "cvv": SECRETS[1]}) == SECRETS
    assert secrets_in({"cardNo": None, "a": "b", "n": 1}) == ()


@pytest.mark.parametrize("content, parameter", [
    ({"m": {"cardNo": NUMBER}}, "cardNo"), ({"m": [{"cardNo": NUMBER}]}, "cardNo"), ({"cardNo": [NUMBER]}, "cardNo"),
    ({"cardNo": int(NUMBER)}, "cardNo"), ({"cardNo": ""}, "cardNo"), ({"cardNo": SECRETS[1]}, "cardNo"),
    ({"cvv": CODE}, "cvv"), ({"cvv": SECRETS[0]}, "cvv"), ({"paymentRequestId": SECRETS[0]}, "paymentRequestId"),
    ({"paymentMethodMetaData": '{"cardNo":"%s"}' % NUMBER}, "paymentMethodMetaData")])
def test_a_number_in_plain_text_or_in_the_wrong_place_is_refused_with_the_cure(content, parameter):
    with pytest.raises(InvalidRequest) as caught:
        secrets_in(content)
    assert caught.value.parameter == parameter and NUMBER not in str(caught.value) and CODE not in str(caught.value)
    if isinstance(content.get("cvv"), str):
        assert "SecurityCode" in str(caught.value) and "hosted_page" in str(caught.value)


@pytest.mark.parametrize("text", [NUMBER, "order 4111 1111 1111 1111", "4111-1111-1111-1111", "x" + NUMBER[:8],
                                  NUMBER + "9"])
def test_the_number_may_not_stand_in_another_member_too(text):
    with pytest.raises(InvalidRequest) as caught:
        secrets_in({"m": {"cardNo": CardNumber(NUMBER)}, "orderDescription": text})
    assert caught.value.parameter == "orderDescription" and "4111" not in str(caught.value)


@pytest.mark.parametrize("text, seen", [
    (NUMBER, True), ("a" + NUMBER[3:11] + "b", True), ("4111 1111", True), (NUMBER[:7], False), ("", False),
    ("20261122110441", False), ("411111112222222", True)])
def test_eight_digits_in_a_row_give_a_number_away(text, seen):
    assert shows((CardNumber("4111111112345678"),) if "2222" in text else SECRETS, text) is seen


def test_a_code_alone_gives_no_number_away():
    assert not shows((SecurityCode(CODE),), NUMBER + CODE)


@pytest.mark.parametrize("text, is_one", [
    (NUMBER, True), ("4111 1111 1111 1111", True), ("1" * 11, False), ("1" * 20, False),
    ("ALIPAY4111111111111111", False), (None, False)])
def test_digits_alone_look_like_a_number(text, is_one):
    assert looks_like_a_number(text) is is_one


class Foreign(TransportError):
    """A class of somebody else, with a constructor of its own."""

    def __init__(self):
        super().__init__("body was: " + NUMBER, kind="b:" + NUMBER, sent=False, host=NUMBER)


@pytest.mark.parametrize("error, expected", [
    (TransportError("body: 4111111111", kind="dns", sent=False), TransportError),
    (Foreign(), TransportError), (ConfigurationError("cvv=737"), ConfigurationError),
    (InvalidRequest("bad " + NUMBER, parameter=NUMBER), InvalidRequest),
    (GatewayError("pay: AMS said no: " + NUMBER, code=NUMBER, service="payments/pay"), GatewayError),
    (OutcomeUnknown("pay: kind 737", code="A-737", paymentRequestId="A1", other=NUMBER[:9]), OutcomeUnknown),
    (NotDecided("x " + NUMBER, code=NUMBER), NotDecided), (ResponseSignatureInvalid(NUMBER), ResponseSignatureInvalid)])
def test_an_error_that_quotes_the_card_is_told_in_other_words(error, expected):
    try:
        raise ValueError(NUMBER)
    except ValueError as cause:
        error.__cause__ = cause
    told = without_secrets(error, SECRETS, ("paymentRequestId",))
    assert type(told) is expected and told.__cause__ is None and told.__context__ is None
    whole = "{} {!r} {} {}".format(told, told, told.facts, vars(told))
    assert "4111" not in whole and "737" not in whole
    assert getattr(told, "sent", False) is False and told.facts.get("kind") in (None, "dns", "other")
    if expected is OutcomeUnknown:
        assert told.paymentRequestId == "A1"


def test_an_error_that_quotes_nothing_keeps_its_words_and_facts():
    error = GatewayError("payments/pay: AMS said no: RISK_REJECT", code="RISK_REJECT", service="payments/pay",
                         next="new")
    told = without_secrets(error, SECRETS, ())
    assert (str(told), told.facts) == (str(error), error.facts)
    assert without_secrets(error, (), ()) is error
