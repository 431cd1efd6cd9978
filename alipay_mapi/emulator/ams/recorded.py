"""Requests to AMS in a recording: what is written down of one, and how it is done again."""
import base64
import hashlib
from typing import Any, Dict

from .gateway import AmsOutcome
from .incoming import AmsIncoming

#: Member of the event → its type.
FIELDS: Dict[str, type] = {"method": str, "target": str, "headers": list, "body": str, "remote": str, "call": str,
                           "code": str}


def event_of(incoming: AmsIncoming, outcome: AmsOutcome) -> Dict[str, Any]:
    """The event; ``code``, the result code, is what is compared."""
    return {"kind": "ams", "method": incoming.method, "target": incoming.target,
            "headers": [list(pair) for pair in incoming.headers], "body": base64.b64encode(incoming.body).decode(),
            "remote": incoming.remote, "call": outcome.call, "code": outcome.code}


def incoming_of(event: Dict[str, Any]) -> AmsIncoming:
    """The request again. Raises ValueError for an event that nobody here wrote."""
    headers = tuple((str(name), str(value)) for name, value in event["headers"])
    return AmsIncoming(event["method"], event["target"], headers, base64.b64decode(event["body"], validate=True),
                       event["remote"])


def fingerprints(emulator: Any) -> Dict[str, str]:
    """client id → a fingerprint of the shop's keys, of the clients that have some."""
    found = {}
    for row in emulator.ledger.rows("ams_clients"):
        keys = emulator.ams.clients.of(row["client_id"]).shop_keys()
        told = "\n".join(keys[name] for name in sorted(keys)).encode()
        found[row["client_id"]] = hashlib.sha256(told).hexdigest()[:16]
    return found
