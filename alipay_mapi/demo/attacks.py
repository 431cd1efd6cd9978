"""What an attacker posts to the shop: made from what he can have, which is all but the keys.

He knows the shop's addresses, the partner's number and Alipay's public key; as a buyer he has seen signed order URLs
and signed returns; and once he has read a genuine notification on the way.
"""
import base64
import hashlib
import random
from typing import Dict, List, NamedTuple, Optional
from urllib.parse import quote_plus, urlsplit

from ..emulator.notifier import Delivery

FORM = "application/x-www-form-urlencoded; charset=utf-8"

#: What he does when he has nothing to work with.
INVENTED = "invented payment"

#: The order that he wants for nothing. ``shared``: its account is checked with a public key, which is this text.
Victim = NamedTuple("Victim", [("number", str), ("account", str), ("amount", str), ("currency", Optional[str]),
                               ("public_key", str), ("sign_length", int)])
#: What he has picked up so far. ``order_url``, ``return_url``: signed, each with the account that it belongs to.
Loot = NamedTuple("Loot", [("order_url", Optional[tuple]), ("return_url", Optional[tuple]),
                           ("delivery", Optional[Delivery])])
#: ``what``: "notify" (``body`` and ``content_type``) or "return" (``body`` is the query).
Post = NamedTuple("Post", [("what", str), ("account", str), ("body", bytes), ("content_type", str)])


def attack(name: str, victim: Victim, loot: Loot, chosen: random.Random) -> Optional[Post]:
    """The post, or None while he lacks what it takes."""
    if name == "signed order posted back":
        if loot.order_url is None:
            return None
        return _notify(loot.order_url[0], urlsplit(loot.order_url[1]).query.encode("ascii"))
    if name in ("return posted as a notification", "return for another amount"):
        if loot.return_url is None:
            return None
        account, query = loot.return_url[0], urlsplit(loot.return_url[1]).query
        if name == "return posted as a notification":
            return _notify(account, query.encode("ascii"))
        return Post("return", account, query.replace("total_fee=", "total_fee=9").encode("ascii"), "")
    if name in ("replayed", "parameter added"):
        if loot.delivery is None:
            return None
        body = loot.delivery.body + (b"&trade_status=TRADE_FINISHED" if name == "parameter added" else b"")
        return Post("notify", urlsplit(loot.delivery.url).path.rsplit("/", 1)[1], body, loot.delivery.content_type)
    if name == "not a form":
        return Post("notify", victim.account, b'{"trade_status": "TRADE_FINISHED"}', "application/json")
    if name == "two megabytes":
        return _notify(victim.account, b"a=" + b"b" * 2000000)
    return invented(victim, chosen, name)


def invented(victim: Victim, chosen: random.Random, name: str = INVENTED) -> Post:
    """A notification of a payment that never was."""
    return _notify(victim.account, _form(_signed(name, _payment(victim, chosen), victim, chosen)))


def _payment(victim, chosen) -> Dict[str, str]:
    fields = {"notify_id": "{:032x}".format(chosen.getrandbits(128)) + "zz", "notify_type": "trade_status_sync",
              "notify_time": "2026-11-11 12:00:00", "out_trade_no": victim.number, "total_fee": victim.amount,
              "trade_no": "20261111" + "{:020d}".format(chosen.randrange(10 ** 20)), "trade_status": "TRADE_FINISHED"}
    if victim.currency is not None:
        fields["currency"] = victim.currency
    return fields


def _signed(name, fields, victim, chosen):
    if name == "payment without a sign":
        return fields
    if name == "public key as an MD5 key":
        text = "&".join("{}={}".format(field, fields[field]) for field in sorted(fields))
        return dict(fields, sign_type="MD5", sign=hashlib.md5((text + victim.public_key).encode("ascii")).hexdigest())
    made_up = bytes(chosen.getrandbits(8) for _ in range(victim.sign_length))
    sign_type = {16: "MD5", 128: "RSA", 256: "RSA2"}[victim.sign_length]
    sign = made_up.hex() if sign_type == "MD5" else base64.b64encode(made_up).decode("ascii")
    return dict(fields, sign_type=sign_type, sign=sign)


def _form(fields: Dict[str, str]) -> bytes:
    pairs: List[str] = [quote_plus(name) + "=" + quote_plus(value) for name, value in sorted(fields.items())]
    return "&".join(pairs).encode("ascii")


def _notify(account: str, body: bytes) -> Post:
    return Post("notify", account, body, FORM)
