"""``verify``: what is genuine is shown, what is not is refused with exit code 4."""
import json

import pytest
from cli_samples import NOTE, PARTNER, TRADE, answer_xml, load, signed

from alipay_mapi.cli import verify as cli_verify

BODY = signed(NOTE)


@pytest.fixture
def verify(run, ini):
    def call(kind, data, *argv):
        return run("verify", kind, "--config", ini, *argv, stdin=data)
    return call


def test_a_paid_notification_is_paid_when_the_order_fits(verify):
    ran = verify("notify", BODY, "--order", "A1,8.00,USD", "--json")
    told = load(ran)
    assert ran.code == 0
    assert told["is_paid"] is True and told["passed"] == ["amount", "order", "party", "sign"]
    assert told["fields"]["total_fee"] == "8.00"


def test_without_an_order_nothing_is_paid(verify):
    told = load(verify("notify", BODY, "--json"))
    assert told["is_paid"] is False and set(told["unchecked"]) == {"order", "amount", "confirmed"}


@pytest.mark.parametrize("order, error", [
    ("A1,9.00,USD", "AmountMismatch"), ("A1,8.00,HKD", "CurrencyMismatch"), ("A2,8.00,USD", "OrderMismatch"),
    ("A1,8.00", "CurrencyMismatch"),
])
def test_an_order_that_does_not_fit_is_refused(verify, order, error):
    ran = verify("notify", BODY, "--order", order, "--json")
    assert (ran.code, load(ran)["error"]["class"]) == (4, error)


def test_an_order_priced_in_yuan_leaves_the_amount_open(verify):
    told = load(verify("notify", BODY, "--order", "A1,50.00,rmb,USD", "--json"))
    assert told["is_paid"] is False and "amount" in told["unchecked"]


@pytest.mark.parametrize("order", ["A1", "A1,x,USD", "A1,1.00,usd", ",1.00", "A1,1.00,USD,USD"])
def test_an_order_that_cannot_be_read_is_a_usage_error(verify, order):
    assert verify("notify", BODY, "--order", order).code == 2


@pytest.mark.parametrize("argument, price", [
    ("A1,8.00,USD", ("8.00", "USD", None)), ("A1,8.00", ("8.00", None, None)), ("A1,50.00,rmb", (None, None, "50.00")),
    ("A1,50.00,rmb,USD", (None, "USD", "50.00")), ("a,b,8.00,USD", ("8.00", "USD", None)),
])
def test_every_form_that_the_help_names_is_an_order(argument, price):
    from decimal import Decimal
    order = cli_verify._order(argument)
    total, currency, rmb = price
    assert (order.total_fee, order.currency, order.rmb_fee) == (
        total and Decimal(total), currency, rmb and Decimal(rmb))
    assert order.out_trade_no == argument[:argument.index("," + (total or rmb))]


def test_the_help_of_order_names_both_forms(run):
    for kind in ("notify", "return"):
        told = " ".join(run("verify", kind, "--help").out.split())
        assert "NO,AMOUNT[,CURRENCY]" in told and "NO,AMOUNT,rmb[,CURRENCY]" in told


@pytest.mark.parametrize("kind, word", [("notify", "notify_url"), ("return", "query string"), ("app", "resultStatus")])
@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n"])
def test_an_empty_message_says_what_was_expected(verify, kind, word, data):
    ran = verify(kind, data)
    assert ran.code == 4 and "there is nothing in it; expected is" in ran.err and word in ran.err


def test_a_url_without_a_query_says_what_was_expected(verify):
    assert "expected is the query string" in verify("return", b"https://shop.example/return").err


def test_messages_speak_of_options_and_not_of_arguments(verify, run):
    for options in ([], ["--json"]):
        told = verify("notify", BODY, *options).out
        assert "no --order was given" in told and "no --confirm was given" in told
        assert "order=" not in told and "confirm=" not in told
    ran = verify("response", answer_xml(TRADE), "--json")
    assert "--asked" in load(ran)["unchecked"]["order"]
    assert "--own: out_trade_no" in verify("return", signed(RETURN), "--own", "out_trade_no").err


def test_a_value_of_a_message_is_not_put_into_other_words(verify):
    note = dict(NOTE, subject="give order= and confirm= and asked=")
    assert "give order= and confirm= and asked=" in verify("notify", signed(note)).out
    assert load(verify("notify", signed(note), "--json"))["fields"]["subject"] == note["subject"]


def test_an_altered_notification_is_refused(verify):
    ran = verify("notify", BODY.replace(b"8.00", b"9.00"), "--json")
    assert (ran.code, load(ran)["error"]["class"]) == (4, "SignatureInvalid")
    assert "fields" not in load(ran)


def test_a_line_end_that_an_editor_added_is_not_part_of_the_message(verify):
    assert verify("notify", BODY + b"\r\n").code == 0


def test_the_content_type_is_checked(verify):
    assert verify("notify", BODY, "--content-type", "application/x-www-form-urlencoded; charset=utf-8").code == 0
    assert verify("notify", BODY, "--content-type", "application/json").code == 4


def test_the_message_can_be_a_file(run, ini, tmp_path):
    (tmp_path / "body.bin").write_bytes(BODY)
    assert run("verify", "notify", "body.bin", "--config", ini).code == 0


def test_a_file_that_is_not_there_is_a_usage_error(run, ini):
    ran = run("verify", "notify", "none.bin", "--config", ini, "--json")
    assert (ran.code, load(ran)["error"]["parameter"]) == (2, "FILE")


