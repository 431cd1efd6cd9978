"""Messages made for a test: the genuine ones verify, every broken one is refused by the class written here."""
from decimal import Decimal

import pytest

import alipay_mapi as mapi
from alipay_mapi.testing import BROKEN, KINDS, START, TestGateway, notification

POSTED = ["paid", "paid_mainland", "paid_app", "closed", "refunded", "refund_failed", "batch_refund", "batch_trans"]
ORDER = mapi.Order("A1", total_fee="10.00", currency="USD")
YUAN = mapi.Order("A1", total_fee="10.00")


@pytest.fixture(scope="module")
def keys(fixtures):
    """Pairs that need not be made: TEST ONLY, out of fixtures/keys. The forger's is made once."""
    def pair(name):
        return tuple((fixtures / "keys" / "TEST-ONLY-{}-{}.pem".format(name, half)).read_text(encoding="ascii")
                     for half in ("private", "public"))
    return {"shop:2088000000000102": pair("rsa1024"), "platform": pair("rsa1024-other"),
            "shop:2088000000000103": pair("rsa2048"), "gateway:2088000000000103": pair("rsa2048-other")}


@pytest.fixture(scope="module", params=["md5", "rsa2"])
def one_gateway(request, keys):
    with TestGateway(merchant=request.param, keys=keys) as gateway:
        yield gateway


@pytest.fixture
def gateway(one_gateway):
    """As new; the keys are read once for all tests of this file."""
    one_gateway.reset()
    one_gateway.clock.set(START)
    return one_gateway


@pytest.fixture(scope="module")
def rsa(keys):
    with TestGateway(merchant="rsa", keys=keys) as gateway:
        yield gateway


def order_for(kind):
    return YUAN if kind.endswith("mainland") else ORDER


def verify(gateway, message, **more):
    return mapi.verify_notify(gateway.shop(), message.body, message.content_type, **more)


# --- genuine ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, seen", [
    ("paid", ("trade", True, False)), ("paid_mainland", ("trade", True, False)), ("paid_app", ("trade", True, False)),
    ("closed", ("trade", False, True)), ("refunded", ("refund", False, False)),
    ("refund_failed", ("refund", False, False)), ("batch_refund", ("batch_refund", False, False)),
    ("batch_trans", ("batch_trans", False, False))])
def test_a_genuine_notification_verifies_and_is_confirmed(gateway, kind, seen):
    message = gateway.notification(kind)
    note = verify(gateway, message, order=order_for(kind), confirm=gateway.client().notify_verify)
    assert (note.kind, note.is_paid, note.is_closed) == seen
    assert {"sign", "party", "confirmed"} <= note.passed


def test_a_cross_border_payment_has_the_ten_fields_of_the_captured_ones(gateway):
    assert sorted(gateway.notification("paid").params) == [
        "currency", "notify_id", "notify_time", "notify_type", "out_trade_no", "sign", "sign_type", "total_fee",
        "trade_no", "trade_status"]


def test_a_mainland_payment_names_seller_and_buyer(gateway):
    params = gateway.notification("paid_mainland").params
    assert params["seller_id"] == gateway.shop().partner and "currency" not in params
    assert {"buyer_id", "buyer_email", "gmt_create", "gmt_payment", "price", "quantity", "subject"} <= set(params)
    assert params["trade_status"] == "TRADE_SUCCESS"


def test_refunds_say_what_became_of_them(gateway):
    assert verify(gateway, gateway.notification("refunded")).refund_status == "REFUND_SUCCESS"
    failed = verify(gateway, gateway.notification("refund_failed", out_return_no="R7"))
    assert (failed.refund_status, failed.error_code, failed.out_return_no) == (
        "REFUND_FAIL", "MERCHANT_BALANCE_NOT_ENOUGH", "R7")


@pytest.mark.parametrize("kind, order", [("return", ORDER), ("return_mainland", YUAN)])
def test_a_return_is_a_query_string(gateway, kind, order):
    message = gateway.notification(kind)
    assert (message.content_type, message.headers) == ("", {})
    assert "amount" in mapi.verify_return(gateway.shop(), message.text, order=order).passed
    assert mapi.verify_return(gateway.shop(), message.body).out_trade_no == "A1"


