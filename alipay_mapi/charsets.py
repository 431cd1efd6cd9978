"""The charsets of the protocol: a closed list, and which codec writes and which one reads each.

Source: the ``_input_charset`` row of every service page (UTF-8, GBK, GB2312). GB18030 is the superset that reads
what real senders label GBK or GB2312. Any other name is refused: a message must not pick a codec.
"""
import functools
from typing import Optional

from .errors import CharsetError

#: lower-case spelling → (codec that writes, codec that reads)
CHARSETS = {
    "utf-8": ("utf-8", "utf-8"),
    "utf8": ("utf-8", "utf-8"),
    "gbk": ("gbk", "gb18030"),
    "gb2312": ("gb2312", "gb18030"),
    "gb18030": ("gb18030", "gb18030"),
}

#: What the gateway assumes when ``_input_charset`` is not sent.
DEFAULT = "gbk"


def writing_codec(charset: Optional[str]) -> str:
    """The strict Python codec that turns our text into bytes. ``None``: the parameter is not sent, so GBK."""
    return _row(charset)[0]


def reading_codec(charset: Optional[str]) -> str:
    """The strict Python codec that turns received bytes into text."""
    return _row(charset)[1]


def known(charset: Optional[str]) -> bool:
    return charset is not None and charset.lower() in CHARSETS


def _row(charset):
    name = DEFAULT if charset is None else charset.lower()
    if name not in CHARSETS:
        raise CharsetError("the charset is none of UTF-8, GBK, GB2312, GB18030; Alipay uses no other")
    return CHARSETS[name]


def of_content_type(header: Optional[str]) -> Optional[str]:
    """The ``charset`` of a Content-Type header, if it is in the closed list; None otherwise.

    Alipay's own header has a stray word: ``application/x-www-form-urlencoded; text/html; charset=utf-8``.
    """
    for part in (header or "").split(";")[1:]:
        name, _, value = part.partition("=")
        value = value.strip().strip("\"'")
        if name.strip().lower() == "charset":
            return value if known(value) else None
    return None


def codec_of(raw: bytes, declared: Optional[str], configured: Optional[str]) -> str:
    """The codec that reads every byte of a signed message (never with U+FFFD). Raises :class:`CharsetError`.

    ``declared``: what the message says of itself (ignored when Alipay uses no such charset); ``configured``: what the
    shop sends. UTF-8 is always possible, GB18030 when one of the two names it. It comes first only when both do:
    UTF-8 bytes often read as (wrong) GBK text, and hardly ever the other way round.
    """
    named = _named(declared, configured)
    codec = _first_that_reads(raw, _both(named) if "gb18030" in named else ("utf-8",))
    if codec is None:
        raise CharsetError("the text is not {}: damaged on the way, or in a charset that neither the message nor the "
                           "merchant names (pass content_type, or set the merchant's input_charset)".format(
                               "UTF-8 or GB18030" if "gb18030" in named else "UTF-8"))
    return codec


def decode(raw: bytes, declared: Optional[str] = None, configured: Optional[str] = "utf-8") -> str:
    """Bytes that have no sign of their own (a file, an app's text) to text: both charsets are tried."""
    codec = _first_that_reads(raw, _both(_named(declared, configured)))
    if codec is None:
        raise CharsetError("the text is neither UTF-8 nor GB18030; it was damaged on the way, or is not Alipay's")
    return raw.decode(codec)


@functools.lru_cache(maxsize=32)
def _named(declared, configured):
    names = (configured, declared) if known(declared) else (configured,)
    return tuple(reading_codec(name) for name in names)


def _both(named):
    return ["gb18030", "utf-8"] if named == ("gb18030", "gb18030") else ["utf-8", "gb18030"]


def _first_that_reads(raw, codecs):
    for codec in codecs:
        try:
            raw.decode(codec)
            return codec
        except UnicodeDecodeError:
            continue
    return None
