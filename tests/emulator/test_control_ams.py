"""The control API's calls of AMS: every one of the list, and what they refuse."""
import configparser
import json

import pytest

from alipay_mapi.emulator import control, merchants
from alipay_mapi.emulator.ams import cards, clients, codes
from alipay_mapi.emulator.control_table import AMS_CALLS
from alipay_mapi.migration.ams import Account
from ams_setup import AMS_KEYS, MERCHANT, PRODUCTION, SANDBOX, Shop, ams

P = "/payments/{payment_request_id}"


@pytest.fixture
def emulator():
    with ams() as one:
        one.place_payment("P1", order={"orderAmount": {"currency": "USD", "value": "1000"}, "orderDescription": "Tea",
                                       "referenceOrderId": "A1"})
        one.pay("P1")
        one.deliver()
        one.place_payment("P2")
        one.place_payment("C1", paymentMethod={"paymentMethodType": "CARD"})
        one.place_payment("C2", paymentMethod={"paymentMethodType": "CARD"})
        one.authorize("C2", "4444")
        one.ams_settings("md5", registration="review")
        Shop(one).registration(registrationRequestId="G1", productCodes=["CASHIER_PAYMENT"], merchantInfo={
            "referenceMerchantId": "M1", "merchantDisplayName": "Tea shop", "merchantMCC": "5499",
            "registrationDetail": {
                "legalName": "Tea Ltd", "registrationType": "ENTERPRISE_REGISTRATION_NO", "registrationNo": "1",
                "businessType": "ENTERPRISE"}})
        yield one


def call(emulator, method, path, arguments=None, query=b""):
    """(status, the JSON answer)."""
    body = b"" if arguments is None else json.dumps(arguments).encode("utf-8")
    reply = control.handle(emulator, method, path, query, body)
    assert reply.content_type == "application/json"
    return reply.status, json.loads(reply.body.decode("utf-8"))


def status(state):
    return lambda told: told["payment"]["payment_status"] == state


#: (method, path of the list) → (path, arguments, a check of the answer)
WORKS = {
    ("GET", "/payments"): ("/payments", {"limit": "1", "offset": "3"}, lambda told: [
        row["payment_request_id"] for row in told["payments"]] == ["P1"]),
    ("POST", "/payments"): ("/payments", {
        "payment_request_id": "P9", "merchant": "rsa", "sandbox": True,
        "paymentAmount": {"currency": "JPY", "value": "500"}}, lambda told: (
            told["payment"]["amount"], told["payment"]["client_id"]) == (500, "SANDBOX_5Y88000000000102")),
    ("GET", P): ("/payments/P1", {"client_id": PRODUCTION}, lambda told: [
        [one["acknowledged"] for one in row["deliveries"]] for row in told["payment"]["notifications"]] == [[True]]),
    ("POST", P + "/authorize"): ("/payments/C1/authorize", {"card": "1111"}, status("SUCCESS")),
    ("POST", P + "/challenge"): ("/payments/C2/challenge", {"passed": False}, status("FAIL")),
    ("POST", P + "/refuse"): ("/payments/P2/refuse", {"code": "RISK_REJECT", "client_id": PRODUCTION}, lambda told: (
        told["payment"]["payment_status"], told["payment"]["result_code"]) == ("FAIL", "RISK_REJECT")),
    ("POST", P + "/pend"): ("/payments/P2/pend", {"buyer": "buyer2@example.com"}, status("PENDING")),
    ("POST", P + "/resend"): ("/payments/P1/resend", None, lambda told: len(told["notify_id"]) == 34),
    ("POST", "/registrations/{registration_request_id}/review"): (
        "/registrations/G1/review", {"approved": False, "reason": "no shop there"}, lambda told: (
            told["registration"]["registration_status"], told["registration"]["reason"]) == (
                "REJECTED", "no shop there")),
    ("POST", "/ams/cards"): ("/ams/cards", {"card": "5555555555554444"}, lambda told: told["token"].startswith(
        "ALIPAY")),
    ("GET", "/ams/payment_code"): ("/ams/payment_code", {"what": "asks"}, lambda told: len(told["payment_code"]) == 18),
    ("GET", "/ams/requests"): ("/ams/requests", {"limit": "5"}, lambda told: [
        (one["call"], one["status"], one["signature_fits"]) for one in told["requests"]] == [
            ("merchants/registration", "S", True)]),
    ("GET", "/ams/clients"): ("/ams/clients", None, lambda told: {
        one["client_id"]: one["sandbox"] for one in told["clients"]}[SANDBOX] is True and len(told["clients"]) == 8),
    ("GET", "/ams/clients/{merchant}"): ("/ams/clients/md5", {"sandbox": "true"}, lambda told: (
        told["client"]["client_id"], set(told["client"]["settings"])) == (SANDBOX, set(clients.SETTINGS))),
    ("PUT", "/ams/settings/{merchant}"): (
        "/ams/settings/2088000000000101", {"sandbox": False, "pci": True, "no_access": ["payments/refund"]},
        lambda told: (told["client"]["client_id"], told["client"]["settings"]["pci"]) == (PRODUCTION, True)),
}
#: No JSON: its own test is below.
ELSEWHERE = {("GET", "/ams/clients/{merchant}/ini")}


