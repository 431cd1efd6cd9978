"""``codes``: what the gateway's error codes mean, whose fault each is, and whether to try again."""
from typing import Any

from .. import error_codes
from ..errors import InvalidRequest
from . import exits, options
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
    out.talk("{} of {} codes".format(len(rows), len(error_codes.CODES)))
    return exits.DONE


def _one(code, out):
    row = error_codes.describe(code)
    known = code in error_codes.CODES
    out.facts((("code", row.code), ("meaning", row.meaning), ("中文", row.gloss_zh), ("whose fault", row.fault),
               ("try again", RETRY[row.retry])))
    out.data(known=known, **row._asdict())
    if not known:
        out.talk("{} is in no page of the catalogue".format(row.code))
    return exits.DONE
