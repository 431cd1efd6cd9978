"""``fallback``: its commands and their options. What they do is in the modules ``fallback_…``, loaded when one runs."""
import importlib
from typing import Any, Callable

from . import fallback_report, options
from .output import Output

_INI = "--config shop.ini"
_STORE = "--store sqlite:///orders.db"


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    group = commands.add_parser("fallback", parents=parents[:1], help="ask about every order whose notification may be "
                                "lost, until it is settled", examples=(
                                    "alipay-mapi fallback watch orders.csv {}".format(_STORE),
                                    "alipay-mapi fallback run {} {} --dry-run".format(_STORE, _INI),
                                    "alipay-mapi fallback status {}".format(_STORE)))
    group.set_defaults(run=None, parser=group)
    below = group.add_subparsers(metavar="COMMAND")
    for add_one in (_run, _watch, _refund, _status, _retry, _migrate, _prune):
        add_one(below, parents[:1])
    fallback_report.add(below, parents[:1])


def _command(below, parents, name, module, help_, examples, **settings):
    parser = below.add_parser(name, parents=parents, help=help_, **settings, examples=[
        "alipay-mapi fallback {} {}".format(name, example) for example in examples])
    parser.set_defaults(run=_later(module, "run_" + name), parser=parser)
    options.store(parser)
    return parser


def _later(module: str, name: str) -> Callable[[Any, Output], int]:
    """The store and the gateway's client take time to load; other commands shall not wait for them."""
    def run(args, out):
        return getattr(importlib.import_module("." + module, __package__), name)(args, out)
    return run


def _run(below, parents):
    parser = _command(below, parents, "run", "fallback_run", "ask about what is due, settle it, carry out the effects",
                      ("{} {}".format(_STORE, _INI), "{} --deadline 50s --handler shop.payments:settle".format(_INI),
                       "{} --exec '/usr/local/bin/shop-effect --live' --quiet".format(_INI),
                       "{} --dry-run".format(_INI)), stray="every parameter has its option")
    parser.add_argument("--handler", metavar="MODULE:FUNCTION", help="a function of the shop, called with each effect")
    parser.add_argument("--exec", metavar="COMMAND", help="a command, run for each effect: JSON on its stdin, "
                        "exit code 0 when it is carried out; no shell")
    parser.add_argument("--exec-timeout", metavar="TIME", help="how long the command may take; default 60s")
    parser.add_argument("--limit", metavar="N", help="ask about so many orders at most; a dry run: default 50")
    parser.add_argument("--deadline", metavar="TIME", help="begin nothing after so long, such as 50s")
    parser.add_argument("--workers", metavar="N", help="questions at the same time; default 16")
    parser.add_argument("--per-second", metavar="N", help="queries per second and partner, of all processes together; "
                        "default 20; none: no limit")
    parser.add_argument("--dry-run", action="store_true", help="ask, and show what would follow; write nothing")
    parser.add_argument("--prometheus", metavar="FILE", help="write the numbers for Prometheus' textfile collector")
    parser.add_argument("--quiet", action="store_true", help="say nothing when there was nothing to do")


def _watch(below, parents):
    parser = _command(below, parents, "watch", "fallback_watch", "watch the orders of a file from now on",
                      ("orders.csv {}".format(_STORE), "- {} --timeout 30m < orders.jsonl".format(_STORE),
                       "orders.csv --shop hongkong --charset gbk {} {}".format(_STORE, _INI)))
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="CSV or JSON Lines; - for stdin, default")
    parser.add_argument("--shop", metavar="NAME", help="the shop of orders that name none: its section in the ini; "
                        "default: --merchant, the only section, or default")
    parser.add_argument("--timeout", metavar="TIME", help="how long orders that say nothing else can be paid: what the "
                        "payment request said; default 12h")
    parser.add_argument("--format", choices=("csv", "jsonl"), help="default: by what the file begins with")
    parser.add_argument("--charset", metavar="CHARSET", default="utf-8", help="of the file: UTF-8 (default), GBK, "
                        "GB2312 or GB18030")
    parser.add_argument("--strict", action="store_true", help="watch nothing if one line is bad")


def _refund(below, parents):
    parser = _command(below, parents, "refund", "fallback_refund", "give money back, for sure; only with --yes",
                      ("--out-trade-no A1 --out-return-no R1 --amount 1.00 --yes {} {}".format(_STORE, _INI),),
                      stray="every parameter has its option")
    parser.add_argument("--out-trade-no", metavar="NO", required=True, help="the order, by your number")
    parser.add_argument("--out-return-no", metavar="NO", required=True,
                        help="your number of this refund: what keeps it from happening twice")
    parser.add_argument("--amount", metavar="AMOUNT", required=True, help="how much, in the order's currency; in CNY "
                        "where it is priced in rmb_fee")
    parser.add_argument("--reason", metavar="TEXT", default="", help="shown to the buyer")
    parser.add_argument("--yes", action="store_true", help="write it down; the next run sends it: this moves money")


def _status(below, parents):
    _command(below, parents, "status", "fallback_store", "how many orders are in which state, and what waits",
             (_STORE, "{} --json".format(_STORE)))


def _retry(below, parents):
    parser = _command(below, parents, "retry", "fallback_store", "ask again about what was given up, or one order",
                      (_STORE, "--out-trade-no A1 --merchant hongkong {}".format(_STORE)))
    parser.add_argument("--out-trade-no", metavar="NO", help="this order, whatever became of it; default: all that "
                        "were given up (of --merchant)")


def _migrate(below, parents):
    _command(below, parents, "migrate", "fallback_store", "bring an older store up to this version", (_STORE,))


def _prune(below, parents):
    parser = _command(below, parents, "prune", "fallback_store", "delete settled orders",
                      ("--older 90d {}".format(_STORE),))
    parser.add_argument("--older", metavar="TIME", required=True, help="those that have been settled for so long, such "
                        "as 90d; 2d at least")
