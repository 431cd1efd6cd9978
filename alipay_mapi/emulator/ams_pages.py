"""The pages of AMS: the wallet's cashier, the hosted card page and 3-D Secure for buyers; payments and requests for
people. The buyer's buttons are in ``ams_cashier``."""
from typing import Any, Dict, Optional

from . import ams_shown
from .ams import cards
from .ams.codes import CODES
from .ams.payments import OPEN
from .ams.side import LoggedCall
from .ams_cashier import REFUSALS
from .cashier import DELAYS
from .emulator import Emulator
from .merchants import BUYERS
from .pages import PER_LIST, first_row, host_of, render, tried
from .refused import Refused
from .reply import Reply

_TEMPLATES = {"wallet": "ams_wallet.html", "card": "ams_card.html", "3ds": "ams_3ds.html"}
#: Where the form of each page goes.
PATHS = {"wallet": "/ams/cashier/{}", "card": "/ams/card/{}", "3ds": "/ams/3ds/{}"}


def buyers_page(emulator: Emulator, payment: Dict[str, Any], page: str, refusal: Optional[Refused] = None,
                problem: str = "", form: Optional[Dict[str, str]] = None) -> Reply:
    """Where the buyer pays (``page``: wallet, card or 3ds); once that is over, what became of it. ``refusal``,
    ``problem``: of the last button; ``form``: what was chosen then."""
    form = form or {}
    known = payment.get("buyer_id")
    wanted = known or form.get("buyer")
    chosen = [one for one in BUYERS if wanted in (one.buyer_id, one.buyer_email)] or [BUYERS[0]]
    card = [one for one in cards.CARDS if one.number[-4:] == form.get("card")] or [cards.CARDS[0]]
    plan = payment.get("planned_at")
    return render(_TEMPLATES[page], emulator, 400 if problem else 409 if refusal is not None else 200, payment=payment,
                  refusal=refusal, problem=problem, meaning=_meaning(refusal.code) if refusal is not None else None,
                  action=PATHS[page].format(payment["id"]), open=payment["payment_status"] in OPEN,
                  buyers=BUYERS, chosen=chosen[0], known=known, cards=cards.CARDS, card=card[0], delays=DELAYS,
                  refusals=[(code, CODES[code][1]) for code in REFUSALS], reason=_meaning(payment["result_code"]),
                  plan=plan if plan and plan < payment["expires_at"] else None,
                  returns=host_of(emulator.back_to_shop(payment) or ""), lost=emulator.ledger.count(
                      "notifications", partner=payment["client_id"], state="lost",
                      out_trade_no=payment["payment_request_id"]))


def payments(emulator: Emulator, page: int = 1) -> Reply:
    """All payments, the newest first."""
    first = first_row(page)
    return render("list.html", emulator, kind="AMS payments", address="/ams/payments", first=first, per_page=PER_LIST,
                  count=emulator.ledger.count("ams_payments"), forgotten=0,
                  rows=emulator.list_payments(PER_LIST, first))


def payment(emulator: Emulator, row: Dict[str, Any]) -> Reply:
    """One payment: its state, its history, and what belongs to it."""
    moves = emulator.payment_moves(row)
    sent = moves["notifications"][::-1]
    return render("ams_payment.html", emulator, payment=row, moves=moves, history=ams_shown.history(row, moves),
                  request=_request_of(emulator, row), notifications=tried(emulator, sent[:PER_LIST]),
                  notifications_count=len(sent), per_page=PER_LIST, content=ams_shown.told(row["content"]),
                  reason=_meaning(row["result_code"]), open=row["payment_status"] in OPEN)


def requests(emulator: Emulator, page: int = 1) -> Reply:
    """All requests to AMS that are in the log, the newest first."""
    logged, first = emulator.ams_requests()[::-1], first_row(page)
    return render("list.html", emulator, kind="AMS requests", address="/ams/requests", first=first, per_page=PER_LIST,
                  count=len(logged), forgotten=logged[-1].number - 1 if logged else 0,
                  rows=logged[first:first + PER_LIST])


def request(emulator: Emulator, logged: LoggedCall, signed: str = "") -> Reply:
    """One request. ``signed``: the text that its signature is over, but for the body, while it is known."""
    outcome = logged.outcome
    return render("ams_request.html", emulator, logged=logged, outcome=outcome, signed=signed,
                  verdict={None: "NOT CHECKED", True: "VALID", False: "INVALID"}[outcome.signature_fits],
                  payment=_payment_of(emulator, outcome), meaning=_meaning(outcome.code),
                  content=ams_shown.told(outcome.content) if outcome.content else "",
                  answer=ams_shown.told(outcome.answer))


def _meaning(code: str) -> str:
    return CODES[code][1] if code in CODES else ""


def _payment_of(emulator, outcome) -> Optional[Dict[str, Any]]:
    """The payment that a request with a signature of its client is about."""
    if not outcome.signature_fits:
        return None
    for name, column in (("paymentRequestId", "payment_request_id"), ("paymentId", "payment_id")):
        for told in (outcome.content, outcome.answer):
            if isinstance(told.get(name), str):
                return emulator.ledger.one("ams_payments", client_id=outcome.client_id, **{column: told[name]})
    return None


def _request_of(emulator, row) -> Optional[LoggedCall]:
    """The pay call that made a payment, while it is in the log."""
    for logged in emulator.ams_requests():
        one = logged.outcome
        if one.call == "payments/pay" and one.client_id == row["client_id"] and one.signature_fits \
                and one.content.get("paymentRequestId") == row["payment_request_id"]:
            return logged
    return None
