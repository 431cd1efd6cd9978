"""``migrate``: what a move to another gateway would mean. What its commands do is in ``migrate_…``, loaded when one
runs. Neither asks a gateway, and neither changes anything."""
import importlib
from typing import Any, Callable

from . import options
from .output import Output


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    group = commands.add_parser("migrate", parents=parents[:1], help="what a move to AMS or OpenAPI would mean",
                                examples=("alipay-mapi migrate explain access.log",
                                          "alipay-mapi migrate plan --store sqlite:///orders.db"))
    group.set_defaults(run=None, parser=group)
    below = group.add_subparsers(metavar="COMMAND")
    _explain(below, parents)
    _plan(below, parents[:1])


def _later(module: str) -> Callable[[Any, Output], int]:
    """The translators and the store take time to load; other commands shall not wait for them."""
    def run(args, out):
        return importlib.import_module("." + module, __package__).run(args, out)
    return run


def _explain(below, parents):
    parser = below.add_parser("explain", parents=parents, help="what logged requests and notifications would be there, "
                              "field by field", examples=(
                                  "alipay-mapi migrate explain access.log",
                                  "alipay-mapi migrate explain - --to both --clamp-expiry --ignore supplier < urls.txt",
                                  "alipay-mapi migrate explain notify.log --config shop.ini --json"))
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="lines of any log: payment URLs, queries, "
                        "form bodies, order strings, JSON; - for stdin, default")
    parser.add_argument("--to", choices=("ams", "openapi", "both"), default="ams", help="where to; default ams")
    parser.add_argument("--each", action="store_true", help="tell every message, not only one of each shape")
    parser.add_argument("--home", choices=("mapi", "ams", "openapi"), help="where the orders of the logged queries and "
                        "refunds live; default: where they go, to show what such a call will be")
    parser.add_argument("--clamp-expiry", action="store_true", help="cut a timeout that is longer than AMS takes")
    parser.add_argument("--ignore", metavar="NAME", action="append", default=[],
                        help="a parameter that may be dropped; once for each")
    parser.add_argument("--os-type", choices=("ANDROID", "IOS"), help="what the app runs on, where appenv does not say "
                        "it")
    parser.add_argument("--now", metavar="TIME", help="when the requests were made, as '2026-01-31 12:00:00' (GMT+8): "
                        "what ends at a moment may be past by now")
    parser.set_defaults(run=_later("migrate_explain"), parser=parser)


def _plan(below, parents):
    parser = below.add_parser("plan", parents=parents, help="which orders only MAPI can still settle or refund, and "
                              "until when", examples=(
                                  "alipay-mapi migrate plan --store sqlite:///orders.db",
                                  "alipay-mapi migrate plan --store sqlite:///orders.db --refund-window 90d --list"))
    options.store(parser)
    parser.add_argument("--refund-window", metavar="TIME", help="how long after its payment an order can be refunded: "
                        "your contract says it; default 366d")
    parser.add_argument("--by", choices=("day", "month"), default="month", help="what to count by; default month")
    parser.add_argument("--list", action="store_true", help="name the orders")
    parser.set_defaults(run=_later("migrate_plan"), parser=parser)
