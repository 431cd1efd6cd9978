"""Notifications: made when something happens to a trade or a refund, sent until the shop answers ``success``.

At once, then after 2 m, 10 m, 10 m, 1 h, 2 h, 6 h and 15 h: eight sends within 24 h 22 m. The ``notify_id`` stays, the
``notify_time`` and so the sign are new each time. Only status 200 with a body of exactly ``success`` (blanks around it
and capitals are let pass, as the pages disagree) ends it; a redirect is not followed. ``notify_verify`` knows an id
for a minute after it was sent, and no more once it is acknowledged.
Source: "Acknowledgement and retries", "notify_verify and notify_id lifetime".
"""
import itertools
import random
from datetime import timedelta
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import quote

from . import broken, messages_out
from .clock import Clock
from .faults import Faults
from .ledger import Ledger
from .merchants import TestMerchants
from .trades import text

#: The gap before each repetition.
SCHEDULE = tuple(timedelta(seconds=s) for s in (120, 600, 600, 3600, 7200, 21600, 54000))
#: How long ``notify_verify`` knows an id after it was sent.
ID_LIFE = timedelta(minutes=1)

#: ``queued`` → (``sending``) → ``acknowledged``, ``given up`` after the last repetition, or ``lost`` (a fault, or the
#: buyer's "pay but lose the notification").
QUEUED, SENDING, ACKNOWLEDGED, GIVEN_UP, LOST = "queued", "sending", "acknowledged", "given up", "lost"


#: What a notification can be about.
EVENTS = ("paid", "finished", "shipped", "closed", "refund status", "refunded", "refund_failed", "batch_refund_notify",
          "batch_trans_notify")


class Delivery(NamedTuple):
    """One send. ``url``: where to. ``body``: the signed form, or AMS's JSON, whose sign stands in ``headers``.
    ``fault``: the fault that this send suffers, or "". Of AMS ``partner`` is the client id, and ``out_trade_no`` the
    paymentRequestId or registrationRequestId."""

    url: str
    body: bytes
    content_type: str
    notify_id: str = ""
    out_trade_no: str = ""
    partner: str = ""
    fault: str = ""
    headers: Tuple[Tuple[str, str], ...] = ()

    def __repr__(self):     # no body: it has a sign, and a buyer
        return "<Delivery of {} to {}>".format(self.notify_id, self.url)


class Answered(NamedTuple):
    """What the shop answered. ``status``: 0 when there was no answer; ``text`` then says why."""

    status: int
    text: str

    @property
    def acknowledged(self) -> bool:
        return self.status == 200 and self.text.strip().lower() == "success"


#: How a notification travels: an HTTP POST, or a function of a test.
Sender = Callable[[Delivery], Answered]


