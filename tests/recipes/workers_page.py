"""docs/workers.md as files and commands: the tests of the recipes run what the page says, and nothing else."""
import re
import shlex
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "workers.md"
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MINUTE = "* * * * * "


def blocks():
    """(what stands behind the three backquotes, text), in the page's order."""
    return _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def file(name):
    """The block that is the file ``name``."""
    (text,) = [text for head, text in blocks() if head.partition(" ")[2] == name]
    return text


def variables():
    """Name → value of the page's environment file."""
    return dict(line.split("=", 1) for line in file("environment").splitlines())


def crontab_command():
    """What cron would give to /bin/sh."""
    (text,) = [text for head, text in blocks() if head == "crontab"]
    (line,) = text.splitlines()
    assert line.startswith(_MINUTE) and "%" not in line     # to cron, % is a line's end
    return line[len(_MINUTE):]


def settings(unit):
    """Name → value of a unit's settings, each of which it has once; no comments."""
    pairs = [line.split("=", 1) for line in file(unit).splitlines() if line and line[0] not in "#["]
    assert len({name for name, _ in pairs if name != "ReadWritePaths"}) >= len(pairs) - 1
    return dict(pairs)


def command(unit):
    """ExecStart as a list. Nothing in it that only systemd would understand."""
    line = settings(unit)["ExecStart"]
    assert not re.search(r"[%$\\]", line)
    return shlex.split(line)
