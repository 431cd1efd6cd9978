"""The emulator's test merchants: one per ``sign_type``, with keys that are made when a merchant is first used.

Each has two key pairs, the shop's and the gateway's, as with Alipay. For RSA the gateway signs for all merchants with
one 1024-bit pair, as Alipay does; RSA2 and DSA pairs are the merchant's own. Every key is made here and is worth
nothing anywhere else.
"""
import base64
import random
import secrets
import textwrap
import threading
import warnings
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ..amounts import parse_amount
from ..errors import InvalidRequest, MalformedParameter, show
from ..merchant import Merchant
from .ledger import Ledger

#: partner → (name of the section in shop.ini, sign_type)
PARTNERS = {
    "2088000000000101": ("md5", "MD5"),
    "2088000000000102": ("rsa", "RSA"),
    "2088000000000103": ("rsa2", "RSA2"),
    "2088000000000104": ("dsa", "DSA"),
}

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_BITS = {"RSA": 1024, "RSA2": 2048, "DSA": 1024}

#: ``balance`` and ``limit``: CNY, None without end.
Buyer = NamedTuple("Buyer", [("buyer_id", str), ("buyer_email", str), ("balance", Optional[str]),
                             ("limit", Optional[str]), ("about", str)])

#: The buyers that the cashier offers; addresses under example.com belong to nobody.
BUYERS = (
    Buyer("2088000000000901", "buyer1@example.com", None, None, "pays whatever it costs"),
    Buyer("2088000000000902", "buyer2@example.com", None, None, "pays whatever it costs"),
    Buyer("2088000000000903", "poor@example.com", "0.00", None, "has no money"),
    Buyer("2088000000000904", "limited@example.com", None, "100.00", "may not pay more than 100 yuan at once"),
)


def find_buyer(wanted: Optional[str]) -> Buyer:
    """A test buyer by number or e-mail; None is the first. Raises InvalidRequest."""
    for buyer in BUYERS:
        if wanted in (None, buyer.buyer_id, buyer.buyer_email):
            return buyer
    raise InvalidRequest("buyer: one of {}".format(", ".join(one.buyer_email for one in BUYERS)), parameter="buyer")


#: What can be set for a merchant, as in Alipay's console or contract; ours, with the value at the start.
SETTINGS: Dict[str, Any] = {
    "not_contracted": [],       # services that the contract does not include: ILLEGAL_PARTNER_EXTERFACE
    "closed": [],               # services that Alipay has switched off: EXTERFACE_IS_CLOSED
    "misconfigured": [],        # services set up wrongly: ILLEGAL_EXTERFACE
    "no_privilege": [],         # services that this merchant has no right to: HAS_NO_PRIVILEGE
    "allowed_ips": [],          # callers' addresses; empty: any; else ILLEGAL_CLIENT_IP
    "referers": [],             # beginnings of the referer of page services; empty: any; else ILLEGAL_REQUEST_REFERER
    "forbidden_words": [],      # in subject or body: SUBJECT_HAS_FORBIDDENWORD, BODY_HAS_FORBIDDENWORD
    "sellers": [],              # seller_ids it may collect for beside its own: SELLER_NOT_IN_SPECIFIED_SELLERS
    "timeout_rules": [],        # values of timeout_rule beyond those of the page
    "own_timeouts": True,       # may mainland orders carry it_b_pay? Else SELF_TIMEOUT_NOT_SUPPORT
    "seller_forbidden": False,  # the seller's account is blocked: SELLER_ENABLE_STATUS_FORBID
    "balance": None,            # CNY that refunds may still take; None: without end
    "refund_notify_url": "",    # set at Alipay: wins over the notify_url of a refund
    "notify_closed": False,     # is the closing of an unpaid trade notified?
    "basic_contract": False,    # mainland: TRADE_FINISHED at once, and no refunds through TRADE_SUCCESS
}


_FORM = {list: "a list of texts", bool: "true or false", str: "text", type(None): "an amount as text, or nothing"}


