"""``fallback watch``: orders from a file or stdin; what is bad in it is told by line."""
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import Any, BinaryIO, Dict, Iterator, List

from .. import charsets
from ..errors import InvalidRequest, show
from ..fallback import watch_file
from ..fallback.timeouts import seconds_of
from . import exits, fallback_shops
from .fallback_settings import Told
from .output import Output

#: So many bad lines are told one by one.
_LISTED = 20


def run_watch(args: Any, out: Output) -> int:
    told = Told(args)
    shop = fallback_shops.known(args.shop, told) if args.shop else _usual(args, told)
    schedule = told.schedule
    if not charsets.known(args.charset):
        raise InvalidRequest("--charset: one of UTF-8, GBK, GB2312, GB18030", parameter="--charset")
    seconds_of(args.timeout, time.time())
    shops = None if told.config is None and told.host is None else fallback_shops.listed(told)
    bad: List[Dict[str, Any]] = []

    def on_bad(line):
        if len(bad) < _LISTED:
            bad.append({"line": line.number, "problem": line.problem})
            if not out.as_json:
                out.talk("line {}: {}".format(line.number, line.problem))

    with _opened(args.file, args.strict, out) as file, told.store(create=True) as store:
        def lines():
            return watch_file.read_orders(file, watch_file.clock_of(store), shop=shop, timeout=args.timeout,
                                          schedule=schedule, charset=args.charset, form=args.format, shops=shops)

        counts = watch_file.Counts(0, 0, 0)
        if args.strict:
            counts = counts._replace(bad=watch_file.check_lines(store, lines(), on_bad))
            file.seek(0)
        if not counts.bad:
            counts = watch_file.watch_lines(store, lines(), on_bad)
    out.data(store=told.name, shop=shop, new=counts.new, known=counts.known, bad=counts.bad, bad_lines=bad)
    out.facts((("watched", counts.new), ("known", counts.known), ("bad lines", counts.bad)))
    if counts.bad:
        raise InvalidRequest("{} line{} bad{}; {}".format(
            counts.bad, " is" if counts.bad == 1 else "s are",
            ", the first {} are told".format(_LISTED) if counts.bad > _LISTED else "",
            "nothing is watched" if args.strict else "the others are watched; mend them and give the file again, which "
            "changes nothing for those"), parameter="FILE")
    return exits.DONE


def _usual(args, told):
    """The shop of orders that name none; None where the ini has several, so that each line must name its own."""
    if told.config is not None and not fallback_shops.named(args) and len(fallback_shops.listed(told)) > 1:
        names = [name for name in fallback_shops.listed(told) if name.lower() == fallback_shops.ALONE]
        return names[0] if names else None
    return fallback_shops.usual(args, told)


@contextmanager
def _opened(path: str, twice: bool, out: Output) -> Iterator[BinaryIO]:
    """The file, or stdin. ``twice``: it is read two times."""
    if path != "-":
        try:
            file: Any = open(path, "rb")
        except OSError as err:
            file = err.strerror or type(err).__name__
        if isinstance(file, str):
            raise InvalidRequest("FILE: cannot read {}: {}".format(show(path, 200), file), parameter="FILE")
        with file:
            if not twice or file.seekable():
                yield file
                return
            with _kept(file) as copy:
                yield copy
        return
    if sys.stdin is None:
        raise InvalidRequest("FILE: stdin is closed; name a file", parameter="FILE")
    if sys.stdin.isatty():
        out.talk("reading orders from the terminal; end with Ctrl-D")
    stdin: Any = sys.stdin.buffer
    if not twice:
        yield stdin
        return
    with _kept(stdin) as copy:
        yield copy


@contextmanager
def _kept(stream):
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy
