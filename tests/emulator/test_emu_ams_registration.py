"""Secondary merchants: registration, its two inquiries, its notification."""
import pytest

from alipay_mapi.emulator.refused import Refused
from ams_setup import Acknowledging, SANDBOX, Shop, ams, result

WHO = {"referenceMerchantId": "M1", "merchantDisplayName": "Tea shop", "merchantMCC": "5499", "registrationDetail": {
    "legalName": "Tea Ltd", "registrationType": "ENTERPRISE_REGISTRATION_NO", "registrationNo": "1",
    "businessType": "ENTERPRISE"}}


@pytest.fixture
def shop():
    with ams() as emulator:
        yield Shop(emulator)


def register(shop, number="G1", merchant="M1", **more):
    content = {"registrationRequestId": number, "productCodes": ["CASHIER_PAYMENT"],
               "merchantInfo": dict(WHO, referenceMerchantId=merchant)}
    content.update(more)
    return shop.registration(**{name: value for name, value in content.items() if value is not None})


def status(shop, **ids):
    said = shop.inquiryRegistrationStatus(**(ids or {"registrationRequestId": "G1"})).said
    wallets = said.get("pspRegistrationResultList")
    return said["registrationResult"]["registrationStatus"], wallets and wallets[0]["registrationResult"][
        "registrationStatus"]


def test_a_registration_is_taken_and_complete_a_minute_later():
    address = Acknowledging()
    with ams(address) as emulator:
        shop = Shop(emulator)
        assert result(register(shop, registrationNotifyURL="https://shop.test/merchants")) == ("S", "SUCCESS")
        assert status(shop) == ("PENDING", None)
        assert set(shop.inquiryRegistrationInfo(referenceMerchantId="M1").said) == {"result"}
        emulator.advance(60)
        assert status(shop) == status(shop, referenceMerchantId="M1") == ("COMPLETED", "APPROVED")
        [said] = address.contents()
        assert address.got[0].url == "https://shop.test/merchants" and "notifyType" not in said
        assert (said["registrationRequestId"], said["referenceMerchantId"]) == ("G1", "M1")
        assert said["registrationResult"] == {"registrationStatus": "COMPLETED"}
        info = shop.inquiryRegistrationInfo(referenceMerchantId="M1").said
        assert info["merchantInfo"]["registrationDetail"]["legalName"] == "Tea Ltd"


@pytest.mark.parametrize("setting, ends", [("reject", ("COMPLETED", "REJECTED")), ("review", ("PENDING", None))])
def test_how_it_ends_is_the_client_s_setting(shop, setting, ends):
    shop.emulator.ams_settings("md5", registration=setting)
    register(shop)
    shop.emulator.advance(3600)
    assert status(shop) == ends


@pytest.mark.parametrize("approved, ends", [(True, "APPROVED"), (False, "REJECTED")])
def test_somebody_reviews_a_registration_once(shop, approved, ends):
    shop.emulator.ams_settings("md5", registration="review")
    register(shop)
    assert shop.emulator.review_registration("G1", approved, "no logo")["registration_status"] in ("COMPLETED", ends)
    with pytest.raises(Refused):
        shop.emulator.review_registration("G1", approved)
    said = shop.inquiryRegistrationStatus(registrationRequestId="G1").said
    assert said["registrationResult"] == {"registrationStatus": "COMPLETED"}
    assert said["pspRegistrationResultList"] == [{
        "productCodes": ["CASHIER_PAYMENT"], "pspName": "ALIPAY_CN",
        "registrationResult": {"registrationStatus": ends, "rejectionReasons": "no logo"}}]


def test_the_same_request_again_is_the_same_result_and_another_merchant_or_request_is_not(shop):
    assert register(shop).said == register(shop).said
    assert register(shop, merchant="M2").code == "REPEAT_REQ_INCONSISTENT"
    assert register(shop, "G2").code == "REGISTRATION_UNDER_REVIEW"
    shop.emulator.advance(60)
    assert register(shop, "G2").code == "REPEAT_REGISTRATION" and register(shop).code == "SUCCESS"
    assert register(shop, "G3", "M3").code == "SUCCESS"


def test_a_rejected_merchant_may_register_again(shop):
    shop.emulator.ams_settings("md5", registration="reject")
    register(shop)
    shop.emulator.advance(60)
    shop.emulator.ams_settings("md5", registration="approve")
    assert register(shop, "G2").code == "SUCCESS"
    shop.emulator.advance(60)
    assert status(shop, referenceMerchantId="M1") == ("COMPLETED", "APPROVED")
    assert status(shop) == ("COMPLETED", "REJECTED")
    assert shop.inquiryRegistrationInfo(referenceMerchantId="M1").said["productCodes"]


def test_a_registered_merchant_may_be_paid_for_where_that_is_asked_for(shop):
    shop.emulator.ams_settings("md5", registered_only=True)
    content = shop.order()
    content["order"]["merchant"] = {"referenceMerchantId": "M1"}
    register(shop)
    assert shop.send("payments/pay", content).code == "MERCHANT_NOT_REGISTERED"
    shop.emulator.advance(60)
    assert shop.send("payments/pay", content).code == "PAYMENT_IN_PROCESS"


@pytest.mark.parametrize("changes", [
    dict(registrationRequestId=None), dict(productCodes=None), dict(productCodes=[]), dict(productCodes="CASHIER"),
    dict(merchantInfo=None), dict(merchantInfo={}), dict(merchantInfo=dict(WHO, registrationDetail={})),
    dict(merchantInfo=dict(WHO, registrationDetail={"legalName": "x", "registrationNo": "1"})),
    dict(merchantInfo=dict(WHO, registrationDetail={"legalName": "x", "businessType": "OTHER"})),
    dict(registrationNotifyUrl="nowhere")])
def test_a_registration_without_what_it_needs_is_illegal(shop, changes):
    assert result(register(shop, **changes)) == ("F", "PARAM_ILLEGAL")


def test_nobody_else_s_registration_is_found(shop):
    register(shop)
    for call in ("inquiryRegistrationStatus", "inquiryRegistrationInfo"):
        assert result(shop.send("merchants/" + call, {"referenceMerchantId": "M2"})) == ("F", "RECORD_NOT_FOUND")
        assert shop.send("merchants/" + call, {}).code == "PARAM_ILLEGAL"
        other = Shop(shop.emulator, SANDBOX)
        assert other.send("merchants/" + call, {"referenceMerchantId": "M1"}).code == "RECORD_NOT_FOUND"
