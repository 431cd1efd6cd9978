"""What the old objects are made of (a pid, a key, a seller, class attributes with addresses) → Merchant and Client.

Shops change these attributes after the fact, so they are read at every call; a Merchant is made once for each set.
"""
from typing import Any, Dict, Optional, Tuple

from ...client import Client
from ...errors import InvalidRequest
from ...merchant import GATEWAY_MAINLAND, Merchant
from ...request import SignedRequest, build_request
from ..values import sendable
from .exceptions import NotSupported, ParameterValueError


class Account:
    """The part of ``Alipay`` and ``WapAlipay`` that knows the merchant. Holds the key, as the old objects did; no repr
    shows it."""

    GATEWAY_URL = GATEWAY_MAINLAND
    NOTIFY_GATEWAY_URL = GATEWAY_MAINLAND + "?service=notify_verify&partner=%s&notify_id=%s"
    sign_tuple = ("sign_type", "MD5", "MD5")
    sign_key = False

    def __init__(self, pid: Any, key: Any, transport: Any):
        self.pid = str(pid) if isinstance(pid, int) else pid
        self.key = key
        self.default_params: Dict[str, Any] = {"_input_charset": "utf-8", "partner": self.pid, "payment_type": "1"}
        self._transport = transport
        self._clients: Dict[Tuple, Client] = {}

    def __repr__(self):
        return "<{} {}>".format(type(self).__name__, self.pid)

    def _client_at(self, gateway: str) -> Client:
        """Raises ConfigurationError for a key, a pid or an address that cannot be used."""
        if self.sign_tuple[1:] != ("MD5", "MD5"):
            raise NotSupported("sign_tuple: this class signs with MD5, as the published one did; for RSA and RSA2 make "
                               "a Merchant, and use build_request and verify_notify")
        defaults = self.default_params
        wanted = (defaults.get("partner", self.pid), self.key, gateway, defaults.get("seller_id"),
                  defaults.get("seller_email", getattr(self, "seller_email", None)), defaults.get("_input_charset"))
        client = self._clients.get(wanted)
        if client is None:
            partner, key, gateway, seller_id, seller_email, charset = wanted
            shop = Merchant(partner, "MD5", md5_key=key, gateway=gateway, input_charset=charset,
                            seller_id=_text(seller_id), seller_email=_text(seller_email))
            client = self._clients[wanted] = Client(shop, self._transport)
        return client

    @property
    def _shop(self) -> Merchant:
        return self._client_at(self.GATEWAY_URL).shop

    @property
    def _asking(self) -> Client:
        """For questions about notifications, which have an address of their own."""
        return self._client_at(self.NOTIFY_GATEWAY_URL.partition("?")[0])

    def _signed(self, params, call, instead) -> SignedRequest:
        """Raises ParameterValueError for what ``build_request`` refuses."""
        problem = None
        try:
            sent = sendable(params, call, instead)
            return build_request(self._shop, str(sent.pop("service", "")), sent)
        except InvalidRequest as err:
            problem = err
        raise as_value_error(problem)


def as_value_error(problem: InvalidRequest) -> ParameterValueError:
    """The same refusal, under the name that the old library's callers catch."""
    return ParameterValueError(str(problem), parameter=problem.parameter)


def _text(value: Any) -> Optional[str]:
    return str(value) if value not in (None, "") else None
