"""What AMS writes: JSON bytes, the text that is signed, the ``Signature`` header. Written out here, and not taken from
``migration.ams.signing``, which is the other side's."""
import json
from datetime import datetime, timezone
from typing import Any, Dict, Tuple
from urllib.parse import quote

from ... import algorithms
from ...times import GMT8, parse_time
from . import weak_digest

JSON = "application/json; charset=UTF-8"


def dump(content: Dict[str, Any]) -> bytes:
    """Compact JSON in UTF-8: the bytes that are signed and sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def signed_text(target: str, client_id: str, time: str, body: bytes, method: str = "POST") -> bytes:
    """``POST <path and query>``, a line's end, ``<client id>.<time>.<body>``."""
    return "{} {}\n{}.{}.".format(method, target, client_id, time).encode("utf-8", "surrogatepass") + body


def signature(key, text: bytes, digest: str = "SHA256") -> str:
    """Base64, percent-encoded. ``digest``: SHA256, or for a fault SHA1 or MD5."""
    if digest == "MD5":
        return quote(weak_digest.md5_with_rsa(key, text), safe="")
    return quote(algorithms.sign("RSA2" if digest == "SHA256" else "RSA", key, text), safe="")


def signature_header(value: str, version: str = "1", algorithm: str = "RSA256") -> str:
    return "algorithm={},keyVersion={},signature={}".format(algorithm, version, value)


def answer_headers(key, target: str, client_id: str, time: str, body: bytes,
                   digest: str = "SHA256") -> Tuple[Tuple[str, str], ...]:
    """The headers of a signed answer, in the spelling that the SDKs look for."""
    return (("client-id", client_id), ("response-time", time),
            ("signature", signature_header(signature(key, signed_text(target, client_id, time, body), digest))))


def milliseconds(moment: datetime) -> str:
    """Since 1970."""
    passed = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return str(passed.days * 86400000 + passed.seconds * 1000 + passed.microseconds // 1000)


def iso(moment: Any) -> str:
    """ISO 8601 to the second, in GMT+8. ``moment``: aware, or the ledger's text.

    >>> iso("2026-03-01 12:00:00")
    '2026-03-01T12:00:00+08:00'
    """
    if isinstance(moment, str):
        moment = parse_time(moment)
    return moment.astimezone(GMT8).replace(microsecond=0).isoformat()
