"""Which shops the ``fallback`` commands work for: the sections of the ini file, by their names, which are stored with
the orders; and the gateways of each. Without an ini file there is one, called ``default``.
"""
import argparse
import os
import re
from typing import Any, Dict, List, Mapping, Optional

from .. import merchant_settings
from ..backend import AMS, MAPI
from ..client import Client
from ..errors import ConfigurationError, show
from ..migration.backends import AmsBackend, AmsClient
from . import ams_account, ini, settings
from .fallback_settings import Told

ALONE = "default"
_NAME = re.compile("[A-Za-z0-9_.-]{1,40}", re.ASCII)


def clients(args: Any, told: Told) -> Mapping[str, Mapping[str, Any]]:
    """Shop → its gateways by name, as ``Fallback`` takes them: of all sections, or of ``--merchant`` alone. Raises
    ConfigurationError and its kinds."""
    names = listed(told)
    chosen = named(args)
    if chosen is not None:
        names = [chosen]
    if len(names) > 1:
        _refuse_common_settings()
    found: Dict[str, Dict[str, Any]] = {}
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise ConfigurationError("merchant: the section {} cannot be the name of a shop that orders are stored "
                                     "with; 1 to 40 letters, digits and _ . -".format(show(name)))
        asked = argparse.Namespace(**dict(vars(args), merchant=name if told.config or told.host or chosen else None))
        found[name] = {MAPI: Client(settings.make_merchant(settings.load(asked)))}
        account = ams_account.of_merchant(name, told.config, told.host)
        if account is not None:
            found[name][AMS] = AmsBackend(AmsClient(account))
    if not found:
        raise ConfigurationError("merchant: {} has no section of a merchant; see alipay-mapi config example".format(
            _place(told)))
    return found


def named(args: Any) -> Optional[str]:
    """The one shop that was asked for, or None."""
    return args.merchant or os.environ.get(settings.PREFIX + "MERCHANT") or None


def listed(told: Told) -> List[str]:
    """The names of all shops."""
    if told.host is not None:
        return list(told.host.merchants)
    if told.config is None:
        return [ALONE]
    problems: List[ConfigurationError] = []
    names = ini.merchants(told.config, problems)
    if problems:
        raise problems[0]
    return names


def usual(args: Any, told: Told) -> str:
    """The shop that is meant when none is named, as for other commands. Raises ConfigurationError."""
    chosen, names = named(args), listed(told)
    if chosen is None and told.host is not None and told.host.default in names:
        return str(told.host.default)
    if chosen is None:
        found = [name for name in names if name.lower() == ALONE] or (names if len(names) == 1 else [])
        if len(found) != 1:
            raise ConfigurationError("merchant: {} has the sections {}; choose one with --merchant".format(
                _place(told), show(", ".join(names), 200) or "none"))
        return found[0]
    return known(chosen, told)


def known(name: str, told: Told) -> str:
    """Itself. Raises ConfigurationError for one that the ini, if any, has no section for: nobody would ask about its
    orders."""
    if (told.config is not None or told.host is not None) and name not in listed(told):
        raise ConfigurationError("merchant: {} has no section {}; it has {}".format(
            _place(told), show(name), show(", ".join(listed(told)), 200)))
    return name


def _place(told):
    return show(told.config or "", 200) if told.host is None else told.host.place


def _refuse_common_settings():
    for name in merchant_settings.NAMES:
        for variable in (settings.PREFIX + name.upper(), settings.PREFIX + name.upper() + "_FILE"):
            if os.environ.get(variable):
                raise ConfigurationError("{}: it would count for every section of the ini file; unset it, or choose "
                                         "one shop with --merchant".format(variable))
