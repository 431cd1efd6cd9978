"""What the gateway's error codes mean, whose fault each is, and what may be done next.

The table itself is ``error_code_table``; this module looks things up in it. Nothing here raises: an answer with a code
that no page lists is still an answer.

Source: gateway error codes; the error sections of the API pages; the download pages of the reconciliation files.
"""

import re
import types
from typing import Mapping, NamedTuple, Optional, Union

from . import error_code_table
from .errors import show

#: ``request``: your parameters, files or signing, or an account you named.  ``merchant``: contract, keys, settings or
#: balance at Alipay.  ``buyer``.  ``trade``: the state of the trade or the refund.  ``alipay``, or nobody knows.
FAULTS = ("request", "merchant", "buyer", "trade", "alipay")

#: ``no``: the same request fails again; change something.  ``later``: safe to repeat as it is, later.
#: ``query``: the outcome is unknown or not told; query before repeating a payment or a refund (a query itself may be
#: repeated).  ``wait``: not an error yet.  ``done``: this id was accepted before; do not ask with a new one.
RETRIES = ("no", "later", "query", "wait", "done")


class ErrorCode(NamedTuple):
    """One code of the gateway. ``fault`` is one of ``FAULTS``, ``retry`` one of ``RETRIES``."""

    code: str
    meaning: str
    fault: str
    retry: str
    gloss_zh: str


class FileFailure(NamedTuple):
    """A sentence that a file download gave in place of a file.

    ``empty``: nothing was booked in the period, so this is a file without rows and no error at all.
    """

    text: str
    empty: bool
    meaning: str
    fault: str
    retry: str
    gloss_zh: str


#: Every code that a page spells out.
CODES: Mapping[str, ErrorCode] = types.MappingProxyType({
    code: ErrorCode(code, meaning, fault, retry, gloss)
    for fault, retry, rows in error_code_table.GROUPS
    for code, meaning, gloss in rows
})

_UNKNOWN = ("unknown to this library: look it up at Alipay, and query before repeating", "alipay", "query",
            "本库未收录的错误码")


def describe(code: object) -> ErrorCode:
    """Explain a code as it stands in an answer; case matters, as on the wire.

    Takes anything and never raises. What no page lists gets a row of its own, with ``code`` escaped and cut to be fit
    for a log line: Alipay's fault, query before repeating.

    >>> describe("REPEATED_REFUNDMENT_REQUEST").retry
    'done'
    >>> describe("SYSTEM_ERROR").retry
    'query'
    >>> describe("BRAND_NEW_CODE\\n").code
    'BRAND_NEW_CODE\\\\n'
    """
    if not isinstance(code, str):
        return ErrorCode(_show_other(code), *_UNKNOWN)
    code = str.__str__(code)    # lxml's text is a subclass that keeps its whole document alive
    known = CODES.get(code)
    if known is not None:
        return known
    for prefix, fault, retry, meaning, gloss in error_code_table.FAMILIES:
        if code.startswith(prefix):
            return ErrorCode(show(code), meaning, fault, retry, gloss)
    return ErrorCode(show(code), *_UNKNOWN)


def file_failure(body: Union[str, bytes]) -> Optional[FileFailure]:
    """Read the body of a compare or liquidation download: None when it is a file, else why there is none.

    ``body``: the whole text or its raw bytes. The two wordings of "no balance data" have ``empty=True``: treat them as
    a file without rows. A sentence after "File download failed:" that no page lists is a failure too. Letter case,
    blanks and punctuation do not count. Gateway errors are XML and are not looked at here. Never raises.
    Source: forex_compare_file, forex_liquidation_file.

    >>> file_failure("A1|10.00|USD|20200101120000||P|0.30|P|") is None
    True
    >>> file_failure(b"File download failed:Over 10 days to Date period").retry
    'no'
    >>> file_failure("No balance account data in the period").empty
    True
    """
    head = body[:_HEAD]
    if not isinstance(head, str):
        head = bytes(head).decode("ascii", "replace")
    words = _words(head)
    failed = words.startswith(_PREFIX)
    if failed:
        words = words[len(_PREFIX):].strip()
    elif len(body) > _HEAD:
        return None             # without the prefix only a whole body that is a known sentence counts
    if words in _FILE_FAILURES:
        return _FILE_FAILURES[words]
    if failed:
        return FileFailure(show(head.strip()), False, "unknown to this library: a download may be repeated",
                           "alipay", "later", "本库未收录的下载失败原因")
    return None


_HEAD = 200     # characters; the longest sentence with its prefix has 70


def _words(text):
    return " ".join(re.findall("[a-z0-9]+", text.lower()))


_PREFIX = _words("File download failed:")
_FILE_FAILURES = {
    _words(text): FileFailure(text, empty, meaning, fault, retry, gloss)
    for text, empty, fault, retry, meaning, gloss in error_code_table.FILE_FAILURES
}


def _show_other(value):
    if isinstance(value, (bytes, bytearray)):
        return show(bytes(value[:65]).decode("ascii", "backslashreplace"))
    return "<{}>".format(show(type(value).__name__))
