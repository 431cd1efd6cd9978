"""``fallback report``: how the store stands, as a page for people and as a text file for Prometheus."""
import os
from typing import Any

from ..errors import ConfigurationError, InvalidRequest, show
from . import exits, options
from .output import Output

_HTML = "alipay-mapi-fallback.html"


def add(commands: Any, parents: list) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("report", parents=parents, help="a page that shows how the store stands", examples=(
        "alipay-mapi fallback report --store sqlite:///orders.db",
        "alipay-mapi fallback report --store sqlite:///orders.db --html /var/www/fallback.html",
        "alipay-mapi fallback report --store sqlite:///orders.db --prometheus /var/lib/node_exporter/alipay.prom"))
    options.store(parser)
    parser.add_argument("--html", metavar="FILE", help="where the page goes; default {}, unless --prometheus is "
                        "given".format(_HTML))
    parser.add_argument("--prometheus", metavar="FILE", help="write the numbers for Prometheus' textfile collector")
    parser.set_defaults(run=run, parser=parser)


def run(args: Any, out: Output) -> int:
    from ..fallback.report import render
    from ..fallback.standing import standing
    from .fallback_settings import Told
    html = args.html or (None if args.prometheus else _HTML)
    with Told(args).store() as store:
        found = standing(store)
    if html is not None:
        written(html, render(found))
        out.note("report", html)
    if args.prometheus is not None:
        prometheus(args.prometheus, found.counts, found.at)
        out.note("prometheus", args.prometheus)
    counts = dict(found.counts, failing=[one._asdict() for one in found.counts["failing"]])
    out.data(report=html, prometheus=args.prometheus, at=found.at, ages=dict(found.ages), counts=counts)
    return exits.DONE


def prometheus(path: str, counts: Any, at: float, tally: Any = None) -> None:
    """Write the text file. Raises ConfigurationError without the extra, InvalidRequest where it cannot be written."""
    problem = None
    try:
        from ..fallback.prometheus import write
        write(path, counts, at, tally)
    except ImportError as err:
        problem = ConfigurationError("prometheus: no module {}; install alipay-mapi[prometheus]".format(err.name))
    except OSError as err:
        problem = _unwritable(path, err)
    if problem is not None:
        raise problem


def written(path: str, text: str) -> None:
    """Write a page beside its place and move it there: a browser never sees half of it. Raises InvalidRequest."""
    beside, problem = "{}.{}.new".format(path, os.getpid()), None
    try:
        with open(beside, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as err:
        problem = _unwritable(path, err)
        if os.path.exists(beside):
            os.remove(beside)
    if problem is not None:
        raise problem


def _unwritable(path, err):
    return InvalidRequest("{}: cannot be written ({})".format(show(path, 200), err.strerror or type(err).__name__),
                          parameter="FILE")
