"""XML bytes → the parts of an answer, with everything refused that Alipay never sends.

Refused before the parser sees it: DOCTYPE, entities, comments, CDATA sections, processing instructions, other charsets,
too many bytes, elements or attributes. Parser flags alone do not do it: ``resolve_entities=False`` leaves ``&e;`` as
text without a word, and ``.text`` of ``TRADE_FINISHED<!-- -->_NOT`` reads ``TRADE_FINISHED`` (CVE-2017-11427 and kin).

Says nothing about trust: that is ``response``.
"""
import re
from functools import lru_cache
from typing import Dict, NamedTuple, Optional

from . import charsets
from .errors import (BodyTooLarge, CharsetError, DuplicateParameter, NotXML, UnexpectedRoot, XMLForbidden, XMLLimit,
                     XMLMalformed, show)
from .presign import UNSIGNED

MAX_BYTES = 1024 * 1024
MAX_ELEMENTS = 5000
#: The echo has one each. libxml2 before 2.12 takes 16 s over the 90,000 that fit into MAX_BYTES.
MAX_ATTRIBUTES = 500

XMLAnswer = NamedTuple("XMLAnswer", [
    ("is_success", Optional[str]),
    ("error", Optional[str]),
    ("container", Optional[str]),
    ("elements", Dict[str, str]),
    ("sign", Optional[str]),
    ("sign_type", Optional[str]),
])

_LONGEST_PROLOG = 256
_PROLOG = re.compile(rb"""<\?xml(?:\s+[a-z]+\s*=\s*(?:"[^"<>&]*"|'[^'<>&]*'))*\s*\?>\s*""")
_ENCODING = re.compile(rb"""\sencoding\s*=\s*["']([^"']*)["']""")
_HTML = re.compile(rb"(?i)<(!doctype\s+html|html|head|body)\b")
_UNKNOWN_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
#: As numbers: bytes in bytes takes ten times as long as a number in them.
_BANG, _QUESTION, _AMPERSAND = b"!?&"
_ATTRIBUTE = re.compile(rb"=[ \t\r\n]*[\"']")


def declared_charset(xml: bytes) -> Optional[str]:
    """The ``encoding`` of the XML declaration. Raises CharsetError when it is not in the closed list."""
    prolog = _PROLOG.match(xml, 0, _LONGEST_PROLOG)
    named = _ENCODING.search(prolog.group()) if prolog else None
    if named is None:
        return None
    name = named.group(1).decode("latin-1")
    if not charsets.known(name):
        raise CharsetError("the answer declares the charset {!r}; Alipay uses UTF-8, GBK, GB2312, GB18030".format(
            show(name, 24)))
    return name


def trimmed(xml: bytes) -> bytes:
    """The answer without a byte-order mark and surrounding blanks. Raises NotXML, XMLForbidden, BodyTooLarge."""
    if len(xml) > MAX_BYTES:
        raise BodyTooLarge("{} bytes; no answer is larger than {}".format(len(xml), MAX_BYTES))
    if b"\x00" in xml[:64]:
        raise XMLForbidden("the answer is in UTF-16 or UTF-32, which Alipay never sends and filters rarely read")
    xml = (xml[3:] if xml.startswith(b"\xef\xbb\xbf") else xml).strip()
    if not xml.startswith(b"<"):
        raise NotXML("the answer is not XML but {}".format("empty" if not xml else "something else (an error page, "
                                                           "JSON, plain text)"))
    if _HTML.match(xml):
        raise NotXML("the answer is an HTML page: an error page of the gateway or of something in between")
    return xml


