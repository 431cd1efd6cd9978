"""Where each setting comes from: a flag, the environment, the ini file, or the default; the first that has it wins.

Keys are read from files, the environment, the ini (see ``ini``) or stdin; never from a flag.
"""
import os
import re
import sys
import warnings
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .. import merchant
from ..errors import ConfigurationError, show
from . import ini as ini_file

#: Merchant's arguments, in its order.
NAMES = ("partner", "sign_type", "private_key", "alipay_public_key", "md5_key", "seller_id", "seller_email",
         "input_charset", "gateway", "allow_http")
#: Those that are keys: text, or ``…_file``.
KEYS = ("private_key", "alipay_public_key", "md5_key")
DEFAULTS = {"input_charset": "utf-8", "gateway": merchant.GATEWAY_INTL, "allow_http": "false"}
GATEWAYS = {"intl": merchant.GATEWAY_INTL, "instore": merchant.GATEWAY_INSTORE,
            "mainland": merchant.GATEWAY_MAINLAND, "sandbox": merchant.GATEWAY_SANDBOX, "hk": merchant.GATEWAY_HK}
PREFIX = "ALIPAY_MAPI_"

_KEY_FILES = tuple(key + "_file" for key in KEYS)
_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_LARGEST = 64 * 1024
#: Stand-ins for settings that cannot work, while the others are looked at.
_SOUND = {"partner": "2088000000000000", "sign_type": "RSA2"}

#: ``value``: text, bytes of a key file, or None. ``source``: flag, environment, file or default. ``where``: which one.
Setting = NamedTuple("Setting", [("value", Any), ("source", str), ("where", str)])


class Settings:
    """All settings of one merchant. ``table``: name → Setting. ``ini``: path and section, or None."""

    def __init__(self, table: Dict[str, Setting], ini: Optional[Tuple[str, str]], files: Dict[str, str]):
        self.table, self.ini = table, ini
        #: Key name → path of the file it was read from.
        self.files = files

    def __repr__(self):
        return "<Settings {}>".format(", ".join(name for name in NAMES if self.table[name].value is not None))

    @property
    def given(self) -> bool:
        """Is anything set, beyond the defaults?"""
        return any(setting.source != "default" for setting in self.table.values())


def load(args: Any, environ: Optional[Mapping[str, str]] = None,
         problems: Optional[List[ConfigurationError]] = None) -> Settings:
    """Collect the settings. ``args``: parsed flags. No message holds a value of a key.

    Raises ConfigurationError for the first thing that is wrong; with a list ``problems`` everything that is wrong is
    added there instead, and what can be read is handed out.
    """
    found: List[ConfigurationError] = [] if problems is None else problems
    settings = _load(args, os.environ if environ is None else environ, found)
    if problems is None and found:
        raise found[0]
    return settings


def _load(args, environ, problems) -> Settings:
    path = ini_path(args, environ)
    section = args.merchant or environ.get(PREFIX + "MERCHANT") or None
    ini: Optional[Tuple[str, str]] = None
    from_ini: Dict[str, str] = {}
    if path is not None:
        section, from_ini = ini_file.read(path, section, NAMES + _KEY_FILES, problems)
        ini = None if section is None else (path, section)
    elif section is not None:
        problems.append(ConfigurationError("merchant: {} is a section of an ini file, and no file is named; give "
                                           "--config FILE or {}CONFIG".format(show(section), PREFIX)))
    flags = {name: getattr(args, name, None) for name in NAMES + _KEY_FILES}
    flags["allow_http"] = "true" if flags["allow_http"] else None
    upper = {name: environ.get(PREFIX + name.upper()) or None for name in flags}
    layers = (("flag", flags, lambda name: "--" + name.replace("_", "-"), ""),
              ("environment", upper, lambda name: PREFIX + name.upper(), ""),
              ("file", from_ini, lambda name: "{} [{}]".format(path, section), os.path.dirname(path or "")))
    files: Dict[str, str] = {}
    return Settings({name: _find(name, layers, files, problems) for name in NAMES}, ini, files)


def ini_path(args: Any, environ: Mapping[str, str]) -> Optional[str]:
    """The ini file that was named, or None."""
    return args.config or environ.get(PREFIX + "CONFIG") or None


