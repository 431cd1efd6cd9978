"""Where ``compat.lxneng`` does something else than the published package: the right thing, with a warning."""
import warnings
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from old_package import EMAIL, KEY, PID, Script, notification, params_of, refusal, sign_of, signed_answer, silence

from alipay_mapi import errors
from alipay_mapi.compat import CompatWarning, lxneng
from alipay_mapi.compat.lxneng import Alipay, MissingParameter, ParameterValueError, gateway

TRADE = {"out_trade_no": "A1", "trade_no": "2017030521001004840200342628", "trade_status": "TRADE_SUCCESS",
         "seller_id": PID, "subject": "龙井茶 & <more>", "total_fee": "8.00"}


def alipay(*answers, **more):
    return Alipay(PID, KEY, transport=Script(*answers) if answers else None, **dict({"seller_email": EMAIL}, **more))


def warned(call, *args, **kw):
    """(result, the texts of the warnings)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call(*args, **kw)
    assert {one.category for one in caught} <= {CompatWarning}
    assert {one.filename for one in caught} <= {__file__}, "a warning stands at the line that calls"
    return result, " | ".join(str(one.message) for one in caught)


# --- URLs -------------------------------------------------------------------------------------------------------

def test_a_call_that_was_right_gives_what_it_gave_and_no_warning():
    url, said = warned(alipay().create_direct_pay_by_user_url, out_trade_no="A1", subject="龙井茶", total_fee="9.90",
                       notify_url="https://shop.example.com/notify")
    sent = params_of(url)
    assert said == "" and sent.pop("sign") == sign_of(sent)
    assert sent == {"service": "create_direct_pay_by_user", "partner": PID, "_input_charset": "utf-8",
                    "payment_type": "1", "seller_email": EMAIL, "out_trade_no": "A1", "subject": "龙井茶",
                    "total_fee": "9.90", "notify_url": "https://shop.example.com/notify", "sign_type": "MD5"}


@pytest.mark.parametrize("empty", ["", None])
def test_empty_values_are_neither_signed_nor_sent(empty):
    url, said = warned(alipay().create_direct_pay_by_user_url, out_trade_no="A1", subject="tea", total_fee="1",
                       body=empty)
    sent = params_of(url)
    assert "body" not in sent and sent["sign"] == sign_of(sent)
    assert "ILLEGAL_SIGN" in said and "services.create_direct_pay_by_user" in said


@pytest.mark.parametrize("value, text", [(0.5, "0.5"), (10.0, "10.0"), (Decimal("0.10"), "0.10"), (7, "7")])
def test_an_amount_goes_as_plain_digits(value, text):
    url, said = warned(alipay().create_direct_pay_by_user_url, out_trade_no="A1", subject="tea", total_fee=value)
    assert params_of(url)["total_fee"] == text and ("float" in said) == isinstance(value, float)


@pytest.mark.parametrize("field, value", [
    ("total_fee", 0.1 + 0.2), ("total_fee", float("nan")), ("total_fee", 1e22), ("total_fee", True),
    ("total_fee", "1.005"), ("subject", b"tea"), ("subject", ["tea"]), ("subject", "Tea&total_fee=0.01"),
    ("subject", 'say "tea"'), ("notify_url", "javascript:alert(1)"), ("partner", "2088000000000009"),
    ("sign", "0" * 32),
])
def test_what_cannot_be_sent_is_a_parameter_value_error_that_shows_no_value(field, value):
    params = dict({"out_trade_no": "A1", "subject": "tea", "total_fee": "1"}, **{field: value})
    with pytest.raises(ParameterValueError) as caught:
        alipay().create_direct_pay_by_user_url(**params)
    assert field in str(caught.value) and caught.value.__context__ is None
    assert isinstance(caught.value, errors.InvalidRequest) and isinstance(caught.value, lxneng.AlipayException)


def test_a_lazy_text_is_sent_as_what_it_says():
    class Lazy:
        def __str__(self):
            return "tea"
    assert params_of(alipay().create_direct_pay_by_user_url(out_trade_no="A1", subject=Lazy(), total_fee="1"))[
        "subject"] == "tea"


def test_a_required_parameter_that_is_empty_is_missing():
    with pytest.raises(MissingParameter, match="subject"):
        alipay().create_direct_pay_by_user_url(out_trade_no="A1", subject="", total_fee="1")


@pytest.mark.parametrize("name", ["create_forex_trade_url", "create_forex_trade_wap_url"])
@pytest.mark.parametrize("seller", [{"seller_email": EMAIL}, {"seller_email": None, "seller_id": PID}])
def test_cross_border_orders_name_no_seller(name, seller):
    url, said = warned(getattr(alipay(**seller), name), out_trade_no="A1", subject="tea", currency="USD", total_fee="1")
    assert not {"payment_type", "seller_id", "seller_email"} & set(params_of(url)) and "services.create_forex" in said


def test_attributes_that_a_shop_changes_are_heeded():
    shop = alipay()
    shop.default_params["notify_url"] = "https://shop.example.com/n"
    shop.GATEWAY_URL = "https://globalmapi.alipay.com/gateway.do"
    url = shop.create_direct_pay_by_user_url(out_trade_no="A1", subject="tea", total_fee="1")
    assert url.startswith(shop.GATEWAY_URL + "?") and params_of(url)["notify_url"] == "https://shop.example.com/n"


def test_plain_http_is_refused():
    shop = alipay()
    shop.GATEWAY_URL = "http://mapi.alipay.com/gateway.do"
    with pytest.raises(errors.ConfigurationError):
        shop.create_direct_pay_by_user_url(out_trade_no="A1", subject="tea", total_fee="1")


@pytest.mark.parametrize("pid, key", [("pid", KEY), (None, KEY), (PID, "key"), (PID, None), (PID, "")])
def test_what_cannot_be_a_pid_or_a_key_is_refused_at_once(pid, key):
    with pytest.raises(errors.ConfigurationError):
        Alipay(pid, key, EMAIL)


def test_a_class_that_wants_another_sign_type_is_told_and_not_signed_with_md5():
    class Rsa(Alipay):
        sign_tuple = ("sign_type", "RSA", "RSA")
    with pytest.raises(NotImplementedError):
        Rsa(PID, KEY, EMAIL)


def test_no_repr_shows_the_key():
    assert KEY not in repr(alipay()) and PID in repr(alipay())


def test_pyramid_includes_it():
    class Config:
        def __init__(self):
            self.registry = type("Registry", (dict,), {})()
            self.registry.settings = {"alipay.pid": PID, "alipay.key": KEY, "alipay.seller_email": EMAIL}
    config = Config()
    lxneng.includeme(config)
    assert isinstance(config.registry["alipay"], Alipay)


# --- batches ----------------------------------------------------------------------------------------------------

@pytest.fixture
def noon(monkeypatch):
    monkeypatch.setattr(gateway, "_now", lambda form: "2026-01-31 12:00:00" if ":" in form else "20260131")


def lines(*fees, **more):
    return [dict({"account": "b@example.com", "name": "张三", "fee": fee, "note": "wage"}, **more) for fee in fees]


def test_the_sum_of_a_batch_is_exact(noon):
    url, said = warned(alipay().create_batch_trans_notify_url, batch_list=lines("0.10", "0.20"), account_name="Shop",
                       batch_no="20260131001", notify_url="https://shop.example.com/n")
    sent = params_of(url)
    assert sent["batch_fee"] == "0.30" and sent["batch_num"] == "2" and "sum of floats" in said
    assert sent["detail_data"] == ("202601310011^b@example.com^张三^0.10^wage|"
                                   "202601310012^b@example.com^张三^0.20^wage")
    assert sent["pay_date"] == "20260131" and sent["email"] == EMAIL and sent["sign"] == sign_of(sent)


@pytest.mark.parametrize("items", [
    [], lines("0.10") * 1001, lines("0"), lines("-1"), lines(0.1 + 0.2), lines("1", note="a|b"), lines("1", note="a^b"),
    lines("1", note="a\nb"), lines("1", account=None),
])
def test_a_line_that_would_be_read_as_something_else_is_refused(items):
    with pytest.raises(ParameterValueError):
        alipay().create_batch_trans_notify_url(batch_list=items, account_name="Shop", batch_no="20260131001",
                                               notify_url="https://shop.example.com/n")


def test_a_batch_without_a_paying_account_says_so():
    with pytest.raises(MissingParameter, match="email"):
        alipay(seller_email=None, seller_id=PID).create_batch_trans_notify_url(
            batch_list=lines("1"), account_name="Shop", batch_no="1", notify_url="https://shop.example.com/n")


def test_a_batch_date_is_alipays_whatever_the_zone():
    _, said = warned(alipay().create_batch_trans_notify_url, lines("1"), "Europe/Paris", account_name="Shop",
                     batch_no="20260131001", notify_url="https://shop.example.com/n")
    assert "GMT+8" in said


REFUNDS = [{"trade_no": "2017030521001004840200342628", "fee": "4.00", "note": "broken"}, None,
           {"trade_no": "2017030521001004840200342629", "fee": "1.00", "note": "late"}]


@pytest.mark.parametrize("seller, named", [({"seller_email": EMAIL}, ("seller_email", EMAIL)),
                                           ({"seller_email": None, "seller_id": PID}, ("seller_user_id", PID))])
def test_refunds_work(noon, capsys, seller, named):
    url, said = warned(alipay(**seller).refund_fastpay_by_platform_pwd, batch_no="20260131001", batch_list=REFUNDS)
    sent = params_of(url)
    assert sent["detail_data"] == ("2017030521001004840200342628^4.00^broken#"
                                   "2017030521001004840200342629^1.00^late")
    assert sent["batch_num"] == "2" and sent["refund_date"] == "2026-01-31 12:00:00" and sent[named[0]] == named[1]
    assert "email" not in sent and sent["sign"] == sign_of(sent) and "always raised" in said
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("items", [REFUNDS[:1] * 2, [], [dict(REFUNDS[0], note="a#b")], [dict(REFUNDS[0], fee="0")]])
def test_refunds_that_alipay_would_misread_are_refused(items):
    with pytest.raises(ParameterValueError):
        alipay().refund_fastpay_by_platform_pwd(batch_no="20260131001", batch_list=items)


def test_an_item_without_its_trade_is_a_missing_parameter():
    with pytest.raises(MissingParameter, match="trade_no"):
        alipay().refund_fastpay_by_platform_pwd(batch_no="20260131001", batch_list=[{"fee": "1", "note": "x"}])


# --- questions --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "gbk"])
def test_a_query_gives_checked_xml_that_survives_any_encoding(encoding):
    script = Script(_signed(TRADE))
    shop = Alipay(PID, KEY, EMAIL, transport=script)
    text, said = warned(shop.single_trade_query, out_trade_no="A1", colour="red")
    root = ElementTree.fromstring(text.encode(encoding))
    assert root.find("is_success").text == "T"
    assert {leaf.tag: leaf.text for leaf in root.find("response/trade")} == TRADE
    assert "Client(shop).single_trade_query" in said
    asked = script.asked()
    assert asked["out_trade_no"] == "A1" and asked["sign"] == sign_of(asked) and "colour" not in asked


def _signed(elements):
    """Signed is the text, not its escapes."""
    return signed_answer(**elements).replace(b" & <more>", b" &amp; &lt;more&gt;")


@pytest.mark.filterwarnings("ignore::alipay_mapi.compat.CompatWarning")
def test_a_carriage_return_of_an_answer_survives_the_next_parser():
    text = alipay(signed_answer(**dict(TRADE, subject="a\rb")).replace(b"a\rb", b"a&#13;b")).single_trade_query(
        out_trade_no="A1")
    assert ElementTree.fromstring(text).findtext("response/trade/subject") == "a\rb"


@pytest.mark.filterwarnings("ignore::alipay_mapi.compat.CompatWarning")
@pytest.mark.parametrize("answer, error", [
    (_signed(TRADE).replace(b"8.00", b"0.01"), errors.ResponseSignatureInvalid),
    (b"<alipay><is_success>T</is_success><response><trade><out_trade_no>A1</out_trade_no></trade></response></alipay>",
     errors.ResponseSignatureMissing),
    (_signed(dict(TRADE, out_trade_no="A2")), errors.OrderMismatch),
    (silence(), errors.TransportError),
])
def test_an_answer_that_cannot_be_trusted_is_not_handed_out(answer, error):
    with pytest.raises(error):
        alipay(answer).single_trade_query(out_trade_no="A1")


def test_a_query_about_nothing_is_a_missing_parameter():
    with pytest.raises(MissingParameter):
        alipay(b"true").single_trade_query(trade_no=None, out_trade_no="")


def test_a_qr_code_comes_back_checked():
    script = Script(signed_answer("alipay", result_code="SUCCESS", qrcode="https://qr.example.com/1"))
    reply, said = warned(alipay_of(script).add_alipay_qrcode, biz_data='{"a": "b"}', biz_type="10")
    assert reply.status_code == 200 and reply.ok and "https://qr.example.com/1" in reply.text
    assert reply.content == reply.text.encode("utf-8") and "unchecked" in said
    assert script.asked()["method"] == "add" and len(script.calls) == 1


@pytest.mark.filterwarnings("ignore::alipay_mapi.compat.CompatWarning")
def test_a_qr_code_that_may_have_been_made_is_an_unknown_outcome_and_not_asked_for_again():
    script = Script(silence())
    with pytest.raises(errors.OutcomeUnknown):
        alipay_of(script).add_alipay_qrcode(biz_data='{"a": "b"}', biz_type="10")
    assert len(script.calls) == 1
    assert "ILLEGAL_SERVICE" in alipay(refusal("ILLEGAL_SERVICE")).add_alipay_qrcode(biz_data="{}", biz_type="10").text


def alipay_of(script):
    return Alipay(PID, KEY, EMAIL, transport=script)


# --- notifications ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("word, verdict", [(b"true", True), (b"false", False)])
def test_a_genuine_notification_is_what_the_gateway_says_of_it(word, verdict):
    script = Script(word)
    result, said = warned(alipay_of(script).verify_notify, **notification())
    assert result is verdict and said == ""
    assert script.asked() == {"service": "notify_verify", "partner": PID, "notify_id": notification()["notify_id"]}


def test_a_check_that_a_test_replaces_is_used():
    shop = alipay(b"false")
    shop.check_notify_remotely = lambda **kw: kw["notify_id"] == notification()["notify_id"] and "sign" not in kw
    assert shop.verify_notify(**notification()) is True


@pytest.mark.parametrize("fields", [
    notification(body=""), {name: [value] for name, value in notification().items()},
    notification(seller_id=None, seller_email=None),
    notification(seller_id="2088000000000077")])
def test_what_was_refused_without_a_reason_is_taken(fields):
    assert warned(alipay(b"true").verify_notify, **fields)[0] is True


def test_an_empty_field_is_told_of():
    assert "empty field" in warned(alipay(b"true").verify_notify, **notification(body=""))[1]


FORGED = [
    (dict(notification(), total_fee="0.01"), ""), (dict(notification(), sign=""), ""),
    (dict(notification(), sign="x"), ""),
    ({name: value for name, value in notification().items() if name != "sign"}, ""),
    (dict(notification(), sign_type="RSA"), "SignTypeMismatch"),
    (dict(notification(), sign_type=""), "UnsupportedSignType"),
    (notification(seller_id="2088000000000077", seller_email="other@example.com"), "PartyMismatch"),
    (notification(service="create_direct_pay_by_user"), "UnexpectedParameter"),
    (notification(subject="tea&total_fee=0.01"), "AmbiguousContent"),
    (notification(notify_type=None), "AmbiguousContent"), (notification(trade_status=None), "MissingParameter"),
    (dict(notification(), subject=[notification()["subject"], "coffee"]), ""),
    (dict(notification(), subject="\ud800"), ""),
]


@pytest.mark.parametrize("fields, name", FORGED, ids=str)
def test_a_message_that_is_not_alipays_is_false_and_nobody_is_asked(fields, name):
    script = Script(b"true")
    result, said = warned(alipay_of(script).verify_notify, **fields)
    assert result is False and script.calls == []
    assert (name in said) if name else said == ""
    assert sign_of(notification()) not in said


def test_a_notification_of_another_account_is_refused_when_the_seller_is_known_by_number():
    shop = Alipay(PID, KEY, seller_id=PID, transport=Script(b"true"))
    assert warned(shop.verify_notify, **notification(seller_id="2088000000000077", seller_email=None))[0] is False


def test_a_field_called_self_is_a_field():
    assert warned(alipay(b"true").verify_notify, **dict(notification(), **{"self": "x", "this": "y"}))[0] is False


RETURNED = {"is_success": "T", "exterface": "create_direct_pay_by_user"}


def test_the_return_of_a_mainland_order_is_asked_about_as_before():
    script = Script(b"true")
    fields = notification(notify_id="RqPnCoPT3K9%2Fvwbh3I7", **RETURNED)
    assert warned(alipay_of(script).verify_notify, **fields) == (True, "")
    assert "notify_id=RqPnCoPT3K9%2Fvwbh3I7" in script.calls[0].url


def test_a_cross_border_return_has_nothing_to_ask_about_and_is_false():
    fields = {"out_trade_no": "A1", "currency": "USD", "total_fee": "1.00", "trade_status": "TRADE_FINISHED"}
    fields = dict(fields, sign=sign_of(fields), sign_type="MD5")
    result, said = warned(alipay(b"true").verify_notify, **fields)
    assert result is False and "verify_notify" in said


@pytest.mark.parametrize("notify_id", ["1&partner=2088000000000009", "1?x", "a b", "", None, "x" * 300])
def test_what_cannot_be_a_notify_id_is_false_and_nobody_is_asked(notify_id):
    script = Script(b"true")
    result, said = warned(alipay_of(script).check_notify_remotely, notify_id=notify_id)
    assert result is False and script.calls == [] and said


def test_without_a_notify_id_it_is_false_and_says_what_to_use():
    assert warned(alipay(b"true").check_notify_remotely)[0] is False


def test_a_gateway_that_knows_no_such_partner_is_a_no_that_is_told_of():
    result, said = warned(alipay(b"invalid").check_notify_remotely, notify_id="a1")
    assert result is False and "invalid" in said


def test_silence_is_not_a_no(monkeypatch):
    shop = alipay(silence())
    monkeypatch.setattr(shop._asking, "_sleep", lambda seconds: None)
    with pytest.raises(errors.TransportError):
        shop.verify_notify(**notification())


def test_the_address_of_the_question_may_be_another():
    script = Script(b"true")
    shop = alipay_of(script)
    shop.NOTIFY_GATEWAY_URL = "https://sandbox.example.com/gateway.do?service=notify_verify&partner=%s&notify_id=%s"
    assert shop.check_notify_remotely(notify_id="a1") is True
    assert script.calls[0].url.startswith("https://sandbox.example.com/gateway.do?service=notify_verify&partner=2088")


def test_a_sign_is_made_by_the_rule():
    params = {"b": "1", "a": "茶", "c": "", "d": None, "sign_type": "MD5"}
    assert alipay().get_sign_method()(params) == sign_of({"b": "1", "a": "茶"})
