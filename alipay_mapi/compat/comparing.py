"""Two results of the same call → the fields in which they differ, as they may stand in a log."""
import re
from hmac import compare_digest
from typing import Any, Dict, List, Mapping, NamedTuple, Optional
from urllib.parse import parse_qsl

from ..errors import show
from ..masking import LISTS, PERSONAL, mask

#: Old value, new value: masked; "(absent)" where there is none.
Difference = NamedTuple("Difference", [("field", str), ("old", str), ("new", str)])

ABSENT = "(absent)"
HIDDEN = "(hidden)"
#: Different in every call, with every library.
_OF_THE_MOMENT = ("timestamp", "refund_date", "req_id")
#: Hold several fields, some of them a person's.
_DOCUMENTS = frozenset("req_data notify_data res_data extend_param extra_common_param".split()) | LISTS
_SECRET = re.compile("sign|key|token|secret|password", re.IGNORECASE)
_ADDRESS = re.compile("https?://", re.IGNORECASE)
#: Where the same amount may be written in two ways.
_TWO_WAYS = re.compile(r"[0-9]+\.[0-9]+")


def of_urls(old: str, new: str) -> List[Difference]:
    """Parameter by parameter. A sign that differs is told of only when nothing else does: it follows from the rest."""
    before, after = _params(old), _params(new)
    found = _of_mappings(before, after, skip=_OF_THE_MOMENT + ("sign",))
    if not found and not _moment_differs(before, after) and not compare_digest(
            before.get("sign", "").encode("utf-8", "surrogatepass"), after.get("sign", "").encode("utf-8")):
        found.append(Difference("sign", HIDDEN, HIDDEN))
    gateways = [url.partition("?")[0] for url in (old, new)]
    if gateways[0] != gateways[1]:
        found.insert(0, Difference("(gateway)", shown("url", gateways[0]), shown("url", gateways[1])))
    return found


def of_xml(old: str, new: str) -> List[Difference]:
    """Element by element; what the new text leaves out on purpose (the echo and the sign) is no difference."""
    before, after = _leaves(old), _leaves(new)
    if before is None or after is None:
        return [] if before is after else [Difference("(xml)", *("unreadable" if one is None else "readable"
                                                                 for one in (before, after)))]
    return _of_mappings({name: value for name, value in before.items() if value}, after, skip=("sign", "sign_type"))


def of_values(old: Any, new: Any, field: str = "(result)") -> List[Difference]:
    """Whatever else a call gives: the same, or not. Text is hidden, since it may be a sign."""
    return [] if old == new else [Difference(field, _plain(old), _plain(new))]


def shown(name: str, value: Optional[str]) -> str:
    """A value as it may stand in a log.

    >>> shown("seller_email", "forename@example.com"), shown("sign", "d41d8cd9"), shown("subject", "Tea")
    ('for***@example.com', '(hidden)', 'Tea')
    """
    if not value:
        return ABSENT if value is None else "(empty)"
    if name in _DOCUMENTS or _SECRET.search(name) and name != "sign_type":
        return HIDDEN
    if _ADDRESS.match(value):
        value = value.partition("?")[0].rpartition("@")[2] + ("?…" if "?" in value else "")
    return show(mask(value) if name in PERSONAL or "@" in value else value)


def _of_mappings(before: Mapping[str, str], after: Mapping[str, str], skip) -> List[Difference]:
    return [Difference(show(name, 32), shown(name, before.get(name)), shown(name, after.get(name)))
            for name in sorted(set(before) | set(after))
            if name not in skip and not _same(before.get(name), after.get(name))]


def _same(old, new):
    if old == new:
        return True
    return old is not None and new is not None and _spelled(old) == _spelled(new)


def _spelled(text):
    """21.5 and 21.50 are one amount."""
    return text.rstrip("0") if _TWO_WAYS.fullmatch(text) else text


def _moment_differs(before, after):
    return any(before.get(name) != after.get(name) for name in _OF_THE_MOMENT)


def _params(url) -> Dict[str, str]:
    return dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))


def _leaves(text) -> Optional[Dict[str, str]]:
    from xml.etree import ElementTree
    if not isinstance(text, str) or len(text) > 1024 * 1024 or "<!" in text:
        return None
    try:
        root = ElementTree.fromstring(re.sub(r"\A\s*<\?xml [^<>]*\?>", "", text))
    except (ElementTree.ParseError, ValueError):
        return None
    for echo in root.findall("request"):
        root.remove(echo)
    return {leaf.tag: leaf.text or "" for leaf in root.iter() if not len(leaf) and leaf.tag != "response"}


def _plain(value):
    return repr(value) if value is None or isinstance(value, bool) else "{} {}".format(type(value).__name__, HIDDEN)
