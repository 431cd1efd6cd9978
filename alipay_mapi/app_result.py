"""The app SDK's result of ``mobile.securitypay.pay``, handed from the app to the shop's server.

``resultStatus={9000};memo={…};result={partner="…"&…&success="true"&sign_type="RSA"&sign="…"}``. The signed text is the
result as it came, up to ``&sign_type=``: quotes kept, order kept, nothing decoded. It came through the buyer's phone
and is not proof of payment: it has no ``is_paid``. Source: "In-App synchronous result"
(ac/global/mobile_securitypay_pay).
"""
import re
from typing import Optional, Union

from . import charsets, fields, form_body, messages, presign, signing
from .checks import NO_PARTY, check_party
from .errors import (AmbiguousContent, CharsetError, DuplicateParameter, InvalidRequest, MalformedParameter,
                     MissingParameter, NotConfirmed, SignatureMissing, TooManyParameters, UnexpectedParameter, show)
from .merchant import Merchant

#: resultStatus → what it says; only 9000 claims a payment.
RESULT_STATUS = {
    "9000": "paid, says the app; wait for the notification or query",
    "8000": "in progress; query",
    "6004": "unknown; query",
    "4000": "failed",
    "5000": "repeated request",
    "6001": "cancelled by the buyer",
    "6002": "network error; query",
    "7001": "web payment failed",
}

_STATUS = re.compile(r"resultStatus=\{([0-9]*)\};\s*memo=\{", re.ASCII)
_RESULT = re.compile(r"\};\s*result=\{", re.ASCII)
_TAIL = re.compile(r'&sign_type="([^"&]*)"&sign="([^"&]*)"', re.DOTALL)
_BETWEEN = re.compile(r'"&(?=[A-Za-z_][A-Za-z0-9_]*=")', re.ASCII)
_PAIR = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="(.*)', re.DOTALL | re.ASCII)


class AppResult(messages.Message):
    """What the app brought. With an empty mapping (``signed`` False) when the SDK reports anything but a payment."""

    _what = "AppResult"

    def __init__(self, params, passed, unchecked, result_status, memo):
        super().__init__(params, passed, unchecked)
        self._result_status, self._memo = result_status, memo

    @property
    def result_status(self) -> Optional[str]:
        """"9000" and so on, see RESULT_STATUS; None when only the result part was given. Not signed."""
        return self._result_status

    @property
    def memo(self) -> Optional[str]:
        """The SDK's text for the buyer. Not signed."""
        return self._memo

    @property
    def success(self) -> bool:
        """The signed ``success="true"`` is there. Says that the app saw a payment, not that the shop got it."""
        return self.get("success") == "true"


def verify_app_result(shop: Merchant, text: Union[str, bytes]) -> AppResult:
    """Check the app SDK's result and hand it out, or raise.

    ``text``: the whole SDK text (resultStatus, memo, result) or its bare result part, as the app received it. Two
    kinds of damage on the way from the app are undone: quotes that were backslashed, and a ``+`` in the sign that
    became a blank. Raises InvalidMessage and its kinds.
    """
    status, memo, result = _parts(_decoded(shop, text).strip())
    if not result and status and status != "9000":
        return AppResult({}, (), dict.fromkeys((messages.SIGN, messages.PARTY, messages.ORDER, messages.AMOUNT),
                                               "the SDK reports no payment, and signs nothing then"), status, memo)
    if '\\"' in result and not re.search(r'(?<!\\)"', result):
        result = result.replace('\\"', '"')
    at = result.rfind('&sign_type="')
    tail = _TAIL.fullmatch(result, at) if at >= 0 else None
    if tail is None:
        raise SignatureMissing("the result does not end in &sign_type=\"…\"&sign=\"…\"; give the SDK's whole text, "
                               "unchanged")
    signed = result[:at]
    signing.check(shop.sign_type, shop.checking_keys, signed.encode(_codec(shop, signed)), tail.group(1),
                  tail.group(2))
    params = _params(signed)
    if "service" not in params:
        raise MissingParameter("service: absent, and every app result has it", parameter="service")
    if params["service"] != "mobile.securitypay.pay":
        raise UnexpectedParameter("service: this is not a result of mobile.securitypay.pay", parameter="service")
    if not check_party(shop, params):
        raise NotConfirmed(NO_PARTY)
    return AppResult(params, (messages.SIGN, messages.PARTY),
                     dict.fromkeys((messages.ORDER, messages.AMOUNT),
                                   "an app result is never proof; compare on the notification or the query"),
                     status, memo)


def _parts(text):
    """(resultStatus, memo, result) of the SDK's whole text, or (None, None, text) of a bare result."""
    start = _STATUS.match(text)
    if start is None:
        return None, None, text
    middle = _RESULT.search(text, start.end())
    if middle is None or not text.endswith("}"):
        return None, None, text
    return start.group(1), text[start.end():middle.start()], text[middle.end():-1]


def _decoded(shop, text):
    if not isinstance(text, (str, bytes, bytearray)):
        raise InvalidRequest("text: give the SDK's result as text or bytes, not {}".format(type(text).__name__),
                             parameter="text")
    form_body.check_size(text)
    if isinstance(text, str):
        return text
    return charsets.decode(bytes(text), None, shop.input_charset)


def _codec(shop, signed):
    named = re.search(r'(?:^|&)_input_charset="([^"]*)"', signed)
    codec = charsets.reading_codec(named.group(1)) if named and charsets.known(named.group(1)) \
        else charsets.reading_codec(shop.input_charset)
    try:
        signed.encode(codec)
    except UnicodeEncodeError:
        codec = ""
    if not codec:
        raise CharsetError("the result holds a character that is no text (half of a surrogate pair)")
    return codec


def _params(signed):
    """The quoted pairs, decoded of nothing. A value may hold quotation marks only where it is JSON."""
    if "\x00" in signed:
        raise MalformedParameter("a NUL character; Alipay sends none")
    if not signed.endswith('"'):
        raise MalformedParameter("the signed text does not end in a quoted value")
    parts = _BETWEEN.split(signed[:-1])
    if len(parts) > form_body.MAX_PARAMETERS:
        raise TooManyParameters("more than {} parameters".format(form_body.MAX_PARAMETERS))
    params = {}
    for part in parts:
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise MalformedParameter('a part is not name="value"')
        name, value = pair.groups()
        if name in params or name in presign.UNSIGNED:
            raise DuplicateParameter("a parameter stands twice", parameter=show(name))
        field = fields.FIELDS.get(name)
        if '"' in value and not (field is not None and field.kind == fields.JSON) or signing.find_cut(value):
            raise AmbiguousContent("{}: the signed text can be read in two ways there".format(show(name)),
                                   parameter=show(name))
        params[name] = value
    return {name: value for name, value in params.items() if value}