class TestMerchant:
    """One partner as the gateway knows it: ``partner``, ``name``, ``sign_type``, ``seller_email`` and the keys."""

    __test__ = False  # not a test class

    def __init__(self, partner: str, data: Dict[str, Any], keys: Optional[Dict[str, Any]] = None):
        self.partner, self._data = partner, data
        self._keys = {} if keys is None else keys
        self._sides: Dict[Tuple, Merchant] = {}
        self.name, self.sign_type = data["name"], data["sign_type"]
        self.seller_email = self.name + "@shop.example.com"
        self.key_is_shared = self.sign_type == "RSA"

    def __repr__(self):
        return "<TestMerchant {} {}>".format(self.partner, self.sign_type)

    def setting(self, name: str) -> Any:
        """One of :data:`SETTINGS`, as it is set now."""
        return self._data.get("settings", {}).get(name, SETTINGS[name])

    def shop(self, gateway: str, input_charset: Optional[str] = "utf-8", allow_http: bool = False) -> Merchant:
        """The shop's side: a Merchant that signs with the shop's key and checks with the gateway's."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # 1024 bits are Alipay's choice for RSA
            return Merchant(partner=self.partner, sign_type=self.sign_type, seller_email=self.seller_email,
                            input_charset=input_charset, gateway=gateway, allow_http=allow_http, **self.shop_keys())

    @property
    def signer(self) -> Merchant:
        """The gateway's side: signs with the gateway's key, checks with the shop's."""
        return self._side("gateway_private", "shop_public")

    @property
    def forger(self) -> Merchant:
        """Somebody who has neither key: signs with one of his own. The sign has the right form."""
        return self._side("forger_private", "shop_public")

    @property
    def former(self) -> Merchant:
        """The gateway with the key that it had before."""
        return self._side("former_private", "shop_public")

    def _side(self, private, public):
        if (private, public) not in self._sides:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")     # 1024 bits are Alipay's choice for RSA
                if self.sign_type == "MD5":
                    key = self._data["md5_key"] if private == "gateway_private" else new_md5_key()
                    made = Merchant(partner=self.partner, sign_type="MD5", md5_key=key)
                else:
                    text = self._data.get(private) or shared_pair(
                        self._keys, private.partition("_")[0] + ":" + self.sign_type, self.sign_type)[0]
                    made = Merchant(partner=self.partner, sign_type=self.sign_type, private_key=text,
                                    alipay_public_key=self._data[public])
            self._sides[private, public] = made
        return self._sides[private, public]

    def shop_keys(self) -> Dict[str, str]:
        """The key arguments of the shop's Merchant."""
        if self.sign_type == "MD5":
            return {"md5_key": self._data["md5_key"]}
        return {"private_key": self._data["shop_private"], "alipay_public_key": self._data["gateway_public"]}


