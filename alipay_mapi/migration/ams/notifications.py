"""A notification of AMS: a POST to our address, from raw bytes to something that may be acted on; and its ack.

Signed like an answer, over the path and query of *our* address. Behind a proxy that rewrites paths,
give the public one.
What a notification is about is told by its shape: there is no common member. Source: "Notifications" (cashierpay),
notify_refund, notify_capture, paymentrn_online, nrs; acks: the 2020 Java demo and the current text.
"""
import hashlib
from typing import Dict, NamedTuple, Optional

from ...errors import (InvalidMessage, InvalidRequest, MissingParameter, SignatureInvalid, SignatureMissing,
                       show)
from .. import json_text
from ..outcome import NO, UNKNOWN, YES
from . import answers, results, signing
from . import headers as http
from .account import Account

PAYMENT, PAYMENT_PENDING, REFUND, CAPTURE, AUTHORIZATION, REGISTRATION, OTHER = (
    "payment", "payment_pending", "refund", "capture", "authorization", "registration", "other")

#: notifyType → (kind, members that it must have)
_KINDS = {
    "PAYMENT_RESULT": (PAYMENT, ("result", "paymentRequestId", "paymentId", "paymentAmount")),
    "PAYMENT_PENDING": (PAYMENT_PENDING, ("paymentRequestId", "paymentId")),
    "REFUND_RESULT": (REFUND, ("refundStatus", "refundRequestId", "refundId", "refundAmount")),
    "CAPTURE_RESULT": (CAPTURE, ("result", "captureRequestId", "captureId", "paymentId", "captureAmount")),
    "REGISTRATION_RESULT": (REGISTRATION, ()),
}
_BY_RESULT = {"S": YES, "F": NO}
_BY_REFUND_STATUS = {"SUCCESS": YES, "FAIL": NO}
_BY_REGISTRATION = {"registered": YES, "refused": NO}
#: Members that only a notification about a registration has.
_OF_REGISTRATION = ("registrationRequestId", "registrationResult", "pspRegistrationResultList")
#: What the notification is about, the first that is there; and what would let its holder pay, told by its digest.
_NUMBERS = ("refundId", "captureId", "paymentId", "registrationRequestId", "referenceMerchantId")
_TOKENS = ("authCode", "accessToken")


class AmsNotification(answers.AmsMessage):
    """A notification whose signature held, for our client id and our address."""

    _what = "AmsNotification"

    def __init__(self, content, time, kind):
        super().__init__(content, time)
        self._kind = kind

    @property
    def kind(self) -> str:
        """"payment", "payment_pending", "refund", "capture", "authorization", "registration", or "other"."""
        return self._kind

    @property
    def verdict(self) -> str:
        """"yes", "no" or "unknown": paid (by card with manual capture: authorized), refunded, captured, registered. A
        pending payment is unknown although its result is S; a refund is told by ``refundStatus`` and not by its
        result. What a buyer did with an authorization stands in ``authorizationNotifyType``: unknown."""
        if self.kind in (PAYMENT, CAPTURE):
            return _BY_RESULT.get(self.result_status or "", UNKNOWN)
        if self.kind == REFUND:
            return _BY_REFUND_STATUS.get(self.text("refundStatus") or "", UNKNOWN)
        if self.kind == REGISTRATION:
            return _BY_REGISTRATION.get(results.registration_state(self)[0], UNKNOWN)
        return UNKNOWN

    @property
    def key(self) -> str:
        """Text that is the same when the same news comes again: AMS sends no ``notify_id``."""
        number = next((self.text(name) for name in _NUMBERS if self.text(name)), None) or self._token_digest()
        if self.kind == REGISTRATION:
            # The wallets decide one after the other, each with a notification of its own.
            word: Optional[str] = ",".join([results.registration_status(self) or ""] + sorted(
                "{}={}".format(*wallet) for wallet in results.wallet_statuses(self).items()))
        else:
            word = self.text("refundStatus") if self.kind == REFUND else self.result_status
        kind = self.text("notifyType") or self.text("authorizationNotifyType") or self.kind
        return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in (kind, number or "", word or ""))

    def _token_digest(self):
        token = next((self.text(name) for name in _TOKENS if self.text(name)), None)
        return token and hashlib.sha256(token.encode("utf-8")).hexdigest()[:32]


