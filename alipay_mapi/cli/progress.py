"""A bar on stderr, at a terminal and with rich; elsewhere None, and the command says what it has to say in lines."""
import os
import sys
from typing import Any


def progress_bar(counted: str) -> Any:
    """A ``rich.progress.Progress``, not begun yet; None without rich or a terminal, and where ``NO_COLOR`` is set.

    ``counted``: how far it is, as rich's template of a task, such as ``{task.percentage:>3.0f} %``.
    """
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return None
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        return None
    return Progress(BarColumn(), TextColumn(counted), TimeElapsedColumn(), TextColumn("{task.description}"),
                    console=Console(file=sys.stderr), transient=True)
