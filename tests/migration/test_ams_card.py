"""``ams/card.py``: the members of a card payment, and what excludes what. Expected values are written out by hand."""
import pytest

from alipay_mapi.errors import InvalidRequest
from alipay_mapi.migration.ams import card
from alipay_mapi.migration.ams.card import Features
from alipay_mapi.migration.ams.card_secret import CardNumber, SecurityCode

NUMBER = CardNumber("4111111111111111")
ADDRESS = {"region": "US", "state": "CA", "city": "Anytown", "address1": "1 Main St", "zipCode": "90210"}
ALL = Features(three_d_secure=True, upgrade=False, billing_address=ADDRESS, payer_email="a@shop.example",
               brand="CARTES_BANCAIRES", on_file=True, recurring="UNSCHEDULED")
METADATA = {"is3DSAuthentication": "true", "enableAuthenticationUpgrade": "false", "billingAddress": ADDRESS,
            "payerEmail": "a@shop.example", "selectedCardBrand": "CARTES_BANCAIRES", "isCardOnFile": "true",
            "recurringType": "UNSCHEDULED"}
WITHOUT_BUYER = Features(on_file=True, recurring="SCHEDULED", network_transaction_id="N1")


def raw(**changes):
    settings = dict(pci_qualified=True, expiry_month="12", expiry_year="29")
    return card.raw_card(changes.pop("number", NUMBER), **dict(settings, **changes))


def test_a_hosted_page_names_no_card_at_all():
    assert card.hosted_page(capture_mode="MANUAL") == {
        "paymentMethod": {"paymentMethodType": "CARD"},
        "paymentFactor": {"isAuthorization": "true", "captureMode": "MANUAL"}}


def test_a_stored_card_is_its_token():
    assert card.stored_card("ALIPAYab+/=", features=ALL) == {
        "paymentMethod": {"paymentMethodType": "CARD", "paymentMethodId": "ALIPAYab+/=",
                          "paymentMethodMetaData": METADATA},
        "paymentFactor": {"isAuthorization": "true"}}


def test_a_raw_card_is_for_pci_qualified_shops():
    made = raw(cvv=SecurityCode("737"), holder={"firstName": "Ann", "lastName": "Li"}, capture_mode="AUTOMATIC",
               features=Features(three_d_secure=False))
    metadata = made["paymentMethod"]["paymentMethodMetaData"]
    assert metadata.pop("cardNo") is NUMBER and isinstance(metadata.pop("cvv"), SecurityCode)
    assert made == {
        "paymentMethod": {"paymentMethodType": "CARD", "paymentMethodMetaData": {
            "expiryMonth": "12", "expiryYear": "29", "cardholderName": {"firstName": "Ann", "lastName": "Li"},
            "is3DSAuthentication": "false"}},
        "paymentFactor": {"isAuthorization": "true", "captureMode": "AUTOMATIC"}}
    assert "4111" not in repr(raw())


@pytest.mark.parametrize("flag", [False, None, 1, "true"])
def test_without_the_switch_a_raw_card_is_refused(flag):
    with pytest.raises(InvalidRequest, match="hosted_page"):
        raw(pci_qualified=flag)


def test_a_payment_without_the_buyer():
    assert card.stored_card("T1", features=WITHOUT_BUYER)["paymentMethod"]["paymentMethodMetaData"] == {
        "isCardOnFile": "true", "recurringType": "SCHEDULED", "networkTransactionId": "N1"}
    assert WITHOUT_BUYER.without_buyer and not ALL.without_buyer


