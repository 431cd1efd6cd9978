"""``arrival.py``: the gateways are told apart by shape alone (section 3.8)."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.errors import AlipayError, DuplicateParameter, MissingParameter, UnsupportedContentType
from alipay_mapi.migration.arrival import gateway_of
from genuine import DIRECT, FOREX, form
from migration_samples import rows

FORM = "application/x-www-form-urlencoded; text/html; charset=utf-8"
OPENAPI = b"app_id=2014072300007148&notify_type=trade_status_sync&trade_status=TRADE_SUCCESS&sign_type=RSA2&sign=x"


@pytest.mark.parametrize("sample", rows("ams_notifications"), ids=lambda one: one["id"])
def test_every_recorded_notification_of_ams_is_one(sample):
    assert gateway_of(sample["headers"], sample["body"].encode("utf-8")) == "ams"


@pytest.mark.parametrize("headers, body, gateway", [
    ({"Content-Type": FORM}, OPENAPI, "openapi"), ([("content-type", FORM.upper())], OPENAPI, "openapi"),
    ({}, OPENAPI, "openapi"), ({"Content-Type": FORM}, b"sign_type=MD5&sign=x", "mapi"),
    ({"Content-Type": FORM, "Signature": "algorithm=RSA256"}, b"sign_type=MD5&sign=x", "mapi"),
    ({"Content-Type": "application/json", "SIGNATURE": "x"}, OPENAPI, "ams")])
def test_the_shape_decides_and_nothing_in_it(headers, body, gateway):
    assert gateway_of(headers, body) == gateway


@pytest.mark.parametrize("fields", [FOREX, DIRECT], ids=["cross-border", "mainland"])
def test_mapis_notifications_are_mapis(fields):
    assert gateway_of({"Content-Type": FORM}, form(dict(fields, sign_type="MD5", sign="x"))) == "mapi"


@pytest.mark.parametrize("headers, body, error", [
    ({"Content-Type": "application/json"}, b"{}", MissingParameter), ({"Content-Type": FORM}, b"a=1", MissingParameter),
    ({"Content-Type": "text/xml"}, b"<alipay/>", UnsupportedContentType),
    ({"Content-Type": "multipart/form-data"}, b"", UnsupportedContentType),
    ({"Content-Type": FORM}, b"app_id=1&app_id=2", DuplicateParameter)])
def test_what_is_of_no_gateway_is_refused(headers, body, error):
    with pytest.raises(error):
        gateway_of(headers, body)


@settings(max_examples=settings.default.max_examples // 5)
@given(st.dictionaries(st.sampled_from(["content-type", "signature"]), st.text(max_size=40) | st.just(FORM)),
       st.binary(max_size=60))
def test_anything_is_of_one_gateway_or_one_of_our_errors(headers, body):
    try:
        assert gateway_of(headers, body) in ("ams", "openapi", "mapi")
    except AlipayError:
        pass
