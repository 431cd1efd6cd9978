"""Whatever a client sends, AMS answers with one of its codes; and whatever happens at once, the books are right."""
import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alipay_mapi.emulator.ams.codes import CODES
from alipay_mapi.emulator.ams.handlers import AMS_HANDLERS
from alipay_mapi.emulator.ams.incoming import incoming
from alipay_mapi.migration.ams.amounts import DECIMALS
from ams_setup import PRODUCTION, Shop, ams

NAMES = st.sampled_from("""productCode paymentRequestId order orderAmount orderDescription referenceOrderId merchant
referenceMerchantId paymentAmount currency value paymentMethod paymentMethodType paymentMethodId paymentMethodMetaData
cardNo expiry cvv paymentFactor isAuthorization captureMode inStorePaymentScenario settlementStrategy settlementCurrency
env terminalType paymentExpiryTime paymentNotifyUrl paymentId refundRequestId refundAmount captureRequestId
captureAmount isLastCapture registrationRequestId productCodes merchantInfo registrationDetail legalName passThroughInfo
""".split())
TEXTS = st.text(max_size=12) | st.sampled_from([
    "CASHIER_PAYMENT", "IN_STORE_PAYMENT", "PaymentCode", "CARD", "ALIPAY_CN", "USD", "JPY", "1000", "true", "P1",
    "281234567890123456", "4111111111111111", "2026-03-01T12:05:00+08:00", ""])
VALUES = st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
                      max_leaves=8)
ANYTHING = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def shop():
    with ams() as emulator:
        emulator.ams_settings("md5", pci=True)
        yield Shop(emulator)


@ANYTHING
@given(call=st.sampled_from(sorted(AMS_HANDLERS)), changes=st.dictionaries(NAMES, VALUES, max_size=5),
       whole=st.booleans())
def test_every_signed_body_gets_a_code(shop, call, changes, whole):
    content = shop.order(paymentId="1", refundAmount={"currency": "USD", "value": "1"}) if whole else {}
    got = shop.send(call, body=json.dumps(dict(content, **changes)).encode("utf-8"))
    assert got.code in CODES and got.said["result"]["resultStatus"] == CODES[got.code][0] and got.headers


@ANYTHING
@given(method=st.sampled_from(["POST", "GET", ""]),
       target=st.sampled_from(["/ams/api/v1/payments/pay", "/ams/api/v1/payments/pay?a=\ud800", "/ams/"]) | st.text(),
       headers=st.lists(st.tuples(st.sampled_from(["client-id", "Signature", "Request-Time", "content-type"]),
                                  st.sampled_from([PRODUCTION, "application/json", "algorithm=RSA256,signature=AAAA"])
                                  | st.text()), max_size=6), body=st.binary(max_size=40))
def test_every_unsigned_request_is_refused(shop, method, target, headers, body):
    outcome = shop.emulator.ams_answer(incoming(method, target, headers, body))
    assert outcome.status == "F" and outcome.reply.headers == () and outcome.reply.status == 200


@pytest.mark.parametrize("currency", sorted(DECIMALS))
def test_a_payment_in_every_currency_of_the_table_is_paid_and_refunded(currency):
    with ams() as emulator:
        shop = Shop(emulator)
        assert shop.place("P1", "10000", currency, settlementStrategy={"settlementCurrency": "EUR"}).code == \
            "PAYMENT_IN_PROCESS"
        emulator.pay("P1")
        said = shop.inquiryPayment(paymentRequestId="P1").said
        assert said["paymentStatus"] == "SUCCESS" and ("settlementQuote" in said) == (currency != "EUR")
        emulator.settings("md5", balance="100000.00")
        assert emulator.refund("P1")["amount"] == 10000


def at_once(*acts):
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_refunds_at_once_never_give_back_more_than_was_paid():
    with ams() as emulator:
        shop, codes = Shop(emulator), []
        shop.place()
        emulator.pay("P1")
        number = emulator.payment("P1")["payment_id"]

        def asking(request_id):
            return lambda: codes.append(shop.refund(refundRequestId=request_id, paymentId=number, refundAmount={
                "currency": "USD", "value": "400"}).code)

        at_once(*[asking("R{}".format(one)) for one in range(8)])
        assert sorted(codes) == ["REFUND_AMOUNT_EXCEED"] * 6 + ["SUCCESS"] * 2
        assert emulator.payment("P1")["refunded"] == 800


def test_the_same_ids_at_once_are_one_payment_and_one_refund():
    with ams() as emulator:
        shop, said = Shop(emulator), []
        at_once(*[lambda: said.append(shop.place().said["paymentId"])] * 6)
        assert len(set(said)) == 1 and len(said) == 6
        emulator.pay("P1")
        content = {"refundRequestId": "R1", "paymentId": said[0], "refundAmount": {"currency": "USD", "value": "400"}}
        at_once(*[lambda: said.append(shop.refund(**content).code)] * 6)
        assert said[6:] == ["SUCCESS"] * 6 and emulator.payment("P1")["refunded"] == 400
