"""``fallback report``: how the store stands, as a page for people and as a text file for Prometheus."""
import binascii
import os
import stat
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
        written(html, render(found).encode("utf-8"), 0o600)
        out.note("report", html)
    if args.prometheus is not None:
        prometheus(args.prometheus, found)
        out.note("prometheus", args.prometheus)
    counts = dict(found.counts, failing=[one._asdict() for one in found.counts["failing"]])
    out.data(report=html, prometheus=args.prometheus, at=found.at, ages=dict(found.ages), counts=counts,
             late=found.late, for_a_person=found.for_a_person, needs_a_person=[one._asdict() for one in found.persons],
             refunds=[one._asdict() for one in found.refunds])
    return exits.DONE


def prometheus(path: str, found: Any, tally: Any = None) -> None:
    """Write the text file. ``found``: a Standing. Raises ConfigurationError without the extra, InvalidRequest where it
    cannot be written."""
    problem = ""
    try:
        from ..fallback.prometheus import text_of
    except ImportError as err:
        problem = str(err.name)
    if problem:
        raise ConfigurationError("prometheus: no module {}; install alipay-mapi[prometheus]".format(problem))
    written(path, text_of(found, tally), 0o666)


def written(path: str, data: bytes, mode: int) -> None:
    """Write a file beside its place and move it there: nobody ever reads half of it. ``mode``: of a new file; one that
    is there keeps its own. Raises InvalidRequest."""
    beside, problem = "{}.{}.new".format(path, binascii.hexlify(os.urandom(6)).decode("ascii")), None
    made = False
    try:
        # A name that is there already, a link above all, is not followed and not written to.
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        made = True
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if os.path.isfile(path) and not os.path.islink(path):
            os.chmod(beside, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(beside, path)
    except OSError as err:
        problem = InvalidRequest("{}: cannot be written ({})".format(show(path, 200), err.strerror or
                                                                     type(err).__name__), parameter="FILE")
        if made and os.path.exists(beside):
            os.remove(beside)
    if problem is not None:
        raise problem
