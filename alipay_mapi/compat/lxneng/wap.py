"""``WapAlipay``: the two-step payment in old phones' browsers (WAP v1), with MD5.

No ``sign_type``: ``sec_id`` says the same and is signed. Source: "WAP v1" of the mainland pages.
"""
import re
import uuid
from typing import Any, Dict, Mapping, NoReturn, Optional
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from ... import charsets, presign, signing
from ...errors import (InvalidMessage, InvalidRequest, MalformedParameter, MissingParameter, OrderMismatch,
                       ResponseSignatureInvalid, TransportError, UntrustedMessage, XMLForbidden, XMLMalformed, show)
from ...request import SignedRequest
from .. import decoded
from ..values import exact
from ..warned import warn
from . import exceptions
from .gateway import Alipay
from .merchants import as_value_error

_TOKEN, _PAY = "alipay.wap.trade.create.direct", "alipay.wap.auth.authAndExecute"
_INSTEAD = "create_forex_trade_wap, or mobile.securitypay.pay in an app: WAP v1 takes no new contracts"
#: Signed in this order, whatever else comes along.
_NOTIFIED = ("service", "v", "sec_id", "notify_data")
_NAME = re.compile("[a-z_]{1,64}", re.ASCII)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LARGEST = 64 * 1024


class WapAlipay(Alipay):
    """As the published class, over https and with XML that is written and read as such."""

    GATEWAY_URL = "https://wappaygw.alipay.com/service/rest.htm"
    TOKEN_ROOT_NODE = "direct_trade_create_req"
    AUTH_ROOT_NODE = "auth_and_execute_req"
    sign_tuple = ("sec_id", "MD5", "MD5")
    sign_key = True

    def __init__(self, pid: Any, key: Any, seller_email: str, *, transport: Any = None):
        super().__init__(pid, key, seller_email, transport=transport)
        self.seller_email = seller_email
        self.default_params = {"format": "xml", "v": "2.0", "partner": self.pid, "_input_charset": "utf-8"}

    def create_direct_pay_token_url(self, **kw: Any) -> str:
        """The URL that a server POSTs to for a token."""
        return self._token_request(kw).url

    def create_direct_pay_by_user_url(self, **kw: Any) -> str:
        """The URL for the buyer. Without ``token`` one is fetched first. Raises TokenAuthorizationError."""
        token = kw["token"] if "token" in kw else self._fetch_token(kw)
        return self._build_url(_PAY, req_data=_xml(self.AUTH_ROOT_NODE, {"request_token": token}))

    def trade_create_by_buyer_url(self, **kw: Any) -> NoReturn:
        """Raises NotImplementedError: WAP has no such trade."""
        raise exceptions.NotSupported("WAP has no such kind of trade")

    def create_partner_trade_by_buyer_url(self, **kw: Any) -> NoReturn:
        """Raises NotImplementedError: WAP has no such trade."""
        raise exceptions.NotSupported("WAP has no such kind of trade")

    def check_notify_remotely(*this: Any, **kw: Any) -> bool:
        """As of Alipay, with the notify_id inside ``notify_data``. A browser's return has none and gets True: only its
        sign is checked, and it names no amount."""
        self, = this
        if kw.get("notify_data"):
            try:
                kw = {"notify_id": _leaves(kw["notify_data"]).get("notify_id")}
            except InvalidMessage:
                return False
        elif not kw.get("notify_id"):
            warn("check_notify_remotely", "a browser's return passes without anybody being asked; it is no proof of "
                                          "payment and names no amount", "single_trade_query, which says what was paid")
            return True
        return Alipay.check_notify_remotely(self, **kw)

    def get_sign_method(self, **kw: Any):
        """For a notification, the sign over its four fields in their order."""
        return self._generate_md5_notify_sign if "notify_data" in kw else self._generate_md5_sign

    def _generate_md5_notify_sign(self, kw: Mapping[str, Any]) -> str:
        return signing.sign("MD5", self._shop.md5_key, _notified_text(kw))

    def _instead(self, service):
        return _INSTEAD

    def _signed(self, params, call, instead) -> SignedRequest:
        """Without ``sign_type``, which is the only parameter that is not signed; ``sec_id`` is."""
        made = super()._signed(dict(params, sec_id="MD5"), call, instead)
        sent = {name: value for name, value in made.params.items() if name != "sign_type"}
        shop = self._shop
        return SignedRequest(made.service, sent, made.presign, made.sign, shop.gateway, shop.input_charset,
                             charsets.writing_codec(shop.input_charset))

    def _token_request(self, kw) -> SignedRequest:
        self._check_params(kw, ("subject", "out_trade_no", "total_fee", "seller_account_name", "call_back_url"))
        params = self._params(_TOKEN, {"req_data": _xml(self.TOKEN_ROOT_NODE, kw), "req_id": uuid.uuid4().hex})
        return self._signed(params, "create_direct_pay_token_url", _INSTEAD)

    def _fetch_token(self, kw) -> str:
        from ...transport import Call, RequestsTransport
        request = self._token_request(kw)
        if self._transport is None:
            self._transport = RequestsTransport()
        answer = self._transport.send(Call("POST", request.action, request.body, {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}))
        return _token(self._shop, request, answer)

    def _signed_text(self, params):
        return _notified_text(params) if "notify_data" in params else None

    def _local_problem(self, params) -> Optional[InvalidMessage]:
        if "notify_data" not in params:
            return decoded.problem_of(self._shop, params, returned="notify_id" not in params)
        problem: InvalidMessage
        try:
            _check_notified(self._shop, params)
            return None
        except InvalidMessage as err:
            problem = err
        return problem


