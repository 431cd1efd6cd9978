"""What a buyer does at the three pages of AMS: the button of a form → a call of the emulator."""
from typing import Any, Dict, Mapping, Tuple

from ..errors import InvalidRequest
from .cashier import chosen_delay
from .emulator import Emulator

#: Page → its buttons. ``pend``: the bank takes its time; ``return``: nothing but the way back to the shop.
ACTIONS: Dict[str, Tuple[str, ...]] = {
    "wallet": ("pay", "close", "pend", "lose", "later", "refuse", "return"),
    "card": ("authorize", "close", "lose", "return"),
    "3ds": ("passed", "failed", "lose", "return"),
}
#: After these the buyer stays where he is.
STAYING = ("later",)
#: What a wallet or a bank says when it refuses.
REFUSALS = ("RISK_REJECT", "PROCESS_FAIL", "USER_BALANCE_NOT_ENOUGH", "USER_AMOUNT_EXCEED_LIMIT",
            "USER_PAYMENT_VERIFICATION_FAILED", "USER_STATUS_ABNORMAL", "FRAUD_REJECT", "NO_PAY_OPTIONS")


def page_of(payment: Dict[str, Any]) -> str:
    """Where the buyer of this payment is: wallet, card or 3ds."""
    return payment["page"] if payment["page"] in ACTIONS else "card" if payment["method"] == "CARD" else "wallet"


def act(emulator: Emulator, payment: Dict[str, Any], page: str, form: Mapping[str, str]) -> str:
    """Do what the button says; returns its name.

    ``form``: ``action``, ``buyer`` (number or e-mail), ``delay`` (seconds), ``code`` (one of :data:`REFUSALS`),
    ``card`` (its last four digits). Raises Refused as the page would, InvalidRequest for a form that no page has.
    """
    action, number, client_id = form.get("action", ""), payment["payment_request_id"], payment["client_id"]
    buyer = form.get("buyer") or payment.get("buyer_id")
    if action not in ACTIONS[page]:
        raise InvalidRequest("action: one of {}".format(", ".join(ACTIONS[page])), parameter="action")
    if action in ("pay", "lose"):
        emulator.pay(number, partner=client_id, buyer=buyer, lose=action == "lose")
    elif action == "later":
        emulator.pay_later(number, chosen_delay(form.get("delay")), partner=client_id, buyer=buyer)
    elif action == "close":
        emulator.close_trade(number, partner=client_id)
    elif action == "pend":
        emulator.pend_payment(number, client_id=client_id, buyer=buyer)
    elif action == "refuse":
        if form.get("code") not in REFUSALS:
            raise InvalidRequest("code: one of {}".format(", ".join(REFUSALS)), parameter="code")
        emulator.refuse_payment(number, form["code"], client_id=client_id)
    elif action == "authorize":
        emulator.authorize(number, form.get("card", ""), client_id=client_id)
    elif action in ("passed", "failed"):
        emulator.challenge(number, action == "passed", client_id=client_id)
    return action
