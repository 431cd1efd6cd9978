"""What an attacker posts to the shop that moves: of both gateways, made from what he can have: all but the keys.

He knows the address, both accounts' numbers and Alipay's public key, and has read genuine notifications on the way.
"""
import base64
import json
import random
from typing import Dict, List, NamedTuple, Optional, Tuple

from ...emulator.notifier import Delivery
from .. import attacks

#: One post. ``headers``: beside Content-Type.
Post = NamedTuple("Post", [("headers", List[Tuple[str, str]]), ("body", bytes), ("content_type", str)])
JSON = "application/json; charset=UTF-8"
#: The genuine message again: it says nothing new, and is no lie.
REPLAYS = ("MAPI: replayed", "AMS: replayed")


def attack(name: str, victim: attacks.Victim, client_id: str, seen: Dict[str, List[Delivery]], now: str,
           chosen: random.Random) -> Optional[Post]:
    """The post, or None while he lacks what it takes. ``victim``: the order that he wants for nothing. ``client_id``:
    the shop's at AMS. ``seen``: gateway → genuine notifications. ``now``: as AMS writes it."""
    if name == "MAPI: invented payment":
        made = attacks.invented(victim, chosen)
        return Post([], made.body, made.content_type)
    if name == "AMS: its public key as an MD5 key":
        made = attacks.invented(victim, chosen, "public key as an MD5 key")
        return Post([], made.body, made.content_type)
    if name == "AMS: invented payment":
        sign = base64.b64encode(bytes(chosen.getrandbits(8) for _ in range(256))).decode("ascii")
        return Post([("Client-Id", client_id), ("Request-Time", now), (
            "Signature", "algorithm=RSA256,keyVersion=1,signature=" + sign.replace("+", "%2B").replace("/", "%2F"))],
            _payment(victim, now), JSON)
    if name == "AMS: without a signature":
        return Post([("Client-Id", client_id), ("Request-Time", now)], _payment(victim, now), JSON)
    former = [one for one in seen["mapi" if name.startswith("MAPI") else "ams"] if one.out_trade_no != victim.number]
    if not former:
        return None
    delivery = former[-1]
    headers = list(delivery.headers)
    if name == "MAPI: genuine, as JSON":
        return Post(headers, delivery.body, JSON)
    if name == "AMS: of another order":
        number = delivery.out_trade_no.encode("ascii")
        return Post(headers, delivery.body.replace(number, victim.number.encode("ascii")), delivery.content_type)
    if name == "AMS: of another client":
        return Post([(one, "5Y" + "9" * 14 if one == "Client-Id" else value) for one, value in headers], delivery.body,
                    delivery.content_type)
    return Post(headers, delivery.body, delivery.content_type)


def _payment(victim, now):
    return json.dumps({
        "notifyType": "PAYMENT_RESULT", "result": {"resultCode": "SUCCESS", "resultStatus": "S",
                                                   "resultMessage": "success"},
        "paymentRequestId": victim.number, "paymentId": "20261111" + "9" * 20, "paymentTime": now,
        "paymentAmount": {"currency": victim.currency or "USD", "value": "1"}}).encode("ascii")
