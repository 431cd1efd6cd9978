"""The URL builder: a service and its params → a signed request, as URL, form, body or app order string.

Steps, each of which can be printed: choose and check → sort and join (``.presign``) → encode → sign (``.sign``) →
percent-encode (``.url``, ``.body``). Source: "Creating the Pre-sign String"; "form" page of the demos for ``.form()``.
"""
import html
import re
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Dict, Mapping, Tuple

from . import amounts, charsets, fields, presign, services, signing
from .errors import InvalidRequest, UnsafeValue, show
from .keys import SecretValue
from .merchant import Merchant

_MOBILE = "mobile.securitypay.pay"
_COMMON = ("service", "partner", "_input_charset", "sign_type")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}", re.ASCII).fullmatch
_SAFE = re.compile(r"[A-Za-z0-9_.\-~]*", re.ASCII).fullmatch
_LONE_BREAK = re.compile(r"\r(?!\n)|(?<!\r)\n")
#: byte → its form in a query: unreserved characters as they are, a blank as +
_QUOTED = tuple("+" if b == 0x20 else chr(b) if _SAFE(chr(b)) else "%{:02X}".format(b) for b in range(256))


class SignedRequest(SecretValue):
    """A signed request. Treat ``.url``, ``.body``, ``.form()`` and ``.sign`` as secrets: whoever has them can send it.

    ``service``; ``params``: everything that is sent, names to text; ``presign``: the text that was signed;
    ``sign``. ``url``: for a redirect (GET). ``action`` and ``body``: for a POST. All of it in the request's charset.
    """

    __slots__ = ("service", "presign", "sign", "_params", "_gateway", "_codec", "_charset")

    def __init__(self, service, params, presign_text, sign, gateway, charset, codec):
        self.service, self.presign, self.sign = service, presign_text, sign
        self._params, self._gateway, self._charset, self._codec = params, gateway, charset, codec

    def __repr__(self):
        return "<SignedRequest {} {}>".format(self.service, show(self._params.get("out_trade_no", "")))

    @property
    def params(self) -> Mapping[str, str]:
        return MappingProxyType(self._params)

    @property
    def url(self) -> str:
        """The whole request as a GET URL, for a redirect of the buyer's browser."""
        return self._target() + "?" + self._encoded()

    @property
    def body(self) -> bytes:
        """The whole request as a form body, to be POSTed to :attr:`action`."""
        self._target()
        return self._encoded().encode("ascii")

    @property
    def action(self) -> str:
        """Where to POST. Holds ``_input_charset`` as well: the gateway needs it before it can decode the body."""
        if self._charset is None:
            return self._target()
        return self._target() + "?_input_charset=" + self._charset

    def form(self, method: str = "post", submit: str = "Pay with Alipay") -> str:
        """An HTML form that submits itself, and has a button where there is no script.

        ``method``: "post" or "get". ``submit``: the button's text. Every value is escaped. Raises InvalidRequest for
        a value with a lone line break, which every browser would change to CR LF after it was signed.
        """
        if method not in ("post", "get"):
            raise InvalidRequest("method: post or get", parameter="method")
        inputs = []
        for name, value in self._params.items():
            if _LONE_BREAK.search(value):
                raise InvalidRequest("{}: browsers turn a lone line break into CR LF when they send a form, and the "
                                     "sign would not fit; use .url, or leave the break out".format(name),
                                     parameter=name)
            inputs.append('<input type="hidden" name="{}" value="{}">'.format(html.escape(name), html.escape(value)))
        return ('<form id="alipaysubmit" action="{}" method="{}" accept-charset="{}">{}<button>{}</button></form>'
                '<script>document.getElementById("alipaysubmit").submit()</script>').format(
            html.escape(self.action if method == "post" else self._target()), method, self._codec,
            "".join(inputs), html.escape(submit))

    def _target(self):
        if self.service == _MOBILE:
            raise InvalidRequest("{} is sent by the app SDK and never to the gateway; give the app "
                                 "build_order_string(...)".format(_MOBILE), parameter="service")
        return self._gateway

    def _encoded(self):
        codec = self._codec
        return "&".join([name + "=" + (value if _SAFE(value) else
                                       _encoded_sign(value) if name == "sign" else _percent_encoded(value, codec))
                         for name, value in self._params.items()])


def _percent_encoded(value, codec):
    return "".join([_QUOTED[b] for b in value.encode(codec)])


def _encoded_sign(sign):
    """Base64 has three characters to encode; its 344 are the longest value of a request."""
    return sign.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def build_request(shop: Merchant, service: str, params: Mapping[str, Any]) -> SignedRequest:
    """Sign any service, known to this library or not.

    ``params``: names to raw, unencoded values: text, ``int``, or ``Decimal`` for amounts; None and "" are not sent.
    Sent are exactly these, and ``service``, ``partner``, ``sign``, ``sign_type`` and ``_input_charset``. Every value of
    a known field is checked against ``fields``; what a service requires is checked by its builder in ``services``.
    Raises InvalidRequest (naming the parameter), UnsafeValue, MissingKey.
    """
    if not isinstance(service, str):
        raise InvalidRequest("service: the operation's name as text, such as single_trade_query", parameter="service")
    service = services.canonical_name(service)
    sent = _collect(shop, service, params)
    _check(sent)
    if service == _MOBILE:
        text = presign.quoted_string(_sorted(sent))
        _check_quotes(sent)
    else:
        text = presign.presign_string(sent)
    if text.count("&") >= len(sent):
        _refuse_cuts(sent)
    codec = charsets.writing_codec(shop.input_charset)
    sent["sign"] = sign = signing.sign(shop.sign_type, shop.signing_key, _encode(text, codec, sent))
    sent["sign_type"] = shop.sign_type
    return SignedRequest(service, sent, text, sign, shop.gateway, shop.input_charset, codec)