@pytest.mark.parametrize("make, parameter", [
    (lambda: card.hosted_page(features=WITHOUT_BUYER), "features"),
    (lambda: card.hosted_page(features=Features(on_file=True)), "features"),
    (lambda: card.hosted_page(capture_mode="LATER"), "capture_mode"),
    (lambda: card.hosted_page(features={"brand": "VISA"}), "features"),
    (lambda: card.stored_card("4111 1111 1111 1111"), "token"), (lambda: card.stored_card(""), "token"),
    (lambda: card.stored_card("a\n"), "token"), (lambda: card.stored_card(None), "token"),
    (lambda: card.stored_card("x" * 2049), "token"),
    (lambda: card.stored_card("T", features=WITHOUT_BUYER._replace(three_d_secure=True)), "three_d_secure"),
    (lambda: card.stored_card("T", features=WITHOUT_BUYER._replace(upgrade=True)), "three_d_secure"),
    (lambda: card.stored_card("T", features=WITHOUT_BUYER._replace(on_file=None)), "network_transaction_id"),
    (lambda: card.stored_card("T", features=Features(on_file=False, network_transaction_id="N")),
     "network_transaction_id"),
    (lambda: raw(number="4111111111111111"), "number"), (lambda: raw(cvv="737"), "cvv"),
    (lambda: raw(cvv=SecurityCode("737"), features=WITHOUT_BUYER), "cvv"),
    (lambda: raw(expiry_month="13"), "expiry_month"), (lambda: raw(expiry_month="1"), "expiry_month"),
    (lambda: raw(expiry_month=12), "expiry_month"), (lambda: raw(expiry_year="2029"), "expiry_year"),
    (lambda: raw(expiry_year=29), "expiry_year"), (lambda: raw(holder={}), "holder"),
    (lambda: raw(holder="Ann Li"), "holder"), (lambda: raw(holder={"name": "Ann"}), "holder"),
    (lambda: raw(holder={"firstName": " "}), "holder")])
def test_what_excludes_each_other_or_is_no_value_is_refused(make, parameter):
    with pytest.raises(InvalidRequest) as caught:
        make()
    assert caught.value.parameter == parameter and "4111" not in str(caught.value)


@pytest.mark.parametrize("name, value", [
    ("three_d_secure", "true"), ("upgrade", 1), ("on_file", "false"), ("payer_email", "nobody"),
    ("payer_email", "a@" + "b" * 63), ("payer_email", "a@b\n"), ("brand", "visa"), ("brand", ""),
    ("recurring", "MONTHLY"),
    ("billing_address", {}), ("billing_address", {"city": "x"}), ("billing_address", {"region": "usa"}),
    ("billing_address", {"region": "US", "street": "x"}), ("billing_address", {"region": "US", "city": ""}),
    ("billing_address", {"region": "US", "zipCode": 90210}), ("billing_address", "US")])
def test_a_feature_with_another_value_is_refused(name, value):
    with pytest.raises(InvalidRequest) as caught:
        card.stored_card("T", features=Features(**{name: value}))
    assert caught.value.parameter == name


@pytest.mark.parametrize("value", ["", "a b", "x" * 257, 5])
def test_a_network_transaction_id_is_handed_on_as_it_came_or_refused(value):
    with pytest.raises(InvalidRequest, match="network_transaction_id"):
        card.stored_card("T", features=Features(on_file=True, network_transaction_id=value))


def test_features_show_their_names_and_not_the_buyers_address():
    assert repr(ALL) == ("Features(three_d_secure, upgrade, billing_address, payer_email, brand, on_file, recurring)")


@pytest.mark.parametrize("factor", [None, {}, {"isAuthorization": "false"}, {"isAuthorization": None}, "true"])
def test_a_card_payment_is_an_authorization(factor):
    with pytest.raises(InvalidRequest, match="isAuthorization"):
        card.check({"paymentMethod": {"paymentMethodType": "CARD"}, "paymentFactor": factor})
    card.check({"paymentMethod": {"paymentMethodType": "ALIPAY_CN"}, "paymentFactor": factor})
    card.check({"paymentMethod": "CARD"})
    card.check(card.hosted_page())


def test_a_number_is_no_token_in_a_body_made_by_hand_either():
    with pytest.raises(InvalidRequest, match="cardToken") as caught:
        card.check(dict(card.hosted_page(), paymentMethod={"paymentMethodType": "CARD",
                                                           "paymentMethodId": "4111111111111111"}))
    assert "4111" not in str(caught.value)


@pytest.mark.parametrize("content, hosted", [
    (card.hosted_page(), True), (card.hosted_page(features=Features(upgrade=True)), True),
    (card.stored_card("T"), False), (raw(), False), ({"paymentMethod": {"paymentMethodType": "ALIPAY_CN"}}, False),
    ({}, False), ({"paymentMethod": {"paymentMethodType": "CARD", "paymentMethodMetaData": "x"}}, True)])
def test_ams_asks_for_a_card_that_the_request_does_not_name(content, hosted):
    assert card.is_hosted(content) is hosted
