"""How a command speaks: data on stdout (a plain face, a rich one, or one JSON object), talk on stderr.

The rich face is for people: taken when rich is installed, stdout is a terminal and ``NO_COLOR`` is not set. Text from
outside is escaped before it reaches a terminal, whichever face it has. Lines are made to fit a terminal and are left
whole in a pipe.
"""
import json
import os
import sys
from typing import Any, Dict, Iterable, Optional, Sequence, Tuple

from ..errors import show
from . import layout
from .words import for_shell

SCHEMA = "alipay-mapi/1"
_LONGEST = 4000
_WIDEST = 100
_GOOD, _BAD, _NOTE = "green", "red", "yellow"


class Output:
    """Where a command puts what it has found. ``as_json``: nothing but one object, at the end, by :meth:`finish`.

    ``compact``: that object on one line.
    """

    def __init__(self, as_json: bool = False, plain: bool = False):
        self.as_json, self.compact = as_json, False
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
        if not self.as_json:
            self._styled([(layout.fill(text, _terminal_width(sys.stdout) or len(text)), "bold")])

    def paragraph(self, text: str, indent: str = "") -> None:
        """Text, filled to the width."""
        if not self.as_json:
            self._styled([(layout.fill(_escaped(text), self.width, indent, indent), "")])

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
        first, lines = layout.table(head, cells, indent, _terminal_width(sys.stdout))
        if first:
            self._styled([(first, "bold")])
        for name, rest in lines:
            self._styled([(name, "cyan"), (rest, "")])

    def talk(self, text: str) -> None:
        """A line for the person, on stderr."""
        text, width = _escaped(for_shell(text)), _terminal_width(sys.stderr)
        _write(sys.stderr, (text if width is None else layout.fill(text, min(width, _WIDEST))) + "\n")

    def error(self, error: BaseException, exit_code: int, message: str) -> None:
        """The error, on stderr, or as the one JSON object."""
        name, facts = type(error).__name__, getattr(error, "facts", {})
        if self.as_json:
            told = {"class": name, "message": for_shell(message), "exit": exit_code, "code": facts.get("code")}
            told.update({key: value if value is None or isinstance(value, (bool, int)) else str(value)
                         for key, value in facts.items()})
            self._data["error"] = told
        else:
            self.talk("{}: {}".format(name, for_shell(message)))

    def finish(self) -> None:
        """Print the JSON object, if one was asked for."""
        if self.as_json:
            whole = {"schema": SCHEMA}
            whole.update(self._data)
            unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
            _write(sys.stdout, json.dumps(whole, ensure_ascii=not unicode, indent=None if self.compact else 2) + "\n")
        sys.stdout.flush()

    @property
    def width(self) -> int:
        """Of prose: no wider than is read easily."""
        return min(_WIDEST, _terminal_width(sys.stdout) or _WIDEST)

    def _finding(self, word, text, indent, colour):
        if self.as_json:
            return
        lead = indent + "{:<10}".format(word) + " "
        filled = layout.fill(_escaped(for_shell(text)), self.width, lead, " " * len(lead))
        self._styled([(filled[:len(lead)], colour), (filled[len(lead):], "")])

    def _styled(self, parts):
        """One line or some, in parts of (text, style)."""
        if self._console is None:
            _write(sys.stdout, "".join(text for text, _ in parts).rstrip() + "\n")
            return
        from rich.text import Text
        line = Text()
        for text, style in parts:
            line.append(text, style or None)
        line.rstrip()
        self._console.print(line, soft_wrap=True)


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


def _terminal_width(stream):
    """The columns of the terminal behind a stream; None for a file or a pipe."""
    if not getattr(stream, "isatty", bool)():
        return None
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDEST
    except (OSError, ValueError, AttributeError):
        return _WIDEST


def _console(stream):
    """A rich console for a person at a terminal, else None."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or _terminal_width(stream) is None:
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=_terminal_width(stream))
