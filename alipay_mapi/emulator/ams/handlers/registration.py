"""``merchants/registration``: a secondary merchant, once; AMS has no update. Source: registration."""
from typing import Any, Dict

from ..gateway import Call, Said
from ..members import illegal

_TYPES = ("ENTERPRISE_REGISTRATION_NO", "INDEPENDENT_CONTRACTOR_LICENSE_NO", "OTHER_IDENTIFICATION_NO",
          "US_FEDERAL_EIN")
#: Both spellings occur: the SDKs', and the online page's.
ADDRESSES = ("registrationNotifyURL", "registrationNotifyUrl")


def registration(call: Call) -> Said:
    """Taken; how it ends is told later. Raises Refused: PARAM_ILLEGAL, REPEAT_REGISTRATION,
    REGISTRATION_UNDER_REVIEW, REPEAT_REQ_INCONSISTENT."""
    members = call.members
    number = members.need("registrationRequestId")
    members.texts("productCodes", True)
    merchant = members.need("merchantInfo.referenceMerchantId")
    members.need("merchantInfo.merchantDisplayName")
    members.need("merchantInfo.merchantMCC")
    members.need("merchantInfo.registrationDetail.legalName", 256)
    kind = members.text("merchantInfo.registrationDetail.registrationType", one_of=_TYPES)
    if kind is None and members.text("merchantInfo.registrationDetail.registrationNo") is not None:
        raise illegal("merchantInfo.registrationDetail.registrationType", "is required with a registrationNo")
    members.text("merchantInfo.registrationDetail.businessType", one_of=("ENTERPRISE", "INDIVIDUAL"))
    for name in ADDRESSES:
        members.address(name)
    row = call.gateway.registrations.ask(call.client, number, merchant, members.content)
    told: Dict[str, Any] = {}
    if members.text("passThroughInfo", 20000) is not None:
        told["passThroughInfo"] = row["content"]["passThroughInfo"]
    return "SUCCESS", told
