"""Text into lines and columns. A word is never cut: one that is longer than the room gets a line of its own, whole.

Widths are columns of a terminal, of which a Chinese character takes two.
"""
import unicodedata
from typing import List, Optional, Sequence, Tuple

_GAP = "   "
#: Less room than this for a text, and the rows are listed one below the other.
_NARROW = 24

#: A line: its beginning, which is a name, and the rest.
Line = Tuple[str, str]


def columns(text: str) -> int:
    """How many columns the text takes.

    >>> columns("A1 签名")
    7
    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fill(text: str, width: int, first: str = "", rest: str = "") -> str:
    """Text as lines of at most ``width``, ``first`` before the first and ``rest`` (blanks) before the others.

    >>> print(fill("fits SHA256:0123456789 and goes on", 20, "ok     ", "       "))
    ok     fits
       SHA256:0123456789
           and goes on
    """
    lines: List[str] = []
    line, begun = first, False
    for word in text.split(" "):
        if begun and columns(line + " " + word) <= width:
            line += " " + word
            continue
        if begun:
            lines.append(line.rstrip())
            line = rest
            if not word:
                begun = False
                continue
        if columns(line + word) > width:
            if line.strip():
                lines.append(line.rstrip())
            line = rest[:max(0, width - columns(word))]
        line += word
        begun = True
    return "\n".join(lines + [line.rstrip()])


def table(head: Optional[Sequence[str]], rows: Sequence[Sequence[str]], indent: str = "",
          width: Optional[int] = None) -> Tuple[str, List[Line]]:
    """Rows as (line of the columns' names, lines). ``width``: None, or what the lines are made to fit.

    The last column is filled; where that does not fit either, each row is listed under its first cell.
    """
    everything = ([head] if head else []) + list(rows)
    widths = [max(columns(row[at]) for row in everything) for at in range(len(everything[0]))]
    left = len(indent) + sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    if width is None or left + widths[-1] <= width:
        width = left + widths[-1]
    elif width - left < _NARROW or len(widths) > 2 and width - left < max(
            columns(word) for row in rows for word in row[-1].split(" ")):
        return "", [line for row in rows for line in _listed(head, row, indent, width)]
    lines = []
    for row in everything:
        padded = [cell + " " * (size - columns(cell)) + _GAP for cell, size in zip(row, widths[:-1])]
        name, lead = indent + padded[0], indent + "".join(padded)
        for line in fill(row[-1], width, lead, " " * left).split("\n"):
            lines.append((line[:len(name)], line[len(name):]) if line.startswith(name.rstrip()) else ("", line))
    return ("".join(lines.pop(0)), lines) if head else ("", lines)


def _listed(head, row, indent, width):
    yield indent + row[0], ""
    facts = [(name, cell) for name, cell in zip((head or [""] * len(row))[1:], row[1:]) if cell]
    if facts and head and len(row) > 2:
        for line in table(None, facts, indent + "  ", width)[1]:
            yield line
    else:
        for text in fill(row[1], width, indent + "  ", indent + "  ").split("\n"):
            yield "", text
