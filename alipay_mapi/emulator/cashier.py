"""What a buyer does at the cashier: the button of a form → a call of the emulator."""
from typing import Any, Dict, Mapping, Optional

from ..errors import InvalidRequest
from .emulator import Emulator

#: The buttons. ``confirm``: escrow, the goods are here. ``return``: nothing but the way back to the shop.
ACTIONS = ("pay", "login", "close", "lose", "later", "confirm", "return")
#: After these the buyer's browser goes back to the shop.
RETURNING = ("pay", "lose", "return")
#: Seconds of the gateway's clock → words, for "pay later".
DELAYS = {60: "in 1 minute", 600: "in 10 minutes", 3600: "in 1 hour"}


def act(emulator: Emulator, trade: Dict[str, Any], form: Mapping[str, str]) -> str:
    """Do what the button says; returns its name.

    ``form``: ``action`` (one of :data:`ACTIONS`), ``buyer`` (number or e-mail), ``delay`` (seconds, one of
    :data:`DELAYS`). Raises Refused as the cashier would, InvalidRequest for a form that no page of ours has.
    """
    action, number, partner = form.get("action"), trade["out_trade_no"], trade["partner"]
    buyer = form.get("buyer") or trade.get("buyer_id")
    if action in ("pay", "lose"):
        emulator.pay(number, partner=partner, buyer=buyer, lose=action == "lose")
    elif action == "login":
        emulator.log_in(number, partner=partner, buyer=buyer)
    elif action == "close":
        if trade.get("trade_no") is None:
            emulator.log_in(number, partner=partner, buyer=buyer)
        emulator.close_trade(number, partner=partner)
    elif action == "later":
        emulator.pay_later(number, chosen_delay(form.get("delay")), partner=partner, buyer=buyer)
    elif action == "confirm":
        emulator.confirm_goods(number, partner=partner)
    elif action != "return":
        raise InvalidRequest("action: one of {}".format(", ".join(ACTIONS)), parameter="action")
    return action


def chosen_delay(text: Optional[str]) -> int:
    """Seconds of :data:`DELAYS`, as a form has them. Raises InvalidRequest."""
    for seconds in DELAYS:
        if text == str(seconds):
            return seconds
    raise InvalidRequest("delay: one of {}".format(", ".join(str(one) for one in sorted(DELAYS))), parameter="delay")
