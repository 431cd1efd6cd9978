"""The browser's return: checked like a notification, and never proof of payment."""
import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from alipay_mapi.errors import (AlipayError, AmbiguousContent, AmountMismatch, BodyTooLarge, CharsetError,
                                CurrencyMismatch, DuplicateParameter, InvalidRequest, MalformedParameter,
                                MissingParameter, OrderMismatch, OrderNotFound, PartyMismatch, SignatureInvalid,
                                SignatureMissing, SignTypeMismatch,
                                UnexpectedParameter)
from alipay_mapi.merchant import Merchant
from alipay_mapi.notification import Notification
from alipay_mapi.order import Order
from alipay_mapi.synchronous_return import verify_return
from alipay_mapi.trade_state import TradeState
from genuine import (FOREX, KEYS, PARTNER, RETURN, SIGN_TYPES, STRANGER, changed, form, message, presign, shop, sign,
                     signed)

#: What create_forex_trade brings back.
FIVE = {name: FOREX[name] for name in ("currency", "out_trade_no", "total_fee", "trade_no", "trade_status")}
USD = Order("A1", total_fee="8.00", currency="USD")
YUAN = Order("A1", total_fee="8.00")
SAMPLES = sorted((KEYS.parent / "returns").glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_a_recorded_return_whose_key_nobody_published_is_refused_and_its_shape_is_read(path):
    sample = json.loads(path.read_text("utf-8"))
    merchant = Merchant(**sample["merchant"])
    with pytest.raises(AlipayError) as refused:
        verify_return(merchant, sample["raw"])
    assert type(refused.value).__name__ == sample["expect"]
    # The same names and values under a sign of the key that is configured.
    pairs = dict(parse_qsl(sample["raw"], strict_parsing=True))
    again = changed(pairs, sign=sign(presign(pairs), "MD5", sample["merchant"]["md5_key"]))
    back = verify_return(merchant, form(again))
    assert dict(back) == changed(pairs, "sign", "sign_type")


def test_there_are_recorded_returns():
    assert len(SAMPLES) == 2


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
@pytest.mark.parametrize("as_text", [False, True])
def test_a_genuine_return_of_every_sign_type_is_read(sign_type, as_text):
    raw = message(RETURN, sign_type)
    back = verify_return(shop(sign_type), raw.decode("ascii") if as_text else raw, YUAN)
    assert back.passed == {"sign", "party", "order", "amount"} and not back.unchecked
    assert dict(back) == RETURN and back.total_fee == Decimal("8.00")
    assert verify_return(shop(sign_type), b"?" + raw) == back


def test_the_five_fields_of_a_cross_border_return():
    assert verify_return(shop(), message(FIVE), USD).passed == {"sign", "party", "order", "amount"}


def test_without_an_order_it_says_what_was_not_compared():
    back = verify_return(shop(), message(FIVE))
    assert back.passed == {"sign", "party"} and set(back.unchecked) == {"order", "amount"}


def test_an_order_priced_in_cny_cannot_be_compared_and_it_says_so():
    back = verify_return(shop(), message(FIVE), Order("A1", rmb_fee="50.00"))
    assert back.passed == {"sign", "party", "order"} and "single_trade_query" in back.unchecked["amount"]


def test_T41_a_return_that_names_no_seller_says_that_the_shared_key_proves_nothing():
    back = verify_return(shop("RSA"), message(FIVE, "RSA"), USD)
    assert "party" not in back.passed and "somebody else" in back.unchecked["party"]
    assert "party" in verify_return(shop("RSA"), message(changed(
        FIVE, seller_id=PARTNER, buyer_id="2088000000000001"), "RSA"), USD).passed


def test_T51_a_return_is_not_proof_of_payment():
    back = verify_return(shop(), message(FIVE), USD)
    assert not hasattr(back, "is_paid") and not isinstance(back, Notification)
    with pytest.raises(InvalidRequest, match="prove nothing"):
        TradeState(USD).apply(back)


def test_T51_a_return_without_a_status_claims_nothing():
    back = verify_return(shop(), message(changed(FIVE, "trade_status")))
    assert back.trade_status is None and not hasattr(back, "is_paid")


@pytest.mark.parametrize("query,error", [
    (message(FIVE).replace(b"8.00", b"0.01"), SignatureInvalid),
    (message(FIVE) + b"&x=1", SignatureInvalid),
    (form(FIVE), SignatureMissing),
    (message(FIVE, "RSA2"), SignTypeMismatch),
    (message(FIVE) + b"&total_fee=8.00", DuplicateParameter),
    (message(changed(FIVE, service="create_forex_trade", partner=PARTNER)), UnexpectedParameter),
    (message(changed(FIVE, body="x&service=y")), AmbiguousContent),
    (message(changed(FIVE, seller_id=STRANGER)), PartyMismatch),
    (message(changed(FIVE, out_trade_no="A2")), OrderMismatch),
    (message(changed(FIVE, total_fee="9.00")), AmountMismatch),
    (message(changed(FIVE, currency="EUR")), CurrencyMismatch),
    (message(changed(FIVE, "out_trade_no")), MissingParameter),
    (b"a=" + b"1" * 1024 * 1024, BodyTooLarge),
])
def test_it_is_checked_as_strictly_as_a_notification(query, error):
    with pytest.raises(error) as refused:
        verify_return(shop(), query, USD)
    assert type(refused.value) is error
    assert verify_return(shop(), message(FIVE), USD)


def test_T16_our_own_signed_url_is_not_a_return():
    """One MD5 key serves both ways."""
    ours = {"service": "create_forex_trade", "partner": PARTNER, "out_trade_no": "A1", "total_fee": "8.00",
            "currency": "USD", "body": "b&trade_status=TRADE_FINISHED&x="}
    for params in (ours, changed(ours, "body")):
        with pytest.raises((UnexpectedParameter, AmbiguousContent)):
            verify_return(shop(), message(params))
    assert verify_return(shop(), message(changed(FIVE, extra_common_param="uid=5&ref=home")), USD)


def test_an_order_that_nobody_knows():
    with pytest.raises(OrderNotFound):
        verify_return(shop(), message(FIVE), lambda number: None)


@pytest.mark.parametrize("sign_type", ["MD5", "RSA"])
def test_T27_an_id_that_was_encoded_twice_is_decoded_once(sign_type):
    raw = message(RETURN, sign_type)
    assert b"notify_id=RqPnCoPT3K9%252Fvwbh3InW%252B9DRu6" in raw
    assert verify_return(shop(sign_type), raw).notify_id == "RqPnCoPT3K9%2Fvwbh3InW%2B9DRu6"
    for again in (raw.replace(b"%252F", b"%2F").replace(b"%252B", b"%2B"), raw.replace(b"%252", b"%25252")):
        with pytest.raises(SignatureInvalid):
            verify_return(shop(sign_type), again)


def test_T30_the_shop_s_own_parameters_are_named_and_left_out():
    raw = b"lang=en&" + message(FIVE) + b"&sid=%E6%B5%8B"
    with pytest.raises(SignatureInvalid):
        verify_return(shop(), raw)
    back = verify_return(shop(), raw, USD, own=["lang", "sid"])
    assert dict(back) == FIVE
    assert verify_return(shop(), message(FIVE) + b"&lang=en", own="lang") == back
    with pytest.raises(DuplicateParameter):
        verify_return(shop(), raw + b"&lang=de", own=["lang", "sid"])


@pytest.mark.parametrize("own", ["total_fee", "sign", "sign_type", "service", "seller_id", "trade_status", b"lang", 1])
def test_T30_a_name_of_the_protocol_cannot_be_the_shop_s_own(own):
    """Otherwise whoever knows the name could take a signed field out of sight."""
    with pytest.raises(InvalidRequest) as refused:
        verify_return(shop(), message(FIVE), own=[own])
    assert refused.value.parameter == "own"


@pytest.mark.parametrize("configured", ["gbk", "gb2312", "gb18030", None])
def test_T24_a_return_in_gbk_is_read_as_the_merchant_is_configured(configured):
    raw = message(changed(RETURN, subject="测试订单"), charset="gbk")
    assert verify_return(shop(input_charset=configured), raw, YUAN).subject == "测试订单"
    assert verify_return(shop(input_charset=configured), raw.decode("ascii"), YUAN).subject == "测试订单"
    with pytest.raises(CharsetError):
        verify_return(shop(), raw, YUAN)


def test_T23_raw_bytes_in_the_text_that_wsgi_hands_out_are_read():
    """WSGI carries bytes as latin-1 text."""
    raw = b"subject=" + "测试".encode("utf-8") + b"&" + form(changed(signed(changed(FIVE, subject="测试")), "subject"))
    assert verify_return(shop(), raw.decode("latin-1"), USD).subject == "测试"


def test_a_query_that_was_decoded_already_is_refused_with_the_reason():
    with pytest.raises(CharsetError, match="raw"):
        verify_return(shop(), "subject=测试&sign=x&sign_type=MD5")


@pytest.mark.parametrize("query", [{"out_trade_no": "A1"}, None, [("a", "b")], 1])
def test_anything_but_a_query_string_is_the_caller_s_mistake(query):
    with pytest.raises(InvalidRequest):
        verify_return(shop(), query)


def test_a_parameter_of_the_shops_own_is_named_as_the_likely_cause():
    """Hostile by accident: return_url had a query of its own. Genuine twin: the same with own=."""
    query = message(FIVE) + b"&session=1"
    with pytest.raises(SignatureInvalid) as caught:
        verify_return(shop(), query)
    assert "session" in str(caught.value) and "own=" in str(caught.value)
    assert verify_return(shop(), query, own=["session"]).trade_status == FIVE["trade_status"]


def test_a_whole_url_and_an_empty_query_are_refused_with_what_to_give():
    url = "https://shop.example.com/return?" + message(FIVE).decode("ascii")
    with pytest.raises(InvalidRequest) as caught:
        verify_return(shop(), url)
    assert "question mark" in str(caught.value)
    for empty in ("", "?", b""):
        with pytest.raises(MalformedParameter) as caught:
            verify_return(shop(), empty)
        assert "return page" in str(caught.value)
    assert verify_return(shop(), "?" + url.partition("?")[2])
