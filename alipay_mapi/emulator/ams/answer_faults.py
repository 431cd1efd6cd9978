"""Faults of AMS's answers: what it would have said → what arrives."""
import json
from typing import Optional

from ..faults import Fault
from ..reply import HTML, Reply
from .clients import IDENTITIES, Client
from .gateway import PRODUCTION, SANDBOX, AmsGateway, AmsOutcome
from .messages import answer_headers, dump, iso

_MAINTENANCE = b"<html><body><h1>The service is being maintained</h1></body></html>"
_ERROR = b"<html><body><h1>Internal Server Error</h1></body></html>"


def apply(fault: Fault, outcome: AmsOutcome, client: Optional[Client], gateway: AmsGateway) -> Reply:
    """The answer that the client gets. ``outcome.reply`` is what AMS meant to say; unsigned when ``client`` is None."""
    reply = outcome.reply
    if fault.name in ("slow", "reset", "half-answer"):
        return reply._replace(fault=fault.name, seconds=fault.seconds)
    if fault.name == "http-500":
        return Reply(500, HTML, _ERROR)
    if fault.name == "html-200":
        return Reply(200, HTML, _MAINTENANCE)
    if fault.name == "redirect":
        return Reply(302, HTML, b"moved", headers=(("Location", "/"),))
    if fault.name == "answer-unsigned":
        return reply._replace(headers=())
    if client is None:
        return reply
    time = iso(gateway.clock.now())
    if fault.name == "answer-tampered":
        return reply._replace(body=_altered(reply.body))
    if fault.name == "answer-other-client":
        other = [one for one in IDENTITIES if one != client.client_id][0]
        return reply._replace(headers=answer_headers(client.signing_key, outcome.target, other, time, reply.body))
    target, digest, key = outcome.target, "SHA256", client.signing_key
    if fault.name == "answer-re-pathed":
        start = SANDBOX if target.startswith(SANDBOX) else PRODUCTION
        target = start + ("payments/inquiryPayment" if outcome.call != "payments/inquiryPayment" else "payments/pay")
    elif fault.name == "answer-forged":
        key = client.other_key("forger")
    else:
        digest = {"answer-sha1": "SHA1", "answer-md5": "MD5"}[fault.name]
    return reply._replace(headers=answer_headers(key, target, client.client_id, time, reply.body, digest))


def _altered(body):
    """Another amount; where there is none, another status or another message."""
    told = json.loads(body.decode("utf-8"))
    for name in ("paymentAmount", "refundAmount", "captureAmount"):
        if name in told:
            told[name]["value"] = "1" if told[name]["value"] != "1" else "2"
            return dump(told)
    result = told["result"]
    result["resultStatus"] = "S" if result["resultStatus"] != "S" else "F"
    return dump(told)
