"""What the ``fallback`` commands are told beside the merchants: the store, and the section ``[fallback]`` of the ini.

A flag wins over the environment (``ALIPAY_MAPI_STORE`` alone), which wins over the ini.
"""
import os
import re
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional

from ..errors import ConfigurationError, InvalidRequest, StoreError, show
from ..fallback import Schedule, Store, open_store
from . import fallback_opening, ini, settings
from .fallback_url import path_of, shown
from .host import as_text

#: What the section may hold.
NAMES = ("store", "handler", "exec", "exec_timeout", "per_second", "workers", "deadline", "limit") + Schedule._fields
VARIABLE = settings.PREFIX + "STORE"

_PERIOD = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd]?)", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Told:
    """``values``: the section's, name to text. ``url``: the store's, None when there is none; it may hold a password.
    ``config``: the ini's path, or None."""

    def __init__(self, args: Any, environ: Optional[Mapping[str, str]] = None):
        environ = os.environ if environ is None else environ
        self.config = settings.ini_path(args, environ)
        #: The program that runs the command, where its settings count.
        self.host = settings.host_of(args)
        self.values: Dict[str, str] = {}
        if self.config is not None:
            problems: List[ConfigurationError] = []
            self.values = ini.fallback(self.config, NAMES, problems)
            if problems:
                raise problems[0]
        if self.host is not None:
            texts = {name: as_text(name, value) for name, value in self.host.fallback.items()}
            self.values = {name: text for name, text in texts.items() if text is not None}
        self._args = args
        self.url: Optional[str] = getattr(args, "store", None) or environ.get(VARIABLE) or self._from_ini()

    def __repr__(self):
        return "<Told>"

    def _from_ini(self):
        """A file's path is relative to the ini, as the paths of keys are."""
        url = self.values.get("store")
        path = None if url is None else path_of(url)
        return url if path is None else os.path.join(os.path.dirname(self.config or ""), os.path.expanduser(path))

    @property
    def name(self) -> str:
        """The store as it may be printed."""
        return self.host.store_name if self.url is None and self.host is not None else shown(self.url)

    def flag(self, name: str) -> Optional[str]:
        """What the command line says, or None."""
        return getattr(self._args, name, None)

    def get(self, name: str, read: Callable[[str, str], Any], default: Any) -> Any:
        """A flag, or else what the section says. ``read``: (text, name for a message) → value, or InvalidRequest."""
        given = self.flag(name)
        if given is not None:
            return read(given, "--" + name.replace("_", "-"))
        return self._read(name, read) if name in self.values else default

    @property
    def schedule(self) -> Schedule:
        """Raises ConfigurationError."""
        given = {name: self._read(name, number if name in ("factor", "jitter") else seconds)
                 for name in Schedule._fields if name in self.values}
        return Schedule()._replace(**given).check()

    def _read(self, name, read):
        try:
            return read(self.values[name], name)
        except InvalidRequest as err:
            problem = str(err)
        raise ConfigurationError("{} ({} [{}])".format(problem, show(self.config or "", 200), ini.FALLBACK)
                                 if self.host is None else problem)

    @contextmanager
    def store(self, create: bool = False, migrate: bool = False) -> Iterator[Store]:
        """The store, closed at the end. ``create``: its file and its tables may be made; else a path that was misspelt
        would look like an empty store. Raises ConfigurationError, StoreError, SchemaError."""
        if self.url is None and self.host is not None and self.host.store is not None:
            yield self.host.store()     # its own: it is not ours to close
            return
        if self.url is None:
            raise ConfigurationError("store: not set; give --store URL, {}, or store = URL in the section [{}] of the "
                                     "ini file".format(VARIABLE, ini.FALLBACK))
        fallback_opening.look(self.url, create)
        problem: Optional[StoreError] = None
        try:
            store = open_store(self.url, migrate=migrate)
        except StoreError as err:
            problem = fallback_opening.explained(self.url, err)
        if problem is not None:
            raise problem
        try:
            yield store
        finally:
            store.close()


# --- values -----------------------------------------------------------------------------------------------------------

def seconds(text: str, name: str) -> float:
    """``50s``, ``5m``, ``12h``, ``90d``, or plain seconds. Raises InvalidRequest.

    >>> seconds("1.5m", "--deadline")
    90.0
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise InvalidRequest("{}: a number and s, m, h or d, such as 50s or 12h; a plain number is seconds".format(
            name), parameter=name)
    return float(match.group(1)) * _SECONDS[match.group(2)]


def number(text: str, name: str) -> float:
    """A plain decimal. Raises InvalidRequest."""
    if _NUMBER.fullmatch(text) is None:
        raise InvalidRequest("{}: a number, such as 2 or 0.5".format(name), parameter=name)
    return float(text)


def whole(least: int, most: int) -> Callable[[str, str], int]:
    """Reads a whole number in these bounds."""
    def read(text, name):
        value = int(text) if re.fullmatch("[0-9]{1,10}", text, re.ASCII) else -1
        if not least <= value <= most:
            raise InvalidRequest("{}: a whole number, {} to {}".format(name, least, most), parameter=name)
        return value
    return read


def rate(text: str, name: str) -> Optional[float]:
    """Queries per second; ``none`` for no limit. Raises InvalidRequest."""
    if text.lower() == "none":
        return None
    value = float(text) if _NUMBER.fullmatch(text) else -1.0
    if not 0.001 <= value <= 10000:
        raise InvalidRequest("{}: 0.001 to 10000 queries per second, or none for no limit".format(name), parameter=name)
    return value


def words(text: str, name: str) -> str:
    return text
