"""An answer of AMS, checked before it is read: the same bytes are verified and then parsed.

What must hold: the signature under one of the account's keys, over the path that was asked, the client id that is
configured, the time of the answer and its raw body. AMS signs nothing when it refuses our signature; such an unsigned
``F`` or ``U`` may be shown, is never proof that nothing happened, and an unsigned ``S`` is refused.
Source: digital_signature; INVALID_SIGNATURE (ac/ref); the rules of section 1.3.
"""
from collections.abc import Mapping
from typing import Any, Optional

from ...errors import (InvalidRequest, OrderMismatch, PartyMismatch, ResponseSignatureInvalid,
                       ResponseSignatureMissing, show)
from .. import json_text
from . import headers as http
from . import signing
from .account import Account

#: ``resultStatus``: done, failed, unknown.
S, F, U = "S", "F", "U"

#: What a request names and its answer repeats.
_ECHOED = ("paymentRequestId", "paymentId", "refundRequestId", "refundId", "captureRequestId", "registrationRequestId",
           "referenceMerchantId")
_IDS = ("paymentRequestId", "refundRequestId", "captureRequestId")


class AmsMessage(Mapping):
    """A JSON object that came from AMS: read-only, objects as mappings, arrays as tuples, numbers as text."""

    _what = "AmsMessage"

    def __init__(self, content, time):
        self._content, self._time = content, time

    def __getitem__(self, name):
        return self._content[name]

    def __iter__(self):
        return iter(self._content)

    def __len__(self):
        return len(self._content)

    def text(self, *path: str) -> Optional[str]:
        """The text at ``path``, such as ``("paymentAmount", "currency")``; None when absent or not text."""
        value: Any = self._content
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else None

    @property
    def time(self) -> Optional[str]:
        """The text of its time header: when AMS sent it. None for an unsigned answer."""
        return self._time

    @property
    def result_status(self) -> Optional[str]:
        """``result.resultStatus``: S, F, U, or whatever it is; None without one."""
        return self.text("result", "resultStatus")

    @property
    def result_code(self) -> Optional[str]:
        """``result.resultCode``, or None."""
        return self.text("result", "resultCode")

    def __repr__(self):
        # No buyer's data: what it says and about which of our ids.
        said = [show(self.text(*path) or "", 32) for path in (("result", "resultStatus"), ("result", "resultCode"))]
        ids = [show(self.text(name) or "") for name in _IDS]
        return "<{} {}>".format(self._what, " ".join(part for part in said + ids if part))


class AmsAnswer(AmsMessage):
    """An answer. ``signed``: False for a refusal that AMS did not sign; never act on that as on a no."""

    _what = "AmsAnswer"

    def __init__(self, content, time, signed):
        super().__init__(content, time)
        self._signed = signed

    @property
    def signed(self) -> bool:
        """Did the signature fit?"""
        return self._signed


def verify_answer(account: Account, path: str, headers: http.Headers, body: bytes,
                  asked: Optional[Mapping] = None) -> AmsAnswer:
    """Check an answer and hand it out, or raise.

    ``path``: of the request, as it was signed. ``headers``: of the answer, names in any letter case. ``body``: its raw
    bytes. ``asked``: what the request's body held, so that a genuine answer about another payment is refused.

    Raises ResponseSignatureMissing (unsigned, and not F or U), ResponseSignatureInvalid, MalformedSignature,
    SignTypeMismatch, PartyMismatch (another client id), OrderMismatch, MissingParameter, and the kinds of
    UnreadableMessage.
    """
    if not isinstance(body, (bytes, bytearray)):
        raise InvalidRequest("body: the raw bytes of the answer, not {}".format(type(body).__name__), parameter="body")
    body = bytes(body)
    named = http.lower(headers)
    if not named.get("signature"):
        return _unsigned(body)
    time = _verified(account, path, named, "response-time", body)
    answer = AmsAnswer(json_text.parse(body), time, True)
    _check_asked(answer, asked or {})
    return answer


def _verified(account, path, named, time_header, body):
    """The text of the time header, once the signature has fitted."""
    signature = signing.read_header(named["signature"])
    client_id, time = http.required(named, "client-id"), http.required(named, time_header)
    if client_id != account.client_id:
        raise PartyMismatch("client-id: names another client; not for this account", parameter="client-id")
    signed = signing.content(path, client_id, time, body)
    if not signing.fits(account.checking_keys, signed, signature):
        raise ResponseSignatureInvalid("the signature does not fit: altered on the way, made for another path, or with "
                                       "another key than alipay_public_key")
    return time


def _unsigned(body):
    content = json_text.parse(body)
    answer = AmsAnswer(content, None, False)
    if answer.result_status not in (F, U):
        raise ResponseSignatureMissing("the answer is not signed, and only a refusal may be; nothing in it is believed")
    return answer


def _check_asked(answer, asked):
    for name in _ECHOED:
        ours, theirs = asked.get(name), answer.get(name)
        if ours is not None and theirs is not None and ours != theirs:
            # An id of theirs wins over one of ours where both are given, and then only theirs must fit.
            if name == "paymentRequestId" and asked.get("paymentId") is not None:
                continue
            raise OrderMismatch("{}: the answer is about another one than was asked for".format(name), parameter=name)
