"""An account at AMS: who we are there, with which keys, at which domain. Checked once, then frozen."""
import re
from dataclasses import dataclass, field
from typing import Any, Optional, Tuple

from ... import keys
from ...errors import ConfigurationError, KeyMismatch, MissingKey
from ...merchant import check_gateway
from . import domains

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PARTNER = re.compile(r"2088[0-9]{12}", re.ASCII)


@dataclass(frozen=True)
class Account(keys.SecretValue):
    """One client id at AMS. Its keys are its own: those of a MAPI merchant are not registered there.

    ``client_id``: as the dashboard shows it; one that begins ``SANDBOX_`` uses the sandbox's paths. ``private_key``:
    yours, RSA, text or bytes as in ``keys``. ``alipay_public_key``: Alipay's, one or a list from oldest to newest while
    keys change. Either may be left out; what needs it raises MissingKey. ``key_version``: of your key, as the dashboard
    counts them; None leaves it out, and the newest is used. ``region``: one of ``domains.DOMAINS``; ``domain``: in its
    place a full ``https://…``, for an old name or a test. ``in_store``: payments at the counter, not online.
    ``agent_token``: of a platform that acts for a merchant, at most 128 characters.

    Raises ConfigurationError and its kinds. Keys appear in no repr, and the object does not pickle.
    """

    client_id: str
    private_key: Any = field(default=None, repr=False)
    alipay_public_key: Any = field(default=None, repr=False)
    key_version: Optional[str] = "1"
    region: str = "asia"
    domain: Optional[str] = None
    in_store: bool = False
    agent_token: Optional[str] = field(default=None, repr=False)
    allow_http: bool = False

    def __post_init__(self):
        if not isinstance(self.client_id, str) or _CLIENT_ID.fullmatch(self.client_id) is None:
            raise ConfigurationError("client_id: 1 to 64 letters, digits, _ or -, as the dashboard shows it")
        if _PARTNER.fullmatch(self.client_id):
            raise ConfigurationError("client_id: this is a partner number of MAPI (2088…); AMS gives another identity, "
                                     "see the dashboard there")
        if self.key_version is not None and (not isinstance(self.key_version, str)
                                             or re.fullmatch(r"[0-9]{1,9}", self.key_version, re.ASCII) is None):
            raise ConfigurationError("key_version: digits as text, or None for the newest")
        if self.agent_token is not None and (not isinstance(self.agent_token, str) or re.fullmatch(
                r"[!-~]{1,128}", self.agent_token, re.ASCII) is None):
            raise ConfigurationError("agent_token: 1 to 128 ASCII characters without blanks, or None")
        domain = self.domain if self.domain is not None else domains.domain_of(self.region, in_store=self.in_store)
        _check_url(domain, self.allow_http)
        if re.fullmatch(r"https?://[^/]+/?", domain) is None:
            raise ConfigurationError("domain: the host alone, such as {}; the path belongs to each call".format(
                domains.DOMAINS["asia"]))
        domains.check_domain(domain, self.in_store)
        object.__setattr__(self, "domain", domain.rstrip("/"))
        self._load_keys()

    def _load_keys(self):
        private, public = self.private_key, self.alipay_public_key
        if private is not None and not isinstance(private, keys.Key):
            private = keys.load_private_key(private)
        if not isinstance(public, (list, tuple)):
            public = () if public is None else (public,)
        public = tuple(key if isinstance(key, keys.Key) else keys.load_public_key(key) for key in public)
        for key, name in [(private, "private_key")] + [(key, "alipay_public_key") for key in public]:
            if key is not None and (key.kind != "RSA" or key.private != (name == "private_key")):
                raise KeyMismatch("{}: AMS wants RSA keys, yours private and Alipay's public".format(name))
        if private is not None and any(private.numbers == key.numbers for key in public):
            raise KeyMismatch("alipay_public_key is the public half of your own private_key; the dashboard shows "
                              "Alipay's")
        object.__setattr__(self, "private_key", private)
        object.__setattr__(self, "alipay_public_key", public)

    @property
    def sandbox(self) -> bool:
        """Does the client id belong to the sandbox?"""
        return self.client_id.startswith(domains.SANDBOX_PREFIX)

    def path(self, call: str) -> str:
        """``"payments/refund"`` → the path that is signed and sent."""
        return domains.path_of(call, self.sandbox, self.in_store)

    @property
    def signing_key(self):
        """The key that signs requests. Raises MissingKey."""
        if self.private_key is None:
            raise MissingKey("private_key: needed to sign; this account was made without it")
        return self.private_key

    @property
    def checking_keys(self) -> Tuple:
        """The keys that may have signed what arrives, oldest first. Raises MissingKey."""
        if not self.alipay_public_key:
            raise MissingKey("alipay_public_key: needed to check what AMS sends; this account was made without it")
        return self.alipay_public_key


def _check_url(domain, allow_http):
    try:
        check_gateway(domain, allow_http)
        return
    except ConfigurationError as err:
        problem = str(err).partition(": ")[2].partition("; ")[0]
    raise ConfigurationError("domain: {}; give the host alone, such as {}".format(problem, domains.DOMAINS["asia"]))
