"""One line of a file, one order to watch: CSV with a header, or JSON Lines, each line read for itself.

So a line that is bad costs no other, and a file of any size takes no more memory than its longest line.
"""
import csv
import json
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, BinaryIO, Callable, Collection, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .. import charsets
from ..backend import MAPI
from ..errors import AlipayError, ConfigurationError, InvalidRequest, show
from ..order import Order
from .rows import Watched, checked
from .schedule import Schedule
from .timeouts import seconds_of

CSV, JSONL = "csv", "jsonl"
#: What a line may say of its order.
NAMES = ("out_trade_no", "total_fee", "currency", "rmb_fee", "timeout", "shop", "made_at", "gateway")
USUAL = Schedule()

_LONGEST = 64 * 1024
_SPREADSHEET = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.ASCII | re.IGNORECASE)
_MOMENT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,][0-9]+)? ?"
                     r"(?:Z|([+-])([0-9]{2}):?([0-9]{2})?)", re.ASCII)
#: Seconds that another machine's clock may be ahead of the store's.
_AHEAD = 300.0
_AGES = 3653 * 86400.0


class Line(NamedTuple):
    """``number``: from 1, as an editor counts. Either ``watched`` or ``problem``: what is wrong, and the cure."""

    number: int
    watched: Optional[Watched]
    problem: str = ""


def read_orders(file: BinaryIO, clock: Callable[[], float], *, shop: Optional[str] = None, timeout: Any = None,
                schedule: Schedule = USUAL, charset: str = "utf-8", form: Optional[str] = None,
                shops: Optional[Collection[str]] = None) -> Iterator[Line]:
    """The lines of a file, one at a time.

    ``clock``: the store's, see ``watch_file.clock_of``. ``shop``, ``timeout``: of orders that name none. ``charset``:
    UTF-8 (with or without a byte order mark), GBK, GB2312, GB18030. ``form``: ``csv`` or ``jsonl``, None: by what the
    file begins with. ``shops``: those that there are; None: any. An order with ``made_at`` (Unix seconds, or a moment
    with its zone) has less time left. Raises InvalidRequest for a header that cannot be used, ConfigurationError for an
    unknown charset.

    >>> import io
    >>> line, = read_orders(io.BytesIO(b'{"out_trade_no": "A1", "total_fee": "8.00"}'), lambda: 0.0, shop="hongkong")
    >>> line.number, line.watched.shop, line.watched.closes_in
    (1, 'hongkong', 43200.0)
    """
    if not charsets.known(charset):
        raise ConfigurationError("charset: one of UTF-8, GBK, GB2312, GB18030")
    names: List[str] = []
    comma = ","
    for number, text, problem in _lines(file, charset):
        if not text.strip() and not problem:
            continue
        if form is None and not problem:
            form = JSONL if text.lstrip().startswith("{") else CSV
        if form == CSV and not names:
            names, comma = _header(text, problem)
            continue
        told: Dict[str, Any] = {}
        if not problem:
            told, problem = _object(text) if form == JSONL else _row(text, names, comma)
        if told or problem:
            watched: Optional[Watched] = None
            try:
                watched = None if problem else _watched(told, clock(), shop, timeout, schedule, shops)
            except AlipayError as err:
                problem = str(err)
            yield Line(number, watched, problem)


# --- lines ------------------------------------------------------------------------------------------------------------

def _lines(file, charset) -> Iterator[Tuple[int, str, str]]:
    """(number, text, problem)."""
    utf8, number = charsets.reading_codec(charset) == "utf-8", 0
    codec = charsets.reading_codec(charset)
    while True:
        data = file.readline(_LONGEST + 1)
        if not data:
            return
        number += 1
        if number == 1:
            if data.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise InvalidRequest("the file is UTF-16; save it as UTF-8", parameter="FILE")
            data = data[3:] if utf8 and data.startswith(b"\xef\xbb\xbf") else data
        if len(data) > _LONGEST:
            while data and not data.endswith(b"\n"):
                data = file.readline(_LONGEST)
            yield number, "", "longer than {} bytes: is there a line end behind each order?".format(_LONGEST)
            continue
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            yield number, "", "not {} text; if the file is in another charset, say which".format(charset.upper())
            continue
        yield number, text.rstrip("\r\n"), ""


