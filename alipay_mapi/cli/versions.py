"""Which versions of what this runs on; read without loading more than their names need."""
import importlib
import os
import platform
import sys
from typing import List, Optional, Tuple

from .._version import __version__


def versions() -> List[Tuple[str, Optional[str]]]:
    """(name, version) in a fixed order; None: not installed."""
    return [
        ("alipay-mapi", __version__),
        ("Python", platform.python_version()),
        ("requests", module_version("requests")),
        ("lxml", module_version("lxml.etree")),
        ("libxml2", module_version("lxml.etree", "LIBXML_VERSION")),
        ("pycryptodome", module_version("Crypto")),
        ("cryptography", module_version("cryptography")),
        ("rich", module_version("rich")),
    ]


def module_version(name: str, attribute: str = "__version__") -> Optional[str]:
    """The version that a module says it has; None when it cannot be imported."""
    try:
        value = getattr(importlib.import_module(name), attribute, "installed")
    except ImportError:
        return None
    return ".".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def distributions(name: str) -> List[str]:
    """Folders in which a distribution of this name is installed."""
    found = []
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        found += [folder for entry in entries
                  if entry.lower().startswith(name + "-") and entry.endswith((".dist-info", ".egg-info"))]
    return found