class TestMerchants:
    """The merchants of one ledger; ``seed`` makes MD5 keys and nothing else repeatable. ``keys``: holds the key pairs
    that were made, by partner and purpose, for further ledgers; what a ledger has of its own wins."""

    __test__ = False

    def __init__(self, ledger: Ledger, seed: Optional[int] = None, keys: Optional[Dict[str, Any]] = None):
        self._ledger, self._seed, self._keys = ledger, seed, {} if keys is None else keys
        self._made: Dict[str, TestMerchant] = {}
        self._making = threading.Lock()

    def partners(self) -> List[Tuple[str, str, str]]:
        """(partner, name, sign_type) of each, without making keys."""
        return [(partner, name, sign_type) for partner, (name, sign_type) in PARTNERS.items()]

    def get(self, partner: str) -> Optional[TestMerchant]:
        """The merchant, with keys made now if it has none yet; None for an unknown partner."""
        if partner not in PARTNERS:
            return None
        if partner not in self._made:
            if self._ledger.one("merchants", partner=partner) is None:
                made = self._new(partner)       # takes seconds: the ledger does not wait for keys
                with self._ledger.transaction():
                    if self._ledger.one("merchants", partner=partner) is None:
                        self._ledger.add("merchants", self._with_platform(made), partner=partner)
            stored = self._ledger.get("merchants", partner=partner)
            self._made.setdefault(partner, TestMerchant(partner, stored, self._keys))
        return self._made[partner]

    def of(self, partner: str) -> TestMerchant:
        """As :meth:`get`, of a partner that is known. Raises InvalidRequest when it is not."""
        merchant = self.get(partner)
        if merchant is None:
            raise InvalidRequest("partner: no test merchant has this number; there are {}".format(
                ", ".join(sorted(PARTNERS))), parameter="partner")
        return merchant

    def named(self, name: str) -> Optional[TestMerchant]:
        """By its section's name in shop.ini: md5, rsa, rsa2, dsa."""
        for partner, (known, _) in PARTNERS.items():
            if known == name:
                return self.get(partner)
        return None

    def change(self, partner: str, **settings: Any) -> TestMerchant:
        """Set some of :data:`SETTINGS`. Raises InvalidRequest for an unknown name or merchant."""
        merchant = self.of(partner)
        for name, value in settings.items():
            if name not in SETTINGS:
                raise InvalidRequest("{}: no setting of a merchant; there are {}".format(
                    show(name), ", ".join(sorted(SETTINGS))), parameter=show(name))
            if not _fits(name, value):
                raise InvalidRequest("{}: give {}".format(name, _FORM[type(SETTINGS[name])]), parameter=name)
        with self._ledger.transaction():
            row = self._ledger.get("merchants", partner=partner)
            now = dict(row.get("settings", {}), **settings)
            self._ledger.change("merchants", row, settings=now)
            merchant._data["settings"] = now
        return merchant

    def _new(self, partner):
        name, sign_type = PARTNERS[partner]
        data = {"name": name, "sign_type": sign_type}
        if sign_type == "MD5":
            data["md5_key"] = self._md5_key(partner)
            return data
        data["shop_private"], data["shop_public"] = self._pair("shop:" + partner, sign_type)
        if sign_type != "RSA":
            data["gateway_private"], data["gateway_public"] = self._pair("gateway:" + partner, sign_type)
        elif self._ledger.meta("platform_private") is None:
            self._pair("platform", "RSA")
        return data

    def _pair(self, purpose, sign_type):
        with self._making:      # and not while the ledger is held by us: somebody who holds it may wait for this
            return shared_pair(self._keys, purpose, sign_type)

    def _with_platform(self, data):
        """The one RSA pair of the gateway: the ledger's, or now for the first time."""
        if data["sign_type"] != "RSA":
            return data
        private, public = self._ledger.meta("platform_private"), self._ledger.meta("platform_public")
        if private is None or public is None:
            private, public = self._pair("platform", "RSA")
            self._ledger.set_meta("platform_private", private)
            self._ledger.set_meta("platform_public", public)
        return dict(data, gateway_private=private, gateway_public=public)

    def _md5_key(self, partner):
        if self._seed is None:
            return new_md5_key()
        chosen = random.Random("{}:{}".format(self._seed, partner))
        return "".join(chosen.choice(_ALPHABET) for _ in range(32))


def _fits(name, value) -> bool:
    """Has the value the form of this setting?"""
    usual = SETTINGS[name]
    if usual is None:
        try:
            return value is None or parse_amount(value) >= 0
        except MalformedParameter:
            return False
    if isinstance(usual, list):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, type(usual))


def new_md5_key() -> str:
    """32 small letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(32))


def shared_pair(keys: Dict[str, Any], purpose: str, sign_type: str) -> Tuple[str, str]:
    """The pair that ``keys`` has for this purpose, or a new one, which it then has."""
    if purpose not in keys:
        keys.setdefault(purpose, new_pair(sign_type))
    return keys[purpose]


def new_pair(sign_type: str) -> Tuple[str, str]:
    """A new key pair of the size that Alipay uses: (PKCS#8 PEM, SubjectPublicKeyInfo PEM)."""
    from ..crypto import pycryptodome
    kind = "DSA" if sign_type == "DSA" else "RSA"
    der = pycryptodome.generate(kind, _BITS[sign_type])
    return _pem("PRIVATE KEY", der), _pem("PUBLIC KEY", pycryptodome.export(der, kind, "SPKI"))


def _pem(label, der):
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode("ascii"), 64))
    return "-----BEGIN {0}-----\n{1}\n-----END {0}-----\n".format(label, body)