def make_merchant(settings: Settings) -> merchant.Merchant:
    """The Merchant of these settings. Raises ConfigurationError and its kinds."""
    return _make({name: setting.value for name, setting in settings.table.items()})


def faults(settings: Settings) -> List[ConfigurationError]:
    """Everything that keeps a Merchant from being made of these settings, not only the first of it.

    Each setting that is refused is replaced by a sound one, or by none, until no other is refused.
    """
    values = {name: setting.value for name, setting in settings.table.items()}
    found: List[ConfigurationError] = []
    seen = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while True:
            try:
                _make(values)
                return found
            except ConfigurationError as err:
                name = about(err)
                if name in seen:
                    return found
                found.append(err)
                seen.add(name)
                values[name] = _SOUND.get(name, DEFAULTS.get(name))


def about(error: ConfigurationError) -> str:
    """The setting that an error is about: each message begins with its name."""
    match = re.match("[a-z0-9_]+", str(error))
    return match.group() if match else ""


def _make(values):
    values = dict(values)
    for name in ("partner", "sign_type"):
        if not values[name]:
            raise ConfigurationError("{0}: not set; give --{1}, {2}{3}, or an ini file with --config".format(
                name, name.replace("_", "-"), PREFIX, name.upper()))
    charset = values["input_charset"]
    values["input_charset"] = None if charset.lower() == "none" else charset
    values["gateway"] = GATEWAYS.get(values["gateway"], values["gateway"])
    switch = _SWITCH.get(values["allow_http"].lower())
    if switch is None:
        raise ConfigurationError("allow_http: write true or false")
    values["allow_http"] = switch
    if values["alipay_public_key"] is not None:
        values["alipay_public_key"] = several(values["alipay_public_key"])
    return merchant.Merchant(**values)


def several(value: Any) -> list:
    """The texts of one or more public keys: PEM blocks, or base64 with commas between.

    >>> several("MIIB,MIIC")
    ['MIIB', 'MIIC']
    """
    if isinstance(value, list):
        return [key for part in value for key in several(part)]
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if isinstance(value, bytes) and "-----BEGIN" not in text:
        return [value]
    if "-----BEGIN" in text:
        return ["-----BEGIN" + part for part in text.split("-----BEGIN")[1:]]
    return [part.strip() for part in text.split(",") if part.strip()]


def _find(name, layers, files, problems):
    for source, values, where, folder in layers:
        text, path = values.get(name), values.get(name + "_file")
        if text is not None and path is not None:
            problems.append(ConfigurationError("{0}: both {1} and {2} are set; keep one".format(
                name, where(name), where(name + "_file") + (" {}_file".format(name) if source == "file" else ""))))
        if text is not None:
            return Setting(text, source, where(name))
        if path is not None:
            paths = path if isinstance(path, list) else [line.strip() for line in path.splitlines() if line.strip()]
            contents = [_read_key(name, one, folder, files, source == "flag", problems) for one in paths]
            read = [data for data in contents if data is not None]
            return Setting((read if len(read) > 1 else read[0]) if read else None, source,
                           "{}: {}".format(where(name + "_file"), ", ".join(paths)))
    return Setting(DEFAULTS.get(name), "default", "")


def _read_key(name, path, folder, files, stdin, problems):
    if path == "-" and stdin:
        return read_stdin(_LARGEST)
    path = os.path.join(folder, os.path.expanduser(path))
    try:
        data = read_file(path, name + "_file")
    except ConfigurationError as err:
        problems.append(err)
        return None
    files[name] = path
    return data


def read_up_to(path: str, size: int) -> Tuple[bytes, str]:
    """(the first ``size`` bytes of a file, what went wrong: "" when nothing did)."""
    try:
        with open(path, "rb") as file:
            return file.read(size), ""
    except OSError as err:
        return b"", err.strerror or type(err).__name__


def read_file(path: str, parameter: str) -> bytes:
    """The bytes of a key file. Raises ConfigurationError."""
    data, problem = read_up_to(path, _LARGEST + 1)
    if problem or len(data) > _LARGEST:
        raise ConfigurationError("{}: cannot read {}: {}".format(parameter, show(path, 200), problem or "too large "
                                                                 "for a key"))
    return data


def read_stdin(limit: int) -> bytes:
    """At most ``limit`` bytes of stdin."""
    data = getattr(sys.stdin, "buffer", sys.stdin).read(limit)
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
