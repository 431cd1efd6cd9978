"""HTTP headers by name, whatever their letter case: the documentation prints ``Client-Id``, the SDKs ``client-id``."""
from collections.abc import Mapping
from typing import Any, Dict, Iterable, Tuple, Union

from ...errors import DuplicateParameter, InvalidRequest, MissingParameter

Headers = Union[Mapping, Iterable[Tuple[str, str]]]

#: Those that decide something here.
_OURS = ("client-id", "request-time", "response-time", "signature", "agent-token")


def lower(headers: Headers) -> Dict[str, str]:
    """Names in lower case → values, blanks around them removed. ``headers``: a mapping, or pairs.

    Raises DuplicateParameter when one of AMS's own stands twice, InvalidRequest for anything but text.
    """
    found: Dict[str, str] = {}
    pairs: Any = headers.items() if hasattr(headers, "items") else headers
    for pair in pairs if isinstance(pairs, Iterable) else ((None, None),):
        name, value = pair if isinstance(pair, (tuple, list)) and len(pair) == 2 else (None, None)
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidRequest("headers: names and values as text (decode bytes as latin-1)", parameter="headers")
        name = name.lower()
        if name in found and name in _OURS:
            raise DuplicateParameter("{}: stands twice among the headers".format(name), parameter=name)
        found[name] = value.strip(" \t")
    return found


def required(headers: Dict[str, str], name: str) -> str:
    """The value of ``name``, or MissingParameter."""
    if not headers.get(name):
        raise MissingParameter("{}: this header is absent, and it is a part of what is signed".format(name),
                               parameter=name)
    return headers[name]
