"""A merchant as a configuration has it: text values, key files, short names of gateways.

The command's ini file and flags, Django's settings and Flask's configuration all end here.
"""
import os
import re
import warnings
from typing import Any, Dict, List, Mapping, Tuple

from . import merchant
from .errors import ConfigurationError, show

#: Merchant's arguments, in its order.
NAMES = ("partner", "sign_type", "private_key", "alipay_public_key", "md5_key", "seller_id", "seller_email",
         "input_charset", "gateway", "allow_http")
#: Those that are keys: text, or ``…_file``.
KEYS = ("private_key", "alipay_public_key", "md5_key")
KEY_FILES = tuple(key + "_file" for key in KEYS)
DEFAULTS = {"input_charset": "utf-8", "gateway": merchant.GATEWAY_INTL, "allow_http": "false"}
GATEWAYS = {"intl": merchant.GATEWAY_INTL, "instore": merchant.GATEWAY_INSTORE,
            "mainland": merchant.GATEWAY_MAINLAND, "sandbox": merchant.GATEWAY_SANDBOX, "hk": merchant.GATEWAY_HK}
#: No key is larger.
LARGEST = 64 * 1024

_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def merchant_of(values: Mapping[str, Any]) -> merchant.Merchant:
    """The Merchant of these settings: each as Merchant takes it, or as text; keys as ``…_file`` too.

    ``gateway``: a short name (``intl``, ``instore``, ``mainland``, ``sandbox``, ``hk``) or a URL. ``input_charset``:
    ``none`` to leave it out. ``alipay_public_key``: several with commas between. Raises ConfigurationError and its
    kinds; each message begins with the setting's name, and none holds a key.

    >>> shop = merchant_of({"partner": "2088123412341234", "sign_type": "MD5", "gateway": "mainland",
    ...                     "md5_key": "0123456789abcdef0123456789abcdef"})
    >>> shop.gateway
    'https://mapi.alipay.com/gateway.do'
    """
    given = with_files(values)
    for name in given:
        if name not in NAMES:
            raise _unknown(name)
    for name in ("partner", "sign_type"):
        if not given.get(name):
            raise ConfigurationError("{}: not set".format(name))
    given = {name: value for name, value in given.items() if value is not None or name == "input_charset"}
    charset = given.get("input_charset", DEFAULTS["input_charset"])
    given["input_charset"] = None if isinstance(charset, str) and charset.lower() == "none" else charset
    gateway = given.get("gateway", DEFAULTS["gateway"])
    given["gateway"] = GATEWAYS.get(gateway, gateway) if isinstance(gateway, str) else gateway
    given["allow_http"] = switch(given.get("allow_http", False), "allow_http")
    if given.get("alipay_public_key") is not None:
        given["alipay_public_key"] = several(given["alipay_public_key"])
    return merchant.Merchant(**given)


def faults(values: Mapping[str, Any]) -> List[ConfigurationError]:
    """Everything that keeps a Merchant from being made of these settings, not only the first of it.

    Each setting that is refused is replaced by a sound one, or by none, until no other is refused.

    >>> [about(err) for err in faults({"partner": "shop", "sign_type": "rsa2", "colour": "red"})]
    ['colour', 'partner', 'sign_type']
    """
    found = [_unknown(name) for name in values if name not in NAMES + KEY_FILES]
    values = {name: value for name, value in values.items() if name in NAMES + KEY_FILES}
    seen = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while True:
            try:
                merchant_of(values)
                return found
            except ConfigurationError as err:
                name = about(err).replace("_file", "")
                if name in seen:
                    return found
                found.append(err)
                seen.add(name)
            values.pop(name, None)
            values.pop(name + "_file", None)
            if name in ("partner", "sign_type", "md5_key"):     # without an MD5 key there is no MD5
                values.update({"partner": "2088000000000000"} if name == "partner" else {"sign_type": "RSA2"})


def about(error: ConfigurationError) -> str:
    """The setting that an error of these is about: each message begins with its name."""
    match = re.match("[A-Za-z0-9_]+", str(error))
    return match.group() if match else ""


def several(value: Any) -> list:
    """The texts of one or more public keys: PEM blocks, or base64 with commas between.

    >>> several("MIIB,MIIC")
    ['MIIB', 'MIIC']
    """
    if isinstance(value, (list, tuple)):
        return [key for part in value for key in several(part)]
    if not isinstance(value, (str, bytes)):
        return [value]      # a key that is loaded already; or nothing that Merchant takes
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if isinstance(value, bytes) and "-----BEGIN" not in text:
        return [value]
    if "-----BEGIN" in text:
        return ["-----BEGIN" + part for part in text.split("-----BEGIN")[1:]]
    return [part.strip() for part in text.split(",") if part.strip()]


def switch(value: Any, name: str) -> bool:
    """A setting that is true or false. Raises ConfigurationError."""
    found = value if isinstance(value, bool) else _SWITCH.get(str(value).lower())
    if found is None:
        raise ConfigurationError("{}: write true or false".format(name))
    return found


def with_files(values: Mapping[str, Any]) -> Dict[str, Any]:
    """The settings with the contents of their key files."""
    found = {name: value for name, value in values.items() if name not in KEY_FILES}
    for name in KEY_FILES:
        paths = values.get(name)
        if paths is None:
            continue
        key = name[:-len("_file")]
        if found.get(key) is not None:
            raise ConfigurationError("{0}: both {0} and {1} are set; keep one".format(key, name))
        listed: List[Any] = list(paths) if isinstance(paths, (list, tuple)) else [paths]
        if not all(isinstance(path, (str, bytes, os.PathLike)) for path in listed) or not listed:
            raise ConfigurationError("{}: the path of a file".format(name))
        contents = [read_file(os.path.expanduser(os.fspath(path)), name) for path in listed]
        found[key] = contents if key == "alipay_public_key" else contents[0]
    return found


def _unknown(name):
    return ConfigurationError("{}: no setting of a merchant; there are {}; keys also …_file".format(
        show(name), ", ".join(NAMES)))


def read_up_to(path: str, size: int) -> Tuple[bytes, str]:
    """(the first ``size`` bytes of a file, what went wrong: "" when nothing did)."""
    try:
        with open(path, "rb") as file:
            return file.read(size), ""
    except OSError as err:
        return b"", err.strerror or type(err).__name__
    except ValueError:
        return b"", "no path can hold a zero byte"


def read_file(path: str, parameter: str) -> bytes:
    """The bytes of a key file. Raises ConfigurationError."""
    data, problem = read_up_to(path, LARGEST + 1)
    if problem or len(data) > LARGEST:
        raise ConfigurationError("{}: cannot read {}: {}".format(parameter, show(path, 200), problem or "too large "
                                                                 "for a key"))
    return data
