"""What AMS tells of a payment, a refund, a capture: rows → the members of answers and notifications."""
from typing import Any, Dict, List, Optional

from ..merchants import BUYERS
from . import cards, money
from .codes import CODES
from .members import Amount
from .messages import iso
from .payments import FAIL, SUCCESS

#: paymentMethodType → pspName.
_PSPS = {"ALIPAY_CN": "ALIPAYCN", "ALIPAY_HK": "ALIPAYHK"}


def amount(row: Dict[str, Any]) -> Dict[str, str]:
    """The amount of a payment, a refund or a capture."""
    return Amount(row["currency"], row["amount"]).written()


def order(row: Dict[str, Any]) -> Dict[str, Any]:
    """What every message about a payment has."""
    return {"paymentRequestId": row["payment_request_id"], "paymentId": row["payment_id"],
            "paymentAmount": amount(row), "paymentCreateTime": iso(row["created_at"])}


def paid(row: Dict[str, Any], token: Optional[str]) -> Dict[str, Any]:
    """What a payment has that is paid or authorized; {} before."""
    found: Dict[str, Any] = {}
    if row.get("paid_at") and row["payment_status"] == SUCCESS:
        found["paymentTime"] = iso(row["paid_at"])
        if row.get("auth_expires_at"):
            found["authExpiryTime"] = iso(row["auth_expires_at"])
        currency = row["content"].get("settlementStrategy", {}).get("settlementCurrency")
        if currency and currency != row["currency"]:
            found.update(money.settled(Amount(row["currency"], row["amount"]), currency))
    found.update(customer(row))
    if row.get("card"):
        found["paymentResultInfo"] = card(row, token)
    return found


def customer(row: Dict[str, Any]) -> Dict[str, Any]:
    """``pspCustomerInfo``, once somebody pays."""
    for buyer in BUYERS:
        if buyer.buyer_id == row.get("buyer_id"):
            name, _, domain = buyer.buyer_email.partition("@")
            return {"pspCustomerInfo": {"pspName": _PSPS.get(row["method"], row["method"]),
                                        "pspCustomerId": buyer.buyer_id,
                                        "displayCustomerId": name[:3] + "***@" + domain}}
    return {}


def card(row: Dict[str, Any], token: Optional[str]) -> Dict[str, str]:
    """``cardInfo`` and ``paymentResultInfo``: masked, with the token that stands for the card."""
    found = cards.shown(cards.find_card(row["card"]))
    if token:
        found["cardToken"] = token
    return found


def where_to_pay(row: Dict[str, Any], base_url: str) -> Dict[str, Any]:
    """The ways for the buyer while a payment is in process."""
    wallet = "{}/ams/cashier/{}".format(base_url, row["id"])
    if row["scenario"] == "OrderCode":
        return {"orderCodeForm": {"paymentMethodType": row["method"], "expireTime": iso(row["expires_at"]),
                                  "codeDetails": [{"codeValueType": "QRCODE", "displayType": "TEXT",
                                                   "codeValue": wallet}]}}
    if not row["page"]:
        return {}
    url = wallet if row["page"] == "wallet" else "{}/ams/{}/{}".format(base_url, row["page"], row["id"])
    return {"normalUrl": url, "redirectActionForm": {"method": "GET", "redirectUrl": url}}


def transactions(payment: Dict[str, Any], captures: List[Dict[str, Any]],
                 refunds: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """``transactions``: captures and refunds, in the order in which they were asked for."""
    rows = [("CAPTURE", one["capture_request_id"], one["capture_id"], one["capture_status"], one) for one in captures] \
        + [("REFUND", one["refund_request_id"], one["refund_id"], one["refund_status"], one) for one in refunds]
    found = []
    for kind, request_id, number, status, one in sorted(rows, key=lambda row: (row[4]["asked_at"], row[0])):
        code = one["result_code"]
        told = {"transactionType": kind, "transactionStatus": status, "transactionRequestId": request_id,
                "transactionId": number, "transactionAmount": amount(one),
                "transactionResult": {"resultCode": code, "resultStatus": CODES[code][0],
                                      "resultMessage": CODES[code][1]}}
        if one.get("done_at"):
            told["transactionTime"] = iso(one["done_at"])
        found.append(told)
    return found


def final_code(row: Dict[str, Any]) -> str:
    """The code of a pay call that is repeated: the same as when it became final."""
    if row["payment_status"] == SUCCESS:
        return "SUCCESS"
    if row["payment_status"] == FAIL:
        return row["result_code"]
    return {"CANCELLED": "ORDER_IS_CANCELED"}.get(row["payment_status"], "PAYMENT_IN_PROCESS")
