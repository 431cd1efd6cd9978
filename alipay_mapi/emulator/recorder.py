"""Write down what reaches an emulator, and do it again on a fresh one: JSON lines, one per event, at the clock's time.

A recording has requests to the gateway (undecoded, with what came out), calls that change something, and what shops
answered to notifications. Playing it back sends nothing: notifications are answered as they were then. The fresh
emulator needs the same merchants' keys (and, for the same numbers, the same ``seed``): give both ``keys``, or a copy
of the state file that held them.
"""
import base64
import hashlib
import json
import re
import sqlite3
import threading
from datetime import datetime
from typing import Any, Dict, List, NamedTuple, Optional, Union

from ..errors import AlipayError, InvalidRequest
from ..times import GMT8
from .ams import recorded
from .ams.clients import IDENTITIES
from .emulator import Emulator
from .incoming import Incoming
from .notifier import Answered, Delivery
from .trades import text

FORMAT = "alipay-mapi-recording/1"
_TIME = "%Y-%m-%d %H:%M:%S.%f"
_STATUS = re.compile(rb"<trade_status>([A-Z_]{1,40})</trade_status>")
#: The calls of a recording that are done again. The clock follows the recorded times: freeze and resume are left out.
REPEATED = ("settings", "place", "pay_in_app", "log_in", "pay", "pay_later", "close_trade", "confirm_goods", "refund",
            "reset", "deliver", "advance", "fail", "set_rates", "clear_faults", "resend", "place_payment", "authorize",
            "challenge", "refuse_payment", "pend_payment", "review_registration", "store_card", "ams_settings")
_LEFT_OUT = ("freeze", "resume", "set_time")


class Difference(NamedTuple):
    """An answer that was not the recorded one. ``line``: its number, from 1; ``was`` and ``now``: of ``field``."""

    line: int
    service: str
    field: str
    was: Optional[str]
    now: Optional[str]


class Replayed(NamedTuple):
    """What a playback came to."""

    requests: int
    calls: int
    notifications: int
    differences: List[Difference]


class Recorder:
    """An observer of one emulator; :func:`recorder_of` finds or makes it."""

    def __init__(self, emulator: Emulator):
        self._emulator = emulator
        self._lock = threading.Lock()
        self._lines: List[str] = []
        self._began = ""
        self.recording = False
        self._sender: Any = None

    def start(self) -> Dict[str, Any]:
        """Begin a new recording; the one before is forgotten."""
        with self._lock:
            if not self.recording:
                self._sender = self._emulator.notifier.sender
                self._emulator.notifier.sender = self._send
            self._lines, self._began = [], _at(self._emulator)
            self.recording = True
        return self.state()

    def stop(self) -> Dict[str, Any]:
        """Write no more; what was written stays."""
        with self._lock:
            if self.recording:
                self._emulator.notifier.sender = self._sender
            self.recording = False
        return self.state()

    def state(self) -> Dict[str, Any]:
        """``recording``: true or false; ``events``: how many were written."""
        return {"recording": self.recording, "events": len(self._lines)}

    def lines(self) -> bytes:
        """The recording, as a file; empty when there is none."""
        if not self._began:
            return b""
        # Only now: keys are made when a merchant is first used.
        head = {"kind": "recording", "format": FORMAT, "at": self._began, "keys": fingerprints(self._emulator)}
        with self._lock:
            return "".join([_line(head)] + self._lines).encode("ascii")

    def __call__(self, kind: str, data: Dict[str, Any]) -> None:
        if not self.recording:
            return
        if kind == "request":
            incoming, outcome = data["incoming"], data["outcome"]
            self._write(dict(answer_of(outcome), kind="request", method=incoming.method,
                             query=incoming.query.decode("latin-1"), body=base64.b64encode(incoming.body).decode(),
                             remote=incoming.remote, referer=incoming.referer, service=outcome.service))
        elif kind == "ams":
            self._write(recorded.event_of(data["incoming"], data["outcome"]))
        elif kind == "call":
            self._write({"kind": "call", "name": data["name"], "arguments": data["arguments"]})

    def _send(self, delivery: Delivery) -> Answered:
        answered = self._sender(delivery)
        if self.recording:
            self._write({"kind": "delivery", "out_trade_no": delivery.out_trade_no, "partner": delivery.partner,
                         "status": answered.status, "text": answered.text[:4096]})
        return answered

    def _write(self, event):
        event["at"] = _at(self._emulator)
        with self._lock:
            self._lines.append(_line(event))


