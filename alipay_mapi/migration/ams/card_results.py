"""What a card payment's answer or notification says of the card: AVS, CVV, 3-D Secure, brand, masked number, token.

None of it decides whether the payment is paid; that is ``results`` and the notification's verdict. It is for risk rules
and for the dispute file. Every finding has a neutral word and the raw code beside it; a code without a meaning that
somebody has published is "unknown", never a guess.

Source: "notifyPayment" (paymentrn_online), "inquiryPayment" (paymentri_online) for paymentResultInfo, cardInfo and
threeDSResult; the vendor's SDKs for the words of eci, paResStatus and liabilityShift (the last two stand in its newest
alone: doubtful). AMS hands AVS and CVV codes on *raw*, and the page that lists them could not be read: the letters
below are the schemes' own, as acquirers publish them, and hold for the named brand only, since a letter of one scheme
means something else at another (Discover's Y and A are such).
"""
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional, Union

from ...errors import InvalidRequest, show
from .answers import AmsAnswer
from .notifications import AmsNotification

#: Words of an AVS check. "street" and "postal": that half fits, and the other does not or was not compared.
AVS_WORDS = ("matches", "street", "postal", "differs", "not_checked", "unknown", "absent")
#: Words of a CVV check. "missing": the card has one, and it was not sent.
CVV_WORDS = ("matches", "differs", "missing", "not_checked", "unknown", "absent")
#: Words of 3-D Secure. "attempted": the issuer took no part, the scheme vouches; "data_only": told to the scheme, the
#: buyer was not asked; "unavailable": it could not be completed; "none": without it.
THREE_DS_WORDS = ("authenticated", "attempted", "data_only", "failed", "unavailable", "none", "unknown", "absent")

_AVS = {
    "VISA": {"matches": "YDM", "street": "AB", "postal": "ZP", "differs": "N", "not_checked": "CGIRU"},
    "MASTERCARD": {"matches": "YX", "street": "A", "postal": "ZW", "differs": "N", "not_checked": "RSU"},
    "AMEX": {"matches": "Y", "street": "A", "postal": "Z", "differs": "N", "not_checked": "RS"},
}
_SAME_LETTERS = {"matches": "M", "differs": "N", "missing": "S", "not_checked": "PU"}
_CVV = {"VISA": _SAME_LETTERS, "MASTERCARD": _SAME_LETTERS}
_ECI = {"02": "authenticated", "05": "authenticated", "01": "attempted", "06": "attempted", "00": "none", "07": "none",
        "04": "data_only"}
#: C, D and I are steps on the way: no word.
_STATUS = {"Y": "authenticated", "A": "attempted", "N": "failed", "R": "failed", "U": "unavailable"}
_LIABILITY = {"1": "shifted", "0": "not_shifted"}
_WHOLE_NUMBER = re.compile(r"[0-9]{9,}", re.ASCII)


class Check(NamedTuple):
    """``word``: ours; ``code``: what came, or None."""

    word: str
    code: Optional[str]


class ThreeDS(NamedTuple):
    """``word``: one of :data:`THREE_DS_WORDS`; "unknown" also when ``eci`` and ``status`` contradict each other.
    ``eci`` and ``status`` (``paResStatus``) as they came. ``offered``, ``challenged``: True, False, or None when not
    said. ``version``, ``reason``: as they came. ``liability``: "shifted", "not_shifted" or "unknown", which counts as
    not shifted."""

    word: str
    eci: Optional[str]
    status: Optional[str]
    offered: Optional[bool]
    challenged: Optional[bool]
    version: Optional[str]
    reason: Optional[str]
    liability: str


