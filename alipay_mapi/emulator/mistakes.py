"""The usual mistakes in putting a pre-sign string together, as data: name, what a person is told, and how it is made.

``diagnosis`` makes them on purpose. Those that people report: "What users of peer libraries got wrong or asked for".
"""
import html
import re
from decimal import Decimal
from typing import Callable, List, Sequence, Tuple
from urllib.parse import quote, quote_plus, unquote_to_bytes

#: (name, value), percent-decoded.
Pair = Tuple[bytes, bytes]

_NUMBER = re.compile(rb"[0-9]{1,12}(\.[0-9]{1,8})?")


def in_order(pairs, name: bytes = b"", value: bytes = b"") -> List[Pair]:
    """Sorted by name; with ``name`` set to ``value``, if one is given."""
    values = dict(pairs)
    if name:
        values[name] = value
    return sorted(values.items())


def joined(pairs) -> bytes:
    """``name=value`` with & between."""
    return b"&".join([name + b"=" + value for name, value in pairs])


def usual(pairs: Sequence[Pair]) -> List[Pair]:
    """What is to be signed: neither sign nor sign_type, nothing empty."""
    return [(name, value) for name, value in pairs if value and name not in (b"sign", b"sign_type")]


def _with_empty(pairs):
    return [pair for pair in pairs if pair[0] not in (b"sign", b"sign_type")]


def _with_sign_type(pairs):
    return [(name, value) for name, value in pairs if value and name != b"sign"]


def _with_both(pairs):
    return [pair for pair in pairs if pair[0] != b"sign"]


def _plus(value):
    return quote_plus(value).encode("ascii")


def _percent(value):
    return quote(value, safe="").encode("ascii")


def _percent_slash(value):
    return quote(value).encode("ascii")


def _small_hex(value):
    return re.sub("%[0-9A-F]{2}", lambda match: match.group().lower(), quote_plus(value)).encode("ascii")


def _as_number(value: bytes) -> List[bytes]:
    """The other ways in which a program writes this number."""
    if _NUMBER.fullmatch(value) is None:
        return []
    number = Decimal(value.decode("ascii"))
    plain = "{:f}".format(number.normalize())
    return [form.encode("ascii") for form in (plain, plain + ".0" if "." not in plain else plain,
                                              "{:.1f}".format(number), "{:.2f}".format(number))]


def _recoded(reads, writes):
    def change(value):
        try:
            return value.decode(reads).encode(writes)
        except UnicodeError:
            return value
    return change


#: Parameters that are signed too: (name, what was done and what to do, the pairs that were signed).
SELECT: List[Tuple[str, str, Callable[[Sequence[Pair]], List[Pair]]]] = [
    ("sign_type-signed", "sign_type was signed. In this protocol sign and sign_type are left out of the text.",
     _with_sign_type),
    ("empty-signed", "Parameters without a value were signed. Leave out what is empty.", _with_empty),
    ("sign_type-and-empty-signed", "sign_type and parameters without a value were signed. Leave both out.",
     _with_both)]
#: Another order.
ORDER: List[Tuple[str, str, Callable[[Sequence[Pair]], List[Pair]]]] = [
    ("unsorted", "The parameters were signed in the order in which they were sent. Sort them by name.", list),
    ("sorted-without-case", "The names were sorted without regard to capitals. Sort them by their bytes: capitals, "
     "then _, then small letters.", lambda pairs: sorted(pairs, key=lambda pair: pair[0].lower()))]
