"""A gateway whose clock stands still, a shop's address that writes down what it gets, and a client without a socket."""
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

from alipay_mapi import Client
from alipay_mapi.emulator import Emulator
from alipay_mapi.emulator.incoming import Incoming
from alipay_mapi.emulator.notifier import Answered
from alipay_mapi.transport import Answer

MD5, RSA, RSA2 = "2088000000000101", "2088000000000102", "2088000000000103"
BEIJING = timezone(timedelta(hours=8))
START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=BEIJING)
NOTIFY = "https://shop.test/notify"

#: Key pairs of this test session.
KEYS = {}


class Address:
    """The shop's notify_url: ``answers`` are given one after the other, then ``success`` for ever."""

    def __init__(self, *answers):
        self.got, self.answers = [], list(answers)

    def __call__(self, delivery):
        self.got.append(delivery)
        answer = self.answers.pop(0) if self.answers else (200, "success")
        return Answered(*answer)

    def forms(self):
        return [form(delivery.body) for delivery in self.got]

    def statuses(self):
        return [one.get("refund_status") if "out_return_no" in one else one["trade_status"] for one in self.forms()]


def form(body, encoding="utf-8"):
    return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding=encoding, strict_parsing=True))


def gateway(address=None, **settings):
    given = dict(seed=1, frozen=True, start=START, keys=KEYS, notify_url=NOTIFY,
                 sender=Address() if address is None else address)
    given.update(settings)
    return Emulator(given.pop("state", None), **given)


class Wire:
    """A client's transport straight into the gateway; a reply with a fault of the connection is kept as it is."""

    def __init__(self, emulator):
        self.emulator, self.replies = emulator, []

    def send(self, call):
        outcome = self.emulator.answer(Incoming(
            call.method, urlsplit(call.url).query.encode("ascii"), call.body or b""))
        self.replies.append(outcome.reply)
        return Answer(outcome.reply.status, outcome.reply.content_type, outcome.reply.body)


def client(emulator, merchant="md5", **shop):
    return Client(emulator.shop(merchant, **shop), Wire(emulator), retries=0)


def at(**later):
    """The clock's text so much later than START."""
    return (START + timedelta(**later)).strftime("%Y-%m-%d %H:%M:%S")
