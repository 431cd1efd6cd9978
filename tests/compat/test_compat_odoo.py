"""The helper methods of Odoo's payment_alipay, on a record that is no more than its fields."""
import pytest
from old_package import EMAIL, KEY, PID, Script, notification, sign_of, silence

from alipay_mapi import Client, errors
from alipay_mapi.compat import CompatWarning, odoo
from alipay_mapi.compat.odoo import AlipayHelpers, verify_notification_origin, verify_notification_signature


class Record(AlipayHelpers):
    alipay_merchant_partner_id, alipay_md5_signature_key, alipay_seller_email = PID, KEY, EMAIL
    state = "enabled"


class Transaction:
    provider_id = Record()


#: As ``_get_alipay_tx_values`` and ``_get_specific_rendering_values`` make them.
FORM = {"_input_charset": "utf-8", "notify_url": "https://shop.example.com/n", "out_trade_no": "S0001-1",
        "partner": PID, "return_url": "https://shop.example.com/r", "subject": "S0001-1", "total_fee": "1118.20",
        "service": "create_direct_pay_by_user", "payment_type": 1, "seller_email": EMAIL}


@pytest.mark.parametrize("method", ["_build_sign", "_alipay_compute_signature"])
def test_the_sign_of_a_form_is_the_gateways(method):
    expected = sign_of(dict(FORM, payment_type="1"))
    assert getattr(Record(), method)(FORM) == expected
    assert getattr(Record(), method)(dict(FORM, reference="S0001", sign="x", sign_type="MD5")) == expected


@pytest.mark.parametrize("empty", ["", None, False])
def test_empty_values_are_left_out(empty):
    with pytest.warns(CompatWarning, match="ILLEGAL_SIGN"):
        assert Record()._build_sign(dict(FORM, seller_email=empty)) == sign_of(
            {name: str(value) for name, value in FORM.items() if name != "seller_email"})


@pytest.mark.parametrize("field, value", [
    ("total_fee", 0.1 + 0.2), ("subject", "S1&total_fee=0.01"), ("subject", ["x"])])
def test_what_cannot_be_signed_is_refused(field, value):
    with pytest.raises(errors.InvalidRequest, match=field):
        Record()._build_sign(dict(FORM, **{field: value}))


def test_a_float_of_the_form_is_signed_as_the_form_shows_it():
    with pytest.warns(CompatWarning, match="float"):
        assert Record()._build_sign(dict(FORM, total_fee=1118.2)) == sign_of(dict(FORM, total_fee="1118.2",
                                                                                  payment_type="1"))


def test_addresses_are_those_of_the_state_and_the_environment():
    live = "https://mapi.alipay.com/gateway.do"
    assert Record()._get_alipay_urls() == Record()._alipay_get_api_url() == live
    assert Record().alipay_get_form_action_url() == Record()._get_alipay_urls("prod") == live
    old = Record()
    old.environment, old.state = "test", None
    for call in (old._get_alipay_urls, old._alipay_get_api_url, lambda: Record()._get_alipay_urls("test")):
        with pytest.warns(CompatWarning, match="openapi.alipaydev.com"):
            assert call() == "https://mapi.alipaydev.com/gateway.do"


@pytest.mark.parametrize("data", [
    notification(), dict(notification(), reference="S0001"), notification(body=""),
    notification(is_success="T", exterface="x")])
def test_a_genuine_message_passes(data):
    assert verify_notification_signature(data, Transaction()) is None


def test_a_cross_border_return_passes():
    fields = {"out_trade_no": "A1", "currency": "USD", "total_fee": "1.00", "trade_status": "TRADE_FINISHED",
              "trade_no": "2018041121001003790200210315"}
    verify_notification_signature(dict(fields, sign=sign_of(fields), sign_type="MD5"), Transaction())


@pytest.mark.parametrize("data, error", [
    (dict(notification(), sign="dummy"), errors.MalformedSignature),
    (dict(notification(), sign="0" * 32), errors.SignatureInvalid),
    (dict(notification(), sign=""), errors.SignatureMissing),
    (dict(notification(), sign=None), errors.MalformedParameter), ({}, errors.InvalidMessage),
    (dict(notification(), sign_type="RSA"), errors.SignTypeMismatch),
    (notification(service="create_forex_trade"), errors.UnexpectedParameter),
])
def test_any_other_raises_and_shows_no_sign(data, error):
    with pytest.raises(error) as caught:
        verify_notification_signature(data, Transaction())
    assert notification()["sign"] not in str(caught.value)


def test_the_origin_is_what_the_gateway_says():
    class Before15:
        acquirer_id = Record()
    verify_notification_origin(notification(), Before15(), transport=Script(b"true"))
    with pytest.raises(errors.NotifyNotGenuine):
        verify_notification_origin(notification(), Transaction(), transport=Script(b"false"))
    with pytest.raises(errors.InvalidRequest):
        verify_notification_origin({}, Transaction(), transport=Script(b"true"))
    with pytest.raises(errors.InvalidRequest, match="tx_sudo"):
        verify_notification_origin(notification(), object(), transport=Script(b"true"))


def test_silence_is_no_reason_to_acknowledge(monkeypatch):
    monkeypatch.setattr(odoo, "Client", lambda shop, transport: Client(shop, transport, retries=0))
    with pytest.raises(errors.TransportError):
        verify_notification_origin(notification(), Transaction(), transport=Script(silence()))


def test_settings_that_are_none_are_refused():
    class Empty(Record):
        alipay_md5_signature_key = False
    with pytest.raises(errors.ConfigurationError):
        Empty()._build_sign(FORM)
