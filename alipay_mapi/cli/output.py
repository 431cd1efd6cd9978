"""How a command speaks: data on stdout (a plain face, a rich one, or one JSON object), talk on stderr.

The rich face is for people: taken when rich is installed, stdout is a terminal and ``NO_COLOR`` is not set. Text from
outside is escaped before it reaches a terminal, whichever face it has.
"""
import json
import os
import shutil
import sys
import textwrap
import unicodedata
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ..errors import show

SCHEMA = "alipay-mapi/1"
_LONGEST = 4000
_GOOD, _BAD, _NOTE = "green", "red", "yellow"


class Output:
    """Where a command puts what it has found. ``as_json``: nothing but one object, at the end, by :meth:`finish`."""

    def __init__(self, as_json: bool = False, plain: bool = False):
        self.as_json = as_json
        self._data: Dict[str, Any] = {}
        self._console = None if as_json or plain else _console(sys.stdout)

    def data(self, **values: Any) -> None:
        """What ``--json`` prints: names to text, numbers, truth values, lists and dicts."""
        self._data.update(values)

    def line(self, text: str = "") -> None:
        """One line of data, exactly as it is: a URL, a key."""
        if not self.as_json:
            _write(sys.stdout, text + "\n")

    def heading(self, text: str) -> None:
        self._styled(text, "bold")

    def paragraph(self, text: str, indent: str = "", first: Optional[str] = None, style: str = "") -> None:
        """Text, filled to the width. ``first``: what stands in front of the first line in place of ``indent``."""
        if not self.as_json:
            first = indent if first is None else first
            self._styled(textwrap.fill(_escaped(text), self.width, initial_indent=first, subsequent_indent=indent,
                                       break_long_words=False, break_on_hyphens=False), style)

    def good(self, word: str, text: str, indent: str = "") -> None:
        """A finding: ``word`` in colour, then the text."""
        self._finding(word, text, indent, _GOOD)

    def bad(self, word: str, text: str, indent: str = "") -> None:
        self._finding(word, text, indent, _BAD)

    def note(self, word: str, text: str, indent: str = "") -> None:
        self._finding(word, text, indent, _NOTE)

    def facts(self, pairs: Iterable[Tuple[str, Any]], indent: str = "") -> None:
        """Names and values in two columns."""
        self.table(None, [(name, value) for name, value in pairs], indent)

    def table(self, head: Optional[Sequence[str]], rows: Iterable[Sequence[Any]], indent: str = "") -> None:
        """Rows of text in columns. ``head``: the columns' names, or None."""
        cells = [[_escaped(value) for value in row] for row in rows]
        if self.as_json or not cells:
            return
        if self._console is not None:
            self._console.print(_rich_table(head, cells, len(indent)))
        else:
            _write(sys.stdout, _plain_table(head, cells, indent))

    def talk(self, text: str) -> None:
        """A line for the person, on stderr."""
        _write(sys.stderr, _escaped(text) + "\n")

    def error(self, error: BaseException, exit_code: int, message: str) -> None:
        """The error, on stderr, or as the one JSON object."""
        name, facts = type(error).__name__, getattr(error, "facts", {})
        if self.as_json:
            told = {"class": name, "message": message, "exit": exit_code, "code": facts.get("code")}
            told.update({key: value if value is None else str(value) for key, value in facts.items()})
            self._data["error"] = told
        else:
            _write(sys.stderr, "{}: {}\n".format(name, _escaped(message)))

    def finish(self) -> None:
        """Print the JSON object, if one was asked for."""
        if self.as_json:
            whole = {"schema": SCHEMA}
            whole.update(self._data)
            unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
            _write(sys.stdout, json.dumps(whole, ensure_ascii=not unicode, indent=2) + "\n")
        sys.stdout.flush()

    @property
    def width(self) -> int:
        return min(100, self._console.width) if self._console is not None else 100

    def _finding(self, word, text, indent, colour):
        if self.as_json:
            return
        lead = indent + "{:<10}".format(word) + " "
        filled = textwrap.fill(_escaped(text), self.width, initial_indent=lead, subsequent_indent=" " * len(lead),
                               break_long_words=False, break_on_hyphens=False)
        if self._console is None:
            _write(sys.stdout, filled.rstrip() + "\n")
        else:
            from rich.text import Text
            styled = Text(filled.rstrip())
            styled.stylize(colour, len(indent), len(indent) + len(word))
            self._console.print(styled)

    def _styled(self, text, style):
        if self.as_json:
            return
        if self._console is None or not style:
            _write(sys.stdout, text.rstrip() + "\n")
        else:
            from rich.text import Text
            self._console.print(Text(text.rstrip(), style=style))


def _escaped(value: Any) -> str:
    return "" if value is None else show(value, _LONGEST)


def _write(stream, text):
    """Write text; as UTF-8 where the stream takes itself for ASCII, since what is signed must come out unchanged."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        if hasattr(stream, "buffer"):
            stream.flush()
            stream.buffer.write(text.encode("utf-8", "backslashreplace"))
            stream.buffer.flush()
            return
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)


def _console(stream):
    """A rich console for a person at a terminal, else None."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not getattr(stream, "isatty", bool)():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream, highlight=False, markup=False, emoji=False,
                   width=shutil.get_terminal_size((100, 24)).columns)


def _rich_table(head, cells, indent):
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text
    table = Table(box=None, show_header=head is not None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for at, name in enumerate(head or [""] * len(cells[0])):
        table.add_column(name, style="cyan" if at == 0 else "", no_wrap=at == 0, overflow="fold")
    for row in cells:
        table.add_row(*[Text(cell) for cell in row])
    return Padding(table, (0, 0, 0, indent))


def _plain_table(head, cells, indent):
    rows = ([list(head)] if head else []) + cells
    widths = [max(_columns(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines: List[str] = []
    for row in rows:
        padded = [cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths)]
        lines.append((indent + "   ".join(padded)).rstrip())
    return "\n".join(lines) + "\n"


def _columns(text):
    """How many columns of a terminal the text takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