def parse(xml: bytes, codec: str) -> XMLAnswer:
    """Parse a :func:`trimmed` answer whose bytes are text in ``codec`` (raises UnicodeDecodeError when they are not).

    ``elements``: the leaves of the one element inside ``<response>``, names to whole text. The ``<request>`` echo,
    attributes and text between elements are not signed and not handed out. Raises XMLForbidden, XMLLimit,
    XMLMalformed, UnexpectedRoot, DuplicateParameter.
    """
    prolog = _PROLOG.match(xml, 0, _LONGEST_PROLOG)
    xml = xml[prolog.end() if prolog else 0:]
    text = xml.decode(codec)
    # On the bytes: in no charset of the closed list is < or & a part of another character.
    if _BANG in xml and b"<!" in xml or _QUESTION in xml and b"<?" in xml:
        raise XMLForbidden("the answer holds a DOCTYPE, comment, CDATA section or processing instruction, and Alipay's "
                           "never do")
    if _AMPERSAND in xml and _UNKNOWN_ENTITY.search(xml):
        raise XMLForbidden("the answer holds an entity that XML does not define, and Alipay's never do")
    if xml.count(b"<") > 2 * MAX_ELEMENTS:
        raise XMLLimit("more than {} elements".format(MAX_ELEMENTS))
    if xml.count(b"=") > MAX_ATTRIBUTES and len(_ATTRIBUTE.findall(xml)) > MAX_ATTRIBUTES:
        raise XMLLimit("more than {} attributes".format(MAX_ATTRIBUTES))
    root = _root(xml if codec == "utf-8" else text.encode("utf-8"))
    if root.tag != "alipay" or root.attrib:
        raise UnexpectedRoot("the root element is {!r}, not alipay".format(show(root.tag, 32)))
    parts = _by_name(root)
    response = parts.get("response")
    container, elements = (None, {}) if response is None else _elements(response)
    return XMLAnswer(_leaf(parts.get("is_success")), _leaf(parts.get("error")), container, elements,
                     _leaf(parts.get("sign")), _leaf(parts.get("sign_type")))


def _by_name(parent):
    found = {}
    for child in parent:
        name = child.tag
        if name in found:
            raise _twice(name)
        if name[0] == "{":
            raise XMLMalformed("an element is in a namespace; Alipay's answers have none")
        found[name] = child
    return found


def _elements(response):
    inside = _by_name(response)
    if len(inside) != 1:
        raise XMLMalformed("<response> holds {} elements; an answer has one".format(len(inside)))
    (container, element), = inside.items()
    elements: Dict[str, str] = {}
    for name, leaf in _by_name(element).items():
        if len(leaf):
            raise _nested(leaf)
        elements[name] = leaf.text or ""
    # Never part of the signed text, so in here they would be handed out unsigned (signature wrapping).
    for name in UNSIGNED:
        if name in elements:
            raise _twice(name)
    return container, elements


def _leaf(element):
    if element is None:
        return None
    if len(element):
        raise _nested(element)
    return element.text or ""


def _twice(name):
    name = show(name, 32)
    return DuplicateParameter("the element {} stands twice, or where it does not belong".format(name), parameter=name)


def _nested(leaf):
    if any(len(child) for child in leaf):
        return XMLLimit("{}: nested deeper than any answer of a known service".format(show(leaf.tag, 32)))
    return XMLForbidden("{}: elements stand inside a value, and no page says how such a value is signed (mainland "
                        "contracts with fund_bill_list have it); a person must look".format(show(leaf.tag, 32)))


def _root(utf8):
    from lxml import etree
    problem = None
    try:
        return etree.fromstring(utf8, _parser())
    except etree.XMLSyntaxError as error:
        problem = "deep" if "depth" in str(error).lower() else "damaged"
    except ValueError:  # half of a surrogate pair, from GB18030's four-byte forms
        problem = "damaged"
    if problem == "deep":
        raise XMLLimit("nested deeper than any answer")
    raise XMLMalformed("the XML is damaged or cut short; ask again")


@lru_cache(maxsize=None)
def _parser():
    """One hardened parser for all answers (lxml guards it with a lock). The text is UTF-8 by then."""
    from lxml import etree
    return etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False,
                           dtd_validation=False, huge_tree=False, recover=False, remove_blank_text=False)