def verify_notification(account: Account, path: str, headers: http.Headers, body: bytes) -> AmsNotification:
    """Check a notification and hand it out, or raise.

    ``path``: the path and query of our own address as AMS called it, without scheme and host. ``headers``: names in any
    letter case. ``body``: the raw bytes of the POST.

    Raises SignatureMissing, SignatureInvalid, MalformedSignature, SignTypeMismatch, PartyMismatch, MissingParameter and
    the kinds of UnreadableMessage: answer none of them with success.
    """
    if not isinstance(body, (bytes, bytearray)):
        raise InvalidRequest("body: the raw bytes of the POST, not {}: what a framework has decoded can no longer be "
                             "verified".format(type(body).__name__), parameter="body")
    body = bytes(body)
    named = http.lower(headers)
    if not named.get("signature"):
        raise SignatureMissing("Signature: this header is absent; AMS signs every notification")
    problem = None
    try:
        time = answers._verified(account, path, named, "request-time", body)
    except SignatureInvalid:
        problem = SignatureInvalid("the signature does not fit: altered, signed for another address (behind a proxy "
                                   "give the public path and query), or with another key than alipay_public_key")
    if problem is not None:
        raise problem
    content = json_text.parse(body)
    return AmsNotification(content, time, _kind(content))


def _kind(content):
    if "authorizationNotifyType" in content:
        return AUTHORIZATION
    word = content.get("notifyType")
    if word is None:
        if any(name in content for name in _OF_REGISTRATION):
            return REGISTRATION
        return AUTHORIZATION if "authClientId" in content else OTHER
    kind, needed = _KINDS.get(word, (OTHER, ())) if isinstance(word, str) else (OTHER, ())
    for name in needed:
        if name not in content:
            raise MissingParameter("{}: absent, and a notification of {} must have it".format(name, show(word, 32)),
                                   parameter=name)
    return kind


class Ack(NamedTuple):
    """The HTTP answer to a notification: ``status``, ``headers``, ``body``."""

    status: int
    headers: Dict[str, str]
    body: bytes


_TAKEN = ("SUCCESS", "S", "success")
_NOT_TAKEN = ("PROCESS_FAIL", "F", "not taken")
_CANNOT_TELL = ("UNKNOWN_EXCEPTION", "U", "the signature could not be verified")


def ack_taken() -> Ack:
    """The state is durable: do not send it again."""
    return _ack(_TAKEN)


def ack_not_taken() -> Ack:
    """The shop could not take it; AMS sends it again, eight times within 24 hours."""
    return _ack(_NOT_TAKEN)


def ack_unknown() -> Ack:
    """The notification could not be verified."""
    return _ack(_CANNOT_TELL)


def signed(ack: Ack, account: Account, path: str, time: str) -> Ack:
    """The same ack with a signature, as the 2020 demo sends it; the current text asks for none.

    ``path``: as for the notification; ``time``: the text of ``response-time``, ISO 8601.
    """
    content = signing.content(path, account.client_id, time, ack.body)
    headers = dict(ack.headers)
    headers.update({"client-id": account.client_id, "response-time": time, "signature": signing.header(
        signing.sign(account.signing_key, content), account.key_version)})
    return Ack(ack.status, headers, ack.body)


def _ack(words):
    code, status, message = words
    body = json_text.dump({"result": {"resultCode": code, "resultStatus": status, "resultMessage": message}})
    return Ack(200, {"Content-Type": "application/json; charset=UTF-8"}, body)


def ack_for(problem: Optional[BaseException]) -> Ack:
    """None → taken; an error of the check → unknown; anything else → not taken."""
    if problem is None:
        return ack_taken()
    return ack_unknown() if isinstance(problem, InvalidMessage) else ack_not_taken()
