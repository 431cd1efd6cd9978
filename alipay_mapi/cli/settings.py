"""Where each setting comes from: a flag, the environment, the ini file, or the default; the first that has it wins.

The ini file has one section per merchant, with keys named as ``Merchant``'s arguments; a key's text, or the path of
its file under ``…_file`` (relative to the ini). Keys are read from files, the environment, the ini or stdin.
"""
import configparser
import os
import sys
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from .. import merchant
from ..errors import ConfigurationError, show

#: Merchant's arguments, in its order.
NAMES = ("partner", "sign_type", "private_key", "alipay_public_key", "md5_key", "seller_id", "seller_email",
         "input_charset", "gateway", "allow_http")
#: Those that are keys: text, or ``…_file``.
KEYS = ("private_key", "alipay_public_key", "md5_key")
DEFAULTS = {"input_charset": "utf-8", "gateway": merchant.GATEWAY_INTL, "allow_http": "false"}
GATEWAYS = {"intl": merchant.GATEWAY_INTL, "instore": merchant.GATEWAY_INSTORE,
            "mainland": merchant.GATEWAY_MAINLAND, "sandbox": merchant.GATEWAY_SANDBOX, "hk": merchant.GATEWAY_HK}
PREFIX = "ALIPAY_MAPI_"

_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_LARGEST = 64 * 1024

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


def load(args: Any, environ: Optional[Mapping[str, str]] = None) -> Settings:
    """Collect the settings. ``args``: parsed flags. Raises ConfigurationError; no message holds a value of a key."""
    environ = os.environ if environ is None else environ
    path = args.config or environ.get(PREFIX + "CONFIG") or None
    section = args.merchant or environ.get(PREFIX + "MERCHANT") or None
    ini: Optional[Tuple[str, str]] = None
    from_ini: Dict[str, str] = {}
    if path is not None:
        section, from_ini = _section(path, section)
        ini = (path, section)
    elif section is not None:
        raise ConfigurationError("merchant: {} is a section of an ini file, and no file is named; give --config FILE "
                                 "or {}CONFIG".format(show(section), PREFIX))
    folder = os.path.dirname(path or "")
    flags = {name: getattr(args, name, None) for name in NAMES + tuple(key + "_file" for key in KEYS)}
    flags["allow_http"] = "true" if flags["allow_http"] else None
    upper = {name: environ.get(PREFIX + name.upper()) or None for name in flags}
    layers = (("flag", flags, lambda name: "--" + name.replace("_", "-"), ""),
              ("environment", upper, lambda name: PREFIX + name.upper(), ""),
              ("file", from_ini, lambda name: "{} [{}]".format(path, section), folder))
    files: Dict[str, str] = {}
    table = {name: _find(name, layers, files) for name in NAMES}
    return Settings(table, ini, files)


def make_merchant(settings: Settings) -> merchant.Merchant:
    """The Merchant of these settings. Raises ConfigurationError and its kinds."""
    values = {name: setting.value for name, setting in settings.table.items()}
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


def _find(name, layers, files):
    for source, values, where, folder in layers:
        text, path = values.get(name), values.get(name + "_file")
        if text is not None and path is not None:
            raise ConfigurationError("{0}: both {1} and {2} are set; keep one".format(
                name, where(name), where(name + "_file") + (" {}_file".format(name) if source == "file" else "")))
        if text is not None:
            return Setting(text, source, where(name))
        if path is not None:
            paths = path if isinstance(path, list) else [line.strip() for line in path.splitlines() if line.strip()]
            contents = [_read_key(name, one, folder, files, stdin=source == "flag") for one in paths]
            return Setting(contents if len(contents) > 1 else contents[0], source,
                           "{}: {}".format(where(name + "_file"), ", ".join(paths)))
    return Setting(DEFAULTS.get(name), "default", "")


def _read_key(name, path, folder, files, stdin):
    if path == "-" and stdin:
        return read_stdin(_LARGEST)
    path = os.path.join(folder, os.path.expanduser(path))
    data = read_file(path, name + "_file")
    files[name] = path
    return data


def read_file(path: str, parameter: str) -> bytes:
    """The bytes of a key file. Raises ConfigurationError."""
    problem, data = "", b""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as err:
        problem = err.strerror or type(err).__name__
    if problem or len(data) > _LARGEST:
        raise ConfigurationError("{}: cannot read {}: {}".format(parameter, show(path, 200), problem or "too large "
                                                                 "for a key"))
    return data


def read_stdin(limit: int) -> bytes:
    """At most ``limit`` bytes of stdin."""
    data = getattr(sys.stdin, "buffer", sys.stdin).read(limit)
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")


def _section(path, wanted):
    """(section, its values) of the ini file. Messages of configparser quote the file's lines, so none is passed on."""
    parser = configparser.ConfigParser(interpolation=None, default_section="\0", comment_prefixes=("#", ";"))
    problem = ""
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
    except OSError as err:
        problem = err.strerror or type(err).__name__
    except UnicodeDecodeError:
        problem = "it is not UTF-8 text"
    except configparser.Error as err:
        line = getattr(err, "lineno", None) or next(iter(getattr(err, "errors", ())), (None,))[0]
        problem = "{}{}; lines that belong to the value above them are indented".format(
            type(err).__name__, "" if line is None else " in line {}".format(line))
    if problem:
        raise ConfigurationError("config: cannot read {}: {}".format(show(path, 200), problem))
    sections = parser.sections()
    listed = ", ".join(show(name) for name in sections) or "none"
    if wanted is None:
        usual = [name for name in sections if name.lower() == "default"] or (sections if len(sections) == 1 else [])
        if len(usual) != 1:
            raise ConfigurationError("merchant: {} has the sections {}; choose one with --merchant, or call one of "
                                     "them default".format(show(path, 200), listed))
        wanted = usual[0]
    if wanted not in sections:
        raise ConfigurationError("merchant: {} has no section {}; it has {}".format(
            show(path, 200), show(wanted), listed))
    values = {name: value for name, value in parser.items(wanted) if value}
    for name in values:
        if name not in NAMES and name not in [key + "_file" for key in KEYS]:
            raise ConfigurationError("{}: no setting of a merchant; {} [{}] may have {}; keys also …_file".format(
                show(name), show(path, 200), show(wanted), ", ".join(NAMES)))
    return wanted, values
