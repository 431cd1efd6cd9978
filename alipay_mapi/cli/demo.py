"""``demo``: a shop's day beside an emulated gateway, with a report. The day is in ``alipay_mapi.demo``."""
import os
import re
import time
from typing import Any, Iterable

from .._version import __version__
from ..errors import ConfigurationError, InvalidRequest, show
from . import exits
from .output import Output
from .progress import progress_bar

_FOLDER = "alipay-mapi-demo"
_MOST = 5000


def add(commands: Any, parents: list) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo", parents=parents[:1], help="a shop's day beside an emulated gateway, with a report",
        examples=("alipay-mapi demo", "alipay-mapi demo --seed 7 --report /tmp/report.html", "alipay-mapi demo --json",
                  "alipay-mapi demo --migrate"))
    parser.add_argument("--seed", metavar="N", default="1", help="a number; the same one gives the same numbers")
    parser.add_argument("--orders", metavar="N", default="200", help="how many orders, 1 to {}".format(_MOST))
    parser.add_argument("--report", metavar="FILE", help="where the report goes; default: {}, or migration.html "
                        "beside it".format(os.path.join(_FOLDER, "report.html")))
    parser.add_argument("--migrate", action="store_true",
                        help="a running shop moves from MAPI to AMS, and is killed half way")
    parser.set_defaults(run=run, parser=parser)


def run(args: Any, out: Output) -> int:
    out.compact = True
    seed, orders = _number(args.seed, "--seed", 0, 10 ** 9), _number(args.orders, "--orders", 1, _MOST)
    report = _report()
    path = args.report or os.path.join(_FOLDER, "migration.html" if args.migrate else "report.html")
    _make_folder(path)
    return (_migrate if args.migrate else _day)(seed, orders, path, report, out)


def _day(seed, orders, path, report, out):
    from ..demo import audit, numbers, play
    started = time.monotonic()
    out.heading("alipay-mapi demo: {} orders, seed {}, a shop beside an emulated gateway. No account, no network, "
                "no money.".format(orders, seed))
    day = play.Day(seed, orders)
    try:
        _show(day.run(), out)
        differences = audit.compare(day.shop.books, day.rows())
        found, listed = numbers.numbers(day, differences), numbers.order_list(day, differences)
    finally:
        day.close()
    seconds = time.monotonic() - started
    _write(path, report.render(found, listed, seed, seconds, __version__))
    out.data(ok=not differences, seed=seed, numbers=found, report=path, seconds=round(seconds, 1))
    _print(found, out)
    out.line()
    if differences:
        out.bad("DIFFERENT", "the shop's books are not what the gateway's ledger says, in {} places".format(
            len(differences)))
        out.table(differences[0]._fields, differences[:20], "   ")
    else:
        out.good("equal", "the shop's books are what the gateway's ledger says: {} orders compared, no difference; "
                          "nothing forged was booked".format(found["compared"]))
    out.line()
    out.facts([("report", path), ("seconds", "{:.1f}".format(seconds))])
    return exits.INTERNAL if differences else exits.DONE


def _migrate(seed, orders, path, report, out):
    from . import demo_migrate
    from ..demo.migrating.report import render
    started = time.monotonic()
    found, listed = demo_migrate.run(seed, orders, lambda steps: _show(steps, out), out)
    seconds = time.monotonic() - started
    _write(path, render(found, listed, orders, seed, seconds, __version__))
    out.data(ok=not found["differences"], seed=seed, numbers=found, report=path, seconds=round(seconds, 1))
    demo_migrate.show(found, out)
    code = demo_migrate.verdict(found, out)
    out.line()
    out.facts([("report", path), ("seconds", "{:.1f}".format(seconds))])
    return code


def _report() -> Any:
    try:
        from ..demo import report
        return report
    except ImportError:
        pass
    raise ConfigurationError("the demo's report needs Jinja2, which is not installed; run: pip install "
                             "'alipay-mapi[emulator]'")


# --- while it runs ----------------------------------------------------------------------------------------------