def test_every_call_of_the_list_is_tried_here():
    assert {(row.verb, row.path) for row in AMS_CALLS} == set(WORKS) | ELSEWHERE
    assert set(AMS_CALLS) < set(control.CALLS)


@pytest.mark.parametrize("method, path", sorted(WORKS), ids=" ".join)
def test_every_call_of_the_list_works(emulator, method, path):
    where, arguments, check = WORKS[method, path]
    query = b""
    if method == "GET" and arguments:
        query, arguments = "&".join("{}={}".format(*pair) for pair in arguments.items()).encode(), None
    code, told = call(emulator, method, where, arguments, query)
    assert code == 200 and check(told), told


def test_the_list_names_the_faults_and_the_cards_of_ams(emulator):
    told = call(emulator, "GET", "/")[1]["emulator"]
    assert {"answer-sha1", "slow", "RISK_REJECT"} < set(told["ams_faults"])
    assert set(codes.CODES) - {"SUCCESS"} < set(told["ams_faults"])
    assert [card["number"] for card in told["cards"]] == [card.number for card in cards.CARDS]
    more = {one["path"]: one["more"] for one in told["calls"] if one["more"]}
    assert "paymentAmount" in more["/_emulator/payments"]
    assert more["/_emulator/ams/settings/{merchant}"] == sorted(clients.SETTINGS)
    assert more["/_emulator/settings/{merchant}"] == sorted(merchants.SETTINGS)


def test_the_calls_about_orders_are_about_payments_too(emulator):
    assert call(emulator, "POST", "/trades/P2/pay", {"partner": PRODUCTION})[1]["trade"]["payment_status"] == "SUCCESS"
    assert call(emulator, "POST", "/trades/P1/refund", {"amount": "2.50"})[1]["refund"]["amount"] == 250
    assert call(emulator, "POST", "/trades/C1/close")[1]["trade"]["payment_status"] == "FAIL"
    with ams() as other:
        other.place_payment("P3")
        call(other, "POST", "/trades/P3/pay_later", {"seconds": 60})
        other.advance(60)
        assert other.payment("P3")["payment_status"] == "SUCCESS"


@pytest.mark.parametrize("sandbox, client_id", [(b"", PRODUCTION), (b"sandbox=true", SANDBOX)])
def test_a_section_of_shop_ini_makes_an_account_that_ams_knows(emulator, sandbox, client_id):
    reply = control.handle(emulator, "GET", "/ams/clients/md5/ini", sandbox)
    assert (reply.status, reply.content_type) == (200, "text/plain")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(reply.body.decode("ascii"))
    values = dict(parser["md5.ams"])
    assert all("\n" not in value for value in values.values())
    account = Account(**values)
    assert (account.client_id, account.domain, account.key_version) == (client_id, emulator.base_url, "1")
    assert "".join(MERCHANT[0].split("-----")[2].split()) == values["private_key"]