#: Every value changed in one way.
VALUES: List[Tuple[str, str, Callable[[bytes], bytes]]] = [
    ("encoded-before-signing", "The values were percent-encoded before they were signed. Sign the raw values, then "
     "encode.", way) for way in (_plus, _percent, _percent_slash, _small_hex)] + [
    ("encoded-twice", "The values were percent-encoded twice when they were sent. Let one place alone encode.",
     unquote_to_bytes),
    ("plus-became-blank", "A + arrived as a blank. Percent-encode the values: + is %2B.",
     lambda value: value.replace(b" ", b"+")),
    ("blanks-trimmed", "The values were signed without the blanks around them, and sent with them.", bytes.strip),
    ("signed-in-gbk", "The text was signed in GBK and sent in UTF-8. Sign the bytes in the charset that "
     "_input_charset names, and send the same.", _recoded("utf-8", "gb18030")),
    ("signed-in-utf-8", "The text was signed in UTF-8 and sent in GBK. Sign the bytes in the charset that "
     "_input_charset names, and send the same.", _recoded("gb18030", "utf-8")),
    ("signed-with-question-marks", "The text was signed in a charset that has no such characters: they became ?.",
     lambda value: value.decode("utf-8", "replace").encode("ascii", "replace")),
    ("html-escaped", "The values were signed with HTML escapes in them (&amp; for &). Sign the raw values, escape "
     "when the form is written.", lambda value: html.escape(value.decode("latin-1")).encode("latin-1")),
    ("html-escaped-on-sending", "The values were sent with HTML escapes in them (&amp; for &). Escape once, when the "
     "form is written.", lambda value: html.unescape(value.decode("latin-1")).encode("latin-1", "replace"))]
#: One value changed alone; {} is its name. A change may have several outcomes.
OF_ONE_VALUE: List[Tuple[str, str, Callable[[bytes], List[bytes]]]] = [
    ("encoded-before-signing", "{} alone was percent-encoded before it was signed. Sign the raw value.",
     lambda value: [_plus(value), _percent(value), _percent_slash(value), _small_hex(value)]),
    ("encoded-twice", "{} was percent-encoded twice when it was sent.", lambda value: [unquote_to_bytes(value)]),
    ("plus-became-blank", "A + in {} arrived as a blank. Percent-encode it as %2B.",
     lambda value: [value.replace(b" ", b"+")]),
    ("blanks-trimmed", "{} was signed without the blanks around it, and sent with them; or the other way round.",
     lambda value: [value.strip(), value + b" ", value + b"\n", value + b"\r\n"]),
    ("number-rewritten", "{} was signed as a number that is written in another way. Keep amounts as text.",
     _as_number)]
_CHARSETS = (b"utf-8", b"UTF-8", b"utf8", b"gbk", b"GBK", b"gb2312", b"GB2312")
#: What was signed and not sent, or sent with another value.
ADDED: List[Tuple[bytes, Tuple[bytes, ...]]] = [
    (b"_input_charset", _CHARSETS), (b"payment_type", (b"1",)), (b"sendFormat", (b"normal",))]

#: MD5: where the key went.
WITH_KEY = [
    ("key-with-ampersand", "There was an & between the text and the key. The key follows at once.", b"TEXT&KEY"),
    ("key-as-parameter", "The key was added as a parameter, &key=. The bare key follows the text at once.",
     b"TEXT&key=KEY"),
    ("key-as-parameter", "The key was added with key= before it. The bare key follows the text at once.",
     b"TEXTkey=KEY"),
    ("key-in-front", "The key was put before the text. It goes behind it.", b"KEYTEXT"),
    ("key-in-front", "The key was put before the text. It goes behind it.", b"KEY&TEXT"),
    ("key-on-both-sides", "The key was put on both sides of the text. It goes behind it, once.", b"KEYTEXTKEY"),
    ("no-key", "No key was used: the sign is the sum of the text alone.", b"TEXT"),
    ("blank-in-key", "The key has a blank or a line break at its end: strip it when you read it.", b"TEXTKEY\n"),
    ("blank-in-key", "The key has a blank or a line break at its end: strip it when you read it.", b"TEXTKEY\r\n"),
    ("blank-in-key", "The key has a blank or a line break at its end: strip it when you read it.", b"TEXTKEY "),
    ("blank-in-key", "The key has a blank before it: strip it when you read it.", b"TEXT KEY"),
]
