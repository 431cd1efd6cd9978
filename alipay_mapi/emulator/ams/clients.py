"""The test merchants' identities at AMS: a client id for the sandbox and one for production, each with keys of its own.

The keys are made when a client is first used, and kept in the ledger. What the dashboard or a contract decides is a
client's setting. A merchant's balance is the one that it has at MAPI.
"""
import threading
from typing import Any, Dict, List, NamedTuple, Optional

from ... import keys
from ...errors import InvalidRequest, show
from ...migration.ams import Account
from ..ledger import Ledger
from ..merchants import PARTNERS, shared_pair

#: What can be set for a client; ours, with the value at the start.
SETTINGS: Dict[str, Any] = {
    "notify_url": "",           # of the dashboard; one in the request wins
    "no_access": [],            # calls, such as payments/refund, that are refused with ACCESS_DENIED
    "not_contracted": [],       # productCodes and paymentMethodTypes: INVALID_CONTRACT
    "in_store": False,          # may a sandbox id use the production path, as in-store products do?
    "pci": False,               # may it send raw card numbers? Else ACCESS_DENIED
    "registered_only": False,   # must order.merchant be registered? Else MERCHANT_NOT_REGISTERED
    "multi_capture": True,      # else a second capture is MULTI_CAPTURE_NOT_SUPPORTED
    "multi_refund": True,       # else a second refund is MULTIPLE_REFUNDS_NOT_SUPPORTED
    "async_capture": False,     # captures are CAPTURE_IN_PROCESS, and done a minute later
    "async_refund": False,      # the same of refunds; isAsyncRefund in the request does it too
    "registration": "approve",  # how a registration ends: approve, reject, or review (until somebody reviews it)
    "strict_scalars": True,     # are numbers, true and false refused where text belongs? PARAM_ILLEGAL
}
_REGISTRATION = ("approve", "reject", "review")
#: Of both of a client's pairs; the dashboard counts from 1.
KEY_VERSION = "1"
_PREFIX, _SANDBOX = "5Y", "SANDBOX_5Y"

Identity = NamedTuple("Identity", [("client_id", str), ("partner", str), ("name", str), ("sandbox", bool)])

#: client id → whose it is.
IDENTITIES: Dict[str, Identity] = {}
for _partner, (_name, _) in PARTNERS.items():
    for _start in (_PREFIX, _SANDBOX):
        IDENTITIES[_start + _partner[2:]] = Identity(_start + _partner[2:], _partner, _name, _start == _SANDBOX)


class Client:
    """One client id: ``client_id``, ``partner`` (the merchant's number at MAPI), ``name``, ``sandbox``, the keys."""

    def __init__(self, identity: Identity, data: Dict[str, Any], shared: Dict[str, Any]):
        self.client_id, self.partner, self.name, self.sandbox = identity
        self._data, self._shared = data, shared
        self._loaded: Dict[str, Any] = {}

    def __repr__(self):
        return "<Client {}>".format(self.client_id)

    def setting(self, name: str) -> Any:
        """One of :data:`SETTINGS`, as it is set now."""
        return self._data.get("settings", {}).get(name, SETTINGS[name])

    def account(self, domain: str) -> Account:
        """The shop's side. ``domain``: where the emulator is."""
        return Account(self.client_id, private_key=self._data["shop_private"],
                       alipay_public_key=self._data["gateway_public"], key_version=KEY_VERSION, domain=domain,
                       in_store=self.setting("in_store"), allow_http=True)

    @property
    def checking_key(self):
        """The shop's public key."""
        return self._key("shop_public", self._data["shop_public"])

    @property
    def signing_key(self):
        """AMS's private key."""
        return self._key("gateway_private", self._data["gateway_private"])

    def other_key(self, whose: str):
        """A key that is not AMS's: ``forger`` (somebody's own), or ``former`` (what AMS had before)."""
        return self._key(whose, shared_pair(self._shared, "ams-" + whose, "RSA2")[0])

    def shop_keys(self) -> Dict[str, str]:
        """The key texts of the shop's Account."""
        return {"private_key": self._data["shop_private"], "alipay_public_key": self._data["gateway_public"]}

    def _key(self, name, text):
        if name not in self._loaded:
            load = keys.load_public_key if name.endswith("public") else keys.load_private_key
            self._loaded[name] = load(text)
        return self._loaded[name]


