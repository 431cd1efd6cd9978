"""Notifications of AMS that are not as it makes them, each in one of the ways that ``emulator.broken`` names."""
import json
from typing import Any, Dict, NamedTuple, Tuple

from .clients import Client
from .messages import JSON, dump, signature, signature_header, signed_text


class Notice(NamedTuple):
    """The bytes of one send: the body, and the headers beside Content-Type."""

    body: bytes
    headers: Tuple[Tuple[str, str], ...]
    content_type: str = JSON


def notice(client: Client, target: str, content: Dict[str, Any], time: str, way: str = "") -> Notice:
    """Genuine, or broken in one of ``emulator.broken.WAYS``. ``target``: path and query of the shop's address;
    ``time``: the text of ``Request-Time``."""
    if way == "wrong-charset":      # signed in the one, written in the other
        content = dict(content, orderDescription="茶")
    body, key = dump(content), client.signing_key
    if way in ("forged", "stale-key"):
        key = client.other_key("forger" if way == "forged" else "former")
    digest, algorithm = ("SHA1", "SHA1withRSA") if way == "other-sign-type" else ("SHA256", "RSA256")
    signed = signature_header(signature(key, signed_text(target, client.client_id, time, body), digest),
                              algorithm=algorithm)
    if way == "tampered":
        body = dump(_altered(content))
    elif way == "re-cut":           # what is signed joins time and body with a dot: cut at a dot inside of the body
        head, _, body = body.partition(b".")
        time = time + "." + head.decode("latin-1")
    elif way == "wrong-charset":
        body = body.decode("utf-8").encode("gbk")
    headers: Tuple[Tuple[str, str], ...] = (("Client-Id", client.client_id), ("Request-Time", time))
    if way != "unsigned":
        headers += (("Signature", signed),)
    return Notice(body, headers)


def _altered(content):
    """Another amount, or another result where there is no amount."""
    found = json.loads(dump(content).decode("utf-8"))
    for name in ("paymentAmount", "refundAmount", "captureAmount"):
        if name in found:
            found[name]["value"] = "1" if found[name]["value"] != "1" else "2"
            return found
    found["registrationRequestId"] = found.get("registrationRequestId", "") + "1"
    return found
