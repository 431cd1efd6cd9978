"""The library's words in the command line's, and what somebody may have meant who misspelt a name."""
import difflib
import re
from typing import Iterable

#: (what the library says, what this program says); the library speaks of arguments, and here they are options.
_TABLE = tuple((re.compile(library), here) for library, here in (
    (r"[Pp]ass confirm=Client\(shop\)\.notify_verify", "Give --confirm"),
    (r"\b[Pp]ass content_type\b", "give --content-type"),
    (r"(?<![\w&-])(order|confirm|asked|own)=(?![\w\"'])", r"--\1"),
    (r"^(order|asked|own): ", r"--\1: "),
    (r"\bcontent_type=?(?![\w=])", "--content-type"),
    (r"\ballow_http=True\b", "--allow-http"),
    (r"\ba GATEWAY_ constant\b", "a short name: intl, instore, mainland, sandbox or hk"),
    (r"\bor None not to send it\b", "or none: not sent"),
    (r"\bgive the app build_order_string\([^)]*\)", "make it with alipay-mapi order-string"),
    (r"; read the file and pass what it holds\b", "; a path belongs into the setting whose name ends in _file"),
    (r"\bmake another Merchant, or leave it out\b", "leave it out"),
    (r"; this merchant was made without it\b", "; it is not set"),
))


def for_shell(text: str) -> str:
    """A message of the library, as this program says it.

    >>> for_shell("no order= was given, so nothing was compared")
    'no --order was given, so nothing was compared'
    """
    for library, here in _TABLE:
        text = library.sub(here, text)
    return text


def as_options(text: str, names: Iterable[str]) -> str:
    """The parameters ``names`` in a text, as the options that are called like them; plain words only at its beginning.

    >>> as_options("out_trade_no: give exactly one of out_trade_no, trade_no", ["out_trade_no", "trade_no"])
    '--out-trade-no: give exactly one of --out-trade-no, --trade-no'
    """
    for name in names:
        pattern = r"(?<![\w-]){}(?![\w=])" if "_" in name else "^{}(?=: )"
        text = re.sub(pattern.format(re.escape(name)), "--" + name.replace("_", "-"), text)
    return text


def meant(word: str, known: Iterable[str], cutoff: float = 0.75) -> str:
    """What to put behind "not known": the known word that is spelled most like this one, or "".

    >>> meant("--ordr", ["--order", "--own"]), meant("x", ["--order"])
    (' (meant --order?)', '')
    """
    nearest = difflib.get_close_matches(word, sorted(known), 1, cutoff)
    return " (meant {}?)".format(nearest[0]) if nearest else ""
