"""Test cards, the tokens that stand for them, and the codes that a buyer shows in a store.

The numbers are those that the whole trade uses for tests; no other number is taken or written down anywhere.
"""
import random
import re
from typing import Any, Dict, NamedTuple, Optional

from ...errors import InvalidRequest
from ..merchants import BUYERS, Buyer


class Card(NamedTuple):
    """``challenge``: the bank asks the buyer (3-D Secure). ``code``: what it answers; SUCCESS, or why not."""

    number: str
    brand: str
    challenge: bool
    code: str
    about: str


CARDS = (
    Card("4111111111111111", "VISA", False, "SUCCESS", "pays at once"),
    Card("5555555555554444", "MASTERCARD", True, "SUCCESS", "asks for 3-D Secure, then pays"),
    Card("4000000000009995", "VISA", False, "USER_BALANCE_NOT_ENOUGH", "has no money"),
    Card("4000000000000002", "VISA", False, "RISK_REJECT", "is refused by risk control"),
    Card("5105105105105100", "MASTERCARD", True, "FRAUD_REJECT", "asks for 3-D Secure, then is refused as fraud"),
)

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: Codes with a meaning: the head, what happens, nothing, and the buyer's last three digits.
_CODE = re.compile("28000([019])[0-9]{9}([0-9]{3})", re.ASCII)
_ANY_CODE = re.compile("(2[5-9]|30)[0-9]{14,22}", re.ASCII)


def find_card(number: Optional[str]) -> Card:
    """A test card by its number, or by its last four digits; None is the first. Raises InvalidRequest."""
    for card in CARDS:
        if number is None or number in (card.number, card.number[-4:]):
            return card
    raise InvalidRequest("card: one of the test cards: {}".format(", ".join(card.number for card in CARDS)),
                         parameter="card")


def shown(card: Card) -> Dict[str, str]:
    """``cardInfo``, as far as it is told to a shop."""
    return {"cardNo": "*" * 12 + card.number[-4:], "cardBrand": card.brand, "funding": "CREDIT",
            "issuingCountry": "US"}


def new_token(seed: Optional[int], client_id: str, card: Card) -> str:
    """``ALIPAY…``: the same for the same client, card and seed."""
    drawn: Any = random.SystemRandom() if seed is None else random.Random("ams-card:{}:{}:{}".format(
        seed, client_id, card.number))
    return "ALIPAY" + "".join(drawn.choice(_LETTERS) for _ in range(40))


class Shown(NamedTuple):
    """What a code in a store says: who pays, and "pays", "asks" (the buyer confirms on the phone) or "expired"."""

    buyer: Buyer
    what: str


def payment_code(buyer: Buyer, what: str = "pays") -> str:
    """18 digits. ``what``: pays, asks, or expired. Raises InvalidRequest."""
    if what not in _WHAT.values():
        raise InvalidRequest("what: pays, asks or expired", parameter="what")
    return "28000" + [digit for digit, word in _WHAT.items() if word == what][0] + "0" * 9 + buyer.buyer_id[-3:]


def read_payment_code(code: str) -> Optional[Shown]:
    """None for what is no code. One that nobody here made is the first buyer's, who pays."""
    known = _CODE.fullmatch(code)
    if known is not None:
        for buyer in BUYERS:
            if buyer.buyer_id.endswith(known.group(2)):
                return Shown(buyer, _WHAT[known.group(1)])
    return Shown(BUYERS[0], "pays") if _ANY_CODE.fullmatch(code) else None


_WHAT = {"0": "pays", "1": "asks", "9": "expired"}
