"""Who sells: secondary merchant, store, terminal. MAPI has them as parameters, or as JSON in ``extend_info``."""
from typing import Any, Dict, Mapping, NamedTuple, Optional

_NAMES = ("secondary_merchant_id", "secondary_merchant_name", "secondary_merchant_industry", "store_id", "store_name",
          "terminal_id")
#: Where AMS has them in a payment.
AMS_PLACES = {"secondary_merchant_id": "order.merchant.referenceMerchantId",
              "secondary_merchant_name": "order.merchant.merchantName",
              "secondary_merchant_industry": "order.merchant.merchantMCC",
              "store_id": "order.merchant.store.referenceStoreId", "store_name": "order.merchant.store.storeName",
              "terminal_id": "order.env.storeTerminalId"}


class Seller(NamedTuple):
    """The words of MAPI; each None when it was not given."""

    secondary_merchant_id: Optional[str]
    secondary_merchant_name: Optional[str]
    secondary_merchant_industry: Optional[str]
    store_id: Optional[str]
    store_name: Optional[str]
    terminal_id: Optional[str]


def taken(draft, places: Mapping[str, str]) -> Seller:
    """Take all of it out of ``draft``; what ``extend_info`` holds beside it is refused unless it may be ignored.
    ``places``: name → where it goes, for people."""
    found = {name: draft.take(name, to=places.get(name, ())) for name in _NAMES}
    for field in ("extend_info", "extend_params"):
        inside = draft.json(field) or {}
        for name, value in inside.items():
            if name in _NAMES and isinstance(value, str):
                if found[name] is not None and found[name] != value:
                    draft.refuse(name, "another value in {}".format(field), "give one of them")
                found[name] = value
                if name in places:
                    draft.goes("{}.{}".format(field, name), places[name])
            elif name in draft.context.ignore:
                draft.note(name, "dropped, as Context.ignore says")
            else:
                draft.refuse("{}.{}".format(field, name), "has no place there",
                             "leave it out, or allow it with Context(ignore={{{!r}}})".format(name))
    return Seller(**found)


def ams_merchant(seller: Seller, merchant_url: Optional[str]) -> Dict[str, Any]:
    """``order.merchant``; empty when nothing was given."""
    merchant = _given({
        "referenceMerchantId": seller.secondary_merchant_id, "merchantName": seller.secondary_merchant_name,
        "merchantMCC": seller.secondary_merchant_industry, "merchantUrl": merchant_url})
    store = _given({"referenceStoreId": seller.store_id, "storeName": seller.store_name})
    if store:
        merchant["store"] = store
    return merchant


def check_seller(draft) -> None:
    """The seller is the account there. Another one than the partner would be paid by mistake."""
    for name in ("seller_id", "alipay_seller_id"):
        seller = draft.take(name)
        if seller is not None and seller != draft.partner:
            draft.refuse(name, "another seller than the partner", "use the account of that seller there")


def _given(members):
    return {name: value for name, value in members.items() if value is not None}