def build_order_string(shop: Merchant, params: Mapping[str, Any]) -> str:
    """The order string of ``mobile.securitypay.pay``, for the app SDK: ``a="1"&…&sign="…"&sign_type="RSA"``.

    ``params``: as for :func:`build_request`. Names are sorted, as the page says (the SDK takes any order); only the
    sign is percent-encoded. Source: ac/app/pre_sign. Raises InvalidRequest, also for an MD5 merchant: this service
    takes RSA (and RSA2) alone.
    """
    if shop.sign_type not in ("RSA", "RSA2"):
        raise InvalidRequest("sign_type: {} takes RSA, not {}".format(_MOBILE, shop.sign_type), parameter="sign_type")
    request = build_request(shop, _MOBILE, params)
    return '{}&sign="{}"&sign_type="{}"'.format(
        request.presign, _encoded_sign(request.sign), shop.sign_type)


def _collect(shop, service, params):
    """The params as text, plus the common ones (which may be among them if they are equal)."""
    common = {"service": service, "partner": shop.partner}
    if shop.input_charset is not None:
        common["_input_charset"] = shop.input_charset
    if not hasattr(params, "items"):
        raise InvalidRequest("params: a mapping of names to values", parameter="params")
    sent: Dict[str, str] = dict(common)
    for name, value in params.items():
        if type(value) is not str:
            value = _text(name, value)
        if not value:
            continue
        if name in _COMMON:
            if name == "service":
                value = services.canonical_name(value)
            wanted = shop.sign_type if name == "sign_type" else common.get(name)
            if value != wanted:
                raise InvalidRequest("{}: the merchant has {!r}; make another Merchant, or leave it out".format(
                    name, wanted), parameter=name)
        elif name == "sign":
            raise InvalidRequest("sign: is made here; leave it out", parameter="sign")
        else:
            sent[name] = value
    return sent


def _text(name, value):
    if value is None:
        return ""
    if isinstance(value, str):
        return str.__str__(value)  # the text itself, whatever a subclass (an Enum, say) prints
    if isinstance(value, Decimal):
        return amounts.format_amount(value, show(name))
    if isinstance(value, int) and not isinstance(value, bool) and -10 ** 64 < value < 10 ** 64:
        return str(int(value))
    raise InvalidRequest("{}: give text (an amount as text or Decimal, a list as JSON text), not {}".format(
        show(name), "a huge int" if type(value) is int else type(value).__name__), parameter=show(name))


def _check(sent):
    table = fields.FIELDS
    for name, value in sent.items():
        field = table.get(name)
        if field is not None:
            if field.match(value) is None:
                raise InvalidRequest("{}: must be {}".format(name, field.rule), parameter=name)
        elif not isinstance(name, str) or _NAME(name) is None:
            raise UnsafeValue("a parameter's name is letters, digits, _ . and -, not {!r}".format(show(name, 24)),
                              parameter=show(name))
        elif "\x00" in value:
            raise UnsafeValue("{}: holds a NUL character".format(name), parameter=name)
    currency = sent.get("trans_currency") or sent.get("currency")  # priced in; settled in, if they differ
    if currency is not None and amounts.decimals_of(currency) == 0:
        for name in fields.IN_CURRENCY:
            if "." in sent.get(name, ""):
                raise InvalidRequest("{}: {} has no decimals".format(name, currency), parameter=name)


def _check_quotes(sent):
    for name, value in sent.items():
        if '"' in value and not (name in fields.FIELDS and fields.FIELDS[name].kind == fields.JSON):
            raise UnsafeValue('{}: the order string quotes its values, so none may hold "'.format(name),
                              parameter=name)


def _refuse_cuts(sent):
    for name, value in sent.items():
        cut = "&" in value and signing.find_cut(value)
        if cut:
            raise UnsafeValue("{}: holds &{}=, which a pre-sign string cannot tell from the parameter {}; take the & "
                              "or the = out of the text".format(name, cut, cut), parameter=name)


def _sorted(sent):
    return {name: sent[name] for name in sorted(sent)}


def _encode(text, codec, sent) -> bytes:
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        pass
    raise InvalidRequest("{}: holds a character that {} cannot write; use UTF-8, or leave it out".format(
        *_unwritable(sent, codec)), parameter=_unwritable(sent, codec)[0])


def _unwritable(sent, codec) -> Tuple[str, str]:
    for name, value in sent.items():
        try:
            value.encode(codec)
        except UnicodeEncodeError:
            return name, codec
    return "params", codec
