"""The functions of fengli/alipay_python, by the fields that its published text sends."""
import types

import pytest
from old_package import EMAIL, KEY, PID, Script, notification, params_of, sign_of, silence

from alipay_mapi import errors
from alipay_mapi.compat import CompatWarning, fengli

SETTINGS = {"ALIPAY_PARTNER": PID, "ALIPAY_KEY": KEY, "ALIPAY_SELLER_EMAIL": EMAIL, "ALIPAY_TRANSPORT": "https",
            "ALIPAY_RETURN_URL": "https://shop.example.com/return", "ALIPAY_SIGN_TYPE": "MD5",
            "ALIPAY_NOTIFY_URL": "https://shop.example.com/notify", "ALIPAY_SHOW_URL": ""}


@pytest.fixture(autouse=True)
def configured(monkeypatch):
    for name in SETTINGS:
        monkeypatch.setattr(fengli.settings, name, getattr(fengli.settings, name))
    monkeypatch.setattr(fengli, "_clients", {})
    fengli.configure(SETTINGS)


COMMON = {"partner": PID, "_input_charset": "utf-8", "sign_type": "MD5"}
ORDER = dict(COMMON, seller_email=EMAIL, return_url=SETTINGS["ALIPAY_RETURN_URL"], payment_type="1", out_trade_no="7",
             notify_url=SETTINGS["ALIPAY_NOTIFY_URL"], subject="茶")


@pytest.mark.parametrize("function, given, fields", [
    ("create_direct_pay_by_user", (7, "茶", "50 g", "9.90"),
     dict(ORDER, service="create_direct_pay_by_user", body="50 g", total_fee="9.90", paymethod="directPay")),
    ("create_direct_pay_by_user", (7, "茶", "", "9.90"),
     dict(ORDER, service="create_direct_pay_by_user", total_fee="9.90", paymethod="directPay")),
    ("create_partner_trade_by_buyer", (7, "茶", "50 g", "9.90"),
     dict(ORDER, service="create_partner_trade_by_buyer", body="50 g", price="9.90", quantity="1",
          logistics_type="POST", logistics_fee="0.00", logistics_payment="BUYER_PAY")),
    ("send_goods_confirm_by_platform", ("2017030521001004840200342628",),
     dict(COMMON, service="send_goods_confirm_by_platform", trade_no="2017030521001004840200342628",
          logistics_name="银河列车", transport_type="POST")),
])
def test_a_url_has_the_fields_it_had(function, given, fields):
    url = getattr(fengli, function)(*given)
    sent = params_of(url)
    assert url.startswith("https://mapi.alipay.com/gateway.do?") and sent.pop("sign") == sign_of(fields)
    assert sent == fields


def test_settings_come_from_a_module_and_may_be_changed():
    module = types.ModuleType("settings")
    module.ALIPAY_PARTNER = "2088000000000005"
    fengli.configure(module)
    assert "partner=2088000000000005&" in fengli.send_goods_confirm_by_platform("1")
    fengli.settings.ALIPAY_PARTNER = "2088000000000006"
    assert "partner=2088000000000006&" in fengli.send_goods_confirm_by_platform("1")


def test_another_sign_type_is_refused_and_not_signed_with_nothing():
    fengli.settings.ALIPAY_SIGN_TYPE = "RSA"
    with pytest.raises(errors.ConfigurationError):
        fengli.send_goods_confirm_by_platform("1")
    with pytest.raises(errors.ConfigurationError):
        fengli.notify_verify(dict(notification(), sign=""))


@pytest.mark.parametrize("word, verdict", [(b"true", True), (b"false", False), (b"invalid", False)])
def test_a_genuine_notification_is_what_the_gateway_says_of_it(word, verdict):
    fengli.configure(SETTINGS, transport=Script(word))
    assert fengli.notify_verify(notification()) is verdict


class QueryDict(dict):
    """As Django's: lists inside, the last of them outside."""

    def __getitem__(self, name):
        return dict.__getitem__(self, name)[-1]

    def get(self, name, default=None):
        return self[name] if name in self else default


def test_djangos_post_is_taken():
    fengli.configure(SETTINGS, transport=Script(b"true"))
    assert fengli.notify_verify(QueryDict({name: [value] for name, value in notification().items()})) is True


@pytest.mark.parametrize("fields", [dict(notification(), total_fee="0.01"), {}, dict(notification(), sign="")])
def test_a_forged_one_is_false_and_nobody_is_asked(fields):
    script = Script(b"true")
    fengli.configure(SETTINGS, transport=script)
    assert fengli.notify_verify(fields) is False and script.calls == []


def test_one_that_the_old_function_took_is_refused_with_a_warning():
    with pytest.warns(CompatWarning, match="SignTypeMismatch"):
        assert fengli.notify_verify(dict(notification(), sign_type="RSA")) is False


def test_http_is_not_asked():
    script = Script(b"true")
    fengli.configure(dict(SETTINGS, ALIPAY_TRANSPORT="http"), transport=script)
    with pytest.warns(CompatWarning, match="https"):
        assert fengli.notify_verify(notification()) is True
    assert script.calls[0].url.startswith("https://")


def test_a_return_without_a_notify_id_is_false():
    fengli.configure(SETTINGS, transport=Script(b"true"))
    assert fengli.notify_verify(notification(is_success="T", notify_id=None)) is False


def test_silence_is_not_a_no(monkeypatch):
    fengli.configure(SETTINGS, transport=Script(silence()))
    monkeypatch.setattr(fengli._client(), "_sleep", lambda seconds: None)
    with pytest.raises(errors.TransportError):
        fengli.notify_verify(notification())


def test_what_cannot_be_a_merchant_is_refused_when_it_is_configured():
    with pytest.raises(errors.ConfigurationError):
        fengli.configure(dict(SETTINGS, ALIPAY_KEY="key"))
