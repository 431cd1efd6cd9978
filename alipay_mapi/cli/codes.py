"""``codes``: what the gateway's error codes mean, whose fault each is, and whether to try again."""
import re
from typing import Any

from .. import error_code_table, error_codes
from ..errors import InvalidRequest, show
from . import exits, options, words
from .output import Output

HEAD = ("code", "fault", "retry", "meaning")
#: The catalogue's words for ``retry``, as a sentence.
RETRY = {
    "no": "no: the same request fails again; change something",
    "later": "safe to repeat as it is, later",
    "query": "query before repeating: the outcome is unknown or not told",
    "wait": "not an error yet: wait, and query",
    "done": "this id was accepted before; do not ask with a new one",
}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII).fullmatch


def add(commands: Any, parents: list) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("codes", parents=parents[:1], help="explain the gateway's error codes",
                                 examples=("alipay-mapi codes ILLEGAL_SIGN", "alipay-mapi codes --search refund",
                                           "alipay-mapi codes --json"))
    parser.add_argument("code", nargs="?", metavar="CODE", help="one code, as it stands in the answer")
    parser.add_argument("--search", metavar="TEXT", help="codes whose name, meaning or gloss holds the text")
    parser.set_defaults(run=run, parser=parser)


def run(args: Any, out: Output) -> int:
    if args.code is not None and args.search is not None:
        raise InvalidRequest("code: give a code or --search, not both", parameter="code")
    if args.code is not None:
        return _one(options.text(args.code), out)
    rows = list(error_codes.CODES.values())
    if args.search is not None:
        wanted = options.text(args.search).lower()
        rows = [row for row in rows if any(wanted in text.lower() for text in row)]
    out.table(HEAD, [(row.code, row.fault, row.retry, row.meaning + "  " + row.gloss_zh) for row in rows])
    out.data(codes=[row._asdict() for row in rows])
    if not out.as_json:
        out.talk("{} of {} codes".format(len(rows), len(error_codes.CODES)))
    return exits.DONE


def _one(code, out):
    known = code in error_codes.CODES
    listed = known or code.startswith(tuple(family[0] for family in error_code_table.FAMILIES))
    if not listed or _CODE(code) is None:
        _refuse_misspelt(code)
    row = error_codes.describe(code)
    out.facts((("code", row.code), ("meaning", row.meaning), ("中文", row.gloss_zh), ("whose fault", row.fault),
               ("try again", RETRY[row.retry])) if listed else
              (("code", row.code), ("meaning", "not known: no page that this library was made from lists it"),
               ("try again", RETRY[row.retry])))
    out.data(known=known, **row._asdict())
    return exits.DONE


def _refuse_misspelt(code):
    """A row for what is no code, or nearly one, would read as if Alipay had said it."""
    if _CODE(code) is None:
        raise InvalidRequest("code: {}; a code is a word such as ILLEGAL_SIGN; --search TEXT looks for other words"
                             .format("it is empty" if not code.strip() else "{!r} is none".format(show(code, 40))),
                             parameter="code")
    guess = words.meant(code.upper(), error_codes.CODES, 0.8)
    if guess:
        raise InvalidRequest("code: no page lists {}{}; case matters".format(show(code, 40), guess), parameter="code")
