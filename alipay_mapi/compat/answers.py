"""A checked answer as XML text, for callers that parse it themselves: what was checked, written anew, and nothing else.

In ASCII, with character references: old callers have the text as ``requests`` decoded it (often wrongly) and encode it
in one way or another before they parse it, and this comes out right with all of them.
"""
import re
from typing import Any, Mapping, Optional
from xml.sax.saxutils import escape

_PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)


def yes(elements: Mapping[str, str], container: Optional[str]) -> str:
    """``<is_success>T``, with the elements as they stood in the answer.

    >>> yes({"trade_status": "TRADE_FINISHED"}, "trade").splitlines()[1]
    '<alipay><is_success>T</is_success><response><trade><trade_status>TRADE_FINISHED</trade_status></trade></response></alipay>'
    """
    inside = "".join(_element(name, value) for name, value in elements.items() if _NAME.fullmatch(name))
    if container is not None and _NAME.fullmatch(container):
        inside = "<response><{0}>{1}</{0}></response>".format(container, inside)
    return "{}<alipay><is_success>T</is_success>{}</alipay>".format(_PROLOG, inside)


def no(code: str) -> str:
    """``<is_success>F``, with the gateway's word for its no."""
    return "{}<alipay><is_success>F</is_success>{}</alipay>".format(_PROLOG, _element("error", code))


def _element(name, value):
    text = escape(value, {"\r": "&#13;"}).encode("ascii", "xmlcharrefreplace").decode("ascii")
    return "<{0}>{1}</{0}>".format(name, text)


class Reply:
    """What ``requests.get`` used to give, as far as shops look at it."""

    status_code = 200
    ok = True
    encoding = "utf-8"

    def __init__(self, text: str):
        self.text = text
        self.content = text.encode("ascii")

    def raise_for_status(self) -> None:
        """Nothing: an answer that is none raised before."""

    def json(self) -> Any:
        """Never: it is XML. Raises ValueError, as before."""
        raise ValueError("the answer is XML")

    def __repr__(self):
        return "<Reply [200]>"
