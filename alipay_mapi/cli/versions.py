"""Which versions of what this runs on; read without loading more than their names need."""
import importlib
import os
import platform
import re
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
        ("rich", distributed("rich")),
        ("Werkzeug", distributed("werkzeug")),
        ("Jinja2", distributed("jinja2")),
        ("segno", distributed("segno")),
        ("SQLAlchemy", distributed("sqlalchemy")),
        ("celery", distributed("celery")),
        ("prometheus_client", distributed("prometheus_client")),
    ]


def module_version(name: str, attribute: str = "__version__") -> Optional[str]:
    """The version that a module says it has; None when it cannot be imported."""
    try:
        value = getattr(importlib.import_module(name), attribute, "installed")
    except ImportError:
        return None
    return ".".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def distributed(name: str) -> Optional[str]:
    """The version of an installed distribution; None when there is none. Nothing is imported."""
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in entries:
            match = re.fullmatch(re.escape(name) + r"-([0-9][^-]*)(-.*)?\.(dist|egg)-info", entry, re.IGNORECASE)
            if match:
                return match.group(1)
    return None