def recorder_of(emulator: Emulator) -> Recorder:
    """The emulator's recorder, among its observers."""
    for observer in emulator.observers:
        if isinstance(observer, Recorder):
            return observer
    made = Recorder(emulator)
    emulator.observers.append(made)
    return made


def answer_of(outcome) -> Dict[str, Optional[str]]:
    """What is compared: the error's code, and the status of the trade that the answer tells or the page is about."""
    found = None
    if outcome.trade is not None:
        found = outcome.trade["trade_status"]
    elif outcome.reply is not None:
        match = _STATUS.search(outcome.reply.body)
        found = match.group(1).decode("ascii") if match else None
    return {"error": outcome.error, "trade_status": found}


def fingerprints(emulator: Emulator) -> Dict[str, str]:
    """partner, or client id of AMS → a fingerprint of the shop's keys, of those that have some."""
    made = {row["partner"] for row in emulator.ledger.rows("merchants")}
    found = recorded.fingerprints(emulator)
    for partner, _, _ in emulator.merchants.partners():
        if partner in made:
            keys = emulator.merchant(partner).shop_keys()
            found[partner] = hashlib.sha256("\n".join(keys[name] for name in sorted(keys)).encode()).hexdigest()[:16]
    return found


# --- playing back -----------------------------------------------------------------------------------------------------

def replay(emulator: Emulator, lines: Union[bytes, str]) -> Replayed:
    """Do what a recording tells, each at its time, and compare the answers. The clock stands still afterwards.

    Raises InvalidRequest: no recording, other keys, or an emulator that has orders already.
    """
    events = _read(lines)
    if emulator.ledger.count("trades") or emulator.ledger.count("ams_payments"):
        raise InvalidRequest("replay: the emulator has orders already; take a fresh one (a reset would keep "
                             "the numbers that are used up)", parameter="lines")
    for partner, print_ in events[0]["keys"].items():
        (emulator.ams_client if partner in IDENTITIES else emulator.merchant)(partner)
        if fingerprints(emulator)[partner] != print_:
            raise InvalidRequest("replay: merchant {} has other keys here than in the recording, so no sign would fit; "
                                 "start with the same keys (the same state file, or seed for MD5)".format(partner),
                                 parameter="lines")
    return _Player(emulator, events).play()


