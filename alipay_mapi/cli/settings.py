"""Where each setting comes from: a flag, the environment, the ini file, or the default; the first that has it wins.

Keys are read from files, the environment, the ini (see ``ini``) or stdin; never from a flag.
"""
import os
import re
import sys
import warnings
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..errors import ConfigurationError, show
from ..merchant import Merchant
from ..merchant_settings import DEFAULTS, KEY_FILES, LARGEST, NAMES, merchant_of, read_file
from . import ini as ini_file
from .host import Host, as_text

PREFIX = "ALIPAY_MAPI_"

#: Stand-ins for settings that cannot work, while the others are looked at.
_SOUND = {"partner": "2088000000000000", "sign_type": "RSA2"}

#: ``value``: text, bytes of a key file, or None. ``source``: flag, environment, file or default. ``where``: which one.
Setting = NamedTuple("Setting", [("value", Any), ("source", str), ("where", str)])


class Settings:
    """All settings of one merchant. ``table``: name → Setting. ``ini``: path and section, or None. ``host``: the
    program whose settings count, and the merchant's name there, or None."""

    def __init__(self, table: Dict[str, Setting], ini: Optional[Tuple[str, str]], files: Dict[str, str],
                 host: Optional[Tuple[Host, str]] = None):
        self.table, self.ini, self.host = table, ini, host
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
    host = host_of(args)
    ini: Optional[Tuple[str, str]] = None
    from_ini: Dict[str, Any] = {}
    where = ""
    if path is not None:
        section, from_ini = ini_file.read(path, section, NAMES + KEY_FILES, problems)
        ini = None if section is None else (path, section)
    elif host is not None:
        section = section or host.default
        if section is None or section not in host.merchants:
            problems.append(ConfigurationError("merchant: {} has {}; choose one with --merchant".format(
                host.place, show(", ".join(host.merchants), 200) or "none")))
        else:
            from_ini = {name: as_text(name, value) for name, value in host.merchants[section].items()}
            where = "{}[{!r}]".format(host.place, section)
    elif section is not None:
        problems.append(ConfigurationError("merchant: {} is a section of an ini file, and no file is named; give "
                                           "--config FILE or {}CONFIG".format(show(section), PREFIX)))
    flags = {name: getattr(args, name, None) for name in NAMES + KEY_FILES}
    flags["allow_http"] = "true" if flags["allow_http"] else None
    upper = {name: environ.get(PREFIX + name.upper()) or None for name in flags}
    layers = (("flag", flags, lambda name: "--" + name.replace("_", "-"), ""),
              ("environment", upper, lambda name: PREFIX + name.upper(), ""),
              ("file" if host is None else "settings", from_ini, lambda name: where or "{} [{}]".format(path, section),
               os.path.dirname(path or "")))
    files: Dict[str, str] = {}
    return Settings({name: _find(name, layers, files, problems) for name in NAMES}, ini, files,
                    (host, section) if where and host is not None and section is not None else None)


def host_of(args: Any) -> Optional[Host]:
    """The program whose settings count in place of an ini file's, if any; a file that is named by flag wins."""
    return None if args.config else getattr(args, "host_program", None)


def ini_path(args: Any, environ: Mapping[str, str]) -> Optional[str]:
    """The ini file that was named, or None."""
    return args.config or (environ.get(PREFIX + "CONFIG") or None if host_of(args) is None else None)


def make_merchant(settings: Settings) -> Merchant:
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
    for name in ("partner", "sign_type"):
        if not values[name]:
            raise ConfigurationError("{0}: not set; give --{1}, {2}{3}, or an ini file with --config".format(
                name, name.replace("_", "-"), PREFIX, name.upper()))
    return merchant_of(values)


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
        return read_stdin(LARGEST)
    path = os.path.join(folder, os.path.expanduser(path))
    try:
        data = read_file(path, name + "_file")
    except ConfigurationError as err:
        problems.append(err)
        return None
    files[name] = path
    return data


def read_stdin(limit: int) -> bytes:
    """At most ``limit`` bytes of stdin."""
    data = getattr(sys.stdin, "buffer", sys.stdin).read(limit)
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
