"""An XML answer of a server service, checked.

Signed is the text of the elements inside the one element of ``<response>``, sorted and joined like any pre-sign
string; ``is_success``, the echoed request and the element's own name are outside of it. Alipay signs nothing when it
only accepts (``forex_refund``, ``close_trade``) and when it refuses (``is_success=F``); whatever else comes unsigned is
refused. Source: "Signed XML answers"; rule proved by answers that Alipay's sandbox signed (``fixtures/xml``).
"""
from typing import Mapping, Optional

from . import charsets, error_codes, messages, presign, services, signing, xml_answer
from .checks import NO_PARTY, check_party
from .errors import (AmbiguousContent, CharsetError, GatewayError, InvalidRequest, MissingKey, OrderMismatch,
                     ResponseSignatureInvalid, ResponseSignatureMissing, SignatureInvalid, UnexpectedParameter,
                     UntrustedMessage, XMLMalformed, show)
from .merchant import Merchant

#: result_code values that are a yes; any other one of a business answer is a no.
_YES = ("SUCCESS", "success")
#: In every request, and in every notification and return: names that no answer has.
_ELSEWHERE = ("service", "notify_id")


#: What a question names, and its answer repeats.
_ASKED = ("trade_no", "out_trade_no", "out_return_no", "partner_trans_id", "alipay_trans_id", "partner_refund_id",
          "out_request_no", "secondary_merchant_id", "store_id")


class Response(messages.Message):
    """An answer: the signed elements as a flat mapping.

    ``is_success``: the gateway took the question, no more. ``signed``: False means *accepted* (or *refused*, with
    ``error``) and never *paid* or *refunded*: a notification or a signed query settles that.
    """

    _what = "Response"

    def __init__(self, params, passed, unchecked, is_success, error, service, container):
        super().__init__(params, passed, unchecked)
        self._is_success, self._error, self._service, self._container = is_success, error, service, container

    @property
    def is_success(self) -> bool:
        return self._is_success

    @property
    def error(self) -> Optional[str]:
        """The gateway's word for its no, or None. Rarely signed: it rests on TLS alone, never close an order on it."""
        return self._error

    @property
    def service(self) -> Optional[str]:
        """The service of ``asked``."""
        return self._service

    @property
    def container(self) -> Optional[str]:
        """The element inside <response>: "trade", "alipay", "timestamp"; None for a bare answer."""
        return self._container

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
    if asked is None:
        asked = {}
    elif not hasattr(asked, "get") or not isinstance(asked.get("service", ""), str):
        raise InvalidRequest("asked: give the params that were sent (request.params), names to single values",
                             parameter="asked")
    xml = xml_answer.trimmed(bytes(xml))
    declared = xml_answer.declared_charset(xml)
    codec = _codec(xml, declared, shop.input_charset)
    answer = xml_answer.parse(xml, codec)
    if answer.is_success not in ("T", "F"):
        raise XMLMalformed("is_success is neither T nor F")
    service = asked.get("service")
    if answer.is_success == "F":
        signed = _error_is_signed(shop, answer, codec)
        return Response({}, [messages.SIGN] if signed else [], {} if signed else {messages.SIGN: "errors are unsigned"},
                        False, answer.error or None, service, None)
    if not answer.sign:
        _allow_unsigned(answer, service)
        return Response({}, (), {messages.SIGN: "Alipay signs no such answer; it means accepted, and no more"},
                        True, None, service, None)
    elements = {name: value for name, value in answer.elements.items() if value}
    if not _sign_fits(shop, answer, elements, codec):
        if not _reads(charsets.reading_codec(declared or "utf-8"), xml):
            raise CharsetError("the answer is not text in the charset that it declares, and its sign fits in no other")
        raise ResponseSignatureInvalid("the answer's sign does not fit: altered on the way, or signed with another "
                                       "key than alipay_public_key")
    _refuse_reuse(elements)
    passed, unchecked = [messages.SIGN], {}
    if check_party(shop, elements):
        passed.append(messages.PARTY)
    else:
        unchecked[messages.PARTY] = NO_PARTY
    if _check_asked(elements, asked):
        passed.append(messages.ORDER)
    else:
        unchecked[messages.ORDER] = "asked= names nothing that the answer repeats"
    return Response(elements, passed, unchecked, True, None, service, answer.container)


def _codec(xml, declared, configured):
    """Answers have been seen that declare another charset than they are written in; the sign must then fit."""
    try:
        return charsets.codec_of(xml, declared, configured)
    except CharsetError:
        return charsets.codec_of(xml, "gb18030", "gb18030")


def _sign_fits(shop, answer, elements, codec) -> bool:
    """Raises for a sign that is no sign at all, or of another sign_type.

    Signed are the bytes as written, or those of the request's charset: an answer has been seen that declares GBK
    where the request said UTF-8. In plain ASCII, which nearly every answer is, they are the same.
    """
    text = presign.presign_string(elements)
    for spelling in dict.fromkeys((text.encode(codec), text.encode(charsets.reading_codec(shop.input_charset)))):
        try:
            signing.check(shop.sign_type, shop.checking_keys, spelling, answer.sign_type, answer.sign)
            return True
        except SignatureInvalid:
            continue
    return False


def _reads(codec, raw) -> bool:
    try:
        raw.decode(codec)
        return True
    except UnicodeDecodeError:
        return False


def _refuse_reuse(elements):
    """Our own request or a notification, rewritten as an answer: it must have these names, as a name or in a value.

    No more of the re-cut rule than that. A form-shaped message that is ambiguous is settled by a query, so the query
    must answer for an old order called "Tea&body=x"; and an answer comes over TLS, from the gateway that was asked.
    """
    for name in _ELSEWHERE:
        if name in elements:
            raise UnexpectedParameter("{}: no answer has it; this may be another signed message, re-used".format(name),
                                      parameter=name)
    for holder, value in elements.items():
        if "&" in value and any("&" + name + "=" in value for name in _ELSEWHERE):
            raise AmbiguousContent("{}: holds &service= or &notify_id=, so this may be another signed message, "
                                   "re-used; a person must look at this order".format(show(holder)),
                                   parameter=show(holder))


def _error_is_signed(shop, answer, codec) -> bool:
    """Rarely, and then the signed text is a guess (``error=CODE``): believed when it fits, never required."""
    if not answer.sign or not answer.error:
        return False
    try:
        signing.check(shop.sign_type, shop.checking_keys, ("error=" + answer.error).encode(codec), answer.sign_type,
                      answer.sign)
        return True
    except (UntrustedMessage, MissingKey):
        return False


def _allow_unsigned(answer, service):
    row = services.lookup(service) if service else None
    if answer.container is not None or (service is not None and (row is None or row.signed_answer)):
        raise ResponseSignatureMissing("the answer says yes and carries no sign; Alipay signs this one, so it was "
                                       "altered or did not come from Alipay")


def _check_asked(elements, asked) -> bool:
    """Is it about what was asked for? False when nothing was asked that could be compared."""
    query = asked.get("service") == "single_trade_query"
    compared = False
    for name in _ASKED:
        wanted, answered = asked.get(name), elements.get(name)
        if not wanted or (answered is None and not (query and name in ("trade_no", "out_trade_no"))):
            continue
        if answered != str(wanted):
            raise OrderMismatch("{}: the answer is about {!r}, asked was {!r}".format(
                name, show(answered or ""), show(wanted)), parameter=name)
        compared = True
    return compared


def _refusal(code, service):
    row = error_codes.describe(code)
    return GatewayError("the gateway said no: {} ({})".format(show(code or "no code given"), row.meaning),
                        code=show(code), service=service)
