"""``merchants/inquiryRegistrationStatus``: how a registration stands. Source: irs."""
from typing import Any, Dict

from ..gateway import Call, Said
from ..members import illegal
from ..registrations import COMPLETED, PROCESSING


def inquiry_registration_status(call: Call) -> Said:
    """By ``registrationRequestId``, ``referenceMerchantId``, or both. Raises Refused: RECORD_NOT_FOUND."""
    number, merchant = call.members.text("registrationRequestId"), call.members.text("referenceMerchantId")
    if number is None and merchant is None:
        raise illegal("registrationRequestId", "give it, or the referenceMerchantId")
    return "SUCCESS", status_of(call.gateway.registrations.needed(call.client.client_id, number, merchant))


def status_of(row: Dict[str, Any]) -> Dict[str, Any]:
    """``registrationResult``, and how the one wallet there is has decided; for the notification too."""
    if row["registration_status"] == PROCESSING:
        return {"registrationResult": {"registrationStatus": "PENDING"}}
    wallet = {"registrationStatus": "APPROVED" if row["registration_status"] == COMPLETED else "REJECTED"}
    if row["reason"]:
        wallet["rejectionReasons"] = row["reason"]
    return {"registrationResult": {"registrationStatus": "COMPLETED"}, "pspRegistrationResultList": [
        {"productCodes": row["content"]["productCodes"], "pspName": "ALIPAY_CN", "registrationResult": wallet}]}
