"""The program that runs the commands in its own process, with its own settings: Django's ``manage.py``, ``flask``.

Its settings stand where an ini file's would: a flag and the environment win over them.
"""
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Callable, Mapping, NamedTuple, Optional

if TYPE_CHECKING:
    from ..fallback import Store, Tally


class Host(NamedTuple):
    """``prog``: how the command is called there. ``place``: where its settings stand, for ``config show``.
    ``merchants``: name → settings, as for ``merchant_settings.merchant_of``; ``default``: the one that is meant when
    none is named, or None. ``store``: opens it, and the command does not close it, as it may be the host's own
    connection; None where the host has none. ``store_name``: what is printed for it. ``fallback``: what the section
    ``[fallback]`` of an ini would hold. ``handler``, ``within``: as of ``Fallback``. ``finished``: told of each run."""

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


def as_text(name: str, value: Any) -> Any:
    """A setting as an ini would have it; keys as they are.

    >>> as_text("allow_http", True), as_text("input_charset", None), as_text("factor", 2.5), as_text("grace", 60)
    ('true', 'none', '2.5', '60')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none" if name in ("input_charset", "per_second") else None
    if isinstance(value, (int, float)):
        return format(Decimal(str(value)), "f")
    return value
