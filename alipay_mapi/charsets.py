"""The charsets of the protocol: a closed list, and which codec writes and which one reads each.

Source: the ``_input_charset`` row of every service page (UTF-8, GBK, GB2312). GB18030 is the superset that reads
what real senders label GBK or GB2312. Any other name is refused: a message must not pick a codec.
"""
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


def codec_of(raw: bytes, declared: Optional[str], configured: Optional[str]) -> str:
    """The codec that reads every byte of a message (never with U+FFFD).

    ``declared``: what the message says of itself; ``configured``: what the shop sends. A GBK reading is tried first
    only when both agree on it, because UTF-8 bytes often read as (wrong) GBK text and hardly ever the other way.
    Raises :class:`CharsetError`.
    """
    first, second = "utf-8", "gb18030"
    if known(declared) and reading_codec(declared) != "utf-8" and reading_codec(configured) != "utf-8":
        first, second = second, first
    for codec in (first, second):
        try:
            raw.decode(codec)
            return codec
        except UnicodeDecodeError:
            continue
    raise CharsetError("the text is neither UTF-8 nor GB18030; it was damaged on the way, or is not Alipay's")


def decode(raw: bytes, declared: Optional[str] = None, configured: Optional[str] = "utf-8") -> str:
    """Bytes to text by :func:`codec_of`."""
    return raw.decode(codec_of(raw, declared, configured))