def _header(text, problem) -> Tuple[List[str], str]:
    comma = max(",;\t", key=text.count)
    names, told = [], problem
    if not problem:
        names, told = _cells(text, comma)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        told = "{} is no column that is known; there are {}; leave others out".format(
            show(repr(unknown[0])), ", ".join(NAMES))
    elif not told and (len(set(names)) != len(names) or "out_trade_no" not in names):
        told = "each column once, and out_trade_no among them"
    if told:
        raise InvalidRequest("the header (a CSV file begins with the columns' names): {}".format(told),
                             parameter="FILE")
    return names, comma


def _cells(text, comma):
    # One line at a time: a quotation mark that is never closed costs one line and not the rest of the file.
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=comma, strict=True))], ""
    except (csv.Error, StopIteration):
        return [], "a quotation mark is not closed, or stands inside a value; a value has no line end in it"


def _row(text, names, comma) -> Tuple[Dict[str, Any], str]:
    cells, problem = _cells(text, comma)
    if problem or not any(cells):
        return {}, problem
    if len(cells) != len(names):
        return {}, "{} values, and {} columns; a value with {} in it stands in quotation marks".format(
            len(cells), len(names), "a tab" if comma == "\t" else "a " + comma)
    return {name: cell for name, cell in zip(names, cells) if cell}, ""


def _object(text) -> Tuple[Dict[str, Any], str]:
    problem = "not one JSON object in one line"
    try:
        told = json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once)
    except KeyError:
        return {}, "a name stands twice in the object"
    except (ValueError, RecursionError, ArithmeticError):   # a number like 1e99999999999999999999 is the last
        return {}, problem
    if not isinstance(told, dict):
        return {}, problem
    unknown = [name for name in told if name not in NAMES]
    if unknown:
        return {}, "{} is no name that is known; there are {}".format(show(repr(unknown[0])), ", ".join(NAMES))
    told = {name: value for name, value in told.items() if value is not None}
    return told, "" if told else "the object says nothing; it needs out_trade_no and a price"


def _once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise KeyError
    return found


def _refuse(name):
    raise ValueError(name)


# --- one order --------------------------------------------------------------------------------------------------------

def _watched(told, now, shop, timeout, schedule, shops) -> Watched:
    number = told.get("out_trade_no")
    if isinstance(number, str) and _SPREADSHEET.fullmatch(number):
        raise InvalidRequest("out_trade_no: it looks like a number that a spreadsheet has rounded; export it as text")
    order = Order(number, total_fee=told.get("total_fee"), currency=told.get("currency"), rmb_fee=told.get("rmb_fee"))
    name = told.get("shop", shop)
    if name is None:
        raise InvalidRequest("shop: the line names none; add the column, or name one for all")
    if shops is not None and name not in shops:
        raise InvalidRequest("shop: {} is none of those that there are ({}); nobody would ask about its orders".format(
            show(name), show(", ".join(shops), 200)))
    made = _moment(told["made_at"], now) if "made_at" in told else now
    wanted = told.get("timeout", timeout)
    closes = made + seconds_of(float(wanted) if isinstance(wanted, Decimal) else wanted, made)
    first = schedule.begins("{}:{}".format(name, order.out_trade_no), made)
    watched = Watched(name, order, first - now, closes - now, told.get("gateway", MAPI))
    checked([watched])
    return watched


def _moment(made_at, now) -> float:
    """UTC seconds. A moment without a zone could be eight hours off, and the order closed for as long."""
    text = str(made_at)
    moment: Optional[float] = None
    if re.fullmatch(r"[0-9]{10}(\.[0-9]{1,9})?", text, re.ASCII) and not isinstance(made_at, bool):
        moment = float(text)
    match = _MOMENT.fullmatch(text)
    if match:
        sign, hours, minutes = match.group(7), int(match.group(8) or 0), int(match.group(9) or 0)
        ahead = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
        try:
            year, month, day, hour, minute, second = [int(part) for part in match.groups()[:6]]
            moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone(ahead)).timestamp()
        except (ValueError, OverflowError):
            pass
    if moment is None:
        raise InvalidRequest("made_at: seconds since 1970 (10 digits), or a moment with its zone, such as "
                             "2026-01-31T10:00:00+08:00")
    if moment > now + _AHEAD:
        raise InvalidRequest("made_at: it is in the future; is the zone right?")
    if moment < now - _AGES:
        raise InvalidRequest("made_at: it is more than ten years ago")
    return moment
