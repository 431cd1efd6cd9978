"""An XML answer of a server service, checked.

Signed is the text of the elements inside the one element of ``<response>``, sorted and joined like any pre-sign
string; ``is_success``, the echoed request and the element's own name are outside of it. Alipay signs nothing when it
only accepts (``forex_refund``, ``close_trade``) and when it refuses (``is_success=F``); whatever else comes unsigned is
refused. Source: "Signed XML answers"; rule proved by answers that Alipay's sandbox signed (``fixtures/xml``).
"""
from typing import Mapping, Optional

from . import charsets, error_codes, messages, presign, services, signing, xml_answer
from .checks import NO_PARTY, check_party
from .errors import (CharsetError, GatewayError, InvalidRequest, OrderMismatch, ResponseSignatureInvalid,
                     ResponseSignatureMissing, SignatureInvalid, UntrustedMessage, XMLMalformed,
                     show)
from .merchant import Merchant

#: result_code values that are a yes; any other one of a business answer is a no.
_YES = ("SUCCESS", "success")


class Response(messages.Message):
    """An answer: the signed elements as a flat mapping.

    ``is_success``: the gateway took the question, no more. ``signed``: False means *accepted* (or *refused*, with
    ``error``) and never *paid* or *refunded*: a notification or a signed query settles that.
    """

    _what = "Response"

    def __init__(self, params, passed, unchecked, is_success, error, service, container):
        super().__init__(params, passed, unchecked)
        self.is_success = is_success  # type: bool
        #: The gateway's word for its no, or None. Unsigned as a rule: it rests on TLS alone, never close an order on it.
        self.error = error  # type: Optional[str]
        self.service = service  # type: Optional[str]
        #: The element inside <response>: "trade", "alipay", "timestamp"; None for a bare answer.
        self.container = container  # type: Optional[str]

    @property
    def signed(self) -> bool:
        return messages.SIGN in self.passed

    @property
    def result_code(self) -> Optional[str]:
        """The second level of success, inside the answer: SUCCESS, FAIL, UNKNOW (sic), … or None."""
        return self.get("result_code")

    def raise_for_error(self) -> "Response":
        """Itself, or GatewayError with ``code``: a no of the gateway, or of the business behind it."""
        if not self.is_success:
            raise _refusal(self.error or "", self.service)
        if self.result_code is not None and self.result_code not in _YES:
            raise _refusal(self.get("error") or self.get("detail_error_code") or self.result_code, self.service)
        return self


def parse_response(shop: Merchant, xml: bytes, asked: Optional[Mapping[str, str]] = None) -> Response:
    """Check an XML answer and hand it out, or raise.

    ``xml``: the answer's raw bytes, whose own declaration says the charset. ``asked``: the params that were sent (a
    SignedRequest's ``.params``, or just ``{"service": …, "out_trade_no": …}``), so that a genuine answer to another
    question is refused. Raises InvalidMessage and its kinds; a plain no raises nothing here, see raise_for_error.
    """
    if not isinstance(xml, (bytes, bytearray)):
        raise InvalidRequest("xml: give the raw bytes, whose first line names their charset, not {}".format(
            type(xml).__name__), parameter="xml")
    asked = {} if asked is None else asked
    xml = xml_answer.trimmed(bytes(xml))
    answer, signed = _first_that_fits(shop, xml)
    if answer.is_success not in ("T", "F"):
        raise XMLMalformed("is_success is neither T nor F")
    service = asked.get("service")
    if answer.is_success == "F":
        return Response({}, {messages.SIGN} if signed else (), {} if signed else {messages.SIGN: "errors are unsigned"},
                        False, answer.error or None, service, None)
    if not signed:
        _allow_unsigned(answer, service)
        return Response({}, (), {messages.SIGN: "Alipay signs no such answer; it means accepted, and no more"},
                        True, None, service, None)
    elements = {name: value for name, value in answer.elements.items() if value}
    passed, unchecked = {messages.SIGN}, {}
    response = Response(elements, passed, unchecked, True, None, service, answer.container)
    if check_party(shop, response):
        passed.add(messages.PARTY)
    else:
        unchecked[messages.PARTY] = NO_PARTY
    if _check_asked(response, asked):
        passed.add(messages.ORDER)
    else:
        unchecked[messages.ORDER] = "asked= does not name an order"
    return Response(elements, passed, unchecked, True, None, service, answer.container)


def _first_that_fits(shop, xml):
    """(answer, signed) in the first charset in which the sign fits; raises when it fits in none.

    The declared charset, then the shop's, then UTF-8 and GB18030: answers have been seen that declare another one
    than they are written in. Each is strict, and believed only if the sign fits.
    """
    declared = xml_answer.declared_charset(xml)
    codecs = [charsets.reading_codec(declared or "utf-8")]
    if not _is_ascii(xml):
        codecs += [charsets.reading_codec(shop.input_charset), "utf-8", "gb18030"]
    readable = False
    for codec in dict.fromkeys(codecs):
        try:
            answer = xml_answer.parse(xml, codec)
        except UnicodeDecodeError:
            continue
        readable = True
        try:
            return answer, _check_sign(shop, answer, codec)
        except SignatureInvalid:
            continue
    if not readable:
        raise CharsetError("the answer is not text in the charset that it declares, nor in UTF-8 or GB18030")
    raise ResponseSignatureInvalid("the answer's sign does not fit: altered on the way, or signed with another key "
                                   "than alipay_public_key")


def _check_sign(shop, answer, codec) -> bool:
    if not answer.sign:
        return False
    elements = answer.elements
    if answer.is_success == "F":
        # Rarely signed, and then the signed text is a guess (error=CODE): believed when it fits, never required.
        try:
            signing.check(shop.sign_type, shop.checking_keys, "error={}".format(answer.error).encode(codec, "replace"),
                          answer.sign_type, answer.sign)
            return True
        except UntrustedMessage:
            return False
    text = presign.presign_string(elements)
    signing.check(shop.sign_type, shop.checking_keys, text.encode(codec), answer.sign_type, answer.sign)
    return True


def _allow_unsigned(answer, service):
    row = services.lookup(service) if service else None
    if answer.container is not None or (service is not None and (row is None or row.signed_answer)):
        raise ResponseSignatureMissing("the answer says yes and carries no sign; Alipay signs this one, so it was "
                                       "altered or did not come from Alipay")


def _check_asked(response, asked) -> bool:
    """Is it the order that was asked for? False when nothing was asked that could be compared."""
    query = asked.get("service") == "single_trade_query"
    # trade_no is used alone when both are given.
    for name in ("trade_no", "out_trade_no"):
        wanted = asked.get(name)
        if not wanted:
            continue
        answered = response.get(name)
        if answered is None and not query:
            return False
        if answered != wanted:
            raise OrderMismatch("{}: the answer is about {!r}, asked was {!r}".format(
                name, show(answered or ""), show(wanted)), parameter=name)
        return True
    return False


def _refusal(code, service):
    row = error_codes.describe(code)
    return GatewayError("the gateway said no: {} ({})".format(show(code or "no code given"), row.meaning),
                        code=show(code), service=service)


def _is_ascii(data: bytes) -> bool:
    try:
        data.decode("ascii")
        return True
    except UnicodeDecodeError:
        return False

