"""``migrate explain``: what a log's requests and notifications would be on AMS and OpenAPI. Masked; nothing is sent."""
import os
import re
import sys
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, Callable, Iterator, Optional

from ..errors import InvalidRequest, MalformedParameter, show
from ..migration.logged import CALL, CANNOT, MOVES, NOTED, NOTIFICATION, RETURN, Tally, Wanted
from ..migration.logged.finding import LONGEST
from ..times import parse_time
from . import exits, migrate_show, options, settings
from .output import Output
from .progress import progress_bar

_EVERY = 500
_WANTED = "payment URLs, queries, form bodies of notifications or order strings of MAPI"


def run(args: Any, out: Output) -> int:
    targets = ("ams", "openapi") if args.to == "both" else (args.to,)
    found = Tally(targets, _wanted(args), args.each, _verifier(args))
    with _opened(args.file, out) as file:
        _read(file, found)
    _as_data(found, out)
    if not found.messages and not found.damaged:
        raise InvalidRequest("FILE: {} lines, and no message of MAPI in them; expected are {}".format(
            found.lines, _WANTED), parameter="FILE")
    if not out.as_json:
        for number, group in enumerate(found.groups.values(), 1):
            migrate_show.group(number, group, out)
        migrate_show.summary(found, out)
    return exits.WORK_REMAINS if found.stuck else exits.DONE


def _wanted(args) -> Wanted:
    now, problem = datetime.now(timezone.utc), ""
    if args.now is not None:
        try:
            now = parse_time(options.text(args.now))
        except MalformedParameter as err:
            problem = str(err)
    if problem:
        raise InvalidRequest("--now: {}, in GMT+8".format(problem), parameter="now")
    ignore = frozenset(options.text(name) for name in args.ignore)
    return Wanted(now, args.home, ignore, args.clamp_expiry, args.os_type)


def _verifier(args) -> Optional[Callable[[bytes], Any]]:
    """Checks a notification, if a merchant was given."""
    environ = os.environ
    if not (args.config or args.merchant or args.partner or any(
            environ.get(settings.PREFIX + name) for name in ("CONFIG", "MERCHANT", "PARTNER"))):
        return None
    from ..notification import verify_notify
    shop = settings.make_merchant(settings.load(args))
    return lambda raw: verify_notify(shop, raw)


@contextmanager
def _opened(path: str, out: Output) -> Iterator[Any]:
    if path == "-":
        if sys.stdin.isatty():
            out.talk("reading lines of a log from the terminal; end with Ctrl-D")
        yield getattr(sys.stdin, "buffer", sys.stdin)
        return
    problem, file = "", None
    try:
        file = open(path, "rb")
    except OSError as err:
        problem = err.strerror or type(err).__name__
    if file is None:
        raise InvalidRequest("FILE: cannot read {}: {}".format(show(path, 200), problem), parameter="FILE")
    with file:
        yield file


def _read(file, found):
    size = os.fstat(file.fileno()).st_size if hasattr(file, "name") and isinstance(file.name, str) else 0
    bar = progress_bar("{task.percentage:>3.0f} %") if size else None
    if bar is None:
        for line in _lines(file):
            found.take(line)
        return
    with bar:
        task = bar.add_task("", total=size)
        for line in _lines(file):
            found.take(line)
            if found.lines % _EVERY == 0:
                bar.update(task, completed=file.tell())


def _lines(file) -> Iterator[bytes]:
    """Lines, of which one that is too long for any message is cut."""
    problem = ""
    try:
        while True:
            line = file.readline(LONGEST)
            if not line:
                return
            rest = line
            while len(rest) == LONGEST and not rest.endswith(b"\n"):
                rest = file.readline(LONGEST)
            yield line
    except OSError as err:
        problem = err.strerror or type(err).__name__
    raise InvalidRequest("FILE: cannot be read ({})".format(problem), parameter="FILE")


# --- JSON -------------------------------------------------------------------------------------------------------------

def _as_data(found, out):
    out.data(
        targets=list(found.targets), lines=found.lines, without_a_message=found.without, messages=found.messages,
        calls=found.kinds.get(CALL, 0), notifications=found.kinds.get(NOTIFICATION, 0),
        returns=found.kinds.get(RETURN, 0), cannot_move=found.stuck,
        damaged=[{"reason": why, "messages": count, "line": line} for why, (count, line) in found.damaged.items()],
        services=[dict({"service": service, "target": target}, **{word: verdicts.get(word, 0) for word in (
            MOVES, NOTED, CANNOT)}) for (service, target), verdicts in sorted(found.services.items())],
        reasons=[{"target": target, "parameter": parameter, "reason": reason, "remedy": for_options(remedy),
                  "messages": count} for (target, parameter, reason, remedy), count in _most(found.reasons)],
        not_told=found.untold, shapes=[_shape(group) for group in found.groups.values()] if out.as_json else [])


def _shape(group):
    return {"line": group.line, "messages": group.count, "kind": group.message.kind,
            "service": show(group.message.service) or None, "verdict": group.verdict or None,
            "verified": group.verified, "targets": {one.target: {
                "verdict": one.verdict or None, "calls": list(one.calls),
                "notes": [for_options(note) for note in one.notes],
                "fields": [{"name": field.name, "value": field.value,
                            "to": [{"request": step, "path": path, "value": value} for step, path, value in field.to],
                            "notes": [for_options(note) for note in field.notes],
                            "refusals": [{"reason": reason, "remedy": for_options(remedy)}
                                         for reason, remedy in field.refusals]} for field in one.fields],
                "requests": list(one.requests)} for one in group.explained}}


def _most(counted):
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


# --- words ------------------------------------------------------------------------------------------------------------

_OPTIONS = tuple((re.compile(words), option) for words, option in (
    (r"Context\(ignore=\{'([^']*)'\}\)", r"--ignore \1"), (r"Context\(clamp_expiry=True\)", "--clamp-expiry"),
    (r"Context\(os_type=…\)", "--os-type"), (r"Context\(home=…\)", "--home"),
    (r", as Context\.ignore says", ", as --ignore says")))


def for_options(text: str) -> str:
    """What the translators say of their arguments, in the words of this command.

    >>> for_options("leave it out, or allow it with Context(ignore={'supplier'})")
    'leave it out, or allow it with --ignore supplier'
    """
    for words, option in _OPTIONS:
        text = words.sub(option, text)
    return text
