"""Each gateway as a stage for the tests of its back end: what it answers is said in words that all gateways share.

A transport that plays MAPI (its answers are made by ``genuine``: hashlib, the openssl command) and one that plays AMS
(``migration_samples``: the openssl command). A third gateway joins with a class of its own here, and a name in
``KINDS``.
"""
import json
from dataclasses import replace
from urllib.parse import parse_qs

import genuine
from alipay_mapi import Client, Merchant, Order
from alipay_mapi.backend import MapiBackend
from alipay_mapi.errors import TransportError
from alipay_mapi.migration.backends import AmsBackend, AmsClient
from alipay_mapi.migration.shadow import ShadowBackend
from alipay_mapi.times import parse_time
from alipay_mapi.transport import Answer
from migration_samples import account, answer_headers, dumped, pem, result
from scripted_ams import Answer as SignedAnswer

NOW = parse_time("2026-05-12 12:00:00")
USD, YUAN = Order("A1", total_fee="8.00", currency="USD"), Order("A1", rmb_fee="50.00", currency="USD")
PAY = {"out_trade_no": "A1", "subject": "Tea", "total_fee": "8.00", "currency": "USD",
       "notify_url": "https://shop.example/notify/", "return_url": "https://shop.example/return/"}
#: What may stand in no repr, error or log: keys, and where a buyer pays.
SECRETS = tuple("".join(text.splitlines()[1:3])[:60] for text in (
    genuine.key_file("rsa2048", "private"), pem("merchant-private"))) + (genuine.MD5_KEY, "cashier-canary", "sign=")


class Stage:
    """A transport. ``says``: kind of call ("query", "refund", "refund query", "pay") → what is answered: a function of
    the call, or an exception. ``calls``: the kinds, in order; ``sent``: the calls themselves."""

    def __init__(self):
        self.says, self.calls, self.sent = {}, [], []

    def send(self, call):
        kind = self.kind_of(call)
        self.calls.append(kind)
        self.sent.append(call)
        said = self.says[kind]
        if isinstance(said, Exception):
            raise said
        return said(call)

    def is_at(self, state, order=USD):
        """The payment's state, from now on: a name of the words below."""
        self.says["query"] = getattr(self, state)(order)

    def are_at(self, states, price=USD):
        """Several payments: ``states``: number → word."""
        def answer(call):
            number = self.number_of(call)
            return getattr(self, states[number])(replace(price, out_trade_no=number))(call)
        self.says["query"] = answer

    def refunds(self, word):
        self.says["refund"] = getattr(self, "refund_" + word)()

    def shows_refund(self, word, order=USD):
        """What is said of a refund that was asked for: "done", "failed", "running", "never" (it did not arrive)."""
        raise NotImplementedError


