"""The library's words in the command line's, and what somebody may have meant who misspelt a name."""
import difflib
import re
from typing import Iterable, Sequence

#: (what the library says, what this program says); the library speaks of arguments, and here they are options.
_TABLE = tuple((re.compile(library), here) for library, here in (
    (r"[Pp]ass confirm=Client\(shop\)\.notify_verify", "Give --confirm"),
    (r"\b[Pp]ass content_type\b", "give --content-type"),
    (r"(?<![\w&-])(order|confirm|asked|own)=(?![\w\"'])", r"--\1"),
    (r"^(order|asked|own): ", r"--\1: "),
    (r"\bcontent_type=?(?![\w=])", "--content-type"),
    (r"\ballow_http=True\b", "--allow-http"),
    (r"\ba GATEWAY_ constant\b", "a short name: intl, instore, mainland, sandbox or hk"),
    (r"\bGATEWAY_(INTL|INSTORE|MAINLAND|SANDBOX|HK)\b", lambda match: match.group(1).lower()),
    (r"\bor None not to send it\b", "or none: not sent"),
    (r"\bgive the app build_order_string\([^)]*\)", "make it with alipay-mapi order-string"),
    (r"; read the file and pass what it holds\b", "; give a path as …_file, here the text of the key"),
    (r"\bmake another Merchant, or leave it out\b", "leave it out"),
    (r"\b; this merchant was made without it\b", "; it is not set"),
    (r"\((pass|give) the raw bytes\)", "(the raw bytes are needed)"),
    (r" with request\.params\b", ""),
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
    """The parameters ``names`` in a text, as the options that are called like them.

    >>> as_options("out_trade_no: give exactly one of out_trade_no, trade_no", ["out_trade_no", "trade_no"])
    '--out-trade-no: give exactly one of --out-trade-no, --trade-no'
    """
    for name in names:
        text = re.sub(r"(?<![\w-]){}(?![\w=])".format(re.escape(name)), "--" + name.replace("_", "-"), text)
    return text


def near(word: str, known: Iterable[str], cutoff: float = 0.75) -> Sequence[str]:
    """The known words that are spelled like this one, the nearest first; at most three."""
    return difflib.get_close_matches(word, sorted(known), 3, cutoff)


def meant(words: Sequence[str]) -> str:
    """What to put behind "not known".

    >>> meant(["--order", "--own"]), meant([])
    (' (meant --order or --own?)', '')
    """
    return " (meant {}?)".format(" or ".join(words)) if words else ""
