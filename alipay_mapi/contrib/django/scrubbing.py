"""What Alipay and the buyer's browser sent, taken off the request: Django's debug page, its error mails and the logs of
middleware show whatever is still on it."""
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

#: Where servers keep the address as the browser sent it.
_ADDRESSES = ("REQUEST_URI", "RAW_URI", "UNENCODED_URL", "HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL")


def query(request: HttpRequest) -> str:
    """The raw query string, which is not on the request any more."""
    meta = request.META
    found = meta.get("QUERY_STRING") or ""
    meta["QUERY_STRING"] = ""
    for name in _ADDRESSES:
        if isinstance(meta.get(name), str):
            meta[name] = meta[name].partition("?")[0]
    request.GET = QueryDict("")
    return found


def body(request: HttpRequest) -> None:
    """Neither the message nor a parsed form is on the request any more. It also spares whoever asks for a form after
    the view: from Django 5.0 on, ``request.POST`` of a GBK form is a BadRequest."""
    request.POST = QueryDict("")
    if "HTTP_SIGNATURE" in request.META:
        request.META["HTTP_SIGNATURE"] = ""     # of AMS, which signs in a header
    # There is no public way to take the body away.
    request._body = b""
    # Whoever asked for request.FILES would make Django read the form after all; there is no public way to set it.
    request._files = MultiValueDict()
