"""The store's URL: a path or not, and what of it may be printed."""
import re
from typing import Optional

MEMORY = re.compile(r"(:?memory:|sqlite://|sqlite:///:memory:)", re.IGNORECASE)
#: A bare path with @, or with a word and : before it, is a URL with a slip: part of it may be a password.
_FILE = re.compile(r"(?i:sqlite):///(?P<path>[^?]+)|(?!.*(?:://|@))(?![\w+.-]{2,}:)"
                   r"(?P<bare>.+\.(?:db|sqlite|sqlite3))", re.DOTALL)
#: Nothing of a URL is shown that could be part of a password, wherever its slips are.
_URL = re.compile(r"([a-z0-9_+]+://)(?:([A-Za-z0-9_.-]+)(?::[^@]*)?@)?([A-Za-z0-9_.-]+(?::[0-9]+)?/[A-Za-z0-9_-]+)"
                  r"(?:[?][^@]*)?", re.IGNORECASE)


def path_of(url: str) -> Optional[str]:
    """The path of an SQLite file, None for any other store.

    >>> path_of("sqlite:////var/lib/orders.db"), path_of("orders.db"), path_of("mysql+pymysql://db/shop")
    ('/var/lib/orders.db', 'orders.db', None)
    >>> path_of("postgresql:/shop:S3CRET@db/orders.db")
    """
    match = _FILE.fullmatch(url)
    return (match.group("path") or match.group("bare")) if match and not MEMORY.fullmatch(url) else None


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
