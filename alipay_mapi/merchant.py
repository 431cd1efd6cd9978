"""A merchant: who we are at Alipay, with which keys, at which gateway. Checked once, then frozen."""
import ipaddress
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Optional, Sequence, Tuple, Union
from urllib.parse import urlsplit

from . import algorithms, charsets, keys
from .errors import ConfigurationError, KeyMismatch, MissingKey

#: Cross-border online services.
GATEWAY_INTL = "https://intlmapi.alipay.com/gateway.do"
#: Cross-border in-store services; reads fail over to :data:`GATEWAY_INTL`.
GATEWAY_INSTORE = "https://globalmapi.alipay.com/gateway.do"
#: Mainland merchants.
GATEWAY_MAINLAND = "https://mapi.alipay.com/gateway.do"
#: Alipay's own test gateway: needs a merchant login, and is closed from Sunday to Monday noon (GMT+8).
GATEWAY_SANDBOX = "https://mapi.alipaydev.com/gateway.do"
#: AlipayHK after its move; RSA and RSA2 only, partners may start with 2160.
GATEWAY_HK = "https://api-sea-global.alipayplus.com/gateway.do"


class WeakKeyWarning(UserWarning):
    """The merchant's own key is of a size that is on its way out."""


@dataclass(frozen=True)
class Merchant(keys.SecretValue):
    """One partner at one gateway, with one ``sign_type`` for both directions.

    ``partner``: digits (16, starting 2088). ``sign_type``: ``MD5``, ``RSA``, ``RSA2`` or ``DSA``, in upper case.
    ``private_key``: yours, to sign with; ``alipay_public_key``: Alipay's, to check with; one of them or a list while
    Alipay changes keys. Either may be left out; what needs it then raises MissingKey. ``md5_key``: for MD5. Keys are
    text or bytes, see ``keys``. ``seller_id`` (default: the partner) and ``seller_email``: whom payments go to.
    ``input_charset``: sent as spelled; None leaves ``_input_charset`` out, and Alipay then assumes GBK.
    ``gateway``: one of the ``GATEWAY_`` constants or any full URL; plain http only for this machine, or with
    ``allow_http``. Raises ConfigurationError and its kinds. Keys appear in no repr, and the object does not pickle.
    """

    partner: str
    sign_type: str
    private_key: Any = field(default=None, repr=False)
    alipay_public_key: Any = field(default=None, repr=False)
    md5_key: Any = field(default=None, repr=False)
    seller_id: Optional[str] = None
    seller_email: Optional[str] = field(default=None, repr=False)
    input_charset: Optional[str] = "utf-8"
    gateway: str = GATEWAY_INTL
    allow_http: bool = False

    def __post_init__(self):
        _check_partner(self.partner)
        if not isinstance(self.sign_type, str) or self.sign_type not in algorithms.ALGORITHMS:
            raise ConfigurationError("sign_type: one of MD5, RSA, RSA2, DSA, in upper case")
        if self.input_charset is not None and not (isinstance(self.input_charset, str)
                                                   and charsets.known(self.input_charset)):
            raise ConfigurationError("input_charset: one of UTF-8, GBK, GB2312, GB18030, or None not to send it")
        check_gateway(self.gateway, self.allow_http)
        for name in ("seller_id", "seller_email"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value.strip()):
                raise ConfigurationError("{}: text, or leave it out".format(name))
        self._load_keys()
        if self.seller_id is not None and "@" in self.seller_id:
            raise ConfigurationError("seller_id: the seller's digits (starting 2088), as notifications name it; the "
                                     "account's e-mail address goes into seller_email")
        if self.seller_id is None:
            object.__setattr__(self, "seller_id", self.partner)

    def _load_keys(self):
        kind = algorithms.key_kind(self.sign_type)
        pair = "RSA" if kind == "MD5" else kind
        private, public, md5 = self.private_key, _listed(self.alipay_public_key), self.md5_key
        if private is not None:
            private = private if isinstance(private, keys.Key) else keys.load_private_key(private, pair)
        public = tuple(k if isinstance(k, keys.Key) else keys.load_public_key(k, pair) for k in public)
        if md5 is not None:
            md5 = md5 if isinstance(md5, keys.MD5Key) else keys.load_md5_key(md5)
        elif kind == "MD5":
            raise MissingKey("md5_key: sign_type MD5 needs it; it is in the merchant console")
        if private is not None and any(private.numbers == key.numbers for key in public):
            raise KeyMismatch("alipay_public_key is the public half of your own private_key; you need Alipay's public "
                              "key, which the console shows after you upload yours")
        if kind == "RSA" and private is not None and private.bits < 2048:
            warnings.warn("private_key has {} bits; 2048 is the size for new keys".format(private.bits),
                          WeakKeyWarning, stacklevel=4)
        for name, value in (("private_key", private), ("alipay_public_key", public), ("md5_key", md5)):
            object.__setattr__(self, name, value)

    @property
    def signing_key(self):
        """The key that signs requests. Raises MissingKey."""
        if self.sign_type == "MD5":
            return self.md5_key
        if self.private_key is None:
            raise MissingKey("private_key: needed to sign with {}; this merchant was made without it".format(
                self.sign_type))
        return self.private_key

    @property
    def checking_keys(self) -> Tuple:
        """The keys that may have signed what arrives, in the order given. Raises MissingKey."""
        if self.sign_type == "MD5":
            return (self.md5_key,)
        if not self.alipay_public_key:
            raise MissingKey("alipay_public_key: needed to check what Alipay sends; this merchant was made "
                             "without it")
        return self.alipay_public_key

    @property
    def key_is_shared(self) -> bool:
        """Does Alipay sign for other merchants with the same key? (RSA and DSA: one platform-wide key. MD5 and RSA2
        keys are the merchant's own, so that a fitting sign also says for whom the message is.)"""
        return self.sign_type in ("RSA", "DSA")


def check_gateway(url: str, allow_http: bool = False) -> None:
    """Raise ConfigurationError unless ``url`` is a full gateway URL that may carry payments."""
    problem = _gateway_problem(url, allow_http)
    if problem:
        raise ConfigurationError("gateway: {}; give https://…/gateway.do or a GATEWAY_ constant".format(problem))


def _gateway_problem(url, allow_http) -> Optional[str]:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except (ValueError, TypeError, AttributeError):
        return "it is not a URL"
    if not whole or not url.isprintable() or " " in url:
        return "it is not a full https URL"
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        return "it carries a query, a fragment or a user name"
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname or ""):
        return "plain http is only for this machine, or with allow_http=True"
    return None


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """localhost, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_partner(partner):
    if not isinstance(partner, str) or not partner or not partner.isdigit() or len(partner) > 32 \
            or any(c not in "0123456789" for c in partner):
        raise ConfigurationError("partner: the digits of your PID as text (16 digits, starting 2088)")


def _listed(value: Union[None, str, bytes, keys.Key, Sequence]) -> Tuple:
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        return tuple(value)
    return (value,)
