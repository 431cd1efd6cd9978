"""Does a shop on PyPI's ``alipay`` 0.7.4 work against the emulator? Run by hand or by CI; needs a package index.

The peer has an environment of its own, without our package, and talks to a live server; buyers are driven here, and
every result is compared with the ledger. Each line is one observation; the exit status is 1 if one is not as expected.
Lines that begin with "the peer" are faults of its own, kept so that nobody looks for them here.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from urllib.parse import parse_qsl, urlsplit

from lxml import etree

from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.server import Server

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 20.0     # seconds for a notification to arrive


class Peer:
    """The process in the peer's environment."""

    def __init__(self, python, emulator):
        merchant = emulator.merchant("md5")
        self.process = subprocess.Popen(
            [python, "-I", os.path.join(HERE, "alipay_074.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, universal_newlines=True, env=dict(os.environ, NO_PROXY="*", no_proxy="*"))
        self.notify_url = self._ask({
            "gateway": emulator.gateway_url, "partner": merchant.partner, "seller_email": merchant.seller_email,
            "md5_key": merchant.shop_keys()["md5_key"]})["notify_url"]

    def _ask(self, what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def call(self, name, **params):
        return self._ask({"do": "call", "name": name, "params": params})

    def open(self, name, **params):
        """The browser at the address that one of the peer's methods makes."""
        return self._ask({"do": "open", "url": self.call(name, **params)})

    def told(self, count):
        """All notifications, once there are ``count`` (or patience is over)."""
        end = time.monotonic() + PATIENCE
        while True:
            found = self._ask({"do": "list"})
            if len(found) >= count or time.monotonic() > end:
                return found
            time.sleep(0.05)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Checks:
    """One line per observation."""

    def __init__(self):
        self.wrong = 0

    def __call__(self, what, got, expected):
        if got == expected:
            print("ok     {}".format(what))
        else:
            self.wrong += 1
            print("WRONG  {}: {!r}, expected {!r}".format(what, got, expected))


def environment(folder):
    """The interpreter of a new environment with the peer in it."""
    subprocess.check_call([sys.executable, "-m", "venv", folder])
    python = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")
    subprocess.check_call([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "alipay==0.7.4"])
    return python


# --- what a shop does -------------------------------------------------------------------------------------------

ORDERS = (
    # (the peer's method, what it is given, status when paid, amount)
    ("create_direct_pay_by_user_url", {"subject": "龙井茶 & more", "total_fee": "10.00"}, "TRADE_SUCCESS", "10.00"),
    ("create_direct_pay_by_user_url", {"subject": "tea", "price": "3.33", "quantity": "3"}, "TRADE_SUCCESS", "9.99"),
    ("create_partner_trade_by_buyer_url", {"subject": "tea", "price": "5.00", "quantity": "2", "logistics_fee": "1.00",
                                           "logistics_type": "POST", "logistics_payment": "BUYER_PAY"},
     "WAIT_SELLER_SEND_GOODS", "11.00"),
    ("trade_create_by_buyer_url", {"subject": "tea", "price": "5.00", "quantity": "2", "logistics_fee": "0.00",
                                   "logistics_type": "EXPRESS", "logistics_payment": "SELLER_PAY"},
     "WAIT_SELLER_SEND_GOODS", "10.00"),
    ("create_forex_trade_url", {"subject": "tea", "currency": "USD", "total_fee": "10.00"}, "TRADE_FINISHED", "10.00"),
    ("create_forex_trade_wap_url", {"subject": "tea", "currency": "JPY", "total_fee": "1000"}, "TRADE_FINISHED",
     "1000"),
)


def payments(peer, emulator, check):
    for number, (name, params, status, amount) in enumerate(ORDERS, 1):
        order = "A{}".format(number)
        seen = peer.open(name, out_trade_no=order, notify_url=peer.notify_url, **params)
        row = emulator.trade(order)
        check("{} brings the buyer to the cashier".format(name), (seen["status"], seen["location"]),
              (302, "{}/cashier/{}".format(emulator.base_url, row["id"])))
        check("{}: a query before the buyer logs in".format(name),
              error_of(peer.call("single_trade_query", out_trade_no=order)), "TRADE_NOT_EXIST")
        row = emulator.pay(order)
        told = peer.told(number)[-1]
        check("{}: verify_notify with the remote check".format(name), told["verified"], True)
        check("{}: the notification is what the ledger has".format(name),
              [told["fields"].get(field) for field in ("out_trade_no", "trade_no", "trade_status", "total_fee")],
              [order, row["trade_no"], status, amount])
        trade = etree.fromstring(read(peer.call("single_trade_query", out_trade_no=order))).find("response/trade")
        check("{}: the query's answer is what the ledger has".format(name),
              [trade.findtext(field) for field in ("trade_no", "trade_status", "total_fee", "subject")],
              [row["trade_no"], status, row["cny"], params["subject"]])
    check("a query by trade_no", error_of(peer.call("single_trade_query", trade_no=emulator.trade("A1")["trade_no"])),
          None)


def shipment(peer, emulator, check):
    before = len(peer.told(0))
    seen = peer.open("send_goods_confirm_by_platform", trade_no=emulator.trade("A3")["trade_no"],
                     logistics_name="Post", transport_type="DIRECT")
    check("send_goods_confirm_by_platform", etree.fromstring(read(seen["text"])).findtext("is_success"), "T")
    check("the shipment is in the ledger", emulator.trade("A3")["trade_status"], "WAIT_BUYER_CONFIRM_GOODS")
    told = peer.told(before + 1)[-1]
    check("the shipment is notified", (told["verified"], told["fields"]["trade_status"]),
          (True, "WAIT_BUYER_CONFIRM_GOODS"))


def returns(peer, emulator, check):
    peer.open("create_direct_pay_by_user_url", out_trade_no="R1", subject="tea", total_fee="1.00",
              return_url="https://shop.example.com/back")
    emulator.pay("R1")
    fields = dict(parse_qsl(urlsplit(emulator.return_url("R1")).query))
    check("verify_notify of a mainland return, percent-escapes in notify_id and all",
          peer.call("verify_notify", **fields), True)
    check("verify_notify of a return with another amount",
          peer.call("verify_notify", **dict(fields, total_fee="0.01")), False)
    peer.open("create_forex_trade_url", out_trade_no="R2", subject="tea", currency="USD", total_fee="1.00",
              return_url="https://shop.example.com/back")
    emulator.pay("R2")
    check("the peer cannot verify a cross-border return: it has no notify_id to ask about",
          peer.call("verify_notify", **dict(parse_qsl(urlsplit(emulator.return_url("R2")).query))),
          {"raised": "KeyError"})


def forgeries(peer, emulator, check):
    genuine = peer.told(1)[0]["fields"]
    check("a notification that was acknowledged, sent again by somebody else", peer.call("verify_notify", **genuine),
          False)
    for way in ("forged", "tampered", "re-cut", "unsigned", "other-sign-type"):
        before = len(peer.told(0))
        order = "F-" + way
        peer.open("create_direct_pay_by_user_url", out_trade_no=order, subject="tea", total_fee="1.00",
                  notify_url=peer.notify_url)
        emulator.fail(way)
        emulator.pay(order)
        seen = peer.told(before + 1)[-1]
        if way == "other-sign-type":
            check("the peer never looks at sign_type: an MD5 sign that is labelled RSA passes", seen["verified"], True)
        elif way == "re-cut":
            check("the peer cannot tell a re-cut notification from a genuine one", seen["verified"], True)
        else:
            check("a notification that is {}".format(way), seen["verified"], False)


def batches(peer, emulator, check):
    today = emulator.clock.now().strftime("%Y%m%d")
    before, trade = len(peer.told(0)), emulator.trade("A1")
    rows = [{"account": "buyer1@example.com", "name": "张三", "fee": "20.00", "note": "wage"},
            {"account": "nobody@example.com", "name": "李四", "fee": "1.50", "note": "wage"}]
    seen = peer.open("create_batch_trans_notify_url", account_name="某公司", batch_no=today + "001",
                     notify_url=peer.notify_url, batch_list=rows)
    check("create_batch_trans_notify_url", seen["seen"].get("done"), "Batch {}001: 1 of 2 payments done.".format(today))
    told = peer.told(before + 1)[-1]
    check("batch_trans_notify is verified", told["verified"], True)
    check("batch_trans_notify says who was paid",
          [told["fields"][name].split("^")[1:6] for name in ("success_details", "fail_details")],
          [["buyer1@example.com", "张三", "20.00", "S", ""],
           ["nobody@example.com", "李四", "1.50", "F", "RECEIVE_USER_NOT_EXIST"]])
    for row, fee in zip(rows, ("0.10", "0.20")):
        row["fee"] = fee
    seen = peer.open("create_batch_trans_notify_url", account_name="某公司", batch_no=today + "002",
                     notify_url=peer.notify_url, batch_list=rows)
    check("the peer adds up floats: 0.10 and 0.20 are 0.30000000000000004, and the batch is refused",
          "RECEIVE_MONEY_ERROR" in seen["seen"].get("error", ""), True)
    items = [{"trade_no": trade["trade_no"], "fee": "4.00", "note": "broken"},
             {"trade_no": emulator.trade("A5")["trade_no"], "fee": "1.00", "note": "broken"}]
    refund = {"batch_no": today + "003", "batch_list": items, "notify_url": peer.notify_url}
    check("the peer's refund_fastpay_by_platform_pwd asks for the letters of batch_no as parameters",
          peer.call("refund_fastpay_by_platform_pwd", **refund), {"raised": "MissingParameter"})
    seen = peer.open("refund_fastpay_by_platform_pwd", **dict(refund, **{letter: "1" for letter in "batch_no"}))
    check("refund_fastpay_by_platform_pwd, with those letters", seen["seen"].get("done"),
          "Batch {}003: 1 of 2 refunds done.".format(today))
    told = peer.told(before + 3)[-2:]
    check("batch_refund_notify and the payment's notification are verified", [one["verified"] for one in told],
          [True, True])
    told = {one["fields"]["notify_type"]: one["fields"] for one in told}
    check("batch_refund_notify says what became of each item",
          [row.split("^")[1:] for row in told["batch_refund_notify"]["result_details"].split("#")],
          [["4.00", "SUCCESS"], ["1.00", "TRADE_PRODUCT_TYPE_NOT_ALLOW_REFUND"]])
    check("the payment's notification has the refund", told["trade_status_sync"]["refund_status"], "REFUND_SUCCESS")
    check("the refund is in the ledger", emulator.trade("A1")["to_buyer_fee"], "4.00")


def refusals(peer, emulator, check):
    seen = peer.open("create_direct_pay_by_user_url", out_trade_no="A1", subject="tea", total_fee="10.00")
    check("an order that is paid", "TRADE_NOT_ALLOWED_PAY" in seen["seen"].get("error", ""), True)
    seen = peer.open("create_direct_pay_by_user_url", out_trade_no="B1", subject="tea", total_fee="10.00", body="")
    check("the peer signs empty values, which Alipay leaves out", "ILLEGAL_SIGN" in seen["seen"].get("error", ""), True)
    check("alipay.mobile.qrcode.manage is no service of the emulator",
          error_of(peer.call("add_alipay_qrcode", biz_data="{}", biz_type="10")), "ILLEGAL_SERVICE")


def read(text):
    """The bytes of an answer. The peer hands out ``requests``' text, which is ISO-8859-1 unless a header says more."""
    try:
        return text.encode("iso-8859-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def error_of(text):
    return etree.fromstring(read(text)).findtext("error")


def main():
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        python = environment(folder)
        with Emulator(seed=74) as emulator, Server(emulator):
            peer = Peer(python, emulator)
            try:
                for part in (payments, shipment, returns, forgeries, batches, refusals):
                    part(peer, emulator, check)
            finally:
                peer.close()
    print("{} not as expected".format(check.wrong) if check.wrong else "all as expected")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
