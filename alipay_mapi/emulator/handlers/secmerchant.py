"""``alipay.overseas.secmerchant.*``: an acquirer registers the shops behind it, and asks what became of that.

The answers' outer form is a guess (no captured one is known): a signed ``result_code`` inside ``<alipay>``. A
registration is judged at once: SUCCESS (our word, the page's is not known), or FAILED when the name holds one of the
acquirer's ``forbidden_words``.
"""
from ..gateway import Call
from ..refused import refuse
from ..reply import Reply

#: Which rows of the ledger a payment_method means: an online registration has no store.
_ONLINE = ""


def online_maintain(call: Call) -> Reply:
    """Register or update a shop with web sites or apps. Raises Refused. Source: online_maintain."""
    return _maintain(call, _ONLINE)


def offline_maintain(call: Call) -> Reply:
    """Register or update a shop's store. Raises Refused. Source: offline_maintain."""
    return _maintain(call, call.params.get("store_id", ""))


def _maintain(call, store_id):
    """The industry of a secondary merchant never changes: then ``result_code`` FAIL, in a signed answer."""
    params = call.checked(otherwise="INVALID_PARAMETER")
    params.pop("timestamp")
    ledger, shop = call.gateway.ledger, params.pop("secondary_merchant_id")
    with ledger.transaction():
        stored = ledger.rows("secmerchants", partner=call.partner, secondary_merchant_id=shop)
        if any(row["secondary_merchant_industry"] != params["secondary_merchant_industry"] for row in stored):
            return call.xml("alipay", {"result_code": "FAIL", "error": "MCC_CAN_NOT_MODIFY"})
        forbidden = any(word in params["secondary_merchant_name"]
                        for word in call.merchant.setting("forbidden_words"))
        data = {name: value for name, value in params.items() if name != "store_id"}
        data.update(status="FAILED" if forbidden else "SUCCESS",
                    reject_reason="the name holds a forbidden word" if forbidden else "")
        known = [row for row in stored if row["store_id"] == store_id]
        if known:
            ledger.change("secmerchants", known[0], **data)
        else:
            ledger.add("secmerchants", data, partner=call.partner, secondary_merchant_id=shop, store_id=store_id)
    return call.xml("alipay", {"result_code": "SUCCESS"})


def query_status(call: Call) -> Reply:
    """How a registration stands. Raises Refused: INVALID_PARAMETER (ours) when there is none.

    Without a ``store_id`` an INSTORE_PAYMENT question is about the store that was registered first.
    Source: online_querystatus.
    """
    params = call.checked(otherwise="INVALID_PARAMETER")
    online = params["payment_method"] == "ONLINE_PAYMENT"
    for row in call.gateway.ledger.rows("secmerchants", partner=call.partner,
                                        secondary_merchant_id=params["secondary_merchant_id"]):
        if (row["store_id"] == _ONLINE) == online and params.get("store_id") in (None, row["store_id"]):
            return call.xml("alipay", {
                "result_code": "SUCCESS", "secondary_merchant_id": params["secondary_merchant_id"],
                "store_id": row["store_id"], "payment_method": params["payment_method"], "status": row["status"],
                "reject_reason": row["reject_reason"]})
    raise refuse("INVALID_PARAMETER", "nothing is registered under this id for this payment_method",
                 "secondary_merchant_id")
