"""``query``, ``refund``, ``notify-verify``: one call each, and the exit code says what may be done next."""
from urllib.parse import parse_qsl

import pytest
from cli_samples import PARTNER, TRADE, answer_xml, load

from alipay_mapi.errors import TransportError

REFUND = ("refund", "--out-trade-no", "A1", "--out-return-no", "R1", "--currency", "USD", "--return-amount", "1.00")
ACCEPTED = b"<alipay><is_success>T</is_success></alipay>"


def refused(code):
    return "<alipay><is_success>F</is_success><error>{}</error></alipay>".format(code).encode("ascii")


def test_a_query_shows_the_trade(run, ini, gateway):
    gateway.answers(answer_xml(TRADE))
    ran = run("query", "--out-trade-no", "A1", "--config", ini)
    assert ran.code == 0, ran.err
    assert "TRADE_FINISHED" in ran.out and "52.10" in ran.out
    assert "forename@" not in ran.out and "for***@example.com" in ran.out
    sent = dict(parse_qsl(gateway.calls[0].body.decode("ascii")))
    assert (sent["service"], sent["out_trade_no"], sent["partner"]) == ("single_trade_query", "A1", PARTNER)


def test_a_query_as_json_has_amounts_as_text(run, ini, gateway):
    gateway.answers(answer_xml(TRADE))
    told = load(run("query", "--trade-no", TRADE["trade_no"], "--config", ini, "--json", "--show-buyer"))
    assert told["fields"]["total_fee"] == "52.10" and told["fields"]["buyer_email"] == "forename@example.com"
    assert told["signed"] is True


def test_a_query_needs_a_number_and_names_its_options(run, ini):
    ran = run("query", "--config", ini)
    assert ran.code == 2
    assert "--out-trade-no" in ran.err and "--trade-no" in ran.err and "_no" not in ran.err
    assert load(run("query", "--config", ini, "--json"))["error"]["parameter"] == "trade_no"


def test_what_json_says_of_an_error_has_truth_values(run, ini, gateway):
    gateway.raises(TransportError("no connection", kind="connect", sent=False))
    error = load(run("query", "--out-trade-no", "A1", "--config", ini, "--json"))["error"]
    assert error["sent"] is False and error["kind"] == "connect"


@pytest.mark.parametrize("moment", ["20150320120000", "2015-03-20 12:00:00"])
def test_both_forms_of_a_refunds_time_are_taken(run, ini, gateway, moment):
    ran = run(*(REFUND + ("--config", ini, "--dry-run", "--json", "--gmt-return", moment)))
    assert load(ran)["would_send"]["gmt_return"] == "20150320120000"


@pytest.mark.parametrize("result, code, name", [
    (refused("TRADE_NOT_EXIST"), 7, "GatewayError"),
    (answer_xml(TRADE).replace(b"52.10", b"0.01"), 4, "ResponseSignatureInvalid"),
    (answer_xml(dict(TRADE, out_trade_no="A2")), 4, "OrderMismatch"),
    (TransportError("no connection", kind="connect", sent=False), 5, "TransportError"),
])
def test_what_a_query_comes_to_is_in_its_exit_code(run, ini, gateway, result, code, name):
    if isinstance(result, Exception):
        gateway.raises(result)
    else:
        gateway.answers(result)
    ran = run("query", "--out-trade-no", "A1", "--config", ini, "--json")
    assert (ran.code, load(ran)["error"]["class"], load(ran)["error"]["exit"]) == (code, name, code)


def test_a_refund_without_yes_is_not_sent(run, ini, gateway):
    ran = run(*(REFUND + ("--config", ini)))
    assert ran.code == 2 and gateway.calls == []
    assert "--yes" in ran.err
    assert "return_amount" in ran.out and "********" in ran.out


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(run, ini, gateway):
    ran = run(*(REFUND + ("--config", ini, "--dry-run", "--json", "--gmt-return", "20150320120000")))
    assert ran.code == 0 and gateway.calls == []
    assert load(ran)["sent"] is False
    assert load(ran)["would_send"] == {
        "service": "forex_refund", "partner": PARTNER, "_input_charset": "utf-8", "out_trade_no": "A1",
        "out_return_no": "R1", "currency": "USD", "return_amount": "1.00", "gmt_return": "20150320120000",
        "sign_type": "MD5", "sign": "********"}


def test_a_refund_with_yes_is_sent_once_and_is_accepted_not_refunded(run, ini, gateway):
    gateway.answers(ACCEPTED)
    ran = run(*(REFUND + ("--config", ini, "--yes")))
    assert ran.code == 0 and len(gateway.calls) == 1
    assert "neither paid nor refunded" in " ".join(ran.out.split())


def test_yes_and_dry_run_do_not_go_together(run, ini, gateway):
    assert run(*(REFUND + ("--config", ini, "--yes", "--dry-run"))).code == 2
    assert gateway.calls == []


@pytest.mark.parametrize("result, code, name", [
    (refused("RETURN_AMOUNT_EXCEED"), 7, "GatewayError"),
    (refused("SYSTEM_ERROR"), 8, "OutcomeUnknown"),
    (b"<html>oops</html>", 8, "OutcomeUnknown"),
    (TransportError("timed out", kind="timeout", sent=True), 8, "OutcomeUnknown"),
    (TransportError("no connection", kind="connect", sent=False), 5, "TransportError"),
])
def test_what_a_refund_comes_to_is_in_its_exit_code(run, ini, gateway, result, code, name):
    if isinstance(result, Exception):
        gateway.raises(result)
    else:
        gateway.answers(result)
    ran = run(*(REFUND + ("--config", ini, "--yes", "--json")))
    assert (ran.code, load(ran)["error"]["class"]) == (code, name)
    assert len(gateway.calls) == 1


def test_an_unknown_outcome_says_to_query_and_names_the_refund(run, ini, gateway):
    gateway.raises(TransportError("timed out", kind="timeout", sent=True))
    ran = run(*(REFUND + ("--config", ini, "--yes")))
    assert "Query before repeating" in ran.err
    told = load(run(*(REFUND + ("--config", ini, "--yes", "--json"))))["error"]
    assert (told["out_trade_no"], told["out_return_no"]) == ("A1", "R1")


@pytest.mark.parametrize("missing", ["--out-trade-no", "--out-return-no", "--currency", "--return-amount"])
def test_a_refund_that_lacks_something_is_a_usage_error(run, ini, gateway, missing):
    at = REFUND.index(missing)
    ran = run(*(REFUND[:at] + REFUND[at + 2:] + ("--config", ini, "--yes")))
    assert ran.code == 2 and missing + ": " in ran.err
    assert gateway.calls == []


def test_notify_verify_says_genuine(run, ini, gateway):
    gateway.answers(b"true")
    ran = run("notify-verify", "abc", "--config", ini, "--json")
    assert (ran.code, load(ran)["genuine"]) == (0, True)


def test_notify_verify_says_not_genuine_with_exit_code_4(run, ini, gateway):
    gateway.answers(b"false")
    ran = run("notify-verify", "abc", "--config", ini, "--json")
    assert (ran.code, load(ran)["genuine"], load(ran)["error"]["class"]) == (4, False, "NotifyNotGenuine")


def test_verbose_tells_of_the_call_on_stderr(run, ini, gateway):
    gateway.answers(answer_xml(TRADE))
    quiet = run("query", "--out-trade-no", "A1", "--config", ini)
    loud = run("query", "--out-trade-no", "A1", "--config", ini, "-vv")
    assert quiet.err == "" and "single_trade_query" in loud.err
    assert loud.out == quiet.out
