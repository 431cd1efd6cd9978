"""The result codes of AMS: code → (the ``resultStatus`` that it comes with, words for people).

Source: the error tables of the calls' pages.
"""
from typing import Dict, Tuple

S, F, U = "S", "F", "U"

CODES: Dict[str, Tuple[str, str]] = {
    "SUCCESS": (S, "success."),
    "PAYMENT_IN_PROCESS": (U, "The payment is being processed."),
    "REFUND_IN_PROCESS": (U, "The refund is being processed."),
    "CAPTURE_IN_PROCESS": (U, "The capture is being processed."),
    "UNKNOWN_EXCEPTION": (U, "An API calling is failed, which is caused by unknown reasons."),
    "REQUEST_TRAFFIC_EXCEED_LIMIT": (U, "The request traffic exceeds the limit."),
    # the order's state
    "ORDER_NOT_EXIST": (F, "The order does not exist."),
    "ORDER_IS_CLOSED": (F, "The order is closed."),
    "ORDER_IS_CANCELED": (F, "The order is canceled."),
    "ORDER_STATUS_INVALID": (F, "The order's status does not allow this."),
    "EXPIRED_CODE": (F, "The payment code is expired."),
    "AUTH_CANCELLED": (F, "The authorization is cancelled."),
    "AUTH_EXPIRED": (F, "The authorization is expired."),
    "AUTH_NOT_FOUND": (F, "The authorization is not found."),
    # money and windows
    "REFUND_AMOUNT_EXCEED": (F, "The refund amount exceeds what is left of the payment."),
    "REFUND_WINDOW_EXCEED": (F, "The refund window is over."),
    "MULTIPLE_REFUNDS_NOT_SUPPORTED": (F, "Multiple refunds are not supported."),
    "CANCEL_WINDOW_EXCEED": (F, "The cancel window is over."),
    "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT": (F, "The capture amount exceeds the authorized amount."),
    "MULTI_CAPTURE_NOT_SUPPORTED": (F, "Multiple captures are not supported."),
    "MERCHANT_BALANCE_NOT_ENOUGH": (F, "The merchant's balance is not enough."),
    "USER_BALANCE_NOT_ENOUGH": (F, "The user's balance is not enough."),
    "USER_AMOUNT_EXCEED_LIMIT": (F, "The payment amount exceeds the user's limit."),
    "USER_STATUS_ABNORMAL": (F, "The user's status is abnormal."),
    "USER_NOT_EXIST": (F, "The user does not exist."),
    "USER_KYC_NOT_QUALIFIED": (F, "The user's identity is not confirmed."),
    "USER_PAYMENT_VERIFICATION_FAILED": (F, "The user could not be verified."),
    # refused
    "PROCESS_FAIL": (F, "A general business failure occurred. Do not retry."),
    "SYSTEM_ERROR": (F, "A system error occurred. Do not retry."),
    "RISK_REJECT": (F, "The request is rejected because of risk control."),
    "FRAUD_REJECT": (F, "The payment is rejected as fraud."),
    "NO_PAY_OPTIONS": (F, "No payment options are available."),
    "REPEAT_REQ_INCONSISTENT": (F, "Repeated requests are inconsistent."),
    # set-up
    "INVALID_SIGNATURE": (F, "The signature is invalid."),
    "KEY_NOT_FOUND": (F, "The key is not found."),
    "INVALID_CLIENT": (F, "The client is invalid."),
    "ACCESS_DENIED": (F, "The access is denied."),
    "NO_INTERFACE_DEF": (F, "The API is not defined."),
    "METHOD_NOT_SUPPORTED": (F, "The server does not implement the requested HTTP method."),
    "MEDIA_TYPE_NOT_ACCEPTABLE": (F, "The server does not implement the media type."),
    "PARAM_ILLEGAL": (F, "Illegal parameters."),
    "CURRENCY_NOT_SUPPORT": (F, "The currency is not supported."),
    "INVALID_CONTRACT": (F, "The contract is invalid."),
    "MERCHANT_NOT_REGISTERED": (F, "The merchant is not registered."),
    # registration
    "REPEAT_REGISTRATION": (F, "The merchant is registered already."),
    "REGISTRATION_UNDER_REVIEW": (F, "The registration is under review."),
    "RECORD_NOT_FOUND": (F, "There is no such record."),
}


def result(code: str, status: str = "") -> Dict[str, str]:
    """The ``result`` object of a code."""
    usual, message = CODES[code]
    return {"resultCode": code, "resultStatus": status or usual, "resultMessage": message}