def test_message_and_key_cannot_both_be_stdin(run):
    assert run("verify", "notify", "-", "--partner", PARTNER, "--sign-type", "MD5", "--md5-key-file", "-",
               stdin=b"TESTONLYcanary0md5key0canary0123").code == 2


def test_the_buyer_is_masked_unless_asked_for(verify):
    for options in ([], ["--json"]):
        assert "forename@example.com" not in verify("notify", BODY, *options).out
        assert "for***@example.com" in verify("notify", BODY, *options).out
        assert "forename@example.com" in verify("notify", BODY, "--show-buyer", *options).out


def test_control_characters_of_a_message_do_not_reach_the_terminal(verify):
    ran = verify("notify", signed(dict(NOTE, subject="\x1b[2Jboo")))
    assert ran.code == 0
    assert "\x1b" not in ran.out and "\\x1b[2Jboo" in ran.out


def test_confirm_asks_the_gateway(verify, gateway):
    gateway.answers(b"true")
    assert "confirmed" in load(verify("notify", BODY, "--confirm", "--json"))["passed"]
    gateway.answers(b"false")
    ran = verify("notify", BODY, "--confirm", "--json")
    assert (ran.code, load(ran)["error"]["class"]) == (4, "NotifyNotGenuine")


RETURN = {"out_trade_no": "A1", "trade_no": "2018041121001003790200210315", "trade_status": "TRADE_FINISHED",
          "total_fee": "8.00", "currency": "USD"}


def test_a_return_is_verified_and_is_no_proof(verify):
    ran = verify("return", signed(RETURN), "--order", "A1,8.00,USD")
    assert ran.code == 0
    assert "not proof of payment" in ran.out
    assert "is_paid" not in load(verify("return", signed(RETURN), "--json"))


def test_a_return_may_be_the_whole_url_and_may_carry_our_own_parameters(verify):
    url = b"https://shop.example/return?session=5&" + signed(RETURN) + b"#top"
    assert verify("return", url, "--own", "session").code == 0
    assert verify("return", url).code == 4


def test_an_answer_is_verified_against_what_was_asked(verify):
    asked = ("--asked", "service=single_trade_query", "--asked")
    told = load(verify("response", answer_xml(TRADE), *(asked + ("out_trade_no=A1", "--json"))))
    assert told["signed"] is True and told["passed"] == ["order", "party", "sign"]
    ran = verify("response", answer_xml(TRADE), *(asked + ("out_trade_no=A2", "--json")))
    assert (ran.code, load(ran)["error"]["class"]) == (4, "OrderMismatch")


def test_an_altered_answer_is_refused(verify):
    ran = verify("response", answer_xml(TRADE).replace(b"52.10", b"0.01"), "--json")
    assert (ran.code, load(ran)["error"]["class"]) == (4, "ResponseSignatureInvalid")


def test_an_answer_that_says_no_gives_its_code(verify):
    ran = verify("response", b"<alipay><is_success>F</is_success><error>ILLEGAL_SIGN</error></alipay>", "--json")
    assert (ran.code, load(ran)["error"]["code"]) == (7, "ILLEGAL_SIGN")


def test_an_accepted_refund_is_not_called_refunded(verify):
    ran = verify("response", b"<alipay><is_success>T</is_success></alipay>", "--asked", "service=forex_refund")
    assert ran.code == 0
    assert ran.out.startswith("accepted") and "neither paid nor refunded" in " ".join(ran.out.split())


def test_an_app_result_that_alipay_signed_is_verified(run, fixtures, tmp_path):
    sample = json.loads((fixtures / "app_results" / "alipay-mobile-result-encoded-url.json").read_text("utf-8"))
    (tmp_path / "alipay.txt").write_text(sample["merchant"]["alipay_public_key"])
    (tmp_path / "result.txt").write_bytes(sample["raw"].encode("utf-8"))
    ran = run("verify", "app", "result.txt", "--partner", sample["merchant"]["partner"], "--sign-type", "RSA",
              "--alipay-public-key-file", "alipay.txt", "--json")
    assert ran.code == 0, ran.err
    assert load(ran)["success"] is True and load(ran)["fields"]["total_fee"] == "1"
    (tmp_path / "result.txt").write_bytes(sample["raw"].replace('total_fee="1"', 'total_fee="2"').encode("utf-8"))
    assert run("verify", "app", "result.txt", "--partner", sample["merchant"]["partner"], "--sign-type", "RSA",
               "--alipay-public-key-file", "alipay.txt").code == 4


def test_a_cancelled_app_payment_is_unsigned_and_no_error(run, fixtures):
    ran = run("verify", "app", "--partner", PARTNER, "--sign-type", "RSA2", "--alipay-public-key-file",
              fixtures / "keys" / "TEST-ONLY-rsa2048-public.pem", "--json",
              stdin=b"resultStatus={6001};memo={cancelled};result={}")
    assert ran.code == 0
    assert load(ran)["signed"] is False and load(ran)["result_status"] == "6001"


def test_junk_is_refused_and_not_an_internal_error(verify):
    for kind in ("notify", "return", "response"):
        for junk in (b"", b"\xff\xfe\x00", b"<", b"a" * 70000, b"sign=1&sign=2", b"%00=%ff"):
            assert verify(kind, junk).code == 4, (kind, junk[:9])
