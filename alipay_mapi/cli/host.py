"""The program that runs the commands in its own process, with its own settings: Django's ``manage.py``, ``flask``.

Its settings stand where an ini file's would: a flag and the environment win over them.
"""
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Callable, Mapping, NamedTuple, Optional

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..fallback import Store, Tally


class Host(NamedTuple):
    """``prog``: how the command is called there. ``place``: where its settings stand, for ``config show``.
    ``merchants``: name → settings, as for ``merchant_settings.merchant_of``; ``default``: the one that is meant when
    none is named, or None. ``store``: opens it, and the command does not close it, as it may be the host's own
    connection; None where the host has none. ``store_name``: what is printed for it. ``fallback``: what the section
    ``[fallback]`` of an ini would hold. ``handler``, ``within``: as of ``Fallback``. ``finished``: told of each run.
    ``ams``: merchant's name → settings of its account at AMS."""

    prog: str
    place: str
    merchants: Mapping[str, Mapping[str, Any]]
    default: Optional[str] = None
    store: Optional[Callable[[], "Store"]] = None
    store_name: str = ""
    fallback: Mapping[str, Any] = {}
    handler: Optional[Callable] = None
    within: Optional[Callable] = None
    finished: Optional[Callable[["Tally"], Any]] = None
    ams: Mapping[str, Mapping[str, Any]] = {}


#: Plain numbers; every other one is a time, of which an ini takes milliseconds.
_FINE = ("factor", "jitter", "per_second")


def as_text(name: str, value: Any) -> Any:
    """A setting as an ini would have it; keys as they are. Raises ConfigurationError for a path that is none.

    >>> as_text("allow_http", True), as_text("input_charset", None), as_text("factor", 2.5), as_text("grace", 60)
    ('true', 'none', '2.5', '60')
    """
    if value is None:
        return "none" if name in ("input_charset", "per_second") else None
    if name.endswith("_file"):
        return [_path(name, one) for one in value] if isinstance(value, (list, tuple)) else _path(name, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return format(Decimal(str(round(value, 6 if name in _FINE else 3))), "f")
    return value


def _path(name, value):
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise ConfigurationError("{}: the path of a file".format(name))
    return os.fsdecode(value)
