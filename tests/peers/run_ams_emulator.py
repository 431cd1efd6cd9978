"""Does Alipay's own ``global-open-sdk-python`` get on with the emulator's AMS, and believe what it signs? Run by hand
or by CI; needs a package index, or as its argument the interpreter of an environment that has the SDK.

Production and sandbox, over a socket. Each line is one observation; the exit status is 1 if one is not as expected.
Lines that begin with "the peer" are faults of its own, kept so that nobody looks for them here.
"""
import base64
import json
import subprocess
import sys
import tempfile
import time

from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.notifier import ACKNOWLEDGED, Answered
from alipay_mapi.emulator.server import Server
from run_ams_sdk import HERE, Checks, Peer, environment

NOTIFY = "https://shop.example.com/ams/notify?shop=1"
ACK = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'


class Shop(Peer):
    """The process in the SDK's environment."""

    def __init__(self, python, account, url):
        self.process = subprocess.Popen([python, "-I", str(HERE / "ams_emulator_shop.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        # The SDK puts markers of its own around keys: PKCS#1 and SPKI.
        self.process.stdin.write(json.dumps({
            "url": url, "client_id": account.client_id,
            "private": base64.b64encode(account.signing_key.export("PKCS#1")).decode("ascii"),
            "public": base64.b64encode(account.checking_keys[0].export("SPKI")).decode("ascii")}) + "\n")


def said(got):
    """(status, code) of an answer, or the class of what the SDK raised."""
    return got["raised"] if "raised" in got else (got["result"]["resultStatus"], got["result"]["resultCode"])


def scenario(emulator, sent, shop, client_id, check):
    where = "sandbox" if client_id.startswith("SANDBOX_") else "production"
    made = shop.ask("pay", "P1", "1000", None, NOTIFY)
    check(where + ": a payment is made", said(made), ("U", "PAYMENT_IN_PROCESS"))
    check(where + ": with an address for the buyer", made["normalUrl"].startswith(emulator.base_url), True)
    check(where + ": asked about, it is read by the SDK's classes", shop.ask("status", "P1"),
          {"result": "S", "status": "PROCESSING", "amount": ["USD", "1000"], "transactions": []})
    emulator.pay("P1", partner=client_id)
    check(where + ": and paid", shop.ask("status", "P1")["status"], "SUCCESS")
    check(where + ": made again", said(shop.ask("pay", "P1", "1000", None, NOTIFY)), ("S", "SUCCESS"))
    check(where + ": with another amount", said(shop.ask("pay", "P1", "1001")), ("F", "REPEAT_REQ_INCONSISTENT"))
    check(where + ": refunded in part", said(shop.ask("refund", "R1", made["paymentId"], "400")), ("S", "SUCCESS"))
    check(where + ": refunded beyond", said(shop.ask("refund", "R2", made["paymentId"], "601")),
          ("F", "REFUND_AMOUNT_EXCEED"))
    check(where + ": asked about the refund", shop.ask("inquiryRefund", "R1")["refundStatus"], "SUCCESS")
    check(where + ": its transactions", shop.ask("status", "P1")["transactions"],
          [["REFUND", "SUCCESS"], ["REFUND", "FAIL"]])
    check(where + ": a payment that is cancelled", (said(shop.ask("pay", "P2", "1")), said(shop.ask("cancel", "P2")),
                                                     shop.ask("status", "P2")["status"]),
          (("U", "PAYMENT_IN_PROCESS"), ("S", "SUCCESS"), "CANCELLED"))
    check(where + ": asked about nobody", said(shop.ask("inquiryPayment", "P9")), ("F", "ORDER_NOT_EXIST"))
    token = emulator.store_card(merchant=client_id)
    held = shop.ask("pay", "P3", "1000", token)
    check(where + ": a card is authorized", (said(held), "authExpiryTime" in held), (("S", "SUCCESS"), True))
    check(where + ": and captured", said(shop.ask("capture", "C1", held["paymentId"], "700")), ("S", "SUCCESS"))
    check(where + ": the peer writes a boolean as true, where text is asked for",
          said(shop.ask("pay", "P4", "1000", token, None, True)), ("F", "PARAM_ILLEGAL"))
    emulator.ams_settings(client_id, strict_scalars=False)
    check(where + ": which a client may be allowed", said(shop.ask("pay", "P4", "1000", token, None, True)),
          ("S", "SUCCESS"))
    check(where + ": every notification is taken", all_taken(emulator, client_id), True)
    check(where + ": notifications came", len(sent) >= 3, True)
    for delivery in [one for one in sent if one.partner == client_id]:
        kind = json.loads(delivery.body.decode("utf-8"))["notifyType"]
        headers = {name.lower(): value for name, value in delivery.headers}
        arguments = ("/ams/notify?shop=1", headers["client-id"], headers["request-time"], delivery.body.decode("utf-8"),
                     headers["signature"])
        check("{}: the SDK verifies {}".format(where, kind), shop.ask("verify", *arguments), True)
        check("{}: and not for another path".format(where), said(shop.ask("verify", "/ams/notify", *arguments[1:])),
              "VerificationError")


def all_taken(emulator, client_id):
    """The server sends them by itself, a moment after they are due."""
    last = time.monotonic() + 20
    while time.monotonic() < last:
        states = {row["state"] for row in emulator.ledger.rows("notifications", partner=client_id)}
        if states <= {ACKNOWLEDGED}:
            return True
        time.sleep(0.05)
    return False


def faults(emulator, shop, check):
    refused = ("answer-tampered", "answer-forged", "answer-re-pathed", "answer-unsigned", "http-500", "html-200")
    for name in refused:
        emulator.fail(name, service="payments/inquiryPayment")
        check("the SDK refuses {}".format(name), said(shop.ask("inquiryPayment", "P1")), "AlipayApiException")
    for name in ("answer-sha1", "answer-md5", "answer-other-client"):
        emulator.fail(name, service="payments/inquiryPayment")
        check("the peer believes {}".format(name), said(shop.ask("inquiryPayment", "P1")), ("S", "SUCCESS"))
    emulator.fail("UNKNOWN_EXCEPTION", service="payments/inquiryPayment")
    check("UNKNOWN_EXCEPTION comes signed", said(shop.ask("inquiryPayment", "P1")), ("U", "UNKNOWN_EXCEPTION"))
    for name in ("INVALID_SIGNATURE", "REQUEST_TRAFFIC_EXCEED_LIMIT"):
        emulator.fail(name, service="payments/inquiryPayment")
        check(name + " on demand", said(shop.ask("inquiryPayment", "P1"))[1], name)


def main():
    check, sent = Checks(), []

    def address(delivery):
        sent.append(delivery)
        return Answered(200, ACK)

    with tempfile.TemporaryDirectory() as folder, Emulator(seed=7, frozen=True, sender=address,
                                                           notify_url=NOTIFY) as emulator:
        python = sys.argv[1] if len(sys.argv) > 1 else environment(folder)
        with Server(emulator):
            for sandbox in (False, True):
                account = emulator.ams_account("md5", sandbox)
                shop = Shop(python, account, emulator.base_url)
                try:
                    scenario(emulator, sent, shop, account.client_id, check)
                    if not sandbox:
                        faults(emulator, shop, check)
                finally:
                    shop.close()
    print("{} not as expected".format(check.wrong) if check.wrong else "all as expected")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