class CardResult(NamedTuple):
    """``brand``, ``funding``, ``issuing_country``, ``network_transaction_id``: as they came, or None. ``number``:
    masked. ``token``: for ``card.stored_card``; whoever has it and your key can charge the card, so the repr hides
    it."""

    brand: Optional[str]
    number: Optional[str]
    last_four: Optional[str]
    token: Optional[str]
    funding: Optional[str]
    issuing_country: Optional[str]
    network_transaction_id: Optional[str]
    avs: Check
    cvv: Check
    three_ds: ThreeDS

    def __repr__(self):
        return "<CardResult {} {} avs={} cvv={} three_ds={}{}>".format(
            show(_masked(self.brand), 32), show(self.number, 32), self.avs.word, self.cvv.word, self.three_ds.word,
            " token" if self.token else "")


def card_result(message: Union[AmsAnswer, AmsNotification]) -> Optional[CardResult]:
    """Read the card's part of a checked message: the answer to ``pay`` or ``inquiryPayment``, or notifyPayment. None
    when it has none, as for a wallet, or before the buyer has typed the card in.

    Raises InvalidRequest for anything else, an unsigned answer too: nothing in it is believed.
    """
    if not isinstance(message, AmsNotification) and not (isinstance(message, AmsAnswer) and message.signed):
        raise InvalidRequest("message: a verified AmsNotification, or an AmsAnswer whose signature held",
                             parameter="message")
    parts = [part for part in (message.get("paymentResultInfo"), message.get("cardInfo")) if isinstance(part, Mapping)]
    if not parts:
        return None
    brand, number = _text(parts, "cardBrand"), _masked(_text(parts, "cardNo"))
    last_four = _text(parts, "lastFour") or (number[-4:] if number else "")
    scheme = (brand or "").upper()
    return CardResult(
        brand, number, last_four if re.fullmatch("[0-9]{4}", last_four, re.ASCII) else None,
        _text(parts, "cardToken"), _text(parts, "funding"), _text(parts, "issuingCountry"),
        _text(parts, "networkTransactionId"), _checked(_text(parts, "avsResultRaw"), _AVS.get(scheme)),
        _checked(_text(parts, "cvvResultRaw"), _CVV.get(scheme)), _three_ds(_value(parts, "threeDSResult")))


def _checked(code, table):
    if code is None:
        return Check("absent", None)
    words = [word for word, letters in (table or {}).items() if len(code) == 1 and code in letters]
    return Check(words[0] if words else "unknown", code)


def _three_ds(result):
    parts = [result] if isinstance(result, Mapping) else []
    eci, status, offered = _text(parts, "eci"), _text(parts, "paResStatus"), _flag(parts, "threeDSOffered")
    reason = _text(parts, "threeDStransactionStatusReason") or _text(parts, "threeDSTransactionStatusReason")
    return ThreeDS(_three_ds_word(eci, status, offered), eci, status, offered, _flag(parts, "challenged"),
                   _text(parts, "threeDSVersion"), reason,
                   _LIABILITY.get(_text(parts, "liabilityShift") or "", "unknown"))


def _three_ds_word(eci, status, offered):
    if eci is None and status is None:
        return {True: "unknown", False: "none", None: "absent"}[offered]
    if eci is not None and eci not in _ECI:
        return "unknown"
    by_eci, by_status = _ECI.get(eci), _STATUS.get(status)
    if by_status is None:
        return by_eci or "unknown"
    if by_eci in (None, by_status) or by_eci == "none" and by_status in ("failed", "unavailable"):
        return by_status
    return "unknown"


def _masked(number):
    """As AMS masked it; a number that came whole is masked here."""
    digits = re.sub("[ -]", "", number or "")
    if _WHOLE_NUMBER.search(digits) is None:
        return number
    return digits[:6] + "*" * (len(digits) - 10) + digits[-4:] if len(digits) >= 12 else "*" * len(digits)


def _value(parts, name) -> Any:
    return next((part[name] for part in parts if part.get(name) is not None), None)


def _text(parts, name) -> Optional[str]:
    value = _value(parts, name)
    return value if isinstance(value, str) and value else None


def _flag(parts, name) -> Optional[bool]:
    value = _value(parts, name)
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None
