"""Old libraries check what a framework has decoded: names to text. Back to bytes, and through the real checks."""
import re
from dataclasses import replace
from hmac import compare_digest
from typing import Any, Dict, Mapping, Optional
from urllib.parse import quote_plus

from .. import charsets, presign, signing
from ..errors import CharsetError, InvalidMessage, MalformedParameter, show
from ..merchant import Merchant
from ..notification import verify_notify
from ..synchronous_return import verify_return

_NUMBER = re.compile("[0-9]{12,32}", re.ASCII)
#: What the browser's return has and a notification never has.
_OF_RETURNS = ("is_success", "exterface")


def plain(params: Mapping[str, Any]) -> Dict[str, str]:
    """Names to single texts. Django's ``**request.POST`` gives lists: a list of one is taken for what is in it.

    Raises MalformedParameter for anything else: two values for a name are two messages.
    """
    found = {}
    for name in params:
        value = params[name]
        if isinstance(value, (list, tuple)) and len(value) == 1:
            value = value[0]
        if not isinstance(name, str) or not isinstance(value, str):
            raise MalformedParameter("{}: not one text".format(show(name)), parameter=show(name))
        found[name] = value
    return found


def is_return(params: Mapping[str, str]) -> bool:
    """Is it the browser's return, which is no proof of payment?"""
    return any(name in params for name in _OF_RETURNS)


def problem_of(shop: Merchant, params: Mapping[str, str], returned: Optional[bool] = None) -> Optional[InvalidMessage]:
    """What is wrong with a decoded message, or None. Nobody is asked about it. ``params``: of :func:`plain`.

    ``returned``: whether it is a return; by default it says so itself.
    """
    problem: InvalidMessage
    try:
        raw = _encoded(params, charsets.writing_codec(shop.input_charset))
        shop = _with_its_seller(shop, params)
        if is_return(params) if returned is None else returned:
            verify_return(shop, raw)
        else:
            verify_notify(shop, raw)
        return None
    except InvalidMessage as err:
        problem = err
    return problem


def was_taken_before(shop: Merchant, params: Mapping[str, str], text: Optional[bytes] = None) -> bool:
    """Does the sign fit all the same? The old libraries looked at nothing else. ``text``: what was signed, if it is not
    the sorted fields."""
    if text is None:
        text = presign.presign_string(params).encode("utf-8", "surrogatepass")
    return compare_digest(signing.sign("MD5", shop.md5_key, text).encode("ascii"),
                          params.get("sign", "").encode("utf-8", "surrogatepass"))


def _encoded(params, codec) -> bytes:
    try:
        return "&".join("{}={}".format(quote_plus(name.encode("utf-8", "surrogatepass")),
                                       quote_plus(value.encode(codec))) for name, value in params.items()).encode()
    except UnicodeEncodeError:
        pass
    raise CharsetError("holds characters that {} cannot write: it was decoded wrongly".format(codec))


def _with_its_seller(shop, params):
    """A shop that is known by its e-mail address alone may be paid into an account that is not the partner's."""
    number, email = params.get("seller_id", ""), params.get("seller_email", "")
    ours = shop.seller_email
    if ours and shop.seller_id == shop.partner and email.lower() == ours.lower() and _NUMBER.fullmatch(number):
        return replace(shop, seller_id=number)
    return shop
