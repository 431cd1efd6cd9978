"""A call → the signed HTTP request: path, headers and the very bytes that were signed."""
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, NamedTuple, Union

from ...errors import InvalidRequest
from .. import json_text
from . import signing
from .account import Account

CONTENT_TYPE = "application/json; charset=UTF-8"


class AmsRequest(NamedTuple):
    """``path``: what was signed; ``url``: domain and path; ``headers``: names to values; ``body``: the bytes to
    send."""

    path: str
    url: str
    headers: Dict[str, str]
    body: bytes

    def __repr__(self):
        return "<AmsRequest {}, {} bytes>".format(self.path, len(self.body))


def epoch_milliseconds(now: datetime) -> str:
    """The form of ``request-time`` in the newer documentation. ``now``: aware. Raises InvalidRequest.

    >>> epoch_milliseconds(datetime(2023, 6, 1, 6, 13, 53, 871000, timezone.utc))
    '1685600033871'
    """
    if not isinstance(now, datetime) or now.tzinfo is None or now.utcoffset() is None:
        raise InvalidRequest("now: an aware datetime, such as datetime.now(timezone.utc)", parameter="now")
    passed = now - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return str(passed.days * 86400000 + passed.seconds * 1000 + passed.microseconds // 1000)


def build_request(account: Account, call: str, content: Union[bytes, Mapping[str, Any]], time: str) -> AmsRequest:
    """Sign one call. ``call``: such as ``"payments/refund"``; ``content``: what goes into the body, or its bytes, which
    are then sent unchanged; ``time``: the text of ``request-time``, see :func:`epoch_milliseconds`.

    Raises InvalidRequest, MissingKey. Source: digital_signature.
    """
    body = bytes(content) if isinstance(content, (bytes, bytearray)) else json_text.dump(content)
    path = account.path(call)
    return sign_request(account, path, time, body)


def sign_request(account: Account, path: str, time: str, body: bytes) -> AmsRequest:
    """As :func:`build_request`, for a path that is given whole, with its query if it has one."""
    signed = signing.content(path, account.client_id, time, body)
    headers = {
        "Content-Type": CONTENT_TYPE,
        "client-id": account.client_id,
        "request-time": time,
        "Signature": signing.header(signing.sign(account.signing_key, signed), account.key_version),
    }
    if account.agent_token is not None:
        headers["agent-token"] = account.agent_token
    return AmsRequest(path, str(account.domain) + path, headers, body)

