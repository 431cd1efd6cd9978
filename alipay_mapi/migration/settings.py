"""An account at AMS as a configuration has it: text values and key files, as for a merchant."""
from typing import Any, Mapping

from ..errors import ConfigurationError, show
from ..merchant_settings import several, switch, with_files
from .ams.account import Account

#: Account's arguments, in its order; keys also as ``…_file``.
NAMES = ("client_id", "private_key", "alipay_public_key", "key_version", "region", "domain", "in_store", "agent_token",
         "allow_http")
_SWITCHES = ("in_store", "allow_http")


def account_of(values: Mapping[str, Any]) -> Account:
    """The Account of these settings: each as Account takes it, or as text. ``key_version``: ``none`` to leave it out.
    Raises ConfigurationError and its kinds; each message begins with the setting's name, and none holds a key.

    >>> account_of({"client_id": "SANDBOX_5Y00000000000000", "key_version": "2"}).path("payments/pay")
    '/ams/sandbox/api/v1/payments/pay'
    """
    given = {name: value for name, value in with_files(values).items() if value is not None}
    for name in given:
        if name not in NAMES:
            raise ConfigurationError("{}: no setting of an account at AMS; there are {}; keys also …_file".format(
                show(name), ", ".join(NAMES)))
    if not given.get("client_id"):
        raise ConfigurationError("client_id: not set")
    for name in _SWITCHES:
        if name in given:
            given[name] = switch(given[name], name)
    version = given.get("key_version")
    if isinstance(version, str) and version.lower() == "none":
        given["key_version"] = None
    elif isinstance(version, int) and not isinstance(version, bool):
        given["key_version"] = str(version)
    if given.get("alipay_public_key") is not None:
        given["alipay_public_key"] = several(given["alipay_public_key"])
    return Account(**given)
