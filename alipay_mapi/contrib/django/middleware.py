"""Which middleware reads ``request.POST`` before a view is called: by name, or by a look into its source."""
import inspect
import io
import tokenize
from typing import Any, Iterable, Iterator, Tuple

from django.utils.module_loading import import_string

#: Known ones that read it in another module.
KNOWN = {
    "silk.middleware.SilkyMiddleware": "it keeps the form of every request, request.POST, in its own table",
}
_READ = ("POST", "FILES", "REQUEST")


def post_readers(paths: Iterable[str]) -> Iterator[Tuple[str, str]]:
    """(path, why) of each. Django's own leave a view alone that is exempt from CSRF checks."""
    for path in paths:
        if path in KNOWN:
            yield path, KNOWN[path]
        elif not path.startswith("django.") and mentions_post(_source(path)):
            yield path, "its source reads request.POST"


def mentions_post(source: str) -> bool:
    """Does this code, comments and texts aside, read the form of a request?

    >>> mentions_post("def f(request):\\n    return request.POST['a']"), mentions_post("# request.POST\\nx = 'a.POST'")
    (True, False)
    """
    before = ["", ""]
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.string in _READ and before == ["request", "."]:
                return True
            before = [before[1], token.string]
    except (tokenize.TokenError, SyntaxError):
        pass
    return False


def _source(path: str) -> str:
    try:
        found: Any = import_string(path)
        return inspect.cleandoc("\n" + inspect.getsource(found))
    except Exception:   # not there, or no source: Django tells the first itself
        return ""
