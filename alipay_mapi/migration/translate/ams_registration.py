"""Secondary merchants → AMS's ``merchants/registration`` and the question how it stands.

MAPI's call creates or updates; AMS registers once, and answers a repetition with an error. So only the first one can be
translated, and the caller has to say that it is the first.
"""
from typing import Any, Dict

from .result import Step

_TYPES = ("INDIVIDUAL", "ENTERPRISE")
_DETAIL = "merchantInfo.registrationDetail."


def register(draft):
    """``alipay.overseas.secmerchant.online.maintain`` → ``merchants/registration``."""
    context = draft.context
    if not context.first_registration:
        draft.refuse("secondary_merchant_id", "it may be an update, and AMS has none", "for a merchant that was never "
                     "registered there give Context(first_registration=True)")
    if not context.registration_request_id:
        draft.refuse("registrationRequestId", "AMS wants an id of the request, which repeats it safely",
                     "give Context(registration_request_id=…)")
    if not context.legal_name:
        draft.refuse("legalName", "MAPI's one name is two things there: the name shown, and the legal one",
                     "give Context(legal_name=…)")
    merchant: Dict[str, Any] = {
        "referenceMerchantId": draft.need("secondary_merchant_id", to="merchantInfo.referenceMerchantId"),
        "merchantDisplayName": draft.need("secondary_merchant_name", to="merchantInfo.merchantDisplayName"),
        "merchantMCC": draft.need("secondary_merchant_industry", to="merchantInfo.merchantMCC"),
    }
    detail: Dict[str, Any] = {"legalName": context.legal_name}
    address = _DETAIL + "registrationAddress."
    detail["registrationAddress"] = {"region": draft.need("register_country", to=address + "region"),
                                     "address1": draft.need("register_address", to=address + "address1")}
    _registration_no(draft, detail)
    kind = draft.take("secondary_merchant_type", to=_DETAIL + "businessType")
    if kind is not None:
        if kind not in _TYPES:
            draft.refuse("secondary_merchant_type", "neither INDIVIDUAL nor ENTERPRISE", "give one of them")
        detail["businessType"] = kind
    contact = draft.take("contact_no", to=_DETAIL + "contactInfo.contactNo")
    if contact is not None:
        detail["contactInfo"] = {"contactNo": contact}
        draft.note("contact_no", "AMS also has a contactType, which MAPI never had")
    merchant["registrationDetail"] = detail
    sites = _websites(draft)
    if sites:
        draft.goes("site_infos", "merchantInfo.websites")
        merchant["websites"] = sites
    body: Dict[str, Any] = {"registrationRequestId": context.registration_request_id,
                            "productCodes": ["CASHIER_PAYMENT"], "merchantInfo": merchant}
    draft.put(body, "registrationNotifyURL", "notify_url")
    return draft.finish(lambda: [Step("merchants/registration", body)])


def status(draft):
    """``alipay.overseas.secmerchant.maintain.queryStatus`` → ``merchants/inquiryRegistrationStatus``."""
    body: Dict[str, Any] = {"referenceMerchantId": draft.need("secondary_merchant_id", to="referenceMerchantId")}
    if draft.context.registration_request_id:
        body["registrationRequestId"] = draft.context.registration_request_id
    if draft.take("payment_method") == "INSTORE_PAYMENT":
        draft.refuse("payment_method", "stores have no translation yet", "ask AMS itself")
    return draft.finish(lambda: [Step("merchants/inquiryRegistrationStatus", body)])


def _registration_no(draft, detail):
    number = draft.take("registration_no", to=_DETAIL + "registrationNo")
    if number is None:
        return
    detail["registrationNo"] = number
    if draft.context.registration_type:
        detail["registrationType"] = draft.context.registration_type
    else:
        draft.refuse("registrationType", "AMS wants the kind of the registration number, which MAPI never had",
                     "give Context(registration_type=…), such as ENTERPRISE_REGISTRATION_NO")


def _websites(draft):
    sites = draft.json_list("site_infos") or ()
    found = []
    for site in sites:
        kind, url = site.get("site_type"), site.get("site_url")
        if kind != "WEB" or not url:
            draft.refuse("site_infos", "an app has no exact place there" if kind == "APP" else "a site without type or "
                         "address", "register its web site")
            continue
        found.append({"name": site.get("site_name") or url, "url": url})
    return found