def test_the_cross_border_return_has_five_fields(gateway):
    assert sorted(gateway.notification("return").params) == [
        "currency", "out_trade_no", "sign", "sign_type", "total_fee", "trade_no", "trade_status"]


def test_an_app_result_is_the_sdks_text(rsa):
    message = rsa.notification("app_result", out_trade_no="B7", total_fee="8.00")
    assert message.text.startswith("resultStatus={9000};memo={};result={")
    result = mapi.verify_app_result(rsa.shop(), message.text)
    assert (result.success, result.out_trade_no, result["total_fee"]) == (True, "B7", "8.00")
    with pytest.raises(mapi.InvalidRequest, match="takes RSA"):
        rsa.notification("app_result", merchant="md5")


@pytest.mark.parametrize("charset, codec", [("utf-8", "utf-8"), ("GBK", "gbk"), (None, "gbk")])
def test_text_is_in_the_charset_of_the_order(gateway, charset, codec):
    message = gateway.notification("paid_mainland", input_charset=charset, subject="绿茶")
    assert message.body.upper().find("绿茶".encode(codec).hex().upper().encode("ascii")) == -1  # escaped, not raw
    assert "".join("%{:02X}".format(byte) for byte in "绿茶".encode(codec)).encode("ascii") in message.body
    assert verify(gateway, message).subject == "绿茶"


def test_fields_are_laid_over_or_left_out(gateway):
    message = gateway.notification("paid", out_trade_no="B7", total_fee=Decimal("8.00"), trade_status="TRADE_SUCCESS",
                                   currency="EUR", extra_common_param="x", trade_no=None)
    assert message.params["total_fee"] == "8.00" and "trade_no" not in message.params
    assert message.params["extra_common_param"] == "x"
    with pytest.raises(mapi.MissingParameter):
        verify(gateway, message)


def test_the_time_is_the_gateways_and_each_has_an_id_of_its_own(gateway):
    first = gateway.notification().params
    gateway.advance(60)
    second = gateway.notification().params
    assert (first["notify_time"], second["notify_time"]) == ("2026-01-01 12:00:00", "2026-01-01 12:01:00")
    assert first["notify_id"] != second["notify_id"] and len(first["notify_id"]) == 34
    assert first["trade_no"] == second["trade_no"] and len(first["trade_no"]) == 28


def test_nothing_is_sent_by_making_one(gateway):
    gateway.notification()
    assert gateway.deliver() == []


def test_it_says_little_of_itself(gateway):
    message = gateway.notification("paid_mainland")
    assert repr(message) == "<SignedMessage paid_mainland, {} bytes>".format(len(message.body))
    assert message.headers == {"Content-Type": "application/x-www-form-urlencoded; text/html; charset=utf-8"}


def test_a_merchant_is_named_or_given(gateway):
    shop = gateway.shop("md5")
    for merchant in ("md5", shop.partner, shop):
        message = notification(gateway.emulator, merchant=merchant, seller_id=None)
        assert mapi.verify_notify(shop, message.body).out_trade_no == "A1"


# --- broken ----------------------------------------------------------------------------------------------------

#: way → what verify_notify raises for each posted kind that has it.
REFUSED = {
    "forged": mapi.SignatureInvalid,
    "stale-key": mapi.SignatureInvalid,
    "tampered": mapi.SignatureInvalid,
    "re-cut": mapi.AmbiguousContent,
    "unsigned": mapi.SignatureMissing,
    "wrong-charset": mapi.SignatureInvalid,
    "other-sign-type": mapi.SignTypeMismatch,
    "other-amount": mapi.AmountMismatch,
    "other-currency": mapi.CurrencyMismatch,
    "other-order": mapi.OrderNotFound,
    "other-seller": mapi.PartyMismatch,
    "replayed": mapi.NotifyNotGenuine,
}


