"""The account at AMS that a merchant has beside MAPI's: ``[NAME.ams]`` of the ini file, or a host program's ``AMS``."""
import os
from typing import Any, List, Mapping, NamedTuple, Optional

from ..errors import ConfigurationError, show
from ..merchant_settings import KEY_FILES
from ..migration.ams import Account
from ..migration.settings import NAMES, account_of
from . import ini
from .host import Host
from .settings import Settings

#: ``values``: as ``migration.settings.account_of`` takes them. ``place``: where they stand.
Found = NamedTuple("Found", [("values", Mapping[str, Any]), ("place", str)])


def found(merchant: str, config: Optional[str], host: Optional[Host]) -> Optional[Found]:
    """What is set for this merchant; None when nothing is. ``config``: the ini's path. Raises ConfigurationError."""
    if host is not None:
        values, place = host.ams.get(merchant), "{} {}[{!r}]".format(host.place, "AMS", merchant)
    elif config is not None:
        problems: List[ConfigurationError] = []
        values = ini.ams(config, merchant, NAMES + KEY_FILES, problems)
        if problems:
            raise problems[0]
        folder, place = os.path.dirname(config), "{} [{}{}]".format(show(config, 200), merchant, ini.AMS)
        values = {key: os.path.join(folder, os.path.expanduser(value)) if key in KEY_FILES else value
                  for key, value in values.items()}
    else:
        return None
    return Found(values, place) if values else None


def of_merchant(merchant: str, config: Optional[str], host: Optional[Host]) -> Optional[Account]:
    """The account itself, if the merchant has one. Raises ConfigurationError and its kinds, which say where."""
    return _made(found(merchant, config, host))


def of_settings(settings: Settings) -> Optional[Account]:
    """The account of the merchant whose settings these are."""
    return _made(_of(settings))


def private_files(settings: Settings) -> List[str]:
    """The files that hold its private key."""
    told = _of(settings)
    if told is None or settings.ini is None:
        return []
    return [path for name, path in (("private_key_file", told.values.get("private_key_file")),
                                    ("private_key", settings.ini[0])) if path and told.values.get(name)]


def _of(settings):
    if settings.host is not None:
        return found(settings.host[1], None, settings.host[0])
    return None if settings.ini is None else found(settings.ini[1], settings.ini[0], None)


def _made(told):
    if told is None:
        return None
    problem = None
    try:
        return account_of(told.values)
    except ConfigurationError as err:
        problem = err
    raise type(problem)("{} ({})".format(problem, told.place))