def _show(steps: Iterable, out: Output) -> None:
    """A bar at a terminal, a line for every tenth in a log, nothing with ``--json``."""
    if out.as_json:
        for _ in steps:
            pass
        return
    bar = progress_bar("{task.percentage:>3.0f} %")
    if bar is not None:
        with bar:
            task = bar.add_task("", total=1000)
            for step in steps:
                bar.update(task, completed=1000 * step.done // step.total, description=step.what)
        return
    told = 0
    for step in steps:
        tenth = 10 * step.done // step.total
        if tenth > told:
            told = tenth
            out.talk("{:>3} %  {}".format(10 * tenth, step.what))


# --- when it is over --------------------------------------------------------------------------------------------

def _print(found, out):
    out.line()
    out.heading("What became of the orders, by the gateway's ledger")
    out.table(None, [(one["outcome"], one["orders"]) for one in found["outcomes"]], "   ")
    out.line()
    out.heading("How the shop learned of a payment")
    out.table(("it knew", "by notification", "by query"), [
        (one["age"], one["by_notification"], one["by_query"]) for one in found["learned"]], "   ")
    out.line()
    out.heading("Every message, checked")
    out.table(("kind", "messages", "believed", "nothing new", "refused, or a no"), [
        (one["channel"], one["messages"], one["believed"], one["nothing_new"], one["refused"])
        for one in found["messages"]], "   ")
    out.line()
    out.heading("What was not believed")
    out.table(("times", "error", "of a"), [(one["count"], one["class"] + (
        " ({})".format(one["cause"]) if one["cause"] else ""), one["channel"])
        for one in found["refusals"] if one["not_believed"]], "   ")
    out.line()
    out.heading("What was played")
    out.table(("times", "what", "of"), [(one["count"], one["fault"], one["message"])
                                        for one in found["faults"] + found["attacks"]], "   ")
    out.line()
    _print_fallback(found["fallback"], out)


def _print_fallback(found, out):
    from ..demo.report import lasted
    from ..demo.settling import ENDS
    bad, effects, after = found["bad_hour"], found["effects"], found["found_after"]
    out.heading("What the query fallback found")
    out.table(("the order ended", "by notification", "by fallback"), [
        (ENDS[one["outcome"]], one["by_notification"], one["by_fallback"]) for one in found["outcomes"]
        if one["orders"]], "   ")
    out.line()
    rows = [("lost", "{} notifications of payments; the fallback found {} of these payments".format(
        found["lost"], found["found"]))]
    if found["found"]:
        rows.append(("found after", "half of them within {}, the last after {}".format(
            lasted(after["half_within"]), lasted(after["longest"]))))
    rows.append(("runs", "{} runs, {} questions; {} runs met no gateway".format(
        found["runs"]["all"], found["runs"]["asked"], found["runs"]["gateway_down"])))
    rows.append(("bad hour", "{} questions without a usable answer: {} orders settled".format(
        bad["asked"], bad["settled"])))
    if found["killed"]:
        rows.append(("killed", "one worker, in the middle of {}; the next one did the rest".format(
            found["killed"]["out_trade_no"])))
    rows.append(("effects", "{}, handed over {} times, {} done twice, {} left".format(
        effects["recorded"], effects["handed_over"], effects["done_twice"] or "none", effects["left"] or "none")))
    out.facts(rows, "   ")


# --- arguments and files ----------------------------------------------------------------------------------------

def _number(text: str, name: str, least: int, most: int) -> int:
    number = int(text) if re.fullmatch("[0-9]{1,11}", text, re.ASCII) else -1
    if not least <= number <= most:
        raise InvalidRequest("{}: a whole number, {} to {}".format(name, least, most), parameter=name[2:])
    return number


def _make_folder(path: str) -> None:
    """Now, and not after the work is done. Raises ConfigurationError."""
    problem = "is a folder" if os.path.isdir(path) else ""
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    except OSError as err:
        problem = err.strerror or "its folder cannot be made"
    if problem:
        raise ConfigurationError("--report: {} cannot be written ({})".format(show(path, 200), problem))


def _write(path: str, text: str) -> None:
    problem = ""
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as err:
        problem = err.strerror or "error"
    if problem:
        raise ConfigurationError("--report: {} cannot be written ({})".format(show(path, 200), problem))