class Clients:
    """The clients of one ledger. ``shared``: holds key pairs that were made, for further ledgers."""

    def __init__(self, ledger: Ledger, shared: Optional[Dict[str, Any]] = None):
        self._ledger, self._shared = ledger, {} if shared is None else shared
        self._made: Dict[str, Client] = {}
        self._making = threading.Lock()

    def get(self, client_id: str) -> Optional[Client]:
        """The client, with keys made now if it has none yet; None for an unknown id."""
        if client_id not in IDENTITIES:
            return None
        if client_id not in self._made:
            if self._ledger.one("ams_clients", client_id=client_id) is None:
                data = self._new(IDENTITIES[client_id])     # takes seconds: the ledger does not wait for keys
                with self._ledger.transaction():
                    if self._ledger.one("ams_clients", client_id=client_id) is None:
                        self._ledger.add("ams_clients", data, client_id=client_id)
            stored = self._ledger.get("ams_clients", client_id=client_id)
            self._made.setdefault(client_id, Client(IDENTITIES[client_id], stored, self._shared))
        return self._made[client_id]

    def of(self, client_id: str) -> Client:
        """As :meth:`get`. Raises InvalidRequest for an unknown id."""
        found = self.get(client_id)
        if found is None:
            raise InvalidRequest("client_id: no test merchant has it; there are {}".format(
                ", ".join(sorted(IDENTITIES))), parameter="client_id")
        return found

    def named(self, name: str, sandbox: bool = False) -> Client:
        """By the merchant's name (md5, rsa, rsa2, dsa), its number, or a client id. Raises InvalidRequest."""
        for one in IDENTITIES.values():
            if name == one.client_id or name in (one.name, one.partner) and one.sandbox == sandbox:
                return self.of(one.client_id)
        raise InvalidRequest("merchant: one of {}, or a client id".format(
            ", ".join(sorted({one.name for one in IDENTITIES.values()}))), parameter="merchant")

    def list(self) -> List[Identity]:
        """Who they are, without making keys."""
        return list(IDENTITIES.values())

    def change(self, client_id: str, **settings: Any) -> Client:
        """Set some of :data:`SETTINGS`. Raises InvalidRequest."""
        client = self.of(client_id)
        for name, value in settings.items():
            if name not in SETTINGS:
                raise InvalidRequest("{}: no setting of a client; there are {}".format(
                    show(name), ", ".join(sorted(SETTINGS))), parameter=show(name))
            usual = SETTINGS[name]
            if type(value) is not type(usual) or isinstance(value, list) and not all(
                    isinstance(one, str) for one in value):
                raise InvalidRequest("{}: give {}".format(name, {
                    list: "a list of texts", bool: "true or false", str: "text"}[type(usual)]), parameter=name)
        if settings.get("registration", "approve") not in _REGISTRATION:
            raise InvalidRequest("registration: one of {}".format(", ".join(_REGISTRATION)), parameter="registration")
        with self._ledger.transaction():
            row = self._ledger.get("ams_clients", client_id=client_id)
            now = dict(row.get("settings", {}), **settings)
            self._ledger.change("ams_clients", row, settings=now)
            client._data["settings"] = now
        return client

    def _new(self, identity) -> Dict[str, str]:
        """Sandbox and production have own keys on both sides; AMS has one pair in each."""
        with self._making:
            shop = shared_pair(self._shared, "ams-shop:" + identity.client_id, "RSA2")
            gateway = shared_pair(self._shared, "ams-gateway:" + ("sandbox" if identity.sandbox else "production"),
                                  "RSA2")
        return {"shop_private": shop[0], "shop_public": shop[1], "gateway_private": gateway[0],
                "gateway_public": gateway[1]}
