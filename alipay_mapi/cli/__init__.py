"""The ``alipay-mapi`` command: each command is one call of the library and some printing.

stdout is data, stderr is talk. Exit codes are in ``exits``. Nothing here knows a rule of signing or checking.
"""
import logging
import os
import re
import sys
import traceback
import warnings
from contextlib import contextmanager
from typing import Any, Optional, Sequence

from ..errors import AlipayError, InvalidRequest
from ..merchant import WeakKeyWarning
from ..services import ServiceAlias
from . import (codes, config, demo, doctor, emulator, exits, fallback, gateway, keys, migrate, options, sign, tour,
               verify)
from .host import Host
from .output import Output
from .versions import versions

PROG = "alipay-mapi"
_EXAMPLES = (
    "alipay-mapi demo                                       a shop's day beside an emulated gateway",
    "alipay-mapi tour                                       see it work: no account, no network",
    "alipay-mapi doctor --config shop.ini                   is my set-up sound?",
    "alipay-mapi verify notify body.bin --config shop.ini   check a notification",
    "alipay-mapi query --out-trade-no A1 --config shop.ini  what became of an order?",
    "alipay-mapi fallback run --config shop.ini             ask about every order that is still open (for cron)",
    "alipay-mapi codes ILLEGAL_SIGN                         what does this error mean?",
)


def build_parser(prog: str = PROG) -> options.Parser:
    """The whole argument parser; ``docs/cli.md`` is compared with it. ``prog``: how it is called, where another program
    runs it."""
    common, shop = options.common(), options.shop()
    examples = [line.replace(PROG, prog, 1) for line in _EXAMPLES]
    parser = options.Parser(prog=prog, parents=[common, options.hidden(options.shop())], examples=examples,
                            description="Sign, ask and verify for shops on Alipay's legacy gateway (MAPI).",
                            epilog="exit codes:\n" + "".join("  {:<4} {}\n".format(code, text) for code, text in
                                                             sorted(exits.MEANINGS.items())))
    parser.add_argument("--version", action="store_true", help="print the versions of this and what it runs on")
    parser.set_defaults(run=None, parser=parser)
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=options.Parser)
    for module in (demo, tour, doctor, config, sign, verify, gateway, fallback, migrate, emulator, codes, keys):
        module.add(commands, [common, shop])
    return parser


def main(argv: Optional[Sequence[str]] = None, host: Optional[Host] = None) -> int:
    """Run one command and return its exit code. ``argv``: without the program's name; default ``sys.argv[1:]``.
    ``host``: the program that runs it with its own settings, see ``host``."""
    argv = list(sys.argv[1:] if argv is None else argv)
    out = Output(as_json="--json" in argv)
    try:
        code = _guarded(argv, out, host)
        out.finish()
    except BrokenPipeError:
        # The reader (head, less) has gone; keep the interpreter from complaining once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = exits.INTERNAL
    return code


def _guarded(argv, out, host) -> int:
    """The exit code of a command, whatever it raises."""
    try:
        options.refuse_secret_flags(argv)
        args = _parse(argv, host)
    except SystemExit:      # --help
        out.as_json = False
        return exits.DONE
    except AlipayError as err:
        return _failed(err, out, "--debug" in argv)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for category in (WeakKeyWarning, ServiceAlias):
            warnings.simplefilter("always", category)
        warnings.showwarning = lambda message, *_, **__: out.talk("warning: {}".format(message))
        try:
            with _log_to_stderr(args.verbose):
                return _run(args, out)
        except BrokenPipeError:
            raise
        except (Exception, KeyboardInterrupt) as err:
            return _failed(err, out, args.debug)


def _parse(argv, host=None) -> Any:
    # argparse before Python 3.8 takes -vv for an abbreviation, and those are switched off.
    argv = [one for arg in argv for one in (["-v"] * (len(arg) - 1) if re.fullmatch("-vv+", arg) else [arg])]
    parser = build_parser(PROG if host is None else host.prog)
    command = options.check_words(parser, argv)
    args, extras = parser.parse_known_args(argv)
    options.check_taken(command, args)
    for name, value in options.DEFAULTS.items():
        if not hasattr(args, name):
            setattr(args, name, value)
    if hasattr(args, "pairs"):      # argparse loses key=value arguments that stand behind an option
        args.pairs += [extra for extra in extras if not extra.startswith("-")]
        extras = [extra for extra in extras if extra.startswith("-")]
    if extras:
        options.unknown(extras, command)
    args.host_program = host
    return args


def _run(args, out) -> int:
    if getattr(args, "version", False):
        rows = versions()
        out.facts((name, version or "not installed") for name, version in rows)
        out.data(versions=dict(rows))
        return exits.DONE
    if args.run is None:
        if out.as_json:
            raise InvalidRequest("no command is given; see {} --help".format(args.parser.prog), parameter="COMMAND")
        sys.stderr.write(args.parser.format_help())
        return exits.USAGE
    host = args.host_program
    out.data(command=args.parser.prog[len(PROG if host is None else host.prog):].strip())
    return args.run(args, out)


def _failed(error, out, debug) -> int:
    code = exits.code_of(error)
    if isinstance(error, AlipayError):
        message = str(error)
    elif isinstance(error, KeyboardInterrupt):
        message = "interrupted"
    else:
        # The text of a foreign exception may hold anything, a key included: only its class is named.
        message = "internal error ({}); run it again with --debug and report where it came from".format(
            type(error).__name__)
    out.error(error, code, message)
    if debug:
        sys.stderr.write(_trace(error))
    return code


def _trace(error) -> str:
    """Where the error came from, and what stood behind it: source lines and classes, no values."""
    parts, seen = [], []
    while error is not None and error not in seen:
        seen.append(error)
        parts.append("{}, raised here:\n{}".format(type(error).__name__, "".join(
            traceback.format_tb(error.__traceback__))))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "".join(parts)


@contextmanager
def _log_to_stderr(verbose):
    """The library's log on stderr while a command runs, if ``-v`` asked for it."""
    if not verbose:
        yield
        return
    logger, handler = logging.getLogger("alipay_mapi"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    before = logger.level
    logger.setLevel(logging.INFO if verbose == 1 else logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