class OnMapi(Stage):
    name = "mapi"
    shop = Merchant(genuine.PARTNER, "RSA2", private_key=genuine.key_file("rsa2048", "private"),
                    alipay_public_key=genuine.key_file(genuine.FILES["RSA2"]))

    def backend(self):
        return MapiBackend(Client(self.shop, self, retries=1, sleep=lambda seconds: None))

    @staticmethod
    def kind_of(call):
        service, = parse_qs(call.body.decode("ascii"))["service"]
        return {"single_trade_query": "query", "forex_refund": "refund"}[service]

    @staticmethod
    def number_of(call):
        number, = parse_qs(call.body.decode("ascii"))["out_trade_no"]
        return number

    # --- of a payment; amounts are yuan, whatever the order's currency ---

    def trade(self, order, **changes):
        fields = {"out_trade_no": order.out_trade_no, "trade_no": "2018041121001003790200210315",
                  "trade_status": "TRADE_FINISHED", "total_fee": "50.00", "to_buyer_fee": "0.00",
                  "seller_id": genuine.PARTNER}
        fields.update(changes)
        return lambda call: Answer(200, "text/xml", genuine.answer(fields, "RSA2"))

    def paid(self, order):
        return self.trade(order)

    def waiting(self, order):
        return self.trade(order, trade_status="WAIT_BUYER_PAY")

    def closed(self, order):
        return self.trade(order, trade_status="TRADE_CLOSED")

    def not_there(self, order):
        return self.error("TRADE_NOT_EXIST")

    def unknown(self, order):
        return self.error("SYSTEM_ERROR")

    def refused(self, order):
        return self.error("ILLEGAL_SIGN")

    def tampered(self, order):
        return changed(self.trade(order, trade_status="WAIT_BUYER_PAY"), b"WAIT_BUYER_PAY", b"TRADE_FINISHED")

    def other_order(self, order):
        return self.trade(order, out_trade_no="A2")

    def wrong_amount(self, order):
        return self.trade(order, total_fee="49.99")

    def partly_refunded(self, order):
        return self.trade(order, to_buyer_fee="20.00")

    def wholly_refunded(self, order):
        return self.trade(order, to_buyer_fee="50.00")

    # --- of a refund ---

    def refund_accepted(self):
        return xml(b"<alipay><is_success>T</is_success></alipay>")

    refund_running = refund_accepted

    def refund_repeated(self):
        return self.error("REPEATED_REFUNDMENT_REQUEST")

    def refund_failed(self):
        return self.error("RETURN_AMOUNT_EXCEED")

    def refund_unknown(self):
        return self.error("SYSTEM_ERROR")

    def refund_no_order(self):
        return self.error("PURCHASE_TRADE_NOT_EXIST")

    def shows_refund(self, word, order=USD):
        self.is_at("partly_refunded" if word == "done" else "paid", order)

    @staticmethod
    def error(code):
        return xml(b"<alipay><is_success>F</is_success><error>" + code.encode("ascii") + b"</error></alipay>")