def _xml(root: str, values: Mapping[str, Any]) -> str:
    inside = []
    for name, value in values.items():
        problem = None
        try:
            value = exact(value, name, "create_direct_pay_token_url", _INSTEAD)
        except InvalidRequest as err:
            problem = err
        if problem is not None:
            raise as_value_error(problem)
        text = "" if value is None else str(value)
        if not _NAME.fullmatch(name) or isinstance(value, (bool, bytes, list, tuple, dict)) or _CONTROL.search(text):
            raise exceptions.ParameterValueError("{}: a name in small letters, with one text".format(show(name)),
                                                 parameter=show(name))
        if text:
            inside.append("<{0}>{1}</{0}>".format(name, escape(text)))
    return "<{0}>{1}</{0}>".format(root, "".join(inside))


def _token(shop, request, answer) -> str:
    if answer.status != 200:
        raise TransportError("not an answer but status {}".format(int(answer.status)), kind="status", sent=True)
    try:
        fields = dict(parse_qsl(answer.body.decode("utf-8"), keep_blank_values=True))
    except ValueError:
        fields = {}
    if fields.get("res_error"):
        code = _refusal(fields["res_error"])
        raise exceptions.TokenAuthorizationError("the WAP gateway made no token: {}".format(code), code=code,
                                                 service=_TOKEN)
    if not fields.get("res_data"):
        raise TransportError("not an answer of the WAP gateway", kind="other", sent=True)
    text = presign.presign_string(fields).encode("utf-8")
    try:
        signing.check("MD5", shop.checking_keys, text, fields.get("sec_id"), fields.get("sign"))
    except UntrustedMessage:
        fits = False
    else:
        fits = True
    if not fits:
        raise ResponseSignatureInvalid("the token's sign does not fit: altered on the way, or the key is another one")
    for name in ("partner", "req_id"):
        if fields.get(name) != request.params[name]:
            raise OrderMismatch("{}: the token was made for another request".format(name), parameter=name)
    token = _leaves(fields["res_data"]).get("request_token")
    if not token:
        raise XMLMalformed("the answer holds no request_token")
    return token


def _refusal(text) -> str:
    try:
        leaves = _leaves(text)
    except InvalidMessage:
        return "no code given"
    return show(" ".join(leaves[name] for name in ("code", "msg") if leaves.get(name)) or "no code given")


def _notified_text(params: Mapping[str, Any]) -> bytes:
    for name in _NOTIFIED:
        if not params.get(name):
            raise MissingParameter("{}: absent, and a WAP notification must have it".format(name), parameter=name)
    return "&".join("{}={}".format(name, params[name]) for name in _NOTIFIED).encode("utf-8", "surrogatepass")


def _check_notified(shop, params) -> None:
    signing.check("MD5", shop.checking_keys, _notified_text(params), params.get("sec_id"), params.get("sign"))
    for name in ("service", "v"):
        if not re.fullmatch("[A-Za-z0-9_.]{1,64}", params[name], re.ASCII):
            raise MalformedParameter("{}: no such text in a WAP notification".format(name), parameter=name)
    _leaves(params["notify_data"])


def _leaves(text) -> Dict[str, str]:
    """The elements of a flat document, names to text. Nothing that expands, is fetched, or hides text is let in."""
    from xml.etree import ElementTree
    if not isinstance(text, str) or len(text) > _LARGEST:
        raise XMLMalformed("not a document of WAP's size")
    if "<!" in text or "<?" in re.sub(r"\A<\?xml [^<>]*\?>", "", text):
        raise XMLForbidden("a DOCTYPE, comment, CDATA section or processing instruction, and Alipay's never have one")
    try:
        root = ElementTree.fromstring(re.sub(r"\A<\?xml [^<>]*\?>", "", text))
    except (ElementTree.ParseError, ValueError):
        root = None
    if root is None:
        raise XMLMalformed("the XML is damaged or cut short")
    found: Dict[str, str] = {}
    for leaf in root:
        if leaf.tag in found or len(leaf):
            raise XMLMalformed("an element stands twice, or inside a value")
        found[leaf.tag] = leaf.text or ""
    return found
