"""Our own client and the emulator's AMS. They share no signing, but both were written here: this proves that shops can
use the one with the other, and nothing about AMS."""
import pytest

from alipay_mapi.errors import GatewayError, OutcomeUnknown
from alipay_mapi.migration.ams import verify_notification
from alipay_mapi.migration.backends.ams_client import AmsClient
from alipay_mapi.emulator.ams.incoming import incoming
from ams_setup import Acknowledging, Shop, ams


class Wire:
    """A transport straight into the emulator."""

    def __init__(self, emulator):
        self.emulator = emulator

    def send(self, call):
        assert call.url.startswith(self.emulator.base_url)
        reply = self.emulator.ams_answer(incoming(call.method, call.url[len(self.emulator.base_url):],
                                                  call.headers, call.body)).reply
        return Answer(reply.status, reply.content_type, reply.body, reply.headers)


class Answer:
    def __init__(self, status, content_type, body, headers):
        self.status, self.content_type, self.body, self.headers = status, content_type, body, headers


@pytest.mark.parametrize("sandbox", [False, True])
def test_a_payment_is_made_paid_refunded_and_notified(sandbox):
    address = Acknowledging()
    with ams(address) as emulator:
        account = emulator.ams_account("md5", sandbox)
        client = AmsClient(account, Wire(emulator), retries=0)
        made = client.pay(Shop(emulator).order())
        assert made.outcome.state == "pending" and made.answer["normalUrl"]
        emulator.pay("P1")
        assert client.inquiry_payment(payment_request_id="P1").outcome.state == "paid"
        done = client.refund(refund_request_id="R1", payment_id=made.answer["paymentId"],
                             refund_amount={"currency": "USD", "value": "400"})
        assert done.outcome.state == "refunded"
        assert client.inquiry_refund(refund_request_id="R1").outcome.state == "refunded"
        emulator.deliver()
        kinds = [verify_notification(account, "/ams/notify?shop=1", dict(delivery.headers), delivery.body).kind
                 for delivery in address.got]
        assert kinds == ["payment", "refund"]


def test_a_cancel_and_a_question_about_nobody():
    with ams() as emulator:
        client = AmsClient(emulator.ams_account("md5"), Wire(emulator), retries=0)
        client.pay(Shop(emulator).order())
        assert client.cancel(payment_request_id="P1").outcome.state == "closed"
        with pytest.raises(GatewayError, match="ORDER_NOT_EXIST"):
            client.inquiry_payment(payment_request_id="P2")


@pytest.mark.parametrize("fault", ["http-500", "html-200", "answer-unsigned", "answer-sha1", "answer-md5",
                                   "answer-forged", "answer-tampered", "answer-other-client", "answer-re-pathed",
                                   "UNKNOWN_EXCEPTION", "REQUEST_TRAFFIC_EXCEED_LIMIT"])
def test_a_write_whose_answer_is_spoilt_has_an_unknown_outcome(fault):
    with ams() as emulator:
        emulator.fail(fault, service="payments/pay")
        client = AmsClient(emulator.ams_account("md5"), Wire(emulator), retries=0)
        with pytest.raises(OutcomeUnknown):
            client.pay(Shop(emulator).order())
