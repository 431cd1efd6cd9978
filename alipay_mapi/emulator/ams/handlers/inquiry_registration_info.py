"""``merchants/inquiryRegistrationInfo``: what was registered last; nothing before a registration is complete.

Source: iri.
"""
from ..gateway import Call, Said
from ..registrations import COMPLETED


def inquiry_registration_info(call: Call) -> Said:
    """By ``referenceMerchantId``. Raises Refused: RECORD_NOT_FOUND."""
    merchant, registrations = call.members.need("referenceMerchantId"), call.gateway.registrations
    registrations.needed(call.client.client_id, None, merchant)
    for row in call.gateway.ledger.rows("ams_registrations", newest=True, client_id=call.client.client_id,
                                        reference_merchant_id=merchant, registration_status=COMPLETED):
        return "SUCCESS", {name: row["content"][name] for name in ("productCodes", "merchantInfo", "storeInfo")
                           if name in row["content"]}
    return "SUCCESS", {}
