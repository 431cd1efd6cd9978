"""The emulator's pages for people: the cashier, what was received and sent, and the page of a refused order.

Those of AMS are in ``ams_pages``; they are drawn by :func:`render` too.

Jinja2 with everything escaped, no script, nothing from another host. A sign is shown by its first characters, a key
never. What the buyer's buttons do is in ``cashier``; what is wrong with a sign, in ``diagnosis``.
"""
import functools
import io
import re
from pathlib import Path
from typing import Any, Dict, List, Optional
from urllib.parse import urlsplit

import jinja2
import segno

from .. import error_codes
from ..merchant import is_loopback
from . import ams_shown
from .ams.clients import IDENTITIES
from .cashier import DELAYS
from .emulator import Emulator, LoggedRequest
from .incoming import Incoming
from .merchants import BUYERS
from .refused import Refused
from .reply import Outcome, Reply
from .request_check import check, codec_of, short, shown
from .trades import NO_TRADE, PAID

TYPE = "text/html; charset=utf-8"
#: Rows of each list on the first page, and on a page of one list alone.
PER_PAGE, PER_LIST = 25, 100
#: trade_status → (tone, words).
STATES = {
    NO_TRADE: ("wait", "Waiting for the buyer"), "WAIT_BUYER_PAY": ("wait", "Waiting for payment"),
    "TRADE_SUCCESS": ("good", "Paid"), "TRADE_FINISHED": ("good", "Paid"), "TRADE_CLOSED": ("over", "Closed"),
    "WAIT_SELLER_SEND_GOODS": ("good", "Paid, to be shipped"),
    "WAIT_BUYER_CONFIRM_GOODS": ("good", "Paid and shipped"),
}
_SIGN_ELEMENT = re.compile("<sign>([^<]*)</sign>")
_TONES = {"acknowledged": "good", "queued": "wait", "sending": "wait", "returned": "good"}
#: What the sender calls a failure → what happened.
_NO_ANSWER = {
    "ConnectionError": "no connection (does the shop listen there?)",
    "ConnectTimeout": "the shop did not take the connection in time",
    "ReadTimeout": "the shop took the connection, but did not answer in time",
    "ChunkedEncodingError": "the answer broke off", "ContentDecodingError": "the answer cannot be unpacked",
    "SSLError": "the shop's certificate was not accepted",
    "InvalidURL": "the address cannot be called", "InvalidSchema": "the address cannot be called",
    "MissingSchema": "the address cannot be called", "LocationParseError": "the address cannot be called",
    "UnicodeError": "the address cannot be called",
}
_PROBLEMS = {
    400: ("That cannot be read", "The request is not one that a browser makes."),
    403: ("Not from here", "This came from another website, or under a name that is not the emulator's own."),
    404: ("There is nothing here", "The address leads nowhere. The order may have been forgotten by a reset."),
    405: ("Not in this way", "This address is there, but not for that method."),
    413: ("Too large", "No message of the protocol is as large as this."),
}


# --- pages --------------------------------------------------------------------------------------------------------

def home(emulator: Emulator, wanted: str = "", page: int = 1) -> Reply:
    """Orders, requests and notifications, the newest first. ``wanted``: a number that was looked for in vain."""
    page = max(1, min(page, 10 ** 9))
    trades, logged = emulator.list_trades(PER_PAGE + 1, (page - 1) * PER_PAGE), emulator.requests()
    ams_logged = emulator.ams_requests()
    return render("home.html", emulator, trades=trades[:PER_PAGE], more=len(trades) > PER_PAGE, page=page,
                  wanted=wanted, requests=logged[::-1][:PER_PAGE], requests_count=len(logged),
                  notifications=tried(emulator, emulator.list_notifications(limit=PER_PAGE)),
                  notifications_count=emulator.ledger.count("notifications"), per_page=PER_PAGE,
                  count=emulator.ledger.count("trades"), payments=emulator.list_payments(PER_PAGE),
                  payments_count=emulator.ledger.count("ams_payments"), ams_requests=ams_logged[::-1][:PER_PAGE],
                  ams_requests_count=len(ams_logged), merchants=emulator.merchants.partners(),
                  clients={one.partner: one.client_id for one in IDENTITIES.values() if not one.sandbox})


def requests(emulator: Emulator, page: int = 1) -> Reply:
    """All requests that are in the log, the newest first."""
    logged, first = emulator.requests()[::-1], first_row(page)
    return render("list.html", emulator, kind="requests", address="/requests", count=len(logged), first=first,
                  per_page=PER_LIST, forgotten=logged[-1].number - 1 if logged else 0,
                  rows=logged[first:first + PER_LIST])