class Notifier:
    """``sender``: how notifications travel. ``default_url``: for orders that name no ``notify_url``."""

    def __init__(self, ledger: Ledger, clock: Clock, merchants: TestMerchants, faults: Faults, sender: Sender,
                 default_url: str = "", seed: Optional[int] = None):
        self.ledger, self.clock, self.merchants, self.faults = ledger, clock, merchants, faults
        self.sender, self.default_url = sender, default_url
        self._seed = seed
        #: How another gateway's notifications are written and acknowledged: its name → ``ams.notices.Notices``.
        self.writers: Dict[str, Any] = {}
        #: The gaps; the pages of the mainland gateway begin with 4 minutes instead of 2.
        self.schedule: Tuple[timedelta, ...] = SCHEDULE
        # A process that was killed while it sent does not know what was answered: send again.
        for row in ledger.left_sending():
            ledger.change("notifications", row, state=QUEUED, next_at=text(clock.now()))

    # --- making ---------------------------------------------------------------------------------------------------

    def on_trade(self, event: str, trade: Dict[str, Any]) -> None:
        """A listener of Trades: paid, finished, shipped and (if the merchant has it so) closed are notified."""
        merchant = self.merchants.of(trade["partner"])
        if event == "waiting" or event == "closed" and not merchant.setting("notify_closed"):
            return
        self.queue(trade["partner"], trade["out_trade_no"], event,
                   messages_out.trade_fields(trade, merchant.seller_email),
                   trade["params"].get("notify_url") or self.default_url, trade["params"].get("_input_charset"))

    def on_refund(self, event: str, refund: Dict[str, Any]) -> None:
        """A listener of Refunds: an asynchronous refund is notified to its own address, a mainland trade's new status
        to the payment's."""
        merchant = self.merchants.of(refund["partner"])
        trade = self.ledger.get("trades", partner=refund["partner"], out_trade_no=refund["out_trade_no"])
        charset = trade["params"].get("_input_charset")
        if refund["params"].get("batch_no"):
            self.queue(refund["partner"], refund["out_trade_no"], "refund status",
                       messages_out.trade_fields(trade, merchant.seller_email),
                       trade["params"].get("notify_url") or self.default_url, charset)
        elif not refund["sync"]:
            self.queue(refund["partner"], refund["out_trade_no"], event, messages_out.refund_fields(refund),
                       merchant.setting("refund_notify_url") or refund["params"].get("notify_url") or self.default_url,
                       refund["params"].get("_input_charset") or charset)

    def queue(self, partner: str, out_trade_no: str, event: str, fields: Dict[str, str], url: str,
              charset: Optional[str], gateway: str = "mapi") -> Optional[Dict[str, Any]]:
        """A new notification, due now, with a fault if one is armed. None without an address."""
        if not url:
            return None
        now = self.clock.now()
        fault = None
        if self.faults.waiting:
            fault = self.faults.for_notification(partner, out_trade_no, event, self._about(partner, out_trade_no, event,
                                                                                           fields))
        held_back = fault is not None and fault.name in ("late", "out-of-order")
        moment = now + timedelta(seconds=fault.seconds) if fault is not None and held_back else now
        lost = fault is not None and fault.name == "lost"
        row = self.ledger.add(
            "notifications", {"gateway": gateway, "event": event, "fields": fields, "url": url, "charset": charset,
                              "attempts": 0, "made_at": text(now), "fault": fault.name if fault else "",
                              "broken_sends": fault.times if fault and fault.name in broken.WAYS else 0,
                              "verified_until": text(now + ID_LIFE)},
            notify_id=self._notify_id(partner, out_trade_no, event), partner=partner, out_trade_no=out_trade_no,
            state=LOST if lost else QUEUED, next_at=None if lost else text(moment))
        if not lost and row["fault"] != "out-of-order":     # what was held back comes after this one
            for held in self.ledger.rows("notifications", partner=partner, out_trade_no=out_trade_no, state=QUEUED):
                if held["fault"] == "out-of-order" and not held["attempts"]:
                    self.ledger.change("notifications", held, next_at=text(moment + timedelta(seconds=1)))
        return row

    def _about(self, partner, out_trade_no, event, fields) -> str:
        """What tells a notification from others of its order and event: its own number, or how many there were."""
        for name in ("out_return_no", "batch_no", "refundRequestId", "captureRequestId"):
            if fields.get(name):
                return fields[name]
        return str(sum(
            row["event"] == event
            for row in self.ledger.rows("notifications", partner=partner, out_trade_no=out_trade_no)))

    def lose(self, partner: str, out_trade_no: str) -> int:
        """What is queued for an order is never sent. How many that were."""
        with self.ledger.transaction():
            rows = self.ledger.rows("notifications", partner=partner, out_trade_no=out_trade_no, state=QUEUED)
            for row in rows:
                self.ledger.change("notifications", row, state=LOST, next_at=None)
        return len(rows)

    def resend(self, notify_id: str) -> bool:
        """Send one again now, whatever became of it before. False for an unknown id."""
        with self.ledger.transaction():
            row = self.ledger.one("notifications", notify_id=notify_id)
            if row is None or not row["url"]:       # unknown, or the id of a browser's return
                return False
            self.ledger.change("notifications", row, state=QUEUED, next_at=text(self.clock.now()))
        return True

    def _notify_id(self, partner, out_trade_no, event):
        """34 characters, as captured: 32 hex digits and two letters. Drawn from the seed and what it is about, so that
        neither the order of events nor a restart makes another one of it."""
        for turn in itertools.count():
            drawn = random.SystemRandom() if self._seed is None else random.Random("notify:{}:{}:{}:{}:{}".format(
                self._seed, partner, out_trade_no, event, turn))
            found = "".join([drawn.choice("0123456789abcdef") for _ in range(32)]
                            + [drawn.choice("ghijklmnopqrstuvwxyz") for _ in range(2)])
            if self.ledger.one("notifications", notify_id=found) is None:
                return found

    # --- sending --------------------------------------------------------------------------------------------------

    def deliver(self) -> List[Dict[str, Any]]:
        """Send all that is due by the clock, one after the other, and return the deliveries (rows)."""
        done: List[Dict[str, Any]] = []
        while True:
            row = self._claim()
            if row is None:
                return done
            done += self._deliver(row)

    def next_due(self) -> Optional[str]:
        """When the next one is to be sent, or None."""
        return self.ledger.next_due("notifications", "next_at")

    def _claim(self):
        with self.ledger.transaction():
            for row in self.ledger.due("notifications", "next_at", text(self.clock.now()), limit=1):
                return self.ledger.change("notifications", row, state=SENDING, next_at=None,
                                          attempts=row["attempts"] + 1)
        return None

    def _deliver(self, row):
        """Send it, and put down what came of it, even if the sender fails: it is then sent again like any other."""
        sent: List[Dict[str, Any]] = []
        try:
            for delivery in self._deliveries(row):
                sent.append(self._send(row, delivery))
        finally:
            self._settle(row, sent)
        return sent

    def _deliveries(self, row):
        way = row["fault"] if row["attempts"] <= row["broken_sends"] else ""
        body, header, headers = self._written(row, way)
        delivery = Delivery(row["url"], body, header, row["notify_id"], row["out_trade_no"], row["partner"], way,
                            headers)
        return [delivery] * (2 if row["fault"] == "twice" and row["attempts"] == 1 else 1)

    def _written(self, row, way):
        """(body, Content-Type, further headers), signed for now."""
        if self._writer(row) is not None:
            return self._writer(row).written(row, way)
        now = self.clock.now()
        fields = dict(row["fields"], notify_id=row["notify_id"], notify_time=text(now))
        self.ledger.change("notifications", row, verified_until=text(now + ID_LIFE))
        return broken.notification(self.merchants.of(row["partner"]), fields, row["charset"], way) + ((),)

    def _writer(self, row):
        return self.writers.get(row.get("gateway", "mapi"))

    def _send(self, row, delivery):
        answered, writer = self.sender(delivery), self._writer(row)
        taken = answered.acknowledged if writer is None else writer.acknowledged(answered.status, answered.text)
        return self.ledger.add("deliveries", {
            "notify_id": row["notify_id"], "out_trade_no": row["out_trade_no"], "partner": row["partner"],
            "event": row["event"], "status": answered.status, "text": answered.text[:200],
            "acknowledged": taken, "fault": delivery.fault, "attempt": row["attempts"]},
            notification=row["id"], at=text(self.clock.now()))

    def _settle(self, row, sent):
        attempts = row["attempts"]
        with self.ledger.transaction():
            current = self.ledger.one("notifications", id=row["id"])
            if current is None or current["state"] != SENDING:
                return      # somebody had it sent again meanwhile, or everything forgotten
            if any(delivery["acknowledged"] for delivery in sent):
                self.ledger.change("notifications", row, state=ACKNOWLEDGED, next_at=None)
            elif attempts > len(self.schedule) or not self._repeats(row):
                self.ledger.change("notifications", row, state=GIVEN_UP, next_at=None)
            else:
                self.ledger.change("notifications", row, state=QUEUED,
                                   next_at=text(self.clock.now() + self.schedule[attempts - 1]))

    def _repeats(self, row):
        writer = self._writer(row)
        return writer is None or writer.repeats(row)

    # --- notify_verify --------------------------------------------------------------------------------------------

    def confirms(self, partner: str, notify_id: str) -> bool:
        """The answer of ``notify_verify``: was this id sent to this partner a minute ago at most, and not yet
        acknowledged? An id of a return counts too, for its minute.

        Such an id holds ``%2F``: whoever puts it into the URL as it is (the mainland demos) asks about ``/``, and who
        encodes it again (the global page) about ``%2F``. Both are known here, as the pages disagree."""
        row = self.ledger.one("notifications", notify_id=notify_id, partner=partner) \
            or self.ledger.one("notifications", notify_id=quote(notify_id, safe=""), partner=partner)
        if row is None or row["state"] == ACKNOWLEDGED or not (row["attempts"] or row["event"] == "return"):
            return False
        return text(self.clock.now()) <= row["verified_until"]

    def for_return(self, partner: str, out_trade_no: str) -> str:
        """A ``notify_id`` for a browser's return: never sent, known to ``notify_verify`` for a minute. It holds
        percent-escapes, as Alipay's do, so that a shop that decodes twice is found out."""
        drawn = self._notify_id(partner, out_trade_no, "return {}".format(
            self.ledger.count("notifications", partner=partner, out_trade_no=out_trade_no)))
        notify_id = "RqPnCoPT3K9%2F" + drawn[:32] + "%2B" + drawn[32:]
        self.ledger.add("notifications", {
            "event": "return", "fields": {}, "url": "", "charset": None, "attempts": 0, "fault": "", "broken_sends": 0,
            "made_at": text(self.clock.now()), "verified_until": text(self.clock.now() + ID_LIFE)},
            notify_id=notify_id, partner=partner, out_trade_no=out_trade_no, state="returned", next_at=None)
        return notify_id
