"""The synchronous return: the buyer's browser comes back to ``return_url`` with signed parameters.

A return can be lost, repeated and shown to anybody, so it is never proof of payment: it has no ``is_paid``. Show "we
are checking", and book on the notification or on a query. Source: "Synchronous return" (ac/web_cn/sync).
"""
from typing import Iterable, Optional, Union

from . import fields, form_body, messages
from .checks import NO_ORDER, NO_PARTY, OrderSource, check_amount, check_party, find_order
from .errors import CharsetError, InvalidRequest, MalformedParameter, SignatureInvalid, show
from .merchant import Merchant
from .notification import verified_params


_KNOWN = frozenset(name.encode("ascii") for name in fields.NAMES)


class SynchronousReturn(messages.Message):
    """What the browser brought, with a sign that fits. Not proof of payment."""

    _what = "SynchronousReturn"


def verify_return(shop: Merchant, query: Union[bytes, str], order: Optional[OrderSource] = None,
                  own: Iterable[str] = ()) -> SynchronousReturn:
    """Check the query string of a return and hand it out, or raise.

    ``query``: raw, as the browser sent it (WSGI ``QUERY_STRING``, Flask ``request.query_string``), never parsed.
    ``order``: as for ``verify_notify``. ``own``: names of parameters that your own ``return_url`` has; Alipay does
    not sign those. Raises InvalidMessage and its kinds.
    """
    raw = _raw(query)
    own = (own,) if isinstance(own, str) else tuple(own or ())
    for name in own:
        if not isinstance(name, str):
            raise InvalidRequest("own: names as text, not {}".format(type(name).__name__), parameter="own")
        if name in fields.NAMES:
            raise InvalidRequest("own: {} is a name of the protocol; give your parameter another name".format(name),
                                 parameter="own")
    params = _verified(shop, raw, [name.encode("utf-8", "surrogatepass") for name in own])
    passed, unchecked = [messages.SIGN], {}
    if check_party(shop, params, posted=True):
        passed.append(messages.PARTY)
    else:
        unchecked[messages.PARTY] = NO_PARTY
    if order is None:
        unchecked[messages.ORDER] = unchecked[messages.AMOUNT] = NO_ORDER
    else:
        missing = check_amount(params, find_order(params, order))
        passed.append(messages.ORDER)
        unchecked.update(missing)
        if not missing:
            passed.append(messages.AMOUNT)
    return SynchronousReturn(params, passed, unchecked)


def _verified(shop, raw, own):
    foreign = []
    try:
        return verified_params(shop, raw, None, own)
    except SignatureInvalid:
        foreign = [name for name in form_body.parse(raw) if name not in own and name not in _KNOWN]
    raise SignatureInvalid("the sign does not fit the query: it was altered, or signed with another key{}{}".format(
        "" if shop.sign_type == "MD5" else ", or alipay_public_key is your own public key and not Alipay's",
        ". It also holds {}, which Alipay does not send: if that is in your return_url, name it in own=".format(
            ", ".join(show(name.decode("utf-8", "backslashreplace"), 24) for name in foreign[:3])) if foreign else ""))


def _raw(query):
    raw = _bytes(query)
    if raw.lstrip().lower().startswith((b"http://", b"https://")):
        raise InvalidRequest("query: give the part behind the question mark, not the whole URL", parameter="query")
    raw = raw[1:] if raw.startswith(b"?") else raw
    if not raw:
        raise MalformedParameter("the query is empty: somebody opened the return page without Alipay's parameters")
    return raw


def _bytes(query):
    if isinstance(query, (bytes, bytearray)):
        return bytes(query)
    if not isinstance(query, str):
        raise InvalidRequest("query: give the raw query string, not {}: what a framework has decoded can no longer be "
                             "verified".format(type(query).__name__), parameter="query")
    try:
        return query.encode("latin-1")  # WSGI's way to carry bytes in text
    except UnicodeEncodeError:
        pass
    raise CharsetError("the query string was decoded already; give it raw, as the browser sent it")