def test_plain_http_to_another_machine_is_allowed_in_so_many_words(emulator):
    for url, told in (("http://192.0.2.1:8642", True), ("http://127.0.0.1:8642", False), ("https://x.test", False)):
        emulator.base_url = url
        assert (b"allow_http = true" in control.handle(emulator, "GET", "/ams/clients/md5/ini").body) is told


def test_no_token_and_no_card_is_listed(emulator):
    token = emulator.store_card("1111")
    shop = Shop(emulator)
    shop.place("T1", paymentMethod={"paymentMethodType": "CARD", "paymentMethodId": token})
    emulator.ams_settings("md5", pci=True)
    shop.place("T2", paymentMethod={"paymentMethodType": "CARD", "paymentMethodMetaData": {
        "cardNo": "4111111111111111", "expiryYear": "2030", "expiryMonth": "12", "cvv": "987"}})
    assert emulator.payment("T1")["payment_status"] == emulator.payment("T2")["payment_status"] == "SUCCESS"
    text = json.dumps(call(emulator, "GET", "/ams/requests"))
    assert "T2" in text and "4111111111111111" not in text and token not in text and "987" not in text


@pytest.mark.parametrize("method, path, arguments, parameter", [
    ("POST", "/payments", {}, "payment_request_id"),
    ("POST", "/payments", {"payment_request_id": "B1", "paymentamount": {}}, "paymentamount"),
    ("POST", "/payments", {"payment_request_id": "B1", "productCode": 5}, "productCode"),
    ("POST", "/payments", {"payment_request_id": "B1", "merchant": "nobody"}, "merchant"),
    ("POST", "/payments", {"payment_request_id": "B1", "sandbox": "yes"}, "sandbox"),
    ("POST", "/payments/C1/authorize", {"card": "4111111111111112"}, "card"),
    ("POST", "/payments/C2/challenge", {"passed": 1}, "passed"),
    ("POST", "/payments/P2/refuse", {"code": "SUCCESS"}, "code"),
    ("POST", "/payments/P2/pend", {"buyer": "nobody@example.com"}, "buyer"),
    ("PUT", "/ams/settings/md5", {"colour": "red"}, "colour"),
    ("PUT", "/ams/settings/md5", {"pci": "yes"}, "pci"),
    ("PUT", "/ams/settings/md5", {"no_access": ["payments/none"]}, "no_access"),
    ("POST", "/ams/cards", {"card": "1234"}, "card"),
])
def test_an_argument_that_cannot_be_is_refused_by_name(emulator, method, path, arguments, parameter):
    before = emulator.list_payments()
    code, told = call(emulator, method, path, arguments)
    assert (code, told["error"]["parameter"]) == (400, parameter), told
    assert emulator.list_payments() == before


@pytest.mark.parametrize("method, path", [
    ("GET", "/payments/B1"), ("POST", "/payments/B1/authorize"), ("POST", "/payments/P2/resend"),
    ("GET", "/ams/clients/nobody"), ("GET", "/ams/clients/nobody/ini"), ("PUT", "/ams/settings/nobody")])
def test_what_is_not_there_is_a_404(emulator, method, path):
    assert call(emulator, method, path)[0] == 404


@pytest.mark.parametrize("method, path, arguments, code", [
    ("POST", "/payments/P1/refuse", None, "ORDER_STATUS_INVALID"),
    ("POST", "/payments/P2/authorize", None, "ORDER_STATUS_INVALID"),
    ("POST", "/payments", {"payment_request_id": "P1", "productCode": "IN_STORE_PAYMENT"}, "PARAM_ILLEGAL"),
    ("POST", "/registrations/G9/review", None, "RECORD_NOT_FOUND"),
    ("POST", "/trades/P2/pay", {"buyer": "poor@example.com"}, "USER_BALANCE_NOT_ENOUGH")])
def test_what_the_rules_of_ams_forbid_is_a_409_with_the_code(emulator, method, path, arguments, code):
    status_, told = call(emulator, method, path, arguments)
    assert (status_, told["error"]["class"], told["error"]["code"]) == (409, "Refused", code)


def test_the_clients_are_listed_before_they_have_keys():
    made = dict(AMS_KEYS)
    with ams(keys=made) as emulator:
        call(emulator, "GET", "/ams/clients")
        assert emulator.ledger.count("ams_clients") == 0
