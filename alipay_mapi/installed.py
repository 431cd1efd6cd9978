"""Which libraries are installed, and in which version; read without loading more than their names need."""
import importlib
import os
import re
import sys
from typing import Optional


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


def pycrypto_is_there() -> bool:
    """Is the abandoned pycrypto installed? It lies in the same folder ``Crypto`` as pycryptodome, and spoils it."""
    return distributed("pycrypto") is not None or (module_version("Crypto") or "3").startswith(("1.", "2."))