def notifications(emulator: Emulator, page: int = 1) -> Reply:
    """All notifications, the newest first."""
    first = first_row(page)
    return render("list.html", emulator, kind="notifications", address="/notifications",
                  count=emulator.ledger.count("notifications"), first=first, per_page=PER_LIST, forgotten=0,
                  rows=tried(emulator, emulator.ledger.rows("notifications", newest=True, limit=PER_LIST,
                                                           offset=first)))


def first_row(page: int) -> int:
    """Where a list's page begins, from 0."""
    return (max(1, min(page, 10 ** 9)) - 1) * PER_LIST


def trade(emulator: Emulator, row: Dict[str, Any]) -> Reply:
    """One order: its state, its history, and what belongs to it."""
    mine = _request_of(emulator, row)
    belongs = {"partner": row["partner"], "out_trade_no": row["out_trade_no"]}
    history = [(row[name], words) for name, words in (
        ("ordered_at", "The browser brought the order"), ("gmt_create", "The buyer logged in: the trade exists"),
        ("gmt_payment", "Paid"), ("gmt_send_goods", "Shipped"),
        ("expired_at", "The time for the order was over"), ("gmt_close", "Over")) if row.get(name)]
    refunds = emulator.ledger.rows("refunds", **belongs)
    history += [(refund["done_at"], "Money was given back: {} {}".format(refund["amount"], refund["currency"] or "CNY"))
                for refund in refunds if refund.get("done_at")]
    sent = emulator.ledger.rows("notifications", newest=True, limit=PER_LIST, **belongs)
    return render("trade.html", emulator, trade=row, request=mine, history=sorted(history, key=lambda one: one[0]),
                  refunds=refunds, notifications=tried(emulator, sent), per_page=PER_LIST,
                  notifications_count=emulator.ledger.count("notifications", **belongs),
                  addressed=bool(row["params"].get("notify_url") or emulator.notifier.default_url
                                 or any(one["url"] for one in sent)))


def request(emulator: Emulator, logged: LoggedRequest, incoming: Optional[Incoming] = None) -> Reply:
    """One request to the gateway. ``incoming``: as it came, when it is still known."""
    outcome = logged.outcome
    # a browser got a page, not this
    body = outcome.reply.body if outcome.reply is not None and not (outcome.is_page and outcome.error) else b""
    codec = codec_of(outcome.params)
    return render("request.html", emulator, logged=logged, outcome=outcome, checked=check(emulator, outcome, incoming),
                  answer=_SIGN_ELEMENT.sub(lambda found: "<sign>" + short(found.group(1)) + "</sign>",
                                           body[:20000].decode(codec, "backslashreplace")),
                  meaning=_meaning(outcome.error))


def notification(emulator: Emulator, row: Dict[str, Any]) -> Reply:
    """One notification, each time that it was sent, and a button that sends it again."""
    ours, fields, about = row.get("gateway") == "ams", sorted(row["fields"].items()), ""
    if ours:
        fields = ams_shown.fields(row["fields"])
        order = emulator.ledger.one("ams_payments", client_id=row["partner"], payment_request_id=row["out_trade_no"])
    else:
        order = emulator.ledger.one("trades", partner=row["partner"], out_trade_no=row["out_trade_no"])
    if order is not None:
        about = "{}/{}".format("/ams/payments" if ours else "/trades", order["id"])
    return render("notification.html", emulator, row=row, about=about, ours=ours, fields=fields,
                  deliveries=emulator.ledger.rows("deliveries", notification=row["id"]))


def cashier(emulator: Emulator, row: Dict[str, Any], refusal: Optional[Refused] = None, problem: str = "",
            buyer: str = "") -> Reply:
    """The page on which the buyer pays; once that is over, what became of it. ``refusal``, ``problem``: of the last
    button; ``buyer``: who was chosen then."""
    mine = _request_of(emulator, row)
    return _at_cashier("cashier.html", emulator, row, refusal, problem, buyer, qr=_qr(_second(emulator, row)),
                       second=_second(emulator, row), checked=check(emulator, mine.outcome) if mine else None)


def second_browser(emulator: Emulator, row: Dict[str, Any], refusal: Optional[Refused] = None,
                   problem: str = "", buyer: str = "") -> Reply:
    """The page behind the QR code."""
    return _at_cashier("second.html", emulator, row, refusal, problem, buyer)


def waiting(emulator: Emulator, row: Dict[str, Any]) -> Reply:
    """The first browser's page while a second one pays; it looks again by itself."""
    return render("waiting.html", emulator, trade=row, qr=_qr(_second(emulator, row)), second=_second(emulator, row))


def refused(emulator: Emulator, incoming: Incoming, outcome: Outcome) -> Reply:
    """What a browser gets for an order that the gateway does not take: the code, and for people why."""
    number = [logged.number for logged in emulator.requests() if logged.outcome is outcome]
    return render("refused.html", emulator, outcome=outcome, checked=check(emulator, outcome, incoming),
                  meaning=_meaning(outcome.error), number=number[0] if number else None)


