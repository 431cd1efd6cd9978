"""Whose notification is this? Told by its shape, before anything in it is trusted.

The answer chooses the one key that may verify it, and the ack that belongs to it. No message is tried against the keys
of another gateway.
"""
from .. import form_body
from ..errors import MissingParameter, UnsupportedContentType, show
from .ams.headers import Headers, lower

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


def gateway_of(headers: Headers, body: bytes) -> str:
    """"ams", "openapi" or "mapi". ``headers``: names in any letter case; ``body``: the raw bytes of the POST.

    JSON with a ``Signature`` header is AMS's; a form with ``app_id`` OpenAPI's; a form with ``sign_type`` and without
    ``app_id`` MAPI's. Raises UnsupportedContentType, MissingParameter, and what a form raises that is none.

    >>> gateway_of({"Content-Type": "application/x-www-form-urlencoded"}, b"notify_id=1&sign_type=MD5&sign=x")
    'mapi'
    """
    named = lower(headers)
    kind = named.get("content-type", "").partition(";")[0].strip(" \t").lower()
    if kind == _JSON:
        if not named.get("signature"):
            raise MissingParameter("Signature: this header is absent; AMS signs every notification",
                                   parameter="signature")
        return "ams"
    if kind not in (_FORM, ""):
        raise UnsupportedContentType("the content type is {!r}; the gateways post JSON or forms".format(show(kind)))
    names = form_body.parse(bytes(body))
    if b"app_id" in names:
        return "openapi"
    if b"sign_type" in names:
        return "mapi"
    raise MissingParameter("sign_type: absent, and app_id as well: a notification of no gateway that is known here",
                           parameter="sign_type")
