"""What the ``fallback`` commands are told beside the merchants: the store, and the section ``[fallback]`` of the ini.

A flag wins over the environment (``ALIPAY_MAPI_STORE`` alone), which wins over the ini.
"""
import os
import re
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional

from ..errors import ConfigurationError, InvalidRequest, show
from ..fallback import Schedule, Store, open_store
from . import ini, settings

#: What the section may hold.
NAMES = ("store", "handler", "exec", "exec_timeout", "per_second", "workers", "deadline", "limit") + Schedule._fields
VARIABLE = settings.PREFIX + "STORE"

_MEMORY = re.compile(r"(:?memory:|sqlite://|sqlite:///:memory:)", re.IGNORECASE)
_FILE = re.compile(r"(?i:sqlite):///(?P<path>.+)|(?!.*://)(?P<bare>.+\.(?:db|sqlite|sqlite3))", re.DOTALL)
#: Nothing of a URL is shown that could be part of a password, wherever its slips are.
_URL = re.compile(r"([a-z0-9_+]+://)(?:([A-Za-z0-9_.-]+)(?::[^@]*)?@)?([A-Za-z0-9_.-]+(?::[0-9]+)?/[A-Za-z0-9_-]+)"
                  r"(?:[?][^@]*)?", re.IGNORECASE)
_PERIOD = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd]?)", re.ASCII)
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Told:
    """``values``: the section's, name to text. ``url``: the store's, None when there is none; it may hold a password.
    ``config``: the ini's path, or None."""

    def __init__(self, args: Any, environ: Optional[Mapping[str, str]] = None):
        environ = os.environ if environ is None else environ
        self.config = settings.ini_path(args, environ)
        self.values: Dict[str, str] = {}
        if self.config is not None:
            problems: List[ConfigurationError] = []
            self.values = ini.fallback(self.config, NAMES, problems)
            if problems:
                raise problems[0]
        self._args = args
        self.url: Optional[str] = getattr(args, "store", None) or environ.get(VARIABLE) or self._from_ini()

    def __repr__(self):
        return "<Told>"

    def _from_ini(self):
        """A file's path is relative to the ini, as the paths of keys are."""
        url = self.values.get("store")
        path = None if url is None else path_of(url)
        return url if path is None else os.path.join(os.path.dirname(self.config or ""), os.path.expanduser(path))

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
        raise ConfigurationError("{} ({} [{}])".format(problem, show(self.config or "", 200), ini.FALLBACK))

    @contextmanager
    def store(self, create: bool = False, migrate: bool = False) -> Iterator[Store]:
        """The store, closed at the end. ``create``: an SQLite file may be made; else a path that was misspelt would
        look like an empty store. Raises ConfigurationError, StoreError, SchemaError."""
        if self.url is None:
            raise ConfigurationError("store: not set; give --store URL, {}, or store = URL in the section [{}] of the "
                                     "ini file".format(VARIABLE, ini.FALLBACK))
        if _MEMORY.fullmatch(self.url):
            raise ConfigurationError("store: one in memory ends with each command; give a file (sqlite:///orders.db) "
                                     "or a database")
        path = path_of(self.url)
        if path is not None and not create and not os.path.isfile(path):
            raise ConfigurationError("store: there is no file {}; is the path right? alipay-mapi fallback watch makes "
                                     "it".format(show(path, 200)))
        store = open_store(self.url, migrate=migrate)
        try:
            yield store
        finally:
            store.close()


def path_of(url: str) -> Optional[str]:
    """The path of an SQLite file, None for any other store.

    >>> path_of("sqlite:////var/lib/orders.db"), path_of("orders.db"), path_of("mysql+pymysql://db/shop")
    ('/var/lib/orders.db', 'orders.db', None)
    """
    match = _FILE.fullmatch(url)
    return (match.group("path") or match.group("bare")) if match and not _MEMORY.fullmatch(url) else None


def shown(url: Optional[str]) -> str:
    """The store as it may be printed.

    >>> shown("postgresql+psycopg2://shop:S3CRET@db.example/shop?sslmode=require"), shown("mysql://a:b@c@d/e")
    ('postgresql+psycopg2://shop:***@db.example/shop', 'mysql://***')
    """
    url = url or ""
    if path_of(url) is not None:
        return str(path_of(url))
    match = _URL.fullmatch(url)
    if match is None:
        return "{}://***".format(url.partition("://")[0]) if re.match("[a-z0-9_+]+://", url, re.IGNORECASE) else "***"
    scheme, user, place = match.groups()
    return scheme + (user + ":***@" if user else "") + place


# --- values -----------------------------------------------------------------------------------------------------------

def seconds(text: str, name: str) -> float:
    """``50s``, ``5m``, ``12h``, ``90d``, or plain seconds. Raises InvalidRequest.

    >>> seconds("1.5m", "--deadline")
    90.0
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise InvalidRequest("{}: a number and s, m, h or d, such as 50s or 12h".format(name), parameter=name)
    return float(match.group(1)) * _SECONDS[match.group(2)]


def number(text: str, name: str) -> float:
    """A plain decimal. Raises InvalidRequest."""
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text, re.ASCII) is None:
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
    return None if text.lower() == "none" else number(text, name)


def words(text: str, name: str) -> str:
    return text
