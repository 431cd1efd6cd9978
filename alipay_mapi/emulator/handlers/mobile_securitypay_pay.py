"""``mobile.securitypay.pay`` sent to the gateway: it is never accepted there.

The shop hands the order string to its app, the app to Alipay's SDK (``app_sdk``), and the signed text of an order
string is not that of a gateway request. To ``gateway.do`` no service has this name: ILLEGAL_SERVICE, and not
ILLEGAL_EXTERFACE, which would blame the merchant's contract.
"""
from ..gateway import Call
from ..refused import refuse
from ..reply import Reply


def mobile_securitypay_pay(call: Call) -> Reply:
    """Always raises Refused: ILLEGAL_SERVICE (ours)."""
    raise refuse("ILLEGAL_SERVICE", "this order string goes through the app to Alipay's SDK, not to the gateway",
                 "service")