def problem(emulator: Emulator, status: int) -> Reply:
    """No page: not found, not allowed, too large."""
    title, text = _PROBLEMS.get(status, ("That did not work", "The emulator's log may say why."))
    return render("problem.html", emulator, status, title=title, text=text)


def is_open(row: Dict[str, Any]) -> bool:
    """Can this order still be paid?"""
    return row["trade_status"] in (NO_TRADE, "WAIT_BUYER_PAY") and not row.get("expired_at")


def _at_cashier(template, emulator, row, refusal, problem, buyer, **more) -> Reply:
    asked = row["params"]
    wanted = asked.get("buyer_id") or asked.get("buyer_email")
    known = row.get("buyer_id")
    chosen = [one for one in BUYERS if (known or buyer or wanted) in (one.buyer_id, one.buyer_email)] or [BUYERS[0]]
    plans = [plan for plan in emulator.ledger.rows("plans", partner=row["partner"], out_trade_no=row["out_trade_no"])
             if plan["due_at"]]
    return render(template, emulator, 400 if problem else 409 if refusal is not None else 200, trade=row,
                  refusal=refusal, problem=problem, meaning=_meaning(refusal.code) if refusal is not None else None,
                  buyers=BUYERS, chosen=chosen[0], known=known, delays=DELAYS, plan=plans[0] if plans else None,
                  open=is_open(row), returns=host_of(asked.get("return_url", "")),
                  lost=emulator.ledger.count("notifications", partner=row["partner"], state="lost",
                                             out_trade_no=row["out_trade_no"]), **more)


def host_of(address: str) -> str:
    """Where an address of the shop leads, with its port; "" when no browser could go there."""
    try:
        parts = urlsplit(address)
    except ValueError:      # http://[: the fields' rule lets it through
        return ""
    return parts.netloc if parts.scheme in ("http", "https") else ""


def host_name(address: str) -> str:
    """The host of an address, without its port; "" when it has none."""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _second(emulator, row):
    return "{}/cashier/{}/qr".format(emulator.base_url, row["id"])


def _qr(url) -> str:
    drawn = io.BytesIO()
    segno.make(url, micro=False).save(drawn, kind="svg", xmldecl=False, omitsize=True, dark="#000", light="#fff")
    return drawn.getvalue().decode("ascii")


def tried(emulator: Emulator, rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Notifications, with what came of the last try (``failed``) of those that the shop has not acknowledged."""
    found = []
    for row in rows:
        last = emulator.ledger.rows("deliveries", limit=1, newest=True, notification=row["id"]) \
            if row["attempts"] and row["state"] not in ("acknowledged", "sending") else []
        found.append(dict(row, failed=_failed(last[0]) if last else ""))
    return found


def _failed(delivery) -> str:
    if not delivery["status"]:
        return "no answer: " + no_answer(delivery["text"])
    return "answered {}{}".format(delivery["status"], " without success" if delivery["status"] == 200 else "")


def no_answer(text: str) -> str:
    """Why there was none, for people: the name of an exception says little."""
    why = text[len("no answer: "):] if text.startswith("no answer: ") else text
    return _NO_ANSWER.get(why, why) or "nobody knows why"


# --- what stands on several pages --------------------------------------------------------------------------------

def _request_of(emulator, row) -> Optional[LoggedRequest]:
    """The signed request that brought an order, while it is in the log."""
    for logged in reversed(emulator.requests()):
        if logged.outcome.trade is not None and logged.outcome.trade["id"] == row["id"]:
            return logged
    return None


def _meaning(code):
    return error_codes.describe(code) if code else None


# --- drawing ------------------------------------------------------------------------------------------------------

def render(template: str, emulator: Emulator, status: int = 200, **values: Any) -> Reply:
    """A page of the folder ``templates``."""
    clock = emulator.clock
    page = _environment().get_template(template).render(
        base_url=emulator.base_url, local=is_loopback(host_name(emulator.base_url)),
        now=clock.now().strftime("%Y-%m-%d %H:%M:%S"), speed=clock.speed, **values)
    return Reply(status, TYPE, page.encode("utf-8", "replace"))


@functools.lru_cache(maxsize=None)
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(Path(__file__).resolve().parent / "templates")), autoescape=True,
        trim_blocks=True, lstrip_blocks=True)
    made.globals.update(states=STATES, tones=_TONES, paid=PAID, shown=shown, of_ams=ams_shown)
    made.filters["state"] = lambda status: STATES.get(status, ("over", status))
    made.filters["no_answer"] = no_answer
    made.filters["after"] = lambda text, start: text[len(start):] if text.startswith(start) else text
    return made
