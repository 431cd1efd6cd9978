"""What is taken off a request: the raw body, the raw query, and what would stand in their way."""
from typing import Callable, Mapping, Tuple
from urllib.parse import quote

from flask import current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from ...errors import BodyTooLarge, UnreadableMessage

_PART = 65536
#: Where servers keep the address as the browser sent it; their access logs are written from it.
_ADDRESSES = ("REQUEST_URI", "RAW_URI", "UNENCODED_URL", "HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL")


def body(most: int) -> bytes:
    """The raw body, so many bytes at most; before anything looks at ``request.form``. Raises InvalidMessage.

    It is not kept, so that no error tracker finds it on the request afterwards."""
    known = request._get_current_object().__dict__
    if known.get("_cached_data"):       # by request.get_data(), which keeps it
        return known["_cached_data"][:most]
    if "form" in known:
        raise UnreadableMessage("a before_request function or an extension has read request.form, and the raw body is "
                                "gone; let it leave alone what has request.blueprint == \"alipay_mapi\", or call "
                                "request.get_data() first")
    try:
        return _all_of(request.stream.read, most)
    except RequestEntityTooLarge:
        pass
    raise BodyTooLarge("the app's own limit, MAX_CONTENT_LENGTH, is smaller than this message")


def _all_of(read: Callable[[int], bytes], most: int) -> bytes:
    # A stream may give less than it is asked for.
    parts = []
    while most > 0:
        part = read(min(most, _PART))
        if not part:
            break
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def query() -> bytes:
    """The raw query, which is not on the request any more: it has a sign, and the buyer's data."""
    this = request._get_current_object()
    found = this.query_string
    environ = this.environ
    environ["QUERY_STRING"] = ""
    for name in _ADDRESSES:
        if isinstance(environ.get(name), str):
            environ[name] = environ[name].partition("?")[0]
    known = this.__dict__
    for name in ("args", "values", "full_path", "url"):     # those that were looked at before
        known.pop(name, None)
    if "query_string" in known:     # from Werkzeug 2 on
        known["query_string"] = b""
    return found


def called() -> Tuple[str, Mapping[str, str]]:
    """(path and query as they were called, headers): what AMS signs beside the body. The signature is not on the
    request any more."""
    this = request._get_current_object()
    headers = dict(this.headers)
    if "HTTP_SIGNATURE" in this.environ:
        this.environ["HTTP_SIGNATURE"] = ""
    path = quote(this.script_root + this.path, safe="/~!$&'()*+,;=:@")
    asked = this.query_string.decode("latin-1")
    return path + ("?" + asked if asked else ""), headers


def exempt(view: Callable) -> None:
    """Alipay has no CSRF token. Called at each request, before the function that asks for one, as that extension may
    have been added after ours."""
    leave_alone = getattr(current_app.extensions.get("csrf"), "exempt", None)
    if leave_alone is not None:
        leave_alone(view)
