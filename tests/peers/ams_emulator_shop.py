"""A shop made of Alipay's own ``global-open-sdk-python``, for ``run_ams_emulator.py``: needs that package, and nothing
of ours.

The first line of the standard input is the account; each further one is something to do, and is answered by a line of
JSON: what the SDK read, or the class of what it raised. The SDK knows port 443 and TLS alone, so its way of sending is
replaced; the request, its signature and every check of the answer are its own.
"""
import http.client
import json
import sys
from urllib.parse import urlsplit

from com.alipay.ams.api import default_alipay_client as sdk
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.order import Order
from com.alipay.ams.api.model.payment_factor import PaymentFactor
from com.alipay.ams.api.model.payment_method import PaymentMethod
from com.alipay.ams.api.model.product_code_type import ProductCodeType
from com.alipay.ams.api.request.pay.alipay_capture_request import AlipayCaptureRequest
from com.alipay.ams.api.request.pay.alipay_inquiry_refund_request import AlipayInquiryRefundRequest
from com.alipay.ams.api.request.pay.alipay_pay_cancel_request import AlipayPayCancelRequest
from com.alipay.ams.api.request.pay.alipay_pay_query_request import AlipayPayQueryRequest
from com.alipay.ams.api.request.pay.alipay_pay_request import AlipayPayRequest
from com.alipay.ams.api.request.pay.alipay_refund_request import AlipayRefundRequest
from com.alipay.ams.api.response.pay.alipay_pay_query_response import AlipayPayQueryResponse
from com.alipay.ams.api.tools.webhook_tool import check_signature

# The peer may print while it works.
answers, sys.stdout = sys.stdout, sys.stderr


def post(url, headers=None, body=None, charset="UTF-8"):
    """As the SDK's ``do_post``, without TLS and to any port."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=15)
    try:
        connection.request("POST", parts.path, body=body.encode(charset), headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise sdk.AlipayApiException("invalid http status " + str(answer.status))
        return answer.getheaders(), answer.read()
    finally:
        connection.close()


sdk.do_post = post


def amount(value, currency="USD"):
    found = Amount()
    found.currency, found.value = currency, value
    return found


def pay(number, value, token=None, notify_url=None, authorization="true"):
    request, order, method = AlipayPayRequest(), Order(), PaymentMethod()
    order.order_amount, order.order_description, order.reference_order_id = amount(value), "Tea 茶 + 1", number
    method.payment_method_type = "CARD" if token else "ALIPAY_CN"
    if token:
        method.payment_method_id = token
        factor = PaymentFactor()
        factor.is_authorization, factor.capture_mode = authorization, "MANUAL"
        request.payment_factor = factor
    request.product_code, request.payment_request_id = ProductCodeType.CASHIER_PAYMENT, number
    request.order, request.payment_amount, request.payment_method = order, amount(value), method
    if notify_url:
        request.payment_notify_url = notify_url
    return request


def question(number):
    request = AlipayPayQueryRequest()
    request.payment_request_id = number
    return request


def cancel(number):
    request = AlipayPayCancelRequest()
    request.payment_request_id = number
    return request


def refund(number, payment_id, value):
    request = AlipayRefundRequest()
    request.refund_request_id, request.payment_id, request.refund_amount = number, payment_id, amount(value)
    return request


def refund_question(number):
    request = AlipayInquiryRefundRequest()
    request.refund_request_id = number
    return request


def capture(number, payment_id, value):
    request = AlipayCaptureRequest()
    request.capture_request_id, request.payment_id, request.capture_amount = number, payment_id, amount(value)
    return request


def status(client, number):
    """What the SDK's own classes make of an inquiry's answer."""
    read = AlipayPayQueryResponse(client.execute(question(number)))
    return {"result": read.result.result_status.value, "status": read.payment_status.value,
            "amount": [read.payment_amount.currency, read.payment_amount.value],
            "transactions": [[one.transaction_type.value, one.transaction_status.value]
                             for one in read.transactions or ()]}


REQUESTS = {"pay": pay, "inquiryPayment": question, "cancel": cancel, "refund": refund,
            "inquiryRefund": refund_question, "capture": capture}


def main():
    account = json.loads(sys.stdin.readline())
    client = sdk.DefaultAlipayClient(account["url"], account["client_id"], account["private"], account["public"])
    for line in sys.stdin:
        todo = json.loads(line)
        try:
            if todo["do"] == "verify":
                said = check_signature("POST", *todo["arguments"], alipay_public_key=account["public"])
            elif todo["do"] == "status":
                said = status(client, *todo["arguments"])
            else:
                said = json.loads(client.execute(REQUESTS[todo["do"]](*todo["arguments"])))
        except Exception as err:
            said = {"raised": type(err).__name__, "why": str(err)[:200]}
        answers.write(json.dumps(said) + "\n")
        answers.flush()


main()
