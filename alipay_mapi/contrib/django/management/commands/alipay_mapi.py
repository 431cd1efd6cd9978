"""``manage.py alipay_mapi …``: the whole command line of the package with the shop's settings, same arguments, same
exit codes. Django's own options stand in front: ``manage.py alipay_mapi --settings=shop.live fallback run``.

Under ``call_command`` any exit code but 0 is a CommandError with that ``returncode``.
"""
import argparse
import contextlib
import os
import sys
from typing import Any, Dict, List, NamedTuple

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from ...hosting import PROG, run

#: Django's options: whether a value follows.
_DJANGO = {"--settings": True, "--pythonpath": True, "--verbosity": True, "--traceback": False, "--no-color": False,
           "--force-color": False, "--skip-checks": False}


class Arguments(NamedTuple):
    """``argv``: for the command line of the package. ``traceback``: with it. ``colour``: not without it."""

    argv: List[str]
    traceback: bool = False
    colour: bool = True


def split(argv: List[str]) -> Arguments:
    """Take Django's options from the front; ``--settings`` and ``--pythonpath``, which Django takes anywhere, from
    anywhere.

    >>> split(["-v", "2", "--traceback", "doctor", "--settings=shop.live", "--json"])
    Arguments(argv=['-v', 'doctor', '--json'], traceback=True, colour=True)
    """
    rest, levels = list(argv), 0
    found: Dict[str, str] = {}
    while rest:
        name, equals, value = rest[0].partition("=")
        if name == "-v" and len(rest) > 1 and rest[1] in "0123":
            name, equals, value = "--verbosity", "=", rest.pop(1)
        if name not in _DJANGO:
            break
        rest.pop(0)
        if _DJANGO[name] and not equals:
            value = rest.pop(0) if rest else ""
        found[name] = value
    if found.get("--verbosity") in ("2", "3"):
        levels = int(found["--verbosity"]) - 1
    kept = []
    while rest:
        word = rest.pop(0)
        if word in ("--settings", "--pythonpath"):
            rest = rest[1:]
        elif not word.startswith(("--settings=", "--pythonpath=")):
            kept.append(word)
    return Arguments(["-v"] * levels + kept, "--traceback" in found, "--no-color" not in found)


class _Whole(argparse.ArgumentParser):
    """Hands out every argument as it is: the package has a parser of its own. ``call_command`` looks for Django's
    options among those that a parser has."""

    def __init__(self, prog):
        super().__init__(prog=prog)
        self.add_argument("--verbosity", default=1)
        for name in ("--traceback", "--no-color", "--force-color", "--skip-checks"):
            self.add_argument(name, action="store_true")

    def parse_args(self, args=None, namespace=None):
        found = super().parse_args([])
        found.args = list(args or ())
        return found


class Command(BaseCommand):
    help = "Sign, ask and verify for shops on Alipay's legacy gateway (MAPI), and run the query fallback."
    #: ``doctor`` is what looks, and cron shall not look every minute.
    requires_system_checks: Any = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return _Whole(PROG)

    def print_help(self, prog_name: str, subcommand: str) -> None:
        from .....cli import build_parser
        sys.stdout.write(build_parser(PROG).format_help())

    def run_from_argv(self, argv: List[str]) -> None:
        self._called_from_command_line = True
        try:
            code = _run(argv[2:])
        finally:
            connections.close_all()
        sys.exit(code)

    def handle(self, *args: Any, **options: Any) -> None:
        with contextlib.ExitStack() as stack:
            if options.get("stdout") is not None:
                stack.enter_context(contextlib.redirect_stdout(options["stdout"]))
            if options.get("stderr") is not None:
                stack.enter_context(contextlib.redirect_stderr(options["stderr"]))
            code = _run(["--no-color"] * bool(options["no_color"]) + ["--traceback"] * bool(options["traceback"])
                        + ["-v"] * (int(options["verbosity"]) - 1) + [str(arg) for arg in args])
        if code:
            error = CommandError("alipay_mapi {} ended with exit code {}".format(
                " ".join([str(arg) for arg in args if not str(arg).startswith("-")][:2]), code))
            error.returncode = code     # Django before 3.1 does not know it
            raise error


def _run(argv: List[str]) -> int:
    told = split(argv)
    with _colour(told.colour):
        return run(told.argv + ["--debug"] * told.traceback)


@contextlib.contextmanager
def _colour(wanted):
    """``--no-color`` as the package understands it."""
    before = os.environ.get("NO_COLOR")
    if not wanted:
        os.environ["NO_COLOR"] = "1"
    try:
        yield
    finally:
        if not wanted and before is None:
            del os.environ["NO_COLOR"]