class _Player:
    """Goes through the events once. A notification takes the events before its recorded answer with it: what the
    shop asked before it answered."""

    exclusive = True        # the ticker keeps out: see ``ticker``

    def __init__(self, emulator, events):
        self._emulator, self._events, self._at = emulator, events, 1
        self._counts = {"request": 0, "call": 0, "delivery": 0, "ams": 0}
        self._differences: List[Difference] = []
        self._lock = threading.RLock()

    def play(self) -> Replayed:
        notifier = self._emulator.notifier
        sender, notifier.sender = notifier.sender, self
        try:
            self._emulator.freeze()
            with self._lock:
                self._move(self._events[0])
                while self._at < len(self._events):
                    self._next()
        finally:
            notifier.sender = sender
        counts = self._counts
        return Replayed(counts["request"] + counts["ams"], counts["call"], counts["delivery"], self._differences)

    def __call__(self, delivery: Delivery) -> Answered:
        with self._lock:
            for at in range(self._at, len(self._events)):
                event = self._events[at]
                if event["kind"] == "delivery" and (event["partner"], event["out_trade_no"]) == (
                        delivery.partner, delivery.out_trade_no):
                    while self._at < at:
                        self._next()
                    if self._at == at:      # a notification that was sent meanwhile may have taken it
                        self._at += 1
                        self._counts["delivery"] += 1
                        return Answered(event["status"], event["text"])
        return Answered(0, "not in the recording")

    def _next(self):
        number, event = self._at + 1, self._events[self._at]
        self._at += 1
        if event["kind"] == "delivery":     # one that is not sent here
            return
        self._counts[event["kind"]] += 1
        self._move(event)
        if event["kind"] == "request":
            self._request(number, event)
        elif event["kind"] == "ams":
            code = self._emulator.ams_answer(recorded.incoming_of(event)).code
            if code != event["code"]:
                self._differences.append(Difference(number, event["call"], "code", event["code"], code))
        elif event["name"] not in _LEFT_OUT:
            self._call(number, event)

    def _call(self, number, event):
        try:
            getattr(self._emulator, event["name"])(**event["arguments"])
            return
        except (AlipayError, TypeError):
            return          # it was refused then, too, or its arguments are of another version
        except (ValueError, AttributeError, OverflowError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
            pass
        raise InvalidRequest("lines: line {} is a call with arguments that no emulator wrote down".format(number),
                             parameter="lines")

    def _request(self, number, event):
        outcome = self._emulator.answer(Incoming(
            event["method"], event["query"].encode("latin-1"), base64.b64decode(event["body"]), event["remote"],
            event["referer"]))
        for field, now in answer_of(outcome).items():
            if now != event[field]:
                self._differences.append(Difference(number, outcome.service, field, event[field], now))

    def _move(self, event):
        self._emulator.set_time(datetime.strptime(event["at"], _TIME).replace(tzinfo=GMT8))


_FIELDS: Dict[str, Dict[str, type]] = {
    "recording": {"format": str, "keys": dict},
    "request": {"method": str, "query": str, "body": str, "remote": str, "referer": str},
    "call": {"name": str, "arguments": dict},
    "ams": recorded.FIELDS,
    "delivery": {"out_trade_no": str, "partner": str, "status": int, "text": str},
}


def _read(lines) -> List[Dict[str, Any]]:
    events: List[Dict[str, Any]] = []
    problem = None
    try:
        given = lines.decode("utf-8") if isinstance(lines, bytes) else lines
        for number, line in enumerate(given.splitlines(), 1):
            event = json.loads(line)
            datetime.strptime(event["at"], _TIME)
            for name, kind in _FIELDS[event["kind"]].items():
                if not isinstance(event[name], kind):
                    raise ValueError
            if event["kind"] == "request":
                event["query"].encode("latin-1"), base64.b64decode(event["body"], validate=True)
                event["error"], event["trade_status"]
            if event["kind"] == "ams":
                recorded.incoming_of(event)
            if event["kind"] == "call" and event["name"] not in REPEATED + _LEFT_OUT:
                raise ValueError
            if (event["kind"] == "recording") != (number == 1) or number == 1 and event["format"] != FORMAT:
                raise ValueError
            events.append(event)
    except (ValueError, KeyError, TypeError, RecursionError):
        problem = "lines: line {} is none of a recording of the emulator ({})".format(len(events) + 1, FORMAT)
    if problem or not events:
        raise InvalidRequest(problem or "lines: the recording is empty", parameter="lines")
    return events


def _at(emulator) -> str:
    return emulator.clock.now().strftime(_TIME)


def _line(event) -> str:
    return json.dumps(event, sort_keys=True, default=_as_text) + "\n"


def _as_text(value):
    """What a builder takes and JSON does not know: a Decimal, an aware datetime."""
    return text(value) if isinstance(value, datetime) else str(value)
