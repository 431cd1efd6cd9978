"""A payment of AMS in words: its state, its amounts, its card, and JSON in which nothing secret is left."""
import json
from typing import Any, Dict, List, Optional, Tuple

from ..migration.ams.amounts import from_ams
from .ams import cards
from .ams.payments import CANCELLED, FAIL, PENDING, PROCESSING, SUCCESS

#: payment_status → (tone, words).
_STATES = {
    PROCESSING: ("wait", "Waiting for the buyer"), PENDING: ("wait", "The bank takes its time"),
    SUCCESS: ("good", "Paid"), FAIL: ("bad", "Failed"), CANCELLED: ("over", "Cancelled"),
}
#: Of a refund, a capture, a registration.
_MOVES = {"SUCCESS": "good", "COMPLETED": "good", "FAIL": "bad", "REJECTED": "bad"}
#: Members that somebody could pay with: a stored card, and the code that a buyer shows in a store.
_TOKENS = ("cardToken", "paymentMethodId", "accessToken")
#: How much of an answer is shown.
_LONGEST = 20000


def state(payment: Dict[str, Any]) -> Tuple[str, str]:
    """(tone, words). What a card has authorized is not paid before it is captured."""
    if payment["payment_status"] == SUCCESS and payment["authorization"]:
        if not payment["captured"]:
            return "good", "Authorized"
        return "good", "Captured" if payment["captured"] >= payment["amount"] else "Captured in part"
    return _STATES.get(payment["payment_status"], ("over", payment["payment_status"]))


def move_tone(status: str) -> str:
    """The tone of a refund's or a capture's status."""
    return _MOVES.get(status, "wait")


def amount(row: Dict[str, Any], name: str = "amount") -> str:
    """``12.30 USD``, of a payment, a refund or a capture."""
    return "{} {}".format(from_ams({"currency": row["currency"], "value": str(row[name])})["amount"], row["currency"])


def card(number: Optional[str]) -> str:
    """``VISA ending in 1111``, or ""."""
    return "{} ending in {}".format(cards.find_card(number).brand, number[-4:]) if number else ""


def without_tokens(value: Any) -> Any:
    """The same, with everything cut short that somebody could pay with."""
    if isinstance(value, dict):
        return {name: one[:6] + "…" if name in _TOKENS and isinstance(one, str) and len(one) > 8
                else without_tokens(one) for name, one in value.items()}
    return [without_tokens(one) for one in value] if isinstance(value, list) else value


def told(content: Any) -> str:
    """JSON for people. Card numbers were taken out before; tokens are cut short here."""
    return json.dumps(without_tokens(content), ensure_ascii=False, indent=2)[:_LONGEST]


def fields(content: Dict[str, Any]) -> List[Tuple[str, str]]:
    """Each member with its value: text as it is, the rest as JSON."""
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))
            for name, value in without_tokens(content).items()]


def history(payment: Dict[str, Any], moves: Dict[str, List[Dict[str, Any]]]) -> List[Tuple[str, str]]:
    """(time, what happened), the oldest first."""
    found = [(payment["created_at"], "The shop's pay call")]
    if payment.get("paid_at"):
        found.append((payment["paid_at"], "Authorized" if payment["authorization"] else "Paid"))
    for one in moves["captures"]:
        found.append((one.get("done_at") or one["asked_at"], "Capture of {}: {}".format(
            amount(one), one["capture_status"])))
    for one in moves["refunds"]:
        found.append((one.get("done_at") or one["asked_at"], "Refund of {}: {}".format(
            amount(one), one["refund_status"])))
    if payment.get("cancelled_at"):
        found.append((payment["cancelled_at"], "Cancelled: {}".format(payment["result_code"])))
    elif payment["payment_status"] == FAIL:
        found.append((payment["changed_at"], "Failed: {}".format(payment["result_code"])))
    elif payment["payment_status"] == PENDING:
        found.append((payment["changed_at"], "The buyer has done his part; the bank takes its time"))
    return sorted(found, key=lambda one: one[0])