def test_each_way_has_its_row():
    assert set(REFUSED) == set(BROKEN)


@pytest.mark.parametrize("kind, way", [(kind, way) for way, (_, kinds) in sorted(BROKEN.items()) for kind in kinds
                                       if kind in POSTED])
def test_a_broken_notification_is_refused_as_what_it_is(gateway, kind, way):
    message = gateway.notification(kind, way)
    with pytest.raises(mapi.InvalidMessage) as caught:
        verify(gateway, message, order={"A1": order_for(kind)}.get, confirm=gateway.client().notify_verify)
    assert type(caught.value) is REFUSED[way]


@pytest.mark.parametrize("way", ["other-amount", "other-currency", "other-order", "other-seller", "replayed"])
def test_these_are_signed_well_and_wrong_all_the_same(gateway, way):
    """A shop that looks at the sign alone lets them through."""
    kind = "paid_app" if way == "other-seller" else "paid"
    message = gateway.notification(kind, way)
    shop = gateway.shop()
    if way == "other-seller":
        assert message.params["seller_id"] != shop.partner
        with pytest.raises(mapi.PartyMismatch):
            mapi.verify_notify(shop, message.body)
    else:
        assert mapi.verify_notify(shop, message.body).signed


@pytest.mark.parametrize("kind", ["return", "return_mainland"])
@pytest.mark.parametrize("way", [way for way, (_, kinds) in sorted(BROKEN.items()) if "return_mainland" in kinds])
def test_a_broken_return_is_refused_as_what_it_is(gateway, kind, way):
    if kind not in BROKEN[way][1]:
        with pytest.raises(mapi.InvalidRequest):
            gateway.notification(kind, way)
        return
    with pytest.raises(mapi.InvalidMessage) as caught:
        mapi.verify_return(gateway.shop(), gateway.notification(kind, way).body, order={"A1": order_for(kind)}.get)
    assert type(caught.value) is REFUSED[way]


@pytest.mark.parametrize("way", ["forged", "stale-key", "tampered", "unsigned", "other-sign-type"])
def test_a_broken_app_result_is_refused_as_what_it_is(rsa, way):
    with pytest.raises(REFUSED[way]):
        mapi.verify_app_result(rsa.shop(), rsa.notification("app_result", way).text)


@pytest.mark.parametrize("way", ["forged", "unsigned", "stale-key", "other-sign-type"])
def test_the_gateway_does_not_confirm_what_it_never_sent(gateway, way):
    known = gateway.client().notify_verify
    assert known(gateway.notification("paid", way).params["notify_id"]) is False
    assert known(gateway.notification("paid").params["notify_id"]) is True


def test_a_platform_signed_payment_of_another_merchant_is_refused_under_rsa(rsa):
    """With RSA Alipay signs for all merchants with one key: only the seller tells them apart."""
    with pytest.raises(mapi.PartyMismatch):
        verify(rsa, rsa.notification("paid_app", "other-seller"), order=ORDER)


# --- refused calls ---------------------------------------------------------------------------------------------

def test_unknown_names_are_refused_with_those_that_there_are(gateway):
    with pytest.raises(mapi.InvalidRequest) as caught:
        gateway.notification("payed")
    assert all(kind in str(caught.value) for kind in KINDS)
    with pytest.raises(mapi.InvalidRequest) as caught:
        gateway.notification("paid", "forget")
    assert all(way in str(caught.value) for way in BROKEN)
    with pytest.raises(mapi.InvalidRequest, match="other-seller does not exist for paid; it does for paid_mainland"):
        gateway.notification("paid", "other-seller")


@pytest.mark.parametrize("fields, what", [
    ({"sign": "0"}, "made here"), ({"total_fee": 8.0}, "text"), ({"total_fee": 8}, "text"), ({"body": b"x"}, "text")])
def test_fields_are_text_and_the_sign_is_made_here(gateway, fields, what):
    with pytest.raises(mapi.InvalidRequest, match=what):
        gateway.notification("paid", **fields)
