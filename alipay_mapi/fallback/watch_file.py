"""Orders to watch, from a file of any size. A line that is bad is told by its number, and keeps no other from being
watched. No key is needed. How a line is read is in ``order_lines``.
"""
import os
import tempfile
import time
from contextlib import closing
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..errors import AlipayError, StoreError, show
from .order_lines import CSV, JSONL, Line, read_orders
from .stores.contract import Store
from .stores.sqlite import SQLiteStore

__all__ = ["CSV", "JSONL", "Counts", "Line", "check_lines", "clock_of", "read_orders", "watch_lines"]

_SHARE = 5000


class Counts(NamedTuple):
    """``new``: watched from now on. ``known``: watched already. ``bad``: lines with a problem."""

    new: int
    known: int
    bad: int


def clock_of(store: Store) -> Callable[[], float]:
    """The store's clock, without asking the store again for each line."""
    ahead = store.now() - time.monotonic()
    return lambda: ahead + time.monotonic()


def watch_lines(store: Store, lines: Iterable[Line], on_bad: Callable[[Line], Any] = lambda line: None) -> Counts:
    """Watch the good lines, in transactions of some thousands. ``on_bad`` is called with each of the others; bad is
    also an order that is watched already, with another price or on another gateway. Raises StoreError; giving all of it
    again is harmless."""
    new = known = bad = 0
    for line, good in _shares(lines):
        if line is not None:
            on_bad(line)
            bad += 1
            continue
        added, refused = _add(store, good)
        for line in refused:
            on_bad(line)
        new, known, bad = new + added, known + len(good) - len(refused) - added, bad + len(refused)
    return Counts(new, known, bad)


def check_lines(store: Store, lines: Iterable[Line], on_bad: Callable[[Line], Any] = lambda line: None) -> int:
    """How many lines ``watch_lines`` would call bad; nothing is watched. Raises StoreError."""
    bad = 0
    with tempfile.TemporaryDirectory() as folder, closing(SQLiteStore(os.path.join(folder, "check.db"))) as other:
        for line, good in _shares(lines):
            refused = [line] if line is not None else _add(other, good)[1] + _conflicts(store, good)[1]
            for one in {one.number: one for one in refused}.values():
                on_bad(one)
                bad += 1
    return bad


def _shares(lines) -> Iterator[Tuple[Optional[Line], List[Line]]]:
    """(a bad line, []) or (None, some thousand good ones)."""
    share = []
    for line in lines:
        if line.watched is None:
            yield line, []
            continue
        share.append(line)
        if len(share) == _SHARE:
            yield None, share
            share = []
    if share:
        yield None, share


def _add(store: Store, lines: Sequence[Line]) -> Tuple[int, List[Line]]:
    """(how many are new, the lines that are watched already, differently)."""
    refused: List[Line] = []
    for last in (False, False, True):
        try:
            return store.watch([line.watched for line in lines if line.watched is not None]), refused
        except StoreError:
            raise
        except AlipayError:     # WatchConflict; or a stored price that cannot be read
            if last:
                raise
        lines, more = _conflicts(store, lines)
        refused += more
    return 0, refused


def _conflicts(store, lines):
    """(lines without a conflict, those with one): with the store, or with a line before them; or whose stored price
    cannot be read."""
    good: List[Line] = []
    bad: List[Line] = []
    seen: Dict[Tuple[str, str], Any] = {}
    for line in lines:
        one = line.watched
        key = (one.shop, one.order.out_trade_no)
        if key not in seen:
            row = store.get(*key)
            try:
                seen[key] = (one.order, one.gateway) if row is None else (row.order, row.gateway)
            except AlipayError as err:
                seen[key] = str(err)
        if seen[key] == (one.order, one.gateway):
            good.append(line)
        else:
            bad.append(Line(line.number, None, "out_trade_no: watched already, " + _differs(seen[key], one.gateway)))
    return good, bad


def _differs(known, gateway):
    if isinstance(known, str):
        return "and " + known
    if known[1] != gateway:
        return "on {}, and an order never moves; use a new number for {}, or leave it there".format(
            show(known[1], 20), gateway)
    return "with another price; use a new number"
