"""XML answers as Alipay writes them: the echo of the request, the elements, and a sign where Alipay has one.

Signed are the children of the one element inside ``<response>``, sorted; ``is_success``, the echo and the names of the
containers are not. A gateway error is unsigned, and in GBK when the gateway could not read the charset.
Source: "XML answers", "Charsets".
"""
import re
from typing import Mapping, Optional
from xml.sax.saxutils import escape

from .. import charsets, signing
from ..merchant import Merchant
from ..presign import presign_string

#: What XML 1.0 cannot say, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def failure(code: str, charset: Optional[str]) -> bytes:
    """``is_success`` F and the error. ``charset``: the request's, or None when it could not be told."""
    return _document("<is_success>F</is_success><error>{}</error>".format(text_of(code)), charset)


def success(charset: Optional[str]) -> bytes:
    """A bare ``is_success`` T, as of ``forex_refund`` and ``close_trade``: never signed."""
    return _document("<is_success>T</is_success>", charset)


def answer(signer: Optional[Merchant], asked: Mapping[str, str], container: str, elements: Mapping[str, str],
           charset: Optional[str], is_success: str = "T") -> bytes:
    """A whole answer. ``asked``: the request's parameters, echoed without their sign. ``container``: the element
    inside ``<response>``. ``elements``: names to text; empty ones are left out. ``signer``: None leaves it unsigned."""
    elements = {name: _NO_XML.sub("?", elements[name]) for name in sorted(elements) if elements[name]}
    echo = "".join('<param name="{}">{}</param>'.format(_attribute(name), text_of(value))
                   for name, value in asked.items() if name not in ("sign", "sign_type"))
    inner = "".join("<{0}>{1}</{0}>".format(name, text_of(value)) for name, value in elements.items())
    signed = ""
    if signer is not None:
        # The superset codec: what GBK cannot write is a character reference, and read back before it is signed.
        data = presign_string(elements).encode(charsets.reading_codec(_known(charset)))
        signed = "<sign>{}</sign><sign_type>{}</sign_type>".format(
            signing.sign(signer.sign_type, signer.signing_key, data), signer.sign_type)
    return _document("<is_success>{0}</is_success><request>{1}</request><response><{2}>{3}</{2}></response>{4}".format(
        is_success, echo, container, inner, signed), charset)


def _document(inside, charset):
    charset = _known(charset) or "GBK"
    text = '<?xml version="1.0" encoding="{}"?>\n<alipay>{}</alipay>'.format(charset, inside)
    return text.encode(charsets.writing_codec(charset), "xmlcharrefreplace")


def _known(charset):
    return charset if charsets.known(charset) else None


def text_of(value: str) -> str:
    """As element text. A carriage return is written as a reference: a reader would make a line feed of it."""
    return escape(_NO_XML.sub("?", value), {"\r": "&#13;"})


def _attribute(value):
    return escape(_NO_XML.sub("?", value), {'"': "&quot;"})