class OnAms(Stage):
    name = "ams"
    KINDS = {"inquiryPayment": "query", "refund": "refund", "inquiryRefund": "refund query", "pay": "pay"}

    def __init__(self):
        super().__init__()
        self.says["pay"] = lambda call: self.answers(
            "pay", result("U", "PAYMENT_IN_PROCESS"), paymentRequestId=self.number_of(call), paymentId="P1",
            normalUrl="https://cashier.example/p?t=cashier-canary&a=1%2B1")(call)
        self.is_at("paid")

    def backend(self):
        return AmsBackend(AmsClient(account(), self, retries=1, now=lambda: NOW, sleep=lambda seconds: None),
                          now=lambda: NOW)

    @classmethod
    def kind_of(cls, call):
        return cls.KINDS[call.url.rpartition("/")[2]]

    @staticmethod
    def number_of(call):
        return content_of(call)["paymentRequestId"]

    # --- of a payment; amounts are in the currency in which it is priced ---

    def trade(self, order, status="SUCCESS", **changes):
        currency, value = ("CNY", "5000") if order.rmb_fee is not None else ("USD", "800")
        content = {"paymentStatus": status, "paymentRequestId": order.out_trade_no, "paymentId": "P1",
                   "paymentAmount": {"currency": currency, "value": value}}
        content.update(changes)
        return self.answers("inquiryPayment", result(), **content)

    def paid(self, order):
        return self.trade(order)

    def waiting(self, order):
        return self.trade(order, "PROCESSING")

    def closed(self, order):
        return self.trade(order, "FAIL")

    def not_there(self, order):
        return self.answers("inquiryPayment", result("F", "ORDER_NOT_EXIST"))

    def unknown(self, order):
        return self.answers("inquiryPayment", result("U", "UNKNOWN_EXCEPTION"))

    def refused(self, order):
        return self.unsigned("inquiryPayment", result("F", "INVALID_SIGNATURE"))

    def tampered(self, order):
        return changed(self.trade(order, "PROCESSING"), b"PROCESSING", b"SUCCESS")

    def other_order(self, order):
        return self.trade(order, paymentRequestId="A2")

    def wrong_amount(self, order):
        return self.trade(order, paymentAmount={"currency": "CNY" if order.rmb_fee is not None else "USD",
                                                "value": "799"})

    def wrong_currency(self, order):
        return self.trade(order, paymentAmount={"currency": "EUR", "value": "800"})

    def partly_refunded(self, order):
        return self.trade(order, transactions=[self.back(order, "0.4")])

    def wholly_refunded(self, order):
        return self.trade(order, transactions=[self.back(order, "0.4"), self.back(order, "0.6", "R2")])

    @staticmethod
    def back(order, part, number="R1"):
        currency, whole = ("CNY", 5000) if order.rmb_fee is not None else ("USD", 800)
        return {"transactionType": "REFUND", "transactionRequestId": number, "transactionStatus": "SUCCESS",
                "transactionAmount": {"currency": currency, "value": str(int(whole * float(part)))}}

    # --- of a refund ---

    def refund_accepted(self):
        return self.answers("refund", result(), refundRequestId="R1", refundId="RF1", paymentId="P1")

    refund_repeated = refund_accepted

    def refund_running(self):
        return self.answers("refund", result("U", "REFUND_IN_PROCESS"), refundRequestId="R1")

    def refund_failed(self):
        return self.answers("refund", result("F", "REFUND_AMOUNT_EXCEED"))

    def refund_unknown(self):
        return self.answers("refund", result("U", "UNKNOWN_EXCEPTION"))

    def refund_no_order(self):
        self.is_at("not_there")
        return self.answers("refund", result("F", "ORDER_NOT_EXIST"))

    def shows_refund(self, word, order=USD):
        self.is_at("partly_refunded" if word == "done" else "paid", order)
        status = {"done": "SUCCESS", "failed": "FAIL", "running": "PROCESSING", "never": None}[word]
        self.says["refund query"] = self.answers("inquiryRefund", result("F", "ORDER_NOT_EXIST")) if word == "never" \
            else self.answers("inquiryRefund", result(), refundStatus=status, refundRequestId="R1", refundId="RF1",
                              refundAmount={"currency": "CNY" if order.rmb_fee is not None else "USD",
                                            "value": "320"})

    # --- how it is written ---

    @staticmethod
    def answers(call, said, **content):
        body, path = dumped(dict({"result": said}, **content)), "/ams/api/v1/payments/" + call
        return lambda _: SignedAnswer(200, body, answer_headers(path, body))

    @staticmethod
    def unsigned(call, said, **content):
        return lambda _: SignedAnswer(200, dumped(dict({"result": said}, **content)), {})


class Shadowed:
    """A primary's stage, beside which another gateway is asked that always answers, and is never believed."""

    def __init__(self, primary, other):
        self.stage, self.other, self.name = primary, other, primary.name
        self.compared = []
        other.is_at("closed")
        other.shows_refund("failed")

    def __getattr__(self, name):
        return getattr(self.stage, name)

    def backend(self):
        return ShadowBackend(self.stage.backend(), self.other.backend(), self.compared.append,
                             beside=lambda work: work())


#: Name → a new stage.
KINDS = {"mapi": OnMapi, "ams": OnAms, "shadow of mapi": lambda: Shadowed(OnMapi(), OnAms()),
         "shadow of ams": lambda: Shadowed(OnAms(), OnMapi())}


def time_out(sent):
    return TransportError("it took too long", kind="read timeout" if sent else "connect timeout", sent=sent)


def xml(body):
    return lambda call: Answer(200, "text/xml", body)


def changed(said, old, new):
    """One word changed on the way, behind the signature's back."""
    def answer(call):
        genuine_one = said(call)
        body = genuine_one.body.replace(old, new)
        if body == genuine_one.body:
            raise ValueError("nothing was changed")
        if isinstance(genuine_one, Answer):
            return Answer(200, "text/xml", body)
        return genuine_one._replace(body=body)
    return answer


def content_of(call):
    """What a call to AMS said."""
    return json.loads(call.body.decode("utf-8"))
