"""The synchronous return: the buyer's browser comes back to ``return_url`` with signed parameters.

A return can be lost, repeated and shown to anybody, so it is never proof of payment: it has no ``is_paid``. Show "we
are checking", and book on the notification or on a query. Source: "Synchronous return" (ac/web_cn/sync).
"""
from typing import Iterable, Optional, Union

from . import fields, messages
from .checks import NO_ORDER, NO_PARTY, OrderSource, check_amount, check_party, find_order
from .errors import CharsetError, InvalidRequest
from .merchant import Merchant
from .notification import verified_params


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
    own = (own,) if isinstance(own, str) else tuple(own)
    for name in own:
        if not isinstance(name, str):
            raise InvalidRequest("own: names as text, not {}".format(type(name).__name__), parameter="own")
        if name in fields.NAMES:
            raise InvalidRequest("own: {} is a name of the protocol; give your parameter another name".format(name),
                                 parameter="own")
    params = verified_params(shop, raw[1:] if raw.startswith(b"?") else raw, None, [n.encode("utf-8") for n in own])
    passed, unchecked = [messages.SIGN], {}
    if check_party(shop, params):
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


def _raw(query):
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
